"""From what was asked for to a case that is ready to be solved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.build import Column
from optimizer.case import Case, prepare
from optimizer.commands.voice import Voice
from optimizer.highs import Options
from optimizer.load import Default, Loaded, load
from optimizer.policy import Pinned, pinned_by, policy_pins, refuse_clash


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
    workers : int or None
        Processes that solve problems of sites; as many as there are processors, unless given.
    scheduler : str or None
        Dask scheduler that has the workers instead.
    """

    instance: Path
    options: Options = field(default_factory=Options)
    prices: Mapping[str, Path] = field(default_factory=dict)
    plan: Path | None = None
    out: Path | None = None
    overwrite: bool = False
    workers: int | None = None
    scheduler: str | None = None


@dataclass(frozen=True, eq=False)
class Ready:
    """An instance that is ready to be solved.

    Attributes
    ----------
    loaded : Loaded
        The instance as it was read, lists of actions among its files.
    case : Case
        Its numbers.
    policy, plan : Pinned
        What the instance's own ``policy.pin`` decides, and what ``--plan`` does.
    """

    loaded: Loaded
    case: Case
    policy: Pinned
    plan: Pinned

    @property
    def pins(self) -> dict[Column, float]:
        """All decisions taken."""
        return {**self.policy.values, **self.plan.values}

    @property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of every file that was read, by its name."""
        return self.loaded.files

    @property
    def defaults(self) -> Sequence[Default]:
        """Figures that nobody typed, each with its source."""
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
    policy, plan = policy_pins(loaded, case), Pinned()
    if wish.plan is not None:
        plan = pinned_by(wish.plan, str(wish.plan), case)
        refuse_clash(policy.values, plan.values, str(wish.plan))
    read = {**loaded.files, **policy.hashes, **plan.hashes}
    return Ready(replace(loaded, files=read), case, policy, plan)
