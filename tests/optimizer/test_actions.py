"""Lists of actions: out of a plan and back again, and every line that cannot be meant."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from models.build import Column
from models.context import Context
from models.instance import month_index
from models.tree import Tree
from optimizer.actions import COLUMNS, actions_of
from optimizer.audit import values_of
from optimizer.case import Case, prepare
from optimizer.errors import InputRefused, Problem
from optimizer.highs import Options
from optimizer.layout import ACTIONS
from optimizer.pins import only, pins_of, read_actions
from optimizer.settle import context_of
from optimizer.solve import Solved, solve
from optimizer.write import write_table
from tests.optimizer.rich_case import rich_case

DECIDED = {*ACTIONS, "arriving", "sales", "signed_mw"}


@cache
def chain() -> Case:
    return rich_case()


@cache
def forked() -> Case:
    """The same case on a tree that forks after its first period."""
    tree = Tree((None, 0, 1, 2, 0, 4, 5), (1.0, *(0.5,) * 6), month_index("2027-01"), 6)
    case = chain()
    return prepare(case.instance, case.hours, tree=tree)


@cache
def solved(case: Case) -> Solved:
    found = solve(case, Options(gap=0.05))
    assert found.plan is not None
    return found


def done(plan: Context) -> dict[Column, float]:
    """Everything a plan decides to do, but what it leaves undone."""
    return {
        column: value
        for column, value in values_of(plan).items()
        if column[0] in DECIDED and value
    }


def written(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write a table as the run folder has it, and read it back."""
    write_table(folder / "actions", table)
    return read_actions(folder / "actions.csv")


@pytest.mark.parametrize("case", [chain, forked])
def test_actions_say_all_that_a_plan_does(case: object, tmp_path: Path) -> None:
    here = case()  # type: ignore[operator]
    plan = solved(here).plan
    assert plan is not None
    table = actions_of(here, plan)
    assert {"sign", "build", "convert", "order", "sell"} <= set(table["action"])
    assert pins_of(here, table) == done(plan)
    assert pins_of(here, written(table, tmp_path)) == done(plan)


@pytest.mark.parametrize("case", [chain, forked])
def test_a_list_read_back_is_worth_the_same(case: object, tmp_path: Path) -> None:
    here = case()  # type: ignore[operator]
    found = solved(here)
    assert found.plan is not None
    pins = pins_of(here, written(actions_of(here, found.plan), tmp_path))
    again = solve(here, pinned=only(here, pins))
    assert again.status == "solved"
    assert again.value_musd == pytest.approx(found.value_musd, abs=1e-6)
    assert again.plan is not None
    assert done(again.plan) == done(found.plan)


def test_money_of_the_actions_is_the_capex_of_the_plan() -> None:
    plan = solved(chain()).plan
    assert plan is not None
    given, table = chain().given, actions_of(chain(), plan)
    owed = sum(given.capex_owed.values())
    assert table["irrevocable_musd"].sum() == pytest.approx(sum(plan.capex.values()) - owed)
    first = table.loc[table["node"] == 0, "capex_musd"].sum()
    at_once = sum(plan.capex[0, s] - given.capex_owed.get((0, s), 0.0) for s in given.sites)
    assert first == pytest.approx(at_once)
    deposits = table[(table["action"] == "order") & (table["subject"] == "s21")]
    assert (deposits["capex_musd"] < deposits["irrevocable_musd"]).all()


def moved(case: Case, counts: Mapping[Column, float]) -> pd.DataFrame:
    return actions_of(case, context_of(case.given, counts))


def test_moves_are_paired_from_place_to_place() -> None:
    case, pair = chain(), ("s21", "s21")
    counts: dict[Column, float] = {
        ("leaving", (1, "w1:air", *pair)): 5.0,
        ("arriving", (1, "w2:air", *pair)): 5.0,
        ("leaving", (0, "e1:ai+n1", "old-gpu", "h100")): 7.0,
        ("arriving", (1, "e2:ai+2n", "old-gpu", "h100")): 7.0,
    }
    table = moved(case, counts)
    assert list(table[["action", "from", "to", "amount", "arrives"]].itertuples(index=False)) == [
        ("rebuild", "e1:ai+n1", "e2:ai+2n", 7.0, "2027-07"),
        ("move", "w1:air", "w2:air", 5.0, "2027-07"),
    ]
    assert pins_of(case, table) == counts


def test_a_rebuild_that_branches_take_elsewhere_is_told_in_two_parts() -> None:
    case, pair = forked(), ("old-gpu", "h100")
    counts: dict[Column, float] = {
        ("leaving", (0, "e1:ai+n1", *pair)): 7.0,
        ("arriving", (1, "e1:ai+n1", *pair)): 7.0,
        ("arriving", (4, "e2:ai+n1", *pair)): 7.0,
    }
    table = moved(case, counts)
    assert list(table[["node", "from", "to"]].itertuples(index=False, name=None)) == [
        (0, "e1:ai+n1", ""),
        (1, "", "e1:ai+n1"),
        (4, "", "e2:ai+n1"),
    ]
    assert pins_of(case, table) == counts


