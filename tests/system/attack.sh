#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A hostile guest: what its root writes, mounts, opens and names must change nothing outside it.
. "$(dirname "$0")/../lib/lib.sh"

start_ready_daemon
lightc launch busybox plain >/dev/null
lightc launch busybox nested -c security.nesting=true >/dev/null
lightc launch busybox root -c security.privileged=true >/dev/null
in_guest() { lightc exec "$1" -- sh -s; } # the script comes on stdin

# Every file that opens for writing belongs to a namespace of the guest's. Appending nothing changes nothing.
writable() {
        in_guest "$1" <<'EOF'
mkdir -p /mnt/sys
mount -t sysfs sysfs /mnt/sys
{ find /proc -path '/proc/[0-9]*' -prune -o -type f -print; find /sys /mnt/sys -type f '(' -perm -0002 -o -user 0 ')'; } 2>/dev/null |
while read -r f; do { true >>"$f"; } 2>/dev/null && echo "$f"; done
umount /mnt/sys
EOF
}
own='^/proc/(self|thread-self|sys/net|sys/user|sys/fs/mqueue|pressure)/'
own+='|^/proc/sys/kernel/(auto_msgmni|msg.*|sem.*|shm.*|ns_last_pid|pid_max|hostname|domainname)$'
own+='|^(/mnt)?/sys/(devices/virtual/net|class/net)/|^/sys/fs/cgroup/(cgroup\.(procs|threads|subtree_control)|memory\.(oom\.group|reclaim))$'
for guest in plain nested; do
        step "$guest: /proc and /sys"
        list=$(writable "$guest")
        assert_contains "$list" /proc/sys/kernel/shmmax
        assert_eq "$(grep -Ev "$own" <<<"$list" || true)" "" "writable in $guest"
done

for guest in plain nested; do
        step "$guest: devices, mounts, clock, kernel"
        got=$(in_guest "$guest" 2>&1 <<'EOF'
PATH=/bin:/sbin
mkdir -p /mnt/cg
refused() { "$@" >/dev/null 2>&1 && echo "succeeded: $*"; }
for n in "c 1 1" "c 1 3" "c 1 11" "c 10 237" "b 7 0" "b 254 0"; do refused mknod /root/node $n; done
for t in devtmpfs debugfs tracefs securityfs configfs pstore efivarfs ext4; do refused mount -t $t x /mnt; done
refused mount -o remount,dev /
refused umount /dev/null
date -s 2020-01-01 >/dev/null 2>&1; [ "$(date +%Y)" != 2020 ] || echo "the clock was set"
refused dmesg
refused swapoff -a /dev/null
for h in memory devices cpu cpuset freezer pids blkio name=systemd; do
        mount -t cgroup -o $h x /mnt/cg 2>/dev/null || continue
        for f in /mnt/cg/*; do { true >>"$f"; } 2>/dev/null && echo "writable in $h: $f"; done
        umount /mnt/cg
done
grep -q '^0*[1-9a-f]' /proc/kallsyms && echo "kernel addresses"
[ "$(ls -i -d / | cut -d/ -f1)" = "$(ls -i -d /.. | cut -d/ -f1)" ] || echo "something above the root"
for f in /proc/1/fd/*; do [ "$(readlink "$f")" = /dev/console ] || echo "init has $(readlink "$f")"; done
true
EOF
        )
        assert_eq "$got" "" "in $guest"
done

# Not of "nested": the kernel shows the directory behind a bind mount, and its engines' directories are some.
step "no name of the host's in the guest's mounts, environment, cgroups"
for guest in plain root; do
        got=$(in_guest "$guest" <<<'cat /proc/self/mountinfo /proc/self/cgroup /proc/1/cgroup; tr "\0" "\n" </proc/1/environ')
        for secret in "$TEST_DIR" "$LIGHTD_DIR" /run/lightd "lightd-$DID" "$BIN"; do
                assert_lacks "$got" "$secret"
        done
done

step "a guest's nodes are its own, what is covered is not the host's"
before=$(stat -c '%a %u:%g %n' /dev/null /dev/full /dev/tty)
for guest in plain nested root; do in_guest "$guest" >/dev/null 2>&1 <<'EOF' || true
chmod 640 /dev/null /dev/full /proc/interrupts /proc/keys /proc/timer_list
chown 7:7 /dev/tty
EOF
done
after=$(stat -c '%a %u:%g %n' /dev/null /dev/full /dev/tty)
assert_eq "$after" "$before"
assert_eq "$(in_guest root <<<'stat -c %a /dev/full')" 640
got=$(in_guest root 2>&1 <<'EOF'
for n in "c 1 1" "c 1 11" "c 10 237" "b 7 0"; do
        mknod /root/node $n && head -c 1 /root/node >/dev/null 2>&1 && echo "opened $n"
        rm -f /root/node
done
{ echo x >/proc/sys/kernel/core_pattern; } 2>/dev/null && echo core_pattern
true
EOF
)
assert_eq "$got" ""

step "names on terminals"
in_guest plain <<'EOF'
name=$(printf '\033[31mX\302\233')
ip link add "$name" type bridge && ip addr add 10.9.9.9/24 dev "$name" && ip link set "$name" up
EOF
shows() { lightc list plain | grep -q 10.9.9.9; }
wait_for shows
assert_lacks "$(lightc list plain; lightc info plain)" $'\033'
assert_contains "$(lightc info plain)" '\x1b[31mX\x9b'
assert_status 127 lightc exec plain -- $'\033[2J'
assert_contains "$output" '\x1b[2J'
assert_lacks "$output" $'\033'

step "files that are not files"
in_guest plain <<<'mkfifo /root/fifo; ln -s /dev/zero /root/zero; ln -s /proc/kmsg /root/kmsg'
for f in root/fifo dev/zero proc/kmsg; do
        assert_fails '' lightc file pull "plain/$f" -
done
for f in root/fifo root/zero proc/sys/kernel/core_pattern; do
        assert_fails '' lightc file push "$0" "plain/$f"
done

step "a guest that breaks its own house is stopped all the same"
in_guest plain >/dev/null 2>&1 <<'EOF' || true
exec >/dev/null 2>&1 # or what stays in the background keeps the command's output open
for i in 1 2 3 4 5 6 7 8 9; do sh -c 'trap "" TERM HUP INT PWR; while :; do sleep 1000; done' & done
mkdir /sys/fs/cgroup/ice && sleep 1000 & echo $! >/sys/fs/cgroup/ice/cgroup.procs
echo 1 >/sys/fs/cgroup/ice/cgroup.freeze
d=/sys/fs/cgroup; for i in $(seq 50); do d=$d/d; mkdir $d; done
for i in $(seq 200); do mkdir /sys/fs/cgroup/w$i; done
umount -l /dev/pts; mount -t tmpfs x /dev/pts; rm -f /dev/ptmx; umount -l /sys
EOF
lightc stop -f plain
assert_eq "$(state_of plain)" STOPPED
lightc start plain
lightc exec plain -- true
step "processes have a limit even when nobody set one"
limits=$(cat /sys/fs/cgroup/pids/lightd-"$DID"/*/payload/pids.max /sys/fs/cgroup/lightd-"$DID"/*[0-9]/pids.max 2>/dev/null) || true
assert_lacks "$limits" max

step "the daemon is whole"
stop_daemon
