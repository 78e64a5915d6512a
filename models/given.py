"""What is given, in coherent units: MW, millions of USD, hours, months, racks, halls.

The families read nothing else. Every number is declared with its unit, its symbol and its
meaning: the dimension test puts the units on the numbers and lets the algebra prove itself, the
formulation page prints all three. Tables are sparse: a key that is absent means that the thing
does not exist there. What is per MW at a node is per MW through the whole of its period.

The index letters of a symbol follow from the types of its table, by :data:`LETTERS`.
"""

# The calls of `known` and `shape` below are field declarations, not defaults.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.tree import Leaf, Node, Tree, Vintage

Site = str
Hall = str
Place = str
RackType = str
Fitout = str
Contract = str
End = str
Project = str
Budget = str
Part = str
Unit = str
Option = str
SlaClass = str
Pool = str
UnitsUp = int
Age = int
Band = int
Ppa = str
BillMonth = int
LimitPrice = int

#: Index letter of each type, and what it runs over. A second index of a type carries a prime.
LETTERS: Mapping[str, tuple[str, str]] = {
    "Node": ("n", "node of the scenario tree: a period in a scenario"),
    "Leaf": ("l", "leaf: a node of the last period"),
    "Vintage": ("v", "node at which an asset was ordered"),
    "Site": ("s", "site"),
    "Hall": ("h", "group of identical halls"),
    "Place": ("p", "place: a hall group in a state, which is a fit-out with an uptime package"),
    "Fitout": ("f", "fit-out"),
    "RackType": ("k", "rack type; *tenant* where the tenant brings the racks"),
    "Band": ("b", "band: hours of a node in which the best choice is the same"),
    "Contract": ("c", "AI contract"),
    "End": (
        "e",
        "end of contracts that outlast the horizon, named after one of them, or *horizon*",
    ),
    "Project": ("j", "project"),
    "Budget": ("i", "capex budget"),
    "Part": ("d", "part of a site's plant that AI needs"),
    "Unit": ("u", "kind of unit"),
    "Option": ("o", "way for a part to carry the AI load: units that stand, and those needed"),
    "SlaClass": ("q", "class of contracts by what they promise, the strictest first"),
    "Pool": ("y", "units of a part that AI and mining share"),
    "Age": ("t", "periods since the company began with AI"),
    "UnitsUp": ("m", "number of units that are up"),
    "Ppa": ("a", "power purchase agreement"),
    "BillMonth": ("r", "calendar month of a node, of which the highest MW is billed"),
    "LimitPrice": ("z", "price of a year's limit, while a bound of the value is sought"),
    "Filling": ("w", "filling of a hall: racks to which none can be added"),
    "Mix": ("x", "limit on mixes of racks: a face of all that whole halls can hold"),
}

#: Stands for a rack type where the tenant brings the racks.
TENANT: RackType = "tenant"
#: The end of the horizon, where assets that serve no contract beyond it take their residual.
HORIZON: End = "horizon"

#: Stands among agreements for the MW that a peak is charged for at least.
PEAK_FLOOR: Ppa = "peak-floor"

Table = Mapping


def known(unit: str, symbol: str, meaning: str, *, letters: str = "") -> Any:
    """Declare a number of a case.

    Parameters
    ----------
    unit : str
        Its unit; empty for a ratio.
    symbol : str
        How the formulation page writes it, without its indices.
    meaning : str
        One line.
    letters : str
        Its index letters, where the types of its table do not say them.
    """
    return field(metadata={"unit": unit, "symbol": symbol, "meaning": meaning, "letters": letters})


def shape(meaning: str, symbol: str = "") -> Any:
    """Declare what a case is made of: a set, a map, a switch."""
    return known("", symbol, meaning)


