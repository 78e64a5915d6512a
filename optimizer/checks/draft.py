"""An instance as far as it could be read: what the checks look at.

A folder with one bad hall still has good halls. Each block that reads well stands here under
its key, so that all problems are found at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from pydantic import ValidationError

from models.instance import Block, Horizon, Instance, month_index, month_text
from optimizer.errors import Problem, Severity
from optimizer.keys import Key, Places, dotted, value_at

B = TypeVar("B", bound=Block)


@dataclass(frozen=True)
class Draft:
    """The blocks that read well, and everything that was typed.

    Attributes
    ----------
    document : mapping
        What was typed, catalogue entries merged in, before it became blocks.
    blocks : mapping of Key to Block
        Every block that reads well, by its key.
    places : Places
        Where each key was typed.
    doubtful : frozenset of Key
        Keys that already have a problem; nothing more is said about them.
    unread : frozenset of Key
        Tables that are not whole: a name not found in them may yet be there.
    known : mapping
        By table, the names that a catalogue could add.
    """

    document: Mapping[str, Any]
    blocks: Mapping[Key, Block]
    places: Places
    doubtful: frozenset[Key] = frozenset()
    unread: frozenset[Key] = frozenset()
    known: Mapping[Key, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def words(self) -> Mapping[str, Any]:
        """All names and texts that were typed, for whoever asks for nothing else; no figures."""
        words: Mapping[str, Any] = _words(self.document)
        return words

    def one(self, kind: type[B], *key: str) -> B | None:
        """Give a single block; None where it is absent or could not be read."""
        block = self.blocks.get(key)
        return block if isinstance(block, kind) else None

    def table(self, kind: type[B], *key: str) -> dict[str, B]:
        """Give the entries of a table by name."""
        return {str(at[-1]): block for at, block in self.rows(kind, *key)}

    def rows(self, kind: type[B], *key: str) -> list[tuple[Key, B]]:
        """Give the items of a list, or the entries of a table, with their keys."""
        return [row for row in self._inside.get(key, ()) if isinstance(row[1], kind)]  # type: ignore[misc]

    @cached_property
    def _inside(self) -> Mapping[Key, list[tuple[Key, Block]]]:
        """Blocks by the table or list that holds them."""
        inside: dict[Key, list[tuple[Key, Block]]] = {}
        for at, block in self.blocks.items():
            inside.setdefault(at[:-1], []).append((at, block))
        return inside

    @cached_property
    def whole(self) -> Instance | None:
        """The instance that was typed; None where it does not read well."""
        try:
            return Instance.model_validate(self.document)
        except ValidationError:
            return None

    def names(self, *table: str) -> set[str]:
        """Give the names in a table, whether or not their entries read well."""
        held = value_at(self.document, table)
        return set(map(str, held)) if isinstance(held, dict) else set()

    def typed(self, key: Key) -> bool:
        """Say whether a person typed this very key."""
        return key in self.places.known

    def is_doubtful(self, key: Key) -> bool:
        """Say whether the key, or the block around it, already has a problem."""
        return any(key[:length] in self.doubtful for length in range(1, len(key) + 1))

    def problem(
        self,
        key: Key,
        message: str,
        *,
        found: object = "",
        allowed: str = "",
        hint: str = "",
        severity: Severity = "error",
    ) -> Problem:
        """Write a problem about a key, with its place."""
        place = self.places.of(key)
        return Problem(
            message, place.file, place.line, dotted(key), str(found), allowed, hint, severity
        )

    def warning(self, key: Key, message: str, **words: Any) -> Problem:
        """Write a warning about a key, with its place."""
        return self.problem(key, message, severity="warning", **words)


def _words(held: Any) -> Any:
    """Leave the figures out of what was typed.

    Examples
    --------
    >>> _words({"sites": {"pecos": {"firm_mw": 40, "power": "west", "steps": [1, "2027-01"]}}})
    {'sites': {'pecos': {'firm_mw': None, 'power': 'west', 'steps': [None, '2027-01']}}}
    """
    if isinstance(held, Mapping):
        return {name: _words(inside) for name, inside in held.items()}
    if isinstance(held, (list, tuple)):
        return [_words(inside) for inside in held]
    return held if isinstance(held, str) else None


@dataclass(frozen=True)
class Span:
    """The months that are planned, as indices; ``end`` is the first month after them."""

    start: int
    end: int
    step: int

    @classmethod
    def of(cls, horizon: Horizon) -> Span:
        """Read the span off the horizon."""
        start = month_index(horizon.start)
        step = horizon.months_per_period
        return cls(start, start + step * horizon.periods, step)

    def rounded(self, months: int) -> int:
        """Round a lead time up to whole periods."""
        return -(-months // self.step) * self.step

    def text(self) -> str:
        """Write the span as its first and last month."""
        return f"{month_text(self.start)} to {month_text(self.end - 1)}"
