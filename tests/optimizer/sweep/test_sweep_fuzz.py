"""Whatever is typed into a sweep file, it is expanded or refused in words."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.optimizer.sweep.files import CASES, CURVE, DRAWN, SWEEP, errors, write_sweep

MARKET = (
    '\n[axes.market]\nkey = "power.grid"\nprices = { a = "curve.csv", b = "ercot-hub-2021" }\n'
)
END = '\n[plan]\nactions = "actions.csv"\n\n[pareto]\nmaximise = ["value"]\nminimise = ["capex"]\n'
TEXTS = (SWEEP + MARKET + END, DRAWN + MARKET, CASES + MARKET)
FILES = {
    "curve_csv": CURVE,
    "cases_csv": "firm,market,finance.capex_budget_musd\n0.8,a,40\n,b,\n",
    "actions_csv": "action,month,subject,amount\nsign,2027-01,lease,2\n",
}
#: What may be typed in place of a value, a piece of one, or a key.
ODD = (
    "1", "-1", "0", "1e400", "nan", "-inf", "true", '""', '"*"', '"."', '"a.b"', '"\\u0000"', "[]",
    "[[]]", "[1, 1]", '["a", 2]', "{}", "{ a = 1 }", "{ from = 1 }", "{ from = 1, to = 1e300 }",
    "{ from = 0, to = 1e9, step = 1e-9 }", "{ from = 1, to = 2, count = 100000 }", "2027-01-01",
    '{ distribution = 3 }', '{ distribution = "normal", mean = 1e308, sd = 1e308 }',
    '{ distribution = "lognormal", mean = 1, sd = 1e200 }', '"sites.*.firm_mw"', '"power.*"',
    '"halls.*.count"', '"contracts.*.start"', '"racks.*.resale_usd"', '"bitcoin.hashprice"',
    '"finance.capex_budget_by_period"', '"instance.accept_unusual"', '"fleet.*.hall"',
    '"sites"', '["sites.*.power", "halls.old.fitout"]', "9" * 40, '"grid"', '"csv"', '"sobol"',
    '"list"', '"latin_hypercube"', "12.5", '[{ from = "2027-01", value = 5 }]',
)  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        key, equals, _value = lines[place].partition(" = ")
        odd = draw(st.sampled_from(ODD))
        lines[place] = draw(
            st.sampled_from([
                f"{key} = {odd}" if equals else f"[{odd}]",
                f'{lines[place]}\n{draw(st.sampled_from(["scale", "round", "key", "x"]))} = {odd}',
                "",
            ])
        )  # fmt: skip
    return "\n".join(lines) + "\n"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=texts())
def test_no_text_ends_in_a_traceback(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for problem in errors(write_sweep(Path(folder), text, **FILES)):
            assert problem.message
            assert problem.file
