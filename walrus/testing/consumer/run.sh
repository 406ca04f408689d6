#!/usr/bin/env bash
# Uses walrus as a stranger does: installs it, builds this folder's program against it, runs that;
# and compiles what README.md shows.
# ctest calls it (scripts/cmake/WalrusInstall.cmake):
#   run.sh install      WORK CMAKE BUILD_DIR
#   run.sh find_package WORK CMAKE CXX
#   run.sh pkg_config   WORK LIBDIR CXX
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mode=$1
work=$2
prefix=$work/prefix

run_consumer() {
    local data
    data=$(mktemp -d)
    # shellcheck disable=SC2064  # The value of now is meant.
    trap "rm -rf '$data'" EXIT
    "$1" "$data"
}

case $mode in
    install)
        rm -rf "$work"
        "$3" --install "$4" --prefix "$prefix"
        ;;
    find_package)
        "$3" -S "$here" -B "$work/find_package" -G Ninja -DCMAKE_CXX_COMPILER="$4" \
            -DCMAKE_PREFIX_PATH="$prefix"
        "$3" --build "$work/find_package"
        run_consumer "$work/find_package/consumer"
        ;;
    pkg_config)
        export PKG_CONFIG_PATH=$prefix/$3/pkgconfig
        mkdir -p "$work/pkg_config"
        read -ra flags <<<"$(pkg-config --cflags --libs walrus)"
        "$4" -std=c++20 -Wall -Wextra -Werror "$here/main.cc" "${flags[@]}" \
            -o "$work/pkg_config/consumer"
        # shellcheck disable=SC2016  # The backquotes are the document's.
        sed -n '/^```cpp$/,/^```$/{/^```/!p}' "$here/../../../README.md" >"$work/readme.cc"
        "$4" -std=c++20 -Wall -Wextra -Werror -fsyntax-only "$work/readme.cc" "${flags[@]}"
        run_consumer "$work/pkg_config/consumer"
        ;;
    *)
        echo "run.sh: unknown mode '$mode'" >&2
        exit 2
        ;;
esac
