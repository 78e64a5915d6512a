"""Alternatives as tables: tidy, in a fixed order, with the unit in the name of every column."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from models.context import Context
from optimizer.actions import UNITS
from optimizer.answers.alternatives.found import Alternatives, Hunt
from optimizer.answers.alternatives.measures import (
    STANDING,
    Measure,
    distance_mw,
    first_actions,
)
from optimizer.answers.alternatives.shared import Decision
from optimizer.audit import values_of
from optimizer.plan.frames import frame
from optimizer.solve import Solved

if TYPE_CHECKING:
    from pandas import DataFrame

#: Amounts below it are none.
NOTHING = 1e-6


@dataclass(frozen=True)
class PlanRow:
    """A plan.

    Attributes
    ----------
    plan : int
        Its number; 0 is the best.
    value_musd, loss_musd, loss_share : float
        What it is worth, and how much less that is than the best.
    distance_mw : float or None
        From the nearest of the plans before it.
    most_mw : float or None
        No plan within the loss is further from all plans before it.
    proved : bool
        Whether both meet within the gap.
    capex_musd : float
        Capex over the horizon, expected over scenarios.
    signed : str
        Contracts signed, with their MW.
    """

    plan: int
    value_musd: float
    loss_musd: float
    loss_share: float
    distance_mw: float | None
    most_mw: float | None
    proved: bool
    capex_musd: float
    signed: str


@dataclass(frozen=True)
class DistanceRow:
    """How far two plans are apart.

    Attributes
    ----------
    plan, other : int
        Their numbers.
    distance_mw : float
        Their distance.
    """

    plan: int
    other: int
    distance_mw: float


@dataclass(frozen=True)
class StandingRow:
    """MW of a use at a site at the end of a year.

    Attributes
    ----------
    plan : int
        Number of the plan.
    site, use, month : str
        Where, what for, and the first month of the year's last period.
    mw, more_than_best_mw : float
        IT MW of racks at nameplate, tenants' among them, and how much more than in the best plan.
    """

    plan: int
    site: str
    use: str
    month: str
    mw: float
    more_than_best_mw: float


@dataclass(frozen=True)
class FirstRow:
    """A first action.

    Attributes
    ----------
    plan : int
        Number of the plan.
    action, site, subject : str
        What is done, where, to what.
    amount, unit : float, str
        How much.
    mw : float
        What it counts in the distance.
    """

    plan: int
    action: str
    site: str
    subject: str
    amount: float
    unit: str
    mw: float


@dataclass(frozen=True)
class SharedRow:
    """How far plans within the loss agree on a first action or a contract.

    Attributes
    ----------
    action, site, subject, unit : str
        What is done, where, to what, and what it is counted in.
    least_shown, most_shown : float
        Between what it lies in the plans shown.
    every_plan : float
        Amount that every plan within the loss was proved to take; of a contract 1 where every
        plan signs it.
    sure : str
        ``every plan`` and ``no plan`` are proved of all plans within the loss; ``all shown``,
        ``some shown`` and ``none shown`` tell of the plans shown alone.
    decided : bool
        Whether the solves decided it; where not, more may hold than is said.
    when : str
        ``first`` where it tells of the first months alone, ``any time`` of a contract that may be
        signed later as well.
    without_musd : float or None
        No plan that does otherwise is worth more, where that is proved; empty where none exists.
    """

    action: str
    site: str
    subject: str
    unit: str
    least_shown: float
    most_shown: float
    every_plan: float
    sure: str
    decided: bool
    when: str
    without_musd: float | None


@dataclass(frozen=True, eq=False)
class Told:
    """All tables of alternatives, as rows."""

    plans: tuple[PlanRow, ...]
    distances: tuple[DistanceRow, ...]
    standing: tuple[StandingRow, ...]
    first_actions: tuple[FirstRow, ...]
    decisions: tuple[SharedRow, ...]

    def frames(self) -> dict[str, DataFrame]:
        """Tables by name."""
        kinds = {
            "plans": PlanRow, "distances": DistanceRow, "standing": StandingRow,
            "first_actions": FirstRow, "decisions": SharedRow,
        }  # fmt: skip
        return {name: frame(kind, getattr(self, name)) for name, kind in kinds.items()}

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """Rows by table, for programs."""
        return {
            name: [asdict(row) for row in getattr(self, name)]
            for name in ("plans", "distances", "standing", "first_actions", "decisions")
        }


def told(found: Alternatives, hunt: Hunt, decisions: Sequence[Decision]) -> Told:
    """Lay alternatives out as tables."""
    assert found.at is not None
    at = [found.at, *(other.at for other in found.others)]
    values = [values_of(plan) for plan in found.plans]
    return Told(
        plans=tuple(_plans(found)),
        distances=tuple(
            DistanceRow(i, j, distance_mw(found.measures, at[i], at[j]))
            for i in range(len(at)) for j in range(i)
        ),
        standing=tuple(
            StandingRow(i, m.site, m.subject, m.when, float(own[k]), float(own[k] - at[0][k]))
            for i, own in enumerate(at)
            for k, m in enumerate(found.measures) if m.kind == STANDING
        ),
        first_actions=tuple(_first(found.measures, hunt, values)),
        decisions=tuple(_shared(decision) for decision in decisions),
    )  # fmt: skip


def _plans(found: Alternatives) -> Iterator[PlanRow]:
    best = found.best.value_musd
    assert best is not None
    assert found.best.plan is not None
    yield PlanRow(0, best, 0.0, 0.0, None, None, found.best.status == "solved",
                  _capex(found.best.plan), _signed(found.best.plan))  # fmt: skip
    for number, other in enumerate(found.others, 1):
        loss = best - other.value_musd
        most = other.most_mw if math.isfinite(other.most_mw) else None
        yield PlanRow(number, other.value_musd, loss, loss / max(abs(best), 1e-9),
                      other.distance_mw, most, other.proved, _capex(other.plan),
                      _signed(other.plan))  # fmt: skip


def _capex(plan: Context) -> float:
    weight = plan.given.probability
    return float(sum(weight[n] * musd for (n, _), musd in plan.capex.items()))


def _signed(plan: Context) -> str:
    """Contracts in the order typed, each with its MW."""
    weight, mw = plan.given.probability, dict.fromkeys(plan.given.contracts, 0.0)
    for (n, x), signed in plan.signed_mw.items():
        mw[x] += weight[n] * signed
    return ", ".join(f"{x} {amount:.3g} MW" for x, amount in mw.items() if amount > NOTHING)


def _first(
    measures: Sequence[Measure], hunt: Hunt, values: Sequence[Mapping[Any, float]]
) -> Iterator[FirstRow]:
    in_mw = {(m.kind, m.site, m.subject): m for m in measures if m.kind != STANDING}
    units: Mapping[str, str] = {str(verb): unit for verb, unit in UNITS.items()}
    for number, known in enumerate(values):
        for measure in first_actions(hunt.case, hunt.wanted.now_months, counted=True):
            amount = measure.mw_at(known)
            if amount > NOTHING:
                mw = in_mw[measure.kind, measure.site, measure.subject].mw_at(known)
                yield FirstRow(number, measure.kind, measure.site, measure.subject, amount,
                               units[measure.kind], mw)  # fmt: skip


def _shared(decision: Decision) -> SharedRow:
    return SharedRow(
        decision.action, decision.site, decision.subject, decision.unit, min(decision.shown),
        max(decision.shown), decision.every, decision.sure, decision.decided,
        decision.when, decision.without_musd,
    )  # fmt: skip


def solves(found: Alternatives) -> Iterator[Solved]:
    """Give each plan as a solve of its own, to lay it out like any other; the best first.

    An alternative is no best plan: it is best found, under the bound of the best.
    """
    yield found.best
    bound = found.best.bound_musd
    for other in found.others:
        value = other.value_musd
        gap = None if bound is None else abs(bound - value) / max(1e-9, abs(value))
        yield replace(found.best, status="best-found", plan=other.plan, audit=other.audit,
                      value_musd=value, gap=gap)  # fmt: skip
