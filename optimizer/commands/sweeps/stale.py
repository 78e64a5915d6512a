"""Whether a sweep file, or its base, still says what the rows that are kept were computed from."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from optimizer.commands.sweeps.kept import is_sweep_file
from optimizer.errors import InputRefused
from optimizer.sweep.base import Read, base_of, read_base
from optimizer.sweep.design.designs import points_of
from optimizer.sweep.design.file import read_sweep
from optimizer.sweep.design.spec import Observed, Sweep
from optimizer.sweep.meaning import meaning
from optimizer.sweep.rows.records import Version
from optimizer.sweep.rows.store import Store
from optimizer.sweep.running.run import changes


@dataclass(frozen=True)
class Stale:
    """What has changed since rows were computed.

    Attributes
    ----------
    changed : tuple of str
        By name, as a refusal tells it; empty where all is as it was.
    advice : str
        What is shown, and what to type.
    """

    changed: tuple[str, ...] = ()
    advice: str = ""

    @property
    def lines(self) -> list[str]:
        """One line, or none."""
        return [f"{'; '.join(self.changed)}: {self.advice}"] if self.changed else []


def stale(kept: Path, store: Store, version: Version) -> Stale:
    """Compare what is kept with the sweep file by which it was named.

    Parameters
    ----------
    kept : Path
        What was named; nothing is compared where that is a database.
    store : Store
        The sweep.
    version : Version
        Version that is shown; nothing is compared with one that the sweep no longer stands at.
    """
    if not is_sweep_file(kept) or version.number != store.version().number:
        return Stale()
    command = f"rackwatt sweep {shlex.quote(str(kept))}"
    try:
        sweep = read_sweep(kept)
        read = read_base(sweep.base)
        found = changes(store.base(version.number), base_of(sweep, read.loaded))
        asks_else = not found and _asks_else(kept, sweep, read, store, version)
    except (InputRefused, OSError):
        told = f"{kept} or its base does not read as it stands now"
        return Stale((told,), f"rows are of what it was; `{command} --dry-run` says why")
    if found:
        anew = f"`{command} --new-version` solves all anew beside them"
        return Stale(tuple(found), f"rows are of what was before; {anew}")
    if asks_else:
        anew = f"`{command}` goes on with it as it is now"
        return Stale((f"{kept} asks for other cases now",), f"rows are of what it was; {anew}")
    return Stale()


def _asks_else(kept: Path, sweep: Sweep, read: Read, store: Store, version: Version) -> bool:
    """Whether the file asks for other cases of the same base, or of a table that it names."""
    spec = store.spec(version.number)
    if spec is None:
        return False
    if meaning("sweep.toml", kept.read_bytes()) != meaning("sweep.toml", spec.text.encode()):
        return True
    if sweep.pareto is not None or not _reads_tables(sweep):
        return False
    asked = {point.identity(version.digest) for point in points_of(sweep, read.document)}
    held = store.ask("SELECT id FROM points WHERE version = ?", version.number)
    return asked != {identity for (identity,) in held}


def _reads_tables(sweep: Sweep) -> bool:
    """Whether cases stand in a file of their own."""
    return sweep.design == "csv" or any(isinstance(axis.choices, Observed) for axis in sweep.axes)
