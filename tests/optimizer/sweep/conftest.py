"""What tests of the commands of sweeps share."""

import json
from dataclasses import dataclass

import pytest

from optimizer.cli import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def object(self):
        found = json.loads(self.out)
        assert self.out.count("\n") == 1
        return found


@pytest.fixture
def rackwatt(capsys, tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments):
        capsys.readouterr()
        code = main(["sweep", *map(str, arguments)])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call
