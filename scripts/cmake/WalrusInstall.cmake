# walrus_install(room ...) installs the libraries and headers of production rooms, the CMake package
# (find_package(walrus)) and walrus.pc, and adds the tests that use both from outside.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

function(walrus_install)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/walrus)
  set(template_dir ${PROJECT_SOURCE_DIR}/scripts/cmake)

  foreach(room IN LISTS ARGN)
    # A room says HEADERS; a room with generated ones has a second set.
    get_target_property(sets walrus_${room} INTERFACE_HEADER_SETS)
    set(header_sets)
    foreach(set IN LISTS sets)
      list(APPEND header_sets FILE_SET ${set} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    endforeach()
    install(TARGETS walrus_${room} EXPORT walrusTargets
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} ${header_sets})
    string(PREPEND WALRUS_PC_LIBS " -lwalrus_${room}")  # Users before what they use.
  endforeach()

  install(EXPORT walrusTargets NAMESPACE walrus:: DESTINATION ${package_dir})
  configure_package_config_file(${template_dir}/walrusConfig.cmake.in walrusConfig.cmake
                                INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(walrusConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/walrusConfig.cmake
                ${CMAKE_CURRENT_BINARY_DIR}/walrusConfigVersion.cmake DESTINATION ${package_dir})

  # From the place of walrus.pc back to the prefix, so that an installed tree can be moved.
  file(RELATIVE_PATH WALRUS_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
                                      ${CMAKE_INSTALL_PREFIX})
  configure_file(${template_dir}/walrus.pc.in walrus.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/walrus.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

  # The consumer does not know our sanitizers, so it is built against plain libraries only.
  if(WALRUS_BUILD_TESTS AND NOT WALRUS_SANITIZE)
    walrus_consumer_tests()
  endif()
endfunction()

# Installs into a prefix of its own and builds walrus/testing/consumer against it, both ways.
function(walrus_consumer_tests)
  set(script ${PROJECT_SOURCE_DIR}/walrus/testing/consumer/run.sh)
  set(work ${PROJECT_BINARY_DIR}/consumer)
  add_test(NAME consumer.install
           COMMAND ${script} install ${work} ${CMAKE_COMMAND} ${PROJECT_BINARY_DIR})
  add_test(NAME consumer.find_package
           COMMAND ${script} find_package ${work} ${CMAKE_COMMAND} ${CMAKE_CXX_COMPILER})
  add_test(NAME consumer.pkg_config
           COMMAND ${script} pkg_config ${work} ${CMAKE_INSTALL_LIBDIR} ${CMAKE_CXX_COMPILER})
  set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP consumer)
  set_tests_properties(consumer.find_package consumer.pkg_config
                       PROPERTIES FIXTURES_REQUIRED consumer)
  set_tests_properties(consumer.install consumer.find_package consumer.pkg_config
                       PROPERTIES LABELS system TIMEOUT 300)
endfunction()
