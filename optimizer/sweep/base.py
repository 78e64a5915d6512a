"""The base of a sweep: the complete document of an instance folder, and what is shipped of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from optimizer.errors import InputRefused
from optimizer.load.catalogue import packaged
from optimizer.load.files import leaves
from optimizer.load.folder import Loaded, Reading
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.point.opened import Rules
from optimizer.sweep.points import Base

#: Names of files that the program itself brings along begin so.
PACKAGED = "catalogue/"


class Read(NamedTuple):
    """A base as it was read: the instance, all that is said of it as one document, and how."""

    loaded: Loaded
    document: dict[str, Any]
    reading: Reading


def read_base(folder: Path) -> Read:
    """Read an instance folder.

    Raises
    ------
    InputRefused
        With every problem of the folder, where there is an error among them.
    """
    reading = Reading(Path(folder), packaged())
    loaded = reading.run({})
    if loaded is None:
        raise InputRefused(reading.problems())
    return Read(loaded, reading.document, reading)


def base_of(sweep: Sweep, loaded: Loaded) -> Base:
    """Gather what every worker of a sweep needs: files, options, and the plan to evaluate.

    Parameters
    ----------
    sweep : Sweep
        The sweep file.
    loaded : Loaded
        Its base.
    """
    files = files_of(loaded)
    files |= {name: path.read_bytes() for name, path in sweep.files.items()}
    plan = None
    if sweep.plan is not None:
        rules = Rules(sweep.plan.only, sweep.plan.regret)
        plan = rules.files(sweep.plan.actions.read_bytes())
    return Base(files, sweep.options, sweep.memory_mb, plan, ties=sweep.ties)


def files_of(loaded: Loaded) -> dict[str, bytes]:
    """Read what an instance is made of, its policy's list of actions among it, by name."""
    typed = (name for name in loaded.files if not name.startswith(PACKAGED))
    names = [name for name in typed if (loaded.folder / name).is_file()]
    pin = loaded.instance.policy.pin
    # What is wrong with a list of actions is told by who reads it.
    if pin is not None and not leaves(loaded.folder, pin) and (loaded.folder / pin).is_file():
        names.append(pin)
    return {name: (loaded.folder / name).read_bytes() for name in dict.fromkeys(names)}


def document_of(folder: Path) -> dict[str, Any]:
    """Read an instance folder, and give all that its files and the catalogue say as one document.

    Tables in CSV, entries of the catalogue and columns of ``paths.csv`` stand in it as if they
    had been typed in ``instance.toml``. Defaults of the format do not.

    Parameters
    ----------
    folder : Path
        An instance folder.

    Returns
    -------
    dict
        Tables by name, as TOML would give them.

    Raises
    ------
    InputRefused
        With every problem of the folder, where there is an error among them.
    """
    return read_base(folder).document
