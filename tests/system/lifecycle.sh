#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The life of containers by lightc: each command once, each way to stop, and nothing left at the end.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq curl

is_gone() { [ -z "$(state_of "$1")" ]; }
pid_of() { lightc list "^$1\$" --format csv -c p; }
runs_anew() { # instance, its pid before
        has_state "$1" RUNNING && [ "$(pid_of "$1")" != "$2" ] && lightc exec "$1" -- true
}
busybox_image
start_daemon
census save "$TEST_DIR/empty"

step "init of the daemon, an image"
lightd init --auto >"$TEST_DIR/init.out"
lightd init --auto >"$TEST_DIR/init.out" # again: nothing to do
assert_contains "$(lightd init --dump)" "lightbr0"
lightc image import "$BUSYBOX_IMAGE" --alias busybox >/dev/null
lightc launch busybox warm >/dev/null
lightc delete -f warm
census save "$TEST_DIR/set-up"
lightc image import "$BUSYBOX_META" "$BUSYBOX_ROOTFS" --alias split >/dev/null

step "init, start, list, info"
lightc init busybox c1
assert_eq "$(state_of c1)" STOPPED
assert_fails "already exists" lightc init busybox c1
lightc start c1
assert_eq "$(state_of c1)" RUNNING
assert_fails "already running" lightc start c1
assert_contains "$(lightc info c1)" "Status: RUNNING"
assert_json "$(lightc list --format json)" '.[0].name + " " + .[0].state.status' "c1 Running"
for format in table compact csv json yaml; do
        assert_contains "$(lightc list --format "$format")" c1
done
wait_for has_address c1

step "exec, shell"
assert_eq "$(lightc exec c1 -- hostname)" c1
assert_status 7 lightc exec c1 -- sh -c 'exit 7'
assert_status 127 lightc exec c1 -- no-such-command
assert_status 126 lightc exec c1 -- /etc/passwd
assert_status 137 lightc exec c1 -- sh -c 'kill -9 $$'
assert_eq "$(echo hello | lightc exec c1 -- cat)" hello
assert_eq "$(lightc exec c1 --user 1000 --env A=b --cwd /tmp -- sh -c 'echo $(id -u) $A $(pwd)')" "1000 b /tmp"
assert_eq "$(echo 'echo $USER' | lightc shell c1 | tail -n 1 | tr -d '\r')" root

step "files"
head -c 100000 /dev/urandom >"$TEST_DIR/data"
lightc file push "$TEST_DIR/data" c1/root/data --mode 0600
lightc file pull c1/root/data "$TEST_DIR/back"
cmp "$TEST_DIR/data" "$TEST_DIR/back"
assert_eq "$(lightc exec c1 -- stat -c '%a %u' /root/data)" "600 0"
mkdir -p "$TEST_DIR/tree/a"
echo one >"$TEST_DIR/tree/a/one"
lightc file push -r "$TEST_DIR/tree" c1/root/
lightc file pull -r c1/root/tree "$TEST_DIR/pulled"
assert_eq "$(find "$TEST_DIR/pulled" -name one -exec cat {} +)" one
echo edited | lightc file edit c1/root/data
assert_eq "$(lightc exec c1 -- cat /root/data)" edited
lightc file delete c1/root/data
assert_fails "not found" lightc file pull c1/root/data -

step "configuration"
lightc config set c1 user.colour=blue environment.FLAVOUR=sweet
assert_eq "$(lightc config get c1 user.colour)" blue
assert_eq "$(lightc exec c1 -- sh -c 'echo $FLAVOUR')" sweet
lightc config unset c1 user.colour
assert_eq "$(lightc config get c1 user.colour)" ""
assert_fails "user.colour" lightc config set c1 user.colour
assert_fails "no.such.key" lightc config set c1 no.such.key=1
lightc config show c1 | sed 's/^description:.*/description: edited/' | lightc config edit c1
assert_contains "$(lightc config show c1)" "description: edited"
assert_fails "while it runs" lightc config device add c1 eth1 nic nictype=p2p name=eth1
assert_contains "$(lightc config show c1 --expanded)" "lightbr0"

