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

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from optimizer.matrix import HUGE, Flags, Floats, Matrix

Ints = NDArray[np.int64]
#: Lower and upper limits of all columns.
Limits = tuple[Floats, Floats]

#: How far from a whole number a ratio of coefficients may lie and still be one.
WHOLE = 1e-9
#: How far a limit is loosened before it is rounded, so that no rounding error cuts a plan off.
SLACK = 1e-6
#: How often limits are handed on from row to row, and how often at most where whole numbers would
#: have none else: those of a long horizon wait for the ones of the quarter before.
PASSES, MOST_PASSES = 12, 100


@dataclass(frozen=True)
class _Entries:
    """Coefficients with their row and column."""

    row: Ints
    column: Ints
    value: Floats

    def where(self, chosen: Flags) -> _Entries:
        return _Entries(self.row[chosen], self.column[chosen], self.value[chosen])


@dataclass(frozen=True, eq=False)
class _Pattern:
    """Where the coefficients of matrices stand that differ in numbers alone.

    ``begins`` and ``row`` go by columns; ``by_row`` are places in these, row after row, with
    ``row_begins``.
    """

    begins: Ints
    row: Ints
    column: Ints
    by_row: Ints
    row_begins: Ints
    whole: Recent = field(default_factory=lambda: Recent(4))
    sides: Recent = field(default_factory=lambda: Recent(2))
    live: Recent = field(default_factory=lambda: Recent(2))

    @classmethod
    def of(cls, table: csc_array, rows: int) -> _Pattern:
        """Read it off a matrix, in arrays of its own."""
        row = table.indices.astype(np.int64)
        column = np.repeat(np.arange(table.shape[1]), np.diff(table.indptr))
        row_begins = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))])
        by_row = np.argsort(row, kind="stable")
        return cls(table.indptr.astype(np.int64), row, column, by_row, row_begins)


