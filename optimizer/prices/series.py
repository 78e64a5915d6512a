"""From quotes to hours: means of parts, the years that are wanted, gaps, doubles, what is filled.

Hours are told apart by their start in UTC, and put down by the local clock. Nothing is made up: an
hour that lacks a part is a gap, and a gap stays one unless a way to fill it is named.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from optimizer.load.prices import MEAN_RANGE, PRICE_RANGE
from optimizer.prices.clock import HOUR, instants, zone
from optimizer.prices.faults import Faults, refuse
from optimizer.prices.quotes import Quote, Reading
from optimizer.prices.wish import Filling, Wish

#: No more of the hours may be filled: what lacks a month is not a year of prices.
MOST_FILLED = 1 / 12
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Hours in a row: the first, and how many, by the local clock."""

    first: datetime
    hours: int

    def __str__(self) -> str:
        """Write it as a person reads it."""
        if self.hours == 1:
            return f"{self.first:%Y-%m-%d %H:%M%z}"
        last = self.first.astimezone(UTC) + (self.hours - 1) * HOUR
        return (
            f"{self.first:%Y-%m-%d %H:%M%z} to "
            f"{last.astimezone(self.first.tzinfo):%Y-%m-%d %H:%M%z} ({self.hours:,} h)"
        )


@dataclass(frozen=True)
class Double:
    """An interval that the file gives twice: when, the two prices, and where the second stands."""

    start: datetime
    prices: tuple[float | None, float | None]
    place: str
    line: int


class LocalClock:
    """The local clock of a market: that of a zone, or the offsets that the file tells."""

    def __init__(
        self, quotes: Sequence[Quote], named: str | None, of_layout: str | None, place: str
    ) -> None:
        name = named or of_layout
        self.name = name
        self.zone: tzinfo | None = zone(name) if name else None
        if named is None and self.zone is not None:
            self._refuse_foreign(quotes)
        told = sorted((quote.start, quote.offset) for quote in quotes if quote.offset is not None)
        offsets = {offset for _, offset in told}
        if len(offsets) > 2 or (offsets and max(offsets) - min(offsets) > HOUR):
            found = ", ".join(str(timezone(offset)) for offset in sorted(offsets))
            allowed, hint = "one offset, or two an hour apart", "are files of two zones joined?"
            message = "the offsets from UTC are those of no one zone"
            raise refuse(message, place, found=found, allowed=allowed, hint=hint)
        if self.zone is None and (not told or offsets == {timedelta(0)}):
            hint = "name the zone of the site, as --timezone America/Chicago; months are local"
            raise refuse("the local zone is not known", place, hint=hint)
        self.starts = [start for start, _ in told]
        self.offsets = [offset for _, offset in told]

    def _refuse_foreign(self, quotes: Sequence[Quote]) -> None:
        """Of offsets that change, each must be that of the layout's zone when it is told."""
        if len({quote.offset for quote in quotes}) < 2:
            return
        for quote in quotes:
            local = self.local(quote.start)
            if quote.offset is not None and local.utcoffset() != quote.offset:
                message = "the offset from UTC is not that of the zone"
                found, allowed = str(timezone(quote.offset)), f"{local:%z} in {self.name}"
                hint = "are files of two zones joined?"
                raise refuse(message, quote.place, quote.line, "", found, allowed, hint)

    def local(self, moment: datetime) -> datetime:
        """Give a moment by the local clock; between known hours the earlier offset holds."""
        if self.zone is not None:
            return moment.astimezone(self.zone)
        position = max(bisect.bisect_right(self.starts, moment) - 1, 0)
        return moment.astimezone(timezone(self.offsets[position]))

    def year(self, year: int) -> tuple[datetime, datetime]:
        """Give the moments, in UTC, at which a local year begins and ends."""
        return self._midnight(year), self._midnight(year + 1)

    def _midnight(self, year: int) -> datetime:
        wall = datetime(year, 1, 1)
        if self.zone is not None:
            return instants(wall, self.zone)[0]
        near = self.local(wall.replace(tzinfo=UTC)).utcoffset()
        assert near is not None
        return (wall - near).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Series:
    """The hours of the years wanted.

    Attributes
    ----------
    starts : list of datetime
        Starts of the hours that have a price, by the local clock, in order.
    prices : list of float
        Their prices, in the unit told by ``Reading.currency`` and the exchange.
    expected : int
        Hours of the span.
    gaps : list of Span
        Hours without a price; those that were filled are not among them.
    parts : int
        Hours among the gaps of which some intervals are known.
    filled : list of Span
        Hours that were filled.
    doubles : list of Double
        Intervals that the file gives twice.
    repeated : list of datetime
        Hours that the clock struck a second time, and that have a price.
    left_out : int
        Hours of other years.
    """

    starts: list[datetime]
    prices: list[float]
    expected: int
    gaps: list[Span]
    parts: int
    filled: list[Span]
    doubles: list[Double]
    repeated: list[datetime]
    left_out: int


