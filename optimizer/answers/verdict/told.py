"""The verdict on the screen: one sentence, strategies side by side, prices at which it turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from optimizer.answers.verdict.columns import Apart, Stood, better_pure, mixing_musd
from optimizer.answers.verdict.prices import BY_NAME
from optimizer.answers.verdict.strategies import MEANINGS, TITLES, Name
from optimizer.answers.verdict.switching import Switch
from optimizer.screen.grids import cell, grid
from optimizer.words import counted, figure, percent

#: Prices that the sentence names, where they were asked for.
IN_SENTENCE = ("hashprice", "ai-rate", "power-price")
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
_NO_PLAN: Mapping[str, str] = {"infeasible": "cannot be", "not-reached": "no time"}


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
    asked : int
        How many sides of prices were asked for.
    """

    instance: str
    summary: str
    columns: tuple[Stood, ...]
    apart: Apart
    switches: tuple[Switch, ...] = ()
    gap: float = 1e-4
    asked: int = 0

    def column(self, name: Name) -> Stood | None:
        """One of the columns."""
        return next((one for one in self.columns if one.name == name), None)

    @property
    def mixing_musd(self) -> float | None:
        """The best plan less the better pure strategy."""
        return mixing_musd(self.columns)

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
        return f"No plan: {why or 'none was found'}."
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
        return "Carry on: nothing is worth more than keeping what stands"
    told = best.figures
    names = list(told.signed_mw)
    halls = (
        f"convert {counted(round(told.halls_converted), 'hall')}" if told.halls_converted else ""
    )
    signed = f"sign {counted(len(names), 'contract')} ({', '.join(names)})" if names else ""
    deeds = " and ".join(filter(None, (halls, signed)))
    if not names:
        capex = f"{figure(told.capex_musd)} M$ of capex"
        stay = "Stay with mining" if not told.ai_mw else "Add no AI contract"
        deeds = f"{stay}, with {capex}" + (f": {halls}" if halls else "")
    beside = (
        "; carrying on cannot be" if over is None
        else f": {figure(over)} M$ better than carrying on"
    )  # fmt: skip
    return deeds[:1].upper() + deeds[1:] + beside


def _mixing(verdict: Verdict) -> str:
    """What both businesses are worth beside one."""
    pure, more = better_pure(verdict.columns), verdict.mixing_musd
    if pure is None or more is None:
        return "neither business alone can be"
    if more <= verdict.tie_musd:
        return f"the mix adds nothing to {TITLES[pure.name]}"
    return (
        f"the mix is worth {figure(more)} M$ more than the better business alone "
        f"({TITLES[pure.name]})"
    )


def _right(verdict: Verdict) -> str:
    """Between which prices the answer holds."""
    spans = [span for name in IN_SENTENCE if (span := _span(verdict.switches, name))]
    return f"right as long as {', '.join(spans)}" if spans else ""


def _span(switches: Sequence[Switch], name: str) -> str:
    """Within which span of one price, as shares of what is assumed where it is a factor."""
    ends = {
        s.side: s for s in switches
        if s.price == name and s.status in ("proved", "undecided", "infeasible")
    }  # fmt: skip
    below, above = ends.get("below"), ends.get("above")
    if below is None and above is None:
        return ""
    price = BY_NAME[name]

    def much(switch: Switch) -> str:
        assert switch.near is not None
        by = abs(switch.near - switch.base)
        if price.verb == "scale":
            return f"{_three(100.0 * by / abs(switch.base))} %"
        return f"{_three(by)} {price.unit}"

    words = [f"falls by less than {much(below)}"] if below else []
    words += [f"rises by less than {much(above)}"] if above else []
    verb = {"AI rents": ("fall", "rise")}.get(price.words)
    if verb:
        words = [w.replace("falls", verb[0]).replace("rises", verb[1]) for w in words]
    return f"{'the ' if name == 'power-price' else ''}{price.words} {' or '.join(words)}"


def _three(number: float) -> str:
    """Write a number with three digits that count, so that a narrow bracket shows.

    Examples
    --------
    >>> _three(1.23456), _three(34.86), _three(1234.0), _three(0.0)
    ('1.23', '34.9', '1,234', '0')
    """
    if number == 0:
        return "0"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


# --- side by side --------------------------------------------------------------------------


def screen(verdict: Verdict) -> list[RenderableType]:
    """Lay the verdict out for a terminal."""
    head = Text.assemble((verdict.instance, "bold"), f"  {verdict.summary}")
    parts: list[RenderableType] = [head, Text(f"\n{sentence(verdict)}\n", "bold")]
    parts += [side_by_side(verdict), *_reasons(verdict), Text(""), *_worth(verdict)]
    if verdict.switches or verdict.asked:
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
    more, apart = verdict.mixing_musd, verdict.apart
    told = "not known: a column is missing" if more is None else f"{figure(more)} M$"
    yield Text(f"mixing       {told} (best plan less the better of mining only and AI only)")
    if apart.worth_musd is None:
        yield Text(f"flexibility  not known: {apart.reason}")
    else:
        yield Text(
            f"flexibility  {figure(apart.worth_musd)} M$ (the same contracts and halls without "
            f"mining from {apart.from_month}: {figure(apart.alone_musd)} M$)"
        )


def _turns(verdict: Verdict) -> Iterator[RenderableType]:
    table = grid(("price", "words"), ("holds", "words"), ("another at", "figure"),
                 ("what is then different", "words"))  # fmt: skip
    for switch in verdict.switches:
        table.add_row(*turn_cells(switch))
    if verdict.switches:
        yield table
    missing = verdict.asked - len(verdict.switches)
    if missing > 0:
        yield Text(f"{counted(missing, 'side')} had nothing to move, or no time", "dim")


def turn_cells(switch: Switch) -> tuple[str, str, str, str]:
    """Write one side of a price as cells."""
    price = BY_NAME[switch.price]
    unit = "" if price.verb == "scale" else f", {price.unit}"
    way = "down to" if switch.side == "below" else "up to"
    holds = f"{way} {setting_words(switch, switch.near)}"
    far = "" if switch.far is None else setting_words(switch, switch.far)
    words = {
        "none": "nothing, as far as figures go",
        "unfinished": f"unfinished: {switch.words or 'no time to close in'}",
        "infeasible": "no plan keeps to all limits",
        "undecided": f"undecided, the two tie: {switch.words}",
    }.get(switch.status, switch.words)
    return f"{price.words}{unit}", holds, far, words


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
