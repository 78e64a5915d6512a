r"""Outages of the feed: what generators and batteries carry, hour by hour.

A source that stands by has to start, to take the load and to run on. Until it does, a battery or
the ride-through of a UPS carries what must not stop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from models.availability import Share, joint_probabilities, up_probabilities

#: Where, within an outage, the chance of too few generators is taken, and its weight there.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True)
class Standby:
    """Generators that start when the feed fails.

    Attributes
    ----------
    available : float or Fraction
        Share of time that one is ready to start.
    start_failure : float or Fraction
        Share of starts that fail or do not take the load.
    hours_to_failure : float or Fraction
        Mean time to failure while running.
    """

    available: Share
    start_failure: Share
    hours_to_failure: Share

    @property
    def starts(self) -> Share:
        """Probability that a unit starts.

        Examples
        --------
        >>> Standby(Fraction(995, 1000), Fraction(94, 10000), 1100).starts
        Fraction(985647, 1000000)
        """
        return self.available * (1 - self.start_failure)


def hours_lost(standby: Standby, count: int, needed: int, hours: float) -> float:
    r"""Mean hours of an outage in which too few generators run.

    .. math::
        \int_0^D P\big( \mathrm{Bin}(n, p_0 e^{-t/\tau}) < k \big)\, dt,
        \qquad p_0 = a\,(1-f)

    A generator that fails is not repaired during the outage. The integrand is smooth and
    positive, so that Gauss and Legendre's rule takes it to its last digits.

    Parameters
    ----------
    standby : Standby
        What stands by.
    count, needed : int
        Generators installed, and those that carry the load.
    hours : float
        Length of the outage.

    Examples
    --------
    Two outages a year of two hours; four, five and six generators of which four are needed:

    >>> plant = Standby(0.995, 0.0094, 1100.0)
    >>> [round(2 * hours_lost(plant, n, 4, 2.0), 6) for n in (4, 5, 6)]
    [0.238446, 0.00903, 0.000275]
    """
    if needed <= 0:
        return 0.0
    starts, life = float(standby.starts), float(standby.hours_to_failure)
    lost = 0.0
    for point, weight in zip(_POINTS.tolist(), _WEIGHTS.tolist(), strict=True):
        running = starts * math.exp(-hours * (1.0 + point) / 2.0 / life)
        lost += weight / 2.0 * math.fsum(up_probabilities(count, running)[:needed])
    return hours * lost


def chance_lost(standby: Standby, count: int, needed: int, hours: float) -> float:
    r"""Probability that an outage of the feed is not bridged to its end.

    .. math:: P\big( \mathrm{Bin}(n, p_0 e^{-D/\tau}) < k \big)

    Generators that fail are not repaired during the outage, so too few at any time are too few at
    its end.

    Examples
    --------
    Outages of two hours; four, five and six generators of which four are needed:

    >>> plant = Standby(0.995, 0.0094, 1100.0)
    >>> [round(chance_lost(plant, n, 4, 2.0), 6) for n in (4, 5, 6)]
    [0.063027, 0.002523, 8.1e-05]
    """
    if needed <= 0:
        return 0.0
    running = float(standby.starts) * math.exp(-hours / float(standby.hours_to_failure))
    return min(1.0, math.fsum(up_probabilities(count, running)[:needed]))


def hours_lost_exactly(standby: Standby, count: int, needed: int, hours: Fraction) -> Fraction:
    r"""Work the same integral out in fractions, for the audit.

    .. math::
        \sum_{i<k} \binom{n}{i} \sum_{j=0}^{n-i} \binom{n-i}{j} (-1)^j p_0^{i+j}
        \int_0^D e^{-(i+j)t/\tau} dt

    Exponentials are taken to 40 digits.

    Examples
    --------
    >>> plant = Standby(Fraction(995, 1000), Fraction(94, 10000), Fraction(1100))
    >>> exact = float(hours_lost_exactly(plant, 5, 4, Fraction(2)))
    >>> abs(exact / hours_lost(plant, 5, 4, 2.0) - 1) < 1e-12
    True
    """
    starts, life = Fraction(standby.starts), Fraction(standby.hours_to_failure)

    def integral(power: int) -> Fraction:
        if not power:
            return hours
        return life / power * (1 - _exponential(-power * hours / life))

    lost = Fraction(0)
    for i in range(min(needed, count + 1)):
        for j in range(count - i + 1):
            sign = -1 if j % 2 else 1
            ways = math.comb(count, i) * math.comb(count - i, j)
            lost += sign * ways * starts ** (i + j) * integral(i + j)
    return lost


def _exponential(x: Fraction) -> Fraction:
    """Exponential of a negative fraction to 40 digits, by its series.

    Examples
    --------
    >>> abs(float(_exponential(Fraction(-3))) - math.exp(-3.0)) < 1e-15
    True
    """
    # Halved until small, so that the series is short; then squared as often.
    halvings = max(0, math.ceil(math.log2(max(1.0, float(-x)))) + 1)
    small = x / 2**halvings
    term = total = Fraction(1)
    for i in range(1, 40):
        term = (term * small / i).limit_denominator(10**60)
        total += term
    for _ in range(halvings):
        total = (total * total).limit_denominator(10**60)
    return total


def still_up(failing: Sequence[float], counts: Sequence[int]) -> list[list[float]]:
    """Probabilities of how many units run one step later, by how many run now.

    Parameters
    ----------
    failing : sequence of float
        Probability that a unit of each kind fails in the step.
    counts : sequence of int
        Units of each kind.

    Returns
    -------
    list of list of float
        Rows from (0, 0) to all up, the first kind running fastest; so the columns.

    Examples
    --------
    >>> [round(p, 4) for p in still_up([0.1, 0.25], [2, 1])[-1]]
    [0.0025, 0.045, 0.2025, 0.0075, 0.135, 0.6075]
    """
    tables = [
        [[*up_probabilities(up, 1.0 - step), *[0.0] * (count - up)] for up in range(count + 1)]
        for step, count in zip(failing, counts, strict=True)
    ]
    # The first kind runs fastest, so the last is the outermost loop.
    states = product(*(range(count + 1) for count in reversed(counts)))
    return [
        joint_probabilities([table[up] for table, up in zip(tables, reversed(state), strict=True)])
        for state in states
    ]


@dataclass(frozen=True)
class Battery:
    """A store beside the generators.

    Attributes
    ----------
    kwh, kw : float
        Energy it holds and power it gives or takes.
    charge : float
        Share of the energy that it holds when the outage begins.
    floor : float
        Share below which it is not drawn.
    """

    kwh: float
    kw: float
    charge: float = 1.0
    floor: float = 0.0


def survival(
    starting: Sequence[float],
    running: float,
    generator_kw: float,
    loads_kw: Sequence[float],
    battery: Battery,
) -> list[float]:
    """Probability that an outage is survived through each of its hours.

    In every hour generators fail first; those left carry the load, charge the battery with what
    they have over, or draw on it. An hour with too little ends it.

    Parameters
    ----------
    starting : sequence of float
        Probabilities that none, one, ... or all generators start.
    running : float
        Probability that a generator runs on through an hour.
    generator_kw : float
        Size of a generator.
    loads_kw : sequence of float
        Load of each hour.
    battery : Battery
        The store.

    Examples
    --------
    Two generators of 1 kW, four of five times sure of an hour (REopt.jl's worked case):

    >>> store = Battery(kwh=4, kw=1, charge=0.75, floor=0.5)
    >>> [round(p, 6) for p in survival([0, 0, 1], 0.8, 1.0, [1, 2, 2], store)]
    [1.0, 0.8704, 0.557056]
    """
    states = {(up, battery.charge * battery.kwh): p for up, p in enumerate(starting) if p}
    survived: list[float] = []
    for load in loads_kw:
        after: dict[tuple[int, float], float] = {}
        for (up, stored), p in states.items():
            for left, chance in enumerate(up_probabilities(up, running)):
                over = left * generator_kw - load
                if over >= 0:
                    kept = min(battery.kwh, stored + min(over, battery.kw))
                elif -over <= battery.kw and stored + over >= battery.floor * battery.kwh - 1e-9:
                    kept = stored + over
                else:
                    continue
                after[left, kept] = after.get((left, kept), 0.0) + p * chance
        states = after
        survived.append(math.fsum(states.values()))
    return survived
