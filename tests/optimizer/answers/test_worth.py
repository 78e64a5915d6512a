"""What one more unit is worth: on paper, against solves from nothing, and at the margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pytest

from optimizer.answers.worth import margin
from optimizer.answers.worth.bench import Bench, Best, TimeOver
from optimizer.answers.worth.chosen import Chosen
from optimizer.answers.worth.limits import Pressed
from optimizer.answers.worth.more import OneMore, Worth
from optimizer.answers.worth.prices import not_chosen
from optimizer.answers.worth.units import units
from optimizer.errors import InputRefused
from optimizer.highs import Options
from optimizer.load import load
from optimizer.sweep.point.evaluate import Posed
from optimizer.sweep.points import Json
from tests.folders import write_folder
from tests.optimizer.answers.anew import INSTANCES, LUMPY, anew, by_hand, drawn, with_unit

#: A MW of mining through a year, as by_hand's README works it out.
MW_YEAR = Fraction(2117, 5000)
MIDDLE_2029, START_2030, MIDDLE_2030 = Fraction(10, 11), Fraction(100, 121), Fraction(1000, 1331)


def on_bench(folder: Path) -> tuple[Bench, Best]:
    bench = Bench(load(folder), Options())
    return bench, bench.best(bench.at({}))


def worths_of(folder: Path) -> dict[tuple[str, str], Worth]:
    bench, best = on_bench(folder)
    found = OneMore(bench, best).worths(units(bench.document))
    return {(one.unit.key, one.unit.again): one for one in found}


@pytest.fixture(scope="module")
def worths() -> dict[tuple[str, str], Worth]:
    return worths_of(INSTANCES / "by_hand")


def exactly(figure: Fraction | float) -> Any:
    return pytest.approx(float(figure), abs=1e-9, rel=0)


# --- on paper --------------------------------------------------------------------------------


def test_a_third_hall_keeps_six_lots_for_a_year(worths: dict[tuple[str, str], Worth]) -> None:
    # All sixteen lots fit while the works go on; six are sold a year later, as the grid is full.
    lot = Fraction(1, 10)
    hall = worths["halls.barn.count", ""]
    assert hall.musd == exactly(6 * (MW_YEAR * MIDDLE_2029 - lot + lot * START_2030))
    assert hall.verdict == "worth"
    # At the margin a part of a hall holds nothing: lots and halls are whole.
    assert hall.margin_musd == exactly(0)


@pytest.mark.parametrize(
    "key",
    [
        "finance.capex_budget_musd", "finance.minimum_cash_musd", "finance.opening_cash_musd",
        "sites.creek.firm_mw", "sites.creek.interruptible_mw", "contracts.tenant.max_mw",
        "contracts.tenant.min_mw", "fitouts.mine.works_months",
    ],
)  # fmt: skip
def test_what_is_worth_nothing_is_proved(worths: dict[tuple[str, str], Worth], key: str) -> None:
    one = worths[key, ""]
    assert one.verdict == "nothing"
    assert one.at_most_musd == exactly(0)


def test_a_grid_that_is_full_binds_and_is_worth_nothing(
    worths: dict[tuple[str, str], Worth],
) -> None:
    # 7 MW of AI and 11 of ten lots fill 18 MW; but then the halls are full as well.
    assert worths["sites.creek.firm_mw", ""].binds
    assert not worths["finance.capex_budget_musd", ""].binds


def test_works_that_others_outlast_change_no_number(
    worths: dict[tuple[str, str], Worth],
) -> None:
    one = worths["fitouts.ai.works_months", ""]
    assert (one.verdict, one.together) == ("nothing", 0)


def test_a_mw_that_turns_the_answer_is_worth_the_whole_gain(tmp_path: Path) -> None:
    # With 4 MW the tenant does not pay for the hall, with 5 he does: to the README's gain.
    folder = by_hand(tmp_path / "four", ("max_mw = 6", "max_mw = 4"))
    one = worths_of(folder)["contracts.tenant.max_mw", ""]
    assert one.musd == exactly(Fraction(2772522, 1830125))
    assert one.margin_musd == exactly(0)
    assert not one.binds


def test_a_mw_more_is_worth_at_the_margin_what_it_is_worth_whole(tmp_path: Path) -> None:
    # At 320 $ he pays with 4 MW, too; MW are not whole, and 40 $ a month are 480/1331 a MW.
    folder = by_hand(
        tmp_path / "dear", ("max_mw = 6", "max_mw = 4"), ("_month = 280", "_month = 320")
    )
    one = worths_of(folder)["contracts.tenant.max_mw", ""]
    worth = Fraction(143057, 66550) + Fraction(480, 1331)
    assert (one.musd, one.margin_musd) == (exactly(worth), exactly(worth))
    assert one.binds


def test_a_limit_with_room_may_be_worth_something(tmp_path: Path) -> None:
    # Two halls cost 20, and the budget is 19.5: it leaves 9.5 unused, and a M$ more is worth all
    # that the second hall is.
    folder = by_hand(tmp_path / "lumpy", *LUMPY)
    one = worths_of(folder)["finance.capex_budget_musd", ""]
    assert one.verdict == "worth"
    assert not one.binds
    assert one.margin_musd == exactly(0)
    loaded = load(folder)
    values = [anew(loaded, i).value_musd for i in (with_unit(loaded, one.unit), loaded.instance)]
    assert None not in values
    assert one.musd == pytest.approx(values[0] - values[1], abs=1e-6)  # type: ignore[operator]
    assert one.musd is not None
    assert one.musd > 0.2


# --- against solves from nothing ---------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_two_solves_from_nothing(tmp_path: Path, seed: int) -> None:
    folder = write_folder(tmp_path / "drawn", drawn(seed))
    loaded = load(folder)
    base = anew(loaded, loaded.instance)
    assert base.value_musd is not None
    for one in worths_of(folder).values():
        if one.verdict == "refused":
            continue
        other = anew(loaded, with_unit(loaded, one.unit))
        assert other.value_musd is not None
        told = 2e-6 * max(1.0, abs(base.value_musd))
        assert one.musd == pytest.approx(other.value_musd - base.value_musd, abs=2 * told)
        assert one.at_least_musd is not None
        assert one.at_most_musd is not None
        assert one.at_least_musd - told <= other.value_musd - base.value_musd
        assert other.value_musd - base.value_musd <= one.at_most_musd + told


# --- at the margin -------------------------------------------------------------------------------


def test_a_dollar_of_rent_at_the_margin_is_what_the_paper_says() -> None:
    bench, best = on_bench(INSTANCES / "by_hand")
    one = best.posed.model.matrix
    other = bench.at({"contracts.tenant.rate_usd_per_kw_month": 281.0}).model.matrix
    plan = margin.held(one, best.point, bench.run)
    assert plan is not None
    assert margin.margin(plan, one, other, bench.run) == exactly(Fraction(60, 1331))


@pytest.mark.parametrize("seed", [0, 2])
def test_margins_are_those_of_the_solvers_own_fixed_program(tmp_path: Path, seed: int) -> None:
    bench, best = on_bench(write_folder(tmp_path / "drawn", drawn(seed)))
    one = best.posed.model.matrix
    plan = margin.held(one, best.point, bench.run)
    assert plan is not None
    fixed = _fixed_by_highs(one, best.point)
    assert _worth(fixed) == pytest.approx(plan.value, abs=1e-6)
    for unit in units(bench.document):
        if unit.again:
            continue
        other = bench.at(unit.changes).model.matrix
        if not margin.alike(one, other) or (one.coefficients != other.coefficients).nnz:
            continue
        step = 1e-3
        moved = margin.part_of(one, other, step)
        fixed.changeRowsBounds(
            len(one.row_lower), np.arange(len(one.row_lower), dtype=np.int32),
            moved.row_lower, moved.row_upper,
        )  # fmt: skip
        rate = (_worth(fixed) - plan.value) / step
        assert margin.margin(plan, one, other, bench.run) == pytest.approx(rate, abs=1e-4)


def _fixed_by_highs(matrix: Any, point: Any) -> Any:
    """The program that HiGHS itself makes of its best plan."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    from optimizer.highs import _pass_model

    _pass_model(solver, margin.fix_integers(matrix, point))
    lower = np.where(matrix.integer, np.rint(point), matrix.column_lower)
    upper = np.where(matrix.integer, np.rint(point), matrix.column_upper)
    for j in np.flatnonzero(matrix.integer).tolist():
        solver.changeColIntegrality(j, highspy.HighsVarType.kInteger)
        solver.changeColBounds(j, lower[j], upper[j])
    solver.run()
    status, program = solver.getFixedLp()
    assert status == highspy.HighsStatus.kOk
    fixed = highspy.Highs()
    fixed.setOptionValue("output_flag", False)
    fixed.passModel(program)
    return fixed


