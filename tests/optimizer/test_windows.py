"""A plan from windows of time: what is whole, what is held, what is proved, when it ends."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from models.decisions import DECISIONS
from optimizer import highs
from optimizer import solve as solving
from optimizer.decomposed import plan, windows
from optimizer.decomposed.blocks import periods_of, sites_of
from optimizer.decomposed.plan import Course
from optimizer.decomposed.windows import WINDOWS, in_windows
from optimizer.decomposed.workshop import Here
from optimizer.highs import Budget, Options, Progress, run, unsearched
from optimizer.matrix import largest_violation, objective_at
from optimizer.solve import do_nothing, solve
from tests.optimizer.companies import four_unlike_sites

PERIODS = 6
WIDTH = 2

TIMED = Options(gap=5e-3, time_limit=600.0)


@pytest.fixture(scope="module")
def drawn():
    """Four sites over six half-years: windows begin at the first, third and fifth."""
    assert -(-PERIODS // WINDOWS) == WIDTH
    return four_unlike_sites()


@pytest.fixture(scope="module")
def nothing(drawn):
    case, model, _ = drawn
    return do_nothing(case, model).point


def periods(drawn):
    case, model, _ = drawn
    return periods_of(case.given, model.built.columns)


def walk(drawn, start, *, options=Options(gap=1e-3), budget=None, **watched):  # noqa: B008
    case, model, blocks = drawn
    columns = model.built.columns
    return in_windows(
        blocks, sites_of(case.given, columns), periods_of(case.given, columns), options,
        start=start, budget=budget or Budget(), **watched,
    )  # fmt: skip


# --- periods -----------------------------------------------------------------------------------


def test_a_decision_is_of_its_node_or_its_leaf(drawn):
    """The last node is a leaf; what is decided there about the time after comes last."""
    _, model, _ = drawn
    of = dict(zip(model.built.columns, periods(drawn).tolist(), strict=True))
    assert {index[0] for name, index in of if name == "conversions"} == set(range(PERIODS))
    for (name, index), period in of.items():
        if name in ("conversions", "orders", "builds", "promised", "hosting"):
            assert period == index[0]
        if name in ("runs_on", "lasting", "released", "units_lasting"):
            assert period == index[0] == PERIODS - 1
    assert {"lasting", "released"} & {name for name, _ in of}


def test_branches_of_a_tree_are_walked_together(drawn):
    """A node's period counts, not its number."""
    case, *_ = drawn
    tree = replace(case.given.tree, parent=(None, 0, 0, 1, 2), probability=(1.0,) + 4 * (0.5,))
    given = replace(case.given, tree=tree)
    columns = [("promised", (n, "s", "q")) for n in range(5)]
    columns += [("runs_on", (4, "s", "q", "e")), ("runs_on", (3, "s", "q", "e"))]
    assert periods_of(given, columns).tolist() == [0, 1, 1, 2, 2, 2, 2]


def test_every_decision_names_a_node_or_a_leaf():
    assert all({"n", "l"} & set(decision.letters) for decision in DECISIONS)


# --- the walk ----------------------------------------------------------------------------------


class Watched:
    """Has honest runs, and notes what was asked and found."""

    def __init__(self, monkeypatch):
        self.asked, self.options, self.found = [], [], []
        honest = Budget.run

        def watched(budget, matrix, options, **more):
            self.asked.append(matrix)
            self.options.append(options)
            self.found.append(honest(budget, matrix, options, **more))
            return self.found[-1]

        monkeypatch.setattr(Budget, "run", watched)


@pytest.fixture
def three_windows(monkeypatch):
    """Of which the last alone has all decisions whole."""
    monkeypatch.setattr(windows, "AHEAD", 1)


def test_a_window_is_whole_what_was_before_is_held_and_the_rest_divisible(
    drawn, nothing, monkeypatch, three_windows
):
    _, model, _ = drawn
    when, large = periods(drawn), model.matrix.integer & model.large
    seen = Watched(monkeypatch)
    found = walk(drawn, nothing)
    matrix = model.matrix
    for j, first in enumerate(range(0, PERIODS, WIDTH)):
        asked = seen.asked[j]
        np.testing.assert_array_equal(asked.integer, large & (when < first + WIDTH + 1))
        before = large & (when < first)
        assert before.any() or not first
        at = np.rint(seen.found[j - 1].x[before]) if first else []
        np.testing.assert_array_equal(asked.column_lower[before], at)
        np.testing.assert_array_equal(asked.column_upper[before], at)
        np.testing.assert_array_equal(asked.column_lower[~before], matrix.column_lower[~before])
        np.testing.assert_array_equal(asked.column_upper[~before], matrix.column_upper[~before])
    # All large decisions are whole in the end, and are held where racks are made whole.
    np.testing.assert_array_equal(seen.asked[2].integer, large)
    last = np.rint(seen.found[2].x[large])
    np.testing.assert_array_equal(np.rint(found.point[large]), last)
    assert len(seen.asked) > 3
    assert all(racks.shape[1] < matrix.shape[1] for racks in seen.asked[3:])


