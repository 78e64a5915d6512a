"""The run folder: what came of a solve, as files that other programs read.

A folder appears whole or not at all: it is written beside its place and renamed into it. Only a
folder that is a run of ours is ever replaced, and only when that was asked for. Of it only those
files go that the program wrote and nobody changed since. Everything but
``manifest.json``, which holds clocks, is the same byte for byte when the same versions solve the
same instance again.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import itertools
import json
import math
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from optimizer.errors import UsageRefused

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.case import Case
    from optimizer.highs import Options
    from optimizer.load import Default
    from optimizer.plan import Tables
    from optimizer.solve import Solved

PROGRAM = "rackwatt"
MANIFEST = "manifest.json"
#: Folders of a run that hold copies of what it was solved from: the files of its instance, and
#: price files in place of the instance's, by site.
INPUTS, REPLACED = "inputs", "prices"
#: Where a plan goes that did not survive the audit.
REJECTED = "rejected"
#: Digits behind the point that files keep: a dollar in a thousand M$, a watt in a thousand MW.
DIGITS = 9
#: What a spreadsheet takes for the start of a formula, in half and full width.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
#: What breaks a line of CSV in one reader or another.
_CONTROLS = {0: None, ord("\r"): " ", ord("\n"): " "}


class Inputs(Protocol):
    """What was read to solve a case."""

    @property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of every file, by its name."""

    @property
    def defaults(self) -> Sequence[Default]:
        """Figures that nobody typed, each with its source."""


