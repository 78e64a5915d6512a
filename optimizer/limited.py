"""Plans and bounds where a limit on a year's energy couples its hours (:mod:`models.yearly`).

The bound comes from a model that knows of each node only what its hours earn at some prices of
the limit. What it decides in whole numbers is held, and carried out in bands that are cut at the
prices which the plan puts on its limits, until they earn what the hours do. Those prices join the
bound, which touches the truth there; and so on, until plan and bound are as near as was asked.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from models.build import Column
from models.context import Context
from models.given import Site
from models.tree import Node
from optimizer.audit import SPLIT, Audit, audit
from optimizer.bands import priced_hours
from optimizer.case import Case
from optimizer.compiled import Model, compile_case, polished
from optimizer.followed import Settled
from optimizer.highs import Budget, Options, Outcome, Progress, relative_gap
from optimizer.matrix import Floats, divided, objective_at
from optimizer.search import search
from optimizer.settle import banded_margin, context_of, hourly_margin, operated, settle
from optimizer.yearly import Prices, in_bands, in_tangents

#: How often prices may join the bound, and how often bands are cut for one plan.
ROUNDS_OF_PRICES = 8
ROUNDS_RELAXED = 3
ROUNDS_OF_CUTTING = 20
#: Largest relative difference between bands and hours at which nothing moves any more.
AGREED = 1e-10
#: The same between a plan and the best way to share the limits among its periods: for doing
#: nothing, and of a plan as a part of the gap that is asked for.
SHARED = 1e-6
SHARED_OF_GAP = 0.01
#: Dual tolerance of linear programs with bands of single hours: the least that HiGHS takes.
FINE = 1e-10
#: Part of the gap that each search for a bound may use up.
GAP_FOR_BOUND = 0.8

Asked = dict[tuple[Node, Site], Prices]


@dataclass(frozen=True, eq=False)
class Carried:
    """A plan carried out: its numbers, and what the solver claims that it is worth, in M$.

    ``held`` are its whole numbers, where a year is limited; ``settled`` is the plan as arrays,
    where the case is known as such.
    """

    case: Case
    plan: Context
    claimed_musd: float
    held: Mapping[Column, float] = field(default_factory=dict)
    settled: Settled | None = None


def carried_out(case: Case, model: Model, point: Floats, budget: Budget) -> Carried:
    """Settle a point into a plan; under a limit, in bands that earn what its hours do."""
    if not case.limit_prices:
        claimed = objective_at(model.matrix, point)
        if model.followed is None:
            return Carried(case, settle(case.given, model.values(point)), claimed)
        settled = model.followed.settled(point)
        return Carried(case, settled.plan, claimed, settled=settled)
    found = _carried_out(case, _held(model, point), budget)
    if found is not None:
        return found
    plan = settle(case.given, model.values(point))
    return Carried(case, plan, objective_at(model.matrix, point))


def _held(model: Model, point: Floats) -> dict[Column, float]:
    """Whole numbers of a point, and what could not be chosen."""
    matrix = model.matrix
    fixed = matrix.integer | (matrix.column_lower == matrix.column_upper)
    rounded = np.where(matrix.integer, np.round(point), point)
    return {model.built.columns[j]: float(rounded[j]) for j in np.flatnonzero(fixed)}


def _carried_out(
    case: Case, held: Mapping[Column, float], budget: Budget, shared: float = SHARED
) -> Carried | None:
    """Solve the rest with whole numbers held, for the best that hours can do.

    Bands that earn what their hours do may still keep a plan from the best way to share a limit
    among its periods. The bound with the same whole numbers held tells how much is missing, and at
    which prices to cut.
    """
    best = None
    for _ in range(ROUNDS_OF_CUTTING):
        found = _in_agreed_bands(case, held, budget)
        if found is None or (best is not None and found.claimed_musd < best.claimed_musd):
            return best
        best = found
        if not budget.to_search:
            return best
        asked, most = _best_shared(found.case, held, budget)
        more = _joined(found.case.limit_prices, asked)
        near = most - found.claimed_musd <= shared * max(1.0, abs(most))
        if near or more == found.case.limit_prices:
            return best
        case = _cut(found.case, asked)
    return best


def _best_shared(case: Case, held: Mapping[Column, float], budget: Budget) -> tuple[Asked, float]:
    """Prices at the best way to share limits with whole numbers held, and a bound of its worth."""
    outer = _in_tangents(case, case.limit_prices)
    model = compile_case(outer, held)
    outcome = budget.run(model.matrix, _to_the_last(budget))
    if outcome.x is None:
        return {}, -math.inf
    shared = context_of(outer.given, model.values(outcome.x))
    return _asked_by(case, shared), objective_at(model.matrix, outcome.x)


def _in_agreed_bands(case: Case, held: Mapping[Column, float], budget: Budget) -> Carried | None:
    """Solve the rest with whole numbers held, in bands that earn what hours do.

    What the first bands leave of a limit to each period is held as well: cut at the prices that
    hours put on it, bands earn just what hours do with so much.
    """
    found, left = None, dict[Column, float]()
    for _ in range(ROUNDS_OF_CUTTING):
        model = compile_case(case, {**held, **left})
        outcome = budget.run(model.matrix, _to_the_last(budget))
        if outcome.x is None:
            return found
        plan = settle(case.given, model.values(outcome.x))
        found = Carried(case, plan, objective_at(model.matrix, outcome.x), held)
        asked = _disagreeing(case, plan)
        if not asked:
            return found
        left = {("used", key): max(0.0, plan.used[key]) for key in case.limit_prices}
        case = _cut(case, asked)
    return found


def _to_the_last(budget: Budget) -> Options:
    """Solve a linear program to the last digit: what many single hours miss adds up."""
    return Options(gap=0.0, time_limit=budget.to_settle, dual_tolerance=FINE)


def _disagreeing(case: Case, plan: Context) -> Asked:
    """Prices that a plan puts on its limits, where bands earn less than hours do."""
    asked: Asked = {}
    for n, s in case.limit_prices:
        priced = priced_hours(case.given, n, s, case.hours[s])
        in_bands, in_hours = banded_margin(plan, n, s), hourly_margin(plan, n, s, priced)
        if abs(in_bands - in_hours) > AGREED * max(1.0, abs(in_hours)):
            asked[n, s] = (operated(plan, n, s, priced).price,)
    return asked


def _asked_by(case: Case, decided: Context) -> Asked:
    """Prices that hours put on the limits, at what a point leaves of these to each node."""
    return {
        (n, s): (operated(decided, n, s, priced_hours(case.given, n, s, case.hours[s])).price,)
        for n, s in case.limit_prices
    }


def _joined(known: Mapping[tuple[Node, Site], Prices], asked: Asked) -> Asked:
    return {key: tuple(sorted({*known[key], *asked.get(key, ())})) for key in known}


def _cut(case: Case, asked: Asked) -> Case:
    """Cut a case's bands at more prices."""
    prices = _joined(case.limit_prices, asked)
    return replace(case, given=in_bands(case.given, case.hours, prices), limit_prices=prices)


