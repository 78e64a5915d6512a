"""Price files that an axis names: where they lie, and whether they can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimizer.errors import did_you_mean, listed
from optimizer.keys import Key
from optimizer.load.blocks import as_typed
from optimizer.load.catalogue import packaged
from optimizer.load.files import Files
from optimizer.load.prices import read_prices
from optimizer.sweep.design.reading import Reading, file_at, tables_beside

#: Folder among the base's files in which price files of a sweep lie; the instance has none of it.
FOLDER = "prices"
_FORMS = "a list of files, a table of named files, or a table of named tables of files by key"


@dataclass
class PriceFiles:
    """Price files of a sweep.

    Attributes
    ----------
    reading : Reading
        Takes the problems.
    files : Files
        The folder of the sweep file.
    known : dict
        Path of each file by its name among the base's files.
    """

    reading: Reading
    files: Files
    known: dict[str, Path] = field(default_factory=dict)
    _named: dict[str, str | None] = field(default_factory=dict)

    def read(self, at: Key, held: Any, keys: tuple[str, ...]) -> dict[str, dict[str, str]]:
        """Read the files of an axis: by label, the name of a file by dotted key.

        Parameters
        ----------
        at : Key
            Where they are named.
        held : object
            What was typed there.
        keys : tuple of str
            What a file without a key of its own is for.
        """
        if isinstance(held, list):
            held = self._labelled(at, held)
        if not isinstance(held, dict) or not held:
            self.reading.wrong_type(at, held, _FORMS)
            return {}
        found = {label: self._of_label((*at, label), files, keys) for label, files in held.items()}
        names = [self.reading.name((*at, label), label) for label in found]
        return found if all(names) and all(found.values()) else {}

    def _labelled(self, at: Key, files: list[Any]) -> dict[str, Any] | None:
        """Give each file of a list the label of its own name."""
        labels: dict[str, Any] = {}
        for place, file in enumerate(files):
            label = Path(file).stem if isinstance(file, str) else ""
            if not label:
                self.reading.wrong_type((*at, place), file, "the name of a CSV file")
            elif label in labels:
                hint = "label them: prices = { first = ..., second = ... }"
                message = "two files have the same name"
                self.reading.complain((*at, place), message, label, hint=hint)
            else:
                labels[label] = file
                self.reading.places.rename((*at, place), (*at, label))
        return labels or None

    def _of_label(self, at: Key, files: Any, keys: tuple[str, ...]) -> dict[str, str]:
        if not isinstance(files, dict):
            name = self._file(at, files)
            return dict.fromkeys(keys, name) if name else {}
        if keys:
            self.reading.wrong_type(at, files, "the name of a CSV file")
            return {}
        named = {key: self._file((*at, key), file) for key, file in files.items()}
        if not files:
            self.reading.complain(at, "the table is empty", allowed="files by key")
        return {key: name for key, name in named.items() if name} if all(named.values()) else {}

    def _file(self, at: Key, typed: Any) -> str | None:
        """Take a file in, once, and give its name among the base's files."""
        if not isinstance(typed, str) or not typed:
            self.reading.wrong_type(at, typed, "the name of a CSV file")
            return None
        if typed not in self._named:
            path = self._path(at, typed)
            self._named[typed] = self._taken(path, typed) if path else None
        return self._named[typed]

    def _path(self, at: Key, typed: str) -> Path | None:
        path, shelf = file_at(self.files.folder, typed), priced_entries()
        if path is not None or typed in shelf:
            return path or shelf[typed]
        there = tables_beside(self.files.folder, typed)
        hint = did_you_mean(typed, [*there, *shelf])
        message = "there is no such price file, nor such an entry of the catalogue of power"
        allowed = listed([*there, *shelf], 20)
        self.reading.complain(at, message, as_typed(typed), allowed, hint)
        return None

    def _taken(self, path: Path, typed: str) -> str | None:
        for name, known in self.known.items():
            if known == path:
                return name
        text = self.files.read(path, typed)
        # Whose money it is in only the base can say, so no figure is set against real ones here.
        hours = read_prices(text, typed, self.reading.report, usd_per_unit=None) if text else None
        if hours is None:
            return None
        name, number = f"{FOLDER}/{path.name}", 1
        while name in self.known:
            number += 1
            name = f"{FOLDER}/{path.stem}-{number}{path.suffix}"
        self.known[name] = path
        return name


def priced_entries() -> Mapping[str, Path]:
    """Entries of the catalogue of power that have a price file, with its path."""
    folder = Path(str(packaged().folder))
    shelf = packaged().names(("power",))
    ways = {name: entry.get("duration", entry.get("prices")) for name, entry in shelf.items()}
    return {name: folder / file for name, file in ways.items() if file}
