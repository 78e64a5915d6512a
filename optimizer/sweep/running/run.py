"""The coordinator: it has points computed, commits every row as it comes, and can be resumed.

Running the same sweep again computes what is missing and nothing else. Answers of other inputs,
options or engines are never mixed with those that are there: they are refused, or kept beside
them as a version of their own.
"""

from __future__ import annotations

import shlex
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from threading import Event

from optimizer.sweep.meaning import meaning
from optimizer.sweep.point.opened import Rules
from optimizer.sweep.points import SETTLED, Base, Held, MakeEvaluate, Point
from optimizer.sweep.rows.records import Spec, Version
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.rows.software import differing, software
from optimizer.sweep.rows.store import Store
from optimizer.sweep.running.engine import Engine, Stop, Task

#: Seconds between two calls of whoever follows a sweep, and that its rate looks back.
TELL_SECONDS = 0.2
RATE_SECONDS = 60.0
#: Points, and whole numbers of the base, from which some points lend their plans to the others.
MANY_POINTS, MANY_WHOLE = 100, 500
#: One point of so many lends its plan, so many at most, and no more whole numbers in all.
POINTS_TO_A_LENDER, MOST_LENDERS, MOST_LENT = 10, 100, 200_000


@dataclass(frozen=True)
class Standing:
    """Where a sweep stands.

    Attributes
    ----------
    done : int
        Points with a row, also of earlier runs.
    failed : int
        Those among them that gave neither a plan nor the proof that there is none.
    total : int
        Points of the design.
    rate : float or None
        Points a second, lately; nothing before the first.
    left : float or None
        Seconds that the rest will take at this rate.
    seconds : float
        Since this run began.
    stopping : bool
        Whether nothing new is begun.
    """

    done: int
    failed: int
    total: int
    rate: float | None = None
    left: float | None = None
    seconds: float = 0.0
    stopping: bool = False


@dataclass(frozen=True)
class Summary:
    """What a run of a sweep came to.

    Attributes
    ----------
    version : int
        Version that the rows belong to.
    total : int
        Points of the design.
    counts : mapping of str to int
        Points of each status, of this run and earlier ones.
    computed : int
        Points that this run computed.
    skipped : int
        Points that were done before.
    left_out : int
        Rows of points that the design no longer has; they are kept, and not shown.
    stopped : bool
        Whether it was stopped before the end.
    seconds : float
        How long it took.
    """

    version: int
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    computed: int = 0
    skipped: int = 0
    left_out: int = 0
    stopped: bool = False
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        """Points that gave neither a plan nor the proof that there is none."""
        return sum(number for status, number in self.counts.items() if status not in SETTLED)

    @property
    def missing(self) -> int:
        """Points without a row."""
        return self.total - sum(self.counts.values())


def run(
    points: Iterable[Point],
    base: Base,
    store: Store,
    engine: Engine,
    make_evaluate: MakeEvaluate,
    *,
    held: Held | None = None,
    spec: Spec | None = None,
    versions: Mapping[str, str] | None = None,
    retry: Iterable[str] = (),
    new_version: bool = False,
    backwards: bool = False,
    progress: Callable[[Standing], None] | None = None,
    stop: Stop | None = None,
    grace: float = 10.0,
) -> Summary:
    """Compute the points that have no row yet, and commit each row as it comes.

    Parameters
    ----------
    points : iterable of Point
        The design, in any order; it is read once.
    base : Base
        What they share. Of a version that is continued, what is stored holds, to the last byte.
    store : Store
        Where rows go, opened to write.
    engine : Engine
        What computes them.
    make_evaluate : MakeEvaluate
        How a worker gets ready.
    held : Held, optional
        What the base holds where points change it, kept for tables of effective values.
    spec : Spec, optional
        The sweep file, kept with the rows.
    versions : mapping of str to str, optional
        Versions of what computes; by default those of this process.
    retry : iterable of str
        Statuses of rows that are computed again.
    new_version : bool
        Begin a version of its own where inputs, options or engine have changed.
    backwards : bool
        Compute from the last point to the first.
    progress : callable, optional
        Told where the sweep stands, a few times a second.
    stop : Stop, optional
        Once it is set, nothing new is begun.
    grace : float
        Seconds that what has begun may still take then.

    Returns
    -------
    Summary
        Counts of all points, also where the sweep was stopped.

    Raises
    ------
    SweepRefused
        Where something has changed and no version of its own is wished for, or the sweep cannot
        go on, as on a full disk. What is committed stays.
    """
    began, engine_is = time.monotonic(), dict(software() if versions is None else versions)
    stop, again = stop or Event(), tuple(retry)
    refuse_changed(store, base, engine_is, new_version=new_version)
    version = store.add(base, engine_is)
    # Only a version that has its points becomes the current one, whatever dies in between.
    total = store.design(version, points, held)
    store.turn_to(spec or store.spec() or Spec("", ""), version.number)
    base = store.base(version.number)
    store.choose_lenders(version, lenders(base, store.count_pending(version)))
    wanted = store.count_pending(version, again)
    follow = _Follower(store, version, again, wanted, began, progress)
    try:
        for lend in (True, False):
            left = store.count_pending(version, again, lend=lend)
            if not left or stop.is_set():
                continue
            pending = store.pending(version, again, lend=lend, backwards=backwards)
            shared = base if lend else replace(base, lent=store.close_lending(version))
            task = Task(pending, left, shared, make_evaluate, stop, grace, goes_on=lend)
            follow.tell()
            with closing(engine.compute(task)) as batches:
                for done in batches:
                    if done:
                        store.record(version, done)
                    follow.hear([one.row.status for one in done], stopping=stop.is_set())
            follow.tell(stopping=stop.is_set())
    finally:
        engine.end()
    return Summary(
        version.number, total, store.counts(version), follow.computed,
        skipped=total - wanted, left_out=store.left_out(version),
        stopped=stop.is_set() and follow.computed < wanted, seconds=time.monotonic() - began,
    )  # fmt: skip


