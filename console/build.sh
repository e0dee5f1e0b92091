#!/usr/bin/env bash
# Builds the console in a folder of its own; the source tree stays as it is.
# usage: build.sh WORK build OUT | WORK check | WORK test
# The packages of package-lock.json are installed once into the cache: with a warm cache no network is needed.
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
. "$source/../scripts/environment.sh"
work=$1 action=$2
mkdir -p "$work" "$HENG_CACHE"
exec 9> "$work/.lock"; flock 9

modules=$HENG_CACHE/console-$(sha256sum "$source/package-lock.json" | cut -c1-16)
exec 8> "$HENG_CACHE/.console.lock"; flock 8
if [ ! -e "$modules/.complete" ]; then
  rm -rf "$modules"; mkdir -p "$modules"
  cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$modules/"
  (cd "$modules" && npm ci --prefer-offline --no-progress > npm.log 2>&1) || {
    cat "$modules/npm.log" >&2
    echo "console: npm could not install the packages of console/package-lock.json. Check the network, then build again." >&2
    exit 1; }
  touch "$modules/.complete"
fi
flock -u 8

for name in src tests public; do rm -rf "${work:?}/$name"; cp -R "$source/$name" "$work/$name"; done
cp "$source"/{content-security-policy.txt,index.html,package.json,tsconfig.json,svelte.config.js,vite.config.js} "$work/"
ln -sfn "$modules/node_modules" "$work/node_modules"
cd "$work"
bin=$modules/node_modules/.bin
case $action in
  build)
    "$bin/vite" build --logLevel warn --outDir dist --emptyOutDir
    node "$source/embed.mjs" "$work/dist" "$source/content-security-policy.txt" "$3" ;;
  check) "$bin/svelte-check" --tsconfig ./tsconfig.json --fail-on-warnings --output human ;;
  test) "$bin/vitest" run ;;
  *) echo "usage: build.sh WORK build OUT | check | test" >&2; exit 2 ;;
esac
