"""Numbers derived from what a person typed, against arithmetic by hand."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from models.derive import Derivation, tree_of
from models.given import HORIZON, TENANT, Given
from models.indices import (
    both_contracts,
    due_in_full,
    entry_contracts,
    floor_nodes,
    limit_nodes,
)
from models.instance import Instance
from models.mining import halvings, hashprice_from_network, mean_hashprice, mean_subsidy_btc
from models.paths import daily_mean, least_over, mean_over
from models.tree import chain, discount
from tests.models.tiny import (
    AI,
    BARN,
    BARN_AI,
    BARN_MINE,
    DENSE,
    HOURS,
    LEASE,
    MINE,
    OWNED,
    REBUILD,
    case,
    fork,
    rich,
    tiny,
)

REAL_DATA = Path(__file__).parents[3] / "shared" / "data" / "bitcoin"
QUARTERS = {"horizon": {"periods": 4, "months_per_period": 3}}


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-12, abs=1e-15)


def derived(instance: Instance) -> Derivation:
    return Derivation(instance, tree_of(instance))


# --- time ----------------------------------------------------------------------------------


def test_dates_of_a_period_are_discounted_by_the_month() -> None:
    g = case(tiny(finance__discount_per_year=0.21))
    assert g.discount_start == close({0: 1.0, 1: 1 / 1.21, 2: 1 / 1.4641})
    assert g.discount_mid == close({0: 1 / 1.1, 1: 1 / 1.331, 2: 1 / 1.1**5})
    assert g.discount_end == close({2: 1 / 1.21**3})
    assert discount(0.21, 6) == close(1 / 1.1)


def test_lead_times_round_up_to_whole_periods() -> None:
    instance = tiny(
        **QUARTERS,
        racks__rig__delivery_months=4,
        racks__gpu__delivery_months=3,
        fitouts__ai__works_months=7,
        fitouts__mine__works_months=0,
        projects__line={
            "site": "a", "adds_firm_mw": 1.0, "capex_musd": 1.0, "months": 1, "life_months": 60,
        },
    )  # fmt: skip
    g = case(instance)
    assert g.rack_lag == {"rig": 2, "gpu": 1}
    assert g.conversion_lag == {(MINE, AI): 3, (AI, MINE): 0}
    assert g.project_lag == {"line": 1}


def test_nothing_may_be_ordered_that_would_land_beyond_the_horizon() -> None:
    g = case(tiny(**QUARTERS, racks__rig__delivery_months=4, fitouts__ai__works_months=7))
    assert {n for n, _, k in g.orders_allowed if k == "rig"} == {0, 1}
    assert {n for n, p, _ in g.conversions_allowed if p == MINE} == {0}


def test_paths_mean_over_a_period_or_hold_from_its_start() -> None:
    steps = tiny(
        sites__a__firm_mw=[
            {"from": "2029-01", "value": 8.0},
            {"from": "2029-09", "value": 20.0},
        ],
        bitcoin__hashprice_usd_per_ph_day=[
            {"from": "2028-01", "value": 40.0},
            {"from": "2029-05", "value": 46.0},
        ],
    )
    g = case(steps)
    assert [g.firm_mw[n, "a"] for n in g.nodes] == [8.0, 20.0, 20.0]
    assert derived(steps).hashprice(0) == close((120 * 40 + 245 * 46) / 365)
    tree = chain(2, 24000, 2)
    assert mean_over(10.0, tree, 1) == least_over(10.0, tree, 1) == 10.0


# --- racks and machines --------------------------------------------------------------------


def test_a_rack_of_machines_is_the_sum_of_them() -> None:
    instance = tiny(
        machines__m={"watt": None, "j_per_th": 20.0, "price_usd_per_th": 12.0},
        racks__rig={"price_usd": 9000.0, "machines_per_rack": 250},
    )
    g = case(instance)
    assert g.rack_mw["rig"] == close(250 * 100 * 20 / 1e6)
    assert g.rack_deposit["rig"] == close(0.25 * (9000 + 250 * 100 * 12) / 1e6)
    assert g.rack_due["rig"] == close(0.75 * (9000 + 250 * 100 * 12) / 1e6)
    assert g.rack_due["gpu"] == 0.0
    assert derived(instance).cooling("rig") == "air"
    assert g.rack_life == {"rig": 2, "gpu": 5}


def test_resale_follows_its_path_to_the_period_and_to_the_end() -> None:
    steps = [{"from": "2029-01", "value": 2.0}, {"from": "2031-06", "value": 0.5}]
    g = case(
        tiny(
            machines__m__resale_usd_per_th=steps,
            racks__own={
                "workload": "mining",
                "machine": "m",
                "machines_per_rack": 500,
                "resale_usd": {"start": 100_000.0, "growth_per_month": -0.01},
            },
            racks__gpu__resale_usd=None,
        )
    )
    assert [g.resale[n, "rig"] for n in g.nodes] == close([0.1, 0.1, 0.1])
    assert g.resale_end[2, "rig"] == close(500 * 100 * 0.5 / 1e6)
    assert g.resale[1, "own"] == close(0.1 * 0.99**12)
    assert g.resale_end[2, "own"] == close(0.1 * 0.99**36)
    assert g.resale[0, "gpu"] == 0.0


def test_racks_of_today_wear_out_with_their_age() -> None:
    fleet = [
        {"hall": "h", "rack": "rig", "racks": 3, "age_months": 24},
        {"hall": "h", "rack": "rig", "racks": 2, "age_months": 12},
        {"hall": "h", "rack": "rig", "racks": 1, "age_months": 6},
    ]
    orders = [{"hall": "h", "rack": "rig", "racks": 4, "delivery": "2029-02"}]
    g = case(tiny(fleet=fleet, commitments__racks=orders))
    assert g.racks_today == {(MINE, "rig"): 6.0}
    # Three are worn at once, two after a year, and one does not live through its second. Those
    # ordered stand from the first whole period, and live from there.
    assert g.racks_young == {(0, "a", "rig"): 3.0, (1, "a", "rig"): 4.0, (2, "a", "rig"): 4.0}


def test_racks_that_outlast_a_contract_are_counted_by_month() -> None:
    fleet = [
        {"hall": "h", "rack": "gpu", "racks": 2, "age_months": 0},
        {"hall": "h", "rack": "gpu", "racks": 3, "age_months": 1},
    ]
    hall = {"fitout": "ai", "package": "n1"}
    g = case(tiny(halls__h=hall, fleet=fleet, contracts__own=OWNED))
    # Five years of life from 2029 reach the end of 2033, when the contract ends.
    assert g.racks_lasting == {(2, "a", "own", "gpu"): 2.0}


def test_halls_take_what_they_can_power_cool_and_carry() -> None:
    def types(**overrides: Any) -> tuple[str, ...]:
        return case(tiny(**overrides)).racks_at[AI]

    assert types() == ("gpu",)
    assert types(racks__gpu__cooling="air") == ()
    assert types(fitouts__ai__kw_per_rack_max=99.0) == ()
    assert types(fitouts__ai__kw_per_rack_max=100.0) == ("gpu",)
    assert types(racks__gpu__kw=2001.0) == ()


def test_orders_keep_to_their_dates_and_sites() -> None:
    def nodes(**overrides: Any) -> set[int]:
        return {n for n, _, k in case(tiny(**overrides)).orders_allowed if k == "rig"}

    assert nodes() == {0, 1}
    assert nodes(racks__rig__buyable=False) == set()
    assert nodes(racks__rig__buy_from="2029-02") == {1}
    assert nodes(racks__rig__buy_until="2028-12") == set()
    assert nodes(racks__rig__buy_until="2029-01") == {0}
    assert nodes(racks__rig__buy_until="2029-12") == {0}
    assert nodes(racks__rig__buy_until="2030-01") == {0, 1}
    assert nodes(policy__keep_sites=["a"]) == set()


def test_a_site_that_stays_as_it_is_takes_on_no_new_contract() -> None:
    hall = {"fitout": "ai", "package": "n1"}
    project = {"site": "a", "adds_firm_mw": 1.0, "capex_musd": 1.0, "months": 0, "life_months": 9}
    kept = {"halls__h": hall, "fleet": [], "policy__keep_sites": ["a"], "projects__line": project}
    old = {"contracts": [{"contract": "old", "mw": 1.5}]}
    g = case(tiny(**kept, contracts={"new": LEASE, "old": LEASE}, commitments=old))
    assert g.hosting_at == {"new": (), "old": ((AI, TENANT),)}
    assert g.builds_allowed == ()
    sold = {"price_usd_per_gpu_hour": 2.0, "utilisation_share": 0.5}
    assert case(tiny(**kept, gpu_cloud__gpu=sold)).cloud_at == ((AI, "gpu"),)


def test_racks_on_order_land_where_halls_stand_by_then() -> None:
    better = {"availability": 0.9999, "capex_usd_per_kw": 900.0}

    def landed(delivery: str, rack: str = "gpu", halls: int = 2, **overrides: Any) -> Any:
        works = {"hall": "h", "halls": halls, "fitout": "ai", "package": "n2", "ready": "2029-05"}
        order = {"hall": "h", "rack": rack, "racks": 3, "delivery": delivery}
        owed = {"works": [works], "racks": [order]}
        typed = {"uptime__packages__n2": better, "fleet": [], "commitments": owed, **overrides}
        return case(tiny(**typed)).racks_arriving

    # The first package could hold them, but the works under way bring the second.
    assert landed("2030-01") == {(1, "h:ai+n2", "gpu"): 3.0}
    # Works that are ready only later leave them where they would stand by the order of states.
    assert landed("2029-01") == {(0, AI, "gpu"): 3.0}
    today = {"halls__h": {"fitout": "ai", "package": "n1"}}
    assert landed("2030-01", halls=1, **today) == {(1, AI, "gpu"): 3.0}
    assert landed("2030-01", halls=2, **today) == {(1, "h:ai+n2", "gpu"): 3.0}
    assert landed("2030-01", rack="rig", halls=1) == {(1, MINE, "rig"): 3.0}


def test_delivery_may_be_late_within_the_horizon_only() -> None:
    late = {**LEASE, "delay_usd_per_kw_month": 30.0}

    def slips(latest: str) -> set[int]:
        g = case(tiny(contracts__lease={**late, "latest_delivery": latest}))
        return {n for n, _ in g.may_slip}

    # Due from the second of three years on: of these, the last is never late.
    assert slips("2030-12") == set()
    assert slips("2031-01") == {1}
    assert slips("2032-01") == {1}
    assert slips("2033-06") == {1}


def test_moves_and_rebuilds_exist_where_there_is_somewhere_to_go() -> None:
    alone = case(tiny(racks__rig__move_usd=1000.0))
    assert alone.transfers == {}
    both = {"racks__rig__move_usd": 1000.0, "halls__barn": BARN}
    moved = case(tiny(**both))
    assert moved.transfers == {"a": (("rig", "rig"),)}
    assert moved.transfer_lag["rig", "rig"] == 0
    assert moved.transfer_cost["rig", "rig"] == close(0.001)
    rebuilds = {"racks__gpu__converts_to": REBUILD, "racks__dense": DENSE}
    rebuilt = case(tiny(**rebuilds))
    assert rebuilt.transfer_lag["gpu", "dense"] == 1
    assert rebuilt.transfer_cost["gpu", "dense"] == close(0.02)
    assert case(tiny(**rebuilds, policy__reuse_gpus=False)).transfers == {}
    assert case(tiny(**both, policy__keep_sites=["a"])).transfers == {}


# --- halls ---------------------------------------------------------------------------------


def test_it_mw_come_out_by_share_or_by_floor() -> None:
    by_floor = {"it_share_of_present": None, "m2_per_mw": 400.0, "positions_per_mw": 5.0}
    g = case(tiny(fitouts__ai=by_floor, halls__h__floor_m2=1000.0))
    assert g.hall_mw == {MINE: 4.0, AI: 2.5}
    assert g.hall_positions == {MINE: 10.0, AI: 12.5}
    assert AI not in case(tiny(fitouts__ai=by_floor)).hall_mw


def test_works_cost_what_comes_out() -> None:
    g = case(tiny())
    assert g.conversion_cost == close({(MINE, AI): 2500 * 2000 / 1e6, (AI, MINE): 1.2})
    assert g.place_opex[1, AI] == close(55 * 2000 / 1e6)
    quarter = case(tiny(**QUARTERS))
    assert quarter.place_opex[1, AI] == close(55 * 2000 / 1e6 / 4)


def test_a_change_of_package_costs_the_package_only() -> None:
    better = {"availability": 0.9999, "capex_usd_per_kw": 900.0, "works_months": 14}
    g = case(tiny(uptime__packages__n2=better))
    assert g.conversion_cost[AI, "h:ai+n2"] == close(1.8)
    assert g.conversion_lag[AI, "h:ai+n2"] == 2
    assert g.conversion_cost[MINE, "h:ai+n2"] == close((2000 + 900) * 2000 / 1e6)
    assert g.conversion_lag[MINE, "h:ai+n2"] == 2


def test_ways_between_states_keep_to_what_is_allowed() -> None:
    def ways(**overrides: Any) -> set[tuple[str, str]]:
        return set(case(tiny(**overrides)).conversion_cost)

    assert ways() == {(MINE, AI), (AI, MINE)}
    assert ways(fitouts__ai__can_go_back=False) == {(MINE, AI)}
    assert ways(halls__h__convertible=False) == set()
    assert ways(halls__h__fitouts=["mine"]) == set()
    assert ways(policy__keep_sites=["a"]) == set()
    assert ways(policy__reuse_halls=False) == set()
    shell = {"halls__h__fitout": None, "fleet": []}
    assert ways(**shell) >= {("h:shell", MINE), ("h:shell", AI)}
    assert not any(q == "h:shell" for _, q in ways(**shell))
    assert ("h:shell", AI) in ways(**shell, policy__reuse_halls=False)
    assert (MINE, AI) not in ways(**shell, policy__reuse_halls=False)


def test_works_under_way_leave_the_halls_of_today() -> None:
    works = [
        {"hall": "h", "halls": 1, "fitout": "ai", "package": "n1", "ready": "2028-11",
         "due_musd": 2.0, "due": "2028-12"},
    ]  # fmt: skip
    g = case(tiny(commitments__works=works, halls__barn=BARN, halls__h__convertible=False))
    assert g.halls_today == {MINE: 1.0, BARN_MINE: 1.0}
    assert g.halls_ready == {(0, AI): 1.0}
    assert g.capex_owed == {(0, "a"): 2.0}
    assert g.places == {"h": (MINE, AI), "barn": (BARN_MINE, BARN_AI)}
    unfinished = case(tiny(commitments__works=works, halls__barn={**BARN, "convertible": False}))
    assert unfinished.places["barn"] == (BARN_MINE,)


def test_projects_can_add_halls_to_a_group() -> None:
    shed = {
        "site": "a", "adds_halls": {"hall": "h", "count": 3}, "capex_musd": 6.0, "months": 12,
        "max_units": 2, "life_months": 60, "earliest": "2030-01", "latest": "2030-01",
    }  # fmt: skip
    g = case(tiny(projects__shed=shed))
    assert g.halls_most == {"h": 8.0}
    assert g.mining_mw_most == {"a": 32.0}
    assert g.builds_allowed == ((1, "shed"),)
    assert g.project_halls == {("shed", MINE): 3.0}


# --- what a PH/s earns ---------------------------------------------------------------------

LEAP = {"horizon__start": "2028-01"}
#: Of the 366 days of 2028, 101 lie before the halving of 11 April.
BEFORE, AFTER = 101 / 366, 265 / 366


def test_a_hashprice_as_typed_stays() -> None:
    assert derived(tiny(**LEAP)).hashprice(0) == 48.0


def test_a_hashprice_of_start_and_growth_halves_by_the_day() -> None:
    growth = {"hashprice_usd_per_ph_day": {"start": 50.0, "growth_per_month": 0.0}}
    halved = 0.1 + 0.9 * (BEFORE + AFTER * 0.5)
    d = derived(tiny(**LEAP, bitcoin={**growth, "fee_share": 0.1}))
    assert d.hashprice(0) == close(50.0 * halved)
    assert d.hashprice(1) == close(50.0 * 0.55)
    kept = derived(tiny(**LEAP, bitcoin={**growth, "fee_share": 0.1, "halves": False}))
    assert kept.hashprice(1) == close(50.0)


def test_a_growing_hashprice_is_weighted_by_days() -> None:
    growth = {"hashprice_usd_per_ph_day": {"start": 50.0, "growth_per_month": 0.02}}
    d = derived(tiny(**QUARTERS, bitcoin=growth))
    days = (31, 28, 31)
    hand = sum(50.0 * 1.02**m * days[m] for m in range(3)) / 90
    assert d.hashprice(0) == close(hand)


def test_hashprice_follows_from_price_and_network() -> None:
    network = {
        "hashprice_usd_per_ph_day": None,
        "btc_price_usd": 100_000.0,
        "network_eh_per_s": [
            {"from": "2028-01", "value": 900.0},
            {"from": "2029-01", "value": 600.0},
        ],
        "fee_share": 0.1,
    }
    d = derived(tiny(**LEAP, bitcoin=network))
    # Fees stay at a ninth of today's subsidy of 3.125 BTC, in bitcoin per block.
    fees = 3.125 / 9
    subsidy = 3.125 * BEFORE + 1.5625 * AFTER
    assert d.hashprice(0) == close(144 * (subsidy + fees) * 100_000 / 900_000)
    assert d.hashprice(1) == close(144 * (1.5625 + fees) * 100_000 / 600_000)


def test_revenue_of_a_mwh_follows_from_efficiency_and_the_pool() -> None:
    g = case(tiny(bitcoin__pool_fee_share=0.02))
    assert g.mining_revenue[0, "rig"] == close(0.98 * 48 / (20 * 0.024) / 1e6)
    assert g.mining_ready == {"rig": 0.9}


def test_halvings_come_every_210_000_blocks() -> None:
    assert halvings(date(2040, 1, 1))[-3:] == (
        date(2028, 4, 11), date(2032, 4, 8), date(2036, 4, 5),
    )  # fmt: skip
    assert mean_subsidy_btc(date(2028, 1, 1), date(2029, 1, 1)) == close(
        3.125 * BEFORE + 1.5625 * AFTER
    )
    tree = chain(1, 2028 * 12, 12)
    assert daily_mean(lambda day: float(day.month == 2), tree, 0) == close(29 / 366)


def published_hashprice(year: int) -> float:
    """Mean of a year's daily hashprices, from price, issuance, fees and hash rate."""
    with (REAL_DATA / "coinmetrics_btc_2020_2026-06_subset.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["time"].startswith(str(year))]
    assert len(rows) == 365
    return mean_hashprice(
        [
            hashprice_from_network(
                float(row["IssTotUSD"]) / float(row["PriceUSD"]) + float(row["FeeTotNtv"]),
                float(row["PriceUSD"]),
                float(row["HashRate"]) / 1e6,
            )
            for row in rows
        ]
    )


@pytest.mark.shared
@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="real data are not part of the project")
@pytest.mark.parametrize(("year", "luxor"), [(2021, 314.61), (2022, 123.88)])
def test_hashprice_worked_out_agrees_with_luxors_averages(year: int, luxor: float) -> None:
    assert published_hashprice(year) == pytest.approx(luxor, rel=0.005)


