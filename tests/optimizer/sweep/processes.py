"""Processes of a test, found by a mark in their environment."""

import os
import sys
import time
from pathlib import Path

#: Name of the variable; what a process starts inherits it.
MARK = "RACKWATT_TEST_MARK"


def marked(mark):
    """Process ids of all living processes with a mark."""
    wanted = f"{MARK}={mark}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if state not in "ZX" and wanted in (process / "environ").read_bytes() + b"\0":
                found.append(int(process.name))
        except (OSError, IndexError):
            continue
    return found


def workers(mark):
    """Those among them that compute."""
    return [pid for pid in marked(mark) if b"spawn_main" in _command(pid)]


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def orphans(mark, seconds=5.0):
    """Processes that are left after a while."""
    end = time.monotonic() + seconds
    while (left := marked(mark)) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def environment(mark):
    """Surroundings of a process whose children are to be found."""
    return {**os.environ, MARK: mark, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
