"""Tables of a sweep for a terminal: of two axes, of one, or case by case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from optimizer.screen.grids import figures, grid
from optimizer.sweep.design.file import LABEL
from optimizer.sweep.point.figures import meaning_of
from optimizer.sweep.points import MEANINGS, Json
from optimizer.sweep.rows.export import PRICES, TIMES
from optimizer.sweep.rows.pivot import Band, Laid, effective, has_plan, is_undecided, value_of
from optimizer.sweep.rows.records import Entry
from optimizer.sweep.rows.statistics import figures_of, mean_of
from optimizer.sweep.rows.texts import setting
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
#: Columns of a plan that was given: what it is worth, and what it comes to.
PLAN_VALUE, PLAN_STATUS = "plan_value_musd", "plan_status"
#: Blanks between two columns.
_APART = 2


def heading(column: str) -> str:
    """Name a column with its unit.

    Examples
    --------
    >>> heading("value_musd"), heading("ai_last_it_mw.pecos"), heading("status")
    ('value, M$', 'AI last, MW, pecos', 'status')
    >>> heading("finance.capex_budget_musd"), heading("sites.pecos.firm_mw")
    ('capex budget, M$', 'firm, MW, pecos')
    """
    name, _, whose = column.partition(".")
    if whose and not meaning_of(column) and not column.startswith(PRICES):
        whose, _, name = whose.rpartition(".")
    words, unit = name, ""
    for ending, told in (("_musd", "M$"), ("_it_mw", "MW"), ("_mw", "MW"), ("_seconds", "s")):
        if words.endswith(ending):
            words, unit = words.removesuffix(ending), told
    words = " ".join("AI" if word == "ai" else word for word in words.split("_"))
    return ", ".join(filter(None, (words, unit, whose)))


def axis_heading(axis: str) -> str:
    """Name an axis; one that is a dotted key by its last part.

    Examples
    --------
    >>> axis_heading("capex"), axis_heading("finance.opening_cash_musd")
    ('capex', 'opening cash, M$')
    """
    if axis == LABEL:
        return "label"
    return heading(axis.rpartition(".")[2]) if "." in axis else axis


def cell(entry: Entry, column: str) -> str:
    """Write what a case has in a column; its status where it has no plan."""
    status = str(value_of(entry, "status"))
    value = value_of(entry, column)
    if effective(entry, column) is not None:
        return setting(value)
    if column != "status" and value is None and not has_plan(entry):
        return SHORT.get(status, status)
    if column == PLAN_VALUE and value is None:
        given = value_of(entry, PLAN_STATUS)
        return figure_of(column, None if given is None else SHORT.get(str(given), given))
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
    if column == TIMES and isinstance(value, int):
        return f"{value:,}"
    if column == "gap":
        return f"{100 * value:.3f} %"
    if column.partition(".")[0].endswith("_share"):
        return f"{100 * value:.1f} %"
    if column == "least_promised_availability":
        return f"{value:.9g}"
    return figure(float(value))


# --- two axes ------------------------------------------------------------------------------


def of_two(
    rows: Laid, columns: Laid, entries: Sequence[Entry], column: str, width: int
) -> Iterator[RenderableType]:
    """Lay out one figure by two axes; what is too wide goes on below."""
    cells: dict[tuple[int, int], list[Entry]] = {}
    for entry in entries:
        cells.setdefault((rows.place(entry), columns.place(entry)), []).append(entry)
    across = [
        (label(value), [_joint(cells.get((i, j), []), column) for i in range(len(rows.settings))])
        for j, value in enumerate(columns.settings)
    ]
    corner = f"{axis_heading(rows.axis)} ↓  {axis_heading(columns.axis)} →"
    yield from blocks([(corner, [label(value) for value in rows.settings])], across, width)
    if any(len(held) > 1 for held in cells.values()):
        yield Text("several cases to a cell: their mean", "dim")


def _joint(held: Sequence[Entry], column: str) -> str:
    """Write the cell of several cases: the mean of their figures."""
    if not held:
        return NOTHING
    if len(held) == 1:
        return cell(held[0], column)
    numbers = figures_of(held, column)
    if numbers:
        mark = OPEN if any(is_undecided(entry, column) for entry in held) else ""
        return figure_of(column, mean_of(numbers)) + mark
    said = Counter(cell(entry, column) for entry in held)
    return said.most_common(1)[0][0]


def label(value: Any) -> str:
    """Write a setting, or a band of them.

    Examples
    --------
    >>> label(Band(0.48654, 0.7595)), label("wet")
    ('0.487–0.759', 'wet')
    """
    if isinstance(value, Band):
        return f"{value.first:.3g}–{value.last:.3g}"
    return setting(value)


# --- one axis ------------------------------------------------------------------------------


def of_one(
    laid: Laid,
    entries: Sequence[Entry],
    values: Sequence[str],
    of_several: Sequence[str],
    width: int,
) -> Iterator[RenderableType]:
    """Lay out figures by one axis: those of the case, or what those of several lie between."""
    groups: list[list[Entry]] = [[] for _ in laid.settings]
    for entry in entries:
        groups[laid.place(entry)].append(entry)
    yield Text("")
    if any(len(group) > 1 for group in groups):
        for column in of_several:
            if any(figures_of(group, column) for group in groups):
                yield _of_several(laid, groups, column)
        return
    alone = [group[0] if group else None for group in groups]
    beside = [(axis_heading(laid.axis), [label(value) for value in laid.settings])]
    yield from blocks(beside, _figures(alone, values), width)


def _figures(
    entries: Sequence[Entry | None], values: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Give columns of figures; a case without a plan says so once."""
    found = []
    for place, column in enumerate(values):
        texts = [NOTHING if entry is None else cell(entry, column) for entry in entries]
        if place:
            texts = [NOTHING if _lacks(entry, column) else text
                     for entry, text in zip(entries, texts, strict=True)]  # fmt: skip
        found.append((heading(column), texts))
    return found