# --- energy --------------------------------------------------------------------------------


def test_prices_grow_to_the_middle_of_a_period_and_adders_do_not() -> None:
    g = case(tiny(power__a__growth_per_year=0.21))
    assert g.price_growth == close({(0, "a"): 1.1, (1, "a"): 1.331, (2, "a"): 1.1**5})
    assert g.price[1, "a", 0] == close(40 * 1.331 / 1e6)
    assert g.adder["a"] == close(5e-6)
    assert g.mining_adder["a"] == close(2e-6)
    assert g.ai_adder["a"] == close(3e-6)


def test_sites_may_share_a_supply() -> None:
    g = case(tiny(sites__b={"power": "a", "firm_mw": 1.0}, halls__barn={**BARN, "site": "b"}))
    assert g.adder["b"] == g.adder["a"]


def test_a_peak_ratio_not_typed_is_the_mean() -> None:
    g = case(tiny(fitouts__ai__pue_peak=None))
    assert g.pue_peak == {"mine": 1.1, "ai": 1.2}


# --- contracts -----------------------------------------------------------------------------

MIDYEAR = {
    **LEASE,
    "sign_by": "2029-01",
    "start": "2029-07",
    "escalator_per_year": 0.03,
    "ramp": [{"after_months": 0, "share": 0.5}, {"after_months": 3, "share": 1.0}],
    "delay_usd_per_kw_month": 20.0,
    "latest_delivery": "2030-06",
}


