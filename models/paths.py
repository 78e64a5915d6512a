"""Values over time, as a case's nodes see them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from models.instance import Growth, Path, month_index
from models.mining import halvings
from models.tree import Node, Tree


def first_day(month: int) -> date:
    """First day of a month index.

    Examples
    --------
    >>> first_day(2028 * 12 + 3)
    datetime.date(2028, 4, 1)
    """
    return date(month // 12, month % 12 + 1, 1)


def month_of(day: date) -> int:
    """Month index of a day.

    Examples
    --------
    >>> month_of(date(2028, 4, 11)) == 2028 * 12 + 3
    True
    """
    return day.year * 12 + day.month - 1


def value_in_month(path: Path, month: int, start: int) -> float:
    """Value of a path in a month; before the first step, the first step's value holds.

    Examples
    --------
    >>> value_in_month(Growth(start=100.0, growth_per_month=0.01), 2, start=0)
    102.01
    """
    if isinstance(path, Growth):
        return float(path.start * (1.0 + path.growth_per_month) ** (month - start))
    if isinstance(path, list):
        reached = [step.value for step in path if month_index(step.from_) <= month]
        return reached[-1] if reached else path[0].value
    return path


def mean_over(path: Path, tree: Tree, n: Node) -> float:
    """Mean of a path over the months of a node."""
    months = range(tree.first_month(n), tree.end_month(n))
    return sum(value_in_month(path, m, tree.start) for m in months) / tree.months


def least_over(path: Path, tree: Tree, n: Node) -> float:
    """Least value of a path over the months of a node: what is there for the whole of it."""
    months = range(tree.first_month(n), tree.end_month(n))
    return min(value_in_month(path, m, tree.start) for m in months)


def daily_mean(value_on: Callable[[date], float], tree: Tree, n: Node) -> float:
    """Day-weighted mean over a node, so that a halving inside it is prorated."""
    first = first_day(tree.first_month(n)).toordinal()
    after = first_day(tree.end_month(n)).toordinal()
    return sum(value_on(date.fromordinal(day)) for day in range(first, after)) / (after - first)


def halved_since(day: date, start: date) -> float:
    """Subsidy on a day as a share of that at the start.

    Examples
    --------
    >>> halved_since(date(2028, 5, 1), date(2027, 1, 1))
    0.5
    """
    return float(0.5 ** sum(1 for h in halvings(day) if start < h <= day))
