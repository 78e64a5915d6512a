"""Limits on the energy of a year: whole plans against the same case with every hour on its own.

Where each hour is a band, nothing is merged, no price of a limit is needed, and the solver finds
the truth alone.
"""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.blocks import in_steps
from models.hours import Hours
from models.instance import Instance
from optimizer import bands, limited
from optimizer.audit import Breach
from optimizer.bands import Room, hidden_by_steps, priced_hours
from optimizer.case import Case, prepare
from optimizer.elastic import clashing
from optimizer.highs import Options, Progress
from optimizer.singles import single_ways
from optimizer.solve import Solved, solve
from optimizer.yearly import operate_within, used
from tests.optimizer.test_bands import TYPED, made_up_year
from tests.optimizer.test_splits import crowded

EXACT = Options(gap=0.0, absolute_gap=1e-9)
BREACH = Breach("capital.value", (), "claim", 1.0, 0.0, "==")
LIMITS = ("energy", "carbon", "hours")


def drawn_hours(seed: int, rows: int = 240) -> Hours:
    """A made-up year in steps, with the carbon of each."""
    rng = np.random.default_rng([seed, 1])
    carbon = rng.uniform(50.0, 700.0, rows)
    return replace(made_up_year(seed, rows), carbon_kg_per_mwh=carbon)


def drawn(seed: int, limit: str) -> Instance:
    """Halls that may be converted, racks to buy, a tenant; more or less energy, and cash."""
    r = random.Random(f"yearly {seed} {limit}")
    power: dict[str, Any] = {**TYPED["power"]["mill"]}
    if limit == "energy":
        power["energy_cap_mwh_per_year"] = float(r.choice((30_000, 60_000, 120_000)))
        if r.random() < 0.4:
            power["generation"] = [{"mw": 4.0, "fuel_usd_per_mwh": 50.0}]
    elif limit == "carbon":
        cap = float(r.choice((8_000, 20_000, 45_000)))
        power["carbon"] = {"usd_per_tonne": r.choice((0.0, 15.0)), "cap_tonnes_per_year": cap}
    else:
        power["generation"] = [
            {"mw": 6.0, "fuel_usd_per_mwh": 30.0, "hours_per_year_max": r.choice((100.0, 900.0))},
            {"mw": 3.0, "fuel_usd_per_mwh": 45.0},
        ]
    if r.random() < 0.3:
        power["demand_charge_usd_per_kw_month"] = 3.0
    if r.random() < 0.3 and limit != "hours":
        power["ppa"] = [{"mw": 5.0, "price_usd_per_mwh": 25.0, "unused": "lost"}]
    periods, months = r.choice(((4, 3), (6, 3), (3, 6), (5, 2), (2, 12)))
    finance = {**TYPED["finance"], "opening_cash_musd": r.choice((1.0, 6.0, 80.0))}
    contracts = {
        "tenant": {**TYPED["contracts"]["tenant"], "start": "2028-01", "sign_by": "2027-07"}
    }
    return Instance.model_validate({
        **TYPED, "power": {"mill": power}, "finance": finance, "contracts": contracts,
        "horizon": {"start": "2027-01", "periods": periods, "months_per_period": months},
    })  # fmt: skip


def both(seed: int, limit: str) -> tuple[Case, Solved, Solved]:
    """A case as it is solved, and with every hour on its own."""
    instance, hours = drawn(seed, limit), {"mill": drawn_hours(seed)}
    case, truth = prepare(instance, hours), prepare(instance, hours, hourly=True)
    assert case.limit_prices
    assert not truth.limit_prices
    return case, solve(case, EXACT), solve(truth, EXACT)


def agree(seed: int, limit: str) -> float:
    """Largest relative distance of value and bound from the truth; how near they had to be."""
    _, found, truth = both(seed, limit)
    if truth.plan is None:
        assert (found.status, truth.status) == ("infeasible", "infeasible")
        return 0.0
    assert truth.value_musd is not None
    assert truth.bound_musd is not None
    assert found.value_musd is not None, (seed, limit, found.status)
    assert found.bound_musd is not None
    assert found.audit is not None
    assert found.audit.passed, (seed, limit, [str(breach) for breach in found.audit.breaches])
    assert found.audit.hours_difference <= 1e-9
    size = max(1.0, abs(truth.value_musd))
    assert found.value_musd <= truth.bound_musd + 1e-7 * size, (seed, limit)
    assert found.bound_musd >= truth.value_musd - 1e-7 * size, (seed, limit)
    return max(abs(x - truth.value_musd) for x in (found.value_musd, found.bound_musd)) / size


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("seed", range(4))
def test_a_plan_under_a_limit_is_the_one_of_every_hour(seed: int, limit: str) -> None:
    assert agree(seed, limit) <= 1e-6


