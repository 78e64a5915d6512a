"""What is in the way of a plan, asked of an instance as a whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from optimizer import elastic
from optimizer.answers.conflict.clash import Clash, Filter
from optimizer.answers.conflict.limits import Limit, limits_of
from optimizer.answers.conflict.questions import Opened, Questions, freed
from optimizer.answers.conflict.repairs import GAP, Mender, Repair
from optimizer.errors import Problem
from optimizer.highs import Options
from optimizer.keys import Key

#: ``feasible``: there is a plan, and nothing is in the way; ``infeasible``: there is none, and
#: what clashes is told; ``undecided``: neither was proved in time.
Status = Literal["feasible", "infeasible", "undecided"]

#: Most clashes that are told of one instance.
MOST_CLASHES = 5


@dataclass(frozen=True)
class Mended:
    """A clash, and the cheapest change of each of its limits."""

    clash: Clash
    repairs: tuple[Repair, ...]

    @property
    def way_out(self) -> Repair | None:
        """The first change that was tried and is enough."""
        return next((one for one in self.repairs if one.found == "verified"), None)


@dataclass(frozen=True)
class Explained:
    """What is in the way of a plan.

    Attributes
    ----------
    status : str
        See :data:`Status`.
    impossible : tuple of Problem
        What the data alone show, before any solve.
    clashes : tuple of Mended
        Each a smallest set of limits that cannot all hold; two have no limit in common.
    together : tuple of Repair
        Where there are several clashes: a change for each that were tried together.
    complete : bool
        Whether it is proved that there is a plan once these clashes are mended.
    beyond_limits : tuple of elastic.Clash
        Where no plan exists with every limit freed: what would have to give instead.
    questions : int
        How often it was asked whether there is a plan.
    """

    status: Status
    impossible: tuple[Problem, ...] = ()
    clashes: tuple[Mended, ...] = ()
    together: tuple[Repair, ...] = ()
    complete: bool = True
    beyond_limits: tuple[elastic.Clash, ...] = ()
    questions: int = 0
    limits: tuple[Limit, ...] = field(default=(), repr=False)


def explain(
    opened: Opened,
    options: Options | None = None,
    *,
    stop: threading.Event | None = None,
    tell: Callable[[str], None] | None = None,
) -> Explained:
    """Find what is in the way of a plan, and the cheapest change of each kind.

    Parameters
    ----------
    opened : Opened
        The instance, read whether or not it can have a plan.
    options : Options, optional
        Time limit for everything, threads and seed. Without a time limit work is limited by
        nodes, and the same instance gives the same answer on every machine.
    stop : threading.Event, optional
        Setting it ends the search with what is known by then.
    tell : callable, optional
        Hears what is being looked for.

    Returns
    -------
    Explained
        Every claim in it is proved by a solve, or told as open.
    """
    asked = Questions(opened, options or Options(), stop)
    say = tell or (lambda _: None)
    say("is there a plan?")
    first = asked.verdict({})
    if first != "infeasible":
        return Explained(first, opened.impossible, questions=asked.asked)
    limits = limits_of(asked.document, asked.loaded.instance, asked.pinned_lines())
    mended, together, complete = _clashes(asked, limits, say)
    beyond: tuple[elastic.Clash, ...] = ()
    if any(not one.clash.limits for one in mended):
        beyond = _beyond(asked, limits)
    return Explained("infeasible", opened.impossible, mended, together, complete, beyond,
                     asked.asked, limits)  # fmt: skip


def _clashes(
    asked: Questions, limits: Sequence[Limit], say: Callable[[str], None]
) -> tuple[tuple[Mended, ...], tuple[Repair, ...], bool]:
    """Find clashes that have no limit in common, with changes of their limits.

    Further ones are only looked for where no change of those that are known leaves a plan: limits
    that are freed may cost something, so that what goes by no plan then may go by one when typed.

    Returns
    -------
    tuple
        The clashes; where there are several, a change for each that were tried together; and
        whether a plan is proved once they give.
    """
    searching, known = Filter(asked, limits), list[Limit]()
    clashes, mended = list[Clash](), tuple[Mended, ...]()
    while len(clashes) < MOST_CLASHES:
        say("which limits clash?")
        clash = searching.clash(known)
        if clash is None:
            break
        clashes.append(clash)
        mended = _mended(asked, clashes, say)
        if not clash.limits:
            return mended, (), False
        if len(mended) == 1 and mended[0].way_out is not None:
            return mended, (), True
        together = _together(asked, mended)
        if together:
            return mended, together, True
        known += clash.limits
    return mended, (), asked.verdict(freed(known)) == "feasible"


def _beyond(asked: Questions, limits: Sequence[Limit]) -> tuple[elastic.Clash, ...]:
    """Name what would have to give where there is no plan with every limit freed."""
    posed = asked.posed(freed(limits))
    if posed is None or asked.is_over:
        return ()
    return elastic.clashing(posed.case, pinned=posed.pins, budget=asked.budget, stop=asked.stop)


def _mended(
    asked: Questions, clashes: Sequence[Clash], say: Callable[[str], None]
) -> tuple[Mended, ...]:
    """Look for a change of each limit of each clash, with the limits of the others freed."""
    mended = []
    for clash in clashes:
        others = [limit for other in clashes if other is not clash for limit in other.limits]
        mender = Mender(asked, freed(others))
        divisible = asked.divisible(freed(others))
        repairs = dict[Limit, Repair]()
        # Amounts of money first: what is looked for last may find no time.
        for limit in sorted(clash.limits, key=_pressing):
            say(f"what change of {limit.key} would be enough?")
            repairs[limit] = mender.repair(limit)
        told = tuple(repairs[limit] for limit in clash.limits)
        mended.append(Mended(replace(clash, whole_only=divisible), told))
    return tuple(mended)


def _pressing(limit: Limit) -> tuple[bool, bool]:
    """Order limits by how soon a planner would ask about them."""
    return limit.way != "amount", limit.parts[:1] != ("finance",)


def _together(asked: Questions, mended: Sequence[Mended]) -> tuple[Repair, ...]:
    """Try a change for each of several clashes at once."""
    ways = [one.way_out for one in mended]
    if len(ways) < 2 or any(way is None for way in ways):
        return ()
    edits: dict[Key, Any] = {}
    for way in ways:
        edits |= _edits_of(way)
    solved = asked.solved(edits, GAP)
    if solved is None or solved.status not in ("solved", "best-found"):
        return ()
    return tuple(way for way in ways if way is not None)


def _edits_of(way: Repair | None) -> Mapping[Key, Any]:
    return {} if way is None else way.edits
