"""A plan's explanation on the screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR
from decimal import Context as Rounded

from rich.console import Group, RenderableType
from rich.text import Text

from optimizer.answers.worth.bench import Best
from optimizer.answers.worth.chosen import Turn
from optimizer.answers.worth.defaults import MOST, Moves, Side
from optimizer.answers.worth.explained import Explained
from optimizer.answers.worth.limits import Pressed
from optimizer.answers.worth.more import Worth
from optimizer.answers.worth.units import Unit
from optimizer.load import Loaded
from optimizer.screen.grids import grid
from optimizer.screen.sections import whenever
from optimizer.words import counted, figure, quantity

#: Most lines of each kind.
MOST_LIMITS, MOST_NAMED = 16, 12
#: How a unit is called that every hall of a group has one more of.
EACH = "in each hall"
#: Below this, plans are worth the same.
NOTHING_MUSD = 1e-3
#: What the figures of two tables are.
ABOUT_WORTHS = """\
re-solved: the best plan with it less the best without, each found anew; at the margin: the same
at the rate of its first step, whole decisions held; ?: a limit ended the search"""
ABOUT_PRICES = """\
misses: what the best plan with at least one of it is worth less than the best, at today's price;
a hall's price is a grant for the works of each hall"""


def told(loaded: Loaded, found: Explained) -> RenderableType:
    """Say why a plan is what it is."""
    return Group(*_parts(loaded, found))


def _parts(loaded: Loaded, found: Explained) -> Iterator[RenderableType]:
    best = found.best
    assert best.value is not None
    name = loaded.instance.instance.name
    proved = _proof(best.value, best.bound)
    yield Text.assemble(
        (name, "bold"), f"  {_which(best)} is worth {figure(best.value)} M$, {proved}"
    )
    yield Text("\nWhat binds, and what one more is worth, M$", "bold")
    yield from _limits(found)
    yield Text("\nOne more unit of each limit, M$", "bold")
    yield from _units(loaded, found.worths)
    yield Text("\nWhat was not chosen, and when it would be", "bold")
    yield from _turns(found.turns)
    yield Text(f"\nThe {MOST} defaults that move value most, M$", "bold")
    yield from _defaults(found)


def _which(best: Best) -> str:
    return "the best plan" if best.is_proved else "the plan found"


def _proof(value: float, bound: float) -> str:
    if not math.isfinite(bound):
        return "not proved to be the best"
    apart = max(0.0, bound - value)
    if apart <= 1e-9:
        return "proved to be the best"
    return f"and no plan is worth more than {_upwards(apart)} M$ more"


def _upwards(value: float) -> str:
    """Write a bound with one digit, never less than it is.

    Examples
    --------
    >>> [_upwards(x) for x in (0.014, 1e-06, 2.1, 30.0, 0.95)]
    ['0.02', '1e-06', '3', '30', '1']
    """
    return f"{_outward(value, 1, ROUND_CEILING):g}"


def _outward(value: float, digits: int, rounding: str) -> float:
    return float(Rounded(prec=digits, rounding=rounding).create_decimal(repr(value)))


# --- limits ----------------------------------------------------------------------------------


def _limits(found: Explained) -> Iterator[RenderableType]:
    if not found.pressed:
        yield Text("no limit that was typed: the decisions themselves hold this plan where it is")
    keys = set[str]()
    for one in found.pressed[:MOST_LIMITS]:
        # One key may limit several states of a hall: what more of it is worth is told once.
        yield from _limit(one, () if one.key in keys else found.worths)
        keys |= {one.key} - {""}
    if len(found.pressed) > MOST_LIMITS:
        yield Text(f"{len(found.pressed) - MOST_LIMITS} more stand in the files", "dim")


