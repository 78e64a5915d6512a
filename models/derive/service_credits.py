"""Numbers of :mod:`models.service_credits`: shares of a rent that each way is credited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.derive.facts import Facts
from models.derive.outages import Downtime, Outages
from models.derive.reach import Bank, HallDesign, promise_of
from models.instance import Contract
from models.sla import Credit
from models.tree import Node
from models.units import MUSD_PER_BUSD

if TYPE_CHECKING:
    from models.terms import Terms


#: Share of a rent below which nothing is counted: a cent in a million dollars.
LIKELY = 1e-8


def schedule_of(offer: Contract) -> tuple[Credit, ...]:
    """Credit schedule of a contract."""
    return tuple(Credit(step.below, step.share) for step in offer.credits)


class Shares:
    """Share of the rent that is credited on average for failures of one part."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.outages = Outages(facts.designs.reach)
        self._newcomer: dict[tuple[tuple[Credit, ...], float], float] = {}

    def credited(self, down: Downtime, offer: Contract) -> float:
        """Of something whose downtime is known; nothing is counted where its outages are not."""
        return down.credit_share(schedule_of(offer)) or 0.0

    def bank(self, bank: Bank, offer: Contract) -> float:
        """Of units of a subsystem."""
        excluded = promise_of(offer).planned_work_excluded
        return self.credited(self.outages.bank(bank, planned_work_excluded=excluded), offer)

    def package(self, design: HallDesign, offer: Contract) -> float:
        """Of a hall's package: of the parts that it is made of, or as a whole where stated."""
        if design.stated is not None:
            return self.credited(self.outages.package(design), offer)
        return sum(self.bank(bank, offer) for bank in design.banks)

    def company(self, offer: Contract, months: float | None) -> float:
        """Of the company's own parts, so many months after it began with AI."""
        parts = self.facts.designs.of_company
        return sum(self.credited(self.outages.company(part, months), offer) for part in parts)

    def newcomer(self, offer: Contract, months: float) -> float:
        """What a company new to AI is credited for more than an old hand."""
        key = schedule_of(offer), months
        if key not in self._newcomer:
            self._newcomer[key] = self.company(offer, months) - self.company(offer, None)
        return self._newcomer[key]


def tables(d: Facts) -> dict[str, Any]:
    """Tables of credits but those that follow from dates."""
    shares = Shares(d)
    offers = {x: offer for x, offer in d.i.contracts.items() if offer.credits}
    return {
        "credit_share": _halls(d, shares, offers),
        "option_credit": _options(d, shares, offers),
        "learning_credit": _learning(d, shares, offers) if d.designs.learns else {},
        "musd_per_busd": MUSD_PER_BUSD,
    }


def _halls(d: Facts, shares: Shares, offers: dict[str, Contract]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for x, offer in offers.items():
        people = shares.company(offer, None)
        for p in d.place_list:
            design = d.package(p)
            if p.workload == "ai" and design is not None and d.can_promise(p, offer):
                found[x, p.name] = people + shares.package(design, offer)
    return {key: share for key, share in found.items() if share > LIKELY}


def _options(
    d: Facts, shares: Shares, offers: dict[str, Contract]
) -> dict[tuple[str, str, str, str], float]:
    """Shares of the ways that a promise may use, where any of a part is credited for."""
    found: dict[tuple[str, str, str, str], float] = {}
    for (s, part), ways in d.plants.options.items():
        for x, offer in offers.items():
            name = promise_of(offer).name
            for way in ways:
                if (s, part, way.name, name) in d.plants.weights:
                    share = shares.bank(way.bank, offer)
                    if share > LIKELY:
                        found[s, part, way.name, x] = share
    return found


def _learning(
    d: Facts, shares: Shares, offers: dict[str, Contract]
) -> dict[tuple[str, int], float]:
    return {
        (x, age): share
        for x, offer in offers.items()
        for age in range(d.tree.periods)
        if (share := shares.newcomer(offer, float(age * d.tree.months))) > LIKELY
    }


def fees(terms: Terms) -> dict[str, Any]:
    """Rent of the contracts that credit a share of it, and how much more of it lies beyond."""
    g, shares = terms.g, Shares(terms.d)
    learning = {x for x, _ in g.learning_credit}
    credited = {x for x, _ in g.credit_share} | {x for *_, x in g.option_credit} | learning
    most: dict[tuple[Node, str], float] = {}
    times: dict[tuple[Node, str], float] = {}
    newcomer: dict[tuple[Node, str, Node], float] = {}
    for n, x in terms.due_nodes:
        offer, kinds = terms.offers[x], dict.fromkeys(k for _, k in g.hosting_at[x])
        rent = {k: terms.rent_musd_per_mw(offer, k, n) for k in kinds}
        if x not in credited or not any(rent.values()):
            continue
        signed = max(offer.max_mw, g.signed_today_mw.get(x, 0.0))
        most[n, x] = terms.due(offer, n) * signed * max(rent.values()) / MUSD_PER_BUSD
        if n not in terms.t.leaves:
            continue
        # Rents of rack types move alike, so any of them tells how much lies beyond.
        k = next(iter(kinds))
        paid = {m: value / rent[k] for m, value in terms.rent_beyond(offer, k, n).items()}
        if not paid:
            continue
        times[n, x] = sum(paid.values())
        for v in terms.t.path(n) if x in learning else ():
            began = terms.t.first_month(v)
            more = sum(
                value * shares.newcomer(offer, float(m - began)) for m, value in paid.items()
            )
            if more > LIKELY:
                newcomer[n, x, v] = more
    return {"fees_most": most, "tail_fees": times, "learning_tail": newcomer}
