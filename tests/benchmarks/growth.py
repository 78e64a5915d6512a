"""How work grows with a company: with sites, periods, groups of halls, hours, and workers.

``python -m tests.benchmarks.growth [sites|periods|halls|hours|workers] [SECONDS]`` draws companies
of growing size and solves each to a gap of 1 % with one thread, for at most so many seconds each;
with more workers to 0.3 %, since windows of time, which one process searches, come within 1 %.
Without a name all are made but the largest.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

from models.hours import Hours
from optimizer.case import Case, prepare
from optimizer.compiled import compile_case
from optimizer.decomposed.workshop import Here, Processes
from optimizer.highs import Options
from optimizer.solve import solve
from tests.benchmarks.fleet import drawn_hours, random_fleet

GAP, GAP_OF_WORKERS = 0.01, 0.003
SECONDS = 300.0
SEED = 0
#: Sites, half-years and groups of halls; those that hours and workers are measured on.
SITES, PERIODS, HALLS = (3, 6, 12, 24, 48), (10, 20, 40), (2, 4, 8)
MANY = 12
FEW = 6
#: Parts of a month by price, of which each has a row of hours: from 24 rows a year to all hours.
PARTS_OF_MONTH = (2, 12, 60, 240, None)
WORKERS = (1, 2)


def case_of(sites: int, periods: int = 20, halls: int = 4, parts: int | None = None) -> Case:
    """Draw a company, its energy priced by the hour or by so many parts of every month."""
    instance = random_fleet(sites, periods, halls, SEED)
    hours = drawn_hours(instance, SEED)
    if parts is not None:
        hours = {name: in_parts(year, parts) for name, year in hours.items()}
    return prepare(instance, hours)


def in_parts(hours: Hours, parts: int) -> Hours:
    """Put the hours of each month together in so many rows, the cheapest first."""
    found = []
    for month in np.unique(hours.month):
        at = np.flatnonzero(hours.month == month)
        by_price = at[np.argsort(hours.price_usd_per_mwh[at], kind="stable")]
        found += [
            (month, hours.weight_h[part].sum(), hours.price_usd_per_mwh[part].mean())
            for part in np.array_split(by_price, parts)
        ]
    months, weights, prices = map(np.array, zip(*found, strict=True))
    return Hours(
        months, weights, prices, np.zeros(len(found), bool), hours.source, in_sequence=False
    )


def solved(cases: Iterable[tuple[int, Case]], what: str, limit: float) -> Table:
    """Solve each case to the gap and lay out what it took."""
    told = Table(title=f"Time to a gap of {GAP:.0%} by {what}, at most {limit:g} s, one thread")
    for name in (what, "columns", "whole", "CPU s", "seconds", "gap"):
        told.add_column(name, justify="right")
    for size, case in cases:
        model = compile_case(case)
        began, clock = time.process_time(), time.monotonic()
        found = solve(case, Options(gap=GAP, time_limit=limit), model=model)
        spent, passed = time.process_time() - began, time.monotonic() - clock
        told.add_row(
            f"{size}", f"{model.matrix.shape[1]:,}", f"{int(model.matrix.integer.sum()):,}",
            f"{spent:.1f}", f"{passed:.1f}", _gap(found.gap),
        )  # fmt: skip
    return told


def by_sites(limit: float) -> Table:
    """Grow in sites."""
    return solved(((n, case_of(n)) for n in SITES), "sites", limit)


def by_periods(limit: float) -> Table:
    """Grow in half-years."""
    return solved(((n, case_of(FEW, n)) for n in PERIODS), "half-years", limit)


def by_halls(limit: float) -> Table:
    """Grow in groups of halls at each site."""
    return solved(((n, case_of(FEW, halls=n)) for n in HALLS), "groups", limit)


def by_hours(_: float) -> Table:
    """Price energy in more hours: bands grow in number where more hours are told apart."""
    told = Table(title=f"Size of {FEW} sites by hours")
    for name in ("hours", "bands", "columns", "whole", "prepared, CPU s"):
        told.add_column(name, justify="right")
    for parts in PARTS_OF_MONTH:
        began = time.process_time()
        case = case_of(FEW, parts=parts)
        spent = time.process_time() - began
        matrix = compile_case(case).matrix
        bands = sum(len(found) for found in case.given.bands.values())
        rows = max(len(year.month) for year in case.hours.values())
        told.add_row(
            f"{rows:,}", f"{bands:,}", f"{matrix.shape[1]:,}", f"{int(matrix.integer.sum()):,}",
            f"{spent:.2f}",
        )  # fmt: skip
    return told


def by_workers(limit: float) -> Table:
    """Solve one company site by site with more workers; what they find is the same."""
    told = Table(title=f"{MANY} sites, site by site to {GAP_OF_WORKERS:.1%}, at most {limit:g} s")
    for name in ("workers", "seconds", "gap", "M$"):
        told.add_column(name, justify="right")
    case = case_of(MANY)
    for workers in WORKERS:
        workshop = Here if workers == 1 else partial(Processes, workers=workers)
        options = Options(gap=GAP_OF_WORKERS, time_limit=limit, method="by-site")
        clock = time.monotonic()
        found = solve(case, options, workshop=workshop)
        passed = time.monotonic() - clock
        told.add_row(f"{workers}", f"{passed:.1f}", _gap(found.gap), f"{found.value_musd:.4f}")
    return told


def _gap(gap: float | None) -> str:
    return "none" if gap is None else f"{gap:.2%}"


TABLES: dict[str, Callable[[float], Table]] = {
    "sites": by_sites, "periods": by_periods, "halls": by_halls, "hours": by_hours,
    "workers": by_workers,
}  # fmt: skip


def main() -> None:
    """Make the tables that were asked for."""
    names = [name for name in sys.argv[1:] if name in TABLES] or list(TABLES)
    numbers = [float(text) for text in sys.argv[1:] if text not in TABLES]
    console = Console(width=100)
    for name in names:
        console.print(TABLES[name](*(numbers or [SECONDS])))


if __name__ == "__main__":
    main()
