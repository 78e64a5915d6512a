"""One time limit holds for a whole solve, every run is counted, and a known plan is never lost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from models.decisions import DECISIONS
from optimizer import highs
from optimizer import solve as solving
from optimizer.case import Case
from optimizer.compiled import NODES_TO_FOLLOW, compile_case
from optimizer.highs import Budget, Options, Outcome
from optimizer.plan import tables
from optimizer.screen import screen
from optimizer.screen.story import worth
from optimizer.search import NODES_TO_ROUND
from optimizer.solve import Solved, do_nothing, solve
from tests.optimizer.rich_case import rich_case
from tests.optimizer.test_splits import crowded

CASES = {"rich": rich_case, "filled hall by hall": crowded}


class Clock:
    """A clock that moves when a run of HiGHS says so, and not by itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        still = SimpleNamespace(monotonic=lambda: self.now, process_time=lambda: self.now)
        monkeypatch.setattr(highs, "time", still)


def no_point(matrix: Any, status: Any, ended: Any) -> Outcome:
    return highs._outcome(status, ended, matrix, None, bound=None, root_bound=None)


# --- the time limit ------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("limit", [0.1, 20.0, 5000.0])
@pytest.mark.parametrize("ended", ["time-limit", "abandoned"])
@pytest.mark.parametrize("finds", [True, False])
def test_runs_that_take_all_they_may_keep_to_the_time_limit(
    monkeypatch: pytest.MonkeyPatch, name: str, limit: float, ended: Any, finds: bool
) -> None:
    """Every run uses up its seconds; a stuck one the patience that is had with it, too."""
    clock, honest = Clock(monkeypatch), highs._attempt

    def slow(matrix: Any, options: Options, start: Any, progress: Any, stop: Any) -> Any:
        untimed = replace(options, time_limit=60.0)
        found = honest(matrix, untimed, start, progress, stop)[1] if finds else None
        clock.now += options.time_limit + (options.patience if ended == "abandoned" else 0.0)
        if found is None or found.x is None:
            return "none", no_point(matrix, "none", ended)
        bound = (found.objective or 0.0) + 100.0
        return "feasible", replace(found, status="feasible", ended=ended, bound=bound)

    monkeypatch.setattr(highs, "_attempt", slow)
    solved = solve(CASES[name](), Options(time_limit=limit))
    assert clock.now <= limit + max(5.0, 0.05 * limit)
    if finds and name == "rich":
        assert solved.status == "best-found"
    elif not finds:
        assert solved.status == "no-plan"


@pytest.mark.parametrize("limit", [0.0, 0.01, 0.1, 0.5])
def test_hardly_any_time_gives_a_plan_or_none(limit: float) -> None:
    solved = solve(rich_case(), Options(time_limit=limit))
    assert solved.status in ("solved", "best-found", "no-plan")
    assert (solved.plan is None) == (solved.status == "no-plan")


def test_what_was_not_found_in_time_is_not_said_to_break_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Doing nothing uses up its share of the time; the rest of it finds a plan."""
    clock, honest, runs = Clock(monkeypatch), highs._attempt, []

    def slow_at_first(matrix: Any, options: Options, *watched: Any) -> Any:
        runs.append(options.time_limit)
        if sum(runs) <= 0.2 * 100.0 + 1e-9:
            clock.now += options.time_limit
            return "none", no_point(matrix, "none", "time-limit")
        return honest(matrix, options, *watched)

    monkeypatch.setattr(highs, "_attempt", slow_at_first)
    solved = solve(rich_case(), Options(time_limit=100.0))
    assert solved.plan is not None
    assert solved.audit is not None
    assert solved.audit.nothing_musd is None
    assert not solved.nothing_sought
    told = "".join(text.plain for text in worth(solved))
    assert "not found out in the time given" in told
    assert "breaks a limit" not in told


def test_doing_nothing_leaves_most_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, limits = Clock(monkeypatch), []

    def slow(matrix: Any, options: Options, *watched: Any) -> Any:
        limits.append(options.time_limit)
        clock.now += options.time_limit
        return "none", no_point(matrix, "none", "time-limit")

    monkeypatch.setattr(highs, "_attempt", slow)
    case = rich_case()
    assert do_nothing(case, compile_case(case), budget=Budget(100.0)) is None
    assert sum(limits) <= clock.now <= 20.0
    limits.clear()
    assert do_nothing(case, compile_case(case), budget=Budget(1000.0)) is None
    assert sum(limits) <= 60.0


def test_a_plan_at_hand_is_returned_when_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where doing nothing is found and nothing after it, it is the plan."""
    case = rich_case()
    nothing = do_nothing(case, compile_case(case))
    for lost in after_doing_nothing(monkeypatch, "none", "time-limit"):
        solved = solve(case, Options(time_limit=30.0))
        assert lost["runs"] > 0
        assert solved.status == "best-found"
        assert nothing is not None
        assert solved.value_musd == pytest.approx(nothing.value_musd, rel=1e-9)


