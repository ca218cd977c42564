# Two commands on a fresh machine: `make demo` and `make test`. Both make .venv if there is none.
PYTHON ?= python3
BIN := .venv/bin
# Under the name of the package, so that its relative imports work whatever the folder of the checkout is called.
DOCTESTED := $(addprefix .types/polyglot/,$(shell git ls-files -- "*.py" ":!tests" ":!benchmarks" ":!reports" ":(exclude)__main__.py"))
STAMP := .venv/.installed
# A process for each core, one thread in each: small products on two threads can take five times as long as on one.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: setup demo test test-slow check coverage docs bench reports clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "torch>=2.6,<2.14"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $(STAMP)

demo: setup
	$(BIN)/polyglot probe linear-map en fr

test: setup
	$(PYTEST)

test-slow: setup
	$(PYTEST) -m slow

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) --doctest-modules $(DOCTESTED) -m ""

# Takes three quarters more processor time than the tests alone, so nothing else calls it.
coverage: setup
	$(PYTEST) --cov --cov-report=term:skip-covered

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

bench: setup
	$(BIN)/python benchmarks/run.py

# An hour or more on two cores; goes on where it stopped.
reports: setup
	$(BIN)/python reports/make.py

clean:
	rm -rf .venv build dist site *.egg-info .mypy_cache .pytest_cache .ruff_cache
