"""Single limits that would each be a way out alone, where the cheapest way asks several to give.

A planner looks for one thing to change: the budget, the cash, the loan, the firm MW, or what was
promised. Each kind of limit is let go alone; where that gives a plan, it is told by how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from models.build import Column
from optimizer.case import Case
from optimizer.compiled import compile_case
from optimizer.elastic import Clash, Slack, named_gives, relax
from optimizer.highs import Budget, Options
from optimizer.matrix import Floats, Matrix, divided

#: Limits that are one thing to a planner, each kind by its families.
KINDS: tuple[frozenset[str], ...] = (
    frozenset({"capital.capex_budget"}),
    frozenset({"capital.cash_after_capex", "capital.cash_floor"}),
    frozenset({"capital.debt_limit"}),
    frozenset({"grid.firm_reservation", "grid.whole_reservation", "grid.interconnection"}),
    frozenset({"yearly.year_limit"}),
    frozenset({"hosting.delivery_balance"}),
)
#: Seconds for all of them together.
SECONDS = 20.0
#: How near to the least the amounts have to be.
GAP = 1e-3


def single_ways(
    case: Case,
    clashes: Sequence[Clash],
    *,
    pinned: Mapping[Column, float] | None = None,
    seconds: float = SECONDS,
) -> tuple[tuple[Clash, ...], ...]:
    """Name each kind of limit that alone would make a plan possible, if it gave.

    Every way is a plan of the relaxed case in which nothing but limits of that kind give, so the
    amounts are enough; they are the least but for a thousandth, unless time ran out.

    Parameters
    ----------
    case : Case
        A case without a plan.
    clashes : sequence of Clash
        The cheapest way out; a kind that is all of it is not told again.
    pinned : mapping, optional
        Decisions that are taken already.
    seconds : float
        Time for all of them.

    Returns
    -------
    tuple of tuple of Clash
        One for each kind, cheapest first; empty where none suffices alone, or the figures alone
        contradict each other.
    """
    told = {clash.limit for clash in clashes}
    model = compile_case(case, pinned)
    if not clashes or model.built.contradictions:
        return ()
    matrix, slacks = relax(model, shares=case.given.due_share)
    budget = Budget(seconds)
    ways: list[tuple[float, tuple[Clash, ...]]] = []
    for kind in KINDS:
        if not told <= kind:
            alone = _only(matrix, slacks, kind)
            found = _way(alone, budget)
            if found is not None:
                cost, x = found
                ways.append((cost, named_gives(case, model.matrix, slacks, x)))
    return tuple(way for _, way in sorted(ways, key=lambda way: way[0]) if way)


def _only(matrix: Matrix, slacks: Sequence[Slack], kind: frozenset[str]) -> Matrix:
    """Hold every slack at zero but those of one kind."""
    upper = matrix.column_upper.copy()
    upper[-len(slacks) :] = [np.inf if slack.rows[0][0] in kind else 0.0 for slack in slacks]
    return replace(matrix, column_upper=upper)


def _way(matrix: Matrix, budget: Budget) -> tuple[float, Floats] | None:
    """Find the least by which the limits left give; with all divisible first, as that is quick."""
    divisible = divided(matrix)
    if budget.run(divisible, Options(gap=GAP, time_limit=budget.left)).x is None:
        return None
    found = budget.run(matrix, Options(gap=GAP, time_limit=budget.left))
    return None if found.x is None else (float(matrix.cost @ found.x), found.x)
