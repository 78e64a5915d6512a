"""What a plan of one's own is worth: beside doing nothing, and beside the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from models.build import Column
from models.given import Given, Place
from optimizer.case import Case
from optimizer.elastic import Clash, clashing
from optimizer.solve import Solved, compile_case, do_nothing
from optimizer.splits import fillings, fillings_fit
from optimizer.stocks import Excess, excesses

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
        The best plan there is, where that was asked for.
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
) -> Evaluation:
    """Judge a plan.

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
    """
    planned = search(pins)
    if planned.status == "infeasible":
        short = tuple(excesses(case.given, pins, completed=False))
        return Evaluation(planned, broken=_broken(case, pins), excesses=short)
    stopped = planned.outcome is not None and planned.outcome.ended == "interrupted"
    best = search(policy) if optimum and not stopped else None
    known = best is not None and best.audit is not None
    planned = beside_nothing(case, planned, policy, best if known else None)
    nothing = planned.audit.nothing_musd if planned.audit else None
    return Evaluation(planned, best, nothing)


def beside_nothing(
    case: Case, planned: Solved, policy: Mapping[Column, float], best: Solved | None = None
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
    """
    if planned.audit is None:
        return planned
    if best is not None and best.audit is not None:
        musd = best.audit.nothing_musd
    else:
        found = do_nothing(case, compile_case(case, policy))
        musd = None if found is None else found[1]
    return replace(planned, audit=replace(planned.audit, nothing_musd=musd))


def _broken(case: Case, pins: Mapping[Column, float]) -> tuple[Clash, ...]:
    """Name the limits that actions break; those of single halls where no other is broken."""
    broken = clashing(case, pinned=pins)
    if broken:
        return broken
    named = {part for (_, index), count in pins.items() if count for part in index}
    g = case.given
    known = {p: fillings(g, p) for p in g.site_of if p in named and _may_be_filled(g, p)}
    filled = replace(case, given=replace(g, fillings=known))
    return clashing(filled, pinned=pins)


def _may_be_filled(g: Given, p: Place) -> bool:
    """Whether racks stand in a place at all, and fill its halls in not too many ways."""
    return bool(g.racks_at.get(p)) and fillings_fit(g, p)
