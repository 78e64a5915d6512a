"""The file that a sweep is kept in: an SQLite database, how it is opened and what it holds.

Journal and syncing are set so that a row that was committed outlives a kill and, by the word of
SQLite, a power cut: WAL with ``synchronous=FULL``, and a rollback journal on network file systems,
where WAL is not to be had. When the writer closes, the database is one plain file again, which can
be copied and read from a medium that cannot be written.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from optimizer.sweep.rows.refusal import SweepRefused, told_plainly

#: Marks the file as ours, "rwsw".
APPLICATION = 0x72777377
#: Version of the tables below; a program reads no newer ones, and older ones as they would be now.
FORMAT = 3
#: Seconds to wait for others that read or write.
PATIENCE = 60.0

#: File systems that several machines see, on which WAL is not safe.
NETWORKED = (
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "gpfs",
    "lustre", "ncpfs", "nfs", "nfs4", "pvfs2", "smb3", "smbfs", "wekafs",
)  # fmt: skip

TABLES = (
    # What was asked for, whenever that changed; the last one holds.
    """CREATE TABLE sweep (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, spec TEXT NOT NULL,
        digest TEXT NOT NULL, version INTEGER NOT NULL, created TEXT NOT NULL)""",
    # What all answers of one kind hang on.
    """CREATE TABLE versions (
        number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, created TEXT NOT NULL,
        software TEXT NOT NULL, options TEXT NOT NULL, memory_mb INTEGER, start TEXT,
        ties TEXT)""",
    "CREATE TABLE contents (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE files (
        version INTEGER NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
        PRIMARY KEY (version, role, name)) WITHOUT ROWID""",
    # The design: which points a version has now. Two that change the same share one row.
    """CREATE TABLE points (
        version INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL,
        settings TEXT NOT NULL, changes TEXT NOT NULL, prices TEXT NOT NULL,
        times INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (version, number)) WITHOUT ROWID""",
    "CREATE INDEX points_by_id ON points (version, id)",
    # What the base of a version holds where its points change it.
    """CREATE TABLE held (
        version INTEGER PRIMARY KEY, keys TEXT NOT NULL, prices TEXT NOT NULL)""",
    # Points that others begin from, and their plans once they have one.
    """CREATE TABLE lenders (
        version INTEGER NOT NULL, id TEXT NOT NULL, changes TEXT NOT NULL, plan BLOB,
        PRIMARY KEY (version, id)) WITHOUT ROWID""",
    # What came of them.
    """CREATE TABLE rows (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL, value_musd REAL,
        bound_musd REAL, gap REAL, message TEXT NOT NULL, metrics TEXT NOT NULL,
        cpu_seconds REAL, solver_seconds REAL, worker TEXT NOT NULL, attempts INTEGER NOT NULL,
        finished TEXT NOT NULL) WITHOUT ROWID""",
)
#: What turns tables of the version before into those of a version.
STEPS: Mapping[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE points ADD COLUMN times INTEGER NOT NULL DEFAULT 1",
        "CREATE TABLE held (version INTEGER PRIMARY KEY, keys TEXT NOT NULL, "
        "prices TEXT NOT NULL)",
    ),
    3: (
        "CREATE TABLE lenders (version INTEGER NOT NULL, id TEXT NOT NULL, "
        "changes TEXT NOT NULL, plan BLOB, PRIMARY KEY (version, id)) WITHOUT ROWID",
    ),
}
#: The same for one who may only read: tables that stand before the older ones.
OVERLAYS: Mapping[int, tuple[str, ...]] = {
    2: (
        "CREATE TEMP VIEW points AS SELECT version, number, id, settings, changes, prices, "
        "1 AS times FROM main.points",
        "CREATE TEMP TABLE held (version INTEGER PRIMARY KEY, keys TEXT, prices TEXT)",
    ),
    3: ("CREATE TEMP TABLE lenders (version INTEGER, id TEXT, changes TEXT, plan BLOB)",),
}


