"""Every claim is earned on a model small enough to see through, and nothing ends a run badly."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import highspy
import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer import highs
from optimizer.highs import (
    Options,
    SolverFault,
    ban,
    relative_gap,
    run,
    solver_left_behind,
)
from optimizer.matrix import (
    compile_model,
    dense_matrix,
    fix_integers,
    largest_violation,
    objective_at,
    round_integers,
)
from optimizer.sentinels import GUARDED, PUBLISHED

INF = np.inf
EXACT = Options(gap=0.0, absolute_gap=0.0)


def knapsack(items=120, limits=8, seed=0):
    """A knapsack with many limits: a plan at once, a proof not for hours."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 100, (limits, items))
    worth = weights.mean(axis=0) + rng.integers(0, 10, items)
    return dense_matrix(
        weights,
        [-INF] * limits,
        weights.sum(axis=1) // 2,
        [0] * items,
        [1] * items,
        worth,
        integer=True,
        maximise=True,
        offset=1.0,
    )


HARD = knapsack()


# --- claims --------------------------------------------------------------------------------

CLAIMS = {
    "optimal": dense_matrix([[1, 1]], [4.5], [INF], [0, 0], [10, 10], [2, 3], integer=[0, 1]),
    "optimal without whole numbers": dense_matrix([[1, 1]], [4.5], [INF], [0, 0], [9, 9], [2, 3]),
    "optimal without rows": dense_matrix([], [], [], [2.5, 0], [7, 3], [1, -1], integer=[1, 0]),
    "optimal without anything": dense_matrix([], [], [], [], [], [], offset=3.0),
    "infeasible": dense_matrix([[2, 4]], [5], [5], [0, 0], [5, 5], [1, 1], integer=True),
    "infeasible without whole numbers": dense_matrix([[1]], [2], [3], [0], [1], [1]),
    "infeasible without unknowns": dense_matrix([[]], [1], [2], [], [], []),
    "infeasible, with costs that run away": dense_matrix(
        [[1, -1, 0], [0, 0, 2]], [0, 1], [INF, 1], [0] * 3, [INF, INF, 1], [-1, -1, 0],
        integer=[1, 0, 1],
    ),
    "unbounded": dense_matrix(
        [[1, -1]], [0], [INF], [0, 0], [INF, INF], [-1, -1], integer=[1, 0]
    ),
    "unbounded without whole numbers": dense_matrix(
        [[1]], [2], [INF], [0], [INF], [2], maximise=True
    ),
}  # fmt: skip


@pytest.mark.parametrize("presolve", [True, False])
@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_earned(name, presolve):
    outcome = run(CLAIMS[name], Options(presolve=presolve))
    assert outcome.status == name.replace(",", "").split()[0]
    assert outcome.ended == "by-itself"
    if outcome.status == "optimal":
        # HiGHS keeps rows to its tolerance, and 1.16 makes use of it.
        assert outcome.violation <= highs.TOLERANCE
        assert outcome.gap <= 1e-4
        assert outcome.root_bound == pytest.approx(outcome.bound)
    else:
        assert (outcome.x, outcome.objective, outcome.gap) == (None, None, INF)


def test_optima_are_worked_out_from_the_point():
    outcome = run(CLAIMS["optimal"])
    assert outcome.objective == 2 * outcome.x[0] + 3 * outcome.x[1]
    assert outcome.objective == pytest.approx(9.0, abs=2 * highs.TOLERANCE)
    assert run(CLAIMS["optimal without rows"]).objective == 0.0
    assert run(CLAIMS["optimal without rows"]).x.tolist() == [3.0, 3.0]
    assert run(CLAIMS["optimal without anything"]).objective == 3.0


def test_no_plan_is_believed_after_two_solves_only():
    assert run(CLAIMS["infeasible"]).status == "infeasible"
    assert run(CLAIMS["optimal"]).status == "optimal"
    assert run(CLAIMS["infeasible"]).messages == ("'infeasible' confirmed without presolve",)


def test_what_is_only_a_try_is_solved_once():
    outcome = run(CLAIMS["infeasible"], Options(confirm=False))
    assert (outcome.status, outcome.x, outcome.messages) == ("infeasible", None, ())
    assert run(CLAIMS["optimal"], Options(confirm=False)).objective == pytest.approx(9.0)


