"""``rackwatt solve``: from a folder to an audited plan in a run folder."""

from __future__ import annotations

import hashlib
import json

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from models.build import Column
from optimizer.case import Case, prepare
from optimizer.commands.stopping import stoppable
from optimizer.commands.voice import Voice
from optimizer.errors import InputRefused, Problem
from optimizer.highs import Options
from optimizer.load import Default, Loaded, load
from optimizer.load.files import leaves
from optimizer.pins import pins_of, read_actions
from optimizer.solve import EXIT_CODES, Solved, solve
from optimizer.unsound import refusing_unsound
from optimizer.write import refuse_taken, versions, write_run

#: Where runs go unless told otherwise.
RUNS = Path("runs")


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line.

    Attributes
    ----------
    instance : Path
        The instance's folder.
    options : Options
        Gap, limits, seed.
    prices : mapping of str to Path
        Price files by site.
    plan : Path or None
        Actions that are taken as decided.
    out : Path or None
        Run folder, or file, to write.
    overwrite : bool
        Whether what is there may be replaced.
    """

    instance: Path
    options: Options = field(default_factory=Options)
    prices: Mapping[str, Path] = field(default_factory=dict)
    plan: Path | None = None
    out: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, eq=False)
class Ready:
    """An instance that is ready to be solved.

    Attributes
    ----------
    loaded : Loaded
        The instance as it was read.
    case : Case
        Its numbers.
    policy, typed : mapping
        Decisions taken by the instance's own ``policy.pin``, and by ``--plan``.
    hashes : mapping of str to str
        SHA-256 of every file that was read.
    """

    loaded: Loaded
    case: Case
    policy: Mapping[Column, float]
    typed: Mapping[Column, float]
    hashes: Mapping[str, str]

    @property
    def pins(self) -> dict[Column, float]:
        """All decisions taken."""
        return {**self.policy, **self.typed}

    @property
    def defaults(self) -> Sequence[Default]:
        """Figures that nobody typed."""
        return self.loaded.defaults


def make_ready(wish: Wish, voice: Voice) -> Ready:
    """Read the instance and the actions that are taken as decided.

    Raises
    ------
    InputRefused
        With every problem of the folder, else of the actions.
    """
    loaded = load(wish.instance, wish.prices)
    voice.problems(loaded.warnings)
    case = prepare(loaded.instance, loaded.hours)
    hashes = dict(loaded.files)
    policy = _policy_pins(loaded, case, hashes)
    typed: Mapping[Column, float] = {}
    if wish.plan is not None:
        typed = _pins(wish.plan, str(wish.plan), case, hashes)
        _refuse_clash(policy, typed, str(wish.plan))
    return Ready(loaded, case, policy, typed, hashes)


def _policy_pins(loaded: Loaded, case: Case, hashes: dict[str, str]) -> Mapping[Column, float]:
    name = loaded.instance.policy.pin
    if name is None:
        return {}
    reason = leaves(loaded.folder, name)
    if reason:
        file, line = loaded.where("policy.pin")
        hint = "name a file inside the instance's folder"
        raise InputRefused([Problem(reason, file, line, "policy.pin", name, hint=hint)])
    return _pins(loaded.folder / name, name, case, hashes)


def _pins(path: Path, name: str, case: Case, hashes: dict[str, str]) -> Mapping[Column, float]:
    pins = pins_of(case, read_actions(path, name))
    hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return pins


def _refuse_clash(
    policy: Mapping[Column, float], typed: Mapping[Column, float], file: str
) -> None:
    clashing = [column for column, value in typed.items() if policy.get(column, value) != value]
    if clashing:
        hint = "leave the line out, or policy.pin"
        raise InputRefused([
            Problem(f"policy.pin decides otherwise on {name} of {', '.join(map(str, index[1:]))}",
                    file, key="policy.pin", hint=hint)
            for name, index in clashing
        ])  # fmt: skip


def run_folder(wish: Wish, ready: Ready) -> Path:
    """Name the run folder: as asked, else after the instance and everything the answer hangs on."""
    if wish.out is not None:
        return wish.out
    options = {**asdict(wish.options), "time_limit": str(wish.options.time_limit)}
    sites = {site: ready.hashes.get(path.name, "") for site, path in wish.prices.items()}
    content = [dict(sorted(ready.hashes.items())), options, sites, versions()["rackwatt"]]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    return RUNS / f"{ready.loaded.instance.instance.name}-{digest}"


def search_plan(
    ready: Ready, pins: Mapping[Column, float], options: Options, voice: Voice
) -> Solved:
    """Solve a case with progress on stderr; Ctrl-C gives the best plan so far."""
    with refusing_unsound(ready.loaded, ready.case), stoppable() as stop:
        return solve(ready.case, options, pinned=pins, stop=stop)


def solve_instance(wish: Wish, voice: Voice) -> int:
    """Run the command and return its exit code."""
    ready = make_ready(wish, voice)
    out = run_folder(wish, ready)
    refuse_taken(out, overwrite=wish.overwrite)
    solved = search_plan(ready, ready.pins, wish.options, voice)
    written = keep(out, ready, solved, wish)
    voice.answer(**answer(solved, written))
    return EXIT_CODES[solved.status]
