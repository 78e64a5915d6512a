"""Prices whose switching values are sought: what each moves in an instance, and how far.

A price is scaled, shifted or set as an axis of a sweep is, so that what a key may hold, and how
far from real figures it may go, are asked of the same checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from models.instance import Instance
from optimizer.sweep.design.format import Limits
from optimizer.sweep.design.levers import HASHPRICE, Bench, Lever
from optimizer.sweep.design.spec import Axis, Sweep
from optimizer.sweep.points import Json

Verb = Literal["scale", "delta", "values"]


@dataclass(frozen=True)
class Price:
    """A price, and how it is moved.

    Attributes
    ----------
    name : str
        What it is called on the command line.
    words : str
        What it is called in a sentence.
    verb : {'scale', 'delta', 'values'}
        Whether a setting is a factor, an amount, or the figure itself.
    unit : str
        Unit of a setting; ``times`` of a factor.
    least, most : float
        How far it is moved.
    keys : callable
        The dotted keys that it moves in an instance.
    whole : bool
        Whether settings are whole numbers.
    """

    name: str
    words: str
    verb: Verb
    unit: str
    least: float
    most: float
    keys: Callable[[Instance], tuple[str, ...]]
    whole: bool = False


def _always(*keys: str) -> Callable[[Instance], tuple[str, ...]]:
    return lambda _: keys


def _rents(i: Instance) -> tuple[str, ...]:
    """What AI pays: rates of contracts, and prices of GPU-hours."""
    by_kw = [x for x, offer in i.contracts.items() if offer.rate_usd_per_kw_month is not None]
    by_hour = [x for x, offer in i.contracts.items() if offer.rate_usd_per_gpu_hour is not None]
    return (
        *(f"contracts.{x}.rate_usd_per_kw_month" for x in by_kw),
        *(f"contracts.{x}.rate_usd_per_gpu_hour" for x in by_hour),
        *(f"gpu_cloud.{k}.price_usd_per_gpu_hour" for k in i.gpu_cloud),
    )


def _ai_capex(i: Instance) -> tuple[str, ...]:
    """Capex per kW of AI: fit-outs, packages, and parts of plants and halls."""
    fitouts = [f for f, fitout in i.fitouts.items() if fitout.workload == "ai"]
    parts = sorted({u for part in i.uptime.subsystems.values() for u in part.components})
    return (
        *(f"fitouts.{f}.capex_usd_per_kw" for f in fitouts),
        *(f"uptime.packages.{p}.capex_usd_per_kw" for p in i.uptime.packages),
        *(f"uptime.components.{u}.capex_usd_per_kw" for u in parts),
    )


def _ai_works(i: Instance) -> tuple[str, ...]:
    fitouts = [f for f, fitout in i.fitouts.items() if fitout.workload == "ai"]
    return tuple(f"fitouts.{f}.works_months" for f in fitouts)


PRICES: tuple[Price, ...] = (
    Price("hashprice", "hashprice", "scale", "times", 0.2, 5.0, _always(HASHPRICE)),
    Price("ai-rate", "AI rents", "scale", "times", 0.2, 5.0, _rents),
    Price("power-price", "price of power", "delta", "$/MWh", -60.0, 120.0,
          lambda i: tuple(f"power.{name}.adder_usd_per_mwh" for name in i.power)),
    Price("ai-capex", "capex per MW of AI", "scale", "times", 0.2, 5.0, _ai_capex),
    Price("delay", "delay of AI works", "delta", "months", -12.0, 36.0, _ai_works, whole=True),
    Price("entry-cost", "cost of entering AI", "values", "M$", 0.0, 2000.0,
          lambda i: () if i.finance.hosts_ai_already else ("finance.ai_entry_cost_musd",)),
    Price("split-cost", "yearly cost of running both", "values", "M$/year", 0.0, 500.0,
          _always("finance.split_cost_company_musd_per_year")),
    Price("discount-rate", "discount rate", "values", "per year", 0.0, 0.6,
          _always("finance.discount_per_year")),
)  # fmt: skip
NAMES = tuple(price.name for price in PRICES)
BY_NAME: Mapping[str, Price] = {price.name: price for price in PRICES}


@dataclass(frozen=True, eq=False)
class Moved:
    """A price on an instance: what it is set to there, and what other settings come to.

    Attributes
    ----------
    price : Price
        The price.
    lever : Lever
        The keys that it moves.
    base : float
        The setting that leaves the instance as it is.
    figure : float or None
        The figure behind a factor, where one key holds one number, or a path its start.
    figure_key : str
        That key.
    """

    price: Price
    lever: Lever
    base: float
    figure: float | None = None
    figure_key: str = ""

    def changes(self, setting: float) -> Mapping[str, Json] | None:
        """Keys that a setting changes; None where it cannot be, or is far from real figures."""
        typed: Json = round(setting) if self.price.whole else setting
        effect = self.lever.effect(typed, lambda _: None)
        return None if effect is None else effect.changes


def moved(price: Price, instance: Instance, document: Mapping[str, Any]) -> Moved | None:
    """Find what a price moves in an instance; None where it has nothing of it."""
    keys = price.keys(instance)
    if not keys:
        return None
    axis = Axis(price.name, keys, price.verb, None)
    sweep = Sweep(Path(), Path(), price.name, (axis,))
    lever = Bench(sweep, document, Limits(document), lambda *_, **__: None).lever(axis)
    if lever is None:
        return None
    targets = [target for target in lever.targets if target.base is not None]
    first = _number(targets[0].base) if len(targets) == 1 else None
    if price.verb == "values":
        return None if first is None else Moved(price, lever, first)
    figure = first if price.verb == "scale" else None
    key = targets[0].text if figure is not None else ""
    return Moved(price, lever, 1.0 if price.verb == "scale" else 0.0, figure, key)


def _number(held: Any) -> float | None:
    """A number, or the start of a path that grows."""
    if isinstance(held, Mapping):
        held = held.get("start")
    return float(held) if isinstance(held, (int, float)) else None
