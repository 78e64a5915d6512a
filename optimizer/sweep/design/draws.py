"""Draws: shares of the unit interval, correlated where that is asked for, turned into numbers.

Every axis draws from a stream of its own, which follows from the seed and the name of the axis.
So more samples keep the first ones, and neither the order of axes nor a further axis changes what
one draws. The bits come from generators whose streams are fixed for good, and all that follows is
arithmetic that IEEE 754 fixes: the same file gives the same points on every machine.

A Latin hypercube alone cannot keep its first samples when more are taken: each sample's place
hangs on how many there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from scipy.stats import qmc

from optimizer.sweep.design.correlations import factor, gaussian
from optimizer.sweep.design.exact import Floats, exp, log, normal_quantile, normal_share
from optimizer.sweep.design.spec import Choices, Listed, Observed
from optimizer.sweep.design.wish import Design, Lognormal, Normal, Range, Triangular
from optimizer.sweep.points import Json

#: Bits of a Sobol number.
_BITS = 30
#: Shares are kept this far from 0 and 1, where a law has no value.
_EDGE = 2.0**-53


def shares(
    design: Design, names: Sequence[str], samples: int, seed: int,
    correlations: Mapping[tuple[str, str], float],
) -> Floats:  # fmt: skip
    """Draw a share above 0 and below 1 for every sample and axis.

    Parameters
    ----------
    design : {'monte_carlo', 'latin_hypercube', 'sobol'}
        How they are spread.
    names : sequence of str
        The axes.
    samples, seed : int
        How many, and from where.
    correlations : mapping of pair of str to float
        Rank correlations of axes.

    Returns
    -------
    ndarray
        ``samples`` by axes.

    Examples
    --------
    >>> few = shares("monte_carlo", ["a", "b"], 3, 1, {})
    >>> bool((shares("monte_carlo", ["a", "b"], 9, 1, {})[:3] == few).all())
    True
    """
    if design == "sobol":
        spread = _sobol(names, samples, seed)
    else:
        spread = np.stack([_stream(name, samples, seed) for name in names], axis=1)
    mixed = _correlated(spread, names, correlations)
    return _in_strata(mixed, names, seed) if design == "latin_hypercube" else mixed


def _bits(name: str, seed: int, use: str) -> np.random.PCG64:
    """Give the generator of an axis, of its own for each use."""
    digest = hashlib.sha256(f"{use}/{name}".encode()).digest()
    return np.random.PCG64(np.random.SeedSequence([seed, int.from_bytes(digest[:16], "big")]))


def _stream(name: str, number: int, seed: int, use: str = "draw") -> Floats:
    """Draw shares alike: the middles of 2**52 equal parts of the unit interval."""
    raw = np.atleast_1d(_bits(name, seed, use).random_raw(number))
    return np.asarray(((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


def _sobol(names: Sequence[str], samples: int, seed: int) -> Floats:
    """Sobol points, each axis shifted digit by digit by a number of its own.

    The shift keeps the evenness of the points, and their order: the first stay the first.
    """
    power = max(0, (samples - 1).bit_length())
    points = qmc.Sobol(len(names), scramble=False, bits=_BITS).random_base2(power)[:samples]
    digits = (points * 2.0**_BITS).astype(np.uint64)
    shift = [np.atleast_1d(_bits(name, seed, "sobol").random_raw(1))[0] for name in names]
    shifted = digits ^ (np.array(shift, dtype=np.uint64) >> np.uint64(64 - _BITS))
    return np.asarray((shifted.astype(np.float64) + 0.5) * 2.0**-_BITS)


def _correlated(
    spread: Floats, names: Sequence[str], correlations: Mapping[tuple[str, str], float]
) -> Floats:
    """Correlate the ranks of axes by a Gaussian copula; axes that go alone stay as they are."""
    known = [name for name in names if any(name in pair for pair in correlations)]
    rows = factor(gaussian(known, correlations)) if known else None
    if rows is None:
        return spread
    mixed = spread.copy()
    scores = [normal_quantile(spread[:, names.index(name)]) for name in known]
    for place, (name, row) in enumerate(zip(known, rows, strict=True)):
        total = np.zeros(len(spread))
        for weight, score in zip(row, scores, strict=True):
            total = total + weight * score
        # An axis that goes with none before it keeps what it drew.
        if row[place] != 1.0:
            mixed[:, names.index(name)] = normal_share(total)
    return np.clip(mixed, _EDGE, 1.0 - _EDGE)


def _in_strata(mixed: Floats, names: Sequence[str], seed: int) -> Floats:
    """Put the draws of each axis into strata of one draw each, in the order of their size."""
    samples = len(mixed)
    columns = []
    for place, name in enumerate(names):
        rank = np.empty(samples)
        rank[np.argsort(mixed[:, place], kind="stable")] = np.arange(samples)
        columns.append((rank + _stream(name, samples, seed, "stratum")) / samples)
    return np.clip(np.stack(columns, axis=1), _EDGE, 1.0 - _EDGE)


# --- laws ------------------------------------------------------------------------------------


def drawn(choices: Choices, share: Floats) -> list[Json]:
    """Turn shares into what an axis is set to: the value below which that share of a law lies.

    Examples
    --------
    >>> drawn(Listed((2, 3, 5)), np.array([0.1, 0.5, 0.9]))
    [2, 3, 5]
    >>> drawn(Range(**{"from": 0, "to": 10}), np.array([0.25]))
    [2.5]
    """
    if isinstance(choices, Listed):
        return _picked(choices.values, choices.weights, share)
    if isinstance(choices, Observed):
        return _picked(choices.values, None, share)
    if isinstance(choices, Range) and (choices.count or choices.step):
        return _picked(choices.numbers(), None, share)
    if isinstance(choices, Triangular):
        return _triangular(choices, share)
    if isinstance(choices, (Normal, Lognormal)):
        return _cut(choices, share)
    low, high = float(choices.from_), float(choices.to)
    return _within(low + (high - low) * share, low, high)


def _picked(
    values: Sequence[Json], weights: Sequence[float] | None, share: Floats
) -> list[Json]:  # fmt: skip
    """Pick from values, by their weights where they have any."""
    ends = np.array(list(accumulate(weights or [1.0] * len(values))))
    places = np.searchsorted(ends, share * ends[-1], side="right")
    return [values[min(int(place), len(values) - 1)] for place in places]


def _triangular(law: Triangular, share: Floats) -> list[Json]:
    low, mode, high = law.from_, law.mode, law.to
    span, rise = high - low, mode - low
    left = low + np.sqrt(share * span * rise)
    right = high - np.sqrt((1.0 - share) * span * (high - mode))
    return _within(np.where(share * span < rise, left, right), low, high)


def _cut(law: Normal | Lognormal, share: Floats) -> list[Json]:
    """Draw from a law that is cut at its ends: shares of what is left of it."""
    mean, sd = _of_logarithm(law) if isinstance(law, Lognormal) else (law.mean, law.sd)
    low, high = 0.0, 1.0
    if law.least is not None and (isinstance(law, Normal) or law.least > 0):
        low = float(normal_share(np.array([(_scale(law, law.least) - mean) / sd]))[0])
    if law.most is not None:
        high = float(normal_share(np.array([(_scale(law, law.most) - mean) / sd]))[0])
    left = np.clip(low + (high - low) * share, _EDGE / 4, 1.0 - _EDGE)
    values = mean + sd * normal_quantile(left)
    values = exp(values) if isinstance(law, Lognormal) else values
    return _within(values, law.least, law.most)


def _of_logarithm(law: Lognormal) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm."""
    variance = float(log(np.array([1.0 + (law.sd / law.mean) * (law.sd / law.mean)]))[0])
    return float(log(np.array([law.mean]))[0]) - variance / 2.0, float(np.sqrt(variance))


def _scale(law: Normal | Lognormal, value: float) -> float:
    return float(log(np.array([value]))[0]) if isinstance(law, Lognormal) else value


def _within(values: Floats, low: float | None, high: float | None) -> list[Json]:
    """Keep what rounding moved beyond an end at that end."""
    return [float(value) for value in np.clip(values, low, high)]