def _limit(one: Pressed, worths: Sequence[Worth]) -> Iterator[RenderableType]:
    months = one.months
    when = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]} ({len(months)})"
    least, most = quantity(one.least, ""), quantity(one.most, one.unit)
    at = most if most.startswith(f"{least} ") else f"{least} to {most}"
    where = f", {one.where}" if one.where else ""
    yield Text.assemble(f"{one.about}{where}, {whenever(one.limit, when)}: ", (at, "bold"))
    place = f", {one.file}:{one.line}" if one.line else ""
    if one.key:
        yield Text(f"  {one.key}{place}", "dim", no_wrap=True, overflow="fold")
    for worth in one.worths(worths):
        unit = worth.unit
        key = "" if unit.key == one.key else f" ({unit.key})"
        margin = "" if worth.margin_musd is None else f", {_margin(worth)} at the margin"
        yield Text(f"  {_amount(worth)}{key}: {_resolved(worth)}{margin}")


def _resolved(worth: Worth) -> str:
    if worth.verdict == "nothing":
        return "worth nothing, re-solved" if worth.together else "changes no number"
    if worth.verdict in ("refused", "not reached"):
        return worth.verdict
    if worth.verdict == "at most":
        return f"at most {_upwards(worth.at_most_musd or 0.0)}"
    return f"{_worth(worth)} re-solved"


def _amount(worth: Worth) -> str:
    unit = worth.unit
    if not unit.unit:
        return unit.what
    each = " in each hall" if unit.what.endswith(EACH) else ""
    return f"{_much(unit)}{each} more"


def _much(unit: Unit) -> str:
    singular = unit.unit.removesuffix("s") if unit.amount == 1 else unit.unit
    return f"{unit.amount:g} {singular}"


def _worth(worth: Worth) -> str:
    if worth.verdict == "worth" and worth.is_proved:
        return "no plan left" if worth.musd is None else _musd(worth.musd)
    if worth.verdict == "nothing":
        return "nothing"
    if worth.at_most_musd is None or not math.isfinite(worth.at_most_musd):
        return f"{_musd(worth.musd)}?" if worth.musd is not None else "unproved"
    if worth.at_least_musd is None or not math.isfinite(worth.at_least_musd):
        return f"{_musd(worth.musd)}?" if worth.musd is not None else "unproved"
    return _between(worth.at_least_musd, worth.at_most_musd)


def _between(least: float, most: float) -> str:
    """Write what is left open, as a range that is never narrower than it is.

    Examples
    --------
    >>> _between(0.0, 320.3249), _between(-0.12349, 0.12341)
    ('0 to 320.40?', '-0.124 to 0.124?')
    """
    low, high = (
        _outward(value, 4 if abs(value) >= 10 else 3, rounding)
        for value, rounding in ((least, ROUND_FLOOR), (most, ROUND_CEILING))
    )
    return f"{_musd(low)} to {_musd(high)}?"


def _margin(worth: Worth) -> str:
    return "–" if worth.margin_musd is None else _musd(worth.margin_musd)


def _musd(value: float) -> str:
    """Write M$ with three digits that count, as little matters here.

    Examples
    --------
    >>> [_musd(x) for x in (0.0, 0.21493, -0.00412, 12.3456, 1234.5)]
    ['0', '0.215', '-0.00412', '12.35', '1,234.5']
    """
    size = abs(value)
    if size < 5e-7:
        return "0"
    if size >= 1000:
        return f"{value:,.1f}"
    return f"{value:.2f}" if size >= 10 else f"{value:.3g}"


def _units(loaded: Loaded, worths: Sequence[Worth]) -> Iterator[RenderableType]:
    shown = [one for one in worths if one.verdict in ("worth", "unproved")]
    shown.sort(key=lambda one: -(one.musd or 0.0))
    if shown:
        table = grid(("one more", "words"), ("of", "words"), ("where", "words"),
                     ("re-solved", "figure"), ("at the margin", "figure"),
                     ("typed at", "date"))  # fmt: skip
        for one in shown:
            unit = one.unit
            table.add_row(_much(unit) if unit.unit else "", unit.what, unit.where, _worth(one),
                          _margin(one), _place(loaded, unit.key))  # fmt: skip
        yield table
        yield Text(ABOUT_WORTHS, "dim")
    nothing = [one for one in worths if one.verdict == "nothing"]
    if nothing:
        most = max(one.at_most_musd or 0.0 for one in nothing)
        apart = f"more than {_upwards(most)} M$" if most > 1e-9 else "anything"
        yield Text(f"proved not to be worth {apart}, one more of: {_named(_short(nothing))}")
    yield from _bounded(worths)
    refused = [one for one in worths if one.verdict == "refused"]
    if refused:
        yield Text(f"cannot be given more: {_named(_short(refused))}")
    left = [one for one in worths if one.verdict == "not reached"]
    if left:
        yield Text(f"not reached in time: {_named(_short(left))}", "yellow")


