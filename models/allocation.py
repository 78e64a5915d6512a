"""What must hold and what is best: the table of contents of the model.

One line per family. Technologies meet in two lists only, ``SPENDING`` and ``CASH_FLOWS``, and
in the loads of :mod:`models.grid`; adding one touches no other technology's file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from models import capital, grid, halls, hosting, mining, policy, racks
from models.context import Context
from models.given import TENANT, Given
from models.relation import Relation

SPENDING = (
    racks.order_spending,
    racks.transfer_spending,
    halls.conversion_spending,
    grid.project_spending,
)
CASH_FLOWS = (
    mining.mining_margin,
    hosting.hosting_margin,
    hosting.cloud_margin,
    halls.upkeep,
)

objective = capital.value

Index = tuple[Any, ...]


@dataclass(frozen=True)
class Family:
    """Constraints that one function writes.

    Parameters
    ----------
    rule : callable
        ``rule(context, *index) -> Relation``.
    over : callable
        The indices that exist in a case, in a fixed order.
    letters : str
        Names of the index positions, for messages: ``n`` node, ``s`` site and so on.
    limit : bool
        Whether a planner typed the limit (against bookkeeping that only defines a number).
    """

    rule: Callable[..., Relation]
    over: Callable[[Given], Iterable[Index]]
    letters: str
    limit: bool = True

    @property
    def function(self) -> Callable[..., Relation]:
        """The rule itself, without the technologies handed to it."""
        return self.rule.func if isinstance(self.rule, partial) else self.rule

    @property
    def name(self) -> str:
        """Module and function: row name, audit line, message and heading in one."""
        return f"{self.function.__module__.removeprefix('models.')}.{self.function.__name__}"

    def relations(self, c: Context) -> Iterator[tuple[Index, Relation]]:
        """Every relation of the family in a context, with its index."""
        rule = self.rule
        for index in self.over(c.given):
            yield index, rule(c, *index)


def _node_places(g: Given) -> Iterable[Index]:
    return ((n, p) for n in g.nodes for p in g.site_of)


def _node_sites(g: Given) -> Iterable[Index]:
    return ((n, s) for n in g.nodes for s in g.sites)


def _nodes(g: Given) -> Iterable[Index]:
    return ((n,) for n in g.nodes)


def _standing(g: Given) -> Iterable[Index]:
    return ((n, p, k) for n in g.nodes for p, types in g.racks_at.items() for k in types)


def _occupied(g: Given) -> Iterable[Index]:
    return (
        (n, p) for n in g.nodes for p in g.site_of
        if g.racks_at.get(p) or g.contracts_at.get((p, TENANT))
    )


def _leaf_places(g: Given) -> Iterable[Index]:
    vintages = {(leaf, q) for leaf, _, q, _, _ in g.hall_residual}
    return ((leaf, q) for leaf in g.tree.leaves for q in g.site_of if (leaf, q) in vintages)


def _vintages(g: Given) -> Iterable[Index]:
    return dict.fromkeys((leaf, p, q, v) for leaf, p, q, v, _ in g.hall_residual)


def _serving(g: Given) -> Iterable[Index]:
    return ((leaf, q, e) for leaf, q in _leaf_places(g) for e in g.residual_ends[q])


def _worn(g: Given) -> Iterable[Index]:
    return (
        (n, s, k)
        for n in g.nodes
        for s in g.sites
        for k in dict.fromkeys(k for h in g.halls[s] for p in g.places[h]
                               for k in g.racks_at.get(p, ()))
        if g.racks_worn.get((n, s, k)) or g.rack_life[k] <= g.tree.period[n]
    )


def _tails(g: Given) -> Iterable[Index]:
    return dict.fromkeys(
        (leaf, g.site_of[p], x, k) for leaf, x, p, k in g.tail_margin if k != TENANT
    )


def _ai_halls(g: Given) -> Iterable[Index]:
    counted = g.split_site or g.split_company or g.entry_cost
    return ((n, h) for n in g.nodes for h in g.places if _hosts_ai(g, h)) if counted else ()


def _hosts_ai(g: Given, h: str) -> bool:
    return any(g.workload_of[p] == "ai" for p in g.places[h])


def _two_businesses(g: Given) -> Iterable[Index]:
    return _node_sites(g) if g.split_site or g.split_company else ()


FAMILIES: tuple[Family, ...] = (
    Family(halls.state_balance, _node_places, "np", limit=False),
    Family(halls.fibre_limit, lambda g: (
        (n, h) for n in g.nodes for s in g.sites if s in g.needs_fibre
        for h in g.halls[s] if _hosts_ai(g, h)), "nh"),
    Family(racks.rack_balance, _standing, "npk", limit=False),
    Family(racks.transfer_balance, lambda g: (
        (n, s, a, b) for n in g.nodes for s in g.sites for a, b in g.transfers.get(s, ())),
        "nskk", limit=False),
    Family(racks.end_of_life, _worn, "nsk"),
    Family(racks.space_limit, _occupied, "np"),
    Family(racks.position_limit, lambda g: (
        (n, p) for n, p in _occupied(g) if p in g.hall_positions), "np"),
    Family(racks.whole_racks, lambda g: (
        (n, p, k) for n, p, k in _standing(g) if (p, k) in g.rack_fit), "npk"),
    Family(racks.tail_life, _tails, "nsck"),
    Family(grid.reservation, _node_sites, "ns", limit=False),
    Family(grid.interconnection, lambda g: (
        (n, s, b) for n in g.nodes for s in g.sites for b in g.bands[n, s] if g.runs[n, s, b]),
        "nsb"),
    Family(grid.firm_reservation, _node_sites, "ns"),
    Family(grid.new_power_reservation, lambda g: (
        () if g.reuse_power else _node_sites(g)), "ns"),
    Family(grid.mining_use_limit, lambda g: (
        (n, s, b) for n in g.nodes for s in g.sites if s in g.mining_mw_max
        for b in g.bands[n, s] if g.runs[n, s, b]), "nsb"),
    Family(grid.ai_use_limit, lambda g: (
        (n, s) for n in g.nodes for s in g.sites if s in g.ai_mw_max), "ns"),
    Family(grid.substation_limit, lambda g: (
        (n, s) for n in g.nodes for s in g.sites if s in g.substation_mw), "ns"),
    Family(grid.project_limit, lambda g: (
        (n, j) for n in g.tree.leaves for s in g.sites for j in g.projects.get(s, ())), "nj"),
    Family(mining.mining_limit, lambda g: (
        (n, s, f, k, b) for n in g.nodes for s in g.sites
        for b in g.bands[n, s] for f, k in g.runs[n, s, b]), "nsfkb"),
    Family(mining.presence, _two_businesses, "ns", limit=False),
    Family(hosting.delivery_balance, lambda g: (
        (n, x) for n, x in g.due_share if g.due_share[n, x] > 0), "nc"),
    Family(hosting.signing_floor, lambda g: g.signing_allowed, "nc"),
    Family(hosting.signing_limit, lambda g: g.signing_allowed, "nc"),
    Family(hosting.signing_once, lambda g: (
        (leaf, x) for leaf in g.tree.leaves for x in g.contracts), "nc"),
    Family(hosting.owner_racks_limit, lambda g: (
        (n, p, k) for n, p, k in _standing(g) if g.workload_of[p] == "ai"), "npk"),
    Family(hosting.cloud_demand_limit, lambda g: g.cloud_demand_mw, "nk"),
    Family(hosting.presence, _ai_halls, "nh", limit=False),
    Family(capital.entry, lambda g: _node_sites(g) if g.entry_cost else (), "ns", limit=False),
    Family(capital.entry_stays, lambda g: (
        _nodes(g) if g.entry_cost else ()), "n", limit=False),
    Family(capital.both_at_site, lambda g: (
        _node_sites(g) if g.split_site else ()), "ns", limit=False),
    Family(capital.both_in_company, lambda g: (
        ((n, s, r) for n in g.nodes for s in g.sites for r in g.sites)
        if g.split_company else ()), "nss", limit=False),
    Family(partial(capital.capex_balance, spending=SPENDING), _node_sites, "ns", limit=False),
    Family(partial(capital.margin_balance, cash_flows=CASH_FLOWS), _node_sites, "ns",
           limit=False),
    Family(capital.capex_budget, lambda g: g.budget_span, "bn"),
    Family(capital.cash_after_capex, _nodes, "n"),
    Family(capital.cash_balance, _nodes, "n", limit=False),
    Family(capital.cash_floor, _nodes, "n"),
    Family(capital.debt_balance, _nodes, "n", limit=False),
    Family(capital.debt_limit, _nodes, "n"),
    Family(capital.loan_to_cost, lambda g: ((n,) for n in g.nodes if n in g.draws_allowed), "n"),
    Family(policy.mining_share_floor, lambda g: (
        ((n,) for n in g.share_nodes) if g.mining_share_min > 0 else ()), "n"),
    Family(policy.mining_share_limit, lambda g: (
        ((n,) for n in g.share_nodes) if g.mining_share_max < 1 else ()), "n"),
    Family(halls.kept_vintage, _vintages, "nppn", limit=False),
    Family(halls.kept_idle, _leaf_places, "np", limit=False),
    Family(halls.kept_serving, _serving, "npc", limit=False),
)