@pytest.mark.parametrize("sentinel", PUBLISHED, ids=lambda s: s.name)
@pytest.mark.parametrize("presolve", [True, False])
def test_published_failures_are_solved(sentinel, presolve):
    outcome = run(sentinel.matrix(), replace(EXACT, presolve=presolve))
    assert (outcome.status, outcome.messages) == ("optimal", ())
    held = run(fix_integers(sentinel.matrix(), outcome.x))
    assert held.objective == pytest.approx(sentinel.optimum, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("sentinel", GUARDED, ids=lambda s: s.name)
def test_guarded_failures_are_solved_without_presolve(sentinel):
    outcome = run(sentinel.matrix(), replace(EXACT, presolve=False))
    assert outcome.objective == pytest.approx(sentinel.optimum, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 7), st.integers(1, 4), st.booleans())
def test_the_best_of_all_plans_is_found(seed, columns, rows, maximise):
    rng = np.random.default_rng(seed)
    table = rng.integers(-4, 7, (rows, columns))
    room = rng.integers(-2, 9, rows)
    worth = rng.integers(-9, 10, columns) / 4
    matrix = dense_matrix(
        table, [-INF] * rows, room, [0] * columns, [2] * columns, worth,
        integer=True, maximise=maximise,
    )  # fmt: skip
    plans = np.array(list(itertools.product(range(3), repeat=columns)), float)
    fits = plans[(plans @ table.T <= room).all(axis=1)]
    outcome = run(matrix, EXACT)
    if not len(fits):
        assert outcome.status == "infeasible"
        return
    values = fits @ worth
    assert outcome.objective == pytest.approx(values.max() if maximise else values.min())


def test_a_pyomo_model_gets_pyomos_own_answer():
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(5), domain=pyo.NonNegativeIntegers, bounds=(0, 6))
    m.y = pyo.Var(bounds=(-3, 12.5))
    m.value = pyo.Objective(
        expr=sum((j + 1.5) * m.x[j] for j in m.x) - 0.3 * m.y + 2, sense=pyo.maximize
    )
    m.room = pyo.Constraint(expr=(2, sum((j + 2) * m.x[j] for j in m.x) + m.y, 31.5))
    m.tie = pyo.Constraint(expr=m.x[0] + m.x[4] == 3)
    outcome = run(compile_model(m), EXACT)
    pyo.SolverFactory("highs").solve(m)
    assert outcome.objective == pytest.approx(pyo.value(m.value), rel=1e-9)


def test_fixing_what_is_whole_keeps_the_value():
    first = run(CLAIMS["optimal"])
    rest = run(fix_integers(CLAIMS["optimal"], first.x))
    assert (rest.status, rest.objective) == ("optimal", 9.0)
    np.testing.assert_array_equal(round_integers(CLAIMS["optimal"], rest.x), [4.5, 0.0])


# --- the end of a run ----------------------------------------------------------------------


def test_the_clock_leaves_the_best_plan_and_its_bound():
    outcome = run(HARD, Options(time_limit=1.0))
    assert (outcome.status, outcome.ended) == ("feasible", "time-limit")
    assert outcome.objective < outcome.bound <= outcome.root_bound
    assert 0 < outcome.gap < 0.05
    assert outcome.violation <= 1e-6
    assert outcome.seconds < 1.0 + Options().patience
    assert outcome.lp_iterations > 10
    assert outcome.cpu_seconds > 0


def test_no_time_at_all_leaves_no_plan_and_no_lie():
    outcome = run(HARD, Options(time_limit=0.0))
    assert (outcome.status, outcome.ended, outcome.x) == ("none", "time-limit", None)


def test_nodes_end_a_run_at_the_same_plan_on_every_machine():
    first, again = run(HARD, Options(nodes=50)), run(HARD, Options(nodes=50))
    assert (first.status, first.ended) == ("feasible", "node-limit")
    assert first.objective < first.bound
    np.testing.assert_array_equal(first.x, again.x)
    assert (first.nodes, first.bound) == (again.nodes, again.bound)
    assert first.nodes <= 50


def test_the_root_bound_lies_between_relaxation_and_proof():
    small = knapsack(items=25, limits=4)
    relaxed = run(replace(small, integer=np.zeros(25, bool)))
    outcome = run(small, EXACT)
    assert outcome.nodes > 1
    assert relaxed.objective > outcome.root_bound > outcome.bound
    assert outcome.bound == pytest.approx(outcome.objective)


def test_a_looser_gap_is_honoured_and_said():
    outcome = run(HARD, Options(gap=0.02, time_limit=20))
    assert outcome.status == "optimal"
    assert 1e-4 < outcome.gap <= 0.02


