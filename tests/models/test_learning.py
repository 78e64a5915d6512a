"""A company new to AI: what it may promise, and when."""

from __future__ import annotations

import pytest

from models.hours import flat
from optimizer.audit import audit
from optimizer.case import Case, prepare
from optimizer.highs import Options
from optimizer.reached import Reached
from optimizer.solve import Solved, solve
from tests.models.tiny import CREW, LEASE, merged, tiny

#: People down 2e-4 of the time, three times as much at first: with a hall of 5e-4, 99.9 % can be
#: promised after a year and not before.
LEARNING = merged(CREW, {"components": {"people": {"availability": 0.9998}}})
HALL_OF_AI = {"fitout": "ai", "package": "n1"}
TO_CONVERT = {"fitout": "mine"}


def solved(
    start: str, hall: dict[str, str], *, hosts_ai_already: bool = False
) -> tuple[Case, Solved]:
    lease = {**LEASE, "start": start, "sign_by": start, "months": 12,
             "rate_usd_per_kw_month": 400.0}  # fmt: skip
    instance = tiny(
        uptime=LEARNING, contracts__lease=lease, fleet=[], halls__h=hall,
        finance__hosts_ai_already=hosts_ai_already, racks__rig__buyable=False,
    )  # fmt: skip
    case = prepare(instance, {"a": flat(40.0)})
    return case, solve(case, Options(gap=1e-9))


@pytest.mark.parametrize(
    ("start", "hall", "already", "signed"),
    [
        ("2029-01", HALL_OF_AI, False, False),
        ("2029-01", HALL_OF_AI, True, True),
        ("2030-01", HALL_OF_AI, False, True),
        # The hall comes in 2030, so that the company has a year behind it in 2031 only.
        ("2030-01", TO_CONVERT, False, False),
        ("2030-01", TO_CONVERT, True, True),
        ("2031-01", TO_CONVERT, False, True),
    ],
)
def test_a_promise_waits_for_experience(
    start: str, hall: dict[str, str], already: bool, signed: bool
) -> None:
    _, found = solved(start, hall, hosts_ai_already=already)
    assert found.status == "solved"
    assert found.plan is not None
    assert bool(sum(found.plan.signing.values())) is signed


def test_the_hall_is_ready_a_year_before_it_serves() -> None:
    case, found = solved("2031-01", TO_CONVERT)
    assert found.plan is not None
    assert found.plan.halls[1, "h:ai+n1"] >= 1
    months = [Reached(case, found.plan).experience_months(n) for n in (1, 2)]
    assert months == [0.0, 12.0]


def test_the_audit_asks_for_experience() -> None:
    """A plan of an old hand is refused to a newcomer."""
    _, old_hand = solved("2029-01", HALL_OF_AI, hosts_ai_already=True)
    newcomer, _ = solved("2029-01", HALL_OF_AI)
    assert old_hand.plan is not None
    missed = [b for b in audit(newcomer, old_hand.plan).breaches if b.limit == "uptime.promise"]
    assert missed
    assert missed[0].left == pytest.approx((1 - 6e-4) * (1 - 5e-4), rel=1e-12)
