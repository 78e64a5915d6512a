"""Every layout, written from a series and read back to it: spring, autumn, points, markets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.optimizer.prices.writers import (
    CASES,
    CENTRAL,
    HOUR,
    Case,
    by_moment,
    daily,
    entsoe,
    entsoe_bulk,
    entsoe_utc,
    gridstatus,
    gridstatus_parquet,
    oasis,
    read,
    real_time,
    some_prices,
    wide,
    yearly,
    yearly_book,
    yearly_zip,
    zone,
)

ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
#: Days before the clock is changed in America and in Europe.
CHANGES = {"spring": {True: (3, 25), False: (3, 11)}, "autumn": {True: (10, 28), False: (11, 4)}}


def days(case: Case, when: str) -> datetime:
    month, day = CHANGES[when][case.zone.startswith("Europe")]
    return datetime(2023, month, day, tzinfo=zone(case.zone))


@ALL
def test_a_layout_reads_back_in_winter(case: Case, tmp_path: Path) -> None:
    prices = some_prices(datetime(2023, 1, 30, tzinfo=zone(case.zone)), 72)
    _, series = read(*case.write(tmp_path, prices), **case.wanted)
    assert by_moment(series) == prices
    assert (series.gaps, series.doubles, series.repeated) == ([], [], [])


@ALL
def test_spring_skips_an_hour_and_leaves_no_gap(case: Case, tmp_path: Path) -> None:
    prices = some_prices(days(case, "spring"), 24 + 23 + 24)
    _, series = read(*case.write(tmp_path, prices), **case.wanted)
    assert by_moment(series) == prices
    assert (series.gaps, series.doubles) == ([], [])
    assert series.starts[-1].hour == 23
    assert len({start.utcoffset() for start in series.starts}) == 2


@ALL
def test_autumn_strikes_an_hour_twice_and_both_are_read(case: Case, tmp_path: Path) -> None:
    prices = some_prices(days(case, "autumn"), 24 + 25 + 24)
    _, series = read(*case.write(tmp_path, prices), **case.wanted)
    assert by_moment(series) == prices
    assert (series.gaps, series.doubles) == ([], [])
    assert [start.hour for start in series.repeated] == [2 if "Europe" in case.zone else 1]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    case=st.sampled_from(CASES),
    first=st.datetimes(datetime(2022, 1, 1), datetime(2026, 6, 1)),
    near=st.sampled_from([None, "spring", "autumn"]),
    hours=st.integers(1, 60),
    cents=st.lists(st.integers(-25_000, 900_000), min_size=60, max_size=60),
)
def test_a_series_goes_through_any_layout_unchanged(
    case: Case, first: datetime, near: str | None, hours: int, cents: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    start = first.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
    if near:
        start = days(case, near).astimezone(UTC) + (first.hour + 1) * HOUR
    local = start.astimezone(zone(case.zone))
    # A lone hour that the clock strikes twice, in a file that marks neither, is the first.
    if local.fold:
        start -= HOUR
    prices = {start + n * HOUR: cents[n] / 100 for n in range(hours)}
    _, series = read(*case.write(tmp_path_factory.mktemp("any"), prices), **case.wanted)
    assert by_moment(series) == pytest.approx(prices, abs=1e-9)
    assert series.gaps == []


# --- points and markets --------------------------------------------------------------------

SEVERAL = (yearly, yearly_book, yearly_zip, daily, real_time, gridstatus, gridstatus_parquet,
           oasis, entsoe, entsoe_bulk)  # fmt: skip


@pytest.mark.parametrize("write", SEVERAL, ids=lambda write: write.__name__)
def test_a_point_is_chosen_by_name(write: object, tmp_path: Path) -> None:
    prices = some_prices(datetime(2023, 5, 1, tzinfo=UTC), 30)
    points = ("HB_NORTH", "HB_WEST", "LZ_WEST")
    files = write(tmp_path, prices, points)  # type: ignore[operator]
    reading, series = read(*files, point="hb_west")
    assert reading.point == "HB_WEST"
    assert reading.points == points
    assert by_moment(series) == pytest.approx({t: p + 1000 for t, p in prices.items()})


def test_energy_weighted_zones_are_points_of_their_own(tmp_path: Path) -> None:
    prices = some_prices(datetime(2023, 5, 1, 5, tzinfo=UTC), 2)
    (file,) = real_time(tmp_path, prices, ("LZ_AEN", "LZ_CPS"))
    rows = file.read_text().replace("LZ_CPS,HU", "LZ_AEN,LZEW")
    file.write_text(rows)
    assert read(file, point="LZ_AEN_EW")[0].points == ("LZ_AEN", "LZ_AEN_EW")


@pytest.mark.parametrize(
    ("market", "more"), [("day-ahead", 0), ("real-time", 1), ("dam_lmp", 0), ("RTM_LMP", 1)]
)
def test_a_market_is_a_column(market: str, more: int, tmp_path: Path) -> None:
    prices = some_prices(datetime(2023, 5, 1, tzinfo=zone(CENTRAL)), 24)
    reading, series = read(*wide(tmp_path, prices), market=market)
    assert by_moment(series) == {start: price + more for start, price in prices.items()}
    assert (reading.point, reading.reserve) == ("HB_WEST", False)
    assert read(tmp_path / "ercot_HB_WEST_DAM_RTM.csv", market="ecrs")[0].reserve


def test_a_sequence_of_an_auction_is_chosen(tmp_path: Path) -> None:
    prices = some_prices(datetime(2025, 10, 3, tzinfo=UTC), 48)
    (file,) = entsoe_utc(tmp_path, prices, ("Sequence 1", "Sequence 2"))
    reading, series = read(file, market="Sequence 2")
    assert by_moment(series) == {start: price + 1000 for start, price in prices.items()}
    assert (reading.point, reading.currency) == ("DE-LU", "EUR")
    assert series.starts[0].utcoffset() == 2 * HOUR


def test_gridstatus_markets_go_by_plain_names(tmp_path: Path) -> None:
    prices = some_prices(datetime(2023, 5, 1, tzinfo=UTC), 5)
    (file,) = gridstatus(tmp_path, prices)
    text = file.read_text().splitlines()
    doubled = [row.replace("DAY_AHEAD_HOURLY", "REAL_TIME_HOURLY") for row in text[1:]]
    file.write_text("\n".join(text + doubled) + "\n")
    assert read(file, market="real-time")[0].market == "REAL_TIME_HOURLY"


# --- hours by hand -------------------------------------------------------------------------


def test_albertas_spring_hour_is_numbered_by_its_end(tmp_path: Path) -> None:
    file = tmp_path / "pool.csv"
    file.write_text("date_he,actual_price\n2023-03-12 01:00:00,1\n2023-03-12 03:00:00,2\n"
                    "2023-03-12 04:00:00,3\n")  # fmt: skip
    _, series = read(file)
    assert by_moment(series) == {datetime(2023, 3, 12, 7 + n, tzinfo=UTC): n + 1 for n in range(3)}


def test_albertas_collapsed_autumn_hour_is_a_gap(tmp_path: Path) -> None:
    file = tmp_path / "pool.csv"
    file.write_text("date_he,actual_price\n2023-11-05 01:00:00,1\n2023-11-05 02:00:00,2\n"
                    "2023-11-05 03:00:00,3\n")  # fmt: skip
    _, series = read(file)
    assert [str(span) for span in series.gaps] == ["2023-11-05 01:00-0700"]


def test_an_hour_with_three_quarters_is_a_gap(tmp_path: Path) -> None:
    prices = some_prices(datetime(2023, 5, 1, 5, tzinfo=UTC), 3)
    (file,) = real_time(tmp_path, prices)
    rows = file.read_text().splitlines()
    file.write_text("\n".join(rows[:6] + rows[7:]) + "\n")
    _, series = read(file)
    assert [str(span) for span in series.gaps] == ["2023-05-01 01:00-0500"]
    assert (series.parts, len(series.prices)) == (1, 2)


def test_a_resolution_may_change_within_a_file(tmp_path: Path) -> None:
    file = tmp_path / "be.csv"
    head = '"MTU (UTC)","Area","Sequence","Day-ahead Price (EUR/MWh)"\n'
    file.write_text(
        head + "30/09/2025 21:00:00 - 30/09/2025 22:00:00,BZN|BE,Without Sequence,10\n"
        + "".join(f"30/09/2025 22:{q:02d}:00 - 30/09/2025 {22 + (q == 45)}:{(q + 15) % 60:02d}:00,"
                  f"BZN|BE,Without Sequence,{q}\n" for q in (0, 15, 30, 45))
    )  # fmt: skip
    _, series = read(file)
    assert series.prices == [10.0, 22.5]


def test_half_hour_zones_have_hours_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "india.csv"
    file.write_text("Datetime,Price (USD/MWh)\n2023-01-01 00:00:00+05:30,1\n"
                    "2023-01-01 01:00:00+05:30,2\n")  # fmt: skip
    assert read(file)[1].prices == [1.0, 2.0]


def test_dashes_and_blanks_are_hours_without_a_price(tmp_path: Path) -> None:
    file = tmp_path / "pool.csv"
    file.write_text('Pool Price\n\n""\n\nDate (HE),Price ($),30Ravg ($),AIL Demand (MW)\n'
                    '"09/02/2026 03","-","-","-"\n"09/02/2026 02","13.9","1","1"\n'
                    '"09/02/2026 01","9.7","1","1"\n')  # fmt: skip
    _, series = read(file)
    assert [span.first.hour for span in series.gaps] == [2]
    assert series.prices == [9.7, 13.9]
