# Needs only Python 3.11 or newer, make and git. Tools are installed into .venv and .tools on first use.
PYTHON ?= python3

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv/.ready
TOOLS := .tools/.ready
NODE := node_modules/.ready
INSTALL := -m pip install --quiet --no-input --no-compile --no-deps --require-hashes --requirement

.PHONY: help demo test lint unit sandbox build clean pin ready

help: ## print this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | awk -F'|' '{printf "make %-9s %s\n", $$1, $$2}'

demo: ready ## watch four rollouts of a fleet on this machine; writes demo-report.html
	.venv/bin/python -m sandbox.demo

test: lint ## everything that must hold before a change goes in
	.venv/bin/pytest

lint: ready ## formatting, style and types only
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

unit: ready ## the fast suites only: no sandbox
	.venv/bin/pytest --ignore=tests/sandbox

sandbox: ready ## AWS on this machine until Ctrl-C; prints the exports for aws, sam and boto3
	.venv/bin/python -m sandbox up

build: ready ## build the application, as `sam deploy` wants it
	.tools/bin/sam build

clean: ## remove everything that was built or installed here
	rm -rf .venv .tools .aws-sam node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-report.html
	find . -name __pycache__ -prune -exec rm -rf {} +

pin: .tools/pin/bin/uv ## write the pinned requirements again, from the *.in files
	cd requirements && $(CURDIR)/$< $(COMPILE) --python-version 3.11 --output-file dev.txt dev.in
	cd layers/vendor && $(CURDIR)/$< $(COMPILE) --python-version 3.13 --output-file requirements.txt requirements.in
	cd requirements && $(CURDIR)/$< $(COMPILE) --python-version 3.11 --output-file tools.txt tools.in

COMPILE := pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url --no-annotate

# The environments are independent of each other, so a fresh machine installs them side by side.
ready:
	@$(MAKE) --silent -j2 $(NODE) $(TOOLS)

$(VENV): requirements/dev.txt
	@$(call new-environment,.venv)
	@.venv/bin/python $(INSTALL) $<
	@touch $@

$(TOOLS): requirements/tools.txt
	@$(call new-environment,.tools)
	@.tools/bin/python $(INSTALL) $<
	@touch $@

$(NODE): package-lock.json $(VENV)
	@echo "Installing npm tools into node_modules"
	@.venv/bin/npm ci --silent
	@touch $@

.tools/pin/bin/uv: $(TOOLS)
	@$(call new-environment,.tools/pin)
	@.tools/pin/bin/python -m pip install --quiet uv

define new-environment
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  || { echo "Ovenbird needs Python 3.11 or newer, and $(PYTHON) is not; try: make PYTHON=python3.13"; exit 1; }; \
echo "Installing Python tools into $(1)"; \
rm -rf $(1); \
$(PYTHON) -m venv $(1) || { echo "$(PYTHON) cannot make environments; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
endef
