"""Decisions that are taken before a solve: by an instance's own policy, or by a list."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.build import Column
from optimizer.case import Case
from optimizer.errors import InputRefused, Problem
from optimizer.load import Loaded
from optimizer.load.files import leaves
from optimizer.pins import pins_of, read_actions


@dataclass(frozen=True, eq=False)
class Pinned:
    """Decisions taken by a list of actions, and the SHA-256 of the file by its name."""

    values: Mapping[Column, float] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)


def policy_pins(loaded: Loaded, case: Case) -> Pinned:
    """Read the actions that ``policy.pin`` names.

    Raises
    ------
    InputRefused
        With every problem of theirs.
    """
    name = loaded.instance.policy.pin
    if name is None:
        return Pinned()
    reason = leaves(loaded.folder, name)
    if reason:
        file, line = loaded.where("policy.pin")
        hint = "name a file inside the instance's folder"
        raise InputRefused([Problem(reason, file, line, "policy.pin", name, hint=hint)])
    return pinned_by(loaded.folder / name, name, case)


def pinned_by(path: Path, name: str, case: Case) -> Pinned:
    """Read a list of actions as decisions taken.

    Parameters
    ----------
    path : Path
        The CSV file.
    name : str
        What to call it in messages.
    case : Case
        What is given.

    Raises
    ------
    InputRefused
        With every problem of its lines.
    """
    values = pins_of(case, read_actions(path, name))
    return Pinned(values, {name: hashlib.sha256(path.read_bytes()).hexdigest()})


def refuse_clash(policy: Mapping[Column, float], plan: Mapping[Column, float], file: str) -> None:
    """Refuse a list of actions that decides otherwise than the policy.

    Raises
    ------
    InputRefused
        With every decision on which they differ.
    """
    problems = [
        Problem(f"policy.pin decides otherwise on {name}: {', '.join(map(str, index))}", file,
                key="policy.pin", found=f"{value:g}", allowed=f"{policy[name, index]:g}")
        for (name, index), value in plan.items()
        if policy.get((name, index), value) != value
    ]  # fmt: skip
    if problems:
        raise InputRefused(problems)
