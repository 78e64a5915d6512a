"""What a plan of one's own is worth: beside doing nothing, and beside the best."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from models.build import Column
from models.given import Given, Place
from optimizer.case import Case
from optimizer.compiled import compile_case
from optimizer.elastic import Clash, clashing
from optimizer.highs import Budget
from optimizer.solve import Solved, do_nothing
from optimizer.splits import fillings, fillings_fit
from optimizer.stocks import Excess, excesses

#: Ends of a search after which no further one begins.
STOPPED = ("interrupted", "abandoned")

#: Solves the case with some decisions taken.
Search = Callable[[Mapping[Column, float]], Solved]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A plan, judged.

    Attributes
    ----------
    planned : Solved
        The plan, completed; it holds none where the actions break limits.
    optimum : Solved or None
        The best plan there is, where that was asked for and there was time to look.
    nothing_musd : float or None
        Value of doing nothing; None where that breaks a limit, or nobody looked.
    broken : tuple of Clash
        Limits that the actions break, and the least by which each would have to give.
    excesses : tuple of Excess
        Where the actions alone take away more than stands.
    """

    planned: Solved
    optimum: Solved | None = None
    nothing_musd: float | None = None
    broken: tuple[Clash, ...] = ()
    excesses: tuple[Excess, ...] = ()


def evaluate(
    case: Case,
    pins: Mapping[Column, float],
    policy: Mapping[Column, float],
    search: Search,
    *,
    optimum: bool = True,
    budget: Budget | None = None,
    stop: threading.Event | None = None,
) -> Evaluation:
    """Judge a plan.

    Once the plan is completed, no stop and no second Ctrl-C loses it: what it would be put beside
    is left out.

    Parameters
    ----------
    case : Case
        What is given.
    pins : mapping
        Decisions that the plan takes, those of the instance's own policy among them.
    policy : mapping
        Decisions that the instance's own policy takes: they hold for every other plan too.
    search : callable
        Solves the case with decisions taken.
    optimum : bool
        Whether to look for the best plan, too.
    budget : Budget, optional
        Pays for what is looked for beside the two searches.
    stop : threading.Event, optional
        Setting it ends what is looked for beside the two searches.
    """
    budget = budget or Budget()
    planned = search(pins)
    if planned.status == "infeasible":
        short = tuple(excesses(case.given, pins, completed=False))
        broken = broken_limits(case, pins, budget=budget, stop=stop)
        return Evaluation(planned, broken=broken, excesses=short)
    stopped = planned.outcome is not None and planned.outcome.ended in STOPPED
    best = None
    if optimum and not stopped and budget.to_search:
        with suppress(KeyboardInterrupt):
            best = search(policy)
    planned = beside_nothing(case, planned, policy, best, budget=budget, stop=stop)
    nothing = planned.audit.nothing_musd if planned.audit else None
    return Evaluation(planned, best, nothing)


def beside_nothing(
    case: Case,
    planned: Solved,
    policy: Mapping[Column, float],
    best: Solved | None = None,
    *,
    budget: Budget | None = None,
    stop: threading.Event | None = None,
) -> Solved:
    """Compare a plan of one's own with doing nothing, and not with doing nothing but the plan.

    What was found with the plan's actions taken is no floor: whoever does nothing does not take
    them. The instance's own policy holds in either case.

    Parameters
    ----------
    case : Case
        What is given.
    planned : Solved
        The plan, completed.
    policy : mapping
        Decisions that the instance's own policy takes.
    best : Solved, optional
        A solve with that policy alone, which knows the answer.
    budget : Budget, optional
        Pays for it. With a plan at hand this belongs to settling it: where the limit is over, it
        draws on the patience.
    stop : threading.Event, optional
        Setting it ends the search; a second Ctrl-C gives it up. The plan is returned either way.
    """
    if planned.audit is None:
        return planned
    musd = None
    if best is not None and best.audit is not None:
        musd = best.audit.nothing_musd
    else:
        share = (budget or Budget()).settling()
        with suppress(KeyboardInterrupt):
            found = do_nothing(case, compile_case(case, policy), budget=share, stop=stop)
            musd = None if found is None else found.value_musd
    return replace(planned, audit=replace(planned.audit, nothing_musd=musd))


def broken_limits(
    case: Case,
    pins: Mapping[Column, float],
    *,
    budget: Budget | None = None,
    stop: threading.Event | None = None,
) -> tuple[Clash, ...]:
    """Name the limits that actions break; those of single halls where no other is broken.

    Without a plan at hand, nothing is owed beyond the budget. A second Ctrl-C leaves them unnamed.
    """
    with suppress(KeyboardInterrupt):
        broken = clashing(case, pinned=pins, budget=budget, stop=stop)
        return broken or clashing(_filled(case, pins), pinned=pins, budget=budget, stop=stop)
    return ()


def _filled(case: Case, pins: Mapping[Column, float]) -> Case:
    """Fill the halls one by one in the places that actions name."""
    named = {part for (_, index), count in pins.items() if count for part in index}
    g = case.given
    known = {p: fillings(g, p) for p in g.site_of if p in named and _may_be_filled(g, p)}
    return replace(case, given=replace(g, fillings=known))


def _may_be_filled(g: Given, p: Place) -> bool:
    """Whether racks stand in a place at all, and fill its halls in not too many ways."""
    return bool(g.racks_at.get(p)) and fillings_fit(g, p)
