"""What answers hang on, and nothing else, tells points and versions apart."""

from dataclasses import replace

import pytest

from optimizer.highs import Options
from optimizer.sweep.points import Base, Point

POINT = Point(3, {"a": 1}, {"finance.capex_budget_musd": 5.0}, {"west": "low.csv"})
BASE = Base({"instance.toml": b"x"}, Options(), None, {"actions.csv": b"y"})


@pytest.mark.parametrize(
    "other",
    [{"changes": {"finance.capex_budget_musd": 6.0}}, {"changes": {}}, {"prices": {}},
     {"prices": {"west": "high.csv"}}, {"prices": {"east": "low.csv"}}],
)  # fmt: skip
def test_points_that_differ_in_what_is_solved_have_rows_of_their_own(other):
    assert replace(POINT, **other).identity("v") != POINT.identity("v")


def test_a_point_has_one_row_wherever_it_stands_and_another_in_each_version():
    moved = replace(POINT, number=9, settings={"b": 2})
    assert moved.identity("v") == POINT.identity("v") != POINT.identity("w")


@pytest.mark.parametrize(
    "other",
    [{"files": {"instance.toml": b"z"}}, {"files": {"other.toml": b"x"}}, {"plan": None},
     {"plan": {"actions.csv": b"z"}}, {"options": Options(gap=0.5)},
     {"options": Options(seed=7)}, {"memory_mb": 500}, {"ties": "capex"}],
)  # fmt: skip
def test_answers_of_other_inputs_are_of_another_version(other):
    assert replace(BASE, **other).version({"a": "1"}) != BASE.version({"a": "1"})


def test_a_version_hangs_on_what_computes_and_not_on_where_it_began():
    assert BASE.version({"a": "1"}) != BASE.version({"a": "2"})
    started = replace(BASE, start={("racks", (0, "s")): 1.0})
    assert started.version({"a": "1"}) == BASE.version({"a": "1"})
