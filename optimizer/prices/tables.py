"""Opening price files: CSV, XLSX with its sheets, Parquet, and archives of them.

Whatever the file, what comes of it is rows of text, each with its line: a cell of a spreadsheet or
of a frame is written as a CSV would hold it, so that a layout is read in one way only.
"""

from __future__ import annotations

import csv
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.errors import InputRefused, Report
from optimizer.load.files import decoded, unfit, why_unread
from optimizer.load.prices import without_remarks
from optimizer.prices.faults import refuse

if TYPE_CHECKING:
    import pandas as pd

#: No price file is larger: a year of all hubs of ERCOT by quarter-hours is a tenth of it.
MOST_BYTES = 500_000_000
#: Nor does an archive unpack to more.
MOST_UNPACKED_BYTES = 2_000_000_000
#: Archives may hold archives, as ERCOT's downloads of daily files do, once.
DEEPEST = 2

#: What the standard library raises on archives that are damaged, encrypted, or none.
_BROKEN_ARCHIVE = (
    zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError,
    ValueError, OSError,
)  # fmt: skip

READABLE = ".csv, .txt, .tsv, .xlsx, .parquet or a .zip of these"

Row = tuple[int, tuple[str, ...]]


@dataclass(frozen=True)
class Table:
    """Rows of text as they stand in a file or a sheet of it, the header among them.

    Attributes
    ----------
    place : str
        Name for messages: the file, the member of an archive, the sheet.
    rows : sequence of (line, cells)
        Without empty rows.
    """

    place: str
    rows: Sequence[Row]


@dataclass
class Opened:
    """The tables of some files, with the hash of each file and what was left unread.

    Attributes
    ----------
    tables : list of Table
        In the order of the files, members by name and sheets as they stand.
    hashes : dict
        SHA-256 by the file's name.
    unread : list of str
        Members of archives that are of no kind that is read.
    """

    tables: list[Table] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def open_files(paths: Sequence[Path]) -> Opened:
    """Open price files.

    Raises
    ------
    InputRefused
        Where one cannot be read, is of another kind, or is given twice.
    """
    opened = Opened()
    for path in paths:
        data = _bytes_of(path)
        digest = hashlib.sha256(data).hexdigest()
        if digest in opened.hashes.values():
            twin = next(name for name, known in opened.hashes.items() if known == digest)
            hint = "" if twin == path.name else f"{twin} holds the same; name one of them"
            raise refuse("the file is given twice", path.name, hint=hint)
        if path.name in opened.hashes:
            raise refuse("two files have this name", path.name, hint="rename one of them")
        opened.hashes[path.name] = digest
        opened.tables += _tables(data, path.name, opened, depth=0)
    return opened


def _bytes_of(path: Path) -> bytes:
    try:
        reason = unfit(path, MOST_BYTES)
        if not reason:
            return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = why_unread(error)
    raise refuse(reason, path.name)


def _tables(data: bytes, place: str, opened: Opened, *, depth: int) -> Iterator[Table]:
    """Read one file by what it is called, and whether it is what it is called."""
    if not data:
        raise refuse("the file is empty", place)
    kind = Path(place).suffix.lower()
    if kind == ".zip":
        yield from _members(data, place, opened, depth=depth)
    elif kind == ".xlsx":
        yield from _sheets(data, place)
    elif kind == ".parquet":
        yield _frame(data, place)
    elif kind in (".csv", ".txt", ".tsv"):
        yield Table(place, _csv_rows(data, place))
    else:
        raise refuse("files of this kind are not read", place, found=kind, allowed=READABLE)


def _members(data: bytes, place: str, opened: Opened, *, depth: int) -> Iterator[Table]:
    if depth == DEEPEST:
        raise refuse("the archives are nested too deeply", place, hint="unpack the outer one")
    readable = 0
    for name, content in _unpacked(data, place):
        inner = f"{place}/{name}"
        if content is None:
            opened.unread.append(inner)
        else:
            readable += 1
            yield from _tables(content, inner, opened, depth=depth + 1)
    if not readable:
        raise refuse("the archive holds no price file", place, allowed=READABLE)


