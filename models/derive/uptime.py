"""Numbers of :mod:`models.uptime`: what designs of halls and plants reach, and what they cost.

A hall's *package* is a whole design of its subsystems, made beforehand by exact dynamic
programme and part of the hall's state; a package may also be stated with the availability that it
is said to reach. A site's *plant* is left to the model: type and number of units, with the AI
load that they carry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

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
from models.instance import Component, Contract, Instance, Package, Subsystem
from models.outage import (
    Standby,
    chance_lost,
    chance_lost_exactly,
    hours_lost,
    hours_lost_exactly,
)
from models.redundancy import Candidate, Choice, Design, candidates, frontier

KW_PER_MW = 1e3
SECONDS_PER_HOUR = 3600
#: Probability below which a number of units up is left out of the rows: a watt in a hundred MW.
LIKELY = 1e-8
#: By how much a load may seem to exceed whole units through rounding alone.
ROUNDING = 1e-9


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

    @property
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


class Designs:
    """Packages that halls can have: those stated, or those made from hall subsystems."""

    def __init__(self, instance: Instance) -> None:
        self.i = instance
        self.reach = Reach(instance)
        parts = instance.uptime.subsystems
        self.of_halls = {name: part for name, part in parts.items() if part.level == "hall"}
        self._made: dict[float, dict[str, HallDesign]] = {}

    @cached_property
    def promises(self) -> tuple[Promise, ...]:
        """Classes of contracts that promise something, the strictest first."""
        found = {
            promise_of(offer) for offer in self.i.contracts.values() if offer.availability > 0
        }
        return tuple(sorted(found, key=lambda p: (-p.availability, p.planned_work_excluded)))

    @cached_property
    def of_company(self) -> tuple[Subsystem, ...]:
        """Parts that the company has once, such as its operators."""
        return tuple(p for p in self.i.uptime.subsystems.values() if p.level == "company")

    @property
    def learns(self) -> bool:
        """Whether the company is new to AI and gets better at it."""
        kinds = (self.i.uptime.components[part.components[0]] for part in self.of_company)
        new = not self.i.finance.hosts_ai_already
        return new and any(kind.newcomer_factor > 1.0 for kind in kinds)

    def company_weight(self, promise: Promise, months: float | None) -> int:
        """Downtime of a promise that the company's own parts use up."""
        return sum(
            weight_of(self.reach.company(part, months), promise) for part in self.of_company
        )

    def packages(self, it_mw: float) -> Mapping[str, HallDesign]:
        """Give the packages of a hall of so many IT MW, by name."""
        if not self.of_halls:
            return {name: stated(name, p) for name, p in self.i.uptime.packages.items()}
        if it_mw not in self._made:
            said = {name: stated(name, p) for name, p in self.i.uptime.packages.items()}
            made = {design.name: design for design in self._make(it_mw)}
            self._made[it_mw] = {**said, **made}
        return self._made[it_mw]

    def _make(self, it_mw: float) -> Iterator[HallDesign]:
        """Make the designs that no other beats, and that some promise has a use for."""
        for excluded in sorted({False, *(p.planned_work_excluded for p in self.promises)}):
            parts = [self._candidates(name, it_mw, excluded) for name in self.of_halls]
            designs = frontier([[candidate for candidate, _ in part] for part in parts])
            banks = [{candidate.counts: bank for candidate, bank in part} for part in parts]
            for design in self._useful(designs, excluded):
                chosen = zip(banks, design.parts, strict=True)
                yield self._design(it_mw, design, tuple(bank[p.counts] for bank, p in chosen))

    def _useful(self, designs: Sequence[Design], excluded: bool) -> list[Design]:
        """Keep the cheapest design, the best, and those within what some promise allows."""
        counted = [p for p in self.promises if p.planned_work_excluded == excluded]
        allowed = [-math.log(p.availability) for p in counted if p.availability < 1]
        best = min(designs, key=lambda d: (d.loss, d.spends))
        return [
            d
            for i, d in enumerate(designs)
            if i == 0 or (allowed and (d is best or d.loss <= max(allowed)))
        ]

    def _candidates(
        self, name: str, it_mw: float, excluded: bool = False
    ) -> list[tuple[Candidate, Bank]]:
        part = self.of_halls[name]
        load = it_mw * part.load_share
        if part.mixing:
            return self._mixed(name, part, load, excluded)
        found: list[tuple[Candidate, Bank]] = []
        if part.feed is not None:
            found.append(self._candidate(part, Bank(name, (), 0), load, excluded))
        for component in part.components:
            needed = units_needed(load, self.i.uptime.components[component].unit_mw)
            for count in range(needed, needed + part.spares_max + 1):
                bank = Bank(name, ((component, count),), needed)
                found.append(self._candidate(part, bank, load, excluded))
        return found

    def _candidate(
        self, part: Subsystem, bank: Bank, load: float, excluded: bool
    ) -> tuple[Candidate, Bank]:
        counts = dict(bank.counts)
        spends = [self.spends(part, c, n, bank.needed, load) for c, n in bank.counts]
        candidate = Candidate(
            tuple(counts.get(c, 0) for c in part.components),
            (sum(s[0] for s in spends), sum(s[1] for s in spends)),
            float(self.reach.bank(bank, planned_work_excluded=excluded)),
        )
        return candidate, bank

    def _mixed(
        self, name: str, part: Subsystem, load: float, excluded: bool
    ) -> list[tuple[Candidate, Bank]]:
        """Multisets of units of one size."""
        kinds = [self.i.uptime.components[c] for c in part.components]
        needed = units_needed(load, kinds[0].unit_mw)
        choices = [
            Choice(
                float(self.reach.unit(kind)),
                self.spends(part, c, 1, 0, load),
                kind.common_cause_share,
                0.0 if excluded else kind.maintenance_hours_per_year / HOURS_PER_YEAR,
            )
            for c, kind in zip(part.components, kinds, strict=True)
        ]
        found = candidates(choices, needed, needed + part.spares_max, mixing=True)
        return [
            (
                candidate,
                Bank(
                    name,
                    tuple(
                        (c, n) for c, n in zip(part.components, candidate.counts, strict=True) if n
                    ),
                    needed,
                ),
            )
            for candidate in found
        ]

    def spends(
        self, part: Subsystem, component: str, count: int, needed: int, load: float
    ) -> tuple[float, float]:
        """Dollars, and dollars a year, of units; those in the fit-out's capex cost no more."""
        kind = self.i.uptime.components[component]
        kw = KW_PER_MW * (load if kind.unit_mw is None else kind.unit_mw)
        paid = count - needed if part.needed_in_fitout else count
        return paid * kw * kind.capex_usd_per_kw, count * kw * kind.opex_usd_per_kw_year

    def _design(self, it_mw: float, design: Design, banks: tuple[Bank, ...]) -> HallDesign:
        capex, opex = design.spends
        kw = it_mw * KW_PER_MW
        works = [self.i.uptime.components[c].works_months for b in banks for c, _ in b.counts]
        named = [self._label(bank) for bank in banks if self._has_choice(bank.subsystem)]
        return HallDesign(
            ".".join(named) or "designed",
            capex / kw,
            opex / kw,
            max(works, default=0),
            banks=banks,
        )

    def _has_choice(self, subsystem: str) -> bool:
        part = self.of_halls[subsystem]
        return bool(part.spares_max or len(part.components) > 1 or part.feed)

    def _label(self, bank: Bank) -> str:
        """Name a bank by its spare units, and by their kind where there is a choice of it."""
        part = self.of_halls[bank.subsystem]
        if not bank.counts:
            return f"no-{bank.subsystem}"
        if part.mixing:
            return "-".join(f"{c}{n}" for c, n in bank.counts)
        (component, count) = bank.counts[0]
        label = bank.subsystem if len(part.components) == 1 else component
        return f"{label}{count - bank.needed}"


