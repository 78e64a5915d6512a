"""Promises that units or people could keep one day, but not by their start."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.instance import Commitments, SignedContract
from optimizer.case import prepare
from optimizer.errors import Problem
from optimizer.load import examine, load
from optimizer.solve import solve
from tests.folders import INSTANCE, edited, write_folder
from tests.optimizer.test_early import SIGNED, rich

#: Ordered at the start of 2027 they stand from 2029 on, half a year after the lease begins.
CHILLERS = """
[uptime.components.chiller]
unit_mw = 1.0
failures_per_year = 0.01
hours_to_repair = 4.0
works_months = 24
[uptime.subsystems.cool]
level = "site"
components = ["chiller"]
"""
#: Twenty times the errors at first, of which half is unlearnt every two years.
PEOPLE = """
[uptime.components.people]
availability = 0.9998
hours_to_repair = 1.0
newcomer_factor = 20.0
learning_months = 24
[uptime.subsystems.crew]
level = "company"
components = ["people"]
"""
STANDING = '[sites.north.plant.cool]\ncomponent = "chiller"\nunits = {}\n'
LATE = 'start = "2028-07"\nlatest_delivery = "2029-01"'


def told(tmp_path: Path, text: str) -> list[Problem]:
    _, problems = examine(write_folder(tmp_path / "i", text))
    return [p for p in problems if p.key == "contracts.lease.availability"]


def signed(text: str) -> str:
    return edited("[policy]", SIGNED, text)


@pytest.mark.parametrize("parts", [CHILLERS, PEOPLE])
def test_an_offer_whose_promise_comes_too_soon_is_never_signed(tmp_path: Path, parts: str) -> None:
    (problem,) = told(tmp_path, INSTANCE + parts)
    assert problem.severity == "warning"
    assert "never signed" in problem.message
    assert problem.line is not None


def test_a_signed_one_is_refused_and_says_what_stands_in_its_way(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, signed(INSTANCE) + CHILLERS)
    assert problem.severity == "error"
    assert problem.message == "a signed contract promises more than can be reached by its start"
    assert problem.found == "99.9 % from 2028-07 on"
    assert problem.allowed is not None
    assert problem.allowed.startswith("at most 0 % by then")
    assert problem.hint is not None
    assert "cool" in problem.hint


@pytest.mark.parametrize(
    "text",
    [
        # Units that stand today carry the 2 MW; two of them leave no spare, and need none.
        INSTANCE + CHILLERS + STANDING.format(2),
        # Delivery may be late until the units have come.
        edited('start = "2028-07"', LATE, INSTANCE.replace("periods = 8", "periods = 12"))
        + CHILLERS,
    ],
)
def test_what_stands_in_time_is_not_spoken_of(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, signed(text)) == []


def test_one_unit_does_not_carry_two_megawatts(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, signed(INSTANCE) + CHILLERS + STANDING.format(1))
    assert problem.severity == "error"


@pytest.mark.parametrize("parts", [CHILLERS, CHILLERS + STANDING.format(1)])
def test_what_is_refused_has_no_plan(tmp_path: Path, parts: str) -> None:
    """Signed behind the back of the check, the promise that comes too soon is infeasible."""
    loaded = load(write_folder(tmp_path, rich(INSTANCE) + parts))
    assert loaded.warnings
    owed = Commitments(contracts=[SignedContract(contract="lease", mw=2.0)])
    instance = loaded.instance.model_copy(update={"commitments": owed})
    assert solve(prepare(instance, loaded.hours)).status == "infeasible"


def test_of_several_sites_none_has_to_carry_all(tmp_path: Path) -> None:
    """A megawatt here and one there: a chiller stands at each."""
    text = edited('sites = ["north"]', "", signed(INSTANCE)) + CHILLERS + STANDING.format(1)
    south = ('[sites.south]\nfirm_mw = 9\npower = "grid"\n[sites.south.plant.cool]\n'
             'component = "chiller"\nunits = 1\n[halls.there]\nsite = "south"\ncount = 1\n'
             'it_mw = 5\nfitout = "mine"\n')  # fmt: skip
    assert told(tmp_path, text + south) == []


def test_only_what_is_due_by_then_has_to_be_carried(tmp_path: Path) -> None:
    """Half of the 2 MW at first: one chiller will do until others have come."""
    ramp = "ramp = [{ after_months = 0, share = 0.5 }, { after_months = 12, share = 1.0 }]\nstart"
    text = edited('start = "2028-07"', ramp + ' = "2028-07"', signed(INSTANCE))
    assert told(tmp_path, text + CHILLERS + STANDING.format(1)) == []
    # Within the first period already the whole is due.
    soon = text.replace("after_months = 12", "after_months = 2")
    (problem,) = told(tmp_path / "soon", soon + CHILLERS + STANDING.format(1))
    assert problem.severity == "error"


def test_an_offer_is_asked_for_its_least(tmp_path: Path) -> None:
    text = INSTANCE.replace("min_mw = 2", "min_mw = 1")
    assert told(tmp_path, text + CHILLERS + STANDING.format(1)) == []


def test_a_ramp_that_falls_to_nothing_is_due_when_it_rises_again(tmp_path: Path) -> None:
    """Begun before the horizon, nothing due at its start: what stands from 2029 on is in time."""
    ramp = ("ramp = [{ after_months = 0, share = 1.0 }, { after_months = 6, share = 0.0 }, "
            "{ after_months = 36, share = 1.0 }]\n")  # fmt: skip
    text = edited('start = "2028-07"', ramp + 'start = "2026-07"', signed(INSTANCE))
    text = text.replace('sign_by = "2027-04"', 'sign_by = "2026-04"')
    text = text.replace("periods = 8", "periods = 16")
    assert told(tmp_path, text + CHILLERS) == []


@pytest.mark.parametrize(
    ("half_life", "change", "refused"),
    [
        # 18 months of experience: beside the hall's 5e-4, 1e-4 (1 + 19 / 2**(18/24)) is too much,
        # and 1e-4 (1 + 19 / 8) is not.
        (24, "", True),
        (6, "", False),
        # Delivery may wait for 36 months of it.
        (12, 'latest_delivery = "2030-01"\n', False),
        (12, "", True),
        # Nothing is due before 36 months of it.
        (12, "ramp = [{ after_months = 18, share = 1.0 }]\n", False),
    ],
)
def test_experience_counts_until_the_first_day_that_matters(
    tmp_path: Path, half_life: int, change: str, refused: bool
) -> None:
    people = PEOPLE.replace("learning_months = 24", f"learning_months = {half_life}")
    people = people.replace("0.9998", "0.9999")
    text = edited('start = "2028-07"', change + 'start = "2028-07"', signed(INSTANCE))
    text = text.replace("periods = 8", "periods = 16")
    assert bool(told(tmp_path, text + people)) == refused


@pytest.mark.parametrize(("promised", "refused"), [(0.9994, False), (0.9996, True)])
def test_a_promise_just_within_reach_is_not_refused(
    tmp_path: Path, promised: float, refused: bool
) -> None:
    """The package reaches 99.95 %, and the chillers that stand lose next to nothing."""
    text = edited("availability = 0.999\n", f"availability = {promised}\n", signed(INSTANCE))
    assert bool(told(tmp_path, text + CHILLERS + STANDING.format(4))) == refused


def test_a_package_given_unit_by_unit_can_be_ready_in_time(tmp_path: Path) -> None:
    """No stated package keeps 99.96 %, and one of units does: works begin no later for it."""
    units = ('[uptime.components.ups]\nunit_mw = 5.0\nfailures_per_year = 0.01\n'
             'hours_to_repair = 1.0\n[uptime.subsystems.ups]\nlevel = "hall"\n'
             'components = ["ups"]\n[uptime.packages.good.units.ups]\ncomponent = "ups"\n'
             "units = 2\n")  # fmt: skip
    text = edited("availability = 0.999\n", "availability = 0.9996\n", signed(INSTANCE))
    assert told(tmp_path, text + units) == []


@pytest.mark.parametrize(("units", "refused"), [(2, True), (3, False)])
def test_a_promise_missed_by_little_is_refused(tmp_path: Path, units: int, refused: bool) -> None:
    """Each chiller is down 4.6e-4 of the time: two without a spare take 4e-4 too much."""
    often = CHILLERS.replace("failures_per_year = 0.01", "failures_per_year = 1.0")
    assert bool(told(tmp_path, signed(INSTANCE) + often + STANDING.format(units))) == refused
