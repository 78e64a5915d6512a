"""Packages that halls can have: whole designs of their subsystems, made beforehand.

Of the ways to build each subsystem, the designs that no other beats in capex, upkeep and downtime
are found exactly (:mod:`models.redundancy`); a package may also be stated with the availability
that it is said to reach. Either is part of a hall's state.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from models.availability import HOURS_PER_YEAR
from models.derive.reach import (
    Bank,
    HallDesign,
    Promise,
    Reach,
    promise_of,
    units_needed,
    weight_of,
)
from models.instance import Instance, Package, Standing, Subsystem
from models.redundancy import Candidate, Choice, Design, candidates, frontier
from models.units import KW_PER_MW


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
        """Give the packages of a hall of so many IT MW, by name.

        Those that the instance names come first; those made from components follow, under names
        of their own.
        """
        if it_mw not in self._made:
            found = {
                name: design
                for name, package in self.i.uptime.packages.items()
                if (design := self.named(name, package, it_mw)) is not None
            }
            for design in self._make(it_mw) if self.of_halls else ():
                if any(design.banks == known.banks for known in found.values()):
                    continue
                name = next(free for free in _alternatives(design.name) if free not in found)
                found[name] = replace(design, name=name)
            self._made[it_mw] = found
        return self._made[it_mw]

    def named(self, name: str, package: Package, it_mw: float) -> HallDesign | None:
        """Read a package of the instance; None where its units do not carry such a hall."""
        if not package.units:
            return stated(name, package)
        banks = [self._bank(part, package.units.get(part), it_mw) for part in self.of_halls]
        if any(bank is None for bank in banks):
            return None
        return self._priced(name, it_mw, tuple(bank for bank in banks if bank is not None))

    def _bank(self, name: str, standing: Standing | None, it_mw: float) -> Bank | None:
        part = self.of_halls[name]
        if standing is None:
            return Bank(name, (), 0) if part.feed is not None else None
        size = self.i.uptime.components[standing.component].unit_mw
        needed = units_needed(it_mw * part.load_share, size)
        if standing.units < needed:
            return None
        return Bank(name, ((standing.component, standing.units),), needed)

    def _make(self, it_mw: float) -> Iterator[HallDesign]:
        """Make the designs that no other beats, and that some promise has a use for."""
        for excluded in sorted({False, *(p.planned_work_excluded for p in self.promises)}):
            parts = [self._candidates(name, it_mw, excluded) for name in self.of_halls]
            designs = frontier([[candidate for candidate, _ in part] for part in parts])
            banks = [{candidate.counts: bank for candidate, bank in part} for part in parts]
            for design in self._useful(designs, excluded):
                chosen = zip(banks, design.parts, strict=True)
                yield self._design(it_mw, tuple(bank[p.counts] for bank, p in chosen))

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

    def _design(self, it_mw: float, banks: tuple[Bank, ...]) -> HallDesign:
        named = [self._label(bank) for bank in banks if self._has_choice(bank.subsystem)]
        return self._priced(".".join(named) or "designed", it_mw, banks)

    def _priced(self, name: str, it_mw: float, banks: tuple[Bank, ...]) -> HallDesign:
        """Work out what a design costs, and how long its works take."""
        capex = opex = 0.0
        for bank in banks:
            part = self.of_halls[bank.subsystem]
            for component, count in bank.counts:
                load = it_mw * part.load_share
                spent = self.spends(part, component, count, bank.needed, load)
                capex, opex = capex + spent[0], opex + spent[1]
        kw = it_mw * KW_PER_MW
        works = [self.i.uptime.components[c].works_months for b in banks for c, _ in b.counts]
        return HallDesign(name, capex / kw, opex / kw, max(works, default=0), banks=banks)

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


def _alternatives(name: str) -> Iterator[str]:
    """Walk the names that a design may take: its own, or with a number where that is taken."""
    yield name
    yield from (f"{name}~{i}" for i in itertools.count(2))


def stated(name: str, package: Package) -> HallDesign:
    """Read a package whose availability is stated."""
    assert package.availability is not None
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
