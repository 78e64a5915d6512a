"""The compiled matrix, and the pre-flight: what is planted is found, where it stands."""

import gc
from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.core.expr import LinearExpression
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy.sparse import csc_array

from optimizer.highs import Options, run
from optimizer.matrix import (
    MatrixRefused,
    RowNeverHolds,
    compile_model,
    dense_matrix,
    fix_integers,
    largest_violation,
    objective_at,
    preflight,
    refuse_unsound,
    rest_of,
    round_integers,
)
from optimizer.sentinels import GUARDED, PUBLISHED

INF = np.inf
NAN = np.nan


# --- compilation ---------------------------------------------------------------------------


def small_model():
    m = pyo.ConcreteModel()
    m.idle = pyo.Var(bounds=(1.5, 7.0))
    m.racks = pyo.Var([0, 1], domain=pyo.NonNegativeIntegers)
    m.racks[1].setub(9)
    m.cash = pyo.Var()
    m.sign = pyo.Var(domain=pyo.Binary)
    m.held = pyo.Var(bounds=(0, 10))
    m.held.fix(4.0)
    m.value = pyo.Objective(
        expr=3 * m.racks[0] - 0.5 * m.cash + 2 * m.held + 7, sense=pyo.maximize
    )
    rows = {
        "range": (-2.0, LinearExpression([2 * m.racks[0], -1 * m.cash]), 6.0),
        "equal": (5.0, LinearExpression([1 * m.racks[1], 4 * m.sign]), 5.0),
        "above": (1.0, LinearExpression([1 * m.cash, 10.0]), None),
        "below": (None, LinearExpression([2 * m.racks[0], 1 * m.racks[0], 3 * m.held]), 20.0),
    }
    m.limit = pyo.Constraint(list(rows), rule=lambda _m, name: rows[name])
    return m


def test_every_unknown_and_row_lands_where_it_was_declared():
    matrix = compile_model(small_model())
    assert list(matrix.column_names) == ["idle", "racks[0]", "racks[1]", "cash", "sign", "held"]
    assert matrix.row_names[:] == [
        f"limit[{name}]" for name in ("range", "equal", "above", "below")
    ]
    np.testing.assert_array_equal(
        matrix.coefficients.toarray(),
        [[0, 2, 0, -1, 0, 0], [0, 0, 1, 0, 4, 0], [0, 0, 0, 1, 0, 0], [0, 3, 0, 0, 0, 3]],
    )
    np.testing.assert_array_equal(matrix.row_lower, [-2, 5, -9, -INF])
    np.testing.assert_array_equal(matrix.row_upper, [6, 5, INF, 20])
    np.testing.assert_array_equal(matrix.column_lower, [1.5, 0, 0, -INF, 0, 4])
    np.testing.assert_array_equal(matrix.column_upper, [7, INF, 9, INF, 1, 4])
    np.testing.assert_array_equal(matrix.cost, [0, 3, 0, -0.5, 0, 2])
    np.testing.assert_array_equal(matrix.integer, [0, 1, 1, 0, 1, 0])
    assert (matrix.offset, matrix.maximise) == (7.0, True)
    assert [v.name for v in matrix.columns] == list(matrix.column_names)


def test_minimising_keeps_its_sense_and_no_objective_costs_nothing():
    m = small_model()
    m.value.sense = pyo.minimize
    assert not compile_model(m).maximise
    m.value.deactivate()
    bare = compile_model(m)
    assert (bare.maximise, bare.offset, bare.cost.any()) == (False, 0.0, False)


def test_two_objectives_or_a_product_of_unknowns_are_no_matrix():
    m = small_model()
    m.other = pyo.Objective(expr=m.cash)
    with pytest.raises(ValueError, match="2 objectives"):
        compile_model(m)
    m.del_component(m.other)
    m.product = pyo.Constraint(expr=m.cash * m.racks[0] <= 1)
    with pytest.raises(ValueError, match="not linear"):
        compile_model(m)


def test_a_row_without_unknowns_is_dropped_where_true_and_named_where_false():
    m = small_model()
    m.true = pyo.Constraint(rule=(None, LinearExpression([2.0]), 3.0))
    assert len(compile_model(m).row_names) == 4
    m.false = pyo.Constraint(rule=(4.0, LinearExpression([2.0]), None))
    m.wrong = pyo.Constraint(rule=(None, LinearExpression([NAN]), 3.0))
    with pytest.raises(RowNeverHolds) as never:
        compile_model(m)
    assert never.value.rows == ["false", "wrong"]


