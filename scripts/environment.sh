# Sourced by the other scripts: where the tree, the cache and the third-party prefix are.
HENG_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export HENG_ROOT
export HENG_CACHE=${HENG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/heng}
HENG_LOCK_HASH=$(sha256sum "$HENG_ROOT/setup/lock.toml" | cut -c1-16)
export HENG_PREFIX=$HENG_CACHE/third-party/$HENG_LOCK_HASH
export HENG_MODELS=${HENG_MODELS:-$HENG_CACHE/models}
export HENG_PYTHON=$HENG_CACHE/venv/bin/python
export CCACHE_DIR=${CCACHE_DIR:-$HENG_CACHE/ccache}
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-4G}
# public data sets for measurements; tests that need them skip, saying so, where they are absent
if [ -z "${HENG_DATA:-}" ] && [ -d "$HENG_ROOT/../shared/data" ]; then
  HENG_DATA=$(cd "$HENG_ROOT/../shared/data" && pwd)
fi
export HENG_DATA=${HENG_DATA:-}

say() { printf '\n== %s\n' "$*"; }
