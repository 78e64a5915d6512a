"""What one solve with room for many limits proves of each of them, and what it does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from optimizer.answers.worth import bench as bench_module
from optimizer.answers.worth.bench import Bench, Best, TimeOver
from optimizer.answers.worth.explained import Explained
from optimizer.answers.worth.more import OneMore, Worth
from optimizer.answers.worth.told import _units
from optimizer.answers.worth.units import Unit, units
from optimizer.highs import Options, run
from optimizer.load import load
from optimizer.matrix import divided
from optimizer.solve import Solved
from optimizer.sweep.point.evaluate import Posed
from optimizer.sweep.points import Json
from tests.optimizer.answers.anew import INSTANCES, LUMPY, by_hand

FIRM, BUDGET, CASH = (
    "sites.creek.firm_mw", "finance.capex_budget_musd", "finance.opening_cash_musd",
)  # fmt: skip


@pytest.fixture(scope="module")
def solved() -> tuple[Bench, Best]:
    bench = Bench(load(INSTANCES / "by_hand"), Options())
    return bench, bench.best(bench.at({}))


@pytest.fixture
def bench(solved: tuple[Bench, Best]) -> Bench:
    return Bench(solved[0].loaded, Options())


@pytest.fixture
def best(solved: tuple[Bench, Best]) -> Best:
    return solved[1]


def of_keys(bench: Bench, *keys: str) -> list[Unit]:
    found = {unit.key: unit for unit in units(bench.document) if not unit.again}
    return [found[key] for key in keys]


def worths(bench: Bench, best: Best, *keys: str) -> dict[str, Worth]:
    found = OneMore(bench, best).worths(of_keys(bench, *keys))
    return {one.unit.key: one for one in found}


def with_bound(best: Best, bound: float) -> Best:
    return replace(best, solved=replace(best.solved, status="best-found", bound_musd=bound))


def cut_short(
    bench: Bench, best: Best, open_musd: float, monkeypatch: pytest.MonkeyPatch, *,
    over: bool = False,
) -> None:  # fmt: skip
    """Let the first solve end early, with so much left open; and time be over then."""
    assert best.value is not None
    whole, bound = bench.best, best.value + open_musd

    def ended(posed: Posed, *given: Any) -> Best:
        if over and bench.solves:
            raise TimeOver
        done = whole(posed, *given)
        return with_bound(done, bound) if bench.solves == 1 else done

    monkeypatch.setattr(bench, "best", ended)


def leave_out_budget(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a case with room for several limits have none for the budget."""
    at = bench.at

    def without_budget(changes: Mapping[str, Json]) -> Posed:
        if len(changes) > 1:
            changes = {key: value for key, value in changes.items() if key != BUDGET}
        return at(changes)

    monkeypatch.setattr(bench, "at", without_budget)


