"""Switching prices: the nearest value of a price, on each side, at which the answer changes.

The instance is solved again with the price moved, further and further away until the answer is
another; then both answers are priced at the ends, by plans that are held to them, and the next
value tried is where they would be worth the same. So a bracket closes in a few solves: on its near
side the answer is the instance's own, on its far side another, and one proof stands on each. The
far side is only believed where every plan of the old answer is worth less there than the new plan
by more than the gap; else the two tie, and the price is called undecided.

Between the instance and the near side every value that was tried has the instance's own answer.
That proves nothing of values between them: an answer leaves racks and hours free, so what it is
worth is convex in a price and not linear, and another answer may be the best on a stretch in
between and no more. The widest steps are therefore tried in the middle at the end, until none is
wider than ``WIDE`` or ``MORE_SOLVES`` are used. How many values were tried, and how wide the
widest step is that was left, is said wherever a side is told.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from models import indices
from models.build import Column
from optimizer.answers.verdict.answers import Answer, in_words, with_held
from optimizer.answers.verdict.columns import whole_numbers
from optimizer.answers.verdict.prices import BY_NAME, Moved, Price, moved
from optimizer.errors import InputRefused
from optimizer.highs import Budget, Options
from optimizer.solve import Solved, solve
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.points import Base, Point

#: Relative gap of every solve.
GAP = 1e-6
#: Width of a bracket that is asked for, relative to the figure (to a tenth of the range of one
#: that begins at nought).
WIDTH = 1e-3
#: First step away from the instance: part of the figure, M$ or $/MWh; then twice as far each time.
FIRST_STEP = 0.04
#: Most settings that are solved on one side, beside those of an answer that is held.
MOST_SOLVES = 40
#: Where between two settings the next is tried, where those before cannot be.
SHARES = (0.5, 0.45, 0.55, 0.25, 0.75)
#: Steps wider than this part of the figure are tried in the middle.
WIDE = 0.08
#: Most settings that are tried so on one side.
MORE_SOLVES = 12
#: How often a far side that ties is moved out, each time twice as far.
ROUNDS_OUT = 5

Side = Literal["below", "above"]
Status = Literal["proved", "wide", "undecided", "none", "unfinished", "infeasible"]


@dataclass(frozen=True)
class Tried:
    """A setting that was solved.

    Attributes
    ----------
    setting : float
        Factor, amount or figure.
    same : bool or None
        Whether its answer is that of the instance; None where no plan was proved the best.
    value_musd, bound_musd : float or None
        Of the best plan there.
    """

    setting: float
    same: bool | None
    value_musd: float | None = None
    bound_musd: float | None = None


@dataclass(frozen=True)
class Switch:
    """What was found on one side of one price.

    Attributes
    ----------
    price : str
        Name of the price.
    side : {'below', 'above'}
        On which side of the instance.
    status : str
        ``proved``: the answer changes within the bracket; ``wide``: the same, of a bracket that
        time or solves did not allow to close further; ``undecided``: the two answers tie within
        the gap; ``none``: it does not change as far as ``near``; ``unfinished``: time or solves
        ran out with no proof; ``infeasible``: beyond ``near`` no plan keeps to all limits.
    base : float
        Setting of the instance itself.
    near, far : float or None
        The bracket: setting on whose side the answer is the instance's own, and one with another.
    near_figure, far_figure : float or None
        The same as figures, where one key holds one number.
    figure_key : str
        That key.
    near_margin_musd, far_margin_musd : float or None
        On the near side, what the instance's answer has over the other, by the other's bound; on
        the far side, what the other has over the instance's, by the bound of the latter. None
        where an answer has no plan there at all.
    words : str
        What is different beyond.
    tried : tuple of Tried
        Every setting that was solved, in order of size.
    """

    price: str
    side: Side
    status: Status
    base: float
    near: float | None = None
    far: float | None = None
    near_figure: float | None = None
    far_figure: float | None = None
    figure_key: str = ""
    near_margin_musd: float | None = None
    far_margin_musd: float | None = None
    words: str = ""
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, eq=False)
class At:
    """A setting solved: its model and its best plan."""

    setting: float
    solved: Solved
    answer: Answer | None
    hint: dict[Column, float]


class Searcher:
    """Looks for switching prices of one instance.

    Parameters
    ----------
    base : Base
        Files of the instance, and the options of each solve.
    hint : mapping, optional
        Whole numbers of its best plan.
    """

    def __init__(self, base: Base, hint: dict[Column, float] | None = None) -> None:
        self._options = replace(base.options, gap=min(GAP, base.options.gap))
        self._evaluator = Evaluator(base)
        self._document = self._evaluator.opened.document(Point(0, {}, {}))
        self._first = hint or {}
        self._unmoved: At | None = None
        self.solves = 0

    @property
    def options(self) -> Options:
        """How each setting is solved."""
        return self._options

    def moved(self, price: Price) -> Moved | None:
        """Find what a price moves; None where the instance has nothing of it."""
        return moved(price, self._evaluator.opened.loaded.instance, self._document)

    def switch(
        self, price: Price, side: Side, *, budget: Budget | None = None,
        stop: threading.Event | None = None, width: float = WIDTH,
    ) -> Switch | None:  # fmt: skip
        """Look for the switching price on one side; None where there is nothing to move."""
        on = self.moved(price)
        if on is None or (side == "below" and on.base <= price.least):
            return None
        search = _Search(self, on, side, budget or Budget(), stop or threading.Event(), width)
        return search.run()

    def unmoved(self, on: Moved, budget: Budget, stop: threading.Event) -> At | None:
        """Solve the instance itself, once for all prices and sides."""
        if self._unmoved is None or self._unmoved.answer is None:
            self._unmoved = self.at(on, on.base, budget, stop, self._first)
        return None if self._unmoved is None else replace(self._unmoved, setting=on.base)

    def at(
        self, on: Moved, setting: float, budget: Budget, stop: threading.Event,
        hint: dict[Column, float], held: Answer | None = None, signed: Column | None = None,
    ) -> At | None:  # fmt: skip
        """Solve a setting, of all answers or of one; None where the instance cannot be so.

        Of an answer a plan may leave out contracts, but not one whose signature is given.
        """
        changes = on.changes(setting)
        if changes is None:
            return None
        try:
            posed = self._evaluator.posed(self._evaluator.opened.after(Point(0, {}, changes)))
        except InputRefused:
            return None
        model, pins = posed.model, dict(posed.pins)
        if held is not None:
            pins = held.held(model, pins) | ({} if signed is None else {signed: 1.0})
            model = with_held(model, pins)
        self.solves += 1
        options = replace(self._options, time_limit=budget.to_search)
        solved = solve(posed.case, options, pinned=pins, model=model, stop=stop,
                       hint={} if held else hint)  # fmt: skip
        if solved.plan is None or solved.status != "solved":
            return At(setting, solved, None, hint)
        return At(setting, solved, Answer.of(solved.plan), whole_numbers(model, solved.plan))


class _Unfinished(Exception):
    """Time or solves ran out."""


@dataclass
class _Search:
    """One price on one side."""

    searcher: Searcher
    on: Moved
    side: Side
    budget: Budget
    stop: threading.Event
    width: float
    points: dict[float, At] = field(default_factory=dict)
    held: dict[tuple[float, Answer, Column | None], Solved] = field(default_factory=dict)
    own: Answer = field(default_factory=Answer)
    more: int = 0

    def run(self) -> Switch:
        near, far = self.on.base, None
        try:
            first = self.solved(near)
            if first is None or first.answer is None:
                return self.found("unfinished", near)
            self.own = first.answer
            for setting in self.steps():
                point = self.solved(setting)
                if point is None:
                    break
                if point.answer != self.own:
                    far = setting
                    break
                near = setting
            while True:
                found = self.closed_in(near, far)
                nearer = None if found.near is None else self.in_the_widest(found.near)
                if nearer is None:
                    return replace(found, tried=self.tried)
                near, far = nearer
        except _Unfinished:
            return self.cut_short()

    def cut_short(self) -> Switch:
        """Say what is known where time or solves ran out: a wide bracket where one is proved."""
        same = [s for s, point in self.points.items() if point.answer == self.own]
        other = [s for s, point in self.points.items()
                 if point.answer not in (None, self.own)]  # fmt: skip
        nearest = min(other, key=self.away, default=None)
        # Beyond another answer the own one may stand again, which is no part of this side.
        before = [s for s in same if nearest is None or self.away(s) < self.away(nearest)]
        near = max(before, key=self.away, default=self.on.base)
        proved = [s for s in other if self.is_judged(s) and self.beats(s)]
        if proved:
            return self.found("wide", near, min(proved, key=self.away))
        return self.found("unfinished", near, nearest)

    def closed_in(self, near: float, far: float | None) -> Switch:
        """Say what stands beyond a near side, with the bracket closed and judged."""
        if far is None:
            return self.found("none", near)
        if self.points[far].solved.status == "infeasible":
            return self.without_plan(near, far)
        near, far = self.closed(near, far)
        if self.points[far].solved.status == "infeasible":
            return self.found("infeasible", near, far)
        return self.judged(near, far)

    # --- settings --------------------------------------------------------------------------

    def away(self, setting: float) -> float:
        """How far a setting lies from the instance."""
        return abs(setting - self.on.base)

    @property
    def sign(self) -> float:
        return 1.0 if self.side == "above" else -1.0

    @property
    def scale(self) -> float:
        """What widths and steps are relative to."""
        return scale_of(self.on.price, self.on.base)

    @property
    def narrow(self) -> float:
        """Width of a bracket that is narrow enough."""
        return 1.0 if self.on.price.whole else self.width * self.scale

    def steps(self) -> Iterator[float]:
        """Settings further and further away, up to the last that can be."""
        price = self.on.price
        end = price.most if self.side == "above" else price.least
        step = 1.0 if price.whole else FIRST_STEP * self.scale
        while True:
            setting = self.on.base + self.sign * step
            over = self.sign * (setting - end) >= 0
            if over:
                setting = end
            reached = self.possible(setting)
            if reached is None:
                return
            yield reached
            if over or self.sign * (reached - self.on.base) < step * (1 - 1e-9):
                return
            step *= 2.0

    def possible(self, setting: float) -> float | None:
        """The setting, or the furthest towards it that figures may have; None where none may."""
        if self.on.changes(setting) is not None:
            return setting
        near = max(self.points, key=self.away, default=self.on.base)
        far = setting
        for _ in range(30):
            between = self.between(near, far)
            if between is None:
                break
            near, far = (between, far) if self.on.changes(between) is not None else (near, between)
        return None if near in self.points or near == self.on.base else near

    def between(self, near: float, far: float, share: float = 0.5) -> float | None:
        """A setting strictly between two; None where they are as close as they may be."""
        if abs(far - near) <= self.narrow * 1.000001:
            return None
        setting = near + share * (far - near)
        if self.on.price.whole:
            low, high = sorted((near, far))
            setting = min(max(float(round(setting)), low + 1), high - 1)
        return setting

    def middle(self, near: float, far: float) -> float | None:
        """A setting near the middle of two that figures may have; None where there is none."""
        for share in SHARES:
            setting = self.between(near, far, share)
            if setting is None or self.on.changes(setting) is not None:
                return setting
        return None

    # --- solving ---------------------------------------------------------------------------

    def solved(self, setting: float) -> At | None:
        """Solve a setting, once."""
        if setting not in self.points:
            if len(self.points) >= MOST_SOLVES:
                raise _Unfinished
            self.go_on()
            point = self.afresh(setting)
            if point is None:
                return None
            if point.answer is None and point.solved.status != "infeasible":
                raise _Unfinished
            self.points[setting] = point
        return self.points[setting]

    def afresh(self, setting: float) -> At | None:
        """Solve a setting from the nearest that is solved."""
        if not self.points:
            return self.searcher.unmoved(self.on, self.budget, self.stop)
        nearest = min(self.points, key=lambda s: abs(s - setting))
        hint = self.points[nearest].hint
        return self.searcher.at(self.on, setting, self.budget, self.stop, hint)

    def worth(self, setting: float, answer: Answer, signed: Column | None = None) -> Solved:
        """Solve a setting with an answer held, and a contract of it signed, once."""
        known = self.points.get(setting)
        if known is not None and known.answer == answer and signed is None:
            return known.solved
        if (setting, answer, signed) not in self.held:
            self.go_on()
            point = self.searcher.at(self.on, setting, self.budget, self.stop, {}, answer, signed)
            if point is None or point.solved.status not in ("solved", "infeasible"):
                raise _Unfinished
            self.held[setting, answer, signed] = point.solved
        return self.held[setting, answer, signed]

    def go_on(self) -> None:
        """Stop where the time is over."""
        if self.stop.is_set() or self.budget.to_search <= 0:
            raise _Unfinished

    def closed(self, near: float, far: float) -> tuple[float, float]:
        """Close in on the nearest change."""
        halve = False
        while (middle := self.middle(near, far)) is not None:
            before = abs(far - near)
            tries = [middle] if halve or self.on.price.whole else self.crossing(near, far)
            for setting in tries or [middle]:
                if not min(near, far) < setting < max(near, far):
                    continue
                point = self.solved(setting)
                if point is None:
                    continue
                near, far = (setting, far) if point.answer == self.own else (near, setting)
            # Where the two ends say little about what lies between, halving is as good.
            halve = abs(far - near) > 0.5 * before
        return near, far

    def crossing(self, near: float, far: float) -> list[float]:
        """Settings on both sides of where the two answers at the ends would be worth the same."""
        other = self.points[far].answer
        if other is None:
            return []
        here, there = self.lead(near, other), self.lead(far, other)
        if here is None or there is None or here <= 0 or there >= 0:
            return []
        at = near + (far - near) * here / (here - there)
        half = 0.45 * self.narrow
        return [at - self.sign * half, at + self.sign * half]

    def lead(self, setting: float, other: Answer) -> float | None:
        """What the own answer is worth more than another; None without plans of both."""
        own, its = self.worth(setting, self.own), self.worth(setting, other)
        if own.value_musd is None or its.value_musd is None:
            return None
        return own.value_musd - its.value_musd

    def in_the_widest(self, near: float) -> tuple[float, float] | None:
        """Try the middle of the widest steps on this side; the bracket of another answer there."""
        passed: set[tuple[float, float]] = set()
        while self.more < MORE_SOLVES:
            wide = [
                (share, ends) for share, ends in self.steps_up_to(near)
                if share > WIDE * (1 + 1e-9) and ends not in passed
            ]  # fmt: skip
            if not wide:
                return None
            _, (low, high) = max(wide, key=lambda step: (step[0], -self.away(step[1][0])))
            setting = self.middle(low, high)
            try:
                point = None if setting is None else self.solved(setting)
            except _Unfinished:
                # What was found before stands.
                return None
            if setting is None or point is None:
                passed.add((low, high))
                continue
            self.more += 1
            if point.answer != self.own:
                return low, setting
        return None

    def steps_up_to(self, near: float) -> list[tuple[float, tuple[float, float]]]:
        """Steps between settings tried up to a near side, and their widths."""
        stood = sorted((s for s in self.points if self.away(s) <= self.away(near)), key=self.away)
        return [(step_share(ends, self.scale), ends) for ends in pairwise(stood)]

    # --- judging ---------------------------------------------------------------------------

    def judged(self, near: float, far: float) -> Switch:
        """Prove both sides; a far side that ties is moved out, by twice as much each time."""
        out = far
        for turn in range(ROUNDS_OUT):
            if self.beats(out):
                far = out
                break
            if self.on.price.whole or turn + 1 == ROUNDS_OUT:
                return self.found("undecided", near, far)
            further = self.possible(far + self.sign * self.narrow * 2.0**turn)
            point = None if further is None else self.solved(further)
            if further is None or point is None or point.answer in (None, self.own):
                return self.found("undecided", near, far)
            out = further
        return self.found("proved", near, far)

    def beats(self, far: float) -> bool:
        """Whether every plan of the instance's own answer is worth less by more than the gap."""
        margin = self.far_margin(far)
        return margin is None or margin > self.tie(far)

    def far_margin(self, far: float) -> float | None:
        """What the best plan of a far side has over all plans of the instance's own answer.

        Where plans of both answers stand with the same halls, and the own one has a contract more,
        that contract is signed at each of its dates in turn: a plan without it is not of the own
        answer.
        """
        best = self.points[far].solved
        own = [self.worth(far, self.own, signed) for signed in self.signatures(far)]
        can_be = [one for one in own if one.status != "infeasible"]
        bounds = [one.bound_musd for one in can_be if one.bound_musd is not None]
        if not bounds or best.value_musd is None:
            return None
        return best.value_musd - max(bounds)

    def signatures(self, far: float) -> list[Column | None]:
        """Signatures one of which every plan of the own answer has, where the other has none."""
        point = self.points[far]
        gone = () if point.answer is None else sorted(self.own.signed - point.answer.signed)
        same = point.answer is not None and point.answer.halls == self.own.halls
        plan = point.solved.plan
        if not gone or not same or plan is None:
            return [None]
        dates = (index for index in indices.signing(plan.given) if index[1] == gone[0])
        return [("signing", index) for index in dates]

    def is_judged(self, far: float) -> bool:
        """Whether all that a far side's margin needs is solved."""
        return all((far, self.own, signed) in self.held for signed in self.signatures(far))

    def near_margin(self, near: float, far: float | None) -> float | None:
        """What the best plan of a near side has over all plans of the answer beyond."""
        other = None if far is None or far not in self.points else self.points[far].answer
        best = self.points[near].solved
        if other is None or best.value_musd is None:
            return None
        its = self.worth(near, other)
        if its.status == "infeasible" or its.bound_musd is None:
            return None
        return best.value_musd - its.bound_musd

    def tie(self, setting: float) -> float:
        """Difference up to which two answers count as equal."""
        value = self.points[setting].solved.value_musd or 0.0
        return self.searcher.options.gap * max(1.0, abs(value))

    def without_plan(self, near: float, far: float) -> Switch:
        """Close in on where the last plan is lost; beyond it no answer is an answer."""
        while (middle := self.middle(near, far)) is not None:
            point = self.solved(middle)
            if point is not None and point.solved.status == "infeasible":
                far = middle
            elif point is not None and point.answer != self.own:
                return self.judged(*self.closed(near, middle))
            else:
                near = middle
        return self.found("infeasible", near, far)

    def found(self, status: Status, near: float, far: float | None = None) -> Switch:
        words = ""
        margins: tuple[float | None, float | None] = (None, None)
        other = self.points[far].answer if far in self.points else None
        if other is not None and far is not None:
            plan = self.points[far].solved.plan
            assert plan is not None
            words = in_words(self.own, other, plan.given)
            if status in ("proved", "undecided"):
                margins = (self.near_margin(near, far), self.far_margin(far))
            elif status == "wide":
                known = (near, other, None) in self.held
                margins = (self.near_margin(near, far) if known else None, self.far_margin(far))
        return Switch(
            self.on.price.name, self.side, status, self.on.base, near, far,
            self.figure(near), self.figure(far), self.on.figure_key, *margins, words, self.tried,
        )  # fmt: skip

    @property
    def tried(self) -> tuple[Tried, ...]:
        """All that was solved, in order of size."""
        return tuple(
            Tried(s, None if p.answer is None else p.answer == self.own,
                  p.solved.value_musd, p.solved.bound_musd)
            for s, p in sorted(self.points.items())
        )  # fmt: skip

    def figure(self, setting: float | None) -> float | None:
        """The figure behind a factor."""
        if setting is None or self.on.figure is None:
            return None
        return self.on.figure * setting


