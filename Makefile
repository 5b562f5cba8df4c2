# The two commands a newcomer needs are `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# CI pins exact versions by passing CONSTRAINTS=constraints.txt; users get what their index offers.
CONSTRAINTS ?=
PIP_FLAGS := $(if $(CONSTRAINTS),-c $(CONSTRAINTS))
JOBS ?= 2

.PHONY: demo test check format wheel clean

demo: $(VENV)/.installed  ## the whole story on simulated people; prints where the report is
	$(BIN)/medveil demo --to medveil-demo --force

test: $(VENV)/.dev  ## every test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadscope

check: $(VENV)/.dev  ## format, lint, types, layers and the fast tests: under two minutes
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) -q -m "not slow and not real"

format: $(VENV)/.dev
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

wheel: $(VENV)/.dev
	$(BIN)/python -m build --wheel

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("medveil needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -e .
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -e ".[dev]"
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) dist build medveil-demo medveil-demo-internal .pytest_cache .mypy_cache .ruff_cache
