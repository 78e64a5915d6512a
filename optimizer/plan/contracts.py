"""AI contracts: what is signed, due and delivered, what it pays, and what advances are left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models import service_credits
from models.context import Context
from models.given import Contract as Name
from models.hosting import signed
from models.instance import month_index
from models.tree import Node
from optimizer.case import Case
from optimizer.settle import DUST
from optimizer.words import month_of


@dataclass(frozen=True)
class ContractRow:
    """One signed contract in one period.

    Attributes
    ----------
    node, month, contract : int, str, str
        Period, its first month, which.
    signed_mw, due_mw, delivered_mw, shortfall_mw : float
        Critical IT MW signed by then, due, delivered and late.
    rent_musd, power_musd, service_musd, damages_musd : float
        Rent, and what the company pays for it.
    service_credits_musd : float
        Credits expected for promises of availability that are broken.
    advance_musd, credited_musd, advance_left_musd : float
        Advance received, credited against rent, and still to be credited at the period's end.
    beyond_musd : float
        Present value of its margin beyond the horizon, credits deducted, before upkeep of halls
        and plant; at leaves only.
    """

    node: int
    month: str
    contract: str
    signed_mw: float
    due_mw: float
    delivered_mw: float
    shortfall_mw: float
    rent_musd: float
    power_musd: float
    service_musd: float
    damages_musd: float
    service_credits_musd: float
    advance_musd: float
    credited_musd: float
    advance_left_musd: float
    beyond_musd: float


def contracts(case: Case, plan: Context) -> Iterator[ContractRow]:
    """List the contracts that are signed, period by period."""
    for n in plan.given.nodes:
        for x in plan.given.contracts:
            mw = float(signed(plan, n, x))
            if mw > DUST:
                yield _row(case, plan, n, x, mw)


def _row(case: Case, plan: Context, n: Node, x: Name, mw: float) -> ContractRow:
    g = plan.given
    served = {
        (p, k): plan.hosting[n, x, p, k]
        for p, k in g.hosting_at[x]
        if (n, x, p, k) in plan.hosting
    }
    late = plan.shortfall.get((n, x), 0.0)
    return ContractRow(
        n, month_of(g.tree, n), x, mw,
        due_mw=g.due_share.get((n, x), 0.0) * mw,
        delivered_mw=sum(served.values()), shortfall_mw=late,
        rent_musd=sum(a * g.rent[n, x, k] for (_, k), a in served.items()),
        power_musd=sum(a * g.hosting_energy[n, x, p] for (p, _), a in served.items()),
        service_musd=sum(a * g.hosting_service[n, x] for a in served.values()),
        damages_musd=late * g.delay_damages[n, x] if late else 0.0,
        service_credits_musd=_credits(plan, n, x),
        advance_musd=g.prepayment[x] * plan.signed_mw.get((n, x), 0.0),
        credited_musd=g.prepayment_credit.get((n, x), 0.0) * mw,
        advance_left_musd=_advance_left(case, plan, n, x) * mw,
        beyond_musd=_beyond(plan, n, x, mw),
    )  # fmt: skip


def _advance_left(case: Case, plan: Context, n: Node, x: Name) -> float:
    """Advance per MW that is not yet credited at the end of a period, in M$/MW."""
    offer = case.instance.contracts[x]
    months = offer.prepayment_credit_months or offer.months
    since = max(0, plan.given.tree.end_month(n) - month_index(offer.start))
    return plan.given.prepayment[x] * max(0, months - since) / months


def _beyond(plan: Context, n: Node, x: Name, mw: float) -> float:
    g = plan.given
    margin = sum(
        worth * plan.hosting[n, x, p, k]
        for p, k in g.hosting_at[x]
        if (worth := g.tail_margin.get((n, x, p, k)))
    )
    credited = float(service_credits.tail_credited(plan, n, x))
    return float(margin) + credited - g.tail_credit.get((n, x), 0.0) * mw


def _credits(plan: Context, n: Node, x: Name) -> float:
    sites = plan.given.sites
    known = sum(float(service_credits.credited(plan, n, s, x)) for s in sites)
    return 0.0 - known - float(service_credits.newcomer_credited(plan, n, x))
