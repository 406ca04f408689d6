# walrus_version(target) gives the target the generated header walrus/base/version.h.
#
# The header changes only with the project's version.  The commit is asked for at every build, but
# the one source file that holds it is written only when it changed: nothing else is compiled anew.
function(walrus_version target)
  set(generated ${PROJECT_BINARY_DIR}/generated)
  set(header ${generated}/walrus/base/version.h)
  set(source ${generated}/walrus/base/version.cc)
  configure_file(${PROJECT_SOURCE_DIR}/scripts/cmake/version.h.in ${header} @ONLY)

  find_package(Git QUIET)
  add_custom_target(${target}_commit BYPRODUCTS ${source} VERBATIM
    COMMAND ${CMAKE_COMMAND} -D git=${GIT_EXECUTABLE} -D root=${PROJECT_SOURCE_DIR}
            -D output=${source} -P ${PROJECT_SOURCE_DIR}/scripts/cmake/write_version.cmake
    COMMENT "Asking git for the commit")
  add_dependencies(${target} ${target}_commit)
  target_sources(${target} PRIVATE ${source}
    PUBLIC FILE_SET generated_headers TYPE HEADERS BASE_DIRS ${generated} FILES ${header})
endfunction()
