"""Every family's rows and every term of the objective, with coefficients worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from typing import Any

import numpy as np
import pytest

from models import allocation
from models.allocation import FAMILIES, Family
from models.build import symbolic
from models.charges import peak_charge
from models.context import Context
from models.derive import Derivation, tree_of
from models.given import HORIZON, TENANT, Given
from models.hours import Hours
from models.instance import CoincidentPeak, Instance
from models.relation import Affine, Relation
from models.sla import Credit, Outage, expected_credit
from optimizer.yearly import in_tangents
from tests.models.tiny import (
    AI,
    BARN,
    BARN_AI,
    BARN_MINE,
    BASE,
    CREW,
    DENSE,
    HOURS,
    LEASE,
    MINE,
    OWNED,
    PLANT,
    POOLED,
    REBUILD,
    Typed,
    case,
    fork,
    rich,
    supplied,
    tiny,
)

Terms = dict[tuple[Any, ...], float]
Row = tuple[Any, str, Any]
Check = Callable[[], None]

#: The checks of each family, by its name; the objective stands as ``capital.value``.
CHECKS: dict[str, list[Check]] = {}
#: Decisions with a coefficient in the rows read so far, by family; None stands for a constant.
SEEN: dict[str, set[str | None]] = {}


def rows_of(family: str) -> Callable[[Check], Check]:
    """Register a test as one of a family's rows."""

    def register(check: Check) -> Check:
        CHECKS.setdefault(family, []).append(check)
        return check

    return register


def terms_of(family: str, body: Any, given: Given) -> tuple[Terms, float]:
    """Coefficients by decision and index, zeros left out, and the constant."""
    seen = SEEN.setdefault(family, set())
    if not isinstance(body, Affine):
        return {}, float(body)
    _, columns = symbolic(given)
    terms: Terms = {}
    for j, a in zip(body.columns, body.coefficients, strict=True):
        name, index = columns[j]
        terms[name, *index] = terms.get((name, *index), 0.0) + a
    terms = {key: a for key, a in terms.items() if abs(a) > 1e-15}
    seen.update(key[0] for key in terms)
    seen.update([None] if body.constant else [])
    return terms, body.constant


def row(given: Given, family: str, *index: Any) -> Row:
    """One row as it enters the model: what multiplies what, the sense, the right-hand side."""
    found = next(one for one in allocation.FAMILIES if one.name == family)
    assert index in {tuple(one) for one in found.over(given)}, f"no row {family}{index}"
    context, _ = symbolic(given)
    relation = found.rule(context, *index)
    terms, constant = terms_of(family, relation.left - relation.right, given)
    return terms, relation.sense, -constant


def by_hand(terms: Terms, sense: str, right: float = 0.0) -> Row:
    """State the row expected."""
    return (
        pytest.approx(terms, rel=1e-12, abs=1e-15),
        sense,
        pytest.approx(right, rel=1e-12, abs=1e-15),
    )


def absent(given: Given, family: str, *index: Any) -> bool:
    """Whether a family has no row at an index."""
    found = next(one for one in allocation.FAMILIES if one.name == family)
    return index not in {tuple(one) for one in found.over(given)}


def value_terms(given: Given) -> tuple[Terms, float]:
    """Read the objective."""
    context, _ = symbolic(given)
    return terms_of("capital.value", allocation.objective(context), given)


# --- halls ---------------------------------------------------------------------------------


@rows_of("halls.state_balance")
def test_halls_leave_at_once_and_arrive_a_lead_time_later() -> None:
    g = case(tiny())
    assert row(g, "halls.state_balance", 0, MINE) == by_hand(
        {("halls", 0, MINE): 1, ("conversions", 0, MINE, AI): 1}, "==", 2
    )
    assert row(g, "halls.state_balance", 1, AI) == by_hand(
        {
            ("halls", 1, AI): 1,
            ("halls", 0, AI): -1,
            ("conversions", 1, AI, MINE): 1,
            ("conversions", 0, MINE, AI): -1,
        },
        "==",
    )


@rows_of("halls.state_balance")
def test_a_conversion_arrives_on_every_branch_below_it() -> None:
    instance = tiny(fitouts__ai__works_months=24)
    g = case(instance, fork(instance))
    for leaf, parent in ((3, 1), (4, 2)):
        assert row(g, "halls.state_balance", leaf, AI) == by_hand(
            {
                ("halls", leaf, AI): 1,
                ("halls", parent, AI): -1,
                ("conversions", 0, MINE, AI): -1,
            },
            "==",
        )


@rows_of("halls.state_balance")
def test_works_under_way_finish_at_the_first_whole_period() -> None:
    works = {"hall": "h", "halls": 1, "fitout": "ai", "package": "n1", "ready": "2029-05"}
    g = case(tiny(commitments__works=[works]))
    assert row(g, "halls.state_balance", 0, MINE)[2] == 1
    assert row(g, "halls.state_balance", 0, AI)[2] == 0
    assert row(g, "halls.state_balance", 1, AI)[2] == 1


@rows_of("halls.state_balance")
def test_a_project_brings_halls_in_their_present_state() -> None:
    shed = {
        "site": "a", "adds_halls": {"hall": "h", "count": 3}, "capex_musd": 6.0, "months": 12,
        "life_months": 60,
    }  # fmt: skip
    g = case(tiny(projects__shed=shed, halls__h__convertible=False))
    assert row(g, "halls.state_balance", 1, MINE) == by_hand(
        {("halls", 1, MINE): 1, ("halls", 0, MINE): -1, ("builds", 0, "shed"): -3}, "=="
    )


#: A package that costs nothing and needs no works: halls change to it at once and for free.
FREE = {"availability": 0.99, "capex_usd_per_kw": 0.0}
AI_FREE = "h:ai+n0"


@rows_of("halls.works_limit")
def test_halls_do_not_pass_through_a_state_within_a_period() -> None:
    works = {"hall": "h", "halls": 1, "fitout": "ai", "package": "n0", "ready": "2029-05"}
    shed = {
        "site": "a", "adds_halls": {"hall": "h", "count": 3}, "capex_musd": 6.0, "months": 12,
        "life_months": 60,
    }  # fmt: skip
    g = case(tiny(uptime__packages__n0=FREE, commitments__works=[works]))
    assert row(g, "halls.works_limit", 1, AI_FREE) == by_hand(
        {
            ("conversions", 1, AI_FREE, AI): 1,
            ("conversions", 1, AI_FREE, MINE): 1,
            ("halls", 0, AI_FREE): -1,
        },
        "<=",
        1,
    )
    started = {"halls__h": {"fitout": "ai", "package": "n0"}, "fleet": []}
    grown = case(tiny(uptime__packages__n0=FREE, projects__shed=shed, **started))
    assert row(grown, "halls.works_limit", 0, AI_FREE)[2] == 2
    assert row(grown, "halls.works_limit", 1, AI_FREE)[0] == pytest.approx(
        {
            ("conversions", 1, AI_FREE, AI): 1,
            ("conversions", 1, AI_FREE, MINE): 1,
            ("halls", 0, AI_FREE): -1,
            ("builds", 0, "shed"): -3,
        }
    )


def test_halls_pass_through_states_that_cost_something() -> None:
    def places(**overrides: Any) -> set[str]:
        family = next(one for one in FAMILIES if one.name == "halls.works_limit")
        return {p for _, p in family.over(case(tiny(**overrides)))}

    assert places() == set()
    assert places(uptime__packages__n0=FREE) == {AI_FREE}
    # A change of 0.02 M$ takes two years: upkeep is 0.1 M$ a year with it, 0.11 with the other.
    cheap = {"availability": 0.99, "capex_usd_per_kw": 10.0}
    assert places(uptime__packages__n0=cheap) == set()
    assert places(uptime__packages__n0={**cheap, "works_months": 24}) == {AI_FREE}
    # The other costs 1 M$ and takes a year: as much as running two businesses that year.
    two = {
        "uptime__packages__n0": {**cheap, "works_months": 24},
        "uptime__packages__n1": {"works_months": 12},
    }
    assert places(**two, finance__split_cost_company_musd_per_year=0.8) == {AI_FREE}
    assert places(**two, finance__split_cost_site_musd_per_year=0.9) == {AI_FREE, AI}
    # Whoever has AI halls to begin with could put entering AI off by it, at no other cost.
    ready = {"hall": "h", "halls": 1, "fitout": "ai", "package": "n0", "ready": "2029-05"}
    assert places(**two, finance__ai_entry_cost_musd=0.9) == {AI_FREE}
    assert places(**two, finance__ai_entry_cost_musd=0.9, commitments__works=[ready]) == {
        AI_FREE,
        AI,
    }


FIBRE = {"site": "a", "adds_fibre": True, "capex_musd": 1.0, "months": 12, "life_months": 60}


@rows_of("halls.fibre_limit")
def test_halls_serve_ai_where_fibre_has_arrived() -> None:
    instance = tiny(sites__a__fibre=False, projects__line=FIBRE)
    g = case(instance, fork(instance))
    assert row(g, "halls.fibre_limit", 0, "h") == by_hand({("halls", 0, AI): 1}, "<=")
    assert row(g, "halls.fibre_limit", 4, "h") == by_hand(
        {("halls", 4, AI): 1, ("builds", 0, "line"): -2, ("builds", 2, "line"): -2}, "<="
    )
    assert absent(case(tiny()), "halls.fibre_limit", 0, "h")


# --- racks ---------------------------------------------------------------------------------


@rows_of("racks.rack_balance")
def test_racks_come_are_sold_and_move() -> None:
    instance = tiny(halls__barn=BARN, racks__rig__move_usd=1000.0)
    g = case(instance, fork(instance))
    pair = ("rig", "rig")
    assert row(g, "racks.rack_balance", 0, MINE, "rig") == by_hand(
        {
            ("racks", 0, MINE, "rig"): 1,
            ("sales", 0, MINE, "rig"): 1,
            ("arriving", 0, MINE, *pair): -1,
            ("leaving", 0, MINE, *pair): 1,
        },
        "==",
        6,
    )
    assert row(g, "racks.rack_balance", 4, MINE, "rig") == by_hand(
        {
            ("racks", 4, MINE, "rig"): 1,
            ("racks", 2, MINE, "rig"): -1,
            ("orders", 2, MINE, "rig"): -1,
            ("sales", 4, MINE, "rig"): 1,
            ("arriving", 4, MINE, *pair): -1,
            ("leaving", 4, MINE, *pair): 1,
        },
        "==",
    )


@rows_of("racks.rack_balance")
def test_an_order_before_the_branch_arrives_on_both() -> None:
    instance = tiny(racks__rig__delivery_months=24)
    g = case(instance, fork(instance))
    for leaf in (3, 4):
        terms = row(g, "racks.rack_balance", leaf, MINE, "rig")[0]
        assert terms["orders", 0, MINE, "rig"] == -1
    assert ("orders", 1, MINE, "rig") not in symbolic(g)[1]


@rows_of("racks.rack_balance")
def test_standing_orders_arrive_at_the_first_whole_period() -> None:
    order = {"hall": "h", "rack": "rig", "racks": 3, "delivery": "2030-02"}
    g = case(tiny(commitments__racks=[order]))
    assert row(g, "racks.rack_balance", 1, MINE, "rig")[2] == 0
    assert row(g, "racks.rack_balance", 2, MINE, "rig")[2] == 3


REBUILDS = {"racks__gpu__converts_to": REBUILD, "racks__dense": DENSE}


@rows_of("racks.transfer_balance")
def test_rebuilt_racks_arrive_a_lead_time_after_they_left() -> None:
    instance = tiny(halls__barn=BARN, **REBUILDS)
    g = case(instance, fork(instance))
    pair = ("gpu", "dense")
    assert row(g, "racks.transfer_balance", 4, "a", *pair) == by_hand(
        {
            ("arriving", 4, AI, *pair): 1,
            ("arriving", 4, BARN_AI, *pair): 1,
            ("leaving", 2, AI, *pair): -1,
            ("leaving", 2, BARN_AI, *pair): -1,
        },
        "==",
    )
    assert row(g, "racks.transfer_balance", 0, "a", *pair) == by_hand({}, "==")


@rows_of("racks.rack_balance")
def test_a_rebuild_takes_one_type_and_gives_the_other() -> None:
    g = case(tiny(**REBUILDS))
    before = row(g, "racks.rack_balance", 1, AI, "gpu")[0]
    after = row(g, "racks.rack_balance", 1, AI, "dense")[0]
    assert before["leaving", 1, AI, "gpu", "dense"] == 1
    assert after["arriving", 1, AI, "gpu", "dense"] == -1
    assert not any(key[0] == "arriving" for key in before)
    assert not any(key[0] == "leaving" for key in after)


@rows_of("racks.end_of_life")
def test_what_stands_came_within_one_life() -> None:
    fleet = [
        {"hall": "h", "rack": "rig", "racks": 4, "age_months": 12},
        {"hall": "h", "rack": "rig", "racks": 2, "age_months": 0},
    ]
    instance = tiny(horizon__periods=4, fleet=fleet)
    g = case(instance, fork(instance))
    stand = ("racks", 1, MINE, "rig")
    assert row(g, "racks.end_of_life", 1, "a", "rig") == by_hand(
        {stand: 1, ("orders", 0, MINE, "rig"): -1}, "<=", 2
    )
    assert row(g, "racks.end_of_life", 6, "a", "rig") == by_hand(
        {
            ("racks", 6, MINE, "rig"): 1,
            ("orders", 2, MINE, "rig"): -1,
            ("orders", 4, MINE, "rig"): -1,
        },
        "<=",
    )
    assert absent(g, "racks.end_of_life", 0, "a", "rig")


@rows_of("racks.end_of_life")
def test_a_rebuilt_rack_starts_a_new_life() -> None:
    g = case(tiny(**REBUILDS, racks__dense__life_months=12))
    assert row(g, "racks.end_of_life", 2, "a", "dense") == by_hand(
        {
            ("racks", 2, AI, "dense"): 1,
            ("orders", 1, AI, "dense"): -1,
            ("arriving", 2, AI, "gpu", "dense"): -1,
        },
        "<=",
    )


@rows_of("racks.leaving_limit")
def test_racks_that_an_order_brings_stand_for_a_period() -> None:
    """Six rigs stand today, one is owed; what is ordered in the first year lands in the second."""
    owed = {"hall": "h", "rack": "rig", "racks": 1, "delivery": "2030-01"}
    moved = {"racks__rig__move_usd": 1000.0, "halls__barn": BARN, "commitments__racks": [owed]}
    g = case(tiny(**moved))
    assert row(g, "racks.leaving_limit", 1, "a", "rig") == by_hand(
        {
            **{("sales", 1, p, "rig"): 1 for p in (MINE, BARN_MINE)},
            **{("racks", 0, p, "rig"): -1 for p in (MINE, BARN_MINE)},
        },
        "<=",
        1,
    )
    assert absent(g, "racks.leaving_limit", 0, "a", "rig")
    at_once = case(tiny(racks__rig__delivery_months=0))
    assert row(at_once, "racks.leaving_limit", 0, "a", "rig") == by_hand(
        {("sales", 0, MINE, "rig"): 1}, "<=", 6
    )


def test_racks_land_where_and_while_they_can_be_ordered() -> None:
    def landing(**overrides: Any) -> set[tuple[Any, ...]]:
        return {(n, k) for n, _, k in case(tiny(**overrides)).racks_landing}

    assert landing() == {(1, "rig"), (2, "rig"), (1, "gpu"), (2, "gpu")}
    assert landing(racks__rig__buyable=False) == {(1, "gpu"), (2, "gpu")}
    assert landing(racks__rig__buy_until="2029-01") == {(1, "rig"), (1, "gpu"), (2, "gpu")}
    assert landing(policy__keep_sites=["a"]) == set()


@rows_of("racks.leaving_limit")
def test_types_that_are_rebuilt_at_once_leave_together() -> None:
    racks = {"gpu": {"converts_to": {**REBUILD, "months": 0}}, "dense": DENSE}
    together = case(tiny(racks=racks))
    assert row(together, "racks.leaving_limit", 1, "a", "gpu") == by_hand(
        {
            **{("sales", 1, AI, k): 1 for k in ("gpu", "dense")},
            **{("racks", 0, AI, k): -1 for k in ("gpu", "dense")},
        },
        "<=",
    )
    assert absent(together, "racks.leaving_limit", 1, "a", "dense")


@rows_of("racks.leaving_limit")
def test_a_rebuild_of_a_year_takes_racks_out_and_brings_racks_that_were_there() -> None:
    dense = {**DENSE, "delivery_months": 0}
    g = case(tiny(racks={"gpu": {"converts_to": REBUILD}, "dense": dense}))
    assert row(g, "racks.leaving_limit", 1, "a", "gpu") == by_hand(
        {
            ("sales", 1, AI, "gpu"): 1,
            ("leaving", 1, AI, "gpu", "dense"): 1,
            ("racks", 0, AI, "gpu"): -1,
        },
        "<=",
    )
    assert row(g, "racks.leaving_limit", 1, "a", "dense") == by_hand(
        {
            ("sales", 1, AI, "dense"): 1,
            ("racks", 0, AI, "dense"): -1,
            ("arriving", 1, AI, "gpu", "dense"): -1,
        },
        "<=",
    )


