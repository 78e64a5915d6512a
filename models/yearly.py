r"""Limits on the energy of a year: on what is drawn, the carbon in it, or what a site generates.

What is used up of a limit counts in thousandths of it, so that MWh, tonnes and hours of a
generator make one and the same row. A year is the periods of twelve months from the start of the
horizon on; where less is left of the horizon, the limit shrinks with the months.

A limit couples the hours of a year: what is drawn in one is missing in another. At the best of a
plan that is a price on what is used up, the same in every hour of a node, and hours with the same
best choice *at that price* may be merged. Which price it is, only the plan tells. So a plan and
the bound of its value are sought in two ways (:mod:`optimizer.yearly`):

* A *plan* has bands as elsewhere, cut at the prices that it turns out to put on its limits, until
  bands earn what hours do to 1e-9. Its value is exact.
* The *bound* has no bands but a variable for what the hours of a node earn,
  :math:`E^{\text{hours}}`. At any price at all, what hours earn less what they use up at that
  price is no more than without a limit, where hours are independent and bands exact:
  :func:`tangent`. Each price adds such a row, which touches the truth where a plan has that
  price. Every plan keeps all of them, so the best under them is a bound, for any plan.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.context import Context
from models.energy import ai_load
from models.given import Band, LimitPrice, Site
from models.mining import band_margin
from models.relation import Number, Relation, at_least, at_most, equal, total
from models.tree import Node


def use_balance(c: Context, n: Node, s: Site) -> Relation:
    r"""What is drawn and generated uses up a year's limit.

    .. math::
        J_{ns} = \sum_b t_{nsb} \Big(
        \nu_{nsb} \big( \sum_{fk} \eta_f m_{nsfkb} + \text{AI}_{nsb} \big)
        + \sum_a \nu^{\text{own}}_{sa} \big( Q_{nsba} - u_{nsba} \big) \Big)
    """
    return equal(c.used[n, s], _use(c, n, s, c.given.bands[n, s]))


def year_limit(c: Context, n: Node, s: Site) -> Relation:
    r"""No more is used up in a year than its limit; by its last node.

    .. math:: \sum_{m \in Y_{ns}} J_{ms} \le \bar J_{ns}
    """
    g = c.given
    return at_most(total(c.used[m, s] for m in g.year_span[n, s]), g.year_limit[n, s])


def tangent(c: Context, n: Node, s: Site, z: LimitPrice) -> Relation:
    r"""Hours earn no more than without a limit at a price of it, and that price on what they use.

    .. math::
        E^{\text{hours}}_{ns} - \lambda_{nsz} J_{ns} \le
        \sum_{b \in B_{nsz}} \Big( \sum_{fk} t_{nsb} \big( \rho_{nk} - \eta_f
        ( \epsilon_{nsb} + \epsilon_s + \epsilon^{\text{mining}}_s ) \big) m_{nsfkb}
        - \sum_a t_{nsb} \lambda_{nsba} u_{nsba} \Big) - \lambda_{nsz} J_{nsz}

    with what the bands of the price use up, :math:`J_{nsz}`, as :func:`use_balance` has it. They
    are cut at break-evens less the price, so the best of the right side is the best over hours.
    """
    g, price = c.given, c.given.tangent_price[n, s, z]
    bands = g.tangent_bands[n, s, z]
    alone = total((_margin(c, n, s, bands), -price * _use(c, n, s, bands)))
    return at_most(total((c.earned[n, s], -price * c.used[n, s])), alone)


def least_use(c: Context, n: Node, s: Site) -> Relation:
    r"""AI draws what it draws, and own generation stands in for no more than it can.

    .. math::
        J_{ns} \ge \sum_b t_{nsb} \Big( \nu_{nsb} \text{AI}_{nsb}
        + \sum_a \nu^{\text{own}}_{sa} Q_{nsba} \Big)

    over the bands of the first price, and generation that stands in for what is drawn. No less
    than nothing is used up, as what a site generates it also draws.
    """
    g = c.given
    bands = g.tangent_bands[n, s, g.tangents[n, s][0]]
    spared = (
        g.hours[n, s, b] * g.own_use[s, a] * g.ppa_mw[n, s, b, a]
        for b in bands
        for a in _own(c, n, s, b)
        if (s, a) in g.stands_in
    )
    return at_least(c.used[n, s], total((_ai_use(c, n, s, bands), *spared)))


def earned_by_hours(c: Context, n: Node, s: Site) -> Number:
    r"""What hours under a limit may earn, while a bound is sought; their bands earn it in a plan.

    .. math:: E^{\text{hours}}_{ns}
    """
    return c.earned.get((n, s), 0.0)


def _use(c: Context, n: Node, s: Site, bands: Iterable[Band]) -> Number:
    """Thousandths of the limit that is used up in bands which make up the node."""
    g, bands = c.given, tuple(bands)
    mined = (
        g.hours[n, s, b] * g.draw_use[n, s, b] * g.pue[f] * c.mining[n, s, f, k, b]
        for b in bands
        for f, k in g.runs[n, s, b]
    )
    generated = (
        g.hours[n, s, b] * g.own_use[s, a] * (g.ppa_mw[n, s, b, a] - c.unused[n, s, b, a])
        for b in bands
        for a in _own(c, n, s, b)
    )
    return total((*mined, _ai_use(c, n, s, bands), *generated))


def _ai_use(c: Context, n: Node, s: Site, bands: Iterable[Band]) -> Number:
    """What AI uses up, in bands in which the same of its contracts are off at a time."""
    g, alike = c.given, dict[tuple[str, ...], list[Band]]()
    for b in bands:
        alike.setdefault(g.off.get((n, s, b), ()), []).append(b)
    return total(
        total(g.hours[n, s, b] * g.draw_use[n, s, b] for b in held) * ai_load(c, n, s, off)
        for off, held in alike.items()
    )


def _own(c: Context, n: Node, s: Site, b: Band) -> list[str]:
    """Own generation whose MWh count."""
    g = c.given
    return [a for a in g.ppas[s] if (s, a) in g.own_use and (n, s, b, a) in g.ppa_mw]


def _margin(c: Context, n: Node, s: Site, bands: Iterable[Band]) -> Number:
    """Margin of mining in bands, less what is lost of agreements that are not drawn."""
    g, bands = c.given, tuple(bands)
    mined = (
        band_margin(c, n, s, f, k, b) * c.mining[n, s, f, k, b]
        for b in bands
        for f, k in g.runs[n, s, b]
    )
    lost = (
        -g.hours[n, s, b] * g.ppa_loss[n, s, b, a] * c.unused[n, s, b, a]
        for b in bands
        for a in g.ppas.get(s, ())
        if (n, s, b, a) in g.ppa_mw
    )
    return total((*mined, *lost))
