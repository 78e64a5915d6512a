"""The best plan of the model is the best of all plans, tried one by one.

Random cases of one or two sites and one to three halls, a third of them on trees of two leaves.
Every integer decision is enumerated and operation reckoned in closed form by
:mod:`tests.models.enumeration`, which shares no algebra with the models; the value must agree
with what :func:`optimizer.solve.solve` finds and audits, and with a plain run of HiGHS without
presolve on halls filled one by one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import pytest

from optimizer.case import Case as Ready
from optimizer.compiled import compile_case
from optimizer.highs import Options, run
from optimizer.solve import solve
from tests.models.accounts import NotInClosedForm
from tests.models.cases import Case
from tests.models.enumeration import Best, TooMany, best_plan
from tests.models.small_cases import draw_case, filled, mixed, ready

CASES_A_BATCH = 10
MOST_TRIED = 1500
EXACT = Options(gap=0.0, absolute_gap=1e-9)
SEEDS = range(4)


def batch(first: int, leaves: int) -> Iterator[tuple[int, Case, Best]]:
    """Cases whose plans are few enough to try them all, and the best of these."""
    found = 0
    for seed in itertools.count(first):
        case = draw_case(seed, leaves=leaves)
        try:
            best = best_plan(case, MOST_TRIED)
        except (TooMany, NotInClosedForm):
            continue
        yield seed, case, best
        found += 1
        if found == CASES_A_BATCH:
            return


def modelled(case: Ready) -> float:
    """Value of the plan that is found, settled and audited."""
    solved = solve(case, EXACT)
    if solved.status == "infeasible":
        return -math.inf
    assert solved.status == "solved", solved.status
    assert solved.value_musd is not None
    return solved.value_musd


def without_presolve(case: Ready, known: float) -> float:
    """Value that HiGHS finds by another way, with halls filled one by one and mixes limited.

    Without presolve, HiGHS 1.15.1 cuts off the best plan of some three cases in a thousand, and
    another seed finds it: so a claim below a known plan is asked for again, one above never is.
    """
    model = compile_case(filled(mixed(case)))
    if model.built.contradictions:
        return -math.inf
    best = -math.inf
    for seed in SEEDS:
        outcome = run(model.matrix, replace(EXACT, presolve=False, seed=seed))
        if outcome.objective is not None:
            best = max(best, outcome.objective)
        if best >= known or agree(best, known):
            break
    return best


def agree(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= 1e-6 * max(1.0, min(abs(a), abs(b)))


def check_batch(first: int, leaves: int) -> None:
    mismatches, active = [], 0
    for seed, case, best in batch(first, leaves):
        found = modelled(ready(case)), without_presolve(ready(case), best.value)
        if not all(agree(best.value, value) for value in found):
            mismatches.append((seed, best.value, *found))
        active += any(choice.acts for _, choice in best.choices)
    assert not mismatches, "seed, tried one by one, solved, without presolve"
    assert active, "no best plan does anything"


@pytest.mark.parametrize("first", range(0, 22_000, 1000))
def test_chains_against_every_plan(first: int) -> None:
    check_batch(first, leaves=1)


@pytest.mark.parametrize("first", range(0, 12_000, 1000))
def test_trees_of_two_leaves_against_every_plan(first: int) -> None:
    check_batch(first, leaves=2)
