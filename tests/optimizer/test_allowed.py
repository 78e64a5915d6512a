"""Tenants that allow their load to be off: where AI then fits, what it is worth, what is said."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.hosting import hosting_margin
from models.hours import Hours
from models.instance import Instance
from optimizer.case import Case, prepare
from optimizer.highs import Options
from optimizer.load import examine
from optimizer.plan.energy import energy
from optimizer.solve import Solved, solve
from tests.folders import INSTANCE, edited, write_folder
from tests.models.tiny import LEASE, tiny
from tests.optimizer.rich_case import rich_case
from tests.optimizer.test_bill import EXACT, MONTH, drawn, drawn_hours

CUT = 40


def year_with_cuts(cut: int = CUT) -> Hours:
    """A year at 30 to 50 $/MWh, of which some hours are cut, the cheapest."""
    price = 30.0 + 20.0 * np.arange(8760) / 8760
    return Hours(MONTH, np.ones(8760), price, np.arange(8760) < cut, "cheap hours are cut")


def hosting(allowed: float, **more: object) -> Instance:
    """A tenant of 1.5 MW, signed, at a site of 1 firm MW and 3 more that may be cut."""
    lease = {
        **LEASE,
        "sign_by": "2029-01",
        "start": "2029-01",
        "curtailable_hours_per_year": allowed,
        **more,
    }
    return tiny(
        horizon__periods=1,
        sites__a={"firm_mw": 1.0, "interruptible_mw": 3.0},
        halls={"h": {"count": 1, "fitout": "ai", "package": "n1", "convertible": False}},
        fleet=[],
        contracts__c=lease,
        commitments__contracts=[{"contract": "c", "mw": 1.5}],
    )


def solved(instance: Instance, hours: Hours, options: Options = EXACT) -> tuple[Case, Solved]:
    case = prepare(instance, {"a": hours})
    return case, solve(case, options)


def test_ai_stands_on_interruptible_mw_where_every_hour_that_is_cut_is_allowed() -> None:
    _, found = solved(hosting(CUT), year_with_cuts())
    assert found.status == "solved"
    assert found.plan is not None
    assert found.plan.reserved[0, "a"] == pytest.approx(1.3 * 1.5)


@pytest.mark.parametrize(("allowed", "cut"), [(CUT, CUT + 1), (CUT - 1, CUT), (0, 0)])
def test_an_hour_cut_too_many_leaves_firm_mw_only(allowed: float, cut: int) -> None:
    _, found = solved(hosting(allowed), year_with_cuts(cut))
    assert found.status == "infeasible"


def test_an_offer_is_signed_only_where_it_may_be_cut() -> None:
    signed = []
    for allowed in (CUT, CUT - 1):
        typed = hosting(allowed).model_dump(by_alias=True, exclude_unset=True)
        typed["commitments"] = {}
        _, found = solved(Instance.model_validate(typed), year_with_cuts())
        assert found.plan is not None
        signed.append(sum(found.plan.signed_mw.values()))
    assert signed == pytest.approx([2.0, 0.0])


def test_hours_that_are_cut_come_first_and_are_saved() -> None:
    """40 hours that are cut, and 10 more, the dearest."""
    case, found = solved(hosting(CUT + 10), year_with_cuts())
    assert found.plan is not None
    off = [b for b in case.given.bands[0, "a"] if case.given.off[0, "a", b]]
    assert sum(case.given.hours[0, "a", b] for b in off) == pytest.approx(CUT + 10)
    price = 30.0 + 20.0 * np.arange(8760) / 8760
    on = np.delete(price, [*range(CUT), *range(8750, 8760)])
    cost = 1.5 * 1.2 * 0.8 * float((on + 8.0).sum()) / 1e6
    rent = 1.5 * 12 * (100.0 - 5.0) * 1000 / 1e6
    assert float(hosting_margin(found.plan, 0, "a")) == pytest.approx(rent - cost, rel=1e-12)


WAYS = [(), ("lost",), ("sold",), ("gen",), ("demand",), ("floor",), ("offer",), ("4cp", "carbon")]


@pytest.mark.parametrize("mechanisms", WAYS, ids="+".join)
def test_more_hours_allowed_are_never_worth_less(mechanisms: tuple[str, ...]) -> None:
    hours = drawn_hours(random.Random(f"more {mechanisms}"))
    values = []
    for allowed in (0.0, 1.0, 30.0, 200.0, 1500.0, 8760.0):
        instance = drawn(11, mechanisms)
        terms = {"curtailable_hours_per_year": allowed, "power_passed_through": False}
        offer = instance.contracts["c"].model_copy(update=terms)
        _, found = solved(instance.model_copy(update={"contracts": {"c": offer}}), hours)
        assert found.audit is not None
        assert found.audit.passed
        values.append(found.value_musd)
    steps = np.diff(np.array(values, dtype=float))
    assert (steps >= -1e-9 * abs(values[0] or 1.0)).all()
    assert steps.sum() > 0


def test_the_energy_table_is_what_the_contracts_pay() -> None:
    case = rich_case()
    assert any(case.given.off.values())
    assert "lease" in case.given.interruptible_at["west"]
    found = solve(case, Options(gap=1e-3))
    assert found.plan is not None
    g, plan = case.given, found.plan
    rows = list(energy(case, plan))
    for n in g.nodes:
        for s in g.sites:
            paid = sum(row.ai_power_musd for row in rows if (row.node, row.site) == (n, s))
            owed = sum(
                g.hosting_energy[m, x, p] * mw
                for (m, x, p, _), mw in plan.hosting.items()
                if m == n and g.site_of[p] == s
            ) + sum(
                g.cloud_energy[m, p, k] * mw
                for (m, p, k), mw in plan.cloud.items()
                if m == n and g.site_of[p] == s
            )
            assert paid == pytest.approx(owed, rel=1e-9, abs=1e-12)
    for row in rows:
        off = g.off.get((row.node, row.site, row.band), ())
        on = [x for (n, x, p, _), mw in plan.hosting.items()
              if n == row.node and g.site_of[p] == row.site and mw and x not in off]  # fmt: skip
        cloud = sum(mw for (n, p, _), mw in plan.cloud.items()
                    if n == row.node and g.site_of[p] == row.site)  # fmt: skip
        assert bool(row.ai_mwh) == bool(on or cloud)


def test_mining_takes_what_a_contract_leaves_in_the_hours_in_which_it_is_off() -> None:
    """Every hour earns alike, so that mining runs on all MW there are, and 2 MW more in 100."""
    typed = tiny(
        horizon__periods=1,
        sites__a={"firm_mw": 5.0, "interruptible_mw": 0.0},
        halls={"h": {"count": 1, "fitout": "ai", "package": "n1", "convertible": False},
               "m": {"site": "a", "count": 2, "it_mw": 4.0, "fitout": "mine",
                     "convertible": False}},
        fleet=[{"hall": "m", "rack": "rig", "racks": 8}],
        racks__rig__buyable=False,
        contracts__c={**LEASE, "sign_by": "2029-01", "start": "2029-01",
                      "curtailable_hours_per_year": 100.0},
        commitments__contracts=[{"contract": "c", "mw": 2.0}],
    )  # fmt: skip
    hours = replace(year_with_cuts(0), price_usd_per_mwh=np.full(8760, 40.0))
    case, found = solved(typed, hours)
    assert found.plan is not None
    mined = {
        bool(case.given.off[0, "a", b]): 1.1 * mw
        for (_, _, _, _, b), mw in found.plan.mining.items()
    }
    assert mined == {False: pytest.approx(5.0 - 2.6), True: pytest.approx(5.0)}


# --- what is said --------------------------------------------------------------------------


def told(tmp_path: Path, keys: str, text: str = INSTANCE, **files: str) -> list[tuple[str, str]]:
    text = edited('sites = ["north"]\n', f'sites = ["north"]\n{keys}\n', text)
    _, problems = examine(write_folder(tmp_path / "i", text, **files))
    key = "contracts.lease.curtailable_hours_per_year"
    return [(p.severity, p.message) for p in problems if p.key == key]


CURVE = "month,hours,price_usd_per_mwh,cut\n" + "".join(
    f"{m},{h},{p},{c}\n"
    for m, days in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
    for h, p, c in ((days * 24 - 5, 40, 0), (5, 200, 1))
)


def test_hours_are_checked(tmp_path: Path) -> None:
    [(severity, _)] = told(tmp_path / "1", "curtailable_hours_per_year = 9000")
    assert severity == "error"
    [(severity, words)] = told(tmp_path / "2", "curtailable_hours_per_year = 5000")
    assert (severity, "far from real figures" in words) == ("error", True)
    [(severity, words)] = told(tmp_path / "3", "curtailable_hours_per_year = -1")
    assert (severity, "range" in words) == ("error", True)
    assert told(tmp_path / "4", "curtailable_hours_per_year = 100") == []


def test_hours_that_save_nothing_are_told(tmp_path: Path) -> None:
    firm = edited("interruptible_mw = 10\n", "")
    [(severity, words)] = told(tmp_path / "1", "curtailable_hours_per_year = 100", firm)
    assert (severity, "saves nothing" in words) == ("warning", True)
    owner = edited("power_passed_through = true\n", "", firm)
    assert told(tmp_path / "2", "curtailable_hours_per_year = 100", owner) == []


def test_fewer_hours_than_are_cut_are_told(tmp_path: Path) -> None:
    cut = edited("flat_usd_per_mwh = 40", 'duration = "curve.csv"')
    few = told(tmp_path / "1", "curtailable_hours_per_year = 59", cut, curve_csv=CURVE)
    assert [(s, "stands on firm MW only" in words) for s, words in few] == [("warning", True)]
    assert told(tmp_path / "2", "curtailable_hours_per_year = 60", cut, curve_csv=CURVE) == []


def test_a_signed_contract_that_may_be_cut_is_not_refused_for_want_of_firm_mw(
    tmp_path: Path,
) -> None:
    signed = '[[commitments.contracts]]\ncontract = "lease"\nmw = 5\n\n[policy]'
    few = edited("[policy]", signed, edited("firm_mw = 12", "firm_mw = 1"))
    few = edited("adds_firm_mw = 10", "adds_firm_mw = 0.5", few)
    few = edited("capex_musd = 8\n", "capex_musd = 0.4\n", few)

    def refused(text: str, name: str) -> bool:
        _, problems = examine(write_folder(tmp_path / name, text))
        return any("more than the firm MW" in p.message for p in problems)

    assert refused(few, "firm")
    allows = edited(
        'sites = ["north"]\n', 'sites = ["north"]\ncurtailable_hours_per_year = 50\n', few
    )
    assert not refused(allows, "allows")
    none = edited("interruptible_mw = 10\n", "", allows)
    assert refused(none, "none")
