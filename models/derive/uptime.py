"""Numbers of :mod:`models.uptime`: what plants of sites can be, and what their units cost.

A site's plant is left to the model: type and number of units, with the AI load that they carry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from models.availability import DOWNTIME_PARTS
from models.derive.designs import Designs
from models.derive.reach import Bank, Promise, promise_of, units_needed, weight_of
from models.instance import Component
from models.units import KW_PER_MW, USD_PER_MUSD

if TYPE_CHECKING:
    from models.derive.facts import Facts

#: Probability below which a number of units up is left out of the rows: a watt in a hundred MW.
LIKELY = 1e-8


@dataclass(frozen=True)
class Option:
    """One way for a site's plant to carry the AI load: so many units, so many of them needed."""

    bank: Bank
    unit: str
    mw: float

    @property
    def units(self) -> int:
        """Units that have to stand."""
        return sum(count for _, count in self.bank.counts)

    @property
    def name(self) -> str:
        """Name it: units installed, and those needed.

        Examples
        --------
        >>> Option(Bank("power", (("diesel", 5),), 4), "diesel", 10.0).name
        'diesel-5-for-4'
        """
        return f"{self.unit}-{self.units}-for-{self.bank.needed}" if self.bank.counts else "none"


@dataclass(frozen=True)
class Pool:
    """Units that carry AI and mining together.

    Attributes
    ----------
    unit : str
        Their kind.
    count : int
        How many.
    unit_mw : float
        Facility MW that one carries.
    """

    unit: str
    count: int
    unit_mw: float

    @property
    def name(self) -> str:
        """Name it.

        Examples
        --------
        >>> Pool("block", 10, 12.5).name
        'block-10'
        """
        return f"{self.unit}-{self.count}"


class Plants:
    """What the plants of sites can be: subsystems, kinds of units, and ways to carry a load."""

    def __init__(
        self,
        designs: Designs,
        ai_mw_most: Mapping[str, float],
        pool_mw_most: Mapping[str, float] | None = None,
    ) -> None:
        self.i = designs.i
        self.reach = designs.reach
        self.promises = designs.promises
        self.ai_mw_most = ai_mw_most
        self.pool_mw_most = pool_mw_most or ai_mw_most
        parts = self.i.uptime.subsystems
        self.parts: dict[str, tuple[str, ...]] = {
            s: tuple(
                name
                for name, part in parts.items()
                if part.level == "site" and (part.sites is None or s in part.sites)
            )
            for s in self.i.sites
        }

    @cached_property
    def options(self) -> dict[tuple[str, str], tuple[Option, ...]]:
        """Ways to carry the load, by site and subsystem."""
        return {
            (s, part): tuple(self._options(s, part))
            for s, parts in self.parts.items()
            for part in parts
        }

    def _options(self, s: str, name: str) -> Iterator[Option]:
        """Walk the ways that differ: more units that make no promise easier are left out."""
        part, most = self.i.uptime.subsystems[name], self.most_mw(s, name)
        if part.feed is not None:
            yield Option(Bank(name, (), 0), "", most)
        for unit in part.components:
            size = self.i.uptime.components[unit].unit_mw
            for needed in range(1, units_needed(most * part.load_share, size) + 1):
                mw = most if size is None else needed * size / part.load_share
                before: list[int] = []
                for count in range(needed, self.most_units(s, name, unit) + 1):
                    option = Option(Bank(name, ((unit, count),), needed), unit, min(mw, most))
                    weights = [self._weight(option, promise) for promise in self.promises]
                    if weights != before:
                        yield option
                    before = weights

    def most_units(self, s: str, name: str, unit: str) -> int:
        """Most units that any load needs with its spares, or as many as stand."""
        part = self.i.uptime.subsystems[name]
        size = self.i.uptime.components[unit].unit_mw
        largest = units_needed(self.most_mw(s, name) * part.load_share, size) + part.spares_max
        standing = self.i.sites[s].plant.get(name)
        today = standing.units if standing and standing.component == unit else 0
        return max(largest, today)

    def most_mw(self, s: str, name: str) -> float:
        """Most MW that a part may ever carry: AI's, or all of a site's where mining shares it."""
        pooled = self.i.uptime.subsystems[name].pooled
        return self.pool_mw_most[s] if pooled else self.ai_mw_most[s]

    @cached_property
    def pools(self) -> dict[tuple[str, str], tuple[Pool, ...]]:
        """Numbers of units that mining and AI may share, by site and pooled part."""
        return {
            (s, name): tuple(self._pools(s, name))
            for s, parts in self.parts.items()
            for name in parts
            if self.i.uptime.subsystems[name].pooled
        }

    def _pools(self, s: str, name: str) -> Iterator[Pool]:
        part, most = self.i.uptime.subsystems[name], self.most_mw(s, name)
        for unit in part.components:
            size = self.i.uptime.components[unit].unit_mw
            mw = most if size is None else size / part.load_share
            for count in range(1, self.most_units(s, name, unit) + 1):
                yield Pool(unit, count, mw)

    @cached_property
    def weights(self) -> dict[tuple[str, str, str, str], int]:
        """Parts of the downtime of a promise that an option uses up, where it leaves any."""
        return {
            (s, part, option.name, promise.name): weight
            for (s, part), options in self.options.items()
            for option in options
            for promise in self.promises
            if (weight := self._weight(option, promise)) <= DOWNTIME_PARTS
        }

    def _weight(self, option: Option, promise: Promise) -> int:
        excluded = promise.planned_work_excluded
        return weight_of(self.reach.bank(option.bank, planned_work_excluded=excluded), promise)

    def least_weight(self, s: str, promise: Promise) -> int:
        """Downtime that a site's best plant uses up of a promise; too much where there is none."""
        least = 0
        for part in self.parts[s]:
            own = [
                self.weights.get((s, part, option.name, promise.name), DOWNTIME_PARTS + 1)
                for option in self.options[s, part]
            ]
            least += min(own, default=DOWNTIME_PARTS + 1)
        return least


