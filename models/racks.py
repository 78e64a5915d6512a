"""Racks: what stands where, what comes, what leaves, and what fits.

Racks of a type in a place are one integer stock. The oldest leave first, so the end of life
needs no index over age: by any date at least as many have left a site as had come to it one
life earlier. Within a place halls fill one after another and refilling is free; a conversion
that displaces racks makes them move, at their cost, or leave.
"""

from __future__ import annotations

from models.context import Context
from models.given import TENANT, Contract, Place, RackType, Site
from models.relation import Number, Relation, at_most, equal, total
from models.tree import Leaf, Node


def delivered(c: Context, n: Node, p: Place, k: RackType) -> Number:
    """Racks that arrive new at a node: ordered one lead time before, or owed from before."""
    g = c.given
    key = (g.tree.ancestor(n, g.rack_lag[k]), p, k)
    return total(
        (g.racks_arriving.get((n, p, k), 0.0), *([c.orders[key]] if key in c.orders else ()))
    )


def _came(c: Context, n: Node, p: Place, k: RackType) -> Number:
    g = c.given
    return total(
        c.arriving[n, p, a, b]
        for a, b in g.transfers.get(g.site_of[p], ())
        if b == k and (n, p, a, b) in c.arriving
    )


def _left(c: Context, n: Node, p: Place, k: RackType) -> Number:
    g = c.given
    return total(
        c.leaving[n, p, a, b]
        for a, b in g.transfers.get(g.site_of[p], ())
        if a == k and (n, p, a, b) in c.leaving
    )


def rack_balance(c: Context, n: Node, p: Place, k: RackType) -> Relation:
    r"""Racks are those before, plus delivered, less sold, moved and rebuilt.

    .. math::
        R_{npk} = R_{n-1,pk} + \hat R_{npk} + O_{n-\ell_k,pk} - S_{npk}
        + \sum_{k'} A_{npk'k} - \sum_{k'} L_{npkk'}
    """
    before, _ = _there_before(c, n, p, k)
    return equal(
        c.racks[n, p, k],
        total(
            (
                before,
                delivered(c, n, p, k),
                -c.sales[n, p, k],
                _came(c, n, p, k),
                -_left(c, n, p, k),
            )
        ),
    )


def transfer_balance(c: Context, n: Node, s: Site, a: RackType, b: RackType) -> Relation:
    r"""What leaves its place to be moved or rebuilt arrives at another of the site.

    .. math:: \sum_{p \in s} A_{npkk'} = \sum_{p \in s} L_{n-\ell_{kk'},pkk'}
    """
    g = c.given
    origin = g.tree.ancestor(n, g.transfer_lag[a, b])
    arrived = total(
        c.arriving[n, p, a, b]
        for h in g.halls[s]
        for p in g.places[h]
        if (n, p, a, b) in c.arriving
    )
    sent = total(
        c.leaving[origin, p, a, b]
        for h in g.halls[s]
        for p in g.places[h]
        if (origin, p, a, b) in c.leaving
    )
    return equal(arrived, sent)


def end_of_life(c: Context, n: Node, s: Site, k: RackType) -> Relation:
    r"""What stands at a site came within one life: the oldest leave first.

    .. math::
        \sum_{p \in s} R_{npk} \le Y_{nsk} + \sum_{n-\Lambda_k \prec m \preceq n}
        \ \sum_{p \in s} \Big( O_{m-\ell_k,pk} + \sum_{k' \ne k} A_{mpk'k} \Big)

    A rebuilt rack starts a new life. The row says that by any date at least as many have left
    as had come one life earlier, in stocks in place of departures, which keeps it short.
    """
    g = c.given
    places = [p for h in g.halls[s] for p in g.places[h] if k in g.racks_at.get(p, ())]
    oldest = g.tree.period[n] - g.rack_life[k]
    recent = [m for m in g.tree.path(n) if g.tree.period[m] > oldest]
    came = total(came_new(c, m, p, k) for m in recent for p in places)
    return at_most(
        total(c.racks[n, p, k] for p in places), total((g.racks_young.get((n, s, k), 0.0), came))
    )


