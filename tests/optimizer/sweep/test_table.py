"""The table of a sweep: one row a point, the same bytes for the same answers."""

import csv
import random
from dataclasses import replace

import pandas as pd
import pytest

from optimizer.errors import UsageRefused
from optimizer.sweep.points import Held, Point, Row
from optimizer.sweep.rows import export as module
from optimizer.sweep.rows.export import export, table
from optimizer.sweep.rows.records import Done, Spec
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.rows.store import Store
from tests.optimizer.sweep import fakes

POINTS = [
    Point(0, {"capex": 0.1, "price": "=cheap"}, {"capex": 50, "sites.a.firm_mw": 10.0}),
    Point(1, {"capex": 1, "price": None}, {"capex": 60.5}, {"a": "-dear.csv"}),
    Point(2, {"capex": True}, {"capex": 70, "kind": [1, "x"]}),
    Point(3, {"capex": 2}, {}),
]
ROWS = [
    Row(0, "solved", 1 / 3, 0.5, 0.1, "", {"racks": 3, "site": "@x", "capex": 1.0}, 1.0, 0.5),
    Row(1, "infeasible", message="two\nlines; +1"),
    Row(2, "best-found", -0.0, float("inf"), None, "", {"racks": 4.5, "halls": 2}, 9.0, 8.0),
]


def stored(path, rows=ROWS, order=None):
    with Store.open(path) as store:
        version = store.add(fakes.base(), fakes.VERSIONS)
        store.design(version, POINTS)
        store.turn_to(Spec("", ""), version.number)
        for row in order or rows:
            store.record(version, [Done(POINTS[row.number], row, f"w{random.random()}")])
    return path


@pytest.fixture
def store(tmp_path):
    with Store.read(stored(tmp_path / "s.sweep")) as store:
        yield store


def test_columns_come_in_the_order_of_the_design_and_no_two_are_called_alike(store):
    assert list(table(store)) == [
        "number", "id", "times",
        "capex", "price", "key.capex", "sites.a.firm_mw", "kind", "prices.a",
        "status", "value_musd", "bound_musd", "gap", "message",
        "racks", "site", "metric.capex", "halls",
    ]  # fmt: skip
    more = list(table(store, timings=True))
    assert more[-5:] == ["cpu_seconds", "solver_seconds", "attempts", "worker", "finished"]


def test_values_keep_their_kind_and_plans_their_digits(store):
    found = table(store)
    assert list(found["status"]) == ["solved", "infeasible", "best-found", "waiting"]
    assert found["value_musd"][0] == 0.333333333
    assert list(found["key.capex"][:3]) == [50.0, 60.5, 70.0]
    assert list(found["capex"]) == ["0.1", "1", "true", "2"]
    assert found["kind"][2] == '[1,"x"]'
    assert found["message"][1] == "two\nlines; +1"
    assert found["id"][0] == POINTS[0].identity(store.version().digest)[: module.LETTERS]


def test_what_is_in_effect_stands_in_every_row(tmp_path):
    held = Held({"sites.a.firm_mw": 8, "capex": 65, "still": 3, "kind": None}, {"a": "own.csv"})
    with Store.open(stored(tmp_path / "s.sweep")) as store:
        store.design(store.version(), POINTS, held)
        found = table(store)
    assert list(found["sites.a.firm_mw"]) == [10.0, 8.0, 8.0, 8.0]
    assert list(found["key.capex"]) == [50.0, 60.5, 70.0, 65.0]
    assert list(found["prices.a"]) == ["own.csv", "-dear.csv", "own.csv", "own.csv"]
    assert list(found["kind"].fillna("open")) == ["open", "open", '[1,"x"]', "open"]
    assert list(found["still"]) == [3] * 4
    names = ["sites.a.firm_mw", "key.capex", "still", "kind", "prices.a"]
    assert [name for name in found if name in names] == names


def test_a_column_of_cases_that_is_a_key_stands_once(tmp_path):
    key = "finance.capex_budget_musd"
    typed = [Point(0, {key: 5.0}, {key: 5.0}), Point(1, {}, {}), Point(2, {key: 9.0}, {})]
    with Store.open(tmp_path / "s.sweep") as store:
        version = store.add(fakes.base(), fakes.VERSIONS)
        store.design(version, typed, Held({key: 9.0}))
        store.turn_to(Spec("", ""), version.number)
        found = table(store)
    assert list(found)[:5] == ["number", "id", "times", key, "status"]
    assert list(found[key]) == [5.0, 9.0, 9.0]


def test_times_say_how_often_a_point_was_drawn(tmp_path):
    drawn = [replace(point, times=1 + point.number % 2) for point in POINTS]
    with Store.open(stored(tmp_path / "s.sweep")) as store:
        before = table(store)
        store.design(store.version(), drawn)
        assert list(table(store)["times"]) == [1, 2, 1, 2]
        assert list(table(store)["id"]) == list(before["id"])
        assert store.draws(store.version()) == 6
        assert [entry.point.times for entry in store.entries(store.version())] == [1, 2, 1, 2]


def test_a_spreadsheet_runs_nothing_of_it(store, tmp_path):
    path = export(store, tmp_path / "t.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["price"] == "'=cheap"
    assert rows[0]["site"] == "'@x"
    assert rows[1]["prices.a"] == "'-dear.csv"
    assert rows[1]["message"] == "two lines; +1"
    assert (rows[2]["value_musd"], rows[2]["bound_musd"], rows[3]["gap"]) == ("0", "", "")


def test_both_files_say_the_same(store, tmp_path):
    kept = pd.read_parquet(export(store, tmp_path / "t.parquet"))
    pd.testing.assert_frame_equal(kept, table(store), check_dtype=False)
    typed = pd.read_csv(export(store, tmp_path / "t.csv"))
    assert list(typed) == list(kept)
    pd.testing.assert_series_equal(typed["value_musd"], kept["value_musd"])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_same_answers_give_the_same_bytes(tmp_path, ending, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 2)
    found = []
    for number, order in enumerate([ROWS, ROWS[::-1], [*ROWS[1:], *ROWS]]):
        with Store.read(stored(tmp_path / f"{number}.sweep", order=order)) as store:
            found.append(export(store, tmp_path / f"{number}.{ending}").read_bytes())
    assert found[0] == found[1] == found[2]


def test_a_file_is_replaced_only_where_that_is_asked_for(store, tmp_path):
    path = tmp_path / "new" / "t [1].csv"
    first = export(store, path).read_bytes()
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageRefused, match="--overwrite"):
        export(store, path)
    stray = path.with_name(f".{path.name}.99999.part")
    stray.touch()
    assert export(store, path, overwrite=True).read_bytes() == first
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with pytest.raises(UsageRefused, match="neither"):
        export(store, tmp_path / "t.xlsx")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageRefused, match="exists"):
        export(store, tmp_path / "folder.csv", overwrite=True)


def test_a_file_that_fails_leaves_the_old_one(store, tmp_path, monkeypatch):
    path = export(store, tmp_path / "t.csv")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_lines", full)
    with pytest.raises(SweepRefused, match="is full"):
        export(store, path, overwrite=True)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*.part"))


def test_a_sweep_without_points_is_an_empty_table(tmp_path):
    with Store.open(tmp_path / "s.sweep") as store:
        store.turn_to(Spec("", ""), store.add(fakes.base(), fakes.VERSIONS).number)
        assert len(table(store)) == 0
        export(store, tmp_path / "t.parquet")
        assert export(store, tmp_path / "t.csv").read_text().startswith("number,id,times,status,")
