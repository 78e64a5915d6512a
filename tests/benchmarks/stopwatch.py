"""Seconds of processor, which a busy machine does not stretch as it does the clock."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def cheapest(work: Callable[[], T], times: int) -> tuple[float, T]:
    """Do the same work so many times.

    Parameters
    ----------
    work : callable
        What to measure; it must do all of it each time.
    times : int
        How often.

    Returns
    -------
    tuple of float and object
        Processor seconds of the cheapest run, since other programs can only add to it, and what
        the last run returned.
    """
    seconds = []
    for _ in range(times):
        gc.collect()
        began = time.process_time()
        result = work()
        seconds.append(time.process_time() - began)
    return min(seconds), result
