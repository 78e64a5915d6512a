"""Plants that serve beyond the horizon, and credits, against enumeration.

The sites are those of :mod:`tests.models.test_plants`, with contracts that may end one or two
years after the horizon and credit a share of their rent. Every number of units is tried, and for
each class every way to build the plant on them; what each way is credited, until when its units
are needed and what they are then worth follows on paper.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from scipy.optimize import linprog

from models.availability import series
from models.derive.outages import Downtime, Outages
from models.derive.reach import Bank, Promise, Reach, promise_of
from models.hours import flat
from models.instance import Contract, Instance
from models.sla import Credit, Outage, expected_credit
from optimizer.case import prepare
from optimizer.highs import Options
from optimizer.solve import solve
from tests.models.test_plants import HALL_MW, Stand, draw, stands
from tests.models.tiny import CREW, LEASE, merged, tiny

EXACT = Options(gap=1e-9, absolute_gap=1e-9)
HORIZON = 12
#: Most ways to build a plant for all classes that are tried.
MOST = 400


def lasting(seed: int) -> Instance:
    """A site of the same kind whose contracts outlast the horizon and credit failures."""
    r = random.Random(f"beyond {seed}")
    typed = draw(seed).model_dump(exclude_unset=True)
    for offer in typed["contracts"].values():
        offer["months"] = r.choice((12, 24, 24, 36))
        if r.random() < 0.7:
            steps = [{"below": offer["availability"], "share": r.choice((0.1, 0.5))},
                     {"below": 0.97, "share": 1.0}]  # fmt: skip
            offer["credits"] = steps
    for kind in typed["uptime"]["components"].values():
        if "capex_usd_per_kw" in kind:
            kind["life_months"] = r.choice((18, 30, 120))
    (package,) = typed["uptime"]["packages"].values()
    package |= {"outages_per_year": r.choice((0.05, 1.0)), "opex_usd_per_kw_year": 0.0}
    typed["fitouts"]["ai"]["opex_usd_per_kw_year"] = 0.0
    return Instance.model_validate(typed)


@dataclass(frozen=True)
class Way:
    """How a part carries a class: units that count, those needed, the MW that they carry."""

    count: int
    needed: int
    mw: float


class Paper:
    """Everything that follows from a plant, on paper."""

    def __init__(self, instance: Instance) -> None:
        self.i = instance
        self.exact = Reach(instance, exactly=True)
        self.outages = Outages(Reach(instance))
        self.known: dict[Any, Any] = {}

    def bank(self, part: str, unit: str, way: Way) -> Bank:
        return Bank(part, ((unit, way.count),) if way.count else (), way.needed)

    def ways(self, part: str, unit: str, stand: int) -> list[Way]:
        typed = self.i.uptime.subsystems[part]
        size = self.i.uptime.components[unit].unit_mw
        assert size is not None
        found = [
            Way(n, k, k * size / typed.load_share)
            for n in range(1, stand + 1)
            for k in range(1, n + 1)
        ]
        return found + [Way(0, 0, 99.0)] * (typed.feed is not None)

    def down(self, bank: Bank, excluded: bool) -> Fraction:
        key = "down", bank, excluded
        if key not in self.known:
            self.known[key] = Fraction(self.exact.bank(bank, planned_work_excluded=excluded))
        return self.known[key]  # type: ignore[no-any-return]

    def credit(self, bank: Bank, offer: Contract) -> float:
        key = "credit", bank, offer.availability, offer.planned_work_excluded, str(offer.credits)
        if key not in self.known:
            excluded = offer.planned_work_excluded
            down = self.outages.bank(bank, planned_work_excluded=excluded)
            self.known[key] = credited(down, offer)
        return self.known[key]  # type: ignore[no-any-return]

    def choices(self, stand: Stand, promise: Promise) -> Iterator[tuple[Way, ...]]:
        """Ways of all parts that keep a promise together."""
        hall = 1 - Fraction(str(self.i.uptime.packages["n1"].availability))
        for ways in itertools.product(*(self.ways(d, u, n) for d, (u, n) in stand.items())):
            banks = [
                self.bank(d, u, way) for (d, (u, _)), way in zip(stand.items(), ways, strict=True)
            ]
            parts = [self.down(bank, promise.planned_work_excluded) for bank in banks]
            if 1 - Fraction(series([hall, *parts])) >= promise.exactly:
                yield ways


def credited(down: Downtime, offer: Contract) -> float:
    """By the schedule: outages of one length, at random."""
    assert down.outages_per_year is not None
    steps = [Credit(step.below, step.share) for step in offer.credits]
    kind = Outage(down.outages_per_year, down.hours_each or 0.0)
    return expected_credit([kind], steps)


class TooMany(Exception):
    """More ways than are worth trying."""


def best_gain(instance: Instance) -> float:
    """Best value over doing nothing, by trying everything."""
    paper, offers = Paper(instance), instance.contracts
    promises = sorted({promise_of(o) for o in offers.values()},
                      key=lambda q: (-q.availability, q.planned_work_excluded))  # fmt: skip
    best = 0.0
    plants = [(stand, {q: list(paper.choices(stand, q)) for q in promises})
              for stand, _ in stands(instance)]  # fmt: skip
    if sum(math.prod(max(1, len(own)) for own in ways.values()) for _, ways in plants) > MOST:
        raise TooMany
    for stand, ways in plants:
        for on in itertools.product((0, 1), repeat=len(offers)):
            names = [x for x, signed in zip(offers, on, strict=True) if signed]
            needed = [q for q in promises if any(promise_of(offers[x]) == q for x in names)]
            for chosen in itertools.product(*(ways[q] for q in needed)) if names else ():
                by_class = dict(zip(needed, chosen, strict=True))
                taken = [offers[x] for x in names]
                spent = spending(instance, stand, by_class, taken)
                if sum(map(earns_at_most, taken)) - spent > best:
                    best = max(best, rent(paper, stand, by_class, names, promises) - spent)
    return best


def earns_at_most(offer: Contract) -> float:
    assert offer.rate_usd_per_kw_month is not None
    return offer.max_mw * offer.rate_usd_per_kw_month * offer.months / 1e3


Chosen = dict[Promise, tuple[Way, ...]]


def rent(
    paper: Paper, stand: Stand, by_class: Chosen, names: list[str], promises: list[Promise]
) -> float:
    """Most rent after credits of contracts that are all taken."""
    offers = [paper.i.contracts[x] for x in names]
    earns = []
    for offer in offers:
        banks = zip(stand.items(), by_class[promise_of(offer)], strict=True)
        share = sum(paper.credit(paper.bank(d, u, way), offer) for (d, (u, _)), way in banks)
        package = paper.i.uptime.packages["n1"]
        down = Downtime(1 - package.availability, package.outages_per_year)
        share += credited(down, offer)
        assert offer.rate_usd_per_kw_month is not None
        earns.append(offer.rate_usd_per_kw_month * offer.months / 1e3 * (1 - share))
    rank = [promises.index(promise_of(o)) for o in offers]
    rows, limits = [[1.0] * len(offers)], [HALL_MW * paper.i.halls["h"].count]
    for q, ways in by_class.items():
        rows.append([1.0 if r <= promises.index(q) else 0.0 for r in rank])
        limits.append(min((way.mw for way in ways), default=99.0))
    bounds = [(o.min_mw, o.max_mw) for o in offers]
    found = linprog([-e for e in earns], rows, limits, bounds=bounds)
    return -float(found.fun) if found.status == 0 else -1e9


def spending(instance: Instance, stand: Stand, by_class: Chosen, offers: list[Contract]) -> float:
    """Capex less what units are worth when nothing needs them any more, and upkeep until then."""
    today = instance.sites["a"].plant
    spent = 0.0
    for i, (part, (unit, n)) in enumerate(stand.items()):
        kind = instance.uptime.components[unit]
        assert kind.unit_mw is not None
        kw = kind.unit_mw * 1000 / 1e6
        before = today[part].units if part in today and today[part].component == unit else 0
        ends = sorted({o.months for o in offers} | {HORIZON})
        spent += (n - before) * kw * kind.opex_usd_per_kw_year
        gone, stays = HORIZON, n
        for end in [*ends[1:], None]:
            running = {promise_of(o) for o in offers if end is not None and o.months >= end}
            lasts = max((by_class[q][i].count for q in running), default=0)
            left = max(0.0, 1 - gone / kind.life_months)
            released = max(stays - max(lasts, before), 0)
            spent += released * kw * kind.capex_usd_per_kw * (1 - left)
            stays -= released
            if end is not None:
                spent += lasts * kw * kind.opex_usd_per_kw_year * (end - gone) / 12
                gone = end
    return spent


@pytest.mark.parametrize("batch", range(6))
def test_the_best_plant_beyond_the_horizon_equals_enumeration(batch: int) -> None:
    built = lasted = 0
    for seed in range(50 * batch, 50 * batch + 50):
        instance = lasting(seed)
        try:
            expected = best_gain(instance)
        except TooMany:
            continue
        solved = solve(prepare(instance, {"a": flat(40.0)}), EXACT)
        assert solved.status == "solved", (seed, solved.status, solved.audit)
        assert solved.audit is not None
        assert solved.audit.nothing_musd is not None
        assert solved.plan is not None
        gain = solved.audit.value_musd - solved.audit.nothing_musd
        assert gain == pytest.approx(expected, abs=1e-6, rel=1e-6), seed
        built += gain > 1e-6
        lasted += any(units > 0.5 for units in solved.plan.units_lasting.values())
    assert built >= 20, "most sites should be worth it"
    assert lasted >= 10, "many should serve beyond the horizon"


# --- a company that learns -----------------------------------------------------------------


def test_a_newcomer_is_credited_for_what_it_errs_more_until_it_has_learnt() -> None:
    """Begun in 2029, serving from 2030: one, two, three and four years of experience."""
    steps = [{"below": 0.999, "share": 0.5}]
    lease = {**LEASE, "min_mw": 2.0, "max_mw": 2.0, "credits": steps, "availability": 0.999,
             "power_passed_through": True, "staff_usd_per_kw_month": 0.0}  # fmt: skip
    crew = merged(CREW, {"packages": {"n1": {"outages_per_year": 1.0}}})
    typed: dict[str, Any] = {"uptime": crew, "fleet": [],
                             "halls__h": {"fitout": "ai", "package": "n1"}}  # fmt: skip

    def value(**changes: Any) -> float:
        instance = tiny(**typed, **changes)
        solved = solve(prepare(instance, {"a": flat(40.0)}), EXACT)
        assert solved.status == "solved"
        assert solved.value_musd is not None
        return solved.value_musd

    lost = value(contracts__lease={**lease, "credits": []}) - value(contracts__lease=lease)

    def month(down: float, hours: float) -> float:
        return expected_credit([Outage(down * 8760 / hours, hours)], [Credit(0.999, 0.5)])

    def people(months: float) -> float:
        return month(1e-4 * (1 + 2 * 0.5 ** (months / 12)), 1.0)

    # Two years within the horizon, by the period, and two beyond, by the month; 2.4 M$ each.
    errs = people(12) + people(24) + sum(people(36 + m) for m in range(24)) / 12
    hall = 4 * month(5e-4, 5e-4 * 8760)
    assert lost == pytest.approx(2.4 * (hall + errs), rel=1e-9)


@pytest.mark.parametrize("schedule", [(), ((0.9999, 0.1), (0.99, 0.3), (0.95, 1.0))])
def test_parts_counted_one_by_one_come_near_to_all_of_them_together(schedule: Any) -> None:
    """Off by no more than the months in which two parts fail."""
    r = random.Random(5)
    steps = [Credit(*step) for step in schedule]
    for _ in range(200):
        kinds = [Outage(10 ** r.uniform(-3, 0.3), 10 ** r.uniform(-1.5, 1.5)) for _ in range(5)]
        apart = sum(expected_credit([kind], steps) for kind in kinds)
        strikes = [1 - (1 - kind.per_year / 1200) ** 100 for kind in kinds]
        both = sum(a * b for a, b in itertools.combinations(strikes, 2))
        assert abs(expected_credit(kinds, steps) - apart) <= both + 1e-12
