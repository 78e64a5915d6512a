"""At which price what was not chosen would be: on paper, and by full solves on either side."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from models.context import Context
from optimizer.answers.worth import bench as bench_module
from optimizer.answers.worth.bench import CHOSEN, ROUNDS_OF_FILLING, Bench, Best, taken
from optimizer.answers.worth.chosen import Chosen, Turn, _Search, _Tried
from optimizer.answers.worth.defaults import MOST, Defaults, Moves, Side
from optimizer.answers.worth.explained import Explained
from optimizer.answers.worth.more import Worth
from optimizer.answers.worth.prices import Thing, not_chosen
from optimizer.answers.worth.told import _loss
from optimizer.answers.worth.units import units
from optimizer.case import Case
from optimizer.compiled import Model
from optimizer.highs import Options
from optimizer.load import load
from optimizer.solve import Solved, Status
from tests.folders import edited, write_folder
from tests.optimizer.answers.anew import INSTANCES, anew, by_hand, changed_by_hand, drawn

#: Rent at which by_hand's answer turns, and what a dollar of it is worth, by its README.
BREAK_EVEN_RENT = Fraction(3387913, 13750)
DOLLAR = Fraction(60, 1331)


def on_bench(folder: Path, **options: Any) -> tuple[Bench, Best]:
    bench = Bench(load(folder), Options(**options))
    return bench, bench.best(bench.at({}))


def turns_of(bench: Bench, best: Best) -> dict[tuple[str, str], Turn]:
    assert best.plan is not None
    things = not_chosen(bench, best.posed, best.plan)
    return {(one.thing.kind, one.thing.name): one for one in Chosen(bench, best).turns(things)}


@pytest.fixture(scope="module")
def cheap(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Turn]:
    """Where the tenant pays 240 $, he is not taken."""
    folder = tmp_path_factory.mktemp("by-hand") / "cheap"
    return turns_of(*on_bench(by_hand(folder, ("_month = 280", "_month = 240"))))


def test_the_rent_at_which_the_tenant_is_taken(cheap: dict[tuple[str, str], Turn]) -> None:
    tenant = cheap["contract", "tenant"]
    assert tenant.verdict == "turns"
    assert tenant.price is not None
    assert tenant.not_at is not None
    assert tenant.not_at < float(BREAK_EVEN_RENT) < tenant.price
    assert tenant.price - tenant.not_at < 2e-3
    assert tenant.amount == pytest.approx(5.0)


def test_what_the_tenant_misses(cheap: dict[tuple[str, str], Turn]) -> None:
    loss = cheap["contract", "tenant"].loss_musd
    assert loss == pytest.approx(float((BREAK_EVEN_RENT - 240) * DOLLAR), abs=1e-9)


def test_the_works_at_which_the_hall_is_converted(cheap: dict[tuple[str, str], Turn]) -> None:
    # Of a dollar less by the kW, on 5,000 kW, nine tenths of it are not worth anything at the
    # end: the hall is then a year old, of ten.
    dollar = Fraction(5, 1000) * (1 - Fraction(9, 10) * Fraction(10000, 14641))
    price = 1600 - (BREAK_EVEN_RENT - 240) * DOLLAR / dollar
    works = cheap["fit-out", "ai"]
    assert works.verdict == "turns"
    assert works.price is not None
    assert works.not_at is not None
    assert works.price < float(price) < works.not_at
    assert works.not_at - works.price < 0.05


def test_the_grant_for_a_hall(cheap: dict[tuple[str, str], Turn]) -> None:
    # A grant is paid today and moves nothing else: it is what the tenant misses.
    barn = cheap["hall", "barn"]
    assert barn.verdict == "turns"
    assert barn.price == pytest.approx(float((BREAK_EVEN_RENT - 240) * DOLLAR), abs=1e-4)


def test_a_seventeenth_lot_is_bought_for_what_it_earns(
    cheap: dict[tuple[str, str], Turn],
) -> None:
    # At half a M$ it loses what the README says.
    lot = cheap["rack", "lot"]
    loss = Fraction(644411, 3660250)
    assert lot.loss_musd == pytest.approx(float(loss), abs=1e-9)
    assert lot.price is not None
    assert lot.not_at is not None
    assert lot.price < 500_000 - 1e6 * float(loss) < lot.not_at


def test_a_lot_is_bought_for_what_it_fetches() -> None:
    turns = turns_of(*on_bench(INSTANCES / "by_hand"))
    lot = turns["rack", "lot"]
    assert lot.price is not None
    assert lot.not_at is not None
    # All places are taken: a lot replaces another, which is sold for 100,000 $ whenever that is.
    assert lot.price < 100_000 < lot.not_at
    assert lot.not_at - lot.price < 10
    # It is missed least where it is bought a year later: 0.4 M$ then.
    assert lot.loss_musd == pytest.approx(0.4 * 100 / 121, abs=1e-9)


def test_a_fit_out_that_no_works_would_finish_is_chosen_at_no_price(tmp_path: Path) -> None:
    capex = "capex_usd_per_kw = 1600\n"
    late = (f"{capex}works_months = 12", f"{capex}works_months = 60")
    turns = turns_of(*on_bench(by_hand(tmp_path / "late", late)))
    assert turns["fit-out", "ai"].verdict == "cannot"
    assert turns["fit-out", "ai"].price is None


def test_a_fit_out_in_which_halls_stand_was_chosen(cheap: dict[tuple[str, str], Turn]) -> None:
    assert ("fit-out", "mine") not in cheap
    assert ("fit-out", "ai") in cheap


def test_an_offer_that_is_over_says_why(tmp_path: Path) -> None:
    over = edited('start = "2028-07"', 'start = "2031-07"')
    turns = turns_of(*on_bench(write_folder(tmp_path / "over", over)))
    lease = turns["contract", "lease"]
    assert (lease.verdict, lease.message.partition(";")[0]) == (
        "cannot",
        "lease starts in 2031-07",
    )


# --- by full solves ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_full_solves_choose_it_on_one_side_only(tmp_path: Path, seed: int) -> None:
    bench, best = on_bench(write_folder(tmp_path / "drawn", drawn(seed)))
    proved = 0
    for turn in turns_of(bench, best).values():
        thing = turn.thing
        assert turn.verdict in ("turns", "cannot", "never")
        if turn.verdict != "turns":
            continue
        assert turn.price is not None
        assert turn.not_at is not None
        assert (turn.price - turn.not_at) * thing.sign > 0
        proved += 1
        for price, is_chosen in ((turn.price, True), (turn.not_at, False)):
            free = bench.best(thing.at(price))
            assert free.plan is not None
            assert (taken(free.plan, thing.columns) > 0.5) is is_chosen
    assert proved


@pytest.mark.parametrize("seed", [0, 1])
def test_typed_prices_turn_the_answer_of_a_solve_from_nothing(tmp_path: Path, seed: int) -> None:
    folder = write_folder(tmp_path / "drawn", drawn(seed))
    bench, best = on_bench(folder)
    loaded = load(folder)
    for turn in turns_of(bench, best).values():
        thing = turn.thing
        if turn.verdict != "turns" or thing.kind not in ("contract", "project", "fit-out"):
            continue
        for price, is_chosen in ((turn.price, True), (turn.not_at, False)):
            plan = anew(loaded, changed_by_hand(loaded, {thing.key: price})).plan
            assert isinstance(plan, Context)
            assert (taken(plan, thing.columns) > 0.5) is is_chosen


def test_prices_move_nothing_of_a_plan_without_the_thing(tmp_path: Path) -> None:
    # The search rests on it: the best plan without a thing is worth the same at every price.
    bench, best = on_bench(write_folder(tmp_path / "drawn", drawn(1)))
    assert best.plan is not None
    for thing in not_chosen(bench, best.posed, best.plan):
        matrix = thing.at(0.5 * (thing.price + thing.limit)).model.matrix
        whole = best.posed.model.matrix
        if not thing.columns or matrix.shape != whole.shape:
            continue
        assert matrix.cost @ best.point == pytest.approx(whole.cost @ best.point, abs=1e-9)
        moved = (matrix.coefficients - whole.coefficients) @ best.point
        assert abs(moved).max() < 1e-9


# --- what is proved, and what is not ------------------------------------------------------


def with_bounds(best: Best, value: float, bound: float, status: Status = "best-found") -> Best:
    return replace(best, solved=replace(best.solved, status=status, value_musd=value,
                                        bound_musd=bound))  # fmt: skip


@pytest.fixture
def lot(tmp_path: Path) -> tuple[Bench, Best, Thing]:
    """The seventeenth lot that is not bought where the tenant pays 240 $."""
    bench, best = on_bench(by_hand(tmp_path / "cheap", ("_month = 280", "_month = 240")))
    assert best.plan is not None
    things = not_chosen(bench, best.posed, best.plan)
    return bench, best, next(one for one in things if one.kind == "rack")


@pytest.mark.parametrize(
    ("value", "bound", "is_yes", "is_no"),
    [(0.5, 0.6, False, False), (1.1, 1.2, True, False), (-0.5, 0.5, False, False),
     (-0.5, -0.1, False, True)],
)  # fmt: skip
def test_either_side_is_proved_by_a_bound_and_not_by_a_value(
    lot: tuple[Bench, Best, Thing], monkeypatch: pytest.MonkeyPatch,
    value: float, bound: float, is_yes: bool, is_no: bool,
) -> None:  # fmt: skip
    # Values are counted from that of the plan found, which some plan may beat by 1.
    bench, best, thing = lot
    assert best.value is not None
    forced = bench.forced(thing.at(thing.price), thing.columns)
    found = with_bounds(forced, best.value + value, best.value + bound)
    monkeypatch.setattr(bench, "forced", lambda *_: found)
    search = _Search(Chosen(bench, with_bounds(best, best.value, best.value + 1.0)), thing)
    search._try(0.0)
    assert (search.yes is not None, search.no is not None) == (is_yes, is_no)


def test_what_a_thing_misses_is_a_range_where_its_solve_was_cut_short(
    lot: tuple[Bench, Best, Thing], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, best, thing = lot
    assert best.value is not None
    whole = Chosen(bench, best).turn(thing)
    assert whole.is_proved
    forced, value = bench.forced, best.value

    def cut_short(*given: Any) -> Best:
        return with_bounds(forced(*given), value - 320.3249, value - 0.12349)

    monkeypatch.setattr(bench, "forced", cut_short)
    turn = Chosen(bench, best).turn(thing)
    assert turn.loss_musd is None
    assert turn.loss_at_least_musd == pytest.approx(0.12349)
    assert turn.loss_at_most_musd == pytest.approx(320.3249, abs=1e-4)
    assert not turn.is_proved
    assert _loss(turn) == "0.123 to 320.40?"


def test_a_solve_without_a_plan_leaves_a_price_open_and_says_how_it_ended(
    lot: tuple[Bench, Best, Thing], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, best, thing = lot
    forced = bench.forced
    failed = lambda *given: with_bounds(forced(*given), 0.0, 0.0, "audit-failed")  # noqa: E731
    monkeypatch.setattr(bench, "forced", failed)
    (turn,) = Chosen(bench, best).turns([thing])
    assert turn.verdict == "open"
    assert "audit-failed" in turn.message
    assert "time" not in turn.message


def test_an_explanation_is_whole_only_where_all_of_it_is_proved(
    lot: tuple[Bench, Best, Thing],
) -> None:
    bench, best, thing = lot
    unit = units(bench.document)[0]
    default = bench.loaded.defaults[0]
    worth, turn = Worth(unit, "worth", 1.0), Turn(thing, "turns", 1.0)
    side = Side(1.0, 1.0, verdict="solved")
    moves = Moves(default, "±10 %", side, None, "solved")
    assert Explained(best, worths=[worth], turns=[turn], moves=[moves]).is_whole
    assert not Explained(best, worths=[replace(worth, is_proved=False)]).is_whole
    assert not Explained(best, turns=[Turn(thing, "open")]).is_whole
    cut = replace(turn, loss_musd=None, loss_at_least_musd=0.0, loss_at_most_musd=320.0)
    assert not Explained(best, turns=[cut]).is_whole
    assert not Explained(
        best, moves=[replace(moves, down=replace(side, is_proved=False))]
    ).is_whole
    assert not Explained(best, moves=[replace(moves, verdict="not found")]).is_whole


@pytest.mark.parametrize("sent_back", [1, ROUNDS_OF_FILLING])
def test_a_search_that_was_sent_back_is_made_with_the_thing(
    lot: tuple[Bench, Best, Thing], monkeypatch: pytest.MonkeyPatch, sent_back: int
) -> None:
    """Halls that are filled one by one send a search back without the row: its plan has no lot.

    It is made anew, with these halls in it; where it never ends with the lot, there is no plan.
    """
    bench, best, thing = lot
    assert best.plan is not None
    crowded = {"barn:mine": ((("lot", 16),),)}
    plan = replace(best.plan, given=replace(best.plan.given, fillings=crowded))
    without = replace(best.solved, plan=plan)
    with_it = bench.forced(thing.at(thing.price), thing.columns)
    asked: list[Any] = []

    def searched(case: Case, model: Model, *_: Any) -> Solved:
        asked.append((case.given.fillings, model.matrix.row_names[-1]))
        return with_it.solved if len(asked) > sent_back else without

    monkeypatch.setattr(bench, "_solve", searched)
    monkeypatch.setattr(bench_module, "compile_case", lambda *_: best.posed.model)
    found = bench.forced(thing.at(thing.price), thing.columns)
    assert {row for _, row in asked} == {CHOSEN}
    if sent_back == 1:
        assert [filled for filled, _ in asked] == [{}, crowded]
        assert found.value == with_it.value
    else:
        assert len(asked) == ROUNDS_OF_FILLING
        assert (found.solved.status, found.plan, found.value) == ("no-plan", None, None)


def test_a_price_without_any_plan_is_never_left_for_a_less_welcome_one(
    lot: tuple[Bench, Best, Thing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Today and at two steps no plan with it exists: the last of them bounds the price."""
    bench, best, thing = lot
    search = _Search(Chosen(bench, best), thing)
    forced = bench.forced(thing.at(0.0), thing.columns)
    assert forced.value is not None
    paid = _Tried(search._most, forced, forced.value, forced.bound, 1e-6)
    steps = iter([300.0, 200.0, None])
    monkeypatch.setattr(search, "_try", lambda step: paid if step == search._most else None)
    monkeypatch.setattr(search, "_next", lambda: next(steps))
    assert search.run().not_at == pytest.approx(thing.price - 300.0)


