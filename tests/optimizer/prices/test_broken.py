"""Broken price files: each gives one clear message, exit code 3, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from optimizer.cli import main
from tests.optimizer.prices.writers import (
    CENTRAL,
    YEARLY,
    Prices,
    daily,
    engine,
    entsoe,
    entsoe_bulk,
    entsoe_utc,
    gridstatus_io,
    mapped_start,
    oasis,
    processed,
    processed_utc,
    real_time,
    some_prices,
    to_csv,
    to_zip,
    whole_year,
    wide,
    yearly,
    zone,
)

DAY = some_prices(datetime(2023, 5, 1, tzinfo=zone(CENTRAL)), 24)
ALL = ("--year", "all")
Make = Callable[[Path], list[Path]]


@dataclass(frozen=True)
class Broken:
    """A broken file: how it is made, what is typed with it, and what has to be said."""

    name: str
    make: Make
    says: tuple[str, ...]
    typed: tuple[str, ...] = ALL
    line: int | None = None


def raw(content: str | bytes, name: str = "broken.csv") -> Make:
    def make(folder: Path) -> list[Path]:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        return [folder / name]

    return make


def edited(write: Callable[..., list[Path]], old: str, new: str, prices: Prices = DAY) -> Make:
    """A good file with one piece of its text changed, once."""

    def make(folder: Path) -> list[Path]:
        files = write(folder, prices)
        text = files[0].read_text(encoding="utf-8")
        assert old in text
        files[0].write_text(text.replace(old, new, 1), encoding="utf-8")
        return files

    return make


def good(write: Callable[..., list[Path]], prices: Prices = DAY, *more: object) -> Make:
    return lambda folder: write(folder, prices, *more)


def lines(
    write: Callable[..., list[Path]], change: Callable[[list[str]], list[str]],
    prices: Prices = DAY,
) -> Make:  # fmt: skip
    """A good file whose lines are changed."""

    def make(folder: Path) -> list[Path]:
        files = write(folder, prices)
        rows = files[0].read_text(encoding="utf-8").splitlines()
        files[0].write_text("\n".join(change(rows)) + "\n", encoding="utf-8")
        return files

    return make


def twins(folder: Path) -> list[Path]:
    (file,) = yearly(folder, DAY)
    copy = folder / "copy.csv"
    copy.write_bytes(file.read_bytes())
    return [file, copy]


def overlapping(folder: Path) -> list[Path]:
    (file,) = yearly(folder, DAY)
    last = dict(list(DAY.items())[-3:])
    (folder / "more").mkdir()
    (other,) = yearly(folder / "more", last)
    return [file, other.rename(folder / "other.csv")]


def two_layouts(folder: Path) -> list[Path]:
    return [*yearly(folder, DAY), *real_time(folder, DAY)]


def nested(folder: Path) -> list[Path]:
    inner = to_zip(folder / "0.zip", {"a.csv": "x"})
    for depth in (1, 2, 3):
        inner = to_zip(folder / f"{depth}.zip", {f"{depth - 1}.zip": inner.read_bytes()})
    return [inner]


def cut_short(folder: Path) -> list[Path]:
    file = to_zip(folder / "cut.zip", {"a.csv": "x,y\n" * 1000})
    file.write_bytes(file.read_bytes()[:60])
    return [file]


def a_folder(folder: Path) -> list[Path]:
    (folder / "prices.csv").mkdir()
    return [folder / "prices.csv"]


def half(write: Callable[..., list[Path]]) -> Make:
    year = whole_year(CENTRAL)
    return good(write, dict(list(year.items())[: len(year) // 2]))


MAPPED = ("--price-column", "nok", "--stamp", "start", "--timezone", "Europe/Oslo", *ALL)
MONEY = ("--currency", "NOK")
PLAIN = "when,nok\n2023-05-01 00:00,10\n2023-05-01 01:00,11\n"

BROKEN = (
    # --- the file itself
    Broken("empty", raw(""), ("the file is empty",)),
    Broken("blank lines", raw("\n\n\n"), ("the file is empty",)),
    Broken("header alone", raw(",".join(YEARLY) + "\n"), ("a header and no rows",)),
    Broken("no such file", lambda folder: [folder / "gone.csv"], ("there is no such file",)),
    Broken("a folder", a_folder, ("a folder, not a file",)),
    Broken("another kind", raw(b"%PDF", "prices.pdf"),
           ("this kind are not read", ".pdf", ".xlsx")),
    Broken("UTF-16", raw("a,b\n1,2\n".encode("utf-16")), ("not UTF-8", "UTF-16")),
    Broken("Latin-1", raw(b"time,price_usd_per_mwh\n\xe4,1\n"), ("not UTF-8",), line=2),
    Broken("open quote", raw('Datetime,"Price (USD/MWh)\n'), ("this is not CSV",)),
    Broken("no workbook", raw(b"PK nonsense", "dam.xlsx"), ("workbook cannot be read",)),
    Broken("no frame", raw(b"PAR1 nonsense", "dam.parquet"), ("Parquet file cannot be read",)),
    Broken("archive cut short", cut_short, ("archive cannot be unpacked", "is it whole")),
    Broken("archive of nothing", lambda folder: [to_zip(folder / "a.zip", {})],
           ("holds no price file",)),
    Broken("archive of pages", lambda folder: [to_zip(folder / "a.zip", {"a.xml": "<a/>"})],
           ("holds no price file", ".csv")),
    Broken("archives too deep", nested, ("nested too deeply", "unpack")),
    Broken("given twice", twins, ("the file is given twice", "dam.csv")),
    Broken("two layouts", two_layouts, ("not of one layout", "NP6-785-ER", "NP4-180-ER")),
    # --- columns
    Broken("no layout", raw("a,b\n1,2\n"), ("layout is not known", "--price-column", "NP4-180")),
    Broken("no flag", edited(yearly, "Repeated Hour Flag", "Again"),
           ("layout is not known", "most like ERCOT day-ahead", "repeatedhourflag"), line=1),
    Broken("no price", edited(yearly, "Settlement Point Price", "Settlement"),
           ("layout is not known", "settlementpointprice")),
    Broken("price twice", edited(processed, "Price (USD/MWh)", "Price (USD/MWh),Price (USD/MWh)"),
           ("given twice", "Price (USD/MWh)"), line=1),
    Broken("unknown clock", edited(entsoe, "MTU (CET/CEST)", "MTU (MSK)"),
           ("layout is not known", "no known zone")),
    Broken("a row too long", edited(yearly, "02:00,N,", "02:00,N,,"),
           ("as many cells as the header", "6 cells", "5 cells"), line=3),
    Broken("a row too short", edited(yearly, "02:00,N,", "02:00,"),
           ("as many cells as the header", "4 cells"), line=3),
    # --- cells
    Broken("text for a price", lines(yearly, lambda r: [*r[:4], r[4].rpartition(",")[0] + ",high",
                                                        *r[5:]]),
           ("the price is no number", "'high'", "a number"), line=5),
    Broken("decimal comma", raw("Datetime;Price (USD/MWh)\n2023-05-01 00:00:00-05:00;12,5\n"),
           ("the price is no number", "decimal point"), line=2),
    Broken("thousands", raw('Datetime,Price (USD/MWh)\n2023-05-01 00:00:00-05:00,"1,234.5"\n'),
           ("the price is no number", "without a comma"), line=2),
    Broken("a sign", raw("Datetime,Price (USD/MWh)\n2023-05-01 00:00:00-05:00,$12.5\n"),
           ("the price is no number", "$12.5"), line=2),
    Broken("infinite", raw("Datetime,Price (USD/MWh)\n2023-05-01 00:00:00-05:00,inf\n"),
           ("the price is no number",), line=2),
    Broken("all text", lines(yearly, lambda r: [
               r[0], *(x.rpartition(",")[0] + ",a" for x in r[1:])]),
           ("the price is no number", "first of 24"), line=2),
    Broken("hour 0", edited(yearly, "01:00,N", "00:00,N"),
           ("time cannot be read", "1 to 24", "hour that begins"), line=2),
    Broken("hour 25", edited(yearly, "24:00,N", "25:00,N"), ("time cannot be read", "1 to 24"),
           line=25),
    Broken("half past", edited(yearly, "02:00,N", "02:30,N"), ("time cannot be read", "02:30"),
           line=3),
    Broken("fifth quarter", edited(real_time, ",1,4,N", ",1,5,N"),
           ("time cannot be read", "1 to 4"), line=5),
    Broken("day first", edited(yearly, "05/01/2023", "31/05/2023"),
           ("time cannot be read", "12/31/2023", "other way round"), line=2),
    Broken("no such day", edited(yearly, "05/01/2023", "02/30/2023"),
           ("time cannot be read", "02/30/2023"), line=2),
    Broken("no time", edited(processed, "2023-05-01 03:00:00-05:00", "yesterday"),
           ("time cannot be read", "'yesterday'"), line=5),
    Broken("seconds", edited(processed, "2023-05-01 03:00:00-05:00", "2023-05-01 03:00:07-05:00"),
           ("time cannot be read", "on the minute"), line=5),
    Broken("flag", edited(yearly, "02:00,N", "02:00,X"), ("time cannot be read", "Y or N"),
           line=3),
    # --- the clock
    Broken("hour of spring", lines(yearly, lambda r: [r[0], *(x.replace("05/01", "03/12")
                                                              for x in r[1:])]),
           ("clock does not show this hour", "2023-03-12 02:00:00", "shifted"), line=4),
    Broken("flag in May", edited(yearly, "02:00,N", "02:00,Y"),
           ("marked as repeated", "2023-05-01 01:00:00"), line=3),
    Broken("some offsets", edited(processed, "03:00:00-05:00", "03:00:00"),
           ("carry an offset", "some do not"), line=5),
    Broken("zones joined", edited(processed, "03:00:00-05:00", "09:00:00+01:00"),
           ("offset from UTC is not that of the zone", "UTC+01:00"), line=5),
    Broken("offsets of three zones",
           raw("time,price_usd_per_mwh\n2023-05-01 00:00-05:00,1\n2023-05-01 07:00+01:00,2\n"
               "2023-05-01 02:00-05:00,3\n2023-05-01 03:00-04:00,3\n"),
           ("of no one zone", "UTC-05:00, UTC-04:00, UTC+01:00")),
    Broken("no offset", raw("Datetime,Price (USD/MWh)\n2023-05-01 00:00,12\n"),
           ("carry no offset", "--clock UTC"), line=2),
    Broken("a clock too many", good(processed), ("carry their offset", "--clock UTC"),
           (*ALL, "--clock", "UTC"), line=2),
    Broken("UTC and no zone", good(gridstatus_io), ("local zone is not known", "--timezone")),
    Broken("half an hour late", edited(processed, "03:00:00-05:00", "03:30:00-05:00"),
           ("no hour has all of its parts", "2023-05-01 03:30-0500"), line=5),
    Broken("shifted by minutes", lines(gridstatus_io, lambda r: [
               r[0], *(x.replace(":00:00", ":20:00") for x in r[1:])]),
           ("does not lie in one hour",), (*ALL, "--timezone", "America/Chicago")),
    Broken("two hours at once",
           raw("MTU (CET/CEST),Day-ahead Price [EUR/MWh]\n"
               "01.05.2023 00:00 - 01.05.2023 02:00,7\n"),
           ("no part of an hour", "120 minutes"), line=2),
    # --- points, markets, currencies
    Broken("several points", good(yearly, DAY, ("HB_NORTH", "HB_WEST")),
           ("holds 2 points", "HB_NORTH, HB_WEST", "--point")),
    Broken("no such point", good(yearly), ("no such point", "HB_HUBAV", "did you mean"),
           (*ALL, "--point", "HB_HUBAV")),
    Broken("points not told", good(engine), ("does not tell points apart",),
           (*ALL, "--point", "HB_WEST")),
    Broken("several markets", good(wide), ("holds 4 markets", "day-ahead", "--market")),
    Broken("no such market", good(yearly), ("no such market", "real-time", "day-ahead"),
           (*ALL, "--market", "real-time")),
    Broken("several sequences", good(entsoe_utc, DAY, ("Sequence 1", "Sequence 2")),
           ("holds 2 markets", "Sequence 1, Sequence 2")),
    Broken("several nodes", good(oasis, DAY, ("TH_NP15", "TH_SP15")), ("holds 2 points",)),
    Broken("currencies joined", edited(entsoe_bulk, "EUR", "GBP"),
           ("several currencies", "EUR, GBP")),
    Broken("another currency", good(entsoe), ("in another currency", "EUR", "GBP"),
           (*ALL, "--currency", "GBP")),
    Broken("a rate for dollars", good(yearly), ("in USD already",), (*ALL, "--exchange", "1.1")),
    Broken("reserve for the engine", good(wide), ("for reserve, not for energy", "regdn"),
           (*ALL, "--market", "regdn", "--out", "new.csv")),
    # --- hours
    Broken("a gap", lines(yearly, lambda r: r[:5] + r[6:]),
           ("1 hour of 24 has no price", "2023-05-01 04:00-0500", "--fill")),
    Broken("two gaps", lines(yearly, lambda r: r[:5] + r[8:12] + r[13:]),
           ("4 hours of 24", "04:00-0500 to 2023-05-01 06:00-0500 (3 h); 2023-05-01 11:00-0500")),
    Broken("a quarter lost", lines(real_time, lambda r: r[:6] + r[7:]),
           ("1 hour of 24 has no price, 1 hour of them known in part",)),
    Broken("a year of parts", lines(real_time, lambda r: [
               *r, *(f"05/01/2022,{hour},1,N,HB_HUBAVG,HU,7" for hour in (1, 2))]),
           ("no hour of the years wanted", "2 hours known in part"), ("--year", "2022")),
    Broken("a row twice", lines(yearly, lambda r: r[:6] + r[5:]),
           ("1 interval given twice", "--duplicates", "2023-05-01 04:00-0500"), line=7),
    Broken("a point twice", lines(yearly, lambda r: r + r[1:]), ("24 intervals given twice",),
           line=26),
    Broken("two prices", lines(yearly, lambda r: [*r, r[3].rpartition(",")[0] + ",999"]),
           ("1 interval given twice", "999"), line=26),
    Broken("files overlap", overlapping, ("3 intervals given twice", "2023-05-01 21:00-0500")),
    Broken("hour and quarters", lines(entsoe_utc, lambda r: [
               *r, r[1].replace("05:15:00", "06:00:00").replace("05:00:00 -", "05:05:00 -")]),
           ("no part of an hour", "55 minutes")),
    Broken("whole and in parts",
           raw("MTU (UTC),Area,Day-ahead Price (EUR/MWh)\n"
               "01/05/2023 00:00 - 01/05/2023 01:00,BZN|FR,7\n"
               "01/05/2023 00:15 - 01/05/2023 00:30,BZN|FR,7\n"),
           ("both whole and in parts", "75 minutes"), line=3),
    Broken("no price at all", lines(processed, lambda r: [r[0], *(x.rpartition(",")[0] + ","
                                                                  for x in r[1:])]),
           ("no row has a price",)),
    Broken("two years",
           good(processed_utc, some_prices(datetime(2022, 12, 31, 8, tzinfo=UTC), 60)),
           ("hours of 2 years", "2022: 24 h, 2023: 36 h", "--year"), ()),
    Broken("another year", good(yearly), ("no hours of 2019", "2023: 24 h"), ("--year", "2019")),
    Broken("years apart", good(yearly, whole_year(CENTRAL, 2021) | whole_year(CENTRAL, 2023)),
           ("do not follow each other", "2021, 2023"), ("--year", "2021", "--year", "2023")),
    Broken("half a year", half(yearly), ("4,380 hours of 8,760 have no price",
                                         "to 2023-12-31 23:00-0600 (4,380 h)"), ()),
    Broken("half a year to fill", half(yearly), ("too many to fill", "4,380 of 8,760", "730"),
           ("--fill", "previous-day")),
    Broken("nothing to fill from", lines(yearly, lambda r: [
               r[0], "05/01/2023,01:00,N,HB_HUBAVG,", *r[2:]]),
           ("finds no price", "2023-05-01 00:00-0500", "same-hour-mean"),
           (*ALL, "--fill", "previous-hour")),
    Broken("a day for the engine", good(yearly), ("cannot take part of a year", "whole months"),
           (*ALL, "--out", "new.csv")),
    Broken("a month for the engine",
           good(yearly, some_prices(datetime(2023, 5, 1, tzinfo=zone(CENTRAL)), 744)),
           ("cannot take part of a year", "2023-05-31 23:00-0500"), (*ALL, "--out", "new.csv")),
    Broken("beyond any market", edited(yearly, "HB_HUBAVG,40.0", "HB_HUBAVG,123456"),
           ("outside any market's range", "123456", "--exchange")),
    Broken("dollars per kWh", lambda folder: yearly(
               folder, {t: round(p / 1000, 5) for t, p in whole_year(CENTRAL).items()}),
           ("far from real figures", "$/kWh"), ()),
    # --- columns by name
    Broken("no such column", raw(PLAIN), ("no such column", "did you mean `when`"),
           (*MAPPED, *MONEY, "--time-column", "wehn"), line=1),
    Broken("no currency", raw(PLAIN), ("does not tell the currency", "--currency"),
           (*MAPPED, "--time-column", "when")),
    Broken("order of the date", good(mapped_start), ("time cannot be read", "--date-order"),
           (*MAPPED, *MONEY, "--time-column", "when"), line=2),
    Broken("whose clock", raw(PLAIN), ("carry no offset", "--timezone"),
           ("--price-column", "nok", "--time-column", "when", "--stamp", "start", *MONEY, *ALL)),
)  # fmt: skip


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 40
    assert len({broken.name for broken in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_file_gives_one_clear_message(
    broken: Broken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    files = broken.make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    typed = ["prices", *(str(file) for file in files), *broken.typed]
    assert main([*typed, "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "refused"
    (problem,) = answer["problems"]
    told = " ".join(str(problem[part]) for part in ("message", "key", "found", "allowed", "hint"))
    assert [words for words in broken.says if words not in told] == []
    assert problem["file"].split("/")[0] in {*(file.name for file in files), "new.csv"}
    if broken.line is not None:
        assert problem["line"] == broken.line
    assert main(typed) == 3
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    assert shown.count("error  ") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_daily_files_in_any_order_are_one_series(tmp_path: Path) -> None:
    files = daily(tmp_path, some_prices(datetime(2023, 5, 1, tzinfo=zone(CENTRAL)), 72))
    assert main(["prices", *(str(file) for file in reversed(files)), *ALL, "--quiet"]) == 0


def test_a_file_that_is_only_read_is_left_alone(tmp_path: Path) -> None:
    file = to_csv(tmp_path / "a.csv", [("Datetime", "Price (USD/MWh)"),
                                       ("2023-05-01 00:00-05:00", 1)])  # fmt: skip
    content = file.read_bytes()
    assert main(["prices", str(file), *ALL, "--quiet"]) == 0
    assert file.read_bytes() == content
