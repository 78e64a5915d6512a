"""A case taken apart by site: what belongs to each, and what ties them together.

What a family couples is read off its rows. A decision with a site or a place among its indices
belongs to that site; one without belongs to the site that all rows in which it meets others
belong to, if there is just one; the rest belongs to the company. A row couples where it holds
decisions of several sites, or of the company.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from models.build import Column
from models.decisions import DECISIONS
from models.given import Given
from optimizer.matrix import Flags, Floats, Matrix

Ints = NDArray[np.int64]
#: Owner of what belongs to the company.
COMPANY = -1
_NOBODY = np.iinfo(np.int64).max
#: Index letters of each decision.
_LETTERS = {decision.name: decision.letters for decision in DECISIONS}


def sites_of(given: Given, columns: Sequence[Column]) -> Ints:
    """Number of the site that a decision's index names; ``COMPANY`` where it names none."""
    number = {site: j for j, site in enumerate(given.sites)}
    found = np.full(len(columns), COMPANY)
    for j, (name, index) in enumerate(columns):
        if "s" in _LETTERS[name]:
            found[j] = number[index[_LETTERS[name].index("s")]]
        elif "p" in _LETTERS[name]:
            found[j] = number[given.site_of[index[_LETTERS[name].index("p")]]]
    return found


def periods_of(given: Given, columns: Sequence[Column]) -> Ints:
    """Period of the node, or the leaf, that a decision's index names."""
    at = {name: of.index("n" if "n" in of else "l") for name, of in _LETTERS.items()}
    return np.array([given.tree.period[index[at[name]]] for name, index in columns])


@dataclass(frozen=True, eq=False)
class Block:
    """A site.

    Attributes
    ----------
    columns, rows : int array
        What belongs to it, among those of the whole.
    matrix : Matrix
        The same as a problem of its own.
    use : csr_array, shape (coupling rows, columns)
        What it takes of what is shared.
    large : bool array
        Which of its columns are large decisions.
    kinds : int array
        Its columns numbered by what they decide, whatever the date.
    """

    columns: Ints
    rows: Ints
    matrix: Matrix
    use: csr_array
    large: Flags
    kinds: Ints

    def at(self, prices: Floats) -> Matrix:
        """Its problem where what is shared has a price."""
        return replace(self.matrix, cost=self.matrix.cost - self.use.T @ prices)


@dataclass(frozen=True, eq=False)
class Blocks:
    """All sites and the company.

    Attributes
    ----------
    whole : Matrix
        The model.
    sites : tuple of Block
        Its sites.
    shared : int array
        Columns of the company.
    coupling : int array
        Rows that couple.
    use : csr_array, shape (coupling rows, shared columns)
        Part of these rows that is the company's.
    large, kinds : array
        As of a block, for all columns.
    """

    whole: Matrix
    sites: tuple[Block, ...]
    shared: Ints
    coupling: Ints
    use: csr_array
    large: Flags
    kinds: Ints

    @classmethod
    def of(cls, matrix: Matrix, sites: Ints, large: Flags, kinds: Ints) -> Blocks:
        """Take a model apart.

        Parameters
        ----------
        matrix : Matrix
            The model.
        sites : int array, shape (columns,)
            Sites that the columns name; see :func:`sites_of`.
        large, kinds : array, shape (columns,)
            See :func:`optimizer.search.search`.
        """
        by_row = csr_array(matrix.coefficients)
        owner, row_owner = _owners(by_row, sites)
        coupling, shared = np.flatnonzero(row_owner == COMPANY), np.flatnonzero(owner == COMPANY)
        tied = by_row[coupling]

        def block(site: int) -> Block:
            columns, rows = np.flatnonzero(owner == site), np.flatnonzero(row_owner == site)
            return Block(
                columns, rows, part_of(matrix, rows, columns), csr_array(tied[:, columns]),
                large[columns], kinds[columns],
            )  # fmt: skip

        numbers = [j for j in np.unique(owner).tolist() if j != COMPANY]
        rows, columns = (np.arange(size) for size in matrix.shape)
        bare = replace(part_of(matrix, rows, columns), offset=matrix.offset)
        return cls(
            bare, tuple(block(j) for j in numbers), shared, coupling,
            csr_array(tied[:, shared]), large, kinds,
        )  # fmt: skip

    @property
    def limits(self) -> tuple[Floats, Floats]:
        """Lower and upper limits of the rows that couple."""
        return self.whole.row_lower[self.coupling], self.whole.row_upper[self.coupling]

    def around(self, chosen: Sequence[int], point: Floats) -> tuple[Matrix, Ints]:
        """Give the problem of some sites and the company beside what all others do at a point.

        Returns
        -------
        Matrix, int array
            The problem, and its columns among those of the whole.
        """
        blocks = [self.sites[j] for j in chosen]
        columns = np.concatenate([*(b.columns for b in blocks), self.shared])
        rows = np.concatenate([*(b.rows for b in blocks), self.coupling])
        others = point.copy()
        others[columns] = 0.0
        taken = self.whole.coefficients @ others
        part = part_of(self.whole, rows, columns)
        held = replace(
            part, row_lower=part.row_lower - taken[rows], row_upper=part.row_upper - taken[rows]
        )
        return held, columns


