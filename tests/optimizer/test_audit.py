"""The audit finds every plan that is broken in one place, and says where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from models.allocation import FAMILIES, Family
from models.build import Column, symbolic
from models.context import Context
from models.relation import Affine
from optimizer import limited
from optimizer.audit import audit, describe_index, values_of
from optimizer.case import Case
from optimizer.settle import context_of
from optimizer.solve import Solved, solve
from tests.optimizer.rich_case import rich_case

#: By how much a plan is broken, relative to the size of the limit.
BREAK = 1e-3
#: Rows of each family that are broken, drawn with a seed.
ROWS_PER_FAMILY = 12


@cache
def solved() -> tuple[Case, Solved]:
    case = rich_case(limited=True)
    return case, solve(case)


def rows_to_break(case: Case) -> Iterator[tuple[Family, Any, Affine, str]]:
    """Rows of every family on unknowns, some of each."""
    context, _ = symbolic(case.given)
    rng = np.random.default_rng(20)
    for family in FAMILIES:
        rows = [
            (index, relation)
            for index, relation in family.relations(context)
            if isinstance(relation.left - relation.right, Affine)
        ]
        for i in sorted(rng.permutation(len(rows))[:ROWS_PER_FAMILY]):
            index, relation = rows[i]
            yield family, index, relation.left - relation.right, relation.sense


def broken(plan: Context, columns: list[Column], body: Affine, sense: str) -> Context:
    """Move one number of a plan until a row is broken by ``BREAK`` relative to its size."""
    coefficients: dict[int, float] = {}
    for j, a in zip(body.columns, body.coefficients, strict=True):
        coefficients[j] = coefficients.get(j, 0.0) + a
    at = {j: getattr(plan, columns[j][0])[columns[j][1]] for j in coefficients}
    activity = sum(a * at[j] for j, a in coefficients.items()) + body.constant
    size = max([1.0, abs(body.constant), *(abs(a * at[j]) for j, a in coefficients.items())])
    target = (-1.0 if sense == ">=" else 1.0) * BREAK * size
    j = max(coefficients, key=lambda j: abs(coefficients[j]))
    name, index = columns[j]
    values = dict(values_of(plan))
    values[name, index] = at[j] + (target - activity) / coefficients[j]
    return context_of(plan.given, values)


def test_an_honest_plan_passes():
    _, result = solved()
    assert result.status == "solved"
    assert result.audit is not None
    assert result.audit.breaches == ()
    assert result.audit.hours_difference <= 1e-9
    assert result.audit.relations > 800


def test_a_plan_broken_in_one_place_is_rejected_by_name():
    case, result = solved()
    assert result.plan is not None
    _, columns = symbolic(case.given)
    tried = 0
    families = set()
    for family, index, body, sense in rows_to_break(case):
        plan = broken(result.plan, columns, body, sense)
        named = {(breach.limit, breach.index): breach for breach in audit(case, plan).breaches}
        assert (family.name, index) in named, f"{family.name} {index} was let through"
        where = describe_index(plan, family.letters, index)
        assert named[family.name, index].where == where
        assert all(
            str(part) in where
            for letter, part in zip(family.letters, index, strict=True)
            if letter in "spkc"
        )
        tried += 1
        families.add(family.name)
    assert tried >= 200
    unused = {
        "racks.mix_limit",
        "racks.filled_halls",
        "racks.filling_limit",
        "grid.new_power_reservation",
        "grid.whole_new_power",
        "policy.mining_share_limit",
        "policy.kept_racks",
        "policy.half_of_site_floor",
        "policy.half_of_site_limit",
        "policy.one_business_at_site",
        "policy.ai_site_floor",
        "policy.half_of_sites_floor",
        "policy.half_of_sites_limit",
        "halls.works_limit",
        # These bound what hours may earn, and no plan holds them.
        "yearly.least_use",
        "yearly.tangent",
    }
    assert {family.name for family in FAMILIES} - families == unused


def test_every_number_of_a_plan_is_held():
    """Whatever single number is changed by a thousandth, something says no at its node."""
    case, result = solved()
    assert result.plan is not None
    moved = 0
    for (name, index), value in values_of(result.plan).items():
        factor = 1.0 - BREAK if moved % 2 else 1.0 + BREAK
        if abs(value) < 0.05 or name == "kept":
            continue
        values = {**values_of(result.plan), (name, index): value * factor}
        found = audit(case, context_of(case.given, values))
        assert not found.passed, f"{name} {index} at {value * factor:.6g} was let through"
        moved += 1
    assert moved >= 150


def test_a_missed_promise_is_named():
    case, result = solved()
    assert result.plan is not None
    packages = {
        name: package.model_copy(update={"availability": 0.9})
        for name, package in case.instance.uptime.packages.items()
    }
    uptime = case.instance.uptime.model_copy(update={"packages": packages})
    worse = replace(case, instance=case.instance.model_copy(update={"uptime": uptime}))
    missed = [b for b in audit(worse, result.plan).breaches if b.limit == "uptime.promise"]
    assert {breach.index[1] for breach in missed} == {"signed", "lease", "gpus"}
    assert all("2029" in b.where or "2028" in b.where or "2027" in b.where for b in missed)


@pytest.mark.parametrize(
    ("claims", "limit"),
    [
        ({"claimed_musd": 1e6}, "capital.value"),
        ({"bound_musd": -1e6}, "capital.bound"),
        ({"nothing_musd": 1e6}, "capital.nothing"),
    ],
)
def test_values_are_held_against_claim_bound_and_floor(claims, limit):
    case, result = solved()
    assert result.plan is not None
    assert [breach.limit for breach in audit(case, result.plan, **claims).breaches] == [limit]


def test_numbers_that_are_not_finite_are_rejected():
    case, result = solved()
    assert result.plan is not None
    for name in ("racks", "cash", "hosting"):
        index = next(iter(getattr(result.plan, name)))
        values = {**values_of(result.plan), (name, index): float("nan")}
        assert not audit(case, context_of(case.given, values)).passed


def test_hours_that_the_bands_do_not_hold_are_rejected():
    """Profit in bands must be profit over the hours of the file, by site and node."""
    case, result = solved()
    assert result.plan is not None
    west = case.hours["west"]
    dearer = replace(west, price_usd_per_mwh=west.price_usd_per_mwh * (1.0 + BREAK))
    found = audit(replace(case, hours={**case.hours, "west": dearer}), result.plan)
    assert {breach.limit for breach in found.breaches} == {"energy.dispatch"}
    assert {breach.index[1] for breach in found.breaches} == {"west"}
    assert len(found.breaches) == len(case.given.nodes)


@pytest.mark.parametrize("name", ["hosts", "mines", "entered", "signing"])
def test_a_switch_is_zero_or_one(name):
    case, result = solved()
    assert result.plan is not None
    index = next(index for index, value in getattr(result.plan, name).items() if value == 1)
    values = {**values_of(result.plan), (name, index): 2.0}
    breaches = audit(case, context_of(case.given, values)).breaches
    assert (name, index) in {(breach.limit, breach.index) for breach in breaches}


def test_a_value_that_the_solver_did_not_claim_is_rejected(monkeypatch):
    """What the plan is worth by the instance is held against what the solver says it is."""
    case, _ = solved()
    honest = limited.objective_at
    monkeypatch.setattr(limited, "objective_at", lambda *at: honest(*at) * (1.0 + BREAK))
    result = solve(case)
    assert result.status == "audit-failed"
    assert result.audit is not None
    assert [breach.limit for breach in result.audit.breaches] == ["capital.value"]
