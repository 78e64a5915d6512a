"""Cases laid out by what their axes are set to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from optimizer.sweep.points import Held, Json, canonical
from optimizer.sweep.rows.export import PRICES, TIMES, WAITING
from optimizer.sweep.rows.records import Entry

#: More settings than these are put together in bands, each with as many cases as the others.
MOST_SETTINGS, BANDS = 12, 8
_ANSWERS = ("status", "value_musd", "bound_musd", "gap", "message")
#: What cases took, whether they have a plan or not.
RUN = ("cpu_seconds", "solver_seconds")
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


def laid_out(axis: str, entries: Iterable[Entry], typed: Sequence[Json] | None = None) -> Laid:
    """Find the settings of an axis, in order, or in bands where they are many numbers.

    Parameters
    ----------
    axis : str
        Its name.
    entries : iterable of Entry
        The cases.
    typed : sequence of JSON, optional
        Of cases that were drawn: settings as they were typed, where they were. Numbers are put in
        the order of their size, others in this one. Absent: in the order of the cases.
    """
    held: dict[str, Json] = {}
    numbers: list[float] = []
    for entry in entries:
        value = entry.point.settings.get(axis)
        held.setdefault(canonical(value), value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            numbers += [float(value)] * entry.point.times
    are_numbers = len(set(numbers)) == len(held)
    if len(held) > MOST_SETTINGS and are_numbers:
        return Laid(axis, _bands(sorted(numbers)))
    settings = list(held.values())
    if typed is not None and are_numbers:
        settings.sort()
    elif typed is not None:
        order = {canonical(value): place for place, value in enumerate(typed)}
        settings.sort(key=lambda value: order.get(canonical(value), len(order)))
    return Laid(axis, tuple(settings))


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
    """Give what a case has in a column of the export; None where it has nothing.

    What is in effect stands in its changes once :func:`in_effect` put it there.
    """
    row, point = entry.row, entry.point
    if column == TIMES:
        return point.times
    if column in (*_ANSWERS, *RUN):
        return getattr(row, column) if row else WAITING if column == "status" else None
    if row is not None and column in row.metrics:
        return row.metrics[column]
    return effective(entry, column)


def effective(entry: Entry, column: str) -> Json:
    """Give the value of a key, or the price file of a site, under the column of the export."""
    if column in entry.point.changes:
        return entry.point.changes[column]
    if column.startswith(PRICES):
        return entry.point.prices.get(column.removeprefix(PRICES))
    return None


def in_effect(entries: Sequence[Entry], held: Held) -> list[Entry]:
    """Complete what cases change by what the base holds under the keys of the axes."""
    return [
        replace(entry, point=replace(
            entry.point, changes={**held.by_key, **entry.point.changes},
            prices={**held.prices, **entry.point.prices},
        ))
        for entry in entries
    ]  # fmt: skip


def columns_of(entries: Iterable[Entry]) -> list[str]:
    """Name all columns that a table can show."""
    found = dict.fromkeys((TIMES, *_ANSWERS, *RUN))
    changed: dict[str, None] = {}
    for entry in entries:
        found |= dict.fromkeys(entry.row.metrics if entry.row else ())
        changed |= dict.fromkeys(entry.point.changes)
        changed |= dict.fromkeys(f"{PRICES}{site}" for site in entry.point.prices)
    return list(found | changed)


def has_plan(entry: Entry) -> bool:
    """Whether a case has a plan that passed its audit."""
    return entry.row is not None and entry.row.status in ("solved", "best-found")


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
