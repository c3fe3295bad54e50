#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An upgrade under running containers: the files are replaced as dpkg does it, then the daemon is started anew. No
# container notices, a recorded command ends with its whole output and its operation, consoles attach again by themselves,
# attached commands are hung up and their clients say so. COUNT is the number of containers (8; at least 7).
. "$(dirname "$0")/../lib/lib.sh"
need_program jq curl script
COUNT=${COUNT:-8}

# ---- the two versions ----

# A directory of programs; what is appended makes files that differ and run alike.
make_version() { # DIR VERSION
        local program
        cp -r "$BIN" "$1"
        for program in lightd lightc lightrun lightunpack; do
                [ ! -f "$1/$program" ] || printf '%s' "$2" >>"$1/$program"
        done
}
# As dpkg does: each file written beside the old one, then moved over it, under the feet of what runs.
replace_files() { # FROM
        local file
        for file in "$1"/*; do
                [ -f "$file" ] || continue
                cp "$file" "$BIN/$(basename "$file").dpkg-new"
        done
        for file in "$BIN"/*.dpkg-new; do mv -f "$file" "${file%.dpkg-new}"; done
}
runs_file() { [ "$(stat -Lc %d:%i "/proc/$1/exe")" = "$(stat -c %d:%i "$2")" ]; }

# ---- the containers ----

# init asks on the console, in a shell that keeps what it is told.
with_shell() { printf '::sysinit:/etc/rc\n::respawn:/bin/sh\n::ctrlaltdel:/bin/poweroff\n' >"$1/etc/inittab"; }
launch_some() { # FIRST STEP: every STEP-th
        local n
        for ((n = $1; n <= COUNT; n += $2)); do lightc launch shell "c$n" >/dev/null; done
}
launch_all() {
        local first clients=()
        for first in 1 2 3 4; do launch_some $first 4 & clients+=($!); done
        for first in "${clients[@]}"; do wait "$first" || fail "a launch failed"; done
}
pids() { lightc list '^c[0-9]+$' --format json | jq -c '[.[] | {name, pid: .state.pid}] | sort_by(.name)'; }
addresses() { lightc list '^c[0-9]+$' --format csv -c n4 | sort; }
pid_of() { lightc query "/1.0/instances/$1/state" | jq .pid; }
monitor_of() { awk '/^PPid:/ {print $2}' "/proc/$(pid_of "$1")/status"; }
all_have_addresses() { [ "$(addresses | grep -c eth0)" = "$COUNT" ]; }
each_answers() {
        local n
        for ((n = 1; n <= COUNT; n++)); do assert_eq "$(lightc exec "c$n" -T -- cat /proc/1/comm)" init "c$n"; done
}

# ---- clients that are attached ----

# attach NAME COMMAND…: a client on a terminal; what is typed comes from the pipe NAME.in, what is shown is in NAME.out.
attach() {
        local name=$1 fd
        shift
        mkfifo "$TEST_DIR/$name.in"
        SHELL=/bin/sh script -qefc "$*" "$TEST_DIR/$name.out" <"$TEST_DIR/$name.in" >/dev/null 2>&1 &
        _clients[$name]=$!
        exec {fd}>"$TEST_DIR/$name.in"
        _typing[$name]=$fd
}
type_line() { echo "$2" >&"${_typing[$1]}"; }
shows() { tr -d '\r' <"$TEST_DIR/$1.out" 2>/dev/null | grep -q "$2"; }
# The client must end by itself, with a status that is not success.
expect_hung_up() {
        local status=0 fd=${_typing[$1]}
        wait_for _is_gone "${_clients[$1]}" || fail "the client of $1 did not notice the end of the daemon"
        wait "${_clients[$1]}" || status=$?
        [ "$status" != 0 ] || fail "the client of $1 took the end of the daemon for success: $(cat "$TEST_DIR/$1.out")"
        exec {fd}>&-
}
declare -A _clients=() _typing=()

record() { api POST "/1.0/instances/$1/exec" "$2" | jq -r .metadata.id; }
process_is_gone() { ! lightc exec "$1" -T -- ps -o args | grep -qx "$2"; }

# ---- the test ----

first=$TEST_DIR/first next=$TEST_DIR/next
busybox_image
make_version "$first" first
make_version "$next" next
make_version "$TEST_DIR/elsewhere" elsewhere
BIN=$first
start_ready_daemon
make_image "$TEST_DIR/shell.tar.xz" with_shell
lightc image import "$TEST_DIR/shell.tar.xz" --alias shell >/dev/null
lightc launch shell c1 >/dev/null # its layer, bridge and fork servers are not what a census shall find
lightc delete -f c1
stop_daemon
start_daemon
census save "$TEST_DIR/before"

step "$COUNT containers, two consoles, a recorded command and a terminal"
launch_all
wait_for all_have_addresses
before=$(pids) before_addresses=$(addresses)
for name in c1 c2; do
        attach "console-$name" "$BIN/lightc console $name"
        type_line "console-$name" "word=kept-by-$name; echo sum=\$((40+2))"
        wait_for shows "console-$name" sum=42
done
attach terminal "$BIN/lightc exec c3 -t -- sh -c 'echo begun; exec tail -f /dev/null'"
wait_for shows terminal begun
lightc exec c4 -T -- mkfifo /go
id=$(record c4 '{"command": ["sh", "-c", "seq 100000; echo half; read -r word </go; seq 100001 200000; echo $word >&2; exit 7"],
        "record-output": true}')
ended=$(record c4 '{"command": ["sh", "-c", "echo early; exit 5"], "record-output": true}')
api GET "/1.0/operations/$ended/wait" >/dev/null
has_written_half() { api GET "/1.0/instances/c4/logs/exec_$id.stdout" | tail -n 1 | grep -qx half; }
wait_for has_written_half
old_monitor=$(monitor_of c1)

step "new files under the old daemon: it works on"
replace_files "$next"
! runs_file "$LIGHTD_PID" "$BIN/lightd" || fail "the files were not replaced"
assert_eq "$(lightc exec c1 -T -- echo well)" well
lightc launch shell between >/dev/null
lightc stop -f between

step "the daemon is started anew"
stop_daemon
expect_hung_up terminal
assert_contains "$(cat "$TEST_DIR/terminal.out")" 'the command in "c3"; the instance runs on'
for name in c1 c2; do wait_for shows "console-$name" "The daemon ended"; done
start_daemon
runs_file "$LIGHTD_PID" "$BIN/lightd" || fail "the daemon is not the new one"
assert_eq "$(pids)" "$before" "the containers' first processes"
assert_eq "$(addresses)" "$before_addresses" "addresses"
assert_eq "$(monitor_of c1)" "$old_monitor" "the monitor"
! runs_file "$old_monitor" "$BIN/lightrun" || fail "the monitor is not of the old files"
each_answers

step "the recorded command ends with all it wrote, and so does its operation"
assert_json "$(api GET "/1.0/operations/$id")" .metadata.status Running
lightc exec c4 -T -- sh -c 'echo over >/go'
operation=$(api GET "/1.0/operations/$id/wait")
assert_json "$operation" .metadata.metadata.return 7
api GET "$(jq -r '.metadata.metadata.output["1"]' <<<"$operation")" >"$TEST_DIR/got"
(seq 100000; echo half; seq 100001 200000) | cmp - "$TEST_DIR/got" || fail "the output is not whole"
assert_eq "$(api GET "$(jq -r '.metadata.metadata.output["2"]' <<<"$operation")")" over
assert_json "$(api GET "/1.0/operations/$ended")" .metadata.metadata.return 5

step "the consoles have attached again: the same shells"
for name in c1 c2; do
        type_line "console-$name" 'echo "word is $word"'
        wait_for shows "console-$name" "word is kept-by-$name"
done

step "the terminal's command was hung up"
wait_for process_is_gone c3 'tail -f /dev/null'

step "old monitors obey: pause, stop, restart; a restarted one is of the new files"
lightc pause c5
lightc start c5
lightc stop -f c6
lightc start c6
lightc restart -f c7
runs_file "$(monitor_of c7)" "$BIN/lightrun" || fail "the monitor of a restarted container is not of the new files"
lightc start between
assert_eq "$(lightc exec between -T -- echo well)" well

step "a daemon of another directory, and back"
before=$(pids)
for dir in "$TEST_DIR/elsewhere" "$first"; do
        stop_daemon
        BIN=$dir
        start_daemon
        runs_file "$LIGHTD_PID" "$dir/lightd" || fail "the daemon is not that of $dir"
        assert_eq "$(pids)" "$before" "the containers' first processes, from $dir"
        each_answers
done
step "a console whose daemon is killed; Ctrl-a q leaves it"
kill_daemon
start_daemon
type_line console-c1 'echo "still $word"'
wait_for shows console-c1 "still kept-by-c1"
for name in c1 c2; do
        printf '\001q' >&"${_typing[console-$name]}"
        wait_for _is_gone "${_clients[console-$name]}" || fail "the console of $name cannot be left"
        wait "${_clients[console-$name]}" || fail "leaving the console of $name is no failure"
        fd=${_typing[console-$name]}
        exec {fd}>&-
done

stop_daemon
start_daemon # one that has inherited none of the test's pipes
lightc list --format csv -c n | xargs "$BIN/lightc" delete --force
census diff "$TEST_DIR/before"
stop_daemon
