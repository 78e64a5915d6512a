"""The screen: complete, true to the tables, and tidy on a hundred columns without colour."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from rich.console import Console

from optimizer.audit import Breach
from optimizer.elastic import Clash
from optimizer.plan import Tables
from optimizer.screen import HEADINGS, screen
from optimizer.screen.grids import grid
from optimizer.screen.sections import MOST_ACTIONS, PARTS, actions, money
from optimizer.solve import EXIT_CODES, Solved, Status
from optimizer.words import figure
from tests.optimizer.plans import Told, branching, chain, idle

PLANS = pytest.mark.parametrize("plan_of", [chain, branching, idle], ids=["chain", "tree", "idle"])
PlanOf = Callable[[], Told]


def shown(*parts: Any, width: int = 100, colour: bool = False) -> str:
    """Print to a terminal of so many columns, and read what stands there."""
    system = "truecolor" if colour else None
    console = Console(
        width=width, color_system=system, force_terminal=colour, highlight=False, record=True,
        file=io.StringIO(),
    )  # fmt: skip
    console.print(*parts, sep="\n")
    return console.export_text(styles=colour)


def of_plan(plan_of: PlanOf, width: int = 100, **keywords: Any) -> str:
    case, solved, table = plan_of()
    return shown(screen(case, solved, table, width=width, **keywords), width=width)


def section(text: str, heading: str) -> list[str]:
    """Lines under a heading, until the next empty one."""
    after = text.split(f"\n{heading}\n", 1)[1]
    return after.split("\n\n", 1)[0].splitlines()


# --- width ---------------------------------------------------------------------------------


@PLANS
@pytest.mark.parametrize("width", [80, 100, 160])
def test_nothing_is_wider_than_the_terminal_or_cut(plan_of: PlanOf, width: int) -> None:
    text = of_plan(plan_of, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text


@PLANS
def test_a_hundred_columns_need_no_second_line_in_a_table(plan_of: PlanOf) -> None:
    """A table of four actions has five lines: nothing is wrapped."""
    _, _, table = plan_of()
    lines = section(of_plan(plan_of), "What to do, and by when to commit")
    told = min(len(table.actions), MOST_ACTIONS)
    assert len([line for line in lines if "smaller ones" not in line]) == 1 + told or told == 0


def test_without_colour_there_are_no_escapes() -> None:
    assert "\x1b" not in of_plan(chain)
    case, solved, table = chain()
    assert "\x1b[" in shown(screen(case, solved, table), colour=True)


# --- truth ---------------------------------------------------------------------------------


@PLANS
def test_the_worth_is_told_with_bound_gap_and_doing_nothing(plan_of: PlanOf) -> None:
    _, solved, _ = plan_of()
    text = of_plan(plan_of)
    assert solved.audit is not None
    assert f"value {figure(solved.value_musd)} M$" in text
    assert f"no plan beats {figure(solved.bound_musd)} M$ (gap {solved.gap:.3%})" in text
    assert f"doing nothing is worth {figure(solved.audit.nothing_musd)} M$" in text


@pytest.mark.parametrize(
    ("ahead", "status", "warned"),
    [(0.0, "best-found", True), (0.01, "best-found", False), (0.0, "solved", False)],
)
def test_a_stop_before_anything_was_found_is_said(
    ahead: float, status: Status, warned: bool
) -> None:
    case, solved, table = chain()
    assert solved.audit is not None
    assert solved.value_musd is not None
    audit = replace(solved.audit, nothing_musd=solved.value_musd - ahead)
    text = shown(screen(case, replace(solved, audit=audit, status=status), table))
    assert ("no better plan was found before the stop" in text) is warned


@PLANS
def test_both_hourly_profits_stand_in_the_audit_line(plan_of: PlanOf) -> None:
    _, solved, _ = plan_of()
    assert solved.audit is not None
    text = of_plan(plan_of)
    assert f"audit passed: {solved.audit.relations:,} limits and balances hold" in text
    assert f"{solved.audit.banded_margin_musd:,.6f} M$\nin bands" in text
    assert f"{solved.audit.hourly_margin_musd:,.6f} M$ hour by hour" in text


def test_the_sentence_says_where_the_plan_leads() -> None:
    _, _, table = chain()
    metrics = table.metrics.set_index(["scope", "metric"])["value"]
    first = figure(metrics["company", "mining_first_it_mw"])
    last, ai = (figure(metrics["company", f"{use}_last_it_mw"]) for use in ("mining", "ai"))
    assert (
        f"From {first} MW of mining and no AI in 2027-01 "
        f"to {last} MW of mining and {ai} MW of AI in 2029-12."
    ) in of_plan(chain)


def test_what_stands_is_told_for_every_site_with_figures_to_the_right() -> None:
    _, _, table = chain()
    lines = section(of_plan(chain), "What stands")
    stood = table.allocation
    west = stood[(stood["site"] == "west") & (stood["workload"] == "mining")]
    told = [f"{mw:,.1f}" for mw in west.groupby("month")["it_mw"].sum()]
    assert re.split(r"  +", lines[1].strip()) == ["west", "mining MW", *told]
    ends = [[m.end() for m in re.finditer(r"\S+", line[26:])] for line in lines[:2]]
    assert ends[0] == ends[1]
    assert lines[-1].split()[0] in ("AI", "halls", "mining")
    assert any(line.startswith("all sites") for line in lines)


def test_money_adds_up_to_the_tables() -> None:
    _, _, table = chain()
    lines = {re.split(r"  +", line.strip())[0]: re.split(r"  +", line.strip())[1:]
             for line in section(of_plan(chain), "Money in M$")}  # fmt: skip
    years = table.finance_by_year.groupby("year").sum(numeric_only=True)
    assert lines["2027"] == ["2028", "2029", "total"]
    assert lines["EBITDA"] == [f"{x:,.1f}" for x in (*years["ebitda_musd"],
                                                      years["ebitda_musd"].sum())]  # fmt: skip
    assert lines["cash at the end"] == [f"{x:,.1f}" for x in years["cash_musd"]]


def test_actions_are_told_by_date() -> None:
    _, _, table = chain()
    lines = section(of_plan(chain), "What to do, and by when to commit")[1:]
    dates = [line[:7] for line in lines if line[:7].strip()]
    assert dates == sorted(set(table.actions["month"]))
    assert any("with lease" in line and "sign" in line for line in lines)


def test_in_a_tree_actions_name_their_branch() -> None:
    text = of_plan(branching)
    assert re.search(r"2027-07 \(node [12]\)", text)


def test_offers_that_are_left_are_named() -> None:
    case, solved, table = chain()
    fewer = table.actions[table.actions["subject"] != "gpus"]
    text = shown(screen(case, solved, replace(table, actions=fewer)))
    assert re.search(r"not signed +gpus", text)


def test_prices_that_were_replaced_are_told_at_the_top() -> None:
    text = of_plan(chain, notes=["prices of west are those of w.csv"])
    assert "prices of west are those of w.csv" in text.split("value")[0]


# --- much ----------------------------------------------------------------------------------


def test_of_many_actions_signatures_and_the_dearest_are_told() -> None:
    case, _, table = chain()
    order = {
        "action": "order", "month": "2027-01", "node": 0, "site": "west", "subject": "s21",
        "from": "", "to": "w1:air", "amount": 1.0, "unit": "racks", "arrives": "2027-07",
    }  # fmt: skip
    rows = [{**order, "capex_musd": float(i), "irrevocable_musd": float(i)} for i in range(40)]
    signed = {**order, "action": "sign", "subject": "lease", "to": "", "unit": "MW",
              "capex_musd": 0.0, "irrevocable_musd": 0.0}  # fmt: skip
    many = replace(table, actions=pd.DataFrame([signed, *rows]))
    text = shown(*actions(case, many))
    assert "sign 1 MW with lease" in text
    assert "39.0" in text
    assert "  5.0" not in text
    assert "17 smaller ones stand in actions.csv" in text


def test_many_years_are_told_in_spans() -> None:
    _, _, table = chain()
    year = table.finance_by_year[table.finance_by_year["year"] == 2028]
    years = pd.concat([year.assign(year=2027 + i) for i in range(12)])
    text = shown(money(cast(Tables, SimpleNamespace(finance_by_year=years)), 100))
    assert text.split()[:3] == ["2027–28", "2029–30", "2031–32"]
    revenue = year["revenue_musd"].sum()
    hosting = year.set_index("segment")["revenue_musd"]["hosting"]
    line = next(line for line in text.splitlines() if "AI hosting" in line)
    assert line.split()[-1] == f"{12 * hosting:,.1f}"
    assert hosting < revenue


# --- no plan -------------------------------------------------------------------------------

CLASH = Clash(
    "capital.capex_budget", "capex budget", "Capex stays within its budget", "horizon",
    ("2027-01", "2028-07"), 37.25, "M$", "finance.capex_budget_musd",
)  # fmt: skip


def test_an_infeasible_case_names_limits_amounts_and_keys() -> None:
    case, _, _ = chain()
    text = shown(screen(case, Solved("infeasible"), clashes=[CLASH]))
    row = next(line for line in text.splitlines() if line.startswith("capex budget"))
    # 37.25 is told as 37.3: whoever types what is shown has to have a plan.
    assert re.split(r"  +", row.strip()) == [
        "capex budget", "horizon", "2027-01 to 2028-07", "37.3 M$", "finance.capex_budget_musd",
    ]  # fmt: skip


def test_single_ways_out_stand_below_the_cheapest_one() -> None:
    case, _, _ = chain()
    other = replace(CLASH, about="limit of the loan", amount=50.0)
    text = shown(screen(case, Solved("infeasible"), clashes=[CLASH], ways=[[other], [CLASH]]))
    below = text.split("alone, each tried")[1]
    assert re.search(r"limit of the loan .* 50 M\$.*\n *or *\n *capex budget", below)


def test_a_limit_over_a_span_is_not_told_as_one_of_its_last_period() -> None:
    case, _, _ = chain()
    clash = replace(CLASH, months=("2029-07",))
    assert "until 2029-07" in shown(screen(case, Solved("infeasible"), clashes=[clash]))


def test_units_built_are_whole_and_a_plan_below_doing_nothing_says_so() -> None:
    case, solved, table = chain()
    built = table.actions[table.actions["action"] == "build"].head(1).assign(amount=24.0)
    many = replace(table, actions=pd.concat([table.actions, built], ignore_index=True))
    assert re.search(r"2[45] × ", shown(screen(case, solved, many)))
    assert solved.audit is not None
    better = replace(solved.audit, nothing_musd=(solved.value_musd or 0.0) + 7.5)
    assert "7.5 M$ more" in shown(screen(case, replace(solved, audit=better), table))


def test_an_infeasible_case_without_clashes_says_where_to_start() -> None:
    case, _, _ = chain()
    assert "rackwatt explain" in shown(screen(case, Solved("infeasible")))


def test_decisions_that_break_the_bookkeeping_are_told_as_such() -> None:
    case, _, _ = chain()
    clash = replace(CLASH, typed=False)
    assert "decisions taken" in shown(screen(case, Solved("infeasible"), clashes=[clash]))


def test_a_failed_audit_shows_breaches_and_no_plan() -> None:
    case, solved, table = chain()
    assert solved.audit is not None
    breach = Breach("grid.interconnection", (0, "west", 0), "2027-01, west", 61.2, 60.0, "<=")
    audit = replace(solved.audit, breaches=(breach,) * 15)
    text = shown(screen(case, replace(solved, status="audit-failed", audit=audit), table))
    assert "audit failed" in text
    assert "15 limits broken" in text
    assert "grid.interconnection at 2027-01, west: 61.2 should be <= 60" in text
    assert "and 3 more" in text
    assert "What to do" not in text


def test_a_stop_before_any_plan_says_what_no_plan_can_beat() -> None:
    case, _, _ = chain()
    text = shown(screen(case, Solved("no-plan", bound_musd=12.5)))
    assert "No plan is worth more than 12.5 M$." in text
    assert "--time-limit" in text


def test_every_status_has_a_heading() -> None:
    assert set(HEADINGS) == set(EXIT_CODES) - {"refused"}


# --- tables without lines ------------------------------------------------------------------


def test_only_words_give_way_in_a_narrow_table() -> None:
    table = grid(("what", "words"), ("when", "date"), ("M$", "figure"))
    table.add_row("a hall with a very long name that goes on", "2027-01", "1,234,567.8")
    text = shown(table, width=40)
    assert "2027-01" in text
    assert "1,234,567.8" in text
    assert max(len(line) for line in text.splitlines()) <= 40


@PLANS
def test_where_the_value_comes_from_adds_up(plan_of: PlanOf) -> None:
    """Every part of the bridge is told once, so that the lines add up to the value."""
    told = [pair for segments, parts in PARTS.values() for pair in product(segments, parts)]
    assert len(told) == len(set(told))
    _, _, table = plan_of()
    there = set(zip(table.value["segment"], table.value["part"], strict=True))
    assert there <= set(told)
