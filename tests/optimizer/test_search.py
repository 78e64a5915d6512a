"""Halls first, racks after: the same best value as one search over everything."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from optimizer import highs
from optimizer import search as searching
from optimizer import tighten as tightening
from optimizer.highs import Budget, Options, Outcome, run
from optimizer.matrix import Matrix, dense_matrix
from optimizer.search import search
from tests.optimizer.test_highs import HARD


def random_matrix(rng: np.random.Generator) -> tuple[Matrix, np.ndarray]:
    """A small knapsack in which a large choice opens room for many small ones."""
    sites, kinds = 3, 4
    columns = sites * (1 + kinds)
    large = np.arange(columns) % (1 + kinds) == 0
    size = rng.uniform(0.3, 2.0, columns)
    value = np.where(large, -rng.uniform(1, 6, columns), rng.uniform(0.5, 3.0, columns))
    rows = np.zeros((sites + 1, columns))
    for s in range(sites):
        block = slice(s * (1 + kinds), (s + 1) * (1 + kinds))
        rows[s, block] = np.where(large[block], -rng.uniform(3, 9), size[block])
    rows[sites] = np.where(large, rng.uniform(1, 4), 0.3)
    upper = np.where(large, 2.0, 6.0)
    matrix = dense_matrix(
        rows,
        [-np.inf] * (sites + 1),
        [0.0] * sites + [9.3],
        np.zeros(columns),
        upper,
        value,
        integer=True,
        maximise=True,
    )
    return matrix, large


@pytest.mark.parametrize("seed", range(25))
def test_the_best_value_is_that_of_one_search(seed):
    matrix, large = random_matrix(np.random.default_rng(seed))
    options = Options(gap=1e-9)
    parts = search(matrix, large, options)
    whole = run(matrix, options)
    assert parts.status == whole.status == "optimal"
    assert parts.objective == pytest.approx(whole.objective, abs=1e-6)
    assert parts.bound is not None
    assert parts.bound >= parts.objective - 1e-6


def test_limits_are_worked_out_once_for_large_decisions_and_racks(monkeypatch):
    matrix, large = random_matrix(np.random.default_rng(1))
    asked, worked_out = [], []
    taken, honest = tightening._taken_over, tightening.implied_limits
    monkeypatch.setattr(
        tightening, "_taken_over", lambda *told: asked.append(taken(*told)) or asked[-1]
    )
    monkeypatch.setattr(tightening, "implied_limits", lambda m: worked_out.append(m) or honest(m))
    assert search(matrix, large, Options(gap=0.5)).status == "optimal"
    assert len(worked_out) == len(asked) == 1
    assert asked[0] is not None


def test_a_loose_gap_ends_after_the_racks_are_whole():
    matrix, large = random_matrix(np.random.default_rng(1))
    parts = search(matrix, large, Options(gap=0.5))
    assert parts.status == "optimal"
    assert parts.gap <= 0.5
    assert np.array_equal(parts.x, np.rint(parts.x))


def test_infeasible_large_decisions_are_infeasible():
    matrix = dense_matrix([[2, 1]], [5], [5], [0, 0], [1, 2], [1, 1], integer=True)
    assert search(matrix, np.array([True, False]), Options()).status == "infeasible"


def test_small_decisions_alone_can_make_it_infeasible():
    matrix = dense_matrix([[2, 4]], [5], [5], [0, 0], [1, 2], [1, 1], integer=True)
    assert search(matrix, np.array([True, False]), Options()).status == "infeasible"


def test_a_stop_before_the_start_keeps_the_given_point():
    matrix, large = random_matrix(np.random.default_rng(2))
    stop = threading.Event()
    stop.set()
    found = search(matrix, large, Options(gap=1e-9), start=np.zeros(matrix.shape[1]), stop=stop)
    assert found.x is not None
    assert found.objective is not None
    assert found.objective >= 0.0
    assert found.status == "feasible" or found.gap <= 1e-9


def test_progress_is_told_in_one_clock():
    matrix, large = random_matrix(np.random.default_rng(4))
    seconds: list[float] = []
    search(matrix, large, Options(gap=1e-9), progress=lambda p: seconds.append(p.seconds))
    assert seconds == sorted(seconds)


def test_a_bound_holds_wherever_the_search_ends():
    """With a wide gap the search ends below the best value; its bound may not."""
    short = 0
    for seed in range(25):
        matrix, large = random_matrix(np.random.default_rng(seed))
        loose = search(matrix, large, Options(gap=0.5))
        best = run(matrix, Options(gap=1e-9)).objective
        assert loose.objective is not None
        assert loose.bound is not None
        assert best is not None
        assert loose.objective <= best + 1e-6 <= loose.bound + 2e-6
        short += loose.objective < best - 1e-6
    assert short > 0


@pytest.mark.parametrize("claim", ["infeasible", "unbounded"])
def test_a_claim_that_a_known_plan_refutes_is_not_believed(monkeypatch, claim):
    matrix, large = random_matrix(np.random.default_rng(8))
    runs = 0

    def lies_from_the_second_on(*arguments: object, **keywords: object) -> Outcome:
        nonlocal runs
        runs += 1
        honest = run(*arguments, **keywords)  # type: ignore[arg-type]
        return honest if runs <= 2 else replace(honest, status=claim, x=None, bound=None)

    monkeypatch.setattr(highs, "run", lies_from_the_second_on)
    found = search(matrix, large, Options(gap=1e-9))
    assert runs > 2
    assert found.status == "feasible"
    assert found.x is not None
    assert found.bound is not None
    assert found.bound >= found.objective


def test_what_the_large_decisions_leave_of_the_time_is_used(monkeypatch):
    """Once they are out of time, all decisions are searched from the plan at hand."""
    matrix, large = random_matrix(np.random.default_rng(8))
    honest, runs, now = highs._attempt, [], [0.0]
    still = SimpleNamespace(monotonic=lambda: now[0], process_time=lambda: now[0])
    monkeypatch.setattr(highs, "time", still)

    def attempt(matrix: Matrix, options: Options, start: Any, *watched: Any) -> Any:
        runs.append((int(matrix.integer.sum()), options.time_limit, start))
        claim, outcome = honest(matrix, options, start, *watched)
        if len(runs) > 1:
            return claim, outcome
        now[0] += options.time_limit
        assert outcome.bound is not None
        late = replace(outcome, status="feasible", ended="time-limit", bound=outcome.bound + 9.0)
        return "feasible", late

    monkeypatch.setattr(highs, "_attempt", attempt)
    found = search(matrix, large, Options(gap=1e-9, time_limit=1000.0))
    (first, taken, _), _, (last, rest, start) = runs
    assert (first, last) == (large.sum(), matrix.integer.sum())
    assert taken == pytest.approx(0.7 * 998.0)
    assert taken + rest == pytest.approx(998.0)
    assert start is not None
    assert (found.status, found.ended) == ("optimal", "by-itself")


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("parts", [True, False])
def test_a_bound_that_is_not_proven_stays_above_the_plan(monkeypatch, parts, start):
    """Time that ends before the proof leaves the bound that HiGHS had, not the plan's value."""
    matrix, large = random_matrix(np.random.default_rng(8))
    best = run(matrix, Options(gap=1e-9))
    honest = highs._attempt

    def unproven(*arguments: Any) -> Any:
        outcome = honest(*arguments)[1]
        return "feasible", replace(outcome, status="feasible", ended="time-limit", bound=1000.0)

    monkeypatch.setattr(highs, "_attempt", unproven)
    whole = large if parts else np.ones_like(large)
    known = best.x if start else None
    found = search(matrix, whole, Options(gap=1e-9, time_limit=100.0), start=known)
    assert found.status == "feasible"
    assert found.objective == pytest.approx(best.objective, abs=1e-6)
    assert found.bound == 1000.0
    assert found.gap == pytest.approx((1000.0 - found.objective) / found.objective)


