"""Strategies side by side, and the prices at which the answer turns, against brute force."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from models.build import Column
from models.context import Context
from optimizer.answers.verdict import columns as columns_module
from optimizer.answers.verdict import switching
from optimizer.answers.verdict.answers import Answer
from optimizer.answers.verdict.claims import Told, _step, _turn, claims_page
from optimizer.answers.verdict.columns import (
    Apart,
    Mixing,
    Posed,
    Stood,
    as_is,
    better_pure,
    columns_of,
    figures_in,
    flexibility,
    mixing,
)
from optimizer.answers.verdict.happened import replayed, says
from optimizer.answers.verdict.many import SIDES, Asked, Job, Looked, switches_of
from optimizer.answers.verdict.prices import BY_NAME, NAMES, Moved
from optimizer.answers.verdict.strategies import First, Name, ai_only, first_ai, halved
from optimizer.answers.verdict.switching import (
    GAP,
    At,
    Searcher,
    Side,
    Switch,
    _Search,
    _Unfinished,
    held,
    relative_width,
    widest_share,
    widest_step,
)
from optimizer.answers.verdict.told import (
    Verdict,
    sentence,
    side_by_side,
    step_words,
    turn_cells,
)
from optimizer.answers.verdict.written import as_json
from optimizer.case import prepare
from optimizer.cli import main
from optimizer.cli_verdict import PRICES
from optimizer.commands import verdict as command
from optimizer.compiled import compile_case
from optimizer.errors import InputRefused
from optimizer.highs import Budget, Options
from optimizer.kept import Kept
from optimizer.load import load
from optimizer.solve import solve
from optimizer.sweep.base import base_of
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.point.home import Home
from optimizer.sweep.point.opened import Opened
from optimizer.sweep.point.written import instance_files
from optimizer.sweep.points import Base, Point
from optimizer.write import write_json
from tests.optimizer.answers.anew import by_hand as anew_by_hand
from tests.optimizer.sweep.bases import INSTANCES, drawn
from tests.test_by_hand import BREAK_EVEN_RENT, GAIN, NOTHING, VALUE

BY_HAND = INSTANCES / "by_hand"
EXACT = Options(gap=1e-6, time_limit=60.0)
#: A tenant's year in the second year, and an entry into AI a year from now, in today's money.
YEAR = Fraction(100, 121)

#: A second site, whose halls cost less to mine in and may serve another tenant.
BROOK = """
[sites.brook]
firm_mw = 6
staff_musd_per_year = 0.3
power = "creek"

[halls.shed]
site = "brook"
count = 1
it_mw = 5
fitout = "mine"

[[fleet]]
hall = "shed"
rack = "lot"
racks = 4
age_months = 24
"""

#: Old machines that pay at no price of power of 40 $/MWh but a high hashprice, and new ones that
#: need a hydro hall of a third of the MW.
HYDRO = """
[instance]
name = "hydro"

[horizon]
start = "2029-01"
periods = 4
months_per_period = 12

[finance]
discount_per_year = 0.1
opening_cash_musd = 500
minimum_cash_musd = 0
overhead_musd_per_year = 0.1
hosts_ai_already = true
split_cost_company_musd_per_year = 0

[bitcoin]
hashprice_usd_per_ph_day = 27
pool_fee_share = 0

[machines.old]
th_per_s = 100
j_per_th = 40
price_usd_per_th = 10
cooling = "air"
life_months = 60
resale_usd_per_th = 0

[machines.new]
th_per_s = 200
j_per_th = 15
price_usd_per_th = 19.5
cooling = "hydro"
life_months = 60
resale_usd_per_th = 0

[racks.old]
workload = "mining"
machine = "old"
machines_per_rack = 250

[racks.new]
workload = "mining"
machine = "new"
machines_per_rack = 333

[fitouts.air]
workload = "mining"
cooling = "air"
it_share_of_present = 1
capex_usd_per_kw = 300
works_months = 12
pue = 1.05
pue_peak = 1.1
life_months = 120

[fitouts.hydro]
workload = "mining"
cooling = "hydro"
it_share_of_present = 0.3
capex_usd_per_kw = 300
works_months = 12
pue = 1.05
pue_peak = 1.1
life_months = 120

[sites.creek]
firm_mw = 20
staff_musd_per_year = 0.1
power = "creek"

[power.creek]
duration = "prices.csv"

[halls.barn]
site = "creek"
count = 1
it_mw = 10
fitout = "air"

[[fleet]]
hall = "barn"
rack = "old"
racks = 10
age_months = 0
"""


def base(folder: Path) -> Base:
    return replace(base_of(Sweep(Path(), folder, "v"), load(folder)), options=EXACT)


def posed(folder: Path) -> Posed:
    loaded = load(folder)
    return Posed(loaded, prepare(loaded.instance, loaded.hours), {}, None, EXACT, Budget(120.0))


def by_name(columns: tuple[Stood, ...]) -> dict[str, Stood]:
    return {one.name: one for one in columns}


@cache
def by_hand() -> dict[str, Stood]:
    return by_name(columns_of(posed(BY_HAND)))


@pytest.fixture
def two_sites(tmp_path: Path) -> Path:
    folder = tmp_path / "two"
    folder.mkdir()
    for name in ("instance.toml", "prices.csv"):
        (folder / name).write_bytes((BY_HAND / name).read_bytes())
    with (folder / "instance.toml").open("a") as toml:
        toml.write(BROOK)
    return folder


def variants(tmp_path: Path, number: int, seed: int = 3) -> list[Home]:
    """The case on paper with two or three of its figures drawn anew."""
    whole = base(BY_HAND)
    points = drawn(tmp_path, "by_hand", number, seed)
    return [Home(instance_files(whole, point, "drawn")) for point in points]


# --- strategies ----------------------------------------------------------------------------


def test_the_case_on_paper_side_by_side() -> None:
    columns = by_hand()
    assert columns["as-is"].value_musd == pytest.approx(float(NOTHING), abs=1e-9)
    assert columns["mining-only"].value_musd == pytest.approx(float(NOTHING), abs=1e-9)
    assert columns["optimum"].value_musd == pytest.approx(float(VALUE), abs=1e-9)
    # One hall of two: the best plan halves the site by itself.
    assert columns["half-of-each-site"].value_musd == pytest.approx(float(VALUE), abs=1e-9)
    assert columns["ai-only"].remark == "mining ends 2030-01"
    found = mixing(tuple(columns.values()))
    assert found.exact
    assert found.worth_musd == pytest.approx(float(GAIN), abs=1e-9)
    pure = better_pure(tuple(columns.values()))
    assert pure is not None
    assert pure.name == "mining-only"


def test_figures_of_a_column_are_those_of_its_plan() -> None:
    told = by_hand()["optimum"].figures
    assert told is not None
    assert (told.capex_musd, told.mining_mw, told.ai_mw) == pytest.approx((10.0, 10.0, 5.0))
    assert told.signed_mw == pytest.approx({"tenant": 5.0})
    assert (told.promised, told.reached) == (0.999, 0.9999)
    assert told.ai_mw_by_site == pytest.approx({"creek": 5.0})


def test_ai_alone_on_the_same_plant_is_the_best_plan_without_its_miners() -> None:
    asked = posed(BY_HAND)
    best = by_hand()["optimum"]
    apart = flexibility(asked, best)
    assert apart.from_month == "2030-01"
    assert best.plan is not None
    assert apart.worth_musd is not None
    case = asked.case
    alone = {
        (name, index): float(value) for name in ("signing", "signed_mw", "conversions")
        for index, value in getattr(best.plan, name).items()
    } | {("racks", (1, "barn:mine", "lot")): 0.0}  # fmt: skip
    fresh = solve(case, EXACT, pinned=alone)
    assert apart.alone_musd == pytest.approx(fresh.value_musd, abs=1e-6)
    assert apart.worth_musd == pytest.approx(float(VALUE) - (fresh.value_musd or 0.0), abs=1e-6)


def ai_halls(plan: Context, n: int, site: str) -> float:
    g = plan.given
    return sum(
        float(count) for (m, p), count in plan.halls.items()
        if m == n and g.workload_of[p] == "ai" and g.site_of[p] == site
    )  # fmt: skip


def halls_mw(plan: Context, n: int, site: str, use: str) -> float:
    """IT MW of today of a site's halls of one use."""
    g = plan.given
    return sum(
        g.half_mw[p] * float(count) for (m, p), count in plan.halls.items()
        if m == n and g.site_of[p] == site and g.workload_of[p] == use
    )  # fmt: skip


