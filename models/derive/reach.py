"""What units reach: unavailability of a bank of them, in floats or in exact fractions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from models.availability import (
    DOWNTIME_PARTS,
    HOURS_PER_YEAR,
    Share,
    Units,
    bank_unavailability,
    downtime_weight,
    series,
    unit_unavailability,
)
from models.instance import Component, Contract, Instance, Subsystem
from models.outage import (
    Standby,
    chance_lost,
    chance_lost_exactly,
    hours_lost,
    hours_lost_exactly,
)
from models.units import ROUNDING

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Promise:
    """A class of contracts: the availability promised, and how it is counted.

    Attributes
    ----------
    availability : float
        As typed.
    planned_work_excluded : bool
        Whether maintenance does not count.
    """

    availability: float
    planned_work_excluded: bool = False

    @property
    def name(self) -> str:
        """Write it for tables and messages.

        Examples
        --------
        >>> Promise(0.9999).name, Promise(0.999, True).name
        ('99.99%', '99.9%-unplanned')
        """
        return f"{self.availability * 100:.10g}%" + (
            "-unplanned" if self.planned_work_excluded else ""
        )

    @cached_property
    def exactly(self) -> Fraction:
        """The availability as it was typed, exactly."""
        return Fraction(str(self.availability))


def promise_of(offer: Contract) -> Promise:
    """Class of a contract."""
    return Promise(offer.availability, offer.planned_work_excluded)


@dataclass(frozen=True)
class Bank:
    """Units of a subsystem, and how many of them the load needs.

    Attributes
    ----------
    subsystem : str
        Its name.
    counts : tuple of (str, int)
        Units of each kind.
    needed : int
        Units that carry the load.
    """

    subsystem: str
    counts: tuple[tuple[str, int], ...]
    needed: int

    def __str__(self) -> str:
        units = " and ".join(f"{n} {c}" for c, n in self.counts) or "none"
        return f"{self.subsystem}: {units} for {self.needed}"


@dataclass(frozen=True)
class HallDesign:
    """An uptime package of a hall: stated, or made from components.

    Attributes
    ----------
    name : str
        Part of the name of the hall's state.
    capex_usd_per_kw, opex_usd_per_kw_year : float
        Per IT kW of the hall.
    works_months : int
        Works.
    stated : float or None
        Availability that it is said to reach.
    banks : tuple of Bank
        What it is made of.
    outages_per_year : float or None
        Outages that a stated package is said to have.
    """

    name: str
    capex_usd_per_kw: float
    opex_usd_per_kw_year: float
    works_months: int
    stated: float | None = None
    banks: tuple[Bank, ...] = ()
    outages_per_year: float | None = None

    @property
    def units(self) -> dict[tuple[str, str], int]:
        """Units by subsystem and kind."""
        return {(bank.subsystem, c): n for bank in self.banks for c, n in bank.counts}


@dataclass(frozen=True)
class Reach:
    """What units of an instance reach, in floats or in exact fractions."""

    i: Instance
    exactly: bool = False

    def figure(self, value: float) -> Share:
        """Read a typed number: as it is, or as the decimal fraction that was typed."""
        return Fraction(str(value)) if self.exactly else value

    def unit(self, component: Component) -> Share:
        """Unavailability of a unit that runs."""
        if component.availability is not None:
            return 1 - self.figure(component.availability)
        assert component.failures_per_year is not None
        return unit_unavailability(
            self.figure(component.failures_per_year),  # type: ignore[type-var]
            self.figure(component.hours_to_repair),
        )

    def company(self, subsystem: Subsystem, months: float | None) -> Share:
        """Unavailability of a part of the company, so many months after it began with AI.

        Experienced where ``months`` is None. The exponential is rounded up to twelve digits, so
        that floats and fractions agree.
        """
        component = self.i.uptime.components[subsystem.components[0]]
        if months is None or component.newcomer_factor == 1.0:
            return self.unit(component)
        excess = 0.5 ** (months / component.learning_months)
        more = self.figure(math.ceil(excess * 1e12) / 1e12)
        times = 1 + (self.figure(component.newcomer_factor) - 1) * more
        return min(1, self.unit(component) * times)

    def outages_per_year(self, feed: Component) -> Share:
        """How often a feed fails in a calendar year."""
        return self.unit(feed) * HOURS_PER_YEAR / self.figure(feed.hours_to_repair)

    def bank(self, bank: Bank, *, planned_work_excluded: bool = False) -> Share:
        """Unavailability of a bank."""
        subsystem = self.i.uptime.subsystems[bank.subsystem]
        if subsystem.feed is not None:
            return self._bridged(subsystem, self.i.uptime.components[subsystem.feed], bank)
        groups = []
        for name, count in bank.counts:
            component = self.i.uptime.components[name]
            out = self.figure(component.maintenance_hours_per_year) / HOURS_PER_YEAR
            groups.append(
                Units(
                    count,
                    self.unit(component),
                    self.figure(component.common_cause_share),
                    0 if planned_work_excluded else count * out,
                )
            )
        return bank_unavailability(groups, bank.needed)

    def up_probabilities(self, part: str, unit: str, count: int) -> list[Share]:
        """Probabilities that none, one, ... or all units of a kind are up."""
        below = [self.bank(Bank(part, ((unit, count),), m)) for m in range(count + 2)]
        return [below[m + 1] - below[m] for m in range(count)] + [1 - below[count]]

    def _bridged(self, subsystem: Subsystem, feed: Component, bank: Bank) -> Share:
        """Unavailability of a feed behind which units stand by, and of restarting after it."""
        outages, hours = self.outages_per_year(feed), self.figure(feed.hours_to_repair)
        restart = self.figure(subsystem.restart_hours)
        if not bank.counts:
            return min(1, outages * (hours + restart) / HOURS_PER_YEAR)
        (name, count) = bank.counts[0]
        component = self.i.uptime.components[name]
        lost, chance = self._lost(component, count, bank.needed, hours)
        if component.start_seconds > subsystem.ride_through_seconds:
            dark = min(hours, self.figure(component.start_seconds) / SECONDS_PER_HOUR)
            lost, chance = min(hours, lost + dark), 1
        return min(1, outages * (lost + chance * restart) / HOURS_PER_YEAR)

    def standby(self, component: Component) -> Standby:
        """Read a unit that stands by."""
        assert component.availability is not None
        assert component.start_failure_share is not None
        assert component.hours_to_failure is not None
        return Standby(
            self.figure(component.availability),
            self.figure(component.start_failure_share),
            self.figure(component.hours_to_failure),
            self.figure(component.common_cause_share),
        )

    def _lost(
        self, component: Component, count: int, needed: int, hours: Share
    ) -> tuple[Share, Share]:
        """Mean hours lost in an outage, and the chance that any are."""
        standby = self.standby(component)
        if self.exactly:
            whole = Fraction(hours)
            lost = hours_lost_exactly(standby, count, needed, whole)
            return lost, chance_lost_exactly(standby, count, needed, whole)
        at = float(hours)
        return hours_lost(standby, count, needed, at), chance_lost(standby, count, needed, at)

    def package(self, design: HallDesign, *, planned_work_excluded: bool = False) -> Share:
        """Unavailability of a hall's package."""
        if design.stated is not None:
            return 1 - self.figure(design.stated)
        return series(
            [self.bank(bank, planned_work_excluded=planned_work_excluded) for bank in design.banks]
        )


def units_needed(load_mw: float, unit_mw: float | None) -> int:
    """Units that carry a load.

    Examples
    --------
    >>> units_needed(10.0, 2.5), units_needed(10.1, 2.5), units_needed(10.0, None)
    (4, 5, 1)
    """
    if unit_mw is None:
        return 1
    return max(1, math.ceil(load_mw / unit_mw - ROUNDING))


def weight_of(unavailability: Share, promise: Promise) -> int:
    """Parts of a promise's downtime that something uses up."""
    if promise.availability >= 1.0:
        return 0 if unavailability == 0 else DOWNTIME_PARTS + 1
    return downtime_weight(float(unavailability), promise.availability)
