"""Best plans of random instances: every promise recomputed in exact fractions, none for less.

Each instance is solved twice, once with a higher promise and all else equal. What every hall
that serves it reaches, its plant among it, is worked out from the units that stand and the load
that they carry; and the higher promise is worth no more.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from models.derive.reach import promise_of
from models.hours import flat
from optimizer.case import Case, prepare
from optimizer.highs import Options
from optimizer.reached import DUST_MW, Reached
from optimizer.solve import Solved, solve
from tests.models.uptime_cases import NINES, draw

EXACT = Options(gap=1e-9, absolute_gap=1e-9)


@dataclass
class Tally:
    """What came of all plans."""

    plans: int = 0
    serving: int = 0
    served: int = 0
    missed: int = 0
    worth_less: int = 0


def check(seeds: range) -> Tally:
    tally = Tally()
    for seed in seeds:
        low, high = sorted(random.Random(f"plan {seed}").sample(NINES, 2))
        values = [value(tally, seed, promised) for promised in (low, high)]
        assert values[1] <= values[0] + 1e-6, (seed, low, high)
        tally.worth_less += values[1] < values[0] - 1e-3
    return tally


def value(tally: Tally, seed: int, promised: float) -> float:
    """Solve an instance, look at what its halls reach and give its value."""
    case = prepare(draw(seed, (promised,)), {"a": flat(40.0)})
    solved = solve(case, EXACT)
    assert solved.status in ("solved", "audit-failed"), (seed, promised, solved.status)
    assert solved.value_musd is not None
    before = tally.served
    count(tally, case, solved)
    tally.plans += 1
    tally.serving += tally.served > before
    return solved.value_musd


def count(tally: Tally, case: Case, solved: Solved) -> None:
    """Count the halls that serve, by node, and those that miss what they promise."""
    plan = solved.plan
    assert plan is not None
    reached = Reached(case, plan)
    places = {(n, x, p) for (n, x, p, _), mw in plan.hosting.items() if float(mw) > DUST_MW}
    for n, x, p in places:
        promise = promise_of(case.instance.contracts[x])
        tally.served += 1
        tally.missed += reached.availability(n, p, promise) < promise.exactly


def told(tally: Tally) -> str:
    return (
        f"{tally.plans} best plans, {tally.serving} of them serve AI: of {tally.served} halls and "
        f"periods {tally.missed} miss their promise; {tally.worth_less} promises are worth less"
    )


def test_best_plans_keep_their_promises_and_none_costs_less_for_being_higher() -> None:
    tally = check(range(30))
    print(told(tally))  # noqa: T201
    assert tally.missed == 0
    assert tally.serving >= 30
    assert tally.worth_less >= 5


@pytest.mark.soak
def test_two_thousand_best_plans_keep_their_promises() -> None:
    tally = check(range(1000, 2050))
    print(told(tally))  # noqa: T201
    assert tally.missed == 0
    assert tally.serving >= 1000
