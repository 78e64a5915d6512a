"""Points computed by processes of this machine.

Every worker is a pool of one process, so that a death hits one worker and the point that it was
on, and no other. It is replaced; the point is tried again alone. Up to two chunks are with a
worker: one that it works on and one that waits, so that it never waits itself. Processes go on
from one task to the next where that differs in what is lent alone.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Generator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from typing import Any

from optimizer.sweep.point.home import clear_left_behind
from optimizer.sweep.points import Point
from optimizer.sweep.rows.records import Done
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.running import worker
from optimizer.sweep.running.backlog import Backlog
from optimizer.sweep.running.engine import TICK, Task, hard_seconds, overran
from optimizer.workers import starting_workers

#: How often in a row a worker may die while it gets ready, where it never was ready yet.
FALSE_STARTS = 5
#: The same where it was, as somebody kills it then, and how often it may die on no point at all.
VAIN_DEATHS = 15

_SPAWN = multiprocessing.get_context("spawn")


class Local:
    """Worker processes of this machine.

    Parameters
    ----------
    workers : int
        How many; each has one thread.
    hard : float, optional
        Seconds after which a point that still runs is ended with its worker; by default well
        above the time limit of the base.
    """

    def __init__(self, workers: int, *, hard: float | None = None) -> None:
        self.workers = max(1, workers)
        self._hard = hard
        self._kept: list[_Hand] = []

    def compute(self, task: Task) -> Generator[list[Done], None, None]:
        """Give rows as they come in; see :class:`optimizer.sweep.running.engine.Engine`."""
        hands = max(1, min(self.workers, task.total))
        hard = hard_seconds(task.base.options) if self._hard is None else self._hard
        backlog = Backlog(task.points, task.total, hands)
        events: _Events = SimpleQueue()
        for hand in self._kept:
            hand.go_on(task, backlog, events)
        more = range(hands - len(self._kept))
        self._kept = crew = [*self._kept, *(_Hand(task, backlog, hard, events) for _ in more)]
        is_done = False
        try:
            yield from _working(crew, backlog, task, events)
            is_done = not task.stop.is_set()
        finally:
            if not (is_done and task.goes_on):
                self.end()

    def end(self) -> None:
        """Part with workers that were kept."""
        for hand in self._kept:
            hand.kill()
        for hand in self._kept:
            hand.end()
        self._kept = []
        clear_left_behind()


def _working(
    crew: list[_Hand], backlog: Backlog, task: Task, events: _Events
) -> Generator[list[Done], None, None]:
    give_up = float("inf")
    while True:
        if not task.stop.is_set():
            for hand in crew:
                hand.feed()
        elif give_up == float("inf"):
            give_up = time.monotonic() + task.grace
            for hand in crew:
                hand.wind_up()
        waiting = len(backlog) and not task.stop.is_set()
        if time.monotonic() > give_up or not (waiting or any(hand.chunks for hand in crew)):
            return
        yield _heard(crew, events)


def _heard(crew: list[_Hand], events: _Events) -> list[Done]:
    """Take all that came back, or wait a moment for it."""
    done: list[Done] = []
    wait = TICK
    while True:
        try:
            hand, future = events.get(timeout=wait) if wait else events.get_nowait()
        except Empty:
            break
        done += hand.hear(future)
        wait = 0.0
    for hand in crew:
        hand.watch()
    return done


class _Spawn(SpawnContext):
    """Starts processes anew, and knows them even where they die at once."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[BaseProcess] = []

    def Process(self, *given: Any, **named: Any) -> BaseProcess:  # type: ignore[override]  # noqa: N802
        """Make a process, to be started by whoever asked for it."""
        self.made.append(SpawnProcess(*given, **named))
        return self.made[-1]


@dataclass(frozen=True)
class _Chunk:
    number: int
    points: list[Point]
    future: Future[Any]


