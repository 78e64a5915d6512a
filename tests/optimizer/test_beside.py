"""The whole of a case, searched in a thread of its own beside windows of time and sites."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from optimizer.commands import solve as command
from optimizer.commands.ready import Wish, make_ready
from optimizer.commands.voice import Voice
from optimizer.decomposed import plan
from optimizer.decomposed.beside import Beside
from optimizer.decomposed.plan import Course
from optimizer.decomposed.windows import Walked
from optimizer.decomposed.workshop import Here
from optimizer.highs import Budget, Options, Progress, run, unsearched
from optimizer.matrix import largest_violation, objective_at
from optimizer.solve import do_nothing, solve
from tests.optimizer.companies import four_unlike_sites
from tests.optimizer.test_windows import searched_in_vain
from tests.shipped import INSTANCES

TIMED = Options(gap=5e-3, time_limit=600.0)


@pytest.fixture(scope="module")
def drawn():
    return four_unlike_sites()


@pytest.fixture
def nothing(drawn):
    case, model, _ = drawn
    return do_nothing(case, model).point


def begun(drawn, budget=None):
    _, model, blocks = drawn
    return Beside(blocks, model.built.columns, TIMED, budget or Budget(600.0))


class Waiting:
    """Pays for a search that goes on until it is told to end, or to stop and heeds that."""

    def __init__(self, found, *, heeds=True):
        self.asked, self.end, self._found, self._heeds = [], threading.Event(), found, heeds

    def run(self, matrix, options, *, stop, progress):
        self.asked.append((matrix, options))
        progress(Progress(3.0, 1.0, 2.0, 1.0, 4))
        while not (self.end.wait(0.01) or (self._heeds and stop.is_set())):
            pass
        if isinstance(self._found, Exception):
            raise self._found
        return self._found if self.end.is_set() else replace(self._found, ended="interrupted")


def found_of(drawn, x, bound=1e6):
    _, model, _ = drawn
    value = None if x is None else objective_at(model.matrix, x)
    return replace(unsearched(model.matrix), x=x, objective=value, bound=bound, status="feasible")


# --- the search --------------------------------------------------------------------------------


def test_it_comes_to_large_decisions_and_a_bound(drawn):
    _, model, blocks = drawn
    going, shown = begun(drawn), []
    found = going.taken_up(shown.append, threading.Event())
    best = run(model.matrix, Options(gap=1e-4))
    assert going.has_plan
    assert largest_violation(model.matrix, found.x) <= 1e-6
    whole = found.x[model.matrix.integer & blocks.large]
    np.testing.assert_allclose(whole, np.rint(whole), atol=1e-6)
    assert best.objective - 1e-6 <= found.bound == going.bound
    assert found.gap <= TIMED.gap
    assert all(isinstance(told, Progress) for told in shown)


def test_large_decisions_alone_are_whole_there(drawn, nothing):
    waiting = Waiting(found_of(drawn, nothing))
    going = begun(drawn, waiting)
    waiting.end.set()
    going.taken_up(lambda _: None, threading.Event())
    [(matrix, options)] = waiting.asked
    _, model, blocks = drawn
    np.testing.assert_array_equal(matrix.integer, model.matrix.integer & blocks.large)
    assert matrix.shape == model.matrix.shape
    assert options is TIMED


def test_what_it_proves_shows_meanwhile_and_a_plan_only_at_its_end(drawn, nothing):
    waiting = Waiting(found_of(drawn, nothing, 1.5))
    going = begun(drawn, waiting)
    ends = time.monotonic() + 30.0
    while going.bound is None and time.monotonic() < ends:
        time.sleep(0.01)
    assert going.bound == 2.0
    assert not going.has_plan
    waiting.end.set()
    going.taken_up(lambda _: None, threading.Event())
    assert going.has_plan
    assert going.bound == 1.5


def test_a_stop_ends_it_with_the_best_so_far(drawn, nothing):
    going, stop = begun(drawn, Waiting(found_of(drawn, nothing))), threading.Event()
    found = going.taken_up(lambda _: stop.set(), stop)
    assert found.ended == "interrupted"
    assert found.x is nothing


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_it_and_another_one_the_wait(drawn, nothing, times):
    waiting = Waiting(found_of(drawn, nothing), heeds=times == 1)
    going, left, stop = begun(drawn, waiting), [KeyboardInterrupt] * times, threading.Event()

    def interrupted(_):
        if left:
            raise left.pop()

    if times == 1:
        assert going.taken_up(interrupted, stop).ended == "interrupted"
    else:
        with pytest.raises(KeyboardInterrupt):
            going.taken_up(interrupted, stop)
    # Whoever goes on from here is to know.
    assert stop.is_set()
    waiting.end.set()


def test_it_ends_where_whoever_waits_for_it_fails(drawn, nothing):
    going = begun(drawn, Waiting(found_of(drawn, nothing)))

    def fails(_):
        raise ValueError("a full disk")

    with pytest.raises(ValueError, match="a full disk"):
        going.taken_up(fails, threading.Event())
    assert going._done.wait(30.0)


def test_a_fault_of_the_search_costs_nobody_a_plan(drawn):
    waiting = Waiting(RuntimeError("out of luck"))
    going = begun(drawn, waiting)
    waiting.end.set()
    found = going.taken_up(lambda _: None, threading.Event())
    assert (found.x, found.bound, going.has_plan) == (None, None, False)
    assert "out of luck" in found.messages[0]


def test_who_lets_go_of_it_ends_it(drawn, nothing):
    going = begun(drawn, Waiting(found_of(drawn, nothing)))
    going.leave()
    assert going._done.is_set()


def test_a_point_is_written_with_the_columns_of_now():
    """Fillings of halls come in between where racks do not split."""
    going = Beside.__new__(Beside)
    going._columns = [("a", (0,)), ("b", (0,)), ("c", (0,))]
    now = [("a", (0,)), ("filled", (0, 1)), ("c", (0,)), ("b", (0,))]
    x = np.array([1.0, 2.0, 3.0])
    assert going.point_of(now, x).tolist() == [1.0, 0.0, 3.0, 2.0]
    assert going.point_of(list(going._columns), x) is x


def case_of(drawn, course, progress=None, stop=None):
    """The case as those who search it know it."""
    case, model, _ = drawn
    return plan._Case.of(case.given, model, TIMED, course, Budget(600.0), progress, stop)


# --- beside windows ----------------------------------------------------------------------------


class Going:
    """A search beside that is as far as it is told to be, of a case with the same columns."""

    def __init__(self, *, bound=None, has_plan=False, found=None):
        self.bound, self.has_plan, self.found = bound, has_plan, found

    def point_of(self, columns, x):
        return x

    def leave(self):
        pass

    def taken_up(self, progress, stop):
        progress(Progress(1.0, None, self.bound))
        return replace(self.found, ended="interrupted") if stop.is_set() else self.found


@pytest.mark.parametrize("has_plan", [True, False])
def test_windows_are_left_once_the_whole_has_a_plan(drawn, nothing, monkeypatch, has_plan):
    left = []

    def windows(*_, start, progress, stop, **__):
        progress(Progress(1.0, 90.0, 120.0))
        left.append(stop.is_set())
        return Walked(None, 120.0)

    monkeypatch.setattr(plan, "in_windows", windows)
    course = Course(beside=Going(bound=110.0, has_plan=has_plan))
    shown, stop = [], threading.Event()
    walked = plan._walked(case_of(drawn, course, shown.append, stop), nothing)
    assert walked.bound == 120.0
    assert left == [has_plan]
    # Nobody has stopped anything, and the lower bound of the two is shown.
    assert not stop.is_set()
    assert [told.bound for told in shown] == [110.0]
    assert shown[0].gap == pytest.approx(20.0 / 90.0)


def test_ctrl_c_in_a_window_reaches_those_who_come_after(drawn, nothing, monkeypatch):
    def windows(*_, stop, **__):
        # What HiGHS does on Ctrl-C: it knows of no stop but this.
        stop.set()
        return Walked(None, None)

    monkeypatch.setattr(plan, "in_windows", windows)
    stop = threading.Event()
    plan._walked(case_of(drawn, Course(), None, stop), nothing)
    assert stop.is_set()


# --- what is taken up --------------------------------------------------------------------------


def taken_up(drawn, nothing, going, blocks=None):
    """A whole beside doing nothing, one that has begun."""
    start = replace(found_of(drawn, nothing), gap=1.0)
    course = Course(beside=going)
    case = replace(case_of(drawn, course), blocks=blocks or drawn[2])
    found = plan._whole_beside(case, start)
    return found, course


def test_a_search_that_has_begun_is_taken_up_and_no_other_begun(drawn, nothing, monkeypatch):
    best = run(drawn[1].matrix, Options(gap=1e-4))
    monkeypatch.setattr(plan, "search", None)
    going = Going(found=found_of(drawn, best.x, best.bound))
    found, course = taken_up(drawn, nothing, going)
    assert found.objective == pytest.approx(best.objective, rel=TIMED.gap)
    assert found.bound == best.bound
    assert course.whole
    assert course.beside is None


def test_what_was_found_with_fewer_limits_is_made_to_keep_to_all(drawn, nothing):
    """Large decisions stay, racks are chosen anew, and the bound holds."""
    _, model, blocks = drawn
    whole = blocks.whole
    best = run(model.matrix, Options(gap=1e-3))
    racks = np.flatnonzero(whole.integer & ~blocks.large & (best.x > 1.5))[:1]
    upper = whole.column_upper.copy()
    upper[racks] = best.x[racks] - 1.0
    narrower = replace(blocks, whole=replace(whole, column_upper=upper))
    found, _ = taken_up(drawn, nothing, Going(found=found_of(drawn, best.x, best.bound)),
                        narrower)  # fmt: skip
    assert largest_violation(whole, best.x) <= 1e-6 < largest_violation(narrower.whole, best.x)
    assert largest_violation(narrower.whole, found.x) <= 1e-6
    large = whole.integer & blocks.large
    np.testing.assert_allclose(found.x[large], best.x[large], atol=1e-6)
    assert found.objective == pytest.approx(objective_at(whole, found.x))
    assert objective_at(whole, nothing) < found.objective <= best.objective + 1e-6
    assert found.bound == best.bound


def test_a_search_that_came_to_no_plan_leaves_its_bound(drawn, nothing):
    found, _ = taken_up(drawn, nothing, Going(found=found_of(drawn, None, 900.0)))
    assert found.x is nothing
    assert found.bound == 900.0


# --- from the start ----------------------------------------------------------------------------


@pytest.mark.parametrize("has_room", [True, False])
def test_the_whole_is_begun_before_windows_where_a_processor_is_free(drawn, monkeypatch, has_room):
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    order = []
    for name in ("Beside", "in_windows", "search"):
        honest = getattr(plan, name)

        def noted(*given, honest=honest, name=name, **told):
            order.append(name)
            return honest(*given, **told)

        monkeypatch.setattr(plan, name, noted)
    case, model, _ = drawn
    solved = solve(case, TIMED, has_room=has_room)
    assert solved.passed
    assert solved.value_musd > do_nothing(case, model).value_musd + 1.0
    best = run(model.matrix, Options(gap=1e-4))
    assert best.objective - 1e-6 <= solved.bound_musd
    assert order[0] == ("Beside" if has_room else "in_windows")
    assert ("Beside" in order) is has_room


@pytest.mark.parametrize("options", [Options(gap=5e-3), replace(TIMED, method="by-site")])
def test_nothing_goes_on_beside_without_a_time_limit_or_where_sites_are_asked_for(
    drawn, monkeypatch, options
):
    """What is found then hangs on no clock."""
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "Beside", None)
    assert solve(drawn[0], options, has_room=True).passed


class Left(Going):
    """One that notes that it was let go of."""

    is_left = False

    def leave(self):
        self.is_left = True


@pytest.mark.parametrize("fault", [None, ArithmeticError])
def test_a_whole_that_nobody_takes_up_is_let_go_of(drawn, monkeypatch, fault):
    """Whatever ends the solve."""
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    going = Left()
    monkeypatch.setattr(plan, "Beside", lambda *_, **__: going)
    if fault is None:
        assert solve(drawn[0], replace(TIMED, gap=0.2), has_room=True).status == "solved"
    else:

        def fails(*_, **__):
            raise fault

        monkeypatch.setattr(plan, "in_windows", fails)
        with pytest.raises(fault):
            solve(drawn[0], replace(TIMED, gap=0.2), has_room=True)
    assert going.is_left


@pytest.mark.parametrize(("unit", "seconds", "stopped", "begins"), [
    (1.0, 600.0, False, True), (1e3, 600.0, False, False), (1.0, 600.0, True, False),
])  # fmt: skip
def test_the_whole_is_begun_beside_where_there_is_time_for_it(
    drawn, nothing, monkeypatch, unit, seconds, stopped, begins
):
    """Measured in what the linear relaxation took; not after a stop in that."""
    case, model, _ = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    honest, begun, stop = plan.relaxation, [], threading.Event()

    def relaxed(*given, **told):
        found = replace(honest(*given, **told), seconds=unit)
        if stopped:
            stop.set()
        return found

    monkeypatch.setattr(plan, "relaxation", relaxed)
    monkeypatch.setattr(plan, "_begun_beside", lambda case: begun.append(case) or Left())
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(None, None))
    monkeypatch.setattr(plan, "_whole_beside", searched_in_vain)
    monkeypatch.setattr(plan, "search_by_site", lambda *_, **__: None)
    plan.plan_by_site(
        case.given, model, TIMED, nothing, Here, course=Course(has_room=True),
        budget=Budget(seconds), stop=stop,
    )  # fmt: skip
    assert len(begun) == begins


def test_the_linear_relaxation_is_solved_once_and_its_prices_are_for_whoever_is_first(
    drawn, nothing, monkeypatch
):
    case, model, blocks = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(None, None))
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


def test_a_stop_from_outside_reaches_windows_and_groups(drawn):
    """Whoever is watched looks at one event, which is set where all is to stop."""
    stop = threading.Event()
    with plan._watching(case_of(drawn, Course(), None, stop)) as watched:
        assert not watched["stop"].is_set()
        stop.set()
        assert watched["stop"].is_set()
        # Nobody looks on, and nothing goes on beside.
        assert watched["progress"] is None


def test_of_two_bounds_the_one_that_no_plan_refutes_stands(drawn, nothing):
    value = objective_at(drawn[1].matrix, nothing)
    case = case_of(drawn, Course(beside=Going(bound=value - 1.0)))
    found = case.best_known([nothing], value + 9.0, value + 7.0)
    assert found.bound == value + 7.0
    assert found.gap == pytest.approx(7.0 / abs(value))


def test_the_whole_goes_on_beside_the_sites_of_a_large_case(drawn, nothing, monkeypatch):
    """Where there is no time for windows; those who go on from there take it up."""
    case, model, _ = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(plan, "FOR_WINDOWS", np.inf)
    monkeypatch.setattr(plan, "NEAR", 1e9)
    monkeypatch.setattr(plan, "_whole_beside", None)
    monkeypatch.setattr(plan, "Beside", lambda *_, **__: going)
    going, course, order = Going(), Course(has_room=True), []
    honest = plan.search_by_site

    def sites(*given, **told):
        order.append(course.beside)
        return replace(honest(*given, **told), status="feasible", gap=0.1)

    monkeypatch.setattr(plan, "search_by_site", sites)
    plan.plan_by_site(case.given, model, TIMED, nothing, Here, course=course, budget=Budget(600.0))
    assert order == [going]
    assert course.beside is going


@pytest.fixture
def groups(drawn, nothing, monkeypatch):
    """Go on from doing nothing beside a whole, with groups of sites that tell once."""
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    case, model, _ = drawn
    value, left, shown = objective_at(model.matrix, nothing), [], []

    def told(blocks, options, start, bound, *_, progress, stop, **__):
        progress(Progress(1.0, value, bound))
        left.append(stop.is_set())
        return replace(found_of(drawn, start, bound), ended="node-limit")

    monkeypatch.setattr(plan, "improve_by_site", told)

    def go(going, *, stop=None, seconds=600.0, bound=1e6):
        course = Course(beside=going)
        found = plan.plan_on(
            case.given, model, TIMED, nothing, bound, Here, course=course,
            budget=Budget(seconds), progress=shown.append, stop=stop,
        )  # fmt: skip
        return found, course

    go.left, go.shown = left, shown
    return go


@pytest.mark.parametrize("has_plan", [True, False])
def test_a_plan_of_the_whole_is_taken_up_before_groups_of_sites_or_after_them(
    drawn, groups, has_plan
):
    """Else they come to their end, and it is waited for."""
    best = run(drawn[1].matrix, Options(gap=1e-4))
    found_there = found_of(drawn, best.x, best.bound)
    going = Going(bound=9e5, has_plan=has_plan, found=found_there)
    stop = threading.Event()
    found, course = groups(going, stop=stop)
    # One that is there is taken up at once.
    assert groups.left == ([] if has_plan else [False])
    assert groups.shown[-1].bound == 9e5
    assert found.objective == pytest.approx(best.objective, rel=TIMED.gap)
    assert found.bound == best.bound
    assert course.whole
    assert course.beside is None
    assert not stop.is_set()


def test_groups_are_left_where_the_whole_beside_them_proves_their_plan(
    drawn, nothing, groups, monkeypatch
):
    """It is let go of then."""
    value = objective_at(drawn[1].matrix, nothing)
    bound = value + 0.9 * TIMED.gap * abs(value)
    going, honest = Going(bound=9e5, found=found_of(drawn, None, bound)), plan.improve_by_site

    def proved_meanwhile(*given, **told):
        going.bound = bound
        return honest(*given, **told)

    monkeypatch.setattr(plan, "improve_by_site", proved_meanwhile)
    found, course = groups(going)
    assert groups.left == [True]
    assert found.x is nothing
    assert (found.status, found.bound, found.ended) == ("optimal", bound, "by-itself")
    assert course.beside is None


def test_what_the_whole_has_proved_counts_where_time_is_up(drawn, nothing, groups, monkeypatch):
    monkeypatch.setattr(plan, "_whole_beside", None)
    honest, going = plan.improve_by_site, Going(bound=9e5)

    def to_the_end(*given, **told):
        found = honest(*given, **told)
        monkeypatch.setattr(Budget, "seconds", 600.0)
        return found

    monkeypatch.setattr(plan, "improve_by_site", to_the_end)
    found, course = groups(going)
    assert found.x is nothing
    assert (found.bound, found.ended) == (9e5, "time-limit")
    assert course.beside is going


def test_ctrl_c_in_a_group_reaches_those_who_come_after(drawn, nothing, groups, monkeypatch):
    monkeypatch.setattr(plan, "_whole_beside", None)
    stop = threading.Event()

    def interrupted(blocks, options, start, bound, *_, stop, **__):
        stop.set()
        return found_of(drawn, start, bound)

    monkeypatch.setattr(plan, "improve_by_site", interrupted)
    found, _ = groups(Going(bound=9e5), stop=stop)
    assert stop.is_set()
    assert (found.ended, found.bound) == ("interrupted", 9e5)


def test_a_plan_of_windows_is_audited_while_the_whole_goes_on(drawn, nothing, monkeypatch):
    _, model, _ = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    best = run(model.matrix, Options(gap=1e-4))
    going = Going()
    monkeypatch.setattr(plan, "Beside", lambda *_, **__: going)
    monkeypatch.setattr(plan, "_whole_beside", searched_in_vain)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(best.x, best.bound + 1.0))
    course = Course(has_room=True)
    found = plan.plan_by_site(
        drawn[0].given, model, replace(TIMED, gap=1e-9), nothing, Here,
        course=course, budget=Budget(600.0),
    )  # fmt: skip
    assert found.point is best.x
    assert not course.whole
    assert course.beside is going


# --- the command -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "processors", "threads", "room"),
    [
        (None, 1, 1, False),
        (None, 2, 1, True),
        (1, 8, 1, False),
        (2, 1, 1, False),
        (2, 2, 1, True),
        (None, 2, 2, False),
    ],
)
def test_a_solve_has_room_where_a_processor_is_left(
    monkeypatch, workers, processors, threads, room
):
    monkeypatch.setattr(command.os, "cpu_count", lambda: processors)
    monkeypatch.setattr(
        command.os, "sched_getaffinity", lambda _: set(range(processors)), raising=False
    )
    asked = []

    def solved(*_, has_room, **__):
        asked.append(has_room)
        raise ArithmeticError

    monkeypatch.setattr(command, "solve", solved)
    options = replace(TIMED, threads=threads)
    wish = Wish(str(INSTANCES / "by_hand"), options, {}, None, None, False, workers, None)
    voice = Voice(json=False, quiet=True)
    with pytest.raises(ArithmeticError):
        command._found(make_ready(wish, voice), wish, threading.Event(), voice)
    assert asked == [room]


@pytest.mark.parametrize(
    ("options", "workers", "processes"),
    [
        (TIMED, 3, 2),
        (TIMED, 2, 1),
        (TIMED, 1, 1),
        (Options(), 3, 3),
        (replace(TIMED, method="by-site"), 3, 3),
    ],
)
def test_one_process_less_searches_sites_where_the_whole_may_go_on_beside(
    monkeypatch, options, workers, processes
):
    monkeypatch.setattr(command.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    wish = Wish("any", options, {}, None, None, False, workers, None)
    workshop = command.workshop_of(wish)
    if processes == 1:
        assert workshop is Here
    else:
        assert workshop.keywords == {"workers": processes}
