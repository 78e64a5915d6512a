r"""What prices and the sites' bounds prove for the whole.

Where a row :math:`a x \le u` has the price :math:`\pi \ge 0`, no plan is worth more than it is
without the row and with :math:`\pi (u - a x)` on top; likewise from below with
:math:`\pi \le 0`. Without the coupling rows sites do not know one another: what each can earn at
these prices is bounded by its own search, and what is the company's by the limits of its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimizer.decomposed.blocks import Blocks
from optimizer.matrix import Floats
from optimizer.tighten import implied_limits

#: How often limits are handed on along the periods, each time as far as tightening does.
ROUNDS = 20
#: Room that is left to limits which hold anyway, in the unit of the column.
ROOM = 1e-6


class Bound:
    """What no plan of a case can beat, from the sites' bounds at some prices.

    Parameters
    ----------
    blocks : Blocks
        The case.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._lower, self._upper = _limits(blocks)

    def at(self, prices: Floats, bounds: Sequence[float]) -> float:
        """Bound for the whole.

        Parameters
        ----------
        prices : float array, shape (coupling rows,)
            Prices of what is shared, as :class:`optimizer.highs.Outcome` has duals.
        bounds : sequence of float
            What each site cannot beat at these prices.

        Returns
        -------
        float
            Infinite where the prices prove nothing.
        """
        blocks = self._blocks
        lower, upper = blocks.limits
        rest = blocks.whole.cost[blocks.shared] - blocks.use.T @ prices
        return (
            blocks.whole.offset
            + _most(prices, lower, upper)
            + _most(rest, self._lower, self._upper)
            + float(sum(bounds))
        )


def _most(weights: Floats, lower: Floats, upper: Floats) -> float:
    """Most that numbers within limits come to, each with its weight."""
    counts = weights != 0
    return float(weights[counts] @ np.where(weights > 0, upper, lower)[counts])


def _limits(blocks: Blocks) -> tuple[Floats, Floats]:
    """Limits of the company's columns that no plan can break: finite, where any follow."""
    matrix = blocks.whole
    for _ in range(ROUNDS):
        lower, upper = implied_limits(matrix)
        lower = np.maximum(matrix.column_lower, lower - ROOM)
        upper = np.minimum(matrix.column_upper, upper + ROOM)
        known = np.isfinite(lower[blocks.shared]) & np.isfinite(upper[blocks.shared])
        more = (np.isfinite(lower) | np.isfinite(upper)).sum()
        before = (np.isfinite(matrix.column_lower) | np.isfinite(matrix.column_upper)).sum()
        matrix = replace(matrix, column_lower=lower, column_upper=upper)
        if known.all() or more == before:
            break
    return lower[blocks.shared], upper[blocks.shared]
