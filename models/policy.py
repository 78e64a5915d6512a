"""What the owner wants besides value: shares of the two businesses, sites left as they are."""

from __future__ import annotations

from models import grid, mining
from models.context import Context
from models.given import Place, RackType
from models.relation import Number, Relation, at_least, at_most, total
from models.tree import Node


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
