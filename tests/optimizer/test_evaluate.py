"""Plans of one's own: what they are worth, what completes them, and which limits they break."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from optimizer import evaluate as judging
from optimizer import highs
from optimizer.cli import main
from optimizer.highs import Budget, Options
from optimizer.solve import Solved, solve
from tests.folders import edited, write_folder
from tests.optimizer.rich_case import rich_case
from tests.optimizer.test_cli import BROKE, CROWDED
from tests.optimizer.test_solve import Clock

HEADER = "action,month,subject,from,to,amount"
Answer = Callable[..., tuple[int, dict[str, Any]]]

#: The small site with more money, and machines that pay: there is something to decide.
THRIVING = edited(
    "start = 45", "start = 70",
    edited("opening_cash_musd = 20", "opening_cash_musd = 60"),
)  # fmt: skip


@pytest.fixture
def answer(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Answer:
    """Run a command with ``--json`` and give its exit code and its object."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main([*map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def thriving(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "thriving", THRIVING)


def plan(*rows: str) -> Path:
    path = Path("mine.csv")
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


@pytest.mark.parametrize("options", [(), ("--only",)])
def test_a_plan_read_back_is_worth_the_same(
    answer: Answer, thriving: Path, options: tuple[str, ...]
) -> None:
    _, solved = answer("solve", thriving, "--gap", 0, "--out", "run")
    actions = Path("run/actions.csv")
    done = {line.partition(",")[0] for line in actions.read_text().splitlines()}
    assert {"sign", "convert", "sell"} <= done
    code, judged = answer("evaluate", thriving, "--plan", actions, "--gap", 0, *options)
    assert code == 0
    assert judged["value_musd"] == pytest.approx(solved["value_musd"], abs=1e-6)
    assert judged["optimum_musd"] == pytest.approx(solved["value_musd"], abs=1e-6)
    assert judged["nothing_musd"] == pytest.approx(solved["nothing_musd"], abs=1e-6)
    assert judged["nothing_musd"] < judged["value_musd"] - 1
    assert judged["broken"] == []
    assert judged["out"] is None


def test_a_partial_plan_is_completed(answer: Answer, thriving: Path) -> None:
    """What the list leaves open is decided for the best, or left undone where asked."""
    mine = plan("order,2028-04,s21-lot,,old:mine,1")
    _, completed = answer("evaluate", thriving, "--plan", mine, "--out", "completed")
    _, alone = answer("evaluate", thriving, "--plan", mine, "--only", "--out", "alone")
    assert alone["value_musd"] < completed["value_musd"] - 0.1
    assert completed["value_musd"] <= completed["optimum_bound_musd"] + 1e-6
    assert Path("alone/actions.csv").read_text().count("\n") == 2
    for run in ("completed", "alone"):
        lines = Path(run, "actions.csv").read_text().splitlines()
        assert [line for line in lines if line.startswith("order,2028-04,5,")] == [
            "order,2028-04,5,north,s21-lot,,old:mine,1,racks,2028-07,0.784,0.784,plan"
        ]


