"""The verdict on the screen: one sentence, strategies side by side, prices at which it turns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from optimizer.answers.verdict.columns import Apart, Mixing, Stood, better_pure, mixing
from optimizer.answers.verdict.many import Job
from optimizer.answers.verdict.prices import BY_NAME
from optimizer.answers.verdict.strategies import DUST_MW, MEANINGS, TITLES, Name
from optimizer.answers.verdict.switching import Switch, held, widest_step
from optimizer.screen.grids import cell, grid
from optimizer.words import counted, figure, percent

#: Sides of prices at which the answer was seen to end.
ENDED = ("proved", "wide", "undecided", "infeasible")
#: How headings of columns break.
_HEADS: Mapping[Name, str] = {
    "as-is": "as is",
    "management": "manage-\nment",
    "mining-only": "mining\nonly",
    "ai-only": "AI\nonly",
    "half-of-each-site": "half of\neach site",
    "half-of-the-sites": "half of\nthe sites",
    "no-reuse": "no\nreuse",
    "optimum": "best\nplan",
}
#: What stands in a column without a plan.
_NO_PLAN: Mapping[str, str] = {
    "infeasible": "cannot be", "not-reached": "not known", "no-plan": "not known",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Verdict:
    """All that is answered.

    Attributes
    ----------
    instance, summary : str
        Name of the instance, and what it is.
    columns : tuple of Stood
        Strategies side by side.
    apart : Apart
        AI without the mining beside it.
    switches : tuple of Switch
        Prices at which the answer turns.
    gap : float
        Relative gap of the columns.
    idle, missed : tuple of Job
        Sides of prices on which there is nothing to move, and those that were not reached.
    inputs : mapping of str to str
        SHA-256 of what each file of the instance says, by its name.
    """

    instance: str
    summary: str
    columns: tuple[Stood, ...]
    apart: Apart
    switches: tuple[Switch, ...] = ()
    gap: float = 1e-4
    idle: tuple[Job, ...] = ()
    missed: tuple[Job, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: Name) -> Stood | None:
        """One of the columns."""
        return next((one for one in self.columns if one.name == name), None)

    @property
    def mixing(self) -> Mixing:
        """The best plan less the better pure strategy."""
        return mixing(self.columns)

    @property
    def complete(self) -> bool:
        """Whether nothing was left open for want of time."""
        return (
            not self.missed
            and all(one.status in ("solved", "infeasible") for one in self.columns)
            and all(switch.status not in ("unfinished", "wide") for switch in self.switches)
        )

    @property
    def tie_musd(self) -> float:
        """Difference up to which two columns count as equal."""
        best = self.column("optimum")
        value = 0.0 if best is None or best.value_musd is None else best.value_musd
        return self.gap * max(1.0, abs(value))


# --- one sentence --------------------------------------------------------------------------


def sentence(verdict: Verdict) -> str:
    """Say the verdict so that a board can read it."""
    best = verdict.column("optimum")
    if best is None or best.value_musd is None:
        why = "" if best is None else best.reason
        cannot = best is not None and best.status in ("infeasible", "unbounded", "audit-failed")
        out = "; `rackwatt explain` names what clashes, and what would be enough"
        asks = out if best is not None and best.status == "infeasible" else ""
        return f"{'No plan' if cannot else 'Not known'}: {why or 'none was found'}{asks}."
    parts = [_deed(verdict, best), _mixing(verdict), _right(verdict)]
    proof = "" if best.status == "solved" else " (best plan found; its proof is not complete)"
    return "; ".join(filter(None, parts)) + proof + "."


def _deed(verdict: Verdict, best: Stood) -> str:
    """What to do, and what it is worth beside doing nothing."""
    still = verdict.column("as-is")
    assert best.value_musd is not None
    assert best.figures is not None
    over = (
        None if still is None or still.value_musd is None else best.value_musd - still.value_musd
    )
    if over is not None and over <= verdict.tie_musd:
        if best.status != "solved":
            return "Not known: nothing better was found so far than keeping what stands"
        return "Carry on: nothing is worth more than keeping what stands"
    told = best.figures
    names = list(told.signed_mw)
    halls = (
        f"convert {counted(round(told.halls_converted), 'hall')}" if told.halls_converted else ""
    )
    signed = f"sign {counted(len(names), 'contract')} ({', '.join(names)})" if names else ""
    deeds = " and ".join(filter(None, (halls, signed)))
    if not names:
        deeds = f"{_unsigned(best, halls)}, with {figure(told.capex_musd)} M$ of capex"
    if over is not None:
        beside = f": {figure(over)} M$ better than carrying on"
    elif still is not None and still.status == "infeasible":
        beside = "; carrying on cannot be"
    else:
        beside = "; what carrying on is worth is not known"
    return deeds[:1].upper() + deeds[1:] + beside


def _unsigned(best: Stood, halls: str) -> str:
    """Say what a plan does that signs nothing."""
    told = best.figures
    assert told is not None
    racks = "buy racks for AI" if _buys_for_ai(best) else ""
    deeds = " and ".join(filter(None, (halls, racks)))
    if deeds:
        return f"{deeds}, and sign no contract"
    if told.mining_mw <= DUST_MW:
        return "sign no contract"
    return "add no AI contract" if told.ai_mw > DUST_MW else "stay with mining"


def _buys_for_ai(best: Stood) -> bool:
    """Whether a plan orders racks for AI halls."""
    plan = best.plan
    return plan is not None and any(
        plan.given.workload_of[index[1]] == "ai" and float(count) > DUST_MW
        for index, count in plan.orders.items()
    )


def _mixing(verdict: Verdict) -> str:
    """What both businesses are worth beside one."""
    pure, found = better_pure(verdict.columns), verdict.mixing
    more = found.worth_musd
    alone = [verdict.column("mining-only"), verdict.column("ai-only")]
    if all(one is not None and one.status == "infeasible" for one in alone):
        return "neither business alone can be"
    if more is None:
        return "what mixing is worth is not known"
    if not found.exact:
        return (
            f"the mix is worth at least {figure(_down(more))} M$ more than either business alone"
        )
    if pure is None:
        return ""
    if more <= verdict.tie_musd:
        return f"the mix adds nothing to {TITLES[pure.name]}"
    return (
        f"the mix is worth {figure(more)} M$ more than the better business alone "
        f"({TITLES[pure.name]})"
    )


def _right(verdict: Verdict) -> str:
    """Say how far each price, moved alone, was seen to leave the answer as it is."""
    ended = [_within(switch) for switch in verdict.switches if switch.status in ENDED]
    open_ = [_open(switch) for switch in verdict.switches if switch.status == "unfinished"]
    open_ += [f"{BY_NAME[job.price].words} {_verb(*job)}" for job in verdict.missed]
    said = []
    if ended:
        said.append(
            f"each price moved alone, right at every value tried as long as {', '.join(ended)}"
        )
    if open_:
        none_known = not ended and all(_is_unseen(switch) for switch in verdict.switches)
        said.append(
            "no time was left to look at prices" if none_known
            else f"not known where {', '.join(open_)}"
        )  # fmt: skip
    return "; ".join(said)


def _is_unseen(switch: Switch) -> bool:
    """Whether nothing is known of a side."""
    return switch.status == "unfinished" and switch.near in (None, switch.base)


def _verb(price: str, side: str) -> str:
    """Say which way a price goes, in its number."""
    verbs = ("fall", "rise") if BY_NAME[price].words == "AI rents" else ("falls", "rises")
    return verbs[side == "above"]


def _within(switch: Switch) -> str:
    """Say up to where the answer is the same on a side on which it ends, rounded inwards."""
    assert switch.near is not None
    price, verb = BY_NAME[switch.price], _verb(switch.price, switch.side)
    if switch.near == switch.base:
        plain = {"falls": "does not fall", "rises": "does not rise", "fall": "do not fall",
                 "rise": "do not rise"}  # fmt: skip
        return f"{price.words} {plain[verb]}"
    bound = "by no more than" if price.whole else "by less than"
    return f"{price.words} {verb} {bound} {_moved_by(switch)}"


def _open(switch: Switch) -> str:
    """Say from where on a side is not known."""
    words = f"{BY_NAME[switch.price].words} {_verb(switch.price, switch.side)}"
    if switch.near is None or switch.near == switch.base:
        return words
    return f"{words} by more than {_moved_by(switch)}"


def _moved_by(switch: Switch) -> str:
    """How far the near side lies from the instance, rounded towards it."""
    assert switch.near is not None
    by, price = abs(switch.near - switch.base), BY_NAME[switch.price]
    if price.whole:
        return counted(round(by), "month")
    if price.verb == "scale":
        return f"{_inwards(100.0 * by / abs(switch.base))} %"
    return f"{_inwards(by)} {price.unit}"


def _inwards(number: float) -> str:
    """Write a number with three digits that count, cut and never rounded up.

    Examples
    --------
    >>> _inwards(11.9995), _inwards(34.86), _inwards(1234.9), _inwards(0.0), _inwards(20.8)
    ('11.9', '34.8', '1,234', '0', '20.8')
    """
    if number <= 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(number)))
    # What binary figures add to a number as it was typed is not cut away.
    cut = math.floor(number * 10**digits * (1 + 1e-12)) / 10**digits
    return f"{cut:,.{digits}f}"


def _down(musd: float) -> float:
    """Cut M$ to the tenth that is shown."""
    return math.floor(10.0 * musd * (1 + 1e-12)) / 10.0


# --- side by side --------------------------------------------------------------------------


def screen(verdict: Verdict) -> list[RenderableType]:
    """Lay the verdict out for a terminal."""
    head = Text.assemble((verdict.instance, "bold"), f"  {verdict.summary}")
    parts: list[RenderableType] = [head, Text(f"\n{sentence(verdict)}\n", "bold")]
    parts += [side_by_side(verdict), *_reasons(verdict), Text(""), *_worth(verdict)]
    if verdict.switches or verdict.idle or verdict.missed:
        parts += [Text("\nWhere the answer changes", "bold"), *_turns(verdict)]
    return parts


def side_by_side(verdict: Verdict) -> Table:
    """Put the figures of every strategy in a column."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for one in verdict.columns:
        table.add_column(_HEADS[one.name], justify="right", no_wrap=True)
    for label, cells in _rows(verdict):
        table.add_row(label, *cells)
    return table


