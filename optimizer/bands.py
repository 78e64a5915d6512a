"""Hours without tears: real hours merged into break-even bands, with no loss.

Without storage, hours are coupled only through capacity. So hours of a node in which every
machine class makes the same choice merge: cut the prices at each class's break-even, at each
price where two classes change rank for scarce grid MW, and at each change of grid state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.given import Band, Fitout, Given, RackType, Site
from models.hours import Hours
from models.tree import Node
from models.units import USD_PER_MUSD

#: A fit-out and a rack type: machines that earn alike.
MachineClass = tuple[Fitout, RackType]


@dataclass(frozen=True, eq=False)
class Priced:
    """Hours of one node at one site: weight in h, price in M$/MWh before adders, cut or not."""

    hours: NDArray[np.float64]
    price: NDArray[np.float64]
    cut: NDArray[np.bool_]


def priced_hours(given: Given, n: Node, s: Site, hours: Hours) -> Priced:
    """Take the rows of a node's calendar months, grown to its date."""
    tree = given.tree
    months = [m % 12 + 1 for m in range(tree.first_month(n), tree.end_month(n))]
    taken = np.isin(hours.month, months)
    growth = given.price_growth[n, s] / USD_PER_MUSD
    return Priced(hours.weight_h[taken], hours.price_usd_per_mwh[taken] * growth, hours.cut[taken])


def cut_prices(given: Given, n: Node, s: Site) -> NDArray[np.float64]:
    """Prices in M$/MWh, before adders, at which the best choice of a node's hours changes."""
    g = given
    added = g.adder[s] + g.mining_adder[s]
    classes = g.mining_classes.get(s, ())
    cuts = {g.mining_revenue[n, k] / g.pue[f] - added for f, k in classes}
    for i, first in enumerate(classes):
        for second in classes[i + 1 :]:
            swap = _swap_price(g, n, first, second)
            if swap is not None:
                cuts.add(swap - added)
    return np.array(sorted(cuts))


def _swap_price(g: Given, n: Node, first: MachineClass, second: MachineClass) -> float | None:
    """Energy price at which two classes earn alike per MW of grid, if both still earn there."""
    (f, k), (h, r) = first, second
    slope = g.pue[f] / g.pue_peak[f] - g.pue[h] / g.pue_peak[h]
    if abs(slope) < 1e-12:
        return None
    gap = g.mining_revenue[n, k] / g.pue_peak[f] - g.mining_revenue[n, r] / g.pue_peak[h]
    price = gap / slope
    earns = min(g.mining_revenue[n, k] / g.pue[f], g.mining_revenue[n, r] / g.pue[h])
    return price if price < earns else None


def merge(given: Given, hours: Mapping[Site, Hours], *, hourly: bool = False) -> Given:
    """Put the bands of every node and site into a case.

    Parameters
    ----------
    given : Given
        A case without bands.
    hours : mapping
        Priced hours of each site.
    hourly : bool
        Keep every hour as a band of its own, to compare.
    """
    bands: dict[tuple[Node, Site], tuple[Band, ...]] = {}
    length: dict[tuple[Node, Site, Band], float] = {}
    price: dict[tuple[Node, Site, Band], float] = {}
    cut: dict[tuple[Node, Site, Band], bool] = {}
    runs: dict[tuple[Node, Site, Band], tuple[MachineClass, ...]] = {}
    for n in given.nodes:
        for s in given.sites:
            priced = priced_hours(given, n, s, hours[s])
            merged = priced if hourly else _merged(priced, cut_prices(given, n, s))
            bands[n, s] = tuple(range(len(merged.hours)))
            for b in bands[n, s]:
                length[n, s, b] = float(merged.hours[b])
                price[n, s, b] = float(merged.price[b])
                cut[n, s, b] = bool(merged.cut[b])
                runs[n, s, b] = _running(given, n, s, price[n, s, b])
    return replace(given, bands=bands, hours=length, price=price, cut=cut, runs=runs)


def _merged(priced: Priced, cuts: NDArray[np.float64]) -> Priced:
    slots = len(cuts) + 1
    slot = np.searchsorted(cuts, priced.price) + slots * priced.cut
    hours = np.bincount(slot, weights=priced.hours, minlength=2 * slots)
    cost = np.bincount(slot, weights=priced.hours * priced.price, minlength=2 * slots)
    filled = np.flatnonzero(hours)
    mean = np.asarray(cost[filled] / hours[filled], dtype=np.float64)
    return Priced(np.asarray(hours[filled], dtype=np.float64), mean, filled >= slots)


def _running(g: Given, n: Node, s: Site, price: float) -> tuple[MachineClass, ...]:
    energy = price + g.adder[s] + g.mining_adder[s]
    return tuple(
        (f, k)
        for f, k in g.mining_classes.get(s, ())
        if g.mining_revenue[n, k] > g.pue[f] * energy
    )


def dispatch(
    given: Given,
    n: Node,
    s: Site,
    priced: Priced,
    installed_mw: Mapping[MachineClass, float],
    supply_mw: float,
    cut_supply_mw: float,
) -> NDArray[np.float64]:
    """Run mining hour by hour: the class that earns most per MW of grid first.

    Parameters
    ----------
    installed_mw : mapping
        IT MW fit to run, per class.
    supply_mw, cut_supply_mw : float
        Utility MW left for mining in ordinary hours and in hours whose interruptible load is cut.

    Returns
    -------
    ndarray, shape (rows, classes)
        IT MW running in each row of ``priced``, classes in the order of ``installed_mw``.
    """
    g = given
    energy = priced.price + g.adder[s] + g.mining_adder[s]
    left = np.where(priced.cut, cut_supply_mw, supply_mw)
    classes = list(installed_mw)
    worth = np.array(
        [(g.mining_revenue[n, k] - g.pue[f] * energy) / g.pue_peak[f] for f, k in classes]
    ).reshape(len(classes), len(energy))
    running = np.zeros((len(energy), len(classes)))
    rows = np.arange(len(energy))
    order = np.argsort(-worth, axis=0, kind="stable")
    peak = np.array([g.pue_peak[f] for f, _ in classes])
    installed = np.array([installed_mw[key] for key in classes])
    for rank in range(len(classes)):
        pick = order[rank]
        mw = np.where(worth[pick, rows] > 0, np.minimum(installed[pick], left / peak[pick]), 0.0)
        running[rows, pick] = mw
        left = left - mw * peak[pick]
    return running
