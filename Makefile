# Everything sets itself up: a fresh machine needs Python 3.11+ and make (and Go 1.25+ where no Temporal can be had).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)

.DEFAULT_GOAL := help
.PHONY: help setup up demo cluster test test-fast test-cluster test-upgrade check bench fingerprints migrate clean
.PHONY: temporal temporal-server secrets compose-check

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Make the virtual environment with everything in it

$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
	@$(BIN)/uv sync --frozen --inexact --python $(BIN)/python
	@touch $@

temporal: $(READY) # the first time on a machine this may build a Temporal server, with its progress shown
	@$(BIN)/python -m stack.temporal_binary

temporal-server: $(READY) # what a cluster needs: an installed PostgreSQL is looked for, the real Temporal server built
	@$(BIN)/python -m stack.temporal_server_binaries

up: $(READY) ## Run the server until Ctrl-C
	@exec $(BIN)/sojourn up

demo: $(READY) ## Run the server, do its main job once before your eyes, keep running
	@exec $(BIN)/sojourn demo

cluster: temporal-server ## Run it as on several machines: the real Temporal server on PostgreSQL, each role by itself
	@exec $(BIN)/python -m stack.cluster

check: $(READY) ## Lint, types, import law
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports

test: check temporal ## Check everything, then run all tests
	@exec $(BIN)/python -m pytest

test-fast: $(READY) ## Only the tests that need no server
	@exec $(BIN)/python -m pytest -m 'not stack and not faults and not cluster' $(wildcard tests/unit tests/property tests/contracts)

test-cluster: temporal-server ## Run the end-to-end and the fault tests on such a cluster, about an hour
	@SOJOURN_TEST_TOPOLOGY=cluster exec $(BIN)/python -m pytest -m 'not embedded' tests/e2e tests/faults tests/cluster

test-upgrade: $(READY) temporal ## Run the last release's tests on this schema, and an upgrade under load
	@exec $(BIN)/python -m upgrade

bench: $(READY) temporal ## Measure every figure against its peer and its limit
	@exec $(BIN)/python -m bench

fingerprints: $(READY) temporal ## Write the fingerprints of the workflow code anew
	@SOJOURN_FINGERPRINTS=1 $(BIN)/python -m pytest tests/workflows/test_fingerprints.py tests/workflows/test_replay.py
	@git --no-pager diff --stat -- tests/workflows/fingerprints.json

migrate: $(READY) ## Bring the database of SOJOURN_DATABASE_URL to the newest schema
	@exec $(BIN)/python -m alembic upgrade head

secrets: ## Make the secrets of docker-compose.yml, where there are none yet
	@sh deploy/make-secrets.sh

compose-check: ## Read docker-compose.yml with Docker Compose itself; builds it once where it is missing (Go 1.25+)
	@sh deploy/compose-check.sh

clean: $(READY) ## Remove the data of the local stack
	@$(BIN)/python -m stack.clean