def test_groups_are_joined_through_any_number_of_rebuilds() -> None:
    at_once = {"cost_usd": 0.0, "months": 0}
    racks = {
        "gpu": {"converts_to": {"rack": "last", **at_once}},
        "dense": {**DENSE, "converts_to": {"rack": "last", **at_once}},
        "last": {**DENSE, "converts_to": {**REBUILD, "rack": "later"}},
        "later": DENSE,
    }
    g = case(tiny(racks=racks))
    assert g.rack_groups == {
        ("a", "rig"): ("rig",),
        ("a", "gpu"): ("gpu", "dense", "last"),
        ("a", "later"): ("later",),
    }


@rows_of("racks.space_limit")
def test_racks_and_tenants_share_the_it_mw_of_halls() -> None:
    g = case(tiny(contracts__lease=LEASE))
    assert row(g, "racks.space_limit", 0, MINE) == by_hand(
        {("racks", 0, MINE, "rig"): 1.0, ("halls", 0, MINE): -4.0}, "<="
    )
    assert row(g, "racks.space_limit", 1, AI) == by_hand(
        {
            ("racks", 1, AI, "gpu"): 0.1,
            ("hosting", 1, "lease", AI, TENANT): 1.0,
            ("halls", 1, AI): -2.0,
        },
        "<=",
    )


@rows_of("racks.position_limit")
def test_racks_and_tenants_share_the_positions_of_halls() -> None:
    lease = {**LEASE, "kw_per_rack": 40.0}
    g = case(tiny(contracts__lease=lease, racks__gpu__positions=2.0))
    assert row(g, "racks.position_limit", 1, AI) == by_hand(
        {
            ("racks", 1, AI, "gpu"): 2.0,
            ("hosting", 1, "lease", AI, TENANT): 25.0,
            ("halls", 1, AI): -10.0,
        },
        "<=",
    )
    per_mw = case(tiny(fitouts__ai__positions_per_mw=8.0))
    assert row(per_mw, "racks.position_limit", 1, AI)[0]["halls", 1, AI] == -16.0


LARGE = {"workload": "mining", "machine": "m", "machines_per_rack": 1000}


@rows_of("racks.whole_racks")
def test_a_hall_holds_whole_racks() -> None:
    g = case(tiny(halls__h__it_mw=4.5, racks__large=LARGE))
    assert row(g, "racks.whole_racks", 1, MINE, "large") == by_hand(
        {("racks", 1, MINE, "large"): 1, ("halls", 1, MINE): -2}, "<="
    )
    assert row(g, "racks.whole_racks", 1, MINE, "rig") == by_hand(
        {("racks", 1, MINE, "rig"): 1, ("racks", 1, MINE, "large"): 1, ("halls", 1, MINE): -4},
        "<=",
    )
    assert absent(case(tiny()), "racks.whole_racks", 1, MINE, "rig")


@rows_of("racks.whole_racks")
def test_positions_count_in_whole_racks_at_those_of_the_smallest_footprint() -> None:
    flat = {**LARGE, "positions": 0.8}
    g = case(tiny(halls__h__rack_positions=2.9, racks__large=flat))
    assert row(g, "racks.whole_racks", 1, MINE, "rig")[0]["halls", 1, MINE] == -3


LONGER = {**OWNED, "months": 60}


@rows_of("racks.tail_life")
def test_racks_that_serve_beyond_the_horizon_live_until_the_end() -> None:
    instance = tiny(contracts={"own": OWNED, "longer": LONGER}, racks__gpu__life_months=36)
    g = case(instance, fork(instance))
    # The horizon ends with 2031, the contracts with 2033 and 2034: racks of 2031 and none last.
    assert row(g, "racks.tail_life", 4, "a", "own", "gpu") == by_hand(
        {
            ("hosting", 4, "own", AI, "gpu"): 10.0,
            ("hosting", 4, "longer", AI, "gpu"): 10.0,
            ("orders", 2, AI, "gpu"): -1.0,
        },
        "<=",
    )
    assert row(g, "racks.tail_life", 4, "a", "longer", "gpu") == by_hand(
        {("hosting", 4, "longer", AI, "gpu"): 10.0}, "<="
    )


@rows_of("racks.tail_life")
def test_racks_of_today_serve_beyond_the_horizon_if_they_last() -> None:
    fleet = [
        {"hall": "h", "rack": "gpu", "racks": 7, "age_months": 0},
        {"hall": "h", "rack": "gpu", "racks": 5, "age_months": 1},
    ]
    g = case(
        tiny(
            contracts__own=OWNED,
            halls__h={"fitout": "ai", "package": "n1"},
            fleet=fleet,
        )
    )
    assert row(g, "racks.tail_life", 2, "a", "own", "gpu") == by_hand(
        {
            ("hosting", 2, "own", AI, "gpu"): 10.0,
            ("orders", 0, AI, "gpu"): -1.0,
            ("orders", 1, AI, "gpu"): -1.0,
        },
        "<=",
        7,
    )


@rows_of("racks.tail_life")
def test_rebuilt_racks_serve_beyond_the_horizon() -> None:
    g = case(
        tiny(
            **REBUILDS,
            racks__dense__life_months=36,
            contracts__own={**OWNED, "racks": ["dense"]},
        )
    )
    assert row(g, "racks.tail_life", 2, "a", "own", "dense") == by_hand(
        {
            ("hosting", 2, "own", AI, "dense"): 10.0,
            ("orders", 1, AI, "dense"): -1.0,
            ("arriving", 2, AI, "gpu", "dense"): -1.0,
        },
        "<=",
    )


def filled() -> Given:
    """Derive a case whose halls hold four small racks, two large, or one of each and one more."""
    fillings = ({"rig": 4.0}, {"large": 2.0}, {"rig": 1.0, "large": 1.0})
    return replace(case(tiny(racks__large=LARGE)), fillings={MINE: fillings})


@rows_of("racks.mix_limit")
def test_mixes_take_no_more_than_the_halls() -> None:
    mixes = ({"rig": 0.25, "large": 0.5}, {"rig": 0.2, "large": 0.55})
    g = replace(filled(), mixes={MINE: mixes})
    assert row(g, "racks.mix_limit", 1, MINE, 1) == by_hand(
        {
            ("racks", 1, MINE, "rig"): 0.2,
            ("racks", 1, MINE, "large"): 0.55,
            ("halls", 1, MINE): -1,
        },
        "<=",
    )


@rows_of("racks.filled_halls")
def test_every_hall_has_one_filling() -> None:
    assert row(filled(), "racks.filled_halls", 1, MINE) == by_hand(
        {
            ("filled", 1, MINE, 0): 1,
            ("filled", 1, MINE, 1): 1,
            ("filled", 1, MINE, 2): 1,
            ("halls", 1, MINE): -1,
        },
        "<=",
    )


@rows_of("racks.filling_limit")
def test_racks_fit_the_fillings() -> None:
    assert row(filled(), "racks.filling_limit", 1, MINE, "rig") == by_hand(
        {
            ("racks", 1, MINE, "rig"): 1,
            ("filled", 1, MINE, 0): -4,
            ("filled", 1, MINE, 2): -1,
        },
        "<=",
    )


# --- grid ----------------------------------------------------------------------------------

CLOUD = {"price_usd_per_gpu_hour": 2.0, "utilisation_share": 0.5, "load_factor_share": 0.8}
GRID = {
    "site": "a", "adds_firm_mw": 2.0, "adds_interruptible_mw": 3.0, "capex_musd": 5.0,
    "months": 12, "max_units": 4, "life_months": 120,
}  # fmt: skip


def cut_hours() -> dict[str, Hours]:
    """Half the hours at 40 $/MWh, of which a quarter cut, and half too dear to mine."""
    months = np.repeat(np.arange(1, 13), 3)
    weights = np.tile([274.0, 91.0, 365.0], 12)
    prices = np.tile([40.0, 40.0, 400.0], 12)
    return {"a": Hours(months, weights, prices, np.tile([False, True, False], 12), "drawn")}


@rows_of("grid.reservation")
def test_ai_reserves_what_it_serves_at_peak() -> None:
    g = case(tiny(contracts={"lease": LEASE, "own": OWNED}, gpu_cloud__gpu=CLOUD))
    assert row(g, "grid.reservation", 1, "a") == by_hand(
        {
            ("reserved", 1, "a"): 1.0,
            ("hosting", 1, "lease", AI, TENANT): -1.3,
            ("hosting", 1, "own", AI, "gpu"): -1.3,
            ("cloud", 1, AI, "gpu"): -1.3,
        },
        "==",
    )


@rows_of("grid.interconnection")
def test_load_stays_within_the_connection_and_within_firm_mw_where_cut() -> None:
    steps = [{"from": "2029-01", "value": 8.0}, {"from": "2031-01", "value": 9.0}]
    instance = tiny(sites__a__firm_mw=steps, projects__line=GRID)
    g = case(instance, fork(instance), cut_hours())
    bands = {g.cut[4, "a", b]: b for b in g.bands[4, "a"] if g.runs[4, "a", b]}
    built = {("builds", 0, "line"): -5.0, ("builds", 2, "line"): -5.0}
    assert row(g, "grid.interconnection", 4, "a", bands[False]) == by_hand(
        {("mining", 4, "a", "mine", "rig", bands[False]): 1.1, ("reserved", 4, "a"): 1.0, **built},
        "<=",
        13.0,
    )
    firm = {("builds", 0, "line"): -2.0, ("builds", 2, "line"): -2.0}
    assert row(g, "grid.interconnection", 4, "a", bands[True]) == by_hand(
        {("mining", 4, "a", "mine", "rig", bands[True]): 1.1, ("reserved", 4, "a"): 1.0, **firm},
        "<=",
        9.0,
    )
    dear = next(b for b in g.bands[4, "a"] if not g.runs[4, "a", b])
    assert absent(g, "grid.interconnection", 4, "a", dear)


@rows_of("grid.firm_reservation")
def test_ai_stands_on_firm_mw() -> None:
    g = case(tiny(projects__line=GRID))
    assert row(g, "grid.firm_reservation", 0, "a") == by_hand({("reserved", 0, "a"): 1}, "<=", 8)
    assert row(g, "grid.firm_reservation", 2, "a") == by_hand(
        {("reserved", 2, "a"): 1, ("builds", 0, "line"): -2, ("builds", 1, "line"): -2}, "<=", 8
    )


#: Hours of :func:`cut_hours` in which interruptible load is cut.
CUT_H = 12 * 91.0


def allowing(hours: float, **more: Any) -> Instance:
    """A lease and owned racks beside it, of which the lease allows its load to be off."""
    lease = {**LEASE, "curtailable_hours_per_year": hours}
    return tiny(contracts={"lease": lease, "own": OWNED}, **more)


@rows_of("grid.firm_reservation")
def test_what_may_be_cut_stands_on_interruptible_mw_too() -> None:
    instance = allowing(CUT_H)
    g = case(instance, hours=cut_hours())
    assert g.interruptible_at == {"a": ("lease",)}
    assert row(g, "grid.firm_reservation", 1, "a") == by_hand(
        {("reserved", 1, "a"): 1, ("hosting", 1, "lease", AI, TENANT): -1.3}, "<=", 8
    )
    # An hour fewer, and some hour is cut in which it has to be on.
    few = case(allowing(CUT_H - 1), hours=cut_hours())
    assert few.interruptible_at == {"a": ()}
    assert row(few, "grid.firm_reservation", 1, "a") == by_hand({("reserved", 1, "a"): 1}, "<=", 8)


@rows_of("grid.whole_reservation")
def test_all_of_ai_stands_on_the_whole_connection() -> None:
    g = case(allowing(CUT_H, projects__line=GRID), hours=cut_hours())
    assert row(g, "grid.whole_reservation", 1, "a") == by_hand(
        {("reserved", 1, "a"): 1, ("builds", 0, "line"): -5}, "<=", 12
    )
    assert absent(case(allowing(CUT_H - 1), hours=cut_hours()), "grid.whole_reservation", 1, "a")
    assert absent(case(allowing(0.0), hours=cut_hours()), "grid.whole_reservation", 1, "a")


@rows_of("grid.interconnection")
def test_a_contract_takes_no_power_in_a_band_in_which_it_is_off() -> None:
    g = case(allowing(CUT_H), hours=cut_hours())
    mined = {g.cut[1, "a", b]: b for b in g.bands[1, "a"] if g.runs[1, "a", b]}
    assert row(g, "grid.interconnection", 1, "a", mined[True]) == by_hand(
        {
            ("mining", 1, "a", "mine", "rig", mined[True]): 1.1,
            ("reserved", 1, "a"): 1,
            ("hosting", 1, "lease", AI, TENANT): -1.3,
        },
        "<=",
        8,
    )
    assert row(g, "grid.interconnection", 1, "a", mined[False]) == by_hand(
        {("mining", 1, "a", "mine", "rig", mined[False]): 1.1, ("reserved", 1, "a"): 1}, "<=", 12
    )


@rows_of("grid.new_power_reservation")
def test_what_may_be_cut_stands_on_new_interruptible_mw_where_reuse_is_forbidden() -> None:
    new = {"projects__line": GRID, "policy__reuse_power": False}
    g = case(allowing(CUT_H, **new), hours=cut_hours())
    assert row(g, "grid.new_power_reservation", 1, "a") == by_hand(
        {
            ("reserved", 1, "a"): 1,
            ("hosting", 1, "lease", AI, TENANT): -1.3,
            ("builds", 0, "line"): -2,
        },
        "<=",
    )


@rows_of("grid.whole_new_power")
def test_all_of_ai_stands_on_new_mw_where_reuse_is_forbidden() -> None:
    new = {"projects__line": GRID, "policy__reuse_power": False}
    g = case(allowing(CUT_H, **new), hours=cut_hours())
    assert row(g, "grid.whole_new_power", 1, "a") == by_hand(
        {("reserved", 1, "a"): 1, ("builds", 0, "line"): -5}, "<="
    )
    assert absent(case(allowing(CUT_H), hours=cut_hours()), "grid.whole_new_power", 1, "a")


@rows_of("grid.new_power_reservation")
def test_ai_stands_on_new_mw_where_reuse_is_forbidden() -> None:
    g = case(tiny(projects__line=GRID, policy__reuse_power=False))
    assert row(g, "grid.new_power_reservation", 1, "a") == by_hand(
        {("reserved", 1, "a"): 1, ("builds", 0, "line"): -2}, "<="
    )
    assert absent(case(tiny()), "grid.new_power_reservation", 1, "a")


@rows_of("grid.mining_use_limit")
def test_mining_keeps_to_what_a_rule_grants() -> None:
    g = case(tiny(sites__a__mining_mw_max=5.0))
    assert row(g, "grid.mining_use_limit", 1, "a", 0) == by_hand(
        {("mining", 1, "a", "mine", "rig", 0): 1.1}, "<=", 5
    )


@rows_of("grid.ai_use_limit")
def test_ai_keeps_to_what_a_rule_grants() -> None:
    g = case(tiny(sites__a__ai_mw_max=3.0))
    assert row(g, "grid.ai_use_limit", 1, "a") == by_hand({("reserved", 1, "a"): 1}, "<=", 3)


@rows_of("grid.substation_limit")
def test_nameplate_keeps_to_the_substation() -> None:
    g = case(tiny(sites__a__substation_mw=7.0))
    assert row(g, "grid.substation_limit", 1, "a") == by_hand(
        {("racks", 1, MINE, "rig"): 1.1, ("reserved", 1, "a"): 1.0}, "<=", 7
    )


@rows_of("grid.project_limit")
def test_a_project_is_built_so_many_times_on_a_path() -> None:
    instance = tiny(projects__line=GRID)
    g = case(instance, fork(instance))
    assert row(g, "grid.project_limit", 4, "line") == by_hand(
        {("builds", 0, "line"): 1, ("builds", 2, "line"): 1}, "<=", 4
    )


# --- mining --------------------------------------------------------------------------------

SPLIT = {"split_cost_site_musd_per_year": 0.2, "split_cost_company_musd_per_year": 0.3}


@rows_of("mining.mining_limit")
def test_mining_runs_what_is_installed_and_fit_to_run() -> None:
    g = case(tiny(halls__barn=BARN))
    assert row(g, "mining.mining_limit", 1, "a", "mine", "rig", 0) == by_hand(
        {
            ("mining", 1, "a", "mine", "rig", 0): 1.0,
            ("racks", 1, MINE, "rig"): -0.9,
            ("racks", 1, BARN_MINE, "rig"): -0.9,
        },
        "<=",
    )


@rows_of("mining.presence")
def test_a_site_with_mining_racks_mines() -> None:
    g = case(tiny(halls__barn=BARN, finance=SPLIT))
    assert row(g, "mining.presence", 1, "a") == by_hand(
        {
            ("racks", 1, MINE, "rig"): 1.0,
            ("racks", 1, BARN_MINE, "rig"): 1.0,
            ("mines", 1, "a"): -12.0,
        },
        "<=",
    )


# --- hosting -------------------------------------------------------------------------------

RAMP = [{"after_months": 0, "share": 0.25}, {"after_months": 18, "share": 1.0}]


