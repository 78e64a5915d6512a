"""What the unknowns of a case mean: the same for all cases that have the same ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.build import Column
from models.context import Context
from models.decisions import DECISIONS
from models.given import Given
from models.indices import Index
from optimizer.matrix import Flags, Floats
from optimizer.search import LARGE

#: Whole numbers that no one acts on: how a plant that stands carries what is served.
FOLLOWING = frozenset({"held", "served", "promised", "pool"})
#: What runs, is short or is left hour by hour.
HOURLY = frozenset({"mining", "curtailed", "unused"})
#: Decisions that doing nothing leaves untouched: keep what stands, order and sign nothing.
ACTIONS = frozenset({"conversions", "builds", "plant_orders", "orders", "leaving", "signing"})


class Layout:
    """Unknowns in the order of their declaration, and what is asked of them by name.

    Parameters
    ----------
    columns : sequence of Column
        Decision and index of each; those of a decision stand together.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self._named_last: tuple[Mapping[Column, float], Floats] | None = None

    def _named(self, names: frozenset[str]) -> Flags:
        return np.array([name in names for name, _ in self.columns], bool)

    @cached_property
    def large(self) -> Flags:
        """Which columns are large decisions."""
        return self._named(LARGE)

    @cached_property
    def follows(self) -> Flags:
        """Which columns follow from the actions of a plan, though they are whole."""
        return self._named(FOLLOWING)

    @cached_property
    def hourly(self) -> Flags:
        """Which columns stand for hours."""
        return self._named(HOURLY)

    @cached_property
    def actions(self) -> Flags:
        """Which columns doing nothing leaves untouched."""
        return self._named(ACTIONS)

    @cached_property
    def kinds(self) -> NDArray[np.int64]:
        """Columns numbered by what they decide, whatever the date."""
        numbers: dict[tuple[Any, ...], int] = {}
        return np.array(
            [numbers.setdefault((name, *index[1:]), len(numbers)) for name, index in self.columns],
            np.int64,
        )

    @cached_property
    def place(self) -> Mapping[Column, int]:
        """Position of each column."""
        return {column: j for j, column in enumerate(self.columns)}

    @cached_property
    def indices(self) -> Mapping[str, tuple[slice, list[Index]]]:
        """Where each decision's columns stand, and their indices."""
        found: dict[str, list[Index]] = {decision.name: [] for decision in DECISIONS}
        begins = dict.fromkeys(found, 0)
        for j, (name, index) in enumerate(self.columns):
            if not found[name]:
                begins[name] = j
            found[name].append(index)
        return {name: (slice(b := begins[name], b + len(i)), i) for name, i in found.items()}

    @cached_property
    def domains(self) -> Mapping[str, Flags]:
        """Which columns may not be negative, are no more than one, and are whole."""
        domain = {decision.name: decision.domain for decision in DECISIONS}
        of = np.array([domain[name] for name, _ in self.columns], dtype="U8")
        whole = (of == "integer") | (of == "binary")
        return {"positive": of != "real", "binary": of == "binary", "whole": whole}

    def named(self, values: Mapping[Column, float]) -> Floats:
        """Write values by column as a point, not a number where there is none."""
        if self._named_last is None or self._named_last[0] is not values:
            known = np.array([values.get(column, math.nan) for column in self.columns], float)
            self._named_last = values, known
        return self._named_last[1].copy()

    def context(self, given: Given, point: Floats) -> Context:
        """Read a point as the numbers of a plan."""
        plan: Context = object.__new__(_Read)
        plan.__dict__["given"] = given
        plan.__dict__["_from"] = self.indices, point.copy()
        return plan


class _Read(Context):
    """A plan whose decisions are named as they are first asked for: most audits ask for few."""

    def __getattr__(self, name: str) -> dict[Index, float]:
        indices, point = self.__dict__.get("_from", ({}, None))
        if name not in indices:
            raise AttributeError(name)
        span, named = indices[name]
        values: dict[Index, float] = dict(zip(named, point[span].tolist(), strict=True))
        self.__dict__[name] = values
        return values
