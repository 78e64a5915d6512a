"""What keeps AI running in a plan: the parts in series behind each place, and their outages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from models import service_credits, uptime
from models.availability import downtime_share
from models.context import Context
from models.derive.outages import Downtime, Outages, in_series
from models.derive.reach import Bank, HallDesign, Promise, Reach, promise_of
from models.derive.service_credits import schedule_of
from models.given import Contract as Name
from models.given import Part as PlantPart
from models.given import Place, Site
from models.sla import Credit
from models.tree import Node
from optimizer.best import STATED
from optimizer.case import Case
from optimizer.reached import Reached
from optimizer.settle import DUST


@dataclass(frozen=True)
class Part:
    """One of the parts in series that AI needs.

    Attributes
    ----------
    level : str
        Whether each hall has its own, the site has one, or the company.
    subsystem : str
        Its name.
    bank : Bank or None
        Its units; None where a package only states its availability, and of the company.
    downtime : Downtime
        How much of the time, and how often, it is down.
    """

    level: str
    subsystem: str
    bank: Bank | None
    downtime: Downtime


class Kept:
    """The parts behind every promise of a plan, period by period."""

    def __init__(self, case: Case, plan: Context) -> None:
        self.case = case
        self.plan = plan
        self.offers = case.instance.contracts
        self.reached = Reached(case, plan)
        self.facts = self.reached.facts
        self.outages = Outages(Reach(case.instance))
        self.places = {place.name: place for place in self.facts.place_list}
        self._worst: dict[tuple[Name, Place], Node] = {}

    @cached_property
    def hosted(self) -> Mapping[tuple[Name, Place], Mapping[Node, float]]:
        """Critical IT MW of a contract in a place, in the periods in which it is served there."""
        found: dict[tuple[Name, Place], dict[Node, float]] = {}
        for (n, x, p, _), mw in self.plan.hosting.items():
            if mw > DUST:
                own = found.setdefault((x, p), {})
                own[n] = own.get(n, 0.0) + mw
        return found

    def promise(self, x: Name) -> Promise:
        """What a contract promises."""
        return promise_of(self.offers[x])

    def schedule(self, x: Name) -> tuple[Credit, ...]:
        """Credit schedule of a contract."""
        return schedule_of(self.offers[x])

    def design(self, p: Place) -> HallDesign | None:
        """Package of a place."""
        return self.facts.package(self.places[p])

    def worst(self, x: Name, p: Place) -> Node:
        """Period in which a place reaches least for a contract, the first of equals."""
        if (x, p) not in self._worst:
            promise = self.promise(x)
            self._worst[x, p] = min(
                self.hosted[x, p], key=lambda n: self.reached.availability(n, p, promise)
            )
        return self._worst[x, p]

    def hall(self, p: Place, promise: Promise) -> list[Part]:
        """Parts of a place's own package."""
        design, excluded = self.design(p), promise.planned_work_excluded
        if design is None:
            return [Part("hall", STATED, None, Downtime(1.0, None))]
        if design.stated is not None:
            return [Part("hall", STATED, None, self.outages.package(design))]
        return [self._part("hall", bank, excluded) for bank in design.banks]

    def plant(self, n: Node, s: Site, promise: Promise) -> list[Part]:
        """Parts of a site's plant behind a promise."""
        if promise.availability == 0.0:
            return []
        parts = self.plan.given.plant_parts.get(s, ())
        excluded = promise.planned_work_excluded
        return [self._part("site", self.reached.bank(n, s, d, promise), excluded) for d in parts]

    def _part(self, level: str, bank: Bank, excluded: bool) -> Part:
        return Part(
            level, bank.subsystem, bank, self.outages.bank(bank, planned_work_excluded=excluded)
        )

    def parts(self, n: Node, p: Place, promise: Promise) -> list[Part]:
        """List all parts in series behind a place."""
        site = self.plan.given.site_of[p]
        return [*self.hall(p, promise), *self.plant(n, site, promise), *self.company(n)]

    def company(self, n: Node) -> list[Part]:
        """Parts that the company has once, such as its operators, as they are by then."""
        designs = self.facts.designs
        months = self.reached.experience_months(n) if designs.learns else None
        found: list[Part] = []
        for name, part in self.case.instance.uptime.subsystems.items():
            if part.level == "company":
                found.append(Part("company", name, None, self.outages.company(part, months)))
        return found

    def downtime(self, n: Node, p: Place, promise: Promise) -> Downtime:
        """Downtime of a place, its site's plant among it."""
        return in_series(part.downtime for part in self.parts(n, p, promise))

    def credit_share(self, n: Node, x: Name, p: Place) -> float:
        """Share of a rent that the value counts as credited: for each part by itself."""
        g, site = self.plan.given, self.plan.given.site_of[p]
        plant = sum(
            g.option_credit.get((site, d, o, x), 0.0) * rent
            for (m, y, s, d, o), rent in self.plan.fees.items()
            if (m, y, s) == (n, x, site)
        )
        learning = -float(service_credits.newcomer_credited(self.plan, n, x))
        share = g.credit_share.get((x, p), 0.0)
        if plant:
            share += g.musd_per_busd * plant / float(self._rent(n, x, (site,)))
        if learning:
            share += learning / float(self._rent(n, x, g.sites))
        return share

    def credit_musd_per_year(self, x: Name, p: Place) -> float:
        """Credits expected of a contract in a place, by the year in which it is served there."""
        g = self.plan.given
        musd = years = 0.0
        for n in self.hosted[x, p]:
            rent = math.fsum(
                self.plan.hosting[n, x, q, k] * g.rent[n, x, k]
                for q, k in g.hosting_at[x]
                if q == p and (n, x, q, k) in self.plan.hosting
            )
            musd += g.probability[n] * self.credit_share(n, x, p) * rent
            years += g.probability[n] * g.tree.months / 12.0
        return musd / years

    def _rent(self, n: Node, x: Name, sites: tuple[Site, ...]) -> float:
        return float(service_credits.rent(self.plan, n, x, sites))

    def load_mw(self, n: Node, s: Site, d: PlantPart, promise: Promise) -> float:
        """MW that a promise and stricter ones put on a part of the plant."""
        return float(uptime.load(self.plan, n, s, d, promise.name))


def told(parts: Mapping[str, float], promised: float) -> str:
    """Say what share of the downtime that a promise allows each part uses up, the largest first.

    Examples
    --------
    >>> told({"feed": 4e-5, "cooling": 6.1e-5, "net": 1e-9}, 0.9999)
    'cooling 61 %, feed 40 %'
    """
    shares = {part: downtime_share(down, promised) for part, down in parts.items()}
    ranked = sorted(shares.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{part} {100 * share:.0f} %" for part, share in ranked if share >= 0.005)
