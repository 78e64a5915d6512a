"""The page of the sweep file tells all of it, and its examples hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from optimizer.keys import keys_of
from optimizer.sweep.base import document_of
from optimizer.sweep.design.designs import points_of
from optimizer.sweep.design.file import read_sweep
from optimizer.sweep.design.told import DRAWN, EXAMPLE, sweep_format
from optimizer.sweep.design.wish import LAWS, AxisTable, ParetoTable, PlanTable, Range, SweepTable
from tests.optimizer.sweep.files import CURVE

TEXAS = Path(__file__).parents[3] / "instances" / "texas"
BLOCKS = (SweepTable, AxisTable, Range, PlanTable, ParetoTable, *LAWS.values())


def test_every_key_is_told_with_its_meaning() -> None:
    page = sweep_format()
    for block in BLOCKS:
        for name, info in keys_of(block).items():
            if name != "distribution":
                assert re.search(rf"^\| `{name}` .*\| {re.escape(info.description or '-')} \|$",
                                 page, re.MULTILINE), name  # fmt: skip


def test_the_page_is_a_section() -> None:
    page = sweep_format()
    assert page.startswith("## Sweeps\n")
    assert "{example}" not in page
    assert max(len(line) for line in page.splitlines() if not line.startswith("|")) < 100


@pytest.mark.parametrize(("text", "number"), [(EXAMPLE, 3 * 5 * 3 * 2), (DRAWN, 256)])
def test_its_examples_hold(text: str, number: int, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(CURVE, encoding="utf-8")
    path = tmp_path / "sweep.toml"
    path.write_text(text.replace("../texas", TEXAS.as_posix()), encoding="utf-8")
    sweep = read_sweep(path)
    assert len(points_of(sweep, document_of(sweep.base))) == number
