"""Which indices exist in a case: what decisions and families run over, in a fixed order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from models.given import TENANT, Given, Hall

Index = tuple[Any, ...]


def nodes(g: Given) -> Iterable[Index]:
    """Nodes."""
    return ((n,) for n in g.nodes)


def sites(g: Given) -> Iterable[Index]:
    """Nodes and sites."""
    return ((n, s) for n in g.nodes for s in g.sites)


def places(g: Given) -> Iterable[Index]:
    """Nodes and places."""
    return ((n, p) for n in g.nodes for p in g.site_of)


def standing(g: Given) -> Iterable[Index]:
    """Nodes, places and the rack types that can stand there."""
    return ((n, p, k) for n in g.nodes for p, types in g.racks_at.items() for k in types)


def occupied(g: Given) -> Iterable[Index]:
    """Nodes and places that can hold racks, the owner's or a tenant's."""
    return ((n, p) for n, p in places(g) if g.racks_at.get(p) or g.contracts_at.get((p, TENANT)))


def floored(g: Given) -> Iterable[Index]:
    """Nodes and occupied places whose rack positions are counted."""
    return ((n, p) for n, p in occupied(g) if p in g.hall_positions)


def whole(g: Given) -> Iterable[Index]:
    """Nodes, places and rack types whose whole racks count."""
    return ((n, p, k) for n, p, k in standing(g) if (p, k) in g.rack_fit)


def mixed(g: Given) -> Iterable[Index]:
    """Nodes, places whose mixes of racks are limited, and their limits."""
    return ((n, p, x) for n in g.nodes for p, mixes in g.mixes.items() for x in range(len(mixes)))


def filled_places(g: Given) -> Iterable[Index]:
    """Nodes and the places whose halls are filled one by one."""
    return ((n, p) for n in g.nodes for p in g.fillings)


def filling(g: Given) -> Iterable[Index]:
    """Nodes, places filled hall by hall, and their fillings."""
    return ((n, p, w) for n, p in filled_places(g) for w in range(len(g.fillings[p])))


def filled_racks(g: Given) -> Iterable[Index]:
    """Nodes, places filled hall by hall, and rack types."""
    return ((n, p, k) for n, p in filled_places(g) for k in g.racks_at[p])


def converting(g: Given) -> Iterable[Index]:
    """Nodes and the conversions that may be ordered."""
    return g.conversions_allowed


def building(g: Given) -> Iterable[Index]:
    """Nodes and the projects that may be ordered."""
    return g.builds_allowed


def ordering(g: Given) -> Iterable[Index]:
    """Nodes, places and the rack types that may be ordered."""
    return g.orders_allowed


def pairs(g: Given) -> Iterable[Index]:
    """Nodes, sites and the moves and rebuilds possible there."""
    return ((n, s, a, b) for n, s in sites(g) for a, b in g.transfers.get(s, ()))


def transferring(g: Given) -> Iterable[Index]:
    """Nodes, places and the moves and rebuilds that can begin there and finish in the horizon."""
    return (
        (n, p, a, b)
        for n in g.nodes
        for p, types in g.racks_at.items()
        for a, b in g.transfers.get(g.site_of[p], ())
        if a in types and g.tree.lands(n, g.transfer_lag[a, b])
    )


def transferred(g: Given) -> Iterable[Index]:
    """Nodes, places and the moves and rebuilds that can arrive there."""
    return (
        (n, p, a, b)
        for n in g.nodes
        for p, types in g.racks_at.items()
        for a, b in g.transfers.get(g.site_of[p], ())
        if b in types and g.tree.ancestor(n, g.transfer_lag[a, b]) is not None
    )


def ageing(g: Given) -> Iterable[Index]:
    """Nodes, sites and the rack types of which some can be past their life by then."""
    return (
        (n, s, k)
        for n, s in sites(g)
        for k in dict.fromkeys(
            k for h in g.halls[s] for p in g.places[h] for k in g.racks_at.get(p, ())
        )
        if (n, s, k) in g.racks_young or g.rack_life[k] <= g.tree.period[n]
    )


def kept_standing(g: Given) -> Iterable[Index]:
    """Nodes, places of sites that stay as they are, and rack types not worn out there by then."""
    return g.racks_unworn


def landing(g: Given) -> Iterable[Index]:
    """Nodes, sites and groups of rack types, by their first, of which an order can land."""
    return g.racks_landing


def parkable(g: Given) -> Iterable[Index]:
    """Nodes and places that halls may leave, and reach by works no dearer than standing there."""
    return g.halls_parkable


def running(g: Given) -> Iterable[Index]:
    """Nodes, sites, bands and the machine classes that may run there."""
    return ((n, s, f, k, b) for n, s, b in mined(g) for f, k in g.runs[n, s, b])


def mined(g: Given) -> Iterable[Index]:
    """Nodes, sites and bands in which some machine class may run, or a commitment is called."""
    called = {(n, s, b) for n, s, b, _ in g.called}
    return (
        (n, s, b)
        for n, s in sites(g)
        for b in itertools.chain(
            g.bands[n, s], *(g.tangent_bands[n, s, z] for z in g.tangents.get((n, s), ()))
        )
        if g.runs[n, s, b] or (n, s, b) in called
    )


def granted_mining(g: Given) -> Iterable[Index]:
    """Bands in which mining may run, at sites where a rule limits it."""
    return ((n, s, b) for n, s, b in mined(g) if s in g.mining_mw_max)


def interruptible_sites(g: Given) -> Iterable[Index]:
    """Nodes and sites at which contracts may stand on interruptible MW."""
    return ((n, s) for n, s in sites(g) if g.interruptible_at.get(s))


def new_power_interruptible(g: Given) -> Iterable[Index]:
    """The same, where the owner forbids the reuse of power."""
    return () if g.reuse_power else interruptible_sites(g)


def granted_ai(g: Given) -> Iterable[Index]:
    """Nodes and sites where a rule limits AI."""
    return ((n, s) for n, s in sites(g) if s in g.ai_mw_max)


def own_substations(g: Given) -> Iterable[Index]:
    """Nodes and sites behind a substation of their own."""
    return ((n, s) for n, s in sites(g) if s in g.substation_mw)


def new_power_only(g: Given) -> Iterable[Index]:
    """Nodes and sites, where the owner forbids the reuse of power."""
    return () if g.reuse_power else sites(g)


def leaf_projects(g: Given) -> Iterable[Index]:
    """Leaves and projects."""
    return ((n, j) for n in g.tree.leaves for s in g.sites for j in g.projects.get(s, ()))


def hosts_ai(g: Given, h: Hall) -> bool:
    """Whether some state of a hall group serves AI."""
    return any(g.workload_of[p] == "ai" for p in g.places[h])


def unlit(g: Given) -> Iterable[Index]:
    """Nodes and hall groups that can serve AI, at sites without fibre today."""
    return (
        (n, h) for n, s in sites(g) if s in g.needs_fibre for h in g.halls[s] if hosts_ai(g, h)
    )


def due(g: Given) -> Iterable[Index]:
    """Nodes and contracts of which a share is due."""
    return ((n, x) for (n, x), share in g.due_share.items() if share > 0)


def slipping(g: Given) -> Iterable[Index]:
    """Nodes and contracts that are due and may be late."""
    return ((n, x) for n, x in g.due_share if (n, x) in g.may_slip)


def hosted(g: Given) -> Iterable[Index]:
    """Nodes, contracts that are due, and the places and rack types that can serve them."""
    return ((n, x, p, k) for n, x in due(g) for p, k in g.hosting_at[x])


def signing(g: Given) -> Iterable[Index]:
    """Nodes and contracts that are open."""
    return g.signing_allowed


def leaf_contracts(g: Given) -> Iterable[Index]:
    """Leaves and contracts."""
    return ((n, x) for n in g.tree.leaves for x in g.contracts)


def ai_standing(g: Given) -> Iterable[Index]:
    """Nodes, AI places and the rack types that can stand there."""
    return ((n, p, k) for n, p, k in standing(g) if g.workload_of[p] == "ai")


def clouded(g: Given) -> Iterable[Index]:
    """Nodes, places and rack types that sell GPU-hours."""
    return ((n, p, k) for n in g.nodes for p, k in g.cloud_at)


def split_sites(g: Given) -> Iterable[Index]:
    """Nodes and sites, where running both businesses costs something, or is ruled out."""
    counted = g.split_site or g.split_company or g.one_business_sites
    return sites(g) if counted else ()


def ai_sites(g: Given) -> Iterable[Index]:
    """Nodes and sites, where entering AI or running both costs something, or is ruled out."""
    return sites(g) if _hosting_counts(g) else ()


def ai_halls(g: Given) -> Iterable[Index]:
    """Nodes and hall groups that can serve AI, where that is counted."""
    counted = _hosting_counts(g)
    return ((n, h) for n in g.nodes for h in g.places if hosts_ai(g, h)) if counted else ()


def _hosting_counts(g: Given) -> bool:
    """Whether it matters which sites host AI."""
    return bool(g.split_site or g.split_company or g.entry_cost or g.one_business_sites)


def demanded(g: Given) -> Iterable[Index]:
    """Nodes and rack types whose GPU-hours find limited demand."""
    return g.cloud_demand_mw


def budgets(g: Given) -> Iterable[Index]:
    """Capex budgets and the last node of each path through their span."""
    return g.budget_span


def both_sites(g: Given) -> Iterable[Index]:
    """Nodes and sites, where running both businesses costs the site something."""
    return sites(g) if g.split_site else ()


def both_nodes(g: Given) -> Iterable[Index]:
    """Nodes, where running both businesses costs the company something."""
    return nodes(g) if g.split_company else ()


def both_pairs(g: Given) -> Iterable[Index]:
    """Nodes and pairs of sites, where running both businesses costs the company something."""
    return ((n, s, r) for (n,) in both_nodes(g) for s in g.sites for r in g.sites)


def entry_nodes(g: Given) -> Iterable[Index]:
    """Nodes, where entering AI costs something."""
    return nodes(g) if g.entry_cost else ()


def entry_sites(g: Given) -> Iterable[Index]:
    """Nodes and sites, where entering AI costs something."""
    return sites(g) if g.entry_cost else ()


def draw_nodes(g: Given) -> Iterable[Index]:
    """Nodes at which the loan may be drawn."""
    return ((n,) for n in g.nodes if n in g.draws_allowed)


def repay_nodes(g: Given) -> Iterable[Index]:
    """Nodes, where there is a loan."""
    return nodes(g) if g.draws_allowed else ()


def floor_nodes(g: Given) -> Iterable[Index]:
    """Nodes at which mining keeps a least share."""
    return ((n,) for n in g.share_nodes if g.mining_share_min > 0)


def limit_nodes(g: Given) -> Iterable[Index]:
    """Nodes at which mining keeps to a largest share."""
    return ((n,) for n in g.share_nodes if g.mining_share_max < 1)


def halved_sites(g: Given) -> Iterable[Index]:
    """Nodes and sites of whose halls half are to be AI halls, and never more."""
    return g.half_apart_mw


def halved_ends(g: Given) -> Iterable[Index]:
    """Leaves and such sites."""
    return ((n, s) for n in g.tree.leaves for s in g.largest_half_mw)


def one_business_sites(g: Given) -> Iterable[Index]:
    """Nodes and sites that could run both businesses and are to run one."""
    return g.one_business_at


def one_business_ends(g: Given) -> Iterable[Index]:
    """Leaves and such sites."""
    return ((n, s) for n in g.tree.leaves for s in g.one_business_sites)


def halved_leaves(g: Given) -> Iterable[Index]:
    """Leaves at which half of such sites are to be sites of AI."""
    return ((n,) for n in g.tree.leaves if g.one_business_sites)


def kept(g: Given) -> Iterable[Index]:
    """Leaves, conversions, vintages and ends at which a hall is worth something."""
    return g.hall_residual


def vintages(g: Given) -> Iterable[Index]:
    """Leaves, conversions and vintages of which a hall is worth something."""
    return dict.fromkeys((leaf, p, q, v) for leaf, p, q, v, _ in g.hall_residual if p != q)


def kept_places(g: Given) -> Iterable[Index]:
    """Leaves and places in which a converted hall is worth something."""
    found = {(leaf, q) for leaf, p, q, _, _ in g.hall_residual if p != q}
    return ((leaf, q) for leaf in g.tree.leaves for q in g.site_of if (leaf, q) in found)


def serving(g: Given) -> Iterable[Index]:
    """Leaves and places as above, and the ends until which they may serve."""
    return ((leaf, q, e) for leaf, q in kept_places(g) for e in g.residual_ends[q])


def changed(g: Given) -> Iterable[Index]:
    """Leaves and places that a change of package leads to, where a fit-out is worth something."""
    return dict.fromkeys((leaf, q) for leaf, p, q, _, _ in g.hall_residual if p == q)


def changed_serving(g: Given) -> Iterable[Index]:
    """Leaves and places as above, and the ends until which they may serve."""
    return ((leaf, q, e) for leaf, q in changed(g) for e in g.residual_ends[q])


def fitted(g: Given) -> Iterable[Index]:
    """Leaves, hall groups and fit-outs whose package may change, by when works finish."""
    return dict.fromkeys(
        (leaf, g.hall_of[q], g.fitout_of[q], v) for leaf, p, q, v, _ in g.hall_residual if p == q
    )


def lasting(g: Given) -> Iterable[Index]:
    """Leaves, places and the ends until which they may serve beyond the horizon."""
    return ((n, p, e) for n in g.tree.leaves for p, ends in g.residual_ends.items() for e in ends)


def lasting_floored(g: Given) -> Iterable[Index]:
    """The same, of places in which what runs on takes rack positions."""
    return (
        (n, p, e)
        for n, p, e in lasting(g)
        if p in g.hall_positions
        and any(
            k != TENANT or any(x in g.tenant_positions for x in g.contracts_at[p, k])
            for k in g.hosted_types[p]
        )
    )


def lasting_whole(g: Given) -> Iterable[Index]:
    """The same, with the rack types that serve there and whose whole racks count."""
    return (
        (n, p, e, k) for n, p, e in lasting(g) for k in g.hosted_types[p] if (p, k) in g.rack_fit
    )


def released(g: Given) -> Iterable[Index]:
    """Leaves, projects, vintages and ends at which a unit is worth something."""
    return g.project_residual


def released_vintages(g: Given) -> Iterable[Index]:
    """Leaves, projects and vintages of which a unit is worth something."""
    return dict.fromkeys((leaf, j, v) for leaf, j, v, _ in g.project_residual)


def firm_ends(g: Given) -> Iterable[Index]:
    """Leaves, sites where a project adds firm MW, and the ends of contracts served there."""
    adding = _released_sites(g, set(g.project_firm_mw))
    return ((n, s, e) for n in g.tree.leaves for s in adding for e in g.site_ends[s])


def whole_ends(g: Given) -> Iterable[Index]:
    """Leaves, sites whose projects add MW that such contracts stand on, and ends of contracts."""
    adding = _released_sites(g, {*g.project_firm_mw, *g.project_interruptible_mw})
    carrying = [s for s in adding if g.interruptible_at.get(s)]
    return ((n, s, e) for n in g.tree.leaves for s in carrying for e in g.site_ends[s])


def added_ends(g: Given) -> Iterable[Index]:
    """Leaves, hall groups that a project adds to, and the ends of contracts served there."""
    left = {j for _, j, _, _ in g.project_residual}
    grown = {g.hall_of[p] for j, p in g.project_halls if j in left}
    return ((n, h, e) for n in g.tree.leaves for h in g.places if h in grown for e in _ends(g, h))


def lit_ends(g: Given) -> Iterable[Index]:
    """Leaves, hall groups that a project brings fibre, and the ends of contracts served there."""
    sites = _released_sites(g, set(g.project_fibre))
    lit = [h for s in sites if s in g.needs_fibre for h in g.halls[s]]
    return ((n, h, e) for n in g.tree.leaves for h in lit for e in _ends(g, h))


def _released_sites(g: Given, projects: set[str]) -> list[str]:
    """Sites at which some unit of these projects is worth something at the horizon."""
    left = projects & {j for _, j, _, _ in g.project_residual}
    return [s for s in g.sites if left & set(g.projects.get(s, ()))]


def _ends(g: Given, h: Hall) -> list[str]:
    """Ends until which halls of a group may serve, by date."""
    known = {e for p in g.places[h] for e in g.residual_ends[p]}
    return [e for e in g.site_ends[g.site_of[g.places[h][0]]] if e in known]


def tails(g: Given) -> Iterable[Index]:
    """Leaves, sites, contracts and owner's rack types that serve beyond the horizon."""
    return dict.fromkeys(
        (leaf, g.site_of[p], x, k) for leaf, x, p, k in g.tail_margin if k != TENANT
    )


