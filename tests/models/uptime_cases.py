"""Random hall subsystems and plants, from small failure rates up to those that spoil promises."""

from __future__ import annotations

import random
from typing import Any

from models.derive.designs import Designs
from models.derive.uptime import Plants
from models.instance import Instance
from tests.models.tiny import LEASE, Typed, tiny

#: Promises of three to six nines, and some between.
NINES = (0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999995, 0.999999)
HALL_MW, AI_MW = 2.0, 6.0


def draw(seed: int, promises: tuple[float, ...] = NINES) -> Instance:
    """Draw an instance whose halls and plant are made from components."""
    r = random.Random(f"uptime {seed}")
    components = {f"u{i}": component(r) for i in range(4)}
    components |= {"grid": feed(r), "diesel": standby(r)}
    subsystems = {f"h{i}": part(r, "hall", components) for i in range(r.choice((1, 2)))}
    subsystems |= {f"s{i}": part(r, "site", components) for i in range(r.choice((0, 1, 2)))}
    if r.random() < 0.5:
        subsystems["power"] = power(r)
    excluded = r.random() < 0.3
    return tiny(
        finance__opening_cash_musd=1000.0,
        uptime={"packages": None, "components": components, "subsystems": subsystems},
        contracts={f"c{i}": offer(p, excluded=excluded) for i, p in enumerate(promises)},
    )


def component(r: random.Random) -> Typed:
    ready = r.random() < 0.2
    return {
        "unit_mw": r.choice((1.0, 1.5, 2.5)),
        "availability": r.choice((0.9998, 0.99995, 0.9999995)) if ready else None,
        "failures_per_year": None if ready else round(10 ** r.uniform(-4, -0.5), 6),
        "hours_to_repair": r.choice((1.0, 2.0, 8.0, 24.0)),
        "common_cause_share": r.choice((0.0, 0.0, 0.01, 0.05)),
        "maintenance_hours_per_year": r.choice((0.0, 0.0, 2.0, 12.0)),
        "capex_usd_per_kw": float(r.randint(50, 400)),
        "opex_usd_per_kw_year": float(r.randint(0, 20)),
    }


def feed(r: random.Random) -> Typed:
    return {
        "failures_per_year": r.choice((0.02, 0.2, 1.0, 2.0)),
        "hours_to_repair": r.choice((0.5, 2.0, 12.0)),
    }


def standby(r: random.Random) -> Typed:
    return {
        **component(r),
        "failures_per_year": None,
        "availability": r.choice((0.98, 0.995, 0.999)),
        "start_failure_share": r.choice((0.002, 0.0094)),
        "hours_to_failure": r.choice((50.0, 1100.0)),
    }


def part(r: random.Random, level: str, components: Typed) -> Typed:
    """Draw a subsystem; kinds of one size may stand side by side in a hall."""
    kinds = r.sample([f"u{i}" for i in range(4)], r.choice((1, 2)))
    alike = len({components[kind]["unit_mw"] for kind in kinds}) == 1
    mixing = level == "hall" and len(kinds) == 2 and alike
    paid = level == "hall" and r.random() < 0.3
    return {
        "level": level,
        "components": kinds,
        "spares_max": r.randint(1, 3),
        "load_share": r.choice((1.0, 1.25)),
        "mixing": mixing,
        "needed_in_fitout": paid and not mixing,
    }


def power(r: random.Random) -> Typed:
    return {
        "level": r.choice(("hall", "site")),
        "components": ["diesel"],
        "feed": "grid",
        "spares_max": r.randint(1, 4),
        "ride_through_seconds": r.choice((0.0, 60.0, 60.0, 60.0)),
    }


def offer(promised: float, *, excluded: bool) -> dict[str, Any]:
    """Give a contract that pays well, so that redundancy is bought for it."""
    return {
        **LEASE,
        "min_mw": 0.5,
        "rate_usd_per_kw_month": 400.0,
        "availability": promised,
        "planned_work_excluded": excluded,
    }


def plants(designs: Designs) -> Plants:
    """Plants of the one site."""
    return Plants(designs, {"a": AI_MW})
