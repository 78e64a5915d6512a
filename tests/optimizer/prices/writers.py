"""Price files as markets publish them, written from a series: one writer a layout.

A series is moment in UTC -> price. Quarter-hours are written so that their mean is the price.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd

from optimizer.prices.quotes import Reading, read_quotes
from optimizer.prices.series import Series, make_series
from optimizer.prices.tables import open_files
from optimizer.prices.wish import ColumnMap, Wish

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
#: What the four quarters of an hour differ from its mean by.
AROUND = (-1.5, 0.5, 2.0, -1.0)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun",
          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # fmt: skip

Prices = dict[datetime, float]


def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def some_prices(first: datetime, hours: int) -> Prices:
    """Prices with two decimals, each hour another, some below zero."""
    start = first.astimezone(UTC)
    return {start + n * HOUR: round(40 + (n * 37 % 101) - 60 * (n % 17 == 3) + n / 100 % 1, 2)
            for n in range(hours)}  # fmt: skip


def whole_year(name: str, year: int = 2023) -> Prices:
    first = datetime(year, 1, 1, tzinfo=zone(name))
    after = datetime(year + 1, 1, 1, tzinfo=zone(name))
    return some_prices(first, round((after.astimezone(UTC) - first.astimezone(UTC)) / HOUR))


def read(*files: Path, **wanted: object) -> tuple[Reading, Series]:
    wish = Wish(**({"every_year": True} | wanted))  # type: ignore[arg-type]
    reading = read_quotes(open_files(files).tables, wish)
    return reading, make_series(reading, wish, files[0].name)


def by_moment(series: Series) -> Prices:
    return {
        start.astimezone(UTC): price
        for start, price in zip(series.starts, series.prices, strict=True)
    }


def is_second(moment: datetime, name: str) -> bool:
    """Whether the local clock shows the hour for the second time."""
    return bool(moment.astimezone(zone(name)).fold)


def local(moment: datetime, name: str) -> datetime:
    return moment.astimezone(zone(name))


def quarters(prices: Prices) -> Iterable[tuple[datetime, datetime, float]]:
    for start, price in prices.items():
        for n, around in enumerate(AROUND):
            yield start, start + n * QUARTER, round(price + around, 2)


def to_csv(path: Path, rows: Iterable[Sequence[object]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return path


def text_of(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def to_zip(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


# --- ERCOT ---------------------------------------------------------------------------------

CENTRAL = "America/Chicago"
YEARLY = ("Delivery Date", "Hour Ending", "Repeated Hour Flag", "Settlement Point",
          "Settlement Point Price")  # fmt: skip
DAILY = ("DeliveryDate", "HourEnding", "SettlementPoint", " SettlementPointPrice", "DSTFlag")
REAL_TIME = ("Delivery Date", "Delivery Hour", "Delivery Interval", "Repeated Hour Flag",
             "Settlement Point Name", "Settlement Point Type",
             "Settlement Point Price")  # fmt: skip


def flag(moment: datetime) -> str:
    return "Y" if is_second(moment, CENTRAL) else "N"


def yearly_rows(prices: Prices, points: Sequence[str]) -> list[tuple[object, ...]]:
    return [
        (f"{at:%m/%d/%Y}", f"{at.hour + 1:02d}:00", flag(start), point, price + 1000 * n)
        for start, price in prices.items()
        for at in [local(start, CENTRAL)]
        for n, point in enumerate(points)
    ]


def daily_rows(prices: Prices, points: Sequence[str]) -> list[tuple[object, ...]]:
    return [(*row[:2], row[3], row[4], row[2]) for row in yearly_rows(prices, points)]


def real_time_rows(prices: Prices, points: Sequence[str]) -> list[tuple[object, ...]]:
    return [
        (f"{at:%m/%d/%Y}", at.hour + 1, at.minute // 15 + 1, flag(start), point, "HU",
         price + 1000 * n)
        for hour, start, price in quarters(prices)
        for at in [local(start, CENTRAL)]
        for n, point in enumerate(points)
    ]  # fmt: skip


def workbook(header: Sequence[str], rows: Sequence[Sequence[object]], titled: bool) -> bytes:
    """A book with a sheet a month; ``titled`` puts a logo's room and a title above the header."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, month in enumerate(MONTHS, 1):
        own = [row for row in rows if int(str(row[0])[:2]) == number]
        if not own:
            continue
        sheet = book.create_sheet(month)
        for line in [[], [], ["Historical Prices"], []] if titled else []:
            sheet.append(line)
        sheet.append(header)
        for row in own:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def yearly(folder: Path, prices: Prices, points: Sequence[str] = ("HB_HUBAVG",)) -> list[Path]:
    return [to_csv(folder / "dam.csv", [YEARLY, *yearly_rows(prices, points)])]


