"""Doing nothing, remembered across cases that differ in nothing that it feels.

Most points of a sweep move limits which doing nothing does not come near: a budget, a share, a
date of others' offers. What doing nothing comes to follows from the relations of its case. Where
all families but some have the very rows that they had before, and in these nothing stands that
doing nothing leaves open, it comes to the same as long as they hold at all; and that is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.build import Row
from optimizer.known import Known
from optimizer.matrix import Flags, Floats
from optimizer.rows import Checked

#: A point of the model, and what it is worth, in M$.
Still = tuple[Floats, float]
#: Most cases in which doing nothing is remembered, each with the rows of all families.
MOST = 128


@dataclass(frozen=True, eq=False)
class _Before:
    """What doing nothing came to, where, and in which rows it has to be looked at again."""

    still: Still
    point: Floats
    rows: list[Row]
    looked_at: Flags
    #: Held, so that no other object takes their identities.
    made_of: tuple[object, ...]


class Stills:
    """What doing nothing came to in cases with the same unknowns.

    What a case is made of is told by objects under names: the rows of each family under the name
    of the family, whatever else a plan is followed through and audited by under others. The same
    object says the same.
    """

    def __init__(self) -> None:
        self._ways: list[frozenset[str]] = []
        self._known: Known[_Before] = Known(MOST)

    def find(self, made_of: Mapping[str, object], checked: Checked) -> Still | None:
        """Look for a case that doing nothing cannot tell from this one."""
        for loose in self._ways:
            key = _key(made_of, loose)
            if key in self._known:
                before = self._known[key]
                # Families that are left alone may have other rows than they had.
                as_then = checked.rows is before.rows
                looked_at = before.looked_at if as_then else _rows_of(checked, loose)
                if checked.holds(before.point, looked_at):
                    return before.still
        return None

    def keep(
        self,
        still: Still,
        point: Floats,
        free: Flags,
        made_of: Mapping[str, object],
        checked: Checked,
    ) -> None:
        """Remember what doing nothing came to.

        Parameters
        ----------
        still : Still
            What it came to.
        point : float array, shape (columns,)
            Where, with all that follows.
        free : bool array, shape (columns,)
            What it had to decide.
        made_of : mapping of str to object
            What the case is made of.
        checked : Checked
            Its relations.
        """
        loose = untouched(checked, free) & set(made_of)
        if loose not in self._ways:
            self._ways.append(loose)
        held, looked_at = tuple(made_of.values()), _rows_of(checked, loose)
        before = _Before(still, point, checked.rows, looked_at, held)
        self._known[_key(made_of, loose)] = before


def untouched(checked: Checked, free: Flags) -> frozenset[str]:
    """Families whose rows are limits, and hold nothing that is still to be decided."""
    touches = checked.sense == 0
    for side in (checked.left.coefficients, checked.right.coefficients):
        # Wherever a coefficient may stand: a case that differs may have one there.
        row = np.repeat(np.arange(len(touches)), np.diff(side.indptr))
        touches |= np.bincount(row, free[side.indices], len(touches)) > 0
    names = [name for name, _ in checked.rows]
    touched = {
        name for name, is_touched in zip(names, touches.tolist(), strict=True) if is_touched
    }
    return frozenset(names) - touched


def _rows_of(checked: Checked, families: frozenset[str]) -> Flags:
    return np.array([name in families for name, _ in checked.rows], bool)


def _key(
    made_of: Mapping[str, object], loose: frozenset[str]
) -> tuple[frozenset[str], tuple[int, ...]]:
    return loose, tuple(id(part) for name, part in made_of.items() if name not in loose)
