"""The model as the solver reads it, and the pre-flight that it must pass first.

Pyomo's own solver interfaces take six times the work of one flat hand-over and let numbers that
are not numbers vanish: a NaN or infinite coefficient makes HiGHS drop a row, and the answer
still says *optimal*. So the model is compiled to arrays, the arrays are looked through, and what
is unsound is refused by the name of the row and the column it stands in.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyomo.common.gc_manager import PauseGC
from pyomo.core import ConcreteModel, Constraint, Objective, Var, maximize, value
from pyomo.core.expr import LinearExpression, MonomialTermExpression
from pyomo.repn import generate_standard_repn
from scipy.sparse import coo_array, csc_array, csr_array

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: What is left of terms that cancel, as a share of their sizes, up to which it is rounding.
CANCELLED = 1e-13
#: HiGHS treats coefficients up to this size as zero.
DROPPED = 1e-9
#: Up to this size a coefficient between integers only makes HiGHS's presolve answer wrongly
#: (seen on versions 1.8.1 to 1.15.1): it lies within the tolerance of the row.
TINY = 1e-6
#: Above this size a tolerance of 1e-6 no longer says anything about the number.
HUGE = 1e9
#: Largest over smallest coefficient of a row: above the first refused, above the second told.
RANGE_REFUSED = 1e9
RANGE_TOLD = 1e7
#: A value further than this from a whole number is no rounding slip.
NEARLY_WHOLE = 1e-5


# --- the matrix ----------------------------------------------------------------------------


class Names(Sequence[str]):
    """Names of Pyomo components, spelt out only when somebody reads them.

    Parameters
    ----------
    components : sequence
        Rows or columns, each with a ``name``.
    model : ConcreteModel
        Their model, which they forget, and their names with it, unless somebody holds it.
    """

    def __init__(self, components: Sequence[Any], model: ConcreteModel) -> None:
        self._components = components
        self._model = model

    def __len__(self) -> int:
        return len(self._components)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [component.name for component in self._components[index]]
        return str(self._components[index].name)


class _Chosen(Sequence[str]):
    """Some of several names."""

    def __init__(self, names: Sequence[str], chosen: NDArray[np.int64]) -> None:
        self._names, self._chosen = names, chosen

    def __len__(self) -> int:
        return len(self._chosen)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self._names[j] for j in self._chosen[index].tolist()]
        return self._names[int(self._chosen[index])]


@dataclass(frozen=True, eq=False)
class Matrix:
    """A mixed-integer linear program as arrays.

    Attributes
    ----------
    coefficients : csc_array, shape (rows, columns)
        One entry per row and column, ordered within each column.
    row_lower, row_upper : float array, shape (rows,)
        Limits of each row, infinite where there is none.
    column_lower, column_upper : float array, shape (columns,)
        Limits of each unknown.
    cost : float array, shape (columns,)
        What one unit of each unknown adds to the objective.
    offset : float
        What the objective holds before any unknown.
    maximise : bool
        Whether more is better.
    integer : bool array, shape (columns,)
        Which unknowns are whole numbers.
    row_names, column_names : sequence of str
        For messages and exports; spelt out on reading.
    columns : sequence
        Pyomo's unknown behind each column, to write a plan back; empty without a model.
    """

    coefficients: csc_array
    row_lower: Floats
    row_upper: Floats
    column_lower: Floats
    column_upper: Floats
    cost: Floats
    offset: float
    maximise: bool
    integer: Flags
    row_names: Sequence[str] = field(repr=False)
    column_names: Sequence[str] = field(repr=False)
    columns: Sequence[Any] = field(default=(), repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return len(self.row_lower), len(self.column_lower)


def dense_matrix(
    rows: ArrayLike,
    row_lower: ArrayLike,
    row_upper: ArrayLike,
    column_lower: ArrayLike,
    column_upper: ArrayLike,
    cost: ArrayLike,
    *,
    integer: ArrayLike | bool = False,
    maximise: bool = False,
    offset: float = 0.0,
) -> Matrix:
    """Write a small matrix down as a table.

    Examples
    --------
    >>> both = dense_matrix([[1, 1]], [-np.inf], [4.5], [0, 0], [9, 9], [2, 3], maximise=True)
    >>> both.shape, list(both.row_names), list(both.column_names)
    ((1, 2), ['r0'], ['x0', 'x1'])
    """
    lower, upper, price = (np.array(v, float) for v in (column_lower, column_upper, cost))
    below, above = np.array(row_lower, float), np.array(row_upper, float)
    table = np.array(rows, float).reshape(len(below), len(lower))
    return Matrix(
        coefficients=csc_array(table),
        row_lower=below,
        row_upper=above,
        column_lower=lower,
        column_upper=upper,
        cost=price,
        offset=offset,
        maximise=maximise,
        integer=np.broadcast_to(np.asarray(integer, bool), lower.shape).copy(),
        row_names=[f"r{i}" for i in range(len(below))],
        column_names=[f"x{j}" for j in range(len(lower))],
    )


class RowNeverHolds(Exception):
    """Rows without unknowns do not hold: the model is infeasible before any solve.

    Attributes
    ----------
    rows : list of str
        Their names.
    """

    def __init__(self, rows: Sequence[str]) -> None:
        self.rows = list(rows)
        super().__init__("no decision changes that these do not hold: " + ", ".join(rows))


def compile_model(model: ConcreteModel) -> Matrix:
    """Read a Pyomo model into arrays, rows and unknowns in the order of their declaration.

    Pyomo's own compiler does the same in twice the time, splits a row with two limits in two, and
    leaves out unknowns that stand in no row. A fixed unknown has both limits at its value. Rows
    without unknowns are left out where they hold.

    Parameters
    ----------
    model : ConcreteModel
        Linear, with at most one active objective.

    Raises
    ------
    RowNeverHolds
        Where rows hold no unknown and are false.
    ValueError
        Where the model is not linear, has two objectives, or uses an unknown that is not its own
        or is neither whole nor real.
    """
    with PauseGC():
        columns = list(model.component_data_objects(Var, active=True, descend_into=True))
        place = _Places((id(unknown), j) for j, unknown in enumerate(columns))
        cost, offset, maximise = _objective(model, place)
        rows, coefficients, row_lower, row_upper = _rows(model, place)
        column_lower, column_upper, integer = _limits(columns)
    return Matrix(
        coefficients=coefficients,
        row_lower=row_lower,
        row_upper=row_upper,
        column_lower=column_lower,
        column_upper=column_upper,
        cost=cost,
        offset=offset,
        maximise=maximise,
        integer=integer,
        row_names=Names(rows, model),
        column_names=Names(columns, model),
        columns=columns,
    )


class _Places(dict[int, int]):
    """Column of each unknown, by the identity of the unknown."""

    def __missing__(self, _identity: int) -> int:
        raise ValueError("a row or the objective holds an unknown that is not the model's own")


@dataclass
class _Terms:
    """Coefficients as they are read, and the column of each."""

    place: _Places
    values: list[float] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)

    def read(self, expression: Any) -> float:
        """Take the terms of an expression, and return its constant."""
        if expression.__class__ is not LinearExpression:
            return self._read_any(expression)
        constant = 0.0
        values, columns, place = self.values, self.columns, self.place
        for term in expression.args:
            if term.__class__ is MonomialTermExpression:
                coefficient, unknown = term.args
                values.append(value(coefficient))
                columns.append(place[id(unknown)])
            else:
                constant += self._read_any(term)
        return constant

    def _read_any(self, expression: Any) -> float:
        plain = generate_standard_repn(expression, compute_values=True)
        if not plain.is_linear():
            raise ValueError(f"not linear in its unknowns: {expression}")
        self.values += plain.linear_coefs
        self.columns += [self.place[id(unknown)] for unknown in plain.linear_vars]
        return float(plain.constant)


def _objective(model: ConcreteModel, place: _Places) -> tuple[Floats, float, bool]:
    """Cost of each column, constant, and whether more is better."""
    objectives = list(model.component_data_objects(Objective, active=True, descend_into=True))
    if len(objectives) > 1:
        raise ValueError(f"{len(objectives)} objectives are active, one is needed")
    if not objectives:
        return np.zeros(len(place)), 0.0, False
    terms = _Terms(place)
    offset = terms.read(objectives[0].expr)
    cost = costs(np.array(terms.columns, int), np.array(terms.values, float), len(place))
    return cost, offset, bool(objectives[0].sense == maximize)


def costs(columns: NDArray[np.int64], values: Floats, count: int) -> Floats:
    """Add up the terms of an objective by unknown; what cancels but for rounding is nothing."""
    cost = np.bincount(columns, values, count).astype(float)
    cost[np.abs(cost) < CANCELLED * np.bincount(columns, np.abs(values), count)] = 0.0
    return cost


def _rows(model: ConcreteModel, place: _Places) -> tuple[list[Any], csc_array, Floats, Floats]:
    """Constraints that hold unknowns, their coefficients, and their lower and upper limits."""
    terms = _Terms(place)
    rows: list[Any] = []
    starts, lower, upper = [0], [], []
    false: list[str] = []
    for row in model.component_data_objects(Constraint, active=True, descend_into=True):
        below, body, above = row.to_bounded_expression()
        constant = terms.read(body)
        least = -math.inf if below is None else value(below) - constant
        most = math.inf if above is None else value(above) - constant
        if len(terms.values) > starts[-1]:
            rows.append(row)
            starts.append(len(terms.values))
            lower.append(least)
            upper.append(most)
        elif not least <= 0 <= most:
            false.append(row.name)
    if false:
        raise RowNeverHolds(false)
    by_row = csr_array(
        (np.array(terms.values, float), np.array(terms.columns, np.int32), starts),
        shape=(len(rows), len(place)),
    )
    return rows, added_up(by_row), np.array(lower, float), np.array(upper, float)


def added_up(by_row: csr_array) -> csc_array:
    """Add up the terms of each unknown in each row; what cancels but for rounding is nothing."""
    table = by_row.tocsc()
    size = csc_array((np.abs(table.data), table.indices, table.indptr), table.shape, copy=True)
    table.sum_duplicates()
    size.sum_duplicates()
    table.data[np.abs(table.data) < CANCELLED * size.data] = 0.0
    table.eliminate_zeros()
    return table


def _limits(columns: Sequence[Any]) -> tuple[Floats, Floats, Flags]:
    """Lower and upper limit of each unknown, and whether it is a whole number."""
    lower, upper = np.full(len(columns), -np.inf), np.full(len(columns), np.inf)
    integer = np.zeros(len(columns), bool)
    for j, unknown in enumerate(columns):
        below, above = unknown.bounds
        if unknown.fixed:
            below = above = unknown.value
        if below is not None:
            lower[j] = below
        if above is not None:
            upper[j] = above
        if unknown.is_integer():
            integer[j] = True
        elif not unknown.is_continuous():
            raise ValueError(f"{unknown.name} is neither a whole nor a real number")
    return lower, upper, integer


# --- points --------------------------------------------------------------------------------


def objective_at(matrix: Matrix, point: Floats) -> float:
    """Objective of a point, in the unit of the costs, offset included."""
    terms = matrix.cost * point
    # The sum is exact: what is nothing adds nothing, and most unknowns cost nothing.
    return matrix.offset + math.fsum(terms[terms != 0].tolist())


def largest_violation(matrix: Matrix, point: Floats) -> float:
    """By how much a point breaks the row or limit that it breaks most; 0 where it holds all.

    Each row is measured in its own unit; integrality is not looked at.
    """
    activity = matrix.coefficients @ point
    misses = (
        matrix.row_lower - activity,
        activity - matrix.row_upper,
        matrix.column_lower - point,
        point - matrix.column_upper,
    )
    # np.max, unlike max, hands a NaN on.
    return float(np.max([miss.max(initial=0.0) for miss in misses]))


def round_integers(matrix: Matrix, point: Floats) -> Floats:
    """Put whole numbers where the solver left them within its tolerance.

    Raises
    ------
    ValueError
        Where a value lies further than 1e-5 from a whole number.

    Examples
    --------
    >>> m = dense_matrix([[1, 1]], [0], [9], [0, 0], [9, 9], [1, 1], integer=[True, False])
    >>> round_integers(m, np.array([2.9999997, 0.5]))
    array([3. , 0.5])
    """
    whole = np.rint(point)
    off = np.where(matrix.integer, np.abs(point - whole), 0.0)
    worst = int(off.argmax()) if off.size else 0
    if off.size and not off[worst] <= NEARLY_WHOLE:
        raise ValueError(f"{matrix.column_names[worst]} should be whole and is {point[worst]!r}")
    return np.where(matrix.integer, whole, point)


def divided(matrix: Matrix) -> Matrix:
    """Give the same matrix, in which nothing has to be whole."""
    return replace(matrix, integer=np.zeros_like(matrix.integer))


def costless(matrix: Matrix) -> Matrix:
    """Give the same matrix, to which every point that holds is as good as any other."""
    return replace(matrix, cost=np.zeros_like(matrix.cost), offset=0.0)


def fix_integers(matrix: Matrix, point: Floats) -> Matrix:
    """Hold every whole number at its value in ``point``: what is left to decide is linear."""
    fixed = np.where(matrix.integer, round_integers(matrix, point), np.nan)
    return replace(
        matrix,
        column_lower=np.where(matrix.integer, fixed, matrix.column_lower),
        column_upper=np.where(matrix.integer, fixed, matrix.column_upper),
        integer=np.zeros_like(matrix.integer),
    )


# --- what is left to decide ------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Rest:
    """What is left of a matrix without the columns that cannot move.

    Attributes
    ----------
    matrix : Matrix
        The rest, without rows in which nothing moves.
    free : bool array
        Which columns of the whole it has.
    held : float array
        Values of all others; of the free ones, anything.
    """

    matrix: Matrix
    free: Flags
    held: Floats

    def whole(self, point: Floats) -> Floats:
        """Put a point of the rest back among what is held."""
        whole = self.held.copy()
        whole[self.free] = point
        return whole

    def digest(self) -> bytes:
        """Tell it from every other by a few bytes."""
        matrix, told = self.matrix, hashlib.sha256()
        table = matrix.coefficients
        arrays = (
            self.free, self.held[~self.free], table.indptr, table.indices, table.data,
            matrix.row_lower, matrix.row_upper, matrix.column_lower, matrix.column_upper,
            matrix.cost, matrix.integer, np.array([matrix.offset, matrix.maximise]),
        )  # fmt: skip
        for array in arrays:
            told.update(np.ascontiguousarray(array).tobytes())
        return told.digest()


def rest_of(matrix: Matrix, tolerance: float) -> Rest | None:
    """Leave out columns that cannot move; None where they break a limit, or a row of their own.

    A column cannot move whose limits meet, or that an equality ties to such columns alone.

    Parameters
    ----------
    matrix : Matrix
        What is to be decided.
    tolerance : float
        By how much limits may be missed for each unit of size, and whole numbers of any size.

    Examples
    --------
    >>> table = dense_matrix(
    ...     [[1, 1, 0], [1, 0, 0], [0, 1, 1]], [4, 0, 0], [4, 4, 8], [3, 0, 0], [3, 8, 8], [1] * 3
    ... )
    >>> rest = rest_of(table, 1e-9)
    >>> rest.matrix.shape, rest.matrix.row_upper, rest.whole(np.array([5.0]))
    ((1, 1), array([7.]), array([3., 1., 5.]))
    """
    free, held = _following(matrix)
    off = np.maximum(matrix.column_lower - held, held - matrix.column_upper)
    broken = off > tolerance * np.maximum(1.0, np.abs(held))
    # Half of one is half of one, however many there are.
    broken |= matrix.integer & (np.abs(held - np.rint(held)) > tolerance)
    if (broken & ~free).any():
        return None
    activity, size = matrix.coefficients @ held, abs(matrix.coefficients) @ np.abs(held)
    table = matrix.coefficients[:, free].tocsr()
    rows = np.diff(table.indptr) > 0
    lower, upper = matrix.row_lower - activity, matrix.row_upper - activity
    if (np.maximum(lower, -upper)[~rows] > tolerance * np.maximum(1.0, size[~rows])).any():
        return None
    rest = Matrix(
        coefficients=table[rows].tocsc(),
        row_lower=lower[rows],
        row_upper=upper[rows],
        column_lower=matrix.column_lower[free],
        column_upper=matrix.column_upper[free],
        cost=matrix.cost[free],
        offset=objective_at(matrix, held),
        maximise=matrix.maximise,
        integer=matrix.integer[free],
        row_names=_Chosen(matrix.row_names, np.flatnonzero(rows)),
        column_names=_Chosen(matrix.column_names, np.flatnonzero(free)),
    )
    return Rest(rest, free, held)


def _following(matrix: Matrix) -> tuple[Flags, Floats]:
    """Which columns may move, and where all others stand."""
    free = matrix.column_lower != matrix.column_upper
    held = np.where(free, 0.0, matrix.column_lower)
    equal = matrix.row_lower == matrix.row_upper
    table = matrix.coefficients
    column = np.repeat(np.arange(len(free)), np.diff(table.indptr))
    entries = np.flatnonzero(equal[table.indices] & (table.data != 0))
    row, column, value = table.indices[entries], column[entries], table.data[entries]
    while True:
        moves = free[column]
        moving = np.bincount(row[moves], minlength=len(equal))[row]
        last = moving == 1
        if not last.any():
            return free, held
        at, alone = row[last], moves[last]
        known = np.bincount(at, value[last] * held[column[last]], len(equal))
        places, ends = column[last][alone], at[alone]
        found = (matrix.row_lower[ends] - known[ends]) / value[last][alone]
        held[places] = np.where(matrix.integer[places], _nearly_whole(found), found)
        free[places] = False
        left = moving > 1
        row, column, value = row[left], column[left], value[left]


def _nearly_whole(values: Floats) -> Floats:
    """Put whole numbers where arithmetic left them."""
    whole = np.rint(values)
    return np.where(np.abs(values - whole) <= NEARLY_WHOLE, whole, values)


# --- pre-flight ----------------------------------------------------------------------------

#: Says in the user's words where the number of a row and a column came from.
Describe = Callable[[str | None, str | None], str]

FaultKind = Literal[
    "not-a-number",
    "infinite",
    "huge",
    "dropped",
    "tiny-between-integers",
    "tiny",
    "wide-row",
    "contradictory",
    "idle-row",
]


@dataclass(frozen=True)
class Fault:
    """A number that the solver would get wrong, and where it stands.

    Attributes
    ----------
    kind : str
        What is wrong with it.
    row, column : str or None
        Where it stands; a row alone for its limits, a column alone for its cost and limits.
    value : float
        The number (for a wide row, largest over smallest coefficient).
    what : str
        The sentence to show.
    origin : str
        Where the number came from, in the user's words, when the caller knows.
    refused : bool
        False for what is told and let through.
    """

    kind: FaultKind
    row: str | None
    column: str | None
    value: float
    what: str
    origin: str
    refused: bool

    def __str__(self) -> str:
        where = " × ".join(name for name in (self.row, self.column) if name) or "objective"
        came = f" (from {self.origin})" if self.origin else ""
        return f"{where}: {self.what}{came}"


class MatrixRefused(Exception):
    """The model holds numbers that no answer could be trusted on.

    Attributes
    ----------
    faults : list of Fault
        Every one of them.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(map(str, faults)))


