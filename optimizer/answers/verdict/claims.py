"""What the numbers say to the claims of the article: tables made of stored verdicts.

``verdict.json`` beside an instance is what ``rackwatt verdict`` wrote of it, and
``verdict-happened.json`` what it wrote with ``--happened`` and the file of its name in
``instances/replays``.
"""

from __future__ import annotations

import csv
import json
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimizer.answers.verdict.columns import NOT_ALONE
from optimizer.answers.verdict.prices import BY_NAME
from optimizer.answers.verdict.strategies import MEANINGS, NAMES, TITLES
from optimizer.words import figure, percent

#: Stored verdicts, and what each is of.
STORED, HAPPENED = "verdict.json", "verdict-happened.json"
#: Instances that stand in the tables, and what the article calls them.
COMPANIES = ("hut8", "hive", "iren", "texas")
HEAD = """\
`rackwatt verdict` puts strategies side by side. These tables are made of `verdict.json` and
`verdict-happened.json` beside each instance; values in M$. *Mixing* is the best plan less the
better of mining only and AI only. *Flexibility* is the best plan less the same contracts and hall
states without any mining from the first AI on: what having mining at all is worth on that plant.
"""
#: Last month of which it is known what came.
CAME_UNTIL = "2026-06"
REPLAY = """\
The same cases with what came until June 2026 (`replays/`, with sources). What comes after nobody
knows: figures stay where they were then, but for the halving of April 2028.
"""
#: What the two columns of halves say, and what they do not.
HALVES = """\
The halves leave dates to the plan: until the end less may be for AI, never more. AI halls may be
without load, sites without AI may stand empty, and sites of a single hall are not asked for half
of it. Where more is for AI already, nothing is added; a site that has AI halls today may mine
beside them until the end. Whether a centre that is split is hard to run, they do not say.
"""


@dataclass(frozen=True)
class Told:
    """Stored verdicts by instance."""

    now: Mapping[str, Mapping[str, Any]]
    then: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, instances: Path) -> Told:
        """Read what is stored."""

        def stored(file: str) -> dict[str, Any]:
            return {
                name: json.loads((instances / name / file).read_text(encoding="utf-8"))
                for name in COMPANIES
                if (instances / name / file).is_file()
            }

        return cls(stored(STORED), stored(HAPPENED))


def claims_page(instances: Path) -> Iterator[str]:
    """Write the section of the page of instances; nothing where no verdict is stored."""
    told = Told.read(instances)
    if not told.now:
        return
    yield "## The article's claims\n"
    yield "<!-- claims:begin -->\n" + HEAD
    yield "\n".join(
        f"- *{TITLES[name]}*: {MEANINGS[name]}" for name in NAMES if name != "management"
    )  # fmt: skip
    yield ""
    yield _side_by_side(told.now)
    yield f"No plan is worth more by a larger part than: {_gaps(told.now)}.\n"
    yield HALVES
    yield _lines(
        ("the article says", "what the numbers say"),
        [(claim, said) for claim, said in _claims(told) if said],
    )
    yield "### Under which prices each choice is right\n"
    yield (
        "The nearest hashprice and AI rents, as a factor of those of the instance, at which the "
        "contracts signed or the hall states of the best plan change. Every value tried up to "
        "there has the same answer, which proves nothing of those in between: the *widest step* "
        "is the largest part of a price that lies between two of them. Each setting was solved "
        "at a gap of 1e-6; *at least* says that no other was found so far, and *another at* that "
        "time did not allow to close in.\n"
    )
    yield _lines(("instance", "price", "the same from", "to", "widest step below and above",
                  "what changes below", "above"),
                 list(_prices(told.now)))  # fmt: skip
    if missing := ", ".join(f"`{name}`" for name, v in told.now.items() if not v["switching"]):
        yield f"Not looked for: prices of {missing}, and other prices than these of the rest.\n"
    if told.then:
        yield "### With what came until 2026\n"
        yield REPLAY
        yield from _not_yet(instances, told)
        yield _lines(("company", "what came", "from month, value"), list(_came(instances, told)))
        yield _side_by_side(told.then)
        yield _lines(("company", "what was right"), list(_replays(told)))
    yield "<!-- claims:end -->\n"


def _lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _side_by_side(verdicts: Mapping[str, Mapping[str, Any]]) -> str:
    names = [name for name in NAMES if name != "management"]
    heads = ("instance", *(TITLES[name] for name in names), "mixing", "flexibility")
    rows = []
    for instance, verdict in verdicts.items():
        columns = {column["strategy"]: column for column in verdict["columns"]}
        cells = [_worth(columns[name]) for name in names]
        more = [_proved(verdict, "mixing"), _proved(verdict, "flexibility")]
        rows.append((f"`{instance}`", *cells, *more))
    return _lines(heads, rows)


def _worth(column: Mapping[str, Any]) -> str:
    if column["value_musd"] is None:
        return "cannot be" if column["status"] == "infeasible" else "not known"
    return figure(column["value_musd"])


