#!/bin/sh
# Style, types, import contracts, the plugin manifest, and whether the lock files are current.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
"$bin/ruff" check --quiet .
"$bin/ruff" format --check --quiet . || { echo "run: $bin/ruff format ." >&2; exit 1; }
"$bin/mypy"
"$bin/lint-imports" --no-logo
"$bin/npe2" validate napari.yaml
"$bin/python" scripts/lock.py --check
