"""Bands for hours that a limit on a year's energy couples, and their best dispatch under it.

At a price of what is used up of the limit, hours are independent again. Everything that may be
chosen in an hour begins to pay at one such price or stops to, its *threshold*: a break-even of
machines at the hour's price or at the one below an agreement's MW, own generation against what
it saves. Between two neighbouring thresholds of all hours nothing changes, so the best dispatch
within an allotment is found by bisection over them, and is exact: the choice on one side of a
threshold, mixed with the one on the other, as far as the allotment goes.

A plan's bands are cut at the prices that it puts on its limits (:func:`in_bands`); the bound of
its value has bands at every price that has come up (:func:`in_tangents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.given import Given, Site
from models.hours import Hours
from models.indices import limited_sites
from models.tree import Node
from models.units import ROUNDING
from optimizer.bands import (
    BANDED,
    Floats,
    Priced,
    Room,
    choices,
    cut_prices,
    merge,
    merged_by,
    merged_tables,
    operate,
    priced_hours,
    write_band,
)

#: Prices of a limit to begin from.
FIRST_PRICES = 8
#: What stands for a price without end, over the highest at which anything changes.
STEEP = 100.0
#: Prices of a limit, in M$ by the thousandth.
Prices = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Slice:
    """One choice, by the MWh, in every row of hours.

    Attributes
    ----------
    worth : array, shape (rows,)
        M$/MWh that it brings where nothing is used up.
    use : array, shape (rows,)
        Thousandths of the limit that a MWh of it uses up.
    """

    worth: Floats
    use: Floats

    @property
    def threshold(self) -> Floats:
        """M$ per thousandth at which the choice changes; not a number where it never does."""
        never = np.full(len(self.worth), np.nan)
        return np.asarray(np.divide(self.worth, self.use, out=never, where=self.use != 0))


def slices(g: Given, n: Node, s: Site, priced: Priced) -> list[Slice]:
    """Every choice of an hour that the price of the limit may change."""
    assert priced.use is not None
    assert priced.own_use is not None
    assert priced.bought is not None
    assert priced.loss is not None
    cuts, blocks = cut_prices(g, n, s), range(priced.bought.shape[1])
    found = [Slice(cut - priced.price, priced.use) for cut in cuts]
    for j in blocks:
        there = np.where(priced.bought[:, j] > 0, 1.0, 0.0)
        own, loss = priced.own_use[j] * there, priced.loss[:, j]
        undrawn = priced.price - loss
        found += [Slice(cut - undrawn, priced.use * there + own) for cut in cuts]
        found.append(Slice(loss, own))
        for k in range(j):
            both = there * (priced.bought[:, k] > 0)
            found.append(Slice(loss - priced.loss[:, k], both * (own - priced.own_use[k])))
    return found


# --- dispatch within an allotment ----------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Operated:
    """What runs and what is left in each row, and the price of the limit, in M$ a thousandth."""

    running: Floats
    unused: Floats
    price: float = 0.0


def operate_within(
    g: Given, n: Node, s: Site, priced: Priced, room: Room, allotted: float
) -> Operated:
    """Run mining and own generation for the most that they earn within an allotment.

    Parameters
    ----------
    allotted : float
        Thousandths of the year's limit that are left for them.
    """

    def at(price: float) -> Operated:
        return Operated(*operate(g, n, s, _shifted(priced, price), room), price)

    prices = _thresholds(slices(g, n, s, priced))
    middles = np.append((np.append(0.0, prices[:-1]) + prices) / 2, prices[-1:] + 1.0)
    if not len(prices):
        return at(0.0)
    low, high = 0, len(prices)
    best = at(float(middles[0]))
    if used(g, priced, room, best) <= allotted:
        return replace(best, price=0.0)
    # What is used up is too much at `low`, and as little as can be at the last.
    while high - low > 1:
        middle = (low + high) // 2
        enough = used(g, priced, room, at(float(middles[middle]))) <= allotted
        low, high = (low, middle) if enough else (middle, high)
    more, less = at(float(middles[low])), at(float(middles[high]))
    if used(g, priced, room, less) > allotted + ROUNDING * max(1.0, abs(allotted)):
        # AI alone takes more: no price is high enough, and the bound has to be told so.
        return replace(less, price=STEEP * float(prices[-1]))
    return _mixed(g, priced, room, more, less, allotted, float(prices[low]))


def _mixed(
    g: Given, priced: Priced, room: Room, more: Operated, less: Operated, allotted: float,
    price: float,
) -> Operated:  # fmt: skip
    most, least = used(g, priced, room, more), used(g, priced, room, less)
    share = min(1.0, max(0.0, (allotted - least) / (most - least))) if most > least else 0.0
    return Operated(
        less.running + share * (more.running - less.running),
        less.unused + share * (more.unused - less.unused),
        price,
    )


def used(g: Given, priced: Priced, room: Room, operated: Operated) -> float:
    """Thousandths of the year's limit that mining and own generation use up."""
    assert priced.use is not None
    assert priced.own_use is not None
    assert priced.bought is not None
    drawn = operated.running @ np.array([g.pue[f] for f, _ in room.installed_mw])
    generated = (priced.bought - operated.unused) @ priced.own_use
    return float((priced.hours * (priced.use * drawn + generated)).sum())


