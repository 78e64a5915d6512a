"""Warnings of single cases: each is told once, with its cases, before anything is solved."""

import shutil

import pytest

from optimizer.load import load
from optimizer.sweep import doubts as module
from optimizer.sweep.doubts import doubts
from optimizer.sweep.point.written import instance_files
from optimizer.sweep.whole import read_whole
from tests.optimizer.sweep.bases import INSTANCES, base
from tests.optimizer.sweep.commands import GRID, write_grid

HOSTS = """\
[sweep]
base = "{base}"

[axes.capex]
key = "finance.capex_budget_musd"
values = [5, 10, 15]

[axes.hosts]
key = "finance.hosts_ai_already"
values = [false, true]
"""
KEY, MESSAGE = "finance.ai_entry_cost_musd", "the key has no effect: the company hosts AI already"


def found(file):
    whole = read_whole(file)
    return doubts(whole.sweep, whole.read, whole.cases.points)


def test_a_warning_of_some_cases_is_told_once(tmp_path):
    [problem] = found(write_grid(tmp_path, HOSTS))
    assert (problem.key, problem.severity) == (KEY, "warning")
    assert (
        problem.message == f"{MESSAGE} (in 3 of 6 cases; the first is case 1: capex 5, hosts true)"
    )


def test_what_is_told_is_what_a_folder_of_the_case_warns_of(tmp_path):
    file = write_grid(tmp_path, HOSTS)
    folder = tmp_path / "case"
    folder.mkdir()
    for name, data in instance_files(
        base("by_hand"), read_whole(file).cases.points[1], ""
    ).items():
        (folder / name).write_bytes(data)
    assert (KEY, MESSAGE) in [(p.key, p.message) for p in load(folder).warnings]


def test_warnings_of_the_base_itself_are_not_told_again(tmp_path):
    shutil.copytree(INSTANCES / "by_hand", tmp_path / "base")
    toml = tmp_path / "base/instance.toml"
    toml.write_text(toml.read_text().replace("[finance]", "[finance]\nhosts_ai_already = true"))
    assert found(write_grid(tmp_path, base="base")) == ()
    assert [p.key for p in read_whole(tmp_path / "grid.toml").read.loaded.warnings] == [KEY]


def test_a_key_that_only_the_sweep_gives_is_told_at_its_file(tmp_path):
    text = HOSTS.replace("finance.hosts_ai_already", "policy.shares_from")
    [problem] = found(write_grid(tmp_path, text.replace("false, true", '"2029-01"')))
    assert (problem.file, problem.key) == ("grid.toml", "policy.shares_from")
    assert "no share is given (in 3 of 3 cases; the first is case 0:" in problem.message


@pytest.mark.parametrize("order", ["grid", "one_at_a_time"])
def test_of_many_cases_every_setting_is_looked_at(tmp_path, monkeypatch, order):
    monkeypatch.setattr(module, "MOST_READ", 4)
    text = HOSTS.replace("[sweep]", f'[sweep]\ndesign = "{order}"')
    [problem] = found(write_grid(tmp_path, text.replace("5, 10, 15", "5, 6, 7, 8, 9, 10")))
    assert problem.key == KEY
    assert "cases looked at; the first is case" in problem.message


def test_cases_with_prices_and_power_of_their_own_are_read_too(tmp_path):
    text = GRID.replace(
        'key = "sites.*.firm_mw"\nscale = [0.5, 1.0]',
        """\
key = "sites.creek"
prices = {{ high = "high.csv" }}

[axes.adder]
key = "power.*.adder_usd_per_mwh"
values = [5, 6]

[axes.hosts]
key = "finance.hosts_ai_already"
values = [true]""",
    )
    prices = (INSTANCES / "by_hand/prices.csv").read_text()
    (tmp_path / "high.csv").write_text(prices + "\n")
    [problem] = found(write_grid(tmp_path, text))
    assert problem.message.startswith(f"{MESSAGE} (in 6 of 6 cases;")


def test_they_are_told_at_the_start_and_change_no_row(rackwatt, tmp_path):
    file = write_grid(tmp_path, HOSTS.replace("5, 10, 15", "10"))
    said = rackwatt(file, "--dry-run")
    assert said.err.count(MESSAGE) == 1
    said = rackwatt(file, "--workers", "1")
    assert said.err.index(MESSAGE) < said.err.index("the base itself took")
    assert "1 of 2" in said.err
    assert MESSAGE not in rackwatt(file).err
    file.write_text(file.read_text().replace("[10]", "[10, 11]"))
    assert "(in 2 of 4 cases; the first is case 1:" in " ".join(
        rackwatt(file, "--dry-run").err.split()
    )
