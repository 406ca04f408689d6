#!/usr/bin/env bash
# Simulates whole clusters under faults, seed after seed, until one violates a promise.
#   soak.sh [--seed N] [--jobs N] [--preset NAME] [--help]
#     --seed N    the first seed (default: random); job j begins at N + j * 2^32
#     --jobs N    so many programs at once (default: 1)
#     --preset P  of CMakePresets.json (default: release)
# Prints seeds and simulated seconds per second every 500 seeds; at the first failure what was
# violated, the command that replays it, and the smallest set of faults that still shows it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seed=
jobs=1
preset=release
while [[ $# -gt 0 ]]; do
    case $1 in
        --seed) seed=$2 && shift 2 ;;
        --jobs) jobs=$2 && shift 2 ;;
        --preset) preset=$2 && shift 2 ;;
        --help)
            sed -n '2,/^set /{/^set /d;s/^# \?//;p}' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *)
            echo "soak.sh: unknown option '$1' (see --help)" >&2
            exit 2
            ;;
    esac
done
[[ -n $seed ]] || seed=$((RANDOM << 30 | RANDOM << 15 | RANDOM))

cmake --preset "$preset" >/dev/null
cmake --build "build/$preset" --target walrus_sim_segments_test >/dev/null
program=build/$preset/walrus/testing/walrus_sim_segments_test

running=()
for ((job = 0; job < jobs; ++job)); do
    WALRUS_SIM_SOAK=1 WALRUS_SEED=$((seed + (job << 32))) "$program" --gtest_filter='*.Soak' &
    running+=($!)
done
trap 'kill "${running[@]}" 2>/dev/null' EXIT
# The first that ends has found something.
wait -n "${running[@]}"
