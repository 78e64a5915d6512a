"""What a worker does with a point: the case, its plan, the audit, and one row."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import NamedTuple

from pyomo.common.gc_manager import PauseGC

from models.build import Column
from models.context import Context
from optimizer.audit import values_of
from optimizer.case import Case, prepare
from optimizer.compiled import Model, compile_case
from optimizer.errors import InputRefused, Problem
from optimizer.highs import Budget, Options, Progress
from optimizer.load import Loaded
from optimizer.solve import Solved, solve
from optimizer.sweep.point.anew import compared, is_chosen
from optimizer.sweep.point.compiled import Structure, StructureDiffers
from optimizer.sweep.point.figures import figures_of
from optimizer.sweep.point.keeping import keep_memory
from optimizer.sweep.point.lent import Lenders, written
from optimizer.sweep.point.opened import Changed, Opened
from optimizer.sweep.point.prepared import Prepared
from optimizer.sweep.point.ties import ties_broken
from optimizer.sweep.point.weighed import weighed
from optimizer.sweep.points import Base, Json, Lent, Point, Row, Status
from optimizer.unsound import refusing_unsound

#: Most problems and breaches that a row tells.
TOLD = 3
#: What ended a search before it was done.
ENDED = {
    "time-limit": "the time limit ended the search",
    "node-limit": "the limit of nodes ended the search",
    "interrupted": "the search was stopped",
    "abandoned": "the time limit ended the search, which did not heed it",
}
#: What is said of a plan that is the best within the gap, where the clock has had a say in which.
TIMED = "the time limit ended a part of the search"
_NO_REGRET: Mapping[str, Json] = {
    "regret_musd": None, "regret_at_most_musd": None, "plan_is_best": None,
}  # fmt: skip


class Evaluator:
    """Solves the points of one base.

    Every point begins from what the base brings along, whatever was solved before it: its answer
    is the same on every worker and in every order.

    Parameters
    ----------
    base : Base
        What all points share.
    """

    def __init__(self, base: Base) -> None:
        self.base = base
        self.opened = Opened(base)
        loaded = self.opened.loaded
        self._prepared = Prepared(loaded.instance, loaded.hours)
        case = self._prepared.case
        self.pins = self.opened.pins(case)
        with refusing_unsound(loaded, case):
            self._structure = Structure(case, self.pins)
        self.borrow(base.lent)

    def borrow(self, lent: tuple[Lent, ...]) -> None:
        """Have all points that follow begin from plans that are lent."""
        self._lenders = Lenders(self.base_case()[1], lent) if lent else None

    def __call__(self, point: Point) -> Row:
        """Solve a point; whatever is wrong with it is told in its row."""
        clock = time.process_time()
        with PauseGC():
            row = self._row(point)
        return replace(row, cpu_seconds=time.process_time() - clock)

    def _row(self, point: Point) -> Row:
        try:
            changed = self.opened.after(point)
            posed = self.posed(changed)
            solved, planned = self._solved(point, posed)
            if is_chosen(point):
                gap = self.base.options.gap
                whole = self._loaded(self.opened.whole(point))
                solved = compared(whole, posed.model, posed.pins, solved, gap)
        except InputRefused as refused:
            return Row(point.number, "invalid", message=_told(refused.problems))
        row = _row(point, posed.case, solved, planned, self.base.options)
        return replace(row, lent=self._lent(posed, solved)) if point.lends else row

    def _lent(self, posed: Posed, solved: Solved) -> bytes | None:
        """Write a plan for others to begin from; None where it is not for them.

        It is to be sound, the same on every machine, and written on the unknowns of the base.
        """
        if solved.plan is None or not solved.passed or _is_timed(solved):
            return None
        if posed.case.limit_prices or posed.model.built.columns != self._structure.columns:
            return None
        return written(posed.model.layout.named(values_of(solved.plan)))

    def start(
        self, stop: Event | None = None, progress: Callable[[Progress], None] | None = None
    ) -> dict[Column, float] | None:
        """Whole numbers of the base's own plan, for points to begin from; None without one.

        Parameters
        ----------
        stop : Event, optional
            Setting it ends the search with the best plan so far.
        progress : callable, optional
            Called while the solver works.

        Raises
        ------
        InputRefused
            Where the plan that is to be evaluated names what the base does not have.
        """
        case, model = self.base_case()
        self.opened.planned(case, self.pins)
        solved = solve(
            case, self.base.options, pinned=self.pins, model=model, stop=stop, progress=progress
        )
        if solved.plan is None or solved.status == "audit-failed":
            return None
        return whole_numbers(model, solved.plan)

    def base_case(self) -> tuple[Case, Model]:
        """The base itself, derived and compiled."""
        posed = self.posed(self.opened.after(Point(0, {}, {})))
        return posed.case, posed.model

    def _loaded(self, changed: Changed) -> Loaded:
        return replace(self.opened.loaded, instance=changed.instance, hours=changed.hours)

    def posed(self, changed: Changed) -> Posed:
        """Derive and compile a point, from the base's numbers where they hold.

        Raises
        ------
        InputRefused
            Where no answer to it could be trusted.
        """
        if changed.moved is None:
            case = prepare(changed.instance, changed.hours)
        else:
            case = self._prepared.after(changed.instance, changed.moved)
        loaded = self._loaded(changed)
        # The same list of actions may mean other decisions, or none, where dates have moved.
        pins = self.opened.pins(case)
        with refusing_unsound(loaded, case):
            if pins != self.pins:
                return Posed(case=case, model=compile_case(case, pins), pins=pins)
            return Posed(case=case, model=self.compiled(case), pins=pins)

    def compiled(self, case: Case) -> Model:
        """Compile a case under the base's own pins, from the base's rows where they hold."""
        try:
            return self._structure.model(case)
        except StructureDiffers:
            return compile_case(case, self.pins)

    def _solved(self, point: Point, posed: Posed) -> tuple[Solved, _Given | None]:
        """The best plan of a case, and the given plan in it.

        Where the best plan is not asked for, the given one stands in its place.
        """
        if not self.opened.rules.regret:
            planned = self._planned(posed)
            if planned is not None:
                return planned, _Given(planned)
        try:
            planned = self._planned(posed)
            given = None if planned is None else _Given(planned)
        except InputRefused as refused:
            given = _Given(None, _told(refused.problems))
        return self._best(point, posed), given

    def _best(self, point: Point, posed: Posed) -> Solved:
        """The best plan of a case; of plans alike in value, the one that ties prefer."""
        options, lenders = self.base.options, self._lenders
        budget = Budget(options.time_limit, options.grace)
        case, model, pins = posed
        best = solve(
            case, options, pinned=pins, model=model, hint=self.base.start,
            begin=None if lenders is None else partial(lenders.begin, point),
        )  # fmt: skip
        if self.base.ties is None:
            return best
        left = replace(options, time_limit=budget.to_search)
        return ties_broken(case, model, best, self.base.ties, left)

    def _planned(self, posed: Posed) -> Solved | None:
        pins = self.opened.planned(posed.case, posed.pins)
        return None if pins is None else solve(posed.case, self.base.options, pinned=pins)


class Posed(NamedTuple):
    """A point, derived and compiled, with the decisions that the instance's own policy takes."""

    case: Case
    model: Model
    pins: Mapping[Column, float]