def yearly_book(
    folder: Path, prices: Prices, points: Sequence[str] = ("HB_HUBAVG",)
) -> list[Path]:
    path = folder / "dam.xlsx"
    path.write_bytes(workbook(YEARLY, yearly_rows(prices, points), titled=False))
    return [path]


def yearly_zip(folder: Path, prices: Prices, points: Sequence[str] = ("HB_HUBAVG",)) -> list[Path]:
    book = workbook(YEARLY, yearly_rows(prices, points), titled=True)
    return [to_zip(folder / "rpt.zip", {"rpt.00013060.DAMLZHBSPP_2023.xlsx": book})]


def daily(folder: Path, prices: Prices, points: Sequence[str] = ("HB_HUBAVG",)) -> list[Path]:
    files = []
    for day, rows in by_day(daily_rows(prices, points)):
        files.append(to_csv(folder / f"cdr.{day}.DAMSPNP4190.csv", [DAILY, *rows]))
    return files


def daily_zip(folder: Path, prices: Prices, points: Sequence[str] = ("HB_HUBAVG",)) -> list[Path]:
    """Days as archives inside an archive, beside the same as XML, as ERCOT's downloads are."""
    inner: dict[str, bytes | str] = {}
    for day, rows in by_day(daily_rows(prices, points)):
        packed = to_zip(folder / f"{day}.zip", {f"cdr.{day}.csv": text_of([DAILY, *rows])})
        inner[f"cdr.{day}_csv.zip"] = packed.read_bytes()
        inner[f"cdr.{day}.xml"] = "<prices/>"
        packed.unlink()
    return [to_zip(folder / "days.zip", inner)]


def by_day(rows: list[tuple[object, ...]]) -> Iterable[tuple[str, list[tuple[object, ...]]]]:
    days: dict[str, list[tuple[object, ...]]] = {}
    for row in rows:
        days.setdefault(str(row[0]).replace("/", ""), []).append(row)
    return days.items()


def real_time(folder: Path, prices: Prices, points: Sequence[str] = ("HB_HUBAVG",)) -> list[Path]:
    return [to_csv(folder / "rtm.csv", [REAL_TIME, *real_time_rows(prices, points)])]


def real_time_zip(
    folder: Path, prices: Prices, points: Sequence[str] = ("HB_HUBAVG",)
) -> list[Path]:
    book = workbook(REAL_TIME, real_time_rows(prices, points), titled=False)
    return [to_zip(folder / "rtm.zip", {"rpt.RTMLZHBSPP_2023.xlsx": book})]


