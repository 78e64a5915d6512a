"""The table of a sweep: one row a point, in the order of the design.

What is written hangs on the answers only, not on the order in which they came, on workers or on
the hour: the same answers give the same bytes. Blocks of points pass through one after another,
so that a large sweep is never held as a whole, except where a table of pandas is asked for.
"""

from __future__ import annotations

import contextlib
import csv
import glob
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from optimizer.errors import UsageRefused
from optimizer.sweep.points import Held
from optimizer.sweep.rows.records import Entry, Version
from optimizer.sweep.rows.refusal import told_plainly
from optimizer.sweep.rows.store import Store
from optimizer.sweep.rows.texts import text_of
from optimizer.write import DIGITS, cell, flush

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Points that are held at a time, and rows of one group of a Parquet file.
BLOCK = 10_000
#: Status of a point of which nothing has come yet.
WAITING = "waiting"
#: Letters of an identity that a table tells: enough to find the point by.
LETTERS = 16
#: Column that tells how often the design has a point, and how columns of price files begin.
TIMES, PRICES = "times", "prices."

_Kind = Literal["flag", "whole", "number", "text"]
_Group = Literal["point", "axis", "key", "prices", "answer", "beside", "metric", "run"]
_Place = tuple[_Group, str]
#: Columns that say more of points: by name, and then by number of the point.
Beside = Mapping[str, Mapping[int, Any]]

_POINT: Mapping[str, _Kind] = {"number": "whole", "id": "text", TIMES: "whole"}
_ANSWER: Mapping[str, _Kind] = {
    "status": "text", "value_musd": "number", "bound_musd": "number", "gap": "number",
    "message": "text",
}  # fmt: skip
#: What differs from run to run, and is told on request only.
_RUN: Mapping[str, _Kind] = {
    "cpu_seconds": "number", "solver_seconds": "number", "attempts": "whole", "worker": "text",
    "finished": "text",
}  # fmt: skip


@dataclass(frozen=True)
class _Column:
    name: str
    group: _Group
    key: str
    kind: _Kind
    by_number: Mapping[int, Any] = field(default_factory=dict)
    otherwise: Any = None


def table(
    store: Store,
    version: int | None = None,
    *,
    timings: bool = False,
    beside: Beside | None = None,
) -> pd.DataFrame:
    """Give the points of a version as a table.

    Parameters
    ----------
    store : Store
        The sweep.
    version : int, optional
        Which version; by default the one that the sweep stands at.
    timings : bool
        Also tell what differs from run to run: processor time, worker, tries, hour.
    beside : mapping, optional
        Further columns by name, each with its values by number of the point, as
        :func:`optimizer.sweep.rows.front.on_front` gives them.

    Returns
    -------
    DataFrame
        In the order of the design: number, beginning of the identity, and how often the design
        has the point; what each axis was set to; values in effect by their keys; status,
        ``value_musd``, ``bound_musd``, ``gap`` and message; the main numbers of the plan. Points
        that are not done have status ``waiting``.
    """
    import pyarrow as pa

    with store.snapshot():
        one = store.version(version)
        columns = _columns(store, one, timings=timings, beside=beside or {})
        blocks = [_arrow(columns, block) for block in _blocks(store, one)]
    whole = pa.concat_tables(blocks) if blocks else _arrow(columns, [])
    del blocks
    frame: pd.DataFrame = whole.to_pandas(split_blocks=True, self_destruct=True)
    return frame


def export(
    store: Store,
    path: Path,
    version: int | None = None,
    *,
    timings: bool = False,
    overwrite: bool = False,
    beside: Beside | None = None,
) -> Path:
    """Write the table of a version to a file that appears whole or not at all.

    Parameters
    ----------
    path : Path
        Where to: ``.csv`` or ``.parquet``.
    version, timings, beside
        See :func:`table`.
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    UsageRefused
        Where the file has another ending, or is there and may not be replaced.
    SweepRefused
        Where the disk is full or the folder may not be written.
    """
    writers = {".csv": _write_csv, ".parquet": _write_parquet}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise UsageRefused(f"{path} is neither .csv nor .parquet; name it so")
    if os.path.lexists(path) and not (overwrite and path.is_file()):
        raise UsageRefused(f"{path} exists; replace it with --overwrite, or name another")
    with store.snapshot():
        one = store.version(version)
        columns = _columns(store, one, timings=timings, beside=beside or {})
        with told_plainly(path), _appearing(path) as part:
            write(part, columns, _blocks(store, one))
    return path


# --- columns -------------------------------------------------------------------------------


def _columns(store: Store, version: Version, *, timings: bool, beside: Beside) -> list[_Column]:
    """Find every column and its kind; names come in the order in which the design has them."""
    held = _otherwise(store.held(version))
    kinds = _kinds(store, version, held)
    run = _RUN if timings else {}
    found: list[tuple[_Group, str, _Kind]] = [("point", key, kind) for key, kind in _POINT.items()]
    for part in ("axis", "key", "prices"):
        found += [(g, key, kind or "text") for (g, key), kind in kinds.items() if g == part]
    found += [("answer", key, kind) for key, kind in _ANSWER.items()]
    found += [("beside", key, _widest(values)) for key, values in beside.items()]
    found += [(g, key, kind or "number") for (g, key), kind in kinds.items() if g == "metric"]
    found += [("run", key, kind) for key, kind in run.items()]
    taken = {*_POINT, *_ANSWER, *_RUN}
    return [
        _Column(
            _name(group, key, taken),
            group,
            key,
            kind,
            by_number=beside[key] if group == "beside" else {},
            otherwise=held.get((group, key)),
        )
        for group, key, kind in found
    ]