@dataclass(frozen=True)
class _Given:
    """What the plan comes to that is evaluated in every case; why it cannot be read there."""

    solved: Solved | None
    refusal: str = ""


def whole_numbers(model: Model, plan: Context) -> dict[Column, float]:
    """Read the whole numbers of a plan, for others of much the same case to begin from."""
    return {
        (name, index): float(getattr(plan, name)[index])
        for (name, index), whole in zip(
            model.built.columns, model.matrix.integer.tolist(), strict=True
        )
        if whole
    }


def make_evaluate(base: Base) -> Evaluator:
    """Get a worker ready."""
    keep_memory()
    return Evaluator(base)


def _row(point: Point, case: Case, solved: Solved, given: _Given | None, options: Options) -> Row:
    metrics: dict[str, Json] = {}
    if solved.plan is not None:
        metrics |= _beside_nothing(solved, options)
        metrics |= {**dict(figures_of(solved.plan)), **dict(weighed(case, solved.plan))}
    planned = None if given is None else given.solved
    if given is not None:
        metrics |= _beside_plan(solved, planned, options)
    once = [solved] if planned is None or planned is solved else [solved, planned]
    told = (_message(solved), f"the plan: {given.refusal}" if given and given.refusal else "")
    return Row(
        point.number,
        _status(solved),
        value_musd=solved.value_musd,
        bound_musd=solved.bound_musd,
        gap=solved.gap,
        message="; ".join(filter(None, told)),
        metrics=metrics,
        solver_seconds=sum(one.outcome.cpu_seconds for one in once if one.outcome),
    )


