"""A plan followed through the relations of its case as arrays, at all dates in a few steps.

What :func:`optimizer.settle.settle` does node by node, reading families on floats, is done here
with the same families, read once on unknowns: bookkeeping rows have what they define on the left
and the rule on the right. Rows that follow from none of the others come first, then those that
follow from these, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models import indices as i
from models.allocation import Family
from models.build import Row
from models.context import Context
from models.given import Fitout, Given, RackType, Site
from models.grid import interruptible_capacity
from models.indices import Index
from models.relation import Affine, Relation, equal
from models.tree import Node
from optimizer.bands import priced_hours
from optimizer.case import Case
from optimizer.grouped import MONTHS, Grouped, Left, simple
from optimizer.known import Known
from optimizer.layout import Layout
from optimizer.matrix import Flags, Floats
from optimizer.rows import TOLERANCE, Checked
from optimizer.settle import (
    DUST,
    banded_margin,
    firm_supply,
    hourly_margin,
    margin_in_bands,
    settle_hours,
    standing,
)
from optimizer.splits import MOST_KNOWN
from optimizer.stills import Stills

Ints = NDArray[np.int64]
#: Points that are remembered of cases in which nothing is done.
MOST_RESTING = 500
#: Families by which numbers follow from others, what each defines, and whether dust is cleaned.
DEFINING: Mapping[str, tuple[str, bool]] = {
    "halls.state_balance": ("halls", True),
    "racks.rack_balance": ("racks", True),
    "grid.reservation": ("reserved", False),
    "capital.capex_balance": ("capex", False),
    "capital.margin_balance": ("margin", False),
    "capital.debt_balance": ("debt", True),
    "capital.cash_balance": ("cash", False),
}
#: What dispatch decides: rows that read it come after.
DISPATCHED = frozenset({"mining", "unused", "used", "pool_load", "curtailed"})


# --- what is read besides relations --------------------------------------------------------


def _uncut_supply(c: Context, n: Node, s: Site) -> Relation:
    return equal(0.0, firm_supply(c, n, s))


def _interruptible(c: Context, n: Node, s: Site) -> Relation:
    return equal(0.0, interruptible_capacity(c, n, s))


def _standing(c: Context, n: Node, s: Site, f: Fitout, k: RackType) -> Relation:
    return equal(0.0, standing(c, n, s, f, k))


def _billed(c: Context, n: Node, s: Site, r: int) -> Relation:
    return equal(0.0, c.billed[n, s, r] - c.reserved[n, s])


def _in_bands(c: Context, n: Node, s: Site) -> Relation:
    return equal(0.0, margin_in_bands(c, n, s))


def _simple_sites(g: Given) -> Iterator[Index]:
    return ((n, s) for s in g.sites if simple(g, s) for n in g.nodes)


def _classes(g: Given) -> Iterator[Index]:
    return (
        (n, s, f, k)
        for s in g.sites
        if simple(g, s)
        for n in g.nodes
        for f, k in g.mining_classes.get(s, ())
    )


def _months(g: Given) -> Iterator[Index]:
    return (index for index in i.billed(g) if simple(g, index[1]))


#: Numbers of sites whose hours can be dispatched alone, as right sides: what mining may use
#: there, and what it earns in bands.
READINGS: tuple[Family, ...] = (
    Family(_uncut_supply, _simple_sites, "ns", limit=False),
    Family(_interruptible, _simple_sites, "ns", limit=False),
    Family(_standing, _classes, "nsfk", limit=False),
    Family(_billed, _months, "nsr", limit=False),
    Family(_in_bands, _simple_sites, "ns", limit=False),
)


# --- rows that define ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Step:
    """Rows that can be worked out at once.

    Attributes
    ----------
    rows, targets : int array
        Rows, and the columns that they define.
    entries, row, column : int array
        Places of their coefficients on the right, and of each the row here and the column.
    cleaned : bool array
        Where dust becomes nothing.
    """

    rows: Ints
    targets: Ints
    entries: Ints
    row: Ints
    column: Ints
    cleaned: Flags

    def write(self, checked: Checked, point: Floats) -> None:
        """Write what the rows define into a point."""
        right = checked.right
        terms = right.coefficients.data[self.entries] * point[self.column]
        values = np.bincount(self.row, terms, len(self.rows)) + right.constant[self.rows]
        values[self.cleaned & (np.abs(values) < DUST)] = 0.0
        point[self.targets] = values


@dataclass(frozen=True, eq=False)
class Steps:
    """In which order numbers follow from others: what needs no dispatch, and what does."""

    before: tuple[_Step, ...]
    after: tuple[_Step, ...]

    @classmethod
    def of(cls, checked: Checked, layout: Layout) -> Steps:
        """Order the defining rows of a case."""
        defining = [
            (j, layout.place[DEFINING[name][0], index], DEFINING[name][1])
            for j, (name, index) in enumerate(checked.rows)
            if name in DEFINING
        ]
        rows, targets = (np.array([d[k] for d in defining], np.int64) for k in (0, 1))
        cleaned = np.array([d[2] for d in defining], bool)
        table = checked.right.coefficients
        counts = np.diff(table.indptr)[rows]
        row = np.repeat(np.arange(len(rows)), counts)
        ends = np.cumsum(counts)
        entries = np.arange(int(counts.sum())) + np.repeat(
            table.indptr[rows] - (ends - counts), counts
        )
        column = table.indices[entries].astype(np.int64)
        depth, late = _ordered(row, column, targets, layout)

        def steps(chosen: Flags) -> tuple[_Step, ...]:
            return tuple(
                _step(np.flatnonzero(chosen & (depth == d)))
                for d in np.unique(depth[chosen]).tolist()
            )

        def _step(here: Ints) -> _Step:
            mine = np.isin(row, here)
            return _Step(
                rows[here], targets[here], entries[mine],
                np.searchsorted(here, row[mine]), column[mine], cleaned[here],
            )  # fmt: skip

        return cls(steps(~late), steps(late))


def _ordered(row: Ints, column: Ints, targets: Ints, layout: Layout) -> tuple[Ints, Flags]:
    """How many rows each has to wait for, one after another, and whether for dispatch too."""
    definer = np.full(len(layout.columns), -1)
    definer[targets] = np.arange(len(targets))
    named = np.array([name in DISPATCHED for name, _ in layout.columns], bool)
    late = np.zeros(len(targets), bool)
    late[row[named[column]]] = True
    linked = definer[column] >= 0
    later, earlier = row[linked], definer[column[linked]]
    depth = np.zeros(len(targets), np.int64)
    for _ in range(len(targets) + 1):
        deeper, waiting = depth.copy(), late.copy()
        np.maximum.at(deeper, later, depth[earlier] + 1)
        np.logical_or.at(waiting, later, late[earlier])
        if (deeper == depth).all() and (waiting == late).all():
            return depth, late
        depth, late = deeper, waiting
    raise ValueError("numbers follow from one another in a circle")


# --- hours -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Places:
    """Where the numbers of a simple site stand.

    Attributes
    ----------
    firm, interruptible, margin : int array, shape (nodes,)
        Rows of a :class:`Reading`: firm MW beside AI, interruptible MW, and what is earned in
        bands.
    standing : int array, shape (nodes, classes)
        Likewise.
    mw : float array, shape (classes,)
        IT MW of a rack that is fit to run.
    months, billed : int array
        Numbers of node and month, and the row of what is left there.
    mining, running : int array
        Columns of what runs in bands, and where they stand among bands and classes.
    """

    firm: Ints
    interruptible: Ints
    margin: Ints
    standing: Ints
    mw: Floats
    months: tuple[Ints, Ints]
    billed: Ints
    mining: Ints
    running: Ints


@dataclass(frozen=True, eq=False)
class Reading:
    """Right sides of ``READINGS``, and where the numbers of each site stand in them."""

    checked: Checked
    sites: Mapping[Site, Places]

    def at(self, point: Floats) -> Floats:
        """Values at a point."""
        return self.checked.right.at(point)


def places(checked: Checked, g: Given, layout: Layout) -> Mapping[Site, Places]:
    """Find the numbers of each simple site among those of ``READINGS``."""
    at = {row: j for j, row in enumerate(checked.rows)}
    return {s: _places(g, s, at, layout) for s in g.sites if simple(g, s)}


def _places(g: Given, s: Site, at: Mapping[Row, int], layout: Layout) -> Places:
    firm, interruptible, racks, billed, margin = (family.name for family in READINGS)
    classes, node = g.mining_classes.get(s, ()), {n: j for j, n in enumerate(g.nodes)}
    months = [(n, r) for n in g.nodes for r in g.bill_months.get((n, s), ())]
    shape = len(g.nodes), len(classes)

    def rows(name: str) -> Ints:
        return np.array([at[name, (n, s)] for n in g.nodes], np.int64)

    return Places(
        rows(firm),
        rows(interruptible),
        rows(margin),
        _ints(at[racks, (n, s, f, k)] for n in g.nodes for f, k in classes).reshape(shape),
        np.array([g.mining_ready[k] * g.rack_mw[k] for _, k in classes]),
        (_ints(node[n] for n, _ in months), _ints(r for _, r in months)),
        _ints(at[billed, (n, s, r)] for n, r in months),
        *_in_bands_at(g, s, layout),
    )


def _in_bands_at(g: Given, s: Site, layout: Layout) -> tuple[Ints, Ints]:
    """Columns of what runs in bands, and where they stand among all bands and classes."""
    classes = list(g.mining_classes.get(s, ()))
    bands = [(n, b) for n in g.nodes for b in g.bands[n, s]]
    found = [
        (layout.place["mining", (n, s, f, k, b)], j * len(classes) + classes.index((f, k)))
        for j, (n, b) in enumerate(bands)
        for f, k in g.runs[n, s, b]
    ]
    return _ints(column for column, _ in found), _ints(place for _, place in found)


def _ints(numbers: Iterable[int]) -> Ints:
    return np.array(list(numbers), np.int64)


# --- a plan ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Followed:
    """A case as arrays, in which plans are followed and looked through.

    Attributes
    ----------
    given : Given
        Its numbers.
    layout : Layout
        Its unknowns.
    checked : Checked
        Its relations.
    steps : Steps
        In which order numbers follow from others.
    best : Affine
        What a plan is worth, in M$.
    reading : Reading
        What mining may use.
    bands, hours : mapping of str to Grouped
        By simple site: bands of the model, and every hour.
    splits : Known
        Whether racks split into halls, in cases with the same halls and racks.
    resting : Known
        Best points of cases with the same unknowns in which nothing is done, by what is left to
        decide there.
    stills : Stills
        What doing nothing came to in cases with the same unknowns.
    made_of : mapping of str to object
        What the case is made of, for these; empty where it is not to be remembered.
    """

    given: Given
    layout: Layout
    checked: Checked
    steps: Steps
    best: Affine
    reading: Reading
    bands: Mapping[Site, Grouped]
    hours: Mapping[Site, Grouped]
    splits: Known[bool] = field(default_factory=partial(Known, MOST_KNOWN))
    resting: Known[Floats] = field(default_factory=partial(Known, MOST_RESTING))
    stills: Stills = field(default_factory=Stills)
    made_of: Mapping[str, object] = field(default_factory=dict)

    def settled(self, point: Floats) -> Settled:
        """Follow the decisions of a point through, as :func:`optimizer.settle.settle` does."""
        x = np.where(np.abs(point) < DUST, 0.0, point)
        for step in self.steps.before:
            step.write(self.checked, x)
        said = self.reading.at(x)
        for s, grouped in self.bands.items():
            at = self.reading.sites[s]
            x[at.mining] = grouped.running(self._left(s, said)).ravel()[at.running]
        if not self.is_alone:
            self._settle_coupled(x)
        for step in self.steps.after:
            step.write(self.checked, x)
        return Settled(self.layout.context(self.given, x), x, self)

    def value_musd(self, point: Floats) -> float:
        """What a plan is worth."""
        at = point.take(np.asarray(self.best.columns, np.int64))
        return float(at @ np.asarray(self.best.coefficients, np.float64)) + self.best.constant

    @property
    def is_alone(self) -> bool:
        """Whether every site's hours are dispatched from these arrays, and from nothing else."""
        return len(self.bands) == len(self.given.sites)

    def rules_out(self, known: Floats) -> bool:
        """Whether decisions break a relation whatever the others are, which are not numbers."""
        x = known.copy()
        for step in self.steps.before:
            step.write(self.checked, x)
        return self.checked.surely_broken(x)

    def _left(self, s: Site, said: Floats) -> Left:
        """What a plan leaves mining at a site."""
        at, billed = self.reading.sites[s], None
        if s in self.given.demand_charge:
            billed = np.full((len(self.given.nodes), MONTHS), np.inf)
            billed[at.months] = said[at.billed]
        most = self.given.mining_mw_max.get(s, np.inf)
        installed = at.mw * said[at.standing]
        firm = said[at.firm]
        return Left(installed, firm + said[at.interruptible], firm, billed, most)

    def _settle_coupled(self, x: Floats) -> None:
        """Dispatch the sites whose hours are coupled, one node after another."""
        plan, g = self.layout.context(self.given, x), self.given
        for n in g.nodes:
            for s in g.sites:
                if s not in self.bands:
                    settle_hours(plan, n, s)
        for name in DISPATCHED:
            span, indices = self.layout.indices[name]
            values = getattr(plan, name)
            x[span] = [values[index] for index in indices]

    def margins(self, settled: Settled, case: Case) -> Iterator[tuple[Node, Site, float, float]]:
        """Mining margin of every node and site, in bands and dispatched over every hour."""
        g, said = self.given, self.reading.at(settled.point)
        in_hours = {s: self.hours[s].margins(self._left(s, said)) for s in self.hours}
        for j, n in enumerate(g.nodes):
            for s in g.sites:
                if s in in_hours:
                    in_bands = float(said[self.reading.sites[s].margin[j]])
                    yield n, s, in_bands, in_hours[s][j]
                else:
                    priced = priced_hours(g, n, s, case.hours[s])
                    in_bands = banded_margin(settled.plan, n, s)
                    yield n, s, in_bands, hourly_margin(settled.plan, n, s, priced)


@dataclass(frozen=True, eq=False)
class Settled:
    """A plan with all its numbers, which are those of a point.

    ``by`` is the case as arrays, in which it was followed through.
    """

    plan: Context
    point: Floats
    by: Followed

    def several(self, name: str) -> list[Index]:
        """Indices of a decision at which it comes to two or more."""
        span, indices = self.by.layout.indices[name]
        return [indices[j] for j in np.flatnonzero(np.rint(self.point[span]) >= 2).tolist()]

    def in_domains(self) -> bool:
        """Whether every number is of its domain, within what is believed to be arithmetic."""
        x, domains = self.point, self.by.layout.domains
        whole = x[domains["whole"]]
        return bool(
            (x[domains["positive"]] >= -TOLERANCE).all()
            and (x[domains["binary"]] <= 1 + TOLERANCE).all()
            and (whole == np.rint(whole)).all()
        )
