"""Names that one block uses for another."""

from __future__ import annotations

from collections.abc import Iterator

from models.instance import GpuCloud, Rack, Site
from optimizer.checks.draft import Draft
from optimizer.errors import Problem, did_you_mean, listed
from optimizer.keys import REFERENCES, Key, dotted, references


def names_known(draft: Draft) -> Iterator[Problem]:
    """Find names that neither the instance nor a catalogue knows, and sites without power."""
    known = {to.to: draft.names(*map(str, to.to)) for to in REFERENCES}
    for key, name, table in references(draft.words):
        if table in draft.unread or draft.is_doubtful(key):
            continue
        if name not in known[table]:
            yield _unknown(draft, key, name, table)
    supplied = draft.names("power")
    for key, site in draft.rows(Site, "sites"):
        if site.power is None and key[-1] not in supplied and not draft.is_doubtful(key):
            yield _unsupplied(draft, key)
    yield from _clouds(draft)
    yield from _circles(draft)


def _unknown(draft: Draft, key: Key, name: str, table: Key) -> Problem:
    here = draft.names(*map(str, table))
    known = here | draft.known.get(table, frozenset())
    hint = did_you_mean(name, known) or f"define [{dotted(table)}.{name}]"
    more = sorted(draft.known.get(table, frozenset()) - here)
    parts = [listed(sorted(here))] if here else []
    parts += [f"of the catalogue {listed(more)}"] if more else []
    allowed = "; ".join(parts) or f"a name in [{dotted(table)}]"
    message = f"there is no {name!r} in {dotted(table)}"
    return draft.problem(key, message, found=name, allowed=allowed, hint=hint)


def _unsupplied(draft: Draft, key: Key) -> Problem:
    supplies = sorted(draft.names("power"))
    name = str(key[-1])
    hint = f"add [power.{name}], or power = the name of a supply to the site"
    allowed = listed(supplies) or "the name of a block of power"
    return draft.problem(
        (*key, "power"), "the site has no power supply", allowed=allowed, hint=hint
    )


def _clouds(draft: Draft) -> Iterator[Problem]:
    racks = draft.table(Rack, "racks")
    for key, _ in draft.rows(GpuCloud, "gpu_cloud"):
        rack = racks.get(str(key[-1]))
        if rack is not None and (rack.machine is not None or rack.workload != "ai"):
            message = "only racks of GPUs that work for AI sell GPU-hours"
            yield draft.problem(key, message, found=f"{key[-1]}: workload {rack.workload}")


def _circles(draft: Draft) -> Iterator[Problem]:
    """Find rebuilds that lead back to where they began: each would start a new life, for ever."""
    racks = draft.table(Rack, "racks")
    after = {k: rack.converts_to.rack for k, rack in racks.items() if rack.converts_to}
    told: set[str] = set()
    for key, rack in draft.rows(Rack, "racks"):
        circle = _circle(after, str(key[-1]))
        if rack.converts_to is None or not circle or told & set(circle):
            continue
        told |= set(circle)
        yield draft.problem(
            (*key, "converts_to", "rack"),
            "racks are rebuilt in a circle, and would start a new life each time",
            found=" to ".join((*circle, circle[0])),
            allowed="a type that is never rebuilt into this one",
            hint="take one converts_to of these out",
        )


def _circle(after: dict[str, str], first: str) -> list[str]:
    """Rack types that a type is rebuilt into one after another, if the last leads back to it."""
    chain = [first]
    while (to := after.get(chain[-1])) is not None and to not in chain:
        chain.append(to)
    return chain if to == first else []
