"""The matrix of a point: the base's, with the families written again that its numbers touch.

A family reads a few tables of the given numbers. Where all of these are the base's own, its rows
are the base's too; the others are read again, on the same unknowns. What comes out is, to the
last bit, what :func:`optimizer.compiled.compile_case` makes of the case, without a Pyomo model.
The same rows, both sides apart, are what the audit puts a plan into.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, overload

import numpy as np

from models.allocation import FAMILIES, Family, objective
from models.build import ARITHMETIC, Built, Column, Fault, Row, UnusableNumbers, symbolic
from models.decisions import DECISIONS
from models.given import Given
from models.indices import Index
from models.relation import Affine
from optimizer import splits
from optimizer.case import Case
from optimizer.compiled import Model, sound
from optimizer.followed import MOST_RESTING, Followed, Steps
from optimizer.known import Known
from optimizer.layout import Layout
from optimizer.matrix import Flags, Floats, Matrix, costs
from optimizer.rows import Assembly, Columnwise, read_rows
from optimizer.solve import KEPT_BY
from optimizer.stills import Stills
from optimizer.sweep.point.hourwise import Hourwise
from optimizer.sweep.point.reads import TABLES, Noted, Remembered, watched_given

#: Name under which the objective is remembered among the families.
OBJECTIVE = "capital.value"
_LIMITS: Mapping[str, tuple[float, float, bool]] = {
    "real": (-math.inf, math.inf, False),
    "positive": (0.0, math.inf, False),
    "integer": (0.0, math.inf, True),
    "binary": (0.0, 1.0, True),
}


class StructureDiffers(Exception):
    """A point has other unknowns than the base: nothing of the base's matrix holds for it."""


class Numbered(Sequence[str]):
    """Names of rows or columns as Pyomo gives them: component and position, spelt on reading."""

    def __init__(self, parts: Sequence[tuple[str, Index]]) -> None:
        self._parts = parts
        self._names: list[str] | None = None

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if self._names is None:
            met: dict[str, int] = {}
            self._names = []
            for part, _ in self._parts:
                met[part] = position = met.get(part, -1) + 1
                self._names.append(f"{part.replace('.', '_')}[{position}]")
        return self._names[index]


