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
