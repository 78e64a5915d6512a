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
from dataclasses import dataclass, replace

import numpy as np

from models.build import Column
from models.context import Context
from models.given import Site
from models.tree import Node
from optimizer.audit import Audit, audit
from optimizer.bands import priced_hours
from optimizer.case import Case
from optimizer.compiled import Model, compile_case, polished
from optimizer.highs import Budget, Options, Outcome, Progress
from optimizer.matrix import Floats, objective_at
from optimizer.search import search
from optimizer.settle import banded_margin, context_of, hourly_margin, operated, settle
from optimizer.yearly import Prices, first_prices, in_bands, in_tangents

#: How often prices may join the bound, and how often bands are cut for one plan.
ROUNDS_OF_PRICES = 8
ROUNDS_OF_CUTTING = 20
#: Largest relative difference between bands and hours at which nothing moves any more.
AGREED = 1e-11
#: Part of the gap that each search for a bound may use up.
GAP_FOR_BOUND = 0.5

Asked = dict[tuple[Node, Site], Prices]


@dataclass(frozen=True, eq=False)
class Carried:
    """A plan carried out: its numbers, and what the solver claims that it is worth, in M$."""

    case: Case
    plan: Context
    claimed_musd: float


def carried_out(case: Case, model: Model, point: Floats, budget: Budget) -> Carried:
    """Settle a point into a plan; under a limit, in bands that earn what its hours do."""
    if not case.limit_prices:
        plan = settle(case.given, model.values(point))
        return Carried(case, plan, objective_at(model.matrix, point))
    found = _carried_out(case, _held(model, point), budget)
    plan = settle(case.given, model.values(point))
    return found or Carried(case, plan, objective_at(model.matrix, point))


def _held(model: Model, point: Floats) -> dict[Column, float]:
    """Whole numbers of a point, and what could not be chosen."""
    matrix = model.matrix
    fixed = matrix.integer | (matrix.column_lower == matrix.column_upper)
    rounded = np.where(matrix.integer, np.round(point), point)
    return {model.built.columns[j]: float(rounded[j]) for j in np.flatnonzero(fixed)}


def _carried_out(case: Case, held: Mapping[Column, float], budget: Budget) -> Carried | None:
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
        asked, most = _best_shared(found.case, held, budget)
        more = _joined(found.case.limit_prices, asked)
        near = most - found.claimed_musd <= AGREED * max(1.0, abs(most))
        if near or more == found.case.limit_prices:
            return best
        case = _cut(found.case, asked)
    return best


def _best_shared(case: Case, held: Mapping[Column, float], budget: Budget) -> tuple[Asked, float]:
    """Prices at the best way to share limits with whole numbers held, and a bound of its worth."""
    prices = _joined(case.limit_prices, first_prices(case.given, case.hours))
    outer = replace(case, given=in_tangents(case.given, case.hours, prices))
    model = compile_case(outer, held)
    outcome = budget.run(model.matrix, Options(gap=0.0, time_limit=budget.to_settle))
    if outcome.x is None:
        return {}, -math.inf
    shared = context_of(outer.given, model.values(outcome.x))
    return _asked_by(case, shared), objective_at(model.matrix, outcome.x)


def _in_agreed_bands(case: Case, held: Mapping[Column, float], budget: Budget) -> Carried | None:
    """Solve the rest with whole numbers held, cutting bands until they earn what hours do."""
    found = None
    for _ in range(ROUNDS_OF_CUTTING):
        model = compile_case(case, held)
        outcome = budget.run(model.matrix, Options(gap=0.0, time_limit=budget.to_settle))
        if outcome.x is None:
            return found
        plan = settle(case.given, model.values(outcome.x))
        found = Carried(case, plan, objective_at(model.matrix, outcome.x))
        asked = _disagreeing(case, plan)
        if not asked:
            return found
        case = _cut(case, asked)
    return found


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


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search under limits came to: its outcome, and the best plan with its audit."""

    outcome: Outcome
    carried: Carried | None = None
    audit: Audit | None = None


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
        Doing nothing and its value, where it keeps to the limits.
    pinned, budget, progress, stop
        As in :func:`optimizer.solve.solve`.
    """
    best = None if nothing is None else _audited(case, nothing, options, nothing_musd)
    bound, prices = math.inf, first_prices(case.given, case.hours)
    halved = replace(options, gap=options.gap * GAP_FOR_BOUND)
    for _ in range(ROUNDS_OF_PRICES):
        outer = replace(case, given=in_tangents(case.given, case.hours, prices))
        model = compile_case(outer, pinned)
        outcome = search(model.matrix, model.large, halved, kinds=model.kinds, budget=budget,
                         progress=progress, stop=stop)  # fmt: skip
        bound = bound if outcome.bound is None else min(bound, outcome.bound)
        if outcome.x is None:
            break
        point = polished(model.matrix, outcome.x, budget, model.follows)
        asked = _asked_by(case, context_of(outer.given, model.values(point)))
        found = _carried_out(_cut(case, asked), _held(model, point), budget)
        if found is None and best is None:
            found = _in_bands_alone(_cut(case, asked), halved, pinned, budget, stop)
        if found is not None:
            tried = _audited(case, found, options, nothing_musd)
            best = tried if best is None else _better(best, tried)
            asked = _joined(asked, _asked_by(case, found.plan))
        if best is not None and options.reached(best[1].value_musd, bound):
            break
        more = _joined(prices, asked)
        if more == prices or not budget.to_search or (stop is not None and stop.is_set()):
            break
        prices = more
    outcome = budget.billed(replace(outcome, bound=bound if math.isfinite(bound) else None))
    return Searched(outcome, *(best or ()))


def _in_bands_alone(
    case: Case,
    options: Options,
    pinned: Mapping[Column, float] | None,
    budget: Budget,
    stop: threading.Event | None,
) -> Carried | None:
    """Search in bands, where what the bound decides cannot be paid from what bands earn."""
    model = compile_case(case, pinned)
    outcome = search(
        model.matrix, model.large, options, kinds=model.kinds, budget=budget, stop=stop
    )
    if outcome.x is None:
        return None
    return carried_out(
        case, model, polished(model.matrix, outcome.x, budget, model.follows), budget
    )


def _audited(
    case: Case, found: Carried, options: Options, nothing_musd: float | None
) -> tuple[Carried, Audit]:
    """Audit a plan; the bound is the caller's."""
    checked = audit(case, found.plan, claimed_musd=found.claimed_musd, nothing_musd=nothing_musd,
                    gap=options.gap)  # fmt: skip
    return found, checked


def _better(one: tuple[Carried, Audit], other: tuple[Carried, Audit]) -> tuple[Carried, Audit]:
    if one[1].passed != other[1].passed:
        return one if one[1].passed else other
    return one if one[1].value_musd >= other[1].value_musd else other