def test_progress_moves_one_way_and_a_stop_is_heard():
    stop, seen = threading.Event(), []

    def watch(progress):
        seen.append(progress)
        if progress.seconds > 1.0:
            stop.set()

    outcome = run(HARD, progress=watch, stop=stop)
    assert (outcome.status, outcome.ended) == ("feasible", "interrupted")
    assert len(seen) >= 8
    told = [p for p in seen if p.incumbent is not None and p.bound is not None]
    for before, after in itertools.pairwise(told):
        assert after.seconds > before.seconds
        assert after.incumbent >= before.incumbent
        assert after.bound <= before.bound
        assert after.nodes >= before.nodes
    assert told[-1].gap == relative_gap(told[-1].incumbent, told[-1].bound)
    assert outcome.objective >= told[-1].incumbent - 1e-6


def test_one_seed_is_one_answer():
    matrix = knapsack(items=25, limits=4, seed=3)
    first, again = run(matrix), run(matrix)
    np.testing.assert_array_equal(first.x, again.x)
    assert (first.nodes, first.lp_iterations) == (again.nodes, again.lp_iterations)
    assert first.nodes > 1


# --- starts --------------------------------------------------------------------------------


def test_a_start_is_taken_up():
    known = run(HARD, Options(time_limit=1.5))
    at_once = threading.Event()
    at_once.set()
    started = run(HARD, start=known.x, stop=at_once)
    assert (started.status, started.ended) == ("feasible", "interrupted")
    assert started.objective >= known.objective
    bare = run(HARD, stop=at_once)
    assert bare.objective is None or bare.objective < known.objective


def test_a_start_that_breaks_rows_or_limits_does_no_harm():
    for start in (np.ones(2) * 0.5, np.array([99.0, -7.0]), np.zeros(2)):
        assert run(CLAIMS["optimal"], start=start).objective == pytest.approx(9.0, abs=1e-5)


@pytest.mark.parametrize("start", [np.zeros(3), np.zeros((2, 1)), np.array([0.0, np.nan])])
def test_a_start_that_is_no_point_is_refused(start):
    with pytest.raises(ValueError, match="start"):
        run(CLAIMS["optimal"], start=start)


# --- a solver that errs --------------------------------------------------------------------


def first_claim(monkeypatch, claim, **said):
    """Let the first of the solves claim something, and the others speak for themselves."""
    honest, calls = highs._attempt, []

    def attempt(matrix, options, start, progress, stop):
        calls.append(options)
        real_claim, outcome = honest(matrix, options, start, progress, stop)
        if len(calls) > 1:
            return real_claim, outcome
        lie = replace(outcome, status="unbounded" if claim == "unsettled" else claim, **said)
        return claim, lie

    monkeypatch.setattr(highs, "_attempt", attempt)
    return calls


@pytest.mark.parametrize("claim", ["infeasible", "unbounded", "unsettled"])
def test_a_false_verdict_is_not_believed(monkeypatch, claim):
    calls = first_claim(monkeypatch, claim)
    outcome = run(CLAIMS["optimal"], Options(time_limit=60))
    assert (outcome.status, outcome.objective) == ("optimal", 9.0)
    assert "'optimal' without it: believed" in outcome.messages[-1]
    assert [options.presolve for options in calls] == [True, False]
    assert calls[1].time_limit < calls[0].time_limit


@pytest.mark.parametrize("claim", ["infeasible", "unsettled"])
def test_the_work_of_every_solve_of_an_answer_is_counted(monkeypatch, claim):
    work = {"nodes": 1000, "lp_iterations": 2000, "seconds": 3000.0, "cpu_seconds": 4000.0}
    first_claim(monkeypatch, claim, **work)
    outcome = run(CLAIMS["optimal"])
    for name, amount in work.items():
        assert amount <= getattr(outcome, name) < 1.1 * amount


def test_solves_that_settle_a_claim_share_one_time_limit(monkeypatch):
    limits = []

    def attempt(matrix, options, start, progress, stop):
        limits.append(options.time_limit)
        spent = {"seconds": 4.0, "nodes": 1, "lp_iterations": 5, "cpu_seconds": 2.0}
        outcome = highs._outcome(
            "unbounded", "by-itself", matrix, None, bound=None, root_bound=None, **spent
        )
        return "unsettled", outcome

    monkeypatch.setattr(highs, "_attempt", attempt)
    outcome = run(CLAIMS["optimal"], Options(time_limit=10.0))
    assert limits == [10.0, 6.0, 2.0]
    assert outcome.status == "unbounded"
    assert (outcome.nodes, outcome.lp_iterations) == (3, 15)
    assert (outcome.seconds, outcome.cpu_seconds) == (12.0, 6.0)


