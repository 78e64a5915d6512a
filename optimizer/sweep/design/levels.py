"""Fronts as designs: every case of the axes once at each level of the aim beside value.

Which points a front has is known before the first of them is solved: a level is a bound under a
key of the instance. So a front is run, resumed and exported as any other sweep.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from optimizer.errors import InputRefused, Problem, Report
from optimizer.sweep.design.designs import Expansion, expanded
from optimizer.sweep.design.exact import fraction
from optimizer.sweep.design.format import Limits, Wrong, held_values, normal
from optimizer.sweep.design.keys import ABSENT, Found, find
from optimizer.sweep.design.measures import bounded
from optimizer.sweep.design.spec import Pareto, Sweep
from optimizer.sweep.design.wish import MOST_POINTS
from optimizer.sweep.points import Json, Point


@dataclass(frozen=True)
class Ends:
    """First and last level of a front, the smaller first."""

    first: float
    last: float


def needs_ends(sweep: Sweep) -> bool:
    """Whether the levels of a sweep's front hang on plans of its base."""
    return sweep.pareto is not None and sweep.pareto.ends is None


def front_cases(sweep: Sweep, document: Mapping[str, Any]) -> Expansion:
    """Give the cases of a sweep, each of which has a front, and refuse a front that cannot be.

    All that can be judged without a plan of the base is judged here, before anything is solved.

    Raises
    ------
    InputRefused
        As :func:`front_points`.
    """
    try:
        cases = expanded(sweep, document)
    except InputRefused as refused:
        raise InputRefused((*refused.problems, *_of_front(sweep, document))) from refused
    if sweep.pareto is not None:
        _Front(sweep, sweep.pareto, document, cases).check()
    return cases


