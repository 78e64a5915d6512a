"""``rackwatt check``: every problem of an instance at once, and how large it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from models.decisions import DECISIONS
from models.given import Given
from optimizer.case import Case, prepare
from optimizer.commands.voice import Voice
from optimizer.errors import InputRefused, as_json, summary
from optimizer.hosts import Host, hosts
from optimizer.load import Default, Loaded, load
from optimizer.policy import policy_pins

#: Sizes that need more words than their names.
SIZES: Mapping[str, str] = {
    "bands": "bands of hours, each with one best choice",
    "columns": "unknowns of the model",
    "integers": "whole numbers among them",
}
#: Most hall groups that are listed one by one where the same keeps them from a contract.
FEW_HALLS = 4


def check_instance(folder: Path, prices: Mapping[str, Path], voice: Voice) -> int:
    """Run the command and return its exit code."""
    loaded = load(folder, prices)
    case = prepare(loaded.instance, loaded.hours)
    try:
        policy_pins(loaded, case)
    except InputRefused as refused:
        raise InputRefused((*loaded.warnings, *refused.problems)) from refused
    voice.problems(loaded.warnings, asked=True)
    sizes = sizes_of(case)
    voice.show(
        Text.assemble((loaded.instance.instance.name, "bold"), ": ", summary(loaded.warnings)),
        _size_table(sizes),
        Text(f"{len(loaded.defaults)} figures that nobody typed; --json lists them"),
        _default_table(loaded.defaults),
        *_for_sale(loaded),
        *_hosts_table(case),
    )
    voice.answer(
        status="ok",
        problems=as_json(loaded.warnings),
        sizes=sizes,
        defaults=[asdict(default) for default in loaded.defaults],
        unsourced=loaded.unsourced(),
        racks_buyable=_buyable(loaded),
        hosts=[asdict(host) for host in hosts(case)],
    )
    return 0


def _hosts_table(case: Case) -> Iterator[RenderableType]:
    """Say which halls may ever serve which contract, and why not the others."""
    if not case.instance.contracts:
        return
    yield Text("\nWho may serve what", "bold")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("contract", "hall", "from, or why not"):
        table.add_column(head, overflow="fold")
    for contract, found in groupby(hosts(case), key=lambda host: host.contract):
        for number, (halls, told) in enumerate(who_may_serve(tuple(found))):
            table.add_row("" if number else contract, halls, told)
    yield table


def who_may_serve(found: Sequence[Host]) -> Iterator[tuple[str, str | Text]]:
    """Say hall by hall what may serve a contract; where one reason keeps out many, say it once."""
    kept_out = Counter(host.why_not for host in found)
    for host in found:
        state = f"{host.fitout}+{host.package}" if host.package else host.fitout
        told = f"{state}, {host.needs}" if host.needs else state
        if not host.why_not:
            yield host.hall, told
        elif kept_out[host.why_not] <= FEW_HALLS:
            yield host.hall, Text(host.why_not, "dim")
    for reason, count in kept_out.items():
        if reason and count > FEW_HALLS:
            yield f"{count} hall groups", Text(reason, "dim")


def sizes_of(case: Case) -> dict[str, int]:
    """Count what an instance holds, and the unknowns that its model will have."""
    i, g = case.instance, case.given
    columns = _columns(g)
    whole = {d.name for d in DECISIONS if d.domain in ("integer", "binary")}
    return {
        "periods": i.horizon.periods,
        "sites": len(i.sites),
        "hall_groups": len(i.halls),
        "halls": sum(hall.count for hall in i.halls.values()),
        "rack_types": len(i.racks),
        "racks": sum(row.racks for row in i.fleet),
        "contracts": len(i.contracts),
        "projects": len(i.projects),
        "bands": sum(len(bands) for bands in g.bands.values()),
        "columns": sum(columns.values()),
        "integers": sum(count for name, count in columns.items() if name in whole),
    }


def _columns(g: Given) -> dict[str, int]:
    return {d.name: sum(1 for _ in d.over(g)) for d in DECISIONS}


def _size_table(sizes: Mapping[str, int]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    table.add_column()
    for name, count in sizes.items():
        words = SIZES.get(name, name.replace("_", " "))
        table.add_row(f"{count:,}", words.removesuffix("s") if count == 1 else words)
    return table


def _default_table(defaults: tuple[Default, ...]) -> Table:
    """Count the figures that nobody typed, block by block."""
    counted = Counter((_block(d.key), d.source.partition(":")[0]) for d in defaults)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("figures", justify="right")
    table.add_column("block")
    table.add_column("from")
    for (block, source), count in counted.items():
        table.add_row(str(count), block, source)
    return table


def _buyable(loaded: Loaded) -> list[str]:
    return [name for name, rack in loaded.instance.racks.items() if rack.buyable]


def _for_sale(loaded: Loaded) -> Iterator[Text]:
    """Say which racks a plan may buy, and how to stop it where nobody typed that it may."""
    buyable = _buyable(loaded)
    yield Text(f"racks that may be bought: {', '.join(buyable) or 'none'}")
    along = [name for name in loaded.racks_along() if name in buyable]
    if along:
        names = ", ".join(along)
        yield Text(f"of these only named, in fleet or elsewhere, and brought along: {names};")
        yield Text(f"[racks.{along[0]}] with buyable = false keeps one from being bought")


def _block(key: str) -> str:
    """Name the block that a key stands in, as far as a table of named blocks goes.

    Examples
    --------
    >>> _block("racks.s21-lot.kw"), _block("bitcoin.fee_share")
    ('racks.s21-lot', 'bitcoin')
    """
    parts = key.split(".")
    return ".".join(parts[: max(1, min(2, len(parts) - 1))])