@pytest.mark.soak
def test_many_plans_under_limits_are_those_of_every_hour() -> None:
    distances = np.array([agree(seed, limit) for seed in range(100, 160) for limit in LIMITS])
    print(  # noqa: T201
        f"{len(distances)} plans under limits of a year: largest relative distance of value or "
        f"bound from the truth {distances.max():.1e}, {(distances > 1e-7).sum()} above 1e-7"
    )
    assert distances.max() <= 1e-6


def test_dispatch_takes_what_is_allotted_and_no_more() -> None:
    instance, hours = drawn(0, "energy"), {"mill": drawn_hours(0)}
    case = prepare(instance, hours)
    priced = priced_hours(case.given, 1, "mill", case.hours["mill"])
    room = Room({("air", "old-lot"): 12.0, ("hydro", "new-lot"): 5.0}, 14.0, 6.0)
    free = used(case.given, priced, room, operate_within(case.given, 1, "mill", priced, room, 1e9))
    prices = []
    for share in (1.5, 0.9, 0.5, 0.1, 0.0):
        done = operate_within(case.given, 1, "mill", priced, room, share * free)
        taken = used(case.given, priced, room, done)
        assert taken == pytest.approx(min(1.0, share) * free, rel=1e-12, abs=1e-12)
        prices.append(done.price)
    assert prices[0] == 0.0
    assert prices == sorted(prices)
    assert prices[1] > 0


def test_more_energy_a_year_never_hurts() -> None:
    values = []
    for cap in (8_000.0, 20_000.0, 50_000.0, 110_000.0, 1e7):
        typed = {**TYPED, "power": {"mill": {**TYPED["power"]["mill"],
                                             "energy_cap_mwh_per_year": cap}}}  # fmt: skip
        case = prepare(Instance.model_validate(typed), {"mill": drawn_hours(3)})
        values.append(solve(case, EXACT).value_musd)
    free = solve(prepare(Instance.model_validate(TYPED), {"mill": drawn_hours(3)}), EXACT)
    told = [value for value in values if value is not None]
    assert len(told) == len(values)
    assert told == sorted(told)
    assert told[0] < told[-1] - 0.1
    assert told[-1] == pytest.approx(free.value_musd, rel=1e-9)


