"""Halls first, racks after: how a case is searched.

What makes a case hard are its few large decisions: which halls convert when, what is built and
signed. Racks are many, small and alike. So the large decisions are searched first with racks
left divisible, which is a relaxation, and its bound holds for whole racks too. Then the large
decisions are held and the racks made whole, which takes moments. Where plan and bound then meet,
the plan is best and proven so. Where they do not, the few kinds of racks that the relaxation
left divided count as large decisions too, and the search begins again from the plan it has. Where
the large decisions take all the time, or all the nodes, that are theirs, the rest goes to one
search over everything, from the plan at hand.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.decomposed.blocks import Blocks, made_whole
from optimizer.highs import Budget, Options, Outcome, Progress, relative_gap, unsearched
from optimizer.matrix import Flags, Floats, Matrix, objective_at
from optimizer.tighten import Limits

#: Decisions whose whole numbers are searched first.
LARGE = frozenset(
    {
        "conversions", "builds", "plant_orders", "held", "served", "promised", "began", "pool",
        "signing", "hosts", "mines", "entered", "lasting", "released",
        "runs_on", "units_lasting", "units_released",
    }
)  # fmt: skip
#: Part of the gap and of the time that the search over large decisions may use up.
GAP_FOR_LARGE = 0.2
TIME_FOR_LARGE = 0.7
#: Columns from which the relaxation is solved from within: simplex takes ever longer for them.
FROM_WITHIN = 15_000
#: Whole numbers from which racks are made whole site by site.
MANY_RACKS = 5_000
#: How often racks found divided may join the large decisions before all of them do: once where
#: whole numbers are few. With six rounds throughout, hive takes 9.9 CPU seconds to a gap of 0.1 %
#: and hut8 1.4; with one, 3.9 and 0.6 (HiGHS 1.16.0).
ROUNDS, ROUNDS_OF_FEW, FEW = 6, 1, 5_000
#: Distance from a whole number at which a value counts as divided.
DIVIDED = 1e-6
#: Most nodes in which racks are made whole: the shipped instances take up to 95, and up to 109
#: with other seeds and gaps (HiGHS 1.16.0).
NODES_TO_ROUND = 1000
#: Most seconds for the same after a stop, and under a time limit, of which it may take a part
#: instead where that is more. Nothing else is timed.
SECONDS_TO_ROUND, TIME_TO_ROUND = 20.0, 0.25


def seconds_to_round(budget: Budget, parts: int = 1) -> float:
    """Say how long racks may be made whole, where that is done in so many parts.

    Without a time limit it is as long as nodes last.
    """
    if not budget.limited:
        return np.inf
    return max(SECONDS_TO_ROUND, TIME_TO_ROUND * budget.to_search / parts)


@dataclass(eq=False)
class Watch:
    """Who looks on while several runs look for one plan."""

    options: Options
    budget: Budget
    progress: Callable[[Progress], None] | None
    stop: threading.Event

    def run(self, matrix: Matrix, start: Floats | None, *, gap: float, seconds: float) -> Outcome:
        """Run once, told on as a part of the whole."""
        interior = self.options.interior or matrix.shape[1] >= FROM_WITHIN
        options = replace(self.options, gap=gap, time_limit=seconds, interior=interior)
        told = None if self.progress is None else self._told
        return self.budget.run(matrix, options, start=start, progress=told, stop=self.stop)

    def run_on(
        self,
        matrix: Matrix,
        *,
        gap: float,
        seconds: float,
        limits: Limits | None = None,
        parts: int = 1,
    ) -> Outcome:
        """Run once to make racks whole, of all or of one part; a stop does not end it at once."""
        timed = min(seconds_to_round(self.budget, parts), seconds)
        nodes = min(NODES_TO_ROUND, self.options.nodes or NODES_TO_ROUND)
        options = replace(self.options, gap=gap, time_limit=timed, nodes=nodes)
        halt, since = threading.Event(), list[float]()

        def look(_: Progress) -> None:
            if self.stop.is_set():
                since.append(self.budget.seconds)
                if since[-1] - since[0] > SECONDS_TO_ROUND:
                    halt.set()

        return self.budget.run(matrix, options, progress=look, stop=halt, limits=limits)

    def _told(self, progress: Progress) -> None:
        assert self.progress is not None
        self.progress(replace(progress, seconds=self.budget.seconds))


def search(
    matrix: Matrix,
    large: Flags,
    options: Options,
    *,
    kinds: NDArray[np.int64] | None = None,
    sites: NDArray[np.int64] | None = None,
    start: Floats | None = None,
    bound: float | None = None,
    rounds: int | None = None,
    gap_for_large: float = GAP_FOR_LARGE,
    budget: Budget | None = None,
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
    sites : int array, shape (columns,), optional
        Sites that the columns name (:func:`optimizer.decomposed.blocks.sites_of`): racks of many
        sites are then made whole site by site.
    start : float array, optional
        A point to begin from; with a ``bound`` near it, it is the answer.
    bound : float, optional
        What no plan can beat, as proved before.
    rounds : int, optional
        How often racks found divided may join the large decisions before all of them do; with
        none, what is found with the large decisions alone is all. As often as their number calls
        for, unless given.
    gap_for_large : float
        Part of the gap that the search over large decisions may use up.
    budget : Budget, optional
        What is left of the time, and the account of the work; unless given, the time limit of
        the options begins now.
    progress, stop
        As in :func:`optimizer.highs.run`.

    Returns
    -------
    Outcome
        With the work of every run that the budget has paid for so far.
    """
    budget = budget or Budget(options.time_limit, options.grace)
    watch = Watch(options, budget, progress, stop or threading.Event())
    kinds = np.arange(matrix.shape[1]) if kinds is None else kinds
    if rounds is None:
        rounds = ROUNDS_OF_FEW if matrix.integer.sum() <= FEW else ROUNDS
    case = _Case(matrix, large, kinds, sites, rounds, gap_for_large)
    return budget.billed(_searched(case, start, bound, watch))


