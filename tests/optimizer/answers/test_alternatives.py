"""Alternatives against every plan of small cases, and what all plans share against the same.

The case of ``by_hand`` is worked out on paper first: what differs, by how many MW, and what every
plan near the best must do.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from models.hours import flat
from models.instance import Instance
from optimizer.answers.alternatives import found as found_module
from optimizer.answers.alternatives import shared as shared_module
from optimizer.answers.alternatives.found import (
    Alternatives,
    Hunt,
    Other,
    Wanted,
    alternatives,
)
from optimizer.answers.alternatives.measures import (
    STANDING,
    Measure,
    Terms,
    distance_mw,
    first_actions,
    first_nodes,
    measured,
    measures_of,
    project_mw,
    year_ends,
)
from optimizer.answers.alternatives.screen import screen
from optimizer.answers.alternatives.shared import shared
from optimizer.answers.alternatives.told import Told, told
from optimizer.answers.alternatives.within import within
from optimizer.audit import Breach, audit, values_of
from optimizer.case import Case, prepare
from optimizer.cli import main
from optimizer.commands.alternatives import _Answered, _status
from optimizer.compiled import compile_case
from optimizer.errors import UsageRefused
from optimizer.highs import Budget, Options
from optimizer.load import load
from optimizer.matrix import dense_matrix
from optimizer.solve import Solved, solve
from tests.folders import edited, write_folder
from tests.models.small_cases import draw_case, filled, ready
from tests.models.tiny import BASE, merged
from tests.optimizer.answers.anew import by_hand as copied
from tests.optimizer.answers.every_plan import EveryPlan, TooMany

INSTANCES = Path(__file__).parents[3] / "instances"
EXACT = Options(gap=1e-5, absolute_gap=1e-5, time_limit=3600.0)
#: How many small cases the suite compares, and how many a soak does.
FEW, MANY = 6, int(os.environ.get("RACKWATT_ALTERNATIVES", "60"))
#: Plans that differ by no more than a kilowatt are the same where all of them are tried.
SAME_MW = 1e-3
LOSSES = (0.05, 0.1, 0.2, 0.3)


@pytest.fixture(scope="module")
def by_hand() -> Case:
    loaded = load(INSTANCES / "by_hand")
    return prepare(loaded.instance, loaded.hours)


@pytest.fixture(scope="module")
def best(by_hand: Case) -> Solved:
    return solve(by_hand, EXACT)


#: Periods of half a year for the two years on paper.
HALVES = ("months_per_period = 12", "months_per_period = 6"), ("periods = 2", "periods = 4")


def case_on_paper(folder: Path, *edits: tuple[str, str]) -> Case:
    loaded = load(copied(folder, *edits))
    return prepare(loaded.instance, loaded.hours)


# --- on paper ------------------------------------------------------------------------------


def test_measures_of_the_case_on_paper(by_hand: Case) -> None:
    """Ten lots mine at both year ends, AI takes 5 MW at the second; six lots are sold at once."""
    measures = measures_of(by_hand, 1)
    solved = solve(by_hand, EXACT)
    assert solved.plan is not None
    at = measured(measures, values_of(solved.plan))
    mw_of = {(m.kind, m.subject, m.when): float(mw) for m, mw in zip(measures, at, strict=True)}
    assert mw_of[STANDING, "mining", "2029-01"] == pytest.approx(10.0)
    assert mw_of[STANDING, "mining", "2030-01"] == pytest.approx(10.0)
    assert mw_of[STANDING, "ai", "2030-01"] == pytest.approx(5.0)
    assert mw_of["sell", "lot", "first"] == pytest.approx(6.0)
    assert mw_of["convert", "ai+two-feeds", "first"] == pytest.approx(5.0)
    assert mw_of["sign", "tenant", "first"] == pytest.approx(5.0)
    weights = {m.kind: m.weight for m in measures}
    assert weights[STANDING] == 0.5
    assert weights["sell"] == weights["sign"] == 1.0


def test_doing_nothing_is_farthest_on_paper(by_hand: Case) -> None:
    """Within 20 %: no AI, and six lots more of mining where the grid bears them.

    16 lots at both ends are 6 MW more on average, AI 5 MW less at one end of two, that is 2.5;
    the tenant's 5 MW, the hall's 5 MW, and 6 lots sold are first actions that fall away.
    """
    found, _ = alternatives(by_hand, Wanted(0.13, 1), EXACT)
    nothing = 0.5 * (6.0 + 6.0) + 0.5 * 5.0 + 5.0 + 5.0 + 6.0
    assert nothing == 24.5
    (other,) = found.others
    assert other.distance_mw >= nothing - 1e-6
    assert other.most_mw == pytest.approx(other.distance_mw, rel=1e-5)
    assert other.value_musd >= found.least_musd


def test_what_is_safe_on_paper(by_hand: Case) -> None:
    """Without AI the case is worth 10.51 M$ at most: within 10 % of 12.03 every plan takes it."""
    found, hunt = alternatives(by_hand, Wanted(0.1, 2), EXACT)
    assert hunt is not None
    sure = {(d.action, d.subject): d for d in shared(found, hunt)}
    nothing = solve(by_hand, EXACT).audit
    assert nothing is not None
    assert sure["convert", "ai+two-feeds"].sure == "every plan"
    assert sure["sign", "tenant"].sure == "every plan"
    assert sure["sign", "tenant"].without_musd == pytest.approx(nothing.nothing_musd, abs=1e-4)
    assert sure["sell", "lot"].every == 6.0


def test_what_the_plans_shown_share_is_not_safe_for_that(by_hand: Case) -> None:
    """Within 13 % of 12.03 M$ doing nothing is left, 10.51 M$: what only the best plan does."""
    found, hunt = alternatives(by_hand, Wanted(0.13, 0), EXACT)
    assert hunt is not None
    assert not found.others
    decisions = list(shared(found, hunt))
    assert {d.action for d in decisions} == {"convert", "sell", "sign"}
    for decision in decisions:
        assert decision.sure == "all shown"
        assert decision.decided
        assert decision.every == 0.0


def test_copies_of_the_best_plan_are_no_alternatives(by_hand: Case) -> None:
    """Within 1 % the tenant's MW alone can be less, by what 0.12 M$ of its rent are.

    12.5 MW stand on average, so that 0.125 MW matter.
    """
    found, _ = alternatives(by_hand, Wanted(0.01), EXACT)
    assert found.differs_mw == pytest.approx(0.125)
    assert not found.others
    assert found.exhausted
    near, _ = alternatives(by_hand, Wanted(0.01, 1, differs_mw=SAME_MW), EXACT)
    (other,) = near.others
    assert SAME_MW < other.distance_mw < 0.125
    assert not near.exhausted


def _short(by_musd: float) -> Any:
    def judged(*args: Any, **named: Any) -> Any:
        checked = audit(*args, **named)
        return replace(checked, value_musd=checked.value_musd - by_musd)

    return judged


def test_audits_that_fall_short_exhaust_nothing(
    by_hand: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No plan is worth so much more than asked: that it is infeasible proves nothing."""
    best = solve(by_hand, EXACT)
    monkeypatch.setattr(found_module, "audit", _short(1.6))
    found, _ = alternatives(by_hand, Wanted(0.13, 1), EXACT, best=best)
    assert not found.others
    assert not found.exhausted
    assert "whose audit" in found.halted