def due_in_full(g: Given) -> Iterable[Index]:
    """Nodes and contracts that can be signed and may not slip there."""
    signable = {x for _, x in g.signing_allowed}
    return (
        (n, x)
        for (n, x), share in g.due_share.items()
        if share > 0 and (n, x) not in g.may_slip and x in signable and g.hosting_at[x]
    )


def entry_contracts(g: Given) -> Iterable[Index]:
    """Nodes and contracts due in full, where entering AI costs something."""
    return due_in_full(g) if g.entry_cost else ()


def both_contracts(g: Given) -> Iterable[Index]:
    """Nodes, sites and contracts due in full, where running both costs the company something."""
    return ((n, s, x) for n, x in due_in_full(g) for s in g.sites) if g.split_company else ()


def served_sites(g: Given) -> Iterable[Index]:
    """Nodes, sites and the contracts that may be served there, where hosting is counted."""
    counted = set(ai_sites(g))
    return (
        (n, s, x)
        for n, x in due(g)
        for s in dict.fromkeys(g.site_of[p] for p, _ in g.hosting_at[x])
        if (n, s) in counted
    )


# --- uptime --------------------------------------------------------------------------------


def plant_ordering(g: Given) -> Iterable[Index]:
    """Nodes, sites, parts of their plant, and the units that may be ordered."""
    return g.plant_orders_allowed


