r"""Uptime: a site's plant, and which halls may serve what on it.

Availabilities in series multiply, so their logarithms add. What a promise allows is divided into
a million parts; a hall's package and each part of the plant use up a whole number of them, and
together no more than there are. Type, number and needed number of units are chosen with the load
that they carry at nameplate: of two ways that carry it, the one that needs fewer units is up more
often, so the choice is exact, without a big-M and without averaging over halls.
"""

from __future__ import annotations

from models.context import Context
from models.given import Part, Place, Site, SlaClass, Unit
from models.relation import Number, Relation, at_most, total
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


def load(c: Context, n: Node, s: Site, q: SlaClass) -> Number:
    r"""Critical IT MW of a class and of those stricter, which are shed after it.

    .. math:: A_{nsq} = \sum_{q(c) \le q} \ \sum_{p \in s} \sum_k a_{ncpk}
    """
    g = c.given
    stricter = g.sla_classes[: g.sla_classes.index(q) + 1]
    return total(
        c.hosting[n, x, p, k]
        for x, own in g.class_of.items()
        if own in stricter
        for p, k in g.hosting_at[x]
        if g.site_of[p] == s and (n, x, p, k) in c.hosting
    )


def one_option(c: Context, n: Node, s: Site, d: Part, q: SlaClass) -> Relation:
    r"""A part of the plant carries a class in one way.

    .. math:: \sum_o x_{nsdoq} \le 1
    """
    g = c.given
    ways = (c.held[n, s, d, o, q] for o in g.plant_options[s, d] if (n, s, d, o, q) in c.held)
    return at_most(total(ways), 1.0)


def carrying_limit(c: Context, n: Node, s: Site, d: Part, q: SlaClass) -> Relation:
    r"""The units needed carry the load of a class and of those stricter.

    .. math:: A_{nsq} \le \sum_o M_{sdo}\, x_{nsdoq}
    """
    g = c.given
    carried = total(
        g.option_mw[s, d, o] * c.held[n, s, d, o, q]
        for o in g.plant_options[s, d]
        if (n, s, d, o, q) in c.held
    )
    return at_most(load(c, n, s, q), carried)


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

    .. math:: w_{pq}\, x_{npq} + \sum_d \sum_o w_{sdoq}\, x_{nsdoq} \le W

    All numbers are whole and the right-hand side is constant, which keeps solvers exact.
    """
    g = c.given
    s = g.site_of[p]
    plant = (
        g.option_weight[s, d, o, q] * c.held[n, s, d, o, q]
        for d in g.plant_parts[s]
        for o in g.plant_options[s, d]
        if (n, s, d, o, q) in c.held
    )
    return at_most(total((g.place_weight[p, q] * c.served[n, p, q], *plant)), g.downtime_parts)


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


def residual(c: Context, leaf: Leaf) -> Number:
    r"""Present value of the plant's units, by straight line over their life.

    .. math:: \text{plant}_l = \sum_{sduv} \sigma_{lsduv} G_{vsdu}
    """
    g = c.given
    return total(
        worth * c.plant_orders[v, s, d, u]
        for (end, s, d, u, v), worth in g.plant_residual.items()
        if end == leaf
    )
