"""From a case to an audited plan, in a handful of lines: see :func:`solve`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.build import Column
from models.context import Context
from models.given import Given
from optimizer.audit import Audit, audit, values_of
from optimizer.case import Case
from optimizer.compiled import Model, compile_case, hinted, polished
from optimizer.crowded import Crowded, is_narrowed, nearby
from optimizer.decomposed.blocks import sites_of
from optimizer.decomposed.plan import (
    MANY_SITES,
    TO_AUDIT,
    Course,
    MakeWorkshop,
    plan_by_site,
    plan_on,
    suits,
)
from optimizer.decomposed.workshop import Here
from optimizer.highs import Budget, Options, Outcome, Progress
from optimizer.layout import Layout
from optimizer.limited import Carried, carried_out, search_within
from optimizer.matrix import Fault, Flags, Floats, objective_at, rest_of
from optimizer.rows import TOLERANCE
from optimizer.search import MANY_RACKS, search

Status = Literal["solved", "best-found", "infeasible", "unbounded", "no-plan", "audit-failed"]

EXIT_CODES: Mapping[str, int] = {
    "solved": 0,
    "best-found": 10,
    "refused": 3,
    "infeasible": 4,
    "unbounded": 5,
    "no-plan": 6,
    "audit-failed": 7,
}

#: Finds a point of a model to begin from, which the budget pays for; None where there is none.
Begin = Callable[[Model, Budget], Floats | None]

#: Most nodes of each run that looks for doing nothing: one is what the shipped instances take.
NODES_FOR_NOTHING = 1000
#: Part of the time that is left under a time limit that goes to doing nothing: a second at least,
#: since it is mostly found in less and then there is a plan, and a minute at most.
TIME_FOR_NOTHING = 0.2
SECONDS_FOR_NOTHING = (1.0, 60.0)
#: How often a plan is searched on from: racks that do not split into whole halls may send it
#: back, and many sites may have left time.
ROUNDS = 8
#: Part of the time so far below which no other round is begun.
WORTH_A_ROUND = 0.05


@dataclass(frozen=True, eq=False)
class Solved:
    """What came of a solve.

    Attributes
    ----------
    status : str
        See ``EXIT_CODES``.
    plan : Context or None
        The plan on floats, settled and audited.
    audit : Audit or None
        What the audit found.
    outcome : Outcome or None
        The claim of the solver.
    value_musd, bound_musd, gap : float or None
        Value of the plan, proven bound, and their relative distance.
    rows, columns, nonzeros, integers : int
        Size of the model.
    contradictions : tuple of str
        Limits that the data alone break, where the case is infeasible before any solve.
    warnings : tuple of Fault
        What the pre-flight let through and still found odd.
    seconds : dict
        Wall-clock seconds by stage.
    nothing : Still or None
        Doing nothing, where it keeps to the limits.
    nothing_sought : bool
        Whether there was time to find out.
    """

    status: Status
    plan: Context | None = None
    audit: Audit | None = None
    outcome: Outcome | None = None
    value_musd: float | None = None
    bound_musd: float | None = None
    gap: float | None = None
    rows: int = 0
    columns: int = 0
    nonzeros: int = 0
    integers: int = 0
    contradictions: tuple[str, ...] = ()
    warnings: tuple[Fault, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    nothing: Still | None = None
    nothing_sought: bool = True

    @property
    def passed(self) -> bool:
        """Whether there is a plan that passed its audit."""
        return self.audit is not None and self.audit.passed


def solve(
    case: Case,
    options: Options | None = None,
    *,
    pinned: Mapping[Column, float] | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    model: Model | None = None,
    hint: Mapping[Column, float] | None = None,
    begin: Begin | None = None,
    workshop: MakeWorkshop = Here,
) -> Solved:
    """Find the best plan of a case and audit it.

    Where racks that fit a group of halls together do not split into its whole halls, the sites
    concerned choose their racks anew near the plan (:mod:`optimizer.crowded`), and what gap that
    leaves is searched with what these halls can hold written down.

    Parameters
    ----------
    case : Case
        What is given.
    options : Options, optional
        Gap, limits, seed. The time limit is for everything, from building the model to the audit;
        what has begun by then may take a twentieth of it, or five seconds, more. Without one,
        work is limited by nodes, and the same case gives the same plan on every machine.
    pinned : mapping, optional
        Decisions that are taken already.
    progress : callable, optional
        Called while the solver works.
    stop : threading.Event, optional
        Setting it ends the solve with the best plan so far.
    model : Model, optional
        The compiled case with these decisions taken, if it is known.
    hint : mapping, optional
        Whole numbers of a plan of a case much like this one, to begin from where they fit.
    begin : callable, optional
        Finds a point of the model to begin from; where it finds none, the hint stands.
    workshop : callable, optional
        Who solves problems of sites, where a case is searched site by site.
    """
    options = options or Options()
    budget = Budget(options.time_limit, options.grace)
    # One for all searches: whoever goes on after Ctrl-C is to know.
    stop = stop or threading.Event()

    def look(told: Progress) -> None:
        # Each search counts its own seconds and may be left for another: whoever looks on has one
        # clock, and sees a stop where there is one.
        if progress is not None:
            progress(replace(told, seconds=budget.seconds, stopping=stop.is_set()))

    watched = None if progress is None else look
    asked = _Asked(
        options, pinned or {}, budget, hint or {}, begin, watched, stop, workshop,
        Course(), _Clock(),
    )  # fmt: skip
    solved = sound = _solved_once(case, asked, model)
    crowded = Crowded()
    for _ in range(ROUNDS):
        met, before = Crowded.of(solved.audit), solved.value_musd
        sound = max(solved, sound, key=_merit)
        if met:
            crowded, case = crowded + met, met.narrowed(case)
            solved = _uncrowded(case, replace(asked, before=solved), crowded)
            continue
        if crowded and _is_below_nothing(solved):
            solved = _nothing_instead(case, solved, options)
        left = budget.to_search - TO_AUDIT * asked.course.unit
        is_over = stop.is_set() or left <= WORTH_A_ROUND * budget.seconds
        if solved.status != "best-found" or is_over:
            break
        solved = _improved(case, replace(asked, before=solved))
        if solved.value_musd == before and not asked.course.goes_on:
            break
    if sound.passed and _merit(sound) > _merit(solved):
        solved = _under_both(sound, sound, solved, options)
    if solved.plan is not None and not solved.passed and not budget.to_search:
        return _nothing_instead(case, solved, options)
    return solved


def _uncrowded(case: Case, asked: _Asked, crowded: Crowded) -> Solved:
    """Mend a plan whose racks do not split into whole halls; search anew where that fails."""
    solved, budget = asked.before, asked.budget
    assert solved is not None
    model, point = compile_case(case, asked.pinned), None
    asked.clock.lap("build")
    if not case.limit_prices:
        point = nearby(
            case, model, _point_of(model, solved), crowded, asked.options,
            sites=_many_sites(case, model), budget=budget, stop=asked.stop,
        )  # fmt: skip
        asked.clock.lap("mend")
    if point is not None:
        return _carried(case, model, point, solved, asked)
    return _again(case, model, asked) if crowded.fillable and budget.to_search else solved


def _improved(case: Case, asked: _Asked) -> Solved:
    """Go on from a sound plan where there is more to search.

    That is where it is written down by now what halls can hold, or many sites had little time.
    """
    solved = asked.before
    assert solved is not None
    is_timed = asked.budget.limited and len(case.given.sites) >= MANY_SITES
    if not (is_narrowed(case.given) or is_timed):
        return solved
    model = compile_case(case, asked.pinned)
    if not (is_narrowed(case.given) or suits(case.given, model, asked.options)):
        return solved
    return _again(case, model, replace(asked, at=_point_of(model, solved)))


def _point_of(model: Model, solved: Solved) -> Floats:
    """Write a plan as a point; what it does not know of is zero."""
    assert solved.plan is not None
    return np.nan_to_num(model.layout.named(values_of(solved.plan)))


def _again(case: Case, model: Model, asked: _Asked) -> Solved:
    """Search on from a plan, and keep the better one under what is proved by then.

    One whose racks do not split is mended next, where it is worth more or the one before failed:
    what that one lacks is written down by now.
    """
    before = asked.before
    assert before is not None
    again = _solved_once(case, asked, model)
    if again.plan is None or again.outcome is None:
        return again if again.status == "infeasible" and not before.passed else before
    if Crowded.of(again.audit) and (not before.passed or _worth(again) > _worth(before)):
        return _under_both(again, before, again, asked.options)
    return _under_both(max(again, before, key=_merit), before, again, asked.options)


def _under_both(best: Solved, before: Solved, last: Solved, options: Options) -> Solved:
    """Keep the better of two solves under what both have proved, with the work of the last."""
    if best.plan is None or best.audit is None or last.outcome is None:
        return best
    bounds = [one.bound_musd for one in (before, last) if one.bound_musd is not None]
    root = last.outcome.root_bound if before.outcome is None else before.outcome.root_bound
    proved = replace(last.outcome, bound=min(bounds, default=None), root_bound=root)
    return _with_plan(best, proved, best.plan, best.audit, options)


def _is_below_nothing(solved: Solved) -> bool:
    """Whether all that is wrong with a plan is that doing nothing is worth more."""
    breaches = () if solved.audit is None else solved.audit.breaches
    return {breach.limit for breach in breaches} == {"capital.nothing"}


def _merit(solved: Solved) -> tuple[bool, bool, float]:
    """What makes one solve of a case better than another."""
    return solved.plan is not None, solved.passed, _worth(solved)


def _worth(solved: Solved) -> float:
    return -np.inf if solved.value_musd is None else solved.value_musd


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked of every solve of one case."""

    options: Options
    pinned: Mapping[Column, float]
    budget: Budget
    hint: Mapping[Column, float]
    begin: Begin | None
    progress: Callable[[Progress], None] | None
    stop: threading.Event
    workshop: MakeWorkshop
    course: Course
    clock: _Clock
    #: What came of it with fewer limits: no plan can beat its bound.
    before: Solved | None = None
    #: A point to go on from then, where one is known.
    at: Floats | None = None


