"""Bitcoin mining: what a PH/s earns, what power it can pay for, and how it runs by band.

The figures are protocol facts (block subsidy, halving heights) or identities of the trade;
each is a small pure function with an example.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from models.context import Context
from models.given import Band, Fitout, RackType, Site
from models.relation import Number, Relation, at_most, total
from models.tree import Node

#: What the protocol aims at: one block in ten minutes.
BLOCKS_PER_DAY = 144.0
BLOCKS_PER_HALVING = 210_000
#: Day on which block 1,050,000 is expected at 144 blocks a day, counted from 941,789 blocks on
#: 2026-03-22; before it a block brings 3.125 BTC.
NEXT_HALVING = date(2028, 4, 11)
#: Days on which the subsidy halved: block 840,000 on 2024-04-20 and before.
PAST_HALVINGS = (date(2012, 11, 28), date(2016, 7, 9), date(2020, 5, 11), date(2024, 4, 20))


def halvings(until: date) -> tuple[date, ...]:
    """Days of all halvings up to ``until``, past and expected at 144 blocks a day.

    Examples
    --------
    >>> [str(day) for day in halvings(date(2033, 1, 1))][-2:]
    ['2028-04-11', '2032-04-08']
    """
    days = list(PAST_HALVINGS)
    day = NEXT_HALVING
    step = timedelta(days=BLOCKS_PER_HALVING / BLOCKS_PER_DAY)
    while day <= until:
        days.append(day)
        day += step
    return tuple(days)


def subsidy_btc(day: date) -> float:
    """New bitcoin per block on a day.

    Examples
    --------
    >>> subsidy_btc(date(2024, 4, 19)), subsidy_btc(date(2026, 1, 1)), subsidy_btc(NEXT_HALVING)
    (6.25, 3.125, 1.5625)
    """
    return float(50.0 / 2 ** sum(1 for halving in halvings(day) if halving <= day))


def mean_subsidy_btc(first: date, after: date) -> float:
    """Mean new bitcoin per block over the days from ``first`` to before ``after``.

    A halving inside the span is prorated by days.

    Examples
    --------
    >>> mean_subsidy_btc(date(2028, 4, 10), date(2028, 4, 12))
    2.34375
    """
    days = (after - first).days
    return sum(subsidy_btc(first + timedelta(days=i)) for i in range(days)) / days


def hashprice_from_difficulty(difficulty: float, btc_price_usd: float, reward_btc: float) -> float:
    """Hashprice in $/PH/day from difficulty, price and reward per block (subsidy and fees).

    A PH/s tries 86,400e15 hashes a day; a block takes difficulty times 2**32 of them.

    Examples
    --------
    >>> round(hashprice_from_difficulty(1e14, 100_000, 3.125), 2)
    62.86
    >>> round(hashprice_from_difficulty(59e12, 34_001, 3.25), 2)
    37.68
    """
    return 86_400e15 * reward_btc * btc_price_usd / (difficulty * 2**32)


def hashprice_from_network(
    btc_per_day: float, btc_price_usd: float, network_eh_per_s: float
) -> float:
    """Hashprice in $/PH/day: what miners earn in a day over the network's PH/s.

    Examples
    --------
    >>> hashprice_from_network(450.0, 100_000, 900.0)
    50.0
    """
    return btc_per_day * btc_price_usd / (network_eh_per_s * 1000.0)


def revenue_usd_per_mwh(hashprice_usd_per_ph_day: float, j_per_th: float) -> float:
    """Revenue of a machine per MWh at its plug.

    A J/TH is a W per TH/s; so a MW runs 1000 / (J/TH) PH/s, and an hour is a 24th of a day.
    This is also the power price at which it breaks even with a PUE of one and no pool fee.

    Examples
    --------
    >>> round(revenue_usd_per_mwh(30.0, 21.5), 1)
    58.1

    Luxor's published bands of 2026-01-12 at a hashprice of 39.53 (97, 75, 51 $/MWh):

    >>> [round(revenue_usd_per_mwh(39.53, j)) for j in (17.0, 22.0, 32.3)]
    [97, 75, 51]
    """
    return hashprice_usd_per_ph_day / (j_per_th * 0.024)


def mining_limit(c: Context, n: Node, s: Site, f: Fitout, k: RackType, b: Band) -> Relation:
    r"""Mining runs between zero and what is installed and fit to run.

    .. math:: m_{nsfkb} \le \omega_k \mu_k \sum_{p \in s,\ f(p) = f} R_{npk}

    It may stop at any hour without loss: that is its value beside AI.
    """
    g = c.given
    installed = total(
        (g.mining_ready[k] * g.rack_mw[k]) * c.racks[n, p, k] for p in g.places_of_class[s, f, k]
    )
    return at_most(c.mining[n, s, f, k, b], installed)


def band_margin(c: Context, n: Node, s: Site, f: Fitout, k: RackType, b: Band) -> Number:
    """Margin of an IT MW that mines through a band, in M$."""
    g = c.given
    energy = g.price[n, s, b] + g.adder[s] + g.mining_adder[s]
    return g.hours[n, s, b] * (g.mining_revenue[n, k] - g.pue[f] * energy)


def mining_margin(c: Context, n: Node, s: Site) -> Number:
    r"""Revenue less energy of mining, over the bands of a node.

    .. math::
        \sum_{fkb} t_{nsb} \Big( \rho_{nk}
        - \eta_f \big( \epsilon_{nsb} + \epsilon_s + \epsilon^{\text{mining}}_s \big) \Big)
        m_{nsfkb}

    Exact although hours are merged: within a band every hour has the same grid state and lies
    on the same side of every break-even price and of every price at which two classes change
    rank, so the best choice is the same in each of its hours whatever is installed, and profit
    is linear in the price. Classes that would lose money in a band have no variable there, but
    where a commitment may have them run (:mod:`models.commitments`).
    """
    g = c.given
    return total(
        band_margin(c, n, s, f, k, b) * c.mining[n, s, f, k, b]
        for b in g.bands[n, s]
        for f, k in g.runs[n, s, b]
    )


def installed_mw(c: Context, n: Node, s: Site) -> Number:
    """Nameplate IT MW of the mining racks at a site."""
    g = c.given
    return total(
        g.rack_mw[k] * c.racks[n, p, k]
        for f, k in g.mining_classes.get(s, ())
        for p in g.places_of_class[s, f, k]
    )


def presence(c: Context, n: Node, s: Site) -> Relation:
    r"""A site with mining racks mines.

    .. math:: \sum_{p \in s,\ \text{mining}} \ \sum_k \mu_k R_{npk} \le \bar M_s z_{ns}
    """
    return at_most(installed_mw(c, n, s), c.given.mining_mw_most[s] * c.mines[n, s])


def mean_hashprice(daily: Sequence[float]) -> float:
    """Mean of daily hashprices, as Luxor states a year's.

    Examples
    --------
    >>> mean_hashprice([50.0, 54.0])
    52.0
    """
    return sum(daily) / len(daily)
