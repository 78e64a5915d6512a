"""The hours a year is made of, as priced: real hours, or the steps of a duration curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Hours:
    """Priced hours of one power supply, in the order of their file.

    A row is a real hour of a real year (``weight_h`` 1 over the number of years that hold its
    calendar month) or a step of a duration curve (``weight_h`` its hours per calendar month).
    A period of the plan takes every row of its calendar months; leap hours are kept.

    Attributes
    ----------
    month : int array, shape (rows,)
        Calendar month, 1 to 12.
    weight_h : float array, shape (rows,)
        Hours that the row stands for each time its calendar month comes round.
    price_usd_per_mwh : float array, shape (rows,)
        Hourly price before adders and growth.
    cut : bool array, shape (rows,)
        Hours in which interruptible load is cut.
    source : str
        Where the rows come from, for the manifest.
    peak : bool array, shape (rows,), optional
        Hours marked as those in which the whole grid peaks.
    carbon_kg_per_mwh : float array, shape (rows,), optional
        Carbon of the energy drawn.
    offer_usd_per_mwh : float array, shape (rows,), optional
        What is paid for mining that runs and could be stopped.
    charge_usd_per_mwh : float array, shape (rows,), optional
        Charges that shift the hour's price, and do not grow with it (:mod:`models.charges`).
    peak_usd_per_mwh : float array, shape (rows,), optional
        Of these, the charge on the grid's peaks.
    shares : mapping of str to float array, shape (rows,)
        Share of its MW that own generation can give, by the name of the file's column.
    use_per_mwh : float array, shape (rows,), optional
        Thousandths of a year's limit that a MWh drawn uses up (:mod:`models.yearly`).
    in_sequence : bool
        Whether each row is the hour after the one before; a step of a curve is not.
    stopped : bool array, shape (rows,), optional
        Hours in which all mining is ordered to stand still (:mod:`models.called`).
    called : bool array, shape (rows, commitments), optional
        Hours in which each commitment is called.
    off : bool array, shape (rows, contracts), optional
        Whether a contract that allows it is off (:mod:`models.allowed`), in the order of
        ``Given.sheddable``.
    """

    month: NDArray[np.int64]
    weight_h: NDArray[np.float64]
    price_usd_per_mwh: NDArray[np.float64]
    cut: NDArray[np.bool_]
    source: str
    peak: NDArray[np.bool_] | None = None
    carbon_kg_per_mwh: NDArray[np.float64] | None = None
    offer_usd_per_mwh: NDArray[np.float64] | None = None
    charge_usd_per_mwh: NDArray[np.float64] | None = None
    peak_usd_per_mwh: NDArray[np.float64] | None = None
    use_per_mwh: NDArray[np.float64] | None = None
    shares: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    in_sequence: bool = True
    stopped: NDArray[np.bool_] | None = None
    called: NDArray[np.bool_] | None = None
    off: NDArray[np.bool_] | None = None

    @property
    def follow_each_other(self) -> bool:
        """Whether runs of hours can be told: rows in sequence, none longer than an hour."""
        return self.in_sequence and bool((self.weight_h <= 1).all())

    @property
    def stops(self) -> NDArray[np.bool_]:
        """Hours in which all mining is ordered to stand still; none where nothing says so."""
        return np.zeros(len(self), bool) if self.stopped is None else self.stopped

    @property
    def calls(self) -> NDArray[np.bool_]:
        """Hours in which each commitment is called, of shape (rows, commitments)."""
        return np.zeros((len(self), 0), bool) if self.called is None else self.called

    @property
    def uses(self) -> NDArray[np.float64]:
        """Thousandths of a year's limit that a MWh uses up; zero where there is none."""
        return _or_zero(self.use_per_mwh, len(self))

    @property
    def charges(self) -> NDArray[np.float64]:
        """Charges in $/MWh, zero where there are none."""
        return _or_zero(self.charge_usd_per_mwh, len(self))

    @property
    def offers(self) -> NDArray[np.float64]:
        """What is paid for mining that could be stopped, in $/MWh; zero where nothing is."""
        return _or_zero(self.offer_usd_per_mwh, len(self))

    @property
    def peaks(self) -> NDArray[np.float64]:
        """Charge on the grid's peaks in $/MWh, zero where there is none."""
        return _or_zero(self.peak_usd_per_mwh, len(self))

    def at(self, rows: NDArray[np.intp]) -> Hours:
        """Take rows, some of them more than once."""
        arrays: dict[str, Any] = {
            entry.name: value[rows]
            for entry in fields(self)
            if isinstance(value := getattr(self, entry.name), np.ndarray)
        }
        shares = {name: values[rows] for name, values in self.shares.items()}
        return replace(self, **arrays, shares=shares)

    def __len__(self) -> int:
        return len(self.month)


def file_years(hours: Hours) -> list[tuple[NDArray[np.intp], float]]:
    """Rows of each year of a file, and its share of a plan's year.

    A year of a file ends where its first month comes round again. A row of real hours weighs one
    over the number of years that hold its calendar month, so a file year stands for the sum of
    that over its months, a twelfth each. A duration curve is one year.

    Examples
    --------
    Eighteen months, of which six come twice:

    >>> month = np.arange(18) % 12 + 1
    >>> longer = Hours(month, np.where(month <= 6, 0.5, 1.0), np.ones(18), np.zeros(18, bool), "")
    >>> [(len(rows), share) for rows, share in file_years(longer)]
    [(12, 0.75), (6, 0.25)]
    """
    starts = np.concatenate([[True], np.diff(hours.month) != 0])
    years = np.bincount(hours.month[starts], minlength=13)
    # Hours that were split weigh less.
    if not (hours.weight_h * years[hours.month] <= 1.0 + 1e-9).all():
        return [(np.arange(len(hours)), 1.0)]
    begins = np.flatnonzero(starts & (hours.month == hours.month[0]))[1:]
    return [
        (rows, float((1.0 / years[np.unique(hours.month[rows])]).sum() / 12.0))
        for rows in np.split(np.arange(len(hours)), begins)
    ]


def _or_zero(values: NDArray[np.float64] | None, rows: int) -> NDArray[np.float64]:
    return np.zeros(rows) if values is None else values


def flat(price_usd_per_mwh: float, source: str = "flat price") -> Hours:
    """One price for every hour of a non-leap year, a row per calendar month."""
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    return Hours(
        month=np.arange(1, 13),
        weight_h=days * 24.0,
        price_usd_per_mwh=np.full(12, float(price_usd_per_mwh)),
        cut=np.zeros(12, dtype=bool),
        source=source,
        in_sequence=False,
    )
