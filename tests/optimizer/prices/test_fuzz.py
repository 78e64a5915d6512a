"""Files broken at random: read or refused with a message, never a defect of ours."""

from __future__ import annotations

import contextlib
import io
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.cli import main
from tests.optimizer.prices.writers import CASES, Case, some_prices, zone

TEXT = [case for case in CASES if not case.wanted.get("columns")]
#: What is put into a file: what exports hold, and what they should not.
BITS = (
    "", ",", ";", '"', "\n", "\t", "-", "#", "0", "24:00", "25", "Y", "N/A", "1e9", "-999", "*",
    "2023-11-05 01:00", "03/12/2023", "+00:00", "Z", "(CET)", " - ", "HB_X", "EUR", "é", "\x00",
    "PT15M", "nan", "99999999999999999999", "2023-03-12 02:00:00",
)  # fmt: skip
EDIT = st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(BITS))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    case=st.sampled_from(TEXT),
    near=st.sampled_from([(2023, 3, 11), (2023, 10, 28), (2023, 11, 4), (2023, 6, 1)]),
    edits=st.lists(EDIT, min_size=1, max_size=4),
    typed=st.sampled_from([(), ("--year", "all"), ("--year", "2023", "--fill", "interpolate")]),
)
def test_a_file_broken_at_random_is_read_or_refused(
    case: Case, near: tuple[int, int, int], edits: list[tuple[float, int, str]],
    typed: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    start = datetime(*near, tzinfo=zone(case.zone))
    files = case.write(tmp_path_factory.mktemp("fuzz"), some_prices(start, 50))
    data = files[0].read_bytes()
    for where, length, bit in edits:
        at = int(where * len(data))
        data = data[:at] + bit.encode() + data[at + length :]
    files[0].write_bytes(data)
    options = [*typed, "--duplicates", "first"]
    for name in ("timezone", "market"):
        options += [f"--{name}", str(case.wanted[name])] if name in case.wanted else []
    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        code = main(["prices", *(str(file) for file in files), *options])
    assert code in (0, 3), err.getvalue()
    assert (code == 0) or "error  " in err.getvalue()