def tables(d: Facts) -> dict[str, Any]:
    """Tables of plants: their parts, what units cost, and what each way to carry a load uses."""
    plants = d.plants
    learns = d.designs.learns
    used = {s for s, parts in plants.parts.items() if parts or (learns and d.promised_at(s))}
    options = {key: ways for key, ways in plants.options.items() if key[0] in used}
    choices = {(s, part): tuple(d.i.uptime.subsystems[part].components) for s, part in options}
    units = {u for own in choices.values() for u in own}
    kinds = {u: kind for u, kind in d.i.uptime.components.items() if u in units}
    return {
        "sla_classes": tuple(p.name for p in plants.promises),
        "class_of": {
            x: promise_of(offer).name
            for x, offer in d.i.contracts.items()
            if offer.availability > 0
        },
        "plant_parts": {s: plants.parts[s] for s in d.i.sites if s in used},
        "plant_units": choices,
        "plant_options": {
            (s, part): tuple(
                way.name
                for way in ways
                if any((s, part, way.name, p.name) in plants.weights for p in plants.promises)
            )
            for (s, part), ways in options.items()
        },
        "option_unit": {
            (s, r, way.name): way.unit for (s, r), ways in options.items() for way in ways
        },
        "option_count": {
            (s, r, way.name): float(way.units) for (s, r), ways in options.items() for way in ways
        },
        "option_mw": {
            (s, r, way.name): way.mw for (s, r), ways in options.items() for way in ways
        },
        "option_weight": {
            key: float(weight) for key, weight in plants.weights.items() if key[0] in used
        },
        "place_weight": {
            (p.name, promise.name): float(weight)
            for p in d.place_list
            if p.workload == "ai" and p.site in used
            for promise in plants.promises
            if (weight := d.hall_weight(p, promise)) <= DOWNTIME_PARTS
        },
        "learning_weight": _learning(d) if learns else {},
        "one_hall": 1.0,
        "downtime_parts": float(DOWNTIME_PARTS),
        **_pools(d),
        **_units(d, choices, kinds),
    }


