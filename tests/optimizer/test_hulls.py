"""Limits on mixes are the faces of all that whole halls hold: none is wrong, none is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from optimizer import hulls, splits
from optimizer.audit import SPLIT, TOO_MANY, _unsplit
from optimizer.case import prepare
from optimizer.crowded import Crowded, is_narrowed, narrowed_as
from optimizer.highs import Options
from optimizer.hulls import faces
from optimizer.solve import solve
from optimizer.splits import fillings, split_halls
from tests.benchmarks.fleet import drawn_hours, random_fleet
from tests.optimizer.test_splits import P, crowded, halls_of

TYPES = "abcd"


def drawn(count: int) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    """Halls and two to four types of rack, with their fillings and the limits on mixes."""
    rng = np.random.default_rng(5)
    for _ in range(count):
        types = TYPES[: int(rng.integers(2, 5))]
        sizes = dict(zip(types, rng.uniform(0.6, 4.0, len(types)).round(3).tolist(), strict=True))
        given = halls_of(10.0, sizes, float(rng.integers(4, 14)))
        given.rack_positions = {k: float(rng.integers(1, 4)) for k in types}
        listed = [[filling.get(k, 0.0) for k in types] for filling in fillings(given, P)]
        limits = [[face.get(k, 0.0) for k in types] for face in faces(given, P)]
        yield given, np.array(listed), np.array(limits)


def holds(listed: np.ndarray, racks: np.ndarray) -> bool:
    """Whether fillings, in parts that come to one, hold at least these racks."""
    found = linprog(
        np.zeros(len(listed)), A_ub=-listed.T, b_ub=-racks,
        A_eq=np.ones((1, len(listed))), b_eq=[1.0],
    )  # fmt: skip
    return bool(found.status == 0)


def test_mixes_within_the_limits_are_those_that_halls_hold_in_parts():
    """Along any direction the limits end where fillings mixed in any parts end."""
    rng = np.random.default_rng(6)
    for _, listed, limits in drawn(40):
        assert (listed @ limits.T).max(axis=0) == pytest.approx(1.0)
        for _ in range(10):
            way = rng.uniform(0.0, 1.0, listed.shape[1]) * (rng.random(listed.shape[1]) < 0.8)
            if not way.any():
                continue
            ends = way / (limits @ way).max()
            assert holds(listed, ends * (1 - 1e-7))
            assert not holds(listed, ends * (1 + 1e-6))


def test_no_racks_that_split_are_cut_off_and_most_that_do_not_are():
    rng = np.random.default_rng(8)
    counted = {(True, True): 0, (False, True): 0, (False, False): 0}
    for given, listed, limits in drawn(40):
        halls = int(rng.integers(2, 5))
        types = given.racks_at[P]
        mw = np.array([given.rack_mw[k] for k in types])
        taken = np.array([given.rack_positions[k] for k in types])
        for _ in range(30):
            # Just what fits the group by MW and by positions: that is where racks do not split.
            parts = rng.dirichlet(np.ones(len(types))) * halls * (listed.max(axis=0) + 0.5)
            racks = np.rint(parts).astype(int)
            if racks @ mw > halls * 10.0 or racks @ taken > halls * given.hall_positions[P]:
                continue
            stand = dict(zip(types, racks.tolist(), strict=True))
            splits_up = split_halls(given, P, halls, stand, {}) is not None
            within = bool((limits @ racks <= halls * (1 + 1e-9)).all())
            assert within or not splits_up
            counted[splits_up, within] += 1
    assert counted[False, False] > 10 * max(1, counted[False, True])
    assert counted[True, True] > 100


def test_halls_of_one_type_or_of_too_many_have_no_limits_on_mixes(
    monkeypatch: pytest.MonkeyPatch,
):
    sizes = dict(zip("abcdef", (0.9, 1.1, 1.3, 1.7, 2.1, 2.3), strict=True))
    assert not faces(halls_of(10.0, {"a": 0.9}), P)
    # Only one of these fits a hall at all.
    assert not faces(halls_of(10.0, {"a": 0.9, "b": 11.0}), P)
    assert not faces(halls_of(10.0, sizes), P)
    del sizes["f"]
    assert faces(halls_of(5.0, sizes), P)
    two = halls_of(10.0, {"L": 0.98, "S": 0.84})
    assert len(faces(two, P)) == 2
    monkeypatch.setattr(hulls, "MOST_FILLED", 7)
    assert not faces(two, P)
    monkeypatch.undo()
    # As many fillings as are listed, and one more.
    monkeypatch.setattr(hulls, "MOST_FILLED", 2 * len(two.tree.nodes))
    monkeypatch.setattr(hulls, "MOST_LISTED", len(fillings(two, P)))
    assert faces(two, P)
    monkeypatch.setattr(hulls, "MOST_LISTED", len(fillings(two, P)) - 1)
    assert not faces(two, P)
    # What may have a column each is listed in any case.
    monkeypatch.setattr(hulls, "MOST_FILLED", len(fillings(two, P)) * len(two.tree.nodes))
    assert faces(two, P)


def test_what_fits_no_hall_takes_no_part_in_a_mix():
    given = halls_of(10.0, {"L": 0.98, "S": 0.84, "huge": 10.5})
    assert faces(given, P) == faces(halls_of(10.0, {"L": 0.98, "S": 0.84}), P)


def test_crowded_places_have_their_mixes_limited_first_and_their_halls_filled_then():
    case = crowded()
    once = Crowded((P,)).narrowed(case)
    assert (set(once.given.mixes), set(once.given.fillings)) == ({P}, set())
    twice = Crowded((P,)).narrowed(once)
    assert twice.given.mixes == once.given.mixes
    assert set(twice.given.fillings) == {P}
    assert narrowed_as(case, twice.given).given == twice.given
    # What was written down stays, whatever else turns out crowded.
    assert Crowded().narrowed(twice).given == twice.given
    bare = replace(case.given, fillings=twice.given.fillings)
    assert [is_narrowed(g) for g in (case.given, once.given, bare)] == [False, True, True]


def test_where_there_are_no_limits_on_mixes_halls_are_filled_at_once(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("optimizer.crowded.faces", lambda *_: ())
    once = Crowded((P,)).narrowed(crowded())
    assert (set(once.given.mixes), set(once.given.fillings)) == (set(), {P})


def test_limits_on_mixes_prove_what_fillings_prove(monkeypatch: pytest.MonkeyPatch):
    """The plan of a crowded case is the best, proved without a column for any filling."""
    exact = Options(gap=1e-9)
    mixed = solve(crowded(), exact)
    assert mixed.status == "solved"
    assert mixed.plan is not None
    assert not mixed.plan.given.fillings
    assert set(mixed.plan.given.mixes) == {P}
    monkeypatch.setattr("optimizer.crowded.faces", lambda *_: ())
    filled = solve(crowded(), exact)
    assert filled.plan is not None
    assert filled.plan.given.fillings
    assert mixed.value_musd == pytest.approx(filled.value_musd, rel=1e-9)


def test_racks_within_the_limits_that_do_not_split_have_their_halls_filled(
    monkeypatch: pytest.MonkeyPatch,
):
    """Limits that say nothing leave the mix as it was: fillings come next."""
    monkeypatch.setattr("optimizer.crowded.faces", lambda *_: ({"L": 0.01, "S": 0.01},))
    solved = solve(crowded())
    assert solved.status == "solved"
    assert solved.plan is not None
    assert set(solved.plan.given.mixes) == set(solved.plan.given.fillings) == {P}


def test_mixes_are_limited_place_by_place():
    instance = random_fleet(4, 6, 2, seed=1)
    case = prepare(instance, drawn_hours(instance, 1))
    mixed = [p for p in case.given.racks_at if faces(case.given, p)]
    assert len(mixed) > 2
    once = Crowded((mixed[0],)).narrowed(case)
    assert set(once.given.mixes) == {mixed[0]}
    both = Crowded((mixed[1],)).narrowed(once)
    assert both.given.mixes == {p: faces(case.given, p) for p in mixed[:2]}
    assert not both.given.fillings
    # What is limited already and still crowded is filled one by one, and the rest stays.
    again = Crowded((mixed[0],)).narrowed(both)
    assert again.given.mixes == both.given.mixes
    assert set(again.given.fillings) == {mixed[0]}


def test_mixes_are_limited_where_fillings_are_too_many_for_columns(
    monkeypatch: pytest.MonkeyPatch,
):
    best = solve(crowded())
    monkeypatch.setattr(splits, "MOST_FILLED", 10)
    solved = solve(crowded())
    assert solved.plan is not None
    assert set(solved.plan.given.mixes) == {P}
    assert not solved.plan.given.fillings
    assert solved.status == "solved"
    assert solved.value_musd == pytest.approx(best.value_musd, rel=1e-4)


def test_a_place_with_too_many_fillings_never_gets_a_column_for_each(
    monkeypatch: pytest.MonkeyPatch,
):
    """Not even where a plan from before its mixes were limited is looked at again."""
    monkeypatch.setattr(splits, "MOST_FILLED", 10)
    once = Crowded((P,)).narrowed(crowded())
    assert set(once.given.mixes) == {P}
    again = Crowded((P,)).narrowed(once)
    assert again.given.mixes == once.given.mixes
    assert not again.given.fillings


def test_what_is_limited_already_and_has_too_many_fillings_is_said_to(
    monkeypatch: pytest.MonkeyPatch,
):
    case = crowded()
    assert _unsplit(case.given, P)[0] == SPLIT
    monkeypatch.setattr(splits, "MOST_FILLED", 10)
    assert _unsplit(case.given, P)[0] == SPLIT
    assert _unsplit(Crowded((P,)).narrowed(case).given, P)[0] == TOO_MANY
