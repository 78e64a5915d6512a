"""Typed rows to tables: the fields of a row are the columns, their annotations the types."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from pandas import DataFrame

_DTYPES = {int: "int64", float: "float64", float | None: "float64", bool: "bool", str: "str"}


def frame(kind: type[Any], rows: Iterable[Any]) -> DataFrame:
    """Make a table of rows; a table without rows has the same columns and types.

    Parameters
    ----------
    kind : type
        The dataclass of the rows; its fields are ``int``, ``float``, ``float | None``, ``bool``,
        ``str``, or a dataclass of such fields, which become columns in its place.
    rows : iterable
        Instances of it, in the order of the table.
    """
    import pandas as pd

    listed = list(rows)
    columns = {
        path[-1]: pd.Series([functools.reduce(getattr, path, row) for row in listed], dtype=dtype)
        for path, dtype in _columns(kind)
    }
    return pd.DataFrame(columns)


def _columns(kind: type[Any]) -> tuple[tuple[tuple[str, ...], str], ...]:
    hints = get_type_hints(kind)
    columns: list[tuple[tuple[str, ...], str]] = []
    for field in fields(kind):
        hint = hints[field.name]
        if isinstance(hint, type) and is_dataclass(hint):
            columns += [((field.name, *path), dtype) for path, dtype in _columns(hint)]
        else:
            columns.append(((field.name,), _DTYPES[hint]))
    return tuple(columns)