# --- defaults ----------------------------------------------------------------------


def moves_of(folder: Path) -> list[Moves]:
    bench, best = on_bench(folder)
    return Defaults(bench, best).ranked(bench.loaded.defaults)


def test_machines_that_run_a_tenth_less_earn_a_tenth_less() -> None:
    first = moves_of(INSTANCES / "by_hand")[0]
    assert first.default.key == "machines.miner.availability_share"
    # Ten lots for two years, as the README has it; more than all the time there is not.
    earned = 10 * Fraction(2117, 5000) * (Fraction(10, 11) + Fraction(1000, 1331))
    assert first.down is not None
    assert first.down.musd == pytest.approx(float(-earned / 10), abs=1e-9)
    assert first.up is None


def test_a_default_that_leaves_no_plan_comes_first(tmp_path: Path) -> None:
    # With so dear an overhead the owner just gets by: a tenth fewer hours, and he does not.
    dear = ("overhead_musd_per_year = 0.5", "overhead_musd_per_year = 11.08")
    folder = by_hand(tmp_path / "dear", dear)
    loaded = load(folder)
    first = moves_of(folder)[0]
    assert first.default.key == "machines.miner.availability_share"
    assert first.verdict == "no plan left"
    assert first.down is not None
    less = changed_by_hand(loaded, {first.default.key: first.down.value})
    assert anew(loaded, less).status == "infeasible"


