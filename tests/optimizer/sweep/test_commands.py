"""``rackwatt sweep`` and what looks at one, as their user calls them."""

import csv
import fcntl
import gc
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

import pandas as pd
import pytest

from optimizer.case import prepare
from optimizer.cli import main
from optimizer.commands.sweeps.ending import Ending, _next
from optimizer.load import load
from optimizer.solve import solve
from optimizer.sweep.point.home import PREFIX
from optimizer.sweep.rows.store import Store
from optimizer.sweep.running import cluster
from optimizer.sweep.running import run as running
from optimizer.sweep.running.run import Summary
from tests.optimizer.sweep.bases import INSTANCES
from tests.optimizer.sweep.commands import (
    GRID,
    bad_cases,
    make_killed,
    write_cases,
    write_grid,
)

ROOT = Path(__file__).parents[3]
DATABASE = "runs/grid.sweep.db"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with a finished sweep; it is copied, and never changed."""
    folder = tmp_path_factory.mktemp("done")
    file = write_grid(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["sweep", str(file), "--workers", "2", "--quiet"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def grid(done, tmp_path):
    """The sweep file of a finished sweep, its database where the command puts it."""
    shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    return tmp_path / "grid.toml"


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- help ----------------------------------------------------------------------------------


def test_help_tells_of_files_and_of_commands(rackwatt):
    said = rackwatt("--help")
    assert said.code == 0
    assert "rackwatt sweep [OPTIONS] FILE | COMMAND" in said.out
    for word in ("--workers", "--scheduler", "--retry", "status", "show", "export", "point"):
        assert word in said.out
    assert "--backwards" not in said.out
    assert max(map(len, said.out.splitlines())) <= 100


@pytest.mark.parametrize("command", ["run", "status", "show", "export", "point"])
def test_every_command_has_help_with_examples(rackwatt, command):
    said = rackwatt(command, "--help")
    assert said.code == 0
    assert "Examples" in said.out


def test_a_misspelt_command_is_told_from_a_file(rackwatt, grid):
    said = rackwatt("statsu", "x")
    assert said.code == 2
    assert "neither a sweep file nor a command; did you mean `status`?" in said.err
    said = rackwatt(grid, "--workers", "2", "--scheduler", "tcp://x")
    assert (said.code, "give one of" in said.err) == (2, True)
    said = rackwatt(grid, "--retry", "time-out")
    assert said.code == 2
    assert "did you mean `timeout`" in said.err


@pytest.mark.parametrize("given", [["s.toml", "--bogus"], ["s.toml", "--workers", "0"], ["-q"]])
def test_usage_is_told_as_it_is_typed(rackwatt, given):
    said = rackwatt(*given)
    assert said.code == 2
    assert "rackwatt sweep [OPTIONS]" in said.err
    assert "sweep run" not in said.err + rackwatt("run", "--help").out


# --- running -------------------------------------------------------------------------------


def test_a_sweep_is_run_and_told(rackwatt, tmp_path):
    file = write_grid(tmp_path)
    said = rackwatt(file, "--workers", "1")
    assert said.code == 0, said.err
    assert "6 cases of by_hand: a grid of capex 3 × firm 2" in said.err
    assert "6 to solve, with 1 worker; rows go to runs/grid.sweep.db" in said.err
    assert re.search(r"about \d:\d\d for all: the base itself took \d", said.err)
    assert re.search(r"; up to \d:\d\d where cases are harder$", said.err, re.M)
    assert re.search(r"^the base   \d:\d\d   plan 1[12]\.", said.err, re.M)
    assert "6 of 6 done" in said.err
    assert "all 6 done: 6 solved" in said.out
    assert re.search(r"^highest +12\.0 +3 +capex 10, firm 1", said.out, re.M)
    assert "rackwatt sweep show runs/grid.sweep.db" in said.err
    assert "\x1b" not in said.out + said.err


def test_nothing_is_left_among_temporary_files(rackwatt, tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    assert rackwatt(write_grid(tmp_path), "--workers", "2").code == 0
    gc.collect()
    assert not list((tmp_path / "tmp").glob(f"{PREFIX}*"))


def test_a_dry_run_counts_and_writes_nothing(rackwatt, tmp_path):
    said = rackwatt(write_grid(tmp_path), "--dry-run", "--json")
    assert said.code == 0
    found = said.object
    assert (found["status"], found["cases"], found["wanted"]) == ("dry-run", 6, 6)
    assert 0 < found["seconds"] < found["seconds_at_most"]
    assert not (tmp_path / "runs").exists()
    said = rackwatt(write_grid(tmp_path), "--dry-run", "--quiet")
    assert "6 cases of by_hand" in said.out
    assert said.err == ""


def test_running_again_solves_what_is_new_alone(rackwatt, grid):
    found = rackwatt(grid, "--json").object
    assert (found["status"], found["computed"], found["skipped"]) == ("settled", 0, 6)
    grid.write_text(grid.read_text().replace("[5, 10, 15]", "[5, 10, 15, 20]"))
    said = rackwatt(grid, "--dry-run")
    assert "6 done already, 2 to solve" in said.out
    assert "a case took" in said.out
    found = rackwatt(grid, "--workers", "1", "--json").object
    assert (found["computed"], found["skipped"], found["total"]) == (2, 6, 8)
    grid.write_text(grid.read_text().replace("[5, 10, 15, 20]", "[10]"))
    said = rackwatt(grid)
    assert "all are done" in said.err
    assert "6 rows of cases that the file no longer has are kept" in said.err


def test_changed_inputs_are_refused_by_name_or_kept_apart(rackwatt, tmp_path):
    shutil.copytree(INSTANCES / "by_hand", tmp_path / "base")
    file = write_grid(tmp_path, GRID.replace("5, 10, 15", "10"), base="base")
    assert rackwatt(file, "--workers", "1").code == 0
    instance = tmp_path / "base/instance.toml"
    instance.write_text(instance.read_text().replace("firm_mw = 12", "firm_mw = 14"))
    for dry in ([], ["--dry-run"]):
        said = rackwatt(file, *dry)
        assert said.code == 3
        assert "instance.toml has changed" in said.err
        assert "--new-version" in said.err
        assert said.err.splitlines()[-1].startswith("rackwatt  ")
    assert rackwatt(file, "--new-version", "--workers", "1").code == 0
    said = rackwatt("status", file)
    assert "versions: 1 of" in said.out
    values = [rackwatt("show", file, "--version", n, "--json").object["cases"] for n in (1, 2)]
    assert values[0][0]["value_musd"] != values[1][0]["value_musd"]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are ended by signals")
def test_failing_cases_are_told_row_by_row(rackwatt, tmp_path, monkeypatch):
    monkeypatch.setattr("optimizer.commands.sweeps.run.make_evaluate", make_killed)
    file = write_cases(tmp_path, bad_cases(100))
    said = rackwatt(file, "--workers", "2", "--json")
    assert said.code == 11
    found = said.object
    assert found["status"] == "some-failed"
    assert found["counts"] == {"infeasible": 5, "invalid": 1, "solved": 93, "worker_died": 1}
    assert [(one["number"], one["status"]) for one in found["failing"]] == [
        (5, "invalid"), (10, "worker_died"),
    ]  # fmt: skip
    assert found["failing"][0]["message"] == "contracts.tenant: min_mw lies above max_mw"
    said = rackwatt("status", file)
    assert "all 100 done: 93 solved, 5 infeasible, 1 invalid, 1 worker died" in said.out
    assert "the worker died whenever it was" in said.out
    rackwatt("export", file, "all.csv")
    rows = rows_of(tmp_path / "all.csv")
    assert [row["status"] for row in rows].count("infeasible") == 5
    assert all(row["message"] for row in rows if row["status"] != "solved")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    # Whoever mends the cause tries again what failed, and nothing else.
    found = rackwatt(file, "--retry", "worker_died", "--workers", "1", "--json").object
    assert (found["computed"], found["counts"]["solved"]) == (1, 94)
    said = rackwatt(file, "--retry", "invalid", "--dry-run")
    assert "99 done already, 1 to try again, with " in said.out
    file.write_text(file.read_text().replace("cases.csv", "more.csv"))
    lines = (tmp_path / "cases.csv").read_text()
    (tmp_path / "more.csv").write_text(f"{lines}new,2,2,9\n")
    said = rackwatt(file, "--retry", "invalid", "--dry-run")
    assert "99 done already, 1 to solve, 1 to try again, with " in said.out
    said = rackwatt("point", file, "5")
    assert "the sweep has it as invalid: contracts.tenant: min_mw lies above max_mw\n" in said.err


def test_a_base_without_a_plan_stops_no_sweep(rackwatt, tmp_path):
    shutil.copytree(INSTANCES / "by_hand", tmp_path / "base")
    instance = tmp_path / "base/instance.toml"
    text = instance.read_text()
    instance.write_text(text.replace("minimum_cash_musd = 2", "minimum_cash_musd = 60"))
    file = tmp_path / "cash.toml"
    file.write_text(
        '[sweep]\nbase = "base"\n[axes.cash]\nkey = "finance.minimum_cash_musd"\n'
        "values = [2, 60]\n"
    )
    said = rackwatt(file, "--workers", "1")
    assert said.code == 0, said.err
    assert "has no plan, so cases begin from nothing" in said.err
    assert "all 2 done: 1 solved, 1 infeasible" in said.out


def test_a_plan_is_held_against_every_case(rackwatt, tmp_path):
    (tmp_path / "mine.csv").write_text(
        "action,month,subject,from,to,amount\n"
        "convert,2029-01,ai+two-feeds,barn:mine,barn:ai+two-feeds,1\n"
    )
    file = write_grid(tmp_path, GRID + '[plan]\nactions = "mine.csv"\n')
    said = rackwatt(file, "--workers", "1")
    assert said.code == 0, said.err
    assert "the plan can be kept to in " in said.out
    assert "its largest regret is " in said.out
    cases = rackwatt("show", file, "--value", "plan_status", "--json").object["cases"]
    assert [case["plan_status"] for case in cases][:2] == ["infeasible"] * 2
    file.write_text(file.read_text() + "only = true\n")
    said = rackwatt(file)
    assert (said.code, "the plan's rules.json has changed" in said.err) == (3, True)
    assert rackwatt("point", file, "4", "--instance", "case").code == 0
    assert (tmp_path / "case/plan/actions.csv").read_bytes() == (
        tmp_path / "mine.csv"
    ).read_bytes()
    (tmp_path / "mine.csv").write_text(
        "action,month,subject,from,to,amount\nconvert,2029-01,ai,barn:mine,shed:ai,1\n"
    )
    said = rackwatt(file, "--out", "other.db")
    assert (said.code, "unknown place" in said.err) == (3, True)


def test_cases_lend_one_another_their_plans(rackwatt, grid, monkeypatch, tmp_path):
    """As in a large sweep: three of the six come first, and the bytes are the same."""
    for name, value in (("MANY_WHOLE", 1), ("MANY_POINTS", 6), ("POINTS_TO_A_LENDER", 2)):
        monkeypatch.setattr(running, name, value)
    said = rackwatt(grid, "--out", "one.db")
    assert "3 cases come first and lend the others their plans to begin from\n" in said.err
    said = rackwatt(grid, "--out", "other.db", "--backwards", "--workers", "1")
    assert said.code == 0
    for name in ("one", "other"):
        assert rackwatt("export", f"{name}.db", f"{name}.csv").code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()
    with Store.open(tmp_path / "one.db") as store:
        assert len(store.close_lending(store.version())) == 3
    assert "lend" not in rackwatt(grid, "--out", "one.db").err


def test_what_to_type_next_names_a_database_of_ones_own(rackwatt, grid, tmp_path):
    for path, more in ((tmp_path / DATABASE, ""), (tmp_path / "mine.db", " --out mine.db")):
        assert rackwatt(grid, "--out", path.relative_to(tmp_path)).code == 0
        with Store.read(path.relative_to(tmp_path)) as store:
            cut = Summary(store.version().number, 9, {"solved": 6, "error": 1})
            told = list(_next(Ending(store, cut, Path("grid.toml"))))
        assert f"go on       rackwatt sweep grid.toml{more}" in told
        assert f"try again   rackwatt sweep grid.toml{more} --retry error" in told


# --- one clear message ---------------------------------------------------------------------


def test_other_databases_are_refused(rackwatt, grid, tmp_path):
    other = write_grid(tmp_path, name="other.toml")
    before = (tmp_path / DATABASE).read_bytes()
    said = rackwatt(other, "--out", DATABASE)
    assert (said.code, said.err.count("\n")) == (3, 1)
    assert "holds the sweep grid, not other" in said.err
    (tmp_path / "notes.db").write_text("my notes")
    said = rackwatt(other, "--out", "notes.db")
    assert (said.code, "is no sweep" in said.err) == (3, True)
    assert (tmp_path / "notes.db").read_text() == "my notes"
    assert (tmp_path / DATABASE).read_bytes() == before


def test_a_second_process_is_refused(rackwatt, grid, tmp_path):
    with Store.open(tmp_path / DATABASE):
        said = rackwatt(grid)
        assert (said.code, said.err.splitlines()[-1]) == (3, said.err.strip())
        assert "is being written by process" in said.err
        assert "running: process" in rackwatt("status", grid).out
    assert rackwatt(grid).code == 0


def test_dask_that_is_missing_and_schedulers_that_are_not_there(rackwatt, grid, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1.0)
    said = rackwatt(grid, "--scheduler", "tcp://127.0.0.1:9")
    assert (said.code, said.err.count("\n")) == (3, 1)
    assert "no scheduler answers at tcp://127.0.0.1:9" in said.err
    monkeypatch.setattr(cluster, "WorkerPlugin", object)
    said = rackwatt(grid, "--scheduler", "tcp://127.0.0.1:9", "--json")
    assert (said.code, said.object["status"]) == (3, "refused")
    assert 'pip install "rackwatt[dask]"' in said.object["message"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_that_may_not_be_written(rackwatt, tmp_path):
    file = write_grid(tmp_path)
    (tmp_path / "runs").mkdir(mode=0o555)
    said = rackwatt(file)
    assert (said.code, "may not" in said.err or "nothing may be written" in said.err) == (3, True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts need root")
def test_a_full_disk_and_one_that_may_not_be_written(rackwatt, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    file = write_grid(tmp_path)
    try:
        (disk / "filler").write_bytes(b"x" * 190_000)
        said = rackwatt(file, "--out", disk / "s.db", "--quiet")
        assert said.code == 3
        assert said.err.count("\n") == 1
        assert "full" in said.err
        (disk / "filler").unlink()
        assert rackwatt(file, "--out", disk / "s.db", "--quiet", "--workers", "1").code == 0
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        said = rackwatt(file, "--out", disk / "s.db", "--quiet")
        assert (said.code, said.err.count("\n")) == (3, 1)
        assert rackwatt("status", disk / "s.db").code == 0
        assert rackwatt("export", disk / "s.db", disk / "a.csv").code == 3
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_what_is_not_there_is_told(rackwatt, tmp_path):
    file = write_grid(tmp_path)
    for command in ("status", "show"):
        said = rackwatt(command, file)
        assert (said.code, "run it with `rackwatt sweep" in said.err) == (3, True)
    assert rackwatt("status", "nothing.db").code == 3
    assert rackwatt("status", "nothing.toml").code == 3
    assert rackwatt("nothing.toml").code == 3


# --- looking at it -------------------------------------------------------------------------


def test_status_of_a_finished_sweep(rackwatt, grid):
    said = rackwatt("status", grid)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:3] == [
        "grid  6 cases of by_hand", "Capex against firm MW", "all 6 done: 6 solved",
    ]  # fmt: skip
    assert "complete" in said.out
    found = rackwatt("status", DATABASE, "--json").object
    assert (found["status"], found["done"], found["missing"]) == ("complete", 6, 0)
    assert found["highest"]["settings"] == {"capex": 10, "firm": 1.0}


def test_status_while_the_base_is_solved(rackwatt, tmp_path):
    path = tmp_path / "just-begun.sweep.db"
    with Store.open(path):
        said, found = rackwatt("status", path), rackwatt("status", path, "--json").object
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"running: process {os.getpid()} on {socket.gethostname()}",
        "the base is solved first; no case has begun yet",
        f"kept in {path}",
    ]
    assert (found["status"], found["done"]) == ("running", 0)
    said = rackwatt("status", path)
    assert said.code == 3
    assert "holds no run yet" in said.err


def test_a_grid_of_two_axes_is_one_table(rackwatt, grid):
    said = rackwatt("show", grid)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[2] == "value, M$"
    assert lines[3].split() == ["capex", "↓", "firm", "→", "0.5", "1"]
    assert [line.split() for line in lines[4:7]] == [
        ["5", "7.1", "10.5"], ["10", "9.1", "12.0"], ["15", "9.1", "12.0"],
    ]  # fmt: skip
    said = rackwatt("show", grid, "--columns", "capex", "--value", "ai_last_it_mw")
    assert "firm ↓  capex →" in said.out
    assert "critical IT MW of AI" in said.out
    said = rackwatt("show", grid, "--where", "firm=1")
    assert said.out.splitlines()[2].startswith("capex  value, M$  capex, M$  mining last, MW")
    said = rackwatt("show", grid, "--rows", "firm")
    assert "least value, M$" in said.out


def test_what_cannot_be_shown_is_told_with_what_can(rackwatt, grid):
    for given, words in (
        (["--rows", "capx"], "did you mean `capex`?"),
        (["--value", "valu_musd"], "did you mean `value_musd`?"),
        (["--where", "firm=7"], "no case has these settings"),
        (["--rows", "firm", "--columns", "firm"], "down and across"),
        (["--where", "firm"], "is not AXIS=SETTING"),
    ):
        said = rackwatt("show", grid, *given)
        assert said.code == 2
        assert words in said.err


def test_statuses_and_open_verdicts_stand_in_the_cells(rackwatt, tmp_path, monkeypatch):
    file = write_cases(tmp_path, ["a,2,2,10", "b,40,2,10", "c,2,7,10"])
    assert rackwatt(file, "--workers", "1").code == 11
    said = rackwatt("show", file)
    assert "infeas." in said.out
    assert "infeas.: no plan keeps to all limits (1 case)" in said.out
    assert "invalid: the changed instance is refused" in said.out
    with Store.open(tmp_path / "runs/cases.sweep.db") as store:
        store.ask(
            "UPDATE rows SET metrics = json_set(metrics, '$.beats_nothing', 'undecided') "
            "WHERE status = 'solved'"
        )
    said = rackwatt("show", file)
    assert "12.0?" in said.out
    assert "? the gap leaves open whether it beats doing nothing" in said.out


def test_drawn_cases_are_shown_in_bands(rackwatt, tmp_path):
    text = GRID.replace("[sweep]", '[sweep]\ndesign = "monte_carlo"\nsamples = 16').replace(
        "[5, 10, 15]", "{{ from = 0, to = 15 }}"
    )
    file = write_grid(tmp_path, text)
    assert rackwatt(file, "--workers", "1").code == 0
    lines = rackwatt("show", file).out.splitlines()
    assert lines[2].split() == ["capex", "cases", "no", "plan", "least", "value,", "M$", "mean",
                                "most"]  # fmt: skip
    assert sum(int(line.split()[1]) for line in lines[3:] if "–" in line) == 16


def test_exports_are_the_same_bytes_whoever_computed_them(rackwatt, grid, tmp_path):
    for kind in ("csv", "parquet"):
        assert rackwatt("export", DATABASE, f"a.{kind}").code == 0
    once = tmp_path / "once"
    once.mkdir()
    for options in (["--workers", "1"], ["--workers", "1", "--backwards"]):
        (once / "s.db").unlink(missing_ok=True)
        assert rackwatt(grid, "--out", once / "s.db", *options).code == 0
        for kind in ("csv", "parquet"):
            other = once / f"b.{kind}"
            assert rackwatt("export", once / "s.db", other, "--overwrite").code == 0
            assert other.read_bytes() == (tmp_path / f"a.{kind}").read_bytes()
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert list(frame["number"]) == list(range(6))
    assert "cpu_seconds" not in frame
    said = rackwatt("export", grid, "t.csv", "--timings")
    assert "cpu_seconds" in rows_of(tmp_path / "t.csv")[0]
    assert "wrote t.csv: 6 rows" in said.err
    assert rackwatt("export", grid, "t.csv").code == 2
    assert rackwatt("export", grid, "t.xlsx").code == 2


# --- one case ------------------------------------------------------------------------------


def test_a_case_is_opened_as_a_run_of_its_own(rackwatt, grid, tmp_path):
    rackwatt("export", grid, "a.csv")
    row = rows_of(tmp_path / "a.csv")[2]
    found = rackwatt("point", grid, "2", "--json").object
    assert found["status"] == "solved"
    assert found["value_musd"] == pytest.approx(float(row["value_musd"]), rel=1e-4)
    plan = json.loads((tmp_path / "runs/grid-2/plan.json").read_text())
    assert plan["value_musd"] == pytest.approx(found["value_musd"])
    said = rackwatt("point", grid, row["id"][:9], "--out", "mine")
    assert said.code == 0
    assert "Case 2 of the sweep grid: capex 10, firm 0.5" in said.err
    assert "the sweep has it as solved with 9.1" in said.err
    assert re.search(r"; no plan beats 9\.1\d* M\$ \(gap 0\.0\d\d %\)\. Alone it begins", said.err)
    assert rackwatt("point", grid, "2").code == 2


def test_a_case_is_written_as_an_instance(rackwatt, grid, tmp_path):
    assert rackwatt("point", grid, "2", "--instance", "case").code == 0
    text = (tmp_path / "case/instance.toml").read_text()
    assert "# Case 2 of the sweep grid: capex 10, firm 0.5" in text
    assert "#   sites.creek.firm_mw = 6.0, was 12" in text
    loaded = load(tmp_path / "case")
    assert loaded.instance.finance.capex_budget_musd == 10
    fresh = solve(prepare(loaded.instance, loaded.hours))
    rows = rackwatt("show", grid, "--json").object["cases"]
    assert fresh.value_musd == pytest.approx(rows[2]["value_musd"], rel=1e-4)
    assert rackwatt("point", grid, "3", "--instance", "case").code == 2


def test_cases_that_are_not_there_or_not_one(rackwatt, grid):
    said = rackwatt("point", grid, "6")
    assert (said.code, "numbers go from 0 to 5" in said.err) == (2, True)
    said = rackwatt("point", grid, "xyz")
    assert (said.code, "has no case xyz" in said.err) == (2, True)


# --- in a terminal -------------------------------------------------------------------------


class Terminal:
    """A command that believes it speaks to a person with a hundred columns."""

    def __init__(self, folder, *arguments):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x28\x00\x64\x00\x00\x00\x00\x00")
        surroundings = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "optimizer.cli", "sweep", *map(str, arguments)],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True,
            env=surroundings | {"PYTHONPATH": str(ROOT), "TERM": "xterm"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""

    def until(self, words, seconds=60.0):
        end = time.monotonic() + seconds
        while words not in self.seen and time.monotonic() < end:
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    chunk = os.read(self._ours, 65536)
                except OSError:
                    break
                self.seen += chunk.decode()
        return words in self.seen

    def press_ctrl_c(self):
        os.write(self._ours, b"\x03")

    def ends(self):
        self.until("never said", 30.0)
        code = self.process.wait(30)
        os.close(self._ours)
        return code


def shown_lines(text):
    """Lines as they stand, without colours."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "\n").splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="terminals are Linux's here")
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(tmp_path):
    values = ", ".join(f"{5 + n / 50}" for n in range(300))
    file = write_grid(tmp_path, GRID.replace("5, 10, 15", values))
    # A path of its own would be told in full, however wide.
    terminal = Terminal(tmp_path, file.name, "--workers", "1")
    try:
        assert terminal.until("a second"), terminal.seen
        terminal.press_ctrl_c()
        assert terminal.until("stopping: cases that are on get ten seconds")
        assert terminal.ends() == 130
    finally:
        terminal.process.kill()
    text = "\n".join(shown_lines(terminal.seen))
    assert max(map(len, shown_lines(terminal.seen))) <= 100
    assert "go on       rackwatt sweep " in text
    assert "stopped before anything was found" not in text
    with Store.read(tmp_path / DATABASE) as store:
        done = sum(store.counts(store.version()).values())
    assert 0 < done < 600
    assert f"{done} of 600 done" in text


