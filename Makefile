# Two commands do everything on a fresh machine: `make design` and `make test`.
PYTHON ?= python3
DATASET ?= breast_cancer_diagnostic
BUDGET ?= quick
BIN := .venv/bin
ROOMS := printedmlp hdl sim flows
CODE := $(ROOMS) tests benchmarks docs/conf.py docs/_extensions
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: design test quick lint types docs environment reference clean

design: environment
	$(BIN)/python -m flows.doctor
	$(BIN)/python -m flows.design $(DATASET) --budget $(BUDGET)

test: .venv/installed-docs lint types
	$(BIN)/python -m pytest -n 2 --dist loadfile

quick: reference
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not tools"

lint: reference
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: reference
	$(BIN)/mypy $(CODE)

# The site, from docs/ and the docstrings: warnings are errors. Open build/site/index.html.
docs: .venv/installed-docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html docs build/site

# What a circuit needs; `reference` adds PyTorch, matplotlib, da4ml and Dask, which only the float suite, adder
# graphs, sweeps and the tests need.
environment: .venv/installed

reference: .venv/installed-reference

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv || { echo "error: Python's venv module is missing: apt-get install python3-venv"; exit 2; }
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

.venv/installed-reference: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,reference,adders,sweep]'
	touch $@

.venv/installed-docs: .venv/installed-reference
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,reference,adders,sweep,docs]'
	touch $@

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache
