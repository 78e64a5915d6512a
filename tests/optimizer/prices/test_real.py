"""Real price files from outside the project: every figure that is stated of them.

Sources: HewlettPackard/sustain-cluster @ 293fbd15 (`Datetime` files, MIT), lanxindeng8/ercot @
59db4acb, aymanazeem/Ercot-Battery-Arbitrage @ 27a91bc3, rchlmlngt/Alberta-Power-Market-Analysis @
da4fac1c, punnoose-1620/machine-learning-project @ 8aee0795 (MIT).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from optimizer.prices.figures import duration_curve
from tests.optimizer.prices.writers import Prices, by_moment, read

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real price files lie outside the project"),
]

DAM_2023 = (
    "ercot/ERCOT_HB_HUBAVG_DAM_2023.csv",
    "layouts/ercot_mis_DAMLZHBSPP_HB_HUBAVG_2023.csv",
    "layouts/ercot_np4-190-cd_HB_HUBAVG_2023.csv",
    "layouts/gridstatus_get_dam_spp_HB_HUBAVG_2023.csv",
)
WIDE = "ercot/ercot_HB_HUBAVG_DAM_RTM_AS_hourly_2024_2026.csv"
QUARTERS = "layouts/ercot_mis_RTMLZHBSPP_HB_HUBAVG_2024_15min.csv"
ALBERTA = "iso/aeso_pool_price_2023-01_2026-06.csv"
CALIFORNIA, SWEDEN = "iso/CAISO_NP15_DAM_2023.csv", "iso/entsoe_SE1_DAM_2023.csv"


@dataclass(frozen=True)
class File:
    """What is stated of a file."""

    name: str
    rows: int
    hours: int
    mean: float
    least: float
    most: float
    negative: int
    gaps: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    wanted: dict[str, object] = field(default_factory=dict)


WIDE_GAPS = (
    "2024-03-10 01:00-0600 to 2024-03-17 02:00-0500 (169 h)", "2024-11-03 01:00-0600",
    "2025-03-09 01:00-0600 to 2025-03-16 02:00-0500 (169 h)", "2025-11-02 01:00-0600",
)  # fmt: skip
ALBERTA_GAPS = ("2023-11-05 01:00-0700", "2024-11-03 01:00-0700", "2025-11-02 01:00-0700")
FILES = (
    File("ercot/ERCOT_HB_HUBAVG_DAM_2021.csv", 8760, 8760, 145.62, -0.25, 8995.26, 1,
         doubled=("2021-11-07 01:00",)),
    File("ercot/ERCOT_HB_HUBAVG_DAM_2022.csv", 8760, 8760, 64.31, 1.22, 2539.16, 0,
         doubled=("2022-11-06 01:00",)),
    *(File(name, 8760, 8760, 55.94, -0.07, 4191.66, 1, doubled=("2023-11-05 01:00",))
      for name in DAM_2023),
    File("ercot/ERCOT_HB_HUBAVG_DAM_2024.csv", 8784, 8784, 28.09, -2.85, 2221.48, 16,
         doubled=("2024-11-03 01:00",)),
    File(WIDE, 18286, 18284, 32.51, -4.17, 2221.48, 62, WIDE_GAPS,
         wanted={"market": "day-ahead", "every_year": True}),
    File(WIDE, 18286, 18284, 30.41, -31.84, 3060.45, 458, WIDE_GAPS,
         wanted={"market": "real-time", "every_year": True}),
    File(QUARTERS, 35136, 8784, 26.81, -31.84, 3060.45, 199, doubled=("2024-11-03 01:00",)),
    File(CALIFORNIA, 8784, 8784, 61.54, -19.02, 1090.90, 146, doubled=("2023-11-05 01:00",),
         wanted={"every_year": True}),
    File(CALIFORNIA, 8784, 8760, 61.37, -19.02, 1090.90, 146, doubled=("2023-11-05 01:00",),
         wanted={"years": (2023,)}),
    File(ALBERTA, 30116, 30116, 73.99, 0.0, 999.99, 0, ALBERTA_GAPS, wanted={"every_year": True}),
    File(SWEDEN, 8761, 8760, 39.97, -60.04, 332.0, 434, doubled=("2023-10-29 02:00",)),
)  # fmt: skip


def known(name: str, **wanted: object) -> Prices:
    return by_moment(read(DATA / name, **({"every_year": False} | wanted))[1])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_real_file_has_the_figures_that_are_stated(file: File) -> None:
    reading, series = read(DATA / file.name, **({"every_year": False} | file.wanted))
    prices = series.prices
    assert (reading.rows, len(prices)) == (file.rows, file.hours)
    assert sum(prices) / len(prices) == pytest.approx(file.mean, abs=0.005)
    assert (min(prices), max(prices)) == pytest.approx((file.least, file.most), abs=0.005)
    assert sum(price < 0 for price in prices) == file.negative
    assert tuple(str(span) for span in series.gaps) == file.gaps
    assert tuple(f"{start:%Y-%m-%d %H:%M}" for start in series.repeated) == file.doubled
    assert series.doubles == []


@pytest.mark.parametrize("name", DAM_2023[1:])
def test_the_layouts_of_one_year_give_one_series(name: str) -> None:
    assert known(name) == known(DAM_2023[0])


def test_quarter_hours_have_the_means_of_another_source() -> None:
    """But for 63 hours on days whose prices one of the sources holds as first published."""
    wide = known(WIDE, market="real-time", years=(2024,))
    quarters = known(QUARTERS)
    other = [start for start in wide if abs(quarters[start] - wide[start]) > 1e-6]
    assert (len(wide), len(other), len({start.date() for start in other})) == (8614, 63, 17)
    assert len(quarters) - len(wide) == 170


def test_day_ahead_prices_of_2024_agree_between_sources() -> None:
    wide = known(WIDE, market="day-ahead", years=(2024,))
    hours = known("ercot/ERCOT_HB_HUBAVG_DAM_2024.csv")
    assert {start: hours[start] for start in wide} == pytest.approx(wide, abs=1e-9)


@pytest.mark.parametrize(
    ("year", "mean", "hours"),
    [(2021, 145.62, 200), (2022, 64.31, 170), (2023, 55.94, 246), (2024, 28.09, 51)],
)
def test_dear_hours_of_ercot_are_as_many_as_is_stated(year: int, mean: float, hours: int) -> None:
    prices = known(f"ercot/ERCOT_HB_HUBAVG_DAM_{year}.csv")
    assert sum(prices.values()) / len(prices) == pytest.approx(mean, abs=0.005)
    assert sum(price > 250 for price in prices.values()) == hours


def test_the_winter_storm_makes_the_mean_of_2021() -> None:
    storm = (datetime(2021, 2, 12, tzinfo=UTC), datetime(2021, 2, 21, tzinfo=UTC))
    prices = known("ercot/ERCOT_HB_HUBAVG_DAM_2021.csv")
    rest = [price for start, price in prices.items() if not storm[0] <= start < storm[1]]
    assert sum(rest) / len(rest) == pytest.approx(33.88, abs=0.005)


@pytest.mark.parametrize(
    ("year", "one", "five"),
    [(2021, 63.92, 30.19), (2022, 57.74, 51.39), (2023, 37.18, 26.92), (2024, 23.90, 21.15)],
)
def test_stopping_in_the_dearest_hours_pays_what_is_stated(
    year: int, one: float, five: float
) -> None:
    curve = duration_curve([*known(f"ercot/ERCOT_HB_HUBAVG_DAM_{year}.csv").values()])
    rest = {step.share: step.mean_of_rest for step in curve}
    assert rest[0.01] == pytest.approx(one, rel=2e-3)
    assert rest[0.05] == pytest.approx(five, rel=2e-3)


def test_albertas_pair_of_2024_is_priced_alike_when_asked() -> None:
    _, series = read(DATA / ALBERTA, every_year=False, years=(2024,), fill="previous-hour")
    assert [str(span) for span in series.filled] == ["2024-11-03 01:00-0700"]
    assert sum(series.prices) / 8784 == pytest.approx(62.78, abs=0.005)
