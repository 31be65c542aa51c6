# The headers of libraries, read once instead of by each file: a third of a clean build's time. They hide a forgotten
# #include; `cmake -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON` builds without them and shows it.
#
# Those of one kind share what the first of them has made, so all of a kind are compiled with the same options.
function(forkproof_headers kind target)
  get_property(first GLOBAL PROPERTY forkproof_headers_of_${kind})
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    set_property(GLOBAL PROPERTY forkproof_headers_of_${kind} ${target})
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()