def test_nothing_done_is_an_empty_list() -> None:
    table = actions_of(chain(), context_of(chain().given, {}))
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 0
    assert pins_of(chain(), table) == {}


# --- lists typed by hand -------------------------------------------------------------------

HEADER = "action,month,subject,from,to,amount"


def typed(folder: Path, *rows: str, header: str = HEADER) -> pd.DataFrame:
    path = folder / "mine.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return read_actions(path)


def test_few_columns_are_enough(tmp_path: Path) -> None:
    rows = typed(
        tmp_path,
        "order,2027-01,s21,,w1:air,3",
        "sign,2027-07,lease,,,5.5",
        "sign,2027-01,gpus,,,0",
        "move,2027-01,s19,w1:air,,2",
    )
    assert pins_of(chain(), rows) == {
        ("orders", (0, "w1:air", "s21")): 3.0,
        # Dates that are as good are one date: with an advance the first, without one the last.
        ("signing", (0, "lease")): 1.0,
        ("signed_mw", (0, "lease")): 5.5,
        ("signing", (1, "gpus")): 0.0,
        ("signed_mw", (1, "gpus")): 0.0,
        ("leaving", (0, "w1:air", "s19", "s19")): 2.0,
    }


def test_moves_from_one_place_to_two_are_summed(tmp_path: Path) -> None:
    rows = typed(
        tmp_path,
        "rebuild,2027-01,old-gpu,e1:ai+n1,e1:ai+n1,2",
        "rebuild,2027-01,old-gpu,e1:ai+n1,e2:ai+n1,3",
    )
    pair = ("old-gpu", "h100")
    assert pins_of(chain(), rows) == {
        ("leaving", (0, "e1:ai+n1", *pair)): 5.0,
        ("arriving", (1, "e1:ai+n1", *pair)): 2.0,
        ("arriving", (1, "e2:ai+n1", *pair)): 3.0,
    }


#: A line that cannot be meant, the column it fails on, and what is said.
MISTAKES = {
    "unknown action": ("smell,2027-01,s19,w1:air,,3", "action", "unknown action"),
    "no action": (",2027-01,s19,w1:air,,3", "action", "the action is missing"),
    "unknown rack": ("order,2027-01,s12,,w1:air,3", "subject", "unknown rack type"),
    "unknown place": ("order,2027-01,s21,,w1:aire,3", "to", "unknown place"),
    "no place": ("order,2027-01,s21,,,3", "to", "the place is missing"),
    "unknown contract": ("sign,2027-01,leese,,,5", "subject", "unknown contract"),
    "unknown project": ("build,2027-01,west-fiber,,,1", "subject", "unknown project"),
    "no month": ("order,,s21,,w1:air,3", "month", "the month is missing"),
    "not a month": ("order,January,s21,,w1:air,3", "month", "this is not a month"),
    "inside a period": ("order,2027-02,s21,,w1:air,3", "month", "no period starts"),
    "before the horizon": ("order,2026-07,s21,,w1:air,3", "month", "outside the horizon"),
    "beyond the horizon": ("order,2030-01,s21,,w1:air,3", "month", "outside the horizon"),
    "cannot land": ("order,2029-07,s21,,w1:air,3", "subject", "would arrive in 2030-01"),
    "works cannot land": ("convert,2029-01,,w1:air,w1:ai+n1,1", "to", "finished in 2030-01"),
    "project cannot land": ("build,2029-01,west-firm,,,1", "month", "finished in 2030-01"),
    "not whole": ("order,2027-01,s21,,w1:air,2.5", "amount", "not whole"),
    "negative": ("order,2027-01,s21,,w1:air,-2", "amount", "negative"),
    "no number": ("order,2027-01,s21,,w1:air,two", "amount", "not a number"),
    "no amount": ("order,2027-01,s21,,w1:air,", "amount", "not a number"),
    "not finite": ("sign,2027-01,lease,,,nan", "amount", "not a number"),
    "cannot be bought": ("order,2027-01,s19,,w1:air,3", "subject", "cannot be bought"),
    "wrong cooling": ("order,2027-01,h100,,w1:air,3", "subject", "cannot stand in w1:air"),
    "never stands there": ("sell,2027-01,h100,w1:air,,3", "subject", "cannot stand in w1:air"),
    "another hall": ("convert,2027-01,,w1:air,e1:ai+n1,1", "to", "within its hall group"),
    "not convertible": ("convert,2027-01,,w2:air,w2:air,1", "to", "w2:air cannot become w2:air"),
    "subject of another": ("convert,2027-01,air,w1:air,w1:ai+n1,1", "subject", "contradicts"),
    "too late to sign": ("sign,2028-01,lease,,,5", "month", "until 2027-07"),
    "signed already": ("sign,2027-01,signed,,,2", "month", "signed already"),
    "cannot be rebuilt": ("rebuild,2027-01,s19,w1:air,w1:air,1", "subject", "cannot be rebuilt"),
    "cannot be moved": ("move,2027-01,h100,e1:ai+n1,e1:ai+2n,1", "from", "cannot be moved"),
    "from nowhere": ("move,2027-01,s21,,,1", "from", "the place is missing"),
}  # fmt: skip