@rows_of("hosting.delivery_balance")
def test_what_is_due_of_the_mw_signed_is_delivered_or_late() -> None:
    # With an advance, each branch may still sign what the root did not.
    offer = {"sign_by": "2030-01", "prepayment_usd_per_kw": 100.0}
    lease = {**LEASE, **offer, "ramp": RAMP, "latest_delivery": "2031-01"}
    instance = tiny(contracts__lease=lease)
    g = case(instance, fork(instance))
    # The ramp reaches its second step in the middle of the last period, which counts whole.
    assert row(g, "hosting.delivery_balance", 2, "lease") == by_hand(
        {
            ("hosting", 2, "lease", AI, TENANT): 1.0,
            ("shortfall", 2, "lease"): 1.0,
            ("signed_mw", 0, "lease"): -0.25,
            ("signed_mw", 2, "lease"): -0.25,
        },
        "==",
    )
    assert row(g, "hosting.delivery_balance", 4, "lease") == by_hand(
        {
            ("hosting", 4, "lease", AI, TENANT): 1.0,
            ("signed_mw", 0, "lease"): -1.0,
            ("signed_mw", 2, "lease"): -1.0,
        },
        "==",
    )
    assert absent(g, "hosting.delivery_balance", 0, "lease")


@rows_of("hosting.delivery_balance")
def test_mw_signed_before_the_horizon_are_due_too() -> None:
    signed = [{"contract": "lease", "mw": 2.0}]
    g = case(tiny(contracts__lease={**LEASE, "ramp": RAMP[:1]}, commitments__contracts=signed))
    assert row(g, "hosting.delivery_balance", 1, "lease") == by_hand(
        {("hosting", 1, "lease", AI, TENANT): 1.0}, "==", 0.5
    )


@rows_of("hosting.delivery_balance")
def test_owner_racks_of_every_accepted_type_deliver() -> None:
    g = case(tiny(contracts__own={**OWNED, "racks": ["gpu", "dense"]}, **REBUILDS))
    assert row(g, "hosting.delivery_balance", 1, "own") == by_hand(
        {
            ("hosting", 1, "own", AI, "gpu"): 1.0,
            ("hosting", 1, "own", AI, "dense"): 1.0,
            ("signed_mw", 0, "own"): -1.0,
        },
        "==",
    )


@rows_of("hosting.delivery_balance")
def test_a_contract_that_no_package_can_promise_delivers_nothing() -> None:
    g = case(tiny(contracts__lease={**LEASE, "availability": 0.9999}))
    assert row(g, "hosting.delivery_balance", 1, "lease") == by_hand(
        {("signed_mw", 0, "lease"): -1.0}, "=="
    )


@rows_of("hosting.signing_floor")
def test_a_contract_takes_at_least_its_least() -> None:
    g = case(tiny(contracts__lease=LEASE))
    assert row(g, "hosting.signing_floor", 0, "lease") == by_hand(
        {("signed_mw", 0, "lease"): 1, ("signing", 0, "lease"): -1.0}, ">="
    )


@rows_of("hosting.signing_limit")
def test_a_contract_takes_at_most_its_most() -> None:
    g = case(tiny(contracts__lease=LEASE))
    assert row(g, "hosting.signing_limit", 0, "lease") == by_hand(
        {("signed_mw", 0, "lease"): 1, ("signing", 0, "lease"): -3.0}, "<="
    )


@rows_of("hosting.signing_once")
def test_a_contract_is_signed_once_on_a_path() -> None:
    offer = {"sign_by": "2030-01", "prepayment_usd_per_kw": 100.0}
    instance = tiny(contracts__lease={**LEASE, **offer})
    g = case(instance, fork(instance))
    assert row(g, "hosting.signing_once", 4, "lease") == by_hand(
        {("signing", 0, "lease"): 1, ("signing", 2, "lease"): 1}, "<=", 1
    )


@rows_of("hosting.owner_racks_limit")
def test_owner_racks_serve_up_to_their_nameplate() -> None:
    g = case(tiny(contracts__own=OWNED, gpu_cloud__gpu=CLOUD))
    assert row(g, "hosting.owner_racks_limit", 1, AI, "gpu") == by_hand(
        {
            ("hosting", 1, "own", AI, "gpu"): 1.0,
            ("cloud", 1, AI, "gpu"): 1.0,
            ("racks", 1, AI, "gpu"): -0.1,
        },
        "<=",
    )


@rows_of("hosting.cloud_demand_limit")
def test_gpu_hours_find_so_many_customers() -> None:
    demand = [{"from": "2029-01", "value": 1.0}, {"from": "2030-01", "value": 1.5}]
    g = case(tiny(halls__barn=BARN, gpu_cloud__gpu={**CLOUD, "demand_limit_mw": demand}))
    assert row(g, "hosting.cloud_demand_limit", 1, "gpu") == by_hand(
        {("cloud", 1, AI, "gpu"): 1, ("cloud", 1, BARN_AI, "gpu"): 1}, "<=", 1.5
    )


@rows_of("hosting.presence")
def test_a_site_with_ai_halls_hosts() -> None:
    g = case(tiny(finance=SPLIT))
    assert row(g, "hosting.presence", 1, "h") == by_hand(
        {("halls", 1, AI): 1.0, ("hosts", 1, "a"): -2.0}, "<="
    )


@rows_of("hosting.presence_by_contract")
def test_a_site_that_serves_a_contract_hosts() -> None:
    g = case(tiny(finance=SPLIT, contracts__lease={**LEASE, "ramp": RAMP}, halls__barn=BARN))
    assert row(g, "hosting.presence_by_contract", 1, "a", "lease") == by_hand(
        {
            ("hosting", 1, "lease", AI, TENANT): 1.0,
            ("hosting", 1, "lease", BARN_AI, TENANT): 1.0,
            ("hosts", 1, "a"): -0.75,
        },
        "<=",
    )


# --- capital -------------------------------------------------------------------------------

SECOND_SITE = {
    "sites__b": {"firm_mw": 4.0},
    "power__b": {"flat_usd_per_mwh": 40.0},
    "halls__barn": {**BARN, "site": "b"},
}


@rows_of("capital.entry")
def test_ai_is_entered_before_a_site_hosts() -> None:
    g = case(tiny(finance__ai_entry_cost_musd=4.0))
    assert row(g, "capital.entry", 1, "a") == by_hand(
        {("hosts", 1, "a"): 1, ("entered", 1): -1}, "<="
    )


@rows_of("capital.entry_stays")
def test_ai_entered_stays_entered() -> None:
    instance = tiny(finance__ai_entry_cost_musd=4.0)
    g = case(instance, fork(instance))
    assert row(g, "capital.entry_stays", 4) == by_hand(
        {("entered", 4): 1, ("entered", 2): -1}, ">="
    )
    assert row(g, "capital.entry_stays", 0) == by_hand({("entered", 0): 1}, ">=")
    free = tiny(finance={"ai_entry_cost_musd": 4.0, "hosts_ai_already": True})
    assert absent(case(free), "capital.entry_stays", 0)


@rows_of("capital.entry_by_contract")
def test_ai_is_entered_before_a_contract_is_due() -> None:
    instance = tiny(finance__ai_entry_cost_musd=4.0, contracts__lease=LEASE)
    g = case(instance, fork(instance))
    assert row(g, "capital.entry_by_contract", 4, "lease") == by_hand(
        {("entered", 4): 1, ("signing", 0, "lease"): -1}, ">="
    )


@rows_of("capital.both_at_site")
def test_a_site_that_mines_and_hosts_runs_both() -> None:
    g = case(tiny(finance=SPLIT))
    assert row(g, "capital.both_at_site", 1, "a") == by_hand(
        {("both", 1, "a"): 1, ("mines", 1, "a"): -1, ("hosts", 1, "a"): -1}, ">=", -1
    )


@rows_of("capital.both_in_company")
def test_a_company_that_mines_here_and_hosts_there_runs_both() -> None:
    g = case(tiny(finance=SPLIT, **SECOND_SITE))
    assert row(g, "capital.both_in_company", 1, "a", "b") == by_hand(
        {("both_company", 1): 1, ("mines", 1, "a"): -1, ("hosts", 1, "b"): -1}, ">=", -1
    )


@rows_of("capital.both_by_contract")
def test_a_company_that_mines_with_a_contract_due_runs_both() -> None:
    g = case(tiny(finance=SPLIT, contracts__lease=LEASE))
    assert row(g, "capital.both_by_contract", 1, "a", "lease") == by_hand(
        {("both_company", 1): 1, ("mines", 1, "a"): -1, ("signing", 0, "lease"): -1}, ">=", -1
    )


@rows_of("capital.capex_balance")
def test_capex_is_what_technologies_spend() -> None:
    owed = {"hall": "h", "rack": "rig", "racks": 1, "delivery": "2030-03", "due_musd": 0.4}
    instance = tiny(
        projects__line=GRID, commitments__racks=[owed], racks__rig__move_usd=1000.0, **REBUILDS,
        halls__barn=BARN,
    )  # fmt: skip
    g = case(instance, fork(instance))
    terms, sense, right = row(g, "capital.capex_balance", 1, "a")
    spent = {MINE: (5.0, 0.125, 0.375), BARN_MINE: (5.0, 0.125, 0.375)}
    hand: Terms = {("capex", 1, "a"): 1.0, ("builds", 1, "line"): -5.0}
    for place, (fitting, order, due) in spent.items():
        fitted = {MINE: AI, BARN_MINE: BARN_AI}[place]
        hand[("conversions", 1, place, fitted)] = -fitting
        hand[("conversions", 1, fitted, place)] = -1.2
        hand[("orders", 1, place, "rig")] = -order
        hand[("orders", 0, place, "rig")] = -due
        hand[("orders", 1, fitted, "gpu")] = -0.4
        hand[("orders", 1, fitted, "dense")] = -0.6
        hand[("leaving", 1, place, "rig", "rig")] = -0.001
        hand[("leaving", 1, fitted, "gpu", "dense")] = -0.02
    assert (terms, sense, right) == by_hand(hand, "==", 0.4)


@rows_of("capital.margin_balance")
def test_margin_is_what_technologies_earn() -> None:
    g = case(
        tiny(
            sites__a__staff_musd_per_year=0.6,
            contracts={"lease": LEASE, "own": OWNED},
            gpu_cloud__gpu=CLOUD,
        )
    )
    # An IT MWh of AI costs 1.2 × 0.8 × (40 + 5 + 3) $, one of mining 1.05 × (40 + 5 + 2) $.
    energy = HOURS * 1.2 * 0.8 * 48 / 1e6
    served = 12 * 100 / 1e3 - energy - 12 * 5 / 1e3
    sold = HOURS * 0.5 * 2.0 * 80 / 1e6 - energy
    assert row(g, "capital.margin_balance", 1, "a") == by_hand(
        {
            ("margin", 1, "a"): 1.0,
            ("mining", 1, "a", "mine", "rig", 0): -HOURS * (100 - 1.05 * 47) / 1e6,
            ("hosting", 1, "lease", AI, TENANT): -served,
            ("hosting", 1, "own", AI, "gpu"): -served,
            ("cloud", 1, AI, "gpu"): -sold,
            ("halls", 1, MINE): 0.04,
            ("halls", 1, AI): 0.11,
        },
        "==",
        -0.6,
    )


@rows_of("capital.margin_balance")
def test_a_tenant_may_pay_the_energy() -> None:
    g = case(tiny(contracts__lease={**LEASE, "power_passed_through": True}))
    terms = row(g, "capital.margin_balance", 1, "a")[0]
    assert terms["hosting", 1, "lease", AI, TENANT] == pytest.approx(-1.2 + 0.06, rel=1e-12)


@rows_of("capital.capex_budget")
def test_capex_keeps_to_budgets_of_spans_sites_and_the_horizon() -> None:
    instance = tiny(
        finance={
            "capex_budget_musd": 9.0,
            "capex_budget_by_site_musd": {"b": 3.0},
            "capex_budget_by_period": [
                {"from": "2029-01", "to": "2030-12", "musd": 5.0},
                {"from": "2029-01", "musd": 2.0},
            ],
        },
        **SECOND_SITE,
    )
    g = case(instance, fork(instance))
    names = list(g.budget_musd)
    assert list(g.budget_musd.values()) == [9.0, 3.0, 5.0, 2.0]
    path = {("capex", n, s): 1.0 for n in (0, 2, 4) for s in "ab"}
    assert row(g, "capital.capex_budget", names[0], 4) == by_hand(path, "<=", 9)
    assert row(g, "capital.capex_budget", names[1], 4) == by_hand(
        {key: 1.0 for key in path if key[2] == "b"}, "<=", 3
    )
    assert row(g, "capital.capex_budget", names[2], 2) == by_hand(
        {key: 1.0 for key in path if key[1] != 4}, "<=", 5
    )
    assert row(g, "capital.capex_budget", names[3], 0) == by_hand(
        {key: 1.0 for key in path if key[1] == 0}, "<=", 2
    )
    assert len(g.budget_span) == 2 + 2 + 2 + 1


LOAN = {
    "limit_musd": 20.0, "interest_per_year": 0.1, "loan_to_cost_share": 0.6, "fee_share": 0.02,
    "draw_until": "2030-06",
}  # fmt: skip
DEBT = [
    {"name": "old", "month": "2030-07", "principal_musd": 3.0, "interest_musd": 0.5},
    {"name": "old", "month": "2033-01", "principal_musd": 7.0, "interest_musd": 0.5},
]
MONEY = {
    "finance": {
        **SPLIT,
        "ai_entry_cost_musd": 4.0,
        "minimum_cash_musd": 2.0,
        "overhead_musd_per_year": 1.5,
        "loan": LOAN,
    },
    "commitments__debt": DEBT,
}
ADVANCE = {
    **LEASE,
    "sign_by": "2030-01",
    "prepayment_usd_per_kw": 240.0,
    "prepayment_credit_months": 24,
    "tenant_works_usd_per_kw": 700.0,
    "latest_delivery": "2031-01",
    "delay_usd_per_kw_month": 30.0,
}


def start_terms(n: int) -> Terms:
    """What moves at the start of a period, in the case of the two tests below."""
    return {
        ("capex", n, "a"): -1.0,
        ("sales", n, MINE, "rig"): 0.1,
        ("sales", n, AI, "gpu"): 0.05,
        ("signed_mw", n, "lease"): 0.24 + 0.7,
        ("draw", n): 0.98,
        ("repay", n): -1.0,
        ("entered", n): -4.0,
    }


@rows_of("capital.cash_after_capex")
def test_cash_holds_its_minimum_after_capex() -> None:
    instance = tiny(contracts__lease=ADVANCE, **MONEY)
    g = case(instance, fork(instance))
    assert row(g, "capital.cash_after_capex", 0) == by_hand(start_terms(0), ">=", 2.0 - 100.0)
    assert row(g, "capital.cash_after_capex", 2) == by_hand(
        {**start_terms(2), ("cash", 0): 1.0, ("entered", 0): 4.0}, ">=", 2.0 + 3.0
    )


@rows_of("capital.cash_balance")
def test_cash_is_what_was_and_all_that_flows() -> None:
    instance = tiny(contracts__lease=ADVANCE, **MONEY)
    g = case(instance, fork(instance))
    flows = {
        **start_terms(2),
        ("cash", 0): 1.0,
        ("entered", 0): 4.0,
        ("margin", 2, "a"): 1.0,
        ("both", 2, "a"): -0.2,
        ("both_company", 2): -0.3,
        ("debt", 2): -0.1,
        # A year late costs 12 × 30 $/kW; of 240 $/kW, 120 are credited in the first year.
        ("shortfall", 2, "lease"): -0.36,
        ("signed_mw", 2, "lease"): 0.94 - 0.12,
        ("signed_mw", 0, "lease"): -0.12,
    }
    hand = {("cash", 2): 1.0, **{key: -a for key, a in flows.items()}}
    assert row(g, "capital.cash_balance", 2) == by_hand(hand, "==", -3.0 - 1.5 - 0.5)
    last = row(g, "capital.cash_balance", 4)
    assert last[0]["signed_mw", 2, "lease"] == pytest.approx(0.12)
    assert ("draw", 4) not in last[0]
    assert row(g, "capital.cash_balance", 0)[2] == pytest.approx(100.0 - 1.5)


@rows_of("capital.cash_floor")
def test_cash_holds_its_minimum_at_the_end() -> None:
    g = case(tiny(**MONEY))
    assert row(g, "capital.cash_floor", 1) == by_hand({("cash", 1): 1}, ">=", 2)


@rows_of("capital.debt_balance")
def test_the_loan_is_drawn_and_repaid() -> None:
    instance = tiny(**MONEY)
    g = case(instance, fork(instance))
    assert row(g, "capital.debt_balance", 0) == by_hand(
        {("debt", 0): 1, ("draw", 0): -1, ("repay", 0): 1}, "=="
    )
    assert row(g, "capital.debt_balance", 4) == by_hand(
        {("debt", 4): 1, ("debt", 2): -1, ("repay", 4): 1}, "=="
    )


@rows_of("capital.debt_limit")
def test_the_loan_keeps_to_its_limit() -> None:
    assert row(case(tiny(**MONEY)), "capital.debt_limit", 1) == by_hand({("debt", 1): 1}, "<=", 20)


@rows_of("capital.loan_to_cost")
def test_the_loan_pays_for_capex_only() -> None:
    g = case(tiny(**MONEY, **SECOND_SITE))
    assert row(g, "capital.loan_to_cost", 1) == by_hand(
        {("draw", 1): 1, ("capex", 1, "a"): -0.6, ("capex", 1, "b"): -0.6}, "<="
    )
    assert absent(g, "capital.loan_to_cost", 2)


# --- policy --------------------------------------------------------------------------------


def shared(a_share: float) -> Terms:
    """Weigh mining against AI where mining's share is a limit."""
    return {
        ("racks", 1, MINE, "rig"): 1.0 - a_share,
        ("hosting", 1, "lease", AI, TENANT): -a_share,
        ("cloud", 1, AI, "gpu"): -a_share,
    }


