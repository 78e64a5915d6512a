"""CSV: the tables of the instance, the columns of ``paths.csv`` and the rows of ``sources.csv``.

A cell means what the same text would mean in TOML, and nothing more: ``1_000``, ``12,5``, full
width digits and ``nan`` are problems, not numbers. An empty cell is a key that is not given.
"""

from __future__ import annotations

import csv
import functools
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.instance import TABLES, Block, Growth
from optimizer.errors import Problem, Report, listed, nearest
from optimizer.keys import Key, Kind, Place, Places, dotted, keys_of, kinds_of
from optimizer.load.files import Files

#: No table of an instance has more rows; beyond it nobody could read the plan.
MOST_ROWS = 20_000
#: What to do with a cell that stands for nothing, where a key may be left out.
LEFT_EMPTY = "leave the cell empty instead"
#: A table without names: its rows are a list.
NAMELESS = "fleet"

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_COUNT = re.compile(r"[+-]?[0-9]{1,18}\Z")


#: The columns a table may have: the key each one fills, and what that key holds.
Columns = Mapping[str, tuple[Key, Kind]]


class CellError(ValueError):
    """A cell cannot be read as what its column holds."""

    def __init__(self, allowed: str, hint: str = "") -> None:
        super().__init__(allowed)
        self.allowed, self.hint = allowed, hint


@dataclass(frozen=True)
class Sheet:
    """A CSV file: its header and its rows, each with its line.

    ``ragged`` tells that rows were left out because they do not fit the header.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    ragged: bool = False

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Walk the rows as column -> cell, leaving out empty cells."""
        for line, row in self.rows:
            yield (
                line,
                {column: cell for column, cell in zip(self.header, row, strict=True) if cell},
            )


