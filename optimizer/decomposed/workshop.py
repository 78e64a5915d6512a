"""Where problems of sites are solved: here, or in processes of this machine.

What comes back hangs on the problem alone, not on who solves it or when: searches of sites are
limited by nodes, and by the clock only where the user set a limit.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Protocol

from scipy.sparse import csr_array

from optimizer.decomposed.blocks import Blocks
from optimizer.decomposed.mixed import Among
from optimizer.highs import Budget, Options, Outcome
from optimizer.matrix import Floats
from optimizer.search import search
from optimizer.workers import begin, starting_workers

#: Seconds between two looks at a stop.
TICK = 0.1
#: How often a worker that died is replaced in one batch.
REPLACED = 5


@dataclass(frozen=True, eq=False)
class Priced:
    """A site's problem at prices of what is shared, from a plan of it."""

    site: int
    prices: Floats
    start: Floats | None = None

    def solved(self, blocks: Blocks, options: Options, stop: threading.Event | None) -> Outcome:
        """Search for the site's best plan."""
        block = blocks.sites[self.site]
        return search(
            block.at(self.prices), block.large, options,
            kinds=block.kinds, start=self.start, stop=stop,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Around:
    """The problem of some sites beside what all others do at a point.

    Where ``prices`` are given, what is shared costs these: it is left to whoever can do most
    with it.
    """

    sites: tuple[int, ...]
    point: Floats
    prices: Floats | None = None

    def solved(self, blocks: Blocks, options: Options, stop: threading.Event | None) -> Outcome:
        """Search for the best plan of the whole; its point is one of the whole."""
        matrix, columns = blocks.around(self.sites, self.point)
        if self.prices is not None:
            first = matrix.shape[0] - len(blocks.coupling)
            coupling = csr_array(matrix.coefficients)[first:]
            matrix = replace(matrix, cost=matrix.cost - coupling.T @ self.prices)
        outcome = search(
            matrix, blocks.large[columns], options,
            kinds=blocks.kinds[columns], start=self.point[columns], stop=stop,
        )  # fmt: skip
        if outcome.x is None:
            return outcome
        point = self.point.copy()
        point[columns] = outcome.x
        return replace(outcome, x=point)


Task = Priced | Around | Among


def light(outcome: Outcome) -> Outcome:
    """Leave out what need not travel."""
    return replace(outcome, matrix=None, limits=None)


class Workshop(Protocol):
    """Something that solves problems of sites."""

    def solve(
        self, tasks: Sequence[Task], options: Options, stop: threading.Event,
        tell: Callable[[], None],
    ) -> list[Outcome | None]:  # fmt: skip
        """Solve each task; none where a stop or the time limit came first.

        ``tell`` is called now and then meanwhile.
        """

    def close(self) -> None:
        """Let go of whoever works here."""


class Here:
    """One task after another, in the process that asks.

    Parameters
    ----------
    blocks : Blocks
        The case.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks

    def solve(
        self, tasks: Sequence[Task], options: Options, stop: threading.Event,
        tell: Callable[[], None],
    ) -> list[Outcome | None]:  # fmt: skip
        """Solve each task; none where a stop or the time limit came first."""
        budget, found = Budget(options.time_limit, options.grace), list[Outcome | None]()
        for task in tasks:
            if stop.is_set() or not budget.to_search:
                found.append(None)
                continue
            left = replace(options, time_limit=budget.to_search)
            found.append(light(task.solved(self._blocks, left, stop)))
            tell()
        return found

    def close(self) -> None:
        """Nobody works here."""


class Processes:
    """Processes of this machine, each with the case.

    Parameters
    ----------
    blocks : Blocks
        The case.
    workers : int
        How many; each has one thread.
    """

    def __init__(self, blocks: Blocks, workers: int) -> None:
        self._blocks, self._workers = blocks, workers
        self._pool: ProcessPoolExecutor | None = None

    def solve(
        self, tasks: Sequence[Task], options: Options, stop: threading.Event,
        tell: Callable[[], None],
    ) -> list[Outcome | None]:  # fmt: skip
        """Solve each task; none where a stop or the time limit came first.

        Raises
        ------
        RuntimeError
            Where workers die again and again.
        """
        found: dict[int, Outcome | None] = {}
        for _ in range(REPLACED):
            missing = [j for j in range(len(tasks)) if j not in found]
            try:
                self._solve(missing, tasks, options, (stop, tell), found)
            except BrokenProcessPool:
                self.close()
                continue
            return [found[j] for j in range(len(tasks))]
        raise RuntimeError("processes that solve problems of sites die again and again")

    def _solve(
        self, missing: Sequence[int], tasks: Sequence[Task], options: Options,
        watched: tuple[threading.Event, Callable[[], None]], found: dict[int, Outcome | None],
    ) -> None:  # fmt: skip
        stop, tell = watched
        ends = time.monotonic() + options.time_limit
        futures = {self._start().submit(_solve_there, tasks[j], options, ends): j for j in missing}
        waiting: set[Future[Outcome | None]] = set(futures)
        while waiting and not stop.is_set():
            done, waiting = wait(waiting, timeout=TICK)
            tell()
            for future in done:
                found[futures[future]] = future.result()
        if waiting:
            self.close()
            found.update(dict.fromkeys((futures[future] for future in waiting), None))

    def _start(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            with starting_workers():
                self._pool = ProcessPoolExecutor(
                    self._workers, context, initializer=_ready,
                    initargs=(os.getpid(), self._blocks),
                )  # fmt: skip
                # Processes start with the first task: they do so here, in these settings.
                wait([self._pool.submit(os.getpid) for _ in range(self._workers)])
        return self._pool

    def close(self) -> None:
        """End the processes, whatever they are at."""
        if self._pool is None:
            return
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = None


# --- in a process -----------------------------------------------------------------------------

_blocks: Blocks | None = None


def _ready(coordinator: int, blocks: Blocks) -> None:
    global _blocks
    begin(coordinator)
    _blocks = blocks


def _solve_there(task: Task, options: Options, ends: float) -> Outcome | None:
    """Solve a task in the time that is left when it is begun."""
    left = ends - time.monotonic()
    if left <= 0:
        return None
    assert _blocks is not None, "a process is given tasks once it has the case"
    return light(task.solved(_blocks, replace(options, time_limit=left), None))
