"""Short cuts of a sweep's points come to what the long ways do, and notice what has moved."""

import gc
import random
import re
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.allocation import FAMILIES
from models.build import build
from models.given import TENANT
from models.instance import Block
from optimizer import audit as auditing
from optimizer import solve as solving
from optimizer import stills as remembering
from optimizer.answers.verdict.answers import with_held
from optimizer.audit import _splits, audit, values_of
from optimizer.bands import Room, operate, priced_hours
from optimizer.checks import Draft
from optimizer.checks.draft import _words
from optimizer.compiled import compile_case
from optimizer.errors import InputRefused
from optimizer.grouped import Grouped, Left, Rows, simple
from optimizer.highs import Options
from optimizer.keys import dotted
from optimizer.known import Known
from optimizer.settle import settle
from optimizer.solve import Still, do_nothing
from optimizer.splits import READ, split_halls
from optimizer.sweep.design.keys import changed
from optimizer.sweep.point import hourwise
from optimizer.sweep.point.compiled import OBJECTIVE, Structure, StructureDiffers
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.point.opened import Opened
from optimizer.sweep.point.prepared import Prepared
from optimizer.sweep.point.reads import Noted, watched_given
from optimizer.sweep.points import Base, Point
from tests.optimizer.sweep.bases import base, document, leaves, moved_alone

ROOT = Path(__file__).parents[3] / "instances"
#: Figures of texas, and the values that they may take.
KEYS = {
    "finance.capex_budget_musd": (300.0, 900.0),
    "finance.discount_per_year": (0.05, 0.2),
    "finance.loan.interest_per_year": (0.04, 0.14),
    "sites.pecos.firm_mw": (40.0, 90.0),
    "sites.nolan.firm_mw": (10.0, 40.0),
    "sites.milam.staff_musd_per_year": (0.0, 6.0),
    "power.west.adder_usd_per_mwh": (2.0, 40.0),
    "power.south.growth_per_year": (0.0, 0.05),
    "contracts.hyperscaler.rate_usd_per_kw_month": (120.0, 200.0),
    "bitcoin.pool_fee_share": (0.0, 0.05),
}
#: Figures that no instance may have, or not together.
WRONG = (
    {"sites.pecos.firm_mw": -1.0},
    {"sites.pecos.firm_mw": 5e6},
    {"finance.capex_budget_musd": -3.0},
    {"finance.discount_per_year": 12.0},
    {"finance.opening_cash_musd": 0.0, "finance.minimum_cash_musd": 500.0},
    {"contracts.hyperscaler.availability": 1.5},
    {"halls.pecos-old.it_mw": 0.0001},
    {"racks.s21-lot.machines_per_rack": 280_000},
    {"fitouts.ai-liquid.capex_usd_per_kw": 50.0},
)


@contextmanager
def opened(name, more=b""):
    files = {path.name: path.read_bytes() for path in (ROOT / name).iterdir() if path.is_file()}
    files["instance.toml"] += more
    base = Opened(Base(files, Options()))
    try:
        yield base
    finally:
        del base


@pytest.fixture(scope="module")
def texas():
    """The base as a worker holds it."""
    with opened("texas") as base:
        prepared = Prepared(base.loaded.instance, base.loaded.hours)
        yield base, prepared, Structure(prepared.case)


def drawn(seed):
    rng = random.Random(seed)
    keys = rng.sample(sorted(KEYS), rng.randint(1, 4))
    return Point(seed, {}, {key: round(rng.uniform(*KEYS[key]), 4) for key in keys})


def case_of(texas, point):
    base, prepared, _ = texas
    changed = base.after(point)
    return prepared.after(changed.instance, changed.moved)


def any_point(model, seed):
    """Numbers of about the right size, whole where they have to be; most plans break limits."""
    rng = np.random.default_rng(seed)
    count = model.matrix.shape[1]
    x = np.where(rng.random(count) < 0.3, rng.uniform(0, 4, count), 0.0)
    x = np.where(model.matrix.integer, np.rint(x), x)
    return np.where(model.layout.domains["binary"], np.minimum(x, 1.0), x)


