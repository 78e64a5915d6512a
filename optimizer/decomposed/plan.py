"""Which cases are searched site by site, and what is left to a search of the whole.

A case of many sites begins with a plan from windows of time, which also proves a bound. Unless
told otherwise it then goes site by site, which makes plans and bounds where HiGHS alone may find
none for long, and goes on as a whole from there.

Where time is limited, it is measured in what the linear relaxation took, which is solved first.
Windows are for those who have much of it. Where there is less, or they lead nowhere, sites are
searched, which come to a plan sooner and leave the whole more time, which proves more. The plan is
audited, so that what it lacks is written down; then the whole is searched beside it, if there is
time for that and it is near or the case not too large: its large decisions alone, and once more
with the racks that these leave divided. What time is left goes to groups of sites beside the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.given import Given
from optimizer.compiled import Model
from optimizer.decomposed.blocks import Blocks, periods_of, sites_of
from optimizer.decomposed.rounds import ended_by, improve_by_site, relaxation, search_by_site
from optimizer.decomposed.windows import Walked, in_windows
from optimizer.decomposed.workshop import Workshop
from optimizer.highs import Budget, Options, Outcome, Progress, Status, relative_gap, unsearched
from optimizer.matrix import Flags, Floats, divided, objective_at
from optimizer.search import holding, search, with_divided

#: Sites, and large decisions, from which a case is searched so unless told otherwise.
MANY_SITES, MANY_DECISIONS = 4, 1000
#: A gap within which any plan is.
ANY = 1e6
#: Columns beyond which the whole is not searched beside a plan that is far: HiGHS stays at the
#: cuts of its root, and heeds no stop there (1.16.0, on `fleet` in want).
MOST_AT_ONCE = 40_000
#: Part of the time in which the whole is searched, and the gap that it has to come within there.
TIME_FOR_WHOLE, CLOSE = 0.9, 0.15
#: What there has to be of time, if a case is to begin with windows, and to go on from a plan with
#: the whole: so many times what its linear relaxation took, which measures case and machine, as
#: busy as this is. Windows may take three tenths of it, 14 relaxations of 47; those of `fleet`
#: take 9, of companies of 6 and of 12 sites 10 to 13. The whole of one of these takes 8, of
#: `fleet` 11, of which it begins to prove something after 4. Sites come to a plan in 4 to 5, so
#: that of `fleet` plan and bound are within 0.23 % after 16 of them, and after windows only after
#: 21 (0.19 %). Of one company of 6 sites a pass among mixtures leads to no plan at all, and
#: windows to 0.95 %.
FOR_WINDOWS, FOR_WHOLE = 47.0, 6.0
#: Part of the time that searches may take, and what is left at least for racks that do not split
#: into whole halls, in linear relaxations: a round of mending takes 0.2 to 0.4, mostly to build
#: the model anew and to audit the plan. Who goes on from a sound plan needs one round.
TIME_TO_SEARCH, TO_MEND, TO_AUDIT = 0.9, 1.2, 0.4
#: Linear relaxations of time below which sites come to a plan before they prove a bound. A pass
#: among mixtures takes up to two, a round of prices one; with prices first `fleet` came to 470.6
#: M$ after two passes, with a plan first to 469.3, one run each.
HURRIED = 7.0
#: Part of the time that sites may take where no plan is known, before any is sought.
TIME_WITHOUT_PLAN = 0.6
#: Part of the gap that the large decisions of the whole may use up: whether its racks split into
#: whole halls is seen sooner. Of five companies of 12 sites that brought one, the worst, to 0.21 %
#: in 226 seconds (0.36 % with 0.2), before there were windows; two took 1.2 and 1.6 times as long
#: to 0.2 %, one two thirds.
GAP_FOR_WHOLE = 0.9
#: Gap within which a plan is near: the whole of larger cases is searched beside no other. On
#: `fleet` in want, where sites come to 8 %, HiGHS finds no plan in 90 s.
NEAR = 0.07
#: Part of the time of a whole in which it has to close some of the gap of a plan beside it, and
#: what may be left of this. Of six linear relaxations that is 4.9.
PATIENCE, MOST_LEFT = 0.9, 0.9

#: Part of a plan's value by which a bound below it is wrong.
REFUTED = 1e-6

MakeWorkshop = Callable[[Blocks], Workshop]


@dataclass
class Course:
    """How far the searches of one case have come: each notes it for those that follow.

    Attributes
    ----------
    whole : bool
        Whether the whole was searched, its large decisions alone.
    racks : bool
        Whether it was searched again with the racks that these leave divided, or will not be.
    unit : float
        Seconds of the clock that the linear relaxation took; zero where time is not limited.
    prices : float array, shape (coupling rows,), or None
        Its prices of what sites share, if sites were not searched at them yet.
    """

    whole: bool = False
    racks: bool = False
    unit: float = 0.0
    prices: Floats | None = None

    def note(self, relaxed: Outcome, blocks: Blocks) -> None:
        """Note what the linear relaxation took, and its prices."""
        self.unit = relaxed.seconds
        self.prices = None if relaxed.duals is None else relaxed.duals[blocks.coupling]

    def has_time(self, budget: Budget) -> bool:
        """Whether there is time for the whole."""
        return budget.to_search >= FOR_WHOLE * self.unit

    def to_search(self, budget: Budget, keeps: float = TO_MEND) -> Budget:
        """Set apart what searches may take, so that what they come to can be mended in time.

        ``keeps`` is what is left for that at least, in linear relaxations, up to half of the time.
        """
        if not budget.limited:
            return budget
        left = budget.left
        kept = max((1 - TIME_TO_SEARCH) * left, min(keeps * self.unit, 0.5 * left))
        return budget.part(left - kept)

    @property
    def goes_on(self) -> bool:
        """Whether going on from the same plan may bring more than it did."""
        return self.whole and not self.racks


@dataclass(frozen=True, eq=False)
class _Case:
    """A case taken apart, what is asked of it, and who looks on."""

    blocks: Blocks
    sites: NDArray[np.int64]
    periods: NDArray[np.int64]
    options: Options
    course: Course
    budget: Budget
    progress: Callable[[Progress], None] | None
    stop: threading.Event | None

    @classmethod
    def of(
        cls, given: Given, model: Model, options: Options, course: Course, budget: Budget,
        progress: Callable[[Progress], None] | None, stop: threading.Event | None,
    ) -> _Case:  # fmt: skip
        """Take a case apart by site."""
        sites, periods = (of(given, model.built.columns) for of in (sites_of, periods_of))
        blocks = Blocks.of(model.matrix, sites, model.large, model.kinds)
        return cls(blocks, sites, periods, options, course, budget, progress, stop)

    @property
    def watched(self) -> dict[str, Any]:
        """Who pays, who is told, and who may stop it."""
        return {"budget": self.budget, "progress": self.progress, "stop": self.stop}

    @property
    def is_timed(self) -> bool:
        """Whether time is limited, and nobody asked for a method."""
        return self.options.method == "auto" and self.budget.limited

    @property
    def is_large(self) -> bool:
        """Whether the whole is not searched beside a plan that is far."""
        return self.is_timed and self.blocks.whole.shape[1] > MOST_AT_ONCE

    @property
    def is_hurried(self) -> bool:
        """Whether time is short for what the linear relaxation took."""
        return self.is_timed and self.budget.to_search < HURRIED * self.course.unit

    @property
    def ends(self) -> bool:
        """Whether it was stopped, or time is up."""
        return (self.stop is not None and self.stop.is_set()) or not self.budget.to_search

    def is_over(self, found: Outcome) -> bool:
        """Whether there is nothing left to find, or no time for it."""
        return self.ends or found.status == "optimal"

    def best_known(self, points: Sequence[Floats | None], *bounds: float | None) -> Outcome:
        """The best of some plans under what no plan can beat."""
        blocks, options, budget = self.blocks, self.options, self.budget
        known = [(objective_at(blocks.whole, x), x) for x in points if x is not None]
        value, best = max(known, key=lambda pair: pair[0], default=(None, None))
        bound = _lowest(value, options, *bounds)
        is_done = options.reached(value, bound)
        return budget.billed(
            replace(
                unsearched(blocks.whole), x=best, objective=value, bound=bound,
                root_bound=bound, gap=relative_gap(value, bound),
                status="optimal" if is_done else "none" if best is None else "feasible",
                ended=ended_by(is_done=is_done, budget=budget, stop=self.stop),
            )
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search site by site came to.

    Attributes
    ----------
    point : float array or None
        The best plan so far.
    outcome : Outcome or None
        The claim, with its bound; None where the case was not searched so. It may be of no plan.
    is_open : bool
        Whether a search of the whole has to go on from there.
    """

    point: Floats | None
    outcome: Outcome | None = None
    is_open: bool = True


