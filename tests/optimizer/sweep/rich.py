"""Bases with nearly everything that the format has, in a folder: for points of all kinds."""

import random
from copy import deepcopy

import tomli_w

from tests.optimizer.rich_case import TYPED

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def typed(*, simple):
    """The rich case, of which hours can be told by steps; ``simple`` where no hours are coupled.

    Simple sites still have what dispatch looks at: MW that are cut, hours in which mining is
    ordered to stand still, months whose highest MW is billed, and a rule on mining's MW.
    """
    held = deepcopy(TYPED)
    held["halls"]["e3"] = {
        "site": "east", "count": 1, "it_mw": 6.0, "fitout": "ai", "package": "n1",
    }  # fmt: skip
    held["fleet"][4]["hall"] = "e3"
    held["power"]["south"]["emergency"].pop("restart_hours")
    for name in ("west", "south"):
        held["power"][name].pop("prices")
        held["power"][name]["duration"] = f"{name}.csv"
    if simple:
        held["uptime"]["subsystems"].pop("blocks")
        held["sites"]["west"].pop("plant")
        held["power"]["east"].pop("ppa")
        held["power"]["south"].pop("programmes")
        held["sites"]["east"]["mining_mw_max"] = 5.0
        held["power"]["west"]["demand_charge_usd_per_kw_month"] = 2.0
        held["power"]["west"]["emergency"] = {"hours_per_year": 30.0}
        held["fleet"].append({"hall": "w1", "rack": "s21", "racks": 9})
        for offer in held["contracts"].values():
            offer.pop("curtailable_hours_per_year", None)
    return held


def curve(seed):
    """Steps of a price by months: peaks, hours that are cut, dear or not, and some below zero."""
    chance, lines = random.Random(seed), ["month,hours,price_usd_per_mwh,cut,peak"]
    for month, days in enumerate(DAYS, 1):
        left = days * 24
        for hours in (4, 10, 60, 200, left - 274):
            price = chance.choice([700, 350, 120, 60, 40, -5]) * chance.uniform(0.7, 1.3)
            price = price if hours < 200 else chance.uniform(10, 45)
            peak = int(hours == 4 and month in (6, 7, 8, 9))
            cut = int(price > 300 or (hours == 60 and month % 2))
            lines.append(f"{month},{hours},{price:.2f},{cut},{peak}")
    return "\n".join(lines) + "\n"


def write(folder, *, simple):
    """Write such a base, and give its folder."""
    folder.mkdir(parents=True)
    (folder / "instance.toml").write_text(tomli_w.dumps(typed(simple=simple)), encoding="utf-8")
    for seed, name in enumerate(("west", "south")):
        (folder / f"{name}.csv").write_text(curve(seed), encoding="utf-8")
    return folder
