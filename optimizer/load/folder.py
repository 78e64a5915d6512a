"""Reading an instance folder: everything at once, every problem told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from models.hours import Hours, flat
from models.instance import (
    EXCHANGE_RANGE,
    TABLES,
    USD,
    Block,
    Exchange,
    Instance,
    Power,
    path_numbers,
)
from optimizer.checks import problems_of
from optimizer.checks.limits import sizes
from optimizer.errors import InputRefused, Problem, Report, did_you_mean, listed, nearest
from optimizer.keys import Key, Place, Places, dotted, entries, kinds_of, value_at
from optimizer.load.blocks import Reader, Straightener
from optimizer.load.catalogue import (
    SHELVES,
    Catalogue,
    Default,
    Shopping,
    format_defaults,
    packaged,
)
from optimizer.load.files import MOST_TOML_BYTES, Files
from optimizer.load.prices import money_told, read_prices, untold
from optimizer.load.tables import (
    PATHS,
    SOURCES,
    Column,
    Source,
    TableReader,
    read_paths,
    read_sheet,
    read_sources,
)
from optimizer.load.toml import read_toml

TOML = "instance.toml"


@dataclass(frozen=True)
class Loaded:
    """An instance as it was read.

    Attributes
    ----------
    instance : Instance
        All that is given.
    hours : mapping of str to Hours
        Priced hours of each block of power.
    defaults : tuple of Default
        Figures that nobody typed, each with its source.
    sources : tuple of Source
        Rows of ``sources.csv``.
    files : mapping of str to str
        SHA-256 of every file that was read, by its name in the folder.
    folder : Path
        Where it was read from.
    warnings : tuple of Problem
        What is doubtful and was let pass.
    places : Places
        Where every key was typed.
    """

    instance: Instance
    hours: Mapping[str, Hours]
    defaults: tuple[Default, ...]
    sources: tuple[Source, ...]
    files: Mapping[str, str]
    folder: Path
    warnings: tuple[Problem, ...]
    places: Places = field(repr=False)

    @cached_property
    def _by_name(self) -> Mapping[str, Place]:
        return {dotted(at): place for at, place in self.places.known.items()}

    def where(self, key: str) -> tuple[str, int | None]:
        """Say where a dotted key was typed; else where the block stands that would hold it."""
        while key:
            if key in self._by_name:
                return self._by_name[key].file, self._by_name[key].line
            key = key.rpartition(".")[0]
        return TOML, None

    def racks_along(self) -> list[str]:
        """List rack types that nobody typed: the catalogue brought them where they are named."""
        typed = {at[1] for at in self.places.known if at[0] == "racks" and len(at) > 2}
        return [name for name in self.instance.racks if name not in typed]

    def unsourced(self) -> list[str]:
        """List the figures that were typed and have no row in ``sources.csv``."""
        told = {source.key for source in self.sources}
        return [key for key in self._figures() if not _told(key, told)]

    def _figures(self) -> Iterator[str]:
        document = self.instance.model_dump(by_alias=True)
        for key in self.places.known:
            value = value_at(document, key)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                yield dotted(key)


def _told(key: str, told: set[str]) -> bool:
    while key:
        if key in told:
            return True
        key = key.rpartition(".")[0]
    return False


def load(
    folder: Path,
    prices: Mapping[str, Path] | None = None,
    *,
    catalogue: Catalogue | None = None,
) -> Loaded:
    """Read an instance folder.

    Parameters
    ----------
    folder : Path
        Holds ``instance.toml`` and, beside it, tables, paths, sources and prices as CSV.
    prices : mapping of str to Path, optional
        Price files that replace those of a site's power supply, by site.
    catalogue : Catalogue, optional
        Catalogues in place of the packaged ones.

    Returns
    -------
    Loaded
        The instance, its hours, and where everything came from.

    Raises
    ------
    InputRefused
        With every problem of the folder, where there is an error among them.
    """
    loaded, problems = examine(folder, prices, catalogue=catalogue)
    if loaded is None:
        raise InputRefused(problems)
    return loaded


def examine(
    folder: Path,
    prices: Mapping[str, Path] | None = None,
    *,
    catalogue: Catalogue | None = None,
) -> tuple[Loaded | None, tuple[Problem, ...]]:
    """Read an instance folder and give all its problems, whether or not it can be used."""
    reading = Reading(Path(folder), catalogue or packaged())
    loaded = reading.run(prices or {})
    return loaded, reading.problems()


@dataclass
class Reading:
    """One reading of a folder, step by step.

    ``possible`` says whether an instance that can have no plan is refused for it.
    """

    folder: Path
    catalogue: Catalogue
    possible: bool = field(default=True, kw_only=True)
    report: Report = field(default_factory=Report)
    places: Places = field(default_factory=Places)
    lost: set[Key] = field(default_factory=set)
    unread: set[Key] = field(default_factory=set)
    known_files: list[str] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    borrowed: set[Key] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.files = Files(self.folder, self.report)
        self._texts_read: dict[str, str | None] = {}
        #: Blocks of the folder as they were read.
        self.blocks: Mapping[Key, Block] = {}

    def problems(self) -> tuple[Problem, ...]:
        """Give what was found, in the order of the files."""
        return self.report.sorted((TOML, *(f"{table}.csv" for table in TABLES), PATHS, SOURCES))

    def run(self, prices: Mapping[str, Path]) -> Loaded | None:
        """Read everything; None where there is an error."""
        if not self._folder_stands():
            return None
        typed = self._read_toml()
        self._read_tables()
        columns = read_paths(self.files) if self._has(PATHS) else {}
        sources = read_sources(self.files) if self._has(SOURCES) else ()
        if not typed or not self._size_stands():
            return None
        shopping = self._shop()
        self.borrowed = shopping.borrowed
        replaced = self._replace_prices(prices)
        self._fill_paths(columns)
        reader = Reader(self.document, self.places, self.report, self.lost, self.unread)
        reader.read()
        self.blocks = reader.blocks
        hours = self._read_hours(reader, replaced)
        self._note_strangers()
        self._check(reader, hours, sources)
        if self.report.refused():
            return None
        defaults = (*shopping.defaults, *format_defaults(self.document))
        return Loaded(
            instance=reader.instance(),
            hours=hours,
            defaults=defaults,
            sources=sources,
            files=dict(sorted(self.files.hashes.items())),
            folder=self.folder,
            warnings=self.problems(),
            places=self.places,
        )

    def again(
        self,
        document: dict[str, Any],
        prices: Mapping[str, Path] | None = None,
        hours: Mapping[str, Hours] | None = None,
        *,
        renamed: bool = False,
    ) -> tuple[Instance, Mapping[str, Hours]]:
        """Read another complete document in place of the folder's own.

        Parameters
        ----------
        document : dict
            Has all that tables, paths and catalogue say. It may be shared: it is only read, unless
            prices are replaced or names are new.
        prices : mapping of str to Path, optional
            Price files that replace those of a site's power supply, by site.
        hours : mapping of str to Hours, optional
            Priced hours of each block of power, where the document leaves them as they are.
        renamed : bool
            Whether the document names what the catalogue may have to bring along.

        Raises
        ------
        InputRefused
            With every problem of the document.
        """
        other = self._beside(document, {})
        reader, hours = other._read_again(prices or {}, hours, renamed=renamed)
        if other.report.refused():
            raise InputRefused(other.problems())
        return reader.instance(), hours

    def doubts(
        self,
        document: dict[str, Any],
        prices: Mapping[str, Path] | None = None,
        hours: Mapping[str, Hours] | None = None,
        *,
        renamed: bool = False,
        typed: Mapping[Key, Place] | None = None,
    ) -> tuple[Problem, ...]:
        """Read another document as :meth:`again` does, and give its warnings; none of a bad one.

        Parameters
        ----------
        document, prices, hours, renamed
            See there.
        typed : mapping of Key to Place, optional
            Where keys were typed in which it differs.
        """
        other = self._beside(document, typed or {})
        other._read_again(prices or {}, hours, renamed=renamed)
        return () if other.report.refused() else other.problems()

    def _beside(self, document: dict[str, Any], typed: Mapping[Key, Place]) -> Reading:
        places = Places({**self.places.known, **typed})
        other = Reading(self.folder, self.catalogue, places=places)
        other.document, other.borrowed = document, set(self.borrowed)
        return other

    def _read_again(
        self, prices: Mapping[str, Path], hours: Mapping[str, Hours] | None, *, renamed: bool
    ) -> tuple[Reader, Mapping[str, Hours]]:
        """Read a document that was put in the place of a folder's own."""
        replaced = self._replace_prices(prices)
        if renamed:
            self.borrowed |= self._shop().borrowed
        reader = Reader(self.document, self.places, self.report, self.lost, self.unread)
        reader.read()
        if hours is None or replaced:
            hours = self._read_hours(reader, replaced)
        self._check(reader, hours, ())
        return reader, hours

    # --- files -----------------------------------------------------------------------------

    def _folder_stands(self) -> bool:
        name = str(self.folder)
        try:
            is_folder, exists = self.folder.is_dir(), self.folder.exists()
        except (OSError, ValueError):
            is_folder = exists = False
        if not exists:
            self.files.refuse(name, "there is no such folder")
        elif not is_folder:
            hint = "name the folder that holds instance.toml"
            self.files.refuse(name, "an instance is a folder, and this is a file", hint)
        elif not self._has(TOML):
            hint = f"the folder holds {listed(self._names()) or 'nothing'}"
            if (self.folder / "inputs" / TOML).is_file():
                hint = f"this is a run; its instance is kept in {self.folder / 'inputs'}"
            self.files.refuse(TOML, "the folder holds no instance.toml", hint)
            return False
        return is_folder

    def _names(self) -> list[str]:
        try:
            return sorted(path.name for path in self.folder.iterdir())
        except OSError:
            return []

    def _has(self, name: str) -> bool:
        self.known_files.append(name)
        return (self.folder / name).exists() or (self.folder / name).is_symlink()

    def _read_toml(self) -> bool:
        text = self.files.text(TOML, most=MOST_TOML_BYTES)
        document = read_toml(text, TOML, self.report, self.places, self.lost) if text else None
        self.document = document or {}
        Straightener(self.places, self.report, self.lost).straighten(self.document)
        return document is not None

    def _read_tables(self) -> None:
        reader = TableReader(self.document, self.places, self.report, self.lost, self.unread)
        for table in TABLES:
            name = f"{table}.csv"
            if self._has(name):
                text = self.files.text(name)
                sheet = read_sheet(text, name, self.report) if text else None
                reader.add(table, sheet, use=(table,) in SHELVES)

    def _size_stands(self) -> bool:
        stands = True
        for key, found, allowed in sizes(self.document):
            place = self.places.of(key)
            message = "the instance is too large"
            self.report.add(Problem(message, place.file, place.line, dotted(key), found, allowed))
            stands = False
        return stands

    def _note_strangers(self) -> None:
        """Tell of CSV files that nothing reads: a misspelt table is not passed over in silence."""
        pin = value_at(self.document, ("policy", "pin"))
        # What a block of power names is no stranger, whether it was read or replaced.
        named = {
            block.get(way)
            for _, block in entries(self.document, ("power",))
            for way in ("prices", "duration")
        }
        read = {*self.known_files, *self.files.hashes, pin, *named}
        for name in self._names():
            if name.lower().endswith(".csv") and name not in read:
                near = nearest(Path(name).stem, [*TABLES, "paths", "sources"], likeness=0.75)
                severity = "error" if near else "warning"
                hint = f"did you mean `{near}.csv`?" if near else "name it in a block of power"
                message = "nothing reads this file"
                self.report.add(Problem(message, name, hint=hint, severity=severity))  # type: ignore[arg-type]

    # --- catalogues, prices and paths ------------------------------------------------------

    def _shop(self) -> Shopping:
        shopping = Shopping(self.document, self.places, self.report, self.catalogue, self.lost)
        shopping.take_used()
        shopping.bring_along()
        return shopping

    def _replace_prices(self, prices: Mapping[str, Path]) -> dict[str, Path]:
        """Bill each site named by the file given for it: in its supply, or a copy of its own."""
        replaced: dict[str, Path] = {}
        sites = self.document.get("sites")
        sites = sites if isinstance(sites, dict) else {}
        supplies = self.document.setdefault("power", {})
        for site, path in prices.items():
            place = f"--prices {site}={path.name}"
            if site not in sites:
                message = "there is no such site to price"
                hint = did_you_mean(site, sites)
                self.report.add(
                    Problem(message, place, key=site, allowed=listed(sites), hint=hint)
                )
            elif isinstance(sites[site], dict) and isinstance(supplies, dict):
                name = self._own_supply(site, sites, supplies)
                if name is not None:
                    supplies[name]["prices"] = place.removeprefix("--prices ")
                    self.places.put(("power", name, "prices"), Place(place))
                    replaced[name] = path
        return replaced

    def _own_supply(
        self, site: str, sites: dict[str, Any], supplies: dict[str, Any]
    ) -> str | None:
        """Strip a site's supply of its prices, or a copy of it where other sites use it too."""
        before = str(sites[site].get("power", site))
        held = supplies.get(before)
        if not isinstance(held, dict):
            return None
        others = {
            str(entry.get("power", name))
            for name, entry in sites.items()
            if name != site and isinstance(entry, dict)
        }
        own = before
        if before in others:
            own = f"{site}-prices" if site in others else site
        ways = ("prices", "duration", "flat_usd_per_mwh")
        supplies[own] = {key: value for key, value in held.items() if key not in ways}
        sites[site]["power"] = own
        return own

    def _fill_paths(self, columns: Mapping[str, Column]) -> None:
        """Put the columns of paths.csv where a path names them."""
        used: set[str] = set()
        for key, holder in self._named_paths():
            name = holder[str(key[-1])]
            if name in columns:
                used.add(name)
                self._fill(key, holder, columns[name])
                continue
            place = self.places.of(key)
            self.lost.add(key)
            hint = did_you_mean(name, columns)
            if name[:1].isdigit():
                hint = "write numbers without quotes"
            found, allowed = repr(name), listed(columns) or "a column of paths.csv, or a number"
            message = "paths.csv has no such column"
            self.report.add(
                Problem(message, place.file, place.line, dotted(key), found, allowed, hint)
            )
        for name in columns:
            if name not in used:
                message = "no key names this column"
                self.report.add(Problem(message, PATHS, 1, name, severity="warning"))

    def _fill(self, key: Key, holder: dict[str, Any], column: Column) -> None:
        holder[str(key[-1])] = [
            {"from": month, "value": value} for month, value, _ in column.steps
        ]
        for position, (_, _, line) in enumerate(column.steps):
            for part in ("from", "value"):
                self.places.put((*key, position, part), Place(PATHS, line))

    def _named_paths(self) -> Iterator[tuple[Key, dict[str, Any]]]:
        """Walk the paths that are text, which names a column, with the table they stand in."""
        for top, kind in kinds_of(Instance).items():
            held = self.document.get(top)
            if kind.what == "block" and kind.block and isinstance(held, dict):
                yield from self._texts((top,), held, kind.block)
            elif kind.block:
                for key, entry in entries(self.document, (top,)):
                    yield from self._texts(key, entry, kind.block)

    def _texts(
        self, key: Key, held: dict[str, Any], block: type[Block]
    ) -> Iterator[tuple[Key, dict[str, Any]]]:
        for name, kind in kinds_of(block).items():
            at = (*key, name)
            if kind.what == "path" and isinstance(held.get(name), str) and at not in self.lost:
                yield at, held

    # --- hours -----------------------------------------------------------------------------

    def _read_hours(self, reader: Reader, replaced: Mapping[str, Path]) -> dict[str, Hours]:
        hours: dict[str, Hours] = {}
        texts: dict[tuple[str, str, bool], Hours | None] = {}
        for key, block in list(reader.blocks.items()):
            if not isinstance(block, Power):
                continue
            name = str(key[-1])
            if name in replaced:
                text = self.files.read(replaced[name], str(block.prices))
                found = (
                    read_prices(
                        text, str(block.prices), self.report, usd_per_unit=_rate(reader, block)
                    )
                    if text
                    else None
                )
                self._compare_money(key, block, text)
            elif block.flat_usd_per_mwh is not None:
                found = flat(block.flat_usd_per_mwh)
            else:
                way = "prices" if block.prices is not None else "duration"
                borrows = (*key, way) in self.borrowed
                found = self._file_hours(reader, (*key, way), borrows, texts)
                self._compare_money(key, block, self._texts_read.get(str(getattr(block, way))))
            if found is not None:
                hours[name] = found
        return hours

    def _file_hours(
        self,
        reader: Reader,
        at: Key,
        borrowed: bool,
        seen: dict[tuple[str, str, bool], Hours | None],
    ) -> Hours | None:
        """Read a price file of the folder or of the catalogue, once in each currency."""
        block, way = reader.blocks[at[:-1]], str(at[-1])
        assert isinstance(block, Power)
        name = str(getattr(block, way))
        key = (name, block.currency, borrowed)
        if key not in seen:
            if borrowed:
                text: str | None = self._catalogue_text(name)
            else:
                text = self.files.text(name, key=dotted(at))
            self._texts_read[name] = text
            rate, curve = _rate(reader, block), way == "duration"
            seen[key] = (
                read_prices(text, name, self.report, curve=curve, usd_per_unit=rate)
                if text
                else None
            )
        return seen[key]

    def _compare_money(self, key: Key, block: Power, text: str | None) -> None:
        """Refuse a price file that tells another currency than its block of power."""
        told = money_told(text) if text else None
        if text and told is None and block.currency == USD and untold(text):
            place, message = self.places.of(key), "nothing says in which currency the prices are"
            hint = "set currency, or name the column price_usd_per_mwh"
            self.report.add(
                Problem(message, place.file, place.line, dotted((*key, "currency")),
                        "price_per_mwh", hint=hint)
            )  # fmt: skip
        if told is None or told == block.currency:
            return
        at = (*key, "currency")
        place = self.places.of(at)
        message = f"the price file says that it is in {told}"
        hint = f'set currency = "{told}" with its [currencies.{told}]'
        if told == USD:
            hint = "leave currency out: the file holds USD"
        self.report.add(
            Problem(message, place.file, place.line, dotted(at), block.currency, told, hint)
        )

    def _catalogue_text(self, name: str) -> str:
        data = (self.catalogue.folder / name).read_bytes()
        self.files.hashes[f"catalogue/{name}"] = sha256(data).hexdigest()
        return data.decode("utf-8")

    # --- sense -----------------------------------------------------------------------------

    def known_names(self) -> dict[Key, frozenset[str]]:
        """Names that the catalogue could add, by table."""
        return {table: frozenset(self.catalogue.names(table)) for table in SHELVES}

    def _check(
        self, reader: Reader, hours: Mapping[str, Hours], sources: tuple[Source, ...]
    ) -> None:
        draft = reader.draft(self.known_names())
        sound = not self.report.refused()
        self.report.extend(problems_of(draft, hours, sound=sound, possible=self.possible))
        for source in sources:
            problem = _check_source(source, self.document)
            if problem:
                self.report.add(problem)


