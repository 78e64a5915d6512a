"""What a whole command takes beside HiGHS itself."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.lines import Line, Part

SOLVER = "HiGHS"


def part(instance: str = "instances/texas") -> Part:
    """Measure ``rackwatt solve`` on an instance, by stage.

    Raises
    ------
    CalledProcessError
        Where the command fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        stages, out = Path(folder) / "stages.json", Path(folder) / "run"
        command = ["solve", instance, "--out", str(out), "--quiet"]
        before = _seconds_of_children()
        subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.stages", str(stages), *command],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        whole = _seconds_of_children() - before
        spent: dict[str, float] = json.loads(stages.read_text())
    solver = spent[SOLVER]
    rest = whole - sum(spent.values())
    return Part(
        f"rackwatt solve {instance}, against the HiGHS inside",
        (
            *(Line(stage, seconds, whole=whole) for stage, seconds in spent.items()),
            Line("everything else", rest, whole=whole),
            Line("the whole command", whole, solver, whole, total=True),
        ),
    )


def _seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
