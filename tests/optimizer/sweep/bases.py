"""Bases of sweeps for tests: shipped instances, and points that change them."""

import random
from functools import cache
from pathlib import Path

from optimizer.keys import dotted
from optimizer.sweep.base import base_of, read_base
from optimizer.sweep.design.designs import points_of
from optimizer.sweep.design.file import read_sweep
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.points import Base, Point

INSTANCES = Path(__file__).parents[3] / "instances"

#: What random points change: keys, and how far.
AXES = {
    "by_hand": {
        "finance.capex_budget_musd": (0.0, 1.5),
        "sites.*.firm_mw": (0.3, 1.5),
        "bitcoin.hashprice": (0.6, 1.5),
        "contracts.*.rate_usd_per_kw_month": (0.6, 1.5),
        "finance.discount_per_year": (0.5, 1.5),
        "fitouts.*.capex_usd_per_kw": (0.7, 1.4),
        "finance.opening_cash_musd": (0.3, 1.5),
    },
    "hive": {
        "sites.*.firm_mw": (0.7, 1.3),
        "bitcoin.hashprice": (0.6, 1.4),
        "finance.discount_per_year": (0.7, 1.4),
        "machines.*.price_usd_per_th": (0.5, 1.5),
        "power.*.adder_usd_per_mwh": (0.5, 1.5),
    },
}


def base(name, gap=1e-6, **more) -> Base:
    """A shipped instance as a base."""
    read = read_base(INSTANCES / name)
    sweep = Sweep(Path("s.toml"), INSTANCES / name, "s", gap=gap, **more)
    return base_of(sweep, read.loaded)


@cache
def document(name):
    return read_base(INSTANCES / name).document


def drawn(tmp_path, name, number, seed=3) -> tuple[Point, ...]:
    """Random points of an instance, each changing two or three of its axes."""
    chance, found = random.Random(seed), []
    for _ in range(number):
        axes = chance.sample(sorted(AXES[name]), chance.choice((2, 3)))
        lines = "".join(
            f'[axes.a{i}]\nkey = "{key}"\nscale = [{chance.uniform(*AXES[name][key]):.4f}]\n'
            for i, key in enumerate(axes)
        )
        file = tmp_path / "drawn.toml"
        file.write_text(f'[sweep]\nbase = "{INSTANCES / name}"\n{lines}', encoding="utf-8")
        found += points_of(read_sweep(file), document(name))
    return tuple(Point(n, p.settings, p.changes, p.prices) for n, p in enumerate(found))


def leaves(held, key=()):
    """Every number of a document, by its key."""
    inside = held.items() if isinstance(held, dict) else enumerate(held)
    for part, value in inside:
        if isinstance(value, (dict, list)):
            yield from leaves(value, (*key, part))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield (*key, part), value


def moved_alone(name):
    """Points that move one number of an instance each: counts by one, others by a hundredth."""
    for key, value in leaves(document(name)):
        new = value + 1 if isinstance(value, int) else value * 1.01
        yield Point(0, {}, {dotted(key): new})
