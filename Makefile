# The words of make. `make demo` and `make test` set up what they need.
PYTHON ?= python3
VENV ?= .venv
FUZZ ?= 100
# Of the slow tests many wait for a disk, a clock or a server, so one more than there are cores; they come first, as they are collected.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The tests start hundreds of processes, each of which would compile our four hundred modules anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test suite fast check style types golden profiles languages bench torture mutants screenshots clean

help: ## what the words mean
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: $(STAMP) ## a synthetic ward, from the MLLP socket to the worklist, the mail box and the EDC
	$(BIN)/adapter demo $(DEMO)

check: style types ## format, lint, types, import contracts, data files

style: $(STAMP)
	$(BIN)/ruff format --check adapter tests benchmarks
	$(BIN)/ruff check adapter tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/codespell

types: $(STAMP)
	$(BIN)/mypy

fast: check ## the part of `make test` that needs no server and no browser
	$(BIN)/python -m pytest -n auto --dist loadscope -m "not server and not slow" tests

# The types are looked at beside the tests: half a minute of one core, while the other had nothing to do.
test: style ## everything CI runs
	$(MAKE) -j2 types suite

suite: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --cov --cov-report= --durations=15 tests
	$(BIN)/python -m tests.house.coverage

golden: $(STAMP) ## rewrite the golden cases; the diff is the review
	GOLDEN=write $(BIN)/python -m pytest tests/test_golden.py

profiles: $(STAMP) ## make the FHIR profiles of their FSH (Node and npm); the diff is the review
	$(BIN)/python -m tests.profiles.sushi

languages: $(STAMP) ## gather the texts of the pages and bring the translations up to date; tells what is left to translate
	$(BIN)/python -m tests.languages

bench: $(STAMP) ## figures with other people's parsers and servers beside us, into docs/performance.md; about an hour
	$(BIN)/python -m benchmarks.peers.install
	$(BIN)/python -m benchmarks --write

torture: $(STAMP) ## crash tests in full (every call killed or failed, 100,000 power cuts: hours, as root), 20,000 ties of records, a million polled Observations, all stays of an ICU by FHIR, a hundred times the mutants (FUZZ)
	CI=true ADAPTER_CALLS=1000000 ADAPTER_EIO=1000000 ADAPTER_CUTS=100000 ADAPTER_KILLS=200 ADAPTER_GRAPHS=1500 ADAPTER_POLLED=1000000 ADAPTER_ICU=all FUZZ=$(FUZZ) \
	  $(BIN)/python -m pytest -n auto --dist loadscope --durations=0 tests/crash tests/fuzz tests/laws/test_identity.py tests/hapi \
	  tests/shell/test_memory.py::test_what_was_polled_takes_no_memory

mutants: $(STAMP) ## change the reader, the score and the criteria in ten thousand places, and see which change no test minds: hours
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[mutants]'
	$(BIN)/mutmut run

screenshots: $(STAMP) ## the pictures of the README
	ADAPTER_SCREENSHOTS=docs/pictures $(BIN)/python -m pytest tests/browser

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
