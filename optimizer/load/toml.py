"""TOML with line numbers.

The standard reader gives values without their lines, and stops at a key that is given twice. A
small scanner beside it finds the line of every key and every repeated key; it judges no syntax
and reads no values, so what an instance holds is the standard reader's word alone.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from optimizer.errors import Problem, Report
from optimizer.keys import Key, Place, Places, dotted

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:[^"\\\n]|\\.)*"|'
    r"'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]+")


class _LostError(Exception):
    """The scanner met something that is not TOML; the standard reader will say what."""


@dataclass(frozen=True)
class Repeat:
    """A key or table that was given before, and the piece of text that gives it again."""

    key: Key
    line: int
    first: int
    start: int
    end: int


@dataclass
class _Scanner:
    """Finds the line of every key, in one pass over the text."""

    text: str
    at: int = 0
    line: int = 1
    counted: int = 0
    lines: dict[Key, int] = field(default_factory=dict)
    given: dict[Key, int] = field(default_factory=dict)
    items: dict[Key, int] = field(default_factory=dict)
    repeats: list[Repeat] = field(default_factory=list)
    table: Key = ()
    #: Where the section started, if its header repeats an earlier one.
    muted: tuple[Key, int, int] | None = None

    def scan(self) -> None:
        try:
            while self._more():
                self._header() if self.text[self.at] == "[" else self._statement(self.table)
        except (_LostError, IndexError, RecursionError):
            pass
        self._close(self.at)

    def _more(self) -> bool:
        self._take(_BLANK)
        return self.at < len(self.text)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _LostError
        self.at = match.end()
        return match[0]

    def _here(self) -> int:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def _key(self) -> Key:
        parts: list[str] = []
        while True:
            self._take(_SPACE)
            parts.append(_unquoted(self._take(_PART)))
            self._take(_SPACE)
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def _header(self) -> None:
        start, line = self.at, self._here()
        self._close(start)
        array = self.text.startswith("[[", start)
        self.at += 2 if array else 1
        key = self._resolved(self._key(), array=array)
        self.at += 2 if array else 1
        if not array and key in self.given:
            self.muted = (key, line, start)
        else:
            self._give(key, line)
        self.table = key

    def _resolved(self, key: Key, *, array: bool) -> Key:
        """Point a header below a list of tables at the list's last item."""
        found: Key = ()
        for position, part in enumerate(key):
            found = (*found, part)
            last = position == len(key) - 1
            if array and last:
                self.items[found] = self.items.get(found, -1) + 1
            if found in self.items:
                found = (*found, self.items[found])
        return found

    def _statement(self, table: Key) -> None:
        start, line = self.at, self._here()
        key = (*table, *self._key())
        if self.text[self.at] != "=":
            raise _LostError
        self.at += 1
        repeated = key in self.given and not self.muted
        first = self.given.get(key, line)
        if not repeated and not self.muted:
            self._give(key, line)
        self._value(key, told=not repeated and not self.muted)
        if repeated:
            self.repeats.append(Repeat(key, line, first, start, self.at))

    def _value(self, key: Key, *, told: bool) -> None:
        self._take(_SPACE)
        mark = self.text[self.at]
        if mark in "\"'":
            self._take(_TEXT)
        elif mark == "[":
            self._list(key, told=told)
        elif mark == "{":
            self._inline(key, told=told)
        else:
            self._take(_BARE)

    def _list(self, key: Key, *, told: bool) -> None:
        self.at += 1
        position = 0
        while self._more() and self.text[self.at] != "]":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            if told:
                self.lines[(*key, position)] = self._here()
            self._value((*key, position), told=told)
            position += 1
        self.at += 1

    def _inline(self, key: Key, *, told: bool) -> None:
        self.at += 1
        while self._more() and self.text[self.at] != "}":
            if self.text[self.at] == ",":
                self.at += 1
            elif told:
                self._statement(key)
            else:
                self._key()
                self.at += 1
                self._value((), told=False)
        self.at += 1

    def _give(self, key: Key, line: int) -> None:
        self.given[key] = line
        for length in range(1, len(key) + 1):
            self.lines.setdefault(key[:length], line)

    def _close(self, end: int) -> None:
        if self.muted:
            key, line, start = self.muted
            self.repeats.append(Repeat(key, line, self.given[key], start, end))
            self.muted = None


