"""Availability worked out anew from a plan: what it reads, against figures by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from models.derive.reach import Promise, promise_of
from models.hours import flat
from optimizer.case import Case, prepare
from optimizer.highs import Options
from optimizer.plan import tables
from optimizer.reached import Reached
from optimizer.solve import Solved, solve
from tests.models.tiny import LEASE, PLANT, Typed, merged, tiny

YEAR: Typed = {**LEASE, "start": "2029-01", "sign_by": "2029-01", "months": 12,
               "rate_usd_per_kw_month": 400.0, "availability": 0.99}  # fmt: skip
HALL = "h:ai+n1"


def served(units: int, *, excluded: bool = False, **changes: object) -> tuple[Case, Solved]:
    """Let 1.5 MW be served, behind so many chillers of 2 MW."""
    chiller = {"maintenance_hours_per_year": 87.6, **changes}
    part = {"load_share": 1.5}
    instance = tiny(
        horizon__periods=1,
        fleet=[],
        uptime=merged(PLANT, {"components": {"chiller": chiller}, "subsystems": {"cool": part}}),
        sites__a__plant={"cool": {"component": "chiller", "units": units}},
        halls__h={"fitout": "ai", "package": "n1"},
        contracts__lease={**YEAR, "min_mw": 1.5, "max_mw": 1.5, "planned_work_excluded": excluded},
    )
    case = prepare(instance, {"a": flat(40.0)})
    found = solve(case, Options(gap=1e-9))
    assert found.plan is not None
    assert sum(found.plan.signing.values()) == 1
    return case, found


def test_load_share_and_planned_work_count() -> None:
    """2.25 MW through chillers of 2 MW need two; each is worked on for a hundredth of the time."""
    case, found = served(3)
    assert found.plan is not None
    reached = Reached(case, found.plan)
    promise = promise_of(case.instance.contracts["lease"])
    assert reached.bank(0, "a", "cool", promise).needed == 2
    q, out = Fraction(2, 10_000), Fraction(3, 100)
    three = 3 * q**2 * (1 - q) + q**3
    two = 1 - (1 - q) ** 2
    hall = Fraction("0.9995")
    down = (1 - out) * three + out * two
    assert reached.availability(0, HALL, promise) == hall * (1 - down)
    case, found = served(3, excluded=True)
    assert found.plan is not None
    promise = promise_of(case.instance.contracts["lease"])
    assert Reached(case, found.plan).plant(0, HALL, promise)["cool"] == three


def test_a_promise_of_nothing_asks_for_no_plant() -> None:
    case, found = served(3)
    assert found.plan is not None
    assert Reached(case, found.plan).plant(0, HALL, Promise(0.0)) == {}


@pytest.mark.parametrize(
    ("units", "paths", "maintainable"), [(3, 2, True), (3, 1, False), (2, 2, False)]
)
def test_a_tier_is_a_matter_of_structure(units: int, paths: int, maintainable: bool) -> None:
    case, found = served(units, maintenance_hours_per_year=0.0)
    uptime = case.instance.uptime
    part = uptime.subsystems["cool"].model_copy(update={"paths": paths})
    changed = uptime.model_copy(update={"subsystems": {"cool": part}})
    instance = case.instance.model_copy(update={"uptime": changed})
    designs = tables(replace(case, instance=instance), found).designs.set_index("subsystem")
    assert bool(designs.loc["cool"]["concurrently_maintainable"]) is maintainable