def _solved_once(case: Case, asked: _Asked, model: Model | None = None) -> Solved:
    options, budget, stop, clock = asked.options, asked.budget, asked.stop, asked.clock
    model = model or compile_case(case, asked.pinned)
    clock.lap("build")
    solved = _sized(model, clock)
    if model.built.contradictions:
        names = tuple(f"{family}{list(index)}" for family, index in model.built.contradictions)
        return replace(solved, status="infeasible", contradictions=names)
    solved, start = _with_nothing(solved, case, model, asked)
    nothing = solved.nothing
    floor = None if nothing is None else nothing.value_musd
    clock.lap("nothing")
    if case.limit_prices:
        found = search_within(
            case, options, pinned=asked.pinned,
            nothing=None if nothing is None else nothing.carried,
            nothing_musd=floor, budget=budget, progress=asked.progress, stop=stop,
        )  # fmt: skip
        clock.lap("solve")
        if found.carried is None:
            return replace(solved, status=_without_plan(found.outcome), outcome=found.outcome)
        checked = _judged(case, found.carried, found.outcome.bound, nothing, options)
        clock.lap("audit")
        return _with_plan(solved, found.outcome, found.carried.plan, checked, options)
    outcome = _searched(case, model, asked, _beginning(model, start, asked))
    clock.lap("solve")
    best = start if outcome.status == "none" else outcome.x
    if best is None:
        return replace(solved, status=_without_plan(outcome), outcome=outcome)
    return _carried(case, model, best, replace(solved, outcome=outcome), asked)