@dataclass(frozen=True, eq=False)
class _Case:
    """What is searched; see :func:`search`."""

    matrix: Matrix
    large: Flags
    kinds: NDArray[np.int64]
    sites: NDArray[np.int64] | None
    rounds: int = ROUNDS
    gap_for_large: float = GAP_FOR_LARGE


def racks_whole(
    matrix: Matrix,
    large: Flags,
    point: Floats,
    options: Options,
    *,
    kinds: NDArray[np.int64],
    sites: NDArray[np.int64] | None = None,
    chosen: Sequence[int] | None = None,
    budget: Budget,
    stop: threading.Event | None = None,
) -> Floats | None:
    """Find the best point with the large decisions of another, which need not fit otherwise.

    Parameters
    ----------
    matrix, large, options, kinds, sites, budget, stop
        As in :func:`search`.
    point : float array, shape (columns,)
        Where the large decisions stand.
    chosen : sequence of int, optional
        Sites concerned, where the point is whole at all others; only these are searched then.
    """
    watch = Watch(options, budget, None, stop or threading.Event())
    # It draws on what is left for settling a plan: without it, a good one would be lost.
    case = _Case(matrix, large, kinds, sites)
    return _racks_whole(case, point, None, watch, known=False, chosen=chosen)


def _searched(case: _Case, start: Floats | None, bound: float | None, watch: Watch) -> Outcome:
    options, matrix = watch.options, case.matrix
    whole = matrix.integer & case.large
    best = start
    if best is not None and options.reached(objective_at(matrix, best), bound):
        return _joined(matrix, options, unsearched(matrix), [best], bound)
    for attempt in range(case.rounds + 1):
        if attempt == case.rounds and attempt:
            whole = matrix.integer
        everything = np.array_equal(whole, matrix.integer)
        gap, seconds = _share(
            case, watch, everything=everything, is_last=everything or not case.rounds
        )
        outcome = watch.run(replace(matrix, integer=whole), best, gap=gap, seconds=seconds)
        if outcome.status in ("infeasible", "unbounded"):
            # A claim that a plan at hand, or a bound proved before, refutes is not believed.
            refuted = best is not None if outcome.status == "infeasible" else bound is not None
            return _joined(matrix, options, outcome, [best], bound) if refuted else outcome
        bound = _lower(bound, outcome.bound)
        points = [best, outcome.x if everything else None]
        if outcome.x is not None and not everything:
            # Where nothing is searched after, this is the only way to a plan.
            known = best is not None and bool(case.rounds)
            points.append(_racks_whole(case, outcome.x, outcome.limits, watch, known=known))
        found = _joined(matrix, options, outcome, points, bound)
        stopped = outcome.ended in ("interrupted", "abandoned")
        if everything or found.status == "optimal" or stopped:
            break
        if not watch.budget.to_search:
            return replace(found, ended="time-limit")
        best = found.x
        limited = outcome.ended in ("time-limit", "node-limit")
        whole = matrix.integer if limited else with_divided(matrix, whole, case.kinds, outcome.x)
    return found