def test_no_window_follows_once_all_decisions_are_whole(drawn, nothing, monkeypatch):
    """Of six periods with two ahead the second window sees to the end."""
    _, model, _ = drawn
    seen = Watched(monkeypatch)
    walk(drawn, nothing)
    np.testing.assert_array_equal(seen.asked[1].integer, model.matrix.integer & model.large)
    assert all(part.shape[1] < model.matrix.shape[1] for part in seen.asked[2:])


def test_it_ends_at_a_plan_between_nothing_and_its_bound(drawn, nothing):
    _, model, _ = drawn
    matrix = model.matrix
    found = walk(drawn, nothing)
    whole = run(matrix, Options(gap=1e-4))
    value = objective_at(matrix, found.point)
    assert largest_violation(matrix, found.point) <= 1e-6
    assert objective_at(matrix, nothing) + 1.0 < value <= whole.bound + 1e-6
    assert found.bound >= whole.objective - 1e-6
    assert found.bound - value <= 0.05 * value


def test_nodes_end_a_window_and_the_clock_only_under_a_limit(
    drawn, nothing, monkeypatch, three_windows
):
    seen = Watched(monkeypatch)
    walk(drawn, nothing, options=Options(gap=1e-3, nodes=7))
    assert [options.nodes for options in seen.options[:3]] == [7, 7, 7]
    assert {options.time_limit for options in seen.options} == {np.inf}
    seen = Watched(monkeypatch)
    walk(drawn, nothing, budget=Budget(1000.0))
    assert {options.nodes for options in seen.options[:3]} == {windows.NODES}
    most = windows.TIME_FOR_WINDOW * windows.TIME_FOR_WINDOWS * 1000.0
    assert all(0.0 < options.time_limit <= most for options in seen.options[:3])
    for options in seen.options[:3]:
        assert options.interior
        assert not options.absolute_gap
        assert not options.confirm


@pytest.mark.parametrize(("asked", "gap"), [(1e-4, windows.GAP), (0.05, 0.01)])
def test_a_window_leaves_a_part_of_a_wide_gap(drawn, nothing, monkeypatch, asked, gap):
    seen = Watched(monkeypatch)
    walk(drawn, nothing, options=Options(gap=asked))
    assert [options.gap for options in seen.options[:2]] == pytest.approx([gap] * 2)


def told(monkeypatch, *outcomes):
    """Have windows come to this, and count them."""
    left, asked = list(outcomes), []

    def run_told(budget, matrix, options, **_):
        asked.append(matrix)
        return left.pop(0)

    monkeypatch.setattr(Budget, "run", run_told)
    return asked


def outcome(model, nothing, value, bound, status="feasible"):
    x = None if value is None else nothing
    return replace(unsearched(model.matrix), x=x, objective=value, bound=bound, status=status)


@pytest.mark.parametrize(
    ("second", "windows_searched"),
    [
        ((100.0, 114.9), 3),
        ((100.0, 115.1), 2),
        ((None, 90.0), 2),
        ((None, None), 2),
    ],
)
def test_it_ends_where_a_window_finds_no_near_plan(
    drawn, nothing, monkeypatch, three_windows, second, windows_searched
):
    """What the first one proved stands; what later ones prove holds for them alone."""
    _, model, _ = drawn
    first = outcome(model, nothing, 99.0, 110.0)
    later = [outcome(model, nothing, *second), outcome(model, nothing, None, 3.0)]
    asked = told(monkeypatch, first, *later)
    found = walk(drawn, nothing)
    assert len(asked) == windows_searched
    assert (found.point, found.bound) == (None, 110.0)


def test_a_first_window_without_a_plan_leaves_what_it_proved(drawn, nothing, monkeypatch):
    _, model, _ = drawn
    asked = told(monkeypatch, outcome(model, nothing, None, 120.0, "none"))
    found = walk(drawn, nothing)
    assert (len(asked), found.point, found.bound) == (1, None, 120.0)