def promised(g: Given) -> Iterable[Index]:
    """Nodes, sites with a plant, and the classes of which a contract is due there."""
    found: dict[Index, None] = {}
    for n, x in due(g):
        if x in g.class_of:
            for p, _ in g.hosting_at[x]:
                if g.site_of[p] in g.plant_parts:
                    found[n, g.site_of[p], g.class_of[x]] = None
    return found


def carried(g: Given) -> Iterable[Index]:
    """Nodes, sites, parts of their plant, and the classes due there."""
    return ((n, s, d, q) for n, s, q in promised(g) for d in g.plant_parts[s])


def held(g: Given) -> Iterable[Index]:
    """Nodes, sites, parts of their plant, and the options that a class due there can stand."""
    return (
        (n, s, d, o, q)
        for n, s, d, q in carried(g)
        for o in g.plant_options[s, d]
        if (s, d, o, q) in g.option_weight
    )


def counted(g: Given) -> Iterable[Index]:
    """Nodes, sites, parts of their plant, kinds of units, and the classes due there."""
    return ((n, s, d, u, q) for n, s, d, q in carried(g) for u in g.plant_units[s, d])


def served(g: Given) -> Iterable[Index]:
    """Nodes, places at sites with a plant, and the classes due there that they can serve."""
    found: dict[Index, None] = {}
    for n, x in due(g):
        if x in g.class_of:
            for p, _ in g.hosting_at[x]:
                if g.site_of[p] in g.plant_parts:
                    found[n, p, g.class_of[x]] = None
    return found


