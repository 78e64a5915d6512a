"""The layouts that are known: how each is recognised, and what its columns mean.

A layout is recognised by its column names alone, whatever their case, spaces and punctuation. To
add one, write what it needs and what its columns hold, and give it a line in ``KINDS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from optimizer.errors import InputRefused, listed, nearest
from optimizer.prices.faults import refuse
from optimizer.prices.tables import Table
from optimizer.prices.wish import ColumnMap, DateOrder, Stamping

#: A header stands in one of the first lines: exports carry titles and logos above it.
HEADER_WITHIN = 20

#: The market of prices of which no column tells it.
UNTOLD = "market not told"

CHICAGO, EDMONTON, BRUSSELS = "America/Chicago", "America/Edmonton", "Europe/Brussels"
#: Zones as ENTSO-E writes them in the head of its time column.
ENTSOE_ZONES: Mapping[str, str] = {
    "CET/CEST": BRUSSELS,
    "UTC": "UTC",
    "EET/EEST": "Europe/Athens",
    "WET/WEST": "Europe/Lisbon",
    "GMT/BST": "Europe/London",
}


@dataclass(frozen=True)
class Stamps:
    """Times told by a stamp of date and time.

    Attributes
    ----------
    column : str
        The stamps; ``a - b`` in a cell tells start and end.
    tells : Stamping
        What a stamp tells.
    order : DateOrder or None
        Order of dates that do not begin with their year.
    until, lasts : str or None
        Column of the interval's end, or of its length as ``PT15M``.
    spring_by_end : bool
        The hour before the spring change may be numbered by the clock at its end, as Alberta's
        03 is, which by its number would not exist.
    """

    column: str
    tells: Stamping = "start"
    order: DateOrder | None = None
    until: str | None = None
    lasts: str | None = None
    spring_by_end: bool = False


@dataclass(frozen=True)
class DateAndHour:
    """Times told by a date and an hour of the day, and perhaps a part of the hour.

    Attributes
    ----------
    date, hour : str
        Their columns.
    quarter : str or None
        Column of quarter-hours, 1 to 4.
    flag : str or None
        Column that says ``Y`` where the clock strikes the hour for the second time.
    tells : Stamping
        ``hour-ending`` for hours 1 to 24, ``start`` for 0 to 23.
    order : DateOrder or None
        Order of dates that do not begin with their year.
    spring_by_end : bool
        As with stamps.
    """

    date: str
    hour: str
    quarter: str | None = None
    flag: str | None = None
    tells: Stamping = "hour-ending"
    order: DateOrder | None = None
    spring_by_end: bool = False


@dataclass(frozen=True)
class Layout:
    """What the columns of a table mean.

    Attributes
    ----------
    name, title : str
        What the layout is called, for programs and for people.
    when : Stamps or DateAndHour
        How times are told.
    prices : mapping of str to str
        Column of prices by market; a lone market goes by what the layout is of.
    usual : str or None
        Market that is taken where nobody chooses.
    point : str or None
        Column of settlement points.
    only_point : str
        The point of a file that holds one; empty where it does not tell.
    point_type : str or None
        Column that sets ERCOT's energy-weighted zones apart from zones of the same name.
    market : tuple of str
        Columns that tell markets apart row by row.
    only : mapping of str to str
        Column -> the value of rows that count; others are parts of the price.
    currency, currency_column : str or None
        Currency of the prices, or the column that tells it.
    clock : str or None
        Zone of times that carry no offset from UTC.
    zone : str or None
        Local zone of the market.
    minutes : int or None
        Length of an interval; told row by row, or found from the stamps, where None.
    reserves : frozenset of str
        Markets that pay for reserve, not for energy.
    lost : str
        What the file tells beside prices that is not carried over.
    label : bool
        The last of the header names the whole table, and rows may stop before it.
    """

    name: str
    title: str
    when: Stamps | DateAndHour
    prices: Mapping[str, str]
    usual: str | None = None
    point: str | None = None
    only_point: str = ""
    point_type: str | None = None
    market: tuple[str, ...] = ()
    only: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
    currency_column: str | None = None
    clock: str | None = None
    zone: str | None = None
    minutes: int | None = None
    reserves: frozenset[str] = frozenset()
    lost: str = ""
    label: bool = False


def bare(name: str) -> str:
    """Reduce a column name to its letters and digits.

    Examples
    --------
    >>> bare(" Settlement Point Price"), bare("Day-ahead Price [EUR/MWh]")
    ('settlementpointprice', 'dayaheadpriceeurmwh')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


