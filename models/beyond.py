"""Beyond the horizon: which halls and units of projects contracts that run on still need.

A hall serves as a whole until the last contract in it ends, and owes its upkeep until then;
a unit of a project is released once what runs on can do without it. What stands no longer than
the horizon is released there. Contracts that end together share one *end*, named after the first
of them; ends follow one another by date, so that halls and units that last until one of them have
lasted until every end before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from models.context import Context
from models.given import HORIZON, TENANT, Contract, End, Hall, Place, Project, RackType, Site
from models.grid import firm_capacity, interruptible_capacity
from models.relation import Number, Relation, at_most, total
from models.tree import Leaf, Node, Vintage


def lasting_balance(c: Context, leaf: Leaf, p: Place, e: End) -> Relation:
    r"""Halls that last until an end have lasted until the one before, and stood at the horizon.

    .. math:: H^{\text{last}}_{lpe} \le H^{\text{last}}_{lp,e-1}

    Before the first end stand the halls in service at the horizon, :math:`H_{lp}`.
    """
    ends = c.given.residual_ends[p]
    i = ends.index(e)
    before = c.lasting[leaf, p, ends[i - 1]] if i else c.halls[leaf, p]
    return at_most(c.lasting[leaf, p, e], before)


def lasting_space(c: Context, leaf: Leaf, p: Place, e: End) -> Relation:
    r"""What runs on until an end fits the IT MW of the whole halls that last until then.

    .. math:: \sum_{c \ge e} \ \sum_k a_{lcpk} \le M_p H^{\text{last}}_{lpe}

    :math:`c \ge e` are the contracts that end then or later.
    """
    served = total(c.hosting[leaf, x, p, k] for x, k in _running_on(c, leaf, p, e))
    return at_most(served, c.given.hall_mw[p] * c.lasting[leaf, p, e])


def lasting_positions(c: Context, leaf: Leaf, p: Place, e: End) -> Relation:
    r"""What runs on until an end fits the rack positions of the halls that last until then.

    .. math::
        \sum_{c \ge e} \Big( \sum_k \frac{\nu_k}{\mu_k} a_{lcpk} + \nu_c a_{lcp,\text{tenant}}
        \Big) \le N_p H^{\text{last}}_{lpe}
    """
    g = c.given
    running = _running_on(c, leaf, p, e)
    owned = (
        g.rack_positions[k] / g.rack_mw[k] * c.hosting[leaf, x, p, k]
        for x, k in running
        if k != TENANT
    )
    tenants = (
        g.tenant_positions[x] * c.hosting[leaf, x, p, k]
        for x, k in running
        if k == TENANT and x in g.tenant_positions
    )
    return at_most(total((*owned, *tenants)), g.hall_positions[p] * c.lasting[leaf, p, e])


def lasting_racks(c: Context, leaf: Leaf, p: Place, e: End, k: RackType) -> Relation:
    r"""Halls that last until an end hold whole racks of what runs on until then.

    .. math::
        \sum_{c \ge e} \ \sum_{k' : \mu_{k'} \ge \mu_k} \frac{a_{lcpk'}}{\mu_{k'}} \le
        \bar R_{pk} H^{\text{last}}_{lpe}
    """
    g = c.given
    larger = total(
        c.hosting[leaf, x, p, r] / g.rack_mw[r]
        for x, r in _running_on(c, leaf, p, e)
        if r != TENANT and g.rack_mw[r] >= g.rack_mw[k]
    )
    return at_most(larger, g.rack_fit[p, k] * c.lasting[leaf, p, e])


def released_limit(c: Context, leaf: Leaf, j: Project, v: Vintage) -> Relation:
    r"""Units of a project are released once, and no more of them than were built.

    .. math:: \sum_e B^{\text{rel}}_{ljve} \le B_{vj}
    """
    return at_most(total(x for _, x in _releases(c, leaf, j, v)), c.builds[v, j])


def firm_staying(c: Context, leaf: Leaf, s: Site, e: End) -> Relation:
    r"""What runs on until an end stands on firm MW, without the units released before.

    .. math::
        \sum_{p \in s} \sum_k \eta^{\text{peak}}_{f(p)} \sum_{c \ge e,\ c \notin X_s} a_{lcpk} \le
        F_{ls} + \sum_{j \in s} \Delta F_j \sum_v
        \Big( B_{vj} - \sum_{e' < e} B^{\text{rel}}_{ljve'} \Big)

    But for contracts that may stand on interruptible MW. Where the owner forbids the reuse of
    power, :math:`F_{ls}` is left out.
    """
    g = c.given
    needed = _utility_mw(c, leaf, s, e, but=g.interruptible_at.get(s, ()))
    gone = _mw_released(c, leaf, s, e, g.project_firm_mw)
    stands = firm_capacity(c, leaf, s)
    if not g.reuse_power:
        stands = total((stands, -g.firm_mw[leaf, s]))
    return at_most(needed, total((stands, -gone)))


def whole_staying(c: Context, leaf: Leaf, s: Site, e: End) -> Relation:
    r"""All that runs on stands on firm and interruptible MW, without the units released before.

    .. math::
        \sum_{p \in s} \sum_k \eta^{\text{peak}}_{f(p)} \sum_{c \ge e} a_{lcpk} \le
        F_{ls} + I_{ls} + \sum_{j \in s} \big( \Delta F_j + \Delta I_j \big) \sum_v
        \Big( B_{vj} - \sum_{e' < e} B^{\text{rel}}_{ljve'} \Big)

    Where some contracts may stand on interruptible MW; elsewhere these carry no AI, and nothing
    holds them beyond the horizon. Where the owner forbids the reuse of power, :math:`F_{ls}` and
    :math:`I_{ls}` are left out.
    """
    g = c.given
    gone = [
        _mw_released(c, leaf, s, e, mw) for mw in (g.project_firm_mw, g.project_interruptible_mw)
    ]
    stands = [firm_capacity(c, leaf, s), interruptible_capacity(c, leaf, s)]
    if not g.reuse_power:
        stands += [-g.firm_mw[leaf, s], -g.interruptible_mw[leaf, s]]
    return at_most(_utility_mw(c, leaf, s, e), total((*stands, *(-mw for mw in gone))))


def _utility_mw(c: Context, leaf: Leaf, s: Site, e: End, but: Collection[Contract] = ()) -> Number:
    """Utility MW of what runs on at a site until an end, but for some contracts."""
    g = c.given
    return total(
        g.pue_peak[g.fitout_of[p]] * c.hosting[leaf, x, p, k]
        for h in g.halls[s]
        for p in g.places[h]
        for x, k in _running_on(c, leaf, p, e)
        if x not in but
    )


def _mw_released(
    c: Context, leaf: Leaf, s: Site, e: End, mw_per_unit: Mapping[Project, float]
) -> Number:
    return total(
        mw_per_unit[j] * _released_before(c, leaf, j, e)
        for j in c.given.projects[s]
        if j in mw_per_unit
    )


def halls_staying(c: Context, leaf: Leaf, h: Hall, e: End) -> Relation:
    r"""Halls that last until an end stand there without the units released before.

    .. math::
        \sum_{p \in h} H^{\text{last}}_{lpe} \le \sum_{p \in h} \Big( H_{lp}
        - \sum_j \Delta H_{jp} \sum_v \sum_{e' < e} B^{\text{rel}}_{ljve'} \Big)

    Halls of a group are alike: those that a project added are the first to be done without.
    """
    g = c.given
    places = g.places[h]
    gone = total(
        halls * _released_before(c, leaf, j, e)
        for (j, p), halls in g.project_halls.items()
        if p in places
    )
    return at_most(_lasting_of(c, leaf, h, e), total((*(c.halls[leaf, p] for p in places), -gone)))


def fibre_staying(c: Context, leaf: Leaf, h: Hall, e: End) -> Relation:
    r"""Halls last until an end only where a unit with fibre was not released before.

    .. math::
        \sum_{p \in h} H^{\text{last}}_{lpe} \le \bar H_h \sum_{j \in s} \Delta L_j
        \sum_v \Big( B_{vj} - \sum_{e' < e} B^{\text{rel}}_{ljve'} \Big)
    """
    g = c.given
    lit = total(
        g.project_fibre[j] * total((*_built(c, leaf, j), -_released_before(c, leaf, j, e)))
        for j in g.projects[g.site_of[g.places[h][0]]]
        if j in g.project_fibre
    )
    return at_most(_lasting_of(c, leaf, h, e), g.halls_most[h] * lit)


def upkeep(c: Context, leaf: Leaf) -> Number:
    r"""Present value of the upkeep of halls beyond the horizon, as long as they last.

    .. math:: \text{upkeep}_l = - \sum_{pe} o^{\text{end}}_{lpe} H^{\text{last}}_{lpe}

    Upkeep of a hall is paid whole, however much of it is let.
    """
    return total(
        -cost * c.lasting[key] for key, cost in c.given.lasting_opex.items() if key[0] == leaf
    )


def _running_on(c: Context, leaf: Leaf, p: Place, e: End) -> list[tuple[Contract, RackType]]:
    """Contracts in a place that end at an end or later, with rack types."""
    g = c.given
    return [
        (x, k)
        for k in g.hosted_types.get(p, ())
        for x in g.contracts_at[p, k]
        if g.tail_months.get((leaf, x), 0) >= g.tail_months[leaf, e]
    ]


def _lasting_of(c: Context, leaf: Leaf, h: Hall, e: End) -> Number:
    """Halls of a group that last until an end, or until the next one that their place knows."""
    g = c.given
    months = g.tail_months[leaf, e]
    later = (
        [(leaf, p, f) for f in g.residual_ends[p] if g.tail_months[leaf, f] >= months]
        for p in g.places[h]
    )
    return total(c.lasting[ends[0]] for ends in later if ends)


def _built(c: Context, leaf: Leaf, j: Project) -> list[Number]:
    return [c.builds[v, j] for v in c.given.tree.path(leaf) if (v, j) in c.builds]


def _releases(c: Context, leaf: Leaf, j: Project, v: Node) -> list[tuple[End, Number]]:
    """Units of a vintage that are released, by the end at which they are."""
    ends = (HORIZON, *c.given.contracts)
    return [(e, c.released[leaf, j, v, e]) for e in ends if (leaf, j, v, e) in c.released]


def _released_before(c: Context, leaf: Leaf, j: Project, e: End) -> Number:
    g = c.given
    return total(
        units
        for v in g.tree.path(leaf)
        for f, units in _releases(c, leaf, j, v)
        if f == HORIZON or g.tail_months[leaf, f] < g.tail_months[leaf, e]
    )
