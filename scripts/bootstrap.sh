#!/bin/sh
# From a bare Debian or Ubuntu to ready environments: system libraries, a Python, then environments.py.
#   scripts/bootstrap.sh [ENVIRONMENT ...]      names as in scripts/environments.py; default: main
# Where it may not install system packages it prints the command that would, and stops.
set -eu
cd "$(dirname "$0")/.."

# What Qt (5 and 6), OpenGL in software and a display in memory load at run time, and the package of each.
needs='
libGL.so.1              libgl1
libEGL.so.1             libegl1
libglib-2.0.so.0        libglib2.0-0
libdbus-1.so.3          libdbus-1-3
libfontconfig.so.1      libfontconfig1
libX11-xcb.so.1         libx11-xcb1
libxkbcommon-x11.so.0   libxkbcommon-x11-0
libxcb-cursor.so.0      libxcb-cursor0
libxcb-icccm.so.4       libxcb-icccm4
libxcb-image.so.0       libxcb-image0
libxcb-keysyms.so.1     libxcb-keysyms1
libxcb-randr.so.0       libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0       libxcb-shape0
libxcb-sync.so.1        libxcb-sync1
libxcb-xfixes.so.0      libxcb-xfixes0
libxcb-xinerama.so.0    libxcb-xinerama0
libxcb-xkb.so.1         libxcb-xkb1
'

missing_packages() {
    PATH="$PATH:/usr/sbin:/sbin"
    known=$(ldconfig -p 2>/dev/null || true)
    echo "$needs" | while read -r library package; do
        [ -n "$library" ] || continue
        case "$known" in *"$library"*) ;; *) printf '%s ' "$package" ;; esac
    done
    software=$(find /usr/lib /usr/lib64 -maxdepth 3 \
        \( -name swrast_dri.so -o -name 'libgallium-*.so' \) 2>/dev/null | head -n 1)
    [ -n "$software" ] || printf 'libgl1-mesa-dri '
    command -v Xvfb >/dev/null 2>&1 || printf 'xvfb '
    fonts=$(find /usr/share/fonts -name '*.ttf' -print 2>/dev/null | head -n 1)
    [ -n "$fonts" ] || printf 'fonts-dejavu-core '
    if [ -n "$(find_python)" ]; then
        [ -n "$(find_installer)" ] || printf 'python3-venv '
    elif command -v python3 >/dev/null 2>&1; then
        printf 'python3.11 python3.11-venv '  # Ubuntu 22.04: its python3 is older
    else
        printf 'python3 python3-venv '
    fi
}

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# 3.11 first: it is the version the project is developed on; else the newest that runs.
find_python() {
    for candidate in "${PYTHON:-}" python3.11 python3 python3.12 python3.13 python3.14; do
        if [ -n "$candidate" ] && usable "$candidate"; then
            "$candidate" -c 'import sys; print(sys._base_executable)'
            return
        fi
    done
}

# uv, or a way to get it: venv with pip inside, or pip.
find_installer() {
    for tool in uv "${HOME:-/root}/.local/bin/uv" .cache/uv/bin/uv; do
        if "$tool" --version >/dev/null 2>&1; then echo "$tool"; return; fi
    done
    python=$(find_python)
    [ -n "$python" ] || return 0
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 && { echo venv; return; }
    "$python" -m pip --version >/dev/null 2>&1 && { echo pip; return; }
    return 0
}

install_system_packages() {
    packages=$(missing_packages | tr ' ' '\n' | sort -u | tr '\n' ' ' | sed 's/^ *//')
    [ -n "$(echo "$packages" | tr -d ' ')" ] || return 0
    command="apt-get update && apt-get install -y --no-install-recommends $packages"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "This machine has no apt-get, and these Debian packages, or what this system calls them," >&2
        echo "are missing: $packages" >&2
        exit 1
    fi
    if [ "$(id -u)" = 0 ]; then
        as_root=''
    elif command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then
        as_root='sudo -n'
    else
        echo "System packages are missing and this account may not install them. Run once, as root:" >&2
        echo "  $command" >&2
        exit 1
    fi
    echo "Installing system packages: $packages"
    log=$(mktemp)
    if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "Could not install the system packages; this is the command that failed:" >&2
        echo "  $command" >&2
        exit 1
    fi
    rm -f "$log"
}

install_system_packages
python=$(find_python)
if [ -z "$python" ]; then
    install_system_packages
    python=$(find_python)
fi
if [ -z "$python" ]; then
    echo "No Python 3.11 or newer was found (python3 is: $(python3 --version 2>&1 || true))." >&2
    echo "Install one, or name the one to use: PYTHON=/path/to/python3.11 make ..." >&2
    exit 1
fi
exec "$python" scripts/environments.py make --python "$python" "${@:-main}"