def _in_tangents(case: Case, prices: Mapping[tuple[Node, Site], Prices]) -> Case:
    """The same case as the model that bounds sees it."""
    return replace(case, given=in_tangents(case.given, case.hours, prices))


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search under limits came to: its outcome, and the best plan."""

    outcome: Outcome
    carried: Carried | None = None


def search_within(
    case: Case,
    options: Options,
    *,
    pinned: Mapping[Column, float] | None,
    nothing: Carried | None,
    nothing_musd: float | None,
    budget: Budget,
    progress: Callable[[Progress], None] | None,
    stop: threading.Event | None,
) -> Searched:
    """Find the best plan of a case under limits, and a bound for every plan.

    Parameters
    ----------
    nothing, nothing_musd : Carried and float, optional
        Doing nothing, and its value, where it keeps to the limits.
    pinned, budget, progress, stop
        As in :func:`optimizer.solve.solve`.
    """
    halt = stop or threading.Event()
    rounds = _Rounds(case, options, pinned, nothing_musd, budget, progress, halt)
    if nothing is not None:
        rounds.try_plan(nothing)
    prices = rounds.relaxed(case.limit_prices)
    for _ in range(ROUNDS_OF_PRICES):
        asked = rounds.run(prices)
        more = _joined(prices, asked)
        if rounds.done or more == prices or rounds.over:
            break
        prices = more
    bound = rounds.bound if math.isfinite(rounds.bound) else None
    assert rounds.outcome is not None
    outcome = budget.billed(replace(rounds.outcome, bound=bound))
    best = rounds.crowded or (None if rounds.best is None else rounds.best[0])
    return Searched(outcome, best)


@dataclass(eq=False)
class _Rounds:
    """Searches for a bound in turn, and the best plan that came of them."""

    case: Case
    options: Options
    pinned: Mapping[Column, float] | None
    nothing_musd: float | None
    budget: Budget
    progress: Callable[[Progress], None] | None
    stop: threading.Event
    crowded: Carried | None = None
    bound: float = math.inf
    told: float = math.inf
    best: tuple[Carried, Audit] | None = None
    outcome: Outcome | None = None

    @property
    def done(self) -> bool:
        """Whether plan and bound are as near as was asked, or halls have to be filled first."""
        if self.crowded is not None:
            return True
        return self.best is not None and self.options.reached(self.best[1].value_musd, self.bound)

    @property
    def over(self) -> bool:
        """Whether time is up, or somebody has asked to stop."""
        return self.stop.is_set() or not self.budget.to_search

    def relaxed(self, prices: Mapping[tuple[Node, Site], Prices]) -> Asked:
        """Add the prices that come of the bound with nothing whole: they are found in moments."""
        for _ in range(ROUNDS_RELAXED):
            if self.over:
                break
            outer = _in_tangents(self.case, prices)
            model = compile_case(outer, self.pinned)
            divisible = divided(model.matrix)
            options = Options(gap=0.0, time_limit=self.budget.to_settle)
            outcome = self.budget.run(divisible, options)
            if outcome.x is None:
                break
            asked = _asked_by(self.case, context_of(outer.given, model.values(outcome.x)))
            more = _joined(prices, asked)
            if more == prices:
                break
            prices = more
        return dict(prices)

    def run(self, prices: Asked) -> Asked:
        """Search for a bound, carry out what it decides, and say at which prices to go on."""
        outer = _in_tangents(self.case, prices)
        model = compile_case(outer, self.pinned)
        near = replace(self.options, gap=self.options.gap * GAP_FOR_BOUND)
        self.outcome = search(
            model.matrix, model.large, near, kinds=model.kinds, start=self._start(outer),
            budget=self.budget, progress=self._told, stop=self.stop,
        )  # fmt: skip
        if self.outcome.bound is not None:
            self.bound = min(self.bound, self.outcome.bound)
        if self.outcome.x is None:
            return {}
        point = polished(model.matrix, self.outcome.x, self.budget, model.follows)
        asked = _asked_by(self.case, context_of(outer.given, model.values(point)))
        shared = max(AGREED, SHARED_OF_GAP * self.options.gap)
        found = _carried_out(_cut(self.case, asked), _held(model, point), self.budget, shared)
        if found is None and not self.over:
            found = self._in_bands_alone(_cut(self.case, asked), near)
        if found is None:
            return asked
        self.try_plan(found)
        return _joined(asked, _asked_by(self.case, found.plan))

    def try_plan(self, found: Carried) -> None:
        """Audit a plan and keep the better one; the bound is judged by the caller.

        Racks that do not split into whole halls send the whole search back, as elsewhere.
        """
        checked = audit(self.case, found.plan, claimed_musd=found.claimed_musd,
                        nothing_musd=self.nothing_musd, gap=self.options.gap)  # fmt: skip
        tried = found, checked
        if any(breach.limit == SPLIT for breach in checked.breaches) and not self.over:
            self.crowded = found
        self.best = tried if self.best is None else _better(self.best, tried)

    def _start(self, outer: Case) -> Floats | None:
        """The best plan as a point of the model that bounds."""
        held = {} if self.best is None else self.best[0].held
        if not held or self.over:
            return None
        model = compile_case(outer, held)
        options = Options(gap=0.0, time_limit=self.budget.to_settle)
        return self.budget.run(model.matrix, options).x

    def _told(self, progress: Progress) -> None:
        """Tell of plans that were carried out, and of the least bound so far."""
        if self.progress is None:
            return
        value = None if self.best is None else self.best[1].value_musd
        if progress.bound is not None:
            self.told = min(self.told, progress.bound)
        bound = self.told if math.isfinite(self.told) else None
        gap = math.inf if value is None or bound is None else relative_gap(value, bound)
        self.progress(replace(progress, incumbent=value, bound=bound, gap=gap))

    def _in_bands_alone(self, case: Case, options: Options) -> Carried | None:
        """Search in bands, where what the bound decides cannot be paid from what bands earn."""
        model = compile_case(case, self.pinned)
        outcome = search(model.matrix, model.large, options, kinds=model.kinds,
                         budget=self.budget, stop=self.stop)  # fmt: skip
        if outcome.x is None:
            return None
        point = polished(model.matrix, outcome.x, self.budget, model.follows)
        return carried_out(case, model, point, self.budget)


def _better(one: tuple[Carried, Audit], other: tuple[Carried, Audit]) -> tuple[Carried, Audit]:
    if one[1].passed != other[1].passed:
        return one if one[1].passed else other
    return one if one[1].value_musd >= other[1].value_musd else other
