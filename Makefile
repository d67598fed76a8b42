# The front door. Every target builds .venv first when it is missing (PYTHON=python3.11 to choose).
.DEFAULT_GOAL := help
.PHONY: help demo test lint check format docs links lock versions clean venv

# also where .venv was made by hand and does not hold this package
export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))
export PYTHON
BIN := .venv/bin
# shared by make, pre-commit and continuous integration
CODE := mmpmg configs tools tests examples docs/conf.py requirements setup.py
TESTS ?= tests
PYTHONS ?= python3.10 python3.11 python3.12

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 10

venv:  ## build .venv from requirements/constraints.txt
	@bash requirements/install.sh

demo: venv  ## pre-train a tiny model on generated images, draw what it learned, export it
	@$(BIN)/python tools/demo.py

test: venv  ## run the tests (TESTS=tests/motion for some of them)
	@$(BIN)/python -m pytest $(TESTS)

lint: venv  ## style, types and spelling
	@$(BIN)/ruff format --check $(wildcard $(CODE))
	@$(BIN)/ruff check $(wildcard $(CODE))
	@$(BIN)/python -m mypy
	@$(BIN)/codespell

check: lint test  ## everything that continuous integration checks

format: venv  ## bring the code into shape
	@$(BIN)/ruff check --fix --quiet $(wildcard $(CODE)) || true
	@$(BIN)/ruff format $(wildcard $(CODE))

docs: venv  ## build the site into build/site; a warning is an error
	@$(BIN)/python -m sphinx -W --keep-going -q -c docs -d build/doctrees . build/site
	@echo "open build/site/index.html"

links: venv  ## check the links of the pages, within the repository and to other sites
	@$(BIN)/python -m pytest -q tests/test_documentation.py -k link
	@$(BIN)/python -m sphinx -q -c docs -d build/doctrees -b linkcheck . build/links

lock: venv  ## renew requirements/constraints.txt (PYTHONS="python3.10 python3.11 python3.12")
	@$(BIN)/python requirements/lock.py $(PYTHONS)

versions: venv  ## run the core tests under the oldest and newest versions (WHICH=oldest FOLDER=/tmp/envs)
	@$(BIN)/python requirements/versions.py $(WHICH) $(if $(FOLDER),--folder $(FOLDER))

clean:  ## remove what was built, but keep .venv, what it links to, and work_dirs
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find mmpmg configs tools tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
