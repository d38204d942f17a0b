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
case "$sample" in
    cells) look='--color-by cell_type --angles 0 25 65' ;;
    transcripts) look='--color-by gene' ;;
    *) look='' ;;
esac
.venv/bin/zv-view render "$store" --out "$picture" $look 2>build/demo.log || {
    cat build/demo.log >&2
    exit 1
}
echo "There is no display here, so this is a picture of the demo store:"
echo "$picture"