class Structure:
    """The unknowns of a base, and the rows of its families.

    Parameters
    ----------
    case : Case
        The base.
    pinned : mapping, optional
        Decisions that are taken already, in every point.
    """

    def __init__(self, case: Case, pinned: Mapping[Column, float] | None = None) -> None:
        self._base = {name: getattr(case.given, name) for name in TABLES}
        self.context, self.columns = symbolic(case.given)
        self._lower, self._upper, self._integer = self._column_limits(pinned or {})
        self._families = [(family, self._listened(case.given, family)) for family in FAMILIES]
        self._over = self._shape_read(case.given)
        noted = Noted()
        with noted.listening():
            objective(replace(self.context, given=watched_given(case.given, noted)))
        self._objective = Remembered(objective(self.context), set(), noted.tables)
        self.layout = Layout(self.columns)
        rows = Assembly([(f, r.answer) for f, r in self._families], self.columns)
        self._relations = _Relations.of(rows, self.layout)
        self._hours = Hourwise(case, self.context, self.layout)
        self._splits = Known[bool](splits.MOST_KNOWN)
        self._resting = Known[Floats](MOST_RESTING)
        self._stills = Stills()

    def _listened(self, given: Given, family: Family) -> Remembered:
        noted = Noted()
        watched = replace(self.context, given=watched_given(given, noted))
        with noted.listening():
            rows = read_rows(family, watched, self.columns)
        return Remembered(rows, set(), noted.tables)

    def _shape_read(self, given: Given) -> Remembered:
        """What the unknowns themselves follow from."""
        noted = Noted()
        with noted.listening():
            symbolic(watched_given(given, noted))
        return Remembered(True, set(), noted.tables)

    def _column_limits(self, pinned: Mapping[Column, float]) -> tuple[Floats, Floats, Any]:
        domains = {decision.name: _LIMITS[decision.domain] for decision in DECISIONS}
        lower, upper, integer = (
            np.array([domains[name][i] for name, _ in self.columns]) for i in range(3)
        )
        place = {column: j for j, column in enumerate(self.columns)} if pinned else {}
        for column, value in pinned.items():
            lower[place[column]] = upper[place[column]] = value
        return lower, upper, integer.astype(bool)

    def model(self, case: Case) -> Model:
        """Compile a point, with what its plans are audited against.

        Raises
        ------
        StructureDiffers
            Where its unknowns are not those of the base.
        UnusableNumbers, MatrixRefused
            As :func:`optimizer.compiled.compile_case`.
        """
        tables = {name: getattr(case.given, name) for name in TABLES}
        others = {name for name in TABLES if tables[name] is not self._base[name]}
        noted = Noted()
        given = watched_given(case.given, noted)
        if not self._over.after({}, self._base, tables, lambda: self._same_columns(given), noted):
            raise StructureDiffers
        context = replace(self.context, given=given)
        parts = [
            (
                family,
                remembered.answer if remembered.untouched(others) else remembered.after(
                    {}, self._base, tables,
                    partial(read_rows, family, context, self.columns), noted,
                ),
            )
            for family, remembered in self._families
        ]  # fmt: skip
        best = self._objective.after({}, self._base, tables, lambda: objective(context), noted)
        faults = [fault for _, rows in parts for fault in rows.faults]
        faults += _not_finite_best(best, self.columns)
        if faults:
            raise UnusableNumbers(faults)
        relations, checked = self._relations, self._relations.rows.after(parts)
        if checked is None:
            relations = _Relations.of(Assembly(parts, self.columns), self.layout)
            checked = relations.rows.checked
        hours, made_of = self._hours.after(case, tables)
        if made_of:
            made_of |= {family.name: rows for family, rows in parts} | {OBJECTIVE: best}
            made_of |= {name: tables[name] for name in (*splits.READ, *KEPT_BY)}
        as_ever = others.isdisjoint(splits.READ)
        known = self._splits if as_ever else Known[bool](splits.MOST_KNOWN)
        followed = Followed(
            case.given, self.layout, checked, relations.steps, best, *hours, known,
            self._resting, self._stills, made_of,
        )  # fmt: skip
        return self._arrayed(case, relations, followed)

    def _same_columns(self, given: Given) -> bool:
        return symbolic(given)[1] == self.columns

    def _arrayed(self, case: Case, relations: _Relations, followed: Followed) -> Model:
        checked, best, held = followed.checked, followed.best, relations.held
        body = checked.left.constant - checked.right.constant
        contradicted = ~held & ~(checked.excess(body) <= ARITHMETIC)
        false = [checked.rows[i] for i in np.flatnonzero(contradicted)]
        built = Built(None, self.columns, relations.held_rows, false)
        bound, sense = -body[held], checked.sense[held]
        columns, coefficients = np.array(best.columns, int), np.array(best.coefficients, float)
        matrix = Matrix(
            coefficients=relations.columnwise.of(checked),
            row_lower=np.where(sense >= 0, bound, -np.inf),
            row_upper=np.where(sense <= 0, bound, np.inf),
            column_lower=self._lower.copy(),
            column_upper=self._upper.copy(),
            cost=costs(columns, coefficients, len(self.columns)),
            offset=best.constant,
            maximise=True,
            integer=self._integer.copy(),
            row_names=Numbered(relations.held_rows),
            column_names=Numbered(self.columns),
        )
        return sound(case, built, matrix, followed)


@dataclass(frozen=True, eq=False)
class _Relations:
    """Relations of the base, and what follows from where their coefficients stand."""

    rows: Assembly
    columnwise: Columnwise
    steps: Steps
    held: Flags
    held_rows: list[Row]

    @classmethod
    def of(cls, rows: Assembly, layout: Layout) -> _Relations:
        checked = rows.checked
        held = checked.counts > 0
        held_rows = [checked.rows[i] for i in np.flatnonzero(held)]
        return cls(rows, Columnwise(checked), Steps.of(checked, layout), held, held_rows)


def _not_finite_best(best: Affine, names: Sequence[Column]) -> list[Fault]:
    if math.isfinite(sum(best.coefficients) + best.constant):
        return []
    row = (OBJECTIVE, ())
    pairs = zip(best.columns, best.coefficients, strict=True)
    return [Fault(row, names[j], a) for j, a in pairs if not math.isfinite(a)]
