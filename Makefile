# make run: install what is missing, start a cluster and run the example Pod in it.
# make test: install what the tests need, and run them all.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install install-test run test lint clean

PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
VENV := .venv

help:
	@grep -E '^# make' Makefile | cut -c3-

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml tools/install.sh
	@tools/install.sh $(PYTHON) $(VENV)
	@touch $@

install-test: install $(VENV)/.installed-test

$(VENV)/.installed-test: pyproject.toml tools/install_test.sh tools/fetch_kubectl.py tests/clients/js/package-lock.json
	@tools/install_test.sh $(VENV)
	@touch $@

run: install
	@tools/run.sh $(UP)

lint: install-test
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(VENV)/bin/lint-imports

test: lint
	$(VENV)/bin/pytest -n auto --dist loadfile --no-loadscope-reorder

clean:
	rm -rf $(VENV)