@rows_of("policy.mining_share_floor")
def test_mining_keeps_a_share() -> None:
    g = case(
        tiny(
            contracts__lease=LEASE,
            gpu_cloud__gpu=CLOUD,
            policy={"mining_share_min": 0.1, "ai_share_max": 0.75, "shares_from": "2029-02"},
        )
    )
    assert row(g, "policy.mining_share_floor", 1) == by_hand(shared(0.25), ">=")
    assert absent(g, "policy.mining_share_floor", 0)


@rows_of("policy.mining_share_limit")
def test_mining_keeps_to_a_share() -> None:
    g = case(
        tiny(
            contracts__lease=LEASE,
            gpu_cloud__gpu=CLOUD,
            policy={"mining_share_max": 0.8, "ai_share_min": 0.4},
        )
    )
    assert row(g, "policy.mining_share_limit", 1) == by_hand(shared(0.6), "<=")


# --- what is left --------------------------------------------------------------------------


@rows_of("policy.kept_racks")
def test_racks_of_a_site_that_stays_as_it_is_stand_until_they_wear_out() -> None:
    fleet = [
        {"hall": "h", "rack": "rig", "racks": 4, "age_months": 0},
        {"hall": "h", "rack": "rig", "racks": 2, "age_months": 12},
    ]
    order = {"hall": "h", "rack": "rig", "racks": 1, "delivery": "2030-02"}
    g = case(
        tiny(fleet=fleet, commitments__racks=[order], policy__keep_sites=["a"], halls__barn=BARN)
    )
    stands = [row(g, "policy.kept_racks", n, MINE, "rig") for n in (0, 1, 2)]
    # Two years of life: two are worn out after the first, four after the second; one has come.
    assert stands == [
        by_hand({("racks", n, MINE, "rig"): 1}, ">=", x) for n, x in enumerate((6, 4, 1))
    ]
    assert absent(g, "policy.kept_racks", 0, BARN_MINE, "rig")
    assert absent(case(tiny(fleet=fleet)), "policy.kept_racks", 0, MINE, "rig")


#: A second hall group at the first site, and a site that only mines.
YARD = {"site": "b", "count": 1, "it_mw": 5.0, "fitout": "mine", "convertible": False}


def halved(halves: str, **changes: Any) -> Given:
    """Two groups of halls that could serve AI, beside a site that cannot."""
    return case(
        tiny(
            **changes,
            contracts__lease=LEASE,
            halls={"barn": {**BARN, "it_mw": 6.0}, "yard": YARD},
            sites__b={"firm_mw": 6.0, "power": "a"},
            policy__halves=halves,
        )
    )


def halls_of_use(n: int, ai: float, mining: float) -> Terms:
    """Halls of the site that is halved, by the MW that they have today."""
    return {
        ("halls", n, AI): 4.0 * ai,
        ("halls", n, BARN_AI): 6.0 * ai,
        ("halls", n, MINE): 4.0 * mining,
        ("halls", n, BARN_MINE): 6.0 * mining,
    }


@rows_of("policy.half_of_site_floor")
def test_at_least_half_of_a_sites_halls_serve_ai_in_the_end() -> None:
    g = halved("of-each-site")
    assert row(g, "policy.half_of_site_floor", 2, "a") == by_hand(
        halls_of_use(2, 1, -1), ">=", -6.0
    )
    assert absent(g, "policy.half_of_site_floor", 1, "a")
    assert absent(g, "policy.half_of_site_floor", 2, "b")
    assert absent(halved("of-the-sites"), "policy.half_of_site_floor", 2, "a")


@rows_of("policy.half_of_site_limit")
def test_at_most_half_of_a_sites_halls_ever_serve_ai() -> None:
    g = halved("of-each-site")
    for n in (0, 1, 2):
        assert row(g, "policy.half_of_site_limit", n, "a") == by_hand(
            halls_of_use(n, 1, -1), "<=", 6.0
        )
        assert absent(g, "policy.half_of_site_limit", n, "b")
    assert absent(halved("of-the-sites"), "policy.half_of_site_limit", 1, "a")


#: Works that leave no mining hall of 4 MW by the second period.
TWO_READY = {
    "hall": "h", "halls": 2, "fitout": "ai", "package": "n1", "ready": "2030-01",
}  # fmt: skip


@rows_of("policy.half_of_site_limit")
def test_what_is_for_ai_already_breaks_no_half() -> None:
    """Two halls of 4 MW become AI halls in the second period, beside one of 6 MW that mines.

    From then on AI exceeds mining by 2 MW, less than the largest hall. Beside a hall of 1 MW it
    exceeds mining by 7 MW, more than the largest; before, mining exceeds AI.
    """
    ready = {"commitments__works": [TWO_READY], "halls__h__convertible": False}
    g = halved("of-each-site", **ready)
    assert dict(g.half_apart_mw) == {(n, "a"): 6.0 for n in (0, 1, 2)}
    small = case(
        tiny(
            contracts__lease=LEASE, halls={"barn": {**BARN, "it_mw": 1.0}},
            policy__halves="of-each-site", **ready,
        )
    )  # fmt: skip
    assert dict(small.half_apart_mw) == {(0, "a"): 4.0, (1, "a"): 7.0, (2, "a"): 7.0}
    body = {("halls", 1, AI): 4.0, ("halls", 1, BARN_AI): 1.0,
            ("halls", 1, MINE): -4.0, ("halls", 1, BARN_MINE): -1.0}  # fmt: skip
    assert row(small, "policy.half_of_site_limit", 1, "a") == by_hand(body, "<=", 7.0)


@rows_of("policy.one_business_at_site")
def test_a_site_runs_one_business_at_a_time() -> None:
    g = halved("of-the-sites")
    for n in (0, 1, 2):
        assert row(g, "policy.one_business_at_site", n, "a") == by_hand(
            {("hosts", n, "a"): 1.0, ("mines", n, "a"): 1.0}, "<=", 1.0
        )
        assert absent(g, "policy.one_business_at_site", n, "b")


@rows_of("policy.one_business_at_site")
def test_a_site_that_hosts_ai_by_itself_runs_one_business_in_the_end() -> None:
    """Works under way bring AI halls in the second period: before it, and at the end, one."""
    g = halved("of-the-sites", commitments__works=[TWO_READY], halls__h__convertible=False)
    assert row(g, "policy.one_business_at_site", 0, "a") == by_hand(
        {("hosts", 0, "a"): 1.0, ("mines", 0, "a"): 1.0}, "<=", 1.0
    )
    assert absent(g, "policy.one_business_at_site", 1, "a")
    assert row(g, "policy.one_business_at_site", 2, "a") == by_hand(
        {("hosts", 2, "a"): 1.0, ("mines", 2, "a"): 1.0}, "<=", 1.0
    )


@rows_of("policy.ai_site_floor")
def test_a_site_of_ai_has_an_ai_hall() -> None:
    terms = {("halls", 2, AI): 4.0, ("halls", 2, BARN_AI): 6.0, ("hosts", 2, "a"): -4.0}
    assert row(halved("of-the-sites"), "policy.ai_site_floor", 2, "a") == by_hand(terms, ">=")


@rows_of("policy.half_of_sites_floor")
def test_at_least_half_of_the_sites_rounded_down_run_ai() -> None:
    g = halved("of-the-sites")
    assert row(g, "policy.half_of_sites_floor", 2) == by_hand({("hosts", 2, "a"): 1.0}, ">=", 0.0)
    assert absent(g, "policy.half_of_sites_floor", 1)


@rows_of("policy.half_of_sites_limit")
def test_at_most_half_of_the_sites_rounded_up_run_ai() -> None:
    g = halved("of-the-sites")
    assert row(g, "policy.half_of_sites_limit", 2) == by_hand({("hosts", 2, "a"): 1.0}, "<=", 1.0)
    assert absent(halved("of-each-site"), "policy.half_of_sites_limit", 2)


# --- beyond the horizon --------------------------------------------------------------------

#: A tenant's contract that runs on for a year after the other's end.
LONG = {**LEASE, "months": 60}


def running_on(**overrides: Any) -> Given:
    """A case of two branches with a lease, a longer one, and one on GPUs that ends with it."""
    contracts = {"long": LONG, "lease": {**LEASE, "kw_per_rack": 40.0}, "own": OWNED}
    instance = tiny(contracts=contracts, **overrides)
    return case(instance, fork(instance))


@rows_of("beyond.lasting_balance")
def test_halls_that_last_have_lasted_until_every_end_before() -> None:
    g = running_on()
    assert g.residual_ends[AI] == ("lease", "long")
    assert row(g, "beyond.lasting_balance", 4, AI, "lease") == by_hand(
        {("lasting", 4, AI, "lease"): 1, ("halls", 4, AI): -1}, "<="
    )
    assert row(g, "beyond.lasting_balance", 4, AI, "long") == by_hand(
        {("lasting", 4, AI, "long"): 1, ("lasting", 4, AI, "lease"): -1}, "<="
    )
    assert absent(g, "beyond.lasting_balance", 4, AI, "own")
    assert absent(g, "beyond.lasting_balance", 2, AI, "lease")


@rows_of("beyond.lasting_space")
def test_what_runs_on_fits_the_mw_of_halls_that_last() -> None:
    g = running_on()
    longer = {("hosting", 4, "long", AI, TENANT): 1}
    both = {("hosting", 4, "lease", AI, TENANT): 1, ("hosting", 4, "own", AI, "gpu"): 1}
    assert row(g, "beyond.lasting_space", 4, AI, "lease") == by_hand(
        {**longer, **both, ("lasting", 4, AI, "lease"): -2}, "<="
    )
    assert row(g, "beyond.lasting_space", 4, AI, "long") == by_hand(
        {**longer, ("lasting", 4, AI, "long"): -2}, "<="
    )


@rows_of("beyond.lasting_positions")
def test_what_runs_on_fits_the_floor_of_halls_that_last() -> None:
    # A tenant's rack of 40 kW takes a position, a GPU rack of 100 kW two.
    g = running_on(racks__gpu__positions=2.0)
    assert row(g, "beyond.lasting_positions", 4, AI, "lease") == by_hand(
        {
            ("hosting", 4, "lease", AI, TENANT): 25,
            ("hosting", 4, "own", AI, "gpu"): 20,
            ("lasting", 4, AI, "lease"): -10,
        },
        "<=",
    )
    assert absent(case(tiny(contracts__long=LONG)), "beyond.lasting_positions", 2, AI, "long")


@rows_of("beyond.lasting_racks")
def test_halls_that_last_hold_whole_racks() -> None:
    # Of racks of 300 kW six fit 2 MW, and of 700 kW two, which count among the smaller ones too.
    big = {**BASE["racks"]["gpu"], "kw": 700.0, "positions": 0.0}
    own = {**OWNED, "racks": ["gpu", "big"]}
    small = {"kw": 300.0, "positions": 0.0}
    g = case(tiny(contracts__own=own, racks={"gpu": small, "big": big}))
    assert row(g, "beyond.lasting_racks", 2, AI, "own", "gpu") == by_hand(
        {
            ("hosting", 2, "own", AI, "gpu"): 1 / 0.3,
            ("hosting", 2, "own", AI, "big"): 1 / 0.7,
            ("lasting", 2, AI, "own"): -6,
        },
        "<=",
    )
    assert row(g, "beyond.lasting_racks", 2, AI, "own", "big") == by_hand(
        {("hosting", 2, "own", AI, "big"): 1 / 0.7, ("lasting", 2, AI, "own"): -2}, "<="
    )
    assert absent(running_on(), "beyond.lasting_racks", 4, AI, "lease", "gpu")


@rows_of("beyond.released_limit")
def test_no_more_units_are_released_than_were_built() -> None:
    g = running_on(projects__line=GRID)
    assert row(g, "beyond.released_limit", 4, "line", 2) == by_hand(
        {
            **{("released", 4, "line", 2, e): 1 for e in (HORIZON, "lease", "long")},
            ("builds", 2, "line"): -1,
        },
        "<=",
    )
    # Interruptible MW alone serve no AI; what is worn out by then need not be released.
    mining = {**GRID, "adds_firm_mw": 0.0}
    assert {e for *_, e in running_on(projects__line=mining).project_residual} == {HORIZON}
    worn = running_on(projects__line={**GRID, "life_months": 48})
    assert [e for leaf, _, v, e in worn.project_residual if (leaf, v) == (4, 2)] == [
        HORIZON,
        "lease",
    ]


@rows_of("beyond.firm_staying")
def test_what_runs_on_stands_on_firm_mw_not_yet_released() -> None:
    g = running_on(projects__line=GRID, sites__a__firm_mw=3.0)
    longer = {("hosting", 4, "long", AI, TENANT): 1.3}
    both = {("hosting", 4, "lease", AI, TENANT): 1.3, ("hosting", 4, "own", AI, "gpu"): 1.3}
    built = {("builds", v, "line"): -2 for v in (0, 2)}
    at_once = {("released", 4, "line", v, HORIZON): 2 for v in (0, 2)}
    later = {("released", 4, "line", v, "lease"): 2 for v in (0, 2)}
    assert row(g, "beyond.firm_staying", 4, "a", "lease") == by_hand(
        {**longer, **both, **built, **at_once}, "<=", 3
    )
    assert row(g, "beyond.firm_staying", 4, "a", "long") == by_hand(
        {**longer, **built, **at_once, **later}, "<=", 3
    )
    new = running_on(projects__line=GRID, sites__a__firm_mw=3.0, policy__reuse_power=False)
    assert row(new, "beyond.firm_staying", 4, "a", "long")[2] == 0
    assert absent(running_on(), "beyond.firm_staying", 4, "a", "lease")


@rows_of("beyond.firm_staying")
@rows_of("beyond.whole_staying")
def test_what_may_be_cut_needs_no_firm_mw_beyond_the_horizon() -> None:
    long = {**LONG, "curtailable_hours_per_year": 10.0}
    instance = tiny(contracts={"long": long, "lease": LEASE}, projects__line=GRID)
    g = case(instance, fork(instance))
    built = {("builds", v, "line"): -2 for v in (0, 2)}
    at_once = {("released", 4, "line", v, HORIZON): 2 for v in (0, 2)}
    later = {("released", 4, "line", v, "lease"): 2 for v in (0, 2)}
    lease, longer = (("hosting", 4, x, AI, TENANT) for x in ("lease", "long"))
    assert row(g, "beyond.firm_staying", 4, "a", "lease") == by_hand(
        {lease: 1.3, **built, **at_once}, "<=", 8
    )

    def whole(terms: Terms) -> Terms:
        return {key: 2.5 * value for key, value in terms.items()}

    assert row(g, "beyond.whole_staying", 4, "a", "lease") == by_hand(
        {lease: 1.3, longer: 1.3, **whole(built), **whole(at_once)}, "<=", 12
    )
    assert row(g, "beyond.whole_staying", 4, "a", "long") == by_hand(
        {longer: 1.3, **whole(built), **whole(at_once), **whole(later)}, "<=", 12
    )
    new = tiny(contracts__long=long, projects__line=GRID, policy__reuse_power=False)
    assert row(case(new), "beyond.whole_staying", 2, "a", "long")[2] == 0
    assert absent(running_on(projects__line=GRID), "beyond.whole_staying", 4, "a", "long")
    # Interruptible MW that carry AI are held until it ends.
    mining = {**GRID, "adds_firm_mw": 0.0}
    held = tiny(contracts__long=long, projects__line=mining)
    assert {e for *_, e in case(held).project_residual} == {HORIZON, "long"}


@rows_of("beyond.halls_staying")
def test_halls_that_last_stand_without_the_units_released() -> None:
    shed = {
        "site": "a", "adds_halls": {"hall": "h", "count": 3}, "capex_musd": 5.0, "months": 12,
        "life_months": 120,
    }  # fmt: skip
    g = running_on(projects__shed=shed)
    assert row(g, "beyond.halls_staying", 4, "h", "long") == by_hand(
        {
            ("lasting", 4, AI, "long"): 1,
            ("halls", 4, AI): -1,
            ("halls", 4, MINE): -1,
            **{("released", 4, "shed", v, e): 3 for v in (0, 2) for e in (HORIZON, "lease")},
        },
        "<=",
    )
    assert absent(running_on(projects__line=GRID), "beyond.halls_staying", 4, "h", "long")


@rows_of("beyond.fibre_staying")
def test_halls_last_where_fibre_is_not_yet_released() -> None:
    line = {**FIBRE, "life_months": 120}
    g = running_on(projects__line=line, sites__a__fibre=False)
    assert row(g, "beyond.fibre_staying", 4, "h", "long") == by_hand(
        {
            ("lasting", 4, AI, "long"): 1,
            **{("builds", v, "line"): -2 for v in (0, 2)},
            **{("released", 4, "line", v, e): 2 for v in (0, 2) for e in (HORIZON, "lease")},
        },
        "<=",
    )
    lit = running_on(projects__line=line)
    assert absent(lit, "beyond.fibre_staying", 4, "h", "long")
    assert {e for *_, e in lit.project_residual} == {HORIZON}


