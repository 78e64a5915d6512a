"""A case whose plans are few enough to try them all, as the base of a front."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.derive import tree_of
from optimizer.case import prepare
from optimizer.load import load
from optimizer.sweep.base import document_of
from optimizer.sweep.design.file import read_sweep
from optimizer.sweep.design.levels import front_cases, front_points, needs_ends
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.point.ends import ends_of
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.points import Base, Point, Row
from tests.models.accounts import Standing
from tests.models.cases import Case
from tests.models.enumeration import Search

BY_HAND = Path(__file__).parents[3] / "instances" / "by_hand"
#: What makes of ``by_hand`` a case with several plans worth a thought: larger lots, a third hall,
#: a tenant who takes one MW or another and nothing between, money enough for all of it.
CHANGES = (
    ("capex_budget_musd = 15\n", ""), ("opening_cash_musd = 12", "opening_cash_musd = 60"),
    ("min_mw = 2\nmax_mw = 6", "min_mw = 8\nmax_mw = 8"), ("it_mw = 10", "it_mw = 8"),
    ("machines_per_rack = 500", "machines_per_rack = 2000"), ("racks = 16", "racks = 2"),
    ("count = 2", "count = 3"), ("firm_mw = 12", "firm_mw = 14"),
    ("interruptible_mw = 6", "interruptible_mw = 12"),
)  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """One of all plans: value, capex and least cash in M$."""

    value: float
    capex: float
    cash: float


class Plans(Search):
    """All plans of a case on a chain."""

    def every(
        self, n: int = 0, before: Standing | None = None, earned: float = 0.0
    ) -> Iterator[Tried]:
        arrived, owed = self._arrive(n, self._opening() if before is None else before)
        for landed in self._landed(n, arrived):
            for choice in self._choices(n, landed):
                stepped = self._step(n, landed, choice, owed)
                if stepped is None:
                    continue
                after, value = stepped
                if self.case.children[n]:
                    yield from self.every(self.case.children[n][0], after, earned + value)
                else:
                    value += earned + self.remains.value(n, after)
                    spent = sum(musd for _, _, musd in after.spent)
                    yield Tried(value, spent, self._least(after))

    def _least(self, after: Standing) -> float:
        cash = self.i.finance.opening_cash_musd
        least = float("inf")
        for start, operating, _ in after.flows:
            least = min(least, cash + start, cash + start + operating)
            cash += start + operating
        return least


def write_base(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the base, with more changes of its text."""
    shutil.copytree(BY_HAND, folder)
    (folder / "sources.csv").unlink()
    text = (folder / "instance.toml").read_text(encoding="utf-8")
    for old, new in (*CHANGES, *changes):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "instance.toml").write_text(text, encoding="utf-8")
    return folder


def write_front(folder: Path, pareto: str, *, gap: float = 1e-7, more: str = "") -> Sweep:
    """Write a sweep with a front beside its base, and read it."""
    if not (folder / "base").exists():
        write_base(folder / "base")
    text = f'[sweep]\nbase = "base"\ngap = {gap}\n\n[pareto]\n{pareto}\n{more}'
    (folder / "sweep.toml").write_text(text, encoding="utf-8")
    return read_sweep(folder / "sweep.toml")


def every_plan(folder: Path) -> list[Tried]:
    """Try all plans of a base."""
    loaded = load(folder)
    case = prepare(loaded.instance, loaded.hours)
    found = Case(loaded.instance, tree_of(loaded.instance), case.hours)
    return list(Plans(found, 1_000_000).every())


def evaluator(sweep: Sweep) -> Evaluator:
    """Open the base of a sweep as a worker does."""
    files = {
        path.relative_to(sweep.base).as_posix(): path.read_bytes()
        for path in sweep.base.rglob("*")
        if path.is_file()
    }
    return Evaluator(Base(files, sweep.options, ties=sweep.ties))


def points_of(sweep: Sweep, worker: Evaluator | None = None) -> tuple[Point, ...]:
    """Points of a sweep with a front."""
    ends, document = None, document_of(sweep.base)
    front_cases(sweep, document)
    if needs_ends(sweep):
        worker = worker or evaluator(sweep)
        ends = ends_of(sweep, worker, worker.start())
    return front_points(sweep, document, ends).points


def solved(sweep: Sweep) -> list[tuple[Point, Row]]:
    """Solve all points of a sweep with a front."""
    worker = evaluator(sweep)
    return [(point, worker(point)) for point in points_of(sweep, worker)]
