"""``rackwatt sweep status`` and ``export``: how far a sweep is, and all of its rows."""

from __future__ import annotations

from pathlib import Path

from optimizer.commands.sweeps.ending import as_fields, standing
from optimizer.commands.sweeps.kept import Outline, database_of, spec_of
from optimizer.commands.sweeps.stale import stale
from optimizer.commands.voice import Voice
from optimizer.sweep.rows import glance
from optimizer.sweep.rows.export import export
from optimizer.sweep.rows.front import on_front
from optimizer.sweep.rows.lock import holder
from optimizer.sweep.rows.records import Version
from optimizer.sweep.rows.store import Store
from optimizer.sweep.running.progress import clock, pace


def tell_status(kept: Path, voice: Voice) -> int:
    """Run the command and return its exit code."""
    path = database_of(kept)
    with Store.read(path) as store, store.snapshot():
        on = holder(path)
        if on is not None and store.current() is None:
            return _beginning(path, on, voice)
        version = store.version()
        rate = glance.rate(store, version) if on else None
        missing = store.total(version) - sum(store.counts(version).values())
        left = missing / rate if rate else None
        since = stale(kept, store, version)
        voice.lines(*since.lines)
        voice.show(*standing(store, version))
        versions = store.versions()
        told = ["", _pace(on, rate, left, missing), f"kept in {path}"]
        told += [_older(versions)] if len(versions) > 1 else []
        voice.lines(*told, is_answer=True)
        voice.answer(
            status="running" if on else "stopped" if missing else "complete",
            **as_fields(store, version), writer=on, rate_per_second=rate, seconds_left=left,
            versions=[{"number": one.number, "created": one.created} for one in versions],
            changed=list(since.changed),
        )  # fmt: skip
    return 0


def _beginning(path: Path, on: str, voice: Voice) -> int:
    """Say that a sweep is not far enough to be counted."""
    message = "the base is solved first; no case has begun yet"
    voice.lines(f"running: {on}", message, f"kept in {path}", is_answer=True)
    voice.answer(status="running", done=0, writer=on, message=message)
    return 0


def _pace(on: str | None, rate: float | None, left: float | None, missing: int) -> str:
    """Say whether it runs, and how fast."""
    if on is None:
        return "nobody runs it; the same command goes on with it" if missing else "complete"
    told = [f"running: {on}"]
    if rate is not None and left is not None:
        told += [pace(rate), f"{clock(left)} left"]
    return "   ".join(told)


def _older(versions: list[Version]) -> str:
    listed = ", ".join(f"{one.number} of {one.created[:16].replace('T', ' ')}" for one in versions)
    return f"versions: {listed}; --version shows an older one"


def export_sweep(
    kept: Path, out: Path, voice: Voice, *, timings: bool, version: int | None, overwrite: bool
) -> int:
    """Write the table of a sweep and return the exit code."""
    with Store.read(database_of(kept)) as store, store.snapshot():
        one = store.version(version)
        pareto = Outline.of(spec_of(store, one)).pareto
        found = ((entry.point, entry.row) for entry in store.entries(one))
        beside = None if pareto is None else on_front(pareto, found)
        written = export(store, out, one.number, timings=timings, overwrite=overwrite,
                         beside=beside)  # fmt: skip
        total, done = store.total(one), sum(store.counts(one).values())
    waiting = "" if done == total else f", {total - done:,} of them still waiting"
    voice.lines(f"wrote {written}: {total:,} rows{waiting}")
    voice.answer(status="written", out=str(written), rows=total, done=done, version=one.number)
    return 0