# --- the matrix ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_arrays_are_those_of_the_case_compiled_anew(texas, seed):
    case = case_of(texas, drawn(seed))
    quick, slow = texas[2].model(case).matrix, compile_case(case).matrix
    assert (quick.coefficients != slow.coefficients).nnz == 0
    np.testing.assert_array_equal(quick.coefficients.data, slow.coefficients.data)
    for name in ("row_lower", "row_upper", "column_lower", "column_upper", "cost", "integer"):
        np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name))
    assert quick.offset == slow.offset


def test_points_do_not_leave_traces_in_one_another(texas):
    case = case_of(texas, drawn(1))
    before = texas[2].model(case).matrix
    for seed in range(2, 6):
        texas[2].model(case_of(texas, drawn(seed)))
    after = texas[2].model(case).matrix
    np.testing.assert_array_equal(before.coefficients.data, after.coefficients.data)
    np.testing.assert_array_equal(before.row_upper, after.row_upper)


# --- plans -----------------------------------------------------------------------------------


def same_plans(case, model, point):
    quick = model.followed.settled(point)
    slow = settle(case.given, model.values(point))
    one, other = values_of(quick.plan), values_of(slow)
    assert list(one) == list(other)
    np.testing.assert_allclose(list(one.values()), list(other.values()), rtol=1e-12, atol=1e-9)
    return quick, slow


@pytest.mark.parametrize("seed", range(4))
def test_plans_follow_alike_through_arrays_and_families(texas, seed):
    case = case_of(texas, drawn(seed))
    model = texas[2].model(case)
    same_plans(case, model, any_point(model, seed))


@pytest.mark.parametrize("name", ["by_hand", "hut8", "iren"])
def test_plans_of_other_bases_do_as_well(name):
    with opened(name) as base:
        case = Prepared(base.loaded.instance, base.loaded.hours).case
    model = Structure(case).model(case)
    for seed in range(2):
        same_plans(case, model, any_point(model, seed))


@pytest.mark.parametrize("seed", range(6))
def test_the_audit_finds_the_same_in_arrays(texas, seed):
    case = case_of(texas, drawn(seed))
    model = texas[2].model(case)
    point = any_point(model, seed) if seed else np.zeros(model.matrix.shape[1])
    settled = model.followed.settled(point)
    if seed == 1:
        settled.point[model.layout.place["cash", (3,)]] = settled.plan.cash[3,] = -1e3
    quick = audit(case, settled.plan, settled=settled, claimed_musd=1.0, bound_musd=2.0)
    slow = audit(case, settled.plan, claimed_musd=1.0, bound_musd=2.0)
    assert [(b.limit, b.index, b.where) for b in quick.breaches] == [
        (b.limit, b.index, b.where) for b in slow.breaches
    ]
    for name in ("value_musd", "banded_margin_musd", "hourly_margin_musd"):
        assert getattr(quick, name) == pytest.approx(getattr(slow, name), rel=1e-12, abs=1e-9)
    assert quick.relations == slow.relations


def test_what_is_not_a_number_or_not_whole_is_found_in_arrays(texas):
    case = case_of(texas, drawn(0))
    model = texas[2].model(case)
    for name, wrong in (("orders", np.nan), ("orders", 0.5), ("orders", -2.0), ("signing", 2.0)):
        settled = model.followed.settled(np.zeros(model.matrix.shape[1]))
        place = model.layout.place[next(c for c in model.built.columns if c[0] == name)]
        settled.point[place] = wrong
        getattr(settled.plan, name)[model.built.columns[place][1]] = wrong
        quick, slow = audit(case, settled.plan, settled=settled), audit(case, settled.plan)
        assert quick.breaches
        assert str(quick.breaches) == str(slow.breaches)


# --- doing nothing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "kept"),
    [("by-itself", True), ("node-limit", True), ("time-limit", False), ("interrupted", False)],
)
def test_only_what_the_clock_did_not_end_is_remembered(monkeypatch, ended, kept):
    """What is found in a hurry hangs on the machine, and must be no answer of other cases."""
    with opened("by_hand") as base:
        case = Prepared(base.loaded.instance, base.loaded.hours).case
    model, honest = Structure(case).model(case), solving.search
    monkeypatch.setattr(solving, "search", lambda *a, **k: replace(honest(*a, **k), ended=ended))
    first = do_nothing(case, model)
    assert first is not None
    assert bool(model.followed.resting._known) == kept
    monkeypatch.undo()
    assert do_nothing(case, model).value_musd == first.value_musd


