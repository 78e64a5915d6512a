"""A case on the bench: its best plan, and the same case with something changed, solved anew.

A change moves keys of the instance as a point of a sweep does, so that little has to be derived
and compiled again, and begins from the plan at hand.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from models.build import Column
from models.context import Context
from models.instance import Instance
from optimizer.audit import values_of
from optimizer.case import Case, prepare
from optimizer.compiled import Model, compile_case
from optimizer.crowded import narrowed_as
from optimizer.highs import Budget, Options, Outcome, Progress
from optimizer.keys import Key
from optimizer.load import Loaded
from optimizer.matrix import Floats, Matrix, divided
from optimizer.solve import Solved, solve
from optimizer.sweep.base import files_of
from optimizer.sweep.point.evaluate import Evaluator, Posed
from optimizer.sweep.point.opened import Changed
from optimizer.sweep.point.reads import attributes
from optimizer.sweep.point.written import instance_files
from optimizer.sweep.points import Base, Json, Point, canonical

#: Gap to which every value is worked out.
GAP = 1e-6
#: Part of the time that is left which one solve may take, and seconds that it may in any case.
TIME_FOR_ONE = 0.2
SECONDS_FOR_ONE = 5.0
#: How often halls that racks do not split into may send such a search back.
ROUNDS_OF_FILLING = 4
#: Name of the row by which something has to be chosen.
CHOSEN = "chosen"


class TimeOver(Exception):
    """The time limit is over, or somebody asked to stop: what follows is not reached."""


@dataclass(frozen=True, eq=False)
class Best:
    """The best plan of a case, proved as far as the gap goes.

    Attributes
    ----------
    posed : Posed
        The case, compiled.
    solved : Solved
        What came of the solve.
    """

    posed: Posed
    solved: Solved

    @property
    def value(self) -> float | None:
        """Audited value of the plan, in M$; None without one that passed."""
        return None if self.solved.status == "audit-failed" else self.solved.value_musd

    @property
    def bound(self) -> float:
        """What no plan can beat, in M$: infinite where that is not known, or there is none."""
        if self.solved.status == "infeasible":
            return -math.inf
        return math.inf if self.solved.bound_musd is None else self.solved.bound_musd

    @property
    def is_proved(self) -> bool:
        """Whether the plan is the best, within the gap."""
        return self.solved.status == "solved"

    @property
    def plan(self) -> Context | None:
        """The plan on floats."""
        return None if self.value is None else self.solved.plan

    @property
    def point(self) -> Floats:
        """The plan as a point of the matrix."""
        assert self.plan is not None
        known = self.posed.model.layout.named(values_of(self.plan))
        return np.where(np.isfinite(known), known, 0.0)


class Bench:
    """Solves changes of one instance, each to :data:`GAP`, within one time limit.

    Parameters
    ----------
    loaded : Loaded
        The instance.
    options : Options
        Threads, seed and gap; the time limit is for everything.
    prices : mapping of str to Path, optional
        Price files that replace those of a site's power supply, by site.
    stop : threading.Event, optional
        Setting it ends the work.
    progress : callable, optional
        Called while the solver works.

    Raises
    ------
    InputRefused
        With every problem of the instance.
    """

    def __init__(
        self,
        loaded: Loaded,
        options: Options,
        prices: Mapping[str, Any] | None = None,
        *,
        stop: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.loaded, self.options = loaded, options
        self.budget = Budget(options.time_limit, options.grace)
        self.stop = stop or threading.Event()
        self.progress = progress
        self.solves = 0
        base = Base(files_of(loaded), options)
        if prices:
            named = {site: f"prices-{site}.csv" for site in prices}
            files = {named[site]: path.read_bytes() for site, path in prices.items()}
            base = Base({**base.files, **files}, options)
            point = Point(0, {}, {}, named)
            base = Base(instance_files(base, point, "with other prices"), options)
        self.evaluator = Evaluator(base)
        self.document: Mapping[str, Any] = self.evaluator.opened.document(Point(0, {}, {}))

    @property
    def gap(self) -> float:
        """Relative gap to which values are worked out."""
        return min(GAP, self.options.gap)

    @contextmanager
    def part(self, share: float) -> Iterator[None]:
        """Let what follows take no more than a part of the time that is left."""
        whole = self.budget
        if whole.limited:
            self.budget = whole.part(share * whole.left)
        try:
            yield
        finally:
            self.budget = whole

    # --- cases -----------------------------------------------------------------------------

    def at(self, changes: Mapping[str, Json]) -> Posed:
        """Derive and compile the case with some keys changed.

        Raises
        ------
        InputRefused
            With every problem of the changed instance.
        TimeOver
            Where no time is left for it.
        """
        self.check()
        return self.evaluator.posed(self.evaluator.opened.after(Point(0, {}, changes)))

    def at_figure(self, key: Key, value: float) -> Posed:
        """Derive and compile the case with one figure changed, plausible or not."""
        self.check()
        loaded = self.evaluator.opened.loaded
        named = attributes(key)
        instance = _with_figure(loaded.instance, named, value)
        return self.evaluator.posed(Changed(instance, loaded.hours, {named: canonical(value)}))

    def of(self, instance: Instance) -> Posed:
        """Derive and compile another instance with the same hours."""
        self.check()
        case = prepare(instance, self.evaluator.opened.loaded.hours)
        pins = self.evaluator.opened.pins(case)
        return Posed(case=case, model=compile_case(case, pins), pins=pins)

    def with_given(self, case: Case) -> Posed:
        """Compile a case whose numbers were changed by hand."""
        self.check()
        pins = self.evaluator.pins
        return Posed(case=case, model=self.evaluator.compiled(case), pins=pins)

    # --- plans -----------------------------------------------------------------------------

    def check(self) -> None:
        """Say no to further work once the time is over.

        Raises
        ------
        TimeOver
            Where it is.
        """
        if self.stop.is_set() or not self.budget.to_search:
            raise TimeOver

    def best(
        self, posed: Posed, start: Context | None = None, share: float = TIME_FOR_ONE
    ) -> Best:
        """Find the best plan of a case, from a plan of another where that fits.

        Parameters
        ----------
        posed : Posed
            The case.
        start : Context, optional
            A plan to begin from.
        share : float
            Part of the time that is left which it may take.

        Raises
        ------
        TimeOver
            Where no time is left for it.
        """
        return Best(posed, self._solve(posed.case, posed.model, posed.pins, start, share))

    def forced(self, posed: Posed, names: Set[Column], start: Context | None = None) -> Best:
        """Find the best plan in which at least one of some decisions is taken.

        Parameters
        ----------
        posed : Posed
            The case.
        names : set of Column
            These decisions, in whole numbers.
        start : Context, optional
            A plan to begin from.

        Raises
        ------
        TimeOver
            Where no time is left for it.
        """
        case, model = posed.case, with_one_of(posed.model, names)
        for _ in range(ROUNDS_OF_FILLING):
            solved = self._solve(case, model, posed.pins, start)
            best = Best(Posed(case=case, model=model, pins=posed.pins), solved)
            if best.plan is None or taken(best.plan, names) > 0.5:
                return best
            # Halls that what stood there did not split into sent the search back without the row.
            case = narrowed_as(case, best.plan.given)
            model = with_one_of(compile_case(case, posed.pins), names)
        return Best(best.posed, replace(solved, status="no-plan", plan=None, value_musd=None))

    def _solve(
        self,
        case: Case,
        model: Model,
        pins: Mapping[Column, float],
        start: Context | None,
        share: float = TIME_FOR_ONE,
    ) -> Solved:
        self.check()
        self.solves += 1
        left = self.budget.to_search
        seconds = left
        if self.budget.limited:
            seconds = min(left, max(SECONDS_FOR_ONE, share * left))
        options = replace(self.options, gap=self.gap, time_limit=seconds)
        hint = None if start is None else _hint(model, start)
        return solve(case, options, pinned=pins, model=model, hint=hint, stop=self.stop,
                     progress=self.progress)  # fmt: skip

    def run(self, matrix: Matrix) -> Outcome:
        """Solve a linear program to the last digit.

        Raises
        ------
        TimeOver
            Where no time is left for it.
        """
        self.check()
        options = Options(gap=0.0, time_limit=self.budget.to_search, confirm=False)
        return self.budget.run(matrix, options, stop=self.stop)

    def relaxed(self, posed: Posed) -> float:
        """Say what no plan of a case can beat, as none can with all decisions divisible.

        Infinite where that does not bound it, as under a limit on a year's energy.

        Raises
        ------
        TimeOver
            Where no time is left for it.
        """
        if posed.case.limit_prices:
            return math.inf
        above = self.run(divided(posed.model.matrix))
        if above.status != "optimal" or above.objective is None:
            return math.inf
        return above.objective


class Beside:
    """A question that is put beside the best plan of a case.

    Parameters
    ----------
    bench : Bench
        Solves changes.
    base : Best
        The best plan as it is.
    """

    def __init__(self, bench: Bench, base: Best) -> None:
        assert base.value is not None
        self.bench, self.base = bench, base
        self.value, self.bound = base.value, base.bound


def _with_figure(block: Any, key: Key, value: float) -> Any:
    """Copy a block, or a table of blocks, with one figure in it changed."""
    head, rest = key[0], key[1:]
    inner = block[head] if isinstance(block, dict) else getattr(block, str(head))
    new = _with_figure(inner, rest, value) if rest else value
    if isinstance(block, dict):
        return {**block, head: new}
    return block.model_copy(update={str(head): new})


def _hint(model: Model, plan: Context) -> dict[Column, float]:
    """Whole numbers of a plan for a case that may have a few more or fewer of them."""
    known = values_of(plan)
    columns = model.built.columns
    return {
        columns[j]: float(known.get(columns[j], 0.0))
        for j in np.flatnonzero(model.matrix.integer).tolist()
    }


def taken(plan: Context, names: Set[Column]) -> float:
    """How often some decisions are taken in a plan."""
    return sum(float(getattr(plan, name).get(index, 0.0)) for name, index in names)


def with_one_of(model: Model, names: Set[Column]) -> Model:
    """Add the row that at least one of some decisions is taken.

    Rows and columns that the model names stay what they are.
    """
    matrix = model.matrix
    chosen = np.array([column in names for column in model.built.columns], float)
    forced = replace(
        matrix,
        coefficients=csc_array(vstack([matrix.coefficients, csr_array(chosen[None, :])])),
        row_lower=np.append(matrix.row_lower, 1.0),
        row_upper=np.append(matrix.row_upper, np.inf),
        row_names=[*matrix.row_names, CHOSEN],
    )
    return replace(model, matrix=forced)


__all__ = ["GAP", "Bench", "Beside", "Best", "TimeOver", "taken", "with_one_of"]
