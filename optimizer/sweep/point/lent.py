"""Plans that points lend one another, to begin from.

A search that knows a good plan need not find one, and cuts off what is worse. The plan of the
base seldom fits where limits are swept, but those of other points do. Which points lend their
plans follows from the sweep alone, and all others begin from the same ones: no answer hangs on
what was solved before it, or where.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import Model, completed
from optimizer.highs import Budget
from optimizer.matrix import Flags, Floats, Matrix
from optimizer.sweep.points import Lent, Point

#: How far a plan that is lent may lie beyond a limit: no more than arithmetic.
TOLERANCE = 1e-9
#: Decimals of M$ to which plans are worth the same: the first is taken, on every machine.
ALIKE = 9
#: How many plans may be completed, where none keeps to the limits as it stands.
MOST_COMPLETED = 3


def written(point: Floats) -> bytes:
    """Write a plan as it travels and is stored.

    Examples
    --------
    >>> read(written(np.array([0.1, 2.0]))).tolist()
    [0.1, 2.0]
    """
    return zlib.compress(point.astype("<f8").tobytes())


def read(data: bytes) -> Floats:
    """Read it back, to the last bit."""
    return np.frombuffer(zlib.decompress(data), "<f8")


class Lenders:
    """Plans of some points, ready to be looked through.

    What limits they break in the base is worked out once; of a point, only limits that are not
    the base's are looked at.

    Parameters
    ----------
    base : Model
        The base, compiled.
    lent : sequence of Lent
        Plans of points with the same unknowns, as :func:`written` gives them.
    """

    def __init__(self, base: Model, lent: Sequence[Lent]) -> None:
        self._columns, self._coefficients = base.built.columns, base.matrix.coefficients
        self._points = np.array([read(one.plan) for one in lent]).T
        self._places = _Places([one.changes for one in lent])
        self._lower, self._upper = _limits(base.matrix)
        self._values = self._in(base.matrix)
        self._broken = _broken(self._values, self._lower, self._upper)
        self._breaches = self._broken.sum(axis=0)

    def begin(self, point: Point, model: Model, budget: Budget) -> Floats | None:
        """Give a plan for a point to begin from; None where none is to be had.

        The best that keeps to its limits as it stands; where none does, as where prices move
        cash, whole numbers of the point that is nearest and fits, with the rest chosen anew.

        Parameters
        ----------
        point : Point
            What is changed.
        model : Model
            What came of it, compiled.
        budget : Budget
            Pays for what is chosen anew.
        """
        columns = model.built.columns
        if columns is not self._columns and columns != self._columns:
            return None
        fits = self._fitting(model.matrix)
        if fits.any():
            worth = np.round(model.matrix.cost @ self._points, ALIKE)
            return np.array(self._points[:, np.argmax(np.where(fits, worth, -np.inf))])
        nearest = self._places.from_nearest(point.changes)[:MOST_COMPLETED]
        found = (completed(model, self._points[:, j], budget) for j in nearest.tolist())
        return next((x for x in found if x is not None), None)

    def _fitting(self, matrix: Matrix) -> Flags:
        """Which plans keep to all limits of a case."""
        lower, upper = _limits(matrix)
        coefficients, ours = matrix.coefficients, self._coefficients
        as_ever = coefficients.indices is ours.indices and (coefficients.data == ours.data).all()
        if not as_ever:
            return np.asarray(~_broken(self._in(matrix), lower, upper).any(axis=0))
        other = np.flatnonzero((lower != self._lower) | (upper != self._upper))
        here = _broken(self._values[other], lower[other], upper[other])
        breaches = self._breaches - self._broken[other].sum(axis=0) + here.sum(axis=0)
        return np.asarray(breaches == 0)

    def _in(self, matrix: Matrix) -> Floats:
        """What the plans come to in each row, and in each column."""
        rows: Floats = matrix.coefficients @ self._points
        return np.vstack([rows, self._points])


class _Places:
    """Where points lie among one another, by the figures that they change.

    Parameters
    ----------
    several : sequence of mappings
        Effective value of every key that each point changes.
    """

    def __init__(self, several: Sequence[Mapping[str, Any]]) -> None:
        found = [dict(_figures(changes)) for changes in several]
        self._names = sorted({name for one in found for name in one})
        self._at = np.array([self._vector(one) for one in found]).reshape(len(found), -1)
        known = np.where(np.isfinite(self._at), self._at, 0.0)
        spread = np.ptp(known, axis=0)
        self._spread = np.where(spread > 0, spread, 1.0)

    def _vector(self, figures: Mapping[str, float]) -> Floats:
        return np.array([figures.get(name, np.nan) for name in self._names], float)

    def from_nearest(self, changes: Mapping[str, Any]) -> NDArray[np.int64]:
        """Number the points from the nearest to the farthest.

        What only one of two changes lies as far apart as the ends of what is swept.
        """
        here = self._vector(dict(_figures(changes)))
        apart = (self._at - here) / self._spread
        apart = np.where(np.isnan(apart), np.isnan(self._at) != np.isnan(here), apart)
        return np.argsort((apart**2).sum(axis=1), kind="stable")


def _figures(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Give every number of what is changed under its key, and every word as one of its own."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _figures(part, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for j, part in enumerate(value):
            yield from _figures(part, f"{name}.{j}")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name, float(value)
    else:
        yield f"{name}={value}", 1.0


def _limits(matrix: Matrix) -> tuple[Floats, Floats]:
    """Limits of rows, and of columns after them."""
    return (
        np.concatenate([matrix.row_lower, matrix.column_lower]),
        np.concatenate([matrix.row_upper, matrix.column_upper]),
    )


def _broken(values: Floats, lower: Floats, upper: Floats) -> Flags:
    below, above = values < lower[:, None] - TOLERANCE, values > upper[:, None] + TOLERANCE
    return np.asarray(below | above)
