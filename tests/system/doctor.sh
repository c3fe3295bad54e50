#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The doctor: without a daemon and with one, as root and as somebody, on a host that has everything and one that lacks
# something; each finding that is not "ok" has what mends it.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq setpriv

verdict() { jq -r ".[] | select(.check == \"$1\") | .status" "$TEST_DIR/report"; }
found() { jq -r ".[] | select(.check == \"$1\") | .found" "$TEST_DIR/report"; }
fix() { jq -r ".[] | select(.check == \"$1\") | .fix" "$TEST_DIR/report"; }
examine() { # wanted status
        local status=0
        lightc doctor --format json >"$TEST_DIR/report" || status=$?
        assert_eq "$status" "$1" "exit status of the doctor"
        assert_eq "$(jq '[.[] | select(.status != "ok" and .status != "warn" and .status != "fail")] | length' "$TEST_DIR/report")" 0
        assert_eq "$(jq '[.[] | select(.found == "")] | length' "$TEST_DIR/report")" 0 "findings without a word"
        assert_eq "$(jq '[.[] | select(.status == "fail" and .fix == "")] | length' "$TEST_DIR/report")" 0 "failures without a remedy"
}

step "no daemon"
examine 1
assert_eq "$(verdict daemon)" fail
assert_contains "$(fix daemon)" "systemctl start lightd"

step "a daemon, and what is tried works"
start_ready_daemon
examine 0
for check in kernel namespaces cgroups ids mapped-mounts overlay bridge nft dnsmasq disk clock daemon; do
        assert_eq "$(verdict "$check")" ok "$check"
done
assert_contains "$(found mapped-mounts)" "takes them"
assert_contains "$(found daemon)" "$LIGHTD_SOCKET"
assert_contains "$(lightc doctor)" "0 failed"
for format in table compact csv yaml; do lightc doctor --format "$format" >/dev/null; done

step "programs that are not there"
touch "$TEST_DIR/none"
covered=()
for program in nft dnsmasq mmdebstrap; do
        ! path=$(command -v "$program") || covered+=("$path") # where it is not installed, that is the case already
done
for path in "${covered[@]}"; do mount --bind "$TEST_DIR/none" "$path"; done
examine 1
assert_eq "$(verdict nft) $(verdict dnsmasq) $(verdict mmdebstrap)" "fail fail warn"
assert_contains "$(fix dnsmasq)" "apt-get install dnsmasq-base"
for path in "${covered[@]}"; do umount "$path"; done

step "a full disk, a file system that maps no ids"
mkdir "$TEST_DIR/tiny"
mount -t tmpfs -o size=1m,nr_inodes=40 tmpfs "$TEST_DIR/tiny"
LIGHTD_SOCKET=$TEST_DIR/tiny/unix.socket examine 1
assert_eq "$(verdict disk)" fail
LIGHTD_SOCKET=/proc/unix.socket examine 1
assert_eq "$(verdict mapped-mounts)" fail
assert_contains "$(fix mapped-mounts)" ext4

step "somebody who is not root, and not in the group"
chmod 711 "$TEST_DIR" "$LIGHTD_DIR"
got=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/lightc" doctor 2>&1 || true)
assert_contains "$got" "only root can try it"
assert_contains "$got" "root"
stop_daemon
