"""Plans nearly as good as the best and as different as possible: see :func:`alternatives`."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.build import Column
from models.context import Context
from optimizer.answers.alternatives.measures import (
    STANDING,
    Measure,
    distance_mw,
    measured,
    measures_of,
)
from optimizer.answers.alternatives.within import (
    Farthest,
    Within,
    at_least,
    farthest,
    within,
)
from optimizer.audit import Audit, audit, values_of
from optimizer.case import Case
from optimizer.compiled import Model, compile_case, polished
from optimizer.crowded import Crowded, narrowed_as
from optimizer.highs import Budget, Options, Outcome, Progress
from optimizer.limited import carried_out
from optimizer.matrix import Flags, Floats, Matrix
from optimizer.search import racks_whole, search
from optimizer.solve import Solved, solve
from optimizer.yearly import in_tangents

#: Most nodes of each search where no time limit ends it, so that every machine does the same.
MOST_NODES = 400
#: Nearer plans are no alternatives: this many MW, or this share of the MW that stand in the best
#: plan on average over the years, whichever is more.
DIFFERS_MW, DIFFERS_SHARE = 0.1, 0.01
#: Widest gap at which the best plan is looked for: what others lose is told against it.
MOST_GAP = 1e-4
#: Part of a time limit for the best plan, and of what then is left for limits of measures.
TIME_FOR_BEST, TIME_FOR_LIMITS = 0.35, 0.25
#: Part of what is left that goes to alternatives; the rest is for proofs.
TIME_FOR_OTHERS = 0.6
#: By how much more a plan is asked to be worth than the loss leaves, in M$ and as a share: what
#: the solver's tolerance may take.
MARGIN = 1e-6
#: How often racks that do not split into whole halls may send the search for a plan back.
ROUNDS_OF_FILLING = 3
#: How often the value asked for is raised for a plan whose audit found less than the loss leaves.
ROUNDS_OF_VALUE = 4


@dataclass(frozen=True)
class Wanted:
    """Which alternatives are wanted.

    Attributes
    ----------
    loss_share : float
        How much less than the best a plan may be worth, as a share of the best.
    count : int
        Most alternatives.
    now_months : int
        Actions of periods that begin within so many months are first ones; those of the first
        period in any case.
    differs_mw : float, optional
        A plan nearer than this to one before it is no alternative; unless given, 0.1 MW or 1 % of
        the MW that stand in the best plan, whichever is more.
    """

    loss_share: float = 0.01
    count: int = 5
    now_months: int = 1
    differs_mw: float | None = None


@dataclass(frozen=True, eq=False)
class Other:
    """An alternative plan.

    Attributes
    ----------
    case : Case
        What it is a plan of; places whose halls are filled one by one may be named in it.
    plan, audit : Context and Audit
        The plan, settled, and what its audit found.
    at : float array, shape (measures,)
        Its measures in MW.
    distance_mw : float
        From the nearest of the plans before it.
    most_mw : float
        No plan within the loss is further from all plans before it.
    proved : bool
        Whether both meet within the gap.
    """

    case: Case
    plan: Context
    audit: Audit
    at: Floats
    distance_mw: float
    most_mw: float
    proved: bool

    @property
    def value_musd(self) -> float:
        """Its audited value."""
        return self.audit.value_musd


@dataclass(frozen=True, eq=False)
class Alternatives:
    """The best plan and others nearly as good.

    Attributes
    ----------
    best : Solved
        The best plan, or what came instead.
    least_musd : float
        What a plan within the loss is worth at least.
    measures : tuple of Measure
        In what plans may differ.
    at : float array, shape (measures,)
        Measures of the best plan in MW.
    others : tuple of Other
        In the order in which they were found.
    differs_mw : float
        Nearer plans are no alternatives.
    exhausted : bool
        Whether it is proved that no further plan within the loss differs by so much from those
        shown.
    halted : str
        Why fewer were found than wanted; empty where all were, or where there are no more.
    """

    best: Solved
    least_musd: float = math.nan
    measures: tuple[Measure, ...] = ()
    at: Floats | None = None
    others: tuple[Other, ...] = ()
    differs_mw: float = math.nan
    exhausted: bool = False
    halted: str = ""

    @property
    def plans(self) -> tuple[Context, ...]:
        """All plans, the best first."""
        first = () if self.best.plan is None else (self.best.plan,)
        return (*first, *(other.plan for other in self.others))


@dataclass(eq=False)
class Hunt:
    """A case whose plans within a loss are looked through.

    ``tell`` hears of every plan that is found.
    """

    case: Case
    wanted: Wanted
    options: Options
    pinned: Mapping[Column, float]
    best: Solved
    budget: Budget
    stop: threading.Event
    tell: Callable[[str], None]

    @cached_property
    def least_musd(self) -> float:
        """What a plan is worth at least."""
        assert self.best.value_musd is not None
        return self.best.value_musd - self.wanted.loss_share * abs(self.best.value_musd)

    @cached_property
    def differs_mw(self) -> float:
        """By how much a plan differs at least to be an alternative."""
        if self.wanted.differs_mw is not None:
            return self.wanted.differs_mw
        assert self.best.plan is not None
        values = values_of(self.best.plan)
        standing = sum(m.weight * m.mw_at(values) for m in self.measures if m.kind == STANDING)
        return max(DIFFERS_MW, DIFFERS_SHARE * standing)

    @property
    def over(self) -> bool:
        """Whether nothing further is begun."""
        return self.stop.is_set() or not self.budget.to_search

    @property
    def each(self) -> Options:
        """How every search is run."""
        nodes = self.options.nodes or (None if self.budget.limited else MOST_NODES)
        return replace(self.options, nodes=nodes)

    @cached_property
    def model(self) -> Model:
        """The case as arrays; under limits on a year's energy the one that bounds."""
        case = self.case
        if case.limit_prices:
            bounding = in_tangents(case.given, case.hours, case.limit_prices)
            case = replace(case, given=bounding)
        return compile_case(case, self.pinned)

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """In what plans may differ."""
        return measures_of(self.case, self.wanted.now_months)

    @cached_property
    def among(self) -> Within:
        """Plans that are worth enough."""
        share = self.budget
        if share.limited:
            share = share.part(TIME_FOR_LIMITS * share.left)
        assert self.best.plan is not None
        at = measured(self.measures, values_of(self.best.plan))
        asked = self.least_musd + MARGIN * max(1.0, abs(self.least_musd))
        return within(self.model.matrix, self.model.layout.place, self.measures, asked, at, share)

    def narrow(self, crowded: Crowded) -> None:
        """Write down what the halls of crowded places can hold from now on."""
        self.case = crowded.narrowed(self.case)
        for name in ("model", "among"):
            self.__dict__.pop(name, None)

    def settled(self, point: Floats, bound: float | None) -> tuple[Context, Audit]:
        """Carry a point out and audit it; no plan need be worth more than doing nothing here."""
        done = carried_out(self.case, self.model, point, self.budget.settling())
        checked = audit(
            self.case, done.plan, claimed_musd=done.claimed_musd, bound_musd=bound,
            gap=self.options.gap, settled=done.settled,
        )  # fmt: skip
        return done.plan, checked


