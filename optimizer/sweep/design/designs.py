"""Designs: from the axes of a sweep and its base to points.

Every key, type and range is checked here, before anything is solved. What only shows when several
keys are looked at together, as a promise above what its credits allow, shows when the point is
read, and is told in its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from math import prod
from typing import Any

from optimizer.errors import InputRefused, Problem, Report
from optimizer.keys import Key
from optimizer.sweep.design.cases import effects_of_cases, levers_of_columns
from optimizer.sweep.design.draws import drawn, shares
from optimizer.sweep.design.file import settings_of
from optimizer.sweep.design.format import Limits, Wrong, gravest, held_values
from optimizer.sweep.design.levers import CASES, NOTHING, Bench, Effect, Lever
from optimizer.sweep.design.spec import Axis, Listed, Sweep
from optimizer.sweep.design.wish import MOST_POINTS, Range
from optimizer.sweep.points import Held, Json, Point
from optimizer.sweep.rows.texts import settings

#: What each axis is set to; None where it stays as the base has it.
Row = Mapping[str, Effect]


@dataclass(frozen=True)
class Expansion:
    """The points of a sweep, and what is to be known about them.

    Attributes
    ----------
    points : tuple of Point
        In the order of the design. Cases that come to the same are one point, but for rows of a
        file of cases, each of which somebody typed and looks for.
    warnings : tuple of Problem
        What is doubtful.
    held : Held
        What the base holds where points change it.
    alike : int
        How many points come to the same as an earlier one, and have its answer.
    """

    points: tuple[Point, ...]
    warnings: tuple[Problem, ...] = ()
    held: Held = field(default_factory=Held)
    alike: int = 0

    @property
    def times(self) -> dict[int, int]:
        """How often the design has a point, by its number, where that is more than once."""
        return {point.number: point.times for point in self.points if point.times > 1}


def points_of(sweep: Sweep, document: Mapping[str, Any]) -> tuple[Point, ...]:
    """Turn a sweep into its points.

    Parameters
    ----------
    sweep : Sweep
        The sweep file.
    document : mapping
        Complete document of its base, as :func:`optimizer.sweep.base.document_of` gives it.

    Returns
    -------
    tuple of Point
        In the order of the design, as in :class:`Expansion`.

    Raises
    ------
    InputRefused
        With every key that is not there, and every value that cannot stand under its key.
    """
    return expanded(sweep, document).points


def expanded(sweep: Sweep, document: Mapping[str, Any]) -> Expansion:
    """Turn a sweep into its points, as :func:`points_of`, and say what is doubtful."""
    return _Expander(sweep, document).run()


def axis_problems(sweep: Sweep, document: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Tell what is wrong with the axes that could be read of a sweep file that is refused anyway.

    So a key that the base lacks, or a value beyond its range, need not wait until the rest of the
    file is mended.
    """
    return _Expander(sweep, document).examined()