def _with_nothing(
    solved: Solved, case: Case, model: Model, asked: _Asked
) -> tuple[Solved, Floats | None]:
    """Find out what doing nothing is worth, and a point to begin from."""
    before, budget, stop = asked.before, asked.budget, asked.stop
    if before is not None and asked.at is not None:
        known = replace(solved, nothing=before.nothing, nothing_sought=before.nothing_sought)
        return known, asked.at
    # What it may take runs out here as it does there.
    share = _share_for_nothing(budget)
    nothing = do_nothing(case, model, budget=budget, stop=stop)
    cut_short = not share.to_search or (stop is not None and stop.is_set())
    known = replace(solved, nothing=nothing, nothing_sought=nothing is not None or not cut_short)
    return known, None if nothing is None else nothing.point


def _carried(case: Case, model: Model, point: Floats, solved: Solved, asked: _Asked) -> Solved:
    """Make a plan of a point under the bound of a claim, and audit it."""
    options, budget, clock = asked.options, asked.budget, asked.clock
    assert solved.outcome is not None
    point = polished(model.matrix, point, budget, model.follows, solved.outcome.limits)
    outcome = budget.billed(solved.outcome)
    clock.lap("polish")
    done = carried_out(case, model, point, budget)
    checked = _judged(case, done, outcome.bound, solved.nothing, options)
    clock.lap("audit")
    return _with_plan(solved, outcome, done.plan, checked, options)


