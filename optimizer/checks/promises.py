"""Promises that units or people could keep one day, but not by the day they are given for.

As in :mod:`optimizer.checks.impossible`, none is refused that has a plan: units are counted as
ordered at once, and experience as begun with the horizon.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.derive.facts import share_due
from models.instance import Contract, Horizon, SignedContract, month_text
from optimizer.best import Best, By, best_reach, in_the_way
from optimizer.checks.draft import Draft, Span
from optimizer.checks.early import due_by
from optimizer.checks.impossible import facts_of
from optimizer.errors import Problem
from optimizer.keys import Key
from optimizer.words import percent

#: By how much what is reached may fall short through rounding alone.
ROUNDING = 1e-12


def promises_in_time(draft: Draft) -> Iterator[Problem]:
    """Find promises that cannot be kept when they first have to be; the draft is sound."""
    horizon, facts = draft.one(Horizon, "horizon"), facts_of(draft)
    if horizon is None or facts is None:
        return
    span = Span.of(horizon)
    rows = draft.rows(SignedContract, "commitments", "contracts")
    signed = {row.contract: row.mw for _, row in rows}
    for key, offer in draft.rows(Contract, "contracts"):
        name, month = str(key[-1]), due_by(offer, span)
        ever = best_reach(facts, offer)
        if month is None or ever is None or _short(ever, offer):
            continue
        mw = signed.get(name, offer.min_mw)
        by = By(month, _least_mw(draft, offer, mw, month, span.step))
        best = best_reach(facts, offer, by=by)
        if best is not None and _short(best, offer):
            yield _too_soon(draft, key, offer, best, month, signed=name in signed)


def _short(best: Best, offer: Contract) -> bool:
    return best.availability < offer.availability - ROUNDING


def _least_mw(draft: Draft, offer: Contract, mw: float, month: int, step: int) -> float:
    """MW that a part has to carry at the least; nothing is known where several sites share it."""
    if len(draft.names("sites") if offer.sites is None else offer.sites) != 1:
        return 0.0
    return mw * max(share_due(offer, at) for at in range(month, month + step))


def _too_soon(
    draft: Draft, key: Key, offer: Contract, best: Best, month: int, *, signed: bool
) -> Problem:
    found = f"{percent(offer.availability)} from {month_text(month)} on"
    allowed = f"at most {percent(best.availability)} by then, at {best.site}"
    way = in_the_way(best, offer.availability)
    hint = f"of the downtime it allows, what can be there by then uses up: {way}"
    at: Key = (*key, "availability")
    if signed:
        message = "a signed contract promises more than can be reached by its start"
        return draft.problem(at, message, found=found, allowed=allowed, hint=hint)
    message = "this cannot be reached by its start, so the offer is never signed"
    return draft.warning(at, message, found=found, allowed=allowed, hint=hint)
