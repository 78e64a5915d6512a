"""Whatever stands in a folder: it loads, or it is refused with problems. Nothing else happens."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.load import examine
from tests.folders import INSTANCE, write_folder

HALLS = "name,site,count,it_mw,fitout\nnew,north,4,5,mine\nnewer,north,2,2.5,\n"
PATHS = "month,hash,resale\n2027-01,45,5\n2028-01,40,\n"
SOURCES = "key,value,unit,source,remark\nhalls.old.it_mw,5,MW,assumption,\n"
CURVE = "month,hours,price_usd_per_mwh\n" + "".join(
    f"{month},{hours},30\n"
    for month, hours in enumerate((744, 672, 744, 720, 744, 720, 744, 744, 720, 744, 720, 744), 1)
)
FILES = {"halls_csv": HALLS, "paths_csv": PATHS, "sources_csv": SOURCES, "curve_csv": CURVE}
FULL = (
    INSTANCE.replace("flat_usd_per_mwh = 40", 'duration = "curve.csv"')
    .replace("resale_usd_per_th = 5", 'resale_usd_per_th = "resale"')
    .replace("[fitouts.mine]", '[racks.h100]\nuse = "dgx-h100-x4"\n\n[fitouts.mine]')
)

#: A folder is a large thing to draw, and that is meant.
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

TOKENS = st.sampled_from(
    [
        "nan", "inf", "-inf", "-1", "0", "1e308", "1e999", "1_000", "12,5", "９", "true", "[]",
        "{}", "[[]]", "[{}]", '""', '"x"', "'''", '"""', "2027-01-01", "2027-01-01T00:00:00Z",
        "00:00:00", "[1, 2]", "{ start = 1 }", "{ from = 1 }", '[{ from = "2027-01", value = 1 }]',
        "9" * 400, "9" * 5000, "[" * 200, "\x00", "\ufeff", "=", "[", "]", "#", "\\", "..", "/",
        '"north"', '"use"', "use", "name", "float", "Growth", "[key]", "\u2028", "é", "-0.0",
    ]
)  # fmt: skip
NAMES = st.sampled_from(sorted(set(re.findall(r"[a-z_0-9-]+", FULL))))


def mutated(text: str, draw: st.DrawFn) -> str:
    """Change a text in one place: a word, a line, or a piece of it."""
    words = list(re.finditer(r"[^\s=,\[\]{}.]+", text))
    lines = text.splitlines(keepends=True)
    if not words:
        return text + draw(TOKENS)
    at = draw(st.integers(0, len(words) - 1))
    row = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(["value", "name", "drop", "repeat", "swap", "cut", "insert"])):
        case "value":
            return text[: words[at].start()] + draw(TOKENS) + text[words[at].end() :]
        case "name":
            return text[: words[at].start()] + draw(NAMES) + text[words[at].end() :]
        case "drop":
            return "".join(lines[:row] + lines[row + 1 :])
        case "repeat":
            return "".join(lines[: row + 1] + lines[row:])
        case "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[row], lines[other] = lines[other], lines[row]
            return "".join(lines)
        case "cut":
            return text[: words[at].start()]
        case _:
            return (
                text[: words[at].start()] + draw(st.text(max_size=5)) + text[words[at].start() :]
            )


@st.composite
def folders(draw: st.DrawFn) -> dict[str, bytes]:
    """Draw a valid folder with one to four pieces changed in any of its files."""
    texts = {"instance_toml": FULL, **FILES}
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(["instance_toml", "instance_toml", "instance_toml", *FILES]))
        texts[name] = mutated(texts[name], draw)
    return {name: text.encode("utf-8", "replace") for name, text in texts.items()}


def read(files: dict[str, bytes], *, priced: bool = False) -> None:
    """Examine a folder: either it can be used, or there is an error among its problems."""
    with tempfile.TemporaryDirectory() as name:
        contents = dict(files)
        folder = write_folder(Path(name), contents.pop("instance_toml"), **contents)
        prices = {"north": folder / "curve.csv"} if priced else {}
        loaded, problems = examine(folder, prices)
    assert (loaded is None) == any(problem.severity == "error" for problem in problems)
    assert all(problem.message and problem.file for problem in problems)
    assert loaded is None or loaded.hours.keys() == loaded.instance.power.keys()


@settings(max_examples=250, deadline=5000, derandomize=True, suppress_health_check=SLOW)
@given(folders(), st.booleans())
def test_a_changed_folder_loads_or_is_refused(files: dict[str, bytes], priced: bool) -> None:
    read(files, priced=priced)


@pytest.mark.soak
@settings(max_examples=20_000, deadline=5000, suppress_health_check=SLOW)
@given(folders(), st.booleans())
def test_twenty_thousand_changed_folders_load_or_are_refused(
    files: dict[str, bytes], priced: bool
) -> None:
    read(files, priced=priced)


@settings(max_examples=60, deadline=5000, derandomize=True)
@given(st.binary(max_size=400), st.binary(max_size=400))
def test_a_folder_of_noise_is_refused(toml: bytes, table: bytes) -> None:
    read({"instance_toml": toml, "halls_csv": table})