def _nothing_instead(case: Case, solved: Solved, options: Options) -> Solved:
    """Do nothing where no time is left to mend a plan, and doing nothing has passed."""
    if solved.nothing is None or solved.outcome is None:
        return solved
    done, bound = solved.nothing.carried, solved.outcome.bound
    checked = _judged(case, done, bound, solved.nothing, options)
    return _with_plan(solved, solved.outcome, done.plan, checked, options)


def _searched(case: Case, model: Model, asked: _Asked, start: Floats | None) -> Outcome:
    """Search a case site by site where that is worth it, and as a whole where it is not done."""
    budget, sites = asked.budget, _many_sites(case, model)
    known = None if asked.before is None else asked.before.outcome
    if known is None:
        by_site = plan_by_site(
            case.given, model, asked.options, start, asked.workshop, course=asked.course,
            budget=budget, progress=asked.progress, stop=asked.stop,
        )  # fmt: skip
        start, known = by_site.point, by_site.outcome
        if known is not None and not by_site.is_open:
            return known
    elif start is not None and known.bound is not None and _goes_on_by_site(case, model, asked):
        return plan_on(
            case.given, model, asked.options, start, known.bound, asked.workshop,
            course=asked.course, budget=budget, progress=asked.progress, stop=asked.stop,
        )  # fmt: skip
    if sites is not None:
        budget = asked.course.to_search(budget)
    return search(
        model.matrix, model.large, asked.options, kinds=model.kinds, sites=sites, start=start,
        bound=None if known is None else known.bound,
        budget=budget, progress=asked.progress, stop=asked.stop,
    )  # fmt: skip


def _goes_on_by_site(case: Case, model: Model, asked: _Asked) -> bool:
    """Whether what time is left goes to groups of sites: without a limit, to the whole."""
    return asked.budget.limited and suits(case.given, model, asked.options)


def _many_sites(case: Case, model: Model) -> NDArray[np.int64] | None:
    """Sites that the columns name, where racks are many and have to be made whole by site."""
    if len(case.given.sites) < 2 or model.matrix.integer.sum() < MANY_RACKS:
        return None
    return sites_of(case.given, model.built.columns)


