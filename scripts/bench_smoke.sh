#!/usr/bin/env bash
# Runs the first benchmark of every family of a Google Benchmark program for a moment.
# It shows that they work; its timings mean nothing.
#   bench_smoke.sh PROGRAM
set -euo pipefail

program=$(realpath "$1")
# Benches keep their data in the working directory: each gets its own, on the build's disk.
work=$(mktemp -d -p "$PWD")
trap 'rm -rf "$work"' EXIT
cd "$work"

# "BM_Append/threads:4/800" belongs to the family "BM_Append".
mapfile -t firsts < <("$program" --benchmark_list_tests | awk -F/ '!seen[$1]++')
if [[ ${#firsts[@]} -eq 0 ]]; then
    echo "bench_smoke.sh: $program lists no benchmark" >&2
    exit 1
fi

filter=$(printf '%s\n' "${firsts[@]}" | sed 's/[][().*+?^${}|\\]/\\&/g' | paste -sd '|')
output=$("$program" --benchmark_min_time=0.01 --benchmark_filter="^($filter)\$")
printf '%s\n' "$output"
# A benchmark that calls SkipWithError is reported, yet the program exits with 0.
if grep -q 'ERROR OCCURRED' <<<"$output"; then
    echo "bench_smoke.sh: a benchmark of $program failed" >&2
    exit 1
fi
