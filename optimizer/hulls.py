r"""Mixes of racks that whole halls can hold: the faces of their convex hull.

What one hall can hold is a set of whole numbers of racks by type; what :math:`H` halls hold lies
in :math:`H` times its convex hull. Seven to thirty faces say of a mine with four types what
hundreds of fillings say with a column each.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from models.given import Given, Place, RackType
from optimizer.matrix import Floats
from optimizer.splits import MOST_FILLED, fillings, has_at_most

#: More types than this span a hull of too many faces.
MOST_TYPES = 5
#: Fillings that are listed for the faces of their hull, also if a column each is too many.
MOST_LISTED = 5_000
#: Distance from zero of what is one, in shares of a hall.
DUST = 1e-9


def faces(given: Given, p: Place) -> tuple[dict[RackType, float], ...]:
    """Limits on mixes of racks in a place, as shares of a hall that a rack of each type takes.

    Parameters
    ----------
    given : Given
        Numbers of the case.
    p : Place
        Where they stand.

    Returns
    -------
    tuple of dict
        One for each face; none where fewer than two types fit a hall, or fillings or faces are
        too many.

    Examples
    --------
    A hall of 10 MW holds ten racks of 0.98 MW, or five and six of 0.84 MW, or eleven of these:

    >>> from types import SimpleNamespace
    >>> given = SimpleNamespace(hall_mw={"hall": 10.0}, racks_at={"hall": ("L", "S")},
    ...     hall_positions={}, rack_mw={"L": 0.98, "S": 0.84}, rack_positions={"L": 0, "S": 0},
    ...     tree=SimpleNamespace(nodes=[0]))
    >>> [{k: round(share, 3) for k, share in face.items()} for face in faces(given, "hall")]
    [{'L': 0.091, 'S': 0.091}, {'L': 0.1, 'S': 0.083}]
    """
    if not has_at_most(given, p, max(MOST_LISTED, MOST_FILLED // len(given.tree.nodes))):
        return ()
    listed = fillings(given, p)
    types = [k for k in given.racks_at[p] if any(filling.get(k) for filling in listed)]
    if not 2 <= len(types) <= MOST_TYPES:
        return ()
    full = np.array([[filling.get(k, 0.0) for k in types] for filling in listed])
    found = _normals(full)
    if len(found) * len(given.tree.nodes) > MOST_FILLED:
        return ()
    return tuple(
        {k: share for k, share in zip(types, face, strict=True) if share}
        for face in found.tolist()
    )


def _normals(full: Floats) -> Floats:
    """Faces of all that lies below some points: each with one as its most over them."""
    from scipy.spatial import ConvexHull

    # Whoever leaves out types stays below: with these points the hull has no other faces there.
    kept = np.array(list(product((0.0, 1.0), repeat=full.shape[1])))
    below = np.unique((full[:, None] * kept).reshape(-1, full.shape[1]), axis=0)
    faces = ConvexHull(below).equations
    outer = faces[(faces[:, :-1] >= -DUST).all(axis=1) & (faces[:, -1] < -DUST)]
    shares = outer[:, :-1] / -outer[:, -1:]
    shares[shares < DUST] = 0.0
    # However a normal was rounded: what halls hold is not cut off.
    shares /= (full @ shares.T).max(axis=0)[:, None]
    return np.unique(np.round(shares, 12), axis=0)
