"""Numbers of :mod:`models.racks`: what stands where, what may be ordered, moved and rebuilt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from models.derive.facts import Facts, Place
from models.instance import month_index
from models.tree import Node
from models.units import KW_PER_MW, USD_PER_MUSD


def tables(d: Facts) -> dict[str, Any]:
    """Tables of racks: what stands, what may come, what it costs and how long it lives."""
    types = d.i.racks
    orders, transfers = _orders_allowed(d), _transfers(d)
    groups = _rack_groups(d, transfers)
    deposit = {k: d.price_usd(k) * r.deposit_share for k, r in types.items()}
    t = d.tree
    return {
        "racks_at": d.racks_at,
        "rack_mw": {k: d.rack_kw[k] / KW_PER_MW for k in types},
        "rack_positions": {k: r.positions for k, r in types.items()},
        "rack_fit": _rack_fit(d),
        "mixes": {},
        "fillings": {},
        "racks_today": _racks_today(d),
        "racks_arriving": _racks_arriving(d),
        "racks_young": _racks_young(d),
        "racks_unworn": _racks_unworn(d),
        "rack_life": {k: d.life_months(k) // t.months for k in types},
        "rack_life_months": {k: d.life_months(k) for k in types},
        "rack_lag": {k: d.lag(r.delivery_months) for k, r in types.items()},
        "rack_deposit": {k: usd / USD_PER_MUSD for k, usd in deposit.items()},
        "rack_due": {k: (d.price_usd(k) - deposit[k]) / USD_PER_MUSD for k in types},
        "resale": {
            (n, k): d.resale_usd(k, t.first_month(n)) / USD_PER_MUSD
            for n in t.nodes
            for k in types
        },
        "resale_end": {
            (n, k): d.resale_usd(k, t.end_month(n)) / USD_PER_MUSD for n in t.leaves for k in types
        },
        "orders_allowed": orders,
        "rack_groups": groups,
        "racks_landing": _racks_landing(d, orders, groups),
        "sites_kept": frozenset(d.i.policy.keep_sites),
        **transfers,
    }


def _rack_fit(d: Facts) -> dict[tuple[str, str], float]:
    """Count, of racks at least as large as a type, how many whole ones a hall holds.

    Where power and floor divide evenly, their own rows say as much.
    """
    fit: dict[tuple[str, str], float] = {}
    for p in d.place_list:
        for k in d.racks_at[p.name]:
            larger = [r for r in d.racks_at[p.name] if d.rack_kw[r] >= d.rack_kw[k]]
            room = p.it_mw * KW_PER_MW / d.rack_kw[k]
            smallest = min(d.i.racks[r].positions for r in larger)
            if p.positions is not None and smallest:
                room = min(room, p.positions / smallest)
            if math.floor(room + 1e-9) < room - 1e-9:
                fit[p.name, k] = float(math.floor(room + 1e-9))
    return fit


def _racks_today(d: Facts) -> dict[tuple[str, str], float]:
    standing: dict[tuple[str, str], float] = {}
    for row in d.i.fleet:
        key = (d.home(row.hall, row.rack), row.rack)
        standing[key] = standing.get(key, 0.0) + row.racks
    return standing


def _racks_arriving(d: Facts) -> dict[tuple[Node, str, str], float]:
    arriving: dict[tuple[Node, str, str], float] = {}
    for order in d.i.commitments.racks:
        place = d.landing(order.hall, order.rack, d.ready_period(order.delivery))
        for n in d.ready_nodes(order.delivery):
            key = (n, place, order.rack)
            arriving[key] = arriving.get(key, 0.0) + order.racks
    return arriving


def _racks_young(d: Facts) -> dict[tuple[Node, str, str], float]:
    """Count today's racks and standing orders that have come and live through a whole node.

    A life counts in whole periods, as that of racks ordered within the horizon does. Nodes at
    which none of a type is worn out yet are left out: nothing can bind there.
    """
    young: dict[tuple[Node, str, str], float] = {}
    worn: set[tuple[Node, str, str]] = set()
    for site, k, count, came in d.comings():
        for n in d.tree.nodes:
            if came + d.life_months(k) < d.tree.end_month(n):
                worn.add((n, site, k))
            elif came <= d.tree.first_month(n):
                young[n, site, k] = young.get((n, site, k), 0.0) + count
    aged = {
        (n, site, k)
        for n in d.tree.nodes
        for site, k in dict.fromkeys((s, k) for s, k, _, _ in d.comings())
        if (n, site, k) in worn or d.life_months(k) // d.tree.months <= d.tree.period[n]
    }
    return {key: young.get(key, 0.0) for key in sorted(aged)}


def _racks_unworn(d: Facts) -> dict[tuple[Node, str, str], float]:
    """Count, at sites that stay as they are, the racks of a place that are not worn out yet."""
    kept = {p.name for p in d.place_list if d.keeps(p.site)}
    unworn: dict[tuple[Node, str, str], float] = {}
    for x in d.landings:
        for n in d.tree.nodes:
            alive = x.month + d.life_months(x.rack) >= d.tree.end_month(n)
            if x.place in kept and x.month <= d.tree.first_month(n) and alive:
                key = (n, x.place, x.rack)
                unworn[key] = unworn.get(key, 0.0) + x.racks
    return unworn


def _orders_allowed(d: Facts) -> tuple[tuple[Node, str, str], ...]:
    return tuple(
        (n, p.name, k)
        for n in d.tree.nodes
        for p in d.place_list
        for k in d.racks_at[p.name]
        if _may_order(d, n, p, k)
    )


def _rack_groups(d: Facts, transfers: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Join the rack types of a site that rebuilds without lead time turn into one another."""
    groups: dict[tuple[str, str], tuple[str, ...]] = {}
    for s in d.i.sites:
        held = {k for p in d.place_list if p.site == s for k in d.racks_at[p.name]}
        group_of = {k: {k} for k in d.i.racks if k in held}
        for a, b in transfers["transfers"].get(s, ()):
            if not transfers["transfer_lag"][a, b]:
                joined = group_of[a] | group_of[b]
                group_of |= dict.fromkeys(joined, joined)
        for joined in group_of.values():
            group = tuple(k for k in d.i.racks if k in joined)
            groups[s, group[0]] = group
    return groups


