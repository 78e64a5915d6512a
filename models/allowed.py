"""Hours of the year in which a tenant allows its load to be off.

A contract that allows so many hours a year is off in those of each year of the price file: hours
in which interruptible load is cut come first, then the dearest, by the file's price with charges,
grown and exchanged alike. So the hours of a contract that allows fewer lie among those of one that
allows more. A step of a duration curve, or an hour of which only a part is left, is split by
weight; the bands are cut at these hours, so that in each band a load is on or off for all of it.
A year of the file counts by its calendar months, leap years as others, and of several years each
alike. Hours in which energy costs nothing, or less, are not taken.

Where the tenant pays the energy, the owner has nothing to save by it, and the load is off in hours
in which interruptible load is cut only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.derive.facts import Facts
from models.hours import Hours, file_years

Floats = NDArray[np.float64]
#: Rounding of hours summed up: a smaller part of an hour is none.
ROUNDING_H = 1e-6
#: Before what is never off stand more hours than any year has.
NEVER_H = 1e6


def at_site(d: Facts, s: str, contracts: Sequence[str], hours: Hours) -> Hours:
    """Mark the hours of a site in which its contracts are off.

    Parameters
    ----------
    d : Facts
        What was typed.
    s : str
        The site.
    contracts : sequence of str
        ``Given.sheddable`` of the site.
    hours : Hours
        Priced hours of its supply, with their charges.
    """
    power, offers = d.i.power[d.i.sites[s].power or s], [d.i.contracts[x] for x in contracts]
    allowances = [
        Allowance(offer.curtailable_hours_per_year, cut_only=offer.power_passed_through)
        for offer in offers
    ]
    adder = power.adder_usd_per_mwh + power.ai_adder_usd_per_mwh
    return switched(hours, allowances, usd_per_unit=d.usd_per_unit(s, d.tree.start), adder=adder)


@dataclass(frozen=True)
class Allowance:
    """What a contract allows.

    Attributes
    ----------
    hours_per_year : float
        Hours a year in which its load may be off.
    cut_only : bool
        Whether it is off in hours in which interruptible load is cut only.
    """

    hours_per_year: float
    cut_only: bool = False


def switched(
    hours: Hours, allowances: Sequence[Allowance], *, usd_per_unit: float = 1.0, adder: float = 0.0
) -> Hours:
    """Mark the hours in which contracts are off, and split those that they share with others.

    Parameters
    ----------
    hours : Hours
        Priced hours of a site, with their charges.
    allowances : sequence of Allowance
        What its contracts allow, in the order of ``Hours.off``.
    usd_per_unit : float
        Exchange rate at which prices and charges are compared.
    adder : float
        What comes on top of an hour's price, in $/MWh.

    Examples
    --------
    Twelve months of one step each; 100 hours are off in the dearest, which is split:

    >>> year = Hours(np.arange(1, 13), np.full(12, 730.0), np.arange(12.0) + 30.0,
    ...              np.zeros(12, bool), "steps")
    >>> part = switched(year, [Allowance(100.0)])
    >>> part.weight_h[part.off[:, 0]].tolist(), part.month[part.off[:, 0]].tolist(), len(part)
    ([100.0], [12], 13)
    """
    if not allowances:
        return replace(hours, off=None)
    begin, size = _places(hours, usd_per_unit, adder)
    rows, begin, end = _split(begin, size, sorted({one.hours_per_year for one in allowances}))
    whole = np.bincount(rows, minlength=len(hours))[rows] == 1
    kept = np.where(whole, 1.0, (end - begin) / np.where(whole, 1.0, size[rows]))
    taken = hours.at(rows)
    off = [
        (end <= one.hours_per_year + ROUNDING_H) & (taken.cut | (not one.cut_only))
        for one in allowances
    ]
    return replace(taken, weight_h=taken.weight_h * kept, off=np.column_stack(off))


def cut_hours_per_year(hours: Hours) -> float:
    """Most hours of a year of the file in which interruptible load is cut."""
    cut, most = hours.cut & (hours.weight_h > 0), 0.0
    for own, share in file_years(hours):
        most = max(most, float(hours.weight_h[own][cut[own]].sum() / share))
    return most


def _places(hours: Hours, usd_per_unit: float, adder: float) -> tuple[Floats, Floats]:
    """Hours of a year taken before each row, and its own; never reached before those not taken."""
    cost = hours.price_usd_per_mwh * usd_per_unit + hours.charges
    begin, size = np.full(len(hours), NEVER_H), np.zeros(len(hours))
    for own, share in file_years(hours):
        size[own] = hours.weight_h[own] / share
        order = own[np.lexsort((-cost[own], ~hours.cut[own]))]
        order = order[hours.cut[order] | (cost[order] + adder > 0)]
        begin[order] = np.concatenate([[0.0], np.cumsum(size[order])[:-1]])
    return begin, size


def _split(
    begin: Floats, size: Floats, edges: Sequence[float]
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Split rows at edges: the row that each part is of, in their order, and where it lies."""
    rows, end = np.arange(len(begin)), begin + size
    for edge in edges:
        inside = (begin < edge - ROUNDING_H) & (end > edge + ROUNDING_H)
        rows = np.concatenate([rows, rows[inside]])
        begin, end = (
            np.concatenate([begin, np.full(inside.sum(), edge)]),
            np.concatenate([np.where(inside, edge, end), end[inside]]),
        )
    order = np.lexsort((begin, rows))
    return rows[order], begin[order], end[order]
