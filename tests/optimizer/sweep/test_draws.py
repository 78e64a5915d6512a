"""Draws: the laws that they follow, and that they are the same wherever and however many."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.sweep.design.correlations import factor, gaussian, nearest_ranks
from optimizer.sweep.design.draws import drawn, shares
from optimizer.sweep.design.exact import (
    Floats,
    exp,
    log,
    normal_quantile,
    normal_share,
    plus,
    sine,
    times,
)
from optimizer.sweep.design.spec import Choices, Listed, Observed
from optimizer.sweep.design.wish import Lognormal, Normal, Range, Triangular, Uniform
from optimizer.sweep.points import digest
from tests.optimizer.sweep.files import DRAWN, points

NAMES = ["capex", "firm", "rate"]
DESIGNS = ("monte_carlo", "latin_hypercube", "sobol")
PAIRS = {("capex", "firm"): 0.7, ("firm", "rate"): -0.4}


def draw(design: Any, samples: int, seed: int = 0, pairs: Any = None) -> Floats:
    return shares(design, NAMES, samples, seed, pairs or {})


# --- shares --------------------------------------------------------------------------------


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("pairs", [{}, PAIRS], ids=["alone", "correlated"])
def test_shares_are_even(design: Any, pairs: Any) -> None:
    found = draw(design, 4096, pairs=pairs)
    assert found.shape == (4096, 3)
    assert 0 < found.min() < found.max() < 1
    for column in found.T:
        assert scipy.stats.kstest(column, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("design", ["monte_carlo", "sobol"])
@pytest.mark.parametrize("pairs", [{}, PAIRS], ids=["alone", "correlated"])
@settings(deadline=None, derandomize=True)
@given(few=st.integers(1, 40), more=st.integers(0, 60), seed=st.integers(0, 2**40))
def test_more_samples_keep_the_first(design: Any, pairs: Any, few: int, more: int,
                                     seed: int) -> None:  # fmt: skip
    first, all_ = draw(design, few, seed, pairs), draw(design, few + more, seed, pairs)
    assert (first == all_[:few]).all()


def test_a_latin_hypercube_has_one_draw_in_every_stratum() -> None:
    for pairs in ({}, PAIRS):
        for column in draw("latin_hypercube", 97, pairs=pairs).T:
            assert sorted((column * 97).astype(int)) == list(range(97))


@pytest.mark.parametrize("design", ["monte_carlo", "latin_hypercube"])
def test_an_axis_draws_the_same_whatever_stands_beside_it(design: Any) -> None:
    alone = shares(design, ["firm"], 50, 3, {})
    assert (alone[:, 0] == shares(design, NAMES, 50, 3, {})[:, 1]).all()


@pytest.mark.parametrize("design", DESIGNS)
def test_seeds_and_names_make_the_difference(design: Any) -> None:
    one, other = draw(design, 64, 1), draw(design, 64, 2)
    assert (one != other).all(axis=0).any()
    assert not (one[:, 0] == one[:, 1]).any()


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("rank", [-1.0, -0.9, -0.5, 0.0, 0.3, 0.8, 1.0])
def test_ranks_are_correlated_as_wanted(design: Any, rank: float) -> None:
    found = draw(design, 2048, pairs={("capex", "rate"): rank})
    told = scipy.stats.spearmanr(found[:, 0], found[:, 2]).statistic
    assert told == pytest.approx(rank, abs=0.05)
    beside = scipy.stats.spearmanr(found[:, 0], found[:, 1]).statistic
    assert beside == pytest.approx(0.0, abs=0.07)


#: What every machine must draw: SHA-256 of the shares of 200 samples, correlated, with seed 11.
BITS = {
    "monte_carlo": "de20a7b81132e96c",
    "latin_hypercube": "b7053b2046b6b42b",
    "sobol": "553ee67e7d933bad",
}


@pytest.mark.parametrize("design", DESIGNS)
def test_every_machine_draws_the_same_bits(design: Any) -> None:
    found = draw(design, 200, 11, PAIRS)
    assert digest([float(share).hex() for share in found.ravel()])[:16] == BITS[design]


# --- laws ----------------------------------------------------------------------------------

EVEN: Floats = (np.arange(20_000) + 0.5) / 20_000


def law(kind: type, **kwargs: Any) -> Any:
    return kind.model_validate({"distribution": kind.__name__.lower(), **kwargs})  # type: ignore[attr-defined]


S = math.sqrt(math.log(1.25))
LAWS: dict[str, tuple[Choices, Any]] = {
    "uniform": (law(Uniform, **{"from": 2, "to": 5}), scipy.stats.uniform(2, 3)),
    "range": (Range.model_validate({"from": 2, "to": 5}), scipy.stats.uniform(2, 3)),
    "triangular": (law(Triangular, **{"from": 1, "mode": 2, "to": 5}),
        scipy.stats.triang(0.25, 1, 4)),
    "normal": (law(Normal, mean=3, sd=2), scipy.stats.norm(3, 2)),
    "cut normal": (law(Normal, mean=3, sd=2, least=2, most=8),
        scipy.stats.truncnorm(-0.5, 2.5, 3, 2)),
    "lognormal": (law(Lognormal, mean=4, sd=2), scipy.stats.lognorm(S, 0, 4 / math.sqrt(1.25))),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_draws_follow_their_law(name: str) -> None:
    choices, expected = LAWS[name]
    assert drawn(choices, EVEN) == pytest.approx(expected.ppf(EVEN), rel=1e-9, abs=1e-9)


def test_a_cut_lognormal_law_stays_within() -> None:
    found = np.array(drawn(law(Lognormal, mean=4, sd=2, least=3, most=5), EVEN))
    assert 3 <= found.min() < 3.01
    assert 4.99 < found.max() <= 5


@pytest.mark.parametrize("edge", [2.0**-53, 1 - 2.0**-53])
@pytest.mark.parametrize("name", LAWS)
def test_the_edges_of_a_law_are_finite(name: str, edge: float) -> None:
    (value,) = drawn(LAWS[name][0], np.array([edge]))
    assert math.isfinite(value)


@settings(deadline=None, derandomize=True)
@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6), share=st.floats(1e-9, 1 - 1e-9))
def test_draws_lie_within_their_span(low: float, span: float, share: float) -> None:
    high = low + span
    ends = {"from": low, "to": high}
    for choices in (law(Uniform, **ends), law(Triangular, mode=low + span / 3, **ends),
                    law(Normal, mean=low, sd=span, least=low, most=high)):  # fmt: skip
        (value,) = drawn(choices, np.array([share]))
        assert low <= value <= high


def test_lists_are_drawn_by_their_weights() -> None:
    found = drawn(Listed(("a", "b", "c"), (1.0, 0.0, 3.0)), EVEN)
    assert {name: found.count(name) for name in "abc"} == {"a": 5000, "b": 0, "c": 15000}
    assert drawn(Observed((1.0, 1.0, 5.0)), np.array([0.1, 0.5, 0.9])) == [1.0, 1.0, 5.0]
    steps = Range.model_validate({"from": 1, "to": 3, "step": 1})
    assert drawn(steps, np.array([0.1, 0.5, 0.9])) == [1, 2, 3]


# --- correlations --------------------------------------------------------------------------


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_correlations_can_be_or_have_a_neighbour_that_can(ranks: list[float]) -> None:
    names = list("abcd")
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    matrix = gaussian(names, dict(zip(pairs, ranks, strict=True)))
    least = float(np.linalg.eigvalsh(matrix)[0])
    rows = factor(matrix)
    if least > 1e-9:
        assert rows is not None
        assert np.array(rows) @ np.array(rows).T == pytest.approx(matrix, abs=1e-9)
    if rows is None:
        near = nearest_ranks(matrix)
        again = {pair: float(near[names.index(pair[0]), names.index(pair[1])]) for pair in pairs}
        assert factor(gaussian(names, again)) is not None


# --- arithmetic ----------------------------------------------------------------------------


def test_functions_agree_with_those_of_the_library() -> None:
    x = np.concatenate([np.linspace(1e-3, 50, 9999), 10.0 ** np.arange(-300, 300, 7)])
    assert log(x) == pytest.approx(np.log(x), rel=1e-15, abs=1e-18)
    y = np.linspace(-700, 700, 9999)
    assert exp(y) == pytest.approx(np.exp(y), rel=1e-15)
    share = np.concatenate([np.linspace(1e-6, 1 - 1e-6, 9999), 10.0 ** -np.arange(2.0, 300.0)])
    assert normal_quantile(share) == pytest.approx(
        scipy.special.ndtri(share), rel=2e-15, abs=1e-15
    )
    assert normal_share(y) == pytest.approx(scipy.special.ndtr(y), rel=1e-8, abs=1e-15)
    assert sine(0.5) == pytest.approx(math.sin(0.5), rel=1e-15)


@settings(deadline=None, derandomize=True)
@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_figures_are_those_of_paper(number: float, by: float) -> None:
    assert times(number, by) == pytest.approx(number * by, rel=1e-15, abs=1e-15)
    assert plus(number, by) == pytest.approx(number + by, rel=1e-15, abs=1e-6)
    assert times(560, 1.1) == 616.0


def test_a_drawn_sweep_gives_points(tmp_path: Path) -> None:
    found = points(tmp_path, DRAWN)
    assert len(found) == 64
    more = points(tmp_path, DRAWN.replace("64", "80"))
    assert [p.identity("v") for p in found] == [p.identity("v") for p in more[:64]]
    assert all(40 <= point.settings["capex"] <= 80 for point in found)
    assert all(0.7 <= point.settings["firm"] <= 1.3 for point in found)
