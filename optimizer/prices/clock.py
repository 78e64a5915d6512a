"""Clocks: from what a clock on the wall shows to the moment it stands for.

Twice a year a local clock is changed. In spring it skips an hour: such a time stands for no
moment. In autumn it strikes an hour twice: such a time stands for two. Whatever a file tells, it
is brought to UTC first, where there is neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from optimizer.load.tables import CellError
from optimizer.prices.wish import DateOrder

HOUR = timedelta(hours=1)

_DATE = r"(?P<date>[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4})"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2})(?P<star>\*)?(:(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.0+)?)?)?"
)
_OFFSET = r"(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})"
_NAMED = r"\((?P<named>[A-Z]{2,5})\)"
_STAMP = re.compile(rf"{_DATE}([T ]+{_CLOCK})?\s*({_OFFSET}|{_NAMED})?\Z")
_ORDERS = {
    "mdy": (re.compile(r"(?P<m>[0-9]{1,2})[/.-](?P<d>[0-9]{1,2})[/.-](?P<y>[0-9]{4})\Z"),
            "a date as 12/31/2023"),
    "dmy": (re.compile(r"(?P<d>[0-9]{1,2})[/.-](?P<m>[0-9]{1,2})[/.-](?P<y>[0-9]{4})\Z"),
            "a date as 31.12.2023"),
    None: (re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})\Z"),
           "a date as 2023-12-31"),
}  # fmt: skip
_YEAR_FIRST = re.compile(r"(?P<y>[0-9]{4})[-/](?P<m>[0-9]{1,2})[-/](?P<d>[0-9]{1,2})\Z")


@dataclass(frozen=True)
class Told:
    """A time as it is told.

    Attributes
    ----------
    wall : datetime
        What the clock shows, without an offset.
    offset : timedelta or None
        Offset from UTC, where it is told.
    again : bool or None
        Whether the clock strikes this hour for the second time, where it is told.
    summer : bool or None
        Whether it is summer time, where it is told.
    """

    wall: datetime
    offset: timedelta | None = None
    again: bool | None = None
    summer: bool | None = None

    @property
    def second(self) -> bool | None:
        """Whether it is the second of two moments that the clock shows alike, where told."""
        return self.again if self.summer is None else not self.summer


def zone(name: str) -> tzinfo | None:
    """Find a zone by its name in the IANA database; None where there is none."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=1024)
def read_date(text: str, order: DateOrder | None) -> date:
    """Read a date; one that begins with its year needs no order.

    Raises
    ------
    CellError
        With what is allowed.

    Examples
    --------
    >>> read_date("03/04/2023", "mdy").isoformat(), read_date("03.04.2023", "dmy").isoformat()
    ('2023-03-04', '2023-04-03')
    """
    pattern, allowed = _ORDERS[order]
    match = _YEAR_FIRST.match(text) or pattern.match(text)
    if match is None:
        hint = "say which comes first with --date-order" if order is None else ""
        raise CellError(allowed, hint if re.match(r"[0-9]{1,2}[/.-]", text) else "")
    try:
        return date(int(match["y"]), int(match["m"]), int(match["d"]))
    except ValueError:
        hint = (
            "do the month and the day stand the other way round?" if int(match["m"]) > 12 else ""
        )
        raise CellError(allowed, hint) from None


def read_stamp(text: str, order: DateOrder | None) -> Told:
    """Read a stamp of date and time, with an offset where it carries one.

    ``02*`` is Alberta's hour that the clock strikes again, ``(CEST)`` and ``(CET)`` are
    ENTSO-E's; hour 24 is the next day's midnight.

    Raises
    ------
    CellError
        With what is allowed.

    Examples
    --------
    >>> read_stamp("2023-01-01 00:00:00-06:00", None).offset == timedelta(hours=-6)
    True
    >>> read_stamp("11/05/2023 02*", "mdy").again
    True
    """
    match = _STAMP.match(text)
    if match is None:
        raise CellError("a time as 2023-12-31 23:00:00, with or without -06:00 after it")
    if int(match["second"] or 0):
        raise CellError("a time on the minute")
    day = datetime.combine(read_date(match["date"], order), datetime.min.time())
    hour, minute = int(match["hour"] or 0), int(match["minute"] or 0)
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise CellError("a time of day from 00:00 to 24:00")
    wall = day + timedelta(hours=hour, minutes=minute)
    if match["star"]:
        return Told(wall, again=True)
    if match["named"]:
        return Told(wall, summer=match["named"] not in ("CET", "EET", "WET", "GMT"))
    return Told(wall, offset=_offset(match["offset"]))


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text == "Z":
        return timedelta(0)
    size = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return -size if text[0] == "-" else size


def instants(wall: datetime, clock: tzinfo) -> tuple[datetime, ...]:
    """Give the moments, in UTC, at which a clock shows a time: one, none or two.

    Examples
    --------
    >>> chicago = zone("America/Chicago")
    >>> [len(instants(datetime(2023, month, day, hour), chicago))
    ...  for month, day, hour in ((1, 1, 0), (3, 12, 2), (11, 5, 1))]
    [1, 0, 2]
    """
    found: list[datetime] = []
    for fold in (0, 1):
        moment = wall.replace(tzinfo=clock, fold=fold).astimezone(UTC)
        if moment.astimezone(clock).replace(tzinfo=None) == wall and moment not in found:
            found.append(moment)
    return tuple(found)
