"""The instance solved on paper: every figure of its README is what the engine answers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from models.context import Context
from optimizer.case import Case, prepare
from optimizer.compiled import compile_case
from optimizer.highs import Options
from optimizer.load import Loaded, load
from optimizer.solve import Solved, do_nothing, solve

FOLDER = Path(__file__).parents[1] / "instances" / "by_hand"
EXACT = Options(gap=0.0, absolute_gap=1e-9)

MINE, AI = "barn:mine", "barn:ai+two-feeds"
MW_YEAR = Fraction(2117, 5000)
VALUE = Fraction(4403121, 366025)
NOTHING = Fraction(19243083, 1830125)
GAIN = VALUE - NOTHING
BREAK_EVEN_RENT = Fraction(3387913, 13750)


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load(FOLDER)


@pytest.fixture(scope="module")
def case(loaded: Loaded) -> Case:
    return prepare(loaded.instance, loaded.hours)


@pytest.fixture(scope="module")
def solved(case: Case) -> Solved:
    return solve(case, EXACT)


@pytest.fixture(scope="module")
def plan(solved: Solved) -> Context:
    assert solved.plan is not None
    return solved.plan


def exactly(figure: Fraction | float) -> Any:
    return pytest.approx(float(figure), abs=1e-9, rel=0)


def chosen(numbers: Mapping[Any, float]) -> dict[Any, float]:
    return {index: x for index, x in numbers.items() if abs(x) > 1e-9}


def test_value_is_that_on_paper(solved: Solved) -> None:
    assert solved.status == "solved"
    assert solved.value_musd == exactly(VALUE)
    assert solved.bound_musd == exactly(VALUE)


def test_decisions_are_those_on_paper(plan: Context) -> None:
    assert chosen(plan.conversions) == {(0, MINE, AI): exactly(1)}
    assert chosen(plan.sales) == {(0, MINE, "lot"): exactly(6)}
    assert chosen(plan.orders) == {}
    assert chosen(plan.signing) == {(0, "tenant"): exactly(1)}
    assert chosen(plan.signed_mw) == {(0, "tenant"): exactly(5)}
    assert chosen(plan.halls) == {
        (0, MINE): exactly(1), (1, MINE): exactly(1), (1, AI): exactly(1)
    }  # fmt: skip
    assert chosen(plan.racks) == {(0, MINE, "lot"): exactly(10), (1, MINE, "lot"): exactly(10)}


def test_mining_stops_in_the_dear_hours(case: Case, plan: Context) -> None:
    given = case.given
    for n in (0, 1):
        cheap, dear = given.bands[n, "creek"]
        assert given.hours[n, "creek", cheap] == exactly(7300)
        assert given.hours[n, "creek", dear] == exactly(1460)
        assert given.runs[n, "creek", cheap] == (("mine", "lot"),)
        assert given.runs[n, "creek", dear] == ()
    assert chosen(plan.mining) == {
        (n, "creek", "mine", "lot", b): exactly(10)
        for n in (0, 1)
        for b in given.bands[n, "creek"]
        if given.runs[n, "creek", b]
    }


def test_grid_is_full_in_the_second_year(plan: Context) -> None:
    assert chosen(plan.reserved) == {(1, "creek"): exactly(7)}
    mined = max(x for (n, *_), x in plan.mining.items() if n == 1)
    assert mined * Fraction(11, 10) + plan.reserved[1, "creek"] == exactly(18)


def test_cash_is_that_on_paper(plan: Context) -> None:
    assert plan.capex[0, "creek"] == exactly(10)
    assert plan.cash[0,] == exactly(Fraction(3467, 500))
    assert plan.cash[1,] == exactly(Fraction(42153, 2000))
    staff = Fraction(6, 10)
    assert plan.margin[0, "creek"] == exactly(10 * MW_YEAR - staff)
    rent_less_costs = Fraction(84, 5) - Fraction(3, 10) - Fraction(5183, 2000) - Fraction(3, 10)
    assert plan.margin[1, "creek"] == exactly(10 * MW_YEAR - staff + rent_less_costs)


def test_doing_nothing_is_worth_what_the_paper_says(case: Case) -> None:
    nothing = do_nothing(case, compile_case(case))
    assert nothing is not None
    assert nothing.value_musd == exactly(NOTHING)
    assert Fraction(2772522, 1830125) == VALUE - NOTHING


def test_a_seventeenth_lot_loses_what_the_paper_says(case: Case) -> None:
    pinned = {("orders", (0, MINE, "lot")): 1.0, ("conversions", (0, MINE, AI)): 0.0}
    bought = solve(case, EXACT, pinned=pinned)
    assert bought.value_musd == exactly(NOTHING - Fraction(644411, 3660250))


@pytest.mark.parametrize(("cents", "halls"), [(1, 1), (-1, 0)])
def test_the_rent_at_which_the_answer_turns(loaded: Loaded, cents: int, halls: int) -> None:
    instance = loaded.instance
    rent = float(BREAK_EVEN_RENT) + cents / 100
    offer = instance.contracts["tenant"].model_copy(update={"rate_usd_per_kw_month": rent})
    turned = instance.model_copy(update={"contracts": {"tenant": offer}})
    solved = solve(prepare(turned, loaded.hours), EXACT)
    assert solved.plan is not None
    assert solved.plan.conversions[0, MINE, AI] == exactly(halls)


def test_the_readme_states_these_figures() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    stated = (
        MW_YEAR, VALUE, NOTHING, GAIN, BREAK_EVEN_RENT, Fraction(5183, 2000),
        Fraction(3467, 500), Fraction(42153, 2000), Fraction(644411, 3660250),
    )  # fmt: skip
    assert [figure for figure in stated if str(figure) not in readme] == []


def test_every_figure_has_its_source(loaded: Loaded) -> None:
    assert loaded.unsourced() == []
    assert loaded.warnings == ()
    assert {source.source for source in loaded.sources} == {"assumption"}