@pytest.mark.parametrize("is_mended", [True, False])
def test_a_plan_is_mended_even_late_and_gives_way_to_doing_nothing_where_it_is_not(
    monkeypatch: pytest.MonkeyPatch, *, is_mended: bool
) -> None:
    """Crowded halls are filled one by one; nothing is sold or bought where that finds no plan."""
    clock, honest = Clock(monkeypatch), solving.search
    case = crowded()
    nothing, best = do_nothing(case, compile_case(case)), solve(case)

    def late(*arguments: Any, **keywords: Any) -> Outcome:
        found = honest(*arguments, **keywords)
        clock.now += 60.0 if "start" in keywords else 0.0
        return found

    monkeypatch.setattr(solving, "search", late)
    if not is_mended:
        monkeypatch.setattr(solving, "nearby", lambda *_, **__: None)
    solved = solve(case, Options(time_limit=60.0))
    assert nothing is not None
    assert solved.status == "best-found"
    assert solved.passed
    assert solved.value_musd == pytest.approx(
        best.value_musd if is_mended else nothing.value_musd, rel=1e-9
    )


def test_a_plan_is_not_lost_where_filling_its_halls_finds_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest, rounds = solving._solved_once, []

    def once(*arguments: Any) -> solving.Solved:
        rounds.append(honest(*arguments))
        return rounds[0] if len(rounds) == 1 else solving.Solved("no-plan")

    monkeypatch.setattr(solving, "_solved_once", once)
    monkeypatch.setattr(solving, "nearby", lambda *_, **__: None)
    solved = solve(crowded())
    assert len(rounds) > 1
    assert solved is rounds[0]
    assert solved.plan is not None


def test_what_was_proved_is_kept_where_the_next_search_proves_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest, rounds = solving._solved_once, []

    def once(*arguments: Any) -> solving.Solved:
        found = honest(*arguments)
        rounds.append(found.bound_musd)
        if len(rounds) == 1:
            return found
        assert found.outcome is not None
        worse = replace(found.outcome, bound=1e6)
        return replace(found, outcome=worse, bound_musd=1e6)

    monkeypatch.setattr(solving, "_solved_once", once)
    monkeypatch.setattr(solving, "nearby", lambda *_, **__: None)
    solved = solve(crowded())
    assert len(rounds) > 1
    assert solved.bound_musd == rounds[0]