def _kinds(
    store: Store, version: Version, held: Mapping[_Place, Any]
) -> dict[_Place, _Kind | None]:
    """Find what points say under names of their own, and what is in effect where they do not."""
    kinds = {place: _wider(None, value) for place, value in held.items()}
    for entry in store.entries(version):
        for group, key, value in _free(entry):
            kinds[group, key] = _wider(kinds.get((group, key)), value)
    # A column of a file of cases that is a key itself is told once, as what is in effect.
    for group, key in held:
        if group == "key" and "." in key:
            kinds.pop(("axis", key), None)
    return kinds


def _otherwise(base: Held) -> dict[_Place, Any]:
    """Give what columns hold where a point leaves the base as it is."""
    held: dict[_Place, Any] = {("key", key): value for key, value in base.by_key.items()}
    return held | {("prices", site): file for site, file in base.prices.items()}


def _free(entry: Entry) -> Iterator[tuple[_Group, str, Any]]:
    """Give what a point says under names of its own."""
    for key, value in entry.point.settings.items():
        yield "axis", key, value
    for key, value in entry.point.changes.items():
        yield "key", key, value
    for key, value in entry.point.prices.items():
        yield "prices", key, value
    for key, value in (entry.row.metrics if entry.row else {}).items():
        yield "metric", key, value


def _name(group: _Group, key: str, taken: set[str]) -> str:
    """Name a column after its key, and also after its group where two would be called alike."""
    if group in ("point", "answer", "run"):
        return key
    name = f"{PRICES}{key}" if group == "prices" else key
    while name in taken:
        name = f"{group}.{name}"
    taken.add(name)
    return name


def _wider(kind: _Kind | None, value: Any) -> _Kind | None:
    """Kind that holds what a column had and one more value."""
    if value is None:
        return kind
    own: _Kind = "text"
    if isinstance(value, bool):
        own = "flag"
    elif isinstance(value, int) and abs(value) < 2**63:
        own = "whole"
    elif isinstance(value, float):
        own = "number"
    if kind is None or kind == own:
        return own
    return "number" if {kind, own} == {"whole", "number"} else "text"


def _widest(values: Mapping[int, Any]) -> _Kind:
    """Kind that holds all values of a column."""
    kind: _Kind | None = None
    for value in values.values():
        kind = _wider(kind, value)
    return kind or "text"


# --- values --------------------------------------------------------------------------------


def _blocks(store: Store, version: Version) -> Iterator[list[Entry]]:
    entries = store.entries(version)
    while block := list(islice(entries, BLOCK)):
        yield block


def _values(column: _Column, block: list[Entry]) -> list[Any]:
    return [_as(column, _value(column, entry)) for entry in block]


def _value(column: _Column, entry: Entry) -> Any:
    point, row, key = entry.point, entry.row, column.key
    if column.group == "axis":
        return point.settings.get(key)
    if column.group == "key":
        return point.changes.get(key, column.otherwise)
    if column.group == "prices":
        return point.prices.get(key, column.otherwise)
    if column.group == "point":
        return entry.identity[:LETTERS] if key == "id" else getattr(point, key)
    if column.group == "beside":
        return column.by_number.get(point.number)
    if row is None:
        return WAITING if key == "status" and column.group == "answer" else None
    if column.group == "metric":
        return row.metrics.get(key)
    return getattr(entry if key in ("attempts", "worker", "finished") else row, key)


def _as(column: _Column, value: Any) -> Any:
    """Bring a value to the kind of its column, numbers of plans to the digits of plans."""
    if value is None:
        return None
    if column.kind == "text":
        return value if isinstance(value, str) else text_of(value)
    if column.kind != "number":
        return value
    typed = column.group in ("axis", "key")
    return float(value) if typed else round(float(value), DIGITS) + 0.0


# --- files ---------------------------------------------------------------------------------


def _arrow(columns: list[_Column], block: list[Entry]) -> pa.Table:
    import pyarrow as pa

    types = {
        "flag": pa.bool_(), "whole": pa.int64(), "number": pa.float64(), "text": pa.string(),
    }  # fmt: skip
    arrays = [pa.array(_values(column, block), types[column.kind]) for column in columns]
    return pa.Table.from_arrays(arrays, names=[column.name for column in columns])


def _write_parquet(path: Path, columns: list[_Column], blocks: Iterator[list[Entry]]) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, _arrow(columns, []).schema) as writer:
        for block in blocks:
            writer.write_table(_arrow(columns, block), row_group_size=BLOCK)


def _write_csv(path: Path, columns: list[_Column], blocks: Iterator[list[Entry]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(_lines([[cell(column.name) for column in columns]]))
        for block in blocks:
            by_column = [map(cell, _values(column, block)) for column in columns]
            file.write(_lines(zip(*by_column, strict=True)))


def _lines(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """Hand out a file that takes its place once it is complete and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        left.unlink(missing_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        flush(part)
        part.replace(path)
        flush(path.parent)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
