"""Cases laid out by what their axes are set to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from optimizer.sweep.points import Json, canonical
from optimizer.sweep.rows.export import WAITING
from optimizer.sweep.rows.records import Entry

#: More settings than these are put together in bands, each with as many cases as the others.
MOST_SETTINGS, BANDS = 12, 8
_ANSWERS = ("status", "value_musd", "bound_musd", "gap", "message")
_RUN = ("cpu_seconds", "solver_seconds")
#: Word of a verdict that lies inside the gap.
UNDECIDED = "undecided"


@dataclass(frozen=True)
class Band:
    """Settings of an axis from one number to another, both among them."""

    first: float
    last: float


@dataclass(frozen=True)
class Laid:
    """The settings of one axis, in order, and which of them a case has.

    Attributes
    ----------
    axis : str
        Its name.
    settings : tuple
        Values, or bands of them.
    """

    axis: str
    settings: tuple[Any, ...]

    def place(self, entry: Entry) -> int:
        """Say which of the settings a case has."""
        value: Any = entry.point.settings.get(self.axis)
        if self.settings and isinstance(self.settings[0], Band):
            return next(i for i, band in enumerate(self.settings) if float(value) <= band.last)
        return self._places[canonical(value)]

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {canonical(value): place for place, value in enumerate(self.settings)}


def laid_out(axis: str, entries: Iterable[Entry]) -> Laid:
    """Find the settings of an axis: as they come, or in bands where they are many numbers."""
    held: dict[str, Json] = {}
    numbers: list[float] = []
    for entry in entries:
        value = entry.point.settings.get(axis)
        held.setdefault(canonical(value), value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            numbers.append(float(value))
    if len(held) <= MOST_SETTINGS or len(set(numbers)) < len(held):
        return Laid(axis, tuple(held.values()))
    return Laid(axis, _bands(sorted(numbers)))


def _bands(numbers: Sequence[float]) -> tuple[Band, ...]:
    """Cut sorted numbers into bands of as many each; equal numbers stay together."""
    ends = [round(len(numbers) * k / BANDS) for k in range(BANDS + 1)]
    found: list[Band] = []
    for first, after in pairwise(ends):
        if after > first and (not found or numbers[after - 1] > found[-1].last):
            least = next(n for n in numbers[first:after] if not found or n > found[-1].last)
            found.append(Band(least, numbers[after - 1]))
    return tuple(found)


def value_of(entry: Entry, column: str) -> Json:
    """Give what a case has in a column of the export; None where it has nothing."""
    row = entry.row
    if row is None:
        return WAITING if column == "status" else None
    return getattr(row, column) if column in (*_ANSWERS, *_RUN) else row.metrics.get(column)


def columns_of(entries: Iterable[Entry]) -> list[str]:
    """Name all columns that a table can show."""
    found = dict.fromkeys((*_ANSWERS, *_RUN))
    for entry in entries:
        found |= dict.fromkeys(entry.row.metrics if entry.row else ())
    return list(found)


def is_undecided(entry: Entry, column: str) -> bool:
    """Whether the gap leaves open what a figure of a case is there to decide.

    A value decides whether the plan beats doing nothing; a regret, whether a plan is the best.
    """
    verdict = "beats_nothing"
    if column in ("regret_musd", "regret_at_most_musd", "plan_value_musd"):
        verdict = "plan_is_best"
    elif column not in ("value_musd", "over_nothing_musd"):
        return False
    return entry.row is not None and entry.row.metrics.get(verdict) == UNDECIDED
