"""What is wanted of a price file: the point, the market, the years, the clock, the currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What a time stamp tells: the moment an interval starts or ends, or the number of an hour of the
#: day that ends with it (1 to 24), whatever the clock does in it.
Stamping = Literal["start", "end", "hour-ending"]
#: How a date is written that does not begin with its year.
DateOrder = Literal["mdy", "dmy"]
Filling = Literal["previous-day", "previous-hour", "interpolate", "same-hour-mean"]
Keeping = Literal["first", "last"]


@dataclass(frozen=True)
class ColumnMap:
    """Which columns of a CSV hold what, where no layout is known.

    Attributes
    ----------
    price : str
        Column of prices.
    time, date, hour, point : str or None
        Column of time stamps, or one of dates and one of hours; column of settlement points.
    stamp : Stamping
        What a stamp or an hour tells.
    interval_minutes : int or None
        Length of an interval; found from the stamps unless given.
    date_order : DateOrder or None
        Order of dates that do not begin with their year.
    """

    price: str
    stamp: Stamping
    time: str | None = None
    date: str | None = None
    hour: str | None = None
    point: str | None = None
    interval_minutes: int | None = None
    date_order: DateOrder | None = None


@dataclass(frozen=True)
class Wish:
    """What is wanted of price files.

    Attributes
    ----------
    point, market : str or None
        Settlement point and market, needed where the files hold several.
    years : tuple of int
        Calendar years to take, by the local clock; empty takes the one there is.
    every_year : bool
        Take all that the files hold, whole years or not.
    timezone, clock : str or None
        Local zone of the hours, and zone of stamps without an offset.
    currency : str or None
        Currency of the prices, where the layout does not tell it.
    exchange : float or None
        USD per unit of that currency.
    fill : Filling or None
        How hours without a price get one.
    duplicates : Keeping or None
        Which price counts where an interval is given twice.
    columns : ColumnMap or None
        Columns by name, in place of the layouts known.
    """

    point: str | None = None
    market: str | None = None
    years: tuple[int, ...] = ()
    every_year: bool = False
    timezone: str | None = None
    clock: str | None = None
    currency: str | None = None
    exchange: float | None = None
    fill: Filling | None = None
    duplicates: Keeping | None = None
    columns: ColumnMap | None = None
