#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The walls of an unprivileged container, tried from inside by a program that knows no restraint: every system call by
# its number, every file of /proc and /sys, paths that change while they are entered, programs that are overwritten.
. "$(dirname "$0")/../lib/lib.sh"
PROBE=$(dirname "$BIN")/tests/guest-probe

in_guest() { lightc exec c1 -T -- "$@"; }
# The values of the host's settings; what moves by itself is left out.
host_settings() {
        { find /proc/sys -type f ! -path '*/kernel/random/*' ! -path '*/fs/*-state' ! -path '*/fs/*-nr' ! -name ns_last_pid \
                ! -path '*/fs/quota/*' ! -path '*/pty/nr' ! -name nf_conntrack_count ! -name 'perf_*' ! -name tainted \
                ! -path '*/binfmt_misc/*' -exec grep -H . {} + 2>/dev/null || true; } | sort
        stat -c '%n %a %u:%g %t,%T' /dev/null /dev/zero /dev/full /dev/tty /dev/urandom
        hostname
}

# What is refused, by name and the number it has in each ABI: runtime/seccomp.c.
refused() {
        cat <<'END'
kexec_load              246 283 ENOSYS
kexec_file_load         320 -   ENOSYS
init_module             175 128 ENOSYS
finit_module            313 350 ENOSYS
delete_module           176 129 ENOSYS
open_by_handle_at       304 342 ENOSYS
nfsservctl              180 169 ENOSYS
swapon                  167 87  EPERM
swapoff                 168 115 EPERM
acct                    163 51  EPERM
settimeofday            164 79  EPERM
clock_settime           227 264 EPERM
clock_settime64         -   404 EPERM
stime                   -   25  EPERM
iopl                    172 110 EPERM
ioperm                  173 101 EPERM
lookup_dcookie          212 253 EPERM
syslog                  103 103 EPERM
perf_event_open         298 336 EPERM
quotactl                179 131 EPERM
quotactl_fd             443 443 EPERM
userfaultfd             323 374 EPERM
bpf                     321 357 EPERM
umount2_with_force      166 52  EACCES
END
}
# What engines, systemd and sandboxes inside need: it gets as far as the kernel.
allowed() {
        cat <<'END'
unshare 272 310
mount 165 21
pivot_root 155 217
fsopen 430 430
move_mount 429 429
keyctl 250 288
add_key 248 286
io_uring_setup 425 425
seccomp 317 354
clone3 435 435
END
}
answer() { awk -v abi="$1" -v number="$2" '$1 == abi && $2 == number { print $3 }' "$TEST_DIR/calls"; }

start_ready_daemon
lightc launch busybox c1 >/dev/null
wait_for guest_is_up c1
lightc file push "$PROBE" c1/bin/probe --mode 755
host_settings >"$TEST_DIR/before"

step "every system call"
status=0
in_guest probe calls >"$TEST_DIR/calls" || status=$?
[ "$status" = 77 ] && skip "the probe knows x86 only"
assert_eq "$status" 0
has_i386=true
[ "$(answer i386 20)" = 0 ] || has_i386=false # getpid
while read -r name native i386 wanted; do
        [ "$native" = - ] || assert_eq "$(answer x86_64 "$native")" "$wanted" "$name"
        [ "$i386" = - ] || ! $has_i386 || assert_eq "$(answer i386 "$i386")" "$wanted" "$name of i386"
done < <(refused)
while read -r name native i386; do
        [[ ! $(answer x86_64 "$native") =~ ^(ENOSYS|EPERM|)$ ]] || fail "$name is refused: $(answer x86_64 "$native")"
        ! $has_i386 || [[ ! $(answer i386 "$i386") =~ ^(ENOSYS|EPERM|)$ ]] || fail "$name of i386 is refused"
done < <(allowed)
assert_eq "$(awk '$1 == "x32" { print $3 }' "$TEST_DIR/calls" | sort -u)" ENOSYS "x32"
in_guest true

