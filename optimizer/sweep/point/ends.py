"""Where a front begins and ends: at the base's best plan, and as far from it as is any use."""

from __future__ import annotations

import math
from collections.abc import Mapping

from models.build import Column
from models.context import Context
from models.instance import Contract
from optimizer.best import best_reach
from optimizer.case import Case
from optimizer.compiled import Model, hinted, polished
from optimizer.errors import InputRefused
from optimizer.highs import Budget, Options
from optimizer.limited import carried_out
from optimizer.solve import do_nothing, solve
from optimizer.sweep.design.levels import Ends, outward
from optimizer.sweep.design.measures import bounded
from optimizer.sweep.design.spec import Pareto, Sweep
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.point.ties import driven, figure
from optimizer.sweep.point.weighed import weighed

#: How near to its best the far end of a front is sought, and in how many nodes of a search.
GAP_OF_ENDS = 1e-3
NODES_FOR_ENDS = 2000


def ends_of(
    sweep: Sweep, evaluator: Evaluator, start: Mapping[Column, float] | None = None
) -> Ends:
    """Find the ends of a front that the base gives.

    One is what the base's best plan reaches; beyond it, no level costs anything. The other is
    doing nothing for capex, the most cash that any plan keeps, a share of one or of nothing, the
    best availability that any contract could be promised, or a first step of the carbon. They
    follow from the base and its plan alone, without a clock: with the start that a store keeps,
    a sweep that is resumed has the same levels.

    Parameters
    ----------
    sweep : Sweep
        Has a front.
    evaluator : Evaluator
        Of its base.
    start : mapping, optional
        Whole numbers of the base's best plan, as :meth:`Evaluator.start` gives them or the store
        keeps them; absent: the start of the evaluator's base. Without either, the base is solved.

    Raises
    ------
    InputRefused
        Where the base has no plan, or its plan nothing to weigh.
    """
    assert sweep.pareto is not None
    plan = start if start is not None else evaluator.base.start
    found = _Ends(sweep, sweep.pareto, *evaluator.base_case(), evaluator, plan or {}).run()
    if found is None:
        at, hint = ("pareto",), "type from and to"
        message = "the base's best plan does not say where the front begins and ends"
        raise InputRefused([sweep.problem(at, message, hint=hint)])
    return found


class _Ends:
    """Works out the ends of one front."""

    def __init__(
        self,
        sweep: Sweep,
        pareto: Pareto,
        case: Case,
        model: Model,
        evaluator: Evaluator,
        start: Mapping[Column, float],
    ) -> None:
        self.sweep, self.pareto = sweep, pareto
        self.case, self.model, self.evaluator = case, model, evaluator
        self.measure = bounded(pareto.second)
        self.plan = self._best(start)

    def run(self) -> Ends | None:
        """Give the ends; None where they are not to be had."""
        measure = self.pareto.second.measure
        if measure == "capex":
            most = -figure(self.plan, "capex")
            return Ends(outward(self._least_capex(), up=True), outward(most, up=True))
        if measure == "lowest_cash":
            least = figure(self.plan, "lowest_cash")
            return Ends(outward(least, up=False), outward(self._most_cash(), up=False))
        if measure == "uptime":
            return self._uptime()
        reached = dict(weighed(self.case, self.plan)).get(self.measure.figure)
        return None if reached is None else self._from(float(reached))

    def _from(self, reached: float) -> Ends | None:
        if self.measure.sense == "maximise":
            return Ends(outward(reached, up=False), self.case.given.mining_share_max)
        most = outward(reached, up=True)
        if self.pareto.second.measure == "mining_share":
            return Ends(self.case.given.mining_share_min, min(1.0, most))
        # A cap of nothing cannot be typed: the first level is a step above it.
        return Ends(outward(most / self.pareto.points, up=True), most) if most > 0 else None

    # --- plans -----------------------------------------------------------------------------

    def _best(self, start: Mapping[Column, float]) -> Context:
        """The base's best plan: from the whole numbers of its start, else found."""
        budget = Budget()
        point = hinted(self.model, start, budget)
        if point is not None:
            point = polished(self.model.matrix, point, budget, self.model.follows)
            return carried_out(self.case, self.model, point, budget).plan
        solved = solve(self.case, self.evaluator.base.options, pinned=self.evaluator.pins,
                       model=self.model)  # fmt: skip
        if solved.plan is None or solved.status == "audit-failed":
            message = f"the base has no plan ({solved.status}) that a front could begin from"
            raise InputRefused([self.sweep.problem(("pareto",), message, hint="type from and to")])
        return solved.plan

    def _least_capex(self) -> float:
        """Capex of doing nothing, which is what is owed; else the least that keeps to limits."""
        nothing = do_nothing(self.case, self.model)
        if nothing is not None:
            return -figure(nothing.carried.plan, "capex")
        outcome = driven(self.case.given, self.model, "capex", _patient(), Budget())
        return -figure(self.plan, "capex") if outcome.objective is None else -outcome.objective

    def _most_cash(self) -> float:
        """The most that cash can be at its lowest."""
        outcome = driven(self.case.given, self.model, "lowest_cash", _patient(), Budget())
        least = self.case.given.minimum_cash
        return least if outcome.objective is None else least + outcome.objective

    def _uptime(self) -> Ends | None:
        """From the lowest promise of any offer to the best that any could be promised."""
        offers = _offers(self.case)
        reached = [
            best.availability
            for offer in offers.values()
            if (best := best_reach(self.case.derivation, offer)) is not None
        ]
        if not offers or not reached:
            return None
        first = min(offer.availability for offer in offers.values())
        last = math.floor(max(reached) * 1e9) / 1e9
        return Ends(first, max(first, last))


def _offers(case: Case) -> Mapping[str, Contract]:
    """Contracts that are not signed yet."""
    signed = {owed.contract for owed in case.instance.commitments.contracts}
    return {x: offer for x, offer in case.instance.contracts.items() if x not in signed}


def _patient() -> Options:
    return Options(gap=GAP_OF_ENDS, nodes=NODES_FOR_ENDS)
