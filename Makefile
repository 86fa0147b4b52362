# Everything a developer or an operator types. `make run` on a fresh Debian 12 with Python 3.11, make and git is enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/.done
JOBS ?= 2
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest -q
ASSET_SOURCES := $(shell find src -path '*/static/*' \( -name '*.css' -o -name '*.js' -o -name '*.mjs' \) -not -path '*/dist/*' 2>/dev/null)
# The machine's node; where there is none, the one that tools/node_from_wheel puts into the virtual environment.
WITH_NODE := PATH="$$PATH:$(CURDIR)/$(BIN)"

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow lint format bench pictures lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: $(DONE)/packages $(DONE)/system $(DONE)/assets ## Virtual environment, system packages, style and script

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 以上；可用 make install PYTHON=python3.11 指定。" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(DONE)/packages: requirements-dev.txt pyproject.toml | $(BIN)/python
	@mkdir -p $(DONE)
	$(PIP) install --quiet --require-hashes --only-binary :all: -r requirements-dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DONE)/system: tools/system_packages
	@mkdir -p $(DONE)
	@tools/system_packages
	@touch $@

$(DONE)/node: requirements-node.txt tools/node_from_wheel | $(DONE)/packages
	@command -v npm >/dev/null || tools/node_from_wheel $(BIN)
	@touch $@

$(DONE)/assets: package.json package-lock.json tools/stamp_assets.mjs $(ASSET_SOURCES) | $(DONE)/node
	@$(WITH_NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(WITH_NODE) npm run --silent build
	@touch $@

run: install ## Serve portal, workbench and worker on loopback, with the demonstration
	@$(BIN)/liangzhu up

# The order is that of tests/conftest.py; there, too, is what PostgreSQL is not asked again: what opens no database.
test: install ## The suite on SQLite, again on PostgreSQL, then lint
	$(PYTEST) -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not slow"
	LIANGZHU_TEST_DATABASE=postgresql $(PYTEST) -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not slow and not browser"
	@$(MAKE) --no-print-directory lint

test-slow: install ## Tests that need minutes
	$(PYTEST) -m slow

lint: $(DONE)/packages ## Style, formatting, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --config .importlinter

format: $(DONE)/packages ## Put the sources into one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## Measure; figures are compared inside one run only
	$(BIN)/python -m bench

pictures: install ## Take the pictures of docs/guides anew, from the product as it is
	@$(BIN)/python tools/pictures.py

lock: | $(BIN)/python ## Resolve requirements*.in again into hashed lock files
	@$(PYTHON) -m venv var/lock && var/lock/bin/python -m pip install --quiet uv==0.13.9
	for name in requirements-dev requirements requirements-node; do \
	  var/lock/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
	    --no-emit-index-url --no-emit-find-links $$name.in $$([ $$name = requirements ] && echo -c requirements-dev.txt) \
	    -o $$name.txt || exit 1; \
	done

clean: ## Remove what make made; the data of an installation (var/) stays
	rm -rf $(VENV) node_modules build .ruff_cache .pytest_cache .import_linter_cache
