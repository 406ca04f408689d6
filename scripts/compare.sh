#!/usr/bin/env bash
# Walrus against RocksDB (engines) and against Kafka (servers) on this machine: installs what is
# missing, builds, measures, prints one table per level and durability class and the paths of the
# reports; raw figures lie beside them.  Without Java or Maven the part with Kafka is skipped.
#   compare.sh [--no-setup] [--scenario FILE] [option of `walrus-harness run`...]
#   compare.sh --quick            a first look in a minute
#   compare.sh --data /mnt/disk   measure another disk
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scenarios=()
setup=true
options=()
while [[ $# -gt 0 ]]; do
    case $1 in
        --no-setup) setup=false ;;
        --scenario)
            scenarios+=("${2:?"--scenario needs a file"}")
            shift
            ;;
        --help)
            sed -n '2,/^set /{/^set /d;s/^# \?//;p}' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) options+=("$1") ;;
    esac
    shift
done

if [[ ${#scenarios[@]} -eq 0 ]]; then
    scenarios=(scenarios/compare/engine-quick.toml scenarios/compare/system-quick.toml)
fi
if $setup; then scripts/setup.sh --with-kafka >&2; fi
log=build/compare.log
mkdir -p build
echo "compare.sh: building (release; log in $log)" >&2
# The release preset's optimisation, without what costs time: debug information, one file at a time.
if ! { cmake --preset gate -B build/compare -D CMAKE_CXX_FLAGS_RELWITHDEBINFO=-O2 \
    -D WALRUS_BUILD_TESTS=OFF -D WALRUS_BUILD_BENCH=OFF &&
    cmake --build build/compare --target walrus-harness; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "compare.sh: the build failed" >&2
    exit 1
fi
exec build/compare/harness/walrus-harness run "${scenarios[@]}" "${options[@]}"
