"""``rackwatt sweep point``: one case of a sweep as a run, or an instance, of its own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from optimizer.commands.ready import Wish
from optimizer.commands.solve import RUNS, solve_instance
from optimizer.commands.sweeps.kept import database_of, spec_of
from optimizer.commands.voice import Voice
from optimizer.errors import UsageRefused
from optimizer.sweep.point.home import Home
from optimizer.sweep.point.written import PLAN, instance_files
from optimizer.sweep.points import Row, Tied
from optimizer.sweep.rows.export import LETTERS
from optimizer.sweep.rows.records import Entry, Version
from optimizer.sweep.rows.refusal import told_plainly
from optimizer.sweep.rows.store import Store
from optimizer.sweep.rows.texts import settings
from optimizer.words import figure
from optimizer.write import refuse_taken

#: Which of plans alike in value a front took.
_TIES: Mapping[Tied, str] = {"capex": "least capex", "lowest_cash": "most cash left"}


@dataclass(frozen=True)
class Chosen:
    """Which case is opened, and where to.

    Attributes
    ----------
    kept : Path
        Database or sweep file.
    case : str
        Number of the case, or the start of its id.
    out : Path or None
        Run folder to write.
    instance : Path or None
        Folder to write the case to as an instance, unsolved.
    version : int or None
        Version of the results.
    overwrite : bool
        Whether an older run may be replaced.
    """

    kept: Path
    case: str
    out: Path | None = None
    instance: Path | None = None
    version: int | None = None
    overwrite: bool = False


def open_point(chosen: Chosen, voice: Voice) -> int:
    """Run the command and return its exit code."""
    path = database_of(chosen.kept)
    with Store.read(path) as store, store.snapshot():
        version = store.version(chosen.version)
        entry, name = _found(store, version, chosen.case), spec_of(store).name
        base = store.base(version.number)
    title = f"Case {entry.point.number} of the sweep {name}: {settings(entry.point.settings)}"
    out = chosen.out or RUNS / f"{name}-{entry.point.number}"
    if chosen.instance is None:
        refuse_taken(out, overwrite=chosen.overwrite)
    elif chosen.instance.exists() and (
        not chosen.instance.is_dir() or any(chosen.instance.iterdir())
    ):
        raise UsageRefused(f"{chosen.instance} is there already; name a new folder")
    files = instance_files(base, entry.point, title)
    if chosen.instance is not None:
        return _write_instance(chosen.instance, files, entry, voice)
    voice.lines(title, _was(entry, version))
    home = Home(files)
    return solve_instance(
        Wish(home.path, base.options, out=out, overwrite=chosen.overwrite), voice
    )


def _found(store: Store, version: Version, case: str) -> Entry:
    """Find a case by its number, or by the start of its id."""
    if case.isdecimal() and len(case) < LETTERS:
        entry = store.numbered(version, int(case))
        if entry is not None:
            return entry
    matching = store.matching(version, case.lower()) if case.isalnum() else []
    identities = {entry.identity for entry in matching}
    if len(identities) > 1:
        numbers = ", ".join(str(entry.point.number) for entry in matching[:8])
        raise UsageRefused(f"several cases have an id that begins with {case}: {numbers}")
    if not matching:
        last = store.total(version) - 1
        raise UsageRefused(
            f"{store.path} has no case {case}: numbers go from 0 to {last}, ids are those of "
            "the export"
        )
    return matching[0]


def _write_instance(folder: Path, files: Mapping[str, bytes], entry: Entry, voice: Voice) -> int:
    with told_plainly(folder):
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    plan = f" --plan {shlex.quote(str(folder / PLAN))}" if PLAN in files else ""
    voice.lines(f"wrote {folder}; next: rackwatt solve {shlex.quote(str(folder))}")
    if plan:
        voice.lines(f"its plan:  rackwatt evaluate {shlex.quote(str(folder))}{plan}")
    voice.answer(status="written", instance=str(folder), number=entry.point.number,
                 id=entry.identity)  # fmt: skip
    return 0


def _was(entry: Entry, version: Version) -> str:
    """Say what the sweep found."""
    row = entry.row
    if row is None:
        return "the sweep has not solved it yet"
    told = f"the sweep has it as {row.status.replace('_', ' ')}{_worth(row)}"
    if row.message:
        told += f": {row.message}"
    if version.ties and row.value_musd is not None:
        told += f"; of plans alike in value it took the one with the {_TIES[version.ties]}"
    if row.value_musd is not None:
        told += ". Alone it begins from no other plan, and may end at another one within the gap"
    return told


def _worth(row: Row) -> str:
    """Say what its plan was worth, and how near that is to the best; nothing without a plan."""
    if row.value_musd is None:
        return ""
    told = f" with {figure(row.value_musd, digits=3)} M$"
    if row.bound_musd is None or row.gap is None:
        return told
    bound = figure(row.bound_musd, digits=3)
    return f"{told}; no plan beats {bound} M$ (gap {100 * row.gap:.3f} %)"