def test_rent_follows_the_ramp_and_the_anniversaries_inside_a_period() -> None:
    g = case(tiny(contracts__lease=MIDYEAR))
    assert g.due_share == {(n, "lease"): 1.0 for n in g.nodes}
    # Of a MW that must stand in 2029, half is rented for three months and all for three.
    assert g.rent[0, "lease", TENANT] == close(0.1 * (3 * 0.5 + 3))
    assert g.rent[1, "lease", TENANT] == close(0.1 * (6 + 6 * 1.03))
    assert g.rent[2, "lease", TENANT] == close(0.1 * (6 * 1.03 + 6 * 1.03**2))
    assert g.hosting_service[0, "lease"] == close(0.005 * 4.5)
    assert g.delay_damages[0, "lease"] == close(0.02 * 4.5)
    assert g.hosting_energy[0, "lease", AI] == close(HOURS * 48 / 1e6 * 1.2 * 0.8 * 4.5 / 12)
    assert g.may_slip == {(0, "lease")}


def test_a_ramp_counts_relative_to_its_largest_share_in_the_period() -> None:
    ramp = [{"after_months": 2, "share": 0.25}, {"after_months": 8, "share": 0.5}]
    g = case(tiny(contracts__lease={**LEASE, "ramp": ramp}))
    assert g.due_share == {(1, "lease"): 0.5, (2, "lease"): 0.5}
    assert g.rent[1, "lease", TENANT] == close(0.1 * (6 * 0.25 + 4 * 0.5) / 0.5)


