"""The base of a sweep: the complete document of an instance folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from optimizer.errors import InputRefused
from optimizer.load.catalogue import packaged
from optimizer.load.folder import Reading


def document_of(folder: Path) -> dict[str, Any]:
    """Read an instance folder, and give all that its files and the catalogue say as one document.

    Tables in CSV, entries of the catalogue and columns of ``paths.csv`` stand in it as if they
    had been typed in ``instance.toml``. Defaults of the format do not.

    Parameters
    ----------
    folder : Path
        An instance folder.

    Returns
    -------
    dict
        Tables by name, as TOML would give them.

    Raises
    ------
    InputRefused
        With every problem of the folder, where there is an error among them.
    """
    reading = Reading(Path(folder), packaged())
    if reading.run({}) is None:
        raise InputRefused(reading.problems())
    return reading.document