def test_a_window_that_highs_does_not_let_go_of_is_the_last(
    drawn, nothing, monkeypatch, three_windows
):
    _, model, _ = drawn
    stuck = replace(outcome(model, nothing, 100.0, 101.0), ended="abandoned")
    asked = told(monkeypatch, stuck)
    found = walk(drawn, nothing)
    assert (len(asked), found.point, found.bound) == (1, None, 101.0)


def test_a_stop_reaches_a_window_and_no_other_follows_it(
    drawn, nothing, monkeypatch, three_windows
):
    _, model, _ = drawn
    stop, asked = threading.Event(), []

    def stopped(budget, matrix, options, *, stop, **_):
        asked.append(matrix)
        stop.set()
        return outcome(model, nothing, 100.0, 101.0)

    monkeypatch.setattr(Budget, "run", stopped)
    found = walk(drawn, nothing, stop=stop)
    assert (len(asked), found.point, found.bound) == (1, None, 101.0)


@pytest.mark.parametrize("ended", ["abandoned", "interrupted", "time-limit"])
def test_a_plan_of_the_last_window_is_not_lost(drawn, nothing, monkeypatch, three_windows, ended):
    """However it ended and however far it is: all its large decisions are whole."""
    _, model, _ = drawn
    near, last = (outcome(model, nothing, 100.0, bound) for bound in (101.0, 900.0))
    asked = told(monkeypatch, near, near, replace(last, ended=ended))
    monkeypatch.setattr(windows, "racks_whole", lambda *_, **__: nothing)
    found = walk(drawn, nothing)
    assert len(asked) == 3
    assert found.point is nothing
    assert found.bound == 101.0


def test_a_first_window_that_is_far_off_is_the_last(drawn, nothing, monkeypatch):
    """Here all decisions are whole only in the second."""
    _, model, _ = drawn
    asked = told(monkeypatch, outcome(model, nothing, 100.0, 115.1))
    found = walk(drawn, nothing)
    assert (len(asked), found.point, found.bound) == (1, None, 115.1)


def test_racks_are_made_whole_site_by_site_in_the_time_of_the_windows(drawn, nothing, monkeypatch):
    asked, stop = [], threading.Event()

    def racks(matrix, large, point, options, *, kinds, sites, budget, stop):
        asked.append((sites, budget.left, stop))

    monkeypatch.setattr(windows, "racks_whole", racks)
    walk(drawn, nothing, budget=Budget(1000.0), stop=stop)
    [(sites, left, stopping)] = asked
    assert set(sites) > {0, 1, 2, 3}
    assert left <= windows.TIME_FOR_WINDOWS * 1000.0
    assert stopping is stop


def test_there_is_no_plan_where_racks_cannot_be_made_whole(drawn, nothing, monkeypatch):
    monkeypatch.setattr(windows, "racks_whole", lambda *_, **__: None)
    found = walk(drawn, nothing)
    assert found.point is None
    assert found.bound > objective_at(drawn[1].matrix, nothing)


def test_no_window_is_begun_after_a_stop_or_when_time_is_up(drawn, nothing, monkeypatch):
    stop = threading.Event()
    stop.set()
    asked = told(monkeypatch)
    found = walk(drawn, nothing, stop=stop)
    assert (asked, found.point, found.bound) == ([], None, None)
    found = walk(drawn, nothing, budget=Budget(0.0))
    assert (asked, found.point, found.bound) == ([], None, None)


def test_what_is_told_is_the_plan_that_is_known_and_what_is_proved_for_all(
    drawn, nothing, monkeypatch
):
    _, model, _ = drawn
    told_by_highs = [Progress(1.0, 80.0, 120.0, 0.5, 3), Progress(2.0, 81.0, 50.0, 0.1, 4)]
    bounds = iter([115.0, 49.0])

    def run_told(budget, matrix, options, *, progress, **_):
        progress(told_by_highs.pop(0))
        bound = next(bounds)
        return outcome(model, nothing, bound, bound)

    monkeypatch.setattr(Budget, "run", run_told)
    monkeypatch.setattr(windows, "racks_whole", lambda *_, **__: nothing)
    monkeypatch.setattr(Budget, "seconds", 7.0)
    shown = []
    walk(drawn, nothing, progress=shown.append)
    value = objective_at(model.matrix, nothing)
    assert [one.incumbent for one in shown] == [value, value]
    assert [one.bound for one in shown] == [120.0, 115.0]
    assert [one.seconds for one in shown] == [7.0, 7.0]
    assert [one.nodes for one in shown] == [3, 4]
    assert shown[0].gap == pytest.approx((120.0 - value) / value)