@dataclass(frozen=True)
class Header:
    """The column names of a table, and the name of its file."""

    names: tuple[str, ...]
    file: str

    def find(self, *wanted: str) -> str | None:
        """Find the first of some columns by its bare name; ``*`` at the end stands for any."""
        for want in wanted:
            for name in self.names:
                known = bare(name)
                if known == want or (want.endswith("*") and known.startswith(want[:-1])):
                    return name
        return None

    def get(self, *wanted: str) -> str:
        """Find a column that is known to be there."""
        found = self.find(*wanted)
        assert found is not None, wanted
        return found


Alternatives = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A layout that can be recognised: by columns that it needs, each under some names."""

    name: str
    title: str
    needs: tuple[Alternatives, ...]
    make: Callable[[Kind, Header], Layout | None]

    def lacks(self, header: Header) -> list[str]:
        """Name the columns that are not there."""
        return [need[0].rstrip("*") for need in self.needs if header.find(*need) is None]


# --- ERCOT ---------------------------------------------------------------------------------

_POINT = ("settlementpoint", "settlementpointname")
_FLAG = ("repeatedhourflag", "dstflag")


def _ercot_day_ahead(kind: Kind, header: Header) -> Layout:
    when = DateAndHour(
        header.get("deliverydate"), header.get("hourending"), flag=header.get(*_FLAG), order="mdy"
    )
    return _ercot(kind, header, when, "day-ahead", 60)


def _ercot_real_time(kind: Kind, header: Header) -> Layout:
    when = DateAndHour(
        header.get("deliverydate"), header.get("deliveryhour"), header.get("deliveryinterval"),
        header.get(*_FLAG), order="mdy",
    )  # fmt: skip
    return _ercot(kind, header, when, "real-time", 15)


def _ercot(kind: Kind, header: Header, when: DateAndHour, market: str, minutes: int) -> Layout:
    return Layout(
        kind.name, kind.title, when, {market: header.get("settlementpointprice")},
        point=header.get(*_POINT), point_type=header.find("settlementpointtype"), currency="USD",
        clock=CHICAGO, zone=CHICAGO, minutes=minutes,
    )  # fmt: skip


def _ercot_wide(kind: Kind, header: Header) -> Layout:
    """Day-ahead, real-time and reserve prices side by side, hour ending by the local clock."""
    names = {"damlmp": "day-ahead", "rtmlmp": "real-time"}
    energy = {names[bare(name)]: name for name in header.names if bare(name) in names}
    reserves = {
        bare(name): name
        for name in header.names
        if bare(name) in ("regdn", "regup", "rrs", "nspin", "ecrs")
    }
    when = DateAndHour(
        header.get("deliverydate"), header.get("hourending"), order="mdy", spring_by_end=True
    )
    return Layout(
        kind.name, kind.title, when, {**energy, **reserves}, only_point=_named_point(header),
        currency="USD", clock=CHICAGO, zone=CHICAGO, minutes=60, reserves=frozenset(reserves),
    )  # fmt: skip


def _named_point(header: Header) -> str:
    """Find a settlement point of ERCOT in the file's name.

    Examples
    --------
    >>> _named_point(Header((), "ercot_HB_HUBAVG_DAM.csv")), _named_point(Header((), "a.csv"))
    ('HB_HUBAVG', '')
    """
    found = re.search(r"(?:^|_)((?:HB|LZ)_[A-Z0-9]+)", header.file)
    return found[1] if found else ""


# --- California, Alberta, Europe -----------------------------------------------------------


def _caiso(kind: Kind, header: Header) -> Layout:
    market = header.find("marketrunid")
    return Layout(
        kind.name, kind.title,
        Stamps(header.get("intervalstarttimegmt"), until=header.find("intervalendtimegmt")),
        {UNTOLD: header.get("mw", "lmpprc", "value")},
        point=header.find("node", "nodeid", "nodeidxml", "pnoderesmrid"),
        market=(market,) if market else (), only={header.get("lmptype"): "LMP"}, currency="USD",
        clock="UTC", zone="America/Los_Angeles",
    )  # fmt: skip


def _aeso(kind: Kind, header: Header) -> Layout:
    forecast = header.find("forecastprice")
    prices = {"pool price": header.get("actualprice", "price")}
    return Layout(
        kind.name, kind.title,
        Stamps(header.get("datehe"), "hour-ending", order="mdy", spring_by_end=True),
        prices | ({"forecast": forecast} if forecast else {}), usual="pool price",
        only_point="Alberta", currency="CAD", clock=EDMONTON, zone=EDMONTON, minutes=60,
    )  # fmt: skip


def _aeso_api(kind: Kind, header: Header) -> Layout:
    return Layout(
        kind.name, kind.title, Stamps(header.get("begindatetimeutc")),
        {"pool price": header.get("poolprice")}, only_point="Alberta", currency="CAD",
        clock="UTC", zone=EDMONTON, minutes=60,
    )  # fmt: skip


_MTU = ("mtu*", "timecetcest", "timeutc")


def _entsoe(kind: Kind, header: Header) -> Layout | None:
    """Exports of the platform: prices of one area, or with a column of areas."""
    column, price = header.get(*_MTU), header.get("dayaheadprice*")
    told = re.search(r"\(([^)]+)\)", column)
    clock = ENTSOE_ZONES.get(told[1]) if told else None
    money = re.search(r"[\[(]([A-Z]{3})/MWh[\])]", price)
    area = header.find("area")
    if clock is None or (money is None and header.find("currency") is None):
        return None
    alone = next((name for name in header.names if name.startswith("BZN|")), "")
    sequence = header.find("sequence")
    return Layout(
        kind.name, kind.title, Stamps(column, order="dmy"), {"day-ahead": price}, point=area,
        only_point=alone.removeprefix("BZN|"), market=(sequence,) if sequence else (),
        currency=money[1] if money else None,
        currency_column=None if money else header.find("currency"),
        clock=clock, zone=BRUSSELS if clock == "UTC" else clock,
        label=header.names[-1] == alone,
    )  # fmt: skip


def _entsoe_bulk(kind: Kind, header: Header) -> Layout:
    """Monthly files of the platform's file library, all areas of Europe in one."""
    telling = [header.find("contracttype"), header.find("sequence")]
    return Layout(
        kind.name, kind.title,
        Stamps(header.get("datetimeutc", "datetime"), order="dmy",
               lasts=header.get("resolutioncode")),
        {UNTOLD: header.get("pricecurrencymwh", "price")},
        point=header.get("areamapcode", "mapcode"),
        market=tuple(column for column in telling if column),
        currency_column=header.get("currency"), clock="UTC", zone=BRUSSELS,
    )  # fmt: skip