def alternatives(
    case: Case,
    wanted: Wanted | None = None,
    options: Options | None = None,
    *,
    pinned: Mapping[Column, float] | None = None,
    best: Solved | None = None,
    budget: Budget | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Alternatives, Hunt | None]:
    """Find plans within a loss of the best that differ as much as possible.

    Each is the plan whose distance from the nearest of the plans before it is largest, among all
    that are worth enough; of those so far away it is a valuable one. Distance is in MW
    (:mod:`optimizer.answers.alternatives.measures`). Once the bound on it lies below the distance
    that matters (``differs_mw``), there are no more.

    Parameters
    ----------
    case : Case
        What is given.
    wanted : Wanted, optional
        Loss, number, and what counts as first actions.
    options : Options, optional
        Gap, of values and distances alike, time limit for everything, seed. Without a time limit,
        work is limited by nodes.
    pinned : mapping, optional
        Decisions that are taken already.
    best : Solved, optional
        The best plan, where it is known.
    budget : Budget, optional
        Pays for it; unless given, the time limit of the options begins now.
    progress : callable, optional
        Called while the best plan is looked for.
    stop : threading.Event, optional
        Setting it ends the search with what was found.
    tell : callable, optional
        Hears of every plan that is found.

    Returns
    -------
    Alternatives
        What was found.
    Hunt or None
        What further questions about plans within the loss are put to; None without a plan.
    """
    wanted, options = wanted or Wanted(), options or Options()
    budget = budget or Budget(options.time_limit, options.grace)
    stop = stop or threading.Event()
    if best is None:
        seconds = TIME_FOR_BEST * budget.left if budget.limited else math.inf
        gap = min(options.gap, MOST_GAP)
        asked = replace(options, gap=gap, time_limit=seconds)
        best = solve(case, asked, pinned=pinned, progress=progress, stop=stop)
    if best.plan is None or best.status == "audit-failed":
        return Alternatives(best), None
    case = narrowed_as(case, best.plan.given)
    hunt = Hunt(case, wanted, options, pinned or {}, best, budget, stop, tell)
    return _hunted(hunt), hunt


