r"""Availability from components up: what redundancy reaches, and what it cannot beat.

A *unit* is up or down; its unavailability :math:`q` is the share of time it is down. A *bank* is
a number of units of which so many have to be up. Unavailability is always summed from its own
small terms and never taken as one minus an availability, so that twelve nines are as exact as
two. The same functions work on floats, for the model, and on fractions, for the audit.

A tier (Uptime Institute) is a matter of structure, not a percentage: see
:func:`concurrently_maintainable`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

HOURS_PER_YEAR = 8760
#: A float for the model, a fraction for the audit.
Real = TypeVar("Real", float, Fraction)
#: One of the two, where a function takes both at once.
Share = float | Fraction


def unit_unavailability(failures_per_year: Real, hours_to_repair: Real) -> Real:
    r"""Share of time that a unit is down.

    .. math:: q = \frac{\lambda r}{8760 + \lambda r}

    Parameters
    ----------
    failures_per_year : float or Fraction
        Failures in a year of running, :math:`\lambda`.
    hours_to_repair : float or Fraction
        Mean time to repair, :math:`r`.

    Examples
    --------
    An inverter of IEEE 493-2007, table 10-4:

    >>> round(1 - unit_unavailability(0.00482, 26.0), 8)
    0.99998569
    """
    down = failures_per_year * hours_to_repair
    return down / (HOURS_PER_YEAR + down)


@dataclass(frozen=True)
class Units:
    r"""Identical units of a bank.

    Attributes
    ----------
    count : int
        How many there are.
    unavailability : float or Fraction
        Share of time that one of them is down, :math:`q`.
    common_cause_share : float or Fraction
        Share of that downtime in which all of them are down together, :math:`\beta`.
    maintenance_share : float or Fraction
        Share of time that one of them is out for planned work.
    """

    count: int
    unavailability: Share
    common_cause_share: Share = 0
    maintenance_share: Share = 0

    @property
    def together(self) -> Share:
        """Share of time that all of them are down by one cause."""
        return self.common_cause_share * self.unavailability

    @property
    def alone(self) -> Share:
        """Share of time that a unit is down by itself."""
        return (1 - self.common_cause_share) * self.unavailability


def up_probabilities(count: int, up: Real, down: Real | None = None) -> list[Real]:
    """Probabilities that none, one, ... or all of ``count`` units are up.

    Where units are hardly ever down, ``down`` keeps the digits that one less ``up`` would lose.

    Examples
    --------
    Two generators, 99 % available and 95 % sure to start (REopt.jl):

    >>> [round(p, 8) for p in up_probabilities(2, 0.99 * 0.95)]
    [0.00354025, 0.1119195, 0.88454025]
    """
    down = 1 - up if down is None else down
    return [math.comb(count, i) * up**i * down ** (count - i) for i in range(count + 1)]


def joint_probabilities(groups: Sequence[Sequence[Real]]) -> list[Real]:
    """Probabilities of every combination of units up, the first group running fastest.

    Examples
    --------
    >>> joint_probabilities([[0.25, 0.75], [0.5, 0.5]])
    [0.125, 0.375, 0.125, 0.375]
    """
    joint = list(groups[0])
    for group in groups[1:]:
        joint = [slow * fast for slow in group for fast in joint]
    return joint


def _with_common_cause(units: Units, count: int) -> list[Share]:
    """Probabilities of units up where one cause may take all of them."""
    shared, down = 1 - units.together, units.alone
    alone: list[Share] = [
        shared * math.comb(count, i) * (1 - down) ** i * down ** (count - i)
        for i in range(count + 1)
    ]
    return [alone[0] + units.together, *alone[1:]] if count else [units.together + shared]


def _too_few(groups: Sequence[tuple[Units, int]], needed: int) -> Share:
    """Probability that fewer than ``needed`` units are up, summed from the small tail."""
    if sum(max(0, count) for _, count in groups) < needed:
        return 1
    reached: list[Share] = [1]
    for units, count in groups:
        each = _with_common_cause(units, count)
        # Of the sum only its first terms are wanted: those with too few units up.
        reached = [
            sum(reached[j] * each[i - j] for j in range(len(reached)) if 0 <= i - j <= count)
            for i in range(min(needed, len(reached) + count))
        ]
    return sum(reached)


def bank_unavailability(groups: Sequence[Units], needed: int) -> Share:
    r"""Share of time that fewer than ``needed`` units of a bank are up.

    With one kind of unit, :math:`n` of them and :math:`k` needed,

    .. math::
        U_{nk} = \beta q + (1 - \beta q) \sum_{i<k} \binom{n}{i}
        \big(1 - (1-\beta) q\big)^i \big((1-\beta) q\big)^{n-i}

    and with one unit out for planned work a share :math:`m` of the time,
    :math:`U = (1-m)\, U_{nk} + m\, U_{n-1,k}`. Several kinds share the load; each has its own
    common cause, so that only unlike units beat the floor :math:`\beta q`. Where planned work
    takes more than one unit out on average, so many whole ones are out all year; of mixed kinds
    that is more than a bank is taken to bear.

    Parameters
    ----------
    groups : sequence of Units
        The kinds of units that share the load; equal in size.
    needed : int
        How many have to be up.

    Examples
    --------
    Five units of which four are needed, alone and with 5 % of failures in common:

    >>> float(bank_unavailability([Units(5, Fraction(2, 10000))], 4))
    3.9984002399...e-07
    >>> round(bank_unavailability([Units(5, 2e-4, 0.05)], 4), 9)
    1.0361e-05
    """
    if needed <= 0:
        return 0
    out = sum((units.maintenance_share for units in groups if units.count), start=0)
    if out > 1:
        return _always_out(groups, needed, out)
    whole = [(units, units.count) for units in groups]
    lost = (1 - out) * _too_few(whole, needed)
    for i, units in enumerate(groups):
        if units.count and units.maintenance_share:
            less = [*whole[:i], (units, units.count - 1), *whole[i + 1 :]]
            lost += units.maintenance_share * _too_few(less, needed)
    return lost


def _always_out(groups: Sequence[Units], needed: int, out: Share) -> Share:
    """Share of time short where planned work has whole units out all year."""
    present = [units for units in groups if units.count]
    if len(present) > 1:
        return 1
    (units,) = present
    left, more = units.count - math.floor(out), out - math.floor(out)
    return (1 - more) * _too_few([(units, left)], needed) + more * _too_few(
        [(units, left - 1)], needed
    )


@dataclass(frozen=True)
class Repaired:
    """Units of a bank, with how long they take to come back.

    Attributes
    ----------
    units : Units
        The units.
    hours_to_repair : float
        Mean time to repair, :math:`r`.
    planned_per_year : float
        Times a year that one of them is taken out for planned work.
    """

    units: Units
    hours_to_repair: float
    planned_per_year: float = 0.0


def bank_outages_per_year(groups: Sequence[Repaired], needed: int) -> float:
    r"""How often in a year a bank falls short of what is needed.

    A bank fails when it stands at exactly :math:`k` and one of these units fails, or when a
    common cause takes the units that it cannot do without. Of kinds :math:`g`, with
    :math:`b = (1-\beta) q`, :math:`S_{-1}` the units up beside the one that fails and
    :math:`S_{-g}` those of the other kinds,

    .. math::
        \nu = \sum_g \frac{8760}{r_g} \Big( (1 - \beta_g q_g)\, n_g b_g\, P(S_{-1} = k-1)
        + \beta_g q_g \big( P(S_{-g} < k) - P(S_{-g} + \mathrm{Bin}(n_g, 1-b_g) < k) \big)
        \Big)

    which is exact for units that fail and are repaired independently of each other. While a unit
    is out for planned work the bank has one fewer; taking it out is an outage where the others
    are too few.

    Parameters
    ----------
    groups : sequence of Repaired
        The kinds of units that share the load; equal in size.
    needed : int
        How many have to be up.

    Examples
    --------
    A single unit that fails twice a year of running, and one beside which another stands:

    >>> q = unit_unavailability(2.0, 4.0)
    >>> round(bank_outages_per_year([Repaired(Units(1, q), 4.0)], 1), 6)
    1.998175
    >>> round(bank_outages_per_year([Repaired(Units(2, q), 4.0)], 1), 6)
    0.003646
    """
    present = [group for group in groups if group.units.count]
    if needed <= 0:
        return 0.0
    whole = [(group.units, group.units.count) for group in present]
    out = min(1.0, sum(float(group.units.maintenance_share) for group in present))
    outages = (1.0 - out) * _failures_per_year(present, whole, needed)
    for i, group in enumerate(present):
        less = [*whole[:i], (group.units, group.units.count - 1), *whole[i + 1 :]]
        share = float(group.units.maintenance_share)
        outages += share * _failures_per_year(present, less, needed)
        # Planned work begins an outage where the bank holds with the unit and not without it.
        dark = float(_too_few(less, needed)) - float(_too_few(whole, needed))
        outages += group.planned_per_year * dark
    return outages


def _failures_per_year(
    groups: Sequence[Repaired], counts: Sequence[tuple[Units, int]], needed: int
) -> float:
    """How often a bank of so many units of each kind falls short by failures."""
    failures = 0.0
    for i, (group, (units, count)) in enumerate(zip(groups, counts, strict=True)):
        repairs = HOURS_PER_YEAR / group.hours_to_repair
        others = [*counts[:i], *counts[i + 1 :]]
        alone = Units(count, float(units.alone))
        if count:
            one_less = [*others, (alone, count - 1)]
            edge = float(_too_few(one_less, needed)) - float(_too_few(one_less, needed - 1))
            failures += (1.0 - float(units.together)) * repairs * count * float(units.alone) * edge
        taken = float(_too_few(others, needed)) - float(
            _too_few([*others, (alone, count)], needed)
        )
        failures += repairs * float(units.together) * taken
    return failures


def series(unavailabilities: Sequence[Share]) -> Share:
    r"""Unavailability of parts of which each has to be up.

    .. math:: U = 1 - \prod_j (1 - U_j) = \sum_j U_j \prod_{i<j} (1 - U_i)

    Examples
    --------
    >>> series([Fraction(1, 10), Fraction(1, 10)])
    Fraction(19, 100)
    """
    down: Share = 0
    for each in unavailabilities:
        down += (1 - down) * each
    return down


def hours_per_year(unavailability: float) -> float:
    """Hours of downtime in a year.

    Examples
    --------
    >>> [round(hours_per_year(1 - a), 3) for a in (0.99671, 0.99741, 0.99982, 0.99995)]
    [28.82, 22.688, 1.577, 0.438]
    """
    return unavailability * HOURS_PER_YEAR


def minutes_per_year(unavailability: float) -> float:
    """Minutes of downtime in a year.

    Examples
    --------
    >>> round(minutes_per_year(1 - 0.9999), 2)
    52.56
    """
    return 60.0 * hours_per_year(unavailability)


def concurrently_maintainable(count: int, needed: int, paths: int) -> bool:
    """Whether any one unit may be out and the load still be held, on two paths.

    The structural part of Uptime Institute's tier III; it says nothing of a percentage.

    Examples
    --------
    >>> concurrently_maintainable(5, 4, paths=2), concurrently_maintainable(4, 4, paths=2)
    (True, False)
    """
    return count - 1 >= needed and paths >= 2


# --- the budget of downtime ----------------------------------------------------------------

#: Relative error that the floats of an unavailability may have gathered.
FLOATS = 1e-9
#: Parts into which the downtime that a promise allows is divided.
DOWNTIME_PARTS = 1_000_000


def downtime_weight(unavailability: float, promised: float) -> int:
    r"""Parts of a promise's downtime that a subsystem uses up, rounded up.

    .. math:: w = \Big\lceil 10^6\, \frac{-\ln(1-U)}{-\ln A} \Big\rceil

    Availabilities in series multiply, so their logarithms add: a design keeps its promise where
    its weights add up to at most a million. They are whole, at least one where anything can
    fail, and never above a million and one; rounding up costs a millionth of the budget per
    subsystem, always on the safe side.

    Parameters
    ----------
    unavailability : float
        Of the subsystem.
    promised : float
        Availability promised, below one.

    Examples
    --------
    >>> downtime_weight(4e-5, 0.9999), downtime_weight(0.0, 0.9999), downtime_weight(0.5, 0.9999)
    (399988, 0, 1000001)
    """
    if unavailability <= 0.0:
        return 0
    if unavailability >= 1.0:
        return DOWNTIME_PARTS + 1
    # One less the promise as it was typed: its nearest float would be off by more.
    allowed = -math.log1p(-float(1 - Fraction(str(promised))))
    used = -math.log1p(-unavailability)
    # What floats have lost on the way here must not round a weight down.
    parts = DOWNTIME_PARTS * used / allowed * (1.0 + FLOATS)
    return max(1, min(DOWNTIME_PARTS + 1, math.ceil(parts)))


def downtime_share(unavailability: float, promised: float) -> float:
    """Share of a promise's downtime that a part uses up, as it is told.

    What is never up uses up all of it, as does any downtime where none is allowed.

    Examples
    --------
    >>> round(downtime_share(4e-5, 0.9999), 3), downtime_share(0.1, 0.0), downtime_share(0.1, 1.0)
    (0.4, 0.0, 1.0)
    """
    if unavailability <= 0.0 or promised <= 0.0:
        return 0.0
    if promised >= 1.0 or unavailability >= 1.0:
        return 1.0
    return math.log1p(-unavailability) / math.log(promised)


def one_more_nine(promised: float) -> float:
    """Availability with a tenth of the downtime.

    Examples
    --------
    >>> one_more_nine(0.9999), one_more_nine(0.99982)
    (0.99999, 0.999982)
    """
    return float(1 - (1 - Fraction(str(promised))) / 10)
