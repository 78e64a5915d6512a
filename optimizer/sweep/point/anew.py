"""A part of the points is worked out again without any short cut, and compared.

Points are read, derived, compiled and audited from their base, through arrays that remember where
numbers have not moved. Tests hold these short cuts to the long way; a sweep does so once more on
its own cases. Which ones follows from what they change, not from who solves them or when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from models.build import Column
from optimizer.audit import Audit, Breach, audit
from optimizer.case import Case, prepare
from optimizer.compiled import Model, compile_case
from optimizer.crowded import narrowed_as
from optimizer.highs import Budget
from optimizer.load import Loaded
from optimizer.solve import Solved, do_nothing
from optimizer.sweep.points import Point
from optimizer.unsound import refusing_unsound

#: One point of so many is worked out again.
ONE_OF = 100
#: What is said where the case itself comes out otherwise.
OTHER_CASE = "sweep.anew"
#: Difference of two values, for each unit of size, that is believed to be arithmetic.
SAME = 1e-9
_ARRAYS = ("row_lower", "row_upper", "column_lower", "column_upper", "cost", "integer")


def is_chosen(point: Point) -> bool:
    """Whether a point is one of those that are worked out again.

    Examples
    --------
    >>> points = [Point(0, {}, {"finance.capex_budget_musd": n / 10}) for n in range(10000)]
    >>> sum(map(is_chosen, points))
    107
    """
    return int(point.identity("")[:12], 16) % ONE_OF == 0


def compared(
    loaded: Loaded, model: Model, pins: Mapping[Column, float], solved: Solved, gap: float
) -> Solved:
    """Derive, compile and audit a point from its instance alone, and compare.

    Parameters
    ----------
    loaded : Loaded
        The point as an instance, read as a folder of its own.
    model : Model
        The point as it was compiled from the base.
    pins : mapping
        Decisions that the instance's own policy takes.
    solved : Solved
        What came of it.
    gap : float
        Relative gap that was asked for.

    Returns
    -------
    Solved
        The same; with what differs and the status ``audit-failed`` where anything does.

    Raises
    ------
    InputRefused
        Where the instance is one that no answer could be trusted on.
    """
    case, budget = prepare(loaded.instance, loaded.hours), Budget()
    with refusing_unsound(loaded, case):
        anew = compile_case(case, pins)
    breaches = [*_differences(model, anew)]
    again = _audited_again(case, solved, gap)
    if again is not None:
        breaches += again.breaches
        breaches += _other_nothing(case, anew, again.nothing_musd, budget)
        solved = _charged(solved, budget)
    if not breaches:
        return solved
    told = solved.audit or again or Audit((), np.nan, np.nan, np.nan, 0, None)
    return replace(
        solved, status="audit-failed", audit=replace(told, breaches=(*told.breaches, *breaches))
    )


def _differences(found: Model, anew: Model) -> Iterator[Breach]:
    """Tell the first number of each kind that is not the same to the last bit."""
    one, other = found.matrix, anew.matrix
    sizes = [
        ("rows", one.shape[0], other.shape[0]),
        ("columns", one.shape[1], other.shape[1]),
        ("broken limits", len(found.built.contradictions), len(anew.built.contradictions)),
    ]
    if any(a != b for _, a, b in sizes):
        yield from (_other(*size) for size in sizes if size[1] != size[2])
        return
    apart = abs(one.coefficients - other.coefficients).tocoo()
    for j in np.flatnonzero(apart.data)[:1].tolist():
        row, column = int(apart.row[j]), int(apart.col[j])
        where = f"{other.column_names[column]} in {other.row_names[row]}"
        yield _other(where, one.coefficients[row, column], other.coefficients[row, column])
    for name in _ARRAYS:
        a, b = (np.asarray(getattr(matrix, name), float) for matrix in (one, other))
        names = other.row_names if name.startswith("row") else other.column_names
        for j in np.flatnonzero(a != b)[:1].tolist():
            yield _other(f"{name.replace('_', ' ')} of {names[j]}", a[j], b[j])
    if one.offset != other.offset:
        yield _other("value before any decision", one.offset, other.offset)


def _other(where: str, found: float, anew: float) -> Breach:
    return Breach(OTHER_CASE, (), where, float(found), float(anew), "==")


def _other_nothing(
    case: Case, anew: Model, found: float | None, budget: Budget
) -> Iterator[Breach]:
    """Do nothing anew, which may have been remembered from another point."""
    nothing = do_nothing(case, anew, budget=budget)
    worth = None if nothing is None else nothing.value_musd
    if worth is None or found is None:
        if worth is not found:
            yield _other("value of doing nothing", found or np.nan, worth or np.nan)
    elif abs(worth - found) > SAME * max(1.0, abs(worth)):
        yield _other("value of doing nothing", found, worth)


def _charged(solved: Solved, budget: Budget) -> Solved:
    """Count what HiGHS took for comparing among what it took for the point."""
    if solved.outcome is None:
        return solved
    more = budget.billed(solved.outcome).cpu_seconds
    outcome = replace(solved.outcome, cpu_seconds=solved.outcome.cpu_seconds + more)
    return replace(solved, outcome=outcome)


def _audited_again(case: Case, solved: Solved, gap: float) -> Audit | None:
    """Audit a plan with families read on floats; None without one, or where that was done."""
    plan, audited = solved.plan, solved.audit
    if plan is None or audited is None or case.limit_prices:
        return None
    narrowed = narrowed_as(case, plan.given)
    return audit(
        narrowed, replace(plan, given=narrowed.given),
        claimed_musd=solved.value_musd, bound_musd=solved.bound_musd,
        nothing_musd=audited.nothing_musd, gap=gap,
    )  # fmt: skip
