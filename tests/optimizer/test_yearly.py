"""Limits on the energy of a year: whole plans against the same case with every hour on its own.

Where each hour is a band, nothing is merged, no price of a limit is needed, and the solver finds
the truth alone.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.hours import Hours
from models.instance import Instance
from optimizer import limited
from optimizer.bands import Room, priced_hours
from optimizer.case import Case, prepare
from optimizer.highs import Options
from optimizer.solve import Solved, solve
from optimizer.yearly import operate_within, used
from tests.optimizer.test_bands import TYPED, made_up_year

EXACT = Options(gap=0.0, absolute_gap=1e-9)
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
