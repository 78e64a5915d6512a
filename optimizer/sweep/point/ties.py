"""Of plans alike in value, the one with the least capex or the most cash left.

A solve ends with some plan within the gap of the best. For a front it matters which: a plan that
spends more for the same value is dominated by one that nobody looked for. So value is held, but
for a tenth of the gap, and the other aim is driven as far as that allows; then its result is held
and value is made best once more, as both are linear in the plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array, csr_array, hstack, vstack

from models.context import Context
from models.given import Given
from optimizer.audit import audit
from optimizer.case import Case
from optimizer.compiled import Model, polished
from optimizer.highs import Budget, Options, Outcome, relative_gap
from optimizer.limited import carried_out
from optimizer.matrix import Flags, Floats, Matrix, objective_at
from optimizer.plan.value import lowest_cash
from optimizer.search import search
from optimizer.solve import Solved
from optimizer.sweep.points import Tied

#: Part of the gap that value may give way by.
PART_OF_GAP = 0.1
#: Nodes of the second search; where they do not do, the plan at hand stays.
NODES_FOR_TIES = 50
#: By how much a limit is let out that a plan at hand reaches, in M$: what arithmetic may miss.
SLACK_MUSD = 1e-6
#: What the other aim must gain to be told from arithmetic, in M$.
GAIN_MUSD = 1e-6
#: Rows that hold the least cash.
CASH = frozenset({"capital.cash_floor", "capital.cash_after_capex"})


def figure(plan: Context, aim: Tied) -> float:
    """What a plan reaches of an aim, in M$, so that more is better."""
    if aim == "lowest_cash":
        return lowest_cash(plan)[0]
    g = plan.given
    return -sum(g.probability[n] * float(plan.capex[n, s]) for n in g.nodes for s in g.sites)


def ties_broken(case: Case, model: Model, solved: Solved, aim: Tied, options: Options) -> Solved:
    """Find the plan best in another aim among those as good in value as the one at hand.

    Parameters
    ----------
    case, model : Case and Model
        What was solved.
    solved : Solved
        What came of it.
    aim : {'capex', 'lowest_cash'}
        The other aim.
    options : Options
        As of the solve; its time limit is what is left for this.

    Returns
    -------
    Solved
        The one at hand where no plan is better, none was found in time, or what was found did
        not pass the audit; and where a limit on a year's energy couples the hours of the case,
        since its value is not linear there.
    """
    plan, value, bound = solved.plan, solved.value_musd, solved.bound_musd
    if case.limit_prices or plan is None or value is None or solved.status != "solved":
        return solved
    if solved.columns != len(model.built.columns) or not options.time_limit > 0:
        return solved
    floor = value - PART_OF_GAP * options.gap * abs(value)
    floor = floor if options.reached(floor, bound) else value - SLACK_MUSD
    start = np.array([float(getattr(plan, name)[index]) for name, index in model.built.columns])
    budget = Budget(options.time_limit, options.grace)
    nodes = min(NODES_FOR_TIES, options.nodes or NODES_FOR_TIES)
    few = replace(options, nodes=nodes)
    outcome = driven(case.given, model, aim, few, budget, floor=floor, start=start)
    if outcome.x is None:
        return replace(solved, outcome=_billed(solved.outcome, outcome))
    held = held_at(case.given, model, aim, outcome.x)
    point = polished(held, outcome.x[: len(start)], budget, model.follows)
    return _judged(case, model, solved, point, aim, options, budget)


def _judged(case: Case, model: Model, solved: Solved, point: Floats, aim: Tied,
            options: Options, budget: Budget) -> Solved:  # fmt: skip
    """Audit the second plan, and take it where it is better in the other aim."""
    done = carried_out(case, model, point, budget)
    nothing = None if solved.audit is None else solved.audit.nothing_musd
    checked = audit(case, done.plan, claimed_musd=objective_at(model.matrix, point),
                    bound_musd=solved.bound_musd, nothing_musd=nothing, gap=options.gap,
                    settled=done.settled)  # fmt: skip
    assert solved.plan is not None
    assert solved.outcome is not None
    bound = max(solved.bound_musd or checked.value_musd, checked.value_musd)
    outcome = budget.billed(solved.outcome)
    outcome = replace(outcome, cpu_seconds=outcome.cpu_seconds + solved.outcome.cpu_seconds)
    gains = figure(done.plan, aim) - figure(solved.plan, aim) > GAIN_MUSD
    if not (checked.passed and gains and options.reached(checked.value_musd, bound)):
        return replace(solved, outcome=outcome)
    return replace(
        solved, plan=done.plan, audit=checked, outcome=outcome, value_musd=checked.value_musd,
        bound_musd=bound, gap=relative_gap(checked.value_musd, bound),
    )  # fmt: skip


def _billed(first: Outcome | None, second: Outcome) -> Outcome | None:
    if first is None:
        return None
    return replace(first, cpu_seconds=first.cpu_seconds + second.cpu_seconds)


# --- the matrix of another aim ---------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Aimed:
    """A matrix whose objective is another aim, a column of its own among it where it needs one."""

    matrix: Matrix
    more: int

    def widened(self, flags: Flags) -> Flags:
        return np.append(flags, np.zeros(self.more, bool))


def driven(
    given: Given,
    model: Model,
    aim: Tied,
    options: Options,
    budget: Budget,
    *,
    floor: float | None = None,
    start: Floats | None = None,
) -> Outcome:
    """Drive an aim as far as the limits allow, with value no less than a floor.

    Returns
    -------
    Outcome
        Its point has the columns of the model, and after them what the aim adds.
    """
    aimed = _aimed(given, model, aim, floor)
    kinds = model.kinds
    kinds = np.append(kinds, np.full(aimed.more, kinds.max(initial=0) + 1))
    return search(
        aimed.matrix, aimed.widened(model.large), options, kinds=kinds,
        start=None if start is None else _started(model, start, aimed), budget=budget,
    )  # fmt: skip


def _aimed(given: Given, model: Model, aim: Tied, floor: float | None) -> _Aimed:
    matrix = model.matrix if floor is None else _with_row(model.matrix, model.matrix.cost,
                                                          floor - model.matrix.offset)  # fmt: skip
    if aim == "capex":
        return _Aimed(replace(matrix, cost=-_spent(given, model), offset=0.0), 0)
    return _Aimed(_with_least_cash(matrix, _cash_rows(model)), 1)


def _spent(given: Given, model: Model) -> Floats:
    """Expected capex by column."""
    weight = given.probability
    return np.array(
        [weight[index[0]] if name == "capex" else 0.0 for name, index in model.built.columns]
    )


def _cash_rows(model: Model) -> Flags:
    return np.array([name in CASH for name, _ in model.built.rows])


def _with_row(matrix: Matrix, coefficients: Floats, least: float) -> Matrix:
    """Add a row that holds a sum of columns to at least so much."""
    return replace(
        matrix,
        coefficients=csc_array(vstack([matrix.coefficients, csr_array(coefficients[None, :])])),
        row_lower=np.append(matrix.row_lower, least),
        row_upper=np.append(matrix.row_upper, np.inf),
        row_names=[*matrix.row_names, "held"],
    )


def _with_least_cash(matrix: Matrix, cash: Flags) -> Matrix:
    """Make cash above its minimum, at its least, the objective: a column below every balance."""
    rows = matrix.shape[0]
    below = np.zeros(rows)
    below[: len(cash)] = -1.0 * cash
    return replace(
        matrix,
        coefficients=csc_array(hstack([matrix.coefficients, csr_array(below[:, None])])),
        column_lower=np.append(matrix.column_lower, 0.0),
        column_upper=np.append(matrix.column_upper, np.inf),
        cost=np.append(np.zeros_like(matrix.cost), 1.0),
        offset=0.0,
        integer=np.append(matrix.integer, False),
        column_names=[*matrix.column_names, "least_cash"],
        columns=(),
    )


def _started(model: Model, start: Floats, aimed: _Aimed) -> Floats:
    """A point of the model with what the aim adds."""
    if not aimed.more:
        return start
    matrix, cash = model.matrix, _cash_rows(model)
    left = (matrix.coefficients @ start - matrix.row_lower)[cash]
    return np.append(start, max(0.0, float(left.min(initial=np.inf))))


def held_at(given: Given, model: Model, aim: Tied, x: Floats) -> Matrix:
    """The model with an aim held at what a point of :func:`driven` reaches."""
    if aim == "capex":
        spent = -_spent(given, model)
        return _with_row(model.matrix, spent, float(spent @ x[: len(spent)]) - SLACK_MUSD)
    raised = np.where(_cash_rows(model), max(0.0, float(x[-1]) - SLACK_MUSD), 0.0)
    return replace(model.matrix, row_lower=model.matrix.row_lower + raised)