def test_what_was_added_to_a_plan_is_told_and_read_back(
    answer: Answer, thriving: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = plan("order,2028-04,s21-lot,,old:mine,1", "sign,2027-01,lease,,,3")
    _, judged = answer("evaluate", thriving, "--plan", mine, "--out", "run", "--gap", 0)
    marks = {(row["action"], row["month"]): row["decided"] for row in judged["actions"]}
    # The lease is signed at the last moment, which is as good: it is the plan's all the same.
    assert marks["sign", "2027-04"] == marks["order", "2028-04"] == "plan"
    assert {marks[key] for key in marks if key[0] == "convert"} == {"added"}
    assert judged["actions_from_plan"] == 2
    assert judged["actions_added"] == len(judged["actions"]) - 2 > 0
    header, *rows = Path("run/actions.csv").read_text().splitlines()
    assert header.endswith(",decided")
    assert sum(row.endswith(",plan") for row in rows) == 2
    _, again = answer("evaluate", thriving, "--plan", "run/actions.csv", "--only", "--gap", 0)
    assert again["value_musd"] == pytest.approx(judged["value_musd"], abs=1e-6)
    assert again["actions_added"] == 0
    capsys.readouterr()
    main(["evaluate", str(thriving), "--plan", str(mine), "--quiet", "--no-optimum"])
    said = capsys.readouterr().out
    assert f"2 actions from the plan, {judged['actions_added']} added to complete it" in said


def test_doing_nothing_is_worth_what_solve_says(
    answer: Answer, thriving: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan that orders something has no do-nothing of its own; that of the case is told."""
    _, solved = answer("solve", thriving, "--gap", 0, "--out", "free")
    mine = plan("order,2028-04,s21-lot,,old:mine,1")
    for command in ("evaluate", "solve"):
        _, judged = answer(command, thriving, "--plan", mine, "--out", f"{command}-run")
        assert judged["nothing_musd"] == pytest.approx(solved["nothing_musd"], abs=1e-6)
        told = json.loads(Path(f"{command}-run/plan.json").read_text())
        worth = told["metrics"]["company"]["nothing_value_musd"]
        assert worth == pytest.approx(solved["nothing_musd"], abs=1e-6)
    capsys.readouterr()
    main(["evaluate", str(thriving), "--plan", str(mine), "--only", "--quiet", "--no-optimum"])
    said = capsys.readouterr().out
    assert "doing nothing is worth" in said
    assert "no way out" not in said
    assert "no way to complete these actions beats" in said


#: What takes away more than stands, and how it is told.
TOO_MUCH = {
    "sold": (["sell,2027-01,s21-lot,old:mine,,30"],
        "the plan sells 30 racks of s21-lot from old:mine in 2027-01, where 14 stand"),
    "sold twice": (["sell,2027-01,s21-lot,old:mine,,10", "sell,2027-04,s21-lot,old:mine,,5",
        "order,2027-01,s21-lot,,old:mine,0"],
        "the plan sells 5 racks of s21-lot from old:mine in 2027-04, where 4 stand"),
    "converted": (["convert,2027-01,ai+n-plus-1,old:mine,old:ai+n-plus-1,5"],
        "the plan converts 5 halls from old:mine in 2027-01, where 4 stand"),
    "signed twice": (["sign,2027-01,lease,,,3", "sign,2027-04,lease,,,3"],
        "the plan signs lease twice"),
    "signed late": (["sign,2027-07,lease,,,3"], "lease can be signed until 2027-04"),
    "ordered where it cannot stand": (["order,2027-01,gpu,,old:mine,1"],
        "gpu cannot stand in old:mine: it is for mining, the rack for ai"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "says"), TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_more_than_stands_is_told_in_one_sentence(
    answer: Answer, thriving: Path, rows: list[str], says: str
) -> None:
    code, judged = answer("evaluate", thriving, "--plan", plan(*rows))
    assert code == 3
    (problem,) = judged["problems"]
    assert problem["message"] == says
    assert problem["file"] == "mine.csv"
    assert problem["line"] in (2, 3)


def test_more_than_stands_is_refused_where_nothing_is_added(
    answer: Answer, thriving: Path
) -> None:
    """By 2028 further racks could have been ordered to be sold, but not where nothing is added."""
    mine = plan("sell,2028-01,s21-lot,old:mine,,15")
    code, judged = answer("evaluate", thriving, "--plan", mine, "--only")
    assert code == 3
    assert judged["problems"][0]["message"] == (
        "the plan sells 15 racks of s21-lot from old:mine in 2028-01, where 14 stand"
    )
    assert answer("evaluate", thriving, "--plan", mine, "--no-optimum")[0] == 0


def test_more_than_could_be_bought_is_told_beside_the_limits(
    answer: Answer, thriving: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Racks could be ordered to be sold in 2028; the halls and the budget allow no 300."""
    mine = plan("sell,2028-01,s21-lot,old:mine,,300")
    said = "the plan sells 300 racks of s21-lot from old:mine in 2028-01, where 14 stand"
    code, judged = answer("evaluate", thriving, "--plan", mine, "--no-optimum")
    assert (code, judged["excesses"]) == (4, [said])
    assert judged["broken"]
    main(["evaluate", str(thriving), "--plan", str(mine), "--quiet", "--no-optimum"])
    shown = " ".join(capsys.readouterr().out.split())
    assert f"{said}, and no line of it brings more" in shown
    still = answer("evaluate", thriving, "--plan", plan(), "--only", "--no-optimum")[1]
    assert judged["nothing_musd"] == pytest.approx(still["value_musd"], abs=1e-6)
    assert f"doing nothing is worth {judged['nothing_musd']:.1f} M$" in shown


def test_halls_named_without_racks_are_not_filled(answer: Answer, thriving: Path) -> None:
    """A plan that breaks the bookkeeping alone is told, although it names a place of tenants."""
    mine = plan("convert,2027-01,ai+n-plus-1,old:mine,old:ai+n-plus-1,4")
    code, judged = answer("evaluate", thriving, "--plan", mine, "--only")
    assert code == 4
    assert judged["broken"]


def test_an_empty_plan_leaves_everything_open_or_nothing(answer: Answer, thriving: Path) -> None:
    code, still = answer("evaluate", thriving, "--plan", plan(), "--only", "--no-optimum")
    _, free = answer("evaluate", thriving, "--plan", plan(), "--gap", 0)
    assert code == 0
    assert still["optimum_musd"] is None
    # Doing nothing may still sell what stands, which a list without a sale does not.
    assert still["value_musd"] <= still["nothing_musd"] + 1e-6
    assert free["value_musd"] == pytest.approx(free["optimum_musd"], abs=1e-6)
    assert free["value_musd"] > free["nothing_musd"] + 1


@pytest.mark.parametrize(
    ("rows", "limit", "where", "month", "amount", "unit"),
    [
        # Eight MW of a lease need halls that nobody has converted.
        (["sign,2027-01,lease,,,8"], "hosting.delivery_balance", "lease", "2028-07", 8.0, "MW"),
        # 14 and 12 lots of 0.98 MW stand in halls of 20 MW.
        (["order,2027-01,s21-lot,,old:mine,12"], "racks.space_limit", "old:mine", "2027-04",
         5.48, "MW"),
        # The line is built twice, and may be once.
        (["build,2027-01,line,,,2"], "grid.project_limit", "line", "2028-10", 1.0, "units"),
    ],
)  # fmt: skip
def test_a_plan_that_breaks_a_limit_is_told_which(
    answer: Answer, thriving: Path, rows: list[str], limit: str, where: str, month: str,
    amount: float, unit: str,
) -> None:  # fmt: skip
    code, judged = answer("evaluate", thriving, "--plan", plan(*rows), "--only", "--out", "run")
    assert code == 4
    assert judged["status"] == "infeasible"
    assert judged["value_musd"] is None
    broken = {clash["limit"]: clash for clash in judged["broken"]}
    assert where in broken[limit]["where"]
    assert broken[limit]["months"][0] == month
    assert (broken[limit]["amount"], broken[limit]["unit"]) == (pytest.approx(amount), unit)
    assert not Path("run").exists()


def test_racks_that_do_not_split_into_halls_are_told(answer: Answer, tmp_path: Path) -> None:
    """Three racks fit two halls by their MW, and not hall by hall."""
    folder = write_folder(tmp_path / "crowded", CROWDED)
    rows = ("order,2027-01,large,,twins:ai,2", "order,2027-01,small,,twins:ai,1")
    code, judged = answer("evaluate", folder, "--plan", plan(*rows), "--only")
    assert code == 4
    assert judged["broken"]
    assert all(clash["limit"].startswith("racks.fill") for clash in judged["broken"])
    assert all("twins:ai" in clash["where"] for clash in judged["broken"])


def test_broken_limits_are_shown_to_a_person(
    thriving: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(thriving.parent)
    rows = plan("order,2027-01,s21-lot,,old:mine,12")
    assert main(["evaluate", str(thriving), "--plan", str(rows), "--only", "--quiet"]) == 4
    said = capsys.readouterr()
    assert "IT MW of the halls" in said.out
    assert "5.5" in said.out
    assert said.err == ""


def test_three_values_are_shown_side_by_side(
    thriving: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(thriving.parent)
    rows = plan("order,2028-04,s21-lot,,old:mine,1")
    assert main(["evaluate", str(thriving), "--plan", str(rows)]) == 0
    table = capsys.readouterr().out.split("Beside other plans")[1]
    for name in ("this plan", "doing nothing", "best plan found"):
        assert name in table
    assert not Path("runs").exists()


def test_a_plan_against_the_policy_is_refused(answer: Answer, tmp_path: Path) -> None:
    toml = edited("mining_share_min = 0.1", 'mining_share_min = 0.1\npin = "pin.csv"')
    folder = write_folder(tmp_path / "pinned", toml)
    (folder / "pin.csv").write_text(f"{HEADER}\nsign,2027-01,lease,,,0\n")
    code, judged = answer("evaluate", folder, "--plan", plan("sign,2027-01,lease,,,3"))
    assert code == 3
    assert "policy.pin decides otherwise" in judged["problems"][0]["message"]
    assert answer("evaluate", folder, "--plan", plan("sign,2027-01,lease,,,0"))[0] == 0


def test_bad_lines_are_refused_with_their_numbers(answer: Answer, thriving: Path) -> None:
    mine = plan("order,2028-10,s21-lot,,old:mine,1", "order,2027-01,s21-lot,,old:mine,1.5")
    code, judged = answer("evaluate", thriving, "--plan", mine)
    assert code == 3
    assert [(p["file"], p["line"]) for p in judged["problems"]] == [
        ("mine.csv", 2), ("mine.csv", 3),
    ]  # fmt: skip


# --- what a plan is put beside -------------------------------------------------------------


@pytest.mark.parametrize("ended", ["interrupted", "abandoned", "time-limit"])
def test_no_best_plan_is_looked_for_after_a_stop(ended: Any) -> None:
    case, asked = rich_case(), []
    done = solve(case, Options(gap=0.05))
    assert done.outcome is not None
    done = replace(done, outcome=replace(done.outcome, ended=ended))

    def search(pins: Any) -> Solved:
        asked.append(pins)
        return done

    judged = judging.evaluate(case, {}, {}, search)
    assert len(asked) == (2 if ended == "time-limit" else 1)
    assert (judged.optimum is None) == (ended != "time-limit")
    assert judged.nothing_musd is not None


def test_doing_nothing_keeps_to_the_policy(answer: Answer, tmp_path: Path) -> None:
    """What the instance's own policy sells is sold by whoever does nothing, too."""
    pinned = edited("mining_share_min = 0.1", 'mining_share_min = 0.1\npin = "pin.csv"', THRIVING)
    worth = {}
    for name, rows in {"free": "", "selling": "sell,2027-01,s21-lot,old:mine,,4\n"}.items():
        folder = write_folder(tmp_path / name, pinned, pin_csv=f"{HEADER}\n{rows}")
        mine = plan("order,2028-04,s21-lot,,old:mine,1")
        _, judged = answer("evaluate", folder, "--plan", mine, "--no-optimum")
        _, solved = answer("solve", folder, "--out", f"{name}-run")
        assert judged["nothing_musd"] == pytest.approx(solved["nothing_musd"], abs=1e-6)
        worth[name] = judged["nothing_musd"]
    assert abs(worth["free"] - worth["selling"]) > 0.1


@pytest.mark.parametrize("limit", [0.1, 20.0, 5000.0])
@pytest.mark.parametrize("ended", ["time-limit", "abandoned"])
def test_a_plan_beside_others_keeps_to_one_time_limit(
    monkeypatch: pytest.MonkeyPatch, limit: float, ended: Any
) -> None:
    """Every run takes all that it may, and a stuck one the patience that is had with it, too."""
    clock, honest, case = Clock(monkeypatch), highs._attempt, rich_case()

    def slow(matrix: Any, options: Options, *rest: Any) -> Any:
        _, found = honest(matrix, replace(options, time_limit=60.0), *rest)
        clock.now += options.time_limit + (options.patience if ended == "abandoned" else 0.0)
        bound = None if found.objective is None else found.objective + 100.0
        return "feasible", replace(found, status="feasible", ended=ended, bound=bound)

    monkeypatch.setattr(highs, "_attempt", slow)
    budget = Budget(limit)
    judged = judging.evaluate(
        case, {}, {}, lambda pins: solve(case, Options(time_limit=budget.left), pinned=pins),
        budget=budget,
    )  # fmt: skip
    assert clock.now <= limit + max(5.0, 0.05 * limit)
    assert judged.planned.plan is not None


def test_a_plan_that_took_all_the_time_is_put_beside_doing_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That is part of settling it, for which some patience is left."""
    case, clock = rich_case(), Clock(monkeypatch)
    budget = Budget(5.0)
    planned = solve(case, Options(gap=0.05))
    clock.now = 6.0
    beside = judging.beside_nothing(case, planned, {}, budget=budget)
    assert planned.audit is not None
    assert beside.audit is not None
    assert beside.audit.nothing_musd == planned.audit.nothing_musd is not None


def test_ctrl_c_beside_a_plan_ends_the_comparison_and_keeps_the_plan(
    answer: Answer, thriving: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once ends the search for what doing nothing is worth, twice gives it up."""
    honest, mine = judging.do_nothing, plan("order,2028-04,s21-lot,,old:mine,1")
    for times in (1, 2):
        heard: list[bool] = []

        def pressed(
            *arguments: Any, stop: Any, times: int = times, heard: list[bool] = heard,
            **keywords: Any,
        ) -> Any:  # fmt: skip
            for _ in range(times):
                heard.append(stop.is_set())
                signal.raise_signal(signal.SIGINT)
            heard.append(stop.is_set())
            return honest(*arguments, stop=stop, **keywords)

        monkeypatch.setattr(judging, "do_nothing", pressed)
        for command, options in (("evaluate", ["--no-optimum"]), ("solve", [])):
            heard.clear()
            out = f"{command}-{times}"
            code, told = answer(command, thriving, "--plan", mine, "--out", out, *options)
            assert heard == [False, True]
            assert code == 0
            assert told["value_musd"] is not None
            assert Path(out, "plan.json").exists()


def test_a_search_for_the_best_that_is_given_up_loses_no_plan() -> None:
    case = rich_case()
    done = [solve(case, Options(gap=0.05))]

    def search(_: Any) -> Solved:
        if not done:
            raise KeyboardInterrupt
        return done.pop()

    judged = judging.evaluate(case, {}, {}, search)
    assert judged.planned.plan is not None
    assert judged.optimum is None
    assert judged.nothing_musd is not None


def test_limits_whose_search_is_given_up_are_left_unnamed(
    answer: Answer, thriving: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the plan is infeasible is known by then."""
    mine = plan("sign,2027-01,lease,,,8")

    def pressed(*_: Any, stop: threading.Event, **__: Any) -> Any:
        assert not stop.is_set()
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "clashing", pressed)
    monkeypatch.setattr("optimizer.commands.solve.clashing", pressed)
    code, judged = answer("evaluate", thriving, "--plan", mine, "--only")
    assert (code, judged["status"], judged["broken"]) == (4, "infeasible", [])
    code, solved = answer("solve", write_folder(thriving.parent / "broke", BROKE))
    assert (code, solved["status"], solved["clashes"]) == (4, "infeasible", [])
