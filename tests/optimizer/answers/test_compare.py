"""What differs between plans: on paper first, then random pairs whose parts must add up."""

from __future__ import annotations

import io
import itertools
import json
import math
import os
import random
import shutil
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError
from rich.console import Console

from models.given import TENANT
from models.hours import Hours, flat
from models.instance import Instance
from optimizer.answers.alternatives.measures import year_ends
from optimizer.answers.compare import given, plans, waterfall
from optimizer.answers.compare import told as told_module
from optimizer.answers.compare.compared import compare
from optimizer.answers.compare.plans import ActionChange
from optimizer.answers.compare.side import Document, Side
from optimizer.answers.compare.told import Compared
from optimizer.answers.compare.waterfall import DoesNotAddUp, by_line
from optimizer.audit import Breach
from optimizer.case import Case, prepare
from optimizer.cli import main
from optimizer.commands.ready import Wish, make_ready
from optimizer.commands.runs import kept_inputs
from optimizer.commands.voice import Voice
from optimizer.errors import InputRefused
from optimizer.highs import Budget, Options
from optimizer.solve import Solved, solve
from optimizer.words import period_of
from tests.folders import edited, write_folder
from tests.models.small_cases import draw_case, ready

BY_HAND = Path(__file__).parents[3] / "instances" / "by_hand"
QUICK = Options(gap=1e-6, time_limit=3600.0)
#: How many random pairs the suite compares, and how many a soak does.
FEW, MANY = 6, int(os.environ.get("RACKWATT_PAIRS", "200"))
ADDS_UP = 1e-9