def _lacks(entry: Entry | None, column: str) -> bool:
    """Whether a case has nothing to say in a column, its status having been told before."""
    if entry is None or column == "status" or (column == PLAN_VALUE and has_plan(entry)):
        return False
    return value_of(entry, column) is None


def blocks(
    beside: Sequence[tuple[str, Sequence[str]]], across: Sequence[tuple[str, Sequence[str]]],
    width: int,
) -> Iterator[RenderableType]:  # fmt: skip
    """Lay columns out beside their labels; those that do not fit go on below."""
    room = width - sum(_widest(column) + _APART for column in beside)
    left = list(across)
    while left:
        if len(left) < len(across):
            yield Text("")
        taken, used = 1, _widest(left[0]) + _APART
        while taken < len(left) and used + _widest(left[taken]) <= room:
            used += _widest(left[taken]) + _APART
            taken += 1
        block, left = left[:taken], left[taken:]
        table = grid(*((name, "date") for name, _ in beside), *figures(name for name, _ in block))
        for labels, texts in zip(zip(*(told for _, told in beside), strict=True),
                                 zip(*(told for _, told in block), strict=True),
                                 strict=True):  # fmt: skip
            table.add_row(*(Text(text, "dim") for text in labels), *texts)
        yield table


def _widest(column: tuple[str, Sequence[str]]) -> int:
    name, texts = column
    return max(map(len, (name, *texts)))


def _of_several(laid: Laid, groups: Sequence[Sequence[Entry]], column: str) -> Table:
    """Tell how many cases each setting has, as often as they were drawn, and their figures."""
    waits = any(entry.row is None for group in groups for entry in group)
    drawn = any(entry.point.times > 1 for group in groups for entry in group)
    counts = ["draws" if drawn else "cases", *(["waiting"] if waits else []), "no plan"]
    table = grid((axis_heading(laid.axis), "date"),
                 *figures([*counts, f"least {heading(column)}", "mean", "most"]))  # fmt: skip
    for value, group in zip(laid.settings, groups, strict=True):
        numbers = figures_of(group, column)
        each = [n for n, _ in numbers]
        shown = [figure_of(column, n) for n in (min(each), mean_of(numbers), max(each))
                 ] if numbers else [NOTHING] * 3  # fmt: skip
        table.add_row(Text(label(value), "dim"), *_counted(group, waits=waits), *shown)
    return table


def _counted(group: Sequence[Entry], *, waits: bool) -> Iterator[str]:
    """Count all cases of a setting, those that wait where any do, and those without a plan."""
    waiting = sum(entry.point.times for entry in group if entry.row is None)
    without = sum(entry.point.times for entry in group if entry.row and not has_plan(entry))
    yield f"{sum(entry.point.times for entry in group):,}"
    for number in (*([waiting] if waits else []), without):
        yield f"{number:,}" if number else NOTHING


# --- case by case --------------------------------------------------------------------------


def of_cases(
    axes: Sequence[str], entries: Sequence[Entry], values: Sequence[str], width: int
) -> Iterator[RenderableType]:
    """Lay out cases one by one: what their axes are set to, and some figures."""
    beside = [("case", [str(entry.point.number) for entry in entries])]
    beside += [(axis_heading(axis), [_set_to(entry, axis) for entry in entries]) for axis in axes]
    yield from blocks(beside, _figures(entries, values), width)


def _set_to(entry: Entry, axis: str) -> str:
    """Write what an axis is set to; of one that is left alone and is a key, what is in effect."""
    held = entry.point.settings
    if axis in held:
        return setting(held[axis])
    return NOTHING if axis == LABEL else setting(effective(entry, axis))


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
            yield Text(f"{heading(column)}: {meaning.replace('`', '')}", "dim")
