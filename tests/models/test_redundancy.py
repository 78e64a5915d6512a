"""Redundancy allocation: enumeration on small cases, published optima on the field's benchmark."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.redundancy import Choice, Design, candidates, frontier

SHARED = Path(__file__).parents[3] / "shared" / "data" / "uptime"
#: Least cost of a design, as in the benchmark; weights run from 159 to 191.
COST = 130


@st.composite
def subsystems(draw):
    kinds = st.tuples(st.integers(1, 40), st.integers(0, 4), st.integers(0, 4))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        choices = [
            Choice(q / 100, (float(a), float(b)))
            for q, a, b in draw(st.lists(kinds, min_size=1, max_size=2))
        ]
        needed = draw(st.integers(1, 2))
        found.append(candidates(choices, needed, 3, mixing=draw(st.booleans())))
    return found


@settings(max_examples=120, deadline=None)
@given(subsystems(), st.integers(2, 16), st.integers(2, 16))
def test_the_frontier_equals_the_enumeration(parts, most, heaviest):
    designs = [Design(parts) for parts in itertools.product(*parts)]
    inside = [d for d in designs if d.spends[0] <= most and d.spends[1] <= heaviest]
    found = frontier(parts, [most, heaviest])
    assert bool(found) == bool(inside)
    for a, b in {d.spends for d in inside}:
        reached = min(d.loss for d in inside if d.spends[0] <= a and d.spends[1] <= b)
        offered = min(d.loss for d in found if d.spends[0] <= a and d.spends[1] <= b)
        assert offered == pytest.approx(reached, rel=1e-12, abs=1e-15)
    for one, other in itertools.permutations(found, 2):
        assert not (
            one.loss <= other.loss
            and all(x <= y for x, y in zip(one.spends, other.spends, strict=True))
        )


def test_unlike_units_beat_the_common_cause():
    alike = candidates([Choice(1e-3, (1.0,), 0.05)], 1, 2)[-1]
    unlike = candidates(
        [Choice(1e-3, (1.0,), 0.05), Choice(1e-3, (1.0,), 0.05)], 1, 2, mixing=True
    )
    assert alike.unavailability > 5e-5
    mixed = next(c for c in unlike if c.counts == (1, 1))
    assert mixed.unavailability == pytest.approx(1e-6, rel=1e-3)


# --- the benchmark of Fyffe, Hines and Lee, and of Nakagawa and Miyazaki --------------------


@pytest.fixture(scope="module")
def benchmark():
    path = SHARED / "rap_fyffe_components.csv"
    if not path.exists():
        pytest.skip("needs the benchmark of ../shared/data/uptime")
    choices: dict[str, list[Choice]] = {}
    for row in csv.DictReader(path.read_text("utf-8").splitlines()):
        spends = float(row["cost"]), float(row["weight"])
        choices.setdefault(row["subsystem"], []).append(
            Choice(1 - float(row["reliability"]), spends)
        )
    return list(choices.values())


def best_by_weight(designs):
    return {
        weight: min((d for d in designs if d.spends[1] <= weight), key=lambda d: d.loss)
        for weight in range(159, 192)
    }


@pytest.mark.shared
def test_all_published_optima_with_mixing(benchmark):
    designs = frontier([candidates(c, 1, 8, mixing=True) for c in benchmark], [COST, 191])
    best = best_by_weight(designs)
    assert len(best) == 33
    text = (SHARED / "rap_nakagawa_optima.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 17
    for row in rows:
        design = best[int(row["W_limit"])]
        assert design.availability == pytest.approx(float(row["R_opt_mixing"]), abs=5e-7)
        assert design.spends[0] <= COST
    gained = np.diff([best[w].availability for w in range(159, 192)])
    assert (gained >= 0).all()


@pytest.mark.shared
def test_published_optima_without_mixing(benchmark):
    best = best_by_weight(frontier([candidates(c, 1, 8) for c in benchmark], [COST, 191]))
    assert round(best[191].availability, 6) == 0.986399
    assert round(best[159].availability, 6) == 0.954565


@pytest.mark.shared
def test_least_cost_of_a_target(benchmark):
    parts = [candidates(c, 1, 8, mixing=True) for c in benchmark]
    light = frontier(parts, [np.inf, 191])
    for target, cost in ((0.95, 82), (0.98, 110)):
        assert min(d.spends[0] for d in light if d.availability >= target) == cost
    alone = [
        [type(c)(c.counts, c.spends[:1], c.unavailability) for c in options] for options in parts
    ]
    assert min(d.spends[0] for d in frontier(alone) if d.availability >= 0.999) == 140
