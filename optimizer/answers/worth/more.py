"""What one more unit of each limit is worth: by a real re-solve, and at the margin.

More room never makes a plan worse. So where one change gives room to many limits at once, its
bound holds for each of them: one solve says of all what they are worth at most, and where no plan
comes of it that is worth more, that none is worth anything. Where one does come of it, those whose
room it takes are looked at apart from the others. A limit that leaves room may well be worth
something, as decisions are whole: that it is not binding proves nothing.

Those come first that earn something at the margin, the most first; then all that one solve may
tell of; then the others, those first that bind; at last what that one solve did not settle.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from models.build import Row
from optimizer.answers.worth.bench import Bench, Beside, Best, TimeOver
from optimizer.answers.worth.margin import (
    Held,
    alike,
    binds,
    held,
    margin,
    same,
    takes,
    touched,
    wider,
)
from optimizer.answers.worth.units import Unit
from optimizer.errors import InputRefused
from optimizer.sweep.point.evaluate import Posed
from optimizer.sweep.points import Json

#: Difference of two values, for each M$ of them, that is arithmetic.
ARITHMETIC = 1e-12
#: ``worth``: it is worth more, or less, than the gaps leave open. ``nothing``: proved to be worth
#: no more than that. ``unproved``: a limit ended a search. ``at most``: no time was left for a
#: solve of its own, but one with room for others as well bounds it. ``refused``: such an instance
#: is refused. ``not reached``: no time was left.
Verdict = Literal["worth", "nothing", "unproved", "at most", "refused", "not reached"]

#: Units by their numbers, in parts.
Parts = Sequence[Sequence[int]]
#: Part of the time that is left which a solve may take that tells of many.
TIME_FOR_MANY = 0.5


@dataclass(frozen=True)
class Worth:
    """What one more unit is worth.

    Attributes
    ----------
    unit : Unit
        What there is more of.
    verdict : str
        See :data:`Verdict`.
    musd : float or None
        Value of the best plan with it less that without, each from its own solve.
    at_least_musd, at_most_musd : float or None
        What the bounds of both solves leave open.
    margin_musd : float or None
        The same unit at the rate of its first step, with whole decisions held; None where the
        change makes other unknowns, or no linear program tells.
    binds : bool or None
        Whether the plan leaves one of its rows no room; None where it makes other unknowns.
    together : int
        How many limits the solve gave room to; zero where the change moves no number at all.
    message : str
        Why it is not known, or what is to be known about it.
    rows : frozenset of Row
        Families and indices of the rows that it moves.
    is_proved : bool
        Whether what is said of it is proved: where it has a worth, that both plans are the best.
    """

    unit: Unit
    verdict: Verdict
    musd: float | None = None
    at_least_musd: float | None = None
    at_most_musd: float | None = None
    margin_musd: float | None = None
    binds: bool | None = None
    together: int = 1
    message: str = ""
    rows: frozenset[Row] = field(default=frozenset(), repr=False)
    is_proved: bool = True


@dataclass(frozen=True, eq=False)
class _Asked:
    """A unit, its case, and what is known of it before a solve."""

    unit: Unit
    posed: Posed
    is_alike: bool
    is_wider: bool
    binds: bool | None
    margin: float | None
    rows: frozenset[Row]


class OneMore(Beside):
    """Finds what units are worth beside one plan."""

    def __init__(self, bench: Bench, base: Best) -> None:
        super().__init__(bench, base)
        #: What units are proved to be worth at most, by their number.
        self.most: dict[int, float] = {}
        self.matrix, self.point = base.posed.model.matrix, base.point
        #: Under a limit on a year's energy a plan has bands of its own, and no margin here.
        self.held: Held | None = None
        if not base.posed.case.limit_prices:
            with suppress(TimeOver):
                self.held = held(self.matrix, self.point, bench.run)

    def worths(self, units: Sequence[Unit]) -> Iterator[Worth]:
        """Give what each unit is worth, what matters most first; in another order than asked."""
        told: set[int] = set()
        asked: dict[int, _Asked] = {}
        self.most.clear()
        try:
            for number, worth in self._found(units, asked):
                told.add(number)
                yield worth
        except TimeOver:
            for number, unit in enumerate(units):
                if number not in told:
                    yield self._unreached(unit, asked.get(number), self.most.get(number))

    @staticmethod
    def _unreached(unit: Unit, one: _Asked | None, most: float | None) -> Worth:
        """Say what is known of a unit that had no solve of its own."""
        known: dict[str, Any] = {"is_proved": False}
        if one is not None:
            known |= {"margin_musd": one.margin, "binds": one.binds, "rows": one.rows}
        if most is None or not math.isfinite(most):
            return Worth(unit, "not reached", **known)
        message = "no time was left for a solve of its own"
        return Worth(unit, "at most", None, 0.0, most, message=message, **known)

    def _found(
        self, units: Sequence[Unit], asked: dict[int, _Asked]
    ) -> Iterator[tuple[int, Worth]]:
        for number, unit in enumerate(units):
            self.bench.check()
            try:
                one = self._ask(unit)
            except InputRefused as refused:
                yield number, Worth(unit, "refused", message=refused.reason)
                continue
            if one.is_alike and same(self.matrix, one.posed.model.matrix):
                yield number, self._nothing(one, 0.0, 0)
            else:
                asked[number] = one
        idle = self._of_own_keys(
            asked, [n for n, one in asked.items() if one.is_wider and not self._earns(one)]
        )
        rest = [number for number in asked if number not in set(idle)]
        earning = [number for number in rest if self._earns(asked[number])]
        earning.sort(key=lambda number: -(asked[number].margin or 0.0))
        others = [number for number in rest if number not in set(earning)]
        others.sort(key=lambda number: not asked[number].binds)
        for number in earning:
            yield number, self._alone(asked[number])
        left = yield from self._together(asked, idle)
        for number in others:
            yield number, self._alone(asked[number])
        while left:
            part, *left = left
            left = [*(yield from self._together(asked, part)), *left]

    def _earns(self, one: _Asked) -> bool:
        """Whether a unit earns something at the margin: it need not be tried for naught."""
        return one.margin is not None and one.margin > self._open()

    @staticmethod
    def _of_own_keys(asked: dict[int, _Asked], numbers: Sequence[int]) -> list[int]:
        """Leave out units that move a key which another moves as well."""
        met: set[str] = set()
        kept = []
        for number in numbers:
            if met.isdisjoint(asked[number].unit.changes):
                kept.append(number)
            met.update(asked[number].unit.changes)
        return kept

    def _ask(self, unit: Unit) -> _Asked:
        posed = self._posed(unit)
        new = posed.model.matrix
        if not alike(self.matrix, new):
            return _Asked(unit, posed, False, False, None, None, frozenset())
        rows = touched(self.matrix, new)
        names = self.base.posed.model.built.rows
        moved = frozenset(names[i] for i in np.flatnonzero(rows).tolist())
        rate = None
        if self.held is not None:
            rate = margin(self.held, self.matrix, new, self.bench.run)
        return _Asked(
            unit, posed, True, wider(self.matrix, new), binds(self.matrix, new, self.point),
            rate, moved,
        )  # fmt: skip

    def _posed(self, unit: Unit) -> Posed:
        if not unit.again:
            return self.bench.at(unit.changes)
        instance = self.base.posed.case.instance
        offers = instance.contracts
        name = next(n for k in range(2, len(offers) + 3)
                    if (n := f"{unit.again[:56]}-{k}") not in offers)  # fmt: skip
        more = {**offers, name: offers[unit.again]}
        return self.bench.of(instance.model_copy(update={"contracts": more}))

    # --- solves ----------------------------------------------------------------------------

    def _alone(self, one: _Asked) -> Worth:
        return self._judged(one, self.bench.best(one.posed, self.base.plan))

    def _judged(self, one: _Asked, best: Best) -> Worth:
        known: dict[str, Any] = {"margin_musd": one.margin, "binds": one.binds, "rows": one.rows}
        status = best.solved.status
        if status == "infeasible":
            return Worth(one.unit, "worth", message="no plan keeps to all limits", **known)
        if best.value is None:
            known["is_proved"] = False
            return Worth(one.unit, "unproved", message=f"no plan: {status}", **known)
        more = best.value - self.value
        least, most = best.value - self.bound, self._bound(best) - self.value
        if one.is_wider:
            least, most, more = max(0.0, least), max(0.0, most), max(0.0, more)
        dust = ARITHMETIC * max(1.0, abs(self.value))
        verdict: Verdict = "worth" if least > dust or most < -dust else "nothing"
        known["is_proved"] = best.is_proved and self.base.is_proved
        if not known["is_proved"]:
            verdict = "worth" if verdict == "worth" else "unproved"
        message = "" if status == "solved" else f"the search ended early ({status})"
        return Worth(one.unit, verdict, more, least, most, message=message, **known)

    def _nothing(self, one: _Asked, most: float, together: int) -> Worth:
        message = "" if together else "it changes no number of the case"
        return Worth(one.unit, "nothing", 0.0, 0.0, max(0.0, most), 0.0 if not together else
                     one.margin, one.binds, together, message, one.rows)  # fmt: skip

    def _together(
        self, asked: dict[int, _Asked], numbers: Sequence[int]
    ) -> Generator[tuple[int, Worth], None, Parts]:
        """Prove of several limits at once what they are worth at most, if possible nothing.

        Returns the parts in which those are to be looked at that this did not settle.
        """
        if len(numbers) < 2:
            for number in numbers:
                yield number, self._alone(asked[number])
            return ()
        joint = self._jointly({k: v for n in numbers for k, v in asked[n].unit.changes.items()})
        covered, best = list[int](), None
        if joint is not None:
            matrix = joint.model.matrix
            covered = [n for n in numbers if wider(asked[n].posed.model.matrix, matrix)]
        if joint is not None and covered:
            best = self.bench.best(joint, self.base.plan, TIME_FOR_MANY)
            most = self._at_most(best)
            self.most |= {n: min(most, self.most.get(n, math.inf)) for n in covered}
            if self.base.is_proved and most <= self._open():
                for number in covered:
                    yield number, self._nothing(asked[number], most, len(numbers))
                for number in numbers:
                    if number not in set(covered):
                        yield number, self._alone(asked[number])
                return ()
        return self._parted(asked, numbers, best)

    def _bound(self, best: Best) -> float:
        """What no plan of a case beats, by its search or, where that was cut short, divisible."""
        if best.is_proved:
            return best.bound
        divisible = math.inf
        with suppress(TimeOver):
            divisible = self.bench.relaxed(best.posed)
        return min(best.bound, divisible)

    def _at_most(self, best: Best) -> float:
        """What more room is worth at most: a bound below the plan without it is no bound."""
        most = self._bound(best) - self.value
        return math.inf if most < -self._open() else max(0.0, most)

    def _parted(
        self, asked: Mapping[int, _Asked], numbers: Sequence[int], best: Best | None
    ) -> Parts:
        """Part those whose room a plan does not take from those whose room it does; else halve."""
        if best is not None and best.plan is not None:
            taken = {n for n in numbers
                     if takes(self.matrix, asked[n].posed.model.matrix, best.point)}  # fmt: skip
            if 0 < len(taken) < len(numbers):
                return [n for n in numbers if n not in taken], [n for n in numbers if n in taken]
        half = len(numbers) // 2
        return numbers[:half], numbers[half:]

    def _jointly(self, changes: Mapping[str, Json]) -> Posed | None:
        """Pose several changes at once; None where they are only accepted one by one."""
        try:
            return self.bench.at(changes)
        except InputRefused:
            return None

    def _open(self) -> float:
        """What two proved plans may be apart and still be worth the same, in M$."""
        return 2.0 * self.bench.gap * max(1.0, abs(self.value))
