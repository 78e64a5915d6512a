"""MW that are paid for whether they are drawn or not, hour by hour: what each hour of them loses.

An agreement bought ahead, own generation, a programme and the floor under a peak are one thing to
the model (:mod:`models.energy`): so many MW in an hour, and so much money lost on each that is not
drawn, against all of them being drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.given import PEAK_FLOOR, Given, Ppa, Site
from models.tree import Node
from models.units import ROUNDING

Floats = NDArray[np.float64]
#: Steps of a profile.
STEPS = 20


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
    cut : bool array
        Whether interruptible load is cut.
    shares : mapping of arrays
        Share of its MW that own generation can give, in steps, by the name of its profile.
    """

    market: Floats
    charge: Floats
    peaks: Floats
    offers: Floats
    month: NDArray[np.int64]
    cut: NDArray[np.bool_]
    shares: Mapping[str, Floats] = field(default_factory=dict)


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
        profile = g.ppa_profile.get((s, a))
        given = every_hour if profile is None else costs.shares[profile]
        if (s, a) in g.only_in_cuts:
            given = np.where(costs.cut, given, 0.0)
        return g.ppa_size[s, a] * given, saved
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


def in_steps(shares: Floats, weight_h: Floats) -> Floats:
    """Put a profile in twentieths: hours of one step all have the mean of the step.

    Hours with the same choice and the same MW merge; of sun and wind hardly two hours have the
    same. In steps they have, what a step gives in all is kept, and each hour is off by less than
    a twentieth of the MW. So a year earns what it would with the profile itself, give or take
    what that is worth (:func:`off_by_steps`).

    Examples
    --------
    >>> in_steps(np.array([0.0, 0.26, 0.28, 1.0]), np.array([1.0, 1.0, 3.0, 1.0])).tolist()
    [0.0, 0.275, 0.275, 1.0]
    """
    step = np.ceil(shares * STEPS - ROUNDING).astype(np.int64)
    hours = np.bincount(step, weights=weight_h)
    whole = np.bincount(step, weights=weight_h * shares)
    mean = np.divide(whole, hours, out=np.zeros_like(hours), where=hours > 0)
    return np.asarray(mean[step])


def off_by_steps(g: Given, n: Node, s: Site, a: Ppa, costs: HourCosts, off_h: Floats) -> float:
    """Most that steps of a profile change of what a node earns, in M$.

    A MWh more in an hour is never worth more than what it saves, or the most that any machine
    there earns of energy beside its fuel. Under a limit of a year it also leaves one to another
    hour, which is never worth more than in the best of all. ``off_h`` are the hours of each row by
    the share that they are off.
    """
    fuel = g.ppa_fuel[s, a]
    saved = costs.market + costs.charge + g.adder[s] - fuel
    earned = [
        g.mining_revenue[n, k] / g.pue[f] - g.mining_adder[s] - fuel
        for f, k in g.mining_classes.get(s, ())
    ]
    worth = np.maximum(np.maximum(saved, max(earned, default=0.0)), 0.0)
    if s in g.limited and len(worth):
        mined = max(earned, default=0.0) + fuel - (costs.market + costs.charge + g.adder[s])
        worth = worth + max(float(worth.max()), float(mined.max()))
    return float(g.ppa_size[s, a] * (off_h * worth).sum())
