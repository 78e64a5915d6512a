r"""Beyond the horizon: which units of plants the contracts that run on still need.

While a contract of a class runs on at a site, each part of the plant goes on carrying that class
in the way in which it did at the horizon, so the units that this way counts on stay. Units that
nothing needs any more are released, and take their residual then; those that stay owe their
upkeep. One way serves the last period and all that follows it: a spare that is let go at the
horizon counts for neither. Ends are those of :mod:`models.beyond`.
"""

from __future__ import annotations

from models.context import Context
from models.given import HORIZON, Contract, End, Option, Part, Site, SlaClass, Unit
from models.relation import Number, Relation, at_least, at_most, total
from models.tree import Leaf, Node, Vintage
from models.uptime import nameplate_share


def class_running_on(c: Context, leaf: Leaf, s: Site, q: SlaClass, e: End) -> Relation:
    r"""A class runs on at a site until an end where one of its contracts does.

    .. math::
        \sum_{q(c) = q,\ c \ge e} \ \sum_{p \in s} \sum_k a_{lcpk} \le
        \sum_{q(c) = q,\ c \ge e} \theta_{lc} \max(\bar q_c, q^0_c)\, z_{lsqe}

    :math:`c \ge e` are the contracts that end then or later.
    """
    g = c.given
    own = [x for x in _running_on(c, leaf, e) if g.class_of.get(x) == q]
    served = total(_served(c, leaf, s, x) for x in own)
    most = total(
        g.due_share[leaf, x] * max(g.contract_max_mw[x], g.signed_today_mw.get(x, 0.0))
        for x in own
    )
    return at_most(served, most * c.runs_on[leaf, s, q, e])


def way_kept(c: Context, leaf: Leaf, s: Site, d: Part, q: SlaClass, e: End) -> Relation:
    r"""A class that runs on is carried in some way.

    .. math:: \sum_o z_{lsdoqe} \ge z_{lsqe}
    """
    ways = c.given.plant_options[s, d]
    kept = (c.held_on[leaf, s, d, o, q, e] for o in ways if (leaf, s, d, o, q, e) in c.held_on)
    return at_least(total(kept), c.runs_on[leaf, s, q, e])


def same_way(c: Context, leaf: Leaf, s: Site, d: Part, o: Option, q: SlaClass, e: End) -> Relation:
    r"""It is carried in the way in which it is at the horizon.

    .. math:: z_{lsdoqe} \le x_{lsdoq}
    """
    return at_most(c.held_on[leaf, s, d, o, q, e], c.held[leaf, s, d, o, q])


def units_kept(c: Context, leaf: Leaf, s: Site, d: Part, u: Unit, q: SlaClass, e: End) -> Relation:
    r"""The units that a way counts on stand as long as a class runs on.

    .. math:: \sum_{o\ \text{of}\ u} N_{sdo}\, z_{lsdoqe} \le G^{\text{last}}_{lsdue}
    """
    g = c.given
    counted = total(
        g.option_count[s, d, o] * c.held_on[leaf, s, d, o, q, e]
        for o in g.plant_options[s, d]
        if g.option_unit[s, d, o] == u and (leaf, s, d, o, q, e) in c.held_on
    )
    return at_most(counted, c.units_lasting[leaf, s, d, u, e])


def units_carrying(c: Context, leaf: Leaf, s: Site, d: Part, e: End) -> Relation:
    r"""Units that last carry all AI that runs on, what is promised and what is not.

    .. math::
        \sum_{c \ge e} \ \sum_{p \in s} \sum_k \eta_{dp}\, a_{lcpk} \le
        \sum_u M_{sdu} G^{\text{last}}_{lsdue}

    with :math:`\eta_{dp}` as in the load of a part.
    """
    g = c.given
    load = total(
        nameplate_share(c, s, d, p) * c.hosting[leaf, x, p, k]
        for x in _running_on(c, leaf, e)
        for p, k in g.hosting_at[x]
        if g.site_of[p] == s
    )
    units = (
        g.plant_unit_mw[s, d, u] * c.units_lasting[leaf, s, d, u, e] for u in g.plant_units[s, d]
    )
    return at_most(load, total(units))


def units_released_limit(
    c: Context, leaf: Leaf, s: Site, d: Part, u: Unit, v: Vintage
) -> Relation:
    r"""Units are released once, and no more of them than were ordered.

    .. math:: \sum_e G^{\text{rel}}_{lsduve} \le G_{vsdu}
    """
    released = total(x for _, x in _releases(c, leaf, s, d, u, v))
    return at_most(released, c.plant_orders[v, s, d, u])


def units_staying(c: Context, leaf: Leaf, s: Site, d: Part, u: Unit, e: End) -> Relation:
    r"""Units last until an end where they stood at the horizon and were not released before.

    .. math::
        G^{\text{last}}_{lsdue} \le G^0_{sdu} + \sum_v \Big( G_{vsdu}
        - \sum_{e' < e} G^{\text{rel}}_{lsduve'} \Big)
    """
    g = c.given
    ordered = [c.plant_orders[v, s, d, u] for v in _vintages(c, leaf, s, d, u)]
    gone = total(
        units
        for v in _vintages(c, leaf, s, d, u)
        for f, units in _releases(c, leaf, s, d, u, v)
        if f == HORIZON or g.tail_months[leaf, f] < g.tail_months[leaf, e]
    )
    stand = total((g.plant_today.get((s, d, u), 0.0), *ordered, -gone))
    return at_most(c.units_lasting[leaf, s, d, u, e], stand)


def upkeep(c: Context, leaf: Leaf) -> Number:
    r"""Present value of the upkeep of units beyond the horizon, as long as they last.

    .. math:: \text{units}_l = - \sum_{sdue} o^{\text{end}}_{lsdue} G^{\text{last}}_{lsdue}
    """
    return total(
        -cost * c.units_lasting[key]
        for key, cost in c.given.lasting_unit_opex.items()
        if key[0] == leaf
    )


def residual(c: Context, leaf: Leaf) -> Number:
    r"""Present value of the plant's units when they are released, by straight line over life.

    .. math:: \text{plant}_l = \sum_{sduve} \sigma_{lsduve} G^{\text{rel}}_{lsduve}
    """
    g = c.given
    return total(
        worth * c.units_released[key] for key, worth in g.plant_residual.items() if key[0] == leaf
    )


def _running_on(c: Context, leaf: Leaf, e: End) -> list[Contract]:
    """Contracts that end at an end or later."""
    g = c.given
    months = g.tail_months[leaf, e]
    return [x for x in g.contracts if g.tail_months.get((leaf, x), 0) >= months]


def _served(c: Context, leaf: Leaf, s: Site, x: Contract) -> Number:
    g = c.given
    return total(c.hosting[leaf, x, p, k] for p, k in g.hosting_at[x] if g.site_of[p] == s)


def _vintages(c: Context, leaf: Leaf, s: Site, d: Part, u: Unit) -> list[Node]:
    return [v for v in c.given.tree.path(leaf) if (v, s, d, u) in c.plant_orders]


def _releases(
    c: Context, leaf: Leaf, s: Site, d: Part, u: Unit, v: Node
) -> list[tuple[End, Number]]:
    """Units of a vintage that are released, by the end at which they are."""
    ends = (HORIZON, *c.given.site_ends[s])
    return [
        (e, c.units_released[leaf, s, d, u, v, e])
        for e in ends
        if (leaf, s, d, u, v, e) in c.units_released
    ]
