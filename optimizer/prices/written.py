"""The engine's price file: its hours, and above them where they come from.

The same files and options give the same bytes: nothing in it depends on when or where it is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.instance import USD
from optimizer.errors import InputRefused, Report
from optimizer.load.prices import read_prices
from optimizer.prices.clock import HOUR
from optimizer.prices.faults import refuse
from optimizer.prices.quotes import Reading
from optimizer.prices.series import Series
from optimizer.prices.wish import Wish
from optimizer.write import PROGRAM, versions


def text_of(
    series: Series, reading: Reading, wish: Wish, hashes: Mapping[str, str], name: str
) -> str:
    """Write the file, and read it as the engine will.

    Raises
    ------
    InputRefused
        Where the engine would refuse it, as for lack of a whole month.
    """
    _refuse_part_of_a_year(series, name)
    lines = [f"# {' '.join(line.split())}" for line in provenance(series, reading, wish, hashes)]
    usd = in_dollars(reading, wish)
    lines.append("time,price_usd_per_mwh" if usd else "time,price_per_mwh")
    lines += [
        f"{start.isoformat(' ')},{price!r}"
        for start, price in zip(series.starts, series.prices, strict=True)
    ]
    text = "\n".join(lines) + "\n"
    report = Report()
    read_prices(text, name, report, curve=False, usd_per_unit=1.0 if usd else None)
    if report.refused():
        raise InputRefused(report.sorted())
    return text


def _refuse_part_of_a_year(series: Series, name: str) -> None:
    """The engine takes whole months, and each of the twelve at least once."""
    first, last = series.starts[0], series.starts[-1]
    months = {start.month for start in series.starts}
    ends = (last.replace(tzinfo=None) + HOUR).day == 1 and last.hour == 23
    if len(months) == 12 and (first.day, first.hour) == (1, 0) and ends:
        return
    found = f"{first:%Y-%m-%d %H:%M%z} to {last:%Y-%m-%d %H:%M%z}"
    allowed = "whole months, each of the twelve at least once"
    hint = "add the files of the rest of the year, and choose it with --year"
    raise refuse("the engine cannot take part of a year", name, None, "", found, allowed, hint)


def provenance(
    series: Series, reading: Reading, wish: Wish, hashes: Mapping[str, str]
) -> Iterator[str]:
    """Say where the hours come from, and what was done to them."""
    layout = reading.layout
    yield f"written by {PROGRAM} {versions()[PROGRAM]}, command prices"
    for name, digest in sorted(hashes.items()):
        yield f"source: {name}, sha256 {digest}"
    yield f"layout: {layout.title}"
    yield f"point: {reading.point or 'not told by the file'}"
    yield f"market: {reading.market}"
    yield f"zone: {zone_told(reading, wish)}"
    yield f"currency: {currency_told(reading, wish)}"
    yield f"hours: {len(series.starts)}, {_filling(series, wish)}"
    yield from (f"filled: {span}" for span in series.filled)
    if series.doubles:
        yield f"given twice: {len(series.doubles)}, the {wish.duplicates} kept"
        yield from (f"given twice: {d.start:%Y-%m-%d %H:%M%z}" for d in series.doubles)


def zone_told(reading: Reading, wish: Wish) -> str:
    """Name the local zone of the hours."""
    return wish.timezone or reading.layout.zone or "local, by the offsets of the file"


def in_dollars(reading: Reading, wish: Wish) -> bool:
    """Whether prices are in USD, or converted to it."""
    return reading.currency == USD or wish.exchange is not None


def currency_told(reading: Reading, wish: Wish) -> str:
    """Name the currency, and what it is converted at."""
    if wish.exchange is None:
        return reading.currency
    return f"{reading.currency}, at {wish.exchange!r} USD per {reading.currency}"


def _filling(series: Series, wish: Wish) -> str:
    hours = sum(span.hours for span in series.filled)
    return f"{hours} of them filled by {wish.fill}" if hours else "none filled"
