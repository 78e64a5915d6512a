"""Sweep files for tests: a small valid one beside its base, and ways to change it."""

from __future__ import annotations

from pathlib import Path

from optimizer.errors import InputRefused, Problem, plain
from optimizer.sweep.base import document_of
from optimizer.sweep.design.designs import Expansion, expanded
from optimizer.sweep.design.file import read_sweep
from optimizer.sweep.points import Point
from tests.folders import INSTANCE, write_folder

#: A grid over the instance of :mod:`tests.folders`.
SWEEP = """\
[sweep]
base = "base"
design = "grid"

[axes.capex]
key = "finance.capex_budget_musd"
values = [40, 60, 80]

[axes.firm]
key = "sites.*.firm_mw"
scale = { from = 0.8, to = 1.2, count = 3 }
"""

#: The same axes, drawn.
DRAWN = """\
[sweep]
base = "base"
design = "monte_carlo"
samples = 64

[axes.capex]
key = "finance.capex_budget_musd"
values = { distribution = "triangular", from = 40, mode = 50, to = 80 }

[axes.firm]
key = "sites.*.firm_mw"
scale = { distribution = "normal", mean = 1.0, sd = 0.1, least = 0.7, most = 1.3 }

[correlations.capex]
firm = 0.5
"""

#: A row is a point.
CASES = """\
[sweep]
base = "base"
design = "csv"
cases = "cases.csv"

[axes.firm]
key = "sites.*.firm_mw"
cells = "scale"
"""

#: Two sites on one block of power, one on another, names with dots, a path, counts and catalogue.
WIDE = (
    INSTANCE.replace('rack = "s21-lot"', 'rack = "s21.5-lot"').replace(
        "[racks.s21-lot]", '[racks."s21.5-lot"]'
    )
    + """
[sites.north-2]
firm_mw = [{ from = "2027-01", value = 5 }, { from = "2028-01", value = 8 }]
power = "grid"

[sites.south]
firm_mw = 3
power = "ercot-hub-2024"
"""
)

CURVE = "month,hours,price_usd_per_mwh\n" + "".join(
    f"{month},{days * 24},{30 + month}\n"
    for month, days in enumerate((31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
)


def write_sweep(folder: Path, text: str = SWEEP, base: str = INSTANCE, **files: str) -> Path:
    """Write a sweep file, its base, and files beside it, and return the sweep file."""
    write_folder(folder / "base", base)
    for name, content in files.items():
        (folder / name.replace("_csv", ".csv")).write_text(content, encoding="utf-8")
    path = folder / "sweep.toml"
    path.write_text(text, encoding="utf-8")
    return path


def expansion(folder: Path, text: str = SWEEP, base: str = INSTANCE, **files: str) -> Expansion:
    """Write a sweep, read it and expand it."""
    sweep = read_sweep(write_sweep(folder, text, base, **files))
    return expanded(sweep, document_of(sweep.base))


def points(folder: Path, text: str = SWEEP, base: str = INSTANCE, **files: str) -> list[Point]:
    """Write a sweep, read it and give its points."""
    return list(expansion(folder, text, base, **files).points)


def errors(path: Path) -> list[Problem]:
    """Read and expand a sweep file, and give what is wrong with it."""
    try:
        sweep = read_sweep(path)
        expanded(sweep, document_of(sweep.base))
    except InputRefused as refused:
        return [problem for problem in refused.problems if problem.severity == "error"]
    return []


def only_error(path: Path) -> Problem:
    """Read a sweep file that has exactly one error, and give it."""
    found = errors(path)
    assert len(found) == 1, plain(found)
    return found[0]


def settings(points: list[Point], axis: str) -> list[object]:
    """What an axis is set to in each point."""
    return [point.settings.get(axis) for point in points]


def changes(points: list[Point], key: str) -> list[object]:
    """What a key is changed to in each point."""
    return [point.changes.get(key) for point in points]