def read_sheet(text: str, name: str, report: Report) -> Sheet | None:
    """Read CSV text; None where the header cannot be read. Ragged rows are reported, left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: tuple[str, ...] | None = None
    ragged = False
    rows: list[tuple[int, tuple[str, ...]]] = []
    try:
        for row in reader:
            cells = tuple(cell.strip() for cell in row)
            if not any(cells):
                continue
            if header is None:
                header = cells
                if not _header_stands(cells, name, report):
                    return None
            elif len(cells) == len(header):
                rows.append((reader.line_num, cells))
            else:
                ragged = True
                report.add(_ragged(name, reader.line_num, len(cells), len(header)))
    except csv.Error as error:
        report.add(Problem(f"this is not CSV: {error}", name, reader.line_num))
        return None
    if header is None:
        report.add(Problem("the file is empty", name))
        return None
    return Sheet(name, header, tuple(rows), ragged)


def _header_stands(header: tuple[str, ...], name: str, report: Report) -> bool:
    if len(header) == 1 and ";" in header[0]:
        hint = "separate columns by commas; a list inside a cell by semicolons"
        report.add(Problem("columns are separated by semicolons", name, 1, hint=hint))
        return False
    for position, column in enumerate(header):
        if not column:
            report.add(Problem(f"column {position + 1} has no name", name, 1))
        elif column in header[:position]:
            report.add(Problem("the column is given twice", name, 1, column))
    return all(header) and len(set(header)) == len(header)


def _ragged(name: str, line: int, found: int, allowed: int) -> Problem:
    hint = "a comma inside a cell needs quotes; decimals have a point"
    return Problem(
        "the row does not have as many cells as the header",
        name, line, found=f"{found} cells", allowed=f"{allowed} cells", hint=hint,
    )  # fmt: skip


# --- cells ---------------------------------------------------------------------------------


def number(text: str) -> float:
    """Read a finite number as TOML would write it.

    Raises
    ------
    CellError
        For anything else.

    Examples
    --------
    >>> number("2.5e1")
    25.0
    """
    if not _NUMBER.match(text):
        raise CellError("a number", _why_no_number(text))
    value = float(text)
    if not math.isfinite(value):
        raise CellError("a finite number")
    return value


def _why_no_number(text: str) -> str:
    slips = (
        (r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", "write 1000 without a comma"),
        (r"[+-]?[0-9.]*,[0-9]+", "write 12.5 with a decimal point"),
        (r"[0-9_.]+", "write 1000 without an underscore"),
        (r"[0-9.,]+\s*%", "write a share as a fraction: 0.35, not 35 %"),
        (r"[$€]\s*[0-9.,]+|[0-9.,]+\s*[A-Za-z$€/]+", "the unit stands in the key"),
        (r"(?i)[+-]?(nan|inf|infinity|n/?a|null|none|-)", LEFT_EMPTY),
        (r"[^\x00-\x7f]+[.,]?[^\x00-\x7f]*", "write numbers with the digits 0 to 9"),
    )
    return next((hint for slip, hint in slips if re.fullmatch(slip, text)), "")


def _count(text: str) -> int:
    if not _COUNT.match(text):
        raise CellError("a whole number", "" if _NUMBER.match(text) else _why_no_number(text))
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise CellError("true or false")
    return text == "true"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(";") if name.strip()]


def _path(text: str) -> Any:
    """Read a number, the name of a column of paths.csv, or steps as ``2027-01:5;2028-01:7``."""
    if ":" not in text:
        return number(text) if _looks_numeric(text) else text
    pairs = [item.split(":") for item in _names(text)]
    if any(len(pair) != 2 for pair in pairs):
        raise CellError("steps as 2027-01:5;2028-01:7")
    return [{"from": month.strip(), "value": number(value.strip())} for month, value in pairs]


def _looks_numeric(text: str) -> bool:
    """Tell a number, or a failed attempt at one, from the name of a column."""
    return not re.search(r"[A-Za-z]", text) or bool(
        re.fullmatch(r"(?i)[+-]?(nan|inf|infinity)|[+-]?[0-9.]+e[+-]?[0-9]+", text)
    )


def cell(kind: Kind, text: str) -> Any:
    """Read a cell as what its key holds.

    Raises
    ------
    CellError
        With what is allowed.
    """
    readers = {"number": number, "count": _count, "flag": _flag, "names": _names, "path": _path}
    if kind.what == "blocks" and kind.block:
        return [_item(kind.block, item) for item in _names(text)]
    return readers.get(kind.what, str)(text)


def _item(block: type[Block], text: str) -> dict[str, Any]:
    kinds = kinds_of(block)
    values = [value.strip() for value in text.split(":")]
    if len(values) != len(kinds):
        raise CellError(f"items {':'.join(kinds)}, separated by semicolons")
    return {
        name: cell(kind, value) for (name, kind), value in zip(kinds.items(), values, strict=True)
    }


@functools.cache
def columns_of(block: type[Block]) -> Columns:
    """Give the columns a table may have: its keys, and nested keys with dots."""
    columns: dict[str, tuple[Key, Kind]] = {}
    for name, kind in kinds_of(block).items():
        inner = Growth if kind.grows else kind.block if kind.what == "block" else None
        if kind.what != "block":
            columns[name] = ((name,), kind)
        if inner:
            columns |= {
                f"{name}.{column}": ((name, *key), inner_kind)
                for column, (key, inner_kind) in columns_of(inner).items()
            }
    return columns


# --- the tables of the instance ------------------------------------------------------------


#: Stands for what a column holds whose name is not quite known: nothing is read from it.
_MISNAMED = Kind("text")


@dataclass
class TableReader:
    """Adds the CSV tables of a folder to what ``instance.toml`` holds.

    Attributes
    ----------
    document : dict
        What was typed so far; rows are added to it.
    lost : set of Key
        Keys whose cell could not be read, so that they are not reported as missing too.
    unread : set of Key
        Tables of which a row could not be read, so that its name is not reported as unknown.
    absent : set of pairs of str
        Tables and their keys that have no column and are told already.
    """

    document: dict[str, Any]
    places: Places
    report: Report
    lost: set[Key]
    unread: set[Key]
    absent: set[tuple[str, str]] = field(default_factory=set)

    def add(self, table: str, sheet: Sheet | None, *, use: bool) -> None:
        """Add the rows of one table; ``use`` allows the column that names a catalogue entry."""
        if sheet is None or sheet.ragged:
            self.unread.add((table,))
        if sheet is None:
            return
        columns = dict(columns_of(TABLES[table]))
        if use:
            columns["use"] = (("use",), Kind("text"))
        meant = self._header(table, sheet, columns)
        if len(sheet.rows) > MOST_ROWS:
            message = f"{len(sheet.rows)} rows are more than {MOST_ROWS}"
            self.report.add(Problem(message, sheet.name))
        elif table == NAMELESS:
            self._absent(table, sheet, meant)
            self._list(table, sheet, meant)
        elif "name" in sheet.header:
            self._absent(table, sheet, meant)
            self._named(table, sheet, meant)
        else:
            self.unread.add((table,))
            if not any(nearest(column, ["name"]) for column in sheet.header):
                message = "the table has no column `name`"
                self.report.add(Problem(message, sheet.name, 1, table))

    def _header(self, table: str, sheet: Sheet, columns: Columns) -> Columns:
        """Report unknown columns; one that is near a known one fills its key all the same."""
        allowed = [*columns] if table == NAMELESS else ["name", *columns]
        meant = dict(columns)
        for column in sheet.header:
            if column in allowed:
                continue
            near = nearest(column, allowed)
            hint = f"did you mean `{near}`?" if near else ""
            key, choice = f"{table}.{column}", listed(allowed, 40)
            self.report.add(Problem("unknown column", sheet.name, 1, key, column, choice, hint))
            if near and near in columns and near not in sheet.header:
                meant[column] = (columns[near][0], _MISNAMED)
        return meant

    def _absent(self, table: str, sheet: Sheet, meant: Columns) -> None:
        """Report a column that every row needs once, and not row by row."""
        if not sheet.rows or "use" in sheet.header:
            return
        given = {meant[column][0][0] for column in sheet.header if column in meant}
        for name, info in keys_of(TABLES[table]).items():
            if info.is_required() and name not in given:
                self.absent.add((table, name))
                message = "the table has no column for a key that every row needs"
                hint = info.description or ""
                key, found = f"{table}.{name}", listed(sheet.header, 40)
                self.report.add(
                    Problem(message, sheet.name, 1, key, found, f"a column `{name}`", hint)
                )

    def _list(self, table: str, sheet: Sheet, columns: Columns) -> None:
        if table in self.document:
            place = self.places.of((table,))
            hint = f"keep [[{table}]] or {sheet.name}"
            message = f"the table is given in {sheet.name} too"
            self.report.add(Problem(message, place.file, place.line, table, hint=hint))
            return
        rows: list[dict[str, Any]] = []
        self.places.put((table,), Place(sheet.name, 1))
        for position, (line, record) in enumerate(sheet.records()):
            rows.append(self._row((table, position), line, record, sheet, columns))
        self.document[table] = rows

    def _named(self, table: str, sheet: Sheet, columns: Columns) -> None:
        held = self.document.setdefault(table, {})
        if not isinstance(held, dict):
            return
        self.places.known.setdefault((table,), Place(sheet.name, 1))
        for line, record in sheet.records():
            name = record.pop("name", "")
            key: Key = (table, name)
            if not name:
                self.report.add(Problem("the row has no name", sheet.name, line, table))
            elif name in held:
                before = self.places.of(key)
                where = before.file if before.line is None else f"{before.file}:{before.line}"
                hint = f"it is first given at {where}; keep one"
                self.report.add(
                    Problem(
                        "the name is given twice", sheet.name, line, f"{table}.{name}", hint=hint
                    )
                )
            else:
                held[name] = self._row(key, line, record, sheet, columns)

    def _row(
        self,
        key: Key,
        line: int,
        record: Mapping[str, str],
        sheet: Sheet,
        columns: Columns,
    ) -> dict[str, Any]:
        row: dict[str, Any] = {}
        place = Place(sheet.name, line)
        self.places.put(key, place)
        self.lost |= {(*key, name) for of, name in self.absent if of == key[0]}
        for column, text in record.items():
            if column not in columns:
                continue
            path, kind = columns[column]
            self.places.put((*key, *path), place)
            if kind is _MISNAMED:
                self.lost.add((*key, *path))
                continue
            try:
                _place(row, path, cell(kind, text))
            except CellError as refused:
                self.lost.add((*key, *path))
                self._refuse_cell(place, (*key, column), text, refused)
        return row

    def _refuse_cell(self, place: Place, key: Key, text: str, refused: CellError) -> None:
        self.report.add(
            Problem(
                "the cell cannot be read", place.file, place.line, dotted(key),
                repr(text), refused.allowed, refused.hint,
            )
        )  # fmt: skip


def _place(row: dict[str, Any], path: Key, value: Any) -> None:
    """Put a cell where its dotted column says."""
    for part in path[:-1]:
        row = row.setdefault(str(part), {})
        if not isinstance(row, dict):
            raise CellError("a number or a growth, not both")
    if path[-1] in row:
        raise CellError("a number or a growth, not both")
    row[str(path[-1])] = value


# --- paths.csv and sources.csv -------------------------------------------------------------

PATHS, SOURCES = "paths.csv", "sources.csv"


@dataclass(frozen=True)
class Column:
    """A column of ``paths.csv``: steps, each with its line."""

    steps: tuple[tuple[str, float, int], ...]


def read_paths(files: Files) -> dict[str, Column]:
    """Read the paths of a folder by the name of their column."""
    text = files.text(PATHS)
    sheet = read_sheet(text, PATHS, files.report) if text else None
    if sheet is None:
        return {}
    if "month" not in sheet.header:
        files.refuse(PATHS, "the table has no column `month`", "write months as 2027-04", 1)
        return {}
    steps: dict[str, list[tuple[str, float, int]]] = {
        column: [] for column in sheet.header if column != "month"
    }
    for line, month, record in _dated(sheet, files.report):
        for column, figure in record.items():
            try:
                steps[column].append((month, number(figure), line))
            except CellError as refused:
                problem = Problem(
                    "the cell cannot be read", PATHS, line, column, repr(figure),
                    refused.allowed, refused.hint,
                )  # fmt: skip
                files.report.add(problem)
    return {name: Column(tuple(column)) for name, column in steps.items()}


def _dated(sheet: Sheet, report: Report) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Walk the rows whose month can be read and comes after the one before."""
    before = ""
    for line, record in sheet.records():
        month = record.pop("month", "")
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month):
            allowed = "a month as 2027-04"
            report.add(
                Problem("the month cannot be read", PATHS, line, "month", repr(month), allowed)
            )
        elif month <= before:
            message = "months must rise from row to row"
            report.add(Problem(message, PATHS, line, "month", month, f"after {before}"))
        else:
            before = month
            yield line, month, record


@dataclass(frozen=True)
class Source:
    """A row of ``sources.csv``: where a figure comes from."""

    key: str
    value: str
    unit: str
    source: str
    remark: str
    line: int


def read_sources(files: Files) -> tuple[Source, ...]:
    """Read the sources of a folder's figures."""
    text = files.text(SOURCES)
    sheet = read_sheet(text, SOURCES, files.report) if text else None
    if sheet is None:
        return ()
    columns = ("key", "value", "unit", "source", "remark")
    missing = [name for name in columns if name not in sheet.header]
    unknown = [name for name in sheet.header if name not in columns]
    if missing or unknown:
        found, allowed = listed(sheet.header), listed(columns)
        files.report.add(
            Problem("the columns are not those of sources.csv", SOURCES, 1, "", found, allowed)
        )
        return ()
    return tuple(
        Source(**{name: record.get(name, "") for name in columns}, line=line)
        for line, record in sheet.records()
    )
