"""The planner's words for what the algebra counts: limits, units, months, figures."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from models.allocation import Family
from models.charges import THOUSANDTHS
from models.given import Given, Place
from models.indices import Index
from models.instance import month_text
from models.tree import Node, Tree


class Limit(NamedTuple):
    """What a limit is about, and the unit of its two sides."""

    phrase: str
    unit: str


#: Every family that a planner typed a limit for.
LIMITS: Mapping[str, Limit] = {
    "halls.works_limit": Limit("halls there before their works", "halls"),
    "halls.fibre_limit": Limit("fibre for AI halls", "halls"),
    "racks.end_of_life": Limit("racks at the end of their life", "racks"),
    "racks.leaving_limit": Limit("racks there before they leave", "racks"),
    "racks.space_limit": Limit("IT MW of the halls", "MW"),
    "racks.position_limit": Limit("rack positions of the halls", "positions"),
    "racks.whole_racks": Limit("whole racks in a hall", "racks"),
    "racks.mix_limit": Limit("mixes of racks that halls hold", "halls"),
    "racks.filled_halls": Limit("halls filled one by one", "halls"),
    "racks.filling_limit": Limit("racks that halls filled one by one hold", "racks"),
    "racks.tail_life": Limit("racks that outlive their contract", "racks"),
    "grid.interconnection": Limit("grid connection", "MW"),
    "grid.firm_reservation": Limit("firm grid MW under AI", "MW"),
    "grid.whole_reservation": Limit("firm and interruptible grid MW under AI", "MW"),
    "grid.new_power_reservation": Limit("newly built grid MW under AI", "MW"),
    "grid.whole_new_power": Limit("newly built grid MW under AI, interruptible too", "MW"),
    "grid.mining_use_limit": Limit("grid MW granted to mining", "MW"),
    "grid.ai_use_limit": Limit("grid MW granted to AI", "MW"),
    "grid.substation_limit": Limit("substation of the site", "MW"),
    "grid.project_limit": Limit("units of a project", "units"),
    "yearly.year_limit": Limit("limit on the energy of a year", "per mille"),
    "mining.mining_limit": Limit("mining machines installed", "MW"),
    "commitments.size_limit": Limit("mining that a programme takes as a commitment", "MW"),
    "commitments.installed_limit": Limit("machines behind a commitment", "MW"),
    "commitments.running_floor": Limit("mining that a commitment keeps running", "MW"),
    "commitments.standing_limit": Limit("mining that stands still when it is called", "MW"),
    "hosting.delivery_balance": Limit("delivery of the MW signed", "MW"),
    "hosting.signing_floor": Limit("least MW of a contract", "MW"),
    "hosting.signing_limit": Limit("most MW of a contract", "MW"),
    "hosting.signing_once": Limit("one signature a contract", "signatures"),
    "hosting.owner_racks_limit": Limit("GPU racks installed", "MW"),
    "hosting.cloud_demand_limit": Limit("demand for GPU-hours", "MW"),
    "uptime.carrying_limit": Limit("AI that the plant carries", "MW"),
    "uptime.plant_reservation": Limit("AI that units of the plant carry", "MW"),
    "uptime.standing_units": Limit("units of the plant that stand", "units"),
    "uptime.plant_limit": Limit("units of the plant beyond any use", "units"),
    "uptime.pool_units": Limit("units that AI and mining share", "units"),
    "uptime.pool_reservation": Limit("AI that shared units carry", "MW"),
    "uptime.pool_limit": Limit("AI and mining that shared units carry", "MW"),
    "uptime.downtime_budget": Limit("downtime that a promise allows, in millionths", "parts"),
    "capital.capex_budget": Limit("capex budget", "M$"),
    "capital.cash_after_capex": Limit("least cash once capex is paid", "M$"),
    "capital.cash_floor": Limit("least cash at a period's end", "M$"),
    "capital.debt_limit": Limit("limit of the loan", "M$"),
    "capital.loan_to_cost": Limit("capex that the loan may pay", "M$"),
    "policy.mining_share_floor": Limit("least share of mining", "MW"),
    "policy.mining_share_limit": Limit("most share of mining", "MW"),
    "policy.half_of_site_floor": Limit("at least half of a site's halls for AI", "MW"),
    "policy.half_of_site_limit": Limit("at most half of a site's halls for AI", "MW"),
    "policy.one_business_at_site": Limit("one business at a site", "businesses"),
    "policy.ai_site_floor": Limit("AI halls at a site of AI", "halls"),
    "policy.half_of_sites_floor": Limit("at least half of the sites for AI", "sites"),
    "policy.half_of_sites_limit": Limit("at most half of the sites for AI", "sites"),
    "policy.kept_racks": Limit("racks at sites that stay as they are", "racks"),
}


def limit_words(name: str) -> Limit:
    """Say what a limit is about; its own name where nobody has found words yet."""
    return LIMITS.get(name, Limit(name.replace("_", " ").replace(".", ": "), ""))


def in_typed_unit(g: Given, name: str, index: Index, amount: float) -> tuple[float, str]:
    """Tell an amount of a limit in the unit of its key."""
    if name != "yearly.year_limit":
        return amount, limit_words(name).unit
    site = index[1]
    return amount * g.year_cap[site] / THOUSANDTHS, g.year_unit[site]


def sentence(family: Family) -> str:
    """Say what a family demands, in the first sentence of its own docstring.

    Examples
    --------
    >>> from models.allocation import FAMILIES
    >>> next(sentence(f) for f in FAMILIES if f.name == "capital.debt_limit")
    'The loan stays within its limit'
    """
    first = (inspect.getdoc(family.function) or family.name).splitlines()[0]
    return re.sub(r":?\s*:math:`[^`]*`", "", first).rstrip(".")


def state_of(place: Place) -> str:
    """Name a state without its hall group.

    Examples
    --------
    >>> state_of("north:ai-liquid+n-plus-1")
    'ai-liquid+n-plus-1'
    """
    return place.split(":", 1)[1]


def month_of(tree: Tree, n: Node) -> str:
    """Name the first month of a node, as ``YYYY-MM``."""
    return month_text(tree.first_month(n))


def period_of(tree: Tree, n: Node) -> str:
    """Name a node by its first month; by its number too where the tree branches."""
    return month_of(tree, n) + ("" if len(tree.leaves) == 1 else f" (node {n})")


def whereabouts(letters: str, index: tuple[Any, ...]) -> str:
    """Say where a relation holds, without saying when.

    Examples
    --------
    >>> whereabouts("nsb", (3, "milam", 0)), whereabouts("n", (3,))
    ('milam, band 0', '')
    """
    parts = zip(letters, index, strict=True)
    return ", ".join(
        f"band {part}" if letter == "b" else str(part) for letter, part in parts if letter != "n"
    )


def figure(number: float | None, *, digits: int = 1) -> str:
    """Write a figure as a planner would read it aloud: thousands apart, no needless digits.

    Examples
    --------
    >>> [figure(x) for x in (1234567.8, 412.34, 12.345, 0.0321, 0.0, -0.04, None)]
    ['1,234,568', '412.3', '12.3', '0.03', '0', '-0.04', '–']
    """
    if number is None or not math.isfinite(number):
        return "–"
    size = abs(number)
    if size < 0.005:
        return "0"
    if size < 0.1:
        return f"{number:.2f}"
    return f"{number:,.0f}" if size >= 1000 else f"{number:,.{digits}f}"


def quantity(number: float, unit: str) -> str:
    """Write a figure with its unit, whole where it is whole.

    Examples
    --------
    >>> quantity(25.0, "MW"), quantity(1.0, "units"), quantity(26.25, "MW"), quantity(2.0, "")
    ('25 MW', '1 unit', '26.2 MW', '2')
    """
    text = figure(number, digits=0 if abs(number - round(number)) < 1e-6 else 1)
    singular = unit.removesuffix("s") if text == "1" else unit
    return f"{text} {singular}".rstrip()


def percent(availability: float) -> str:
    """Write an availability with two digits after its nines, never rounded up.

    Examples
    --------
    >>> [percent(a) for a in (0.9999, 0.99982, 0.999993129, 1.0, 0.5)]
    ['99.99 %', '99.982 %', '99.99931 %', '100 %', '50 %']
    """
    if availability >= 1.0:
        return "100 %"
    digits = math.floor(1e-9 - math.log10(1.0 - availability))
    scale = 10.0**digits
    text = f"{math.floor(100.0 * availability * scale + 1e-6) / scale:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if digits else text) + " %"


def not_below(number: float) -> float:
    """Round up to what is shown of a figure: to type it has to be enough.

    Examples
    --------
    >>> not_below(67.62), not_below(3.0000001), not_below(0.0421)
    (67.7, 3.0, 0.05)
    """
    scale = 100.0 if abs(number) < 0.1 else 10.0
    return math.ceil(round(number * scale, 5)) / scale


def counted(number: int, thing: str) -> str:
    """Count things.

    Examples
    --------
    >>> counted(1, "hall"), counted(0, "hall")
    ('1 hall', '0 halls')
    """
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
