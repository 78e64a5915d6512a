"""AI hosting: contracts with tenant or owner racks, and GPU-hours sold without contract."""

from __future__ import annotations

from models.context import Context
from models.given import Contract, Hall, Place, RackType, Site
from models.relation import Number, Relation, at_least, at_most, equal, total
from models.tree import Leaf, Node


def signed(c: Context, n: Node, x: Contract) -> Number:
    """Critical IT MW signed by a node: before the horizon and on its path."""
    g = c.given
    return total(
        (
            g.signed_today_mw.get(x, 0.0),
            *(c.signed_mw[m, x] for m in g.tree.path(n) if (m, x) in c.signed_mw),
        )
    )


def delivery_balance(c: Context, n: Node, x: Contract) -> Relation:
    r"""Delivered MW equals the signed MW times the ramp; what may slip pays damages.

    .. math::
        \sum_{pk} a_{ncpk} + u_{nc} = \theta_{nc} \Big( q^0_c + \sum_{m \preceq n} q_{mc} \Big)

    Only halls whose uptime package reaches the availability promised can host it at all.
    """
    g = c.given
    delivered = [c.hosting[n, x, p, k] for p, k in g.hosting_at[x]]
    late = [c.shortfall[n, x]] if (n, x) in c.shortfall else []
    return equal(total((*delivered, *late)), g.due_share[n, x] * signed(c, n, x))


def signing_floor(c: Context, n: Node, x: Contract) -> Relation:
    r"""A contract signed takes at least its least MW.

    .. math:: q_{nc} \ge \underline q_c y_{nc}
    """
    return at_least(c.signed_mw[n, x], c.given.contract_min_mw[x] * c.signing[n, x])


def signing_limit(c: Context, n: Node, x: Contract) -> Relation:
    r"""A contract takes at most its most MW, and none if it is not signed.

    .. math:: q_{nc} \le \bar q_c y_{nc}
    """
    return at_most(c.signed_mw[n, x], c.given.contract_max_mw[x] * c.signing[n, x])


def signing_once(c: Context, leaf: Leaf, x: Contract) -> Relation:
    r"""A contract is signed at most once on any path.

    .. math:: \sum_{m \preceq l} y_{mc} \le 1
    """
    path = c.given.tree.path(leaf)
    return at_most(total(c.signing[m, x] for m in path if (m, x) in c.signing), 1.0)


def owner_racks_limit(c: Context, n: Node, p: Place, k: RackType) -> Relation:
    r"""Owner racks serve contracts and GPU-hours up to their nameplate.

    .. math:: \sum_c a_{ncpk} + g_{npk} \le \mu_k R_{npk}
    """
    g = c.given
    hosted = [
        c.hosting[n, x, p, k] for x in g.contracts_at.get((p, k), ()) if (n, x, p, k) in c.hosting
    ]
    sold = [c.cloud[n, p, k]] if (n, p, k) in c.cloud else []
    return at_most(total((*hosted, *sold)), g.rack_mw[k] * c.racks[n, p, k])


def cloud_demand_limit(c: Context, n: Node, k: RackType) -> Relation:
    r"""GPU-hours find customers up to a demand in MW.

    .. math:: \sum_p g_{npk} \le \bar g_{nk}
    """
    g = c.given
    sold = total(c.cloud[n, p, r] for p, r in g.cloud_at if r == k)
    return at_most(sold, g.cloud_demand_mw[n, k])


def presence(c: Context, n: Node, h: Hall) -> Relation:
    r"""A site with AI halls in service hosts AI.

    .. math:: \sum_{p \in h,\ \text{AI}} H_{np} \le \bar H_h w_{ns}
    """
    g = c.given
    ai = [p for p in g.places[h] if g.workload_of[p] == "ai"]
    site = g.site_of[ai[0]]
    return at_most(total(c.halls[n, p] for p in ai), g.halls_most[h] * c.hosts[n, site])


