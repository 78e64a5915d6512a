"""How often AI loses what keeps it running, and for how long: banks, packages, series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.availability import (
    HOURS_PER_YEAR,
    Repaired,
    Units,
    bank_outages_per_year,
    minutes_per_year,
    series,
)
from models.derive.reach import Bank, HallDesign, Reach
from models.instance import Component, Subsystem
from models.outage import chance_lost
from models.sla import Credit, Outage, breached_month, breached_year, expected_credit


@dataclass(frozen=True)
class Downtime:
    """Share of time that something is down, and the outages into which it falls.

    Attributes
    ----------
    unavailability : float
        Share of time.
    outages_per_year : float or None
        How many begin in a year; None where only the availability is stated.
    kinds : tuple of Outage
        What they are made of, where parts in series fail for different times.
    """

    unavailability: float
    outages_per_year: float | None
    kinds: tuple[Outage, ...] = ()

    @property
    def minutes_per_year(self) -> float:
        """Minutes of downtime in a year."""
        return minutes_per_year(self.unavailability)

    @property
    def hours_each(self) -> float | None:
        """Mean hours of an outage; None where their number is not known, or there are none.

        Examples
        --------
        >>> Downtime(1e-4, 0.876).hours_each
        1.0
        """
        if not self.outages_per_year:
            return None
        return self.unavailability * HOURS_PER_YEAR / self.outages_per_year

    @property
    def outages(self) -> tuple[Outage, ...] | None:
        """Kinds of outages; None where their number is not known."""
        if self.outages_per_year is None:
            return None
        return self.kinds or (Outage(self.outages_per_year, self.hours_each or 0.0),)

    def breached_month(self, promised: float) -> float | None:
        """Probability that a month's availability falls below a promise."""
        return None if self.outages is None else breached_month(self.outages, promised)

    def breached_year(self, promised: float) -> float | None:
        """Probability that a year holds at least one such month."""
        return None if self.outages is None else breached_year(self.outages, promised)

    def credit_share(self, schedule: Sequence[Credit]) -> float | None:
        """Share of the rent that is credited on average."""
        if not schedule:
            return 0.0
        return None if self.outages is None else expected_credit(self.outages, schedule)


def in_series(parts: Iterable[Downtime]) -> Downtime:
    r"""Put parts in series, each of which has to be up.

    .. math:: \nu = \sum_j \nu_j \prod_{i \ne j} (1 - U_i)

    Frequencies add, but for outages of one part while another is down; the mean length is the
    whole downtime over the whole frequency.

    Examples
    --------
    >>> both = in_series([Downtime(0.1, 10.0), Downtime(0.2, 5.0)])
    >>> both.unavailability, both.outages_per_year, [kind.per_year for kind in both.kinds]
    (0.28, 12.5, [8.0, 4.5])
    >>> in_series([Downtime(0.1, 10.0), Downtime(0.2, None)]).outages_per_year is None
    True
    """
    listed = list(parts)
    down = float(series([part.unavailability for part in listed]))
    kinds: list[Outage] = []
    for i, part in enumerate(listed):
        if part.outages is None:
            return Downtime(down, None)
        up = 1.0 - float(series([other.unavailability for other in listed[:i] + listed[i + 1 :]]))
        kinds += [Outage(kind.per_year * up, kind.hours_each) for kind in part.outages]
    return Downtime(down, sum(kind.per_year for kind in kinds), tuple(kinds))


@dataclass(frozen=True)
class Outages:
    """Outages of what a typed instance can build."""

    reach: Reach
    _known: dict[tuple[Bank, bool], Downtime] = field(default_factory=dict, compare=False)

    def bank(self, bank: Bank, *, planned_work_excluded: bool = False) -> Downtime:
        """Downtime of a bank, or of a feed and the units that stand by behind it; known once."""
        key = bank, planned_work_excluded
        if key not in self._known:
            self._known[key] = self._bank(bank, planned_work_excluded=planned_work_excluded)
        return self._known[key]

    def _bank(self, bank: Bank, *, planned_work_excluded: bool) -> Downtime:
        down = float(self.reach.bank(bank, planned_work_excluded=planned_work_excluded))
        typed = self.reach.i.uptime
        part = typed.subsystems[bank.subsystem]
        if part.feed is not None:
            outages = self._feed(part, typed.components[part.feed], bank)
        else:
            groups = [
                self._repaired(typed.components[c], n, planned=not planned_work_excluded)
                for c, n in bank.counts
            ]
            outages = bank_outages_per_year(groups, bank.needed)
        return Downtime(down, outages)

    def _repaired(self, component: Component, count: int, *, planned: bool) -> Repaired:
        """Read units that run; planned work comes once a year to each, in one go."""
        out = component.maintenance_hours_per_year if planned else 0.0
        units = Units(
            count,
            float(self.reach.unit(component)),
            component.common_cause_share,
            count * out / HOURS_PER_YEAR,
        )
        return Repaired(units, component.hours_to_repair, count if out else 0)

    def _feed(self, part: Subsystem, feed: Component, bank: Bank) -> float:
        """Outages of a feed that nothing bridges, or that are not bridged to their end."""
        outages = float(self.reach.outages_per_year(feed))
        if not bank.counts:
            return outages
        (name, count) = bank.counts[0]
        kind = self.reach.i.uptime.components[name]
        if kind.start_seconds > part.ride_through_seconds:
            return outages
        standby = self.reach.standby(kind)
        return outages * chance_lost(standby, count, bank.needed, feed.hours_to_repair)

    def package(self, design: HallDesign, *, planned_work_excluded: bool = False) -> Downtime:
        """Downtime of a hall's package; of a stated one as it is stated."""
        if design.stated is not None:
            return Downtime(1.0 - design.stated, design.outages_per_year)
        return in_series(
            self.bank(bank, planned_work_excluded=planned_work_excluded) for bank in design.banks
        )

    def company(self, part: Subsystem, months: float | None) -> Downtime:
        """Downtime of a part of the company, so many months after it began with AI."""
        down = float(self.reach.company(part, months))
        hours = self.reach.i.uptime.components[part.components[0]].hours_to_repair
        return Downtime(down, down * HOURS_PER_YEAR / hours)
