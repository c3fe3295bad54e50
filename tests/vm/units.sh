#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# units.sh first|second, in the machine: the programs and units as installed. Containers live through what becomes of
# their daemon, end cleanly with the host and are back at its next start.
set -eu
poll=0.2
WAIT_LIMIT=400
fail() { echo "FAILED: $*"; journalctl -u lightd -u lightd-containers --no-pager -n 60; exit 1; }
step() { echo "== $*"; }
wait_for() {
        local end=$((SECONDS + WAIT_LIMIT))
        until "$@" >/dev/null 2>&1; do
                [ "$SECONDS" -lt "$end" ] || fail "not true after $WAIT_LIMIT s: $*"
                sleep "$poll"
        done
}
assert_eq() { [ "$1" = "$2" ] || fail "${3:-}: got \"$1\", wanted \"$2\""; }
pid_of() { lightc query "/1.0/instances/$1/state" | jq .pid; }
has_booted() { [[ $(lightc exec "$1" -T -- systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]; }
has_address() { lightc list "^$1\$" --format csv -c 4 | grep -q eth0; }
all_run() { [ "$(lightc list --format csv -c ns | sort | tr '\n' ' ')" = "b1,RUNNING b2,STOPPED d1,RUNNING " ]; }
no_worker_is_left() { ! pgrep -x lightrun; }
daemon_pid() { systemctl show -p MainPID --value lightd; }

# State on the disk that stays, at its usual place.
mkdir -p /keep/lightd /var/lib/lightd
mount --bind /keep/lightd /var/lib/lightd
cp -a root/. /
ldconfig
systemd-sysusers
systemd-tmpfiles --create
systemctl daemon-reload

first() {
        step "this is a stock kernel"
        assert_eq "$(stat -fc %T /sys/fs/cgroup)" cgroup2fs "the hierarchy"
        assert_eq "$(cat /sys/module/apparmor/parameters/enabled)" Y "AppArmor"
        step "the first command starts the daemon"
        systemctl start lightd.socket
        assert_eq "$(systemctl is-active lightd)" inactive "before the first command"
        assert_eq "$(lightc list --format csv)" "" "instances of a new daemon"
        lightd init --auto
        assert_eq "$(systemctl is-active lightd)" active "after the first command"
        assert_eq "$(stat -c '%a %G' /var/lib/lightd/unix.socket)" "660 lightd" "the socket"
        systemctl enable lightd.socket lightd-containers.service
        systemctl start lightd-containers

        step "busybox and Debian"
        lightc image import busybox.tar.xz --alias busybox
        lightc image import debian.tar.xz --alias debian
        lightc launch busybox b1
        lightc launch busybox b2
        lightc launch debian d1
        wait_for has_booted d1
        assert_eq "$(lightc exec d1 -T -- systemctl --failed --no-legend --plain)" "" "failed units"
        assert_eq "$(lightc exec d1 -T -- systemctl is-system-running)" running "Debian"
        assert_eq "$(lightc exec d1 -T -- cat /proc/1/attr/current)" "lightd-container (enforce)" "Debian's profile"
        wait_for has_address d1
        wait_for has_address b1
        lightc exec d1 -T -- sh -c 'echo kept >/root/note'
        # A unit's end is its system's: it writes only when systemd stops it.
        lightc exec d1 -T -- sh -c 'printf "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecStop=/bin/sh -c \"echo cleanly >/root/ended\"\n" >/etc/systemd/system/witness.service; systemctl start witness'
        lightc stop b2

        local b d
        b=$(pid_of b1) d=$(pid_of d1)
        step "restart, kill -9 and stop of the daemon reach no container"
        systemctl restart lightd
        assert_eq "$(pid_of b1) $(pid_of d1)" "$b $d" "after a restart"
        local old
        old=$(daemon_pid)
        kill -9 "$old"
        wait_for all_run
        [ "$(daemon_pid)" != "$old" ] || fail "the daemon was not started again"
        assert_eq "$(pid_of b1) $(pid_of d1)" "$b $d" "after kill -9"
        systemctl stop lightd
        kill -0 "$b" "$d" || fail "the containers ended with the daemon"
        assert_eq "$(lightc exec b1 -T -- echo alive)" alive "after a stop: the socket wakes it"
        assert_eq "$(pid_of b1) $(pid_of d1)" "$b $d" "after a stop"
        lightc list
}

second() {
        step "the same set is back"
        # What the boot does, had the units been on its disk.
        systemctl enable --now lightd.socket lightd-containers.service
        wait_for all_run
        lightc list
        wait_for has_booted d1
        assert_eq "$(lightc exec d1 -T -- systemctl --failed --no-legend --plain)" "" "failed units after the host's restart"
        assert_eq "$(lightc exec d1 -T -- cat /root/note)" kept "a file of before"
        assert_eq "$(lightc exec d1 -T -- cat /root/ended)" cleanly "how Debian ended"
        lightc delete --force b1 b2 d1
        lightc image delete busybox debian
        systemctl stop lightd-containers lightd lightd.socket
        wait_for no_worker_is_left
}

"$1"
echo "units: $1 passed"
