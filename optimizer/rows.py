"""The relations of a case as arrays: each family read once, both sides apart.

The audit of a point of a sweep puts its plan into them, in place of the families read on floats.
They come from the algebra, as those do; but the matrix that the solver was handed is made of the
same arrays, so that such an audit checks the solver and not them. Tests hold them against a fresh
reading of the families, and of every sweep some points (:mod:`optimizer.sweep.point.anew`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array

from models.allocation import Family
from models.build import Column, Fault, Row
from models.context import Context
from models.indices import Index
from models.relation import Affine, Relation
from optimizer.matrix import CANCELLED, Floats

#: Largest violation that is believed to be arithmetic, relative to the size of the limit.
TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Rows:
    """What one family comes to in a case, as arrays.

    Attributes
    ----------
    indices : list of Index
        Of each relation, with unknowns or without.
    starts, middles : int array
        Where the terms of each begin, with one more at the end, and where its left side ends.
    columns, values : array
        Unknown and coefficient of each term, right sides with their signs turned.
    left, right : float array
        Constant of either side.
    sense : int array
        -1 where left is at most right, 1 where it is at least, 0 where they agree.
    faults : tuple of Fault
        Numbers that are not finite.
    """

    indices: list[Index]
    starts: Any
    middles: Any
    columns: Any
    values: Floats
    left: Floats
    right: Floats
    sense: Any
    faults: tuple[Fault, ...]


_SENSES = {"<=": -1, "==": 0, ">=": 1}


def read_rows(family: Family, context: Context, names: Sequence[Column]) -> Rows:
    """Read a family on unknowns."""
    indices: list[Index] = []
    starts, middles = [0], []
    columns: list[int] = []
    values: list[float] = []
    left: list[float] = []
    right: list[float] = []
    sense: list[int] = []
    faults: list[Fault] = []
    for index, relation in family.relations(context):
        indices.append(index)
        sense.append(_SENSES[relation.sense])
        left.append(_taken(relation.left, columns, values, 1.0))
        middles.append(len(values))
        right.append(_taken(relation.right, columns, values, -1.0))
        starts.append(len(values))
        if not math.isfinite(sum(values[starts[-2] :]) + left[-1] - right[-1]):
            faults += _not_finite(family, index, relation, names)
    return Rows(
        indices, np.array(starts), np.array(middles, int), np.array(columns, np.int32),
        np.array(values, float), np.array(left, float), np.array(right, float),
        np.array(sense, int), tuple(faults),
    )  # fmt: skip


def _taken(side: Any, columns: list[int], values: list[float], sign: float) -> float:
    """Add the terms of a side to a row, and return its constant."""
    if not isinstance(side, Affine):
        return float(side)
    columns += side.columns
    values += side.coefficients if sign > 0 else [-a for a in side.coefficients]
    return side.constant


def _not_finite(
    family: Family, index: Index, relation: Relation, names: Sequence[Column]
) -> Iterator[Fault]:
    row = (family.name, index)
    for side in (relation.left, relation.right):
        known = side if isinstance(side, Affine) else Affine([], [], float(side))
        for j, a in zip(known.columns, known.coefficients, strict=True):
            if not math.isfinite(a):
                yield Fault(row, names[j], a)
        if not math.isfinite(known.constant):
            yield Fault(row, None, known.constant)


@dataclass(frozen=True, eq=False)
class Side:
    """One side of every relation: coefficients and constants."""

    coefficients: csr_array
    constant: Floats

    def at(self, point: Floats) -> Floats:
        """Values at a point."""
        return np.asarray(self.coefficients @ point + self.constant)


@dataclass(frozen=True, eq=False)
class Checked:
    """Every relation of a case, both sides apart, to put a plan into.

    Attributes
    ----------
    rows : list of Row
        Family and index of each.
    columns : sequence of Column
        What they are in.
    left, right : Side
        Its sides.
    sense : int array
        -1 at most, 0 equal, 1 at least.
    counts : int array
        Terms of each; none where the data alone decide.
    """

    rows: list[Row]
    columns: Sequence[Column]
    left: Side
    right: Side
    sense: Any
    counts: Any
    _terms: tuple[Any, Any, Any]

    @classmethod
    def of(cls, parts: Sequence[tuple[Family, Rows]], unknowns: Sequence[Column]) -> Checked:
        """Put the rows of all families together."""
        rows = [(family.name, index) for family, part in parts for index in part.indices]
        begins = np.cumsum([0, *(len(part.values) for _, part in parts)])[:-1]
        starts = np.concatenate(
            [part.starts[:-1] + b for (_, part), b in zip(parts, begins, strict=True)]
            + [[begins[-1] + len(parts[-1][1].values)]]
        )
        middles = np.concatenate(
            [part.middles + b for (_, part), b in zip(parts, begins, strict=True)]
        )
        columns = np.concatenate([part.columns for _, part in parts])
        values = np.concatenate([part.values for _, part in parts])
        on_left = np.arange(len(values)) < np.repeat(middles, np.diff(starts))
        before = np.concatenate([[0], np.cumsum(on_left)])

        def side(chosen: Any, counted: Any, sign: float, constants: list[Floats]) -> Side:
            shape = (len(rows), len(unknowns))
            table = csr_array((sign * values[chosen], columns[chosen], counted), shape=shape)
            return Side(table, np.concatenate(constants))

        return cls(
            rows,
            unknowns,
            side(on_left, before[starts], 1.0, [part.left for _, part in parts]),
            side(~on_left, starts - before[starts], -1.0, [part.right for _, part in parts]),
            np.concatenate([part.sense for _, part in parts]),
            np.diff(starts),
            (values, columns, starts),
        )

    def whole(self, held: Any) -> csr_array:
        """Left less right, of the relations that hold unknowns."""
        values, columns, starts = self._terms
        begins = np.append(starts[:-1][held], starts[-1])
        return csr_array(
            (values, columns, begins), shape=(int(held.sum()), self.left.coefficients.shape[1])
        )

    def excess(self, difference: Floats) -> Floats:
        """By how much each is broken, by left less right."""
        return np.where(self.sense == 0, np.abs(difference), -self.sense * difference)

    def broken(self, point: Floats) -> list[Row]:
        """Find the relations that a point breaks, by more than is believed to be arithmetic."""
        bad = ~(self._beyond(point) <= 0.0)
        return [self.rows[i] for i in np.flatnonzero(bad)]

    def surely_broken(self, point: Floats) -> bool:
        """Whether what is known of a point breaks a relation; the rest are not numbers."""
        return bool((self._beyond(point) > 0.0).any())

    def holds(self, point: Floats, chosen: Any) -> bool:
        """Whether some of the relations hold at a point without any tolerance."""
        excess = self.excess(self.left.at(point) - self.right.at(point))
        return bool((excess[chosen] <= 0.0).all())

    def _beyond(self, point: Floats) -> Floats:
        """By how much more than arithmetic each relation is broken."""
        left, right = self.left.at(point), self.right.at(point)
        size = np.maximum(1.0, np.maximum(np.abs(left), np.abs(right)))
        beyond: Floats = self.excess(left - right) - TOLERANCE * size
        return beyond


class Assembly:
    """Relations of a case, in which families are replaced that have other numbers.

    Cases that have the same unknowns mostly have the same rows too, with coefficients in the same
    places: then only numbers are written.

    Parameters
    ----------
    parts : sequence
        Families of the case, each with its rows.
    unknowns : sequence of Column
        What they are in.
    """

    def __init__(self, parts: Sequence[tuple[Family, Rows]], unknowns: Sequence[Column]) -> None:
        self._parts = parts
        self.checked = Checked.of(parts, unknowns)
        self._terms = np.cumsum([0, *(len(rows.values) for _, rows in parts)])
        self._rows = np.cumsum([0, *(len(rows.indices) for _, rows in parts)])
        _, _, starts = self.checked._terms
        middles = np.concatenate(
            [rows.middles + b for (_, rows), b in zip(parts, self._terms[:-1], strict=True)]
        )
        lengths = np.diff(starts)
        on_left = np.arange(starts[-1]) < np.repeat(middles, lengths)
        self._left, self._right = np.flatnonzero(on_left), np.flatnonzero(~on_left)

    def after(self, parts: Sequence[tuple[Family, Rows]]) -> Checked | None:
        """Replace families by others; None where their rows or coefficients stand elsewhere."""
        pairs = enumerate(zip(self._parts, parts, strict=True))
        moved = [(k, was, now) for k, ((_, was), (_, now)) in pairs if was is not now]
        if not moved:
            return self.checked
        if not all(_alike(was, now) for _, was, now in moved):
            return None
        base = self.checked
        values, left, right = (
            a.copy() for a in (base._terms[0], base.left.constant, base.right.constant)
        )
        for k, _, now in moved:
            values[self._terms[k] : self._terms[k + 1]] = now.values
            here = slice(self._rows[k], self._rows[k + 1])
            left[here], right[here] = now.left, now.right
        return Checked(
            base.rows,
            base.columns,
            Side(_with(base.left.coefficients, values[self._left]), left),
            Side(_with(base.right.coefficients, -values[self._right]), right),
            base.sense,
            base.counts,
            (values, *base._terms[1:]),
        )


def _alike(one: Rows, other: Rows) -> bool:
    """Whether two readings of a family differ in numbers alone."""
    return one.indices == other.indices and all(
        np.array_equal(a, b)
        for a, b in (
            (one.starts, other.starts), (one.middles, other.middles),
            (one.columns, other.columns), (one.sense, other.sense),
        )
    )  # fmt: skip


def _with(table: csr_array, values: Floats) -> csr_array:
    """Put other values into the places of a table."""
    return csr_array((values, table.indices, table.indptr), shape=table.shape)


class Columnwise:
    """Relations of a case as a solver reads them: left less right, terms added up by column.

    Comes to what :func:`optimizer.matrix.added_up` does, to the last bit.

    Parameters
    ----------
    checked : Checked
        Relations; those that hold no unknown are left out.
    """

    def __init__(self, checked: Checked) -> None:
        values, _, _ = checked._terms
        held = checked.counts > 0
        numbered = replace(checked, _terms=(np.arange(len(values)), *checked._terms[1:]))
        table = numbered.whole(held).tocsc()
        self.shape = table.shape
        column = np.repeat(np.arange(table.shape[1]), np.diff(table.indptr))
        row = table.indices
        first = np.ones(len(row), bool)
        first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
        self._term, self._slot = table.data, np.cumsum(first) - 1
        self._row, self._column = row[first].astype(np.int32), column[first]
        self._kept = np.zeros(0, bool)
        self._indices = self._indptr = np.zeros(0, np.int32)

    def of(self, checked: Checked) -> csc_array:
        """Add up relations of the same rows, with coefficients in the same places."""
        values = checked._terms[0][self._term]
        count = len(self._row)
        data = np.bincount(self._slot, values, count)
        size = np.bincount(self._slot, np.abs(values), count)
        data[np.abs(data) < CANCELLED * size] = 0.0
        kept = data != 0
        if not np.array_equal(kept, self._kept):
            self._kept, self._indices = kept, self._row[kept]
            ends = np.cumsum(np.bincount(self._column[kept], minlength=self.shape[1]))
            self._indptr = np.concatenate([[0], ends]).astype(np.int32)
        table = csc_array((data[kept], self._indices, self._indptr), shape=self.shape)
        # The very arrays, by which others know that the coefficients stand where they stood.
        table.indices, table.indptr = self._indices, self._indptr
        return table
