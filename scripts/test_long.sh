#!/bin/sh
# The long columns: tests marked slow, with larger numbers, sharing a time limit in seconds (default 1800).
set -eu
cd "$(dirname "$0")/.."
limit=${1:-1800}
scripts/bootstrap.sh main peer07 peer09
.venv/bin/python scripts/azurite.py || echo "!!! NOT RUN: the tests of Azure."
ZV_PEER_07="$PWD/.venv-peer-0.2.0/bin/python"
ZV_PEER_09="$PWD/.venv-peer-0.9.2/bin/python"
HYPOTHESIS_PROFILE=night
ZV_LONG_SECONDS=$limit
export ZV_PEER_07 ZV_PEER_09 HYPOTHESIS_PROFILE ZV_LONG_SECONDS
exec .venv/bin/python -m pytest -m slow --timeout="$limit" -o faulthandler_timeout="$limit" --durations=20
