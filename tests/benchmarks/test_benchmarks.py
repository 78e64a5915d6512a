"""The benchmarks compare like with like, and still find what they measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rich.console import Console

from models.build import Built, build
from optimizer.case import Case, prepare
from optimizer.commands.check import sizes_of
from optimizer.compiled import compile_case
from optimizer.highs import Options
from optimizer.matrix import Matrix, compile_model
from optimizer.solve import solve
from tests.benchmarks import gaps, races
from tests.benchmarks.arrays import converted, recipe, same, triplets
from tests.benchmarks.fleet import drawn_hours, fleet, priced_years, random_fleet
from tests.benchmarks.races import Run
from tests.benchmarks.stages import STAGES, function_at
from tests.benchmarks.stopwatch import laps_of
from tests.optimizer.test_splits import crowded


@pytest.fixture(scope="module")
def small_fleet() -> tuple[Built, Matrix]:
    instance = fleet(sites=2, periods=6, groups=2)
    supplies = {site: priced_years(seed) for seed, site in enumerate(instance.sites)}
    built = build(prepare(instance, supplies).given)
    return built, compile_model(built.model)


def test_numpy_writes_the_matrix_that_pyomo_does(small_fleet: tuple[Built, Matrix]) -> None:
    built, matrix = small_fleet
    by_numpy = recipe(built, matrix)
    assert same(matrix, converted(by_numpy, triplets(by_numpy)))


def test_one_other_coefficient_is_another_matrix(small_fleet: tuple[Built, Matrix]) -> None:
    built, matrix = small_fleet
    by_numpy = recipe(built, matrix)
    entries = triplets(by_numpy)
    entries.values[7] = np.nextafter(entries.values[7], np.inf)
    assert not same(matrix, converted(by_numpy, entries))


@pytest.mark.parametrize("place", [place for places in STAGES.values() for place in places])
def test_stages_name_functions_that_exist(place: str) -> None:
    _, _, work = function_at(place)
    assert callable(work)


def test_each_step_takes_what_the_one_before_returned() -> None:
    taken: list[Any] = []
    steps = {"one": lambda nothing: [nothing], "two": taken.append}
    assert all(seconds >= 0 for seconds in laps_of(steps).values())
    assert taken == [[None]]


# --- fleets drawn at random ------------------------------------------------------------------


def drawn(sites: int, periods: int, halls: int = 4, seed: int = 0) -> Case:
    instance = random_fleet(sites, periods, halls, seed)
    return prepare(instance, drawn_hours(instance, seed))


def test_the_same_arguments_draw_the_same_fleet() -> None:
    assert random_fleet(3, 6, seed=4) == random_fleet(3, 6, seed=4)
    one, other = (drawn_hours(random_fleet(3, 6, seed=4), seed=4) for _ in range(2))
    assert one.keys() == other.keys()
    for name, hours in one.items():
        assert np.array_equal(hours.price_usd_per_mwh, other[name].price_usd_per_mwh)


def test_another_seed_draws_another_fleet() -> None:
    one, other = random_fleet(3, 6, seed=4), random_fleet(3, 6, seed=5)
    for block in ("sites", "halls", "power", "contracts"):
        assert getattr(one, block) != getattr(other, block)


def test_sites_of_a_drawn_fleet_differ_and_share_tenants() -> None:
    instance = random_fleet(12, 20)
    assert len({(s.firm_mw, s.interruptible_mw) for s in instance.sites.values()}) == 12
    assert len(instance.racks) == 6
    served = [len(offer.sites or instance.sites) for offer in instance.contracts.values()]
    assert min(served) == 1
    assert max(served) > 1


@pytest.mark.parametrize("seed", range(5))
def test_a_drawn_fleet_builds_without_a_word_on_its_numbers(seed: int) -> None:
    model = compile_case(drawn(3, 4, seed=seed))
    assert model.warnings == ()
    assert model.large.any()


def test_a_drawn_fleet_has_a_plan() -> None:
    solved = solve(drawn(2, 8, halls=2), Options(gap=0.01, nodes=1000))
    assert solved.status == "solved"
    assert solved.audit is not None
    assert solved.audit.passed
    assert solved.value_musd is not None
    assert solved.audit.nothing_musd is not None
    assert solved.value_musd > solved.audit.nothing_musd


def test_who_races_finds_the_same_and_is_told(by_hand_race: dict[str, Run]) -> None:
    values = [run.value for run in by_hand_race.values()]
    assert values == pytest.approx([values[0]] * len(values), rel=2e-3)
    assert all(run.is_plan for run in by_hand_race.values())
    assert all(0 < run.reached[races.GAPS[-1]] <= run.seconds for run in by_hand_race.values())
    console = Console(width=140, record=True)
    console.print(races.told({"by_hand": by_hand_race}, 9.0))
    assert "geometric mean" in console.export_text()


@pytest.fixture(scope="module")
def by_hand_race() -> dict[str, Run]:
    _, case = next(races.small())
    return races.race(case, 9.0)


def test_gaps_are_told_run_by_run_and_what_is_no_plan_is_marked() -> None:
    heard = list[tuple[str, int]]()

    def tell(who: str, seed: int, run: Run) -> None:
        heard.append((who, seed))
        assert run.is_plan
        assert run.gap <= races.GAPS[-1]

    _, case = next(races.small())
    runs = gaps.gaps(case, 9.0, range(2), tell)
    each = (gaps.SOON, gaps.ENGINE, gaps.HIGHS)
    assert heard == [(who, seed) for seed in (0, 1) for who in each]
    runs[gaps.HIGHS, 1].is_plan = False
    console = Console(width=120, record=True)
    console.print(gaps.told({"by_hand": runs}, 9.0))
    marked = [line for line in console.export_text().splitlines() if "%*" in line]
    assert len(marked) == 1


def test_a_company_in_want_is_what_was_measured() -> None:
    *_, (name, case) = races.fleets()
    sizes = sizes_of(case)
    assert (name, sizes["columns"], sizes["integers"]) == ("fleet in want", 48_290, 18_911)


def test_threads_that_highs_began_with_before_do_not_keep_it_from_running() -> None:
    _, case = next(races.small())
    model = compile_case(case)
    before = races.plain_highs(model.matrix, 9.0)
    before.setOptionValue("threads", 2)
    before.setOptionValue("parallel", "on")
    before.run()
    assert races.with_highs(case, model, 9.0, 0).value == pytest.approx(12.03, abs=0.01)


def test_a_race_stops_at_a_plan_above_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    _, case = next(races.small())

    def lying(*_: Any) -> Run:
        return Run(value=1.0, bound=2.0, is_plan=True)

    honest = races.racers()
    monkeypatch.setattr(races, "racers", lambda: {**honest, "liar": lying})
    with pytest.raises(ValueError, match=r"above 2\.0 by liar"):
        races.race(case, 9.0)


def test_what_is_no_plan_refutes_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Racks that fit a group together but not its halls are worth more than any plan."""
    honest = races.racers()
    racer = {name: honest[name] for name in ("rackwatt", "HiGHS")}
    monkeypatch.setattr(races, "racers", lambda: racer)
    runs = races.race(crowded(), 9.0)
    assert runs["rackwatt"].is_plan
    assert not runs["HiGHS"].is_plan
    assert runs["HiGHS"].value > runs["rackwatt"].bound