def test_an_unknown_of_another_model_is_refused():
    m, other = small_model(), small_model()
    m.strange = pyo.Constraint(expr=other.cash + m.cash <= 3)
    with pytest.raises(ValueError, match="not the model's own"):
        compile_model(m)


def test_names_outlive_the_hand_that_built_the_model():
    matrix = compile_model(small_model())
    gc.collect()
    assert matrix.row_names[0] == "limit[range]"


@pytest.mark.parametrize("seed", range(20))
def test_pyomos_own_compiler_reads_the_same(seed):
    rng = np.random.default_rng(seed)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(6), bounds=(0, 9))
    m.rate = pyo.Param(initialize=0.75, mutable=True)

    def body(sparse):
        terms = [rng.normal() * m.x[j] for j in rng.permutation(6) if rng.random() < sparse]
        whole = sum(terms) + m.rate * m.x[0] + rng.normal()
        return LinearExpression([*terms, 1.0 * m.x[1], m.rate]) if rng.random() < 0.5 else whole

    m.value = pyo.Objective(expr=body(1.0) + m.x[1] - 2 * (m.x[1] - 3), sense=pyo.maximize)
    m.row = pyo.Constraint(range(8), rule=lambda m, i: body(0.5) <= 3 if i % 2 else body(0.5) == 1)
    form = LinearStandardFormCompiler().write(
        m, mixed_form=True, set_sense=None, column_order=[m.x[j] for j in range(6)]
    )
    ours = compile_model(m)
    assert [v.name for v in form.columns] == list(ours.column_names)
    assert [entry.constraint.name for entry in form.rows] == list(ours.row_names)
    close = {"rtol": 1e-13, "atol": 1e-13}
    np.testing.assert_allclose(form.A.toarray(), ours.coefficients.toarray(), **close)
    np.testing.assert_allclose(form.c.toarray()[0], ours.cost, **close)
    np.testing.assert_allclose(form.rhs, ours.row_upper, **close)
    np.testing.assert_allclose(form.c_offset[0], ours.offset, **close)


def one_row(coefficient=1.0, upper=3.0, cost=1.0, constant=0.0):
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 1))
    m.value = pyo.Objective(expr=LinearExpression([cost * m.x, 1.0 * m.y]))
    body = LinearExpression([coefficient * m.x, 1.0 * m.y, constant])
    m.row = pyo.Constraint(rule=(None, body, upper))
    return compile_model(m)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"coefficient": NAN}, "not-a-number"),
        ({"coefficient": INF}, "infinite"),
        ({"coefficient": 1e16}, "huge"),
        ({"coefficient": 1e-10}, "dropped"),
        ({"upper": NAN}, "not-a-number"),
        ({"upper": INF}, "idle-row"),
        ({"upper": -INF}, "infinite"),
        ({"cost": NAN}, "not-a-number"),
        ({"cost": -INF}, "infinite"),
        ({"constant": NAN}, "not-a-number"),
        ({"constant": INF}, "infinite"),
    ],
)
def test_what_pyomo_lets_through_is_seen_before_the_solver(change, kind):
    assert not preflight(one_row())
    assert kind in {fault.kind for fault in preflight(one_row(**change)) if fault.refused}


# --- points --------------------------------------------------------------------------------


def test_a_point_is_measured_against_rows_and_limits():
    matrix = dense_matrix([[1, 2]], [0], [4], [0, 0], [3, 3], [1, -1], offset=0.5)
    assert largest_violation(matrix, np.array([2.0, 1.0])) == 0.0
    assert largest_violation(matrix, np.array([1.0, 2.25])) == 1.5
    assert largest_violation(matrix, np.array([3.5, 0.0])) == 0.5
    assert np.isnan(largest_violation(matrix, np.array([NAN, 0.0])))
    assert objective_at(matrix, np.array([2.0, 1.0])) == 1.5


def test_integers_are_rounded_and_fixed_but_not_bent():
    matrix = dense_matrix([[1, 1]], [0], [9], [0, 0], [5, 5], [1, 1], integer=[True, False])
    point = np.array([2.9999995, 1.25])
    np.testing.assert_array_equal(round_integers(matrix, point), [3.0, 1.25])
    fixed = fix_integers(matrix, point)
    assert (fixed.column_lower[0], fixed.column_upper[0]) == (3.0, 3.0)
    assert (fixed.column_lower[1], fixed.column_upper[1]) == (0.0, 5.0)
    assert not fixed.integer.any()
    for off in (2.9, NAN):
        with pytest.raises(ValueError, match="x0 should be whole"):
            round_integers(matrix, np.array([off, 1.25]))


