"""The command: what it prints, writes and refuses, and the engine on what it wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from optimizer.case import prepare
from optimizer.cli import main
from optimizer.highs import Options
from optimizer.load import examine, load
from optimizer.prices.figures import HASHPRICE, PUE
from optimizer.solve import solve
from tests.folders import edited, write_folder
from tests.optimizer.prices.writers import (
    CASES,
    CENTRAL,
    HOUR,
    aeso_table,
    entsoe_utc,
    real_time,
    some_prices,
    whole_year,
    wide,
    yearly,
    yearly_zip,
    zone,
)


@dataclass(frozen=True)
class Said:
    """What a run said."""

    code: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object on stdout, and nothing else there."""
        (line,) = self.out.splitlines()
        return dict(json.loads(line))


Command = Callable[..., Said]


@pytest.fixture
def prices(capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: object) -> Said:
        code = main(["prices", *(str(argument) for argument in arguments)])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return yearly(tmp_path_factory.mktemp("year"), whole_year(CENTRAL))[0]


def test_a_year_is_told_on_the_screen(prices: Command, year: Path) -> None:
    said = prices(year)
    assert said.code == 0
    assert max(len(line) for line in said.out.splitlines()) <= 100
    for words in ("HB_HUBAVG", "day-ahead", "8,760 of 8,760", "America/Chicago", "gaps", "none",
                  "1 hour: 2023-11-05 01:00-0600", "Duration curve", "mean of the rest",
                  "What machines would run", "38 $/PH/day", "antminer-s21 "):  # fmt: skip
        assert words in said.out
    assert not said.err


