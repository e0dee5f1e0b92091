#!/usr/bin/env bash
# Builds the third-party libraries of lock.toml once into $HENG_CACHE/third-party/<hash>; see setup/README.md.
# usage: third-party.sh CACHE PREFIX
set -euo pipefail
cache=$1 prefix=$2
[ -e "$prefix/.complete" ] && exit 0
downloads=$cache/downloads
work=$prefix.work
mkdir -p "$work" "$prefix/include" "$prefix/lib" "$prefix/bin" "$prefix/share"

unpack() {  # file, folder: unpacked once
  [ -e "$work/$2/.unpacked" ] && return
  mkdir -p "$work/$2"
  tar -xzf "$downloads/$1" -C "$work/$2" --strip-components=1
  touch "$work/$2/.unpacked"
}

echo "  build SQLite3 Multiple Ciphers"
unpack better-sqlite3-multiple-ciphers-12.11.1.tgz sqlite3mc
if [ ! -e "$prefix/lib/libsqlite3mc.a" ]; then
  cc -O2 -g0 -fPIC -w -maes -msse4.2 -c "$work/sqlite3mc/deps/sqlite3/sqlite3.c" -o "$work/sqlite3mc.o" \
    -DSQLITE_THREADSAFE=2 -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_DQS=0 \
    -DSQLITE_DEFAULT_FOREIGN_KEYS=1 -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_TEMP_STORE=3 \
    -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE -DSQLITE_USE_ALLOCA \
    -DSQLITE_ENABLE_DBSTAT_VTAB -DSQLITE_SECURE_DELETE -DCODEC_TYPE=CODEC_TYPE_CHACHA20
  ar rcs "$prefix/lib/libsqlite3mc.a" "$work/sqlite3mc.o"
  mkdir -p "$prefix/include/sqlite3mc"
  cp "$work"/sqlite3mc/deps/sqlite3/*.h "$prefix/include/sqlite3mc/"
fi

echo "  unpack cppjieba and USearch"
unpack nodejieba-3.5.8.tgz nodejieba
mkdir -p "$prefix/include/jieba" "$prefix/share/cppjieba"
cp -r "$work"/nodejieba/submodules/cppjieba/include/. "$work"/nodejieba/submodules/cppjieba/deps/limonp/include/. "$prefix/include/jieba/"
cp "$work"/nodejieba/submodules/cppjieba/dict/*.utf8 "$prefix/share/cppjieba/"
unpack usearch-2.26.6.tar.gz usearch
mkdir -p "$prefix/include/usearch-root"
cp -r "$work"/usearch/include/. "$prefix/include/usearch-root/"

echo "  build llama.cpp (about 6 minutes on two cores)"
unpack llama_cpp_python-0.3.36.tar.gz llama
llama=$work/llama/vendor/llama.cpp
cmake -S "$llama" -B "$work/llama-build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
  -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF \
  -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF "-DGGML_CUDA=${HENG_CUDA:-OFF}" \
  -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache > "$work/llama-configure.log"
# llama-bench and llama-server are the peers that scripts/bench measures against
cmake --build "$work/llama-build" --target llama llama-common llama-bench llama-server -j "$(nproc)"
mkdir -p "$prefix/include/llama" "$prefix/include/llama-common" "$prefix/lib/llama"
cp "$llama"/include/*.h "$llama"/ggml/include/*.h "$prefix/include/llama/"
(cd "$llama/common" && find . -name '*.h' -o -name '*.hpp' | cpio -pdm --quiet "$prefix/include/llama-common")
find "$work/llama-build" -name '*.a' -exec cp {} "$prefix/lib/llama/" \;
cp "$work/llama-build/bin/llama-bench" "$work/llama-build/bin/llama-server" "$prefix/bin/"
grep -m1 '^flags' /proc/cpuinfo | tr ' ' '\n' | grep -E '^(avx|fma|f16c|bmi2|amx)' | sort > "$prefix/.cpu" || true
touch "$prefix/.complete"
rm -rf "$work"
