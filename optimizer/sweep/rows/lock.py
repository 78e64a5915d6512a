"""One writer a sweep: a lock of the operating system, which ends with the process that has it.

The lock lies on a file beside the database. That file stays: taking it away would let two
processes lock two files of one name. What is written in it only says who holds the lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from pathlib import Path

from optimizer.sweep.rows.refusal import SweepRefused, told_plainly
from optimizer.write import is_alive

#: What a system says where another process has the lock.
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class Lock:
    """The right to write a sweep, from here until :meth:`release` or the end of the process.

    Parameters
    ----------
    path : Path
        The database.

    Raises
    ------
    SweepRefused
        Where another process has it, or the file system knows no locks.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.with_name(path.name + ".lock")
        with told_plainly(path):
            self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(self._handle)
        except OSError as error:
            holder = os.pread(self._handle, 200, 0) if hasattr(os, "pread") else b""
            os.close(self._handle)
            raise SweepRefused(_refusal(path, error, holder)) from error
        # A full disk must not keep anybody from reading and continuing what is there.
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, 0)
            os.write(self._handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def release(self) -> None:
        """Give the right back."""
        if self._handle >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1


def holder(path: Path) -> str | None:
    """Say which process writes a sweep; None where none does, as far as this machine can tell."""
    try:
        told = path.with_name(path.name + ".lock").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    words = told.split()
    if len(words) != 4 or not words[1].isdigit():
        return None
    if words[3] == socket.gethostname() and not is_alive(int(words[1])):
        return None
    return told


def _refusal(path: Path, error: OSError, holder: bytes) -> str:
    if error.errno not in _TAKEN:
        return f"{path.parent} knows no file locks ({error.strerror}); keep the sweep elsewhere"
    who = holder.decode(errors="replace").strip() or "another process"
    return f"{path} is being written by {who}; wait for it, or stop it"


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
