"""Switching prices of one instance, several at a time, in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import NamedTuple

from models.build import Column
from optimizer.answers.verdict.prices import BY_NAME
from optimizer.answers.verdict.switching import WIDTH, Searcher, Side, Switch
from optimizer.highs import Budget
from optimizer.sweep.points import Base
from optimizer.workers import begin, starting_workers

#: Seconds between two looks at whether to stop.
TICK = 0.2
SIDES: tuple[Side, ...] = ("below", "above")


class Job(NamedTuple):
    """One side of one price."""

    price: str
    side: Side


@dataclass(frozen=True, eq=False)
class Asked:
    """What is looked for.

    Attributes
    ----------
    base : Base
        The instance.
    hint : mapping
        Whole numbers of its best plan.
    prices : sequence of str
        Names of the prices.
    width : float
        Width of a bracket that is asked for, as a share of the figure.
    """

    base: Base
    hint: Mapping[Column, float]
    prices: Sequence[str]
    width: float = WIDTH

    @property
    def jobs(self) -> list[Job]:
        """Both sides of every price."""
        return [Job(price, side) for price in self.prices for side in SIDES]


@dataclass(frozen=True)
class Looked:
    """What came of the search.

    Attributes
    ----------
    switches : tuple of Switch
        In the order of the prices.
    idle : tuple of Job
        Sides on which the instance has nothing to move.
    missed : tuple of Job
        Sides that were not reached.
    """

    switches: tuple[Switch, ...] = ()
    idle: tuple[Job, ...] = ()
    missed: tuple[Job, ...] = ()


def switches_of(
    asked: Asked,
    *,
    workers: int,
    budget: Budget,
    stop: threading.Event,
    say: Callable[[Switch], None] = lambda _: None,
) -> Looked:
    """Look for all switching prices, each with its share of the time that is left.

    Parameters
    ----------
    asked : Asked
        What is looked for.
    workers : int
        Processes; with one, all is done in this process.
    budget : Budget
        Pays for it.
    stop : threading.Event
        Setting it ends the search; what was found by then is given back.
    say : callable
        Hears what was found, as it comes.

    Returns
    -------
    Looked
        What was found, where there was nothing to move, and what was not reached.
    """
    found: dict[Job, Switch | None] = {}

    def take(job: Job, switch: Switch | None) -> None:
        found[job] = switch
        if switch is not None:
            say(switch)

    if workers == 1 or len(asked.jobs) == 1:
        _in_turn(asked, budget, stop, take)
    else:
        _at_once(asked, min(workers, len(asked.jobs)), budget, stop, take)
    switches = tuple(switch for job in asked.jobs if (switch := found.get(job)) is not None)
    idle = tuple(job for job in asked.jobs if job in found and found[job] is None)
    return Looked(switches, idle, tuple(job for job in asked.jobs if job not in found))


Take = Callable[[Job, Switch | None], None]


def _in_turn(asked: Asked, budget: Budget, stop: threading.Event, take: Take) -> None:
    searcher, jobs = Searcher(asked.base, dict(asked.hint)), asked.jobs
    for done, job in enumerate(jobs):
        if stop.is_set():
            return
        share = budget.part(budget.left / (len(jobs) - done))
        take(job, searcher.switch(BY_NAME[job.price], job.side, budget=share, stop=stop,
                                  width=asked.width))  # fmt: skip


def _at_once(
    asked: Asked, workers: int, budget: Budget, stop: threading.Event, take: Take
) -> None:
    context = multiprocessing.get_context("spawn")
    with starting_workers():
        pool = ProcessPoolExecutor(workers, context, initializer=_ready,
                                   initargs=(os.getpid(), asked))  # fmt: skip
        wait([pool.submit(os.getpid) for _ in range(workers)])
    try:
        _handed_out(asked.jobs, workers, pool, budget, stop, take)
    finally:
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


def _handed_out(
    jobs: Iterable[Job], workers: int, pool: ProcessPoolExecutor, budget: Budget,
    stop: threading.Event, take: Take,
) -> None:  # fmt: skip
    """Give each worker one job at a time, with its share of the time that is then left."""
    waiting, under_way = list(jobs), dict[Future[Switch | None], Job]()
    while (waiting or under_way) and not stop.is_set():
        while waiting and len(under_way) < workers:
            rounds = -(-(len(waiting) + len(under_way)) // workers)
            job = waiting.pop(0)
            ends = time.monotonic() + budget.left / rounds
            under_way[pool.submit(_search_there, job, ends)] = job
        done, _ = wait(under_way, timeout=TICK, return_when=FIRST_COMPLETED)
        for future in done:
            take(under_way.pop(future), future.result())


# --- in a process -----------------------------------------------------------------------------

_searcher: Searcher | None = None
_width = WIDTH


def _ready(coordinator: int, asked: Asked) -> None:
    global _searcher, _width
    begin(coordinator)
    _searcher, _width = Searcher(asked.base, dict(asked.hint)), asked.width


def _search_there(job: Job, ends: float) -> Switch | None:
    assert _searcher is not None, "a process is given jobs once it has the instance"
    budget = Budget(max(0.0, ends - time.monotonic()))
    return _searcher.switch(BY_NAME[job.price], job.side, budget=budget, width=_width)