def _bounded(worths: Sequence[Worth]) -> Iterator[Text]:
    """Say of those without a solve of their own what they are worth at most, the least first."""
    groups: dict[float, list[Worth]] = {}
    for one in worths:
        if one.verdict == "at most" and one.at_most_musd is not None:
            groups.setdefault(one.at_most_musd, []).append(one)
    for most, alike in sorted(groups.items()):
        solve = "a solve" if len(alike) == 1 else "one solve with room for all of them"
        yield Text(f"worth {_upwards(most)} M$ at most each, by {solve}, one more of: "
                   f"{_named(_short(alike))}")  # fmt: skip


def _short(worths: Iterable[Worth]) -> list[str]:
    units = [one.unit for one in worths]
    return [f"{unit.what} ({unit.where})" if unit.where else unit.what for unit in units]


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    rest = f"; and {more} more in the files" if more > 0 else ""
    return "; ".join(names[:MOST_NAMED]) + rest


def _place(loaded: Loaded, key: str) -> str:
    file, line = loaded.where(key)
    return file if line is None else f"{file}:{line}"


# --- what was not chosen ---------------------------------------------------------------------


def _turns(turns: Sequence[Turn]) -> Iterator[RenderableType]:
    if not turns:
        yield Text("nothing: all that is offered was chosen")
        return
    shown = [one for one in turns if one.verdict in ("turns", "open")]
    if shown:
        table = grid(("what", "words"), ("today", "figure"), ("chosen at", "figure"),
                     ("not at", "figure"), ("", "date"), ("misses M$", "figure"))  # fmt: skip
        for one in shown:
            thing = one.thing
            table.add_row(f"{thing.kind} {thing.name}", _price(thing.price),
                          *_bracket(one.price, one.not_at), thing.unit, _loss(one))  # fmt: skip
        yield table
        yield Text(ABOUT_PRICES, "dim")
    for one in turns:
        name = f"{one.thing.kind} {one.thing.name}"
        if one.verdict == "never":
            yield Text(f"{name}: not even {_most_welcome(one)}; {_lacks(one)}")
        elif one.verdict == "open" and one.message:
            yield Text(f"{name}: {one.message}", "yellow")
    cannot = [one for one in turns if one.verdict == "cannot"]
    for one in cannot[:MOST_NAMED]:
        yield Text(f"{one.thing.kind} {one.thing.name}: at no price; {one.message}")
    if len(cannot) > MOST_NAMED:
        yield Text(f"{len(cannot) - MOST_NAMED} more stand in the files", "dim")
    left = [f"{one.thing.kind} {one.thing.name}" for one in turns if one.verdict == "not reached"]
    if left:
        yield Text(f"not reached in time: {_named(left)}", "yellow")


def _loss(one: Turn) -> str:
    """Say what it misses, or what is left open of that."""
    if one.loss_musd is not None:
        return _musd(one.loss_musd)
    least, most = one.loss_at_least_musd, one.loss_at_most_musd
    if least is None or most is None:
        return "–"
    return _between(least, most) if math.isfinite(most) else "?"


def _most_welcome(one: Turn) -> str:
    if one.thing.kind == "contract":
        return f"at {_price(one.thing.limit)} {one.thing.unit}"
    return "with all works paid" if one.thing.kind == "hall" else "for nothing"


def _lacks(one: Turn) -> str:
    """Say what a thing would still lack at the most welcome price."""
    if one.lacks_musd is None or one.lacks_musd < NOTHING_MUSD:
        return "a plan with it is then worth no more than one without"
    return f"a plan with it would still be worth {_musd(one.lacks_musd)} M$ less"


