"""What a plan does, as a list that a person can read, change, and hand back.

``actions.csv`` has one line per action: what to sign, build, convert, order, move, rebuild and
sell, when to commit to it at the latest, and what money is gone from then on. Here it is written
from a plan; :mod:`optimizer.pins` reads it back as decisions taken, the whole list or a part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from models.build import Column
from models.context import Context
from models.given import Given, Place, RackType, Site
from models.instance import month_text
from models.tree import Node
from optimizer.case import Case
from optimizer.words import state_of

Verb = Literal["sign", "build", "install", "convert", "order", "move", "rebuild", "sell"]

#: What can be done, in the order in which a list tells it, and what it is counted in.
UNITS: Mapping[Verb, str] = {
    "sign": "MW", "build": "units", "install": "units", "convert": "halls", "order": "racks",
    "move": "racks", "rebuild": "racks", "sell": "racks",
}  # fmt: skip
COLUMNS = (
    "action", "month", "node", "site", "subject", "from", "to", "amount", "unit", "arrives",
    "capex_musd", "irrevocable_musd",
)  # fmt: skip
#: Column that says where a line came from, in a list that completes another.
MARK = "decided"
#: What it may say: the plan that was handed in, the instance's own ``policy.pin``, or neither.
PLAN, POLICY, ADDED = "plan", "policy", "added"


@dataclass(frozen=True)
class Lists:
    """Decisions taken before the search: by the plan handed in, and by the instance's policy."""

    plan: Mapping[Column, float]
    policy: Mapping[Column, float]

    def origin(self, columns: Iterable[Column]) -> str:
        """Say which list, if any, holds one of the decisions of an action."""
        decided = list(columns)
        for name, pins in ((PLAN, self.plan), (POLICY, self.policy)):
            if any(pins.get(column) for column in decided):
                return name
        return ADDED


@dataclass(frozen=True)
class Action:
    """One line of the list, before it is written."""

    verb: Verb
    node: Node
    site: Site
    subject: str
    amount: float
    origin: Place = ""
    target: Place = ""
    arrives: str = ""
    paid_musd: float = 0.0
    owed_musd: float = 0.0
    columns: tuple[Column, ...] = ()

    def row(self, given: Given) -> tuple[Any, ...]:
        """Write the line in the order of the columns."""
        month = month_text(given.tree.first_month(self.node))
        paid, owed = self.paid_musd * self.amount, self.owed_musd * self.amount
        return (
            self.verb, month, self.node, self.site, self.subject, self.origin, self.target,
            self.amount, UNITS[self.verb], self.arrives or month, paid, paid + owed,
        )  # fmt: skip


def actions_of(case: Case, plan: Context, lists: Lists | None = None) -> pd.DataFrame:
    """List what a plan does.

    Parameters
    ----------
    case : Case
        What is given.
    plan : Context
        The plan on floats, its integers whole.
    lists : Lists, optional
        Decisions that were taken before; a column ``decided`` then says which actions they hold
        and which were added to complete them.

    Returns
    -------
    DataFrame
        A row per action, by node and kind: ``month`` is the first of the period and the last in
        which to commit; ``capex_musd`` is paid then, ``irrevocable_musd`` is that and what falls
        due later because of it; both in M$.
    """
    writers = (_signings, _builds, _installations, _conversions, _orders, _transfers, _sales)
    found = [action for write in writers for action in write(case, plan)]
    rank = {verb: position for position, verb in enumerate(UNITS)}
    found.sort(key=lambda action: (action.node, rank[action.verb]))
    table = pd.DataFrame([action.row(case.given) for action in found], columns=list(COLUMNS))
    floats = dict.fromkeys(("amount", "capex_musd", "irrevocable_musd"), "float64")
    table = table.astype({"node": "int64"} | floats)
    if lists is not None:
        table[MARK] = pd.Series([lists.origin(a.columns) for a in found], dtype="str")
    return table


def _after(g: Given, n: Node, lag: int) -> str:
    return month_text(g.tree.first_month(n) + lag * g.tree.months)


def _signings(case: Case, plan: Context) -> Iterator[Action]:
    for (n, x), signed in plan.signing.items():
        if signed:
            start = case.instance.contracts[x].start
            yield Action("sign", n, "", x, plan.signed_mw[n, x], arrives=start,
                         columns=(("signing", (n, x)),))  # fmt: skip


