#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The console: attaching, sizes, detaching, who is second, what it has shown, before and after the instance's end.
. "$(dirname "$0")/../lib/lib.sh"
need_program lxc curl jq script

# init asks on the console
with_shell() { printf '::sysinit:/etc/rc\n::respawn:/bin/sh\n::ctrlaltdel:/bin/poweroff\n' >"$1/etc/inittab"; }

start_ready_daemon
make_image "$TEST_DIR/shell.tar.xz" with_shell
lightc image import "$TEST_DIR/shell.tar.xz" --alias shell >/dev/null
lightc launch shell c1 >/dev/null

url=/1.0/instances/c1/console
shown() { api GET $url | tr -d '\r'; }
has_shown() { shown | grep -q "$1"; }
wait_for has_shown "the guest has started"

# on_console CLIENT FUNCTION: the client on a terminal of 101x33; the function's output is typed.
on_console() {
        local program
        program=$(type -P "$1" || echo "$BIN/$1")
        "$2" | SHELL=/bin/sh script -qefc "stty cols 101 rows 33; $program console c1" "$TEST_DIR/typescript" >/dev/null
        tr -d '\r' <"$TEST_DIR/typescript"
}
seen() { tr -d '\r' 2>/dev/null <"$TEST_DIR/typescript" | grep -q "$1"; }
type_commands() {
        wait_for seen "escape\|leaves\|detach" || true
        echo 'stty size; echo sum=$((40+2))'
        wait_for seen sum=42
        printf '\001'
        wait_for is_read
        printf q
}
# lxc wants the two keys in two reads: the next output shows that the first one has been read.
is_read() { lightc exec c1 -- sh -c 'echo tick >/dev/console' && seen tick; }

for client in lightc lxc; do
        step "$client: attach, type, look, leave"
        : >"$TEST_DIR/typescript"
        output=$(on_console $client type_commands)
        assert_contains "$output" "33 101"
        assert_contains "$output" sum=42
        assert_contains "$(shown)" sum=42
        assert_json "$(api DELETE $url)" .status Success
        assert_lacks "$(shown)" sum=42
done

step "what it has shown is shown again to the next"
lightc exec c1 -- sh -c 'echo remembered >/dev/console'
wait_for has_shown remembered
type_leave() { wait_for seen remembered; printf '\001q'; }
: >"$TEST_DIR/typescript"
assert_contains "$(on_console lightc type_leave)" remembered
assert_contains "$(lightc console c1 --show-log)" remembered
assert_contains "$(lxc console c1 --show-log)" remembered

step "one at a time"
id=$(api POST $url '{"width":80,"height":24,"type":"console"}' | jq -r .metadata.id)
assert_json "$(api POST $url '{}')" .error_code 400
assert_contains "$(api POST $url '{}')" 'in use'
assert_json "$(api DELETE "/1.0/operations/$id")" .status Success
assert_json "$(api GET "/1.0/operations/$id/wait")" .metadata.status Cancelled
is_free() { [ "$(api POST $url '{}' | jq -r .status_code)" = 100 ]; }
wait_for is_free

step "requests that make no sense"
assert_contains "$(api POST $url '{"type":"vga"}')" '\"vga\"'
assert_json "$(api POST $url '{"width":-1,"height":24}')" .error_code 400

step "after the daemon's death and after the instance's end"
kill_daemon KILL
start_daemon
assert_contains "$(shown)" remembered
wait_for is_free
lightc stop -f c1
assert_contains "$(shown)" remembered
assert_fails 'Instance "c1" is not running' lightc console c1
assert_contains "$(api GET /1.0/instances/c1/logs)" /1.0/instances/c1/logs/console.log
assert_contains "$(api GET /1.0/instances/c1/logs/console.log)" remembered
id=$(api POST /1.0/instances/c1 '{"name":"c2"}' | jq -r .metadata.id)
assert_json "$(api GET "/1.0/operations/$id/wait")" .metadata.status Success
assert_contains "$(api GET /1.0/instances/c2/console)" remembered
assert_json "$(api DELETE /1.0/instances/c2/console)" .status Success
assert_eq "$(api GET /1.0/instances/c2/console)" ""
stop_daemon
