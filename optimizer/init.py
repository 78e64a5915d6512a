"""Instances to start from: one template per power market, each solvable as it is."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from optimizer.errors import UsageRefused, did_you_mean, listed

TOML = "instance.toml"


def templates() -> dict[str, Traversable]:
    """Templates by the name of their grid."""
    folder = files("optimizer") / "templates"
    return {
        entry.name.removesuffix(".toml"): entry
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }


def write_template(folder: Path, grid: str) -> Path:
    """Write an instance to start from.

    Parameters
    ----------
    folder : Path
        New, or empty; the instance takes its name.
    grid : str
        Name of a template.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    UsageRefused
        Where no template has that name, or the folder is not empty.
    """
    known = templates()
    if grid not in known:
        near = did_you_mean(grid, known)
        words = f"there is no grid {grid!r}; there are {listed(known)}"
        raise UsageRefused(f"{words}; {near}" if near else words)
    if folder.exists() and not folder.is_dir():
        raise UsageRefused(f"{folder} is a file; name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageRefused(f"{folder} is not empty; name a new folder")
    text = _called(_name(folder), known[grid].read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / TOML
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _name(folder: Path) -> str:
    """Turn a folder's name into one that an instance may bear."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", folder.resolve().name)[:64]
    return plain if re.match(r"[A-Za-z0-9]", plain) else "instance"


def _called(name: str, text: str) -> str:
    """Give the instance its name, in the first line that names anything."""
    return re.sub(r'(?m)^name = ".*"$', f'name = "{name}"', text, count=1)