class Recent:
    """Answers by the arrays that they follow from, compared number by number; the last few.

    Parameters
    ----------
    kept : int
        Most answers that are kept.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._known: list[tuple[tuple[NDArray[Any], ...], Any]] = []

    def of(self, arrays: tuple[NDArray[Any], ...], work: Callable[[], Any]) -> Any:
        """Give the answer for some arrays, which nobody may write into later."""
        for known, answer in self._known:
            if all(a is b or np.array_equal(a, b) for a, b in zip(known, arrays, strict=True)):
                return answer
        answer = work()
        self._known = [*self._known, (arrays, answer)][-self._kept :]
        return answer


#: Patterns of the matrices asked for last, as long as their places are in use somewhere else.
_PATTERNS: list[tuple[ref[Any], ref[Any], _Pattern]] = []
_KEPT = 2
#: Several searches may go on in one process.
_ASKING = Lock()


def _pattern(matrix: Matrix) -> _Pattern:
    """Pattern of a matrix; the same for all that share the arrays of their places."""
    table = matrix.coefficients
    if not table.data.all():
        table = table.copy()
        table.eliminate_zeros()
        return _Pattern.of(table, matrix.shape[0])
    with _ASKING:
        for position, (indices, indptr, pattern) in enumerate(_PATTERNS):
            if indices() is table.indices and indptr() is table.indptr:
                _PATTERNS.append(_PATTERNS.pop(position))
                return pattern
        pattern = _Pattern.of(table, matrix.shape[0])
        _PATTERNS[:] = [*_PATTERNS, (ref(table.indices), ref(table.indptr), pattern)][-_KEPT:]
        return pattern


def _values(matrix: Matrix) -> Floats:
    data: Floats = matrix.coefficients.data
    return data if data.all() else data[data != 0]


def tighten(matrix: Matrix, known: Limits | None = None) -> tuple[Matrix, Limits]:
    """Declare whole what can only be whole, and give whole numbers the limits of their rows.

    Parameters
    ----------
    matrix : Matrix
        What is to be solved.
    known : pair of float arrays, optional
        Limits worked out for the same rows and wider limits of columns: they are taken over
        where they leave every whole number a finite range.

    Returns
    -------
    Matrix
        With the same plans; limits of real numbers are left as they are.
    pair of float arrays
        Lower and upper limits that were worked out for every column.
    """
    if not (matrix.integer.any() and np.isfinite(matrix.coefficients.data).all()):
        return matrix, (matrix.column_lower, matrix.column_upper)
    declared = replace(matrix, integer=only_whole(matrix))
    integer, limits = declared.integer, None if known is None else _taken_over(declared, known)
    lower, upper = limits = limits or implied_limits(declared)
    # Crossed limits mean that no plan exists; that is for two solves to say, not for us.
    kept = integer & (lower <= upper)
    tight = replace(
        matrix,
        integer=integer,
        column_lower=np.where(kept, lower, matrix.column_lower),
        column_upper=np.where(kept, upper, matrix.column_upper),
    )
    return tight, limits


def _taken_over(matrix: Matrix, known: Limits) -> Limits | None:
    """Limits of a matrix within known ones; None where a whole number has no finite range."""
    lower = np.maximum(matrix.column_lower, known[0])
    upper = np.minimum(matrix.column_upper, known[1])
    lower = np.where(matrix.integer, _inwards(lower), lower)
    upper = np.where(matrix.integer, 0.0 - _inwards(-upper), upper)
    return (lower, upper) if np.isfinite((upper - lower)[matrix.integer]).all() else None


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
    pattern, values = _pattern(matrix), _values(matrix)
    equal = (matrix.row_lower == matrix.row_upper)[pattern.row]
    tied = values[equal]
    known = (matrix.integer.copy(), equal, tied, matrix.row_lower[pattern.row[equal]])

    def again() -> Flags:
        entries = _Entries(pattern.row[equal], pattern.column[equal], tied)
        return _only_whole(entries, matrix.row_lower, matrix.integer.copy())

    found: Flags = pattern.whole.of(known, again)
    return found.copy()


def _only_whole(entries: _Entries, sides: Floats, whole: Flags) -> Flags:
    """Declare whole what rows that are equalities tie to whole numbers, one after another."""
    while True:
        real = ~whole[entries.column]
        reals = np.bincount(entries.row[real], minlength=len(sides))
        entries = entries.where(reals[entries.row] > 0)
        found = _tied(entries.where(reals[entries.row] == 1), sides, whole)
        if not found.size:
            return whole
        whole[found] = True


def _tied(entries: _Entries, side: Floats, whole: Flags) -> Ints:
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


@dataclass(frozen=True, eq=False)
class _Sides:
    """Rows with a side that they may not exceed: an equality, or a range, comes twice.

    Attributes
    ----------
    begins, counts, row : int array
        Where the entries of each begin, how many they are, and of each entry the side.
    place, column : int array
        Of each entry, its place among the coefficients, and its column.
    turned : bool array
        Whether its sign is turned, as that of a row that may not fall below its side.
    column_begins, of_column : int array
        Sides in which each column stands, and where those of each begin.
    """

    begins: Ints
    counts: Ints
    row: Ints
    place: Ints
    column: Ints
    turned: Flags
    column_begins: Ints
    of_column: Ints

    @classmethod
    def of(cls, pattern: _Pattern, above: Flags, below: Flags) -> _Sides:
        """List the sides of rows that have one above or below, those above first."""
        rows = np.concatenate([np.flatnonzero(above), np.flatnonzero(below)])
        counts = np.diff(pattern.row_begins)[rows]
        begins = np.cumsum(counts) - counts
        place = pattern.by_row[_ranges(pattern.row_begins[rows], counts)]
        row, column = np.repeat(np.arange(len(rows)), counts), pattern.column[place]
        ends = np.cumsum(np.bincount(column, minlength=len(pattern.begins) - 1))
        return cls(
            begins, counts, row, place, column, row >= above.sum(),
            np.concatenate([[0], ends]), row[np.argsort(column, kind="stable")],
        )  # fmt: skip

    def news_of(self, columns: Ints) -> Ints:
        """Sides in which any of some columns stands, in order."""
        begins = self.column_begins.take(columns)
        counts = self.column_begins.take(columns + 1) - begins
        news = np.zeros(len(self.counts), bool)
        news[self.of_column.take(_ranges(begins, counts))] = True
        return np.flatnonzero(news)


@dataclass(frozen=True, eq=False)
class _Live:
    """Sides that have something to say, and their entries one side after another.

    Limits stand in one array, all lower ones first and then all upper ones with their signs
    turned, so that the greater of two is the tighter everywhere.

    Attributes
    ----------
    side : float array
        What each may not exceed.
    counts, row : int array
        Entries of each, and of each entry the side.
    size : float array
        Coefficients without their signs.
    taken, left : int array
        Of each entry, the limit with which it takes least, and the one that its row may tighten.
    """

    side: Floats
    counts: Ints
    row: Ints
    size: Floats
    taken: Ints
    left: Ints

    @classmethod
    def of(cls, sides: _Sides, values: Floats, side: Floats) -> _Live:
        """Take all sides of a matrix."""
        value, n = values.take(sides.place), len(sides.column_begins) - 1
        upwards = (value > 0) ^ sides.turned
        away = np.where(upwards, sides.column + n, sides.column)
        return cls(
            side, sides.counts, sides.row, np.abs(value),
            np.where(upwards, sides.column, sides.column + n), away,
        )  # fmt: skip

    def only(self, begins: Ints, chosen: Ints) -> _Live:
        """Take some of them, in order."""
        counts = self.counts.take(chosen)
        entry = _ranges(begins.take(chosen), counts)
        return _Live(
            self.side.take(chosen), counts, np.repeat(np.arange(len(chosen)), counts),
            self.size.take(entry), self.taken.take(entry), self.left.take(entry),
        )  # fmt: skip


def _ranges(begins: Ints, counts: Ints) -> Ints:
    """Places in several ranges, one range after another.

    Examples
    --------
    >>> _ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    places: Ints = np.arange(total) + np.repeat(begins - (ends - counts), counts)
    return places