def test_a_limit_that_the_joint_case_gives_no_room_has_a_solve_of_its_own(
    bench: Bench, best: Best, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_budget(bench, monkeypatch)
    found = worths(bench, best, FIRM, BUDGET)
    assert (found[FIRM].verdict, found[FIRM].together) == ("nothing", 2)
    assert (found[BUDGET].verdict, found[BUDGET].together) == ("nothing", 1)


@pytest.mark.parametrize("open_musd", [0.7, -0.7, -math.inf])
def test_that_no_better_plan_was_found_proves_nothing(
    bench: Bench, best: Best, monkeypatch: pytest.MonkeyPatch, open_musd: float
) -> None:
    """Of both together 0.7 M$ are left open, or a plan that is known is denied: each is asked."""
    cut_short(bench, best, open_musd, monkeypatch)
    found = worths(bench, best, FIRM, BUDGET)
    assert {one.together for one in found.values()} == {1}
    assert {one.verdict for one in found.values()} == {"nothing"}
    assert bench.solves == 3


def test_without_time_for_each_the_bound_of_all_is_told(
    bench: Bench, best: Best, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_short(bench, best, 0.0123, monkeypatch, over=True)
    keys = (FIRM, BUDGET, CASH, "fitouts.ai.works_months", "halls.barn.count")
    found = worths(bench, best, *keys)
    assert set(found) == set(keys)
    for key in (FIRM, BUDGET):
        one = found[key]
        assert (one.verdict, one.musd, one.at_least_musd) == ("at most", None, 0.0)
        assert one.at_most_musd == pytest.approx(0.0123)
        assert one.margin_musd == pytest.approx(0.0, abs=1e-9)
        assert not one.is_proved
    assert found[FIRM].binds
    assert found["halls.barn.count"].verdict == "not reached"
    assert found["fitouts.ai.works_months"].verdict == "nothing"
    told = list(found.values())
    assert not Explained(best, worths=told).is_whole
    said = " ".join(str(part) for part in _units(bench.loaded, told))
    assert "worth 0.02 M$ at most each, by one solve with room for all of them" in said


def test_a_bound_is_told_of_no_limit_that_it_gives_no_room(
    bench: Bench, best: Best, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without time for each, of the budget nothing is known: no solve had more of it."""
    leave_out_budget(bench, monkeypatch)
    cut_short(bench, best, 0.0123, monkeypatch, over=True)
    found = worths(bench, best, FIRM, BUDGET)
    assert found[FIRM].verdict == "at most"
    assert found[FIRM].at_most_musd == pytest.approx(0.0123)
    budget = found[BUDGET]
    assert (budget.verdict, budget.at_most_musd, budget.is_proved) == ("not reached", None, False)


def test_what_takes_no_room_is_parted_from_what_does(tmp_path: Path) -> None:
    """Two halls cost 20 and the budget is 19.5: of all that has room, it alone is worth some."""
    folder = by_hand(tmp_path / "lumpy", *LUMPY)
    bench = Bench(load(folder), Options())
    best = bench.best(bench.at({}))
    begun = bench.solves
    found = worths(
        bench, best, FIRM, BUDGET, "sites.creek.interruptible_mw", "contracts.tenant.min_mw",
        "finance.minimum_cash_musd",
    )  # fmt: skip
    assert found[BUDGET].verdict == "worth"
    assert {one.verdict for key, one in found.items() if key != BUDGET} == {"nothing"}
    # All of them, those that the plan found so takes no room of, and the budget alone.
    assert bench.solves - begun == 3
    assert {one.together for key, one in found.items() if key != BUDGET} == {4}


def test_all_are_told_once_where_none_can_be_changed_with_another(
    bench: Bench, best: Best, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_more = OneMore(bench, best)
    monkeypatch.setattr(one_more, "_jointly", lambda _: None)
    asked = of_keys(bench, FIRM, BUDGET, "sites.creek.interruptible_mw")
    told = list(one_more.worths(asked))
    assert sorted(one.unit.key for one in told) == sorted(unit.key for unit in asked)


def test_what_moves_the_same_key_is_never_changed_at_once(bench: Bench, best: Best) -> None:
    """Two units of one key: of both at once only the second would be there."""
    (firm,) = of_keys(bench, FIRM)
    more = replace(firm, after=14.0, amount=2.0, changes={FIRM: 14.0})
    told = list(OneMore(bench, best).worths([firm, more]))
    assert [one.together for one in told] == [1, 1]


def test_what_earns_most_at_the_margin_comes_first(
    bench: Bench, best: Best, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_more = OneMore(bench, best)
    asked = of_keys(bench, "halls.barn.count", FIRM, CASH, "halls.barn.it_mw", BUDGET)
    ask, rates = one_more._ask, {CASH: 0.5, "halls.barn.it_mw": 2.0}
    monkeypatch.setattr(
        one_more, "_ask", lambda unit: replace(ask(unit), margin=rates.get(unit.key, 0.0))
    )
    order = [one.unit.key for one in one_more.worths(asked)]
    assert order[:2] == ["halls.barn.it_mw", CASH]
    assert order[-1] == "halls.barn.count"


def test_a_gain_within_what_the_gaps_leave_open_is_none(bench: Bench, best: Best) -> None:
    """Some plan without it may be worth 1e-6 more than the one found."""
    assert best.value is not None
    loose = replace(best, solved=replace(best.solved, bound_musd=best.value + 1e-6))
    one_more = OneMore(bench, loose)
    asked = replace(one_more._ask(of_keys(bench, FIRM)[0]))

    def judged(more: float) -> str:
        value = best.value + more if best.value is not None else 0.0
        found = replace(best, solved=replace(best.solved, value_musd=value, bound_musd=value))
        return one_more._judged(asked, found).verdict

    assert [judged(more) for more in (0.0, 5e-7, 2e-6)] == ["nothing", "nothing", "worth"]


def test_more_room_never_costs_anything(bench: Bench, best: Best) -> None:
    """With more room a plan worth a little less was found: the one without it is there too.

    Of what is more and less at once that is not so, as of a later month.
    """
    assert best.value is not None
    one_more = OneMore(bench, best)
    asked = one_more._ask(of_keys(bench, FIRM)[0])
    assert asked.is_wider
    solved = replace(best.solved, value_musd=best.value - 3e-6, bound_musd=best.value - 2e-6)
    found = replace(best, solved=solved)
    room = one_more._judged(asked, found)
    assert room.verdict == "nothing"
    assert (room.musd, room.at_least_musd, room.at_most_musd) == (0.0, 0.0, 0.0)
    other = one_more._judged(replace(asked, is_wider=False), found)
    assert other.verdict == "worth"
    assert other.at_least_musd == pytest.approx(-3e-6 - (best.bound - best.value), abs=1e-9)
    assert other.at_most_musd == pytest.approx(-2e-6, abs=1e-9)
    # Where gaps are closed to the last bit, arithmetic is no worth.
    near = replace(best.solved, value_musd=best.value + 4e-15, bound_musd=best.value + 4e-15)
    exact = OneMore(bench, replace(best, solved=replace(best.solved, bound_musd=best.value)))
    assert exact._judged(asked, replace(best, solved=near)).verdict == "nothing"


def test_under_limits_on_energy_no_program_tells_of_a_plan(bench: Bench, best: Best) -> None:
    """Bands are those of the plan: held or divisible, the rest is not what it chose among."""
    case = replace(best.posed.case, limit_prices={(0, "creek"): ()})
    limited = replace(best, posed=best.posed._replace(case=case))
    assert OneMore(bench, best).held is not None
    assert OneMore(bench, limited).held is None
    assert math.isfinite(bench.relaxed(best.posed))
    assert bench.relaxed(limited.posed) == math.inf


def test_a_plan_that_did_not_pass_its_audit_is_none(bench: Bench, best: Best) -> None:
    failed = replace(best, solved=replace(best.solved, status="audit-failed"))
    assert failed.solved.value_musd is not None
    assert (failed.value, failed.plan) == (None, None)
    one_more = OneMore(bench, best)
    told = one_more._judged(one_more._ask(of_keys(bench, FIRM)[0]), failed)
    assert (told.verdict, told.musd, told.is_proved) == ("unproved", None, False)


def test_a_solve_that_tells_of_many_may_take_more_of_the_time(
    bench: Bench, best: Best, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a thousand seconds a fifth for one, the half for many; never less than five."""
    given: list[float] = []

    def heard(_: Any, options: Options, **__: Any) -> Solved:
        given.append(options.time_limit)
        return best.solved

    monkeypatch.setattr(bench_module, "solve", heard)
    patient = Bench(bench.loaded, Options(time_limit=1000.0))
    patient.best(best.posed)
    list(OneMore(patient, best).worths(of_keys(patient, FIRM, BUDGET)))
    hasty = Bench(bench.loaded, Options(time_limit=10.0))
    hasty.best(best.posed)
    assert given == pytest.approx([200.0, 500.0, 5.0], rel=0.1)


def test_a_search_cut_short_is_bounded_by_what_is_divisible(bench: Bench, best: Best) -> None:
    """Before its first relaxation HiGHS gives any bound; once time is over that has to do."""
    assert best.value is not None
    one_more = OneMore(bench, best)
    asked = one_more._ask(of_keys(bench, FIRM)[0])
    far = replace(with_bound(best, best.value + 4e5), posed=asked.posed)
    divisible = run(divided(asked.posed.model.matrix), Options(gap=0.0)).objective
    assert divisible is not None
    assert 0.01 < divisible - best.value < 10.0
    judged = one_more._judged(asked, far)
    assert judged.at_most_musd == pytest.approx(divisible - best.value)
    assert one_more._at_most(far) == pytest.approx(divisible - best.value)
    near = replace(far, solved=replace(far.solved, bound_musd=best.value + 0.005))
    assert one_more._judged(asked, near).at_most_musd == pytest.approx(0.005)
    bench.stop.set()
    assert one_more._judged(asked, far).at_most_musd == pytest.approx(4e5)