def _proved(verdict: Mapping[str, Any], name: str) -> str:
    """Write what mixing or flexibility is worth: a figure, the least it is, or that it is open."""
    value = verdict[f"{name}_musd"]
    if value is None:
        said = verdict.get(f"{name}_reason", "").startswith(NOT_ALONE)
        return "AI cannot stand alone" if said else "not known"
    return figure(value) if verdict.get(f"{name}_exact", True) else f"at least {figure(value)}"


def _gaps(verdicts: Mapping[str, Mapping[str, Any]]) -> str:
    """Say how far the bound of each best plan lies above it, relative to its value."""
    said = []
    for instance, verdict in verdicts.items():
        best = _best(verdict)
        value, bound = best["value_musd"], best["bound_musd"]
        if value is not None and bound is not None:
            said.append(f"`{instance}` {_order(abs(bound - value) / max(1.0, abs(value)))}")
    return ", ".join(said)


def _order(gap: float) -> str:
    """Write a gap with one digit, never too small; nought as such.

    Examples
    --------
    >>> _order(2.1e-4), _order(9.6e-5), _order(0.0)
    ('3e-4', '1e-4', '0')
    """
    if gap <= 0:
        return "0"
    power = math.floor(math.log10(gap))
    digit = math.ceil(gap / 10.0**power - 1e-9)
    return f"{digit}e{power}" if digit < 10 else f"1e{power + 1}"


def _not_yet(instances: Path, told: Told) -> Iterator[str]:
    """Say of which instances nothing has come, and when they begin."""
    for name in told.now:
        if name not in told.then:
            document = tomllib.loads((instances / name / "instance.toml").read_text("utf-8"))
            begins = document["horizon"]["start"]
            if begins > CAME_UNTIL:
                yield f"`{name}` begins in {begins}: nothing of it has come.\n"


def _came(instances: Path, told: Told) -> Iterator[tuple[str, str, str]]:
    """List the prices of each replay, as its file has them."""
    for instance in told.then:
        file = instances / "replays" / f"{instance}.csv"
        if not file.is_file():
            continue
        with file.open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(line for line in text if not line.startswith("#")))
        for key in list(rows[0])[1:]:
            steps = ", ".join(f"{row['month']} {row[key]}" for row in rows if row[key])
            yield f"`{instance}`", f"`{key}`", steps


# --- claims --------------------------------------------------------------------------------


def _value(verdict: Mapping[str, Any], strategy: str) -> float | None:
    column = next(c for c in verdict["columns"] if c["strategy"] == strategy)
    value: float | None = column["value_musd"]
    return value


