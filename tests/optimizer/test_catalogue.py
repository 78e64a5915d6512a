"""What ships: catalogue entries and instances are of the format, sourced and plausible."""

from __future__ import annotations

import csv
import tomllib
from collections import defaultdict
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from models.instance import (
    Block,
    Component,
    Contract,
    Fitout,
    GpuCloud,
    Machine,
    Package,
    Power,
    Rack,
    path_numbers,
)
from optimizer.case import prepare
from optimizer.highs import Options
from optimizer.load import load
from optimizer.solve import solve

CATALOGUE = Path(str(files("optimizer") / "catalogue"))
PROJECT = Path(__file__).parents[2]
REAL_DATA = PROJECT.parent / "shared" / "data"
FIVE_SITES = PROJECT / "tests" / "data" / "five_sites"
SHIPPED = sorted(path.parent for path in (PROJECT / "instances").glob("*/instance.toml"))

BLOCKS: dict[str, type[Block]] = {
    "machines": Machine,
    "racks": Rack,
    "fitouts": Fitout,
    "packages": Package,
    "components": Component,
    "power": Power,
    "gpu_cloud": GpuCloud,
    "contracts": Contract,
}
#: Keys that an entry leaves to whoever uses it.
OWN_DATES = {"contracts": {"sign_by": "2027-06", "start": "2028-01"}}
#: Keys that say what kind of thing the entry is; they need no source.
KINDS = {"workload", "machine", "racks_by", "cooling", "unit_mw", "confidence"}


