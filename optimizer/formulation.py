"""The formulation page, written from the model itself.

Mathematics lives in the docstrings of the families, units and meanings beside the numbers. Here
they are put in order; only the conventions, which belong to no single row, are written below.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import Field, fields
from typing import Any

from pydantic import BaseModel

from models import beyond, capital, grid, halls, hosting, plant_beyond, racks, service_credits
from models.allocation import CASH_FLOWS, FAMILIES, SPENDING, Family
from models.decisions import DECISIONS
from models.given import LETTERS, Given
from models.instance import Instance

INTRODUCTION = """\
# The formulation

What is given, what is decided, what must hold and what is best, as the model has it. This page
is generated from the code that builds the model, and the same functions check every plan: edit
the docstrings in `models/`, then run `make docs`.

Time is a tree of nodes, each a period in a scenario; a deterministic case is a chain. $`n-1`$ is
the parent of node $`n`$, $`n-\\ell`$ its ancestor $`\\ell`$ periods before, and $`m \\preceq n`$ a
node on the path from the root to $`n`$. What is ordered at a node is seen by every branch below
it. A term whose index does not exist is left out: an order before the root, a conversion that has
no way, a contract that a hall cannot serve. Before the first period stands what there is today.

Money is in millions of dollars (MUSD), power in MW. *Critical IT MW* is what racks draw, *utility
MW* what the grid sees.
"""

CONVENTIONS = """\
## Conventions

- **Dates in a period.** Orders, works, sales, moves, signatures, draws and repayments fall at the
  start of a period, operation in its middle. Present value compounds by the month.
- **Lead times** of deliveries, works, projects and rebuilds round up to whole periods. Orders and
  works from before the horizon arrive with the first period that starts in or after their month.
  What would arrive beyond the horizon cannot be ordered.
- **Life** of racks is whole periods, rounded down: a rack stands in the periods that it lives
  through. A rebuilt rack starts a new life, a moved one does not.
- **Values over time.** MW and demand by date count at their least of the period. Hashprice is
  the mean over the days of a period, so that a halving inside it is prorated; it halves where
  it follows from price and network, and where it is given as start and growth unless
  `halves = false`; one number or steps are taken as typed. The price of GPU-hours is the mean over
  the months of a period, resale that of the month in which the period starts or the horizon ends.
- **Energy** is priced hour by hour, and hours in which every best choice is the same are merged
  without loss. Prices grow with `growth_per_year` to the middle of each period; adders do not, and
  neither do charges on peaks and carbon, which are part of an hour's price.
- **Exchange.** Prices and offers of a file in another currency are turned into USD at the mean of
  its rate over the months of a period, and beyond the horizon at that of each month; keys are in
  USD. Before, they are set against charges at the rate of the first month, where dear hours count.
- **Hours that a tenant allows** its load to be off are those of each year of the price file in
  which interruptible load is cut, then the dearest by price and charges at the start; hours that
  cost nothing are not taken, and where the tenant pays the energy none but those that are cut. A
  period has those of its calendar months, a year beyond the horizon as many as its last. While it
  is off, a contract draws nothing, pays its rent, owes no charge on its hours, and leaves its MW
  to mining; it is no downtime under the promise. Where no year of the file has more hours in which
  interruptible load is cut than it allows, it may stand on interruptible MW.
- **Coincident peaks** are charged as they are expected: in each of a month's candidate hours
  alike, those that the price file marks or the dearest so many. What is drawn there is charged in
  the same year, mining at what it runs and AI at its mean draw. With a floor, each candidate hour
  is charged for no less than a share of the connection by date, projects aside.
- **Demand charges** fall on the highest MW of each calendar month on the hottest hour, AI's at
  nameplate and mining's as it runs, whoever draws them; the owner pays them, AI's beyond the
  horizon too, but for the floor.
- **Programmes** pay for each MW of mining that runs and could be stopped, up to their MW, in every
  hour; a MW is paid for once. Hours in which it is called are those that the prices mark as `cut`.
- **Committed mining** runs in every hour of a period, at a loss as well, and its programme pays
  for every hour, those among them in which it is called, but not while load is cut or an
  emergency stops it. How much is committed is decided for each period. It is called in the
  dearest hours of each year of the price file, so many in each, beside those cut or stopped;
  then it stands still and keeps its room, so that what could run is less by it. Of steps of a
  curve the dearest count, in part where need be, and those of one price in the same proportion.
- **Emergencies** stop all mining at a site, in the dearest hours of each year or in runs of
  them, whole hours each, rounded up, and through the restart after each run; the restart after
  a cut keeps interruptible load off. AI stands on firm MW and is not stopped.
- **Own generation** serves mining and AI, the tenants' draw among it, and saves price, charges and
  the common adder; it is not exported, and neither the connection nor the highest MW of a month is
  less for it. A profile of sun or wind counts in twentieths of the MW, hours of one step at the
  mean of the step; what that may change is told beside the plan.
