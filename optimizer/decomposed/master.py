"""The best combination of known plans, and the prices that it puts on what is shared.

Every site has some plans, of which it takes one; the company's own columns stay as they are. With
plans divisible this is a linear program whose duals are prices, held within a box around prices
that have proved themselves: far from any plan that fits, they would say nothing. With plans whole
it is a choice, and what is chosen is a plan of the whole.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, eye_array, hstack, vstack

from optimizer.decomposed.blocks import Blocks
from optimizer.decomposed.mixed import Mixture
from optimizer.highs import Budget, Options
from optimizer.matrix import DROPPED, Floats, Matrix

#: Digits after the point in which two plans have to differ to be two.
DIGITS = 7
#: Nodes of a choice among plans.
NODES = 2000


@dataclass(frozen=True, eq=False)
class _Plan:
    """A site's plan: what it takes of what is shared, and what it is worth."""

    site: int
    point: Floats
    use: Floats
    worth: float


class Master:
    """Plans of sites, and what is made of them.

    Parameters
    ----------
    blocks : Blocks
        The case.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._plans: list[_Plan] = []
        self._known: dict[tuple[int, bytes], int] = {}

    def __len__(self) -> int:
        return len(self._plans)

    def add(self, site: int, point: Floats) -> None:
        """Make a plan of a site known."""
        key = _key(site, point)
        if key not in self._known:
            self._known[key] = len(self._plans)
            self._plans.append(self._plan(site, point))

    def add_all(self, point: Floats) -> None:
        """Make every site's part of a plan of the whole known."""
        for site, block in enumerate(self._blocks.sites):
            self.add(site, point[block.columns])

    def _plan(self, site: int, point: Floats) -> _Plan:
        block = self._blocks.sites[site]
        return _Plan(site, point, block.use @ point, float(block.matrix.cost @ point))

    def mixture(self, sites: Iterable[int], divided: Floats | None = None) -> Mixture:
        """Give the plans of some sites, and what they do at a point that need not be whole."""
        chosen = sorted(sites)
        plans = [plan for plan in self._plans if plan.site in chosen]
        if divided is not None:
            parts = [divided[self._blocks.sites[site].columns] for site in chosen]
            plans += map(self._plan, chosen, parts)
        uses = np.zeros((len(self._blocks.coupling), len(plans)))
        for at, plan in enumerate(plans):
            uses[:, at] = plan.use
        return Mixture(
            np.array([plan.site for plan in plans], np.int64),
            csc_array(np.where(np.abs(uses) > DROPPED, uses, 0.0)),
            np.array([plan.worth for plan in plans]),
        )

    # --- prices ----------------------------------------------------------------------------

    def prices(self, centre: Floats, width: Floats, budget: Budget) -> Floats | None:
        """Find prices of what is shared, at most so far from others.

        Parameters
        ----------
        centre, width : float array, shape (coupling rows,)
            Where to look, and how far.
        budget : Budget
            Pays for it.

        Returns
        -------
        float array or None
            None where the linear program was not solved in time.
        """
        count, (lower, upper) = len(self._blocks.coupling), self._blocks.limits
        most = np.where(np.isfinite(upper), centre + width, np.minimum(centre + width, 0.0))
        least = np.where(np.isfinite(lower), centre - width, np.maximum(centre - width, 0.0))
        # Whoever needs more of a row buys it at the highest price, or sells it at the lowest.
        one = eye_array(count, format="csc")
        trade = hstack([-one, one])
        matrix = self._matrix(np.zeros(len(self), bool), csc_array(trade), np.append(-most, least))
        outcome = budget.run(matrix, Options(gap=0.0, time_limit=budget.to_search))
        return None if outcome.duals is None else outcome.duals[:count]

    # --- a choice --------------------------------------------------------------------------

    def chosen(
        self,
        best: Floats,
        options: Options,
        budget: Budget,
        stop: threading.Event | None = None,
    ) -> Floats | None:
        """Choose one plan for every site: the best plan of the whole that they make.

        Parameters
        ----------
        best : float array, shape (columns of the whole,)
            A plan that is known, to begin from.
        options : Options
            Gap and seed.
        budget : Budget
            Pays for it.
        stop : threading.Event, optional
            Setting it ends the choice with the best so far.
        """
        matrix = self._matrix(np.ones(len(self), bool))
        shares = np.zeros(len(self))
        for site, block in enumerate(self._blocks.sites):
            shares[self._known[_key(site, best[block.columns])]] = 1.0
        start = np.append(best[self._blocks.shared], shares)
        outcome = budget.run(matrix, options, start=start, stop=stop)
        return None if outcome.x is None else self._whole(outcome.x)

    def _whole(self, point: Floats) -> Floats:
        """Write a choice as a point of the whole."""
        shared = len(self._blocks.shared)
        whole = np.zeros(self._blocks.whole.shape[1])
        whole[self._blocks.shared] = point[:shared]
        for j in np.flatnonzero(point[shared:] > 0.5).tolist():
            plan = self._plans[j]
            whole[self._blocks.sites[plan.site].columns] = plan.point
        return whole

    def _matrix(
        self,
        whole: NDArray[np.bool_],
        trade: csc_array | None = None,
        trade_cost: Floats | None = None,
    ) -> Matrix:
        """Company's columns, plans, and what may be bought or sold of the coupling rows."""
        blocks, matrix = self._blocks, self._blocks.whole
        lower, upper = blocks.limits
        sites, count = len(blocks.sites), len(self)
        uses = csc_array(np.array([plan.use for plan in self._plans]).T)
        traded = csc_array((len(lower), 0)) if trade is None else trade
        costs = np.zeros(0) if trade_cost is None else trade_cost
        site = np.array([plan.site for plan in self._plans])
        each = csc_array((np.ones(count), (site, np.arange(count))), shape=(sites, count))
        nothing = [csc_array((sites, n)) for n in (len(blocks.shared), traded.shape[1])]
        top = hstack([blocks.use, uses, traded])
        table = csc_array(vstack([top, hstack([nothing[0], each, nothing[1]])]))
        shared, one = blocks.shared, np.ones(sites)
        more = np.zeros(len(costs))
        return Matrix(
            coefficients=table,
            row_lower=np.concatenate([lower, one]),
            row_upper=np.concatenate([upper, one]),
            column_lower=np.concatenate([matrix.column_lower[shared], np.zeros(count), more]),
            column_upper=np.concatenate(
                [matrix.column_upper[shared], np.ones(count), more + np.inf]
            ),
            cost=np.concatenate(
                [matrix.cost[shared], [plan.worth for plan in self._plans], costs]
            ),
            offset=matrix.offset,
            maximise=True,
            integer=np.concatenate(
                [matrix.integer[shared] & whole.any(), whole, np.zeros(len(costs), bool)]
            ),
            row_names=[f"r{j}" for j in range(table.shape[0])],
            column_names=[f"x{j}" for j in range(table.shape[1])],
        )


def _key(site: int, point: Floats) -> tuple[int, bytes]:
    return site, (np.round(point, DIGITS) + 0.0).tobytes()
