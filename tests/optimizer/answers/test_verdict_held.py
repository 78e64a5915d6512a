"""What strategies and answers hold, decision by decision: nothing that they name slips through."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import pytest

from models.build import Column, symbolic
from models.instance import Instance
from optimizer.answers.verdict import columns as columns_module
from optimizer.answers.verdict.answers import Answer
from optimizer.answers.verdict.columns import Posed, Stood, flexibility
from optimizer.answers.verdict.prices import BY_NAME
from optimizer.answers.verdict.strategies import mining_only
from optimizer.case import Case
from optimizer.compiled import compile_case
from optimizer.highs import Budget, Options
from tests.optimizer.rich_case import TYPED, rich_case


@cache
def rich() -> tuple[Case, tuple[Column, ...]]:
    """The case with everything in it, and all its decisions."""
    case = rich_case()
    return case, tuple(symbolic(case.given)[1])


def columns_of(name: str) -> set[Column]:
    return {column for column in rich()[1] if column[0] == name}


def of_ai(place: str) -> bool:
    return rich()[0].given.workload_of[place] == "ai"


# --- mining only ---------------------------------------------------------------------------


def assert_held_at_none(kind: str, banned: set[tuple[Any, ...]]) -> None:
    """Of one kind of decision, mining only holds these at none and leaves all others free."""
    held = mining_only(rich()[0], {}).pins
    others = {index for _, index in columns_of(kind)} - banned
    assert banned
    assert others
    assert all(held[kind, index] == 0.0 for index in banned)
    assert not any((kind, index) in held for index in others)


def test_mining_only_holds_every_offer() -> None:
    held = mining_only(rich()[0], {}).pins
    assert len(columns_of("signing")) >= 2
    assert all(held[column] == 0.0 for column in columns_of("signing"))


def test_mining_only_converts_no_mining_hall_for_ai() -> None:
    ways = columns_of("conversions")
    assert_held_at_none(
        "conversions", {(n, p, q) for _, (n, p, q) in ways if of_ai(q) and not of_ai(p)}
    )


def test_mining_only_orders_no_racks_for_ai() -> None:
    assert_held_at_none("orders", {at for _, at in columns_of("orders") if of_ai(at[1])})


def test_mining_only_rebuilds_no_gpu() -> None:
    rebuilt = {at for _, at in columns_of("arriving") if at[2:] == ("old-gpu", "h100")}
    assert_held_at_none("arriving", rebuilt)


def test_mining_only_holds_nothing_else() -> None:
    kinds = {name for name, _ in mining_only(rich()[0], {}).pins}
    assert kinds == {"signing", "conversions", "orders", "arriving"}


# --- the same plant without mining ---------------------------------------------------------


def test_contracts_and_hall_states_stay_when_mining_is_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every conversion, project, unit of the plant, signature and MW signed is held as it was."""
    case, _ = rich()
    plan = {name: dict.fromkeys((index for _, index in columns_of(name)), 0.0)
            for name in {column[0] for column in rich()[1]}}  # fmt: skip
    plant = ("conversions", "builds", "plant_orders", "signing", "signed_mw")
    for number, name in enumerate(plant):
        assert plan[name], name
        plan[name] = dict.fromkeys(plan[name], float(number + 1))
    served = max(plan["hosting"], key=lambda index: index[0])
    plan["hosting"][served] = 1.0
    best = Stood("optimum", "solved", 10.0, 10.0,
                 plan=cast("Any", SimpleNamespace(given=case.given, **plan)))  # fmt: skip
    taken: dict[Column, float] = {}

    def solve(case: Case, options: Options, *, pinned: dict[Column, float], stop: Any) -> Any:
        taken.update(pinned)
        return SimpleNamespace(status="solved", value_musd=4.0, bound_musd=4.0)

    monkeypatch.setattr(columns_module, "solve", solve)
    asked = Posed(cast("Any", None), case, {}, None, Options(), Budget(60.0))
    apart = flexibility(asked, best)
    assert apart.worth_musd == 6.0
    for number, name in enumerate(plant):
        for column in columns_of(name):
            assert taken[column] == float(number + 1), column
    period = case.given.tree.period
    ended = {column for column in taken if column[0] == "racks"}
    assert {index for _, index in ended} == {
        (n, p, k) for _, (n, p, k) in columns_of("racks")
        if not of_ai(p) and period[n] >= period[served[0]]
    }  # fmt: skip
    assert {name for name, _ in taken} == {*plant, "racks"}
    assert ended


# --- an answer held ------------------------------------------------------------------------


def test_an_answer_holds_its_halls_and_no_other_contract() -> None:
    case, _ = rich()
    model = compile_case(case, {})
    g = case.given
    first, last = g.nodes[0], g.nodes[-1]
    halls = (((first, "w1:air"), 3), ((last, "w1:air"), 2))
    pinned = next(index for _, index in sorted(columns_of("signing")) if index[1] == "gpus")
    held = Answer(frozenset({"lease"}), halls).held(model, {("signing", pinned): 1.0})
    # Every state of every hall in every period, those without halls at none.
    assert {column for column in held if column[0] == "halls"} == columns_of("halls")
    assert (held["halls", (first, "w1:air")], held["halls", (last, "w1:air")]) == (3.0, 2.0)
    assert sum(value for (name, _), value in held.items() if name == "halls") == 5.0
    # A contract of the answer may be signed or not, no other may, but for what is decided.
    for _, index in columns_of("signing"):
        named = None if index[1] == "lease" else float(index == pinned)
        assert held.get(("signing", index)) == named, index
    assert {name for name, _ in held} == {"halls", "signing"}


def test_an_answer_without_contracts_signs_none() -> None:
    model = compile_case(rich()[0], {})
    held = Answer().held(model, {})
    assert all(held[column] == 0.0 for column in columns_of("signing") | columns_of("halls"))


# --- what prices move ----------------------------------------------------------------------


def test_rents_of_every_kind_move_together() -> None:
    assert BY_NAME["ai-rate"].keys(Instance.model_validate(TYPED)) == (
        "contracts.signed.rate_usd_per_kw_month",
        "contracts.lease.rate_usd_per_kw_month",
        "contracts.gpus.rate_usd_per_gpu_hour",
        "gpu_cloud.h100.price_usd_per_gpu_hour",
        "gpu_cloud.old-gpu.price_usd_per_gpu_hour",
    )


def test_an_instance_without_ai_has_no_rents() -> None:
    typed = {name: held for name, held in TYPED.items() if name not in ("contracts", "gpu_cloud")}
    typed = {**typed, "commitments": {}}
    assert BY_NAME["ai-rate"].keys(Instance.model_validate(typed)) == ()