def _worth(program: Any) -> float:
    program.run()
    assert program.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(program.getInfo().objective_function_value)


# --- what is never claimed -----------------------------------------------------------------------


def test_what_is_wider_is_a_relaxation_and_nothing_else() -> None:
    bench, best = on_bench(INSTANCES / "by_hand")
    one = best.posed.model.matrix
    more = bench.at({"sites.creek.firm_mw": 13.0}).model.matrix
    less = bench.at({"sites.creek.firm_mw": 11.0}).model.matrix
    dearer = bench.at({"fitouts.ai.capex_usd_per_kw": 1700.0}).model.matrix
    assert margin.wider(one, more)
    assert not margin.wider(one, less)
    assert not margin.wider(one, dearer)
    assert margin.same(one, bench.at({}).model.matrix)
    assert not margin.same(one, more)


def test_other_unknowns_are_never_taken_for_the_same() -> None:
    _, best = on_bench(INSTANCES / "by_hand")
    one = best.posed.model.matrix
    others = replace(one, column_names=[f"other {name}" for name in one.column_names])
    assert margin.alike(one, one)
    assert not margin.alike(one, others)
    assert not margin.same(one, others)


def test_changes_that_are_refused_together_are_tried_apart(
    monkeypatch: pytest.MonkeyPatch, worths: dict[tuple[str, str], Worth]
) -> None:
    bench, best = on_bench(INSTANCES / "by_hand")
    at = bench.at

    def singly(changes: Mapping[str, Json]) -> Posed:
        if len(changes) > 1:
            raise InputRefused([])
        return at(changes)

    monkeypatch.setattr(bench, "at", singly)
    found = list(OneMore(bench, best).worths(units(bench.document)))
    for one in found:
        assert one.verdict == worths[one.unit.key, one.unit.again].verdict
    assert all(one.together <= 1 for one in found)