def leaf_plants(g: Given) -> Iterable[Index]:
    """Leaves, sites, parts of their plant, and the units that may be ordered."""
    ordered = dict.fromkeys((s, d, u) for _, s, d, u in g.plant_orders_allowed)
    return ((n, s, d, u) for n in g.tree.leaves for s, d, u in ordered)


def pooled(g: Given) -> Iterable[Index]:
    """Nodes, sites and the parts that mining shares with AI."""
    return ((n, s, d) for n, s in sites(g) for d in g.pooled_parts.get(s, ()))


def pooling(g: Given) -> Iterable[Index]:
    """Nodes, sites, shared parts and the units that may be shared."""
    return ((n, s, d, y) for n, s, d in pooled(g) for y in g.pools[s, d])


def pooled_units(g: Given) -> Iterable[Index]:
    """Nodes, sites, shared parts and their kinds of units."""
    return ((n, s, d, u) for n, s, d in pooled(g) for u in g.plant_units[s, d])


def shared(g: Given) -> Iterable[Index]:
    """Nodes, sites, shared parts, and the machine classes that earn money in a band."""
    return (
        (n, s, d, f, k, b)
        for n, s, d in pooled(g)
        for b in g.bands[n, s]
        for f, k in g.runs[n, s, b]
    )


def pool_loads(g: Given) -> Iterable[Index]:
    """The same, for each number of units that may be shared."""
    return ((n, s, d, y, f, k, b) for n, s, d, f, k, b in shared(g) for y in g.pools[s, d])


