"""Run ``rackwatt`` in this process and write down what each stage of it took.

``python -m tests.benchmarks.stages FILE solve instances/texas`` runs the command that follows
``FILE`` and writes seconds of processor by stage into it. HiGHS is timed in its own thread,
which with one thread to work with does all its work.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

#: Each stage, and the functions that it consists of, where they are called from.
STAGES: dict[str, tuple[str, ...]] = {
    "reading and checking the instance": ("optimizer.commands.ready:load",),
    "derivation and bands": ("optimizer.commands.ready:prepare",),
    "Pyomo model": ("optimizer.compiled:build",),
    "arrays and pre-flight": (
        "optimizer.compiled:compile_model",
        "optimizer.compiled:refuse_unsound",
    ),
    "tightening": ("optimizer.highs:tighten",),
    "HiGHS": ("highspy:Highs.run",),
    "settling and audit": ("optimizer.limited:settle", "optimizer.solve:audit"),
    "tables": ("optimizer.commands.solve:tables",),
    "run folder": ("optimizer.commands.solve:write_run",),
    "screen": ("optimizer.commands.solve:screen",),
}
START = "start of Python and imports"


def main() -> int:
    """Run the command, and return its exit code."""
    file, *typed = sys.argv[1:]
    spent = dict.fromkeys((START, *STAGES), 0.0)
    for stage, places in STAGES.items():
        for place in places:
            _watch(place, stage, spent)
    from optimizer.cli import main as rackwatt

    spent[START] = time.process_time()
    code = rackwatt(typed)
    Path(file).write_text(json.dumps(spent))
    return code


def function_at(place: str) -> tuple[Any, str, Callable[..., Any]]:
    """Find a function: what holds it, its name there, and itself."""
    module, path = place.split(":")
    *holders, name = path.split(".")
    home: Any = importlib.import_module(module)
    for holder in holders:
        home = getattr(home, holder)
    return home, name, getattr(home, name)


def _watch(place: str, stage: str, spent: dict[str, float]) -> None:
    """Replace a function by one that adds what it takes to its stage."""
    home, name, work = function_at(place)

    @wraps(work)
    def watched(*args: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return work(*args, **named)
        finally:
            spent[stage] += time.thread_time() - began

    setattr(home, name, watched)


if __name__ == "__main__":
    sys.exit(main())
