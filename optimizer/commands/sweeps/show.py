"""``rackwatt sweep show``: results as tables of one axis or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from optimizer.commands.sweeps import draws, tables
from optimizer.commands.sweeps.changes import changes_in, of_changes
from optimizer.commands.sweeps.kept import Outline, database_of, spec_of
from optimizer.commands.sweeps.planned import columns_of_plan, told_of_plan
from optimizer.commands.sweeps.stale import stale
from optimizer.commands.voice import Voice
from optimizer.errors import UsageRefused, did_you_mean, listed
from optimizer.sweep.design.measures import bounded
from optimizer.sweep.design.spec import Pareto
from optimizer.sweep.points import MEANINGS, Json
from optimizer.sweep.rows.front import ON_FRONT, front, front_table
from optimizer.sweep.rows.pivot import (
    MOST_SETTINGS,
    Laid,
    columns_of,
    in_effect,
    laid_out,
    value_of,
)  # fmt: skip
from optimizer.sweep.rows.records import Entry
from optimizer.sweep.rows.store import Store
from optimizer.sweep.rows.texts import setting
from optimizer.words import counted

#: What a table of one axis, or of cases one by one, shows unless told otherwise.
MAIN = ("value_musd", "capex_musd", "mining_last_it_mw", "ai_last_it_mw", "lowest_cash_musd")
VALUE = ("value_musd",)
#: Most tables and most lines that one command prints.
MOST_TABLES, MOST_LINES = 12, 60


@dataclass(frozen=True)
class Wanted:
    """What is to be shown.

    Attributes
    ----------
    kept : Path
        Database or sweep file.
    rows, columns : str or None
        Axes down and across.
    values : tuple of str
        Columns of the export.
    where : dict of str to str
        Settings that cases must have.
    version : int or None
        Version of the results.
    """

    kept: Path
    rows: str | None = None
    columns: str | None = None
    values: tuple[str, ...] = ()
    where: dict[str, str] = field(default_factory=dict)
    version: int | None = None


def show_sweep(wanted: Wanted, voice: Voice) -> int:
    """Run the command and return its exit code."""
    with Store.read(database_of(wanted.kept)) as store, store.snapshot():
        version = store.version(wanted.version)
        outline = Outline.of(spec_of(store, version))
        entries = in_effect(list(store.entries(version)), store.held(version))
        since = stale(wanted.kept, store, version)
    if outline.pareto is not None:
        entries = _judged(outline.pareto, entries)
    shown = _Shown(wanted, outline, entries, voice.data.width)
    voice.lines(*since.lines)
    voice.show(*shown.screen())
    voice.answer(status="shown", version=version.number, changed=list(since.changed),
                 **shown.fields())  # fmt: skip
    return 0


def _judged(pareto: Pareto, entries: list[Entry]) -> list[Entry]:
    """Add to every plan whether it lies on the front of its case."""
    verdicts = front(pareto, ((entry.point, entry.row) for entry in entries))
    return [
        replace(entry, row=replace(
            entry.row, metrics={**entry.row.metrics, ON_FRONT: verdicts[entry.point.number]}
        )) if entry.row and entry.point.number in verdicts else entry
        for entry in entries
    ]  # fmt: skip


class _Shown:
    """Chooses which tables tell a sweep, and lays them out."""

    def __init__(self, wanted: Wanted, outline: Outline, entries: list[Entry], width: int) -> None:
        self._outline, self._width, self._kept = outline, width, wanted.kept
        axes = dict.fromkeys(axis for entry in entries for axis in entry.point.settings)
        self._axes = list(axes)
        self._check(wanted, entries)
        self._all = entries
        self._entries = [entry for entry in entries if self._fits(entry, wanted.where)]
        if not self._entries:
            raise UsageRefused("no case has these settings; leave --where out to see all")
        self._laid = {axis: self._laid_out(axis) for axis in self._axes}
        self._fixed = set(wanted.where)
        self._rows, self._columns = self._chosen(wanted)
        self._asked = wanted.values
        self._main = (*VALUE, *columns_of_plan(columns_of(self._entries)))
        few = self._columns is not None or self._is_one_at_a_time
        self._values = wanted.values or (self._main if few else (*self._main, *MAIN[1:]))
        chosen = wanted.rows or wanted.columns or wanted.values
        self._front = None if chosen else outline.pareto
        if self._front is not None:
            self._values = (bounded(self._front.second).figure, *VALUE, ON_FRONT)

    def _laid_out(self, axis: str) -> Laid:
        typed = self._outline.typed.get(axis, ()) if self._outline.is_drawn else None
        return laid_out(axis, self._entries, typed)

    @property
    def _is_one_at_a_time(self) -> bool:
        """Whether cases are told one by one, as changes of the base."""
        is_front = self._outline.pareto is not None
        return self._rows is None and self._outline.design == "one_at_a_time" and not is_front

    @property
    def _told_together(self) -> Sequence[str]:
        """Columns that are told of all draws together; none where cases were not drawn."""
        drawn = self._outline.is_drawn and self._outline.pareto is None
        return list(dict.fromkeys((*VALUE, *(self._asked or self._main)))) if drawn else []

    def _check(self, wanted: Wanted, entries: Sequence[Entry]) -> None:
        """Refuse what the sweep does not have."""
        for option, axis in (("rows", wanted.rows), ("columns", wanted.columns)):
            if axis is not None and axis not in self._axes:
                raise UsageRefused(
                    _no_such(f"--{option}: the sweep has no axis", axis, self._axes)
                )
        for axis in wanted.where:
            if axis not in self._axes:
                raise UsageRefused(_no_such("--where: the sweep has no axis", axis, self._axes))
        if wanted.rows is not None and wanted.rows == wanted.columns:
            raise UsageRefused(f"{wanted.rows} cannot go down and across at once")
        if wanted.columns is not None and wanted.rows is None and len(self._axes) < 2:
            raise UsageRefused("the sweep has one axis only; name it with --rows")
        known = columns_of(entries)
        for column in wanted.values:
            if column not in known:
                raise UsageRefused(_no_such("--value: the rows have no", column, known))

    def _fits(self, entry: Entry, where: dict[str, str]) -> bool:
        held = entry.point.settings
        return all(_is_set_to(held.get(axis), text) for axis, text in where.items())

    def _chosen(self, wanted: Wanted) -> tuple[str | None, str | None]:
        """Choose which axis goes down and which across; neither means case by case."""
        free = [axis for axis in self._axes if axis not in self._fixed]
        rows, columns = wanted.rows, wanted.columns
        if rows is None and columns is not None:
            rows = next((axis for axis in free if axis != columns), None)
        if rows is not None or not free or self._outline.pareto is not None:
            return rows, columns
        if len(free) == 1 and self._outline.design != "one_at_a_time":
            return free[0], None
        if self._outline.design == "grid":
            return free[0], free[1]
        return (free[0], None) if self._outline.is_drawn else (None, None)

    # --- the screen ------------------------------------------------------------------------

    def screen(self) -> Iterator[RenderableType]:
        """Lay the tables out for a terminal."""
        yield Text.assemble((self._outline.name, "bold"), f"  {self._outline.summary}".rstrip())
        if self._front is not None:
            yield from self._of_front(self._front)
            return
        if self._rows is None:
            yield from self._case_by_case()
        elif self._columns is None:
            laid, several = self._laid[self._rows], self._asked or self._main
            yield from tables.of_one(laid, self._entries, self._values, several, self._width)
        else:
            yield from self._of_two(self._laid[self._rows], self._laid[self._columns])
        yield from tables.told(self._entries, self._values)
        yield from told_of_plan(self._entries, self._kept)
        if self._told_together:
            yield from draws.of_draws(self._entries, self._told_together)
        yield from tables.meanings(self._asked)

    def _of_front(self, pareto: Pareto) -> Iterator[RenderableType]:
        """Lay out the plans of a front; whether each lies on it hangs on those not shown, too."""
        yield Text("")
        planned = [entry for entry in self._entries if value_of(entry, ON_FRONT)]
        listed_ = {entry.point.number for entry in planned[:MOST_LINES]}
        found = ((entry.point, entry.row) for entry in self._all)
        if planned:
            yield front_table(pareto, found, listed_)
        rest = len(planned) - len(listed_)
        if rest > 0:
            yield Text(f"and {rest:,} more, which --where and the export tell")
        yield from self._told_of_front(pareto, planned)

    def _told_of_front(self, pareto: Pareto, planned: Sequence[Entry]) -> Iterator[Text]:
        """Say what its words mean, and what came of points without a plan."""
        verdicts = {value_of(entry, ON_FRONT) for entry in planned}
        name = bounded(pareto.second).name
        if "no" in verdicts:
            yield Text(f"no: another plan is as good in value and {name}", "dim")
        if "undecided" in verdicts:
            may_be = f"as far as bounds tell, one better in {name} may be worth as much"
            yield Text(f"undecided: {may_be}", "dim")
        early = sum(value_of(entry, "status") == "best-found" for entry in planned)
        if early:
            told = f"best-found: {MEANINGS['best-found']} ({counted(early, 'case')})"
            yield Text(told, "dim")
        yield from tables.told(self._entries, ())

    def _case_by_case(self) -> Iterator[RenderableType]:
        yield Text("")
        listed_ = self._entries[:MOST_LINES]
        if self._is_one_at_a_time:
            base = next((entry for entry in self._all if not entry.point.settings), None)
            changes = changes_in(self._entries, base, self._values[0])
            yield from of_changes(changes[:MOST_LINES], base, self._values, self._width)
        else:
            yield from tables.of_cases(self._axes, listed_, self._values, self._width)
        rest = len(self._entries) - len(listed_)
        if rest > 0:
            yield Text(f"and {rest:,} more, which the export tells")

    def _of_two(self, rows: Laid, columns: Laid) -> Iterator[RenderableType]:
        """One table for each figure and each setting of the axes that are left."""
        shown = (rows.axis, columns.axis)
        others = [a for a in self._axes if a not in shown and not self._is_many(a)]
        made = 0
        for values in product(*(self._laid[axis].settings for axis in others)):
            held = dict(zip(others, values, strict=True))
            entries = [entry for entry in self._entries if _has(entry, held)]
            if not entries:
                continue
            for column in self._values:
                made += 1
                if made > MOST_TABLES:
                    continue
                yield Text.assemble(("\n" + tables.heading(column), "bold"), _told(held))
                yield from tables.of_two(rows, columns, entries, column, self._width)
        if made > MOST_TABLES:
            yield Text(f"\nand {made - MOST_TABLES:,} more tables; --where AXIS=SETTING chooses")

    def _is_many(self, axis: str) -> bool:
        """Whether an axis has too many settings for a table each: their mean is shown."""
        return self._outline.is_drawn or len(self._laid[axis].settings) > MOST_SETTINGS

    # --- for a program ---------------------------------------------------------------------

    def fields(self) -> dict[str, Any]:
        """Give a program the cases that were shown."""
        return {
            "rows": self._rows,
            "columns": self._columns,
            "values": list(self._values),
            "cases": [
                {"number": entry.point.number, "times": entry.point.times,
                 "settings": dict(entry.point.settings),
                 "status": value_of(entry, "status"),
                 **{column: value_of(entry, column) for column in self._values}}
                for entry in self._entries
            ],
            **(draws.as_fields(self._entries, self._told_together)
               if self._told_together else {}),
        }  # fmt: skip


def _no_such(message: str, name: str, known: Sequence[str]) -> str:
    hint = did_you_mean(name, known)
    return f"{message} {name}; {hint or f'it has {listed(known, 40)}'}"


def _is_set_to(value: Json, text: str) -> bool:
    """Whether a setting is what somebody typed."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return abs(float(text) - value) <= 1e-6 * max(1.0, abs(value))
        except ValueError:
            return False
    return text in (value, setting(value))


def _has(entry: Entry, held: dict[str, Json]) -> bool:
    return all(entry.point.settings.get(axis) == value for axis, value in held.items())


def _told(held: dict[str, Json]) -> str:
    told = ", ".join(f"{axis} {setting(value)}" for axis, value in held.items())
    return f"  {told}" if told else ""
