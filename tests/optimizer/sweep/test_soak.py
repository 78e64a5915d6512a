"""kill −9 at random instants, then the same command: nothing lost, doubled or left behind.

``RACKWATT_SOAK_KILLS`` sets how many of each kind (100), ``RACKWATT_SOAK_SEED`` which instants.
With ``RACKWATT_SOAK_COMMAND=real`` it is ``rackwatt sweep`` that dies, with workers that solve;
without, a driver whose points only wait, so that more of the time goes to storing.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from optimizer.sweep.rows.export import export
from optimizer.sweep.rows.store import Store
from tests.optimizer.sweep.commands import GRID, write_grid
from tests.optimizer.sweep.processes import environment, marked, orphans, workers

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc"),
]

KILLS = int(os.environ.get("RACKWATT_SOAK_KILLS", "100"))
SEED = int(os.environ.get("RACKWATT_SOAK_SEED", "5"))


class Fake:
    """A command that computes a sweep, and where it stores it; another can stand in its place."""

    points = 400

    def __init__(self, folder):
        self.store = folder / "s.sweep"
        self.call = [
            sys.executable, "-m", "tests.optimizer.sweep.driver", str(self.store),
            str(self.points), "0.02",
        ]  # fmt: skip

    def is_complete(self, code, told):
        """Whether every point has its row, and none failed."""
        return code == 0 and "missing 0 failed 0" in told


class Real(Fake):
    """What a person types: cases of a small instance, solved by real workers."""

    points = 120

    def __init__(self, folder):
        budgets = [round(5 + n / 20, 2) for n in range(self.points // 2)]
        file = write_grid(folder, GRID.replace("5, 10, 15", ", ".join(map(str, budgets))))
        self.store = folder / "s.sweep"
        self.call = [
            sys.executable, "-m", "optimizer.cli", "sweep", str(file), "--workers", "2",
            "--out", str(self.store), "--json",
        ]  # fmt: skip

    def is_complete(self, code, told):
        """Whether every case is settled."""
        return code == 0 and '"missing": 0, "failed": 0' in told


COMMAND = {"fake": Fake, "real": Real}[os.environ.get("RACKWATT_SOAK_COMMAND", "fake")]


class Tries:
    """One sweep, begun again and again."""

    def __init__(self, folder):
        folder.mkdir()
        self.command = COMMAND(folder)
        self.mark = uuid.uuid4().hex
        self.kept = set()

    def start(self):
        return subprocess.Popen(
            self.command.call, env=environment(self.mark), stdout=-1, stderr=-1, text=True,
            start_new_session=True,
        )  # fmt: skip

    def ends(self, process, seconds):
        """Whether the command ends by itself within some time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.poll() is not None

    def look(self):
        """See that every row that was there is there, once, and that no process is left."""
        assert orphans(self.mark) == []
        if not self.command.store.exists():
            return
        with Store.read(self.command.store) as store:
            if store.current() is None:
                return
            entries = [e for e in store.entries(store.version()) if e.row is not None]
        found = [entry.identity for entry in entries]
        assert len(found) == len(set(found))
        assert self.kept <= set(found)
        self.kept = set(found)

    def table(self):
        path = self.command.store.with_suffix(".csv")
        with Store.read(self.command.store) as store:
            return export(store, path).read_bytes()


@pytest.fixture
def tell(capfd):
    """Say what was found past pytest, for the record."""

    def say(words):
        log = Path(os.environ.get("RACKWATT_SOAK_LOG", "/dev/stderr"))
        with capfd.disabled(), log.open("a") as file:
            file.write(f"\n{words}\n")

    return say


@pytest.fixture
def unbroken(tmp_path):
    """Table of a run that nothing happens to, and how long it takes."""
    tries = Tries(tmp_path / "unbroken")
    began = time.monotonic()
    process = tries.start()
    told, said = process.communicate(timeout=600)
    assert process.returncode == 0, told + said
    return tries.table(), time.monotonic() - began


def test_coordinators_that_are_killed(unbroken, tmp_path, tell):
    table, seconds = unbroken
    instants = random.Random(SEED)
    kills = sweeps = 0
    while kills < KILLS:
        tries = Tries(tmp_path / f"{sweeps}")
        while True:
            process = tries.start()
            # Some are killed while they start, some in the midst, some while they end.
            if tries.ends(process, instants.uniform(0.0, 0.7 * seconds)):
                break
            process.kill()
            process.communicate()
            kills += 1
            tries.look()
        told, said = process.communicate()
        assert process.returncode == 0, told + said
        tries.look()
        assert tries.table() == table
        sweeps += 1
    tell(f"{kills} kills of the coordinator in {sweeps} sweeps: lost 0, doubled 0, orphans 0")


def test_workers_that_are_killed(unbroken, tmp_path, tell):
    table, seconds = unbroken
    instants = random.Random(SEED)
    kills = sweeps = again = 0
    while kills < KILLS:
        tries = Tries(tmp_path / f"{sweeps}")
        process = tries.start()
        for _ in range(4):
            if tries.ends(process, instants.uniform(0.0, 0.5 * seconds)):
                break
            alive = workers(tries.mark)
            if alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(instants.choice(alive), signal.SIGKILL)
                    kills += 1
        told, said = process.communicate(timeout=600)
        if process.returncode:
            assert "workers die" in said, said
            again += 1
        tries.look()
        # The same command, whatever became of the first.
        process = tries.start()
        told, said = process.communicate(timeout=600)
        assert tries.command.is_complete(process.returncode, told), told + said
        tries.look()
        assert tries.table() == table
        sweeps += 1
    tell(
        f"{kills} kills of workers in {sweeps} sweeps ({again} ended early): "
        "lost 0, doubled 0, orphans 0"
    )


def test_a_hundred_thousand_points_take_no_memory_worth_the_name(tmp_path, tell):
    call = [sys.executable, "-m", "tests.optimizer.sweep.memory", str(tmp_path / "s.sweep")]
    done = subprocess.run(
        [*call, "100000"], env=environment("memory"), capture_output=True, text=True, check=True
    )
    tell(done.stdout.strip())
    first, last = (
        float(part.split()[1]) for part in done.stdout.split("; ") if part.startswith(("f", "l"))
    )
    assert last - first < 40.0


def test_two_thousand_solves_take_no_memory_worth_the_name(tell):
    """What is kept of points before has its places filled by halfway."""
    call = [sys.executable, "-m", "tests.optimizer.sweep.memory", "2000"]
    done = subprocess.run(
        call, env=environment("memory"), capture_output=True, text=True, check=True
    )
    tell(f"a worker: {done.stdout.strip()}")
    taken = dict(part.split()[:2] for part in done.stdout.split("; "))
    first, halfway, last = (float(taken[name]) for name in ("first", "halfway", "last"))
    assert last - first < 40.0
    assert last - halfway < 5.0


def test_nothing_marked_is_left():
    assert marked(uuid.uuid4().hex) == []