def _beginning(model: Model, nothing: Floats | None, asked: _Asked) -> Floats | None:
    """A point for a search to begin from: where one goes on, that is known already."""
    if asked.before is not None:
        return nothing
    known = None if asked.begin is None else asked.begin(model, asked.budget)
    if known is None:
        known = hinted(model, asked.hint, asked.budget)
    return _better(model, nothing, known)


def _better(model: Model, one: Floats | None, other: Floats | None) -> Floats | None:
    """The point that is worth more."""
    known = [x for x in (one, other) if x is not None]
    return max(known, key=lambda x: objective_at(model.matrix, x), default=None)


def _with_plan(
    solved: Solved, outcome: Outcome, plan: Context, checked: Audit, options: Options
) -> Solved:
    """Complete a solve with its plan, which no bound of arithmetic may lie below."""
    bound = None if outcome.bound is None else max(outcome.bound, checked.value_musd)
    return replace(
        solved,
        status=_judgement(checked, bound, options),
        plan=plan,
        audit=checked,
        outcome=outcome,
        value_musd=checked.value_musd,
        bound_musd=bound,
        gap=_gap(checked.value_musd, bound),
    )


def _judged(
    case: Case,
    done: Carried,
    bound: float | None,
    nothing: Still | None,
    options: Options,
) -> Audit:
    """Audit a plan against the bound and doing nothing."""
    return audit(
        case,
        done.plan,
        claimed_musd=done.claimed_musd,
        bound_musd=bound,
        nothing_musd=None if nothing is None else nothing.value_musd,
        gap=options.gap,
        settled=done.settled,
    )


def _sized(model: Model, clock: _Clock) -> Solved:
    """What is known of a solve before it begins."""
    rows, columns = model.matrix.shape
    return Solved(
        "no-plan",
        rows=rows,
        columns=columns,
        nonzeros=int(model.matrix.coefficients.nnz),
        integers=int(model.matrix.integer.sum()),
        warnings=model.warnings,
        seconds=clock.laps,
    )


@dataclass(frozen=True, eq=False)
class Still:
    """Doing nothing.

    Attributes
    ----------
    point : float array, shape (columns,)
        The point of the model.
    value_musd : float
        What it is worth, in M$.
    """

    point: Floats
    value_musd: float
    _carry: Callable[[], Carried]

    @cached_property
    def carried(self) -> Carried:
        """The plan."""
        return self._carry()


def do_nothing(
    case: Case,
    model: Model,
    *,
    budget: Budget | None = None,
    stop: threading.Event | None = None,
) -> Still | None:
    """Keep what stands, order nothing, sign nothing, mine when it pays.

    Racks leave only as they wear out; where keeping the others breaks a limit, they may be sold.
    Where nothing differs from another case of a sweep that doing nothing would feel, it comes to
    what it came to there.

    Parameters
    ----------
    case : Case
        What is given.
    model : Model
        The compiled case.
    budget : Budget, optional
        Pays for it, with ``TIME_FOR_NOTHING`` of what is left where it is limited.
    stop : threading.Event, optional
        Setting it ends the search with the best point so far.

    Returns
    -------
    Still or None
        The point, its value in M$, and the plan; None where doing nothing breaks a limit.
    """
    still = model.layout.actions
    if (still & (model.matrix.column_lower > 0)).any():
        return None
    share = _share_for_nothing(budget or Budget())
    known = _known_still(case, model, share)
    if known is not None:
        return known
    keeps = _kept(case.given, model.layout)
    for held in (still | keeps, still):
        resting = _resting(model, held, share, stop)
        if resting is None:
            continue
        carried = carried_out(case, model, resting.point, share)
        checked = audit(case, carried.plan, settled=carried.settled)
        if checked.passed:
            found = Still(resting.point, checked.value_musd, lambda done=carried: done)  # type: ignore[misc]
            if resting.is_best and held is not still:
                _remember(model, found, resting.free)
            return found
    return None