def mining_racks(plan: Context, n: int, site: str) -> float:
    g = plan.given
    return sum(
        float(count) for (m, p, _), count in plan.racks.items()
        if m == n and g.workload_of[p] == "mining" and g.site_of[p] == site
    )  # fmt: skip


def assert_strategies_are_kept(columns: dict[str, Stood]) -> int:
    """Each plan does what its strategy says, and the free optimum is worth no less."""
    best, plans = columns["optimum"].value_musd, 0
    for name, one in columns.items():
        if one.plan is None:
            assert one.reason
            continue
        plans += 1
        assert best is not None
        assert one.value_musd is not None
        assert best >= one.value_musd - 2 * GAP * max(1.0, abs(best)), name
        g, last = one.plan.given, one.plan.given.nodes[-1]
        if name in ("mining-only", "as-is"):
            assert not any(float(mw) > 1e-9 for mw in one.plan.signed_mw.values())
            assert all(ai_halls(one.plan, last, s) == 0 for s in g.sites)
        if name == "ai-only":
            assert all(mining_racks(one.plan, last, s) == 0 for s in g.sites)
        if name == "half-of-each-site":
            for s, largest in g.largest_half_mw.items():
                ai, mining = (halls_mw(one.plan, last, s, use) for use in ("ai", "mining"))
                assert abs(ai - mining) <= largest + 1e-9
                for n in g.nodes:
                    ai, mining = (halls_mw(one.plan, n, s, use) for use in ("ai", "mining"))
                    assert ai - mining <= largest + 1e-9
        if name == "half-of-the-sites":
            of_ai = [s for s in g.one_business_sites if ai_halls(one.plan, last, s) > 0]
            assert (
                len(g.one_business_sites) // 2 <= len(of_ai) <= -(-len(g.one_business_sites) // 2)
            )
            for n in g.nodes:
                of_ai = [s for s in g.one_business_sites if ai_halls(one.plan, n, s) > 0]
                assert all(mining_racks(one.plan, n, s) == 0 for s in of_ai)
    return plans


def test_no_strategy_beats_the_best_plan_nor_breaks_its_own_rule(tmp_path: Path) -> None:
    plans = 0
    for home in variants(tmp_path, 6):
        plans += assert_strategies_are_kept(by_name(columns_of(posed(home.path))))
    assert plans >= 24


def test_half_of_the_sites_is_the_best_choice_of_sites(two_sites: Path) -> None:
    asked = posed(two_sites)
    columns = by_name(columns_of(asked))
    assert_strategies_are_kept(columns)
    found = columns["half-of-the-sites"]
    case, last = asked.case, asked.case.given.nodes[-1]
    worth: dict[str, float] = {}
    for chosen, other, place in (("creek", "brook", "barn"), ("brook", "creek", "shed")):
        # Chosen: an AI hall and no miners at the end; the other site: no AI hall ever.
        g = case.given
        best = float("-inf")
        for halls in range(1, int(g.halls_most[place]) + 1):
            pins = {("racks", (last, f"{place}:mine", "lot")): 0.0,
                    ("halls", (last, f"{place}:ai+two-feeds")): float(halls)}  # fmt: skip
            pins |= {("halls", (n, p)): 0.0 for n in g.nodes for p in g.site_of
                     if g.site_of[p] == other and g.workload_of[p] == "ai"}  # fmt: skip
            alone = solve(case, EXACT, pinned=pins)
            best = max(best, alone.value_musd if alone.value_musd is not None else best)
        worth[chosen] = best
    assert found.value_musd == pytest.approx(max(worth.values()), abs=1e-5)
    assert worth["creek"] != pytest.approx(worth["brook"], abs=1e-3)


def with_ai_halls(folder: Path, count: int) -> Path:
    """The case on paper, with AI halls of 5 MW beside its two mining halls of 10 MW."""
    folder.mkdir()
    (folder / "prices.csv").write_bytes((BY_HAND / "prices.csv").read_bytes())
    den = f"""
        [halls.den]
        site = "creek"
        count = {count}
        it_mw = 5
        fitout = "ai"
        package = "two-feeds"
        """
    (folder / "instance.toml").write_text((BY_HAND / "instance.toml").read_text() + den)
    return folder


def test_halves_leave_alone_what_is_for_ai_already(tmp_path: Path) -> None:
    """Of AI halls of 5 MW seven are 15 MW more than what mines, two are 10 MW less.

    A hall of 10 MW may be missed by, and carrying on keeps to the policy in both. Converted, one
    of the two mining halls leaves 10 MW to mine: beside seven, 45 MW of AI are 35 more; beside
    three, 25 are 15 more; beside two, 20 are 10 more, which is as many as may be.
    """
    for count, apart, may in (
        (7, 15.0, "infeasible"),
        (3, 10.0, "infeasible"),
        (2, 10.0, "solved"),
    ):
        loaded = load(with_ai_halls(tmp_path / str(count), count))
        case = prepare(loaded.instance, loaded.hours)
        half = halved("half-of-each-site", loaded, case, {}).case
        assert dict(half.given.half_apart_mw) == {(0, "creek"): apart, (1, "creek"): apart}
        ways = (("conversions", index) for index in half.given.conversions_allowed)
        still: dict[Column, float] = dict.fromkeys(ways, 0.0)
        assert solve(half, EXACT, pinned=still).status == "solved"
        one = {**still, ("conversions", (0, "barn:mine", "barn:ai+two-feeds")): 1.0}
        assert solve(half, EXACT, pinned=one).status == may, count


def test_ai_is_reached_when_some_plan_serves_it_and_not_before() -> None:
    asked = posed(BY_HAND)
    model = compile_case(asked.case, {})
    assert first_ai(asked.case, model, Budget(30.0)) == First(node=1)
    offers = [("signing", index) for index in asked.case.given.signing_allowed]
    never = compile_case(asked.case, dict.fromkeys(offers, 0.0))
    assert first_ai(asked.case, never, Budget(30.0)) == First()


def test_what_cannot_be_says_why(tmp_path: Path) -> None:
    text = (BY_HAND / "instance.toml").read_text().replace("budget_musd = 15", "budget_musd = 9")
    (tmp_path / "instance.toml").write_text(text)
    (tmp_path / "prices.csv").write_bytes((BY_HAND / "prices.csv").read_bytes())
    columns = by_name(columns_of(posed(tmp_path)))
    assert columns["ai-only"].status == "infeasible"
    assert columns["ai-only"].reason == "no plan serves AI within the horizon"
    assert columns["half-of-each-site"].status == "infeasible"
    assert "capex budget (horizon): short by 1 M$" in columns["half-of-each-site"].reason
    assert columns["optimum"].value_musd == pytest.approx(float(NOTHING), abs=1e-9)