# --- what comes of it --------------------------------------------------------------------------


def searched_in_vain(case, begun, large=None):
    """A search of the whole that brings nothing."""
    case.course.whole = True
    return begun


def begins(drawn, nothing, monkeypatch, walked, *, options, limit=np.inf):
    """What a case of many sites goes on with after its windows."""
    case, model, _ = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    begun = []

    def noted(name, answer):
        def note(*given, **told):
            begun.append((name, given, told))
            return answer(*given, **told)

        monkeypatch.setattr(plan, name, note)

    noted("in_windows", lambda *_, **__: walked)
    noted("search_by_site", lambda *_, **__: None)
    noted("_whole_beside", searched_in_vain)
    course = Course()
    found = plan.plan_by_site(
        case.given, model, options, nothing, Here, course=course, budget=Budget(limit)
    )
    return found, begun, course


def test_sites_begin_from_the_plan_of_the_windows_and_know_the_other(drawn, nothing, monkeypatch):
    walked = walk(drawn, nothing)
    options = Options(gap=1e-6)
    found, begun, _ = begins(drawn, nothing, monkeypatch, walked, options=options)
    assert [name for name, *_ in begun] == ["in_windows", "search_by_site"]
    _, given, told = begun[1]
    assert [id(point) for point in given[2]] == [id(walked.point), id(nothing)]
    assert told["bound"] == walked.bound
    # Where sites come to nothing, plan and bound stay.
    assert found.point is walked.point
    assert found.outcome.bound == walked.bound
    assert found.is_open


def test_what_windows_prove_is_enough_where_it_is_near_enough(drawn, nothing, monkeypatch):
    walked = walk(drawn, nothing)
    found, begun, _ = begins(drawn, nothing, monkeypatch, walked, options=Options(gap=0.2))
    assert [name for name, *_ in begun] == ["in_windows"]
    assert found.outcome.status == "optimal"
    assert found.point is walked.point
    assert not found.is_open


def test_a_bound_of_the_windows_that_their_plan_refutes_is_not_believed(
    drawn, nothing, monkeypatch
):
    walked = replace(walk(drawn, nothing), bound=1.0)
    found, *_ = begins(drawn, nothing, monkeypatch, walked, options=Options(gap=1e-6))
    assert found.outcome.bound is None
    assert found.outcome.status == "feasible"


def test_the_better_of_two_plans_is_gone_on_from(drawn, nothing, monkeypatch):
    """Windows may lead to less than was known."""
    best = walk(drawn, nothing).point
    walked = windows.Walked(nothing, None)
    found, *_ = begins(drawn, best, monkeypatch, walked, options=Options(gap=1e-6))
    assert found.point is best


@pytest.mark.parametrize(("near", "goes_on"), [(True, []), (False, ["search_by_site"])])
def test_a_near_plan_is_audited_first_and_else_sites_are_searched(
    drawn, nothing, monkeypatch, near, goes_on
):
    """Under a time limit."""
    walked = walk(drawn, nothing) if near else windows.Walked(None, None)
    options = Options(gap=1e-6, time_limit=600.0)
    found, begun, course = begins(
        drawn, nothing, monkeypatch, walked, options=options, limit=600.0
    )
    assert [name for name, *_ in begun] == ["in_windows", *goes_on]
    assert not course.whole
    assert found.is_open is not near
    if near:
        assert found.point is walked.point


@pytest.mark.parametrize(("gap", "audited"), [(0.99, True), (1.01, False)])
def test_a_plan_is_near_within_a_gap(drawn, nothing, monkeypatch, gap, audited):
    value = objective_at(drawn[1].matrix, nothing)
    walked = windows.Walked(nothing.copy(), value + gap * plan.NEAR * abs(value))
    options = Options(gap=1e-6, time_limit=600.0)
    _, begun, _ = begins(drawn, nothing, monkeypatch, walked, options=options, limit=600.0)
    assert ("search_by_site" not in [name for name, *_ in begun]) is audited


