"""A case as arrays, what their columns mean, and a point of it made whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array

from models.build import Built, Column, build
from optimizer.case import Case
from optimizer.followed import Followed
from optimizer.highs import Budget, Options
from optimizer.layout import Layout
from optimizer.matrix import (
    Fault,
    Flags,
    Floats,
    Matrix,
    compile_model,
    fix_integers,
    refuse_unsound,
    round_integers,
)
from optimizer.origins import origins_in
from optimizer.tighten import Limits

#: Nodes in which they are chosen anew once all actions are known.
NODES_TO_FOLLOW = 200
#: Of what stands for hours and earns or costs in a band less than this, a fifth of a cent, is not
#: told to the solver.
BRINK_MUSD = 2e-9
MONEY = frozenset({"capital.margin_balance", "yearly.tangent"})


@dataclass(frozen=True, eq=False)
class Model:
    """A case as arrays, and what their columns mean.

    ``followed`` has its relations as arrays, where nobody need read the families anew, and
    ``known`` is what its unknowns mean, where that is known from another case; ``compiled`` are
    the arrays of the case itself, where ``matrix`` may hold decisions beyond it.
    """

    built: Built
    matrix: Matrix
    warnings: tuple[Fault, ...]
    followed: Followed | None = None
    known: Layout | None = None
    compiled: Matrix | None = None

    @property
    def is_of_case(self) -> bool:
        """Whether it holds nothing that its case does not."""
        return self.matrix is self.compiled

    @cached_property
    def layout(self) -> Layout:
        """What its unknowns mean."""
        return self.known or Layout(self.built.columns)

    @property
    def large(self) -> Flags:
        """Which columns are large decisions."""
        return self.layout.large

    @property
    def follows(self) -> Flags:
        """Which columns follow from the actions of a plan, though they are whole."""
        return self.layout.follows

    @property
    def kinds(self) -> NDArray[np.int64]:
        """Columns numbered by what they decide, whatever the date."""
        return self.layout.kinds

    def values(self, x: Floats) -> dict[Column, float]:
        """Name the numbers of a point."""
        return dict(zip(self.built.columns, x.tolist(), strict=True))


def compile_case(case: Case, pinned: Mapping[Column, float] | None = None) -> Model:
    """Build a case, compile it into arrays and let these pass the pre-flight.

    Raises
    ------
    UnusableNumbers, MatrixRefused
        Where numbers are not finite, huge or tiny.
    """
    built = build(case.given, pinned)
    return sound(case, built, compile_model(built.model))


def sound(case: Case, built: Built, matrix: Matrix, followed: Followed | None = None) -> Model:
    """Let the arrays of a case pass the pre-flight.

    Raises
    ------
    MatrixRefused
        Where numbers are huge or tiny.
    """
    layout = Layout(built.columns) if followed is None else followed.layout
    matrix = _without_dust(built, matrix, layout)
    told = tuple(refuse_unsound(matrix, origins_in(case, built)))
    return Model(built, matrix, told, followed, layout, matrix)


def _without_dust(built: Built, matrix: Matrix, layout: Layout) -> Matrix:
    """Leave out what hours at the brink of breaking even earn: the solver would take it for zero.

    A plan's hours are dispatched again in the end, so that its value holds such sums as well.
    """
    small = np.abs(matrix.coefficients.data) < BRINK_MUSD
    if not small.any():
        return matrix
    money = np.array([name in MONEY for name, _ in built.rows])
    entries = coo_array(matrix.coefficients)
    dust = layout.hourly[entries.col] & money[entries.row] & small
    if not dust.any():
        return matrix
    kept = ~dust
    cleaned = coo_array((entries.data[kept], (entries.row[kept], entries.col[kept])), matrix.shape)
    return replace(matrix, coefficients=csc_array(cleaned))


def polished(
    matrix: Matrix,
    x: Floats,
    budget: Budget | None = None,
    follows: Flags | None = None,
    limits: Limits | None = None,
) -> Floats:
    """Round the integers and solve the rest again with them fixed.

    Falls back on the rounded point where the linear rest cannot be solved, or not in the time
    that the budget has for it; the audit judges it.

    Parameters
    ----------
    matrix : Matrix
        What was solved.
    x : float array
        A point.
    budget : Budget, optional
        Pays for it.
    follows : bool array, optional
        Integers that follow from the others, and are first chosen anew beside them.
    limits : pair of float arrays, optional
        Limits of columns that were worked out for the matrix before.
    """
    budget = budget or Budget()
    if follows is not None and follows.any():
        x = _following(matrix, x, budget, follows)
    fixed, exact = fix_integers(matrix, x), Options(gap=0.0, time_limit=budget.to_settle)
    outcome = budget.run(fixed, exact, limits=limits)
    return round_integers(matrix, x) if outcome.x is None else outcome.x


def _following(matrix: Matrix, x: Floats, budget: Budget, follows: Flags) -> Floats:
    """Choose the best of what follows from a point's decisions, with these held."""
    actions = matrix.integer & ~follows
    held = fix_integers(replace(matrix, integer=actions), x)
    left = Options(gap=0.0, absolute_gap=0.0, time_limit=budget.to_settle, nodes=NODES_TO_FOLLOW)
    found = budget.run(replace(held, integer=matrix.integer & follows), left, start=x)
    return x if found.x is None else found.x


def hinted(model: Model, hint: Mapping[Column, float], budget: Budget) -> Floats | None:
    """Make a point of another plan's whole numbers; None where they do not fit this case.

    Parameters
    ----------
    model : Model
        A compiled case.
    hint : mapping
        Whole numbers by column, of a plan of a case much like it.
    budget : Budget
        Pays for it.
    """
    if not hint:
        return None
    known = model.layout.named(hint)
    return None if ruled_out(model, known) else completed(model, known, budget)


def ruled_out(model: Model, known: Floats) -> bool:
    """Whether whole numbers do not fit a case, as far as is clear without a solve.

    Parameters
    ----------
    model : Model
        A compiled case.
    known : float array, shape (columns,)
        Whole numbers where columns are whole.
    """
    matrix = model.matrix
    known = np.where(matrix.integer, known, np.nan)
    missing = matrix.integer & ~np.isfinite(known)
    outside = (known < matrix.column_lower) | (known > matrix.column_upper)
    if missing.any() or outside.any():
        return True
    return model.followed is not None and model.followed.rules_out(known)


def completed(model: Model, known: Floats, budget: Budget) -> Floats | None:
    """Take whole numbers as they are and choose the rest; None where no rest fits them.

    Parameters
    ----------
    model : Model
        A compiled case.
    known : float array, shape (columns,)
        Whole numbers where columns are whole.
    budget : Budget
        Pays for it.
    """
    fixed = fix_integers(model.matrix, known)
    left = Options(gap=0.0, time_limit=budget.to_settle, confirm=False)
    return budget.run(fixed, left).x
