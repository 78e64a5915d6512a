"""Axes as they are read: what each changes, and to what."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from optimizer.errors import did_you_mean, listed
from optimizer.keys import Key
from optimizer.load.files import Files
from optimizer.load.tables import CellError, number, read_sheet
from optimizer.sweep.design.prices import PriceFiles
from optimizer.sweep.design.reading import Reading
from optimizer.sweep.design.spec import Axis, Choices, Listed, Observed
from optimizer.sweep.design.wish import (
    LAWS,
    SAMPLED,
    VERBS,
    AxisTable,
    Design,
    Discrete,
    Empirical,
    Range,
    Verb,
)
from optimizer.sweep.points import canonical

#: What is typed in place of a list of values.
_A_LIST = "a list, a table of from and to, or a table with a distribution"


@dataclass
class AxisReader:
    """Reads axes one by one.

    Attributes
    ----------
    reading : Reading
        Takes the problems.
    files : Files
        The folder of the sweep file.
    prices : PriceFiles
        Price files that were named so far.
    design : Design
        How axes become points; None where it could not be read.
    half : list of Axis
        Axes of which only the keys could be read.
    """

    reading: Reading
    files: Files
    prices: PriceFiles
    design: Design | None
    half: list[Axis] = field(default_factory=list)

    def read(self, name: str, held: Any) -> Axis | None:
        """Read one axis; None, and its problems, where that cannot be."""
        at: Key = ("axes", name)
        if not self.reading.name(at, name):
            return None
        if name == "case":
            message = "this name is taken: it heads the labels of a file of cases"
            self.reading.complain(at, message)
            return None
        table = self.reading.block(at, AxisTable, held) or self._rest(at, held)
        if table is None:
            return None
        if self.design == "csv" and table.prices is None:
            return self._of_cells(at, table)
        return self._of_choices(at, table)

    def _rest(self, at: Key, held: Any) -> AxisTable | None:
        """Read what is sound of a table that has problems; None where that makes no axis."""
        lost = {key[len(at)] for key in self.reading.lost if key[: len(at)] == at != key}
        sound = {key: value for key, value in held.items() if key not in lost} if lost else {}
        try:
            table = AxisTable.model_validate(sound)
        except ValidationError:
            return None
        one_verb = sum(getattr(table, verb) is not None for verb in (*VERBS, "prices")) == 1
        return table if one_verb and (table.key is None) != (table.keys is None) else None

    def _of_cells(self, at: Key, table: AxisTable) -> Axis | None:
        """Read an axis whose settings are the cells of a column."""
        for verb in VERBS:
            if getattr(table, verb) is not None:
                message = "the file of cases says what the axis is set to"
                hint = f'take it out; write cells = "{verb}"'
                self.reading.complain((*at, verb), message, hint=hint)
        keys = self._keys(at, table)
        return Axis(str(at[1]), keys, table.cells, None, table.round) if keys else None

    def _of_choices(self, at: Key, table: AxisTable) -> Axis | None:
        given = [verb for verb in (*VERBS, "prices") if getattr(table, verb) is not None]
        if "cells" in table.model_fields_set and self.design is not None:
            message = f"cells is of no use to the design {self.design}"
            self.reading.complain((*at, "cells"), message, hint="take it out, or use design csv")
        if len(given) != 1:
            found = " and ".join(given) if given else "none of them"
            message = "an axis takes one of values, scale, delta and prices"
            self.reading.complain(at, message, found)
            return None
        if given == ["prices"]:
            return self._of_prices(at, table)
        verb = cast(Verb, given[0])
        choices = self.choices((*at, verb), verb, getattr(table, verb))
        keys = self._keys(at, table)
        if not keys:
            return None
        axis = Axis(str(at[1]), keys, verb, choices, table.round)
        if choices is None:
            self.half.append(axis)
            return None
        return axis

    def _of_prices(self, at: Key, table: AxisTable) -> Axis | None:
        by_key = isinstance(table.prices, dict) and any(
            isinstance(held, dict) for held in table.prices.values()
        )
        keys = () if by_key else self._keys(at, table)
        if by_key and (table.key is not None or table.keys is not None):
            message = "the keys stand in the tables of files already"
            self.reading.complain((*at, "key" if table.key else "keys"), message)
        elif not by_key and not keys:
            return None
        named = self.prices.read((*at, "prices"), table.prices, keys)
        if not named:
            return None
        every = dict.fromkeys(key for files in named.values() for key in files)
        return Axis(str(at[1]), tuple(every), "prices", Listed(tuple(named)), prices=named)

    def _keys(self, at: Key, table: AxisTable) -> tuple[str, ...]:
        if (table.key is None) == (table.keys is None):
            message = "an axis has key or keys" + ("" if table.key is None else ", not both")
            self.reading.complain(at, message, hint='as key = "finance.capex_budget_musd"')
            return ()
        keys = tuple(table.keys or [table.key or ""])
        for place, key in enumerate(keys):
            if key in keys[:place]:
                self.reading.complain((*at, "keys", place), "the key is given twice", key)
        return keys

    # --- settings --------------------------------------------------------------------------

    def choices(self, at: Key, verb: Verb, held: Any) -> Choices | None:
        """Read what an axis may be set to."""
        if isinstance(held, list):
            return self._listed(at, verb, held)
        if isinstance(held, dict) and "distribution" in held:
            return self._law(at, verb, held)
        if isinstance(held, dict):
            return self._range(at, held)
        hint = f"write [{held}]" if isinstance(held, (int, float)) else ""
        self.reading.wrong_type(at, held, _A_LIST, hint)
        return None

    def _listed(self, at: Key, verb: Verb, held: list[Any]) -> Listed | None:
        if not held:
            self.reading.complain(at, "the list is empty")
            return None
        seen: dict[str, int] = {}
        for place, value in enumerate(held):
            if not self._value((*at, place), verb, value):
                continue
            if seen.setdefault(_same(value), place) != place:
                self.reading.complain((*at, place), "the value is given twice", canonical(value))
        return None if self._is_lost(at) else Listed(tuple(held))

    def _value(self, at: Key, verb: Verb, value: Any) -> bool:
        """Whether a value can be one of JSON, and of numbers where the axis needs them."""
        if verb != "values":
            return self.reading.number(at, value)
        bad = next(_no_json(value), None)
        if isinstance(bad, float):
            self.reading.complain(at, "the value is not a finite number", str(bad))
        elif bad is not None:
            hint = f'write a month as text, as "{bad.isoformat()[:7]}"'
            self.reading.wrong_type(at, bad, "a number, text, flag or path", hint)
        return bad is None

    def _is_lost(self, at: Key) -> bool:
        return any(lost[: len(at)] == at for lost in self.reading.lost)

    def _range(self, at: Key, held: dict[str, Any]) -> Range | None:
        found = self.reading.block(at, Range, held)
        if found is None or self.design in (None, *SAMPLED):
            return found
        if found.count is None and found.step is None:
            message = f"the design {self.design} needs to know how many numbers"
            self.reading.complain(at, message, hint="give count or step")
            return None
        return found

    def _law(self, at: Key, verb: Verb, held: dict[str, Any]) -> Choices | None:
        name = held["distribution"]
        if not isinstance(name, str) or name not in LAWS:
            hint = did_you_mean(str(name), LAWS)
            message = "there is no such distribution"
            self.reading.complain((*at, "distribution"), message, str(name), listed(LAWS), hint)
            return None
        if self.design is not None and self.design not in SAMPLED:
            message = f"the design {self.design} draws nothing"
            hint = f"give a list or a range, or choose a design that draws: {listed(SAMPLED)}"
            self.reading.complain((*at, "distribution"), message, hint=hint)
            return None
        law = self.reading.block(at, LAWS[name], held)
        if isinstance(law, Empirical):
            return self._observed(at, law)
        if isinstance(law, Discrete):
            found = self._listed((*at, "values"), verb, law.values)
            return found and Listed(found.values, tuple(law.weights))
        return cast(Choices | None, law)

    def _observed(self, at: Key, law: Empirical) -> Observed | None:
        """Read the numbers of a column."""
        path = self.reading.file((*at, "file"), self.files.folder, law.file)
        if path is None:
            return None
        text = self.files.read(path, law.file)
        sheet = read_sheet(text, law.file, self.reading.report) if text else None
        if sheet is None:
            return None
        if law.column not in sheet.header:
            message, hint = "the file has no such column", did_you_mean(law.column, sheet.header)
            allowed = listed(sheet.header)
            self.reading.complain((*at, "column"), message, law.column, allowed, hint)
            return None
        cells = [(line, record.get(law.column, "")) for line, record in sheet.records()]
        read = [_cell(self.files.refuse, law, line, cell) for line, cell in cells]
        numbers = [value for value in read if value is not None]
        if not numbers or len(numbers) < len(read):
            if not cells:
                self.files.refuse(law.file, "the file has a header and no rows")
            return None
        return Observed(tuple(sorted(numbers)))


def _cell(refuse: Callable[..., None], law: Empirical, line: int, cell: str) -> float | None:
    try:
        return number(cell)
    except CellError as error:
        message = "the cell cannot be read as a number"
        refuse(law.file, message, error.hint or "take the row out", line, law.column)
    return None


def _same(value: Any) -> str:
    """What a value is the same as another by: 2 and 2.0 are."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return canonical(float(value))
    return canonical(value)


def _no_json(value: Any) -> Iterator[Any]:
    """Walk what JSON cannot hold: dates and times, and numbers that are not finite."""
    is_endless = isinstance(value, float) and not math.isfinite(value)
    if is_endless or isinstance(value, (datetime.date, datetime.time)):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _no_json(inner)
