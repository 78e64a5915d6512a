"""Numbers of :mod:`models.hosting`: who may serve which contract where, and who may sign."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from models.derive.facts import Facts
from models.given import TENANT
from models.instance import Contract, month_index
from models.paths import least_over
from models.tree import Node
from models.units import KW_PER_MW, USD_PER_MUSD


def tables(d: Facts) -> dict[str, Any]:
    """Tables of contracts and GPU-hours but those that follow from dates."""
    return {**_serving(d), **_offers(d), **_cloud(d)}


def _serving(d: Facts) -> dict[str, Any]:
    offers = d.i.contracts
    signed = {s.contract for s in d.i.commitments.contracts}
    at = {x: _hosting_at(d, offer, signed=x in signed) for x, offer in offers.items()}
    contracts_at: dict[tuple[str, str], tuple[str, ...]] = {}
    for x, pairs in at.items():
        for pair in pairs:
            contracts_at[pair] = (*contracts_at.get(pair, ()), x)
    hosted: dict[str, tuple[str, ...]] = {}
    for p, k in contracts_at:
        hosted[p] = (*hosted.get(p, ()), k)
    return {
        "contracts": tuple(offers),
        "hosting_at": at,
        "contracts_at": contracts_at,
        "hosted_types": hosted,
        "sheddable": _sheddable(d, at),
    }


def _sheddable(
    d: Facts, at: Mapping[str, tuple[tuple[str, str], ...]]
) -> dict[str, tuple[str, ...]]:
    """Contracts that allow hours of the year in which they are off, by site."""
    allowing = [x for x, offer in d.i.contracts.items() if offer.curtailable_hours_per_year]
    site = {p.name: p.site for p in d.place_list}
    return {
        s: names
        for s in d.i.sites
        if (names := tuple(x for x in allowing if any(site[p] == s for p, _ in at[x])))
    }


def _offers(d: Facts) -> dict[str, Any]:
    t, offers = d.tree, d.i.contracts
    return {
        "signing_allowed": tuple(
            (n, x) for n in t.nodes for x, offer in offers.items() if _may_sign(d, n, x)
        ),
        "signed_today_mw": {s.contract: s.mw for s in d.i.commitments.contracts},
        "contract_min_mw": {x: offer.min_mw for x, offer in offers.items()},
        "contract_max_mw": {x: offer.max_mw for x, offer in offers.items()},
        "tenant_positions": {
            x: KW_PER_MW / offer.kw_per_rack
            for x, offer in offers.items()
            if offer.racks_by == "tenant" and offer.kw_per_rack is not None
        },
        "prepayment": {
            x: d.share_within(offer) * offer.prepayment_usd_per_kw * KW_PER_MW / USD_PER_MUSD
            for x, offer in offers.items()
        },
        "tenant_works": {
            x: d.share_within(offer) * offer.tenant_works_usd_per_kw * KW_PER_MW / USD_PER_MUSD
            for x, offer in offers.items()
        },
    }


def _cloud(d: Facts) -> dict[str, Any]:
    t = d.tree
    return {
        "cloud_at": tuple(
            (p.name, k)
            for p in d.place_list
            if p.workload == "ai"
            for k in d.racks_at[p.name]
            if k in d.i.gpu_cloud
        ),
        "cloud_demand_mw": {
            (n, k): least_over(sold.demand_limit_mw, t, n)
            for k, sold in d.i.gpu_cloud.items()
            if sold.demand_limit_mw is not None
            for n in t.nodes
        },
    }


def _hosting_at(d: Facts, offer: Contract, *, signed: bool) -> tuple[tuple[str, str], ...]:
    """Where a contract may be served; sites that stay as they are take on no new one."""
    pairs: list[tuple[str, str]] = []
    for p in d.place_list:
        if p.workload != "ai" or not d.can_promise(p, offer):
            continue
        if d.keeps(p.site) and not signed:
            continue
        if offer.sites is not None and p.site not in offer.sites:
            continue
        fitout = d.i.fitouts[p.fitout]
        if offer.cooling is not None and offer.cooling != fitout.cooling:
            continue
        if offer.racks_by == "owner":
            pairs += [(p.name, k) for k in offer.racks if k in d.racks_at[p.name]]
        elif (offer.kw_per_rack or 0.0) <= (fitout.kw_per_rack_max or math.inf):
            pairs.append((p.name, TENANT))
    return tuple(pairs)


def _may_sign(d: Facts, n: Node, x: str) -> bool:
    """Whether a contract is signed at a node, where signing at no other would be as good.

    Without an advance nothing moves at signing, so the last moment before the deadline is as
    good as any before and waits for more news. With one, the first moment of a stretch without
    branches is best: the cash comes sooner, and the credits do not move.
    """
    if not signing_open(d, n, x):
        return False
    offer, tree = d.i.contracts[x], d.tree
    if offer.prepayment_usd_per_kw or offer.tenant_works_usd_per_kw:
        parent = tree.parent[n]
        return parent is None or len(tree.children(parent)) > 1
    return not any(signing_open(d, child, x) for child in tree.children(n))


def signing_open(d: Facts, n: Node, x: str) -> bool:
    """Whether an offer still stands at a node, and service under it would begin in the horizon."""
    offer = d.i.contracts[x]
    signed = any(s.contract == x for s in d.i.commitments.contracts)
    waits = next((step.after_months for step in offer.ramp if step.share > 0), 0)
    first_due = month_index(offer.start) + waits
    in_horizon = waits < offer.months and first_due < d.tree.end_month(d.tree.leaves[0])
    return not signed and in_horizon and d.tree.first_month(n) <= month_index(offer.sign_by)
