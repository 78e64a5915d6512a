"""A case as an instance folder: it reads back as what the worker had."""

import tomllib
from dataclasses import fields, replace

import numpy as np
import pytest
import tomli_w

from models.hours import Hours
from optimizer.load import load
from optimizer.load.catalogue import packaged
from optimizer.sweep.design.designs import points_of
from optimizer.sweep.design.file import read_sweep
from optimizer.sweep.point.opened import Opened, Rules
from optimizer.sweep.point.written import PLAN, instance_files
from optimizer.sweep.points import Base, Point
from tests.optimizer.sweep.bases import INSTANCES, base, document, drawn


def written(folder, one, point):
    for name, data in instance_files(one, point, "a case").items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return load(folder)


def told_apart_from_files(instance):
    """All figures; a price file may have another name, and its hours are compared."""
    held = instance.model_dump()
    for block in held["power"].values():
        del block["prices"], block["duration"]
    return held


def assert_same(read, changed):
    assert told_apart_from_files(read.instance) == told_apart_from_files(changed.instance)
    assert set(read.hours) == set(changed.hours)
    for name, hours in read.hours.items():
        for part in fields(Hours):
            if part.name != "source":
                one, other = (getattr(held, part.name) for held in (hours, changed.hours[name]))
                assert np.array_equal(one, other), (name, part.name)


@pytest.mark.parametrize("name", ["by_hand", "hive", "hut8", "iren", "texas"])
def test_the_base_itself_reads_back(tmp_path, name):
    one, point = base(name), Point(0, {}, {})
    assert_same(written(tmp_path, one, point), Opened(one).after(point))


@pytest.mark.parametrize("name", ["by_hand", "hive"])
def test_random_cases_read_back(tmp_path, name):
    one = base(name)
    opened = Opened(one)
    for point in drawn(tmp_path, name, 5):
        folder = tmp_path / f"{point.number}"
        assert_same(written(folder, one, point), opened.after(point))


@pytest.mark.parametrize(
    "key", ["power.west", "sites.milam"], ids=["a block that sites share", "one site"]
)
def test_cases_with_other_prices_read_back(tmp_path, key):
    hours = (packaged().folder / "ercot-hub-2021.csv").read_bytes()
    # A curve and a file of the base's own name, so that neither is taken for the other.
    own = (INSTANCES / "texas/ercot-2023-2024.csv").read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "ercot-2023-2024.csv").write_bytes(own)
    file = tmp_path / "prices.toml"
    file.write_text(
        f'[sweep]\nbase = "{INSTANCES / "texas"}"\n[axes.market]\nkey = "{key}"\n'
        'prices = ["ercot-hub-2021", "ercot-2023-2024.csv"]\n'
    )
    sweep = read_sweep(file)
    one = base("texas")
    one = replace(one, files={
        **one.files, **{name: path.read_bytes() for name, path in sweep.files.items()}
    })  # fmt: skip
    assert hours in one.files.values()
    opened = Opened(one)
    points = points_of(sweep, document("texas"))
    assert len(points) == 2
    for point in points:
        changed = opened.after(point)
        assert changed.moved is None
        assert_same(written(tmp_path / f"{point.number}", one, point), changed)


def test_a_case_that_names_what_the_catalogue_has_reads_back(tmp_path):
    one = base("texas")
    point = Point(0, {}, {"sites.milam.power": "ercot-hub-2022"})
    assert_same(written(tmp_path, one, point), Opened(one).after(point))
    assert (tmp_path / "ercot-hub-2022.csv").is_file()


def test_a_case_that_is_invalid_is_written_all_the_same(tmp_path):
    point = Point(0, {}, {"contracts.tenant.min_mw": 9.0})
    files = instance_files(base("by_hand"), point, "a case")
    held = tomllib.loads(files["instance.toml"].decode())
    assert held["contracts"]["tenant"]["min_mw"] == 9.0
    assert "#   contracts.tenant.min_mw = 9.0, was 2" in files["instance.toml"].decode()


def test_a_plan_comes_along(tmp_path):
    one = base("by_hand")
    one = Base(one.files, one.options, plan=Rules().files(b"action\n"))
    files = instance_files(one, Point(0, {}, {}), "a case")
    assert files[PLAN] == b"action\n"


@pytest.mark.parametrize("name", ["by_hand", "hive", "hut8", "iren", "texas"])
def test_documents_are_written_to_the_last_bit(name):
    assert tomllib.loads(tomli_w.dumps(document(name))) == document(name)


def test_odd_names_and_texts_are_written():
    odd = {"a b": {"c.d": 'e "f" \\ \n\t\x01\x7f é', "": 1}, "x": {}, "y": [[{"z": 1e-9}], []]}
    assert tomllib.loads(tomli_w.dumps(odd)) == odd
