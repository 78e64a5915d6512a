"""What a sweep begins with: its cases, the plan they start from, and how long they take."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.build import Column
from optimizer.commands.sweeps.opening import Count, Estimate, Opening
from optimizer.errors import InputRefused
from optimizer.progress import progress_line
from optimizer.sweep.base import Read, base_of
from optimizer.sweep.design.designs import Expansion
from optimizer.sweep.design.levels import front_points, needs_ends, points_in
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.doubts import doubts
from optimizer.sweep.point.ends import ends_of
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.points import Base
from optimizer.sweep.rows import glance
from optimizer.sweep.rows.records import Spec, Version
from optimizer.sweep.rows.software import software
from optimizer.sweep.rows.store import Store
from optimizer.sweep.whole import Whole

#: Whose solve is told before the first case.
THE_BASE = "the base"


@dataclass(frozen=True, eq=False)
class Ready:
    """A sweep that was read and checked.

    Attributes
    ----------
    sweep : Sweep
        The file.
    read : Read
        Its base.
    cases : Expansion
        Its cases; of a front, those that have one each.
    base : Base
        What the cases share.
    versions : mapping of str to str
        What computes them.
    out : Path
        Where rows go.
    retry : tuple of str
        Statuses that are tried again.
    loading : float
        Seconds that this process took to load the program, as every worker does.
    """

    sweep: Sweep
    read: Read
    cases: Expansion
    base: Base
    versions: Mapping[str, str]
    out: Path
    retry: tuple[str, ...] = ()
    loading: float = 0.0

    @classmethod
    def of(cls, whole: Whole, out: Path, retry: tuple[str, ...], loading: float) -> Ready:
        """Gather it."""
        base = base_of(whole.sweep, whole.read.loaded)
        return cls(*whole, base, software(), out, retry, loading)

    @property
    def spec(self) -> Spec:
        """The sweep file as it is kept."""
        return Spec(self.sweep.name, self.sweep.file.read_text(encoding="utf-8-sig"))


@dataclass(frozen=True, eq=False)
class Begun:
    """A sweep whose cases are known, each with its number.

    Attributes
    ----------
    expansion : Expansion
        The cases, of a front at each of its levels.
    base : Base
        What they share, the plan they begin from among it.
    count : Count
        How many there are.
    estimate : Estimate
        How long one takes.
    """

    expansion: Expansion
    base: Base
    count: Count
    estimate: Estimate


def begin(
    ready: Ready, store: Store | None, opening: Opening, stop: threading.Event
) -> Begun | None:
    """Find the cases of a sweep, and tell how many there are.

    The base is solved where it was not yet: its plan says where cases begin, how long they take,
    and between which levels a front lies. A sweep that goes on has that plan in its database.

    Parameters
    ----------
    ready : Ready
        The sweep.
    store : Store or None
        Its database; None before there is one.
    opening : Opening
        Tells it.
    stop : Event
        Ends the search for the plan of the base.

    Returns
    -------
    Begun or None
        None where that was stopped.

    Raises
    ------
    InputRefused
        Where the base has no plan, or none that says where the front lies.
    """
    version = None if store is None else store.find(ready.base.version(ready.versions))
    if store is None or version is None:
        return _begun_anew(ready, opening, stop)
    # What the version was begun with says the same, but perhaps not in the same bytes.
    kept = replace(ready, base=store.base(version.number))
    expansion = _expanded(kept, kept.base.start)
    count = _counted(store, version, ready, expansion)
    opening.tell(count)
    if count.wanted:
        opening.tell_doubts(doubts(ready.sweep, ready.read, expansion.points, stop))
        opening.tell_levels(expansion)
    estimate = Estimate(glance.seconds_each(store, version), ready.loading)
    return Begun(expansion, kept.base, count, estimate)


def _begun_anew(ready: Ready, opening: Opening, stop: threading.Event) -> Begun | None:
    """Begin where there is no row yet, with the plan of the base."""
    late = needs_ends(ready.sweep)
    opening.tell(_at_first(ready))
    if not late:
        expansion = _expanded(ready, None)
        opening.tell_doubts(doubts(ready.sweep, ready.read, expansion.points, stop))
    start, evaluator, estimate = _start(ready, opening, stop)
    if stop.is_set():
        return None
    if late:
        expansion = _expanded(ready, start, evaluator)
        opening.tell_doubts(doubts(ready.sweep, ready.read, expansion.points, stop))
    opening.tell_levels(expansion)
    base = replace(ready.base, start=start)
    count = Count(len(expansion.points), alike=expansion.alike)
    return Begun(expansion, base, count, estimate)


def estimated(
    ready: Ready, begun: Begun, opening: Opening, stop: threading.Event
) -> Estimate | None:
    """Say how long a case takes, by solving the base once more where no case tells it yet."""
    if not begun.count.wanted:
        return None
    if begun.estimate.seconds is not None:
        return begun.estimate
    estimate = _start(ready, opening, stop)[2]
    return None if stop.is_set() else estimate


def _expanded(
    ready: Ready, start: Mapping[Column, float] | None, evaluator: Evaluator | None = None
) -> Expansion:
    """Give every case, of a front at each of its levels."""
    sweep, document = ready.sweep, ready.read.document
    if not needs_ends(sweep):
        return front_points(sweep, document)
    if start is None:
        # Another search might find a plan, and the next run another one, with other levels.
        message = "the base has no plan that a front could begin from"
        raise InputRefused([sweep.problem(("pareto",), message, hint="type from and to")])
    return front_points(sweep, document, ends_of(sweep, evaluator or Evaluator(ready.base), start))


def _at_first(ready: Ready) -> Count:
    """Count the cases before any of them has a row."""
    total, each = points_in(ready.sweep, ready.cases), len(ready.cases.points)
    alike = ready.cases.alike * (total // max(1, each))
    return Count(total, alike=alike, at_most=needs_ends(ready.sweep))


def _counted(store: Store, version: Version, ready: Ready, expansion: Expansion) -> Count:
    """Count the cases that have a row already; those of one identity are solved once."""
    statuses = glance.answered(store, version)
    found = [point.identity(version.digest) for point in expansion.points]
    left = [one for one in found if one not in statuses]
    again = {one for one in found if statuses.get(one) in ready.retry}
    alike = len(left) - len(set(left))
    return Count(len(found), len(found) - len(left), len(again), alike)


def _start(
    ready: Ready, opening: Opening, stop: threading.Event
) -> tuple[Mapping[Column, float] | None, Evaluator, Estimate]:
    """Solve the base itself: cases begin from its plan, and its time says how long they take."""
    began = time.monotonic()
    evaluator = Evaluator(ready.base)
    read = time.monotonic()
    voice = opening.voice
    with progress_line(voice.talk, quiet=voice.quiet, label=THE_BASE) as progress:
        start = evaluator.start(stop, progress)
    ended = time.monotonic()
    ties = ready.base.ties is not None
    estimate = Estimate(
        ended - read, ready.loading + read - began, start is not None, ties, of_base=True,
        limit=ready.base.options.time_limit,
    )  # fmt: skip
    return start, evaluator, estimate
