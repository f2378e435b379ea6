# What a user runs is `make demo` and `make test`; both set up everything they need, and only when it changed.

ifneq ($(filter 0 1 2 3,$(firstword $(subst ., ,$(MAKE_VERSION)))),)
$(error GNU make 4 or newer is needed, this is $(MAKE_VERSION); install it (Debian: apt install make; macOS: brew install make, then run gmake))
endif

INSTALLED := .venv/bin/python
WORKERS   ?= 2

.PHONY: demo test check lint artifacts schema docs bench setup clean
.DEFAULT_GOAL := demo

# make demo [ONCE=1] [LOANS=1000] [TAPE=file.csv MAPPING=lendingclub_2007_2011 [LIMIT=1000]]
demo: setup
	@$(INSTALLED) -m app demo $(if $(ONCE),--once) $(if $(LOANS),--loans $(LOANS)) \
		$(if $(TAPE),--tape "$(TAPE)") $(if $(MAPPING),--mapping "$(MAPPING)") $(if $(LIMIT),--limit $(LIMIT))

# make test [TESTS="tests/unit"] [WORKERS=2]; a file stays on one worker, with the chain and database it started
test: setup
	@$(INSTALLED) -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

# Everything that must hold before a change is taken; `.ci/run` runs the same, tests first.
check: lint test

lint: setup
	@$(INSTALLED) -m ruff check .
	@$(INSTALLED) -m ruff format --check .
	@$(INSTALLED) -m mypy
	@$(INSTALLED) -m chain.compile --check
	@$(INSTALLED) -m graphql_api.print_schema --check
	@$(INSTALLED) scripts/generate_docs.py --check

# Generated files that are committed: contract, schema, reference pages.
artifacts: setup
	@$(INSTALLED) -m chain.compile

schema: setup
	@$(INSTALLED) -m graphql_api.print_schema --write

docs: setup
	@$(INSTALLED) scripts/generate_docs.py

# make bench [TAPE=file MAPPING=name]: some minutes; what needs a real tape runs only with one
bench: setup
	@for name in gas anchoring indexing; do $(INSTALLED) -m benchmarks.$$name || exit 1; done
	@$(if $(TAPE),$(INSTALLED) -m benchmarks.pipeline --tape "$(TAPE)" $(if $(MAPPING),--mapping "$(MAPPING)"),:)

setup:
	@sh scripts/setup.sh

# Stops the devnet of the default home, then removes everything that was made: packages, registry, caches.
clean:
	@if [ -x $(INSTALLED) ]; then $(INSTALLED) -m app devnet down >/dev/null 2>&1 || true; fi
	@rm -rf .venv var hardhat-free-devnet/node_modules graphql_api/graphiql/node_modules dist
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
