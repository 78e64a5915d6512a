"""One change at a time, as a list: what each setting of each axis makes of the base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import RenderableType

from optimizer.commands.sweeps.tables import (
    NOTHING,
    axis_heading,
    blocks,
    cell,
    figure_of,
    heading,
)  # fmt: skip
from optimizer.sweep.points import Json
from optimizer.sweep.rows.pivot import effective, has_plan, value_of
from optimizer.sweep.rows.records import Entry
from optimizer.sweep.rows.texts import setting


@dataclass(frozen=True)
class Change:
    """A case that differs from the base by one axis.

    Attributes
    ----------
    entry : Entry
        The case.
    axis : str
        The axis that is changed; empty for the base itself.
    setting : JSON
        What it is set to.
    """

    entry: Entry
    axis: str = ""
    setting: Json = None


def changes_in(entries: Sequence[Entry], base: Entry | None, column: str) -> list[Change]:
    """List changes, the base first, then the axis that moves a figure farthest from the base's.

    Settings of an axis stay in their order; axes that move nothing stay in theirs.
    """
    found = [
        Change(entry, axis, value)
        for entry in entries
        for axis, value in entry.point.settings.items()
    ]
    reach: dict[str, float] = {}
    for change in found:
        moved = difference(change.entry, base, column)
        reach[change.axis] = max(reach.get(change.axis, 0.0), abs(moved or 0.0))
    axes = sorted(reach, key=lambda axis: -reach[axis])
    found.sort(key=lambda change: axes.index(change.axis))
    alone = [Change(entry) for entry in entries if not entry.point.settings]
    return [*alone, *found]


def difference(entry: Entry, base: Entry | None, column: str) -> float | None:
    """What a case has in a column beyond the base; None where one of them has no such figure."""
    if base is None or not (has_plan(base) and has_plan(entry)) or effective(base, column):
        return None
    pair = [value_of(one, column) for one in (entry, base)]
    if not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in pair):
        return None
    return float(pair[0]) - float(pair[1])


def of_changes(
    changes: Sequence[Change], base: Entry | None, values: Sequence[str], width: int
) -> Iterator[RenderableType]:
    """Lay changes out: axis, setting, and each figure with its difference to the base."""
    beside = [
        ("case", [str(change.entry.point.number) for change in changes]),
        ("axis", [axis_heading(change.axis) if change.axis else "base" for change in changes]),
        ("set to", [setting(change.setting) if change.axis else NOTHING for change in changes]),
    ]
    across: list[tuple[str, list[str]]] = []
    for column in values:
        across.append((heading(column), [cell(change.entry, column) for change in changes]))
        apart = [difference(change.entry, base, column) for change in changes]
        if any(moved is not None for moved in apart):
            told = [_signed(column, c, moved) for c, moved in zip(changes, apart, strict=True)]
            across.append(("to base", told))
    yield from blocks(beside, across, width)


def _signed(column: str, change: Change, moved: float | None) -> str:
    if moved is None or not change.axis:
        return NOTHING
    return ("+" if moved > 0 else "") + figure_of(column, moved)