@pytest.fixture
def by_hand():
    with opened("by_hand") as base:
        prepared = Prepared(base.loaded.instance, base.loaded.hours)
        yield base, prepared, Structure(prepared.case)


def nothings(bases, points):
    """Do nothing at some points, one after another, and each anew; say which were remembered."""
    kept, remembered = bases[2]._stills, []
    for point in points:
        try:
            case = case_of(bases, point)
            model = bases[2].model(case)
        except (InputRefused, StructureDiffers):
            continue
        remembered.append(kept.find(model.followed.made_of, model.followed.checked) is not None)
        quick, anew = do_nothing(case, model), do_nothing(case, compile_case(case))
        assert (quick is None) == (anew is None), point.changes
        if quick is not None and anew is not None:
            near = pytest.approx(anew.value_musd, rel=1e-12, abs=1e-12)
            assert quick.value_musd == near, point.changes
            audited = audit(case, quick.carried.plan, settled=quick.carried.settled)
            assert audited.passed
            assert audited.value_musd == near
    return remembered


def every_number():
    """The base itself, then each of its numbers moved, then limits that nothing can keep."""
    yield Point(0, {}, {})
    yield from moved_alone("by_hand")
    for key, value in (
        ("finance.minimum_cash_musd", 1e3),
        ("finance.opening_cash_musd", 0.0),
        ("finance.capex_budget_musd", 0.0),
        ("sites.creek.firm_mw", 0.01),
    ):
        yield Point(0, {}, {key: value})


def test_doing_nothing_is_remembered_where_it_comes_to_the_same(by_hand):
    remembered = nothings(by_hand, every_number())
    assert not remembered[0]
    assert 2 < sum(remembered) < len(remembered) - 30


def test_doing_nothing_on_texas_is_what_it_is_anew(texas):
    points = [drawn(3), *(Point(0, {}, {"finance.capex_budget_musd": b}) for b in (300.0, 301.0))]
    assert nothings(texas, points)[1:] == [False, True]


def test_a_memory_of_doing_nothing_that_forgets_what_it_is_of_is_found_out(by_hand, monkeypatch):
    monkeypatch.setattr(remembering, "_key", lambda *_: "all alike")
    with pytest.raises(AssertionError):
        nothings(by_hand, every_number())


def with_lots_to_come():
    """by_hand without a budget: sixteen lots come, which live a while or a little longer."""
    text = (ROOT / "by_hand" / "instance.toml").read_text(encoding="utf-8")
    come = '[[commitments.racks]]\nhall = "barn"\nrack = "lot"\nracks = 16\n'
    text = re.sub(r"\[\[fleet\]\][^\[]*", f'{come}delivery = "2029-07"\n\n', text)
    short = '[racks.short]\nworkload = "mining"\nmachine = "miner"\nmachines_per_rack = 500\n'
    text = text.replace("[racks.lot]", f"{short}life_months = 12\n\n[racks.lot]\nlife_months = 24")
    text = text.replace("hashprice_usd_per_ph_day = 48", "hashprice_usd_per_ph_day = 8")
    return text.replace("capex_budget_musd = 15\n", "")


def without_budget():
    text = (ROOT / "by_hand" / "instance.toml").read_text(encoding="utf-8")
    return text.replace("capex_budget_musd = 15\n", "")