def stated(name: str, package: Package) -> HallDesign:
    """Read a package whose availability is stated."""
    return HallDesign(
        name,
        package.capex_usd_per_kw,
        package.opex_usd_per_kw_year,
        package.works_months,
        stated=package.availability,
        outages_per_year=package.outages_per_year,
    )


def adds_to(old: HallDesign, new: HallDesign) -> bool:
    """Whether a design made from components keeps every unit of another and adds some."""
    stood, stands = old.units, new.units
    return stood != stands and all(stands.get(key, 0) >= n for key, n in stood.items())


def upgrade_usd_per_kw(
    designs: Designs, it_mw: float, old: HallDesign | None, new: HallDesign
) -> float:
    """Capex of a package where another stands: of its units those that are added."""
    if old is None or not new.banks or not old.banks:
        return new.capex_usd_per_kw
    usd = 0.0
    for bank in new.banks:
        part = designs.of_halls[bank.subsystem]
        for component, count in bank.counts:
            before = old.units.get((bank.subsystem, component), 0)
            free = max(before, bank.needed if part.needed_in_fitout else 0)
            load = it_mw * part.load_share
            usd += designs.spends(part, component, max(0, count - free), 0, load)[0]
    return usd / (it_mw * KW_PER_MW)


def weight_of(unavailability: Share, promise: Promise) -> int:
    """Parts of a promise's downtime that something uses up."""
    if promise.availability >= 1.0:
        return 0 if unavailability == 0 else DOWNTIME_PARTS + 1
    return downtime_weight(float(unavailability), promise.availability)


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
        part, most = self.i.uptime.subsystems[name], self.most_mw(s, name)
        if part.feed is not None:
            yield Option(Bank(name, (), 0), "", most)
        for unit in part.components:
            size = self.i.uptime.components[unit].unit_mw
            largest = units_needed(most * part.load_share, size)
            for needed in range(1, largest + 1):
                mw = most if size is None else needed * size / part.load_share
                # Units that mining uses are spare to AI, however many they are.
                spares = largest - needed if part.pooled else 0
                for count in range(needed, needed + max(part.spares_max, spares) + 1):
                    yield Option(Bank(name, ((unit, count),), needed), unit, min(mw, most))

    def most_mw(self, s: str, name: str) -> float:
        """Most MW that a part may ever carry: AI's, or all of a site's where mining shares it."""
        pooled = self.i.uptime.subsystems[name].pooled
        return self.pool_mw_most[s] if pooled else self.ai_mw_most[s]

    @cached_property
    def pools(self) -> dict[tuple[str, str], tuple[Pool, ...]]:
        """Numbers of units that mining and AI may share, by site and pooled part."""
        found: dict[tuple[str, str], dict[Pool, None]] = {}
        for (s, name), ways in self.options.items():
            part = self.i.uptime.subsystems[name]
            for way in ways if part.pooled else ():
                size = self.i.uptime.components[way.unit].unit_mw
                mw = (self.most_mw(s, name) if size is None else size) / part.load_share
                found.setdefault((s, name), {})[Pool(way.unit, way.units, mw)] = None
        return {key: tuple(pools) for key, pools in found.items()}

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