# --- frames and processed files ------------------------------------------------------------

_STARTS = ("intervalstart", "intervalstartlocal", "intervalstartutc", "time")


def _gridstatus(kind: Kind, header: Header) -> Layout:
    """Frames of gridstatus and of gridstatus.io; their stamps carry the offset from UTC."""
    start = header.get(*_STARTS)
    market = header.find("market")
    until = header.find(bare(start).replace("start", "end"))
    return Layout(
        kind.name, kind.title, Stamps(start, until=None if until == start else until),
        {UNTOLD: header.get("spp", "lmp")}, point=header.get("location"),
        point_type=header.find("locationtype"), market=(market,) if market else (),
        currency="USD",
    )  # fmt: skip


#: Clock of the naive stamps of processed files, and local zone, by the market in their name.
_PROCESSED: Mapping[str, tuple[str | None, str]] = {
    "ERCOT": (None, CHICAGO),
    "CAISO": ("UTC", "America/Los_Angeles"),
}
_MARKETS = {"DAM": "day-ahead", "RTM": "real-time"}


def _processed(kind: Kind, header: Header) -> Layout:
    """Hours as HPE's sustain-cluster keeps them: ``ERCOT_HB_HUBAVG_DAM_2023.csv``."""
    named = re.match(r"([A-Z]+)_(.+)_(DAM|RTM)_[0-9]{4}\.", header.file)
    clock, zone = _PROCESSED.get(named[1], (None, None)) if named else (None, None)
    market = _MARKETS[named[3]] if named else UNTOLD
    return Layout(
        kind.name, kind.title, Stamps(header.get("datetime")),
        {market: header.get("priceusdmwh")}, only_point=named[2] if named else "",
        currency="USD", clock=clock, zone=zone,
    )  # fmt: skip


