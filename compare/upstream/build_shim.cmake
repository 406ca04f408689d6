# Builds the Rust side of this driver with cargo, offline, from what scripts/setup.sh fetched.
#
# It runs while configuring, because a toolchain that is absent or too old must cost the driver and
# nothing else.  Sets `reason_var` to "" and defines walrus::upstream_shim, or sets it to why not.

set(WALRUS_UPSTREAM_MIN_RUST 1.85)  # rust-version of shim/Cargo.toml

function(walrus_build_upstream_shim reason_var)
  set(source ${PROJECT_SOURCE_DIR}/compare/upstream/shim)
  set(target ${PROJECT_BINARY_DIR}/compare/upstream/cargo)
  set(log ${PROJECT_BINARY_DIR}/compare/upstream/cargo.log)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               ${source}/Cargo.toml ${source}/Cargo.lock ${source}/src/lib.rs)

  find_program(WALRUS_CARGO cargo HINTS $ENV{HOME}/.cargo/bin)
  if(NOT WALRUS_CARGO)
    set(${reason_var} "cargo was not found (scripts/setup.sh installs it as cargo-web)" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${WALRUS_CARGO} --version OUTPUT_VARIABLE version ERROR_QUIET)
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${version}")
  if(version VERSION_LESS WALRUS_UPSTREAM_MIN_RUST)
    set(${reason_var} "cargo ${version} is older than ${WALRUS_UPSTREAM_MIN_RUST} (cargo-web)"
        PARENT_SCOPE)
    return()
  endif()

  file(READ ${source}/Cargo.lock lock)
  string(REGEX MATCH "name = \"walrus-rust\"\nversion = \"([0-9.]+)\"" found "${lock}")
  set(crate ${CMAKE_MATCH_1})
  message(STATUS "Building the original crate ${crate} with cargo ${version}")
  file(MAKE_DIRECTORY ${target})
  execute_process(
    COMMAND ${WALRUS_CARGO} build --release --offline --locked --target-dir ${target}
            --manifest-path ${source}/Cargo.toml
    RESULT_VARIABLE result OUTPUT_FILE ${log} ERROR_FILE ${log})
  if(NOT result EQUAL 0)
    set(${reason_var} "cargo build failed (scripts/setup.sh fetches the crates, log: ${log})"
        PARENT_SCOPE)
    return()
  endif()

  find_package(Threads REQUIRED)
  add_library(walrus::upstream_shim STATIC IMPORTED GLOBAL)
  set_target_properties(walrus::upstream_shim PROPERTIES
    IMPORTED_LOCATION ${target}/release/libwalrus_upstream_shim.a
    INTERFACE_COMPILE_DEFINITIONS WALRUS_UPSTREAM_VERSION="${crate}"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
  set(${reason_var} "" PARENT_SCOPE)
endfunction()
