"""What a worker does with a point is what the ordinary commands make of the same instance."""

import json
import shutil
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest

from models.hours import Hours
from optimizer.case import prepare
from optimizer.compiled import compile_case, hinted
from optimizer.errors import InputRefused
from optimizer.highs import Budget, Options
from optimizer.matrix import objective_at
from optimizer.plan import tables
from optimizer.solve import solve
from optimizer.sweep.base import base_of, read_base
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.point.compiled import Structure, StructureDiffers
from optimizer.sweep.point.evaluate import Evaluator, _beside_nothing, _beside_plan, make_evaluate
from optimizer.sweep.point.figures import CONTRACT, FIGURES, SITE
from optimizer.sweep.point.opened import Opened, Rules
from optimizer.sweep.point.prepared import Prepared
from optimizer.sweep.point.reads import TABLES, Noted
from optimizer.sweep.points import Base, Point
from tests.optimizer.sweep.bases import INSTANCES, base, drawn, moved_alone

EACH = pytest.mark.parametrize(("name", "number"), [("by_hand", 12), ("hive", 8)])


def differing(one, other):
    """Tables of given numbers that are not the same, or not in the same order."""
    found = [name for name in TABLES if getattr(one.given, name) != getattr(other.given, name)]
    found += [
        f"order of {name}"
        for name in TABLES
        if isinstance(getattr(one.given, name), dict)
        and list(getattr(one.given, name)) != list(getattr(other.given, name))
    ]
    found += [f"hours of {site}" for site in one.hours if not _same(one, other, site)]
    return found + ([] if one.limit_prices == other.limit_prices else ["limit prices"])


def _same(one, other, site):
    return all(
        np.array_equal(getattr(one.hours[site], part.name), getattr(other.hours[site], part.name))
        for part in fields(Hours)
    )


def wrong_leaves(name):
    """Keys of an instance whose number, moved alone, leaves a case that is not the right one."""
    opened = Opened(base(name))
    prepared = Prepared(opened.loaded.instance, opened.loaded.hours)
    wrong, looked_at = {}, 0
    for point in moved_alone(name):
        try:
            changed = opened.after(point)
        except InputRefused:
            continue
        if changed.moved is None:
            continue
        looked_at += 1
        found = differing(
            prepared.after(changed.instance, changed.moved),
            prepare(changed.instance, changed.hours),
        )
        if found:
            wrong[next(iter(point.changes))] = found
    return wrong, looked_at


# --- numbers -------------------------------------------------------------------------------


@EACH
def test_numbers_of_a_point_are_those_of_its_instance(tmp_path, name, number):
    opened = Opened(base(name))
    prepared = Prepared(opened.loaded.instance, opened.loaded.hours)
    for point in drawn(tmp_path, name, number):
        changed = opened.after(point)
        assert changed.moved is not None
        found = prepared.after(changed.instance, changed.moved)
        assert differing(found, prepare(changed.instance, changed.hours)) == [], point


@pytest.mark.parametrize(("name", "least"), [("by_hand", 40), ("texas", 200)])
def test_no_number_is_read_unseen(name, least):
    """What is kept from the base must not hang on a number that moves, whichever that is."""
    wrong, looked_at = wrong_leaves(name)
    assert wrong == {}
    assert looked_at >= least


def test_a_reading_that_nobody_sees_is_caught(monkeypatch):
    seen = Noted.key
    monkeypatch.setattr(
        Noted, "key",
        lambda self, key: None if key[-1:] == ("capex_budget_musd",) else seen(self, key),
    )  # fmt: skip
    wrong, _ = wrong_leaves("by_hand")
    assert list(wrong) == ["finance.capex_budget_musd"]


# --- matrices ------------------------------------------------------------------------------


@EACH
def test_matrix_of_a_point_is_the_compiled_one_to_the_last_bit(tmp_path, name, number):
    opened = Opened(base(name))
    structure = Structure(prepare(opened.loaded.instance, opened.loaded.hours))
    alike = 0
    for point in drawn(tmp_path, name, number):
        changed = opened.after(point)
        case = prepare(changed.instance, changed.hours)
        right = compile_case(case)
        try:
            found = structure.model(case)
        except StructureDiffers:
            continue
        alike += 1
        assert_same(found, right)
    assert alike >= number // 2


