"""Halls first, racks after: how a case is searched.

What makes a case hard are its few large decisions: which halls convert when, what is built and
signed. Racks are many, small and alike. So the large decisions are searched first with racks
left divisible, which is a relaxation, and its bound holds for whole racks too. Then the large
decisions are held and the racks made whole, which takes moments. Where plan and bound then meet,
the plan is best and proven so. Where they do not, the few kinds of racks that the relaxation
left divided count as large decisions too, and the search begins again from the plan it has.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.highs import Options, Outcome, Progress, relative_gap, run
from optimizer.matrix import Flags, Floats, Matrix, largest_violation, objective_at

#: Decisions whose whole numbers are searched first.
LARGE = frozenset(
    {
        "conversions", "builds", "plant_orders", "held", "served", "signing", "hosts", "mines",
        "entered",
    }
)  # fmt: skip
#: Part of the gap and of the time that the search over large decisions may use up.
GAP_FOR_LARGE = 0.2
TIME_FOR_LARGE = 0.7
#: How often racks found divided may join the large decisions before all of them do.
ROUNDS = 6
#: Distance from a whole number at which a value counts as divided.
DIVIDED = 1e-6
#: Most seconds in which racks are made whole, also after a stop.
SECONDS_TO_ROUND = 20.0


@dataclass(eq=False)
class Watch:
    """Who looks on while several runs look for one plan."""

    options: Options
    progress: Callable[[Progress], None] | None
    stop: threading.Event

    def __post_init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since the search began."""
        return time.perf_counter() - self._began

    @property
    def left(self) -> float:
        """Seconds left of the time limit."""
        return max(0.0, self.options.time_limit - self.seconds)

    def run(self, matrix: Matrix, start: Floats | None, *, gap: float, seconds: float) -> Outcome:
        """Run once, told on as a part of the whole."""
        options = replace(self.options, gap=gap, time_limit=seconds)
        told = None if self.progress is None else self._told
        return run(matrix, options, start=start, progress=told, stop=self.stop)

    def _told(self, progress: Progress) -> None:
        assert self.progress is not None
        self.progress(replace(progress, seconds=self.seconds))


def search(
    matrix: Matrix,
    large: Flags,
    options: Options,
    *,
    kinds: NDArray[np.int64] | None = None,
    start: Floats | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Find the point that maximises a matrix, its large decisions first.

    Parameters
    ----------
    matrix : Matrix
        What to solve.
    large : bool array, shape (columns,)
        Which columns are large decisions.
    options : Options
        Gap, limits and seed for the search as a whole.
    kinds : int array, shape (columns,), optional
        Columns with the same number are the same decision at different dates.
    start : float array, optional
        A point to begin from.
    progress, stop
        As in :func:`optimizer.highs.run`.
    """
    watch = Watch(options, progress, stop or threading.Event())
    kinds = np.arange(matrix.shape[1]) if kinds is None else kinds
    whole = matrix.integer & large
    best, bound = start, None
    for attempt in range(ROUNDS + 1):
        if attempt == ROUNDS:
            whole = matrix.integer
        everything = np.array_equal(whole, matrix.integer)
        gap, seconds = _share(everything, options, watch)
        outcome = watch.run(replace(matrix, integer=whole), best, gap=gap, seconds=seconds)
        if outcome.status in ("infeasible", "unbounded"):
            # A claim that a plan at hand, or a bound proved before, refutes is not believed.
            refuted = best is not None if outcome.status == "infeasible" else bound is not None
            return _joined(matrix, options, outcome, [best], bound) if refuted else outcome
        bound = _lower(bound, outcome.bound)
        points = [best, outcome.x if everything else None]
        if outcome.x is not None and not everything:
            points.append(_racks_whole(matrix, large, outcome.x, watch))
        found = _joined(matrix, options, outcome, points, bound)
        if everything or found.status == "optimal" or outcome.ended != "by-itself":
            break
        best = found.x
        whole = _with_divided(matrix, whole, kinds, outcome.x)
    return found


def _share(everything: bool, options: Options, watch: Watch) -> tuple[float, float]:
    """Gap and seconds of one run: racks that are still to be made whole need some of both."""
    if everything:
        return options.gap, watch.left
    return GAP_FOR_LARGE * options.gap, TIME_FOR_LARGE * watch.left


def _lower(one: float | None, other: float | None) -> float | None:
    known = [bound for bound in (one, other) if bound is not None]
    return min(known, default=None)


def _with_divided(
    matrix: Matrix, whole: Flags, kinds: NDArray[np.int64], x: Floats | None
) -> Flags:
    """Count what a relaxation left divided among the whole numbers, at every date."""
    if x is None:
        return matrix.integer
    divided = matrix.integer & ~whole & (np.abs(x - np.rint(x)) > DIVIDED)
    if not divided.any():
        return matrix.integer
    return whole | (matrix.integer & np.isin(kinds, kinds[divided]))


def _racks_whole(matrix: Matrix, large: Flags, x: Floats, watch: Watch) -> Floats | None:
    """Hold the large decisions of a point and find the best whole numbers for the rest."""
    held = matrix.integer & large
    rounded = replace(
        matrix,
        column_lower=np.where(held, np.rint(x), matrix.column_lower),
        column_upper=np.where(held, np.rint(x), matrix.column_upper),
    )
    gap = GAP_FOR_LARGE * watch.options.gap
    return run(rounded, replace(watch.options, gap=gap, time_limit=SECONDS_TO_ROUND)).x


def _joined(
    matrix: Matrix,
    options: Options,
    last: Outcome,
    points: list[Floats | None],
    bound: float | None,
) -> Outcome:
    """Put the best of several points under a bound that holds for all of them."""
    known = [(objective_at(matrix, x), x) for x in points if x is not None]
    if not known:
        return replace(last, x=None, objective=None, bound=bound, status="none")
    objective, x = max(known, key=lambda pair: pair[0])
    gap = relative_gap(objective, bound)
    close = gap <= options.gap or (
        bound is not None and abs(bound - objective) <= options.absolute_gap
    )
    return replace(
        last,
        status="optimal" if close else "feasible",
        x=x,
        objective=objective,
        bound=bound,
        gap=gap,
        violation=largest_violation(matrix, x),
    )
