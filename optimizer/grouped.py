"""Hours of a site at every date at once, dispatched together where mining chooses alike in them.

:func:`optimizer.bands.dispatch` runs mining in the hours of one node and site. What it does in an
hour hangs on the grid, on which machine class earns most there, and on whether it earns at all:
hours of a node that agree in these are dispatched once, for all of them, to the very same
numbers. Sites whose hours are coupled, or where mining and AI share what they draw from, are
left to :mod:`optimizer.settle`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.given import Given, Site
from optimizer.bands import Priced
from optimizer.matrix import Flags, Floats

Ints = NDArray[np.int64]
#: Calendar months, from the first; none stands for hours that no month bills.
MONTHS = 13
#: Largest number that tells kinds of hours apart.
LARGEST = 2**62


def simple(g: Given, s: Site) -> bool:
    """Whether every hour of a site can be dispatched alone, by what the grid leaves."""
    coupled = (g.ppas, g.commitments, g.sheddable, g.pooled_parts)
    return s not in g.limited and not any(table.get(s) for table in coupled)


@dataclass(frozen=True, eq=False)
class Rows:
    """Hours, or bands of hours, of a site: those of all nodes one after another.

    Attributes
    ----------
    begins : int array
        Where those of each node begin, with one more at the end.
    hours, price : float array
        Weight, and M$/MWh before adders.
    cut, stopped : bool array
        Whether interruptible load is cut, and mining ordered to stand still.
    month : int array
        Calendar month.
    """

    begins: Ints
    hours: Floats
    price: Floats
    cut: Flags
    stopped: Flags
    month: Ints

    @classmethod
    def of(cls, priced: Sequence[Priced]) -> Rows:
        """Put the hours of nodes together."""
        zeros = [np.zeros(len(p.hours), np.int64) for p in priced]
        return cls(
            np.cumsum([0, *(len(p.hours) for p in priced)]),
            np.concatenate([p.hours for p in priced]),
            np.concatenate([p.price for p in priced]),
            np.concatenate([p.cut for p in priced]),
            np.concatenate([p.stops for p in priced]),
            np.concatenate(
                [z if p.month is None else p.month for p, z in zip(priced, zeros, strict=True)]
            ),
        )

    @classmethod
    def of_bands(cls, g: Given, s: Site) -> Rows:
        """Put the bands of a site together."""
        bands = [(n, s, b) for n in g.nodes for b in g.bands[n, s]]
        return cls(
            np.cumsum([0, *(len(g.bands[n, s]) for n in g.nodes)]),
            np.array([g.hours[key] for key in bands], float),
            np.array([g.price[key] for key in bands], float),
            np.array([g.cut[key] for key in bands], bool),
            np.array([g.stopped[key] for key in bands], bool),
            np.array([g.bill_month.get(key, 0) for key in bands], np.int64),
        )

    @property
    def node(self) -> Ints:
        """Number of the node of each row."""
        return np.repeat(np.arange(len(self.begins) - 1), np.diff(self.begins))


@dataclass(frozen=True, eq=False)
class Left:
    """What a plan leaves mining at a site, at each node.

    Attributes
    ----------
    installed : float array, shape (nodes, classes)
        IT MW fit to run.
    supply, cut_supply : float array, shape (nodes,)
        Utility MW in ordinary hours, and where interruptible load is cut.
    billed : float array, shape (nodes, MONTHS) or None
        Utility MW left below the highest of each month, where it is billed.
    most : float
        Utility MW that mining may use at most.
    """

    installed: Floats
    supply: Floats
    cut_supply: Floats
    billed: Floats | None
    most: float


@dataclass(frozen=True, eq=False)
class Grouped:
    """Hours of a site in groups in which mining chooses alike.

    Attributes
    ----------
    rows : Rows
        The hours.
    group : int array
        Group of each of them.
    first : int array
        An hour of each group.
    node : int array
        Number of each group's node.
    order : int array, shape (groups, classes)
        Machine classes, the one that earns most by the MW of grid first.
    pays : bool array, shape (groups, classes)
        Whether they earn at all, in this order.
    worth : float array, shape (rows, classes)
        M$ of a MWh of each class.
    peak : float array, shape (classes,)
        Utility MW of an IT MW, on the hottest hour.
    """

    rows: Rows
    group: Ints
    first: Ints
    node: Ints
    order: Ints
    pays: Flags
    worth: Floats
    peak: Floats

    @classmethod
    def of(cls, g: Given, s: Site, rows: Rows) -> Grouped:
        """Group the hours of a site by what mining earns in them."""
        classes, node = g.mining_classes.get(s, ()), rows.node
        energy = rows.price + g.adder[s] + g.mining_adder[s]
        shape = len(rows.hours), len(classes)
        earned, by_mw = np.zeros(shape), np.zeros(shape)
        for i, (f, k) in enumerate(classes):
            revenue = np.array([g.mining_revenue[n, k] for n in g.nodes])[node]
            earned[:, i] = revenue - g.pue[f] * energy
            by_mw[:, i] = earned[:, i] / g.pue_peak[f]
        earned[rows.stopped] = 0.0
        order = np.argsort(-by_mw, axis=1, kind="stable")
        pays = np.take_along_axis(by_mw, order, axis=1) > 0
        first, group = _alike([node, rows.month, rows.cut, rows.stopped, *order.T, *pays.T])
        peak = np.array([g.pue_peak[f] for f, _ in classes])
        return cls(rows, group, first, node[first], order[first], pays[first], earned, peak)

    def running(self, left: Left) -> Floats:
        """IT MW running in each hour, by class: as :func:`optimizer.bands.dispatch`."""
        groups, classes = self.order.shape
        running, every = np.zeros((groups, classes)), np.arange(groups)
        rest = self._rest(left)
        for rank in range(classes):
            pick, pays = self.order[:, rank], self.pays[:, rank]
            peak = self.peak[pick]
            most = np.minimum(left.installed[self.node, pick], rest / peak)
            mw = np.where(pays, most, 0.0)
            running[every, pick] = mw
            rest = rest - mw * peak
        return running[self.group]

    def _rest(self, left: Left) -> Floats:
        """Utility MW that mining may use in each group."""
        rows, node = self.rows, self.node
        rest = np.where(rows.cut[self.first], left.cut_supply[node], left.supply[node])
        if left.billed is not None:
            rest = np.minimum(rest, left.billed[node, rows.month[self.first]])
        rest = np.maximum(0.0, np.clip(rest, 0.0, left.most))
        return np.where(rows.stopped[self.first], 0.0, rest)

    def margins(self, left: Left) -> list[float]:
        """Mining margin of each node, in M$: as :func:`optimizer.settle.hourly_margin`."""
        earned = self.rows.hours[:, None] * self.running(left) * self.worth
        begins = self.rows.begins.tolist()
        return [float(earned[a:b].sum()) for a, b in pairwise(begins)]


def _alike(states: Sequence[NDArray[np.int_] | Flags]) -> tuple[Ints, Ints]:
    """Find hours that agree in all states: one of each kind, and the kind of each."""
    mixed, size = np.zeros(len(states[0]), np.int64), 1
    for state in states:
        more = int(state.max(initial=0)) + 1
        if size * more > LARGEST:
            mixed = np.unique(mixed, return_inverse=True)[1]
            size = len(mixed)
        mixed, size = mixed * more + state, size * more
    _, first, kind = np.unique(mixed, return_index=True, return_inverse=True)
    return first, kind