def shortfalls(g: Given) -> Iterable[Index]:
    """The same, for each number of units up that is likely enough to be counted."""
    return (
        (n, s, d, y, f, k, b, m)
        for n, s, d, y, f, k, b in pool_loads(g)
        for m in range(int(g.pool_count[s, d, y]) + 1)
        if (s, d, y, m) in g.pool_counted
    )


def learning(g: Given) -> Iterable[Index]:
    """Nodes, where the company is new to AI and learns."""
    return nodes(g) if g.learning_weight else ()


def learning_served(g: Given) -> Iterable[Index]:
    """Nodes, places and classes served, where the company is new to AI and learns."""
    return served(g) if g.learning_weight else ()


def always_needed(g: Given) -> Iterable[Index]:
    """Nodes, sites and the parts without a feed, which all AI needs."""
    return ((n, s, d) for n, s in sites(g) for d in g.plant_parts.get(s, ())
            if (s, d) in g.plant_always)  # fmt: skip


# --- credits -------------------------------------------------------------------------------


def fees(g: Given) -> Iterable[Index]:
    """Nodes, contracts that credit for a part of a site's plant, and the ways to build it."""
    return (
        (n, x, s, d, o)
        for n, x, s, d in credited(g)
        for o in g.plant_options[s, d]
        if (s, d, o, g.class_of[x]) in g.option_weight
    )


