"""Numbers of :mod:`models.capital` and :mod:`models.policy`: cash, budgets, debt, shares."""

from __future__ import annotations

from typing import Any

from models.derive.facts import Facts
from models.derive.halls import untouched
from models.instance import month_index, month_text
from models.tree import Node


def tables(d: Facts) -> dict[str, Any]:
    """Tables of money: cash, budgets, costs, the loan, debt; and of policy."""
    f, t = d.i.finance, d.tree
    years = t.months / 12.0
    return {
        "opening_cash": f.opening_cash_musd,
        "minimum_cash": f.minimum_cash_musd,
        **_budgets(d),
        "capex_owed": _capex_owed(d),
        "overhead": dict.fromkeys(t.nodes, f.overhead_musd_per_year * years),
        "site_fixed": {
            (n, s): site.staff_musd_per_year * years
            for n in t.nodes
            for s, site in d.i.sites.items()
        },
        "entry_cost": 0.0 if f.hosts_ai_already else f.ai_entry_cost_musd,
        "split_company": _nonzero(t.nodes, f.split_cost_company_musd_per_year * years),
        "split_site": _nonzero(t.nodes, f.split_cost_site_musd_per_year * years),
        **_loan(d),
        "debt_principal": _dated_sum(d, "principal_musd"),
        "debt_interest": _dated_sum(d, "interest_musd"),
        "debt_left": _owed_beyond(d),
        **_shares(d),
        **_halves(d),
    }


def _loan(d: Facts) -> dict[str, Any]:
    loan, t = d.i.finance.loan, d.tree
    per_year = loan.interest_per_year if loan else 0.0
    return {
        "loan_limit": loan.limit_musd if loan else 0.0,
        "loan_interest": dict.fromkeys(t.nodes, per_year * (t.months / 12.0)),
        "loan_share": loan.loan_to_cost_share if loan else 0.0,
        "loan_fee": loan.fee_share if loan else 0.0,
        "draws_allowed": frozenset(
            n
            for n in t.nodes
            if loan is not None
            and loan.limit_musd > 0
            and (loan.draw_until is None or t.first_month(n) <= month_index(loan.draw_until))
        ),
    }


def _shares(d: Facts) -> dict[str, Any]:
    policy, t = d.i.policy, d.tree
    first = t.start if policy.shares_from is None else month_index(policy.shares_from)
    return {
        "share_nodes": tuple(n for n in t.nodes if t.first_month(n) >= first),
        "mining_share_min": max(
            policy.mining_share_min or 0.0, 1.0 - _or(policy.ai_share_max, 1.0)
        ),
        "mining_share_max": min(
            _or(policy.mining_share_max, 1.0), 1.0 - (policy.ai_share_min or 0.0)
        ),
    }


