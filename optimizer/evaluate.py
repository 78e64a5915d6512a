"""What a plan of one's own is worth: beside doing nothing, and beside the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from models.build import Column
from optimizer.case import Case
from optimizer.elastic import Clash, clashing
from optimizer.solve import Solved, compile_case, do_nothing
from optimizer.splits import fillings

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
    """

    planned: Solved
    optimum: Solved | None = None
    nothing_musd: float | None = None
    broken: tuple[Clash, ...] = ()


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
        return Evaluation(planned, broken=_broken(case, pins))
    stopped = planned.outcome is not None and planned.outcome.ended == "interrupted"
    if optimum and not stopped:
        best = search(policy)
        return Evaluation(planned, best, None if best.audit is None else best.audit.nothing_musd)
    nothing = do_nothing(case, compile_case(case, policy))
    return Evaluation(planned, nothing_musd=None if nothing is None else nothing[1])


def _broken(case: Case, pins: Mapping[Column, float]) -> tuple[Clash, ...]:
    """Name the limits that actions break; those of single halls where no other is broken."""
    broken = clashing(case, pinned=pins)
    if broken:
        return broken
    named = {part for (_, index), count in pins.items() if count for part in index}
    known = {p: fillings(case.given, p) for p in case.given.site_of if p in named}
    filled = replace(case, given=replace(case.given, fillings=known))
    return clashing(filled, pinned=pins)
