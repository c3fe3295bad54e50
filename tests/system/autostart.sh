#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The set of containers over the daemon's shutdown and start: who starts, and what happens to those that are deleted
# before their turn comes.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq

# Starts of several run at once: each is waited for.
autostart_is_over() { has_state "$1" RUNNING && ! lightc config show "$1" | grep -q last_state.power; }
expect_started() {
        local name
        for name; do wait_for autostart_is_over "$name" || fail "\"$name\" was not started: $(lightc list)"; done
}

start_ready_daemon
step "the same set comes back"
lightc launch busybox ran >/dev/null
lightc launch busybox never -c boot.autostart=false >/dev/null
lightc init busybox always -c boot.autostart=true -c boot.autostart.priority=5
lightc init busybox idle
lightc launch busybox frozen >/dev/null
lightc pause frozen
lightd shutdown
wait "$LIGHTD_PID" || true
start_daemon
expect_started always frozen ran
assert_eq "$(lightc list --format csv -c ns | sort | tr '\n' ' ')" \
        "always,RUNNING frozen,RUNNING idle,STOPPED never,STOPPED ran,RUNNING "

step "a plain restart starts none that was stopped since"
lightc stop --force ran
stop_daemon
start_daemon
expect_started always
assert_eq "$(state_of ran)" STOPPED
assert_eq "$(state_of always)" RUNNING
for name in always frozen idle never ran; do lightc delete --force "$name"; done

step "deleted before their turn"
for n in $(seq 1 24); do lightc init busybox "c$n" -c boot.autostart=true -c "boot.autostart.priority=$((100 - n))"; done
lightd shutdown
wait "$LIGHTD_PID" || true
start_daemon
for n in $(seq 24 -1 13); do wait_for lightc delete --force "c$n"; done # refused while its start is under way
for n in $(seq 1 12); do expect_started "c$n"; done
kill -0 "$LIGHTD_PID" || fail "lightd did not survive"
check_log
assert_eq "$(lightc list --format csv -c s | sort | uniq -c | tr -s ' ')" " 12 RUNNING"
lightc list --format csv -c n | while read -r name; do lightc delete --force "$name"; done
stop_daemon