def _status(solved: Solved) -> Status:
    ended = None if solved.outcome is None else solved.outcome.ended
    if solved.status == "no-plan" and ended == "time-limit":
        return "timeout"
    return solved.status


def _message(solved: Solved) -> str:
    if solved.status == "audit-failed" and solved.audit is not None:
        return "; ".join(str(breach) for breach in solved.audit.breaches[:TOLD])
    if solved.status == "infeasible":
        return "; ".join(solved.contradictions) or "no plan keeps to all limits"
    if solved.status in ("best-found", "no-plan") and solved.outcome is not None:
        gap = "" if solved.gap is None else f", {solved.gap:.2%} from the bound".replace("%", " %")
        return ENDED.get(solved.outcome.ended, "the search ended early") + gap
    return TIMED if _is_timed(solved) else ""


def _is_timed(solved: Solved) -> bool:
    """Whether the clock, or somebody, has ended any part of the search."""
    outcome = solved.outcome
    return outcome is not None and (outcome.timed or outcome.ended == "interrupted")


def _beside_nothing(solved: Solved, options: Options) -> Mapping[str, Json]:
    """What doing nothing is worth, and whether the plan is worth more."""
    nothing = None if solved.audit is None else solved.audit.nothing_musd
    value = solved.value_musd
    if nothing is None or value is None:
        return {"nothing_value_musd": None, "over_nothing_musd": None, "beats_nothing": None}
    within = options.gap * max(1.0, abs(value), abs(nothing))
    over = value - nothing
    verdict = "yes" if over > within else "undecided" if _open(solved, nothing + within) else "no"
    return {
        "nothing_value_musd": nothing, "over_nothing_musd": over, "beats_nothing": verdict,
    }  # fmt: skip


def _open(solved: Solved, value: float) -> bool:
    """Whether the bound leaves room for a plan that is worth more."""
    return solved.bound_musd is None or solved.bound_musd > value


def _beside_plan(solved: Solved, planned: Solved | None, options: Options) -> Mapping[str, Json]:
    """What the given plan is worth, and what is lost by keeping to it."""
    if planned is None:
        return {"plan_status": "invalid", "plan_value_musd": None, **_NO_REGRET}
    worth, best, bound = planned.value_musd, solved.value_musd, solved.bound_musd
    if planned is solved:
        return {"plan_status": planned.status, "plan_value_musd": worth}
    if worth is None or best is None:
        return {"plan_status": planned.status, "plan_value_musd": worth, **_NO_REGRET}
    best = max(best, worth)
    within = options.gap * max(1.0, abs(best))
    regret = best - worth
    most = None if bound is None else max(bound - worth, regret)
    verdict = (
        "no" if regret > within else "yes" if most is not None and most <= within else "undecided"
    )
    return {
        "plan_status": planned.status, "plan_value_musd": worth, "regret_musd": regret,
        "regret_at_most_musd": most, "plan_is_best": verdict,
    }  # fmt: skip


def _told(problems: tuple[Problem, ...]) -> str:
    errors = [problem for problem in problems if problem.severity == "error"]
    told = "; ".join(_one(problem) for problem in errors[:TOLD])
    more = len(errors) - TOLD
    return f"{told}; and {more} more" if more > 0 else told


def _one(problem: Problem) -> str:
    """Write a problem on one line."""
    message = f"{problem.key}: {problem.message}" if problem.key else problem.message
    return ", ".join(filter(None, (message, problem.bounds)))
