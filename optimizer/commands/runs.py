"""Run folders as arguments: a run keeps its inputs, so that it can be asked about later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from optimizer.commands.ready import Ready, Wish
from optimizer.errors import UsageRefused
from optimizer.write import INPUTS, MANIFEST, REPLACED, is_run

#: Beginnings of names of files that come with the program.
PACKAGED = "catalogue/"


@dataclass(frozen=True)
class Kept:
    """Copies of what a run was solved from.

    Attributes
    ----------
    files : mapping of str to bytes
        Files of the instance folder, by their name in it.
    prices : mapping of str to bytes
        Price files in place of the instance's, by site.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    prices: Mapping[str, bytes] = field(default_factory=dict)

    def of_run(self) -> dict[str, bytes]:
        """Files of the run folder."""
        own = {f"{INPUTS}/{name}": data for name, data in self.files.items()}
        return own | {f"{REPLACED}/{s}.csv": data for s, data in self.prices.items()}


def kept_inputs(ready: Ready, wish: Wish) -> Kept | None:
    """Read the files of an instance again; None where one was changed since it was solved."""
    folder, files = ready.loaded.folder, dict[str, bytes]()
    replaced = {f"{site}={path.name}" for site, path in wish.prices.items()}
    other = {*replaced, *ready.plan.hashes}
    for name, digest in ready.hashes.items():
        if name.startswith(PACKAGED) or name in other:
            continue
        try:
            files[name] = (folder / name).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(files[name]).hexdigest() != digest:
            return None
    try:
        prices = {site: path.read_bytes() for site, path in wish.prices.items()}
    except OSError:
        return None
    return Kept(files, prices)


def as_wished(wish: Wish) -> Wish:
    """Turn a wish for a run into one for the inputs that the run keeps.

    Raises
    ------
    UsageRefused
        Where the run keeps none.
    """
    run = wish.instance
    if not is_run(run) or (run / "instance.toml").exists():
        return wish
    home = run / INPUTS
    if not (home / "instance.toml").is_file():
        raise UsageRefused(
            f"{run} is a run that keeps no inputs; name its instance, or solve it anew"
        )
    replaced = {path.stem: path for path in sorted((run / REPLACED).glob("*.csv"))}
    return replace(wish, instance=home, prices={**replaced, **wish.prices})


def manifest_of(run: Path) -> dict[str, Any]:
    """Read the manifest of a run."""
    content: dict[str, Any] = json.loads((run / MANIFEST).read_text(encoding="utf-8"))
    return content
