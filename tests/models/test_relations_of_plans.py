"""Laws that the best value obeys whatever the case: more of a good thing never hurts.

Each law changes a hundred random cases and compares the best values before and after; a quarter
of the cases are trees of two leaves. No figure is known beforehand, so the laws reach cases that
no one could reckon by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from models.hours import flat
from models.instance import Instance
from models.tree import chain
from optimizer.case import prepare
from optimizer.compiled import compile_case
from optimizer.highs import Options, run
from optimizer.solve import solve
from tests.models.cases import Case, Weather
from tests.models.small_cases import Typed, draw_case, ready
from tests.models.tiny import DENSE, LEASE, merged, tiny

CASES = 100
BATCHES = 4
EXACT = Options(gap=0.0, absolute_gap=1e-9)

Change = Callable[[Case], Case]
Decided = dict[tuple[str, Any], float]


@cache
def drawn(seed: int) -> Case:
    return draw_case(seed, leaves=2 if seed % 4 == 3 else 1)


def best(case: Case) -> tuple[float, Decided]:
    """Best value, minus infinity where there is no plan, and what is decided for it."""
    model = compile_case(ready(case))
    if model.built.contradictions:
        return -math.inf, {}
    outcome = run(model.matrix, EXACT)
    assert outcome.status in ("optimal", "infeasible")
    if outcome.x is None or outcome.objective is None:
        return -math.inf, {}
    return outcome.objective, model.values(outcome.x)


@cache
def value_before(seed: int) -> float:
    return best(drawn(seed))[0]


def seeds_of(batch: int) -> range:
    return range(batch * CASES // BATCHES, (batch + 1) * CASES // BATCHES)


def typed_of(case: Case) -> Typed:
    return case.instance.model_dump(by_alias=True, exclude_unset=True)


def retyped(case: Case, typed: Typed) -> Case:
    return replace(case, instance=Instance.model_validate(typed))


def same(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= 1e-6 * max(1.0, min(abs(a), abs(b)))


def on_paths(change: Callable[[float], float], path: Any) -> Any:
    """Change every value of a number over time."""
    if isinstance(path, dict):
        return path | {"start": change(path["start"])}
    if isinstance(path, list):
        return [step | {"value": change(step["value"])} for step in path]
    return change(path)


# --- what never hurts ------------------------------------------------------------------------


def more_budget(case: Case) -> Case:
    typed = typed_of(case)
    finance = typed["finance"]
    if "capex_budget_musd" in finance:
        finance["capex_budget_musd"] += 15.0
    for span in finance.get("capex_budget_by_period", []):
        span["musd"] += 10.0
    for site in finance.get("capex_budget_by_site_musd", {}):
        finance["capex_budget_by_site_musd"][site] += 5.0
    return retyped(case, typed)


def more_firm_mw(case: Case) -> Case:
    typed = typed_of(case)
    for site in typed["sites"].values():
        site["firm_mw"] = on_paths(lambda mw: mw + 3.0, site["firm_mw"])
    return retyped(case, typed)


def more_interruptible_mw(case: Case) -> Case:
    typed = typed_of(case)
    for site in typed["sites"].values():
        site["interruptible_mw"] = site.get("interruptible_mw", 0.0) + 4.0
    return retyped(case, typed)


def more_cash(case: Case) -> Case:
    typed = typed_of(case)
    typed["finance"]["opening_cash_musd"] += 20.0
    return retyped(case, typed)


def a_larger_loan(case: Case) -> Case:
    typed = typed_of(case)
    loan = typed["finance"].setdefault("loan", {"limit_musd": 0.0, "interest_per_year": 0.06})
    loan["limit_musd"] += 25.0
    return retyped(case, typed)


def a_higher_hashprice(case: Case) -> Case:
    typed = typed_of(case)
    for key in ("hashprice_usd_per_ph_day", "btc_price_usd"):
        if key in typed["bitcoin"]:
            typed["bitcoin"][key] = on_paths(lambda x: 1.3 * x, typed["bitcoin"][key])
    return retyped(case, typed)


def better_paid_ai(case: Case) -> Case:
    typed = typed_of(case)
    for offer in typed.get("contracts", {}).values():
        for key in ("rate_usd_per_kw_month", "rate_usd_per_gpu_hour"):
            if key in offer:
                offer[key] *= 1.5
    for sold in typed.get("gpu_cloud", {}).values():
        sold["price_usd_per_gpu_hour"] = on_paths(
            lambda x: 1.5 * x, sold["price_usd_per_gpu_hour"]
        )
    return retyped(case, typed)


def cheaper_wires(case: Case) -> Case:
    typed = typed_of(case)
    for power in typed["power"].values():
        power["adder_usd_per_mwh"] -= 4.0
    return retyped(case, typed)


def another_offer(case: Case) -> Case:
    """A tenant for part of a hall, at whatever AI fit-out there is."""
    typed = typed_of(case)
    start = typed["horizon"]["start"]
    typed.setdefault("contracts", {})["more"] = {
        "racks_by": "tenant",
        "min_mw": 1.0,
        "max_mw": 3.0,
        "sign_by": start,
        "start": start,
        "months": 48,
        "rate_usd_per_kw_month": 300.0,
        "power_passed_through": True,
        "availability": 0.99,
    }
    return retyped(case, typed)


def movable_racks(case: Case) -> Case:
    typed = typed_of(case)
    for rack in typed["racks"].values():
        rack["move_usd"] = 0.0
    return retyped(case, typed)


NEVER_HURTS: list[Change] = [
    more_budget,
    more_firm_mw,
    more_interruptible_mw,
    more_cash,
    a_larger_loan,
    a_higher_hashprice,
    better_paid_ai,
    cheaper_wires,
    another_offer,
    movable_racks,
]


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("change", NEVER_HURTS)
def test_more_of_a_good_thing_never_hurts(change: Change, batch: int) -> None:
    worse = [
        (seed, value_before(seed), after)
        for seed in seeds_of(batch)
        if (after := best(change(drawn(seed)))[0]) < value_before(seed)
        and not same(value_before(seed), after)
    ]
    assert not worse, "seed, value before, value after"


def resold_dear(case: Case) -> Case:
    """Racks that keep nearly all of their price, come soon and are rebuilt at once."""
    typed = typed_of(case)
    for machine in typed["machines"].values():
        machine["resale_usd_per_th"] = 0.97 * machine["price_usd_per_th"]
    for rack in typed["racks"].values():
        rack["delivery_months"] = min(rack.get("delivery_months", 0), case.step)
        if "resale_usd" in rack:
            rack["resale_usd"] = 0.97 * rack["price_usd"]
        if "converts_to" in rack:
            rack["converts_to"] |= {"months": 0}
    typed["finance"]["discount_per_year"] = 0.25
    return retyped(case, typed)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_loan_never_lowers_value(batch: int) -> None:
    helped = 0
    for seed in seeds_of(batch):
        typed = typed_of(resold_dear(drawn(seed)))
        typed["finance"].pop("loan", None)
        without = retyped(drawn(seed), typed)
        before, after = best(without)[0], best(a_larger_loan(without))[0]
        assert after >= before or same(before, after), (seed, before, after)
        helped += after > before + 1e-3
    assert helped


@pytest.mark.parametrize("change", NEVER_HURTS)
def test_the_change_is_felt_somewhere(change: Change) -> None:
    felt = (best(change(drawn(seed)))[0] > value_before(seed) + 1e-3 for seed in range(CASES))
    assert any(felt)


# --- what leaves the value as it is ----------------------------------------------------------


def other_order(case: Case) -> Case:
    """Write every table the other way round."""
    typed = typed_of(case)
    for key, block in typed.items():
        if key in NAMED:
            typed[key] = dict(reversed(block.items()))
    typed["fleet"] = typed.get("fleet", [])[::-1]
    return retyped(case, typed)


NAMED = (
    "machines", "racks", "fitouts", "sites", "projects", "halls", "power", "contracts",
    "gpu_cloud",
)  # fmt: skip


def other_names(case: Case) -> Case:
    """Rename everything, so that it also sorts the other way round."""
    typed = typed_of(case)
    tables = [typed[key] for key in NAMED if key in typed]
    tables += [typed.get("uptime", {}).get("packages", {})]
    names = dict.fromkeys(name for table in tables for name in table)
    new = {name: f"n{99 - i}-{name}" for i, name in enumerate(sorted(names))}
    renamed = _renamed(typed, new)
    hours = {new[site]: hours for site, hours in case.hours.items()}
    return replace(retyped(case, renamed), hours=hours)


def _renamed(part: Any, new: dict[str, str]) -> Any:
    """Rename keys of tables and values that name something; keys of blocks stay."""
    if isinstance(part, list):
        return [_renamed(item, new) for item in part]
    if isinstance(part, dict):
        named = all(key in new for key in part)
        return {(new[k] if named else k): _renamed(x, new) for k, x in part.items()}
    return new.get(part, part) if isinstance(part, str) else part


def dearer_twins(case: Case) -> Case:
    """Offer every rack and fit-out once more, at a higher price.

    Not an AI fit-out that stands today: works towards its twin would be a new way to keep a hall
    out of service, as where AI may not run before fibre comes.
    """
    typed = typed_of(case)
    standing = {hall.get("fitout") for hall in typed["halls"].values()}
    for k, rack in list(typed["racks"].items()):
        typed["racks"][f"{k}-dear"] = rack | {"price_usd": rack.get("price_usd", 0.0) + 1e6}
        typed["racks"][f"{k}-dear"].pop("converts_to", None)
    for f, fitout in list(typed["fitouts"].items()):
        if f in standing and fitout["workload"] == "ai":
            continue
        typed["fitouts"][f"{f}-dear"] = fitout | {
            "capex_usd_per_kw": fitout["capex_usd_per_kw"] + 900.0
        }
    return retyped(case, typed)


def forked_at_the_end(case: Case) -> Case:
    """Split the last period of every branch into two alike."""
    parents, chances = list(case.tree.parent), list(case.tree.probability)
    weather = {name: dict(factors) for name, factors in vars(case.weather).items()}
    for leaf in case.tree.leaves:
        twin = len(parents)
        parents.append(case.tree.parent[leaf])
        chances[leaf] *= 0.5
        chances.append(chances[leaf])
        for factors in weather.values():
            if leaf in factors:
                factors[twin] = factors[leaf]
    tree = replace(case.tree, parent=tuple(parents), probability=tuple(chances))
    return replace(case, tree=tree, weather=Weather(**weather))


def forked_at_the_root(case: Case) -> Case:
    """Split a chain after its first period into two alike; trees stay as they are."""
    later = case.tree.periods - 1
    if len(case.tree.leaves) > 1:
        return case
    limbs = (None, *range(later)), (0, *range(later + 1, 2 * later))
    chances = (1.0, *(0.3,) * later, *(0.7,) * later)
    return replace(case, tree=replace(case.tree, parent=sum(limbs, ()), probability=chances))


LEAVES_ALONE: list[Change] = [
    other_order,
    other_names,
    dearer_twins,
    forked_at_the_end,
    forked_at_the_root,
]


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("change", LEAVES_ALONE)
def test_what_should_not_matter_does_not(change: Change, batch: int) -> None:
    moved = [
        (seed, value_before(seed), after)
        for seed in seeds_of(batch)
        if not same(value_before(seed), after := best(change(drawn(seed)))[0])
    ]
    assert not moved, "seed, value before, value after"


# --- what scales, what vanishes --------------------------------------------------------------


def dearer_money(case: Case, factor: float) -> Case:
    """Count in a money of which a dollar is worth several."""
    hours = {
        site: replace(x, price_usd_per_mwh=x.price_usd_per_mwh * factor)
        for site, x in case.hours.items()
    }
    typed = _counted_anew(typed_of(case), lambda x: factor * x)
    return replace(retyped(case, typed), hours=hours)


def _counted_anew(part: Any, change: Callable[[float], float]) -> Any:
    if isinstance(part, list):
        return [_counted_anew(item, change) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _money(x, change) if "usd" in key else _counted_anew(x, change)
        for key, x in part.items()
    }


def _money(part: Any, change: Callable[[float], float]) -> Any:
    by_name = isinstance(part, dict) and "start" not in part
    return {k: change(x) for k, x in part.items()} if by_name else on_paths(change, part)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_value_counts_in_the_money_of_its_figures(batch: int) -> None:
    moved = [
        (seed, value_before(seed), after)
        for seed in seeds_of(batch)
        if not same(4.0 * value_before(seed), after := best(dearer_money(drawn(seed), 4.0))[0])
    ]
    assert not moved, "seed, value before, value after"


def unpaid_ai(case: Case) -> Case:
    """AI that pays nothing and still costs staff."""
    typed = typed_of(case)
    for offer in typed.get("contracts", {}).values():
        for key in ("rate_usd_per_kw_month", "rate_usd_per_gpu_hour"):
            if key in offer:
                offer[key] = 0.0
        for key in ("prepayment_usd_per_kw", "tenant_works_usd_per_kw"):
            offer.pop(key, None)
        offer["staff_usd_per_kw_month"] = 5.0
    for sold in typed.get("gpu_cloud", {}).values():
        sold["price_usd_per_gpu_hour"] = 0.0
    typed.get("commitments", {}).pop("contracts", None)
    typed.pop("policy", None)
    return _priced_above(retyped(case, typed), 1.0)


def _priced_above(case: Case, least: float) -> Case:
    """Without prices at which drawing power is paid for."""
    hours = {
        site: replace(x, price_usd_per_mwh=np.maximum(x.price_usd_per_mwh, least))
        for site, x in case.hours.items()
    }
    return replace(case, hours=hours)


def without_ai(case: Case) -> Case:
    typed = typed_of(unpaid_ai(case))
    for key in ("contracts", "gpu_cloud"):
        typed.pop(key, None)
    return replace(unpaid_ai(case), instance=Instance.model_validate(typed))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_ai_that_pays_nothing_is_not_taken_on(batch: int) -> None:
    for seed in seeds_of(batch):
        value, decided = best(unpaid_ai(drawn(seed)))
        assert same(value, best(without_ai(drawn(seed)))[0]), seed
        assert total(decided, "signed_mw") + total(decided, "cloud") < 1e-6, seed


def total(decided: Decided, name: str) -> float:
    return sum(x for (family, _), x in decided.items() if family == name)


def unpaid_mining(case: Case) -> Case:
    typed = typed_of(case)
    typed["bitcoin"] = {"hashprice_usd_per_ph_day": 0.0}
    typed.pop("policy", None)
    return _priced_above(retyped(case, typed), 1.0)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_mining_that_pays_nothing_stops(batch: int) -> None:
    for seed in seeds_of(batch):
        case = unpaid_mining(drawn(seed))
        _, decided = best(case)
        bought = {index[2] for (name, index), x in decided.items() if name == "orders" and x > 0.5}
        assert total(decided, "mining") < 1e-6, seed
        assert not any(case.instance.racks[k].workload == "mining" for k in bought), seed


# --- finer periods ---------------------------------------------------------------------------


def unchanging(case: Case, months_per_period: int) -> Case:
    """The same two years in periods of a half or a quarter, at prices that stay as they are."""
    typed = typed_of(case)
    typed["horizon"] = {
        "start": "2029-01", "periods": 24 // months_per_period,
        "months_per_period": months_per_period,
    }  # fmt: skip
    typed["bitcoin"] = {"hashprice_usd_per_ph_day": 55.0}
    finance = typed["finance"]
    finance |= {"discount_per_year": 0.0, "opening_cash_musd": 1000.0}
    for key in ("loan", "capex_budget_by_period"):
        finance.pop(key, None)
    for key in ("contracts", "commitments", "policy"):
        typed.pop(key, None)
    for power in typed["power"].values():
        power["growth_per_year"] = 0.0
    for site in typed["sites"].values():
        if isinstance(site["firm_mw"], list):
            site["firm_mw"] = site["firm_mw"][-1]["value"]
    for project in typed.get("projects", {}).values():
        project["months"] = 6
        project.pop("earliest", None)
        project.pop("latest", None)
    _settle_dates(typed)
    tree = chain(24 // months_per_period, 2029 * 12, months_per_period)
    return replace(retyped(case, typed), tree=tree, weather=Weather())


def _settle_dates(typed: Typed) -> None:
    """Lead times and ages in halves of years; what is worth something keeps its worth."""
    for fitout in typed["fitouts"].values():
        fitout["works_months"] = 6
    for machine in typed["machines"].values():
        machine["resale_usd_per_th"] = 0.5
    for rack in typed["racks"].values():
        rack["delivery_months"] = 6 if rack.get("delivery_months") else 0
        if "resale_usd" in rack:
            rack["resale_usd"] = 1e6
        if "converts_to" in rack:
            rack["converts_to"]["months"] = 6
    for package in typed.get("uptime", {}).get("packages", {}).values():
        package["works_months"] = 0
    for row in typed.get("fleet", []):
        row["age_months"] = 6 * (row["age_months"] // 6)
    for sold in typed.get("gpu_cloud", {}).values():
        sold["price_usd_per_gpu_hour"] = 1.5
        sold.pop("demand_limit_mw", None)


def idle(case: Case) -> Case:
    """Nothing may be bought, built or converted."""
    typed = typed_of(case)
    for rack in typed["racks"].values():
        rack["buyable"] = False
        rack.pop("converts_to", None)
    for hall in typed["halls"].values():
        hall["convertible"] = False
    typed.pop("projects", None)
    return retyped(case, typed)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_finer_periods_only_add_dates_to_decide(batch: int) -> None:
    for seed in seeds_of(batch):
        coarse, fine = unchanging(drawn(seed), 6), unchanging(drawn(seed), 3)
        wide, narrow = best(coarse)[0], best(fine)[0]
        assert narrow >= wide - 1e-6 * max(1.0, abs(wide)), seed
        assert same(best(idle(coarse))[0], best(idle(fine))[0]), seed


# --- promises that lie beyond the horizon ---------------------------------------------------

#: A lease that earns nothing, and a tenant who pays well for works at signing.
WORKS: Typed = {
    "racks_by": "tenant", "min_mw": 1.0, "max_mw": 20.0, "sign_by": "2027-01",
    "start": "2028-07", "months": 60, "rate_usd_per_kw_month": 50.0,
    "power_passed_through": True, "availability": 0.99, "tenant_works_usd_per_kw": 3000.0,
}  # fmt: skip


@pytest.mark.parametrize(
    "promise",
    [
        {},
        {"latest_delivery": "2029-01", "delay_usd_per_kw_month": 20.0},
        {
            "ramp": [
                {"after_months": 0, "share": 0.01},
                {"after_months": 12, "share": 1.0},
            ]
        },
    ],
    ids=["at-once", "slips-past-the-horizon", "ramps-up-past-it"],
)
@pytest.mark.parametrize("paid", ["tenant_works_usd_per_kw", "prepayment_usd_per_kw"])
def test_what_is_paid_for_what_never_stands_is_not_earned(promise: Typed, paid: str) -> None:
    """Money at signing counts only for MW that stand within the horizon."""
    lease = {**WORKS, **promise, paid: WORKS["tenant_works_usd_per_kw"]}
    if paid != "tenant_works_usd_per_kw":
        del lease["tenant_works_usd_per_kw"]
    instance = Instance.model_validate(
        {
            "instance": {"name": "works"},
            "horizon": {"start": "2027-01", "periods": 4, "months_per_period": 6},
            "finance": {"discount_per_year": 0.1, "opening_cash_musd": 20.0},
            "bitcoin": {"hashprice_usd_per_ph_day": 60.0},
            "fitouts": {
                "ai": {
                    "workload": "ai",
                    "cooling": "air",
                    "it_share_of_present": 1.0,
                    "capex_usd_per_kw": 9000.0,
                    "works_months": 6,
                    "pue": 1.2,
                    "life_months": 120,
                }
            },
            "uptime": {"packages": {"n": {"availability": 0.9999}}},
            "sites": {"s": {"firm_mw": 50.0}},
            "halls": {"h": {"site": "s", "count": 4, "it_mw": 7.0}},
            "power": {"s": {"flat_usd_per_mwh": 30.0}},
            "contracts": {"c": lease},
        }
    )
    solved = solve(prepare(instance, {"s": flat(30.0)}), EXACT)
    assert solved.status == "solved"
    assert solved.value_musd == pytest.approx(0.0, abs=1e-9)
    assert solved.plan is not None
    assert not any(solved.plan.signing.values())


def test_halls_are_not_kept_out_of_service_by_one_change_after_another() -> None:
    """Two free packages, a year of works each: a hall without use stands every other year.

    In works in the first of three years, it stands in the second; works of the third would end
    beyond the horizon, so that its upkeep of 0.1 M$ a year falls due twice.
    """
    free = {"capex_usd_per_kw": 0.0, "works_months": 12}
    instance = tiny(
        halls__h={"count": 1, "fitout": "ai", "package": "n1"},
        fitouts__ai__can_go_back=False,
        fleet=[],
        uptime__packages={"n1": free, "n0": {**free, "availability": 0.99}},
    )
    solved = solve(prepare(instance, {"a": flat(40.0)}), EXACT)
    assert solved.status == "solved"
    assert solved.value_musd == pytest.approx(-2 * 50.0 * 2000 / 1e6, abs=1e-9)


def test_the_loan_does_not_pay_for_racks_that_are_sold_at_once() -> None:
    """Without cash, a rack bought on the loan and sold again would pay a year's overhead."""
    instance = tiny(
        horizon={"periods": 1},
        finance={
            "opening_cash_musd": 0.0,
            "overhead_musd_per_year": 0.05,
            "loan": {"limit_musd": 5.0, "interest_per_year": 0.0},
        },
        bitcoin__hashprice_usd_per_ph_day=0.0,
        racks__rig__delivery_months=0,
        fleet=[],
    )
    assert solve(prepare(instance, {"a": flat(40.0)}), EXACT).status == "infeasible"


