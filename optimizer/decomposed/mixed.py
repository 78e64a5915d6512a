r"""A site's problem beside some sites that are decided and mixtures of what the rest may do.

Sites that are taken in turn take all that is shared if nothing is kept for those after them. Here
each of these has some plans :math:`p`, which are whole or those of the linear relaxation, and
takes parts of them, which add up to one:

.. math::
   \max\; c_j x_j + c_0 x_0 + \sum_{i, p} w_{ip} \lambda_{ip}, \qquad
   A_j x_j + A_0 x_0 + \sum_{i, p} u_{ip} \lambda_{ip} \le b - \sum_{d} A_d x_d, \qquad
   \sum_p \lambda_{ip} = 1, \quad \lambda \ge 0,

with :math:`x_j` of the site, :math:`x_0` of the company and :math:`x_d` of sites that are decided,
and what a plan takes of what is shared, :math:`u`, and is worth, :math:`w`. Large decisions of the
site and of the company are whole, and racks are left divisible.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array, hstack, vstack

from optimizer.decomposed.blocks import Blocks, Ints
from optimizer.highs import Options, Outcome, run
from optimizer.matrix import Floats, Matrix
from optimizer.search import FROM_WITHIN


@dataclass(frozen=True, eq=False)
class Mixture:
    """Plans of sites that are not decided yet.

    Attributes
    ----------
    sites : int array, shape (plans,)
        Whose plan each is.
    uses : csc_array, shape (coupling rows, plans)
        What it takes of what is shared.
    worths : float array, shape (plans,)
        What it is worth.
    """

    sites: Ints
    uses: csc_array
    worths: Floats

    def beside(self, matrix: Matrix) -> Matrix:
        """Add parts of these plans to a problem whose last rows are those that couple."""
        if not len(self.sites):
            return matrix
        rows, columns = matrix.shape
        owners, at = np.unique(self.sites, return_inverse=True)
        count, each = len(self.sites), np.ones(len(owners))
        parts = csc_array((np.ones(count), (at, np.arange(count))), shape=(len(owners), count))
        alone = csc_array((rows - self.uses.shape[0], count))
        left = vstack([matrix.coefficients, csc_array((len(owners), columns))])
        right = vstack([alone, self.uses, parts])
        return replace(
            matrix,
            coefficients=csc_array(hstack([left, right])),
            row_lower=np.append(matrix.row_lower, each),
            row_upper=np.append(matrix.row_upper, each),
            column_lower=np.append(matrix.column_lower, np.zeros(count)),
            column_upper=np.append(matrix.column_upper, np.ones(count)),
            cost=np.append(matrix.cost, self.worths),
            integer=np.append(matrix.integer, np.zeros(count, bool)),
            row_names=[*matrix.row_names, *(f"parts{j}" for j in range(len(owners)))],
            column_names=[*matrix.column_names, *(f"part{j}" for j in range(count))],
        )


@dataclass(frozen=True, eq=False)
class Among:
    """The problem of a site beside what others do at a point and a mixture of the rest.

    At the point, columns of the site and of the rest are zero.
    """

    site: int
    point: Floats
    rest: Mixture

    def solved(self, blocks: Blocks, options: Options, stop: threading.Event | None) -> Outcome:
        """Search for the best plan; its point is one of the whole, without the rest."""
        matrix, columns = blocks.around((self.site,), self.point)
        large = replace(matrix, integer=matrix.integer & blocks.large[columns])
        mixed = self.rest.beside(large)
        interior = options.interior or mixed.shape[1] >= FROM_WITHIN
        tried = replace(options, confirm=False, interior=interior)
        outcome = run(mixed, tried, stop=stop)
        if outcome.x is None:
            return outcome
        point = self.point.copy()
        point[columns] = outcome.x[: len(columns)]
        return replace(outcome, x=point)
