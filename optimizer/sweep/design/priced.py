"""Which sites the price files of an axis are for."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.instance import USD
from optimizer.errors import did_you_mean, listed
from optimizer.keys import Key
from optimizer.load.catalogue import packaged
from optimizer.load.prices import money_told
from optimizer.sweep.design.spec import Axis, Sweep

#: Enough of a price file to hold the lines above its header.
_HEAD = 4096


@dataclass
class Pricing:
    """Finds the sites that price files are for.

    Attributes
    ----------
    sweep : Sweep
        Knows where the files lie.
    document : mapping
        The complete document of the base.
    report : callable
        Takes a key of the sweep file, a message, what was found, what is allowed, and a hint.
    """

    sweep: Sweep
    document: Mapping[str, Any]
    report: Callable[..., None]

    def sites(self, axis: Axis) -> dict[str, dict[str, str]]:
        """Give the file of each site by label; sites whose prices stay the base's are left out."""
        found: dict[str, dict[str, str]] = {}
        sound = True
        for label, files in axis.prices.items():
            found[label] = {}
            for key, file in files.items():
                sites = self._of_key(self._at(axis, label, key), key)
                sound = sound and bool(sites)
                for site in sites:
                    self._add(axis, label, key, site, file, found[label])
        return found if sound else {}

    def own(self, sites: Iterable[str]) -> dict[str, str]:
        """Give the price file that the base names for each of some sites, where it names one."""
        named = {site: _named(self._power(site)) for site in sites}
        return {site: file for site, file in named.items() if file is not None}

    def _at(self, axis: Axis, label: str, key: str) -> Key:
        places = (("axes", axis.name, "prices", label, key), ("axes", axis.name, "key"))
        known = (at for at in places if at in self.sweep.places.known)
        return next(known, ("axes", axis.name, "keys"))

    def _of_key(self, at: Key, key: str) -> list[str]:
        """Sites that a key names, by themselves or by the power that bills them."""
        table, _, name = key.partition(".")
        if table not in ("power", "sites") or not name:
            hint = did_you_mean(table, ["power", "sites"])
            message = "price files are for blocks of power or for sites"
            self.report(at, message, key, "power.<name>, sites.<name>; * for all", hint)
            return []
        sites = self.document["sites"]
        billed = {site: str(held.get("power", site)) for site, held in sites.items()}
        names = list(sites) if table == "sites" else list(dict.fromkeys(billed.values()))
        matched = [name] if name in names else fnmatch.filter(names, name)
        if not matched:
            near = did_you_mean(name, names)
            message = (
                f"no site is billed by {key}" if table == "power" else "there is no such site"
            )
            self.report(at, message, key, listed(f"{table}.{one}" for one in names), near)
        return [
            site for site, by in billed.items() if (site if table == "sites" else by) in matched
        ]

    def _add(self, axis: Axis, label: str, key: str, site: str, file: str,
             into: dict[str, str]) -> None:  # fmt: skip
        at, path = self._at(axis, label, key), self.sweep.files[file]
        block = self._power(site)
        told = money_told(path.read_bytes()[:_HEAD].decode("utf-8-sig", "ignore"))
        currency = str(block.get("currency", USD))
        if into.get(site, file) != file:
            self.report(at, f"{site} is given two price files", label)
        elif told not in (None, currency):
            message = f"the prices of {site} are in another currency"
            self.report(at, message, str(told), currency)
        elif not self._is_own(block, path):
            into[site] = file

    def _power(self, site: str) -> Mapping[str, Any]:
        """The block of power that bills a site."""
        name = self.document["sites"][site].get("power", site)
        held = self.document.get("power", {}).get(name)
        return held if isinstance(held, Mapping) else {}

    def _is_own(self, block: Mapping[str, Any], path: Path) -> bool:
        """Whether the base takes its prices from this very file."""
        named = _named(block)
        if named is None:
            return False
        own = self.sweep.base / named
        if not own.is_file():
            own = Path(str(packaged().folder / named))
        return own.resolve() == path.resolve()


def _named(block: Mapping[str, Any]) -> str | None:
    """Price file that a block of power names."""
    named = block.get("prices", block.get("duration"))
    return named if isinstance(named, str) else None