@dataclass(frozen=True, kw_only=True)
class Given:
    """All numbers of a case."""

    # --- time ------------------------------------------------------------------------------
    tree: Tree = shape("nodes, their parents and periods")
    discount_start: Table[Node, float] = known(
        "", r"\delta^{\text{start}}", "present value of a dollar at the start of the period"
    )
    discount_mid: Table[Node, float] = known(
        "", r"\delta^{\text{mid}}", "present value of a dollar in the middle of the period"
    )
    discount_end: Table[Leaf, float] = known(
        "", r"\delta^{\text{end}}", "present value of a dollar at the end of the horizon"
    )
    probability: Table[Node, float] = known("", r"\pi", "probability of the node")

    # --- places ----------------------------------------------------------------------------
    sites: tuple[Site, ...] = shape("sites, in the order typed")
    halls: Table[Site, tuple[Hall, ...]] = shape("hall groups of a site")
    places: Table[Hall, tuple[Place, ...]] = shape("states that a hall group can take")
    site_of: Table[Place, Site] = shape("site of a place")
    hall_of: Table[Place, Hall] = shape("hall group of a place")
    fitout_of: Table[Place, Fitout] = shape("fit-out of a place", "f(p)")
    package_of: Table[Place, str] = shape("uptime package of a place")
    workload_of: Table[Place, str] = shape("what a place is for: mining, AI or nothing")
    halls_today: Table[Place, float] = known("hall", "H^0", "halls in that state today")
    halls_ready: Table[tuple[Node, Place], float] = known(
        "hall", r"\hat H", "halls of works under way that become ready"
    )
    halls_most: Table[Hall, float] = known(
        "hall", r"\bar H", "halls of the group, with all that projects can add"
    )
    hall_mw: Table[Place, float] = known("MW/hall", "M", "IT MW of a hall in that state")
    hall_positions: Table[Place, float] = known("position/hall", "N", "rack positions of a hall")
    conversion_lag: Table[tuple[Place, Place], int] = known(
        "period", r"\ell", "works from one state to another"
    )
    conversion_cost: Table[tuple[Place, Place], float] = known(
        "MUSD/hall", r"\kappa", "capex of a conversion"
    )
    conversions_allowed: tuple[tuple[Node, Place, Place], ...] = shape(
        "conversions that may be ordered and finish within the horizon"
    )
    place_opex: Table[tuple[Node, Place], float] = known(
        "MUSD/hall", "o", "staff and upkeep of a hall in service"
    )
    needs_fibre: frozenset[Site] = shape("sites without fibre today")
    halls_parkable: tuple[tuple[Node, Place], ...] = shape(
        "places that halls may leave, and reach by works no dearer than standing there"
    )

    # --- racks -----------------------------------------------------------------------------
    racks_at: Table[Place, tuple[RackType, ...]] = shape("rack types that a place can hold")
    rack_mw: Table[RackType, float] = known("MW/rack", r"\mu", "nameplate IT MW of a rack")
    rack_positions: Table[RackType, float] = known(
        "position/rack", r"\nu", "rack positions that a rack takes"
    )
    rack_fit: Table[tuple[Place, RackType], float] = known(
        "rack/hall", r"\bar R", "whole racks that fit a hall, where fewer than MW and floor say"
    )
    mixes: Table[Place, tuple[Mapping[RackType, float], ...]] = known(
        "hall/rack",
        r"\xi",
        "share of a hall that a rack of a type takes in a mix, in places whose mixes are limited",
        letters="pxk",
    )
    fillings: Table[Place, tuple[Mapping[RackType, float], ...]] = known(
        "rack/hall",
        r"\nu",
        "racks of a type in a filling, in places whose halls are filled one by one",
        letters="pwk",
    )
    racks_today: Table[tuple[Place, RackType], float] = known(
        "rack", "R^0", "racks standing today"
    )
    racks_arriving: Table[tuple[Node, Place, RackType], float] = known(
        "rack", r"\hat R", "racks ordered before the horizon that arrive"
    )
    racks_young: Table[tuple[Node, Site, RackType], float] = known(
        "rack", "Y", "racks of today and of standing orders, come and alive through the period"
    )
    racks_unworn: Table[tuple[Node, Place, RackType], float] = known(
        "rack", r"Y^{\text{kept}}", "of these, racks of a place at a site that stays as it is"
    )
    racks_lasting: Table[tuple[Leaf, Site, Contract, RackType], float] = known(
        "rack", r"Y^{\text{tail}}", "of these, racks that outlive a contract past the horizon"
    )
    rack_life: Table[RackType, int] = known("period", r"\Lambda", "life, in whole periods")
    rack_life_months: Table[RackType, int] = known(
        "month", r"\Lambda^{\text{months}}", "life, in months"
    )
    rack_lag: Table[RackType, int] = known("period", r"\ell", "delivery of a rack")
    rack_deposit: Table[RackType, float] = known(
        "MUSD/rack", r"\kappa^{\text{order}}", "paid at order"
    )
    rack_due: Table[RackType, float] = known(
        "MUSD/rack", r"\kappa^{\text{due}}", "paid at delivery"
    )
    resale: Table[tuple[Node, RackType], float] = known(
        "MUSD/rack", r"\sigma", "resale at the start of the period"
    )
    resale_end: Table[tuple[Leaf, RackType], float] = known(
        "MUSD/rack", r"\sigma^{\text{end}}", "resale at the end of the horizon"
    )
    orders_allowed: tuple[tuple[Node, Place, RackType], ...] = shape(
        "orders that may be placed and arrive within the horizon"
    )
    transfers: Table[Site, tuple[tuple[RackType, RackType], ...]] = shape(
        "moves (from a type to itself) and rebuilds (to another) possible at a site"
    )
    rack_groups: Table[tuple[Site, RackType], tuple[RackType, ...]] = shape(
        "rack types that rebuilds without lead time turn into one another, by the first", "G"
    )
    racks_landing: tuple[tuple[Node, Site, RackType], ...] = shape(
        "groups of rack types, by the first, of which an order can land at a site"
    )
    transfer_lag: Table[tuple[RackType, RackType], int] = known(
        "period", r"\ell", "time that a move or rebuild takes"
    )
    transfer_cost: Table[tuple[RackType, RackType], float] = known(
        "MUSD/rack", r"\tau", "cost of a move or rebuild"
    )
    sites_kept: frozenset[Site] = shape("sites that stay as they are")

    # --- grid and projects -----------------------------------------------------------------
    firm_mw: Table[tuple[Node, Site], float] = known("MW", "F", "firm utility MW")
    interruptible_mw: Table[tuple[Node, Site], float] = known(
        "MW", "I", "utility MW that may be cut"
    )
    mining_mw_max: Table[Site, float] = known(
        "MW", r"\bar U^{\text{mining}}", "utility MW that a rule grants mining"
    )
    ai_mw_max: Table[Site, float] = known(
        "MW", r"\bar U^{\text{AI}}", "utility MW that a rule grants AI"
    )
    substation_mw: Table[Site, float] = known(
        "MW", r"\bar U", "utility MW that the site's own substation carries"
    )
    projects: Table[Site, tuple[Project, ...]] = shape("projects of a site")
    project_lag: Table[Project, int] = known("period", r"\ell", "building of a project")
    project_cost: Table[Project, float] = known("MUSD/unit", r"\kappa", "capex of a project")
    project_units: Table[Project, float] = known("unit", r"\bar B", "units that can be built")
    project_firm_mw: Table[Project, float] = known("MW/unit", r"\Delta F", "firm MW added")
    project_interruptible_mw: Table[Project, float] = known(
        "MW/unit", r"\Delta I", "interruptible MW added"
    )
    project_halls: Table[tuple[Project, Place], float] = known(
        "hall/unit", r"\Delta H", "halls added, in the state in which they come"
    )
    project_fibre: Table[Project, float] = known(
        "1/unit", r"\Delta L", "fibre connections added, each enough for every hall"
    )
    builds_allowed: tuple[tuple[Node, Project], ...] = shape(
        "projects that may be ordered and finish within the horizon"
    )
    reuse_power: bool = shape("whether AI may use MW that exist today")

    # --- energy and mining -----------------------------------------------------------------
    pue: Table[Fitout, float] = known("", r"\eta", "utility over IT energy, mean")
    pue_peak: Table[Fitout, float] = known(
        "", r"\eta^{\text{peak}}", "utility over IT power on the hottest hour"
    )
    bands: Table[tuple[Node, Site], tuple[Band, ...]] = shape("bands of a node and site")
    hours: Table[tuple[Node, Site, Band], float] = known("hour", "t", "hours of a band")
    price: Table[tuple[Node, Site, Band], float] = known(
        "MUSD/MW/hour", r"\epsilon", "mean energy price of a band, before adders"
    )
    charge: Table[tuple[Node, Site, Band], float] = known(
        "MUSD/MW/hour",
        r"\epsilon^{\text{charge}}",
        "charges on peaks and carbon that the price of a band holds, and that do not grow",
    )
    bill_months: Table[tuple[Node, Site], tuple[BillMonth, ...]] = shape(
        "months of a node whose highest MW is billed"
    )
    bill_month: Table[tuple[Node, Site, Band], BillMonth] = shape("month of a band", "r(b)")
    demand_charge: Table[Site, float] = known(
        "MUSD/MW", r"\beta", "demand charge on the highest MW of a month"
    )
    billing_floor: Table[Site, float] = known(
        "", r"\underline\beta", "share of the connection that is billed at least"
    )
    peak_floor: Table[Site, float] = known(
        "",
        r"\underline\beta^{\text{peak}}",
        "share of the connection billed at least in a peak; bands hold it as an agreement",
    )
    ppas: Table[Site, tuple[Ppa, ...]] = shape(
        "power purchase agreements of a site and its own generation, or its hourly programmes"
    )
    ppa_fuel: Table[tuple[Site, Ppa], float] = known(
        "MUSD/MW/hour", r"\phi", "fuel of own generation"
    )
    ppa_profile: Table[tuple[Site, Ppa], str] = shape(
        "column of the hours with the share of its MW that own generation gives"
    )
    only_in_cuts: frozenset[tuple[Site, Ppa]] = shape(
        "own generation that runs in hours only in which interruptible load is cut"
    )
    paid_to_stop: frozenset[Site] = shape(
        "sites with such programmes, for which mining counts alone and AI does not"
    )
    ppa_offer: Table[tuple[Site, Ppa], float] = known(
        "MUSD/MW/hour", r"\omega", "paid by a programme; absent where the hours say it"
    )
    ppa_size: Table[tuple[Site, Ppa], float] = known("MW", "Q", "MW of an agreement")
    ppa_price: Table[tuple[Node, Site, Ppa, BillMonth], float] = known(
        "MUSD/MW/hour", r"\epsilon", "price of an agreement in the months in which it runs"
    )
    ppa_fee: Table[tuple[Site, Ppa], float] = known(
        "MUSD/MW/hour",
        r"\epsilon^{\text{fee}}",
        "fee on what is sold back; absent where nothing can be",
    )
    ppa_mw: Table[tuple[Node, Site, Band, Ppa], float] = known(
        "MW", "Q", "delivered in a band, where it matters whether it is drawn"
    )
    ppa_loss: Table[tuple[Node, Site, Band, Ppa], float] = known(
        "MUSD/MW/hour", r"\lambda", "lost on a MW that is not drawn, against the hour's price"
    )
    ppa_gain: Table[tuple[Node, Site], float] = known(
        "MUSD", r"\Gamma", "worth of all agreements at the hours' prices less their own"
    )
    limited: frozenset[Site] = shape("sites with a limit on the energy of a year")
    year_span: Table[tuple[Node, Site], tuple[Node, ...]] = shape(
        "nodes of a year on one path, by its last node", "Y"
    )
    year_limit: Table[tuple[Node, Site], float] = known(
        "", r"\bar J", "thousandths of a year's limit that its nodes may use up: 1,000 a year"
    )
    year_cap: Table[Site, float] = known(
        "", r"\bar J^{\text{typed}}", "limit of a whole year, in the unit of its key"
    )
    year_unit: Table[Site, str] = shape("that unit: MWh, t or hours")
    draw_use: Table[tuple[Node, Site, Band], float] = known(
        "1/MW/hour", r"\nu", "thousandths of a year's limit that a MWh drawn uses up"
    )
    own_use: Table[tuple[Site, Ppa], float] = known(
        "1/MW/hour",
        r"\nu^{\text{own}}",
        "the same for own generation; below zero where it stands in for what is drawn",
    )
    stands_in: frozenset[tuple[Site, Ppa]] = shape(
        "own generation that stands in for what is drawn under a limit"
    )
    tangents: Table[tuple[Node, Site], tuple[LimitPrice, ...]] = shape(
        "prices of a year's limit that bound what its hours may earn; none in a plan"
    )
    tangent_bands: Table[tuple[Node, Site, LimitPrice], tuple[Band, ...]] = shape(
        "bands in which the best choice is the same at such a price", "B"
    )
    tangent_price: Table[tuple[Node, Site, LimitPrice], float] = known(
        "MUSD", r"\lambda", "such a price, of a thousandth of a year's limit"
    )
    ai_draw: Table[tuple[Node, Contract, Place], float] = known(
        "", r"\delta", "mean utility MW drawn by a delivered MW while it is on"
    )
    cloud_draw: Table[tuple[Place, RackType], float] = known(
        "", r"\delta^{\text{cloud}}", "mean utility MW drawn by a MW of racks that sells GPU-hours"
    )
    cut: Table[tuple[Node, Site, Band], bool] = shape(
        "one where interruptible load is cut, else zero", "x"
    )
    stopped: Table[tuple[Node, Site, Band], bool] = shape(
        "bands in which all mining is ordered to stand still"
    )
    commitments: Table[Site, tuple[Ppa, ...]] = shape(
        "programmes of a site that pay for a constant commitment"
    )
    commitment_size: Table[tuple[Site, Ppa], float] = known(
        "MW", r"\bar Z", "utility MW that a programme takes as a commitment"
    )
    commitment_pay: Table[tuple[Node, Site, Ppa], float] = known(
        "MUSD/MW", r"\zeta", "paid for a MW that is committed through a node"
    )
    called: Table[tuple[Node, Site, Band, Ppa], bool] = shape(
        "one where a commitment is called, else zero", r"x^{\text{call}}"
    )
    off: Table[tuple[Node, Site, Band], tuple[Contract, ...]] = shape(
        "contracts whose load is off in a band, in hours that they allow"
    )
    runs: Table[tuple[Node, Site, Band], tuple[tuple[Fitout, RackType], ...]] = shape(
        "machine classes, that is fit-out with rack type, that earn money in a band or that a "
        "commitment may have run"
    )
    price_growth: Table[tuple[Node, Site], float] = known(
        "", r"\gamma", "energy price over that of the price file; the bands hold it already"
    )
    exchange: Table[tuple[Node, Site], float] = known(
        "",
        r"\gamma^{\text{USD}}",
        "USD for a unit of the price file's currency; the bands hold it already",
    )
    adder: Table[Site, float] = known(
        "MUSD/MW/hour", r"\epsilon", "wires, losses, taxes and margin on every MWh"
    )
    mining_adder: Table[Site, float] = known(
        "MUSD/MW/hour", r"\epsilon^{\text{mining}}", "further adder on mining's energy"
    )
    ai_adder: Table[Site, float] = known(
        "MUSD/MW/hour",
        r"\epsilon^{\text{AI}}",
        "further adder on AI's energy; its energy costs below hold it already",
    )
    mining_revenue: Table[tuple[Node, RackType], float] = known(
        "MUSD/MW/hour", r"\rho", "revenue of an IT MWh of mining, after the pool's fee"
    )
    mining_ready: Table[RackType, float] = known("", r"\omega", "share of machines fit to run")
    mining_classes: Table[Site, tuple[tuple[Fitout, RackType], ...]] = shape(
        "machine classes of a site"
    )
    places_of_class: Table[tuple[Site, Fitout, RackType], tuple[Place, ...]] = shape(
        "places of a machine class"
    )

    # --- AI hosting ------------------------------------------------------------------------
    contracts: tuple[Contract, ...] = shape("AI contracts, in the order typed")
    hosting_at: Table[Contract, tuple[tuple[Place, RackType], ...]] = shape(
        "places, with rack types, whose cooling, density and uptime a contract accepts"
    )
    contracts_at: Table[tuple[Place, RackType], tuple[Contract, ...]] = shape(
        "contracts that a place can serve with a rack type"
    )
    hosted_types: Table[Place, tuple[RackType, ...]] = shape(
        "rack types that serve contracts in a place"
    )
    sheddable: Table[Site, tuple[Contract, ...]] = shape(
        "contracts of a site that allow hours of the year in which they are off"
    )
    interruptible_at: Table[Site, tuple[Contract, ...]] = shape(
        "of these, contracts that allow every hour in which interruptible load is cut, and so may "
        "stand on interruptible MW",
        "X",
    )
    signing_allowed: tuple[tuple[Node, Contract], ...] = shape("nodes at which a contract is open")
    signed_today_mw: Table[Contract, float] = known(
        "MW", "q^0", "critical IT MW signed before the horizon"
    )
    contract_min_mw: Table[Contract, float] = known(
        "MW", r"\underline q", "least critical IT MW of a contract"
    )
    contract_max_mw: Table[Contract, float] = known(
        "MW", r"\bar q", "most critical IT MW of a contract"
    )
    due_share: Table[tuple[Node, Contract], float] = known(
        "", r"\theta", "largest share of the signed MW due in any month of the period"
    )
    may_slip: frozenset[tuple[Node, Contract]] = shape("nodes at which delivery may be late")
    rent: Table[tuple[Node, Contract, RackType], float] = known(
        "MUSD/MW", r"\rho", "rent of a delivered MW through the period"
    )
    delay_damages: Table[tuple[Node, Contract], float] = known(
        "MUSD/MW", r"\psi", "damages on a MW not delivered"
    )
    hosting_energy: Table[tuple[Node, Contract, Place], float] = known(
        "MUSD/MW", r"\epsilon", "energy of a delivered MW, where the owner pays it"
    )
    hosting_service: Table[tuple[Node, Contract], float] = known(
        "MUSD/MW", "o", "staff and service of a delivered MW"
    )
    tenant_positions: Table[Contract, float] = known(
        "position/MW", r"\nu", "rack positions that a MW of the tenant's racks takes"
    )
    prepayment: Table[Contract, float] = known("MUSD/MW", r"\chi", "advance at signing")
    prepayment_credit: Table[tuple[Node, Contract], float] = known(
        "MUSD/MW", r"\chi", "credit of the advance against rent"
    )
    tenant_works: Table[Contract, float] = known(
        "MUSD/MW", r"\omega", "works that the tenant pays at signing"
    )
    tail_margin: Table[tuple[Leaf, Contract, Place, RackType], float] = known(
        "MUSD/MW",
        r"\rho^{\text{end}}",
        "present value of a MW's rent less energy and service beyond the horizon",
    )
    tail_credit: Table[tuple[Leaf, Contract], float] = known(
        "MUSD/MW", r"\chi^{\text{end}}", "present value of the credits beyond the horizon"
    )
    tail_months: Table[tuple[Leaf, Contract], int] = known(
        "month", "T", "term of a contract beyond the horizon"
    )
    cloud_at: tuple[tuple[Place, RackType], ...] = shape(
        "places, with rack types, that sell GPU-hours"
    )
    cloud_revenue: Table[tuple[Node, RackType], float] = known(
        "MUSD/MW", r"\rho^{\text{cloud}}", "GPU-hours sold by a MW of racks"
    )
    cloud_energy: Table[tuple[Node, Place, RackType], float] = known(
        "MUSD/MW", r"\epsilon", "energy of a MW of racks that sells GPU-hours"
    )
    cloud_demand_mw: Table[tuple[Node, RackType], float] = known(
        "MW", r"\bar g", "MW of GPU-hours that find customers"
    )

    # --- uptime ----------------------------------------------------------------------------
    sla_classes: tuple[SlaClass, ...] = shape("classes of promises, the strictest first")
    class_of: Table[Contract, SlaClass] = shape("class of a contract that promises availability")
    plant_parts: Table[Site, tuple[Part, ...]] = shape("parts of a site's plant that AI needs")
    plant_units: Table[tuple[Site, Part], tuple[Unit, ...]] = shape(
        "kinds of units that a part can have"
    )
    plant_options: Table[tuple[Site, Part], tuple[Option, ...]] = shape(
        "ways for a part to carry the AI load"
    )
    option_unit: Table[tuple[Site, Part, Option], Unit] = shape("kind of units of an option")
    option_count: Table[tuple[Site, Part, Option], float] = known(
        "unit", r"N", "units that stand in an option"
    )
    option_mw: Table[tuple[Site, Part, Option], float] = known(
        "MW", r"M", "critical IT MW that the units needed carry"
    )
    option_weight: Table[tuple[Site, Part, Option, SlaClass], float] = known(
        "", "w", "parts of the downtime that an option uses up of a promise"
    )
    place_weight: Table[tuple[Place, SlaClass], float] = known(
        "", "w", "parts of a promise's downtime that a hall's package and the company use up"
    )
    learning_weight: Table[tuple[SlaClass, Age], float] = known(
        "", "w^+", "parts of it that a company new to AI uses up more"
    )
    one_hall: float = known("hall", "h", "a single hall")
    downtime_parts: float = known("", r"W", "parts into which the downtime allowed is divided")
    plant_lag: Table[Unit, int] = known("period", r"\ell", "building of a unit")
    plant_today: Table[tuple[Site, Part, Unit], float] = known(
        "unit", "G^0", "units that stand today"
    )
    plant_most: Table[tuple[Site, Part, Unit], float] = known(
        "unit", r"\bar G", "most units that any option needs"
    )
    plant_unit_mw: Table[tuple[Site, Part, Unit], float] = known(
        "MW/unit", "M", "AI that a unit carries"
    )
    plant_always: frozenset[tuple[Site, Part]] = shape(
        "parts without a feed, that AI needs at every moment and mining does not share"
    )
    plant_carries_most: Table[tuple[Site, Part], float] = known(
        "MW", r"\bar A", "most that a part may ever carry"
    )
    plant_cost: Table[tuple[Site, Part, Unit], float] = known(
        "MUSD/unit", r"\kappa", "capex of a unit"
    )
    plant_upkeep: Table[tuple[Site, Part, Unit], float] = known(
        "MUSD/unit", "o", "upkeep of a unit through a period"
    )
    plant_orders_allowed: tuple[tuple[Node, Site, Part, Unit], ...] = shape(
        "units that may be ordered and stand within the horizon"
    )
    pooled_parts: Table[Site, tuple[Part, ...]] = shape("parts that mining shares with AI")
    pools: Table[tuple[Site, Part], tuple[Pool, ...]] = shape("units that may be shared")
    pool_unit: Table[tuple[Site, Part, Pool], Unit] = shape("kind of the units shared")
    pool_count: Table[tuple[Site, Part, Pool], float] = known("unit", "N", "units shared")
    pool_mw: Table[tuple[Site, Part, Pool], float] = known(
        "MW", "M", "facility MW that the units carry together"
    )
    pool_unit_mw: Table[tuple[Site, Part, Pool], float] = known(
        "MW", r"\mu", "facility MW that one of them carries"
    )
    pool_up: Table[tuple[Site, Part, Pool, UnitsUp], float] = known(
        "", "P", "probability that so many units are up"
    )
    pool_counted: frozenset[tuple[Site, Part, Pool, UnitsUp]] = shape(
        "numbers of units up that are likely enough, with those below, to be counted"
    )
    kw_per_mw: float = known("kW/MW", "K", "kW in a MW: shortfalls are small and counted in kW")
    plant_residual: Table[tuple[Leaf, Site, Part, Unit, Vintage, End], float] = known(
        "MUSD/unit", r"\sigma", "present value of a unit when it is released"
    )
    lasting_unit_opex: Table[tuple[Leaf, Site, Part, Unit, End], float] = known(
        "MUSD/unit",
        r"o^{\text{end}}",
        "present value of a unit's upkeep from the end before, or the horizon",
    )

    # --- credits ---------------------------------------------------------------------------
    credit_share: Table[tuple[Contract, Place], float] = known(
        "", r"\varphi", "share of rent credited for failures of a hall and of experienced people"
    )
    option_credit: Table[tuple[Site, Part, Option, Contract], float] = known(
        "", r"\varphi", "share of rent credited for failures of an option"
    )
    learning_credit: Table[tuple[Contract, Age], float] = known(
        "", r"\varphi^+", "share of rent that a company new to AI is credited for more"
    )
    musd_per_busd: float = known("MUSD/BUSD", "B", "millions in a billion of dollars")
    fees_most: Table[tuple[Node, Contract], float] = known(
        "BUSD", r"\bar f", "most rent of a contract that credits anything"
    )
    tail_fees: Table[tuple[Leaf, Contract], float] = known(
        "",
        r"T^{\text{rent}}",
        "present value of rent beyond the horizon over the last period's rent",
    )
    learning_tail: Table[tuple[Leaf, Contract, Node], float] = known(
        "",
        r"\varphi^{+\text{end}}",
        "the same, times the share that is credited for a company new to AI",
    )

    # --- capital ---------------------------------------------------------------------------
    opening_cash: float = known("MUSD", "C^0", "cash at the start")
    minimum_cash: float = known("MUSD", r"\underline C", "cash that must be left")
    budget_musd: Table[Budget, float] = known("MUSD", r"\bar K", "most capex of a budget")
    budget_span: Table[tuple[Budget, Node], tuple[tuple[Node, Site], ...]] = shape(
        "nodes and sites of a budget on one path, by its last node"
    )
    capex_owed: Table[tuple[Node, Site], float] = known(
        "MUSD", r"\hat K", "capex owed from before the horizon"
    )
    overhead: Table[Node, float] = known("MUSD", "o", "company overhead")
    site_fixed: Table[tuple[Node, Site], float] = known(
        "MUSD", "o", "staff and fixed costs of a site"
    )
    entry_cost: float = known("MUSD", r"\kappa^{\text{AI}}", "one-time cost of entering AI")
    split_company: Table[Node, float] = known(
        "MUSD", r"\zeta", "cost of running both businesses in the company"
    )
    split_site: Table[Node, float] = known(
        "MUSD", r"\zeta^{\text{site}}", "cost of running both businesses at one site"
    )
    mining_mw_most: Table[Site, float] = known(
        "MW", r"\bar M", "IT MW of all halls that can ever mine"
    )
    loan_limit: float = known("MUSD", r"\bar D", "most that may be outstanding")
    loan_interest: Table[Node, float] = known(
        "", r"\iota", "interest on the loan through the period"
    )
    loan_share: float = known("", r"\lambda", "share of a period's capex that the loan may pay")
    loan_fee: float = known("", r"\varphi", "fee on each draw")
    draws_allowed: frozenset[Node] = shape("nodes at which the loan may be drawn")
    debt_principal: Table[Node, float] = known(
        "MUSD", r"\hat D", "principal due on debt from before the horizon"
    )
    debt_interest: Table[Node, float] = known(
        "MUSD", r"\hat\iota", "interest due on debt from before the horizon"
    )
    debt_left: float = known(
        "MUSD", r"\hat D^{\text{end}}", "principal of that debt due after the horizon"
    )
    residual_ends: Table[Place, tuple[End, ...]] = shape(
        "ends, by date, of contracts that outlast the horizon and that a place may serve"
    )
    site_ends: Table[Site, tuple[End, ...]] = shape("the same of all places of a site")
    lasting_opex: Table[tuple[Leaf, Place, End], float] = known(
        "MUSD/hall",
        r"o^{\text{end}}",
        "present value of a hall's staff and upkeep from the end before, or the horizon",
    )
    hall_residual: Table[tuple[Leaf, Place, Place, Vintage, End], float] = known(
        "MUSD/hall", r"\sigma", "present value of a converted hall at the end of what it serves"
    )
    project_residual: Table[tuple[Leaf, Project, Vintage, End], float] = known(
        "MUSD/unit", r"\sigma", "present value of a project's unit when it is released"
    )
    rack_tail_loss: Table[tuple[Leaf, Contract, RackType], float] = known(
        "MUSD/MW",
        r"\sigma^{\text{lost}}",
        "resale at the horizon less that at the contract's end, of a MW of racks",
    )

    # --- policy ----------------------------------------------------------------------------
    share_nodes: tuple[Node, ...] = shape("nodes at which the shares hold")
    mining_share_min: float = known("", r"\underline\alpha", "least share of mining")
    mining_share_max: float = known("", r"\bar\alpha", "largest share of mining")
    half_mw: Table[Place, float] = known(
        "MW/hall", r"\eta", "IT MW of today of a hall, at sites that are halved"
    )
    largest_half_mw: Table[Site, float] = known(
        "MW", r"\bar\eta", "the largest hall of a site of whose halls half are for AI"
    )
    half_apart_mw: Table[tuple[Node, Site], float] = known(
        "MW",
        r"\hat\eta",
        "most by which AI halls may exceed mining halls: the largest, or what stands so already",
    )
    least_half_mw: Table[Site, float] = known(
        "MW", r"\underline\eta", "the smallest hall of a site that runs one business"
    )
    one_business_sites: tuple[Site, ...] = shape(
        "sites that could run both businesses and are to run one"
    )
    one_business_at: tuple[tuple[Node, Site], ...] = shape(
        "nodes at which they run one: at the end all of them, before it those without AI of today"
    )
    ai_sites_least: float = known("", r"\lfloor S / 2 \rfloor", "least number of sites of AI")
    ai_sites_most: float = known("", r"\lceil S / 2 \rceil", "largest number of sites of AI")

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, parents first."""
        return self.tree.nodes
