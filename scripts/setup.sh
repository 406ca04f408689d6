#!/usr/bin/env bash
# Installs what building and checking Walrus needs, on Debian 12 or a child of it.
# Safe to run again: when everything is there it changes nothing and asks no network.
#   setup.sh [--with-kafka]    also Java, Maven and a Kafka broker, to be measured against
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

with_kafka=false
for argument in "$@"; do
    case $argument in
        --with-kafka) with_kafka=true ;;
        --help)
            sed -n '2,/^set /{/^set /d;s/^# \?//;p}' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *)
            echo "setup.sh: unknown option $argument (known: --with-kafka)" >&2
            exit 2
            ;;
    esac
done

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
    python3-jsonschema   # harness/report/schema_test.py
    chromium             # harness/report/browser_test.py
    # Libraries.
    liburing-dev         # env: io_uring
    libisal-dev          # base: CRC-32C
    libxxhash-dev        # cluster: chain and state hashes
    libfmt-dev           # base/log, reports
    libcli11-dev         # command lines
    nlohmann-json3-dev   # results, -o json
    libtomlplusplus-dev  # scenarios
    libyaml-cpp-dev      # workloads of the OpenMessaging Benchmark
    zlib1g-dev           # protocol: record batches
    libsnappy-dev
    liblz4-dev
    libzstd-dev
    librocksdb-dev       # compare/rocksdb
    libssl-dev           # harness/report: SHA-256 of a bundle's files
    libasio-dev          # net: sockets
    libcpp-httplib-dev   # node: admin HTTP
    libedit-dev          # walrus-cli: history and completion
    librdkafka-dev       # client, compare/kafka
    # Clients that the server's tests use.
    kcat
    python3-kafka
)

die() {
    echo "setup.sh: $1" >&2
    exit 1
}

# Those of `packages` that are not in `installed`.
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

as_root=()
if [[ $(id -u) -ne 0 ]]; then as_root=(sudo); fi

apt() {
    local attempt
    [[ ${#as_root[@]} -eq 0 ]] || command -v sudo >/dev/null ||
        die "needs root: run it as root, or install sudo"
    for attempt in 1 2 3; do
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@" && return
        echo "setup.sh: apt-get $1 failed (attempt $attempt of 3)" >&2
        sleep $((attempt * 5))
    done
    return 1
}

install_packages() {
    local installed missing
    # "ii" is: wanted and installed; a name may carry its architecture.
    installed=$(dpkg-query -W -f='${db:Status-Abbrev}|${Package}\n' | sed -n 's/^ii |//p')
    mapfile -t missing < <(missing_packages)
    if [[ ${#missing[@]} -eq 0 ]]; then
        echo "setup.sh: all ${#packages[@]} packages are installed"
        return
    fi
    echo "setup.sh: installing ${missing[*]}"
    apt update ||
        die "apt-get update failed: is the package mirror reachable (proxy, DNS, sources)?"
    apt install -y --no-install-recommends "${missing[@]}" ||
        die "apt-get could not install: ${missing[*]}. Debian 12 has them all in 'main'; an older
release does not."
}

# compare/upstream: a Rust toolchain and the original crate with what it is made of.  Everything
# else does without, so a failure is told and no more.
rust_is_new() {
    local version
    version=$(cargo --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
    dpkg --compare-versions "${version:-0}" ge 1.85
}

fetch_crates() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    cargo fetch --quiet --locked --manifest-path compare/upstream/shim/Cargo.toml \
        --target "$host" "$@"
}

prepare_upstream() {
    if ! rust_is_new; then
        echo "setup.sh: installing cargo-web"
        # The package replaces an older rustc and does not live beside rustup's: nothing is removed.
        { apt update && apt install -y --no-install-recommends --no-remove cargo-web; } || return
    fi
    if fetch_crates --offline 2>/dev/null; then
        echo "setup.sh: the crates of compare/upstream are there"
        return
    fi
    echo "setup.sh: fetching the crates of compare/upstream"
    fetch_crates
}

# compare/kafka: a real broker, as the artifacts that Maven knows.  They are complete when the file
# that asked for them lies beside them.
prepare_kafka() {
    local jars=build/kafka pom=compare/kafka/pom.xml
    local tools=()
    command -v java >/dev/null || tools+=(openjdk-17-jre-headless)
    if cmp -s "$pom" "$jars/pom.xml"; then
        echo "setup.sh: the Kafka broker of compare/kafka is there"
    else
        command -v mvn >/dev/null || tools+=(maven)
    fi
    if [[ ${#tools[@]} -gt 0 ]]; then
        echo "setup.sh: installing ${tools[*]}"
        { apt update && apt install -y --no-install-recommends "${tools[@]}"; } || return
    fi
    cmp -s "$pom" "$jars/pom.xml" && return
    echo "setup.sh: fetching the Kafka broker of compare/kafka"
    rm -rf "$jars" && mkdir -p "$jars" || return
    mvn -q -B -f "$pom" dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$PWD/$jars/libs" >&2 || return
    cp "$pom" "$jars/pom.xml"
}

install_packages
if $with_kafka && ! prepare_kafka; then
    echo "setup.sh: WARNING: no Java, no Maven or no artifacts: Kafka cannot be measured against
(driver kafka). Everything else is complete." >&2
fi
if ! prepare_upstream; then
    echo "setup.sh: WARNING: no Rust 1.85 (cargo-web) or no crates: walrus-harness will be built
without the original crate (driver upstream). Everything else is complete." >&2
fi
echo "setup.sh: done"
