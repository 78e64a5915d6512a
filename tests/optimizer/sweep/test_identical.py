"""The same cases of texas, solved in every way there is: the same bytes."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from optimizer.sweep.rows.store import Store
from tests.optimizer.sweep.bases import INSTANCES
from tests.optimizer.sweep.processes import environment
from tests.optimizer.sweep.test_cluster import Machines

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]

FILE = """
[sweep]
base = "{base}"
name = "identical"
design = "latin_hypercube"
samples = 100
seed = 4
gap = 1e-2

[axes.capex]
key = "finance.capex_budget_musd"
values = {{ from = 80, to = 140 }}

[axes.firm]
key = "sites.*.firm_mw"
scale = {{ from = 0.9, to = 1.2 }}
"""


def command(file, database, *more):
    return [
        sys.executable,
        "-m",
        "optimizer.cli",
        "sweep",
        str(file),
        "--out",
        str(database),
        *more,
    ]


def rackwatt(*arguments):
    subprocess.run([sys.executable, "-m", "optimizer.cli", *map(str, arguments)], check=True)


def exported(database):
    found = []
    for kind in ("csv", "parquet"):
        path = database.with_suffix(f".{kind}")
        rackwatt("sweep", "export", database, path)
        found.append(path.read_bytes())
    return found


def rows(database):
    if not database.exists():
        return 0
    with Store.read(database) as store:
        if store.current() is None:
            return 0
        return sum(entry.row is not None for entry in store.entries(store.version()))


def until(reached, seconds=600):
    """Wait until something has come about."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.2)


def with_deaths(file, database, machines):
    """Solve on a cluster; one worker is killed in the midst, then the coordinator."""
    call = command(file, database, "--scheduler", machines.address)
    process = subprocess.Popen(call, env=environment(machines.mark), start_new_session=True)
    until(lambda: rows(database) >= 3)
    os.kill(random.Random(1).choice(machines.computing()), signal.SIGKILL)
    until(lambda: rows(database) >= 13)
    process.kill()
    process.wait()
    before = rows(database)
    assert 13 <= before < 100
    subprocess.run(call, check=True)


def test_cases_of_texas_are_the_same_bytes_however_they_were_solved(tmp_path):
    pytest.importorskip("distributed")
    file = tmp_path / "identical.toml"
    file.write_text(FILE.format(base=INSTANCES / "texas"), encoding="utf-8")
    ways = {
        "one": ["--workers", "1"],
        "two": ["--workers", "2"],
        "backwards": ["--workers", "2", "--backwards"],
    }
    tables = {}
    for name, options in ways.items():
        database = tmp_path / f"{name}.db"
        subprocess.run(command(file, database, *options), check=True)
        tables[name] = exported(database)
    machines = Machines(tmp_path).scheduler()
    try:
        machines.worker()
        machines.worker()
        with_deaths(file, tmp_path / "dask.db", machines)
    finally:
        machines.end()
    tables["dask"] = exported(tmp_path / "dask.db")
    assert all(table == tables["one"] for table in tables.values())
    with Store.open(tmp_path / "one.db") as store:
        assert len(store.close_lending(store.version())) == 10
