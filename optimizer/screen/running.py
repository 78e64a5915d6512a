"""What keeps AI running, for a terminal: promises, outages, designs, and one more nine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from optimizer.best import STATED
from optimizer.screen.grids import Kind, grid
from optimizer.words import counted, figure, percent

if TYPE_CHECKING:
    from pandas import DataFrame

    from optimizer.plan import Tables

#: Rows that a table of this section shows at most.
MOST_ROWS = 12
#: What a part belongs to.
LEVELS = {"hall": "each hall", "site": "site plant", "company": "company"}
#: Credits below this, in M$, are not spoken of.
LEAST_TOLD = 0.0005
#: Columns of a terminal that hold the whole table of promises.
WIDE = 100
Row = dict[Any, Any]


def running(tables: Tables, width: int) -> Iterator[RenderableType]:
    """Tell how promises are kept, what uses up their downtime, and what more would cost."""
    rows: list[Row] = served(tables.uptime).to_dict(orient="records")
    parts: list[Row] = tables.designs.to_dict(orient="records")
    yield _promises(rows, width)
    yield from _left_out(rows)
    yield from _credits(tables, rows)
    yield from _curtailed(tables.energy)
    if any(part["subsystem"] != STATED for part in parts):
        yield Text("\nshare of the downtime allowed that each part uses up", "dim")
        yield _uses(rows)
        yield Text("\nunits that stand, and those that the load needs", "dim")
        yield _designs(parts)
    nines = _nines(rows)
    if nines:
        yield Text("\nthe best that can be reached, and the cheapest way to one more nine", "dim")
        yield _nine_table(nines, rows)


def served(uptime: DataFrame) -> DataFrame:
    """Keep the rows of places that serve a promise."""
    return uptime[(uptime["contract"] != "") & (uptime["promised"] > 0)]


def _known(value: float | None) -> bool:
    return value is not None and value == value


# --- promises ------------------------------------------------------------------------------


def _promises(rows: list[Row], width: int) -> Table:
    """Lay out promises against what is reached; outages only where they are known."""
    outages = any(_known(row["outages_per_year"]) for row in rows)
    columns: list[tuple[str, Kind]] = [("contract", "words"), ("hall", "words")]
    columns += [("promised", "figure"), ("reached", "figure"), ("min/year", "figure")]
    if outages:
        columns += [("outages\nper year", "figure"), ("months\nbroken", "figure")] * (
            width >= WIDE
        )
        columns += [("years\nbroken", "figure"), ("credits\nM$/year", "figure")]
    table = grid(*columns)
    contract = ""
    for row in _ordered(rows)[:MOST_ROWS]:
        own = "" if row["contract"] == contract else row["contract"]
        contract = row["contract"]
        table.add_row(own, where(row, rows), *_reached(row), *_outages(row, width, outages))
    return table


def where(row: Row, rows: list[Row]) -> str:
    """Name a hall group; where it has several packages, with what is its own of this one.

    Examples
    --------
    >>> old, new = {"hall": "h", "package": "ups1.cool1"}, {"hall": "h", "package": "ups1.cool2"}
    >>> where(old, [old, old]), where(old, [old, new])
    ('h', 'h +cool1')
    """
    packages = {other["package"] for other in rows if other["hall"] == row["hall"]}
    if len(packages) == 1:
        return str(row["hall"])
    shared = set.intersection(*(set(package.split(".")) for package in packages))
    own = [part for part in row["package"].split(".") if part not in shared]
    return f"{row['hall']} +{'.'.join(own)}"


def _ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row["promised"], row["contract"]))


def _reached(row: Row) -> Iterator[str]:
    yield percent(row["promised"])
    yield percent(row["availability"])
    yield f"{minutes(row['down_minutes_per_year'])} of {minutes(row['allowed_minutes_per_year'])}"


def minutes(number: float) -> str:
    """Write minutes of a year.

    Examples
    --------
    >>> minutes(52.56), minutes(3.26), minutes(0.0)
    ('53', '3.3', '0')
    """
    return figure(number, digits=0 if number >= 9.95 else 1)


def _outages(row: Row, width: int, outages: bool) -> Iterator[str]:
    if not outages:
        return
    if width >= WIDE:
        yield figure(row["outages_per_year"])
        yield chance(row["breached_month_probability"])
    yield chance(row["breached_year_probability"])
    yield figure(row["credit_musd_per_year"]) if row["credit_share"] != 0 else "·"


def chance(probability: float | None) -> str:
    """Write a probability in percent.

    Examples
    --------
    >>> chance(0.5571), chance(0.0021), chance(None), chance(1e-6)
    ('55.7 %', '0.2 %', '–', '0 %')
    """
    if probability is None or not _known(probability):
        return "–"
    return f"{figure(100.0 * probability)} %"


def _left_out(rows: list[Row]) -> Iterator[Text]:
    if len(rows) > MOST_ROWS:
        yield Text(f"{len(rows) - MOST_ROWS} more stand in uptime.csv", "dim")


def _credits(tables: Tables, rows: list[Row]) -> Iterator[Text]:
    """Say what credits are expected, and for how many no frequency of outages is known."""
    credited = float(tables.finance_by_year["service_credits_musd"].sum())
    if credited >= LEAST_TOLD:
        musd = f"{credited:.3g}"
        yield Text(f"credits of {musd} M$ are expected until the horizon, which the value counts")
    if any(_known(row["outages_per_year"]) for row in rows):
        yield Text(
            "broken: how likely a month falls below the promise, or a year holds such a month",
            "dim",
        )
    unknown = len(rows) - sum(_known(row["outages_per_year"]) for row in rows)
    if unknown:
        yield Text(
            f"{counted(unknown, 'promise')} on packages that state no outages_per_year: "
            "breaches are not known",
            "dim",
        )


def _curtailed(energy: DataFrame) -> Iterator[Text]:
    """Say what mining is short of on units that it shares with AI."""
    short, mined = float(energy["curtailed_mwh"].sum()), float(energy["mining_mwh"].sum())
    if short >= 1.0:
        share = 100.0 * short / (short + mined)
        yield Text(
            f"mining drops first on units that it shares with AI: {short:,.0f} MWh, "
            f"{share:.2g} % of its energy until the horizon"
        )


# --- downtime and designs ------------------------------------------------------------------


def _uses(rows: list[Row]) -> Table:
    table = grid(("contract", "words"), ("hall", "words"), ("worst", "date"), ("used by", "words"))
    contract = ""
    for row in _ordered(rows)[:MOST_ROWS]:
        own = "" if row["contract"] == contract else row["contract"]
        contract = row["contract"]
        table.add_row(own, where(row, rows), row["worst_month"], row["uses"])
    return table


def _designs(parts: list[Row]) -> Table:
    """Lay out the units of halls, a line a state, and of plants, a line a part."""
    lines: dict[tuple[str, ...], list[Row]] = {}
    for part in sorted(parts, key=lambda part: (part["site"], part["level"], part["hall"])):
        plant = (part["subsystem"], part["units"], str(part["needed"]))
        own = (part["hall"], part["state"]) if part["level"] == "hall" else plant
        lines.setdefault((part["site"], *own), []).append(part)
    table = grid(("where", "words"), ("", "words"), ("from", "date"), ("to", "date"),
                 ("MW", "figure"), ("units", "words"))  # fmt: skip
    for same in list(lines.values())[:MOST_ROWS]:
        hall = same[0]["level"] == "hall"
        table.add_row(
            same[0]["hall"] if hall else same[0]["site"],
            LEVELS[same[0]["level"]],
            min(part["month_first"] for part in same),
            max(part["month_last"] for part in same),
            figure(max(part["it_mw"] for part in same)),
            ", ".join(dict.fromkeys(map(units, same))),
        )
    return table


def units(part: Row) -> str:
    """Say what a part is made of.

    Examples
    --------
    >>> units({"subsystem": "ups", "units": "4 ups-1mw", "installed": 4, "needed": 3})
    '4 ups-1mw for 3'
    >>> units({"subsystem": "power", "units": "none", "installed": 0, "needed": 0})
    'power: none'
    """
    if part["subsystem"] == STATED:
        return f"{part['units']}, as stated"
    if part["units"] == "none":
        return f"{part['subsystem']}: none"
    spare = part["installed"] != part["needed"]
    return str(part["units"]) + (f" for {part['needed']}" if spare else "")


# --- one more nine -------------------------------------------------------------------------


def _nines(rows: list[Row]) -> list[list[Row]]:
    """Gather halls for which one more nine takes the same."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in _ordered(rows):
        if _known(row["next_nine"]):
            key = (row["contract"], row["next_nine"], _takes(row))
            found.setdefault(key, []).append(row)
    return list(found.values())


def _takes(row: Row) -> str:
    """Say what one more nine takes."""
    if not _known(row["next_nine_musd"]) or not row["next_nine_musd"]:
        return str(row["next_nine_how"])
    musd, per_kw = row["next_nine_musd"], row["next_nine_usd_per_kw"]
    return f"{musd:+,.1f} M$ ({per_kw:+,.0f} $/kW): {row['next_nine_how']}"


def _nine_table(nines: list[list[Row]], rows: list[Row]) -> Table:
    table = grid(("contract", "words"), ("best", "figure"), ("for", "figure"), ("hall", "words"),
                 ("what it takes", "words"))  # fmt: skip
    told = [same[0]["contract"] for same in nines]
    for same in nines[:MOST_ROWS]:
        row = same[0]
        halls = ", ".join(dict.fromkeys(where(own, rows) for own in same))
        halls = halls if told.count(row["contract"]) > 1 else "all"
        best = percent(row["best_availability"])
        table.add_row(row["contract"], best, percent(row["next_nine"]), halls, _takes(row))
    return table
