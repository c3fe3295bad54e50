#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Commands in running instances: streams, statuses, terminals, signals, records, with lightc and with LXD's own client.
. "$(dirname "$0")/../lib/lib.sh"
need_program lxc curl jq script nsenter

output="" # of assert_status
start_ready_daemon
lightc launch busybox c1 >/dev/null
lightc init busybox off >/dev/null

process_is() { lightc exec c1 -- ps -o args | grep -qx "$1"; }
process_is_gone() { ! process_is "$1"; }
# terminal COMMAND…: runs it on a terminal of 101x33 with standard input from here; what it shows, without CR.
terminal() { SHELL=/bin/sh script -qec "stty cols 101 rows 33; $*" /dev/null | tr -d '\r'; }
exec_record() { api POST /1.0/instances/c1/exec "$1" | jq -r .metadata.id; }

for client in lightc lxc; do
        step "$client: streams and statuses"
        assert_eq "$(echo hello | $client exec c1 -- cat)" hello
        assert_status 7 $client exec c1 -- sh -c 'echo out; echo err >&2; exit 7'
        assert_contains "$output" out
        assert_contains "$output" err
        assert_eq "$($client exec c1 -- sh -c 'echo out; echo err >&2' 2>/dev/null)" out
        assert_status 137 $client exec c1 -- sh -c 'kill -9 $$'
        assert_status 127 $client exec c1 -- nonesuch
        assert_contains "$output" 'command not found'
        assert_status 126 $client exec c1 -- /etc
        assert_status 1 $client exec off -- true
        assert_contains "$output" 'Instance "off" is not running'
        assert_status 1 $client exec nobody -- true
        assert_contains "$output" 'not found'

        step "$client: who, where, with what"
        lightc config set c1 environment.FROM_CONFIG=config environment.BOTH=config
        assert_eq "$($client exec c1 --env BOTH=request --env A='b c' -- sh -c 'echo "$FROM_CONFIG $BOTH $A $HOME $USER"')" \
                "config request b c /root root"
        assert_eq "$($client exec c1 --user 1000 --group 1000 --cwd /tmp -- sh -c 'echo $(id -u):$(id -g) $(pwd)')" \
                "1000:1000 /tmp"
        assert_status 1 $client exec c1 --cwd /nowhere -- true
        assert_contains "$output" /nowhere

        step "$client: much, both ways"
        head -c 50000000 /dev/urandom >"$TEST_DIR/blob"
        assert_eq "$($client exec c1 -- cat <"$TEST_DIR/blob" | sha256sum)" "$(sha256sum <"$TEST_DIR/blob")"
        assert_eq "$($client exec c1 -- sh -c 'yes | head -c 100000000' | wc -c)" 100000000
        # Input nobody reads, output nobody reads: both ends are told.
        set +o pipefail
        assert_eq "$(yes 2>/dev/null | $client exec c1 -- head -n 1)" y
        assert_eq "$($client exec c1 -- yes 2>/dev/null | head -n 1)" y
        set -o pipefail
        wait_for process_is_gone yes

        step "$client: a terminal"
        program=$(type -P "$client" || echo "$BIN/$client")
        assert_contains "$(echo 'tty; stty size; exit 5' | terminal "$program exec c1 -- sh; echo rc=\$?")" "33 101"
        assert_contains "$(terminal "$program exec c1 -- tty; echo rc=\$?" </dev/null)" /dev/pts/
        assert_contains "$(terminal "$program exec c1 -- sh -c 'exit 5'; echo rc=\$?" </dev/null)" rc=5
        assert_contains "$(terminal "$program exec c1 -T -- tty; echo rc=\$?" </dev/null)" "not a tty"

        step "$client: a command that closes its outputs goes on"
        lightc exec c1 -T -- sh -c 'rm -f /tmp/closed /tmp/go; mkfifo /tmp/go'
        $client exec c1 -T -- sh -c 'exec >/dev/null 2>&1; touch /tmp/closed; read -r word </tmp/go; exit 3' &
        closed=$!
        wait_for lightc exec c1 -T -- test -e /tmp/closed
        lightc exec c1 -T -- sh -c 'echo on >/tmp/go'
        status=0
        wait "$closed" || status=$?
        assert_eq "$status" 3 "the command that went on"

        step "$client: a signal reaches the command"
        $client exec c1 -- sleep 1111 &
        wait_for process_is 'sleep 1111'
        pkill -TERM -P $! || kill -TERM $!
        wait_for process_is_gone 'sleep 1111'
        wait $! || true

        step "$client: a client that is killed takes its command along"
        $client exec c1 -- sleep 2222 &
        client_pid=$!
        wait_for process_is 'sleep 2222'
        pkill -KILL -f "exec c1 -- sleep 2222" || true
        wait_for process_is_gone 'sleep 2222'
        wait "$client_pid" || true
