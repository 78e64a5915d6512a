"""Hours, years, filling, doubles and clocks, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.mining import revenue_usd_per_mwh
from optimizer.errors import InputRefused, Report
from optimizer.load.catalogue import packaged
from optimizer.load.prices import read_prices
from optimizer.prices.clock import instants
from optimizer.prices.figures import HASHPRICE, PUE, Mining, duration_curve, running
from tests.optimizer.prices.writers import (
    CENTRAL,
    HOUR,
    Prices,
    by_moment,
    processed,
    read,
    some_prices,
    to_csv,
    wide,
    yearly,
    zone,
)

START = datetime(2023, 5, 1, 5, tzinfo=UTC)


def without(prices: Prices, *hours: int) -> Prices:
    return {start: price for n, (start, price) in enumerate(prices.items()) if n not in hours}


# --- clocks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wall", "moments"),
    [
        (CENTRAL, datetime(2023, 3, 12, 2), []),
        (CENTRAL, datetime(2023, 3, 12, 3), [datetime(2023, 3, 12, 8)]),
        (CENTRAL, datetime(2023, 11, 5, 1), [datetime(2023, 11, 5, 6), datetime(2023, 11, 5, 7)]),
        ("Europe/Brussels", datetime(2023, 3, 26, 2), []),
        ("Europe/Brussels", datetime(2023, 10, 29, 2),
         [datetime(2023, 10, 29), datetime(2023, 10, 29, 1)]),
        ("America/Edmonton", datetime(2023, 7, 1, 0), [datetime(2023, 7, 1, 6)]),
        ("America/Phoenix", datetime(2023, 3, 12, 2), [datetime(2023, 3, 12, 9)]),
    ],
)  # fmt: skip
def test_a_wall_clock_shows_moments(name: str, wall: datetime, moments: list[datetime]) -> None:
    assert [moment.replace(tzinfo=None) for moment in instants(wall, zone(name))] == moments


def test_the_doubled_hour_is_told_by_its_order_where_nothing_marks_it(tmp_path: Path) -> None:
    rows = [("delivery_date", "hour_ending", "dam_lmp")]
    rows += [("2023-11-05", str(hour), str(n)) for n, hour in enumerate((1, 2, 2, 3))]
    _, series = read(to_csv(tmp_path / "a.csv", rows))
    assert by_moment(series) == {datetime(2023, 11, 5, 5 + n, tzinfo=UTC): n for n in range(4)}
    assert [start.isoformat(" ") for start in series.repeated] == ["2023-11-05 01:00:00-06:00"]


def test_a_zone_moves_the_year(tmp_path: Path) -> None:
    files = processed(tmp_path, some_prices(datetime(2023, 1, 1, 6, tzinfo=UTC), 8760))
    _, central = read(*files, every_year=False)
    assert (central.expected, central.gaps, central.left_out) == (8760, [], 0)
    _, western = read(*files, every_year=False, timezone="America/Los_Angeles", years=(2023,))
    assert (western.left_out, [span.hours for span in western.gaps]) == (2, [2])


# --- filling -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "price"),
    [
        ("previous-hour", lambda p: p[29]),
        ("previous-day", lambda p: p[6]),
        ("interpolate", lambda p: (p[29] + p[31]) / 2),
        ("same-hour-mean", lambda p: (p[6] + p[54]) / 2),
    ],
)
def test_a_gap_is_filled_as_is_asked(how: str, price: object, tmp_path: Path) -> None:
    prices = some_prices(START, 72)
    (file,) = yearly(tmp_path, without(prices, 30))
    reading, series = read(file, fill=how)
    assert series.prices[30] == pytest.approx(price([*prices.values()]))  # type: ignore[operator]
    assert (reading.rows, len(series.prices), series.gaps) == (71, 72, [])
    assert [str(span) for span in series.filled] == ["2023-05-02 06:00-0500"]
    del prices[START + 30 * HOUR]
    assert {start: by_moment(series)[start] for start in prices} == prices


def test_long_gaps_repeat_the_day_before(tmp_path: Path) -> None:
    prices = some_prices(START, 24 * 40)
    hole = range(48, 48 + 30)
    _, series = read(*yearly(tmp_path, without(prices, *hole)), fill="previous-day")
    day = [*prices.values()][24:48]
    assert series.prices[48:78] == [*day, *day[:6]]


def test_no_more_than_a_month_of_a_year_is_filled(tmp_path: Path) -> None:
    prices = some_prices(START, 120)
    assert read(*yearly(tmp_path, without(prices, *range(20, 30))), fill="interpolate")
    with pytest.raises(InputRefused, match="too many to fill"):
        read(*yearly(tmp_path, without(prices, *range(20, 31))), fill="interpolate")


def test_a_line_is_drawn_through_a_longer_gap(tmp_path: Path) -> None:
    prices = {START + n * HOUR: float(n) ** 2 for n in range(48)}
    _, series = read(*yearly(tmp_path, without(prices, 10, 11, 12)), fill="interpolate")
    assert series.prices[9:14] == [81.0, 103.0, 125.0, 147.0, 169.0]


@pytest.mark.parametrize(("keep", "price"), [("first", 0), ("last", 999.0)])
def test_of_two_prices_the_one_asked_for_counts(keep: str, price: float, tmp_path: Path) -> None:
    prices = some_prices(START, 24)
    (file,) = yearly(tmp_path, prices)
    with file.open("a") as more:
        more.write("05/01/2023,03:00,N,HB_HUBAVG,999\n")
    _, series = read(file, duplicates=keep)
    assert series.prices[2] == (price or prices[START + 2 * HOUR])
    assert [(double.line, double.prices[1]) for double in series.doubles] == [(26, 999.0)]


def test_hours_of_other_years_are_left_out_and_counted(tmp_path: Path) -> None:
    files = wide(tmp_path, some_prices(datetime(2022, 12, 31, 6, tzinfo=UTC), 24 + 8760))
    _, series = read(*files, market="day-ahead", every_year=False, years=(2023,))
    assert (len(series.prices), series.left_out) == (8760, 24)


# --- figures -------------------------------------------------------------------------------


def test_machines_run_below_their_break_even_price() -> None:
    told = {
        m.machine: m for m in running([10.0, 50.0, 90.0, 500.0], Mining(40.0, pue=1.1, adder=5))
    }
    s21 = told["antminer-s21"]
    assert s21.break_even == pytest.approx(revenue_usd_per_mwh(40.0, s21.j_per_th) / 1.1 - 5)
    assert (s21.share, s21.mean_paid) == (0.5, 30.0)
    assert [m.j_per_th for m in told.values()] == sorted(m.j_per_th for m in told.values())
    assert set(told) == set(packaged().names(("machines",)))


def test_machines_that_never_run_pay_nothing() -> None:
    assert {(m.share, m.mean_paid) for m in running([900.0], Mining())} == {(0.0, None)}


def test_defaults_are_those_of_the_catalogue() -> None:
    assert packaged().names(("fitouts",))["mining-air"]["pue"] == PUE
    templates = Path(__file__).parents[3] / "optimizer" / "templates"
    for template in templates.glob("*.toml"):
        assert f"start = {HASHPRICE:g}" in template.read_text(encoding="utf-8")


def test_a_duration_curve_falls() -> None:
    curve = duration_curve([float(n % 97) for n in range(8760)])
    assert [step.price for step in curve] == sorted((s.price for s in curve), reverse=True)
    assert (curve[0].price, curve[-1].price, curve[-1].mean_of_rest) == (96.0, 0.0, None)


# --- the reader of the engine --------------------------------------------------------------


def hourly(head: str) -> str:
    start = datetime(2023, 1, 1, tzinfo=zone(CENTRAL)).astimezone(UTC)
    rows = [f"{(start + timedelta(hours=n)).astimezone(zone(CENTRAL)).isoformat(' ')},{20 + n % 5}"
            for n in range(8760)]  # fmt: skip
    return head + "time,price_usd_per_mwh\n" + "\n".join(rows) + "\n"


def test_the_engine_passes_over_remarks_above_the_header() -> None:
    report = Report()
    hours = read_prices(hourly('# from: "a", b\n#\n'), "a.csv", report)
    assert hours is not None
    assert len(hours) == 8760


def test_lines_are_counted_with_remarks() -> None:
    report = Report()
    text = hourly("# one\n# two\n").replace("-06:00,20\n", "-06:00,high\n", 1)
    assert read_prices(text, "a.csv", report) is None
    assert [problem.line for problem in report.sorted()] == [4]


def test_a_remark_further_down_is_none() -> None:
    report = Report()
    read_prices(hourly("").replace("\n", "\n# no\n", 1), "a.csv", report)
    assert [problem.line for problem in report.sorted()] == [2]