class _Hand:
    """One worker: its process, the next one when that dies, and the chunks that are with it."""

    def __init__(self, task: Task, backlog: Backlog, hard: float, events: _Events) -> None:
        self.chunks: list[_Chunk] = []
        self._task, self._backlog, self._hard, self._events = task, backlog, hard, events
        self._pool: ProcessPoolExecutor | None = None
        self._process: BaseProcess | None = None
        self._getting_ready: Future[Any] | None = None
        self._is_ready = self._was_ready = self._goes_on = False
        self._overran: tuple[float, float] | None = None
        self._chunks_given = self._false_starts = self._vain_deaths = 0

    def go_on(self, task: Task, backlog: Backlog, events: _Events) -> None:
        """Take another task on, of which nothing differs but its points and what is lent."""
        self._task, self._backlog, self._events = task, backlog, events
        if self._pool is None:
            return
        self._is_ready, self._goes_on = False, True
        try:
            self._getting_ready = self._submit(worker.go_on, task.base.lent)
        except BrokenProcessPool:
            # It died at rest; another is started once there is something to do.
            self._give_up_process()

    # --- giving ----------------------------------------------------------------------------

    def feed(self) -> None:
        """Hand chunks over, to a new process where there is none."""
        while len(self._backlog) and len(self.chunks) < self._backlog.at_hand:
            if self._pool is None:
                self._start()
            points = self._backlog.take()
            self._chunks_given += 1
            try:
                future = self._submit(worker.compute, self._chunks_given, points)
            except BrokenProcessPool:
                # It died at rest, which nobody hears of by itself.
                self._backlog.give_back(points)
                if self._is_ready and not self.chunks:
                    self._lost()
                return
            self.chunks.append(_Chunk(self._chunks_given, points, future))

    def _start(self) -> None:
        self._is_ready, self._goes_on, self._overran = False, False, None
        self._note = _SPAWN.RawArray("d", 3)
        spawn = _Spawn()
        self._pool = ProcessPoolExecutor(
            1, spawn, initializer=worker.begin, initargs=(os.getpid(), self._note)
        )
        with starting_workers():
            try:
                self._getting_ready = self._submit(worker.ready, self._task.base, self._task.make)
            except OSError as error:
                raise SweepRefused(f"no worker can be started: {error.strerror}") from error
        self._process = spawn.made[-1] if spawn.made else None

    def _submit(self, call: Any, *given: Any) -> Future[Any]:
        assert self._pool is not None, "work is given once there is a process"
        future = self._pool.submit(call, *given)
        future.add_done_callback(lambda ended: self._events.put((self, ended)))
        return future

    # --- hearing ---------------------------------------------------------------------------

    def hear(self, future: Future[Any]) -> list[Done]:
        """Take what a future came to."""
        chunk = next((one for one in self.chunks if one.future is future), None)
        if chunk is None and future is not self._getting_ready:
            return []
        try:
            answer = future.result()
        except (BrokenProcessPool, CancelledError):
            return self._lost()
        except Exception as error:
            if chunk is not None:
                return self._failed(chunk, error)
            if not self._goes_on:
                raise
            self._give_up_process()
            return []
        if chunk is None:
            self._on_ready(answer)
            return []
        return self._answered(chunk, answer)

    def _on_ready(self, why_not: str) -> None:
        if why_not and self._goes_on:
            # A new one has the memory that this one has filled with what it knew.
            self._give_up_process()
            return
        if why_not:
            raise SweepRefused(f"a worker could not get ready: {why_not}")
        self._is_ready, self._was_ready, self._false_starts = True, True, 0

    def _answered(self, chunk: _Chunk, answer: worker.Answer) -> list[Done]:
        self.chunks.remove(chunk)
        self._vain_deaths = 0
        done = len(answer.rows)
        self._backlog.learn(done, answer.seconds)
        self._backlog.give_back(chunk.points[done:])
        if answer.spent:
            self._give_up_process()
        return self._backlog.done(chunk.points[:done], answer.rows, answer.worker)

    def _failed(self, chunk: _Chunk, error: Exception) -> list[Done]:
        """Rows could not travel: find the point that it is."""
        self.chunks.remove(chunk)
        if len(chunk.points) > 1:
            self._backlog.suspect_all(chunk.points)
            return []
        told = f"{type(error).__name__}: {error}"
        return [self._backlog.set_aside(chunk.points[0], "error", told)]

    def _lost(self) -> list[Done]:
        """Make up for a process that died."""
        if not self._is_ready:
            self._false_starts += 1
            if self._false_starts >= (VAIN_DEATHS if self._was_ready else FALSE_STARTS):
                raise SweepRefused("workers die while they get ready" + self._how())
        position = self._note[worker.CHUNK], self._note[worker.POSITION]
        point = self._point_at(*position)
        if point is None or self._overran not in (None, position):
            self._vain_deaths += 1
            if self._vain_deaths >= VAIN_DEATHS:
                raise SweepRefused("workers die again and again on no point" + self._how())
            self._give_up_process()
            return []
        self._give_up_process(but=point)
        if self._overran is not None:
            return [self._backlog.set_aside(point, "timeout", overran(self._hard))]
        blamed = self._backlog.blame(point)
        return [] if blamed is None else [blamed]

    def _point_at(self, chunk: float, position: float) -> Point | None:
        """Find the point that the note of a dead process tells of."""
        on = next((one for one in self.chunks if one.number == chunk), None)
        return None if on is None or position < 0 else on.points[int(position)]

    def _how(self) -> str:
        if self._process is None:
            return ""
        self._process.join(1.0)
        # The pool waits for it as well: who comes second hears of its end a moment later.
        until = time.monotonic() + 1.0
        while (code := self._process.exitcode) is None and time.monotonic() < until:
            time.sleep(0.01)
        if code is None or code >= 0:
            return ""
        return f" (killed by signal {-code}{', perhaps for memory' if code == -9 else ''})"

    def _give_up_process(self, but: Point | None = None) -> None:
        """Part with a process and take back what was with it."""
        for chunk in self.chunks:
            self._backlog.give_back(p for p in chunk.points if p is not but)
        self.chunks.clear()
        self.kill()
        self.end()

    # --- ending ----------------------------------------------------------------------------

    def watch(self) -> None:
        """End the process where its point runs beyond all limits."""
        if self._pool is None or not self.chunks or self._overran is not None:
            return
        chunk, position, since = self._note
        if since and time.monotonic() - since > self._hard:
            self._overran = chunk, position
            self.kill()

    def wind_up(self) -> None:
        """Wait for no chunk that is not begun."""
        begun = self._note[worker.CHUNK] if self._pool is not None else 0
        self.chunks = [chunk for chunk in self.chunks if chunk.number <= begun]

    def kill(self) -> None:
        """End the process at once; it holds nothing that is not computed again."""
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        """Clear away what is left of a process that was killed."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._getting_ready = None


_Events = SimpleQueue[tuple[_Hand, Future[Any]]]
