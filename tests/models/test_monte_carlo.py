"""Downtime and shedding of random sites: what the engine works out against what happens.

The long check runs each of 40 sites for a million years: 160 figures in a minute and a half on a
core of its own, in six minutes on one that others use as well (55 CPU seconds). It prints a table
with ``-s``. MWh not served on the pooled bank are what the expected
shortfall of all load says; what mining loses of them is less by what AI loses when it is down.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from models.availability import (
    Repaired,
    Units,
    bank_outages_per_year,
    series,
    up_probabilities,
)
from models.derive.reach import Bank as Built
from models.derive.reach import Reach
from tests.models.monte_carlo import HOURS, Bank, Estimate, Feed, Kind, Site, simulate
from tests.models.tiny import tiny

#: How far a figure may lie from its estimate: one of all, and none.
SELDOM, NEVER = 3.0, 4.5


# --- sites ---------------------------------------------------------------------------------


def draw(seed: int) -> Site:
    """Draw a site: a pooled bank, and up to two more parts in series."""
    r = random.Random(f"site {seed}")
    pooled = blocks(r)
    mw, count = pooled.kinds[0].mw, pooled.kinds[0].count
    ai_mw = mw * (pooled.needed - r.choice((0.0, 0.3)))
    banks = [pooled]
    if r.random() < 0.6:
        banks.append(r.choice((worked_on, unlike))(r))
    feed = generators(r) if r.random() < 0.6 else None
    return Site(tuple(banks), feed, ai_mw, ai_mw + r.uniform(0.6, 1.0) * (mw * count - ai_mw))


def blocks(r: random.Random) -> Bank:
    """Blocks that AI shares with mining; with two to spare they fail often, to be seen to."""
    count = r.randint(3, 10)
    spare = r.choice((1, 2, 2)) if count > 3 else 1
    kind = Kind(
        count,
        r.choice((0.3, 0.6, 1.0)) * (1.0 if spare == 1 else 3.0),
        r.choice((12.0, 24.0, 48.0)),
        r.choice((0.0, 0.02, 0.05, 0.1)),
        mw=r.choice((2.5, 5.0, 12.5)),
    )
    return Bank((kind,), count - spare)


def worked_on(r: random.Random) -> Bank:
    """Units that planned work takes out one by one."""
    count = r.randint(2, 4)
    beta, work = r.choice((0.0, 0.05)), r.choice((8.0, 24.0))
    return Bank((Kind(count, r.choice((0.2, 0.5)), 24.0, beta, work),), count - r.choice((0, 1)))


def unlike(r: random.Random) -> Bank:
    """Two kinds of units, each with a common cause of its own."""
    kinds = tuple(
        Kind(r.randint(1, 3), r.choice((0.3, 0.8)), r.choice((8.0, 24.0)), 0.1) for _ in range(2)
    )
    return Bank(kinds, max(1, sum(kind.count for kind in kinds) - 1))


def generators(r: random.Random) -> Feed:
    needed = r.randint(1, 4)
    count = r.choice((0, needed, needed + 1, needed + 1))
    life = r.choice((60.0, 1100.0))
    return Feed(r.choice((0.5, 2.0)), r.choice((2.0, 8.0)), count, needed, 0.98, 0.02, life)


# --- what the engine says ------------------------------------------------------------------


def engine(site: Site) -> dict[str, float]:
    """Work the figures out with the engine's own code, on an instance of components."""
    components: dict[str, Any] = {}
    subsystems: dict[str, Any] = {}
    built = [typed(f"d{i}", bank, components, subsystems) for i, bank in enumerate(site.banks)]
    if site.feed is not None:
        built.append(typed_feed(site.feed, components, subsystems))
    instance = tiny(uptime={"components": components, "subsystems": subsystems})
    reach = Reach(instance)
    kind, bank = site.banks[0].kinds[0], site.banks[0]
    units = Units(
        kind.count, reach.unit(instance.uptime.components["d0k0"]), kind.common_cause_share
    )
    mining = site.all_mw - site.ai_mw
    short = [max(0.0, site.all_mw - up * kind.mw) for up in range(kind.count + 1)]
    chances = ups(units)
    return {
        "down_hours": HOURS * float(series([reach.bank(each) for each in built])),
        "short_mwh": HOURS * sum(p * s for p, s in zip(chances, short, strict=True)),
        "mining_mwh": HOURS * sum(p * min(mining, s) for p, s in zip(chances, short, strict=True)),
        "bank_outages": bank_outages_per_year(
            [Repaired(units, kind.hours_to_repair)], bank.needed
        ),
    }