def test_a_verdict_that_no_time_is_left_to_confirm_is_not_claimed(monkeypatch):
    calls = first_claim(monkeypatch, "infeasible", seconds=99.0)
    outcome = run(HARD, Options(time_limit=0.5))
    assert outcome.status == "none"
    assert "could confirm 'infeasible'" in outcome.messages[-1]
    assert calls[1].time_limit == 0.0


def test_a_bound_that_the_start_beats_is_not_believed(monkeypatch):
    first_claim(monkeypatch, "optimal", bound=12.0, objective=12.0, x=np.array([0.0, 4.0]))
    outcome = run(CLAIMS["optimal"], start=np.array([4.5, 0.0]))
    assert outcome.objective == pytest.approx(9.0, abs=1e-5)
    assert "did not agree" in outcome.messages[-1]


def test_a_best_point_far_from_its_own_bound_is_not_believed(monkeypatch):
    """Called optimal at 12 while the bound says 9: solved again without presolve."""

    def attempt(matrix, options, *rest):
        if options.presolve:
            said = honest(matrix, replace(options, presolve=False), *rest)[1]
            far = replace(
                said,
                x=np.array([0.0, 4.0]),
                objective=12.0,
                bound=8.0,
                gap=relative_gap(12.0, 8.0),
                status="optimal",
            )
            return "optimal", highs._not_above_its_proof(far, options)
        return honest(matrix, options, *rest)

    honest = highs._attempt
    monkeypatch.setattr(highs, "_attempt", attempt)
    outcome = run(CLAIMS["optimal"])
    assert outcome.status == "optimal"
    assert outcome.objective == pytest.approx(9.0, abs=1e-5)
    assert "did not agree" in outcome.messages[-1]
    near = replace(outcome, status="feasible", bound=9.0 * (1 - 1e-6), gap=1e-6)
    assert not highs._unproved("optimal", near, Options(gap=0.0))


def test_an_optimum_above_its_proof_is_taken_back():
    honest = run(CLAIMS["optimal"])
    doubtful = replace(honest, bound=8.0, gap=relative_gap(9.0, 8.0))
    checked = highs._not_above_its_proof(doubtful, Options())
    assert checked.status == "feasible"
    assert "gap of 0.111" in checked.messages[-1]
    assert highs._not_above_its_proof(honest, Options()) is honest


def test_a_banned_version_is_refused(monkeypatch):
    assert "presolve" in ban("1.14.2")
    version = highs.Quiet().version()
    monkeypatch.setattr(highs, "BANNED", {version: "it is banned for this test"})
    with pytest.raises(SolverFault, match=f"{version} must not be used: it is banned"):
        run(CLAIMS["optimal"])


@pytest.mark.parametrize(
    ("coefficient", "words"),
    # The words of 1.15 and those of 1.16.
    [(INF, "(greater than|tolerance of) 1e\\+15"), (1e16, "(greater than|tolerance of) 1e\\+15")],
)
def test_a_model_that_highs_refuses_is_a_fault_in_its_words(coefficient, words):
    matrix = dense_matrix([[coefficient, 1]], [-INF], [2], [0, 0], [1, 1], [1, 1], integer=True)
    with pytest.raises(SolverFault, match=f"refused the model.*{words}"):
        run(matrix)


@pytest.mark.parametrize("options", [Options(gap=-1.0), Options(seed=-1), Options(threads=-3)])
def test_an_option_that_highs_refuses_is_a_fault(options):
    with pytest.raises(SolverFault, match="refused option"):
        run(CLAIMS["optimal"], options)


def test_what_highs_warns_of_is_kept():
    matrix = dense_matrix([[1e-10, 1]], [-INF], [2], [0, 0], [1, 1], [1, 1], integer=True)
    assert any("1e-09" in said for said in run(matrix).messages)


def test_a_crash_in_the_solver_is_a_fault(monkeypatch):
    def crash(self):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(highspy.Highs, "run", crash)
    with pytest.raises(SolverFault, match="out of memory"):
        run(CLAIMS["optimal"])


