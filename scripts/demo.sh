#!/bin/sh
# The demo store on screen; without a display a picture of it, whose path is printed last.
set -eu
cd "$(dirname "$0")/.."
sample=${SAMPLE:-cells}
scripts/bootstrap.sh main
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec .venv/bin/zv-view --sample "$sample"
fi
store=$(.venv/bin/zv-view --sample "$sample" --make-only | tail -n 1)
mkdir -p build
picture="$PWD/build/demo-$sample.png"
.venv/bin/zv-view render "$store" --out "$picture"
echo "There is no display here, so this is a picture of the demo store:"
echo "$picture"
