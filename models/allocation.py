"""What must hold and what is best: the table of contents of the model.

One line per family. Technologies meet in two lists only, ``SPENDING`` and ``CASH_FLOWS``, and
in the loads of :mod:`models.grid`; adding one touches no other technology's file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from models import (
    beyond,
    capital,
    commitments,
    energy,
    grid,
    halls,
    hosting,
    mining,
    plant_beyond,
    policy,
    racks,
    service_credits,
    uptime,
    yearly,
)
from models import indices as i
from models.context import Context
from models.given import Given
from models.indices import Index
from models.relation import Relation

SPENDING = (
    racks.order_spending,
    racks.transfer_spending,
    halls.conversion_spending,
    grid.project_spending,
    uptime.plant_spending,
)
CASH_FLOWS = (
    mining.mining_margin,
    uptime.curtailment_loss,
    energy.demand_charges,
    energy.agreements_margin,
    yearly.earned_by_hours,
    commitments.commitment_pay,
    hosting.hosting_margin,
    service_credits.expected_credits,
    hosting.cloud_margin,
    halls.upkeep,
    uptime.plant_upkeep,
)

objective = capital.value


@dataclass(frozen=True)
class Family:
    """Constraints that one function writes.

    Parameters
    ----------
    rule : callable
        ``rule(context, *index) -> Relation``.
    over : callable
        The indices that exist in a case, in a fixed order.
    letters : str
        Names of the index positions, for messages: ``n`` node, ``s`` site and so on.
    limit : bool
        Whether a planner typed the limit (against bookkeeping that only defines a number).
    """

    rule: Callable[..., Relation]
    over: Callable[[Given], Iterable[Index]]
    letters: str
    limit: bool = True

    @property
    def function(self) -> Callable[..., Relation]:
        """The rule itself, without the technologies handed to it."""
        return self.rule.func if isinstance(self.rule, partial) else self.rule

    @property
    def name(self) -> str:
        """Module and function: row name, audit line, message and heading in one."""
        return f"{self.function.__module__.removeprefix('models.')}.{self.function.__name__}"

    def relations(self, c: Context) -> Iterator[tuple[Index, Relation]]:
        """Every relation of the family in a context, with its index."""
        rule = self.rule
        for index in self.over(c.given):
            yield tuple(index), rule(c, *index)


FAMILIES: tuple[Family, ...] = (
    Family(halls.state_balance, i.places, "np", limit=False),
    Family(halls.works_limit, i.parkable, "np"),
    Family(halls.fibre_limit, i.unlit, "nh"),
    Family(racks.rack_balance, i.standing, "npk", limit=False),
    Family(racks.transfer_balance, i.pairs, "nskk", limit=False),
    Family(racks.end_of_life, i.ageing, "nsk"),
    Family(racks.leaving_limit, i.landing, "nsk"),
    Family(racks.space_limit, i.occupied, "np"),
    Family(racks.position_limit, i.floored, "np"),
    Family(racks.whole_racks, i.whole, "npk"),
    Family(racks.mix_limit, i.mixed, "npx"),
    Family(racks.filled_halls, i.filled_places, "np"),
    Family(racks.filling_limit, i.filled_racks, "npk"),
    Family(racks.tail_life, i.tails, "nsck"),
    Family(grid.reservation, i.sites, "ns", limit=False),
    Family(grid.interconnection, i.mined, "nsb"),
    Family(grid.firm_reservation, i.sites, "ns"),
    Family(grid.whole_reservation, i.interruptible_sites, "ns"),
    Family(grid.new_power_reservation, i.new_power_only, "ns"),
    Family(grid.whole_new_power, i.new_power_interruptible, "ns"),
    Family(grid.mining_use_limit, i.granted_mining, "nsb"),
    Family(grid.ai_use_limit, i.granted_ai, "ns"),
    Family(grid.substation_limit, i.own_substations, "ns"),
    Family(grid.project_limit, i.leaf_projects, "nj"),
    Family(mining.mining_limit, i.running, "nsfkb"),
    Family(mining.presence, i.split_sites, "ns", limit=False),
    Family(energy.billed_load, i.billed_bands, "nsb", limit=False),
    Family(energy.billed_ai, i.billed, "nsr", limit=False),
    Family(energy.billing_floor, i.billed, "nsr", limit=False),
    Family(energy.agreements_drawn, i.bought_ahead, "nsb", limit=False),
    Family(energy.unused_limit, i.agreements, "nsba", limit=False),
    Family(yearly.use_balance, i.limited, "ns", limit=False),
    Family(yearly.least_use, i.bounded, "ns", limit=False),
    Family(yearly.tangent, i.tangents, "nsz", limit=False),
    Family(yearly.year_limit, i.years, "ns"),
    Family(commitments.size_limit, i.committing, "nsa"),
    Family(commitments.installed_limit, i.committed_sites, "ns"),
    Family(commitments.running_floor, i.held_bands, "nsb"),
    Family(commitments.standing_limit, i.called_bands, "nsb"),
    Family(hosting.delivery_balance, i.due, "nc"),
    Family(hosting.signing_floor, i.signing, "nc"),
    Family(hosting.signing_limit, i.signing, "nc"),
    Family(hosting.signing_once, i.leaf_contracts, "nc"),
    Family(hosting.owner_racks_limit, i.ai_standing, "npk"),
    Family(hosting.cloud_demand_limit, i.demanded, "nk"),
    Family(hosting.presence, i.ai_halls, "nh", limit=False),
    Family(hosting.presence_by_contract, i.served_sites, "nsc", limit=False),
    Family(uptime.one_option, i.carried, "nsdq", limit=False),
    Family(uptime.carrying_limit, i.carried, "nsdq"),
    Family(uptime.plant_reservation, i.always_needed, "nsd"),
    Family(uptime.served_at_site, i.served, "npq", limit=False),
    Family(uptime.standing_units, i.counted, "nsduq"),
    Family(uptime.downtime_budget, i.served, "npq"),
    Family(uptime.serving_limit, i.served, "npq", limit=False),
    Family(uptime.experience_stays, i.learning, "n", limit=False),
    Family(uptime.experience_begins, i.learning, "n", limit=False),
    Family(uptime.served_by_who_has_begun, i.learning_served, "npq", limit=False),
    Family(uptime.one_pool, i.pooled, "nsd", limit=False),
    Family(uptime.pool_units, i.pooled_units, "nsdu"),
    Family(uptime.pool_reservation, i.pooled, "nsd"),
    Family(uptime.pool_balance, i.shared, "nsdfkb", limit=False),
    Family(uptime.pool_limit, i.pool_loads, "nsdyfkb"),
    Family(uptime.curtailment, i.shortfalls, "nsdyfkbm", limit=False),
    Family(uptime.plant_limit, i.leaf_plants, "nsdu", limit=False),
    Family(service_credits.fees_balance, i.credited, "ncsd", limit=False),
    Family(service_credits.fees_limit, i.fees, "ncsdo", limit=False),
    Family(service_credits.newcomer_balance, i.newcomers, "nc", limit=False),
    Family(service_credits.newcomer_limit, i.newcomer_fees, "ncn", limit=False),
    Family(capital.entry, i.entry_sites, "ns", limit=False),
    Family(capital.entry_stays, i.entry_nodes, "n", limit=False),
    Family(capital.both_at_site, i.both_sites, "ns", limit=False),
    Family(capital.both_in_company, i.both_pairs, "nss", limit=False),
    Family(capital.entry_by_contract, i.entry_contracts, "nc", limit=False),
    Family(capital.both_by_contract, i.both_contracts, "nsc", limit=False),
    Family(partial(capital.capex_balance, spending=SPENDING), i.sites, "ns", limit=False),
    Family(partial(capital.margin_balance, cash_flows=CASH_FLOWS), i.sites, "ns", limit=False),
    Family(capital.capex_budget, i.budgets, "in"),
    Family(capital.cash_after_capex, i.nodes, "n"),
    Family(capital.cash_balance, i.nodes, "n", limit=False),
    Family(capital.cash_floor, i.nodes, "n"),
    Family(capital.debt_balance, i.nodes, "n", limit=False),
    Family(capital.debt_limit, i.nodes, "n"),
    Family(capital.loan_to_cost, i.draw_nodes, "n"),
    Family(policy.mining_share_floor, i.floor_nodes, "n"),
    Family(policy.mining_share_limit, i.limit_nodes, "n"),
    Family(policy.kept_racks, i.kept_standing, "npk"),
    Family(policy.half_of_site_floor, i.halved_ends, "ns"),
    Family(policy.half_of_site_limit, i.halved_sites, "ns"),
    Family(policy.one_business_at_site, i.one_business_sites, "ns"),
    Family(policy.ai_site_floor, i.one_business_ends, "ns"),
    Family(policy.half_of_sites_floor, i.halved_leaves, "n"),
    Family(policy.half_of_sites_limit, i.halved_leaves, "n"),
    Family(beyond.lasting_balance, i.lasting, "npe", limit=False),
    Family(beyond.lasting_space, i.lasting, "npe", limit=False),
    Family(beyond.lasting_positions, i.lasting_floored, "npe", limit=False),
    Family(beyond.lasting_racks, i.lasting_whole, "npek", limit=False),
    Family(beyond.released_limit, i.released_vintages, "njn", limit=False),
    Family(beyond.firm_staying, i.firm_ends, "nse", limit=False),
    Family(beyond.whole_staying, i.whole_ends, "nse", limit=False),
    Family(beyond.halls_staying, i.added_ends, "nhe", limit=False),
    Family(beyond.fibre_staying, i.lit_ends, "nhe", limit=False),
    Family(plant_beyond.class_running_on, i.running_on, "nsqe", limit=False),
    Family(plant_beyond.way_kept, i.carried_on, "nsdqe", limit=False),
    Family(plant_beyond.same_way, i.held_on, "nsdoqe", limit=False),
    Family(plant_beyond.units_kept, i.counted_on, "nsduqe", limit=False),
    Family(plant_beyond.units_carrying, i.lasting_always, "nsde", limit=False),
    Family(plant_beyond.units_released_limit, i.released_unit_vintages, "nsdun", limit=False),
    Family(plant_beyond.units_staying, i.lasting_units, "nsdue", limit=False),
    Family(halls.kept_vintage, i.vintages, "nppn", limit=False),
    Family(halls.kept_idle, i.kept_places, "np", limit=False),
    Family(halls.kept_serving, i.serving, "npe", limit=False),
    Family(halls.kept_fitout, i.changed, "np", limit=False),
    Family(halls.kept_fitout_serving, i.changed_serving, "npe", limit=False),
    Family(halls.kept_changed, i.changed, "np", limit=False),
    Family(halls.kept_finished, i.fitted, "nhfn", limit=False),
)
