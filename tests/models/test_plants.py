"""Plants of random small sites against enumeration: units, needed units, classes and packages.

Each site has a hall or two that serve AI today, one or two parts of a plant and one or two offers.
Every number of units is tried; for each, what every class may carry follows from availability
worked out in exact fractions, and the MW from a linear program of two unknowns.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from scipy.optimize import linprog

from models.availability import series
from models.derive.reach import Bank, Reach, units_needed
from models.hours import flat
from models.instance import Contract, Instance
from optimizer.case import prepare
from optimizer.highs import Options
from optimizer.solve import solve
from tests.models.tiny import LEASE, PLANT, Typed, merged, tiny

HALL_MW = 2.0
EXACT = Options(gap=1e-9, absolute_gap=1e-9)


def draw(seed: int) -> Instance:
    """Draw a site."""
    r = random.Random(seed)
    kinds = {f"u{i}": component(r) for i in range(r.choice((1, 2)))}
    parts = {
        f"d{i}": {
            "level": "site",
            "components": r.sample(sorted(kinds), r.randint(1, len(kinds))),
            "spares_max": r.randint(0, 2),
            "load_share": r.choice((1.0, 1.25)),
        }
        for i in range(r.choice((1, 1, 2)))
    }
    if r.random() < 0.4:
        kinds["grid"] = {"failures_per_year": r.choice((0.2, 1.0)), "hours_to_repair": 2.0}
        kinds["diesel"] = standby(r)
        parts["power"] = {
            "level": "site",
            "components": ["diesel"],
            "feed": "grid",
            "spares_max": r.randint(0, 2),
            "ride_through_seconds": r.choice((0.0, 60.0, 60.0)),
        }
    plant = {}
    for name, part in parts.items():
        if r.random() < 0.4:
            plant[name] = {"component": r.choice(part["components"]), "units": r.randint(1, 2)}
    return tiny(
        horizon__periods=1,
        finance__opening_cash_musd=1000.0,
        fleet=[],
        uptime={
            "packages": {"n1": {"availability": r.choice((0.9995, 0.99995, 0.999999))}},
            "components": kinds,
            "subsystems": parts,
        },
        sites__a={"firm_mw": 20.0, "plant": plant},
        halls__h={"count": r.randint(1, 2), "fitout": "ai", "package": "n1"},
        contracts={f"c{i}": offer(r) for i in range(r.choice((1, 2)))},
    )


def component(r: random.Random) -> Typed:
    return {
        "unit_mw": r.choice((1.0, 1.5, 2.5)),
        "failures_per_year": r.choice((0.01, 0.1, 0.5)),
        "hours_to_repair": r.choice((2.0, 8.0, 24.0)),
        "common_cause_share": r.choice((0.0, 0.02, 0.1)),
        "maintenance_hours_per_year": r.choice((0.0, 0.0, 4.0)),
        "capex_usd_per_kw": float(r.randint(50, 400)),
        "opex_usd_per_kw_year": float(r.randint(0, 20)),
        "life_months": 120,
    }


def standby(r: random.Random) -> Typed:
    return {
        **component(r),
        "failures_per_year": None,
        "availability": 0.995,
        "start_failure_share": 0.0094,
        "hours_to_failure": 1100.0,
    }


def offer(r: random.Random) -> Typed:
    least = r.choice((0.5, 1.0))
    return {
        **LEASE,
        "min_mw": least,
        "max_mw": least + r.choice((0.5, 1.0, 3.0)),
        "sign_by": "2029-01",
        "start": "2029-01",
        "months": 12,
        "rate_usd_per_kw_month": float(r.randint(20, 150)),
        "staff_usd_per_kw_month": 0.0,
        "power_passed_through": True,
        "availability": r.choice((0.99, 0.999, 0.999, 0.9999)),
        "planned_work_excluded": r.random() < 0.3,
    }


# --- enumeration ---------------------------------------------------------------------------

#: Kind of unit and number, by part of the plant.
Stand = dict[str, tuple[str, int]]


def stands(instance: Instance) -> Iterator[tuple[Stand, float]]:
    """Every plant there can be, and what it costs more than the one that stands."""
    today = instance.sites["a"].plant
    ways = []
    for name, part in instance.uptime.subsystems.items():
        own: list[tuple[str, tuple[str, int], float]] = []
        load = HALL_MW * instance.halls["h"].count * part.load_share
        for unit in part.components:
            most = units_needed(load, instance.uptime.components[unit].unit_mw) + part.spares_max
            before = today[name].units if name in today and today[name].component == unit else 0
            own += [
                (name, (unit, n), (n - before) * cost(instance, unit))
                for n in range(before, max(before, most) + 1)
            ]
        ways.append(own)
    for choice in itertools.product(*ways):
        yield {name: stand for name, stand, _ in choice}, sum(musd for *_, musd in choice)


def cost(instance: Instance, unit: str) -> float:
    """A unit for a year: capex less what it is then worth, and upkeep."""
    kind = instance.uptime.components[unit]
    assert kind.unit_mw is not None
    lost = kind.capex_usd_per_kw * 12 / kind.life_months
    return kind.unit_mw * 1000 * (lost + kind.opex_usd_per_kw_year) / 1e6


class Sites:
    """What every class may carry on a plant."""

    def __init__(self, instance: Instance) -> None:
        self.i = instance
        self.reach = Reach(instance, exactly=True)
        self.known: dict[Any, Fraction] = {}

    def down(self, part: str, unit: str, n: int, needed: int, excluded: bool) -> Fraction:
        """Unavailability of a bank."""
        bank = Bank(part, ((unit, n),) if n else (), needed if n else 0)
        key = bank, excluded
        if key not in self.known:
            self.known[key] = Fraction(self.reach.bank(bank, planned_work_excluded=excluded))
        return self.known[key]

    def most(self, stand: Stand, availability: float, excluded: bool) -> float:
        """Most MW that a promise may be given for."""
        hall = 1 - Fraction(str(self.i.uptime.packages["n1"].availability))
        best = 0.0
        for needed in itertools.product(*(self._needs(p, *s) for p, s in stand.items())):
            parts = [
                self.down(p, u, n, k, excluded)
                for (p, (u, _)), (n, k, _) in zip(stand.items(), needed, strict=True)
            ]
            if 1 - Fraction(series([hall, *parts])) >= Fraction(str(availability)):
                best = max(best, min((mw for *_, mw in needed), default=99.0))
        return best

    def _needs(self, part: str, unit: str, n: int) -> list[tuple[int, int, float]]:
        """Units that count, those needed, and the MW that they carry."""
        typed = self.i.uptime.subsystems[part]
        size = self.i.uptime.components[unit].unit_mw
        assert size is not None
        needs = [(n, k, k * size / typed.load_share) for k in range(1, n + 1)]
        if typed.feed is not None:
            # The feed carries any load while it is up.
            needs.append((0, 0, 99.0))
        return needs


def best_gain(instance: Instance) -> float:
    """Best value over doing nothing, by trying everything."""
    sites, offers = Sites(instance), instance.contracts
    floor = HALL_MW * instance.halls["h"].count
    classes = sorted(
        {(o.availability, o.planned_work_excluded) for o in offers.values()},
        key=lambda q: (-q[0], q[1]),
    )
    best = 0.0
    for stand, spent in stands(instance):
        if spent > best + sum(earns(o) * o.max_mw for o in offers.values()):
            continue
        room = {q: sites.most(stand, *q) for q in classes}
        for signed in itertools.product((0, 1), repeat=len(offers)):
            names = [x for x, on in zip(offers, signed, strict=True) if on]
            if names:
                gain = most_rent([offers[x] for x in names], classes, room, floor)
                best = max(best, gain - spent)
    return best


def earns(offer: Any) -> float:
    return float(offer.rate_usd_per_kw_month * 12 * 1000 / 1e6)


def most_rent(
    offers: list[Any], classes: list[Any], room: dict[Any, float], floor: float
) -> float:
    """Most rent of offers that are all taken, within what every class carries."""
    rank = [classes.index((o.availability, o.planned_work_excluded)) for o in offers]
    rows = [[1.0] * len(offers)]
    limits = [floor]
    for q in set(rank):
        rows.append([1.0 if r <= q else 0.0 for r in rank])
        limits.append(room[classes[q]])
    found = linprog(
        [-earns(o) for o in offers], rows, limits, bounds=[(o.min_mw, o.max_mw) for o in offers]
    )
    return -float(found.fun) if found.status == 0 else -1e9


# --- comparison ----------------------------------------------------------------------------


@pytest.mark.parametrize("batch", range(10))
def test_the_best_plant_equals_enumeration(batch: int) -> None:
    built = 0
    for seed in range(50 * batch, 50 * batch + 50):
        instance = draw(seed)
        solved = solve(prepare(instance, {"a": flat(40.0)}), EXACT)
        assert solved.status == "solved", (seed, solved.status, solved.audit)
        assert solved.audit is not None
        assert solved.audit.nothing_musd is not None
        gain = solved.audit.value_musd - solved.audit.nothing_musd
        expected = best_gain(instance)
        assert gain == pytest.approx(expected, abs=1e-6, rel=1e-6), seed
        built += expected > 1e-6
    assert built >= 20, "most sites should be worth it"


# --- laws ----------------------------------------------------------------------------------


def value(instance: Instance) -> float:
    solved = solve(prepare(instance, {"a": flat(40.0)}), EXACT)
    assert solved.status == "solved"
    assert solved.value_musd is not None
    return solved.value_musd


def with_offers(instance: Instance, offers: dict[str, Any]) -> Instance:
    return instance.model_copy(update={"contracts": offers})


@pytest.mark.parametrize("batch", range(2))
def test_an_offer_that_nobody_has_to_sign_never_lowers_value(batch: int) -> None:
    """Nor does one that promises more, less, or counts planned work otherwise."""
    for seed in range(1000 + 40 * batch, 1040 + 40 * batch):
        instance = draw(seed)
        r = random.Random(seed)
        (first, *_) = instance.contracts.items()
        poor = {**offer(r), "rate_usd_per_kw_month": 20.0, "availability": r.choice(NINES)}
        more = dict([first]) | {"poor": Contract.model_validate(poor)}
        alone = value(with_offers(instance, dict([first])))
        assert value(with_offers(instance, more)) >= alone - 1e-6, seed


NINES = (0.99, 0.999, 0.9999, 0.99999)


def test_a_laxer_offer_does_not_stand_in_the_way_of_one_without_planned_work() -> None:
    """A chiller that is worked on for 20 hours keeps 99.99 % but for that, and not 99.9 % with."""
    worked = {**PLANT["components"]["chiller"], "maintenance_hours_per_year": 20.0}
    strict = {**LEASE, "availability": 0.9999, "planned_work_excluded": True}
    strict |= {"min_mw": 1.0, "max_mw": 2.0, "rate_usd_per_kw_month": 200.0}
    lax = {**LEASE, "rate_usd_per_kw_month": 20.0}
    typed = {
        "uptime": merged(PLANT, {"packages": {"n1": {"availability": 0.99999}},
                                 "components": {"chiller": {**worked, "availability": 0.99999}}}),
        "sites__a__plant": {"cool": {"component": "chiller", "units": 1}},
        "fleet": [],
        "halls__h": {"fitout": "ai", "package": "n1"},
    }  # fmt: skip
    alone = value(tiny(**typed, contracts={"strict": strict}))
    both = value(tiny(**typed, contracts={"strict": strict, "lax": lax}))
    assert alone > 1.0
    assert both >= alone - 1e-6


def test_two_parts_that_learn_do_not_forbid_ai_to_who_serves_nothing() -> None:
    people = {"availability": 0.99999, "hours_to_repair": 1.0, "newcomer_factor": 50.0}
    crew = {
        "packages": {"n1": {"availability": 0.999999}},
        "components": {"a": people, "b": people},
        "subsystems": {x: {"level": "company", "components": [x]} for x in ("a", "b")},
    }
    easy = {**LEASE, "availability": 0.99, "rate_usd_per_kw_month": 200.0}
    hard = {**LEASE, "availability": 0.9999, "rate_usd_per_kw_month": 20.0}
    typed = {"uptime": crew, "fleet": [], "halls__h": {"fitout": "ai", "package": "n1"}}
    alone = value(tiny(**typed, contracts={"easy": easy}))
    assert value(tiny(**typed, contracts={"easy": easy, "hard": hard})) >= alone - 1e-6
    assert alone > 1.0


def test_units_that_stand_beyond_the_spares_count() -> None:
    """Four chillers stand and one is needed: three of them may fail."""
    units = {"cool": {"component": "chiller", "units": 4}}
    typed = {
        "uptime": merged(PLANT, {"packages": {"n1": {"availability": 0.99999999}},
                                 "subsystems": {"cool": {"spares_max": 0}}}),
        "sites__a__plant": units, "fleet": [], "halls__h": {"fitout": "ai", "package": "n1"},
    }  # fmt: skip
    lease = {**LEASE, "availability": 0.999999, "rate_usd_per_kw_month": 200.0, "max_mw": 1.5}
    assert value(tiny(**typed, contracts={"lease": lease})) > value(tiny(**typed)) + 1.0
