r"""Energy beyond the price of an hour: the highest MW of a month, and agreements bought ahead.

A demand charge is paid on the highest MW of each calendar month; hours are then coupled through
that number only, as they are through the connection, so bands of one month stay exact.

An agreement delivers so many MW in every hour. Were all of it sold at the hour's price, it would
be worth the difference of two prices and change nothing that is decided. What is lost where it is
not drawn is written against that: drawing a MW less costs the hour's price above the agreements'
MW, and what they would fetch below. In a band every hour lies on the same side of each price at
which a machine class, or two of them, would choose otherwise, by either of the two costs; so the
best choice is the same in each of its hours, and bands stay exact.

A programme that pays for mining which runs and could be stopped is such an agreement as well: were
all of its MW running it would pay in full, and what does not run is lost. It counts mining alone.
So is own generation: used in full it would save what the grid costs above its fuel, in hours in
which that is more, and what the site does not draw is not saved.
"""

from __future__ import annotations

from collections.abc import Collection

from models.context import Context
from models.given import Band, BillMonth, Contract, Ppa, Site
from models.grid import firm_capacity, interruptible_capacity, mining_load, reserved_but
from models.relation import Number, Relation, at_least, at_most, total
from models.tree import Node


def billed_load(c: Context, n: Node, s: Site, b: Band) -> Relation:
    r"""The highest MW of a month is no less than what runs in any of its bands.

    .. math::
        \sum_{fk} \eta^{\text{peak}}_f m_{nsfkb} + \sum_a x^{\text{call}}_{nsba} Z_{nsa} + U_{ns}
        - \sum_{c \in \text{off}_{nsb}} \sum_{p \in s} \sum_k \eta^{\text{peak}}_{f(p)} a_{ncpk}
        \le D_{nsr(b)}
    """
    off = c.given.off.get((n, s, b), ())
    load = total((mining_load(c, n, s, b), reserved_but(c, n, s, off)))
    return at_most(load, c.billed[n, s, c.given.bill_month[n, s, b]])


def billed_ai(c: Context, n: Node, s: Site, r: BillMonth) -> Relation:
    r"""The highest MW of a month is no less than what AI reserves.

    .. math::
        U_{ns} - \sum_{c \in \text{off}_{nsr}} \sum_{p \in s} \sum_k
        \eta^{\text{peak}}_{f(p)} a_{ncpk} \le D_{nsr}

    Without the contracts that are off in all of its hours.
    """
    return at_most(reserved_but(c, n, s, _off_all_month(c, n, s, r)), c.billed[n, s, r])


def _off_all_month(c: Context, n: Node, s: Site, r: BillMonth) -> list[Contract]:
    """Contracts that are off in every band of a month.

    The hours of a contract that allows fewer lie among those of one that allows more, so in some
    band of the month all the others are on at once.
    """
    g = c.given
    if s not in g.sheddable:
        return []
    every = g.bands[n, s] or g.tangent_bands[n, s, g.tangents[n, s][0]]
    bands = [b for b in every if g.bill_month[n, s, b] == r]
    return [x for x in g.sheddable[s] if all(x in g.off[n, s, b] for b in bands)]


def billing_floor(c: Context, n: Node, s: Site, r: BillMonth) -> Relation:
    r"""At least a share of the connection is billed.

    .. math::
        D_{nsr} \ge \underline\beta_s \Big( F_{ns} + I_{ns} + \sum_{j \in s}
        \big( \Delta F_j + \Delta I_j \big) \sum_{m \preceq n-\ell_j} B_{mj} \Big)
    """
    connection = total((firm_capacity(c, n, s), interruptible_capacity(c, n, s)))
    return at_least(c.billed[n, s, r], c.given.billing_floor[s] * connection)


def contract_draw(c: Context, n: Node, s: Site, x: Contract) -> Number:
    r"""Mean utility MW that a contract draws at a site while it is on.

    .. math:: \sum_{p \in s} \sum_k \delta_{ncp} a_{ncpk}
    """
    g = c.given
    return total(
        g.ai_draw[n, x, p] * c.hosting[n, x, p, k]
        for p, k in g.hosting_at[x]
        if g.site_of[p] == s and (n, x, p, k) in c.hosting
    )


def ai_load(c: Context, n: Node, s: Site, off: Collection[Contract] = ()) -> Number:
    r"""Mean utility MW that AI draws at a site in a band, the tenants' own among it.

    .. math::
        \text{AI}_{nsb} = \sum_{p \in s} \sum_k \Big( \sum_{c \notin \text{off}_{nsb}}
        \delta_{ncp} a_{ncpk} + \delta^{\text{cloud}}_{pk} g_{npk} \Big)

    A contract that is off in a band is off in all of its hours, and draws nothing there; what it
    draws while it is on is its mean of the period.
    """
    g = c.given
    hosted = (contract_draw(c, n, s, x) for x in g.contracts if x not in off)
    sold = (g.cloud_draw[p, k] * c.cloud[n, p, k] for p, k in g.cloud_at if g.site_of[p] == s)
    return total((*hosted, *sold))


def agreements_drawn(c: Context, n: Node, s: Site, b: Band) -> Relation:
    r"""What agreements deliver is drawn by mining and AI, or not drawn.

    .. math::
        \sum_a Q_{nsba} \le \sum_a u_{nsba} + \sum_{fk} \eta_f m_{nsfkb} + \text{AI}_{nsb}

    Without AI where programmes pay for being able to stop.
    """
    g = c.given
    delivered = total(g.ppa_mw[n, s, b, a] for a in g.ppas[s] if (n, s, b, a) in g.ppa_mw)
    unused = (c.unused[n, s, b, a] for a in g.ppas[s] if (n, s, b, a) in g.ppa_mw)
    mined = (g.pue[f] * c.mining[n, s, f, k, b] for f, k in g.runs[n, s, b])
    off = g.off.get((n, s, b), ())
    ai = [] if s in g.paid_to_stop else [ai_load(c, n, s, off)]
    return at_most(delivered, total((*unused, *mined, *ai)))


def unused_limit(c: Context, n: Node, s: Site, b: Band, a: Ppa) -> Relation:
    r"""No more is left than an agreement delivers.

    .. math:: u_{nsba} \le Q_{nsba}
    """
    return at_most(c.unused[n, s, b, a], c.given.ppa_mw[n, s, b, a])


def demand_charges(c: Context, n: Node, s: Site) -> Number:
    r"""Charges on the highest MW of each month.

    .. math:: - \beta_s \sum_r D_{nsr}
    """
    g = c.given
    return total(-g.demand_charge[s] * c.billed[n, s, r] for r in g.bill_months.get((n, s), ()))


def agreements_margin(c: Context, n: Node, s: Site) -> Number:
    r"""What agreements are worth against the prices of the hours, less what is lost undrawn.

    .. math:: \Gamma_{ns} - \sum_{ba} t_{nsb} \lambda_{nsba} u_{nsba}
    """
    g = c.given
    lost = (
        -g.hours[n, s, b] * g.ppa_loss[n, s, b, a] * c.unused[n, s, b, a]
        for b in g.bands[n, s]
        for a in g.ppas.get(s, ())
        if (n, s, b, a) in g.ppa_mw
    )
    return total((g.ppa_gain.get((n, s), 0.0), *lost))
