"""What is given, as a person types it: every key with its unit, its range and its meaning.

An instance is a folder; :mod:`optimizer.load` reads it into the classes below. They hold no
algebra: :mod:`models.derive` turns them into the coherent numbers (MW, millions of USD, hours)
that the families read.

Three kinds of limit guard a number. Its *range* is what the model can mean at all. Its
*plausible band* is where the trade's figures lie; outside it a unit is usually wrong, so the
loader refuses it unless ``instance.accept_unusual`` names the key. Keys that the format has a
place for but the engine does not yet build are refused aloud (:func:`planned`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, NoReturn

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

# --- building blocks -----------------------------------------------------------------------


class Block(BaseModel):
    """A table of the instance: unknown keys are errors, numbers are finite, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def number(
    unit: str,
    meaning: str,
    *,
    default: Any = ...,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    plausible: tuple[float, float] | None = None,
) -> Any:
    """Declare a number: its unit, what it means, its range and where real figures lie."""
    extra: dict[str, Any] = {"unit": unit}
    if plausible is not None:
        extra["plausible"] = list(plausible)
    return Field(default, description=meaning, ge=ge, gt=gt, le=le, json_schema_extra=extra)


def said(meaning: str, *, default: Any = ..., **kwargs: Any) -> Any:
    """Declare a key that is not a number, with its meaning."""
    return Field(default, description=meaning, **kwargs)


def _refuse_planned(_value: object) -> NoReturn:
    raise PydanticCustomError("not_built", "this key has its place but is not built yet")


#: A key that the format has a place for and the engine does not build yet: any value is refused.
Planned = Annotated[Any, BeforeValidator(_refuse_planned)]


def planned(meaning: str, instead: str = "take it out") -> Any:
    """Declare a key that is refused aloud until it is built, and say what to do instead."""
    extra: dict[str, Any] = {"planned": True, "instead": instead}
    return Field(default=None, description=meaning, json_schema_extra=extra)


_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})\Z")


@cache
def month_index(text: str) -> int:
    """Count months since year 0, so that dates subtract.

    Examples
    --------
    >>> month_index("2026-03") - month_index("2025-12")
    3
    """
    match = _MONTH.match(text)
    if match is None or not 1 <= int(match[2]) <= 12:
        raise PydanticCustomError("month", "a month is written YYYY-MM, as in 2027-04")
    return int(match[1]) * 12 + int(match[2]) - 1


def month_text(index: int) -> str:
    """Write a month index as ``YYYY-MM``.

    Examples
    --------
    >>> month_text(month_index("2027-11") + 3)
    '2028-02'
    """
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def _check_month(text: str) -> str:
    year = month_index(text) // 12
    if not 2009 <= year <= 2140:
        raise PydanticCustomError("month_range", "the year must lie between 2009 and 2140")
    return text


