"""Points of a sweep, against a loop that loads, builds and solves each anew with Pyomo.

``python -m tests.benchmarks.sweep_points [POINTS]`` moves the capex budget and the firm MW of
``texas`` a little and solves every case in both ways, in turn. What counts is the processor time
beside HiGHS: HiGHS itself is timed around its ``run``, in its own thread, in both alike.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import highspy
import numpy as np
from pyomo.environ import SolverFactory, Var
from rich.console import Console

from models.build import build
from optimizer.audit import audit
from optimizer.case import Case, prepare
from optimizer.highs import Options
from optimizer.load import load
from optimizer.plan import tables
from optimizer.settle import settle
from optimizer.solve import Solved
from optimizer.sweep.point.evaluate import make_evaluate
from optimizer.sweep.points import Base, Point
from tests.benchmarks.lines import Line, Part, table

TEXAS = Path("instances/texas")
GAP = 1e-3
#: Points before the first that counts: a worker solves thousands.
WARMING = 2


@dataclass
class Spent:
    """Processor seconds of all points: in HiGHS, and together."""

    highs: float = 0.0
    total: float = 0.0

    @property
    def outside(self) -> float:
        """Beside HiGHS."""
        return self.total - self.highs


@contextmanager
def timed(spent: Spent) -> Iterator[None]:
    """Count what is done meanwhile, and how much of it HiGHS does."""
    run: Callable[..., Any] = highspy.Highs.run

    def watched(*args: Any) -> Any:
        began = time.thread_time()
        try:
            return run(*args)
        finally:
            spent.highs += time.thread_time() - began

    highspy.Highs.run, began = watched, time.process_time()  # type: ignore[method-assign]
    try:
        yield
    finally:
        spent.total += time.process_time() - began
        highspy.Highs.run = run  # type: ignore[method-assign]


def points(count: int, seed: int = 0) -> list[Point]:
    """Draw points near the base: capex budgets, and firm MW of all sites alike."""
    rng = np.random.default_rng(seed)
    sites = load(TEXAS).instance.sites
    found = []
    for number in range(count):
        capex, share = round(rng.uniform(520, 600), 2), round(rng.uniform(0.95, 1.05), 4)
        firm = {f"sites.{s}.firm_mw": site.firm_mw * share for s, site in sites.items()}  # type: ignore[operator]
        settings = {"capex": capex, "firm": share}
        found.append(Point(number, settings, {"finance.capex_budget_musd": capex, **firm}))
    return found


# --- with Pyomo, one after another -----------------------------------------------------------


def written(point: Point, text: str) -> str:
    """Write the values of a point into an instance file, each below its header."""
    for key, value in point.changes.items():
        header, _, name = key.rpartition(".")
        pattern = rf"(\[{re.escape(header)}\]\n(?:(?!\[).*\n)*?{name} = )[\d.]+"
        text, count = re.subn(pattern, lambda found, v=value: f"{found[1]}{v!r}", text)
        if count != 1:
            raise ValueError(f"{key} stands {count} times in the file")
    return text


def naive(folder: Path, gap: float) -> float:
    """Load, prepare, build, solve, settle, audit and tabulate one folder; return its value."""
    loaded = load(folder)
    case = prepare(loaded.instance, loaded.hours)
    built = build(case.given)
    # One thread, as in a sweep: HiGHS would else work in others too, where it is not timed.
    SolverFactory("highs").solve(built.model, options={"mip_rel_gap": gap, "threads": 1})
    unknowns = built.model.component_data_objects(Var, descend_into=True)
    values = {column: v.value for column, v in zip(built.columns, unknowns, strict=True)}
    return _told(case, _whole(values, built.model))


def _whole(values: Mapping[Any, Any], model: Any) -> dict[Any, float]:
    """Round whole numbers, which solvers give within a tolerance."""
    whole = [v.is_integer() for v in model.component_data_objects(Var, descend_into=True)]
    pairs = zip(values.items(), whole, strict=True)
    return {key: float(round(v) if is_whole else v) for (key, v), is_whole in pairs}


def _told(case: Case, values: Mapping[Any, float]) -> float:
    plan = settle(case.given, values)
    checked = audit(case, plan)
    tables(case, Solved("solved", plan=plan, audit=checked, value_musd=checked.value_musd))
    return checked.value_musd


# --- both --------------------------------------------------------------------------------------


def part(count: int) -> Part:
    """Solve points in both ways, in turn, and compare what they take.

    Raises
    ------
    ValueError
        Where the two ways disagree by more than both gaps.
    """
    files = {path.name: path.read_bytes() for path in TEXAS.iterdir() if path.is_file()}
    base = Base(files, Options(gap=GAP))
    engine = make_evaluate(base)
    engine.base = replace(base, start=engine.start())
    pyomo, ours = Spent(), Spent()
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        for position, point in enumerate(points(WARMING + count)):
            text = written(point, files["instance.toml"].decode())
            (folder / "instance.toml").write_text(text)
            counted = position >= WARMING
            with timed(pyomo if counted else Spent()):
                theirs = naive(folder, GAP)
            with timed(ours if counted else Spent()):
                row = engine(point)
            if row.value_musd is None or abs(row.value_musd - theirs) > 3 * GAP * abs(theirs):
                raise ValueError(f"{point.changes}: {row.value_musd} here, {theirs} with Pyomo")
    return Part(f"A point of texas, of {count}", _lines(pyomo, ours, count))


def _lines(pyomo: Spent, ours: Spent, count: int) -> tuple[Line, ...]:
    """Put both beside one another; ratios say how many times more the loop takes."""

    def line(what: str, measure: Callable[[Spent], float], *, total: bool) -> tuple[Line, ...]:
        one, other = measure(pyomo) / count, measure(ours) / count
        return (
            Line(f"{what}: loop with Pyomo, to sweep", one, other, total=total),
            Line(f"{what}: sweep", other, total=total),
        )

    return (
        *line("HiGHS", lambda spent: spent.highs, total=False),
        *line("beside HiGHS", lambda spent: spent.outside, total=True),
        *line("together", lambda spent: spent.total, total=False),
    )


def main() -> None:
    """Print the comparison."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    Console().print(table((part(count),)))


if __name__ == "__main__":
    main()
