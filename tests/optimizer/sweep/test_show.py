"""``rackwatt sweep show`` and what it shares with exports: draws, cases, changes and plans."""

import csv
import statistics

import pytest

from optimizer.sweep.points import Point, Row
from optimizer.sweep.rows.pivot import laid_out
from optimizer.sweep.rows.records import Entry
from optimizer.sweep.rows.statistics import spread_of
from optimizer.sweep.rows.store import Store
from tests.optimizer.sweep.commands import GRID, bad_cases, write_cases, write_grid

#: Six cases in sixty draws, of which those with a floor of 40 M$ are infeasible.
DRAWN = """\
[sweep]
base = "{base}"
design = "monte_carlo"
samples = 60
seed = 3

[axes.capex]
key = "finance.capex_budget_musd"
values = {{ distribution = "discrete", values = [15, 5, 10], weights = [1, 2, 1] }}

[axes.cash]
key = "finance.minimum_cash_musd"
values = {{ distribution = "discrete", values = [40, 2], weights = [1, 5] }}
"""
ONE = """\
[sweep]
base = "{base}"
design = "one_at_a_time"

[axes.capex]
key = "finance.capex_budget_musd"
values = [5, 10, 15]

[axes.firm]
key = "sites.*.firm_mw"
scale = [0.5, 1.0]
"""
MINE = (
    "action,month,subject,from,to,amount\n"
    "convert,2029-01,ai+two-feeds,barn:mine,barn:ai+two-feeds,1\n"
)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines_of(said):
    assert said.code == 0, said.err
    return [line.split() for line in said.out.splitlines()]


def ran(rackwatt, file, code=0):
    said = rackwatt(file, "--workers", "1")
    assert said.code == code, said.err
    return said


def entry(number, times=1, value=None, **settings):
    row = None if value is None else Row(number, "solved", value)
    return Entry(Point(number, settings, {}, times=times), f"{number}", row, "", 1, "")


# --- draws ---------------------------------------------------------------------------------


@pytest.fixture
def drawn(rackwatt, tmp_path):
    file = write_grid(tmp_path, DRAWN, name="drawn.toml")
    ran(rackwatt, file)
    return file


