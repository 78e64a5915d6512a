"""What replacing 4CP by 12CP with minimum billing demand does to the Texas plan.

Run as a module, ``python -m tests.test_peak_charges`` prints the table of the instance's page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from models.instance import Power
from optimizer.case import prepare
from optimizer.load import load
from optimizer.plan import tables
from optimizer.solve import solve
from tests.shipped import INSTANCES

PEAK = {"usd_per_kw_year": 60.0, "candidate_hours": 4.0}
CASES: Mapping[str, dict[str, Any] | None] = {
    "no charge": None,
    "4CP": {**PEAK, "peaks": "4cp"},
    "12CP": {**PEAK, "peaks": "12cp"},
    "12CP, half the connection billed": {**PEAK, "peaks": "12cp", "billing_floor_share": 0.5},
    "12CP, four fifths billed": {**PEAK, "peaks": "12cp", "billing_floor_share": 0.8},
}


def rows() -> Iterator[str]:
    """Solve the instance with each charge and tell the plan in a line."""
    loaded = load(INSTANCES / "texas")
    for name, peak in CASES.items():
        more = {} if peak is None else {"coincident_peak": peak}
        power = {
            key: Power.model_validate(block.model_dump(exclude_unset=True) | more)
            for key, block in loaded.instance.power.items()
        }
        instance = loaded.instance.model_copy(update={"power": power})
        case = prepare(instance, loaded.hours)
        solved = solve(case)
        assert solved.status == "solved"
        assert solved.plan is not None
        assert solved.audit is not None
        assert solved.audit.hours_difference <= 1e-9
        table = tables(case, solved)
        signed = sum(solved.plan.signed_mw.values())
        halls = sum(solved.plan.conversions.values())
        mined = table.energy["mining_mwh"].sum() / 1e3
        yield (
            f"| {name} | {solved.value_musd:.1f} | {solved.audit.nothing_musd:.1f} | "
            f"{signed:.1f} | {halls:.0f} | {mined:,.0f} |"
        )


@pytest.mark.soak
def test_the_page_shows_what_a_floor_under_the_peak_does() -> None:
    page = (INSTANCES / "texas" / "README.md").read_text(encoding="utf-8")
    for row in rows():
        assert row in page, row


if __name__ == "__main__":
    for row in rows():
        print(row)  # noqa: T201
