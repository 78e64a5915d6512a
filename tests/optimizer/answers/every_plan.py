"""Every plan of a small case that is worth enough, by trying whole numbers one after another.

The rows of a case are read once into an LP of its own. Whole numbers are then held, column after
column and value after value; what is left is bounded by the LP alone, so that no branch is left
that holds a plan worth enough, and none is followed by any other rule. Of each plan in whole
numbers its measures are worked out, as ranges where real numbers still move them. Nothing of how
alternatives are found is used.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csc_array

from optimizer.highs import Quiet
from optimizer.matrix import Floats, Matrix

#: Whole numbers by their column.
Held = list[tuple[int, float]]

#: MW by which a measure may move and still be one number.
FIXED = 1e-6


class TooMany(Exception):
    """There are more plans than are worth trying."""


@dataclass
class _Program:
    """An LP whose limits and costs are changed in place."""

    matrix: Matrix
    least: float
    solved: int = 0

    def __post_init__(self) -> None:
        m = self.matrix
        self.solver = Quiet()
        self.solver.setOptionValue("output_flag", False)
        rows = np.append(m.row_lower, self.least - m.offset)
        program = highspy.HighsLp()
        program.num_row_, program.num_col_ = m.shape[0] + 1, m.shape[1]
        program.sense_ = highspy.ObjSense.kMaximize
        program.offset_, program.col_cost_ = 0.0, m.cost
        program.col_lower_, program.col_upper_ = m.column_lower, m.column_upper
        program.row_lower_, program.row_upper_ = rows, np.append(m.row_upper, np.inf)
        table = np.vstack([m.coefficients.toarray(), m.cost])
        packed = csc_array(table)
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_ = packed.indptr
        program.a_matrix_.index_ = packed.indices
        program.a_matrix_.value_ = packed.data
        self.solver.passModel(program)

    def hold(self, column: int, lower: float, upper: float) -> None:
        self.solver.changeColBounds(column, lower, upper)

    def most(self, cost: Floats) -> float | None:
        """Most of a sum of columns; None where nothing is worth enough."""
        every = np.arange(len(cost), dtype=np.int32)
        self.solver.changeColsCost(len(every), every, cost)
        self.solver.run()
        self.solved += 1
        status = self.solver.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return float(self.solver.getInfo().objective_function_value)
        if status == highspy.HighsModelStatus.kUnbounded:
            raise TooMany
        assert status == highspy.HighsModelStatus.kInfeasible, status
        return None


@dataclass(frozen=True)
class Whole:
    """A plan in whole numbers: what is held, and between what its measures lie."""

    held: tuple[tuple[int, float], ...]
    lower: Floats
    upper: Floats

    @property
    def moves(self) -> bool:
        return bool((self.upper - self.lower > FIXED).any())


@dataclass
class EveryPlan:
    """All plans of a matrix worth at least so much.

    ``terms`` are the measures, each as columns with MW per unit.
    """

    matrix: Matrix
    least: float
    terms: Sequence[Sequence[tuple[int, float]]]
    weights: Floats
    most_solved: int = 30_000
    plans: list[Whole] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.program = _Program(self.matrix, self.least)
        self.whole = [int(j) for j in np.flatnonzero(self.matrix.integer)]
        self.lower, self.upper = np.zeros(self.matrix.shape[1]), np.zeros(self.matrix.shape[1])
        for j in self.whole:
            unit = np.zeros(self.matrix.shape[1])
            unit[j] = 1.0
            self.lower[j] = np.ceil(-self._bound(-unit) - 1e-6)
            self.upper[j] = np.floor(self._bound(unit) + 1e-6)
        self.costs = []
        for own in self.terms:
            cost = np.zeros(self.matrix.shape[1])
            for j, mw in own:
                cost[j] += mw
            self.costs.append(cost)
        self.all_held: list[tuple[tuple[int, float], ...]] = []
        seen: set[bytes] = set()
        for held in self._walk(0, []):
            self.all_held.append(tuple(held))
            lower = np.array([-self._bound(-cost) for cost in self.costs])
            upper = np.array([self._bound(cost) for cost in self.costs])
            plan = Whole(tuple(held), lower, upper)
            key = np.round(lower, 5).tobytes()
            if plan.moves or key not in seen:
                seen.add(key)
                self.plans.append(plan)

    def _bound(self, cost: Floats) -> float:
        most = self.program.most(cost)
        assert most is not None
        return most

    def _walk(self, depth: int, held: Held) -> Iterator[Held]:
        if self.program.solved > self.most_solved:
            raise TooMany
        if self.program.most(self.matrix.cost) is None:
            return
        if depth == len(self.whole):
            yield held
            return
        j = self.whole[depth]
        for value in np.arange(self.lower[j], self.upper[j] + 0.5):
            self.program.hold(j, value, value)
            yield from self._walk(depth + 1, [*held, (j, float(value))])
        self.program.hold(j, self.matrix.column_lower[j], self.matrix.column_upper[j])

    def amounts(self, cost: Floats) -> tuple[float, float]:
        """Least and most of a sum of whole numbers, over all plans."""
        sums = [sum(cost[j] * value for j, value in held) for held in self.all_held]
        return min(sums), max(sums)

    def farthest(self, others: Sequence[Floats]) -> float:
        """Largest least distance from others, over all plans."""
        return max(
            self._moving(plan, others) if plan.moves else self._apart(plan.lower, others)
            for plan in self.plans
        )

    def _apart(self, at: Floats, others: Sequence[Floats]) -> float:
        return min(float(self.weights @ np.abs(at - other)) for other in others)

    def _moving(self, plan: Whole, others: Sequence[Floats]) -> float:
        """Where real numbers move measures: cell by cell between the values of others."""
        for j, value in plan.held:
            self.program.hold(j, value, value)
        free = [i for i in range(len(self.costs)) if plan.upper[i] - plan.lower[i] > FIXED]
        cells = []
        for i in free:
            inside = sorted({o[i] for o in others if plan.lower[i] < o[i] < plan.upper[i]})
            ends = [plan.lower[i] - 1e-9, *inside, plan.upper[i] + 1e-9]
            cells.append(list(itertools.pairwise(ends)))
        best = -np.inf
        for cell in itertools.product(*cells):
            best = max(best, self._in_cell(plan, dict(zip(free, cell, strict=True)), others))
        for j, _ in plan.held:
            self.program.hold(j, self.matrix.column_lower[j], self.matrix.column_upper[j])
        return best

    def _in_cell(
        self, plan: Whole, cell: dict[int, tuple[float, float]], others: Sequence[Floats]
    ) -> float:
        """Solve an LP of its own for one cell: a column more for the distance, rows for signs."""
        m = self.matrix
        n = m.shape[1]
        rows = [np.append(row, 0.0) for row in m.coefficients.toarray()]
        lower, upper = list(m.row_lower), list(m.row_upper)
        rows.append(np.append(m.cost, 0.0))
        lower.append(self.least - m.offset)
        upper.append(np.inf)
        for i, (low, high) in cell.items():
            rows.append(np.append(self.costs[i], 0.0))
            lower.append(low)
            upper.append(high)
        for other in others:
            row, constant = np.zeros(n + 1), 0.0
            row[n] = 1.0
            for i, cost in enumerate(self.costs):
                if i not in cell:
                    constant += self.weights[i] * abs(plan.lower[i] - other[i])
                    continue
                sign = 1.0 if cell[i][0] >= other[i] - 1e-9 else -1.0
                row[:n] -= self.weights[i] * sign * cost
                constant -= self.weights[i] * sign * other[i]
            rows.append(row)
            lower.append(-np.inf)
            upper.append(constant)
        held = dict(plan.held)
        table, below, above = np.array(rows), np.array(lower), np.array(upper)
        limits = [
            (held[j], held[j]) if j in held else (m.column_lower[j], m.column_upper[j])
            for j in range(n)
        ]
        up, down = np.isfinite(above), np.isfinite(below)
        goal = np.zeros(n + 1)
        goal[n] = -1.0
        done = linprog(
            goal,
            A_ub=np.vstack([table[up], -table[down]]),
            b_ub=np.concatenate([above[up], -below[down]]),
            bounds=[*limits, (None, None)],
        )
        return -done.fun if done.status == 0 else -np.inf
