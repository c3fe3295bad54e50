#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lightc wait: for what comes, for what does not, for what is not there. lightc top: what they use meanwhile.
. "$(dirname "$0")/../lib/lib.sh"
need_program dnsmasq nft jq

start_ready_daemon
step "what comes"
lightc launch busybox c1 >/dev/null
lightc wait c1
lightc wait c1 --for ip --timeout 30
lightc wait c1 --for ipv4 --timeout 30
has_address c1 || fail "it waited for an address and there is none"
lightc init busybox c2
lightc wait c2 --for running --timeout 30 &
waiting=$!
lightc start c2
wait "$waiting"
lightc wait c1 c2 --for running
lightc wait c2 --for stopped --timeout 30 &
waiting=$!
lightc stop --force c2
wait "$waiting"

step "what does not"
assert_status 1 lightc wait c2 --for running --timeout 0
assert_contains "$output" 'Instance "c2" was waited for 0 s'
assert_contains "$output" "lightc info c2"
assert_status 1 lightc wait c1 --for systemd --timeout 1 # busybox has none
assert_fails "not found" lightc wait nobody
assert_status 2 lightc wait c1 --for godot
assert_contains "$output" "systemd"
assert_status 2 lightc wait

step "by events: nothing is asked between them"
lightc init busybox c3
timeout 60 "$BIN/lightc" --debug wait c3 --for running 2>"$TEST_DIR/asked" &
waiting=$!
wait_for grep -q '"Stopped"' "$TEST_DIR/asked"
assert_status 1 lightc wait c2 --for running --timeout 4 # four seconds of the other one's time
lightc start c3
wait "$waiting"
asked=$(grep -c 'GET /1.0/instances/c3' "$TEST_DIR/asked")
[ "$asked" -le 12 ] || fail "it asked $asked times"

step "interrupted, deleted meanwhile, the daemon restarted meanwhile, the daemon gone"
begin() { # arguments: waits in the background until it has looked once
        timeout -s INT 100 "$BIN/lightc" --debug wait "$@" >"$TEST_DIR/out" 2>&1 &
        waiting=$!
        wait_for grep -q '"status"' "$TEST_DIR/out"
}
ended() { # status text
        local status=0
        wait "$waiting" || status=$?
        assert_eq "$status" "$1" "the status"
        assert_contains "$(cat "$TEST_DIR/out")" "$2"
}
begin c3 --for stopped
kill -INT "$waiting" # timeout passes it on
ended 130 'Interrupted: instance "c3" was waited for'
lightc stop --force c3
begin c3 --for running
lightc delete c3
ended 1 'Instance "c3" was deleted or renamed while it was waited for'
begin c1 --for stopped --timeout 90
stop_daemon
wait_for grep -q "The daemon went away" "$TEST_DIR/out"
start_daemon
lightc stop --force c1
ended 0 "waiting for it to come back"
lightc start c1
begin c2 --for running --timeout 1
ended 1 'Instance "c2" was waited for 1 s'

step "top"
lightc exec c1 -T -- sh -c 'while [ ! -e /stop ]; do :; done' &
busy=$!
is_busy() { lightc top --format json | jq -e '.[] | select(.name == "c1") | .cpu_permille > 100 and .memory > 0 and .processes > 1'; }
wait_for is_busy
assert_eq "$(lightc top --format csv | cut -d, -f1)" c1
assert_contains "$(lightc top)" "PROCESSES"
lightc exec c1 -T -- touch /stop
cat >"$TEST_DIR/terminal" <<'END'
import fcntl, os, pty, re, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    while struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))[1] != 60:
        pass
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))
before, seen = termios.tcgetattr(fd), b""
while seen.count(b"q ends") < 2:
    seen += os.read(fd, 65536)
assert termios.tcgetattr(fd) != before, "it reads keys by the line"
os.write(fd, b"\x03")
after = None
try:
    while os.read(fd, 65536):
        after = termios.tcgetattr(fd)
except OSError:
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
wide = [l for l in re.sub(r"\x1b\[[HJ]", "", seen.decode()).split("\r\n") if len(l) > 60]
assert not wide, wide
assert status == 0, status
assert after is None or after == before, "the terminal is not as it was"
END
lightc copy c2 a-name-that-is-far-too-long-for-a-narrow-terminal
lightc start a-name-that-is-far-too-long-for-a-narrow-terminal
timeout 60 python3 "$TEST_DIR/terminal" "$BIN/lightc" top
lightc delete --force a-name-that-is-far-too-long-for-a-narrow-terminal
wait "$busy"
lightc delete --force c1 c2
stop_daemon