def test_a_start_that_is_near_what_the_relaxation_proves_is_not_audited_again(
    drawn, nothing, monkeypatch
):
    """It was a plan before."""
    monkeypatch.setattr(plan, "NEAR", 1e9)
    options = Options(gap=1e-6, time_limit=600.0)
    _, begun, _ = begins(
        drawn, nothing, monkeypatch, windows.Walked(None, None), options=options, limit=600.0
    )
    assert "search_by_site" in [name for name, *_ in begun]


@pytest.mark.parametrize("enough", [True, False])
def test_windows_are_for_those_who_have_the_time(drawn, nothing, monkeypatch, enough):
    """Measured in what the linear relaxation took."""
    honest, unit = plan.relaxation, 30.0
    monkeypatch.setattr(
        plan, "relaxation", lambda *given, **told: replace(honest(*given, **told), seconds=unit)
    )
    # What is kept for settling and mending does not count.
    limit = plan.FOR_WINDOWS * unit + highs.SECONDS_TO_SETTLE + (10.0 if enough else -10.0)
    limit /= plan.TIME_TO_SEARCH
    options = Options(gap=1e-6, time_limit=limit)
    _, begun, course = begins(
        drawn, nothing, monkeypatch, windows.Walked(None, None), options=options, limit=limit
    )
    assert (begun[0][0] == "in_windows") is enough
    assert course.unit == unit


def test_a_plan_of_windows_is_audited_under_its_bound(drawn, monkeypatch):
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "search_by_site", None)
    case, *_ = drawn
    solved = solve(case, Options(gap=0.02))
    assert solved.status == "solved"
    assert solved.value_musd <= solved.bound_musd
    assert solved.gap <= 0.02


def test_a_timed_solve_goes_from_windows_through_the_audit_to_the_whole(drawn, monkeypatch):
    """On one clock: each of them has its own."""
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(solving, "MANY_RACKS", 1)
    case, *_ = drawn
    shown, begun = [], []
    for module, name in (
        (plan, "in_windows"),
        (solving, "_judged"),
        (plan, "_with_divided_racks"),
    ):
        honest = getattr(module, name)

        def noted(*given, honest=honest, name=name, **told):
            begun.append(name)
            return honest(*given, **told)

        monkeypatch.setattr(module, name, noted)

    # One that brings nothing: with the racks there is more to find.
    def in_vain(*given):
        noted_whole.append(given)
        return searched_in_vain(*given)

    monkeypatch.setattr(plan, "_whole_beside", in_vain)
    noted_whole = []
    solved = solve(case, Options(gap=1e-5, time_limit=100.0), progress=shown.append)
    order = list(dict.fromkeys(begun))
    assert order == ["in_windows", "_judged", "_with_divided_racks"]
    assert begun.count("in_windows") == begun.count("_with_divided_racks") == 1
    assert len(noted_whole) == 2
    assert solved.passed
    # The bound that branching began from is of the first search, and not lost by the last.
    assert solved.outcome.root_bound >= solved.bound_musd
    seconds = [told.seconds for told in shown]
    assert len(seconds) > 3
    assert seconds == sorted(seconds)
    # A search that is left for another is nothing that somebody stops.
    assert not any(told.stopping for told in shown)


def test_the_linear_relaxation_is_solved_once_and_its_prices_are_for_whoever_is_first(
    drawn, nothing, monkeypatch
):
    case, model, blocks = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: windows.Walked(None, None))
    course, seen = Course(), []

    def sites(*given, relaxed, bound, **_):
        seen.append((relaxed, bound, course.prices))

    monkeypatch.setattr(plan, "search_by_site", sites)
    plan.plan_by_site(case.given, model, TIMED, nothing, Here, course=course, budget=Budget(600.0))
    [(relaxed, bound, prices)] = seen
    assert relaxed.bound == bound
    assert relaxed.seconds == course.unit > 0.0
    assert prices is None
    # Where windows are first, whoever goes on from their plan has them.
    noted = Course()
    noted.note(relaxed, blocks)
    np.testing.assert_array_equal(noted.prices, relaxed.duals[blocks.coupling])


def test_of_two_bounds_the_one_that_no_plan_refutes_stands(drawn, nothing):
    case, model, _ = drawn
    value = objective_at(model.matrix, nothing)
    asked = plan._Case.of(case.given, model, TIMED, Course(), Budget(600.0), None, None)
    found = asked.best_known([None, nothing], value + 9.0, value - 1.0, value + 7.0, None)
    assert found.x is nothing
    assert found.bound == value + 7.0
    assert found.gap == pytest.approx(7.0 / abs(value))


# --- a stop ------------------------------------------------------------------------------------