def credited(g: Given) -> Iterable[Index]:
    """Nodes, contracts that are due, sites and the parts of their plant that they credit for."""
    parts = dict.fromkeys((x, s, d) for s, d, _, x in g.option_credit)
    return (
        (n, x, s, d)
        for n, x in due(g)
        if (n, x) in g.fees_most
        for y, s, d in parts
        if x == y and any(g.site_of[p] == s for p, _ in g.hosting_at[x])
    )


def newcomers(g: Given) -> Iterable[Index]:
    """Nodes and contracts that are due and credit for what a newcomer errs more."""
    credit = {x for x, _ in g.learning_credit}
    return ((n, x) for n, x in due(g) if x in credit and (n, x) in g.fees_most)


def newcomer_fees(g: Given) -> Iterable[Index]:
    """The same, with the nodes at which the company may have begun with AI."""
    return ((n, x, m) for n, x in newcomers(g) for m in g.tree.path(n))


# --- units beyond the horizon --------------------------------------------------------------


def running_on(g: Given) -> Iterable[Index]:
    """Leaves, sites with a plant, and the classes that may run on there until an end."""
    return (
        (n, s, q, e)
        for n, s, q in promised(g)
        if n in g.tree.leaves
        for e in g.site_ends[s]
        if any(
            g.class_of.get(x) == q and g.tail_months.get((n, x), 0) >= g.tail_months[n, e]
            for x in g.contracts
            if any(g.site_of[p] == s for p, _ in g.hosting_at[x])
        )
    )


def carried_on(g: Given) -> Iterable[Index]:
    """The same, with the parts of the site's plant."""
    return ((n, s, d, q, e) for n, s, q, e in running_on(g) for d in g.plant_parts[s])


def held_on(g: Given) -> Iterable[Index]:
    """The same, with the ways in which a part can carry the class."""
    return (
        (n, s, d, o, q, e)
        for n, s, d, q, e in carried_on(g)
        for o in g.plant_options[s, d]
        if (s, d, o, q) in g.option_weight
    )