def leaving_limit(c: Context, n: Node, s: Site, k: RackType) -> Relation:
    r"""Racks that leave were there before: what an order brings stands for a period first.

    .. math::
        \sum_{p \in s} \ \sum_{k' \in G_{sk}} \Big( S_{npk'} + \sum_{k'' \notin G_{sk}} L_{npk'k''}
        \Big) \le \sum_{p \in s} \ \sum_{k' \in G_{sk}} \Big( R_{n-1,pk'} + \hat R_{npk'}
        + \sum_{k'' \notin G_{sk}} A_{npk''k'} \Big)

    Racks bought for resale alone would lend cash on what no hall has room for. Types that
    rebuilds without lead time turn into one another are counted together; rebuilds with one take
    racks out, as sales do, and bring racks that were there before. What was ordered before the
    horizon is owed in any case and may be sold as it lands. Written where an order can land.
    """
    g = c.given
    group = g.rack_groups[s, k]
    places = [p for h in g.halls[s] for p in g.places[h]]
    stocks = [(p, r) for p in places for r in g.racks_at.get(p, ()) if r in group]
    out = [(a, b) for a, b in g.transfers.get(s, ()) if a in group and b not in group]
    back = [(a, b) for a, b in g.transfers.get(s, ()) if b in group and a not in group]
    leave = [c.sales[n, p, r] for p, r in stocks]
    leave += [c.leaving[n, p, *ab] for p in places for ab in out if (n, p, *ab) in c.leaving]
    there = [x for p, r in stocks for x in _there_before(c, n, p, r)]
    there += [c.arriving[n, p, *ab] for p in places for ab in back if (n, p, *ab) in c.arriving]
    return at_most(total(leave), total(there))


def _there_before(c: Context, n: Node, p: Place, k: RackType) -> tuple[Number, Number]:
    """Racks of the period before, and those owed from before the horizon that come."""
    g = c.given
    parent = g.tree.parent[n]
    before = g.racks_today.get((p, k), 0.0) if parent is None else c.racks[parent, p, k]
    return before, g.racks_arriving.get((n, p, k), 0.0)


def came_new(c: Context, n: Node, p: Place, k: RackType) -> Number:
    """Racks that start a life at a node: ordered one lead time before, or rebuilt."""
    ordered = c.orders.get((c.given.tree.ancestor(n, c.given.rack_lag[k]), p, k), 0.0)
    pairs = c.given.transfers.get(c.given.site_of[p], ())
    rebuilt = [
        c.arriving[n, p, a, b] for a, b in pairs if b == k != a and (n, p, a, b) in c.arriving
    ]
    return total((ordered, *rebuilt)) if rebuilt else ordered


def space_limit(c: Context, n: Node, p: Place) -> Relation:
    r"""Racks, the tenants' among them, fit the IT MW of the halls in that state.

    .. math:: \sum_k \mu_k R_{npk} + \sum_c a_{ncp,\text{tenant}} \le M_p H_{np}

    Binds when halls, not grid or money, limit a place. IT MW per hall shrinks with the fit-out.
    """
    g = c.given
    owned = (g.rack_mw[k] * c.racks[n, p, k] for k in g.racks_at.get(p, ()))
    return at_most(total((*owned, *_tenants(c, n, p))), g.hall_mw[p] * c.halls[n, p])


def _tenants(c: Context, n: Node, p: Place) -> list[Number]:
    g = c.given
    return [
        c.hosting[n, x, p, TENANT]
        for x in g.contracts_at.get((p, TENANT), ())
        if (n, x, p, TENANT) in c.hosting
    ]


def position_limit(c: Context, n: Node, p: Place) -> Relation:
    r"""Racks fit the rack positions of the halls in that state.

    .. math:: \sum_k \nu_k R_{npk} + \sum_c \nu_c a_{ncp,\text{tenant}} \le N_p H_{np}

    Binds when floor, not power, limits a place.
    """
    g = c.given
    owned = (g.rack_positions[k] * c.racks[n, p, k] for k in g.racks_at.get(p, ()))
    tenants = (
        g.tenant_positions[x] * c.hosting[n, x, p, TENANT]
        for x in g.contracts_at.get((p, TENANT), ())
        if (n, x, p, TENANT) in c.hosting and x in g.tenant_positions
    )
    return at_most(total((*owned, *tenants)), g.hall_positions[p] * c.halls[n, p])


def whole_racks(c: Context, n: Node, p: Place, k: RackType) -> Relation:
    r"""A hall holds whole racks: so many at least as large as a type, and no more.

    .. math:: \sum_{k' : \mu_{k'} \ge \mu_k} R_{npk'} \le \bar R_{pk} H_{np}

    Tightens the limits above where racks are large beside a hall, whatever their mix.
    """
    g = c.given
    larger = [r for r in g.racks_at[p] if g.rack_mw[r] >= g.rack_mw[k]]
    return at_most(total(c.racks[n, p, r] for r in larger), g.rack_fit[p, k] * c.halls[n, p])


def mix_limit(c: Context, n: Node, p: Place, x: int) -> Relation:
    r"""Racks of several types fit the halls as mixes of whole racks do.

    .. math:: \sum_k \xi_{pxk} R_{npk} \le H_{np}

    A face of the convex hull of all that a hall can hold: what whole halls hold together lies
    behind it, and what it cuts off splits into no such halls, though it fits them by MW and by
    floor. Written only for places where racks of a plan did not split.
    """
    g = c.given
    taken = total(share * c.racks[n, p, k] for k, share in g.mixes[p][x].items())
    return at_most(taken, c.halls[n, p])


