"""What the coordinator asks of whatever computes points, here or on a cluster."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Protocol

from optimizer.highs import Options
from optimizer.sweep.points import Base, MakeEvaluate, Point
from optimizer.sweep.rows.records import Done

#: Seconds between two looks at the clock, at Ctrl-C and at workers that give no sign.
TICK = 0.1


class Stop(Protocol):
    """A wish to end, as a :class:`threading.Event`."""

    def is_set(self) -> bool:
        """Whether it was uttered."""


@dataclass(frozen=True)
class Task:
    """All that an engine is given.

    Attributes
    ----------
    points : iterable of Point
        What is to be computed, read as it is wanted.
    total : int
        How many points that is.
    base : Base
        What is shipped to every worker once.
    make : MakeEvaluate
        How a worker gets ready; importable by name.
    stop : Stop
        Once it is set nothing new is begun.
    grace : float
        Seconds that what has begun may still take then.
    goes_on : bool
        Whether a task may follow whose base differs in what is lent alone.
    """

    points: Iterable[Point]
    total: int
    base: Base
    make: MakeEvaluate
    stop: Stop
    grace: float = 10.0
    goes_on: bool = False


class Engine(Protocol):
    """Something that computes points."""

    def compute(self, task: Task) -> Generator[list[Done], None, None]:
        """Give rows as they come in, and an empty list a few times a second where none do.

        Closing the iterator ends everything that was begun. Every point comes exactly once,
        unless the task is stopped. Workers may be kept for a task that follows.
        """

    def end(self) -> None:
        """Part with workers that were kept."""


def hard_seconds(options: Options) -> float:
    """Seconds after which a point has certainly run wild.

    The time limit holds for solves; reading, checking and the audit come on top.

    Examples
    --------
    >>> hard_seconds(Options(time_limit=60.0)), hard_seconds(Options())
    (180.0, inf)
    """
    return 2.0 * options.time_limit + 60.0 if math.isfinite(options.time_limit) else math.inf


def overran(seconds: float) -> str:
    """Say that a point met its hard limit."""
    return f"it still ran after {seconds:g} s, well over its time limit, and was given up"