def assert_same(found, right):
    assert (found.built.columns, found.built.rows, found.built.contradictions) == (
        right.built.columns, right.built.rows, right.built.contradictions,
    )  # fmt: skip
    one, other = found.matrix, right.matrix
    for name in ("data", "indices", "indptr"):
        assert np.array_equal(getattr(one.coefficients, name), getattr(other.coefficients, name))
    for name in ("row_lower", "row_upper", "column_lower", "column_upper", "cost", "integer"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    assert (one.offset, one.maximise) == (other.offset, other.maximise)
    assert list(one.row_names) == list(other.row_names)
    assert list(one.column_names) == list(other.column_names)
    assert found.warnings == right.warnings


# --- answers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "number", "gap"), [("by_hand", 20, 1e-6), ("hive", 2, 5e-2)], ids=["by_hand", "hive"]
)
def test_rows_are_those_of_a_fresh_solve(tmp_path, name, number, gap):
    one = base(name, gap)
    evaluate = Evaluator(one)
    started = Base(one.files, one.options, start=evaluate.start())
    evaluate, opened = Evaluator(started), Opened(one)
    for point in drawn(tmp_path, name, number):
        changed = opened.after(point)
        case = prepare(changed.instance, changed.hours)
        fresh, row = solve(case, one.options), evaluate(point)
        assert row.status == fresh.status
        if fresh.value_musd is None:
            assert (row.value_musd, row.metrics) == (None, {})
            continue
        within = gap * max(1.0, abs(fresh.value_musd)) + 1e-6
        assert abs(row.value_musd - fresh.value_musd) <= within
        assert row.value_musd <= row.bound_musd
        assert row.value_musd <= fresh.bound_musd + 1e-6


def test_figures_are_those_of_the_tables(tmp_path):
    one = base("by_hand")
    evaluate, opened = make_evaluate(one), Opened(one)
    for point in drawn(tmp_path, "by_hand", 6):
        changed = opened.after(point)
        case = prepare(changed.instance, changed.hours)
        row, fresh = evaluate(point), solve(case, one.options)
        if fresh.plan is None:
            continue
        told = tables(case, fresh).metrics.set_index(["scope", "metric"])["value"]
        shared = 0
        for name, value in row.metrics.items():
            metric, _, scope = name.partition(".")
            if (scope or "company", metric) in told.index:
                shared += 1
                assert value == pytest.approx(told[scope or "company", metric], abs=1e-6), name
        assert shared >= 12


def test_every_figure_is_told(tmp_path):
    evaluate = make_evaluate(base("by_hand"))
    row = evaluate(Point(0, {}, {}))
    for name in row.metrics:
        metric, dot, _ = name.partition(".")
        assert {metric, f"{metric}.{SITE}", f"{metric}.{CONTRACT}"} & set(FIGURES), name
        assert not dot or f"{metric}.{SITE}" in FIGURES or f"{metric}.{CONTRACT}" in FIGURES


def test_answers_do_not_hang_on_what_was_solved_before(tmp_path):
    one = base("by_hand")
    points = drawn(tmp_path, "by_hand", 8)
    there, back = Evaluator(one), Evaluator(one)
    rows = [there(point) for point in points]
    again = [back(point) for point in reversed(points)][::-1]

    def answer(row):
        return row.status, row.value_musd, row.bound_musd, row.message, dict(row.metrics)

    assert list(map(answer, rows)) == list(map(answer, again))


def test_what_is_wrong_with_a_point_is_told_in_its_row():
    row = make_evaluate(base("by_hand"))(Point(7, {}, {"contracts.tenant.min_mw": 9.0}))
    assert (row.number, row.status, row.value_musd) == (7, "invalid", None)
    assert row.message == "contracts.tenant: min_mw lies above max_mw"


# --- a plan in every case ------------------------------------------------------------------


def with_plan(actions, **rules):
    one = base("by_hand")
    files = Rules(**rules).files(actions.encode())
    return Evaluator(Base(one.files, one.options, plan=files))


HEAD = "action,month,subject,from,to,amount\n"
CONVERT = HEAD + "convert,2029-01,ai+two-feeds,barn:mine,barn:ai+two-feeds,1\n"
POOR, BASE = Point(0, {}, {"finance.capex_budget_musd": 5.0}), Point(1, {}, {})


def test_a_plan_is_valued_beside_the_best_one():
    still = with_plan(HEAD, only=True)
    row = still(BASE)
    assert row.status == row.metrics["plan_status"] == "solved"
    assert row.metrics["plan_value_musd"] < row.value_musd
    regret = row.value_musd - row.metrics["plan_value_musd"]
    assert row.metrics["regret_musd"] == pytest.approx(regret)
    assert row.metrics["regret_at_most_musd"] >= row.metrics["regret_musd"]
    assert row.metrics["plan_is_best"] == "no"
    # Left open, the best of all plans completes it.
    assert with_plan(HEAD)(BASE).metrics["plan_is_best"] == "yes"