def test_only_what_is_proved_to_move_less_than_five_is_left_unsolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, best = on_bench(INSTANCES / "by_hand")
    search = Defaults(bench, best)
    default = bench.loaded.defaults[0]
    most = (10.0, 10.0, 10.0, 10.0, 10.0, 4.0, 2.0)
    asked = [
        Moves(replace(default, key=f"d{k}"), "±10 %", Side(1.0, None, most[k]), None, "solved")
        for k in range(7)
    ]

    def found(one: Moves, _: Any) -> Moves:
        # Each is found to move 5, of which 3 are proved.
        return replace(one, down=Side(1.0, 5.0, 10.0, 3.0, "solved", is_proved=False))

    monkeypatch.setattr(search, "_both", found)
    verdicts = {one.default.key: one.verdict for one in search._solved(asked, {})}
    assert [verdicts[f"d{number}"] for number in range(7)] == ["solved"] * 6 + ["less"]


#: Figures of by_hand that all move its value, from much to little.
MOVING: dict[str, float] = {
    "bitcoin.hashprice_usd_per_ph_day": 48,
    "contracts.tenant.rate_usd_per_kw_month": 280,
    "machines.miner.availability_share": 1.0,
    "fitouts.ai.capex_usd_per_kw": 1600,
    "sites.creek.staff_musd_per_year": 0.6,
    "finance.overhead_musd_per_year": 0.5,
    "finance.ai_entry_cost_musd": 1,
    "power.creek.adder_usd_per_mwh": 5,
    "contracts.tenant.prepayment_usd_per_kw": 240,
    "finance.split_cost_company_musd_per_year": 0.4,
    "contracts.tenant.staff_usd_per_kw_month": 5,
}


