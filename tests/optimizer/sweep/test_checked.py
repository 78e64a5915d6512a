"""Relations as arrays find what the families find that are read on a plan."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from models.allocation import FAMILIES
from models.build import UnusableNumbers
from models.decisions import DECISIONS
from optimizer.audit import _in_arrays, _relations
from optimizer.compiled import compile_case
from optimizer.followed import Settled
from optimizer.rows import Checked, Columnwise, Rows, _alike
from optimizer.sweep.point.compiled import Structure
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.point.opened import Opened
from optimizer.sweep.points import Point
from tests.optimizer.rich_case import rich_case
from tests.optimizer.sweep.bases import base
from tests.optimizer.test_elastic import LEASE, SIGNED, small


@pytest.fixture(scope="module")
def case():
    return rich_case()


@pytest.fixture(scope="module")
def structure(case):
    return Structure(case)


def drawn_plan(structure, seed):
    """Numbers that make no sense: some of nothing, some near to it, some large."""
    chance = random.Random(seed)
    sizes = (0.0, 0.0, 1.0, 5.0, -2.0, 1e-5, 0.4e-6, 300.0)
    drawn = {
        decision.name: {
            index: chance.choice(sizes) for index in getattr(structure.context, decision.name)
        }
        for decision in DECISIONS
    }
    return replace(structure.context, **drawn)


def point_of(plan, checked):
    """Write a plan's numbers in the order of the unknowns."""
    return np.array([float(getattr(plan, name)[index]) for name, index in checked.columns])


def test_a_plan_breaks_the_same_relations_in_arrays(case, structure):
    followed, met = structure.model(case).followed, {}
    checked = followed.checked
    for seed in range(12):
        plan = drawn_plan(structure, seed)
        plan = replace(plan, given=case.given)
        assert _in_arrays(Settled(plan, point_of(plan, checked), followed)) == _relations(plan)
        for breach in _relations(plan)[1]:
            met.setdefault(breach.sense, set()).add(breach.limit)
    # Every sense, and nearly every family that the case has.
    assert set(met) == {"<=", "==", ">="}
    assert len(set().union(*met.values())) >= 0.9 * len({name for name, _ in checked.rows})


def test_what_is_no_number_holds_no_relation(case, structure):
    checked, plan = structure.model(case).followed.checked, drawn_plan(structure, 1)
    name, index = checked.columns[0]
    plan = replace(plan, given=case.given)
    lost = replace(plan, **{name: {**getattr(plan, name), index: math.nan}})
    rows = checked.left.coefficients[:, [0]] + checked.right.coefficients[:, [0]]
    touched = {checked.rows[i] for i in rows.nonzero()[0]}
    assert touched
    assert touched <= set(checked.broken(point_of(lost, checked)))


def test_points_are_audited_in_arrays():
    evaluate = Evaluator(base("by_hand"))
    assert evaluate.base_case()[1].followed is not None
    changed = Opened(base("by_hand")).after(Point(0, {}, {"finance.capex_budget_musd": 5.0}))
    assert evaluate.posed(changed).model.followed is not None


def test_contradictions_of_figures_alone_are_found():
    """Fibre never comes and no AI hall can exist: what was signed meets no unknown at all."""
    lost = small(**{**SIGNED, "contracts__lease": {**LEASE, "availability": 0.99999}})
    right = compile_case(lost).built.contradictions
    assert right
    assert Structure(lost).model(lost).built.contradictions == right


def test_numbers_that_are_none_are_refused(case, structure):
    moved = replace(case, given=replace(case.given, minimum_cash=math.nan))
    with pytest.raises(UnusableNumbers):
        compile_case(moved)
    with pytest.raises(UnusableNumbers):
        structure.model(moved)


# --- by columns ------------------------------------------------------------------------------


def two_rows(*values):
    """Two rows of one term on the left and one on the right, each on an unknown of its own."""
    ends, zeros = np.array([0, 2, 4]), np.zeros(2)
    rows = Rows([(0,), (1,)], ends, np.array([1, 3]), np.array([0, 1, 0, 1], np.int32),
                np.array(values), zeros, zeros, np.zeros(2, int), ())  # fmt: skip
    return Checked.of([(FAMILIES[0], rows)], [("x", (0,)), ("x", (1,))])


def test_coefficients_that_vanish_elsewhere_stand_elsewhere():
    """As many are nothing, but others."""
    columnwise = Columnwise(two_rows(1.0, 1.0, 1.0, 1.0))
    for values in ((0.0, 2.0, 3.0, 4.0), (1.0, 0.0, 3.0, 4.0), (1.0, 2.0, 3.0, 0.0)):
        table = columnwise.of(two_rows(*values))
        assert table.nnz == 3
        assert table.toarray().tolist() == [list(values[:2]), list(values[2:])]


def test_terms_that_cancel_but_for_rounding_are_nothing():
    values, zero = np.array([0.1, 0.2, -0.3]), np.zeros(1)
    rows = Rows([(0,)], np.array([0, 3]), np.array([3]), np.zeros(3, np.int32), values,
                zero, zero, np.zeros(1, int), ())  # fmt: skip
    checked = Checked.of([(FAMILIES[0], rows)], [("x", (0,))])
    assert 0.1 + 0.2 - 0.3 != 0
    assert Columnwise(checked).of(checked).nnz == 0


@pytest.mark.parametrize("part", ["indices", "starts", "middles", "columns", "sense"])
def test_rows_that_differ_in_more_than_numbers_are_not_alike(part):
    """A term on the other side is another row, though it says the same of the unknowns."""
    zeros = np.zeros(1)
    rows = Rows([(0,)], np.array([0, 2]), np.array([1]), np.array([0, 1], np.int32),
                np.array([1.0, -1.0]), zeros, zeros, np.zeros(1, int), ())  # fmt: skip
    others = replace(rows, values=rows.values * 2, left=rows.left + 1)
    moved = [(1,)] if part == "indices" else getattr(rows, part) + 1
    assert _alike(rows, others)
    assert not _alike(rows, replace(others, **{part: moved}))
