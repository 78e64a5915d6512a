"""Limits that contradict each other, and sizes that nobody means."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from models.instance import (
    Block,
    Contract,
    Growth,
    Hall,
    Instance,
    Policy,
    Project,
    SignedContract,
    Works,
)
from optimizer.checks.draft import Draft
from optimizer.errors import Problem
from optimizer.keys import Key, kind_at, kinds_of, value_at

#: Most entries of a table; beyond, the plan would be larger than anyone can read or solve.
MOST_ENTRIES = {
    "sites": 500, "halls": 2_000, "projects": 2_000, "machines": 500, "racks": 500,
    "fitouts": 100, "contracts": 1_000, "power": 500, "gpu_cloud": 500, "fleet": 20_000,
    "currencies": 200,
}  # fmt: skip
#: Most periods times hall groups times fit-outs and rack types.
MOST_STATES = 20_000_000


def sizes(document: dict[str, object]) -> Iterator[tuple[Key, str, str]]:
    """Find tables of an absurd size: the key, what was found and what is allowed."""
    held = {name: document.get(name) for name in MOST_ENTRIES}
    lengths = {
        name: len(table) if isinstance(table, (dict, list)) else 0 for name, table in held.items()
    }
    for name, most in MOST_ENTRIES.items():
        if lengths[name] > most:
            yield (name,), f"{lengths[name]} entries", f"at most {most}"
    periods = value_at(document, ("horizon", "periods"))
    if isinstance(periods, int) and 0 < periods <= 240:
        states = periods * lengths["halls"] * (1 + lengths["fitouts"] + lengths["racks"])
        if states > MOST_STATES:
            found = f"{states} combinations of period, hall group and fit-out or rack type"
            yield ("horizon", "periods"), found, f"at most {MOST_STATES}"


def _policy(draft: Draft) -> Iterator[Problem]:
    policy = draft.one(Policy, "policy")
    if policy is None:
        return
    for use in ("mining", "ai"):
        least, most = getattr(policy, f"{use}_share_min"), getattr(policy, f"{use}_share_max")
        if least is not None and most is not None and least > most:
            message = f"{use}_share_min lies above {use}_share_max"
            yield draft.problem(
                ("policy", f"{use}_share_min"), message, found=f"{least:g} and {most:g}"
            )
    least = (policy.mining_share_min or 0.0) + (policy.ai_share_min or 0.0)
    if least > 1:
        message = "the least shares of mining and AI add up to more than one"
        yield draft.problem(
            ("policy", "ai_share_min"), message, found=f"{least:g}", allowed="at most 1"
        )
    if policy.mining_share_max is not None and policy.ai_share_max is not None:
        most = policy.mining_share_max + policy.ai_share_max
        if most < 1:
            message = "the most shares of mining and AI add up to less than one"
            yield draft.problem(
                ("policy", "ai_share_max"), message, found=f"{most:g}", allowed="at least 1"
            )


def _signed(draft: Draft) -> Iterator[Problem]:
    offers = draft.table(Contract, "contracts")
    seen: set[str] = set()
    for key, row in draft.rows(SignedContract, "commitments", "contracts"):
        offer = offers.get(row.contract)
        if row.contract in seen:
            message, hint = "the contract is signed twice", "add the MW up in one row"
            yield draft.problem((*key, "contract"), message, found=row.contract, hint=hint)
        seen.add(row.contract)
        if offer is not None and not offer.min_mw <= row.mw <= offer.max_mw:
            message = "the MW signed lie outside the contract's"
            allowed = f"{offer.min_mw:g} to {offer.max_mw:g} MW"
            yield draft.problem((*key, "mw"), message, found=f"{row.mw:g} MW", allowed=allowed)
    for key, offer in draft.rows(Contract, "contracts"):
        if offer.sites is not None and not offer.sites:
            message, hint = "no site may serve the contract", "leave the key out to allow all"
            yield draft.problem((*key, "sites"), message, found="[]", hint=hint)


def _commitments(draft: Draft) -> Iterator[Problem]:
    policy = draft.one(Policy, "policy")
    halls = draft.table(Hall, "halls")
    for key, works in draft.rows(Works, "commitments", "works"):
        hall = halls.get(works.hall)
        if policy and hall and hall.site in policy.keep_sites:
            message = "works are under way at a site that policy.keep_sites keeps as it is"
            yield draft.problem((*key, "hall"), message, found=f"{works.hall} at {hall.site}")


def _paths(draft: Draft) -> Iterator[Problem]:
    """No path of the format has a meaning below zero."""
    for top, kind in kinds_of(Instance).items():
        if kind.what not in ("table", "block") or kind.block is None:
            continue
        for key, block in draft.blocks.items():
            if key[0] == top and len(key) == (2 if kind.what == "table" else 1):
                yield from _negative(draft, key, block, kind.block)


def _negative(draft: Draft, key: Key, held: Block, block: type[Block]) -> Iterator[Problem]:
    for name, kind in kinds_of(block).items():
        path = getattr(held, name, None) if kind.what == "path" else None
        if path is None or kind_at((*key, name)) is None:
            continue
        values = [path.start] if isinstance(path, Growth) else (
            [step.value for step in path] if isinstance(path, list) else [path]
        )  # fmt: skip
        if min(values) < 0:
            message = "the value is outside its range"
            found = f"{min(values):g}"
            yield draft.problem((*key, name), message, found=found, allowed="at least 0")


def _growing_halls(draft: Draft) -> Iterator[Problem]:
    """A project adds halls at its own site, and a group of no halls needs one."""
    halls = draft.table(Hall, "halls")
    growing: set[str] = set()
    for key, project in draft.rows(Project, "projects"):
        if project.adds_halls is None:
            continue
        growing.add(project.adds_halls.hall)
        hall = halls.get(project.adds_halls.hall)
        if hall is not None and hall.site != project.site:
            message = "the project adds halls to a group at another site"
            at = (*key, "adds_halls", "hall")
            yield draft.problem(at, message, found=hall.site, allowed=project.site)
    for name, hall in halls.items():
        if hall.count == 0 and name not in growing:
            message = "the group has no halls, and no project adds any"
            yield draft.warning(("halls", name, "count"), message, found="0")


#: Limits that cannot hold together, each by itself.
CONTRADICTIONS: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    _policy,
    _signed,
    _commitments,
    _paths,
    _growing_halls,
)