@rows_of("beyond.fibre_staying")
def test_halls_of_a_group_last_in_each_place_until_the_next_end_known_there() -> None:
    strict = {"availability": 0.9999, "capex_usd_per_kw": 900.0}
    contracts = {"lease": LEASE, "long": {**LONG, "availability": 0.9999}}
    line = {**FIBRE, "life_months": 120}
    g = case(
        tiny(
            contracts=contracts,
            uptime__packages__n2=strict,
            projects__line=line,
            sites__a__fibre=False,
        )
    )
    assert g.residual_ends == {MINE: (), AI: ("lease",), "h:ai+n2": ("lease", "long")}
    assert g.site_ends == {"a": ("lease", "long")}
    long = row(g, "beyond.fibre_staying", 2, "h", "long")[0]
    lease = row(g, "beyond.fibre_staying", 2, "h", "lease")[0]
    lasting = [{key[2:] for key in terms if key[0] == "lasting"} for terms in (lease, long)]
    assert lasting == [{(AI, "lease"), ("h:ai+n2", "lease")}, {("h:ai+n2", "long")}]


@rows_of("halls.kept_vintage")
def test_of_a_vintage_no_more_remain_than_were_converted() -> None:
    instance = tiny(contracts__lease=LEASE)
    g = case(instance, fork(instance))
    assert row(g, "halls.kept_vintage", 4, MINE, AI, 2) == by_hand(
        {
            ("kept", 4, MINE, AI, 2, HORIZON): 1,
            ("kept", 4, MINE, AI, 2, "lease"): 1,
            ("conversions", 2, MINE, AI): -1,
        },
        "<=",
    )
    assert absent(g, "halls.kept_vintage", 4, MINE, AI, 1)


@rows_of("halls.kept_idle")
def test_halls_worth_something_at_the_horizon_serve_nothing_beyond() -> None:
    g = case(tiny(contracts__own=OWNED))
    assert row(g, "halls.kept_idle", 2, AI) == by_hand(
        {
            ("kept", 2, MINE, AI, 0, HORIZON): 1,
            ("kept", 2, MINE, AI, 1, HORIZON): 1,
            ("lasting", 2, AI, "own"): 1,
            ("halls", 2, AI): -1,
        },
        "<=",
    )
    bare = row(case(tiny()), "halls.kept_idle", 2, AI)[0]
    assert not any(key[0] == "lasting" for key in bare)


@rows_of("halls.kept_serving")
def test_halls_worth_something_at_a_contracts_end_serve_until_then() -> None:
    g = case(tiny(contracts={"long": LONG, "lease": LEASE}))
    assert row(g, "halls.kept_serving", 2, AI, "lease") == by_hand(
        {
            ("kept", 2, MINE, AI, 0, "lease"): 1,
            ("kept", 2, MINE, AI, 1, "lease"): 1,
            ("lasting", 2, AI, "lease"): -1,
            ("lasting", 2, AI, "long"): 1,
        },
        "<=",
    )
    assert row(g, "halls.kept_serving", 2, AI, "long") == by_hand(
        {
            ("kept", 2, MINE, AI, 0, "long"): 1,
            ("kept", 2, MINE, AI, 1, "long"): 1,
            ("lasting", 2, AI, "long"): -1,
        },
        "<=",
    )


def repackaged(**overrides: Any) -> Given:
    """A case whose AI halls may change between two packages; works take a year, changes none."""
    return case(tiny(uptime__packages__n0=FREE, **overrides))


@rows_of("halls.kept_fitout")
def test_a_hall_keeps_one_fit_out_through_changes_of_package() -> None:
    g = repackaged(contracts__own=OWNED)
    assert row(g, "halls.kept_fitout", 2, AI) == by_hand(
        {
            **{("kept", 2, AI, AI, v, HORIZON): 1 for v in (1, 2)},
            **{("kept", 2, MINE, AI, v, HORIZON): 1 for v in (0, 1)},
            ("lasting", 2, AI, "own"): 1,
            ("halls", 2, AI): -1,
        },
        "<=",
    )
    # The package has its own row: that of the change counts there, and not the fit-out before it.
    assert row(g, "halls.kept_idle", 2, AI)[0] == pytest.approx(
        {
            **{("kept", 2, MINE, AI, v, HORIZON): 1 for v in (0, 1)},
            **{("kept", 2, AI_FREE, AI, v, HORIZON): 1 for v in (0, 1, 2)},
            ("lasting", 2, AI, "own"): 1,
            ("halls", 2, AI): -1,
        }
    )
    assert absent(case(tiny()), "halls.kept_fitout", 2, AI)


@rows_of("halls.kept_fitout_serving")
def test_fit_outs_worth_something_at_a_contracts_end_serve_until_then() -> None:
    g = repackaged(contracts={"long": LONG, "lease": LEASE})
    assert row(g, "halls.kept_fitout_serving", 2, AI, "lease") == by_hand(
        {
            **{("kept", 2, AI, AI, v, "lease"): 1 for v in (1, 2)},
            **{("kept", 2, MINE, AI, v, "lease"): 1 for v in (0, 1)},
            ("lasting", 2, AI, "lease"): -1,
            ("lasting", 2, AI, "long"): 1,
        },
        "<=",
    )


@rows_of("halls.kept_changed")
def test_of_changed_halls_no_more_remain_than_have_changed() -> None:
    g = repackaged(contracts__lease=LEASE)
    assert row(g, "halls.kept_changed", 2, AI) == by_hand(
        {
            **{("kept", 2, AI, AI, v, e): 1 for v in (1, 2) for e in (HORIZON, "lease")},
            **{("conversions", m, AI_FREE, AI): -1 for m in (0, 1, 2)},
        },
        "<=",
    )


@rows_of("halls.kept_finished")
def test_of_fit_outs_finished_no_more_remain_than_were_begun() -> None:
    slow = {"uptime__packages__n1__works_months": 24}
    g = repackaged(contracts__lease=LEASE, **slow)
    assert row(g, "halls.kept_finished", 2, "h", "ai", 2) == by_hand(
        {
            ("kept", 2, AI_FREE, AI_FREE, 2, HORIZON): 1,
            **{("kept", 2, AI, AI, 2, e): 1 for e in (HORIZON, "lease")},
            ("kept", 2, MINE, AI_FREE, 1, HORIZON): 1,
            **{("kept", 2, MINE, AI, 0, e): 1 for e in (HORIZON, "lease")},
            ("conversions", 1, MINE, AI_FREE): -1,
            ("conversions", 0, MINE, AI): -1,
        },
        "<=",
    )


# --- the objective -------------------------------------------------------------------------


@rows_of("capital.value")
def test_value_counts_equity_flows_at_their_dates_and_odds() -> None:
    money = {**MONEY, "finance": {**MONEY["finance"], "discount_per_year": 0.21}}
    instance = tiny(contracts__lease={**ADVANCE, "months": 24}, projects__line=GRID, **money)
    g = case(instance, fork(instance))
    terms, constant = value_terms(g)
    # At 21 % a year, half a year discounts by 1 / 1.1; node 2 has 40 % odds and starts a year on.
    start, mid, end = 0.4 / 1.21, 0.4 / 1.331, 0.4 / 1.21**3
    hand: Terms = {
        ("capex", 2, "a"): -start,
        ("sales", 2, MINE, "rig"): 0.1 * start,
        ("sales", 2, AI, "gpu"): 0.05 * start,
        # Signed at the branch, credited there for a year and on the leaf below for another.
        ("signed_mw", 2, "lease"): 0.94 * start - 0.12 * mid - 0.12 * mid / 1.21,
        ("draw", 2): 0.98 * start,
        ("repay", 2): -start,
        # Entering at the branch rather than below it: 4 M$ a year earlier.
        ("entered", 2): -4.0 * (start - start / 1.21),
        ("margin", 2, "a"): mid,
        ("both", 2, "a"): -0.2 * mid,
        ("both_company", 2): -0.3 * mid,
        ("debt", 2): -0.1 * mid,
        ("shortfall", 2, "lease"): -0.36 * mid,
        ("debt", 4): -0.1 * mid / 1.21 - end,
        ("racks", 4, MINE, "rig"): 0.1 * end,
        ("racks", 4, AI, "gpu"): 0.05 * end,
        # Ordered at the branch, a project stands from 2031: one year of ten is gone.
        ("released", 4, "line", 2, HORIZON): 5.0 * 0.9 * end,
        ("kept", 4, MINE, AI, 2, HORIZON): 5.0 * 0.9 * end,
        ("kept", 4, AI, MINE, 2, HORIZON): 1.2 * 0.8 * end,
    }
    assert {key: terms[key] for key in hand} == pytest.approx(hand, rel=1e-12)
    assert not {key for key in terms if key[0] in ("cash", "reserved", "orders", "halls")}
    overhead = -1.5 * (1 + 1 / 1.21 + 1 / 1.21**2) / 1.1
    owed = -3.0 / 1.21 - 0.5 / 1.331 - 7.0 / 1.21**3
    assert constant == pytest.approx(overhead + owed, rel=1e-12)


@rows_of("capital.value")
def test_value_counts_what_runs_beyond_the_horizon() -> None:
    own = {
        **OWNED,
        "prepayment_usd_per_kw": 480.0,
        "months": 48,
        "escalator_per_year": 0.05,
    }
    instance = tiny(contracts__own=own, racks__gpu__resale_usd=[
        {"from": "2029-01", "value": 50_000.0}, {"from": "2033-06", "value": 20_000.0},
    ])  # fmt: skip
    g = case(instance, fork(instance))
    terms, _ = value_terms(g)
    energy = HOURS * 1.2 * 0.8 * 48 / 1e6
    rents = 12 * 100 / 1e3 * (1.05**2 + 1.05**3)
    tail = rents - 2 * (energy + 0.06)
    # Per MW ten racks stand; at the contract's end they fetch 0.3 M$ less than at the horizon.
    assert terms["hosting", 4, "own", AI, "gpu"] == pytest.approx(0.4 * (tail - 0.3), rel=1e-12)
    # A hall that lasts owes two years of 55 $/kW on its 2 MW, however little of it is let.
    assert terms["lasting", 4, AI, "own"] == pytest.approx(-0.4 * 2 * 0.11, rel=1e-12)
    # 480 $/kW over 48 months: 120 $ a year, two years on the path, two beyond.
    assert terms.get(("signed_mw", 0, "own"), 0.0) == pytest.approx(0.0, abs=1e-12)
    # The hall stands from 2030 or 2031 to the end of 2033: four years or three of ten are gone.
    assert terms["kept", 4, MINE, AI, 0, "own"] == pytest.approx(0.4 * 5.0 * 0.6, rel=1e-12)
    assert terms["kept", 4, MINE, AI, 2, "own"] == pytest.approx(0.4 * 5.0 * 0.7, rel=1e-12)
    assert terms["kept", 4, MINE, AI, 2, HORIZON] == pytest.approx(0.4 * 5.0 * 0.9, rel=1e-12)


# --- uptime --------------------------------------------------------------------------------

#: Halls of 99.95 % use up so much of 99.9 %; one chiller of one, two of two and one spare each.
HALF = 499_875
LONE, PAIR, SPARE, TRIO, THREE = 199_920, 399_840, 40, 120, 1
CLASS = "99.9%"


def cooled(**more: Any) -> Given:
    """Two offers of 99.9 % behind chillers of 2 MW, of which one stands."""
    standing = {"cool": {"component": "chiller", "units": 1}}
    return case(
        tiny(uptime=PLANT, contracts={"lease": LEASE, "own": OWNED}, sites__a__plant=standing,
             **more)
    )  # fmt: skip


@rows_of("uptime.one_option")
def test_a_part_of_the_plant_carries_a_class_in_one_way() -> None:
    ways = ["chiller-1-for-1", "chiller-2-for-1", "chiller-3-for-1", "chiller-2-for-2",
            "chiller-3-for-2"]  # fmt: skip
    assert row(cooled(), "uptime.one_option", 1, "a", "cool", CLASS) == by_hand(
        {("held", 1, "a", "cool", way, CLASS): 1 for way in ways}, "<=", 1
    )
    assert absent(cooled(), "uptime.one_option", 0, "a", "cool", CLASS)
    assert absent(case(tiny(uptime=PLANT)), "uptime.one_option", 1, "a", "cool", CLASS)


@rows_of("uptime.carrying_limit")
def test_the_units_needed_carry_all_that_is_promised_as_much_or_more() -> None:
    carried = {
        ("held", 1, "a", "cool", "chiller-1-for-1", CLASS): -2,
        ("held", 1, "a", "cool", "chiller-2-for-1", CLASS): -2,
        ("held", 1, "a", "cool", "chiller-3-for-1", CLASS): -2,
        ("held", 1, "a", "cool", "chiller-2-for-2", CLASS): -4,
        ("held", 1, "a", "cool", "chiller-3-for-2", CLASS): -4,
    }
    loads = {("hosting", 1, "lease", AI, TENANT): 1, ("hosting", 1, "own", AI, "gpu"): 1}
    assert row(cooled(), "uptime.carrying_limit", 1, "a", "cool", CLASS) == by_hand(
        {**loads, **carried, ("promised", 1, "a", CLASS): 4}, "<=", 4
    )
    # What promises less is shed first and does not count; what promises more does.
    g = cooled(contracts__own__availability=0.99)
    strict = row(g, "uptime.carrying_limit", 1, "a", "cool", CLASS)[0]
    loose = row(g, "uptime.carrying_limit", 1, "a", "cool", "99%")[0]
    assert ("hosting", 1, "own", AI, "gpu") not in strict
    assert set(loads) <= set(loose)


@rows_of("uptime.standing_units")
def test_units_that_count_stand() -> None:
    assert row(cooled(), "uptime.standing_units", 2, "a", "cool", "chiller", CLASS) == by_hand(
        {
            ("held", 2, "a", "cool", "chiller-1-for-1", CLASS): 1,
            ("held", 2, "a", "cool", "chiller-2-for-1", CLASS): 2,
            ("held", 2, "a", "cool", "chiller-3-for-1", CLASS): 3,
            ("held", 2, "a", "cool", "chiller-2-for-2", CLASS): 2,
            ("held", 2, "a", "cool", "chiller-3-for-2", CLASS): 3,
            ("plant_orders", 0, "a", "cool", "chiller"): -1,
            ("plant_orders", 1, "a", "cool", "chiller"): -1,
        },
        "<=",
        1,
    )


@rows_of("uptime.downtime_budget")
def test_hall_and_plant_share_the_downtime_of_a_promise() -> None:
    assert row(cooled(), "uptime.downtime_budget", 1, AI, CLASS) == by_hand(
        {
            ("served", 1, AI, CLASS): HALF,
            ("held", 1, "a", "cool", "chiller-1-for-1", CLASS): LONE,
            ("held", 1, "a", "cool", "chiller-2-for-1", CLASS): SPARE,
            ("held", 1, "a", "cool", "chiller-3-for-1", CLASS): THREE,
            ("held", 1, "a", "cool", "chiller-2-for-2", CLASS): PAIR,
            ("held", 1, "a", "cool", "chiller-3-for-2", CLASS): TRIO,
        },
        "<=",
        1_000_000,
    )


@rows_of("uptime.serving_limit")
def test_a_place_serves_where_plant_and_package_agree() -> None:
    assert row(cooled(), "uptime.serving_limit", 1, AI, CLASS) == by_hand(
        {
            ("hosting", 1, "lease", AI, TENANT): 1,
            ("hosting", 1, "own", AI, "gpu"): 1,
            ("served", 1, AI, CLASS): -4,
        },
        "<=",
    )


@rows_of("uptime.plant_reservation")
def test_units_that_stand_carry_what_is_not_promised_too() -> None:
    cloud = {"gpu": {"price_usd_per_gpu_hour": 2.0, "utilisation_share": 0.5}}
    g = cooled(gpu_cloud=cloud)
    assert row(g, "uptime.plant_reservation", 2, "a", "cool") == by_hand(
        {
            ("hosting", 2, "lease", AI, TENANT): 1,
            ("hosting", 2, "own", AI, "gpu"): 1,
            ("cloud", 2, AI, "gpu"): 1,
            ("plant_orders", 0, "a", "cool", "chiller"): -2,
            ("plant_orders", 1, "a", "cool", "chiller"): -2,
        },
        "<=",
        2,
    )


@rows_of("uptime.served_at_site")
def test_what_a_place_serves_its_site_serves() -> None:
    assert row(cooled(), "uptime.served_at_site", 1, AI, CLASS) == by_hand(
        {("served", 1, AI, CLASS): 1, ("promised", 1, "a", CLASS): -1}, "<="
    )


@rows_of("uptime.plant_limit")
def test_no_more_units_stand_than_any_load_needs() -> None:
    assert row(cooled(), "uptime.plant_limit", 2, "a", "cool", "chiller") == by_hand(
        {("plant_orders", n, "a", "cool", "chiller"): 1 for n in (0, 1)}, "<=", 2
    )


@rows_of("capital.capex_balance")
def test_units_of_the_plant_cost_capex() -> None:
    terms, _, _ = row(cooled(), "capital.capex_balance", 0, "a")
    # Two megawatts at 400 $/kW.
    assert terms["plant_orders", 0, "a", "cool", "chiller"] == pytest.approx(-0.8)


@rows_of("capital.margin_balance")
def test_units_of_the_plant_that_stand_cost_upkeep() -> None:
    terms, _, _ = row(cooled(), "capital.margin_balance", 2, "a")
    found = {key: a for key, a in terms.items() if key[0] == "plant_orders"}
    # 10 $/kW a year on 2 MW, a year after the order.
    assert found == pytest.approx(
        {("plant_orders", n, "a", "cool", "chiller"): 0.02 for n in (0, 1)}
    )


# --- units of the plant beyond the horizon -------------------------------------------------