def _rate(reader: Reader, block: Power) -> float | None:
    """Exchange rate of a block's price file at the start; None where none can be trusted."""
    if block.currency == USD:
        return 1.0
    exchange = reader.blocks.get(("currencies", block.currency))
    if not isinstance(exchange, Exchange):
        return None
    rate = path_numbers(exchange.usd_per_unit)[0]
    return rate if EXCHANGE_RANGE[0] <= rate <= EXCHANGE_RANGE[1] else None


def _check_source(source: Source, document: Mapping[str, Any]) -> Problem | None:
    """Compare a row of sources.csv with what was typed under its key."""
    value = _lookup(document, source.key)
    if not source.source:
        message = "the row names no source; write `assumption` where there is none"
        return Problem(message, SOURCES, source.line, source.key, severity="warning")
    if value is None:
        message = "the instance has no such key"
        return Problem(message, SOURCES, source.line, source.key, severity="warning")
    try:
        stated = float(source.value)
    except ValueError:
        return None
    if isinstance(value, (int, float)) and abs(stated - value) > 1e-9 * max(
        abs(stated), abs(value)
    ):
        message = f"the value is not that of the instance, which is {value!r}"
        return Problem(message, SOURCES, source.line, source.key, source.value, severity="warning")
    return None


def _lookup(document: Any, key: str) -> Any:
    """Look a dotted key up where names may hold dots themselves."""
    if not key:
        return document
    if isinstance(document, list):
        head, _, rest = key.partition(".")
        inside = head.isdecimal() and int(head) < len(document)
        return _lookup(document[int(head)], rest) if inside else None
    if not isinstance(document, dict):
        return None
    for name in sorted(document, key=len, reverse=True):
        if key == name or key.startswith(f"{name}."):
            return _lookup(document[name], key[len(name) + 1 :])
    return None