def _shifted(priced: Priced, price: float) -> Priced:
    """Put a price of the limit on hours."""
    assert priced.use is not None
    assert priced.own_use is not None
    assert priced.loss is not None
    return replace(
        priced,
        price=priced.price + price * priced.use,
        loss=priced.loss - price * priced.own_use,
    )


def _thresholds(found: list[Slice]) -> Floats:
    """Prices of the limit, above zero, at which some choice of some hour changes."""
    every = np.concatenate([one.threshold for one in found]) if found else np.zeros(0)
    return np.unique(every[(every > 0) & np.isfinite(every)])


# --- bands ---------------------------------------------------------------------------------


def first_prices(given: Given, hours: Mapping[Site, Hours]) -> dict[tuple[Node, Site], Prices]:
    """Prices of each limit to begin from: evenly among those at which some choice changes."""
    found = {}
    for n, s in limited_sites(given):
        priced = priced_hours(given, n, s, hours[s])
        known = _thresholds(slices(given, n, s, priced))
        picked = np.linspace(0, len(known), FIRST_PRICES + 1)[1:-1].astype(int)
        found[n, s] = tuple(known[picked].tolist()) if len(known) else ()
    return found


def in_bands(
    given: Given, hours: Mapping[Site, Hours], prices: Mapping[tuple[Node, Site], Prices]
) -> Given:
    """Put bands into a case that are cut at prices of its limits."""
    return replace(given, **cut_tables(given, hours, prices))


def cut_tables(
    given: Given, hours: Mapping[Site, Hours], prices: Mapping[tuple[Node, Site], Prices]
) -> dict[str, Any]:
    """Tables of a case that its hours fill, in bands that are cut at prices of its limits."""
    finer = {}
    for (n, s), cuts in prices.items():
        found = slices(given, n, s, priced_hours(given, n, s, hours[s]))
        finer[n, s] = [_sides(one, np.unique(cuts)) for one in found] if cuts else []
    none: dict[Any, Any] = {"tangents": {}, "tangent_bands": {}, "tangent_price": {}}
    return {**merged_tables(given, hours, finer=finer), **none}


def _sides(one: Slice, cuts: Floats) -> NDArray[np.int64]:
    """Number of the prices that an hour's threshold lies above, those that it lies on twice."""
    at = one.threshold
    return np.asarray(np.searchsorted(cuts, at) + np.searchsorted(cuts, at, side="right"))


def in_tangents(
    given: Given, hours: Mapping[Site, Hours], prices: Mapping[tuple[Node, Site], Prices]
) -> Given:
    """Put bands of its own for each price of a limit into a case, to bound what hours earn."""
    merged = merge(given, hours)
    tables: dict[str, Any] = {
        name: {key: x for key, x in getattr(merged, name).items() if key[:2] not in prices}
        for name in BANDED
    }
    tables |= {"ppa_gain": merged.ppa_gain, "commitment_pay": merged.commitment_pay}
    tables |= {"tangents": {}, "tangent_bands": {}, "tangent_price": {}}
    for (n, s), known in prices.items():
        _write_tangents(tables, given, n, s, priced_hours(given, n, s, hours[s]), known)
    return replace(given, **tables)


def _write_tangents(
    tables: dict[str, Any], g: Given, n: Node, s: Site, priced: Priced, known: Prices
) -> None:
    tables["bands"][n, s] = ()
    count = 0
    prices = sorted({0.0, *known})
    tables["tangents"][n, s] = tuple(range(len(prices)))
    for z, price in enumerate(prices):
        at_price = _shifted(priced, price)
        merged = merged_by(priced, choices(g, s, at_price, cut_prices(g, n, s)))
        bands = tuple(range(count, count + len(merged.hours)))
        for b, row in zip(bands, range(len(merged.hours)), strict=True):
            write_band(tables, g, n, s, b, merged, row)
        tables["tangent_bands"][n, s, z] = bands
        tables["tangent_price"][n, s, z] = price
        count += len(bands)
