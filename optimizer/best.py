"""What could be promised at best, and which subsystems stand in the way of more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.availability import downtime_share, series
from models.derive.facts import Facts, Place
from models.derive.reach import Promise, promise_of
from models.derive.uptime import Option
from models.instance import Contract
from models.units import ROUNDING

#: What a package is called that states its availability as a whole.
STATED = "package"


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


@dataclass(frozen=True)
class By:
    """When a contract has to be kept: on units that stand by then.

    Attributes
    ----------
    month : int
        As counted by :func:`models.instance.month_index`.
    mw : float
        Critical IT MW that each part of a plant has to carry.
    """

    month: int
    mw: float = 0.0


def best_reach(
    facts: Facts, offer: Contract, hall: str | None = None, by: By | None = None
) -> Best | None:
    """Find where and how well a contract could be kept at best; None where no AI hall can be.

    Parameters
    ----------
    facts : Facts
        What a case says of its parts.
    offer : Contract
        The contract.
    hall : str, optional
        The only hall group to look at.
    by : By, optional
        When; at any time where absent.
    """
    promise = promise_of(offer)
    months = facts.experience_months(offer)
    found = [
        _at(facts, place, promise, months, by)
        for place in facts.place_list
        if place.workload == "ai"
        and (offer.sites is None or place.site in offer.sites)
        and hall in (None, place.hall)
    ]
    return max(found, key=lambda best: best.availability, default=None)


def _at(facts: Facts, place: Place, promise: Promise, months: float | None, by: By | None) -> Best:
    downtime = {**dict(_hall(facts, place, promise)), **dict(_plant(facts, place, promise, by))}
    for name, part in facts.i.uptime.subsystems.items():
        if part.level == "company":
            downtime[name] = float(facts.designs.reach.company(part, months))
    return Best(place.site, place.hall, float(1 - series(list(downtime.values()))), downtime)


def _hall(facts: Facts, place: Place, promise: Promise) -> Iterator[tuple[str, float]]:
    """Unavailability of a place's own package, by subsystem."""
    design, reach = facts.package(place), facts.designs.reach
    if design is None:
        yield STATED, 1.0
    elif design.stated is not None:
        yield STATED, 1.0 - design.stated
    else:
        excluded = promise.planned_work_excluded
        for bank in design.banks:
            yield bank.subsystem, float(reach.bank(bank, planned_work_excluded=excluded))


def _plant(
    facts: Facts, place: Place, promise: Promise, by: By | None
) -> Iterator[tuple[str, float]]:
    """Unavailability of the best way for each part of the plant to carry the load, or any."""
    plants, excluded = facts.plants, promise.planned_work_excluded
    for part in plants.parts[place.site]:
        ways = plants.options[place.site, part]
        banks = [
            plants.reach.bank(way.bank, planned_work_excluded=excluded)
            for way in ways
            if by is None or (way.mw >= by.mw - ROUNDING and _stands(facts, place.site, way, by))
        ]
        yield part, float(min(banks, default=1.0))


def _stands(facts: Facts, site: str, way: Option, by: By) -> bool:
    """Whether the units of a way can stand by a month: today, or ordered at the start."""
    if not way.unit:
        return True
    lag = facts.lag(facts.i.uptime.components[way.unit].works_months) * facts.tree.months
    standing = facts.i.sites[site].plant.get(way.bank.subsystem)
    today = standing.units if standing and standing.component == way.unit else 0
    return way.units <= today or facts.tree.start + lag <= by.month


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