def only_problem(
    folder: Path, *rows: str, header: str = HEADER, case: Case | None = None
) -> Problem:
    with pytest.raises(InputRefused) as refused:
        pins_of(case or chain(), typed(folder, *rows, header=header))
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_line_that_cannot_be_meant(mistake: str, tmp_path: Path) -> None:
    row, column, says = MISTAKES[mistake]
    problem = only_problem(tmp_path, "sign,2027-01,gpus,,,1", row)
    assert (problem.file, problem.line, problem.key) == ("mine.csv", 3, column)
    assert says in problem.message


def test_every_bad_line_is_told(tmp_path: Path) -> None:
    rows = [row for row, _, _ in MISTAKES.values()]
    with pytest.raises(InputRefused) as refused:
        pins_of(chain(), typed(tmp_path, *rows))
    lines = {problem.line for problem in refused.value.problems if problem.line}
    assert len(lines - {10**9}) >= 12


def test_an_action_given_twice_is_refused(tmp_path: Path) -> None:
    row = "order,2027-01,s21,,w1:air,3"
    problem = only_problem(tmp_path, row, "sign,2027-01,gpus,,,1", row)
    assert problem.line == 4
    assert "given twice" in problem.message
    assert "line 2" in problem.hint


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        (f"{HEADER},site", "order,2027-01,s21,,w1:air,3,east", "site"),
        (f"{HEADER},unit", "order,2027-01,s21,,w1:air,3,MW", "unit"),
        (f"{HEADER},node", "order,2027-01,s21,,w1:air,3,2", "node"),
    ],
)
def test_a_cell_that_contradicts_the_others(
    header: str, row: str, column: str, tmp_path: Path
) -> None:
    assert only_problem(tmp_path, row, header=header).key == column


def test_a_tree_asks_which_branch(tmp_path: Path) -> None:
    row = "sell,2027-07,s19,w1:air,,3"
    problem = only_problem(tmp_path, row, case=forked())
    assert (problem.key, problem.allowed) == ("node", "1, 4")
    rows = typed(tmp_path, f"{row},4", header=f"{HEADER},node")
    assert pins_of(forked(), rows) == {("sales", (4, "w1:air", "s19")): 3.0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("action,month,subject,amount,mounth\n", "unknown column"),
        ("action,subject,amount\nsign,lease,5\n", "the column is missing"),
        ("action,month,subject\nsign,2027-01,lease\n", "the column is missing"),
        ("action,month,subject,amount\nsign,2027-01,lease\n", "as many cells"),
        ("", "the file is empty"),
        ("\x00\x00", "not UTF-8"),
        (None, "no such file"),
    ],
)
def test_a_file_that_is_no_list(text: str | None, says: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(InputRefused, match=says):
        read_actions(tmp_path / "mine.csv")


def test_only_leaves_open_which_worn_racks_go() -> None:
    """Racks bought 36 months before the start must go after 12: no list needs to say so."""
    case = chain()
    nothing = only(case, {})
    assert ("sales", (2, "e1:air", "s19")) not in nothing
    assert nothing["sales", (1, "e1:air", "s19")] == 0
    assert nothing["orders", (0, "w1:air", "s21")] == 0
    some = only(case, {("sales", (1, "e1:air", "s19")): 12.0})
    assert some["sales", (1, "e1:air", "s19")] == 12
    assert some["sales", (2, "e1:air", "s19")] == 0


def test_more_moved_than_stands_is_told_with_its_line(tmp_path: Path) -> None:
    given = chain().given
    stands = given.racks_today["w1:air", "s19"]
    elsewhere = sum(count for (p, k), count in given.racks_today.items() if k == "s19")
    row = f"move,2027-01,s19,w1:air,,{elsewhere + 5:g}"
    problem = only_problem(tmp_path, "sign,2027-01,gpus,,,0", row)
    assert problem.line == 3
    assert problem.message == (
        f"the plan moves {elsewhere + 5:g} racks of s19 from w1:air in 2027-01, "
        f"where {stands:g} stand"
    )


def test_a_column_that_says_who_decided_is_not_looked_at(tmp_path: Path) -> None:
    rows = typed(tmp_path, "sign,2027-01,gpus,,,0,added", header=f"{HEADER},decided")
    assert pins_of(chain(), rows) == {
        ("signing", (1, "gpus")): 0.0, ("signed_mw", (1, "gpus")): 0.0,
    }  # fmt: skip


def test_a_kept_site_takes_no_actions(tmp_path: Path) -> None:
    kept = chain().instance
    kept = kept.model_copy(
        update={"policy": kept.policy.model_copy(update={"keep_sites": ["west"]})}
    )
    case = prepare(kept, chain().hours)
    for row in ("order,2027-01,s21,,w1:air,3", "build,2027-01,west-firm,,,1"):
        assert "stays as it is" in only_problem(tmp_path, row, case=case).message
