"""A case of a sweep as an instance folder of its own, which the other commands take."""

from __future__ import annotations

from typing import Any

import tomli_w

from optimizer.errors import Report
from optimizer.keys import value_at
from optimizer.load.catalogue import packaged
from optimizer.load.folder import TOML
from optimizer.load.prices import without_remarks
from optimizer.load.tables import read_sheet
from optimizer.sweep.point.opened import ACTIONS, Opened
from optimizer.sweep.points import Base, Point, canonical

#: Name in the folder of the plan that the sweep evaluates in every case.
PLAN = f"plan/{ACTIONS}"
_HEAD = """\
# {title}
# All that the base's files, its tables and the catalogue say stands here; this was changed:
{changes}
"""


def instance_files(base: Base, point: Point, title: str) -> dict[str, bytes]:
    """Give the files of an instance folder that is one case of a sweep.

    What stood in tables, in columns of paths or in the catalogue stands in ``instance.toml``.

    Parameters
    ----------
    base : Base
        What the case is a change of.
    point : Point
        What is changed.
    title : str
        What the case is called, for the head of the file.

    Returns
    -------
    dict
        Contents by name.
    """
    opened = Opened(base)
    document = opened.document(point)
    files: dict[str, bytes] = {}
    for name, block in document.get("power", {}).items():
        _bring_hours(opened, base, point, (name, block), files)
    pin = value_at(document, ("policy", "pin"))
    if pin in base.files:
        files[pin] = base.files[pin]
    if base.plan:
        files[PLAN] = base.plan[ACTIONS]
    head = _HEAD.format(title=title, changes="\n".join(_told(opened, point)) or "# nothing")
    return {TOML: f"{head}\n{tomli_w.dumps(document)}".encode(), **files}


def _told(opened: Opened, point: Point) -> list[str]:
    """Say what a point changes, as remarks."""
    told = []
    for text, value in point.changes.items():
        before = opened.held(text)
        was = "" if before is None else f", was {canonical(before)}"
        told.append(f"#   {text} = {canonical(value)}{was}")
    return told + [f"#   prices of {site} from {name}" for site, name in point.prices.items()]


def _bring_hours(
    opened: Opened, base: Base, point: Point, power: tuple[str, dict[str, Any]],
    files: dict[str, bytes],
) -> None:  # fmt: skip
    """Put the price file of a block of power beside the instance, and name it there."""
    name, block = power
    way = next((way for way in ("prices", "duration") if way in block), None)
    if way is None:
        return
    file = str(block[way])
    replaced = {f"{site}={path.rpartition('/')[2]}": path for site, path in point.prices.items()}
    if file in replaced:
        path = replaced[file]
        data = base.files[path]
        del block["prices"]
        block["duration" if _is_curve(data) else "prices"] = path
        files[path] = data
    elif opened.is_borrowed(("power", name, way)):
        own = f"catalogue-{file}" if file in base.files else file
        block[way] = own
        files[own] = (packaged().folder / file).read_bytes()
    else:
        files[file] = base.files[file]


def _is_curve(data: bytes) -> bool:
    sheet = read_sheet(without_remarks(data.decode("utf-8-sig")), "", Report())
    return sheet is not None and "month" in sheet.header
