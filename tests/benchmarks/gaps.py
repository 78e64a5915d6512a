"""What is left to the bound when the time is up: the engine and plain HiGHS, seed by seed.

``python -m tests.benchmarks.gaps [SECONDS] [SEEDS] [CASE...]`` solves the companies of twelve
sites, or those named, with so many seeds and one thread each: by the engine, once with ``EARLY``
seconds of the clock and once with all, and by HiGHS as it comes, which is looked at on the way.
Every run is told as it ends. All plans and bounds of a case are held against one another, or the
benchmark stops.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.table import Table

from optimizer.case import Case
from optimizer.compiled import compile_case
from tests.benchmarks.races import (
    EARLY,
    NO_PLAN,
    Run,
    agree,
    fleets,
    gap_of,
    with_engine,
    with_highs,
)

SECONDS, SEEDS = 240.0, 3
#: Who ran: the engine with little time and with all, and HiGHS.
SOON, ENGINE, HIGHS = "rackwatt, early", "rackwatt", "HiGHS"
Runs = dict[tuple[str, int], Run]


def gaps(
    case: Case, limit: float, seeds: Iterable[int], tell: Callable[[str, int, Run], None]
) -> Runs:
    """Solve a case with several seeds in each way, and tell each run; runs by who and seed.

    Raises
    ------
    ValueError
        Where a plan lies above a bound, of whatever run.
    """
    model, runs = compile_case(case), Runs()
    for seed in seeds:
        for who, racer, seconds in (
            (SOON, with_engine, min(EARLY, limit)),
            (ENGINE, with_engine, limit),
            (HIGHS, with_highs, limit),
        ):
            runs[who, seed] = run = racer(case, model, seconds, seed)
            tell(who, seed, run)
        agree({f"{who}, seed {seed}": run for (who, seed), run in runs.items()})
    return runs


def told(results: dict[str, Runs], limit: float) -> Table:
    """Lay gaps out as a table, a line for each case and seed."""
    laid_out = Table(title=f"Gaps after {EARLY:g} and {limit:g} seconds of the clock, one thread",
                     caption=NO_PLAN)  # fmt: skip
    for name in ("case", "seed"):
        laid_out.add_column(name, no_wrap=True)
    for who in (ENGINE, HIGHS):
        for name in (f"{EARLY:g} s", f"{limit:g} s", "CPU s", "plan", "bound"):
            laid_out.add_column(f"{who}\n{name}", justify="right")
    for case, runs in results.items():
        for seed in dict.fromkeys(seed for _, seed in runs):
            plain = runs[HIGHS, seed]
            early = "none" if math.isinf(plain.early) else f"{plain.early:.2%}"
            laid_out.add_row(
                case, f"{seed}", gap_of(runs[SOON, seed]), *_end(runs[ENGINE, seed]),
                early, *_end(plain),
            )  # fmt: skip
    return laid_out


def _end(run: Run) -> tuple[str, ...]:
    musd = ("-" if value is None else f"{value:.2f}" for value in (run.value, run.bound))
    return (gap_of(run), f"{run.seconds:.0f}", *musd)


def main() -> None:
    """Run them and print the table."""
    typed = sys.argv[1:]
    limit = float(typed[0]) if typed else SECONDS
    seeds = range(int(typed[1]) if len(typed) > 1 else SEEDS)
    console, results = Console(width=120), dict[str, Runs]()
    for name, case in fleets():
        if typed[2:] and name not in typed[2:]:
            continue

        def tell(who: str, seed: int, run: Run, name: str = name) -> None:
            console.print(f"{name}, seed {seed}, {who}: {', '.join(_end(run))}", highlight=False)

        results[name] = gaps(case, limit, seeds, tell)
    console.print(told(results, limit))


if __name__ == "__main__":
    main()
