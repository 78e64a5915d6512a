"""Whether a value may stand under a key: its type, its range and its plausible band.

A value outside its range is told as such, whatever its band: nobody is to accept as unusual what
the model cannot mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from models.instance import Growth
from optimizer.checks.plausible import LEAST, UNITLESS, band_of, slip
from optimizer.errors import did_you_mean, listed
from optimizer.keys import (
    REFERENCES,
    Key,
    Kind,
    dotted,
    keys_of,
    kind_at,
    unit_of,
    value_at,
)
from optimizer.load.blocks import allowed_for, as_typed
from optimizer.load.catalogue import packaged
from optimizer.sweep.design.keys import ABSENT, Found
from optimizer.sweep.points import Json

#: End of the key that says how a path grows.
_GROWTH = ".growth_per_month"
_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}


@dataclass(frozen=True)
class Wrong:
    """Why a value cannot be: as a problem tells it, without its place.

    What is only ``unusual`` the base may accept.
    """

    message: str
    found: str = ""
    allowed: str = ""
    hint: str = ""
    unusual: bool = False


def gravest(wrongs: Sequence[Wrong]) -> list[Wrong]:
    """Give what no base could accept; only where there is nothing of it, what is unusual.

    Examples
    --------
    >>> [wrong.message for wrong in gravest([Wrong("odd", unusual=True), Wrong("below zero")])]
    ['below zero']
    """
    return [wrong for wrong in wrongs if not wrong.unusual] or list(wrongs)


def normal(kind: Kind, value: Any) -> Any:
    """Give a value the one form in which it is compared and named: 5 and 5.0 are one number.

    Examples
    --------
    >>> normal(Kind("number"), 60), normal(Kind("path"), [{"from": "2027-01", "value": 5}])
    (60.0, [{'from': '2027-01', 'value': 5.0}])
    """
    if kind.what == "number":
        return float(value)
    if kind.what == "path":
        return _all_floats(value)
    return value


def held_values(targets: Iterable[Found]) -> dict[str, Json]:
    """Give what the base holds under keys, as a point would change it; None under open ones."""
    return {
        target.text: None if target.base is ABSENT else normal(target.kind, target.base)
        for target in targets
    }


def _all_floats(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _all_floats(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_all_floats(inner) for inner in value]
    return float(value) if isinstance(value, int) else value


@dataclass
class Limits:
    """What the keys of the format may hold.

    Attributes
    ----------
    document : mapping
        The complete document of the base: it says what may be unusual, and which names are known.
    """

    document: Mapping[str, Any]
    _adapters: dict[int, tuple[FieldInfo, TypeAdapter[Any]]] = field(default_factory=dict)

    @cached_property
    def accepted(self) -> frozenset[str]:
        """Keys whose value may lie outside its plausible band."""
        return frozenset(self.document.get("instance", {}).get("accept_unusual", ()))

    def wrong(self, target: Found, value: Any) -> Wrong | None:
        """Say why a key may not hold a value; None where it may."""
        try:
            self._adapter(target.info).validate_python(value)
        except ValidationError as refused:
            return _told(target, value, refused)
        return (
            _negative(target, value)
            or self._implausible(target, value)
            or self._unknown_name(target, value)
        )

    def _adapter(self, info: FieldInfo) -> TypeAdapter[Any]:
        if id(info) not in self._adapters:
            annotation: Any = info.annotation
            for limit in info.metadata:
                annotation = Annotated[annotation, limit]
            config = ConfigDict(strict=True, allow_inf_nan=False)
            self._adapters[id(info)] = (info, TypeAdapter(annotation, config=config))
        return self._adapters[id(info)][1]

    def _implausible(self, target: Found, value: Any) -> Wrong | None:
        """Say where a number lies far from real figures, as reading an instance would."""
        for text, number, info in _figures(target, value):
            band, unit = band_of(info), unit_of(info)
            least = LEAST.get(unit, 0.0)
            if number and abs(number) < least and (band is None or band[0] <= 0):
                band = (least, band[1] if band else 1000.0)
            usual = band is None or band[0] <= number <= band[1] or number == info.default
            if not usual and band is not None and text not in self.accepted:
                said = _shown(info)
                message = f"{target.text} would be far from real figures"
                accept = f'if it is meant, add "{text}" to instance.accept_unusual of the base'
                advice = slip(number, unit, band)
                hint = f"{advice}; {accept}" if advice else accept
                allowed = f"{band[0]:g} to {band[1]:g}{said}"
                return Wrong(message, f"{number:g}{said}", allowed, hint, unusual=True)
        return None

    def _unknown_name(self, target: Found, value: Any) -> Wrong | None:
        """Say which name is in no table, where a key names entries of one."""
        table = _table_named(target.key) if target.kind.what in ("text", "names") else None
        if table is None:
            return None
        held = value_at(self.document, table)
        names = sorted({*(held or {}), *packaged().names(table)})
        for name in value if isinstance(value, list) else [value]:
            if name not in names:
                message = f"{target.text} would name nothing that is there"
                return Wrong(message, str(name), listed(names), did_you_mean(name, names))
        return None


def _told(target: Found, value: Any, refused: ValidationError) -> Wrong:
    """Put pydantic's complaint about a value in words."""
    error = refused.errors(include_url=False)[0]
    message, hint = f"{target.text} cannot hold this", ""
    if error["type"] in _RANGE:
        message = f"{target.text} would be outside its range"
    elif error["type"] == "literal_error":
        message = f"{target.text} takes one of some words"
    elif target.kind.what == "count" and isinstance(value, float):
        message = f"{target.text} is a count, and whole"
        hint = "write round = true beside it, or whole numbers"
    elif target.kind.what in ("number", "count") and isinstance(value, str):
        hint = "write numbers without quotes"
    elif isinstance(value, (dict, list)) and target.kind.what == "number":
        hint = "this value does not change over time"
    elif not error["type"].endswith(("_type", "_parsing")):
        hint = error["msg"][:1].lower() + error["msg"][1:]
    return Wrong(message, as_typed(value), allowed_for(target.kind, target.info), hint)