#: Racks that keep 95 % of their price and may be bought on a loan, at a site without power.
LENT: Typed = {
    "horizon": {"start": "2029-01", "periods": 8, "months_per_period": 3},
    "finance": {"discount_per_year": 0.25, "opening_cash_musd": 30.0},
    "machines__m": {"resale_usd_per_th": 9.5, "life_months": 60},
    "racks__rig": {"deposit_share": 0.1, "delivery_months": 3},
    "bitcoin": {"hashprice_usd_per_ph_day": 10.0},
    "sites__a": {"firm_mw": 0.0, "interruptible_mw": 0.0},
    "fleet": [],
}
CHEAP = {"limit_musd": 20.0, "interest_per_year": 0.08, "fee_share": 0.01}


def solved_tiny(**overrides: Any) -> tuple[float, Decided]:
    """Best value of a small case, and what is decided for it."""
    solved = solve(prepare(tiny(**overrides), {"a": flat(40.0)}), EXACT)
    assert solved.status == "solved"
    assert solved.value_musd is not None
    assert solved.plan is not None
    decided = {("sales", key): x for key, x in solved.plan.sales.items()}
    return solved.value_musd, decided | {("racks", k): x for k, x in solved.plan.racks.items()}


def test_no_cash_is_lent_on_racks_that_no_hall_holds() -> None:
    shell = {**LENT, "halls__h__fitout": None}
    assert solved_tiny(**shell, finance__loan=CHEAP) == solved_tiny(**shell)