@pytest.mark.skipif(sys.platform != "linux", reason="terminals are Linux's here")
def test_status_while_it_runs_and_a_second_ctrl_c(tmp_path):
    values = ", ".join(f"{5 + n / 50}" for n in range(300))
    file = write_grid(tmp_path, GRID.replace("5, 10, 15", values))
    terminal = Terminal(tmp_path, file, "--workers", "1")
    try:
        assert terminal.until("a second"), terminal.seen
        other = Terminal(tmp_path, "status", file)
        assert other.ends() == 0
        assert f"running: process {terminal.process.pid} on " in other.seen
        assert re.search(r"\d+ of 600 done: \d+ solved", other.seen)
        os.kill(terminal.process.pid, signal.SIGINT)
        assert terminal.until("stopping")
        os.kill(terminal.process.pid, signal.SIGINT)
        assert terminal.ends() == 130
    finally:
        terminal.process.kill()
    assert "Traceback" not in terminal.seen


@pytest.mark.skipif(sys.platform != "linux", reason="terminals are Linux's here")
@pytest.mark.parametrize("arguments", [["show"], ["status"], ["show", "--rows", "firm"]])
def test_screens_fit_a_hundred_columns(grid, tmp_path, arguments):
    command, *options = arguments
    terminal = Terminal(tmp_path, command, grid, *options)
    try:
        assert terminal.ends() == 0
    finally:
        terminal.process.kill()
    lines = shown_lines(terminal.seen)
    assert max(map(len, lines)) <= 100
    assert not any("…" in line for line in lines)
