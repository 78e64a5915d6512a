"""What draws come to together: their mean, how far they lie apart, and percentiles."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from optimizer.sweep.rows.export import WAITING
from optimizer.sweep.rows.pivot import RUN, has_plan, value_of
from optimizer.sweep.rows.records import Entry

#: Percentiles that are told.
PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Spread:
    """How a figure spreads over draws.

    Attributes
    ----------
    draws : int
        How many there are.
    mean, sd : float or None
        Mean, and standard deviation with one degree of freedom less; one draw has none.
    percentiles : dict of int to float
        Below which so many of a hundred draws lie.
    """

    draws: int
    mean: float
    sd: float | None
    percentiles: dict[int, float]


def spread_of(held: Iterable[tuple[float, int]]) -> Spread | None:
    """Say how figures spread, each of which was drawn so many times; None without any.

    Percentiles lie between two draws in proportion, as in ``PERCENTILE.INC`` of spreadsheets.

    Examples
    --------
    >>> found = spread_of([(4.0, 1), (1.0, 3)])
    >>> found.draws, found.mean, found.sd
    (4, 1.75, 1.5)
    >>> found.percentiles
    {5: 1.0, 25: 1.0, 50: 1.0, 75: 1.75, 95: 3.55}
    """
    figures = sorted(held)
    ends = list(accumulate(times for _, times in figures))
    if not ends:
        return None
    draws = ends[-1]
    mean = math.fsum(figure * times for figure, times in figures) / draws
    squares = math.fsum(times * (figure - mean) ** 2 for figure, times in figures)
    sd = math.sqrt(squares / (draws - 1)) if draws > 1 else None
    numbers = [figure for figure, _ in figures]
    return Spread(draws, mean, sd, {p: _percentile(numbers, ends, p) for p in PERCENTILES})


def _percentile(numbers: Sequence[float], ends: Sequence[int], percentile: int) -> float:
    """Find where so many of a hundred draws lie below; ``ends`` count them up to each number."""
    place, rest = divmod((ends[-1] - 1) * percentile, 100)
    low = numbers[bisect_right(ends, place)]
    if not rest:
        return low
    return low + rest / 100 * (numbers[bisect_right(ends, place + 1)] - low)


def mean_of(held: Sequence[tuple[float, int]]) -> float:
    """Give the mean of figures, each of which was drawn so many times.

    Examples
    --------
    >>> mean_of([(1.0, 3), (5.0, 1)])
    2.0
    """
    return math.fsum(n * times for n, times in held) / sum(times for _, times in held)


def times_by_end(entries: Iterable[Entry]) -> dict[str, int]:
    """Say how many draws have a plan, and how many came to which status without one.

    Returns
    -------
    dict of str to int
        Draws with a plan under ``plan``, the others by their status.
    """
    found: Counter[str] = Counter(plan=0)
    for entry in entries:
        end = "plan" if has_plan(entry) else entry.row.status if entry.row else WAITING
        found[end] += entry.point.times
    return dict(found)


def figures_of(entries: Iterable[Entry], column: str) -> list[tuple[float, int]]:
    """Give the figures of a column, each with how often its case was drawn.

    Cases without a plan that passed its audit have none, but for what they took.
    """
    told = (entry for entry in entries if has_plan(entry) or column in RUN)
    found = ((value_of(entry, column), entry) for entry in told)
    return [
        (float(value), entry.point.times)
        for value, entry in found
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