def refuse_unsound(matrix: Matrix, describe: Describe | None = None) -> list[Fault]:
    """Let a sound matrix through, and say what was odd about it.

    Raises
    ------
    MatrixRefused
        With every fault that stops it.
    """
    faults = preflight(matrix, describe)
    refused = [fault for fault in faults if fault.refused]
    if refused:
        raise MatrixRefused(refused)
    return faults


def preflight(matrix: Matrix, describe: Describe | None = None) -> list[Fault]:
    """Find every number that HiGHS would drop, refuse, or answer wrongly on.

    Parameters
    ----------
    matrix : Matrix
        What is about to be solved.
    describe : callable, optional
        ``describe(row, column)`` names the input that the number came from; either may be None.

    Returns
    -------
    list of Fault
        Coefficients first, then rows, columns and objective.
    """
    report = _Report(matrix, describe or _of_unknown_origin)
    return [
        *_coefficient_faults(matrix, report),
        *_width_faults(matrix, report),
        *_row_faults(matrix, report),
        *_column_faults(matrix, report),
        *_objective_faults(matrix, report),
    ]


@dataclass(frozen=True)
class _Report:
    """Write a fault down by row and column number."""

    matrix: Matrix
    describe: Describe

    def __call__(
        self,
        kind: FaultKind,
        what: str,
        value: float,
        *,
        row: int | None = None,
        column: int | None = None,
        refused: bool = True,
    ) -> Fault:
        row_name = None if row is None else self.matrix.row_names[row]
        column_name = None if column is None else self.matrix.column_names[column]
        origin = self.describe(row_name, column_name)
        return Fault(kind, row_name, column_name, float(value), what, origin, refused)


