"""``rackwatt explain`` of an instance with a plan: its screen, its object, its files, its ends."""

from __future__ import annotations

import io
import json
import math
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pandas as pd
import pytest

from models.context import Context
from optimizer.answers.conflict.explained import Explained as InTheWay
from optimizer.answers.worth.bench import Bench
from optimizer.answers.worth.explained import Explained, Told, explain
from optimizer.answers.worth.told import _between, _upwards
from optimizer.cli import main
from optimizer.commands import explain as explain_command
from optimizer.commands import explain_plan
from optimizer.commands.ready import Wish
from optimizer.highs import Budget, Options
from optimizer.load import load
from tests.folders import edited, write_folder
from tests.optimizer.answers.anew import INSTANCES, by_hand

BY_HAND = str(INSTANCES / "by_hand")
TABLES = (
    "explain_limits", "explain_one_more_unit", "explain_not_chosen", "explain_defaults",
)  # fmt: skip


class Called(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str


def called(*words: str) -> Called:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["explain", *words])
    return Called(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Called, Path]:
    out = tmp_path_factory.mktemp("answers") / "run"
    return called(BY_HAND, "--json", "--out", str(out)), out


def test_the_object_holds_all_answers(answered: tuple[Called, Path]) -> None:
    result, out = answered
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["status"] == "solved"
    assert told["complete"] is True
    assert told["out"] == str(out)
    assert {name.removeprefix("explain_") for name in TABLES} <= set(told)
    hall = next(row for row in told["one_more_unit"] if row["key"] == "halls.barn.count")
    assert hall["resolved_musd"] == pytest.approx(2.2053223140)
    assert hall["margin_musd"] == pytest.approx(0.0, abs=1e-9)
    assert (hall["file"], hall["line"]) == ("instance.toml", "75")


def test_the_files_hold_them_too(answered: tuple[Called, Path]) -> None:
    result, out = answered
    told = json.loads(result.stdout)
    assert (out / "plan.json").is_file()
    for name in TABLES:
        table = pd.read_csv(out / f"{name}.csv")
        assert len(table) == len(told[name.removeprefix("explain_")]) > 0
        assert (out / f"{name}.parquet").is_file()
    written = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert {f"{name}.csv" for name in TABLES} <= set(written)


def test_the_same_instance_gives_the_same_bytes(
    answered: tuple[Called, Path], tmp_path: Path
) -> None:
    again = tmp_path / "again"
    called(BY_HAND, "--quiet", "--out", str(again))
    for name in TABLES:
        file = f"{name}.csv"
        assert (again / file).read_bytes() == (answered[1] / file).read_bytes()


def test_a_run_is_not_overwritten(answered: tuple[Called, Path]) -> None:
    before = (answered[1] / "manifest.json").read_bytes()
    refused = called(BY_HAND, "--out", str(answered[1]))
    assert refused.exit_code == 2
    assert (answered[1] / "manifest.json").read_bytes() == before


