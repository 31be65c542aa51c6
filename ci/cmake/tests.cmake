# One test program a room, from the x_test.cpp files beside its code.
include(GoogleTest)
get_property(rooms GLOBAL PROPERTY forkproof_tested_rooms)
foreach(room IN LISTS rooms)
  get_property(tests GLOBAL PROPERTY forkproof_tests_of_${room})
  add_executable(${room}_tests ${tests})
  # The helpers of these rooms' tests have the same names in several files.
  if(NOT room MATCHES "^(observe|oracles)$")
    forkproof_unity(${room}_tests)
  endif()
  target_link_libraries(${room}_tests PRIVATE forkproof_${room} GTest::gmock_main GTest::gtest rapidcheck rapidcheck_gtest)
  target_compile_options(${room}_tests PRIVATE ${sanitize} -O0)  # a test waits for processes, not for its own code
  forkproof_headers(tests ${room}_tests <gmock/gmock.h> <gtest/gtest.h> <rapidcheck.h> <rapidcheck/gtest.h> <filesystem>)
  target_link_options(${room}_tests PRIVATE ${sanitize})
  target_compile_definitions(${room}_tests PRIVATE FORKPROOF_SOURCE="${CMAKE_SOURCE_DIR}" FORKPROOF_BUILD="${CMAKE_BINARY_DIR}")
  add_dependencies(${room}_tests forkproof-task)
  # Each test on its own for ctest: it shows, filters (-R '^core[.]') and runs them one by one. Asked for when ctest starts.
  gtest_discover_tests(${room}_tests TEST_PREFIX "${room}." WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
                       NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
endforeach()
# The rules of the house, and that no source file lies about unbuilt.
add_test(NAME rooms COMMAND ${CMAKE_SOURCE_DIR}/ci/check-rooms ${CMAKE_BINARY_DIR})
# Pages and comments cite only what is in the repository.
add_test(NAME citations COMMAND ${CMAKE_SOURCE_DIR}/ci/check-citations)
# A shape that g++ 12 compiles wrongly where an initialiser throws.
add_test(NAME braces COMMAND ${CMAKE_SOURCE_DIR}/ci/check-braces)
# Damaged input for every reader: the short form of ci/adversary.
add_test(NAME adversary COMMAND ${CMAKE_SOURCE_DIR}/ci/adversary-test $<TARGET_FILE:repro>)
# What repro says to bad input.
add_test(NAME cli COMMAND ${CMAKE_SOURCE_DIR}/ci/cli-test $<TARGET_FILE:repro>)
# What is left of repro fuzz when it is killed, interrupted or has no room.
add_test(NAME fuzz-command COMMAND ${CMAKE_SOURCE_DIR}/ci/fuzz-test $<TARGET_FILE:repro>)
# Real commands as the subject.
add_test(NAME commands COMMAND ${CMAKE_SOURCE_DIR}/ci/command-test $<TARGET_FILE:repro>)
# What the arena is to a command: its signals, its terminal, its parent, its /tmp.
add_test(NAME world COMMAND ${CMAKE_SOURCE_DIR}/ci/world-test $<TARGET_FILE:repro>)
# What a child of each backend starts with.
add_test(NAME contract COMMAND ${CMAKE_SOURCE_DIR}/ci/contract-test $<TARGET_FILE:repro>)
# What others install: a project of somebody else's, with tests that leave things behind.
add_test(NAME consumer COMMAND ${CMAKE_SOURCE_DIR}/ci/consumer-test ${CMAKE_BINARY_DIR})
# repro guard: what it says of commands that leave something behind, and of those that do not.
add_test(NAME guard-command COMMAND ${CMAKE_SOURCE_DIR}/ci/guard-test $<TARGET_FILE:repro>)
# Why a process is still there: programs of the field, of which something wrong was once said.
add_test(NAME why COMMAND ${CMAKE_SOURCE_DIR}/ci/why-test $<TARGET_FILE:repro>)
# What is seen of a command's processes by each way to see them.
add_test(NAME observation COMMAND ${CMAKE_SOURCE_DIR}/ci/observe-test $<TARGET_FILE:repro>)
# Programs of the field of which the rig once said something wrong.
add_test(NAME field COMMAND ${CMAKE_SOURCE_DIR}/ci/field-test $<TARGET_FILE:repro>)
# Promises of commands, judged where they can be judged.
add_test(NAME promises COMMAND ${CMAKE_SOURCE_DIR}/ci/promise-test $<TARGET_FILE:repro>)
# What each runtime says of its own crash.
add_test(NAME crash-lines COMMAND ${CMAKE_SOURCE_DIR}/ci/crash-test $<TARGET_FILE:repro>)
# That the rig finds what is planted, and nothing where nothing is.
add_test(NAME prove COMMAND repro prove --short WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
# An engine's variables are inherited: who runs ctest in a job of a Slurm array, or with GoogleTest's shards, wants the room
# tests shared out perhaps, but never half of what a script of ours expects from `repro`.
get_property(all_tests DIRECTORY PROPERTY TESTS)
foreach(variable GTEST_SHARD_INDEX GTEST_TOTAL_SHARDS GTEST_SHARD_STATUS_FILE SLURM_ARRAY_TASK_ID SLURM_ARRAY_TASK_COUNT
                 JOB_COMPLETION_INDEX JOB_COMPLETIONS CI_NODE_INDEX CI_NODE_TOTAL)
  list(APPEND unset_shards "${variable}=unset:")
endforeach()
set_tests_properties(${all_tests} PROPERTIES ENVIRONMENT_MODIFICATION "${unset_shards}")
