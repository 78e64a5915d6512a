"""What is compared: an instance with its hours, and a plan of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from models.build import Column
from models.context import Context
from models.hours import Hours
from optimizer.case import Case
from optimizer.solve import Solved

#: What an instance says as one document: tables by name, with all that files and catalogue hold.
Document = Mapping[str, Any]
#: Makes a case of a document and the priced hours of its supplies; refuses what is none.
MakeCase = Callable[[Document, Mapping[str, Hours]], Case]


@dataclass(frozen=True, eq=False)
class Side:
    """One of the things that are compared.

    Attributes
    ----------
    label : str
        What it is called.
    document : mapping
        What was given, as one document.
    hours : mapping of str to Hours
        Priced hours of each block of power.
    case : Case
        Its numbers.
    solved : Solved
        Its plan.
    policy : mapping
        Decisions that the instance's own policy takes.
    make_case : callable
        Makes a case of another document in its place.
    """

    label: str
    document: Document
    hours: Mapping[str, Hours]
    case: Case
    solved: Solved
    policy: Mapping[Column, float]
    make_case: MakeCase

    @property
    def plan(self) -> Context:
        """The plan; a side without one is not compared."""
        assert self.solved.plan is not None
        return self.solved.plan

    @property
    def value_musd(self) -> float:
        """What the plan is worth."""
        assert self.solved.value_musd is not None
        return self.solved.value_musd
