"""What made packages and plants cost, and when: by hand."""

from __future__ import annotations

import pytest

from models.derive import Derivation, tree_of
from models.derive.designs import Designs
from tests.models.tiny import LEASE, PLANT, Typed, case, merged, tiny

#: Modules of 1 MW at 200 $/kW, months to build, up to one spare; chillers with 3 months of works.
UPS: Typed = {
    "unit_mw": 1.0, "failures_per_year": 0.2, "hours_to_repair": 10.0, "common_cause_share": 0.0,
    "capex_usd_per_kw": 200.0, "opex_usd_per_kw_year": 5.0, "works_months": 5,
}  # fmt: skip
MADE: Typed = {
    "packages": None,
    "components": {"ups": UPS, "fan": {**UPS, "unit_mw": 2.0, "works_months": 3}},
    "subsystems": {
        "ups": {"level": "hall", "components": ["ups"], "spares_max": 1},
        "fan": {"level": "hall", "components": ["fan"], "spares_max": 0},
    },
}


def halls(**changes: object) -> Derivation:
    """Halls of 2 MW of AI, for a contract that asks for a spare."""
    instance = tiny(
        uptime=merged(MADE, dict(changes)),
        contracts__lease={**LEASE, "availability": 0.999},
        fitouts__ai__works_months=1,
    )
    return Derivation(instance, tree_of(instance))


def test_works_of_a_package_take_as_long_as_their_slowest_unit() -> None:
    d = halls()
    way = {p.name: d.conversion(d.by_hall["h"][0], p) for p in d.by_hall["h"][1:]}
    assert {months for months, _ in filter(None, way.values())} >= {5}
    spare = way["h:ai+ups1"]
    assert spare is not None
    # 2,000 $/kW of fit-out, three modules and a fan of 2 MW at 200 $/kW, over 2 MW.
    assert spare == (5, pytest.approx(2000.0 * 2000 + 200.0 * (3000 + 2000)))


def test_an_upgrade_pays_for_what_is_added() -> None:
    d = halls()
    places = {p.name: p for p in d.by_hall["h"]}
    added = d.conversion(places["h:ai+ups0"], places["h:ai+ups1"])
    assert added is not None
    assert added[1] == pytest.approx(200.0 * 1000)
    assert d.conversion(places["h:ai+ups1"], places["h:ai+ups0"]) is None


def test_units_that_the_fit_out_pays_for_cost_no_more() -> None:
    part = {"subsystems": {"ups": {"needed_in_fitout": True}, "fan": {"needed_in_fitout": True}}}
    packages = Designs(halls(**part).i).packages(2.0)
    assert packages["ups0"].capex_usd_per_kw == 0.0
    # One spare module of 1 MW over 2 MW; upkeep of all five megawatts that stand.
    assert packages["ups1"].capex_usd_per_kw == pytest.approx(100.0)
    assert packages["ups1"].opex_usd_per_kw_year == pytest.approx(5.0 * 5 / 2)
    d = halls(**part)
    places = {p.name: p for p in d.by_hall["h"]}
    added = d.conversion(places["h:ai+ups0"], places["h:ai+ups1"])
    assert added is not None
    assert added[1] == pytest.approx(200.0 * 1000)


def test_units_that_stand_today_cost_upkeep_and_are_not_ordered_at_kept_sites() -> None:
    units = {"cool": {"component": "chiller", "units": 1}}
    typed = {"uptime": PLANT, "contracts__lease": LEASE, "sites__a__plant": units}
    g = case(tiny(**typed))
    # 2 MW at 10 $/kW a year.
    assert g.plant_upkeep["a", "cool", "chiller"] == pytest.approx(0.02)
    assert g.plant_today["a", "cool", "chiller"] == 1
    assert {key[1:] for key in g.plant_orders_allowed} == {("a", "cool", "chiller")}
    kept = case(tiny(**typed, policy__keep_sites=["a"]))
    assert kept.plant_orders_allowed == ()
