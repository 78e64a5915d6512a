"""Sites that fail and are repaired, event by event: a second opinion on every availability.

Nothing here knows a formula of the engine. Units run for exponential times and are repaired in
exponential times; beside them runs, for each kind, a process of its own that takes all units of
the kind at once. Planned work takes the first unit of its kind out for whole shifts. A feed fails
for a fixed time; generators behind it are ready or not, start or do not, and run for exponential
times, without repair before the feed is back. AI is up while every part has the units it needs;
mining on the pooled bank is dropped first.

Histories are cut into batches that start with everything up. A batch is thousands of years long
and a repair takes hours, so that the start is forgotten; batches are independent, and the spread
of their means gives standard errors without any assumption on how outages cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOURS = 8760.0
#: Hours of one piece of planned work.
SHIFT = 8.0

Floats = NDArray[np.float64]
#: Times at which something begins to be down, and at which it is up again.
Spans = tuple[Floats, Floats]


@dataclass(frozen=True)
class Kind:
    """Units alike: so many, failing so often a year of running, repaired in so many hours."""

    count: int
    failures_per_year: float
    hours_to_repair: float
    common_cause_share: float = 0.0
    maintenance_hours: float = 0.0
    mw: float = 1.0


@dataclass(frozen=True)
class Bank:
    """Units that share a load, and how many have to be up."""

    kinds: tuple[Kind, ...]
    needed: int


@dataclass(frozen=True)
class Feed:
    """A feed, and generators that stand by: ready, failing to start, running for so long."""

    failures_per_year: float
    hours: float
    count: int
    needed: int
    ready: float
    start_failure: float
    hours_to_failure: float


@dataclass(frozen=True)
class Site:
    """Parts in series; mining shares the first bank with AI."""

    banks: tuple[Bank, ...]
    feed: Feed | None
    ai_mw: float
    all_mw: float


@dataclass(frozen=True)
class History:
    """What happened in a batch, by the year; and the number of outages behind each figure."""

    down_hours: float
    short_mwh: float
    mining_mwh: float
    bank_outages: float
    events: tuple[int, int, int, int]


# --- when something is down ----------------------------------------------------------------


def alternating(
    rng: np.random.Generator, up: float, down: float, horizon: float, *, fixed: bool = False
) -> Spans:
    """Draw when something is down that runs and is repaired in turn."""
    starts, ends, clock = [np.empty(0)], [np.empty(0)], 0.0
    while clock < horizon:
        mean = (horizon - clock) / (up + down)
        cycles = int(mean + 4.0 * mean**0.5) + 8
        out = np.full(cycles, down) if fixed else rng.exponential(down, cycles)
        back = clock + np.cumsum(rng.exponential(up, cycles) + out)
        starts.append(back - out)
        ends.append(back)
        clock = float(back[-1])
    begin, end = np.concatenate(starts), np.concatenate(ends)
    inside = begin < horizon
    return begin[inside], np.minimum(end[inside], horizon)


def how_many(spans: Sequence[Spans]) -> tuple[Floats, NDArray[np.int64]]:
    """Count what is down, as a number that steps at times; from time zero."""
    times = np.concatenate([[0.0], *(s for s, _ in spans), *(e for _, e in spans)])
    began = sum(len(s) for s, _ in spans)
    step = np.ones(len(times), np.int64)
    step[0], step[began + 1 :] = 0, -1
    order = np.argsort(times, kind="stable")
    return times[order], np.cumsum(step[order])


def while_true(times: Floats, holds: NDArray[np.bool_], horizon: float) -> Spans:
    """Give the spans of time in which something holds that changes at times."""
    flips = np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8))
    until = np.append(times, horizon)
    return until[flips == 1], until[flips == -1]


def either(spans: Sequence[Spans], horizon: float) -> Spans:
    """Give when at least one is down."""
    if len(spans) == 1:
        return spans[0]
    times, down = how_many(spans)
    return while_true(times, down > 0, horizon)


def length(spans: Spans) -> float:
    return float(np.sum(spans[1] - spans[0]))


# --- units, banks, feeds -------------------------------------------------------------------


def units_down(rng: np.random.Generator, kind: Kind, horizon: float) -> list[Spans]:
    """Draw when each unit of a kind is down, for whatever cause."""
    running, repair = HOURS / kind.failures_per_year, kind.hours_to_repair
    share = repair / (running + repair)
    alone = (1.0 - kind.common_cause_share) * share
    together = kind.common_cause_share * share
    causes: list[Spans] = []
    if together:
        causes.append(alternating(rng, repair * (1 / together - 1), repair, horizon))
    down = []
    for unit in range(kind.count):
        own = [alternating(rng, repair * (1 / alone - 1), repair, horizon)] if alone else []
        if unit == 0 and kind.maintenance_hours:
            # Work on every unit in turn; units are alike, so the first may stand for them.
            work = kind.count * kind.maintenance_hours / HOURS
            own.append(alternating(rng, SHIFT * (1 / work - 1), SHIFT, horizon, fixed=True))
        down.append(either([*own, *causes], horizon))
    return down


def bank_down(
    rng: np.random.Generator, bank: Bank, horizon: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Draw how many units are up, as a number that steps at times."""
    down = [span for kind in bank.kinds for span in units_down(rng, kind, horizon)]
    times, number = how_many(down)
    return times, len(down) - number


