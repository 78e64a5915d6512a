"""What made packages and plants cost, and when: by hand."""

from __future__ import annotations

import pytest

from models.derive import Derivation, tree_of
from models.derive.designs import Designs
from models.sla import Credit, Outage, expected_credit
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


# --- packages given unit by unit -----------------------------------------------------------


def as_built(ups: int, **changes: object) -> Derivation:
    """Halls of AI that have so many modules and a fan today, and may get another module."""
    units = {"ups": {"component": "ups", "units": ups}, "fan": {"component": "fan", "units": 1}}
    instance = tiny(
        uptime=merged(MADE, {"packages": {"old": {"units": units}}, **changes}),
        contracts__lease={**LEASE, "availability": 0.999},
        halls__h={"fitout": "ai", "package": "old"},
        fleet=[],
    )
    return Derivation(instance, tree_of(instance))


def test_what_stands_today_is_as_available_as_what_is_built_alike() -> None:
    old, new = as_built(2), halls()
    (today, *_), made = old.by_hall["h"], {p.name: p for p in new.by_hall["h"]}
    built = made["h:ai+ups0"]
    one, other = old.package(today), new.package(built)
    assert one is not None
    assert other is not None
    assert (today.name, one.banks) == ("h:ai+old", other.banks)
    assert old.designs.reach.package(one) == new.designs.reach.package(other)
    # The same units under another name are no state of their own.
    assert {p.name for p in old.by_hall["h"]} == {
        "h:mine", "h:ai+n1", "h:ai+old", "h:ai+ups1",
    }  # fmt: skip


def test_what_stands_today_is_upgraded_by_what_it_lacks() -> None:
    d = as_built(2)
    places = {p.name: p for p in d.by_hall["h"]}
    upgrade = d.conversion(places["h:ai+old"], places["h:ai+ups1"])
    assert upgrade == (5, pytest.approx(200.0 * 1000))
    # Nobody takes units out again.
    assert d.conversion(places["h:ai+ups1"], places["h:ai+old"]) is None


def test_what_stands_today_may_be_more_than_any_spare() -> None:
    d = as_built(6)
    package = d.package(d.by_hall["h"][0])
    assert package is not None
    assert package.units == {("ups", "ups"): 6, ("fan", "fan"): 1}
    assert package.banks[0].needed == 2


def test_units_that_do_not_carry_a_hall_are_no_package_of_it() -> None:
    units = {"ups": {"component": "ups", "units": 1}, "fan": {"component": "fan", "units": 1}}
    packages = Designs(halls(packages={"small": {"units": units}}).i).packages(2.0)
    assert set(packages) == {"n1", "ups0", "ups1"}


def test_designs_whose_labels_agree_keep_names_of_their_own() -> None:
    """One spare of `u1` and eleven of `u` are both written u11; and the instance names another."""
    kinds = {name: {**UPS, "unit_mw": 2.0} for name in ("u", "u1")}
    kinds["u1"] |= {"capex_usd_per_kw": 180.0, "hours_to_repair": 40.0}
    typed: Typed = {
        "packages": {"u11": {"availability": 0.99}},
        "components": kinds,
        "subsystems": {"ups": {"level": "hall", "components": ["u", "u1"], "spares_max": 11}},
    }
    instance = tiny(uptime=typed, contracts__lease={**LEASE, "availability": 0.999999999999})
    packages = Designs(instance).packages(2.0)
    assert packages["u11"].stated == 0.99
    banks = [design.banks for design in packages.values() if design.banks]
    assert len(set(banks)) == len(banks)
    assert all(name == design.name for name, design in packages.items())
    assert sum(name.startswith("u11") for name in packages) >= 2


def test_units_of_several_kinds_are_named_each() -> None:
    """Two kinds side by side: the label says how many of each."""
    kinds = {"a": UPS, "b": {**UPS, "capex_usd_per_kw": 150.0, "hours_to_repair": 30.0}}
    typed: Typed = {
        "packages": {"n1": {"availability": 0.9}},
        "components": kinds,
        "subsystems": {"ups": {"level": "hall", "components": ["a", "b"], "mixing": True}},
    }
    instance = tiny(uptime=typed, contracts__lease={**LEASE, "availability": 0.999999})
    packages = Designs(instance).packages(2.0)
    for name, design in packages.items():
        counts = dict(design.banks[0].counts) if design.banks else {}
        assert not counts or name == "-".join(f"{c}{n}" for c, n in counts.items())
    assert any("-" in name for name in packages)


def test_a_package_may_do_without_generators_but_not_without_load() -> None:
    """A feed carries alone; what is needed follows from the MW that go through a part."""
    feed = {"failures_per_year": 0.1, "hours_to_repair": 1.0}
    diesel = {**UPS, "failures_per_year": None, "availability": 0.995,
              "start_failure_share": 0.01, "hours_to_failure": 900.0}  # fmt: skip
    parts: Typed = {
        "components": {"grid": feed, "diesel": diesel},
        "subsystems": {
            "power": {"level": "hall", "components": ["diesel"], "feed": "grid"},
            "ups": {"load_share": 1.5},
        },
    }
    bare = {"ups": {"component": "ups", "units": 3}, "fan": {"component": "fan", "units": 1}}
    few = {**bare, "ups": {"component": "ups", "units": 2}}
    named = {"packages": {"bare": {"units": bare}, "few": {"units": few}}}
    packages = Designs(halls(**merged(parts, named)).i).packages(2.0)
    assert packages["bare"].units == {("ups", "ups"): 3, ("fan", "fan"): 1}
    assert [bank.needed for bank in packages["bare"].banks] == [3, 1, 0]
    # Three megawatts go through the modules: two of them do not carry the hall.
    assert "few" not in packages


def test_packages_made_of_units_are_credited_for_each_of_their_parts() -> None:
    steps = [{"below": 0.999, "share": 0.5}]
    instance = tiny(uptime=MADE, contracts__lease={**LEASE, "credits": steps})
    g = case(instance)
    schedule = [Credit(0.999, 0.5)]
    # Two modules of two, each 0.2 times a year for ten hours, and a fan of one.
    two = expected_credit([Outage(0.4 * (1 - unavailability(0.2, 10.0)) ** 2, 10.0)], schedule)
    fan = expected_credit([Outage(0.2 * (1 - unavailability(0.2, 10.0)), 10.0)], schedule)
    assert g.credit_share["lease", "h:ai+ups0"] == pytest.approx(two + fan, rel=1e-3)
    assert g.credit_share["lease", "h:ai+ups1"] < g.credit_share["lease", "h:ai+ups0"]


def unavailability(per_year: float, hours: float) -> float:
    return per_year * hours / (8760 + per_year * hours)
