#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the machine: the Debian packages are installed, upgraded under running containers, removed, installed again, purged.
set -eu
poll=0.2 WAIT_LIMIT=300
fail() { echo "FAILED: $*"; journalctl -u lightd -u lightd-containers --no-pager -n 40; exit 1; }
step() { echo "== $*"; }
assert_eq() { [ "$1" = "$2" ] || fail "${3:-}: got \"$1\", wanted \"$2\""; }
wait_for() {
        local end=$((SECONDS + WAIT_LIMIT))
        until "$@" >/dev/null 2>&1; do
                [ "$SECONDS" -lt "$end" ] || fail "not true after $WAIT_LIMIT s: $*"
                sleep "$poll"
        done
}
pids() { lightc list --format json | jq -c '[.[].state.pid]'; }
no_process_is_left() { ! pgrep -x 'lightd|lightrun|dnsmasq'; }
is_clean() {
        no_process_is_left && ! ip link show lightbr0 && ! nft list tables | grep -q lightd_ &&
                [ -z "$(ls -d /sys/fs/cgroup/lightd-* 2>/dev/null)" ] && ! grep -q /run/lightd/ /proc/self/mountinfo &&
                ! grep -q lightd-container /sys/kernel/security/apparmor/profiles
}

export DEBIAN_FRONTEND=noninteractive
step "install"
dpkg -i debs/lightvisor-client_*.deb debs/lightvisor_*.deb
assert_eq "$(systemctl is-active lightd.socket)" active "the socket"
assert_eq "$(systemctl is-enabled lightd.socket lightd-containers.service | sort -u)" enabled "the units"
lightd init --auto
lightc image import busybox.tar.xz --alias busybox
for i in 1 2 3 4 5; do lightc launch busybox "c$i"; done

step "upgrade under running containers"
before=$(pids)
api() { curl -s --unix-socket /var/lib/lightd/unix.socket "$@"; }
lightc exec c1 -T -- mkfifo /go
operation=$(api -X POST -d '{"command": ["sh", "-c", "echo begun; read -r word </go; echo over; exit 7"],
        "record-output": true, "wait-for-websocket": false, "interactive": false}' http://x/1.0/instances/c1/exec | jq -r .operation)
old=$(systemctl show -p MainPID --value lightd)
dpkg -i debs-next/lightvisor-client_*.deb debs-next/lightvisor_*.deb
assert_eq "$(dpkg-query -W -f '${Version}' lightvisor | grep -c '+next$')" 1 "the new version"
wait_for lightc list
[ "$(systemctl show -p MainPID --value lightd)" != "$old" ] || fail "the daemon is still the old one"
assert_eq "$(pids)" "$before" "the containers' first processes"
lightc exec c1 -T -- sh -c "echo on >/go"
ended() { [ "$(api "http://x$operation" | jq .metadata.metadata.return)" = 7 ]; }
wait_for ended
assert_eq "$(lightc exec c5 -T -- echo well)" well

step "remove: nothing of it in the kernel, its files stay"
dpkg -r lightvisor
wait_for is_clean
[ -d /var/lib/lightd/database ] || fail "the state is gone after a mere removal"

step "again: the same containers"
dpkg -i debs-next/lightvisor_*.deb
wait_for lightc list
assert_eq "$(lightc list --format csv -c n | wc -l)" 5 "containers"
lightc start c2 2>/dev/null || true
wait_for lightc exec c2 -T -- true

step "purge"
dpkg -P lightvisor lightvisor-client
wait_for is_clean
for path in /var/lib/lightd /var/log/lightd /run/lightd /etc/logrotate.d/lightvisor /usr/bin/lightd /usr/bin/lightc \
        /usr/libexec/lightd /etc/systemd/system/sockets.target.wants/lightd.socket; do
        [ ! -e "$path" ] || fail "$path is left"
done
! getent group lightd || fail "the group is left"
echo "package: passed"
