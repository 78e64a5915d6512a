"""The result store: what was asked, what it hangs on, and one row for every point that is done.

Only the process that runs a sweep writes it, through :meth:`Store.open`, and only one may.
Anybody may look meanwhile, through :meth:`Store.read`. The inputs are kept too, so that a point
can be solved again when the folder that it came from has changed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from optimizer.sweep.points import Base, Held, Lent, Point
from optimizer.sweep.rows import database
from optimizer.sweep.rows.lock import Lock
from optimizer.sweep.rows.records import (
    ENTRIES,
    POINT,
    Done,
    Entry,
    Spec,
    Version,
    entry_of,
    now,
    pending_query,
    point_of,
    row_values,
)  # fmt: skip
from optimizer.sweep.rows.refusal import SweepRefused, told_plainly
from optimizer.sweep.rows.texts import options_of, options_text, start_of, start_text, text_of

#: How many points or rows are handled at a time.
BLOCK = 500


class Store(AbstractContextManager["Store"]):
    """A sweep on disk; opened by :meth:`open` or :meth:`read`.

    Attributes
    ----------
    path : Path
        The database.
    """

    def __init__(self, path: Path, held: sqlite3.Connection, lock: Lock | None = None) -> None:
        self.path = path
        self._database = held
        self._lock = lock

    # --- opening ---------------------------------------------------------------------------

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a sweep as the one that writes it; it is made where there is none.

        Raises
        ------
        SweepRefused
            Where another process writes it, the file is no sweep, or it cannot be written.
        """
        with told_plainly(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size:
                database.to_read(path).close()
        lock = Lock(path)
        try:
            return cls(path, database.to_write(path), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def read(cls, path: Path) -> Store:
        """Open a sweep to look at it, also while another process writes it.

        Raises
        ------
        SweepRefused
            Where there is none, or it cannot be read.
        """
        return cls(path, database.to_read(path))

    def close(self) -> None:
        """Close it, and let others write."""
        if self._lock is None:
            self._database.close()
        else:
            database.closed(self._database)
            self._lock.release()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- versions --------------------------------------------------------------------------

    def current(self) -> Version | None:
        """Version that the sweep stands at, or None before its first run."""
        found = self._one("SELECT version FROM sweep ORDER BY number DESC LIMIT 1")
        return None if found is None else self.version(found[0])

    def spec(self, version: int | None = None) -> Spec | None:
        """Sweep file that the sweep stands at, or that a version of it was last run with."""
        found = self._one(
            "SELECT name, spec FROM sweep WHERE version = coalesce(?, version) "
            "ORDER BY number DESC LIMIT 1", version,
        )  # fmt: skip
        return None if found is None else Spec(*found)

    def versions(self) -> list[Version]:
        """All versions, by number."""
        return [self.version(n) for (n,) in self.ask("SELECT number FROM versions ORDER BY 1")]

    def version(self, number: int | None = None) -> Version:
        """One version by number; the current one without.

        Raises
        ------
        SweepRefused
            Where there is no such version.
        """
        if number is None:
            found = self.current()
            if found is None:
                raise SweepRefused(f"{self.path} holds no run yet")
            return found
        row = self._one(
            "SELECT number, digest, created, software, options, memory_mb, ties FROM versions "
            "WHERE number = ?", number,
        )  # fmt: skip
        if row is None:
            raise SweepRefused(f"{self.path} has no version {number}")
        files, plan = (dict(self._files(number, role)) for role in ("base", "plan"))
        options, engine = options_of(row[4]), json.loads(row[3])
        return Version(row[0], row[1], row[2], engine, options, row[5], files, plan, row[6])

    def find(self, digest: str) -> Version | None:
        """Version of a digest, where it was run before."""
        found = self._one("SELECT number FROM versions WHERE digest = ?", digest)
        return None if found is None else self.version(found[0])

    def base(self, number: int | None = None) -> Base:
        """What a version was computed from, as it was then, with the plan it began from."""
        version = self.version(number)
        found = self._one("SELECT start FROM versions WHERE number = ?", version.number)
        plan = {name: self._content(sha) for name, sha in version.plan.items()}
        return Base(
            files={name: self._content(sha) for name, sha in version.files.items()},
            options=version.options,
            memory_mb=version.memory_mb,
            plan=plan or None,
            start=start_of(found[0]) if found else None,
            ties=version.ties,
        )

    def add(self, base: Base, engine: Mapping[str, str]) -> Version:
        """Keep a version with all its inputs; the one there is where it was kept before."""
        digest = base.version(engine)
        with told_plainly(self.path), database.transaction(self._database):
            known = self.find(digest)
            if known is not None:
                return known
            kept = self._database.execute(
                "INSERT INTO versions (digest, created, software, options, memory_mb, start, "
                "ties) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (digest, now(), text_of(dict(engine)), options_text(base.options),
                 base.memory_mb, start_text(base.start), base.ties),
            )  # fmt: skip
            for role, files in (("base", base.files), ("plan", base.plan or {})):
                self._keep(kept.lastrowid or 0, role, files)
        return self.version(kept.lastrowid)

    def turn_to(self, spec: Spec, version: int) -> None:
        """Have the sweep stand at a sweep file and a version, from now on."""
        last = self._one("SELECT name, spec, version FROM sweep ORDER BY number DESC LIMIT 1")
        if last == (spec.name, spec.text, version):
            return
        digest = hashlib.sha256(spec.text.encode()).hexdigest()
        with told_plainly(self.path), database.transaction(self._database):
            self._database.execute(
                "INSERT INTO sweep (name, spec, digest, version, created) VALUES (?, ?, ?, ?, ?)",
                (spec.name, spec.text, digest, version, now()),
            )

    def _keep(self, version: int, role: str, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            sha = hashlib.sha256(data).hexdigest()
            self._database.execute(
                "INSERT OR IGNORE INTO contents VALUES (?, ?)", (sha, zlib.compress(data))
            )
            self._database.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?)", (version, role, name, sha)
            )

    def _files(self, version: int, role: str) -> list[tuple[str, str]]:
        asked = "SELECT name, sha256 FROM files WHERE version = ? AND role = ? ORDER BY name"
        return [(name, sha) for name, sha in self.ask(asked, version, role)]

    def _content(self, sha: str) -> bytes:
        found = self._one("SELECT data FROM contents WHERE sha256 = ?", sha)
        if found is None:
            raise SweepRefused(f"{self.path} is damaged: a file of its base is missing")
        return zlib.decompress(found[0])

    # --- points and rows -------------------------------------------------------------------

    def design(
        self, version: Version, points: Iterable[Point], held: Held | None = None
    ) -> int:  # fmt: skip
        """Have a version consist of these points; rows of others are kept, but not shown.

        Parameters
        ----------
        version : Version
            Which one.
        points : iterable of Point
            In any order.
        held : Held, optional
            What its base holds where they change it.

        Returns
        -------
        int
            How many points there are.
        """
        seen: set[int] = set()
        left = iter(points)
        with told_plainly(self.path), database.transaction(self._database):
            while block := list(islice(left, BLOCK)):
                for point in block:
                    if point.number in seen:
                        raise ValueError(f"two points are number {point.number}")
                    seen.add(point.number)
                self._put(version, block)
            asked = "SELECT number FROM points WHERE version = ?"
            gone = [(version.number, n) for (n,) in self.ask(asked, version.number)]
            self._database.executemany(
                "DELETE FROM points WHERE version = ? AND number = ?",
                [key for key in gone if key[1] not in seen],
            )
            self._hold(version, held or Held())
        return len(seen)

    def _hold(self, version: Version, held: Held) -> None:
        """Write what the base holds, where that is not there yet."""
        wanted = (version.number, text_of(held.by_key), text_of(held.prices))
        if self._one("SELECT * FROM held WHERE version = ?", version.number) != wanted:
            self._database.execute("INSERT OR REPLACE INTO held VALUES (?, ?, ?)", wanted)

    def held(self, version: Version) -> Held:
        """What the base of a version holds where its points change it, as far as it is known."""
        found = self._one("SELECT keys, prices FROM held WHERE version = ?", version.number)
        return Held() if found is None else Held(*map(json.loads, found))

    def _put(self, version: Version, points: list[Point]) -> None:
        """Write the points that are new or differ: a design that is run again costs no writing."""
        wanted = {
            p.number: (version.number, p.number, p.identity(version.digest),
                       text_of(p.settings), text_of(p.changes), text_of(p.prices), p.times)
            for p in points
        }  # fmt: skip
        marks = ",".join("?" * len(wanted))
        asked = f"SELECT * FROM points WHERE version = ? AND number IN ({marks})"
        there = {found[1]: found for found in self.ask(asked, version.number, *wanted)}
        self._database.executemany(
            "INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?, ?)",
            [row for number, row in wanted.items() if there.get(number) != row],
        )

    def choose_lenders(self, version: Version, most: int) -> None:
        """Choose points, of those without a row, whose plans all others begin from.

        Which ones follows from what they change. They are chosen once: anew only while none of
        them has a row.

        Parameters
        ----------
        version : Version
            Which one.
        most : int
            How many.
        """
        begun = (
            "SELECT EXISTS (SELECT 1 FROM lenders l JOIN rows r ON r.id = l.id "
            "WHERE l.version = ?1) OR EXISTS (SELECT 1 FROM lenders "
            "WHERE version = ?1 AND plan IS NOT NULL)"
        )
        asked, given = pending_query(version, ())
        with told_plainly(self.path), database.transaction(self._database):
            if self.ask(begun, version.number) == [(1,)]:
                return
            self._database.execute("DELETE FROM lenders WHERE version = ?", (version.number,))
            self._database.execute(
                f"INSERT INTO lenders SELECT p.version, p.id, p.changes, NULL {asked} "
                "ORDER BY p.id LIMIT ?", (*given, most),
            )  # fmt: skip

    def close_lending(self, version: Version) -> tuple[Lent, ...]:
        """Give what is lent, from now on the same: who has no plan by now lends none.

        It comes in an order that follows from what points change.
        """
        with told_plainly(self.path), database.transaction(self._database):
            self._database.execute(
                "UPDATE lenders SET plan = ? WHERE version = ? AND plan IS NULL",
                (b"", version.number),
            )
        asked = "SELECT changes, plan FROM lenders WHERE version = ? AND plan != ? ORDER BY id"
        found = self.ask(asked, version.number, b"")
        return tuple(Lent(json.loads(changes), plan) for changes, plan in found)

    def pending(
        self,
        version: Version,
        retry: Iterable[str] = (),
        *,
        lend: bool | None = None,
        backwards: bool = False,
    ) -> Iterator[Point]:
        """Give the points that are to be computed, in the order of their numbers.

        Those of one identity come once. Rows may be recorded meanwhile.

        Parameters
        ----------
        version : Version
            Which one.
        retry : iterable of str
            Statuses that are tried again.
        lend : bool, optional
            Only those whose plans others begin from, or only these others.
        backwards : bool
            From the last number to the first.
        """
        asked, given = pending_query(version, retry, lend=lend)
        beyond, order = ("<", "DESC") if backwards else (">", "ASC")
        last = 1 << 60 if backwards else -1
        select = f"SELECT {POINT} {asked}"
        while True:
            found = self.ask(
                f"{select} AND p.number {beyond} ? ORDER BY p.number {order} LIMIT {BLOCK}",
                *given, last,
            )  # fmt: skip
            if not found:
                return
            yield from (point_of(row, lends=lend is True) for row in found)
            last = found[-1][0]

    def count_pending(
        self, version: Version, retry: Iterable[str] = (), *, lend: bool | None = None
    ) -> int:
        """How many points are to be computed."""
        asked, given = pending_query(version, retry, lend=lend)
        return int(self.ask(f"SELECT count(*) {asked}", *given)[0][0])

    def record(self, version: Version, done: Iterable[Done]) -> None:
        """Commit rows; when this returns, they outlive whatever dies.

        A row that is there already is replaced by what came of trying again.

        Raises
        ------
        SweepRefused
            Where the disk is full or fails; none of these rows is stored then.
        """
        done = list(done)
        rows = [row_values(version, one) for one in done]
        lent = [
            (one.row.lent, version.number, row[0])
            for one, row in zip(done, rows, strict=True)
            if one.row.lent is not None
        ]
        with told_plainly(self.path), database.transaction(self._database):
            self._database.executemany(
                f"INSERT INTO rows VALUES ({','.join('?' * 13)}) ON CONFLICT (id) DO UPDATE SET "
                "status = excluded.status, value_musd = excluded.value_musd, "
                "bound_musd = excluded.bound_musd, gap = excluded.gap, "
                "message = excluded.message, metrics = excluded.metrics, "
                "cpu_seconds = excluded.cpu_seconds, solver_seconds = excluded.solver_seconds, "
                "worker = excluded.worker, attempts = attempts + excluded.attempts, "
                "finished = excluded.finished",
                rows,
            )
            self._database.executemany(
                "UPDATE lenders SET plan = ? WHERE version = ? AND id = ? AND plan IS NULL", lent
            )

    def counts(self, version: Version) -> dict[str, int]:
        """How many points came to which status."""
        asked = (
            "SELECT r.status, count(*) FROM points p JOIN rows r ON r.id = p.id "
            "WHERE p.version = ? GROUP BY r.status ORDER BY r.status"
        )
        return dict(self.ask(asked, version.number))

    def total(self, version: Version) -> int:
        """How many points the design of a version has."""
        asked = "SELECT count(*) FROM points WHERE version = ?"
        return int(self.ask(asked, version.number)[0][0])

    def draws(self, version: Version) -> int:
        """How many cases the design of a version has where those that come alike count apart."""
        asked = "SELECT coalesce(sum(times), 0) FROM points WHERE version = ?"
        return int(self.ask(asked, version.number)[0][0])

    def left_out(self, version: Version) -> int:
        """How many rows belong to points that the design no longer has."""
        asked = (
            "SELECT count(*) FROM rows r WHERE r.version = ? AND NOT EXISTS "
            "(SELECT 1 FROM points p WHERE p.version = r.version AND p.id = r.id)"
        )
        return int(self.ask(asked, version.number)[0][0])

    def entries(self, version: Version) -> Iterator[Entry]:
        """Give every point of the design with its row, by number, a block at a time."""
        last = -1
        while True:
            asked = f"{ENTRIES} AND p.number > ? ORDER BY p.number LIMIT {BLOCK}"
            found = self.ask(asked, version.number, last)
            if not found:
                return
            yield from map(entry_of, found)
            last = found[-1][0]

    def matching(self, version: Version, start: str) -> list[Entry]:
        """Give the points whose identity starts so; more than one where it is too short."""
        asked = f"{ENTRIES} AND p.id >= ? AND p.id < ? ORDER BY p.number"
        return [entry_of(e) for e in self.ask(asked, version.number, start, start + "g")]

    def numbered(self, version: Version, number: int) -> Entry | None:
        """Give the point of a number."""
        found = self._one(f"{ENTRIES} AND p.number = ?", version.number, number)
        return None if found is None else entry_of(found)

    def snapshot(self) -> AbstractContextManager[None]:
        """Have all that is read inside be of one instant; inside another one, of that of it."""
        if self._database.in_transaction:
            return nullcontext()
        return database.transaction(self._database, "DEFERRED")

    # --- asking ----------------------------------------------------------------------------

    def ask(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        """Put a question to the database, in its own language."""
        with told_plainly(self.path):
            return self._database.execute(query, given).fetchall()

    def _one(self, query: str, *given: Any) -> tuple[Any, ...] | None:
        found = self.ask(query, *given)
        return found[0] if found else None