def _hunted(hunt: Hunt) -> Alternatives:
    assert hunt.best.plan is not None
    first = measured(hunt.measures, values_of(hunt.best.plan))
    others: list[Other] = []
    exhausted, halted = False, ""
    for position in range(hunt.wanted.count):
        if hunt.over:
            halted = "stopped before more were found"
            break
        found = _next(hunt, [first, *(other.at for other in others)], position)
        if isinstance(found, str):
            halted, exhausted = found, not found
            break
        others.append(found)
        hunt.tell(_told(found, position + 1))
    return Alternatives(
        hunt.best, hunt.least_musd, hunt.measures, first, tuple(others), hunt.differs_mw,
        exhausted, halted,
    )  # fmt: skip


def _told(other: Other, number: int) -> str:
    proved = "" if other.proved else f", at most {other.most_mw:,.1f} possible"
    return (
        f"alternative {number}: {other.value_musd:,.3f} M$, {other.distance_mw:,.1f} MW from the "
        f"nearest plan before{proved}"
    )


def _next(hunt: Hunt, before: list[Floats], position: int) -> Other | str:
    """Find the next plan; else why there is none, in no words where that is proved."""
    budget = hunt.budget
    if budget.limited:
        left = TIME_FOR_OTHERS * budget.left / (hunt.wanted.count - position)
        budget = budget.part(left)
    raised, most, filling = 0.0, math.inf, 0
    for _ in range(ROUNDS_OF_VALUE + ROUNDS_OF_FILLING):
        among = hunt.among if not raised else hunt.among.worth(hunt.least_musd + raised)
        asked = farthest(among, before)
        outcome = _searched(hunt, asked, budget)
        if not raised and outcome.bound is not None:
            # Raising the value asked for only leaves plans out.
            most = min(most, outcome.bound)
        if most < hunt.differs_mw or (outcome.status == "infeasible" and not raised):
            return ""
        if outcome.status == "infeasible":
            break
        if outcome.x is None:
            return f"no other plan was found in time that differs by {_least(hunt)} or more"
        point = _valuable(hunt, among, asked, outcome, budget)
        plan, checked = hunt.settled(point, hunt.best.bound_musd)
        crowded = Crowded.of(checked)
        if crowded.fillable and filling < ROUNDS_OF_FILLING:
            filling += 1
            hunt.narrow(crowded)
            continue
        if not checked.passed:
            return f"a plan did not pass its audit: {checked.breaches[0]}"
        missing = hunt.least_musd - checked.value_musd
        if missing > 0:
            raised = 2.0 * max(raised, missing, MARGIN * max(1.0, abs(hunt.least_musd)))
            continue
        at = measured(hunt.measures, values_of(plan))
        distance = min(distance_mw(hunt.measures, at, other) for other in before)
        if distance < hunt.differs_mw:
            return (
                f"no other plan was found that differs by {_least(hunt)} or more; one could by "
                f"{most:,.3g} MW at most"
            )
        most = max(most, distance)
        proved = hunt.options.reached(distance, most)
        return Other(hunt.case, plan, checked, at, distance, most, proved)
    return "no further plan was found whose audit leaves it within the loss"


def _least(hunt: Hunt) -> str:
    return f"{hunt.differs_mw:,.3g} MW"


def _searched(hunt: Hunt, asked: Farthest, budget: Budget) -> Outcome:
    """Look for the farthest plan, its large decisions and switches of measures first."""
    large, kinds = _marks(hunt, asked.matrix)
    return search(
        asked.matrix, large, hunt.each, kinds=kinds, budget=budget, stop=hunt.stop
    )  # fmt: skip


def _marks(hunt: Hunt, matrix: Matrix) -> tuple[Flags, NDArray[np.int64]]:
    """Which columns are large decisions, switches of measures among them, and their kinds."""
    own, model = hunt.among.own, hunt.model
    large = np.append(model.large, matrix.integer[own:])
    added = 1 + model.kinds.max(initial=0) + np.arange(matrix.shape[1] - own)
    return large, np.append(model.kinds, added)


def _valuable(
    hunt: Hunt, among: Within, asked: Farthest, outcome: Outcome, budget: Budget
) -> Floats:
    """Keep a point's large decisions and its distance, and choose the rest for its value."""
    assert outcome.x is not None
    assert outcome.objective is not None
    settling = hunt.budget.settling()
    far = max(0.0, outcome.objective - MARGIN * max(1.0, outcome.objective))
    valued = at_least(among, asked, far)
    large, kinds = _marks(hunt, asked.matrix)
    better = racks_whole(
        valued, large, outcome.x, hunt.each, kinds=kinds, budget=budget, stop=hunt.stop
    )
    # Once whole numbers are whole, as much of the distance as they leave is kept.
    apart = polished(asked.matrix, outcome.x if better is None else better, settling)
    left = apart[asked.distance]
    kept = at_least(among, asked, max(0.0, left - MARGIN * max(1.0, left)))
    return polished(kept, apart, settling)[: among.own]
