#!/bin/sh
# Every script in tests/benchmarks with its full figures; `make test` only checks that they run.
#   scripts/bench.sh [NAME ...]     default: all
set -eu
cd "$(dirname "$0")/.."
scripts/bootstrap.sh main
display=''
[ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] ||
    display='xvfb-run -a -s -screen\ 0\ 1400x1000x24\ +extension\ GLX'
[ "$#" -gt 0 ] || set -- $(cd tests/benchmarks && ls | grep '\.py$' | grep -v -e '^test_' -e conftest | sed 's/\.py$//')
for name in "$@"; do
    printf '\n=== %s\n' "$name"
    eval "$display" .venv/bin/python "tests/benchmarks/$name.py"
done
