"""What a coordinator takes: ``python -m tests.optimizer.sweep.memory STORE POINTS``.

And what a worker does that solves points: ``python -m tests.optimizer.sweep.memory POINTS``.
"""

import gc
import sys
from pathlib import Path

from optimizer.sweep.point.evaluate import make_evaluate
from optimizer.sweep.points import Point
from optimizer.sweep.rows.export import export
from optimizer.sweep.rows.records import Done
from optimizer.sweep.rows.store import Store
from optimizer.sweep.running.run import run
from tests.optimizer.sweep import fakes
from tests.optimizer.sweep.bases import base


def megabytes(what="VmRSS"):
    """Memory of this process now, or at its peak as ``VmHWM``."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


class Here:
    """An engine without processes, which measures as it goes."""

    def __init__(self):
        self.taken = []

    def compute(self, task):
        batch = []
        for number, point in enumerate(task.points):
            batch.append(Done(point, fakes.evaluate(point), "here"))
            if len(batch) == 200:
                yield batch
                batch = []
            if number % 10_000 == 0:
                gc.collect()
                self.taken.append(megabytes())
        yield batch

    def end(self):
        pass


def solving(number):
    """Solve so many cases of a small instance in this process, no two alike."""
    evaluate, taken = make_evaluate(base("by_hand")), []
    for n in range(int(number)):
        changes = {"finance.capex_budget_musd": 5 + n / 100, "sites.creek.firm_mw": 9 + n / 500}
        row = evaluate(Point(n, {}, changes))
        assert row.status == "solved", row
        if n % 100 == 99:
            gc.collect()
            taken.append(megabytes())
    told = [f"{number} points", f"first {taken[1]:.0f} MB"]
    told += [f"halfway {taken[len(taken) // 2 - 1]:.0f} MB", f"last {taken[-1]:.0f} MB"]
    sys.stdout.write("; ".join([*told, f"peak {megabytes('VmHWM'):.0f} MB"]) + "\n")


def main(path, number):
    engine = Here()
    with Store.open(Path(path)) as store:
        points = (fakes.points(n + 1, start=n)[0] for n in range(int(number)))
        done = run(points, fakes.base(), store, engine, fakes.make, versions=fakes.VERSIONS)
        after = megabytes()
        export(store, Path(path).with_suffix(".csv"))
        export(store, Path(path).with_suffix(".parquet"))
    told = [f"{done.computed} points", f"first {engine.taken[0]:.0f} MB"]
    told += [f"last {engine.taken[-1]:.0f} MB", f"after {after:.0f} MB"]
    told += [f"peak with exports {megabytes('VmHWM'):.0f} MB"]
    sys.stdout.write("; ".join(told) + "\n")


if __name__ == "__main__":
    (main if len(sys.argv) > 2 else solving)(*sys.argv[1:])
