#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A system of 32 bits on a kernel of 64 is told the machine it was made for, by its init and by what is run in it; another
# one beside it is told the truth. The programs are the native ones: what they are told is the kernel's doing.
. "$(dirname "$0")/../lib/lib.sh"
[ "$(uname -m)" = x86_64 ] || skip "needs x86_64"

start_ready_daemon
mkdir "$TEST_DIR/meta"
tar -C "$TEST_DIR/meta" -xf "$BUSYBOX_META"
sed -i 's/^architecture: .*/architecture: i386/' "$TEST_DIR/meta/metadata.yaml"
tar -C "$TEST_DIR/meta" -cJf "$TEST_DIR/meta.tar.xz" metadata.yaml
lightc image import "$TEST_DIR/meta.tar.xz" "$BUSYBOX_ROOTFS" --alias small

personality_of() { lightc exec "$1" -- cat /proc/1/personality; }

step "init and commands of a 32-bit system"
lightc launch small c1
assert_eq "$(lightc list c1 --format csv -c a)" i686
assert_eq "$(lightc exec c1 -- uname -m)" i686
assert_eq "$(personality_of c1)" 00000008
lightc restart --force c1
assert_eq "$(lightc exec c1 -- uname -m)" i686

step "a copy of it, and a system of 64 bits beside it"
lightc stop --force c1
lightc copy c1 c2
lightc start c2
assert_eq "$(lightc exec c2 -- uname -m)" i686
lightc launch busybox c3
assert_eq "$(lightc exec c3 -- uname -m)" x86_64
assert_eq "$(personality_of c3)" 00000000
lightc delete --force c1 c2 c3
stop_daemon