def test_a_term_ends_inside_a_period() -> None:
    g = case(tiny(contracts__lease={**LEASE, "months": 15}))
    assert g.rent[2, "lease", TENANT] == close(0.3)
    assert g.hosting_energy[2, "lease", AI] == close(HOURS * 48 / 1e6 * 0.96 * 3 / 12)
    assert g.tail_months == {}


GPU_HOURS = {
    **{key: value for key, value in OWNED.items() if key != "rate_usd_per_kw_month"},
    "rate_usd_per_gpu_hour": 2.0,
    "start": "2028-01",
    "sign_by": "2028-01",
}


def test_gpu_hours_are_paid_for_hours_of_the_calendar() -> None:
    g = case(tiny(**LEAP, contracts__own=GPU_HOURS))
    # Eight GPUs draw 100 kW: 80 a MW, paid at the load factor of 80 %.
    assert g.rent[0, "own", "gpu"] == close(8784 * 80 * 0.8 * 2.0 / 1e6)
    assert g.rent[1, "own", "gpu"] == close(8760 * 80 * 0.8 * 2.0 / 1e6)
    owed = case(tiny(**LEAP, contracts__own={**GPU_HOURS, "take_or_pay_share": 0.9}))
    assert owed.rent[1, "own", "gpu"] == close(8760 * 80 * 0.9 * 2.0 / 1e6)


