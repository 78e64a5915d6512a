"""A plan from windows of time, one after the other (relax-and-fix).

The large decisions of a window, and of what follows soon after, are whole; later ones are
divisible, and earlier ones are held where the windows before left them. Once all large decisions
are whole, racks are made whole site by site. What the first window proves, in which nothing is
held yet, is a bound for the case.

Where money binds early, later decisions that may be divided promise what whole ones cannot keep. A
window says so by what it leaves open: then the walk ends there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from optimizer.decomposed.blocks import Blocks, Ints
from optimizer.highs import Budget, Options, Progress, relative_gap
from optimizer.matrix import Floats, objective_at
from optimizer.search import GAP_FOR_LARGE, holding, racks_whole

#: Windows that a horizon is cut into at most, and periods after each whose decisions are whole as
#: well (without these, plans of five companies drawn at random and of `fleet` were 0 to 0.3 %
#: worse).
WINDOWS, AHEAD = 4, 2
#: Gap within which a window is searched (with 5e-3, four of five plans were 0.3 to 0.7 % worse and
#: came at most a third sooner), and what it may leave open for the next to follow.
GAP, HOPELESS = 2e-3, 0.15
#: Nodes of one window (`fleet` and two companies of 12 sites drawn at random took up to 8), and
#: part of what time is left that all may take, and each of that.
NODES, TIME_FOR_WINDOWS, TIME_FOR_WINDOW = 100, 0.3, 0.5


@dataclass(frozen=True, eq=False)
class Walked:
    """What the windows led to: a plan or none, and what no plan can beat."""

    point: Floats | None
    bound: float | None


def in_windows(
    blocks: Blocks,
    sites: Ints,
    periods: Ints,
    options: Options,
    *,
    start: Floats | None = None,
    budget: Budget,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Walked:
    """Find a plan of a case window by window.

    Parameters
    ----------
    blocks : Blocks
        The case.
    sites, periods : int array, shape (columns,)
        Site and period that the columns name (:func:`optimizer.decomposed.blocks.sites_of`,
        :func:`optimizer.decomposed.blocks.periods_of`).
    options : Options
        Gap, seed and limits for the search as a whole.
    start : float array, shape (columns,), optional
        A plan that is known: what is told on the way, since windows find none before the end.
    budget, progress, stop
        As in :func:`optimizer.search.search`.
    """
    whole, stop = blocks.whole, stop or threading.Event()
    large, known = whole.integer & blocks.large, None
    if start is not None:
        known = objective_at(whole, start)
    end, point, bound = int(periods.max()) + 1, np.zeros(whole.shape[1]), None
    width = -(-end // WINDOWS)
    part = budget.part(TIME_FOR_WINDOWS * budget.to_search)

    def look(told: Progress) -> None:
        if progress is not None:
            proved = told.bound if bound is None else bound
            progress(
                replace(
                    told, seconds=budget.seconds, incumbent=known, bound=proved,
                    gap=relative_gap(known, proved),
                )
            )  # fmt: skip

    for first in range(0, end, width):
        if stop.is_set() or not part.to_search:
            return Walked(None, bound)
        held = holding(whole, blocks.large & (periods < first), point)
        near = periods < first + width + AHEAD
        window = replace(held, integer=large & near)
        found = part.run(window, _for_window(options, part), progress=look, stop=stop)
        bound = bound if first else found.bound
        if found.x is None:
            return Walked(None, bound)
        point = found.x
        if near.all():
            break
        is_hopeless = relative_gap(found.objective, found.bound) > HOPELESS
        if is_hopeless or found.ended == "abandoned":
            return Walked(None, bound)
    made = racks_whole(
        whole, blocks.large, point, options, kinds=blocks.kinds, sites=sites,
        budget=part, stop=stop,
    )  # fmt: skip
    return Walked(made, bound)


def _for_window(options: Options, budget: Budget) -> Options:
    """Gap, nodes and time of one window."""
    return replace(
        options, gap=max(GAP, GAP_FOR_LARGE * options.gap), absolute_gap=0.0,
        nodes=min(NODES, options.nodes or NODES), interior=True, confirm=False,
        time_limit=TIME_FOR_WINDOW * budget.to_search,
    )  # fmt: skip
