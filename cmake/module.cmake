# Declares rooms. A room is a folder, a namespace and a library; see ARCHITECTURE.md.
#
#   heng_room(NAME knowledge LAYER 2
#     HEADERS include/heng/knowledge/search.h …     public, under include/
#     SOURCES src/search.cc …                       private
#     DEPS contracts …                              rooms whose headers its public headers use
#     PRIVATE_DEPS store …                          rooms used in sources only
#     LIBS ICU::uc …                                third-party, private
#     PUBLIC_LIBS …                                 third-party, seen by users (needs a reason)
#     TESTS tests/search_test.cc …                  GoogleTest, one program per room
#     TEST_DEPS … TEST_LIBS …
#     FUZZ name:fuzz/name.cc …                      replays fuzz/corpus/<name> as a test; libFuzzer with HENG_FUZZ
#     BENCH bench/search_bench.cc …)                Google Benchmark program <name>_bench
#
# A dependency must be on a lower layer (checked here), and an include must be of a declared dependency (checked by
# tests/structure/check_includes.py).

set_property(GLOBAL PROPERTY GLOBAL_DEPENDS_NO_CYCLES ON)
define_property(GLOBAL PROPERTY HENG_ROOMS BRIEF_DOCS "room:layer:folder:deps lines" FULL_DOCS "for the include check")

function(heng_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
    -Werror=return-type)
  # HENG_TRY is a statement expression, which -Wpedantic flags; __int128 likewise
  target_compile_options(${target} PRIVATE -Wno-pedantic)
  # GCC 12 warns wrongly inside std::string at -O2 (its bug 105651)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  if(HENG_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

function(heng_room)
  cmake_parse_arguments(R "" "NAME;LAYER" "HEADERS;SOURCES;DEPS;PRIVATE_DEPS;LIBS;PUBLIC_LIBS;TESTS;TEST_DEPS;TEST_LIBS;FUZZ;BENCH" ${ARGN})
  if(R_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "room ${R_NAME}: unknown words ${R_UNPARSED_ARGUMENTS}")
  endif()
  set(target heng_${R_NAME})
  set_property(GLOBAL PROPERTY HENG_LAYER_${R_NAME} ${R_LAYER})
  foreach(dep IN LISTS R_DEPS R_PRIVATE_DEPS)
    get_property(dep_layer GLOBAL PROPERTY HENG_LAYER_${dep})
    if(dep_layer STREQUAL "")
      message(FATAL_ERROR "room ${R_NAME}: depends on ${dep}, which is not declared (yet)")
    elseif(NOT dep_layer LESS R_LAYER)
      message(FATAL_ERROR "room ${R_NAME} (layer ${R_LAYER}) may not depend on ${dep} (layer ${dep_layer}): downward only")
    endif()
  endforeach()
  string(REPLACE ";" "," dep_list "${R_DEPS};${R_PRIVATE_DEPS}")
  set_property(GLOBAL APPEND PROPERTY HENG_ROOMS "${R_NAME}|${R_LAYER}|${CMAKE_CURRENT_SOURCE_DIR}|${dep_list}")

  list(TRANSFORM R_DEPS PREPEND heng_ OUTPUT_VARIABLE deps)
  list(TRANSFORM R_PRIVATE_DEPS PREPEND heng_ OUTPUT_VARIABLE private_deps)
  if(R_SOURCES)
    add_library(${target} STATIC ${R_SOURCES})
    target_include_directories(${target} PUBLIC include PRIVATE src)
    target_link_libraries(${target} PUBLIC ${deps} ${R_PUBLIC_LIBS} PRIVATE ${private_deps} ${R_LIBS})
    heng_warnings(${target})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE include)
    target_link_libraries(${target} INTERFACE ${deps} ${R_PUBLIC_LIBS})
  endif()

  if(R_TESTS AND HENG_TESTS)
    list(TRANSFORM R_TEST_DEPS PREPEND heng_ OUTPUT_VARIABLE test_deps)
    add_executable(${R_NAME}_test ${R_TESTS})
    target_include_directories(${R_NAME}_test PRIVATE src)
    target_link_libraries(${R_NAME}_test PRIVATE ${target} ${private_deps} ${test_deps} ${R_LIBS} ${R_TEST_LIBS} GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_definitions(${R_NAME}_test PRIVATE HENG_SOURCE_DIR="${CMAKE_SOURCE_DIR}" HENG_ROOM_DIR="${CMAKE_CURRENT_SOURCE_DIR}" HENG_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
    heng_warnings(${R_NAME}_test)
    if(NOT HENG_SANITIZE)
      target_compile_options(${R_NAME}_test PRIVATE -O0)  # a test's own code is run once: its compilation is what costs
    endif()
    add_test(NAME ${R_NAME} COMMAND ${R_NAME}_test)
    set_tests_properties(${R_NAME} PROPERTIES LABELS "unit" TIMEOUT 600)
  endif()

  if(HENG_TESTS)
    foreach(entry IN LISTS R_FUZZ)
      string(REPLACE ":" ";" parts ${entry})
      list(GET parts 0 fuzz_name)
      list(GET parts 1 fuzz_source)
      add_executable(fuzz_${fuzz_name} ${fuzz_source})
      target_include_directories(fuzz_${fuzz_name} PRIVATE src)
      target_link_libraries(fuzz_${fuzz_name} PRIVATE ${target} ${private_deps} ${R_LIBS})
      heng_warnings(fuzz_${fuzz_name})
      if(HENG_FUZZ)
        target_compile_options(fuzz_${fuzz_name} PRIVATE -fsanitize=fuzzer)
        target_link_options(fuzz_${fuzz_name} PRIVATE -fsanitize=fuzzer)
      else()
        target_sources(fuzz_${fuzz_name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc)
        add_test(NAME fuzz_${fuzz_name} COMMAND fuzz_${fuzz_name} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${fuzz_name})
        set_tests_properties(fuzz_${fuzz_name} PROPERTIES LABELS "unit;fuzz" TIMEOUT 300)
      endif()
    endforeach()
  endif()

  if(R_BENCH AND HENG_BENCH)
    list(TRANSFORM R_TEST_DEPS PREPEND heng_ OUTPUT_VARIABLE bench_deps)
    add_executable(${R_NAME}_bench ${R_BENCH})
    target_include_directories(${R_NAME}_bench PRIVATE src)
    target_link_libraries(${R_NAME}_bench PRIVATE ${target} ${private_deps} ${bench_deps} ${R_LIBS} benchmark::benchmark)
    heng_warnings(${R_NAME}_bench)
  endif()
endfunction()
