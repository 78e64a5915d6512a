"""Numbers of :mod:`models.halls`: states that halls can take, and the works between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.derive.facts import NO_PACKAGE, Facts, place_name
from models.tree import Node
from models.units import USD_PER_MUSD


def tables(d: Facts) -> dict[str, Any]:
    """Tables of halls, their states and the ways between."""
    ways = {
        (p.name, q.name): way
        for group in d.by_hall.values()
        for p in group
        for q in group
        if (way := d.conversion(p, q)) is not None
    }
    lag = {pq: d.lag(months) for pq, (months, _) in ways.items()}
    return {
        "sites": tuple(d.i.sites),
        "halls": {
            s: tuple(h for h, hall in d.i.halls.items() if hall.site == s) for s in d.i.sites
        },
        "places": {h: tuple(p.name for p in group) for h, group in d.by_hall.items()},
        "site_of": {p.name: p.site for p in d.place_list},
        "hall_of": {p.name: p.hall for p in d.place_list},
        "fitout_of": {p.name: p.fitout for p in d.place_list},
        "package_of": {p.name: p.package for p in d.place_list},
        "workload_of": {p.name: p.workload for p in d.place_list},
        "halls_today": _halls_today(d),
        "halls_ready": _halls_ready(d),
        "halls_most": {h: float(d.halls_most(h)) for h in d.i.halls},
        "hall_mw": {p.name: p.it_mw for p in d.place_list},
        "hall_positions": {p.name: p.positions for p in d.place_list if p.positions is not None},
        "conversion_lag": lag,
        "conversion_cost": {pq: usd / USD_PER_MUSD for pq, (_, usd) in ways.items()},
        "conversions_allowed": tuple(
            (n, p, q) for n in d.tree.nodes for p, q in ways if d.tree.lands(n, lag[p, q])
        ),
        "place_opex": _place_opex(d),
        "needs_fibre": frozenset(s for s, site in d.i.sites.items() if not site.fibre),
    }


def _halls_today(d: Facts) -> dict[str, float]:
    under_way: dict[str, int] = {}
    for work in d.i.commitments.works:
        under_way[work.hall] = under_way.get(work.hall, 0) + work.halls
    return {
        group[0].name: float(d.i.halls[h].count - under_way.get(h, 0))
        for h, group in d.by_hall.items()
    }


def untouched(d: Facts) -> dict[tuple[Node, str], float]:
    """Halls in each state where nothing is begun: those of today, and of works under way."""
    today, ready = _halls_today(d), _halls_ready(d)
    return {
        (n, p.name): today.get(p.name, 0.0)
        + sum(ready.get((m, p.name), 0.0) for m in d.tree.path(n))
        for n in d.tree.nodes
        for p in d.place_list
    }


def _halls_ready(d: Facts) -> dict[tuple[Node, str], float]:
    ready: dict[tuple[Node, str], float] = {}
    for work in d.i.commitments.works:
        place = place_name(work.hall, work.fitout, work.package or NO_PACKAGE)
        for n in d.ready_nodes(work.ready):
            ready[n, place] = ready.get((n, place), 0.0) + work.halls
    return ready


def _place_opex(d: Facts) -> dict[tuple[Node, str], float]:
    return {
        (n, p.name): cost * p.it_mw * d.tree.months
        for p in d.place_list
        if (cost := d.opex_per_mw_month(p))
        for n in d.tree.nodes
    }


def parkable(t: Mapping[str, Any]) -> tuple[tuple[Node, str], ...]:
    """Nodes and places that halls may leave, and reach by works no dearer than standing there.

    Parameters
    ----------
    t : mapping
        All tables of a case: what works can save depends on upkeep and on the cost of AI.
    """
    cheap = {q for (p, q), cost in t["conversion_cost"].items() if cost <= _spared(t, p, q)}
    left = dict.fromkeys((n, p) for n, p, _ in t["conversions_allowed"])
    return tuple((n, p) for n, p in left if p in cheap)


def _spared(t: Mapping[str, Any], p: str, q: str) -> float:
    """Most that a hall can save by being in works from one state to another."""
    group, lag = set(t["places"][t["hall_of"][p]]), t["conversion_lag"][p, q]
    upkeep = max((cost for (_, r), cost in t["place_opex"].items() if r in group), default=0.0)
    if t["workload_of"][p] != "ai" or t["workload_of"][q] != "ai":
        return float(lag * upkeep)
    two = sum(max(t[name].values(), default=0.0) for name in ("split_site", "split_company"))
    entry = t["entry_cost"] if lag and _has_ai(t, group) else 0.0
    return float(lag * (upkeep + two) + entry)


def _has_ai(t: Mapping[str, Any], group: set[str]) -> bool:
    """Whether a hall group has AI halls to begin with, or by works under way."""
    begun = {r for r, count in t["halls_today"].items() if count}
    begun |= {r for _, r in t["halls_ready"]}
    return any(t["workload_of"][r] == "ai" for r in begun & group)