def _of_unknown_origin(_row: str | None, _column: str | None) -> str:
    return ""


def _each(mask: Flags) -> Iterator[int]:
    return (int(i) for i in np.flatnonzero(mask))


def _coefficient_faults(matrix: Matrix, report: _Report) -> Iterator[Fault]:
    size = np.abs(matrix.coefficients.data)
    if ((size == 0) | ((size > TINY) & (size <= HUGE))).all():
        return
    entries = coo_array(matrix.coefficients)
    # A fixed real number is a constant by the time presolve looks at the row.
    loose = ~matrix.integer & (matrix.column_lower < matrix.column_upper)
    mixed = np.zeros(matrix.shape[0], bool)
    mixed[entries.row[loose[entries.col]]] = True
    faint = (size > 0) & (size <= TINY) & (size > DROPPED)
    between = faint & ~mixed[entries.row]
    finds: Mapping[FaultKind, tuple[Flags, str]] = {
        "not-a-number": (np.isnan(entries.data), "the coefficient is not a number"),
        "infinite": (np.isinf(entries.data), "the coefficient is infinite"),
        "huge": ((size > HUGE) & np.isfinite(size), "the coefficient is above 1e9 in size"),
        "dropped": ((size > 0) & (size <= DROPPED), "the solver would take it for zero"),
        "tiny-between-integers": (between, "below 1e-6 in size in a row of whole numbers"),
        "tiny": (faint & ~between, "below 1e-6 in size, within the tolerance of its row"),
    }
    for kind, (found, what) in finds.items():
        for e in _each(found):
            value = entries.data[e]
            yield report(
                kind,
                f"{value:.6g}: {what}",
                value,
                row=int(entries.row[e]),
                column=int(entries.col[e]),
                refused=kind != "tiny",
            )


