"""Whether this installation can be trusted: versions, solver, sentinels, disk."""

from __future__ import annotations

import itertools
import math
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from optimizer.highs import Options, Outcome, Quiet, SolverFault, ban, run
from optimizer.matrix import (
    Matrix,
    MatrixRefused,
    dense_matrix,
    fix_integers,
    objective_at,
    refuse_unsound,
)
from optimizer.sentinels import GUARDED, PUBLISHED, Sentinel

#: Oldest versions that the engine is tested with; the same as in ``pyproject.toml``.
OLDEST = {
    "pyomo": "6.10",
    "highspy": "1.15",
    "numpy": "2.0",
    "scipy": "1.13",
    "pandas": "2.2",
    "pyarrow": "17",
    "pydantic": "2.9",
    "python-calamine": "0.2.3",
    "rich": "13.7",
    "tomli-w": "1.0",
    "typer": "0.12",
    "tzdata": "2024.1",
}
OLDEST_PYTHON = (3, 11)

#: Free space below which a run folder may not fit, in bytes.
ROOM = 200 * 1024**2

EXACT = Options(gap=0.0, absolute_gap=0.0)
EXACT_WITHOUT_PRESOLVE = Options(gap=0.0, absolute_gap=0.0, presolve=False)


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes
    ----------
    name : str
        What was looked at.
    ok : bool
        Whether it is as it should be.
    found : str
        What it is.
    hint : str
        What to do where it is not.
    """

    name: str
    ok: bool
    found: str
    hint: str = ""

    def __str__(self) -> str:
        mark = "ok   " if self.ok else "FAULT"
        return f"{mark}  {self.name}: {self.found}" + (f"; {self.hint}" if self.hint else "")


def run_doctor(folder: Path | None = None) -> list[Check]:
    """Look at everything that an answer depends on.

    Parameters
    ----------
    folder : Path, optional
        Where run folders would be written; the current folder unless given.

    Returns
    -------
    list of Check
        Those that fail have a hint; nothing is raised.
    """
    return [
        python_version(),
        *package_versions(),
        solver_version(),
        counted_by_hand(),
        *(published(sentinel) for sentinel in PUBLISHED),
        *(guarded(sentinel) for sentinel in GUARDED),
        *disk(folder or Path.cwd()),
    ]


# --- versions ------------------------------------------------------------------------------


def python_version() -> Check:
    """Python itself."""
    needed = ".".join(map(str, OLDEST_PYTHON))
    ok = sys.version_info[:2] >= OLDEST_PYTHON
    hint = "" if ok else f"Python {needed} or newer is needed"
    return Check("python", ok, platform.python_version(), hint)


def package_versions() -> Iterator[Check]:
    """Every package that the engine is built on."""
    for name, oldest in OLDEST.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Check(name, False, "missing", f"pip install '{name}>={oldest}'")
            continue
        ok = numbers(found) >= numbers(oldest)
        yield Check(name, ok, found, "" if ok else f"pip install '{name}>={oldest}'")


def numbers(text: str) -> tuple[int, ...]:
    """Read the numbers that lead a version, so that versions compare.

    Examples
    --------
    >>> numbers("2.10.0rc1") > numbers("2.9")
    True
    """
    return tuple(int(part) for part in re.findall(r"\d+", text.split("rc")[0])[:3])


def solver_version() -> Check:
    """HiGHS against the list of versions that answer wrongly."""
    found = Quiet().version()  # type: ignore[no-untyped-call]
    why = ban(found)
    return Check("HiGHS", why is None, found, f"must not be used: {why}" if why else "")


# --- answers -------------------------------------------------------------------------------


def solved(matrix: Matrix, options: Options) -> tuple[Outcome | None, str]:
    """Run the solver, and say what it found."""
    try:
        outcome = run(matrix, options)
    except SolverFault as fault:
        return None, str(fault)
    if outcome.x is not None:
        # HiGHS may use up its tolerance; with the whole numbers held, the rest is exact.
        held = run(fix_integers(matrix, outcome.x), options)
        outcome = replace(outcome, x=held.x, objective=held.objective)
    value = "" if outcome.objective is None else f" {outcome.objective:.7g}"
    return outcome, f"{outcome.status}{value}"


def agrees(outcome: Outcome | None, truth: float) -> bool:
    """Whether an outcome claims the known optimum."""
    if outcome is None or outcome.objective is None or outcome.status != "optimal":
        return False
    return math.isclose(outcome.objective, truth, rel_tol=1e-7, abs_tol=1e-7)


def counted_by_hand() -> Check:
    """Solve a knapsack with two limits, and try all of its 1,024 plans."""
    rng = np.random.default_rng(7)
    weights, worth = rng.integers(5, 60, (2, 10)), rng.integers(10, 90, 10)
    room = weights.sum(axis=1) // 2
    matrix = dense_matrix(
        weights, [-np.inf] * 2, room, [0] * 10, [1] * 10, worth, integer=True, maximise=True
    )
    plans = np.array(list(itertools.product((0.0, 1.0), repeat=10)))
    fits = (plans @ weights.T <= room).all(axis=1)
    best = max(objective_at(matrix, plan) for plan in plans[fits])
    outcome, found = solved(matrix, EXACT)
    ok = agrees(outcome, best)
    return Check(
        "arithmetic",
        ok,
        f"{found}, {best:.7g} by trying every plan",
        "" if ok else "the solver is broken on this machine: reinstall highspy",
    )


def published(sentinel: Sentinel) -> Check:
    """Solve a model that other versions have answered wrongly."""
    outcome, found = solved(sentinel.matrix(), EXACT)
    ok = agrees(outcome, sentinel.optimum)
    hint = "" if ok else f"true optimum {sentinel.optimum:.7g} ({sentinel.source}): change highspy"
    return Check(f"sentinel {sentinel.name}", ok, found, hint)


def guarded(sentinel: Sentinel) -> Check:
    """See that the pre-flight refuses a model which presolve answers wrongly."""
    matrix = sentinel.matrix()
    try:
        refuse_unsound(matrix)
        refused = False
    except MatrixRefused:
        refused = True
    without, found = solved(matrix, EXACT_WITHOUT_PRESOLVE)
    ok = refused and agrees(without, sentinel.optimum)
    said = "refused by the pre-flight" if refused else "let through by the pre-flight"
    return Check(
        f"sentinel {sentinel.name}",
        ok,
        f"{said}; without presolve {found}",
        "" if ok else f"true optimum {sentinel.optimum:.7g} ({sentinel.source})",
    )


# --- disk ----------------------------------------------------------------------------------


def disk(folder: Path) -> Iterator[Check]:
    """Room and permission to write run folders."""
    yield _attempt("disk", lambda: _room(folder))
    yield _attempt("writing", lambda: _write(folder))


def _attempt(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except OSError as error:
        return Check(name, False, error.strerror or str(error), "choose another folder with --out")


def _room(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    ok = free >= ROOM
    hint = "" if ok else f"run folders need up to {ROOM / 1024**2:.0f} MB"
    return Check("disk", ok, f"{free / 1024**3:.1f} GB free", hint)


def _write(folder: Path) -> Check:
    with tempfile.TemporaryFile(dir=folder) as sheet:
        sheet.write(b"rackwatt")
        sheet.flush()
        os.fsync(sheet.fileno())
    return Check("writing", True, f"{folder} can be written")