def _rows(verdict: Verdict) -> Iterator[tuple[str, list[str]]]:
    columns = verdict.columns
    yield "value, M$", [_value(one) for one in columns]
    if any(one.status == "best-found" for one in columns):
        yield "at most", ["" if one.bound_musd is None or one.plan is None
                          else figure(one.bound_musd) for one in columns]  # fmt: skip
    figured = [one.figures for one in columns]
    yield "capex, M$", ["" if f is None else cell(f.capex_musd) for f in figured]
    yield (
        "halls converted",
        ["" if f is None else cell(f.halls_converted, whole=True) for f in figured],
    )
    yield "mining MW at the end", ["" if f is None else cell(f.mining_mw) for f in figured]
    yield "AI MW at the end", ["" if f is None else cell(f.ai_mw) for f in figured]
    for x in dict.fromkeys(x for f in figured if f is not None for x in f.signed_mw):
        yield f"signed: {x}, MW", ["" if f is None else cell(f.signed_mw.get(x, 0.0))
                                   for f in figured]  # fmt: skip
    if any(f is not None and f.promised is not None for f in figured):
        yield "uptime promised", ["" if f is None or f.promised is None else percent(f.promised)
                                  for f in figured]  # fmt: skip
        yield "reached", ["" if f is None or f.reached is None else percent(f.reached)
                          for f in figured]  # fmt: skip
    yield "lowest cash, M$", ["" if f is None else figure(f.lowest_cash_musd) for f in figured]
    yield "peak funding, M$", ["" if f is None else cell(f.peak_funding_musd) for f in figured]


