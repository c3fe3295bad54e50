#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lightc against a daemon that only pretends (tests/lib/fake-daemon): what the client does by itself.
# Needs BIN (directory of lightc) and python3; no root.
set -u
lightc=${BIN:?}/lightc
lib=$(cd "$(dirname "$0")/../lib" && pwd)
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
tmp=$(mktemp -d)
failed=0 daemon="" poll=0.02

stop_daemon() { [ -n "$daemon" ] && kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; daemon=""; rm -f "$tmp/socket"; }
trap 'stop_daemon; rm -rf "$tmp"' EXIT

start_daemon() { # extension...
        stop_daemon
        "$lib/fake-daemon" "$tmp/socket" "$tmp/log" "$@" &
        daemon=$!
        until_true test -S "$tmp/socket"
}
until_true() { # command...: polls, ten seconds at most
        local i
        for ((i = 0; i < 500; i++)); do "$@" && return 0; sleep "$poll"; done
        echo "never true: $*" >&2
        return 1
}
check() { # what expected actual
        [ "$2" = "$3" ] && return
        failed=$((failed + 1))
        printf 'FAILED: %s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"
}
run() { # stdout in $out, stderr in $err, status in $status
        out=$("$lightc" "$@" 2>"$tmp/err" </dev/null); status=$?
        err=$(cat "$tmp/err")
}

export LIGHTD_SOCKET=$tmp/socket
unset LIGHTC_PROJECT

# Every command explains itself.
commands() { "$lightc" $1 --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'; }
walk() { # group...
        local word
        for word in $(commands "$*"); do
                "$lightc" "$@" "$word" --help >"$tmp/help" 2>&1 || check "lightc $* $word --help" 0 "$?"
                grep -q '^Usage: lightc' "$tmp/help" && grep -q '^Examples:' "$tmp/help" ||
                        check "help of $* $word" "usage and examples" "$(cat "$tmp/help")"
                grep -q '^Commands:' "$tmp/help" && walk "$@" "$word"
        done
}
walk

# Nobody there.
run list
check "status without a daemon" 1 "$status"
check "message without a daemon" "Error: The daemon is not running: there is no socket \"$tmp/socket\"" "$(head -1 <<<"$err")"
python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$tmp/socket"
run list
check "message of a dead socket" "Error: The daemon is not running: nobody answers at \"$tmp/socket\"" "$(head -1 <<<"$err")"
rm -f "$tmp/socket"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
        chmod 0711 "$tmp"
        cp "$lightc" "$tmp/lightc"
        python3 -c 'import os,socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1],0o600)' "$tmp/socket"
        err=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/lightc" list 2>&1 >/dev/null | head -1)
        check "message without permission" "Error: You are not allowed to use the daemon's socket \"$tmp/socket\"" "$err"
        rm -f "$tmp/socket"
fi

# Misuse.
run lst
check "status of an unknown command" 2 "$status"
check "suggestion" 'Hint: did you mean "lightc list"?' "$(sed -n 2p <<<"$err")"
run exec c1
check "status of missing words" 2 "$status"
check "usage of that command" 1 "$(grep -c '^Usage: lightc exec' <<<"$err")"

# One request where one is enough.
start_daemon instance_create_start
run list -c n4 -f csv
check "a list" $'c0,10.0.0.0 (eth0)\nc1,10.0.0.1 (eth0)\nc2,10.0.0.2 (eth0)' "$out"
check "requests of a list" "GET /1.0/instances?recursion=2 " "$(cat "$tmp/log")"
run info nosuch
check "status of an error" 1 "$status"
check "an error and its hint" $'Error: Instance "nosuch" not found\nHint: "lightc list" lists them' "$err"
run launch busybox
check "a name the daemon chose is printed" "chosen-name" "$out"
check "launch is one POST" 1 "$(grep -c '^POST /1.0/instances .*"start":true' "$tmp/log")"
run --project web launch debian:12 c9
check "an image of a remote" 1 "$(grep -c '^POST /1.0/instances?project=web .*"alias":"12","server":"debian","protocol":"lightvisor-build"' "$tmp/log")"
start_daemon
run launch busybox c8
check "start by a request of its own" 1 "$(grep -c '^PUT /1.0/instances/c8/state {"action":"start"' "$tmp/log")"

run init busybox full
check "an operation's error and its hint" $'Error: No space left\nHint: make room' "$err"

# exec: statuses, streams, end of input.
run exec c1 exit 7
check "status of a command" 7 "$status"
run exec c1 missing
check "status of a missing command" 127 "$status"
check "words about a missing command" 'Error: "missing": command not found in c1' "$err"
check "bytes out" 50000000 "$("$lightc" exec c1 flood 50000000 </dev/null | wc -c)"
check "bytes in" 50000000 "$(head -c 50000000 /dev/zero | "$lightc" exec c1 sink)"
check "no bytes in" 0 "$("$lightc" exec c1 -n sink)"

# Ctrl-C: the first cancels, the second leaves. bash starts background jobs with SIGINT ignored; python does not.
interrupt() { # name signals
        python3 - "$lightc" "$tmp/log" "$1" "$2" <<'PY'
import signal, subprocess, sys, time
lightc, log, name, signals = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)
p = subprocess.Popen([lightc, "init", "busybox", name], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
def logged(text, n=1):
    for _ in range(500):
        if open(log).read().count(text) >= n:
            return
        time.sleep(0.02)
    sys.exit("never logged: " + text)
logged("/operations/%s/wait" % name)
for i in range(int(signals)):
    p.send_signal(signal.SIGINT)
    if i == 0:
        logged("DELETE /1.0/operations/" + name)
_, err = p.communicate(timeout=20)
print(p.returncode)
print(err.strip())
PY
}
out=$(interrupt slow 1)
check "Ctrl-C cancels" $'130\nCancelling; press Ctrl-C again to leave it running\nError: Cancelled' "$out"
out=$(interrupt stubborn 2)
check "the second Ctrl-C leaves" 130 "$(head -1 <<<"$out")"
check "and says how to watch" 1 "$(grep -c 'lightc operation show stubborn' <<<"$out")"
run operation show stubborn
check "which works" 1 "$(grep -c '^id: stubborn' <<<"$out")"

# Nothing of progress in a log.
check "a log has no carriage returns" 0 "$(cat "$tmp/err" <("$lightc" launch busybox c7 2>&1 </dev/null) | grep -c $'\r')"

[ $failed = 0 ] && echo "client: all passed"
exit $((failed > 0))