def _unpacked(data: bytes, place: str) -> list[tuple[str, bytes | None]]:
    """Unpack an archive: members by name, and what they hold where they are of a kind we read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            size = sum(member.file_size for member in members)
            if size > MOST_UNPACKED_BYTES:
                found, allowed = f"{size / 1e9:.1f} GB", f"{MOST_UNPACKED_BYTES / 1e9:g} GB"
                raise refuse("the archive unpacks to too much", place, None, "", found, allowed)
            return [
                (member.filename, archive.read(member) if _is_readable(member.filename) else None)
                for member in sorted(members, key=lambda member: member.filename)
            ]
    except _BROKEN_ARCHIVE as error:
        found, hint = str(error), "is it whole, and without a password?"
        raise refuse("the archive cannot be unpacked", place, found=found, hint=hint) from error


def _is_readable(name: str) -> bool:
    return Path(name).suffix.lower() in (".csv", ".xlsx", ".parquet", ".zip")


# --- text ----------------------------------------------------------------------------------


def _csv_rows(data: bytes, place: str) -> list[Row]:
    report = Report()
    text = decoded(data, place, report)
    if text is None:
        raise InputRefused(report.sorted())
    text = without_remarks(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        rows = [(reader.line_num, tuple(cell.strip() for cell in row)) for row in reader]
    except csv.Error as error:
        raise refuse(f"this is not CSV: {error}", place, reader.line_num) from error
    return [row for row in rows if any(row[1])]


def _delimiter(text: str) -> str:
    r"""Find what separates columns: what the first line that is separated at all has most of.

    Examples
    --------
    >>> [_delimiter(text) for text in ("a;b;c", "Pool Price\n\na,b", "a\tb", "a")]
    [';', ',', '\t', ',']
    """
    for line in text.splitlines():
        counts = {separator: line.count(separator) for separator in (",", ";", "\t")}
        if any(counts.values()):
            return max(counts, key=lambda separator: counts[separator])
    return ","


# --- spreadsheets and frames ---------------------------------------------------------------


def _sheets(data: bytes, place: str) -> Iterator[Table]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            yield Table(f"{place}[{name}]", _as_text(rows))
    except CalamineError as error:
        raise refuse("the workbook cannot be read", place, found=str(error)) from error


def _as_text(rows: Iterable[Sequence[object]]) -> list[Row]:
    """Write cells as text; columns that are empty to the right of a row do not count."""
    written = []
    for line, row in enumerate(rows, 1):
        cells = [_cell(cell) for cell in row]
        if any(cells):
            written.append((line, tuple(cells)))
    return written


def _cell(value: object) -> str:
    """Write a cell of a spreadsheet as a CSV would hold it.

    Examples
    --------
    >>> [_cell(value) for value in (1.0, 12.5, time(1), timedelta(days=1), " N ")]
    ['1', '12.5', '01:00', '24:00', 'N']
    """
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(" ")
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _frame(data: bytes, place: str) -> Table:
    """Read a frame; stamps keep their offset from UTC."""
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_parquet(io.BytesIO(data))
    except (pa.ArrowException, ValueError, OSError) as error:
        found = str(error).splitlines()[0]
        raise refuse("the Parquet file cannot be read", place, found=found) from error
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    columns = [_column(frame.iloc[:, position]) for position in range(frame.shape[1])]
    header: Row = (1, tuple(str(name) for name in frame.columns))
    rows = enumerate(zip(*columns, strict=True), 2)
    return Table(place, [header, *((line, cells) for line, cells in rows if any(cells))])


def _column(column: pd.Series[Any]) -> list[str]:
    missing = column.isna()
    return [
        "" if gone else (repr(float(value)) if isinstance(value, float) else str(value))
        for value, gone in zip(column.tolist(), missing, strict=True)
    ]
