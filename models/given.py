"""What is given, in coherent units: MW, millions of USD, hours, months, racks, halls.

The families read nothing else. Every table names the unit of its numbers beside its type; the
dimension test puts these units on the numbers and lets the algebra prove itself. Tables are
sparse: a key that is absent means that the thing does not exist there.

Index letters, everywhere: ``n`` node, ``s`` site, ``h`` hall group, ``p`` place (a hall group
in a state, that is a fit-out with an uptime package), ``k`` rack type, ``f`` fit-out, ``b``
band, ``c`` contract, ``j`` project, ``l`` leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from models.tree import Node, Tree

Site = str
Hall = str
Place = str
RackType = str
Fitout = str
Contract = str
Project = str
Budget = str
Band = int

#: Stands for a rack type where the tenant brings the racks.
TENANT: RackType = "tenant"
#: The end of the horizon, where assets that serve no contract beyond it take their residual.
HORIZON: Contract = "horizon"

Table = Mapping


@dataclass(frozen=True, kw_only=True)
class Given:
    """All numbers of a case."""

    # --- time ------------------------------------------------------------------------------
    tree: Tree
    discount_start: Annotated[Table[Node, float], ""]
    discount_mid: Annotated[Table[Node, float], ""]
    discount_end: Annotated[Table[Node, float], ""]
    probability: Annotated[Table[Node, float], ""]

    # --- places ----------------------------------------------------------------------------
    sites: tuple[Site, ...]
    halls: Table[Site, tuple[Hall, ...]]
    places: Table[Hall, tuple[Place, ...]]
    site_of: Table[Place, Site]
    hall_of: Table[Place, Hall]
    fitout_of: Table[Place, Fitout]
    package_of: Table[Place, str]
    workload_of: Table[Place, str]
    halls_today: Annotated[Table[Place, float], "hall"]
    halls_ready: Annotated[Table[tuple[Node, Place], float], "hall"]
    halls_most: Annotated[Table[Hall, float], "hall"]
    hall_mw: Annotated[Table[Place, float], "MW/hall"]
    hall_positions: Annotated[Table[Place, float], "position/hall"]
    conversion_lag: Table[tuple[Place, Place], int]
    conversion_cost: Annotated[Table[tuple[Place, Place], float], "MUSD/hall"]
    conversions_allowed: tuple[tuple[Node, Place, Place], ...]
    place_opex: Annotated[Table[tuple[Node, Place], float], "MUSD/hall"]
    needs_fibre: frozenset[Site]

    # --- racks -----------------------------------------------------------------------------
    racks_at: Table[Place, tuple[RackType, ...]]
    rack_mw: Annotated[Table[RackType, float], "MW/rack"]
    rack_positions: Annotated[Table[RackType, float], "position/rack"]
    rack_fit: Annotated[Table[tuple[Place, RackType], float], "rack/hall"]
    racks_today: Annotated[Table[tuple[Place, RackType], float], "rack"]
    racks_arriving: Annotated[Table[tuple[Node, Place, RackType], float], "rack"]
    racks_worn: Annotated[Table[tuple[Node, Site, RackType], float], "rack"]
    rack_life: Table[RackType, int]
    rack_life_months: Table[RackType, int]
    rack_lag: Table[RackType, int]
    rack_deposit: Annotated[Table[RackType, float], "MUSD/rack"]
    rack_due: Annotated[Table[RackType, float], "MUSD/rack"]
    resale: Annotated[Table[tuple[Node, RackType], float], "MUSD/rack"]
    resale_end: Annotated[Table[tuple[Node, RackType], float], "MUSD/rack"]
    orders_allowed: tuple[tuple[Node, Place, RackType], ...]
    transfers: Table[Site, tuple[tuple[RackType, RackType], ...]]
    transfer_lag: Table[tuple[RackType, RackType], int]
    transfer_cost: Annotated[Table[tuple[RackType, RackType], float], "MUSD/rack"]
    sites_kept: frozenset[Site]

    # --- grid and projects -----------------------------------------------------------------
    firm_mw: Annotated[Table[tuple[Node, Site], float], "MW"]
    interruptible_mw: Annotated[Table[tuple[Node, Site], float], "MW"]
    mining_mw_max: Annotated[Table[Site, float], "MW"]
    ai_mw_max: Annotated[Table[Site, float], "MW"]
    substation_mw: Annotated[Table[Site, float], "MW"]
    projects: Table[Site, tuple[Project, ...]]
    project_lag: Table[Project, int]
    project_cost: Annotated[Table[Project, float], "MUSD/unit"]
    project_units: Annotated[Table[Project, float], "unit"]
    project_firm_mw: Annotated[Table[Project, float], "MW/unit"]
    project_interruptible_mw: Annotated[Table[Project, float], "MW/unit"]
    project_halls: Annotated[Table[tuple[Project, Place], float], "hall/unit"]
    project_fibre: frozenset[Project]
    builds_allowed: tuple[tuple[Node, Project], ...]
    reuse_power: bool

    # --- energy and mining -----------------------------------------------------------------
    pue: Annotated[Table[Fitout, float], ""]
    pue_peak: Annotated[Table[Fitout, float], ""]
    bands: Table[tuple[Node, Site], tuple[Band, ...]]
    hours: Annotated[Table[tuple[Node, Site, Band], float], "hour"]
    price: Annotated[Table[tuple[Node, Site, Band], float], "MUSD/MW/hour"]
    cut: Table[tuple[Node, Site, Band], bool]
    runs: Table[tuple[Node, Site, Band], tuple[tuple[Fitout, RackType], ...]]
    price_growth: Annotated[Table[tuple[Node, Site], float], ""]
    adder: Annotated[Table[Site, float], "MUSD/MW/hour"]
    mining_adder: Annotated[Table[Site, float], "MUSD/MW/hour"]
    ai_adder: Annotated[Table[Site, float], "MUSD/MW/hour"]
    mining_revenue: Annotated[Table[tuple[Node, RackType], float], "MUSD/MW/hour"]
    mining_ready: Annotated[Table[RackType, float], ""]
    mining_classes: Table[Site, tuple[tuple[Fitout, RackType], ...]]
    places_of_class: Table[tuple[Site, Fitout, RackType], tuple[Place, ...]]

    # --- AI hosting ------------------------------------------------------------------------
    contracts: tuple[Contract, ...]
    hosting_at: Table[Contract, tuple[tuple[Place, RackType], ...]]
    contracts_at: Table[tuple[Place, RackType], tuple[Contract, ...]]
    hosted_types: Table[Place, tuple[RackType, ...]]
    signing_allowed: tuple[tuple[Node, Contract], ...]
    signed_today_mw: Annotated[Table[Contract, float], "MW"]
    contract_min_mw: Annotated[Table[Contract, float], "MW"]
    contract_max_mw: Annotated[Table[Contract, float], "MW"]
    due_share: Annotated[Table[tuple[Node, Contract], float], ""]
    may_slip: frozenset[tuple[Node, Contract]]
    rent: Annotated[Table[tuple[Node, Contract, RackType], float], "MUSD/MW"]
    delay_damages: Annotated[Table[tuple[Node, Contract], float], "MUSD/MW"]
    hosting_energy: Annotated[Table[tuple[Node, Contract, Place], float], "MUSD/MW"]
    hosting_service: Annotated[Table[tuple[Node, Contract], float], "MUSD/MW"]
    tenant_positions: Annotated[Table[Contract, float], "position/MW"]
    prepayment: Annotated[Table[Contract, float], "MUSD/MW"]
    prepayment_credit: Annotated[Table[tuple[Node, Contract], float], "MUSD/MW"]
    tenant_works: Annotated[Table[Contract, float], "MUSD/MW"]
    tail_margin: Annotated[Table[tuple[Node, Contract, Place, RackType], float], "MUSD/MW"]
    tail_credit: Annotated[Table[tuple[Node, Contract], float], "MUSD/MW"]
    tail_months: Table[tuple[Node, Contract], int]
    cloud_at: tuple[tuple[Place, RackType], ...]
    cloud_revenue: Annotated[Table[tuple[Node, RackType], float], "MUSD/MW"]
    cloud_energy: Annotated[Table[tuple[Node, Place, RackType], float], "MUSD/MW"]
    cloud_demand_mw: Annotated[Table[tuple[Node, RackType], float], "MW"]

    # --- capital ---------------------------------------------------------------------------
    opening_cash: Annotated[float, "MUSD"]
    minimum_cash: Annotated[float, "MUSD"]
    budget_musd: Annotated[Table[Budget, float], "MUSD"]
    budget_span: Table[tuple[Budget, Node], tuple[tuple[Node, Site], ...]]
    capex_owed: Annotated[Table[tuple[Node, Site], float], "MUSD"]
    overhead: Annotated[Table[Node, float], "MUSD"]
    site_fixed: Annotated[Table[tuple[Node, Site], float], "MUSD"]
    entry_cost: Annotated[float, "MUSD"]
    split_company: Annotated[Table[Node, float], "MUSD"]
    split_site: Annotated[Table[Node, float], "MUSD"]
    mining_mw_most: Annotated[Table[Site, float], "MW"]
    loan_limit: Annotated[float, "MUSD"]
    loan_interest: Annotated[Table[Node, float], ""]
    loan_share: Annotated[float, ""]
    loan_fee: Annotated[float, ""]
    draws_allowed: frozenset[Node]
    debt_principal: Annotated[Table[Node, float], "MUSD"]
    debt_interest: Annotated[Table[Node, float], "MUSD"]
    debt_left: Annotated[float, "MUSD"]
    residual_ends: Table[Place, tuple[Contract, ...]]
    hall_residual: Annotated[
        Table[tuple[Node, Place, Place, Node, Contract], float], "MUSD/hall"
    ]
    project_residual: Annotated[Table[tuple[Node, Project, Node], float], "MUSD/unit"]
    rack_tail_loss: Annotated[Table[tuple[Node, Contract, RackType], float], "MUSD/MW"]

    # --- policy ----------------------------------------------------------------------------
    share_nodes: tuple[Node, ...]
    mining_share_min: Annotated[float, ""]
    mining_share_max: Annotated[float, ""]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, parents first."""
        return self.tree.nodes
