"""``rackwatt prices``: real price files into the engine's hours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from models.instance import EXCHANGE_RANGE
from optimizer.commands.taken import refuse_taken_file
from optimizer.commands.voice import Voice
from optimizer.errors import InputRefused, Problem, UsageRefused, as_json
from optimizer.prices.faults import refuse
from optimizer.prices.figures import (
    Mining,
    Running,
    Step,
    duration_curve,
    running,
    summary,
)
from optimizer.prices.quotes import Reading, read_quotes
from optimizer.prices.series import (
    Double,
    Series,
    Span,
    in_usd,
    make_series,
    refuse_implausible,
)
from optimizer.prices.tables import Opened, open_files
from optimizer.prices.wish import Wish
from optimizer.prices.written import currency_told, in_dollars, text_of, zone_told
from optimizer.screen.grids import grid
from optimizer.words import counted

#: Most stretches of hours that are named on the screen; a program is told all.
MOST_NAMED = 12
#: Width of the longest bar of the duration curve.
BAR = 40


@dataclass(frozen=True)
class Asked:
    """What is asked of price files.

    Attributes
    ----------
    files : tuple of Path
        What is read.
    wish : Wish
        What is wanted of it.
    mining : Mining
        What machines are held against.
    out : Path or None
        File to write.
    overwrite : bool
        Whether it may be there.
    """

    files: tuple[Path, ...]
    wish: Wish
    mining: Mining
    out: Path | None = None
    overwrite: bool = False


def prices_of(asked: Asked, voice: Voice) -> int:
    """Run the command and return its exit code."""
    if asked.out is not None:
        refuse_taken_file(asked.out, overwrite=asked.overwrite)
        if any(asked.out.resolve() == file.resolve() for file in asked.files):
            raise UsageRefused(f"{asked.out} is what is read; name another file to write")
    opened = open_files(asked.files)
    reading = read_quotes(opened.tables, asked.wish)
    place = asked.files[0].name
    _refuse_exchange(reading, asked, place)
    series = make_series(reading, asked.wish, place)
    if asked.wish.exchange is not None:
        series = in_usd(series, asked.wish.exchange)
    if in_dollars(reading, asked.wish):
        whole = not asked.wish.every_year and not reading.reserve
        refuse_implausible(series, place, whole_years=whole)
    report = _Report(asked, opened, reading, series)
    problems = tuple(_unsettled(series, asked.wish, place))
    text = None
    if asked.out is not None and not problems:
        text = text_of(series, reading, asked.wish, opened.hashes, asked.out.name)
    voice.show(*report.shown())
    if problems:
        voice.problems(problems)
        voice.answer(**report.answer("refused"), problems=as_json(problems))
        return InputRefused.exit_code
    _tell(report, text, voice)
    voice.answer(**report.answer("written" if text else "read"), problems=[])
    return 0


def _tell(report: _Report, text: str | None, voice: Voice) -> None:
    for note in report.notes():
        voice.say(Text(note))
    if text is not None and report.asked.out is not None:
        report.asked.out.write_text(text, encoding="utf-8", newline="\n")
        out = report.asked.out
        voice.say(Text(f"wrote {out}; next: rackwatt solve INSTANCE --prices SITE={out}"))
        if not in_dollars(report.reading, report.asked.wish):
            code = report.reading.currency
            voice.say(Text(f'in {code}: the block of power says currency = "{code}", and '
                           f"[currencies.{code}] its rate; --exchange converts"))  # fmt: skip


def _refuse_exchange(reading: Reading, asked: Asked, place: str) -> None:
    """A rate is of use for other currencies only."""
    if reading.currency == "USD" and asked.wish.exchange not in (None, 1.0):
        found = f"--exchange {asked.wish.exchange:g}"
        raise refuse("the file is in USD already", place, found=found, hint="leave --exchange out")
    low, high = EXCHANGE_RANGE
    if asked.wish.exchange is not None and not low <= asked.wish.exchange <= high:
        found, unit = f"--exchange {asked.wish.exchange:g}", reading.currency
        hint = f"it is USD for one {unit}: turned around, {1 / asked.wish.exchange:.6g}"
        raise refuse("the exchange rate is far from real ones", place, found=found,
                     allowed=f"{low:g} to {high:g} USD for one {unit}", hint=hint)  # fmt: skip
    if asked.out is not None and reading.reserve:
        hint = "choose day-ahead or real-time with --market"
        raise refuse("the prices are paid for reserve, not for energy", place,
                     found=reading.market, hint=hint)  # fmt: skip


def _unsettled(series: Series, wish: Wish, place: str) -> Iterator[Problem]:
    """Name what nobody has decided: hours without a price, and intervals with two."""
    if series.gaps:
        missing = sum(span.hours for span in series.gaps)
        some = f", {counted(series.parts, 'hour')} of them known in part" if series.parts else ""
        verb = "has" if missing == 1 else "have"
        yield Problem(
            f"{counted(missing, 'hour')} of {series.expected:,} {verb} no price{some}", place,
            found=_named(series.gaps),
            hint="name a way to fill them: --fill previous-day, previous-hour, interpolate or "
            "same-hour-mean",
        )  # fmt: skip
    if series.doubles and wish.duplicates is None:
        first = series.doubles[0]
        yield Problem(
            f"{counted(len(series.doubles), 'interval')} given twice", first.place, first.line,
            found=_named([_double(double) for double in series.doubles]),
            hint="say which price counts: --duplicates first or last",
        )  # fmt: skip


def _double(double: Double) -> str:
    before, after = (f"{price:g}" if price is not None else "none" for price in double.prices)
    return f"{double.start:%Y-%m-%d %H:%M%z} ({before}, {after})"


def _named(spans: Sequence[object]) -> str:
    rest = len(spans) - MOST_NAMED
    more = f"; and {rest} more, which --json lists" if rest > 0 else ""
    return "; ".join(str(span) for span in spans[:MOST_NAMED]) + more


# --- the report ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Report:
    """What is told of the files, to a person or to a program."""

    asked: Asked
    opened: Opened
    reading: Reading
    series: Series

    @property
    def unit(self) -> str:
        """Unit of the prices."""
        usd = in_dollars(self.reading, self.asked.wish)
        return "$/MWh" if usd else f"{self.reading.currency}/MWh"

    def shown(self) -> Iterator[RenderableType]:
        """Lay the report out for a terminal."""
        prices = self.series.prices
        point = self.reading.point or self.asked.files[0].name
        title = f"  {self.reading.market}, {self.reading.layout.title}"
        yield Text.assemble((point, "bold"), title)
        yield self._facts(summary(prices))
        yield Text("\nDuration curve", "bold")
        yield _curve_table(duration_curve(prices), self.unit)
        if in_dollars(self.reading, self.asked.wish) and not self.reading.reserve:
            m = self.asked.mining
            yield Text.assemble(
                ("\nWhat machines would run", "bold"),
                f"  at {m.hashprice:g} $/PH/day, PUE {m.pue:g}, {m.adder:g} $/MWh on top",
            )
            yield _machine_table(running(prices, m))

    def _facts(self, told: Mapping[str, Any]) -> Table:
        s = self.series
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        span = f"{s.starts[0]:%Y-%m-%d %H:%M%z} to {s.starts[-1]:%Y-%m-%d %H:%M%z}"
        for name, value in (
            ("rows", f"{self.reading.rows:,}"),
            ("hours", f"{len(s.starts):,} of {s.expected:,}, {span}"),
            ("zone", zone_told(self.reading, self.asked.wish)),
            ("currency", currency_told(self.reading, self.asked.wish)),
            ("mean", f"{told['mean']:,.2f} {self.unit}"),
            ("minimum", f"{told['min']:,.2f}"),
            ("maximum", f"{told['max']:,.2f}"),
            ("negative", counted(told["negative_hours"], "hour")),
            ("gaps", _count_of(s.gaps)),
            ("filled", _count_of(s.filled)),
            ("given twice", str(len(s.doubles) or "none")),
            ("doubled", _hours_named([f"{start:%Y-%m-%d %H:%M%z}" for start in s.repeated])),
        ):
            if name != "filled" or s.filled:
                table.add_row(Text(name, "dim"), value)
        return table

    def notes(self) -> Iterator[str]:
        """Say what a person might not expect of what was done."""
        s, wish = self.series, self.asked.wish
        if s.left_out:
            yield f"{counted(s.left_out, 'hour')} of other years left out"
        if s.filled:
            yield f"filled by {wish.fill}: {_named(s.filled)}"
        if s.doubles:
            twice = _named([_double(double) for double in s.doubles])
            yield f"given twice, the {wish.duplicates} kept: {twice}"
        if self.reading.skipped:
            rows = counted(self.reading.skipped, "row")
            yield f"{rows} without a price at hours that the clock skips in spring"
        if self.reading.layout.lost:
            yield f"not carried over: {self.reading.layout.lost}"
        unread = (*self.opened.unread, *self.reading.left_out)
        if unread:
            yield f"not read, for no prices stand there: {_named(unread)}"

    def answer(self, status: str) -> dict[str, Any]:
        """Give a program what a person is shown, and all of the dates."""
        s, reading, asked = self.series, self.reading, self.asked
        usd = in_dollars(reading, asked.wish)
        curve = duration_curve(s.prices)
        machines = running(s.prices, asked.mining) if usd and not reading.reserve else ()
        return {
            "status": status,
            "out": str(asked.out) if status == "written" else None,
            "files": self.opened.hashes,
            "layout": reading.layout.name,
            "point": reading.point,
            "points": list(reading.points),
            "market": reading.market,
            "zone": zone_told(reading, asked.wish),
            "currency": reading.currency,
            "exchange_usd_per_unit": asked.wish.exchange,
            "unit": "USD/MWh" if usd else f"{reading.currency}/MWh",
            "rows": reading.rows,
            "expected_hours": s.expected,
            **summary(s.prices),
            "first": s.starts[0].isoformat(" "),
            "last": s.starts[-1].isoformat(" "),
            "gap_hours": sum(span.hours for span in s.gaps),
            "gaps": _spans(s.gaps),
            "fill": asked.wish.fill,
            "filled_hours": sum(span.hours for span in s.filled),
            "filled": _spans(s.filled),
            "given_twice": [double.start.isoformat(" ") for double in s.doubles],
            "doubled_hours": [start.isoformat(" ") for start in s.repeated],
            "left_out_hours": s.left_out,
            "not_read": [*self.opened.unread, *reading.left_out],
            "duration_curve": [asdict(step) for step in curve],
            "mining": asdict(asked.mining),
            "machines": [asdict(machine) for machine in machines],
        }


def _spans(spans: Sequence[Span]) -> list[dict[str, Any]]:
    return [{"first": span.first.isoformat(" "), "hours": span.hours} for span in spans]


def _count_of(spans: Sequence[Span]) -> str:
    if not spans:
        return "none"
    return f"{counted(sum(span.hours for span in spans), 'hour')}: {_named(spans)}"


def _hours_named(hours: Sequence[str]) -> str:
    return f"{counted(len(hours), 'hour')}: {_named(hours)}" if hours else "none"


def _curve_table(curve: Sequence[Step], unit: str) -> Table:
    table = grid(("dearest", "figure"), ("hours", "figure"), (f"from {unit}", "figure"),
                 ("mean of the rest", "figure"), ("", "words"))  # fmt: skip
    longest = max(math.log1p(max(step.price, 0.0)) for step in curve) or 1.0
    for step in curve:
        rest = "–" if step.mean_of_rest is None else f"{step.mean_of_rest:,.2f}"
        bar = "█" * round(BAR * math.log1p(max(step.price, 0.0)) / longest)
        table.add_row(f"{100 * step.share:g} %", f"{step.hours:,}", f"{step.price:,.2f}", rest,
                      Text(bar, "cyan"))  # fmt: skip
    return table


def _machine_table(machines: Sequence[Running]) -> Table:
    table = grid(("machine", "words"), ("J/TH", "figure"), ("breaks even at", "figure"),
                 ("runs", "figure"), ("pays on average", "figure"))  # fmt: skip
    for m in machines:
        paid = "–" if m.mean_paid is None else f"{m.mean_paid:,.2f}"
        table.add_row(m.machine, f"{m.j_per_th:.1f}", f"{m.break_even:,.1f}",
                      f"{100 * m.share:.1f} %", paid)  # fmt: skip
    return table