# --- pre-flight ----------------------------------------------------------------------------


def sound_matrix(seed, rows=12, columns=15):
    """A matrix with nothing wrong: coefficients 0.01 to 100, some rows of integers only."""
    rng = np.random.default_rng(seed)
    integer = rng.random(columns) < 0.6
    table = 10 ** rng.uniform(-2, 2, (rows, columns)) * (rng.random((rows, columns)) < 0.5)
    table[: rows // 3, ~integer] = 0.0
    table[np.arange(rows), rng.choice(np.flatnonzero(integer), rows)] = 1.0
    upper = rng.uniform(1, 1e4, rows)
    lower = np.where(rng.random(rows) < 0.5, upper - rng.uniform(0, 10, rows), -INF)
    return dense_matrix(
        table,
        lower,
        upper,
        np.zeros(columns),
        rng.uniform(1, 50, columns),
        rng.uniform(-5, 5, columns),
        integer=integer,
        maximise=True,
    )


BAD_COEFFICIENTS = {
    "not-a-number": [NAN],
    "infinite": [INF, -INF],
    "huge": [1.1e9, -1e16, 1e300],
    "dropped": [1e-9, -3e-10, 5e-324],
}
BAD_LIMITS = {"not-a-number": [NAN], "huge": [2e9, -1e15]}


def plant(seed):
    """Break a sound matrix in one place; say how, in which row and which column."""
    rng = np.random.default_rng(1000 + seed)
    matrix = sound_matrix(seed)
    row, column = int(rng.integers(matrix.shape[0])), int(rng.integers(matrix.shape[1]))
    place = ("coefficient", "between", "row", "column", "cost", "crossed")[seed % 6]
    if place == "coefficient":
        kind = str(rng.choice(list(BAD_COEFFICIENTS)))
        return (
            with_entry(matrix, row, column, rng.choice(BAD_COEFFICIENTS[kind])),
            kind,
            row,
            column,
        )
    if place == "between":
        row = int(rng.integers(matrix.shape[0] // 3))
        column = int(rng.choice(np.flatnonzero(matrix.integer)))
        value = float(10 ** rng.uniform(-8.9, -6)) * rng.choice([-1, 1])
        return with_entry(matrix, row, column, value), "tiny-between-integers", row, column
    side = ("lower", "upper")[int(rng.integers(2))]
    if place == "crossed":
        axis = ("row", "column")[int(rng.integers(2))]
        i = row if axis == "row" else column
        upper = getattr(matrix, f"{axis}_upper").copy()
        lower = getattr(matrix, f"{axis}_lower").copy()
        lower[i] = upper[i] + 1e-3
        broken = replace(matrix, **{f"{axis}_lower": lower})
        return broken, "contradictory", *((row, None) if axis == "row" else (None, column))
    if place == "cost":
        kind = str(rng.choice(["not-a-number", "infinite", "huge"]))
        cost = matrix.cost.copy()
        cost[column] = rng.choice(BAD_COEFFICIENTS[kind])
        return replace(matrix, cost=cost), kind, None, column
    kind = str(rng.choice([*BAD_LIMITS, "infinite"]))
    wrong = INF if side == "lower" else -INF
    limits = getattr(matrix, f"{place}_{side}").copy()
    limits[row if place == "row" else column] = (
        wrong if kind == "infinite" else rng.choice(BAD_LIMITS[kind])
    )
    broken = replace(matrix, **{f"{place}_{side}": limits})
    return broken, kind, *((row, None) if place == "row" else (None, column))


def with_entry(matrix, row, column, value):
    table = matrix.coefficients.toarray()
    table[row, column] = value
    return replace(matrix, coefficients=csc_array(table))


@pytest.mark.parametrize("seed", range(200))
def test_a_planted_number_is_refused_by_row_and_column(seed):
    assert not preflight(sound_matrix(seed))
    matrix, kind, row, column = plant(seed)
    expected = (
        kind,
        None if row is None else f"r{row}",
        None if column is None else f"x{column}",
    )
    with pytest.raises(MatrixRefused) as refusal:
        refuse_unsound(matrix)
    assert expected in {(f.kind, f.row, f.column) for f in refusal.value.faults}


def test_all_faults_are_told_at_once_in_the_words_of_the_caller():
    matrix = with_entry(with_entry(sound_matrix(3), 2, 4, NAN), 5, 6, 4e12)
    matrix = replace(matrix, offset=NAN)

    def describe(row, column):
        return f"halls.csv, {row} and {column}" if row else ""

    with pytest.raises(MatrixRefused) as refusal:
        refuse_unsound(matrix, describe)
    told = str(refusal.value).splitlines()
    assert told[0] == "r2 × x4: nan: the coefficient is not a number (from halls.csv, r2 and x4)"
    assert told[1].startswith("r5 × x6: 4e+12: the coefficient is above 1e9")
    assert told[-1] == "objective: a constant of nan"


def test_a_tiny_coefficient_is_told_beside_a_real_number_and_refused_among_whole_ones():
    matrix = dense_matrix(
        [[1, 5e-7, 1]], [-INF], [1], [0] * 3, [1] * 3, [1] * 3, integer=[True, True, False]
    )
    (told,) = refuse_unsound(matrix)
    assert (told.kind, told.row, told.column) == ("tiny", "r0", "x1")
    fixed = replace(matrix, column_upper=np.array([1.0, 1.0, 0.0]))
    with pytest.raises(MatrixRefused, match="whole numbers"):
        refuse_unsound(fixed)


@pytest.mark.parametrize(
    ("smallest", "refused"), [(1e-3, None), (1e-5, False), (2e-6, False), (1e-6, True)]
)
def test_a_wide_row_is_told_above_1e7_and_refused_above_1e9(smallest, refused):
    matrix = dense_matrix([[2e3, smallest]], [-INF], [1], [0, 0], [1, 1], [1, 1])
    wide = [fault for fault in preflight(matrix) if fault.kind == "wide-row"]
    assert [fault.refused for fault in wide] == ([] if refused is None else [refused])


@pytest.mark.parametrize("sentinel", GUARDED, ids=lambda s: s.name)
def test_models_that_presolve_answers_wrongly_are_refused(sentinel):
    with pytest.raises(MatrixRefused):
        refuse_unsound(sentinel.matrix())


@pytest.mark.parametrize("sentinel", PUBLISHED, ids=lambda s: s.name)
def test_published_failures_hold_no_unsound_number(sentinel):
    assert not [fault for fault in preflight(sentinel.matrix()) if fault.refused]


EXACT = Options(gap=0.0, absolute_gap=0.0)

# --- what is left to decide ------------------------------------------------------------------


def chained(seed):
    """A program in which columns follow from one another, and some limits meet."""
    rng = np.random.default_rng(seed)
    columns, chains, rows = 9, 4, 5
    table = np.zeros((chains + rows, columns))
    low, high = np.zeros(columns), rng.integers(2, 7, columns).astype(float)
    for row in range(chains):
        # Each follows from two before it; the first three are decided.
        table[row, 3 + row] = rng.choice([1.0, 2.0, -1.0])
        for column in rng.choice(3 + row, 2, replace=False):
            table[row, column] = rng.integers(-2, 3)
    table[chains:] = rng.integers(-2, 3, (rows, columns)) * (rng.random((rows, columns)) < 0.5)
    side = np.concatenate([np.zeros(chains), rng.integers(0, 9, rows)])
    below = np.concatenate([np.zeros(chains), np.full(rows, -np.inf)])
    for column in range(3):
        if rng.random() < 0.8:
            low[column] = high[column] = rng.integers(0, 3)
    low[3:7], high[3:7] = -20, 20
    integer = rng.random(columns) < 0.5
    return dense_matrix(
        table, below, side, low, high, rng.integers(-3, 4, columns),
        integer=integer, maximise=True, offset=1.5,
    )  # fmt: skip


@pytest.mark.parametrize("part", range(4))
def test_what_is_left_has_the_same_best_points(part):
    met = {"none": 0, "smaller": 0, "nothing": 0}
    for seed in range(50 * part, 50 * part + 50):
        matrix = chained(seed)
        whole, left = run(matrix, EXACT), rest_of(matrix, 1e-6)
        rest = None if left is None else run(left.matrix, EXACT)
        if left is None or rest.x is None:
            assert whole.status == "infeasible"
            met["none"] += 1
            continue
        point = left.whole(rest.x)
        assert whole.objective == pytest.approx(rest.objective, abs=1e-4)
        assert objective_at(matrix, point) == pytest.approx(rest.objective, rel=1e-9, abs=1e-9)
        assert largest_violation(matrix, point) <= 1e-6
        assert (np.abs(point - np.rint(point))[matrix.integer] <= 1e-6).all()
        met["smaller"] += left.matrix.shape[1] < matrix.shape[1]
        met["nothing"] += not left.matrix.shape[1]
    assert met["none"] >= 5
    assert met["smaller"] >= 20


def test_what_follows_is_left_out_whatever_its_row_is_called():
    """Of two equalities that ask for other values no point holds both."""
    table = [[1, 1], [1, -1]]
    apart = dense_matrix(table, [2, 1], [2, 1], [1, -9], [1, 9], [0, 1])
    assert rest_of(apart, 1e-6) is None
    agreed = dense_matrix(table, [2, 0], [2, 0], [1, -9], [1, 9], [0, 1])
    left = rest_of(agreed, 1e-6)
    assert left.matrix.shape == (0, 0)
    assert left.whole(np.zeros(0)).tolist() == [1, 1]
    assert left.matrix.offset == 1


def test_whole_numbers_follow_only_as_such():
    half = dense_matrix([[2, 2]], [3], [3], [0, 0], [0, 9], [0, 1], integer=True)
    assert rest_of(half, 1e-6) is None
    outside = dense_matrix([[1, 1]], [12], [12], [0, 0], [0, 9], [0, 1], integer=True)
    assert rest_of(outside, 1e-6) is None
    many = dense_matrix([[2, 2]], [3e6 + 1], [3e6 + 1], [0, 0], [0, 9e6], [0, 1], integer=True)
    assert rest_of(many, 1e-6) is None


def test_what_follows_is_as_exact_as_its_numbers():
    """Whole numbers are put where arithmetic left them, and no other is moved."""
    whole = dense_matrix([[1, 0.1]], [1.3], [1.3], [1, 0], [1, 9], [0, 1], integer=[0, 1])
    assert (1.3 - 1) / 0.1 != 3
    assert rest_of(whole, 1e-6).held.tolist() == [1, 3]
    real = dense_matrix([[1, 1]], [4.000004], [4.000004], [1, 0], [1, 9], [0, 1])
    assert rest_of(real, 1e-6).held.tolist() == [1, 4.000004 - 1]


def test_rows_may_be_missed_by_their_size():
    for side, holds in ((3e8 + 1, True), (3e8 + 1e3, False), (3e8 - 1, True), (3e8 - 1e3, False)):
        matrix = dense_matrix([[1, 1]], [side], [side], [1e8, 2e8], [1e8, 2e8], [0, 0])
        assert (rest_of(matrix, 1e-6) is not None) == holds


def test_nothing_follows_from_a_coefficient_that_is_nothing():
    matrix = dense_matrix([[1, 1, 1]], [3], [3], [1, 2, 0], [1, 2, 9], [0, 0, 1])
    matrix.coefficients.data[2] = 0.0
    left = rest_of(matrix, 1e-6)
    assert left.free.tolist() == [False, False, True]
    assert run(left.matrix, EXACT).objective == 0


def test_what_is_left_is_known_by_its_numbers():
    one, other = chained(3), chained(3)
    assert rest_of(one, 1e-6).digest() == rest_of(other, 1e-6).digest()
    for name in ("row_upper", "column_upper", "cost"):
        moved = getattr(one, name).copy()
        moved[-1] += 1
        assert rest_of(replace(one, **{name: moved}), 1e-6).digest() != rest_of(one, 1e-6).digest()


def others(left):
    """The same but for one of its numbers, each in turn, by what that is."""
    matrix = left.matrix
    for name in ("row_lower", "row_upper", "column_lower", "column_upper", "cost"):
        moved = getattr(matrix, name).copy()
        moved[0] = moved[0] + 1 if np.isfinite(moved[0]) else 0.0
        yield name, replace(left, matrix=replace(matrix, **{name: moved}))
    yield "integer", replace(left, matrix=replace(matrix, integer=~matrix.integer))
    yield "offset", replace(left, matrix=replace(matrix, offset=matrix.offset + 1))
    yield "maximise", replace(left, matrix=replace(matrix, maximise=not matrix.maximise))
    doubled, turned = matrix.coefficients.copy(), matrix.coefficients.tocsr()[::-1].tocsc()
    doubled.data = doubled.data * 2
    yield "coefficients", replace(left, matrix=replace(matrix, coefficients=doubled))
    yield "places", replace(left, matrix=replace(matrix, coefficients=turned))
    yield "held", replace(left, held=left.held + ~left.free)
    yield "free", replace(left, free=left.free[::-1].copy(), held=left.held[::-1].copy())


def test_no_number_of_what_is_left_is_overlooked():
    left = rest_of(chained(3), 1e-6)
    assert left.matrix.shape[0] > 1
    assert (left.free != left.free[::-1]).any()
    digests = {name: other.digest() for name, other in others(left)}
    assert left.digest() not in digests.values()
    assert len(set(digests.values())) == len(digests)