def _engine(kind: Kind, header: Header) -> Layout:
    lost = "marks of hours that are cut" if header.find("cut") else ""
    return Layout(
        kind.name, kind.title, Stamps(header.get("time")),
        {UNTOLD: header.get("priceusdpermwh", "pricepermwh")}, minutes=60, lost=lost,
        currency="USD" if header.find("priceusdpermwh") else None,
    )  # fmt: skip


# --- recognising ---------------------------------------------------------------------------

_DAY_AHEAD = (("deliverydate",), ("hourending",), _POINT, ("settlementpointprice",))

KINDS: tuple[Kind, ...] = (
    Kind("ercot-dam-yearly", "ERCOT day-ahead, yearly (NP4-180-ER)",
         (*_DAY_AHEAD, ("repeatedhourflag",)), _ercot_day_ahead),
    Kind("ercot-dam-daily", "ERCOT day-ahead, daily (NP4-190-CD)",
         (*_DAY_AHEAD, ("dstflag",)), _ercot_day_ahead),
    Kind("ercot-rtm", "ERCOT real-time, 15 minutes (NP6-785-ER, NP6-905-CD)",
         (("deliverydate",), ("deliveryhour",), ("deliveryinterval",), _FLAG, _POINT,
          ("settlementpointprice",)), _ercot_real_time),
    Kind("ercot-wide", "ERCOT by delivery date and hour ending, prices side by side",
         (("deliverydate",), ("hourending",), ("damlmp", "rtmlmp")), _ercot_wide),
    Kind("gridstatus", "gridstatus frame",
         (_STARTS, ("location",), ("spp", "lmp")), _gridstatus),
    Kind("caiso-oasis", "CAISO OASIS locational prices (PRC_LMP)",
         (("intervalstarttimegmt",), ("lmptype",), ("mw", "lmpprc", "value")), _caiso),
    Kind("aeso", "Alberta pool price (AESO)", (("datehe",), ("actualprice", "price")), _aeso),
    Kind("aeso-api", "Alberta pool price by AESO's API",
         (("begindatetimeutc",), ("poolprice",)), _aeso_api),
    Kind("entsoe", "ENTSO-E export with areas", (_MTU, ("area",), ("dayaheadprice*",)), _entsoe),
    Kind("entsoe-area", "ENTSO-E export of one area", (_MTU, ("dayaheadprice*",)), _entsoe),
    Kind("entsoe-bulk", "ENTSO-E file library (energy prices)",
         (("datetimeutc", "datetime"), ("resolutioncode",), ("areamapcode", "mapcode"),
          ("pricecurrencymwh", "price"), ("currency",)), _entsoe_bulk),
    Kind("processed", "hours by `Datetime` (HPE sustain-cluster)",
         (("datetime",), ("priceusdmwh",)), _processed),
    Kind("rackwatt", "the engine's own price file",
         (("time",), ("priceusdpermwh", "pricepermwh")), _engine),
)  # fmt: skip


