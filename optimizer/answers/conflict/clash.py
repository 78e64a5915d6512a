"""The smallest set of limits that clash: candidates by the relaxation, then a deletion filter.

A limit is freed by typing something in its place that holds nobody back, and the instance is asked
anew whether it has a plan, whole numbers and all. What can be freed and leaves no plan all the
same is no part of the clash. Limits are freed in blocks, halved where a block is needed, so that
a few of a hundred limits are found with some thirty questions and not with a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.allocation import FAMILIES
from models.build import Row
from optimizer.answers.conflict.limits import Limit
from optimizer.answers.conflict.questions import NODES, Posed, Questions, Verdict, freed
from optimizer.case import Case
from optimizer.elastic import relax
from optimizer.highs import Budget, Options
from optimizer.keys import Key
from optimizer.matrix import divided
from optimizer.origins import Labels, key_of
from optimizer.words import period_of

#: What a row of a certificate has to weigh to count, of the heaviest.
WEIGHS = 1e-7
_LETTERS = {family.name: family.letters for family in FAMILIES}


@dataclass(frozen=True)
class Clash:
    """Limits that cannot all hold, while any of them could if one other did not.

    Attributes
    ----------
    limits : tuple of Limit
        In the order of the format's kinds.
    minimal : bool
        Whether it is proved that without any one of them the others can hold together.
    whole_only : bool or None
        Whether there is a plan, with every limit kept, once racks, halls and all else may be
        divided; of several clashes, with the limits of the others freed. None where that is not
        known.
    months : mapping of str to tuple of str
        First months of the periods in which each limit takes part, by its key, as far as the
        relaxation shows them.
    """

    limits: tuple[Limit, ...]
    minimal: bool
    whole_only: bool | None = None
    months: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Filter:
    """Finds clashes of one instance.

    Parameters
    ----------
    questions : Questions
        Asks whether there is a plan.
    limits : sequence of Limit
        All limits of the instance, those first that a planner would rather see left out.
    """

    def __init__(self, questions: Questions, limits: Sequence[Limit]) -> None:
        self.questions = questions
        self.limits = tuple(limits)

    def clash(self, known: Iterable[Limit] = ()) -> Clash | None:
        """Find a clash among limits that are in no known one.

        Returns None where the limits left leave a plan, or where it was not proved in time that
        they leave none.
        """
        before = tuple(known)
        left = [limit for limit in self.limits if limit not in set(before)]
        if not self._stuck(left, before):
            return None
        kept, minimal = self._smallest(left, before)
        posed = self.questions.posed(self._freed_but(kept))
        months = {} if posed is None else dict(_months(posed, kept))
        return Clash(kept, minimal, months=months)

    def _stuck(self, kept: Iterable[Limit], before: Iterable[Limit] = ()) -> bool:
        """Whether limits are proved to leave no plan, with all others freed."""
        return self._verdict(kept, before) == "infeasible"

    def _verdict(self, kept: Iterable[Limit], before: Iterable[Limit] = ()) -> Verdict:
        """Say whether limits leave a plan with all others freed.

        Where none is left so, it is asked again with those as typed of which more costs something:
        what is in the way of a plan may be no more than the MW that are billed then.
        """
        held, known = set(kept), set(before)
        freely = self.questions.verdict(self._freed_but(held))
        if freely != "infeasible":
            return freely
        costly = {one for one in self.limits if one.up and not one.relaxes and one not in known}
        return self.questions.verdict(self._freed_but(held | costly))

    def _freed_but(self, kept: Iterable[Limit]) -> dict[Key, Any]:
        held = set(kept)
        return freed(limit for limit in self.limits if limit not in held)

    def _smallest(
        self, left: Sequence[Limit], before: tuple[Limit, ...]
    ) -> tuple[tuple[Limit, ...], bool]:
        """Find a smallest clash, and say whether it is proved to be one.

        A limit without which all the others leave a plan is part of every clash. Mostly these are
        the clash already; else what is missing is filtered out of the others.
        """
        likely = self._likely(left)
        rest = [limit for limit in left if limit not in likely]
        first = [limit for limit in left if limit in likely]
        needed = {*self._needed(rest, before), *self._needed(first, before)}
        kept = tuple(limit for limit in left if limit in needed)
        if needed and self._stuck(kept, before):
            return kept, True
        for block in (rest, first):
            kept_of = tuple(left) if block is rest else kept
            kept = self._filtered(kept_of, [x for x in block if x not in needed], before)
        return self._confirmed(kept, needed, before)

    def _needed(self, block: Sequence[Limit], before: tuple[Limit, ...]) -> list[Limit]:
        """Limits of a block without any one of which there is a plan."""
        if not block:
            return []
        if self.questions.verdict(freed((*before, *block))) != "feasible":
            return []
        if len(block) == 1:
            return list(block)
        middle = len(block) // 2
        halves = block[:middle], block[middle:]
        return [limit for half in halves for limit in self._needed(half, before)]

    def _filtered(
        self, kept: tuple[Limit, ...], block: Sequence[Limit], before: tuple[Limit, ...]
    ) -> tuple[Limit, ...]:
        """Free what can be freed of a block, and give the limits that are kept then."""
        if not block:
            return kept
        without = tuple(limit for limit in kept if limit not in set(block))
        if self._stuck(without, before):
            return without
        if len(block) == 1:
            return kept
        middle = len(block) // 2
        kept = self._filtered(kept, block[:middle], before)
        return self._filtered(kept, block[middle:], before)

    def _confirmed(
        self, kept: tuple[Limit, ...], needed: set[Limit], before: tuple[Limit, ...]
    ) -> tuple[tuple[Limit, ...], bool]:
        """Prove of each limit that the others can hold without it; free it where they cannot.

        Freed limits may cost something elsewhere, as firm MW do that are billed: so a limit that
        was needed beside many others need not be needed beside few.
        """
        proved = True
        for limit in kept:
            if limit in needed:
                continue
            without = tuple(other for other in kept if other != limit)
            verdict = self._verdict(without, before)
            if verdict == "infeasible":
                return self._confirmed(without, needed, before)
            proved = proved and verdict == "feasible"
        return kept, proved

    def _likely(self, left: Sequence[Limit]) -> set[Limit]:
        """Limits that a proof by the relaxation rests on; all of them where it proves nothing."""
        posed = self.questions.posed(self._freed_but(left))
        if posed is None:
            return set(left)
        names = {name for row in _proof(posed) for name in _names(posed.case, row)}
        if not names:
            return set(left)
        names |= {("policy", "pin")}
        return {limit for limit in left if limit.touches & names}


def _proof(posed: Posed) -> list[Row]:
    """Rows on which a proof rests that no plan exists; empty where there is none.

    The least by which limits have to give, with everything divisible, puts a price on rows: those
    without a price could say anything, and limits would have to give all the same.
    """
    if posed.model.built.contradictions:
        return list(posed.model.built.contradictions)
    matrix, slacks = relax(posed.model, shares=posed.case.given.due_share)
    if not slacks:
        return []
    prices = Budget().run(divided(matrix), Options(gap=0.0, nodes=NODES)).duals
    if prices is None:
        return []
    sizes = np.abs(prices)
    labels = Labels(posed.model.built)
    heavy = np.flatnonzero(sizes > WEIGHS * max(1e-300, sizes.max(initial=0.0)))
    return [labels.row(posed.model.matrix.row_names[i]) for i in heavy.tolist()]


def _names(case: Case, row: Row) -> Iterator[tuple[str, str]]:
    """Tables and names that a row speaks of."""
    family, index = row
    g = case.given
    subject = family.partition(".")[0]
    if subject == "capital":
        yield "finance", ""
    elif subject in ("policy", "uptime"):
        yield subject, ""
    for letter, value in zip(_LETTERS[family], index, strict=False):
        if letter == "s":
            yield "sites", value
        elif letter in ("c", "e"):
            yield "contracts", value
        elif letter == "j":
            yield "projects", value
        elif letter == "k":
            yield from (("racks", value), ("gpu_cloud", value))
        elif letter in ("h", "p"):
            hall = value if letter == "h" else g.hall_of[value]
            yield from (("halls", hall), ("sites", case.instance.halls[hall].site))
            if letter == "p":
                yield "fitouts", g.fitout_of[value]


def _months(posed: Posed, limits: Sequence[Limit]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """First months of the periods in which limits take part in the proof of the relaxation."""
    rows = _proof(posed)
    tree = posed.case.given.tree
    for limit in limits:
        own = [
            row
            for row in rows
            if key_of(posed.case, row, None) == limit.key
            or (_is_of(posed.case, row, limit) and limit.parts[0] != "finance")
        ]
        months = [
            period_of(tree, index[_LETTERS[family].index("n")])
            for family, index in own
            if "n" in _LETTERS[family]
        ]
        if months:
            yield limit.key, tuple(dict.fromkeys(sorted(months)))


def _is_of(case: Case, row: Row, limit: Limit) -> bool:
    """Whether a row speaks of what a limit is about."""
    return bool(limit.touches & set(_names(case, row)))