done

step "an operation's websockets: secrets only to its creator, used once"
answer=$(api POST /1.0/instances/c1/exec '{"command":["true"],"wait-for-websocket":true}')
assert_json "$answer" '.metadata.metadata.fds | keys | join(" ")' "0 1 2 control"
id=$(jq -r .metadata.id <<<"$answer")
assert_json "$(api GET "/1.0/operations/$id")" '.metadata.metadata.fds' null
assert_json "$(api GET "/1.0/operations/$id")" '.metadata.class' websocket
assert_json "$(api DELETE "/1.0/operations/$id")" '.status' Success
assert_json "$(api GET "/1.0/operations/$id/wait")" '.metadata.status' Cancelled

step "requests that make no sense"
refused() { # BODY TEXT
        local body
        body=$(api POST /1.0/instances/c1/exec "$1")
        assert_json "$body" .error_code 400
        assert_contains "$(jq -r .error <<<"$body")" "$2"
}
refused '{"command":[]}' command
refused '{"command":["true"],"interactive":true}' wait-for-websocket
refused '{"command":["true"],"record-output":true,"wait-for-websocket":true}' record-output
refused '{"command":["true"],"user":-1}' user
refused '{"command":["true"],"cwd":"tmp"}' tmp

step "a recorded command"
id=$(exec_record '{"command":["sh","-c","echo one; echo two >&2; exit 5"],"record-output":true}')
operation=$(api GET "/1.0/operations/$id/wait")
assert_json "$operation" .metadata.metadata.return 5
assert_eq "$(api GET "$(jq -r '.metadata.metadata.output["1"]' <<<"$operation")")" one
assert_eq "$(api GET "$(jq -r '.metadata.metadata.output["2"]' <<<"$operation")")" two
assert_contains "$(api GET /1.0/instances/c1/logs)" "exec_$id.stdout"
assert_json "$(api DELETE "/1.0/instances/c1/logs/exec_$id.stdout")" .status Success
assert_json "$(api GET "/1.0/instances/c1/logs/exec_$id.stdout")" .error_code 404
assert_json "$(api DELETE /1.0/instances/c1/logs/console.log)" .error_code 400
assert_json "$(api GET /1.0/instances/c1/logs/..%2Fconsole.log)" .error_code 400

step "cancelled: killed"
id=$(exec_record '{"command":["sleep","3333"],"record-output":true}')
wait_for process_is 'sleep 3333'
api DELETE "/1.0/operations/$id" >/dev/null
assert_json "$(api GET "/1.0/operations/$id/wait")" .metadata.status Cancelled
wait_for process_is_gone 'sleep 3333'

step "recorded ones outlive the daemon, attached ones do not"
id=$(exec_record '{"command":["sh","-c","while [ ! -e /go ]; do sleep 0.05; done; echo late; exit 6"],"record-output":true}')
done_id=$(exec_record '{"command":["sh","-c","while [ ! -e /go1 ]; do sleep 0.05; done; exit 4"],"record-output":true}')
lightc exec c1 -- sleep 4444 2>/dev/null &
attached=$!
wait_for process_is 'sleep 4444'
kill_daemon KILL
init=$(pgrep -f '^init$|^/sbin/init' | head -n 1) # the only one in this pid namespace
nsenter -t "$init" -U -m -S 0 -G 0 /bin/touch /go1
start_daemon
wait "$attached" || true
wait_for process_is_gone 'sleep 4444'
assert_json "$(api GET "/1.0/operations/$done_id/wait")" .metadata.metadata.return 4
assert_json "$(api GET "/1.0/operations/$id")" .metadata.status Running
lightc exec c1 -- touch /go
assert_json "$(api GET "/1.0/operations/$id/wait")" .metadata.metadata.return 6
assert_eq "$(api GET "/1.0/instances/c1/logs/exec_$id.stdout")" late

step "a command ends with its instance"
lightc exec c1 -- sleep 5555 &
attached=$!
wait_for process_is 'sleep 5555'
lightc stop -f c1
status=0
wait "$attached" || status=$?
[ "$status" != 0 ] || fail "the command of a stopped instance succeeded"
lightc delete c1
assert_eq "$(find "$LIGHTD_DIR/logs" -name c1)" ""
stop_daemon
