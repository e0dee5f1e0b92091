# Third-party libraries: Debian's through find_package or pkg-config, the rest from the cache's prefix.

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Eigen3 3.4 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(simdjson REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(ICU 72 REQUIRED COMPONENTS uc i18n data)
find_package(LibXml2 REQUIRED)
find_package(pugixml REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(libzip REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(uchardet REQUIRED IMPORTED_TARGET uchardet)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(hs REQUIRED IMPORTED_TARGET libhs)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_library(CMARK_GFM_LIBRARY cmark-gfm REQUIRED)
find_library(CMARK_GFM_EXTENSIONS_LIBRARY cmark-gfm-extensions REQUIRED)
if(HENG_TESTS)
  find_package(GTest REQUIRED)
endif()
if(HENG_BENCH)
  find_package(benchmark REQUIRED)
endif()

set(HENG_PREFIX "" CACHE PATH "third-party prefix made by setup/third-party.sh")
if(NOT EXISTS "${HENG_PREFIX}/.complete")
  message(FATAL_ERROR "HENG_PREFIX (${HENG_PREFIX}) is not complete: run scripts/setup first, or configure through scripts/build")
endif()

add_library(sqlite3mc STATIC IMPORTED)
set_target_properties(sqlite3mc PROPERTIES IMPORTED_LOCATION ${HENG_PREFIX}/lib/libsqlite3mc.a
  INTERFACE_INCLUDE_DIRECTORIES ${HENG_PREFIX}/include/sqlite3mc INTERFACE_LINK_LIBRARIES "Threads::Threads;m;dl")

add_library(cppjieba INTERFACE IMPORTED)
set_target_properties(cppjieba PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${HENG_PREFIX}/include/jieba
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${HENG_PREFIX}/include/jieba)

add_library(usearch INTERFACE IMPORTED)
set_target_properties(usearch PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${HENG_PREFIX}/include/usearch-root
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${HENG_PREFIX}/include/usearch-root)

# llama.cpp: only infer/llama links it
find_package(OpenMP REQUIRED)
set(llama_libs)
foreach(lib llama-common llama llama-common-base ggml ggml-cpu ggml-base cpp-httplib vendor-hash)
  list(APPEND llama_libs ${HENG_PREFIX}/lib/llama/lib${lib}.a)
endforeach()
if(EXISTS ${HENG_PREFIX}/lib/llama/libggml-cuda.a)
  find_package(CUDAToolkit REQUIRED)
  list(APPEND llama_libs ${HENG_PREFIX}/lib/llama/libggml-cuda.a CUDA::cudart CUDA::cublas CUDA::cuda_driver)
endif()
add_library(llama INTERFACE IMPORTED)
set_target_properties(llama PROPERTIES
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${HENG_PREFIX}/include/llama;${HENG_PREFIX}/include/llama-common"
  INTERFACE_INCLUDE_DIRECTORIES "${HENG_PREFIX}/include/llama;${HENG_PREFIX}/include/llama-common")
target_link_libraries(llama INTERFACE -Wl,--start-group ${llama_libs} -Wl,--end-group OpenMP::OpenMP_CXX Threads::Threads dl)
