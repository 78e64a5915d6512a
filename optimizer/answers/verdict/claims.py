"""What the numbers say to the claims of the article: tables made of stored verdicts.

``verdict.json`` beside an instance is what ``rackwatt verdict`` wrote of it, and
``verdict-happened.json`` what it wrote with ``--happened`` and the file of its name in
``instances/replays``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimizer.answers.verdict.prices import BY_NAME
from optimizer.answers.verdict.strategies import MEANINGS, NAMES, TITLES
from optimizer.words import figure, percent

#: Stored verdicts, and what each is of.
STORED, HAPPENED = "verdict.json", "verdict-happened.json"
#: Instances that stand in the tables, and what the article calls them.
COMPANIES = ("hut8", "hive", "iren", "texas")
HEAD = """\
`rackwatt verdict` puts strategies side by side. These tables are made of `verdict.json` and
`verdict-happened.json` beside each instance; values in M$, at a gap of 1e-4 (`hive` and `iren`
1e-3). *Mixing* is the best plan less the better of mining only and AI only. *Flexibility* is the
best plan less the same contracts and hall states without mining from the first AI on.
"""
REPLAY = """\
The same cases with what came until June 2026 (`replays/`, with sources): hashprice 53.8,
53.8, 50.9, 56.2, 42.4, 34.5 and 35.2 $/PH/day by quarter, an H100 for 2.99 $ an hour in 2024, 1.70
in October 2025 and 2.60 in mid-2026, a lease at 154 $/kW-month where the instance has one. What
comes after June 2026 nobody knows; it stays as it was. `texas` begins in 2027 and has nothing to
replay.
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
    yield _lines(
        ("the article says", "what the numbers say"),
        [(claim, said) for claim, said in _claims(told) if said],
    )
    yield "### Under which prices each choice is right\n"
    yield (
        "The nearest hashprice and AI rents, as a factor of those of the instance, at which the "
        "contracts signed or the hall states of the best plan change. Each side was solved at a "
        "gap of 1e-6; *at least* says that the answer holds so far and the search ended.\n"
    )
    yield _lines(("instance", "price", "holds from", "to", "what changes below", "above"),
                 list(_prices(told.now)))  # fmt: skip
    if told.then:
        yield "### With what came until 2026\n"
        yield REPLAY
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
        more = [verdict["mixing_musd"], verdict["flexibility_musd"]]
        rows.append((f"`{instance}`", *cells, *map(figure, more)))
    return _lines(heads, rows)


def _worth(column: Mapping[str, Any]) -> str:
    return "cannot be" if column["value_musd"] is None else figure(column["value_musd"])


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
        "after what running both costs a year, the mix is still worth more than either business "
        "alone: " + _each(now, lambda v: figure(v["mixing_musd"]), "M$")
        + ". At nought the best plan is a pure one",
    )  # fmt: skip
    yield (
        "mining can be switched off at any time without loss, as in Texas",
        "mining beside AI is worth, on the plant of the best plan, "
        + _each(now, lambda v: _known(v["flexibility_musd"]), "M$")
        + "; what stopping itself saves, hour by hour, stands in [texas](texas/README.md)",
    )
    yield (
        "AI needs 99.99 % and miners are not used to it",
        "where least is spare, the best plan reaches "
        + _each(now, _uptime, "")
        + "; what is promised is what the offers ask that it signs",
    )
    yield (
        "it is costly; only large firms manage",
        "capex of the best plan, and the most it is ever short of before any loan: "
        + _each(now, lambda v: f"{figure(_best(v)['capex_musd'])} and "
                f"{figure(_best(v)['peak_funding_musd'])}", "M$"),
    )  # fmt: skip
    yield (
        "splitting one centre in two is hard",
        "half of each site against half of the sites: " + _each(now, _halves, "M$"),
    )
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
        "the halving of 2028 lies in every horizon here; what it and 2026 did to each plan stands "
        "below" if told.then else "the halving of 2028 lies in every horizon here",
    )  # fmt: skip


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


def _halves(verdict: Mapping[str, Any]) -> str:
    each, sites = _value(verdict, "half-of-each-site"), _value(verdict, "half-of-the-sites")
    if each is None and sites is None:
        return "cannot split any site"
    return f"{figure(each)} against {figure(sites)}"


def _hut8(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    best = _best(verdict)
    signed = "signs no AI offer" if not best["signed_mw"] else "signs an AI offer"
    return (
        f"with reuse switched off and the purchase as it was, the best plan is worth "
        f"{figure(best['value_musd'])} M$ against {figure(_value(verdict, 'as-is'))} as is; it "
        f"{signed} and spends {figure(best['capex_musd'])} M$, what was owed among it"
    )


def _reuse(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    without, best = _value(verdict, "no-reuse"), _best(verdict)["value_musd"]
    if without is None:
        return f"without reuse nothing can be; with it {figure(best)} M$"
    return (
        f"reuse of GPUs, halls and power is worth {figure(best - without)} M$ of "
        f"{figure(best)}; AI serves {figure(_best(verdict)['ai_mw'])} MW at the end"
    )


def _iren(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    best, signed = _best(verdict), _best(verdict)["signed_mw"]
    deals = ", ".join(f"{x} {figure(mw)} MW" for x, mw in signed.items()) or "nothing"
    return (
        f"signed once the infrastructure stands: {deals}; worth {figure(best['value_musd'])} M$, "
        f"{figure(best['value_musd'] - _value_or(verdict, 'mining-only'))} more than mining only"
    )


def _value_or(verdict: Mapping[str, Any], strategy: str) -> float:
    return _value(verdict, strategy) or 0.0


# --- prices --------------------------------------------------------------------------------


def _prices(now: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for instance, verdict in now.items():
        by_price: dict[str, dict[str, Mapping[str, Any]]] = {}
        for switch in verdict["switching"]:
            by_price.setdefault(switch["price"], {})[switch["side"]] = switch
        for price, sides in by_price.items():
            below, above = sides.get("below"), sides.get("above")
            yield (
                f"`{instance}`", BY_NAME[price].words, _end(below), _end(above), _then(below),
                _then(above),
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
    return near


def _then(switch: Mapping[str, Any] | None) -> str:
    if switch is None:
        return ""
    if switch["status"] == "infeasible":
        return "no plan keeps to all limits"
    words = switch["words"] or ("" if switch["status"] == "unfinished" else "nothing")
    return f"the two tie: {words}" if switch["status"] == "undecided" else words


# --- replay --------------------------------------------------------------------------------


def _replays(told: Told) -> Iterator[tuple[str, str]]:
    for instance, then in told.then.items():
        before = told.now.get(instance)
        if before is None:
            continue
        yield f"`{instance}`", f"{_turn(before, then)} {then['sentence']}"


def _turn(before: Mapping[str, Any], then: Mapping[str, Any]) -> str:
    one, other = _best(before), _best(then)
    if one["value_musd"] is None or other["value_musd"] is None:
        return ""
    signs = set(one["signed_mw"]), set(other["signed_mw"])
    same = "signs the same offers" if signs[0] == signs[1] else "signs other offers"
    return (
        f"The best plan is worth {figure(other['value_musd'])} M$ instead of "
        f"{figure(one['value_musd'])}, {same}, and ends with {figure(other['ai_mw'])} MW of AI "
        f"instead of {figure(one['ai_mw'])} and {figure(other['mining_mw'])} MW of mining instead "
        f"of {figure(one['mining_mw'])}."
    )
