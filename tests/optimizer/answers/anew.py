"""Values worked out the long way: an instance changed by hand, derived, compiled and solved."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.instance import Instance
from optimizer.answers.worth.units import Unit
from optimizer.case import prepare
from optimizer.highs import Options
from optimizer.keys import Key
from optimizer.load import Loaded
from optimizer.solve import Solved, solve
from optimizer.sweep.design.keys import parts_of
from tests.folders import INSTANCE

INSTANCES = Path(__file__).parents[3] / "instances"
EXACT = Options(gap=1e-6, time_limit=120.0)


def changed_by_hand(loaded: Loaded, changes: Mapping[str, Any]) -> Instance:
    """An instance with other figures, without what a sweep does to change it."""
    typed = loaded.instance.model_dump(by_alias=True, exclude_none=True)
    for text, value in changes.items():
        held: Any = typed
        key: Key = parts_of(typed, text)
        for part in key[:-1]:
            held = held[part]
        held[key[-1]] = value
    return Instance.model_validate(typed)


def with_unit(loaded: Loaded, unit: Unit) -> Instance:
    """An instance with one more unit."""
    if not unit.again:
        return changed_by_hand(loaded, unit.changes)
    offers = loaded.instance.contracts
    more = {**offers, "twice": offers[unit.again]}
    return loaded.instance.model_copy(update={"contracts": more})


def anew(loaded: Loaded, instance: Instance, options: Options = EXACT) -> Solved:
    """Solve an instance from nothing: no hint, no base, no pins."""
    return solve(prepare(instance, loaded.hours), options)


#: Of by_hand: two halls cost 20 and the budget is 19.5, which leaves 9.5 unused.
LUMPY = (
    ("capex_budget_musd = 15", "capex_budget_musd = 19.5"),
    ("opening_cash_musd = 12", "opening_cash_musd = 40"), ("firm_mw = 12", "firm_mw = 18"),
    ("max_mw = 6", "max_mw = 10"),
)  # fmt: skip


def drawn(seed: int) -> str:
    """Write a small site with other figures: budgets that bind or not, rents that pay or not."""
    rng = random.Random(f"worth {seed}")
    text = INSTANCE
    for old, new in (
        ("capex_budget_musd = 60", f"capex_budget_musd = {rng.choice([20, 35, 48, 60, 90])}"),
        ("north = 60", f"north = {rng.choice([40, 60, 100])}"),
        ("opening_cash_musd = 20", f"opening_cash_musd = {rng.choice([12, 30, 60, 100])}"),
        ("firm_mw = 12", f"firm_mw = {rng.choice([6, 9, 12, 20])}"),
        ("interruptible_mw = 10", f"interruptible_mw = {rng.choice([4, 8, 10])}"),
        ("rate_usd_per_kw_month = 140", f"rate_usd_per_kw_month = {rng.choice([90, 140, 200])}"),
        ("max_mw = 8", f"max_mw = {rng.choice([4, 7, 8, 11])}"),
        ("racks = 14", f"racks = {rng.choice([6, 14])}"),
        ("start = 45", f"start = {rng.choice([38, 45, 70])}"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def by_hand(folder: Path, *edits: tuple[str, str]) -> Path:
    """Copy the instance that is solved on paper, with pieces of its text changed."""
    shutil.copytree(INSTANCES / "by_hand", folder)
    path = folder / "instance.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return folder
