"""MW that are paid for whether they are drawn or not, hour by hour: what each hour of them loses.

An agreement bought ahead, own generation, a programme and the floor under a peak are one thing to
the model (:mod:`models.energy`): so many MW in an hour, and so much money lost on each that is not
drawn, against all of them being drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.given import PEAK_FLOOR, Given, Ppa, Site
from models.tree import Node

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HourCosts:
    """What a MWh of each hour costs, in M$/MWh; all of shape (rows,).

    Attributes
    ----------
    market : array
        Price without charges and adders.
    charge, peaks : array
        Charges on peaks and carbon, and of these the one on peaks.
    offers : array
        What the hours say is paid for mining that could be stopped.
    month : int array
        Calendar month.
    """

    market: Floats
    charge: Floats
    peaks: Floats
    offers: Floats
    month: NDArray[np.int64]


def block_of(g: Given, n: Node, s: Site, a: Ppa, costs: HourCosts) -> tuple[Floats, Floats]:
    """MW of a block in each hour, and M$/MWh lost on what is not drawn.

    Where it never matters what is drawn, as where all is sold back at prices that are never below
    zero, there are no MW.
    """
    every_hour = np.ones(len(costs.market))
    if a == PEAK_FLOOR:
        connection = g.firm_mw[n, s] + g.interruptible_mw[n, s]
        return np.where(costs.peaks > 0, g.peak_floor[s] * connection, 0.0), costs.peaks
    if (s, a) in g.ppa_fuel:
        # What is generated at the site pays neither charges nor what comes on top of prices.
        saved = costs.market + costs.charge + g.adder[s] - g.ppa_fuel[s, a]
        return g.ppa_size[s, a] * every_hour, saved
    if s in g.paid_to_stop:
        # Programmes count the MW that mine: what does not run is not paid for.
        said = g.ppa_offer.get((s, a))
        return g.ppa_size[s, a] * every_hour, costs.offers if said is None else said * every_hour
    return _agreement(g, n, s, a, costs)


def _agreement(g: Given, n: Node, s: Site, a: Ppa, costs: HourCosts) -> tuple[Floats, Floats]:
    fee, nothing = g.ppa_fee.get((s, a)), np.zeros(len(costs.market))
    if fee == 0.0 and (costs.market >= 0).all():
        return nothing, nothing
    running = [m for m in range(1, 13) if (n, s, a, m) in g.ppa_price]
    mw = np.where(np.isin(costs.month, running), g.ppa_size[s, a], 0.0)
    fetched = nothing if fee is None else np.maximum(costs.market - fee, 0.0)
    return mw, costs.market - fetched
