"""Running sweeps on this machine: every point has a row, whatever dies, and none has two."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import replace

import pytest

from optimizer.highs import Options
from optimizer.sweep.point.opened import Rules
from optimizer.sweep.points import Base, Row
from optimizer.sweep.rows.export import table
from optimizer.sweep.rows.records import Done, Spec
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.rows.store import Store
from optimizer.sweep.running.engine import Task, hard_seconds
from optimizer.sweep.running.local import Local
from optimizer.sweep.running.run import run
from tests.optimizer.sweep import fakes
from tests.optimizer.sweep.processes import environment, marked, orphans, workers


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "s.sweep") as store:
        yield store


class Here:
    """An engine without processes, which notes what it was given."""

    def __init__(self):
        self.given = []

    def compute(self, task):
        for point in task.points:
            if task.stop.is_set():
                return
            self.given.append(point.number)
            yield [Done(point, fakes.evaluate(point), "here")]
            yield []

    def end(self):
        """Keep nobody."""


def go(store, points, engine=None, **more):
    base = more.pop("base", fakes.base())
    make = more.pop("make", fakes.make)
    versions = more.pop("versions", fakes.VERSIONS)
    return run(points, base, store, engine or Here(), make, versions=versions, **more)


# --- what is computed ----------------------------------------------------------------------


def test_the_same_again_computes_nothing(store):
    first = go(store, fakes.points(20, at_3={"do": "infeasible"}, at_4={"do": "invalid"}))
    assert (first.computed, first.missing, first.failed, first.stopped) == (20, 0, 1, False)
    assert first.counts == {"infeasible": 1, "invalid": 1, "solved": 18}
    again = Here()
    second = go(store, fakes.points(20, at_3={"do": "infeasible"}, at_4={"do": "invalid"}), again)
    assert (again.given, second.computed, second.skipped) == ([], 0, 20)
    third = go(
        store, fakes.points(20, at_3={"do": "infeasible"}, at_4={"do": "invalid"}), again,
        retry=["invalid"],
    )  # fmt: skip
    assert (again.given, third.counts) == ([4], first.counts)


def test_points_that_are_added_run_alone(store):
    go(store, fakes.points(5), spec=Spec("s", "five"))
    engine = Here()
    go(store, fakes.points(8), engine, spec=Spec("s", "eight"))
    assert engine.given == [5, 6, 7]
    assert store.spec() == Spec("s", "eight")
    assert go(store, fakes.points(3)).left_out == 5
    assert store.spec() == Spec("s", "eight")


def test_points_run_backwards_where_that_is_asked_for(store):
    engine = Here()
    go(store, fakes.points(4), engine, backwards=True)
    assert engine.given == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"base": Base({"instance.toml": b"", "x": b""}, fakes.OPTIONS)},
         "instance.toml has changed; prices.csv is gone; x is new"),
        ({"base": Base(fakes.base().files, Options(gap=0.5, time_limit=60.0))},
         "gap 0.5 instead of 0.0001"),
        ({"base": fakes.base(memory_mb=100)}, "memory 100 MB instead of None"),
        ({"base": fakes.base(plan={"plan.json": b""})}, "the plan's plan.json is new"),
        ({"versions": {"rackwatt": "1", "highspy": "3"}}, "highspy 3 instead of 2"),
    ],
)  # fmt: skip
def test_what_has_changed_is_refused_or_kept_apart(store, changed, told):
    go(store, fakes.points(3))
    with pytest.raises(SweepRefused) as refusal:
        go(store, fakes.points(3), **changed)
    assert f"with something else: {told}. Put that back" in str(refusal.value)
    assert len(store.versions()) == 1
    engine = Here()
    summary = go(store, fakes.points(2), engine, new_version=True, **changed)
    assert (engine.given, summary.version) == ([0, 1], 2)
    assert (len(table(store)), len(table(store, 1))) == (2, 3)
    with pytest.raises(SweepRefused, match="with something else"):
        go(store, fakes.points(3))
    assert go(store, fakes.points(4), new_version=True).computed == 1
    assert (len(table(store)), len(store.versions())) == (4, 2)


def test_a_version_keeps_the_start_that_it_began_with(store):
    starts = []

    class Noting(Here):
        def compute(self, task):
            starts.append(task.base.start)
            return super().compute(task)

    for number, value in ((2, 0.1), (3, 0.2)):
        base = fakes.base(start={("racks", ("n0", "s")): value})
        go(store, fakes.points(number), Noting(), base=base)
    assert starts == [{("racks", ("n0", "s")): 0.1}] * 2


# --- plans that are lent -------------------------------------------------------------------


class Lending(Here):
    """Computes as workers do that are made anew for each part of a sweep."""

    def __init__(self, stop=None, after=0, failing=0):
        super().__init__()
        self.stop, self.after, self.failing, self.lent = stop, after, failing, []

    def compute(self, task):
        evaluate = task.make(task.base)
        self.lent.append(task.base.lent)
        for point in task.points:
            if self.stop is not None and len(self.given) == self.after:
                self.stop.set()
                return
            self.given.append(point.number)
            fails = len(self.given) <= self.failing
            yield [Done(point, Row(point.number, "error") if fails else evaluate(point), "here")]


LENDING = {"base": fakes.lending(), "make": fakes.make_lending}


def stopped(store, points, after, **more):
    """Run a sweep until so many points are done; give what was computed."""
    stop = threading.Event()
    engine = Lending(stop, after)
    assert go(store, points, engine, stop=stop, **{**LENDING, **more}).computed == after
    return engine.given


def began_from(store):
    """How many plans each point began from, of a sweep in which all have a row."""
    return [int(words.split()[0]) for words in table(store)["began_from"]]


def test_some_points_come_first_and_lend_their_plans_to_all_others(store):
    engine, points = Lending(), fakes.points(120)
    assert go(store, points, engine, **LENDING).missing == 0
    found, first = began_from(store), engine.given[:12]
    assert sorted(found) == [0] * 12 + [12] * 108
    assert {number for number, plans in enumerate(found) if not plans} == set(first)
    nothing, lent = engine.lent
    assert nothing == ()
    assert sorted(one.plan.decode() for one in lent) == sorted(f"plan of {n}" for n in first)
    assert all(one.plan == f"plan of {one.changes['x']}".encode() for one in lent)


def test_who_lends_follows_from_what_points_change(tmp_path):
    """Not from their numbers, the names of axes, or how often the design has them."""
    lent = []
    for name in ("one", "other"):
        points = fakes.points(120)
        if name == "other":
            points = [replace(p, number=239 - p.number, settings={"z": 1}) for p in points]
            points += [replace(p, number=p.number - 120) for p in points[:60]]
        engine = Lending()
        with Store.open(tmp_path / f"{name}.sweep") as store:
            go(store, points, engine, **LENDING)
        lent.append(engine.lent[1])
    assert lent[0] == lent[1]


@pytest.mark.parametrize(("points", "base"), [(99, fakes.lending()), (120, fakes.base())])
def test_few_or_small_cases_lend_nothing(store, points, base):
    go(store, fakes.points(points), Lending(), base=base, make=fakes.make_lending)
    assert set(began_from(store)) == {0}


def test_a_plan_that_is_only_evaluated_needs_none_that_are_lent(store):
    for rules, most in ((Rules(regret=True), 12), (Rules(regret=False), 0)):
        base = fakes.lending(plan=rules.files(b"actions"))
        more = {"base": base, "make": fakes.make_lending, "new_version": True}
        go(store, fakes.points(120), Lending(), **more)
        assert max(began_from(store)) == most


@pytest.mark.parametrize("after", [0, 5, 12, 40])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_sweep_that_was_stopped_begins_from_the_same_plans(tmp_path, after, backwards):
    with Store.open(tmp_path / "whole.sweep") as store:
        go(store, fakes.points(120), Lending(), **LENDING)
        whole = table(store)
    with Store.open(tmp_path / "stopped.sweep") as store:
        stopped(store, fakes.points(120), after)
        go(store, fakes.points(120), Lending(), backwards=backwards, **LENDING)
        assert table(store).equals(whole)


def test_points_that_are_added_begin_from_the_plans_that_there_were(store):
    go(store, fakes.points(120), Lending(), **LENDING)
    before, engine = began_from(store), Lending()
    go(store, fakes.points(400), engine, **LENDING)
    assert engine.given == list(range(120, 400))
    assert began_from(store) == [*before, *[12] * 280]


def test_what_is_added_to_few_points_lends_among_itself(store):
    go(store, fakes.points(20), Lending(), **LENDING)
    go(store, fakes.points(200), Lending(), **LENDING)
    assert began_from(store)[:20] == [0] * 20
    assert sorted(began_from(store)[20:]) == [0] * 18 + [18] * 162


def test_a_design_that_changes_before_any_row_chooses_anew(store):
    stopped(store, fakes.points(120), 0)
    others = [replace(p, changes={"x": p.number + 1000}) for p in fakes.points(120)]
    go(store, others, Lending(), **LENDING)
    assert sorted(began_from(store)) == [0] * 12 + [12] * 108


def test_what_is_lent_stays_as_it_is_once_others_began_from_it(store):
    """Rows of one version do not begin from other plans because one was tried again."""
    first = Lending(failing=2)
    assert go(store, fakes.points(120), first, **LENDING).counts == {"error": 2, "solved": 118}
    again = Lending()
    go(store, fakes.points(140), again, retry=["error"], **LENDING)
    assert sorted(again.given[:2]) == sorted(first.given[:2])
    assert again.lent[1] == first.lent[1]
    assert len(first.lent[1]) == 10
    assert sorted(began_from(store)) == [0] * 12 + [10] * 128


def test_a_lender_that_is_tried_again_before_lends_after_all(store):
    stop = threading.Event()
    go(store, fakes.points(120), Lending(stop, 6, failing=2), stop=stop, **LENDING)
    engine = Lending()
    go(store, fakes.points(120), engine, retry=["error"], **LENDING)
    assert len(engine.lent[1]) == 12


def test_what_points_lend_is_kept_to_their_own_version(store):
    go(store, fakes.points(120), Lending(), **LENDING)
    other = Lending()
    base = fakes.lending(memory_mb=100)
    more = {"base": base, "make": fakes.make_lending, "new_version": True}
    go(store, fakes.points(130), other, **more)
    assert [len(store.close_lending(version)) for version in store.versions()] == [12, 13]


def test_a_stop_is_heard(store):
    stop = threading.Event()
    told = []

    def follow(standing):
        told.append(standing)
        if standing.done >= 3:
            stop.set()

    summary = go(store, fakes.points(100, sleep=0.1), progress=follow, stop=stop)
    assert summary.stopped
    assert 3 <= summary.computed < 20
    assert summary.missing == 100 - summary.computed
    assert (told[0].done, told[0].rate) == (0, None)
    assert told[-1].stopping
    assert go(store, fakes.points(100, sleep=0.0), stop=stop).computed == 0


def test_progress_counts_what_was_there_before(store):
    bad = {"at_1": {"do": "invalid"}, "at_2": {"do": "invalid"}}
    go(store, fakes.points(4, **bad))
    told = []
    go(store, fakes.points(10, **bad), progress=told.append)
    assert (told[0].done, told[0].failed, told[0].total) == (4, 2, 10)
    assert (told[-1].done, told[-1].failed, told[-1].total) == (10, 2, 10)
    assert told[-1].left == 0
    go(store, fakes.points(10, **bad), progress=told.append, retry=["invalid"])
    assert (told[-1].done, told[-1].failed, told[-1].total) == (10, 2, 10)


# --- worker processes ----------------------------------------------------------------------


def test_one_bad_point_stops_nothing(store, tmp_path, capfd):
    points = fakes.points(
        300, at_5={"do": "die"}, at_6={"do": "raise"}, at_7={"do": "infeasible"},
        at_8={"do": "odd"}, at_9={"do": "invalid"},
        at_100={"do": "die once", "flag": str(tmp_path / "flag")},
    )  # fmt: skip
    summary = go(store, points, Local(2))
    assert (summary.computed, summary.missing) == (300, 0)
    assert summary.counts == {
        "error": 2, "infeasible": 1, "invalid": 1, "solved": 295, "worker_died": 1,
    }  # fmt: skip
    entries = list(store.entries(store.version()))
    assert "the worker died whenever it was on this point" in entries[5].row.message
    assert entries[6].row.message == "ValueError: a point that breaks"
    assert [entries[n].attempts for n in (5, 100, 250)] == [3, 2, 1]
    assert entries[250].row == fakes.evaluate(points[250])
    assert capfd.readouterr().err == ""
    again = go(store, points, Local(2), retry=["worker_died"])
    assert (again.computed, again.counts) == (1, summary.counts)


def test_a_point_that_runs_wild_is_ended(store):
    points = fakes.points(4, at_1={"sleep": 60.0})
    summary = go(store, points, Local(2, hard=1.0))
    assert summary.counts == {"solved": 3, "timeout": 1}
    row = store.numbered(store.version(), 1).row
    assert row.message == "it still ran after 1 s, well over its time limit, and was given up"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's here")
def test_a_point_that_hoards_memory_is_an_error_and_others_are_not(store):
    points = fakes.points(4, at_1={"do": "hoard", "mb": 4000}, at_2={"do": "hoard", "mb": 20})
    summary = go(store, points, Local(1), base=fakes.base(memory_mb=600))
    assert summary.counts == {"error": 1, "solved": 3}
    assert "MemoryError" in store.numbered(store.version(), 1).row.message


def test_workers_that_cannot_get_ready_end_the_sweep(store):
    with pytest.raises(SweepRefused, match="could not get ready: ValueError: no such column"):
        go(store, fakes.points(4), Local(2), make=fakes.make_failing)
    # More than fits in a pipe, so that what is on its way is cleared away too.
    large = Base({"prices.csv": os.urandom(5_000_000)}, fakes.OPTIONS)
    with pytest.raises(SweepRefused, match=r"die while they get ready \(killed by signal 9"):
        go(store, fakes.points(4), Local(1), make=fakes.make_dying, base=large, new_version=True)


def known(store):
    """How many points the evaluator of each row had computed, by worker; most of each."""
    most = Counter()
    for entry in store.entries(store.version()):
        most[entry.worker] = max(most[entry.worker], entry.row.metrics["known"])
    return sorted(most.values())


@pytest.mark.parametrize(
    ("make", "counted"), [(fakes.make_counting, 120), (fakes.make_not_borrowing, 108)]
)
def test_workers_go_on_with_what_is_lent(store, make, counted):
    """They keep what they have worked out where they can, and are the same processes anyway."""
    go(store, fakes.points(120), Local(1), base=fakes.lending(), make=make)
    assert known(store) == [counted]
    assert sorted(began_from(store)) == [0] * 12 + [12] * 108


def test_an_evaluator_that_is_made_anew_later_begins_from_the_same(store):
    points = fakes.points(120, at_50={"do": "raise"}, at_51={"do": "raise"})
    go(store, points, Local(1), base=fakes.lending(), make=fakes.make_counting)
    rows = [entry.row for entry in store.entries(store.version())]
    told = Counter(row.metrics.get("began_from", row.status).split()[0] for row in rows)
    assert told["error"] == 2
    assert told["0"] + told["12"] == told.total() - 2
    assert told["0"] <= 12


def test_an_evaluator_that_breaks_while_it_is_lent_something_is_made_anew(store):
    go(store, fakes.points(120), Local(1), base=fakes.lending(), make=fakes.make_fussy)
    assert known(store) == [108]
    assert sorted(began_from(store)) == [0] * 12 + [12] * 108


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's here")
def test_a_worker_without_room_for_what_is_lent_is_replaced(store):
    base = fakes.lending(memory_mb=100)
    summary = go(store, fakes.points(120), Local(2), base=base, make=fakes.make_hoarding)
    assert summary.counts == {"solved": 120}
    assert sorted(began_from(store)) == [0] * 12 + [12] * 108


def test_a_task_that_is_stopped_or_left_keeps_no_worker(store):
    """Nobody goes on with what was not brought to its end."""
    points = fakes.points(40, sleep=0.05)
    for leave in (True, False):
        engine, stop = Local(2), threading.Event()
        task = Task(points, 40, fakes.base(), fakes.make, stop, grace=5.0, goes_on=True)
        batches = engine.compute(task)
        while not next(batches):
            pass
        if leave:
            batches.close()
        else:
            stop.set()
            list(batches)
        assert engine._kept == []


def test_more_workers_join_where_there_is_more_to_do(store):
    go(
        store,
        fakes.points(120, sleep=0.01),
        Local(14),
        base=fakes.lending(),
        make=fakes.make_counting,
    )
    assert len(known(store)) > 12
    assert sorted(began_from(store)) == [0] * 12 + [12] * 108


def test_a_worker_that_dies_at_rest_is_replaced(store, monkeypatch):
    """Between those that lend and those that begin from them nothing is with a worker."""
    engine, close = Local(2), store.close_lending

    def killing(version):
        for hand in engine._kept:
            hand.kill()
            hand._process.join()
        return close(version)

    monkeypatch.setattr(store, "close_lending", killing)
    summary = go(store, fakes.points(120), engine, base=fakes.lending(), make=fakes.make_counting)
    assert summary.counts == {"solved": 120}
    assert sorted(began_from(store)) == [0] * 12 + [12] * 108
    assert sum(known(store)) == 120
    assert engine._kept == []


def test_workers_that_were_kept_are_parted_with_where_nothing_follows(store, monkeypatch):
    engine, close, processes = Local(2), store.close_lending, []

    def stopping(version):
        processes.extend(hand._process for hand in engine._kept)
        raise SweepRefused("the disk is full")

    monkeypatch.setattr(store, "close_lending", stopping)
    more = {"base": fakes.lending(), "make": fakes.make_counting}
    with pytest.raises(SweepRefused, match="the disk is full"):
        go(store, fakes.points(120), engine, **more)
    assert len(processes) == 2
    assert not any(process.is_alive() for process in processes)
    monkeypatch.setattr(store, "close_lending", close)
    assert go(store, fakes.points(120), engine, **more).missing == 0


def test_answers_hang_neither_on_order_nor_on_workers(tmp_path):
    tables = []
    for number, (workers_, backwards) in enumerate([(1, False), (2, True)]):
        with Store.open(tmp_path / f"{number}.sweep") as store:
            go(
                store,
                fakes.points(500, at_5={"do": "raise"}),
                Local(workers_),
                backwards=backwards,
            )
            tables.append(table(store))
    assert tables[0].equals(tables[1])
    assert tables[0]["value_musd"][7] == 7.0


def test_a_limit_stands_well_above_that_of_solves():
    assert hard_seconds(Options(time_limit=10.0)) > 20.0


# --- a command that is killed --------------------------------------------------------------


@pytest.fixture
def command(tmp_path):
    """Start the driver; what it started is to be gone at the end."""
    mark = uuid.uuid4().hex

    def start(*given, **surroundings):
        call = [sys.executable, "-m", "tests.optimizer.sweep.driver", str(tmp_path / "s.sweep")]
        one = subprocess.Popen(
            [*call, *map(str, given)], env=environment(mark) | surroundings, stdout=-1, stderr=-1,
            text=True, start_new_session=True,
        )  # fmt: skip
        started.append(one)
        return one

    started, start.mark = [], mark
    yield start
    for one in started:
        one.kill()
        if not one.stdout.closed:
            one.communicate()
    assert orphans(mark) == []


def rows(tmp_path):
    if not begun(tmp_path):
        return 0
    with Store.read(tmp_path / "s.sweep") as store:
        return sum(store.counts(store.version()).values()) if store.current() else 0


def begun(tmp_path):
    """Whether the database holds its tables yet."""
    try:
        Store.read(tmp_path / "s.sweep").close()
    except SweepRefused as refused:
        if "there is no sweep" in str(refused) or "has not begun" in str(refused):
            return False
        raise
    return True


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")
def test_a_coordinator_that_is_killed_leaves_nothing_behind_and_loses_nothing(command, tmp_path):
    path = tmp_path / "s.sweep"
    first = command(300, 0.05)
    until(lambda: path.exists() and rows(tmp_path) > 5)
    assert len(workers(command.mark)) == 2
    second = command(300, 0.05)
    _, told = second.communicate(timeout=30)
    assert f"is being written by process {first.pid} on " in told
    first.kill()
    first.communicate()
    assert orphans(command.mark) == []
    kept = rows(tmp_path)
    assert 5 < kept < 300
    done, _ = command(300, 0.05).communicate(timeout=60)
    assert done == f"computed {300 - kept} missing 0 failed 0\n"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")
def test_ctrl_c_keeps_what_is_on_and_a_second_one_leaves_at_once(command, tmp_path):
    path = tmp_path / "s.sweep"
    process = command(500, 0.05)
    until(lambda: path.exists() and rows(tmp_path) > 5)
    os.killpg(process.pid, signal.SIGINT)
    done, told = process.communicate(timeout=20)
    assert done == f"computed {rows(tmp_path)} missing {500 - rows(tmp_path)} failed 0\n"
    assert told.startswith("stopping")
    assert len(told.splitlines()) == 1
    assert process.returncode == 130
    on = tmp_path / "on"
    process = command(500, 30, **{fakes.ON: str(on)})
    until(on.exists)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    process.communicate(timeout=20)
    # Well before the time that points still get after the first one.
    assert time.monotonic() - began < 8.0
    assert marked(command.mark) == []


def test_rows_of_the_driver_are_rows_of_the_fake():
    point = fakes.points(3)[2]
    assert isinstance(fakes.make(fakes.base())(point), Row)