@dataclass
class _Expander:
    sweep: Sweep
    document: Mapping[str, Any]
    problems: Report = field(default_factory=Report)

    def run(self) -> Expansion:
        bench = Bench(self.sweep, self.document, Limits(self.document), self._complain)
        found = [bench.lever(axis) for axis in self.sweep.axes]
        levers = [lever for lever in found if lever is not None]
        if self.sweep.design == "csv":
            levers += levers_of_columns(self.sweep, bench)
        bench.refuse_lacking(levers)
        bench.refuse_shared(levers)
        rows = [] if self._are_many() else self._rows(levers)
        self._stop_if_refused()
        return self._numbered(rows, _held(levers))

    def examined(self) -> tuple[Problem, ...]:
        """Look at each axis by itself, as far as its settings are typed."""
        bench = Bench(self.sweep, self.document, Limits(self.document), self._complain)
        found = [bench.lever(axis) for axis in self.sweep.axes]
        self._typed([lever for lever in found if lever is not None and _is_typed(lever.axis)])
        return self.problems.sorted((self.sweep.places.root.file,))

    def _complain(
        self, at: Key, message: str, found: str = "", allowed: str = "", hint: str = "",
    ) -> None:  # fmt: skip
        if at[0] == CASES:
            file, column = self.sweep.cases_file, str(at[1])
            self.problems.add(Problem(message, file, 1, column, found, allowed, hint))
        else:
            self.problems.add(self.sweep.problem(at, message, found, allowed, hint))

    def _stop_if_refused(self) -> None:
        if self.problems.refused():
            raise InputRefused(self.problems.sorted((self.sweep.places.root.file,)))

    def _are_many(self) -> bool:
        """Refuse a design of more points than a sweep may have, before any is made."""
        lengths = [len(settings_of(a)) for a in self.sweep.axes] if not self.sweep.is_drawn else []
        number = 1 + sum(lengths) if self.sweep.design == "one_at_a_time" else prod(lengths)
        if self.sweep.design in ("grid", "one_at_a_time") and number > MOST_POINTS:
            message = "the design has too many points"
            found, allowed = f"{number:,}", f"at most {MOST_POINTS:,}"
            hint = "take fewer values, or a design that draws"
            self._complain(("sweep", "design"), message, found, allowed, hint)
            return True
        return False

    # --- rows ------------------------------------------------------------------------------

    def _rows(self, levers: Sequence[Lever]) -> Iterable[Row]:
        if self.sweep.design == "csv":
            return effects_of_cases(self.sweep, levers, self.problems)
        effects = self._drawn(levers) if self.sweep.is_drawn else self._typed(levers)
        if self.problems.refused():
            return []
        names = [lever.axis.name for lever in levers]
        if self.sweep.design == "one_at_a_time":
            return self._one_at_a_time(names, effects)
        if not effects:
            return [{}]
        if self.sweep.design == "grid":
            return (dict(zip(names, row, strict=True)) for row in product(*effects))
        return (dict(zip(names, row, strict=True)) for row in zip(*effects, strict=True))

    def _one_at_a_time(
        self, names: Sequence[str], effects: Sequence[Sequence[Effect]]
    ) -> Iterator[Row]:
        yield {}
        for name, of_axis in zip(names, effects, strict=True):
            for effect in of_axis:
                yield {name: effect}

    def _typed(self, levers: Sequence[Lever]) -> list[list[Effect]]:
        """Work out every setting that was typed."""
        found: list[list[Effect]] = []
        for lever in levers:
            axis, settings = lever.axis, settings_of(lever.axis)
            if not isinstance(axis.choices, Listed):
                found.append(self._told_once(lever, settings))
                continue
            tells = (partial(self._tell, (*axis.at, place)) for place in range(len(settings)))
            effects = [lever.effect(s, tell) for s, tell in zip(settings, tells, strict=True)]
            found.append([effect for effect in effects if effect is not None])
        return found

    def _drawn(self, levers: Sequence[Lever]) -> list[list[Effect]]:
        """Draw the settings of every axis, and work them out."""
        sweep = self.sweep
        if not levers:
            return []
        names = [axis.name for axis in sweep.axes]
        spread = shares(sweep.design, names, sweep.samples, sweep.seed, sweep.correlations)
        found: list[list[Effect]] = []
        for lever in levers:
            assert lever.axis.choices is not None
            settings = drawn(lever.axis.choices, spread[:, names.index(lever.axis.name)])
            found.append(self._told_once(lever, settings))
        return found

    def _told_once(self, lever: Lever, settings: Sequence[Json]) -> list[Effect]:
        """Work out settings that no one typed; what is wrong is told once, by the gravest."""
        wrong: list[Wrong] = []
        effects: list[Effect] = []
        for setting in settings:
            effect = lever.effect(setting, wrong.append)
            effects += [effect] if effect is not None else []
        if wrong:
            first, rest = gravest(wrong)[0], len(gravest(wrong)) - 1
            also = f", and {rest:,} more of {len(settings):,}" if rest else ""
            law = type(lever.axis.choices).__name__
            hint = first.hint
            if law in ("Normal", "Lognormal"):
                hint = "cut the law by least and most" + (f"; {hint}" if hint else "")
            self._tell(
                lever.axis.at, Wrong(first.message, first.found + also, first.allowed, hint)
            )
        return effects

    def _tell(self, at: Key, wrong: Wrong) -> None:
        self._complain(at, wrong.message, wrong.found, wrong.allowed, wrong.hint)

    # --- points ----------------------------------------------------------------------------

    def _numbered(self, rows: Iterable[Row], held: Held) -> Expansion:
        """Number the rows, and let those that come to the same be one point.

        Rows of a file of cases stay apart, each under its own number and label.
        """
        apart = self.sweep.design == "csv"
        points: list[Point] = []
        numbers: dict[frozenset[str], int] = {}
        times: Counter[int] = Counter()
        for row in rows:
            sign = frozenset(effect.sign for effect in row.values() if effect.sign != NOTHING)
            number = numbers.setdefault(sign, len(points))
            times[number] += 1
            if apart or times[number] == 1:
                points.append(_point(len(points), row))
        warnings = self._told(points, times)
        if apart:
            return Expansion(tuple(points), warnings, held, len(points) - len(numbers))
        for number, often in times.items():
            if often > 1:
                points[number] = replace(points[number], times=often)
        return Expansion(tuple(points), warnings, held)

    def _told(self, points: Sequence[Point], times: Mapping[int, int]) -> tuple[Problem, ...]:
        merged = sum(times.values()) - len(times)
        if merged:
            first = points[min(number for number, often in times.items() if often > 1)]
            found = f"as {settings(first.settings)}"
            cases = "case comes" if merged == 1 else "cases come"
            message = f"{merged:,} {cases} to the same as an earlier one, and are solved once"
            told = self.sweep.problem(("sweep", "design"), message, found)
            self.problems.add(_as_warning(told))
        return (*self.sweep.warnings, *self.problems.sorted((self.sweep.places.root.file,)))


def _is_typed(axis: Axis) -> bool:
    """Whether the settings of an axis stand in the file, whatever the design."""
    choices = axis.choices
    counted = isinstance(choices, Range) and bool(choices.count or choices.step)
    return counted or isinstance(choices, Listed)


def _as_warning(problem: Problem) -> Problem:
    return Problem(problem.message, problem.file, problem.line, problem.key, problem.found,
                   problem.allowed, problem.hint, "warning")  # fmt: skip


def _held(levers: Sequence[Lever]) -> Held:
    """Give what the base holds where the axes change it."""
    prices = {site: file for lever in levers for site, file in lever.own.items()}
    return Held(held_values(target for lever in levers for target in lever.targets), prices)


def _point(number: int, row: Row) -> Point:
    settings = {name: effect.setting for name, effect in row.items()}
    changes: dict[str, Json] = {}
    prices: dict[str, str] = {}
    for effect in row.values():
        changes |= effect.changes
        prices |= effect.prices
    return Point(number, settings, changes, prices)