def _bracket(price: float | None, not_at: float | None) -> tuple[str, str]:
    """Write a price at which a thing is chosen, and one at which it is not, apart and outwards.

    Examples
    --------
    >>> _bracket(286.3218, 286.3204), _bracket(1515.49, 1515.52), _bracket(280.0, None)
    (('286.322', '286.320'), ('1,515.49', '1,515.52'), ('280.00', '–'))
    """
    if price is None or not_at is None or price == not_at:
        return _price(price), _price(not_at)
    low, high = sorted((price, not_at))
    for digits in range(max(0, 4 - _power(max(abs(low), abs(high)))), 9):
        cut = 10.0**digits
        # What binary figures add to one that was typed, or take of it, is not told.
        ends = math.floor(low * cut + 1e-6) / cut, math.ceil(high * cut - 1e-6) / cut
        if ends[1] - ends[0] < 3.0 * (high - low) or digits == 8:
            break
    texts = [f"{end:,.{digits}f}" for end in ends]
    return (texts[0], texts[1]) if price < not_at else (texts[1], texts[0])


def _power(size: float) -> int:
    """Tens in a number."""
    return math.floor(math.log10(size)) if size else 0


def _price(price: float | None) -> str:
    """Write a price with five digits.

    Examples
    --------
    >>> _price(246.3936), _price(99999.01), _price(0.21234567), _price(None)
    ('246.39', '99,999', '0.21235', '–')
    """
    if price is None:
        return "–"
    digits = max(0, 4 - math.floor(math.log10(abs(price)))) if price else 0
    return f"{round(price, digits):,.{min(digits, 6)}f}"


# --- defaults --------------------------------------------------------------------------------


def _defaults(found: Explained) -> Iterator[RenderableType]:
    shown = [one for one in found.moves if one.moves > 0][:MOST]
    rest = [one for one in found.moves if one not in shown]
    if shown:
        table = grid(("default", "words"), ("is", "figure"), ("step", "date"),
                     ("less of it", "figure"), ("more of it", "figure"))  # fmt: skip
        for one in shown:
            table.add_row(one.default.key, _held(one), one.step, _side(one.down), _side(one.up))
        yield table
    elif all(one.is_proved for one in rest):
        yield Text("no default moves it, by a tenth or a period")
    else:
        yield Text("none is known to move it, but not all were solved to the end", "yellow")
    yield from _other_defaults(rest, "it less" if shown else "nothing")
    if found.zeros:
        yield Text(f"{counted(found.zeros, 'default')} of zero, which have no tenth", "dim")


def _other_defaults(rest: Sequence[Moves], how_far: str) -> Iterator[Text]:
    """Say of all other defaults how they are known to move value less."""

    def are(*verdicts: str) -> list[Moves]:
        return [one for one in rest if one.verdict in verdicts]

    if less := are("less", "nothing"):
        yield Text(f"{counted(len(less), 'other')} proved to move {how_far}, by such steps", "dim")
    if also := are("solved", "no plan left"):
        yield Text(
            f"{counted(len(also), 'other')} solved anew, and found to move {how_far}", "dim"
        )
    if refused := are("refused"):
        yield Text(f"refused on one side or both, else proved to move {how_far}: "
                   f"{_named(_keys(refused))}", "dim")  # fmt: skip
    if unfound := are("not found"):
        yield Text(f"a solve found no plan: {_named(_keys(unfound))}", "yellow")
    if left := are("not reached"):
        yield Text(f"not reached in time: {counted(len(left), 'default')}", "yellow")


def _keys(moves: Iterable[Moves]) -> list[str]:
    return [one.default.key for one in moves]


def _held(one: Moves) -> str:
    value = one.default.value
    return f"{value:,.6g}" if isinstance(value, int | float) else "a path"


def _side(side: Side | None) -> str:
    if side is None:
        return "·"
    if side.musd is None:
        return "unknown" if side.verdict in ("open", "not found") else side.verdict
    return f"{side.musd:+,.3f}{'' if side.is_proved else '?'}"
