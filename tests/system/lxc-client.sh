#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Debian's unmodified `lxc` 5.0.2 against our daemon, through LXD_DIR: what its users do every day.
. "$(dirname "$0")/../lib/lib.sh"
need_program lxc jq curl
[[ $(command lxc --version) == 5.0.* ]] || skip "needs lxc 5.0"

start_ready_daemon
lxc image import "$BUSYBOX_META" "$BUSYBOX_ROOTFS" --alias warm >/dev/null 2>&1
lxc launch warm w1 >/dev/null 2>&1
lxc delete --force w1
lxc image delete warm
census save "$TEST_DIR/set-up"

step "the daemon"
assert_contains "$(lxc version)" "Server version: 5.0"
assert_contains "$(lxc info)" "api_version"
assert_json "$(lxc query /1.0)" .environment.server lxd

step "images"
lxc image import "$BUSYBOX_META" "$BUSYBOX_ROOTFS" --alias split >/dev/null
lxc image alias create other "$(lxc image list split --format csv -c f)"
assert_contains "$(lxc image alias list --format csv)" other
lxc image alias rename other another
lxc image alias delete another
assert_json "$(lxc image list --format json)" length 2
assert_contains "$(lxc image info split)" "Size:"
lxc image export busybox "$TEST_DIR/exported" >/dev/null
cmp "$TEST_DIR/exported".tar.xz "$BUSYBOX_IMAGE"
mkdir "$TEST_DIR/parts"
lxc image export split "$TEST_DIR/parts" >/dev/null
assert_eq "$(cat "$TEST_DIR"/parts/*.tar.xz | sha256sum)" "$(sha256sum <"$BUSYBOX_META")"
lxc image show split | sed 's/^public: false/public: true/' | lxc image edit split
assert_contains "$(lxc image show split)" "public: true"
lxc image set-property split colour red
lxc image unset-property split colour
assert_fails "Property not found" lxc image get-property split colour
assert_json "$(lxc image list split --format json)" '.[0].filename' "$(basename "$BUSYBOX_ROOTFS")"

step "launch, list, info"
timeout 200 lxc monitor --format json --type lifecycle --type logging >"$TEST_DIR/events" 2>/dev/null &
monitor=$!
lxc launch split c1 >/dev/null
assert_fails "already exists" lxc launch split c1
assert_eq "$(lxc list --format csv -c ns)" c1,RUNNING
wait_for has_address c1
assert_contains "$(lxc list c1)" "(eth0)"
assert_json "$(lxc list --format json)" '.[0].state.network.eth0.type' broadcast
assert_contains "$(lxc info c1)" "Status: RUNNING"
assert_contains "$(lxc info c1)" "Processes:"
assert_contains "$(lxc info c1 --show-log)" "Log:"
assert_fails "not found" lxc info nobody

step "exec"
assert_eq "$(lxc exec c1 -- hostname)" c1
assert_eq "$(seq 10000 | lxc exec c1 -- md5sum)" "$(seq 10000 | md5sum)"
assert_status 3 lxc exec c1 -- sh -c 'exit 3'
assert_status 127 lxc exec c1 -- no-such-command
assert_eq "$(lxc exec c1 --user 1000 --cwd /tmp --env A=b -- sh -c 'echo $(id -u) $(pwd) $A' </dev/null)" "1000 /tmp b"
assert_contains "$(lxc exec c1 -t -- tty </dev/null)" /dev/pts/
assert_eq "$(lxc exec c1 -- head -c 3000000 /dev/zero </dev/null | wc -c)" 3000000

step "files"
head -c 300000 /dev/urandom >"$TEST_DIR/data"
lxc file push -q "$TEST_DIR/data" c1/root/data --mode 0640 --uid 1000
assert_eq "$(lxc exec c1 -- stat -c '%a %u' /root/data)" "640 1000"
lxc file pull -q c1/root/data "$TEST_DIR/back"
cmp "$TEST_DIR/data" "$TEST_DIR/back"
mkdir -p "$TEST_DIR/tree/deep/er"
echo leaf >"$TEST_DIR/tree/deep/er/leaf"
ln -s leaf "$TEST_DIR/tree/deep/er/link"
lxc file push -q -r -p "$TEST_DIR/tree" c1/srv/new
assert_eq "$(lxc exec c1 -- cat /srv/new/tree/deep/er/link)" leaf
lxc file pull -q -r c1/srv/new "$TEST_DIR/pulled"
diff -r "$TEST_DIR/tree" "$TEST_DIR/pulled/new/tree"
echo edited | lxc file edit c1/root/data
assert_eq "$(lxc file pull c1/root/data -)" edited
lxc file delete c1/root/data
assert_fails "" lxc file pull c1/root/data -

