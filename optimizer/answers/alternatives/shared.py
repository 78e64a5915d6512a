"""What all plans within the loss do: decisions that are safe to take now.

That all plans shown take a decision proves nothing of the others. So each is forbidden in turn,
and the most that a plan is then worth is looked for: where even its bound lies below what the
loss leaves, every plan within the loss takes the decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from models.build import Column
from models.context import Context
from optimizer.actions import UNITS, Verb
from optimizer.answers.alternatives.found import MARGIN, Alternatives, Hunt
from optimizer.answers.alternatives.measures import Measure, first_actions, first_nodes
from optimizer.answers.alternatives.within import Columns, Rows, with_more
from optimizer.audit import values_of
from optimizer.compiled import polished
from optimizer.highs import Budget
from optimizer.matrix import Floats, Matrix
from optimizer.search import search

#: How sure it is: every plan within the loss takes it, all plans shown do, no plan does, none of
#: those shown does, some do and some do not.
Sure = Literal["every plan", "all shown", "no plan", "none shown", "some shown"]
#: Whether a decision is one of the first months, or one that may come later.
When = Literal["first", "any time"]

#: How often an amount between nothing and all that is shared is asked for.
ROUNDS = 6
#: Above it a signature counts as one.
HALF = 0.5


@dataclass(frozen=True)
class Decision:
    """A first action, or a contract, and how far plans within the loss agree on it.

    Attributes
    ----------
    action, site, subject : str
        What is done, where, to what.
    unit : str
        What it is counted in.
    shown : tuple of float
        Amount in each plan shown, the best first.
    every : float
        Least amount that every plan within the loss was proved to take.
    sure : str
        How sure it is; see :data:`Sure`.
    decided : bool
        Whether the solves decided it; where not, more may hold than is said.
    when : str
        ``first`` where it tells of the first months alone, ``any time`` of a contract that may be
        signed later as well.
    without_musd : float or None
        No plan that does not keep to what is proved is worth more; None where nothing is proved,
        or where no such plan exists at all.
    """

    action: str
    site: str
    subject: str
    unit: str
    shown: tuple[float, ...]
    every: float
    sure: Sure
    decided: bool
    when: When = "first"
    without_musd: float | None = None


@dataclass(frozen=True)
class _Judged:
    """What came of a solve with a decision limited."""

    excluded: bool
    amount: float | None = None
    most_musd: float | None = None


def shared(found: Alternatives, hunt: Hunt) -> Iterator[Decision]:
    """Say of every first action that is shared, and of every contract, how sure it is.

    Parameters
    ----------
    found : Alternatives
        The plans shown.
    hunt : Hunt
        What was asked before.
    """
    actions = list(_shared_actions(hunt, found.plans))
    contracts = list(_contracts(hunt))
    questions = len(actions) + len(contracts)
    for measure in actions:
        yield _on_action(hunt, measure, found.plans, questions)
        questions -= 1
    for measure in contracts:
        yield _on_contract(hunt, measure, found.plans, questions)
        questions -= 1


def _shared_actions(hunt: Hunt, plans: Sequence[Context]) -> Iterator[Measure]:
    """First actions that all plans shown take; signatures are asked for by contract."""
    values = [values_of(plan) for plan in plans]
    for measure in first_actions(hunt.case, hunt.wanted.now_months, counted=True):
        if measure.kind != "sign" and min(map(measure.mw_at, values)) > HALF:
            yield measure


def _contracts(hunt: Hunt) -> Iterator[Measure]:
    """Signatures of each contract, whenever."""
    given = hunt.case.given
    for x in given.contracts:
        terms = tuple((("signing", (n, y)), 1.0) for n, y in given.signing_allowed if y == x)
        if terms:
            yield Measure("sign", "", x, "", 1.0, terms)


def _on_action(hunt: Hunt, measure: Measure, plans: Sequence[Context], questions: int) -> Decision:
    """Find the largest amount that every plan within the loss takes."""
    amounts = tuple(round(measure.mw_at(values_of(plan))) for plan in plans)
    proved, most, known, decided = 0, min(amounts), None, True
    unit = UNITS[_verb(measure)]
    ask = most
    for _ in range(ROUNDS):
        if proved >= most or hunt.over:
            break
        judged = _limited(hunt, measure, -np.inf, ask - 1.0, questions)
        if judged.excluded:
            proved, known = ask, judged.most_musd
        elif judged.amount is not None:
            most = min(most, max(round(judged.amount), proved))
        else:
            decided = False
            break
        ask = 1 if not proved and ask != 1 else -(-(proved + most) // 2)
    decided = decided and proved >= most
    sure: Sure = "every plan" if proved else "all shown"
    return Decision(measure.kind, measure.site, measure.subject, unit, tuple(map(float, amounts)),
                    float(proved), sure, decided, without_musd=known)  # fmt: skip


def _verb(measure: Measure) -> Verb:
    return next(verb for verb in UNITS if verb == measure.kind)


def _on_contract(
    hunt: Hunt, measure: Measure, plans: Sequence[Context], questions: int
) -> Decision:
    """Ask whether every plan signs a contract that all shown do, or none one that none does.

    Where all shown sign in the first months, that is asked first: a signature that may wait is no
    first action.
    """
    first = set(first_nodes(hunt.case.given, hunt.wanted.now_months))
    now = replace(measure, terms=tuple(t for t in measure.terms if t[0][1][0] in first))
    if now.terms == measure.terms:
        return _signature(hunt, measure, plans, questions, "first")
    if all(now.mw_at(values_of(plan)) > HALF for plan in plans):
        decision = _signature(hunt, now, plans, 2 * questions, "first")
        if decision.sure == "every plan":
            return decision
    return _signature(hunt, measure, plans, questions, "any time")


def _signature(
    hunt: Hunt, measure: Measure, plans: Sequence[Context], questions: int, when: When
) -> Decision:
    signed = [_signed_mw(plan, measure.subject) for plan in plans]
    made = [measure.mw_at(values_of(plan)) > HALF for plan in plans]
    sure: Sure = "all shown" if all(made) else "some shown" if any(made) else "none shown"
    judged = _Judged(excluded=False)
    decided = True
    if sure != "some shown":
        if hunt.over:
            decided = False
        else:
            limits = (-np.inf, 0.0) if sure == "all shown" else (1.0, np.inf)
            judged = _limited(hunt, measure, *limits, questions)
            decided = judged.excluded or judged.amount is not None
    if judged.excluded:
        sure = "every plan" if all(made) else "no plan"
    return Decision("sign", "", measure.subject, "MW", tuple(signed), float(sure == "every plan"),
                    sure, decided, when, judged.most_musd)  # fmt: skip


def _signed_mw(plan: Context, contract: str) -> float:
    g = plan.given
    return float(sum(g.probability[n] * mw for (n, x), mw in plan.signed_mw.items()
                     if x == contract))  # fmt: skip


def _limited(hunt: Hunt, measure: Measure, lower: float, upper: float, questions: int) -> _Judged:
    """Look for the most valuable plan with an amount limited.

    It excludes all such plans where its bound lies below what the loss leaves. A plan that is
    found and passes its audit within the loss is proof of the contrary.
    """
    budget = hunt.budget
    if budget.limited:
        budget = budget.part(budget.left / max(1, questions))
    model = hunt.model
    rows = Rows.none()
    rows.add(_terms(model.layout.place, measure), lower, upper)
    matrix = with_more(model.matrix, Columns.after(model.matrix.shape[1]), rows)
    options = replace(hunt.each, gap=min(hunt.options.gap, 0.01 * hunt.wanted.loss_share))
    outcome = search(
        matrix, model.large, options, kinds=model.kinds, budget=budget, stop=hunt.stop
    )
    if outcome.status == "infeasible":
        return _Judged(excluded=True)
    # What the solver's tolerance may take is no proof.
    margin = MARGIN * max(1.0, abs(hunt.least_musd))
    if outcome.bound is not None and outcome.bound < hunt.least_musd - margin:
        return _Judged(excluded=True, most_musd=outcome.bound)
    if outcome.x is None or outcome.objective is None or outcome.objective < hunt.least_musd:
        return _Judged(excluded=False)
    return _found(hunt, measure, outcome.x, matrix, budget)


def _found(hunt: Hunt, measure: Measure, x: Floats, matrix: Matrix, budget: Budget) -> _Judged:
    """Carry a plan out that is worth enough, to have its amount as a proof of the contrary."""
    point = polished(matrix, x, budget.settling(), hunt.model.follows)
    plan, checked = hunt.settled(point, hunt.best.bound_musd)
    if not checked.passed or checked.value_musd < hunt.least_musd:
        return _Judged(excluded=False)
    amount = measure.mw_at(values_of(plan))
    return _Judged(excluded=False, amount=amount, most_musd=checked.value_musd)


def _terms(place: Mapping[Column, int], measure: Measure) -> list[tuple[int, float]]:
    return [(place[column], size) for column, size in measure.terms]
