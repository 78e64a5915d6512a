"""Racks of a group stand in whole halls: the split is constructed, or the halls are filled."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.hours import flat
from models.instance import Instance
from optimizer import hulls, splits
from optimizer import solve as solving
from optimizer.audit import Breach
from optimizer.case import Case, prepare
from optimizer.crowded import with_room
from optimizer.highs import Options
from optimizer.layout import Layout
from optimizer.matrix import Matrix, dense_matrix
from optimizer.solve import solve
from optimizer.splits import fillings, fillings_fit, split_halls
from tests.models.tiny import BASE

P = "h:mine"


def halls_of(
    mw: float,
    racks: dict[str, float],
    positions: float | None = None,
    *,
    densities: dict[str, float] | None = None,
    nodes: int = 4,
) -> Any:
    """A place whose halls hold so many MW, and racks of such sizes."""
    return SimpleNamespace(
        hall_mw={P: mw},
        hall_positions={} if positions is None else {P: positions},
        rack_mw=racks,
        rack_positions=dict.fromkeys(racks, 1.0),
        racks_at={P: tuple(racks)},
        tenant_positions=densities or {},
        tree=SimpleNamespace(nodes=range(nodes)),
    )


def by_enumeration(given: Any, halls: int, racks: dict[str, int]) -> bool:
    """Try every way to put every rack into every hall."""
    sizes = [given.rack_mw[k] for k, number in racks.items() for _ in range(number)]
    room = given.hall_positions.get(P, 99)
    for halls_taken in product(range(halls), repeat=len(sizes)):
        loads = [0.0] * halls
        counts = [0] * halls
        for hall, mw in zip(halls_taken, sizes, strict=True):
            loads[hall] += mw
            counts[hall] += 1
        if max(loads) <= given.hall_mw[P] * (1 + 1e-9) and max(counts) <= room:
            return True
    return False


def test_a_split_exists_exactly_where_enumeration_finds_one():
    rng = np.random.default_rng(3)
    found = {True: 0, False: 0}
    for _ in range(400):
        given = halls_of(
            10.0,
            dict(zip("abc", rng.uniform(1.5, 6.0, 3).round(2), strict=True)),
            float(rng.integers(2, 5)) if rng.random() < 0.5 else None,
        )
        halls = int(rng.integers(2, 4))
        racks = {k: int(rng.integers(0, 4)) for k in "abc"}
        if sum(racks.values()) > 7:
            continue
        split = split_halls(given, P, halls, racks, {})
        assert (split is not None) == by_enumeration(given, halls, racks)
        found[split is not None] += 1
        if split is not None:
            assert len(split) == halls
            for k, number in racks.items():
                assert sum(stand.get(k, 0) for stand, _ in split) == number
            for stand, _ in split:
                assert sum(given.rack_mw[k] * m for k, m in stand.items()) <= 10.0 * (1 + 1e-9)
    assert min(found.values()) > 30


def test_tenants_fill_what_racks_leave():
    given = halls_of(10.0, {"a": 4.0})
    split = split_halls(given, P, 2, {"a": 3}, {"x": 7.5})
    assert split is not None
    assert [tenants["x"] for _, tenants in split] == [pytest.approx(2.0), pytest.approx(5.5)]
    assert split_halls(given, P, 2, {"a": 3}, {"x": 8.5}) is None


def test_tenants_need_positions_beside_megawatts():
    """Ten small racks take every position of one hall, or half of those of two."""
    given = halls_of(10.0, {"a": 0.2}, 10.0, densities={"x": 0.5})
    split = split_halls(given, P, 2, {"a": 10}, {"x": 16.0})
    assert split is not None
    for racks, tenants in split:
        assert 0.2 * racks.get("a", 0) + tenants["x"] <= 10.0 * (1 + 1e-6)
        assert racks.get("a", 0) + 0.5 * tenants["x"] <= 10.0 * (1 + 1e-6)
    # Three racks of five positions leave five in one hall and none in the other, however they
    # stand: two megawatts of tenants want five positions, and four have ten MW beside them.
    wide = halls_of(10.0, {"a": 1.0}, 10.0, densities={"x": 2.5})
    wide.rack_positions = {"a": 5.0}
    assert split_halls(wide, P, 2, {"a": 3}, {"x": 2.0}) is not None
    assert split_halls(wide, P, 2, {"a": 3}, {"x": 2.1}) is None
    # Without positions the MW alone would let them in.
    wide.hall_positions = {}
    wide.rack_positions = {"a": 0.0}
    assert split_halls(wide, P, 2, {"a": 3}, {"x": 2.1}) is not None


def test_megawatts_and_positions_left_in_different_halls_do_not_add_up():
    """One rack takes nearly all MW of its hall, the other nearly all positions of its own."""
    given = halls_of(10.0, {"hot": 9.0, "wide": 6.0}, 10.0, densities={"x": 1.0})
    given.rack_positions = {"hot": 1.0, "wide": 9.0}
    # Together the halls leave 5 MW and 10 positions, yet one MW in each hall is all that goes.
    assert split_halls(given, P, 2, {"hot": 1, "wide": 1}, {"x": 2.0}) is not None
    assert split_halls(given, P, 2, {"hot": 1, "wide": 1}, {"x": 2.1}) is None


def test_contracts_of_two_densities_share_halls():
    """The dense one goes where positions are scarce, the other where MW are."""
    given = halls_of(10.0, {"hot": 9.0, "wide": 2.0}, 10.0, densities={"dense": 0.25, "thin": 4.0})
    given.rack_positions = {"hot": 1.0, "wide": 9.0}
    split = split_halls(given, P, 2, {"hot": 1, "wide": 1}, {"dense": 4.0, "thin": 1.0})
    assert split is not None
    assert sum(tenants.get("dense", 0.0) for _, tenants in split) == pytest.approx(4.0)
    assert split_halls(given, P, 2, {"hot": 1, "wide": 1}, {"dense": 4.5, "thin": 1.0}) is None


def shared_by_brute_force(given: Any, halls: int, racks: dict[str, int], mw: float) -> bool:
    """Whether some way to put every rack into every hall leaves one tenant its MW."""
    named = [k for k, number in racks.items() for _ in range(number)]
    density, room = given.tenant_positions["x"], given.hall_positions[P]
    best = -1.0
    for taken in product(range(halls), repeat=len(named)):
        mws, positions = [given.hall_mw[P]] * halls, [room] * halls
        for hall, k in zip(taken, named, strict=True):
            mws[hall] -= given.rack_mw[k]
            positions[hall] -= given.rack_positions[k]
        if min(*mws, *positions) >= -1e-9:
            left = zip(mws, positions, strict=True)
            best = max(best, sum(max(0.0, min(a, b / density)) for a, b in left))
    return best >= mw - 1e-7


def test_halls_are_shared_exactly_where_enumeration_finds_a_way():
    rng = np.random.default_rng(7)
    found = {True: 0, False: 0}
    for _ in range(300):
        sizes = dict(zip("ab", rng.uniform(0.5, 5.0, 2).round(2).tolist(), strict=True))
        density = float(rng.uniform(0.3, 2.0))
        given = halls_of(10.0, sizes, 8.0, densities={"x": density})
        given.rack_positions = dict(zip("ab", rng.integers(1, 6, 2).tolist(), strict=True))
        halls, racks = int(rng.integers(2, 4)), {k: int(rng.integers(0, 4)) for k in "ab"}
        if not sum(racks.values()):
            continue
        left = halls * 10.0 - sum(sizes[k] * m for k, m in racks.items())
        free = halls * 8.0 - sum(given.rack_positions[k] * m for k, m in racks.items())
        mw = round(max(0.0, min(left, free / density)) * float(rng.uniform(0.7, 1.0)), 2)
        split = split_halls(given, P, halls, racks, {"x": mw})
        possible = shared_by_brute_force(given, halls, racks, mw)
        assert (split is not None) == possible
        found[possible] += 1
    assert min(found.values()) > 20


def test_tiny_racks_in_huge_halls_have_too_many_fillings_to_write_down(
    monkeypatch: pytest.MonkeyPatch,
):
    given = halls_of(40.0, {"a": 0.04, "b": 0.03, "c": 0.02})
    assert not fillings_fit(given, P)
    assert fillings_fit(halls_of(10.0, {"L": 0.98, "S": 0.84}), P)
    # A split that the search misses is then looked for by integer programming.
    monkeypatch.setattr(splits, "_first_fit", lambda *_: None)
    monkeypatch.setattr(splits, "_search", lambda *_: None)
    assert split_halls(given, P, 2, {"a": 900, "b": 900, "c": 800}, {}) is not None
    assert split_halls(given, P, 2, {"a": 900, "b": 900, "c": 900}, {}) is None


def test_more_halls_than_a_search_can_go_through_one_by_one_end_it():
    given = halls_of(10.0, {"a": 6.0, "b": 5.0})
    assert split_halls(given, P, 3_000, {"a": 2_999, "b": 3}, {}) is None


def test_fillings_are_all_that_nothing_can_be_added_to():
    given = halls_of(10.0, {"L": 0.98, "S": 0.84})
    listed = [(filling.get("L", 0), filling.get("S", 0)) for filling in fillings(given, P)]
    assert listed == [
        (10, 0),
        (9, 1),
        (8, 2),
        (7, 3),
        (6, 4),
        (5, 6),
        (4, 7),
        (3, 8),
        (2, 9),
        (1, 10),
        (0, 11),
    ]


def crowded() -> Case:
    """Sixteen large racks and five small ones fit two halls of 10 MW together, not one by one."""
    machine = {"price_usd_per_th": 14.0, "cooling": "air", "life_months": 60}
    typed = {
        **BASE,
        "finance": {"discount_per_year": 0.1, "opening_cash_musd": 100.0},
        "bitcoin": {"hashprice_usd_per_ph_day": 100.0},
        "machines": {"L": {"th_per_s": 200.0, "watt": 3500.0, **machine},
                     "S": {"th_per_s": 171.5, "watt": 3000.0, **machine}},
        "racks": {k: {"workload": "mining", "machine": k, "machines_per_rack": 280,
                      "buyable": k == "S", "resale_usd": 1e4} for k in "LS"},
        "halls": {"h": {"site": "a", "count": 2, "it_mw": 10.0, "fitout": "mine",
                        "convertible": False}},
        "sites": {"a": {"firm_mw": 50.0}},
        "fleet": [{"hall": "h", "rack": "L", "racks": 16}],
    }  # fmt: skip
    return prepare(Instance.model_validate(typed), {"a": flat(40.0)})


def test_crowded_halls_are_filled_one_by_one(monkeypatch):
    case = crowded()
    filled = solve(case)
    assert filled.status == "solved"
    assert filled.plan is not None
    stands = {(k, round(filled.plan.racks[2, P, k])) for k in "LS"}
    assert stands == {("L", 15), ("S", 6)}
    monkeypatch.setattr(solving, "ROUNDS", 0)
    together = solve(case)
    assert together.status == "audit-failed"
    assert together.audit is not None
    assert {breach.limit for breach in together.audit.breaches} == {"halls.split"}
    assert together.value_musd is not None
    assert filled.value_musd is not None
    assert together.value_musd > filled.value_musd


@pytest.mark.parametrize("is_mended", [True, False])
def test_a_better_plan_that_is_crowded_is_mended_or_the_one_before_is_kept(
    monkeypatch: pytest.MonkeyPatch, is_mended: bool
):
    """What was found first passes; what is found later is worth more, and does not split."""
    case, found, solved_once = crowded(), list[Any](), solving._solved_once

    def nothing_first(*args: Any) -> Any:
        found.append(solved_once(*args))
        nothing = solving._nothing_instead(args[0], found[-1], Options())
        return nothing if len(found) == 1 else found[-1]

    best = solve(case)
    monkeypatch.setattr(solving, "_solved_once", nothing_first)
    monkeypatch.setattr(solving, "MANY_SITES", 1)
    monkeypatch.setattr(solving, "suits", lambda *_: True)
    if not is_mended:
        monkeypatch.setattr(solving, "_uncrowded", lambda case, asked, crowded: asked.before)
    solved = solve(case, Options(time_limit=60.0))
    assert found[0].audit.nothing_musd < best.value_musd
    assert not found[1].passed
    assert solved.passed
    worth = best.value_musd if is_mended else found[0].audit.nothing_musd
    assert solved.value_musd == pytest.approx(worth, rel=2e-4)
    assert best.value_musd <= solved.bound_musd + 1e-9


def test_a_search_that_fails_elsewhere_goes_on_from_there(monkeypatch: pytest.MonkeyPatch):
    """The plan before breaks what is written down by now, whatever it would be worth."""
    case, again = crowded(), solving._solved_once
    seen = list[Any]()

    def searched(*args: Any) -> Any:
        seen.append(again(*args))
        if len(seen) > 1:
            return seen[-1]
        checked = replace(seen[-1].audit, value_musd=1e3)
        return replace(seen[-1], audit=checked, value_musd=1e3, bound_musd=2e3)

    monkeypatch.setattr(solving, "_solved_once", searched)
    monkeypatch.setattr(solving, "nearby", lambda *_, **__: None)
    monkeypatch.setattr(solving.Crowded, "narrowed", lambda _, case, **__: case)
    monkeypatch.setattr(solving, "ROUNDS", 1)
    solved = solve(case)
    assert not solved.passed
    assert solved.value_musd == pytest.approx(seen[1].value_musd)


def test_a_mended_plan_below_doing_nothing_gives_way_to_it(monkeypatch: pytest.MonkeyPatch):
    mended = solving._uncrowded

    def poor(case: Case, asked: Any, met: Any) -> Any:
        found = mended(case, asked, met)
        nothing = replace(found.nothing, value_musd=found.value_musd + 1.0)
        checked = replace(
            found.audit, breaches=(Breach("capital.nothing", (), "", 0.0, 1.0, ">="),)
        )
        return replace(found, audit=checked, status="audit-failed", nothing=nothing)

    asked = list[float]()

    def instead(case: Case, solved: Any, options: Options) -> Any:
        asked.append(solved.value_musd)
        return replace(solved, status="solved")

    monkeypatch.setattr(solving, "_uncrowded", poor)
    monkeypatch.setattr(solving, "_nothing_instead", instead)
    assert solve(crowded()).status == "solved"
    assert len(asked) == 1


def test_more_fillings_than_can_be_modelled_fail_the_audit_and_say_why(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(splits, "MOST_FILLED", 10)
    monkeypatch.setattr(splits, "MOST_NODES", 0)
    monkeypatch.setattr(hulls, "MOST_FILLED", 1)
    monkeypatch.setattr(hulls, "MOST_LISTED", 1)
    monkeypatch.setattr(solving, "ROUNDS", 0)
    solved = solve(crowded())
    assert solved.status == "audit-failed"
    assert solved.audit is not None
    assert {breach.limit for breach in solved.audit.breaches} == {"halls.fillings"}
    assert "too many ways for an exact model" in str(solved.audit.breaches[0])
    assert solved.plan is not None
    assert not solved.plan.given.fillings


def test_halls_keep_room_where_they_have_more_fillings_than_can_be_modelled(
    monkeypatch: pytest.MonkeyPatch,
):
    """The plan is sound, and no claim is made beyond the bound of the one that was not."""
    best = solve(crowded())
    monkeypatch.setattr(splits, "MOST_FILLED", 10)
    monkeypatch.setattr(splits, "MOST_NODES", 0)
    monkeypatch.setattr(hulls, "MOST_FILLED", 1)
    monkeypatch.setattr(hulls, "MOST_LISTED", 1)
    solved = solve(crowded(), Options(gap=1e-6))
    assert solved.status == "best-found"
    assert solved.plan is not None
    assert not solved.plan.given.fillings
    assert solved.value_musd is not None
    assert best.value_musd is not None
    assert solved.bound_musd is not None
    assert solved.value_musd <= best.value_musd <= solved.bound_musd


def test_halls_that_keep_room_always_split():
    """Whatever racks the limit lets in, filling one hall after another comes out."""
    rng = np.random.default_rng(11)
    full = 0
    for _ in range(300):
        sizes = dict(zip("abc", rng.uniform(0.8, 4.0, 3).round(2), strict=True))
        given = halls_of(10.0, sizes, float(rng.integers(3, 7)))
        halls = int(rng.integers(1, 5))
        names = [("racks", (0, P, k)) for k in "abc"] + [("halls", (0, P))]
        matrix = with_room(nothing_said(4), Layout(names), given, [(0, P)])
        row, most = matrix.coefficients.toarray()[0], matrix.row_upper[0]
        racks, left = dict.fromkeys("abc", 0), True
        while left:
            k = str(rng.choice(list("abc")))
            more = {**racks, k: racks[k] + 1}
            left = row @ np.array([*more.values(), halls]) <= most
            racks = more if left else racks
        assert split_halls(given, P, halls, racks, {}) is not None
        full += sum(racks.values()) >= halls
    assert full > 200


def nothing_said(columns: int) -> Matrix:
    """A matrix without rows."""
    return dense_matrix(
        np.zeros((0, columns)), [], [], [0] * columns, [9] * columns, [0] * columns
    )


def test_filling_halls_changes_nothing_where_racks_split():
    case = crowded()
    roomy = replace(case.given, hall_mw={P: 10.5}, rack_fit={})
    plain = solve(replace(case, given=roomy))
    listed = replace(roomy, fillings={P: fillings(roomy, P)})
    filled = solve(replace(case, given=listed))
    assert plain.value_musd == pytest.approx(filled.value_musd, rel=2e-4)


def group(
    count: int, mw: float, positions: float, fleet: dict[str, int], **racks: dict[str, Any]
) -> Case:
    """A group of mining halls with today's racks, nothing to buy and nothing to convert."""
    machine = {"th_per_s": 200.0, "watt": 3500.0, "price_usd_per_th": 15.0, "cooling": "air",
               "life_months": 60}  # fmt: skip
    lot = {"workload": "mining", "machine": "m", "buyable": False}
    typed = {
        **BASE,
        "machines": {"m": machine},
        "racks": {k: {**lot, **keys} for k, keys in racks.items()},
        "halls": {"h": {"site": "a", "count": count, "it_mw": mw, "rack_positions": positions,
                        "fitout": "mine", "convertible": False}},
        "sites": {"a": {"firm_mw": 1000.0}},
        "fleet": [{"hall": "h", "rack": k, "racks": number} for k, number in fleet.items()],
    }  # fmt: skip
    return prepare(Instance.model_validate(typed), {"a": flat(10.0)})


