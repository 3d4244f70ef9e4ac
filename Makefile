# Needs only Python 3.11 or newer, make and git. Tools are installed into .venv and .tools on first use.
PYTHON ?= python3

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv/.ready
TOOLS := .tools/.ready
NODE := node_modules/.ready
PIP := -m pip install --quiet --no-input --no-deps --require-hashes

FIRST := 0
SEEDS := 400
JOBS := $(shell getconf _NPROCESSORS_ONLN)

.PHONY: help demo test thorough lint unit simulate bench sandbox build mutants twin instance-roles verify-aws clean pin ready

help: ## print this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "make %-14s %s\n", $$1, $$2}'

demo: ready ## watch four rollouts of a fleet on this machine; writes demo-report.html
	.venv/bin/python -m sandbox.demo

test: lint ## everything that must hold before a change goes in
	.venv/bin/pytest tests/sandbox
	.venv/bin/pytest --ignore=tests/sandbox --numprocesses auto --maxprocesses 4 --dist loadfile

thorough: lint ## the same, and every member of the families of which make test runs a part
	.venv/bin/pytest tests/sandbox
	.venv/bin/pytest --thorough --ignore=tests/sandbox --numprocesses auto --maxprocesses 4 --dist loadfile

lint: ready ## formatting, style and types only
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

unit: ready ## the fast suites only: no sandbox
	.venv/bin/pytest --ignore=tests/sandbox

bench: ready ## the figures: rollouts a second, doorbells against polling, calls by size of the group
	.venv/bin/python -m tests.bench

simulate: $(VENV) ## whole rollouts under random faults; SEEDS=10000 for all, FIRST=5000000 for others, SEED=4711 replays one
	@PYTHONPATH=layers/ovenbird .venv/bin/python -m tests.simulation $(if $(SEED),--seed $(SEED),--first $(FIRST) --seeds $(SEEDS) --jobs $(JOBS))

sandbox: ready ## AWS on this machine until Ctrl-C; prints the exports for aws, sam and boto3
	.venv/bin/python -m sandbox up

build: ready ## build the application, as `sam deploy` wants it
	.tools/bin/sam build

mutants: $(VENV) ## break Ovenbird on purpose, and show which test notices; RANDOM=150 SEED=1 breaks it at random (JOBS=2)
	@JOBS=$(or $(JOBS),2) .venv/bin/python -m tests.mutants$(if $(RANDOM),.randomly --number $(RANDOM) $(if $(SEED),--seed $(SEED))) $(ARGS)

twin: $(VENV) ## what the same faults do to Ovenbird, and to a script of sixty lines (SEEDS=500)
	@SEEDS=$(or $(SEEDS),500) .venv/bin/python -m tests.twin

instance-roles: $(VENV) ## the roles of the tagged fleets in your account: InstanceRoleArns for sam deploy
	@.venv/bin/python -m examples.instance_roles

verify-aws: $(VENV) ## try what docs/limits.md assumes, in your AWS account: asks first, cleans up
	@.venv/bin/python -m tests.aws $(ARGS)

clean: ## remove everything that was built or installed here
	rm -rf .venv .tools .aws-sam node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-report.html
	find . -name __pycache__ -prune -exec rm -rf {} +

pin: $(VENV) ## write the pinned requirements again, from the *.in files
	cd requirements && $(COMPILE) --python-version 3.11 --output-file uv.txt uv.in
	cd requirements && $(COMPILE) --python-version 3.11 --output-file dev.txt dev.in
	cd layers/vendor && $(COMPILE) --python-version 3.13 --output-file requirements.txt requirements.in
	cd requirements && $(COMPILE) --python-version 3.11 --output-file tools.txt tools.in

COMPILE := uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url --no-annotate

# The environments are independent of each other, so a fresh machine installs them side by side.
ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Ovenbird needs Python 3.11 or newer, and $(PYTHON) is not; try: make PYTHON=python3.13"; exit 1; }
	@$(MAKE) --silent -j2 $(NODE) $(TOOLS)

$(VENV): requirements/dev.txt
	@$(call install,.venv,$<)
	@echo $(CURDIR)/layers/ovenbird > "$$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ovenbird.pth"
	@touch $@

$(TOOLS): requirements/tools.txt
	@$(call install,.tools,$<)
	@touch $@

$(NODE): package-lock.json $(VENV)
	@echo "Installing npm tools into node_modules"
	@.venv/bin/npm ci --silent
	@touch $@

# uv installs in a fraction of the time; pip steps in where only pip knows the way to the packages.
define install
echo "Installing Python tools into $(1)"; \
rm -rf $(1); \
$(PYTHON) -m venv $(1) || { echo "$(PYTHON) cannot make environments; on Debian and Ubuntu: apt install python3-venv"; exit 1; }; \
$(1)/bin/python $(PIP) --requirement requirements/uv.txt && \
$(1)/bin/uv pip install --quiet --python $(1)/bin/python --no-deps --require-hashes --requirement $(2) || \
$(1)/bin/python $(PIP) --requirement $(2)
endef
