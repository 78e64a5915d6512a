"""Numbers of :mod:`models.mining`: what energy costs beside its price, what mining earns."""

from __future__ import annotations

from typing import Any

from models.derive.facts import Facts, watt
from models.mining import revenue_usd_per_mwh
from models.tree import Node
from models.units import USD_PER_MUSD


def tables(d: Facts) -> dict[str, Any]:
    """Tables of energy and mining but the bands, which come with the hours."""
    t = d.tree
    supply = {s: d.i.power[site.power or s] for s, site in d.i.sites.items()}
    classes = _classes(d)
    return {
        "pue": {f: fitout.pue for f, fitout in d.i.fitouts.items()},
        "pue_peak": {f: x.pue_peak or x.pue for f, x in d.i.fitouts.items()},
        "bands": {},
        "hours": {},
        "price": {},
        "cut": {},
        "off": {},
        "interruptible_at": {},
        "runs": {},
        "price_growth": {
            (n, s): (1.0 + block.growth_per_year)
            ** ((t.first_month(n) + t.months / 2 - t.start) / 12.0)
            for n in t.nodes
            for s, block in supply.items()
        },
        "exchange": {(n, s): _exchange(d, n, s) for n in t.nodes for s in supply},
        "adder": {s: b.adder_usd_per_mwh / USD_PER_MUSD for s, b in supply.items()},
        "mining_adder": {s: b.mining_adder_usd_per_mwh / USD_PER_MUSD for s, b in supply.items()},
        "ai_adder": {s: b.ai_adder_usd_per_mwh / USD_PER_MUSD for s, b in supply.items()},
        "mining_revenue": _mining_revenue(d),
        "mining_ready": {
            k: d.i.machines[rack.machine].availability_share if rack.machine else 1.0
            for k, rack in d.i.racks.items()
            if rack.workload == "mining"
        },
        "mining_classes": {
            s: tuple(dict.fromkeys((f, k) for x, f, k in classes if x == s)) for s in d.i.sites
        },
        "places_of_class": {key: tuple(names) for key, names in classes.items()},
        "mining_mw_most": {
            s: sum(_most_mining(d, h) for h, hall in d.i.halls.items() if hall.site == s)
            for s in d.i.sites
        },
    }


def _exchange(d: Facts, n: Node, s: str) -> float:
    """Mean exchange rate over the months of a node."""
    months = range(d.tree.first_month(n), d.tree.end_month(n))
    return sum(d.usd_per_unit(s, month) for month in months) / d.tree.months


def _classes(d: Facts) -> dict[tuple[str, str, str], list[str]]:
    classes: dict[tuple[str, str, str], list[str]] = {}
    for p in d.place_list:
        if p.workload == "mining":
            for k in d.racks_at[p.name]:
                if d.i.racks[k].machine is not None:
                    classes.setdefault((p.site, p.fitout, k), []).append(p.name)
    return classes


def _most_mining(d: Facts, h: str) -> float:
    mining = [p.it_mw for p in d.by_hall[h] if p.workload == "mining"]
    return d.halls_most(h) * max(mining, default=0.0)


def _mining_revenue(d: Facts) -> dict[tuple[Node, str], float]:
    keep = 1.0 - d.i.bitcoin.pool_fee_share
    hashprice = {n: d.hashprice(n) for n in d.tree.nodes}
    return {
        (n, k): keep
        * revenue_usd_per_mwh(hashprice[n], watt(machine) / machine.th_per_s)
        / USD_PER_MUSD
        for k, rack in d.i.racks.items()
        if rack.machine is not None and (machine := d.i.machines[rack.machine])
        for n in d.tree.nodes
    }