def _known_still(case: Case, model: Model, budget: Budget) -> Still | None:
    """What doing nothing came to in a case that it cannot tell from this one."""
    followed = model.followed
    if followed is None or not (followed.made_of and model.is_of_case):
        return None
    known = followed.stills.find(followed.made_of, followed.checked)
    if known is None:
        return None
    return Still(*known, partial(carried_out, case, model, known[0], budget))


def _remember(model: Model, still: Still, free: Flags) -> None:
    """Remember doing nothing where its audit looks at nothing but the relations of the case.

    What is promised is worked out from the instance itself.
    """
    followed, settled = model.followed, still.carried.settled
    if followed is None or settled is None or not (followed.made_of and model.is_of_case):
        return
    if not followed.is_alone:
        return
    plan = still.carried.plan
    if plan.curtailed or any(mw > TOLERANCE for mw in plan.hosting.values()):
        return
    kept = still.point, still.value_musd
    followed.stills.keep(kept, settled.point, free, followed.made_of, followed.checked)


class _Resting(NamedTuple):
    """The best point with some decisions held."""

    point: Floats
    #: What it had to decide.
    free: Flags
    #: Whether neither time nor a stop cut that short.
    is_best: bool


def _resting(
    model: Model, held: Flags, budget: Budget, stop: threading.Event | None
) -> _Resting | None:
    """Find the best point with some decisions held at their least; None where there is none.

    Most of a plan follows from them. What is left to decide is much the same in many cases of a
    sweep, and is then not decided again.
    """
    upper = np.where(held, model.matrix.column_lower, model.matrix.column_upper)
    rest = rest_of(replace(model.matrix, column_upper=upper), TOLERANCE)
    if rest is None:
        return None
    known = None if model.followed is None else model.followed.resting
    key = b"" if known is None else rest.digest()
    if known is not None and key in known:
        return _Resting(rest.whole(known[key]), rest.free, is_best=True)
    free, options = rest.free, Options(presolve=False, nodes=NODES_FOR_NOTHING)
    outcome = search(
        rest.matrix, model.large[free], options, kinds=model.kinds[free], budget=budget, stop=stop
    )
    if outcome.x is None:
        return None
    point = polished(rest.matrix, outcome.x, budget, model.follows[free])
    is_best = outcome.ended in ("by-itself", "node-limit") and bool(budget.to_search)
    if known is not None and is_best:
        known[key] = point
    return _Resting(rest.whole(point), free, is_best)


def _share_for_nothing(budget: Budget) -> Budget:
    """Set apart what doing nothing may take of the time, where that is limited."""
    least, most = SECONDS_FOR_NOTHING
    limited = min(most, max(least, TIME_FOR_NOTHING * budget.left))
    return budget.part(limited if budget.limited else budget.left)


#: Tables that say which racks are kept where nothing is done.
KEPT_BY = ("racks_young",)


def _kept(given: Given, layout: Layout) -> Flags:
    """Where doing nothing sells no racks: none of the type has come to its end by then."""
    kept = np.zeros(len(layout.columns), bool)
    span, sales = layout.indices["sales"]
    young, site = given.racks_young, given.site_of
    kept[span] = [(n, site[p], k) not in young for n, p, k in sales]
    return kept


def _without_plan(outcome: Outcome) -> Status:
    if outcome.status == "infeasible":
        return "infeasible"
    return "unbounded" if outcome.status == "unbounded" else "no-plan"


def _judgement(checked: Audit, bound: float | None, options: Options) -> Status:
    """Say how good a plan is; what was asked for is held exactly, of the audited value."""
    if not checked.passed:
        return "audit-failed"
    return "solved" if options.reached(checked.value_musd, bound) else "best-found"


def _gap(value: float, bound: float | None) -> float | None:
    if bound is None:
        return None
    return abs(bound - value) / max(1e-9, abs(value))


class _Clock:
    """Wall-clock seconds by stage, over all rounds of a solve."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = self.laps.get(stage, 0.0) + now - self._last
        self._last = now
