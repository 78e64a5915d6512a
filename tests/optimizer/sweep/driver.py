"""Run a sweep of a fake evaluator, as a command that tests start, kill and start again.

Some of its points lend their plans to the others, whose rows tell what they began from.

``python -m tests.optimizer.sweep.driver STORE POINTS [SLEEP] [SCHEDULER]``
"""

import sys
from pathlib import Path

from optimizer.commands.stopping import stoppable
from optimizer.sweep.rows.store import Store
from optimizer.sweep.running.local import Local
from optimizer.sweep.running.run import run
from tests.optimizer.sweep import fakes


def main(store, number, sleep="0", scheduler=""):
    if scheduler:
        from optimizer.sweep.running.cluster import Cluster

        engine = Cluster(scheduler)
    else:
        engine = Local(2)
    points = fakes.points(int(number), sleep=float(sleep))
    with stoppable() as stop, Store.open(Path(store)) as kept:
        done = run(
            points,
            fakes.lending(),
            kept,
            engine,
            fakes.make_lending,
            versions=fakes.VERSIONS,
            stop=stop,
        )
    sys.stdout.write(f"computed {done.computed} missing {done.missing} failed {done.failed}\n")
    return 130 if done.stopped else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
