"""What the store keeps, as objects and as values of its tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from optimizer.highs import Options
from optimizer.sweep.points import Json, Point, Row, Tied
from optimizer.sweep.rows.texts import text_of

#: A point, in the order of ``point_of``.
POINT = "p.number, p.settings, p.changes, p.prices, p.times"
#: Whether a point lends others its plan.
LENDS = "EXISTS (SELECT 1 FROM lenders l WHERE l.version = p.version AND l.id = p.id)"
#: One point of a version with what came of it, in the order of ``entry_of``.
ENTRIES = f"""
    SELECT {POINT}, p.id, r.status, r.value_musd, r.bound_musd, r.gap, r.message, r.metrics,
        r.cpu_seconds, r.solver_seconds, r.worker, r.attempts, r.finished
    FROM points p LEFT JOIN rows r ON r.id = p.id
    WHERE p.version = ?"""


@dataclass(frozen=True)
class Version:
    """What all answers of one kind hang on; ``files`` and ``plan`` are SHA-256 by name."""

    number: int
    digest: str
    created: str
    software: Mapping[str, str]
    options: Options
    memory_mb: int | None
    files: Mapping[str, str]
    plan: Mapping[str, str]
    ties: Tied | None = None


@dataclass(frozen=True)
class Spec:
    """What was asked for: name and text of the sweep file."""

    name: str
    text: str


@dataclass(frozen=True)
class Done:
    """A point that was computed, by whom, and at the how manieth try."""

    point: Point
    row: Row
    worker: str = ""
    attempts: int = 1


@dataclass(frozen=True)
class Entry:
    """A point as it is stored.

    Attributes
    ----------
    point : Point
        What is changed.
    identity : str
        SHA-256 of what its answer hangs on: the changes, the base, options, and the engine.
    row : Row or None
        Missing while nothing has come of it.
    worker : str
        Machine and process that computed it.
    attempts : int
        How often it was begun, over all runs.
    finished : str
        When its row was stored, in UTC.
    """

    point: Point
    identity: str
    row: Row | None
    worker: str
    attempts: int
    finished: str


def pending_query(
    version: Version, retry: Iterable[str], *, lend: bool | None = None
) -> tuple[str, tuple[Any, ...]]:
    """Write what picks the points that are to be computed, and what is put in it.

    Of all points, or of those alone that lend their plans, or do not.
    """
    again = tuple(retry)
    query = (
        "FROM points p LEFT JOIN rows r ON r.id = p.id WHERE p.version = ? "
        f"AND (r.id IS NULL OR r.status IN ({','.join('?' * len(again))})) "
        f"AND coalesce(?, {LENDS}) = {LENDS} "
        "AND p.number = (SELECT min(q.number) FROM points q "
        "WHERE q.version = p.version AND q.id = p.id)"
    )
    return query, (version.number, *again, lend)


def point_of(found: tuple[Any, ...], *, lends: bool = False) -> Point:
    """Read a point."""
    settings, changes, prices = map(json.loads, found[1:4])
    return Point(found[0], settings, changes, prices, found[4], lends)


def entry_of(found: tuple[Any, ...]) -> Entry:
    """Read a point with its row."""
    point, (identity, status, *numbers, worker, attempts, finished) = (
        point_of(found[:5]), found[5:],
    )  # fmt: skip
    row = None
    if status is not None:
        value, bound, gap, message, metrics, cpu, solver = numbers
        told: Mapping[str, Json] = json.loads(metrics)
        row = Row(point.number, status, value, bound, gap, message, told, cpu, solver)
    return Entry(point, identity, row, worker or "", attempts or 0, finished or "")


def row_values(version: Version, done: Done) -> tuple[Any, ...]:
    """Write a row down; one that cannot be is told as the error it is, and stops nothing."""
    row = done.row
    try:
        metrics = text_of(row.metrics)
    except (TypeError, ValueError) as error:
        row = Row(row.number, "error", message=f"its metrics cannot be stored: {error}")
        metrics = "{}"
    return (
        done.point.identity(version.digest), version.number, row.status,
        _finite(row.value_musd), _finite(row.bound_musd), _finite(row.gap),
        _storable(row.message), _storable(metrics),
        row.cpu_seconds, row.solver_seconds, done.worker, done.attempts, now(),
    )  # fmt: skip


def _finite(value: float | None) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and abs(number) < float("inf") else None


def _storable(text: str) -> str:
    """Replace halves of characters, which a file name may hold and no database takes."""
    return text.encode("utf-8", "replace").decode()


def now() -> str:
    """Tell the time, as the store keeps it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