def test_threads_may_change_from_run_to_run():
    for threads in (1, 2, 1):
        outcome = run(CLAIMS["optimal"], Options(threads=threads))
        assert outcome.objective == pytest.approx(9.0, abs=2 * highs.TOLERANCE)


def test_runs_of_one_thread_follow_one_another_in_the_same(monkeypatch):
    honest, seen = highspy.Highs.run, []

    def run_here(self):
        seen.append(threading.get_ident())
        return honest(self)

    monkeypatch.setattr(highspy.Highs, "run", run_here)
    for _ in range(4):
        assert run(CLAIMS["optimal"], Options(threads=1)).status == "optimal"
    assert len(set(seen)) == 1
    assert not solver_left_behind()
    run(CLAIMS["optimal"], Options(threads=2))
    assert seen[-1] not in seen[:-1]


def test_runs_at_the_same_time_have_a_thread_each():
    with ThreadPoolExecutor(4) as callers:
        found = list(callers.map(lambda _: run(CLAIMS["optimal"]).objective, range(12)))
    assert found == [found[0]] * 12


def test_a_process_that_was_forked_finds_threads_of_its_own():
    run(CLAIMS["optimal"])
    child = os.fork()
    if not child:
        done = threading.Timer(20, lambda: os._exit(1))
        done.start()
        os._exit(0 if run(CLAIMS["optimal"]).status == "optimal" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_highs_looks_out_for_a_stop_itself(monkeypatch):
    """Where nobody waits for progress, nobody else looks before it is served."""
    monkeypatch.setattr(highs, "_nap", lambda *_, **__: 60.0)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    outcome = run(HARD, Options(time_limit=20.0), stop=stop)
    assert outcome.ended == "interrupted"
    assert outcome.seconds < 10.0


# --- a solver that does not stop -----------------------------------------------------------


@pytest.mark.parametrize("found", [True, False])
def test_a_stuck_routine_is_left_behind_with_the_best_plan(monkeypatch, found):
    release = threading.Event()
    honest = highspy.Highs.run

    def stuck(self):
        if found:
            honest(self)
        release.wait(30)
        return highspy.HighsStatus.kOk

    monkeypatch.setattr(highspy.Highs, "run", stuck)
    began = time.monotonic()
    outcome = run(HARD, Options(time_limit=0.6, grace=0.3))
    assert solver_left_behind()
    release.set()
    assert time.monotonic() - began < 4.0
    assert outcome.ended == "abandoned"
    assert outcome.status == ("feasible" if found else "none")
    assert "left behind" in outcome.messages[-1]
    if found:
        assert largest_violation(HARD, outcome.x) == 0.0
        assert outcome.objective == objective_at(HARD, outcome.x) < outcome.bound


def test_patience_grows_with_the_time_limit():
    assert Options().patience == 5.0
    assert Options(time_limit=60).patience == 5.0
    assert Options(time_limit=1000).patience == 50.0


SESSION = """
import signal, sys, time
# Whoever runs the tests in the background has Ctrl-C ignored by all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, "tests/optimizer")
import highspy
from test_highs import HARD
from optimizer.highs import Options, run

if "stuck" in sys.argv:
    highspy.Highs.run = lambda self: time.sleep(60)
unsaid = ["stopping", "running"]
def tell(progress):
    # A word is struck off before it is said, so that Ctrl-C in between cannot repeat it.
    if unsaid[-1:] == ["running"] and (progress.incumbent or "stuck" in sys.argv):
        print(unsaid.pop(), flush=True)
    if unsaid == ["stopping"] and progress.stopping and "stuck" in sys.argv:
        print(unsaid.pop(), flush=True)
outcome = run(HARD, Options(time_limit=60), progress=tell)
print(outcome.status, outcome.ended, outcome.objective > 0, flush=True)
"""


def session(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SESSION), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "."},
        cwd=os.path.dirname(os.path.dirname(os.path.dirname(__file__))),
    )
    assert process.stdout.readline() == "running\n"
    return process


def test_ctrl_c_gives_the_best_plan_so_far():
    process = session()
    process.send_signal(signal.SIGINT)
    said, error = process.communicate(timeout=20)
    assert (said, error, process.returncode) == ("feasible interrupted True\n", "", 0)


def test_a_second_ctrl_c_ends_at_once():
    process = session("stuck")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "stopping\n"
    process.send_signal(signal.SIGINT)
    # The stuck routine would hold the process for a minute.
    said, error = process.communicate(timeout=30)
    assert said == ""
    assert "KeyboardInterrupt" in error
