"""The hours a year is made of, as priced: real hours, or the steps of a duration curve."""

from __future__ import annotations

from dataclasses import dataclass

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
    off: NDArray[np.bool_] | None = None

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

    def __len__(self) -> int:
        return len(self.month)


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
    )
