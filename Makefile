# The two commands: `make demo` and `make test`. Both set themselves up; nothing else has to be installed by hand.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test check lint types layers policy setup real-parts bench clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages into .venv (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The daemon on a local AWS with the plans of desired/. ONCE=1: verify and exit.
demo: $(STAMP)
	@$(BIN)/reconciler demo $(if $(ONCE),--once)

# Everything. Real parts that are missing (OPA, Prometheus …) skip their tests here and fail them in CI.
test: $(STAMP)
	@$(BIN)/pytest $(ARGS)

check: lint types layers policy test

lint: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy

layers: $(STAMP)
	@$(BIN)/lint-imports

# The Rego tests, on the embedded engine and on a real OPA.
policy: $(STAMP)
	@$(BIN)/reconciler policy test
	@opa=$$(scripts/get-opa) && "$$opa" test policies

# Fetches or builds what the tests like to have: a real OPA, and on Debian Prometheus with Alertmanager.
real-parts: $(STAMP)
	@scripts/get-opa
	@scripts/get-prometheus

bench: $(STAMP)
	@$(BIN)/python bench/no_change.py

clean:
	rm -rf .venv .demo var .hypothesis .mypy_cache .ruff_cache .import_linter_cache