Month = Annotated[str, AfterValidator(_check_month)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", max_length=64)]
Text = Annotated[str, Field(max_length=2000)]
#: Money of the instance.
USD = "USD"
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


def is_currency(text: str) -> bool:
    """Whether a text is written as the code of a currency."""
    return _CURRENCY.match(text) is not None


def _check_currency(text: str) -> str:
    if not is_currency(text):
        raise PydanticCustomError(
            "currency", "a currency is written as three capital letters, as in EUR"
        )
    return text


Currency = Annotated[str, AfterValidator(_check_currency)]
Flag = bool
Count = int


class Growth(Block):
    """A value that grows by the month from the start of the horizon."""

    start: float = number("as the key", "value in the first month of the horizon")
    growth_per_month: float = number(
        "1/month", "relative change per month", gt=-1, plausible=(-0.2, 0.2)
    )


class Step(Block):
    """A value that holds from a month on."""

    model_config = ConfigDict(populate_by_name=True)
    from_: Month = Field(alias="from", description="first month in which the value holds")
    value: float = number("as the key", "the value from that month on")


def _check_steps(steps: list[Step]) -> list[Step]:
    months = [step.from_ for step in steps]
    if not steps or months != sorted(set(months)):
        raise PydanticCustomError("steps", "steps need rising months, each once, at least one")
    return steps


Steps = Annotated[list[Step], AfterValidator(_check_steps)]
#: A value over time: one number, a growth, or steps (in CSV: the name of a column of paths.csv).
Path = float | Growth | Steps
#: A quantity that changes at dates: one number or steps.
Dated = float | Steps

Cooling = Literal["air", "hydro", "immersion", "liquid"]
Workload = Literal["mining", "ai"]


def path_numbers(path: Any) -> list[float]:
    """Every number typed in a path, for range checks."""
    if isinstance(path, Growth):
        return [path.start]
    if isinstance(path, list):
        return [step.value for step in path]
    return [] if path is None else [path]


def one_of(block: Block, names: tuple[str, ...], *, required: bool = True) -> None:
    """Refuse a block that gives more than one of ``names``, or none where one is required."""
    given = [name for name in names if getattr(block, name) is not None]
    if len(given) > 1 or (required and not given):
        found = " and ".join(given) if given else "none of them"
        raise PydanticCustomError(
            "one_of",
            "give exactly one of {names}; found {found}",
            {"names": ", ".join(names), "found": found},
        )


# --- the instance, block by block ----------------------------------------------------------


class InstanceBlock(Block):
    """Who and what."""

    name: Name = said("short name, used for the run folder")
    summary: Text = said("one sentence on what the instance shows", default="")
    accept_unusual: list[str] = said(
        "dotted keys whose value lies outside its plausible band on purpose", default=[]
    )


class Horizon(Block):
    """The periods that are planned."""

    start: Month = said("first month of the first period")
    periods: Count = number("periods", "number of periods", ge=1, le=240)
    months_per_period: Count = number(
        "months", "length of a period: 1, 2, 3, 4, 6 or 12", ge=1, le=12
    )

    @model_validator(mode="after")
    def _whole_years(self) -> Horizon:
        if 12 % self.months_per_period:
            raise PydanticCustomError("months", "months_per_period must be 1, 2, 3, 4, 6 or 12")
        return self


class BudgetStep(Block):
    """A capex budget for the periods that start within a span of months."""

    model_config = ConfigDict(populate_by_name=True)
    from_: Month = Field(alias="from", description="first month of the span")
    to: Month | None = said("last month of the span; else one period", default=None)
    musd: float = number(
        "M$", "most capex that may be paid in the span", ge=0, plausible=(0, 100_000)
    )


class Loan(Block):
    """One corporate loan that pays for capex."""

    limit_musd: float = number("M$", "most that may be outstanding", ge=0, plausible=(0, 50_000))
    interest_per_year: float = number(
        "1/year", "interest on the balance", ge=0, le=1, plausible=(0, 0.35)
    )
    loan_to_cost_share: float = number(
        "share", "most of a period's capex that may be drawn", default=1.0, ge=0, le=1
    )
    fee_share: float = number("share", "fee on each draw", default=0.0, ge=0, le=0.5)
    draw_until: Month | None = said("last month in which a draw is allowed", default=None)


class Finance(Block):
    """Money: budgets, cash, the loan and what the businesses cost to run."""

    discount_per_year: float = number(
        "1/year", "discount rate of equity", ge=0, le=1, plausible=(0, 0.5)
    )
    opening_cash_musd: float = number("M$", "cash at the start", plausible=(0, 50_000))
    minimum_cash_musd: float = number(
        "M$", "cash never falls below", default=0.0, plausible=(0, 50_000)
    )
    capex_budget_musd: float | None = number(
        "M$", "most capex over the horizon", default=None, ge=0, plausible=(0, 100_000)
    )
    capex_budget_by_period: list[BudgetStep] = said("budgets for spans of months", default=[])
    capex_budget_by_site_musd: dict[Name, float] = said(
        "most capex over the horizon by site",
        default={},
        json_schema_extra={"unit": "M$", "plausible": [0, 100_000]},
    )
    overhead_musd_per_year: float = number(
        "M$/year", "company overhead", default=0.0, ge=0, plausible=(0, 1000)
    )
    ai_entry_cost_musd: float = number(
        "M$", "one-time cost of entering AI", default=0.0, ge=0, plausible=(0, 1000)
    )
    hosts_ai_already: Flag = said(
        "the company already runs AI: it pays no entry cost and has nothing left to learn",
        default=False,
    )
    split_cost_company_musd_per_year: float = number(
        "M$/year",
        "cost of running both businesses in one company",
        default=0.0,
        ge=0,
        plausible=(0, 500),
    )
    split_cost_site_musd_per_year: float = number(
        "M$/year", "cost of running both at one site", default=0.0, ge=0, plausible=(0, 100)
    )
    loan: Loan | None = said("the corporate loan", default=None)
    tax: Planned = planned("corporate tax")
    funding: Planned = planned("equity, leases and project finance beyond the one loan")


class RackOrder(Block):
    """Machines ordered before the horizon."""

    hall: Name = said("hall group they will stand in")
    rack: Name = said("rack type")
    racks: Count = number("racks", "how many", ge=1, le=1_000_000)
    delivery: Month = said("month of delivery")
    due_musd: float = number("M$", "still to be paid", default=0.0, ge=0, plausible=(0, 20_000))
    due: Month | None = said("month of that payment; else delivery", default=None)


class Works(Block):
    """Halls under conversion at the start of the horizon."""

    hall: Name = said("hall group; its count includes these halls")
    halls: Count = number("halls", "how many", ge=1, le=10_000)
    fitout: Name = said("fit-out they will have")
    package: Name | None = said("uptime package they will have", default=None)
    ready: Month = said("month in which they are ready")
    due_musd: float = number("M$", "still to be paid", default=0.0, ge=0, plausible=(0, 20_000))
    due: Month | None = said("month of that payment; else ready", default=None)


class DebtPayment(Block):
    """A payment on debt that exists today."""

    name: Name = said("which debt")
    month: Month = said("month of payment; principal after the horizon counts as debt then")
    principal_musd: float = number(
        "M$", "principal repaid", default=0.0, ge=0, plausible=(0, 50_000)
    )
    interest_musd: float = number("M$", "interest paid", default=0.0, ge=0, plausible=(0, 5_000))


class SignedContract(Block):
    """A contract signed before the horizon."""

    contract: Name = said("name in contracts")
    mw: float = number("MW", "critical IT MW signed", gt=0, plausible=(0.05, 5000))


class Commitments(Block):
    """What is already owed."""

    racks: list[RackOrder] = said("machines ordered", default=[])
    works: list[Works] = said("halls under conversion", default=[])
    debt: list[DebtPayment] = said("debt schedule", default=[])
    contracts: list[SignedContract] = said("contracts signed", default=[])
    ppas: Planned = planned(
        "power purchase agreements with remaining term",
        instead="name them in power.<name>.ppa, with the last month of their term as `until`",
    )


class Bitcoin(Block):
    """What a PH/s earns: a hashprice, or the price and the network it follows from."""

    hashprice_usd_per_ph_day: Path | None = number(
        "$/PH/day", "hashprice before the pool's fee", default=None, plausible=(5, 1000)
    )
    halves: Flag = said(
        "a hashprice given as start and growth drops at each halving", default=True
    )
    btc_price_usd: Path | None = number(
        "$", "price of a bitcoin", default=None, plausible=(1000, 10_000_000)
    )
    network_eh_per_s: Path | None = number(
        "EH/s", "hash rate of the network", default=None, plausible=(50, 50_000)
    )
    fee_share: float = number(
        "share", "transaction fees as a share of miners' income today", default=0.01, ge=0, le=0.9
    )
    pool_fee_share: float = number(
        "share", "what the pool keeps", default=0.01, ge=0, le=0.5, plausible=(0, 0.05)
    )

    @model_validator(mode="after")
    def _one_way(self) -> Bitcoin:
        one_of(self, ("hashprice_usd_per_ph_day", "btc_price_usd"))
        one_of(self, ("hashprice_usd_per_ph_day", "network_eh_per_s"))
        return self


class Machine(Block):
    """A mining machine as miners type it."""

    th_per_s: float = number("TH/s", "hash rate", gt=0, plausible=(10, 2000))
    j_per_th: float | None = number(
        "J/TH", "efficiency at the wall", default=None, gt=0, plausible=(5, 120)
    )
    watt: float | None = number(
        "W", "draw at the wall", default=None, gt=0, plausible=(500, 20_000)
    )
    price_usd_per_th: float = number("$/TH", "price new", ge=0, plausible=(0, 150))
    cooling: Cooling = said("how it is cooled")
    life_months: Count = number("months", "life", ge=1, le=1200, plausible=(12, 120))
    resale_usd_per_th: Path = number("$/TH", "resale by date", default=0.0, plausible=(0, 100))
    availability_share: float = number(
        "share",
        "share of time a machine is fit to run",
        default=1.0,
        gt=0,
        le=1,
        plausible=(0.8, 1),
    )

    @model_validator(mode="after")
    def _draw(self) -> Machine:
        one_of(self, ("j_per_th", "watt"))
        return self


class ConvertsTo(Block):
    """What a GPU rack can be rebuilt into."""

    rack: Name = said("rack type after the rebuild")
    cost_usd: float = number("$/rack", "cost per rack", ge=0, plausible=(0, 10_000_000))
    months: Count = number("months", "time it takes", default=0, ge=0, le=60)


class Rack(Block):
    """The unit of decision: a rack or container bought as one lot."""

    workload: Workload = said("mining or ai")
    cooling: Cooling | None = said("cooling; a mining rack takes its machine's", default=None)
    machine: Name | None = said("mining machine it holds", default=None)
    machines_per_rack: Count | None = number(
        "machines", "how many", default=None, ge=1, le=10_000, plausible=(1, 2000)
    )
    gpus_per_rack: Count | None = number(
        "GPUs", "GPUs it holds", default=None, ge=1, le=10_000, plausible=(1, 1000)
    )
    kw: float | None = number(
        "kW",
        "nameplate IT draw; a mining rack's follows from its machines",
        default=None,
        gt=0,
        plausible=(1, 5000),
    )
    price_usd: float = number(
        "$/rack",
        "price of the rack beside its machines; of all for GPUs",
        default=0.0,
        ge=0,
        plausible=(0, 50_000_000),
    )
    deposit_share: float = number(
        "share", "paid at order; the rest at delivery", default=1.0, ge=0, le=1
    )
    delivery_months: Count = number("months", "from order to service", default=0, ge=0, le=60)
    life_months: Count | None = number(
        "months",
        "life; a mining rack takes its machine's",
        default=None,
        ge=1,
        le=1200,
        plausible=(12, 180),
    )
    resale_usd: Path | None = number(
        "$/rack",
        "resale by date; a mining rack takes its machines'",
        default=None,
        plausible=(0, 50_000_000),
    )
    positions: float = number(
        "positions", "rack positions it takes", default=1.0, ge=0, plausible=(0, 1000)
    )
    move_usd: float | None = number(
        "$/rack",
        "cost of moving it to another hall of its site; absent: it cannot move",
        default=None,
        ge=0,
        plausible=(0, 5_000_000),
    )
    buyable: Flag = said("may be ordered", default=True)
    buy_from: Month | None = said("first month of ordering", default=None)
    buy_until: Month | None = said("last month of ordering", default=None)
    converts_to: ConvertsTo | None = said("rebuild into another GPU rack", default=None)

    @model_validator(mode="after")
    def _holds(self) -> Rack:
        one_of(self, ("machine", "gpus_per_rack"))
        if (self.machine is None) != (self.machines_per_rack is None):
            raise PydanticCustomError("machines", "machine and machines_per_rack go together")
        missing = [key for key in ("kw", "cooling", "life_months") if getattr(self, key) is None]
        if self.machine is None and missing:
            raise PydanticCustomError(
                "gpu_rack", "a GPU rack needs {keys}", {"keys": ", ".join(missing)}
            )
        if self.machine is not None and self.workload != "mining":
            raise PydanticCustomError("asic", "a rack of mining machines has workload mining")
        if self.machine is not None and self.converts_to is not None:
            raise PydanticCustomError("asic_reuse", "only GPU racks can be rebuilt")
        return self


class Fitout(Block):
    """What a hall can be fitted out for."""

    workload: Workload = said("mining or ai")
    cooling: Cooling = said("racks it can cool")
    it_share_of_present: float | None = number(
        "share",
        "IT MW as it comes out, of the hall's present IT MW",
        default=None,
        gt=0,
        le=2,
        plausible=(0.1, 1.2),
    )
    m2_per_mw: float | None = number(
        "m2/MW",
        "floor area per IT MW, where area decides",
        default=None,
        gt=0,
        plausible=(20, 5000),
    )
    capex_usd_per_kw: float = number(
        "$/kW", "works per kW of IT as it comes out", ge=0, plausible=(0, 30_000)
    )
    works_months: Count = number("months", "works, without income", ge=0, le=120)
    pue: float = number("ratio", "facility over IT energy, mean", ge=1, le=4, plausible=(1, 2))
    pue_peak: float | None = number(
        "ratio",
        "facility over IT power on the hottest hour; absent: pue",
        default=None,
        ge=1,
        le=4,
        plausible=(1, 2.5),
    )
    kw_per_rack_max: float | None = number(
        "kW", "densest rack it takes", default=None, gt=0, plausible=(1, 5000)
    )
    positions_per_mw: float | None = number(
        "1/MW",
        "rack positions per IT MW; absent: those of the hall",
        default=None,
        gt=0,
        plausible=(0.5, 10_000),
    )
    opex_usd_per_kw_year: float = number(
        "$/kW/year",
        "staff and upkeep per IT kW in service",
        default=0.0,
        ge=0,
        plausible=(0, 1000),
    )
    life_months: Count = number("months", "life", ge=1, le=1200, plausible=(24, 480))
    can_go_back: Flag = said("a hall fitted out so may be converted again", default=True)

    @model_validator(mode="after")
    def _size(self) -> Fitout:
        one_of(self, ("it_share_of_present", "m2_per_mw"))
        if self.pue_peak is not None and self.pue_peak < self.pue:
            raise PydanticCustomError("pue", "pue_peak cannot lie below pue")
        return self


class Standing(Block):
    """Units of one kind: of a site's plant that stands today, or of a hall's package."""

    component: Name = said("their kind")
    units: Count = number("units", "how many", ge=1, le=1000)


class Site(Block):
    """A place with a grid connection."""

    firm_mw: Dated = number("MW", "firm grid MW, by date", default=0.0, plausible=(0, 5000))
    interruptible_mw: Dated = number(
        "MW", "grid MW that may be cut, by date", default=0.0, plausible=(0, 5000)
    )
    mining_mw_max: float | None = number(
        "MW", "utility MW that mining may take at most", default=None, ge=0, plausible=(0, 5000)
    )
    ai_mw_max: float | None = number(
        "MW", "utility MW that AI may take at most", default=None, ge=0, plausible=(0, 5000)
    )
    substation_mw: float | None = number(
        "MW",
        "utility MW at nameplate between site and halls",
        default=None,
        gt=0,
        plausible=(0.1, 5000),
    )
    fibre: Flag = said("fibre for AI exists", default=True)
    plant: dict[Name, Standing] = said("units that stand today, by subsystem", default={})
    power: Name | None = said("block of power that bills it; absent: its own name", default=None)
    staff_musd_per_year: float = number(
        "M$/year", "staff and fixed costs", default=0.0, ge=0, plausible=(0, 200)
    )
    currency: Literal["USD"] = said("currency of its figures; others are not built", default="USD")
    ownership_share: Planned = planned("joint ownership")
    close: Planned = planned("closing the site")
    sell_usd_per_mw: Planned = planned("selling the site")


class AddsHalls(Block):
    """New halls on site land."""

    hall: Name = said("hall group that grows")
    count: Count = number("halls", "halls per unit of the project", ge=1, le=10_000)


class Project(Block):
    """Grid MW, halls or fibre that can be built at a site."""

    site: Name = said("where")
    adds_firm_mw: float = number("MW", "firm MW per unit", default=0.0, ge=0, plausible=(0, 5000))
    adds_interruptible_mw: float = number(
        "MW", "interruptible MW per unit", default=0.0, ge=0, plausible=(0, 5000)
    )
    adds_halls: AddsHalls | None = said("halls per unit", default=None)
    adds_fibre: Flag = said("brings fibre for AI", default=False)
    capex_musd: float = number("M$", "capex per unit", ge=0, plausible=(0, 20_000))
    months: Count = number("months", "from order to service", ge=0, le=180)
    earliest: Month | None = said("first month of ordering", default=None)
    latest: Month | None = said("last month of ordering", default=None)
    max_units: Count = number("units", "most units over the horizon", default=1, ge=1, le=1000)
    life_months: Count = number("months", "life", ge=1, le=1200, plausible=(24, 720))

    @model_validator(mode="after")
    def _adds(self) -> Project:
        if not (
            self.adds_firm_mw or self.adds_interruptible_mw or self.adds_halls or self.adds_fibre
        ):
            raise PydanticCustomError("project", "a project must add MW, halls or fibre")
        return self


class Hall(Block):
    """A group of identical halls."""

    site: Name = said("site it stands on")
    count: Count = number("halls", "identical halls that stand today", ge=0, le=10_000)
    it_mw: float = number(
        "MW", "IT MW per hall as fitted out for mining", gt=0, plausible=(0.05, 500)
    )
    rack_positions: float | None = number(
        "positions", "rack positions per hall", default=None, gt=0, plausible=(1, 100_000)
    )
    floor_m2: float | None = number(
        "m2", "floor area per hall", default=None, gt=0, plausible=(10, 1_000_000)
    )
    fitout: Name | None = said("present fit-out; absent: a bare shell", default=None)
    package: Name | None = said("present uptime package", default=None)
    convertible: Flag = said("may be converted", default=True)
    fitouts: list[Name] | None = said("fit-outs it may take; absent: all", default=None)


class FleetRow(Block):
    """Racks that stand in a hall group today."""

    hall: Name = said("hall group")
    rack: Name = said("rack type")
    racks: Count = number("racks", "how many", ge=1, le=1_000_000)
    age_months: Count = number(
        "months", "age at the start", default=0, ge=0, le=1200, plausible=(0, 150)
    )


class CoincidentPeak(Block):
    """A charge on what a site draws in the hours in which its whole grid peaks."""

    usd_per_kw_year: float = number("$/kW/year", "of what is drawn then", ge=0, plausible=(1, 300))
    peaks: Literal["4cp", "12cp"] = said("of each month from June to September, or of all months")
    candidate_hours: float = number(
        "hours",
        "hours a month among which its peak is expected, the dearest; hours that the price file "
        "marks as `peak` take their place",
        default=1.0,
        ge=0.25,
        le=200,
    )
    billing_floor_share: float = number(
        "share",
        "of the connection by date, firm and interruptible, that is billed at least in each hour "
        "that may be the peak",
        default=0.0,
        ge=0,
        le=1,
    )


class Carbon(Block):
    """What a site pays for the carbon of the energy it draws."""

    usd_per_tonne: float = number(
        "$/t", "price of a tonne of CO2", default=0.0, ge=0, plausible=(1, 300)
    )
    kg_per_mwh: float | None = number(
        "kg/MWh",
        "carbon of every MWh; absent: the price file has it by hour, as `carbon_kg_per_mwh`",
        default=None,
        ge=0,
        le=2000,
        plausible=(5, 1500),
    )
    cap_tonnes_per_year: float | None = number(
        "t", "most tonnes of the energy that a site draws in a year", default=None, gt=0
    )


class Ppa(Block):
    """Energy bought ahead: so many MW in every hour, at a price, whatever is drawn."""

    model_config = ConfigDict(populate_by_name=True)
    mw: float = number("MW", "delivered in every hour", gt=0, le=10_000)
    price_usd_per_mwh: float = number("$/MWh", "price at the start", plausible=(5, 200))
    escalator_per_year: float = number(
        "1/year", "rise of the price at each anniversary", default=0.0, gt=-0.5, le=1
    )
    from_: Month | None = Field(
        alias="from", description="first month; absent: it runs already", default=None
    )
    until: Month | None = said("last month; absent: it runs beyond the horizon", default=None)
    unused: Literal["sold", "lost"] = said(
        "what becomes of MW that the site does not draw: sold back at the hour's price, less the "
        "fee, where that pays; or lost, as take-or-pay has it",
        default="sold",
    )
    sale_fee_usd_per_mwh: float = number(
        "$/MWh", "fee on what is sold back", default=0.0, ge=0, plausible=(0, 50)
    )


class Programme(Block):
    """A payment for mining that runs and could be stopped, hour by hour or as a commitment."""

    mw: float = number("MW", "utility MW of mining that are paid for at most", gt=0, le=10_000)
    usd_per_mwh: float | None = number(
        "$/MWh",
        "for each MW in each hour that it runs, of a commitment in every hour; absent: the price "
        "file has it by hour, as `offer_usd_per_mwh`",
        default=None,
        ge=0,
        plausible=(0.1, 100),
    )
    commitment: Flag = said(
        "so many MW, decided for each period, run in every hour of it, at a loss as well, and are "
        "paid for in every hour; not where interruptible load is cut, nor in emergencies",
        default=False,
    )
    called_hours_per_year: float = number(
        "hours",
        "in which what is committed stands still, beside those cut: the dearest of each year of "
        "the price file",
        default=0.0,
        ge=0,
        le=4000,
        plausible=(0, 500),
    )


class Emergency(Block):
    """Hours in which the grid may order all mining at a site off; AI is not cut."""

    hours_per_year: float = number(
        "hours",
        "in which mining is ordered off: the dearest of each year of the price file",
        gt=0,
        le=2000,
        plausible=(1, 300),
    )
    events_per_year: Count | None = number(
        "1/year",
        "orders, all of one length of whole hours in a row, in the dearest such runs; absent: "
        "each run of the dearest hours is an order",
        default=None,
        ge=1,
        le=500,
    )
    restart_hours: Count = number(
        "hours",
        "whole hours after each order until machines run again",
        default=0,
        ge=0,
        le=72,
        plausible=(0, 12),
    )


class Generation(Block):
    """Own generation beside the grid, run in hours in which its fuel costs less."""

    mw: float = number("MW", "generated at most", gt=0, le=10_000)
    fuel_usd_per_mwh: float = number("$/MWh", "fuel and wear of a MWh", ge=0, plausible=(0, 600))
    profile: Text | None = said(
        "column of the price file with the share of its MW that sun or wind give in each hour, "
        "as `solar_share`; absent: all of them at any time",
        default=None,
    )
    against_prices: Flag = said(
        "whether it may run because its fuel costs less than the grid; else only in hours in "
        "which interruptible load is cut",
        default=True,
    )
    hours_per_year_max: float | None = number(
        "hours",
        "a year in which it may run with all its MW; with half of them, twice as many",
        default=None,
        gt=0,
        le=8784,
    )


class Power(Block):
    """How a site's energy is priced, hour by hour."""

    currency: Currency = said(
        "three letters: money of the price file, its offers among it, turned into USD month by "
        "month; keys keep their USD",
        default="USD",
    )
    prices: Text | None = said("CSV of hourly prices inside the instance", default=None)
    duration: Text | None = said("CSV of a price-duration curve by calendar month", default=None)
    flat_usd_per_mwh: float | None = number(
        "$/MWh", "one price for every hour", default=None, plausible=(5, 400)
    )
    adder_usd_per_mwh: float = number(
        "$/MWh",
        "wires, losses, taxes and retail margin on every MWh",
        default=0.0,
        plausible=(-50, 150),
    )
    mining_adder_usd_per_mwh: float = number(
        "$/MWh", "further adder on mining's energy", default=0.0, plausible=(-50, 200)
    )
    ai_adder_usd_per_mwh: float = number(
        "$/MWh", "further adder on AI's energy", default=0.0, plausible=(-50, 200)
    )
    growth_per_year: float = number(
        "1/year",
        "growth of the hourly prices from the start of the horizon",
        default=0.0,
        gt=-0.5,
        le=1,
        plausible=(-0.2, 0.3),
    )
    ppa: list[Ppa] = said("power purchase agreements that are signed", default=[])
    coincident_peak: CoincidentPeak | None = said("coincident-peak charge", default=None)
    demand_charge_usd_per_kw_month: float = number(
        "$/kW/month", "on the highest MW of a month", default=0.0, ge=0, plausible=(0, 60)
    )
    billing_floor_share: float = number(
        "share",
        "of the connection, firm and interruptible, that is billed at least",
        default=0.0,
        ge=0,
        le=1,
    )
    programmes: list[Programme] = said("programmes that pay for being able to stop", default=[])
    generation: list[Generation] = said("own generation, used at the site only", default=[])
    emergency: Emergency | None = said("duty of large loads to stop in emergencies", default=None)
    restart_hours: Count = number(
        "hours",
        "whole hours after each cut of interruptible load until it runs again",
        default=0,
        ge=0,
        le=72,
        plausible=(0, 12),
    )
    energy_cap_mwh_per_year: float | None = number(
        "MWh", "most that a site draws from the grid in a year, AI's among it", default=None, gt=0
    )
    carbon: Carbon | None = said("price of carbon", default=None)

    @model_validator(mode="after")
    def _one_price(self) -> Power:
        one_of(self, ("prices", "duration", "flat_usd_per_mwh"))
        return self


#: Where exchange rates lie, in USD for one unit of a currency.
EXCHANGE_RANGE = (0.00001, 5.0)


def _check_rate(path: Path) -> Path:
    if min(path_numbers(path)) <= 0:
        raise PydanticCustomError("rate", "an exchange rate lies above zero")
    return path


class Exchange(Block):
    """What another currency is worth."""

    usd_per_unit: Annotated[Path, AfterValidator(_check_rate)] = number(
        "$/unit", "exchange rate: USD for one unit of the currency", plausible=EXCHANGE_RANGE
    )


class RampStep(Block):
    """Share of the signed MW that is due from a month of the contract on."""

    after_months: Count = number("months", "months after the contract's start", ge=0, le=600)
    share: float = number("share", "of the signed MW", ge=0, le=1)


class CreditStep(Block):
    """Share of a month's fee that is credited where the month's availability falls below."""

    below: float = number("share", "availability of a month below which it is owed", gt=0, le=1)
    share: float = number("share", "of the month's fee", ge=0, le=1)


def _check_credits(steps: list[CreditStep]) -> list[CreditStep]:
    """Put the steps in order of falling availability, which must be one of rising shares."""
    ordered = sorted(steps, key=lambda step: -step.below)
    pairs = list(itertools.pairwise(ordered))
    if any(worse.below == better.below for better, worse in pairs):
        raise PydanticCustomError("credits", "each `below` may stand once")
    if any(worse.share <= better.share for better, worse in pairs):
        raise PydanticCustomError(
            "credits", "the lower `below` lies, the larger its share must be"
        )
    return ordered


Credits = Annotated[list[CreditStep], AfterValidator(_check_credits)]


class Contract(Block):
    """An offer to host AI."""

    racks_by: Literal["tenant", "owner"] = said("who brings the racks")
    racks: list[Name] = said("rack types that serve it (owner racks)", default=[])
    min_mw: float = number("MW", "least critical IT MW", gt=0, plausible=(0.05, 5000))
    max_mw: float = number("MW", "most critical IT MW", gt=0, plausible=(0.05, 5000))
    ramp: list[RampStep] = said("steps of delivery; absent: all at the start", default=[])
    sign_by: Month = said("last month of signing")
    start: Month = said("month in which service and rent start")
    latest_delivery: Month | None = said("delivery may slip to this month", default=None)
    delay_usd_per_kw_month: float = number(
        "$/kW/month",
        "damages on undelivered IT kW until then",
        default=0.0,
        ge=0,
        plausible=(0, 2000),
    )
    months: Count = number("months", "term from the start", ge=1, le=1200, plausible=(3, 360))
    escalator_per_year: float = number(
        "1/year", "rise of the rate", default=0.0, gt=-0.5, le=0.5, plausible=(-0.1, 0.1)
    )
    rate_usd_per_kw_month: float | None = number(
        "$/kW/month", "rent per contracted IT kW", default=None, ge=0, plausible=(20, 2000)
    )
    rate_usd_per_gpu_hour: float | None = number(
        "$/GPU-hour", "rate per GPU-hour", default=None, ge=0, plausible=(0.1, 50)
    )
    take_or_pay_share: float | None = number(
        "share", "GPU-hours paid at least", default=None, ge=0, le=1
    )
    power_passed_through: Flag = said("the tenant pays the energy", default=False)
    load_factor_share: float = number(
        "share", "mean draw over contracted IT MW", default=1.0, gt=0, le=1, plausible=(0.3, 1)
    )
    prepayment_usd_per_kw: float = number(
        "$/kW",
        "advance at signing, credited against rent",
        default=0.0,
        ge=0,
        plausible=(0, 50_000),
    )
    prepayment_credit_months: Count | None = number(
        "months",
        "credited evenly over these months from the start; absent: the term",
        default=None,
        ge=1,
        le=1200,
    )
    tenant_works_usd_per_kw: float = number(
        "$/kW", "works paid by the tenant at signing", default=0.0, ge=0, plausible=(0, 30_000)
    )
    staff_usd_per_kw_month: float = number(
        "$/kW/month",
        "staff and service per delivered IT kW",
        default=0.0,
        ge=0,
        plausible=(0, 500),
    )
    sites: list[Name] | None = said("sites that may serve it; absent: all", default=None)
    cooling: Cooling | None = said("cooling the tenant needs; absent: any", default=None)
    kw_per_rack: float | None = number(
        "kW", "density of the tenant's racks", default=None, gt=0, plausible=(1, 1000)
    )
    availability: float = number(
        "share", "availability promised", ge=0, le=1, plausible=(0.9, 0.9999999)
    )
    planned_work_excluded: Flag = said(
        "announced maintenance does not count as downtime", default=False
    )
    credits: Credits = said(
        "steps of the service credit: share of a month's rent owed below an availability",
        default=[],
    )
    curtailable_hours_per_year: float = number(
        "hours",
        "hours a year in which the tenant allows its load to be off, without credit or loss of "
        "rent: those in which interruptible load is cut, then the dearest; only the former where "
        "the tenant pays the energy. They are no downtime under the promise; where no more hours "
        "are cut, the load may stand on interruptible MW",
        default=0.0,
        ge=0,
        le=8760,
        plausible=(0, 1000),
    )
    exit: Planned = planned("who bears what at exit")

    @model_validator(mode="after")
    def _terms(self) -> Contract:
        one_of(self, ("rate_usd_per_kw_month", "rate_usd_per_gpu_hour"))
        if self.min_mw > self.max_mw:
            raise PydanticCustomError("mw", "min_mw lies above max_mw")
        if (self.racks_by == "owner") != bool(self.racks):
            raise PydanticCustomError(
                "racks", "owner racks need `racks`, a tenant's racks must not name any"
            )
        if self.rate_usd_per_gpu_hour is not None and self.racks_by == "tenant":
            raise PydanticCustomError("gpu_rate", "a tenant's own racks pay per kW-month")
        if self.take_or_pay_share is not None and self.rate_usd_per_gpu_hour is None:
            raise PydanticCustomError(
                "take_or_pay", "rent per contracted kW is owed in full; drop take_or_pay_share"
            )
        if month_index(self.sign_by) > month_index(self.start):
            raise PydanticCustomError("sign_by", "sign_by lies after start")
        if self.latest_delivery and month_index(self.latest_delivery) < month_index(self.start):
            raise PydanticCustomError("latest", "latest_delivery lies before start")
        if self.latest_delivery and month_index(self.latest_delivery) >= (
            month_index(self.start) + self.months
        ):
            raise PydanticCustomError("latest", "latest_delivery lies after the contract's end")
        after = [step.after_months for step in self.ramp]
        if after != sorted(set(after)):
            raise PydanticCustomError("ramp", "the ramp needs rising months, each once")
        if self.credits and self.credits[0].below > self.availability:
            raise PydanticCustomError(
                "credits_promise", "a credit is owed only below the availability promised"
            )
        return self


class GpuCloud(Block):
    """GPU-hours of a rack type sold without contract."""

    price_usd_per_gpu_hour: Path = number("$/GPU-hour", "price by date", plausible=(0.05, 50))
    utilisation_share: float = number("share", "hours sold", gt=0, le=1, plausible=(0.1, 1))
    demand_limit_mw: Dated | None = number(
        "MW", "most IT MW that finds customers", default=None, plausible=(0, 5000)
    )
    load_factor_share: float = number(
        "share", "mean draw over nameplate", default=0.8, gt=0, le=1, plausible=(0.3, 1)
    )
    fee_share: float = number("share", "marketplace and payment fees", default=0.0, ge=0, le=0.9)


class Package(Block):
    """A redundancy design of a hall: with the availability that it states, or unit by unit."""

    availability: float | None = number(
        "share",
        "availability it reaches; absent: worked out from its units",
        default=None,
        gt=0,
        le=1,
        plausible=(0.9, 0.99999999),
    )
    units: dict[Name, Standing] = said(
        "what it is made of, by subsystem of halls, instead of a stated availability", default={}
    )
    capex_usd_per_kw: float = number(
        "$/kW", "capex per IT kW", default=0.0, ge=0, plausible=(0, 10_000)
    )
    works_months: Count = number("months", "works", default=0, ge=0, le=120)
    opex_usd_per_kw_year: float = number(
        "$/kW/year", "upkeep", default=0.0, ge=0, plausible=(0, 500)
    )
    outages_per_year: float | None = number(
        "1/year",
        "outages into which its downtime falls; absent: not known, and no credit is counted",
        default=None,
        gt=0,
        plausible=(0.0001, 50),
    )

    @model_validator(mode="after")
    def _said_or_made(self) -> Package:
        if (self.availability is None) == (not self.units):
            raise PydanticCustomError(
                "package", "a package states its availability, or gives its units; one of the two"
            )
        return self


class Component(Block):
    """A kind of unit that keeps AI running: how often it fails, and what it costs."""

    unit_mw: float | None = number(
        "MW", "what a unit carries; absent: any load", default=None, gt=0, plausible=(0.05, 500)
    )
    availability: float | None = number(
        "share", "share of time that a unit is up", default=None, gt=0, le=1, plausible=(0.9, 1)
    )
    failures_per_year: float | None = number(
        "1/year", "failures in a year of running", default=None, ge=0, plausible=(0, 20)
    )
    hours_to_repair: float = number(
        "hours", "mean time to repair", gt=0, le=8760, plausible=(0.01, 2000)
    )
    common_cause_share: float = number(
        "share",
        "share of failures that take all units of the kind at once",
        default=0.05,
        ge=0,
        le=1,
        plausible=(0, 0.2),
    )
    maintenance_hours_per_year: float = number(
        "hours/year",
        "planned work on a unit, while it is out",
        default=0.0,
        ge=0,
        le=8760,
        plausible=(0, 500),
    )
    start_failure_share: float | None = number(
        "share",
        "starts that fail; given, the unit stands by",
        default=None,
        ge=0,
        le=1,
        plausible=(0, 0.1),
    )
    hours_to_failure: float | None = number(
        "hours",
        "mean time to failure while running, of a unit that stands by",
        default=None,
        gt=0,
        plausible=(20, 20_000),
    )
    start_seconds: float = number(
        "seconds",
        "until a unit that stands by carries the load",
        default=10.0,
        ge=0,
        plausible=(0, 600),
    )
    newcomer_factor: float = number(
        "ratio",
        "times as many failures when a company begins with AI (company level)",
        default=1.0,
        ge=1,
        le=100,
        plausible=(1, 20),
    )
    learning_months: float = number(
        "months",
        "in which what is more than usual halves",
        default=12.0,
        gt=0,
        plausible=(1, 60),
    )
    capex_usd_per_kw: float = number(
        "$/kW", "capex per kW of the unit", default=0.0, ge=0, plausible=(0, 10_000)
    )
    opex_usd_per_kw_year: float = number(
        "$/kW/year", "upkeep per kW of the unit", default=0.0, ge=0, plausible=(0, 500)
    )
    works_months: Count = number("months", "from order to service", default=0, ge=0, le=120)
    life_months: Count = number("months", "life", default=240, ge=1, le=1200, plausible=(24, 600))
    confidence: Literal["measured", "published", "second-hand", "assumption"] = said(
        "how far its figures can be trusted", default="assumption"
    )

    @model_validator(mode="after")
    def _fails(self) -> Component:
        one_of(self, ("availability", "failures_per_year"))
        if (self.start_failure_share is None) != (self.hours_to_failure is None):
            raise PydanticCustomError(
                "standby", "start_failure_share and hours_to_failure go together"
            )
        if self.start_failure_share is not None and self.availability is None:
            raise PydanticCustomError(
                "standby_ready", "a unit that stands by gives its availability: ready to start"
            )
        return self


class Subsystem(Block):
    """A part that AI needs: units of one kind, so many of which have to be up."""

    level: Literal["hall", "site", "company"] = said(
        "whether each hall has its own, the site has one, or the company, as its operators"
    )
    components: list[Name] = said("kinds of units to choose from", min_length=1)
    load_share: float = number(
        "share",
        "MW through it per critical IT MW",
        default=1.0,
        gt=0,
        le=5,
        plausible=(0.1, 2),
    )
    spares_max: Count = number("units", "most units beyond those needed", default=2, ge=0, le=20)
    mixing: Flag = said("kinds may stand side by side in a hall", default=False)
    paths: Count = number(
        "paths", "separate paths by which its units reach the load", default=1, ge=1, le=4
    )
    needed_in_fitout: Flag = said(
        "the fit-out's capex pays for the units needed; the package for spares only", default=False
    )
    feed: Name | None = said("component whose outages its units bridge", default=None)
    ride_through_seconds: float = number(
        "seconds",
        "how long a UPS carries the load while units start",
        default=0.0,
        ge=0,
        plausible=(0, 3600),
    )
    restart_hours: float = number(
        "hours", "until AI runs again after it lost power", default=1.0, ge=0, plausible=(0, 48)
    )
    sites: list[Name] | None = said("sites that have it (site level); absent: all", default=None)
    pooled: Flag = said(
        "mining stands on the same units and takes every shortfall first; the part carries "
        "facility MW, at pue_peak",
        default=False,
    )

    @model_validator(mode="after")
    def _paid(self) -> Subsystem:
        if self.mixing and self.needed_in_fitout:
            raise PydanticCustomError(
                "mixed_fitout", "of mixed kinds it is not said which the fit-out pays for"
            )
        return self

    @model_validator(mode="after")
    def _company(self) -> Subsystem:
        if self.level == "company" and (len(self.components) > 1 or self.feed is not None):
            raise PydanticCustomError(
                "company", "a part of the company is of one component, without a feed"
            )
        return self

    @model_validator(mode="after")
    def _pooled(self) -> Subsystem:
        if self.pooled and (self.level != "site" or self.feed is not None):
            raise PydanticCustomError(
                "pooled", "only a site's own units without a feed can be pooled with mining"
            )
        return self


class Uptime(Block):
    """What keeps AI running."""

    packages: dict[Name, Package] = said("redundancy designs of halls by name", default={})
    components: dict[Name, Component] = said("kinds of units", default={})
    subsystems: dict[Name, Subsystem] = said("parts that AI needs", default={})


class Policy(Block):
    """What the owner wants besides value."""

    # IT MW in use: mining as it stands, AI as it is served.
    mining_share_min: float | None = number(
        "share", "mining of the IT MW in use, at least", default=None, ge=0, le=1
    )
    mining_share_max: float | None = number(
        "share", "mining of the IT MW in use, at most", default=None, ge=0, le=1
    )
    ai_share_min: float | None = number(
        "share", "AI of the IT MW in use, at least", default=None, ge=0, le=1
    )
    ai_share_max: float | None = number(
        "share", "AI of the IT MW in use, at most", default=None, ge=0, le=1
    )
    shares_from: Month | None = said("first month in which the shares hold", default=None)
    keep_sites: list[Name] = said(
        "sites that stay as they are: nothing is built, converted, bought or moved there, racks "
        "stand until they wear out, and no new contract is served there",
        default=[],
    )
    halves: Literal["of-each-site", "of-the-sites"] | None = said(
        "never more than half of a site's halls are AI halls, and half are at the end; or no site "
        "runs AI and mining at once, and half run AI at the end; of the sites that could run both",
        default=None,
    )
    reuse_gpus: Flag = said("GPU racks may be rebuilt", default=True)
    reuse_halls: Flag = said("mining halls may become AI halls", default=True)
    reuse_power: Flag = said("AI may use the MW that exists today", default=True)
    pin: Text | None = said("actions.csv whose actions are taken as decided", default=None)
    cvar: Planned = planned("floor or weight on CVaR")


class Instance(Block):
    """All that is given."""

    instance: InstanceBlock
    horizon: Horizon
    finance: Finance
    commitments: Commitments = Commitments()
    bitcoin: Bitcoin
    machines: dict[Name, Machine] = said("mining machines", default={})
    racks: dict[Name, Rack] = said("rack types", default={})
    fitouts: dict[Name, Fitout] = said("fit-outs", default={})
    sites: dict[Name, Site] = said("sites", min_length=1)
    projects: dict[Name, Project] = said("projects at sites", default={})
    halls: dict[Name, Hall] = said("hall groups", min_length=1)
    fleet: list[FleetRow] = said("racks that stand today", default=[])
    power: dict[Name, Power] = said("power supplies")
    currencies: dict[Name, Exchange] = said("exchange rates, by currency", default={})
    contracts: dict[Name, Contract] = said("AI offers", default={})
    gpu_cloud: dict[Name, GpuCloud] = said("GPU-hours by rack type", default={})
    uptime: Uptime = Uptime()
    scenarios: Planned = planned("scenario tree")
    policy: Policy = Policy()


#: The tables of the instance that may also be written as CSV, and the type of their rows.
TABLES: Mapping[str, type[Block]] = {
    "sites": Site,
    "projects": Project,
    "halls": Hall,
    "fleet": FleetRow,
    "contracts": Contract,
    "machines": Machine,
    "racks": Rack,
    "fitouts": Fitout,
}
