r"""Which redundancy to buy: candidates of each subsystem, and the designs no other beats.

A subsystem is built from units, alike or mixed. A *candidate* is one way to build it: what it
spends (money, weight, upkeep) and how much availability it loses. A *design* takes one candidate
of each subsystem; spending adds up, and so do losses as :math:`-\ln` of availability. The
frontier of designs is found exactly, subsystem by subsystem: of two partial designs, one that
spends and loses no less than the other can be dropped whatever follows.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.availability import Units, bank_unavailability

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """A kind of unit that a subsystem can be built from.

    Attributes
    ----------
    unavailability : float
        Share of time that a unit is down.
    spends : tuple of float
        What one unit spends of each resource.
    common_cause_share : float
        See :class:`models.availability.Units`.
    maintenance_share : float
        Share of time that one unit is out for planned work; of several it is so many times that.
    """

    unavailability: float
    spends: tuple[float, ...]
    common_cause_share: float = 0.0
    maintenance_share: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """One way to build a subsystem.

    Attributes
    ----------
    counts : tuple of int
        Units of each kind.
    spends : tuple of float
        What they spend of each resource.
    unavailability : float
        Share of time that too few are up.
    """

    counts: tuple[int, ...]
    spends: tuple[float, ...]
    unavailability: float

    @property
    def loss(self) -> float:
        r"""Availability lost, :math:`-\ln(1-U)`."""
        return math.inf if self.unavailability >= 1.0 else -math.log1p(-self.unavailability)


def candidates(
    choices: Sequence[Choice], needed: int, most: int, *, mixing: bool = False
) -> list[Candidate]:
    """List the ways to build a subsystem of which ``needed`` units have to be up.

    Parameters
    ----------
    choices : sequence of Choice
        Kinds of units.
    needed : int
        Units that carry the load.
    most : int
        Most units, of all kinds together.
    mixing : bool
        Whether kinds may stand side by side.

    Examples
    --------
    >>> pair = [Choice(0.1, (1.0,)), Choice(0.2, (0.5,))]
    >>> [c.counts for c in candidates(pair, 1, 2, mixing=True)]
    [(0, 1), (0, 2), (1, 0), (1, 1), (2, 0)]
    """
    resources = len(choices[0].spends)
    found = []
    for counts in _counts(len(choices), needed, most, mixing=mixing):
        groups = [
            Units(n, c.unavailability, c.common_cause_share, n * c.maintenance_share)
            for n, c in zip(counts, choices, strict=True)
            if n
        ]
        spends = tuple(
            sum(n * c.spends[i] for n, c in zip(counts, choices, strict=True))
            for i in range(resources)
        )
        found.append(Candidate(counts, spends, float(bank_unavailability(groups, needed))))
    return found


def _counts(kinds: int, least: int, most: int, *, mixing: bool) -> Iterator[tuple[int, ...]]:
    """Every number of units by kind, at least and at most so many in all."""

    def fill(kind: int, left: int) -> Iterator[tuple[int, ...]]:
        if kind == kinds:
            yield ()
            return
        for count in range(left + 1):
            for rest in fill(kind + 1, left - count):
                yield (count, *rest)

    for counts in fill(0, most):
        if sum(counts) >= least and (mixing or sum(count > 0 for count in counts) == 1):
            yield counts


@dataclass(frozen=True)
class Design:
    """One candidate of each subsystem.

    Attributes
    ----------
    parts : tuple of Candidate
        In the order of the subsystems.
    """

    parts: tuple[Candidate, ...]

    @property
    def spends(self) -> tuple[float, ...]:
        """What the design spends of each resource."""
        return tuple(sum(amounts) for amounts in zip(*(p.spends for p in self.parts), strict=True))

    @property
    def loss(self) -> float:
        r"""Availability lost, :math:`-\ln A`."""
        return math.fsum(part.loss for part in self.parts)

    @property
    def availability(self) -> float:
        """Share of time that every subsystem is up."""
        return math.exp(-self.loss)


def frontier(
    subsystems: Sequence[Sequence[Candidate]], limits: Sequence[float] | None = None
) -> list[Design]:
    """Find every design within the limits that no other beats in spending and in loss at once.

    Parameters
    ----------
    subsystems : sequence of sequence of Candidate
        The ways to build each.
    limits : sequence of float, optional
        Most that may be spent of each resource.

    Returns
    -------
    list of Design
        By rising spending; of equal designs the first one listed.

    Examples
    --------
    >>> unit = Choice(0.1, (1.0,))
    >>> found = frontier([candidates([unit], 1, 3)] * 2, limits=[5.0])
    >>> [([p.counts for p in d.parts], round(d.availability, 4)) for d in found]
    [([(1,), (1,)], 0.81), ([(1,), (2,)], 0.891), ([(2,), (2,)], 0.9801), ([(2,), (3,)], 0.989)]
    """
    resources = len(subsystems[0][0].spends)
    most = np.full(resources, np.inf) if limits is None else np.asarray(limits, float)
    parts = [_unbeaten(list(options)) for options in subsystems]
    least = [np.min([c.spends for c in options], axis=0) for options in parts]
    later = [np.sum(least[i + 1 :], axis=0) if least[i + 1 :] else 0.0 for i in range(len(parts))]
    points: Floats = np.zeros((1, resources + 1))
    trail: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    for options, reserved in zip(parts, later, strict=True):
        own = np.array([[*c.spends, c.loss] for c in options])
        summed = points[:, None, :] + own[None, :, :]
        before, chosen = np.divmod(np.arange(summed.shape[0] * summed.shape[1]), len(options))
        flat = summed.reshape(-1, resources + 1)
        room = most - reserved
        inside = np.flatnonzero((flat[:, :-1] <= room + _ROUND * np.abs(room)).all(axis=1))
        kept = inside[_best(flat[inside])]
        points = flat[kept]
        trail.append((before[kept], chosen[kept]))
    designs = [_traced(parts, trail, i) for i in range(len(points))]
    # Sums in another order may differ in their last digit; losses of whole designs do not.
    whole = np.array([[*design.spends, design.loss] for design in designs])
    return [designs[i] for i in _best(whole)] if designs else []


#: By how much a sum may exceed a limit through rounding alone.
_ROUND = 1e-12


def _unbeaten(options: list[Candidate]) -> list[Candidate]:
    points = np.array([[*c.spends, c.loss] for c in options])
    return [options[i] for i in _best(points)]


def _best(points: Floats) -> NDArray[np.intp]:
    """Rows that no other row matches or undercuts in every column, in rising order."""
    order = np.lexsort(points.T[::-1])
    rows = points[order]
    kept = _staircase(rows) if rows.shape[1] == 3 else _undercut(rows)
    return order[kept]


def _staircase(rows: Floats) -> list[int]:
    """Unbeaten rows of three columns, sorted: those below the steps that earlier ones form."""
    kept: list[int] = []
    second: list[float] = []
    third: list[float] = []
    for i, (_, b, c) in enumerate(rows.tolist()):
        at = bisect_right(second, b)
        if at and third[at - 1] <= c:
            continue
        kept.append(i)
        # Steps at or right of b that are no lower than c are of no more use.
        start = bisect_left(second, b)
        end = start
        while end < len(third) and third[end] >= c:
            end += 1
        second[start:end] = [b]
        third[start:end] = [c]
    return kept


def _undercut(rows: Floats) -> list[int]:
    """Unbeaten rows of any number of columns, sorted, by comparison with those kept."""
    kept: list[int] = []
    for i, row in enumerate(rows):
        if not kept or not (rows[kept] <= row).all(axis=1).any():
            kept.append(i)
    return kept


def _traced(
    parts: list[list[Candidate]],
    trail: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
    end: int,
) -> Design:
    """Walk back from a point to the candidates that it sums."""
    chosen: list[Candidate] = []
    at = end
    for options, (before, choice) in zip(reversed(parts), reversed(trail), strict=True):
        chosen.append(options[choice[at]])
        at = int(before[at])
    return Design(tuple(reversed(chosen)))