def presence_by_contract(c: Context, n: Node, s: Site, x: Contract) -> Relation:
    r"""A site that serves a contract hosts AI.

    .. math:: \sum_{p \in s} \sum_k a_{ncpk} \le \theta_{nc} \bar q_c w_{ns}

    Follows from the row above in whole halls; it is what keeps the relaxation honest.
    """
    g = c.given
    most = g.due_share[n, x] * max(g.contract_max_mw[x], g.signed_today_mw.get(x, 0.0))
    served = total(c.hosting[n, x, p, k] for p, k in g.hosting_at[x] if g.site_of[p] == s)
    return at_most(served, most * c.hosts[n, s])


def hosting_margin(c: Context, n: Node, s: Site) -> Number:
    r"""Rent less energy and service of the contracts served at a site.

    .. math:: \sum_{p \in s} \sum_{ck} \big( \rho_{nck} - \epsilon_{ncp} - o_{nc} \big) a_{ncpk}

    Rent is per critical IT MW delivered; energy is IT times ``pue`` times load factor at the
    mean price of the hours in which the contract is on, and nothing where the tenant pays it.
    """
    g = c.given
    return total(
        (g.rent[n, x, k] - g.hosting_energy[n, x, p] - g.hosting_service[n, x])
        * c.hosting[n, x, p, k]
        for h in g.halls[s]
        for p in g.places[h]
        for k in g.hosted_types.get(p, ())
        for x in g.contracts_at[p, k]
        if (n, x, p, k) in c.hosting
    )


def cloud_margin(c: Context, n: Node, s: Site) -> Number:
    r"""GPU-hours sold less their energy.

    .. math:: \sum_{p \in s} \sum_k \big( \rho^{\text{cloud}}_{nk} - \epsilon_{npk} \big) g_{npk}
    """
    g = c.given
    return total(
        (g.cloud_revenue[n, k] - g.cloud_energy[n, p, k]) * c.cloud[n, p, k]
        for p, k in g.cloud_at
        if g.site_of[p] == s
    )


def contract_payments(c: Context, n: Node) -> Number:
    r"""Damages for delay and the credit of advances.

    .. math::
        \text{payments}_n = - \sum_c \psi_{nc} u_{nc}
        - \sum_c \chi_{nc} \Big( q^0_c + \sum_{m \preceq n} q_{mc} \Big)
    """
    g = c.given
    damages = (
        -g.delay_damages[n, x] * c.shortfall[n, x] for x in g.contracts if (n, x) in c.shortfall
    )
    credited = (
        -g.prepayment_credit[n, x] * signed(c, n, x)
        for x in g.contracts
        if (n, x) in g.prepayment_credit
    )
    return total((*damages, *credited))


def signing_receipts(c: Context, n: Node) -> Number:
    r"""Advances and works paid by the tenant at signing.

    .. math:: \text{signing}_n = \sum_c \big( \chi_c + \omega_c \big) q_{nc}
    """
    g = c.given
    return total(
        (g.prepayment[x] + g.tenant_works[x]) * c.signed_mw[n, x]
        for x in g.contracts
        if (n, x) in c.signed_mw and (g.prepayment[x] or g.tenant_works[x])
    )


def tail_value(c: Context, leaf: Leaf) -> Number:
    r"""Present value of the contracts' margins beyond the horizon, until their end.

    .. math::
        \text{tails}_l = \sum_{cpk} \rho^{\text{end}}_{lcpk} a_{lcpk}
        - \sum_c \chi^{\text{end}}_{lc} \Big( q^0_c + \sum_{m \preceq l} q_{mc} \Big)

    Rent less energy, service and what is left to credit of advances.
    """
    g = c.given
    margins = (worth * c.hosting[key] for key, worth in g.tail_margin.items() if key[0] == leaf)
    credited = (
        -worth * signed(c, leaf, x) for (end, x), worth in g.tail_credit.items() if end == leaf
    )
    return total((*margins, *credited))
