#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lightc monitor in its three formats, by type, by level and by project, and the operation commands beside it.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq

start_ready_daemon

# watch NAME OPTION…: a monitor that writes into $TEST_DIR/NAME until stop_watching.
watchers=()
watch() {
        local name=$1
        shift
        "$BIN/lightc" monitor "$@" >"$TEST_DIR/$name" 2>"$TEST_DIR/$name.err" </dev/null &
        watchers+=($!)
}
stop_watching() {
        kill -INT "${watchers[@]}" 2>/dev/null || true
        kill -TERM "${watchers[@]}" 2>/dev/null || true
        for pid in "${watchers[@]}"; do wait "$pid" || true; done
        watchers=()
}
has() { grep -q -- "$2" "$TEST_DIR/$1"; }
# The daemon tells a monitor of what comes after it: make something come until it has heard of it.
heard_update() {
        api PATCH /1.0/profiles/default "{\"config\":{\"user.heard\":\"$RANDOM\"}}"
        for name; do [ -s "$TEST_DIR/$name" ] || return 1; done
}

step "formats and types"
watch lifecycle.json --type=lifecycle --format=json
watch all.yaml
watch both.json --type lifecycle,operation --format json
watch pretty --pretty --type=lifecycle --loglevel=info
watch errors --pretty --type=lifecycle,operation --loglevel=error
watch projects.json --all-projects --type=lifecycle -f json
wait_for heard_update lifecycle.json all.yaml both.json pretty projects.json
lightc init busybox c1
wait_for has lifecycle.json instance-created
wait_for has both.json '"type":"operation"'
wait_for has both.json instance-created
wait_for has all.yaml 'action: instance-created'
wait_for has all.yaml 'type: operation'
wait_for has pretty 'instance-created .*/1.0/instances/c1'
wait_for has projects.json instance-created
assert_eq "$(jq -r .type "$TEST_DIR/lifecycle.json" | sort -u)" lifecycle
assert_eq "$(jq -r .type "$TEST_DIR/both.json" | sort -u | xargs)" "lifecycle operation"
assert_eq "$(jq -r 'select(.metadata.action == "instance-created") | .metadata.source' "$TEST_DIR/lifecycle.json")" /1.0/instances/c1
assert_eq "$(cat "$TEST_DIR/errors")" "" "what is not as bad as an error"
stop_watching

step "a log line, by its level"
watch logging --pretty
watch level --pretty --loglevel warn
logged() { lightc delete nobody 2>/dev/null || true; lightc init busybox "x$RANDOM" >/dev/null; [ -s "$TEST_DIR/logging" ]; }
wait_for logged
assert_eq "$(cat "$TEST_DIR/level")" "" "lines below a warning"
stop_watching

step "misuse"
assert_status 2 lightc monitor --type=lifecycel
assert_contains "$output" 'Unknown type "lifecycel": it is one of lifecycle, logging, operation'
assert_status 2 lightc monitor --pretty --loglevel=loud
assert_contains "$output" 'Unknown level "loud"'
assert_status 2 lightc monitor --loglevel=info
assert_contains "$output" "needs --pretty"
assert_status 2 lightc monitor --format=xml
assert_contains "$output" 'Unknown format "xml"'

step "operations"
lightc start c1
wait_for guest_is_up c1
"$BIN/lightc" exec c1 -T -- sh -c 'echo begun; exec tail -f /dev/null' >"$TEST_DIR/exec.out" 2>&1 </dev/null &
client=$!
wait_for has exec.out begun
id=$(lightc operation list --format json | jq -r '.[] | select(.class == "websocket" and .status == "Running") | .id')
[ -n "$id" ] || fail "the command is no operation"
assert_contains "$(lightc operation list)" "$id"
assert_contains "$(lightc operation list --format csv)" "$id,WEBSOCKET"
assert_contains "$(lightc operation show "$id")" "/1.0/instances/c1"
lightc operation cancel "$id"
wait "$client" && fail "a cancelled command ended well"
assert_fails "$id" lightc operation cancel "$id"
assert_fails "" lightc operation show 00000000-0000-0000-0000-000000000000
assert_contains "$output" 00000000
lightc delete --force c1
stop_daemon