step "what opens for writing is the guest's own"
for dir in /proc /sys; do in_guest probe writable "$dir"; done | grep -vE '^/proc/[0-9]+/' | sort -u >"$TEST_DIR/writable"
own='^/proc/sys/(net|fs/mqueue|user)/|^/proc/sys/kernel/(auto_msgmni|(msg|sem|shm)_next_id|msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|ns_last_pid|pid_max)$|^/proc/pressure/(cpu|io|memory|irq)$|^/sys/devices/virtual/net/'
assert_eq "$(grep -vE "$own" "$TEST_DIR/writable" || true)" "" "files of the host's"
[ "$(wc -l <"$TEST_DIR/writable")" -gt 100 ] || fail "the probe has looked at nothing"
assert_eq "$(in_guest probe writable /sys/fs/cgroup | grep -vE '/(cgroup\.(procs|threads|subtree_control)|memory\.(oom\.group|reclaim))$' || true)" "" "limits of its own"

step "what it changes there does not change the host"
in_guest probe change /proc/sys >"$TEST_DIR/changed"
[ "$(wc -l <"$TEST_DIR/changed")" -gt 50 ] || fail "the probe has changed nothing"
host_settings >"$TEST_DIR/after"
diff "$TEST_DIR/before" "$TEST_DIR/after" || fail "settings of the host changed"

step "nodes, files and file systems of the host"
got=$(in_guest sh 2>/dev/null <<'END'
for node in "c 1 1" "c 1 2" "c 1 4" "c 1 11" "c 4 64" "c 10 63" "c 10 237" "c 10 232" "b 1 0" "b 7 0" "b 8 0" "b 254 0"; do
        mknod /tmp/node $node && echo "made $node"
        rm -f /tmp/node
done
for file in /proc/kcore /proc/kmsg /proc/sysrq-trigger /proc/sched_debug /sys/kernel/debug /sys/firmware/efi /dev/mem /dev/kmsg; do
        head -c 1 "$file" 2>/dev/null | grep -q . && echo "read $file"
        { echo h >"$file"; } 2>/dev/null && [ -c "$file" -o "$file" = /proc/sysrq-trigger ] && echo "wrote $file"
done
awk '$1 !~ /^0+$/ { print "kallsyms shows addresses"; exit }' /proc/kallsyms
for type in ext4 xfs btrfs squashfs vfat debugfs tracefs securityfs pstore efivarfs configfs; do
        mount -t $type /dev/null /mnt && echo "mounted $type"
done
END
) || true
assert_eq "$got" ""

step "paths that change while they are entered"
echo secret >"$TEST_DIR/secret"
lightc exec c1 -T -- sh -c 'mkdir -p /flip/dir; cd /flip
        while [ ! -e /stop ]; do
                ln -sfn / way; ln -sfn dir way; rm -rf way; mkdir -p way; rm -rf way; ln -s ../../../../../.. way
        done' &
flipping=$!
echo pushed >"$TEST_DIR/pushed"
for _ in $(seq 60); do
        lightc file push "$TEST_DIR/pushed" "c1/flip/way$TEST_DIR/secret" >/dev/null 2>&1 || true
        lightc file pull "c1/flip/way$TEST_DIR/secret" "$TEST_DIR/pulled" >/dev/null 2>&1 || true
        lightc exec c1 -T --cwd "/flip/way" -- true >/dev/null 2>&1 || true
        ! grep -q secret "$TEST_DIR/pulled" 2>/dev/null || fail "a file of the host was read"
done
assert_eq "$(cat "$TEST_DIR/secret")" secret "a file of the host"
in_guest touch /stop
wait "$flipping"

step "a program that overwrites who enters"
before=$(sha256sum "$BIN/lightrun")
lightc file push - c1/bin/trap --mode 755 <<'END'
#!/proc/self/exe
END
lightc exec c1 -T -- sh -c 'while [ ! -e /stop2 ]; do
        for exe in /proc/[0-9]*/exe; do { echo overwritten >"$exe"; } 2>/dev/null && case $(readlink "$exe") in /bin/*) ;; *) echo "$exe" >>/hit;; esac; done
done' 2>/dev/null &
overwriting=$!
for _ in $(seq 20); do
        lightc exec c1 -T -- /bin/trap >/dev/null 2>&1 || true
        lightc exec c1 -T -- /proc/self/exe --help >/dev/null 2>&1 || true
done
lightc exec c1 -T -- touch /stop2
wait "$overwriting" || true
assert_eq "$(sha256sum "$BIN/lightrun")" "$before" "the program that enters"
assert_eq "$(in_guest sh -c 'cat /hit 2>/dev/null' || true)" "" "programs that opened"

step "the host is as it was"
host_settings | diff "$TEST_DIR/before" - || fail "settings of the host changed"
lightc delete --force c1
check_log
stop_daemon
