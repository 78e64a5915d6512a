"""One algebra, read many ways.

A family of constraints is written once, with ``+``, ``-``, ``*`` and :func:`total`, on whatever
its context holds: *unknowns* (to make the rows of a model), floats (to audit a plan), or
quantities with units (to test dimensions). The three functions :func:`at_most`,
:func:`at_least` and :func:`equal` return the relation; who reads it decides what it becomes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

#: A number in one of its readings: float, Affine, or a quantity with a unit.
Number = Any


class Affine:
    """A constant plus coefficients times unknowns, in the order they were written.

    Parameters
    ----------
    columns : list of int
        Which unknown each term multiplies.
    coefficients : list of float
        By how much.
    constant : float
        The rest.
    """

    __slots__ = ("coefficients", "columns", "constant")

    def __init__(
        self, columns: list[int], coefficients: list[float], constant: float = 0.0
    ) -> None:
        self.columns = columns
        self.coefficients = coefficients
        self.constant = constant

    def __mul__(self, factor: float) -> Affine:
        return Affine(
            self.columns, [factor * a for a in self.coefficients], factor * self.constant
        )

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Affine:
        return self * (1.0 / divisor)

    def __neg__(self) -> Affine:
        return self * -1.0

    def __add__(self, other: Number) -> Affine:
        if isinstance(other, Affine):
            return Affine(
                self.columns + other.columns,
                self.coefficients + other.coefficients,
                self.constant + other.constant,
            )
        return Affine(self.columns, self.coefficients, self.constant + other)

    __radd__ = __add__

    def __sub__(self, other: Number) -> Affine:
        return self.__add__(-other)

    def __rsub__(self, other: Number) -> Affine:
        return (-self).__add__(other)

    def __repr__(self) -> str:
        terms = " ".join(
            f"{a:+g}·x{j}" for j, a in zip(self.columns, self.coefficients, strict=True)
        )
        return f"<{terms} {self.constant:+g}>"


def unknown(column: int) -> Affine:
    """One unknown, by its column number."""
    return Affine([column], [1.0])


def total(items: Iterable[Number]) -> Number:
    """Sum numbers of any reading; an empty sum is zero.

    Python's own ``sum`` would copy a growing row at every step; this one extends it.

    Examples
    --------
    >>> total([1.5, 2.0]), total([])
    (3.5, 0.0)
    >>> total([2 * unknown(0), 3 * unknown(4), 7.0])
    <+2·x0 +3·x4 +7>
    """
    columns: list[int] = []
    coefficients: list[float] = []
    constant: Number = 0.0
    for item in items:
        if type(item) is Affine:
            columns += item.columns
            coefficients += item.coefficients
            constant += item.constant
        else:
            constant = constant + item
    return Affine(columns, coefficients, constant) if columns else constant


Sense = Literal["<=", ">=", "=="]


@dataclass(frozen=True, slots=True)
class Relation:
    """What must hold between two numbers."""

    left: Number
    sense: Sense
    right: Number

    def excess(self) -> Number:
        """By how much the relation is broken, in its own unit; at most zero where it holds."""
        gap = self.left - self.right
        if self.sense == "==":
            return abs(gap)
        return gap if self.sense == "<=" else -gap


def at_most(left: Number, right: Number) -> Relation:
    """``left`` must not exceed ``right``."""
    return Relation(left, "<=", right)


def at_least(left: Number, right: Number) -> Relation:
    """``left`` must reach ``right``."""
    return Relation(left, ">=", right)


def equal(left: Number, right: Number) -> Relation:
    """``left`` and ``right`` must agree."""
    return Relation(left, "==", right)
