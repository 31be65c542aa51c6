# forkproof_room(name FOLDER KNOWS rooms... HEADERS folders... LIBRARIES libraries...): one folder as one static library,
# linked to the rooms that it knows. Its files may include those rooms, the folders after HEADERS, and its own folder.
# forkproof_folder(FOLDER HEADERS folders...): the same rule for a folder that is no library.
# forkproof_write_rules(): writes the rules to rooms.txt in the build folder. The test ci/check-rooms holds every #include
# of ours against them.
function(forkproof_folder folder)
  cmake_parse_arguments(ARG "" "" "HEADERS" ${ARGN})
  string(JOIN " " may_include ${ARG_HEADERS})
  set_property(GLOBAL APPEND PROPERTY forkproof_rules "${folder} ${may_include}")
endfunction()

function(forkproof_write_rules)
  get_property(rules GLOBAL PROPERTY forkproof_rules)
  string(JOIN "\n" text ${rules})
  file(WRITE ${CMAKE_BINARY_DIR}/rooms.txt "${text}\n")
endfunction()

# With FORKPROOF_UNITY, the files of a target are compiled a few at a time: so many that two processors have work.
function(forkproof_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${FORKPROOF_UNITY} UNITY_BUILD_BATCH_SIZE 12)
endfunction()

function(forkproof_room name folder)
  cmake_parse_arguments(ARG "" "" "KNOWS;HEADERS;LIBRARIES" ${ARGN})
  set_property(GLOBAL PROPERTY forkproof_folder_of_${name} ${folder})
  set(known_folders)
  foreach(known IN LISTS ARG_KNOWS)
    get_property(known_folder GLOBAL PROPERTY forkproof_folder_of_${known})
    list(APPEND known_folders ${known_folder})
  endforeach()
  forkproof_folder(${folder} HEADERS ${known_folders} ${ARG_HEADERS})
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
  if(tests)
    set_property(GLOBAL APPEND PROPERTY forkproof_tested_rooms ${name})
    set_property(GLOBAL PROPERTY forkproof_tests_of_${name} ${tests})
  endif()
endfunction()
