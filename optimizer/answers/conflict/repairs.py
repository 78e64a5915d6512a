"""The cheapest change of each kind that makes a plan possible, each tried before it is told.

Amounts come of a program that gives as little as it can; what is no straight line is halved
between what is not enough and what is; dates, choices and availabilities are tried from the
nearest on. What is told has been typed into the instance, read by the loader, solved and audited.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from optimizer.answers.conflict.amounts import GAP as NEAR
from optimizer.answers.conflict.amounts import Least, least_amount
from optimizer.answers.conflict.choices import Try, choices
from optimizer.answers.conflict.edits import REMOVED, Edits
from optimizer.answers.conflict.figures import Figures, size_of, step_of, typed_text
from optimizer.answers.conflict.limits import Limit
from optimizer.answers.conflict.questions import NODES, Questions
from optimizer.highs import Options
from optimizer.keys import dotted

#: What became of looking for a change of a kind: one that was tried; none that may be typed is
#: enough; one is not enough, whatever it be; or it was not settled.
Found = Literal["verified", "out-of-range", "not-alone", "undecided"]

#: How near to the best a plan is sought that shows a repair to be one.
GAP = 0.05
#: How often a figure that proves not to be enough is moved on by a step.
STEPS_ON = 4
#: Of how many nearer figures each is tried, where one that is nearer may be enough all the same.
FEW = 12
#: How often an amount is doubled until it is enough.
DOUBLINGS = 40


@dataclass(frozen=True)
class Repair:
    """A change of one limit, or why there is none.

    Attributes
    ----------
    limit : Limit
        Which limit gives.
    found : str
        See :data:`Found`.
    edits : mapping of Key to object
        What is typed then; ``REMOVED`` where it is taken out.
    was, then, by : str
        What was typed, what is typed then, and the difference, in words.
    step : float or None
        Of an amount, the figure to which it is rounded outwards.
    least : float or None
        Of an amount, the least that is enough, before it is rounded.
    cheapest : bool
        Whether it is proved that no smaller step of the kind is enough.
    value_musd : float or None
        What the plan is worth that shows it, which need not be the best.
    """

    limit: Limit
    found: Found
    edits: Edits
    was: str
    then: str = ""
    by: str = ""
    step: float | None = None
    least: float | None = None
    cheapest: bool = False
    value_musd: float | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """What is typed then, by dotted key; None where a key or an item is taken out."""
        return {
            dotted(key): None if value is REMOVED else value for key, value in self.edits.items()
        }


class Mender:
    """Looks for the cheapest change of each limit of a clash.

    Parameters
    ----------
    questions : Questions
        Asks whether there is a plan.
    beside : mapping of Key to object
        What is changed besides: the mending of other clashes.
    """

    def __init__(self, questions: Questions, beside: Edits | None = None) -> None:
        self.questions = questions
        self.beside = dict(beside or {})
        self._is_open = False

    def repair(self, limit: Limit) -> Repair:
        """Find the cheapest change of a limit that alone makes a plan possible."""
        was = typed_text(limit, limit.held)
        alone = self._verdict(limit.free)
        if alone != "feasible" and limit.relaxes:
            found: Found = "not-alone" if alone == "infeasible" else "undecided"
            return Repair(limit, found, {}, was)
        self._is_open = False
        if limit.way in ("amount", "count"):
            mended = self._amount(limit, was)
        else:
            mended = self._nearest(limit, was, list(choices(self.questions, limit)))
        if mended is None and limit.parts[:2] == ("commitments", "contracts"):
            released = Try(limit.free, "not signed", "released")
            mended = self._nearest(limit, was, [released])
        if mended is not None:
            return mended
        if self._is_open or self.questions.is_over or alone == "undecided":
            return Repair(limit, "undecided", {}, was)
        return Repair(limit, "out-of-range" if alone == "feasible" else "not-alone", {}, was)

    def _verdict(self, edits: Edits) -> str:
        """Say whether a change is enough; what neither is nor is refused is left open."""
        verdict = self.questions.verdict({**self.beside, **edits})
        if verdict == "undecided" and self.questions.accepted(edits) is not None:
            self._is_open = True
        return verdict

    def _verified(self, limit: Limit, was: str, tried: Try, *, cheapest: bool) -> Repair | None:
        """Type a change into the instance and solve it; None where that gives no plan."""
        solved = self.questions.solved(tried.edits, GAP, self.beside)
        if solved is None or solved.status not in ("solved", "best-found"):
            proved = solved is None or solved.status == "infeasible"
            self._is_open = self._is_open or not proved or self.questions.is_over
            return None
        return Repair(
            limit, "verified", tried.edits, was, tried.then, tried.by, tried.step, tried.least,
            cheapest, solved.value_musd,
        )  # fmt: skip

    # --- choices, the nearest first --------------------------------------------------------

    def _nearest(self, limit: Limit, was: str, tries: Sequence[Try]) -> Repair | None:
        """Take the first change that is enough.

        Availabilities are halved between. Densities are not: with less, fewer racks fill a hall.
        """
        first = 0
        if limit.way == "nines":
            first = _first(len(tries), lambda i: self._verdict(tries[i].edits) == "feasible")
        proved = not first or self._verdict(tries[first - 1].edits) == "infeasible"
        for tried in tries[first:]:
            verdict = self._verdict(tried.edits)
            if verdict == "feasible":
                mended = self._verified(limit, was, tried, cheapest=proved)
                if mended is not None:
                    return mended
            if self.questions.is_over:
                return None
            proved = proved and (
                verdict == "infeasible" or self.questions.accepted(tried.edits) is None
            )
        return None

    # --- amounts ---------------------------------------------------------------------------

    def _amount(self, limit: Limit, was: str) -> Repair | None:
        least = self._least(limit)
        if least is not None and math.isinf(least.amount) and not limit.relaxes:
            return None
        if least is not None and math.isfinite(least.amount):
            figures = Figures(self.questions.document, limit, step_of(limit, least.amount))
            at = figures.beyond(least.amount)
            proved = least.proved
            mended = self._from(figures, at, was, cheapest=proved, least=least.amount)
            if mended is not None:
                return mended
        return self._halved(limit, was)

    def _least(self, limit: Limit) -> Least | None:
        """Find the least amount by a program, where the figure is a limit of rows and no more."""
        unit = 1.0 if limit.whole else max(1e-3, 1e-2 * size_of(limit.held))
        moved = Figures(self.questions.document, limit, unit)
        edits = [moved.by(times * unit) for times in (0.0, 1.0, 2.0)]
        if any(one is None for one in edits):
            return None
        posed = [self.questions.posed({**self.beside, **(one or {})}) for one in edits]
        typed, once, twice = posed
        if typed is None or once is None or twice is None or typed.case.limit_prices:
            return None
        q = self.questions
        options = Options(gap=NEAR, time_limit=q.budget.to_search, nodes=NODES)
        return least_amount(
            typed, (once, twice), unit, whole=limit.whole, options=options, budget=q.budget,
            stop=q.stop,
        )  # fmt: skip

    def _from(
        self, figures: Figures, at: int, was: str, *, cheapest: bool, least: float | None = None
    ) -> Repair | None:
        """Try a figure, and those just beyond it where it proves not to be enough."""
        for on in range(STEPS_ON + 1):
            edits = figures.at(at + on)
            if edits is None or self.questions.is_over:
                return None
            if on:
                cheapest = cheapest and self._is_short(figures.at(at + on - 1))
            tried = Try(edits, figures.text(edits), figures.difference(edits), figures.step,
                         least)  # fmt: skip
            mended = self._verified(figures.limit, was, tried, cheapest=cheapest)
            if mended is not None:
                return mended
        return None

    def _is_short(self, edits: Edits | None) -> bool:
        """Whether a change is proved not to be enough."""
        return edits is not None and self._verdict(edits) == "infeasible"

    def _halved(self, limit: Limit, was: str) -> Repair | None:
        """Halve between what is not enough and what is, down to a figure one would type."""
        enough = self._doubled(limit)
        if enough is None:
            return None
        figures = Figures(self.questions.document, limit, step_of(limit, enough / 2.0))
        most = figures.beyond(enough)
        at = _first(most, lambda i: self._verdict(figures.at(i) or {}) == "feasible")
        nearer = range(at - 1, at) if limit.relaxes else range(at)
        cheapest = at == 0 or (
            len(nearer) <= FEW and all(self._is_short(figures.at(i)) for i in nearer)
        )
        return self._from(figures, at, was, cheapest=cheapest)

    def _doubled(self, limit: Limit) -> float | None:
        """Find an amount that is enough, at most twice what is not."""
        amount = 1.0 if limit.whole else 1e-3 * max(1.0, size_of(limit.held))
        figures = Figures(self.questions.document, limit, amount)
        for _ in range(DOUBLINGS):
            edits = figures.by(amount)
            if edits is None:
                amount = figures.room
                edits = figures.by(amount)
                assert edits is not None
                if self._verdict(edits) == "feasible":
                    return amount
                break
            if self._verdict(edits) == "feasible":
                return amount
            if self.questions.is_over:
                return None
            amount *= 2.0
        # Where more of it may cost something, what lies between was not tried.
        self._is_open = self._is_open or not (limit.relaxes or (limit.whole and amount <= 2.0))
        return None


def _first(count: int, holds: Callable[[int], bool]) -> int:
    """Find the first of so many for which something holds, once it holds for all that follow."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