def _builds(case: Case, plan: Context) -> Iterator[Action]:
    g, projects = case.given, case.instance.projects
    for (n, j), units in plan.builds.items():
        if units:
            arrives = _after(g, n, g.project_lag[j])
            yield Action("build", n, projects[j].site, j, units, arrives=arrives,
                         paid_musd=g.project_cost[j], columns=(("builds", (n, j)),))  # fmt: skip


def _installations(case: Case, plan: Context) -> Iterator[Action]:
    g = case.given
    for (n, s, d, u), units in plan.plant_orders.items():
        if units:
            yield Action("install", n, s, u, units, target=d, arrives=_after(g, n, g.plant_lag[u]),
                         paid_musd=g.plant_cost[s, d, u])  # fmt: skip


def _conversions(case: Case, plan: Context) -> Iterator[Action]:
    g = case.given
    for (n, p, q), count in plan.conversions.items():
        if count:
            arrives = _after(g, n, g.conversion_lag[p, q])
            yield Action("convert", n, g.site_of[p], state_of(q), count, p, q, arrives,
                         g.conversion_cost[p, q],
                         columns=(("conversions", (n, p, q)),))  # fmt: skip


def _orders(case: Case, plan: Context) -> Iterator[Action]:
    g = case.given
    for (n, p, k), count in plan.orders.items():
        if count:
            arrives = _after(g, n, g.rack_lag[k])
            yield Action("order", n, g.site_of[p], k, count, "", p, arrives,
                         g.rack_deposit[k], g.rack_due[k],
                         columns=(("orders", (n, p, k)),))  # fmt: skip


def _sales(case: Case, plan: Context) -> Iterator[Action]:
    for (n, p, k), count in plan.sales.items():
        if count:
            yield Action("sell", n, case.given.site_of[p], k, count, origin=p,
                         columns=(("sales", (n, p, k)),))  # fmt: skip


def _transfers(case: Case, plan: Context) -> Iterator[Action]:
    """Pair what leaves with what arrives; apart where branches of the tree take it elsewhere."""
    g = case.given
    sent, come = _by_pair(g, plan.leaving), _by_pair(g, plan.arriving)
    for (n, s, a, b), leaving in sent.items():
        verb: Verb = "move" if a == b else "rebuild"
        lag = g.transfer_lag[a, b]
        ends = arrival_nodes(g, n, lag)
        pairings = [_paired(leaving, come.get((m, s, a, b), {})) for m in ends]
        cost, arrives = g.transfer_cost[a, b], _after(g, n, lag)
        if all(pairing == pairings[0] for pairing in pairings):
            for p, q, count in pairings[0]:
                begun = ("leaving", (n, p, a, b)), *(("arriving", (m, q, a, b)) for m in ends)
                yield Action(verb, n, s, a, count, p, q, arrives, cost, columns=begun)
            continue
        for p, count in leaving.items():
            yield Action(verb, n, s, a, count, p, "", arrives, cost,
                         columns=(("leaving", (n, p, a, b)),))  # fmt: skip
        for m in ends:
            for q, count in come[m, s, a, b].items():
                yield Action(verb, m, s, a, count, "", q,
                             columns=(("arriving", (m, q, a, b)),))  # fmt: skip


def _by_pair(
    g: Given, counts: Mapping[Any, float]
) -> dict[tuple[Node, Site, RackType, RackType], dict[Place, float]]:
    by_pair: dict[tuple[Node, Site, RackType, RackType], dict[Place, float]] = defaultdict(dict)
    for (n, p, a, b), count in counts.items():
        if count:
            by_pair[n, g.site_of[p], a, b][p] = count
    return by_pair


def arrival_nodes(g: Given, n: Node, lag: int) -> list[Node]:
    """Nodes at which arrives what was begun at ``n``: one per branch."""
    return [m for m in g.tree.nodes if g.tree.ancestor(m, lag) == n]


def _paired(
    leaving: Mapping[Place, float], arriving: Mapping[Place, float]
) -> list[tuple[Place, Place, float]]:
    """Fill the places of arrival one after another.

    Examples
    --------
    >>> _paired({"old": 5, "older": 2}, {"new": 3, "newer": 4})
    [('old', 'new', 3), ('old', 'newer', 2), ('older', 'newer', 2)]
    """
    pairs: list[tuple[Place, Place, float]] = []
    room = dict(arriving)
    for p, left in leaving.items():
        for q in room:
            moved = min(left, room[q])
            if moved:
                pairs.append((p, q, moved))
                left -= moved
                room[q] -= moved
    return pairs
