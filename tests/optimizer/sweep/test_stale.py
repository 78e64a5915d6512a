"""Sweep files and bases that have changed since: what is shown says so, and what to do."""

import shutil

import pytest

from tests.optimizer.sweep.bases import INSTANCES
from tests.optimizer.sweep.commands import GRID, write_cases, write_grid


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return tmp_path_factory.mktemp("done")


@pytest.fixture
def grid(rackwatt, done, tmp_path):
    """A finished sweep of two cases, beside its base."""
    if not (done / "grid.toml").exists():
        shutil.copytree(INSTANCES / "by_hand", tmp_path / "base")
        text = GRID.replace("5, 10, 15", "10")
        assert rackwatt(write_grid(tmp_path, text, base="base"), "--workers", "1").code == 0
        shutil.copytree(tmp_path, done, dirs_exist_ok=True)
    shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    return tmp_path / "grid.toml"


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def instance(grid):
    return grid.parent / "base/instance.toml"


def remark(grid):
    """Change no more than comments and blanks of both files."""
    edit(instance(grid), "firm_mw = 12", "firm_mw   =   12  # a remark\n")
    edit(grid, "[axes.capex]", "# another\n\n[axes.capex]")


def test_comments_and_blanks_are_no_change(rackwatt, grid):
    remark(grid)
    for command in ("status", "show"):
        said = rackwatt(command, grid)
        assert (said.code, said.err) == (0, "")
        assert rackwatt(command, grid, "--json").object["changed"] == []
    found = rackwatt(grid, "--json").object
    assert (found["status"], found["version"], found["computed"]) == ("settled", 1, 0)


def test_a_version_goes_on_from_the_bytes_it_began_with(rackwatt, grid, tmp_path):
    rackwatt("export", grid, "one.csv")
    remark(grid)
    edit(grid, "[10]", "[10, 11]")
    found = rackwatt(grid, "--workers", "1", "--json").object
    assert (found["version"], found["computed"]) == (1, 2)
    assert rackwatt("point", grid, "2", "--instance", "case").code == 0
    rackwatt("export", grid, "two.csv")
    one, two = ((tmp_path / name).read_text().splitlines() for name in ("one.csv", "two.csv"))
    assert two[:3] == one
    assert len(two) == 5


@pytest.mark.parametrize("command", ["status", "show"])
@pytest.mark.parametrize(
    ("change", "words", "advice"),
    [
        (lambda f: edit(instance(f), "firm_mw = 12", "firm_mw = 13"),
         "instance.toml has changed", "--new-version` solves all anew"),
        (lambda f: edit(f, "[sweep]", "[sweep]\ngap = 0.01"),
         "gap 0.01 instead of 0.0001", "--new-version` solves all anew"),
        (lambda f: edit(f, "[10]", "[10, 11]"), "grid.toml asks for other cases now",
         "grid.toml` goes on with it"),
        (lambda f: edit(f, "[10]", "[10, 10]"), "does not read", "--dry-run` says why"),
        (lambda f: edit(instance(f), "firm_mw = 12", "firm_mw = -12"), "does not read",
         "--dry-run` says why"),
    ],
)  # fmt: skip
def test_what_has_changed_is_told_in_one_line(rackwatt, grid, command, change, words, advice):
    before = rackwatt(command, grid).out
    change(grid)
    said = rackwatt(command, grid)
    assert (said.code, said.err.count("\n"), said.out) == (0, 1, before)
    assert words in said.err
    assert advice in said.err
    [changed] = rackwatt(command, grid, "--json").object["changed"]
    assert words in changed
    assert rackwatt(command, "runs/grid.sweep.db").err == ""
    assert rackwatt(command, grid, "--quiet").err == ""


def test_a_changed_file_of_cases_is_told(rackwatt, tmp_path):
    file = write_cases(tmp_path, ["a,2,2,10"])
    assert rackwatt(file, "--workers", "1").code == 0
    assert rackwatt("status", file).err == ""
    write_cases(tmp_path, ["a,2,2,11"])
    assert "cases.toml asks for other cases now" in rackwatt("status", file).err


def test_going_back_names_the_version_that_is_there(rackwatt, grid):
    edit(instance(grid), "firm_mw = 12", "firm_mw = 14")
    assert rackwatt(grid, "--new-version", "--workers", "1").code == 0
    edit(instance(grid), "firm_mw = 14", "firm_mw = 12")
    said = rackwatt(grid)
    assert said.code == 3
    assert "What is given now is its version 1, with 2 of 2 done" in said.err
    assert "`rackwatt sweep show runs/grid.sweep.db --version 1` shows it" in said.err
    assert rackwatt("show", grid, "--version", "1").err == ""
    found = rackwatt(grid, "--new-version", "--json").object
    assert (found["version"], found["computed"]) == (1, 0)


def test_databases_that_went_by_bytes_are_not_mixed_in(rackwatt, grid, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("optimizer.sweep.points.meaning", lambda name, data: f"{name} {data!r}")
        assert rackwatt(grid, "--out", "old.db", "--workers", "1").code == 0
    said = rackwatt(grid, "--out", "old.db")
    assert said.code == 3
    assert "--new-version" in said.err
    found = rackwatt(grid, "--out", "old.db", "--new-version", "--workers", "1", "--json").object
    assert (found["version"], found["computed"]) == (2, 2)
