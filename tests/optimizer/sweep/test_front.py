"""Fronts: their levels, their plans against all plans there are."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest

from optimizer.errors import InputRefused
from optimizer.plan.energy import energy
from optimizer.solve import solve
from optimizer.sweep.base import document_of
from optimizer.sweep.design.file import read_sweep
from optimizer.sweep.design.levels import Ends, front_points, levels
from optimizer.sweep.design.measures import bounded
from optimizer.sweep.design.spec import Aim, Pareto, Sweep
from optimizer.sweep.point.ends import ends_of
from optimizer.sweep.point.ties import PART_OF_GAP
from optimizer.sweep.point.weighed import WEIGHED, weighed
from optimizer.sweep.points import Point, Row
from optimizer.sweep.rows.front import Verdict, front
from tests.folders import INSTANCE
from tests.optimizer.sweep.files import write_sweep
from tests.optimizer.sweep.fronts import (
    Tried,
    evaluator,
    every_plan,
    points_of,
    solved,
    write_base,
    write_front,
)

CAPEX = 'maximise = ["value"]\nminimise = ["capex"]'
CASH = 'maximise = ["value", "lowest_cash"]'
SHARE = 'maximise = ["value"]\nminimise = ["mining_share"]'
UPTIME = 'maximise = ["value", "uptime"]'
CARBON = 'maximise = ["value"]\nminimise = ["carbon"]'
SWEEPS = Path(__file__).parents[3] / "instances" / "sweeps"
NEAR = 1e-6
# A worker removes the folder of its base as it ends.
pytestmark = pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> list[Tried]:
    return every_plan(write_base(tmp_path_factory.mktemp("tried") / "base"))


def best(plans: list[Tried]) -> float:
    return max(plan.value for plan in plans)


def pairs(found: list[tuple[Point, Row]], measure: str, verdict: Verdict, pareto: Pareto) -> set:
    """What rows of a verdict reach."""
    verdicts = front(pareto, found)
    return {
        (round(row.value_musd, 5), round(row.metrics[measure], 5))
        for point, row in found
        if verdicts[point.number] == verdict and row.value_musd is not None
    }


# --- against brute force ---------------------------------------------------------------------


def test_a_front_against_capex_is_that_of_all_plans(tmp_path: Path, plans: list[Tried]) -> None:
    sweep = write_front(tmp_path, f"{CAPEX}\nfrom = 0\nto = 20\npoints = 21")
    found = solved(sweep)
    assert len(found) == 21
    for point, row in found:
        level = point.settings["capex_at_most_musd"]
        allowed = [plan for plan in plans if plan.capex <= level + NEAR]
        assert row.status == "solved"
        assert row.value_musd == pytest.approx(best(allowed), abs=NEAR)
        least = min(plan.capex for plan in allowed if plan.value >= best(allowed) - NEAR)
        assert row.metrics["capex_musd"] == pytest.approx(least, abs=NEAR)
    tried = {
        (round(plan.value, 5), round(plan.capex, 5))
        for plan in plans
        if plan.capex <= 20 and not any(_beats(other, plan) for other in plans)
    }
    assert len(tried) >= 5
    assert pairs(found, "capex_musd", "yes", sweep.pareto) == tried


def _beats(one: Tried, other: Tried) -> bool:
    no_worse = one.value >= other.value - NEAR and one.capex <= other.capex + NEAR
    return no_worse and (one.value > other.value + NEAR or one.capex < other.capex - NEAR)


def test_a_front_against_the_lowest_cash_is_that_of_all_plans(
    tmp_path: Path, plans: list[Tried]
) -> None:
    sweep = write_front(tmp_path, f"{CASH}\npoints = 9")
    found = solved(sweep)
    most = max(plan.cash for plan in plans)
    assert found[-1][0].settings["lowest_cash_at_least_musd"] == pytest.approx(most, rel=1e-2)
    for point, row in found:
        level = point.settings["lowest_cash_at_least_musd"]
        allowed = [plan for plan in plans if plan.cash >= level - NEAR]
        assert row.value_musd == pytest.approx(best(allowed), abs=NEAR)
        top = max(plan.cash for plan in allowed if plan.value >= best(allowed) - NEAR)
        assert row.metrics["lowest_cash_musd"] == pytest.approx(top, abs=NEAR)
    assert len(pairs(found, "lowest_cash_musd", "yes", sweep.pareto)) >= 3


@pytest.mark.parametrize(("pareto", "better"), [(CAPEX, -1.0), (CASH, 1.0)], ids=["capex", "cash"])
def test_of_plans_alike_in_value_the_best_in_the_other_aim_is_taken(
    pareto: str, better: float, tmp_path: Path, plans: list[Tried]
) -> None:
    keys = "from = 9\nto = 10\npoints = 2" if better < 0 else "from = 51\nto = 52\npoints = 2"
    sweep = write_front(tmp_path, f"{pareto}\n{keys}", gap=1.0)
    plain = write_front(tmp_path, f"{pareto}\n{keys}\nbreak_ties = false", gap=1.0)
    assert (sweep.ties is None, plain.ties) == (False, None)
    gained = 0
    for (point, row), (_, first) in zip(solved(sweep), solved(plain), strict=True):
        (level,) = point.settings.values()
        floor = first.value_musd - PART_OF_GAP * abs(first.value_musd)
        allowed = [
            plan.capex if better < 0 else plan.cash
            for plan in plans
            if plan.value >= floor - NEAR
            and (plan.capex <= level + NEAR if better < 0 else plan.cash >= level - NEAR)
        ]
        reached = bounded(sweep.pareto.second).reached(row)
        assert reached * better == pytest.approx(max(x * better for x in allowed), abs=1e-5)
        assert row.status == "solved"
        assert row.value_musd >= floor - NEAR
        gained += reached * better > bounded(sweep.pareto.second).reached(first) * better + NEAR
    assert gained


# --- levels ----------------------------------------------------------------------------------


def test_a_front_begins_at_doing_nothing_and_ends_at_the_best_plan(
    tmp_path: Path, plans: list[Tried]
) -> None:
    sweep = write_front(tmp_path, f"{CAPEX}\npoints = 5")
    most = min(plan.capex for plan in plans if plan.value >= best(plans) - NEAR)
    worker = evaluator(sweep)
    ends = ends_of(sweep, worker)
    assert ends.first == 0.0
    assert most <= ends.last <= 1.01 * most
    # As the store hands the start on, a sweep that is resumed has the same levels.
    assert ends_of(sweep, worker, worker.start()) == ends
    found = points_of(sweep)
    assert [point.number for point in found] == [0, 1, 2, 3, 4]
    assert [*found[0].settings] == ["capex_at_most_musd"]
    assert found[0].changes == {"finance.capex_budget_musd": 0.0}


def test_a_front_stays_within_the_base_and_goes_beyond_only_as_typed(tmp_path: Path) -> None:
    write_base(tmp_path / "base", ("minimum_cash_musd = 2", "minimum_cash_musd = 2\n"
                                   "capex_budget_musd = 7"))  # fmt: skip
    sweep = write_front(tmp_path, f"{CAPEX}\npoints = 3")
    document = document_of(sweep.base)
    found = front_points(sweep, document, Ends(0.0, 21.0)).points
    assert [point.settings["capex_at_most_musd"] for point in found] == [0.0, 7.0]
    assert [point.changes for point in found] == [{"finance.capex_budget_musd": 0.0}, {}]
    typed = write_front(tmp_path, f"{CAPEX}\nfrom = 0\nto = 20\npoints = 3")
    assert points_of(typed)[-1].changes == {"finance.capex_budget_musd": 20.0}


def test_every_case_of_the_axes_has_a_front(tmp_path: Path) -> None:
    axes = '\n[axes.rate]\nkey = "contracts.*.rate_usd_per_kw_month"\nscale = [0.5, 1.0, 1.5]\n'
    sweep = write_front(tmp_path, f"{CAPEX}\nfrom = 0\nto = 16\npoints = 3", more=axes)
    found = points_of(sweep)
    assert [tuple(point.settings.values()) for point in found] == list(
        itertools.product([0.5, 1.0, 1.5], [0.0, 8.0, 16.0])
    )
    assert [point.number for point in found] == list(range(9))
    rows = [Row(p.number, "solved", 1.0, 1.0, 0.0, "", {"capex_musd": 0.0}) for p in found]
    verdicts = front(sweep.pareto, zip(found, rows, strict=True))
    assert list(verdicts.values()) == ["yes", "no", "no"] * 3


def test_promises_are_raised_and_never_lowered(tmp_path: Path) -> None:
    other = INSTANCE.split("[contracts.lease]")[1].split("[[commitments")[0]
    strict = f"\n[contracts.strict]{other}".replace("0.999", "0.9994")
    path = write_sweep(tmp_path, f'[sweep]\nbase = "base"\n\n[pareto]\n{UPTIME}\npoints = 3\n',
                       INSTANCE + strict)  # fmt: skip
    sweep = read_sweep(path)
    found = front_points(sweep, document_of(sweep.base), Ends(0.99, 0.9995)).points
    assert [point.changes for point in found] == [
        {},
        {"contracts.lease.availability": 0.9995, "contracts.strict.availability": 0.9995},
    ]


def test_levels_of_an_availability_are_even_in_nines() -> None:
    uptime = Pareto(Aim("uptime", "maximise"), 4)
    assert levels(uptime, Ends(0.99, 0.99999)) == [0.99, 0.999, 0.9999, 0.99999]
    assert levels(uptime, Ends(0.999, 0.999)) == [0.999]


@pytest.mark.parametrize(
    ("pareto", "more", "said"),
    [
        ('maximise = ["uptime"]\nminimise = ["capex"]', "", "maximise value"),
        ('maximise = ["capex", "value"]', "", "only be minimised"),
        ('maximise = ["value"]\nminimise = ["uptime"]', "", "only be maximised"),
        ('minimise = ["value", "capex"]', "", "maximise value"),
        (f"{CAPEX}\nfrom = 5", "", "both `from` and `to`"),
        (f"{CAPEX}\nfrom = 5\nto = 5", "", "above `from`"),
        (f"{CAPEX}\nfrom = -5\nto = 5", "", "outside its range"),
        (f"{UPTIME}\nfrom = 0.9\nto = 1.5", "", "outside its range"),
        (CARBON, "", "what carbon"),
        (f"{CAPEX}\nfrom = 0\nto = 5", '\n[axes.a]\nkey = "finance.capex_budget_musd"\n'
         "values = [1, 2]\n", "an axis changes"),
        (f"{CAPEX}\nfrom = 0\nto = 5", "\n[axes.capex_at_most_musd]\n"
         'key = "sites.*.firm_mw"\nscale = [1, 2]\n', "give the axis another name"),
        (f"{CAPEX}\nfrom = 0\nto = 5\npoints = 1000", '\n[axes.a]\nkey = "sites.*.firm_mw"\n'
         "values = { from = 1, to = 20, count = 2000 }\n", "too many points"),
    ],
)  # fmt: skip
def test_a_front_that_makes_no_sense_is_refused(
    pareto: str, more: str, said: str, tmp_path: Path
) -> None:
    text = f'[sweep]\nbase = "base"\n\n[pareto]\n{pareto}\n{more}'
    with pytest.raises(InputRefused, match=said):
        points_of(read_sweep(write_sweep(tmp_path, text)))


# --- other measures --------------------------------------------------------------------------


@pytest.mark.parametrize("pareto", [SHARE, UPTIME, CARBON], ids=["share", "uptime", "carbon"])
def test_plans_keep_to_the_level_of_every_measure(pareto: str, tmp_path: Path) -> None:
    carbon = "\n[power.grid.carbon]\nkg_per_mwh = 400\nusd_per_tonne = 5\n"
    path = write_sweep(tmp_path, f'[sweep]\nbase = "base"\n\n[pareto]\n{pareto}\npoints = 3\n',
                       INSTANCE + carbon)  # fmt: skip
    sweep = read_sweep(path)
    measure, values = bounded(sweep.pareto.second), list[float]()
    for point, row in solved(sweep):
        level, reached = point.settings[measure.label], measure.reached(row)
        assert row.status == "solved"
        assert reached is not None
        within = reached - level if measure.sense == "maximise" else level - reached
        assert within >= -NEAR * max(1.0, level)
        values.append(row.value_musd or -math.inf)
    # A looser level is worth no less.
    assert values == sorted(values, reverse=measure.sense == "maximise")


def test_carbon_is_what_the_energy_drawn_holds(tmp_path: Path) -> None:
    carbon = "\n[power.grid.carbon]\nkg_per_mwh = 400\nusd_per_tonne = 5\n"
    path = write_sweep(tmp_path, f'[sweep]\nbase = "base"\n\n[pareto]\n{CARBON}\n',
                       INSTANCE + carbon)  # fmt: skip
    worker = evaluator(read_sweep(path))
    case, model = worker.base_case()
    plan = solve(case, model=model).plan
    assert plan is not None
    found = dict(weighed(case, plan))
    assert list(found) == list(WEIGHED)
    mwh = sum(row.mining_mwh + row.ai_mwh for row in energy(case, plan))
    assert found["carbon_tonnes"] == pytest.approx(0.4 * mwh)
    # Fourteen lots of 0.98 MW run through all of the first year.
    assert found["carbon_most_tonnes_per_year"] == pytest.approx(14 * 0.98 * 1.05 * 8760 * 0.4)
    assert found["least_promised_availability"] is None


# --- texas -----------------------------------------------------------------------------------


@pytest.mark.soak
def test_no_plan_on_the_front_of_texas_is_beaten() -> None:
    sweep: Sweep = read_sweep(SWEEPS / "texas-front.toml")
    found = solved(sweep)
    assert {row.status for _, row in found} <= {"solved", "best-found"}
    verdicts = front(sweep.pareto, found)
    left = [
        (row.value_musd, row.metrics["capex_musd"])
        for point, row in found
        if verdicts[point.number] != "no"
    ]
    assert len(left) >= 8
    ordered = sorted(left, key=lambda pair: pair[1])
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(ordered))
    for (point, row), (_, looser) in itertools.pairwise(found):
        assert row.metrics["capex_musd"] <= point.settings["capex_at_most_musd"] + NEAR
        assert row.value_musd <= looser.bound_musd + NEAR
