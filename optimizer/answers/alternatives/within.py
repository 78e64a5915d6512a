"""Plans within a loss of the best, as rows and columns beside a case's own.

``Within`` holds the case's matrix with a row for its value and a column for each measure. What is
asked of it is another matrix with the case's columns first, so that a point of either is one of
the case.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csc_array

from models.build import Column
from optimizer.answers.alternatives.measures import Measure
from optimizer.highs import Budget, Options
from optimizer.matrix import Floats, Matrix, divided
from optimizer.tighten import implied_limits

#: MW by which two plans must differ in a measure to differ at all.
SAME_MW = 1e-6
#: How far limits worked out by linear programs are loosened, in MW and as a share of their size.
LOOSENED = 1e-6


@dataclass(frozen=True)
class Rows:
    """Rows to add to a matrix: entries, and the limits of each row."""

    entries: list[tuple[int, int, float]]
    lower: list[float]
    upper: list[float]

    @classmethod
    def none(cls) -> Rows:
        """Start without any."""
        return cls([], [], [])

    def add(self, terms: Sequence[tuple[int, float]], lower: float, upper: float) -> None:
        """Add a row of columns and coefficients."""
        self.entries.extend((len(self.lower), column, value) for column, value in terms)
        self.lower.append(lower)
        self.upper.append(upper)


@dataclass(frozen=True)
class Columns:
    """Columns to add to a matrix: their limits, and whether they are whole."""

    first: int
    lower: list[float]
    upper: list[float]
    whole: list[bool]

    @classmethod
    def after(cls, count: int) -> Columns:
        """Start behind so many."""
        return cls(count, [], [], [])

    def add(self, lower: float, upper: float, *, whole: bool = False) -> int:
        """Add a column and give its number."""
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(whole)
        return self.first + len(self.lower) - 1


def with_more(matrix: Matrix, columns: Columns, rows: Rows) -> Matrix:
    """Add columns, which earn nothing, and rows behind those of a matrix."""
    old = coo_array(matrix.coefficients)
    many, more = matrix.shape[0], len(rows.lower)
    at = np.array([entry[0] for entry in rows.entries], np.int64) + many
    on = np.array([entry[1] for entry in rows.entries], np.int64)
    values = np.array([entry[2] for entry in rows.entries], float)
    shape = many + more, columns.first + len(columns.lower)
    table = csc_array(
        coo_array(
            (
                np.concatenate([old.data, values]),
                (np.concatenate([old.row, at]), np.concatenate([old.col, on])),
            ),
            shape,
        )
    )
    return replace(
        matrix,
        coefficients=table,
        row_lower=np.append(matrix.row_lower, rows.lower),
        row_upper=np.append(matrix.row_upper, rows.upper),
        column_lower=np.append(matrix.column_lower, columns.lower),
        column_upper=np.append(matrix.column_upper, columns.upper),
        cost=np.append(matrix.cost, np.zeros(len(columns.lower))),
        integer=np.append(matrix.integer, np.array(columns.whole, bool)),
        row_names=[f"r{i}" for i in range(shape[0])],
        column_names=[f"x{j}" for j in range(shape[1])],
        columns=(),
    )


def value_row(matrix: Matrix) -> list[tuple[int, float]]:
    """Columns of the value with what a unit of each is worth."""
    return [(int(j), float(matrix.cost[j])) for j in np.flatnonzero(matrix.cost)]


@dataclass(frozen=True, eq=False)
class Within:
    """Plans that are worth enough.

    Attributes
    ----------
    matrix : Matrix
        The case's, with a row that keeps the value up.
    own : int
        Columns of the case itself.
    measures : tuple of Measure
        In what plans may differ.
    terms : tuple
        Of each measure, columns with their MW per unit.
    lower, upper : float array, shape (measures,)
        Limits of each measure among these plans, in MW.
    """

    matrix: Matrix
    own: int
    measures: tuple[Measure, ...]
    terms: tuple[tuple[tuple[int, float], ...], ...]
    lower: Floats
    upper: Floats

    def worth(self, least_musd: float) -> Within:
        """Ask for more value."""
        lower = self.matrix.row_lower.copy()
        lower[-1] = least_musd - self.matrix.offset
        return replace(self, matrix=replace(self.matrix, row_lower=lower))


def within(
    matrix: Matrix,
    place: Mapping[Column, int],
    measures: tuple[Measure, ...],
    least_musd: float,
    best: Floats,
    budget: Budget,
) -> Within:
    """Keep a case's plans to those worth enough, and work out between what each measure lies.

    Parameters
    ----------
    matrix : Matrix
        The case; more value is better.
    place : mapping
        Number of each column.
    measures : tuple of Measure
        In what plans may differ.
    least_musd : float
        Least value in M$.
    best : float array, shape (measures,)
        Measures of a plan among them, in MW.
    budget : Budget
        Ends the work on limits early; those that follow from the rows alone then stay.
    """
    terms = tuple(tuple((place[column], mw) for column, mw in m.terms) for m in measures)
    rows = Rows.none()
    rows.add(value_row(matrix), least_musd - matrix.offset, np.inf)
    kept = with_more(matrix, Columns.after(matrix.shape[1]), rows)
    lower, upper = _limits(kept, terms, best, budget)
    return Within(kept, matrix.shape[1], measures, terms, lower, upper)


def _limits(
    matrix: Matrix, terms: Sequence[Sequence[tuple[int, float]]], best: Floats, budget: Budget
) -> tuple[Floats, Floats]:
    """Least and most of each measure: by its rows, then by linear programs that hold the value.

    What a plan at hand attains is not asked for again.
    """
    least, most = implied_limits(matrix)
    lower = np.array([sum(mw * least[j] for j, mw in own) for own in terms], float)
    upper = np.array([sum(mw * most[j] for j, mw in own) for own in terms], float)
    relaxed = replace(divided(matrix), offset=0.0)
    for i, own in enumerate(terms):
        if not budget.to_search:
            break
        cost = np.zeros(matrix.shape[1])
        for j, mw in own:
            cost[j] += mw
        asked = replace(relaxed, cost=cost)
        if lower[i] < best[i] - SAME_MW:
            lower[i] = max(lower[i], -_most(replace(asked, cost=-cost), budget))
        if upper[i] > best[i] + SAME_MW:
            upper[i] = min(upper[i], _most(asked, budget))
    return lower, upper


def _most(relaxed: Matrix, budget: Budget) -> float:
    """Most that a linear program allows, loosened; without an answer anything."""
    options = Options(time_limit=budget.to_search, confirm=False)
    found = budget.run(replace(relaxed, maximise=True), options)
    if found.status != "optimal" or found.objective is None:
        return math.inf
    return found.objective + LOOSENED * max(1.0, abs(found.objective))


# --- farthest from the plans so far --------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Farthest:
    """The distance from several plans as a matrix to maximise.

    Attributes
    ----------
    matrix : Matrix
        Columns of the case, then segments and switches of measures, then the distance.
    distance : int
        Column of the distance, in MW.
    """

    matrix: Matrix
    distance: int


def farthest(among: Within, plans: Sequence[Floats]) -> Farthest:
    """Ask for the plan whose least distance from others is largest.

    Each measure is cut where another plan has it. Its segments fill one after another, each with
    a switch that says whether it is full: so every distance, of which more is wanted, is a sum of
    segments. For one measure this describes its distances exactly, with limits no larger than
    the segments.

    Parameters
    ----------
    among : Within
        Plans that are worth enough.
    plans : sequence of float arrays, shape (measures,)
        Measures of the plans so far, in MW.
    """
    columns, rows = Columns.after(among.matrix.shape[1]), Rows.none()
    most = sum(
        m.weight * max(high - low, 0.0)
        for m, low, high in zip(among.measures, among.lower, among.upper, strict=True)
    )
    apart: list[tuple[list[tuple[int, float]], float]] = [([], 0.0) for _ in plans]
    for i, measure in enumerate(among.measures):
        at = [float(plan[i]) for plan in plans]
        low, high = min(among.lower[i], *at), max(among.upper[i], *at)
        if high - low <= SAME_MW:
            continue
        cuts = _cuts(at, low, high)
        ends = [*cuts, high]
        lengths = [end - start for start, end in zip([low, *cuts], ends, strict=True)]
        segments = [columns.add(0.0, length) for length in lengths]
        rows.add([*among.terms[i], *((s, -1.0) for s in segments)], low, low)
        pairs = zip(itertools.pairwise(segments), itertools.pairwise(lengths), strict=True)
        for (before, after), (full, rest) in pairs:
            switch = columns.add(0.0, 1.0, whole=True)
            rows.add([(before, 1.0), (switch, -full)], 0.0, np.inf)
            rows.add([(after, 1.0), (switch, -rest)], -np.inf, 0.0)
        for j, mw in enumerate(at):
            terms, constant = _away(segments, lengths, ends, mw)
            apart[j][0].extend((s, measure.weight * sign) for s, sign in terms)
            apart[j] = apart[j][0], apart[j][1] + measure.weight * constant
    distance = columns.add(0.0, max(most, SAME_MW))
    for terms, constant in apart:
        rows.add([(distance, 1.0), *((s, -value) for s, value in terms)], -np.inf, constant)
    matrix = with_more(among.matrix, columns, rows)
    cost = np.zeros(matrix.shape[1])
    cost[distance] = 1.0
    return Farthest(replace(matrix, cost=cost, offset=0.0, maximise=True), distance)


def _cuts(at: Sequence[float], low: float, high: float) -> list[float]:
    """Values inside a range at which it is cut; those that are the same once."""
    cuts: list[float] = []
    for mw in sorted(at):
        if low + SAME_MW < mw < high - SAME_MW and (not cuts or mw > cuts[-1] + SAME_MW):
            cuts.append(mw)
    return cuts


def _away(
    segments: Sequence[int], lengths: Sequence[float], ends: Sequence[float], mw: float
) -> tuple[list[tuple[int, float]], float]:
    """Distance from a value: what segments below it lack, and what those above it hold."""
    terms, constant = [], 0.0
    for segment, length, end in zip(segments, lengths, ends, strict=True):
        if end <= mw + SAME_MW:
            terms.append((segment, -1.0))
            constant += length
        else:
            terms.append((segment, 1.0))
    return terms, constant


def at_least(among: Within, asked: Farthest, mw: float) -> Matrix:
    """Ask for the most valuable plan among those that are so far away."""
    matrix, value = asked.matrix, among.matrix
    lower = matrix.column_lower.copy()
    lower[asked.distance] = mw
    cost = np.append(value.cost, np.zeros(matrix.shape[1] - value.shape[1]))
    return replace(matrix, column_lower=lower, cost=cost, offset=value.offset, maximise=True)