- **Agreements bought ahead** deliver to mining and AI together, the tenants' draw among it, and
  are worth the hour's price before adders and charges. AI draws its mean of the period while
  it is on, from whichever month it serves. Agreements that run beyond the horizon are worth
  nothing there.
- **Limits on the energy of a year** hold for each site by itself: on what it draws from the grid,
  AI's and the tenants' draw among it, less what it generates; on the carbon of what it draws; or
  on the hours of a generator, counted as if it ran with all its MW. A year is twelve months from
  the start of the horizon; where periods do not make up a year, or less is left of the horizon,
  the limit counts by months. Beyond the horizon none holds: a contract that begins late in
  the last year may draw more in later ones than the limit would let it.
- **Commitments** are paid in the period in which their month lies, what is overdue in the first.
  Principal due after the horizon counts against value at its end.
- **Budgets** hold the periods that start within their span, on every path of the tree.
- **Contracts.** The largest share of the ramp in any month of a period must stand through the
  whole period; rent is paid month by month on the share due, and rises at each anniversary of the
  start. Advances and works paid at signing count by the largest share due within the horizon.
  Delivery may be late in periods that end by `latest_delivery`, but not in the last, against
  damages and without rent. Advances are credited evenly from the start, whoever has delivered
  what.
- **Beyond the horizon** a contract that runs at its end earns its rent, less service and energy,
  until it ends: on the MW served in the last period, at the last month's share of the ramp, with
  energy at the mean cost of the last year, grown on. As many whole halls as these MW fill, by
  power, floor and whole racks, last until then and owe their upkeep. Site staff, overhead and the
  cost of two businesses end with the horizon. Racks that serve such a contract must live until it
  ends and take their resale then, halls that last and units of projects and of plants that it
  cannot do without their residual; all else takes both at the horizon.
- **Life** says what an asset is worth. Racks leave at the end of theirs; fit-outs, projects and
  units of plants serve on, worth nothing.
- **Residuals** of fit-outs and projects fall in a straight line over their life from the day they
  came; racks fetch their resale by type and date, whatever their age.
- **Availability** of a hall is that stated for its uptime package, or worked out from the units of
  its subsystems; with it stand in series the parts of the site's plant and those of the company,
  such as its operators. Halls without a package promise nothing. Of identical units that share
  failures a share strikes all at once; planned work takes one unit out at a time; generators are
  not repaired during an outage. A part carries what it must at nameplate: so many units are needed
  as carry the class of a contract and all stricter ones, and every further one is a spare. What
  is not promised needs units too, and no spare; a feed carries it while it is up.
- **A company new to AI** errs more often by `newcomer_factor`, of which half is left after
  `learning_months`, counted from the first period with an AI hall in service, let or not.
- **Mining on a pooled plant** takes every shortfall first, the least valuable machines before the
  others. What AI itself is short of counts as mining's loss too, which is no more than AI's own
  downtime; numbers of units up that are less likely than 1e-8 are left out of the rows and counted
  in the audit.
- **Units of a plant** carry upkeep from the day they stand until they are released, and fall in a
  straight line over their life until then. While a contract of a class runs on at a site, what
  carries that class at the horizon stays, units and spares, however little of it is still let.
- **Outages.** A bank falls short as often as its failures and repairs cross the edge; in series,
  outages of one part while another is down are not counted twice. An outage of the feed that
  generators stand by for counts where too few run at its end, and always where the ride-through is
  shorter than their start. Planned work comes to each unit once a year, in one go. A package whose
  availability is stated has as many outages as `outages_per_year` says; without it nothing is said
  of breaches and credits.
- **Credits.** Outages come at random and last for an exponential time, each part's for its own; a
  month's downtime is set against the schedule of the contract. The value counts the credits that
  are to be expected, part by part, of the rent within the horizon and beyond it. A month in which
  two parts fail is thereby counted for each; the probabilities of broken months and years count
  all parts together. Of a package that states no outages, and of shares below 1e-8, nothing is
  counted. What promises more is shed later and so credited for less: where credits are owed, a
  stricter promise may be worth more.
"""

CHOICES = """\
## Choices

Where the trade's words leave more than one reading, this is the one taken.

- Present fit-outs and projects that stand carry no residual: their cost is sunk in every plan.
- A change of package keeps the fit-out, and its residual, and pays for the package only; what is
  left of the package before it is lost. A new fit-out pays for its package too, even if it is the
  one that the hall had: power and cooling of the two are built together. Works on both take the
  longer time. Halls that leave a fit-out count as the oldest of their group in it.
