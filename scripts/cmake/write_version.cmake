# Run at build time (WalrusVersion.cmake): writes version.cc with the commit of the working tree.
set(WALRUS_COMMIT unknown)
if(git AND EXISTS ${root}/.git)
  execute_process(COMMAND ${git} -C ${root} describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE commit RESULT_VARIABLE failed
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed)
    set(WALRUS_COMMIT ${commit})
  endif()
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.cc.in ${output} @ONLY)