def test_draws_are_weighed_by_how_often_they_were_drawn(rackwatt, drawn, tmp_path):
    assert rackwatt("export", drawn, "a.csv").code == 0
    rows = rows_of(tmp_path / "a.csv")
    assert sum(int(row["times"]) for row in rows) == 60
    planned = [row for row in rows if row["value_musd"]]
    each = [float(row["value_musd"]) for row in planned for _ in range(int(row["times"]))]
    found = rackwatt("show", drawn, "--value", "capex_musd", "--json").object
    assert found["draws"] == {"plan": len(each), "infeasible": 60 - len(each)}
    assert len(each) < 60
    told = found["statistics"]["value_musd"]
    assert told["draws"] == len(each)
    assert told["mean"] == pytest.approx(statistics.fmean(each))
    assert told["sd"] == pytest.approx(statistics.stdev(each))
    cuts = statistics.quantiles(each, n=20, method="inclusive")
    assert [told[f"p{p}"] for p in (5, 25, 50, 75, 95)] == pytest.approx(
        [cuts[p // 5 - 1] for p in (5, 25, 50, 75, 95)]
    )
    assert found["statistics"]["capex_musd"]["draws"] == len(each)
    assert sum(case["times"] for case in found["cases"]) == 60


def test_what_statistics_are_of_is_said_in_words(rackwatt, drawn):
    said = rackwatt("show", drawn)
    lines = lines_of(said)
    assert ["draws", "mean", "sd", "P5", "P25", "P50", "P75", "P95"] in lines
    assert "49 of 60 draws have a plan; left out: 11 infeas." in said.out
    assert "draws without a plan are left out" in " ".join(said.out.split())
    assert ["5", "33", "5", "10.5", "10.5", "10.5"] in lines
    assert "6 cases of by_hand, which stand for 60 draws" in rackwatt("status", drawn).out
    said = rackwatt("show", drawn, "--where", "cash=2", "--value", "beats_nothing")
    assert "49 of 49 draws have a plan" in said.out
    assert "beats nothing: 28 no, 21 yes" in said.out
    assert "are left out" not in said.out


def test_a_mean_of_several_cases_counts_draws(rackwatt, drawn):
    found = rackwatt("show", drawn, "--value", "capex_musd", "--json").object
    held = [(c["capex_musd"], c["times"]) for c in found["cases"] if c["settings"]["cash"] == 2]
    mean = sum(value * times for value, times in held) / sum(times for _, times in held)
    said = rackwatt("show", drawn, "--rows", "cash", "--value", "capex_musd")
    assert ["2", "49", "·", "0", f"{mean:.1f}", "10.0"] in lines_of(said)


def test_grids_have_no_statistics(rackwatt, tmp_path):
    file = write_grid(tmp_path, GRID.replace("5, 10, 15", "5"))
    ran(rackwatt, file)
    assert "draws" not in rackwatt("show", file).out
    assert "statistics" not in rackwatt("show", file, "--json").object


def test_one_draw_has_no_deviation():
    found = spread_of([(3.0, 1)])
    assert (found.mean, found.sd, found.percentiles[95]) == (3.0, None, 3.0)
    assert spread_of([]) is None


def test_drawn_settings_stand_in_order():
    words = [entry(n, price=price) for n, price in enumerate(["dry", "wet", "as is"])]
    assert laid_out("price", words, ["wet", "as is", "dry"]).settings == ("wet", "as is", "dry")
    assert laid_out("price", words).settings == ("dry", "wet", "as is")
    numbers = [entry(n, price=price) for n, price in enumerate([1.0, 0.25, 0.5])]
    assert laid_out("price", numbers, [1.0, 0.5, 0.25]).settings == (0.25, 0.5, 1.0)
    assert laid_out("price", numbers).settings == (1.0, 0.25, 0.5)


def test_bands_hold_as_many_draws_each():
    held = [entry(n, times=1 if n else 50, size=float(n)) for n in range(51)]
    first, *others = laid_out("size", held, []).settings
    assert (first.first, first.last) == (0.0, 0.0)
    assert len(others) < 8


def test_drawn_lists_are_shown_as_typed(rackwatt, drawn):
    lines = lines_of(rackwatt("show", drawn))
    settings = [line[0] for line in lines if len(line) == 6 and line[0].isdecimal()]
    assert settings == ["5", "10", "15"]


# --- what waits ----------------------------------------------------------------------------


def test_cases_that_wait_are_counted_apart(rackwatt, drawn, tmp_path):
    with Store.open(tmp_path / "runs/drawn.sweep.db") as store:
        store.ask("DELETE FROM rows WHERE id IN (SELECT id FROM points WHERE number = 0)")
    said = rackwatt("show", drawn)
    lines = lines_of(said)
    assert lines[2][:5] == ["capex", "draws", "waiting", "no", "plan"]
    assert ["5", "33", "28", "5", "·", "·", "·"] in lines
    assert "left out: 28 waiting, 11 infeas." in said.out


# --- values in effect ----------------------------------------------------------------------


def test_values_in_effect_are_shown_and_exported_also_where_the_base_holds_them(
    rackwatt, tmp_path
):
    file = write_grid(tmp_path)
    ran(rackwatt, file)
    assert rackwatt("export", file, "a.csv").code == 0
    rows = rows_of(tmp_path / "a.csv")
    assert [row["sites.creek.firm_mw"] for row in rows] == ["6", "12"] * 3
    assert [row["finance.capex_budget_musd"] for row in rows] == ["5"] * 2 + ["10"] * 2 + [
        "15"
    ] * 2
    said = rackwatt("show", file, "--value", "sites.creek.firm_mw")
    assert ["15", "6", "12"] in lines_of(said)
    assert "firm, MW, creek" in said.out


# --- files of cases ------------------------------------------------------------------------


def test_each_row_of_a_file_is_found_again(rackwatt, tmp_path):
    file = write_cases(tmp_path, ["a,2,2,10", "b,,,10", "c,40,,", "d,,,", "e,,2,"])
    said = ran(rackwatt, file)
    assert "rows of cases.csv; 2 of them have the answer of an earlier one" in said.err
    assert "3 to solve, with 1 worker" in said.err
    assert "all 5 done: 4 solved, 1 infeasible" in said.out
    assert rackwatt("export", file, "a.csv").code == 0
    rows = rows_of(tmp_path / "a.csv")
    assert [row["case"] for row in rows] == ["a", "b", "c", "d", "e"]
    assert [row["finance.capex_budget_musd"] for row in rows] == ["10", "10", "15", "15", "15"]
    assert [row["finance.minimum_cash_musd"] for row in rows] == ["2", "2", "40", "2", "2"]
    answers = [{key: row[key] for key in ("id", "value_musd", "capex_musd")} for row in rows]
    assert answers[0] == answers[1]
    assert answers[3] == answers[4]
    lines = lines_of(rackwatt("show", file, "--value", "value_musd"))
    assert [line[1:5] for line in lines if line and line[0].isdecimal()] == [
        ["a", "2", "2", "10"], ["b", "2", "2", "10"], ["c", "40", "2", "15"],
        ["d", "2", "2", "15"], ["e", "2", "2", "15"],
    ]  # fmt: skip
    found = rackwatt(file, "--json").object
    assert (found["status"], found["computed"], found["total"]) == ("settled", 0, 5)


def test_rows_that_are_alike_and_new_are_solved_once(rackwatt, tmp_path):
    ran(rackwatt, write_cases(tmp_path, ["a,2,2,10"]))
    file = write_cases(tmp_path, ["a,2,2,10", "b,,,10", "c,,,7", "d,,,7"])
    said = rackwatt(file, "--dry-run")
    assert "2 done already, 1 to solve" in said.out
    found = rackwatt(file, "--workers", "1", "--json").object
    assert (found["computed"], found["total"], found["missing"]) == (1, 4, 0)


def test_failures_of_one_reason_are_told_once(rackwatt, tmp_path):
    bad = [line for n, line in enumerate(bad_cases(100)) if n in (0, 5)]
    lines = [bad[0], *(bad[1].replace("c5", f"x{n}").replace("10.005", f"{10 + n}") for n in
                       range(7))]  # fmt: skip
    file = write_cases(tmp_path, lines)
    said = ran(rackwatt, file, 11)
    message = "contracts.tenant: min_mw lies above max_mw"
    assert said.out.count(message) == 1
    assert any(line[:3] == ["7", "invalid", "1,"] for line in lines_of(rackwatt("status", file)))
    assert "1, 2, 3, 4, 5, …" in said.out
    (failing,) = rackwatt("status", file, "--json").object["failing"]
    assert (failing["cases"], failing["numbers"]) == (7, [1, 2, 3, 4, 5])
    assert (failing["message"], len(set(failing["ids"]))) == (message, 5)


def test_exports_of_draws_and_rows_alike_are_the_same_bytes_in_any_order(rackwatt, tmp_path):
    rows = write_cases(tmp_path, ["a,2,2,10", "b,,,10", "c,40,,", "d,,7,", "e,,2,", "f,,7,"])
    for file in (rows, write_grid(tmp_path, DRAWN, name="drawn.toml")):
        for name, options in (("one", ()), ("back", ("--backwards",))):
            out = tmp_path / f"{file.stem}-{name}.db"
            assert rackwatt(file, "--out", out, "--workers", "1", *options).code in (0, 11)
            for kind in ("csv", "parquet"):
                assert rackwatt("export", out, out.with_suffix(f".{kind}")).code == 0
        for kind in ("csv", "parquet"):
            one, back = (tmp_path / f"{file.stem}-{name}.{kind}" for name in ("one", "back"))
            assert one.read_bytes() == back.read_bytes()


# --- one at a time -------------------------------------------------------------------------


def test_changes_are_listed_with_what_each_moves(rackwatt, tmp_path):
    file = write_grid(tmp_path, ONE, name="one.toml")
    ran(rackwatt, file)
    lines = lines_of(rackwatt("show", file))
    assert lines[2] == ["case", "axis", "set", "to", "value,", "M$", "to", "base"]
    assert lines[3:7] == [
        ["0", "base", "·", "12.0", "·"], ["3", "firm", "0.5", "9.1", "-2.9"],
        ["1", "capex", "5", "10.5", "-1.5"], ["2", "capex", "10", "12.0", "0"],
    ]  # fmt: skip
    # What is moved is told against the base also where that is not among the cases shown.
    said = rackwatt("show", file, "--where", "capex=5", "--value", "capex_musd")
    assert ["1", "capex", "5", "0", "-10.0"] in lines_of(said)


# --- a plan in every case ------------------------------------------------------------------


def test_a_plan_stands_beside_the_best_with_its_regret(rackwatt, tmp_path):
    (tmp_path / "mine.csv").write_text(MINE)
    plan = '[plan]\nactions = "mine.csv"\n'
    file = write_grid(tmp_path, GRID.replace("10, 15", "10") + plan)
    ran(rackwatt, file)
    said = rackwatt("show", file)
    lines = lines_of(said)
    titles = [line for line in lines if line and line[-1] == "M$"]
    assert titles == [["value,", "M$"], ["plan", "value,", "M$"], ["regret,", "M$"]]
    assert ["5", "7.1", "10.5"] in lines
    assert ["5", "infeas.", "infeas."] in lines
    assert ["5", "·", "·"] in lines
    assert "the plan is infeas. in 2 cases (0, 1): its actions and the limits" in said.out
    # A long path may be broken across lines.
    assert f"`rackwattsweeppoint{file}0--instanceDIR`" in "".join(said.out.split())
    found = rackwatt("show", file, "--where", "firm=1", "--json").object
    assert found["values"][:3] == ["value_musd", "plan_value_musd", "regret_musd"]


def test_why_a_plan_cannot_be_read_is_told_once(rackwatt, tmp_path):
    (tmp_path / "mine.csv").write_text(MINE)
    text = '[axes.start]\nkey = "horizon.start"\nvalues = ["2028-07"]\n'
    text = GRID.replace("10, 15", "10") + text + '[plan]\nactions = "mine.csv"\n'
    file = write_grid(tmp_path, text, name="late.toml")
    rackwatt(file, "--workers", "1")
    cases = rackwatt("show", file, "--value", "plan_status", "--json").object["cases"]
    assert [case["plan_status"] for case in cases] == ["invalid"] * 4
    said = " ".join(rackwatt("show", file).out.split())
    assert said.count("the plan is invalid in ") == 1
    assert "the plan is invalid in 4 cases (0, 1, 2, 3): month: no period starts" in said


def test_an_infeasible_case_with_a_plan_says_so(rackwatt, tmp_path):
    (tmp_path / "mine.csv").write_text(MINE)
    text = GRID.replace("capex_budget", "minimum_cash").replace("[5, 10, 15]", "[2, 40]")
    file = write_grid(tmp_path, text + '[plan]\nactions = "mine.csv"\n')
    ran(rackwatt, file)
    said = rackwatt("show", file, "--value", "value_musd")
    assert ["40", "infeas.", "infeas."] in lines_of(said)
    assert "the plan is infeas." not in said.out
