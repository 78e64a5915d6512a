"""What the owner wants besides value: shares of the two businesses, halves, sites kept as is."""

from __future__ import annotations

from models import grid, mining
from models.context import Context
from models.given import Place, RackType, Site
from models.relation import Number, Relation, at_least, at_most, total
from models.tree import Leaf, Node


def mining_share_floor(c: Context, n: Node) -> Relation:
    r"""Mining keeps a share of the IT MW in use.

    .. math::
        (1 - \underline\alpha) \sum_{pk,\ \text{mining}} \mu_k R_{npk} \ge
        \underline\alpha \Big( \sum_{cpk} a_{ncpk} + \sum_{pk} g_{npk} \Big)
    """
    share = c.given.mining_share_min
    mined, hosted = _mw(c, n)
    return at_least((1.0 - share) * mined, share * hosted)


def mining_share_limit(c: Context, n: Node) -> Relation:
    r"""Mining keeps to at most a share of the IT MW in use.

    .. math::
        (1 - \bar\alpha) \sum_{pk,\ \text{mining}} \mu_k R_{npk} \le
        \bar\alpha \Big( \sum_{cpk} a_{ncpk} + \sum_{pk} g_{npk} \Big)
    """
    share = c.given.mining_share_max
    mined, hosted = _mw(c, n)
    return at_most((1.0 - share) * mined, share * hosted)


def kept_racks(c: Context, n: Node, p: Place, k: RackType) -> Relation:
    r"""At a site that stays as it is, racks stand until they wear out.

    .. math:: R_{npk} \ge Y^{\text{kept}}_{npk}

    Nothing is converted, built, ordered, moved or rebuilt there, and no contract is served there
    but those signed before the horizon; the index sets leave all of it out. What wears out is
    not replaced. GPU-hours of the racks that stand there may be sold.
    """
    return at_least(c.racks[n, p, k], c.given.racks_unworn[n, p, k])


def half_of_site_floor(c: Context, leaf: Leaf, s: Site) -> Relation:
    r"""At the end, of a site's halls no less than half are AI halls.

    .. math::
        \sum_{p \in s,\ \text{AI}} \eta_p H_{lp} + \bar\eta_s \ge
        \sum_{p \in s,\ \text{mining}} \eta_p H_{lp}

    Halls count by the IT MW that they have today, whatever an AI hall keeps of them. Whole halls
    may miss the half by half of the largest, so that both differ by it; of a site of a single hall
    nothing is asked thereby. An AI hall counts whether it serves anybody or not.
    """
    ai, mining = _half_mw(c, leaf, s)
    return at_least(ai + c.given.largest_half_mw[s], mining)


def half_of_site_limit(c: Context, n: Node, s: Site) -> Relation:
    r"""Of a site's halls no more than half are ever AI halls.

    .. math::
        \sum_{p \in s,\ \text{AI}} \eta_p H_{np} - \hat\eta_{ns} \le
        \sum_{p \in s,\ \text{mining}} \eta_p H_{np}

    Both may differ by the largest hall, as in the floor. Where AI halls exceed mining halls by
    more without any decision, of what stands today and of works under way, they may do so by
    that: what stands breaks no rule, and nothing is added to it. Halls in works count on neither
    side.
    """
    ai, mining = _half_mw(c, n, s)
    return at_most(ai - c.given.half_apart_mw[n, s], mining)


def one_business_at_site(c: Context, n: Node, s: Site) -> Relation:
    r"""A site that could run both businesses runs one at a time, or stands empty.

    .. math:: w_{ns} + z_{ns} \le 1

    Mining ends there before the first AI hall is in service. Of a site that has AI halls without
    any decision, of today or of works under way, it is asked at the end only.
    """
    return at_most(c.hosts[n, s] + c.mines[n, s], 1.0)


def ai_site_floor(c: Context, leaf: Leaf, s: Site) -> Relation:
    r"""A site counts as one of AI only where an AI hall is in service.

    .. math::
        \sum_{p \in s,\ \text{AI}} \eta_p H_{lp} \ge \underline\eta_s w_{ls}
    """
    ai, _ = _half_mw(c, leaf, s)
    return at_least(ai, c.given.least_half_mw[s] * c.hosts[leaf, s])


def half_of_sites_floor(c: Context, leaf: Leaf) -> Relation:
    r"""At the end, no less than half of the sites that could run both are sites of AI.

    .. math:: \sum_s w_{ls} \ge \lfloor S / 2 \rfloor
    """
    sites = c.given.one_business_sites
    return at_least(total(c.hosts[leaf, s] for s in sites), c.given.ai_sites_least)


def half_of_sites_limit(c: Context, leaf: Leaf) -> Relation:
    r"""At the end, no more than half of the sites that could run both are sites of AI.

    .. math:: \sum_s w_{ls} \le \lceil S / 2 \rceil
    """
    sites = c.given.one_business_sites
    return at_most(total(c.hosts[leaf, s] for s in sites), c.given.ai_sites_most)


def _half_mw(c: Context, n: Node, s: Site) -> tuple[Number, Number]:
    """IT MW, as they are today, of a site's AI halls and of its mining halls."""
    g = c.given

    def of(workload: str) -> Number:
        return total(
            g.half_mw[p] * c.halls[n, p]
            for h in g.halls[s]
            for p in g.places[h]
            if g.workload_of[p] == workload
        )

    return of("ai"), of("mining")


def _mw(c: Context, n: Node) -> tuple[Number, Number]:
    g = c.given
    mined = total(mining.installed_mw(c, n, s) for s in g.sites)
    hosted = total(
        load
        for p, workload in g.workload_of.items()
        if workload == "ai"
        for load in grid.ai_loads(c, n, p)
    )
    return mined, hosted
