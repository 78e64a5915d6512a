"""Dotted keys with wildcards, and putting values into a document."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import InputRefused
from optimizer.keys import value_at
from optimizer.sweep.base import document_of
from optimizer.sweep.design.keys import changed, find, parts_of
from tests.folders import write_folder
from tests.optimizer.sweep.files import WIDE

TEXAS = Path(__file__).parents[3] / "instances" / "texas"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return document_of(write_folder(tmp_path_factory.mktemp("wide"), WIDE))


@pytest.fixture(scope="module")
def texas() -> dict[str, Any]:
    return document_of(TEXAS)


FOUND = {
    "finance.capex_budget_musd": ["finance.capex_budget_musd"],
    "sites.*.firm_mw": ["sites.north.firm_mw", "sites.north-2.firm_mw", "sites.south.firm_mw"],
    "sites.north*.firm_mw": ["sites.north.firm_mw", "sites.north-2.firm_mw"],
    "sites.north.fibre": ["sites.north.fibre"],
    "racks.s21.5-lot.price_usd": ["racks.s21.5-lot.price_usd"],
    "racks.*.price_usd": ["racks.s21.5-lot.price_usd", "racks.gpu.price_usd"],
    "fleet.*.racks": ["fleet.0.racks"],
    "fleet.0.age_months": ["fleet.0.age_months"],
    "racks.gpu.resale_usd": ["racks.gpu.resale_usd"],
    "racks.gpu.resale_usd.*.value": [
        "racks.gpu.resale_usd.0.value", "racks.gpu.resale_usd.1.value",
    ],
    "bitcoin.hashprice_usd_per_ph_day.start": ["bitcoin.hashprice_usd_per_ph_day.start"],
    "finance.capex_budget_by_site_musd.*": ["finance.capex_budget_by_site_musd.north"],
    "finance.capex_budget_by_site_musd.new.site": ["finance.capex_budget_by_site_musd.new.site"],
    "power.ercot-hub-2024.duration": ["power.ercot-hub-2024.duration"],
    "power.grid.carbon.usd_per_tonne": ["power.grid.carbon.usd_per_tonne"],
    "uptime.packages.n-plus-1.availability": ["uptime.packages.n-plus-1.availability"],
    "commitments.debt.0.principal_musd": ["commitments.debt.0.principal_musd"],
    "policy.ai_share_min": ["policy.ai_share_min"],
}  # fmt: skip


#: Of these, keys that do not lie inside each other.
WHOLE = {
    key for keys in FOUND.values() for key in keys
    if "resale_usd." not in key and not key.endswith(".start")
}  # fmt: skip


@pytest.mark.parametrize("pattern", FOUND)
def test_a_pattern_names_keys(pattern: str, wide: dict[str, Any]) -> None:
    found, miss = find(wide, pattern)
    assert [one.text for one in found] == FOUND[pattern]
    assert miss is None


@pytest.mark.parametrize("pattern", ["", ".", "sites", "sites..firm_mw", "sites.north.", "*",
                                     "sites.*.*", "fleet.7.racks", "fleet.-1.racks", "scenarios",
                                     "bitcoin.hashprice_usd_per_ph_day.start.x"])  # fmt: skip
def test_a_pattern_that_names_nothing_says_why(pattern: str, wide: dict[str, Any]) -> None:
    found, miss = find(wide, pattern)
    assert found == []
    assert miss is not None
    assert miss.message


def test_a_default_of_the_format_is_what_holds_in_the_base(wide: dict[str, Any]) -> None:
    (found,), _ = find(wide, "bitcoin.pool_fee_share")
    assert found.base == 0.01


def test_figures_of_the_catalogue_are_there(texas: dict[str, Any]) -> None:
    for key in ("racks.s21-lot.machines_per_rack", "machines.antminer-s21.th_per_s"):
        (found,), _ = find(texas, key)
        assert found.base is not None
        assert isinstance(found.held, (int, float))


def test_values_are_put_into_a_document_of_its_own(wide: dict[str, Any]) -> None:
    before = copy.deepcopy(wide)
    wanted = {
        "finance.capex_budget_musd": 7.0,
        "racks.s21.5-lot.price_usd": 3.0,
        "racks.s21.5-lot.machines_per_rack": 4,
        "fleet.0.racks": 2,
        "racks.gpu.resale_usd.1.value": 9.0,
        "finance.capex_budget_by_site_musd.new.site": 1.0,
        "power.grid.carbon.usd_per_tonne": 30.0,
    }
    after = changed(wide, wanted)
    assert wide == before
    for key, value in wanted.items():
        assert value_at(after, parts_of(after, key)) == value
    assert after["finance"]["capex_budget_by_site_musd"] == {"north": 60, "new.site": 1.0}
    assert after["sites"] is wide["sites"]
    assert after["racks"]["gpu"]["resale_usd"][0] is wide["racks"]["gpu"]["resale_usd"][0]


def test_no_change_changes_nothing(wide: dict[str, Any]) -> None:
    assert changed(wide, {}) == wide


def test_a_key_without_a_place_is_refused(wide: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match=r"sites.nowhere.firm_mw"):
        changed(wide, {"sites.nowhere.firm_mw": 3.0})


@settings(deadline=None, derandomize=True)
@given(chosen=st.sets(st.sampled_from(sorted(WHOLE))))
def test_what_is_put_in_is_what_is_found(chosen: set[str], wide: dict[str, Any]) -> None:
    wanted = {key: float(place) for place, key in enumerate(sorted(chosen))}
    after = changed(wide, wanted)
    assert {key: value_at(after, parts_of(after, key)) for key in wanted} == wanted


def test_changing_a_few_keys_is_cheap(texas: dict[str, Any]) -> None:
    wanted = dict.fromkeys(("finance.capex_budget_musd", "sites.pecos.firm_mw",
                            "contracts.regional.rate_usd_per_kw_month"), 5.0)  # fmt: skip
    start = time.process_time()
    for _ in range(200):
        changed(texas, wanted)
    assert (time.process_time() - start) / 200 < 0.5e-3


def test_a_base_with_errors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        document_of(tmp_path / "nowhere")
