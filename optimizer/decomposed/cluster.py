"""Problems of sites solved by the workers of a Dask cluster, the same as a sweep's.

The case goes to every worker once. Tasks of a worker that is lost are done again by another.
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
from optimizer.sweep.running.cluster import connected, refuse_others

#: How often a task is tried again whose worker was lost.
RETRIES = 5


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
            self._blocks = self._client.scatter(blocks, broadcast=True, hash=False)
        except BaseException:
            self.close()
            raise

    def solve(
        self, tasks: Sequence[Task], options: Options, stop: threading.Event,
        tell: Callable[[], None],
    ) -> list[Outcome | None]:  # fmt: skip
        """Solve each task; none where a stop or the time limit came first.

        Raises
        ------
        SweepRefused
            Where the scheduler is gone.
        """
        ends = time.time() + options.time_limit
        futures = [
            self._client.submit(
                _solve_there, self._blocks, task, options, ends, pure=False, retries=RETRIES
            )
            for task in tasks
        ]
        while not (stop.is_set() or all(future.done() for future in futures)):
            if self._client.status in ("closed", "closing"):
                raise SweepRefused(f"the scheduler at {self._address} is gone")
            time.sleep(TICK)
            tell()
        found = [future.result() if future.done() else None for future in futures]
        self._client.cancel([future for future in futures if not future.done()])
        return found

    def close(self) -> None:
        """Let the cluster go."""
        self._stack.close()


def _solve_there(blocks: Blocks, task: Task, options: Options, ends: float) -> Any:
    """Solve a task in the time that is left when it is begun."""
    left = ends - time.time()
    if left <= 0:
        return None
    return light(task.solved(blocks, replace(options, time_limit=left), None))
