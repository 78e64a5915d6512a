"""Which limits a plan presses against, read off the same relations that made its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.allocation import FAMILIES, Family
from models.context import Context
from models.indices import Index
from models.relation import Relation
from optimizer.words import in_typed_unit, limit_words, month_of, sentence, whereabouts

#: A limit binds where its two sides differ by no more than this, relative to their size.
TOLERANCE = 1e-6
#: Limits that all that stands reaches by leaving, whether or not they hold anything back.
REACHED_BY_LEAVING = frozenset({"halls.works_limit", "racks.leaving_limit"})


@dataclass(frozen=True)
class BindingRow:
    """One limit that binds.

    Attributes
    ----------
    limit, about, meaning : str
        Name of the family, what it is about, and what it demands.
    node, month : int, str
        Period and its first month.
    where : str
        Site, hall, contract and so on.
    taken, limit_value : float
        Both sides, in ``unit``.
    unit : str
        Unit of both.
    """

    limit: str
    about: str
    meaning: str
    node: int
    month: str
    where: str
    taken: float
    limit_value: float
    unit: str


def binding(plan: Context) -> Iterator[BindingRow]:
    """List typed limits without slack; those whose both sides are zero limit nothing."""
    return (row_of(plan, *pressed) for pressed in pressing(plan))


def pressing(plan: Context) -> Iterator[tuple[Family, Index, Relation]]:
    """Walk the relations of these limits, with their families and indices."""
    for family in FAMILIES:
        if family.limit and family.name not in REACHED_BY_LEAVING:
            for index, relation in family.relations(plan):
                if _binds(relation) and not _idle(plan, family, index):
                    yield family, index, relation


def _idle(plan: Context, family: Family, index: Index) -> bool:
    """Whether a limit is of a class of promises that the site does not serve at all."""
    if "q" not in family.letters or "s" not in family.letters:
        return False
    n, s, q = (index[family.letters.index(letter)] for letter in "nsq")
    return bool(plan.promised.get((n, s, q), 1.0) < 0.5)


def _binds(relation: Relation) -> bool:
    left, right = float(relation.left), float(relation.right)
    size = max(abs(left), abs(right))
    if relation.sense == "==" or size <= TOLERANCE:
        return False
    return abs(left - right) <= TOLERANCE * max(1.0, size)


def row_of(plan: Context, family: Family, index: Index, relation: Relation) -> BindingRow:
    """Say in the planner's words which limit binds, where and when."""
    words, n = limit_words(family.name), index[family.letters.index("n")]
    taken, unit = in_typed_unit(plan.given, family.name, index, float(relation.left))
    most, _ = in_typed_unit(plan.given, family.name, index, float(relation.right))
    return BindingRow(
        family.name, words.phrase, sentence(family), n, month_of(plan.given.tree, n),
        whereabouts(family.letters, index), taken, most, unit,
    )  # fmt: skip
