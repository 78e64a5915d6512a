"""Rank correlations between axes, carried by a Gaussian copula.

Two normal numbers with correlation r have ranks with correlation 6/π · asin(r/2). So a file says
how the ranks of two axes go together, whatever their laws, and normal numbers with
r = 2 sin(π ρ/6) bring it about.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from optimizer.errors import did_you_mean, listed
from optimizer.keys import Key
from optimizer.sweep.design.exact import Floats, sine
from optimizer.sweep.design.reading import Reading
from optimizer.sweep.design.spec import Axis, Listed
from optimizer.sweep.design.wish import SAMPLED, SweepTable

Pairs = dict[tuple[str, str], float]

#: A pivot this near to zero is one: the correlation then leaves nothing to chance.
_FLAT = 1e-12


def read_correlations(
    reading: Reading, held: Any, axes: Mapping[str, Axis], table: SweepTable | None
) -> Pairs:
    """Read rank correlations by axis and axis.

    Parameters
    ----------
    reading : Reading
        Takes the problems.
    held : object
        What the file says, as ``{"hashprice": {"rate": 0.5}}``; None where it says nothing.
    axes : mapping of str to Axis
        The axes that could be read.
    table : SweepTable or None
        Says whether the design draws.
    """
    at: Key = ("correlations",)
    if held is None:
        return {}
    if table is not None and table.design not in SAMPLED:
        message = f"the design {table.design} draws nothing that could be correlated"
        reading.complain(at, message, hint=f"designs that draw are {listed(SAMPLED)}")
        return {}
    pairs: Pairs = {}
    for one, row in reading.tables(at, held):
        for other, rank in reading.tables((*at, one), row):
            key: Key = (*at, one, other)
            if _stands(reading, key, rank, axes) and not _is_repeat(reading, key, pairs):
                pairs[one, other] = float(rank)
    if pairs and not any(lost[:1] == at for lost in reading.lost):
        _refuse_impossible(reading, pairs)
    return pairs


def _stands(reading: Reading, key: Key, rank: Any, axes: Mapping[str, Axis]) -> bool:
    """Whether both axes are there and have an order, and the number is a correlation."""
    for size in (2, 3):
        name, at = str(key[size - 1]), key[:size]
        axis = axes.get(name)
        if axis is None and name not in _unread(reading):
            may = _may_go_with(None if size == 2 else str(key[1]), reading, axes)
            hint = did_you_mean(name, may)
            reading.complain(at, "there is no such axis", name, listed(may), hint)
            return False
        if axis and not _has_ranks(axis):
            message = f"the settings of {name} are no numbers, and have no rank"
            reading.complain(at, message)
            return False
    if key[1] == key[2]:
        reading.complain(key, "an axis goes with itself in any case", hint="take it out")
        return False
    if not reading.number(key, rank):
        return False
    if not -1 <= rank <= 1:
        reading.complain(key, "the value is outside its range", f"{rank:g}", "-1 to 1")
        return False
    return True


def _has_ranks(axis: Axis) -> bool:
    """Whether the settings of an axis can be put in order."""
    return not isinstance(axis.choices, Listed) or axis.choices.are_numbers


def _unread(reading: Reading) -> list[str]:
    """Axes that the file has and that could not be read, which are told as such."""
    return sorted({str(lost[1]) for lost in reading.lost if lost[0] == "axes" and len(lost) > 1})


def _may_go_with(one: str | None, reading: Reading, axes: Mapping[str, Axis]) -> list[str]:
    """Axes that may be correlated; with another one, where that is given."""
    ranked = [name for name, axis in axes.items() if _has_ranks(axis)]
    unread = [name for name in _unread(reading) if name not in axes]
    return [name for name in (*ranked, *unread) if name != one]


def _is_repeat(reading: Reading, key: Key, pairs: Pairs) -> bool:
    """Whether a pair was given before, the other way round."""
    one, other = str(key[1]), str(key[2])
    if (other, one) in pairs:
        message = "the pair is given twice"
        reading.complain(key, message, hint=f"{other}.{one} says it already; keep one")
        return True
    return False


def _refuse_impossible(reading: Reading, pairs: Pairs) -> None:
    """Refuse correlations that no numbers can have together, and say the nearest that some can."""
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    matrix = gaussian(names, pairs)
    if factor(matrix) is not None:
        return
    near = nearest_ranks(matrix)
    told = [
        f"{names[i]} and {names[j]} {near[i, j]:.3f}"
        for i, j in combinations(range(len(names)), 2)
        if abs(near[i, j]) >= 5e-4
        or (names[i], names[j]) in pairs
        or (names[j], names[i]) in pairs
    ]
    message = "no numbers can be correlated like this, pair by pair"
    hint = f"the nearest that can: {'; '.join(told)}"
    reading.complain(("correlations",), message, hint=hint)


def gaussian(names: Sequence[str], pairs: Mapping[tuple[str, str], float]) -> Floats:
    """Correlations of the normal numbers whose ranks have the correlations wanted.

    Examples
    --------
    >>> float(gaussian(["a", "b"], {("a", "b"): 1.0})[0, 1])
    1.0
    """
    matrix = np.eye(len(names))
    for (one, other), rank in pairs.items():
        i, j = names.index(one), names.index(other)
        whole = abs(rank) == 1.0
        matrix[i, j] = matrix[j, i] = rank if whole else 2.0 * sine(math.pi * rank / 6.0)
    return matrix


def factor(matrix: Floats) -> list[list[float]] | None:
    """Lower triangle L with L Lᵀ = matrix, in plain arithmetic; None where there is none.

    A library's own routine sums in an order that depends on the processor.

    Examples
    --------
    >>> factor(np.array([[1.0, 0.6], [0.6, 1.0]]))
    [[1.0, 0.0], [0.6, 0.8]]
    """
    size = len(matrix)
    rows = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = float(matrix[i, j])
            for k in range(j):
                rest -= rows[i][k] * rows[j][k]
            if i == j and rest < -_FLAT:
                return None
            if i == j:
                rows[i][i] = math.sqrt(rest) if rest > _FLAT else 0.0
            elif rows[j][j]:
                rows[i][j] = rest / rows[j][j]
            elif abs(rest) > math.sqrt(_FLAT):
                return None
    return rows


def nearest_ranks(matrix: Floats) -> Floats:
    """Rank correlations that can be, nearest to those of a matrix that cannot.

    Higham's alternating projections give the nearest correlation matrix; it is drawn a little
    towards no correlation, so that figures of three digits still can be.
    """
    shift, found = np.zeros_like(matrix), matrix
    for _ in range(200):
        wanted = found - shift
        values, vectors = np.linalg.eigh(wanted)
        positive = (vectors * np.maximum(values, 0.0)) @ vectors.T
        shift = positive - wanted
        found = positive.copy()
        np.fill_diagonal(found, 1.0)
    for towards in np.linspace(0.0, 1.0, 501):
        drawn = found * (1.0 - towards)
        np.fill_diagonal(drawn, 1.0)
        ranks = np.round(6.0 / math.pi * np.arcsin(np.clip(drawn / 2.0, -0.5, 0.5)), 3)
        if factor(_of_ranks(ranks)) is not None:
            break
    return np.asarray(ranks)


def _of_ranks(ranks: Floats) -> Floats:
    names = [str(place) for place in range(len(ranks))]
    pairs = {
        (names[i], names[j]): float(ranks[i, j])
        for i, j in combinations(range(len(names)), 2)
    }  # fmt: skip
    return gaussian(names, pairs)
