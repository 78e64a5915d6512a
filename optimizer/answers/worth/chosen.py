"""At which price what was not chosen would be, and how much it misses that by.

What the best plan with a thing in it is worth only rises as its price becomes more welcome, and
plans without it do not know the price. So there is one price at which the answer turns. It is
sought as the root of a convex function is: from a plan with the thing, the price at which that
plan would be as good as the best without it. Then a solve on either side proves it: at one price
a plan with the thing beats the bound of all without, at the other no plan with it reaches the
best without.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from optimizer.answers.worth.bench import Beside, Best, TimeOver, taken
from optimizer.answers.worth.margin import alike, held, margin
from optimizer.answers.worth.prices import Thing
from optimizer.elastic import clashing
from optimizer.errors import InputRefused
from optimizer.sweep.point.evaluate import Posed

#: Most solves for one price.
MOST_SOLVES = 24
#: Part of the time that is left which one price may take at most, until the last few.
TIME_FOR_ONE = 0.25
#: Width of a bracket that is narrow enough where value jumps, as a part of the price.
NARROW_SHARE = 1e-4
#: Part of a price by which it is moved to see what a plan makes of it.
STEP = 1e-3
#: How far from the price sought a proof is tried, in what the gaps leave open.
ASIDE = 1.5
#: Width of a bracket that is narrow enough, in the same.
NARROW = 4.0

#: ``turns``: at this price it is chosen. ``cannot``: no plan can choose it, at any price.
#: ``never``: no plan with it beats the best even at the most welcome price. ``open``: the
#: bracket is not proved on both sides. ``not reached``: no time was left.
Verdict = Literal["turns", "cannot", "never", "open", "not reached"]


@dataclass(frozen=True)
class Turn:
    """What it would take for a thing to be chosen.

    Attributes
    ----------
    thing : Thing
        What.
    verdict : str
        See :data:`Verdict`.
    loss_musd : float or None
        What the best plan with it is worth less than the best, at today's price; None where no
        plan with it keeps to all limits, and where one of the two plans is not proved the best.
    price : float or None
        Price at which it is chosen, on the proved side.
    not_at : float or None
        Price nearest to that at which it is proved not to be.
    amount : float
        How often it is then taken; of a contract, the MW signed.
    lacks_musd : float or None
        Where it is never chosen, what it would have to bring on top of the most welcome price.
    message : str
        Why it cannot be, or what is to be known.
    solves : int
        How many that took.
    loss_at_least_musd, loss_at_most_musd : float or None
        What the bounds of both solves leave open of the loss; None where nothing does.
    """

    thing: Thing
    verdict: Verdict
    loss_musd: float | None = None
    price: float | None = None
    not_at: float | None = None
    amount: float = 0.0
    lacks_musd: float | None = None
    message: str = ""
    solves: int = 0
    loss_at_least_musd: float | None = None
    loss_at_most_musd: float | None = None

    @property
    def is_proved(self) -> bool:
        """Whether what is said of it is proved, its loss too."""
        if self.verdict in ("open", "not reached"):
            return False
        return self.loss_musd is not None or self.loss_at_most_musd is None


@dataclass(frozen=True, eq=False)
class _Tried:
    """The best plan with a thing at a price: its value, a bound, and what the price moves."""

    price: float
    best: Best
    value: float
    bound: float
    slope: float


class _Unfound(Exception):
    """A solve ended without a plan and without a proof that there is none."""


class Chosen(Beside):
    """Finds the prices at which things would be chosen beside one plan."""

    def turns(self, things: Sequence[Thing]) -> Iterator[Turn]:
        """Give the price at which each thing is chosen."""
        for number, thing in enumerate(things):
            with self.bench.part(max(TIME_FOR_ONE, 1.0 / (len(things) - number))):
                try:
                    yield self.turn(thing)
                except TimeOver:
                    yield Turn(thing, "not reached")

    def turn(self, thing: Thing) -> Turn:
        """Find the price at which a thing is chosen.

        Raises
        ------
        TimeOver
            Where no time is left to look at it.
        """
        if not thing.columns:
            return Turn(thing, "cannot", message=thing.why)
        if self.base.posed.case.limit_prices:
            message = "not worked out under a limit on a year's energy"
            return Turn(thing, "open", message=message)
        if not math.isfinite(self.bound):
            return Turn(thing, "open", message="no bound of the best plan itself is known")
        self.bench.check()
        search = _Search(self, thing)
        try:
            return search.run()
        except InputRefused as refused:
            return search.left_open(refused.reason)
        except _Unfound as unfound:
            return search.left_open(str(unfound))

    @property
    def open_musd(self) -> float:
        """What two proved plans may be apart and still be worth the same."""
        return max(
            1e-6,
            (self.bound - self.value) + self.bench.gap * max(1.0, abs(self.value)),
        )


class _Search:
    """The search for one price."""

    def __init__(self, chosen: Chosen, thing: Thing) -> None:
        self.chosen, self.thing, self.bench = chosen, thing, chosen.bench
        self.yes: _Tried | None = None
        self.no: _Tried | None = None
        self.no_at: float | None = None
        self.last: _Tried | None = None
        self.first: _Tried | None = None
        self.solves = 0

    # Prices are counted from today's, so that more is more welcome.

    def run(self) -> Turn:
        """Search, and say what came of it."""
        first = self._try(0.0)
        if first is None:
            self.no_at = 0.0
            first = self._try(self._most)
            if first is None:
                return self._cannot()
        else:
            self.first = first
        while self.solves < MOST_SOLVES:
            step = self._next()
            if step is None:
                break
            try:
                found = self._try(step)
            except TimeOver:
                return self._told("the time limit ended the search")
            if found is None:
                self.no_at = step if self.no_at is None else max(step, self.no_at)
            if step == self._most and self.yes is None and found is not None:
                if self.no is found or self._both_proved(found):
                    return self._never(found)
                return self._told("no proof was found even at the most welcome price")
        return self._told("" if self._is_narrow else "no proof on both sides was found")

    @property
    def _most(self) -> float:
        return abs(self.thing.limit - self.thing.price)

    def _price(self, step: float) -> float:
        return self.thing.price + self.thing.sign * step

    def _try(self, step: float) -> _Tried | None:
        """Find the best plan with the thing at a price; None where none keeps to all limits."""
        posed = self.thing.at(self._price(step))
        start = None if self.last is None else self.last.best.plan
        best = self.bench.forced(posed, self.thing.columns, start or self.chosen.base.plan)
        self.solves += 1
        if best.solved.status == "infeasible":
            return None
        if best.solved.status == "unbounded":
            found = _Tried(step, best, math.inf, math.inf, 0.0)
        elif best.value is None:
            self.bench.check()
            raise _Unfound(f"a solve ended without a plan ({best.solved.status})")
        else:
            found = _Tried(step, best, best.value, best.bound, self._slope(step, posed, best))
        self.last = found
        if found.value > self.chosen.bound and (self.yes is None or step < self.yes.price):
            self.yes = found
        if found.bound < self.chosen.value and (self.no is None or step > self.no.price):
            self.no = found
        return found

    def _slope(self, step: float, posed: Posed, best: Best) -> float:
        """M$ that the plan gains by a unit of a more welcome price."""
        aside = STEP * max(abs(self.thing.price), abs(self._price(step)), 1.0)
        aside = -aside if step + aside > self._most else aside
        other = self.thing.at(self._price(step + aside)).model.matrix
        # The row that forces the thing moves with no price, and the plan keeps to it.
        plain = posed.model.matrix
        if not alike(plain, other):
            return 0.0
        plan = held(plain, best.point, self.bench.run)
        rate = None if plan is None else margin(plan, plain, other, self.bench.run)
        return 0.0 if rate is None else max(0.0, rate / aside)

    def _next(self) -> float | None:
        """Where to try next; None where the bracket is narrow, or nothing is left to try."""
        if self._is_narrow:
            return None
        last = self.last
        assert last is not None
        low = max(x for x in (self._no_step, -math.inf) if x is not None)
        high = self._most if self.yes is None else self.yes.price
        step = self._most
        if last.slope > 0:
            width = self.chosen.open_musd / last.slope
            root = self._root(last)
            step = root + ASIDE * width
            if self.yes is not None and self.yes.price <= root + NARROW / 2 * width:
                step = root - ASIDE * width
        if not low < step < high:
            outside = self.yes is None or not math.isfinite(low)
            step = high if outside and step >= high else 0.5 * (max(low, -self._back) + high)
        if self.yes is None and self.no is not None and self.no.price >= self._most:
            return None
        return step

    @property
    def _back(self) -> float:
        """How far a price may go in the less welcome direction."""
        return max(abs(self.thing.price), 1.0)

    @property
    def _no_step(self) -> float | None:
        known = [x for x in (self.no_at, None if self.no is None else self.no.price)
                 if x is not None]  # fmt: skip
        return max(known, default=None)

    @property
    def _is_narrow(self) -> bool:
        if self.yes is None or self._no_step is None:
            return False
        apart = self.yes.price - self._no_step
        if self._jumps:
            size = max(abs(self.thing.price), abs(self._price(self.yes.price)))
            return apart <= NARROW_SHARE * size
        return apart <= NARROW * self.chosen.open_musd / self.yes.slope

    @property
    def _jumps(self) -> bool:
        """Whether neither side's own plan would be as good as the best within the bracket."""
        assert self.yes is not None
        assert self._no_step is not None
        if self.yes.slope <= 0 or self._root(self.yes) >= self._no_step:
            return self.yes.slope <= 0
        last = None if self.no is None or self.no.price < self._no_step else self.no
        return last is None or last.slope <= 0 or self._root(last) > self.yes.price

    def _root(self, tried: _Tried) -> float:
        """Where a plan with the thing would be worth as much as the best."""
        return tried.price + (self.chosen.value - tried.value) / tried.slope

    # --- what came of it -------------------------------------------------------------------

    def _cannot(self) -> Turn:
        message = "no plan with it keeps to all limits" + self._in_the_way()
        return Turn(self.thing, "cannot", message=message, solves=self.solves)

    def _in_the_way(self) -> str:
        """Name the limit that would have to give most, where one decision chooses the thing."""
        if self.thing.kind not in ("contract", "project"):
            return ""
        if not self.bench.budget.to_search or self.bench.stop.is_set():
            return ""
        posed = self.chosen.base.posed
        pinned = {**posed.pins, min(self.thing.columns): 1.0}
        with self.bench.part(TIME_FOR_ONE):
            clashes = clashing(posed.case, pinned=pinned, budget=self.bench.budget,
                               stop=self.bench.stop)  # fmt: skip
        return f"; {clashes[0]}" if clashes else ""

    def _never(self, found: _Tried) -> Turn:
        lacks = max(0.0, self.chosen.value - found.value) if self._both_proved(found) else None
        return self._with_loss(
            Turn(self.thing, "never", lacks_musd=lacks, amount=self._amount(found))
        )

    def _told(self, message: str) -> Turn:
        yes, no = self.yes, self._no_step
        turn = Turn(
            self.thing, "turns" if self._is_narrow else "open",
            price=None if yes is None else self._price(yes.price),
            not_at=None if no is None else self._price(no), message=message,
        )  # fmt: skip
        return self._with_loss(turn if yes is None else replace(turn, amount=self._amount(yes)))

    def left_open(self, message: str) -> Turn:
        """Say what is known although the search cannot go on, and why it cannot."""
        return replace(self._told(message), verdict="open")

    def _with_loss(self, turn: Turn) -> Turn:
        """Say what the best plan with the thing misses, as far as both plans are proved."""
        turn, first = replace(turn, solves=self.solves), self.first
        if first is None:
            return turn
        return replace(
            turn,
            loss_musd=max(0.0, self.chosen.value - first.value)
            if self._both_proved(first) else None,
            loss_at_least_musd=max(0.0, self.chosen.value - first.bound),
            loss_at_most_musd=max(0.0, self.chosen.bound - first.value),
        )  # fmt: skip

    def _both_proved(self, tried: _Tried) -> bool:
        """Whether a plan with the thing and the one without are each the best."""
        return tried.best.is_proved and self.chosen.base.is_proved

    def _amount(self, tried: _Tried) -> float:
        plan = tried.best.plan
        if plan is None:
            return math.inf
        columns = self.thing.columns
        if self.thing.kind == "contract":
            columns = frozenset(("signed_mw", index) for _, index in columns)
        return taken(plan, columns)