def test_advances_are_credited_evenly_from_the_start() -> None:
    advance = {**LEASE, "prepayment_usd_per_kw": 300.0, "tenant_works_usd_per_kw": 40.0}
    g = case(tiny(contracts__lease={**advance, "prepayment_credit_months": 30}))
    assert g.prepayment == close({"lease": 0.3})
    assert g.tenant_works == close({"lease": 0.04})
    assert g.prepayment_credit == close({(1, "lease"): 0.12, (2, "lease"): 0.12})
    assert g.tail_credit == close({(2, "lease"): 0.06})
    over_the_term = case(tiny(contracts__lease=advance))
    assert over_the_term.prepayment_credit[1, "lease"] == close(0.3 * 12 / 48)
    assert over_the_term.tail_credit[2, "lease"] == close(0.3 * 24 / 48)


def test_credits_beyond_the_horizon_are_discounted_to_their_months() -> None:
    advance = {**LEASE, "prepayment_usd_per_kw": 300.0, "prepayment_credit_months": 26}
    g = case(tiny(contracts__lease=advance, finance__discount_per_year=0.21))
    hand = 0.3 / 26 * (1.21 ** (-36.5 / 12) + 1.21 ** (-37.5 / 12))
    assert g.tail_credit[2, "lease"] == close(hand)


