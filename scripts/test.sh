#!/bin/sh
# Everything a change must pass: lint and the tests, in lanes of which two (ZV_LANES) run at a time.
# Lanes go on after a failure; the exit code tells.
set -u
cd "$(dirname "$0")/.."
mkdir -p build
scripts/bootstrap.sh main qt6 peer07 peer09 || exit 1

ZV_PEER_07="$PWD/.venv-peer-0.2.0/bin/python"
ZV_PEER_09="$PWD/.venv-peer-0.9.2/bin/python"
export ZV_PEER_07 ZV_PEER_09
failed=''

# Stores of the tests are many small files: in memory where there is room, else where the system puts them.
room=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print int($4 / 1048576) }')
files=$(df -Pi /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
if [ "${room:-0}" -ge 4 ] && [ "${files:-0}" -ge 500000 ] && [ -w /dev/shm ]; then
    TMPDIR=$(mktemp -d /dev/shm/zv-tests.XXXXXX)
    export TMPDIR
    trap 'rm -rf "$TMPDIR"' EXIT
fi
# Tests start many programs: what those import is compiled once, whatever the shell says.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$PWD/build/bytecode"
beside=''
trap 'kill $beside 2>/dev/null; exit 1' HUP INT TERM
at_once=${ZV_LANES:-2}

lane() {
    title=$1
    shift
    printf '\n=== %s\n' "$title"
    started=$(date +%s)
    "$@" || failed="$failed
  $title"
    echo "=== $title: $(($(date +%s) - started)) s"
}

default=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
other=3.13
[ "$default" != 3.13 ] || other=3.11
environment=py$(echo "$other" | tr -d .)

# Plugins of napari look after every test; these open no window.
no_window='-m pytest -q --ignore=tests/gui -p no:napari -p no:napari-plugin-engine -p no:npe2'

# Lanes, the longest first; ZV_LANES of them run at a time.
run() {
    case $1 in
    lint)
        lane "lint" scripts/lint.sh
        ;;
    library)
        # shellcheck disable=SC2086
        lane "Python $default: library, model level, published releases" \
            .venv/bin/python $no_window -m 'not gui'
        ;;
    other)
        if scripts/bootstrap.sh "$environment" 2>build/second-python.log; then
            # shellcheck disable=SC2086
            lane "Python $other: library and model level" \
                ".venv-$environment/bin/python" $no_window -m 'not gui and not peers and not once'
        elif [ "${CI:-}" = true ]; then
            cat build/second-python.log
            failed="$failed
  Python $other: could not be made ready"
        else
            echo
            cat build/second-python.log
            echo "!!! NOT RUN: the lane of Python $other."
            echo "!!! Install that Python (system packages, pyenv, uv python install $other) and run again."
        fi
        ;;
    window)
        lane "Python $default: the window" .venv/bin/python -m pytest -q -m gui
        ;;
    qt6)
        lane "PyQt6: the window" env QT_API=pyqt6 .venv-qt6/bin/python -m pytest -q \
            -m 'not once' tests/gui tests/zv_viewer/widgets
        ;;
    esac
}

# Takes lanes that nobody has taken, one after the other.
worker() {
    for name in lint library window other qt6; do
        if mkdir "build/taken/$name" 2>/dev/null; then
            run "$name"
        fi
    done
}

# Tests of Azure need Azurite: without it they are left out, and in CI they fail.
if ! .venv/bin/python scripts/azurite.py >build/azurite.log 2>&1; then
    cat build/azurite.log
    echo "!!! NOT RUN: the tests of Azure."
fi
rm -rf build/beside build/taken
mkdir build/beside build/taken
for number in $(seq 2 "$at_once"); do
    (
        failed=''
        worker
        printf '%s' "$failed" >"build/beside/$number.failed"
    ) >"build/beside/$number.log" 2>&1 &
    beside="$beside $!"
done
worker
for process in $beside; do
    wait "$process"
done
for number in $(seq 2 "$at_once"); do
    cat "build/beside/$number.log"
    if [ -f "build/beside/$number.failed" ]; then
        failed="$failed$(cat "build/beside/$number.failed")"
    else
        failed="$failed
  lanes beside: they did not end"
    fi
done

echo
if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
echo "All lanes passed."