# --- switching prices ----------------------------------------------------------------------


def holds(switch: Switch | None, exactly: float) -> bool:
    """Whether a proved bracket holds a value."""
    assert switch is not None
    assert switch.status == "proved"
    assert switch.near is not None
    assert switch.far is not None
    return bool(min(switch.near, switch.far) < exactly < max(switch.near, switch.far))


def test_prices_on_paper_lie_in_their_brackets() -> None:
    searcher = Searcher(base(BY_HAND))
    entry = searcher.switch(BY_NAME["entry-cost"], "above", budget=Budget(60.0))
    assert holds(entry, float(1 + GAIN / YEAR))
    assert entry is not None
    assert entry.words == "tenant not signed; barn ai+two-feeds: 0 halls instead of 1"
    width = relative_width(entry)
    assert width is not None
    assert width <= 1e-3
    rent = searcher.switch(BY_NAME["ai-rate"], "below", budget=Budget(60.0))
    assert holds(rent, float(BREAK_EVEN_RENT / 280))
    assert rent is not None
    assert rent.figure_key == "contracts.tenant.rate_usd_per_kw_month"
    assert rent.far_figure is not None
    assert rent.near_figure is not None
    assert rent.far_figure < float(BREAK_EVEN_RENT) < rent.near_figure
    assert min(rent.near_margin_musd or 0, rent.far_margin_musd or 0) > GAP * float(VALUE)


def test_the_instance_itself_is_solved_once() -> None:
    asked = base(BY_HAND)
    both, alone = Searcher(asked), Searcher(asked)
    first = both.switch(BY_NAME["ai-rate"], "below", budget=Budget(60.0))
    before = both.solves
    second = both.switch(BY_NAME["entry-cost"], "above", budget=Budget(60.0))
    assert second == alone.switch(BY_NAME["entry-cost"], "above", budget=Budget(60.0))
    assert both.solves - before == alone.solves - 1
    assert first is not None
    assert second is not None
    unmoved = [next(one for one in s.tried if one.setting == s.base) for s in (first, second)]
    assert unmoved[0].value_musd == unmoved[1].value_musd == pytest.approx(float(VALUE), abs=1e-8)


def test_whole_months_are_moved_one_by_one() -> None:
    switch = Searcher(base(BY_HAND)).switch(BY_NAME["delay"], "above", budget=Budget(60.0))
    assert switch is not None
    assert (switch.status, switch.near, switch.far) == ("proved", 0.0, 1.0)


def test_an_answer_that_never_changes_says_how_far_it_holds() -> None:
    switch = Searcher(base(BY_HAND)).switch(BY_NAME["hashprice"], "below", budget=Budget(60.0))
    assert switch is not None
    assert (switch.status, switch.near, switch.far) == ("none", 0.2, None)
    assert all(one.same for one in switch.tried)


def test_two_answers_that_tie_are_called_undecided() -> None:
    searcher = Searcher(base(BY_HAND))
    # So narrow a bracket that its two sides differ by less than the gap.
    switch = searcher.switch(BY_NAME["entry-cost"], "above", budget=Budget(60.0), width=1e-9)
    assert switch is not None
    assert switch.status == "undecided"
    assert abs(switch.far_margin_musd or 0.0) <= GAP * float(VALUE)


def test_what_time_did_not_allow_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    searcher = Searcher(base(BY_HAND))
    nothing = searcher.switch(BY_NAME["ai-rate"], "below", budget=Budget(0.0))
    assert nothing is not None
    assert (nothing.status, nothing.near, nothing.far) == ("unfinished", 1.0, None)
    monkeypatch.setattr(switching, "MOST_SOLVES", 3)
    some = searcher.switch(BY_NAME["ai-rate"], "below", budget=Budget(60.0))
    assert some is not None
    assert (some.status, some.near, some.far) == ("unfinished", 0.92, None)
    # What was found by then is true, and so it is where no proof of another answer was left time.
    monkeypatch.setattr(switching, "MOST_SOLVES", 40)
    monkeypatch.setattr(_Search, "worth", lambda *_: (_ for _ in ()).throw(_Unfinished))
    some = searcher.switch(BY_NAME["ai-rate"], "below", budget=Budget(60.0))
    assert some is not None
    assert (some.status, some.near, some.far) == ("unfinished", 0.92, 0.84)
    assert 0.84 < float(BREAK_EVEN_RENT / 280) < 0.92


