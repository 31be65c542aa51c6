# Damaged input for the readers, thousands a second: all verbs of repro in a program that opens no arena and starts no
# process, since these two calls throw in it.
file(GLOB adversary_sources CONFIGURE_DEPENDS repro/adversary/*.cpp)
add_executable(adversary ${adversary_sources})
target_link_libraries(adversary PRIVATE forkproof_verbs)
target_compile_options(adversary PRIVATE ${sanitize} -Og)
forkproof_headers(repro adversary)
target_link_options(adversary PRIVATE ${sanitize} -Wl,-z,now
                    -Wl,--wrap=_ZN9forkproof5arena7provideESt8optionalINS0_4TierEENS0_7PrivacyE -Wl,--wrap=fork)
add_dependencies(adversary repro)
