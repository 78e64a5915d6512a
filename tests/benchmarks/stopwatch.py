"""Seconds of processor, which a busy machine does not stretch as it does the clock."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

#: Work in steps: each takes what the one before returned, the first takes None.
Steps = Mapping[str, Callable[[Any], Any]]


def alone(steps: Steps, times: int) -> dict[str, float]:
    """Do work so many times, each time in a process of its own.

    That is how a command does it: once, in memory that nothing has touched yet. Run over and
    over in one process, work may find its memory at hand, which flatters whoever needs much of
    it for little else.

    Returns
    -------
    dict
        Processor seconds of each step, from the cheapest run: other programs only ever add.
    """
    runs = [_forked(steps) for _ in range(times)]
    return min(runs, key=lambda laps: sum(laps.values()))


def _forked(steps: Steps) -> dict[str, float]:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_told, args=(steps, sender))
    process.start()
    sender.close()
    laps: dict[str, float] = receiver.recv()
    process.join()
    return laps


def _told(steps: Steps, sender: Connection) -> None:
    sender.send(laps_of(steps))


def laps_of(steps: Steps) -> dict[str, float]:
    """Do work once, and return the processor seconds of each step."""
    laps: dict[str, float] = {}
    # Every result is kept, so that no step pays for clearing away the one before.
    results: list[Any] = [None]
    for name, step in steps.items():
        began = time.process_time()
        results.append(step(results[-1]))
        laps[name] = time.process_time() - began
    return laps
