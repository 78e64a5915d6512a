"""``rackwatt sweep FILE``: every case solved, every row kept."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.build import Column
from optimizer.commands.stopping import Abandoned, stoppable
from optimizer.commands.sweeps.ending import INTERRUPTED, Ending, tell_ending
from optimizer.commands.sweeps.kept import default_store
from optimizer.commands.sweeps.opening import Count, Estimate, Opening
from optimizer.commands.voice import Voice
from optimizer.errors import InputRefused, UsageRefused
from optimizer.progress import progress_line
from optimizer.sweep import glance
from optimizer.sweep.base import base_of, read_base
from optimizer.sweep.designs import Expansion, expanded
from optimizer.sweep.engine import Engine
from optimizer.sweep.evaluate import Evaluator, make_evaluate
from optimizer.sweep.file import read_sweep
from optimizer.sweep.local import Local
from optimizer.sweep.points import Base
from optimizer.sweep.progress import sweep_line
from optimizer.sweep.records import Spec
from optimizer.sweep.refusal import SweepRefused
from optimizer.sweep.run import Summary, refuse_changed, run
from optimizer.sweep.software import software
from optimizer.sweep.spec import Sweep
from optimizer.sweep.store import Store

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
    """

    file: Path
    workers: int | None = None
    scheduler: str | None = None
    out: Path | None = None
    retry: tuple[str, ...] = ()
    new_version: bool = False
    dry_run: bool = False
    backwards: bool = False


@dataclass(frozen=True, eq=False)
class _Ready:
    """A sweep that was read and checked.

    Attributes
    ----------
    sweep, expansion : Sweep, Expansion
        The file, and its cases.
    base : Base
        What the cases share.
    versions : mapping of str to str
        What computes them.
    out : Path
        Where rows go.
    """

    asked: Asked
    sweep: Sweep
    expansion: Expansion
    base: Base
    versions: Mapping[str, str]
    out: Path

    @property
    def spec(self) -> Spec:
        """The sweep file as it is kept."""
        return Spec(self.sweep.name, self.sweep.file.read_text(encoding="utf-8-sig"))


def run_sweep(asked: Asked, voice: Voice) -> int:
    """Run the command and return its exit code."""
    ready = _made_ready(asked, voice)
    engine, workers = _engine(asked)
    opening = Opening(
        ready.sweep, ready.expansion, workers, ready.out, voice, is_answer=asked.dry_run
    )
    if asked.dry_run:
        return _dry_run(ready, opening)
    _refuse_other(ready)
    try:
        with stoppable(HEARD, ABANDONED) as stop, Store.open(ready.out) as store:
            summary = _run(ready, engine, store, opening, stop)
            if summary is None:
                return _nothing_begun(ready, voice)
            return tell_ending(Ending(store, summary, asked.file), voice)
    except Abandoned:
        with Store.read(ready.out) as store:
            return tell_ending(Ending(store, _left(store), asked.file), voice)


def _made_ready(asked: Asked, voice: Voice) -> _Ready:
    if asked.file.is_dir():
        raise UsageRefused(f"{asked.file} is a folder; a sweep is a file in TOML, which names one")
    sweep = read_sweep(asked.file)
    if sweep.pareto is not None:
        message = "fronts are not built yet; take the table out to run the axes alone"
        raise InputRefused([sweep.problem(("pareto",), message)])
    loaded, document = read_base(sweep.base)
    expansion = expanded(sweep, document)
    voice.problems((*loaded.warnings, *expansion.warnings))
    out = asked.out or default_store(sweep.name)
    return _Ready(asked, sweep, expansion, base_of(sweep, loaded), software(), out)


def _engine(asked: Asked) -> tuple[Engine, int]:
    """Give what computes, and how many hands it has just now."""
    if asked.scheduler is not None:
        from optimizer.sweep.cluster import Cluster

        cluster = Cluster(asked.scheduler)
        return cluster, cluster.count_workers()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    workers = asked.workers or cores or 1
    return Local(workers), workers


def _dry_run(ready: _Ready, opening: Opening) -> int:
    """Check, count and estimate; nothing is written."""
    _refuse_other(ready)
    count, each = Count(len(ready.expansion.points)), None
    if _is_there(ready.out):
        with Store.read(ready.out) as store:
            refuse_changed(store, ready.base, ready.versions,
                           new_version=ready.asked.new_version)  # fmt: skip
            count, each = _counted(store, ready)
    opening.tell(count)
    estimate = None
    if count.wanted:
        with stoppable(HEARD, ABANDONED) as stop:
            estimate = Estimate(each) if each else _start(ready, opening, stop)[1]
    opening.answer_dry_run(count, estimate)
    return 0


def _run(
    ready: _Ready, engine: Engine, store: Store, opening: Opening, stop: threading.Event
) -> Summary | None:
    """Count, estimate, and solve what is missing; None where that was stopped before it began."""
    asked, base = ready.asked, ready.base
    refuse_changed(store, base, ready.versions, new_version=asked.new_version)
    count, each = _counted(store, ready)
    opening.tell(count)
    if store.find(base.version(ready.versions)) is None:
        start, estimate = _start(ready, opening, stop)
        base = replace(base, start=start)
    else:
        estimate = Estimate(each)
    if stop.is_set():
        return None
    opening.tell_estimate(count, estimate)
    with sweep_line(opening.voice.talk, quiet=opening.voice.quiet) as line:
        return run(
            ready.expansion.points, base, store, engine, make_evaluate, spec=ready.spec,
            versions=ready.versions, retry=asked.retry, new_version=asked.new_version,
            backwards=asked.backwards, progress=line, stop=stop,
        )  # fmt: skip


def _refuse_other(ready: _Ready) -> None:
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


def _counted(store: Store, ready: _Ready) -> tuple[Count, float | None]:
    """Count the cases that have a row already, and say how long one took."""
    points = ready.expansion.points
    version = store.find(ready.base.version(ready.versions))
    if version is None:
        return Count(len(points)), None
    statuses = glance.answered(store, version)
    found = [statuses.get(point.identity(version.digest)) for point in points]
    again = sum(status in ready.asked.retry for status in found if status is not None)
    done = sum(status is not None for status in found)
    return Count(len(points), done, again), glance.seconds_each(store, version)


def _start(
    ready: _Ready, opening: Opening, stop: threading.Event
) -> tuple[Mapping[Column, float] | None, Estimate]:
    """Solve the base itself: cases begin from its plan, and its time says how long they take."""
    began = time.monotonic()
    evaluator = Evaluator(ready.base)
    read = time.monotonic()
    voice = opening.voice
    with progress_line(voice.talk, quiet=voice.quiet) as progress:
        start = evaluator.start(stop, progress)
    ended = time.monotonic()
    return start, Estimate(ended - read, read - began, start is not None)


def _nothing_begun(ready: _Ready, voice: Voice) -> int:
    words = f"stopped before the first case; run `rackwatt sweep {ready.asked.file}` again"
    voice.warn(words)
    voice.answer(status="stopped", out=str(ready.out), message=words)
    return INTERRUPTED


def _left(store: Store) -> Summary:
    """What there is of a sweep that was left at once."""
    version = store.current()
    if version is None:
        return Summary(0, 0, stopped=True)
    return Summary(version.number, store.total(version), store.counts(version), stopped=True)
