"""Why a sweep is refused or cannot go on, in one sentence each."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from optimizer.errors import RackwattError

#: Result codes of SQLite, by what they are called in its manual; Python names them from 3.11 on.
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_KEPT = "every row that was counted as done is kept; run the same command again"

_SAID = {
    sqlite3.SQLITE_FULL: "the disk of {path} is full; free some space: " + _KEPT,
    sqlite3.SQLITE_IOERR: "the disk of {path} fails, or is full ({error}): " + _KEPT,
    sqlite3.SQLITE_READONLY: "{path} may not be written; change its rights, or copy it elsewhere",
    sqlite3.SQLITE_PERM: "{path} may not be opened; change its rights",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened, or its folder may not be written",
    sqlite3.SQLITE_NOTADB: "{path} is no sweep: not a database at all; name another file",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged ({error}); bring it back from a copy",
}


class SweepRefused(RackwattError):
    """A sweep that is not begun, or cannot go on; what is stored already is left as it is."""

    exit_code: ClassVar[int] = 3


@contextmanager
def told_plainly(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk say about a file into one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise SweepRefused(_said(path, error)) from error
    except OSError as error:
        if error.errno not in (*_FULL, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO):
            raise
        raise SweepRefused(_said_of_disk(path, error)) from error


def _said(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return f"{path} is held by another program; close it, and run the same command again"
    told = _SAID.get(code, "the database {path} cannot be used: {error}")
    return told.format(path=path, error=error)


def _said_of_disk(path: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return _SAID[sqlite3.SQLITE_FULL].format(path=path)
    if error.errno == errno.EIO:
        return _SAID[sqlite3.SQLITE_IOERR].format(path=path, error=error.strerror)
    return f"nothing may be written in {path.parent}; change its rights, or name another place"
