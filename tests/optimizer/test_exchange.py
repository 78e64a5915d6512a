"""Price files in another currency: what rates do to a case, and what is said of them."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.given import TENANT, Given
from models.hours import Hours
from models.tree import Tree
from optimizer.case import prepare
from optimizer.load import examine, load
from optimizer.solve import solve
from tests.folders import INSTANCE, edited, write_folder
from tests.models.tiny import AI, LEASE, case, tiny
from tests.optimizer.test_bill import EXACT, drawn_hours

EUR = {"currency": "EUR"}


def rated(usd_per_unit: Any, **more: Any) -> dict[str, Any]:
    return {"power__a": {**EUR, **more}, "currencies": {"EUR": {"usd_per_unit": usd_per_unit}}}


def steps() -> Hours:
    """A year of twelve steps, half of its hours of a month cheap and half dear, with offers."""
    return Hours(
        np.repeat(np.arange(1, 13), 2),
        np.full(24, 365.0),
        np.tile([20.0, 60.0], 12),
        np.zeros(24, bool),
        "steps",
        offer_usd_per_mwh=np.tile([1.0, 9.0], 12),
    )


def numbers(given: Given) -> dict[str, Any]:
    """All numbers of a case but those that name its rates."""
    tables = {f.name: getattr(given, f.name) for f in fields(given)}
    return {k: v for k, v in tables.items() if k != "exchange" and not isinstance(v, Tree)}


TAKEN = [{"mw": 3.0, "price_usd_per_mwh": 30.0, "unused": "lost"}]
CARBON = {"usd_per_tonne": 20.0, "kg_per_mwh": 400.0}


@pytest.mark.parametrize(
    "way", [{}, {"ppa": TAKEN}, {"programmes": [{"mw": 2.0}]}, {"carbon": CARBON}]
)
def test_a_rate_of_one_is_the_same_case(way: dict[str, Any]) -> None:
    plain = case(tiny(contracts__lease=LEASE, power__a=way), hours={"a": steps()})
    one = case(tiny(contracts__lease=LEASE, **rated(1.0, **way)), hours={"a": steps()})
    assert numbers(one) == numbers(plain)


@pytest.mark.parametrize("way", [{}, {"programmes": [{"mw": 2.0}]}, {"growth_per_year": 0.1}])
def test_twice_the_rate_is_twice_the_prices(way: dict[str, Any]) -> None:
    hours = steps()
    assert hours.offer_usd_per_mwh is not None
    dear = replace(
        hours,
        price_usd_per_mwh=hours.price_usd_per_mwh * 2,
        offer_usd_per_mwh=hours.offer_usd_per_mwh * 2,
    )
    allowing = {**LEASE, "curtailable_hours_per_year": 400.0}
    doubled = case(tiny(contracts__lease=allowing, power__a=way), hours={"a": dear})
    rate = case(tiny(contracts__lease=allowing, **rated(2.0, **way)), hours={"a": hours})
    assert numbers(rate).keys() == numbers(doubled).keys()
    for name, table in numbers(doubled).items():
        found = numbers(rate)[name]
        if isinstance(table, dict) and all(isinstance(v, float) for v in table.values()):
            assert found == pytest.approx(table, rel=1e-12), name
        else:
            assert found == table, name


def test_plans_of_a_rate_are_those_of_the_prices_in_dollars() -> None:
    hours = drawn_hours(random.Random(4))
    there = replace(hours, price_usd_per_mwh=hours.price_usd_per_mwh / 1.25,
                    offer_usd_per_mwh=None)  # fmt: skip
    found = [
        solve(prepare(tiny(contracts__lease=LEASE, **more), {"a": own}), EXACT)
        for own, more in ((hours, {}), (there, rated(1.25)))
    ]
    values = [one.value_musd for one in found]
    assert None not in values
    assert values[0] == pytest.approx(values[1], rel=1e-9)


def test_each_node_has_the_mean_of_its_months() -> None:
    """One percent a month, and steps inside a year; prices grow beside it, keys do not."""
    grows = case(
        tiny(**rated({"start": 1.1, "growth_per_month": 0.01}, growth_per_year=0.1)),
        hours={"a": steps()},
    )
    for n in range(3):
        rate = sum(1.1 * 1.01 ** (12 * n + m) for m in range(12)) / 12
        assert grows.exchange[n, "a"] == pytest.approx(rate)
        # Half of the hours at 20 and half at 60 in the file.
        bands = [(n, "a", b) for b in grows.bands[n, "a"]]
        cost = sum(grows.hours[b] * grows.price[b] * 1e6 for b in bands)
        assert cost == pytest.approx(8760 * 40 * rate * 1.1 ** (n + 0.5))
    assert grows.adder["a"] * 1e6 == 5.0
    table = [{"from": "2029-01", "value": 1.0}, {"from": "2030-04", "value": 1.2}]
    stepped = case(tiny(**rated(table)), hours={"a": steps()})
    assert [stepped.exchange[n, "a"] for n in range(3)] == pytest.approx(
        [1.0, (3 * 1.0 + 9 * 1.2) / 12, 1.2]
    )


def test_beyond_the_horizon_the_rate_follows_its_path() -> None:
    path = {"start": 1.1, "growth_per_month": 0.01}
    plain = case(tiny(contracts__lease=LEASE), hours={"a": steps()})
    grows = case(tiny(contracts__lease=LEASE, **rated(path)), hours={"a": steps()})
    key = 2, "lease", AI, TENANT
    # Two years at a mean of 40 in the file, of 730 hours a month, on 1.2 times 0.8 MW.
    more = sum(1.1 * 1.01**m - 1.0 for m in range(36, 60)) * 40 * 730 * 1.2 * 0.8 / 1e6
    assert plain.tail_margin[key] - grows.tail_margin[key] == pytest.approx(more)


# --- what is said --------------------------------------------------------------------------


def hourly(factor: float = 1.0, *, top: str = "", price: str = "price_usd_per_mwh") -> str:
    first = datetime(2023, 1, 1)
    rows = (f"{first + timedelta(hours=h)}+00:00,{(30 + h % 24) * factor}" for h in range(8760))
    return f"{top}time,{price}\n" + "\n".join(rows) + "\n"


FILE = edited("flat_usd_per_mwh = 40", 'prices = "h.csv"')
IN_EUR = edited("flat_usd_per_mwh = 40", 'prices = "h.csv"\ncurrency = "EUR"')
RATE = "\n[currencies.EUR]\nusd_per_unit = 1.1\n"
Told = list[tuple[str, str, str, str]]


def told(folder: Path, text: str, prices: str | None = None, **files: str) -> Told:
    held = files if prices is None else {"h_csv": prices, **files}
    _, problems = examine(write_folder(folder, text, **held))
    return [(p.severity, p.key, p.message, p.hint) for p in problems]


@pytest.mark.parametrize(
    ("text", "severity", "key", "words"),
    [
        (IN_EUR, "error", "power.grid.currency", "no exchange rate for EUR"),
        (IN_EUR + "\n[currencies.ERU]\nusd_per_unit = 1.1\n[power.b]\nflat_usd_per_mwh = 40\n"
         'currency = "ERU"\n', "error", "power.grid.currency", "no exchange rate for EUR"),
        (edited('"EUR"', '"eur"', IN_EUR) + RATE, "error", "power.grid.currency",
         "three capital letters"),
        (IN_EUR + edited("1.1", "0", RATE), "error", "currencies.EUR.usd_per_unit", "above zero"),
        (IN_EUR + edited("1.1", "-1.1", RATE), "error", "currencies.EUR.usd_per_unit",
         "above zero"),
        (IN_EUR + edited("1.1", "{ start = 1.1, growth_per_month = -1.5 }", RATE), "error",
         "currencies.EUR.usd_per_unit.growth_per_month", "range"),
        (IN_EUR + edited("1.1", "11", RATE), "error", "currencies.EUR.usd_per_unit",
         "far from real figures"),
        (FILE + RATE, "warning", "currencies.EUR", "no power is priced in it"),
        (FILE + edited("EUR", "USD", RATE), "error", "currencies.USD", "has no rate"),
        (FILE + edited("EUR", "eur", RATE), "error", "currencies.eur", "three capital letters"),
        (edited("flat_usd_per_mwh = 40", 'flat_usd_per_mwh = 40\ncurrency = "EUR"') + RATE,
         "warning", "power.grid.currency", "flat_usd_per_mwh is in USD"),
    ],
)  # fmt: skip
def test_rates_are_checked(tmp_path: Path, text: str, severity: str, key: str, words: str) -> None:
    prices = hourly() if "h.csv" in text else None
    [found] = [one for one in told(tmp_path / "i", text, prices) if one[1] == key]
    assert found[0] == severity
    assert words in found[2]


def test_a_rate_upside_down_is_told(tmp_path: Path) -> None:
    text = IN_EUR.replace("EUR", "SEK") + "\n[currencies.SEK]\nusd_per_unit = 10.5\n"
    problems = told(tmp_path / "i", text, hourly(10.5))
    assert [key for _, key, _, _ in problems] == ["currencies.SEK.usd_per_unit"]
    assert "as USD for one unit it would be 0.0952381" in problems[0][3]


def test_prices_are_set_against_real_figures_in_dollars(tmp_path: Path) -> None:
    text = IN_EUR.replace("EUR", "JPY") + "\n[currencies.JPY]\nusd_per_unit = 0.0065\n"
    assert told(tmp_path / "1", text, hourly(150.0, price="price_per_mwh")) == []
    [found] = told(tmp_path / "2", text, hourly())
    assert "mean price is far" in found[2]


@pytest.mark.parametrize(
    ("top", "text", "words"),
    [
        ("# currency: EUR\n", FILE, "says that it is in EUR"),
        ("# currency: EUR, at 1.08 USD per EUR\n", IN_EUR + RATE, "says that it is in USD"),
        ("# currency: USD\n", IN_EUR + RATE, "says that it is in USD"),
        ("# currency: NOK\n", IN_EUR + RATE, "says that it is in NOK"),
        ("# currency: EUR\n", IN_EUR + RATE, ""),
        ("# currency: EUR, at 1.08 USD per EUR\n", FILE, ""),
        ("# a remark\n", IN_EUR + RATE, ""),
    ],
)
def test_a_file_that_tells_its_currency_is_believed(
    tmp_path: Path, top: str, text: str, words: str
) -> None:
    found = told(tmp_path / "i", text, hourly(top=top))
    if not words:
        assert found == []
        return
    [(severity, key, message, _)] = found
    assert (severity, key) == ("error", "power.grid.currency")
    assert words in message


def test_a_rate_may_stand_in_a_table_by_month(tmp_path: Path) -> None:
    text = IN_EUR + edited("1.1", '"euro"', RATE)
    paths = "month,euro\n2027-01,1.1\n2027-02,1.2\n"
    loaded = load(write_folder(tmp_path / "i", text, h_csv=hourly(), paths_csv=paths))
    made = prepare(loaded.instance, loaded.hours)
    months = made.given.tree.months
    assert made.given.exchange[0, "north"] == pytest.approx((1.1 + (months - 1) * 1.2) / months)


def test_a_file_given_on_the_command_line_is_compared_too(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(hourly(top="# currency: EUR\n"), encoding="utf-8")
    folder = write_folder(tmp_path / "i", INSTANCE)
    _, problems = examine(folder, {"north": other})
    assert any("says that it is in EUR" in p.message for p in problems)
