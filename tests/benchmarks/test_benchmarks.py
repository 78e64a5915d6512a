"""The benchmarks compare like with like, and still find what they measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.build import Built, build
from optimizer.case import prepare
from optimizer.matrix import Matrix, compile_model
from tests.benchmarks.arrays import converted, recipe, same, triplets
from tests.benchmarks.fleet import fleet, priced_years
from tests.benchmarks.stages import STAGES, function_at
from tests.benchmarks.stopwatch import laps_of


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
