"""Planted mistakes in a sweep file: each is told once, at its line, in words that mend it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from optimizer.errors import InputRefused, plain
from optimizer.sweep.design.file import read_sweep
from optimizer.sweep.whole import read_whole
from tests.folders import INSTANCE, edited, line_of
from tests.optimizer.sweep.files import CASES, CURVE, DRAWN, SWEEP, errors, only_error, write_sweep

NOWHERE = "nowhere"


@dataclass(frozen=True)
class Mistake:
    """One change to a valid sweep file, and what must be said about it.

    ``at`` is a piece of the changed text on the line that is named; the first line of ``new``
    where it is left out.
    """

    old: str
    new: str
    key: str
    says: str
    at: str = ""
    hint: str = ""
    allowed: str = ""
    text: str = SWEEP

    @property
    def changed(self) -> str:
        return edited(self.old, self.new, self.text)

    @property
    def line(self) -> int | None:
        if self.at == NOWHERE:
            return None
        return line_of(self.at or self.new.splitlines()[0], self.changed)


GRID = 'design = "grid"'
CAPEX = "values = [40, 60, 80]"
FIRM = "scale = { from = 0.8, to = 1.2, count = 3 }"
LAW = 'scale = { distribution = "normal", mean = 1.0, sd = 0.1, least = 0.7, most = 1.3 }'
TRIANGLE = 'values = { distribution = "triangular", from = 40, mode = 50, to = 80 }'
PAIR = "[correlations.capex]\nfirm = 0.5\n"
KEY = 'key = "finance.capex_budget_musd"'
SITES = 'key = "sites.*.firm_mw"'
END = FIRM + "\n"


def capex(
    new: str, says: str, *, old: str = CAPEX, key: str = "axes.capex.values", at: str = "",
    hint: str = "", allowed: str = "", text: str = SWEEP,
) -> Mistake:  # fmt: skip
    return Mistake(old, new, key, says, at, hint, allowed, text)


TABLE: dict[str, Mistake] = {
    # the table sweep
    "no table sweep": Mistake('[sweep]\nbase = "base"\ndesign = "grid"\n', "", "sweep",
        "is missing", NOWHERE, "add [sweep]"),
    "misspelt table": Mistake("[axes.capex]", "[axis.capex]", "axis", "unknown key",
        hint="did you mean `axes`?"),
    "key outside its table": Mistake("[sweep]", "seed = 3\n[sweep]", "seed", "unknown key",
        hint="a key of [sweep]"),
    "unknown key": Mistake(GRID, "sampels = 3", "sweep.sampels", "unknown key",
        hint="did you mean `samples`?", allowed="samples"),
    "no base": Mistake('base = "base"\n', "", "sweep.base", "is missing", at="[sweep]",
        hint="instance folder"),
    "base that is not there": Mistake('base = "base"', 'base = "bsae"', "sweep.base",
        "no such folder", hint="did you mean `base`?"),
    "base that is a file": Mistake('base = "base"', 'base = "sweep.toml"', "sweep.base",
        "this is a file"),
    "base without an instance": Mistake('base = "base"', 'base = "."', "sweep.base",
        "holds no instance.toml"),
    "misspelt design": Mistake(GRID, 'design = "gird"', "sweep.design", "none of the words",
        hint="did you mean `grid`?"),
    "text for a number": Mistake(GRID, 'gap = "1e-4"', "sweep.gap", "wrong type",
        hint="without quotes"),
    "gap beyond its range": Mistake(GRID, "gap = 2", "sweep.gap", "outside its range",
        allowed="at most 1"),
    "no time": Mistake(GRID, "time_limit_s = 0", "sweep.time_limit_s", "outside its range"),
    "half a node": Mistake(GRID, "nodes = 1.5", "sweep.nodes", "wrong type"),
    "name with a blank": Mistake(GRID, 'name = "a b"', "sweep.name", "cannot be a name"),
    "samples of a grid": Mistake(GRID, "samples = 9", "sweep.samples", "draws nothing",
        hint="choose a design that draws"),
    "no samples": Mistake("samples = 64\n", "", "sweep.samples", "how many", at="[sweep]",
        text=DRAWN),
    "too many samples": Mistake("samples = 64", "samples = 1000001", "sweep.samples",
        "outside its range", allowed="1,000,000", text=DRAWN),
    "cases of a grid": Mistake(GRID, 'cases = "c.csv"', "sweep.cases", "reads no cases"),
    "csv without cases": Mistake('cases = "cases.csv"\n', "", "sweep.cases", "needs a file",
        at="[sweep]", text=CASES),
    "no axes": Mistake(SWEEP[SWEEP.index("[axes.capex]"):], "", "axes", "no axes", NOWHERE),
    "no TOML": Mistake(GRID, "design = grid", "", "not TOML", hint="text in quotes"),
    "key given twice": Mistake(CAPEX, f"{CAPEX}\nvalues = [3]", "axes.capex.values",
        "given twice", at="values = [3]"),
    # axes
    "axis that is no table": Mistake(f"[axes.capex]\n{KEY}\n{CAPEX}", "[axes]\ncapex = 3",
        "axes.capex", "wrong type", at="capex = 3"),
    "axis with a blank": Mistake("[axes.capex]", '[axes."a b"]', "axes.a b", "cannot be a name"),
    "axis called case": Mistake("[axes.capex]", "[axes.case]", "axes.case", "is taken"),
    "axis without a key": capex("", "has key or keys", old=f"{KEY}\n", key="axes.capex",
        at="[axes.capex]"),
    "key and keys": capex(f'{KEY}\nkeys = ["a"]', "not both", old=KEY, key="axes.capex",
        at="[axes.capex]"),
    "one of keys twice": capex('keys = ["sites.north.firm_mw", "sites.north.firm_mw"]',
        "given twice", old=SITES, key="axes.firm.keys.1"),
    "keys as text": capex('keys = "sites.north.firm_mw"', "wrong type", old=SITES,
        key="axes.firm.keys", hint='["sites.north'),
    "nothing to be set to": capex("", "one of values", old=f"{CAPEX}\n", key="axes.capex",
        at="[axes.capex]"),
    "values and scale": capex(f"{CAPEX}\nscale = [1]", "one of values", key="axes.capex",
        at="[axes.capex]"),
    "range as a key": capex("range = { from = 1, to = 2 }", "unknown key",
        key="axes.capex.range", hint="values = { from"),
    "one value": capex("values = 40", "wrong type", hint="write [40]"),
    "no values": capex("values = []", "empty"),
    "value twice": capex("values = [40, 60, 40.0]", "given twice", key="axes.capex.values.2"),
    "date for a month": capex("values = [2027-04-01]", "wrong type",
        key="axes.capex.values.0", hint='"2027-04"'),
    "value that is not finite": capex("values = [40, nan]", "not a finite number",
        key="axes.capex.values.1"),
    "text for a factor": capex('scale = ["up"]', "wrong type", key="axes.capex.scale.0"),
    "range that falls": capex("scale = { from = 2, to = 1, count = 3 }", "must lie above",
        old=FIRM, key="axes.firm.scale"),
    "count and step": capex("scale = { from = 1, to = 2, count = 3, step = 0.5 }", "not both",
        old=FIRM, key="axes.firm.scale"),
    "neither count nor step": capex("scale = { from = 1, to = 2 }", "how many", old=FIRM,
        key="axes.firm.scale", hint="count or step"),
    "range of one": capex("scale = { from = 1, to = 2, count = 1 }", "outside its range",
        old=FIRM, key="axes.firm.scale.count"),
    "step beyond the range": capex("scale = { from = 1, to = 2, step = 3 }", "fit into",
        old=FIRM, key="axes.firm.scale"),
    "range without an end": capex("scale = { from = 1, count = 3 }", "is missing", old=FIRM,
        key="axes.firm.scale.to"),
    "range with other words": capex("scale = { start = 1, to = 2, count = 3 }", "unknown key",
        old=FIRM, key="axes.firm.scale.start", hint="write `from`"),
    "list of other lengths": Mistake(GRID, 'design = "list"\nsummary = "a"', "axes.firm.scale",
        "need one length", at="scale = {", text=SWEEP.replace("count = 3", "count = 4")),
    "cells of a grid": capex(f'{CAPEX}\ncells = "scale"', "of no use", key="axes.capex.cells",
        at="cells"),
    # laws
    "law in a grid": capex('values = { distribution = "uniform", from = 1, to = 2 }',
        "draws nothing", key="axes.capex.values.distribution"),
    "unknown law": capex('values = { distribution = "norml", mean = 1, sd = 1 }', "no such",
        old=TRIANGLE, key="axes.capex.values.distribution", hint="`normal`", text=DRAWN),
    "law without its width": capex('values = { distribution = "normal", mean = 50 }',
        "is missing", old=TRIANGLE, key="axes.capex.values.sd", text=DRAWN),
    "law cut to nothing": capex(LAW.replace("1.3", "0.6"), "must lie above", old=LAW,
        key="axes.firm.scale", text=DRAWN),
    "triangle out of order": capex(TRIANGLE.replace("50", "90"), "must rise", old=TRIANGLE,
        text=DRAWN),
    "weights missing": capex('values = { distribution = "discrete", values = [40, 60], '
        "weights = [1] }", "as many weights", old=TRIANGLE, text=DRAWN),
    "observed nowhere": capex('values = { distribution = "empirical", file = "o.csv", '
        'column = "a" }', "no such file", old=TRIANGLE, key="axes.capex.values.file",
        hint="seen.csv", text=DRAWN),
    "column not observed": capex('values = { distribution = "empirical", file = "seen.csv", '
        'column = "pric" }', "no such column", old=TRIANGLE, key="axes.capex.values.column",
        hint="`price`", text=DRAWN),
    # correlations
    "correlations of a grid": Mistake(END, f"{END}{PAIR}", "correlations", "draws nothing",
        at="[correlations"),
    "correlated with nothing": Mistake("firm = 0.5", "frim = 0.5", "correlations.capex.frim",
        "no such axis", hint="did you mean `firm`?", text=DRAWN),
    "correlated too much": Mistake("firm = 0.5", "firm = 1.5", "correlations.capex.firm",
        "outside its range", text=DRAWN),
    "correlated with itself": Mistake("firm = 0.5", "capex = 0.5", "correlations.capex.capex",
        "in any case", text=DRAWN),
    "pair twice": Mistake(PAIR, f"{PAIR}[correlations.firm]\ncapex = 0.5",
        "correlations.firm.capex", "given twice", at="capex = 0.5", text=DRAWN),
    # plan and front
    "plan that is not there": Mistake(END, f'{END}[plan]\nactions = "runs/a"', "plan.actions",
        "no such file", at="actions", hint="run folder"),
    "plan of nothing": Mistake(END, f"{END}[plan]\nonly = true", "plan.actions", "is missing",
        at="[plan]"),
    "front of one": Mistake(END, f'{END}[pareto]\nmaximise = ["value"]', "pareto",
        "two different aims", at="[pareto]"),
    "front of something else": Mistake(END, f'{END}[pareto]\nmaximise = ["value", "profit"]',
        "pareto.maximise.1", "none of the words", at="maximise", allowed="lowest_cash"),
    # prices
    "price file that is not there": capex('key = "power.grid"\nprices = ["curv.csv"]',
        "no such price file", old=f"{KEY}\n{CAPEX}", key="axes.capex.prices.curv", at="prices",
        hint="`curve.csv`"),
    "price files of one name": capex('key = "power.grid"\nprices = ["curve.csv", "../t/curve"]',
        "same name", old=f"{KEY}\n{CAPEX}", key="axes.capex.prices.1", at="prices",
        hint="label them"),
    "prices and no keys": capex('prices = ["curve.csv"]', "has key or keys",
        old=f"{KEY}\n{CAPEX}", key="axes.capex", at="[axes.capex]"),
    # what only the base can say
    "key that the format lacks": capex('key = "finance.capex_bugdet_musd"', "no such key",
        old=KEY, key="axes.capex.key", hint="did you mean `finance.capex_budget_musd`?"),
    "key without its table": capex('key = "capex_budget_musd"', "no such key", old=KEY,
        key="axes.capex.key", hint="did you mean `finance.capex_budget_musd`?"),
    "site that is not there": capex('key = "sites.nroth.firm_mw"', "of that name", old=SITES,
        key="axes.firm.key", hint="did you mean `sites.north.firm_mw`?"),
    "wildcard for nothing": capex('key = "sites.south-*.firm_mw"', "matches none", old=SITES,
        key="axes.firm.key", allowed="north"),
    "wildcard for a key": capex('key = "sites.north.*"', "no such key", old=SITES,
        key="axes.firm.key", hint="stands for names"),
    "whole table": capex('key = "finance"', "whole table", old=KEY, key="axes.capex.key"),
    "whole entry": capex('key = "sites.north"', "whole entry", old=SITES, key="axes.firm.key"),
    "key not built yet": capex('key = "finance.tax"', "not built yet", old=KEY,
        key="axes.capex.key"),
    "other form of a path": capex('key = "bitcoin.hashprice_usd_per_ph_day.0.value"',
        "another form", old=SITES, key="axes.firm.key", allowed="start"),
    "value below its range": capex("values = [40, -60, 80]", "outside its range",
        key="axes.capex.values.1", allowed="at least 0"),
    "value far from real figures": capex("values = [40, 60_000_000]", "far from real figures",
        key="axes.capex.values.1", hint="in $ it would be 60 M$"),
    "text for a budget": capex('values = [40, "60"]', "cannot hold this",
        key="axes.capex.values.1", hint="without quotes"),
    "factor below nothing": capex("scale = [1, -1]", "outside its range", old=FIRM,
        key="axes.firm.scale.1", allowed="at least 0"),
    "path below nothing": capex('key = "bitcoin.hashprice_usd_per_ph_day"\n'
        "values = [40, { start = -40, growth_per_month = -0.005 }]", "outside its range",
        old=f"{KEY}\n{CAPEX}", key="axes.capex.values.1", at="values", allowed="at least 0"),
    "numbers far off first and beyond the range later": capex(
        'key = "contracts.*.availability"\nvalues = { from = 0.1, to = 1.3, count = 3 }',
        "outside its range", old=f"{KEY}\n{CAPEX}", at="values", allowed="at most 1"),
    "fraction of a hall": capex('key = "halls.*.count"', "not be whole", old=SITES,
        key="axes.firm.scale", at="scale", hint="round = true"),
    "factor on a flag": capex('key = "halls.*.convertible"', "holds none", old=SITES,
        key="axes.firm.key"),
    "factor on nothing": capex('key = "sites.*.mining_mw_max"', "to start from", old=SITES,
        key="axes.firm.key", hint="set it by values"),
    "word that is none": capex('key = "machines.s21.cooling"\nvalues = ["air", "hydra"]',
        "some words", old=f"{KEY}\n{CAPEX}", key="axes.capex.values.1", at="values",
        allowed="hydro"),
    "name of nothing": capex('key = "halls.old.fitout"\nvalues = ["mine", "mien"]',
        "name nothing", old=f"{KEY}\n{CAPEX}",
        key="axes.capex.values.1", at="values", hint="`mine`"),
    "month of no year": capex('key = "contracts.lease.start"\nvalues = ["2028-13"]',
        "cannot hold this", old=f"{KEY}\n{CAPEX}", key="axes.capex.values.0", at="values"),
    "other way of the base": capex('key = "bitcoin.btc_price_usd"\nvalues = [90_000]',
        "another way", old=f"{KEY}\n{CAPEX}", key="axes.capex.key"),
    "block that is not given": capex('key = "finance.loan.limit_musd"', "needs more keys",
        old=KEY, key="axes.capex.key", hint="interest_per_year"),
    "hashprice set": capex('key = "bitcoin.hashprice"', "can only be scaled", old=KEY,
        key="axes.capex.key", hint="write scale"),
    "hashprice misspelt": capex('key = "bitcoin.hashprice_usd"', "no such key", old=SITES,
        key="axes.firm.key", hint='"bitcoin.hashprice"'),
    "one key on two axes": capex(SITES, "two axes change sites.north.firm_mw", old=KEY,
        key="axes.firm.key", at='key = "sites.*.firm_mw"\nscale'),
    "prices of a hall": capex('key = "halls.old"\nprices = ["curve.csv"]', "or for sites",
        old=f"{KEY}\n{CAPEX}", key="axes.capex.key"),
    "prices of no site": capex('key = "power.gird"\nprices = ["curve.csv"]', "no site",
        old=f"{KEY}\n{CAPEX}", key="axes.capex.key", hint="`grid`"),
    "law beyond the range": capex(
        'values = { distribution = "normal", mean = 10, sd = 20 }', "outside its range",
        old=TRIANGLE, text=DRAWN, hint="cut the law"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_a_mistake_is_told_once_at_its_line(name: str, tmp_path: Path) -> None:
    mistake = TABLE[name]
    files = {"curve_csv": CURVE, "seen_csv": "price\n3\n4\n", "cases_csv": "firm\n1\n"}
    problem = only_error(write_sweep(tmp_path, mistake.changed, **files))
    assert problem.file == "sweep.toml"
    assert problem.key == mistake.key
    assert mistake.says in problem.message
    assert problem.line == mistake.line
    assert mistake.hint in problem.hint
    assert mistake.allowed in problem.allowed


CELLS: dict[str, tuple[str, int, str, str]] = {
    "not a number": ("firm\n1\n1,2\n", 3, "", "as many cells"),
    "text for a factor": ("firm\n1\nmuch\n", 3, "firm", "cannot be read"),
    "unknown column": ("firm,capx\n1,2\n", 1, "capx", "neither an axis"),
    "unknown key": ("firm,finance.capex\n1,2\n", 1, "finance.capex", "no such key"),
    "value below its range": ("firm,finance.capex_budget_musd\n1,-2\n", 2,
        "finance.capex_budget_musd", "outside its range"),
    "no rows": ("firm\n", 0, "", "no rows"),
    "two columns on one key": ("firm,sites.north.firm_mw\n1,2\n", 1, "sites.north.firm_mw",
        "two axes change"),
    "factor far off": ("firm\n1\n900\n", 3, "firm", "far from real figures"),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_a_mistake_in_a_file_of_cases_is_told_at_its_line(name: str, tmp_path: Path) -> None:
    text, line, key, says = CELLS[name]
    problem = only_error(write_sweep(tmp_path, CASES, cases_csv=text))
    assert (problem.file, problem.line, problem.key) == ("cases.csv", line or None, key)
    assert says in problem.message


def test_an_axis_without_a_column_is_told_in_the_sweep_file(tmp_path: Path) -> None:
    problem = only_error(write_sweep(tmp_path, CASES, cases_csv="finance.capex_budget_musd\n5\n"))
    assert (problem.file, problem.key) == ("sweep.toml", "axes.firm")
    assert "no column" in problem.message


def test_a_broken_price_file_is_told_at_its_line(tmp_path: Path) -> None:
    axis = '\n[axes.market]\nkey = "sites.north"\nprices = ["curve.csv"]\n'
    curve = CURVE.replace("3,744,33", "3,744,dear")
    problem = only_error(write_sweep(tmp_path, SWEEP + axis, curve_csv=curve))
    assert (problem.file, problem.line) == ("curve.csv", 4)


def test_prices_in_other_money_are_refused(tmp_path: Path) -> None:
    axis = '\n[axes.market]\nkey = "sites.north"\nprices = ["curve.csv"]\n'
    curve = "# currency: EUR\n" + CURVE.replace("price_usd_per_mwh", "price_per_mwh")
    problem = only_error(write_sweep(tmp_path, SWEEP + axis, curve_csv=curve))
    assert "another currency" in problem.message
    assert (problem.found, problem.allowed) == ("EUR", "USD")


def test_impossible_correlations_are_refused_with_the_nearest_possible(tmp_path: Path) -> None:
    more = '\n[axes.{0}]\nkey = "power.grid.{0}"\nvalues = {{ from = 1, to = 30 }}\n'
    text = DRAWN + "adder_usd_per_mwh = 0.9\n\n[correlations.firm]\nadder_usd_per_mwh = -0.9\n"
    text = text.replace("firm = 0.5", "firm = 0.9") + more.format("adder_usd_per_mwh")
    problem = only_error(write_sweep(tmp_path, text))
    assert problem.key == "correlations"
    assert "no numbers can be" in problem.message
    ranks = [
        float(word.strip(";")) for word in problem.hint.split() if word.strip(";-")[0].isdigit()
    ]
    assert len(ranks) == 3
    firm, adder, both = ranks
    for old, new in (("firm = 0.9", firm), ("h = 0.9", adder), ("h = -0.9", both)):
        text = text.replace(old, f"{old.split()[0]} = {new}")
    assert errors(write_sweep(tmp_path, text)) == []


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = SWEEP.replace("grid", "gird").replace("[40, 60, 80]", "[]").replace("0.8", '"a"')
    with pytest.raises(InputRefused) as refused:
        read_sweep(write_sweep(tmp_path, text))
    assert [p.line for p in refused.value.problems] == [3, 7, 11]
    text = SWEEP.replace("capex_budget", "capex").replace("sites.*", "sites.x")
    assert [p.line for p in errors(write_sweep(tmp_path, text))] == [6, 10]
    text = SWEEP.replace("[40, 60, 80]", "[-40, -60]").replace("sites.*", "sites.x")
    assert [p.line for p in errors(write_sweep(tmp_path, text))] == [7, 7, 10]


def test_what_no_base_could_accept_is_told_before_what_one_could(tmp_path: Path) -> None:
    sites = '\n[sites.south]\nfirm_mw = 3\npower = "grid"\n'
    text = SWEEP.replace(FIRM, "delta = [-5, 6000]")
    found = errors(write_sweep(tmp_path, text, INSTANCE + sites))
    assert [(p.key, p.found, p.allowed, p.hint) for p in found] == [
        ("axes.firm.delta.0", "-2 MW", "at least 0", ""),
        ("axes.firm.delta.1", "6012 MW", "0 to 5000 MW", found[1].hint),
    ]  # fmt: skip
    assert "sites.south.firm_mw" in found[0].message


def test_only_axes_that_may_be_correlated_are_offered(tmp_path: Path) -> None:
    more = '\n[axes.old]\nkey = "halls.old.fitout"\nvalues = ["mine", "gpu"]\n'
    text = DRAWN.replace(PAIR, PAIR.replace("firm", "frm") + more)
    problem = only_error(write_sweep(tmp_path, text))
    assert (problem.key, problem.allowed) == ("correlations.capex.frm", "firm")
    problem = only_error(
        write_sweep(
            tmp_path,
            text.replace("frm", "xyz").replace("[correlations.capex]", "[correlations.q]"),
        )
    )
    assert (problem.key, problem.allowed) == ("correlations.q", "capex, firm")


def test_the_file_its_axes_and_the_base_are_told_at_once(tmp_path: Path) -> None:
    text = SWEEP.replace('design = "grid"', "sampels = 3").replace("[40, 60, 80]", "[40, -60]")
    text = text.replace("sites.*", "sites.x").replace("count = 3", 'count = "3"')
    with pytest.raises(InputRefused) as refused:
        read_whole(write_sweep(tmp_path, text))
    assert [(p.key, p.message) for p in refused.value.problems] == [
        ("sweep.sampels", "unknown key"),
        ("axes.capex.values.1", "finance.capex_budget_musd would be outside its range"),
        ("axes.firm.key", "the base has no sites of that name"),
        ("axes.firm.scale.count", "the value has the wrong type"),
    ]  # fmt: skip
    base = INSTANCE.replace("it_mw = 5", "it_mw = -5")
    with pytest.raises(InputRefused) as refused:
        read_whole(write_sweep(tmp_path, text, base))
    keys = [problem.key for problem in refused.value.problems]
    assert keys == ["sweep.sampels", "axes.firm.scale.count", "halls.old.it_mw"]


def test_a_table_with_an_unknown_key_is_read_on(tmp_path: Path) -> None:
    text = SWEEP.replace(CAPEX, "rond = true\nvalues = [40, -60]")
    with pytest.raises(InputRefused) as refused:
        read_whole(write_sweep(tmp_path, text))
    keys = [problem.key for problem in refused.value.problems]
    assert keys == ["axes.capex.rond", "axes.capex.values.1"]


def test_axes_and_a_front_are_told_at_once(tmp_path: Path) -> None:
    text = SWEEP.replace("[40, 60, 80]", "[40, -60]")
    text += '\n[pareto]\nmaximise = ["value"]\nminimise = ["capex"]\nfrom = -5\nto = 60\n'
    with pytest.raises(InputRefused) as refused:
        read_whole(write_sweep(tmp_path, text))
    assert [p.key for p in refused.value.problems] == ["axes.capex.values.1", "pareto.from"]


@pytest.mark.parametrize("name", ["", "there.toml", "base"])
def test_a_file_that_is_none_is_told_without_a_traceback(name: str, tmp_path: Path) -> None:
    write_sweep(tmp_path)
    with pytest.raises(InputRefused) as refused:
        read_sweep(tmp_path / name)
    assert len(refused.value.problems) == 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[sweep", b"a = [" * 3000])
def test_bytes_that_are_no_sweep_are_told(content: bytes, tmp_path: Path) -> None:
    path = write_sweep(tmp_path)
    path.write_bytes(content)
    with pytest.raises(InputRefused):
        read_sweep(path)


def test_a_base_with_errors_is_told_as_such(tmp_path: Path) -> None:
    path = write_sweep(tmp_path)
    toml = tmp_path / "base" / "instance.toml"
    toml.write_text(toml.read_text().replace("it_mw = 5", "it_mw = -5"), encoding="utf-8")
    found = errors(path)
    assert [problem.key for problem in found] == ["halls.old.it_mw"], plain(found)
