"""What is in the way of a plan, in a sentence, as tables on screen, and as rows of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from optimizer.answers.conflict.clash import Clash
from optimizer.answers.conflict.explained import Explained, Mended
from optimizer.answers.conflict.figures import typed_text
from optimizer.answers.conflict.limits import Limit
from optimizer.answers.conflict.repairs import Found, Repair
from optimizer.elastic import Clash as Gives
from optimizer.errors import as_json, plain
from optimizer.load import Loaded
from optimizer.screen.grids import grid
from optimizer.words import figure, not_below, quantity

#: Ways in which what is told is a figure that was rounded.
ROUNDED = ("amount",)
#: Why a limit has no change of its kind.
WHY_NOT: Mapping[Found, str] = {
    "verified": "",
    "not-alone": "not enough by itself: limits not listed here then still leave no plan",
    "out-of-range": "no figure that may be typed is enough",
    "undecided": "not settled in time",
}


# --- in a sentence --------------------------------------------------------------------------


def phrase(limit: Limit) -> str:
    """Say what a limit says, within a sentence."""
    return limit.said.format(held=typed_text(limit, limit.held), where=limit.where)


def sentence(clash: Clash) -> str:
    """Say in one sentence what clashes."""
    if not clash.limits:
        return "No plan exists even with every limit that was typed lifted."
    said = [phrase(limit) for limit in clash.limits]
    whole = " Were racks and halls divisible, there would be a plan." if clash.whole_only else ""
    if len(said) == 1:
        return (
            f"{_capital(said[0])}: with that there is no plan, with every other limit freed as "
            f"far as was tried.{whole}"
        )
    listed = f"{', '.join(said[:-1])} and {said[-1]}"
    two = len(said) == 2
    apart = "each can without the other" if two else "without any one of them the others can"
    rest = apart if clash.minimal else "whether fewer of them clash was not settled"
    all_ = "both" if two else "all"
    return (
        f"{_capital(listed)} cannot {all_} hold, all else freed as far as was tried; "
        f"{rest}.{whole}"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- on screen ------------------------------------------------------------------------------


def screen(explained: Explained, loaded: Loaded) -> Iterator[RenderableType]:
    """Lay out what is in the way of a plan, where there is none or none was found."""
    yield Text(loaded.instance.instance.name, "bold")
    if explained.status == "undecided":
        yield Text("whether there is a plan was not settled", "bold yellow")
        yield Text("Give it more time with --time-limit, or look at `rackwatt check`.")
        return
    yield Text("infeasible: no plan keeps to every limit", "bold red")
    if explained.impossible:
        yield Text("\nWhat the figures alone show", "bold")
        yield Text(plain(explained.impossible))
    many = len(explained.clashes) > 1
    for number, mended in enumerate(explained.clashes, 1):
        yield Text(f"\nClash {number} of {len(explained.clashes)}" if many else "\nWhat clashes",
                   "bold")  # fmt: skip
        yield Text(sentence(mended.clash))
        if mended.clash.limits:
            yield Text("")
            yield _limits_table(mended.clash, loaded)
            yield Text("\nWhat would be enough, each tried alone" + _beside(explained), "bold")
            yield _repairs_table(mended.repairs)
    yield from _rounding([repair for one in explained.clashes for repair in one.repairs])
    yield from _ending(explained)


def _rounding(repairs: Sequence[Repair]) -> Iterator[RenderableType]:
    """Say that amounts are rounded, where some are."""
    if any(one.step is not None and one.limit.way in ROUNDED for one in repairs):
        said = "Figures are rounded outwards to what one would type; the least is exact."
        yield Text(said, "dim")


def _least(repair: Repair) -> str:
    """Give the exact least by which an amount has to move, where it is proved."""
    return f"{repair.least:,.5g}" if repair.cheapest and repair.least is not None else ""


def _beside(explained: Explained) -> str:
    return ", with the other clashes mended" if len(explained.clashes) > 1 else ""


def _ending(explained: Explained) -> Iterator[RenderableType]:
    if explained.beyond_limits:
        yield Text("\nWhat would have to give instead", "bold")
        yield _gives_table(explained.beyond_limits)
    if explained.together:
        ways = " and ".join(_way_text(way) for way in explained.together)
        yield Text(f"\nTried together, and enough: {ways}.")
    if not explained.complete:
        yield Text("\nIt is not proved that there is a plan once this is mended.", "yellow")
    if any(not one.clash.minimal for one in explained.clashes):
        yield Text("\nNot every limit is proved to be needed for the clash.", "yellow")


def _way_text(way: Repair) -> str:
    where = f", {way.limit.where}" if way.limit.where else ""
    return f"{way.limit.about}{where}: {way.then} instead of {way.was}"


def _limits_table(clash: Clash, loaded: Loaded) -> RenderableType:
    table = grid(("limit", "words"), ("where", "words"), ("when", "date"), ("typed", "words"),
                 ("key", "words"), ("line", "date"))  # fmt: skip
    for limit in clash.limits:
        table.add_row(limit.about, limit.where, _when(clash, limit), typed_text(limit, limit.held),
                      limit.key, place_of(limit, loaded))  # fmt: skip
    return table


def _when(clash: Clash, limit: Limit) -> str:
    months = clash.months.get(limit.key, ())
    return " to ".join(dict.fromkeys((months[0], months[-1]))) if months else ""


def place_of(limit: Limit, loaded: Loaded) -> str:
    """Say on which line of which file a limit was typed; empty where nobody typed it."""
    if limit.is_pin:
        return f"{loaded.instance.policy.pin}:{limit.where}"
    for length in range(len(limit.parts), 1, -1):
        place = loaded.places.known.get(limit.parts[:length])
        if place is not None:
            name = place.file.removeprefix("instance.toml")
            return f"{name}:{place.line}" if name else f"line {place.line}"
    return ""


def _repairs_table(repairs: Sequence[Repair]) -> RenderableType:
    table = grid(("change", "words"), ("where", "words"), ("from", "words"), ("to", "words"),
                 ("that is", "words"), ("least", "figure"), ("tried", "words"),
                 ("plan M$", "figure"))  # fmt: skip
    for repair in repairs:
        limit = repair.limit
        if repair.found == "verified":
            tried = "yes" if repair.cheapest else "yes; less may be enough"
            table.add_row(limit.about, limit.where, repair.was, repair.then, repair.by,
                          _least(repair), tried, figure(repair.value_musd))  # fmt: skip
        else:
            table.add_row(limit.about, limit.where, repair.was, Text("·", "dim"),
                          Text(WHY_NOT[repair.found], "dim"))  # fmt: skip
    return table


def _gives_table(gives: Sequence[Gives]) -> RenderableType:
    table = grid(("what", "words"), ("where", "words"), ("when", "date"), ("by", "figure"))
    for give in gives:
        when = " to ".join(dict.fromkeys((give.months[0], give.months[-1])))
        table.add_row(give.about, give.where, when, quantity(not_below(give.amount), give.unit))
    return table


# --- for programs ---------------------------------------------------------------------------


def answer(explained: Explained, loaded: Loaded) -> dict[str, Any]:
    """Give a program what is in the way of a plan."""
    return {
        "status": explained.status,
        "complete": explained.complete,
        "sentences": [sentence(one.clash) for one in explained.clashes],
        "impossible": as_json(explained.impossible),
        "clashes": [
            {
                "minimal": one.clash.minimal,
                "whole_numbers_only": one.clash.whole_only,
                "limits": _limit_rows(number, one, loaded),
                "repairs": _repair_rows(number, one),
            }
            for number, one in enumerate(explained.clashes, 1)
        ],
        "together": [dict(way.changes) for way in explained.together],
        "beyond_limits": [asdict(give) for give in explained.beyond_limits],
        "questions": explained.questions,
    }


def _limit_rows(number: int, mended: Mended, loaded: Loaded) -> list[dict[str, Any]]:
    return [
        {
            "clash": number,
            "limit": limit.about,
            "where": limit.where,
            "key": limit.key,
            "typed": limit.held,
            "unit": limit.unit,
            "months": list(mended.clash.months.get(limit.key, ())),
            "place": place_of(limit, loaded),
        }
        for limit in mended.clash.limits
    ]


def _repair_rows(number: int, mended: Mended) -> list[dict[str, Any]]:
    return [
        {
            "clash": number,
            "limit": repair.limit.about,
            "where": repair.limit.where,
            "key": repair.limit.key,
            "from": repair.was,
            "to": repair.then,
            "change": repair.by,
            "verified": repair.found == "verified",
            "found": repair.found,
            "cheapest": repair.cheapest,
            "least": repair.least,
            "unit": repair.limit.unit,
            "plan_value_musd": repair.value_musd,
            "changes": repair.changes,
        }
        for repair in mended.repairs
    ]


def tables(explained: Explained, loaded: Loaded) -> dict[str, pd.DataFrame]:
    """Give tidy tables for files: limits that clash, and repairs; amounts in the unit beside."""
    limits = [row for number, one in enumerate(explained.clashes, 1)
              for row in _limit_rows(number, one, loaded)]  # fmt: skip
    repairs = [row for number, one in enumerate(explained.clashes, 1)
               for row in _repair_rows(number, one)]  # fmt: skip
    flat = [{**row, "typed": str(row["typed"]), "months": " ".join(row["months"])}
            for row in limits]  # fmt: skip
    plain = [{name: value for name, value in row.items() if name != "changes"} for row in repairs]
    heads = ("clash", "limit", "where", "key")
    return {
        "clash": pd.DataFrame(flat, columns=[*heads, "typed", "unit", "months", "place"]),
        "repairs": pd.DataFrame(plain, columns=[*heads, "from", "to", "change", "verified",
                                                "found", "cheapest", "least", "unit",
                                                "plan_value_musd"]),
    }  # fmt: skip
