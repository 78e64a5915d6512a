"""The two catalogues of limits: what may clash, and of what one more is priced."""

from __future__ import annotations

import pytest

from models.instance import Instance
from optimizer.answers.conflict.limits import KINDS as CLASHING
from optimizer.answers.conflict.limits import limits_of
from optimizer.answers.worth.units import KINDS as PRICED
from optimizer.answers.worth.units import Unit, units
from tests.models.tiny import LEASE, merged
from tests.optimizer.answers.planted import LINE, Typed, put, signed

#: What more of is worth something though it is no limit that a planner lifts: lead times, figures
#: of halls and supplies, and halves of what clashes as one.
FIGURES = {
    "projects.*.months", "fitouts.*.works_months", "uptime.packages.*.works_months",
    "uptime.components.*.works_months", "racks.*.delivery_months", "halls.*.it_mw",
    "power.*.programmes.*.mw", "power.*.generation.*.mw",
    "power.*.generation.*.hours_per_year_max",
}  # fmt: skip
#: What may be in the way though one more of it is no unit: choices, promises, what is owed.
CHOICES = {
    "fitouts.*.can_go_back", "fitouts.*.positions_per_mw", "fitouts.*.kw_per_rack_max",
    "uptime.packages.*.availability", "halls.*.fitouts", "contracts.*.kw_per_rack",
    "contracts.*.cooling", "contracts.*.sites", "contracts.*.availability", "contracts.*.start",
    "commitments.debt.*.principal_musd", "commitments.works.*.due_musd",
    "commitments.racks.*.due_musd", "commitments.contracts.*.mw", "policy.shares_from",
}  # fmt: skip


def test_what_may_be_given_room_may_be_in_the_way_and_the_other_way_round() -> None:
    clashing, priced = ({kind.pattern for kind in kinds} for kinds in (CLASHING, PRICED))
    assert priced - clashing == FIGURES
    assert clashing - priced == CHOICES


def test_both_move_a_limit_to_the_same_side() -> None:
    """Less of least MW and of cash that must be held, more of all others."""
    document = put(signed(1.0), FULL)
    limits = {one.key: one for one in limits_of(document, Instance.model_validate(document))}
    compared = dict[str, bool]()
    for unit in units(document):
        before, after, limit = unit.before, unit.after, limits.get(unit.key)
        if limit is None or limit.up is None or unit.again:
            continue
        if isinstance(before, int | float) and isinstance(after, int | float):
            compared[unit.key] = (after > before) is limit.up
    assert all(compared.values()), compared
    assert "finance.minimum_cash_musd" in compared
    assert len(compared) >= 12


FULL: Typed = {
    "finance.capex_budget_musd": 20.0, "finance.minimum_cash_musd": 3.0,
    "finance.capex_budget_by_site_musd": {"a": 9.0},
    "finance.capex_budget_by_period": [{"from": "2029-01", "to": "2029-12", "musd": 9.0}],
    "sites.a.ai_mw_max": 4.0, "sites.a.mining_mw_max": 5.0, "sites.a.substation_mw": 12.0,
    "policy.ai_share_min": 0.1, "policy.ai_share_max": 0.995, "policy.mining_share_min": 0.005,
    "policy.mining_share_max": 0.9, "contracts.lease.latest_delivery": "2030-06",
    "projects": {"line": {**LINE, "months": 14, "earliest": "2030-01", "latest": "2030-01"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def asked() -> dict[str, Unit]:
    return {unit.key: unit for unit in units(put(signed(1.0), FULL)) if not unit.again}


@pytest.mark.parametrize(
    ("key", "after", "amount"),
    [
        ("finance.capex_budget_musd", 21.0, 1.0), ("finance.minimum_cash_musd", 2.0, 1.0),
        ("policy.ai_share_min", 0.09, 0.01), ("policy.ai_share_max", 1.0, 0.005),
        ("policy.mining_share_min", 0.0, 0.005), ("policy.mining_share_max", 0.91, 0.01),
        ("contracts.lease.min_mw", 0.05, 0.25),
    ],
)  # fmt: skip
def test_a_unit_ends_where_the_figure_does(
    asked: dict[str, Unit], key: str, after: float, amount: float
) -> None:
    assert asked[key].after == pytest.approx(after)
    assert asked[key].amount == pytest.approx(amount)


@pytest.mark.parametrize(
    ("key", "after", "amount"),
    [
        # Fourteen months are two periods of a year, of which one less are twelve.
        ("projects.line.months", 12, 2.0),
        ("projects.line.earliest", "2029-01", 12.0),
        ("projects.line.latest", "2031-01", 12.0),
        ("contracts.lease.latest_delivery", "2031-06", 12.0),
    ],
)
def test_months_count_by_whole_periods(
    asked: dict[str, Unit], key: str, after: str | int, amount: float
) -> None:
    assert (asked[key].after, asked[key].amount) == (after, amount)


def test_nobody_signs_after_the_start() -> None:
    """Signed by 2029-06 of a contract from 2030-01 on: seven months later, and not twelve."""
    offer = {**LEASE, "sign_by": "2029-06"}
    found = {
        unit.key: unit for unit in units(merged(signed(1.0), {"contracts": {"lease": offer}}))
    }
    one = found["contracts.lease.sign_by"]
    assert (one.after, one.amount) == ("2030-01", 7.0)


def test_what_is_at_its_end_has_no_unit() -> None:
    full = put(signed(1.0), {"policy.ai_share_max": 1.0, "finance.minimum_cash_musd": 0.0})
    keys = {unit.key for unit in units(full)}
    assert "policy.ai_share_max" not in keys
    assert "finance.minimum_cash_musd" not in keys
