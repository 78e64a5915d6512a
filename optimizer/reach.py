"""What could be promised at best, and which subsystems stand in the way of more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.availability import downtime_share, series
from models.derive.facts import Facts, Place
from models.derive.reach import Promise, promise_of
from models.instance import Contract


@dataclass(frozen=True)
class Best:
    """The best that any design of a hall on any plant of its site reaches.

    Attributes
    ----------
    site, hall : str
        Where.
    availability : float
        What is reached.
    downtime : mapping of str to float
        Unavailability by subsystem; ``package`` where a package states its own.
    """

    site: str
    hall: str
    availability: float
    downtime: Mapping[str, float]

    def shares(self, promised: float) -> list[tuple[str, float]]:
        """Say what share of the downtime that a promise allows each subsystem uses up at least.

        Examples
        --------
        >>> Best("a", "h", 0.0, {"cool": 6e-5, "feed": 4e-5}).shares(0.9999)
        [('cool', 0.6), ('feed', 0.4)]
        """
        used = {part: downtime_share(u, promised) for part, u in self.downtime.items()}
        ranked = sorted(used.items(), key=lambda pair: -pair[1])
        return [(part, round(share, 4)) for part, share in ranked]


def best_reach(facts: Facts, offer: Contract, hall: str | None = None) -> Best | None:
    """Find where and how well a contract could be kept at best; None where no AI hall can be.

    Parameters
    ----------
    facts : Facts
        What a case says of its parts.
    offer : Contract
        The contract.
    hall : str, optional
        The only hall group to look at.
    """
    promise = promise_of(offer)
    found = [
        _at(facts, place, promise, facts.experience_months(offer))
        for place in facts.place_list
        if place.workload == "ai"
        and (offer.sites is None or place.site in offer.sites)
        and hall in (None, place.hall)
    ]
    return max(found, key=lambda best: best.availability, default=None)


def _at(facts: Facts, place: Place, promise: Promise, months: float | None) -> Best:
    downtime = {**dict(_hall(facts, place, promise)), **dict(_plant(facts, place, promise))}
    for name, part in facts.i.uptime.subsystems.items():
        if part.level == "company":
            downtime[name] = float(facts.designs.reach.company(part, months))
    return Best(place.site, place.hall, float(1 - series(list(downtime.values()))), downtime)


def _hall(facts: Facts, place: Place, promise: Promise) -> Iterator[tuple[str, float]]:
    """Unavailability of a place's own package, by subsystem."""
    design, reach = facts.package(place), facts.designs.reach
    if design is None:
        yield "package", 1.0
    elif design.stated is not None:
        yield "package", 1.0 - design.stated
    else:
        excluded = promise.planned_work_excluded
        for bank in design.banks:
            yield bank.subsystem, float(reach.bank(bank, planned_work_excluded=excluded))


def _plant(facts: Facts, place: Place, promise: Promise) -> Iterator[tuple[str, float]]:
    """Unavailability of the best way for each part of the plant to carry any load at all."""
    plants, excluded = facts.plants, promise.planned_work_excluded
    for part in plants.parts[place.site]:
        ways = plants.options[place.site, part]
        banks = [plants.reach.bank(way.bank, planned_work_excluded=excluded) for way in ways]
        yield part, float(min(banks, default=1.0))


def in_the_way(best: Best, promised: float) -> str:
    """Say which subsystems use up the downtime that a promise allows.

    Examples
    --------
    >>> in_the_way(Best("a", "h", 0.99985, {"cool": 9e-5, "feed": 5e-5, "net": 1e-9}), 0.9999)
    'cool 90 %, feed 50 %'
    """
    told = [f"{part} {share:.0%}".replace("%", " %") for part, share in best.shares(promised)
            if share >= 0.005]  # fmt: skip
    return ", ".join(told)
