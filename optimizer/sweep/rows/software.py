"""What computes a sweep: versions of everything that its answers hang on."""

from __future__ import annotations

import functools
import hashlib
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from optimizer.write import versions

#: Folders of ours that answers do not hang on: words and pictures of them only.
APART = ("commands", "screen", "templates", "__pycache__")


@functools.cache
def _ours() -> str:
    """SHA-256 of the program itself: its version says nothing of a copy that is worked on."""
    home, found = Path(__file__).parents[2], hashlib.sha256()
    for package in ("models", "optimizer"):
        for path in sorted((home / package).rglob("*")):
            name = path.relative_to(home)
            if path.suffix in (".py", ".toml", ".csv") and not set(APART) & set(name.parts):
                found.update(name.as_posix().encode() + b"\0")
                found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:12]


def software() -> dict[str, str]:
    """Versions of this process, by name; the release of the kernel is none of them.

    Examples
    --------
    >>> sorted({"highspy", "python", "rackwatt", "machine", "code"} - set(software()))
    []
    """
    found = versions()
    del found["platform"]
    return {**found, "machine": f"{sys.platform} {platform.machine()}", "code": _ours()}


def differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Say which versions differ.

    Examples
    --------
    >>> differing({"highspy": "1.15.1", "python": "3.11.7"}, {"highspy": "1.16.0"})
    ['highspy 1.16.0 instead of 1.15.1', 'python none instead of 3.11.7']
    """
    names = [*old, *(name for name in new if name not in old)]
    return [
        f"{name} {new.get(name, 'none')} instead of {old.get(name, 'none')}"
        for name in names
        if old.get(name) != new.get(name)
    ]
