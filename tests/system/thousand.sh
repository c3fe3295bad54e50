#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Many at once: COUNT containers (40; 1000 by hand) launched by eight clients, all running and with an address of their own;
# listed with state; found again by a new daemon; deleted by one command; nothing left. What it took is told, not judged.
# shellcheck disable=SC2034
COMMAND_LIMIT=${COMMAND_LIMIT:-600} WAIT_LIMIT=${WAIT_LIMIT:-300}
. "$(dirname "$0")/../lib/lib.sh"
need_program jq xargs
COUNT=${COUNT:-40} CLIENTS=8

took() { # COMMAND…: runs it and tells how long it took
        local begin=${EPOCHREALTIME/./} end
        "$@"
        end=${EPOCHREALTIME/./}
        echo "   $(((end - begin) / 1000)) ms: $1 of $COUNT"
}
launch_all() { seq -f 'n%g' "$COUNT" | xargs -P "$CLIENTS" -I{} timeout "$COMMAND_LIMIT" "$BIN/lightc" launch busybox {} >/dev/null; }
list_all() { lightc list --format csv -c ns4 >"$TEST_DIR/list"; }
delete_all() { lightc list --format csv -c n | xargs timeout "$COMMAND_LIMIT" "$BIN/lightc" delete --force; }
n_running() { lightc list --format csv -c s | grep -cx RUNNING || true; }
have_addresses() { [ "$(lightc list --format csv -c 4 | grep -c eth0)" = "$COUNT" ]; }
is_known() { [[ $(lightc exec "$1" -T -- nslookup "$2") == *"$3"* ]]; } # dnsmasq is told many at a time
wait_addresses() { wait_for have_addresses; }
# What the daemon, its store and its fork server hold of memory, in proportion.
memory_kib() {
        local pid total=0
        for pid in "$LIGHTD_PID" $(pgrep -P "$LIGHTD_PID" -f -- '--store|fork-server-for-jobs'); do
                total=$((total + $(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")))
        done
        echo $total
}

start_ready_daemon
lightc launch busybox n0 >/dev/null # the image's layer is made once, and stays
lightc delete --force n0
census save "$TEST_DIR/before"

step "$COUNT are launched by $CLIENTS clients and run"
took launch_all
assert_eq "$(n_running)" "$COUNT" "running"

step "each has an address of its own"
took wait_addresses
took list_all
assert_eq "$(lightc list --format csv -c 4 | sort -u | wc -l)" "$COUNT" "different addresses"
echo "   $(memory_kib) KiB: daemon, store and fork server with $COUNT"

step "a name and the way to another of them"
#DBG
address=$(lightc list "^n$COUNT\$" --format csv -c 4 | cut -d' ' -f1)
wait_for is_known n1 "n$COUNT.light" "$address"
lightc exec n1 -T -- ping -c 1 -W 10 "$address" >/dev/null

step "a daemon that was killed finds them all"
kill_daemon
took start_daemon
assert_eq "$(n_running)" "$COUNT" "running"

step "all are deleted, and nothing is left"
took delete_all
assert_eq "$(lightc list --format csv)" ""
census diff "$TEST_DIR/before" 60
stop_daemon
