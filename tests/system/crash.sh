#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Killed in the middle of everything: monitors, the daemon during launches, deletion, rename, upload and unpacking, the
# store under load; what happened while no daemon was there; a daemon from another directory; and at random, with four
# clients at work. SEED repeats a random run, ROUNDS makes it longer.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq curl python3
need_program nft dnsmasq
COMMAND_LIMIT=20
ROUNDS=${ROUNDS:-12}

restart_daemon() { kill_daemon; start_daemon; }
pid_of() { lightc query "/1.0/instances/$1/state" | jq .pid; }
num_of() { basename "$(dirname "$(dirname "$(sed -n 's/^0:://p' "/proc/$(pid_of "$1")/cgroup")/x")")"; }
monitor_of() { awk '/^PPid:/ {print $2}' "/proc/$(pid_of "$1")/status"; }
is_listed() { lightc list --format csv -c n | grep -qx "$1"; }
names() { lightc list --format csv -c n; }
works() {
        case $(state_of "$1") in
        RUNNING) ;;
        STOPPED) lightc start "$1" ;;
        *) fail "$1 is $(state_of "$1")" ;;
        esac
        lightc exec "$1" -- true
}
delete_all() {
        local name
        for name in $(names); do lightc delete -f "$name"; done
}
all_work() {
        local name
        for name in $(names); do works "$name"; done
}
nothing_left() { delete_all; census diff "$TEST_DIR/before"; }

step "a monitor that is killed takes its container along"
start_ready_daemon
lightc launch busybox c1 >/dev/null
lightc delete -f c1
restart_daemon
census save "$TEST_DIR/before"
lightc launch busybox c1 >/dev/null
init=$(pid_of c1)
kill -9 "$(monitor_of c1)"
wait_for has_state c1 STOPPED
wait_for _is_gone "$init"
works c1
nothing_left

step "killed while no daemon is there"
lightc launch busybox c1 >/dev/null
init=$(pid_of c1) monitor=$(monitor_of c1)
kill_daemon
kill -9 "$monitor"
start_daemon
assert_eq "$(state_of c1)" STOPPED
wait_for _is_gone "$init"
works c1

step "an end that nobody saw; one of an ephemeral instance; a reboot"
lightc launch busybox e1 --ephemeral >/dev/null
lightc launch busybox r1 >/dev/null
ended=$(monitor_of c1) e=$(monitor_of e1) r=$(monitor_of r1) r_init=$(pid_of r1)
kill_daemon
# busybox init: USR2 powers off, TERM reboots; both are the guest's own reboot(2).
kill -USR2 "$(cat "/proc/$ended/task/$ended/children")"
kill -USR2 "$(cat "/proc/$e/task/$e/children")"
kill -TERM "$r_init"
for monitor in "$ended" "$e" "$r"; do wait_for _is_gone "$monitor"; done
start_daemon
assert_eq "$(state_of c1)" STOPPED
wait_for has_state r1 RUNNING
[ "$(pid_of r1)" != "$r_init" ] || fail "the reboot was not seen"
! is_listed e1 || wait_for eval '! is_listed e1'
works c1
nothing_left

step "what was stopped is not started, what ran is not touched"
lightc launch busybox c1 >/dev/null
lightc launch busybox c2 >/dev/null
lightc stop -f c2
init=$(pid_of c1)
restart_daemon
restart_daemon
assert_eq "$(state_of c2)" STOPPED
assert_eq "$(pid_of c1)" "$init"
nothing_left

step "killed during twenty launches"
clients=()
for k in $(seq 20); do lightc launch busybox "p$k" >/dev/null 2>&1 & clients+=($!); done
wait_for eval '[ "$(names | wc -l)" -ge 6 ]'
kill_daemon
start_daemon
wait "${clients[@]}" || true
for name in $(names); do
        works "$name"
done
for k in $(seq 20); do is_listed "p$k" || lightc launch busybox "p$k" >/dev/null; done
assert_eq "$(names | wc -l)" 20
nothing_left