def _halves(d: Facts) -> dict[str, Any]:
    """Sites and halls that are halved: those that could run both businesses."""
    wanted = d.i.policy.halves
    uses: dict[str, set[str]] = {s: set() for s in d.i.sites}
    for place in d.place_list:
        uses[place.site].add(place.workload)
    both = [s for s, used in uses.items() if {"mining", "ai"} <= used]
    by_hall = both if wanted == "of-each-site" else []
    by_site = both if wanted == "of-the-sites" else []
    halls = {h: hall for h, hall in d.i.halls.items() if hall.site in (*by_hall, *by_site)}
    sizes = {s: [hall.it_mw for hall in halls.values() if hall.site == s] for s in both}
    largest = {s: max(sizes[s]) for s in by_hall}
    ai, mining = (_untouched_mw(d, both, use) for use in ("ai", "mining"))
    return {
        "half_mw": {p.name: halls[p.hall].it_mw for p in d.place_list if p.hall in halls},
        "largest_half_mw": largest,
        "half_apart_mw": {
            (n, s): max(largest[s], ai[n, s] - mining[n, s]) for n in d.tree.nodes for s in by_hall
        },
        "least_half_mw": {s: min(sizes[s]) for s in by_site},
        "one_business_sites": tuple(by_site),
        "one_business_at": tuple(
            (n, s) for n in d.tree.nodes for s in by_site if n in d.tree.leaves or ai[n, s] == 0
        ),
        "ai_sites_least": float(len(by_site) // 2),
        "ai_sites_most": float(-(-len(by_site) // 2)),
    }


def _untouched_mw(d: Facts, sites: list[str], use: str) -> dict[tuple[Node, str], float]:
    """IT MW, as they are today, of a site's halls of a use where nothing is begun."""
    stands = untouched(d)
    return {
        (n, s): sum(
            d.i.halls[p.hall].it_mw * stands[n, p.name]
            for p in d.place_list
            if p.site == s and p.workload == use
        )
        for n in d.tree.nodes
        for s in sites
    }


def _dated_sum(d: Facts, key: str) -> dict[Node, float]:
    sums: dict[Node, float] = {}
    for payment in d.i.commitments.debt:
        for n in d.month_node(payment.month):
            sums[n] = sums.get(n, 0.0) + getattr(payment, key)
    return {n: x for n, x in sums.items() if x}


def _owed_beyond(d: Facts) -> float:
    """Principal, and dues on what arrives within the horizon, that fall after it."""
    end = d.tree.end_month(d.tree.leaves[0])
    owed = [(p.principal_musd, p.month) for p in d.i.commitments.debt]
    owed += [
        (o.due_musd, o.due or o.delivery)
        for o in d.i.commitments.racks
        if month_index(o.delivery) < end
    ]
    owed += [
        (w.due_musd, w.due or w.ready) for w in d.i.commitments.works if month_index(w.ready) < end
    ]
    return sum(musd for musd, month in owed if month_index(month) >= end)


def _dues(d: Facts) -> list[tuple[str, float, str]]:
    """Hall group, M$ and month of what is still owed on orders and works."""
    orders = [(o.hall, o.due_musd, o.due or o.delivery) for o in d.i.commitments.racks]
    return orders + [(w.hall, w.due_musd, w.due or w.ready) for w in d.i.commitments.works]


def _capex_owed(d: Facts) -> dict[tuple[Node, str], float]:
    owed: dict[tuple[Node, str], float] = {}
    for hall, musd, month in _dues(d):
        for n in d.month_node(month):
            key = (n, d.i.halls[hall].site)
            owed[key] = owed.get(key, 0.0) + musd
    return {key: x for key, x in owed.items() if x}


def _budgets(d: Facts) -> dict[str, Any]:
    f, t = d.i.finance, d.tree
    musd: dict[str, float] = {}
    span: dict[tuple[str, Node], tuple[tuple[Node, str], ...]] = {}
    everywhere = tuple(d.i.sites)

    def add(name: str, limit: float, first: int, after: int, sites: tuple[str, ...]) -> None:
        # Of two budgets for the same span, the tighter one binds.
        musd[name] = min(limit, musd.get(name, limit))
        for leaf in t.leaves:
            inside = [n for n in t.path(leaf) if first <= t.first_month(n) < after]
            if inside:
                span[name, inside[-1]] = tuple((n, s) for n in inside for s in sites)

    last = t.end_month(t.leaves[0])
    if f.capex_budget_musd is not None:
        add("horizon", f.capex_budget_musd, t.start, last, everywhere)
    for site, limit in f.capex_budget_by_site_musd.items():
        add(f"site {site}", limit, t.start, last, (site,))
    for step in f.capex_budget_by_period:
        first = month_index(step.from_)
        after = month_index(step.to) + 1 if step.to else first + t.months
        name = f"from {step.from_} to {month_text(after - 1)}"
        add(name, step.musd, first, after, everywhere)
    return {"budget_musd": musd, "budget_span": span}


def _nonzero(nodes: tuple[Node, ...], cost: float) -> dict[Node, float]:
    return dict.fromkeys(nodes, cost) if cost else {}


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
