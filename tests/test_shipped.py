"""Shipped instances solve to their stored results, but for large ones; all figures are sourced."""

from __future__ import annotations

import pytest

from optimizer.load import load
from tests.shipped import (
    INSTANCES,
    LARGE,
    ROOT,
    Shipped,
    names,
    pages_of,
    solved_in_tests,
    stored,
)


def test_the_instances_of_the_problem_are_there():
    assert {"by_hand", "texas", "hut8", "hive", "iren"} <= set(solved_in_tests())
    assert set(names()) - set(solved_in_tests()) == LARGE == {"fleet"}


def test_the_fleet_is_what_a_listed_company_plans():
    loaded = load(INSTANCES / "fleet")
    fleet = loaded.instance
    assert loaded.warnings == ()
    assert [len(block) for block in (fleet.sites, fleet.racks, fleet.contracts)] == [12, 8, 10]
    assert fleet.horizon.periods == 40
    assert 55 <= sum(hall.count for hall in fleet.halls.values()) <= 65
    grids = {site.power.split("-")[0] for site in fleet.sites.values()}
    assert grids == {"ercot", "alberta", "quebec", "sweden"}
    tied = [offer for offer in fleet.contracts.values() if len(offer.sites) == 1]
    assert len(tied) == 9
    path = fleet.bitcoin.hashprice_usd_per_ph_day
    prices = {step.from_: step.value for step in path}
    for before, after in (("2028-01", "2028-04"), ("2032-01", "2032-04")):
        assert prices[after] < 0.65 * prices[before]


@pytest.mark.parametrize("name", solved_in_tests())
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
