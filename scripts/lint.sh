#!/bin/sh
# Style, types, import contracts, the plugin manifest, and whether the lock files are current.
# All of them run; the exit code tells whether one failed.
set -u
cd "$(dirname "$0")/.."
bin=.venv/bin
status=0
check() { "$@" || { echo "failed: $*" >&2; status=1; }; }

check "$bin/ruff" check --quiet .
check "$bin/ruff" format --check --quiet .
check "$bin/mypy"
check "$bin/lint-imports" --no-logo
check "$bin/npe2" validate napari.yaml
check "$bin/python" scripts/lock.py --check
exit "$status"