def entries_of(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads((CATALOGUE / f"{name}.toml").read_text(encoding="utf-8"))


def read_block(name: str, entry: dict[str, Any]) -> Block:
    typed = {key: value for key, value in entry.items() if key != "sources"}
    return BLOCKS[name].model_validate(typed | OWN_DATES.get(name, {}))


def curve(name: str) -> dict[int, list[tuple[float, float]]]:
    """Steps of a duration curve, hours and price, by calendar month."""
    steps = defaultdict(list)
    with (CATALOGUE / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            steps[int(row["month"])].append((float(row["hours"]), float(row["price_usd_per_mwh"])))
    return steps


ENTRIES = [
    pytest.param(name, key, entry, id=f"{name}.{key}")
    for name in BLOCKS
    for key, entry in entries_of(name).items()
]
LOTS = [
    pytest.param(entry, id=key)
    for key, entry in entries_of("racks").items()
    if entry["workload"] == "mining"
]
CURVES = sorted(path.name for path in CATALOGUE.glob("*.csv"))


def test_every_catalogue_is_one_of_the_format() -> None:
    assert {path.stem for path in CATALOGUE.glob("*.toml")} == set(BLOCKS)


@pytest.mark.parametrize(("name", "key", "entry"), ENTRIES)
def test_an_entry_is_a_block_whose_every_key_has_a_source(
    name: str, key: str, entry: dict[str, Any]
) -> None:
    read_block(name, entry)
    typed = set(entry) - {"sources"}
    assert typed - KINDS <= set(entry["sources"]) <= typed
    assert all(len(source) > 2 for source in entry["sources"].values())


@pytest.mark.parametrize(("name", "key", "entry"), ENTRIES)
def test_an_entry_lies_in_the_plausible_bands(name: str, key: str, entry: dict[str, Any]) -> None:
    block = read_block(name, entry)
    for typed, info in type(block).model_fields.items():
        extra = info.json_schema_extra
        if not isinstance(extra, dict) or "plausible" not in extra:
            continue
        low, high = extra["plausible"]
        for number in path_numbers(getattr(block, typed)):
            assert low <= number <= high, f"{typed} = {number}"


@pytest.mark.parametrize("entry", LOTS)
def test_a_mining_lot_is_about_a_megawatt(entry: dict[str, Any]) -> None:
    machine = read_block("machines", entries_of("machines")[entry["machine"]])
    assert isinstance(machine, Machine)
    watt = machine.watt or machine.th_per_s * (machine.j_per_th or 0.0)
    assert 0.85 <= entry["machines_per_rack"] * watt / 1e6 <= 1.05


def test_names_across_catalogues_exist() -> None:
    racks = entries_of("racks")
    gpus = {key for key, entry in racks.items() if entry["workload"] == "ai"}
    assert {entry["machine"] for entry in racks.values() if "machine" in entry} <= set(
        entries_of("machines")
    )
    assert set(entries_of("gpu_cloud")) == gpus
    offers = entries_of("contracts").values()
    assert {rack for offer in offers for rack in offer.get("racks", [])} <= gpus


def test_nothing_sells_for_more_than_it_costs_new() -> None:
    pairs = [
        (entry["price_usd_per_th"], entry["resale_usd_per_th"])
        for entry in entries_of("machines").values()
    ] + [
        (entry["price_usd"], entry["resale_usd"])
        for entry in entries_of("racks").values()
        if "resale_usd" in entry
    ]
    for price, steps in pairs:
        values = [step["value"] for step in steps]
        assert values[0] < price
        assert all(before > after for before, after in pairwise(values))


def test_every_curve_is_used_and_every_file_exists() -> None:
    used = {entry["duration"] for entry in entries_of("power").values() if "duration" in entry}
    assert used == set(CURVES)


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_holds_the_hours_of_its_year_in_falling_steps(name: str) -> None:
    days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    days[1] += "2024" in name
    steps = curve(name)
    for month, length in enumerate(days, start=1):
        hours = sum(hours for hours, _ in steps[month])
        clock_change = {3: -1, 11: +1, 10: +1}.get(month, 0)
        assert hours in {24.0 * length, 24.0 * length + clock_change}
        prices = [price for _, price in steps[month]]
        assert prices == sorted(prices, reverse=True)
        assert len(set(prices)) == len(prices) <= 30


@pytest.mark.shared
@pytest.mark.parametrize("year", [2021, 2022, 2023, 2024])
def test_a_curve_of_ercot_keeps_the_means_of_the_real_hours(year: int) -> None:
    source = REAL_DATA / "ercot" / f"ERCOT_HB_HUBAVG_DAM_{year}.csv"
    if not source.exists():
        pytest.skip(f"no real prices at {source}")
    real = defaultdict(list)
    with source.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            real[int(row["Datetime"][5:7])].append(float(row["Price (USD/MWh)"]))
    for month, steps in curve(f"ercot-hub-{year}.csv").items():
        assert sum(hours for hours, _ in steps) == len(real[month])
        mean = sum(hours * price for hours, price in steps) / len(real[month])
        assert mean == pytest.approx(sum(real[month]) / len(real[month]), abs=1e-4)


@pytest.mark.shared
@pytest.mark.parametrize("year", [2023, 2024])
@pytest.mark.parametrize("break_even", [20.0, 40.0, 60.0, 90.0])
def test_a_curve_of_ercot_keeps_what_stopping_is_worth(year: int, break_even: float) -> None:
    source = REAL_DATA / "ercot" / f"ERCOT_HB_HUBAVG_DAM_{year}.csv"
    if not source.exists():
        pytest.skip(f"no real prices at {source}")
    with source.open(encoding="utf-8", newline="") as file:
        prices = [float(row["Price (USD/MWh)"]) for row in csv.DictReader(file)]
    hourly = sum(max(0.0, break_even - price) for price in prices)
    steps = [step for month in curve(f"ercot-hub-{year}.csv").values() for step in month]
    stepped = sum(hours * max(0.0, break_even - price) for hours, price in steps)
    assert stepped == pytest.approx(hourly, rel=4e-3)


# --- instances -----------------------------------------------------------------------------


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_every_figure_of_a_shipped_instance_has_a_source(folder: Path) -> None:
    loaded = load(folder)
    assert loaded.unsourced() == []
    assert [problem for problem in loaded.warnings if problem.file == "sources.csv"] == []


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_instance_says_what_it_shows_and_has_room_for_its_result(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {folder.name}: ")
    before, _, rest = text.partition("<!-- result:begin -->")
    assert before.rstrip().endswith("## Result")
    assert rest.count("<!-- result:end -->") == 1


def test_five_sites_from_catalogues_take_sixty_lines_and_solve() -> None:
    typed = [
        line
        for path in FIVE_SITES.iterdir()
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert len(typed) <= 60
    loaded = load(FIVE_SITES)
    assert len(loaded.instance.sites) == 5
    solved = solve(prepare(loaded.instance, loaded.hours), Options(gap=0.01, time_limit=60))
    assert solved.status == "solved"
    assert solved.plan is not None
    signed = {offer for (_, offer), taken in solved.plan.signing.items() if taken}
    assert signed == {"tenant", "city"}
