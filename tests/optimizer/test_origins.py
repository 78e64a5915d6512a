"""Every number of a model leads back to a key that was typed."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from scipy.sparse import coo_array

from models.allocation import FAMILIES
from models.instance import Block
from optimizer.compiled import Model, compile_case
from optimizer.origins import Labels, key_of
from tests.optimizer.rich_case import rich_case

CASE = rich_case(limited=True)


@cache
def model() -> Model:
    return compile_case(CASE)


def at(key: str) -> Any:
    """What the instance holds under a dotted key."""
    held: Any = CASE.instance
    for part in key.split("."):
        if isinstance(held, Block):
            held = getattr(held, part)
        else:
            held = held[int(part)] if isinstance(held, list) else held[part]
    return held


def test_labels_give_rows_and_columns_their_names_back() -> None:
    built, matrix = model().built, model().matrix
    labels = Labels(built)
    assert [labels.column(name) for name in matrix.column_names] == built.columns
    rows = [labels.row(name) for name in matrix.row_names]
    assert rows == [row for row in built.rows if row in set(rows)]


def test_every_coefficient_has_a_key_that_was_typed() -> None:
    labels, matrix = Labels(model().built), model().matrix
    entries = coo_array(matrix.coefficients)
    pairs = {
        (labels.row(matrix.row_names[i]), labels.column(matrix.column_names[j]))
        for i, j in zip(entries.row, entries.col, strict=True)
    }
    keys = {key_of(CASE, row, column) for row, column in pairs}
    assert len(keys) >= 40
    for key in keys - {""}:
        at(key)


def test_every_limit_that_a_planner_typed_has_a_key() -> None:
    typed = {family.name for family in FAMILIES if family.limit}
    without = {"mining.mining_limit", "hosting.signing_once", "hosting.owner_racks_limit"}
    for row in model().built.rows:
        if row[0] in typed - without:
            key = key_of(CASE, row, None)
            assert key, row
            at(key)


@pytest.mark.parametrize(
    ("row", "column", "key"),
    [
        (("capital.capex_balance", (0, "west")), ("orders", (0, "w1:air", "s21")),
         "machines.s21.price_usd_per_th"),
        (("capital.capex_balance", (0, "east")), ("orders", (0, "e1:ai+n1", "h100")),
         "racks.h100.price_usd"),
        (("capital.capex_balance", (0, "west")), ("conversions", (0, "w1:air", "w1:ai+2n")),
         "fitouts.ai.capex_usd_per_kw"),
        (("racks.space_limit", (0, "e1:ai+n1")), ("racks", (0, "e1:ai+n1", "h100")),
         "racks.h100.kw"),
        (("racks.space_limit", (0, "w1:air")), ("racks", (0, "w1:air", "s19")),
         "machines.s19.watt"),
        (("grid.interconnection", (0, "west", 3)), None, "sites.west.firm_mw"),
        (("capital.capex_budget", ("site west", 5)), None,
         "finance.capex_budget_by_site_musd.west"),
        (("capital.capex_budget", ("horizon", 5)), None, "finance.capex_budget_musd"),
        (("policy.mining_share_floor", (3,)), None, "policy.mining_share_min"),
        (None, ("cloud", (3, "e1:ai+n1", "h100")), "gpu_cloud.h100.price_usd_per_gpu_hour"),
        (None, ("sales", (3, "w1:air", "s21")), "machines.s21.resale_usd_per_th"),
    ],
)  # fmt: skip
def test_keys_are_the_ones_a_planner_would_look_at(row: Any, column: Any, key: str) -> None:
    assert key_of(CASE, row, column) == key
