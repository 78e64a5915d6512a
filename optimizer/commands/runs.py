"""Run folders as arguments: a run keeps its inputs, so that it can be asked about later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from optimizer.commands.ready import Ready, Wish
from optimizer.errors import InputRefused, Problem, UsageRefused
from optimizer.solve import Solved
from optimizer.write import INPUTS, MANIFEST, REPLACED, is_run

#: Beginnings of names of files that come with the program.
PACKAGED = "catalogue/"
#: What a run says of its plan.
PLAN_FILES = ("plan.json", "actions.csv")


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
    InputRefused
        Where the run keeps none.
    """
    run = wish.instance
    if not is_run(run) or (run / "instance.toml").exists():
        return wish
    home = run / INPUTS
    if not (home / "instance.toml").is_file():
        message = "the run keeps no inputs"
        hint = "name its instance, or solve it anew"
        raise InputRefused([Problem(message, str(run), hint=hint)])
    replaced = {path.stem: path for path in sorted((run / REPLACED).glob("*.csv"))}
    return replace(wish, instance=home, prices={**replaced, **wish.prices})


def no_plan(solved: Solved, folder: Path) -> str:
    """Say why there is no plan to ask about, and what to do."""
    if solved.status == "infeasible":
        return (
            f"no plan keeps to all limits of {folder}: `rackwatt explain {folder}` names the "
            "smallest set of them that clash"
        )
    if solved.status == "audit-failed":
        return f"the plan of {folder} did not pass its audit, so nothing is told of it"
    return f"no plan of {folder} was found in time: give it more with --time-limit"


def manifest_of(run: Path) -> dict[str, Any]:
    """Read the manifest of a run."""
    content: dict[str, Any] = json.loads((run / MANIFEST).read_text(encoding="utf-8"))
    return content


def refuse_changed(run: Path) -> None:
    """Say no to a run whose plan, or what it was solved from, is not as it was written.

    Raises
    ------
    UsageRefused
        Where it holds no plan, or its plan, actions or inputs are missing or were changed.
    """
    files = manifest_of(run).get("files", {})
    asked = [name for name in files if name.startswith((f"{INPUTS}/", f"{REPLACED}/"))]
    for name in (*PLAN_FILES, *asked):
        if name not in files:
            raise UsageRefused(f"{run} holds no plan: no {name} was written")
        path = run / name
        if not path.is_file():
            raise UsageRefused(f"{run} is not as it was written: {name} is missing")
        if hashlib.sha256(path.read_bytes()).hexdigest() != files[name]:
            raise UsageRefused(f"{run} is not as it was written: {name} was changed")