def cut_short(monkeypatch: pytest.MonkeyPatch, when: Any, ended: Any) -> list[tuple[int, Outcome]]:
    """Let some runs end before their proof, with a bound far off; note whole numbers and ends."""
    honest, runs = highs._attempt, []

    def attempt(matrix: Matrix, *rest: Any) -> Any:
        claim, outcome = honest(matrix, *rest)
        if when(len(runs)):
            assert outcome.bound is not None
            claim, bound = "feasible", outcome.bound + 50.0
            outcome = replace(outcome, status=claim, ended=ended, bound=bound)
        free = matrix.integer & (matrix.column_lower < matrix.column_upper)
        runs.append((int(free.sum()), outcome))
        return claim, outcome

    monkeypatch.setattr(highs, "_attempt", attempt)
    return runs


def test_a_bound_once_proven_holds_whatever_a_later_run_says(monkeypatch):
    matrix, large = random_matrix(np.random.default_rng(8))
    runs = cut_short(monkeypatch, lambda before: before >= 2, "time-limit")
    found = search(matrix, large, Options(gap=1e-9))
    assert len(runs) > 2
    assert runs[-1][1].bound > runs[0][1].bound
    assert found.bound == runs[0][1].bound


@pytest.mark.parametrize("ended", ["interrupted", "abandoned"])
def test_nothing_is_searched_after_a_stop_but_racks_are_made_whole(monkeypatch, ended):
    matrix, large = random_matrix(np.random.default_rng(8))
    runs = cut_short(monkeypatch, lambda before: before == 0, ended)
    found = search(matrix, large, Options(gap=1e-9))
    assert len(runs) == 2
    assert (found.status, found.ended) == ("feasible", ended)


