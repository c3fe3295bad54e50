#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# boot.sh first|second, in the machine with the packages installed and /var/lib/lightd on the disk that stays: the host's
# own boot starts the units, nothing is started by hand; the next boot has the same containers running by itself.
set -eu
poll=0.2 WAIT_LIMIT=400
fail() { echo "FAILED: $*"; systemctl --no-pager status lightd.socket lightd lightd-containers; journalctl -b -u lightd -u lightd-containers --no-pager -n 40; exit 1; }
step() { echo "== $*"; }
assert_eq() { [ "$1" = "$2" ] || fail "${3:-}: got \"$1\", wanted \"$2\""; }
wait_for() {
        local end=$((SECONDS + WAIT_LIMIT))
        until "$@" >/dev/null 2>&1; do
                [ "$SECONDS" -lt "$end" ] || fail "not true after $WAIT_LIMIT s: $*"
                sleep "$poll"
        done
}
is_active() { [ "$(systemctl is-active "$@" | sort -u)" = active ]; }
label() { lightc exec "$1" -T -- cat /proc/1/attr/current; }
states() { lightc list --format csv -c ns | sort | tr '\n' ' '; }
same_set_runs() { [ "$(states)" = "idle,STOPPED never,STOPPED ran,RUNNING " ]; }

# No client has spoken to the socket yet: what is active was started by the boot.
step "the boot has started the units"
assert_eq "$(findmnt -no TARGET /var/lib/lightd)" /var/lib/lightd "the disk that stays"
wait_for is_active lightd.socket lightd.service lightd-containers.service
assert_eq "$(stat -c '%a %G' /var/lib/lightd/unix.socket)" "660 lightd" "the socket"
grep -q '^lightd-container (enforce)' /sys/kernel/security/apparmor/profiles || fail "the profiles are not loaded"

first() {
        lightd init --auto
        lightc image import busybox.tar.xz --alias busybox
        for name in ran idle; do lightc launch busybox $name; done
        lightc launch busybox never -c boot.autostart=false
        lightc stop --force idle
        assert_eq "$(label ran)" "lightd-container (enforce)" "the profile"
        step "what doctor says of a stock host"
        lightc doctor || true
        assert_eq "$(lightc doctor --format json | jq -r '.[] | select(.status == "fail").check')" "" "failed checks"
        for check in kernel namespaces cgroups controllers mapped-mounts overlay apparmor bridge nft dnsmasq lxcfs daemon permission; do
                assert_eq "$(lightc doctor --format json | jq -r ".[] | select(.check == \"$check\").status")" ok "$check"
        done
}

second() {
        wait_for same_set_runs
        assert_eq "$(label ran)" "lightd-container (enforce)" "the profile"
        lightc delete --force ran idle never
        lightc image delete busybox
}

"$1"
echo "boot: $1 passed"