def test_those_that_others_outdo_are_not_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of so small an instance three alone move more than whole decisions may make up for.
    monkeypatch.setattr("optimizer.answers.worth.defaults.MOST", 3)
    bench, best = on_bench(INSTANCES / "by_hand")
    like = bench.loaded.defaults[0]
    begun = bench.solves
    found = Defaults(bench, best).ranked(
        [replace(like, key=key, value=value) for key, value in MOVING.items()]
    )
    less = [one for one in found if one.verdict == "less"]
    assert less
    solved = [one for one in found if one.verdict == "solved"]
    assert len(solved) + len(less) == len(MOVING)
    assert bench.solves - begun == sum(len(one.sides) for one in solved)
    third = sorted((one.moves for one in solved), reverse=True)[2]
    assert best.value is not None
    for one in less:
        assert one.may_move < third
        for side in one.sides:
            anew_value = bench.best(bench.at({one.default.key: side.value})).value
            assert anew_value is not None
            assert 0 < abs(anew_value - best.value) <= one.may_move + 1e-9


def test_beside_a_plan_that_is_not_proved_its_bound_counts() -> None:
    bench, best = on_bench(INSTANCES / "by_hand")
    assert best.value is not None
    loose = with_bounds(best, best.value, best.value + 3.0)
    case = bench.at({"machines.miner.availability_share": 0.999})
    matrix = case.model.matrix
    close, far = (Defaults(bench, one)._most(case, matrix) for one in (best, loose))
    assert far >= 3.0
    assert far > close
    side = Defaults(bench, loose)._judged(Side(0.999), bench.best(case))
    assert not side.is_proved
    # The best plan is worth no less than the one found; how much more it is is not known.
    assert side.musd is not None
    assert side.at_least_musd == pytest.approx(-side.musd)
    assert side.at_most_musd >= 3.0


