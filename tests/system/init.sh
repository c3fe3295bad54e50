#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lightd init: the questions (through a terminal too), --auto, and a preseed that is done as a whole or not at all.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq curl

# answers the questions of init through a terminal: ANSWER…, each after the next prompt; ^C and ^D as \x03 and \x04
cat >"$TEST_DIR/answer" <<'END'
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "init"])
answers = [a.encode().decode("unicode_escape") for a in sys.argv[2:]]
seen = tail = b""
while True:
    if not select.select([fd], [], [], 30)[0]:
        break
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data
    tail += data
    if tail.endswith(b"]: ") and answers:
        a = answers.pop(0)
        tail = b""
        os.write(fd, (a if a in ("\x03", "\x04") else a + "\n").encode())
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
answer() { timeout "$COMMAND_LIMIT" python3 "$TEST_DIR/answer" "$BIN/lightd" "$@"; }
preseed() { lightd init --preseed <"$TEST_DIR/preseed"; }
unchanged() { assert_eq "$(lightd init --dump)" "$before" "the server after it"; }

start_daemon
before=$(lightd init --dump)

step "answers that end, or are interrupted, change nothing"
assert_status 1 lightd init </dev/null
assert_contains "$output" "nothing was changed"
assert_status 1 lightd init <<<"yes"
unchanged
assert_status 130 answer "" "" "\\x03"
assert_contains "$output" "nothing was changed"
assert_status 1 answer "" "\\x04"
unchanged

step "flags"
assert_status 2 lightd init --network-address 0.0.0.0
assert_contains "$output" "--network-address is not possible"
assert_status 2 lightd init --storage-create-loop 5
assert_status 2 lightd init --storage-backend dir
assert_status 2 lightd init --auto --dump
assert_fails "zfs" lightd init --auto --storage-backend zfs
unchanged

step "questions: what is wrong is explained and asked again"
assert_status 0 answer maybe yes "/bad" pool1 zfs dir yes lo br-test 300.1.1.1/24 10.77.0.1/24 no none yes
assert_contains "$output" '"maybe" is neither yes nor no'
assert_contains "$output" 'Unknown storage backend "zfs"'
assert_contains "$output" '"lo" is an interface of the host'
assert_contains "$output" '300.1.1.1/24'
assert_contains "$output" 'storage_pools:'
assert_json "$(lightc query /1.0/storage-pools/pool1)" .driver dir
assert_json "$(lightc query /1.0/networks/br-test)" '.config["ipv4.address"]' 10.77.0.1/24
assert_json "$(lightc query /1.0/profiles/default)" '.devices.root.pool + " " + .devices.eth0.network' "pool1 br-test"

step "again, what is there is the default, and --auto leaves it"
before=$(lightd init --dump)
assert_status 0 answer "" "" "" "" "" "" "" "" "" ""
assert_contains "$output" "[pool1]"
assert_contains "$output" "[10.77.0.1/24]"
assert_contains "$output" 'Kept Network "br-test"'
unchanged
lightd init --auto >/dev/null
unchanged

step "a preseed is checked as a whole before anything is done"
refused() { # TEXT, with the preseed on standard input
        cat >"$TEST_DIR/preseed"
        assert_fails "$1" preseed
        assert_lacks "$output" "Made"
        unchanged
}
refused 'Did you mean "networks"' <<<'network: []'
refused 'Did you mean "driver"' <<<'storage_pools: [{name: p, drivers: dir}]'
refused 'Did you mean "source"' <<<'storage_pools: [{name: p, driver: dir, config: {sorce: /x}}]'
refused 'Storage pool "pool1": Its driver is "dir"' <<<'storage_pools: [{name: pool1, driver: overlay}]'
refused 'has no "name"' <<<'profiles: [{description: x}]'
refused 'given twice' <<<'profiles: [{name: a}, {name: a}]'
refused 'unix socket only' <<<'config: {core.https_address: "[::]:8443"}'
refused 'cluster' <<<'cluster: {enabled: true}'
refused '"nowhere"' <<<'{storage_pools: [{name: p}], profiles: [{name: a, devices: {root: {type: disk, path: /, pool: nowhere}}}]}'
refused 'overlaps' <<<'networks: [{name: br-two, config: {ipv4.address: 10.77.0.9/24}}]'
refused 'Project "other"' <<<'projects: [{name: other}]'

step "what is there is updated"
cat >"$TEST_DIR/preseed" <<'END'
config: {user.site: here}
cluster: null
storage_pools: [{name: pool1, description: mine, config: {user.a: 1}}]
networks: [{name: br-test, description: ours, config: {ipv4.address: auto, ipv4.nat: true}}]
profiles: [{name: default, description: changed, config: {user.b: two}}, {name: web, config: {boot.autostart: true}}]
projects: [{name: default, description: all}]
END
preseed >"$TEST_DIR/out"
assert_contains "$(cat "$TEST_DIR/out")" 'Changed Storage pool "pool1"'
assert_json "$(lightc query /1.0/storage-pools/pool1)" '.description + .config["user.a"]' mine1
assert_json "$(lightc query /1.0/networks/br-test)" '.description + .config["ipv4.address"] + .config["ipv4.nat"]' ours10.77.0.1/24true
assert_json "$(lightc query /1.0/profiles/default)" '.description + .devices.root.pool + .config["user.b"]' changedpool1two
assert_json "$(lightc query /1.0/projects/default)" .description all
assert_lacks "$(preseed)" "Changed"