def test_a_run_is_a_plan_to_begin_from(answered: tuple[Called, Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(answered[1], run)
    result = called(str(run), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["value_musd"] == pytest.approx(12.029563554)
    (run / "actions.csv").unlink()
    empty = called(str(run))
    assert empty.exit_code == 2
    assert "no actions.csv" in empty.stderr


def test_a_run_with_another_plan_is_told_what_that_is_worth(tmp_path: Path) -> None:
    actions = tmp_path / "nothing.csv"
    actions.write_text(
        "action,month,node,site,subject,from,to,amount,unit,arrives,capex_musd,irrevocable_musd\n",
        encoding="utf-8",
    )
    run = tmp_path / "run"
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = main(["evaluate", BY_HAND, "--plan", str(actions), "--only", "--out", str(run)])
    assert code == 0, out.getvalue()
    result = called(str(run))
    assert "The plan of the run is worth 10.5 M$, 1.5 M$ less" in result.stdout
    own = called(BY_HAND)
    assert "The plan of the run" not in own.stdout


def test_the_screen_fits_and_names_keys_and_lines() -> None:
    shown = called(BY_HAND, "--quiet").stdout
    assert max(map(len, shown.splitlines())) <= 100
    assert "halls.barn.it_mw, instance.toml:76" in shown
    assert "rack lot" in shown
    for heading in ("What binds", "One more unit", "What was not chosen", "defaults that move"):
        assert heading in shown
    assert "not reached" not in shown
    assert "1 MW in each hall more: " in shown
    assert "1 MW more: worth nothing, re-solved, 0 at the margin" in shown
    assert "sign (tenant); shorter works (ai)" in shown
    # Halls stand in it: it was chosen.
    assert "fit-out mine" not in shown


def test_the_screen_says_which_default_leaves_no_plan(tmp_path: Path) -> None:
    dear = ("overhead_musd_per_year = 0.5", "overhead_musd_per_year = 11.08")
    lines = called(str(by_hand(tmp_path / "dear", dear)), "--quiet").stdout.splitlines()
    (line,) = (line for line in lines if line.startswith("machines.miner.availability_share"))
    assert "no plan left" in line


def test_bounds_are_never_told_narrower_than_they_are() -> None:
    assert _upwards(0.0112) == "0.02"
    assert _upwards(1e-6) == "1e-06"
    assert _between(0.0, 320.3241) == "0 to 320.40?"
    assert _between(-0.12341, 0.12341) == "-0.124 to 0.124?"


def test_after_the_limit_no_solve_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(load(INSTANCES / "by_hand"), Options(time_limit=600.0))

    def begun(*_: Any, **__: Any) -> None:
        pytest.fail("a solve began after the limit")

    def told(what: str, done: int) -> None:
        if (what, done) == ("one more unit", 4):
            monkeypatch.setattr(Budget, "to_search", property(lambda _: 0.0))
            monkeypatch.setattr(Budget, "run", begun)
            monkeypatch.setattr("optimizer.answers.worth.bench.solve", begun)

    found = explain(bench, None, told)
    assert not found.is_whole
    assert {one.verdict for one in found.worths[4:]} == {"not reached"}
    assert {one.verdict for one in found.moves} == {"not reached"}


@pytest.mark.parametrize(
    ("limit", "taken", "left"),
    [("600", 250.0, 350.0), ("600", 700.0, 0.0), (None, 250.0, math.inf)],
)
def test_what_the_first_question_took_is_off_the_limit(
    monkeypatch: pytest.MonkeyPatch, limit: str | None, taken: float, left: float
) -> None:
    """Whether there is a plan at all is asked first: the limit is of both answers together."""
    clock, given = [1000.0], list[float]()

    def nothing_in_the_way(*_: Any, **__: Any) -> InTheWay:
        clock[0] += taken
        return InTheWay("feasible")

    def explained(_: Any, wish: Wish, *__: Any, **___: Any) -> int:
        given.append(wish.options.time_limit)
        return 0

    monkeypatch.setattr(explain_command, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(explain_command, "explain", nothing_in_the_way)
    monkeypatch.setattr(explain_command, "explain_plan", explained)
    words = () if limit is None else ("--time-limit", limit)
    assert called(BY_HAND, *words).exit_code == 0
    assert given == [left]


def test_what_a_stop_does_not_allow_is_told_as_not_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stopped(bench: Bench, plan: Context | None, tell: Told | None) -> Explained:
        """Stop where Ctrl-C or the time limit would, after four units."""

        def told(what: str, done: int) -> None:
            if (what, done) == ("one more unit", 4):
                bench.stop.set()

        assert tell is not None
        return explain(bench, plan, told)

    monkeypatch.setattr(explain_plan, "explain", stopped)
    result = called(BY_HAND, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 10
    assert (told["status"], told["complete"]) == ("solved", False)
    units = [row["verdict"] == "not reached" for row in told["one_more_unit"]]
    assert units == [False] * 4 + [True] * (len(units) - 4)
    assert {row["verdict"] for row in told["not_chosen"]} == {"not reached"}
    assert {row["verdict"] for row in told["defaults"]} == {"not reached"}
    assert all(row["resolved_musd"] is None for row in told["one_more_unit"][4:])


def test_the_screen_names_what_was_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(bench: Bench, plan: Context | None, tell: Told | None) -> Explained:
        return explain(bench, plan, lambda what, _: bench.stop.set() if "unit" in what else None)

    monkeypatch.setattr(explain_plan, "explain", stopped)
    shown = called(BY_HAND).stdout
    assert shown.count("not reached in time") == 3
    assert "proved to move it less" not in shown
    assert "no default moves it" not in shown


def test_without_any_time_nothing_is_settled() -> None:
    result = called(BY_HAND, "--time-limit", "0", "--json")
    assert result.exit_code == 10
    assert json.loads(result.stdout)["status"] == "undecided"


def test_an_instance_without_a_plan_is_told_as_such(tmp_path: Path) -> None:
    folder = by_hand(tmp_path / "none", ("minimum_cash_musd = 2", "minimum_cash_musd = 4000"))
    result = called(str(folder), "--json", "--out", str(tmp_path / "out"))
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["status"] == "infeasible"
    assert "finance.minimum_cash_musd" in str(said["clashes"])
    assert (tmp_path / "out" / "explain.json").exists()


def test_bad_input_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "bad", edited("count = 4", "count = -4"))
    result = called(str(folder), "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["status"] == "refused"


def test_what_more_of_a_key_is_worth_is_told_once(answered: tuple[Called, Path]) -> None:
    """The halls' MW limit both of their states."""
    shown = called(BY_HAND, "--quiet").stdout
    lines = shown.partition("One more unit of each limit")[0].splitlines()
    assert sum("IT MW of the halls, barn:" in line for line in lines) == 2
    assert sum(line.startswith("  1 MW in each hall more: 0.832 re-solved") for line in lines) == 1
    assert "– at the margin" not in shown
    assert max(map(len, shown.splitlines())) <= 100