- A site that stays as it is (`policy.keep_sites`) runs on: its racks mine or sell GPU-hours until
  they wear out and then leave, contracts signed before the horizon are served, works and projects
  do not begin, nothing is ordered, moved or rebuilt, and no other contract is served there.
- Racks on order land in the first state of their hall group, present state first, that holds them
  and has halls by then: today's, or those of works under way that are ready.
- Racks that an order brings stand for the period in which they land: they need room, and are
  neither resold nor taken out for a rebuild with a lead time before the next. What was ordered
  before the horizon may be sold as it lands, but for sites that stay as they are, where it must
  fit. Older racks of the type, or of a type that a rebuild without lead time connects, may go as
  new ones come.
- Halls that come from works stay for the period before they leave for others. Where that could
  matter at all a row says so; elsewhere works straight to the last state cost less.
- Contracts that run on need the units of a project whose firm MW, halls or fibre they cannot do
  without; a unit is needed whole or not at all. Interruptible MW serve no AI but that which
  allows every hour that is cut, and what mining needs, it needs no longer than the horizon.
- Halls that a project adds come in the state in which their group stands today.
- AI reserves the grid at nameplate for what it serves, in every hour in which it is on; mining
  counts what it runs in a band. Units of a plant that AI and mining share carry AI's nameplate in
  every hour. The site's own substation counts all mining racks that stand.
- GPU-hours sold without contract reserve their full MW and draw their load factor.
- GPU-hours under contract pay for the larger of load factor and `take_or_pay_share`.
- AI's energy, which cannot choose its hours, costs the mean price of a node's hours in which it
  is on.
- Machines that are not fit to run (`availability_share`) neither earn nor draw.
- Racks move within their site, at once; between sites they are sold and bought.
- AI is entered when its first hall is in service. A site runs both businesses while mining racks
  stand there beside AI halls in service, whether these are let or not; the company does when any
  of its sites mine and any host.
- Shares of the two businesses compare the nameplate of mining racks with the MW that AI serves.
- A loan is drawn against the capex of its period and repaid at will; its fee is kept from the
  draw, its interest runs on the balance after draws and repayments. Cash earns no interest.
- Orders and works that come after the horizon are no part of the case. What is due after it on
  those that come within it counts against value at its end, as debt does.
"""

#: Flows and ends that the objective is made of, in reading order.
VALUE: tuple[Callable[..., Any], ...] = (
    capital.value,
    capital.start_flow,
    capital.receipts,
    racks.sale_receipts,
    hosting.signing_receipts,
    capital.funding,
    capital.entry_spending,
    capital.operating_flow,
    hosting.contract_payments,
    service_credits.newcomer_credits,
    capital.interest,
    capital.end_value,
    halls.residual,
    grid.residual,
    plant_beyond.residual,
    racks.residual,
    hosting.tail_value,
    service_credits.tail_credits,
    beyond.upkeep,
    plant_beyond.upkeep,
)


DOMAINS = {
    "real": "real",
    "positive": "real, at least 0",
    "integer": "whole, at least 0",
    "binary": "0 or 1",
}


def page() -> str:
    """Write the formulation page, in Markdown with GitHub's mathematics."""
    parts = [
        INTRODUCTION,
        _letters_table(),
        _given_tables(),
        _decisions_table(),
        _families(),
        _flows("## What is spent", "Capex of a site and node sums these.", SPENDING),
        _flows("## What is earned", "Operating margin of a site and node sums these.", CASH_FLOWS),
        _flows("## What is best", "Value, and the flows that it counts.", VALUE),
        CONVENTIONS,
        CHOICES,
        _refused(),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


# --- symbols -------------------------------------------------------------------------------


def subscript(letters: Sequence[str]) -> str:
    """Write index letters, each repetition with a further prime.

    Examples
    --------
    >>> subscript("npp"), subscript("")
    ("_{npp'}", '')
    """
    written = [letter + "'" * list(letters[:i]).count(letter) for i, letter in enumerate(letters)]
    return "_{" + "".join(written) + "}" if written else ""


def index_letters(types: str) -> list[str]:
    """Read index letters off the names of types, as they stand in an annotation.

    Examples
    --------
    >>> index_letters("Table[tuple[Node, Place, RackType], float]")
    ['n', 'p', 'k']
    """
    return [LETTERS[name][0] for name in re.findall(r"\w+", types) if name in LETTERS]


def symbol_of(entry: Field[Any]) -> str:
    """Write the symbol of a given number with its indices; empty where it has none."""
    symbol: str = entry.metadata["symbol"]
    if not symbol or "(" in symbol:
        return symbol
    return symbol + subscript(entry.metadata["letters"] or index_letters(str(entry.type)))


def is_number(entry: Field[Any]) -> bool:
    """Whether an entry of the case holds numbers, against sets, maps and switches."""
    return re.search(r"\b(float|int)\b", str(entry.type)) is not None


# --- tables --------------------------------------------------------------------------------


def _table(heads: Sequence[str], lines: Iterator[Sequence[str]]) -> str:
    rule = ["---"] * len(heads)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, rule, *lines)) + "\n"