@pytest.mark.parametrize("typed", [with_lots_to_come, without_budget])
@pytest.mark.parametrize(
    "second", [{"racks.lot.life_months": 23}, {}], ids=["a life shorter", "the base"]
)
def test_what_doing_nothing_comes_to_hangs_on_no_point_before(typed, second):
    """A limit that one point alone has shifts the rows of all others; lives say what is kept."""
    if typed is without_budget and second:
        second = {"finance.opening_cash_musd": 11.0}
    prices = (ROOT / "by_hand" / "prices.csv").read_bytes()
    base = Base({"instance.toml": typed().encode(), "prices.csv": prices}, Options(time_limit=20))
    points = [Point(0, {}, {"finance.capex_budget_musd": 40.0}), Point(1, {}, dict(second))]
    both, alone = Evaluator(base), Evaluator(base)
    for point in points:
        after = both(point)
    before = alone(points[1])
    assert after.status == before.status == "solved"
    assert after.metrics["nothing_value_musd"] == before.metrics["nothing_value_musd"]
    assert after.value_musd == before.value_musd


def test_doing_nothing_reads_no_table_that_it_is_not_remembered_by(by_hand):
    case = by_hand[1].case
    model, noted = by_hand[2].model(case), Noted()
    with noted.listening():
        do_nothing(replace(case, given=watched_given(case.given, noted)), model)
    shapes = {"tree", "site_of", "sites"}
    assert noted.tables - shapes <= set(model.followed.made_of), noted.tables
    # Beside tables: what it earns in hours, what it is worth, and every relation.
    families = {family.name for family in FAMILIES}
    assert {"bands", OBJECTIVE, *families} <= set(model.followed.made_of)


def test_points_leave_nothing_behind_that_takes_note(by_hand):
    counts = []
    for number in range(12):
        point = Point(number, {}, {"finance.discount_per_year": 0.1 + 0.01 * number})
        by_hand[2].model(case_of(by_hand, point))
        counts.append(len(by_hand[1].noted._forgetting))
    assert counts[-1] <= counts[2] + 1


def test_points_whose_hours_nothing_has_moved_leave_nothing_behind_either(by_hand):
    counts = []
    for number in range(12):
        point = Point(number, {}, {"finance.capex_budget_musd": 9.0 + number})
        by_hand[2].model(case_of(by_hand, point))
        counts.append(len(by_hand[2]._hours._noted._forgetting))
    assert counts[-1] <= counts[2] + 1


def still_of(by_hand):
    """Doing nothing on the base, remembered, with what it is made of and what it left open."""
    followed = by_hand[2].model(by_hand[1].case).followed
    do_nothing(by_hand[1].case, replace(by_hand[2].model(by_hand[1].case)))
    (kept,) = followed.stills._known._known.values()
    return followed, kept


def test_only_doing_nothing_that_hangs_on_relations_alone_is_remembered(by_hand, monkeypatch):
    case = by_hand[1].case
    model = by_hand[2].model(case)
    still, free = do_nothing(case, model), np.zeros(model.matrix.shape[1], bool)
    plan, known = still.carried.plan, model.followed.stills._known._known
    for changed_plan in (
        replace(plan, hosting={(0, "x", "p", TENANT): 1.0}),
        replace(plan, curtailed={(0, "s", "d", "y"): 0.0}),
    ):
        known.clear()
        carried = replace(still.carried, plan=changed_plan)
        solving._remember(model, Still(still.point, still.value_musd, lambda c=carried: c), free)
        assert not known
    solving._remember(model, still, free)
    assert len(known) == 1


@pytest.mark.parametrize("first", ["itself", "held"])
def test_doing_nothing_is_not_taken_from_a_case_that_holds_other_decisions(by_hand, first):
    """Nor is what is held remembered for the case itself."""
    case = by_hand[1].case
    model = by_hand[2].model(case)
    column = next(c for c in model.built.columns if c[0] == "signing")
    held = with_held(model, {column: 1.0})
    if first == "itself":
        assert do_nothing(case, model) is not None
        assert do_nothing(case, held) is None
    upper = np.where(model.layout.place[column] == np.arange(len(model.kinds)), 0.0,
                     model.matrix.column_upper)  # fmt: skip
    forbidden = replace(model, matrix=replace(model.matrix, column_upper=upper))
    assert do_nothing(case, forbidden) is not None
    assert bool(model.followed.stills._known._known) == (first == "itself")


