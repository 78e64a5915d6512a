"""An instance replayed: the same case with the prices that came, from a file of months."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.instance import month_index
from optimizer.errors import InputRefused, Problem, Report
from optimizer.keys import dotted
from optimizer.load import load
from optimizer.load.prices import without_remarks
from optimizer.load.tables import CellError, Sheet, number, read_sheet
from optimizer.sweep.base import base_of, read_base
from optimizer.sweep.design.keys import Found, find
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.meaning import SHEETS, meaning
from optimizer.sweep.point.home import Home
from optimizer.sweep.point.written import instance_files
from optimizer.sweep.points import Json, Point

#: First column of the file.
MONTH = "month"


@dataclass
class _File:
    """One reading of a file of what happened."""

    path: Path
    document: Mapping[str, Any]
    report: Report = field(default_factory=Report)

    def changes(self) -> dict[str, Json]:
        """Read what every key holds then.

        Raises
        ------
        InputRefused
            With every problem of the file.
        """
        sheet = self._sheet()
        found: dict[str, Json] = {}
        if sheet is not None:
            for column in sheet.header[1:]:
                found |= self._column(sheet, column)
        if self.report.refused():
            raise InputRefused(self.report.sorted((str(self.path),)))
        return found

    def _sheet(self) -> Sheet | None:
        try:
            text = self.path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            self._complain(None, "", f"the file cannot be read: {error.__class__.__name__}")
            return None
        sheet = read_sheet(without_remarks(text), str(self.path), self.report)
        if sheet is not None and sheet.header[:1] != (MONTH,):
            self._complain(1, MONTH, "the first column is the month", " ,".join(sheet.header[:1]))
            return None
        return sheet

    def _column(self, sheet: Sheet, column: str) -> dict[str, Json]:
        """Read the months of one column; a key that holds one number takes one."""
        steps = self._steps(sheet, column)
        targets, miss = find(self.document, column)
        if miss is not None:
            self._complain(1, column, miss.message, miss.found, miss.allowed, miss.hint)
        return {
            target.text: held for target in targets
            if (held := self._held(target, column, steps)) is not None
        }  # fmt: skip

    def _steps(self, sheet: Sheet, column: str) -> list[dict[str, Json]]:
        steps: list[dict[str, Json]] = []
        for line, cells in sheet.records():
            if column not in cells:
                continue
            month, before = cells.get(MONTH, ""), steps[-1]["from"] if steps else None
            try:
                index = month_index(month)
                steps.append({"from": month, "value": number(cells[column])})
            except CellError as error:
                self._complain(line, column, "this is no number", cells[column], error.allowed)
                continue
            except ValueError:
                self._complain(line, MONTH, "this is no month", month, "YYYY-MM, as in 2025-01")
                continue
            if before is not None and index <= month_index(str(before)):
                self._complain(line, MONTH, "months come one after another", month)
        if not steps:
            self._complain(1, column, "the column holds no number")
        return steps

    def _held(self, target: Found, column: str, steps: list[dict[str, Json]]) -> Json | None:
        if not steps:
            return None
        if target.kind.what == "path":
            return steps
        if target.kind.what == "number" and len(steps) == 1:
            return steps[0]["value"]
        message = f"{dotted(target.key)} does not change over time"
        self._complain(1, column, message, f"{len(steps)} months", "a number in one month")
        return None

    def _complain(
        self, line: int | None, key: str, message: str, found: str = "", allowed: str = "",
        hint: str = "",
    ) -> None:  # fmt: skip
        self.report.add(Problem(message, str(self.path), line, key, found, allowed, hint))


def says(instance: Path, happened: Path | None = None) -> dict[str, str]:
    """Hash all that an instance says, and a file of what happened.

    Its document counts, with what the catalogue brings along, and so do files of prices; its name
    and summary, comments, blanks, and where figures are from do not.

    Returns
    -------
    dict of str to str
        SHA-256 by ``instance``, or by the name of a file.

    Raises
    ------
    InputRefused
        With every problem of the instance.
    """
    read = read_base(instance)
    numbers = {table: held for table, held in read.document.items() if table != "instance"}
    said = {"instance": hashlib.sha256(repr(numbers).encode()).hexdigest()}
    said |= {name: sha for name, sha in read.loaded.files.items()
             if not name.endswith(".toml") and name not in SHEETS}  # fmt: skip
    if happened is not None:
        text = without_remarks(happened.read_text(encoding="utf-8-sig"))
        # Its cells count, as those of paths.
        said[f"happened/{happened.name}"] = meaning("paths.csv", text.encode())
    return said


def replayed(instance: Path, file: Path) -> Home:
    """Write an instance with the prices that came, as a folder that lives as long as its object.

    Parameters
    ----------
    instance : Path
        The instance's folder.
    file : Path
        CSV: a column ``month``, and one for each dotted key, wildcards allowed where names stand.
        A cell holds from its month on until the next of its column; a key that does not change
        over time takes one.

    Raises
    ------
    InputRefused
        With every problem of the instance, else of the file.
    """
    changes = _File(file, read_base(instance).document).changes()
    base = base_of(Sweep(Path(), instance, "happened"), load(instance))
    title = f"{instance.name}, as {file.name} says it came"
    return Home(instance_files(base, Point(0, {}, changes), title))
