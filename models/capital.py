"""Money: capex and its budgets, cash, the loan, the cost of two businesses, and value.

Capex falls at the start of a period, operation in its middle; discounting is by the month.
Value is the present value of the cash that reaches or leaves the owners: it counts the loan's
flows, the loan outstanding at the horizon against it, and what assets are then worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from models import beyond, grid, halls, hosting, plant_beyond, racks, service_credits
from models.context import Context
from models.given import Budget, Contract, Site
from models.relation import Number, Relation, at_least, at_most, equal, total
from models.tree import Leaf, Node

#: What a technology spends or earns at a site in a node.
SiteFlow = Callable[[Context, Node, Site], Number]


def capex_balance(c: Context, n: Node, s: Site, *, spending: Sequence[SiteFlow]) -> Relation:
    r"""Capex of a site is what its technologies spend, and what is owed from before.

    .. math:: K_{ns} = \hat K_{ns} + \sum_{\text{technologies}} \text{spending}_{ns}
    """
    owed = c.given.capex_owed.get((n, s), 0.0)
    return equal(c.capex[n, s], total((owed, *(spend(c, n, s) for spend in spending))))


def margin_balance(c: Context, n: Node, s: Site, *, cash_flows: Sequence[SiteFlow]) -> Relation:
    r"""Operating margin of a site is what its technologies earn, less its fixed costs.

    .. math:: E_{ns} = \sum_{\text{technologies}} \text{cash flow}_{ns} - o_{ns}
    """
    fixed = -c.given.site_fixed[n, s]
    return equal(c.margin[n, s], total((*(flow(c, n, s) for flow in cash_flows), fixed)))


def capex_budget(c: Context, i: Budget, n: Node) -> Relation:
    r"""Capex within a span of dates and sites stays within its budget, on every path.

    .. math:: \sum_{(m,s) \in \text{span}(i,n)} K_{ms} \le \bar K_i
    """
    g = c.given
    return at_most(total(c.capex[m, s] for m, s in g.budget_span[i, n]), g.budget_musd[i])


def receipts(c: Context, n: Node) -> Number:
    r"""Cash that comes in at the start of a period: racks sold, advances, works paid by tenants.

    .. math:: \text{receipts}_n = \sum_s \text{sales}_{ns} + \text{signing}_n
    """
    sold = (racks.sale_receipts(c, n, s) for s in c.given.sites)
    return total((*sold, hosting.signing_receipts(c, n)))


def entry_spending(c: Context, n: Node) -> Number:
    r"""One-time cost of entering AI.

    .. math:: \text{entry}_n = \kappa^{\text{AI}} \big( w_n - w_{n-1} \big)
    """
    g = c.given
    if not g.entry_cost:
        return 0.0
    parent = g.tree.parent[n]
    before = [] if parent is None else [-g.entry_cost * c.entered[parent,]]
    return total((g.entry_cost * c.entered[n,], *before))


def funding(c: Context, n: Node) -> Number:
    r"""Flows of the loan and of debt owed from before, at the start of a period.

    .. math:: \text{funding}_n = (1 - \varphi) D^+_n - D^-_n - \hat D_n
    """
    g = c.given
    drawn = [(1.0 - g.loan_fee) * c.draw[n,]] if (n,) in c.draw else []
    repaid = [-c.repay[n,]] if (n,) in c.repay else []
    return total((*drawn, *repaid, -g.debt_principal.get(n, 0.0)))


def interest(c: Context, n: Node) -> Number:
    r"""Interest of a period, on the loan and on debt owed from before.

    .. math:: \text{interest}_n = \iota_n D_n + \hat\iota_n
    """
    g = c.given
    return total((g.loan_interest[n] * c.debt[n,], g.debt_interest.get(n, 0.0)))


def start_flow(c: Context, n: Node) -> Number:
    r"""All cash that moves at the start of a period.

    .. math::
        \text{start}_n = \text{receipts}_n + \text{funding}_n - \sum_s K_{ns} - \text{entry}_n
    """
    capex = total(c.capex[n, s] for s in c.given.sites)
    return total((receipts(c, n), funding(c, n), -capex, -entry_spending(c, n)))


def operating_flow(c: Context, n: Node) -> Number:
    r"""All cash that moves through a period.

    .. math::
        \text{operating}_n = \sum_s \big( E_{ns} - \zeta^{\text{site}}_n d_{ns} \big)
        + \text{payments}_n + \text{newcomer}_n - \zeta_n d_n - o_n - \text{interest}_n
    """
    g = c.given
    margins = (c.margin[n, s] for s in g.sites)
    two_sites = (-g.split_site[n] * c.both[n, s] for s in g.sites if (n, s) in c.both)
    two = [-g.split_company[n] * c.both_company[n,]] if (n,) in c.both_company else []
    return total(
        (
            *margins,
            hosting.contract_payments(c, n),
            service_credits.newcomer_credits(c, n),
            *two_sites,
            *two,
            -g.overhead[n],
            -interest(c, n),
        )
    )


def cash_before(c: Context, n: Node) -> Number:
    """Cash at the end of the parent's period; the opening cash at the root."""
    parent = c.given.tree.parent[n]
    return c.given.opening_cash if parent is None else c.cash[parent,]


def cash_after_capex(c: Context, n: Node) -> Relation:
    r"""Cash holds its minimum once the capex of a period is paid.

    .. math:: C_{n-1} + \text{start}_n \ge \underline C
    """
    return at_least(total((cash_before(c, n), start_flow(c, n))), c.given.minimum_cash)


