"""The same on a Dask cluster: a scheduler and two workers, started as the README says."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid

import pytest

from optimizer.sweep.points import Base
from optimizer.sweep.rows.export import table
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.rows.store import Store
from optimizer.sweep.running import cluster as module
from optimizer.sweep.running.local import Local
from optimizer.sweep.running.run import run
from tests.optimizer.sweep import fakes
from tests.optimizer.sweep.processes import environment, marked

# Dask opens sockets of its own accord and closes them in its own time.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Machines:
    """A scheduler and its workers, as processes of this machine."""

    def __init__(self, folder):
        self.mark = uuid.uuid4().hex
        self.folder = folder
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.processes = []

    def scheduler(self):
        port = self.address.rpartition(":")[2]
        self.start("dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        return self

    def worker(self, *more):
        return self.start(
            "dask_worker", self.address, "--nthreads", "1", "--no-dashboard",
            "--local-directory", str(self.folder), *more,
        )  # fmt: skip

    def start(self, what, *given):
        log = (self.folder / "log").open("a")
        with log:
            one = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{what}", *given],
                env=environment(self.mark), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(one)
        return one

    def computing(self):
        """Worker processes below the nannies."""
        nannies = {one.pid for one in self.processes}
        return [pid for pid in marked(self.mark) if parent(pid) in nannies and is_worker(pid)]

    def end(self):
        for pid in marked(self.mark):
            os.kill(pid, signal.SIGKILL)
        for one in self.processes:
            one.wait()


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


def is_worker(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            return b"spawn_main" in line.read()
    except OSError:
        return False


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    pytest.importorskip("distributed")
    found = Machines(tmp_path_factory.mktemp("dask")).scheduler()
    found.worker()
    found.worker()
    yield found
    found.end()


def go(path, points, engine, **more):
    base, make = more.pop("base", fakes.base()), more.pop("make", fakes.make)
    with Store.open(path) as store:
        done = run(points, base, store, engine, make, versions=fakes.VERSIONS, **more)
        return done, table(store)


def test_rows_of_a_cluster_are_those_of_this_machine(machines, tmp_path):
    points = fakes.points(300, at_6={"do": "raise"}, at_7={"do": "infeasible"})
    done, there = go(tmp_path / "there.sweep", points, module.Cluster(machines.address))
    assert (done.computed, done.missing) == (300, 0)
    _, here = go(tmp_path / "here.sweep", points, Local(1), backwards=True)
    assert here.equals(there)


def test_a_point_that_runs_wild_or_cannot_travel_is_set_aside(machines, tmp_path):
    points = fakes.points(20, at_3={"sleep": 20.0}, at_5={"do": "odd"})
    done, _ = go(tmp_path / "s.sweep", points, module.Cluster(machines.address, hard=0.5))
    assert done.counts == {"error": 1, "solved": 18, "timeout": 1}


def test_workers_that_cannot_get_ready_end_the_sweep(machines, tmp_path):
    with pytest.raises(SweepRefused, match="could not get ready: ValueError: no such column"):
        go(
            tmp_path / "s.sweep", fakes.points(20), module.Cluster(machines.address),
            make=fakes.make_failing,
        )  # fmt: skip


def test_workers_of_another_make_are_refused(machines, tmp_path, monkeypatch):
    engine = module.Cluster(machines.address)
    engine._versions |= {"highspy": "0.1"}
    told = r"^worker {} has highspy \S+ instead of 0\.1$"
    with pytest.raises(SweepRefused, match=told.format("tcp://.*")):
        go(tmp_path / "s.sweep", fakes.points(2), engine)
    # One that joins later is found out by its first task.
    monkeypatch.setattr(module, "refuse_others", lambda client, own: None)
    with pytest.raises(SweepRefused, match=told.format(r"\S+:\d+")):
        go(tmp_path / "s.sweep", fakes.points(2), engine)


def test_no_scheduler_and_no_dask_are_told(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.5)
    nobody = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(SweepRefused, match=f"no scheduler answers at {nobody}"):
        go(tmp_path / "s.sweep", fakes.points(2), module.Cluster(nobody))
    monkeypatch.setattr(module, "WorkerPlugin", object)
    with pytest.raises(SweepRefused, match=r'pip install "rackwatt\[dask\]"'):
        module.Cluster(nobody)


@pytest.mark.soak
def test_a_point_that_kills_workers_is_set_aside_alone(machines, tmp_path):
    points = fakes.points(200, at_50={"do": "die"}, at_120={"do": "die"})
    done, there = go(tmp_path / "there.sweep", points, module.Cluster(machines.address))
    assert done.counts == {"solved": 198, "worker_died": 2}
    _, here = go(tmp_path / "here.sweep", points, Local(2))
    assert here.equals(there)


def test_plans_that_are_lent_reach_every_worker(machines, tmp_path):
    lending = {"base": fakes.lending(), "make": fakes.make_lending}
    _, there = go(
        tmp_path / "there.sweep", fakes.points(100), module.Cluster(machines.address), **lending
    )
    _, here = go(tmp_path / "here.sweep", fakes.points(100), Local(2), **lending)
    assert here.equals(there)
    assert sorted(told.split(",")[0] for told in there["began_from"].unique()) == [
        "0 plans", "10 plans",
    ]  # fmt: skip


@pytest.mark.soak
def test_a_worker_and_the_coordinator_die_and_nothing_is_lost(machines, tmp_path):
    path, points = tmp_path / "s.sweep", fakes.points(400, sleep=0.05)
    call = [sys.executable, "-m", "tests.optimizer.sweep.driver", str(path), "400", "0.05"]
    environ = environment(uuid.uuid4().hex)
    with subprocess.Popen([*call, machines.address], env=environ) as first:
        until(lambda: path.exists() and rows(path) > 30)
        os.kill(machines.computing()[0], signal.SIGKILL)
        until(lambda: rows(path) > 150)
        first.kill()
    kept = rows(path)
    again = subprocess.run([*call, machines.address], env=environ, capture_output=True, text=True)
    assert again.stdout == f"computed {400 - kept} missing 0 failed 0\n"
    lending = {"base": fakes.lending(), "make": fakes.make_lending}
    _, here = go(tmp_path / "here.sweep", points, Local(2), **lending)
    with Store.read(path) as store:
        assert here.equals(table(store))


@pytest.mark.soak
def test_a_scheduler_that_goes_is_told_and_nothing_is_lost(tmp_path):
    pytest.importorskip("distributed")
    found = Machines(tmp_path).scheduler()
    found.worker()
    path = tmp_path / "s.sweep"
    call = [sys.executable, "-m", "tests.optimizer.sweep.driver", str(path), "400", "0.05"]
    try:
        with subprocess.Popen(
            [*call, found.address], env=environment("x"), stderr=-1, text=True
        ) as first:
            until(lambda: path.exists() and rows(path) > 30)
            found.processes[0].kill()
            _, told = first.communicate(timeout=120)
        assert "the scheduler is gone; every row that was counted as done is kept" in told
        assert rows(path) > 30
    finally:
        found.end()


def rows(path):
    with Store.read(path) as store:
        return sum(store.counts(store.version()).values()) if store.current() else 0


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_a_base_of_megabytes_goes_to_every_worker_once(machines, tmp_path):
    large = Base({"prices.csv": os.urandom(3_000_000)}, fakes.OPTIONS)
    engine = module.Cluster(machines.address)
    done, _ = go(tmp_path / "s.sweep", fakes.points(50), engine, base=large)
    assert done.counts == {"solved": 50}
