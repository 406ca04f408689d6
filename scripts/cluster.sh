#!/usr/bin/env bash
# A local cluster of walrusd processes.
#
#   scripts/cluster.sh up     [--nodes N] [--dir D] [--port-offset P] [--walrusd PATH] [-- FLAGS...]
#   scripts/cluster.sh status [--dir D]
#   scripts/cluster.sh down   [--dir D]
#   scripts/cluster.sh clean  [--dir D]      down, and the data is deleted
#
# Node i serves text on 8080+i-1, Kafka on 9092+i-1, other nodes on 6000+i-1 and admin on 9190+i-1,
# each plus the offset.  `up` may be repeated: what runs stays, what does not is started again.
# FLAGS go to every node.  Exit codes: 0 ok, 1 failure, 2 usage.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$root/build/cluster
walrusd=$root/build/release/walrus/node/walrusd
nodes=3
offset=0
ready_s=30
stop_s=15
flags=()

usage() {
    sed -n '2,/^set -e/p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//; /^set -e/d' >&2
    exit 2
}

fail() {
    echo "cluster.sh: $*" >&2
    exit 1
}

command=${1:-}
[ $# -gt 0 ] && shift
while [ $# -gt 0 ]; do
    case $1 in
        --nodes) nodes=${2:?} && shift 2 ;;
        --dir) dir=${2:?} && shift 2 ;;
        --port-offset) offset=${2:?} && shift 2 ;;
        --walrusd) walrusd=${2:?} && shift 2 ;;
        --) shift && flags=("$@") && break ;;
        *) usage ;;
    esac
done
[[ $nodes =~ ^[1-9][0-9]?$ && $offset =~ ^[0-9]+$ ]] || usage

port() { # NODE BASE
    echo $(($2 + $1 - 1 + offset))
}

# The process id, when it is still our process.
pid_of() { # NODE
    local pid words
    pid=$(cat "$dir/node$1.pid" 2>/dev/null) || return 1
    words=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
    [[ $words == *"--data-dir $dir/data --node-id $1 "* ]] || return 1
    echo "$pid"
}

http_get() { # PORT PATH; the body
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    timeout 5 cat <&3 | sed '1,/^\r$/d'
    exec 3<&-
}

is_ready() { # NODE
    [ "$(http_get "$(admin_port "$1")" /readyz 2>/dev/null)" = ok ]
}

admin_port() { # NODE
    cat "$dir/node$1.admin"
}

start() { # NODE
    local entry=(--join "127.0.0.1:$(port 1 6000)")
    [ "$1" = 1 ] && entry=(--bootstrap)
    port "$1" 9190 >"$dir/node$1.admin"
    # A session of its own: the terminal's Ctrl-C is not meant for it.
    setsid "$walrusd" --data-dir "$dir/data" --node-id "$1" "${entry[@]}" \
        --client-port "$(port "$1" 8080)" --kafka-port "$(port "$1" 9092)" \
        --raft-port "$(port "$1" 6000)" --admin-port "$(port "$1" 9190)" \
        "${flags[@]}" </dev/null >>"$dir/node$1.log" 2>&1 &
    echo $! >"$dir/node$1.pid"
    # Until it is walrusd that has this number, and no longer this script's copy.
    local deadline=$((SECONDS + 2))
    until pid_of "$1" >/dev/null || [ $SECONDS -ge $deadline ]; do sleep 0.01; done
}

wait_ready() { # NODE
    local deadline=$((SECONDS + ready_s))
    until is_ready "$1"; do
        if ! pid_of "$1" >/dev/null; then
            tail -n 5 "$dir/node$1.log" >&2
            fail "node $1 ended; its log is $dir/node$1.log"
        fi
        [ $SECONDS -lt $deadline ] ||
            fail "node $1 is not ready after $ready_s s; see $dir/node$1.log"
        sleep 0.1
    done
}

up() {
    [ -x "$walrusd" ] || fail "no $walrusd: build it (cmake --preset release && cmake --build" \
        "build/release --target walrusd walrus-cli), or say --walrusd PATH"
    mkdir -p "$dir"
    local i
    for ((i = 1; i <= nodes; ++i)); do
        pid_of "$i" >/dev/null && continue
        # Members of old need each other to become ready, newcomers need a cluster that is.
        local is_new=1
        [ -n "$(ls -A "$dir/data/node_$i/cluster" 2>/dev/null)" ] && is_new=0
        [ $is_new = 1 ] && [ "$i" -gt 1 ] && wait_ready 1
        start "$i"
        [ $is_new = 1 ] && wait_ready "$i"
    done
    for ((i = 1; i <= nodes; ++i)); do wait_ready "$i"; done
    status
}

known_nodes() {
    local file
    for file in "$dir"/node*.pid; do
        [ -e "$file" ] && basename "$file" .pid | tr -dc '0-9\n'
    done | sort -n
}

flag() { # NAME; its value among $words
    sed -E "s/.*--$1 ([^ ]+).*/\1/" <<<"$words"
}

status() {
    printf '%-5s %-8s %-7s %-11s %s\n' NODE PID READY CONTROLLER ADDRESSES
    local i pid ready cluster controller words addresses is_down=0
    for i in $(known_nodes); do
        if ! pid=$(pid_of "$i"); then
            printf '%-5s %-8s\n' "$i" "(down)"
            is_down=1
            continue
        fi
        ready=no
        is_ready "$i" && ready=yes
        cluster=$(http_get "$(admin_port "$i")" /v1/cluster 2>/dev/null || true)
        controller=$(sed -n 's/^ *"is_controller": \(true\|false\).*/\1/p' <<<"$cluster")
        words=$(tr '\0' ' ' <"/proc/$pid/cmdline")
        addresses="text :$(flag client-port)  kafka :$(flag kafka-port)"
        addresses+="  peers :$(flag raft-port)  admin :$(flag admin-port)"
        controller=${controller/true/yes}
        printf '%-5s %-8s %-7s %-11s %s\n' "$i" "$pid" "$ready" "${controller/false/no}" \
            "$addresses"
    done
    return $is_down
}

down() {
    local i pid deadline
    # One after the other: who is left takes over what the one that goes has led.
    for i in $(known_nodes | sort -rn); do
        if pid=$(pid_of "$i"); then
            kill -TERM "$pid" 2>/dev/null || true
            deadline=$((SECONDS + stop_s))
            while pid_of "$i" >/dev/null && [ $SECONDS -lt $deadline ]; do sleep 0.05; done
            if pid_of "$i" >/dev/null; then
                echo "cluster.sh: node $i does not end: killed" >&2
                kill -KILL "$pid" 2>/dev/null || true
            fi
        fi
        rm -f "$dir/node$i.pid" "$dir/node$i.admin"
    done
}

case $command in
    up) up ;;
    status) status ;;
    down) down ;;
    clean)
        down
        rm -rf "$dir/data" "$dir"/node*.log
        ;;
    *) usage ;;
esac