def make_series(reading: Reading, wish: Wish, place: str) -> Series:
    """Make hours of quotes.

    Raises
    ------
    InputRefused
        Where intervals contradict each other, the years are open, or too much is to be filled.
    """
    if not any(quote.price is not None for quote in reading.quotes):
        raise refuse("no row has a price", place)
    clock = LocalClock(reading.quotes, wish.timezone, reading.layout.zone, place)
    quotes, doubles = _once(reading.quotes, clock, wish)
    known, parts = _hours(quotes, clock)
    if not known:
        _refuse_parts(quotes, clock)
    years = Counter(clock.local(start).year for start in (*known, *parts))
    first, end = _span(years, [*known, *parts], clock, wish, place)
    wanted = [first + count * HOUR for count in range((end - first) // HOUR)]
    inside = {start: known[start] for start in wanted if start in known}
    if not inside:
        found = f"{sum(first <= start < end for start in parts):,} hours known in part"
        raise refuse("no hour of the years wanted has all of its parts", place, found=found)
    missing = [start for start in wanted if start not in inside]
    if wish.fill and missing:
        _refuse_too_many(missing, wanted, clock, place)
        inside = _filled(inside, wanted, clock, wish.fill, place)
    spans = list(_spans(missing, clock))
    starts = [clock.local(start) for start in wanted if start in inside]
    return Series(
        starts,
        [inside[start] for start in wanted if start in inside],
        len(wanted),
        [] if wish.fill else spans,
        sum(start in parts for start in missing),
        spans if wish.fill else [],
        [double for double in doubles if first <= double.start.astimezone(UTC) < end],
        [start for start in starts if _is_second(start, clock)],
        sum(1 for start in known if not first <= start < end),
    )


def in_usd(series: Series, exchange: float) -> Series:
    """Convert prices at ``exchange`` USD per unit of their currency."""
    return replace(series, prices=[round(price * exchange, 6) for price in series.prices])


def refuse_implausible(series: Series, place: str, *, whole_years: bool) -> None:
    """Refuse prices in $/MWh that no market has had.

    Raises
    ------
    InputRefused
        For an hour outside the range, or a year whose mean is that of another unit.
    """
    low, high = PRICE_RANGE
    for start, price in zip(series.starts, series.prices, strict=True):
        if not low <= price <= high:
            found = f"{price:g} at {start:%Y-%m-%d %H:%M%z}"
            hint = "in another currency? say so with --currency and --exchange"
            raise refuse("a price is outside any market's range", place, None, "", found,
                         f"{low:g} to {high:g} $/MWh", hint)  # fmt: skip
    mean = math.fsum(series.prices) / len(series.prices)
    low, high = MEAN_RANGE
    if whole_years and not low <= mean <= high:
        hint = "prices are in $/MWh" + (", not in $/kWh" if abs(mean) < low else "")
        raise refuse("the mean price is far from real figures", place, None, "",
                     f"{mean:.4g} $/MWh", f"{low:g} to {high:g} $/MWh", hint)  # fmt: skip


def _once(
    quotes: Sequence[Quote], clock: LocalClock, wish: Wish
) -> tuple[list[Quote], list[Double]]:
    """Keep one quote of each interval: the first, or the last where that is wanted."""
    kept: dict[datetime, Quote] = {}
    doubles: list[Double] = []
    for quote in quotes:
        before = kept.setdefault(quote.start, quote)
        if before is not quote:
            prices = (before.price, quote.price)
            doubles.append(Double(clock.local(quote.start), prices, quote.place, quote.line))
            if wish.duplicates == "last":
                kept[quote.start] = quote
    return list(kept.values()), doubles


def _hours(
    quotes: Sequence[Quote], clock: LocalClock
) -> tuple[dict[datetime, float], dict[datetime, int]]:
    """Take the mean of each hour whose parts are all known; give the minutes known of others."""
    parts: dict[datetime, list[Quote]] = defaultdict(list)
    faults = Faults()
    for quote in quotes:
        past = clock.local(quote.start).minute
        parts[quote.start - timedelta(minutes=past)].append(quote)
        if past % quote.minutes:
            found = f"{quote.minutes} minutes from {clock.local(quote.start):%Y-%m-%d %H:%M%z}"
            message, hint = "the interval does not lie in one hour", "are the times shifted?"
            faults.add(message, quote.place, quote.line, "", found, hint=hint)
    known: dict[datetime, float] = {}
    short: dict[datetime, int] = {}
    for start, group in parts.items():
        given = sum(quote.minutes for quote in group)
        prices = [(quote.price, quote.minutes) for quote in group if quote.price is not None]
        minutes = sum(length for _, length in prices)
        if given > 60:
            found = f"{len(group)} intervals of {given} minutes"
            hint = "do files of two markets or two resolutions stand together?"
            message = "an hour is given both whole and in parts"
            faults.add(message, group[-1].place, group[-1].line, "", found, "60 minutes", hint)
        elif minutes == 60:
            mean = math.fsum(price * length for price, length in prices) / 60
            known[start] = prices[0][0] if len(prices) == 1 else round(mean, 10)
        else:
            short[start] = minutes
    faults.stop()
    return known, short


def _refuse_parts(quotes: Sequence[Quote], clock: LocalClock) -> None:
    """One stray time makes hours look like halves: name it, where no hour is whole."""
    odd = next((quote for quote in quotes if clock.local(quote.start).minute), quotes[0])
    found = f"{odd.minutes} minutes from {clock.local(odd.start):%Y-%m-%d %H:%M%z}"
    hint = "is a time off the hour, or are intervals missing?"
    message = "no hour has all of its parts"
    raise refuse(message, odd.place, odd.line, "", found, "60 minutes in each hour", hint)


# --- years ---------------------------------------------------------------------------------


def _span(
    years: Mapping[int, int], starts: Sequence[datetime], clock: LocalClock, wish: Wish, place: str
) -> tuple[datetime, datetime]:
    """Find the moments between which hours are wanted: of years, or of all there is."""
    if wish.every_year:
        return min(starts), max(starts) + HOUR
    wanted = sorted(set(wish.years)) or sorted(years)
    held = ", ".join(f"{year}: {count:,} h" for year, count in sorted(years.items()))
    if len(years) > 1 and not wish.years:
        hint = "choose with --year, which may be repeated; --year all takes all there is"
        raise refuse(f"the file holds hours of {len(years)} years", place, found=held, hint=hint)
    for year in wanted:
        if year not in years:
            raise refuse(f"the file holds no hours of {year}", place, None, "", held)
    for before, after in itertools.pairwise(wanted):
        if after != before + 1:
            found = ", ".join(map(str, wanted))
            hint = "years that do not follow each other go into files of their own"
            raise refuse("the years do not follow each other", place, None, "--year", found,
                         hint=hint)  # fmt: skip
    return clock.year(wanted[0])[0], clock.year(wanted[-1])[1]


def _is_second(local: datetime, clock: LocalClock) -> bool:
    """Whether the clock shows an hour for the second time."""
    before = clock.local(local.astimezone(UTC) - HOUR)
    return before.replace(tzinfo=None) == local.replace(tzinfo=None)


def _spans(missing: Sequence[datetime], clock: LocalClock) -> Iterator[Span]:
    first, count = None, 0
    for start in missing:
        if first is not None and start == first + count * HOUR:
            count += 1
            continue
        if first is not None:
            yield Span(clock.local(first), count)
        first, count = start, 1
    if first is not None:
        yield Span(clock.local(first), count)


# --- filling -------------------------------------------------------------------------------


def _refuse_too_many(
    missing: Sequence[datetime], wanted: Sequence[datetime], clock: LocalClock, place: str
) -> None:
    if len(missing) <= MOST_FILLED * len(wanted):
        return
    longest = max(_spans(missing, clock), key=lambda span: span.hours)
    raise refuse(
        f"{len(missing):,} of {len(wanted):,} hours have no price: too many to fill", place,
        found=f"the longest gap is {longest}",
        allowed=f"{int(MOST_FILLED * len(wanted)):,} hours, a month of a year",
        hint="add the files that hold them, or choose another year with --year",
    )  # fmt: skip


def _filled(
    known: Mapping[datetime, float], wanted: Sequence[datetime], clock: LocalClock, how: Filling,
    place: str,
) -> dict[datetime, float]:  # fmt: skip
    """Give every hour a price; hours that are filled already may serve the next ones."""
    filled = dict(known)
    means = _means(known, clock) if how == "same-hour-mean" else {}
    for start in wanted:
        if start in known:
            continue
        local = clock.local(start)
        price: float | None
        if how == "same-hour-mean":
            price = means.get((local.year, local.month, local.hour))
        elif how == "interpolate":
            price = _between(start, known, wanted)
        else:
            step = HOUR if how == "previous-hour" else DAY
            price = filled.get(start - step)
        if price is None:
            hint = "try same-hour-mean, or another method"
            found = f"{local:%Y-%m-%d %H:%M%z}"
            raise refuse(f"{how} finds no price for an hour", place, found=found, hint=hint)
        filled[start] = price
    return filled


def _means(
    known: Mapping[datetime, float], clock: LocalClock
) -> dict[tuple[int, int, int], float]:
    """Take the mean of each hour of the day over a month."""
    groups: dict[tuple[int, int, int], list[float]] = defaultdict(list)
    for start, price in known.items():
        local = clock.local(start)
        groups[local.year, local.month, local.hour].append(price)
    return {key: round(math.fsum(group) / len(group), 10) for key, group in groups.items()}


def _between(
    start: datetime, known: Mapping[datetime, float], wanted: Sequence[datetime]
) -> float | None:
    """Draw a line from the last known hour to the next."""
    before, after = start - HOUR, start + HOUR
    while before not in known:
        before -= HOUR
        if before < wanted[0]:
            return None
    while after not in known:
        after += HOUR
        if after > wanted[-1]:
            return None
    share = (start - before) / (after - before)
    return round(known[before] + share * (known[after] - known[before]), 10)