def _width_faults(matrix: Matrix, report: _Report) -> Iterator[Fault]:
    size = np.abs(matrix.coefficients.data)
    counted = np.isfinite(size) & (size > 0)
    row = matrix.coefficients.indices[counted]
    largest, smallest = np.zeros(matrix.shape[0]), np.full(matrix.shape[0], np.inf)
    np.maximum.at(largest, row, size[counted])
    np.minimum.at(smallest, row, size[counted])
    with np.errstate(over="ignore"):
        width = largest / smallest
    for i in _each(width > RANGE_TOLD):
        what = f"coefficients from {smallest[i]:.3g} to {largest[i]:.3g} in one row"
        yield report("wide-row", what, width[i], row=i, refused=bool(width[i] > RANGE_REFUSED))


def _limit_faults(
    lower: Floats, upper: Floats, report: Callable[..., Fault], axis: Literal["row", "column"]
) -> Iterator[Fault]:
    for side, limit, wrong in (("lower", lower, np.inf), ("upper", upper, -np.inf)):
        finds: Mapping[FaultKind, tuple[Flags, str]] = {
            "not-a-number": (np.isnan(limit), f"the {side} limit is not a number"),
            "infinite": (limit == wrong, f"the {side} limit is {wrong:+g}"),
            "huge": ((np.abs(limit) > HUGE) & np.isfinite(limit), f"{side} limit above 1e9"),
        }
        for kind, (found, what) in finds.items():
            for i in _each(found):
                yield report(kind, f"{what} ({limit[i]:.6g})", limit[i], **{axis: i})
    for i in _each((lower > upper) & np.isfinite(lower) & np.isfinite(upper)):
        what = f"the lower limit {lower[i]:.6g} is above the upper {upper[i]:.6g}"
        yield report("contradictory", what, lower[i] - upper[i], **{axis: i})


def _row_faults(matrix: Matrix, report: _Report) -> Iterator[Fault]:
    yield from _limit_faults(matrix.row_lower, matrix.row_upper, report, "row")
    for i in _each((matrix.row_lower == -np.inf) & (matrix.row_upper == np.inf)):
        yield report("idle-row", "limits nothing: neither side is finite", np.inf, row=i)


def _column_faults(matrix: Matrix, report: _Report) -> Iterator[Fault]:
    yield from _limit_faults(matrix.column_lower, matrix.column_upper, report, "column")


def _objective_faults(matrix: Matrix, report: _Report) -> Iterator[Fault]:
    finds: Mapping[FaultKind, Callable[[Floats], Flags]] = {
        "not-a-number": np.isnan,
        "infinite": np.isinf,
        "huge": lambda value: (np.abs(value) > HUGE) & np.isfinite(value),
    }
    for kind, finder in finds.items():
        for j in _each(finder(matrix.cost)):
            value = matrix.cost[j]
            yield report(kind, f"a cost of {value:.6g} per unit", value, column=j)
        if finder(np.array([matrix.offset]))[0]:
            yield report(kind, f"a constant of {matrix.offset:.6g}", matrix.offset)
