"""Where a sweep is kept, and what its file says that a table needs to know."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimizer.commands.solve import RUNS
from optimizer.sweep.design.file import front_in, read_sweep
from optimizer.sweep.design.spec import Pareto
from optimizer.sweep.design.wish import SAMPLED, VERBS
from optimizer.sweep.points import Json
from optimizer.sweep.rows.records import Spec, Version
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.rows.store import Store

#: Ending of the database of a sweep.
ENDING = ".sweep.db"
_SQLITE = b"SQLite format 3\x00"


def default_store(name: str) -> Path:
    """Name the database of a sweep, where nobody named another."""
    return RUNS / f"{name}{ENDING}"


def database_of(kept: Path) -> Path:
    """Give the database of a sweep that was named by it or by its sweep file.

    Raises
    ------
    SweepRefused, InputRefused
        Where there is neither, or the sweep was not run yet.
    """
    if not is_sweep_file(kept):
        return kept
    path = default_store(_name_in(kept))
    if not path.exists():
        raise SweepRefused(
            f"there is no {path}: run it with `rackwatt sweep {kept}`, or name the database if "
            "--out put it elsewhere"
        )
    return path


def is_sweep_file(kept: Path) -> bool:
    """Whether what was named is a sweep file, and not the database itself."""
    return kept.suffix.lower() == ".toml" and not _is_database(kept)


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def _name_in(path: Path) -> str:
    """Read the name of a sweep; a file that is just being edited has one, too."""
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        name = held["sweep"].get("name", path.stem)
        if isinstance(name, str) and "/" not in name:
            return name
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        pass
    return read_sweep(path).name


def spec_of(store: Store, version: Version | None = None) -> Spec:
    """Give the sweep file of a store, or that of one of its versions.

    Raises
    ------
    SweepRefused
        Where nothing was run yet.
    """
    spec = store.spec(version.number) if version else None
    spec = spec or store.spec()
    if spec is None:
        raise SweepRefused(f"{store.path} holds no run yet; run its sweep file")
    return spec


@dataclass(frozen=True)
class Outline:
    """What a sweep file says about the layout of its cases.

    Attributes
    ----------
    name, summary, base, design : str
        As in the file; defaults of the format where it leaves them out.
    axes : tuple of str
        Names of the axes, in its order.
    typed : mapping of str to tuple
        Settings that were typed one by one, by axis.
    pareto : Pareto or None
        The front that is traced in every case.
    """

    name: str
    summary: str
    base: str
    design: str
    axes: tuple[str, ...]
    typed: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    pareto: Pareto | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether cases were drawn."""
        return self.design in SAMPLED

    @classmethod
    def of(cls, spec: Spec) -> Outline:
        """Read it from the file as it was run."""
        try:
            held: Mapping[str, Any] = tomllib.loads(spec.text)
        except ValueError:
            held = {}
        table = held.get("sweep", {})
        base = Path(str(table.get("base", ""))).name
        axes: Mapping[str, Any] = held.get("axes", {})
        typed = {name: _typed(axis) for name, axis in axes.items()}
        return cls(spec.name, str(table.get("summary", "")), base,
                   str(table.get("design", "grid")), tuple(axes), typed,
                   front_in(held))  # fmt: skip


def _typed(axis: Mapping[str, Any]) -> tuple[Json, ...]:
    """Give the settings of an axis that were typed one by one.

    Examples
    --------
    >>> _typed({"prices": ["dear.csv", "ercot"]}), _typed({"values": {"from": 1, "to": 2}})
    (('dear', 'ercot'), ())
    """
    given = next((axis[verb] for verb in (*VERBS, "prices") if verb in axis), ())
    if "prices" in axis:
        return tuple(Path(str(file)).stem if isinstance(given, list) else file for file in given)
    listed = given.get("values", ()) if isinstance(given, Mapping) else given
    return tuple(listed)
