"""Which hours stop mining: the dearest of each year, runs of them, steps of a curve in part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.called import dearest, ordered
from models.hours import Hours, flat
from models.instance import Power

DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
MONTH = np.repeat(np.arange(1, 13), DAYS * 24)


def year(prices: dict[int, float], cut: tuple[int, ...] = ()) -> Hours:
    """A year at 30 $/MWh but for some hours."""
    price, marks = np.full(8760, 30.0), np.zeros(8760, bool)
    for hour, dear in prices.items():
        price[hour] = dear
    marks[list(cut)] = True
    return Hours(MONTH, np.ones(8760), price, marks, "drawn")


def years(*each: Hours) -> Hours:
    """Several years in one file."""
    return Hours(
        np.concatenate([one.month for one in each]),
        np.full(8760 * len(each), 1.0 / len(each)),
        np.concatenate([one.price_usd_per_mwh for one in each]),
        np.concatenate([one.cut for one in each]),
        "years",
    )


def power(**more: Any) -> Power:
    return Power.model_validate({"flat_usd_per_mwh": 30.0, **more})


def committed(*called_h: float) -> list[dict[str, Any]]:
    return [
        {"mw": 5.0, "usd_per_mwh": 5.0, "commitment": True, "called_hours_per_year": hours}
        for hours in called_h
    ]


def stops(hours: Hours, **emergency: Any) -> list[int]:
    return np.flatnonzero(ordered(hours, power(emergency=emergency)).stops).tolist()


def test_an_emergency_is_followed_by_its_restart() -> None:
    hours = year({100: 900.0, 101: 800.0, 103: 700.0, 5000: 600.0, 8759: 500.0, 60: 100.0})
    assert stops(hours, hours_per_year=5.0) == [100, 101, 103, 5000, 8759]
    assert stops(hours, hours_per_year=5.0, restart_hours=2) == [
        100, 101, 102, 103, 104, 105, 5000, 5001, 5002, 8759
    ]  # fmt: skip


def test_orders_of_one_length_lie_where_the_price_is_highest() -> None:
    """A lone spike counts less than a long evening; the second order keeps clear of the first."""
    hours = year({100: 90.0, 101: 90.0, 102: 90.0, 103: 90.0, 104: 80.0, 2000: 200.0, 40: 31.0})
    assert stops(hours, hours_per_year=4.0, events_per_year=1) == [100, 101, 102, 103]
    found = stops(hours, hours_per_year=8.0, events_per_year=2)
    assert found == [100, 101, 102, 103, 1997, 1998, 1999, 2000]
    # Three orders of three hours, as nine hours do not fall short of eight.
    assert len(stops(hours, hours_per_year=8.0, events_per_year=3)) == 9


def test_each_year_of_a_file_has_hours_of_its_own() -> None:
    calm, wild = year({10: 40.0, 20: 41.0}), year({10: 900.0, 11: 900.0, 12: 900.0, 13: 900.0})
    file = years(calm, wild)
    assert stops(file, hours_per_year=2.0) == [10, 20, 8770, 8771]
    assert stops(file, hours_per_year=2.0, events_per_year=1) == [19, 20, 8770, 8771]
    # A year and a half: the half year has half of the hours, each counts for half of one.
    first = MONTH <= 6
    half = Hours(
        np.concatenate([MONTH, MONTH[first]]),
        np.concatenate([np.where(first, 0.5, 1.0), np.full(int(first.sum()), 0.5)]),
        np.concatenate([np.arange(8760.0), 1e4 + np.arange(first.sum())]),
        np.zeros(8760 + int(first.sum()), bool),
        "a year and a half",
    )
    share = dearest(half, 100.0, np.ones(len(half), bool))
    weight = half.weight_h * share
    assert weight.sum() == pytest.approx(100.0, abs=0.6)
    in_half = first.sum() / 2 / 8760
    assert weight[8760:].sum() == pytest.approx(100.0 * in_half, abs=0.3)


def test_calls_fall_beside_cuts_and_emergencies_and_in_each_other() -> None:
    prices = {10: 900.0, 11: 800.0, 12: 700.0, 13: 600.0, 14: 500.0, 15: 400.0}
    hours = ordered(
        year(prices, cut=(11,)),
        power(
            emergency={"hours_per_year": 1.0},
            restart_hours=1,
            programmes=committed(1.0, 3.0, 0.0),
        ),
    )
    assert np.flatnonzero(hours.stops).tolist() == [10]
    assert np.flatnonzero(hours.cut).tolist() == [11, 12]
    assert [np.flatnonzero(called).tolist() for called in hours.calls.T] == [
        [13], [13, 14, 15], []
    ]  # fmt: skip


def test_a_flat_price_is_called_in_every_month_alike() -> None:
    hours = ordered(flat(30.0), power(programmes=committed(876.0, 438.0)))
    called = hours.calls
    assert hours.weight_h.sum() == pytest.approx(8760)
    for month, days in enumerate(DAYS, 1):
        own = (hours.month == month)[:, None] & called
        assert hours.weight_h @ own == pytest.approx([days * 2.4, days * 1.2])
    # Who is called in fewer hours is called in some of the others'.
    assert not (called[:, 1] & ~called[:, 0]).any()


def test_steps_of_a_curve_are_split_at_the_last_level() -> None:
    curve = Hours(
        np.arange(1, 13),
        DAYS * 24.0,
        np.array([90.0, 60.0, *[30.0] * 10]),
        np.zeros(12, bool),
        "curve",
        peak=np.arange(12) < 2,
        carbon_kg_per_mwh=np.arange(12.0),
        in_sequence=False,
    )
    hours = ordered(curve, power(emergency={"hours_per_year": 800.0}))
    assert hours.weight_h[hours.stops] == pytest.approx([744.0, 56.0])
    assert hours.weight_h[hours.month == 2] == pytest.approx([56.0, 616.0])
    assert hours.peak is not None
    assert hours.carbon_kg_per_mwh is not None
    assert hours.peak[hours.month == 2].tolist() == [True, True]
    assert hours.carbon_kg_per_mwh[hours.month == 2].tolist() == [1.0, 1.0]
    assert len(hours) == 13


def test_what_nobody_orders_leaves_hours_as_they_are() -> None:
    hours = year({5: 90.0}, cut=(5,))
    assert ordered(hours, power(programmes=[{"mw": 5.0, "usd_per_mwh": 5.0}])) is hours
    assert not replace(hours, in_sequence=False).follow_each_other
    assert not flat(30.0).follow_each_other
