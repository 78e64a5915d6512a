"""What an axis does to the base: the keys it moves, and what each is then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from optimizer.errors import listed
from optimizer.keys import Key, value_at
from optimizer.load.catalogue import WAYS
from optimizer.sweep.design.exact import fraction, plus, times
from optimizer.sweep.design.format import Limits, Wrong, gravest, normal
from optimizer.sweep.design.keys import ABSENT, Found, find
from optimizer.sweep.design.priced import Pricing
from optimizer.sweep.design.spec import Axis, Sweep
from optimizer.sweep.points import Json, canonical

#: A key that the format does not have: what a PH/s earns, however the base says it.
HASHPRICE = "bitcoin.hashprice"
#: The keys behind it. A hashprice is price times BTC a day, fees among them, over the network's
#: PH/s: scaling the price of a bitcoin scales it by the same factor in every month.
_HASHPRICE_KEYS = ("bitcoin.hashprice_usd_per_ph_day", "bitcoin.btc_price_usd")
#: Ways of saying one thing, by table, besides those that the catalogue knows of.
_WAYS: Mapping[Key, tuple[tuple[str, ...], ...]] = {
    **WAYS,
    ("bitcoin",): (("hashprice_usd_per_ph_day",), ("btc_price_usd", "network_eh_per_s")),
}
_NUMERIC = ("number", "count", "path")
#: First part of a key that is the header of a column of the file of cases.
CASES = "cases"
#: Sign of a setting that changes nothing.
NOTHING = canonical([{}, {}])

#: Takes a message, what was found, what is allowed and a hint.
Tell = Callable[[Wrong], None]


@dataclass(frozen=True)
class Effect:
    """What one setting of an axis comes to.

    Attributes
    ----------
    setting : JSON
        Value, factor, delta or label.
    changes : mapping of str to JSON
        Effective values by key, those that are the base's own left out.
    prices : mapping of str to str
        Price files by site.
    sign : str
        The same for settings that come to the same.
    """

    setting: Json
    changes: Mapping[str, Json]
    prices: Mapping[str, str] = field(default_factory=dict)
    sign: str = ""


@dataclass(frozen=True)
class Lever:
    """An axis on its base: the keys that it moves, or the sites that it prices.

    Attributes
    ----------
    axis : Axis
        The axis.
    targets : tuple of Found
        The keys that it moves.
    limits : Limits
        What these may hold.
    sites : mapping of str to mapping
        Of an axis of prices: by label, the file of each site.
    own : mapping of str to str
        Of an axis of prices: the file that the base names for each of these sites.
    """

    axis: Axis
    targets: tuple[Found, ...]
    limits: Limits
    sites: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)

    def effect(self, setting: Json, tell: Tell) -> Effect | None:
        """Work out what a setting comes to; where it cannot be, tell the gravest reason."""
        if self.axis.verb == "prices":
            files = self.sites[setting]
            return Effect(setting, {}, files, canonical([{}, dict(files)]))
        changes: dict[str, Json] = {}
        wrongs: list[Wrong] = []
        for target in self.targets:
            value = self._value(target, setting)
            wrong = value if isinstance(value, Wrong) else self.limits.wrong(target, value)
            if wrong is not None:
                wrongs.append(wrong)
                continue
            value = normal(target.kind, value)
            if target.base is ABSENT or value != normal(target.kind, target.base):
                changes[target.text] = value
        if wrongs:
            tell(gravest(wrongs)[0])
            return None
        return Effect(setting, changes, {}, canonical([changes, {}]))

    def _value(self, target: Found, setting: Json) -> Any:
        """What a key is set to, or why it cannot be."""
        if self.axis.verb == "values":
            rounds = self.axis.round and target.kind.what == "count"
            is_float = isinstance(setting, float)
            return round(fraction(setting)) if rounds and is_float else setting
        if target.kind.what == "count":
            return self._count(target, setting)
        return moved(target.base, times if self.axis.verb == "scale" else plus, setting)

    def _count(self, target: Found, setting: float) -> int | Wrong:
        """Scale a count, which must stay whole."""
        base, by = fraction(target.base), fraction(setting)
        exact: Fraction = base * by if self.axis.verb == "scale" else base + by
        if exact.denominator == 1 or self.axis.round:
            return round(exact)
        message = f"{target.text} would not be whole, and is a count"
        return Wrong(message, f"{float(exact):g}", "", "write round = true beside it")


def moved(held: Any, move: Callable[[float, float], float], by: float) -> Any:
    """Move a number, or every value of a path: its start or its steps, not its growth or dates."""
    if isinstance(held, Mapping):
        return {**held, "start": move(held["start"], by)}
    if isinstance(held, Sequence):
        return [{**step, "value": move(step["value"], by)} for step in held]
    return move(held, by)


# --- what an axis moves ----------------------------------------------------------------------


@dataclass
class Bench:
    """Finds what the axes of a sweep move in a document."""

    sweep: Sweep
    document: Mapping[str, Any]
    limits: Limits
    report: Callable[..., None]

    def lever(self, axis: Axis) -> Lever | None:
        """Find what an axis moves; None, and its problems, where it moves nothing."""
        if axis.verb == "prices":
            pricing = Pricing(self.sweep, self.document, self.report)
            sites = pricing.sites(axis)
            own = pricing.own(site for files in sites.values() for site in files)
            return Lever(axis, (), self.limits, sites, own) if sites else None
        found: dict[Key, Found] = {}
        sound = True
        for place, pattern in enumerate(axis.keys):
            at = self._at(axis, place)
            targets = self._targets(at, axis, pattern)
            sound = sound and bool(targets)
            found |= {target.key: target for target in targets}
        return Lever(axis, tuple(found.values()), self.limits) if sound else None

    def _at(self, axis: Axis, place: int) -> Key:
        """Where the file names a key of an axis."""
        if all(axis.name != other.name for other in self.sweep.axes):
            return (CASES, axis.name)
        one = ("axes", axis.name, "key")
        return one if one in self.sweep.places.known else ("axes", axis.name, "keys", place)

    def _targets(self, at: Key, axis: Axis, pattern: str) -> list[Found]:
        if pattern == HASHPRICE:
            return self._hashprice(at, axis)
        found, miss = find(self.document, pattern)
        if miss is not None:
            hint = miss.hint
            if pattern.startswith(HASHPRICE):
                hint = f'key = "{HASHPRICE}" with scale moves it, however the base gives it'
            self.report(at, miss.message, miss.found, miss.allowed, hint)
            return []
        if axis.verb == "values":
            return [target for target in found if self._may_be_set(at, target)]
        return self._movable(at, axis, pattern, found)

    def _hashprice(self, at: Key, axis: Axis) -> list[Found]:
        if axis.verb != "scale":
            message = f"{HASHPRICE} is no key of the format, and can only be scaled"
            hint = f"write scale = [0.8, 1.0, 1.2]; or set {_HASHPRICE_KEYS[0]}"
            self.report(at, message, axis.verb, "scale", hint)
            return []
        return [
            target
            for key in _HASHPRICE_KEYS
            for target in find(self.document, key)[0]
            if target.held is not ABSENT
        ]

    def _movable(self, at: Key, axis: Axis, pattern: str, found: list[Found]) -> list[Found]:
        """Keep the keys that hold a number; of a wildcard's, those that the base gives."""
        numeric = [target for target in found if target.kind.what in _NUMERIC]
        held = [target for target in numeric if target.base is not ABSENT]
        if not numeric:
            message = f"{axis.verb} moves numbers, and {found[0].text} holds none"
            self.report(at, message, pattern, hint="set it by values")
        elif not held:
            message = f"the base has no {pattern} to start from"
            hint = "give it in the base, or set it by values"
            self.report(at, message, pattern, hint=hint)
        return held

    def _may_be_set(self, at: Key, target: Found) -> bool:
        """Whether the base lets a key be set that it may not have."""
        other = self._said_by(target) if target.held is ABSENT else None
        if other is not None:
            message = f"the base says {target.text} another way, and takes only one of the two"
            self.report(at, message, target.text, hint=f"it gives {other}")
        return other is None

    def _said_by(self, target: Found) -> str | None:
        """Name the key by which the base says what another key would say, too."""
        block, field_ = value_at(self.document, target.key[:-1]), str(target.key[-1])
        table = target.key[:-1] if target.key[:-1] in _WAYS else target.key[:-2]
        ways = _WAYS.get(table, ())
        if not isinstance(block, dict) or not any(field_ in way for way in ways):
            return None
        others = (name for way in ways if field_ not in way for name in way)
        return next((name for name in others if name in block), None)

    def refuse_lacking(self, levers: Sequence[Lever]) -> None:
        """Refuse keys of a block that is not given, where the block needs more than is swept."""
        swept = {target.key for lever in levers for target in lever.targets}
        for lever in levers:
            for target in lever.targets:
                lacks = [str(key[-1]) for key in target.lacks if key not in swept]
                if lacks and lever.axis.verb == "values":
                    message = f"the base has no block for {target.text}, which needs more keys"
                    at = self._at(lever.axis, 0)
                    hint = f"give it in the base, with {listed(lacks)}"
                    self.report(at, message, target.text, hint=hint)

    def refuse_shared(self, levers: Sequence[Lever]) -> None:
        """Refuse axes that move one key, or a value and a part of it."""
        owners: dict[Key, str] = {}
        for lever in levers:
            for key in [*(target.key for target in lever.targets), *_priced(lever)]:
                owner = owners.setdefault(key, lever.axis.name)
                if owner != lever.axis.name:
                    self._refuse_pair(lever.axis, owner, key)
        for key, name in owners.items():
            for size in range(1, len(key)):
                if key[:size] in owners:
                    axis = next(lever.axis for lever in levers if lever.axis.name == name)
                    self._refuse_pair(axis, owners[key[:size]], key)

    def _refuse_pair(self, axis: Axis, other: str, key: Key) -> None:
        text = ".".join(map(str, key))
        message = f"two axes change {text}, {other} and {axis.name}"
        if axis.name == other:
            message = f"the axis changes {text} twice"
        hint = "narrow a wildcard, or give both to one axis by keys = [...]"
        self.report(self._at(axis, 0), message, hint=hint if other != axis.name else "")


def _priced(lever: Lever) -> Iterator[Key]:
    sites = {site for files in lever.sites.values() for site in files}
    return (("prices of", site) for site in sorted(sites))