def plan_by_site(
    given: Given,
    model: Model,
    options: Options,
    start: Floats | None,
    workshop: MakeWorkshop,
    *,
    course: Course,
    budget: Budget,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Searched:
    """Search a case site by site where that was asked for, or is worth it.

    A plan from windows of time comes first, if there is time for it. Where time is limited and
    nobody asked for a method, that is all if it is near; if not, sites are searched.

    Parameters
    ----------
    given : Given
        Numbers of the case.
    model : Model
        The compiled case.
    options : Options
        Method, gap, limits and seed.
    start : float array or None
        A plan to begin from; without one, and where neither windows nor sites come to any, one is
        sought first.
    workshop : callable
        Makes whoever solves problems of sites.
    course : Course
        Where it is noted what was searched.
    budget, progress, stop
        As in :func:`optimizer.search.search`.
    """
    if not suits(given, model, options):
        return Searched(start)
    case = _Case.of(given, model, options, course, budget, progress, stop)
    if len(case.blocks.sites) < 2:
        return Searched(start)
    relaxed = _relaxed(case, start)
    case = replace(case, budget=course.to_search(budget))
    begun = _begun(case, start, relaxed)
    # It is audited first: what it lacks is written down before the whole is searched.
    is_near = case.is_timed and begun.gap <= NEAR and begun.x is not start
    if is_near or case.is_over(begun):
        return Searched(begun.x, begun, is_open=begun.x is None and begun.ended != "interrupted")
    outcome = None
    if begun.x is None:
        part = case.budget.part(TIME_WITHOUT_PLAN * case.budget.left)
        outcome = _by_site(case, begun, start, relaxed, workshop, part)
        if outcome is None:
            begun = _with_any_plan(case, begun)
    if begun.x is not None:
        outcome = _by_site(case, begun, start, relaxed, workshop)
    if outcome is None:
        return Searched(begun.x, begun)
    outcome = _unrefuted(outcome, options, relaxed)
    is_open = outcome.status != "optimal" and outcome.ended == "node-limit"
    return Searched(outcome.x, outcome, is_open and not case.is_timed)


def _relaxed(case: _Case, start: Floats | None) -> Outcome | None:
    """Solve the linear relaxation where time is limited, which it measures."""
    if not case.budget.limited:
        return None
    worth = None if start is None else objective_at(case.blocks.whole, start)
    relaxed = relaxation(case.blocks, case.options, known=worth, **case.watched)
    case.course.note(relaxed, case.blocks)
    return relaxed


def _begun(case: _Case, start: Floats | None, relaxed: Outcome | None) -> Outcome:
    """Begin with windows of time, if there is time for them."""
    walked = Walked(None, None)
    if case.budget.to_search >= FOR_WINDOWS * case.course.unit:
        walked = in_windows(
            case.blocks, case.sites, case.periods, case.options, start=start, **case.watched
        )
    relaxed_bound = None if relaxed is None else relaxed.bound
    return case.best_known([walked.point, start], walked.bound, relaxed_bound)


def _unrefuted(outcome: Outcome, options: Options, relaxed: Outcome | None) -> Outcome:
    """Fall back on the relaxation where a plan refutes what was proved before it was known."""
    value, proved = outcome.objective, None if relaxed is None else relaxed.bound
    bound = _lowest(value, options, outcome.bound)
    if bound is not None:
        return outcome
    bound = _lowest(value, options, proved)
    return replace(outcome, bound=bound, gap=relative_gap(value, bound), status="feasible")


def _with_any_plan(case: _Case, begun: Outcome) -> Outcome:
    """Seek any plan where none is known, under what is proved on the way."""
    blocks, options = case.blocks, case.options
    options = replace(options, gap=ANY, time_limit=case.budget.to_search)
    found = search(blocks.whole, blocks.large, options, kinds=blocks.kinds, **case.watched)
    return case.best_known([found.x], begun.bound, found.bound)


def _by_site(
    case: _Case, begun: Outcome, start: Floats | None, relaxed: Outcome | None,
    workshop: MakeWorkshop, part: Budget | None = None,
) -> Outcome | None:  # fmt: skip
    """Search sites, in a part of the time; only begin with them where nobody asked for that."""
    starts = [x for x in (begun.x, start) if x is not None]
    watched = {**case.watched, "budget": part or case.budget}
    case.course.prices = None
    with closing(workshop(case.blocks)) as shop:
        return search_by_site(
            case.blocks, case.options, starts, shop, bound=begun.bound, relaxed=relaxed,
            only_begin=case.options.method == "auto", hurried=case.is_hurried,
            enough=_is_for_the_whole(case) if case.is_timed else None, **watched,
        )  # fmt: skip


class _Halt(threading.Event):
    """Ends one search; set where all is to stop, too."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def is_set(self) -> bool:
        return super().is_set() or self._stop.is_set()


class _Leave:
    """Ends a search of the whole: because all is to stop, or because there is better to do."""

    def __init__(self, stop: threading.Event | None) -> None:
        self._stop = stop or threading.Event()
        self.halt, self.is_left = _Halt(self._stop), False

    def look(self, has_to: bool) -> None:
        """End the search if it is to be left, and all does not stop."""
        self.is_left = self.is_left or (has_to and not self._stop.is_set())
        if self.is_left:
            self.halt.set()

    def hand_on(self) -> None:
        """Stop all where Ctrl-C reached the search alone: whoever goes on from here is to know."""
        if self.halt.is_set() and not self.is_left:
            self._stop.set()


def _is_for_the_whole(case: _Case) -> Callable[[float], bool]:
    """Whether to leave the sites for the whole: once they are near, if there is time for it."""
    return lambda gap: gap <= NEAR and case.course.has_time(case.budget)


def _whole_beside(case: _Case, begun: Outcome, large: Flags | None = None) -> Outcome:
    """Search the whole, its large decisions alone, beside a plan and what was proved of it.

    Not from there: from the plan that the sites of one case came to, HiGHS stayed at its root for
    150 seconds; without it, it was done in 78.
    """
    blocks, options, budget = case.blocks, case.options, case.budget
    large = blocks.large if large is None else large
    part, before = budget.part(TIME_FOR_WHOLE * budget.to_search), budget.seconds
    leave, patience = _Leave(case.stop), PATIENCE * part.left
    most, case.course.whole = _most_left(begun), True

    def look(told: Progress) -> None:
        # The value told is that of divisible racks; what it gains shows what there is to gain.
        value = max(_known(begun.objective, told.incumbent), default=None)
        bound = _lowest(begun.objective, options, begun.bound, told.bound)
        late = part.seconds > patience and relative_gap(value, bound) > most
        leave.look(late or options.reached(begun.objective, bound))
        if case.progress is not None:
            seconds, gap = before + told.seconds, relative_gap(value, bound)
            case.progress(replace(told, seconds=seconds, incumbent=value, bound=bound, gap=gap))

    found = search(
        blocks.whole, large, options, kinds=blocks.kinds, sites=case.sites,
        rounds=0, gap_for_large=GAP_FOR_WHOLE, budget=part, progress=look, stop=leave.halt,
    )  # fmt: skip
    leave.hand_on()
    best = _better(begun, found, options)
    if best.ended == "interrupted" and leave.is_left:
        return replace(best, ended="by-itself" if best.status == "optimal" else "time-limit")
    return best


def _better(one: Outcome, other: Outcome, options: Options) -> Outcome:
    """The better plan of two searches of a case, under the lower of their bounds."""
    values = _known(one.objective, other.objective)
    value = max(values, default=None)
    best = one if one.objective is not None and one.objective == value else other
    bound = _lowest(value, options, one.bound, other.bound)
    status: Status = "none" if value is None else "feasible"
    return replace(
        other, x=best.x, objective=value, bound=bound, gap=relative_gap(value, bound),
        status="optimal" if options.reached(value, bound) else status,
    )  # fmt: skip


def _lowest(value: float | None, options: Options, *bounds: float | None) -> float | None:
    """The lowest of some bounds that a plan of a value does not refute."""
    size = 0.0 if value is None else abs(value)
    least = -np.inf if value is None else value - max(options.absolute_gap, REFUTED * size)
    return min((bound for bound in _known(*bounds) if bound >= least), default=None)


def _known(*values: float | None) -> list[float]:
    return [value for value in values if value is not None]


def _most_left(begun: Outcome) -> float:
    """The gap that a whole may leave beside a plan: else it leads nowhere."""
    return min(CLOSE, MOST_LEFT * begun.gap)


def plan_on(
    given: Given,
    model: Model,
    options: Options,
    start: Floats,
    bound: float,
    workshop: MakeWorkshop,
    *,
    course: Course,
    budget: Budget,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Go on from a plan of a case of many sites, under a bound that was proved.

    Where there is time for it, and the case is not too large or the plan near, the whole is
    searched: first its large decisions alone, another time with the racks that they leave divided.
    Where there is not, and after the racks, groups of sites are.

    Parameters
    ----------
    given, model, options, workshop, course, budget, progress, stop
        As in :func:`plan_by_site`.
    start : float array
        The plan.
    bound : float
        What no plan can beat, as proved before.
    """
    budget = course.to_search(budget, TO_AUDIT)
    case = _Case.of(given, model, options, course, budget, progress, stop)
    known = case.best_known([start], bound)
    if known.status == "optimal":
        return known
    may_help = case.is_timed and (known.gap <= NEAR or not case.is_large)
    if may_help and course.has_time(budget) and not case.ends:
        if not course.whole:
            return _whole_beside(case, known)
        course.racks, large = True, _with_divided_racks(case, start)
        if not np.array_equal(large, case.blocks.large):
            known = _whole_beside(case, known, large)
    elif course.whole:
        course.racks = True
    assert known.x is not None
    # Where the plan refutes by a hair what is proved, it stands under what it was gone on from.
    bound = bound if known.bound is None else known.bound
    # What the whole has proved, sites at their prices rarely beat.
    prices, course.prices = None if course.whole else course.prices, None
    with closing(workshop(case.blocks)) as shop:
        return improve_by_site(
            case.blocks, options, known.x, bound, shop, prices=prices, **case.watched
        )


def _with_divided_racks(case: _Case, point: Floats) -> Flags:
    """Large decisions, and racks of the kinds that those of a plan leave divided.

    What large decisions are best with racks divided need not be so with whole ones.
    """
    blocks, budget = case.blocks, case.budget
    left = replace(case.options, gap=0.0, time_limit=budget.to_search, interior=True)
    relaxed = budget.run(divided(holding(blocks.whole, blocks.large, point)), left, stop=case.stop)
    racks = with_divided(blocks.whole, blocks.large, blocks.kinds, relaxed.x)
    # Where nothing was left divided, there is nothing to add.
    return blocks.large if np.array_equal(racks, blocks.whole.integer) else blocks.large | racks


def suits(given: Given, model: Model, options: Options) -> bool:
    """Whether a case is searched site by site."""
    if options.method != "auto":
        return options.method == "by-site"
    many = len(given.sites) >= MANY_SITES and int(model.large.sum()) >= MANY_DECISIONS
    return many and options.nodes is None