def _of_front(sweep: Sweep, document: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Tell what is wrong with a front, whatever its cases."""
    if sweep.pareto is None:
        return ()
    try:
        _Front(sweep, sweep.pareto, document, Expansion(())).check()
    except InputRefused as refused:
        return refused.problems
    return ()


def front_points(sweep: Sweep, document: Mapping[str, Any], ends: Ends | None = None) -> Expansion:
    """Turn a sweep into its points, a front in every case of its axes.

    Parameters
    ----------
    sweep : Sweep
        The sweep file; without a front it has the points of :func:`expanded`.
    document : mapping
        Complete document of its base.
    ends : Ends, optional
        Ends of the front that the base gives, where the file does not (:func:`needs_ends`), from
        :func:`optimizer.sweep.point.ends.ends_of`. Call :func:`front_cases` before, so that a
        front that cannot be is refused before the base is solved.

    Returns
    -------
    Expansion
        Points case by case, the level fastest.

    Raises
    ------
    InputRefused
        As :func:`expanded`; where the base has nothing to bound, a level cannot stand under its
        key, or an axis changes that key too.
    """
    cases = expanded(sweep, document)
    if sweep.pareto is None:
        return cases
    return _Front(sweep, sweep.pareto, document, cases).run(ends)


def points_in(sweep: Sweep, cases: Expansion) -> int:
    """How many points a sweep has at most, before the levels of its front are known."""
    return len(cases.points) * (sweep.pareto.points if sweep.pareto else 1)


def levels(pareto: Pareto, ends: Ends) -> list[float]:
    """Levels of a front, both ends among them, as they would be typed.

    Those of an availability lie at even ratios of the downtime that is left.

    Examples
    --------
    >>> from optimizer.sweep.design.spec import Aim
    >>> levels(Pareto(Aim("capex", "minimise"), 4), Ends(0.0, 300.0))
    [0.0, 100.0, 200.0, 300.0]
    >>> levels(Pareto(Aim("uptime", "maximise"), 3), Ends(0.99, 0.9999))
    [0.99, 0.999, 0.9999]
    """
    if ends.first >= ends.last:
        return [float(ends.last)]
    shares = [Fraction(place, pareto.points - 1) for place in range(pareto.points)]
    if pareto.second.measure == "uptime" and ends.last < 1.0:
        down, least = 1.0 - ends.first, 1.0 - ends.last
        inner = [1.0 - down * (least / down) ** float(share) for share in shares[1:-1]]
    else:
        first, last = fraction(ends.first), fraction(ends.last)
        inner = [float(first + share * (last - first)) for share in shares[1:-1]]
    digits = bounded(pareto.second).digits
    found = [ends.first, *(round(level, digits) for level in inner), ends.last]
    return sorted({float(level) for level in found if ends.first <= level <= ends.last})


@dataclass
class _Front:
    """Puts the levels of a front into every case."""

    sweep: Sweep
    pareto: Pareto
    document: Mapping[str, Any]
    cases: Expansion
    problems: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self.measure = bounded(self.pareto.second)
        self.targets = self._targets()

    def check(self) -> None:
        """Refuse what is wrong, whatever the levels of the base."""
        self._refuse_taken()
        self._refuse_many()
        if self.pareto.ends is not None:
            self._refuse_wrong(Ends(*self.pareto.ends))
        if self.problems.refused():
            raise InputRefused(self.problems.sorted((self.sweep.places.root.file,)))

    def run(self, ends: Ends | None) -> Expansion:
        """Put every level into every case."""
        self.check()
        if self.pareto.ends is not None:
            ends = Ends(*self.pareto.ends)
        if ends is None:
            raise ValueError("the ends of this front hang on its base: see needs_ends")
        found = self._bounds(ends)
        points = tuple(self._points(found))
        by_key = {**self.cases.held.by_key, **held_values(self.targets)}
        held = replace(self.cases.held, by_key=by_key)
        alike = self.cases.alike * len(found)
        return replace(self.cases, points=points, held=held, alike=alike)

    def _complain(self, key: str, wrong: Wrong) -> None:
        at = ("pareto", key) if key else ("pareto",)
        told = self.sweep.problem(at, wrong.message, wrong.found, wrong.allowed, wrong.hint)
        self.problems.add(told)

    # --- what is bounded -------------------------------------------------------------------

    def _targets(self) -> list[Found]:
        """Find the keys of the base that bound the measure."""
        found, _ = find(self.document, self.measure.key)
        if self.pareto.second.measure == "carbon":
            found = [target for target in found if not target.lacks and self._has_carbon(target)]
        if self.pareto.second.measure == "uptime":
            owed = self.document.get("commitments", {}).get("contracts", ())
            signed = {contract["contract"] for contract in owed}
            found = [target for target in found if target.key[1] not in signed]
        if not found:
            lacking = {
                "carbon": "no block of power of the base says what carbon its energy holds",
                "uptime": "the base has no contract that could promise more",
            }
            self._complain("", Wrong(lacking[self.pareto.second.measure]))
        return found

    def _has_carbon(self, target: Found) -> bool:
        return "carbon" in self.document["power"][target.key[1]]

    def _refuse_taken(self) -> None:
        """Refuse axes that change what the front bounds, or are called as its level."""
        keys = {target.text for target in self.targets}
        changed = {key for point in self.cases.points for key in point.changes}
        for key in sorted(keys & changed):
            message = f"an axis changes {key}, which the front bounds"
            self._complain("", Wrong(message, hint="take the axis out, or the front"))
        if any(self.measure.label in point.settings for point in self.cases.points):
            message = f"an axis is called {self.measure.label}, as the levels of the front are"
            self._complain("", Wrong(message, hint="give the axis another name"))

    def _refuse_many(self) -> None:
        number = points_in(self.sweep, self.cases)
        if number > MOST_POINTS:
            message = "the front has too many points in all cases together"
            self._complain("points", Wrong(message, f"{number:,}", f"at most {MOST_POINTS:,}"))

    def _refuse_wrong(self, ends: Ends) -> None:
        limits = Limits(self.document)
        for key, level in (("from", ends.first), ("to", ends.last)):
            wrong = next(
                (w for target in self.targets if (w := limits.wrong(target, level))), None
            )
            if wrong is not None:
                self._complain(key, wrong)

    # --- points ----------------------------------------------------------------------------

    def _points(self, found: Mapping[float, Mapping[str, Json]]) -> Iterator[Point]:
        for case in self.cases.points:
            for place, (level, changes) in enumerate(found.items()):
                yield replace(
                    case,
                    number=case.number * len(found) + place,
                    settings={**case.settings, self.measure.label: level},
                    changes={**case.changes, **changes},
                )

    def _bounds(self, ends: Ends) -> dict[float, dict[str, Json]]:
        """What is changed at each level; levels that come to the same are one."""
        found: dict[float, dict[str, Json]] = {}
        for level in self._within(levels(self.pareto, ends)):
            changes = self._changes(level)
            if changes not in found.values():
                found[level] = changes
        return found

    def _within(self, found: list[float]) -> list[float]:
        """Name levels that the base gives and does not reach by the bound of its own."""
        if self.pareto.ends is not None or len(self.targets) != 1:
            return found
        base = self.targets[0].base
        own = None if base is ABSENT else float(base)
        return sorted({self.measure.tighter(level, own) for level in found})

    def _changes(self, level: float) -> dict[str, Json]:
        """Bound the measure at a level; a key that the base holds stricter stays.

        What is typed stands, but for promises: none is ever lowered.
        """
        loosens = self.pareto.ends is not None and self.pareto.second.measure != "uptime"
        changes: dict[str, Json] = {}
        for target in self.targets:
            own = None if target.base is ABSENT else float(target.base)
            value = level if loosens else self.measure.tighter(level, own)
            if own is None or value != own:
                changes[target.text] = normal(target.kind, value)
        return changes


def outward(value: float, *, up: bool, figures: int = 3) -> float:
    """Round a level up or down to three figures, so that the plan that gave it stays within.

    Examples
    --------
    >>> outward(559.989, up=True), outward(12.3412, up=False), outward(0.0, up=True)
    (560.0, 12.3, 0.0)
    >>> outward(-0.98765, up=False)
    -0.988
    """
    if not value:
        return 0.0
    step = 10.0 ** (figures - 1 - math.floor(math.log10(abs(value))))
    # A last digit of arithmetic is no reason to go on to the next step.
    near = round(value * step, 6)
    return (math.ceil(near) if up else math.floor(near)) / step