def test_who_may_serve_a_contract() -> None:
    def served(**change: Any) -> tuple[tuple[str, str], ...]:
        return case(tiny(contracts__lease={**LEASE, **change})).hosting_at["lease"]

    assert served() == ((AI, TENANT),)
    assert served(availability=0.9991) == ()
    assert served(cooling="air") == ()
    assert served(cooling="liquid") == ((AI, TENANT),)
    assert served(sites=["a"]) == ((AI, TENANT),)
    assert served(sites=[]) == ()
    assert case(tiny(contracts__own=OWNED)).hosting_at["own"] == ((AI, "gpu"),)
    dense = {"contracts__lease": {**LEASE, "kw_per_rack": 50.0}}
    assert case(tiny(**dense)).tenant_positions == {"lease": 20.0}
    assert case(tiny(**dense, fitouts__ai__kw_per_rack_max=49.0)).hosting_at["lease"] == ()
    assert case(tiny(**dense, uptime=None)).hosting_at["lease"] == ()


def test_who_may_sign_and_when() -> None:
    def nodes(**change: Any) -> list[int]:
        g = case(tiny(contracts__lease={**LEASE, **change}))
        return [n for n, _ in g.signing_allowed]

    assert nodes() == [0]
    # Dates that are as good are one date: the last without an advance, the first with one.
    assert nodes(sign_by="2030-01") == [1]
    assert nodes(sign_by="2030-01", prepayment_usd_per_kw=100.0) == [0]
    assert nodes(ramp=[{"after_months": 24, "share": 1.0}]) == []
    assert nodes(ramp=[{"after_months": 12, "share": 1.0}]) == [0]
    assert nodes(sign_by="2028-12") == []
    assert nodes(start="2032-01") == []
    signed = [{"contract": "lease", "mw": 2.0}]
    g = case(tiny(contracts__lease=LEASE, commitments__contracts=signed))
    assert g.signing_allowed == ()
    assert g.signed_today_mw == {"lease": 2.0}


def test_gpu_hours_without_contract() -> None:
    sold = {
        "price_usd_per_gpu_hour": {"start": 2.0, "growth_per_month": -0.01},
        "utilisation_share": 0.6,
        "fee_share": 0.05,
        "load_factor_share": 0.7,
    }
    g = case(tiny(gpu_cloud__gpu=sold))
    price = sum(2.0 * 0.99**m for m in range(12, 24)) / 12
    assert g.cloud_revenue[1, "gpu"] == close(price * 0.6 * 0.95 * 80 * HOURS / 1e6)
    assert g.cloud_energy[1, AI, "gpu"] == close(1.2 * 0.7 * HOURS * 48 / 1e6)
    assert g.cloud_demand_mw == {}


# --- beyond the horizon --------------------------------------------------------------------


def tail_of(months_beyond: int, **overrides: Any) -> Given:
    """Derive the small case with a contract that outlasts the horizon by so many months."""
    lease = {**LEASE, "months": 24 + months_beyond}
    return case(tiny(contracts__lease=lease, **overrides))


def test_a_month_beyond_the_horizon_by_hand() -> None:
    g = tail_of(1, finance__discount_per_year=0.21, power__a__growth_per_year=0.1)
    # Half a month after the end: the price has grown for 36.5 months, adders have not.
    energy = 730 * (40 * 1.1 ** (36.5 / 12) + 8) / 1e6
    margin = 0.1 - 0.005 - 0.96 * energy
    assert g.tail_months == {(2, "lease"): 1}
    assert g.tail_margin[2, "lease", AI, TENANT] == close(margin * 1.21 ** (-36.5 / 12))
    # Upkeep is owed on the 2 MW of a whole hall.
    assert g.lasting_opex == close({(2, AI, "lease"): 0.11 / 12 * 1.21 ** (-36.5 / 12)})


def test_upkeep_beyond_the_horizon_is_owed_from_end_to_end() -> None:
    offers = {"long": {**LEASE, "months": 60}, "lease": {**LEASE, "months": 36}, "own": OWNED}
    g = case(tiny(contracts=offers, finance__discount_per_year=0.21))
    # They end one, two and three years beyond.
    assert g.residual_ends == {MINE: (), AI: ("lease", "own", "long")}
    month = 0.11 / 12
    paid = [month * 1.21 ** (-(36.5 + m) / 12) for m in range(36)]
    assert g.lasting_opex == close(
        {
            (2, AI, "lease"): sum(paid[:12]),
            (2, AI, "own"): sum(paid[12:24]),
            (2, AI, "long"): sum(paid[24:]),
        }
    )
    free = {
        "fitouts__ai__opex_usd_per_kw_year": 0.0,
        "uptime__packages__n1__opex_usd_per_kw_year": 0.0,
    }
    assert case(tiny(contracts=offers, **free)).lasting_opex == {}


def test_contracts_that_end_together_share_an_end() -> None:
    g = case(tiny(contracts={"own": OWNED, "long": {**LEASE, "months": 60}, "lease": LEASE}))
    assert g.residual_ends[AI] == g.site_ends["a"] == ("own", "long")


