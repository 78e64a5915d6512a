"""What is shipped to a worker and what comes back: a base once, points as changes, rows.

Models never travel. A worker gets the files of the instance once and builds what it needs from
them; a point is a handful of keys and their values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from models.build import Column
from optimizer.highs import Options
from optimizer.sweep.meaning import meaning

#: What JSON holds: a number, a flag, a text, a list or a table of them.
Json = Any

Status = Literal[
    "solved", "best-found", "infeasible", "unbounded", "no-plan", "audit-failed", "invalid",
    "timeout", "error", "worker_died",
]  # fmt: skip

#: What each status says of a case.
MEANINGS: Mapping[str, str] = {
    "solved": "the plan is the best within the gap, and passed its audit",
    "best-found": "a limit ended the search; the plan passed its audit, bound and gap are given",
    "infeasible": "no plan keeps to all limits",
    "unbounded": "a limit or a cost is missing",
    "no-plan": "the limit of nodes ended the search before any plan",
    "audit-failed": "a plan was found and did not survive its audit",
    "invalid": "the changed instance is refused; the message says why",
    "timeout": "the time limit ended it before any plan",
    "error": "something broke; the message says what",
    "worker_died": "its worker died on it three times, twice with nothing else under way",
}

#: Aims that may decide among plans alike in value: those that are linear in a plan.
Tied = Literal["capex", "lowest_cash"]

#: Statuses of points that gave what was asked of them: a plan, or the proof that there is none.
SETTLED = frozenset({"solved", "best-found", "infeasible"})
#: Statuses that ``--retry`` may name.
RETRIABLE = ("error", "timeout", "worker_died", "best-found", "no-plan", "audit-failed", "invalid")


def canonical(value: Json) -> str:
    r"""Write JSON in its one form: keys in order, no blanks, floats as Python writes them.

    Examples
    --------
    >>> canonical({"b": 1.0, "a": [True, "é"]})
    '{"a":[true,"\\u00e9"],"b":1.0}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Json) -> str:
    """SHA-256 of the canonical form of a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@dataclass(frozen=True)
class Point:
    """One case of a sweep: what differs from the base.

    Attributes
    ----------
    number : int
        Its place in the design, from 0.
    settings : mapping of str to JSON
        What each axis was set to, by the name of the axis: a value, factor, delta or label.
    changes : mapping of str to JSON
        Effective value of every key that was changed, by its dotted key without wildcards.
    prices : mapping of str to str
        Price file of each site whose prices were replaced, by its name among the base's files.
    times : int
        How often the design has it: draws, or settings, that come to the same are one point.
    lends : bool
        Whether others begin from its plan, which is to come back with its row.
    """

    number: int
    settings: Mapping[str, Json]
    changes: Mapping[str, Json]
    prices: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    lends: bool = False

    def identity(self, version: str) -> str:
        """SHA-256 of what is asked: changes, and the version of base and engine.

        Its place in the design, how often that has it, the names of axes and whether others
        begin from it are no part of it.
        """
        return digest([version, dict(self.changes), dict(self.prices)])


@dataclass(frozen=True)
class Held:
    """What the base itself holds under the keys of the axes.

    Attributes
    ----------
    by_key : mapping of str to JSON
        Value by dotted key, in the form of :attr:`Point.changes` and in the order of the axes;
        None where it leaves a key open.
    prices : mapping of str to str
        Price file of each site that an axis prices, as the base names it.
    """

    by_key: Mapping[str, Json] = field(default_factory=dict)
    prices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lent:
    """A plan that a point lends to others, and what that point changes."""

    changes: Mapping[str, Json]
    plan: bytes


@dataclass(frozen=True)
class Base:
    """What all points of a sweep share.

    Attributes
    ----------
    files : mapping of str to bytes
        Files of the instance folder, and price files that points name.
    options : Options
        How each point is solved; the time limit is per point.
    memory_mb : int or None
        Memory that a worker may use.
    plan : mapping of str to bytes, optional
        Files of a plan that is evaluated in every case.
    start : mapping of Column to float, optional
        Plan of the base itself, from which points begin that are lent none.
    ties : {'capex', 'lowest_cash'}, optional
        What decides among plans alike in value; absent: whichever is found.
    lent : tuple of Lent
        Plans of some of the points, for the others to begin from
        (:mod:`optimizer.sweep.point.lent`).
    """

    files: Mapping[str, bytes]
    options: Options
    memory_mb: int | None = None
    plan: Mapping[str, bytes] | None = None
    start: Mapping[Column, float] | None = None
    ties: Tied | None = None
    lent: tuple[Lent, ...] = ()

    def version(self, engine: Mapping[str, str]) -> str:
        """SHA-256 of all that every answer hangs on: files, options and versions of the engine.

        Of files what they say counts, not their comments. The start is none of it: it follows
        from these. Nor is what points lend one another, which follows from the design too.
        """
        options = {key: str(value) for key, value in asdict(self.options).items()}
        hashes = {name: meaning(name, data) for name, data in self.files.items()}
        plan = {n: hashlib.sha256(data).hexdigest() for n, data in (self.plan or {}).items()}
        ties = [self.ties] if self.ties else []
        return digest([hashes, plan, options, self.memory_mb, dict(engine), *ties])


@dataclass(frozen=True)
class Row:
    """What came of one point.

    Attributes
    ----------
    number : int
        The point's place in the design.
    status : str
        See ``Status``.
    value_musd, bound_musd, gap : float or None
        Audited value of the plan, proven bound, and their relative distance.
    message : str
        Why there is no plan, or what is to be known about it; empty where all is well.
    metrics : mapping of str to JSON
        Main numbers of the plan by name, units in the names; empty without a plan.
    cpu_seconds : float
        Processor time of the point; not the same on every run.
    solver_seconds : float
        Part of it that HiGHS took.
    lent : bytes or None
        Its plan, where others begin from it.
    """

    number: int
    status: Status
    value_musd: float | None = None
    bound_musd: float | None = None
    gap: float | None = None
    message: str = ""
    metrics: Mapping[str, Json] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    solver_seconds: float = 0.0
    lent: bytes | None = None


class Evaluate(Protocol):
    """What a worker does with a point; never raises for what is the point's own fault."""

    def __call__(self, point: Point) -> Row:
        """Solve one case and audit it."""


@runtime_checkable
class Borrows(Evaluate, Protocol):
    """An evaluator that keeps what it has worked out when it is lent something."""

    def borrow(self, lent: tuple[Lent, ...]) -> None:
        """Have all points that follow begin from plans that are lent."""


class MakeEvaluate(Protocol):
    """How a worker gets ready, once: importable by name, so that it can be shipped."""

    def __call__(self, base: Base) -> Evaluate:
        """Read the base and return what evaluates its points."""


def rows_of(evaluate: Evaluate, points: Sequence[Point]) -> list[Row]:
    """Evaluate points one after another; what breaks one point is told in its row."""
    rows: list[Row] = []
    for point in points:
        try:
            rows.append(evaluate(point))
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            rows.append(Row(point.number, "error", message=told))
    return rows
