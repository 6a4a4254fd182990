SHELL := bash
PORT ?= 8000
DATA ?= data
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run serve test test-long bench prices screenshots lint format types check clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything below this folder (.venv, node_modules); needs Python 3.11 and Node.js 20
	@scripts/setup

run: ## Serve with demo data on http://127.0.0.1:8000 (PORT=... and DATA=... change it); needs no database server
	@scripts/setup server
	$(BIN)/lotus serve --demo --data ./$(DATA) --port $(PORT)

serve: ## Serve what is in ./data, without demo data
	@scripts/setup server
	$(BIN)/lotus serve --data ./$(DATA) --port $(PORT)

test: setup ## Lint, types and all tests, as they run before every release (installs PostgreSQL and Chromium if they are missing)
	@scripts/postgres
	@scripts/chromium
	@scripts/test

test-long: setup ## Tests that take minutes, and the laws with thousands of new examples
	@scripts/postgres
	@scripts/chromium
	LOTUS_TEST_POSTGRES=required $(BIN)/pytest -m long --hypothesis-profile=long --timeout=3600
	LOTUS_TEST_POSTGRES=required $(BIN)/pytest --hypothesis-profile=long --timeout=3600

bench: ## Measure, and hold the results against the estimates in benchmarks/
	@scripts/setup server
	$(BIN)/python -m benchmarks

screenshots: ## Take the pictures of README and docs anew, from a server with demo data
	@scripts/setup
	@scripts/chromium
	PYTHONPATH=. $(BIN)/python scripts/screenshots.py

prices: ## Draw the pictures of the pages about prices anew
	$(BIN)/python scripts/price_curves.py

lint: ## Rules of style and of who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

format: ## Rewrite the Python files in the common form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: ## Check types
	$(BIN)/mypy
	cd clients/python && ../../$(BIN)/mypy

check: lint types ## The quick part of `make test`: lint, types, the repository's shape
	$(BIN)/pytest -q tests/architecture

clean: ## Remove everything that was installed or built; ./data stays
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	rm -rf clients/node/node_modules clients/node/dist clients/node/build
	rm -rf web/node_modules src/lotus_server/http/web/assets/vendor screenshots
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