def test_a_large_crowded_group_is_settled_by_its_fillings():
    """Twenty halls of two sizes of rack: no search over their splits would end."""
    case = group(20, 20.0, 100.0, {"a": 212, "b": 228}, a={"machines_per_rack": 280},
                 b={"machines_per_rack": 240})  # fmt: skip
    assert split_halls(case.given, P, 20, {"a": 212, "b": 228}, {}) is None
    solved = solve(case)
    assert solved.status == "solved"
    assert solved.plan is not None
    for n in case.given.nodes:
        held = dict.fromkeys("ab", 0.0)
        for w, filling in enumerate(solved.plan.given.fillings[P]):
            for k, number in filling.items():
                held[k] += number * solved.plan.filled[n, P, w]
        assert all(solved.plan.racks[n, P, k] <= held[k] for k in "ab")
        assert (
            sum(solved.plan.filled[n, P, w] for w in range(len(solved.plan.given.fillings[P])))
            <= 20
        )


def test_one_rack_type_must_split_too():
    """A wide rack beside a narrow one of the same draw: five fit two halls only on paper."""
    case = group(2, 7.0, 5.0, {"wide": 5}, wide={"machines_per_rack": 100, "positions": 2.0},
                 narrow={"machines_per_rack": 100, "positions": 1.0})  # fmt: skip
    assert (P, "wide") not in case.given.rack_fit
    solved = solve(case)
    assert solved.plan is not None
    assert solved.status == "solved"
    assert max(solved.plan.racks[n, P, "wide"] for n in case.given.nodes) == 4.0
