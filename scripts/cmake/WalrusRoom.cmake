# What a room says about itself.
#
# walrus_room(name ...) makes the library walrus::name, its test program, benches and fuzzers.
#   HEADERS            what others may include: installed, and each must compile alone; a header
#                      that is not named is private to its folder
#   SOURCES            its .cc files; all paths are relative to the room's folder
#   DEPS               public dependencies;  PRIVATE_DEPS those that its headers do not show
#   TESTS, TEST_DEPS   one test program walrus_<name>_test, registered test by test
#   LABEL              ctest label of TESTS: unit (default), sim, stress or system
#   BENCHES            one program each, linked with Google Benchmark; ctest runs a smoke of each
#   FUZZERS            one libFuzzer program each; ctest runs each for WALRUS_FUZZ_SECONDS
#
# walrus_test(program LABEL label SOURCES ... DEPS ...) adds one more GoogleTest program, for tests
# of another label.

include(GoogleTest)

add_library(walrus_warnings INTERFACE)
target_compile_options(walrus_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                 $<$<BOOL:${WALRUS_WERROR}>:-Werror>)

add_library(walrus_sanitize INTERFACE)
if(WALRUS_SANITIZE)
  target_compile_options(walrus_sanitize INTERFACE -fsanitize=${WALRUS_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(walrus_sanitize INTERFACE -fsanitize=${WALRUS_SANITIZE})
  if(WALRUS_SANITIZE MATCHES thread)
    # asio has fences, which TSan does not follow; it has no wrong reports for want of them here.
    target_compile_options(walrus_sanitize INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()
if(WALRUS_BUILD_FUZZ)
  # Coverage feedback from the code under test, not only from the fuzz target.
  target_compile_options(walrus_sanitize INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What every target of ours has in common.
function(walrus_target target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  # Half of the compiler's work is reading headers: WALRUS_UNITY reads them for six files at once.
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF UNITY_BUILD ${WALRUS_UNITY}
                                             UNITY_BUILD_BATCH_SIZE 6)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:walrus_warnings>
                                          $<BUILD_INTERFACE:walrus_sanitize>)
endfunction()

function(walrus_test program)
  cmake_parse_arguments(TEST "" "LABEL" "SOURCES;DEPS" ${ARGN})
  add_executable(${program} ${TEST_SOURCES})
  walrus_target(${program})
  set_target_properties(${program} PROPERTIES UNITY_BUILD OFF)  # Tests name things as they like.
  # What is tested is optimised in full; the tests themselves compile in two thirds of the time.
  target_compile_options(${program} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1 -g1>)
  target_link_libraries(${program} PRIVATE ${TEST_DEPS} GTest::gtest GTest::gmock
                                           GTest::gtest_main)
  gtest_discover_tests(${program} DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS ${TEST_LABEL} TIMEOUT 300)
endfunction()

function(walrus_bench source)
  cmake_parse_arguments(BENCH "" "" "DEPS" ${ARGN})
  cmake_path(GET source STEM program)
  add_executable(${program} ${source})
  walrus_target(${program})
  target_link_libraries(${program} PRIVATE ${BENCH_DEPS} benchmark::benchmark_main)
  if(WALRUS_BUILD_TESTS)
    add_test(NAME bench.${program}
             COMMAND ${PROJECT_SOURCE_DIR}/scripts/bench_smoke.sh $<TARGET_FILE:${program}>)
    set_tests_properties(bench.${program} PROPERTIES LABELS system TIMEOUT 300)
  endif()
endfunction()

function(walrus_fuzzer source)
  cmake_parse_arguments(FUZZ "" "" "DEPS" ${ARGN})
  cmake_path(GET source STEM program)
  add_executable(${program} ${source})
  walrus_target(${program})
  target_link_options(${program} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${program} PRIVATE ${FUZZ_DEPS})

  # The corpus outlives the run: the next one starts from what this one learned.
  set(corpus ${PROJECT_BINARY_DIR}/corpus/${program})
  file(MAKE_DIRECTORY ${corpus})
  math(EXPR timeout "${WALRUS_FUZZ_SECONDS} + 60")
  add_test(NAME fuzz.${program}
           COMMAND ${program} -max_total_time=${WALRUS_FUZZ_SECONDS} -print_final_stats=1
                   -artifact_prefix=${corpus}- ${corpus})
  set_tests_properties(fuzz.${program} PROPERTIES LABELS fuzz TIMEOUT ${timeout})
endfunction()

function(walrus_room name)
  cmake_parse_arguments(ROOM "" "LABEL"
    "HEADERS;SOURCES;DEPS;PRIVATE_DEPS;TESTS;TEST_DEPS;BENCHES;FUZZERS" ${ARGN})
  set(target walrus_${name})
  add_library(${target} STATIC ${ROOM_SOURCES})
  add_library(walrus::${name} ALIAS ${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                 FILES ${ROOM_HEADERS})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name}
                        VERIFY_INTERFACE_HEADER_SETS ON)
  walrus_target(${target})
  target_link_libraries(${target} PUBLIC ${ROOM_DEPS} PRIVATE ${ROOM_PRIVATE_DEPS})

  if(WALRUS_BUILD_TESTS AND ROOM_TESTS)
    if(NOT ROOM_LABEL)
      set(ROOM_LABEL unit)
    endif()
    walrus_test(${target}_test LABEL ${ROOM_LABEL}
                SOURCES ${ROOM_TESTS} DEPS walrus::${name} ${ROOM_TEST_DEPS})
  endif()
  if(WALRUS_BUILD_BENCH)
    foreach(source IN LISTS ROOM_BENCHES)
      walrus_bench(${source} DEPS walrus::${name} ${ROOM_TEST_DEPS})
    endforeach()
  endif()
  if(WALRUS_BUILD_FUZZ)
    foreach(source IN LISTS ROOM_FUZZERS)
      walrus_fuzzer(${source} DEPS walrus::${name} ${ROOM_TEST_DEPS})
    endforeach()
  endif()
endfunction()