step "console"
assert_contains "$(lxc console c1 --show-log)" "the guest has started"

step "configuration"
lxc config set c1 user.a=b
assert_eq "$(lxc config get c1 user.a)" b
lxc config unset c1 user.a
assert_eq "$(lxc config get c1 user.a)" ""
lxc config show c1 | sed 's/^description:.*/description: by edit/' | lxc config edit c1
assert_contains "$(lxc config show c1 --expanded)" "description: by edit"
assert_contains "$(lxc config device list c1)" ""
assert_fails "such" lxc config set c1 no.such.key=1
lxc config set user.a=b
lxc config unset user.a
assert_eq "$(lxc config show)" "config: {}"
assert_fails "Cluster member" lxc init split c9 --target other
lxc init split c9 >/dev/null
assert_contains "$(lxc config get c9 volatile.eth0.hwaddr)" "00:16:3e"
lxc config device add c9 eth1 nic nictype=p2p name=eth1 >/dev/null
lxc config device unset c9 eth1 name
assert_eq "$(lxc config device show c9)" "$(printf 'eth1:\n  nictype: p2p\n  type: nic')"
lxc delete c9

step "profiles"
lxc profile create web
lxc profile set web user.role=web
lxc profile show web | sed 's/^description:.*/description: edited/' | lxc profile edit web
assert_contains "$(lxc profile show web)" "description: edited"
lxc profile add c1 web
assert_eq "$(lxc config get c1 user.role --expanded)" web
assert_contains "$(lxc profile list --format csv)" web
assert_fails "" lxc profile delete web
lxc profile remove c1 web
lxc profile rename web www
lxc profile delete www

step "lists"
assert_contains "$(lxc storage list --format csv)" default
assert_contains "$(lxc storage show default)" "driver: overlay"
lxc storage volume list default >/dev/null
assert_contains "$(lxc network list --format csv)" lightbr0
assert_contains "$(lxc network show lightbr0)" ipv4.address
assert_contains "$(lxc network list-leases lightbr0)" c1
lxc network info lightbr0 >/dev/null
assert_eq "$(lxc project list --format csv | cut -d, -f1-5)" "default (current),YES,YES,YES,YES"
assert_contains "$(lxc project show default)" "- /1.0/instances/c1"
assert_contains "$(lxc project info default --format csv)" "CONTAINERS,UNLIMITED,1"
lxc project set default user.a=b
assert_eq "$(lxc project get default user.a)" b
lxc project unset default user.a
assert_fails 'the project "default" only' lxc project create other
assert_eq "$(lxc list ipv4=10.0.0.0/8 name=c. status=running --format csv -c n4 | cut -d, -f1)" c1
lxc operation list >/dev/null
assert_json "$(lxc query "/1.0/instances?recursion=1")" '.[0].name' c1

step "pause, stop, restart"
lxc pause c1
assert_eq "$(lxc list --format csv -c s)" FROZEN
lxc start c1
lxc restart c1 --timeout 30
lxc restart c1 --force
lxc stop c1 --timeout 30
assert_eq "$(lxc list --format csv -c s)" STOPPED
assert_fails "" lxc stop c1
lxc start --all
lxc restart --all --force
lxc pause --all
lxc stop --all --force
lxc stop --all --force
assert_eq "$(lxc list --format csv -c s)" STOPPED

step "rename, delete"
lxc rename c1 c2
lxc start c2
assert_eq "$(lxc exec c2 -- hostname)" c2
assert_fails "running" lxc delete c2
lxc delete c2 --force
lxc init split c3 -e >/dev/null
lxc start c3
lxc stop c3 --force
assert_eq "$(lxc list --format csv)" ""
lxc image delete split

step "what monitor saw"
wait_for grep -q '"image-deleted"' "$TEST_DIR/events"
kill "$monitor"
wait "$monitor" 2>/dev/null || true
assert_contains "$(jq -r 'select(.type == "logging") | .metadata.message' "$TEST_DIR/events")" 'op="Deleting instance"'
jq -c 'select(.type == "lifecycle")' "$TEST_DIR/events" >"$TEST_DIR/lifecycle"
for action in instance-created instance-started instance-stopped instance-shutdown instance-restarted instance-renamed instance-deleted image-deleted; do
        assert_contains "$(jq -r .metadata.action "$TEST_DIR/lifecycle")" "$action"
done
assert_eq "$(jq -r 'select(.metadata.requestor == null) | .metadata.action' "$TEST_DIR/lifecycle")" "" "without a requestor"
assert_eq "$(jq -r 'select(.metadata.action == "instance-renamed") | .metadata.context.old_name' "$TEST_DIR/lifecycle")" c1
census diff "$TEST_DIR/set-up"
stop_daemon