def test_doing_nothing_that_had_to_sell_racks_is_not_remembered(by_hand, monkeypatch):
    case = by_hand[1].case
    model, honest, tried = by_hand[2].model(case), solving._resting, []

    def resting(model, held, *others):
        tried.append(held)
        return None if len(tried) == 1 else honest(model, held, *others)

    monkeypatch.setattr(solving, "_resting", resting)
    assert do_nothing(case, model) is not None
    assert len(tried) == 2
    assert not model.followed.stills._known._known


def test_limits_that_doing_nothing_left_alone_are_looked_at_again(by_hand):
    followed, _ = still_of(by_hand)
    checked, stills = followed.checked, followed.stills
    (loose,) = stills._ways
    assert "capital.capex_budget" in loose
    assert stills.find(followed.made_of, checked) is not None
    for j, (name, _) in enumerate(checked.rows):
        if name in loose:
            # A limit moved beyond where doing nothing stands.
            constant = checked.right.constant.copy()
            constant[j] += 1e3 * checked.sense[j]
            tight = replace(checked, right=replace(checked.right, constant=constant))
            assert stills.find(followed.made_of, tight) is None
    for name in set(followed.made_of) - loose:
        other = {**followed.made_of, name: object()}
        assert stills.find(other, checked) is None
    for name in loose:
        assert stills.find({**followed.made_of, name: object()}, checked) is not None


def test_only_limits_of_what_was_settled_are_left_alone(by_hand):
    followed = by_hand[2].model(by_hand[1].case).followed
    checked = followed.checked
    rng = np.random.default_rng(2)
    for share in (0.0, 0.02, 0.2, 1.0):
        free = rng.random(len(checked.columns)) < share
        touched = {
            name
            for (name, _), sense, left, right in zip(
                checked.rows, checked.sense, checked.left.coefficients.toarray(),
                checked.right.coefficients.toarray(), strict=True,
            )
            if sense == 0 or (left != 0)[free].any() or (right != 0)[free].any()
        }  # fmt: skip
        names = {name for name, _ in checked.rows}
        assert remembering.untouched(checked, free) <= names - touched
        if share in (0.0, 1.0):
            assert remembering.untouched(checked, free) == names - touched


# --- hours -----------------------------------------------------------------------------------


def rooms(g, s, seed):
    rng = np.random.default_rng(seed)
    nodes, classes = len(g.nodes), len(g.mining_classes[s])
    firm = rng.uniform(-5, 40, nodes)
    return Left(
        rng.uniform(0, 30, (nodes, classes)), firm + rng.uniform(0, 60, nodes), firm, None, 55.0
    )


@pytest.mark.parametrize("seed", range(5))
def test_hours_dispatched_together_run_as_each_alone(texas, seed):
    case = case_of(texas, drawn(seed))
    g = case.given
    for s in g.sites:
        assert simple(g, s)
        priced = [priced_hours(g, n, s, case.hours[s]) for n in g.nodes]
        grouped, left = Grouped.of(g, s, Rows.of(priced)), rooms(g, s, seed)
        running, begins = grouped.running(left), grouped.rows.begins
        for j, n in enumerate(g.nodes):
            installed = dict(zip(g.mining_classes[s], left.installed[j].tolist(), strict=True))
            room = Room(installed, left.supply[j], left.cut_supply[j], most_mw=left.most)
            alone, _ = operate(g, n, s, priced[j], room)
            np.testing.assert_array_equal(running[begins[j] : begins[j + 1]], alone)


def margins_of(followed, case, point):
    return [pair[2:] for pair in followed.margins(followed.settled(point), case)]


def stale(texas, structure):
    """Whether any of some points has hours of another: dispatched by what moved before it."""
    found = []
    moved = ("sites.nolan.firm_mw", 10.0), ("bitcoin.pool_fee_share", 0.009)
    for point in (drawn(3), *(Point(0, {}, dict([change])) for change in moved)):
        case = case_of(texas, point)
        quick, fresh = structure.model(case), Structure(case).model(case)
        # With nothing done, all of today's machines run.
        point = np.zeros(fresh.matrix.shape[1])
        one, other = (margins_of(m.followed, case, point) for m in (quick, fresh))
        found.append(not np.allclose(one, other, rtol=1e-12, atol=1e-12))
    return any(found)


def test_hours_are_grouped_again_where_what_they_read_has_moved(texas):
    assert not stale(texas, texas[2])


