"""What a file of a base says, whatever its comments, blanks and ends of lines.

Order is part of it: the order of names is that of the model, and among plans alike in value it
may decide which is found.
"""

from __future__ import annotations

import csv
import io
import tomllib
from hashlib import sha256
from typing import Any

from models.instance import TABLES

#: Files that are read as tables, cell by cell. Reading them is not asked for them: whoever only
#: counts rows would load all of it.
SHEETS = frozenset({*(f"{table}.csv" for table in TABLES), "paths.csv", "sources.csv"})


def meaning(name: str, data: bytes) -> str:
    r"""SHA-256 of what a file says.

    Parameters
    ----------
    name : str
        Its name among the files of a base.
    data : bytes
        Its contents.

    Returns
    -------
    str
        Of TOML that of the document, of tables in CSV that of their cells; of all else, as of
        price files and of what does not read, that of its bytes.

    Examples
    --------
    >>> meaning("instance.toml", b"a = 1  # one") == meaning("instance.toml", b"a=1\n")
    True
    >>> meaning("instance.toml", b"a = 1") == meaning("instance.toml", b"a = 1.0")
    False
    """
    try:
        said = _said(name, data.decode("utf-8-sig"))
    except (ValueError, RecursionError, csv.Error):
        said = None
    return sha256(data if said is None else repr(said).encode()).hexdigest()


def _said(name: str, text: str) -> Any:
    """Read a file; None where only its bytes tell what it says."""
    if name.endswith(".toml"):
        return tomllib.loads(text)
    if name not in SHEETS:
        return None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    cells = [tuple(cell.strip() for cell in row) for row in rows]
    return [row for row in cells if any(row)]