def to_write(path: Path) -> sqlite3.Connection:
    """Open a sweep to write it; it is made where there is none.

    Raises
    ------
    SweepRefused
        Where the file is no sweep of ours, of a newer program, or cannot be written.
    """
    with told_plainly(path):
        database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        try:
            _expect_ours(path, database, empty=True)
            _make(database)
            # A rollback journal stands for a moment at first: only a file of ours becomes WAL.
            mode = "DELETE" if networked(path) else "WAL"
            database.execute(f"PRAGMA journal_mode={mode}").fetchone()
            database.execute("PRAGMA synchronous=FULL")
            _expect_writable(database)
        except BaseException:
            database.close()
            raise
    return database


def to_read(path: Path) -> sqlite3.Connection:
    """Open a sweep to look at it, also while it is written, and where nothing may be written.

    Raises
    ------
    SweepRefused
        Where there is none, or it is of a newer program.
    """
    if not path.is_file():
        raise SweepRefused(f"there is no sweep {path}")
    with told_plainly(path):
        database = _reading(path, "mode=ro")
        try:
            _expect_ours(path, database, empty=False)
        except sqlite3.OperationalError:
            database.close()
            if path.with_name(path.name + "-wal").exists():
                raise
            # Nobody writes it and nobody can: SQLite need not keep an eye on others.
            database = _reading(path, "immutable=1")
            _expect_ours(path, database, empty=False)
        except BaseException:
            database.close()
            raise
        _overlay(database)
    return database


def _reading(path: Path, how: str) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?{how}"
    return sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)


def closed(database: sqlite3.Connection) -> None:
    """Close what was opened to write, as one file where nobody else reads just then."""
    with contextlib.suppress(sqlite3.Error):
        database.execute("PRAGMA busy_timeout=0")
        database.execute("PRAGMA journal_mode=DELETE").fetchone()
    database.close()


@contextmanager
def transaction(database: sqlite3.Connection, how: str = "IMMEDIATE") -> Iterator[None]:
    """Have all that is written inside stand, or nothing of it."""
    database.execute(f"BEGIN {how}")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        # Where the disk is full, SQLite may have rolled back already.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _make(database: sqlite3.Connection) -> None:
    with transaction(database):
        if _number(database, "PRAGMA application_id") == APPLICATION:
            steps = [step for version in _lacking(database) for step in STEPS[version]]
        else:
            steps = [*TABLES, f"PRAGMA application_id={APPLICATION}"]
        for step in steps:
            database.execute(step)
        database.execute(f"PRAGMA user_version={FORMAT}")


def _overlay(database: sqlite3.Connection) -> None:
    """Have tables of an older version read as they would be now."""
    lacking = _lacking(database)
    if lacking:
        database.execute("PRAGMA temp_store=MEMORY")
    for version in lacking:
        for overlay in OVERLAYS[version]:
            database.execute(overlay)


def _lacking(database: sqlite3.Connection) -> range:
    """Versions that its tables have not come to yet."""
    return range(_number(database, "PRAGMA user_version") + 1, FORMAT + 1)


def _expect_ours(path: Path, database: sqlite3.Connection, *, empty: bool) -> None:
    """Refuse what is not ours before anything is written to it."""
    if not _number(database, "SELECT count(*) FROM sqlite_master"):
        if empty:
            return
        raise SweepRefused(f"the sweep in {path} has not begun yet: the file is empty so far")
    if _number(database, "PRAGMA application_id") != APPLICATION:
        raise SweepRefused(f"{path} is no sweep: a database of another program; name another")
    found = _number(database, "PRAGMA user_version")
    if found > FORMAT:
        raise SweepRefused(
            f"{path} was written by a newer rackwatt (format {found}; this one reads up to "
            f"{FORMAT}); update rackwatt"
        )


def _expect_writable(database: sqlite3.Connection) -> None:
    """Find out before hours of solving whether a row could be written."""
    with transaction(database):
        database.execute(f"PRAGMA user_version={FORMAT}")


def _number(database: sqlite3.Connection, query: str) -> int:
    found = database.execute(query).fetchone()
    return int(found[0])


def networked(path: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether a file lies on a file system of several machines, as far as Linux tells."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    kinds = {
        fields[1].encode().decode("unicode_escape"): fields[2]
        for fields in map(str.split, lines)
        if len(fields) > 2
    }
    folder = path.resolve()
    kind = next((kinds[str(up)] for up in folder.parents if str(up) in kinds), "")
    return kind in NETWORKED