def _negative(target: Found, value: Any) -> Wrong | None:
    """Say where a value over time falls below zero, where none of the format has a meaning."""
    if target.kind.what != "path" and _path_around(target) is None:
        return None
    # From month to month it may shrink.
    numbers = [n for text, n, _ in _figures(target, value) if not text.endswith(_GROWTH)]
    if not numbers or min(numbers) >= 0:
        return None
    message = f"{target.text} would be outside its range"
    return Wrong(message, f"{min(numbers):g}{_shown(target.info)}", "at least 0")


def _shown(info: FieldInfo) -> str:
    """Write the unit of a key as it follows a figure."""
    unit = unit_of(info)
    return "" if unit in UNITLESS else f" {unit}"


def _figures(target: Found, value: Any) -> Iterator[tuple[str, float, FieldInfo]]:
    """Walk the numbers of a value: each with the key that would accept it, and its format."""
    if target.kind.what == "path":
        growth = keys_of(Growth)["growth_per_month"]
        if isinstance(value, Mapping):
            yield target.text, value["start"], target.info
            yield f"{target.text}{_GROWTH}", value["growth_per_month"], growth
        else:
            steps = value if isinstance(value, (list, tuple)) else [{"value": value}]
            for step in steps:
                yield target.text, step["value"], target.info
    elif target.kind.what in ("number", "count"):
        path = _path_around(target) if target.key[-1] in ("start", "value") else None
        text, info = path or (target.text, target.info)
        yield text, value, info


def _path_around(target: Found) -> tuple[str, FieldInfo] | None:
    """Key and format of the path of which a number is the start or a step."""
    for size in (1, 2):
        found = kind_at(target.key[:-size])
        if found is not None and found[0].what == "path":
            return dotted(target.key[:-size]), found[1]
    return None


def _table_named(key: Key) -> Key | None:
    """Table whose entries a key names."""
    for reference in REFERENCES:
        fits = len(reference.at) == len(key) and all(
            part in ("*", mine) for part, mine in zip(reference.at, key, strict=False)
        )
        if fits and reference.named != "names":
            return reference.to
    return None