def _value(one: Stood) -> str:
    if one.value_musd is None:
        return _NO_PLAN.get(one.status, one.status)
    return figure(one.value_musd)


def _reasons(verdict: Verdict) -> Iterator[Text]:
    """Say why columns hold no plan, and what is to be known about others."""
    for place, one in enumerate(o for o in verdict.columns if o.reason or o.remark):
        cannot = "cannot be: " if one.status == "infeasible" else ""
        words = "; ".join(filter(None, (one.remark, one.reason and f"{cannot}{one.reason}")))
        yield Text.assemble("" if place else "\n", (TITLES[one.name], "dim"), f"  {words}")


def _worth(verdict: Verdict) -> Iterator[Text]:
    found, apart = verdict.mixing, verdict.apart
    more = found.worth_musd
    if more is None:
        told = "not known"
    else:
        told = f"{figure(more)} M$" if found.exact else f"at least {figure(_down(more))} M$"
    yield Text(f"mixing       {told} (best plan less the better of mining only and AI only)")
    if apart.worth_musd is None:
        yield Text(f"flexibility  not known: {apart.reason}")
    else:
        yield Text(
            f"flexibility  {'' if apart.exact else 'at least '}"
            f"{figure(apart.worth_musd if apart.exact else _down(apart.worth_musd))} M$ "
            "(the same contracts and halls without "
            f"mining from {apart.from_month}: {figure(apart.alone_musd)} M$)"
        )