def test_a_tail_holds_the_share_of_the_last_month() -> None:
    ramp = [{"after_months": 0, "share": 0.25}, {"after_months": 18, "share": 0.5}]
    lease = {**LEASE, "ramp": [*ramp, {"after_months": 30, "share": 1.0}], "months": 25}
    g = case(tiny(contracts__lease=lease))
    energy = 730 * 48 / 1e6
    hand = 0.1 - 0.005 - 0.96 * energy
    assert g.tail_margin[2, "lease", AI, TENANT] == close(hand)


def test_no_tail_without_service_at_the_end() -> None:
    assert tail_of(0).tail_margin == {}
    assert tail_of(0).residual_ends == {MINE: (), AI: ()}
    late = [{"after_months": 30, "share": 1.0}]
    g = case(tiny(contracts__lease={**LEASE, "ramp": late}))
    assert g.tail_margin == {}
    assert g.due_share == {}


def test_racks_that_serve_beyond_lose_their_resale_until_then() -> None:
    resale = {"start": 50_000.0, "growth_per_month": -0.02}
    own = {**OWNED, "months": 24 + 6}
    g = case(
        tiny(contracts__own=own, racks__gpu__resale_usd=resale, finance__discount_per_year=0.21)
    )
    at_end, later = 0.05 * 0.98**36, 0.05 * 0.98**42
    assert g.resale_end[2, "gpu"] == close(at_end)
    assert g.rack_tail_loss == close({(2, "own", "gpu"): 10 * (at_end - later / 1.1)})


def test_fit_outs_and_projects_lose_their_worth_in_a_straight_line() -> None:
    line = {
        "site": "a", "adds_firm_mw": 1.0, "capex_musd": 7.0, "months": 12, "life_months": 48,
    }  # fmt: skip
    g = tail_of(24, projects__line=line, finance__discount_per_year=0.21)
    end, later = 1.21**-3, 1.21**-5
    # Works of 2029 stand from 2030: two of ten years are gone at the horizon, four at the end.
    assert g.hall_residual[2, MINE, AI, 0, HORIZON] == close(5.0 * 0.8 * end)
    assert g.hall_residual[2, MINE, AI, 0, "lease"] == close(5.0 * 0.6 * later)
    assert g.hall_residual[2, AI, MINE, 1, HORIZON] == close(1.2 * 0.8 * end)
    assert g.project_residual == close(
        {
            (2, "line", 0, HORIZON): 7.0 * 0.5 * end,
            (2, "line", 1, HORIZON): 7.0 * 0.75 * end,
            (2, "line", 1, "lease"): 7.0 * 0.25 * later,
        }
    )


def test_a_fit_out_keeps_its_worth_through_a_change_of_package() -> None:
    packages = {"n2": {"availability": 0.9999, "capex_usd_per_kw": 900.0}}
    g = tail_of(24, uptime__packages=packages, finance__discount_per_year=0.21)
    end, later = 1.21**-3, 1.21**-5
    better = "h:ai+n2"
    # The fit-out alone is 4 M$ a hall; finished in 2030 or 2031, it has stood two years or one.
    fitouts = {key[1:]: x for key, x in g.hall_residual.items() if key[1] == key[2]}
    assert fitouts == close(
        {
            **{(p, p, 1, HORIZON): 4.0 * 0.8 * end for p in (AI, better)},
            **{(p, p, 2, HORIZON): 4.0 * 0.9 * end for p in (AI, better)},
            **{(p, p, 1, "lease"): 4.0 * 0.6 * later for p in (AI, better)},
            **{(p, p, 2, "lease"): 4.0 * 0.7 * later for p in (AI, better)},
        }
    )
    # The change itself, at once in 2030, is 1.8 M$.
    assert g.hall_residual[2, AI, better, 1, HORIZON] == close(1.8 * 0.8 * end)
    assert not any(p == q for _, p, q, _, _ in tail_of(24).hall_residual)


def test_what_is_worn_out_is_worth_nothing() -> None:
    g = tail_of(24, fitouts__ai__life_months=48)
    assert (2, MINE, AI, 0, HORIZON) in g.hall_residual
    assert (2, MINE, AI, 0, "lease") not in g.hall_residual
    assert (2, MINE, AI, 1, "lease") in g.hall_residual


def test_residuals_follow_their_own_branch() -> None:
    instance = tiny()
    g = case(instance, fork(instance))
    vintages = {(leaf, v) for leaf, _, _, v, _ in g.hall_residual}
    assert vintages == {(3, 0), (3, 1), (4, 0), (4, 2)}


# --- money ---------------------------------------------------------------------------------


def test_costs_per_year_are_paid_by_the_period() -> None:
    finance = {
        "overhead_musd_per_year": 2.0,
        "split_cost_site_musd_per_year": 0.4,
        "split_cost_company_musd_per_year": 0.8,
        "loan": {"limit_musd": 5.0, "interest_per_year": 0.08, "draw_until": "2029-04"},
    }
    g = case(tiny(**QUARTERS, finance=finance, sites__a__staff_musd_per_year=1.2))
    assert g.overhead[0] == close(0.5)
    assert g.site_fixed[0, "a"] == close(0.3)
    assert g.split_site[3] == close(0.1)
    assert g.split_company[3] == close(0.2)
    assert g.loan_interest[0] == close(0.02)
    assert g.draws_allowed == {0, 1}
    assert case(tiny()).draws_allowed == frozenset()
    assert case(tiny()).split_site == {}


