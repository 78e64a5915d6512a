"""Plants that mining shares, against enumeration; and the site of ten blocks.

Mining that stands is run where it pays, as far as the units let it; what it is short of on
average is summed over every number of units up. Signed or not, so many units or so many: all of
it is tried.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import pytest

from models.availability import minutes_per_year, series
from models.derive.reach import Bank, Reach, promise_of, units_needed
from models.hours import Hours, flat
from models.instance import Emergency, Instance
from optimizer.case import prepare
from optimizer.highs import Options
from optimizer.reached import Reached
from optimizer.solve import Solved, solve
from tests.models.tiny import LEASE, Typed, tiny

#: Numbers of units up that are less likely than 1e-8 are left out of the rows.
EXACT = Options(gap=1e-7, absolute_gap=1e-7)
HOURS = 8760.0
PEAK = {"mine": 1.1, "ai": 1.3}
#: Revenue of a MWh of the two machines; energy at 47 $/MWh and dearer, times 1.05.
EARNS = {"rig": 100.0, "old": 80.0}


def draw(seed: int) -> Instance:
    r = random.Random(seed)
    block = {
        "unit_mw": r.choice((2.0, 3.0, 5.0)),
        "failures_per_year": r.choice((0.1, 0.5, 2.0)),
        "hours_to_repair": r.choice((4.0, 24.0)),
        "common_cause_share": r.choice((0.0, 0.02, 0.1)),
        "maintenance_hours_per_year": r.choice((0.0, 8.0)),
        "capex_usd_per_kw": float(r.randint(10, 200)),
        "life_months": 120,
    }
    offers = {}
    for i in range(r.choice((1, 2))):
        mw = r.choice((1.0, 2.0, 2.5))
        offers[f"c{i}"] = {
            **LEASE, "min_mw": mw, "max_mw": mw, "sign_by": "2029-01", "start": "2029-01",
            "months": 12, "rate_usd_per_kw_month": float(r.randint(30, 150)),
            "staff_usd_per_kw_month": 0.0, "power_passed_through": True,
            "availability": r.choice((0.99, 0.999, 0.9999)),
        }  # fmt: skip
    old = {"th_per_s": 100.0, "watt": 2500.0, "price_usd_per_th": 1.0, "cooling": "air",
           "life_months": 60}  # fmt: skip
    return tiny(
        horizon__periods=1,
        finance__opening_cash_musd=1000.0,
        machines={"old": old, "m": {"availability_share": 1.0, "life_months": 60,
                                    "resale_usd_per_th": 0.0}},
        racks={"rig": {"buyable": False},
               "old": {"workload": "mining", "machine": "old", "machines_per_rack": 400,
                       "buyable": False}},
        fleet=[{"hall": "m", "rack": "rig", "racks": r.randint(1, 4)},
               {"hall": "m", "rack": "old", "racks": r.randint(1, 4)}],
        uptime={
            "packages": {"n1": {"availability": 0.99999}},
            "components": {"block": block},
            "subsystems": {"blocks": {"level": "site", "components": ["block"],
                                      "spares_max": r.randint(0, 1), "pooled": True}},
        },
        sites__a={"firm_mw": 12.0,
                  "plant": {"blocks": {"component": "block", "units": r.randint(1, 3)}}},
        halls={"h": {"count": 2, "fitout": "ai", "package": "n1"},
               "m": {"site": "a", "count": 2, "it_mw": 4.0, "fitout": "mine",
                     "convertible": False}},
        contracts=offers,
    )  # fmt: skip


def prices(seed: int) -> Hours:
    """One price all year; or some hours in which the older machines, or both, do not pay."""
    import numpy as np

    if seed % 2:
        return flat(40.0)
    months = np.repeat(np.arange(1, 13), 3)
    each = np.tile([500.0, 180.0, 50.0], 12)
    price = np.tile([40.0, 75.0, 120.0], 12)
    return Hours(months, each * HOURS / each.sum(), price, np.zeros(36, bool), "drawn")


def best_value(instance: Instance, hours: Hours) -> float:
    """Best value, but for what no decision changes, by trying everything."""
    kind = instance.uptime.components["block"]
    part = instance.uptime.subsystems["blocks"]
    reach = Reach(instance, exactly=True)
    size, today = kind.unit_mw, instance.sites["a"].plant["blocks"].units
    assert size is not None
    racks = {row.rack: float(row.racks) for row in instance.fleet}
    most = units_needed(min(8 * 1.1 + 4 * 1.3, 16.0), size) + part.spares_max
    best = -1e9
    offers = list(instance.contracts.values())
    for units in range(today, max(most, today) + 1):
        up = [float(p) for p in reach.up_probabilities("blocks", "block", units)]
        lost = kind.capex_usd_per_kw * 12 / kind.life_months
        spent = (units - today) * size * 1000 * lost / 1e6
        for signed in itertools.product((0, 1), repeat=len(offers)):
            taken = [o for o, on in zip(offers, signed, strict=True) if on]
            ai = sum(o.max_mw for o in taken)
            if ai > 4.0 or not kept(instance, reach, units, size, taken):
                continue
            rent = sum(o.max_mw * float(o.rate_usd_per_kw_month or 0) * 12e3 / 1e6 for o in taken)
            mined = mining(racks, hours, units, size, up, PEAK["ai"] * ai)
            best = max(best, rent + mined - spent)
    return best


def kept(instance: Instance, reach: Reach, units: int, size: float, taken: list[Any]) -> bool:
    """Whether every promise is kept, those that promise more first."""
    if PEAK["ai"] * sum(o.max_mw for o in taken) > units * size + 1e-9:
        return False
    for offer in taken:
        load = PEAK["ai"] * sum(o.max_mw for o in taken if o.availability >= offer.availability)
        bank = Bank("blocks", (("block", units),), units_needed(load, size))
        down = series([1 - Fraction("0.99999"), reach.bank(bank)])
        if 1 - Fraction(down) < promise_of(offer).exactly:
            return False
    return True


def mining(
    racks: dict[str, float], hours: Hours, units: int, size: float, up: list[float], ai: float
) -> float:
    """Margin of mining on what AI leaves, less what it is short of; the dearer drop last."""
    supply = min(16.0, units * size) - ai
    value = 0.0
    for weight, price in zip(hours.weight_h, hours.price_usd_per_mwh, strict=True):
        left, load, steps = supply, ai, []
        for name in ("rig", "old"):
            worth = (EARNS[name] - 1.05 * (price + 7.0)) / PEAK["mine"]
            if worth <= 0:
                continue
            run = min(racks.get(name, 0.0) * PEAK["mine"], left)
            left, load = left - run, load + run
            value += weight * worth * run
            steps.append((worth, load))
        for i, (worth, at) in enumerate(steps):
            following = steps[i + 1][0] if i + 1 < len(steps) else 0.0
            short = sum(p * max(0.0, at - n * size) for n, p in enumerate(up))
            value -= weight * (worth - following) * short
    return value / 1e6


def solved_value(instance: Instance, hours: Hours) -> tuple[Solved, float]:
    case = prepare(instance, {"a": hours})
    solved = solve(case, EXACT)
    assert solved.status == "solved", (solved.status, solved.audit)
    assert solved.value_musd is not None
    fixed = sum(case.given.place_opex[0, p] * solved.plan.halls[0, p]  # type: ignore[union-attr]
                for n, p in case.given.place_opex if n == 0)  # fmt: skip
    return solved, solved.value_musd + fixed


@pytest.mark.parametrize("batch", range(4))
def test_the_best_shared_plant_equals_enumeration(batch: int) -> None:
    signed = 0
    for seed in range(50 * batch, 50 * batch + 50):
        instance, hours = draw(seed), prices(seed)
        solved, value = solved_value(instance, hours)
        assert value == pytest.approx(best_value(instance, hours), abs=1e-6, rel=1e-6), seed
        signed += any(solved.plan.signing.values())  # type: ignore[union-attr]
    assert signed >= 10


# --- ten blocks of 12.5 MW -----------------------------------------------------------------


def ten_blocks(ai_mw: float, common_cause_share: float) -> Instance:
    """A site of 125 MW of which so much serves AI and the rest mines."""
    block: Typed = {
        "unit_mw": 12.5, "availability": 0.9995, "hours_to_repair": 8.0,
        "common_cause_share": common_cause_share, "life_months": 240,
    }  # fmt: skip
    return tiny(
        horizon__periods=1,
        fleet=[{"hall": "m", "rack": "rig", "racks": 125}],
        finance__opening_cash_musd=1000.0,
        racks__rig={"buyable": False},
        machines__m={"availability_share": 1.0},
        fitouts={"mine": {"pue": 1.0, "pue_peak": 1.0},
                 "ai": {"pue": 1.0, "pue_peak": 1.0, "it_share_of_present": 1.0}},
        uptime={
            "packages": {"n1": {"availability": 0.99999999}},
            "components": {"block": block},
            "subsystems": {"blocks": {"level": "site", "components": ["block"], "spares_max": 0,
                                      "pooled": True}},
        },
        sites__a={"firm_mw": 125.0, "interruptible_mw": 0.0,
                  "plant": {"blocks": {"component": "block", "units": 10}}},
        halls={"h": {"site": "a", "count": 10, "it_mw": 12.5, "fitout": "ai", "package": "n1",
                     "rack_positions": None},
               "m": {"site": "a", "count": 10, "it_mw": 12.5, "fitout": "mine"}},
        contracts__lease={**LEASE, "min_mw": ai_mw, "max_mw": ai_mw, "sign_by": "2029-01",
                          "start": "2029-01", "months": 12, "availability": 0.99},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ai_mw", "common_cause_share", "minutes"),
    [
        (125.0, 0.0, 2622), (112.5, 0.0, 5.9), (100.0, 0.0, 0.008), (87.5, 0.0, 7e-6),
        (125.0, 0.02, 2575), (112.5, 0.02, 10.9), (125.0, 0.05, 2504), (112.5, 0.05, 18.5),
    ],
)  # fmt: skip
def test_a_block_of_mining_keeps_nine_blocks_of_ai_up(
    ai_mw: float, common_cause_share: float, minutes: float
) -> None:
    case = prepare(ten_blocks(ai_mw, common_cause_share), {"a": flat(40.0)})
    solved = solve(case, EXACT)
    assert solved.plan is not None
    reached = Reached(case, solved.plan)
    down = reached.plant(0, "h:ai+n1", promise_of(case.instance.contracts["lease"]))
    assert minutes_per_year(float(down["blocks"])) == pytest.approx(minutes, rel=0.02)
    # Mining takes every shortfall: half a thousandth of all 125 MW, less what struck AI.
    mined = sum(solved.plan.mining.values())
    assert mined == pytest.approx(125.0 - ai_mw)


def test_the_planner_sees_what_mining_loses_to_shared_units() -> None:
    """Ten blocks of 12.5 MW, each down one hour in two thousand, under 125 MW: 62.5 kW short."""
    from optimizer.plan import tables
    from optimizer.screen.running import running
    from tests.optimizer.test_screen import shown

    case = prepare(ten_blocks(112.5, 0.0), {"a": flat(40.0)})
    solved = solve(case, EXACT)
    table = tables(case, solved)
    # Less what is so unlikely that the rows leave it out.
    assert table.energy["curtailed_mwh"].sum() == pytest.approx(0.0625 * HOURS, rel=1e-4)
    mined = table.energy["mining_mwh"].sum() + table.energy["curtailed_mwh"].sum()
    assert mined == pytest.approx(12.5 * HOURS)
    assert "mining drops first on units that it shares with AI: 547 MWh" in shown(
        *running(table, 100)
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_shared_plant_is_solved_beside_a_demand_charge(seed: int) -> None:
    """Bands of a month are short, and what mining is short of in them is little."""
    import numpy as np

    rng = np.random.default_rng(seed)
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    month = np.repeat(np.arange(1, 13), days * 24)
    hours = Hours(month, np.ones(8760), rng.gamma(2.0, 25.0, 8760), np.zeros(8760, bool), "drawn")
    instance = draw(seed)
    power = {"a": instance.power["a"].model_copy(
        update={"demand_charge_usd_per_kw_month": 8.0})}  # fmt: skip
    solved = solve(prepare(instance.model_copy(update={"power": power}), {"a": hours}), EXACT)
    assert solved.audit is not None
    assert solved.audit.passed


@pytest.mark.parametrize("seed", range(4))
def test_mining_that_is_ordered_off_is_short_of_nothing(seed: int) -> None:
    import numpy as np

    rng = np.random.default_rng(seed)
    month = 1 + np.arange(8760) * 12 // 8760
    hours = Hours(month, np.ones(8760), rng.gamma(2.0, 25.0, 8760), np.zeros(8760, bool), "drawn")
    instance = draw(seed)
    duty = Emergency(hours_per_year=800.0, events_per_year=10, restart_hours=2)
    power = {"a": instance.power["a"].model_copy(update={"emergency": duty})}
    case = prepare(instance.model_copy(update={"power": power}), {"a": hours})
    paying = [
        case.given.price[key] < 60e-6 for key, stopped in case.given.stopped.items() if stopped
    ]
    solved = solve(case, EXACT)
    assert any(paying)
    assert solved.audit is not None
    assert solved.audit.breaches == ()
    assert solved.audit.hours_difference <= 1e-9
