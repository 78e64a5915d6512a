"""A thousand cases of texas, a hundred of them solved again on their own.

``RACKWATT_SOAK_SIDE`` sets how many steps the longer axis has (40, and 25 of the other);
``RACKWATT_SOAK_SWEEP`` names a folder to keep the database in, so that a run that was cut short
goes on where it was.
"""

import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from models.instance import Instance
from optimizer.case import prepare
from optimizer.highs import Options
from optimizer.load import load
from optimizer.solve import solve
from optimizer.sweep.rows.store import Store
from tests.benchmarks.sweep_points import Spent, naive, timed, written
from tests.optimizer.sweep.bases import INSTANCES

pytestmark = pytest.mark.soak

SIDE = int(os.environ.get("RACKWATT_SOAK_SIDE", "40"))
OTHER = max(1, SIDE * 25 // 40)
DRAWN = 100
AGAINST_PYOMO = 100
GAP = 1e-3
FILE = """
[sweep]
base = "{base}"
name = "thousand"
design = "grid"
gap = {gap}
time_limit_s = 600

[axes.capex]
key = "finance.capex_budget_musd"
values = {{ from = 40, to = 157, count = {side} }}

[axes.firm]
key = "sites.*.firm_mw"
scale = {{ from = 0.8, to = 1.28, count = {other} }}
"""


def fresh(instance: Instance, hours, settings):
    """Solve a case from the start, changed by hand and not by what a sweep changes it with."""
    finance = instance.finance.model_copy(update={"capex_budget_musd": settings["capex"]})
    sites = {
        name: site.model_copy(update={"firm_mw": site.firm_mw * settings["firm"]})
        for name, site in instance.sites.items()
    }
    changed = instance.model_copy(update={"finance": finance, "sites": sites})
    return solve(prepare(changed, hours), Options(gap=GAP))


def test_a_thousand_cases_of_texas_are_what_solve_gives(tmp_path):
    folder = Path(os.environ.get("RACKWATT_SOAK_SWEEP", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    file, database = folder / "thousand.toml", folder / "thousand.sweep.db"
    file.write_text(
        FILE.format(base=INSTANCES / "texas", gap=GAP, side=SIDE, other=OTHER), encoding="utf-8"
    )
    command = [sys.executable, "-m", "optimizer.cli", "sweep", str(file), "--workers", "2"]
    subprocess.run([*command, "--out", str(database), "--quiet"], check=True)
    with Store.read(database) as store:
        entries = list(store.entries(store.version()))
    assert len(entries) == SIDE * OTHER
    assert {entry.row.status for entry in entries} == {"solved"}
    cpu = sum(entry.row.cpu_seconds for entry in entries)
    solver = sum(entry.row.solver_seconds for entry in entries)
    print(  # noqa: T201
        f"{len(entries)} cases: {cpu / len(entries):.2f} CPU s a case, "
        f"{1e3 * (cpu - solver) / len(entries):.1f} ms of it outside HiGHS"
    )
    loaded = load(INSTANCES / "texas")
    worst = 0.0
    for entry in random.Random(7).sample(entries, min(DRAWN, len(entries))):
        row, again = entry.row, fresh(loaded.instance, loaded.hours, entry.point.settings)
        # Each proved that nothing is better than its bound.
        apart = abs(row.value_musd - again.value_musd) / abs(again.value_musd)
        worst = max(worst, apart)
        assert row.value_musd <= again.bound_musd + 1e-9 * abs(again.bound_musd)
        assert again.value_musd <= row.bound_musd + 1e-9 * abs(row.bound_musd)
        assert apart <= GAP
    print(f"{min(DRAWN, len(entries))} of them solved again: apart by at most {worst:.1e}")  # noqa: T201
    print(against_pyomo(entries, tmp_path / "naive"))  # noqa: T201


def against_pyomo(entries, folder):
    """Solve some cases with Pyomo's own interface, and put what both take beside one another.

    Two loops run at once, as two workers did: what a case takes hangs on what else the machine
    does.
    """
    some = random.Random(8).sample(entries, min(AGAINST_PYOMO, len(entries)))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as loops:
        halves = [(some[k::2], folder / str(k)) for k in range(2)]
        spent = list(loops.map(loop, *zip(*halves, strict=True)))
    outside, total = (sum(getattr(one, name) for one in spent) for name in ("outside", "total"))
    rows = [entry.row for entry in entries]
    beside = sum(row.cpu_seconds - row.solver_seconds for row in rows) / len(rows)
    whole = sum(entry.row.cpu_seconds for entry in some)
    return (
        f"{len(some)} of them with Pyomo: {total / len(some):.2f} CPU s a case, "
        f"{1e3 * outside / len(some):.1f} ms of it outside HiGHS; "
        f"{outside / len(some) / beside:.1f} times more outside HiGHS, "
        f"{total / whole:.2f} times more in total"
    )


def loop(entries, folder):
    """Solve cases with Pyomo's own interface, one after another; the first once before."""
    shutil.copytree(INSTANCES / "texas", folder)
    text = (folder / "instance.toml").read_text(encoding="utf-8")
    spent = Spent()
    for position, entry in enumerate([entries[0], *entries]):
        (folder / "instance.toml").write_text(written(entry.point, text), encoding="utf-8")
        with timed(spent if position else Spent()):
            value = naive(folder, GAP)
        assert value == pytest.approx(entry.row.value_musd, rel=2 * GAP)
    return spent