def ups(units: Units) -> list[float]:
    """Probabilities of units up where one cause may take all of them."""
    together = float(units.together)
    alone = up_probabilities(units.count, 1.0 - float(units.alone))
    return [(1.0 - together) * p + (together if not up else 0.0) for up, p in enumerate(alone)]


def typed(name: str, bank: Bank, components: dict[str, Any], subsystems: dict[str, Any]) -> Built:
    """Type a bank into an instance."""
    counts = []
    for j, kind in enumerate(bank.kinds):
        components[f"{name}k{j}"] = {
            "unit_mw": kind.mw,
            "failures_per_year": kind.failures_per_year,
            "hours_to_repair": kind.hours_to_repair,
            "common_cause_share": kind.common_cause_share,
            "maintenance_hours_per_year": kind.maintenance_hours,
        }
        counts.append((f"{name}k{j}", kind.count))
    mixing = len(counts) > 1
    subsystems[name] = {
        "level": "hall" if mixing else "site",
        "components": [c for c, _ in counts],
        "mixing": mixing,
    }
    return Built(name, tuple(counts), bank.needed)


def typed_feed(feed: Feed, components: dict[str, Any], subsystems: dict[str, Any]) -> Built:
    """Type a feed and the generators behind it, with a UPS that carries their start."""
    components["grid"] = {
        "failures_per_year": feed.failures_per_year,
        "hours_to_repair": feed.hours,
    }
    components["diesel"] = {
        "unit_mw": 2.0,
        "availability": feed.ready,
        "hours_to_repair": 24.0,
        "start_failure_share": feed.start_failure,
        "hours_to_failure": feed.hours_to_failure,
        "common_cause_share": 0.0,
    }
    subsystems["power"] = {
        "level": "site",
        "components": ["diesel"],
        "feed": "grid",
        "ride_through_seconds": 60.0,
        "restart_hours": 0.0,
    }
    counts = (("diesel", feed.count),) if feed.count else ()
    return Built("power", counts, feed.needed if feed.count else 0)


# --- comparison ----------------------------------------------------------------------------

HEAD = ("site", "figure", "engine", "simulated", "standard error", "events", "z")
ROW = "{:>4}  {:<12}  {:>12}  {:>12}  {:>14}  {:>9}  {:>6}"


def compare(seeds: range, batches: int, years: float, least_events: int) -> list[float]:
    """Simulate sites and print how far every figure is off, in standard errors."""
    print("\n" + ROW.format(*HEAD))  # noqa: T201
    off = []
    for seed in seeds:
        site = draw(seed)
        worked_out = engine(site)
        for name, found in simulate(site, seed, batches, years).items():
            off.append(z_score(worked_out[name], found))
            cells = (f"{x:.6g}" for x in (worked_out[name], found.mean, found.error))
            print(ROW.format(seed, name, *cells, found.events, f"{off[-1]:.2f}"))  # noqa: T201
            assert found.events >= least_events, (seed, name, found)
    return off


def z_score(expected: float, found: Estimate) -> float:
    return (found.mean - expected) / found.error


def test_what_happens_at_two_sites_is_what_the_engine_says() -> None:
    off = compare(range(2), 40, 1000.0, 20)
    assert max(map(abs, off)) < NEVER


@pytest.mark.soak
def test_what_happens_in_a_million_years_is_what_the_engine_says() -> None:
    off = compare(range(40), 200, 5000.0, 100)
    seldom = sum(abs(z) > SELDOM for z in off)
    print(f"{len(off)} figures, {seldom} outside {SELDOM} standard errors")  # noqa: T201
    assert seldom <= 1
    assert max(map(abs, off)) < NEVER
