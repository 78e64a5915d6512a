"""What is said at the end of a sweep: one short screen, and what to type next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from optimizer.commands.sweeps.kept import Outline, default_store, spec_of
from optimizer.commands.voice import Voice
from optimizer.screen.grids import grid
from optimizer.sweep.points import MEANINGS, SETTLED
from optimizer.sweep.rows import glance
from optimizer.sweep.rows.front import front
from optimizer.sweep.rows.records import Entry, Version
from optimizer.sweep.rows.store import Store
from optimizer.sweep.rows.texts import settings
from optimizer.sweep.running.run import Summary
from optimizer.words import counted, figure

#: Exit codes of a sweep with cases that failed, and of one that Ctrl-C ended.
SOME_FAILED, INTERRUPTED = 11, 130
#: Most reasons of failing which the screen names.
MOST_FAILING = 8
#: Statuses that trying again may mend by itself.
MENDABLE = ("error", "timeout", "worker_died")


@dataclass(frozen=True)
class Ending:
    """A sweep at the end of a run.

    Attributes
    ----------
    store : Store
        The sweep.
    summary : Summary
        What this run came to.
    file : Path
        The sweep file.
    """

    store: Store
    summary: Summary
    file: Path


def tell_ending(ending: Ending, voice: Voice) -> int:
    """Show the screen, and give the exit code."""
    summary = ending.summary
    code = INTERRUPTED if summary.stopped else SOME_FAILED if summary.failed else 0
    if not summary.version:
        voice.answer(status="stopped", out=str(ending.store.path))
        return code
    version = ending.store.version(summary.version)
    voice.show(*standing(ending.store, version))
    voice.lines(*_next(ending))
    status = "stopped" if summary.stopped else "some-failed" if summary.failed else "settled"
    voice.answer(
        status=status, **as_fields(ending.store, version), computed=summary.computed,
        skipped=summary.skipped, left_out=summary.left_out, seconds=round(summary.seconds, 3),
    )  # fmt: skip
    return code


def as_fields(store: Store, version: Version) -> dict[str, Any]:
    """Give a program what the screen says of a sweep."""
    counts, total, found = store.counts(version), store.total(version), glance.ends(store, version)
    done = sum(counts.values())
    return {
        "name": spec_of(store).name,
        "out": str(store.path),
        "version": version.number,
        "total": total,
        "done": done,
        "missing": total - done,
        "failed": sum(n for status, n in counts.items() if status not in SETTLED),
        "counts": counts,
        "highest": None if found is None else _fields(found[0]),
        "lowest": None if found is None else _fields(found[1]),
        "failing": [_failure(one) for one in glance.failing(store, version, MOST_FAILING)],
    }


def _failure(failure: glance.Failure) -> dict[str, Any]:
    first = failure.first[0]
    return {"number": first.point.number, "id": first.identity, "status": failure.status,
            "message": failure.message, "cases": failure.cases,
            "numbers": [entry.point.number for entry in failure.first],
            "ids": [entry.identity for entry in failure.first]}  # fmt: skip


def _fields(entry: Entry) -> dict[str, Any]:
    value = None if entry.row is None else entry.row.value_musd
    return {"number": entry.point.number, "id": entry.identity,
            "settings": dict(entry.point.settings), "value_musd": value}  # fmt: skip


def standing(store: Store, version: Version) -> Iterator[RenderableType]:
    """Lay out where a sweep stands: counts, the two ends, and what failed."""
    outline = Outline.of(spec_of(store, version))
    counts, total = store.counts(version), store.total(version)
    done = sum(counts.values())
    several = f", version {version.number}" if len(store.versions()) > 1 else ""
    draws = store.draws(version) if outline.is_drawn else total
    stand = f", which stand for {draws:,} draws" if draws > total else ""
    yield Text.assemble((outline.name, "bold"), f"  {counted(total, 'case')} of {outline.base}",
                        stand, several)  # fmt: skip
    if outline.summary:
        yield Text(outline.summary)
    order = [status for status in MEANINGS if status in counts]
    told = ", ".join(f"{counts[status]:,} {status.replace('_', ' ')}" for status in order)
    whole = f"all {total:,}" if done == total else f"{done:,} of {total:,}"
    yield Text(f"{whole} done" + (f": {told}" if told else ""))
    found = glance.ends(store, version)
    if found is not None:
        yield Text("")
        yield _ends_table(*found)
    for line in (
        *_widest(store, version),
        *_beats_nothing(store, version),
        *_plan(store, version),
        *_on_front(store, version, outline),
    ):
        yield Text(line)
    failing = glance.failing(store, version, MOST_FAILING)
    if failing:
        yield Text("\nWhat failed", "bold")
        yield _failing_table(failing)
        failed = sum(n for status, n in counts.items() if status not in SETTLED)
        rest = failed - sum(failure.cases for failure in failing)
        if rest:
            yield Text(f"and {rest:,} more for other reasons, which the export tells")


def _ends_table(highest: Entry, lowest: Entry) -> Table:
    table = grid(("", "date"), ("value M$", "figure"), ("case", "figure"), ("set to", "words"))
    for name, entry in (("highest", highest), ("lowest", lowest)):
        value = None if entry.row is None else entry.row.value_musd
        table.add_row(Text(name, "dim"), figure(value), str(entry.point.number),
                      settings(entry.point.settings))  # fmt: skip
    return table


def _widest(store: Store, version: Version) -> Iterator[str]:
    """Say how far a search that a limit ended may be from the best plan."""
    found = glance.widest(store, version)
    if found is not None:
        number, gap = found
        yield (
            f"a limit ended searches early; case {number} farthest from its best, by up to "
            f"{100 * gap:.3g} %"
        )


def _beats_nothing(store: Store, version: Version) -> Iterator[str]:
    found = glance.verdicts(store, version, "beats_nothing")
    parts = []
    if found.get("no"):
        parts.append(f"doing nothing is as good in {counted(found['no'], 'case')}")
    if found.get("undecided"):
        parts.append(f"the gap leaves it undecided in {counted(found['undecided'], 'case')}")
    if parts:
        yield "; ".join(parts)


def _plan(store: Store, version: Version) -> Iterator[str]:
    """Say how the plan fares that was evaluated in every case."""
    statuses = glance.verdicts(store, version, "plan_status")
    if not statuses:
        return
    holds = sum(statuses.get(status, 0) for status in ("solved", "best-found"))
    told = f"the plan can be kept to in {holds:,} of {counted(sum(statuses.values()), 'case')}"
    best = glance.verdicts(store, version, "plan_is_best")
    if best:
        told += f"; best in {best.get('yes', 0):,}, undecided in {best.get('undecided', 0):,}"
    worst = glance.most(store, version, "regret_musd")
    if worst is not None:
        told += f"; its largest regret is {figure(worst[1])} M$, in case {worst[0]}"
    yield told


def _on_front(store: Store, version: Version, outline: Outline) -> Iterator[str]:
    """Say how many plans lie on the front."""
    if outline.pareto is None:
        return
    found = ((entry.point, entry.row) for entry in store.entries(version))
    verdicts = list(front(outline.pareto, found).values())
    if verdicts:
        lie, are = verdicts.count("yes"), verdicts.count("undecided")
        undecided = f", and of {are:,} more the gap leaves it undecided" if are else ""
        yield f"{lie:,} of {counted(len(verdicts), 'plan')} lie on the front{undecided}"


def _failing_table(failing: list[glance.Failure]) -> Table:
    """Tell each reason once; of what fails alone, also what it is set to."""
    table = grid(("cases", "figure"), ("status", "date"), ("which", "words"), ("why", "words"))
    for failure in failing:
        table.add_row(
            f"{failure.cases:,}", failure.status.replace("_", " "), _which(failure),
            failure.message or "–",
        )  # fmt: skip
    return table


def _which(failure: glance.Failure) -> str:
    """Name the first few cases of a reason."""
    first = [entry.point for entry in failure.first]
    if failure.cases == 1:
        return f"{first[0].number}: {settings(first[0].settings)}"
    more = ", …" if failure.cases > len(first) else ""
    return ", ".join(str(point.number) for point in first) + more


def _next(ending: Ending) -> Iterator[str]:
    """Say where it lies, and what to type next."""
    store, summary = ending.store, ending.summary
    path, file = shlex.quote(os.fspath(store.path)), shlex.quote(os.fspath(ending.file))
    if store.path.resolve() != default_store(spec_of(store).name).resolve():
        file += f" --out {path}"
    yield f"kept in {store.path}"
    if summary.left_out:
        yield f"{counted(summary.left_out, 'row')} of cases that the file no longer has are kept"
    if summary.missing:
        yield f"go on       rackwatt sweep {file}"
    again = [status for status in MENDABLE if summary.counts.get(status)]
    if again:
        yield f"try again   rackwatt sweep {file} --retry {','.join(again)}"
    if summary.missing < summary.total:
        shown = "tables   " if Outline.of(spec_of(store)).pareto is None else "the front"
        yield f"{shown}   rackwatt sweep show {path}"
        yield f"all rows    rackwatt sweep export {path} {spec_of(store).name}.csv"
        found = glance.ends(store, store.version(summary.version))
        number = found[0].point.number if found else 0
        yield f"one case    rackwatt sweep point {path} {number}"
