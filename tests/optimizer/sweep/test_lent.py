"""Plans that points lend one another: the best that keeps to all limits, else the nearest."""

from dataclasses import replace

import numpy as np
import pytest

import optimizer.solve as module
from optimizer.highs import Budget
from optimizer.matrix import objective_at
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.point.lent import Lenders, _Places, read, written
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
    return all(low - 1e-9 <= at <= high + 1e-9 for at, low, high in limits)


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
    points = [*lending(BUDGET, 7, 20, 5.5, 12, 6, 15, 8, 10), *lending(HASHPRICE, 30.0)]
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
    # Neither the first nor the last that fits.
    several, met = [Lenders(own, lent), Lenders(own, lent[::-1])], set()
    plans = [read(one.plan) for one in lent]
    others = lending(BUDGET, 3, 5.7, 7.5, 9, 11, 14, 100)
    for point in [*others, *drawn(tmp_path, "by_hand", 60)]:
        model = posed(evaluator, point)
        fitting = [x for x in plans if keeps(model.matrix, x)]
        moved = bool(abs(model.matrix.coefficients - own.matrix.coefficients).max() > 0)
        met.add((bool(fitting), moved))
        best = max((objective_at(model.matrix, x) for x in fitting), default=None)
        for lenders in several if fitting else ():
            found = lenders.begin(point, model, Budget())
            assert any(np.array_equal(found, x) for x in fitting)
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
    own = evaluator.base_case()[1]
    renamed = [*own.built.columns[:-1], ("racks", ("no such rack",))]
    other = replace(own, built=replace(own.built, columns=renamed))
    assert lenders.begin(Point(0, {}, {}), other, Budget()) is None


def test_a_hair_beyond_a_limit_is_beyond_it(evaluator, lent):
    """A budget that is less than what a plan spends by next to nothing rules it out."""
    model = evaluator.base_case()[1]
    plan = max((read(one.plan) for one in lent), key=lambda x: objective_at(model.matrix, x))
    rows = model.matrix.coefficients @ plan
    lenders = Lenders(model, [Lent({}, written(plan))])
    held = [j for j in range(len(rows)) if model.matrix.row_lower[j] == -np.inf]
    assert held
    for j in held:
        for beyond, fits in ((1e-7, False), (1e-11, True)):
            upper = np.maximum(model.matrix.row_upper, rows)
            upper[j] = rows[j] - beyond
            other = replace(model, matrix=replace(model.matrix, row_upper=upper))
            assert bool(lenders._fitting(other)[0]) == fits
            # What breaks a limit of the base keeps to one that is less tight.
            assert Lenders(other, [Lent({}, written(plan))])._fitting(model)[0]


def test_limits_of_single_decisions_count_too(evaluator, lent):
    """As where a policy, or a pin, takes a decision."""
    model = evaluator.base_case()[1]
    lenders, plans = Lenders(model, lent), [read(one.plan) for one in lent]
    column = next(j for j in range(len(plans[0])) if len({x[j] for x in plans}) > 1)
    for value in sorted({x[column] for x in plans}):
        at = {
            name: np.where(np.arange(len(plans[0])) == column, value, getattr(model.matrix, name))
            for name in ("column_lower", "column_upper")
        }
        fitting = lenders._fitting(replace(model, matrix=replace(model.matrix, **at)))
        own = lenders._fitting(model)
        assert fitting.tolist() == [bool(o) and x[column] == value for o, x in zip(own, plans)]  # noqa: B905