step "killed during deletion and rename"
for k in $(seq 6); do lightc init busybox "d$k" >/dev/null; done
for k in $(seq 6); do lightc delete "d$k" >/dev/null 2>&1 & done
wait_for eval '[ "$(names | wc -l)" -lt 6 ]'
kill_daemon
start_daemon
all_work
delete_all
lightc init busybox old >/dev/null
api POST /1.0/instances/old '{"name":"new"}' >/dev/null &
kill_daemon
start_daemon
assert_eq "$(names | grep -cE '^(old|new)$')" 1 "an instance during its rename"
all_work
nothing_left

step "killed during an upload and during unpacking"
upload() { # half of an image, then nothing more until the connection breaks
        python3 - "$LIGHTD_SOCKET" "$BUSYBOX_IMAGE" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
body = open(sys.argv[2], "rb").read()
s.sendall(b"POST /1.0/images HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(body))
s.sendall(body[: len(body) // 2])
try:
    s.recv(1)
except OSError:
    pass
END
}
upload &
uploader=$!
wait_for eval '[ -n "$(ls -A "$LIGHTD_DIR"/images/spool)" ]'
kill_daemon
wait "$uploader" || true
start_daemon
assert_eq "$(ls -A "$LIGHTD_DIR/images/spool")" ""
_grow() { dd if=/dev/urandom of="$1/var/ballast" bs=1M count=48 status=none; }
make_image "$TEST_DIR/big.tar.xz" _grow
lightc image import "$TEST_DIR/big.tar.xz" --alias big >/dev/null
lightc launch big b1 >/dev/null 2>&1 &
launcher=$!
wait_for eval 'ls -A "$LIGHTD_DIR"/storage-pools/default/layers | grep -q "^\."'
kill_daemon
wait "$launcher" || true
start_daemon
is_listed b1 || lightc launch big b1 >/dev/null
works b1
delete_all
lightc image delete big
nothing_left

step "the store is killed under load"
churn() { # name: launch, stop, delete, over and over; errors are sentences
        local out
        while [ -e "$TEST_DIR/churning" ]; do
                out=$(lightc launch busybox "$1" 2>&1 && lightc stop -f "$1" 2>&1 && lightc delete "$1" 2>&1) && continue
                case $out in
                *"Sanitizer"* | *"panic"*) echo "$out" >>"$TEST_DIR/bad" ;;
                esac
                lightc delete -f "$1" >/dev/null 2>&1 || true
        done
}
touch "$TEST_DIR/churning"
clients=()
for k in 1 2 3 4; do churn "s$k" & clients+=($!); done
store_of() { pgrep -P "$LIGHTD_PID" -f -- --store; }
for k in $(seq 8); do
        wait_for store_of
        store=$(store_of)
        kill -9 "$store"
        wait_for _is_gone "$store"
        wait_for eval 'api PATCH /1.0/profiles/default "{\"description\":\"$k\"}" | grep -q Success'
done
rm "$TEST_DIR/churning"
wait "${clients[@]}" || true
[ ! -e "$TEST_DIR/bad" ] || fail "$(cat "$TEST_DIR/bad")"
all_work
nothing_left

step "a daemon from another directory drives the monitors of this one"
lightc launch busybox c1 >/dev/null
init=$(pid_of c1)
kill_daemon
cp -r "$BIN" "$TEST_DIR/bin2"
first=$BIN BIN=$TEST_DIR/bin2
start_daemon
assert_eq "$(pid_of c1)" "$init"
lightc exec c1 -- true
lightc restart -f c1
[ "$(pid_of c1)" != "$init" ] || fail "not restarted"
lightc launch busybox c2 >/dev/null
kill_daemon
BIN=$first
start_daemon
works c1
works c2
lightc stop c1
nothing_left

SEED=${SEED:-$RANDOM}
step "at random: $ROUNDS rounds, SEED=$SEED"
RANDOM=$SEED
touch "$TEST_DIR/churning"
clients=()
for k in 1 2 3 4; do churn "r$k" & clients+=($!); done
for ((round = 0; round < ROUNDS; round++)); do
        # Somewhere in what four clients do in a third of a second.
        sleep "0.$(printf %03d $((RANDOM % 300)))"
        kill_daemon
        start_daemon
done
rm "$TEST_DIR/churning"
wait "${clients[@]}" || true
[ ! -e "$TEST_DIR/bad" ] || fail "$(cat "$TEST_DIR/bad")"
all_work
nothing_left
stop_daemon
