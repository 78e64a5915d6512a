"""Traps of uptime that were met once: rounding, restarts, common cause, planned work."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from models.availability import DOWNTIME_PARTS, Units, bank_unavailability, series
from models.derive.designs import Designs
from models.derive.reach import Bank, Reach, weight_of
from models.derive.uptime import Plants
from models.instance import Instance
from models.outage import Standby, hours_lost, hours_lost_exactly
from tests.models.test_uptime_laws import cheapest_hall, cheapest_of_all, falls
from tests.models.tiny import LEASE, Typed, tiny
from tests.models.uptime_cases import HALL_MW, draw


def made(components: Typed, subsystems: Typed, **offer: object) -> Instance:
    uptime = {"packages": None, "components": components, "subsystems": subsystems}
    return tiny(uptime=uptime, contracts={"c": {**LEASE, **offer}})


def generators(**changes: object) -> Instance:
    """Generators of 2 MW behind a feed that fails for half an hour."""
    diesel = {
        "unit_mw": 2.0,
        "availability": 0.995,
        "hours_to_repair": 24.0,
        "start_failure_share": 0.0094,
        "hours_to_failure": 1100.0,
        **changes,
    }
    grid = {"failures_per_year": 1.0, "hours_to_repair": 0.5}
    power = {"level": "site", "components": ["diesel"], "feed": "grid"}
    return made({"grid": grid, "diesel": diesel}, {"power": power})


def test_small_tails_keep_their_digits() -> None:
    for q in (Fraction(1, 10**6), Fraction(1, 10**9)):
        for count, needed in ((1, 1), (2, 1), (12, 6)):
            exact = float(bank_unavailability([Units(count, q)], needed))
            found = bank_unavailability([Units(count, float(q))], needed)
            assert found == pytest.approx(exact, rel=1e-13, abs=0.0)


def test_two_parts_that_miss_a_promise_by_a_trifle_do_not_fit() -> None:
    """Six nines missed by a part in 1e12: weights fit, the audit refuses the plan."""
    part = {
        "failures_per_year": 0.0010950008212517795,
        "hours_to_repair": 4.0,
        "common_cause_share": 0.0,
    }
    once: Typed = {"components": ["u"], "spares_max": 0}
    levels = {"h": {"level": "hall", **once}, "s": {"level": "site", **once}}
    instance = made({"u": part}, levels, availability=0.999999)
    designs, exactly = Designs(instance), Reach(instance, exactly=True)
    (promise,), (hall,) = designs.promises, designs.packages(HALL_MW).values()
    plants = Plants(designs, {"a": 4.0})
    (option,) = plants.options["a", "s"]
    weight = weight_of(designs.reach.package(hall), promise)
    weight += plants.weights["a", "s", option.name, promise.name]
    down = series([exactly.package(hall), exactly.bank(option.bank)])
    assert 1 - down >= promise.exactly or weight > DOWNTIME_PARTS


def test_long_outages_of_short_lived_generators_are_integrated() -> None:
    """A month's outage and generators that run for 20 hours: 2e-5 too little downtime."""
    exact = hours_lost_exactly(
        Standby(Fraction(995, 1000), Fraction(94, 10000), Fraction(20)), 12, 8, Fraction(720)
    )
    found = hours_lost(Standby(0.995, 0.0094, 20.0), 12, 8, 720.0)
    assert found == pytest.approx(float(exact), rel=1e-9)


def test_the_first_generator_never_lowers_availability() -> None:
    """Half an hour a year without any, an hour with one that starts in the dark."""
    reach = Reach(generators())
    banks = [Bank("power", (), 0), Bank("power", (("diesel", 1),), 1)]
    assert falls([float(reach.bank(bank)) for bank in banks])


def test_common_cause_counts_among_generators() -> None:
    bank = Bank("power", (("diesel", 6),), 4)
    alone, common = (Reach(generators(common_cause_share=b)).bank(bank) for b in (0.0, 0.2))
    assert common > alone


def test_planned_work_of_many_units_is_a_share_of_time() -> None:
    """Twenty units, 500 hours each: more than one is out on average."""
    work = Fraction(20 * 500, 8760)
    units = Units(20, Fraction(0), 0, work)
    assert bank_unavailability([units], 20) <= 1
    assert bank_unavailability([units], 19) > 0


def test_designs_that_only_planned_work_spoils_are_offered() -> None:
    """A cheaper kind that is down less in all hides the one that keeps the promise."""
    kinds = {
        "worked": {"failures_per_year": 0.001, "maintenance_hours_per_year": 8.0},
        "failing": {"failures_per_year": 1.0},
    }
    costs = {"worked": 100.0, "failing": 90.0}
    components = {
        name: {"hours_to_repair": 4.0, "capex_usd_per_kw": costs[name], **kind}
        for name, kind in kinds.items()
    }
    hall = {"level": "hall", "components": list(kinds), "spares_max": 0}
    offer = {"availability": 0.9999, "planned_work_excluded": True}
    instance = made(components, {"h": hall}, **offer)
    assert cheapest_of_all(instance) == 100.0
    assert cheapest_hall(instance) == 100.0


def test_the_cheapest_hall_without_planned_work_equals_enumeration() -> None:
    for seed in range(500):
        instance = draw(seed, (0.9999,))
        if instance.contracts["c0"].planned_work_excluded:
            found, expected = cheapest_hall(instance), cheapest_of_all(instance)
            assert math.isclose(found, expected, rel_tol=1e-12) or found == expected


def test_candidates_of_mixed_units_lose_what_their_bank_loses() -> None:
    kind = {
        "unit_mw": 1.0,
        "failures_per_year": 0.001,
        "hours_to_repair": 2.0,
        "maintenance_hours_per_year": 8.0,
    }
    hall = {"level": "hall", "components": ["a", "b"], "mixing": True}
    designs = Designs(made({"a": kind, "b": kind}, {"h": hall}, availability=0.999))
    for candidate, bank in designs._candidates("h", HALL_MW):
        assert candidate.unavailability == pytest.approx(designs.reach.bank(bank), rel=1e-9)


def test_the_cheapest_hall_of_mixed_units_equals_enumeration() -> None:
    """Seed 355 pays 1,029 $/kW where 931.5 keep the promise."""
    for seed, promised in ((355, 0.9995), *((s, 0.9999) for s in range(300))):
        instance = draw(seed, (promised,))
        if not instance.contracts["c0"].planned_work_excluded:
            assert cheapest_hall(instance) <= cheapest_of_all(instance) * (1 + 1e-12)
