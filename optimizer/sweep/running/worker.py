"""What runs in a worker process of this machine: it gets ready and computes chunks.

A worker never outlives its coordinator, never hears Ctrl-C and never opens the store.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from optimizer import workers
from optimizer.sweep.points import (
    Base,
    Borrows,
    Evaluate,
    Lent,
    MakeEvaluate,
    Point,
    Row,
    rows_of,
)

#: Places in a worker's note to its coordinator: chunk, point within it, and since when.
CHUNK, POSITION, SINCE = range(3)
#: Least that a worker may still take once it is ready, in MB.
LEAST_ROOM_MB = 64


@dataclass(frozen=True)
class Answer:
    """Rows of the first points of a chunk, and why there is none for the rest."""

    rows: list[Row]
    worker: str
    seconds: float
    spent: str = ""


class Hand:
    """An evaluator, and what it takes to make a new one after a mishap."""

    def __init__(self, base: Base, make: MakeEvaluate) -> None:
        self._base, self._make = base, make
        self._evaluate: Evaluate | None = None

    def ready(self) -> str:
        """Make the evaluator, or say why that fails."""
        try:
            if self._evaluate is None:
                self._evaluate = self._make(self._base)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def go_on(self, lent: tuple[Lent, ...]) -> None:
        """Have the evaluator begin from what is lent now; one that cannot is made anew."""
        known, self._base = self._evaluate, replace(self._base, lent=lent)
        self._evaluate = None
        if isinstance(known, Borrows):
            # What breaks it here may have left a mess behind as well.
            with suppress(Exception):
                known.borrow(lent)
                self._evaluate = known

    def row(self, point: Point) -> Row | None:
        """Compute one point; none where there is no evaluator to be had any more.

        What broke a point may have left a mess behind: the evaluator is made anew after it.
        """
        if self.ready() or self._evaluate is None:
            return None
        [row] = rows_of(self._evaluate, [point])
        if row.status == "error":
            self._evaluate = None
        return row


_note: Any = None
_hand: Hand | None = None


def begin(coordinator: int, note: Any) -> None:
    """Settle in, before anything else happens in the process."""
    global _note
    workers.begin(coordinator)
    _note = note


def ready(base: Base, make: MakeEvaluate) -> str:
    """Make the evaluator; what comes back is why that failed, or nothing."""
    global _hand
    _hand = Hand(base, make)
    why = _hand.ready()
    if not why and base.memory_mb is not None:
        _limit_memory(base.memory_mb)
    return why


def go_on(lent: tuple[Lent, ...]) -> str:
    """Go on with points that begin from what is lent; say why that failed."""
    assert _hand is not None, "a worker goes on once it was ready"
    _hand.go_on(lent)
    return _hand.ready()


def compute(chunk: int, points: Sequence[Point]) -> Answer:
    """Compute a chunk, noting at every moment which point is on."""
    began, rows = time.monotonic(), list[Row]()
    assert _hand is not None, "a worker computes once it is ready"
    for position, point in enumerate(points):
        _write_note(chunk, position)
        row = _hand.row(point)
        if row is None:
            break
        rows.append(row)
    _note[SINCE], _note[POSITION] = 0.0, -1.0
    spent = _hand.ready() if len(rows) < len(points) else ""
    return Answer(rows, worker_name(), time.monotonic() - began, spent)


def _write_note(chunk: int, position: int) -> None:
    # The time goes first and comes last, so that no point is charged with that of another.
    _note[SINCE] = 0.0
    _note[CHUNK], _note[POSITION] = chunk, position
    _note[SINCE] = time.monotonic()


def worker_name() -> str:
    """Tell this process from all others."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _limit_memory(megabytes: int) -> None:
    """Have allocations beyond a limit fail; what is mapped without being used does not count."""
    if sys.platform != "linux":
        return
    import resource

    with open("/proc/self/statm", encoding="ascii") as told:
        mapped, used = (int(pages) * resource.getpagesize() for pages in told.read().split()[:2])
    room = max(megabytes * 2**20 - used, LEAST_ROOM_MB * 2**20)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = mapped + room if most == resource.RLIM_INFINITY else min(mapped + room, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))
