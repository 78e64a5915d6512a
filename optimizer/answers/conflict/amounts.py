"""By how much a figure has to move for a plan to exist: one slack, priced at one a unit.

Where a figure moves limits of rows and nothing else, in a straight line, what a unit of it does
is read off two cases, and the least amount is the optimum of the case with one column more.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array, hstack

from optimizer.answers.conflict.questions import Posed
from optimizer.highs import Budget, Options
from optimizer.matrix import Floats, Matrix, costless

#: How near to the least an amount has to be, as a share of it.
GAP = 1e-6
#: Two figures that should agree may differ by so much of the larger.
ALIKE = 1e-9


@dataclass(frozen=True)
class Least:
    """The least amount that makes a plan possible.

    Attributes
    ----------
    amount : float
        With this much there is a plan of the model; infinite where none is enough.
    bound : float
        With less there is none.
    """

    amount: float
    bound: float

    @property
    def proved(self) -> bool:
        """Whether the two meet."""
        return self.amount == self.bound or (
            self.amount - self.bound <= 1e-5 * max(1.0, abs(self.amount))
        )


def least_amount(
    typed: Posed,
    moved: tuple[Posed, Posed],
    unit: float,
    *,
    whole: bool,
    options: Options,
    budget: Budget,
    stop: threading.Event,
) -> Least | None:
    """Find the least amount of a figure with which a case has a plan.

    Parameters
    ----------
    typed : Posed
        The case as it stands, without a plan.
    moved : pair of Posed
        The same with the figure moved by ``unit``, and by twice as much.
    unit : float
        By how much, in its own unit, always above zero.
    whole : bool
        Whether the amount has to be whole.
    options : Options
        Limits of the run.
    budget : Budget
        Pays for it.
    stop : threading.Event
        Setting it ends the search.

    Returns
    -------
    Least or None
        None where the figure does more than move limits in a straight line, or nothing was found.
    """
    column = _column(typed, moved[0], unit)
    if column is None or not _straight(column, _column(typed, moved[1], 2.0 * unit)):
        return None
    outcome = budget.run(_with(typed.model.matrix, column, whole=whole), options, stop=stop)
    if outcome.x is None:
        return Least(math.inf, math.inf) if outcome.status == "infeasible" else None
    amount = float(outcome.x[-1])
    # Without a bound nothing is proved of what is less.
    bound = 0.0 if outcome.bound is None else float(outcome.bound)
    return Least(amount, min(bound, amount))


def _column(typed: Posed, moved: Posed, unit: float) -> Floats | None:
    """What a unit of the figure gives each row; None where it does something else besides."""
    a, b = typed.model, moved.model
    if a.built.rows != b.built.rows or a.built.columns != b.built.columns:
        return None
    if a.built.contradictions or b.built.contradictions:
        return None
    same = (
        _alike(a.matrix.column_lower, b.matrix.column_lower)
        and _alike(a.matrix.column_upper, b.matrix.column_upper)
        and _same_coefficients(a.matrix, b.matrix)
    )
    lower = _moved(a.matrix.row_lower, b.matrix.row_lower, unit)
    upper = _moved(a.matrix.row_upper, b.matrix.row_upper, unit)
    if not same or lower is None or upper is None:
        return None
    both = np.isfinite(a.matrix.row_lower) & np.isfinite(a.matrix.row_upper)
    if not _alike(lower[both], upper[both]):
        return None
    return np.where(np.isfinite(a.matrix.row_upper), upper, lower)


def _alike(one: Floats, other: Floats) -> bool:
    return bool(np.allclose(one, other, rtol=ALIKE, atol=ALIKE))


def _same_coefficients(one: Matrix, other: Matrix) -> bool:
    difference = abs(one.coefficients - other.coefficients)
    return not difference.nnz or float(difference.max()) <= ALIKE


def _moved(before: Floats, after: Floats, unit: float) -> Floats | None:
    """By how much finite limits move for a unit; None where others come or go."""
    finite = np.isfinite(before)
    if (finite != np.isfinite(after)).any():
        return None
    change = np.zeros_like(before)
    change[finite] = (after[finite] - before[finite]) / unit
    change[np.abs(change) < ALIKE] = 0.0
    return change


def _straight(once: Floats, twice: Floats | None) -> bool:
    return twice is not None and bool(np.abs(once - twice).max(initial=0.0) <= 1e-7)


def _with(matrix: Matrix, column: Floats, *, whole: bool) -> Matrix:
    """A matrix with one more column, of which as little as possible is to be used."""
    added = csc_array(-column[:, None])
    bare = costless(matrix)
    return replace(
        bare,
        coefficients=csc_array(hstack([bare.coefficients, added])),
        column_lower=np.append(bare.column_lower, 0.0),
        column_upper=np.append(bare.column_upper, math.inf),
        cost=np.append(bare.cost, 1.0),
        maximise=False,
        integer=np.append(bare.integer, whole),
        column_names=[*bare.column_names, "amount"],
        columns=(),
    )