def scale_of(price: Price, base: float) -> float:
    """What widths and steps of a price are relative to: its figure, else a tenth of its range."""
    figure = abs(base) if price.verb != "delta" else 0.0
    return figure or 0.1 * (price.most - price.least)


def step_share(ends: tuple[float, float], scale: float) -> float:
    """Width of a step, relative to the larger of its ends where that is more than the figure."""
    low, high = ends
    return abs(high - low) / max(abs(low), abs(high), scale)


def held(switch: Switch) -> list[float]:
    """Settings tried that have the instance's own answer, from it to the near side."""
    if switch.near is None:
        return []
    most = abs(switch.near - switch.base)
    stood = (one.setting for one in switch.tried
             if one.same is True and abs(one.setting - switch.base) <= most)  # fmt: skip
    return sorted(stood, key=lambda setting: abs(setting - switch.base))


def widest_step(switch: Switch) -> tuple[float, float] | None:
    """Settings between which nothing was tried for longest, of those that have the own answer."""
    scale = scale_of(BY_NAME[switch.price], switch.base)
    return max(pairwise(held(switch)), key=lambda ends: step_share(ends, scale), default=None)


def widest_share(switch: Switch) -> float | None:
    """Width of that step as a share of the figure; None where nothing but it was tried."""
    ends = widest_step(switch)
    return None if ends is None else step_share(ends, scale_of(BY_NAME[switch.price], switch.base))


def relative_width(switch: Switch) -> float | None:
    """Width of a bracket, relative to the figure; to its distance from nought for a shift."""
    if switch.near is None or switch.far is None or not math.isfinite(switch.far):
        return None
    return abs(switch.far - switch.near) / max(abs(switch.near), abs(switch.far), 1e-12)
