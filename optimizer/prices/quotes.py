"""From tables to quotes: one point, one market, each interval with its moment in UTC."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from optimizer.errors import did_you_mean
from optimizer.load.tables import CellError, number
from optimizer.prices.clock import Told, instants, read_date, read_stamp, zone
from optimizer.prices.faults import Faults, offered, refuse
from optimizer.prices.layouts import UNTOLD, DateAndHour, Layout, Stamps, bare, recognise, unknown
from optimizer.prices.tables import Table
from optimizer.prices.wish import Wish

#: What exports write where there is no price.
NO_PRICE = frozenset({"", "-", "--", "n/e", "n/a", "nan", "null", "none"})

#: Settlement point, and what tells markets apart row by row.
Which = tuple[str, str]


class Quote(NamedTuple):
    """A price as the file gives it.

    Attributes
    ----------
    start : datetime
        Start of the interval, in UTC.
    minutes : int
        Its length.
    price : float or None
        None where the cell says that there is none.
    place, line : str, int
        Where it stands.
    offset : timedelta or None
        Offset from UTC that the file tells.
    """

    start: datetime
    minutes: int
    price: float | None
    place: str
    line: int
    offset: timedelta | None


class _Raw(NamedTuple):
    """A row before it is read: where it stands, its cells, and their meaning."""

    place: str
    line: int
    cells: Mapping[str, str]
    layout: Layout


class _Timed(NamedTuple):
    """A row whose times are read."""

    raw: _Raw
    told: Told
    until: Told | None


@dataclass
class Reading:
    """What was read of the files, before hours are made of it.

    Attributes
    ----------
    layout : Layout
        Of all tables.
    point, market : str
        What was chosen; the point is empty where the files tell none.
    reserve : bool
        Whether the prices are paid for reserve, not for energy.
    points : tuple of str
        All points seen.
    currency : str
        Of the prices.
    rows : int
        Rows of the chosen point and market.
    quotes : list of Quote
        In the order of time as the files tell it.
    skipped : int
        Rows without a price at times that the clock skips in spring.
    left_out : tuple of str
        Sheets in which no prices stand.
    """

    layout: Layout
    point: str
    market: str
    reserve: bool
    points: tuple[str, ...]
    currency: str
    rows: int
    quotes: list[Quote] = field(default_factory=list)
    skipped: int = 0
    left_out: tuple[str, ...] = ()


def read_quotes(tables: Sequence[Table], wish: Wish) -> Reading:
    """Read one point of one market.

    Raises
    ------
    InputRefused
        Where the layout is not known, the choice is open, or a cell cannot be read.
    """
    faults = Faults()
    gathered, layout, left_out = _gather(tables, wish, faults)
    faults.stop()
    which = _choose(gathered, layout, wish, tables[0].place)
    raws = gathered[which]
    market, column = _price_column(layout, which[1], wish, tables[0].place)
    reading = Reading(
        layout, which[0], market, market in layout.reserves,
        tuple(sorted({point for point, _ in gathered})),
        _currency(raws, layout, wish, faults), len(raws), left_out=left_out,
    )  # fmt: skip
    faults.stop()
    clock = _Clockwork(raws, wish, faults)
    _fill_in(reading, clock, column, faults)
    faults.stop()
    return reading


# --- rows of the point that is wanted ------------------------------------------------------


def _gather(
    tables: Sequence[Table], wish: Wish, faults: Faults
) -> tuple[dict[Which, list[_Raw]], Layout, tuple[str, ...]]:
    """Sort the rows by point and market; of the points only the one wanted, where one is."""
    gathered: dict[Which, list[_Raw]] = {}
    first: Layout | None = None
    left_out: list[str] = []
    for table in tables:
        found = recognise(table, wish.columns)
        if found is None:
            if table.place.endswith("]") and len(tables) > 1:
                left_out.append(table.place)
                continue
            raise unknown(table, wish.columns)
        layout, position = found
        if first is not None and layout.name != first.name:
            raise refuse(
                "the files are not of one layout", table.place, None, "", layout.title,
                first.title, "read them one by one",
            )  # fmt: skip
        first = first or layout
        for which, raw in _rows(table, position, layout, faults):
            rows = gathered.setdefault(which, [])
            if _may_count(which[0], gathered, wish):
                rows.append(raw)
    if first is None:
        raise unknown(tables[0], wish.columns)
    if not gathered:
        faults.stop()
        raise refuse("the file has a header and no rows", tables[0].place)
    return gathered, first, tuple(left_out)


def _may_count(point: str, gathered: Mapping[Which, list[_Raw]], wish: Wish) -> bool:
    """Whether a row may be of the point that is read: of a year of all nodes few rows are."""
    if wish.point is not None:
        return point.lower() == wish.point.lower()
    return point == next(iter(gathered))[0]


def _rows(
    table: Table, position: int, layout: Layout, faults: Faults
) -> Iterable[tuple[Which, _Raw]]:
    header = table.rows[position][1]
    wanted = {name: header.index(name) for name in _columns_read(layout)}
    for line, cells in table.rows[position + 1 :]:
        if len(cells) != len(header) and not (layout.label and len(cells) == len(header) - 1):
            faults.add(
                "the row does not have as many cells as the header", table.place, line,
                found=f"{len(cells)} cells", allowed=f"{len(header)} cells",
                hint="a comma inside a cell needs quotes; decimals have a point",
            )  # fmt: skip
            continue
        row = {name: cells[index] for name, index in wanted.items()}
        if cells == header or any(row[name] != only for name, only in layout.only.items()):
            continue
        yield _which(row, layout), _Raw(table.place, line, row, layout)


def _columns_read(layout: Layout) -> set[str]:
    when = layout.when
    times: tuple[str | None, ...] = (
        (when.column, when.until, when.lasts)
        if isinstance(when, Stamps)
        else (when.date, when.hour, when.quarter, when.flag)
    )
    others = (layout.point, layout.point_type, layout.currency_column, *layout.market)
    return {name for name in (*times, *others, *layout.prices.values(), *layout.only) if name}


def _which(row: Mapping[str, str], layout: Layout) -> Which:
    point = row[layout.point].removeprefix("BZN|") if layout.point else layout.only_point
    kind = row[layout.point_type] if layout.point_type else ""
    if kind.endswith("EW") and not point.endswith("_EW"):
        # ERCOT gives a zone twice, by load and by energy, under one name.
        point += "_EW"
    return point, ", ".join(row[column] for column in layout.market if row[column])


# --- what is chosen ------------------------------------------------------------------------


def _choose(gathered: Mapping[Which, list[_Raw]], layout: Layout, wish: Wish, place: str) -> Which:
    point = _chosen_point(sorted({point for point, _ in gathered}), layout, wish, place)
    markets = sorted({market for of, market in gathered if of == point})
    if len(markets) == 1 and (layout.market == () or wish.market is None):
        return point, markets[0]
    if layout.market:
        return point, _chosen("market", markets, wish.market, place)
    return point, markets[0]


def _chosen_point(points: list[str], layout: Layout, wish: Wish, place: str) -> str:
    if len(points) == 1 and wish.point is None:
        return points[0]
    if layout.point is None and not layout.only_point:
        hint = "leave --point out; where the file has a column of points, name it: --point-column"
        raise refuse(
            "the file does not tell points apart", place, found=wish.point or "", hint=hint
        )
    return _chosen("point", points, wish.point, place)


def _chosen(what: str, names: Sequence[str], wanted: str | None, place: str) -> str:
    allowed = offered(names)
    if wanted is None:
        message = f"the file holds {len(names)} {what}s"
        raise refuse(message, place, None, "", "", allowed, f"choose one with --{what}")
    for name in names:
        if name.lower() == wanted.lower():
            return name
    alike = [name for name in names if bare(name).startswith(bare(wanted))]
    if what == "market" and bare(wanted) and len(alike) == 1:
        # `day-ahead` is what gridstatus calls DAY_AHEAD_HOURLY.
        return alike[0]
    hint = did_you_mean(wanted, names)
    raise refuse(f"the file holds no such {what}", place, None, "", wanted, allowed, hint)


def _price_column(layout: Layout, told: str, wish: Wish, place: str) -> tuple[str, str]:
    """Choose the column of prices; gives the name of the market, and the column."""
    if layout.market:
        return told or UNTOLD, next(iter(layout.prices.values()))
    if wish.market is None and layout.usual is not None:
        return layout.usual, layout.prices[layout.usual]
    if len(layout.prices) == 1 and wish.market is None:
        return next(iter(layout.prices.items()))
    names = {name.lower(): name for name in layout.prices}
    names |= {column.lower(): name for name, column in layout.prices.items()}
    wanted = (wish.market or "").lower()
    if wanted in names:
        return names[wanted], layout.prices[names[wanted]]
    name = _chosen("market", list(layout.prices), wish.market, place)
    return name, layout.prices[name]


def _currency(raws: Sequence[_Raw], layout: Layout, wish: Wish, faults: Faults) -> str:
    first = raws[0]
    told = layout.currency
    if layout.currency_column:
        seen = Counter(raw.cells[layout.currency_column] for raw in raws)
        seen.pop("", None)
        if len(seen) > 1:
            faults.add("the prices are in several currencies", first.place,
                       key=layout.currency_column, found=offered(seen))  # fmt: skip
        told = next(iter(seen), None)
    if told is None and wish.currency is None:
        hint = "say it with --currency USD, or another with its --exchange"
        faults.add("the file does not tell the currency of its prices", first.place, hint=hint)
    if told and wish.currency and told != wish.currency:
        hint = "leave --currency out; --exchange converts"
        faults.add("the file is in another currency", first.place, None, "", told, wish.currency,
                   hint)  # fmt: skip
    return told or wish.currency or ""


# --- times ---------------------------------------------------------------------------------


class _Clockwork:
    """Reads the times of rows, and finds the moments they stand for."""

    def __init__(self, raws: Sequence[_Raw], wish: Wish, faults: Faults) -> None:
        self.faults = faults
        read = [self._timed(raw) for raw in raws]
        self.rows = [row for row in read if row is not None]
        faults.stop()
        self._order_and_length(raws[0].layout)
        self.clock = self._zone_of_clock(raws[0], wish)
        self._struck: Counter[datetime] = Counter()

    def _timed(self, raw: _Raw) -> _Timed | None:
        when = raw.layout.when
        column = when.column if isinstance(when, Stamps) else when.date
        try:
            if isinstance(when, DateAndHour):
                return _Timed(raw, _by_hour(raw, when, raw.layout.minutes), None)
            first, _, last = raw.cells[when.column].partition(" - ")
            until = raw.cells[when.until] if when.until else last
            return _Timed(raw, read_stamp(first, when.order),
                          read_stamp(until, when.order) if until else None)  # fmt: skip
        except CellError as refused:
            column = refused.args[1] if len(refused.args) > 1 else column
            found = repr(raw.cells[column])
            message = "the time cannot be read"
            self.faults.add(message, raw.place, raw.line, column, found, refused.allowed,
                            refused.hint)  # fmt: skip
            return None

    def _order_and_length(self, layout: Layout) -> None:
        """Put the rows in the order of time, and find how long an interval is."""
        ordered: list[_Timed] = []
        for _, group in itertools.groupby(self.rows, key=lambda row: row.raw.place):
            rows = list(group)
            ordered += rows if rows[0].told.wall <= rows[-1].told.wall else rows[::-1]
        self.rows = ordered
        past = [row.told.wall.minute for row in self.rows]
        self.minutes = layout.minutes or math.gcd(60, *past)

    def _zone_of_clock(self, first: _Raw, wish: Wish) -> tzinfo | None:
        naive = sum(row.told.offset is None for row in self.rows)
        if not naive and wish.clock is not None:
            hint = "leave --clock out; --timezone names the local zone"
            raise refuse("the times carry their offset from UTC", first.place, first.line,
                         found=f"--clock {wish.clock}", hint=hint)  # fmt: skip
        if 0 < naive < len(self.rows):
            odd = next(
                row for row in self.rows
                if (row.told.offset is None) != (self.rows[0].told.offset is None)
            )  # fmt: skip
            message = "some times carry an offset from UTC and some do not"
            hint = "are files of two kinds joined? give every row an offset, or none"
            raise refuse(message, odd.raw.place, odd.raw.line, found=str(odd.told.wall), hint=hint)
        if not naive:
            return None
        name = wish.clock or first.layout.clock or wish.timezone
        if name is None:
            hint = "say whose clock it is with --clock UTC or --timezone America/Chicago"
            raise refuse("the times carry no offset from UTC", first.place, first.line, hint=hint)
        found = zone(name)
        assert found is not None, name
        return found

    def moment(self, told: Told) -> datetime | None:
        """Find the moment, in UTC, of a time that a row tells; None where there is none."""
        if told.offset is not None:
            return (told.wall - told.offset).replace(tzinfo=UTC)
        assert self.clock is not None
        found = instants(told.wall, self.clock)
        if not found:
            return None
        if told.again and len(found) == 1:
            return None
        if len(found) == 1:
            return found[0]
        if told.second is not None:
            return found[told.second]
        self._struck[told.wall] += 1
        return found[min(self._struck[told.wall], 2) - 1]

    def start(self, row: _Timed) -> datetime | None:
        """Find the moment at which the interval of a row starts."""
        when = row.raw.layout.when
        length = timedelta(minutes=self.minutes)
        if when.tells == "end":
            end = self.moment(row.told)
            return None if end is None else end - length
        told = row.told
        if when.tells == "hour-ending" and isinstance(when, Stamps):
            told = replace(told, wall=told.wall - length)
        start = self.moment(told)
        if start is None and when.spring_by_end:
            end = self.moment(replace(told, wall=told.wall + length))
            return None if end is None else end - length
        return start

    def length(self, row: _Timed, start: datetime) -> int:
        """Give the minutes of the interval of a row."""
        when = row.raw.layout.when
        if isinstance(when, Stamps) and when.lasts:
            told = re.fullmatch(r"PT([0-9]+)(M|H)", row.raw.cells[when.lasts])
            return int(told[1]) * (60 if told[2] == "H" else 1) if told else 0
        if row.until is None:
            return self.minutes
        if row.until.offset is not None:
            return _minutes((row.until.wall - row.until.offset).replace(tzinfo=UTC) - start)
        # The clock may be changed at the end of the interval, and the end be told as before the
        # change or after it.
        assert self.clock is not None
        lengths = [_minutes(row.until.wall - row.told.wall)]
        lengths += [_minutes(end - start) for end in instants(row.until.wall, self.clock)]
        return min((length for length in lengths if length > 0), default=0)


def _minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)


def _by_hour(raw: _Raw, when: DateAndHour, minutes: int | None) -> Told:
    """Read date, hour and quarter as the start of the interval by the clock."""
    day = datetime.combine(read_date(_date_part(raw.cells[when.date]), when.order),
                           datetime.min.time())  # fmt: skip
    ending = when.tells != "start"
    hour = _part(raw, when.hour, 1 if ending else 0, 24 if ending else 23)
    quarter = _part(raw, when.quarter, 1, 4) if when.quarter else 1
    again = raw.cells[when.flag].upper() if when.flag else None
    if again not in (None, "Y", "N"):
        raise _at(CellError("Y or N"), when.flag)
    past = timedelta(hours=hour - ending, minutes=(quarter - 1) * (minutes or 15))
    return Told(day + past, again=None if again is None else again == "Y")


def _date_part(text: str) -> str:
    """Leave out the midnight that a spreadsheet adds to a date."""
    return re.sub(r"[T ]00:00(:00)?\Z", "", text)


def _part(raw: _Raw, column: str | None, least: int, most: int) -> int:
    """Read an hour or a quarter; a spreadsheet's 24:00 may have become the next midnight."""
    assert column is not None
    match = re.fullmatch(r"([0-9]{1,2})(?::00(?::00)?|\.0+)?", raw.cells[column])
    if match is None or not least <= int(match[1]) <= most:
        shifted = match is not None and least == 1 and int(match[1]) == 0
        hint = "the hour is the one that ends then; is the file by the hour that begins?"
        raise _at(CellError(f"{least} to {most}", hint if shifted else ""), column)
    return int(match[1])


