#!/usr/bin/env bash
# The console in Debian's Chromium against the real program, from upload to the cited page.
# usage: run.sh [TEST NAME PATTERN [FILE…]]      HENG_BIN: folder of the programs (default build/release/bin)
# HENG_E2E_URL and HENG_E2E_KEY: against a program that runs already (while working on the page).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/environment.sh"
export HENG_BIN=${HENG_BIN:-$HENG_ROOT/build/release/bin}

modules=$HENG_CACHE/e2e-$(sha256sum "$here/package-lock.json" | cut -c1-16)
mkdir -p "$HENG_CACHE"
exec 8> "$HENG_CACHE/.e2e.lock"; flock 8
if [ ! -e "$modules/.complete" ]; then
  rm -rf "$modules"; mkdir -p "$modules"
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$modules/"
  (cd "$modules" && npm ci --prefer-offline --no-progress > npm.log 2>&1) || {
    cat "$modules/npm.log" >&2
    echo "e2e: npm could not install the packages of tests/e2e/package-lock.json. Check the network, then run this again." >&2
    exit 1; }
  touch "$modules/.complete"
fi
flock -u 8; exec 8>&-

export HENG_E2E_MODULES=$modules/node_modules
pattern=${1:-}; shift || true
[ $# -gt 0 ] || set -- "$here"/*.test.mjs
exec node --test --test-concurrency=1 ${pattern:+--test-name-pattern="$pattern"} "$@"