@pytest.mark.parametrize("name", CASES)
def test_a_slow_machine_gives_the_same_plan(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Without a time limit nothing hangs on the clock: what is limited is limited by nodes."""
    case, limits = CASES[name](), []
    best = solve(case)
    clock, honest = Clock(monkeypatch), highs._attempt

    def slow(matrix: Any, options: Options, *rest: Any) -> Any:
        limits.append((options.time_limit, options.nodes))
        clock.now += 1000.0
        return honest(matrix, options, *rest)

    monkeypatch.setattr(highs, "_attempt", slow)
    monkeypatch.setattr(solving, "NODES_FOR_NOTHING", 999)
    slowly = solve(case)
    assert {seconds for seconds, _ in limits} == {math.inf}
    assert best.plan is not None
    following = {NODES_TO_FOLLOW} if best.plan.held or best.plan.pool else set()
    assert {nodes for _, nodes in limits} == {None, 999, NODES_TO_ROUND} | following
    assert slowly.plan is not None
    assert (slowly.value_musd, slowly.bound_musd) == (best.value_musd, best.bound_musd)
    for decision in DECISIONS:
        assert getattr(slowly.plan, decision.name) == getattr(best.plan, decision.name)


def test_settling_draws_on_the_patience_and_searching_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    budget = Budget(100.0)
    assert (budget.left, budget.to_search, budget.to_settle) == (100.0, 98.0, 100.0)
    clock.now = 99.0
    assert (budget.left, budget.to_search, budget.to_settle) == (1.0, 0.0, 3.0)
    clock.now = 101.0
    assert (budget.left, budget.to_search, budget.to_settle) == (0.0, 0.0, 2.0)
    clock.now = 105.0
    assert budget.to_settle == 0.0


# --- claims against a known plan -----------------------------------------------------------


def after_doing_nothing(
    monkeypatch: pytest.MonkeyPatch, status: Any, ended: Any
) -> Iterator[dict[str, int]]:
    """Let every run on whole numbers that follows doing nothing say the same."""
    attempt, nothing, lies = highs._attempt, solving.do_nothing, {"on": 0, "runs": 0}

    def done(*arguments: Any, **keywords: Any) -> Any:
        lies["on"] = 0
        found = nothing(*arguments, **keywords)
        lies["on"] = 1
        return found

    def lying(matrix: Any, *rest: Any) -> Any:
        if not (lies["on"] and matrix.integer.any()):
            return attempt(matrix, *rest)
        lies["runs"] += 1
        return status, no_point(matrix, status, ended)

    with monkeypatch.context() as patch:
        patch.setattr(solving, "do_nothing", done)
        patch.setattr(highs, "_attempt", lying)
        yield lies


def test_infeasible_is_not_told_where_doing_nothing_is_a_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HiGHS may err with presolve and without; a plan that passed its audit is no error."""
    case = rich_case()
    nothing = do_nothing(case, compile_case(case))
    for lies in after_doing_nothing(monkeypatch, "infeasible", "by-itself"):
        solved = solve(case)
        # Both runs of the search, and both that choose what follows from the plan at hand.
        assert lies["runs"] == 4
    assert solved.status == "best-found"
    assert nothing is not None
    assert solved.value_musd == pytest.approx(nothing.value_musd, rel=1e-9)
    assert (solved.bound_musd, solved.gap) == (None, None)
    assert screen(case, solved, tables(case, solved), width=100) is not None


def test_infeasible_is_told_where_no_plan_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(matrix: Any, *_rest: Any) -> Any:
        return "infeasible", no_point(matrix, "infeasible", "by-itself")

    monkeypatch.setattr(highs, "_attempt", lying)
    solved = solve(rich_case())
    assert (solved.status, solved.plan) == ("infeasible", None)


def with_bound(monkeypatch: pytest.MonkeyPatch, share: float) -> Solved:
    """Solve with a bound that lies by a share of the plan above it, to a gap of a hundredth."""
    # What the search finds may be worth a little more once its whole numbers are held.
    honest, value = solving.search, solve(rich_case(), Options(gap=0.01)).value_musd
    assert value is not None

    def claiming(*arguments: Any, **keywords: Any) -> Outcome:
        found = honest(*arguments, **keywords)
        if "start" not in keywords:
            return found
        return replace(found, bound=value + share * abs(value))

    monkeypatch.setattr(solving, "search", claiming)
    return solve(rich_case(), Options(gap=0.01))


@pytest.mark.parametrize(
    ("share", "status"), [(0.00999, "solved"), (0.01001, "best-found"), (0.02, "best-found")]
)
def test_solved_means_that_the_gap_is_reached_exactly(
    monkeypatch: pytest.MonkeyPatch, share: float, status: str
) -> None:
    solved = with_bound(monkeypatch, share)
    assert solved.status == status
    assert solved.gap == pytest.approx(share, rel=1e-4)


def test_no_bound_is_told_that_the_plan_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """What arithmetic leaves the bound below the plan passes the audit, and is not shown."""
    solved = with_bound(monkeypatch, -5e-7)
    assert solved.outcome is not None
    assert solved.outcome.bound is not None
    assert solved.value_musd is not None
    assert solved.outcome.bound < solved.value_musd
    assert (solved.bound_musd, solved.gap) == (solved.value_musd, 0.0)
    assert solved.status == "solved"


# --- the account ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_the_work_of_every_run_is_counted(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Doing nothing, large decisions, whole racks, polishing, and halls filled one by one."""
    honest, runs = highs._attempt, []

    def attempt(*arguments: Any) -> Any:
        claim, outcome = honest(*arguments)
        runs.append(outcome)
        return claim, outcome

    monkeypatch.setattr(highs, "_attempt", attempt)
    case: Case = CASES[name]()
    outcome = solve(case).outcome
    assert outcome is not None
    assert len(runs) >= 5
    assert outcome.nodes == sum(run.nodes for run in runs)
    assert outcome.lp_iterations == sum(run.lp_iterations for run in runs)
    assert outcome.cpu_seconds == pytest.approx(sum(run.cpu_seconds for run in runs))
    assert outcome.seconds == pytest.approx(sum(run.seconds for run in runs))


def test_the_work_of_a_search_for_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(matrix: Any, *_rest: Any) -> Any:
        found = no_point(matrix, "infeasible", "by-itself")
        return "infeasible", replace(found, nodes=1, lp_iterations=10, cpu_seconds=0.5)

    monkeypatch.setattr(highs, "_attempt", lying)
    outcome = solve(rich_case()).outcome
    assert outcome is not None
    # Doing nothing but selling racks, and the search, each asked with presolve and without; that
    # no rack can stay shows at once.
    assert (outcome.nodes, outcome.lp_iterations, outcome.cpu_seconds) == (4, 40, 2.0)


def test_seconds_of_a_stage_add_up_over_rounds(monkeypatch):
    now = iter([100.0, 101.0, 103.0, 107.0])
    monkeypatch.setattr(solving.time, "perf_counter", lambda: next(now))
    clock = solving._Clock()
    for stage in ("build", "solve", "build"):
        clock.lap(stage)
    assert clock.laps == {"build": 5.0, "solve": 2.0}