step "a part that fails takes back what was done before it"
before=$(lightd init --dump)
mkdir -p "$TEST_DIR/full/x" # a pool's directory must be empty: only the daemon's job sees that
cat >"$TEST_DIR/preseed" <<END
config: {user.site: there}
storage_pools:
- {name: pool1, description: other}
- {name: pool2, driver: dir}
- {name: pool3, driver: dir, config: {source: $TEST_DIR/full}}
networks: [{name: br-two}]
END
assert_fails 'Storage pool "pool3"' preseed
assert_contains "$output" 'Made Storage pool "pool2"'
assert_contains "$output" 'Undone: Storage pool "pool2" is removed again'
assert_contains "$output" 'Undone: Storage pool "pool1" is as it was'
unchanged

# Runs the preseed and holds it after its first change: its standard output is full until the file "go" is there.
cat >"$TEST_DIR/hold" <<'END'
import fcntl, os, subprocess, sys, time
r, w = os.pipe()
os.write(w, b"\n" * fcntl.fcntl(w, 1031, 4096))
init = subprocess.Popen([sys.argv[1], "init", "--preseed"], stdin=open(sys.argv[2]), stdout=w)
os.close(w)
open(sys.argv[3] + ".pid", "w").write(str(init.pid))
while init.poll() is None and not os.path.exists(sys.argv[3]):
    time.sleep(0.02)
while text := os.read(r, 65536):
    sys.stdout.buffer.write(text.lstrip(b"\n"))
sys.exit(abs(init.wait()))
END
hold() {
        rm -f "$TEST_DIR/go"
        timeout "$COMMAND_LIMIT" python3 "$TEST_DIR/hold" "$BIN/lightd" "$TEST_DIR/preseed" "$TEST_DIR/go" >"$TEST_DIR/out" 2>&1 &
        holding=$!
}
held_ends() { # status
        local status=0
        wait "$holding" || status=$?
        assert_eq "$status" "$1" "the status"
}
is_described() { lightc query /1.0/storage-pools/pool1 | jq -e --arg d "$1" '.description == $d' >/dev/null; }

step "what somebody else changed meanwhile is neither undone nor written over"
sed -i -e /^config:/d -e /pool2/d "$TEST_DIR/preseed"
hold
wait_for is_described other
lightc query -X PATCH -d '{"description":"theirs"}' /1.0/storage-pools/pool1 >/dev/null
touch "$TEST_DIR/go"
held_ends 1
assert_contains "$(cat "$TEST_DIR/out")" 'Not undone: Storage pool "pool1" was changed by somebody else meanwhile'
assert_contains "$(cat "$TEST_DIR/out")" 'could not be undone'
is_described theirs
cat >"$TEST_DIR/preseed" <<END
storage_pools: [{name: pool1, description: other}]
profiles: [{name: web, description: other}]
END
hold
wait_for is_described other
lightc query -X PATCH -d '{"description":"theirs"}' /1.0/profiles/web >/dev/null
touch "$TEST_DIR/go"
held_ends 1
assert_contains "$(cat "$TEST_DIR/out")" 'Profile "web" was changed by somebody else meanwhile'
assert_contains "$(cat "$TEST_DIR/out")" 'Undone: Storage pool "pool1" is as it was'
is_described theirs
assert_json "$(lightc query /1.0/profiles/web)" .description theirs

step "one that is killed in the middle is finished by the same document again"
hold
wait_for is_described other
kill -9 "$(cat "$TEST_DIR/go.pid")"
held_ends 9
assert_json "$(lightc query /1.0/profiles/web)" .description theirs "what the killed one had not come to"
preseed >"$TEST_DIR/out"
assert_contains "$(cat "$TEST_DIR/out")" 'Kept Storage pool "pool1"'
assert_contains "$(cat "$TEST_DIR/out")" 'Changed Profile "web"'
before=$(lightd init --dump)

step "dump and preseed are each other's reverse, on another server too"
lightd init --dump >"$TEST_DIR/preseed"
assert_lacks "$(preseed)" "Changed"
unchanged
lightc query -X PUT -d '{"config":{},"devices":{}}' /1.0/profiles/default >/dev/null
lightc query -X DELETE /1.0/networks/br-test >/dev/null # its address and name are free for the other server
stop_daemon
use_dir other
start_daemon
preseed >/dev/null
unchanged
stop_daemon

step "activateifneeded wakes the daemon only for what is to be started"
busybox_image
LIGHTD_DIR=$TEST_DIR/never lightd activateifneeded
[ ! -e "$TEST_DIR/never" ] || fail "it made a directory"
use_dir other
lightd activateifneeded # nothing there to start; nobody listens, and nobody is asked
start_daemon
lightc image import "$BUSYBOX_IMAGE" --alias busybox >/dev/null
lightc init busybox c1
lightd activateifneeded # it runs already
stop_daemon
assert_status 0 lightd activateifneeded
assert_eq "$output" ""
start_daemon
lightc config set c1 boot.autostart=true
stop_daemon
assert_fails "daemon is not running" lightd activateifneeded
cat >"$TEST_DIR/socket" <<'END'
import os, select, socket, sys
path = os.environ["LIGHTD_DIR"] + "/unix.socket"
if os.path.exists(path):
    os.unlink(path)
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(path)
s.listen(16)
select.select([s], [], [])
os.dup2(s.fileno(), 3) if s.fileno() != 3 else os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], [sys.argv[1]])
END
rm -f "$LIGHTD_SOCKET"
python3 "$TEST_DIR/socket" "$BIN/lightd" >>"$LIGHTD_LOG" 2>&1 </dev/null &
LIGHTD_PID=$!
wait_for test -S "$LIGHTD_SOCKET"
lightd activateifneeded
wait_for has_state c1 RUNNING
lightc delete -f c1
stop_daemon
