"""Mining held to commitments runs at its best in each hour, and bands lose nothing by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from models.given import Given
from optimizer.bands import Priced, Room, dispatch, merge, priced_hours
from optimizer.held import held
from optimizer.settle import band_prices
from tests.optimizer.test_bands import made_up_year, unbanded, worth

S = "mill"
COMMITMENTS = ("offer-1", "offer-2")


def drawn(seed: int, rows: int) -> tuple[Given, Priced, Room]:
    """Machines of unlike ratios, a connection that may be too small, and two commitments.

    So much is committed as all bounds leave room for in every hour.
    """
    rng = np.random.default_rng(seed)
    hours = made_up_year(seed, rows, cut_share=0.05)
    free = ~hours.cut
    called = np.column_stack([(rng.random(rows) < share) & free for share in (0.2, 0.1)])
    stopped = rng.random(rows) < 0.05
    called &= ~stopped[:, None]
    hours = replace(hours, called=called, stopped=stopped)
    bare = replace(
        unbanded(),
        commitments={S: COMMITMENTS},
        ppa_offer={(S, a): 5e-6 for a in COMMITMENTS},
    )
    given = merge(bare, {S: hours})
    installed: dict[Any, float] = {
        key: float(rng.uniform(1, 30) * (rng.random() < 0.8)) for key in given.mining_classes[S]
    }
    load = sum(given.pue_peak[f] * mw for (f, _), mw in installed.items())
    supply, cut_supply = sorted(rng.uniform(0, 1.2 * load, 2).tolist(), reverse=True)
    most = most_drawn(given, installed, supply)
    shares = rng.dirichlet(np.ones(2)) * rng.choice([0.5, 0.97, 1.0])
    room = Room(installed, supply, cut_supply, committed_mw=most * shares)
    return given, priced_hours(given, 0, S, hours), room


def most_drawn(given: Given, installed: dict[Any, float], supply: float) -> float:
    """Utility MW that can be drawn on average, within a connection at peak."""
    use = [given.pue[f] for f, _ in installed]
    peaks = [given.pue_peak[f] for f, _ in installed]
    bounds = [(0, mw) for mw in installed.values()]
    return float(-linprog(np.negative(use), [peaks], [supply], bounds=bounds).fun)


def best(given: Given, each: NDArray[np.float64], room: Room, left: float, least: float,
         called: float) -> float:  # fmt: skip
    """Best margin of an hour by a linear program, in $."""
    use = np.array([given.pue[f] for f, _ in room.installed_mw])
    peaks = np.array([given.pue_peak[f] for f, _ in room.installed_mw])
    installed = np.array(list(room.installed_mw.values()))
    found = linprog(
        -each * 1e6,
        A_ub=[peaks, -use, use],
        b_ub=[left, -least, use @ installed - called],
        bounds=[(0, mw) for mw in installed],
    )
    assert found.status == 0
    return float(-found.fun)


@pytest.mark.parametrize("seed", range(25))
def test_a_commitment_is_dispatched_at_its_best_in_each_hour(seed: int) -> None:
    given, priced, room = drawn(seed, 60)
    running = dispatch(given, 0, S, priced, room)
    for row, each in enumerate(worth(given, 0, S, priced)):
        called = float(room.committed_mw[priced.calls[row]].sum())
        least = float(room.committed_mw.sum()) - called
        left = (room.cut_supply_mw if priced.cut[row] else room.supply_mw) - called
        if priced.cut[row] or priced.stops[row]:
            least = 0.0
        found = best(given, each, room, 0.0 if priced.stops[row] else left, least, called)
        assert float(each @ running[row]) * 1e6 == pytest.approx(found, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("seed", range(25))
def test_bands_earn_what_hours_earn_whatever_is_committed(seed: int) -> None:
    given, priced, room = drawn(seed, 2000)
    bands = band_prices(given, 0, S)
    margins = [
        float((rows.hours[:, None] * dispatch(given, 0, S, rows, room)
               * worth(given, 0, S, rows)).sum())
        for rows in (priced, bands)
    ]  # fmt: skip
    assert margins[1] == pytest.approx(margins[0], rel=1e-12, abs=1e-15)
    assert len(bands.hours) < 60


def test_commitments_of_these_cases_force_losses_on_a_full_connection() -> None:
    mixed = 0
    for seed in range(25):
        given, priced, room = drawn(seed, 60)
        running, each = dispatch(given, 0, S, priced, room), worth(given, 0, S, priced)
        peaks = np.array([given.pue_peak[f] for f, _ in room.installed_mw])
        full = np.isclose(running @ peaks, room.left(priced)) & (room.left(priced) > 0)
        mixed += int((full & ((running > 1e-6) & (each < 0)).any(axis=1)).any())
    assert mixed >= 5


def test_a_draw_between_two_stretches_mixes_their_choices() -> None:
    """Cheap energy runs both machines, dear energy the first alone, dearest none."""
    both, first, none = (np.array([[x, y]]) for x, y in ((4.0, 2.0), (4.0, 0.0), (0.0, 0.0)))
    use, free = np.array([1.0, 2.0]), np.array([np.inf])

    def found(running: NDArray[np.float64], least: float, most: NDArray[np.float64]) -> Any:
        return held(running, use, [both, first, none], np.array([least]), most).tolist()

    assert found(none, 6.0, free) == [[4.0, 1.0]]
    assert found(none, 1.0, free) == [[1.0, 0.0]]
    assert found(both, 1.0, np.array([5.0])) == [[4.0, 0.5]]
    assert found(first, 3.0, np.array([5.0])) == [[4.0, 0.0]]
    assert found(none, 8.0 + 1e-12, free) == [[4.0, 2.0]]
