"""Tables of a sweep for a terminal: of two axes, of one, or case by case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from optimizer.commands.sweeps.kept import setting
from optimizer.screen.grids import grid
from optimizer.sweep.figures import meaning_of
from optimizer.sweep.pivot import Band, Laid, is_undecided, value_of
from optimizer.sweep.points import MEANINGS, Json
from optimizer.sweep.records import Entry
from optimizer.words import counted, figure

#: Shows that a case of the design is not there, or that it has no such figure.
NOTHING = "·"
#: Behind a figure whose verdict the gap leaves open, and behind a plan that was not finished.
OPEN, EARLY = "?", "~"
#: Statuses in the width of a figure.
SHORT = {
    "worker_died": "died", "audit-failed": "rejected", "infeasible": "infeas.",
    "unbounded": "unbound.", "waiting": "waiting",
}  # fmt: skip
#: Width of a column and of what stands to the left of them.
_COLUMN, _LABEL = 10, 16


def heading(column: str) -> str:
    """Name a column with its unit.

    Examples
    --------
    >>> heading("value_musd"), heading("ai_last_it_mw.pecos"), heading("status")
    ('value, M$', 'AI last, MW, pecos', 'status')
    """
    name, _, whose = column.partition(".")
    words, unit = name, ""
    for ending, told in (("_musd", "M$"), ("_it_mw", "MW"), ("_mw", "MW"), ("_seconds", "s")):
        if words.endswith(ending):
            words, unit = words.removesuffix(ending), told
    words = " ".join("AI" if word == "ai" else word for word in words.split("_"))
    return ", ".join(filter(None, (words, unit, whose)))


def cell(entry: Entry, column: str) -> str:
    """Write what a case has in a column; its status where it has no plan."""
    status = str(value_of(entry, "status"))
    value = value_of(entry, column)
    if column != "status" and value is None and (entry.row is None or not entry.row.metrics):
        return SHORT.get(status, status)
    mark = OPEN if is_undecided(entry, column) else ""
    early = EARLY if status == "best-found" and column == "value_musd" else ""
    return figure_of(column, value) + mark + early


def figure_of(column: str, value: Json) -> str:
    """Write a figure of a column.

    Examples
    --------
    >>> [figure_of(*pair) for pair in (("value_musd", 412.34), ("gap", 0.00012), ("n", None))]
    ['412.3', '0.012 %', '·']
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return str(value).replace("_", " ")
    if column == "gap":
        return f"{100 * value:.3f} %"
    if column.partition(".")[0].endswith("_share"):
        return f"{100 * value:.1f} %"
    return figure(float(value))


# --- two axes ------------------------------------------------------------------------------


