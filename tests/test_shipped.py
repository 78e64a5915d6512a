"""Every shipped instance solves to its stored result, and its figures are sourced."""

from __future__ import annotations

import pytest

from optimizer.load import load
from tests.shipped import INSTANCES, ROOT, Shipped, names, pages_of, stored


def test_the_instances_of_the_problem_are_there():
    assert {"by_hand", "texas", "hut8", "hive", "iren"} <= set(names())


@pytest.mark.parametrize("name", names())
def test_an_instance_solves_to_its_stored_result(name):
    before = stored(name)
    assert before is not None
    shipped = Shipped.solve(name)
    solved = shipped.solved
    assert solved.status == "solved"
    assert solved.audit is not None
    assert solved.audit.passed
    assert solved.audit.hours_difference <= 1e-9
    assert solved.gap is not None
    assert solved.gap <= 1e-4
    # Two solves of the same case may end at different plans within the gap, not further apart.
    assert solved.value_musd == pytest.approx(before["value_musd"], rel=2.1e-4, abs=1e-4)
    if shipped.result() == before:
        # The same plan, so its screen is the one that the pages show, word for word.
        assert all(shipped.plan_text() in page.read_text() for page in pages_of(name))


@pytest.mark.parametrize("name", names())
def test_every_figure_of_an_instance_has_a_source(name):
    loaded = load(INSTANCES / name)
    assert loaded.unsourced() == []
    assert all(source.source for source in loaded.sources)


@pytest.mark.parametrize("name", names())
def test_an_instance_says_what_it_shows(name):
    readme = (INSTANCES / name / "README.md").read_text()
    assert "```text" in readme or name == "by_hand"


def test_the_first_screen_shows_the_plan_of_texas():
    value = stored("texas")["value_musd"]
    assert f"value {value:.1f} M$" in (ROOT / "README.md").read_text()
