r"""Credits: what promises that are broken are expected to cost.

A contract credits a share of its rent for every month whose availability falls below a step of
its schedule. How large a share is to be expected follows from how often a part fails and for how
long (:mod:`models.sla`), by the package of a hall, by the units of a plant and by the experience
of the company. Parts in series are counted one by one. That is exact but for months in which two
of them fail: it counts such a month twice where either failure would do, and misses it where only
both together would. Where parts fail once in a year or less this is a small part of what is
credited; where they fail every month it is not, and the plan tells what all parts together come
to beside what the value counts.

What rent stands behind a way to build a part is a product of a choice and of MW; it is written
out way by way, so that the value is linear and exact. Such rents are counted in billions, since
the shares that are credited of them are small.
"""

from __future__ import annotations

from models.context import Context
from models.given import Contract, Option, Part, Site
from models.relation import Number, Relation, at_most, equal, total
from models.tree import Leaf, Node
from models.uptime import begins


def rent(c: Context, n: Node, x: Contract, sites: tuple[Site, ...]) -> Number:
    r"""Rent of a contract at some sites.

    .. math:: \sum_{p \in s} \sum_k \rho_{nck} a_{ncpk}
    """
    g = c.given
    return total(
        g.rent[n, x, k] * c.hosting[n, x, p, k]
        for p, k in g.hosting_at[x]
        if g.site_of[p] in sites
    )


def fees_balance(c: Context, n: Node, x: Contract, s: Site, d: Part) -> Relation:
    r"""All rent of a contract at a site stands behind some way to build a part of its plant.

    .. math:: B \sum_o f_{ncsdo} = \sum_{p \in s} \sum_k \rho_{nck} a_{ncpk}
    """
    g = c.given
    ways = (o for o in g.plant_options[s, d] if (n, x, s, d, o) in c.fees)
    behind = total(g.musd_per_busd * c.fees[n, x, s, d, o] for o in ways)
    return equal(behind, rent(c, n, x, (s,)))


def fees_limit(c: Context, n: Node, x: Contract, s: Site, d: Part, o: Option) -> Relation:
    r"""Rent stands only behind the way in which the part carries the contract's class.

    .. math:: f_{ncsdo} \le \bar f_{nc}\, x_{nsdoq(c)}
    """
    g = c.given
    return at_most(c.fees[n, x, s, d, o], g.fees_most[n, x] * c.held[n, s, d, o, g.class_of[x]])


def newcomer_balance(c: Context, n: Node, x: Contract) -> Relation:
    r"""All rent of a contract is earned by a company that began at some node before.

    .. math:: B \sum_{m \preceq n} f_{ncm} = \sum_{pk} \rho_{nck} a_{ncpk}
    """
    g = c.given
    earned = total(g.musd_per_busd * c.newcomer_fees[n, x, m] for m in g.tree.path(n))
    return equal(earned, rent(c, n, x, g.sites))


def newcomer_limit(c: Context, n: Node, x: Contract, m: Node) -> Relation:
    r"""Rent is earned by a company that began when it began.

    .. math:: f_{ncm} \le \bar f_{nc} \big( x_m - x_{m-1} \big)
    """
    return at_most(c.newcomer_fees[n, x, m], c.given.fees_most[n, x] * begins(c, m))


def expected_credits(c: Context, n: Node, s: Site) -> Number:
    r"""Credits expected for failures of halls, plant and experienced people.

    .. math::
        - \sum_c \Big( \sum_{p \in s} \varphi_{cp} \sum_k \rho_{nck} a_{ncpk}
        + B \sum_{do} \varphi_{sdoc} f_{ncsdo} \Big)
    """
    return total(credited(c, n, s, x) for x in c.given.contracts)


def newcomer_credits(c: Context, n: Node) -> Number:
    r"""Credits expected for the further errors of a company that is new to AI.

    .. math::
        \text{newcomer}_n = - B \sum_c \sum_{m \preceq n} \varphi^+_{c,\,t(n)-t(m)} f_{ncm}
    """
    return total(newcomer_credited(c, n, x) for x in c.given.contracts)


def tail_credits(c: Context, leaf: Leaf) -> Number:
    r"""Present value of the credits expected beyond the horizon.

    .. math::
        \text{credits}_l = - \sum_c T^{\text{rent}}_{lc} \sum_s \Big(
        \sum_{p \in s} \varphi_{cp} \sum_k \rho_{lck} a_{lcpk}
        + B \sum_{do} \varphi_{sdoc} f_{lcsdo} \Big)
        - B \sum_c \sum_{m \preceq l} \varphi^{+\text{end}}_{lcm} f_{lcm}

    on what serves at the horizon; a newcomer goes on learning.
    """
    return total(tail_credited(c, leaf, x) for x in c.given.contracts)


def credited(c: Context, n: Node, s: Site, x: Contract) -> Number:
    """What a contract credits at a site, as what is received, but for a newcomer's errors."""
    g = c.given
    halls = (
        -g.credit_share[x, p] * g.rent[n, x, k] * c.hosting[n, x, p, k]
        for p, k in g.hosting_at[x]
        if g.site_of[p] == s and (x, p) in g.credit_share and (n, x, p, k) in c.hosting
    )
    plant = (
        -g.musd_per_busd * share * c.fees[n, x, s, d, o]
        for d in g.plant_parts.get(s, ())
        for o in g.plant_options[s, d]
        if (n, x, s, d, o) in c.fees
        if (share := g.option_credit.get((s, d, o, x)))
    )
    return total((*halls, *plant))


def newcomer_credited(c: Context, n: Node, x: Contract) -> Number:
    """What a contract credits for a newcomer's errors, as what is received."""
    g = c.given
    period = g.tree.period
    return total(
        -g.musd_per_busd * share * c.newcomer_fees[n, x, m]
        for m in g.tree.path(n)
        if (n, x, m) in c.newcomer_fees
        if (share := g.learning_credit.get((x, period[n] - period[m])))
    )


def tail_credited(c: Context, leaf: Leaf, x: Contract) -> Number:
    """Present value of what a contract credits beyond the horizon, as what is received."""
    g = c.given
    times = g.tail_fees.get((leaf, x))
    if not times:
        return 0.0
    known = (times * credited(c, leaf, s, x) for s in g.sites)
    learning = (
        -g.musd_per_busd * g.learning_tail[leaf, x, m] * c.newcomer_fees[leaf, x, m]
        for m in g.tree.path(leaf)
        if (leaf, x, m) in g.learning_tail
    )
    return total((*known, *learning))
