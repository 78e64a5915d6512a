"""Warnings that single cases have and their base has not, told before anything is solved.

A row says why a case has no plan, and nothing of what is doubtful about one that has. So cases are
read as the folders that they stand for. Nothing of it is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from threading import Event

from optimizer.errors import Problem
from optimizer.keys import Key, Place
from optimizer.sweep.base import Read
from optimizer.sweep.design.keys import changed, parts_of
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.points import Point, canonical
from optimizer.sweep.rows.texts import settings

#: Of more cases than this, some are read: all settings of all axes among them, as far as may be.
MOST_READ = 1000


def doubts(
    sweep: Sweep, read: Read, points: Sequence[Point], stop: Event | None = None
) -> tuple[Problem, ...]:
    """Find what is doubtful about single cases.

    Parameters
    ----------
    sweep : Sweep
        The sweep file.
    read : Read
        Its base, whose own warnings are left out.
    points : sequence of Point
        Its cases.
    stop : Event, optional
        Ends it.

    Returns
    -------
    tuple of Problem
        Each warning once, with the number of cases that have it and the first of them.
    """
    found: dict[tuple[str, str], _Doubt] = {}
    own = {_sign(problem) for problem in read.loaded.warnings}
    chosen = _chosen(points)
    for point in chosen:
        if stop is not None and stop.is_set():
            break
        for problem in {_sign(p): p for p in _of(sweep, read, point)}.values():
            if _sign(problem) not in own:
                found.setdefault(_sign(problem), _Doubt(problem, point)).cases += 1
    whole = f"{len(chosen):,} cases" + ("" if len(chosen) == len(points) else " looked at")
    return tuple(doubt.told(whole) for doubt in found.values())


@dataclass
class _Doubt:
    """A warning, the first case that has it, and how many have."""

    problem: Problem
    first: Point
    cases: int = 0

    def told(self, whole: str) -> Problem:
        """Tell it."""
        first = f"the first is case {self.first.number}: {settings(self.first.settings)}"
        message = f"{self.problem.message} (in {self.cases:,} of {whole}; {first})"
        return replace(self.problem, message=message)


def _sign(problem: Problem) -> tuple[str, str]:
    """What a warning is the same by: figures in it may differ from case to case."""
    return problem.key, problem.message


def _chosen(points: Sequence[Point]) -> list[Point]:
    """Choose cases to read: the first of each setting, and others at even distances."""
    if len(points) <= MOST_READ:
        return list(points)
    spread = points[:: math.ceil(len(points) / MOST_READ)]
    chosen = {point.number: point for point in (*_firsts(points), *spread)}
    return [chosen[number] for number in sorted(chosen)]


def _firsts(points: Sequence[Point]) -> Iterator[Point]:
    """Find the first case of each setting; of an axis with very many, those of some."""
    firsts: dict[str, dict[str, Point]] = {a: {} for point in points for a in point.settings}
    most = MOST_READ // max(1, len(firsts))
    for point in points:
        for axis, setting in point.settings.items():
            if len(firsts[axis]) < most:
                firsts[axis].setdefault(canonical(setting), point)
    for found in firsts.values():
        yield from found.values()


def _of(sweep: Sweep, read: Read, point: Point) -> Iterator[Problem]:
    """Walk the warnings of a case, read as a folder of its own would be."""
    document = changed(read.document, point.changes)
    prices = {site: sweep.files[name] for site, name in point.prices.items()}
    here = Place(sweep.file.name)
    typed: Mapping[Key, Place] = {parts_of(read.document, text): here for text in point.changes}
    plain = not prices and all(map(_is_figure, point.changes.items()))
    hours = read.loaded.hours if plain else None
    document = document if plain else deepcopy(document)
    yield from (
        problem
        for problem in read.reading.doubts(document, prices, hours, renamed=not plain, typed=typed)
        if problem.severity == "warning"
    )


def _is_figure(change: tuple[str, object]) -> bool:
    """Whether a change leaves names and hours as they are."""
    key, value = change
    hourly = key.partition(".")[0] in ("power", "currencies")
    return isinstance(value, (bool, int, float)) and not hourly
