# Every library comes from the system; nothing is fetched while configuring.
# scripts/setup.sh installs them; scripts/cmake/walrusConfig.cmake.in names those a consumer needs.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt CONFIG REQUIRED)
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)
foreach(library IN ITEMS liblz4 libzstd snappy zlib)
  pkg_check_modules(${library} REQUIRED IMPORTED_TARGET ${library})
endforeach()
# asio has neither a CMake package nor a .pc file.
find_path(WALRUS_ASIO_INCLUDE_DIR asio.hpp REQUIRED)
add_library(walrus_asio INTERFACE)
add_library(walrus::asio ALIAS walrus_asio)
target_include_directories(walrus_asio SYSTEM INTERFACE ${WALRUS_ASIO_INCLUDE_DIR})
# Whether asio allocates with aligned_alloc() depends on what a file includes before it; files that
# differ would free each other's memory in the wrong way.  So none does.
target_compile_definitions(walrus_asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED
                                                 ASIO_DISABLE_STD_ALIGNED_ALLOC)
target_link_libraries(walrus_asio INTERFACE Threads::Threads)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(libedit REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(tomlplusplus CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)

if(WALRUS_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
endif()
if(WALRUS_BUILD_BENCH)
  find_package(benchmark CONFIG REQUIRED)
endif()
if(WALRUS_BUILD_HARNESS)
  find_package(yaml-cpp CONFIG REQUIRED)
  find_package(OpenSSL REQUIRED COMPONENTS Crypto)
endif()

# Several presets and repeated checks compile the same text: let ccache answer when it is there.
find_program(WALRUS_CCACHE ccache)
if(PROJECT_IS_TOP_LEVEL AND WALRUS_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WALRUS_CCACHE})
endif()
