"""``rackwatt sweep FILE``: every case solved, every row kept."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from optimizer.commands.stopping import Abandoned, stoppable
from optimizer.commands.sweeps.begin import Ready, begin, estimated
from optimizer.commands.sweeps.ending import INTERRUPTED, Ending, tell_ending
from optimizer.commands.sweeps.kept import default_store
from optimizer.commands.sweeps.opening import Hands, Opening
from optimizer.commands.voice import Voice
from optimizer.errors import UsageRefused
from optimizer.sweep.point.evaluate import make_evaluate
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.rows.store import Store
from optimizer.sweep.running.engine import Engine
from optimizer.sweep.running.local import Local
from optimizer.sweep.running.progress import sweep_line
from optimizer.sweep.running.run import Summary, lenders, refuse_changed, run
from optimizer.sweep.whole import read_whole

HEARD = "stopping: cases that are on get ten seconds; press Ctrl-C again to leave them\n"
ABANDONED = "left: every row that was counted is kept\n"


@dataclass(frozen=True)
class Asked:
    """What is asked of a sweep.

    Attributes
    ----------
    file : Path
        The sweep file.
    workers : int or None
        Processes of this machine; None for one a core.
    scheduler : str or None
        Address of a Dask scheduler that has the workers instead.
    out : Path or None
        The database.
    retry : tuple of str
        Statuses that are tried again.
    new_version : bool
        Whether changed inputs begin a version of their own.
    dry_run : bool
        Whether cases are only checked and counted.
    backwards : bool
        Whether the last case comes first.
    loading : float
        Seconds that it took to load the program.
    """

    file: Path
    workers: int | None = None
    scheduler: str | None = None
    out: Path | None = None
    retry: tuple[str, ...] = ()
    new_version: bool = False
    dry_run: bool = False
    backwards: bool = False
    loading: float = 0.0


def run_sweep(asked: Asked, voice: Voice) -> int:
    """Run the command and return its exit code."""
    ready = _made_ready(asked, voice)
    engine, hands = _engine(asked)
    opening = Opening(ready.sweep, ready.cases, hands, ready.out, voice, is_answer=asked.dry_run)
    if asked.dry_run:
        return _dry_run(asked, ready, opening)
    _refuse_other(ready)
    try:
        with stoppable(HEARD, ABANDONED) as stop, Store.open(ready.out) as store:
            summary = _run(asked, ready, engine, store, opening, stop)
            if summary is None:
                return _nothing_begun(asked, ready, voice)
            return tell_ending(Ending(store, summary, asked.file), voice)
    except Abandoned:
        with Store.read(ready.out) as store:
            return tell_ending(Ending(store, _left(store), asked.file), voice)


def _made_ready(asked: Asked, voice: Voice) -> Ready:
    if asked.file.is_dir():
        raise UsageRefused(f"{asked.file} is a folder; a sweep is a file in TOML, which names one")
    whole = read_whole(asked.file)
    voice.problems((*whole.read.loaded.warnings, *whole.cases.warnings))
    out = asked.out or default_store(whole.sweep.name)
    return Ready.of(whole, out, asked.retry, asked.loading)


def _engine(asked: Asked) -> tuple[Engine, Hands]:
    """Give what computes, and how many hands it has just now."""
    if asked.scheduler is not None:
        from optimizer.sweep.running.cluster import Cluster

        cluster = Cluster(asked.scheduler)
        found = cluster.count_workers()
        return cluster, Hands(found, found)
    known = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = known or 1
    workers = asked.workers or cores
    return Local(workers), Hands(workers, cores)


def _dry_run(asked: Asked, ready: Ready, opening: Opening) -> int:
    """Check, count and estimate; nothing is written."""
    _refuse_other(ready)
    with ExitStack() as held, stoppable(HEARD, ABANDONED) as stop:
        store = held.enter_context(Store.read(ready.out)) if _is_there(ready.out) else None
        if store is not None:
            refuse_changed(store, ready.base, ready.versions, new_version=asked.new_version)
        begun = begin(ready, store, opening, stop)
        if begun is None:
            return _nothing_begun(asked, ready, opening.voice)
        opening.answer_dry_run(begun.count, estimated(ready, begun, opening, stop))
    return 0


def _run(
    asked: Asked,
    ready: Ready,
    engine: Engine,
    store: Store,
    opening: Opening,
    stop: threading.Event,
) -> Summary | None:
    """Count, estimate, and solve what is missing; None where that was stopped before it began."""
    refuse_changed(store, ready.base, ready.versions, new_version=asked.new_version)
    begun = begin(ready, store, opening, stop)
    if begun is None or stop.is_set():
        return None
    opening.tell_estimate(begun.count, begun.estimate)
    if not begun.count.done:
        opening.tell_lending(lenders(begun.base, begun.count.wanted))
    with sweep_line(opening.voice.talk, quiet=opening.voice.quiet) as line:
        return run(
            begun.expansion.points, begun.base, store, engine, make_evaluate,
            held=begun.expansion.held, spec=ready.spec, versions=ready.versions,
            retry=asked.retry, new_version=asked.new_version, backwards=asked.backwards,
            progress=line, stop=stop,
        )  # fmt: skip


def _refuse_other(ready: Ready) -> None:
    """Refuse the database of another sweep, before anything is written to it."""
    if not _is_there(ready.out):
        return
    with Store.read(ready.out) as store:
        spec = store.spec()
    if spec is not None and spec.name != ready.sweep.name:
        raise SweepRefused(
            f"{ready.out} holds the sweep {spec.name}, not {ready.sweep.name}; name another "
            "database with --out"
        )


def _is_there(path: Path) -> bool:
    """Whether a database was begun."""
    return path.is_file() and path.stat().st_size > 0


def _nothing_begun(asked: Asked, ready: Ready, voice: Voice) -> int:
    words = f"stopped before the first case; run `rackwatt sweep {asked.file}` again"
    voice.warn(words)
    voice.answer(status="stopped", out=str(ready.out), message=words)
    return INTERRUPTED


def _left(store: Store) -> Summary:
    """What there is of a sweep that was left at once."""
    version = store.current()
    if version is None:
        return Summary(0, 0, stopped=True)
    return Summary(version.number, store.total(version), store.counts(version), stopped=True)
