#!/usr/bin/env bash
# Installs what building and checking Walrus needs, on Debian 12 or a child of it.
# Safe to run again: when everything is there it changes nothing and asks no network.
set -euo pipefail

packages=(
    # Build.
    cmake         # 3.25 or newer
    ninja-build   # generator of every preset
    g++           # compiler: C++20
    pkg-config    # finds liburing and ISA-L
    git           # commit in `walrus::build_commit()` and in results
    ccache        # one compilation for what several presets share
    python3       # scripts/*.py
    # Check.
    clang                # fuzz preset
    libclang-rt-14-dev   # libFuzzer and sanitizers of clang
    clang-tidy           # .clang-tidy
    clang-format         # .clang-format
    libgtest-dev         # unit tests
    libgmock-dev         # matchers
    libbenchmark-dev     # *_bench.cc
    # Libraries.
    liburing-dev         # env: io_uring
    libisal-dev          # base: CRC-32C
    libfmt-dev           # base/log, reports
    libcli11-dev         # command lines
    nlohmann-json3-dev   # results, -o json
    libtomlplusplus-dev  # scenarios
    libyaml-cpp-dev      # workloads of the OpenMessaging Benchmark
    librocksdb-dev       # compare/rocksdb
)

die() {
    echo "setup.sh: $1" >&2
    exit 1
}

missing_packages() {
    local package
    for package in "${packages[@]}"; do
        grep -qx "$package" <<<"$installed" || echo "$package"
    done
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "this is no Debian-like system. Install what these Debian packages hold, then build with
CMake (scripts/check.sh --no-setup): ${packages[*]}"
fi

# "ii" is: wanted and installed; a name may carry its architecture.
installed=$(dpkg-query -W -f='${db:Status-Abbrev}|${Package}\n' | sed -n 's/^ii |//p')
mapfile -t missing < <(missing_packages)
if [[ ${#missing[@]} -eq 0 ]]; then
    echo "setup.sh: all ${#packages[@]} packages are installed"
    exit 0
fi
echo "setup.sh: installing ${missing[*]}"

as_root=()
if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || die "needs root: run it as root, or install sudo"
    as_root=(sudo)
fi

apt() {
    local attempt
    for attempt in 1 2 3; do
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@" && return
        echo "setup.sh: apt-get $1 failed (attempt $attempt of 3)" >&2
        sleep $((attempt * 5))
    done
    return 1
}

apt update || die "apt-get update failed: is the package mirror reachable (proxy, DNS, sources)?"
apt install -y --no-install-recommends "${missing[@]}" ||
    die "apt-get could not install: ${missing[*]}. Debian 12 has them all in 'main'; an older
release does not."
echo "setup.sh: done"