def wide(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [
        ("delivery_date", "hour_ending", "dam_lmp", "rtm_lmp", "regdn", "ecrs")
    ]
    for start, price in prices.items():
        at = local(start, CENTRAL)
        rows.append((f"{at:%Y-%m-%d}", at.hour + 1, price, price + 1, 1.5, 2.5))
    return [to_csv(folder / "ercot_HB_WEST_DAM_RTM.csv", rows)]


# --- frames --------------------------------------------------------------------------------


def frame(prices: Prices, points: Sequence[str], name: str) -> pd.DataFrame:
    starts = [local(start, name) for start in prices for _ in points]
    index = pd.DatetimeIndex(pd.to_datetime([s.astimezone(UTC) for s in starts])).tz_convert(name)
    return pd.DataFrame({
        "Time": index,
        "Interval Start": index,
        "Interval End": index + pd.Timedelta(hours=1),
        "Location": [point for _ in prices for point in points],
        "Location Type": "Trading Hub",
        "Market": "DAY_AHEAD_HOURLY",
        "SPP": [price + 1000 * n for price in prices.values() for n in range(len(points))],
    })  # fmt: skip


def gridstatus(folder: Path, prices: Prices, points: Sequence[str] = ("HB_HUBAVG",)) -> list[Path]:
    path = folder / "frame.csv"
    frame(prices, points, CENTRAL).to_csv(path)
    return [path]


def gridstatus_parquet(
    folder: Path, prices: Prices, points: Sequence[str] = ("HB_HUBAVG",)
) -> list[Path]:
    path = folder / "frame.parquet"
    frame(prices, points, CENTRAL).to_parquet(path)
    return [path]


def gridstatus_io(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [
        ("interval_start_utc", "interval_end_utc", "location", "market", "lmp")
    ]
    for start, price in prices.items():
        rows.append((f"{start:%Y-%m-%dT%H:%M:%S+00:00}", f"{start + HOUR:%Y-%m-%dT%H:%M:%S+00:00}",
                     "TH_NP15", "DAY_AHEAD_HOURLY", price))  # fmt: skip
    return [to_csv(folder / "io.csv", rows)]


def processed(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [("Datetime", "Price (USD/MWh)")]
    rows += [(local(start, CENTRAL).isoformat(" "), price) for start, price in prices.items()]
    return [to_csv(folder / "ERCOT_HB_WEST_DAM_2023.csv", rows)]


def processed_utc(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [("Datetime", "Price (USD/MWh)")]
    rows += [(f"{start:%Y-%m-%d %H:%M:%S}", price) for start, price in prices.items()]
    return [to_csv(folder / "CAISO_SP15_DAM_2023.csv", rows)]


def engine(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [
        ("# source: rpt.zip, sha256 of a 'file'",), ("time", "price_usd_per_mwh")
    ]  # fmt: skip
    rows += [(local(start, CENTRAL).isoformat(" "), price) for start, price in prices.items()]
    return [to_csv(folder / "own.csv", rows)]


# --- California, Alberta, Europe -----------------------------------------------------------

OASIS = ("INTERVALSTARTTIME_GMT", "INTERVALENDTIME_GMT", "OPR_DT", "OPR_HR", "OPR_INTERVAL",
         "NODE_ID_XML", "NODE_ID", "NODE", "MARKET_RUN_ID", "LMP_TYPE", "XML_DATA_ITEM",
         "PNODE_RESMRID", "GRP_TYPE", "POS", "MW", "GROUP")  # fmt: skip


def oasis(
    folder: Path, prices: Prices, points: Sequence[str] = ("TH_NP15_GEN-APND",)
) -> list[Path]:
    rows: list[Sequence[object]] = [OASIS]
    for start, price in prices.items():
        at = local(start, "America/Los_Angeles")
        for n, node in enumerate(points):
            for kind, value in (("LMP", price + 1000 * n), ("MCC", 0.5), ("MCE", 30), ("MCL", 1)):
                rows.append((f"{start:%Y-%m-%dT%H:%M:%S}-00:00",
                             f"{start + HOUR:%Y-%m-%dT%H:%M:%S}-00:00", f"{at:%Y-%m-%d}",
                             at.hour + 1, 0, node, node, node, "DAM", kind, f"LMP_{kind}", node,
                             "ALL_APNODES", 0, value, 1))  # fmt: skip
    return [to_csv(folder / "prc_lmp.csv", rows)]


def aeso(folder: Path, prices: Prices) -> list[Path]:
    """The report of the AESO: a title, newest first, the second 02 in autumn with a star."""
    name = "America/Edmonton"
    lines = []
    for start, price in prices.items():
        at = local(start, name)
        star = "*" if is_second(start, name) else ""
        lines.append(f'"{at:%m/%d/%Y} {at.hour + 1:02d}{star}","{price}","50.0","9000"')
    head = 'Pool Price\n\n""\n\nDate (HE),Price ($),30Ravg ($),AIL Demand (MW)\n'
    path = folder / "pool.csv"
    path.write_text(head + "\n".join(reversed(lines)) + "\n", encoding="utf-8")
    return [path]


def aeso_table(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [("date_he", "forecast_price", "actual_price")]
    for start, price in prices.items():
        label = local(start, "America/Edmonton").replace(tzinfo=None) + HOUR
        rows.append((f"{label:%Y-%m-%d %H:%M:%S}", price + 5, price))
    return [to_csv(folder / "aeso_pool_price.csv", rows)]


def aeso_api(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [("begin_datetime_utc", "begin_datetime_mpt", "pool_price")]
    rows += [(f"{start:%Y-%m-%d %H:%M}", f"{local(start, 'America/Edmonton'):%Y-%m-%d %H:%M}",
              price) for start, price in prices.items()]  # fmt: skip
    return [to_csv(folder / "api.csv", rows)]


EUROPE = "Europe/Brussels"


def entsoe_area(folder: Path, prices: Prices) -> list[Path]:
    """The older export: one area in the head of an empty column, and no mark in autumn."""
    lines = ['"MTU (CET/CEST)","Day-ahead Price [EUR/MWh]","Currency","BZN|SE1"']
    for start, price in prices.items():
        at, end = local(start, EUROPE).replace(tzinfo=None), None
        end = at + HOUR
        lines.append(f'"{at:%d.%m.%Y %H:%M} - {end:%d.%m.%Y %H:%M}","{price}","EUR"')
        if local(start + HOUR, EUROPE).replace(tzinfo=None) == at + 2 * HOUR:
            lines.append(f'"{end:%d.%m.%Y %H:%M} - {end + HOUR:%d.%m.%Y %H:%M}","",""')
    path = folder / "se1.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [path]


def entsoe(folder: Path, prices: Prices, points: Sequence[str] = ("BZN|SE3",)) -> list[Path]:
    """The newer export by local time: marks on the day of a change, 15 minutes."""
    rows: list[Sequence[object]] = [
        ("MTU (CET/CEST)", "Area", "Sequence", "Day-ahead Price (EUR/MWh)",
         "Intraday Period (CET/CEST)", "Intraday Price (EUR/MWh)")
    ]  # fmt: skip
    for _, start, price in quarters(prices):
        at, end = local(start, EUROPE), local(start + QUARTER, EUROPE)
        changes = at.utcoffset() != (at + timedelta(hours=12)).utcoffset() or (
            local(start - 4 * HOUR, EUROPE).utcoffset() != at.utcoffset()
        )
        ends = " - ".join(
            f"{t:%d/%m/%Y %H:%M:%S}" + (f" ({t.tzname()})" if changes else "") for t in (at, end)
        )
        for n, point in enumerate(points):
            rows.append((ends, point, "Without Sequence", price + 1000 * n, "", ""))
    return [to_csv(folder / "GUI_ENERGY_PRICES.csv", rows)]


def entsoe_utc(
    folder: Path, prices: Prices, sequences: Sequence[str] = ("Sequence 1",)
) -> list[Path]:
    rows: list[Sequence[object]] = [
        ("MTU (UTC)", "Area", "Sequence", "Day-ahead Price (EUR/MWh)", "Intraday Period (UTC)",
         "Intraday Price (EUR/MWh)")
    ]  # fmt: skip
    for _, start, price in quarters(prices):
        for n, sequence in enumerate(sequences):
            rows.append((f"{start:%d/%m/%Y %H:%M:%S} - {start + QUARTER:%d/%m/%Y %H:%M:%S}",
                         "BZN|DE-LU", sequence, price + 1000 * n, "", ""))  # fmt: skip
    return [to_csv(folder / "DE-LU.csv", rows)]


def entsoe_bulk(folder: Path, prices: Prices, points: Sequence[str] = ("FR",)) -> list[Path]:
    rows: list[Sequence[object]] = [
        ("DateTime(UTC)", "ResolutionCode", "AreaCode", "AreaDisplayName", "AreaTypeCode",
         "AreaMapCode", "ContractType", "Sequence", "Price[Currency/MWh]", "Currency",
         "UpdateTime(UTC)")
    ]  # fmt: skip
    for start, price in prices.items():
        for n, point in enumerate(points):
            rows.append((f"{start:%Y-%m-%d %H:%M:%S}", "PT60M", "10Y", f"Land ({point})", "BZN",
                         point, "Day-ahead", "", price + 1000 * n, "EUR",
                         f"{start:%Y-%m-%d %H:%M:%S}"))  # fmt: skip
    return [to_csv(folder / "2023_01_EnergyPrices.csv", rows, "\t")]


# --- columns of one's own ------------------------------------------------------------------

OSLO = "Europe/Oslo"


def mapped_start(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [("when", "nok", "weather")]
    rows += [(f"{local(start, OSLO):%d.%m.%Y %H:%M}", price, "fine")
             for start, price in prices.items()]  # fmt: skip
    return [to_csv(folder / "start.csv", rows, ";")]


def mapped_end(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [("when", "nok")]
    rows += [(f"{local(start + HOUR, OSLO):%Y-%m-%d %H:%M}", price)
             for start, price in prices.items()]  # fmt: skip
    return [to_csv(folder / "end.csv", rows)]


def mapped_hours(folder: Path, prices: Prices) -> list[Path]:
    rows: list[Sequence[object]] = [("day", "he", "nok", "bus")]
    for start, price in prices.items():
        at = local(start, OSLO)
        rows.append((f"{at:%Y-%m-%d}", at.hour + 1, price, "NO2"))
    return [to_csv(folder / "hours.csv", rows)]


@dataclass(frozen=True)
class Case:
    """A layout that can be written and read back."""

    write: Callable[..., list[Path]]
    zone: str
    wanted: dict[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.write.__name__


_MAP = {"currency": "NOK", "timezone": OSLO}
CASES = (
    *(Case(write, CENTRAL) for write in (
        yearly, yearly_book, yearly_zip, daily, daily_zip, real_time, real_time_zip, gridstatus,
        gridstatus_parquet, processed, engine,
    )),
    Case(wide, CENTRAL, {"market": "day-ahead"}),
    Case(gridstatus_io, "America/Los_Angeles", {"timezone": "America/Los_Angeles"}),
    Case(processed_utc, "America/Los_Angeles"),
    Case(oasis, "America/Los_Angeles"),
    Case(aeso, "America/Edmonton"),
    Case(aeso_table, "America/Edmonton"),
    Case(aeso_api, "America/Edmonton"),
    Case(entsoe_area, EUROPE),
    Case(entsoe, EUROPE),
    Case(entsoe_utc, EUROPE),
    Case(entsoe_bulk, EUROPE),
    Case(mapped_start, OSLO,
         {**_MAP, "columns": ColumnMap("nok", "start", "when", date_order="dmy")}),
    Case(mapped_end, OSLO, {**_MAP, "columns": ColumnMap("nok", "end", "when")}),
    Case(mapped_hours, OSLO,
         {**_MAP, "columns": ColumnMap("nok", "hour-ending", date="day", hour="he",
                                       point="bus")}),
)  # fmt: skip
