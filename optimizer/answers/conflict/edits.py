"""Another document in place of the one that was typed: keys that differ, or are gone."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from optimizer.keys import Key

#: Stands for a key, or for an item of a list, that is taken out.
REMOVED: Final = object()
#: What differs from the document, by key.
Edits = Mapping[Key, Any]


def edited(document: Mapping[str, Any], edits: Edits) -> dict[str, Any]:
    """Put values into a document, or take keys and items of lists out of it.

    Parameters
    ----------
    document : mapping
        The complete document of an instance, which is left as it is.
    edits : mapping of Key to object
        What each key holds then, ``REMOVED`` where it is gone. Places of a list are those of the
        document, however many of its items go.

    Examples
    --------
    >>> typed = {"finance": {"capex_budget_musd": 5}, "policy": {"keep_sites": ["a", "b", "c"]}}
    >>> edited(typed, {("finance", "capex_budget_musd"): REMOVED,
    ...                ("policy", "keep_sites", 0): REMOVED, ("policy", "keep_sites", 2): "d"})
    {'finance': {}, 'policy': {'keep_sites': ['b', 'd']}}
    """
    new = deepcopy(dict(document))
    short: list[list[Any]] = []
    for key, value in edits.items():
        holder: Any = new
        for part in key[:-1]:
            holder = holder.setdefault(part, {}) if isinstance(holder, dict) else holder[part]
        if isinstance(holder, list):
            holder[int(key[-1])] = value
            short.append(holder)
        elif value is REMOVED:
            holder.pop(key[-1], None)
        else:
            holder[key[-1]] = value
    for held in short:
        held[:] = [item for item in held if item is not REMOVED]
    return new
