"""Fronts through ``rackwatt sweep``: run, gone on with, shown, exported and refused."""

import csv
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from optimizer.cli import main
from optimizer.sweep.point import ends as ends_module
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.rows.store import Store
from tests.optimizer.sweep.bases import INSTANCES
from tests.optimizer.sweep.commands import GRID, write_grid

#: Doing nothing costs nothing, and is best up to 10 M$, which a hall of AI costs.
FRONT = """\
[sweep]
base = "{base}"
summary = "Value against capex"

[pareto]
maximise = ["value"]
minimise = ["capex"]
points = 5
"""
AXIS = """
[axes.rate]
key = "contracts.*.rate_usd_per_kw_month"
scale = [0.5, 1.0]
"""
DATABASE = "runs/front.sweep.db"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with two finished sweeps; it is copied, and never changed."""
    folder = tmp_path_factory.mktemp("done")
    files = [write_grid(folder, FRONT, name="front.toml"),
             write_grid(folder, FRONT + AXIS, name="axis.toml")]  # fmt: skip
    before = Path.cwd()
    os.chdir(folder)
    try:
        for file in files:
            assert main(["sweep", str(file), "--workers", "1", "--quiet"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def front(done, tmp_path):
    """The sweep file of a finished front, its database where the command puts it."""
    shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    return tmp_path / "front.toml"


@pytest.fixture
def nothing_solved(monkeypatch):
    """See to it that neither the base nor any case is solved again."""

    def refuse(*_arguments, **_named):
        raise AssertionError("solved again")

    monkeypatch.setattr(Evaluator, "start", refuse)
    monkeypatch.setattr(Evaluator, "__call__", refuse)
    monkeypatch.setattr(ends_module, "solve", refuse)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table_of(text):
    """Lines of the table of a front, split, from its heading on."""
    lines = [line.split() for line in text.splitlines()]
    first = next(i for i, line in enumerate(lines) if line[-2:] == ["level", "point"])
    return [line for line in lines[first + 1 :] if line and line[-1].isdecimal()]


# --- running -------------------------------------------------------------------------------


def test_a_front_is_run_and_told(rackwatt, tmp_path):
    said = rackwatt(write_grid(tmp_path, FRONT, name="front.toml"), "--workers", "1")
    assert said.code == 0, said.err
    told = said.err.splitlines()
    assert told[0] == "front  Value against capex"
    assert told[1] == "at most 5 cases of by_hand: 5 levels of capex"
    assert told[2].startswith("at most 5 to solve, with 1 worker; rows go to runs/front.sweep.db")
    assert "5 levels of capex: 0 to 10 M$" in told
    assert "or more for all: the base itself took" in said.err
    assert "choosing among plans alike in value comes on top" in said.err
    assert "5 of 5 done" in said.err
    assert "2 of 5 plans lie on the front" in said.out
    assert f"the front   rackwatt sweep show {DATABASE}" in said.err
    with Store.read(tmp_path / DATABASE) as store:
        assert store.version().ties == "capex"


def test_a_dry_run_of_a_front_counts_its_levels(rackwatt, tmp_path):
    file = write_grid(tmp_path, FRONT + AXIS, name="axis.toml")
    said = rackwatt(file, "--dry-run")
    assert said.code == 0, said.err
    assert "at most 10 cases of by_hand: a grid of rate 2, each at 5 levels of capex" in said.out
    assert "5 levels of capex: 0 to 10 M$" in said.out
    found = rackwatt(file, "--dry-run", "--json").object
    assert (found["status"], found["cases"], found["wanted"]) == ("dry-run", 10, 10)
    assert not (tmp_path / "runs").exists()


def test_levels_that_come_to_the_same_are_counted_once(rackwatt, tmp_path):
    shutil.copytree(INSTANCES / "by_hand", tmp_path / "base")
    instance = tmp_path / "base/instance.toml"
    text = instance.read_text()
    # No hall can be paid for: the best plan of the base is to do nothing, at both ends.
    instance.write_text(text.replace("capex_budget_musd = 15", "capex_budget_musd = 5"))
    file = write_grid(tmp_path, FRONT, base="base", name="front.toml")
    said = rackwatt(file, "--dry-run")
    assert "at most 5 cases of base: 5 levels of capex" in said.out
    assert "1 level of capex: 0 M$" in said.out
    assert rackwatt(file, "--dry-run", "--json").object["cases"] == 1


def test_nothing_is_solved_twice(rackwatt, front, nothing_solved):
    found = rackwatt(front, "--workers", "1", "--json").object
    assert (found["status"], found["computed"], found["skipped"]) == ("settled", 0, 5)
    said = rackwatt(front, "--workers", "1")
    assert "5 cases of by_hand: 5 levels of capex" in said.err
    assert "all are done" in said.err
    found = rackwatt(front, "--dry-run", "--json").object
    assert (found["cases"], found["done"], found["wanted"]) == (5, 5, 0)


def test_levels_and_cases_that_are_new_are_solved_alone(rackwatt, front, monkeypatch):
    monkeypatch.setattr(Evaluator, "start", lambda *_: pytest.fail("the base is solved again"))
    front.write_text(front.read_text().replace("points = 5", "points = 9"))
    said = rackwatt(front, "--dry-run")
    assert "5 done already, 4 to solve" in said.out
    found = rackwatt(front, "--workers", "1", "--json").object
    assert (found["computed"], found["skipped"], found["total"]) == (4, 5, 9)
    front.write_text(front.read_text() + AXIS)
    found = rackwatt(front, "--workers", "1", "--json").object
    # A factor of 1 is the case that is done.
    assert (found["computed"], found["skipped"], found["total"]) == (9, 9, 18)


def test_a_front_that_was_cut_off_goes_on_at_the_same_levels(rackwatt, front, tmp_path):
    whole = rackwatt("show", front, "--json").object["cases"]
    with Store.open(tmp_path / DATABASE) as store:
        store.ask("DELETE FROM rows WHERE id IN (SELECT id FROM points WHERE number > 1)")
        store.ask("DELETE FROM points WHERE number > 2")
    found = rackwatt(front, "--workers", "1", "--json").object
    assert (found["computed"], found["skipped"]) == (3, 2)
    assert rackwatt("show", front, "--json").object["cases"] == whole


# --- looking at it -------------------------------------------------------------------------


def test_show_prints_the_front(rackwatt, front, tmp_path):
    front.unlink()
    shutil.rmtree(tmp_path / "base", ignore_errors=True)
    said = rackwatt("show", DATABASE)
    assert said.code == 0, said.err
    assert said.out.splitlines()[2].split("  ")[0] == "capex, M$"
    assert table_of(said.out) == [
        ["0", "10.515", "yes", "0", "0"], ["0", "10.515", "no", "2.5", "1"],
        ["0", "10.515", "no", "5", "2"], ["0", "10.515", "no", "7.5", "3"],
        ["10", "12.030", "yes", "10", "4"],
    ]  # fmt: skip
    assert "no: another plan is as good in value and capex" in said.out
    # A choice of cases leaves verdicts as they are.
    chosen = rackwatt("show", DATABASE, "--where", "capex_at_most_musd=2.5")
    assert table_of(chosen.out) == [["0", "10.515", "no", "2.5", "1"]]
    found = rackwatt("show", DATABASE, "--json").object
    assert found["values"] == ["capex_musd", "value_musd", "on_front"]
    assert [case["on_front"] for case in found["cases"]] == ["yes", "no", "no", "no", "yes"]


def test_other_tables_of_a_front_are_shown_on_request(rackwatt, front):
    said = rackwatt("show", front, "--value", "on_front", "--value", "least_promised_availability")
    assert said.code == 0, said.err
    lines = [line.split() for line in said.out.splitlines()]
    assert ["4", "10", "yes", "0.999"] in lines
    assert "on front: in a front, no where another plan of the same case" in said.out
    assert "least availability promised by contracts" in said.out
    said = rackwatt("show", front, "--rows", "capex_at_most_musd")
    assert "mining last, MW" in said.out
    assert rackwatt("show", front, "--value", "on_frnt").code == 2


def test_a_front_with_an_axis_has_one_in_every_case(rackwatt, front, tmp_path):
    said = rackwatt("show", "runs/axis.sweep.db")
    assert said.out.splitlines()[2].split() == [
        "rate", "capex,", "M$", "value,", "M$", "on", "front", "level", "point",
    ]  # fmt: skip
    lines = table_of(said.out)
    assert [line[0] for line in lines] == ["0.5"] * 5 + ["1"] * 5
    # At half the rent AI does not pay: all levels come to doing nothing.
    assert [line[3] for line in lines] == ["yes", *["no"] * 4, "yes", *["no"] * 3, "yes"]
    assert "3 of 10 plans lie on the front" in rackwatt("status", "runs/axis.sweep.db").out
    assert len(table_of(rackwatt("show", "axis.toml", "--where", "rate=1").out)) == 5
    assert rackwatt("export", "axis.toml", "axis.csv").code == 0
    assert [row["on_front"] for row in rows_of(tmp_path / "axis.csv")] == [
        line[3] for line in sorted(lines, key=lambda line: int(line[-1]))
    ]  # fmt: skip


def test_points_without_a_plan_are_told_beside_the_front(rackwatt, front, tmp_path):
    with Store.open(tmp_path / DATABASE) as store:
        for number, status in ((1, "infeasible"), (2, "best-found")):
            store.ask(
                "UPDATE rows SET status = ? WHERE id = (SELECT id FROM points WHERE number = ?)",
                status, number,
            )  # fmt: skip
        store.ask("UPDATE rows SET bound_musd = 13.0 WHERE status = 'best-found'")
        store.ask("DELETE FROM rows WHERE id = (SELECT id FROM points WHERE number = 3)")
    said = rackwatt("show", front)
    assert [line[2] for line in table_of(said.out)] == ["yes", "no", "undecided"]
    for words in (
        "undecided: as far as bounds tell, one better in capex may be worth as much",
        "best-found: a limit ended the search", "infeas.: no plan keeps to all limits (1 case)",
        "waiting: 1 case not solved yet",
    ):  # fmt: skip
        assert words in said.out
    assert "and of 1 more the gap leaves it undecided" in rackwatt("status", front).out
    assert rackwatt("export", front, "a.csv").code == 0
    told = [row["on_front"] for row in rows_of(tmp_path / "a.csv")]
    assert told == ["yes", "", "no", "", "undecided"]


def test_exports_of_a_front_are_the_same_bytes_whoever_computed_it(rackwatt, front, tmp_path):
    once = tmp_path / "once"
    once.mkdir()
    for name, options in (
        ("two", ["--workers", "2"]),
        ("back", ["--workers", "1", "--backwards"]),
    ):
        assert rackwatt("axis.toml", "--out", once / f"{name}.db", *options).code == 0
    for kind in ("csv", "parquet"):
        assert rackwatt("export", "axis.toml", f"a.{kind}").code == 0
        for name in ("two", "back"):
            other = once / f"{name}.{kind}"
            assert rackwatt("export", once / f"{name}.db", other).code == 0
            assert other.read_bytes() == (tmp_path / f"a.{kind}").read_bytes()
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert list(frame).index("on_front") == list(frame).index("message") + 1


def test_a_point_of_a_front_is_opened_as_any_other(rackwatt, front):
    found = rackwatt("point", front, "4", "--json").object
    assert found["value_musd"] == pytest.approx(12.029563, rel=1e-6)
    said = rackwatt("point", front, "1", "--out", "mine")
    assert said.code == 0
    assert "Case 1 of the sweep front: capex_at_most_musd 2.5" in said.err
    assert "of plans alike in value it took the one with the least capex" in said.err
    assert rackwatt("point", front, "2", "--instance", "case").code == 0
    assert "finance.capex_budget_musd = 5" in Path("case/instance.toml").read_text()


def test_a_version_is_shown_as_the_file_of_it_asked(rackwatt, front, tmp_path):
    front.write_text(GRID.format(base=INSTANCES / "by_hand").replace("5, 10, 15", "10"))
    said = rackwatt(front)
    assert (said.code, "ties broken by nothing instead of capex" in said.err) == (3, True)
    assert rackwatt(front, "--new-version", "--workers", "1").code == 0
    assert "on front" not in rackwatt("show", front).out
    assert len(table_of(rackwatt("show", front, "--version", "1").out)) == 5
    for version, has in ((1, True), (2, False)):
        assert rackwatt("export", front, f"{version}.csv", "--version", version).code == 0
        assert ("on_front" in rows_of(tmp_path / f"{version}.csv")[0]) is has


# --- one clear message ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('["capex"]', '["carbon"]'), "no block of power of the base says what carbon"),
        (('["capex"]', '["uptime"]'), "only be maximised"),
        (("points = 5", "points = 5\nfrom = 4"), "give both `from` and `to`"),
        (("points = 5", "points = 5\nfrom = -4\nto = 4"), "outside its range"),
        (("points = 5", 'points = 5\n[axes.a]\nkey = "finance.capex_budget_musd"\n'
          "values = [1, 2]"), "an axis changes finance.capex_budget_musd"),
    ],
)  # fmt: skip
def test_a_front_that_cannot_be_is_refused_before_anything_is_solved(
    change, said, rackwatt, tmp_path, nothing_solved
):
    file = write_grid(tmp_path, FRONT.replace(*change), name="front.toml")
    told = rackwatt(file)
    assert told.code == 3
    assert said in told.err
    assert "1 error, no warnings" in told.err
    assert not (tmp_path / "runs").exists()
    found = rackwatt(file, "--json").object
    assert (found["status"], len(found["problems"])) == ("refused", 1)
    assert found["problems"][0]["key"].startswith("pareto")


def test_a_base_without_a_plan_has_no_front_but_one_that_is_typed(rackwatt, tmp_path):
    shutil.copytree(INSTANCES / "by_hand", tmp_path / "base")
    instance = tmp_path / "base/instance.toml"
    text = instance.read_text()
    instance.write_text(text.replace("minimum_cash_musd = 2", "minimum_cash_musd = 60"))
    file = write_grid(tmp_path, FRONT, base="base", name="front.toml")
    for _ in range(2):
        said = rackwatt(file, "--workers", "1")
        assert (said.code, "has no plan that a front could begin from" in said.err) == (3, True)
        assert "hint: type from and to" in said.err
    file.write_text(file.read_text().replace("points = 5", "points = 2\nfrom = 1\nto = 2"))
    said = rackwatt(file, "--workers", "1")
    assert said.code == 0, said.err
    assert "2 levels of capex: 1 to 2 M$" in said.err
    assert "all 2 done: 2 infeasible" in said.out
    said = rackwatt("show", file)
    assert (said.code, "infeas.: no plan keeps to all limits (2 cases)" in said.out) == (0, True)
