"""Sweep files of commands' tests, and workers that fail on purpose."""

import os
from pathlib import Path

from optimizer.sweep.point.evaluate import make_evaluate
from optimizer.sweep.points import Base, Row
from tests.optimizer.sweep.bases import INSTANCES

#: Six cases that all have a plan.
GRID = """\
[sweep]
base = "{base}"
summary = "Capex against firm MW"

[axes.capex]
key = "finance.capex_budget_musd"
values = [5, 10, 15]

[axes.firm]
key = "sites.*.firm_mw"
scale = [0.5, 1.0]
"""

#: Columns of a file of cases: a floor of 40 M$ is infeasible, and 7 MW is invalid.
HEADER = "case,finance.minimum_cash_musd,contracts.tenant.min_mw,finance.capex_budget_musd\n"


def write_grid(folder: Path, text=GRID, base=INSTANCES / "by_hand", name="grid.toml") -> Path:
    """Write the sweep file of a small grid."""
    path = folder / name
    path.write_text(text.format(base=base), encoding="utf-8")
    return path


def write_cases(folder: Path, lines, name="cases") -> Path:
    """Write a sweep of the rows of a file."""
    (folder / f"{name}.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines))
    path = folder / f"{name}.toml"
    base = INSTANCES / "by_hand"
    path.write_text(
        f'[sweep]\nbase = "{base}"\ndesign = "csv"\ncases = "{name}.csv"\n', encoding="utf-8"
    )
    return path


def bad_cases(number):
    """Lines of cases, of which 5 % are infeasible and 1 % invalid; the 11th kills its worker."""
    for n in range(number):
        cash = 40 if n % 20 == 3 else 2
        least = 7 if n % 100 == 5 else 2
        yield f"c{n},{cash},{least},{10 + n / 1000}"


class Killed:
    """Evaluates as it should, but for one point that ends the process."""

    def __init__(self, base: Base) -> None:
        self.evaluate = make_evaluate(base)

    def __call__(self, point) -> Row:
        if point.number == 10:
            os.kill(os.getpid(), 9)
        return self.evaluate(point)


def make_killed(base: Base) -> Killed:
    return Killed(base)
