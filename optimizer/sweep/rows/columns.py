"""What the columns of a sweep's table mean, for the page of the format."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.docstrings import attributes_told
from optimizer.sweep.point.figures import FIGURES
from optimizer.sweep.points import MEANINGS, SETTLED, Point, Row
from optimizer.sweep.rows.export import PRICES, TIMES
from optimizer.sweep.rows.records import Entry

#: Columns that ``--timings`` adds, in their order.
TIMINGS = ("cpu_seconds", "solver_seconds", "attempts", "worker", "finished")

GUIDE = """\
### Rows of a sweep

`rackwatt sweep export` writes one row a case, in the order of the design, as CSV or Parquet. The
same results give the same bytes. Figures are empty where there is no plan. A column of a file of
cases that is a dotted key stands once, with the values in effect.
"""


def sweep_rows() -> Iterator[str]:
    """Write the part of the page that tells columns and statuses."""
    yield GUIDE
    yield "\n".join(["| column | unit | meaning |", "|---|---|---|", *_columns()]) + "\n"
    yield "### Statuses of a case\n"
    yield "\n".join(["| status | settled | meaning |", "|---|---|---|", *_statuses()]) + "\n"


def _columns() -> Iterator[str]:
    told = {name: words for kind in (Point, Row, Entry) for names, words in attributes_told(kind)
            for name in names}  # fmt: skip
    shared = next(names for names, _ in attributes_told(Row) if "gap" in names)
    yield _line("number", "", told["number"])
    yield _line("id", "", f"beginning of the {told['identity']}")
    yield _line(TIMES, "", told[TIMES])
    yield _line("<axis>", "", "what the axis is set to: a value, factor, amount or label")
    yield _line(
        "<key>", "as the key",
        "value in effect of every key that an axis moves: the case's own, else the base's; "
        "empty where the base leaves it open",
    )  # fmt: skip
    yield _line(f"{PRICES}<site>", "", "price file in effect, of sites that an axis prices")
    yield _line("status", "", "see below")
    yield f"| {', '.join(f'`{name}`' for name in shared)} | M$, M$, share | {told['gap']} |"
    yield _line("message", "", told["message"])
    for name, (unit, meaning) in FIGURES.items():
        yield _line(name, unit, meaning)
    for name in TIMINGS:
        unit, words = "s" if name.endswith("_seconds") else "", told[name]
        yield _line(name, unit, f"with `--timings`: {words[:1].lower()}{words[1:]}")


def _line(name: str, unit: str, meaning: str) -> str:
    return f"| `{name}` | {unit} | {meaning[:1].lower() + meaning[1:].rstrip('.')} |"


def _statuses() -> Iterator[str]:
    for status, meaning in MEANINGS.items():
        yield f"| `{status}` | {'yes' if status in SETTLED else 'no'} | {meaning} |"
    yield "| `waiting` | | nothing has come of it yet |"
