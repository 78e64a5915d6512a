"""Single limits that are each a way out alone, with the least by which they would have to give."""

from __future__ import annotations

import pytest

from models.hours import flat
from optimizer.case import prepare
from optimizer.elastic import clashing
from optimizer.highs import Options
from optimizer.singles import single_ways
from optimizer.solve import solve
from tests.models.tiny import LEASE, tiny

#: 2 MW are signed; the one hall that they take costs 2 MW at 2,500 $/kW, 5 M$.
SIGNED = {
    "contracts__lease": LEASE,
    "commitments__contracts": [{"contract": "lease", "mw": 2.0}],
}


def short_of(budget_musd: float, **more):
    overrides = {**SIGNED, "finance__capex_budget_musd": budget_musd, **more}
    return prepare(tiny(**overrides), {"a": flat(40.0)})


def ways_of(case):
    clashes = clashing(case, options=Options(gap=1e-6))
    return clashes, single_ways(case, clashes)


def test_the_budget_is_a_way_out_where_less_delivery_is_the_cheapest() -> None:
    clashes, ways = ways_of(short_of(1.0))
    told = {clash.limit: clash for way in (clashes, *ways) for clash in way}
    assert told["capital.capex_budget"].amount == pytest.approx(4.0, rel=1e-3)
    assert told["hosting.delivery_balance"].key == "commitments.contracts.0.mw"
    assert told["hosting.delivery_balance"].amount == pytest.approx(2.0, rel=1e-3)


def test_what_a_single_way_says_is_enough_and_less_is_not() -> None:
    clashes, ways = ways_of(short_of(1.0))
    every = [clash for way in (clashes, *ways) for clash in way]
    (gives,) = [clash.amount for clash in every if clash.limit == "capital.capex_budget"]
    assert solve(short_of(1.0 + gives)).status == "solved"
    assert solve(short_of(1.0 + 0.99 * gives)).status == "infeasible"


def test_the_cheapest_way_is_not_told_again_and_no_way_that_is_none() -> None:
    clashes, ways = ways_of(short_of(1.0))
    kinds = [frozenset(clash.limit for clash in way) for way in ways]
    assert frozenset(clash.limit for clash in clashes) not in kinds
    assert not any("capital.debt_limit" in kind for kind in kinds)


def test_no_single_way_is_told_where_two_limits_have_to_give() -> None:
    """Without firm MW neither money nor MW alone bring the 2 MW; to promise less does."""
    _, ways = ways_of(short_of(1.0, sites__a__firm_mw=1.0))
    assert all("capital" not in clash.limit for way in ways for clash in way)


def test_a_promise_gives_as_a_whole_where_it_ramps_up() -> None:
    """Half of the MW is due in the first year: to promise 2 MW less takes 1 MW of it."""
    ramp = [{"after_months": 0, "share": 0.5}, {"after_months": 12, "share": 1.0}]
    case = short_of(1.0, contracts__lease={**LEASE, "ramp": ramp})
    clashes, ways = ways_of(case)
    told = {clash.limit: clash for way in (clashes, *ways) for clash in way}
    assert told["hosting.delivery_balance"].amount == pytest.approx(2.0, rel=1e-3)
