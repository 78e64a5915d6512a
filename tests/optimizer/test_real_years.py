"""What stopping is worth on real prices: the tables of the Texas instance, and a back-test.

Prices of ../shared are read by ``rackwatt prices``' own readers and dispatched as the engine does.
Run as a module, ``python -m tests.optimizer.test_real_years`` prints the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.hours import Hours
from models.mining import revenue_usd_per_mwh
from optimizer.case import prepare
from optimizer.errors import Report
from optimizer.highs import Options
from optimizer.load.prices import read_prices
from optimizer.plan import tables
from optimizer.prices.figures import summary
from optimizer.prices.quotes import read_quotes
from optimizer.prices.series import make_series
from optimizer.prices.tables import open_files
from optimizer.prices.wish import Wish
from optimizer.prices.written import text_of
from optimizer.solve import solve
from tests.models.tiny import tiny
from tests.shipped import INSTANCES

SHARED = Path(__file__).parents[3] / "shared" / "data"
README = INSTANCES / "texas" / "README.md"
#: As in the first table of the page.
HASHPRICE, PUE, ADDER = 35.0, 1.05, 8.0
MACHINES = {"S19j Pro": 30.5, "S19 XP": 21.5, "S21": 17.5}
YEARS = (2021, 2022, 2023, 2024)
WORST = 100
#: The back-test: what was bought ahead, and IT MW that draw 700 MW together, quarter by quarter at
#: the hashprice of 2024.
BOUGHT_MW, BOUGHT_AT = 345.0, 30.0
FLEET = {"S19j Pro": 200, "S19 XP": 200, "S21": 267}
HASHPRICES_2024 = (91.8, 69.2, 45.4, 53.8)
Floats = NDArray[np.float64]


def hours_of(path: Path, **wish: Any) -> Hours:
    """Read a market's file into the engine's hours, through the file that the engine reads."""
    asked = Wish(**wish)
    opened = open_files((path,))
    reading = read_quotes(opened.tables, asked)
    series = make_series(reading, asked, path.name)
    report = Report()
    text = text_of(series, reading, asked, opened.hashes, "hours.csv")
    hours = read_prices(text, "hours.csv", report)
    assert hours is not None
    return hours


def day_ahead(year: int) -> Hours:
    path = SHARED / "ercot" / f"ERCOT_HB_HUBAVG_DAM_{year}.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not at hand: real prices are kept outside the project")
    return hours_of(path)


def break_even(j_per_th: float, hashprice: float = HASHPRICE) -> float:
    """Market price at which a machine earns its power."""
    return revenue_usd_per_mwh(hashprice, j_per_th) / PUE - ADDER


@dataclass(frozen=True)
class Year:
    """One machine through one year."""

    market: float
    hours: int
    share: float
    paid: float
    worst: int
    dearest: float

    def row(self, year: int, name: str) -> str:
        return (
            f"| {year} | {name} | {self.market:.2f} | {self.hours:,} ({100 * self.share:.1f} %) | "
            f"{self.paid:.2f} | {self.worst} of {WORST} | {self.dearest:.2f} |"
        )


def year_of(hours: Hours, j_per_th: float) -> Year:
    price = hours.price_usd_per_mwh
    runs = price < break_even(j_per_th)
    dear = np.argsort(-price)[:WORST]
    return Year(
        float(price.mean()), int(runs.sum()), float(runs.mean()), float(price[runs].mean()),
        int((~runs[dear]).sum()), float(price[runs].max()),
    )  # fmt: skip


def rows() -> Iterator[str]:
    for year in YEARS:
        hours = day_ahead(year)
        for name, j_per_th in MACHINES.items():
            yield year_of(hours, j_per_th).row(year, name)


@pytest.mark.shared
def test_the_page_shows_what_machines_ran_in_real_years() -> None:
    page = README.read_text(encoding="utf-8")
    for row in rows():
        assert row in page, row


# --- the back-test -------------------------------------------------------------------------


@dataclass(frozen=True)
class Backtest:
    """A year of mining beside energy bought ahead, on real-time prices."""

    credits_musd: Floats
    net_price: float
    stopped_hours: float
    used_mwh: float

    def text(self) -> str:
        months = ", ".join(f"{value:.1f}" for value in self.credits_musd)
        return (
            f"power credits by month {months}: {self.credits_musd.sum():.1f} M$; "
            f"net power price {self.net_price:.1f} $/MWh; mining stands still in "
            f"{self.stopped_hours:.0f} hours"
        )


def backtest(hours: Hours) -> Backtest:
    """Run each machine where it pays; what it leaves of the agreement is sold at the hour's price.

    A power credit is what an hour's sale brings, the way miners report it; the net price is what
    all energy drawn costs, less those credits, over the MWh drawn.
    """
    price, month = hours.price_usd_per_mwh, hours.month
    quarter = (month - 1) // 3
    load = np.zeros(len(price))
    for name, it_mw in FLEET.items():
        limit = np.array([break_even(MACHINES[name], h) for h in HASHPRICES_2024])[quarter]
        load += np.where(price < limit, it_mw * PUE, 0.0)
    # Below zero the market pays for what is drawn, and nothing is taken of what was bought.
    taken = np.where(price > 0, np.minimum(load, BOUGHT_MW), 0.0)
    credit = np.where(price > 0, (BOUGHT_MW - taken) * price, 0.0)
    by_month = np.array([credit[month == m].sum() for m in range(1, 13)]) / 1e6
    cost = BOUGHT_MW * BOUGHT_AT * len(price) + ((load - taken) * price).sum() - credit.sum()
    cost += ADDER * load.sum()
    used = float(load.sum())
    return Backtest(by_month, float(cost / used), float((load == 0).sum()), used)


def real_time() -> Hours:
    path = SHARED / "layouts" / "ercot_mis_RTMLZHBSPP_HB_HUBAVG_2024_15min.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not at hand: real prices are kept outside the project")
    return hours_of(path)


@pytest.mark.shared
def test_a_mining_load_on_energy_bought_ahead_is_plausible() -> None:
    """Held against what miners reported, as a range: nobody knows their nodes, fleets and hours.

    Riot's 345 MW brought resale credits of 46.7 M$ in nine months of 2025, of 24.2 M$ in August
    2023 alone, and half of 2023's 71 M$ in 2024; its power cost 34 $/MWh all in for 2024.
    """
    hours = real_time()
    assert summary(hours.price_usd_per_mwh.tolist())["mean"] == pytest.approx(26.81, abs=0.005)
    found = backtest(hours)
    assert len(found.credits_musd) == 12
    # August holds the dearest hours of 2024, as of 2023.
    assert 5 <= int(found.credits_musd.argmax()) + 1 <= 9
    assert 1.0 < found.credits_musd.sum() < 70.0
    assert 15.0 < found.net_price < 45.0
    assert found.text() in README.read_text(encoding="utf-8").replace("\n", " ")


@pytest.mark.shared
def test_the_engine_pays_the_same_power_bill() -> None:
    """The same fleet and agreement as an instance of four quarters, solved."""
    hours = real_time()
    instance = tiny(
        horizon={"start": "2024-01", "periods": 4, "months_per_period": 3},
        bitcoin__hashprice_usd_per_ph_day=[
            {"from": f"2024-{3 * i + 1:02d}", "value": h} for i, h in enumerate(HASHPRICES_2024)
        ],
        machines={name: {"th_per_s": 1000.0 / joule, "watt": 1000.0, "price_usd_per_th": 1.0,
                         "cooling": "air", "life_months": 60}
                  for name, joule in NAMED.items()},
        racks={"gpu": None, "rig": {"buyable": False},
               **{name: {"workload": "mining", "machine": name, "machines_per_rack": 1000,
                         "buyable": False} for name in NAMED}},
        sites__a={"firm_mw": 800.0},
        halls={"h": {"count": 1, "it_mw": 800.0, "rack_positions": None, "convertible": False}},
        fleet=[{"hall": "h", "rack": name, "racks": racks}
               for name, racks in zip(NAMED, FLEET.values(), strict=True)],
        power={"a": {"mining_adder_usd_per_mwh": None, "ai_adder_usd_per_mwh": None,
                     "adder_usd_per_mwh": ADDER,
                     "ppa": [{"mw": BOUGHT_MW, "price_usd_per_mwh": BOUGHT_AT}]}},
    )  # fmt: skip
    case = prepare(instance, {"a": hours})
    solved = solve(case, Options(gap=0.0, absolute_gap=1e-9))
    paid = tables(case, solved).finance["power_musd"].sum()
    found = backtest(hours)
    assert paid == pytest.approx(found.net_price * found.used_mwh / 1e6, rel=1e-9)


#: The same machines under names that a key may have.
NAMED = {"s19j": 30.5, "s19xp": 21.5, "s21": 17.5}


if __name__ == "__main__":
    for row in rows():
        print(row)  # noqa: T201
    print(backtest(real_time()).text())  # noqa: T201