def _best(verdict: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = verdict["columns"][-1]
    return found


def _claims(told: Told) -> Iterator[tuple[str, str]]:
    now = told.now
    yield (
        "miners lose focus when they do two things",
        "what running both costs a year is charged; the best plan is worth more than the better "
        "business alone by " + _each(now, lambda v: _proved(v, "mixing"), "M$")
        + _pure(now) + "; loss of focus itself is no figure here",
    )  # fmt: skip
    yield (
        "mining can be switched off at any time without loss, as in Texas",
        "not answered by strategies: *flexibility* takes mining away for good. What stopping "
        "saves, hour by hour, stands in [texas](texas/README.md)",
    )
    yield (
        "AI needs 99.99 % and miners are not used to it",
        "what is asked is what each offer promises; where least is spare, the best plan reaches "
        + _each(now, _uptime, "")
        + "; whether miners learn to run it is no figure here",
    )
    yield (
        "it is costly; only large firms manage",
        "capex of the best plan, and the most it is ever short of before any loan: "
        + _each(now, lambda v: f"{figure(_best(v)['capex_musd'])} and "
                f"{figure(_best(v)['peak_funding_musd'])}", "M$"),
    )  # fmt: skip
    yield "Hut 8: no reuse, newest machines, GPUs for 40 M$", _hut8(now.get("hut8"))
    yield "Hive: a little over a tenth of its GPUs reused", _reuse(now.get("hive"))
    yield "Iren lacks the infrastructure (Culper)", _iren(now.get("iren"))
    yield (
        "high-quality energy grows in value (Hut 8)",
        "not answered by strategies: what one more MW is worth, another solve has to say. At its "
        "budget `texas` gains nothing from more firm MW, with more money it does "
        "([texas-capex-firm](sweeps/README.md))",
    )
    yield (
        "the halving halves revenue, costs stay",
        "not told apart: the halving of 2028 lies in the prices of every plan, and none was "
        "solved without it",
    )


def _each(now: Mapping[str, Mapping[str, Any]], cell: Any, unit: str) -> str:
    cells = ((name, cell(verdict)) for name, verdict in now.items())
    said = ", ".join(f"`{name}` {text}" for name, text in cells if text)
    return f"{said} {unit}".rstrip()


def _known(value: float | None) -> str:
    return "" if value is None else figure(value)


def _uptime(verdict: Mapping[str, Any]) -> str:
    best = _best(verdict)
    if best.get("promised") is None:
        return ""
    return f"{percent(best['reached'])} of {percent(best['promised'])} promised"


def _pure(now: Mapping[str, Mapping[str, Any]]) -> str:
    """Name those whose best plan is a pure one."""
    none = [f"`{name}`" for name, v in now.items()
            if v["mixing_musd"] is not None and v["mixing_musd"] <= 0.05
            and v.get("mixing_exact", True)]  # fmt: skip
    return f" (nothing is gained by mixing in {', '.join(none)})" if none else ""


def _hut8(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    best = _best(verdict)
    signed = "signs no AI offer" if not best["signed_mw"] else "signs an AI offer"
    still = next(c for c in verdict["columns"] if c["strategy"] == "as-is")
    return (
        f"with reuse switched off and the purchase as it was, the best plan is worth "
        f"{figure(best['value_musd'])} M$ (as is: {_worth(still)}); it "
        f"{signed} and spends {figure(best['capex_musd'])} M$ within the horizon"
    )


def _reuse(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    without, best = _value(verdict, "no-reuse"), _best(verdict)["value_musd"]
    if without is None:
        return f"what the plan is worth without reuse is not known; with it {figure(best)} M$"
    return (
        f"the best plan is worth {figure(best - without)} M$ more than the one without reuse, in "
        "which neither GPUs nor halls nor MW that stand serve AI: GPUs in place that then run "
        f"idle are part of that. AI serves {figure(_best(verdict)['ai_mw'])} MW at the end"
    )


def _iren(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    best, signed = _best(verdict), _best(verdict)["signed_mw"]
    deals = ", ".join(f"{x} {figure(mw)} MW" for x, mw in signed.items()) or "nothing"
    alone = _value(verdict, "mining-only")
    more = "" if alone is None else f", {figure(best['value_musd'] - alone)} more than mining only"
    return (
        f"signed over the horizon: {deals}; worth "
        f"{figure(best['value_musd'])} M${more}, after "
        f"{figure(best['capex_musd'])} M$ of capex, mining's among it. Whether what stands "
        "would do without any, no column says"
    )


# --- prices --------------------------------------------------------------------------------


def _prices(now: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for instance, verdict in now.items():
        by_price: dict[str, dict[str, Mapping[str, Any]]] = {}
        for switch in verdict["switching"]:
            by_price.setdefault(switch["price"], {})[switch["side"]] = switch
        for price, sides in by_price.items():
            below, above = sides.get("below"), sides.get("above")
            yield (
                f"`{instance}`", BY_NAME[price].words, _end(below), _end(above),
                _step(below, above), _then(below), _then(above),
            )  # fmt: skip


def _end(switch: Mapping[str, Any] | None) -> str:
    if switch is None or switch["near"] is None:
        return ""
    near = f"×{switch['near']:.4g}"
    if switch["status"] == "none":
        return f"at least {near}"
    if switch["status"] == "unfinished":
        other = f", another at ×{switch['far']:.4g}" if switch["far"] is not None else ""
        return f"at least {near}{other}"
    if switch["status"] == "wide":
        return f"{near}, another at ×{switch['far']:.4g}"
    return near


def _step(*sides: Mapping[str, Any] | None) -> str:
    """Write the widest step between settings tried, on both sides; never as less than it is."""
    shares = [None if side is None else side.get("widest_step_share") for side in sides]
    return " and ".join(
        "·" if share is None else f"{math.ceil(1e3 * share - 1e-6) / 10:g} %" for share in shares
    )


def _then(switch: Mapping[str, Any] | None) -> str:
    if switch is None:
        return ""
    if switch["status"] == "infeasible":
        return "no plan keeps to all limits"
    if switch["status"] == "none":
        return f"no other at {sum(one['same'] is True for one in switch['tried'])} values tried"
    words = switch["words"] or "not known"
    return f"the two tie: {words}" if switch["status"] == "undecided" else words


# --- replay --------------------------------------------------------------------------------


def _replays(told: Told) -> Iterator[tuple[str, str]]:
    for instance, then in told.then.items():
        before = told.now.get(instance)
        if before is None:
            continue
        yield f"`{instance}`", f"{_turn(before, then)} {_beside(then)}"


def _turn(before: Mapping[str, Any], then: Mapping[str, Any]) -> str:
    one, other = _best(before), _best(then)
    if one["value_musd"] is None or other["value_musd"] is None:
        return ""
    signs = set(one["signed_mw"]), set(other["signed_mw"])
    if not signs[1]:
        same = "signs no offer" + (", as before" if not signs[0] else "")
    else:
        same = "signs the same offers" if signs[0] == signs[1] else "signs other offers"
    return (
        f"The best plan is worth {figure(other['value_musd'])} M$ instead of "
        f"{figure(one['value_musd'])}, {same}, and ends with {figure(other['ai_mw'])} MW of AI "
        f"instead of {figure(one['ai_mw'])} and {figure(other['mining_mw'])} MW of mining instead "
        f"of {figure(one['mining_mw'])}."
    )


def _beside(then: Mapping[str, Any]) -> str:
    """Say what carrying on and mixing come to with what happened."""
    still = next(c for c in then["columns"] if c["strategy"] == "as-is")
    return f"As is: {_worth(still)}; mixing: {_proved(then, 'mixing')}."
