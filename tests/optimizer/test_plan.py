"""The tables of a plan add up: to its cash, its margins, its value, its racks and its hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from models import capital, policy
from models.allocation import FAMILIES
from models.hours import flat
from models.terms import calendar_hours
from optimizer.case import prepare
from optimizer.highs import Options
from optimizer.plan import Tables, tables
from optimizer.plan.finance import FinanceRow, by_year
from optimizer.plan.frames import frame
from optimizer.plan.ledger import END, NO_SITE, START, Entry, LedgerGap, Shares, ledger
from optimizer.plan.metrics import Metrics
from optimizer.plan.value import equity_flows, sign_changes
from optimizer.solve import Solved, solve
from optimizer.words import LIMITS
from tests.models.tiny import tiny
from tests.optimizer.plans import Told, branching, chain, idle

PLANS = pytest.mark.parametrize("plan_of", [chain, branching], ids=["chain", "tree"])
PlanOf = Callable[[], Told]

MONEY = [name for name in frame(FinanceRow, []).columns if name.endswith("_musd")]
FLOWS = [name for name in MONEY if name not in ("cash_musd", "debt_musd")]


def close(value: float, size: float = 1.0) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9 * size)


def company(table: Tables, metric: str) -> float:
    metrics = table.metrics.set_index(["scope", "metric"])["value"]
    return float(metrics["company", metric])


# --- money ---------------------------------------------------------------------------------


@PLANS
def test_the_parts_of_the_value_add_up_to_it(plan_of: PlanOf) -> None:
    _, solved, table = plan_of()
    size = table.value["present_value_musd"].abs().sum()
    assert len(table.value) > 15
    assert table.value["present_value_musd"].sum() == close(solved.value_musd or 0.0, size)


@PLANS
def test_noi_is_the_margin_of_the_algebra(plan_of: PlanOf) -> None:
    _, solved, table = plan_of()
    assert solved.plan is not None
    noi = table.finance.groupby(["node", "site"])["noi_musd"].sum()
    assert {key: close(margin, 100.0) for key, margin in solved.plan.margin.items()} == {
        key: noi[key] for key in solved.plan.margin
    }


@PLANS
def test_flows_move_the_cash(plan_of: PlanOf) -> None:
    case, solved, table = plan_of()
    assert solved.plan is not None
    sums = table.finance.groupby("node")[FLOWS].sum()
    for n in case.given.nodes:
        flow = sums.loc[n]
        moved = (
            flow["free_cash_flow_musd"] + flow["loan_drawn_musd"] - flow["loan_repaid_musd"]
            - flow["interest_musd"]
        )  # fmt: skip
        before = capital.cash_before(solved.plan, n)
        assert moved == close(solved.plan.cash[n,] - before, 100.0)


@PLANS
def test_capex_is_that_of_the_algebra(plan_of: PlanOf) -> None:
    _, solved, table = plan_of()
    assert solved.plan is not None
    capex = table.finance.groupby(["node", "site"])["capex_musd"].sum()
    assert sum(solved.plan.capex.values()) > 10.0
    for key, musd in solved.plan.capex.items():
        assert capex[key] == close(musd, 100.0)


@PLANS
def test_years_hold_what_periods_hold(plan_of: PlanOf) -> None:
    case, _, table = plan_of()
    weight = table.finance["node"].map(case.given.probability)
    for column in FLOWS:
        expected = (table.finance[column] * weight).sum()
        assert table.finance_by_year[column].sum() == close(expected, 1000.0), column


def test_a_period_across_new_year_is_shared_by_its_months() -> None:
    """Years from October: three months of what flows fall in the old year, all of the capex."""
    case = prepare(tiny(horizon__start="2028-10"), {"a": flat(40.0)})
    entries = [Entry(0, "a", "mining", "revenue", 12.0), Entry(0, "a", "mining", "capex", -8.0)]
    solved = solve(case, Options(gap=0.0))
    assert solved.plan is not None
    rows = {(row.year, row.segment): row for row in by_year(solved.plan, entries)}
    assert rows[2028, "mining"].money.revenue_musd == pytest.approx(3.0)
    assert rows[2029, "mining"].money.revenue_musd == pytest.approx(9.0)
    assert rows[2028, "mining"].money.capex_musd == 8.0
    assert sorted({year for year, _ in rows}) == [2028, 2029, 2030, 2031]
    assert rows[2031, "company"].cash_musd == solved.plan.cash[2,]


def test_debt_counts_the_loan_and_what_was_owed_before() -> None:
    _, solved, table = chain()
    assert solved.plan is not None
    debt = table.finance.dropna(subset="debt_musd").set_index("node")["debt_musd"]
    for n in range(6):
        still_owed = 3.0 if n < 2 else 0.0  # 3 M$ fall due in March 2028, in the third period
        assert debt[n] == close(solved.plan.debt[n,] + still_owed, 100.0)


def test_a_ledger_that_misses_money_is_refused() -> None:
    _, solved, _ = chain()
    assert solved.plan is not None
    plan = solved.plan
    more = replace(plan, capex={**plan.capex, (0, "west"): plan.capex[0, "west"] + 0.001})
    with pytest.raises(LedgerGap, match="node 0"):
        ledger(more)


@PLANS
def test_ai_places_are_shared_by_what_they_serve(plan_of: PlanOf) -> None:
    """Racks that serve a contract and GPU-hours belong to both businesses, by MW over the plan."""
    case, solved, _ = plan_of()
    assert solved.plan is not None
    plan, weight, shares = solved.plan, case.given.probability, Shares(solved.plan)
    leased = sum(weight[n] * mw for (n, _, *at), mw in plan.hosting.items()
                 if at == ["e1:ai+n1", "h100"])  # fmt: skip
    sold = sum(weight[n] * mw for (n, *at), mw in plan.cloud.items() if at == ["e1:ai+n1", "h100"])
    told = dict(shares("e1:ai+n1", "h100"))
    assert told["hosting"] == pytest.approx(leased / (leased + sold))
    assert told["cloud"] == pytest.approx(sold / (leased + sold))
    assert shares("w2:air") == (("mining", 1.0),)
    assert all(sum(share for _, share in shares(p)) == close(1.0) for p in case.given.site_of)


# --- racks, halls, hours -------------------------------------------------------------------


@PLANS
def test_it_mw_are_racks_times_their_draw(plan_of: PlanOf) -> None:
    case, solved, table = plan_of()
    assert solved.plan is not None
    owned = table.allocation[table.allocation["rack"] != "tenant"]
    draw = owned["rack"].map(case.given.rack_mw)
    assert (owned["it_mw"] - owned["racks"] * draw).abs().max() <= 1e-9
    assert owned["racks"].sum() == close(sum(solved.plan.racks.values()), 100.0)


@PLANS
def test_mw_that_serve_are_what_ai_reserves(plan_of: PlanOf) -> None:
    case, solved, table = plan_of()
    assert solved.plan is not None
    peak = table.allocation["state"].str.partition("+")[0].map(case.given.pue_peak)
    utility = (table.allocation["serving_mw"] * peak).groupby(
        [table.allocation["node"], table.allocation["site"]]
    ).sum()  # fmt: skip
    assert max(solved.plan.reserved.values()) > 3.0
    for key, reserved in solved.plan.reserved.items():
        assert utility.get(key, 0.0) == close(reserved, 10.0)


@PLANS
def test_no_hall_is_lost_in_works(plan_of: PlanOf) -> None:
    case, solved, table = plan_of()
    assert solved.plan is not None
    tree = case.given.tree
    stands = table.halls.groupby(["node", "hall"])[["halls", "halls_in_works"]].sum().sum(axis=1)
    for n in tree.nodes:
        shells = sum(
            solved.plan.builds.get((m, "east-shell"), 0.0)
            for m in tree.path(n)
            if tree.period[m] + 1 <= tree.period[n]
        )
        counts = {"w1": 3.0, "w2": 1.0, "e1": 2.0, "e2": shells}
        assert {h: stands.get((n, h), 0.0) for h in counts} == counts


def test_halls_under_works_before_the_start_are_told() -> None:
    _, _, table = chain()
    works = table.halls[table.halls["halls_in_works"] > 0].iloc[0]
    assert (works["month"], works["hall"], works["state"]) == ("2027-01", "e1", "ai+n1")


@PLANS
def test_bands_hold_all_hours_and_all_power(plan_of: PlanOf) -> None:
    case, solved, table = plan_of()
    assert solved.plan is not None
    tree = case.given.tree
    hours = table.energy.groupby(["node", "site"])["hours"].sum()
    for n in tree.nodes:
        calendar = sum(calendar_hours(m) for m in range(tree.first_month(n), tree.end_month(n)))
        leap = 24.0 if any(m % 12 == 1 and m // 12 == 2028 for m in range(
            tree.first_month(n), tree.end_month(n))) else 0.0  # fmt: skip
        for s in case.given.sites:
            assert hours[n, s] == close(calendar - leap, 1e4)
    power = [e.musd for e in ledger(solved.plan) if e.part == "power"]
    told = table.energy["mining_power_musd"].sum() + table.energy["ai_power_musd"].sum()
    assert told == close(-sum(power), 100.0)


@PLANS
def test_what_is_committed_runs_and_stands_still_when_called(plan_of: PlanOf) -> None:
    _, solved, table = plan_of()
    assert solved.plan is not None
    south = table.energy[table.energy["site"] == "south"]
    size = south["node"].map(lambda n: solved.plan.committed[n, "south", "offer-1"])
    assert south["committed_mw"].tolist() == size.tolist()
    assert size.max() > 1.0
    stopped, called = south["mining_stopped"], south["called_mw"] > 0
    free = ~(stopped | called | south["interruptible_cut"])
    assert (south.loc[free, "mining_mw"] >= south.loc[free, "committed_mw"] - 1e-6).all()
    assert (south.loc[stopped, "mining_mw"] == 0).all()
    assert (south.loc[called, "called_mw"] == south.loc[called, "committed_mw"]).all()
    first_year = south["node"] < 2
    assert south.loc[first_year & called, "hours"].sum() == close(200.0)
    assert south.loc[first_year & stopped, "hours"].sum() > 20.0
    assert (table.energy.loc[table.energy["site"] != "south", "committed_mw"] == 0).all()


def test_tenants_pay_for_the_energy_that_is_passed_through() -> None:
    """Only the lease at west passes power through; at east the company pays for all of it."""
    _, _, table = chain()
    at = table.energy.groupby("site")[["ai_mwh", "tenant_mwh", "ai_power_musd"]].sum()
    assert at.loc["west", "ai_mwh"] == at.loc["west", "tenant_mwh"] > 0
    assert at.loc["west", "ai_power_musd"] == 0.0
    assert at.loc["east", "tenant_mwh"] == 0.0 < at.loc["east", "ai_power_musd"]


# --- contracts, uptime, limits -------------------------------------------------------------


@PLANS
def test_what_is_due_is_delivered_or_late(plan_of: PlanOf) -> None:
    _, _, table = plan_of()
    t = table.contracts
    assert len(t) > 4
    assert (t["due_mw"] - t["delivered_mw"] - t["shortfall_mw"]).abs().max() <= 1e-6
    money = table.finance[table.finance["segment"] == "hosting"]
    assert t["rent_musd"].sum() == close(money["revenue_musd"].sum(), 100.0)
    assert t["advance_musd"].sum() - t["credited_musd"].sum() == close(
        money["advances_musd"].sum(), 100.0
    )


def test_an_advance_is_credited_until_none_is_left() -> None:
    """300 $/kW on 9.5 MW, credited over the 24 months from July 2028: six months a period."""
    _, solved, table = chain()
    lease = table.contracts[table.contracts["contract"] == "lease"].set_index("month")
    assert solved.plan is not None
    mw = lease["signed_mw"].iloc[0]
    assert lease["advance_musd"].sum() == close(0.3 * mw)
    assert lease["advance_left_musd"]["2028-01"] == close(0.3 * mw)
    assert lease["advance_left_musd"]["2028-07"] == close(0.3 * mw * 18 / 24)
    assert lease["advance_left_musd"]["2029-07"] == close(0.3 * mw * 6 / 24)
    assert lease["credited_musd"]["2029-07"] == close(0.3 * mw * 6 / 24)


@PLANS
def test_halls_keep_what_their_contracts_promise(plan_of: PlanOf) -> None:
    _, _, table = plan_of()
    t = table.uptime
    assert (t["availability"] >= t["promised"]).all()
    signed = t[t["contract"] == "signed"].iloc[0]
    assert signed["most_mw"] == close(2.0)
    assert signed["allowed_minutes_per_year"] == pytest.approx(525.6)


def test_every_typed_limit_has_words() -> None:
    assert {family.name for family in FAMILIES if family.limit} <= set(LIMITS)
    assert set(LIMITS) <= {family.name for family in FAMILIES}


@PLANS
def test_what_binds_has_no_slack(plan_of: PlanOf) -> None:
    _, _, table = plan_of()
    t = table.binding
    size = t[["taken", "limit_value"]].abs().max(axis=1)
    assert ((t["taken"] - t["limit_value"]).abs() <= 1e-6 * size.clip(lower=1.0)).all()
    assert (size > 1e-6).all()
    assert "hosting.delivery_balance" not in set(t["limit"])
    assert {"hosting.signing_limit", "mining.mining_limit"} <= set(t["limit"])


# --- figures -------------------------------------------------------------------------------


def priced(**overrides: Any) -> tuple[Solved, Tables]:
    """Solve the small case at a flat price, with a price of bitcoin and a network of ours."""
    bitcoin = {"hashprice_usd_per_ph_day": None, "btc_price_usd": 100_000.0,
               "network_eh_per_s": 900.0, "fee_share": 0.0}  # fmt: skip
    case = prepare(tiny(bitcoin=bitcoin, **overrides), {"a": flat(40.0)})
    solved = solve(case, Options(gap=0.0))
    return solved, tables(case, solved)


def test_costs_of_hash_are_identities_of_the_trade() -> None:
    """At 47 $/MWh a machine of 20 J/TH and a PUE of 1.05 pays 47 · 1.05 · 20 · 0.024 $/PH/day."""
    _, table = priced()
    hash_cost = 47.0 * 1.05 * 20.0 * 0.024
    assert company(table, "fleet_j_per_th_first") == close(20.0)
    assert company(table, "mining_price_usd_per_mwh") == close(47.0)
    assert company(table, "mining_price_always_on_usd_per_mwh") == close(47.0)
    assert company(table, "market_price_usd_per_mwh") == close(40.0)
    assert company(table, "hash_cost_usd_per_ph_day") == close(hash_cost)
    per_btc = company(table, "hash_cost_usd_per_btc")
    price = company(table, "hashprice_usd_per_ph_day")
    assert per_btc == pytest.approx(100_000.0 * hash_cost / price, rel=1e-9)


def test_bitcoin_mined_is_worth_the_revenue() -> None:
    _, table = priced()
    revenue = table.finance["revenue_musd"].sum()
    assert revenue > 1.0
    assert company(table, "btc_mined") * 100_000.0 / 1e6 == pytest.approx(revenue, rel=1e-9)


def test_without_a_price_of_bitcoin_there_is_no_cost_per_coin() -> None:
    _, _, table = chain()
    metrics = table.metrics[table.metrics["scope"] == "company"].set_index("metric")["value"]
    assert metrics[["btc_mined", "hash_cost_usd_per_btc", "all_in_cost_usd_per_btc"]].isna().all()


@PLANS
def test_returns_follow_from_the_flows(plan_of: PlanOf) -> None:
    case, solved, table = plan_of()
    assert solved.plan is not None
    flows = equity_flows(solved.plan, ledger(solved.plan))
    rate = case.instance.finance.discount_per_year
    worth = sum(musd * (1 + rate) ** (-month / 12) for month, musd in flows)
    assert worth == pytest.approx(solved.value_musd, rel=1e-9)
    assert company(table, "value_musd") == pytest.approx(solved.value_musd, rel=1e-12)
    irr = company(table, "irr_per_year")
    once = sign_changes(flows, case.given.tree.months) == 1
    assert (irr == irr) == once
    if once:
        assert sum(musd * (1 + irr) ** (-month / 12) for month, musd in flows) == close(0.0, 1e3)
    cash = [solved.plan.cash[n,] for n in case.given.nodes]
    assert case.given.minimum_cash - 1e-6 <= company(table, "lowest_cash_musd") <= min(cash)


def test_a_rate_of_return_that_would_mislead_is_left_empty_with_the_reason() -> None:
    """Money in, out, and in again: one rate may solve that, and says nothing about the plan."""
    case, solved, _ = chain()
    assert solved.plan is not None
    told = Metrics(case, solved.plan, None, [], [], [], [])
    row = told._irr([(0, -100.0), (6, 150.0), (12, -20.0), (18, 10.0)])
    assert row.value is None
    assert row.meaning.endswith(
        "left empty: the flows by period change sign 3 times, so no one rate says it"
    )
    once = told._irr([(0, -100.0), (6, 60.0), (12, 60.0)])
    # 60 x + 60 x^2 = 100, where x is what a dollar is worth half a year earlier.
    assert once.value == pytest.approx((120 / (27_600**0.5 - 60)) ** 2 - 1, rel=1e-9)
    assert "left empty" not in once.meaning


@PLANS
def test_shares_are_counted_as_the_policy_counts_them(plan_of: PlanOf) -> None:
    case, solved, table = plan_of()
    plan = solved.plan
    assert plan is not None
    mined = hosted = 0.0
    for leaf in case.given.tree.leaves:
        # A floor at half, read on the plan, holds the two amounts by halves.
        halves = replace(plan, given=replace(case.given, mining_share_min=0.5))
        relation = policy.mining_share_floor(halves, leaf)
        mined += 2.0 * case.given.probability[leaf] * relation.left
        hosted += 2.0 * case.given.probability[leaf] * relation.right
    assert company(table, "mining_last_share") == close(mined / (mined + hosted))
    assert company(table, "ai_last_share") == close(hosted / (mined + hosted))
    meanings = table.metrics.set_index("metric")["meaning"]
    assert "as policy counts it" in meanings["mining_last_share"].iloc[0]


def test_peak_funding_is_the_deepest_point_before_any_loan() -> None:
    _, _, table = chain()
    flows = table.finance.groupby("node")["free_cash_flow_musd"].sum().cumsum()
    assert company(table, "peak_funding_musd") >= -flows.min() > 0


def test_site_metrics_add_up_to_the_company() -> None:
    case, _, table = branching()
    metrics = table.metrics.set_index(["metric", "scope"])["value"]
    for name in ("mining_last_it_mw", "ai_last_it_mw", "mining_first_it_mw"):
        assert metrics[name, "company"] == close(sum(metrics[name, s] for s in case.given.sites))


# --- frames --------------------------------------------------------------------------------


def test_tables_repeat_exactly() -> None:
    case, solved, table = chain()
    for (name, first), (_, again) in zip(table.items(), tables(case, solved).items(), strict=True):
        pd.testing.assert_frame_equal(first, again, check_exact=True, obj=name)


def test_an_empty_table_keeps_its_columns_and_types() -> None:
    _, _, nothing = idle()
    _, _, full = chain()
    for name in ("allocation", "contracts", "uptime"):
        empty = getattr(nothing, name)
        assert len(empty) == 0
        assert dict(empty.dtypes) == dict(getattr(full, name).dtypes)


def test_money_columns_carry_their_unit() -> None:
    _, _, table = chain()
    units = ("_musd", "_mw", "_mwh", "_usd_per_mwh", "_usd_per_kw", "_per_year", "_ph_per_s",
             "_share", "_probability")  # fmt: skip
    plain = {"node", "year", "band", "racks", "machines", "gpus", "ph_per_s", "halls",
             "halls_in_works", "hours", "availability", "promised", "value", "taken",
             "limit_value", "amount", "hours_each", "best_availability", "next_nine",
                 "installed", "needed"}  # fmt: skip
    for name, content in table.items():
        numbers = content.select_dtypes("number").columns
        unmarked = [c for c in numbers if not c.endswith(units) and c not in plain]
        assert not unmarked, name


def test_no_plan_makes_no_tables() -> None:
    case, _, _ = chain()
    with pytest.raises(ValueError, match="infeasible"):
        tables(case, Solved("infeasible"))


def test_parts_are_at_the_start_or_through_a_period_or_at_the_end() -> None:
    _, solved, _ = chain()
    assert solved.plan is not None
    entries = ledger(solved.plan)
    leaf = max(entry.node for entry in entries)
    assert {e.node for e in entries if e.part in END} == {leaf}
    assert any(e.part in START and e.node == 0 for e in entries)
    assert {e.segment for e in entries if e.site == NO_SITE} <= {"hosting", "company"}
