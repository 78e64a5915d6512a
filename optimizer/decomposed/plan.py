"""Which cases are searched site by site, and what is left to a search of the whole.

Unless told otherwise, a case of many sites begins site by site, which makes a plan and a bound
where HiGHS alone may find none for long, and goes on as a whole from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from models.given import Given
from optimizer.compiled import Model
from optimizer.decomposed.blocks import Blocks, sites_of
from optimizer.decomposed.rounds import search_by_site
from optimizer.decomposed.workshop import Workshop
from optimizer.highs import Budget, Options, Outcome, Progress
from optimizer.matrix import Floats
from optimizer.search import search

#: Sites, and large decisions, from which a case begins site by site unless told otherwise.
MANY_SITES, MANY_DECISIONS = 4, 1000
#: A gap within which any plan is.
ANY = 1e6

MakeWorkshop = Callable[[Blocks], Workshop]


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search site by site came to.

    Attributes
    ----------
    point : float array or None
        The best plan so far.
    outcome : Outcome or None
        The claim, with its bound; None where the case was not searched so.
    is_open : bool
        Whether a search of the whole has to go on from there.
    """

    point: Floats | None
    outcome: Outcome | None = None
    is_open: bool = True


def plan_by_site(
    given: Given,
    model: Model,
    options: Options,
    start: Floats | None,
    workshop: MakeWorkshop,
    *,
    budget: Budget,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Searched:
    """Search a case site by site where that was asked for, or is worth it.

    Parameters
    ----------
    given : Given
        Numbers of the case.
    model : Model
        The compiled case.
    options : Options
        Method, gap, limits and seed.
    start : float array or None
        A plan to begin from; without one, any plan is sought first.
    workshop : callable
        Makes whoever solves problems of sites.
    budget, progress, stop
        As in :func:`optimizer.search.search`.
    """
    if not _suits(given, model, options):
        return Searched(start)
    watched = {"budget": budget, "progress": progress, "stop": stop}
    if start is None:
        any_plan = replace(options, gap=ANY, time_limit=budget.to_search)
        start = search(model.matrix, model.large, any_plan, kinds=model.kinds, **watched).x  # type: ignore[arg-type]
    blocks = Blocks.of(
        model.matrix, sites_of(given, model.built.columns), model.large, model.kinds
    )
    if start is None or len(blocks.sites) < 2:
        return Searched(start)
    shop = workshop(blocks)
    try:
        outcome = search_by_site(
            blocks, options, start, shop, only_begin=options.method == "auto",
            **watched,  # type: ignore[arg-type]
        )  # fmt: skip
    finally:
        shop.close()
    if outcome is None:
        return Searched(start)
    is_open = outcome.status != "optimal" and outcome.ended == "node-limit"
    return Searched(outcome.x, outcome, is_open)


def _suits(given: Given, model: Model, options: Options) -> bool:
    if options.method != "auto":
        return options.method == "by-site"
    many = len(given.sites) >= MANY_SITES and int(model.large.sum()) >= MANY_DECISIONS
    return many and options.nodes is None
