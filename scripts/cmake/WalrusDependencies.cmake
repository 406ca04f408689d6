# Every library comes from the system; nothing is fetched while configuring.
# scripts/setup.sh installs them; scripts/cmake/walrusConfig.cmake.in names those a consumer needs.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt CONFIG REQUIRED)
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)

if(WALRUS_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
endif()
if(WALRUS_BUILD_BENCH)
  find_package(benchmark CONFIG REQUIRED)
endif()
if(WALRUS_BUILD_HARNESS)
  find_package(tomlplusplus CONFIG REQUIRED)
  find_package(yaml-cpp CONFIG REQUIRED)
  find_package(OpenSSL REQUIRED COMPONENTS Crypto)
endif()

# Several presets and repeated checks compile the same text: let ccache answer when it is there.
find_program(WALRUS_CCACHE ccache)
if(PROJECT_IS_TOP_LEVEL AND WALRUS_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WALRUS_CCACHE})
endif()