def test_racks_that_an_order_brings_are_sold_a_period_later() -> None:
    """Halls hold eight racks, and as many can be sold in the quarter after they have come."""
    value, decided = solved_tiny(**LENT, finance__loan=CHEAP)
    stood = {n + 1: x for (name, (n, *_)), x in decided.items() if name == "racks" and x > 0.5}
    sold = {n: x for (name, (n, *_)), x in decided.items() if name == "sales" and x > 0.5}
    assert sold
    assert all(x <= stood[n] + 1e-9 for n, x in sold.items())
    assert value > solved_tiny(**LENT)[0]


def test_racks_rebuilt_at_once_may_be_sold_at_once_on_a_loan_too() -> None:
    """Ten GPU racks of 0.05 M$ become ten of 0.3 M$ for 0.001 M$ each, and are sold today."""
    rebuilt: Typed = {
        "horizon": {"periods": 2},
        "halls__h": {"fitout": "ai", "package": "n1"},
        "racks": {
            "gpu": {
                "delivery_months": 0,
                "converts_to": {"rack": "dense", "cost_usd": 1000.0, "months": 0},
            },
            "dense": {**DENSE, "buyable": False, "resale_usd": 300_000.0},
        },
        "fleet": [{"hall": "h", "rack": "gpu", "racks": 10, "age_months": 12}],
        "finance": {"discount_per_year": 0.2},
    }
    dear = {"limit_musd": 20.0, "interest_per_year": 0.3}
    upkeep = 2 * 2.0 * 0.055 * (1.2**-0.5 + 1.2**-1.5)
    for loan in (None, dear):
        value, _ = solved_tiny(**merged(rebuilt, {"finance": {"loan": loan}}))
        assert value == pytest.approx(10 * (0.3 - 0.001) - upkeep, abs=1e-9)