def test_a_search_cut_short_exhausts_nothing(
    by_hand: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = solve(by_hand, EXACT)
    real = found_module.search

    def cut(*args: Any, **named: Any) -> Any:
        outcome = real(*args, **named)
        return replace(outcome, status="none", x=None, objective=None, bound=None)

    monkeypatch.setattr(found_module, "search", cut)
    found, _ = alternatives(by_hand, Wanted(0.13, 1), EXACT, best=best)
    assert not found.others
    assert not found.exhausted
    assert "in time" in found.halted


@pytest.mark.parametrize(("below", "excluded"), [(1e-8, False), (1e-3, True)])
def test_a_bound_that_tolerance_may_have_moved_proves_nothing(
    by_hand: Case, monkeypatch: pytest.MonkeyPatch, below: float, excluded: bool
) -> None:
    found, hunt = alternatives(by_hand, Wanted(0.13, 0), EXACT)
    assert hunt is not None
    real = shared_module.search

    def bounded(*args: Any, **named: Any) -> Any:
        worth = found.least_musd - below
        return replace(real(*args, **named), status="optimal", objective=worth, bound=worth)

    monkeypatch.setattr(shared_module, "search", bounded)
    for decision in shared(found, hunt):
        assert (decision.sure == "every plan") == excluded
        assert decision.decided == excluded


@pytest.mark.parametrize(
    ("value", "share", "least"), [(10.0, 0.1, 9.0), (-10.0, 0.1, -11.0), (0.0, 0.1, 0.0)]
)
def test_a_loss_makes_a_plan_worth_less_whatever_the_best_is_worth(
    by_hand: Case, value: float, share: float, least: float
) -> None:
    hunt = _hunt(by_hand, Wanted(share), Solved("solved", value_musd=value))
    assert hunt.least_musd == pytest.approx(least)


def _hunt(case: Case, wanted: Wanted, best: Solved) -> Hunt:
    return Hunt(case, wanted, EXACT, {}, best, Budget(), threading.Event(), lambda _: None)


@pytest.mark.parametrize("short_musd", [0.0, 0.1])
def test_what_is_asked_for_more_bounds_nothing(
    by_hand: Case, best: Solved, monkeypatch: pytest.MonkeyPatch, short_musd: float
) -> None:
    """An audit finds a tenth of a M$ less than the loss leaves: the next search asks for more.

    Its bound speaks of fewer plans, and of those within the loss the first one alone.
    """
    hunt = _hunt(by_hand, Wanted(0.13, 1), best)
    real, settled, searches, audits = found_module._searched, hunt.settled, [], []

    def searched(*given: Any) -> Any:
        searches.append(given)
        return replace(real(*given), bound=60.0 if len(searches) == 1 else 25.0)

    def judged(*given: Any) -> Any:
        plan, checked = settled(*given)
        audits.append(checked)
        worth = hunt.least_musd - short_musd if len(audits) == 1 else checked.value_musd
        return plan, replace(checked, value_musd=max(worth, hunt.least_musd - short_musd))

    monkeypatch.setattr(found_module, "_searched", searched)
    monkeypatch.setattr(hunt, "settled", judged)
    assert best.plan is not None
    first = measured(hunt.measures, values_of(best.plan))
    found = found_module._next(hunt, [first], 0)
    assert isinstance(found, Other)
    assert len(searches) == (2 if short_musd else 1)
    assert found.value_musd >= hunt.least_musd
    assert found.most_mw == 60.0
    assert not found.proved


@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize("above_musd", [0.0, 1.0, -1e-9, -1.0])
def test_a_plan_denies_a_decision_only_by_an_audit_within_the_loss(
    by_hand: Case, best: Solved, monkeypatch: pytest.MonkeyPatch, passed: bool, above_musd: float
) -> None:
    hunt = _hunt(by_hand, Wanted(0.13, 0), best)
    assert best.plan is not None
    assert best.audit is not None
    worth = hunt.least_musd + above_musd
    breaches = () if passed else (Breach("capital.cash_floor", (0,), "2029-01", 1.0, 2.0, ">="),)
    checked = replace(best.audit, value_musd=worth, breaches=breaches)
    monkeypatch.setattr(hunt, "settled", lambda *_: (best.plan, checked))
    monkeypatch.setattr(shared_module, "polished", lambda _, point, *__: point)
    (sold,) = [m for m in first_actions(by_hand, 1, counted=True) if m.kind == "sell"]
    judged = shared_module._found(hunt, sold, np.zeros(1), hunt.model.matrix, Budget())
    assert not judged.excluded
    if passed and above_musd >= 0:
        assert (judged.amount, judged.most_musd) == (6.0, worth)
    else:
        assert (judged.amount, judged.most_musd) == (None, None)


@pytest.mark.parametrize("least", range(7))
@pytest.mark.parametrize("as_many_as_allowed", [True, False])
def test_the_largest_amount_that_all_plans_take_is_found(
    by_hand: Case, best: Solved, monkeypatch: pytest.MonkeyPatch, least: int,
    as_many_as_allowed: bool,
) -> None:  # fmt: skip
    """The best plan sells six lots, and every plan as many as are written here.

    A plan with less than that is none; another may sell any number between.
    """
    hunt = _hunt(by_hand, Wanted(0.13, 0), best)
    assert best.plan is not None
    (sold,) = [m for m in first_actions(by_hand, 1, counted=True) if m.kind == "sell"]

    def limited(_: Hunt, __: Measure, ___: float, upper: float, *____: Any) -> Any:
        if upper < least:
            return shared_module._Judged(excluded=True, most_musd=1.0)
        amount = upper if as_many_as_allowed else float(least)
        return shared_module._Judged(excluded=False, amount=amount)

    monkeypatch.setattr(shared_module, "_limited", limited)
    decision = shared_module._on_action(hunt, sold, [best.plan], 1)
    assert decision.shown == (6.0,)
    assert (decision.every, decision.decided) == (float(least), True)
    assert decision.sure == ("every plan" if least else "all shown")
    assert decision.without_musd == (1.0 if least else None)


def test_first_months_end_where_they_are_said_to(by_hand: Case) -> None:
    """Of periods of 12 months the second begins after 12."""
    counts = [len(first_nodes(by_hand.given, now)) for now in (1, 12, 13)]
    assert counts == [1, 1, 2]


def test_first_months_beyond_a_branch_are_refused() -> None:
    case = ready(draw_case(3, leaves=2))
    assert len(first_nodes(case.given, 1)) == 1
    with pytest.raises(UsageRefused, match="branch"):
        first_nodes(case.given, 1200)


def test_a_signature_that_may_wait_is_no_first_action(tmp_path: Path) -> None:
    """Without an advance the tenant is signed in the second half of 2029; the hall cannot wait."""
    case = case_on_paper(
        tmp_path / "halves", *HALVES, ('"2029-06"', '"2029-12"'),
        ("opening_cash_musd = 12", "opening_cash_musd = 14"),
        ("prepayment_usd_per_kw = 240", "prepayment_usd_per_kw = 0"),
    )  # fmt: skip
    found, hunt = alternatives(case, Wanted(0.1, 0), EXACT)
    assert hunt is not None
    sure = {d.action: d for d in shared(found, hunt)}
    assert (sure["sign"].sure, sure["sign"].when) == ("every plan", "any time")
    assert (sure["convert"].sure, sure["convert"].when) == ("every plan", "first")
    rows = told(found, hunt, tuple(sure.values()))
    said = _on_screen(case, found, rows, hunt.wanted)
    first, contracts = said.split("contracts signed in every plan")
    assert "convert at least 1 hall" in first
    assert "sign with" not in first
    assert "sign with tenant" in contracts


def _on_screen(case: Case, found: Alternatives, rows: Told, wanted: Wanted) -> str:
    console = Console(width=100, file=io.StringIO())
    console.print(screen(case, found, rows, wanted))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_one_plan_has_nothing_in_common(by_hand: Case) -> None:
    """Within 13 % nothing is proved; that the best plan does it says nothing of others."""
    found, hunt = alternatives(by_hand, Wanted(0.13, 0), EXACT)
    assert hunt is not None
    rows = told(found, hunt, tuple(shared(found, hunt)))
    said = _on_screen(by_hand, found, rows, hunt.wanted)
    assert "plans shown" not in said
    assert "nothing is proved of every plan within 13 %" in said


def test_what_is_undecided_is_not_told_as_solved(by_hand: Case) -> None:
    found, hunt = alternatives(by_hand, Wanted(0.13, 0), EXACT)
    assert hunt is not None
    decisions = tuple(shared(found, hunt))
    assert _status(_Answered(found, decisions)) == "solved"
    doubtful = (replace(decisions[0], decided=False), *decisions[1:])
    assert _status(_Answered(found, doubtful)) == "best-found"


def test_branches_count_by_how_likely_they_are() -> None:
    """Of a use at a site, a MW at every end of every branch is one MW."""
    case = ready(draw_case(3, leaves=2))
    sums: dict[tuple[str, str], float] = {}
    for measure in measures_of(case, 1):
        if measure.kind == STANDING:
            key = measure.site, measure.subject
            sums[key] = sums.get(key, 0.0) + measure.weight
    assert sums
    assert all(weight == pytest.approx(1.0) for weight in sums.values())


# --- against every plan --------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Tried:
    """A small case, its alternatives, and every plan of it."""

    seed: int
    case: Case
    found: Alternatives
    hunt: Hunt
    every: EveryPlan


def _small(first: int, loss_of: tuple[float, ...] = LOSSES) -> Iterator[_Tried]:
    """Draw cases whose plans are few enough to try them all."""
    for seed in itertools.count(first):
        case = ready(draw_case(seed, leaves=1 + seed % 2))
        model = compile_case(filled(case))
        if model.built.contradictions or model.matrix.integer.sum() > 45:
            continue
        wanted = Wanted(loss_of[seed % len(loss_of)], 3, differs_mw=SAME_MW)
        found, hunt = alternatives(case, wanted, EXACT)
        if hunt is None or found.least_musd == found.best.value_musd:
            continue
        terms = [[(model.layout.place[c], mw) for c, mw in m.terms] for m in found.measures]
        weights = np.array([m.weight for m in found.measures])
        try:
            every = EveryPlan(model.matrix, found.least_musd, terms, weights, 6000)
        except TooMany:
            continue
        yield _Tried(seed, case, found, hunt, every)


def _compare(tried: _Tried) -> int:
    """Each distance is the largest there is, each plan worth enough; how many were compared."""
    found, before = tried.found, [tried.found.at]
    for other in found.others:
        again = audit(other.case, other.plan)
        assert again.passed, (tried.seed, again.breaches)
        assert again.value_musd >= found.least_musd, tried.seed
        assert other.most_mw == pytest.approx(other.distance_mw, rel=1e-4, abs=1e-4), tried.seed
        at = measured(found.measures, values_of(other.plan))
        apart = min(distance_mw(found.measures, at, one) for one in before)
        most = tried.every.farthest(before)
        assert apart == pytest.approx(most, rel=5e-5, abs=1e-4), tried.seed
        before.append(at)
    if len(found.others) < tried.hunt.wanted.count:
        assert found.exhausted, (tried.seed, found.halted)
        assert tried.every.farthest(before) <= SAME_MW, tried.seed
    return len(found.others)


def _share(tried: _Tried) -> tuple[int, int]:
    """What is said to be in every plan, or in none, is; and the contrary where it is denied."""
    proved = denied = 0
    columns = tried.every.matrix.column_names
    model = compile_case(filled(tried.case))
    for decision in shared(tried.found, tried.hunt):
        terms = _counted(tried, decision.action, decision.site, decision.subject)
        cost = np.zeros(len(columns))
        for column, size in terms:
            cost[model.layout.place[column]] += size
        least, most = tried.every.amounts(cost)
        assert decision.decided, (tried.seed, decision)
        if decision.action == "sign":
            assert (least > 0.5) == (decision.sure == "every plan"), (tried.seed, decision)
            assert (most < 0.5) == (decision.sure == "no plan"), (tried.seed, decision)
        else:
            assert decision.every == pytest.approx(least), (tried.seed, decision)
        proved += decision.sure in ("every plan", "no plan")
        denied += decision.sure not in ("every plan", "no plan")
    return proved, denied


def _counted(tried: _Tried, action: str, site: str, subject: str) -> Terms:
    given = tried.case.given
    if action == "sign":
        return tuple((("signing", (n, x)), 1.0) for n, x in given.signing_allowed if x == subject)
    return next(
        m.terms for m in first_actions(tried.case, 1, counted=True)
        if (m.kind, m.site, m.subject) == (action, site, subject)
    )  # fmt: skip


def test_against_every_plan_of_small_cases() -> None:
    compared = sum(_compare(tried) for tried in itertools.islice(_small(0), FEW))
    assert compared


def test_what_is_shared_against_every_plan() -> None:
    counts = [_share(tried) for tried in itertools.islice(_small(100), FEW)]
    assert sum(proved for proved, _ in counts)


@pytest.mark.soak
def test_against_every_plan_of_many_cases() -> None:
    cases = compared = differing = proved = denied = plans = most = 0
    for tried in _small(1000):
        found, (one, other) = _compare(tried), _share(tried)
        cases, compared, differing = cases + 1, compared + found, differing + bool(found)
        proved, denied = proved + one, denied + other
        plans, most = plans + len(tried.every.all_held), max(most, len(tried.every.all_held))
        if differing == MANY:
            break
    said = (f"{cases} cases, {differing} of them with alternatives: {compared} distances are the "
          f"largest among {plans:,} plans in whole numbers tried (at most {most:,} in a case), no "
          f"loss is exceeded; of first actions and contracts {proved} are proved shared and "
          f"{denied} are not, each as in all plans")  # fmt: skip
    print(said)  # noqa: T201
    assert differing >= 50
    assert proved
    assert denied


# --- the command ---------------------------------------------------------------------------


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["alternatives", *arguments, "--json", "--quiet"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, answer


def test_a_run_of_alternatives_holds_plans_that_evaluate_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code, answer = asked(capsys, str(INSTANCES / "by_hand"), "--loss", "0.1", "--count", "1",
                         "--gap", "1e-4", "--out", str(out))  # fmt: skip
    assert code == 0
    assert answer["status"] == "solved"
    best, other = answer["plans"]
    assert other["value_musd"] >= answer["least_musd"] >= 0.9 * best["value_musd"] - 1e-12
    assert (out / "decisions.csv").is_file()
    plan = str(out / "plan-1" / "actions.csv")
    held = main(["evaluate", str(INSTANCES / "by_hand"), "--plan", plan, "--only", "--no-optimum",
                 "--json", "--quiet"])  # fmt: skip
    judged = json.loads(capsys.readouterr().out)
    assert held == 0
    assert judged["value_musd"] == pytest.approx(other["value_musd"], abs=1e-6)
    again, same = asked(capsys, str(INSTANCES / "by_hand"), "--loss", "0.1", "--count", "1",
                        "--gap", "1e-4", "--out", str(tmp_path / "again"))  # fmt: skip
    assert again == code
    assert {**same, "out": ""} == {**answer, "out": ""}
    for path in (out / "plan-1").iterdir():
        assert (tmp_path / "again" / "plan-1" / path.name).read_bytes() == path.read_bytes()


def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_hand = str(INSTANCES / "by_hand")
    assert main(["alternatives", by_hand, "--loss", "0.00001"]) == 2
    assert "--loss" in capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    code, answer = asked(capsys, by_hand, "--out", str(tmp_path / "mine"))
    assert code == 2
    assert "no run of ours" in answer["message"]
    code, answer = asked(capsys, str(tmp_path / "nowhere"))
    assert code == 3
    assert answer["status"] == "refused"


def test_a_case_without_a_plan_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    debt = '[[commitments.debt]]\nname = "note"\nmonth = "2027-06"\nprincipal_musd = '
    folder = write_folder(tmp_path / "broke", edited(debt + "2", debt + "500"))
    code, answer = asked(capsys, str(folder), "--out", str(tmp_path / "out"))
    assert code == 4
    assert answer["status"] == "infeasible"
    assert f"rackwatt explain {folder}" in answer["message"]
    assert not (tmp_path / "out").exists()
    assert main(["alternatives", str(folder), "--quiet"]) == code
    assert "rackwatt explain" in " ".join(capsys.readouterr().out.split())


def test_without_time_a_program_hears_why_there_is_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, answer = asked(capsys, str(INSTANCES / "by_hand"), "--time-limit", "0")
    assert code == 6
    assert answer["status"] == "no-plan"
    assert "--time-limit" in answer["message"]


def test_nothing_is_written_unless_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, answer = asked(capsys, str(INSTANCES / "by_hand"), "--count", "1", "--gap", "1e-4")
    assert code == 0
    assert answer["out"] is None
    assert answer["exhausted"]
    assert not list(tmp_path.iterdir())


# --- what a measure counts -------------------------------------------------------------------


def test_racks_count_their_mw_and_not_themselves(tmp_path: Path) -> None:
    """The case on paper with lots of half a MW: twice as many, and all MW as before."""
    halved = ("machines_per_rack = 500", "machines_per_rack = 250"), ("racks = 16", "racks = 32")
    case = case_on_paper(tmp_path / "small", *halved)
    plan = solve(case, EXACT).plan
    assert plan is not None
    values = values_of(plan)
    in_mw = {(m.kind, m.subject, m.when): m.mw_at(values) for m in measures_of(case, 1)}
    assert in_mw[STANDING, "mining", "2029-01"] == pytest.approx(10.0)
    assert in_mw["sell", "lot", "first"] == pytest.approx(6.0)
    deeds = first_actions(case, 1, counted=True)
    counted = {(m.kind, m.subject): m.mw_at(values) for m in deeds}
    assert counted["sell", "lot"] == pytest.approx(12.0)
    assert counted["convert", "ai+two-feeds"] == pytest.approx(1.0)


def test_a_year_is_measured_at_its_last_period(tmp_path: Path) -> None:
    """Of four halves of two years the second and the fourth."""
    case = case_on_paper(tmp_path / "halves", *HALVES)
    assert year_ends(case.given) == (1, 3)
    whens = {m.when for m in measures_of(case, 1) if m.kind == STANDING}
    assert whens == {"2029-07", "2030-07"}


@pytest.mark.parametrize(
    ("project", "mw"),
    [
        ({"adds_firm_mw": 1.0, "adds_interruptible_mw": 2.5}, 3.5),
        ({"adds_firm_mw": 1.0, "adds_halls": {"hall": "h", "count": 3}}, 1.0),
        ({"adds_halls": {"hall": "h", "count": 3}}, 12.0), ({"adds_fibre": True}, 1.0),
    ],
)  # fmt: skip
def test_a_project_counts_what_it_adds(project: dict[str, Any], mw: float) -> None:
    """Halls of 4 MW each count where no MW of the grid come; fibre counts one."""
    plain = {"site": "a", "capex_musd": 1.0, "months": 12, "max_units": 1,
             "life_months": 120}  # fmt: skip
    typed = merged(BASE, {"projects": {"line": {**plain, **project}}})
    instance = Instance.model_validate(typed)
    case = prepare(instance, {name: flat(40.0) for name in instance.power})
    assert project_mw(case, "line") == mw


def test_a_distance_adds_what_is_more_here_and_less_there(by_hand: Case) -> None:
    measures = [m for m in measures_of(by_hand, 1) if m.kind == STANDING]
    here = np.array([10.0] + [0.0] * (len(measures) - 1))
    there = np.roll(here, 1)
    weights = [m.weight for m in measures]
    assert distance_mw(measures, here, there) == pytest.approx(10.0 * (weights[0] + weights[1]))
    assert distance_mw(measures, there, here) == distance_mw(measures, here, there)


def test_rows_tell_what_a_plan_loses(by_hand: Case) -> None:
    found, hunt = alternatives(by_hand, Wanted(0.13, 1), EXACT)
    assert hunt is not None
    best, other = told(found, hunt, ()).plans
    assert (best.loss_musd, best.loss_share) == (0.0, 0.0)
    assert other.loss_musd == pytest.approx(best.value_musd - other.value_musd)
    assert 0.0 < other.loss_share <= 0.13
    assert other.loss_musd == pytest.approx(other.loss_share * best.value_musd)
    (apart,) = told(found, hunt, ()).distances
    assert apart.distance_mw == pytest.approx(other.distance_mw or -1.0)
    rows = [r for r in told(found, hunt, ()).standing if r.plan == 1 and r.use == "mining"]
    assert {r.month: r.more_than_best_mw for r in rows} == pytest.approx(
        {r.month: r.mw - 10.0 for r in rows}
    )


def test_limits_of_a_measure_are_those_of_plans_worth_enough() -> None:
    """Two numbers up to 9 each, 3 to 7 together and worth as much: with 4 asked for, 4 to 7.

    Each number alone says 0 to 7, and of a measure that is twice the sum 8 to 14 are left.
    """
    matrix = dense_matrix([[1.0, 1.0]], [3.0], [7.0], [0.0, 0.0], [9.0, 9.0], [1.0, 1.0],
                          maximise=True)  # fmt: skip
    x, y = ("x", ()), ("y", ())
    measures = tuple(
        Measure(STANDING, "creek", use, "2029-01", 1.0, ((x, mw), (y, mw)))
        for use, mw in (("mining", 1.0), ("ai", 2.0))
    )
    among = within(matrix, {x: 0, y: 1}, measures, 4.0, np.array([5.0, 10.0]), Budget())
    assert among.lower == pytest.approx([4.0, 8.0], abs=2e-5)
    assert among.upper == pytest.approx([7.0, 14.0], abs=2e-5)
    assert (among.lower <= [4.0, 8.0]).all()
    assert (among.upper >= [7.0, 14.0]).all()
