"""Problems of sites solved by the workers of a Dask cluster, the same as a sweep's.

The case goes to every worker once, and again where all that had it are lost. Tasks of a worker
that is lost are done again by another.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from optimizer.decomposed.blocks import Blocks
from optimizer.decomposed.workshop import TICK, Task, light
from optimizer.highs import Options, Outcome
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.rows.software import software
from optimizer.sweep.running.cluster import connected, kills_workers, refuse_others

#: How often a task is tried again that failed. Workers that are lost beneath a task are counted by
#: Dask's own ``allowed-failures``.
RETRIES = 5
#: Seconds after the end of its time in which a task may still come back.
LATE = 10.0


class Cluster:
    """Workers of a Dask scheduler.

    Parameters
    ----------
    blocks : Blocks
        The case.
    address : str
        ``tcp://host:8786``, or the path of a scheduler file.

    Raises
    ------
    SweepRefused
        Where no scheduler answers, or a worker is of another make.
    """

    def __init__(self, blocks: Blocks, address: str) -> None:
        self._stack = ExitStack()
        self._client = self._stack.enter_context(connected(address))
        self._address = address
        try:
            refuse_others(self._client, software())
            self._case = blocks
            self._ship()
        except BaseException:
            self.close()
            raise

    def solve(
        self, tasks: Sequence[Task], options: Options, stop: threading.Event,
        tell: Callable[[], None],
    ) -> list[Outcome | None]:  # fmt: skip
        """Solve each task; none where a stop or the time limit came first, or workers die of it.

        Raises
        ------
        SweepRefused
            Where the scheduler is gone.
        """
        ends = time.time() + options.time_limit
        futures = [self._submit(task, options, ends) for task in tasks]
        while not (stop.is_set() or time.time() > ends + LATE or all(map(_is_settled, futures))):
            if self._client.status in ("closed", "closing"):
                raise SweepRefused(f"the scheduler at {self._address} is gone")
            time.sleep(TICK)
            tell()
            lost = [j for j, future in enumerate(futures) if future.cancelled()]
            if lost and self._ship():
                for j in lost:
                    futures[j] = self._submit(tasks[j], options, ends)
        found = [_result(future) for future in futures]
        self._client.cancel([future for future in futures if not future.done()])
        return found

    def _ship(self) -> bool:
        """Send the case to every worker; tell whether there is any."""
        try:
            self._blocks = self._client.scatter(self._case, broadcast=True, hash=False)
        except TimeoutError:
            return False
        return True

    def _submit(self, task: Task, options: Options, ends: float) -> Any:
        return self._client.submit(
            _solve_there, self._blocks, task, options, ends, pure=False, retries=RETRIES
        )

    def close(self) -> None:
        """Let the cluster go."""
        self._stack.close()


def _is_settled(future: Any) -> bool:
    """Whether a task has ended, and not because the case was lost with a worker."""
    return bool(future.done()) and not future.cancelled()


def _result(future: Any) -> Outcome | None:
    """What came of a task; none where it is not done, or workers die of it again and again."""
    if not _is_settled(future) or kills_workers(future):
        return None
    outcome: Outcome | None = future.result()
    return outcome


def _solve_there(blocks: Blocks, task: Task, options: Options, ends: float) -> Any:
    """Solve a task in the time that is left when it is begun."""
    left = ends - time.time()
    if left <= 0:
        return None
    return light(task.solved(blocks, replace(options, time_limit=left), None))