def test_settings_that_cannot_be_are_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the break-even, nothing within a tenth of a per cent of one figure can be typed."""
    searcher, hole = Searcher(base(BY_HAND)), 0.9
    changes = Moved.changes

    def with_hole(on: Moved, setting: float) -> Any:
        return None if abs(setting - hole) < 2e-3 else changes(on, setting)

    monkeypatch.setattr(Moved, "changes", with_hole)
    switch = searcher.switch(BY_NAME["ai-rate"], "below", budget=Budget(60.0))
    assert holds(switch, float(BREAK_EVEN_RENT / 280))
    # Where the change itself lies in the hole, the bracket is as wide as that.
    hole = float(BREAK_EVEN_RENT / 280)
    wide = searcher.switch(BY_NAME["ai-rate"], "below", budget=Budget(60.0))
    assert holds(wide, hole)
    assert wide is not None
    assert 4e-3 <= abs((wide.far or 0.0) - (wide.near or 0.0)) <= 2e-2


def test_a_price_that_an_instance_does_not_have_is_left_out(tmp_path: Path) -> None:
    text = (BY_HAND / "instance.toml").read_text()
    head = text.partition("[contracts.tenant]")[0]
    (tmp_path / "instance.toml").write_text(head)
    (tmp_path / "prices.csv").write_bytes((BY_HAND / "prices.csv").read_bytes())
    assert Searcher(base(tmp_path)).switch(BY_NAME["ai-rate"], "above") is None


def fresh_answer(opened: Opened, changes: Mapping[str, Any]) -> Answer | None:
    """The answer of an instance read, derived, compiled and solved without any short cut."""
    read = opened.whole(Point(0, {}, changes))
    solved = solve(prepare(read.instance, read.hours), Options(gap=0.0, absolute_gap=1e-9))
    return None if solved.plan is None else Answer.of(solved.plan)


def against_a_grid(
    searcher: Searcher, opened: Opened, name: str, side: Side, points: int
) -> tuple[Switch, int] | None:
    """Find a switching price, and look for another answer on a grid between it and the base.

    Returns
    -------
    Switch and int, or None
        The bracket and how many points of the grid it was held against; None without one.
    """
    switch = searcher.switch(BY_NAME[name], side, budget=Budget(300.0))
    on = searcher.moved(BY_NAME[name])
    if switch is None or on is None or switch.status != "proved":
        return None
    assert switch.near is not None
    assert switch.far is not None
    own = fresh_answer(opened, {})

    def answer_at(setting: float) -> Answer | None:
        changes = on.changes(setting)
        assert changes is not None
        return fresh_answer(opened, changes)

    steps = [switch.base + (switch.near - switch.base) * i / points for i in range(points + 1)]
    # An adder next to nought, for one, is refused as a slip of units.
    steps = [s for s in steps if on.changes(s) is not None]
    if on.price.whole:
        steps = [s for s in steps if s == round(s)]
    assert all(answer_at(setting) == own for setting in steps), f"{name} {side}: not the nearest"
    assert answer_at(switch.far) != own, f"{name} {side}: nothing changes"
    return switch, len(steps) + 1


def brackets(tmp_path: Path, cases: int, points: int, seed: int) -> Iterator[tuple[Switch, int]]:
    for home in variants(tmp_path, cases, seed):
        whole = base(home.path)
        searcher, opened = Searcher(whole), Opened(whole)
        for name in NAMES:
            for side in SIDES:
                found = against_a_grid(searcher, opened, name, side, points)
                if found is not None:
                    yield found


def test_brackets_hold_the_nearest_change_of_a_grid(tmp_path: Path) -> None:
    whole = base(BY_HAND)
    searcher, opened = Searcher(whole), Opened(whole)
    for name in ("ai-capex", "discount-rate"):
        found = against_a_grid(searcher, opened, name, "above", 5)
        assert found is not None
        switch, held = found
        assert held >= 6
        assert (relative_width(switch) or 1.0) <= 1.1e-3


@pytest.mark.soak
def test_fifty_switching_prices_against_a_fine_grid(tmp_path: Path) -> None:
    """At least fifty brackets, each against twenty points solved without any short cut."""
    found: list[Switch] = []
    held = 0
    for switch, points in brackets(tmp_path, 40, 20, seed=11):
        found.append(switch)
        held += points
        if len(found) >= 54:
            break
    moved = [switch for switch in found if not BY_NAME[switch.price].whole]
    widths = sorted(relative_width(switch) or 0.0 for switch in moved)
    margins = [m for s in found for m in (s.near_margin_musd, s.far_margin_musd) if m is not None]
    print(  # noqa: T201
        f"{len(found)} switching prices of {len({s.price for s in found})} kinds, {held} points "
        f"solved from nothing: none inside a side differs, each far side does; relative width: "
        f"median {widths[len(widths) // 2]:.1e}, largest {widths[-1]:.1e}; least margin "
        f"{min(margins):.1e} M$"
    )
    assert len(found) >= 50
    assert widths[-1] <= 2e-2


def test_a_case_drawn_anew_against_a_grid(tmp_path: Path) -> None:
    chance = random.Random(5)
    found = 0
    for home in variants(tmp_path, 3, seed=7):
        whole = base(home.path)
        searcher, opened = Searcher(whole), Opened(whole)
        for name in chance.sample(("hashprice", "ai-rate", "entry-cost"), 1):
            for side in SIDES:
                found += against_a_grid(searcher, opened, name, side, 6) is not None
    assert found >= 1


def test_prices_are_the_same_whoever_looks_for_them() -> None:
    asked = Asked(base(BY_HAND), {}, ("entry-cost",))
    alone, together = (
        switches_of(asked, workers=n, budget=Budget(), stop=threading.Event()).switches
        for n in (1, 2)
    )
    assert alone == together
    assert [(s.price, s.side) for s in alone] == [("entry-cost", "below"), ("entry-cost", "above")]


def other_answer(low: float, high: float) -> _Search:
    """A search above the case on paper in which another answer is the best between two factors."""
    searcher, plan = Searcher(base(BY_HAND)), by_hand()["optimum"].plan
    on = searcher.moved(BY_NAME["hashprice"])
    assert on is not None

    def at(
        on: Moved,
        setting: float,
        budget: Budget,
        stop: threading.Event,
        hint: Any,
        held: Any = None,
        signed: Any = None,
    ) -> At:
        if held is not None:
            cannot = SimpleNamespace(status="infeasible", value_musd=None, bound_musd=None)
            return At(setting, cast("Any", cannot), None, {})
        answer = Answer(frozenset({"other"} if low < setting < high else ()))
        solved = SimpleNamespace(status="solved", value_musd=1.0, bound_musd=1.0, plan=plan)
        return At(setting, cast("Any", solved), answer, {})

    searcher.at = at  # type: ignore[method-assign,assignment]
    return _Search(searcher, on, "above", Budget(), threading.Event(), 1e-3)


def test_what_is_proved_of_a_bracket_cut_short_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """After five settings both ends are proved, and the bracket is as wide as the last step."""
    monkeypatch.setattr(switching, "MOST_SOLVES", 5)
    switch = Searcher(base(BY_HAND)).switch(BY_NAME["ai-rate"], "below", budget=Budget(60.0))
    assert switch is not None
    assert switch.status == "wide"
    assert switch.near is not None
    assert switch.far is not None
    assert switch.far == 0.84 < float(BREAK_EVEN_RENT / 280) < switch.near
    own = [one.same for one in switch.tried if one.setting >= switch.near]
    assert own
    assert all(own)
    # At 0.84 the rent is 4.04 points of 280 $ below its break-even, for 5 MW over a year.
    lost = float((BREAK_EVEN_RENT - Fraction(84, 100) * 280) / (280 - BREAK_EVEN_RENT) * GAIN)
    assert switch.far_margin_musd == pytest.approx(lost, abs=1e-5)
    assert turn_cells(switch)[3].endswith("instead of 1 (no time to close in)")
    columns = pure(Stood("ai-only", "infeasible"), Stood("ai-only", "infeasible"),
                   by_hand()["optimum"])  # fmt: skip
    verdict = Verdict("x", "", columns, Apart(None), (switch,))
    assert not verdict.complete
    assert "as long as AI rents fall by less than 11.9 %" in sentence(verdict)


def test_steps_wider_than_stated_are_tried_as_far_as_solves_go() -> None:
    """A change at 1.5: from there on no step is wide. None as far as 5: twelve more are tried."""
    near = other_answer(1.5, 9.0).run()
    assert near.status == "proved"
    ends, share = widest_step(near), widest_share(near)
    assert ends is not None
    assert share == pytest.approx((ends[1] - ends[0]) / ends[1])
    assert share <= switching.WIDE
    stood = held(near)
    assert stood[0] == 1.0
    assert stood[-1] == near.near
    assert all(b - a <= switching.WIDE * b for a, b in pairwise(stood))
    far = other_answer(9.0, 10.0).run()
    # 1; eight steps, of 4 % and then twice as far each, to 5; and those in the middle.
    assert len(far.tried) == 9 + switching.MORE_SOLVES
    assert widest_step(far) == pytest.approx((2.6, 2.92))
    assert widest_share(far) == pytest.approx(0.32 / 2.92)
    assert step_words(far) == "×0.320"


def test_a_change_of_price_is_not_stepped_over() -> None:
    """Any other answer that stands on a stretch of a ninth or more is found, as far as it is."""
    for low in (1.05, 1.3, 1.7, 2.2, 3.1, 4.2):
        found = other_answer(low, low * 1.125).run()
        assert found.status == "proved", low
        assert found.near is not None
        assert found.far is not None
        assert found.near <= low < found.far <= found.near + 1.1e-3


def test_another_answer_that_is_the_best_in_the_middle_only(tmp_path: Path) -> None:
    """Idle air halls, and a small hydro hall that pays from 38.3 to 43 $/PH/day or so."""
    (tmp_path / "instance.toml").write_text(HYDRO)
    hours = (24 * days for days in (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31))
    (tmp_path / "prices.csv").write_text(
        "month,hours,price_usd_per_mwh\n"
        + "".join(f"{month},{of},40\n" for month, of in enumerate(hours, 1))
    )
    whole = base(tmp_path)
    opened, own = Opened(whole), fresh_answer(Opened(whole), {})
    on = Searcher(whole).moved(BY_NAME["hashprice"])
    assert on is not None

    def same(setting: float) -> bool:
        changes = on.changes(setting)
        assert changes is not None
        return fresh_answer(opened, changes) == own

    # Where steps are twice as far each time, all that are tried have the same answer.
    assert all(same(setting) for setting in (1.04, 1.08, 1.16, 1.32, 1.64, 2.28))
    assert not same(1.5)
    switch = Searcher(whole).switch(BY_NAME["hashprice"], "above", budget=Budget(60.0))
    assert switch is not None
    assert switch.status == "proved"
    assert switch.near is not None
    assert switch.far is not None
    assert 1.32 < switch.near < switch.far < 1.5
    assert [same(switch.near), same(switch.far)] == [True, False]


def test_the_middle_of_the_widest_steps_is_tried() -> None:
    """Between settings with the same answer another may be the best, as at 2.8 to 3.0 here."""
    found = other_answer(2.8, 3.0).run()
    assert found.status == "proved"
    assert found.near is not None
    assert found.far is not None
    assert found.near <= 2.8 < found.far <= found.near + 1.1e-3
    # Narrower ones may be passed by, and nothing more than what was tried is said.
    passed = other_answer(2.5, 2.51).run()
    assert (passed.status, passed.near) == ("none", 5.0)
    said = turn_cells(passed)[3]
    assert said == f"no other answer at any of {len(passed.tried)} settings tried up to there"


def test_of_all_dates_of_a_contract_the_best_is_believed() -> None:
    """Signed in 0 it is worth 9 at most, in 1 only 7, and in 2 no plan has it: 10 are 1 more."""
    search, far = other_answer(2.0, 9.0), 2.5
    search.own = Answer(frozenset({"tenant"}))
    dates = ((0, "tenant"), (1, "tenant"), (2, "tenant"), (0, "another"))
    plan = SimpleNamespace(given=SimpleNamespace(signing_allowed=dates))
    best = SimpleNamespace(value_musd=10.0, plan=plan)
    search.points[far] = At(far, cast("Any", best), Answer(), {})
    worth = {(0, "tenant"): ("solved", 9.0), (1, "tenant"): ("solved", 7.0),
             (2, "tenant"): ("infeasible", None)}  # fmt: skip
    for index, (status, bound) in worth.items():
        assert not search.is_judged(far)
        one = SimpleNamespace(status=status, value_musd=bound, bound_musd=bound)
        search.held[far, search.own, ("signing", index)] = cast("Any", one)
    assert search.is_judged(far)
    assert search.far_margin(far) == 1.0


def test_a_contract_less_with_the_same_halls_is_proved_too(tmp_path: Path) -> None:
    """With halls that stay as they are, a rent too low leaves the contract out and nothing else.

    A plan held to the old answer could leave it out as well, and would be worth the same.
    """
    folder = with_ai_halls(tmp_path / "one", 1)
    text = (folder / "instance.toml").read_text()
    toml = text.replace('fitout = "mine"\n', 'fitout = "mine"\nconvertible = false\n')
    (folder / "instance.toml").write_text(f"{toml}convertible = false\n")
    searcher = Searcher(base(folder))
    switch = searcher.switch(BY_NAME["ai-rate"], "below", budget=Budget(60.0))
    assert switch is not None
    assert switch.words == "tenant not signed"
    assert switch.status == "proved"
    assert switch.far is not None
    assert switch.far_margin_musd is not None
    # What the old answer is worth there: the tenant signed at its only date.
    on = searcher.moved(BY_NAME["ai-rate"])
    assert on is not None
    read = Opened(base(folder)).whole(Point(0, {}, on.changes(switch.far) or {}))
    case = prepare(read.instance, read.hours)
    assert case.given.signing_allowed == ((0, "tenant"),)
    signed = solve(case, EXACT, pinned={("signing", (0, "tenant")): 1.0})
    best = solve(case, EXACT)
    assert best.value_musd is not None
    assert signed.value_musd is not None
    assert switch.far_margin_musd == pytest.approx(best.value_musd - signed.value_musd, abs=1e-6)
    assert switch.far_margin_musd > GAP * abs(best.value_musd)


def test_a_far_side_is_believed_by_the_bound_of_the_old_answer() -> None:
    search = other_answer(2.0, 9.0)
    far, own = 2.5, search.own
    search.points[far] = At(far, cast("Any", SimpleNamespace(value_musd=10.0, plan=None)),
                            Answer(frozenset({"other"})), {})  # fmt: skip
    held = SimpleNamespace(status="solved", value_musd=5.0, bound_musd=9.0)
    search.held[far, own, None] = cast("Any", held)
    assert search.far_margin(far) == 1.0


def test_the_bracket_of_the_last_plan_has_one_on_its_near_side_only(tmp_path: Path) -> None:
    folder = tight(tmp_path, 11.9)
    searcher = Searcher(base(folder))
    switch = searcher.switch(BY_NAME["hashprice"], "below", budget=Budget(60.0))
    assert switch is not None
    assert switch.status == "infeasible"
    assert switch.near is not None
    assert switch.far is not None
    assert switch.far < switch.near < 1.0
    opened, on = Opened(base(folder)), searcher.moved(BY_NAME["hashprice"])
    assert on is not None
    changes = on.changes(switch.near), on.changes(switch.far)
    answers = [fresh_answer(opened, c) for c in changes if c is not None]
    assert [answer is None for answer in answers] == [False, True]
    assert turn_cells(switch)[3] == "no plan keeps to all limits"


def tight(tmp_path: Path, least_cash: float) -> Path:
    """The case on paper with another least cash."""
    text = (BY_HAND / "instance.toml").read_text()
    assert "minimum_cash_musd = 2" in text
    (tmp_path / "instance.toml").write_text(
        text.replace("minimum_cash_musd = 2", f"minimum_cash_musd = {least_cash}")
    )
    (tmp_path / "prices.csv").write_bytes((BY_HAND / "prices.csv").read_bytes())
    return tmp_path


# --- what is not known ---------------------------------------------------------------------


def test_time_running_out_is_no_impossibility() -> None:
    asked = replace(posed(BY_HAND), budget=Budget(0.0))
    refused = ai_only(asked.case, {}, Budget(0.0))
    assert not refused.known
    assert refused.refusal == "whether AI can be served in 2030-01 was not settled in time"
    still = as_is(asked, compile_case(asked.case, {}))
    assert still.status != "infeasible"
    columns = columns_of(asked)
    assert "infeasible" not in {one.status for one in columns}
    verdict = Verdict("x", "", columns, flexibility(asked, columns[-1]))
    assert not verdict.complete
    row = side_by_side(verdict).columns[3]
    assert next(iter(row.cells)) == "not known"


def test_carrying_on_that_only_a_search_finds_is_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns_module, "do_nothing", lambda *_, **__: None)
    asked = posed(BY_HAND)
    still = as_is(asked, compile_case(asked.case, {}))
    assert (still.name, still.status) == ("as-is", "solved")
    assert still.value_musd == pytest.approx(float(NOTHING), abs=1e-6)
    assert still.figures is not None
    assert (still.figures.capex_musd, still.figures.signed_mw) == (0.0, {})


def pure(mining: Stood, ai: Stood, best: Stood) -> tuple[Stood, ...]:
    return replace(mining, name="mining-only"), replace(ai, name="ai-only"), best


def test_mixing_is_worth_no_more_than_is_proved() -> None:
    five, eight = (Stood("ai-only", "solved", v, v) for v in (5.0, 8.0))
    best = Stood("optimum", "solved", 10.0, 10.0)
    cannot = Stood("ai-only", "infeasible")
    rough = Stood("ai-only", "best-found", 5.0, 9.5)
    open_ = Stood("ai-only", "no-plan")
    assert mixing(pure(five, eight, best)) == Mixing(2.0, exact=True)
    assert mixing(pure(eight, five, best)) == Mixing(2.0, exact=True)
    assert mixing(pure(cannot, eight, best)) == Mixing(2.0, exact=True)
    assert mixing(pure(cannot, cannot, best)) == Mixing(None, exact=False)
    assert mixing(pure(rough, eight, best)) == Mixing(0.5, exact=False)
    assert mixing(pure(five, open_, best)) == Mixing(None, exact=False)
    found = replace(best, status="best-found", bound_musd=20.0)
    assert mixing(pure(five, eight, found)) == Mixing(2.0, exact=False)


def test_the_sentence_says_of_mixing_what_is_proved() -> None:
    best = by_hand()["optimum"]
    five, open_ = Stood("ai-only", "solved", 5.0, 5.0), Stood("ai-only", "no-plan")
    cannot, rough = Stood("ai-only", "infeasible"), Stood("ai-only", "best-found", 5.0, 9.57)
    for one, said in (
        (open_, "what mixing is worth is not known"),
        (rough, "the mix is worth at least 2.4 M$ more than either business alone"),
        (five, "the mix is worth 7.0 M$ more than the better business alone"),
    ):
        columns = pure(five, one, best)
        assert said in sentence(Verdict("x", "", columns, Apart(None)))
    told = sentence(Verdict("x", "", pure(cannot, cannot, best), Apart(None)))
    assert "neither business alone can be" in told
    assert "what carrying on is worth is not known" in told
    still = (Stood("as-is", "infeasible"), *pure(five, five, best))
    assert "carrying on cannot be" in sentence(Verdict("x", "", still, Apart(None)))


def side(price: str, which: Side, status: Any, near: float, far: float | None = None) -> Switch:
    return Switch(
        price, which, status, 1.0 if price in ("hashprice", "ai-rate") else 0.0, near, far
    )


def test_the_sentence_leaves_out_no_side_that_is_open() -> None:
    def told(*switches: Switch, missed: tuple[Job, ...] = ()) -> str:
        columns = pure(Stood("ai-only", "infeasible"), Stood("ai-only", "infeasible"),
                       by_hand()["optimum"])  # fmt: skip
        verdict = Verdict("x", "", columns, Apart(None), switches, missed=missed)
        return sentence(verdict).partition("neither business alone can be")[2]

    same = "; each price moved alone, right at every value tried as long as "
    assert told(side("hashprice", "above", "none", 5.0)) == "."
    assert told(side("hashprice", "above", "proved", 1.2077, 1.2079)) == (
        f"{same}hashprice rises by less than 20.7 %."
    )
    assert told(side("ai-rate", "below", "undecided", 0.8804, 0.8795)) == (
        f"{same}AI rents fall by less than 11.9 %."
    )
    assert told(side("power-price", "below", "infeasible", -34.871, -34.9)) == (
        f"{same}price of power falls by less than 34.8 $/MWh."
    )
    assert told(side("delay", "above", "proved", 0.0, 1.0)) == (
        f"{same}delay of AI works does not rise."
    )
    assert told(side("delay", "above", "proved", 2.0, 3.0)) == (
        f"{same}delay of AI works rises by no more than 2 months."
    )
    assert told(
        side("hashprice", "below", "unfinished", 1.0, 0.99),
        side("hashprice", "above", "proved", 1.5, 1.501),
        side("ai-rate", "above", "unfinished", 1.0819),
        missed=(Job("delay", "above"),),
    ) == (
        f"{same}hashprice rises by less than 50.0 %; not known where hashprice falls, AI rents "
        "rise by more than 8.19 %, delay of AI works rises."
    )
    assert told(
        side("hashprice", "below", "unfinished", 1.0), missed=(Job("delay", "above"),)
    ) == "; no time was left to look at prices."  # fmt: skip
    assert turn_cells(side("hashprice", "below", "unfinished", 1.0))[1] == "below: not known"
    assert turn_cells(side("hashprice", "above", "unfinished", 1.0))[1] == "above: not known"
    assert turn_cells(side("hashprice", "below", "unfinished", 0.96))[1] == (
        "down to ×0.9600 at least"
    )


def test_carrying_on_says_what_limits_have_it_sell(tmp_path: Path) -> None:
    """Thirteen M$ in hand are kept only where racks that stand are sold."""
    assert by_hand()["as-is"].remark == ""
    tight = anew_by_hand(tmp_path / "tight", ("minimum_cash_musd = 2", "minimum_cash_musd = 13"))
    still = by_name(columns_of(posed(tight)))["as-is"]
    sold = still.plan.sales if still.plan is not None else {}
    racks = round(sum(float(number) for number in sold.values()))
    assert racks > 0
    assert still.remark == f"limits leave no other way than to sell {racks} racks of lot"


def test_without_any_plan_the_reader_is_sent_to_explain(tmp_path: Path) -> None:
    poor = anew_by_hand(tmp_path / "poor", ("overhead_musd_per_year = 0.5",
                                            "overhead_musd_per_year = 30"))  # fmt: skip
    columns = columns_of(posed(poor))
    assert sentence(Verdict("x", "", columns, Apart(None))).endswith(
        "; `rackwatt explain` names what clashes, and what would be enough."
    )


def test_where_least_is_spare_is_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = by_hand()["optimum"].plan
    assert plan is not None
    case = posed(BY_HAND).case
    row = next(row for row in columns_module.uptime(Kept(case, plan)) if row.promised > 0)
    spare = replace(row, promised=0.9, availability=0.99, down_minutes_per_year=10.0,
                    allowed_minutes_per_year=100.0)  # fmt: skip
    close = replace(row, promised=0.99, availability=0.991, down_minutes_per_year=90.0,
                    allowed_minutes_per_year=100.0)  # fmt: skip
    for rows in ((spare, close), (close, spare)):
        monkeypatch.setattr(columns_module, "uptime", lambda _, rows=rows: rows)
        told = figures_in(case, plan)
        assert (told.promised, told.reached) == (0.99, 0.991)


def test_sites_of_a_single_hall_are_named(two_sites: Path) -> None:
    loaded = load(two_sites)
    case = prepare(loaded.instance, loaded.hours)
    asked: dict[Name, str] = {
        name: halved(name, loaded, case, {}).remark
        for name in ("half-of-each-site", "half-of-the-sites")
    }
    assert asked["half-of-each-site"] == "not asked of brook (single hall)"
    assert asked["half-of-the-sites"] == ""


def test_what_a_plan_without_contracts_does_is_named() -> None:
    best = by_hand()["optimum"]
    figures = best.figures
    assert figures is not None
    for mining, ai, halls, said in (
        (10.0, 0.0, 0.0, "Stay with mining, with 10.0 M$"),
        (10.0, 2.0, 0.0, "Add no AI contract, with"),
        (0.0, 0.0, 0.0, "Sign no contract, with"),
        (0.0, 2.0, 3.0, "Convert 3 halls, and sign no contract, with"),
    ):
        told = replace(figures, signed_mw={}, mining_mw=mining, ai_mw=ai, halls_converted=halls)
        columns = (replace(best, figures=told),)
        assert sentence(Verdict("x", "", columns, Apart(None))).startswith(said)


def test_what_is_cut_short_exits_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "MOST_SOLVES", 3)
    code, answer = run(capsys, BY_HAND, "--switching", "ai-rate", "--workers", 1,
                       "--out", tmp_path / "run")  # fmt: skip
    assert (code, answer["status"]) == (10, "best-found")
    monkeypatch.setattr(command, "switches_of",
                        lambda *_, **__: Looked(missed=(Job("ai-rate", "above"),)))  # fmt: skip
    code, answer = run(capsys, BY_HAND, "--switching", "ai-rate", "--out", tmp_path / "two")
    assert (code, answer["not_reached"]) == (10, [{"price": "ai-rate", "side": "above"}])
    late = Stood("optimum", "not-reached", reason="the time was over")
    early = (*tuple(by_hand().values())[:-1], late)
    monkeypatch.setattr(command, "columns_of", lambda _: early)
    code, answer = run(capsys, BY_HAND, "--switching", "ai-rate", "--out", tmp_path / "three")
    assert (code, answer["status"], len(answer["not_reached"])) == (10, "best-found", 2)
    assert answer["sentence"] == "Not known: the time was over."


# --- replay --------------------------------------------------------------------------------


def test_what_happened_takes_the_place_of_paths_and_numbers(tmp_path: Path) -> None:
    file = tmp_path / "came.csv"
    file.write_text(
        "# from nowhere\n"
        "month,bitcoin.hashprice_usd_per_ph_day,contracts.*.rate_usd_per_kw_month\n"
        "2029-01,48,\n2030-01,24,\n2030-02,,300\n"
    )
    home = replayed(BY_HAND, file)
    instance = load(home.path).instance
    steps = instance.bitcoin.hashprice_usd_per_ph_day
    assert isinstance(steps, list)
    assert [(step.from_, step.value) for step in steps] == [("2029-01", 48.0), ("2030-01", 24.0)]
    assert instance.contracts["tenant"].rate_usd_per_kw_month == 300.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("month,nothing.here\n2029-01,5\n", "the format has no such key"),
        ("month,finance.overhead_musd_per_year\n2029-01,5\n2030-01,6\n", "does not change over"),
        ("month,bitcoin.hashprice_usd_per_ph_day\n2029-13,5\n", "this is no month"),
        ("month,bitcoin.hashprice_usd_per_ph_day\n2029-01,x\n", "this is no number"),
        ("month,bitcoin.hashprice_usd_per_ph_day\n2030-01,5\n2029-01,6\n", "one after another"),
        ("when,bitcoin.hashprice_usd_per_ph_day\n2030-01,5\n", "the first column is the month"),
    ],
)
def test_a_file_of_what_happened_that_cannot_be_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "came.csv").write_text(text)
    with pytest.raises(InputRefused) as refused:
        replayed(BY_HAND, tmp_path / "came.csv")
    assert said in " ".join(str(problem) for problem in refused.value.problems)


def test_what_happened_to_shipped_instances_is_read() -> None:
    files = sorted((INSTANCES / "replays").glob("*.csv"))
    assert [file.stem for file in files] == ["hive", "hut8", "iren"]
    for file in files:
        home = replayed(INSTANCES / file.stem, file)
        steps = load(home.path).instance.bitcoin.hashprice_usd_per_ph_day
        assert isinstance(steps, list)
        assert [step.value for step in steps][:7] == [53.8, 53.8, 50.9, 56.2, 42.4, 34.5, 35.2]


# --- the article's claims ------------------------------------------------------------------


def test_stored_verdicts_are_of_the_stored_results() -> None:
    told = Told.read(INSTANCES)
    assert set(told.now) == {"hut8", "hive", "iren", "texas"}
    assert set(told.then) == {"hut8", "hive", "iren"}
    for name, verdict in told.now.items():
        result = json.loads((INSTANCES / name / "result.json").read_text())
        values = {c["strategy"]: c["value_musd"] for c in verdict["columns"]}
        assert values["optimum"] == pytest.approx(result["value_musd"], rel=1e-3)
        assert values["as-is"] == pytest.approx(result["nothing_musd"], abs=1e-3)
        known = [value for value in values.values() if value is not None]
        assert max(known) <= values["optimum"] + 1e-3 * abs(values["optimum"])


#: Stored before verdicts named what they were computed from: to be computed anew, none added.
UNNAMED: set[str] = set()


def test_stored_verdicts_are_of_the_instances_as_they_are() -> None:
    """Whoever changes an instance, or what came, has its verdict computed anew."""
    told = Told.read(INSTANCES)
    stored = {f"{name}/verdict": verdict for name, verdict in told.now.items()}
    stored |= {f"{name}/verdict-happened": verdict for name, verdict in told.then.items()}
    for file, verdict in stored.items():
        if file in UNNAMED:
            assert "inputs_sha256" not in verdict, f"{file} is named by now"
            continue
        name, _, happened = file.partition("/verdict")
        came = INSTANCES / "replays" / f"{name}.csv" if happened else None
        assert verdict["inputs_sha256"] == says(INSTANCES / name, came), f"{file}: not of this"


def test_what_an_instance_says_is_hashed_and_not_how(tmp_path: Path) -> None:
    toml, prices, came = (tmp_path / name for name in ("instance.toml", "prices.csv", "came.csv"))
    text = (BY_HAND / "instance.toml").read_text()
    toml.write_text(text)
    prices.write_bytes((BY_HAND / "prices.csv").read_bytes())
    came.write_text("month,bitcoin.hashprice_usd_per_ph_day\n2029-01,48\n")
    was = says(tmp_path, came)
    assert set(was) == {"instance", "prices.csv", "happened/came.csv"}
    toml.write_text("# a comment\n" + text.replace('name = "by_hand"', 'name = "renamed"'))
    came.write_text("# a source\n" + came.read_text())
    (tmp_path / "sources.csv").write_text("key,value,unit,source,remark\n")
    assert says(tmp_path, came) == was
    toml.write_text(text.replace("budget_musd = 15", "budget_musd = 16"))
    assert says(tmp_path, came) == {**was, "instance": says(tmp_path)["instance"]} != was
    toml.write_text(text)
    prices.write_text(prices.read_text().replace(",35", ",36"))
    assert says(tmp_path, came) == {**was, "prices.csv": says(tmp_path)["prices.csv"]} != was
    prices.write_bytes((BY_HAND / "prices.csv").read_bytes())
    came.write_text(came.read_text().replace(",48", ",47"))
    now = says(tmp_path, came)
    assert [name for name in was if was[name] != now[name]] == ["happened/came.csv"]


def test_what_was_planned_comes_before_what_happened() -> None:
    def stored(value: float, ai: float, signed: dict[str, float]) -> dict[str, Any]:
        best = {"strategy": "optimum", "value_musd": value, "ai_mw": ai, "mining_mw": 7.0,
                "signed_mw": signed}  # fmt: skip
        return {"columns": [best]}

    told = _turn(stored(10.0, 1.0, {}), stored(5.0, 2.0, {}))
    assert told.startswith(
        "The best plan is worth 5.0 M$ instead of 10.0, signs no offer, as before"
    )
    assert "2.0 MW of AI instead of 1.0" in told
    assert "signs other offers" in _turn(stored(1.0, 1.0, {}), stored(1.0, 1.0, {"x": 1.0}))


def test_a_step_is_never_told_as_less_than_it_is() -> None:
    assert _step({"widest_step_share": 0.1096}, {"widest_step_share": 0.08}) == "11 % and 8 %"
    assert _step(None, {"widest_step_share": 0.06901}) == "· and 7 %"
    assert _step({"widest_step_share": None}, {"widest_step_share": 0.0411}) == "· and 4.2 %"


def test_the_page_says_what_stored_verdicts_say(tmp_path: Path) -> None:
    assert list(claims_page(tmp_path)) == []
    folder = tmp_path / "hive"
    folder.mkdir()
    columns = tuple(by_hand().values())
    verdict = Verdict("hive", "", columns, flexibility(posed(BY_HAND), columns[-1]))
    write_json(folder / "verdict.json", as_json(verdict))
    page = "\n".join(claims_page(tmp_path))
    row = "| `hive` | 10.5 | 10.5 | 9.3 | 12.0 | 10.5 | 10.5 | 12.0 | 1.5 | 2.7 |"
    assert row in page
    assert "worth 1.5 M$ more than the one without reuse" in page
    assert "Not looked for: prices of `hive`" in page
    assert "Hut 8: no reuse" not in page


# --- the command ---------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["verdict", *map(str, arguments), "--json", "--quiet"])
    return code, json.loads(capsys.readouterr().out)


def test_the_command_answers_three_ways(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = (BY_HAND, "--switching", "entry-cost", "--workers", 1)
    code, answer = run(capsys, *wish, "--out", tmp_path / "one")
    assert (code, answer["status"]) == (0, "solved")
    assert answer["value_musd"] == pytest.approx(float(VALUE), abs=1e-8)
    assert answer["mixing_musd"] == pytest.approx(float(GAIN), abs=1e-8)
    assert [c["strategy"] for c in answer["columns"]] == [
        "as-is", "mining-only", "ai-only", "half-of-each-site", "half-of-the-sites", "no-reuse",
        "optimum",
    ]  # fmt: skip
    assert [s["status"] for s in answer["switching"]] == ["none", "proved"]
    for one in answer["switching"]:
        tried = [t["setting"] for t in one["tried"] if t["same"]]
        assert one["held_at"] == len(tried)
        ends = one["widest_step_from"], one["widest_step_to"]
        assert {*ends} <= {*tried}
        # Of a figure of 1 M$, and of the larger end beyond it.
        share = abs(ends[1] - ends[0]) / max(1.0, *ends)
        assert one["widest_step_share"] == pytest.approx(share)
    assert answer["inputs_sha256"] == says(BY_HAND)
    stored = json.loads((tmp_path / "one" / "verdict.json").read_text())
    assert stored["inputs_sha256"] == says(BY_HAND)
    run(capsys, *wish, "--out", tmp_path / "two")
    names = {p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file()}
    assert {Path("verdict.json"), Path("strategies.csv"), Path("switching.csv"),
            Path("tried.csv"), Path("plans/optimum/actions.csv")} <= names  # fmt: skip
    for name in names - {Path("manifest.json")}:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    # The plan of a strategy is read back, and worth what the column says.
    code, answer = run(capsys, BY_HAND, "--no-switching", "--only", "--plan",
                       tmp_path / "one" / "plans" / "optimum" / "actions.csv",
                       "--out", tmp_path / "three")  # fmt: skip
    values = {c["strategy"]: c["value_musd"] for c in answer["columns"]}
    assert values["management"] == pytest.approx(values["optimum"], abs=1e-8)


def test_a_replay_names_the_instance_and_what_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    came = tmp_path / "came.csv"
    came.write_text("month,bitcoin.hashprice_usd_per_ph_day\n2029-01,48\n2030-01,30\n")
    code, answer = run(capsys, BY_HAND, "--no-switching", "--happened", came,
                       "--out", tmp_path / "run")  # fmt: skip
    assert (code, answer["status"]) == (0, "solved")
    assert answer["value_musd"] < float(VALUE)
    assert answer["inputs_sha256"] == says(BY_HAND, came)


def test_the_screen_says_it_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["verdict", str(BY_HAND), "--switching", "hashprice", "--workers", "1", "-q",
                 "--out", str(tmp_path / "run")])  # fmt: skip
    shown = " ".join(capsys.readouterr().out.split())
    assert code == 0
    assert (
        "Convert 1 hall and sign 1 contract (tenant): 1.5 M$ better than carrying on; the mix is "
        "worth 1.5 M$ more than the better business alone (mining only); each price moved "
        "alone, right at every value tried as long as hashprice rises by less than 20.7 %."
        in shown
    )


def test_a_folder_that_is_taken_is_refused_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    code, answer = run(capsys, BY_HAND, "--no-switching", "--out", tmp_path)
    assert (code, answer["status"]) == (2, "usage")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--switching", "hashprise"),
        ("--switching", "hashprice", "--no-switching"),
        ("--only",),
        ("--switching", ","),
        ("--gap", "nan"),
    ],
)
def test_mistakes_in_the_command_are_told(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verdict", str(BY_HAND), *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_bad_input_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "came.csv").write_text("month,nothing.here\n2029-01,5\n")
    out = tmp_path / "run"
    code, answer = run(capsys, BY_HAND, "--happened", tmp_path / "came.csv", "--out", out)
    assert (code, answer["status"]) == (3, "refused")
    assert not out.exists()


def test_an_instance_without_a_plan_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (BY_HAND / "instance.toml").read_text()
    (tmp_path / "instance.toml").write_text(text.replace("minimum_cash_musd = 2",
                                                         "minimum_cash_musd = 60"))  # fmt: skip
    (tmp_path / "prices.csv").write_bytes((BY_HAND / "prices.csv").read_bytes())
    code, answer = run(capsys, tmp_path, "--out", tmp_path / "run")
    assert (code, answer["status"]) == (4, "infeasible")
    assert {c["status"] for c in answer["columns"]} == {"infeasible"}
    assert answer["sentence"].startswith("No plan: least cash")


def test_names_of_prices_are_those_of_the_machine() -> None:
    assert PRICES == NAMES


def test_carrying_on_is_a_verdict_too() -> None:
    columns = by_hand()
    best = replace(columns["as-is"], name="optimum")
    stood = (columns["as-is"], columns["mining-only"], columns["ai-only"], best)
    told = sentence(Verdict("x", "", stood, flexibility(posed(BY_HAND), best)))
    assert told == (
        "Carry on: nothing is worth more than keeping what stands; the mix adds nothing to "
        "mining only."
    )
    unproved = (*stood[:-1], replace(best, status="best-found", bound_musd=None))
    told = sentence(Verdict("x", "", unproved, Apart(None)))
    assert told.startswith("Not known: nothing better was found so far than keeping what stands")


def test_the_readme_shows_what_the_command_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (INSTANCES.parent / "README.md").read_text(encoding="utf-8")
    shown = page.split("<!-- verdict:begin -->\n```text\n")[1].split("```\n<!-- verdict:end -->")[
        0
    ]
    out = str(tmp_path / "run")
    assert main(["verdict", str(INSTANCES / "by_hand"), "--quiet", "--out", out]) == 0
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    lines = [line.rstrip() for line in shown.splitlines()]
    first = said.index(lines[0])
    assert said[first : first + len(lines)] == lines