def test_entering_costs_nothing_to_who_is_in() -> None:
    assert case(tiny(finance__ai_entry_cost_musd=4.0)).entry_cost == 4.0
    known = {"ai_entry_cost_musd": 4.0, "hosts_ai_already": True}
    assert case(tiny(finance=known)).entry_cost == 0.0


def test_what_is_owed_falls_in_the_period_of_its_month() -> None:
    owed = [
        {"hall": "h", "rack": "rig", "racks": 1, "delivery": "2030-05", "due_musd": 1.0},
        {"hall": "h", "rack": "rig", "racks": 1, "delivery": "2030-05", "due_musd": 2.0,
         "due": "2028-02"},
    ]  # fmt: skip
    debt = [
        {"name": "d", "month": "2028-12", "principal_musd": 1.0},
        {"name": "d", "month": "2031-12", "principal_musd": 2.0, "interest_musd": 0.5},
        {"name": "d", "month": "2032-01", "principal_musd": 4.0, "interest_musd": 0.3},
    ]
    late = {"hall": "h", "rack": "rig", "racks": 1, "delivery": "2030-05", "due_musd": 8.0,
            "due": "2032-03"}  # fmt: skip
    g = case(tiny(commitments={"racks": [*owed, late], "debt": debt}))
    assert g.capex_owed == {(1, "a"): 1.0, (0, "a"): 2.0}
    assert g.debt_principal == {0: 1.0, 2: 2.0}
    assert g.debt_interest == {2: 0.5}
    assert g.debt_left == 4.0 + 8.0


def test_what_is_due_beyond_the_horizon_counts_for_what_comes_within_it() -> None:
    """The horizon ends with 2031; each owes another power of two in 2032."""
    racks = [
        {"hall": "h", "rack": "rig", "racks": 1, "delivery": month, "due_musd": musd,
         "due": "2032-03"}
        for month, musd in (("2031-01", 1.0), ("2032-01", 2.0), ("2032-02", 4.0))
    ]  # fmt: skip
    works = [
        {"hall": "h", "halls": 1, "fitout": "ai", "package": "n1", "ready": month,
         "due_musd": musd, "due": "2032-03"}
        for month, musd in (("2031-01", 8.0), ("2032-01", 16.0), ("2032-02", 32.0))
    ]  # fmt: skip
    assert case(tiny(commitments={"racks": racks, "works": works})).debt_left == 1.0 + 8.0


def test_budgets_span_the_periods_that_start_within_them() -> None:
    spans = [
        {"from": "2029-02", "to": "2030-01", "musd": 5.0},
        {"from": "2030-01", "musd": 2.0},
        {"from": "2035-01", "musd": 2.0},
    ]
    g = case(tiny(finance__capex_budget_by_period=spans))
    assert [(key[1], pairs) for key, pairs in g.budget_span.items()] == [
        (1, ((1, "a"),)),
        (1, ((1, "a"),)),
    ]
    assert len(g.budget_musd) == 3


def test_shares_of_the_two_businesses_mirror_each_other() -> None:
    both = {"mining_share_min": 0.1, "ai_share_max": 0.7, "mining_share_max": 0.8}
    g = case(tiny(policy={**both, "ai_share_min": 0.3, "shares_from": "2030-06"}))
    assert g.mining_share_min == close(0.3)
    assert g.mining_share_max == close(0.7)
    assert g.share_nodes == (2,)
    free = case(tiny())
    assert (free.mining_share_min, free.mining_share_max) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("key", "share", "least", "most"),
    [
        ("mining_share_min", 0.2, 0.2, 1.0),
        ("mining_share_max", 0.6, 0.0, 0.6),
        ("ai_share_min", 0.3, 0.0, 0.7),
        ("ai_share_max", 0.9, 0.1, 1.0),
    ],
)
def test_each_share_that_is_typed_holds_by_itself(
    key: str, share: float, least: float, most: float
) -> None:
    g = case(tiny(policy={key: share}))
    assert g.mining_share_min == close(least)
    assert g.mining_share_max == close(most)
    assert list(floor_nodes(g)) == ([(n,) for n in g.nodes] if least > 0 else [])
    assert list(limit_nodes(g)) == ([(n,) for n in g.nodes] if most < 1 else [])


def test_contracts_due_in_full_are_those_that_can_be_signed_and_may_not_slip() -> None:
    """The lease may be late in both branches of 2030; the old contract is signed already."""
    g = rich()
    assert g.may_slip == {(1, "lease"), (2, "lease")}
    late = [(3, "lease"), (3, "own"), (4, "lease"), (4, "own")]
    assert list(due_in_full(g)) == [(1, "own"), (2, "own"), *late]
    assert list(entry_contracts(g)) == list(due_in_full(g))
    assert list(both_contracts(g)) == [(n, "a", x) for n, x in due_in_full(g)]
