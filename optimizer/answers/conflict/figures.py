"""Figures that somebody would type in place of one, and how what is typed is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optimizer.answers.conflict.edits import REMOVED, Edits
from optimizer.answers.conflict.limits import LEAST_MW, Limit
from optimizer.keys import Key, value_at
from optimizer.words import percent

#: Amounts below this, of what is typed, are arithmetic.
DUST = 1e-6


class Figures:
    """Figures that somebody would type in place of one, the nearest first.

    Parameters
    ----------
    document : mapping
        The complete document of the instance.
    limit : Limit
        A number, a whole number, or a number by date, of which all dates move alike.
    step : float
        Figures are its multiples; of a number by date the amounts are.
    """

    def __init__(self, document: Mapping[str, Any], limit: Limit, step: float) -> None:
        self.limit = limit
        self.step = step
        self._document = document
        self._digits = max(0, -math.floor(math.log10(step) + 1e-9))
        self._sign = 1.0 if limit.up else -1.0
        self._is_dated = isinstance(limit.held, list)

    @property
    def room(self) -> float:
        """By how much the number may move; infinite where nothing ends it."""
        end = self.limit.free.get(self.limit.parts, REMOVED)
        if self.limit.parts[:2] == ("commitments", "contracts"):
            end = LEAST_MW
        if end is REMOVED or isinstance(end, list):
            return math.inf if self.limit.up else max(0.0, float(self.limit.held))
        held = [step["value"] for step in self.limit.held] if self._is_dated else [self.limit.held]
        return min(abs(float(end) - float(value)) for value in held)

    def by(self, amount: float) -> dict[Key, Any] | None:
        """Edits that move the number by an amount; None where it may not move so far."""
        if amount > self.room * (1.0 + 1e-12):
            return None
        if self._is_dated:
            moved: Any = [
                {**one, "value": self._clean(one["value"] + self._sign * amount, more=9)}
                for one in self.limit.held
            ]
        else:
            moved = self._clean(self.limit.held + self._sign * amount, more=9)
        return self._edits(moved)

    def at(self, place: int) -> dict[Key, Any] | None:
        """Edits that type the so manieth figure; None where it lies outside the range.

        The end of the range is a figure too, where the one before it lies inside.
        """
        amount = self._amount(place)
        if amount > self.room:
            inside = place == 0 or self._amount(place - 1) < self.room
            return self.by(self.room) if inside and math.isfinite(self.room) else None
        return self.by(amount)

    def beyond(self, amount: float) -> int:
        """Place of the first figure that moves the number by at least so much."""
        place = max(0, math.floor(amount / self.step) - 1)
        while self._amount(place) < amount - 1e-6 * self.step:
            place += 1
        return place

    def _amount(self, place: int) -> float:
        """By how much the so manieth figure differs from what is typed."""
        if self._is_dated:
            return (place + 1) * self.step
        held, step = float(self.limit.held), self.step
        if self.limit.up:
            base = math.floor(held / step + 1e-9)
            return float((base + place + 1) * step - held)
        base = math.ceil(held / step - 1e-9)
        return float(held - (base - place - 1) * step)

    def _clean(self, value: float, *, more: int = 0) -> float | int:
        if self.limit.whole:
            return round(value)
        return round(value, self._digits + more)

    def _edits(self, value: Any) -> dict[Key, Any]:
        """Type a value; a contract's least MW give way with the MW that are signed."""
        edits = {self.limit.parts: value}
        if self.limit.parts[:2] == ("commitments", "contracts"):
            least = ("contracts", self.limit.where, "min_mw")
            if value < value_at(self._document, least):
                edits[least] = value
        return edits

    def text(self, edits: Edits) -> str:
        """What is typed then, in words."""
        return typed_text(self.limit, edits[self.limit.parts])

    def difference(self, edits: Edits) -> str:
        """By how much that differs, in words."""
        then, held = edits[self.limit.parts], self.limit.held
        if self._is_dated:
            then, held = then[0]["value"], held[0]["value"]
        word = "more" if then > held else "less"
        return f"{amount_text(abs(then - held), self.limit.unit)} {word}"


def step_of(limit: Limit, amount: float) -> float:
    """Step of the figures that somebody would type: two digits of the amount.

    Examples
    --------
    An amount of 3.1416 M$ is told in tenths, one of 123 M$ in tens.
    """
    if limit.whole:
        return 1.0
    amount = max(amount, DUST * max(1.0, size_of(limit.held)))
    return float(10.0 ** (math.floor(math.log10(amount) + 1e-9) - 1))


def size_of(held: Any) -> float:
    """How large a number is, or the largest of those by date."""
    values = [one["value"] for one in held] if isinstance(held, list) else [held]
    return max(abs(float(value)) for value in values)


def typed_text(limit: Limit, value: Any) -> str:
    """What is typed, in words.

    Of a number by date the first is told.
    """
    if limit.way == "nines":
        return percent(float(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{amount_text(float(value[0]['value']), limit.unit)} at first"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, (int, float)):
        return amount_text(float(value), limit.unit)
    return str(value)


def amount_text(number: float, unit: str) -> str:
    """Write a number with its unit, with the digits that were typed.

    Examples
    --------
    >>> amount_text(23.2, "M$"), amount_text(1.0, "halls"), amount_text(0.35, "share")
    ('23.2 M$', '1 hall', '35 %')
    >>> amount_text(1200.0, "MWh")
    '1,200 MWh'
    """
    if unit == "share":
        return f"{100.0 * number:.6g} %"
    text = f"{number:,.6f}".rstrip("0").rstrip(".")
    singular = unit.removesuffix("s") if text == "1" else unit
    return f"{text} {singular}".rstrip()
