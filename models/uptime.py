r"""Uptime: a site's plant, and which halls may serve what on it.

Availabilities in series multiply, so their logarithms add. What a promise allows is divided into
a million parts; a hall's package and each part of the plant use up a whole number of them, and
together no more than there are. Type, number and needed number of units are chosen with the load
that they carry at nameplate: of two ways that carry it, the one that needs fewer units is up more
often, so the choice is exact, without a big-M and without averaging over halls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.context import Context
from models.given import (
    Band,
    Fitout,
    Given,
    Part,
    Place,
    Pool,
    RackType,
    Site,
    SlaClass,
    Unit,
    UnitsUp,
)
from models.grid import ai_loads
from models.relation import Number, Relation, at_least, at_most, equal, total
from models.tree import Leaf, Node


def installed(c: Context, n: Node, s: Site, d: Part, u: Unit) -> Number:
    r"""Units that stand: those of today, and those ordered one lead time before.

    .. math:: G^0_{sdu} + \sum_{m \preceq n-\ell_u} G_{msdu}
    """
    g = c.given
    landed = (
        c.plant_orders[m, s, d, u]
        for m in g.tree.path(n)
        if (m, s, d, u) in c.plant_orders and g.tree.period[m] + g.plant_lag[u] <= g.tree.period[n]
    )
    return total((g.plant_today.get((s, d, u), 0.0), *landed))


def load(c: Context, n: Node, s: Site, d: Part, q: SlaClass) -> Number:
    r"""What a class and those stricter, which are shed after it, put on a part of the plant.

    .. math::
        A_{nsdq} = \sum_{q(c) \le q} \ \sum_{p \in s} \sum_k \eta_{dp}\, a_{ncpk}

    Critical IT MW, so that :math:`\eta_{dp}` is one; facility MW at
    :math:`\eta^{\text{peak}}_{f(p)}` on a part that mining shares.
    """
    g = c.given
    stricter = g.sla_classes[: g.sla_classes.index(q) + 1]
    return total(
        nameplate_share(c, s, d, p) * c.hosting[n, x, p, k]
        for x, own in g.class_of.items()
        if own in stricter
        for p, k in g.hosting_at[x]
        if g.site_of[p] == s and (n, x, p, k) in c.hosting
    )


def nameplate_share(c: Context, s: Site, d: Part, p: Place) -> float:
    """MW that go through a part for a critical IT MW: facility MW where mining shares it."""
    g = c.given
    return g.pue_peak[g.fitout_of[p]] if d in g.pooled_parts.get(s, ()) else 1.0


def one_option(c: Context, n: Node, s: Site, d: Part, q: SlaClass) -> Relation:
    r"""A part of the plant carries a class in one way.

    .. math:: \sum_o x_{nsdoq} \le 1
    """
    g = c.given
    ways = (c.held[n, s, d, o, q] for o in g.plant_options[s, d] if (n, s, d, o, q) in c.held)
    return at_most(total(ways), 1.0)


def carrying_limit(c: Context, n: Node, s: Site, d: Part, q: SlaClass) -> Relation:
    r"""The units needed carry the load of a class that is served and of those stricter.

    .. math:: A_{nsdq} \le \sum_o M_{sdo}\, x_{nsdoq} + \bar A_{sd} \big( 1 - x_{nsq} \big)
    """
    g = c.given
    carried = total(
        g.option_mw[s, d, o] * c.held[n, s, d, o, q]
        for o in g.plant_options[s, d]
        if (n, s, d, o, q) in c.held
    )
    unserved = g.plant_carries_most[s, d] * (1.0 - c.promised[n, s, q])
    return at_most(load(c, n, s, d, q), total((carried, unserved)))


def plant_reservation(c: Context, n: Node, s: Site, d: Part) -> Relation:
    r"""Units that stand carry all of AI, what is promised and what is not.

    .. math::
        \sum_{p \in s} \sum_k \Big( \sum_c a_{ncpk} + g_{npk} \Big) \le
        \sum_u M_{sdu} \Big( G^0_{sdu} + \sum_m G_{msdu} \Big)
    """
    g = c.given
    ai = total(
        mw
        for h in g.halls[s]
        for p in g.places[h]
        if g.workload_of[p] == "ai"
        for mw in ai_loads(c, n, p)
    )
    units = (g.plant_unit_mw[s, d, u] * installed(c, n, s, d, u) for u in g.plant_units[s, d])
    return at_most(ai, total(units))


def served_at_site(c: Context, n: Node, p: Place, q: SlaClass) -> Relation:
    r"""A class served in a place is served at its site.

    .. math:: x_{npq} \le x_{nsq}
    """
    return at_most(c.served[n, p, q], c.promised[n, c.given.site_of[p], q])


def standing_units(c: Context, n: Node, s: Site, d: Part, u: Unit, q: SlaClass) -> Relation:
    r"""The units that a way counts on stand.

    .. math:: \sum_{o\ \text{of}\ u} N_{sdo}\, x_{nsdoq} \le G^0_{sdu} + \sum_m G_{msdu}
    """
    g = c.given
    counted = total(
        g.option_count[s, d, o] * c.held[n, s, d, o, q]
        for o in g.plant_options[s, d]
        if g.option_unit[s, d, o] == u and (n, s, d, o, q) in c.held
    )
    return at_most(counted, installed(c, n, s, d, u))


def downtime_budget(c: Context, n: Node, p: Place, q: SlaClass) -> Relation:
    r"""Hall and plant together use up no more downtime than a promise allows.

    .. math::
        w_{pq}\, x_{npq} + \sum_d \sum_o w_{sdoq}\, x_{nsdoq}
        + \sum_t w^+_{qt} \big( x_{n-t} - x_{n-t-1} \big) \le W

    All numbers are whole and the right-hand side is constant, which keeps solvers exact. The last
    sum is there while a company that is new to AI learns.
    """
    g = c.given
    s = g.site_of[p]
    plant = (
        g.option_weight[s, d, o, q] * c.held[n, s, d, o, q]
        for d in g.plant_parts[s]
        for o in g.plant_options[s, d]
        if (n, s, d, o, q) in c.held
    )
    learning = (
        weight * begins(c, m)
        for m in g.tree.path(n)
        if (weight := g.learning_weight.get((q, g.tree.period[n] - g.tree.period[m])))
    )
    used = total((g.place_weight[p, q] * c.served[n, p, q], *plant, *learning))
    return at_most(used, g.downtime_parts)


def begins(c: Context, n: Node) -> Number:
    """Whether the company begins with AI at a node."""
    parent = c.given.tree.parent[n]
    return c.began[n,] if parent is None else c.began[n,] - c.began[parent,]


def experience_stays(c: Context, n: Node) -> Relation:
    r"""A company that has begun with AI has begun.

    .. math:: x_n \ge x_{n-1}
    """
    return at_least(begins(c, n), 0.0)


def experience_begins(c: Context, n: Node) -> Relation:
    r"""A company begins with AI where a hall of it is in service.

    .. math:: h \big( x_n - x_{n-1} \big) \le \sum_{p,\ \text{AI}} H_{np}
    """
    g = c.given
    halls = total(c.halls[n, p] for p, use in g.workload_of.items() if use == "ai")
    return at_most(g.one_hall * begins(c, n), halls)


def served_by_who_has_begun(c: Context, n: Node, p: Place, q: SlaClass) -> Relation:
    r"""Only a company that has begun serves a promise.

    .. math:: x_{npq} \le x_n
    """
    return at_most(c.served[n, p, q], c.began[n,])


def serving_limit(c: Context, n: Node, p: Place, q: SlaClass) -> Relation:
    r"""A place serves a class only where its package and the plant are compatible.

    .. math:: \sum_{q(c) = q} \sum_k a_{ncpk} \le M_p \bar H_h\, x_{npq}
    """
    g = c.given
    served = total(
        c.hosting[n, x, r, k]
        for x, own in g.class_of.items()
        if own == q
        for r, k in g.hosting_at[x]
        if r == p and (n, x, r, k) in c.hosting
    )
    return at_most(served, g.hall_mw[p] * g.halls_most[g.hall_of[p]] * c.served[n, p, q])


def plant_limit(c: Context, leaf: Leaf, s: Site, d: Part, u: Unit) -> Relation:
    r"""No more units stand than any way to carry the load counts on.

    .. math:: G^0_{sdu} + \sum_m G_{msdu} \le \max(\bar G_{sdu}, G^0_{sdu})
    """
    g = c.given
    most = max(g.plant_most[s, d, u], g.plant_today.get((s, d, u), 0.0))
    return at_most(installed(c, leaf, s, d, u), most)


def ranked(g: Given, n: Node, s: Site, b: Band) -> list[tuple[float, Fitout, RackType]]:
    """Machine classes of a band by what a facility MW of them earns in an hour, best first."""
    energy = g.price[n, s, b] + g.adder[s] + g.mining_adder[s]
    worth = (
        ((g.mining_revenue[n, k] - g.pue[f] * energy) / g.pue_peak[f], f, k)
        for f, k in g.runs[n, s, b]
    )
    # Of classes that earn alike the order does not matter; by name it is always the same.
    return sorted(worth, key=lambda one: (-one[0], one[1], one[2]))


def one_pool(c: Context, n: Node, s: Site, d: Part) -> Relation:
    r"""A part has one number of units at a time.

    .. math:: \sum_y x_{nsdy} \le 1
    """
    return at_most(total(c.pool[n, s, d, y] for y in c.given.pools[s, d]), 1.0)


def pool_units(c: Context, n: Node, s: Site, d: Part, u: Unit) -> Relation:
    r"""Units that AI and mining share stand.

    .. math:: \sum_{y\ \text{of}\ u} N_{sdy}\, x_{nsdy} \le G^0_{sdu} + \sum_m G_{msdu}
    """
    g = c.given
    counted = total(
        g.pool_count[s, d, y] * c.pool[n, s, d, y]
        for y in g.pools[s, d]
        if g.pool_unit[s, d, y] == u
    )
    return at_most(counted, installed(c, n, s, d, u))


def pool_reservation(c: Context, n: Node, s: Site, d: Part) -> Relation:
    r"""Shared units carry all of AI at nameplate, whether mining runs or not.

    .. math:: U_{ns} \le \sum_y M_{sdy}\, x_{nsdy}
    """
    g = c.given
    carried = total(g.pool_mw[s, d, y] * c.pool[n, s, d, y] for y in g.pools[s, d])
    return at_most(c.reserved[n, s], carried)


def pool_balance(
    c: Context, n: Node, s: Site, d: Part, f: Fitout, k: RackType, b: Band
) -> Relation:
    r"""The load on shared units: AI, this class of machines, and those that earn more.

    .. math::
        \sum_y T_{nsdyfkb} = U_{ns} + \sum_{(f'k') \ge (fk)} \eta^{\text{peak}}_{f'} m_{nsf'k'b}
    """
    g = c.given
    order = [(f2, k2) for _, f2, k2 in ranked(g, n, s, b)]
    better = order[: order.index((f, k)) + 1]
    mined = (g.pue_peak[f2] * c.mining[n, s, f2, k2, b] for f2, k2 in better)
    carried = total(c.pool_load[n, s, d, y, f, k, b] for y in g.pools[s, d])
    return equal(carried, total((c.reserved[n, s], *mined)))


def pool_limit(
    c: Context, n: Node, s: Site, d: Part, y: Pool, f: Fitout, k: RackType, b: Band
) -> Relation:
    r"""Shared units carry AI and mining at nameplate while all of them are up.

    .. math:: T_{nsdyfkb} \le M_{sdy}\, x_{nsdy}
    """
    g = c.given
    return at_most(c.pool_load[n, s, d, y, f, k, b], g.pool_mw[s, d, y] * c.pool[n, s, d, y])


def curtailment(
    c: Context, n: Node, s: Site, d: Part, y: Pool, f: Fitout, k: RackType, b: Band, m: UnitsUp
) -> Relation:
    r"""Mining takes every shortfall first: what it is short of on average.

    .. math::
        e_{nsdyfkb} \ge K \sum_{i \le m} P_{sdyi} \big( T_{nsdyfkb}
        - \mu_{sdyi}\, x_{nsdy} \big)

    with :math:`\mu_{sdyi}` what :math:`i` units carry. The mean shortfall of a load is convex and
    piecewise linear: of these rows the one that
    counts exactly the numbers of units that fall short is the highest.
    """
    g = c.given
    below = [(i, g.pool_up[s, d, y, i]) for i in range(m + 1)]
    chance = total(p for _, p in below)
    served = total(i * p for i, p in below) * g.pool_unit_mw[s, d, y]
    short = [chance * c.pool_load[n, s, d, y, f, k, b]]
    if m:
        short.append(-served * c.pool[n, s, d, y])
    return at_least(c.curtailed[n, s, d, y, f, k, b], g.kw_per_mw * total(short))


def mean_shortfall(up: Sequence[float], unit_mw: float, load_mw: Any) -> Any:
    """Mean MW by which units that are up fall short of a load.

    Parameters
    ----------
    up : sequence of float
        Probability that none, one, ... or all units are up.
    unit_mw : float
        What a unit carries.
    load_mw : float or array
        Load.

    Examples
    --------
    Two units of 5 MW, each up nine tenths of the time, under 8 MW:

    >>> round(float(mean_shortfall([0.01, 0.18, 0.81], 5.0, 8.0)), 6)
    0.62
    """
    short = (p * np.maximum(0.0, load_mw - i * unit_mw) for i, p in enumerate(up))
    return sum(short, start=np.zeros_like(load_mw, dtype=float))


def curtailment_loss(c: Context, n: Node, s: Site) -> Number:
    r"""Margin that mining loses to shortfalls of units that it shares with AI.

    .. math::
        - \sum_d \sum_b t_{nsb} \sum_{fk} \big( \text{worth}_{fk}
        - \text{worth}_{\text{next}} \big) \sum_y \frac{e_{nsdyfkb}}{K}

    with the classes in falling order of worth, what a facility MW of them earns in an hour: the
    least valuable is dropped first. Shortfalls of several shared parts add up, which counts
    those that coincide twice; what AI itself is short of counts with them. Both lean to the safe
    side, by no more than AI's own downtime.
    """
    g = c.given
    lost: list[Number] = []
    for d in g.pooled_parts.get(s, ()):
        for b in g.bands[n, s]:
            order = ranked(g, n, s, b)
            for i, (worth, f, k) in enumerate(order):
                following = order[i + 1][0] if i + 1 < len(order) else 0.0
                hourly = g.hours[n, s, b] * (worth - following) / g.kw_per_mw
                lost += [-hourly * c.curtailed[n, s, d, y, f, k, b] for y in g.pools[s, d]]
    return total(lost)


def dropped_it_mw(c: Context, n: Node, s: Site) -> dict[tuple[Fitout, RackType, Band], Number]:
    """Mean IT MW of each machine class that shortfalls of shared units drop, the worst first."""
    g = c.given
    dropped: dict[tuple[Fitout, RackType, Band], Number] = {}
    for d in g.pooled_parts.get(s, ()):
        for b in g.bands[n, s]:
            before: Number = 0.0
            for _, f, k in ranked(g, n, s, b):
                short = total(c.curtailed[n, s, d, y, f, k, b] for y in g.pools[s, d])
                own = (short - before) / (g.kw_per_mw * g.pue_peak[f])
                dropped[f, k, b] = dropped.get((f, k, b), 0.0) + own
                before = short
    return dropped


def plant_spending(c: Context, n: Node, s: Site) -> Number:
    r"""Capex of the units ordered.

    .. math:: \sum_{du} \kappa_{sdu} G_{nsdu}
    """
    g = c.given
    return total(
        g.plant_cost[s, d, u] * c.plant_orders[n, s, d, u]
        for d in g.plant_parts.get(s, ())
        for u in g.plant_units[s, d]
        if (n, s, d, u) in c.plant_orders
    )


def plant_upkeep(c: Context, n: Node, s: Site) -> Number:
    r"""Upkeep of the units that stand.

    .. math:: - \sum_{du} o_{sdu} \Big( G^0_{sdu} + \sum_{m \preceq n-\ell_u} G_{msdu} \Big)
    """
    g = c.given
    return total(
        -g.plant_upkeep[s, d, u] * installed(c, n, s, d, u)
        for d in g.plant_parts.get(s, ())
        for u in g.plant_units[s, d]
        if g.plant_upkeep[s, d, u]
    )
