"""Points that are worked out again: what short cuts get wrong does not pass for an answer."""

from dataclasses import replace

import numpy as np
import pytest

from models.instance import Instance
from optimizer.highs import unsearched
from optimizer.sweep.point import anew
from optimizer.sweep.point import evaluate as evaluating
from optimizer.sweep.point.again import Again
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.point.prepared import Prepared
from optimizer.sweep.points import Point
from tests.optimizer.sweep.bases import base


@pytest.fixture
def evaluator(monkeypatch):
    monkeypatch.setattr(anew, "ONE_OF", 1)
    return Evaluator(base("by_hand"))


def rows(evaluator, keys):
    return [evaluator(Point(j, {}, {key: value})) for j, (key, value) in enumerate(keys)]


@pytest.fixture
def changes(evaluator):
    """Keys of the base that hold numbers, moved a little."""
    document = evaluator.opened._reading.document
    found = [("finance.capex_budget_musd", document["finance"]["capex_budget_musd"] * 0.8)]
    for name, site in document["sites"].items():
        found += [(f"sites.{name}.firm_mw", site["firm_mw"] * 0.9)]
    return found


def test_points_of_sound_short_cuts_are_the_same_anew(evaluator, changes):
    assert {row.status for row in rows(evaluator, changes)} == {"solved"}


def test_what_highs_takes_for_comparing_counts_as_its_own(evaluator, changes, monkeypatch):
    honest = anew.do_nothing

    def costly(case, model, *, budget):
        budget.count(replace(unsearched(model.matrix), cpu_seconds=100.0))
        return honest(case, model, budget=budget)

    monkeypatch.setattr(anew, "do_nothing", costly)
    assert all(100.0 < row.solver_seconds < 110.0 for row in rows(evaluator, changes[:1]))


def test_a_table_that_is_kept_though_it_moved_is_found(evaluator, changes, monkeypatch):
    base_tables = evaluator._prepared.case.given
    honest = Prepared.after

    def stale(self, instance, moved):
        case = honest(self, instance, moved)
        return replace(case, given=replace(case.given, firm_mw=base_tables.firm_mw))

    monkeypatch.setattr(Prepared, "after", stale)
    found = rows(evaluator, changes)
    assert {row.status for row in found[1:]} == {"audit-failed"}
    assert all("sweep.anew at " in row.message for row in found[1:])


def test_a_figure_that_is_read_as_it_was_is_found(evaluator, changes, monkeypatch):
    monkeypatch.setattr(Again, "after", lambda *_: evaluator.opened.loaded.instance)
    found = rows(evaluator, changes)
    assert {row.status for row in found} == {"audit-failed"}
    assert all("sweep.anew at " in row.message for row in found)


def test_a_point_that_should_have_been_refused_is_found(evaluator, monkeypatch):
    wrong = [("sites.creek.firm_mw", 5e6)]
    (right,) = rows(evaluator, wrong)
    monkeypatch.setattr(Again, "after", lambda _, document, __: Instance.model_validate(document))
    (found,) = rows(evaluator, wrong)
    assert (found.status, found.message) == (right.status, right.message)
    assert right.status == "invalid"


@pytest.mark.parametrize("name", ["row_upper", "cost", "column_upper"])
def test_a_number_of_the_matrix_that_is_another_is_found(evaluator, changes, monkeypatch, name):
    structure = evaluator._structure
    honest = structure.model

    def bent(case):
        model = honest(case)
        array = getattr(model.matrix, name).copy()
        j = int(np.flatnonzero(np.isfinite(array))[-1])
        array[j] += 1e-9 if name == "cost" else 1.0
        return replace(model, matrix=replace(model.matrix, **{name: array}))

    monkeypatch.setattr(structure, "model", bent)
    row = rows(evaluator, changes[:1])[0]
    assert row.status == "audit-failed"
    assert f"sweep.anew at {name.replace('_', ' ')} of " in row.message


def doubled(matrix):
    """The last coefficient twice what it is."""
    table = matrix.coefficients.copy()
    table.data[-1] *= 2
    return replace(matrix, coefficients=table)


def shortened(matrix):
    """Without the last row."""
    return replace(
        matrix, coefficients=matrix.coefficients[:-1].tocsc(), row_lower=matrix.row_lower[:-1],
        row_upper=matrix.row_upper[:-1],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bend", "told"),
    [
        (doubled, " in "),
        (shortened, "sweep.anew at rows: "),
        (lambda m: replace(m, offset=m.offset + 1e-9), "value before any decision"),
    ],
    ids=["coefficient", "row", "offset"],
)
def test_what_else_a_matrix_has_is_compared(evaluator, changes, monkeypatch, bend, told):
    structure = evaluator._structure
    honest = structure.model

    def bent(case):
        model = honest(case)
        return replace(model, matrix=bend(model.matrix))

    monkeypatch.setattr(structure, "model", bent)
    row = rows(evaluator, changes[:1])[0]
    assert row.status == "audit-failed"
    assert "sweep.anew at " in row.message
    assert told in row.message


def test_an_audit_in_arrays_that_lets_all_pass_is_not_the_last(evaluator, changes, monkeypatch):
    """The plan is spoilt after it was audited: only the second audit can see it."""
    honest = evaluating.solve

    def spoilt(*arguments, **keywords):
        solved = honest(*arguments, **keywords)
        cash = {index: value - 1e3 for index, value in solved.plan.cash.items()}
        return replace(solved, plan=replace(solved.plan, cash=cash))

    monkeypatch.setattr(evaluating, "solve", spoilt)
    row = rows(evaluator, changes[:1])[0]
    assert row.status == "audit-failed"
    assert "capital.cash" in row.message


def test_others_are_not_worked_out_again(changes, monkeypatch):
    monkeypatch.setattr(anew, "ONE_OF", 10**15)
    monkeypatch.setattr(evaluating, "compared", lambda *_: pytest.fail("worked out again"))
    assert {row.status for row in rows(Evaluator(base("by_hand")), changes)} == {"solved"}