def recognise(table: Table, columns: ColumnMap | None) -> tuple[Layout, int] | None:
    """Find the layout of a table, and the position of its header among the rows.

    Returns
    -------
    (Layout, int) or None
        None where the table has none; :func:`unknown` says what to make of it.
    """
    for position, (line, names) in enumerate(table.rows[:HEADER_WITHIN]):
        header = Header(names, Path(table.place.partition("/")[0].partition("[")[0]).name)
        layout = _mapped(header, columns) if columns else _known(header)
        if layout is not None:
            _refuse_twins(layout, names, table.place, line)
            return layout, position
    return None


def _known(header: Header) -> Layout | None:
    for kind in KINDS:
        layout = None if kind.lacks(header) else kind.make(kind, header)
        if layout is not None:
            return layout
    return None


def _mapped(header: Header, columns: ColumnMap) -> Layout | None:
    wanted = (columns.price, columns.time, columns.date, columns.hour, columns.point)
    if any(name is not None and name not in header.names for name in wanted):
        return None
    when: Stamps | DateAndHour
    if columns.time is not None:
        when = Stamps(columns.time, columns.stamp, columns.date_order)
    else:
        assert columns.date is not None
        assert columns.hour is not None
        when = DateAndHour(
            columns.date, columns.hour, tells=columns.stamp, order=columns.date_order
        )
    return Layout(
        "columns", "columns by name", when, {columns.price: columns.price}, point=columns.point,
        minutes=columns.interval_minutes,
    )  # fmt: skip


def _columns_of(layout: Layout) -> list[str]:
    when = layout.when
    times = (
        (when.column, when.until, when.lasts)
        if isinstance(when, Stamps)
        else (when.date, when.hour, when.quarter, when.flag)
    )
    others = (layout.point, layout.point_type, layout.currency_column, *layout.market)
    return [name for name in (*times, *others, *layout.prices.values(), *layout.only) if name]


def _refuse_twins(layout: Layout, names: Sequence[str], place: str, line: int) -> None:
    for column in _columns_of(layout):
        if names.count(column) > 1:
            hint = "which of them counts? rename the other"
            raise refuse("the column is given twice", place, line, column, hint=hint)


def unknown(table: Table, columns: ColumnMap | None) -> InputRefused:
    """Say why a table is of no layout: what is lacking to the nearest, or to the columns named."""
    if not table.rows:
        return refuse("the file is empty", table.place)
    line, names = max(table.rows[:HEADER_WITHIN], key=lambda row: _likeness(row[1], columns))
    found = listed([name or '""' for name in names], 30)
    if columns is not None:
        return _lacking(columns, names, table.place, line, found)
    header = Header(names, table.place)
    kind = min(KINDS, key=lambda kind: len(kind.lacks(header)) / len(kind.needs))
    lacks = kind.lacks(header)
    hint = "name its columns: --time-column or --date-column and --hour-column, --price-column"
    if 2 * len(lacks) <= len(kind.needs):
        hint = (
            f"most like {kind.title}, without a column `{listed(lacks)}`; "
            "or name columns with --time-column, --price-column"
        )
    if not lacks:
        hint = f"most like {kind.title}; its head tells no known zone or currency"
    allowed = "; ".join(kind.title for kind in KINDS)
    return refuse("the layout is not known", table.place, line, "", found, allowed, hint)


def _likeness(names: Sequence[str], columns: ColumnMap | None) -> float:
    if columns is not None:
        wanted = (columns.price, columns.time, columns.date, columns.hour, columns.point)
        return sum(name in names for name in wanted if name)
    header = Header(tuple(names), "")
    return max(1 - len(kind.lacks(header)) / len(kind.needs) for kind in KINDS)


def _lacking(
    columns: ColumnMap, names: Sequence[str], place: str, line: int, found: str
) -> InputRefused:
    wanted = (columns.price, columns.time, columns.date, columns.hour, columns.point)
    missing = next(name for name in wanted if name is not None and name not in names)
    near = nearest(missing, [name for name in names if name])
    hint = f"did you mean `{near}`?" if near else ""
    return refuse("the file has no such column", place, line, missing, "", found, hint)