def test_the_five_are_those_that_solves_from_nothing_find(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "plain")
    loaded = load(folder)
    base = anew(loaded, loaded.instance).value_musd
    assert base is not None
    found = moves_of(folder)
    assert {one.verdict for one in found} <= {"solved", "less", "nothing", "refused"}
    largest: list[float] = []
    for one in found:
        moved = 0.0
        for side in one.sides:
            if side.message.startswith("refused"):
                continue
            other = anew(loaded, changed_by_hand(loaded, {one.default.key: side.value}))
            assert other.value_musd is not None
            moved = max(moved, abs(other.value_musd - base))
            assert moved <= one.may_move + 1e-4
        largest.append(moved)
        if one.verdict == "solved":
            assert one.moves == pytest.approx(moved, abs=1e-4)
    assert largest[:MOST] == pytest.approx(sorted(largest, reverse=True)[:MOST], abs=1e-4)


# --- cases at other prices -----------------------------------------------------------------


def thing_of(bench: Bench, best: Best, kind: str) -> Thing:
    assert best.plan is not None
    return next(x for x in not_chosen(bench, best.posed, best.plan) if x.kind == kind)


def test_halls_may_stand_in_works_that_a_grant_pays(lot: tuple[Bench, Best, Thing]) -> None:
    """Works to AI cost 10 M$ a hall; wholly paid, they cost no more than standing in mining.

    A case that did not look at that anew would leave plans out.
    """
    bench, best, _ = lot
    barn = thing_of(bench, best, "hall")
    assert barn.limit == pytest.approx(10.0)
    assert best.posed.case.given.halls_parkable == ()
    paid, half = (barn.at(grant).case.given for grant in (10.0, 5.0))
    assert paid.halls_parkable == ((0, "barn:ai+two-feeds"),)
    assert half.halls_parkable == ()
    works = ("barn:mine", "barn:ai+two-feeds")
    assert (paid.conversion_cost[works], half.conversion_cost[works]) == (0.0, 5.0)
    # The way back is granted nothing.
    assert paid.conversion_cost[works[::-1]] == half.conversion_cost[works[::-1]] == 3.0


def test_a_rack_at_another_price_pays_its_deposit_at_order(tmp_path: Path) -> None:
    deposit = ("machines_per_rack = 500", "machines_per_rack = 500\ndeposit_share = 0.25")
    bench, best = on_bench(
        by_hand(tmp_path / "deposit", ("_month = 280", "_month = 240"), deposit)
    )
    rack = thing_of(bench, best, "rack")
    given = rack.at(400_000.0).case.given
    assert given.rack_deposit["lot"] == pytest.approx(0.1)
    assert given.rack_due["lot"] == pytest.approx(0.3)
    today, same = best.posed.case.given, rack.at(rack.price).case.given
    assert same.rack_deposit["lot"] == pytest.approx(today.rack_deposit["lot"])
    assert same.rack_due["lot"] == pytest.approx(today.rack_due["lot"])
