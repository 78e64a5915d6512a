"""What is in the way of a plan: by hand, against solves, on the command line.

``RACKWATT_SOAK_CONFLICTS`` sets how many conflicts the long check plants (160).
"""

from __future__ import annotations

import csv
import json
import os
import random
import statistics
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.instance import Instance, month_index, month_text
from optimizer.answers.conflict.amounts import least_amount
from optimizer.answers.conflict.clash import Clash, Filter
from optimizer.answers.conflict.edits import REMOVED, edited
from optimizer.answers.conflict.explained import Explained, explain
from optimizer.answers.conflict.figures import Figures, step_of, typed_text
from optimizer.answers.conflict.limits import KINDS, limits_of
from optimizer.answers.conflict.questions import Questions, freed, opened
from optimizer.answers.conflict.repairs import Mender, Repair
from optimizer.answers.conflict.told import sentence
from optimizer.cli import main
from optimizer.errors import InputRefused
from optimizer.highs import Budget, Options
from optimizer.solve import Solved
from optimizer.sweep.design.keys import find
from tests.models.tiny import merged
from tests.optimizer.answers.anew import by_hand
from tests.optimizer.answers.judging import judge
from tests.optimizer.answers.planted import (
    COMPANY,
    LENT,
    LINE,
    Typed,
    by_sites,
    costly,
    folder,
    has_divided_plan,
    has_plan,
    is_sound,
    one_company,
    owed,
    planted,
    put,
    signed,
)

CONFLICTS = int(os.environ.get("RACKWATT_SOAK_CONFLICTS", "160"))


def told(typed: Typed, at: Path, **keywords: Any) -> Explained:
    return explain(opened(folder(at, typed)), **keywords)


def keys(found: Explained) -> list[str]:
    return [limit.key for one in found.clashes for limit in one.clash.limits]


def repair(found: Explained, key: str) -> Repair:
    return next(r for one in found.clashes for r in one.repairs if r.limit.key == key)


# --- by hand --------------------------------------------------------------------------------


def test_works_of_5_musd_against_a_budget_of_4(tmp_path: Path) -> None:
    """One hall of 2 MW costs 2,500 $/kW, and what is signed needs it."""
    found = told(put(signed(2.0), {"finance.capex_budget_musd": 4.0}), tmp_path)
    assert found.status == "infeasible"
    assert keys(found) == ["finance.capex_budget_musd", "commitments.contracts.0.mw"]
    assert found.complete
    assert found.clashes[0].clash.minimal
    assert not found.clashes[0].clash.whole_only
    budget = repair(found, "finance.capex_budget_musd")
    assert budget.found == "verified"
    assert budget.changes == {"finance.capex_budget_musd": 5.0}
    assert budget.least == pytest.approx(1.0)
    assert budget.cheapest
    assert budget.by == "1 M$ more"
    mw = repair(found, "commitments.contracts.0.mw")
    assert (mw.found, mw.then, mw.changes) == (
        "verified", "not signed", {"commitments.contracts.0": None},
    )  # fmt: skip
    assert sentence(found.clashes[0].clash) == (
        "4 M$ of capex in all and 2 MW signed with lease cannot both hold, all else freed as far "
        "as was tried; each can without the "
        "other."
    )


def test_two_halls_for_a_little_more_than_one(tmp_path: Path) -> None:
    """2.2 MW take 5.5 M$ of divisible halls, and 10 M$ of two whole ones: 8 M$ lie between."""
    found = told(put(signed(2.2), {"finance.capex_budget_musd": 8.0}), tmp_path)
    assert found.clashes[0].clash.whole_only
    assert "Were racks and halls divisible, there would be a plan." in sentence(
        found.clashes[0].clash
    )
    assert repair(found, "finance.capex_budget_musd").changes == {
        "finance.capex_budget_musd": 10.0
    }
    # With two tenths of a MW less, one hall is enough.
    mw = repair(found, "commitments.contracts.0.mw")
    assert mw.changes == {"commitments.contracts.0.mw": 2.0}
    assert mw.by == "0.2 MW less"


def test_firm_mw_and_their_repairs(tmp_path: Path) -> None:
    """2 MW at a PUE of 1.3 take 2.6 MW firm; 1.95 MW carry 1.5 MW."""
    found = told(put(signed(2.0), {"sites.a.firm_mw": 1.95}), tmp_path)
    assert keys(found) == ["sites.a.firm_mw", "commitments.contracts.0.mw"]
    assert repair(found, "sites.a.firm_mw").changes == {"sites.a.firm_mw": 2.6}
    assert repair(found, "commitments.contracts.0.mw").changes == {
        "commitments.contracts.0.mw": 1.5
    }