def implied_limits(matrix: Matrix) -> Limits:
    """Lower and upper limits that rows and other limits leave to each column.

    Those of whole numbers are rounded inwards; those above 1e9 in size are not found.
    """
    sides, every = _every_side(matrix)
    whole, n = np.concatenate([matrix.integer, matrix.integer]), matrix.shape[1]
    limits = np.concatenate([matrix.column_lower, -matrix.column_upper])
    limits = np.where(whole, _inwards(limits), limits)
    moved: Ints | None = None
    for turn in range(MOST_PASSES):
        if turn >= PASSES and np.isfinite(limits[whole]).all():
            break
        # Only rows of a limit that has moved have anything new to say.
        news = None if moved is None else sides.news_of(moved % n)
        live = every if news is None else every.only(sides.begins, news)
        tighter = limits.copy()
        places = _hand_on(live, limits, tighter)
        found = tighter.take(places)
        found = np.where(whole.take(places), _inwards(found), found)
        tighter[places] = found
        moved = places[found > limits.take(places)]
        limits = tighter
        if not moved.size:
            break
    return limits[:n], 0.0 - limits[n:]


def _every_side(matrix: Matrix) -> tuple[_Sides, _Live]:
    """All finite sides of a matrix; where they stand, and what is in them, is remembered."""
    pattern, values = _pattern(matrix), _values(matrix).copy()
    above, below = np.isfinite(matrix.row_upper), np.isfinite(matrix.row_lower)
    sides: _Sides = pattern.sides.of((above, below), lambda: _Sides.of(pattern, above, below))
    side = np.concatenate([matrix.row_upper[above], -matrix.row_lower[below]])
    entries = (above, below, values)
    live: _Live = pattern.live.of(entries, lambda: _Live.of(sides, values, side))
    return sides, replace(live, side=side)


def _inwards(limits: Floats) -> Floats:
    """Limits of whole numbers as whole numbers, with room for the solver's tolerance."""
    return np.ceil(limits - SLACK) + 0.0


def _hand_on(live: _Live, limits: Floats, tighter: Floats) -> Ints:
    """Tighten limits by rows that may not exceed their sides, and return where.

    What a row leaves to a column is its side, less the least that all other columns take.
    """
    least, count = live.size * limits.take(live.taken), len(live.side)
    endless = np.flatnonzero(np.isinf(least))
    least[endless] = 0.0
    row = live.row.take(endless)
    endless_of = np.bincount(row, minlength=count)
    sums = np.asarray(np.bincount(live.row, least, count), np.float64)
    sizes = np.asarray(np.bincount(live.row, np.abs(least), count), np.float64)
    # Of a row with one endless term, only this can be tightened; with more of them, none.
    open_to_all = np.where(endless_of > 0, -np.inf, sums - live.side)
    # Without slack: most entries are done with here.
    may = np.repeat(open_to_all, live.counts) - least
    chosen = np.concatenate([
        np.flatnonzero(may > live.size * limits.take(live.left)),
        endless[endless_of.take(row) == 1],
    ])  # fmt: skip
    row, size = live.row.take(chosen), live.size.take(chosen)
    limit = ((sums.take(row) - least.take(chosen)) - live.side.take(row)) / size
    far = np.abs(limit)
    limit -= SLACK * np.maximum(1.0, far) + 1e-12 * sizes.take(row) / size
    known = far <= HUGE
    places = live.left.take(chosen)[known]
    np.maximum.at(tighter, places, limit[known])
    return places
