#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# AppArmor is a second wall: init and commands run in the profile of their kind of container, and it denies what the host's
# own permissions would have let through. Where the kernel has none, all works without.
. "$(dirname "$0")/../lib/lib.sh"
start_ready_daemon
is_on() { [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; }
feature() { api GET /1.0 | jq -r .metadata.environment.kernel_features.apparmor; }
examine() { lightc doctor --format json || true; } # what else this host lacks is not the question
label() { lightc exec "$1" -T -- cat "/proc/${2:-self}/attr/current"; }

if ! is_on; then
        step "without AppArmor: told, and no hindrance"
        assert_eq "$(feature)" false
        verdict=ok # a kernel that has none
        [ ! -e /sys/module/apparmor/parameters/enabled ] || verdict=warn
        assert_eq "$(examine | jq -r '.[] | select(.check == "apparmor").status')" $verdict
        lightc launch busybox c1
        lightc exec c1 -T -- true
        stop_daemon
        exit
fi
assert_eq "$(feature)" true
assert_eq "$(examine | jq -r '.[] | select(.check == "apparmor").status')" ok

step "each kind has its profile, for init and for commands"
lightc launch busybox plain
lightc launch busybox nest -c security.nesting=true
lightc launch busybox priv -c security.privileged=true
assert_eq "$(label plain 1)" "lightd-container (enforce)"
assert_eq "$(label plain)" "lightd-container (enforce)" "a command"
assert_eq "$(lightc exec plain -T --user 1000 -- cat /proc/self/attr/current)" "lightd-container (enforce)" "a user's command"
assert_eq "$(label nest 1) $(label nest)" "lightd-container-nesting (enforce) lightd-container-nesting (enforce)"
assert_eq "$(label priv 1)" "lightd-container-privileged (enforce)"

step "nobody leaves it"
for word in "changeprofile unconfined" "changeprofile lightd-container-nesting"; do
        assert_fails "" lightc exec plain -T -- sh -c "printf '%s' '$word' >/proc/self/attr/current"
done
assert_eq "$(label plain)" "lightd-container (enforce)"

step "the host's file systems are not mounted"
for c in plain priv; do lightc exec $c -T -- mkdir -p /mnt; done
for type in debugfs tracefs securityfs; do
        assert_fails "ermission denied" lightc exec plain -T -- sh -c "mount -t $type $type /mnt || exit 1"
        assert_fails "ermission denied" lightc exec priv -T -- sh -c "mount -t $type $type /mnt || exit 1"
done
lightc exec plain -T -- mount -t tmpfs tmpfs /mnt

step "a privileged root that makes /proc/sys writable changes nothing of the host"
before=$(cat /proc/sys/vm/swappiness)
lightc exec priv -T -- mount -o remount,rw,bind /proc/sys
assert_fails "ermission denied" lightc exec priv -T -- sh -c 'echo 11 >/proc/sys/vm/swappiness'
assert_fails "ermission denied" lightc exec priv -T -- sh -c 'echo core2 >/proc/sys/kernel/core_pattern'
assert_eq "$(cat /proc/sys/vm/swappiness)" "$before"
lightc exec priv -T -- sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo renamed >/proc/sys/kernel/hostname'

step "what works still: signals, restarts, a daemon that starts anew"
lightc exec plain -T -- sh -c 'tail -f /dev/null & kill -0 1 && kill $!'
lightc restart --force plain
assert_eq "$(label plain 1)" "lightd-container (enforce)"
kill_daemon
start_daemon
assert_eq "$(label plain)" "lightd-container (enforce)"
lightc delete --force plain nest priv
stop_daemon
