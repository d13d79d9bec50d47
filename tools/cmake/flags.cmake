# Compile options live on interface targets, so that nothing outside this tree inherits them.
option(VEXFS_TESTS "Build the tests" ON)
option(VEXFS_BENCH "Build the micro-benchmarks" OFF)
option(VEXFS_WERROR "Treat warnings as errors" OFF)
option(VEXFS_FUZZ "Build libFuzzer targets (clang)" OFF)
option(VEXFS_COVERAGE "Instrument for coverage" OFF)
set(VEXFS_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=LIST")

add_library(vexfs_flags INTERFACE)
target_include_directories(vexfs_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(vexfs_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -fno-omit-frame-pointer
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 sees overlap in string + string (GCC PR 105651)
  # libstdc++ 12's stable_sort calls its own deprecated get_temporary_buffer().
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  $<$<BOOL:${VEXFS_WERROR}>:-Werror>)
if(VEXFS_SANITIZE)
  target_compile_options(vexfs_flags INTERFACE
    -fsanitize=${VEXFS_SANITIZE} -fno-sanitize-recover=all
    # GCC 12 loses sight of std::optional's flag behind the instrumentation.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(vexfs_flags INTERFACE -fsanitize=${VEXFS_SANITIZE})
endif()
if(VEXFS_COVERAGE)
  target_compile_options(vexfs_flags INTERFACE --coverage)
  target_link_options(vexfs_flags INTERFACE --coverage)
endif()
if(VEXFS_FUZZ)
  target_compile_options(vexfs_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
