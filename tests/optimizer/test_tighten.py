"""Tightening keeps every plan, and keeps HiGHS from answering wrongly."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.highs import Options, run
from optimizer.matrix import HUGE, dense_matrix
from optimizer.sentinels import PUBLISHED
from optimizer.tighten import MOST_PASSES, PASSES, SLACK, implied_limits, only_whole, tighten

INF = np.inf


def racks(seed, *, bounded=False):
    """Racks of two kinds over two periods: whole orders and sales, stocks as real numbers.

    Powers and prices are such that a budget often buys less than one rack.
    """
    rng = np.random.default_rng(seed)
    periods = kinds = 2
    price, kw = rng.uniform(0.05, 6, kinds).round(2), rng.uniform(0.05, 3, kinds).round(3)
    grid, budget = round(rng.uniform(0.2, 5), 2), rng.uniform(0.1, 8, periods).round(2)
    columns = 1 + 3 * periods * kinds
    cost, integer = np.zeros(columns), np.ones(columns, bool)
    cost[0] = -rng.uniform(0, 2)
    rows, lower, upper = [], [], []
    for t, k in itertools.product(range(periods), range(kinds)):
        stock = 1 + 3 * (t * kinds + k)
        integer[stock] = False
        cost[stock], cost[stock + 2] = rng.uniform(-0.5, 3), price[k] * rng.uniform(0, 0.5)
        balance = np.zeros(columns)
        balance[[stock, stock + 1, stock + 2]] = 1, -1, 1
        if t:
            balance[stock - 3 * kinds] = -1
        rows.append(balance)
        lower.append(0.0 if t else float(rng.integers(0, 3)))
        upper.append(lower[-1])
    for t in range(periods):
        stocks = [1 + 3 * (t * kinds + k) for k in range(kinds)]
        orders = [stock + 1 for stock in stocks]
        needed = round(rng.uniform(0, grid), 2) if rng.random() < 0.3 else 0.0
        for places, amounts, low, high in (
            ([*stocks, 0], [*kw, -grid], -INF, 0.0),
            (orders, price, -INF, budget[t]),
            (stocks, [1.0] * kinds, -INF, float(rng.integers(1, 6))),
            (stocks, kw, needed, INF),
        ):
            row = np.zeros(columns)
            row[places] = amounts
            rows.append(row)
            lower.append(low)
            upper.append(high)
    limit = np.full(columns, INF)
    limit[0] = 3
    if bounded:
        most = [float(budget[t] // price[k]) for t in range(periods) for k in range(kinds)]
        limit[1:] = sum(most) + sum(lower[: periods * kinds])
        limit[2::3] = most
    return dense_matrix(
        rows, lower, upper, np.zeros(columns), limit, cost, integer=integer, maximise=True
    )


def test_stocks_of_whole_racks_are_whole():
    matrix = racks(0)
    assert not matrix.integer.all()
    assert only_whole(matrix).all()


@pytest.mark.parametrize(
    "row",
    [[1, 1.5, 0], [2, 1, 0], [1, 1, 1]],
    ids=["a half", "half a unit", "another real number"],
)
def test_what_may_be_a_fraction_stays_real(row):
    matrix = dense_matrix([row], [3], [3], [0] * 3, [9] * 3, [0] * 3, integer=[0, 1, 0])
    assert only_whole(matrix).tolist() == [False, True, False]
    assert only_whole(replace(matrix, row_upper=matrix.row_upper + 1)).tolist() == [0, 1, 0]


def test_limits_follow_rows_through_real_numbers():
    matrix = dense_matrix(
        [[5.5, -1, 0], [0, 1, 0], [-1, 0, 4]],
        [0, -INF, -INF],
        [0, 12, 1],
        [0] * 3,
        [INF] * 3,
        [1] * 3,
        integer=[True, False, True],
    )
    lower, upper = implied_limits(matrix)
    assert lower.tolist() == [0, 0, 0]
    assert (upper[0], upper[2]) == (2, 0)
    assert upper[1] == pytest.approx(11, abs=1e-4)
    assert tighten(matrix)[0].column_upper.tolist() == [2, INF, 0]


def test_a_limit_that_rounding_error_blurs_is_not_cut():
    third = 1.0 / 3.0
    matrix = dense_matrix(
        [[third]], [-INF], [3 * third * third * 3], [0], [INF], [1], integer=True
    )
    assert tighten(matrix)[0].column_upper[0] == 3


def test_crossed_limits_are_left_to_the_solver():
    matrix = dense_matrix([[2, 0]], [3], [3.5], [0, 0], [9, 9], [1, 1], integer=[True, False])
    assert tighten(matrix)[0].column_upper.tolist() == [9, 9]
    assert run(matrix).status == "infeasible"


coefficient = st.sampled_from([-3.0, -1.0, -0.4, 0.0, 0.0, 0.7, 1.0, 2.5, 68.0])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(coefficient, min_size=4, max_size=4), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(-6, 6), st.floats(0, 9) | st.just(0.0)), min_size=4, max_size=4),
    st.booleans(),
)
def test_no_whole_point_is_lost(rows, sides, open_below):
    lower = [-INF if open_below else low for low, _ in sides[: len(rows)]]
    upper = [low + width for low, width in sides[: len(rows)]]
    matrix = dense_matrix(rows, lower, upper, [-2] * 4, [2] * 4, [1] * 4, integer=True)
    tight, _ = tighten(matrix)
    points = np.array(list(itertools.product(range(-2, 3), repeat=4)), float)
    activity = points @ np.array(rows).T
    holds = ((activity >= lower) & (activity <= upper)).all(axis=1)
    kept = ((points >= tight.column_lower) & (points <= tight.column_upper)).all(axis=1)
    assert kept[holds].all()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(coefficient, min_size=4, max_size=4), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(-6, 6), st.floats(0, 9)), min_size=4, max_size=4),
    st.lists(st.sampled_from([None, -2, 0, 1, 2]), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_limits_worked_out_before_cut_off_no_whole_point_either(rows, sides, held, whole):
    lower = [low for low, _ in sides[: len(rows)]]
    upper = [low + width for low, width in sides[: len(rows)]]
    wide = dense_matrix(rows, lower, upper, [-2] * 4, [2] * 4, [1] * 4, integer=whole)
    known = tighten(wide)[1]
    fixed = np.array([np.nan if value is None else value for value in held])
    narrow = replace(
        wide,
        integer=np.ones(4, bool),
        column_lower=np.where(np.isnan(fixed), wide.column_lower, fixed),
        column_upper=np.where(np.isnan(fixed), wide.column_upper, fixed),
    )
    tight, limits = tighten(narrow, known)
    points = np.array(list(itertools.product(range(-2, 3), repeat=4)), float)
    activity = points @ np.array(rows).T
    holds = ((activity >= lower) & (activity <= upper)).all(axis=1)
    holds &= (np.isnan(fixed) | (points == fixed)).all(axis=1)
    kept = ((points >= tight.column_lower) & (points <= tight.column_upper)).all(axis=1)
    assert kept[holds].all()
    # They are taken over, not worked out again, and rounded for what is whole by now.
    lower, upper = limits
    assert min((lower - known[0]).min(), (known[1] - upper).min()) >= 0
    assert np.array_equal(limits, np.rint(limits))


def chain(length, *, begins=5.0):
    """Whole stocks of many dates: each at most one more than the one before."""
    table = np.eye(length) - np.eye(length, k=-1)
    sides = np.ones(length)
    sides[0] = begins
    low, high = [0] * length, [INF] * length
    return dense_matrix(table, [-INF] * length, sides, low, high, [1] * length, integer=True)


def test_whole_numbers_of_a_long_horizon_have_limits():
    matrix = chain(40)
    assert matrix.shape[1] > PASSES
    assert tighten(matrix)[0].column_upper.tolist() == [5 + t for t in range(40)]
    # Where nothing limits them there is an end all the same.
    endless = chain(3 * MOST_PASSES, begins=INF)
    assert (tighten(endless)[0].column_upper == INF).all()


def test_limits_that_leave_a_whole_number_endless_are_worked_out_anew():
    matrix = chain(4)
    nothing = matrix.column_lower, matrix.column_upper
    tight, limits = tighten(matrix, nothing)
    assert tight.column_upper.tolist() == limits[1].tolist() == [5, 6, 7, 8]
    assert tighten(matrix, (nothing[0], np.full(4, 3.0)))[0].column_upper.tolist() == [3] * 4


def test_highs_issue_3274_is_answered_rightly():
    (sentinel,) = (s for s in PUBLISHED if s.name == "highs-3274")
    for presolve in (True, False):
        exact = Options(gap=0.0, presolve=presolve)
        assert run(sentinel.matrix(), exact).objective == pytest.approx(0.0, abs=1e-9)


#: Seeds that HiGHS 1.15.1 alone answers wrongly, with whole numbers open (without presolve) and
#: bounded (with presolve; the last two it calls infeasible), and their optima. SCIP 10 agrees.
ANSWERED_WRONGLY = {
    (346, False): 6.746705821536381,
    (587, False): 9.44873525269036,
    (1049, False): 3.403335515393435,
    (1689, False): 7.077711283120266,
    (2335, False): 1.896316950223140,
    (826, True): 8.936171268140189,
    (978, True): 7.196493287435739,
    (2258, True): 8.386068308056135,
    (3362, True): 4.037072116377963,
    (3671, True): 3.992247421245489,
}


@pytest.mark.parametrize("presolve", [True, False])
@pytest.mark.parametrize("case", ANSWERED_WRONGLY, ids=str)
def test_what_highs_alone_answers_wrongly_is_answered_rightly(case, presolve):
    seed, bounded = case
    outcome = run(racks(seed, bounded=bounded), Options(gap=0.0, presolve=presolve))
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(ANSWERED_WRONGLY[case], rel=1e-9)
    assert outcome.messages == ()


@pytest.mark.parametrize("seed", range(20))
def test_no_plan_is_cut_off_by_rounding_errors(seed):
    """A small coefficient beside large numbers: its limit is known to a few digits only."""
    rng = np.random.default_rng(seed)
    large = rng.uniform(1e8, 2e8, 2)
    count = float(rng.integers(1, 9))
    side = float(1e-3 * count + large.sum())
    matrix = dense_matrix(
        [[1e-3, 1.0, 1.0]], [-INF], [side], [0.0, *large], [1e3, *large], [1.0, 0.0, 0.0],
        integer=[1, 0, 0], maximise=True,
    )  # fmt: skip
    lower, upper = implied_limits(matrix)
    assert lower[0] <= count <= upper[0]


def both_ways(seeds):
    for seed, bounded in itertools.product(seeds, (False, True)):
        matrix = racks(seed, bounded=bounded)
        first, second = (run(matrix, Options(gap=0.0, presolve=p)) for p in (True, False))
        assert first.status == second.status
        if first.status == "optimal":
            assert first.objective == pytest.approx(second.objective, abs=2e-6)
        else:
            assert "confirmed" in first.messages[-1]


def test_racks_are_answered_alike_with_and_without_presolve():
    both_ways(range(30))


@pytest.mark.soak
def test_many_racks_are_answered_alike_with_and_without_presolve():
    both_ways(range(30, 3000))


# --- in arrays, as row by row ------------------------------------------------------------------


def limits_row_by_row(matrix):
    """What each row leaves to each of its columns, worked out one entry at a time."""
    table = matrix.coefficients.toarray()
    lower, upper = rounded(matrix, matrix.column_lower, matrix.column_upper)
    for _ in range(PASSES):
        below, above = lower.copy(), upper.copy()
        for row, least, most in zip(table, matrix.row_lower, matrix.row_upper, strict=True):
            for coefficients, side in ((row, most), (-row, -least)):
                hand_on(coefficients, side, lower, upper, below, above)
        lower, upper = rounded(matrix, below, above)
    return lower, upper


def rounded(matrix, lower, upper):
    whole = matrix.integer
    return (
        np.where(whole, np.ceil(lower - SLACK) + 0.0, lower),
        np.where(whole, np.floor(upper + SLACK) + 0.0, upper),
    )


def hand_on(row, side, lower, upper, below, above):
    columns = np.flatnonzero(row)
    least = {j: row[j] * (lower[j] if row[j] > 0 else upper[j]) for j in columns}
    endless = [j for j in columns if np.isinf(least[j])]
    finite = {j: 0.0 if j in endless else least[j] for j in columns}
    total, size = sum(finite.values()), sum(abs(value) for value in finite.values())
    for j in columns:
        if not np.isfinite(side) or any(k != j for k in endless):
            continue
        limit = (side - (total - finite[j])) / row[j]
        slack = SLACK * max(1.0, abs(limit)) + 1e-12 * size / abs(row[j])
        if abs(limit) <= HUGE and row[j] > 0:
            above[j] = min(above[j], limit + slack)
        elif abs(limit) <= HUGE:
            below[j] = max(below[j], limit - slack)


def test_limits_follow_numbers_that_are_written_in_place():
    """What is remembered of a matrix is compared with what stands there now."""
    matrix = dense_matrix([[2.0, 1.0]], [-INF], [8.0], [0, 0], [INF, INF], [1, 1])
    for factor, sides, most in ((1.0, 8.0, (4, 8)), (0.5, 8.0, (8, 16)), (0.5, 4.0, (4, 8))):
        matrix.coefficients.data[:] = factor * np.array([2.0, 1.0])
        matrix.row_upper[:] = sides
        np.testing.assert_allclose(implied_limits(matrix)[1], most, rtol=1e-5)


@pytest.mark.parametrize("seed", range(30))
def test_limits_are_those_of_every_row_by_itself(seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(1, 7), rng.integers(1, 7)
    table = np.where(rng.random((rows, columns)) < 0.6, rng.uniform(-3, 3, (rows, columns)), 0.0)
    lower = np.where(rng.random(columns) < 0.3, -INF, rng.integers(-3, 1, columns))
    upper = np.where(rng.random(columns) < 0.4, INF, rng.integers(1, 9, columns))
    below = np.where(rng.random(rows) < 0.5, -INF, rng.uniform(-6, 0, rows))
    above = np.where(rng.random(rows) < 0.4, INF, rng.uniform(0, 9, rows))
    whole = rng.random(columns) < 0.5
    matrix = dense_matrix(table, below, above, lower, upper, np.zeros(columns), integer=whole)
    for one, other in zip(implied_limits(matrix), limits_row_by_row(matrix), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(one[whole], other[whole])


@pytest.mark.parametrize("seed", range(5))
def test_what_is_remembered_of_a_pattern_is_of_its_numbers_alone(seed):
    matrix, rng = racks(seed), np.random.default_rng(seed)
    tighten(matrix)
    for _ in range(4):
        table = matrix.coefficients.copy()
        table.indices, table.indptr = matrix.coefficients.indices, matrix.coefficients.indptr
        table.data = table.data * rng.choice([1.0, 1.0, 1.5, -1.0], len(table.data))
        other = replace(
            matrix, coefficients=table, row_upper=matrix.row_upper + rng.integers(0, 2)
        )
        again = replace(other, coefficients=table.copy())
        for name in ("integer", "column_lower", "column_upper"):
            one, two = getattr(tighten(other)[0], name), getattr(tighten(again)[0], name)
            np.testing.assert_array_equal(one, two)


def moved_one_by_one(matrix, rng):
    """A side opens or closes, an equality goes or comes or moves, an unknown is whole or not."""
    for _ in range(40):
        lower, upper = matrix.row_lower.copy(), matrix.row_upper.copy()
        integer, row = matrix.integer.copy(), rng.integers(matrix.shape[0])
        known = next(side for side in (lower[row], upper[row], 2.0) if np.isfinite(side))
        way = rng.integers(5)
        if way == 0:
            lower[row] = -INF if np.isfinite(lower[row]) else known
        elif way == 1:
            upper[row] = INF if np.isfinite(upper[row]) else known
        elif way == 2:
            lower[row], upper[row] = known, known + (lower[row] == upper[row])
        elif way == 3:
            lower[row], upper[row] = lower[row] + 0.5, upper[row] + 0.5
        else:
            column = rng.integers(len(integer))
            integer[column] = not integer[column]
        matrix = replace(matrix, row_lower=lower, row_upper=upper, integer=integer)
        yield matrix


@pytest.mark.parametrize("seed", range(8))
def test_what_is_remembered_of_a_pattern_is_of_its_limits_too(seed):
    matrices = list(moved_one_by_one(racks(seed), np.random.default_rng(seed)))
    assert len({id(matrix.coefficients) for matrix in matrices}) == 1
    found = [tighten(matrix)[0] for matrix in matrices]
    for one, matrix in zip(found, matrices, strict=True):
        alone, _ = tighten(replace(matrix, coefficients=matrix.coefficients.copy()))
        for name in ("integer", "column_lower", "column_upper"):
            np.testing.assert_array_equal(getattr(one, name), getattr(alone, name))


def test_what_is_remembered_is_of_the_same_rows():
    """Another row that says the same of other unknowns is another."""
    table, whole = [[1, -1, 0], [0, 1, -1]], [False, True, False]
    first = dense_matrix(table, [2, -INF], [2, 2], [0] * 3, [9] * 3, [0] * 3, integer=whole)
    second = replace(first, row_lower=first.row_lower[::-1].copy())
    assert only_whole(first).tolist() == [True, True, False]
    assert only_whole(second).tolist() == [False, True, True]


@pytest.mark.parametrize("seed", range(3))
def test_coefficients_that_are_nothing_say_nothing(seed):
    matrix, rng = racks(seed), np.random.default_rng(seed)
    table = matrix.coefficients.copy()
    table.data[rng.random(len(table.data)) < 0.1] = 0.0
    without = table.copy()
    without.eliminate_zeros()
    assert without.nnz < table.nnz
    one, two = (tighten(replace(matrix, coefficients=held))[0] for held in (table, without))
    for name in ("integer", "column_lower", "column_upper"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
