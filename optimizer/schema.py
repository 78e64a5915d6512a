"""The JSON Schema of ``instance.toml``, for editors that complete and check as one types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.instance import TABLES, Block, Instance
from optimizer.keys import Key, kinds_of
from optimizer.load.catalogue import SHELVES, packaged

#: Blocks that need not stand in the file: tables may be CSV, power may come from a catalogue.
_ELSEWHERE = {*TABLES, "power"}


def schema() -> dict[str, Any]:
    """Write the schema: what pydantic says, with ``use``, named paths and planned keys."""
    page = Instance.model_json_schema(by_alias=True)
    page["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    page["title"] = "instance.toml"
    page["required"] = [name for name in page["required"] if name not in _ELSEWHERE]
    definitions = page["$defs"]
    for block in _blocks(Instance):
        _fit_paths(page if block is Instance else definitions[block.__name__], block)
    for table, shelf in SHELVES.items():
        _allow_use(definitions[_block_of(table).__name__], sorted(packaged().entries[shelf]))
    return page


def _blocks(block: type[Block]) -> Iterator[type[Block]]:
    yield block
    for kind in kinds_of(block).values():
        if kind.block:
            yield from _blocks(kind.block)


def _block_of(table: Key) -> type[Block]:
    block: type[Block] = Instance
    for part in table:
        block = kinds_of(block)[str(part)].block or block
    return block


def _fit_paths(definition: dict[str, Any], block: type[Block]) -> None:
    """Let a path name a column of paths.csv, and refuse what is planned."""
    for name, kind in kinds_of(block).items():
        typed = definition["properties"][name]
        if kind.what == "planned":
            definition["properties"][name] = {"description": typed["description"], "not": {}}
        elif kind.what == "path" and {"type": "string"} not in typed["anyOf"]:
            typed["anyOf"].append({"type": "string"})


def _allow_use(definition: dict[str, Any], names: list[str]) -> None:
    """Let a block take an entry of its catalogue, which then gives the keys it requires."""
    use: Mapping[str, Any] = {"enum": names, "description": "entry of the catalogue to start from"}
    definition["properties"] = {"use": use, **definition["properties"]}
    required = definition.pop("required", [])
    definition["anyOf"] = [{"required": ["use"]}, {"required": required}]