def _at(refused: CellError, column: str | None) -> CellError:
    """Say which of the columns that tell a time cannot be read."""
    refused.args = (*refused.args, column)
    return refused


# --- prices --------------------------------------------------------------------------------


def _fill_in(reading: Reading, clock: _Clockwork, column: str, faults: Faults) -> None:
    """Read the prices of rows whose times are read, each with its moment and its length."""
    for row in clock.rows:
        raw = row.raw
        price = _price(raw, column if column in raw.cells else _same(raw, reading), faults)
        start = clock.start(row)
        if start is None:
            if price is None:
                reading.skipped += 1
            else:
                _no_such_time(row, clock, faults)
            continue
        minutes = clock.length(row, start)
        if not 0 < minutes <= 60 or 60 % minutes:
            found = f"{minutes} minutes from {row.told.wall}"
            message, allowed = "the interval is no part of an hour", "5, 10, 15, 30 or 60 minutes"
            faults.add(message, raw.place, raw.line, "", found, allowed)
            continue
        reading.quotes.append(Quote(start, minutes, price, raw.place, raw.line, row.told.offset))


def _same(raw: _Raw, reading: Reading) -> str:
    """Find the column of the chosen market in a table that writes it otherwise."""
    return raw.layout.prices.get(reading.market) or next(iter(raw.layout.prices.values()))


def _price(raw: _Raw, column: str, faults: Faults) -> float | None:
    text = raw.cells[column]
    if text.lower() in NO_PRICE:
        return None
    try:
        return number(text)
    except CellError as refused:
        message = "the price is no number"
        faults.add(message, raw.place, raw.line, column, repr(text), refused.allowed, refused.hint)
        return None


def _no_such_time(row: _Timed, clock: _Clockwork, faults: Faults) -> None:
    found, hint = (
        f"{row.told.wall} in {clock.clock}",
        "is the file of another zone, or shifted by an hour?",
    )
    message = "the clock does not show this hour, which spring skips"
    if row.told.again:
        message = "the hour is marked as repeated, and the clock does not repeat it"
    faults.add(message, row.raw.place, row.raw.line, "", found, hint=hint)