def test_without_regret_the_plan_alone_is_solved():
    row = with_plan(HEAD, only=True, regret=False)(BASE)
    assert row.value_musd == row.metrics["plan_value_musd"]
    assert "regret_musd" not in row.metrics


def test_a_plan_that_a_case_cannot_keep_to_says_so():
    row = with_plan(CONVERT)(POOR)
    assert row.status == "solved"
    assert row.metrics["plan_status"] == "infeasible"
    assert row.metrics["regret_musd"] is None


def test_a_plan_that_cannot_be_read_is_refused_with_its_line():
    wrong = with_plan(HEAD + "convert,2029-01,ai+two-feeds,barn:mine,shed:ai,1\n")
    with pytest.raises(InputRefused, match="unknown place"):
        wrong.start()
    row = wrong(BASE)
    assert (row.status, row.metrics["plan_status"]) == ("solved", "invalid")
    assert "the plan: " in row.message


def test_rules_of_a_plan_are_part_of_what_answers_hang_on():
    one = base("by_hand")
    digests = {
        Base(one.files, one.options, plan=Rules(only=only).files(b"x")).version({})
        for only in (True, False)
    }
    assert len(digests) == 2
    assert Rules.of({"actions.csv": b"x"}) == Rules()
    assert Rules.of(Rules(only=True).files(b"x")) == Rules(only=True)
    assert json.loads(Rules().files(b"x")["rules.json"]) == {"only": False, "regret": True}


def test_instances_are_where_they_are_looked_for():
    assert (INSTANCES / "by_hand/instance.toml").is_file()


# --- decisions of the policy -----------------------------------------------------------------


def with_policy(tmp_path, amount):
    """by_hand, whose policy says what becomes of the barn."""
    folder = tmp_path / "base"
    shutil.copytree(INSTANCES / "by_hand", folder)
    file = folder / "instance.toml"
    file.write_text(file.read_text() + '\n[policy]\npin = "taken.csv"\n')
    line = f"convert,2029-01,ai+two-feeds,barn:mine,barn:ai+two-feeds,{amount}\n"
    (folder / "taken.csv").write_text(HEAD + line)
    sweep = Sweep(tmp_path / "s.toml", folder, "s", gap=1e-6)
    return Evaluator(base_of(sweep, read_base(folder).loaded))


def test_the_policy_decides_in_every_case(tmp_path):
    best, held = Evaluator(base("by_hand")), with_policy(tmp_path, 0)
    for point in (BASE, Point(2, {}, {"sites.creek.firm_mw": 15.0})):
        assert held(point).metrics["halls_converted"] == 0
        assert held(point).value_musd < best(point).value_musd


def test_a_policy_keeps_its_dates_where_the_horizon_moves(tmp_path):
    held = with_policy(tmp_path, 0)
    # The first period does not begin in the month of the list: it says nothing of it.
    row = held(Point(1, {}, {"horizon.start": "2028-10"}))
    assert row.status == "invalid"
    assert "no period starts in that month" in row.message
    # A year earlier the same month is the second period, in which no work would be finished.
    row = held(Point(2, {}, {"horizon.start": "2028-01"}))
    assert row.status == "invalid"
    # Periods of which the base's have no name break nothing.
    row = held(Point(3, {}, {"horizon.months_per_period": 3}))
    assert row.status == "invalid"
    assert "beyond the horizon" in row.message


def test_a_policy_decides_at_its_dates_where_the_unknowns_stay(tmp_path):
    """Without dates of others, a base that begins earlier has the same unknowns."""
    folder = tmp_path / "base"
    shutil.copytree(INSTANCES / "by_hand", folder)
    file = folder / "instance.toml"
    text, _, _ = file.read_text().partition("[contracts.tenant]")
    file.write_text(text + '[policy]\npin = "taken.csv"\n')
    (folder / "taken.csv").write_text(HEAD + "sell,2029-01,lot,barn:mine,,1\n")
    sweep = Sweep(tmp_path / "s.toml", folder, "s", gap=1e-6)
    held = Evaluator(base_of(sweep, read_base(folder).loaded))
    posed = held.posed(held.opened.after(Point(0, {}, {"horizon.start": "2028-01"})))
    assert list(posed.model.built.columns) == held.base_case()[1].built.columns
    assert set(held.pins) == {("sales", (0, "barn:mine", "lot"))}
    assert set(posed.pins) == {("sales", (1, "barn:mine", "lot"))}
    assert_same(posed.model, compile_case(posed.case, posed.pins))


