#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk that is full while an image comes in, while a layer is unpacked, while something is stored, and inside a
# guest: sentences, nothing half done, and all goes on when there is room again.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq mkfs.ext4 fallocate

fill() { # leaves some kilobytes
        local free
        free=$(df -Pk "$LIGHTD_DIR" | awk 'NR == 2 { print $4 }')
        fallocate -l $(((free - ${1:-0}) * 1024)) "$LIGHTD_DIR/filler" 2>/dev/null ||
                head -c $(((free - ${1:-0}) * 1024)) /dev/zero >"$LIGHTD_DIR/filler" || true
        [ "${1:-0}" != 0 ] || dd if=/dev/zero of="$LIGHTD_DIR/filler2" bs=1k 2>/dev/null || true
}
room() { rm -f "$LIGHTD_DIR/filler" "$LIGHTD_DIR/filler2"; }

truncate -s 96M "$TEST_DIR/disk"
mkfs.ext4 -q -m 0 "$TEST_DIR/disk"
mkdir "$LIGHTD_DIR"
mount -o loop "$TEST_DIR/disk" "$LIGHTD_DIR"
on_exit "kill_daemon; umount -l $LIGHTD_DIR"
busybox_image
start_daemon
lightd init --auto >/dev/null
lightc image import "$BUSYBOX_IMAGE" --alias busybox >/dev/null
lightc launch busybox warm >/dev/null
lightc init busybox stopped
wait_for guest_is_up warm
census save "$TEST_DIR/before"

step "an image that does not fit"
head -c 12000000 /dev/urandom >"$TEST_DIR/random"
big() { cp "$TEST_DIR/random" "$1/root/random"; }
make_image "$TEST_DIR/big.tar.xz" big
fill 4000
assert_fails "space" lightc image import "$TEST_DIR/big.tar.xz" --alias big
assert_eq "$(lightc image list --format csv | wc -l)" 1
room
census diff "$TEST_DIR/before"

step "an image whose layer does not fit"
lightc image import "$TEST_DIR/big.tar.xz" --alias big >/dev/null
fill 6000
assert_fails "space" lightc launch big c1
assert_eq "$(state_of c1)" ""
room
lightc launch big c1 >/dev/null
lightc delete -f c1
lightc image delete big
census diff "$TEST_DIR/before"

step "what is stored: the daemon has a reserve, or says that the disk is full, and lives"
fill
for i in 1 2 3; do
        lightc config set stopped user.try=$i >"$TEST_DIR/out" 2>&1 || assert_contains "$(cat "$TEST_DIR/out")" "space"
done
assert_eq "$(state_of warm)" RUNNING
assert_eq "$(lightc exec warm -- echo alive)" alive
assert_fails "space" lightc exec warm -- dd if=/dev/zero of=/root/x bs=1M count=1
kill_daemon
start_daemon
assert_eq "$(state_of warm)" RUNNING
room
lightc exec warm -- rm -f /root/x
lightc config set stopped user.try=4
assert_eq "$(lightc config get stopped user.try)" 4
lightc launch busybox c2 >/dev/null
assert_eq "$(lightc exec c2 -- hostname)" c2

step "stop and delete on a full disk"
fill
lightc stop -f c2
lightc delete c2 || { room && lightc delete c2; }
room
lightc delete -f warm
lightc delete stopped
stop_daemon
