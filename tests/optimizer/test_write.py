"""A run folder appears whole or not at all, replaces only its like, and repeats byte for byte."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from optimizer import write
from optimizer.errors import UsageRefused
from optimizer.highs import Options
from optimizer.load import Default
from optimizer.solve import Solved
from optimizer.write import cell, csv_text, refuse_taken, write_run, write_table
from tests.optimizer.plans import chain


@dataclass(frozen=True)
class Read:
    """What was read, as far as the writer looks at it."""

    hashes: dict[str, str] = field(default_factory=lambda: {"instance.toml": "ab" * 32})
    defaults: tuple[Default, ...] = (Default("machines.s21.life_months", 60, "catalogue"),)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty runs of fsync take a minute."""
    monkeypatch.setattr(write, "flush", lambda path: None)


def wrote(out: Path, *, overwrite: bool = False, **changes: Any) -> Path:
    case, solved, tables = chain()
    changed = replace(solved, **changes)
    laid_out = None if changed.plan is None else tables
    return write_run(out, Read(), case, changed, laid_out, Options(), overwrite=overwrite)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def strict(path: Path) -> Any:
    """Read JSON as strict readers do."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


# --- what is written -----------------------------------------------------------------------


def test_a_run_holds_manifest_plan_and_every_table_twice(tmp_path: Path) -> None:
    _, _, tables = chain()
    out = wrote(tmp_path / "deep" / "run")
    stems = [name for name, _ in tables.items()]
    expected = ["manifest.json", "plan.json"]
    expected += [f"{stem}.{form}" for stem in stems for form in ("csv", "parquet")]
    assert names(out) == sorted(expected)
    assert names(tmp_path / "deep") == sorted(["run", *(f"run/{name}" for name in expected)])


def test_the_manifest_says_what_was_solved_with_what(tmp_path: Path) -> None:
    case, solved, _ = chain()
    out = wrote(tmp_path / "run")
    manifest = strict(out / "manifest.json")
    assert manifest["program"] == "rackwatt"
    assert manifest["instance"] == case.instance.instance.name
    assert manifest["inputs_sha256"] == {"instance.toml": "ab" * 32}
    assert manifest["options"]["time_limit"] is None
    assert manifest["options"]["seed"] == 0
    assert {"python", "highspy", "pyomo", "numpy"} <= set(manifest["versions"])
    assert manifest["defaults"] == [
        {"key": "machines.s21.life_months", "value": 60, "source": "catalogue"}
    ]
    assert set(manifest["seconds"]) == set(solved.seconds)
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    assert sorted(manifest["files"]) == [n for n in names(out) if n != "manifest.json"]


def test_the_plan_says_what_it_is_worth_and_how_it_was_audited(tmp_path: Path) -> None:
    _, solved, tables = chain()
    plan = strict(wrote(tmp_path / "run") / "plan.json")
    assert solved.audit is not None
    assert plan["status"] == solved.status
    assert plan["value_musd"] == round(solved.value_musd or 0.0, 9)
    assert plan["audit"] == {
        "passed": True, "relations": solved.audit.relations, "breaches": [],
        "nothing_value_musd": round(solved.audit.nothing_musd or 0.0, 9),
    }  # fmt: skip
    assert plan["hours"]["agree_to_1e-9"] is True
    assert plan["metrics"]["company"]["btc_mined"] is None
    assert plan["metrics"]["west"]["ai_last_it_mw"] > 0
    assert len(plan["actions"]) == len(tables.actions)
    assert "seconds" not in plan


def test_every_file_is_on_the_disk_before_the_folder_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[str, bool]] = []
    out = tmp_path / "run"
    monkeypatch.setattr(write, "flush", lambda path: flushed.append((path.name, out.exists())))
    wrote(out)
    assert {name for name, there in flushed if not there} >= set(names(out))
    assert flushed[-1] == (tmp_path.name, True)


def test_two_runs_differ_in_their_manifest_only(tmp_path: Path) -> None:
    one, two = wrote(tmp_path / "one"), wrote(tmp_path / "two", seconds={"solve": 9.0})
    differ = [n for n in names(one) if (one / n).read_bytes() != (two / n).read_bytes()]
    assert names(one) == names(two)
    assert differ == ["manifest.json"]


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    """Hash seeds, import orders and addresses differ between processes; the tables do not."""
    script = (
        "import sys; from pathlib import Path; from tests.optimizer.test_write import wrote;"
        "wrote(Path(sys.argv[1]))"
    )
    root = Path(__file__).parents[2]
    one = wrote(tmp_path / "one")
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "two")],
        check=True, cwd=root, env={**os.environ, "PYTHONHASHSEED": "77"},
    )  # fmt: skip
    differ = [
        n for n in names(one) if (one / n).read_bytes() != (tmp_path / "two" / n).read_bytes()
    ]
    assert differ == ["manifest.json"]


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    out = wrote(tmp_path / "run")
    for name, table in chain()[2].items():
        parquet = pd.read_parquet(out / f"{name}.parquet")
        words = dict.fromkeys(parquet.select_dtypes("str").columns, "str")
        text = pd.read_csv(out / f"{name}.csv", keep_default_na=False, na_values=[""], dtype=words)
        assert list(parquet.columns) == list(table.columns) == list(text.columns)
        for column in parquet.select_dtypes("number").columns:
            told = pd.to_numeric(text[column])
            assert (told.isna() == parquet[column].isna()).all()
            assert ((told - parquet[column]).abs().fillna(0.0) == 0.0).all(), (name, column)


# --- what is not a plan --------------------------------------------------------------------


def test_a_plan_that_failed_its_audit_is_put_aside(tmp_path: Path) -> None:
    out = wrote(tmp_path / "run", status="audit-failed")
    assert [path.name for path in sorted(out.iterdir())] == ["manifest.json", "rejected"]
    assert {"plan.json", "actions.csv"} <= set(names(out / "rejected"))
    assert strict(out / "manifest.json")["status"] == "audit-failed"


def test_without_a_plan_there_is_a_manifest_only(tmp_path: Path) -> None:
    case, _, _ = chain()
    failed = Solved("infeasible", contradictions=("grid.substation_limit[0, 'west']",))
    out = write_run(tmp_path / "run", Read(), case, failed, None, Options(time_limit=5.0))
    assert names(out) == ["manifest.json"]
    manifest = strict(out / "manifest.json")
    assert manifest["contradictions"] == ["grid.substation_limit[0, 'west']"]
    assert manifest["value_musd"] is None
    assert manifest["options"]["time_limit"] == 5.0


# --- what is replaced ----------------------------------------------------------------------


def test_a_run_is_not_overwritten_unasked(tmp_path: Path) -> None:
    out = wrote(tmp_path / "run")
    before = {name: (out / name).read_bytes() for name in names(out)}
    with pytest.raises(UsageRefused, match="--overwrite"):
        wrote(out)
    assert {name: (out / name).read_bytes() for name in names(out)} == before


def test_overwriting_leaves_nothing_of_the_old_run_that_the_program_wrote(tmp_path: Path) -> None:
    out = wrote(tmp_path / "run", status="audit-failed")
    wrote(out, overwrite=True)
    assert names(out) == names(wrote(tmp_path / "other"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "run"]


def test_overwriting_keeps_what_was_edited_or_put_there_and_says_so(tmp_path: Path) -> None:
    out, told = wrote(tmp_path / "run"), []
    (out / "notes.txt").write_text("mine")
    (out / "own").mkdir()
    (out / "own/sheet.csv").write_text("a,b")
    (out / "link").symlink_to(tmp_path / "elsewhere")
    for edit in ("first", "second"):
        (out / "actions.csv").write_text(edit)
        case, solved, tables = chain()
        write_run(out, Read(), case, solved, tables, Options(), overwrite=True, tell=told.append)
    assert (out / "actions.csv.kept-1").read_text() == "first"
    assert (out / "actions.csv.kept-2").read_text() == "second"
    assert (out / "actions.csv").read_bytes() == (
        wrote(tmp_path / "fresh") / "actions.csv"
    ).read_bytes()
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "own/sheet.csv").read_text() == "a,b"
    assert (out / "link").is_symlink()
    assert told[0] == (
        f"kept in {out}: actions.csv as actions.csv.kept-1; link; notes.txt; own/sheet.csv"
    )
    assert "actions.csv as actions.csv.kept-2" in told[1]
    wrote(out, overwrite=True)
    assert (out / "actions.csv.kept-1").read_text() == "first"


def test_a_file_of_ones_own_makes_way_for_an_output_of_its_name(tmp_path: Path) -> None:
    out = wrote(tmp_path / "run", status="audit-failed")
    (out / "plan.json").write_text("mine")
    wrote(out, overwrite=True)
    assert (out / "plan.json.kept-1").read_text() == "mine"
    assert strict(out / "plan.json")["status"] == "solved"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("manifest", "found"),
    [(None, "no run of ours"), ("{}", "no run of ours"), ("[1]", "no run of ours"),
     ('{"program": "other"}', "no run of ours"), ("not json", "no run of ours")],
)  # fmt: skip
def test_a_folder_that_is_no_run_is_never_replaced(
    tmp_path: Path, manifest: str | None, found: str, overwrite: bool
) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("years of work")
    if manifest is not None:
        (out / "manifest.json").write_text(manifest)
    before = names(out)
    with pytest.raises(UsageRefused, match=found):
        wrote(out, overwrite=overwrite)
    assert names(out) == before


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(UsageRefused, match="not a folder"):
        refuse_taken(tmp_path / "run", overwrite=True)


def test_a_dangling_link_is_not_taken_for_free(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageRefused):
        refuse_taken(tmp_path / "run")


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert "plan.json" in names(wrote(tmp_path / "run"))


def test_a_linked_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    wrote(tmp_path / "run")
    wrote(tmp_path / "run", overwrite=True)
    assert (tmp_path / "run").is_symlink()
    assert "plan.json" in names(tmp_path / "disk")


# --- what goes wrong -----------------------------------------------------------------------


@pytest.mark.parametrize("fails_at", [0, 1, 7])
@pytest.mark.parametrize("wrong", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_while_writing_leaves_the_old_run_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int, wrong: BaseException
) -> None:
    out = wrote(tmp_path / "run")
    before = {name: (out / name).read_bytes() for name in names(out)}
    calls = iter(range(100))

    def failing(stem: Path, table: pd.DataFrame) -> None:
        if next(calls) == fails_at:
            raise wrong
        write_table(stem, table)

    monkeypatch.setattr(write, "write_table", failing)
    with pytest.raises(type(wrong)):
        wrote(out, overwrite=True)
    assert {name: (out / name).read_bytes() for name in names(out)} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_failed_rename_puts_the_old_run_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = wrote(tmp_path / "run")
    plain = Path.replace

    def failing(self: Path, target: Any) -> Path:
        if self.suffix == ".part":
            raise OSError(5, "Input/output error")
        return plain(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="Input/output"):
        wrote(out, overwrite=True)
    monkeypatch.undo()
    assert "plan.json" in names(out)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def dead_process() -> int:
    """Number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    dead = tmp_path / f".run.{dead_process()}.x1.part"
    alive = tmp_path / f".run.{os.getpid()}.x2.part"
    other = tmp_path / ".run.notes.old.txt"
    for folder in (dead, alive, other):
        folder.mkdir()
    wrote(tmp_path / "run")
    assert not dead.exists()
    assert alive.exists()
    assert other.exists()


