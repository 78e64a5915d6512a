"""What is told of a series: its figures, its duration curve, and what machines would run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.mining import revenue_usd_per_mwh
from optimizer.load.catalogue import packaged

#: Shares of the hours, dearest first, at which the duration curve is told.
SHARES = (0.0, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
#: Hashprice of the instances that ``rackwatt init`` writes, in $/PH/day.
HASHPRICE = 38.0
#: Facility power per IT power of halls that mine by air, as the catalogue's ``mining-air``.
PUE = 1.05


@dataclass(frozen=True)
class Step:
    """A point of the duration curve.

    Attributes
    ----------
    share : float
        Share of hours that are as dear or dearer.
    hours : int
        Their number.
    price : float
        Price of the last of them.
    mean_of_rest : float or None
        Mean price of the others: what is paid on average by whoever stops in them.
    """

    share: float
    hours: int
    price: float
    mean_of_rest: float | None


@dataclass(frozen=True)
class Running:
    """What a class of machines would do at these prices.

    Attributes
    ----------
    machine : str
        Entry of the catalogue.
    j_per_th : float
        Its consumption.
    break_even : float
        Power price in $/MWh at which it earns nothing.
    share : float
        Share of hours below that price.
    mean_paid : float or None
        Mean price of these hours; None where there are none.
    """

    machine: str
    j_per_th: float
    break_even: float
    share: float
    mean_paid: float | None


@dataclass(frozen=True)
class Mining:
    """What machines are held against: hashprice, PUE, and what is paid on top of the price."""

    hashprice: float = HASHPRICE
    pue: float = PUE
    adder: float = 0.0

    def break_even(self, j_per_th: float) -> float:
        """Give the market price at which a machine earns just its power.

        Examples
        --------
        >>> round(Mining(35.0, pue=1.05).break_even(17.5), 1)
        79.4
        """
        return revenue_usd_per_mwh(self.hashprice, j_per_th) / self.pue - self.adder


def summary(prices: Sequence[float]) -> dict[str, Any]:
    """Give the figures of prices: hours, mean, minimum, maximum, hours below zero.

    Examples
    --------
    >>> summary([10.0, -2.0, 4.0])
    {'hours': 3, 'mean': 4.0, 'min': -2.0, 'max': 10.0, 'negative_hours': 1}
    """
    return {
        "hours": len(prices),
        "mean": _mean(prices),
        "min": min(prices),
        "max": max(prices),
        "negative_hours": sum(price < 0 for price in prices),
    }


def _mean(prices: Sequence[float]) -> float:
    return math.fsum(prices) / len(prices)


def duration_curve(prices: Sequence[float]) -> tuple[Step, ...]:
    """Sort the hours by price, dearest first, and tell some of them.

    Examples
    --------
    >>> curve = duration_curve([5.0, 1.0, 100.0, 2.0])
    >>> curve[0].price, curve[-1].price, [s.mean_of_rest for s in curve if s.share == 0.5]
    (100.0, 1.0, [1.5])
    """
    ordered = sorted(prices, reverse=True)
    steps = []
    for share in SHARES:
        hours = round(share * len(ordered))
        rest = ordered[hours:]
        price = ordered[max(hours, 1) - 1]
        steps.append(Step(share, hours, price, _mean(rest) if rest else None))
    return tuple(steps)


def running(prices: Sequence[float], mining: Mining) -> tuple[Running, ...]:
    """Hold every machine of the catalogue against prices in $/MWh, the thriftiest first."""
    told = []
    for name, j_per_th in sorted(_consumption(), key=lambda pair: (pair[1], pair[0])):
        break_even = mining.break_even(j_per_th)
        cheap = [price for price in prices if price < break_even]
        told.append(
            Running(
                name,
                j_per_th,
                break_even,
                len(cheap) / len(prices),
                _mean(cheap) if cheap else None,
            )
        )
    return tuple(told)


def _consumption() -> Iterator[tuple[str, float]]:
    machines: Mapping[str, Mapping[str, Any]] = packaged().names(("machines",))
    for name, entry in machines.items():
        given = entry.get("j_per_th")
        yield name, float(given if given is not None else entry["watt"] / entry["th_per_s"])
