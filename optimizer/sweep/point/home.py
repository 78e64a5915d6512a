"""Folders for the files of a base: gone with their process, or cleared away by the next one.

A worker that is killed cannot clear up after itself. Its folder is known by a lock of the
operating system, which ends with whatever process holds it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path

#: Beginning of the names of such folders.
PREFIX = "rackwatt-sweep-"
#: File in such a folder on which its lock lies.
LOCK = "lock"


class Home:
    """A folder that holds some files for as long as this object lives.

    Parameters
    ----------
    files : mapping of str to bytes
        Contents by name, slashes in names for folders.

    Attributes
    ----------
    path : Path
        The folder.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        clear_left_behind()
        top, lock = _made()
        weakref.finalize(self, _remove, top, lock)
        self.path = top / "instance"
        self.path.mkdir()
        for name, data in files.items():
            self.put(name, data)

    def put(self, name: str, data: bytes) -> Path:
        """Write a file, and give its path."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


def clear_left_behind() -> None:
    """Remove the folders of processes that are no more."""
    if sys.platform == "win32":
        return
    for top in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # Others' folders, and those that vanish meanwhile, are left to others.
        with contextlib.suppress(OSError):
            handle = os.open(top / LOCK, os.O_RDWR)
            try:
                _lock(handle)
                shutil.rmtree(top, ignore_errors=True)
            finally:
                os.close(handle)


def _made() -> tuple[Path, int]:
    """Make a folder, and give it with the handle that holds its lock.

    Another process that clears up may take a folder away before its lock lies on it.
    """
    while True:
        top = Path(tempfile.mkdtemp(prefix=PREFIX))
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(top / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(handle)
            except BlockingIOError:
                os.close(handle)
                continue
            except OSError:
                # Without locks nobody clears up after others either.
                return top, handle
            if (top / LOCK).exists():
                return top, handle
            os.close(handle)


def _lock(handle: int) -> None:
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove(top: Path, lock: int) -> None:
    with contextlib.suppress(OSError):
        os.close(lock)
    shutil.rmtree(top, ignore_errors=True)