def _share(case: _Case, watch: Watch, *, everything: bool, is_last: bool) -> tuple[float, float]:
    """Gap and seconds of one run: racks that are still to be made whole need some of both."""
    gap, seconds = watch.options.gap, watch.budget.to_search
    return (
        gap if everything else case.gap_for_large * gap,
        seconds if is_last else TIME_FOR_LARGE * seconds,
    )


def _lower(one: float | None, other: float | None) -> float | None:
    known = [bound for bound in (one, other) if bound is not None]
    return min(known, default=None)


def with_divided(
    matrix: Matrix, whole: Flags, kinds: NDArray[np.int64], x: Floats | None
) -> Flags:
    """Count what a relaxation left divided among the whole numbers, at every date.

    Parameters
    ----------
    matrix : Matrix
        What is searched.
    whole : bool array, shape (columns,)
        Which columns the relaxation had whole.
    kinds : int array, shape (columns,)
        Columns with the same number are the same decision at different dates.
    x : float array, shape (columns,), or None
        What came of it.

    Returns
    -------
    bool array, shape (columns,)
        All whole numbers where nothing was left divided, or nothing found.
    """
    if x is None:
        return matrix.integer
    divided = matrix.integer & ~whole & (np.abs(x - np.rint(x)) > DIVIDED)
    if not divided.any():
        return matrix.integer
    return whole | (matrix.integer & np.isin(kinds, kinds[divided]))


def holding(matrix: Matrix, large: Flags, point: Floats) -> Matrix:
    """Hold the large decisions of a problem where a point has them."""
    held, at = matrix.integer & large, np.rint(point)
    return replace(
        matrix,
        column_lower=np.where(held, at, matrix.column_lower),
        column_upper=np.where(held, at, matrix.column_upper),
    )


def _racks_whole(
    case: _Case,
    point: Floats,
    known_limits: Limits | None,
    watch: Watch,
    *,
    known: bool,
    chosen: Sequence[int] | None = None,
) -> Floats | None:
    """Hold the large decisions of a point and find the best whole numbers for the rest.

    Where no plan is known, this may be the only one: it is worth some patience.
    """
    rounded, gap = holding(case.matrix, case.large, point), GAP_FOR_LARGE * watch.options.gap

    parts = 1 if case.sites is None else len(np.unique(case.sites))

    def solve(part: Matrix, limits: Limits | None = None) -> Floats | None:
        left = watch.budget.to_search if known else watch.budget.to_settle
        return watch.run_on(part, gap=gap, seconds=left, limits=limits, parts=parts).x

    if case.sites is not None:
        blocks = Blocks.of(rounded, case.sites, case.large, case.kinds)
        by_site = made_whole(blocks, point, solve, chosen)
        if by_site is not None or chosen is not None:
            return by_site
    return solve(rounded, known_limits)


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
    return replace(
        last,
        status="optimal" if options.reached(objective, bound) else "feasible",
        x=x,
        objective=objective,
        bound=bound,
        gap=relative_gap(objective, bound),
        matrix=matrix,
    )
