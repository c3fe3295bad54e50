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
for check in kernel namespaces cgroups ids mapped-mounts overlay controllers bridge nft dnsmasq disk pool daemon permission group daemon-files; do
        assert_eq "$(verdict "$check")" ok "$check"
done
assert_contains "$(found mapped-mounts)" "takes them"
assert_contains "$(found daemon)" "$LIGHTD_SOCKET"
assert_contains "$(found daemon-files)" containers
assert_eq "$(jq -r '.[] | select(.check == "pool") | .subject' "$TEST_DIR/report")" default
for check in ids pid-max file-max files aio inotify keys; do
        assert_contains "$(found "$check")" container
done
assert_contains "$(found dnsmasq)" version
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
cp "$BIN/lightc" "$TEST_DIR/lightc-of-all"
chmod 711 "$TEST_DIR" "$LIGHTD_DIR"
somebody() { timeout 20 setpriv --reuid 65534 --regid 65534 "${as[@]}" env ASAN_OPTIONS=detect_leaks=0 "$TEST_DIR/lightc-of-all" "$@" </dev/null; }
as=(--clear-groups)
got=$(somebody doctor 2>&1 || true)
assert_contains "$got" "only root can try it"
assert_contains "$got" "root"

for file in site.conf busybox.tar.xz; do echo "what an example sends" >"$TEST_DIR/home/$file"; done
chmod -R a+rX "$TEST_DIR/home"

# The socket as each of them finds it, and what every command of the table says then: its example, by somebody.
examples() { "$BIN/lightc" --dump | jq -r '.commands[] | select(.group | not) | .example | split("\n")[0]'; }
every_command() { # first line of the error, hint
        local line got n=0
        while IFS= read -r line; do
                [[ $line == lightc\ * && $line != *[\|\<\>\$]* ]] || continue
                case $line in
                        # what asks no daemon, or only looks
                        "lightc doctor"* | "lightc alias"* | "lightc completion"* | "lightc version"* | "lightc help"* | "lightc remote"*) continue ;;
                esac
                eval "words=(${line#lightc })"
                got=$(cd "$TEST_DIR/home" && somebody "${words[@]}" 2>&1) && fail "\"$line\" succeeded: $got"
                [[ $got == *"$1"* ]] || fail "\"$line\" does not say \"$1\": $got"
                [[ $got == *"$2"* ]] || fail "\"$line\" does not say \"$2\": $got"
                n=$((n + 1))
        done < <(examples)
        [ "$n" -ge 40 ] || fail "only $n commands were tried"
        echo "$n of $(examples | wc -l) commands"
        cp -u "$BIN/lightd" "$TEST_DIR/lightd-of-all"
        got=$(timeout 20 setpriv --reuid 65534 --regid 65534 "${as[@]}" env ASAN_OPTIONS=detect_leaks=0 "$TEST_DIR/lightd-of-all" init --dump 2>&1) && fail "lightd init --dump succeeded"
        [[ $got == *"$1"* ]] || fail "lightd init --dump does not say \"$1\": $got"
}

step "every command: no permission"
chmod 600 "$LIGHTD_SOCKET"
chown 0:0 "$LIGHTD_SOCKET"
every_command "You are not allowed to use the daemon's socket" "only root may use it"
step "every command: not in the group"
chgrp 1 "$LIGHTD_SOCKET"
chmod 660 "$LIGHTD_SOCKET"
every_command "You are not allowed to use the daemon's socket" "usermod -aG $(getent group 1 | cut -d: -f1)"
got=$(somebody doctor 2>&1 || true)
assert_contains "$got" "fail  permission"
assert_contains "$got" "warn  group"
step "in the group"
as=(--groups 1)
assert_contains "$(somebody doctor 2>&1 || true)" "as you do"
stop_daemon
step "every command: no daemon behind the socket, and no socket"
as=(--clear-groups)
chmod 666 "$LIGHTD_SOCKET"
every_command "The daemon is not running: nobody answers" "systemctl start lightd"
rm -f "$LIGHTD_SOCKET"
every_command "The daemon is not running: there is no socket" "systemctl start lightd"