def _racks_landing(
    d: Facts,
    orders: tuple[tuple[Node, str, str], ...],
    groups: Mapping[tuple[str, str], tuple[str, ...]],
) -> tuple[tuple[Node, str, str], ...]:
    """Nodes, sites and groups of which an order within the horizon can land."""
    site = {p.name: p.site for p in d.place_list}
    ordered = {(v, site[p], k) for v, p, k in orders}
    lag = {k: d.lag(rack.delivery_months) for k, rack in d.i.racks.items()}
    return tuple(
        (n, s, first)
        for n in d.tree.nodes
        for (s, first), group in groups.items()
        if any((d.tree.ancestor(n, lag[k]), s, k) in ordered for k in group)
    )


def _may_order(d: Facts, n: Node, p: Place, k: str) -> bool:
    rack, month = d.i.racks[k], d.tree.first_month(n)
    return (
        rack.buyable
        and not d.keeps(p.site)
        and d.tree.lands(n, d.lag(rack.delivery_months))
        and (rack.buy_from is None or month >= month_index(rack.buy_from))
        and (rack.buy_until is None or month <= month_index(rack.buy_until))
    )


def _transfers(d: Facts) -> dict[str, Any]:
    pairs: dict[str, tuple[tuple[str, str], ...]] = {}
    lag: dict[tuple[str, str], int] = {}
    cost: dict[tuple[str, str], float] = {}
    for s in d.i.sites:
        if d.keeps(s):
            continue
        homes = {k: [p for p in d.place_list if p.site == s and d.holds(p, k)] for k in d.i.racks}
        found = []
        for k, rack in d.i.racks.items():
            if rack.move_usd is not None and len(homes[k]) > 1:
                found.append((k, k))
                lag[k, k], cost[k, k] = 0, rack.move_usd / USD_PER_MUSD
            to = rack.converts_to
            if to is not None and d.i.policy.reuse_gpus and homes[k] and homes[to.rack]:
                found.append((k, to.rack))
                lag[k, to.rack] = d.lag(to.months)
                cost[k, to.rack] = to.cost_usd / USD_PER_MUSD
        if found:
            pairs[s] = tuple(found)
    return {"transfers": pairs, "transfer_lag": lag, "transfer_cost": cost}
