"""Hours merged into bands lose nothing: the best choice is the same in each hour of a band."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from models.derive import Derivation, tree_of
from models.given import Given
from models.hours import Hours
from models.instance import Instance
from optimizer.bands import Priced, Room, cut_prices, dispatch, merge, priced_hours
from optimizer.case import prepare
from optimizer.highs import Options
from optimizer.load import load
from optimizer.settle import band_prices
from optimizer.solve import solve

PROJECT = Path(__file__).parents[2]
ERCOT = PROJECT.parent / "shared" / "data" / "ercot"
YEARS = (2021, 2022, 2023, 2024)

#: Three classes that swap ranks: the old machine is thrifty with the connection (a peak factor
#: of one), the new one with energy; and both may stand in halls that are cooled otherwise.
TYPED: dict[str, Any] = {
    "instance": {"name": "ranks"},
    "horizon": {"start": "2027-01", "periods": 4, "months_per_period": 3},
    "finance": {"discount_per_year": 0.1, "opening_cash_musd": 80.0, "ai_entry_cost_musd": 0.5},
    "bitcoin": {"hashprice_usd_per_ph_day": {"start": 50.0, "growth_per_month": -0.01}},
    "machines": {
        "old": {
            "th_per_s": 100.0,
            "j_per_th": 25.0,
            "price_usd_per_th": 9.0,
            "cooling": "air",
            "life_months": 60,
        },
        "new": {
            "th_per_s": 200.0,
            "j_per_th": 22.0,
            "price_usd_per_th": 4.0,
            "cooling": "hydro",
            "life_months": 60,
        },
    },
    "racks": {
        "old-lot": {"workload": "mining", "machine": "old", "machines_per_rack": 2000},
        "new-lot": {"workload": "mining", "machine": "new", "machines_per_rack": 1100},
    },
    "fitouts": {
        "air": {
            "workload": "mining",
            "cooling": "air",
            "it_share_of_present": 1.0,
            "capex_usd_per_kw": 200.0,
            "works_months": 3,
            "pue": 1.02,
            "pue_peak": 1.02,
            "life_months": 120,
        },
        "hydro": {
            "workload": "mining",
            "cooling": "hydro",
            "it_share_of_present": 1.0,
            "capex_usd_per_kw": 60.0,
            "works_months": 3,
            "pue": 1.04,
            "pue_peak": 1.6,
            "life_months": 120,
        },
        "ai": {
            "workload": "ai",
            "cooling": "liquid",
            "it_share_of_present": 0.5,
            "capex_usd_per_kw": 1500.0,
            "works_months": 3,
            "pue": 1.2,
            "pue_peak": 1.3,
            "life_months": 180,
        },
    },
    "uptime": {"packages": {"n-plus-1": {"availability": 0.9999}}},
    "sites": {"mill": {"firm_mw": 14.0, "interruptible_mw": 12.0}},
    "power": {"mill": {"flat_usd_per_mwh": 0.0, "adder_usd_per_mwh": 4.0}},
    "halls": {"shed": {"site": "mill", "count": 3, "it_mw": 10.0, "fitout": "air"}},
    "fleet": [{"hall": "shed", "rack": "old-lot", "racks": 5, "age_months": 12}],
    "contracts": {
        "tenant": {
            "racks_by": "tenant",
            "min_mw": 2.0,
            "max_mw": 5.0,
            "sign_by": "2027-01",
            "start": "2027-04",
            "months": 60,
            "rate_usd_per_kw_month": 150.0,
            "availability": 0.999,
        }
    },
}
INSTANCE = Instance.model_validate(TYPED)


def made_up_year(seed: int, hours: int = 8760, *, cut_share: float = 0.02) -> Hours:
    """Hours with a cheap middle, a dear tail, some below zero, and some that are cut."""
    rng = np.random.default_rng(seed)
    price = rng.gamma(2.0, 18.0, hours) - 8.0
    price[rng.random(hours) < 0.02] *= 15.0
    price[rng.random(hours) < 0.01] = 0.0
    cut = (price > 60.0) & (rng.random(hours) < cut_share / 0.12)
    month = 1 + np.arange(hours) * 12 // hours
    return Hours(month, np.full(hours, 8760.0 / hours), price, cut, source=f"made up, {seed}")


def unbanded() -> Given:
    return Derivation(INSTANCE, tree_of(INSTANCE)).given()


def worth(given: Given, n: int, s: str, priced: Priced) -> NDArray[np.float64]:
    """M$ per IT MW and hour that each class earns, shape (rows, classes)."""
    energy = priced.price + given.adder[s] + given.mining_adder[s]
    return np.array(
        [
            given.mining_revenue[n, k] - given.pue[f] * energy
            for f, k in given.mining_classes[s]
        ]
    ).T  # fmt: skip


def profit(
    given: Given, n: int, s: str, priced: Priced, installed: dict[Any, float], supply: list[float]
) -> float:
    """M$ that mining earns through a node."""
    running = dispatch(given, n, s, priced, Room(installed, *supply))
    return float((priced.hours[:, None] * running * worth(given, n, s, priced)).sum())


def some_machines(
    given: Given, s: str, rng: np.random.Generator
) -> tuple[dict[Any, float], list[float]]:
    """Random MW of each class, some of none, and a connection that may be too small for them."""
    installed = {
        key: float(rng.uniform(0, 30) * (rng.random() < 0.8)) for key in given.mining_classes[s]
    }
    most = 1.2 * sum(given.pue_peak[f] * mw for (f, _), mw in installed.items())
    supply = sorted(rng.uniform(0, most, 2).tolist(), reverse=True)
    return installed, supply


@pytest.mark.parametrize("seed", range(40))
def test_bands_earn_what_hours_earn_whatever_stands(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hours = made_up_year(seed, 2000)
    given = merge(unbanded(), {"mill": hours})
    for n in given.nodes:
        installed, supply = some_machines(given, "mill", rng)
        priced = priced_hours(given, n, "mill", hours)
        by_band = profit(given, n, "mill", band_prices(given, n, "mill"), installed, supply)
        by_hour = profit(given, n, "mill", priced, installed, supply)
        assert by_band == pytest.approx(by_hour, rel=1e-12, abs=1e-15)


def test_dispatch_is_the_best_of_each_hour() -> None:
    hours = made_up_year(7, 48, cut_share=0.5)
    given = unbanded()
    installed = {key: 4.0 + 3.0 * i for i, key in enumerate(given.mining_classes["mill"])}
    priced = priced_hours(given, 1, "mill", hours)
    running = dispatch(given, 1, "mill", priced, Room(installed, 13.0, 5.0))
    peaks = [given.pue_peak[f] for f, _ in installed]
    for row, each in enumerate(worth(given, 1, "mill", priced)):
        supply = 5.0 if priced.cut[row] else 13.0
        bounds = [(0, mw) for mw in installed.values()]
        found = linprog(-each, A_ub=[peaks], b_ub=[supply], bounds=bounds)
        assert float(each @ running[row]) == pytest.approx(-found.fun, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("worth_of_old", [1.0, 0.5], ids=["dear", "below-zero"])
def test_ranks_swap_where_the_connection_is_scarce(worth_of_old: float) -> None:
    given = unbanded()
    revenue = {
        (n, k): x * (worth_of_old if k == "old-lot" else 1.0)
        for (n, k), x in given.mining_revenue.items()
    }
    given = replace(given, mining_revenue=revenue)
    (first, second) = (c for c in given.mining_classes["mill"])
    cuts = cut_prices(given, 0, "mill")
    assert len(cuts) == 3, "two prices of breaking even and one of swapping ranks"
    assert (cuts[0] + given.adder["mill"] > 0) == (worth_of_old == 1.0)
    at_peak = np.array([given.pue_peak[f] for f, _ in (first, second)])
    for cut, leads in ((cuts[0] - 1e-9, first), (cuts[0] + 1e-9, second)):
        priced = Priced(np.ones(1), np.array([cut]), np.zeros(1, bool))
        per_connection = worth(given, 0, "mill", priced)[0] / at_peak
        assert (first, second)[int(per_connection.argmax())] == leads


def test_cut_hours_stand_apart_and_hours_add_up() -> None:
    hours = made_up_year(3)
    given = merge(unbanded(), {"mill": hours})
    for n in given.nodes:
        priced = priced_hours(given, n, "mill", hours)
        bands = band_prices(given, n, "mill")
        assert bands.cut.any()
        for cut in (True, False):
            chosen, banded = priced.cut == cut, bands.cut == cut
            assert bands.hours[banded].sum() == pytest.approx(priced.hours[chosen].sum())
            spent = (priced.hours * priced.price)[chosen].sum()
            assert (bands.hours * bands.price)[banded].sum() == pytest.approx(spent)


def test_below_zero_even_machines_without_revenue_run() -> None:
    typed = {**TYPED, "bitcoin": {"hashprice_usd_per_ph_day": 0.0}}
    instance = Instance.model_validate(typed)
    hours = made_up_year(5)
    given = merge(Derivation(instance, tree_of(instance)).given(), {"mill": hours})
    paid = [
        given.price[n, "mill", b] + given.adder["mill"] < 0
        for n in given.nodes
        for b in given.bands[n, "mill"]
    ]
    runs = [bool(given.runs[n, "mill", b]) for n in given.nodes for b in given.bands[n, "mill"]]
    assert runs == paid
    assert any(paid)
    assert not all(paid)


@pytest.mark.parametrize("seed", [11, 12])
def test_best_plan_is_the_same_hour_by_hour(seed: int) -> None:
    hours = {"mill": made_up_year(seed, 1200)}
    exact = Options(gap=0.0, absolute_gap=1e-9)
    found = [solve(prepare(INSTANCE, hours, hourly=hourly), exact) for hourly in (False, True)]
    banded, hourly = (solved.value_musd for solved in found)
    assert [solved.status for solved in found] == ["solved", "solved"]
    assert banded == pytest.approx(hourly, rel=1e-9)
    assert found[1].columns > 10 * found[0].columns


@pytest.mark.shared
@pytest.mark.parametrize("year", YEARS)
def test_texas_in_bands_earns_what_it_earns_in_the_hours_of_a_real_year(year: int) -> None:
    file = ERCOT / f"ERCOT_HB_HUBAVG_DAM_{year}.csv"
    if not file.exists():
        pytest.skip(f"{file.name} is not at hand: real prices are kept outside the project")
    folder = PROJECT / "instances" / "texas"
    sites = load(folder).instance.sites
    loaded = load(folder, prices=dict.fromkeys(sites, file))
    case = prepare(loaded.instance, loaded.hours)
    given, rng = case.given, np.random.default_rng(year)
    by_band = by_hour = 0.0
    columns = {"band": 0, "hour": 0}
    for n in given.nodes:
        for s in given.sites:
            priced = priced_hours(given, n, s, case.hours[s])
            bands = band_prices(given, n, s)
            installed, supply = some_machines(given, s, rng)
            by_band += profit(given, n, s, bands, installed, supply)
            by_hour += profit(given, n, s, priced, installed, supply)
            columns["band"] += int((worth(given, n, s, bands) > 0).sum())
            columns["hour"] += int((worth(given, n, s, priced) > 0).sum())
    assert abs(by_band / by_hour - 1) <= 1e-9
    assert columns["hour"] >= 50 * columns["band"]
    assert columns["band"] == sum(len(runs) for runs in given.runs.values())


def test_hourly_keeps_every_hour() -> None:
    hours = made_up_year(1, 365)
    given = merge(unbanded(), {"mill": hours}, hourly=True)
    assert sum(len(bands) for bands in given.bands.values()) == 365
    empty = replace(hours, weight_h=hours.weight_h * (hours.month > 3))
    assert merge(unbanded(), {"mill": empty}).bands[0, "mill"] == ()