def _unquoted(part: str) -> str:
    if part[0] == '"' and "\\" in part:
        return next(iter(tomllib.loads(f"{part} = 0")))
    return part[1:-1] if part[0] in "\"'" else part


def lines_of(text: str) -> dict[Key, int]:
    r"""Give the line of every key, table and list item of a TOML text.

    Examples
    --------
    >>> lines_of('[halls.north]\nit_mw = 2.5')[("halls", "north", "it_mw")]
    2
    """
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.lines


def read_toml(
    text: str, name: str, report: Report, places: Places, lost: set[Key]
) -> dict[str, Any] | None:
    """Read a TOML text, note the place of every key, and report what is wrong.

    Keys and tables given twice are reported, the first is kept, and a table so cut goes to
    ``lost``. Any other syntax error ends the reading, and None is returned.
    """
    scanner = _Scanner(text)
    scanner.scan()
    for key, line in scanner.lines.items():
        places.put(key, Place(name, line))
    for repeat in scanner.repeats:
        report.add(_repeated(repeat, name))
        lost.add(repeat.key)
        text = _blanked(text, repeat)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        report.add(_syntax(error, text, name))
    except ValueError:
        long = [n for n, row in enumerate(text.splitlines(), 1) if _LONG.search(row)]
        report.add(Problem("a number has too many digits", name, long[0] if long else None))
    except RecursionError:
        report.add(Problem("brackets are nested too deeply", name, scanner.line))
    return None


def _repeated(repeat: Repeat, name: str) -> Problem:
    return Problem(
        "the key is given twice",
        name,
        repeat.line,
        dotted(repeat.key),
        hint=f"it is first given at line {repeat.first}; keep one",
    )


def _blanked(text: str, repeat: Repeat) -> str:
    """Take a repeated piece out, and leave every line where it is."""
    kept = "\n" * text.count("\n", repeat.start, repeat.end)
    piece = " " * (repeat.end - repeat.start - len(kept))
    return text[: repeat.start] + piece + kept + text[repeat.end :]


_LONG = re.compile(r"[0-9_]{4000}")
_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")

#: What a line that is not TOML usually wanted to be.
_SLIPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"=\s*[+-]?\d+,\d"), "write 12.5 with a decimal point, 1000 without a comma"),
    (re.compile(r"=\s*\d{4}-\d{2}\s*(#|$)"), 'write a month as text, as "2027-04"'),
    (re.compile(r"=\s*(true|false|yes|no|on|off)\b", re.I), "write true or false"),
    (re.compile(r"=\s*[+-]?\d[\d.]*\s*%"), "write a share as a fraction: 0.35, not 35 %"),
    (re.compile(r"=\s*[+-]?\d[\d.]*\s*[A-Za-z$]"), "the unit stands in the key, not the value"),
    (re.compile(r"=\s*[$€]"), "the unit stands in the key, not the value"),
    (re.compile(r"=\s*[^\x00-\x7f]"), "write numbers with the digits 0 to 9, text in quotes"),
    (re.compile(r"=\s*[A-Za-z]"), 'write text in quotes, as "north"'),
    (re.compile(r"=\s*(#|$)"), "a value must follow the equals sign"),
    (re.compile(r"^\s*[A-Za-z0-9_.-]+\s*:"), "write key = value, not key: value"),
    (re.compile(r"^\s*\[[^\]]*$"), "a table's name must be closed by ]"),
    (re.compile(r"^[^=]*$"), "write key = value, or [table]"),
)


def _syntax(error: tomllib.TOMLDecodeError, text: str, name: str) -> Problem:
    message = str(error)
    match = _LINE.search(message)
    rows = text.splitlines()
    line = int(match[1]) if match else max(1, len(rows))
    row = rows[line - 1] if 0 < line <= len(rows) else ""
    hint = next((advice for pattern, advice in _SLIPS if pattern.search(row)), "")
    said = _LINE.sub("", message).replace("(at end of document)", "").strip()
    found = row.strip()[:80]
    return Problem(
        f"this is not TOML, and ends the reading: {said[:1].lower()}{said[1:]}",
        name,
        line,
        found=found,
        hint=hint,
    )
