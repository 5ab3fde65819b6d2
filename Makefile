# Two commands matter: `make demo` and `make test`. Both make .venv first: Python and the package registries are all they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header
LOCK_OF_ALL := deploy/requirements-dev.txt
MINUTES_MAX := 20m
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo demo-envoy test unit-test broker-test check format bench lock clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help: ## Print what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/ready ## See the guard at work: a real Kafka, two workers, three campaigns (4 minutes)
	$(BIN)/guard demo

demo-envoy: $(VENV)/ready ## See it at a gateway: a real Envoy, real clients, and Kafka taken away (2 minutes)
	$(BIN)/guard demo-envoy

test: unit-test broker-test ## Run every test but the benchmarks

unit-test: $(VENV)/ready ## Run the tests that need no broker
	timeout $(MINUTES_MAX) $(BIN)/pytest -n $(WORKERS) -m "not broker" tests

broker-test: $(VENV)/ready ## Run the tests on a real broker, one after the other: two cores hold no more
	timeout $(MINUTES_MAX) $(BIN)/pytest -m broker tests

check: $(VENV)/ready ## Hold the style: ruff, mypy --strict, import-linter, house test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n 0 tests/test_house.py

format: $(VENV)/ready ## Let ruff lay the code out
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

bench: $(VENV)/ready ## Measure: speed against the floor, memory, latency, hostile input
	$(BIN)/python -m tests.bench

lock: $(UV) ## Compile the requirements anew from pyproject.toml, with hashes and without registries
	$(COMPILE) --extra dev pyproject.toml -o $(LOCK_OF_ALL)
	$(COMPILE) deploy/requirements-uv.in -o deploy/requirements-uv.txt
	$(COMPILE) -c $(LOCK_OF_ALL) pyproject.toml -o deploy/requirements.txt

clean: ## Remove what was made here; the jars of the broker stay in the user's cache
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(UV): deploy/requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "guard needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Say which: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r deploy/requirements-uv.txt
	@touch $@

$(VENV)/ready: $(UV) $(LOCK_OF_ALL) pyproject.toml
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes $(LOCK_OF_ALL)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
