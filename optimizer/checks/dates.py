"""Dates against the horizon and against each other."""

from __future__ import annotations

from collections.abc import Iterator

from models.instance import (
    BudgetStep,
    Contract,
    DebtPayment,
    Finance,
    Horizon,
    Policy,
    Project,
    Rack,
    RackOrder,
    SignedContract,
    Works,
    month_index,
    month_text,
)
from optimizer.checks.draft import Draft, Span
from optimizer.errors import Problem
from optimizer.keys import Key, entries, kind_at, value_at


def dates(draft: Draft) -> Iterator[Problem]:
    """Find dates that lie outside the horizon or in the wrong order."""
    horizon = draft.one(Horizon, "horizon")
    if horizon is None:
        return
    span = Span.of(horizon)
    for check in (_commitments, _budgets, _offers, _windows, _switches, _steps):
        yield from check(draft, span)


def _commitments(draft: Draft, span: Span) -> Iterator[Problem]:
    """What is still to come lies after the start; what comes after the end is never seen."""
    arrivals = [
        *(((*key, "delivery"), order.delivery, "put racks that stand there in fleet")
          for key, order in draft.rows(RackOrder, "commitments", "racks")),
        *(((*key, "ready"), works.ready, "give the hall that fit-out today")
          for key, works in draft.rows(Works, "commitments", "works")),
        *(((*key, "month"), payment.month, "leave out what is paid")
          for key, payment in draft.rows(DebtPayment, "commitments", "debt")),
    ]  # fmt: skip
    for key, month, hint in arrivals:
        if month_index(month) < span.start:
            message = "the month lies before the horizon"
            yield draft.problem(key, message, found=month, allowed=span.text(), hint=hint)
        elif month_index(month) >= span.end and key[1] != "debt":
            message = "the month lies beyond the horizon, so it never arrives"
            yield draft.warning(key, message, found=month, allowed=span.text())
    yield from _dues(draft, span)


def _dues(draft: Draft, span: Span) -> Iterator[Problem]:
    orders = draft.rows(RackOrder, "commitments", "racks")
    works = draft.rows(Works, "commitments", "works")
    for key, due in [(key, row.due) for key, row in orders] + [
        (key, row.due) for key, row in works
    ]:
        if due is not None and month_index(due) < span.start:
            message, hint = "the payment lies before the horizon", "leave out what is paid"
            yield draft.problem((*key, "due"), message, found=due, allowed=span.text(), hint=hint)


def _budgets(draft: Draft, span: Span) -> Iterator[Problem]:
    for key, step in draft.rows(BudgetStep, "finance", "capex_budget_by_period"):
        first = month_index(step.from_)
        last = month_index(step.to) if step.to else first + span.step - 1
        if last < first:
            found = f"{step.from_} to {step.to}"
            yield draft.problem(key, "the budget's span ends before it starts", found=found)
        elif not any(first <= month <= last for month in range(span.start, span.end, span.step)):
            message = "no period starts within the budget's span, so it limits nothing"
            found = f"{month_text(first)} to {month_text(last)}"
            yield draft.warning(key, message, found=found, allowed=span.text())


def _offers(draft: Draft, span: Span) -> Iterator[Problem]:
    signed = {row.contract for _, row in draft.rows(SignedContract, "commitments", "contracts")}
    for key, offer in draft.rows(Contract, "contracts"):
        start = month_index(offer.start)
        if start >= span.end:
            message = "the contract starts after the horizon, so it is never signed"
            found = offer.start
            yield draft.warning((*key, "start"), message, found=found, allowed=span.text())
        elif key[-1] in signed and start + offer.months <= span.start:
            message = "the contract has ended before the horizon starts"
            yield draft.warning(
                (*key, "months"), message, found=f"{offer.months} from {offer.start}"
            )
        elif key[-1] not in signed and month_index(offer.sign_by) < span.start:
            message = "the offer expires before the horizon starts, so it is never signed"
            found = offer.sign_by
            yield draft.warning((*key, "sign_by"), message, found=found, allowed=span.text())


def _windows(draft: Draft, span: Span) -> Iterator[Problem]:
    """Months between which something may be ordered."""
    windows = [
        *((key, "earliest", project.earliest, "latest", project.latest)
          for key, project in draft.rows(Project, "projects")),
        *((key, "buy_from", rack.buy_from, "buy_until", rack.buy_until)
          for key, rack in draft.rows(Rack, "racks") if rack.buyable),
    ]  # fmt: skip
    for key, opens, first, closes, last in windows:
        if first and last and month_index(last) < month_index(first):
            message = f"{closes} lies before {opens}"
            yield draft.problem((*key, closes), message, found=f"{first} to {last}")
        elif first and month_index(first) >= span.end and draft.typed((*key, opens)):
            message = f"{opens} lies beyond the horizon, so it is never ordered"
            yield draft.warning((*key, opens), message, found=first, allowed=span.text())
        elif last and month_index(last) < span.start and draft.typed((*key, closes)):
            message = f"{closes} lies before the horizon, so it is never ordered"
            yield draft.warning((*key, closes), message, found=last, allowed=span.text())


def _switches(draft: Draft, span: Span) -> Iterator[Problem]:
    policy, finance = draft.one(Policy, "policy"), draft.one(Finance, "finance")
    since = policy.shares_from if policy else None
    if since and month_index(since) >= span.end:
        message = "the shares hold only after the horizon"
        yield draft.warning(("policy", "shares_from"), message, found=since, allowed=span.text())
    until = finance.loan.draw_until if finance and finance.loan else None
    if until and month_index(until) < span.start:
        message = "the loan cannot be drawn within the horizon"
        at: Key = ("finance", "loan", "draw_until")
        yield draft.warning(at, message, found=until, allowed=span.text())


#: Paths whose silence before the first step would be read as nothing, and is not.
_CAPACITIES = (
    (("sites",), ("firm_mw", "interruptible_mw")),
    (("gpu_cloud",), ("demand_limit_mw",)),
)


def _steps(draft: Draft, span: Span) -> Iterator[Problem]:
    """Ask for the MW before the first step: the first step's value would hold there too."""
    for table, names in _CAPACITIES:
        for key, block in entries(draft.words, table):
            for name in names:
                at = (*key, name)
                first = value_at(block, (name, 0, "from"))
                known = kind_at(at) is not None and not draft.is_doubtful(at)
                if known and isinstance(first, str) and first > month_text(span.start):
                    message = "nothing says how many MW there are before the first step"
                    hint = f'begin with {{ from = "{month_text(span.start)}", value = ... }}'
                    yield draft.problem(at, message, found=f"first step in {first}", hint=hint)
