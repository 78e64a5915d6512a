"""Halls: what they are fitted out for, and the works between.

A group of identical halls holds an integer number of halls per *place* (state = fit-out with
uptime package). Conversions are integer flows between places, so identical halls bring no
symmetry into the model, and the number in service follows from the flows.
"""

from __future__ import annotations

from models.context import Context
from models.given import HORIZON, TENANT, Contract, End, Hall, Place, Site
from models.relation import Number, Relation, at_most, equal, total
from models.tree import Leaf, Node, Vintage


def state_balance(c: Context, n: Node, p: Place) -> Relation:
    r"""Halls in a state are those before, less conversions begun, plus works finished.

    .. math::
        H_{np} = H_{n-1,p} + \hat H_{np} - \sum_{p'} V_{npp'}
        + \sum_{p'} V_{n-\ell_{p'p},p'p} + \sum_j \Delta H_{jp} B_{n-\ell_j,j}

    Between order and arrival a hall belongs to no state: it earns nothing.
    """
    g = c.given
    finished = total(
        c.conversions[way]
        for q in g.places[g.hall_of[p]]
        if (way := (g.tree.ancestor(n, g.conversion_lag.get((q, p), 0)), q, p)) in c.conversions
    )
    return equal(c.halls[n, p], total((_there(c, n, p), -_begun(c, n, p), finished)))


def works_limit(c: Context, n: Node, p: Place) -> Relation:
    r"""Halls whose works begin were there before: none comes from works and leaves at once.

    .. math::
        \sum_{p'} V_{npp'} \le H_{n-1,p} + \hat H_{np} + \sum_j \Delta H_{jp} B_{n-\ell_j,j}

    Written where works cost no more than what a hall in service costs meanwhile (its upkeep, and
    the cost of two businesses): one change after another would keep halls out of service, in no
    state, to save it. Elsewhere works straight to the last state cost less than a detour.
    """
    return at_most(_begun(c, n, p), _there(c, n, p))


def _begun(c: Context, n: Node, p: Place) -> Number:
    """Halls that leave a state for works."""
    group = c.given.places[c.given.hall_of[p]]
    return total(c.conversions[n, p, q] for q in group if (n, p, q) in c.conversions)


def _there(c: Context, n: Node, p: Place) -> Number:
    """Halls in a state before the conversions of a node, with those of old works and projects."""
    g = c.given
    parent = g.tree.parent[n]
    before = g.halls_today.get(p, 0.0) if parent is None else c.halls[parent, p]
    built = total(
        g.project_halls[j, p] * c.builds[order]
        for j in g.projects.get(g.site_of[p], ())
        if (j, p) in g.project_halls
        and (order := (g.tree.ancestor(n, g.project_lag[j]), j)) in c.builds
    )
    return total((before, g.halls_ready.get((n, p), 0.0), built))


def fibre_limit(c: Context, n: Node, h: Hall) -> Relation:
    r"""Halls serve AI only where fibre has arrived.

    .. math::
        \sum_{p \in h,\ \text{AI}} H_{np} \le
        \bar H_h \sum_{j \in s} \Delta L_j \sum_{m \preceq n-\ell_j} B_{mj}

    Binds at sites without fibre until a project brings it.
    """
    g = c.given
    ai = [p for p in g.places[h] if g.workload_of[p] == "ai"]
    site = g.site_of[g.places[h][0]]
    lit = total(
        g.project_fibre[j] * c.builds[m, j]
        for j in g.projects.get(site, ())
        if j in g.project_fibre
        for m in g.tree.path(n)
        if (m, j) in c.builds and g.tree.period[m] + g.project_lag[j] <= g.tree.period[n]
    )
    return at_most(total(c.halls[n, p] for p in ai), g.halls_most[h] * lit)


def conversion_spending(c: Context, n: Node, s: Site) -> Number:
    r"""Capex of the conversions ordered.

    .. math:: \sum_{p \in s} \sum_{p'} \kappa_{pp'} V_{npp'}
    """
    g = c.given
    return total(
        g.conversion_cost[p, q] * c.conversions[n, p, q]
        for h in g.halls[s]
        for p in g.places[h]
        for q in g.places[h]
        if (n, p, q) in c.conversions
    )


def upkeep(c: Context, n: Node, s: Site) -> Number:
    r"""Staff and upkeep of halls in service.

    .. math:: - \sum_{p \in s} o_{np} H_{np}
    """
    g = c.given
    return total(
        -g.place_opex[n, p] * c.halls[n, p]
        for h in g.halls[s]
        for p in g.places[h]
        if (n, p) in g.place_opex
    )


def kept_vintage(c: Context, leaf: Leaf, p: Place, q: Place, v: Vintage) -> Relation:
    r"""No more halls of a vintage remain than were converted.

    .. math:: \sum_e r_{lpp've} \le V_{vpp'}
    """
    ends = c.given.residual_ends[q]
    kept = total(
        c.kept[leaf, p, q, v, e] for e in (HORIZON, *ends) if (leaf, p, q, v, e) in c.kept
    )
    return at_most(kept, c.conversions[v, p, q])


def kept_idle(c: Context, leaf: Leaf, q: Place) -> Relation:
    r"""Halls that take their residual at the horizon serve no contract beyond it.

    .. math::
        \sum_{p'v} r_{lp'pv,\text{horizon}}
        + \sum_{c\ \text{beyond}} \ \sum_k \frac{a_{lcpk}}{M_p} \le H_{lp}

    The newest halls keep most, so the oldest are counted out first without an index over age.
    """
    g = c.given
    serving = total(_serving(c, leaf, q, e) for e in g.residual_ends[q])
    return at_most(total((_kept(c, leaf, q, HORIZON), serving)), c.halls[leaf, q])


def kept_serving(c: Context, leaf: Leaf, q: Place, e: Contract) -> Relation:
    r"""Halls that take their residual at a contract's end serve that contract.

    .. math:: \sum_{p'v} r_{lp'pvc} \le \sum_k \frac{a_{lcpk}}{M_p}
    """
    return at_most(_kept(c, leaf, q, e), _serving(c, leaf, q, e))


def _kept(c: Context, leaf: Leaf, q: Place, e: End) -> Number:
    g = c.given
    return total(
        c.kept[leaf, p, q, v, e]
        for p in g.places[g.hall_of[q]]
        for v in g.tree.path(leaf)
        if (leaf, p, q, v, e) in c.kept
    )


def _serving(c: Context, leaf: Leaf, q: Place, e: Contract) -> Number:
    g = c.given
    return total(
        c.hosting[leaf, e, q, k] / g.hall_mw[q]
        for k in (TENANT, *g.racks_at.get(q, ()))
        if (leaf, e, q, k) in c.hosting
    )


def residual(c: Context, leaf: Leaf) -> Number:
    r"""Present value of fit-outs, by straight line over their life.

    .. math:: \text{halls}_l = \sum_{pp've} \sigma_{lpp've} r_{lpp've}

    Fit-outs that stand today carry no residual: their cost is sunk in every plan.
    """
    g = c.given
    return total(worth * c.kept[key] for key, worth in g.hall_residual.items() if key[0] == leaf)
