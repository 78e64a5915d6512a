# `make solve` and `make test` need Python 3.11 or newer, and nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: solve test check soak bench docs clean

# Replaces only what an earlier run wrote: files that were edited or added are kept, and named.
solve: .venv/installed
	$(BIN)/rackwatt solve instances/texas --out runs/texas --overwrite

test: .venv/installed-dev
	$(BIN)/python -m pytest -q -n auto

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m optimizer.pages --check
	$(MAKE) test

soak: .venv/installed-dev
	$(BIN)/python -m pytest -q -m soak tests
	RACKWATT_SOAK_COMMAND=real $(BIN)/python -m pytest -q -m soak -k killed tests/optimizer/sweep

bench: .venv/installed-dev
	$(BIN)/python -m tests.benchmarks
	$(BIN)/python -m tests.benchmarks.races small

docs: .venv/installed-dev
	$(BIN)/python -m optimizer.pages

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@

clean:
	rm -rf .venv runs
