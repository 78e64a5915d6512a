"""What a front weighs against value: how each measure is bounded, and what a plan reaches of it.

A bound is a key of the format that limits just the measure, so that the best plan under it is a
case like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optimizer.sweep.design.spec import Aim
from optimizer.sweep.design.wish import Measure, Sense
from optimizer.sweep.points import Row


@dataclass(frozen=True)
class Bounded:
    """A measure, driven one way.

    Attributes
    ----------
    label : str
        Name of its level among the settings of a point.
    figure : str
        Name of what a plan reaches, among the metrics of a row.
    key : str
        Dotted key of the instance that bounds it, with wildcards.
    sense : {'maximise', 'minimise'}
        Whether more of it is better.
    without : float or None
        What a plan counts as that has nothing the measure could be read off: it breaks no bound.
    digits : int
        To how many digits levels that the base gives are rounded.
    unit : str
        Its unit, as tables tell it.
    """

    label: str
    figure: str
    key: str
    sense: Sense
    without: float | None = None
    digits: int = 3
    unit: str = "M$"

    @property
    def name(self) -> str:
        """What it is, in words."""
        return _WORDS[self.figure]

    def reached(self, row: Row) -> float | None:
        """What the plan of a row reaches; None without a plan."""
        if row.value_musd is None or self.figure not in row.metrics:
            return None
        value = row.metrics[self.figure]
        return self.without if value is None else float(value)

    def tighter(self, level: float, own: float | None) -> float:
        """The stricter one of a level and the bound that holds already."""
        if own is None:
            return level
        return min(level, own) if self._is_limit else max(level, own)

    @property
    def _is_limit(self) -> bool:
        """Whether the bound is an upper one."""
        return self.sense == "minimise"


_WORDS: Mapping[str, str] = {
    "capex_musd": "capex",
    "lowest_cash_musd": "lowest cash",
    "mining_least_share": "least mining share",
    "mining_most_share": "largest mining share",
    "carbon_most_tonnes_per_year": "carbon of a site's worst year",
    "least_promised_availability": "least availability promised",
}

_BOUNDED: Mapping[tuple[Measure, Sense], Bounded] = {
    ("capex", "minimise"): Bounded(
        "capex_at_most_musd", "capex_musd", "finance.capex_budget_musd", "minimise"
    ),
    ("lowest_cash", "maximise"): Bounded(
        "lowest_cash_at_least_musd", "lowest_cash_musd", "finance.minimum_cash_musd", "maximise"
    ),
    ("mining_share", "maximise"): Bounded(
        "mining_share_at_least", "mining_least_share", "policy.mining_share_min", "maximise",
        without=1.0, digits=6, unit="",
    ),
    ("mining_share", "minimise"): Bounded(
        "mining_share_at_most", "mining_most_share", "policy.mining_share_max", "minimise",
        without=0.0, digits=6, unit="",
    ),
    ("carbon", "minimise"): Bounded(
        "carbon_at_most_tonnes_per_year", "carbon_most_tonnes_per_year",
        "power.*.carbon.cap_tonnes_per_year", "minimise", digits=0, unit="t/year",
    ),
    ("uptime", "maximise"): Bounded(
        "availability_at_least", "least_promised_availability", "contracts.*.availability",
        "maximise", without=1.0, digits=9, unit="",
    ),
}  # fmt: skip


def bounded(aim: Aim) -> Bounded:
    """How the aim beside value is bounded and read.

    Examples
    --------
    >>> bounded(Aim("capex", "minimise")).key
    'finance.capex_budget_musd'
    """
    return _BOUNDED[aim.measure, aim.sense]
