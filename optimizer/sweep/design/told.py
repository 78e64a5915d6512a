"""The page of the sweep file: its format, as :mod:`optimizer.sweep.design.wish` has it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from models.instance import Block
from optimizer.keys import keys_of, unit_of
from optimizer.sweep.design.reading import takes
from optimizer.sweep.design.wish import (
    LAWS,
    MOST_POINTS,
    AxisTable,
    ParetoTable,
    PlanTable,
    Range,
    SweepTable,
)

EXAMPLE = """\
[sweep]
base = "../texas"                         # the instance that is changed, relative to this file
design = "grid"

[axes.capex]
key = "finance.capex_budget_musd"
values = [200, 300, 400]                  # what it is set to

[axes.firm]
key = "sites.*.firm_mw"                   # of every site; `pecos-*` would be of some
scale = { from = 0.8, to = 1.2, count = 5 }

[axes.hashprice]
key = "bitcoin.hashprice"                 # however the base gives it
scale = [0.8, 1.0, 1.2]

[axes.market]
key = "power.west"                        # a block of power, or sites
prices = ["ercot-hub-2021", "mine.csv"]   # of the catalogue, or beside this file
"""

DRAWN = """\
[sweep]
base = "../texas"
design = "sobol"
samples = 256
seed = 7

[axes.hashprice]
key = "bitcoin.hashprice"
scale = { distribution = "lognormal", mean = 1.0, sd = 0.3, least = 0.4, most = 2.5 }

[axes.rate]
key = "contracts.*.rate_usd_per_kw_month"
scale = { from = 0.8, to = 1.3 }          # any number between

[correlations.hashprice]
rate = -0.4                               # rank correlation
"""

GUIDE = """\
A sweep file is TOML. It names an instance, the axes along which it is changed, and how axes
become points, each of which is solved as a case of its own. Paths are relative to the file.

```toml
{example}```

**Keys.** An axis names a dotted key of the instance, or several that change together. Where a
name stands, `*` is any and `pecos-*` some; items of a list count from 0. Keys that a catalogue or
a table in CSV gives are there as if they had been typed, as `racks.s21-lot.price_usd`. A key that
the format knows and the base leaves out may be set by `values`. No two axes may change one key.
`bitcoin.hashprice` is no key of the format: its `scale` moves the hashprice, or the price of a
bitcoin where the base gives that, by which the hashprice moves in proportion, fees included.

**Changes.** `values` puts a value there: a number, text, flag, month, list or path, as the key
takes it. `scale` and `delta` multiply and add, starting from what the base holds, the default of
the format among it; of a value over time they move its start or every step, never its growth or
its dates. A wildcard then means the entries that hold a number. Counts stay whole: a factor that
makes a fraction is refused, unless `round = true` rounds it, half to even. Figures are worked out
as on paper: 3 times 0.1 is 0.3.

**Prices.** `prices` lists price files in place of those of a block of power or of sites; an entry
of the catalogue of power stands for its file, without its adder. A point is labelled by the name
of the file, or by a name given to it: `prices = {{ wet = "2021.csv", dry = "2022.csv" }}`. Where
places need different files, name no `key`:
`prices = {{ wet = {{ "power.west" = "a.csv", "power.south" = "b.csv" }} }}`.

**Designs.** `grid` takes every combination, the last axis fastest. `list` goes through axes of one
length together. `one_at_a_time` takes the base, then each setting of each axis alone. `csv` takes
the rows of `cases`: a column is an axis, whose settings are its cells (`cells = "scale"` if they
are factors), or a dotted key; the column `case` labels rows, and an empty cell leaves the base as
it is. Each row keeps its number and its label; rows that come to the same are solved once.
`latin_hypercube`, `sobol` and `monte_carlo` draw `samples` points:

```toml
{drawn}```

There a list is drawn alike, a range `{{ from, to }}` evenly, and a distribution by its law. Each
axis draws from a stream that follows from `seed` and its name, to the same bits on every machine.
More samples keep the first ones in `monte_carlo` and `sobol`; not in `latin_hypercube`, where each
place hangs on their number. Sobol points want a power of two. Correlations are of ranks, so they
hold whatever the laws; those that no numbers can have together are refused, with the nearest that
can be.

**Fronts.** `[pareto]` asks for the best value at each level of one other aim, in every case of the
axes. The aim is bounded by a key of the instance, so that each point is a case like any other:

| aim | is bounded by | is read off a plan as |
|---|---|---|
| minimise `capex` | `finance.capex_budget_musd` | `capex_musd` |
| maximise `lowest_cash` | `finance.minimum_cash_musd` | `lowest_cash_musd` |
| maximise `mining_share` | `policy.mining_share_min` | `mining_least_share`, of any period |
| minimise `mining_share` | `policy.mining_share_max` | `mining_most_share`, of any period |
| minimise `carbon` | the cap of each block of power | `carbon_most_tonnes_per_year` |
| maximise `uptime` | what contracts promise at least | `least_promised_availability` |

