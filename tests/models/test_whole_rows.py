"""No tiny coefficient between whole numbers: HiGHS answers wrongly on such rows.

Its presolve counts a coefficient of at most 1e-6 of an all-integer row in the row's activity and
then skips it, see ``optimizer/sentinels``. The arrays that reach the solver are looked at, of
every shipped instance and of random ones: small cases of everything, plants, and halls and plants
from components with promises of up to six nines.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import coo_array

from models.hours import flat
from optimizer.case import Case, prepare
from optimizer.compiled import compile_case
from optimizer.load import load
from optimizer.matrix import Matrix
from optimizer.tighten import tighten
from tests.models import test_plants, uptime_cases
from tests.models.small_cases import draw_case, ready
from tests.shipped import INSTANCES, names

#: Coefficients up to here are those that HiGHS stumbles on.
TINY = 1e-6
EACH = 100


def drawn(seed: int) -> Case:
    return ready(draw_case(seed, leaves=2 if seed % 4 == 3 else 1))


def plants_drawn(seed: int) -> Case:
    return prepare(test_plants.draw(seed), {"a": flat(40.0)})


def halls_drawn(seed: int) -> Case:
    promises = uptime_cases.NINES[seed % 7 :]
    return prepare(uptime_cases.draw(seed, promises), {"a": flat(40.0)})


def compiled(case: Case) -> Matrix:
    """The arrays as HiGHS gets them: what can only be whole is declared so before."""
    return tighten(compile_case(case).matrix)[0]


def tiny_in_whole_rows(matrix: Matrix) -> tuple[int, int]:
    """Coefficients that HiGHS stumbles on, and rows of nothing but whole numbers."""
    entries = coo_array(matrix.coefficients)
    used = entries.data != 0.0
    real = np.zeros(matrix.shape[0], bool)
    real[entries.row[used & ~matrix.integer[entries.col]]] = True
    filled = np.zeros(matrix.shape[0], bool)
    filled[entries.row[used]] = True
    tiny = used & (np.abs(entries.data) <= TINY) & ~real[entries.row]
    return int(tiny.sum()), int((filled & ~real).sum())


@pytest.mark.parametrize("name", names())
def test_shipped_instances_have_no_tiny_number_between_whole_ones(name: str) -> None:
    loaded = load(INSTANCES / name)
    tiny, rows = tiny_in_whole_rows(compiled(prepare(loaded.instance, loaded.hours)))
    assert rows > 0
    assert tiny == 0


@pytest.mark.parametrize("draw", [drawn, plants_drawn, halls_drawn], ids=lambda f: f.__name__)
def test_random_instances_have_no_tiny_number_between_whole_ones(
    draw: Callable[[int], Case],
) -> None:
    rows = 0
    for seed in range(EACH):
        tiny, whole = tiny_in_whole_rows(compiled(draw(seed)))
        assert tiny == 0, seed
        rows += whole
    print(f"{EACH} instances, {rows} rows of whole numbers")  # noqa: T201
    assert rows >= 3 * EACH


def test_budgets_of_downtime_are_whole_numbers() -> None:
    """Weights are whole and at least one, the budget a million: rows that HiGHS is right on."""
    budgets = 0
    for seed in range(20):
        matrix = compile_case(halls_drawn(seed)).matrix
        rows = [i for i, name in enumerate(matrix.row_names) if name.startswith("uptime_downtime")]
        budgets += len(rows)
        for i in rows:
            weights = matrix.coefficients.tocsr()[[i], :].data
            assert (weights == np.round(weights)).all()
            assert weights.min() >= 1.0
            assert matrix.row_upper[i] == 1_000_000.0
    assert budgets >= 100