SEARCHES = ["in_windows", "search", "search_by_site", "improve_by_site"]


@pytest.fixture
def stopped(drawn, nothing, monkeypatch):
    """Search from doing nothing on, with a stop in one of those that search; tell who searched."""
    case, model, _ = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "NEAR", 1e9)

    def go(name, on_stop):
        shared, searched = threading.Event(), []
        unfound = replace(
            unsearched(model.matrix), x=nothing, objective=objective_at(model.matrix, nothing),
            bound=1e6, gap=1.0, status="feasible", ended="node-limit",
        )  # fmt: skip
        answers = dict.fromkeys(SEARCHES, unfound) | {"in_windows": windows.Walked(None, None)}
        for each, answer in answers.items():

            def told(*_, stop, each=each, answer=answer, **__):
                searched.append(each)
                if each == name:
                    on_stop(stop, shared)
                return answer

            monkeypatch.setattr(plan, each, told)
        asked = {"course": Course(), "budget": Budget(600.0), "stop": shared}
        if name in ("search", "improve_by_site"):
            if name == "improve_by_site":
                # Neither the whole nor its racks are left to search.
                asked["course"] = Course(whole=True, unit=1e6)
            plan.plan_on(case.given, model, TIMED, nothing, 1e6, Here, **asked)
        else:
            plan.plan_by_site(case.given, model, TIMED, nothing, Here, **asked)
        return shared, searched

    return go


@pytest.mark.parametrize("name", SEARCHES)
def test_a_stop_from_outside_reaches_whoever_searches(stopped, name):
    """At once: racks are made whole without looking on."""

    def on_stop(stop, shared):
        assert not stop.is_set()
        shared.set()
        assert stop.is_set()

    _, searched = stopped(name, on_stop)
    assert searched[-1] == name


@pytest.mark.parametrize("name", SEARCHES)
def test_ctrl_c_in_one_search_reaches_those_who_come_after(stopped, name):
    """HiGHS knows of no stop but the one that it was given, and sets that."""
    shared, searched = stopped(name, lambda stop, _: stop.set())
    assert shared.is_set()
    assert searched[-1] == name


def test_windows_need_no_plan_to_begin_from(drawn, nothing):
    told = []
    alone = walk(drawn, None, progress=told.append)
    np.testing.assert_array_equal(alone.point, walk(drawn, nothing).point)
    assert {progress.incumbent for progress in told} <= {None}


def test_windows_take_a_part_of_the_time(drawn, nothing, monkeypatch):
    """However much is left: all of them so much, and one half of these."""
    asked, honest = [], Budget.run

    def watched(self, matrix, options, **told):
        asked.append(options.time_limit)
        return honest(self, matrix, options, **told)

    monkeypatch.setattr(Budget, "run", watched)
    walk(drawn, nothing, budget=Budget(6000.0))
    part = windows.TIME_FOR_WINDOWS * 6000.0
    assert 0.4 * part < asked[0] <= windows.TIME_FOR_WINDOW * part
    assert max(asked[:2]) <= part


def test_windows_that_are_tried_have_time_for_what_they_take():
    """Of a dozen sites they take ten linear relaxations."""
    assert windows.TIME_FOR_WINDOWS * plan.FOR_WINDOWS > 12.0


@pytest.mark.parametrize(
    ("unit", "kept"), [(0.0, 10.0), (5.0, 10.0), (20.0, plan.TO_MEND * 20.0), (500.0, 50.0)]
)
def test_time_is_kept_for_mending_what_a_search_comes_to(unit, kept):
    """A part of the time, more where the model is large for the machine, at most half."""
    part = Course(unit=unit).to_search(Budget(100.0))
    assert part.left == pytest.approx(100.0 - kept, abs=0.1)


def test_who_goes_on_from_a_sound_plan_keeps_less(drawn, nothing, monkeypatch):
    case, model, _ = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    given = []

    def noted(*_, budget, **__):
        given.append(budget.left)
        return unsearched(model.matrix)

    monkeypatch.setattr(plan, "improve_by_site", noted)
    plan.plan_on(
        case.given, model, TIMED, nothing, 1e6, Here,
        course=Course(whole=True, unit=100.0), budget=Budget(300.0),
    )  # fmt: skip
    assert given[0] == pytest.approx(300.0 - plan.TO_AUDIT * 100.0, abs=1.0)


def test_nothing_is_kept_where_time_is_not_limited():
    budget = Budget()
    assert Course(unit=5.0).to_search(budget) is budget