WAYS = {"chiller-1-for-1": 1, "chiller-2-for-1": 2, "chiller-3-for-1": 3, "chiller-2-for-2": 2,
        "chiller-3-for-2": 3}  # fmt: skip
COOL = ("a", "cool")


def cooled_on() -> Given:
    """The same offers, which end two years after the horizon, and one that runs on for a year."""
    return cooled(contracts__long=LONG)


def served_on(*contracts: tuple[str, str]) -> dict[tuple[Any, ...], float]:
    return {("hosting", 2, x, AI, k): 1.0 for x, k in contracts}


@rows_of("plant_beyond.class_running_on")
def test_a_class_runs_on_while_one_of_its_contracts_does() -> None:
    name = "plant_beyond.class_running_on"
    every = served_on(("lease", TENANT), ("own", "gpu"), ("long", TENANT))
    assert row(cooled_on(), name, 2, "a", CLASS, "lease") == by_hand(
        {**every, ("runs_on", 2, "a", CLASS, "lease"): -9}, "<="
    )
    assert row(cooled_on(), name, 2, "a", CLASS, "long") == by_hand(
        {**served_on(("long", TENANT)), ("runs_on", 2, "a", CLASS, "long"): -3}, "<="
    )
    # A contract of another class does not make this one run on.
    g = cooled(contracts__long={**LONG, "availability": 0.99})
    assert absent(g, name, 2, "a", CLASS, "long")
    assert not absent(g, name, 2, "a", "99%", "long")
    assert absent(cooled(contracts__lease__months=24, contracts__own__months=24), name, 2, "a",
                  CLASS, "lease")  # fmt: skip


@rows_of("plant_beyond.way_kept")
def test_a_class_that_runs_on_is_carried() -> None:
    assert row(cooled_on(), "plant_beyond.way_kept", 2, *COOL, CLASS, "long") == by_hand(
        {
            **{("held_on", 2, *COOL, way, CLASS, "long"): 1 for way in WAYS},
            ("runs_on", 2, "a", CLASS, "long"): -1,
        },
        ">=",
    )


@rows_of("plant_beyond.same_way")
def test_it_is_carried_as_at_the_horizon() -> None:
    at = (*COOL, "chiller-3-for-2", CLASS)
    assert row(cooled_on(), "plant_beyond.same_way", 2, *at, "lease") == by_hand(
        {("held_on", 2, *at, "lease"): 1, ("held", 2, *at): -1}, "<="
    )


@rows_of("plant_beyond.units_kept")
def test_units_that_count_last() -> None:
    name = "plant_beyond.units_kept"
    assert row(cooled_on(), name, 2, *COOL, "chiller", CLASS, "long") == by_hand(
        {
            **{("held_on", 2, *COOL, way, CLASS, "long"): n for way, n in WAYS.items()},
            ("units_lasting", 2, *COOL, "chiller", "long"): -1,
        },
        "<=",
    )


@rows_of("plant_beyond.units_carrying")
def test_units_that_last_carry_all_that_runs_on() -> None:
    name = "plant_beyond.units_carrying"
    free = {**LONG, "availability": 0.0}
    g = cooled(contracts__long=free)
    assert row(g, name, 2, *COOL, "long") == by_hand(
        {**served_on(("long", TENANT)), ("units_lasting", 2, *COOL, "chiller", "long"): -2}, "<="
    )
    assert set(served_on(("lease", TENANT), ("own", "gpu"), ("long", TENANT))) < set(
        row(g, name, 2, *COOL, "lease")[0]
    )
    # Blocks that mining shares carry facility megawatts.
    assert row(shared_case(), name, 2, *AT, "lease") == by_hand(
        {("hosting", 2, "lease", AI, TENANT): 1.3,
         ("units_lasting", 2, *AT, "block", "lease"): -5}, "<="
    )  # fmt: skip


@rows_of("plant_beyond.units_released_limit")
def test_no_more_units_are_released_than_were_ordered() -> None:
    name = "plant_beyond.units_released_limit"
    ends = (HORIZON, "lease", "long")
    assert row(cooled_on(), name, 2, *COOL, "chiller", 1) == by_hand(
        {
            **{("units_released", 2, *COOL, "chiller", 1, e): 1 for e in ends},
            ("plant_orders", 1, *COOL, "chiller"): -1,
        },
        "<=",
    )
    worn = cooled(uptime__components__chiller__life_months=12)
    assert absent(worn, name, 2, *COOL, "chiller", 0)


@rows_of("plant_beyond.units_staying")
def test_units_last_that_were_not_released_before() -> None:
    name = "plant_beyond.units_staying"
    orders = {("plant_orders", v, *COOL, "chiller"): -1 for v in (0, 1)}
    for end, before in (("lease", [HORIZON]), ("long", [HORIZON, "lease"])):
        gone = {("units_released", 2, *COOL, "chiller", v, e): 1 for v in (0, 1) for e in before}
        lasting = {("units_lasting", 2, *COOL, "chiller", end): 1}
        assert row(cooled_on(), name, 2, *COOL, "chiller", end) == by_hand(
            {**orders, **gone, **lasting}, "<=", 1
        )


@rows_of("capital.value")
def test_value_keeps_what_units_are_worth_when_they_are_released() -> None:
    terms, _ = value_terms(cooled_on())
    # In service from 2030 or 2031; at the end of 2031 two years or one of ten are gone, and four
    # and three when the leases end.
    worth = {(0, HORIZON): 0.8, (1, HORIZON): 0.9, (0, "lease"): 0.6, (1, "long"): 0.6}
    for (v, e), share in worth.items():
        assert terms["units_released", 2, *COOL, "chiller", v, e] == pytest.approx(0.8 * share)
    # 10 $/kW a year on 2 MW, for two years and for one more.
    assert terms["units_lasting", 2, *COOL, "chiller", "lease"] == pytest.approx(-0.04)
    assert terms["units_lasting", 2, *COOL, "chiller", "long"] == pytest.approx(-0.02)


# --- service credits -----------------------------------------------------------------------

STEPS = [{"below": 0.999, "share": 0.1}, {"below": 0.99, "share": 0.3}]
SCHEDULE = [Credit(step["below"], step["share"]) for step in STEPS]
#: Of a hall that stops twice a year, of one chiller, of two of which one is needed or both.
HALL_CREDIT = expected_credit([Outage(2.0, 5e-4 * 8760 / 2)], SCHEDULE)
LONE_CREDIT = expected_credit([Outage(0.438, 4.0)], SCHEDULE)
SPARE_CREDIT = expected_credit([Outage(0.0002**2 * 8760 / 2, 2.0)], SCHEDULE)


def crediting(**more: Any) -> Given:
    """The lease credits a share of its rent of 1.2 M$/MW; halls stop twice a year."""
    return cooled(
        contracts__lease__credits=STEPS, uptime__packages__n1__outages_per_year=2.0, **more
    )


@rows_of("service_credits.fees_balance")
def test_rent_stands_behind_a_way_to_build_a_part() -> None:
    name = "service_credits.fees_balance"
    assert row(crediting(), name, 1, "lease", *COOL) == by_hand(
        {
            **{("fees", 1, "lease", *COOL, way): 1000 for way in WAYS},
            ("hosting", 1, "lease", AI, TENANT): -1.2,
        },
        "==",
    )
    assert absent(crediting(), name, 1, "own", *COOL)
    assert absent(crediting(), name, 0, "lease", *COOL)


@rows_of("service_credits.fees_limit")
def test_rent_stands_behind_the_way_that_carries_the_class() -> None:
    at = (*COOL, "chiller-1-for-1")
    assert row(crediting(), "service_credits.fees_limit", 1, "lease", *at) == by_hand(
        {("fees", 1, "lease", *at): 1, ("held", 1, *at, CLASS): -0.0036}, "<="
    )


@rows_of("capital.margin_balance")
def test_credits_are_expected_of_halls_and_plant() -> None:
    with_credits = row(crediting(), "capital.margin_balance", 1, "a")[0]
    without = row(cooled(), "capital.margin_balance", 1, "a")[0]
    hosting = ("hosting", 1, "lease", AI, TENANT)
    assert with_credits[hosting] - without[hosting] == pytest.approx(1.2 * HALL_CREDIT)
    assert with_credits["fees", 1, "lease", *COOL, "chiller-1-for-1"] == pytest.approx(
        1000 * LONE_CREDIT
    )
    # Two of which one is needed are down together for half as long as one.
    assert with_credits["fees", 1, "lease", *COOL, "chiller-2-for-1"] == pytest.approx(
        1000 * SPARE_CREDIT, rel=1e-6
    )
    # Of three of which one is needed less than a cent in a million dollars is credited.
    assert ("fees", 1, "lease", *COOL, "chiller-3-for-1") not in with_credits
    own = ("hosting", 1, "own", AI, "gpu")
    assert with_credits[own] == without[own]


@rows_of("capital.value")
def test_value_counts_credits_beyond_the_horizon() -> None:
    terms, before = value_terms(crediting())[0], value_terms(cooled())[0]
    hosting = ("hosting", 2, "lease", AI, TENANT)
    # As much rent is due in the two years beyond as twice that of the last period.
    assert terms[hosting] - before[hosting] == pytest.approx(-2 * 1.2 * HALL_CREDIT)
    assert terms["fees", 2, "lease", *COOL, "chiller-1-for-1"] == pytest.approx(
        -2 * 1000 * LONE_CREDIT
    )


# --- a company that learns -----------------------------------------------------------------


def newcomer(**more: Any) -> Given:
    """An offer of 99.9 % by a company that has not run AI yet."""
    return case(tiny(uptime=CREW, contracts__lease=LEASE, **more))


@rows_of("uptime.downtime_budget")
def test_a_newcomer_uses_up_more_of_a_promise_until_it_has_learnt() -> None:
    # Experienced 1e-4 on top of the hall's 5e-4; 3e-4 in the first year, 2e-4 in the second.
    usual, first, second, third = 99_955, 299_895, 199_920, 149_937
    assert row(newcomer(), "uptime.downtime_budget", 2, AI, CLASS) == by_hand(
        {
            ("served", 2, AI, CLASS): HALF + usual,
            ("began", 2): first - usual,
            ("began", 1): second - first,
            ("began", 0): third - second,
        },
        "<=",
        1_000_000,
    )
    assert absent(newcomer(finance__hosts_ai_already=True), "uptime.downtime_budget", 2, AI, CLASS)


@rows_of("uptime.experience_stays")
def test_experience_stays() -> None:
    assert row(newcomer(), "uptime.experience_stays", 2) == by_hand(
        {("began", 2): 1, ("began", 1): -1}, ">="
    )
    assert row(newcomer(), "uptime.experience_stays", 0) == by_hand({("began", 0): 1}, ">=")


@rows_of("uptime.experience_begins")
def test_experience_begins_with_a_hall_in_service() -> None:
    assert row(newcomer(), "uptime.experience_begins", 1) == by_hand(
        {("began", 1): 1, ("began", 0): -1, ("halls", 1, AI): -1}, "<="
    )


@rows_of("uptime.served_by_who_has_begun")
def test_a_promise_is_served_by_who_has_begun() -> None:
    assert row(newcomer(), "uptime.served_by_who_has_begun", 1, AI, CLASS) == by_hand(
        {("served", 1, AI, CLASS): 1, ("began", 1): -1}, "<="
    )


def test_rent_that_credits_is_counted_at_its_most() -> None:
    """Of two rack types the one that pays more; of what is signed before, if that is more."""
    owed = [{"contract": "lease", "mw": 2.5}]
    g = crediting(commitments__contracts=owed, contracts__lease__max_mw=2.0)
    assert g.fees_most[1, "lease"] == pytest.approx(1.2 * 2.5 / 1000)
    own = {**OWNED, "racks": ["gpu", "dense"], "rate_usd_per_kw_month": None,
           "rate_usd_per_gpu_hour": 1.0, "credits": STEPS}  # fmt: skip
    g = cooled(contracts__own=own, racks__dense=DENSE, uptime__packages__n1__outages_per_year=2.0)
    # Eight GPUs in 100 kW, or sixteen; the tenant pays for 80 % of the hours.
    assert g.fees_most[1, "own"] == pytest.approx(160 * 0.8 * HOURS / 1e6 * 3 / 1000)
    # What lies beyond grows alike, whatever the racks: twice the last year.
    assert g.tail_fees[2, "own"] == pytest.approx(2.0, rel=2e-3)


