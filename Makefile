# The two commands: `make demo` and `make test`. Both set themselves up; nothing else has to be installed by hand.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
WORKERS ?= 2

.PHONY: demo test check lint types layers policy setup locks real-parts bench fuzz stress clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages into .venv (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The daemon on a local AWS with the plans of desired/. ONCE=1: verify and exit. PORT=0: any free port for HTTP.
demo: $(STAMP)
	@$(BIN)/reconciler demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

# Everything, in two processes (WORKERS=0: in one), each file in one of them, the longest first (tests/order.py). ARGS:
# further arguments for pytest. The processes that tests start compile nothing that was compiled before, whatever the
# environment says.
# Real parts that are missing (OPA, Prometheus …) skip their tests here and fail them in CI.
test: $(STAMP)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: lint types layers policy test

lint: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy

# Without its cache, which does not notice every change.
layers: $(STAMP)
	@$(BIN)/lint-imports --no-cache

# The Rego tests, on the embedded engine and on a real OPA.
policy: $(STAMP)
	@$(BIN)/reconciler policy test
	@opa=$$(scripts/get-opa) && "$$opa" test policies

# The parts of the lock that the image installs, after requirements.lock has changed.
locks: $(STAMP)
	@$(BIN)/python scripts/sublock runtime > .venv/part && mv .venv/part requirements.run.lock
	@$(BIN)/python scripts/sublock hatchling > .venv/part && mv .venv/part requirements.build.lock

# Fetches or builds what the tests like to have: a real OPA, a second local AWS, a fault proxy, templates that others
# wrote, the CDK, and on Debian Prometheus with Alertmanager.
real-parts: $(STAMP)
	@scripts/get-opa
	@scripts/get-ministack
	@scripts/get-microburst
	@scripts/get-templates
	@scripts/get-moto-templates
	@scripts/get-cdk
	@scripts/get-prometheus

# PLANS: how many plans to publish to a big repository (1,000 take some minutes).
bench: $(STAMP)
	@$(BIN)/python bench/no_change.py
	@$(BIN)/python bench/pipeline.py --plans $(or $(PLANS),100)

# Coverage-guided fuzzing of the plan and approval readers, SECONDS each.
fuzz: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.fuzz.lock
	@$(BIN)/python scripts/fuzz plan --seconds $(or $(SECONDS),600)
	@$(BIN)/python scripts/fuzz approval --seconds $(or $(SECONDS),600)

# The long versions of the tests: every boundary, every step, every way to fail, five minutes of two daemons, an hour of daemon time.
stress: $(STAMP)
	@RECONCILER_STRESS=1 $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --timeout 7200 -s tests/crash tests/faults tests/fuzz tests/stress \
		tests/contract/elsewhere tests/e2e/test_pull_requests.py

clean:
	rm -rf .venv .demo var .hypothesis .mypy_cache .ruff_cache .import_linter_cache