def test_where_the_nearest_does_not_fit_the_next_is_taken(evaluator, lent):
    """Little money and another hashprice: the nearest by far has spent too much."""
    model = evaluator.base_case()[1]
    spending, frugal = lent[1], lent[2]
    far = [Lent({BUDGET: 20, HASHPRICE: 29.5}, spending.plan)] * 15
    lenders = Lenders(model, [Lent({BUDGET: 2.0, HASHPRICE: 80.0}, frugal.plan), *far])
    point = Point(0, {}, {BUDGET: 5.6, HASHPRICE: 30.0})
    case = posed(evaluator, point)
    assert lenders._places.from_nearest(point.changes).tolist()[-1] == 0
    found, whole = lenders.begin(point, case, Budget()), case.matrix.integer
    assert found[whole].tolist() == pytest.approx(read(frugal.plan)[whole].tolist())


def test_a_search_begins_from_what_is_lent_and_comes_to_the_same(monkeypatch, evaluator, lent):
    begun, search = [], module.search

    def noting(*given, start=None, **more):
        begun.append(start)
        return search(*given, start=start, **more)

    monkeypatch.setattr(module, "search", noting)
    borrowing = Evaluator(replace(HAND, lent=tuple(lent)))
    for point in lending(BUDGET, 5, 6.5, 9, 13, 30):
        alone = evaluator(point)
        begun.clear()
        other = borrowing(point)
        known = borrowing._lenders.begin(point, posed(borrowing, point), Budget())
        assert any(start is not None and np.array_equal(start, known) for start in begun)
        assert other.value_musd == pytest.approx(alone.value_musd, rel=1e-6)
        assert other.status == alone.status == "solved"


def test_who_is_lent_something_later_begins_as_who_had_it_from_the_start(lent):
    """What an evaluator has worked out before leaves no trace in what it answers."""
    before, new = Evaluator(HAND), Evaluator(replace(HAND, lent=tuple(lent)))
    for point in lending(BUDGET, 5, 9):
        before(point)
    before.borrow(tuple(lent))
    for point in lending(BUDGET, 6.5, 13, 30):
        rows = [evaluator(point) for evaluator in (before, new)]
        assert rows[0].lent is not None
        one, other = (replace(row, cpu_seconds=0.0, solver_seconds=0.0) for row in rows)
        assert one == other


@pytest.mark.parametrize("cut", [{"timed": True}, {"ended": "interrupted"}])
def test_what_a_clock_has_ended_is_not_lent(evaluator, cut):
    """Another machine would lend another plan."""
    [point] = lending(BUDGET, 10)
    case = evaluator.posed(evaluator.opened.after(point))
    solved = evaluator._best(point, case)
    cut = replace(solved, outcome=replace(solved.outcome, **cut))
    failed = replace(solved, audit=replace(solved.audit, breaches=("one",)))
    lends = [evaluator._lent(case, one) is not None for one in (solved, cut, failed)]
    assert lends == [True, False, False]
    # Under a limit of a year's energy plans are found in another way, and begin from none.
    limited = case._replace(case=replace(case.case, limit_prices={(0, "north"): 1.0}))
    assert evaluator._lent(limited, solved) is None


def test_a_plan_travels_to_the_last_bit():
    x = np.array([0.1, -0.0, 1e-300, 7.0])
    assert read(written(x)).tobytes() == x.tobytes()


def test_near_is_what_changes_the_same_by_little():
    places = _Places([
        {"a": 1.0, "b": 100.0}, {"a": 3.0, "b": 100.0}, {"a": 1.0, "b": 300.0}, {"a": 1.0},
        {"a": {"from": [3.0, 5.0]}, "x": "one"}, {"x": "other"},
    ])  # fmt: skip
    near = lambda changes: places.from_nearest(changes).tolist()  # noqa: E731
    # In units of what is swept, a lies 0.4 and 0.6 away, b 0.35 and 0.65.
    assert near({"a": 1.8, "b": 170.0})[:3] == [0, 1, 2]
    assert near({"a": 1.0, "b": 210.0})[:2] == [2, 0]
    # What one alone changes is as far as the ends of what is swept.
    assert near({"a": 1.1})[0] == 3
    assert near({"x": "other"})[0] == 5
    assert near({"a": {"from": [3.0, 4.0]}, "x": "one"})[0] == 4