def feed_down(rng: np.random.Generator, feed: Feed, horizon: float) -> Spans:
    """Draw when neither the feed nor enough generators carry the load."""
    begin, end = alternating(rng, HOURS / feed.failures_per_year, feed.hours, horizon, fixed=True)
    if not feed.count:
        return begin, end
    shape = len(begin), feed.count
    runs = (rng.random(shape) < feed.ready) & (rng.random(shape) >= feed.start_failure)
    stops = np.where(runs, rng.exponential(feed.hours_to_failure, shape), 0.0)
    # Enough run until the first stops that leaves fewer than are needed.
    held = np.sort(stops, axis=1)[:, feed.count - feed.needed]
    lost = begin + held < end
    return (begin + held)[lost], end[lost]


# --- a site --------------------------------------------------------------------------------


def batch(rng: np.random.Generator, site: Site, years: float) -> History:
    """Let a site run for so many years."""
    horizon = HOURS * years
    pooled = bank_down(rng, site.banks[0], horizon)
    rest = [bank_down(rng, bank, horizon) for bank in site.banks[1:]]
    parts = [
        while_true(times, up < bank.needed, horizon)
        for (times, up), bank in zip([pooled, *rest], site.banks, strict=True)
    ]
    if site.feed is not None:
        parts.append(feed_down(rng, site.feed, horizon))
    down = either(parts, horizon)
    short, mining, shortages = shed(site, *pooled, horizon)
    return History(
        length(down) / years,
        short / years,
        mining / years,
        len(parts[0][0]) / years,
        (len(down[0]), shortages, shortages, len(parts[0][0])),
    )


def shed(
    site: Site, times: Floats, up: NDArray[np.int64], horizon: float
) -> tuple[float, float, int]:
    """MWh not served on the pooled bank, those of them that mining loses, and how often."""
    lasts = np.diff(np.append(times, horizon))
    carried = np.minimum(site.all_mw, up * site.banks[0].kinds[0].mw)
    mines = np.maximum(0.0, carried - site.ai_mw)
    short = float(np.sum((site.all_mw - carried) * lasts))
    mining = float(np.sum((site.all_mw - site.ai_mw - mines) * lasts))
    return short, mining, len(while_true(times, carried < site.all_mw, horizon)[0])


@dataclass(frozen=True)
class Estimate:
    """A figure by the year, its standard error from batches, and the outages behind it."""

    mean: float
    error: float
    events: int


def simulate(site: Site, seed: int, batches: int, years: float) -> dict[str, Estimate]:
    """Estimate downtime, MWh not served, MWh that mining loses, and outages of the first bank."""
    rng = np.random.default_rng(seed)
    runs = [batch(rng, site, years) for _ in range(batches)]
    names = ("down_hours", "short_mwh", "mining_mwh", "bank_outages")
    found = {}
    for i, name in enumerate(names):
        values = np.array([getattr(run, name) for run in runs])
        error = float(np.std(values, ddof=1)) / batches**0.5
        found[name] = Estimate(float(np.mean(values)), error, sum(run.events[i] for run in runs))
    return found