def test_racks_owed_from_before_may_be_sold_as_they_land() -> None:
    """Cash opens a million short; four of eight racks at 0.25 M$ make up for it."""
    _, decided = solved_tiny(
        finance={"opening_cash_musd": 5.0, "minimum_cash_musd": 6.0},
        fleet=[],
        machines__m__resale_usd_per_th=5.0,
        commitments__racks=[{"hall": "h", "rack": "rig", "racks": 8, "delivery": "2029-01"}],
    )
    assert sum(x for (name, (n, *_)), x in decided.items() if name == "sales" and n == 0) >= 4


def test_a_change_of_package_keeps_what_the_fit_out_is_worth() -> None:
    """A bare hall serves one contract in the second year and a stricter one in the third.

    The better package costs 0.4 M$, and 1 M$ of upkeep a year, so it comes for the third year
    only. Rent less staff is 2.28 M$ a year, upkeep 0.1 and 1.1 M$. At the horizon the fit-out of
    4 M$ is two of its ten years old, the package one.
    """
    packages = {
        "n1": {"capex_usd_per_kw": 0.0, "opex_usd_per_kw_year": 0.0},
        "n2": {"capex_usd_per_kw": 200.0, "opex_usd_per_kw_year": 500.0, "availability": 0.9999},
    }
    first = {**LEASE, "min_mw": 2.0, "max_mw": 2.0, "months": 12, "power_passed_through": True}
    last = {**first, "start": "2031-01", "sign_by": "2030-01", "availability": 0.9999}
    instance = tiny(
        halls__h={"count": 1, "fitout": None},
        fleet=[],
        uptime__packages=packages,
        contracts={"first": first, "last": last},
    )
    solved = solve(prepare(instance, {"a": flat(40.0)}), EXACT)
    assert solved.status == "solved"
    earned = 2 * 2.28 - 0.1 - 1.1
    left = 0.8 * 4.0 + 0.9 * 0.4
    assert solved.value_musd == pytest.approx(-4.0 - 0.4 + earned + left, abs=1e-9)


