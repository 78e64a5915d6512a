"""Halls: what they are fitted out for, and the works between.

A group of identical halls holds an integer number of halls per *place* (state = fit-out with
uptime package). Conversions are integer flows between places, so identical halls bring no
symmetry into the model, and the number in service follows from the flows.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.context import Context
from models.given import HORIZON, End, Fitout, Hall, Place, Site
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
    return at_most(total(_to_ends(c, leaf, p, q, v)), c.conversions[v, p, q])


def kept_idle(c: Context, leaf: Leaf, q: Place) -> Relation:
    r"""Halls that take their residual at the horizon serve no contract beyond it.

    .. math::
        \sum_{p' \ne p,\ v} r_{lp'pv,\text{horizon}} \le H_{lp} - H^{\text{last}}_{lp,1}

    The newest halls keep most, so the oldest are counted out first without an index over age.
    """
    return at_most(_kept(c, leaf, q, HORIZON, _other_places(c, q)), _idle(c, leaf, q))


def kept_serving(c: Context, leaf: Leaf, q: Place, e: End) -> Relation:
    r"""Halls that take their residual at an end serve until then and no longer.

    .. math::
        \sum_{p' \ne p,\ v} r_{lp'pve} \le H^{\text{last}}_{lpe} - H^{\text{last}}_{lp,e+1}
    """
    return at_most(_kept(c, leaf, q, e, _other_places(c, q)), _serving(c, leaf, q, e))


def kept_fitout(c: Context, leaf: Leaf, q: Place) -> Relation:
    r"""A hall has one fit-out to take its residual for, whatever package came with it or later.

    .. math::
        \sum_v r_{lppv,\text{horizon}} + \sum_{p' : f(p') \ne f(p)} \ \sum_v
        r_{lp'pv,\text{horizon}} \le H_{lp} - H^{\text{last}}_{lp,1}

    A change of package leaves the fit-out in the hall: :math:`r_{lppve}` counts halls that stand
    in a place by a change of package, with the fit-out that works finished at :math:`v`. The
    package that they came with is lost, the one that they changed to counts in its own vintage.
    """
    kept = _kept(c, leaf, q, HORIZON, (q, *_other_fitouts(c, q)))
    return at_most(kept, _idle(c, leaf, q))


def kept_fitout_serving(c: Context, leaf: Leaf, q: Place, e: End) -> Relation:
    r"""Fit-outs that take their residual at an end serve until then and no longer.

    .. math::
        \sum_v r_{lppve} + \sum_{p' : f(p') \ne f(p)} \ \sum_v r_{lp'pve} \le
        H^{\text{last}}_{lpe} - H^{\text{last}}_{lp,e+1}
    """
    kept = _kept(c, leaf, q, e, (q, *_other_fitouts(c, q)))
    return at_most(kept, _serving(c, leaf, q, e))


def kept_changed(c: Context, leaf: Leaf, q: Place) -> Relation:
    r"""No more halls stand in a place by a change of package than have changed to it.

    .. math::
        \sum_{ve} r_{lppve} \le \sum_{p' \ne p : f(p') = f(p)} \ \sum_{m \preceq l} V_{mp'p}
    """
    g = c.given
    path = g.tree.path(leaf)
    kept = total(part for v in path for part in _to_ends(c, leaf, q, q, v))
    return at_most(
        kept,
        total(
            c.conversions[m, p, q]
            for p in _other_places(c, q)
            if g.fitout_of[p] == g.fitout_of[q]
            for m in path
            if (m, p, q) in c.conversions
        ),
    )


def kept_finished(c: Context, leaf: Leaf, h: Hall, f: Fitout, v: Vintage) -> Relation:
    r"""Of the fit-outs that works finished at a node, no more remain than were begun.

    .. math::
        \sum_{p : f(p) = f} \Big( \sum_e r_{lppve}
        + \sum_{p' : f(p') \ne f} \ \sum_e r_{lp'p,v-\ell_{p'p},e} \Big) \le
        \sum_{p : f(p) = f} \ \sum_{p' : f(p') \ne f} V_{v-\ell_{p'p},p'p}

    Halls of a group that leave a fit-out count as the oldest in it, whatever their package.
    """
    g = c.given
    fitted = [q for q in g.places[h] if g.fitout_of[q] == f]
    ways = [
        (m, p, q)
        for q in fitted
        for p in _other_fitouts(c, q)
        for m in g.tree.path(v)
        if (m, p, q) in c.conversions
        and g.tree.period[m] + g.conversion_lag[p, q] == g.tree.period[v]
    ]
    stayed = (part for m, p, q in ways for part in _to_ends(c, leaf, p, q, m))
    moved = (part for q in fitted for part in _to_ends(c, leaf, q, q, v))
    return at_most(total((*moved, *stayed)), total(c.conversions[way] for way in ways))


def _other_places(c: Context, q: Place) -> list[Place]:
    return [p for p in c.given.places[c.given.hall_of[q]] if p != q]


def _other_fitouts(c: Context, q: Place) -> list[Place]:
    fitout = c.given.fitout_of
    return [p for p in c.given.places[c.given.hall_of[q]] if fitout[p] != fitout[q]]


def _to_ends(c: Context, leaf: Leaf, p: Place, q: Place, v: Vintage) -> list[Number]:
    """Halls of a vintage that are still worth something, by what they serve last."""
    keys = [(leaf, p, q, v, e) for e in (HORIZON, *c.given.residual_ends[q])]
    return [c.kept[key] for key in keys if key in c.kept]


def _kept(c: Context, leaf: Leaf, q: Place, e: End, origins: Iterable[Place]) -> Number:
    return total(
        c.kept[leaf, p, q, v, e]
        for p in origins
        for v in c.given.tree.path(leaf)
        if (leaf, p, q, v, e) in c.kept
    )


def _idle(c: Context, leaf: Leaf, q: Place) -> Number:
    """Halls that serve no contract beyond the horizon."""
    ends = c.given.residual_ends[q]
    serving = [-c.lasting[leaf, q, ends[0]]] if ends else []
    return total((c.halls[leaf, q], *serving))


def _serving(c: Context, leaf: Leaf, q: Place, e: End) -> Number:
    """Halls that serve until an end and no longer."""
    ends = c.given.residual_ends[q]
    later = ends[ends.index(e) + 1 :]
    longer = [-c.lasting[leaf, q, later[0]]] if later else []
    return total((c.lasting[leaf, q, e], *longer))


def residual(c: Context, leaf: Leaf) -> Number:
    r"""Present value of fit-outs, by straight line over their life.

    .. math:: \text{halls}_l = \sum_{pp've} \sigma_{lpp've} r_{lpp've}

    A change of package keeps the worth of the fit-out, :math:`p = p'`, and adds its own. Fit-outs
    that stand today carry no residual: their cost is sunk in every plan.
    """
    g = c.given
    return total(worth * c.kept[key] for key, worth in g.hall_residual.items() if key[0] == leaf)
