"""Time to a gap: the engine, plain HiGHS and SCIP on the same matrix.

``python -m tests.benchmarks.races [small|fleets] [SECONDS] [CASE...]`` solves every case, or those
named, in each way with one thread and tells the processor seconds that each took to come within
5, 1 and 0.1 % of its bound. The engine is timed from the compiled case to the audited plan, asked
for one gap after another, each from the start; plain solvers from the moment they have the
matrix, as they come, to the gap. SCIP takes part where ``pyscipopt`` is installed.

A point of a plain solver is a plan where it passes the audit: racks that fit a group of halls may
not split into whole halls, of which the matrix knows nothing. It is timed all the same. No plan of
any may lie above the bound of any other, or the race stops.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import highspy
import numpy as np
from rich.console import Console
from rich.table import Table

from optimizer.audit import audit
from optimizer.case import Case, prepare
from optimizer.compiled import Model, compile_case, polished
from optimizer.highs import Budget, Options, Quiet, _pass_model, relative_gap
from optimizer.limited import carried_out
from optimizer.load import load
from optimizer.matrix import Floats, Matrix
from optimizer.solve import solve
from tests.benchmarks.fleet import drawn_hours, in_want, random_fleet

GAPS = (0.05, 0.01, 0.001)
#: What two solvers may differ by, for each unit of size: both keep to limits within tolerances.
SLACK = 1e-5
#: Processor seconds below which nobody waits, and which are not told apart.
LEAST = 0.05
#: Seconds of the clock after which the gap is looked at before the end.
EARLY = 60.0
SHIPPED_IN = Path("instances")
SHIPPED = ("by_hand", "hut8", "hive", "iren", "texas")
#: What a mark beside a gap says.
NO_PLAN = "* what was found fails the audit: it is no plan"
#: Sites, half-years, groups of halls at each, and seed.
SMALL = (
    (1, 8, 2, 0), (1, 8, 4, 1), (1, 12, 3, 2), (1, 16, 4, 3), (2, 6, 2, 4), (2, 8, 2, 5),
    (2, 8, 4, 6), (2, 10, 3, 7), (2, 12, 2, 8), (3, 6, 2, 9), (3, 6, 4, 10), (3, 8, 2, 11),
    (3, 8, 3, 12), (3, 10, 2, 13), (4, 6, 2, 14), (4, 6, 3, 15), (4, 8, 2, 16), (5, 6, 2, 17),
)  # fmt: skip
FLEETS = tuple((12, 20, 4, seed) for seed in range(5))


@dataclass
class Run:
    """What one solver came to on one case.

    Attributes
    ----------
    reached : dict of float to float
        Processor seconds by gap.
    value, bound : float or None
        Its plan and its bound, in M$.
    seconds : float
        All that it took.
    is_plan : bool
        Whether what it found passes the audit.
    early : float
        What gap plain HiGHS had after ``EARLY`` seconds of the clock.
    """

    reached: dict[float, float] = field(default_factory=dict)
    early: float = math.inf
    value: float | None = None
    bound: float | None = None
    seconds: float = 0.0
    is_plan: bool = False

    @property
    def gap(self) -> float:
        """Relative distance of plan and bound."""
        return relative_gap(self.value, self.bound)

    def note(self, seconds: float, gap: float | None) -> None:
        """Note which gaps were reached by now."""
        for wanted in GAPS:
            if gap is not None and gap <= wanted:
                self.reached.setdefault(wanted, seconds)


Racer = Callable[[Case, Model, float, int], Run]


def to_each_gap(case: Case, model: Model, limit: float, seed: int) -> Run:
    """Solve as ``rackwatt solve`` does, asked for one gap after another."""
    runs = {f"rackwatt to {gap:g}": with_engine(case, model, limit, seed, gap) for gap in GAPS}
    agree(runs)
    last = list(runs.values())[-1]
    for run in runs.values():
        for gap, seconds in run.reached.items():
            last.reached[gap] = min(seconds, last.reached.get(gap, math.inf))
    return last


def with_engine(case: Case, model: Model, limit: float, seed: int, gap: float = GAPS[-1]) -> Run:
    """Solve as ``rackwatt solve`` does."""
    run, began = Run(), time.process_time()
    solved = solve(case, Options(gap=gap, time_limit=limit, seed=seed), model=model)
    run.seconds = time.process_time() - began
    run.value, run.bound, run.is_plan = solved.value_musd, solved.bound_musd, solved.passed
    run.note(run.seconds, solved.gap)
    return run


def with_highs(case: Case, model: Model, limit: float, seed: int) -> Run:
    """Solve with HiGHS as it comes."""
    solver, run = plain_highs(model.matrix, limit, seed), Run()
    began, clock = time.process_time(), time.monotonic()

    def look(event: highspy.highs.HighsCallbackEvent) -> None:
        data = event.data_out
        gap = relative_gap(_finite(data.mip_primal_bound), _finite(data.mip_dual_bound))
        run.note(time.process_time() - began, gap)
        if time.monotonic() - clock <= EARLY:
            run.early = gap

    solver.cbMipInterrupt.subscribe(look)
    solver.cbMipImprovingSolution.subscribe(look)
    solver.run()
    run.seconds = time.process_time() - began
    info = solver.getInfo()
    run.value, run.bound = _finite(info.objective_function_value), _finite(info.mip_dual_bound)
    run.note(run.seconds, run.gap)
    run.is_plan = _is_plan(case, model, np.array(solver.getSolution().col_value))
    return run


def plain_highs(matrix: Matrix, limit: float, seed: int = 0) -> highspy.Highs:
    """Hand a matrix to HiGHS as it comes, with one thread and the last gap."""
    # Threads that somebody else had HiGHS begin with here would have it refuse to run.
    highspy.Highs.resetGlobalScheduler(True)
    solver = Quiet()  # type: ignore[no-untyped-call]
    settings = {"threads": 1, "time_limit": limit, "mip_rel_gap": GAPS[-1], "random_seed": seed}
    for name, value in settings.items():
        solver.setOptionValue(name, value)
    _pass_model(solver, matrix)
    return solver


def with_scip(case: Case, model: Model, limit: float, seed: int) -> Run:
    """Solve with SCIP as it comes, stopped at one gap after another."""
    (solver, unknowns), run = _scip_model(model.matrix), Run()
    solver.setParam("limits/time", limit)
    solver.setParam("randomization/randomseedshift", seed)
    began = time.process_time()
    for wanted in GAPS:
        solver.setParam("limits/gap", wanted)
        solver.optimize()
        run.seconds = time.process_time() - began
        if solver.getNSols():
            run.value = solver.getObjVal()
        run.bound = _finite(solver.getDualbound())
        run.note(run.seconds, run.gap)
        if solver.getStatus() not in ("gaplimit", "optimal"):
            break
    if solver.getNSols():
        found = np.array([solver.getVal(x) for x in unknowns])
        run.is_plan = _is_plan(case, model, found)
    return run


def _is_plan(case: Case, model: Model, point: Floats) -> bool:
    """Whether a point makes a plan that passes its audit."""
    if len(point) != model.matrix.shape[1]:
        return False
    done = carried_out(case, model, polished(model.matrix, point), Budget())
    return audit(case, done.plan, claimed_musd=done.claimed_musd, settled=done.settled).passed


def _scip_model(matrix: Matrix) -> tuple[Any, list[Any]]:
    import pyscipopt

    solver = pyscipopt.Model()
    solver.hideOutput()
    limits = zip(matrix.column_lower, matrix.column_upper, matrix.integer, strict=True)
    unknowns = [
        solver.addVar(lb=_finite(lower), ub=_finite(upper), vtype="I" if whole else "C")
        for lower, upper, whole in limits
    ]
    table = matrix.coefficients.tocsr()
    for row, (lower, upper) in enumerate(zip(matrix.row_lower, matrix.row_upper, strict=True)):
        span = slice(table.indptr[row], table.indptr[row + 1])
        pairs = zip(table.indices[span], table.data[span], strict=True)
        left = pyscipopt.quicksum(value * unknowns[j] for j, value in pairs)
        if np.isfinite(lower) and np.isfinite(upper):
            solver.addCons((left == lower) if lower == upper else (lower <= (left <= upper)))
        elif np.isfinite(upper):
            solver.addCons(left <= upper)
        elif np.isfinite(lower):
            solver.addCons(left >= lower)
    best = pyscipopt.quicksum(
        cost * x for cost, x in zip(matrix.cost, unknowns, strict=True) if cost
    )
    solver.setObjective(best + matrix.offset, "maximize" if matrix.maximise else "minimize")
    return solver, unknowns


def _finite(value: float) -> float | None:
    return value if abs(value) < 1e19 and math.isfinite(value) else None


def racers() -> dict[str, Racer]:
    """Whoever takes part, by name."""
    found: dict[str, Racer] = {"rackwatt": to_each_gap, "HiGHS": with_highs}
    with suppress(ImportError):
        import pyscipopt  # noqa: F401

        found["SCIP"] = with_scip
    return found


# --- cases ---------------------------------------------------------------------------------


def small() -> Iterator[tuple[str, Case]]:
    """Shipped instances, and small and medium companies drawn at random."""
    for name in SHIPPED:
        yield name, _shipped(name)
    yield from drawn(SMALL)


def fleets() -> Iterator[tuple[str, Case]]:
    """The shipped company of twelve sites, five drawn at random, and the shipped one in want."""
    yield "fleet", _shipped("fleet")
    yield from drawn(FLEETS)
    loaded = load(SHIPPED_IN / "fleet")
    yield "fleet in want", prepare(in_want(loaded.instance), loaded.hours)


def _shipped(name: str) -> Case:
    loaded = load(SHIPPED_IN / name)
    return prepare(loaded.instance, loaded.hours)


def drawn(sizes: Iterable[tuple[int, int, int, int]]) -> Iterator[tuple[str, Case]]:
    """Companies drawn at random."""
    for sites, periods, halls, seed in sizes:
        instance = random_fleet(sites, periods, halls, seed)
        yield f"{sites}×{periods}×{halls}, {seed}", prepare(instance, drawn_hours(instance, seed))


# --- the race ------------------------------------------------------------------------------


def race(case: Case, limit: float) -> dict[str, Run]:
    """Solve a case in every way.

    Raises
    ------
    ValueError
        Where a plan lies above a bound.
    """
    model = compile_case(case)
    runs = {name: racer(case, model, limit, 0) for name, racer in racers().items()}
    agree(runs)
    return runs


def agree(runs: Mapping[str, Run]) -> None:
    """See that no plan lies above a bound.

    Raises
    ------
    ValueError
        Where one does.
    """
    for one, plan in runs.items():
        for other, proof in runs.items():
            if plan.value is None or proof.bound is None or not plan.is_plan:
                continue
            if plan.value > proof.bound + SLACK * max(1.0, abs(proof.bound)):
                raise ValueError(f"{plan.value} by {one}, above {proof.bound} by {other}")


def told(results: dict[str, dict[str, Run]], limit: float) -> Table:
    """Lay races out as a table, with the geometric mean of what each takes against HiGHS."""
    names = list(next(iter(results.values())))
    title = f"CPU seconds to a gap, at most {limit:g} of the clock, and the last gap"
    laid_out = Table(title=title, caption=NO_PLAN)
    laid_out.add_column("case", no_wrap=True)
    for name in names:
        for gap in (*map(_percent, GAPS), "gap"):
            laid_out.add_column(f"{name}\n{gap}", justify="right")
    laid_out.add_column("ratio\n" + _percent(GAPS[-1]), justify="right")
    ratios = []
    for case, runs in results.items():
        ratio = _taken(runs["rackwatt"], limit) / _taken(runs["HiGHS"], limit)
        ratios.append(ratio)
        cells = [text for name in names for text in _cells(runs[name])]
        laid_out.add_row(case, *cells, f"{ratio:.2f}")
    laid_out.add_section()
    blank = [""] * ((len(GAPS) + 1) * len(names))
    laid_out.add_row("geometric mean", *blank, f"{geometric_mean(ratios):.2f}")
    return laid_out


def _taken(run: Run, limit: float) -> float:
    """Seconds to the last gap; where it was not reached, all that there were."""
    return max(LEAST, run.reached.get(GAPS[-1], max(limit, run.seconds)))


def _cells(run: Run) -> tuple[str, ...]:
    times = (run.reached.get(gap) for gap in GAPS)
    return (*("-" if seconds is None else f"{seconds:.2f}" for seconds in times), gap_of(run))


def gap_of(run: Run) -> str:
    """Write the last gap of a run, marked where its point is no plan."""
    mark = "" if run.is_plan or run.value is None else "*"
    return "none" if math.isinf(run.gap) else f"{run.gap:.2%}{mark}"


def _percent(gap: float) -> str:
    return f"{100 * gap:g} %"


def main() -> None:
    """Run the races and print the table."""
    which = sys.argv[1] if len(sys.argv) > 1 else "small"
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    wanted = sys.argv[3:]
    cases = fleets() if which == "fleets" else small()
    console = Console(width=140)
    results: dict[str, dict[str, Run]] = {}
    for name, case in cases:
        if wanted and name not in wanted:
            continue
        results[name] = race(case, limit)
        parts = (f"{who} {' '.join(_cells(run))}" for who, run in results[name].items())
        console.print(name, *parts)
    console.print(told(results, limit))


if __name__ == "__main__":
    main()
