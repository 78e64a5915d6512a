"""What a plan is worth and what it does, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from models.instance import month_text
from optimizer.words import figure, quantity

if TYPE_CHECKING:
    from pandas import DataFrame

    from optimizer.case import Case
    from optimizer.plan import Tables
    from optimizer.solve import Solved


@dataclass(frozen=True)
class Figures:
    """Metrics of the company, by name."""

    values: Mapping[str, float]

    @classmethod
    def of(cls, tables: Tables) -> Figures:
        """Read the table of metrics."""
        metrics = tables.metrics[tables.metrics["scope"] == "company"]
        return cls(dict(zip(metrics["metric"], metrics["value"], strict=True)))

    def __call__(self, metric: str) -> float | None:
        """One figure; None where it does not exist."""
        value = self.values[metric]
        return float(value) if value == value else None

    def text(self, metric: str, digits: int = 1) -> str:
        """One figure, as it is read."""
        return figure(self(metric), digits=digits)


def worth(solved: Solved, *, handed_in: bool = False) -> Iterator[Text]:
    """Say what the plan is worth, against the bound and doing nothing, and that it was audited."""
    gap = "" if solved.gap is None else f" (gap {solved.gap:.3%})"
    plan = "no way to complete these actions" if handed_in else "no plan"
    beats = "; how much better a plan can be is not known yet"
    if solved.bound_musd is not None:
        beats = f"; {plan} beats {figure(solved.bound_musd)} M${gap}"
    yield Text.assemble("value ", (f"{figure(solved.value_musd)} M$", "bold"), beats)
    checked = solved.audit
    if checked is None or solved.value_musd is None:
        return
    if checked.nothing_musd is None and not solved.nothing_sought:
        yield Text("what doing nothing is worth was not found out in the time given")
    elif checked.nothing_musd is None:
        yield Text("doing nothing is no way out: it breaks a limit")
    else:
        less = solved.value_musd - checked.nothing_musd
        is_nothing, by = abs(less) < 0.005, "as much"
        if not is_nothing:
            by = f"{figure(abs(less))} M$ {'less' if less > 0 else 'more'}"
        yield Text(f"doing nothing is worth {figure(checked.nothing_musd)} M$, {by}")
        if is_nothing and solved.status == "best-found" and not handed_in:
            yield Text("no better plan was found before the stop", "yellow")
    yield Text(
        f"audit passed: {checked.relations:,} limits and balances hold; mining earns "
        f"{checked.banded_margin_musd:,.6f} M$\nin bands of hours and "
        f"{checked.hourly_margin_musd:,.6f} M$ hour by hour"
    )


def story(case: Case, tables: Tables) -> Iterator[RenderableType]:
    """Say what the plan does: a sentence, then what was signed and built, money and mining."""
    figures = Figures.of(tables)
    yield Text("\n" + _sentence(case, figures) + "\n")
    lines = Table.grid(padding=(0, 2, 0, 0))
    for label, words in (*_deeds(case, tables.actions), *_money(case, figures), *_mining(figures)):
        lines.add_row(Text(label, "dim"), Text(words))
    yield lines


def _sentence(case: Case, figures: Figures) -> str:
    tree = case.given.tree
    end = month_text(tree.end_month(tree.leaves[0]) - 1)
    first, last = _use(figures, "first"), _use(figures, "last")
    if first == last:
        return f"{first[:1].upper()}{first[1:]}, in {month_text(tree.start)} as in {end}."
    return f"From {first} in {month_text(tree.start)} to {last} in {end}."


def _use(figures: Figures, when: str) -> str:
    """Say how many critical IT MW mine and how many serve AI."""
    mining, ai = (figures(f"{use}_{when}_it_mw") for use in ("mining", "ai"))
    words = [f"{figure(mw)} MW of {use}" if mw else f"no {use}"
             for use, mw in (("mining", mining), ("AI", ai))]  # fmt: skip
    return " and ".join(words)


def _deeds(case: Case, actions: DataFrame) -> Iterator[tuple[str, str]]:
    """Say what is signed, left, built and converted; counts are expected over scenarios."""
    signed = actions[actions["action"] == "sign"]
    pairs = zip(signed["subject"], signed["amount"], strict=True)
    names = dict.fromkeys(f"{x} {quantity(mw, 'MW')}" for x, mw in pairs)
    if names:
        yield "signed", ", ".join(names)
    offers = dict.fromkeys(x for _, x in case.given.signing_allowed)
    left = [x for x in offers if x not in set(signed["subject"])]
    if left:
        yield "not signed", ", ".join(left)
    counts = actions["amount"] * actions["node"].map(case.given.probability)
    built = counts[actions["action"] == "build"].groupby(actions["subject"], sort=False).sum()
    deeds = [f"{name}" if n == 1 else f"{quantity(n, '')} × {name}" for name, n in built.items()]
    converted = counts[actions["action"] == "convert"].sum()
    deeds += [f"{quantity(converted, 'halls')} converted"] if converted else []
    if deeds:
        yield "built", ", ".join(deeds)


def _money(case: Case, figures: Figures) -> Iterator[tuple[str, str]]:
    after = int(figures("lowest_cash_after_months") or 0)
    when = month_text(case.given.tree.start + after)
    must = quantity(case.given.minimum_cash, "")
    lowest = f"cash never below {figures.text('lowest_cash_musd')} M$ ({when}; must hold {must})"
    capex = f"capex {figures.text('capex_musd')} M$"
    yield "money", f"{capex}, peak funding {figures.text('peak_funding_musd')} M$, {lowest}"
    returns = [*_returns(figures)]
    if returns:
        yield "", ", ".join(returns)
    leverage = figures("net_debt_to_ebitda")
    if leverage is not None:
        owed = f"{leverage:.1f} × EBITDA, charged to the value, at the end"
        yield "net debt", owed if leverage > 0 else "none at the end: cash covers what is owed"


def _returns(figures: Figures) -> Iterator[str]:
    """Say the rate of return and the payback, where each exists."""
    if (rate := figures("irr_per_year")) is not None:
        yield f"IRR {rate:.1%} a year"
    if (months := figures("payback_months")) is not None:
        yield f"paid back after {figure(months, digits=0)} months"


def _mining(figures: Figures) -> Iterator[tuple[str, str]]:
    share = figures("hours_mined_share")
    if share is None:
        return
    paid = figures.text("mining_price_usd_per_mwh")
    always = figures.text("mining_price_always_on_usd_per_mwh")
    stops = "" if paid == always else f"; it would pay {always} if it never stopped"
    yield "mining", f"runs {share:.0%} of its hours at {paid} $/MWh{stops}"
    first, last = figures.text("fleet_j_per_th_first"), figures.text("fleet_j_per_th_last")
    yield "", f"fleet of {first} J/TH" + ("" if first == last else f", {last} at the end")
    if (btc := figures("btc_mined")) is not None:
        power = figures.text("hash_cost_usd_per_btc")
        whole = figures.text("all_in_cost_usd_per_btc")
        yield "", f"{btc:,.0f} BTC at {power} $ of power each, {whole} $ all-in"
