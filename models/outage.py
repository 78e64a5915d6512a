r"""Outages of the feed: what generators and batteries carry, hour by hour.

A source that stands by has to start, to take the load and to run on. Until it does, a battery or
the ride-through of a UPS carries what must not stop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product, zip_longest

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
    common_cause_share : float or Fraction
        Share of what keeps a unit from running that strikes all of them at once.
    """

    available: Share
    start_failure: Share
    hours_to_failure: Share
    common_cause_share: Share = 0

    @property
    def starts(self) -> Share:
        """Probability that a unit starts.

        Examples
        --------
        >>> Standby(Fraction(995, 1000), Fraction(94, 10000), 1100).starts
        Fraction(985647, 1000000)
        """
        return self.available * (1 - self.start_failure)


def too_few_running(standby: Standby, count: int, needed: int, hours: float) -> float:
    r"""Probability that too few generators run, so long after the feed failed.

    .. math::
        \beta f + (1 - \beta f)\, P\big( \mathrm{Bin}(n, 1 - (1-\beta) f) < k \big),
        \qquad f = 1 - a\,(1-s)\, e^{-t/\tau}

    A generator that fails is not repaired during the outage.
    """
    running = float(standby.starts) * math.exp(-hours / float(standby.hours_to_failure))
    together = float(standby.common_cause_share) * (1.0 - running)
    alone = (1.0 - float(standby.common_cause_share)) * (1.0 - running)
    too_few = math.fsum(up_probabilities(count, 1.0 - alone, alone)[:needed])
    return min(1.0, together + (1.0 - together) * too_few)


def hours_lost(standby: Standby, count: int, needed: int, hours: float) -> float:
    r"""Mean hours of an outage in which too few generators run.

    .. math:: \int_0^D P(\text{too few at}\ t)\, dt

    The integrand is smooth and positive, so that Gauss and Legendre's rule, on stretches that are
    short beside the life of a generator, takes it to its last digits.

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
    stretches = max(1, math.ceil(2.0 * hours / float(standby.hours_to_failure)))
    length = hours / stretches
    lost = 0.0
    for stretch in range(stretches):
        for point, weight in zip(_POINTS.tolist(), _WEIGHTS.tolist(), strict=True):
            at = length * (stretch + (1.0 + point) / 2.0)
            lost += weight / 2.0 * too_few_running(standby, count, needed, at)
    return length * lost


def chance_lost(standby: Standby, count: int, needed: int, hours: float) -> float:
    r"""Probability that an outage of the feed is not bridged to its end.

    Generators that fail are not repaired during the outage, so too few at any time are too few at
    its end.

    Examples
    --------
    Outages of two hours; four, five and six generators of which four are needed:

    >>> plant = Standby(0.995, 0.0094, 1100.0)
    >>> [round(chance_lost(plant, n, 4, 2.0), 6) for n in (4, 5, 6)]
    [0.063027, 0.002523, 8.1e-05]
    """
    return too_few_running(standby, count, needed, hours) if needed > 0 else 0.0


#: A polynomial in the share of generators that have not failed: its coefficients, lowest first.
_Polynomial = list[Fraction]


def _too_few_polynomial(standby: Standby, count: int, needed: int) -> _Polynomial:
    """Probability that too few generators run, as a polynomial in exp(-t/life)."""
    starts, beta = Fraction(standby.starts), Fraction(standby.common_cause_share)
    down = [1 - beta, -(1 - beta) * starts]
    up = [beta, (1 - beta) * starts]
    ups, downs = _powers(up, count), _powers(down, count)
    too_few: _Polynomial = [Fraction(0)]
    for i in range(min(needed, count + 1)):
        term = _product(ups[i], downs[count - i])
        too_few = _sum(too_few, [math.comb(count, i) * a for a in term])
    together = [beta, -beta * starts]
    apart = [1 - beta, beta * starts]
    return _sum(together, _product(apart, too_few))


def _powers(base: _Polynomial, most: int) -> list[_Polynomial]:
    powers = [[Fraction(1)]]
    for _ in range(most):
        powers.append(_product(powers[-1], base))
    return powers


def _product(one: _Polynomial, other: _Polynomial) -> _Polynomial:
    product = [Fraction(0)] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            product[i + j] += a * b
    return product


def _sum(one: _Polynomial, other: _Polynomial) -> _Polynomial:
    return [a + b for a, b in zip_longest(one, other, fillvalue=Fraction(0))]


def hours_lost_exactly(standby: Standby, count: int, needed: int, hours: Fraction) -> Fraction:
    r"""Work the same integral out in fractions, for the audit.

    The chance of too few is a polynomial in :math:`y = e^{-t/\tau}`, each power of which
    integrates to :math:`\tau (1 - e^{-mD/\tau}) / m`. The exponential is taken to 60 digits.

    Examples
    --------
    >>> plant = Standby(Fraction(995, 1000), Fraction(94, 10000), Fraction(1100))
    >>> exact = float(hours_lost_exactly(plant, 5, 4, Fraction(2)))
    >>> abs(exact / hours_lost(plant, 5, 4, 2.0) - 1) < 1e-12
    True
    """
    if needed <= 0:
        return Fraction(0)
    life = Fraction(standby.hours_to_failure)
    left = _exponential(-hours / life)
    terms = _too_few_polynomial(standby, count, needed)
    lost, power = terms[0] * hours, Fraction(1)
    for m, a in enumerate(terms[1:], start=1):
        power *= left
        lost += a * life / m * (1 - power)
    return lost


def chance_lost_exactly(standby: Standby, count: int, needed: int, hours: Fraction) -> Fraction:
    """Work the chance that an outage is not bridged out in fractions."""
    if needed <= 0:
        return Fraction(0)
    left = _exponential(-hours / Fraction(standby.hours_to_failure))
    chance = Fraction(0)
    for a in reversed(_too_few_polynomial(standby, count, needed)):
        chance = chance * left + a
    return chance


def _exponential(x: Fraction) -> Fraction:
    """Exponential of a negative fraction to 60 digits, by its series.

    Examples
    --------
    >>> abs(float(_exponential(Fraction(-3))) - math.exp(-3.0)) < 1e-15
    True
    """
    # Halved until small, so that the series is short; then squared as often.
    halvings = max(0, math.ceil(math.log2(max(1.0, float(-x)))) + 1)
    small = x / 2**halvings
    term = total = Fraction(1)
    for i in range(1, 60):
        term = (term * small / i).limit_denominator(10**80)
        total += term
    for _ in range(halvings):
        total = (total * total).limit_denominator(10**80)
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