def _learning(d: Facts) -> dict[tuple[str, int], float]:
    """Downtime that a newcomer uses up beyond an old hand, by periods since it began."""
    found: dict[tuple[str, int], float] = {}
    for promise in d.plants.promises:
        usual = d.designs.company_weight(promise, None)
        for age in range(d.tree.periods):
            more = d.designs.company_weight(promise, float(age * d.tree.months)) - usual
            if more > 0:
                # More than all is no more than too much; who serves nothing may still begin.
                found[promise.name, age] = float(min(more, DOWNTIME_PARTS + 1 - max(1, usual)))
    return found


def _pools(d: Facts) -> dict[str, Any]:
    """Tables of what mining shares: units, and how likely so few of them are up."""
    pools = d.plants.pools
    up = {
        (s, part, pool.name): [
            float(p) for p in d.plants.reach.up_probabilities(part, pool.unit, pool.count)
        ]
        for (s, part), found in pools.items()
        for pool in found
    }
    return {
        "pooled_parts": {
            s: tuple(part for t, part in pools if t == s)
            for s in dict.fromkeys(s for s, _ in pools)
        },
        "pools": {key: tuple(pool.name for pool in found) for key, found in pools.items()},
        "pool_unit": {(*key, w.name): w.unit for key, found in pools.items() for w in found},
        "pool_count": {
            (*key, w.name): float(w.count) for key, found in pools.items() for w in found
        },
        "pool_mw": {
            (*key, w.name): w.count * w.unit_mw for key, found in pools.items() for w in found
        },
        "pool_unit_mw": {(*key, w.name): w.unit_mw for key, found in pools.items() for w in found},
        "pool_up": {(*key, m): p for key, ps in up.items() for m, p in enumerate(ps)},
        "pool_counted": frozenset(
            (*key, m)
            for key, ps in up.items()
            for m in range(len(ps))
            if math.fsum(ps[: m + 1]) >= LIKELY and (ps[m] >= LIKELY or m + 1 == len(ps))
        ),
        "kw_per_mw": KW_PER_MW,
    }


def _units(
    d: Facts, choices: Mapping[tuple[str, str], tuple[str, ...]], kinds: Mapping[str, Component]
) -> dict[str, Any]:
    """Tables of units: what stands, what may be ordered, what it costs and carries."""
    lag = {c: d.lag(kind.works_months) for c, kind in kinds.items()}
    most = {
        (s, part, u): float(d.plants.most_units(s, part, u))
        for (s, part), own in choices.items()
        for u in own
    }
    today = {
        (s, part, standing.component): float(standing.units)
        for s, site in d.i.sites.items()
        for part, standing in site.plant.items()
        if (s, part, standing.component) in most
    }
    kw = {key: KW_PER_MW * _rating(d, *key) for key in most}
    years = d.tree.months / 12.0
    return {
        "plant_lag": lag,
        "plant_today": today,
        "plant_most": most,
        "plant_unit_mw": {
            k: kw[k] / KW_PER_MW / d.i.uptime.subsystems[k[1]].load_share for k in most
        },
        "plant_always": frozenset(
            (s, part)
            for s, part in choices
            if d.i.uptime.subsystems[part].feed is None and not d.i.uptime.subsystems[part].pooled
        ),
        "plant_carries_most": {key: d.plants.most_mw(*key) for key in choices},
        "plant_cost": {k: kw[k] * kinds[k[2]].capex_usd_per_kw / USD_PER_MUSD for k in most},
        "plant_upkeep": {
            k: kw[k] * kinds[k[2]].opex_usd_per_kw_year / USD_PER_MUSD * years for k in most
        },
        "plant_orders_allowed": tuple(
            (n, *key)
            for n in d.tree.nodes
            for key in most
            if d.tree.lands(n, lag[key[2]])
            and key[0] not in d.i.policy.keep_sites
            and most[key] > today.get(key, 0.0)
        ),
    }


def _rating(d: Facts, s: str, part: str, component: str) -> float:
    """MW of a unit; one that carries any load is as large as the site's AI can be."""
    rating = d.i.uptime.components[component].unit_mw
    if rating is not None:
        return float(rating)
    share: float = d.i.uptime.subsystems[part].load_share
    return float(d.plants.most_mw(s, part)) * share