def of_two(
    rows: Laid, columns: Laid, entries: Sequence[Entry], column: str, width: int
) -> Iterator[RenderableType]:
    """Lay out one figure by two axes; what is too wide goes on below."""
    cells: dict[tuple[int, int], list[Entry]] = {}
    for entry in entries:
        cells.setdefault((rows.place(entry), columns.place(entry)), []).append(entry)
    most = max(2, (width - _LABEL) // _COLUMN)
    for first in range(0, len(columns.settings), most):
        across = range(first, min(first + most, len(columns.settings)))
        table = grid((f"{rows.axis} ↓  {columns.axis} →", "date"),
                     *((label(columns.settings[j]), "figure") for j in across))  # fmt: skip
        for i, value in enumerate(rows.settings):
            shown = (_joint(cells.get((i, j), []), column) for j in across)
            table.add_row(Text(label(value), "dim"), *shown)
        yield table
    if any(len(held) > 1 for held in cells.values()):
        yield Text("several cases to a cell: their mean", "dim")


def _joint(held: Sequence[Entry], column: str) -> str:
    """Write the cell of several cases: the mean of their figures."""
    if not held:
        return NOTHING
    if len(held) == 1:
        return cell(held[0], column)
    numbers = _numbers(held, column)
    if numbers:
        mark = OPEN if any(is_undecided(entry, column) for entry in held) else ""
        return figure_of(column, fmean(numbers)) + mark
    said = Counter(cell(entry, column) for entry in held)
    return said.most_common(1)[0][0]


def label(value: Any) -> str:
    """Write a setting, or a band of them."""
    if isinstance(value, Band):
        return f"{setting(float(f'{value.first:.4g}'))} to {setting(float(f'{value.last:.4g}'))}"
    return setting(value)


def _numbers(entries: Sequence[Entry], column: str) -> list[float]:
    found = (value_of(entry, column) for entry in entries)
    return [float(n) for n in found if isinstance(n, (int, float)) and not isinstance(n, bool)]


# --- one axis ------------------------------------------------------------------------------


def of_one(
    laid: Laid, entries: Sequence[Entry], values: Sequence[str]
) -> Iterator[RenderableType]:
    """Lay out figures by one axis: those of the case, or what those of several lie between."""
    groups: list[list[Entry]] = [[] for _ in laid.settings]
    for entry in entries:
        groups[laid.place(entry)].append(entry)
    yield Text("")
    if any(len(group) > 1 for group in groups):
        for column in values:
            if any(_numbers(group, column) for group in groups):
                yield _of_several(laid, groups, column)
        return
    table = grid((laid.axis, "date"), *((heading(value), "figure") for value in values))
    for value, group in zip(laid.settings, groups, strict=True):
        shown = [cell(group[0], column) for column in values] if group else []
        table.add_row(Text(label(value), "dim"), *shown)
    yield table


def _of_several(laid: Laid, groups: Sequence[Sequence[Entry]], column: str) -> Table:
    table = grid((laid.axis, "date"), ("cases", "figure"), ("no plan", "figure"),
                 (f"least {heading(column)}", "figure"), ("mean", "figure"),
                 ("most", "figure"))  # fmt: skip
    for value, group in zip(laid.settings, groups, strict=True):
        numbers = _numbers(group, column)
        shown = [figure_of(column, n) for n in (min(numbers), fmean(numbers), max(numbers))
                 ] if numbers else [NOTHING] * 3  # fmt: skip
        lacking = len(group) - len(numbers)
        table.add_row(Text(label(value), "dim"), str(len(group)),
                      str(lacking) if lacking else NOTHING, *shown)  # fmt: skip
    return table


# --- case by case --------------------------------------------------------------------------


def of_cases(axes: Sequence[str], entries: Sequence[Entry], values: Sequence[str]) -> Table:
    """Lay out cases one by one: what their axes are set to, and some figures."""
    table = grid(("case", "figure"), *((axis, "date") for axis in axes),
                 *((heading(value), "figure") for value in values))  # fmt: skip
    for entry in entries:
        held = entry.point.settings
        told = [setting(held[axis]) if axis in held else NOTHING for axis in axes]
        table.add_row(str(entry.point.number), *told,
                      *(cell(entry, column) for column in values))  # fmt: skip
    return table


# --- what the marks mean -------------------------------------------------------------------


def told(entries: Sequence[Entry], values: Sequence[str]) -> Iterator[Text]:
    """Say what marks and words mean that stand in these tables, and how many cases wait."""
    if any(is_undecided(entry, column) for entry in entries for column in values):
        yield Text(f"{OPEN} the gap leaves open whether it beats doing nothing", "dim")
    statuses = Counter(str(value_of(entry, "status")) for entry in entries)
    if statuses["best-found"] and "value_musd" in values:
        yield Text(f"{EARLY} {MEANINGS['best-found']}", "dim")
    for status, number in statuses.items():
        if status in MEANINGS and status not in ("solved", "best-found"):
            words = SHORT.get(status, status)
            yield Text(f"{words}: {MEANINGS[status]} ({counted(number, 'case')})", "dim")
    if statuses["waiting"]:
        yield Text(f"waiting: {counted(statuses['waiting'], 'case')} not solved yet", "dim")


def meanings(columns: Sequence[str]) -> Iterator[Text]:
    """Say what columns mean that were asked for."""
    for column in columns:
        meaning = meaning_of(column)
        if meaning:
            yield Text(f"{heading(column)}: {meaning}", "dim")
