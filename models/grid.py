"""The grid connection: firm and interruptible MW, by use, and the projects that add to it.

Everything here counts *utility* MW: nameplate IT MW times ``pue_peak``, so that the hottest
hour still fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.commitments import called_mw
from models.context import Context
from models.given import TENANT, Band, Contract, Place, Project, Site
from models.relation import Number, Relation, at_most, equal, total
from models.tree import Leaf, Node


def mining_load(c: Context, n: Node, s: Site, b: Band) -> Number:
    r"""Utility MW of mining in a band, with the room of what is committed and called.

    .. math::
        \sum_{fk} \eta^{\text{peak}}_f m_{nsfkb} + \sum_a x^{\text{call}}_{nsba} Z_{nsa}
    """
    g = c.given
    mined = (g.pue_peak[f] * c.mining[n, s, f, k, b] for f, k in g.runs[n, s, b])
    return total((*mined, called_mw(c, n, s, b)))


def reservation(c: Context, n: Node, s: Site) -> Relation:
    r"""What AI reserves of the connection: every load at nameplate and on the hottest hour.

    .. math::
        U_{ns} = \sum_{p \in s} \sum_k \eta^{\text{peak}}_{f(p)}
        \Big( \sum_c a_{ncpk} + g_{npk} \Big)
    """
    g = c.given
    load = total(
        g.pue_peak[g.fitout_of[p]] * served
        for h in g.halls[s]
        for p in g.places[h]
        if g.workload_of[p] == "ai"
        for served in ai_loads(c, n, p)
    )
    return equal(c.reserved[n, s], load)


def ai_loads(c: Context, n: Node, p: Place) -> list[Number]:
    """Every AI load in a place, in IT MW: its contracts' and its GPU-hours'."""
    g = c.given
    types = (TENANT, *g.racks_at.get(p, ()))
    hosted = [
        c.hosting[n, x, p, k]
        for k in types
        for x in g.contracts_at.get((p, k), ())
        if (n, x, p, k) in c.hosting
    ]
    return hosted + [c.cloud[n, p, k] for k in types if (n, p, k) in c.cloud]


def contract_load(c: Context, n: Node, s: Site, x: Contract) -> Number:
    r"""Utility MW that a contract reserves at a site.

    .. math:: \sum_{p \in s} \sum_k \eta^{\text{peak}}_{f(p)} a_{ncpk}
    """
    g = c.given
    return total(
        g.pue_peak[g.fitout_of[p]] * c.hosting[n, x, p, k]
        for p, k in g.hosting_at[x]
        if g.site_of[p] == s and (n, x, p, k) in c.hosting
    )


def reserved_but(c: Context, n: Node, s: Site, off: Iterable[Contract]) -> Number:
    """What AI reserves without some of its contracts."""
    return total((c.reserved[n, s], *(-1.0 * contract_load(c, n, s, x) for x in off)))


def firm_capacity(c: Context, n: Node, s: Site) -> Number:
    r"""Firm MW by date, and those of the projects built by then.

    .. math:: F_{ns} + \sum_{j \in s} \Delta F_j \sum_{m \preceq n-\ell_j} B_{mj}
    """
    g = c.given
    return total((g.firm_mw[n, s], _added(c, n, s, g.project_firm_mw)))


def interruptible_capacity(c: Context, n: Node, s: Site) -> Number:
    r"""Interruptible MW by date, and those of the projects built by then.

    .. math:: I_{ns} + \sum_{j \in s} \Delta I_j \sum_{m \preceq n-\ell_j} B_{mj}
    """
    g = c.given
    return total((g.interruptible_mw[n, s], _added(c, n, s, g.project_interruptible_mw)))


def _added(c: Context, n: Node, s: Site, mw_per_unit: Mapping[Project, float]) -> Number:
    g = c.given
    return total(
        mw_per_unit[j] * c.builds[m, j]
        for j in g.projects.get(s, ())
        if mw_per_unit.get(j)
        for m in g.tree.path(n)
        if (m, j) in c.builds and g.tree.period[m] + g.project_lag[j] <= g.tree.period[n]
    )


def interconnection(c: Context, n: Node, s: Site, b: Band) -> Relation:
    r"""Facility load stays within the grid connection.

    .. math::
        \sum_{fk} \eta^{\text{peak}}_f m_{nsfkb} + \sum_a x^{\text{call}}_{nsba} Z_{nsa} + U_{ns}
        - \sum_{c \in \text{off}_{nsb}} \sum_{p \in s} \sum_k
        \eta^{\text{peak}}_{f(p)} a_{ncpk} \le
        F_{ns} + (1 - x_{nsb}) I_{ns} + \sum_{j \in s}
        \big( \Delta F_j + (1 - x_{nsb}) \Delta I_j \big) \sum_{m \preceq n-\ell_j} B_{mj}

    Without the contracts that are off in the band, in hours that they allow; bands are cut where
    a contract goes off, so it is off in all of their hours or in none, and the row is exact.
    Binds when power, not money or floor, limits the site. A band in which no machine runs and
    nothing is called needs no row: AI alone stays within firm and interruptible MW by rows of
    its own.
    """
    g = c.given
    supply = firm_capacity(c, n, s)
    if not g.cut[n, s, b]:
        supply = total((supply, interruptible_capacity(c, n, s)))
    standing = reserved_but(c, n, s, g.off.get((n, s, b), ()))
    return at_most(total((mining_load(c, n, s, b), standing)), supply)


def firm_reservation(c: Context, n: Node, s: Site) -> Relation:
    r"""AI stands on firm MW only, but for contracts that allow every hour that is cut.

    .. math::
        U_{ns} - \sum_{c \in X_s} \sum_{p \in s} \sum_k \eta^{\text{peak}}_{f(p)} a_{ncpk}
        \le F_{ns} + \sum_{j \in s} \Delta F_j \sum_{m \preceq n-\ell_j} B_{mj}

    Of :math:`X_s` all are off in every hour in which interruptible load is cut, so that then the
    others are all there is.
    """
    return at_most(_uncut(c, n, s), firm_capacity(c, n, s))


def whole_reservation(c: Context, n: Node, s: Site) -> Relation:
    r"""All of AI stands on firm and interruptible MW together, where some may stand on these.

    .. math::
        U_{ns} \le F_{ns} + I_{ns} + \sum_{j \in s} \big( \Delta F_j + \Delta I_j \big)
        \sum_{m \preceq n-\ell_j} B_{mj}
    """
    whole = total((firm_capacity(c, n, s), interruptible_capacity(c, n, s)))
    return at_most(c.reserved[n, s], whole)


def _uncut(c: Context, n: Node, s: Site) -> Number:
    """What AI reserves that cannot be cut."""
    return reserved_but(c, n, s, c.given.interruptible_at.get(s, ()))


def new_power_reservation(c: Context, n: Node, s: Site) -> Relation:
    r"""Where the owner forbids the reuse of power, AI stands on MW added by projects.

    .. math::
        U_{ns} - \sum_{c \in X_s} \sum_{p \in s} \sum_k \eta^{\text{peak}}_{f(p)} a_{ncpk}
        \le \sum_{j \in s} \Delta F_j \sum_{m \preceq n-\ell_j} B_{mj}
    """
    return at_most(_uncut(c, n, s), _added(c, n, s, c.given.project_firm_mw))


def whole_new_power(c: Context, n: Node, s: Site) -> Relation:
    r"""The same for all of AI, where some of it may stand on interruptible MW.

    .. math::
        U_{ns} \le \sum_{j \in s} \big( \Delta F_j + \Delta I_j \big)
        \sum_{m \preceq n-\ell_j} B_{mj}
    """
    g = c.given
    firm, interruptible = g.project_firm_mw, g.project_interruptible_mw
    added = total((_added(c, n, s, firm), _added(c, n, s, interruptible)))
    return at_most(c.reserved[n, s], added)


def mining_use_limit(c: Context, n: Node, s: Site, b: Band) -> Relation:
    r"""Mining stays within what a rule grants it.

    .. math::
        \sum_{fk} \eta^{\text{peak}}_f m_{nsfkb} + \sum_a x^{\text{call}}_{nsba} Z_{nsa}
        \le \bar U^{\text{mining}}_s
    """
    return at_most(mining_load(c, n, s, b), c.given.mining_mw_max[s])


def ai_use_limit(c: Context, n: Node, s: Site) -> Relation:
    r"""AI stays within what a rule grants it.

    .. math:: U_{ns} \le \bar U^{\text{AI}}_s
    """
    return at_most(c.reserved[n, s], c.given.ai_mw_max[s])


def substation_limit(c: Context, n: Node, s: Site) -> Relation:
    r"""Nameplate behind the site's own substation stays within it.

    .. math::
        \sum_{p \in s,\ \text{mining}} \ \sum_k \eta^{\text{peak}}_{f(p)} \mu_k R_{npk} + U_{ns}
        \le \bar U_s
    """
    g = c.given
    mining = total(
        g.pue_peak[g.fitout_of[p]] * (g.rack_mw[k] * c.racks[n, p, k])
        for h in g.halls[s]
        for p in g.places[h]
        if g.workload_of[p] == "mining"
        for k in g.racks_at.get(p, ())
    )
    return at_most(total((mining, c.reserved[n, s])), g.substation_mw[s])


def project_limit(c: Context, leaf: Leaf, j: Project) -> Relation:
    r"""A project is built at most so many times on any path.

    .. math:: \sum_{m \preceq l} B_{mj} \le \bar B_j
    """
    built = total(c.builds[m, j] for m in c.given.tree.path(leaf) if (m, j) in c.builds)
    return at_most(built, c.given.project_units[j])


def project_spending(c: Context, n: Node, s: Site) -> Number:
    r"""Capex of the projects ordered.

    .. math:: \sum_{j \in s} \kappa_j B_{nj}
    """
    g = c.given
    return total(
        g.project_cost[j] * c.builds[n, j] for j in g.projects.get(s, ()) if (n, j) in c.builds
    )


def residual(c: Context, leaf: Leaf) -> Number:
    r"""Present value of projects, by straight line over their life, when their units are released.

    .. math:: \text{projects}_l = \sum_{jve} \sigma_{ljve} B^{\text{rel}}_{ljve}
    """
    worth = c.given.project_residual
    return total(musd * c.released[key] for key, musd in worth.items() if key[0] == leaf)
