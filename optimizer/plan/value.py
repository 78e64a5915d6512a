"""From flows to value: a bridge whose parts add up, and the returns that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from models import capital
from models.context import Context
from models.tree import Node
from optimizer.plan.ledger import END, SEGMENTS, START, THROUGH, Entry


@dataclass(frozen=True)
class BridgeRow:
    """One part of the value.

    Attributes
    ----------
    segment, part : str
        Which business, and what for.
    present_value_musd : float
        Expected present value at the plan's start; all rows add up to the value.
    """

    segment: str
    part: str
    present_value_musd: float


#: A dated flow: months from the start, and M$.
Flow = tuple[float, float]

#: Flows of less than a dollar have no sign.
_DUST = 1e-6


def bridge(plan: Context, entries: Iterable[Entry]) -> Iterator[BridgeRow]:
    """Sum the present value of every part of every business."""
    g = plan.given
    sums: dict[tuple[str, str], float] = {}
    for entry in entries:
        n, key = entry.node, (entry.segment, entry.part)
        discount = 1.0
        if entry.part not in END:
            discount = (g.discount_start if entry.part in START else g.discount_mid)[n]
        sums[key] = sums.get(key, 0.0) + g.probability[n] * discount * entry.musd
    for segment in SEGMENTS:
        for part in (*THROUGH, *START, *END):
            if (segment, part) in sums:
                yield BridgeRow(segment, part, sums[segment, part])


def equity_flows(plan: Context, entries: Iterable[Entry]) -> list[Flow]:
    """Expected flows to the owners by date, what remains as one flow at the horizon."""
    g, tree = plan.given, plan.given.tree
    sums: dict[float, float] = {}
    for entry in entries:
        month, musd = float(tree.first_month(entry.node) - tree.start), entry.musd
        if entry.part in THROUGH:
            month += tree.months / 2
        elif entry.part in END:
            month, musd = month + tree.months, musd / g.discount_end[entry.node]
        sums[month] = sums.get(month, 0.0) + g.probability[entry.node] * musd
    return sorted(sums.items())


def sign_changes(flows: Sequence[Flow], months: int) -> int:
    """Count how often dated flows, summed by spans of so many months, change sign.

    Examples
    --------
    >>> sign_changes([(0, -9.0), (6, 4.0), (12, -1.0), (18, 3.0)], 12)
    1
    >>> sign_changes([(0, -9.0), (12, 4.0), (24, -1.0)], 12)
    2
    """
    sums: dict[int, float] = {}
    for month, musd in flows:
        sums[int(month // months)] = sums.get(int(month // months), 0.0) + musd
    signs = [musd > 0 for musd in sums.values() if abs(musd) > _DUST]
    return sum(a != b for a, b in pairwise(signs))


def irr_per_year(flows: Sequence[Flow]) -> float | None:
    """Rate at which dated flows are worth nothing; None where there is no such rate, or several.

    Examples
    --------
    >>> round(irr_per_year([(0, -100.0), (12, 60.0), (24, 60.0)]), 6)
    0.130662
    >>> irr_per_year([(0, 10.0), (12, 5.0)]) is None
    True
    >>> irr_per_year([(0, -100.0), (12, 230.0), (24, -132.0)]) is None
    True
    """
    rates = [(1.0 + step / 100.0) ** 2 - 1.0 for step in range(-90, 231)]
    worth = [_worth(flows, rate) for rate in rates]
    turns = [
        (low, high)
        for low, high, a, b in zip(rates, rates[1:], worth, worth[1:], strict=False)
        if (a > 0) != (b > 0)
    ]
    if len(turns) != 1:
        return None
    low, high = turns[0]
    falling = _worth(flows, low) > 0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if (_worth(flows, middle) > 0) == falling else (low, middle)
    return (low + high) / 2


def _worth(flows: Sequence[Flow], rate: float) -> float:
    return float(sum(musd * (1.0 + rate) ** (-month / 12.0) for month, musd in flows))


def payback_months(flows: Sequence[Flow]) -> float | None:
    """Months until the owners have their money back for good; None where they never do.

    Examples
    --------
    >>> payback_months([(0, -10.0), (6, 4.0), (12, 4.0), (18, 4.0)]), payback_months([(0, 1.0)])
    (18, 0.0)
    """
    paid, back = 0.0, 0.0
    for position, (_, musd) in enumerate(flows):
        paid += musd
        if paid < 0:
            if position + 1 == len(flows):
                return None
            back = flows[position + 1][0]
    return back


def peak_funding_musd(plan: Context, entries: Iterable[Entry]) -> float:
    """Most money that the plan is ever short of before any loan, on its worst path."""
    flows: dict[tuple[Node, bool], float] = {}
    loan = ("loan_drawn", "loan_repaid", "interest")
    for entry in entries:
        if entry.part not in (*END, *loan):
            key = (entry.node, entry.part in START)
            flows[key] = flows.get(key, 0.0) + entry.musd
    deepest = 0.0
    for leaf in plan.given.tree.leaves:
        paid = 0.0
        for n in plan.given.tree.path(leaf):
            for at_start in (True, False):
                paid += flows.get((n, at_start), 0.0)
                deepest = min(deepest, paid)
    return 0.0 - deepest


def lowest_cash(plan: Context) -> tuple[float, Node]:
    """Least cash that is ever held, after capex or at a period's end, and in which period."""
    return min(
        (float(cash), n)
        for n in plan.given.nodes
        for cash in (capital.cash_before(plan, n) + capital.start_flow(plan, n), plan.cash[n,])
    )