def test_a_memory_that_overlooks_a_table_is_found_out(texas):
    structure = Structure(texas[1].case)
    _, firm_mw = structure._hours._families[0]
    assert "firm_mw" in firm_mw._base.tables
    firm_mw._base.tables = ()
    assert stale(texas, structure)


def test_hours_that_take_much_memory_are_not_kept_for_long(texas, monkeypatch):
    monkeypatch.setattr(hourwise, "MOST_BYTES", 1)
    structure = Structure(texas[1].case)
    assert not stale(texas, structure)
    for share in (0.01, 0.02, 0.03):
        structure.model(case_of(texas, Point(0, {}, {"bitcoin.pool_fee_share": share})))
    hours = structure._hours
    assert len(hours._hours._answers) == len(hours._priced._answers) == 1


def test_points_leave_no_classes_behind():
    """Caches by class, of whoever reads a block, would hold one for every point."""
    evaluator, counts = Evaluator(base("by_hand")), []
    for n in range(4):
        figures = {"finance.capex_budget_musd": 8.5 + n, "sites.creek.firm_mw": 9.5 + n}
        assert evaluator(Point(n, {}, figures)).status == "solved"
        gc.collect()
        counts.append(len(kinds(Block)))
    assert counts[1:] == [counts[1]] * 3


def kinds(kind):
    """All classes that are made of a class and not yet forgotten."""
    return {kind}.union(*map(kinds, kind.__subclasses__()))


# --- halls -----------------------------------------------------------------------------------


def test_splits_look_at_no_other_tables_than_they_are_remembered_by(texas):
    noted = Noted()
    given = watched_given(texas[1].case.given, noted)
    rng = random.Random(0)
    seen = set()
    for _ in range(60):
        p = rng.choice([p for p, types in given.racks_at.items() if types])
        racks = {k: rng.randint(0, 9) for k in given.racks_at[p]}
        tenants = {x: rng.uniform(0, 9) for x in given.contracts_at.get((p, TENANT), ())}
        with noted.listening():
            split_halls(given, p, rng.randint(1, 4), racks, tenants)
        seen |= noted.tables
    assert seen <= set(READ)


@pytest.mark.parametrize("key", ["halls.pecos-old.it_mw", "racks.s21-lot.machines_per_rack"])
def test_splits_of_halls_or_racks_of_another_size_are_not_remembered(texas, key):
    base, prepared, structure = texas
    kept = structure.model(prepared.case).followed.splits
    assert structure.model(case_of(texas, drawn(0))).followed.splits is kept
    moved = case_of(texas, Point(0, {}, {key: base.held(key) + 1}))
    assert structure.model(moved).followed.splits is not kept


def test_racks_are_split_once():
    known, asked = Known(9), []
    for key in ("a", "b", "a"):
        assert not known.of(key, lambda key=key: bool(asked.append(key)))
    assert asked == ["a", "b"]


def stood(place="p", whole=2, racks=3, tenants=1.0, filled=(1, 0)):
    """A plan of one place, as far as its split goes, and where it is."""
    given = SimpleNamespace(
        racks_at={place: ("k",)}, contracts_at={(place, TENANT): ("x",)},
        fillings={place: ({"k": 2.0}, {"k": 1.0})},
    )  # fmt: skip
    plan = SimpleNamespace(
        given=given, halls={(0, place): whole}, racks={(0, place, "k"): racks},
        hosting={(0, "x", place, TENANT): tenants},
        filled={(0, place, w): number for w, number in enumerate(filled)},
    )  # fmt: skip
    return plan, [(0, place)]


def test_a_split_is_remembered_of_the_very_same_halls_and_racks(monkeypatch):
    asked, known = [], Known(99)
    monkeypatch.setattr(auditing, "split_halls", lambda *found, **more: asked.append(found) or [])
    others = [
        {}, {"place": "q"}, {"whole": 3}, {"racks": 4}, {"tenants": 1.5}, {"filled": (0, 1)},
    ]  # fmt: skip
    for _ in range(2):
        for other in others:
            assert list(_splits(*stood(**other), known)) == []
    assert len(asked) == len(others)