def _turns(verdict: Verdict) -> Iterator[RenderableType]:
    table = grid(("price", "words"), ("the same", "words"), ("widest step", "words"),
                 ("another at", "figure"), ("what is then different", "words"))  # fmt: skip
    for switch in verdict.switches:
        price, holds, far, words = turn_cells(switch)
        table.add_row(price, holds, step_words(switch), far, words)
    if verdict.switches:
        yield table
    if verdict.idle:
        yield Text(f"{counted(len(verdict.idle), 'side')} had nothing to move", "dim")
    if verdict.missed:
        names = ", ".join(f"{BY_NAME[job.price].words} {job.side}" for job in verdict.missed)
        yield Text(f"not known, the time was over: {names}", "dim")
    yield Text(
        "Between settings tried, at most a widest step apart, another answer may stand; brackets "
        "are proved at both ends.",
        "dim",
    )


def turn_cells(switch: Switch) -> tuple[str, str, str, str]:
    """Write one side of a price as cells."""
    price = BY_NAME[switch.price]
    unit = "" if price.verb == "scale" else f", {price.unit}"
    way = "down to" if switch.side == "below" else "up to"
    holds = f"{way} {setting_words(switch, switch.near)}"
    if switch.status == "unfinished":
        way = "below" if switch.side == "below" else "above"
        holds = f"{way}: not known" if _is_unseen(switch) else f"{holds} at least"
    number = len(held(switch))
    far = "" if switch.far is None else setting_words(switch, switch.far)
    words = {
        "none": f"no other answer at any of {number} settings tried up to there",
        "unfinished": f"unfinished: {switch.words or 'no time to close in'}",
        "wide": f"{switch.words} (no time to close in)",
        "infeasible": "no plan keeps to all limits",
        "undecided": f"undecided, the two tie: {switch.words}",
    }.get(switch.status, switch.words)
    return f"{price.words}{unit}", holds, far, words


def step_words(switch: Switch) -> str:
    """Write the widest step between settings tried that have the instance's own answer."""
    ends = widest_step(switch)
    if ends is None:
        return ""
    width = abs(ends[1] - ends[0])
    if BY_NAME[switch.price].whole:
        return f"{width:.0f}"
    return f"×{width:.3f}" if BY_NAME[switch.price].verb == "scale" else f"{width:.3g}"


def setting_words(switch: Switch, setting: float | None) -> str:
    """Write a setting: a factor with ``×``, a shift with its sign, a figure as it is."""
    if setting is None:
        return ""
    verb = BY_NAME[switch.price].verb
    if verb == "scale":
        return f"×{setting:.4f}"
    if BY_NAME[switch.price].whole:
        return f"{setting:+.0f}"
    return f"{setting:+.3f}" if verb == "delta" else f"{setting:.4g}"


__all__ = ["MEANINGS", "Verdict", "screen", "sentence"]
