"""What presolve may get wrong is settled before presolve sees it.

HiGHS up to 1.15.1 answers some well-scaled models wrongly and calls the answer optimal. Two
shapes were found to do it, both common where racks are counted:

- a real number that can only be whole (a stock that is the sum of whole orders) in a row that one
  unit of it overruns: with presolve, its limit is used without rounding (HiGHS issue 3274);
- whole numbers without a finite limit: without presolve, best plans are cut off.

So numbers that can only be whole are declared whole, and the limits that the rows put on whole
numbers are worked out and rounded here. No plan is lost: whatever held before holds after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from optimizer.matrix import HUGE, Flags, Floats, Matrix

#: How far from a whole number a ratio of coefficients may lie and still be one.
WHOLE = 1e-9
#: How far a limit is loosened before it is rounded, so that no rounding error cuts a plan off.
SLACK = 1e-6
#: How often limits are handed on from row to row.
PASSES = 12


@dataclass(frozen=True)
class _Entries:
    """Coefficients with their row and column."""

    row: NDArray[np.int32]
    column: NDArray[np.int32]
    value: Floats

    def where(self, chosen: Flags) -> _Entries:
        return _Entries(self.row[chosen], self.column[chosen], self.value[chosen])


def _entries(matrix: Matrix) -> _Entries:
    table = coo_array(matrix.coefficients)
    entries = _Entries(table.row, table.col, table.data)
    return entries.where(table.data != 0)


def tighten(matrix: Matrix) -> Matrix:
    """Declare whole what can only be whole, and give whole numbers the limits of their rows.

    Returns
    -------
    Matrix
        With the same plans; limits of real numbers are left as they are.
    """
    if not (matrix.integer.any() and np.isfinite(matrix.coefficients.data).all()):
        return matrix
    integer = only_whole(matrix)
    lower, upper = implied_limits(replace(matrix, integer=integer))
    # Crossed limits mean that no plan exists; that is for two solves to say, not for us.
    kept = integer & (lower <= upper)
    return replace(
        matrix,
        integer=integer,
        column_lower=np.where(kept, lower, matrix.column_lower),
        column_upper=np.where(kept, upper, matrix.column_upper),
    )


def only_whole(matrix: Matrix) -> Flags:
    """Which columns take whole numbers only, declared or not.

    A real number is one where an equality with whole coefficients ties it to whole numbers.

    Examples
    --------
    >>> from optimizer.matrix import dense_matrix
    >>> m = dense_matrix([[1, -1, -1]], [2], [2], [0] * 3, [9] * 3, [0] * 3, integer=[0, 1, 1])
    >>> only_whole(m)
    array([ True,  True,  True])
    """
    whole = matrix.integer.copy()
    entries = _entries(matrix)
    entries = entries.where((matrix.row_lower == matrix.row_upper)[entries.row])
    while True:
        real = ~whole[entries.column]
        reals = np.bincount(entries.row[real], minlength=matrix.shape[0])
        entries = entries.where(reals[entries.row] > 0)
        found = _tied(entries.where(reals[entries.row] == 1), matrix.row_lower, whole)
        if not found.size:
            return whole
        whole[found] = True


def _tied(entries: _Entries, side: Floats, whole: Flags) -> NDArray[np.int32]:
    """Find real numbers that rows with no other one make whole.

    In units of the real number's coefficient, the rest of its row has to be whole.
    """
    real = ~whole[entries.column]
    unit = np.ones(side.shape)
    unit[entries.row[real]] = entries.value[real]
    broken = _off_whole(side / unit)
    broken[entries.row[_off_whole(entries.value / unit[entries.row])]] = True
    return entries.column[real & ~broken[entries.row]]


def _off_whole(values: Floats) -> Flags:
    finite = np.where(np.isfinite(values), values, 0.5)
    off: Flags = np.abs(finite - np.rint(finite)) > WHOLE * np.maximum(1.0, np.abs(finite))
    return off


def implied_limits(matrix: Matrix) -> tuple[Floats, Floats]:
    """Lower and upper limits that rows and other limits leave to each column.

    Those of whole numbers are rounded inwards; those above 1e9 in size are not found.
    """
    entries = live = _entries(matrix)
    lower, upper = _rounded(matrix.integer, matrix.column_lower, matrix.column_upper)
    for _ in range(PASSES):
        below, above = lower.copy(), upper.copy()
        _hand_on(live, matrix.row_upper, lower, upper, below, above)
        against = _Entries(live.row, live.column, -live.value)
        _hand_on(against, -matrix.row_lower, lower, upper, below, above)
        below, above = _rounded(matrix.integer, below, above)
        moved = (below > lower) | (above < upper)
        lower, upper = below, above
        # Only rows of a limit that has moved have anything new to say.
        news = np.zeros(matrix.shape[0], bool)
        news[entries.row[moved[entries.column]]] = True
        live = entries.where(news[entries.row])
    return lower, upper


def _hand_on(
    entries: _Entries, side: Floats, lower: Floats, upper: Floats, below: Floats, above: Floats
) -> None:
    """Tighten ``below`` and ``above`` by rows that may not exceed ``side``.

    What a row leaves to a column is its side, less the least that all other columns take.
    """
    row, column, value = entries.row, entries.column, entries.value
    least = np.where(value > 0, value * lower[column], value * upper[column])
    endless = np.isinf(least)
    finite = np.where(endless, 0.0, least)
    taken = np.bincount(row, finite, side.size)[row] - finite
    others_endless = np.bincount(row, endless, side.size)[row] > endless
    limit = (side[row] - taken) / value
    size = np.bincount(row, np.abs(finite), side.size)[row]
    slack = SLACK * np.maximum(1.0, np.abs(limit)) + 1e-12 * size / np.abs(value)
    known = np.isfinite(side)[row] & ~others_endless & (np.abs(limit) <= HUGE)
    most, least_of = known & (value > 0), known & (value < 0)
    np.minimum.at(above, column[most], limit[most] + slack[most])
    np.maximum.at(below, column[least_of], limit[least_of] - slack[least_of])


def _rounded(integer: Flags, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Limits of whole numbers as whole numbers, with room for the solver's tolerance."""
    return (
        np.where(integer, np.ceil(lower - SLACK) + 0.0, lower),
        np.where(integer, np.floor(upper + SLACK) + 0.0, upper),
    )
