"""Short answers about a sweep, asked of the store without reading it as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from optimizer.sweep.points import SETTLED, Json
from optimizer.sweep.rows.records import ENTRIES, Entry, Version, entry_of
from optimizer.sweep.rows.store import Store

#: How many of the last rows say how fast a sweep is.
LATELY = 200
#: How many of the cases that failed alike are named.
FEW = 5


def answered(store: Store, version: Version) -> dict[str, str]:
    """Give the status of every row of a version, by the identity of its point."""
    return dict(store.ask("SELECT id, status FROM rows WHERE version = ?", version.number))


def seconds_each(store: Store, version: Version) -> float | None:
    """Processor time that a case took so far, on average."""
    asked = "SELECT avg(cpu_seconds) FROM rows WHERE version = ? AND cpu_seconds > 0"
    [(seconds,)] = store.ask(asked, version.number)
    return None if seconds is None else float(seconds)


def ends(store: Store, version: Version) -> tuple[Entry, Entry] | None:
    """The case of the highest value and that of the lowest; None before there is a plan."""
    found = [
        [entry_of(one) for one in store.ask(
            f"{ENTRIES} AND r.value_musd IS NOT NULL AND r.status != 'audit-failed' "
            f"ORDER BY r.value_musd {order}, p.number LIMIT 1", version.number)]
        for order in ("DESC", "ASC")
    ]  # fmt: skip
    return (found[0][0], found[1][0]) if all(found) else None


@dataclass(frozen=True)
class Failure:
    """Why cases gave neither a plan nor the proof that there is none.

    Attributes
    ----------
    status, message : str
        What all of them say.
    cases : int
        How many there are.
    first : tuple of Entry
        The first few of them.
    """

    status: str
    message: str
    cases: int
    first: tuple[Entry, ...]


def failing(store: Store, version: Version, most: int) -> list[Failure]:
    """Why cases failed, each reason once, in the order of the first case that has it."""
    marks = ",".join("?" * len(SETTLED))
    asked = (
        "SELECT r.status, r.message, count(*) FROM points p JOIN rows r ON r.id = p.id "
        f"WHERE p.version = ? AND r.status NOT IN ({marks}) GROUP BY r.status, r.message "
        f"ORDER BY min(p.number) LIMIT {most}"
    )
    each = f"{ENTRIES} AND r.status = ? AND r.message = ? ORDER BY p.number LIMIT {FEW}"
    return [
        Failure(status, message, cases,
                tuple(map(entry_of, store.ask(each, version.number, status, message))))
        for status, message, cases in store.ask(asked, version.number, *sorted(SETTLED))
    ]  # fmt: skip


def verdicts(store: Store, version: Version, metric: str) -> dict[str, int]:
    """How many cases have which word under a metric."""
    asked = (
        "SELECT json_extract(r.metrics, ?) AS verdict, count(*) FROM points p "
        "JOIN rows r ON r.id = p.id WHERE p.version = ? AND verdict IS NOT NULL GROUP BY verdict"
    )
    return dict(store.ask(asked, f'$."{metric}"', version.number))


def most(store: Store, version: Version, metric: str) -> tuple[int, Json] | None:
    """Number of the case of which a metric is largest, and how large it is there."""
    asked = (
        "SELECT p.number, json_extract(r.metrics, ?) AS found FROM points p "
        "JOIN rows r ON r.id = p.id WHERE p.version = ? AND found IS NOT NULL "
        "ORDER BY found DESC, p.number LIMIT 1"
    )
    found = store.ask(asked, f'$."{metric}"', version.number)
    return found[0] if found else None


def widest(store: Store, version: Version) -> tuple[int, float] | None:
    """Case whose search a limit ended farthest from its bound, and the gap; None without one."""
    asked = (
        "SELECT p.number, r.gap FROM points p JOIN rows r ON r.id = p.id "
        "WHERE p.version = ? AND r.status = 'best-found' AND r.gap IS NOT NULL "
        "ORDER BY r.gap DESC, p.number LIMIT 1"
    )
    found = store.ask(asked, version.number)
    return found[0] if found else None


def rate(store: Store, version: Version) -> float | None:
    """Cases a second over the last rows; None before there are two."""
    asked = "SELECT finished FROM rows WHERE version = ? ORDER BY finished DESC LIMIT ?"
    return rate_of([when for (when,) in store.ask(asked, version.number, LATELY)])


def rate_of(finished: Sequence[str]) -> float | None:
    """Cases a second, from the times at which some ended, the last one first.

    Examples
    --------
    >>> rate_of(["2026-01-01T00:00:10+00:00", "2026-01-01T00:00:05+00:00"])
    0.2
    >>> rate_of(["2026-01-01T00:00:10+00:00"]) is None
    True
    """
    if len(finished) < 2:
        return None
    last, first = (datetime.fromisoformat(finished[place]) for place in (0, -1))
    seconds = (last - first).total_seconds()
    return (len(finished) - 1) / seconds if seconds > 0 else None