def test_a_plan_is_valued_beside_what_the_policy_decides(tmp_path):
    held = with_policy(tmp_path, 0).base
    both = Evaluator(replace(held, plan=Rules().files(HEAD.encode())))
    row = both(BASE)
    assert row.metrics["plan_value_musd"] == pytest.approx(row.value_musd)
    against = Evaluator(replace(held, plan=Rules().files(CONVERT.encode())))
    row = against(BASE)
    assert (row.status, row.metrics["plan_status"]) == ("solved", "invalid")
    assert "policy.pin decides otherwise" in row.message


# --- hours -----------------------------------------------------------------------------------


def test_hours_of_a_point_are_read_again_where_it_moves_their_price(tmp_path):
    folder = tmp_path / "base"
    shutil.copytree(INSTANCES / "by_hand", folder)
    file = folder / "instance.toml"
    text = file.read_text()
    assert 'duration = "prices.csv"' in text
    file.write_text(text.replace('duration = "prices.csv"', "flat_usd_per_mwh = 40"))
    (folder / "prices.csv").unlink()
    sweep = Sweep(tmp_path / "s.toml", folder, "s", gap=1e-6)
    opened = Opened(base_of(sweep, read_base(folder).loaded))
    changed = opened.after(Point(0, {}, {"power.creek.flat_usd_per_mwh": 75.0}))
    assert set(changed.hours["creek"].price_usd_per_mwh.tolist()) == {75.0}
    assert changed.moved is None


# --- where points begin ----------------------------------------------------------------------


def test_a_point_begins_from_the_plan_of_the_base_where_that_fits():
    evaluate = Evaluator(base("by_hand"))
    start, (_, model) = evaluate.start(), evaluate.base_case()
    assert start is not None
    point = hinted(model, start, Budget())
    assert point is not None
    assert objective_at(model.matrix, point) == pytest.approx(evaluate(BASE).value_musd)
    assert hinted(model, {}, Budget()) is None
    assert hinted(model, dict(list(start.items())[1:]), Budget()) is None
    assert not model.followed.rules_out(model.layout.named(start))
    # What was converted cannot be where nothing may be spent, nor what is beyond its limits.
    changes = {"finance.capex_budget_musd": 0}
    poor = evaluate.posed(evaluate.opened.after(Point(0, {}, changes))).model
    assert poor.followed.rules_out(poor.layout.named(start))
    assert hinted(poor, start, Budget()) is None
    assert hinted(replace(poor, followed=None), start, Budget()) is None
    column = next(c for c in start if c[0] == "conversions" and start[c])
    place = model.built.columns.index(column)
    upper = model.matrix.column_upper.copy()
    upper[place] = 0.0
    shut = replace(model, matrix=replace(model.matrix, column_upper=upper))
    assert hinted(shut, start, Budget()) is None


@EACH
def test_a_start_that_is_ruled_out_does_not_fit(name, number, tmp_path):
    evaluate = Evaluator(base(name))
    start, ruled_out = evaluate.start(), 0
    spent = float(evaluate.opened.loaded.instance.finance.capex_budget_musd)
    poor = [Point(n, {}, {"finance.capex_budget_musd": spent * n / number}) for n in range(number)]
    for point in [*poor, *drawn(tmp_path, name, number)]:
        try:
            model = evaluate.posed(evaluate.opened.after(point)).model
        except InputRefused:
            continue
        if model.followed is not None and model.followed.rules_out(model.layout.named(start)):
            ruled_out += 1
            assert hinted(replace(model, followed=None), start, Budget()) is None
    assert ruled_out >= 2


# --- verdicts --------------------------------------------------------------------------------


def solved_at(value, bound, nothing=None):
    audit = SimpleNamespace(nothing_musd=nothing)
    return SimpleNamespace(status="solved", value_musd=value, bound_musd=bound, audit=audit)


@pytest.mark.parametrize(
    ("worth", "best", "bound", "verdict"),
    [(90.0, 100.0, 101.0, "no"), (100.0, 100.0, 100.5, "yes"), (100.0, 100.0, 105.0, "undecided"),
     (100.0, 100.0, None, "undecided"), (103.0, 100.0, 103.5, "yes")],
)  # fmt: skip
def test_verdicts_on_a_plan_within_the_gap_are_undecided(worth, best, bound, verdict):
    told = _beside_plan(solved_at(best, bound), solved_at(worth, None), Options(gap=0.01))
    assert told["plan_is_best"] == verdict


@pytest.mark.parametrize(
    ("value", "bound", "verdict"),
    [(110.0, 111.0, "yes"), (100.0, 100.5, "no"), (100.0, 105.0, "undecided"),
     (100.0, None, "undecided")],
)  # fmt: skip
def test_verdicts_on_doing_nothing_within_the_gap_are_undecided(value, bound, verdict):
    told = _beside_nothing(solved_at(value, bound, 100.0), Options(gap=0.01))
    assert told["beats_nothing"] == verdict
