"""Plans that points lend one another: the best that keeps to all limits, else the nearest."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.highs import Budget
from optimizer.matrix import objective_at
from optimizer.sweep.point import evaluate
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.point.lent import TOLERANCE, Lenders, _Places, read, written
from optimizer.sweep.points import Lent, Point
from tests.optimizer.sweep.bases import base, drawn

HAND = base("by_hand")
BUDGET, HASHPRICE = "finance.capex_budget_musd", "bitcoin.hashprice_usd_per_ph_day"


def keeps(matrix, x):
    """Whether a point keeps to all limits, worked out one by one."""
    rows = matrix.coefficients.toarray() @ x
    limits = [
        *zip(rows, matrix.row_lower, matrix.row_upper, strict=True),
        *zip(x, matrix.column_lower, matrix.column_upper, strict=True),
    ]
    return all(low - TOLERANCE <= at <= high + TOLERANCE for at, low, high in limits)


def lending(key, *values):
    return [Point(n, {}, {key: one}, lends=True) for n, one in enumerate(values)]


def posed(evaluator, point):
    return evaluator.posed(evaluator.opened.after(point)).model


@pytest.fixture(scope="module")
def evaluator():
    return Evaluator(HAND)


@pytest.fixture(scope="module")
def lent(evaluator):
    """What points with budgets from little to plenty lend, and more whose prices differ."""
    points = [*lending(BUDGET, 5.5, 6, 7, 8, 10, 12, 15, 20), *lending(HASHPRICE, 30.0)]
    return [Lent(point.changes, evaluator(point).lent) for point in points]


def test_a_plan_that_is_lent_keeps_to_the_limits_of_its_own_point(evaluator):
    for point in lending(BUDGET, 6, 10, 20):
        row, own = evaluator(point), posed(evaluator, point).matrix
        assert keeps(own, read(row.lent))
        assert objective_at(own, read(row.lent)) == pytest.approx(row.value_musd, abs=1e-9)
        assert evaluator(replace(point, lends=False)).lent is None


def test_a_point_with_other_unknowns_than_the_base_lends_nothing(evaluator):
    [point] = lending("horizon.periods", 3)
    row = evaluator(point)
    assert (row.status, row.lent) == ("solved", None)


def test_the_best_that_fits_is_found_among_all(tmp_path, evaluator, lent):
    """Where limits alone move, and where coefficients do, against a look at every single one."""
    own = evaluator.base_case()[1]
    lenders, plans, met = Lenders(own, lent), [read(one.plan) for one in lent], set()
    others = lending(BUDGET, 3, 5.7, 7.5, 9, 11, 14, 100)
    for point in [*others, *drawn(tmp_path, "by_hand", 60)]:
        model = posed(evaluator, point)
        fitting = [x for x in plans if keeps(model.matrix, x)]
        moved = bool(abs(model.matrix.coefficients - own.matrix.coefficients).max() > 0)
        met.add((bool(fitting), moved))
        if fitting:
            found = lenders.begin(point, model, Budget())
            assert any(np.array_equal(found, x) for x in fitting)
            best = max(objective_at(model.matrix, x) for x in fitting)
            assert objective_at(model.matrix, found) == pytest.approx(best, abs=1e-12)
    assert met == {(True, False), (True, True), (False, True), (False, False)}


def test_where_none_fits_the_nearest_is_completed(evaluator, lent):
    """Its whole numbers are kept, all else is chosen for the case."""
    lenders = Lenders(evaluator.base_case()[1], lent)
    point = Point(0, {}, {HASHPRICE: 29.0})
    model = posed(evaluator, point)
    whole = model.matrix.integer
    assert not any(keeps(model.matrix, read(one.plan)) for one in lent)
    found = lenders.begin(point, model, Budget())
    assert keeps(model.matrix, np.where(np.abs(found) < 1e-9, 0.0, found))
    assert found[whole].tolist() == pytest.approx(read(lent[-1].plan)[whole].tolist())
    assert objective_at(model.matrix, found) < evaluator(point).bound_musd + 1e-9


def test_a_plan_that_fits_nothing_is_not_begun_from(evaluator, lent):
    """No budget at all: whole numbers of every plan that buys are ruled out."""
    model = evaluator.base_case()[1]
    buys = [one for one in lent if read(one.plan)[model.layout.actions].any()]
    assert 0 < len(buys) < len(lent)
    lenders = Lenders(model, buys)
    point = Point(0, {}, {BUDGET: 0.0})
    assert lenders.begin(point, posed(evaluator, point), Budget()) is None


def test_a_case_with_other_unknowns_is_lent_nothing(evaluator, lent):
    lenders = Lenders(evaluator.base_case()[1], lent)
    other = Evaluator(base("hive")).base_case()[1]
    assert lenders.begin(Point(0, {}, {}), other, Budget()) is None


def test_a_point_begins_from_what_is_lent_and_comes_to_the_same(monkeypatch, evaluator, lent):
    begun, solve = [], evaluate.solve

    def noting(case, *given, start=None, **more):
        begun.append(None if start is None else start(more["model"], Budget()))
        return solve(case, *given, start=start, **more)

    monkeypatch.setattr(evaluate, "solve", noting)
    borrowing = Evaluator(replace(HAND, lent=tuple(lent)))
    for point in lending(BUDGET, 5, 6.5, 9, 13, 30):
        alone, other = evaluator(point), borrowing(point)
        model = posed(borrowing, point)
        assert begun[-2] is None
        assert np.array_equal(begun[-1], borrowing._lenders.begin(point, model, Budget()))
        assert other.value_musd == pytest.approx(alone.value_musd, rel=1e-6)
        assert other.status == alone.status == "solved"


def test_a_plan_travels_to_the_last_bit():
    x = np.array([0.1, -0.0, 1e-300, 7.0])
    assert read(written(x)).tobytes() == x.tobytes()


def test_near_is_what_changes_the_same_by_little():
    places = _Places([
        {"a": 1.0, "b": 100.0}, {"a": 3.0, "b": 100.0}, {"a": 1.0, "b": 300.0}, {"a": 1.0},
        {"a": {"from": [3.0, 5.0]}, "x": "one"}, {"x": "other"},
    ])  # fmt: skip
    near = lambda changes: places.from_nearest(changes).tolist()  # noqa: E731
    # In units of what is swept, a moves by 0.4 and b by 0.35.
    assert near({"a": 1.8, "b": 170.0})[:2] == [0, 1]
    assert near({"a": 1.0, "b": 210.0})[:2] == [2, 0]
    # What one alone changes is as far as the ends of what is swept.
    assert near({"a": 1.1})[0] == 3
    assert near({"x": "other"})[0] == 5
    assert near({"a": {"from": [3.0, 4.0]}, "x": "one"})[0] == 4
