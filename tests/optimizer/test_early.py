"""Contracts that start before a hall can be ready, and racks whose age nobody gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.instance import Commitments, SignedContract
from optimizer.case import prepare
from optimizer.errors import Problem
from optimizer.load import examine, load
from optimizer.solve import solve
from tests.folders import INSTANCE, edited, write_folder

SIGNED = '[[commitments.contracts]]\ncontract = "lease"\nmw = 2\n\n[policy]'


def told(folder: Path, key: str) -> list[Problem]:
    _, problems = examine(folder)
    return [problem for problem in problems if problem.key == key]


def starting(month: str, *, signed: bool, text: str = INSTANCE) -> str:
    text = edited('start = "2028-07"', f'start = "{month}"', text)
    return edited("[policy]", SIGNED, text) if signed else text


def test_an_offer_that_starts_before_the_works_end_can_never_be_signed(tmp_path: Path) -> None:
    toml = starting("2027-10", signed=False)
    (problem,) = told(write_folder(tmp_path, toml), "contracts.lease.start")
    assert problem.severity == "warning"
    assert "never signed" in problem.message
    assert "works take 12 months: ready 2028-01 at the earliest" in problem.message
    assert "the contract starts 2027-10" in problem.message


def test_a_signed_contract_that_starts_before_the_works_end_is_refused(tmp_path: Path) -> None:
    (problem,) = told(
        write_folder(tmp_path, starting("2027-10", signed=True)), "contracts.lease.start"
    )
    assert problem.severity == "error"
    assert "works take 12 months: ready 2028-01 at the earliest" in problem.message


def rich(text: str) -> str:
    """Take the limits of money away."""
    text = edited("opening_cash_musd = 20", "opening_cash_musd = 900", text)
    return edited(
        "north = 60",
        "north = 900",
        edited("capex_budget_musd = 60", "capex_budget_musd = 900", text),
    )


def test_what_is_refused_has_no_plan(tmp_path: Path) -> None:
    """Signed behind the back of the check, the offer that starts too early is infeasible."""
    loaded = load(write_folder(tmp_path, rich(starting("2027-12", signed=False))))
    owed = Commitments(contracts=[SignedContract(contract="lease", mw=2.0)])
    signed = loaded.instance.model_copy(update={"commitments": owed})
    assert solve(prepare(loaded.instance, loaded.hours)).status == "solved"
    assert solve(prepare(signed, loaded.hours)).status == "infeasible"


@pytest.mark.parametrize(
    ("month", "changes", "refused"),
    [
        ("2028-01", (), False),
        ("2027-12", (), True),
        ("2027-10", ("start =", 'latest_delivery = "2028-01"\nstart ='), False),
        ("2027-10", ("start =", "ramp = [{ after_months = 3, share = 1.0 }]\nstart ="), False),
        ("2027-10", ("[policy]", "[[commitments.works]]\nhall = \"old\"\nhalls = 1\n"
                     'fitout = "ai"\npackage = "n-plus-1"\nready = "2027-10"\n\n[policy]'), False),
    ],
)  # fmt: skip
def test_only_what_has_no_plan_is_refused(
    tmp_path: Path, month: str, changes: tuple[str, str] | tuple[()], refused: bool
) -> None:
    toml = rich(starting(month, signed=True))
    if changes:
        head, _, tail = toml.rpartition("[contracts.lease]")
        tail = tail.replace(changes[0], changes[1], 1)
        toml = f"{head}[contracts.lease]{tail}"
    folder = write_folder(tmp_path, toml)
    assert bool(told(folder, "contracts.lease.start")) == refused
    if not refused:
        loaded = load(folder)
        assert solve(prepare(loaded.instance, loaded.hours)).status == "solved"


# --- ages ----------------------------------------------------------------------------------


def test_a_fleet_without_its_ages_is_warned_of_once_and_listed(tmp_path: Path) -> None:
    bare = '\n[[fleet]]\nhall = "old"\nrack = "s21-lot"\nracks = 7\nage_months = 12\n'
    rest = edited(bare.replace("7", "14"), "")
    rows = "hall,rack,racks\nold,s21-lot,7\nold,s21-lot,7\n"
    folder = write_folder(tmp_path, rest, fleet_csv=rows)
    (problem,) = told(folder, "fleet.age_months")
    assert problem.severity == "warning"
    assert problem.message == "no row gives the age of its racks, so they pass for new"
    assert (problem.file, problem.found) == ("fleet.csv", "14 racks: s21-lot")
    listed = {default.key: default for default in load(folder).defaults}
    assert listed["fleet.*.age_months"].value == 0
    assert listed["fleet.*.age_months"].source == "format: in 2 of the items"


def test_an_age_of_zero_that_was_typed_is_no_doubt(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, edited("age_months = 12", "age_months = 0"))
    _, problems = examine(folder)
    assert not any("age" in problem.message for problem in problems)
    assert not any(default.key.startswith("fleet") for default in load(folder).defaults)


def test_figures_of_lists_and_of_blocks_in_blocks_are_listed(tmp_path: Path) -> None:
    toml = edited(
        "[bitcoin]", "[finance.loan]\nlimit_musd = 5\ninterest_per_year = 0.1\n\n[bitcoin]"
    )
    listed = {
        default.key: default.value for default in load(write_folder(tmp_path, toml)).defaults
    }
    assert listed["finance.loan.loan_to_cost_share"] == 1.0
    assert listed["finance.overhead_musd_per_year"] == 0.0
    assert listed["commitments.debt.0.interest_musd"] == 0.0
