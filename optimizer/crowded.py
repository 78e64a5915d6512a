"""Racks that fit a group together but not its halls one by one: a plan nearby whose racks do.

A plan keeps its large decisions, and only the sites concerned choose their racks anew, each
beside what the others do. Mixes of racks are limited there to what whole halls can hold
(:mod:`optimizer.hulls`). Where a mix within these limits still does not split, halls take one of
their fillings each; where these are too many to write down, they keep so much room that filling
one hall after another always comes out.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, vstack

from models.given import Given, Place, RackType
from models.tree import Node
from optimizer.audit import SPLIT, TOO_MANY, Audit
from optimizer.case import Case
from optimizer.compiled import Model
from optimizer.decomposed.blocks import Blocks
from optimizer.decomposed.workshop import Around
from optimizer.highs import Budget, Options
from optimizer.hulls import faces
from optimizer.layout import Layout
from optimizer.matrix import Floats, Matrix
from optimizer.search import racks_whole, seconds_to_round
from optimizer.splits import fillings, fillings_fit

#: Nodes of the search of one site whose large decisions are free as well.
NODES_OF_SITE = 200


@dataclass(frozen=True)
class Crowded:
    """Where racks of a plan do not split into whole halls.

    Attributes
    ----------
    fillable : tuple of Place
        Places for which it can be written down what halls can hold, together or one by one.
    roomy : tuple of (Node, Place)
        Where halls have to keep room instead.
    """

    fillable: tuple[Place, ...] = ()
    roomy: tuple[tuple[Node, Place], ...] = ()

    @classmethod
    def of(cls, audit: Audit | None) -> Crowded:
        """Read it off an audit."""
        breaches = () if audit is None else audit.breaches
        fillable = dict.fromkeys(b.index[1] for b in breaches if b.limit == SPLIT)
        roomy = [(b.index[0], b.index[1]) for b in breaches if b.limit == TOO_MANY]
        return cls(tuple(fillable), tuple(roomy))

    def __bool__(self) -> bool:
        return bool(self.fillable or self.roomy)

    def __add__(self, other: Crowded) -> Crowded:
        """Put two together; what is written down by now no longer counts."""
        return Crowded(other.fillable, tuple(dict.fromkeys(self.roomy + other.roomy)))

    def narrowed(self, case: Case) -> Case:
        """Limit the mixes of these places; fill halls one by one where that was done already."""
        g = case.given
        mixes = {p: faces(g, p) for p in self.fillable if p not in g.mixes}
        # A plan from before its mixes were limited may call a place so that has too many fillings.
        bare = (p for p in self.fillable if not mixes.get(p) and fillings_fit(g, p))
        filled = {p: fillings(g, p) for p in bare}
        return _narrowed(case, mixes, filled)

    def sites(self, given: Given) -> list[int]:
        """Numbers of the sites concerned."""
        places = {*self.fillable, *(p for _, p in self.roomy)}
        here = {given.site_of[p] for p in places}
        return [j for j, site in enumerate(given.sites) if site in here]


def narrowed_as(case: Case, given: Given) -> Case:
    """Write down what halls can hold where that was done for another case, or for a plan."""
    return _narrowed(case, given.mixes, given.fillings)


def _narrowed(
    case: Case,
    mixes: Mapping[Place, tuple[Mapping[RackType, float], ...]],
    filled: Mapping[Place, tuple[Mapping[RackType, float], ...]],
) -> Case:
    g = case.given
    limits = {**g.mixes, **{p: rows for p, rows in mixes.items() if rows}}
    listed = {**g.fillings, **{p: rows for p, rows in filled.items() if rows}}
    return replace(case, given=replace(g, mixes=limits, fillings=listed))


def is_narrowed(given: Given) -> bool:
    """Whether it is written down anywhere what halls can hold."""
    return bool(given.mixes or given.fillings)


def nearby(
    case: Case,
    model: Model,
    point: Floats,
    crowded: Crowded,
    options: Options,
    *,
    sites: NDArray[np.int64] | None,
    budget: Budget,
    stop: threading.Event | None = None,
) -> Floats | None:
    """Find a point near a crowded one whose racks split into whole halls.

    Parameters
    ----------
    case, model : Case, Model
        With what the halls of crowded places can hold.
    point : float array, shape (columns,)
        A plan that keeps to everything else; what it does not know of is zero.
    crowded : Crowded
        Where its racks do not split.
    options : Options
        Gap and seed.
    sites : int array, shape (columns,), optional
        Sites that the columns name, where these are to be taken one by one.
    budget, stop
        As in :func:`optimizer.search.search`.

    Returns
    -------
    float array or None
        None where none was found in the time that there is.
    """
    matrix = with_room(model.matrix, model.layout, case.given, crowded.roomy)
    chosen = crowded.sites(case.given)
    watched = {"budget": budget, "stop": stop}
    whole = racks_whole(
        matrix, model.large, point, options, kinds=model.kinds, sites=sites, chosen=chosen,
        **watched,  # type: ignore[arg-type]
    )  # fmt: skip
    if whole is not None or sites is None:
        return whole
    blocks = Blocks.of(matrix, sites, model.large, model.kinds)
    return _chosen_anew(blocks, point, chosen, options, budget, stop or threading.Event())


def _chosen_anew(
    blocks: Blocks,
    point: Floats,
    chosen: Sequence[int],
    options: Options,
    budget: Budget,
    stop: threading.Event,
) -> Floats | None:
    """Search some sites anew, one after another, each beside what the others do."""
    for site in chosen:
        left = min(seconds_to_round(budget, len(chosen)), budget.to_search)
        if not left or stop.is_set():
            return None
        each = replace(options, nodes=NODES_OF_SITE, time_limit=left)
        outcome = Around((site,), point).solved(blocks, each, stop)
        budget.count(outcome)
        if outcome.x is None:
            return None
        point = outcome.x
    return point


def with_room(
    matrix: Matrix, layout: Layout, given: Given, roomy: Sequence[tuple[Node, Place]]
) -> Matrix:
    """Have halls of some places keep so much room that filling them one by one comes out.

    A rack takes a share of a hall: of its MW or of its positions, whichever is more. Where the
    next rack fits into no hall, every hall has less than its share left. So it always fits where
    all shares together are at most those of the halls less the largest rack each, and the
    smallest rack on top.
    """
    if not roomy:
        return matrix
    rows, columns, shares, most = list[int](), list[int](), list[float](), list[float]()
    for row, (n, p) in enumerate(roomy):
        taken = _shares(given, p)
        pairs = [(layout.place["racks", (n, p, k)], share) for k, share in taken.items()]
        pairs.append((layout.place["halls", (n, p)], max(taken.values()) - 1.0))
        rows += [row] * len(pairs)
        columns += [column for column, _ in pairs]
        shares += [share for _, share in pairs]
        most.append(min(taken.values()))
    table = csc_array((shares, (rows, columns)), shape=(len(roomy), matrix.shape[1]))
    names = [f"room in {p} at {n}" for n, p in roomy]
    return replace(
        matrix,
        coefficients=csc_array(vstack([matrix.coefficients, table])),
        row_lower=np.append(matrix.row_lower, np.full(len(roomy), -np.inf)),
        row_upper=np.append(matrix.row_upper, most),
        row_names=[*matrix.row_names, *names],
    )


def _shares(given: Given, p: Place) -> dict[str, float]:
    """What part of a hall each type of rack takes that fits into it at all."""
    positions = given.hall_positions.get(p, np.inf)
    shares = {
        k: max(given.rack_mw[k] / given.hall_mw[p], given.rack_positions[k] / positions)
        for k in given.racks_at[p]
    }
    return {k: share for k, share in shares.items() if share <= 1.0} or dict.fromkeys(shares, 1.0)