# --- reading ---------------------------------------------------------------------------------


def read_whole(base, point):
    """Read a point as a folder of its own: its instance, or what is wrong with it."""
    document = changed(base._reading.document, point.changes)
    try:
        return base._reading.again(deepcopy(document), hours=base.loaded.hours)[0]
    except InputRefused as refused:
        return refused.problems


@pytest.mark.parametrize("seed", range(25))
def test_points_read_as_changes_are_what_they_are_read_whole(texas, seed):
    base, rng = texas[0], random.Random(seed)
    point = drawn(seed)
    if seed % 2:
        point = Point(seed, {}, {**point.changes, **rng.choice(WRONG)})
    whole = read_whole(base, point)
    if isinstance(whole, tuple):
        with pytest.raises(InputRefused) as refused:
            base.after(point)
        assert refused.value.problems == whole
    else:
        assert base.after(point).instance == whole


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: next(iter(wrong)))
def test_a_wrong_figure_is_refused_in_the_same_words(texas, wrong):
    found, whole = read_both(texas[0], Point(0, {}, dict(wrong)))
    assert found == whole
    assert isinstance(whole, tuple) == ("finance.opening_cash_musd" not in wrong)


def read_both(base, point):
    """Read a point as a change and whole: each time its instance, or what is wrong with it."""
    whole = read_whole(base, point)
    try:
        return base.after(point).instance, whole
    except InputRefused as refused:
        return refused.problems, whole


def levels(value):
    """Few values of a number, so that points share them; some of them no instance may have."""
    if isinstance(value, int):
        return value, value + 1, 2 * value, 0
    return value, 1.3 * value, 0.5 * value, 0.2 * value, 4.0 * value, 0.0, 60.0 * value


def some(numbers, seed):
    """A point of a few numbers at few levels."""
    rng = random.Random(seed)
    keys = rng.sample(numbers, rng.randint(1, 3))
    return Point(seed, {}, {dotted(key): rng.choice(levels(value)) for key, value in keys})


def test_points_that_share_figures_are_refused_as_they_are_alone(by_hand):
    """What a check found of some figures holds where all that it saw is the same, and not else."""
    base = by_hand[0]
    numbers = list(leaves(document("by_hand")))
    told = [read_both(base, some(numbers, seed)) for seed in range(600)]
    assert all(found == whole for found, whole in told)
    refused = sum(isinstance(whole, tuple) for _, whole in told)
    assert 50 < refused < 550


def test_a_key_that_a_point_adds_may_name_what_is_not_there():
    """Where nothing is added, words are those of the base, and who asks for them is not asked."""
    key = "finance.capex_budget_by_site_musd"
    with opened("by_hand", f"\n[{key}]\n".encode()) as base:
        for names in ("creek", "atlantis", "creek", "creek atlantis", "creek"):
            added = {f"{key}.{name}": 7.0 for name in names.split()}
            found, whole = read_both(base, Point(0, {}, added))
            assert found == whole
            assert isinstance(found, tuple) == ("atlantis" in names)


def test_names_are_looked_up_again_only_where_a_key_is_added(monkeypatch):
    asked = []
    monkeypatch.setattr(
        Draft, "words", property(lambda draft: asked.append(1) or _words(draft.document))
    )
    with opened("by_hand", b"\n[finance.capex_budget_by_site_musd]\n") as base:
        asked.clear()
        for musd in (5.0, 6.0, 7.0):
            base.after(Point(0, {}, {"finance.capex_budget_musd": musd}))
        assert not asked
        base.after(Point(0, {}, {"finance.capex_budget_by_site_musd.creek": 5.0}))
        assert asked


def test_most_points_are_not_read_whole(texas, monkeypatch):
    monkeypatch.setattr(texas[0]._reading, "again", lambda *_, **__: pytest.fail("read whole"))
    for seed in range(10):
        texas[0].after(drawn(seed))


def test_unknowns_stand_where_the_model_has_them(texas):
    case = texas[1].case
    layout = texas[2].layout
    assert list(layout.columns) == build(case.given).columns
    assert all(layout.columns[j] == column for column, j in layout.place.items())