step "console and logs"
assert_contains "$(lightc console c1 --show-log)" "the guest has started"

step "pause and go on"
lightc pause c1
assert_eq "$(state_of c1)" FROZEN
lightc start c1
assert_eq "$(state_of c1)" RUNNING

step "stop, restart"
lightc stop c1 --timeout 30
assert_eq "$(state_of c1)" STOPPED
assert_fails "not running" lightc exec c1 -- true
assert_fails "not running" lightc stop c1
lightc start c1
before=$(pid_of c1)
lightc restart c1 --timeout 30
runs_anew c1 "$before"
lightc restart c1 --force
assert_eq "$(state_of c1)" RUNNING

step "a guest that does not stop"
lightc init busybox deaf
printf '#!/bin/sh\ntrap "" USR1 USR2 TERM PWR INT HUP\nmkfifo /run/f\nwhile :; do read x <>/run/f; done\n' >"$TEST_DIR/init.sh"
lightc file delete deaf/sbin/init
lightc file push "$TEST_DIR/init.sh" deaf/sbin/init --mode 0755
lightc start deaf
assert_fails "--force" lightc stop deaf --timeout 1
assert_eq "$(state_of deaf)" RUNNING
lightc stop deaf --force
assert_eq "$(state_of deaf)" STOPPED
lightc delete deaf

step "reboot and poweroff from inside"
before=$(pid_of c1)
lightc exec c1 -- reboot || true
wait_for runs_anew c1 "$before"
lightc exec c1 -- poweroff || true
wait_for has_state c1 STOPPED

step "rename"
lightc query -X POST -d '{"name":"renamed"}' /1.0/instances/c1 --wait >/dev/null
assert_eq "$(state_of renamed)" STOPPED
lightc start renamed
assert_eq "$(lightc exec renamed -- hostname)" renamed

step "ephemeral"
lightc launch busybox e1 --ephemeral >/dev/null
lightc stop e1
wait_for is_gone e1
lightc launch busybox e2 -e >/dev/null
lightc exec e2 -- poweroff || true
wait_for is_gone e2

step "a split image, a name that is made up"
lightc launch split s1 >/dev/null
assert_eq "$(lightc exec s1 -- hostname)" s1
made=$(lightc launch split 2>&1 | grep -o '[a-z]*-[a-z]*' | tail -n 1)
assert_eq "$(lightc list --format csv -c n | wc -l)" 3 "instances after a launch without a name ($made)"

step "lists of everything else"
for what in "image list" "image alias list" "profile list" "network list" "storage list" "operation list"; do
        for format in table compact csv json yaml; do
                # shellcheck disable=SC2086
                lightc $what --format "$format" >/dev/null
        done
done
assert_contains "$(lightc profile show default)" eth0
assert_contains "$(lightc network show lightbr0)" ipv4.address
assert_contains "$(lightc network list-leases lightbr0 --format csv)" s1
assert_contains "$(lightc storage show default)" overlay
lightc storage info default >/dev/null
lightc network info lightbr0 >/dev/null
assert_contains "$(lightc version)" "$(lightd version)"
assert_json "$(lightc query /1.0)" .api_version 1.0
assert_fails "in use" lightc query -X DELETE /1.0/networks/lightbr0

step "delete"
assert_fails "running" lightc delete s1
lightc list --format csv -c n | while read -r name; do lightc delete --force "$name"; done
lightc image delete split
assert_fails "not found" lightc delete s1
assert_eq "$(lightc list --format csv)" ""
census diff "$TEST_DIR/set-up"

step "undo everything"
lightc image delete busybox
lightc query -X PUT -d '{"config":{},"devices":{},"description":""}' /1.0/profiles/default >/dev/null
lightc query -X DELETE /1.0/networks/lightbr0 >/dev/null
lightc query -X DELETE /1.0/storage-pools/default >/dev/null
census diff "$TEST_DIR/empty"
stop_daemon