def _math(formula: str) -> str:
    return f"$`{formula}`$" if formula else ""


def _letters_table() -> str:
    lines = ((_math(letter), meaning) for letter, meaning in LETTERS.values())
    return "## Index letters\n\n" + _table(("letter", "runs over"), lines)


def _given_tables() -> str:
    entries = fields(Given)
    numbers = (
        (_math(symbol_of(e)), f"`{e.name}`", e.metadata["unit"], e.metadata["meaning"])
        for e in entries
        if is_number(e)
    )
    shapes = (
        (_math(symbol_of(e)), f"`{e.name}`", e.metadata["meaning"])
        for e in entries
        if not is_number(e)
    )
    return (
        "## What is given\n\n"
        + _table(("symbol", "name", "unit", "meaning"), numbers)
        + "\nSets, maps and switches, which decide what exists:\n\n"
        + _table(("symbol", "name", "meaning"), shapes)
    )


def _decisions_table() -> str:
    lines = (
        (
            _math(d.symbol + subscript(d.letters)),
            f"`{d.name}`",
            d.unit,
            DOMAINS[d.domain],
            d.meaning,
        )
        for d in DECISIONS
    )
    return "## What is decided\n\n" + _table(
        ("symbol", "name", "unit", "domain", "meaning"), lines
    )


# --- families and flows --------------------------------------------------------------------


def _families() -> str:
    limits = (
        "Limits are what a planner typed or what follows from it; *bookkeeping* only defines a\n"
        "number. Headings are the names by which rows, audit and messages call a family.\n"
    )
    contents = (
        (f"[{family.name}](#{family.name.replace('.', '')})", _title(family.function))
        for family in FAMILIES
    )
    return "\n".join(
        [
            "## What must hold\n",
            limits,
            _table(("family", "says"), contents),
            *(_family(family) for family in FAMILIES),
        ]
    )


def _family(family: Family) -> str:
    parameters = list(inspect.signature(family.function).parameters.values())[1:]
    types = ", ".join(
        str(p.annotation) for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY
    )
    letters = subscript(index_letters(types)).strip("_{}")
    over = _title(family.over)
    kind = "" if family.limit else " *Bookkeeping.*"
    return (
        f"### {family.name}\n\n{told(family.function)}\n"
        f"Over {_math(letters)}: {over[0].lower()}{over[1:]}{kind}\n"
    )


def _flows(heading: str, sentence: str, flows: Sequence[Callable[..., Any]]) -> str:
    parts = [f"{heading}\n", f"{sentence}\n"]
    parts += [f"### {_name(flow)}\n\n{told(flow)}" for flow in flows]
    return "\n".join(parts)


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.removeprefix('models.')}.{function.__name__}"


def _title(function: Callable[..., Any]) -> str:
    return inspect.cleandoc(function.__doc__ or "").split("\n")[0]


def told(function: Callable[..., Any]) -> str:
    """Turn a docstring into Markdown: its mathematics as blocks, its roles as code."""
    parts = []
    for block in inspect.cleandoc(function.__doc__ or "").split("\n\n"):
        if block.startswith(".. math::"):
            formula = inspect.cleandoc(block.removeprefix(".. math::")).strip()
            parts.append(f"```math\n{formula}\n```")
        else:
            parts.append(in_line(block))
    return "\n\n".join(parts) + "\n"


def in_line(text: str) -> str:
    """Turn a sentence of a docstring into Markdown."""
    text = re.sub(r":math:`([^`]+)`", r"$`\1`$", text)
    text = re.sub(r":\w+:`([^`]+)`", r"`\1`", text)
    return re.sub(r"``([^`]+)``", r"`\1`", text)


# --- what is refused -----------------------------------------------------------------------


def _refused() -> str:
    lines = ((f"`{key}`", meaning) for key, meaning in planned_keys(Instance))
    return (
        "## What is refused\n\n"
        "These keys have their place in the format and are not built yet. A case that types one\n"
        "is refused by its name, never solved without it.\n\n" + _table(("key", "meaning"), lines)
    )


def planned_keys(block: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Walk through the format and yield every key that is refused, with its meaning."""
    for name, info in block.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and extra.get("planned"):
            yield prefix + name, info.description or ""
        for inner, many in _inner_blocks(info.annotation):
            yield from planned_keys(inner, f"{prefix}{name}.{'*.' if many else ''}")


def _inner_blocks(annotation: Any, many: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, many
        return
    origin = getattr(annotation, "__origin__", None)
    for argument in getattr(annotation, "__args__", ()):
        yield from _inner_blocks(argument, many or origin in (dict, list))
