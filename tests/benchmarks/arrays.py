"""The fleet's matrix as somebody would write it who has numpy and nothing else.

The yardstick of the benchmark: index sets and tables of values are at hand as arrays, and from
these a matrix is written block by block, a family of rows against a kind of column, without a
loop over rows. There is no faster way to it in Python, and none that says less about the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array

from models.build import Built
from optimizer.matrix import Flags, Floats, Matrix

Whole = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Gathered:
    """Numbers as a short table of values, and which of them stands where."""

    table: Floats
    which: NDArray[np.intp]

    @classmethod
    def of(cls, values: Floats) -> Gathered:
        """Take numbers apart."""
        return cls(*np.unique(values, return_inverse=True))

    def numbers(self) -> Floats:
        """Put them back together."""
        return self.table[self.which]


@dataclass(frozen=True, eq=False)
class Block:
    """The entries of one family of rows in one kind of column, row by row.

    Attributes
    ----------
    first_row, rows : int
        Where the family begins, and how many rows it has.
    lengths : int array, shape (rows,)
        Entries of each row.
    first_column, columns : int
        Where the kind begins, and how many columns it has.
    members : int array, shape (entries,)
        Which column of its kind each entry stands in.
    values : Gathered, shape (entries,)
        The coefficients.
    """

    first_row: int
    rows: int
    lengths: Whole
    first_column: int
    columns: int
    members: Whole
    values: Gathered


@dataclass(frozen=True, eq=False)
class Recipe:
    """All that numpy needs to write a matrix."""

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
    kinds = list(zip(matrix.column_lower, matrix.column_upper, matrix.integer, strict=True))
    limits = [
        (len(list(alike)), float(lower), float(upper), bool(whole))
        for (lower, upper, whole), alike in groupby(kinds)
    ]
    return Recipe(
        blocks=list(_blocks(built, matrix)),
        row_lower=Gathered.of(matrix.row_lower),
        row_upper=Gathered.of(matrix.row_upper),
        cost=Gathered.of(matrix.cost),
        column_limits=limits,
        offset=matrix.offset,
    )


def _blocks(built: Built, matrix: Matrix) -> Iterator[Block]:
    by_row = csr_array(matrix.coefficients)
    families = _runs([name for name, _ in built.rows])
    decisions = _runs([name for name, _ in built.columns])
    for first_row, rows in families:
        for first_column, columns in decisions:
            part = by_row[first_row : first_row + rows, first_column : first_column + columns]
            if part.nnz:
                yield Block(
                    first_row,
                    rows,
                    np.diff(part.indptr),
                    first_column,
                    columns,
                    part.indices,
                    Gathered.of(part.data),
                )


def _runs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Where each run of equal names begins, and how long it is."""
    runs, start = [], 0
    for _, alike in groupby(names):
        length = len(list(alike))
        runs.append((start, length))
        start += length
    return runs


def triplets(recipe: Recipe) -> Triplets:
    """Work out the row, the column and the value of every entry."""
    rows, columns, values = [], [], []
    for block in recipe.blocks:
        row_numbers = np.arange(block.first_row, block.first_row + block.rows, dtype=np.int32)
        numbers = np.arange(
            block.first_column, block.first_column + block.columns, dtype=np.int32
        )
        rows.append(np.repeat(row_numbers, block.lengths))
        columns.append(numbers[block.members])
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
    pairs: tuple[tuple[Floats | Flags | Whole, Floats | Flags | Whole], ...] = (
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