def cash_balance(c: Context, n: Node) -> Relation:
    r"""Cash is that of the parent plus all flows of the period.

    .. math:: C_n = C_{n-1} + \text{start}_n + \text{operating}_n

    Before the first period stands the opening cash, :math:`C^0`.
    """
    return equal(c.cash[n,], total((cash_before(c, n), start_flow(c, n), operating_flow(c, n))))


def cash_floor(c: Context, n: Node) -> Relation:
    r"""Cash holds its minimum at the end of a period.

    .. math:: C_n \ge \underline C
    """
    return at_least(c.cash[n,], c.given.minimum_cash)


def debt_balance(c: Context, n: Node) -> Relation:
    r"""The loan outstanding is that before, plus draws, less repayments.

    .. math:: D_n = D_{n-1} + D^+_n - D^-_n
    """
    parent = c.given.tree.parent[n]
    before = 0.0 if parent is None else c.debt[parent,]
    drawn = [c.draw[n,]] if (n,) in c.draw else []
    repaid = [-c.repay[n,]] if (n,) in c.repay else []
    return equal(c.debt[n,], total((before, *drawn, *repaid)))


def debt_limit(c: Context, n: Node) -> Relation:
    r"""The loan stays within its limit.

    .. math:: D_n \le \bar D
    """
    return at_most(c.debt[n,], c.given.loan_limit)


def loan_to_cost(c: Context, n: Node) -> Relation:
    r"""The loan pays for capex only.

    .. math:: D^+_n \le \lambda \sum_s K_{ns}
    """
    capex = total(c.capex[n, s] for s in c.given.sites)
    return at_most(c.draw[n,], c.given.loan_share * capex)


def entry(c: Context, n: Node, s: Site) -> Relation:
    r"""AI is entered before a site hosts it.

    .. math:: w_{ns} \le w_n
    """
    return at_most(c.hosts[n, s], c.entered[n,])


def entry_stays(c: Context, n: Node) -> Relation:
    r"""AI once entered stays entered.

    .. math:: w_n \ge w_{n-1}
    """
    parent = c.given.tree.parent[n]
    return at_least(c.entered[n,], 0.0 if parent is None else c.entered[parent,])


def both_at_site(c: Context, n: Node, s: Site) -> Relation:
    r"""A site that mines and hosts runs both businesses.

    .. math:: d_{ns} \ge z_{ns} + w_{ns} - 1
    """
    return at_least(c.both[n, s], total((c.mines[n, s], c.hosts[n, s], -1.0)))


def both_in_company(c: Context, n: Node, s: Site, r: Site) -> Relation:
    r"""A company that mines somewhere and hosts somewhere runs both businesses.

    .. math:: d_n \ge z_{ns} + w_{ns'} - 1
    """
    return at_least(c.both_company[n,], total((c.mines[n, s], c.hosts[n, r], -1.0)))


def both_by_contract(c: Context, n: Node, s: Site, x: Contract) -> Relation:
    r"""A company that mines somewhere while a contract is due in full runs both businesses.

    .. math:: d_n \ge z_{ns} + \sum_{m \preceq n} y_{mc} - 1

    Follows from the rows above; it is what keeps the relaxation honest.
    """
    return at_least(c.both_company[n,], total((c.mines[n, s], has_signed(c, n, x), -1.0)))


def entry_by_contract(c: Context, n: Node, x: Contract) -> Relation:
    r"""AI is entered before a contract is due in full.

    .. math:: w_n \ge \sum_{m \preceq n} y_{mc}

    Follows from the rows above; it is what keeps the relaxation honest.
    """
    return at_least(c.entered[n,], has_signed(c, n, x))


def has_signed(c: Context, n: Node, x: Contract) -> Number:
    """Whether a contract is signed by a node, on its path."""
    return total(c.signing[m, x] for m in c.given.tree.path(n) if (m, x) in c.signing)


def value(c: Context) -> Number:
    r"""Expected present value of equity cash flows: what is best.

    .. math::
        \max \sum_n \pi_n \big( \delta^{\text{start}}_n\, \text{start}_n
        + \delta^{\text{mid}}_n\, \text{operating}_n \big)
        + \sum_l \pi_l\, \text{end}_l
    """
    g = c.given
    flows = (
        g.probability[n]
        * total((g.discount_start[n] * start_flow(c, n), g.discount_mid[n] * operating_flow(c, n)))
        for n in g.nodes
    )
    return total((*flows, *(g.probability[leaf] * end_value(c, leaf) for leaf in g.tree.leaves)))


def end_value(c: Context, leaf: Leaf) -> Number:
    r"""Present value of what remains at a leaf: assets, contracts running on, less debt.

    .. math::
        \text{end}_l = \text{halls}_l + \text{projects}_l + \text{plant}_l
        + \delta^{\text{end}}_l\, \text{racks}_l + \text{tails}_l + \text{credits}_l
        + \text{upkeep}_l + \text{units}_l
        - \delta^{\text{end}}_l \big( D_l + \hat D^{\text{end}} \big)
    """
    g = c.given
    owed = g.discount_end[leaf] * total((c.debt[leaf,], g.debt_left))
    racks_left = g.discount_end[leaf] * racks.residual(c, leaf)
    return total(
        (
            halls.residual(c, leaf),
            grid.residual(c, leaf),
            plant_beyond.residual(c, leaf),
            racks_left,
            hosting.tail_value(c, leaf),
            service_credits.tail_credits(c, leaf),
            beyond.upkeep(c, leaf),
            plant_beyond.upkeep(c, leaf),
            -owed,
        )
    )