def counted_on(g: Given) -> Iterable[Index]:
    """The same, with the kinds of units instead of the ways."""
    return ((n, s, d, u, q, e) for n, s, d, q, e in carried_on(g) for u in g.plant_units[s, d])


def lasting_units(g: Given) -> Iterable[Index]:
    """Leaves, sites, parts of their plant, kinds of units, and the ends of contracts there."""
    return ((n, s, d, u, e) for n, s, d, e in lasting_parts(g) for u in g.plant_units[s, d])


def lasting_parts(g: Given) -> Iterable[Index]:
    """Leaves, sites, parts of their plant, and the ends of contracts served there."""
    return (
        (n, s, d, e)
        for n in g.tree.leaves
        for s, parts in g.plant_parts.items()
        for d in parts
        for e in g.site_ends[s]
    )


def lasting_always(g: Given) -> Iterable[Index]:
    """The same, of parts that all AI needs, those that mining shares among them."""
    return (
        (n, s, d, e)
        for n, s, d, e in lasting_parts(g)
        if (s, d) in g.plant_always or d in g.pooled_parts.get(s, ())
    )


def released_units(g: Given) -> Iterable[Index]:
    """Leaves, units of a plant, vintages and ends at which one is worth something."""
    return g.plant_residual


def released_unit_vintages(g: Given) -> Iterable[Index]:
    """Leaves, units of a plant, and vintages of which one is worth something."""
    return dict.fromkeys((leaf, s, d, u, v) for leaf, s, d, u, v, _ in g.plant_residual)


# --- energy --------------------------------------------------------------------------------


def billed(g: Given) -> Iterable[Index]:
    """Nodes, sites and the months whose highest MW is billed."""
    return ((n, s, r) for (n, s), months in g.bill_months.items() for r in months)


def billed_bands(g: Given) -> Iterable[Index]:
    """Nodes, sites with a demand charge, and the bands in which some machine class runs."""
    return ((n, s, b) for n, s, b in mined(g) if (n, s, b) in g.bill_month)


def bought_ahead(g: Given) -> Iterable[Index]:
    """Nodes, sites, and the bands in which it matters whether an agreement's MW are drawn."""
    return dict.fromkeys((n, s, b) for n, s, b, _ in g.ppa_mw)


def agreements(g: Given) -> Iterable[Index]:
    """The same, with the agreements."""
    return g.ppa_mw


def limited_sites(g: Given) -> Iterable[Index]:
    """Nodes, and sites with a limit on the energy of a year."""
    return ((n, s) for n in g.nodes for s in g.sites if s in g.limited)


def limited(g: Given) -> Iterable[Index]:
    """The same, where bands say what is used up of it."""
    return (index for index in limited_sites(g) if index not in g.tangents)


def bounded(g: Given) -> Iterable[Index]:
    """The same, where what hours may earn is bounded only."""
    return g.tangents


def tangents(g: Given) -> Iterable[Index]:
    """The same, and the prices of the limit that bound it."""
    return g.tangent_price


def years(g: Given) -> Iterable[Index]:
    """The last node of each year on a path, and its site with a limit."""
    return g.year_span


def committed_sites(g: Given) -> Iterable[Index]:
    """Nodes and sites with programmes that pay for a commitment."""
    return ((n, s) for n, s in sites(g) if g.commitments.get(s))


def committing(g: Given) -> Iterable[Index]:
    """Nodes, sites and the programmes that pay for a commitment there."""
    return ((n, s, a) for n, s in committed_sites(g) for a in g.commitments[s])


def held_bands(g: Given) -> Iterable[Index]:
    """Nodes, sites, and the bands in which some commitment has to run."""
    return (
        (n, s, b)
        for n, s in committed_sites(g)
        for b in g.bands[n, s]
        if not (g.cut[n, s, b] or g.stopped[n, s, b])
        and any((n, s, b, a) not in g.called for a in g.commitments[s])
    )


def called_bands(g: Given) -> Iterable[Index]:
    """Nodes, sites, and the bands in which some commitment is called."""
    return dict.fromkeys((n, s, b) for n, s, b, _ in g.called)
