"""What lies on a front: beaten by nothing, complete, and told in tables."""

from __future__ import annotations

import io
import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from optimizer.sweep.design.spec import Aim, Pareto
from optimizer.sweep.points import Point, Row
from optimizer.sweep.rows.export import export, table
from optimizer.sweep.rows.front import Reached, front, front_table, judged, on_front
from optimizer.sweep.rows.records import Done, Spec
from optimizer.sweep.rows.store import Store
from tests.optimizer.sweep import fakes

FRONT = Pareto(Aim("capex", "minimise"), 4)
#: Values lie close together, bounds reach over them.
NUMBER = st.integers(0, 8).map(float)


@st.composite
def reached(draw: st.DrawFn) -> list[Reached]:
    plans = draw(st.lists(st.tuples(NUMBER, st.integers(0, 2), NUMBER), max_size=12))
    return [Reached(n, v, v + over, other) for n, (v, over, other) in enumerate(plans)]


def beaten(plan: Reached, plans: list[Reached]) -> bool:
    return any(
        other.value >= plan.value and other.other <= plan.other
        and (other.value, other.other) != (plan.value, plan.other)
        for other in plans
    )  # fmt: skip


@given(reached())
def test_what_lies_on_a_front_is_beaten_by_nothing(plans: list[Reached]) -> None:
    verdicts = judged(plans)
    assert set(verdicts) == {plan.number for plan in plans}
    left = [plan for plan in plans if verdicts[plan.number] != "no"]
    assert not any(beaten(plan, plans) for plan in left)
    assert len({(plan.value, plan.other) for plan in left}) == len(left)


@given(reached())
def test_what_nothing_beats_lies_on_the_front_once(plans: list[Reached]) -> None:
    verdicts = judged(plans)
    left = {(p.value, p.other) for p in plans if verdicts[p.number] != "no"}
    assert left == {(p.value, p.other) for p in plans if not beaten(p, plans)}


@given(reached())
def test_a_lead_within_the_gap_is_undecided(plans: list[Reached]) -> None:
    verdicts = judged(plans)
    for plan in plans:
        if verdicts[plan.number] != "no":
            doubt = any(p.other < plan.other and p.bound >= plan.value for p in plans)
            assert verdicts[plan.number] == ("undecided" if doubt else "yes")


@given(reached(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(plans: list[Reached], rng: random.Random) -> None:
    mixed = plans[:]
    rng.shuffle(mixed)
    assert judged(mixed) == judged(plans)


def rows(*reached: tuple[float, float, float]) -> list[tuple[Point, Row]]:
    return [
        (
            Point(n, {"capex_at_most_musd": 10.0 * n}, {"finance.capex_budget_musd": 10.0 * n}),
            Row(n, "solved", value, bound, 0.0, "", {"capex_musd": capex}),
        )
        for n, (value, bound, capex) in enumerate(reached)
    ]


def test_a_planted_plan_that_is_beaten_is_caught() -> None:
    sound = rows((1.0, 1.0, 0.0), (3.0, 3.0, 10.0), (5.0, 5.0, 20.0))
    assert front(FRONT, sound) == {0: "yes", 1: "yes", 2: "yes"}
    planted = rows((1.0, 1.0, 0.0), (3.0, 3.0, 10.0), (2.999, 3.0, 11.0), (5.0, 5.0, 20.0))
    assert front(FRONT, planted) == {0: "yes", 1: "yes", 2: "no", 3: "yes"}


def test_rows_without_a_plan_lie_nowhere() -> None:
    (point, row), *rest = rows((1.0, 1.0, 0.0), (3.0, 3.0, 10.0))
    lost = [
        (point, None), (point, Row(0, "infeasible")), (point, Row(0, "audit-failed", 9.0, 9.0)),
        (point, Row(0, "audit-failed", 9.0, 9.0, 0.0, "", dict(row.metrics))),
    ]  # fmt: skip
    for one in lost:
        assert front(FRONT, [one, *rest]) == {1: "yes"}


def test_a_table_of_the_front_is_sorted_by_the_other_aim() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(front_table(FRONT, rows((5.0, 5.0, 20.0), (1.0, 1.0, 0.0), (4.0, 4.0, 30.0))))
    lines = console.export_text().splitlines()
    assert lines[0].split("  ")[0] == "capex, M$"
    assert [line.split() for line in lines[1:]] == [
        ["0", "1.000", "yes", "10", "1"],
        ["20", "5.000", "yes", "0", "0"],
        ["30", "4.000", "no", "20", "2"],
    ]


def test_tables_tell_what_lies_on_the_front(tmp_path: Path) -> None:
    found = rows((1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (5.0, 5.0, 20.0), (5.0, 5.5, 7.0))
    with Store.open(tmp_path / "s.sweep") as store:
        version = store.add(fakes.base(ties="capex"), fakes.VERSIONS)
        assert store.version(1).ties == store.base(1).ties == "capex"
        store.design(version, [point for point, _ in found])
        store.turn_to(Spec("", ""), version.number)
        store.record(version, [Done(point, row) for point, row in found[:3]])
        beside = on_front(FRONT, ((entry.point, entry.row) for entry in store.entries(version)))
        told = table(store, beside=beside)
        assert list(told["on_front"])[:3] == ["yes", "no", "yes"]
        assert told["on_front"].isna()[3]
        assert list(told).index("on_front") == list(told).index("message") + 1
        path = export(store, tmp_path / "s.csv", beside=beside)
    assert path.read_text().splitlines()[0].split(",").count("on_front") == 1


def test_ties_are_part_of_what_answers_hang_on() -> None:
    plain, capex = fakes.base(), fakes.base(ties="capex")
    assert plain.version(fakes.VERSIONS) != capex.version(fakes.VERSIONS)
