"""Limits that clash are named, with the least by which they would have to give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.hours import flat
from optimizer import highs
from optimizer.case import Case, prepare
from optimizer.compiled import compile_case
from optimizer.elastic import HARD, NODES_FOR_CLASHES, Clash, clashing, relax
from optimizer.highs import Budget, Options, run
from optimizer.solve import solve
from tests.models.tiny import LEASE, tiny
from tests.optimizer.test_solve import Clock, no_point

EXACT = Options(gap=1e-6)
#: What the tenant of the small case was promised: 2 MW from the second year on.
SIGNED = {
    "contracts__lease": LEASE,
    "commitments__contracts": [{"contract": "lease", "mw": 2.0}],
}


def small(**overrides: Any) -> Case:
    return prepare(tiny(**overrides), {"a": flat(40.0)})


def found(case: Case, **keywords: Any) -> dict[str, Clash]:
    return {clash.limit: clash for clash in clashing(case, options=EXACT, **keywords)}


def owed(musd: float) -> dict[str, Any]:
    order = {"hall": "h", "rack": "rig", "racks": 1, "delivery": "2029-01", "due_musd": musd}
    return {"commitments__racks": [order]}


# --- clashes worked out by hand ------------------------------------------------------------

PLANTED: Mapping[str, tuple[dict[str, Any], str, float, str]] = {
    "an order of 5 M$ against a budget of 2 M$": (
        {**owed(5.0), "finance__capex_budget_musd": 2.0},
        "capital.capex_budget", 3.0, "finance.capex_budget_musd",
    ),
    "an order of 130 M$ against cash of 100 M$ that must stay at 20 M$": (
        {**owed(130.0), "finance__minimum_cash_musd": 20.0},
        "capital.cash_after_capex", 50.0, "finance.opening_cash_musd",
    ),
    "2 MW signed at a PUE of 1.3 against 1.3 MW granted to AI": (
        {**SIGNED, "sites__a__ai_mw_max": 1.3}, "hosting.delivery_balance", 1.0, "",
    ),
    "2 MW signed at a PUE of 1.3 against 1.95 MW firm": (
        {**SIGNED, "sites__a__firm_mw": 1.95}, "hosting.delivery_balance", 0.5, "",
    ),
    "2 MW signed where no fibre ever comes": (
        {**SIGNED, "sites__a__fibre": False}, "hosting.delivery_balance", 2.0, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_clash_is_named_with_its_amount(what: str) -> None:
    overrides, limit, amount, key = PLANTED[what]
    case = small(**overrides)
    assert solve(case).status == "infeasible"
    clash = found(case)[limit]
    assert clash.amount == pytest.approx(amount, rel=1e-6)
    assert clash.key == key or not key
    assert clash.typed


def test_the_amounts_make_a_plan_possible() -> None:
    """What the search says is enough: raising the budget by it gives a plan, by less does not."""
    clash = found(small(**owed(5.0), finance__capex_budget_musd=2.0))["capital.capex_budget"]
    enough = small(**owed(5.0), finance__capex_budget_musd=2.0 + clash.amount)
    short = small(**owed(5.0), finance__capex_budget_musd=2.0 + clash.amount * 0.99)
    assert solve(enough).status == "solved"
    assert solve(short).status == "infeasible"


def test_a_limit_is_told_once_with_all_its_periods() -> None:
    clash = found(small(**{**SIGNED, "sites__a__fibre": False}))["hosting.delivery_balance"]
    assert clash.where == "lease"
    assert clash.months == ("2030-01", "2031-01")
    assert clash.unit == "MW"
    assert str(clash) == (
        "delivery of the MW signed, lease, 2030-01 to 2031-01: would have to give 2 MW"
    )


def test_a_case_with_a_plan_has_no_clash() -> None:
    assert clashing(small(), options=EXACT) == ()


def test_pinned_decisions_against_a_limit_name_the_limit() -> None:
    """One hall to AI costs 2 MW at 2,500 $/kW: 5 M$, and the budget is 4 M$."""
    case = small(finance__capex_budget_musd=4.0)
    pinned = {("conversions", (0, "h:mine", "h:ai+n1")): 1.0}
    clash = found(case, pinned=pinned)["capital.capex_budget"]
    assert clash.amount == pytest.approx(1.0)


def test_pinned_decisions_against_the_bookkeeping_say_so() -> None:
    """Six racks stand; nobody can sell seven."""
    case = small()
    clashes = clashing(case, pinned={("sales", (0, "h:mine", "rig")): 7.0}, options=EXACT)
    assert [clash.limit for clash in clashes] == ["racks.rack_balance"]
    assert clashes[0].amount == pytest.approx(1.0)
    assert not clashes[0].typed


def test_a_contradiction_of_the_figures_alone_is_told_without_a_solve() -> None:
    """Fibre never comes and no AI hall can exist: what was signed meets no unknown at all."""
    overrides = {**SIGNED, "contracts__lease": {**LEASE, "availability": 0.99999}}
    case = small(**overrides)
    solved = solve(case)
    assert solved.contradictions
    clash = found(case)["hosting.delivery_balance"]
    assert clash.amount == pytest.approx(2.0)


@pytest.mark.parametrize("limit", [0.0, 10.0, math.inf])
def test_clashes_keep_to_the_time_limit_and_else_to_nodes(
    monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    """No run finds a point, so that every run there is gets its turn; each takes four seconds."""
    clock, limits = Clock(monkeypatch), []

    def slow(matrix: Any, options: Options, *_: Any) -> Any:
        limits.append(options.time_limit)
        assert options.nodes == NODES_FOR_CLASHES
        taken = min(4.0, options.time_limit)
        clock.now += taken
        return "infeasible", replace(no_point(matrix, "infeasible", "by-itself"), seconds=taken)

    monkeypatch.setattr(highs, "_attempt", slow)
    case = small(**owed(5.0), finance__capex_budget_musd=2.0)
    assert clashing(case, budget=Budget(limit)) == ()
    assert clock.now <= limit
    assert len(limits) > 2
    assert math.isfinite(limit) or set(limits) == {math.inf}


# --- the relaxed matrix --------------------------------------------------------------------


def test_only_typed_limits_that_can_be_lifted_give() -> None:
    model = compile_case(small(contracts__lease=LEASE))
    matrix, slacks = relax(model)
    families = {name for slack in slacks for name, _ in slack.rows}
    assert "capital.cash_floor" in families
    assert "racks.space_limit" in families
    assert not families & HARD
    assert "capital.cash_balance" not in families
    assert matrix.shape == (model.matrix.shape[0], model.matrix.shape[1] + len(slacks))


def test_bookkeeping_gives_at_a_much_higher_price() -> None:
    model = compile_case(small())
    typed, every = relax(model)[1], relax(model, bookkeeping=True)[1]
    prices = {slack.rows[0][0]: slack.price for slack in every}
    assert len(every) > len(typed)
    # Prices are per share of the largest figure of a unit; here racks and halls are both racks.
    assert (
        prices["racks.rack_balance"] > prices["racks.space_limit"] > prices["capital.cash_floor"]
    )


def test_a_relaxed_matrix_without_slack_is_the_matrix() -> None:
    """With every slack held at zero the relaxed case has the same plans as the case."""
    model = compile_case(small())
    matrix, slacks = relax(model)
    outcome = run(matrix, EXACT)
    assert outcome.objective == pytest.approx(0.0, abs=1e-9)
    assert outcome.x is not None
    assert np.all(outcome.x[-len(slacks) :] <= 1e-6)
    assert not matrix.maximise
