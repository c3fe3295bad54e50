#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The daemon comes and goes, the containers stay: kill -9, SIGTERM, shutdown and the same set back, socket activation,
# sd_notify; two daemons side by side, and a second one on the same directory.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq curl

start_ready_daemon
lightc launch busybox c1 >/dev/null
lightc launch busybox c2 >/dev/null
lightc init busybox idle >/dev/null
pid_of() { lightc list "^$1\$" --format csv -c p; }

step "a second daemon on the same directory refuses at once"
assert_status 1 timeout 5 "$BIN/lightd"
assert_contains "$output" "Another lightd runs on"
assert_eq "$(state_of c1)" RUNNING

step "the daemon may open what its hard limit allows; jobs and guests have what was there before"
soft_files() { sed -n 's/^Max open files *\([0-9]*\) .*/\1/p' "/proc/$1/limits"; }
hard_files() { sed -n 's/^Max open files *[0-9]* *\([0-9]*\) .*/\1/p' "/proc/$1/limits"; }
child_of_daemon() { pgrep -P "$LIGHTD_PID" -f -- "$1"; }
stop_daemon
before=$(ulimit -Sn)
ulimit -Sn 500
start_daemon
ulimit -Sn "$before"
lightc exec c1 -- true # the fork server is there
assert_eq "$(soft_files "$LIGHTD_PID")" "$(hard_files "$LIGHTD_PID")" "of the daemon"
assert_eq "$(soft_files "$(child_of_daemon fork-server-for-jobs)")" 500 "of jobs"
lightc restart -f c1
assert_eq "$(lightc exec c1 -- sh -c 'ulimit -n')" 1024 "of guests: the kernel's own"

step "daemons side by side"
use_dir other
start_ready_daemon
lightc launch busybox c1 >/dev/null
assert_eq "$(lightc list --format csv -c n)" c1
use_dir state
[ "$(pid_of c1)" != "$(LIGHTD_SOCKET=$TEST_DIR/other/unix.socket lightc list --format csv -c p)" ] || fail "one container in two daemons"
use_dir other
lightc delete -f c1
stop_daemon
use_dir state
assert_eq "$(state_of c1)" RUNNING

step "kill -9: the containers go on, and are found again"
p1=$(pid_of c1) p2=$(pid_of c2)
lightc exec c1 -- sh -c 'echo here >/tmp/mark'
for round in 1 2 3; do
        kill_daemon
        kill -0 "$p1" || fail "c1 died with the daemon in round $round"
        assert_fails "not running" lightc list
        start_daemon
        assert_eq "$(pid_of c1) $(pid_of c2) $(state_of idle)" "$p1 $p2 STOPPED"
        assert_eq "$(lightc exec c1 -- cat /tmp/mark)" here
        # A daemon that made its monitors holds one descriptor more of each than one that found them.
        [ $round != 1 ] || census save "$TEST_DIR/before"
done
assert_contains "$(lightc console c1 --show-log)" "the guest has started"
wait_for has_address c1
census diff "$TEST_DIR/before"
lightc stop c2 --force
lightc start c2

step "SIGTERM: the same, and its status is 0"
stop_daemon
kill -0 "$p1" || fail "c1 died with the daemon"
start_daemon
assert_eq "$(pid_of c1)" "$p1"

step "SIGTERM in the middle of work that still writes to the database"
for round in 1 2 3 4 5 6 7 8; do
        lightc init busybox gone >/dev/null
        lightc start gone
        lightc delete -f gone
        stop_daemon
        start_daemon
        assert_eq "$(state_of gone)" ""
done
assert_eq "$(pid_of c1)" "$p1"

step "a container that ends while no daemon is there"
p2=$(pid_of c2)
kill_daemon
kill -KILL "$p2"
start_daemon
wait_for has_state c2 STOPPED
lightc start c2

step "shutdown, and the same set back"
lightd shutdown --timeout 30
wait_for _is_gone "$LIGHTD_PID"
wait "$LIGHTD_PID"
[ ! -d "/proc/$p1" ] || fail "c1 survived the shutdown"
start_daemon
wait_for has_state c1 RUNNING
wait_for has_state c2 RUNNING
assert_eq "$(state_of idle)" STOPPED

step "boot.autostart"
lightc config set idle boot.autostart=true
lightc config set c2 boot.autostart=false
lightd shutdown --timeout 30
wait_for _is_gone "$LIGHTD_PID"
start_daemon
wait_for has_state idle RUNNING
wait_for has_state c1 RUNNING
assert_eq "$(state_of c2)" STOPPED

step "socket activation and sd_notify"
stop_daemon
cat >"$TEST_DIR/activate" <<'END'
import os, socket, sys
directory, program = sys.argv[1:3]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(directory + "/notify")
path = os.environ["LIGHTD_DIR"] + "/unix.socket"
try:
    os.unlink(path)
except FileNotFoundError:
    pass
listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listening.bind(path)
listening.listen(64)
early = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
early.connect(path)  # a client that came before the daemon
early.sendall(b"GET /1.0 HTTP/1.1\r\nHost: unix\r\nConnection: close\r\n\r\n")
pid = os.fork()
if pid == 0:
    fd = listening.fileno()
    os.dup2(fd, 3) if fd != 3 else os.set_inheritable(3, True)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=directory + "/notify")
    os.execv(program, [program])
notify.settimeout(60)
early.settimeout(60)
assert b"READY=1" in notify.recv(4096)
answer = b""
while True:
    part = early.recv(65536)
    if not part:
        break
    answer += part
assert answer.startswith(b"HTTP/1.1 200"), answer
os.kill(pid, 15)
assert b"STOPPING=1" in notify.recv(4096)
assert os.waitpid(pid, 0)[1] == 0
early = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
early.connect(path)  # the socket is systemd's: it must still be there
END
timeout 90 python3 "$TEST_DIR/activate" "$TEST_DIR" "$BIN/lightd" 2>>"$LIGHTD_LOG"
check_log

step "the end"
start_daemon
for name in c1 c2 idle; do lightc delete -f "$name"; done
stop_daemon
