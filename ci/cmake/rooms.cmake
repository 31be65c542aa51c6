# forkproof_room(name FOLDER KNOWS rooms... LIBRARIES libraries...): one folder as one static library, linked to what
# it knows. Which includes a folder may have is a table of its own in ci/check-rooms (a test): a new room needs a row there.
# With FORKPROOF_UNITY, the files of a target are compiled a few at a time: so many that two processors have work.
function(forkproof_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${FORKPROOF_UNITY} UNITY_BUILD_BATCH_SIZE 12)
endfunction()

function(forkproof_room name folder)
  cmake_parse_arguments(ARG "" "" "KNOWS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$")
  add_library(forkproof_${name} STATIC ${sources})
  forkproof_unity(forkproof_${name})
  list(TRANSFORM ARG_KNOWS PREPEND forkproof_ OUTPUT_VARIABLE known)
  target_link_libraries(forkproof_${name} PUBLIC ${known} ${ARG_LIBRARIES})
  target_compile_options(forkproof_${name} PRIVATE ${sanitize})
  if(ARG_KNOWS OR name STREQUAL core)  # the others are few files, which are to stay free of all that
    forkproof_headers(rooms forkproof_${name} <algorithm> <chrono> <filesystem> <functional> <map> <optional> <string>
                      <variant> <vector> <fmt/format.h>)
  endif()
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*_test.cpp)
  set_property(GLOBAL APPEND PROPERTY forkproof_rooms "${folder}=${ARG_KNOWS}")
  if(tests)
    set_property(GLOBAL APPEND PROPERTY forkproof_tested_rooms ${name})
    set_property(GLOBAL PROPERTY forkproof_tests_of_${name} ${tests})
  endif()
endfunction()
