"""What a change is worth at the margin, with the whole decisions of a plan held.

With its whole numbers fixed a plan is a linear program, and its duals say what a little of a
change brings. At a corner where several rows meet, duals are not the only ones: those of a
program that has taken a little of the change already tell the first step of it, and a secant
says whether they do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array

from optimizer.highs import Outcome
from optimizer.matrix import Flags, Floats, Matrix, fix_integers, objective_at

#: The first part of a change that is tried, how often one is tried, and how much smaller the next.
FIRST_PART, PARTS_TRIED, SMALLER_BY = 1 / 16, 10, 4
#: Relative distance within which secant and duals agree.
AGREED = 1e-6

Run = Callable[[Matrix], Outcome]


@dataclass(frozen=True, eq=False)
class Held:
    """A plan as a linear program: its whole numbers stand still.

    Attributes
    ----------
    matrix : Matrix
        The program.
    point : float array, shape (columns,)
        Its best point.
    duals : float array, shape (rows,)
        What one more of each row's limit is worth there.
    """

    matrix: Matrix
    point: Floats
    duals: Floats

    @property
    def value(self) -> float:
        """What it is worth, in M$."""
        return objective_at(self.matrix, self.point)


def held(matrix: Matrix, point: Floats, run: Run) -> Held | None:
    """Hold the whole numbers of a point, and choose the rest anew.

    Returns
    -------
    Held or None
        None where the rest has no solution, or there was no time for it.
    """
    fixed = fix_integers(matrix, point)
    outcome = run(fixed)
    if outcome.status != "optimal" or outcome.x is None or outcome.duals is None:
        return None
    return Held(fixed, outcome.x, outcome.duals)


def same(one: Matrix, other: Matrix) -> bool:
    """Whether two matrices say the same of the same unknowns, to the last bit."""
    if not alike(one, other) or one.offset != other.offset:
        return False
    pairs = zip(_arrays(one), _arrays(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs) and not _apart(one, other).nnz


def alike(one: Matrix, other: Matrix) -> bool:
    """Whether two matrices have the same rows and columns, whatever numbers stand in them."""
    names = ((one.row_names, other.row_names), (one.column_names, other.column_names))
    return one.shape == other.shape and all(list(a) == list(b) for a, b in names)


def _arrays(matrix: Matrix) -> tuple[Floats | Flags, ...]:
    return (
        matrix.row_lower, matrix.row_upper, matrix.column_lower, matrix.column_upper,
        matrix.cost, matrix.integer,
    )  # fmt: skip


def _apart(one: Matrix, other: Matrix) -> csc_array:
    found = csc_array(other.coefficients - one.coefficients)
    found.eliminate_zeros()
    return found


def wider(one: Matrix, other: Matrix) -> bool:
    """Whether every point of one matrix is one of another, and worth no less there.

    Coefficients may differ of columns that are never negative, to the better.
    """
    if not alike(one, other) or other.offset < one.offset:
        return False
    limits = (
        (other.row_lower <= one.row_lower).all() and (other.row_upper >= one.row_upper).all()
        and (other.column_lower <= one.column_lower).all()
        and (other.column_upper >= one.column_upper).all()
        and np.array_equal(one.integer, other.integer)
    )  # fmt: skip
    positive = one.column_lower >= 0
    dearer = other.cost - one.cost
    if not limits or (dearer < 0).any() or (dearer[~positive] != 0).any():
        return False
    apart = _apart(one, other).tocoo()
    upper = np.isfinite(other.row_upper)[apart.row]
    lower = np.isfinite(other.row_lower)[apart.row]
    harmless = np.where(apart.data > 0, ~upper, ~lower) & positive[apart.col]
    return bool(harmless.all())


def touched(one: Matrix, other: Matrix) -> Flags:
    """Which rows a change moves: in their limits, or in a coefficient."""
    rows: Flags = (one.row_lower != other.row_lower) | (one.row_upper != other.row_upper)
    rows[_apart(one, other).tocoo().row] = True
    return rows


def binds(one: Matrix, other: Matrix, point: Floats, tolerance: float = 1e-6) -> bool:
    """Whether a change moves a limit at a point that leaves it no room.

    What only defines a number limits nothing, nor does what the point makes nothing of, such as
    the most MW of a contract that is not signed.
    """
    activity = one.coefficients @ point
    used = other.coefficients @ point - activity
    pairs = ((one.row_lower, other.row_lower), (one.row_upper, other.row_upper))
    limits = one.row_lower != one.row_upper
    for before, after in pairs:
        finite = limits & np.isfinite(before) & np.isfinite(after)
        near = np.abs(activity - before) <= tolerance * np.maximum(1.0, np.abs(before))
        step = np.where(finite, after, 0.0) - np.where(finite, before, 0.0) - used
        if (finite & near & (np.abs(step) > tolerance**2)).any():
            return True
    return False


def takes(one: Matrix, other: Matrix, point: Floats, tolerance: float = 1e-6) -> bool:
    """Whether a point lies outside a matrix where another differs from it: it takes that room."""
    activity = one.coefficients @ point
    rows = touched(one, other) & _outside(activity, one.row_lower, one.row_upper, tolerance)
    columns = (one.column_lower != other.column_lower) | (one.column_upper != other.column_upper)
    columns &= _outside(point, one.column_lower, one.column_upper, tolerance)
    return bool(rows.any() or columns.any())


def _outside(values: Floats, lower: Floats, upper: Floats, tolerance: float) -> Flags:
    """Which values lie outside their limits by more than arithmetic."""
    less = tolerance * np.maximum(1.0, np.abs(np.where(np.isfinite(lower), lower, 0.0)))
    more = tolerance * np.maximum(1.0, np.abs(np.where(np.isfinite(upper), upper, 0.0)))
    outside: Flags = (values < lower - less) | (values > upper + more)
    return outside


def part_of(one: Matrix, other: Matrix, part: float) -> Matrix:
    """Go a part of the way from one matrix to another."""

    def between(a: Floats, b: Floats) -> Floats:
        finite = np.isfinite(a) & np.isfinite(b)
        step = np.where(finite, b, 0.0) - np.where(finite, a, 0.0)
        return np.where(finite, a + part * step, b)

    return replace(
        one,
        coefficients=csc_array(one.coefficients + part * _apart(one, other)),
        row_lower=between(one.row_lower, other.row_lower),
        row_upper=between(one.row_upper, other.row_upper),
        column_lower=between(one.column_lower, other.column_lower),
        column_upper=between(one.column_upper, other.column_upper),
        cost=one.cost + part * (other.cost - one.cost),
        offset=one.offset + part * (other.offset - one.offset),
    )


def slope(plan: Held, one: Matrix, other: Matrix) -> float:
    """What a whole change is worth at the margin of a plan, by its duals.

    Parameters
    ----------
    plan : Held
        On ``one``, or on a part of the way to ``other``.
    one, other : Matrix
        Before and after the change.

    Returns
    -------
    float
        M$ for the whole change, at the rate of its first step.
    """
    lower, upper = (_moved(a, b) for a, b in (
        (one.row_lower, other.row_lower), (one.row_upper, other.row_upper),
    ))  # fmt: skip
    activity = plan.matrix.coefficients @ plan.point
    at_lower = np.abs(activity - plan.matrix.row_lower) <= np.abs(activity - plan.matrix.row_upper)
    limits = np.where(at_lower, lower, upper)
    used = _apart(one, other) @ plan.point
    gained = float((other.cost - one.cost) @ plan.point) + other.offset - one.offset
    return gained + float(plan.duals @ (limits - used))


def _moved(one: Floats, other: Floats) -> Floats:
    finite = np.isfinite(one) & np.isfinite(other)
    return np.where(finite, other, 0.0) - np.where(finite, one, 0.0)


def margin(plan: Held, one: Matrix, other: Matrix, run: Run) -> float | None:
    """What a change is worth at the margin, in the direction of the change.

    Parameters
    ----------
    plan : Held
        The plan on ``one``.
    one, other : Matrix
        Before and after the change; the same rows and columns.
    run : callable
        Solves a linear program.

    Returns
    -------
    float or None
        M$ for the whole change, at the rate of its first step; None where no part of it was
        small enough to tell.
    """
    part = FIRST_PART
    for _ in range(PARTS_TRIED):
        after = held(part_of(one, other, part), plan.point, run)
        if after is None:
            return None
        secant = (after.value - plan.value) / part
        rate = slope(after, one, other)
        # A secant has the digits of two values, divided by the part.
        digits = 1e-9 * max(1.0, abs(plan.value)) / part
        if abs(secant - rate) <= max(AGREED * max(1.0, abs(rate)), digits):
            return rate
        part /= SMALLER_BY
    return None