def write_run(
    out: Path,
    read: Inputs,
    case: Case,
    solved: Solved,
    tables: Tables | None,
    options: Options,
    *,
    overwrite: bool = False,
    tell: Callable[[str], None] | None = None,
    inputs: Mapping[str, bytes] | None = None,
    beside: Mapping[str, pd.DataFrame] | None = None,
) -> Path:
    """Write a run folder.

    A plan that passed the audit is written as ``plan.json`` and its tables as CSV and Parquet;
    one that did not goes to ``rejected/``; without a plan there is a manifest only.

    Parameters
    ----------
    out : Path
        The folder; parents are made.
    read : Inputs
        Hashes of the files that were read, and the defaults that were used.
    case : Case
        What was given.
    solved : Solved
        What came of the solve.
    tables : Tables or None
        The plan's tables, where there is a plan.
    options : Options
        How it was solved.
    overwrite : bool
        Replace a run of ours that lies there; what else lies in its folder is kept.
    tell : callable, optional
        Hears which files of the old folder were kept, and under which names.
    inputs : mapping of str to bytes, optional
        Copies of what was read, by their name in the run.
    beside : mapping of str to DataFrame, optional
        Further tables to write beside those of the plan, by name.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UsageRefused
        Where ``out`` exists and may not be replaced.
    """

    def fill(folder: Path) -> dict[str, Any]:
        if tables is not None:
            home = folder if solved.status != "audit-failed" else folder / REJECTED
            home.mkdir(exist_ok=True)
            write_json(home / "plan.json", plan_json(case, solved, tables))
            for name, table in (*tables.items(), *(beside or {}).items()):
                write_table(home / name, table)
        for name, data in (inputs or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return manifest_json(read, case, solved, options)

    return write_folder(out, fill, overwrite=overwrite, tell=tell)


def write_folder(
    out: Path,
    fill: Callable[[Path], dict[str, Any]],
    *,
    overwrite: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Write a folder of files with a manifest that holds their hashes.

    Parameters
    ----------
    out : Path
        The folder; parents are made.
    fill : callable
        Writes files into the folder that it is given, and says what the manifest holds.
    overwrite : bool
        Replace a run of ours that lies there; what else lies in its folder is kept.
    tell : callable, optional
        Hears which files of the old folder were kept, and under which names.

    Raises
    ------
    UsageRefused
        Where ``out`` exists and may not be replaced.
    """
    refuse_taken(out, overwrite=overwrite)
    kept: list[str] = []
    with _appearing(out, kept) as folder:
        manifest = fill(folder)
        manifest["files"] = {
            path.relative_to(folder).as_posix(): _digest(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        write_json(folder / MANIFEST, manifest)
    if kept and tell is not None:
        tell(f"kept in {out}: {'; '.join(kept)}")
    return out


# --- the folder ----------------------------------------------------------------------------


def write_answer(
    out: Path,
    read: Inputs,
    about: Mapping[str, Any],
    answer: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, pd.DataFrame],
    *,
    overwrite: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Write a folder with the answer to a question, beside what a solve writes of its own.

    Parameters
    ----------
    out : Path
        The folder; parents are made.
    read : Inputs
        Hashes of the files that were read, and the defaults that were used.
    about : mapping
        What the manifest says of the answer: command, instance, options, seconds.
    answer : mapping
        Contents of JSON files by their name.
    tables : mapping of str to DataFrame
        Tables by their name, written as CSV and Parquet.
    overwrite, tell
        As of :func:`write_run`.

    Raises
    ------
    UsageRefused
        Where ``out`` exists and may not be replaced.
    """

    def fill(folder: Path) -> dict[str, Any]:
        for name, content in answer.items():
            write_json(folder / f"{name}.json", content)
        for name, table in tables.items():
            write_table(folder / name, table)
        return {
            "program": PROGRAM,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            **about,
            "inputs_sha256": dict(sorted(read.hashes.items())),
            "versions": versions(),
            "defaults": [
                {"key": d.key, "value": d.value, "source": d.source} for d in read.defaults
            ],
        }

    return write_folder(out, fill, overwrite=overwrite, tell=tell)


def refuse_taken(out: Path, *, overwrite: bool = False) -> None:
    """Say no to a place that is taken, before hours of solving are spent on it.

    What a killed run left beside it is cleared away first.

    Raises
    ------
    UsageRefused
        Where ``out`` exists and is not an empty folder, unless it is a run of ours that may be
        overwritten.
    """
    _sweep(out.resolve())
    if not os.path.lexists(out):
        _refuse_unwritable(out.resolve())
        return
    if not out.is_dir():
        raise UsageRefused(f"{out} exists and is not a folder; name another with --out")
    if not any(out.iterdir()):
        return
    if not is_run(out):
        raise UsageRefused(f"{out} holds files that are no run of ours; name another with --out")
    if not overwrite:
        raise UsageRefused(f"{out} holds a run; replace it with --overwrite, or name another")


def _refuse_unwritable(out: Path) -> None:
    """Say no where the folder could not be made once there is a plan to write."""
    standing = next(folder for folder in out.parents if os.path.lexists(folder))
    if not standing.is_dir():
        raise UsageRefused(f"{standing} is not a folder; name another place with --out")
    if not os.access(standing, os.W_OK | os.X_OK):
        raise UsageRefused(f"nothing may be written in {standing}; name another place with --out")


def is_run(folder: Path) -> bool:
    """Whether a folder is a run that this program wrote."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("program") == PROGRAM


@contextlib.contextmanager
def _appearing(out: Path, kept: list[str]) -> Iterator[Path]:
    """Hand out a folder beside ``out`` that takes its place once it is complete.

    What is nobody's to lose of a run that stands there is taken over, and noted in ``kept``.
    """
    target = out.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    mark = f".{target.name}.{os.getpid()}."
    folder = Path(tempfile.mkdtemp(prefix=mark, suffix=".part", dir=target.parent))
    try:
        folder.chmod(0o777 & ~_umask())
        yield folder
        for path in sorted(folder.rglob("*")):
            flush(path)
        kept += _take_over(target, folder)
        flush(folder)
        _take_place(folder, target, mark)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take_place(folder: Path, target: Path, mark: str) -> None:
    if not target.exists() or not any(target.iterdir()):
        folder.replace(target)
    else:
        old = Path(tempfile.mkdtemp(prefix=mark, suffix=".old", dir=target.parent))
        target.replace(old)
        try:
            folder.replace(target)
        except OSError:
            old.replace(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    flush(target.parent)


def _take_over(old: Path, new: Path) -> list[str]:
    """Take the files of a run that the program did not write, or not so, over into a new one.

    A file keeps its name unless that is one of a run's own; then it gets an ending.

    Returns
    -------
    list of str
        What was kept, in words.
    """
    written, kept = _files_of(old), []
    for path in _everything_in(old):
        name = path.relative_to(old).as_posix()
        if name == MANIFEST or (name in written and _is_unchanged(path, written[name])):
            continue
        ours = name in written or os.path.lexists(new / name)
        home = _free_name(old, new, name) if ours else new / name
        home.parent.mkdir(parents=True, exist_ok=True)
        _copy(path, home)
        kept.append(f"{name} as {home.name}" if ours else name)
    return kept


def _files_of(run: Path) -> Mapping[str, str]:
    """SHA-256 of every file that the program wrote into a run, by its name."""
    try:
        files = json.loads((run / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return files if isinstance(files, dict) else {}


def _everything_in(folder: Path) -> Iterator[Path]:
    """Walk all files and links of a folder; a link to a folder is not followed."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            yield from _everything_in(path)
        else:
            yield path


def _is_unchanged(path: Path, digest: str) -> bool:
    return path.is_file() and not path.is_symlink() and _digest(path) == digest


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _free_name(old: Path, new: Path, name: str) -> Path:
    """Name a kept file so that it meets no other, in the old folder or the new."""
    endings = (f"{name}.kept-{number}" for number in itertools.count(1))
    free = (e for e in endings if not any(os.path.lexists(home / e) for home in (old, new)))
    return new / next(free)


def _copy(path: Path, home: Path) -> None:
    """Have a file under a second name, without a second copy where the disk can do that."""
    try:
        os.link(path, home, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(path, home, follow_symlinks=False)


def _sweep(target: Path) -> None:
    """Clear away what a killed run left beside ``target``; put back a run it had moved aside."""
    for left in sorted(target.parent.glob(f".{target.name}.*.*.*")):
        pid = left.name.removeprefix(f".{target.name}.").split(".", 1)[0]
        if left.suffix not in (".part", ".old") or not pid.isdigit() or is_alive(int(pid)):
            continue
        if left.suffix == ".old" and is_run(left) and not target.exists():
            left.replace(target)
        else:
            shutil.rmtree(left, ignore_errors=True)


def is_alive(pid: int) -> bool:
    """Whether a process is there; yes where that cannot be told."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def flush(path: Path) -> None:
    """Have the disk hold a file or folder before it is renamed."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- what is said --------------------------------------------------------------------------


def manifest_json(read: Inputs, case: Case, solved: Solved, options: Options) -> dict[str, Any]:
    """Say what was solved, with what, how, and how long it took."""
    outcome = solved.outcome
    return {
        "program": PROGRAM,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "instance": case.instance.instance.name,
        "status": solved.status,
        "value_musd": solved.value_musd,
        "bound_musd": solved.bound_musd,
        "gap": solved.gap,
        "inputs_sha256": dict(sorted(read.hashes.items())),
        "prices": {s: hours.source for s, hours in case.hours.items()},
        "versions": versions(),
        "options": {**asdict(options), "time_limit": _finite(options.time_limit)},
        "size": {
            "rows": solved.rows, "columns": solved.columns, "nonzeros": solved.nonzeros,
            "integers": solved.integers,
        },
        "seconds": solved.seconds,
        "solver": None if outcome is None else {
            "claim": outcome.status, "ended": outcome.ended, "nodes": outcome.nodes,
            "lp_iterations": outcome.lp_iterations, "root_bound_musd": outcome.root_bound,
            "seconds": outcome.seconds, "cpu_seconds": outcome.cpu_seconds,
            "messages": list(outcome.messages),
        },
        "contradictions": list(solved.contradictions),
        "warnings": [str(fault) for fault in solved.warnings],
        "defaults": [
            {"key": d.key, "value": d.value, "source": d.source} for d in read.defaults
        ],
    }  # fmt: skip


def plan_json(case: Case, solved: Solved, tables: Tables) -> dict[str, Any]:
    """Say what the plan is, what it is worth, and what the audit found; no clocks."""
    scopes: dict[str, dict[str, float | None]] = {}
    figures = tables.metrics
    for scope, name, value in zip(
        figures["scope"], figures["metric"], figures["value"], strict=True
    ):
        scopes.setdefault(scope, {})[name] = _finite(value)
    return {
        "instance": case.instance.instance.name,
        "status": solved.status,
        "value_musd": solved.value_musd,
        "bound_musd": solved.bound_musd,
        "gap": solved.gap,
        **_audit_json(solved),
        "metrics": scopes,
        "actions": [
            {str(key): value for key, value in row.items()}
            for row in tables.actions.to_dict(orient="records")
        ],
    }


def _audit_json(solved: Solved) -> dict[str, Any]:
    checked = solved.audit
    if checked is None:
        return {}
    return {
        "audit": {
            "passed": checked.passed,
            "relations": checked.relations,
            "nothing_value_musd": checked.nothing_musd,
            "breaches": [str(breach) for breach in checked.breaches],
        },
        "hours": {
            "banded_margin_musd": checked.banded_margin_musd,
            "hourly_margin_musd": checked.hourly_margin_musd,
            "agree_to_1e-9": checked.hours_difference <= 1e-9,
        },
    }


def versions() -> dict[str, str]:
    """Versions of everything that an answer may depend on."""
    packages = (PROGRAM, "highspy", "numpy", "pandas", "pyarrow", "pydantic", "pyomo", "scipy")
    found = {name: _version(name) for name in packages}
    return {"python": platform.python_version(), "platform": platform.platform(), **found}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


# --- files ---------------------------------------------------------------------------------


def rounded(value: Any) -> Any:
    """Round floats, also inside lists and mappings; what is not finite becomes None.

    Examples
    --------
    >>> rounded({"mw": 0.1 + 0.2, "left": [-1e-12, float("nan")], "racks": 3})
    {'mw': 0.3, 'left': [0.0, None], 'racks': 3}
    """
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if not isinstance(value, float):
        return value
    return round(value, DIGITS) + 0.0 if math.isfinite(value) else None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that every reader takes: no NaN, no infinity."""
    text = json.dumps(rounded(content), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_table(stem: Path, table: pd.DataFrame) -> None:
    """Write a table as ``stem.csv`` and ``stem.parquet``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    even = table.copy()
    for name in table.select_dtypes("float"):
        even[name] = table[name].round(DIGITS) + 0.0
    stem.with_suffix(".csv").write_text(csv_text(even), encoding="utf-8", newline="")
    content = pa.Table.from_pandas(even, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(content, stem.with_suffix(".parquet"))


def csv_text(table: pd.DataFrame) -> str:
    """Write a table as CSV: shortest digits, nothing for what is missing, no formulas."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.itertuples(index=False, name=None):
        writer.writerow([cell(value) for value in row])
    return lines.getvalue()


def cell(value: Any) -> str:
    """Write one cell; text that a spreadsheet would run is led by an apostrophe.

    Examples
    --------
    >>> [cell(x) for x in ("milam", "=1+1", " @sum", 12.5, -3.0, float("nan"), True, 7, None)]
    ['milam', "'=1+1", "' @sum", '12.5', '-3', '', 'true', '7', '']
    """
    if isinstance(value, str):
        text = value.translate(_CONTROLS)
        return "'" + text if _runs(value) else text
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def _runs(text: str) -> bool:
    seen = text.lstrip(" \x00\ufeff\u00a0\u200b\u3000")
    return text.startswith(("\t", "\r", "\n")) or seen.startswith(FORMULA)
