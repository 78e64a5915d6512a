"""The fleet's matrix as somebody would write it who has numpy and nothing else.

The yardstick of the benchmark. Index sets and tables of values are at hand as arrays; from these
columns are numbered, and the matrix is written block by block, a family of rows against a kind
of column, without a loop over rows. What a row means, and where its numbers came from, is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array

from models.build import Built
from models.indices import Index
from optimizer.matrix import Floats, Matrix

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Gathered:
    """Numbers as a short table of values, and which of them stands where."""

    table: Floats
    which: Whole

    @classmethod
    def of(cls, values: Floats) -> Gathered:
        """Take numbers apart."""
        return cls(*np.unique(values, return_inverse=True))

    def numbers(self) -> Floats:
        """Put them back together."""
        return self.table[self.which]


@dataclass(frozen=True, eq=False)
class Decided:
    """One kind of column: where its columns begin, and the node and the slot of each.

    A slot stands for the rest of an index, such as a rack type in a place.
    """

    first: int
    node: Whole
    slot: Whole
    shape: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Block:
    """The entries of one family of rows in one kind of column, row by row.

    Attributes
    ----------
    decided : int
        The kind of column.
    first, rows : int
        Where the family begins, and how many rows it has.
    lengths : int array, shape (rows,)
        Entries of each row.
    node, slot : int array, shape (entries,)
        Which column of its kind each entry stands in.
    values : Gathered, shape (entries,)
        The coefficients.
    """

    decided: int
    first: int
    rows: int
    lengths: Whole
    node: Whole
    slot: Whole
    values: Gathered


@dataclass(frozen=True, eq=False)
class Recipe:
    """All that numpy needs to write a matrix."""

    decisions: Sequence[Decided]
    blocks: Sequence[Block]
    row_lower: Gathered
    row_upper: Gathered
    cost: Gathered
    column_limits: Sequence[tuple[int, float, float, bool]]
    offset: float


@dataclass(frozen=True, eq=False)
class Triplets:
    """Entries of a matrix in any order."""

    values: Floats
    rows: Whole
    columns: Whole


def recipe(built: Built, matrix: Matrix) -> Recipe:
    """Take a compiled model apart into index sets and tables of values."""
    decisions = [_decided(built, *run) for run in _runs(built.columns)]
    kinds = zip(matrix.column_lower, matrix.column_upper, matrix.integer, strict=True)
    limits = [
        (len(list(alike)), float(lower), float(upper), bool(whole))
        for (lower, upper, whole), alike in groupby(kinds)
    ]
    return Recipe(
        decisions=decisions,
        blocks=list(_blocks(built, matrix, decisions)),
        row_lower=Gathered.of(matrix.row_lower),
        row_upper=Gathered.of(matrix.row_upper),
        cost=Gathered.of(matrix.cost),
        column_limits=limits,
        offset=matrix.offset,
    )


def _runs(named: Sequence[tuple[str, Index]]) -> list[tuple[int, int]]:
    """Where each run of equal names begins, and where it ends."""
    runs, start = [], 0
    for _, alike in groupby(named, key=lambda one: one[0]):
        end = start + len(list(alike))
        runs.append((start, end))
        start = end
    return runs


def _decided(built: Built, first: int, end: int) -> Decided:
    indices = [index for _, index in built.columns[first:end]]
    slots: dict[Index, int] = {}
    slot = np.array([slots.setdefault(index[1:], len(slots)) for index in indices])
    node = np.array([index[0] for index in indices])
    return Decided(first, node, slot, (int(node.max()) + 1, len(slots)))


def _blocks(built: Built, matrix: Matrix, decisions: Sequence[Decided]) -> Iterator[Block]:
    by_row = csr_array(matrix.coefficients)
    for first, end in _runs(built.rows):
        for kind, decided in enumerate(decisions):
            columns = slice(decided.first, decided.first + len(decided.node))
            part = by_row[first:end, columns]
            if part.nnz:
                yield Block(
                    kind,
                    first,
                    end - first,
                    np.diff(part.indptr).astype(np.int64),
                    decided.node[part.indices],
                    decided.slot[part.indices],
                    Gathered.of(part.data),
                )


def triplets(recipe: Recipe) -> Triplets:
    """Number the columns, and work out row, column and value of every entry."""
    numbers = []
    for decided in recipe.decisions:
        number = np.full(decided.shape, -1)
        number[decided.node, decided.slot] = decided.first + np.arange(len(decided.node))
        numbers.append(number)
    rows, columns, values = [], [], []
    for block in recipe.blocks:
        rows.append(np.repeat(block.first + np.arange(block.rows), block.lengths))
        columns.append(numbers[block.decided][block.node, block.slot])
        values.append(block.values.numbers())
    return Triplets(np.concatenate(values), np.concatenate(rows), np.concatenate(columns))


def converted(recipe: Recipe, entries: Triplets) -> Matrix:
    """Sort entries into columns, and work out all limits and costs."""
    counts, lower, upper, whole = zip(*recipe.column_limits, strict=True)
    row_lower, row_upper = recipe.row_lower.numbers(), recipe.row_upper.numbers()
    shape = len(row_lower), sum(counts)
    table = coo_array((entries.values, (entries.rows, entries.columns)), shape=shape)
    return Matrix(
        coefficients=csc_array(table),
        row_lower=row_lower,
        row_upper=row_upper,
        column_lower=np.repeat(lower, counts),
        column_upper=np.repeat(upper, counts),
        cost=recipe.cost.numbers(),
        offset=recipe.offset,
        maximise=True,
        integer=np.repeat(whole, counts),
        row_names=(),
        column_names=(),
    )


def same(one: Matrix, other: Matrix) -> bool:
    """Whether two matrices are equal to the last bit."""
    a, b = one.coefficients, other.coefficients
    pairs: tuple[tuple[NDArray[Any], NDArray[Any]], ...] = (
        (a.indptr, b.indptr),
        (a.indices, b.indices),
        (a.data, b.data),
        (one.row_lower, other.row_lower),
        (one.row_upper, other.row_upper),
        (one.column_lower, other.column_lower),
        (one.column_upper, other.column_upper),
        (one.cost, other.cost),
        (one.integer, other.integer),
    )
    numbers = (one.offset, one.maximise) == (other.offset, other.maximise)
    return numbers and all(np.array_equal(first, second) for first, second in pairs)