def test_a_run_that_was_moved_aside_when_killed_comes_back(tmp_path: Path) -> None:
    out = wrote(tmp_path / "run")
    aside = tmp_path / f".run.{dead_process()}.x1.old"
    out.replace(aside)
    with pytest.raises(UsageRefused, match="--overwrite"):
        wrote(out)
    assert "plan.json" in names(out)
    assert not aside.exists()


# --- cells ---------------------------------------------------------------------------------

LEADS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
HIDDEN = ("", " ", "\ufeff", "\u00a0", "\u3000", "\x00")
RESTS = ("1+1", "cmd|' /C calc'!A0", "", 'HYPERLINK("x")')
PAYLOADS = ["".join(parts) for parts in product(HIDDEN, LEADS, RESTS)]


def test_no_cell_is_a_formula() -> None:
    table = pd.DataFrame({"text": pd.Series(PAYLOADS, dtype="str")})
    told = [row[0] for row in list(csv.reader(io.StringIO(csv_text(table), newline="")))[1:]]
    plain = str.maketrans({"\x00": None, "\r": " ", "\n": " "})
    assert told == ["'" + payload.translate(plain) for payload in PAYLOADS]


def test_numbers_stay_numbers() -> None:
    table = pd.DataFrame({"x": [-1.5, 0.1 + 0.2, 1e-12, float("nan")], "n": [1, -2, 3, 4]})
    assert csv_text(table).splitlines() == [
        "x,n", "-1.5,1", "0.30000000000000004,-2", "1e-12,3", ",4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (-1e-12, "0"), (2.6e-9, "3e-09"), (1e9 + 0.25, "1000000000.25")],
)
def test_files_keep_nine_digits_behind_the_point(tmp_path: Path, value: float, text: str) -> None:
    write_table(tmp_path / "t", pd.DataFrame({"x": [value]}))
    assert (tmp_path / "t.csv").read_text() == f"x\n{text}\n"
    kept = pd.read_parquet(tmp_path / "t.parquet")["x"][0]
    assert cell(float(kept)) == text
