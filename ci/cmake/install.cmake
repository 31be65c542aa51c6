# What others get: `cmake --install` puts repro, its parts and its scenarios in place, and a CMake package with which
# find_package(forkproof) gives the target forkproof::gtest, for the test suites of other projects.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# A GoogleTest listener that needs nothing else of ours. Nobody calls it, so the linker is told to take it all the same.
add_library(forkproof_gtest STATIC harness/guard/gtest/birth_log.cpp harness/guard/gtest/listener.cpp)
set_target_properties(forkproof_gtest PROPERTIES EXPORT_NAME gtest POSITION_INDEPENDENT_CODE ON)
target_include_directories(forkproof_gtest INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(forkproof_gtest PUBLIC GTest::gtest)
target_link_options(forkproof_gtest INTERFACE -Wl,-u,forkproof_gtest_listener)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/forkproof)
install(TARGETS repro DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT repro)
# Where repro looks for its parts when they are not beside it, whatever the layout of libraries is.
install(TARGETS forkproof-task nss_forkproof ${objective_c} DESTINATION libexec/forkproof COMPONENT repro)
install(DIRECTORY scenarios DESTINATION share/forkproof COMPONENT repro)
install(TARGETS forkproof_gtest EXPORT forkproof DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT gtest)
install(FILES harness/guard/gtest/gtest.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/forkproof COMPONENT gtest)
install(EXPORT forkproof NAMESPACE forkproof:: DESTINATION ${package} COMPONENT gtest)
configure_package_config_file(ci/cmake/forkproofConfig.cmake.in forkproofConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(forkproofConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/forkproofConfig.cmake ${CMAKE_BINARY_DIR}/forkproofConfigVersion.cmake
        DESTINATION ${package} COMPONENT gtest)
