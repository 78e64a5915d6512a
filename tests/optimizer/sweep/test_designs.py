"""Designs: how many points, in which order, what each sets and what it changes."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from models.instance import Block
from optimizer.case import prepare
from optimizer.load import load
from optimizer.sweep.base import document_of
from optimizer.sweep.design.designs import expanded, points_of
from optimizer.sweep.design.file import read_sweep
from optimizer.sweep.design.keys import changed
from optimizer.sweep.design.levels import points_in
from optimizer.sweep.design.spec import Axis, Listed, Sweep
from optimizer.sweep.design.wish import Range
from tests.folders import INSTANCE
from tests.optimizer.sweep.files import (
    CASES,
    CURVE,
    DRAWN,
    SWEEP,
    WIDE,
    changes,
    errors,
    expansion,
    points,
    settings,
    write_sweep,
)

SHIPPED = sorted((Path(__file__).parents[3] / "instances" / "sweeps").glob("*.toml"))
BUDGET = "finance.capex_budget_musd"
NORTH = "sites.north.firm_mw"


def one_axis(body: str, design: str = "grid") -> str:
    return f'[sweep]\nbase = "base"\ndesign = "{design}"\n\n[axes.a]\n{body}\n'


# --- designs -------------------------------------------------------------------------------


def test_a_grid_takes_every_combination_the_last_axis_fastest(tmp_path: Path) -> None:
    found = points(tmp_path)
    assert settings(found, "capex") == [40, 40, 40, 60, 60, 60, 80, 80, 80]
    assert settings(found, "firm") == [0.8, 1.0, 1.2] * 3
    assert changes(found, NORTH) == [9.6, None, 14.4] * 3
    assert changes(found, BUDGET) == [40.0] * 3 + [None] * 3 + [80.0] * 3
    assert [point.number for point in found] == list(range(9))


def test_a_list_goes_through_its_axes_together(tmp_path: Path) -> None:
    found = points(tmp_path, SWEEP.replace("grid", "list"))
    assert [(p.settings["capex"], p.settings["firm"]) for p in found] == [
        (40, 0.8), (60, 1.0), (80, 1.2),
    ]  # fmt: skip


def test_one_at_a_time_takes_the_base_once(tmp_path: Path) -> None:
    found = expansion(tmp_path, SWEEP.replace("grid", "one_at_a_time"))
    assert [dict(point.settings) for point in found.points] == [
        {}, {"capex": 40}, {"capex": 80}, {"firm": 0.8}, {"firm": 1.2},
    ]  # fmt: skip
    assert found.points[0].changes == {}
    assert found.times == {0: 3}
    (warning,) = found.warnings
    assert "2 cases come to the same" in warning.message
    assert warning.found == "as the base itself"


def test_cases_take_cells_as_settings_and_empty_ones_as_the_base(tmp_path: Path) -> None:
    text = f"case,firm,{BUDGET},machines.s21.cooling\nlow,0.8,40,\nhigh,,1e2,air\n,2,,\n"
    found = points(tmp_path, CASES, cases_csv=text)
    assert [dict(point.settings) for point in found] == [
        {"case": "low", "firm": 0.8, BUDGET: 40.0},
        {"case": "high", BUDGET: 100.0, "machines.s21.cooling": "air"},
        {"firm": 2.0},
    ]
    assert [dict(point.changes) for point in found] == [
        {NORTH: 9.6, BUDGET: 40.0}, {BUDGET: 100.0}, {NORTH: 24.0},
    ]  # fmt: skip


def test_cases_may_be_keys_alone_and_paths(tmp_path: Path) -> None:
    text = CASES[: CASES.index("[axes")]
    found = points(tmp_path, text, cases_csv=f"{NORTH}\n2027-01:5;2028-01:7\n9\n")
    assert changes(found, NORTH) == [
        [{"from": "2027-01", "value": 5.0}, {"from": "2028-01", "value": 7.0}], 9.0,
    ]  # fmt: skip


def test_a_plan_without_axes_is_one_point(tmp_path: Path) -> None:
    plan = "action,month,subject,amount\nsign,2027-01,lease,2\n"
    text = '[sweep]\nbase = "base"\n[plan]\nactions = "actions.csv"\n'
    (point,) = points(tmp_path, text, actions_csv=plan)
    assert (point.settings, point.changes) == ({}, {})


@profile(deadline=None, derandomize=True)
@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_designs_have_as_many_points_as_they_should(lengths: list[int]) -> None:
    keys = (BUDGET, "finance.overhead_musd_per_year", "finance.ai_entry_cost_musd")
    axes = tuple(
        Axis(f"a{place}", (keys[place],), "values", Listed(tuple(range(30, 30 + length))))
        for place, length in enumerate(lengths)
    )
    sweep = Sweep(Path("s.toml"), Path("base"), "s", axes)
    document: dict[str, Any] = {"finance": {}, "sites": {}}
    grid = points_of(sweep, document)
    assert len(grid) == math.prod(lengths) == len({repr(p.settings) for p in grid})
    alone = points_of(Sweep(Path("s"), Path("b"), "s", axes, design="one_at_a_time"), document)
    assert len(alone) == 1 + sum(lengths)


def test_a_grid_beyond_all_bounds_is_refused_at_once(tmp_path: Path) -> None:
    text = SWEEP.replace("[40, 60, 80]", "{ from = 40, to = 80, count = 2000 }")
    (problem,) = errors(write_sweep(tmp_path, text.replace("count = 3", "count = 2000")))
    assert (problem.key, problem.found) == ("sweep.design", "4,000,000")


# --- what a setting comes to ---------------------------------------------------------------

RANGES = {
    "{ from = 0.8, to = 1.2, count = 5 }": [0.8, 0.9, 1.0, 1.1, 1.2],
    "{ from = 1, to = 2, step = 0.4 }": [1.0, 1.4, 1.8],
    "{ from = 0.1, to = 0.4, step = 0.1 }": [0.1, 0.2, 0.3, 0.4],
    "{ from = -1, to = 1, count = 2 }": [-1, 1],
    "{ from = 1, to = 4, step = 1 }": [1, 2, 3, 4],
}


@pytest.mark.parametrize("given_range", RANGES)
def test_a_range_gives_the_numbers_that_one_would_type(given_range: str) -> None:
    found = Range.model_validate(tomllib.loads(f"range = {given_range}")["range"]).numbers()
    assert found == RANGES[given_range]
    assert [type(value) for value in found] == [type(value) for value in RANGES[given_range]]


@pytest.mark.parametrize(
    ("body", "key", "expected"),
    [
        ('key = "sites.*.firm_mw"\nscale = [2]', "sites.north-2.firm_mw",
         [{"from": "2027-01", "value": 10.0}, {"from": "2028-01", "value": 16.0}]),
        ('key = "sites.*.firm_mw"\ndelta = [-1.5]', "sites.south.firm_mw", 1.5),
        ('key = "sites.*.interruptible_mw"\ndelta = [1.5]', "sites.south.interruptible_mw", 1.5),
        ('key = "bitcoin.hashprice"\nscale = [1.1]', "bitcoin.hashprice_usd_per_ph_day",
         {"start": 49.5, "growth_per_month": -0.005}),
        ('key = "racks.gpu.resale_usd"\ndelta = [-1000]', "racks.gpu.resale_usd",
         [{"from": "2027-01", "value": 2499000.0}, {"from": "2028-06", "value": 999000.0}]),
        ('key = "halls.old.count"\nscale = [1.5]', "halls.old.count", 6),
        ('key = "halls.old.count"\nscale = [1.1]\nround = true', "halls.old.count", None),
        ('key = "halls.old.count"\nscale = [0.625]\nround = true', "halls.old.count", 2),
        ('key = "halls.old.count"\nscale = [0.875]\nround = true', "halls.old.count", None),
        ('key = "horizon.periods"\ndelta = [-2]', "horizon.periods", 6),
        ('key = "contracts.lease.start"\nvalues = ["2029-01"]', "contracts.lease.start",
         "2029-01"),
        ('key = "halls.old.convertible"\nvalues = [false]', "halls.old.convertible", False),
        ('key = "halls.old.fitouts"\nvalues = [["mine"]]', "halls.old.fitouts", ["mine"]),
        ('key = "finance.discount_per_year"\nscale = [1.1]', "finance.discount_per_year", 0.11),
        ('key = "finance.minimum_cash_musd"\nvalues = [3]', "finance.minimum_cash_musd", 3.0),
        ('key = "power.grid.carbon.usd_per_tonne"\nvalues = [30]',
         "power.grid.carbon.usd_per_tonne", 30.0),
        ('key = "contracts.lease.credits"\nvalues = [[{ below = 0.99, share = 0.1 }]]',
         "contracts.lease.credits", [{"below": 0.99, "share": 0.1}]),
    ],
)  # fmt: skip
def test_a_setting_comes_to_a_value(body: str, key: str, expected: Any, tmp_path: Path) -> None:
    (point,) = points(tmp_path, one_axis(body), WIDE)
    assert point.changes.get(key) == expected
    assert type(point.changes.get(key)) is type(expected)


def test_a_wildcard_leaves_out_what_the_base_does_not_give(tmp_path: Path) -> None:
    more = '\n[sites.far]\nmining_mw_max = 4\npower = "grid"\n'
    (point,) = points(tmp_path, one_axis('key = "sites.*.mining_mw_max"\nscale = [0.5]'),
                      INSTANCE + more)  # fmt: skip
    assert point.changes == {"sites.far.mining_mw_max": 2.0}


def test_the_base_is_the_same_point_however_it_is_reached(tmp_path: Path) -> None:
    text = one_axis(f'key = "{BUDGET}"\nvalues = [60]') + f'\n[axes.b]\nkey = "{NORTH}"\n'
    for body in ("scale = [1.0]", "delta = [0]", "values = [12]", "values = [12.0]"):
        (point,) = points(tmp_path, text + body)
        assert point.changes == {}
    by_default = one_axis('key = "bitcoin.pool_fee_share"\nvalues = [0.01]')
    assert points(tmp_path, by_default)[0].changes == {}


def test_one_case_has_one_identity_however_it_is_typed(tmp_path: Path) -> None:
    ways = ("values = [18]", "values = [18.0]", "scale = [1.5]", "delta = [6]")
    found = {
        points(tmp_path, one_axis(f'key = "sites.*.firm_mw"\n{way}'))[0].identity("1")
        for way in ways
    }
    assert len(found) == 1


def test_unusual_values_that_the_base_accepts_are_let_pass(tmp_path: Path) -> None:
    body = 'key = "contracts.lease.rate_usd_per_kw_month"\nvalues = [5]'
    assert errors(write_sweep(tmp_path, one_axis(body)))
    accepted = INSTANCE.replace(
        'name = "small"',
        'name = "small"\naccept_unusual = ["contracts.lease.rate_usd_per_kw_month"]',
    ).replace("rate_usd_per_kw_month = 140", "rate_usd_per_kw_month = 14")
    assert points(tmp_path, one_axis(body), accepted)


# --- a hashprice is scaled exactly ---------------------------------------------------------

HASHPRICES = {
    "growth": "hashprice_usd_per_ph_day = { start = 45, growth_per_month = -0.005 }",
    "number": "hashprice_usd_per_ph_day = 45",
    "price": "btc_price_usd = { start = 9e4, growth_per_month = 0.01 }\n"
    "network_eh_per_s = 900\nfee_share = 0.04",
    "steps": 'btc_price_usd = [{ from = "2027-01", value = 9e4 }, '
    '{ from = "2028-06", value = 2e5 }]\nnetwork_eh_per_s = 900',
}


@pytest.mark.parametrize("name", HASHPRICES)
def test_a_hashprice_is_scaled_in_every_month(name: str, tmp_path: Path) -> None:
    base = INSTANCE.replace(HASHPRICES["growth"], HASHPRICES[name])
    base = base.replace("periods = 8", "periods = 12")
    text = one_axis('key = "bitcoin.hashprice"\nscale = [0.75]')
    (point,) = points(tmp_path, text, base)
    loaded = load(tmp_path / "base")
    before = prepare(loaded.instance, loaded.hours).derivation
    document = changed(document_of(tmp_path / "base"), point.changes)
    bitcoin: Block = type(loaded.instance.bitcoin).model_validate(document["bitcoin"])
    moved = loaded.instance.model_copy(update={"bitcoin": bitcoin})
    after = prepare(moved, loaded.hours).derivation
    for node in before.tree.nodes:
        assert after.hashprice(node) == pytest.approx(0.75 * before.hashprice(node), rel=1e-14)


# --- prices --------------------------------------------------------------------------------


def market(forms: str) -> str:
    return f'[sweep]\nbase = "base"\n\n[axes.market]\n{forms}\n'


NEAR, FAR = "prices/near.csv", "prices/ercot-hub-2021.csv"
PRICES: dict[str, tuple[str, list[dict[str, str]]]] = {
    "list for a block": ('key = "power.grid"\nprices = ["near.csv", "ercot-hub-2021"]',
        [{"north": NEAR, "north-2": NEAR}, {"north": FAR, "north-2": FAR}]),
    "list for a site": ('key = "sites.south"\nprices = ["near.csv"]', [{"south": NEAR}]),
    "all sites": ('key = "sites.*"\nprices = ["near.csv"]',
        [{"north": NEAR, "north-2": NEAR, "south": NEAR}]),
    "labels": ('key = "power.ercot-*"\nprices = { low = "near.csv" }', [{"south": NEAR}]),
    "files by key": ('prices = { wet = { "power.grid" = "near.csv", "sites.south" = '
        '"ercot-hub-2021" } }', [{"north": NEAR, "north-2": NEAR, "south": FAR}]),
    "those of the base": ('key = "sites.south"\nprices = ["ercot-hub-2024"]', [{}]),
}  # fmt: skip


@pytest.mark.parametrize("name", PRICES)
def test_price_files_go_to_their_sites(name: str, tmp_path: Path) -> None:
    text, expected = PRICES[name]
    found = points(tmp_path, market(text), WIDE, near_csv=CURVE)
    assert [dict(point.prices) for point in found] == expected
    assert all(point.changes == {} for point in found)


def test_points_are_labelled_by_their_price_file(tmp_path: Path) -> None:
    text = market('key = "power.grid"\nprices = ["near.csv", "ercot-hub-2021"]')
    found = points(tmp_path, text, WIDE, near_csv=CURVE)
    assert settings(found, "market") == ["near", "ercot-hub-2021"]
    sweep = read_sweep(tmp_path / "sweep.toml")
    assert sweep.files[NEAR] == tmp_path / "near.csv"
    assert sweep.files[FAR].is_file()


def test_files_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "near.csv").write_text(CURVE, encoding="utf-8")
    text = market('key = "power.grid"\nprices = { x = "near.csv", y = "a/near.csv" }')
    found = points(tmp_path, text, near_csv=CURVE)
    assert [point.prices["north"] for point in found] == [NEAR, "prices/near-2.csv"]


def test_a_site_has_one_price_file(tmp_path: Path) -> None:
    text = market('key = "power.grid"\nprices = ["near.csv"]')
    more = '\n[axes.other]\nkey = "sites.north"\nprices = ["ercot-hub-2021"]\n'
    (problem,) = errors(write_sweep(tmp_path, text + more, near_csv=CURVE))
    assert "two axes change" in problem.message


# --- what is told --------------------------------------------------------------------------


def test_sobol_points_want_a_power_of_two(tmp_path: Path) -> None:
    text = DRAWN.replace("monte_carlo", "sobol")
    assert expansion(tmp_path, text).warnings == ()
    (warning,) = expansion(tmp_path, text.replace("64", "100")).warnings
    assert (warning.severity, warning.hint) == ("warning", "take 64 or 128")


def test_cases_that_come_to_the_same_are_one_point(tmp_path: Path) -> None:
    body = 'key = "halls.old.count"\nvalues = [3, 4]'
    found = expansion(tmp_path, one_axis(body, 'monte_carlo"\nsamples = 50\nname = "x'))
    assert len(found.points) == 2
    assert sum(found.times.values()) == 50
    assert "come to the same" in found.warnings[0].message
    assert found.warnings[0].found in ("as a 3", "as a 4")


def test_a_point_says_how_often_it_was_drawn(tmp_path: Path) -> None:
    body = 'key = "halls.old.count"\nvalues = [3, 4]'
    found = expansion(tmp_path, one_axis(body, 'monte_carlo"\nsamples = 50\nname = "x'))
    assert sum(point.times for point in found.points) == 50
    assert {point.number: point.times for point in found.points} == found.times
    assert found.alike == 0


def test_rows_of_a_file_that_come_to_the_same_stay_apart(tmp_path: Path) -> None:
    text = f"case,firm,{BUDGET}\nlow,0.8,\nalso low,0.8,60\nbase,,\nlow again,0.8,\n"
    found = expansion(tmp_path, CASES, cases_csv=text)
    assert settings(list(found.points), "case") == ["low", "also low", "base", "low again"]
    assert [point.number for point in found.points] == [0, 1, 2, 3]
    assert len({point.identity("1") for point in found.points}) == 2
    assert (found.alike, found.times) == (2, {})
    assert "2 cases come to the same as an earlier one" in found.warnings[0].message


def test_what_the_base_holds_is_known_of_every_key_that_an_axis_moves(tmp_path: Path) -> None:
    more = "\n[axes.tonne]\nkey = 'sites.north.mining_mw_max'\nvalues = [4]\n"
    held = expansion(tmp_path, SWEEP + more).held
    assert held.by_key == {BUDGET: 60.0, NORTH: 12.0, "sites.north.mining_mw_max": None}
    (tmp_path / "prices").mkdir()
    text = market('key = "sites.*"\nprices = ["near.csv"]')
    own = expansion(tmp_path / "prices", text, WIDE, near_csv=CURVE).held.prices
    assert own["south"].endswith(".csv")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_sweeps_expand(path: Path) -> None:
    sweep = read_sweep(path)
    found = expanded(sweep, document_of(sweep.base))
    assert found.warnings == ()
    assert points_in(sweep, found) >= 12
    assert sum(not point.changes for point in found.points) <= 1
    assert sweep.summary


def test_four_sweeps_ship() -> None:
    assert [path.stem for path in SHIPPED] == [
        "availability-common-cause", "texas-capex-firm", "texas-front", "texas-hashprice-rate",
    ]  # fmt: skip
