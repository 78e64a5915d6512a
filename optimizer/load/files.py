"""Opening the files of an instance: only inside its folder, only plain text, only so large."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from optimizer.errors import Problem, Report, listed

#: No file of an instance may be larger.
MOST_BYTES = 50_000_000
#: A typed file is never this large; parsing it would take longer than anyone waits.
MOST_TOML_BYTES = 5_000_000


#: What is said of a file that is not there.
NO_FILE = "there is no such file"


@dataclass
class Files:
    """The files that were read, with their hashes.

    Attributes
    ----------
    folder : Path
        The instance's folder.
    report : Report
        Takes the problems.
    hashes : dict
        SHA-256 by name.
    """

    folder: Path
    report: Report
    hashes: dict[str, str] = field(default_factory=dict)

    def refuse(
        self, name: str, message: str, hint: str = "", line: int | None = None, key: str = ""
    ) -> None:
        """Report a problem with a whole file, which a key may have named."""
        self.report.add(Problem(message, name, line, key, hint=hint))

    def text(self, name: str, *, most: int = MOST_BYTES, key: str = "") -> str | None:
        """Read a file of the folder as text; None, and a problem, where that cannot be."""
        reason = leaves(self.folder, name)
        if reason:
            self.refuse(name, reason, "name a file inside the instance's folder", key=key)
            return None
        return self.read(self.folder / name, name, most=most, key=key)

    def read(self, path: Path, name: str, *, most: int = MOST_BYTES, key: str = "") -> str | None:
        """Read any file as text, told as ``name``."""
        try:
            reason = unfit(path, most)
            data = b"" if reason else path.read_bytes()
        except (OSError, ValueError) as error:
            reason = why_unread(error)
        if reason:
            absent = key and reason == NO_FILE
            self.refuse(name, reason, self._beside(path) if absent else "", key=key)
            return None
        self.hashes[name] = hashlib.sha256(data).hexdigest()
        return decoded(data, name, self.report)

    def _beside(self, path: Path) -> str:
        """Say which files of its kind lie where a file should."""
        there = sorted(p.name for p in path.parent.glob(f"*{path.suffix}") if p.is_file())
        return f"the folder has {listed(there)}" if there else ""


def decoded(data: bytes, name: str, report: Report) -> str | None:
    """Read bytes as UTF-8; None, and a problem, where they are not text or there are none."""
    hint, line = "", None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:4096]:
        message, hint = "the file is not UTF-8 text", "save it as UTF-8, not as UTF-16"
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            message, hint = "the file is not UTF-8 text", "save it as UTF-8"
        else:
            if text.strip():
                return text
            message = "the file is empty"
    report.add(Problem(message, name, line, hint=hint))
    return None


def leaves(folder: Path, name: str) -> str:
    """Say why a name does not stay inside the folder; empty where it does."""
    if "\x00" in name or "\\" in name:
        return "a file name holds no backslash and no NUL"
    if os.path.isabs(name) or ".." in Path(name).parts:
        return "the path leaves the instance's folder"
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:
        return f"the path cannot be followed ({type(error).__name__})"
    return "" if inside else "the path leaves the instance's folder by a link"


def unfit(path: Path, most: int) -> str:
    """Say why a file is not to be read; empty where it may be."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        return "this is a folder, not a file"
    if not stat.S_ISREG(found.st_mode):
        return "this is not a regular file"
    if found.st_size > most:
        return f"the file has {found.st_size / 1e6:.0f} MB, more than {most / 1e6:.0f} MB"
    return ""


def why_unread(error: Exception) -> str:
    """Say why a file could not be read."""
    if isinstance(error, FileNotFoundError):
        return NO_FILE
    if isinstance(error, PermissionError):
        return "the file cannot be read: permission denied"
    text = error.strerror if isinstance(error, OSError) else str(error)
    return f"the file cannot be read: {text or type(error).__name__}"
