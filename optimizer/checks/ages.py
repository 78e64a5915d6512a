"""Racks that stand in the fleet without an age: they pass for new, which is worth a lot."""

from __future__ import annotations

from collections.abc import Iterator

from models.instance import FleetRow
from optimizer.checks.draft import Draft
from optimizer.errors import Problem, listed


def ages(draft: Draft) -> Iterator[Problem]:
    """Warn once of all the rows of the fleet that give no age."""
    rows = draft.rows(FleetRow, "fleet")
    bare = [
        (key, row)
        for key, row in rows
        if "age_months" not in row.model_fields_set and not draft.is_doubtful((*key, "age_months"))
    ]
    if not bare:
        return
    racks = sum(row.racks for _, row in bare)
    key = ("fleet",) if len(bare) == len(rows) else bare[0][0]
    which = "no row gives" if len(bare) == len(rows) else f"{len(bare)} rows do not give"
    which = "this row does not give" if len(bare) == 1 < len(rows) else which
    yield draft.warning(
        (*key, "age_months"),
        f"{which} the age of its racks, so they pass for new",
        found=f"{racks:,} racks: {listed(dict.fromkeys(row.rack for _, row in bare), 6)}",
        hint="give age_months; 0 says that they are new",
    )
