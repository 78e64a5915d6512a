"""What halls and plants of a plan reach: availability worked out anew, in exact fractions.

The plan says how many units stand and what load they carry; the typed figures say how often they
fail. Neither the weights nor the choices of the model are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache

from models import uptime
from models.availability import Share, series
from models.context import Context
from models.derive.facts import Facts
from models.derive.reach import Bank, Promise, Reach, units_needed
from models.given import Part, Place, Pool, Site
from models.tree import Node
from optimizer.case import Case

#: A load smaller than this, in MW, is dust of the solver's arithmetic.
DUST_MW = 1e-6


class Reached:
    """Availability in a plan, by node, place and promise."""

    def __init__(self, case: Case, plan: Context) -> None:
        self.case = case
        self.plan = plan
        self.facts = Facts(case.instance, plan.given.tree)
        self.reach = Reach(case.instance, exactly=True)
        self._places = {place.name: place for place in self.facts.place_list}
        self._up: dict[tuple[Part, str, int], list[Share]] = {}
        self._banks: dict[tuple[Bank, bool], Share] = {}
        self._known: dict[tuple[int, ...], tuple[list[Share], Fraction]] = {}
        self._package = cache(self.package)
        self._company = cache(self.company)

    def availability(self, n: Node, p: Place, promise: Promise) -> Fraction:
        """Availability of a hall that serves a promise, its site's plant among it."""
        parts = [
            self._package(p, promise), *self.plant(n, p, promise).values(), *self._company(n)
        ]  # fmt: skip
        # Most halls stand behind the same units at most dates: the very same parts.
        key = tuple(map(id, parts))
        if key not in self._known:
            self._known[key] = parts, Fraction(1 - series(parts))
        return self._known[key][1]

    def company(self, n: Node) -> list[Share]:
        """Unavailability of the company's own parts at a node."""
        designs = self.facts.designs
        months = self.experience_months(n) if designs.learns else None
        return [self.reach.company(part, months) for part in designs.of_company]

    def experience_months(self, n: Node) -> float:
        """Months from the first period with an AI hall in service to the one of a node."""
        g = self.plan.given
        ai = [p for p, use in g.workload_of.items() if use == "ai"]
        for m in g.tree.path(n):
            if any(self.plan.halls[m, p] > 0.5 for p in ai):
                return float(g.tree.first_month(n) - g.tree.first_month(m))
        return 0.0

    def package(self, p: Place, promise: Promise) -> Share:
        """Unavailability of a hall's package."""
        design = self.facts.package(self._places[p])
        if design is None:
            return 1
        if design.stated is not None:
            return 1 - Fraction(str(design.stated))
        return series([self._bank(bank, promise) for bank in design.banks])

    def plant(self, n: Node, p: Place, promise: Promise) -> Mapping[Part, Share]:
        """Unavailability of each part of the plant behind a place."""
        s = self.plan.given.site_of[p]
        # Who is promised nothing belongs to no class that a plant carries.
        if promise.availability == 0:
            return {}
        return {
            d: self._bank(self.bank(n, s, d, promise), promise)
            for d in self.plan.given.plant_parts.get(s, ())
        }

    def bank(self, n: Node, s: Site, d: Part, promise: Promise) -> Bank:
        """Units of a part that stand, and those that the load of a class needs."""
        g, typed = self.plan.given, self.case.instance.uptime
        part = typed.subsystems[d]
        load = float(uptime.load(self.plan, n, s, d, promise.name)) * part.load_share
        banks = []
        for u in g.plant_units[s, d]:
            stand = round(float(uptime.installed(self.plan, n, s, d, u)))
            needed = units_needed(max(0.0, load - DUST_MW), typed.components[u].unit_mw)
            if stand:
                banks.append(Bank(d, ((u, stand),), needed))
        if part.feed is not None or not banks:
            banks.append(Bank(d, (), 0 if part.feed is not None else 1))
        return min(banks, key=lambda bank: self._bank(bank, promise))

    def shortfall_kw(self, s: Site, d: Part, y: Pool, load_mw: float) -> Fraction:
        """Mean kW by which shared units that are up fall short of a load."""
        pool = next(pool for pool in self.facts.plants.pools[s, d] if pool.name == y)
        key = d, pool.unit, pool.count
        if key not in self._up:
            self._up[key] = self.reach.up_probabilities(*key)
        load, size = Fraction(load_mw), Fraction(pool.unit_mw)
        short = sum(
            Fraction(p) * max(Fraction(0), load - i * size) for i, p in enumerate(self._up[key])
        )
        return Fraction(short) * 1000

    def _bank(self, bank: Bank, promise: Promise) -> Share:
        excluded = promise.planned_work_excluded
        key = bank, excluded
        if key not in self._banks:
            self._banks[key] = self.reach.bank(bank, planned_work_excluded=excluded)
        return self._banks[key]
