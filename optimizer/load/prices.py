"""Price files: hours of real years, or a price-duration curve by calendar month."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from models.hours import Hours
from models.instance import USD
from optimizer.errors import Problem, Report, listed
from optimizer.load.tables import LEFT_EMPTY, CellError, Sheet, number, read_sheet

#: Names of columns that mean the same.
_ALIASES = {
    "Datetime": "time",
    "Price (USD/MWh)": "price_usd_per_mwh",
    "price_per_mwh": "price_usd_per_mwh",
    "offer_per_mwh": "offer_usd_per_mwh",
}
_HOURLY = ("time", "price_usd_per_mwh")
_CURVE = ("month", "hours", "price_usd_per_mwh")
#: Columns that a price file may have besides.
_BESIDES = ("cut", "peak", "carbon_kg_per_mwh", "offer_usd_per_mwh")
#: Columns that hold a share of the MW of own generation, named by the user.
PROFILE = re.compile(r"[a-z][a-z0-9_]*_share")
#: No hour has cost less or more in $/MWh in any market.
PRICE_RANGE = (-1_000.0, 10_000.0)
#: No grid's energy holds more carbon, in kg/MWh.
CARBON_RANGE = (0.0, 2_000.0)
#: Columns of numbers that a price file may have besides, with their limits.
_NUMBERS = {"carbon_kg_per_mwh": CARBON_RANGE, "offer_usd_per_mwh": (0.0, 10_000.0)}
#: A year's mean below this is meant in $/kWh, one above it in another unit or currency.
MEAN_RANGE = (1.0, 500.0)

#: What to do about a price that is not known.
NO_GAPS = "every hour needs its price: fill it in, as with that of the hour before"

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:?[0-9]{2})?\Z"
)
_HOUR = timedelta(hours=1)


@dataclass
class PriceFile:
    """A price file as it is read; problems go to the report."""

    name: str
    report: Report
    failed: bool = False
    usd_per_unit: float | None = 1.0

    def refuse(
        self, message: str, line: int | None = None, key: str = "", found: str = "",
        allowed: str = "", hint: str = "",
    ) -> None:  # fmt: skip
        """Report a problem with the file."""
        self.failed = True
        self.report.add(Problem(message, self.name, line, key, found, allowed, hint))

    def number(self, text: str, column: str, line: int, limits: tuple[float, float]) -> float:
        """Read a number within limits; what is none is reported, and 0 stands for it."""
        try:
            value = number(text)
        except CellError as refused:
            hint = NO_GAPS if not text or refused.hint == LEFT_EMPTY else refused.hint
            self.refuse("the cell cannot be read", line, column, repr(text), refused.allowed, hint)
            return 0.0
        if not limits[0] <= value <= limits[1]:
            allowed = f"{limits[0]:g} to {limits[1]:g}"
            self.refuse("the value is outside its range", line, column, f"{value:g}", allowed)
            return 0.0
        return value

    def money(self, limits: tuple[float, float]) -> tuple[float, float]:
        """Limits in the money of the file; none where its rate is not known."""
        if self.usd_per_unit is None:
            return -math.inf, math.inf
        return limits[0] / self.usd_per_unit, limits[1] / self.usd_per_unit

    def mark(self, text: str, column: str, line: int) -> bool:
        """Read the mark of an hour."""
        if text not in ("", "0", "1"):
            self.refuse("the cell cannot be read", line, column, repr(text), "0 or 1")
        return text == "1"


def read_prices(
    text: str,
    name: str,
    report: Report,
    *,
    curve: bool | None = None,
    usd_per_unit: float | None = 1.0,
) -> Hours | None:
    """Read a price file.

    Parameters
    ----------
    text : str
        The file; lines above its header that begin with ``#`` tell where it is from.
    name : str
        Its name, for messages and as the source of the hours.
    report : Report
        Takes the problems.
    curve : bool, optional
        Whether it must be a duration curve, or must be hourly; else its columns decide.
    usd_per_unit : float or None
        Exchange rate at which its prices are set against real figures; None where there is none.

    Returns
    -------
    Hours or None
        None where there is a problem.
    """
    sheet = read_sheet(without_remarks(text), name, report)
    if sheet is None:
        return None
    sheet = Sheet(
        name,
        tuple(_ALIASES.get(column, column) for column in sheet.header),
        sheet.rows,
        sheet.ragged,
    )
    file = PriceFile(name, report, usd_per_unit=usd_per_unit)
    is_curve = "month" in sheet.header if curve is None else curve
    wanted = _CURVE if is_curve else _HOURLY
    if not _columns_stand(sheet, wanted, file):
        return None
    if not sheet.rows:
        file.refuse("the file has a header and no rows")
        return None
    hours = _curve(sheet, file) if is_curve else _hourly(sheet, file)
    return hours if hours is not None and _mean_stands(hours, file) else None


_MONEY = re.compile(r"^# currency: ([A-Z]{3})(, at )?", re.MULTILINE)


def money_told(text: str) -> str | None:
    r"""Currency of a file's prices, where the lines above its header tell it.

    Examples
    --------
    >>> money_told("# currency: EUR\n"), money_told("# currency: EUR, at 1.08 USD per EUR\n")
    ('EUR', 'USD')
    """
    found = _MONEY.search(text[: len(text) - len(without_remarks(text).lstrip("\n"))])
    return None if found is None else (USD if found[2] else found[1])


def untold(text: str) -> bool:
    r"""Whether the prices of a file stand under a name that is of no currency.

    Examples
    --------
    >>> untold("time,price_per_mwh\n"), untold("time,price_usd_per_mwh\n")
    (True, False)
    """
    header = without_remarks(text).lstrip("\n").partition("\n")[0]
    return "price_per_mwh" in [name.strip() for name in header.split(",")]


def without_remarks(text: str) -> str:
    r"""Empty the lines above the header that begin with ``#``; the others keep their numbers.

    Examples
    --------
    >>> without_remarks("# where it is from\ntime,price_usd_per_mwh\n")
    '\ntime,price_usd_per_mwh\n'
    """
    lines = text.split("\n")
    head = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join([""] * head + lines[head:])


def _columns_stand(sheet: Sheet, wanted: Sequence[str], file: PriceFile) -> bool:
    allowed = ", ".join((*wanted, *_BESIDES, "a profile, as solar_share"))
    missing = [column for column in wanted if column not in sheet.header]
    other = _HOURLY if wanted == _CURVE else _CURVE
    if missing and all(column in sheet.header for column in other):
        way = "prices" if wanted == _CURVE else "duration"
        hint = f"the file has the columns of `{way}`; name it under that key"
        file.refuse("the file is of the other kind", 1, "", ", ".join(sheet.header), allowed, hint)
        return False
    if missing:
        names = listed(f"`{column}`" for column in missing)
        hint = f"rename the columns of the file to {listed(wanted)}; others must go"
        found = ", ".join(sheet.header)
        file.refuse(f"the file has no column {names}", 1, "", found, allowed, hint)
        return False
    unknown = [
        column
        for column in sheet.header
        if column not in (*wanted, *_BESIDES) and not PROFILE.fullmatch(column)
    ]
    for column in unknown:
        hint = "take the column out, or end its name with _share if it is a profile"
        file.refuse("unknown column", 1, column, column, allowed, hint)
    twice = len(set(sheet.header)) < len(sheet.header)
    if twice:
        found = ", ".join(sheet.header)
        file.refuse("two columns mean the same", 1, "", found, allowed)
    return not unknown and not twice


def _mean_stands(hours: Hours, file: PriceFile) -> bool:
    if file.usd_per_unit is None:
        return True
    mean = float(np.average(hours.price_usd_per_mwh, weights=hours.weight_h)) * file.usd_per_unit
    low, high = MEAN_RANGE
    if low <= mean <= high:
        return True
    hint = "prices are in $/MWh" + (", not in $/kWh" if abs(mean) < low else "")
    found, allowed = f"{mean:.4g} $/MWh", f"{low:g} to {high:g} $/MWh"
    file.refuse("the mean price is far from real figures", None, "", found, allowed, hint)
    return False


def _columns(sheet: Sheet) -> dict[str, list[str]]:
    cells = list(zip(*(row for _, row in sheet.rows), strict=True))
    return {column: list(cells[position]) for position, column in enumerate(sheet.header)}


# --- hours of real years -------------------------------------------------------------------


def _hourly(sheet: Sheet, file: PriceFile) -> Hours | None:
    columns, lines = _columns(sheet), [line for line, _ in sheet.rows]
    read = [_time(text, line, file) for text, line in zip(columns["time"], lines, strict=True)]
    times = [time for time in read if time is not None]
    besides = _besides(columns, lines, file)
    if len(times) == len(read) and not sheet.ragged:
        _check_sequence(times, lines, file)
        _check_months(times, lines, file)
    if file.failed:
        return None
    months = np.array([time.month for time in times], dtype=np.int64)
    years = [len({t.year for t in times if t.month == month}) for month in range(1, 13)]
    return Hours(
        month=months,
        weight_h=(1.0 / np.array(years))[months - 1],
        **besides,
        source=f"{file.name}, {times[0]:%Y-%m} to {times[-1]:%Y-%m}, {len(times)} hours",
    )


def _besides(
    columns: Mapping[str, list[str]], lines: Sequence[int], file: PriceFile
) -> dict[str, Any]:
    """Read what both kinds of file have: prices, marks of hours, and their carbon."""
    prices = [
        file.number(text, "price_usd_per_mwh", line, file.money(PRICE_RANGE))
        for text, line in zip(columns["price_usd_per_mwh"], lines, strict=True)
    ]
    marks = {
        name: [file.mark(text, name, line) for text, line in zip(cells, lines, strict=True)]
        for name in ("cut", "peak")
        if (cells := columns.get(name))
    }
    return {
        "price_usd_per_mwh": np.array(prices),
        "cut": np.array(marks.get("cut", [False] * len(lines)), dtype=bool),
        "peak": np.array(marks["peak"], dtype=bool) if "peak" in marks else None,
        **{
            name: np.array([
                file.number(text, name, line, limits if "usd" not in name else file.money(limits))
                for text, line in zip(columns[name], lines, strict=True)
            ])
            for name, limits in _NUMBERS.items()
            if name in columns
        },
        "shares": {
            name: np.array([
                file.number(text, name, line, (0.0, 1.0))
                for text, line in zip(columns[name], lines, strict=True)
            ])
            for name in columns
            if PROFILE.fullmatch(name)
        },
    }  # fmt: skip


def _time(text: str, line: int, file: PriceFile) -> datetime | None:
    match = _TIME.match(text)
    try:
        time = datetime.fromisoformat(text) if match else None
    except ValueError:
        time = None
    if time is None:
        allowed = "the start of an hour, as 2024-01-31 23:00:00-06:00"
        file.refuse("the time cannot be read", line, "time", repr(text), allowed)
    elif time.tzinfo is None:
        hint = "without it the hours of a clock change cannot be told apart"
        file.refuse("the time has no offset from UTC", line, "time", text, hint=hint)
    elif time.minute or time.second:
        hint = "average quarter-hours into hours first, one row an hour"
        file.refuse("the time is not the start of an hour", line, "time", text, hint=hint)
    else:
        return time
    return None


def _check_sequence(times: Sequence[datetime], lines: Sequence[int], file: PriceFile) -> None:
    """Find gaps, repeated hours and hours out of order, by the clock of UTC."""
    for before, after, line in zip(times, times[1:], lines[1:], strict=False):
        step = after - before
        if step == _HOUR:
            continue
        found = f"{after.isoformat(' ')} after {before.isoformat(' ')}"
        if not step:
            file.refuse("the hour is given twice", line, "time", found)
        elif step < timedelta(0):
            file.refuse("the hours are not in order", line, "time", found)
            return
        else:
            missing = step // _HOUR - 1
            hours = "an hour is missing" if missing == 1 else f"{missing} hours are missing"
            hint = "is the offset from UTC right at the clock change?" if missing == 1 else ""
            file.refuse(hours, line, "time", found, hint=hint)


def _check_months(times: Sequence[datetime], lines: Sequence[int], file: PriceFile) -> None:
    """Ask for whole calendar months, and for each of the twelve."""
    if file.failed:
        return
    first, last = times[0], times[-1]
    if (first.day, first.hour) != (1, 0):
        found, allowed = first.isoformat(" "), "the first hour of a month, in local time"
        file.refuse("the first month is not whole", lines[0], "time", found, allowed)
    if (last + _HOUR).month == last.month:
        found, allowed = last.isoformat(" "), "the last hour of a month, in local time"
        file.refuse("the last month is not whole", lines[-1], "time", found, allowed)
    absent = sorted(set(range(1, 13)) - {time.month for time in times})
    if absent:
        names = ", ".join(calendar.month_name[month] for month in absent)
        found = f"{len(times)} hours, {first:%Y-%m} to {last:%Y-%m}"
        message = f"the file holds no {names}"
        file.refuse(message, None, "time", found, "a whole year, 8760 or 8784 hours, or more")


# --- price-duration curves -----------------------------------------------------------------


def _curve(sheet: Sheet, file: PriceFile) -> Hours | None:
    columns, lines = _columns(sheet), [line for line, _ in sheet.rows]
    months = [
        file.number(text, "month", line, (1, 12))
        for text, line in zip(columns["month"], lines, strict=True)
    ]
    hours = [
        file.number(text, "hours", line, (0, 745))
        for text, line in zip(columns["hours"], lines, strict=True)
    ]
    besides = _besides(columns, lines, file)
    for month, line in zip(months, lines, strict=True):
        if not month.is_integer():
            file.refuse("the value is outside its range", line, "month", f"{month:g}", "1 to 12")
    curve = Hours(
        month=np.array(months).astype(np.int64),
        weight_h=np.array(hours),
        **besides,
        source=f"{file.name}, {len(lines)} steps",
        in_sequence=False,
    )
    if not file.failed and not sheet.ragged:
        _check_sums(curve, file)
    return None if file.failed else curve


#: Hours of each calendar month, give or take the hour of a clock change; February leaps.
_MONTH_HOURS = {
    month: (24.0 * calendar.monthrange(2023, month)[1], 24.0 * calendar.monthrange(2024, month)[1])
    for month in range(1, 13)
}


def _check_sums(curve: Hours, file: PriceFile) -> None:
    for month, (least, most) in _MONTH_HOURS.items():
        total = float(curve.weight_h[curve.month == month].sum())
        if not least - 1 <= total <= most + 1:
            name = calendar.month_name[month]
            allowed = f"{least:g}" if least == most else f"{least:g} to {most:g}"
            message = f"the hours of {name} do not add up to those of the month"
            file.refuse(message, None, "hours", f"{total:g}", f"{allowed}, give or take one")
