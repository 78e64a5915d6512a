"""A file of cases: a row is a point, a column an axis or a dotted key of the instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from optimizer.errors import Problem, Report, did_you_mean, listed
from optimizer.load.tables import CellError, cell, number
from optimizer.sweep.design.file import LABEL
from optimizer.sweep.design.format import Wrong
from optimizer.sweep.design.levers import NOTHING, Bench, Effect, Lever
from optimizer.sweep.design.spec import Axis, Case, Sweep
from optimizer.sweep.points import Json


def levers_of_columns(sweep: Sweep, bench: Bench) -> list[Lever]:
    """Find what columns move that are dotted keys themselves, and no axes of the sweep file."""
    named = {axis.name for axis in sweep.axes}
    columns = dict.fromkeys(column for case in sweep.cases for column in case.cells)
    found = [
        bench.lever(Axis(column, (column,), "values", None))
        for column in columns
        if column not in named
    ]
    return [lever for lever in found if lever is not None]


def effects_of_cases(
    sweep: Sweep, levers: Sequence[Lever], problems: Report
) -> list[dict[str, Effect]]:
    """Work out what every row comes to; an empty cell leaves its axis as the base has it.

    Parameters
    ----------
    sweep : Sweep
        Holds the cases.
    levers : sequence of Lever
        The axes that the sweep file names, and columns that are keys themselves.
    problems : Report
        Takes what is wrong, by line and column.
    """
    reader = _CaseReader(sweep, problems, {lever.axis.name: lever for lever in levers})
    return [reader.row(case) for case in sweep.cases]


@dataclass
class _CaseReader:
    """Reads the cells of cases, each text of a column once."""

    sweep: Sweep
    problems: Report
    levers: Mapping[str, Lever]
    _known: dict[tuple[str, str], Effect] = field(default_factory=dict)

    def row(self, case: Case) -> dict[str, Effect]:
        """Work out one case."""
        row = {LABEL: Effect(case.label, {}, sign=NOTHING)} if case.label else {}
        for column, text in case.cells.items():
            effect = self._effect(case, column, text) if column in self.levers else None
            if effect is not None:
                row[column] = effect
        return row

    def _effect(self, case: Case, column: str, text: str) -> Effect | None:
        if (column, text) not in self._known:
            lever = self.levers[column]
            setting = self._setting(case, lever, text)
            effect = None
            if setting is not None:
                effect = lever.effect(setting, partial(self._tell, case, column))
            if effect is None:
                return None
            self._known[column, text] = effect
        return self._known[column, text]

    def _setting(self, case: Case, lever: Lever, text: str) -> Json:
        """Read a cell as what its axis takes; None, and a problem, where that cannot be."""
        axis = lever.axis
        if axis.verb == "prices":
            if text in lever.sites:
                return text
            message, hint = "the axis has no such label", did_you_mean(text, lever.sites)
            self._tell(case, axis.name, Wrong(message, text, listed(lever.sites), hint))
            return None
        try:
            return cell(lever.targets[0].kind, text) if axis.verb == "values" else number(text)
        except CellError as error:
            message = "the cell cannot be read"
            self._tell(case, axis.name, Wrong(message, repr(text), error.allowed, error.hint))
        return None

    def _tell(self, case: Case, column: str, wrong: Wrong) -> None:
        self.problems.add(
            Problem(wrong.message, self.sweep.cases_file, case.line, column, wrong.found,
                    wrong.allowed, wrong.hint)
        )  # fmt: skip
