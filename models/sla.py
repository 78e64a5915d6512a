r"""What a promise of availability costs: breaches by month and year, expected credits.

Mean availability is not the promise: a contract counts downtime month by month. Outages come at
random, so many a year; each lasts for an exponential time, whose mean is its kind's own. Downtime
of a month is then a compound Poisson sum, and its tail is worked out term by term.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.availability import HOURS_PER_YEAR

MONTHS_PER_YEAR = 12
HOURS_PER_MONTH = HOURS_PER_YEAR / MONTHS_PER_YEAR


@dataclass(frozen=True)
class Credit:
    """One step of a credit schedule.

    Attributes
    ----------
    below : float
        Availability of a month below which it is owed.
    share : float
        Share of the month's fee.
    """

    below: float
    share: float


@dataclass(frozen=True)
class Outage:
    """A kind of outage: each begins at random and lasts for an exponential time.

    Attributes
    ----------
    per_year : float
        Mean number.
    hours_each : float
        Mean length.
    """

    per_year: float
    hours_each: float


def downtime_above(kinds: Sequence[Outage], hours: float) -> float:
    r"""Probability that a month has more than so many hours of downtime.

    .. math::
        \sum_{m \ge 1} f_m \, Q(m, h/r), \qquad
        Q(m, x) = e^{-x} \sum_{i<m} \frac{x^i}{i!}

    with :math:`r` the shortest mean length. An exponential time of mean :math:`r_j` is a geometric
    number of those of mean :math:`r`, one with probability :math:`p_j = r / r_j`; so downtime is
    that of :math:`m` short outages with the probability :math:`f_m` that Panjer's recursion gives,

    .. math::
        f_0 = e^{-\lambda}, \qquad
        f_m = \frac{1}{m} \sum_j \lambda_j p_j \sum_{i \le m} i (1-p_j)^{i-1} f_{m-i}

    for :math:`\lambda_j` outages a month. With one kind it is the sum over Poisson numbers.

    Parameters
    ----------
    kinds : sequence of Outage
        What strikes, each kind apart from the others.
    hours : float
        Downtime of the month that is allowed.

    Examples
    --------
    Outages of an hour that add up to 99.99 % on average break 99.99 % in 6.6 % of months; no less
    if a few of them are set apart:

    >>> round(downtime_above([Outage(0.876, 1.0)], 1e-4 * 730), 5)
    0.06562
    >>> round(downtime_above([Outage(0.8, 1.0), Outage(0.076, 1.0)], 1e-4 * 730), 5)
    0.06562
    """
    monthly = [
        (kind.per_year / MONTHS_PER_YEAR, kind.hours_each)
        for kind in kinds
        if kind.per_year > 0.0 and kind.hours_each > 0.0
    ]
    if not monthly:
        return 0.0
    shortest = min(hours_each for _, hours_each in monthly)
    reach = max(0.0, hours) / shortest
    left = strikes = -math.expm1(-math.fsum(often for often, _ in monthly))
    above = 0.0
    for chance, tail in zip(_short_outages(monthly, shortest), _tails(reach), strict=False):
        above += chance * tail
        left -= chance
        if left < _ROUNDING * strikes:
            return above
    # With more short outages than these the hours are exceeded for sure.
    return above + left


def _short_outages(monthly: Sequence[tuple[float, float]], shortest: float) -> Iterator[float]:
    """Probability of one, two, ... short outages in a month, out of which the others consist."""
    kinds = [(often * shortest / each, 1.0 - shortest / each) for often, each in monthly]
    ones, weighed = [0.0] * len(kinds), [0.0] * len(kinds)
    chance = math.exp(-math.fsum(often for often, _ in monthly))
    for m in itertools.count(1):
        for j, (_, stays) in enumerate(kinds):
            ones[j] = chance + stays * ones[j]
            weighed[j] = ones[j] + stays * weighed[j]
        chance = math.fsum(often * w for (often, _), w in zip(kinds, weighed, strict=True)) / m
        yield chance


def _tails(reach: float) -> Iterator[float]:
    """Probability that one, two, ... exponential times of mean one take longer than so long.

    It ends where the rest are as good as certain.
    """
    tail, arrivals = 0.0, -reach
    for m in itertools.count(1):
        tail += math.exp(arrivals)
        yield min(1.0, tail)
        if m > reach and arrivals < _NEGLIGIBLE:
            return
        arrivals += math.log(reach / m) if reach else -math.inf


#: Logarithm of a probability that no longer counts, and what rounding leaves of one.
_NEGLIGIBLE, _ROUNDING = -40.0, 1e-15


def breached_month(kinds: Sequence[Outage], promised: float) -> float:
    """Probability that a month's availability falls below the promise.

    Examples
    --------
    >>> round(breached_month([Outage(0.876, 1.0)], 0.9999), 5)
    0.06562
    """
    return downtime_above(kinds, (1.0 - promised) * HOURS_PER_MONTH)


def breached_year(kinds: Sequence[Outage], promised: float) -> float:
    """Probability that a year holds at least one such month.

    Examples
    --------
    >>> round(breached_year([Outage(0.876, 1.0)], 0.9999), 4)
    0.5571
    """
    month = breached_month(kinds, promised)
    return -math.expm1(MONTHS_PER_YEAR * math.log1p(-month)) if month < 1.0 else 1.0


def expected_credit(kinds: Sequence[Outage], schedule: Sequence[Credit]) -> float:
    r"""Share of a month's fee that is credited on average.

    .. math:: \sum_i (s_i - s_{i-1}) P(\text{availability} < A_i)

    with the steps :math:`A_i` falling and the shares :math:`s_i` rising.

    Examples
    --------
    An outage of four hours every five years, under 10, 30 and 100 %:

    >>> ladder = [Credit(0.9999, 0.1), Credit(0.99, 0.3), Credit(0.95, 1.0)]
    >>> round(expected_credit([Outage(0.2, 4.0)], ladder), 5)
    0.00217
    """
    credit, before = 0.0, 0.0
    for step in sorted(schedule, key=lambda step: -step.below):
        credit += (step.share - before) * breached_month(kinds, step.below)
        before = step.share
    return credit
