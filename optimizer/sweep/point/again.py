"""A point read as a change of its base: only blocks that it touches, and checks that read them.

A sound base has no errors. A point that changes nothing but figures has one only where a block
with such a figure does not read, or where a check that looks at one of them finds it: all other
checks find what they found, and so does a check that saw the same figures in another point. Where
there is an error, or where it is not clear at once that there is none, the point is read as a
whole, and says what a folder of its own would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from models.hours import Hours
from models.instance import Instance
from optimizer.checks import CHECKS, SOUND, Draft
from optimizer.checks.allowed import hours_allowed
from optimizer.checks.bills import charges_known
from optimizer.checks.plausible import TOGETHER, Doubt, accepted, single_doubts, without
from optimizer.errors import Problem
from optimizer.keys import Key, dotted, value_at
from optimizer.load.blocks import instance_of
from optimizer.load.folder import Reading
from optimizer.sweep.point.reads import WORDS, Noted, Remembered, Watching, attributes

#: Whether something finds an error in a draft.
Finds = Callable[[Draft], bool]


class Again:
    """A sound base, and what each check looks at.

    Parameters
    ----------
    reading : Reading
        The base, read.
    instance : Instance
        The same.
    hours : mapping of str to Hours
        Priced hours of each block of power, which no point changes.
    """

    def __init__(self, reading: Reading, instance: Instance, hours: Mapping[str, Hours]) -> None:
        known, places = reading.known_names(), reading.places
        self._draft = Draft(reading.document, reading.blocks, places, known=known)
        self._accepted = set(accepted(self._draft))
        self._doubted = {doubt.key for doubt in single_doubts(self._draft)}
        self._noted = noted = Noted()
        self._watching = Watching(noted)

        def listened(finds: Finds, draft: Draft) -> Remembered:
            with noted.listening():
                finds(draft)
            return Remembered(False, noted.keys, set())

        whole = self._watching.draft(self._draft, instance, base=True)
        calm = self._watching.draft(self._calm(self._draft), instance)
        self._together = [(f, listened(f, calm)) for f in map(self._unaccepted, TOGETHER)]
        checks = [
            *map(_refused, (*CHECKS, *SOUND)),
            _refused(lambda draft: charges_known(draft, hours)),
            _refused(lambda draft: hours_allowed(draft, hours)),
        ]
        self._checks = [(finds, listened(finds, whole)) for finds in checks]

    def _calm(self, draft: Draft) -> Draft:
        """Leave out blocks with unusual numbers, which are then not looked at together."""
        return without(draft, self._doubted) if self._doubted else draft

    def _unaccepted(self, doubts: Callable[[Draft], Iterable[Doubt]]) -> Finds:
        return lambda draft: any(
            dotted(doubt.key) not in self._accepted for doubt in doubts(draft)
        )

    def after(self, document: dict[str, Any], moved: Mapping[Key, str]) -> Instance | None:
        """Read a point.

        Parameters
        ----------
        document : dict
            Its complete document.
        moved : mapping
            Figures that differ from the base, by their keys as typed, each with a text of its
            value.

        Returns
        -------
        Instance or None
            None where it has an error, or may have one.
        """
        if any(key[0] in ("horizon", "instance") for key in moved):
            return None
        touched = self._touched(moved)
        try:
            fresh = {
                key: type(self._draft.blocks[key]).model_validate(value_at(document, key))
                for key in touched
            }
        except ValidationError:
            return None
        draft = replace(self._draft, document=document, blocks={**self._draft.blocks, **fresh})
        if self._other_doubts(draft, moved, touched):
            return None
        instance = instance_of(draft.blocks)
        return None if self._found(draft, instance, moved) else instance

    def _touched(self, moved: Mapping[Key, str]) -> set[Key]:
        """Blocks in which a figure has moved."""
        every = {key[:size] for key in moved for size in range(1, len(key) + 1)}
        return {key for key in every if key in self._draft.blocks}

    def _other_doubts(self, draft: Draft, moved: Mapping[Key, str], touched: set[Key]) -> bool:
        """Whether other figures than on the base lie outside their bands."""
        under = {key[:1] if key[:1] in touched else key[:2] for key in moved}
        now = {doubt.key for doubt in single_doubts(draft, *under)}
        was = {key for key in self._doubted if key[:1] in under or key[:2] in under}
        return now != was

    def _found(self, draft: Draft, instance: Instance, moved: Mapping[Key, str]) -> bool:
        """Whether any check that looks at what has moved finds an error."""
        named = {attributes(key): value for key, value in moved.items()}
        added = [key for key in moved if value_at(self._draft.document, key) is None]
        if added:
            named[WORDS] = " ".join(map(dotted, added))
        whole = _Watched(self._watching, draft, instance)
        calm = _Watched(self._watching, self._calm(draft), instance)
        return any(
            remembered.after(named, {}, {}, lambda: finds(draft.watched), self._noted)  # noqa: B023
            for draft, checks in ((whole, self._checks), (calm, self._together))
            for finds, remembered in checks
        )


class _Watched:
    """A draft that takes note of who looks, made where somebody does."""

    def __init__(self, watching: Watching, draft: Draft, instance: Instance) -> None:
        self._parts = draft, instance
        self._watching = watching

    @cached_property
    def watched(self) -> Draft:
        return self._watching.draft(*self._parts)


def _refused(check: Callable[[Draft], Iterable[Problem]]) -> Finds:
    return lambda draft: any(problem.severity == "error" for problem in check(draft))