def test_rent_beyond_is_that_of_the_last_month_s_ramp_discounted_and_risen() -> None:
    ramp = [{"after_months": 0, "share": 1.0}, {"after_months": 18, "share": 0.5}]
    g = crediting(contracts__lease__ramp=ramp, contracts__lease__escalator_per_year=0.1,
                  finance__discount_per_year=0.21)  # fmt: skip
    # Six months in full and six at half in the last year, then two years at half, dearer.
    months = [(1.21 ** (-(36 + m + 0.5) / 12), 1.1 ** (2 + m // 12)) for m in range(24)]
    beyond = sum(0.5 * worth * risen for worth, risen in months)
    assert g.tail_fees[2, "lease"] == pytest.approx(beyond / (9 * 1.1), rel=1e-9)


def test_units_released_later_are_worth_less_by_their_date() -> None:
    g = cooled(finance__discount_per_year=0.21)
    key = 2, *COOL, "chiller", 0
    assert g.plant_residual[*key, HORIZON] == pytest.approx(0.8 * 0.8 * 1.1**-6)
    assert g.plant_residual[*key, "lease"] == pytest.approx(0.8 * 0.6 * 1.1**-10)


def test_people_err_for_as_long_as_it_takes_to_mend() -> None:
    slow = {**CREW["components"]["people"], "hours_to_repair": 8.0}
    g = newcomer(contracts__lease__credits=STEPS, uptime__components__people=slow)
    usual = expected_credit([Outage(1e-4 * 8760 / 8, 8.0)], SCHEDULE)
    assert g.credit_share == pytest.approx({("lease", AI): usual})


def errs(months: float) -> float:
    """Share of a rent that people new to AI are credited for more, an hour each time."""
    often = [1e-4 * 8760 * (1 + 2 * 0.5 ** (m / 12)) for m in (months, 1e9)]
    return math.fsum(
        sign * expected_credit([Outage(n, 1.0)], SCHEDULE)
        for sign, n in zip((1, -1), often, strict=True)
    )


def crediting_newcomer() -> Given:
    return newcomer(contracts__lease__credits=STEPS)


@rows_of("service_credits.newcomer_balance")
def test_rent_is_earned_by_who_began_at_some_time() -> None:
    assert row(crediting_newcomer(), "service_credits.newcomer_balance", 2, "lease") == by_hand(
        {
            **{("newcomer_fees", 2, "lease", m): 1000 for m in (0, 1, 2)},
            ("hosting", 2, "lease", AI, TENANT): -1.2,
        },
        "==",
    )
    old = newcomer(contracts__lease__credits=STEPS, finance__hosts_ai_already=True)
    assert absent(old, "service_credits.newcomer_balance", 2, "lease")


@rows_of("service_credits.newcomer_limit")
def test_rent_is_earned_by_who_began_then() -> None:
    assert row(crediting_newcomer(), "service_credits.newcomer_limit", 2, "lease", 1) == by_hand(
        {
            ("newcomer_fees", 2, "lease", 1): 1,
            ("began", 1): -0.0036,
            ("began", 0): 0.0036,
        },
        "<=",
    )


@rows_of("capital.cash_balance")
def test_a_newcomer_is_credited_for_more_until_it_has_learnt() -> None:
    terms = row(crediting_newcomer(), "capital.cash_balance", 2)[0]
    found = {key[-1]: a for key, a in terms.items() if key[0] == "newcomer_fees"}
    assert found == pytest.approx({m: 1000 * errs(24 - 12 * m) for m in (0, 1, 2)})


@rows_of("capital.value")
def test_a_newcomer_learns_on_beyond_the_horizon() -> None:
    g = crediting_newcomer()
    terms = value_terms(g)[0]
    for m in (0, 1, 2):
        beyond = sum(errs(36 - 12 * m + month) for month in range(24)) / 12
        within = errs(24 - 12 * m)
        assert terms["newcomer_fees", 2, "lease", m] == pytest.approx(-1000 * (within + beyond))
    # Who is experienced errs as well, and a hall that states no outages is not counted.
    usual = expected_credit([Outage(0.876, 1.0)], SCHEDULE)
    assert g.credit_share == pytest.approx({("lease", AI): usual})


# --- a plant that mining shares ------------------------------------------------------------


def shared_case() -> Given:
    """AI and mining on blocks of 5 MW, of which one stands today."""
    standing = {"blocks": {"component": "block", "units": 1}}
    return case(tiny(uptime=POOLED, contracts__lease=LEASE, sites__a__plant=standing))


AT = ("a", "blocks")
ONE, TWO = "block-1", "block-2"
CLASS_OF_RIGS = ("mine", "rig", 0)


@rows_of("uptime.one_pool")
def test_a_part_has_one_number_of_units() -> None:
    assert row(shared_case(), "uptime.one_pool", 0, *AT) == by_hand(
        {("pool", 0, *AT, ONE): 1, ("pool", 0, *AT, TWO): 1}, "<=", 1
    )


@rows_of("uptime.pool_units")
def test_shared_units_stand() -> None:
    assert row(shared_case(), "uptime.pool_units", 1, *AT, "block") == by_hand(
        {
            ("pool", 1, *AT, ONE): 1,
            ("pool", 1, *AT, TWO): 2,
            ("plant_orders", 0, *AT, "block"): -1,
        },
        "<=",
        1,
    )


@rows_of("uptime.pool_reservation")
def test_shared_units_carry_ai_whether_mining_runs_or_not() -> None:
    assert row(shared_case(), "uptime.pool_reservation", 1, *AT) == by_hand(
        {("reserved", 1, "a"): 1, ("pool", 1, *AT, ONE): -5, ("pool", 1, *AT, TWO): -10}, "<="
    )


@rows_of("uptime.pool_balance")
def test_the_load_on_shared_units_is_ai_and_the_better_machines() -> None:
    assert row(shared_case(), "uptime.pool_balance", 1, *AT, *CLASS_OF_RIGS) == by_hand(
        {
            ("pool_load", 1, *AT, ONE, *CLASS_OF_RIGS): 1,
            ("pool_load", 1, *AT, TWO, *CLASS_OF_RIGS): 1,
            ("reserved", 1, "a"): -1,
            ("mining", 1, "a", *CLASS_OF_RIGS): -1.1,
        },
        "==",
    )


@rows_of("uptime.pool_balance")
def test_a_class_that_earns_more_is_served_before_one_that_earns_less() -> None:
    standing = {"blocks": {"component": "block", "units": 1}}
    old = {"th_per_s": 100.0, "watt": 2500.0, "price_usd_per_th": 1.0, "cooling": "air",
           "life_months": 24}  # fmt: skip
    g = case(
        tiny(
            uptime=POOLED,
            contracts__lease=LEASE,
            sites__a__plant=standing,
            machines__old=old,
            racks__old={"workload": "mining", "machine": "old", "machines_per_rack": 400},
        )
    )
    best = row(g, "uptime.pool_balance", 0, *AT, "mine", "rig", 0)[0]
    both = row(g, "uptime.pool_balance", 0, *AT, "mine", "old", 0)[0]
    assert ("mining", 0, "a", "mine", "old", 0) not in best
    assert both["mining", 0, "a", "mine", "old", 0] == pytest.approx(-1.1)
    assert both["mining", 0, "a", "mine", "rig", 0] == pytest.approx(-1.1)


@rows_of("uptime.pool_limit")
def test_shared_units_carry_no_more_than_their_nameplate() -> None:
    assert row(shared_case(), "uptime.pool_limit", 1, *AT, TWO, *CLASS_OF_RIGS) == by_hand(
        {("pool_load", 1, *AT, TWO, *CLASS_OF_RIGS): 1, ("pool", 1, *AT, TWO): -10}, "<="
    )


@rows_of("uptime.curtailment")
def test_mining_takes_the_mean_shortfall() -> None:
    def short(y: str, m: int) -> Row:
        return row(shared_case(), "uptime.curtailment", 1, *AT, y, *CLASS_OF_RIGS, m)

    def hand(y: str, load: float, units: float) -> Row:
        terms = {
            ("curtailed", 1, *AT, y, *CLASS_OF_RIGS): 1.0,
            ("pool_load", 1, *AT, y, *CLASS_OF_RIGS): -load,
        }
        return by_hand(terms | ({("pool", 1, *AT, y): units} if units else {}), ">=")

    # None up: one hour in a hundred of one block, one in ten thousand of two. In kW.
    assert short(ONE, 0) == hand(ONE, 10, 0)
    assert short(TWO, 0) == hand(TWO, 0.1, 0)
    # At most one up: of two blocks in 199 hours of 10,000, and in 198 of them 5 MW are served.
    assert short(ONE, 1) == hand(ONE, 1000, 4950)
    assert short(TWO, 1) == hand(TWO, 19.9, 99)
    assert short(TWO, 2) == hand(TWO, 1000, 9900)
    assert absent(shared_case(), "uptime.curtailment", 1, *AT, ONE, *CLASS_OF_RIGS, 2)


@rows_of("uptime.carrying_limit")
def test_a_shared_part_carries_facility_megawatts() -> None:
    terms = row(shared_case(), "uptime.carrying_limit", 1, *AT, CLASS)[0]
    assert terms["hosting", 1, "lease", AI, TENANT] == pytest.approx(1.3)
    assert terms["held", 1, *AT, "block-2-for-1", CLASS] == -5
    assert terms["promised", 1, "a", CLASS] == pytest.approx(8.8)


@rows_of("capital.margin_balance")
def test_mining_loses_its_margin_on_what_it_is_short_of() -> None:
    terms = row(shared_case(), "capital.margin_balance", 1, "a")[0]
    # 100 $/MWh less 1.05 times 47 $/MWh, a facility MW of 1.1; a kW short through a year.
    loss = HOURS * (100 - 1.05 * 47) / 1.1 / 1e6 / 1e3
    for y in (ONE, TWO):
        assert terms["curtailed", 1, *AT, y, *CLASS_OF_RIGS] == pytest.approx(loss, rel=1e-12)


# --- the bill ------------------------------------------------------------------------------

#: 3 MW bought at 30 $/MWh, of which what is not drawn is lost.
BOUGHT = [{"mw": 3.0, "price_usd_per_mwh": 30.0, "unused": "lost"}]


def billed(**more: Any) -> Given:
    """A site that pays 10 $ a month for each kW of its highest load, and half its connection."""
    power = {"demand_charge_usd_per_kw_month": 10.0, "billing_floor_share": 0.5, "ppa": BOUGHT}
    return case(tiny(power__a=power, contracts__lease=LEASE, **more))


@rows_of("energy.billed_load")
def test_the_highest_load_of_a_month_is_billed() -> None:
    g = billed()
    june = next(b for b in g.bands[0, "a"] if g.bill_month[0, "a", b] == 6)
    assert row(g, "energy.billed_load", 0, "a", june) == by_hand(
        {
            ("mining", 0, "a", "mine", "rig", june): 1.1,
            ("reserved", 0, "a"): 1,
            ("billed", 0, "a", 6): -1,
        },
        "<=",
    )
    assert absent(case(tiny()), "energy.billed_load", 0, "a", 0)


@rows_of("energy.billed_ai")
def test_what_ai_reserves_is_billed() -> None:
    assert row(billed(), "energy.billed_ai", 1, "a", 12) == by_hand(
        {("reserved", 1, "a"): 1, ("billed", 1, "a", 12): -1}, "<="
    )


@rows_of("energy.billed_load")
@rows_of("energy.billed_ai")
def test_what_is_off_is_not_billed() -> None:
    """Of 800 hours 744 are those of January, the first of equal prices, and 56 of February."""
    g = billed(contracts__lease__curtailable_hours_per_year=800.0)
    off = {(g.bill_month[1, "a", b], bool(g.off[1, "a", b])): b for b in g.bands[1, "a"]}
    assert {month: g.hours[1, "a", b] for (month, is_off), b in off.items() if is_off} == {
        1: pytest.approx(744),
        2: pytest.approx(56),
    }
    reserved = {("reserved", 1, "a"): 1}
    none = {**reserved, ("hosting", 1, "lease", AI, TENANT): -1.3}
    assert row(g, "energy.billed_ai", 1, "a", 1) == by_hand(
        {**none, ("billed", 1, "a", 1): -1}, "<="
    )
    assert row(g, "energy.billed_ai", 1, "a", 2) == by_hand(
        {**reserved, ("billed", 1, "a", 2): -1}, "<="
    )
    b = off[2, True]
    assert row(g, "energy.billed_load", 1, "a", b) == by_hand(
        {("mining", 1, "a", "mine", "rig", b): 1.1, **none, ("billed", 1, "a", 2): -1}, "<="
    )


@rows_of("energy.agreements_drawn")
def test_what_is_off_draws_nothing_that_is_bought_ahead() -> None:
    g = billed(contracts__lease__curtailable_hours_per_year=56.0)
    for b in g.bands[1, "a"]:
        terms = row(g, "energy.agreements_drawn", 1, "a", b)[0]
        drawn = terms.get(("hosting", 1, "lease", AI, TENANT), 0.0)
        assert drawn == pytest.approx(0.0 if g.off[1, "a", b] else -1.2 * 0.8)


@rows_of("energy.billing_floor")
def test_a_share_of_the_connection_is_billed_at_least() -> None:
    assert row(billed(), "energy.billing_floor", 0, "a", 1) == by_hand(
        {("billed", 0, "a", 1): 1}, ">=", 6
    )
    line = {"site": "a", "adds_firm_mw": 2.0, "capex_musd": 1.0, "months": 12, "life_months": 99}
    assert row(billed(projects__line=line), "energy.billing_floor", 1, "a", 1) == by_hand(
        {("billed", 1, "a", 1): 1, ("builds", 0, "line"): -1}, ">=", 6
    )


@rows_of("energy.agreements_drawn")
def test_what_is_bought_ahead_is_drawn_or_lost() -> None:
    cloud = {"gpu": {"price_usd_per_gpu_hour": 2.0, "utilisation_share": 0.5,
                     "load_factor_share": 0.7}}  # fmt: skip
    assert row(billed(gpu_cloud=cloud), "energy.agreements_drawn", 1, "a", 0) == by_hand(
        {
            ("unused", 1, "a", 0, "1"): -1,
            ("mining", 1, "a", "mine", "rig", 0): -1.05,
            ("hosting", 1, "lease", AI, TENANT): -1.2 * 0.8,
            ("cloud", 1, AI, "gpu"): -1.2 * 0.7,
        },
        "<=",
        -3,
    )


@rows_of("energy.unused_limit")
def test_no_more_is_lost_than_was_bought() -> None:
    assert row(billed(), "energy.unused_limit", 1, "a", 0, "1") == by_hand(
        {("unused", 1, "a", 0, "1"): 1}, "<=", 3
    )
    over = [{**BOUGHT[0], "until": "2029-06"}]
    g = case(tiny(power__a__ppa=over))
    bands = [b for b in g.bands[0, "a"] if not absent(g, "energy.unused_limit", 0, "a", b, "1")]
    assert sum(g.hours[0, "a", b] for b in bands) == 24 * (31 + 28 + 31 + 30 + 31 + 30)
    assert absent(g, "energy.unused_limit", 1, "a", 0, "1")
    # What is sold back without a fee is never lost.
    sold = case(tiny(power__a__ppa=[{**BOUGHT[0], "unused": "sold"}]))
    assert absent(sold, "energy.unused_limit", 0, "a", 0, "1")


@rows_of("capital.margin_balance")
def test_the_bill_is_paid_from_the_margin() -> None:
    g = billed()
    terms, _, right = row(g, "capital.margin_balance", 0, "a")
    for month, b in ((1, 0), (2, 1)):
        assert terms["billed", 0, "a", month] == pytest.approx(0.01)
        hours = 24 * (31, 28)[b]
        # 40 $/MWh are lost on what is not drawn.
        assert terms["unused", 0, "a", b, "1"] == pytest.approx(hours * 40e-6)
    assert g.bill_month[0, "a", 0] == 1
    # The agreement is worth 10 $/MWh on 3 MW.
    assert right == pytest.approx(3 * 10 * HOURS / 1e6)


def test_a_fee_is_lost_on_what_is_sold_back_and_no_more_than_the_price() -> None:
    sold = {**BOUGHT[0], "unused": "sold", "sale_fee_usd_per_mwh": 4.0}
    g = case(tiny(power__a__ppa=[sold]))
    assert list(g.ppa_loss.values()) == pytest.approx([4e-6] * len(g.ppa_loss))
    dear = case(tiny(power__a__ppa=[{**sold, "sale_fee_usd_per_mwh": 44.0}]))
    assert list(dear.ppa_loss.values()) == pytest.approx([40e-6] * len(dear.ppa_loss))
    assert g.ppa_loss
    assert dear.ppa_loss


def test_a_floor_under_a_peak_is_charged_for_whether_it_is_drawn_or_not() -> None:
    """A third of 12 MW, at 9,000 $ a MW and peak; the months of a flat price are all peak."""
    peak = {"usd_per_kw_year": 36.0, "peaks": "4cp", "billing_floor_share": 1 / 3}
    g = case(tiny(power__a__coincident_peak=peak))
    charged = {key: loss for key, loss in g.ppa_loss.items() if key[0] == 0}
    assert {key[-1] for key in charged} == {"peak-floor"}
    assert [g.ppa_mw[key] for key in charged] == pytest.approx([4.0] * len(charged))
    owed = sum(g.hours[key[:3]] * loss for key, loss in charged.items())
    assert owed == pytest.approx(0.036)


@rows_of("energy.agreements_drawn")
def test_a_programme_pays_for_mining_that_runs_and_not_for_ai() -> None:
    programme = {"mw": 5.0, "usd_per_mwh": 6.0}
    g = case(tiny(power__a__programmes=[programme], contracts__lease=LEASE))
    assert row(g, "energy.agreements_drawn", 1, "a", 0) == by_hand(
        {("unused", 1, "a", 0, "offer-1"): -1, ("mining", 1, "a", "mine", "rig", 0): -1.05},
        "<=",
        -5,
    )
    # In full 6 $/MWh on 5 MW; what does not run is not paid for.
    assert g.ppa_gain[1, "a"] == pytest.approx(5 * 6 * HOURS / 1e6)
    assert g.ppa_loss[1, "a", 0, "offer-1"] == pytest.approx(6e-6)


def test_ai_draws_its_mean_of_the_period() -> None:
    """Half of a year in service."""
    g = billed(contracts__lease__start="2030-07")
    assert g.ai_draw[1, "lease", AI] == pytest.approx(1.2 * 0.8 / 2)
    assert g.ai_draw[2, "lease", AI] == pytest.approx(1.2 * 0.8)


def test_ai_beyond_the_horizon_owes_demand_charges_and_charges_that_do_not_grow() -> None:
    power = {"growth_per_year": 0.1, "carbon": {"usd_per_tonne": 20.0, "kg_per_mwh": 500.0}}
    plain = case(tiny(contracts__lease=LEASE, power__a={"growth_per_year": 0.1}))
    with_carbon = case(tiny(contracts__lease=LEASE, power__a=power))
    demand = case(tiny(contracts__lease=LEASE, power__a={
        "growth_per_year": 0.1, "demand_charge_usd_per_kw_month": 10.0}))  # fmt: skip
    key = 2, "lease", AI, TENANT
    # Two years at 10 $/MWh on 1.2 times 0.8 MW, by months of equal length.
    lost = plain.tail_margin[key] - with_carbon.tail_margin[key]
    assert lost == pytest.approx(2 * HOURS * 10 * 1.2 * 0.8 / 1e6)
    # Two years of 10 $ a month for each kW at peak.
    assert plain.tail_margin[key] - demand.tail_margin[key] == pytest.approx(24 * 0.01 * 1.3)


def test_each_year_of_a_file_has_peaks_of_its_own() -> None:
    """Two Junes, each of which counts half: in each the two dearest hours."""
    price = np.concatenate([np.arange(720.0), np.arange(720.0)[::-1] + 100])
    month = np.concatenate([np.full(720, 6), np.full(720, 6)])
    between = np.full(30, 7)
    hours = Hours(
        np.concatenate([month[:720], between, month[720:], between]),
        np.full(1500, 0.5),
        np.concatenate([price[:720], np.zeros(30), price[720:], np.zeros(30)]),
        np.zeros(1500, bool),
        "two Junes",
    )
    peak = CoincidentPeak(usd_per_kw_year=40.0, peaks="4cp", candidate_hours=2)
    charge = peak_charge(hours, peak)
    june = np.flatnonzero(charge * (hours.month == 6))
    assert june.tolist() == [718, 719, 750, 751]
    # 10,000 $ a MW for June, over two hours.
    assert charge[june] == pytest.approx([5000.0] * 4)


def test_own_generation_saves_what_the_grid_costs_above_its_fuel() -> None:
    carbon = {"usd_per_tonne": 20.0, "kg_per_mwh": 500.0}
    cheap, dear = ({"mw": 4.0, "fuel_usd_per_mwh": fuel} for fuel in (30.0, 90.0))
    g = case(tiny(power__a={"carbon": carbon, "generation": [cheap, dear]}))
    # 40 $/MWh, 10 of carbon and 5 of wires are saved; the second never runs.
    assert g.ppa_loss[0, "a", 0, "gen-1"] == pytest.approx(25e-6)
    # Were it run in full it would lose 35 on each MWh, all of which is won back by leaving it.
    assert g.ppa_loss[0, "a", 0, "gen-2"] == pytest.approx(-35e-6)
    assert g.ppa_gain[0, "a"] == pytest.approx(4 * (25 - 35) * HOURS / 1e6)


# --- limits on the energy of a year --------------------------------------------------------

#: A thousandth of 10,000 MWh is ten of them.
GPU_HOURS = {"gpu": {"price_usd_per_gpu_hour": 2.0, "utilisation_share": 0.5,
                     "load_factor_share": 0.7}}  # fmt: skip
CAPPED = {"energy_cap_mwh_per_year": 10_000.0}


def in_price(power: Typed, n: int, price: float, **more: Any) -> Given:
    """Bound what the hours of a node earn at a price of the limit, and at none."""
    instance = tiny(power__a=power, contracts__lease=LEASE, **more)
    hours = supplied(Derivation(instance, tree_of(instance)))
    return in_tangents(case(instance), hours, {(n, "a"): (price,)})


@rows_of("yearly.use_balance")
def test_what_is_drawn_uses_up_a_limit_of_the_year() -> None:
    g = case(tiny(power__a=CAPPED, contracts__lease=LEASE, gpu_cloud=GPU_HOURS))
    terms, sense, right = row(g, "yearly.use_balance", 1, "a")
    assert (sense, right) == ("==", 0.0)
    assert terms["used", 1, "a"] == 1
    per_mw = HOURS * 1000 / 10_000
    mined = sum(x for key, x in terms.items() if key[0] == "mining")
    assert mined == pytest.approx(-1.05 * per_mw)
    assert terms["hosting", 1, "lease", AI, TENANT] == pytest.approx(-1.2 * 0.8 * per_mw)
    assert terms["cloud", 1, AI, "gpu"] == pytest.approx(-1.2 * 0.7 * per_mw)
    assert absent(case(tiny()), "yearly.use_balance", 0, "a")


@rows_of("yearly.use_balance")
def test_own_generation_spares_energy_of_the_grid_and_uses_up_its_own_hours() -> None:
    own = {"mw": 4.0, "fuel_usd_per_mwh": 60.0}
    spared = case(tiny(power__a={**CAPPED, "generation": [own]}))
    hours = spared.hours[0, "a", 0]
    terms, _, right = row(spared, "yearly.use_balance", 0, "a")
    assert terms["unused", 0, "a", 0, "gen-1"] == pytest.approx(-hours / 10)
    assert right == pytest.approx(-4 * HOURS / 10)
    limited = case(tiny(power__a__generation=[{**own, "hours_per_year_max": 500.0}]))
    terms, _, right = row(limited, "yearly.use_balance", 0, "a")
    assert terms["unused", 0, "a", 0, "gen-1"] == pytest.approx(hours * 1000 / (500 * 4))
    assert right == pytest.approx(HOURS * 1000 / 500)
    assert not [key for key in terms if key[0] == "mining"]


@rows_of("yearly.use_balance")
def test_carbon_uses_up_a_cap_in_tonnes() -> None:
    carbon = {"cap_tonnes_per_year": 2_000.0, "kg_per_mwh": 400.0}
    terms, _, _ = row(case(tiny(power__a__carbon=carbon)), "yearly.use_balance", 0, "a")
    mined = sum(x for key, x in terms.items() if key[0] == "mining")
    assert mined == pytest.approx(-1.05 * HOURS * 0.4 / 2)


@rows_of("yearly.year_limit")
def test_the_periods_of_a_year_share_its_limit() -> None:
    g = case(tiny(power__a=CAPPED, horizon={"periods": 3, "months_per_period": 6}))
    assert row(g, "yearly.year_limit", 1, "a") == by_hand(
        {("used", 0, "a"): 1, ("used", 1, "a"): 1}, "<=", 1000
    )
    # Half a year is left, and half of the limit.
    assert row(g, "yearly.year_limit", 2, "a") == by_hand({("used", 2, "a"): 1}, "<=", 500)


@rows_of("capital.margin_balance")
@rows_of("yearly.tangent")
def test_hours_earn_no_more_than_at_a_price_of_the_limit() -> None:
    """At 2,000 $ a thousandth, which is ten MWh, a MWh costs 200 $ more."""
    g = in_price(CAPPED, 1, 2e-3, gpu_cloud=GPU_HOURS)
    assert [g.tangent_price[1, "a", z] for z in (0, 1)] == [0.0, 2e-3]
    for z, dearer in ((0, 0), (1, 200)):
        terms, sense, right = row(g, "yearly.tangent", 1, "a", z)
        assert (sense, right) == ("<=", 0.0)
        assert terms["earned", 1, "a"] == 1
        assert terms.get(("used", 1, "a"), 0.0) == -2e-3 * z
        mined = sum(x for key, x in terms.items() if key[0] == "mining")
        assert mined == pytest.approx(-(100 - 1.05 * (47 + dearer)) * HOURS / 1e6)
        hosted = terms.get(("hosting", 1, "lease", AI, TENANT), 0.0)
        assert hosted == pytest.approx(1.2 * 0.8 * dearer * HOURS / 1e6)
        sold = terms.get(("cloud", 1, AI, "gpu"), 0.0)
        assert sold == pytest.approx(1.2 * 0.7 * dearer * HOURS / 1e6)
    margin, _, _ = row(g, "capital.margin_balance", 1, "a")
    assert margin["earned", 1, "a"] == -1
    assert not [key for key in margin if key[0] == "mining"]
    assert absent(g, "yearly.use_balance", 1, "a")
    assert not absent(g, "yearly.use_balance", 0, "a")
    assert absent(g, "yearly.tangent", 0, "a", 0)


@rows_of("yearly.tangent")
def test_agreements_that_are_not_drawn_are_lost_at_every_price() -> None:
    g = in_price({**CAPPED, "ppa": BOUGHT}, 0, 2e-3)
    b = g.tangent_bands[0, "a", 1][0]
    terms, _, _ = row(g, "yearly.tangent", 0, "a", 1)
    assert terms["unused", 0, "a", b, "1"] == pytest.approx(g.hours[0, "a", b] * 40e-6)
    assert not absent(g, "energy.agreements_drawn", 0, "a", b)
    assert g.ppa_gain[0, "a"] == pytest.approx(3 * 10 * HOURS / 1e6)


@rows_of("yearly.least_use")
def test_ai_uses_up_what_it_draws_and_own_generation_spares_no_more_than_it_makes() -> None:
    own = {"mw": 4.0, "fuel_usd_per_mwh": 60.0}
    g = in_price({**CAPPED, "generation": [own]}, 1, 2e-3, gpu_cloud=GPU_HOURS)
    assert row(g, "yearly.least_use", 1, "a") == by_hand(
        {
            ("used", 1, "a"): 1,
            ("cloud", 1, AI, "gpu"): -1.2 * 0.7 * HOURS / 10,
            ("hosting", 1, "lease", AI, TENANT): -1.2 * 0.8 * HOURS / 10,
        },
        ">=",
        -4 * HOURS / 10,
    )
    limited = in_price({"generation": [{**own, "hours_per_year_max": 500.0}]}, 1, 2e-3)
    assert row(limited, "yearly.least_use", 1, "a") == by_hand({("used", 1, "a"): 1}, ">=")


def test_a_commitment_is_paid_by_the_hours_that_are_there_in_the_money_of_the_file() -> None:
    """Steps of unlike length, offers in euros, and hours that are cut."""
    programme = {"mw": 2.0, "commitment": True}
    instance = tiny(
        power__a={"flat_usd_per_mwh": None, "prices": "steps", "currency": "EUR",
                  "programmes": [programme]},
        currencies={"EUR": {"usd_per_unit": 1.5}},
    )  # fmt: skip
    month = np.repeat(np.arange(1, 13), 2)
    weight = np.tile([700.0, 30.0], 12)
    hours = Hours(month, weight, np.tile([40.0, 200.0], 12), np.tile([False, True], 12), "steps",
                  offer_usd_per_mwh=np.tile([4.0, 9.0], 12), in_sequence=False)  # fmt: skip
    g = case(instance, hours={"a": hours})
    assert g.commitment_pay[0, "a", "offer-1"] == pytest.approx(12 * 700 * 4 * 1.5 / 1e6)


def test_the_price_of_an_agreement_rises_at_its_anniversary() -> None:
    rising = {**BOUGHT[0], "escalator_per_year": 0.1, "from": "2028-07"}
    g = case(tiny(power__a__ppa=[rising]))
    june, july = g.ppa_price[0, "a", "1", 6], g.ppa_price[0, "a", "1", 7]
    assert (june, july) == (pytest.approx(30e-6), pytest.approx(33e-6))
    hours = [24 * days for days in (181, 184)]
    gain = 3 * (hours[0] * (40 - 30) + hours[1] * (40 - 33)) / 1e6
    assert g.ppa_gain[0, "a"] == pytest.approx(gain)


def test_charges_on_peaks_and_carbon_shift_the_price_and_do_not_grow() -> None:
    peak = {"usd_per_kw_year": 36.0, "peaks": "4cp"}
    carbon = {"usd_per_tonne": 20.0, "kg_per_mwh": 500.0}
    power = {"coincident_peak": peak, "carbon": carbon, "growth_per_year": 0.1}
    g = case(tiny(power__a=power))
    # 36 $/kW a year fall on four months, 10 $/MWh on every hour; the price has grown.
    bands = g.bands[1, "a"]
    charged = sum(g.hours[1, "a", b] * g.charge[1, "a", b] for b in bands)
    assert charged == pytest.approx(0.036 + HOURS * 10e-6)
    priced = sum(g.hours[1, "a", b] * g.price[1, "a", b] for b in bands)
    assert priced - charged == pytest.approx(HOURS * 40 * 1.1**1.5 / 1e6)


# --- that nothing is untested --------------------------------------------------------------


def test_every_family_has_rows_worked_out_by_hand() -> None:
    assert set(CHECKS) == {family.name for family in FAMILIES} | {"capital.value"}


def planted(rule: Callable[..., Any], decision: str | None) -> Callable[..., Any]:
    """Spoil a rule by 1 %: the coefficients of a decision, or the constant."""

    @wraps(rule.func if isinstance(rule, partial) else rule)
    def wrong(c: Context, *index: Any) -> Any:
        said = rule(c, *index)
        body = said.left - said.right if isinstance(said, Relation) else said
        spoilt = spoil(body, c, decision)
        return Relation(spoilt, said.sense, 0.0) if isinstance(said, Relation) else spoilt

    return wrong


def spoil(body: Any, c: Context, decision: str | None) -> Any:
    """Scale what multiplies a decision, or the constant, by 1.01."""
    if not isinstance(body, Affine):
        return body * 1.01 if decision is None else body
    if decision is None:
        return Affine(body.columns, body.coefficients, body.constant * 1.01)
    mine = {x.columns[0] for x in getattr(c, decision).values()}
    wrong = [
        1.01 * a if j in mine else a for j, a in zip(body.columns, body.coefficients, strict=True)
    ]
    return Affine(body.columns, wrong, body.constant)


def caught(name: str) -> bool:
    """Whether some check of a family fails."""
    for check in CHECKS[name]:
        try:
            check()
        except AssertionError:
            return True
    return False


def seen_by(name: str) -> set[str | None]:
    """Decisions with a coefficient in the rows that a family's checks read; None, a constant."""
    for check in CHECKS[name]:
        check()
    return SEEN[name]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_planted_wrong_coefficient_is_caught(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    for decision in sorted(seen_by(family.name), key=str):
        wrong = replace(family, rule=planted(family.rule, decision))
        spoilt = tuple(wrong if one is family else one for one in FAMILIES)
        monkeypatch.setattr(allocation, "FAMILIES", spoilt)
        assert caught(family.name), f"{family.name}: a wrong coefficient of {decision} passes"


def test_a_planted_wrong_coefficient_of_the_objective_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = allocation.objective
    for decision in sorted(seen_by("capital.value"), key=str):
        monkeypatch.setattr(allocation, "objective", planted(right, decision))
        assert caught("capital.value"), f"a wrong coefficient of {decision} passes"
        monkeypatch.setattr(allocation, "objective", right)


def test_no_term_of_a_family_is_left_out_of_the_checks() -> None:
    for name in CHECKS:
        seen_by(name)
    given = rich()
    context, columns = symbolic(given)
    for family in FAMILIES:
        found = {
            columns[j][0]
            for _, relation in family.relations(context)
            if isinstance(body := relation.left - relation.right, Affine)
            for j in body.columns
        }
        assert found, f"{family.name} has no row in the case that has everything"
        assert found <= SEEN[family.name], family.name
    assert {name for name, *_ in value_terms(given)[0]} <= SEEN["capital.value"]


# --- commitments ---------------------------------------------------------------------------

#: 3 MW and 2 MW that are committed at most; the first is called in 876 hours a year.
COMMITTED = [
    {"mw": 3.0, "usd_per_mwh": 6.0, "commitment": True, "called_hours_per_year": 876.0},
    {"mw": 2.0, "usd_per_mwh": 4.0, "commitment": True},
]
#: Of a flat price each month splits into hours in which the first is called and the others.
CALLED, FREE_BAND = 1, 0
ONE_OFFER, OTHER_OFFER = ("committed", 1, "a", "offer-1"), ("committed", 1, "a", "offer-2")
RIGS = ("mining", 1, "a", "mine", "rig")


def committed(**more: Any) -> Given:
    """A site with two commitments; mining would earn 50 $/MWh and pays 47."""
    power = {"programmes": COMMITTED, **more.pop("power", {})}
    return case(tiny(power__a=power, contracts__lease=LEASE, **more))


@rows_of("commitments.size_limit")
def test_no_more_is_committed_than_a_programme_takes() -> None:
    g = committed()
    assert row(g, "commitments.size_limit", 1, "a", "offer-1") == by_hand({ONE_OFFER: 1}, "<=", 3)
    assert row(g, "commitments.size_limit", 1, "a", "offer-2") == by_hand(
        {OTHER_OFFER: 1}, "<=", 2
    )
    assert absent(case(tiny()), "commitments.size_limit", 1, "a", "offer-1")


@rows_of("commitments.installed_limit")
def test_no_more_is_committed_than_machines_draw() -> None:
    assert row(committed(), "commitments.installed_limit", 1, "a") == by_hand(
        {ONE_OFFER: 1, OTHER_OFFER: 1, ("racks", 1, MINE, "rig"): -0.9 * 1.05}, "<="
    )


@rows_of("commitments.running_floor")
def test_what_is_committed_and_not_called_runs() -> None:
    g = committed()
    assert [g.hours[1, "a", b] for b in g.bands[1, "a"]] == pytest.approx([HOURS - 876, 876])
    assert row(g, "commitments.running_floor", 1, "a", FREE_BAND) == by_hand(
        {(*RIGS, FREE_BAND): 1.05, ONE_OFFER: -1, OTHER_OFFER: -1}, ">="
    )
    assert row(g, "commitments.running_floor", 1, "a", CALLED) == by_hand(
        {(*RIGS, CALLED): 1.05, OTHER_OFFER: -1}, ">="
    )
    both = committed(power={"programmes": [COMMITTED[0]]})
    assert absent(both, "commitments.running_floor", 1, "a", CALLED)


@rows_of("commitments.running_floor")
def test_nothing_has_to_run_in_a_cut_or_an_emergency() -> None:
    month = np.repeat(np.arange(1, 13), 2)
    cut = np.tile([False, True], 12)
    hours = Hours(month, np.full(24, 365.0), np.full(24, 40.0), cut, "halves", in_sequence=False)
    power = {"programmes": [COMMITTED[1]], "emergency": {"hours_per_year": 1095.0}}
    g = case(tiny(power__a=power), hours={"a": hours})
    told = {
        (g.cut[1, "a", b], g.stopped[1, "a", b]): not absent(
            g, "commitments.running_floor", 1, "a", b
        )
        for b in g.bands[1, "a"]
    }
    assert told == {
        (False, False): True, (True, False): False, (False, True): False, (True, True): False
    }  # fmt: skip
    assert all(bool(g.runs[key]) == (not stopped) for key, stopped in g.stopped.items())


@rows_of("commitments.standing_limit")
def test_what_is_called_stands_still_among_the_machines() -> None:
    g = committed()
    assert row(g, "commitments.standing_limit", 1, "a", CALLED) == by_hand(
        {(*RIGS, CALLED): 1.05, ONE_OFFER: 1, ("racks", 1, MINE, "rig"): -0.9 * 1.05}, "<="
    )
    assert absent(g, "commitments.standing_limit", 1, "a", FREE_BAND)


@rows_of("grid.interconnection")
@rows_of("grid.mining_use_limit")
@rows_of("energy.billed_load")
def test_what_is_called_keeps_its_room() -> None:
    power = {"demand_charge_usd_per_kw_month": 10.0}
    g = committed(power=power, sites__a={"mining_mw_max": 7.0})
    called = next(b for b in g.bands[1, "a"] if (1, "a", b, "offer-1") in g.called)
    load = {(*RIGS, called): 1.1, ONE_OFFER: 1}
    reserved = {("reserved", 1, "a"): 1}
    month = ("billed", 1, "a", g.bill_month[1, "a", called])
    assert row(g, "grid.interconnection", 1, "a", called) == by_hand(load | reserved, "<=", 12)
    assert row(g, "grid.mining_use_limit", 1, "a", called) == by_hand(load, "<=", 7)
    assert row(g, "energy.billed_load", 1, "a", called) == by_hand(
        load | reserved | {month: -1}, "<="
    )


@rows_of("capital.margin_balance")
def test_a_commitment_is_paid_for_in_every_hour() -> None:
    terms, _, _ = row(committed(), "capital.margin_balance", 1, "a")
    assert terms[ONE_OFFER] == pytest.approx(-6 * HOURS / 1e6)
    assert terms[OTHER_OFFER] == pytest.approx(-4 * HOURS / 1e6)


def test_machines_that_lose_money_run_where_a_commitment_has_them_run() -> None:
    dear = {"flat_usd_per_mwh": 400.0}
    assert not any(case(tiny(power__a=dear)).runs.values())
    g = committed(power=dear)
    assert {g.runs[1, "a", b] for b in g.bands[1, "a"]} == {(("mine", "rig"),)}
    alone = committed(power=dear | {"programmes": [COMMITTED[0]]})
    running = {b: bool(alone.runs[1, "a", b]) for b in alone.bands[1, "a"]}
    assert running == {FREE_BAND: True, CALLED: False}
    # A call without machines that may run still keeps its room.
    assert not absent(alone, "grid.interconnection", 1, "a", CALLED)
