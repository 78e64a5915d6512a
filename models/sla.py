r"""What a promise of availability costs: breaches by month and year, expected credits.

Mean availability is not the promise: a contract counts downtime month by month. Outages come at
random, so many a year; each lasts for an exponential time. Downtime of a month is then a compound
Poisson sum, and its tail is worked out term by term.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def downtime_above(outages_per_year: float, hours_each: float, hours: float) -> float:
    r"""Probability that a month has more than so many hours of downtime.

    .. math::
        \sum_{n \ge 1} e^{-\lambda} \frac{\lambda^n}{n!} \, Q(n, h/r), \qquad
        Q(n, x) = e^{-x} \sum_{i<n} \frac{x^i}{i!}

    Parameters
    ----------
    outages_per_year : float
        Mean number of outages.
    hours_each : float
        Mean length of one, exponential.
    hours : float
        Downtime of the month that is allowed.

    Examples
    --------
    Outages of an hour that add up to 99.99 % on average break 99.99 % in 6.6 % of months:

    >>> round(downtime_above(0.876, 1.0, 1e-4 * 730), 5)
    0.06562
    """
    if outages_per_year <= 0.0 or hours_each <= 0.0:
        return 0.0
    rate, reach = outages_per_year / MONTHS_PER_YEAR, max(0.0, hours) / hours_each
    arrivals = tail = math.exp(-reach)
    chance = math.exp(-rate)
    above = 0.0
    for n in range(1, 10_000):
        chance *= rate / n
        above += chance * min(1.0, tail)
        if n > rate and chance < 1e-18 * max(above, 1e-300):
            break
        arrivals *= reach / n
        tail += arrivals
    return above


def breached_month(outages_per_year: float, hours_each: float, promised: float) -> float:
    """Probability that a month's availability falls below the promise.

    Examples
    --------
    >>> round(breached_month(0.876, 1.0, 0.9999), 5)
    0.06562
    """
    return downtime_above(outages_per_year, hours_each, (1.0 - promised) * HOURS_PER_MONTH)


def breached_year(outages_per_year: float, hours_each: float, promised: float) -> float:
    """Probability that a year holds at least one such month.

    Examples
    --------
    >>> round(breached_year(0.876, 1.0, 0.9999), 4)
    0.5571
    """
    month = breached_month(outages_per_year, hours_each, promised)
    return -math.expm1(MONTHS_PER_YEAR * math.log1p(-month))


def expected_credit(
    outages_per_year: float, hours_each: float, schedule: Sequence[Credit]
) -> float:
    r"""Share of a month's fee that is credited on average.

    .. math:: \sum_i (s_i - s_{i-1}) P(\text{availability} < A_i)

    with the steps :math:`A_i` falling and the shares :math:`s_i` rising.

    Examples
    --------
    An outage of four hours every five years, under 10, 30 and 100 %:

    >>> ladder = [Credit(0.9999, 0.1), Credit(0.99, 0.3), Credit(0.95, 1.0)]
    >>> round(expected_credit(0.2, 4.0, ladder), 5)
    0.00217
    """
    credit, before = 0.0, 0.0
    for step in sorted(schedule, key=lambda step: -step.below):
        chance = breached_month(outages_per_year, hours_each, step.below)
        credit += (step.share - before) * chance
        before = step.share
    return credit
