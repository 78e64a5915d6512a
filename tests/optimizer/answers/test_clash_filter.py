"""The deletion filter against every set of a few limits: which are infeasible is written down."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from optimizer.answers.conflict.clash import Clash, Filter
from optimizer.answers.conflict.limits import Limit
from optimizer.answers.conflict.questions import Verdict

NAMES = "abcdefghijk"


def limit(name: str, *, relaxes: bool = True) -> Limit:
    return Limit(name, (name,), name, "", "", 1.0, True, "amount", {(name,): 2.0}, frozenset(),
                 name, relaxes=relaxes)  # fmt: skip


class Written:
    """Answers questions from a list of sets of limits that clash."""

    def __init__(self, clashes: Iterable[str], open_: Iterable[str] = ()) -> None:
        self.clashes = [frozenset(clash) for clash in clashes]
        self.open = [frozenset(kept) for kept in open_]
        self.asked: set[frozenset[str]] = set()

    def verdict(self, edits: Mapping[Any, Any]) -> Verdict:
        kept = frozenset(NAMES) - {key[0] for key in edits}
        self.asked.add(kept)
        if kept in self.open:
            return "undecided"
        return "infeasible" if any(clash <= kept for clash in self.clashes) else "feasible"

    def posed(self, _: Any) -> None:
        """No relaxation tells which limits are likely."""


def found(written: Any) -> Clash | None:
    return Filter(written, [limit(name) for name in NAMES]).clash()


def names(clash: Clash | None) -> str:
    assert clash is not None
    return "".join(sorted(one.key for one in clash.limits))


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_clash_is_found_wherever_its_limits_stand(width: int) -> None:
    for planted in map("".join, itertools.combinations(NAMES, width)):
        written = Written([planted])
        clash = found(written)
        assert names(clash) == planted
        assert clash is not None
        assert clash.minimal
        # Each is needed, and halving finds it; of eleven limits, no more than that asks.
        assert len(written.asked) <= 2 + 9 * width


@pytest.mark.parametrize("width", [1, 2, 3])
def test_what_is_part_of_every_clash_is_found_by_halves(width: int) -> None:
    limits = [limit(name) for name in NAMES]
    for planted in map("".join, itertools.combinations(NAMES, width)):
        searching = Filter(Written([planted]), limits)  # type: ignore[arg-type]
        assert "".join(x.key for x in searching._needed(limits, ())) == planted


def test_of_two_clashes_one_is_told_whole() -> None:
    """Where no limit is part of both, none is needed: what can be freed is filtered out."""
    pairs = list(itertools.combinations(NAMES[:7], 2))
    for one, other in itertools.combinations(map("".join, pairs), 2):
        clash = found(Written([one, other]))
        assert names(clash) in (one, other)
        assert clash is not None
        assert clash.minimal


def test_what_is_filtered_by_halves_is_a_clash_and_nothing_else() -> None:
    """Before anything is confirmed: no limit is passed over on the way."""
    limits = tuple(limit(name) for name in NAMES)
    pairs = list(map("".join, itertools.combinations(NAMES, 2)))
    for one, other in zip(pairs, reversed(pairs), strict=True):
        searching = Filter(Written([one, other]), limits)  # type: ignore[arg-type]
        kept = "".join(x.key for x in searching._filtered(limits, limits, ()))
        assert kept in (one, other)


def test_a_clash_within_a_larger_one_is_told() -> None:
    assert names(found(Written(["abcd", "bd"]))) == "bd"
    assert names(found(Written(["", "a"]))) == ""


def test_what_is_no_clash_is_none() -> None:
    assert found(Written([])) is None


def test_a_question_left_open_leaves_open_whether_the_set_is_smallest() -> None:
    """Of b, d and h it is not known whether b and d alone leave a plan."""
    two = ["bdh", "ck"]
    assert names(found(Written(two))) in ("bdh", "ck")
    [told] = {names(found(Written(two)))}
    without_one = {frozenset(told) - {name} for name in told}
    clash = found(Written(two, ["".join(one) for one in without_one]))
    assert names(clash) == told
    assert clash is not None
    assert not clash.minimal


def test_a_known_clash_is_not_told_again() -> None:
    limits = {name: limit(name) for name in NAMES}
    searching = Filter(Written(["bd", "ck"]), list(limits.values()))  # type: ignore[arg-type]
    first = searching.clash()
    assert first is not None
    second = searching.clash(first.limits)
    assert {names(first), names(second)} == {"bd", "ck"}
    assert second is not None
    assert searching.clash((*first.limits, *second.limits)) is None
