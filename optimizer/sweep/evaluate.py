"""What a worker does with a point: the case, its plan, the audit, and one row."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from pyomo.common.gc_manager import PauseGC

from models.build import Column
from optimizer.case import Case, prepare
from optimizer.compiled import Model, compile_case
from optimizer.errors import InputRefused, Problem
from optimizer.highs import Options
from optimizer.solve import Solved, solve
from optimizer.sweep.compiled import Structure, StructureDiffers
from optimizer.sweep.figures import figures_of
from optimizer.sweep.keeping import keep_memory
from optimizer.sweep.opened import Changed, Opened
from optimizer.sweep.points import Base, Json, Point, Row, Status
from optimizer.sweep.prepared import Prepared
from optimizer.unsound import refusing_unsound

#: Most problems and breaches that a row tells.
TOLD = 3


class Evaluator:
    """Solves the points of one base.

    Every point begins from the base alone, whatever was solved before it: its answer is the same
    on every worker and in every order.

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
        self._pins = self.opened.pins(case)
        with refusing_unsound(loaded, case):
            self._structure = Structure(case, self._pins)

    def __call__(self, point: Point) -> Row:
        """Solve a point; whatever is wrong with it is told in its row."""
        clock = time.process_time()
        with PauseGC():
            row = self._row(point)
        return replace(row, cpu_seconds=time.process_time() - clock)

    def _row(self, point: Point) -> Row:
        try:
            case, model = self._case(self.opened.after(point))
            solved, planned = self._solved(case, model)
        except InputRefused as refused:
            return Row(point.number, "invalid", message=_told(refused.problems))
        return _row(point, solved, planned, self.base.options)

    def start(self) -> dict[Column, float] | None:
        """Whole numbers of the base's own plan, for points to begin from; None without one."""
        case, model = self._case(self.opened.after(Point(0, {}, {})))
        solved = solve(case, self.base.options, pinned=self._pins, model=model)
        if solved.plan is None or solved.status == "audit-failed":
            return None
        plan = solved.plan
        return {
            (name, index): float(getattr(plan, name)[index])
            for (name, index), whole in zip(
                model.built.columns, model.matrix.integer.tolist(), strict=True
            )
            if whole
        }

    def _case(self, changed: Changed) -> tuple[Case, Model]:
        """Derive and compile a point, from the base's numbers where they hold."""
        if changed.moved is None:
            case = prepare(changed.instance, changed.hours)
        else:
            case = self._prepared.after(changed.instance, changed.moved)
        loaded = replace(self.opened.loaded, instance=changed.instance, hours=changed.hours)
        with refusing_unsound(loaded, case):
            try:
                return case, self._structure.model(case)
            except StructureDiffers:
                return case, compile_case(case, self._pins)

    def _solved(self, case: Case, model: Model) -> tuple[Solved, Solved | None]:
        """The best plan of a case, and the given plan in it."""
        plan = self.opened.planned(case)
        options, hint = self.base.options, self.base.start
        best = solve(case, options, pinned=self._pins, model=model, hint=hint)
        if plan is None:
            return best, None
        pins = {**self._pins, **plan}
        return best, solve(case, options, pinned=pins)


def make_evaluate(base: Base) -> Evaluator:
    """Get a worker ready."""
    keep_memory()
    return Evaluator(base)


def _row(point: Point, solved: Solved, planned: Solved | None, options: Options) -> Row:
    metrics: dict[str, Json] = {}
    if solved.plan is not None:
        metrics |= _beside_nothing(solved, options)
        metrics |= dict(figures_of(solved.plan))
    if planned is not None:
        metrics |= _beside_plan(solved, planned, options)
    seconds = sum(one.outcome.cpu_seconds for one in (solved, planned) if one and one.outcome)
    return Row(
        point.number,
        _status(solved),
        value_musd=solved.value_musd,
        bound_musd=solved.bound_musd,
        gap=solved.gap,
        message=_message(solved),
        metrics=metrics,
        solver_seconds=seconds,
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
        return f"the search ended by its {solved.outcome.ended.replace('-', ' ')}"
    return ""


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


def _beside_plan(solved: Solved, planned: Solved, options: Options) -> Mapping[str, Json]:
    """What the given plan is worth, and what is lost by keeping to it."""
    worth, best, bound = planned.value_musd, solved.value_musd, solved.bound_musd
    if worth is None or best is None:
        return {"plan_status": planned.status, "plan_value_musd": worth, "regret_musd": None,
                "regret_at_most_musd": None, "plan_is_best": None}  # fmt: skip
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
    found = f", found {problem.found}" if problem.found else ""
    allowed = f", allowed {problem.allowed}" if problem.allowed else ""
    return f"{problem.key}: {problem.message}{found}{allowed}" if problem.key else problem.message
