"""Which points lie on a front, judged by what their plans reach and not by their levels.

Values are audited, so one plan that is worth as much as another and is better in the other aim
leaves no doubt. What is in doubt is whether a point that is worth more *is* so: where the other's
proven bound lies higher still, a plan as good may be there that nobody found. Such a point is
undecided.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from rich.table import Table

from optimizer.screen.grids import Kind, grid
from optimizer.sweep.design.measures import Bounded, bounded
from optimizer.sweep.design.spec import Pareto
from optimizer.sweep.points import Json, Point, Row, canonical
from optimizer.write import DIGITS

#: Whether a point lies on the front.
Verdict = Literal["yes", "no", "undecided"]
#: Column of a table that tells it.
ON_FRONT = "on_front"
#: Digits to which values and measures are told apart: a dollar, of money.
TOLD_APART = min(6, DIGITS)


@dataclass(frozen=True)
class Reached:
    """What the plan of a point reaches.

    Attributes
    ----------
    number : int
        The point.
    value : float
        Its value.
    bound : float
        The proven bound of the best value at its level, no less than its value.
    other : float
        The other measure, turned so that less is better.
    """

    number: int
    value: float
    bound: float
    other: float


def judged(plans: Iterable[Reached]) -> dict[int, Verdict]:
    """Say of plans of one case which lie on its front.

    Parameters
    ----------
    plans : iterable of Reached
        In any order.

    Returns
    -------
    dict of int to str
        ``no`` for a plan that another beats, or equals before it; ``undecided`` where a plan that
        is better in the other measure may be worth as much, as far as its bound tells; else
        ``yes``.

    Examples
    --------
    >>> judged([Reached(0, 5.0, 5.0, 1.0), Reached(1, 9.0, 9.0, 4.0), Reached(2, 9.0, 9.0, 6.0),
    ...         Reached(3, 9.5, 9.5, 7.0), Reached(4, 9.4, 9.6, 6.5)])
    {0: 'yes', 1: 'yes', 2: 'no', 3: 'undecided', 4: 'yes'}
    """
    verdicts: dict[int, Verdict] = {}
    found = sorted(plans, key=lambda plan: (plan.other, -plan.value, plan.number))
    # Going from the best in the other measure on, a plan must be worth more than all before it,
    # and more than all strictly before it may be worth.
    best = allowed = bound = -math.inf
    at: float | None = None
    for plan in found:
        if plan.other != at:
            at, allowed = plan.other, bound
        if plan.value <= best:
            verdicts[plan.number] = "no"
        else:
            verdicts[plan.number] = "undecided" if allowed >= plan.value else "yes"
        best, bound = max(best, plan.value), max(bound, plan.bound)
    return dict(sorted(verdicts.items()))


def front(pareto: Pareto, found: Iterable[tuple[Point, Row | None]]) -> dict[int, Verdict]:
    """Say which points of a sweep lie on the front of their case.

    Parameters
    ----------
    pareto : Pareto
        The front that the sweep file asks for.
    found : iterable of pair of Point and Row
        All points of a sweep, with what came of them so far.

    Returns
    -------
    dict of int to {'yes', 'no', 'undecided'}
        By number of the point, of those that have a plan. Cases of the axes are judged apart.
    """
    measure = bounded(pareto.second)
    cases: dict[str, list[Reached]] = {}
    for point, row in found:
        plan = None if row is None else _reached(measure, point, row)
        if plan is not None:
            cases.setdefault(canonical(case_of(measure, point)), []).append(plan)
    return {
        number: verdict for plans in cases.values() for number, verdict in judged(plans).items()
    }


def case_of(measure: Bounded, point: Point) -> dict[str, Json]:
    """Settings of the case that a point belongs to: all but its level."""
    return {name: value for name, value in point.settings.items() if name != measure.label}


def _reached(measure: Bounded, point: Point, row: Row) -> Reached | None:
    other, value = measure.reached(row), row.value_musd
    if other is None or value is None or row.status not in ("solved", "best-found"):
        return None
    value, other = round(value, TOLD_APART), round(other, max(TOLD_APART, measure.digits))
    bound = value if row.bound_musd is None else max(value, round(row.bound_musd, TOLD_APART))
    return Reached(point.number, value, bound, -other if measure.sense == "maximise" else other)


# --- telling it ------------------------------------------------------------------------------


def on_front(
    pareto: Pareto, found: Iterable[tuple[Point, Row | None]]
) -> dict[str, dict[int, Json]]:
    """Give the column ``on_front`` by number of the point, as tables of a sweep take it."""
    return {ON_FRONT: dict(front(pareto, found))}


def front_table(
    pareto: Pareto,
    found: Iterable[tuple[Point, Row | None]],
    numbers: Container[int] | None = None,
) -> Table:
    """Tell the plans of a front by the measure beside value, case by case.

    Parameters
    ----------
    pareto : Pareto
        The front.
    found : iterable of pair of Point and Row
        All points of a sweep, with what came of them so far.
    numbers : container of int, optional
        Numbers of the points that are told; all are judged. Absent: every one.

    Returns
    -------
    Table
        One line a plan: settings of its case, what it reaches of both, whether it lies on the
        front, the level that it was sought at, and the number of its point. Points without a
        plan are left out.
    """
    measure, known = bounded(pareto.second), list(found)
    verdicts = front(pareto, known)
    axes = list(dict.fromkeys(a for point, _ in known for a in case_of(measure, point)))
    table = grid(*_headings(measure, axes))
    firsts: dict[str, int] = {}
    lines: list[tuple[int, float, float, int, list[str]]] = []
    for point, row in known:
        told_of = row is not None and (numbers is None or point.number in numbers)
        plan = _reached(measure, point, row) if told_of and row is not None else None
        if plan is not None:
            case = case_of(measure, point)
            place = firsts.setdefault(canonical(case), point.number)
            other = -plan.other if measure.sense == "maximise" else plan.other
            told = [*(_cell(case.get(axis)) for axis in axes), _cell(other),
                    f"{plan.value:,.3f}", verdicts[point.number],
                    _cell(point.settings.get(measure.label)), str(point.number)]  # fmt: skip
            lines.append((place, other, plan.value, point.number, told))
    for *_, told in sorted(lines):
        table.add_row(*told)
    return table


def _headings(measure: Bounded, axes: list[str]) -> Iterator[tuple[str, Kind]]:
    yield from ((axis, "figure") for axis in axes)
    yield f"{measure.name}, {measure.unit}".removesuffix(", "), "figure"
    yield "value, M$", "figure"
    yield "on front", "words"
    yield "level", "figure"
    yield "point", "figure"


def _cell(value: Json) -> str:
    """Write a setting or a figure, numbers as short as they are told apart.

    Examples
    --------
    >>> _cell(0.99995), _cell(1234.5), _cell("wet"), _cell(None)
    ('0.99995', '1,234.5', 'wet', '')
    """
    if value is None:
        return ""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:,.9g}" if number else str(value)