def test_large_decisions_out_of_nodes_give_way_to_all(monkeypatch):
    matrix, large = random_matrix(np.random.default_rng(8))
    runs = cut_short(monkeypatch, lambda before: before == 0, "node-limit")
    found = search(matrix, large, Options(gap=1e-9))
    assert [whole for whole, _ in runs[::2]] == [large.sum(), matrix.integer.sum()]
    assert (found.status, found.ended) == ("optimal", "by-itself")


def watch(options: Options, stop: threading.Event) -> searching.Watch:
    return searching.Watch(options, Budget(options.time_limit), None, stop)


def test_racks_are_made_whole_in_so_many_nodes(monkeypatch):
    """Not in so many seconds, unless there is a time limit."""
    monkeypatch.setattr(searching, "SECONDS_TO_ROUND", 0.0)
    monkeypatch.setattr(searching, "TIME_TO_ROUND", 0.0)
    monkeypatch.setattr(searching, "NODES_TO_ROUND", 50)
    free, timed = (watch(Options(time_limit=t), threading.Event()) for t in (np.inf, 60.0))
    assert free.run_on(HARD, gap=0.0, seconds=np.inf).ended == "node-limit"
    assert timed.run_on(HARD, gap=0.0, seconds=60.0).ended == "time-limit"


def test_racks_are_made_whole_in_a_part_of_the_time_limit():
    """So long that a busy machine does not make another plan of a case that is soon done."""
    assert searching.seconds_to_round(Budget(300.0)) == pytest.approx(0.25 * 298, rel=1e-3)
    assert searching.seconds_to_round(Budget(300.0), parts=12) == 20.0
    assert searching.seconds_to_round(Budget(30.0)) == 20.0
    assert searching.seconds_to_round(Budget()) == np.inf


def test_what_the_clock_has_ended_is_told_of_the_whole(monkeypatch):
    """Whatever came after: an answer that hangs on the clock says so."""
    monkeypatch.setattr(searching, "NODES_TO_ROUND", 2**30)
    budget = Budget(60.0)
    free = budget.run(HARD, Options(nodes=1))
    assert not budget.billed(free).timed
    cut = budget.part(30.0).run(HARD, Options(time_limit=0.2))
    assert (cut.ended, cut.timed) == ("time-limit", False)
    again = budget.run(HARD, Options(nodes=1))
    assert (again.ended, budget.billed(again).timed) == ("node-limit", True)
    other = Budget()
    other.count(budget.billed(again))
    assert other.billed(free).timed


def test_a_stop_ends_making_racks_whole_after_a_while(monkeypatch):
    """The search for a proof would take hours."""
    monkeypatch.setattr(searching, "SECONDS_TO_ROUND", 0.0)
    monkeypatch.setattr(searching, "NODES_TO_ROUND", 2**30)
    stop = threading.Event()
    stop.set()
    outcome = watch(Options(), stop).run_on(HARD, gap=0.0, seconds=np.inf)
    assert outcome.ended == "interrupted"


@pytest.mark.parametrize("part", [None, 0.9])
def test_large_decisions_use_up_the_part_of_the_gap_that_they_may(
    monkeypatch: pytest.MonkeyPatch, part: float | None
) -> None:
    matrix, large = random_matrix(np.random.default_rng(3))
    asked, honest = list[float](), Budget.run

    def watched(self: Budget, matrix: Matrix, options: Options, **more: Any) -> Outcome:
        asked.append(options.gap)
        return honest(self, matrix, options, **more)

    monkeypatch.setattr(Budget, "run", watched)
    given = {} if part is None else {"gap_for_large": part}
    search(matrix, large, Options(gap=0.1), rounds=0, **given)
    # Racks are made whole to the same part as ever.
    assert asked == pytest.approx([0.1 * (part or 0.2), 0.02])