`carbon` is that of the site and year with most, of blocks of power that say what theirs is. A
promise below the level is raised to it, none is lowered, and those of contracts signed already
stay; a plan that signs nothing breaks no promise and counts as 1. Levels lie at even distances,
those of an availability at even ratios of the downtime left, between `from` and `to`, or between
ends that the base gives: from its best plan to doing nothing (`capex`), the most cash that any
plan keeps, the share that its own limits leave, the best availability that any contract could be
promised, or a first step of the carbon. Those never loosen a limit of the base; what is typed
may. No axis may change the key.

A second search takes, of plans whose values differ by less than a tenth of the gap, the one with
the least capex or the most cash; other aims are not linear in a plan, and keep the plan that was
found first, as do cases with a limit on the energy of a year. Which points lie on the front
is judged by what plans reach: one that another beats in one aim and matches in the other is left
out, and equal ones count once. Where the bound of a plan that is better in the other aim reaches
as high as a point's value, that point is `undecided`.

A sweep has at most {most:,} points. Draws and settings that come to the same are one point, of
which `times` tells how many they are. Every key, type, range and plausible band is checked before
anything is solved; what shows only when several keys are looked at together becomes a row with
the status `invalid`. Warnings that single cases have and the base has not are told once each, with
the number of these cases and the first of them; of more than 1,000 cases some are looked at, each
setting of each axis among them.

**Tables.** `rackwatt sweep show` makes of a grid a table of two axes, and of `one_at_a_time` a
list of changes, each with its difference to the base, the axis that moves the value farthest
first. Of draws it gives mean, standard deviation and percentiles of the value and of each figure
asked for, every point counted as often as it was drawn. They are of the draws that have a plan;
how many were infeasible, failed or still wait stands beside them. Between two draws percentiles
lie in proportion. `[plan]` puts the plan's value and its regret beside the best, and says where it
cannot be kept to. Means of several cases in one cell count `times`, too.

**What counts as a change.** Rows hang on what the base's files say: on values, names and their
order, not on comments and blanks in TOML, nor on blanks in tables. Price files and lists of
actions count byte by byte. `sweep status` and `sweep show` say where a sweep file that they are
given, or its base, has changed since the rows were computed.

**Columns of one name.** A column of the export is named after its axis, key, site or figure. Where
two would be called alike, as where an axis bears the name of its key, the first keeps the name and
the other says what it is before it:
`finance.capex_budget_musd` is then what the axis is set to, and `key.finance.capex_budget_musd`
the effective value of the key. In the same way `axis.status` is an axis called `status`, and
`metric.capex_musd` the figure of the plan beside an axis called `capex_musd`.
"""


def sweep_format() -> str:
    """Write the section of the sweep file as Markdown.

    Returns
    -------
    str
        A heading of the second level, the guide, and the keys of every table.
    """
    parts = ["## Sweeps\n", GUIDE.format(example=EXAMPLE, drawn=DRAWN, most=MOST_POINTS)]
    tables: tuple[tuple[str, type[Block]], ...] = (
        ("[sweep]", SweepTable), ("[axes.<name>]", AxisTable),
        ("{ from, to, ... }", Range),
        *((f'{{ distribution = "{name}", ... }}', law) for name, law in LAWS.items()),
        ("[plan]", PlanTable), ("[pareto]", ParetoTable),
    )  # fmt: skip
    for heading, block in tables:
        parts += [f"### `{heading}`\n", f"{_first_line(block)}\n", "\n".join(_table(block)) + "\n"]
    parts += [
        "### `[correlations.<axis>]`\n",
        "Keys are names of other axes, values rank correlations from -1 to 1; each pair once.\n",
    ]
    return "\n".join(parts)


def _first_line(block: type[Block]) -> str:
    return (block.__doc__ or "").strip().splitlines()[0]


def _table(block: type[Block]) -> Iterator[str]:
    yield "| key | unit | takes | default | meaning |"
    yield "|---|---|---|---|---|"
    for name, info in keys_of(block).items():
        if name != "distribution":
            cells = (f"`{name}`", unit_of(info), _takes(info), _default(info), _meaning(info))
            yield f"| {' | '.join(cells)} |"


def _takes(info: FieldInfo) -> str:
    return takes(info).replace("|", "/")


def _meaning(info: FieldInfo) -> str:
    return info.description or ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default is None or info.default in ("", []):
        return ""
    return f"`{json.dumps(info.default)}`"
