#!/usr/bin/env bash
# Checks what must hold, from a bare Debian 12 on: rules, the release build and all tests.
#   check.sh [--quick | --full] [--no-setup] [--help]
#     --quick     rules and the dev preset (ASan, UBSan) only
#     --full      also dev, tsan, clang-tidy and the fuzzers: before a release, and overnight
#     --no-setup  install nothing; what is missing makes its step fail
# Logs are kept in build/check/.  The last line is "N passed, N failed": tests, and steps that
# failed without running any.  The exit code is 0 only when nothing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=false
full=false
setup=true
for option in "$@"; do
    case $option in
        --quick) quick=true ;;
        --full) full=true ;;
        --no-setup) setup=false ;;
        --help)
            sed -n '2,/^set /{/^set /d;s/^# \?//;p}' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *)
            echo "check.sh: unknown option '$option' (see --help)" >&2
            exit 2
            ;;
    esac
done

logs=build/check
mkdir -p "$logs"
table=()
passed=0
failed=0

# step NAME COMMAND...: runs it into its log, shows the log when it fails, and goes on.
step() {
    local name=$1 begin=$SECONDS result=ok
    local log=$logs/$name.log
    shift
    step_passed=0
    step_failed=0
    step_skipped=0
    printf -- '-- %-10s (at %d s)\n' "$name" "$SECONDS"
    if ! "$@" >"$log" 2>&1; then
        result=FAILED
        # Without the lines that say what went well.
        grep -vE '^\[[0-9]+/[0-9]+\] |^ +Start +[0-9]+: | +Passed +[0-9.]+ sec$' "$log" |
            tail -n 300
    fi
    count_tests "$name" "$log"
    [[ $result == ok || $step_failed -gt 0 ]] || step_failed=1
    passed=$((passed + step_passed))
    failed=$((failed + step_failed))
    table+=("$(printf '%-10s %-7s %5d s %6d passed %4d failed %4d skipped' "$name" "$result" \
        $((SECONDS - begin)) "$step_passed" "$step_failed" "$step_skipped")")
    [[ $result == ok ]]
}

# Sets step_passed, step_failed and step_skipped from what the step left behind.
count_tests() {
    local junit=build/$1/junit.xml ran
    if [[ -f $junit ]]; then
        step_failed=$(junit_number failures "$junit")
        step_skipped=$(($(junit_number skipped "$junit") + $(junit_number disabled "$junit")))
        step_passed=$(($(junit_number tests "$junit") - step_failed - step_skipped))
    elif ran=$(sed -n 's/^Ran \([0-9]*\) test.*/\1/p' "$2") && [[ -n $ran ]]; then
        # "FAILED (failures=1, errors=2)"
        step_failed=$(awk -F'[=,)]' '/^FAILED/ { n = $2 + $4 } END { print n + 0 }' "$2")
        step_passed=$((ran - step_failed))
    fi
}

junit_number() { sed -n "0,/$1=\"/s/.*$1=\"\([0-9]*\)\".*/\1/p" "$2"; }

# Sanitizers find no room for their shadow memory where the kernel randomises addresses widely.
as_is=()
if setarch -R true 2>/dev/null; then as_is=(setarch -R); fi

preset() {
    rm -f "build/$1/junit.xml"
    "${as_is[@]}" cmake --workflow --preset "$1"
}

sources() { find walrus harness compare \( -name '*.cc' -o -name '*.h' \) -print0; }
# To mend what it finds: clang-format -i FILE...
check_format() { sources | xargs -0 clang-format --dry-run -Werror --ferror-limit=1; }
self_tests() { python3 -B -m unittest discover -s scripts -p '*_test.py'; }

if $setup; then step setup scripts/setup.sh || failed_setup=true; fi
if ! ${failed_setup:-false}; then
    step layers scripts/check_layers.py || true
    step tidy scripts/tidy.py || true
    step self-tests self_tests || true
    step format check_format || true
    if ! $quick; then step gate preset gate || true; fi
    if $quick || $full; then step dev preset dev || true; fi
    if $full; then
        step clang-tidy scripts/clang_tidy.py build/dev || true
        step tsan preset tsan || true
        step fuzz preset fuzz || true
    fi
fi

printf '\n'
printf '%s\n' "${table[@]}" "total      $(printf '%15d' "$SECONDS") s" ''
printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
