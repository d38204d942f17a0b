#!/bin/sh
# Every script in tests/benchmarks with its full figures; `make test` only checks that they run.
#   scripts/bench.sh [NAME ...]     default: all
set -eu
cd "$(dirname "$0")/.."
scripts/bootstrap.sh main
if [ "$#" = 0 ]; then
    set -- $(cd tests/benchmarks && ls | grep '\.py$' | grep -v -e '^test_' -e conftest | sed 's/\.py$//')
fi
for name in "$@"; do
    printf '\n=== %s\n' "$name"
    .venv/bin/python scripts/on_display.py "tests/benchmarks/$name.py"
done