def test_what_bands_alone_can_pay_is_found_where_the_bound_decides_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the bound decides cannot be carried out, once: a search in bands finds a plan."""
    case = prepare(drawn(1, "energy"), {"mill": drawn_hours(1)})
    best = solve(case, EXACT)
    honest, calls, searched = limited._carried_out, [], limited._Rounds._in_bands_alone

    def fails_once(*arguments: Any) -> Any:
        calls.append("carried out")
        return None if len(calls) == 1 else honest(*arguments)

    def told(*arguments: Any) -> Any:
        calls.append("in bands")
        return searched(*arguments)

    monkeypatch.setattr("optimizer.solve.do_nothing", lambda *_, **__: None)
    monkeypatch.setattr(limited, "_carried_out", fails_once)
    monkeypatch.setattr(limited._Rounds, "_in_bands_alone", told)
    solved = solve(case, EXACT)
    assert calls[1] == "in bands"
    assert solved.audit is not None
    assert solved.audit.passed
    assert solved.value_musd == pytest.approx(best.value_musd, rel=1e-6)


def test_the_best_way_to_share_a_limit_is_found_with_whole_numbers_held() -> None:
    """Cash is short: bands that agree with their hours may still share a limit badly."""
    for seed, limit in ((102, "energy"), (106, "hours"), (154, "energy")):
        assert agree(seed, limit) <= 1e-7, (seed, limit)


def test_racks_that_do_not_split_are_filled_hall_by_hall_under_a_limit() -> None:
    free = solve(crowded())
    instance = crowded().instance
    (name, power), *_ = instance.power.items()
    capped = {name: power.model_copy(update={"energy_cap_mwh_per_year": 1e7})}
    case = prepare(
        instance.model_copy(update={"power": capped}), {name: next(iter(crowded().hours.values()))}
    )
    assert case.limit_prices
    solved = solve(case)
    assert solved.audit is not None
    assert solved.audit.passed
    assert solved.value_musd == pytest.approx(free.value_musd, rel=1e-4)


def test_no_time_is_no_reason_to_fail_an_audit() -> None:
    case = prepare(drawn(2, "energy"), {"mill": drawn_hours(2, 1200)})
    for seconds in (0.3, 0.6, 1.0, 2.0):
        solved = solve(case, Options(gap=0.0, time_limit=seconds))
        assert solved.status in ("solved", "best-found", "no-plan"), seconds
        if solved.plan is not None:
            assert solved.audit is not None
            assert solved.audit.passed


def test_a_stop_ends_with_a_plan_that_passed() -> None:
    case, stop = prepare(drawn(2, "energy"), {"mill": drawn_hours(2)}), threading.Event()
    rounds = []

    def told(progress: Progress) -> None:
        rounds.append(progress)
        stop.set()

    solved = solve(case, EXACT, progress=told, stop=stop)
    assert rounds
    assert solved.audit is not None
    assert solved.audit.passed
    best = solve(case, EXACT)
    assert best.value_musd is not None
    assert all(
        one.incumbent is None or one.incumbent <= best.value_musd * (1 + 1e-9) for one in rounds
    )
    bounds = [one.bound for one in rounds if one.bound is not None]
    assert bounds == sorted(bounds, reverse=True)


def test_the_better_of_two_plans_is_kept_and_one_that_passed_before_all() -> None:
    case = prepare(drawn(1, "energy"), {"mill": drawn_hours(1)})
    solved = solve(case, EXACT)
    assert solved.plan is not None
    assert solved.audit is not None
    carried = limited.Carried(case, solved.plan, 0.0)
    good = carried, solved.audit
    worse = carried, replace(solved.audit, value_musd=solved.audit.value_musd - 1.0)
    failed = carried, replace(solved.audit, value_musd=1e9, breaches=(BREACH,))
    for one, other in ((good, worse), (worse, good), (good, failed), (failed, good)):
        assert limited._better(one, other) is good


def test_repairs_are_counted_in_bands_cut_at_prices_of_the_limit() -> None:
    """A tenant signed for more than a cap: what it would have to give is what is missing."""
    typed = {**TYPED, "power": {"mill": {**TYPED["power"]["mill"],
                                         "energy_cap_mwh_per_year": 20_000.0}},
             "commitments": {"contracts": [{"contract": "tenant", "mw": 4.0}]},
             "contracts": {"tenant": {**TYPED["contracts"]["tenant"], "start": "2027-04",
                                      "sign_by": "2027-01"}}}  # fmt: skip
    case = prepare(Instance.model_validate(typed), {"mill": drawn_hours(3)})
    assert solve(case).status == "infeasible"
    ways = single_ways(case, clashing(case))
    [clash] = [one for way in ways for one in way if one.limit == "yearly.year_limit"]
    # Three quarters of 4 MW at a PUE of 1.2; mining may rest.
    missing = 4.0 * 1.2 * 8760 * 0.75 - 20_000.0
    assert (clash.unit, clash.amount) == ("MWh", pytest.approx(missing, rel=1e-6))
    assert clash.key == "power.mill.energy_cap_mwh_per_year"


# --- profiles in steps ---------------------------------------------------------------------


@pytest.mark.parametrize("cap", [None, 25_000.0, 60_000.0])
@pytest.mark.parametrize("seed", range(3))
def test_steps_of_a_profile_change_no_more_than_is_told(
    monkeypatch: pytest.MonkeyPatch, seed: int, cap: float | None
) -> None:
    rng = np.random.default_rng([seed, 7])
    sun = np.where(rng.random(240) < 0.5, 0.0, rng.random(240))
    solar = {"mw": 9.0, "fuel_usd_per_mwh": 0.0, "profile": "solar_share"}
    power = {**TYPED["power"]["mill"], "generation": [solar]}
    if cap is not None:
        power["energy_cap_mwh_per_year"] = cap
    still = {"contracts": {}, "policy": {"keep_sites": ["mill"]}}
    instance = Instance.model_validate({**TYPED, **still, "power": {"mill": power}})
    hours = {"mill": replace(drawn_hours(seed), shares={"solar_share": sun})}
    case = prepare(instance, hours)
    stepped = solve(case, EXACT)
    told = hidden_by_steps(case.given, "mill", case.hours["mill"])
    monkeypatch.setattr(bands, "in_steps", lambda shares, _: shares)
    exact = solve(prepare(instance, hours), EXACT)
    assert stepped.value_musd is not None
    assert exact.value_musd is not None
    assert 0 < abs(exact.value_musd - stepped.value_musd) <= told


def test_a_step_holds_what_its_hours_give() -> None:
    shares, weight = np.array([0.0, 0.01, 0.04, 0.05, 0.051, 1.0]), np.array([1.0, 2, 1, 1, 4, 1])
    stepped = in_steps(shares, weight)
    assert stepped.tolist() == pytest.approx([0, 0.0275, 0.0275, 0.0275, 0.051, 1])
    assert float(stepped @ weight) == pytest.approx(float(shares @ weight))