def made_whole(
    blocks: Blocks,
    point: Floats,
    solve: Callable[[Matrix], Floats | None],
    chosen: Sequence[int] | None = None,
) -> Floats | None:
    """Make the numbers of a point whole site by site, each beside what the others do.

    Parameters
    ----------
    blocks : Blocks
        The case, its large decisions held.
    point : float array, shape (columns,)
        Where these are whole, and the rest divided.
    solve : callable
        Finds whole numbers of one site and the company; none where there are none.
    chosen : sequence of int, optional
        Sites concerned, where the numbers of all others are whole.
    """
    point = point.copy()
    for site in range(len(blocks.sites)) if chosen is None else chosen:
        part, columns = blocks.around((site,), point)
        found = solve(part)
        if found is None:
            return None
        point[columns] = found
    return point if blocks.sites else None


def part_of(matrix: Matrix, rows: Ints, columns: Ints) -> Matrix:
    """Cut some rows and columns out of a matrix, without what the objective holds before them."""
    return Matrix(
        coefficients=csc_array(csr_array(matrix.coefficients[:, columns])[rows]),
        row_lower=matrix.row_lower[rows],
        row_upper=matrix.row_upper[rows],
        column_lower=matrix.column_lower[columns],
        column_upper=matrix.column_upper[columns],
        cost=matrix.cost[columns],
        offset=0.0,
        maximise=matrix.maximise,
        integer=matrix.integer[columns],
        row_names=rows.astype(str).tolist(),
        column_names=columns.astype(str).tolist(),
    )


def _owners(by_row: csr_array, sites: Ints) -> tuple[Ints, Ints]:
    """Owner of every column and of every row."""
    owner, column = sites.copy(), by_row.indices
    row = np.repeat(np.arange(by_row.shape[0]), np.diff(by_row.indptr))
    while True:
        owned = owner[column] != COMPANY
        first, last = _extremes(row[owned], owner[column[owned]], by_row.shape[0])
        # A column of nobody belongs to a site where no row of it knows another.
        loose = ~owned & (first[row] <= last[row])
        low, _ = _extremes(column[loose], first[row[loose]], len(owner))
        _, high = _extremes(column[loose], last[row[loose]], len(owner))
        taken = (owner == COMPANY) & (low == high)
        if not taken.any():
            break
        owner[taken] = low[taken]
    alone = first == last
    alone[row[~owned]] = False
    return owner, np.where(alone, first, COMPANY)


def _extremes(at: Ints, values: Ints, size: int) -> tuple[Ints, Ints]:
    """Least and greatest of some values at each place; in the wrong order where there is none."""
    least, most = np.full(size, _NOBODY), np.full(size, COMPANY)
    np.minimum.at(least, at, values)
    np.maximum.at(most, at, values)
    return least, most
