# One-word chores. Each does its own set-up, on a bare Debian or Ubuntu too; a second run finds it done.

.PHONY: help demo test test-long lint docs bench lock clean

help:
	@echo "make demo        a demo store on screen, or without a display a picture of it"
	@echo "make test        lint, types, contracts and every test, on two Pythons and both Qts"
	@echo "make test-long   the long columns; LIMIT=SECONDS in all (default 1800)"
	@echo "make lint        ruff, mypy, import contracts, manifest, lock files"
	@echo "make bench       benchmarks, with figures"
	@echo "make docs        the documentation, into site/"
	@echo "make lock        resolve the lock files again after a change of dependencies"
	@echo "make clean       remove environments, caches and build results"

demo:
	@scripts/demo.sh

test:
	@scripts/test.sh

test-long:
	@scripts/test_long.sh $(LIMIT)

lint:
	@scripts/bootstrap.sh main
	@scripts/lint.sh

docs:
	@scripts/bootstrap.sh docs
	@.venv-docs/bin/mkdocs build --strict

bench:
	@scripts/bench.sh

lock:
	@scripts/bootstrap.sh main
	@.venv/bin/python scripts/lock.py

clean:
	rm -rf .venv .venv-* .cache build dist site .mypy_cache .ruff_cache .pytest_cache