@pytest.mark.parametrize("width", [100, 80])
def test_a_narrow_terminal_holds_it(
    prices: Command, year: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimizer.commands.voice.WIDTH", width)
    lines = prices(year).out.splitlines()
    assert max(len(line) for line in lines) <= width
    assert [line.split()[:4] for line in lines if line.startswith("    0 %")] == [
        ["0", "%", "0", f"{max(whole_year(CENTRAL).values()):.2f}"]
    ]


def test_names_with_line_breaks_stay_in_their_remark(prices: Command, tmp_path: Path) -> None:
    (file,) = yearly(tmp_path, whole_year(CENTRAL), ['"HB\nWEST"'])
    out = tmp_path / "hours.csv"
    assert prices(file, "--out", out).code == 0
    assert "# point: " in out.read_text()


def test_a_program_gets_one_object(prices: Command, year: Path) -> None:
    said = prices(year, "--json")
    told = said.object
    assert (said.code, said.err) == (0, "")
    assert (told["status"], told["out"], told["layout"]) == ("read", None, "ercot-dam-yearly")
    assert (told["rows"], told["hours"], told["expected_hours"]) == (8760, 8760, 8760)
    assert told["doubled_hours"] == ["2023-11-05 01:00:00-06:00"]
    assert told["mining"] == {"hashprice": HASHPRICE, "pue": PUE, "adder": 0.0}
    assert [len(digest) for digest in told["files"].values()] == [64]


def test_hashprice_pue_and_adder_move_the_break_even(prices: Command, year: Path) -> None:
    told = prices(year, "--json", "--hashprice-usd-per-ph-day", 35, "--pue", 1.05,
                  "--adder-usd-per-mwh", 10).object  # fmt: skip
    s21 = next(m for m in told["machines"] if m["machine"] == "antminer-s21")
    assert s21["break_even"] == pytest.approx(35 / (17.5 * 0.024) / 1.05 - 10)


def test_quiet_says_nothing_that_is_not_wrong(prices: Command, year: Path, tmp_path: Path) -> None:
    said = prices(year, "--quiet", "--out", tmp_path / "a.csv")
    assert (said.code, said.err) == (0, "")


# --- writing -------------------------------------------------------------------------------


def test_the_file_says_where_it_is_from(prices: Command, year: Path, tmp_path: Path) -> None:
    out = tmp_path / "hours.csv"
    said = prices(year, "--out", out, "--json")
    assert (said.code, said.object["status"], said.object["out"]) == (0, "written", str(out))
    head = [line for line in out.read_text().splitlines() if line.startswith("#")]
    (digest,) = said.object["files"].values()
    assert head[0].startswith("# written by rackwatt ")
    assert head[1:] == [
        f"# source: dam.csv, sha256 {digest}",
        "# layout: ERCOT day-ahead, yearly (NP4-180-ER)",
        "# point: HB_HUBAVG",
        "# market: day-ahead",
        "# zone: America/Chicago",
        "# currency: USD",
        "# hours: 8760, none filled",
    ]


def test_the_same_input_gives_the_same_bytes(prices: Command, year: Path, tmp_path: Path) -> None:
    written = []
    for name in ("a.csv", "b.csv"):
        assert prices(year, "--out", tmp_path / name).code == 0
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    assert b"\r" not in written[0]


def test_what_is_filled_is_told_and_written(prices: Command, tmp_path: Path) -> None:
    files = wide(tmp_path, dict(list(whole_year(CENTRAL).items())[:-3]))
    out = tmp_path / "hours.csv"
    asked = (*files, "--market", "day-ahead", "--out", out)
    refused = prices(*asked)
    assert (refused.code, out.exists()) == (3, False)
    assert "3 hours of 8,760 have no price" in refused.err
    assert "2023-12-31 21:00-0600 to 2023-12-31 23:00-0600 (3 h)" in refused.err
    assert "Duration curve" in refused.out
    said = prices(*asked, "--fill", "previous-day")
    assert said.code == 0
    assert "filled by previous-day: 2023-12-31 21:00-0600 to 2023-12-31 23:00-0600" in said.err
    text = out.read_text()
    assert "# hours: 8760, 3 of them filled by previous-day\n" in text
    assert "# filled: 2023-12-31 21:00-0600 to 2023-12-31 23:00-0600 (3 h)\n" in text


def test_a_refusal_for_gaps_gives_a_program_all_of_them(prices: Command, tmp_path: Path) -> None:
    some = whole_year(CENTRAL)
    files = yearly(tmp_path, {t: p for n, (t, p) in enumerate(some.items()) if n % 400 != 7})
    told = prices(*files, "--json").object
    assert (told["status"], told["gap_hours"], len(told["gaps"])) == ("refused", 22, 22)
    assert told["gaps"][0] == {"first": "2023-01-01 07:00:00-06:00", "hours": 1}
    (problem,) = told["problems"]
    assert "and 10 more" in problem["found"]


def test_nothing_is_replaced_unasked(prices: Command, year: Path, tmp_path: Path) -> None:
    out = tmp_path / "hours.csv"
    out.write_text("mine")
    said = prices(year, "--out", out)
    assert (said.code, out.read_text()) == (2, "mine")
    assert "--overwrite" in said.err
    assert prices(year, "--out", out, "--overwrite").code == 0
    assert out.read_text().startswith("# written by")
    assert prices(out, "--out", out, "--overwrite").code == 2
    assert prices(year, "--out", tmp_path).code == 2
    assert prices(year, "--out", tmp_path / "no" / "a.csv").code == 2


def test_a_refusal_leaves_the_file_that_is_there(prices: Command, tmp_path: Path) -> None:
    out = tmp_path / "hours.csv"
    out.write_text("mine")
    files = yearly(tmp_path, some_prices(datetime(2023, 1, 1, 6, tzinfo=UTC), 5000))
    assert prices(*files, "--out", out, "--overwrite").code == 3
    assert out.read_text() == "mine"


def test_other_currencies_are_told_as_they_are_and_converted_when_asked(
    prices: Command, tmp_path: Path
) -> None:
    files = entsoe_utc(tmp_path, whole_year("Europe/Brussels"))
    told = prices(*files, "--json").object
    assert (told["currency"], told["unit"], told["machines"]) == ("EUR", "EUR/MWh", [])
    assert "EUR/MWh" in prices(*files).out
    out = tmp_path / "hours.csv"
    converted = prices(*files, "--json", "--exchange", 1.08, "--out", out).object
    assert converted["mean"] == pytest.approx(1.08 * told["mean"], abs=1e-6)
    assert (converted["unit"], converted["exchange_usd_per_unit"]) == ("USD/MWh", 1.08)
    assert converted["machines"]
    assert "# currency: EUR, at 1.08 USD per EUR\n" in out.read_text()


def test_prices_that_stay_in_their_currency_are_read_in_it(
    prices: Command, tmp_path: Path
) -> None:
    out = tmp_path / "hours.csv"
    said = prices(*entsoe_utc(tmp_path, whole_year("Europe/Brussels")), "--out", out)
    assert said.code == 0
    assert 'currency = "EUR"' in said.err
    text = out.read_text()
    assert "# currency: EUR\n" in text
    assert "\ntime,price_per_mwh\n" in text
    rate = "\n[currencies.EUR]\nusd_per_unit = 1.1\n"
    for more, problems in (("", 1), ('\ncurrency = "EUR"', 0)):
        typed = edited("flat_usd_per_mwh = 40", f'prices = "hours.csv"{more}')
        folder = write_folder(tmp_path / f"i{problems}", typed + (rate if more else ""),
                              hours_csv=text)  # fmt: skip
        _, found = examine(folder)
        assert [p.key for p in found] == ["power.grid.currency"] * problems


def test_a_rate_the_wrong_way_round_is_refused(prices: Command, tmp_path: Path) -> None:
    files = entsoe_utc(tmp_path, whole_year("Europe/Brussels"))
    said = prices(*files, "--exchange", 11.2)
    assert said.code == 3
    assert "far from real ones" in said.err
    assert "0.0892857" in said.err


def test_a_file_of_our_own_in_another_currency_is_read_again(
    prices: Command, tmp_path: Path
) -> None:
    out = tmp_path / "hours.csv"
    told = prices(*entsoe_utc(tmp_path, whole_year("Europe/Brussels")), "--json", "--out", out)
    again = prices(out, "--json", "--currency", "EUR").object
    assert (again["currency"], again["mean"]) == ("EUR", told.object["mean"])
    said = prices(out)
    assert said.code == 3
    assert "does not tell the currency" in said.err


def test_prices_under_a_name_of_no_currency_need_one(tmp_path: Path) -> None:
    curve = "month,hours,price_per_mwh\n" + "".join(
        f"{m},{h},40\n"
        for m, h in enumerate((744, 672, 744, 720) + (744, 720, 744) * 3, 1)
        if m <= 12
    )
    typed = edited("flat_usd_per_mwh = 40", 'duration = "curve.csv"')
    _, found = examine(write_folder(tmp_path / "i", typed, curve_csv=curve))
    messages = [p.message for p in found if p.key == "power.grid.currency"]
    assert messages == ["nothing says in which currency the prices are"]


def test_what_is_not_read_is_named(prices: Command, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "daily_zip")
    files = case.write(tmp_path, some_prices(datetime(2023, 5, 1, 5, tzinfo=UTC), 24))
    said = prices(*files, "--year", "all")
    assert said.code == 0
    assert "not read, for no prices stand there: days.zip/cdr.05012023.xml" in said.err


@pytest.mark.parametrize(
    "typed",
    [
        ("--year", "24"),
        ("--year", "all", "--year", "2023"),
        ("--timezone", "Mars/Olympus"),
        ("--clock", "CT"),
        ("--currency", "euro"),
        ("--exchange", "0"),
        ("--fill", "zero"),
        ("--duplicates", "mean"),
        ("--pue", "0.9"),
        ("--hashprice-usd-per-ph-day", "-1"),
        ("--time-column", "when"),
        ("--price-column", "p"),
        ("--price-column", "p", "--time-column", "t"),
        ("--price-column", "p", "--date-column", "d", "--stamp", "start"),
        ("--price-column", "p", "--time-column", "t", "--date-column", "d", "--hour-column", "h"),
        ("--stamp", "start"),
    ],
)
def test_a_mistake_in_the_command_is_one(
    prices: Command, year: Path, typed: tuple[str, ...]
) -> None:
    said = prices(year, *typed)
    assert (said.code, said.out) == (2, "")
    assert said.err


# --- the engine on what was written --------------------------------------------------------


def test_the_engine_solves_with_what_was_written(prices: Command, tmp_path: Path) -> None:
    (file,) = yearly_zip(tmp_path, whole_year(CENTRAL), ("HB_NORTH", "HB_WEST"))
    out = tmp_path / "north.csv"
    assert prices(file, "--point", "HB_NORTH", "--out", out).code == 0
    loaded = load(write_folder(tmp_path / "small"), {"north": out})
    hours = loaded.hours["grid"]
    assert len(hours) == 8760
    assert hours.weight_h.sum() == pytest.approx(8760)
    assert [*hours.price_usd_per_mwh] == [*whole_year(CENTRAL).values()]
    solved = solve(prepare(loaded.instance, loaded.hours), Options(gap=0.01, time_limit=60))
    assert solved.status == "solved"


def test_a_file_inside_the_instance_is_read_too(
    prices: Command, year: Path, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "small")
    assert prices(year, "--out", folder / "hours.csv").code == 0
    toml = folder / "instance.toml"
    typed = toml.read_text().replace("flat_usd_per_mwh = 40", 'prices = "hours.csv"')
    toml.write_text(typed)
    assert len(load(folder).hours["grid"]) == 8760


def test_leap_years_and_years_together_are_hours_of_the_engine(
    prices: Command, tmp_path: Path
) -> None:
    both = whole_year(CENTRAL, 2023) | whole_year(CENTRAL, 2024)
    files = yearly(tmp_path, both)
    leap, two = tmp_path / "leap.csv", tmp_path / "two.csv"
    assert prices(*files, "--year", 2024, "--out", leap).code == 0
    assert prices(*files, "--year", 2023, "--year", 2024, "--out", two).code == 0
    small = write_folder(tmp_path / "small")
    hours = load(small, {"north": leap}).hours["grid"]
    assert (len(hours), (hours.month == 2).sum()) == (8784, 29 * 24)
    hours = load(small, {"north": two}).hours["grid"]
    assert (len(hours), hours.weight_h.sum()) == (17544, pytest.approx(8772))


def test_what_was_written_reads_back(prices: Command, tmp_path: Path) -> None:
    files = real_time(tmp_path, whole_year(CENTRAL))
    first, again = tmp_path / "first.csv", tmp_path / "again.csv"
    told = prices(*files, "--out", first, "--json").object
    back = prices(first, "--out", again, "--json").object
    for key in ("hours", "mean", "min", "max", "negative_hours", "doubled_hours", "first"):
        assert told[key] == back[key]
    rows = [[line for line in file.read_text().splitlines() if not line.startswith("#")]
            for file in (first, again)]  # fmt: skip
    assert rows[0] == rows[1]


def test_marks_that_are_not_carried_over_are_named(prices: Command, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    start = datetime(2023, 5, 1, 5, tzinfo=UTC)
    rows = [
        f"{(start + n * HOUR).astimezone(zone(CENTRAL)).isoformat(' ')},20,1" for n in range(3)
    ]
    file.write_text("time,price_usd_per_mwh,cut\n" + "\n".join(rows) + "\n")
    assert "not carried over: marks of hours that are cut" in prices(file, "--year", "all").err


def test_alberta_is_refused_for_its_collapsed_hour(prices: Command, tmp_path: Path) -> None:
    some = whole_year("America/Edmonton")
    del some[datetime(2023, 11, 5, 8, tzinfo=UTC)]
    said = prices(*aeso_table(tmp_path, some))
    assert said.code == 3
    assert "2023-11-05 01:00-0700" in said.err
    assert "CAD/MWh" in said.out
