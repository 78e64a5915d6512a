"""Files that a command would write, and places that are taken."""

from __future__ import annotations

from pathlib import Path

from optimizer.errors import UsageRefused


def refuse_taken_file(out: Path, *, overwrite: bool) -> None:
    """Say no to a file that cannot be written, before anything is worked out for it.

    Raises
    ------
    UsageRefused
        Where a folder stands there, a file that must not be replaced, or no folder around it.
    """
    if out.is_dir():
        raise UsageRefused(f"{out} is a folder; name a file")
    if out.exists() and not overwrite:
        raise UsageRefused(f"{out} exists; replace it with --overwrite, or name another")
    if not out.parent.is_dir():
        raise UsageRefused(f"{out.parent} is not a folder; make it first")