# --- what contracts that run on still need ---------------------------------------------------


def solved_value(instance: Instance) -> float:
    solved = solve(prepare(instance, {"a": flat(40.0)}), EXACT)
    assert solved.status == "solved"
    assert solved.value_musd is not None
    return solved.value_musd


def test_a_hall_half_let_beyond_the_horizon_owes_its_upkeep_whole() -> None:
    """One MW for twenty years in a hall of two, eighteen of them beyond the horizon.

    A year brings 2.4 M$ less 0.06 of staff and 0.4037 of energy, and the hall owes 1.81 of upkeep.
    The hall cost 5 M$ and is half worn at the contract's end. The other hall, without racks, owes
    0.04 a year; two of them for three years are what doing nothing costs.
    """
    offer = {**LEASE, "min_mw": 1.0, "max_mw": 1.0, "months": 240, "rate_usd_per_kw_month": 200.0}
    typed: Typed = {
        "contracts__lease": offer,
        "fitouts__ai": {"opex_usd_per_kw_year": 900.0, "life_months": 480},
        "fleet": [],
        "bitcoin": {"hashprice_usd_per_ph_day": 10.0},
        "racks__rig": {"buyable": False},
    }
    energy = 8760 * 1.2 * 0.8 * 48 / 1e6
    signed = 20 * (2.4 - 0.06 - energy - 1.81) - 5.0 + 2.5 - 3 * 0.04
    assert solved_value(tiny(**typed)) == pytest.approx(signed, abs=1e-9)
    # At a little more upkeep it does not pay, though it would on half of it.
    typed["fitouts__ai"] = typed["fitouts__ai"] | {"opex_usd_per_kw_year": 910.0}
    assert signed - 20 * 0.02 < -0.24 < signed
    assert solved_value(tiny(**typed)) == pytest.approx(-6 * 0.04, abs=1e-9)