def lenders(base: Base, points: int) -> int:
    """Say how many of so many points lend their plans to the others.

    None where there are few, where cases are so small that any search is as quick, or where
    nothing is searched but the plan that is evaluated.

    Examples
    --------
    >>> from optimizer.highs import Options
    >>> base = Base({}, Options(), start={("racks", n): 0.0 for n in range(1500)})
    >>> [lenders(base, points) for points in (90, 400, 40000)]
    [0, 40, 100]
    """
    whole = len(base.start or ())
    if points < MANY_POINTS or whole < MANY_WHOLE or not Rules.of(base.plan).regret:
        return 0
    return min(points // POINTS_TO_A_LENDER, MOST_LENDERS, MOST_LENT // whole)


def refuse_changed(
    store: Store, base: Base, versions: Mapping[str, str], *, new_version: bool = False
) -> None:
    """Refuse a base that differs from what the sweep was run with, and say by what.

    Raises
    ------
    SweepRefused
        Where it differs and no version of its own is wished for.
    """
    current = store.current()
    if current is None or new_version or current.digest == base.version(versions):
        return
    told = [
        *changes(store.base(current.number), base),
        *differing(current.software, versions),
    ]
    known = store.find(base.version(versions))
    raise SweepRefused(_refusal(store, "; ".join(told), known))


def _refusal(store: Store, told: str, known: Version | None) -> str:
    """Say by what a base differs, and what may be done; it may be that of an older version."""
    else_ = told or "what it was computed with has changed"
    if known is None:
        return (
            f"{store.path} was run with something else: {else_}. Put that back, or compute all "
            "points anew as a version of their own with --new-version"
        )
    done, total = sum(store.counts(known).values()), store.total(known)
    shown = f"rackwatt sweep show {shlex.quote(str(store.path))} --version {known.number}"
    return (
        f"{store.path} was last run with something else, as version {store.version().number}: "
        f"{else_}. What is given now is its version {known.number}, with {done:,} of {total:,} "
        f"done: `{shown}` shows it, --new-version goes on with it and solves nothing twice"
    )


def changes(old: Base, base: Base) -> list[str]:
    """Say by what a base differs from another."""
    options = ({k: str(v) for k, v in asdict(o).items()} for o in (old.options, base.options))
    told = [
        *_changed_files("", old.files, base.files),
        *_changed_files("the plan's ", old.plan or {}, base.plan or {}),
        *differing(*options),
    ]
    if old.memory_mb != base.memory_mb:
        told.append(f"memory {base.memory_mb} MB instead of {old.memory_mb}")
    if old.ties != base.ties:
        told.append(f"ties broken by {base.ties} instead of {old.ties}".replace("None", "nothing"))
    return told


def _changed_files(whose: str, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[str]:
    was, now = ({name: meaning(name, data) for name, data in one.items()} for one in (old, new))
    names = [*was, *(name for name in now if name not in was)]
    said = {(True, False): "is gone", (False, True): "is new", (True, True): "has changed"}
    return [
        f"{whose}{name} {said[name in was, name in now]}"
        for name in names
        if was.get(name) != now.get(name)
    ]


class _Follower:
    """Counts rows as they come and tells whoever follows."""

    def __init__(
        self,
        store: Store,
        version: Version,
        retry: tuple[str, ...],
        wanted: int,
        began: float,
        progress: Callable[[Standing], None] | None,
    ) -> None:
        kept = {s: n for s, n in store.counts(version).items() if s not in retry}
        self._began, self._progress = began, progress
        self._before = sum(kept.values())
        self._total = self._before + wanted
        self._failed = sum(number for status, number in kept.items() if status not in SETTLED)
        self.computed = 0
        self._told_at = 0.0
        self._lately: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def hear(self, statuses: list[str], *, stopping: bool) -> None:
        """Count rows."""
        self.computed += len(statuses)
        self._failed += sum(status not in SETTLED for status in statuses)
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self.tell(stopping=stopping)

    def tell(self, *, stopping: bool = False) -> None:
        """Tell where the sweep stands."""
        self._told_at = now = time.monotonic()
        self._lately.append((now, self.computed))
        while len(self._lately) > 2 and now - self._lately[1][0] > RATE_SECONDS:
            self._lately.popleft()
        if self._progress is None:
            return
        then, fewer = self._lately[0]
        if self.computed and not fewer:
            # What workers took to get ready says nothing of how fast they are.
            self._lately[0] = now, self.computed
        rate = (self.computed - fewer) / (now - then) if self.computed > fewer else None
        done = self._before + self.computed
        left = None if rate is None else max(0, self._total - done) / rate
        seconds = now - self._began
        self._progress(Standing(done, self._failed, self._total, rate, left, seconds, stopping))
