# `make demo` and `make test` do everything on a machine with Python 3.11, make and pip.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
# A folder of wheels, e.g. with a CPU build of torch; see README.md, "Installation".
WHEELS := $(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS))
CPU_TORCH := $(wildcard $(PIP_FIND_LINKS)/torch-*+cpu*.whl)
# Libraries that torch from PyPI needs on Linux, several GB, and its CPU build does not.
CUDA := $(if $(CPU_TORCH)$(filter-out Linux,$(shell uname -s)),,-r envs/cuda.txt)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)/src
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo quick test test-slurm test-conda test-faults test-journeys check docs format schema lock audit clean

demo: .venv/ready ## the whole road on made-up raw BIDS data
	@snakemake --cores $(CORES)
	@echo "Report: $(CURDIR)/results/report/index.html (open it in a browser)"

quick: .venv/ready ## the demo without images, in a folder of its own: a minute
	@snakemake --cores $(CORES) --configfile config/demo/quick.yaml --directory quick
	@echo "Report: $(CURDIR)/quick/results/report/index.html (open it in a browser)"

test: .venv/ready ## every test but those that start a cluster, make environments or break things: below
	@pytest -n 2 --dist worksteal -q $(if $(SLOW_ONLY),-m "slow and not slurm and not conda and not faults and not journeys")

test-slurm: .venv/slurm ## the demo's road on a real Slurm on this machine (root and apt)
	@pytest -q -rs -m slurm tests/slurm

test-conda: .venv/ready ## the same with --use-conda and a stand-in for conda: is each environment file enough?
	@pytest -q -rs -m conda tests/workflow

test-faults: .venv/ready ## kills at random moments, full disks, damaged files, two users at once
	@pytest -q -rs -m faults tests/faults

test-journeys: .venv/ready ## tutorials, variants, features of one's own: whole ways through the workflow
	@pytest -q -rs -m journeys tests/workflow

check: .venv/ready ## style, types, architecture, workflow, schema, fast tests
	@ruff check .
	@ruff format --check -q .
	@mypy
	@lint-imports --no-cache > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	@snakefmt --check Snakefile workflow 2> .venv/snakefmt.log || { cat .venv/snakefmt.log; exit 1; }
	@snakemake --lint > .venv/lint.log 2>&1 || { cat .venv/lint.log; exit 1; }
	@python -m semantoks schema | diff workflow/schemas/config.schema.json - \
	  && python -m semantoks guide | diff docs/configuration.md - \
	  || { echo "Schema or guide have drifted from config/: make schema"; exit 1; }
	@pytest -n 2 -q -m "not slow"

docs: .venv/docs ## the documentation site, without a warning
	@python -m sphinx -q -W --keep-going docs docs/_build/html
	@echo "Documentation: $(CURDIR)/docs/_build/html/index.html (open it in a browser)"

format: .venv/ready ## write the style that `make check` wants
	@ruff check --fix -q . && ruff format -q . && snakefmt Snakefile workflow

schema: .venv/ready ## write the schema and the guide from src/semantoks/config/
	@python -m semantoks schema > workflow/schemas/config.schema.json
	@python -m semantoks guide > docs/configuration.md

LOCK := uv pip compile -q --python-version 3.11 --no-emit-find-links --generate-hashes --custom-compile-command "make lock"
lock: .venv/ready ## pin every dependency of envs/*.in, with hashes
	@env -u PIP_FIND_LINKS $(LOCK) envs/requirements.in --excludes envs/cuda.in -o envs/requirements.txt
	@env -u PIP_FIND_LINKS $(LOCK) envs/requirements.in -c envs/requirements.txt -o envs/cuda.txt \
	  $$(sed -nE 's/^([a-z0-9_.-]+)==.*/--no-emit-package \1/p' envs/requirements.txt)
	@env -u PIP_FIND_LINKS $(LOCK) envs/slurm.in -c envs/requirements.txt -o envs/slurm.txt
	@env -u PIP_FIND_LINKS $(LOCK) envs/docs.in -c envs/requirements.txt -o envs/docs.txt
	@env -u PIP_FIND_LINKS $(LOCK) envs/uv.in -o envs/uv.txt
	@# The CPU builds of torch at hand are as good as the index's.
	@for wheel in $(CPU_TORCH); do \
	  sed -i "s/^torch==.*/&\n    --hash=sha256:$$(sha256sum $$wheel | cut -d' ' -f1) \\\\/" envs/requirements.txt; done
	@env -u PIP_FIND_LINKS python envs/environments.py

audit: .venv/ready ## are there known vulnerabilities in what is pinned? Asks PyPI
	@uv tool run pip-audit==2.10.1 -r envs/requirements.txt --no-deps --disable-pip

.venv/ready: envs/requirements.txt envs/cuda.txt envs/uv.txt
	@echo "Installing into .venv (once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r envs/uv.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python $(WHEELS) --compile-bytecode -r $< $(CUDA)
	@touch $@

.venv/slurm: envs/slurm.txt .venv/ready # Snakemake's Slurm executor
	@$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode -r $<
	@touch $@

.venv/docs: envs/docs.txt .venv/ready # Sphinx
	@$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode -r $<
	@touch $@

clean: ## results, resources and logs of the demo
	@rm -rf results resources logs .snakemake quick
