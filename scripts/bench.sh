#!/bin/sh
# The benchmarks with their figures; `make test` only checks that they run.
set -eu
cd "$(dirname "$0")/.."
scripts/bootstrap.sh main
exec .venv/bin/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only "$@"
