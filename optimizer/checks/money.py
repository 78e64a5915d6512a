"""Currencies of price files, and the exchange rates that they need."""

from __future__ import annotations

from collections.abc import Iterator

from models.instance import USD, Exchange, Power, is_currency
from optimizer.checks.draft import Draft
from optimizer.errors import Problem, did_you_mean, listed
from optimizer.keys import Key


def currencies(draft: Draft) -> Iterator[Problem]:
    """Find currencies without a rate, rates that nothing uses, and keys that change nothing."""
    rated = draft.names("currencies")
    supplies = draft.rows(Power, "power")
    for key, power in supplies:
        if power.currency == USD:
            continue
        if power.currency not in rated:
            yield _unrated(draft, (*key, "currency"), power.currency, rated)
        elif power.flat_usd_per_mwh is not None:
            message = "the key has no effect: flat_usd_per_mwh is in USD"
            yield draft.warning((*key, "currency"), message, found=power.currency)
    used = {power.currency for _, power in supplies}
    read = draft.names("power") == {str(key[-1]) for key, _ in supplies}
    for key, _ in draft.rows(Exchange, "currencies"):
        if key[-1] == USD:
            message = "USD is the money of the instance and has no rate"
            yield draft.problem(key, message, hint="take it out")
        elif not is_currency(str(key[-1])):
            message = "a currency is written as three capital letters, as in EUR"
            yield draft.problem(key, message, found=str(key[-1]))
        elif read and key[-1] not in used:
            message = "the block has no effect: no power is priced in it"
            hint = f'add currency = "{key[-1]}" to a block of power'
            yield draft.warning(key, message, hint=hint)


def _unrated(draft: Draft, key: Key, currency: str, rated: set[str]) -> Problem:
    rate = f"add [currencies.{currency}] with usd_per_unit, the USD for one {currency}"
    return draft.problem(
        key,
        f"there is no exchange rate for {currency}",
        found=currency,
        allowed=listed([USD, *sorted(rated - {USD})]),
        hint=did_you_mean(currency, rated) or rate,
    )
