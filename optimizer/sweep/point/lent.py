"""Plans that points lend one another, to begin from.

A search that knows a good plan need not find one, and cuts off what is worse. The plan of the
base seldom fits where limits are swept, but those of other points do. Some points, which follow
from the design and not from who solves them, are solved first, and all others begin from the same
plans: no answer hangs on the order of points, or on the worker.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import Model, completed, ruled_out
from optimizer.highs import Budget
from optimizer.matrix import Flags, Floats
from optimizer.sweep.points import Lent, Point

#: How far a plan that is lent may lie beyond a limit: no more than arithmetic.
TOLERANCE = 1e-9
#: Where no plan keeps to the limits as it stands: how many of the nearest are looked at, and how
#: many of these completed at most.
NEAR, COMPLETED = 20, 2


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
        matrix = base.matrix
        self._columns, self._coefficients = base.built.columns, matrix.coefficients
        self._points = np.array([read(one.plan) for one in lent]).T
        self._places = _Places([one.changes for one in lent])
        self._rows = _Within(
            matrix.coefficients @ self._points, matrix.row_lower, matrix.row_upper
        )
        self._numbers = _Within(self._points, matrix.column_lower, matrix.column_upper)

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
        fits = self._fitting(model)
        if fits.any():
            worth = np.where(fits, self._worth(model.matrix.cost), -np.inf)
            return np.array(self._points[:, np.argmax(worth)])
        nearest = self._places.from_nearest(point.changes)[:NEAR].tolist()
        fitting = (x for x in self._points.T[nearest] if not ruled_out(model, x))
        found = (completed(model, x, budget) for x in islice(fitting, COMPLETED))
        return next((x for x in found if x is not None), None)

    def _fitting(self, model: Model) -> Flags:
        """Which plans keep to all limits of a case."""
        matrix, rows = model.matrix, self._rows
        coefficients, ours = matrix.coefficients, self._coefficients
        as_ever = coefficients.indices is ours.indices and (coefficients.data == ours.data).all()
        if not as_ever:
            values = matrix.coefficients @ self._points
            rows = _Within(values, matrix.row_lower, matrix.row_upper)
        in_rows = rows.under(matrix.row_lower, matrix.row_upper)
        return in_rows & self._numbers.under(matrix.column_lower, matrix.column_upper)

    def _worth(self, cost: Floats) -> Floats:
        """What plans are worth, added up in one order whatever the machine."""
        told = np.flatnonzero(cost)
        return np.asarray((cost[told, None] * self._points[told]).sum(axis=0))


class _Within:
    """Whether numbers of several plans lie within limits, of which few are others than before.

    Parameters
    ----------
    values : float array, shape (numbers, plans)
        What plans come to.
    lower, upper : float array, shape (numbers,)
        Limits that are looked at once and for all.
    """

    def __init__(self, values: Floats, lower: Floats, upper: Floats) -> None:
        self._values, self._lower, self._upper = values, lower, upper
        self._broken = _broken(values, lower, upper)
        self._breaches = self._broken.sum(axis=0)

    def under(self, lower: Floats, upper: Floats) -> Flags:
        """Tell which plans keep to other limits."""
        other = np.flatnonzero((lower != self._lower) | (upper != self._upper))
        here = _broken(self._values[other], lower[other], upper[other])
        breaches = self._breaches - self._broken[other].sum(axis=0) + here.sum(axis=0)
        return np.asarray(breaches == 0)


def _broken(values: Floats, lower: Floats, upper: Floats) -> Flags:
    below, above = values < lower[:, None] - TOLERANCE, values > upper[:, None] + TOLERANCE
    return np.asarray(below | above)


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
        spread = np.nanmax(self._at, axis=0) - np.nanmin(self._at, axis=0)
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
