# vexfs_test(NAME name SOURCES files... LIBRARIES libs...)
# One GoogleTest program for one source folder; ctest runs it whole, and tools/test ends what hangs. Program
# names mirror the folder: tests/core/payload -> core_payload_test.
function(vexfs_test)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE vexfs_flags ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
  add_test(NAME ${arg_NAME} COMMAND ${arg_NAME})
  set_tests_properties(${arg_NAME} PROPERTIES SKIP_RETURN_CODE 77)
endfunction()

# Adds those of the named folders that have a CMakeLists.txt.
function(vexfs_subdirectories)
  foreach(folder ${ARGN})
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()