def tables(d: Any) -> dict[str, Any]:
    """Tables of plants: their parts, what units cost, and what each way to carry a load uses."""
    plants: Plants = d.plants
    pooled = {s for s, _ in plants.pools}
    learns = d.designs.learns
    used = {
        s
        for s, parts in plants.parts.items()
        if (parts or learns) and (d.promised_at(s) or s in pooled)
    }
    options = {key: ways for key, ways in plants.options.items() if key[0] in used}
    units = {c for ways in options.values() for way in ways for c, _ in way.bank.counts}
    kinds = {c: d.i.uptime.components[c] for c in d.i.uptime.components if c in units}
    return {
        "sla_classes": tuple(p.name for p in plants.promises),
        "class_of": {
            x: promise_of(offer).name
            for x, offer in d.i.contracts.items()
            if offer.availability > 0
        },
        "plant_parts": {s: plants.parts[s] for s in d.i.sites if s in used},
        "plant_units": {
            key: tuple(dict.fromkeys(c for way in ways for c, _ in way.bank.counts))
            for key, ways in options.items()
        },
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
        **_units(d, options, kinds),
    }


def _learning(d: Any) -> dict[tuple[str, int], float]:
    """Downtime that a newcomer uses up beyond an old hand, by periods since it began."""
    found: dict[tuple[str, int], float] = {}
    for promise in d.plants.promises:
        usual = d.designs.company_weight(promise, None)
        for age in range(d.tree.periods):
            more = d.designs.company_weight(promise, float(age * d.tree.months)) - usual
            if more > 0:
                found[promise.name, age] = float(more)
    return found


def _pools(d: Any) -> dict[str, Any]:
    """Tables of what mining shares: units, and how likely so few of them are up."""
    pools: dict[tuple[str, str], tuple[Pool, ...]] = d.plants.pools
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
    d: Any, options: Mapping[tuple[str, str], Sequence[Option]], kinds: Mapping[str, Component]
) -> dict[str, Any]:
    """Tables of units: what stands, what may be ordered, what it costs."""
    lag = {c: d.lag(kind.works_months) for c, kind in kinds.items()}
    most: dict[tuple[str, str, str], float] = {}
    for (s, part), ways in options.items():
        for way in ways:
            for c, count in way.bank.counts:
                most[s, part, c] = max(most.get((s, part, c), 0.0), float(count))
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
        "plant_cost": {k: kw[k] * kinds[k[2]].capex_usd_per_kw / 1e6 for k in most},
        "plant_upkeep": {k: kw[k] * kinds[k[2]].opex_usd_per_kw_year / 1e6 * years for k in most},
        "plant_orders_allowed": tuple(
            (n, *key)
            for n in d.tree.nodes
            for key in most
            if d.tree.lands(n, lag[key[2]])
            and key[0] not in d.i.policy.keep_sites
            and most[key] > today.get(key, 0.0)
        ),
    }


def _rating(d: Any, s: str, part: str, component: str) -> float:
    """MW of a unit; one that carries any load is as large as the site's AI can be."""
    rating = d.i.uptime.components[component].unit_mw
    if rating is not None:
        return float(rating)
    share: float = d.i.uptime.subsystems[part].load_share
    return float(d.plants.most_mw(s, part)) * share