def other_by_hand(folder: Path, **texts: str) -> Path:
    """Copy the case on paper with pieces of its text changed: ``old=new`` by position."""
    shutil.copytree(BY_HAND, folder)
    path = folder / "instance.toml"
    text = path.read_text()
    for old, new in (piece.split(" -> ") for piece in texts.values()):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)
    (folder / "sources.csv").unlink()
    return folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["compare", *arguments, "--json", "--quiet"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, answer


# --- on paper ------------------------------------------------------------------------------


def test_steps_on_paper(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten lots mine 7,300 hours a year; a PH/s earns half a dollar more an hour for 12 $ a day.

    That is 25 $/MWh on 73,000 MWh a year, worth 10/11 and 1000/1331 today. The tenant pays 80 $
    less on 5 MW for a year, worth 1000/1331. With two million less the plan breaks the floor
    of the cash, so the last step is told with the decisions.
    """
    other = other_by_hand(
        tmp_path / "other", a="hashprice_usd_per_ph_day = 48 -> hashprice_usd_per_ph_day = 60",
        b="rate_usd_per_kw_month = 280 -> rate_usd_per_kw_month = 200",
        c="opening_cash_musd = 12 -> opening_cash_musd = 10",
    )  # fmt: skip
    code, answer = told(capsys, str(BY_HAND), str(other))
    (one,) = answer["comparisons"]
    assert code == 0
    assert [row["key"] for row in one["input"]] == [
        "contracts.tenant.rate_usd_per_kw_month", "bitcoin.hashprice_usd_per_ph_day",
        "finance.opening_cash_musd",
    ]  # fmt: skip
    rent, mining, rest = one["steps"]
    assert rent["held"]
    assert rent["change_musd"] == pytest.approx(-80 * 5000 * 12 / 1e6 * 1000 / 1331, abs=1e-9)
    worth = 25 * 73_000 / 1e6 * (10 / 11 + 1000 / 1331)
    assert mining["change_musd"] == pytest.approx(worth, abs=1e-9)
    assert not rest["held"]
    assert "least cash" in rest["why"]
    assert {row["what"] for row in one["actions"]} == {"dropped"}
    assert one["contracts"] == [
        {"contract": "tenant", "old_mw": pytest.approx(5.0), "new_mw": 0.0,
         "more_mw": pytest.approx(-5.0)}
    ]  # fmt: skip


def test_a_run_is_compared_as_it_was_solved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The instance has been edited since: the run knows what it was solved from."""
    folder = other_by_hand(tmp_path / "case", a="capex_budget_musd = 15 -> capex_budget_musd = 14")
    runs = [str(tmp_path / name) for name in ("before", "after")]
    assert main(["solve", str(folder), "--out", runs[0], "--quiet"]) == 0
    text = (folder / "instance.toml").read_text()
    (folder / "instance.toml").write_text(text.replace("budget_musd = 14", "budget_musd = 5"))
    assert main(["solve", str(folder), "--out", runs[1], "--quiet"]) == 0
    capsys.readouterr()
    code, answer = told(capsys, *runs, "--out", str(tmp_path / "difference"))
    (one,) = answer["comparisons"]
    assert code == 0
    assert one["input"] == [
        {"group": "finance", "key": "finance.capex_budget_musd", "what": "changed", "old": "14",
         "new": "5"}
    ]  # fmt: skip
    known = [json.loads((Path(run) / "plan.json").read_text())["value_musd"] for run in runs]
    assert [one["old_musd"], one["new_musd"]] == pytest.approx(known, abs=1e-8)
    assert (tmp_path / "difference" / "value_by_input.csv").is_file()
    assert (tmp_path / "difference" / "compare.json").is_file()


def test_the_same_twice_differs_in_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = told(capsys, str(BY_HAND), str(BY_HAND))
    (one,) = answer["comparisons"]
    assert code == 0
    assert not one["input"]
    assert not one["actions"]
    assert [step["change_musd"] for step in one["steps"]] == [0.0]


def test_a_run_without_inputs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert main(["solve", str(BY_HAND), "--out", str(run), "--quiet"]) == 0
    shutil.rmtree(run / "inputs")
    capsys.readouterr()
    code, answer = told(capsys, str(run), str(BY_HAND))
    assert code == 3
    assert "keeps no inputs" in answer["problems"][0]["message"]


@pytest.fixture(scope="module")
def solved_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("solved") / "run"
    assert main(["solve", str(BY_HAND), "--out", str(run), "--quiet"]) == 0
    return run


@pytest.mark.parametrize("name", ["plan.json", "actions.csv", "inputs/instance.toml"])
def test_a_run_that_was_changed_is_refused(
    solved_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(solved_run, run)
    path = run / name
    path.write_bytes(path.read_bytes() + b"\n")
    code, answer = told(capsys, str(run), str(BY_HAND))
    assert code == 2
    assert f"{name} was changed" in answer["message"]
    if not name.startswith("inputs/"):
        path.unlink()
        code, answer = told(capsys, str(run), str(BY_HAND))
        assert code == 2
        assert f"{name} is missing" in answer["message"]


def test_a_run_that_was_best_found_stays_so(
    solved_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(solved_run, run)
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "best-found"}))
    code, answer = told(capsys, str(run), str(solved_run))
    assert code == 10
    assert answer["status"] == "best-found"
    code, answer = told(capsys, str(solved_run), str(solved_run))
    assert (code, answer["status"]) == (0, "solved")


def test_a_run_keeps_no_inputs_that_were_changed_since(tmp_path: Path) -> None:
    folder = other_by_hand(tmp_path / "case", a="capex_budget_musd = 15 -> capex_budget_musd = 14")
    wish = Wish(folder)
    ready = make_ready(wish, Voice(quiet=True))
    kept = kept_inputs(ready, wish)
    assert kept is not None
    assert kept.files["instance.toml"] == (folder / "instance.toml").read_bytes()
    with (folder / "instance.toml").open("a") as file:
        file.write("# other\n")
    assert kept_inputs(ready, wish) is None


def test_no_plan_points_to_what_explains_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    debt = '[[commitments.debt]]\nname = "note"\nmonth = "2027-06"\nprincipal_musd = '
    broke = write_folder(tmp_path / "broke", edited(debt + "2", debt + "500"))
    code, answer = told(capsys, str(BY_HAND), str(broke))
    assert code == 4
    assert f"rackwatt explain {broke}" in answer["message"]


def test_only_equal_amounts_have_moved() -> None:
    """Four racks at one month and five at another are two deeds."""
    deed = ("order", "creek", "s21", "", "north:mining")
    was, is_ = {"2029-01": 4.0, "2029-04": 2.0}, {"2029-07": 5.0, "2029-10": 2.0}
    (row,) = plans._moved(deed, was, is_, "racks")
    assert (row.old_month, row.new_month, row.new_amount) == ("2029-04", "2029-10", 2.0)
    assert (was, is_) == ({"2029-01": 4.0}, {"2029-07": 5.0})


def test_contracts_that_are_owed_are_signed() -> None:
    drawn = draw_case(2)
    (owed,) = drawn.instance.commitments.contracts
    document = drawn.instance.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
    side = _side("owed", document, drawn.hours)
    assert side is not None
    rows = {row.contract: row for row in plans.contract_changes(side, side)}
    assert rows[owed.contract].old_mw == pytest.approx(owed.mw)


def test_amounts_of_things_are_whole() -> None:
    row = ActionChange("more", "order", "creek", "s21", "", "", "2029-01", "2029-01", 4.0, 8.0,
                       "racks")  # fmt: skip
    assert told_module._amounts(row) == "order 8 for 4 racks, s21"


def test_held_plans_are_told_as_far_as_they_are_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that did not pass its audit is not one that time was too short for."""
    before, after = next(pair for pair in pairs(0)
                         if len(waterfall.by_input(*pair, QUICK)) > 2)  # fmt: skip
    steps = waterfall.by_input(before, after, QUICK)
    assert all(step.proved for step in steps if step.held)
    real = waterfall.solve

    def unproved(*args: Any, **named: Any) -> Any:
        return replace(real(*args, **named), status="best-found")

    monkeypatch.setattr(waterfall, "solve", unproved)
    steps = waterfall.by_input(before, after, QUICK)
    assert not any(step.proved for step in steps if step.held)
    assert "best found" in _on_screen(before, after, compare(before, after, QUICK))

    def failing(*args: Any, **named: Any) -> Any:
        found = real(*args, **named)
        assert found.audit is not None
        breach = Breach("capital.cash_floor", (0,), "2029-01", 1.0, 2.0, ">=")
        judged = replace(found.audit, breaches=(breach,))
        return replace(found, status="audit-failed", audit=judged)

    monkeypatch.setattr(waterfall, "solve", failing)
    (step,) = waterfall.by_input(before, after, QUICK)
    assert "did not pass its audit" in step.why
    assert "in time" not in step.why


def _on_screen(before: Side, after: Side, compared: Compared) -> str:
    console = Console(width=100, file=io.StringIO())
    console.print(told_module.screen(before, after, compared))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_screen_says_that_the_order_decides_the_parts() -> None:
    before, after = next(pair for pair in pairs(0)
                         if len(waterfall.by_input(*pair, QUICK)) > 2)  # fmt: skip
    said = _on_screen(before, after, compare(before, after, QUICK))
    assert "taken over in this order" in said
    assert "best found" not in said


def test_parts_that_do_not_add_up_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = next(pairs(0))
    missing = dict(list(waterfall.PARTS.items())[1:])
    monkeypatch.setattr(waterfall, "PARTS", missing)
    with pytest.raises(DoesNotAddUp):
        by_line(before, after)


def _worth(value_musd: float, **given: Any) -> Side:
    """A side of which nothing counts but what its plan is worth, and what is given here."""
    known = {"label": "", "document": {}, "hours": {}, "case": None, "policy": {},
             "make_case": _case_of, **given}  # fmt: skip
    return Side(solved=Solved("solved", value_musd=value_musd), **known)


@pytest.mark.parametrize("missing", [2e-9, -2e-9, 1e-4, math.nan])
def test_parts_may_miss_no_more_than_arithmetic_does(missing: float) -> None:
    """Values of a hundred M$ have eleven digits before a billionth of one."""
    before, after = _worth(100.0), _worth(112.5)
    waterfall._check([10.0, 2.5 + 5e-10], before, after)
    waterfall._check([12.5 - 5e-10], before, after)
    with pytest.raises(DoesNotAddUp):
        waterfall._check([10.0, 2.5 + missing], before, after)


def test_prices_of_a_file_and_decisions_differ_though_no_table_does() -> None:
    """They stand beside the document: the same tables may mean other prices and other pins."""
    document = {"power": {"a": {}}, "policy": {}, "finance": {}}
    held = {"a": flat(40.0)}
    before = _worth(1.0, document=document, hours=held)

    def differing(**given: Any) -> list[str]:
        other = {"document": document, "hours": held, **given}
        return list(waterfall._changed(before, _worth(1.0, **other)))

    assert differing() == []
    assert differing(hours={"a": replace(held["a"], source="another file")}) == []
    assert differing(hours={"a": flat(41.0)}) == ["power"]
    assert differing(hours={}) == ["power"]
    assert differing(hours={**held, "b": flat(40.0)}) == ["power"]
    assert differing(policy={("builds", (0, "line")): 1.0}) == ["policy"]
    assert differing(document={**document, "finance": {"overhead": 1.0}}) == ["finance"]


@pytest.mark.parametrize(("gap", "held"), [(1e-4, 1e-9), (1e-12, 1e-12)])
def test_what_a_held_plan_leaves_open_is_completed_closely(
    monkeypatch: pytest.MonkeyPatch, gap: float, held: float
) -> None:
    """Parts are told in thousands of $: the gap of whole searches would be all of a small one."""
    asked: list[Options] = []

    def heard(_: Case, options: Options, **__: Any) -> Solved:
        asked.append(options)
        return Solved("no-plan")

    monkeypatch.setattr(waterfall, "solve", heard)
    monkeypatch.setattr(waterfall, "_pins", lambda *_: {})
    before = _worth(1.0, make_case=lambda *_: None)
    mixed = waterfall._Mixed({}, {}, {})
    options = Options(gap=gap, time_limit=1000.0, seed=7)
    found = waterfall._held(before, mixed, pd.DataFrame(), options, Budget(10.0))
    assert found.value_musd is None
    ((gap_then, seconds, seed),) = [(one.gap, one.time_limit, one.seed) for one in asked]
    assert (gap_then, seed) == (held, 7)
    assert seconds == pytest.approx(10.0, abs=1.0)


# --- random pairs --------------------------------------------------------------------------


def _case_of(document: Document, hours: Mapping[str, Hours]) -> Case:
    try:
        return prepare(Instance.model_validate(dict(document)), hours)
    except ValidationError as error:
        raise InputRefused([]) from error


def _side(label: str, document: dict[str, Any], hours: Mapping[str, Hours]) -> Side | None:
    case = _case_of(document, hours)
    solved = solve(case, QUICK)
    if solved.plan is None or solved.status == "audit-failed":
        return None
    return Side(label, document, hours, case, solved, {}, _case_of)


def _scaled(rng: random.Random, held: Any) -> Any:
    """Scale every number of a path, or a number."""
    if isinstance(held, dict):
        return {**held, "start": held["start"] * rng.uniform(0.6, 1.5)}
    if isinstance(held, list):
        return [{**step, "value": step["value"] * rng.uniform(0.6, 1.5)} for step in held]
    return held * rng.uniform(0.6, 1.5)


def _changed(rng: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    """Change one to four things that a planner would."""
    new, done = deepcopy(document), 0
    wanted = rng.randint(1, 4)
    changes = [_hashprice, _discount, _capex, _racks, _rate, _dropped, _firm]
    for change in rng.sample(changes, len(changes)):
        done += change(rng, new)
        if done == wanted:
            break
    return new


def _hashprice(rng: random.Random, new: dict[str, Any]) -> bool:
    key = next(
        (k for k in ("hashprice_usd_per_ph_day", "btc_price_usd") if k in new["bitcoin"]), ""
    )
    if key:
        new["bitcoin"][key] = _scaled(rng, new["bitcoin"][key])
    return bool(key)


def _discount(rng: random.Random, new: dict[str, Any]) -> bool:
    new["finance"]["discount_per_year"] = rng.uniform(0.02, 0.3)
    return True


def _capex(rng: random.Random, new: dict[str, Any]) -> bool:
    new["finance"]["capex_budget_musd"] = rng.uniform(0.0, 60.0)
    return True


def _racks(rng: random.Random, new: dict[str, Any]) -> bool:
    for machine in new["machines"].values():
        machine["price_usd_per_th"] = _scaled(rng, machine["price_usd_per_th"])
    return bool(new["machines"])


def _rate(rng: random.Random, new: dict[str, Any]) -> bool:
    keys = ("rate_usd_per_kw_month", "rate_usd_per_gpu_hour")
    found = [(c, k) for c in new.get("contracts", {}).values() for k in keys if c.get(k)]
    for contract, key in found:
        contract[key] = _scaled(rng, contract[key])
    return bool(found)


def _dropped(rng: random.Random, new: dict[str, Any]) -> bool:
    """Take a contract away: a plan that signs it cannot be held."""
    signed = {c["contract"] for c in new.get("commitments", {}).get("contracts", [])}
    free = [x for x in new.get("contracts", {}) if x not in signed]
    if not free or rng.random() < 0.5:
        return False
    del new["contracts"][free[0]]
    return True


def _firm(rng: random.Random, new: dict[str, Any]) -> bool:
    site = next(iter(new["sites"].values()))
    if isinstance(site["firm_mw"], list):
        return False
    site["firm_mw"] *= rng.uniform(0.5, 1.4)
    return True


def pairs(first: int) -> Iterator[tuple[Side, Side]]:
    """Draw pairs of instances, the second with things changed and now and then other prices."""
    for seed in itertools.count(first):
        rng = random.Random(f"pair {seed}")
        drawn = draw_case(seed)
        document = drawn.instance.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
        other = _changed(rng, document)
        hours = dict(drawn.hours)
        if rng.random() < 0.3:
            name = next(iter(hours))
            price = hours[name].price_usd_per_mwh * rng.uniform(0.7, 1.4)
            hours[name] = replace(hours[name], price_usd_per_mwh=price)
        sides = _side("before", document, drawn.hours), _side("after", other, hours)
        if sides[0] is not None and sides[1] is not None:
            yield sides[0], sides[1]


def check(before: Side, after: Side) -> Compared:
    """Every waterfall adds up, its steps follow each other, decisions made anew cost nothing."""
    found = compare(before, after, QUICK)
    difference = after.value_musd - before.value_musd
    for parts in (found.lines, found.flows, found.steps):
        assert abs(math.fsum(part.change_musd for part in parts) - difference) <= ADDS_UP
    value = before.value_musd
    for step in found.steps:
        assert step.value_musd - value == pytest.approx(step.change_musd, abs=ADDS_UP)
        value = step.value_musd
    assert value == after.value_musd
    for line in found.lines:
        assert line.new_musd - line.old_musd == line.change_musd
    last = found.steps[-1]
    if not last.groups:
        assert last.change_musd >= -1e-5 * max(1.0, abs(after.value_musd))
    return found


def test_parts_of_random_pairs_add_up() -> None:
    found = [check(*pair) for pair in itertools.islice(pairs(0), FEW)]
    assert any(len(one.steps) > 2 for one in found)


@pytest.mark.soak
def test_parts_of_many_random_pairs_add_up() -> None:
    worst, steps, together, moved = 0.0, 0, 0, 0
    for before, after in itertools.islice(pairs(1000), MANY):
        found = check(before, after)
        difference = after.value_musd - before.value_musd
        worst = max(
            worst,
            *(abs(math.fsum(part.change_musd for part in parts) - difference)
              for parts in (found.lines, found.flows, found.steps)),
        )  # fmt: skip
        steps += sum(step.held for step in found.steps)
        together += bool(found.steps[-1].groups)
        moved += bool(found.actions)
    told = (f"{MANY} pairs: parts miss the difference by {worst:.1e} M$ at most; {steps} steps "
            f"with the plan held, {together} pairs where it could not be held to the end; "
            f"{moved} pairs whose actions differ")  # fmt: skip
    print(told)  # noqa: T201
    assert steps
    assert together
    assert moved


# --- what goes where -------------------------------------------------------------------------


def test_lines_on_paper(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By hand: ten lots through two years and six sold; entry, split, staff; the hall's rest."""
    other = other_by_hand(tmp_path / "other", a="capex_budget_musd = 15 -> capex_budget_musd = 5")
    _, answer = told(capsys, str(BY_HAND), str(other))
    (one,) = answer["comparisons"]
    lines = {row["line"]: row for row in one["lines"]}
    middles = 10 / 11 + 1000 / 1331
    mining = lines["mining, until the horizon"]
    assert mining["old_musd"] == pytest.approx(10 * 0.4234 * middles + 0.6, abs=1e-9)
    # Without works all sixteen lots mine on.
    assert mining["new_musd"] == pytest.approx(16 * 0.4234 * middles, abs=1e-9)
    company = lines["company: staff, overhead, projects"]
    assert company["new_musd"] == pytest.approx(-1.1 * middles, abs=1e-9)
    assert "AI, until the horizon, its capex in it" in lines
    for row in one["flows"]:
        segments, parts = waterfall.PARTS[row["line"]]
        assert row["segment"] in segments
        assert row["part"] in parts
    for label, line in lines.items():
        flows = [row for row in one["flows"] if row["line"] == label]
        for amount in ("old_musd", "new_musd", "change_musd"):
            assert sum(row[amount] for row in flows) == pytest.approx(line[amount], abs=1e-9)


def test_a_table_brings_its_hours_or_decisions_and_no_other_does() -> None:
    before, after = next(pairs(0))
    hours = {name: replace(held, source="other") for name, held in after.hours.items()}
    after = replace(after, hours=hours, policy={("builds", (0, "line")): 1.0})
    mixed = waterfall._Mixed(before.document, before.hours, {})
    taken = {
        group: waterfall._with(mixed, after, group) for group in ("finance", "power", "policy")
    }
    assert {group for group, one in taken.items() if one.hours is hours} == {"power"}
    assert {group for group, one in taken.items() if one.policy} == {"policy"}
    for group, one in taken.items():
        for name, table in before.document.items():
            assert one.document[name] == (after.document.get(name) if name == group else table)


def test_a_step_says_why_only_what_was_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of three tables leaves no plan: it is told with the third, and says so there."""
    before, after = next(pairs(0))
    steps = iter([waterfall._Held(1.0), waterfall._Held(None, "no cash"), waterfall._Held(2.0),
                  waterfall._Held(3.0)])  # fmt: skip
    groups = ("racks", "sites", "power", "finance")
    monkeypatch.setattr(waterfall, "_changed", lambda *_: iter(groups))
    monkeypatch.setattr(waterfall, "_held", lambda *_: next(steps))
    found = waterfall.by_input(before, after, QUICK)
    assert [step.groups for step in found] == ["racks", "sites, power", "finance", ""]
    assert [step.why for step in found] == ["", "no cash", "", ""]
    assert [step.held for step in found] == [True, True, True, False]


def test_what_was_given_anew_and_what_is_gone() -> None:
    old = {"finance": {"a": 1, "b": 2.0, "c": [1]}, "sites": {"x": {"mw": 3}}}
    new = {"finance": {"b": 2, "c": [1, 2]}, "sites": {"x": {"mw": 3}, "y": {"mw": 4}}}
    rows = {row.key: (row.what, row.old, row.new) for row in given._between(old, new)}
    assert rows == {
        "finance.a": ("removed", "1", ""), "finance.c": ("changed", "[1]", "[1, 2]"),
        "sites.y.mw": ("added", "", "4"),
    }  # fmt: skip


def test_hours_are_the_same_by_what_they_hold() -> None:
    hours = flat(40.0)
    assert given.same_hours(hours, replace(hours, source="another file"))
    for name in ("price_usd_per_mwh", "weight_h"):
        other = replace(hours, **{name: 1.5 * getattr(hours, name)})
        assert not given.same_hours(hours, other), name


def test_branches_stand_by_how_likely_they_are() -> None:
    """MW of a year are those of its branches, each by its probability."""
    drawn = (ready(draw_case(seed, leaves=2)) for seed in itertools.count(1))
    solved_ones = ((case, solve(case, QUICK)) for case in drawn if case.given.racks_today)
    case, solved = next(pair for pair in solved_ones if pair[1].plan is not None)
    assert solved.plan is not None
    side = Side("branches", {}, case.hours, case, solved, {}, _case_of)
    g, plan = case.given, solved.plan
    expected: dict[tuple[str, str, str], float] = {}
    for n in year_ends(g):
        year = period_of(g.tree, n)[:4]
        for (m, p, k), racks in plan.racks.items():
            if m == n:
                key = g.site_of[p], g.workload_of[p], year
                expected[key] = expected.get(key, 0.0) + g.probability[n] * racks * g.rack_mw[k]
        for (m, _, p, k), mw in plan.hosting.items():
            if m == n and k == TENANT:
                key = g.site_of[p], g.workload_of[p], year
                expected[key] = expected.get(key, 0.0) + g.probability[n] * mw
    standing = plans._standing(side)
    assert any(standing.values())
    assert {key: mw for key, mw in standing.items() if mw} == pytest.approx(
        {key: mw for key, mw in expected.items() if mw}
    )