def test_firm_mw_by_date_rise_alike(tmp_path: Path) -> None:
    steps = [{"from": "2029-01", "value": 1.0}, {"from": "2031-01", "value": 2.0}]
    found = told(put(signed(2.0), {"sites.a.firm_mw": steps}), tmp_path)
    mended = repair(found, "sites.a.firm_mw").changes["sites.a.firm_mw"]
    assert [step["value"] for step in mended] == [2.6, 3.6]


def test_a_date_moves_to_the_next_period(tmp_path: Path) -> None:
    """Works of a year begin with the horizon, and the contract with it, too."""
    found = told(put(signed(1.0), {"contracts.lease.start": "2029-01"}), tmp_path)
    assert [problem.key for problem in found.impossible] == ["contracts.lease.start"]
    start = repair(found, "contracts.lease.start")
    assert start.changes == {"contracts.lease.start": "2030-01"}
    assert start.by == "12 months later"


def shares_and_mw(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """by_hand with 5 MW of AI signed and 95 % of the MW in use for mining."""
    folder = by_hand(tmp_path / "shares", *changes)
    with (folder / "instance.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[policy]\nmining_share_min = 0.95\nshares_from = "2030-01"\n\n'
            '[[commitments.contracts]]\ncontract = "tenant"\nmw = 5.0\n'
        )
    return folder


def test_what_holds_from_a_month_on_lets_off_a_period_by_the_next_month(tmp_path: Path) -> None:
    found = explain(opened(shares_and_mw(tmp_path)))
    mended = repair(found, "policy.shares_from")
    assert (mended.then, mended.by, mended.cheapest) == ("2030-02", "1 month later", True)


def test_halls_for_the_mining_that_shares_ask_for_are_tried(tmp_path: Path) -> None:
    found = explain(opened(shares_and_mw(tmp_path)))
    assert "halls.barn.count" in keys(found)
    more = [("count = 2", "count = 12"), ("firm_mw = 12", "firm_mw = 200"),
            ("capex_budget_musd = 15", "capex_budget_musd = 1500"),
            ("opening_cash_musd = 12", "opening_cash_musd = 1500")]  # fmt: skip
    assert explain(opened(shares_and_mw(tmp_path / "more", *more))).status == "feasible"


def test_money_is_asked_about_before_dates_and_choices(tmp_path: Path) -> None:
    said: list[str] = []
    found = explain(opened(shares_and_mw(tmp_path)), tell=said.append)
    asked = [words.split()[3] for words in said if words.startswith("what change of")]
    (clash,) = (one.clash for one in found.clashes)
    assert sorted(asked) == sorted(limit.key for limit in clash.limits)
    amounts = [limit.key for limit in clash.limits if limit.way == "amount"]
    assert set(asked[: len(amounts)]) == set(amounts)
    assert [one.limit for one in found.clashes[0].repairs] == list(clash.limits)


def test_least_mw_give_way_with_the_mw_signed(tmp_path: Path) -> None:
    typed = put(signed(2.0), {"sites.a.firm_mw": 1.3, "contracts.lease.min_mw": 1.5})
    mw = repair(told(typed, tmp_path), "commitments.contracts.0.mw")
    assert mw.changes == {"commitments.contracts.0.mw": 1.0, "contracts.lease.min_mw": 1.0}


def test_a_promise_and_a_package_name_each_other(tmp_path: Path) -> None:
    found = told(put(signed(1.0), {"contracts.lease.availability": 0.9999}), tmp_path)
    assert keys(found) == [
        "uptime.packages.n1.availability", "contracts.lease.availability",
        "commitments.contracts.0.mw",
    ]  # fmt: skip
    assert repair(found, "contracts.lease.availability").edits == {
        ("contracts", "lease", "availability"): 0.999
    }
    assert repair(found, "uptime.packages.n1.availability").then == "99.99 %"


def test_two_clashes_that_have_nothing_in_common(tmp_path: Path) -> None:
    typed = put(owed(signed(1.0), 5.0), {
        "sites.a.firm_mw": 0.5, "finance.capex_budget_by_period": [
            {"from": "2030-01", "to": "2030-12", "musd": 2.0}]})  # fmt: skip
    found = told(typed, tmp_path)
    assert len(found.clashes) == 2
    assert found.complete
    assert {"sites.a.firm_mw", "finance.capex_budget_by_period.0.musd"} <= set(keys(found))
    assert len(found.together) == 2
    both: dict[Any, Any] = {}
    for way in found.together:
        both |= way.edits
    assert told(edited(typed, both), tmp_path / "mended").status == "feasible"


def test_clashes_with_a_limit_in_common_say_what_is_not_enough(tmp_path: Path) -> None:
    """Neither money nor a hall that may be converted is enough alone."""
    typed = put(signed(1.0), {"finance.capex_budget_musd": 4.0, "halls.h.convertible": False})
    found = told(typed, tmp_path)
    assert repair(found, "commitments.contracts.0.mw").found == "verified"
    others = [r for r in found.clashes[0].repairs if r.limit.key != "commitments.contracts.0.mw"]
    assert [r.found for r in others] == ["not-alone"]


def test_a_pinned_line_is_a_limit(tmp_path: Path) -> None:
    """Two halls are pinned to AI, and there is money for one."""
    typed = put(COMPANY, {"finance.capex_budget_musd": 6.0, "policy.pin": "pinned.csv"})
    home = folder(tmp_path, typed)
    (home / "pinned.csv").write_text(
        "action,month,subject,from,to,amount\n"
        "convert,2029-01,ai+n1,h:mine,h:ai+n1,2\n",
        encoding="utf-8",
    )  # fmt: skip
    found = explain(opened(home))
    assert keys(found) == ["finance.capex_budget_musd", "policy.pin, line 2"]
    line = repair(found, "policy.pin, line 2")
    assert (line.found, line.then, line.by) == ("verified", "1", "1 less")
    assert repair(found, "finance.capex_budget_musd").changes == {
        "finance.capex_budget_musd": 10.0
    }


def test_a_site_that_is_kept(tmp_path: Path) -> None:
    found = told(put(signed(1.0), {"policy.keep_sites": ["a"]}), tmp_path)
    assert "policy.keep_sites.a" in keys(found)
    kept = repair(found, "policy.keep_sites.a")
    assert (kept.found, kept.edits) == ("verified", {("policy", "keep_sites", 0): REMOVED})


def test_an_instance_with_a_plan_has_nothing_in_its_way(tmp_path: Path) -> None:
    found = told(signed(1.0), tmp_path)
    assert (found.status, found.clashes, found.questions) == ("feasible", (), 1)


def test_figures_that_no_limit_can_mend_are_told(tmp_path: Path) -> None:
    """400 M$ a year of overhead, more than all cash that may be typed, leave no plan."""
    typed = merged(COMPANY, {"finance": {"overhead_musd_per_year": 900.0}})
    typed["finance"]["opening_cash_musd"] = 50_000.0
    typed["horizon"]["periods"] = 3
    typed["finance"]["overhead_musd_per_year"] = 900.0
    typed["commitments"] = {
        "debt": [{"name": "d", "month": "2029-01", "interest_musd": 4999.0}] * 11
    }
    found = told(typed, tmp_path)
    assert found.status == "infeasible"
    assert found.clashes[0].clash.limits == ()
    assert not found.complete
    assert sentence(found.clashes[0].clash) == (
        "No plan exists even with every limit that was typed lifted."
    )
    assert {give.limit for give in found.beyond_limits} & {
        "capital.cash_floor", "capital.cash_after_capex"
    }  # fmt: skip


# --- limits that cost something when freed --------------------------------------------------


def test_firm_mw_that_are_billed_bring_no_second_clash(tmp_path: Path) -> None:
    """5,000 MW at 60,000 $ a year each take all cash: with 2.6 MW typed there is a plan."""
    billed = {"power": {"a": {"demand_charge_usd_per_kw_month": 5, "billing_floor_share": 1.0}}}
    typed = put(merged(signed(2.0), billed), {"sites.a.firm_mw": 1.95})
    found = told(typed, tmp_path)
    assert [limit.key for one in found.clashes for limit in one.clash.limits] == [
        "sites.a.firm_mw", "commitments.contracts.0.mw",
    ]  # fmt: skip
    assert found.complete
    assert repair(found, "sites.a.firm_mw").changes == {"sites.a.firm_mw": 2.6}
    assert told(put(typed, {"sites.a.firm_mw": 2.6}), tmp_path / "mended").status == "feasible"


def test_cash_for_mw_that_nobody_asked_for_is_no_clash(tmp_path: Path) -> None:
    """Cash is short with 5,000 MW billed, and not with the MW that were typed."""
    billed = {"power": {"a": {"demand_charge_usd_per_kw_month": 5, "billing_floor_share": 1.0}}}
    read = opened(folder(tmp_path, put(merged(signed(2.0), billed), {"sites.a.firm_mw": 1.95})))
    limits = limits_of(read.reading.document, read.loaded.instance)
    [cash] = [one for one in limits if one.key == "finance.opening_cash_musd"]
    asked = Questions(read, Options())
    assert asked.verdict(freed(one for one in limits if one is not cash)) == "infeasible"
    assert not Filter(asked, limits)._stuck([cash])


def test_halls_that_owe_upkeep_bring_no_second_clash(tmp_path: Path) -> None:
    """Enough halls for every contract cost more than there is; two do not."""
    upkeep = {"opex_usd_per_kw_year": 400.0}
    typed = merged(signed(2.9), {
        "racks": {"rig": {"buyable": False}}, "fitouts": {"mine": upkeep, "ai": upkeep},
    })  # fmt: skip
    typed = put(typed, {"fleet": [], "finance.opening_cash_musd": 14.0, "halls.h.count": 1})
    found = told(typed, tmp_path)
    assert len(found.clashes) == 1
    assert found.complete
    assert "halls.h.count" in keys(found)
    assert "finance.opening_cash_musd" not in keys(found)


def test_halls_that_were_not_tried_are_not_ruled_out(tmp_path: Path) -> None:
    """Five halls carry what one does not, which is more than twice as many and two."""
    typed = put(signed(9.0), {
        "halls.h.count": 1, "sites.a.firm_mw": 40.0, "contracts.lease.max_mw": 20.0,
    })  # fmt: skip
    found = told(typed, tmp_path)
    assert keys(found) == ["halls.h.count", "commitments.contracts.0.mw"]
    assert repair(found, "halls.h.count").changes == {"halls.h.count": 5}
    assert "whatever is decided" not in sentence(found.clashes[0].clash)


def test_a_limit_alone_is_told_as_far_as_was_tried() -> None:
    typed = signed(1.0)
    [mw] = [one for one in limits_of(typed, Instance.model_validate(typed))
            if one.key == "commitments.contracts.0.mw"]  # fmt: skip
    assert sentence(Clash((mw,), minimal=True)) == (
        "1 MW signed with lease: with that there is no plan, with every other limit freed as far "
        "as was tried."
    )


def test_densities_are_tried_one_by_one(tmp_path: Path) -> None:
    """Racks of 80 kW are enough; of 20 or 10 kW too many would stand in a hall."""
    light = {f"ai{kw}": {**COMPANY["fitouts"]["ai"], "kw_per_rack_max": float(kw)}
             for kw in (20, 10)}  # fmt: skip
    typed = merged(signed(1.0, kw_per_rack=100.0), {
        "fitouts": {"ai": {"kw_per_rack_max": 80.0}, **light},
    })  # fmt: skip
    density = repair(told(typed, tmp_path), "contracts.lease.kw_per_rack")
    assert (density.found, density.edits) == (
        "verified", {("contracts", "lease", "kw_per_rack"): 80.0},
    )  # fmt: skip


def test_a_change_that_was_not_settled_is_not_out_of_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Solves that end without an answer rule no figure out, nor does a date left open."""
    typed = put(signed(2.0), {"sites.a.firm_mw": 1.95, "contracts.lease.start": "2030-01"})
    read = opened(folder(tmp_path, typed))
    limits = {one.key: one for one in limits_of(read.reading.document, read.loaded.instance)}
    asked = Questions(read, Options())
    firm, start = limits["sites.a.firm_mw"], limits["contracts.lease.start"]
    assert asked.verdict(firm.free) == "feasible"
    monkeypatch.setattr(Questions, "_verdict", lambda *_: "undecided")
    monkeypatch.setattr(Questions, "_solved", lambda *_: Solved("no-plan"))
    assert Mender(asked).repair(firm).found == "undecided"
    assert Mender(asked).repair(start).found == "undecided"


def test_an_amount_without_a_bound_is_not_proved(tmp_path: Path) -> None:
    """What is found of an amount is enough, and nothing is known of less."""

    class Unbounded(Budget):
        """Pays for runs that end before anything is proved."""

        def run(self, *given: Any, **more: Any) -> Any:
            return replace(super().run(*given, **more), bound=None)

    asked = Questions(opened(folder(tmp_path, signed(2.0))), Options())
    posed = [asked.posed({("sites", "a", "firm_mw"): mw}) for mw in (1.95, 2.0, 2.05)]
    typed, once, twice = (one for one in posed if one is not None)
    given: dict[str, Any] = {"whole": False, "options": Options(gap=1e-6), "stop": asked.stop}
    proved = least_amount(typed, (once, twice), 0.05, budget=Budget(), **given)
    assert proved is not None
    assert proved.proved
    open_ = least_amount(typed, (once, twice), 0.05, budget=Unbounded(), **given)
    assert open_ is not None
    assert open_.amount == pytest.approx(0.65)
    assert not open_.proved


def test_what_is_divisible_is_told_of_each_clash_with_the_others_freed(tmp_path: Path) -> None:
    """Debt and halls: the halls clash only as they are whole, whatever the debt does."""
    typed = put(signed(2.2), {
        "finance.capex_budget_musd": 8.0,
        "commitments.debt": [{"name": "note", "month": "2030-03", "principal_musd": 900.0}],
    })  # fmt: skip
    found = told(typed, tmp_path)
    assert len(found.clashes) == 2
    of = {limit.key: one.clash.whole_only for one in found.clashes for limit in one.clash.limits}
    assert of["finance.capex_budget_musd"] is True
    assert of["commitments.debt.0.principal_musd"] is False


def test_nothing_is_said_where_it_is_not_known_what_is_divisible() -> None:
    typed = signed(1.0)
    limits = limits_of(typed, Instance.model_validate(typed))[:2]
    assert "divisible" not in sentence(Clash(limits, minimal=True, whole_only=None))
    assert "divisible" in sentence(Clash(limits, minimal=True, whole_only=True))


def test_rounded_figures_are_told_with_the_exact_least(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = folder(tmp_path / "mine", put(signed(1.9), {"sites.a.firm_mw": 1.234}))
    assert main(["explain", str(home), "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert "Figures are rounded outwards to what one would type" in shown
    [row] = [line for line in shown.splitlines() if " 2.5 MW" in line]
    assert "1.236" in row
    assert max(map(len, shown.splitlines())) <= 100


def test_why_a_change_is_not_enough_is_told_plainly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = put(signed(1.0), {"finance.capex_budget_musd": 4.0, "halls.h.convertible": False})
    assert main(["explain", str(folder(tmp_path / "mine", typed)), "--quiet"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "goes without it" not in shown
    assert "not enough by itself" in shown


# --- stops ----------------------------------------------------------------------------------


def test_a_stop_leaves_it_open(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert told(put(signed(2.0), {"sites.a.firm_mw": 1.0}), tmp_path, stop=stop).status == (
        "undecided"
    )


def test_a_stop_in_the_midst_claims_nothing(tmp_path: Path) -> None:
    """Whatever was not asked any more is told as open."""
    stop = threading.Event()

    def heard(words: str) -> None:
        if words.startswith("which limits"):
            stop.set()

    typed = put(signed(2.0), {"sites.a.firm_mw": 1.0})
    found = told(typed, tmp_path, stop=stop, tell=heard)
    assert found.status == "infeasible"
    assert not found.complete
    assert all(r.found != "verified" for one in found.clashes for r in one.repairs)
    assert not any(one.clash.minimal for one in found.clashes)


def test_no_time_is_told_as_undecided(tmp_path: Path) -> None:
    options = Options(time_limit=0.0)
    assert told(signed(1.0), tmp_path, options=options).status == "undecided"


# --- limits and figures ---------------------------------------------------------------------


def test_every_kind_of_limit_is_a_key_of_the_format() -> None:
    """A pattern that names nothing in a full document would never be looked at."""
    document = _full()
    for kind in KINDS:
        found, miss = find(document, kind.pattern)
        assert found, (kind.pattern, miss)


def _full() -> Typed:
    """A document that has an entry wherever a pattern looks for one."""
    return merged(signed(1.0), {
        "gpu_cloud": {"gpu": {"price_usd_per_gpu_hour": 1.0, "utilisation_share": 0.5}},
        "projects": {"line": LINE},
        "commitments": {
            "racks": [{}], "works": [{}], "debt": [{}],
            "contracts": [{"contract": "lease", "mw": 1.0}],
        },
        "finance": {"capex_budget_by_site_musd": {"a": 1.0},
                    "capex_budget_by_period": [{"from": "2029-01", "musd": 1.0}]},
        "uptime": {"subsystems": {"cool": {}}},
    })  # fmt: skip


def test_what_holds_nobody_back_is_no_limit(tmp_path: Path) -> None:
    read = opened(folder(tmp_path, put(signed(1.0), {"policy.reuse_halls": True})))
    limits = limits_of(read.reading.document, read.loaded.instance)
    assert "policy.reuse_halls" not in {limit.key for limit in limits}
    assert "sites.a.firm_mw" in {limit.key for limit in limits}


@pytest.mark.parametrize(
    ("held", "amount", "step", "then"),
    [(20.0, 3.1416, 0.1, 23.2), (20.0, 123.0, 10.0, 150.0), (1.95, 0.65, 0.01, 2.6),
     (4.0, 1.0, 0.1, 5.0), (0.0, 0.0421, 0.001, 0.043)],
)  # fmt: skip
def test_figures_are_rounded_outwards(
    tmp_path: Path, held: float, amount: float, step: float, then: float
) -> None:
    read = opened(folder(tmp_path, put(signed(0.5), {"sites.a.ai_mw_max": held})))
    limit = next(
        x for x in limits_of(read.reading.document, read.loaded.instance)
        if x.key == "sites.a.ai_mw_max"
    )  # fmt: skip
    assert step_of(limit, amount) == pytest.approx(step)
    figures = Figures(read.reading.document, limit, step_of(limit, amount))
    place = figures.beyond(amount)
    assert figures.at(place) == {limit.parts: pytest.approx(then)}
    assert place == 0 or (figures.at(place - 1) or {})[limit.parts] < held + amount
    assert typed_text(limit, then).endswith(" MW")


def test_bad_input_stays_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        told(put(signed(1.0), {"sites.a.firm_mww": 1.0}), tmp_path)


# --- figures that move no limit in a straight line ---------------------------------------------


def test_a_share_of_capex_is_halved_down_to_what_the_loan_has_to_pay(tmp_path: Path) -> None:
    """A share is no limit of a row but a coefficient: 3.7 of 5 M$ are 74 % of them."""
    lent = merged(signed(2.0), {"finance": LENT})
    short = put(lent, {"finance.loan.limit_musd": 1.0})
    limit = repair(told(short, tmp_path / "limit"), "finance.loan.limit_musd")
    assert limit.changes == {"finance.loan.limit_musd": pytest.approx(3.7)}
    assert limit.least == pytest.approx(2.7)
    little = put(lent, {"finance.loan.loan_to_cost_share": 0.2})
    share = repair(told(little, tmp_path / "share"), "finance.loan.loan_to_cost_share")
    assert share.changes == {"finance.loan.loan_to_cost_share": pytest.approx(3.7 / 5.0)}
    assert (share.step, share.least, share.cheapest) == (0.01, None, True)
    for nearer, enough in ((0.74, True), (0.73, False)):
        assert has_plan(put(little, {"finance.loan.loan_to_cost_share": nearer})) is enough


@pytest.mark.parametrize(
    ("relaxes", "left_open", "cheapest"),
    [(True, 0, True), (False, 0, False), (True, 6, False), (True, 5, True)],
)
def test_halving_claims_no_more_than_it_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relaxes: bool, left_open: int, cheapest: bool
) -> None:
    """Three halls are enough, four to six are not, seven are: found are seven.

    Where more halls make no plan worse, six alone rule fewer out. Where they may, three have to
    be asked too.
    """
    read = opened(folder(tmp_path, put(signed(9.0), {
        "halls.h.count": 1, "sites.a.firm_mw": 40.0, "contracts.lease.max_mw": 20.0,
    })))  # fmt: skip
    limits = limits_of(read.reading.document, read.loaded.instance)
    limit = replace(next(x for x in limits if x.key == "halls.h.count"), relaxes=relaxes)
    mender = Mender(Questions(read, Options()))

    def verdict(edits: Any) -> str:
        count = edits[limit.parts]
        if count == left_open:
            return "undecided"
        return "feasible" if count == 3 or count >= 7 else "infeasible"

    found: dict[str, Any] = {}

    def typed(figures: Figures, at: int, was: str, *, cheapest: bool) -> None:
        found.update(edits=figures.at(at), cheapest=cheapest)

    monkeypatch.setattr(mender, "_verdict", verdict)
    monkeypatch.setattr(mender, "_doubled", lambda _: 8.0)
    monkeypatch.setattr(mender, "_from", typed)
    mender._halved(limit, "1 hall")
    assert found == {"edits": {limit.parts: 7}, "cheapest": cheapest}


def _firm_mw(asked: Questions, *mw: float) -> list[Any]:
    posed = [asked.posed({("sites", "a", "firm_mw"): value}) for value in mw]
    assert None not in posed
    return posed


@pytest.mark.parametrize("twice", [2.1, 2.0, 1.95])
def test_a_figure_that_bends_gets_no_least_amount_by_a_program(
    tmp_path: Path, twice: float
) -> None:
    """Twice the amount does not do twice as much: what a unit does is then not known."""
    asked = Questions(opened(folder(tmp_path, signed(2.0))), Options())
    typed, once, bent, straight = _firm_mw(asked, 1.95, 2.0, twice, 2.05)
    given: dict[str, Any] = {"whole": False, "options": Options(gap=1e-6), "budget": Budget(),
                             "stop": asked.stop}  # fmt: skip
    assert least_amount(typed, (once, bent), 0.05, **given) is None
    found = least_amount(typed, (once, straight), 0.05, **given)
    assert found is not None
    assert found.amount == pytest.approx(0.65)


# --- planted --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(6))
def test_a_planted_conflict_is_told_and_mended(number: int, tmp_path: Path) -> None:
    chance = random.Random(f"suite {number}")
    if number < 4:
        candidates = [p for p in one_company(chance) if p.width == 1 + number % 2]
        chance.shuffle(candidates)
    else:
        candidates = list(by_sites(number - 2, 12, number))
    one = next(p for p in candidates if is_sound(p))
    judged = judge(replace(one, whole_only=has_divided_plan(one.typed)), tmp_path)
    assert not judged.faults, (one.name, one.tight)
    assert judged.minimal
    assert judged.repairs


@pytest.mark.parametrize("number", range(3))
def test_a_planted_conflict_of_limits_that_cost_something(number: int, tmp_path: Path) -> None:
    one = list(costly(random.Random("suite")))[number]
    assert is_sound(one), one.name
    judged = judge(replace(one, whole_only=has_divided_plan(one.typed)), tmp_path)
    assert not judged.faults, (one.name, one.tight)
    assert judged.minimal
    assert judged.repairs


@pytest.mark.soak
def test_planted_conflicts_of_all_families(tmp_path: Path) -> None:
    found = [judge(one, tmp_path / str(i)) for i, one in enumerate(planted(CONFLICTS))]
    widths = Counter(one.width for one in found)
    minimal = sum(one.minimal for one in found)
    ratios = sorted(one.ratio for one in found)
    print(  # noqa: T201
        f"\n{len(found)} conflicts, by width {dict(sorted(widths.items()))}, "
        f"{sum(one.whole_only for one in found)} of whole numbers only; "
        f"true cause and repairs without fault in {sum(not one.faults for one in found)}; "
        f"set minimal in {minimal}; {sum(one.repairs for one in found)} repairs applied, "
        f"{sum(one.figures for one in found)} nearer figures tried; time against one solve: "
        f"median {statistics.median(ratios):.1f}, most {ratios[-1]:.1f}"
    )
    assert [one for one in found if one.faults] == []
    assert minimal >= 0.95 * len(found)
    assert set(widths) == {1, 2, 3}
    assert any(one.whole_only for one in found)


# --- the command ----------------------------------------------------------------------------


def test_the_command_explains_and_ends_with_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = folder(tmp_path / "mine", put(signed(2.0), {"finance.capex_budget_musd": 4.0}))
    assert main(["explain", str(home), "--quiet"]) == 0
    shown, said = capsys.readouterr()
    assert "4 M$ of capex in all and 2 MW signed with lease cannot both hold" in shown
    assert "1 M$ more" in shown
    assert max(map(len, shown.splitlines())) <= 100
    line = (home / "instance.toml").read_text().splitlines().index("capex_budget_musd = 4.0") + 1
    assert f"line {line}" in shown
    assert said == ""


def test_the_command_writes_files_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = folder(tmp_path / "mine", put(signed(2.0), {"finance.capex_budget_musd": 4.0}))
    out = tmp_path / "why"
    assert main(["explain", str(home), "--json", "--out", str(out)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "infeasible"
    assert answer["out"] == str(out)
    (clash,) = answer["clashes"]
    assert clash["minimal"]
    assert [row["verified"] for row in clash["repairs"]] == [True, True]
    assert json.loads((out / "explain.json").read_text())["sentences"] == answer["sentences"]
    with (out / "repairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["to"] for row in rows] == ["5 M$", "not signed"]
    assert {path.name for path in out.iterdir()} == {
        "manifest.json", "explain.json", "clash.csv", "clash.parquet", "repairs.csv",
        "repairs.parquet",
    }  # fmt: skip
    before = {p.name: p.read_bytes() for p in out.iterdir() if p.name != "manifest.json"}
    assert main(["explain", str(home), "--quiet", "--out", str(out)]) == 2
    assert main(["explain", str(home), "--quiet", "--out", str(out), "--overwrite"]) == 0
    assert before == {p.name: p.read_bytes() for p in out.iterdir() if p.name != "manifest.json"}


def test_the_command_explains_the_plan_where_nothing_is_in_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An instance is explained as it stands, and so is its run after it was edited."""
    home = folder(tmp_path / "mine", signed(1.0))
    out, run, again = tmp_path / "why", tmp_path / "run", tmp_path / "again"
    assert main(["explain", str(home), "--quiet", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "What binds, and what one more is worth" in said
    assert (out / "actions.csv").exists()
    assert main(["solve", str(home), "--quiet", "--out", str(run)]) == 0
    (home / "instance.toml").unlink()
    capsys.readouterr()
    assert main(["explain", str(run), "--quiet", "--out", str(again)]) == 0
    assert capsys.readouterr().out == said


def test_the_command_ends_with_ten_where_it_is_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = folder(tmp_path / "mine", signed(1.0))
    assert main(["explain", str(home), "--json", "--time-limit", "0"]) == 10
    assert json.loads(capsys.readouterr().out)["status"] == "undecided"


def test_the_command_refuses_bad_input_with_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = folder(tmp_path / "mine", put(signed(1.0), {"contracts.lease.min_mw": 9.0}))
    assert main(["explain", str(home), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["status"] == "refused"


def test_an_instance_that_check_refuses_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the data alone show is told first, with its line, and its repairs after."""
    typed = put(owed(COMPANY, 5.0), {"finance.capex_budget_musd": 2.0})
    home = folder(tmp_path / "mine", typed)
    assert main(["check", str(home), "--quiet"]) == 3
    capsys.readouterr()
    assert main(["explain", str(home), "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert "what is already owed is more than this capex budget" in " ".join(shown.split())
    assert "3 M$ more" in shown


def test_a_month_from_which_shares_hold_is_freed_beyond_the_horizon() -> None:
    """Left out, it would hold from the first period on, which is tighter."""
    typed = put(signed(1.0), {"policy.ai_share_min": 0.2, "policy.shares_from": "2030-01"})
    instance = Instance.model_validate(typed)
    [limit] = [one for one in limits_of(typed, instance) if one.key == "policy.shares_from"]
    end = month_index(instance.horizon.start)
    end += instance.horizon.periods * instance.horizon.months_per_period
    assert limit.free == {("policy", "shares_from"): month_text(end)}


def test_how_many_clash_is_told_in_words() -> None:
    typed = signed(1.0)
    limits = limits_of(typed, Instance.model_validate(typed))
    assert sentence(Clash(limits[:2], minimal=True)).endswith(
        "cannot both hold, all else freed as far as was tried; each can without the other."
    )
    assert sentence(Clash(limits[:3], minimal=True)).endswith(
        "cannot all hold, all else freed as far as was tried; without any one of them the others "
        "can."
    )
    assert "was not settled" in sentence(Clash(limits[:2], minimal=False))


def test_rounding_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = put(owed(signed(1.0), 5.0), {
        "sites.a.firm_mw": 0.5, "finance.capex_budget_by_period": [
            {"from": "2030-01", "to": "2030-12", "musd": 2.0}]})  # fmt: skip
    assert main(["explain", str(folder(tmp_path / "mine", typed)), "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("Clash ") == 2
    assert shown.count("rounded outwards") == 1
    assert "Tried together, and enough" in shown
