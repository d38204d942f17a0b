#!/bin/sh
# Everything a change must pass: lint, then the tests in four lanes. Lanes go on after a failure; the exit code tells.
set -u
cd "$(dirname "$0")/.."
scripts/bootstrap.sh main qt6 peer07 peer09 || exit 1

ZV_PEER_07="$PWD/.venv-peer-0.2.0/bin/python"
ZV_PEER_09="$PWD/.venv-peer-0.9.2/bin/python"
export ZV_PEER_07 ZV_PEER_09
failed=''

lane() {
    title=$1
    shift
    printf '\n=== %s\n' "$title"
    started=$(date +%s)
    "$@" || failed="$failed
  $title"
    echo "=== $title: $(($(date +%s) - started)) s"
}

default="Python $(.venv/bin/python -c 'import platform; print(platform.python_version())')"
lane "lint" scripts/lint.sh
lane "$default, PyQt5: everything" .venv/bin/python -m pytest -q

if scripts/bootstrap.sh py313 2>/dev/null; then
    lane "Python 3.13: library and model level" \
        .venv-py313/bin/python -m pytest -q -m 'not gui and not peers'
elif [ "${CI:-}" = true ]; then
    scripts/bootstrap.sh py313
    failed="$failed
  Python 3.13: not on this machine"
else
    echo
    echo "!!! NOT RUN: the Python 3.13 lane. There is no python3.13 on this machine"
    echo "!!! (install it with the system's packages, pyenv, or: uv python install 3.13)."
fi

lane "PyQt6: model level and the window" env QT_API=pyqt6 \
    .venv-qt6/bin/python -m pytest -q tests/zv_viewer tests/gui

echo
if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
echo "All lanes passed."