def test_only_units_that_bind_give_a_limit_room(worths: dict[tuple[str, str], Worth]) -> None:
    grid = worths["sites.creek.firm_mw", ""]
    other = replace(grid, rows=frozenset({("other", ())}))
    limit = Pressed("", "", "", ("2028-01",), 1.0, 1.0, "MW", "", "", None, grid.rows)
    slack = replace(grid, binds=False)
    assert limit.worths([slack, grid, other, replace(grid, binds=None)]) == [grid]


def test_without_time_nothing_is_claimed() -> None:
    bench, best = on_bench(INSTANCES / "by_hand")
    bench.stop.set()
    found = list(OneMore(bench, best).worths(units(bench.document)))
    assert {one.verdict for one in found} == {"not reached"}
    assert len(found) == len(units(bench.document))
    for begun in (bench.check, lambda: bench.at({}), lambda: bench.run(best.posed.model.matrix)):
        with pytest.raises(TimeOver):
            begun()


def test_beside_a_plan_that_is_not_proved_nothing_is_claimed() -> None:
    bench, best = on_bench(INSTANCES / "by_hand")
    open_end = replace(best, solved=replace(best.solved, status="best-found", bound_musd=None))
    found = list(OneMore(bench, open_end).worths(units(bench.document)))
    moved = [one for one in found if one.together]
    assert {one.verdict for one in moved} == {"unproved"}
    assert best.plan is not None
    things = not_chosen(bench, best.posed, best.plan)
    assert {one.verdict for one in Chosen(bench, open_end).turns(things)} == {"open"}


def test_a_unit_that_no_instance_may_have_is_refused_by_name(tmp_path: Path) -> None:
    rich = ("opening_cash_musd = 12", "opening_cash_musd = 50000")
    one = worths_of(by_hand(tmp_path / "rich", rich))["finance.opening_cash_musd", ""]
    assert one.verdict == "refused"
    assert one.message