@pytest.mark.parametrize("life", [120, 480])
def test_a_line_that_a_contract_stands_on_is_worth_what_it_is_at_its_end(life: int) -> None:
    """A line of 10 M$ carries AI, two years of its contract within the horizon and six beyond.

    Signed, two MW bring 2.4 M$ a year less 0.12 of staff, 0.8073 of energy and 0.11 of upkeep for
    eight years. The hall of 5 M$ keeps two tenths, and the line, which is needed in part, is 96
    months old when it is released as a whole.
    """
    offer = {**LEASE, "min_mw": 2.0, "max_mw": 2.0, "months": 96}
    line = {
        "site": "a", "adds_firm_mw": 4.0, "capex_musd": 10.0, "months": 12, "life_months": life,
    }  # fmt: skip
    instance = tiny(
        contracts__lease=offer,
        sites__a={"firm_mw": 0.0, "interruptible_mw": 12.0},
        projects__line=line,
        fleet=[],
        racks__rig__buyable=False,
    )
    energy = 2 * 8760 * 1.2 * 0.8 * 48 / 1e6
    signed = 8 * (2.4 - 0.12 - energy - 0.11) - 5.0 + 1.0 - 10.0 * 96 / life - 3 * 0.04
    nothing = -6 * 0.04
    # Of ten years eight are gone; at the horizon two would be, and it would look better by 6 M$.
    assert (signed < nothing < signed + 6.0) == (life == 120)
    assert solved_value(instance) == pytest.approx(max(signed, nothing), abs=1e-9)