def filled_halls(c: Context, n: Node, p: Place) -> Relation:
    r"""Where limits on mixes do not do, every hall has one of its possible fillings.

    .. math:: \sum_w X_{npw} \le H_{np}

    Written only for places where the limits above still let a mix through that no hall-by-hall
    split can hold; the fillings are all those to which no further rack can be added.
    """
    g = c.given
    fillings = range(len(g.fillings[p]))
    return at_most(total(c.filled[n, p, w] for w in fillings), c.halls[n, p])


def filling_limit(c: Context, n: Node, p: Place, k: RackType) -> Relation:
    r"""Racks of a type fit the fillings.

    .. math:: R_{npk} \le \sum_w \nu_{pwk} X_{npw}
    """
    g = c.given
    room = total(
        filling.get(k, 0.0) * c.filled[n, p, w]
        for w, filling in enumerate(g.fillings[p])
        if filling.get(k)
    )
    return at_most(c.racks[n, p, k], room)


def tail_life(c: Context, leaf: Leaf, s: Site, x: Contract, k: RackType) -> Relation:
    r"""Racks that serve a contract beyond the horizon live until it ends.

    .. math::
        \sum_{c' : T_{lc'} \ge T_{lc}} \ \sum_{p \in s} \frac{a_{lc'pk}}{\mu_k} \le
        Y^{\text{tail}}_{lsck} + \sum_{m \preceq l,\ \text{alive at}\ T_{lc}} \ \sum_{p \in s}
        \Big( O_{m-\ell_k,pk} + \sum_{k' \ne k} A_{mpk'k} \Big)

    A rent beyond the horizon counts only on racks that can still earn it.
    """
    g = c.given
    places = [p for h in g.halls[s] for p in g.places[h] if k in g.racks_at.get(p, ())]
    tail = g.tail_months[leaf, x]
    serving = total(
        c.hosting[leaf, y, p, k] / g.rack_mw[k]
        for p in places
        for y in g.contracts_at.get((p, k), ())
        if g.tail_months.get((leaf, y), 0) >= tail and (leaf, y, p, k) in c.hosting
    )
    end = g.tree.end_month(leaf) + tail
    young = total(
        came_new(c, m, p, k)
        for m in g.tree.path(leaf)
        if g.tree.first_month(m) + g.rack_life_months[k] >= end
        for p in places
    )
    return at_most(serving, total((g.racks_lasting.get((leaf, s, x, k), 0.0), young)))


def order_spending(c: Context, n: Node, s: Site) -> Number:
    r"""Deposits at order and the rest at delivery.

    .. math::
        \sum_{p \in s} \sum_k \big( \kappa^{\text{order}}_k O_{npk}
        + \kappa^{\text{due}}_k O_{n-\ell_k,pk} \big)
    """
    g = c.given
    spent: list[Number] = []
    for h in g.halls[s]:
        for p in g.places[h]:
            for k in g.racks_at.get(p, ()):
                if (n, p, k) in c.orders:
                    spent.append(g.rack_deposit[k] * c.orders[n, p, k])
                key = (g.tree.ancestor(n, g.rack_lag[k]), p, k)
                if g.rack_due[k] and key in c.orders:
                    spent.append(g.rack_due[k] * c.orders[key])
    return total(spent)


def transfer_spending(c: Context, n: Node, s: Site) -> Number:
    r"""Cost of moving and rebuilding racks.

    .. math:: \sum_{p \in s} \sum_{kk'} \tau_{kk'} L_{npkk'}
    """
    g = c.given
    return total(
        g.transfer_cost[a, b] * c.leaving[n, p, a, b]
        for h in g.halls[s]
        for p in g.places[h]
        for a, b in g.transfers.get(s, ())
        if (n, p, a, b) in c.leaving
    )


def sale_receipts(c: Context, n: Node, s: Site) -> Number:
    r"""Resale of racks that leave.

    .. math:: \text{sales}_{ns} = \sum_{p \in s} \sum_k \sigma_{nk} S_{npk}
    """
    g = c.given
    return total(
        g.resale[n, k] * c.sales[n, p, k]
        for h in g.halls[s]
        for p in g.places[h]
        for k in g.racks_at.get(p, ())
        if g.resale[n, k]
    )


def residual(c: Context, leaf: Leaf) -> Number:
    r"""Resale of the racks that stand at the horizon, less what those lose that serve longer.

    .. math::
        \text{racks}_l = \sum_{pk} \sigma^{\text{end}}_{lk} R_{lpk}
        - \sum_{cpk} \sigma^{\text{lost}}_{lck} a_{lcpk}
    """
    g = c.given
    worth = total(
        g.resale_end[leaf, k] * c.racks[leaf, p, k]
        for p, types in g.racks_at.items()
        for k in types
        if g.resale_end[leaf, k]
    )
    loss = total(
        g.rack_tail_loss[leaf, x, k] * c.hosting[leaf, x, p, k]
        for x in g.contracts
        for p, k in g.hosting_at[x]
        if (leaf, x, k) in g.rack_tail_loss and (leaf, x, p, k) in c.hosting
    )
    return total((worth, -loss))
