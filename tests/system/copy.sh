#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copies of stopped instances, on both drivers, by our client and by LXD's: what is on disk and what was configured comes
# along, what makes a machine that machine does not. Moved and renamed; a full disk, a cancelled copy leave nothing.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq lxc getfattr mkfs.ext4

guest() { lightc exec "$1" -T -- sh -c "$2"; }
hwaddr() { lightc query "/1.0/instances/$1" | jq -r '.config["volatile.eth0.hwaddr"]'; }
volatile_of() { lightc query "/1.0/instances/$1" | jq -r ".config[\"volatile.$2\"]"; }

start_ready_daemon
lightc query -X POST -d '{"name": "dirs", "driver": "dir"}' /1.0/storage-pools >/dev/null

for pool in default dirs; do
        step "what is on disk, on $pool"
        lightc launch busybox src -s "$pool" -c user.word=said -c boot.autostart.priority=7 >/dev/null
        wait_for guest_is_up src
        guest src 'rm /bin/tac; echo one >/root/a; ln /root/a /root/b; ln -s a /root/link; mkfifo /root/fifo; mkdir -m 1770 /root/dir
                echo deep >/root/dir/file; chown -R 7:8 /root/dir; cp /bin/busybox /root/tool; chmod 6755 /root/tool
                dd if=/dev/zero of=/root/holes bs=1 count=1 seek=64M 2>/dev/null'
        look='cd /root; stat -c "%n %F %a %u:%g %h %s" . * dir/*; cat a dir/file; readlink link; test ! -e /bin/tac && echo "no tac"; test "$(du -k holes | cut -f1)" -lt 100 && echo sparse'
        wanted=$(guest src "$look")
        assert_fails "only a stopped one can be copied" lightc copy src new
        assert_contains "$output" "lightc stop src"
        lightc stop --force src
        lightc copy src new -c user.word=other -c user.more=1
        assert_eq "$(state_of new)" STOPPED
        lightc start new
        assert_eq "$(guest new "$look")" "$wanted" "the copy"
        assert_contains "$wanted" "no tac"
        guest new 'echo changed >/root/a'
        lightc start src
        assert_eq "$(guest src 'cat /root/a')" one "the source, after the copy was written to"

        step "what was configured, on $pool"
        assert_eq "$(lightc config get new user.word) $(lightc config get new user.more)" "other 1"
        assert_eq "$(lightc config get new boot.autostart.priority)" 7
        [ "$(hwaddr new)" != "$(hwaddr src)" ] || fail "the copy has the source's address"
        [ "$(volatile_of new uuid)" != "$(volatile_of src uuid)" ] || fail "the copy has the source's uuid"
        assert_eq "$(volatile_of new base_image)" "$(volatile_of src base_image)"

        step "by LXD's client, on $pool"
        lightc stop --force src
        lxc copy src theirs 2>&1
        lxc copy src without --no-profiles -d root,size=1GiB -s "$pool" >/dev/null 2>&1 || true
        lightc start theirs
        assert_eq "$(guest theirs 'cat /root/dir/file')" deep
        lightc delete --force theirs new src
        lightc list --format csv -c n | grep -qx without && lightc delete without
        assert_eq "$(lightc list --format csv)" ""
done

step "one that was never started; its name"
lightc init busybox fresh
lightc copy fresh other
lightc start other
guest other true
assert_fails "already exists" lightc copy fresh other
assert_fails "not found" lightc copy nobody new
assert_fails "lightc file push /etc/hosts fresh/root/" lightc cp /etc/hosts fresh/root/
assert_fails "lightc file pull fresh/etc/hosts ." lightc cp fresh:/etc/hosts .
assert_fails '"fresh" is kept' lightc delete --interactive fresh <<<no
assert_fails '"fresh" is kept' lightc delete --interactive fresh </dev/null
lightc copy fresh asked
lightc delete --interactive asked <<<yes
assert_fails "not found" lightc info asked
assert_fails "name" lightc copy fresh 'bad/na me'
assert_fails "not there" lightc copy fresh new -s dirs
assert_fails "not there" lightc copy fresh new --refresh

step "another name"
assert_fails "running" lightc rename other moved
lightc stop --force other
lightc rename other moved
lightc move moved again
assert_eq "$(lightc list --format csv -c n | sort | tr '\n' ' ')" "again fresh "
lightc start again
guest again true
lightc delete --force again

step "a copy that is cancelled"
lightc start fresh
guest fresh 'dd if=/dev/zero of=/root/big bs=1M count=300 2>/dev/null; sync'
lightc stop --force fresh
census save "$TEST_DIR/before"
op=$(api POST /1.0/instances '{"name": "half", "source": {"type": "copy", "source": "fresh"}}' | jq -r .operation)
api DELETE "$op" >/dev/null
wait_for sh -c "! curl -s --unix-socket $LIGHTD_SOCKET http://unix$op | grep -q Running"
if [ "$(state_of half)" ]; then lightc delete half; fi # it was quicker
census diff "$TEST_DIR/before"
lightc start fresh
guest fresh true
lightc delete --force fresh
stop_daemon

step "a copy that could not be written down: the next instance begins with nothing of it"
use_dir cut
LIGHTD_FAILPOINT=volume-copy:after:store start_ready_daemon
lightc launch busybox src >/dev/null
guest src 'echo private >/root/secret'
lightc stop --force src
census save "$TEST_DIR/before"
assert_fails "database" lightc copy src new
kill -0 "$LIGHTD_PID" || fail "the daemon is gone, and so is what this step is about"
wait_for lightc init busybox other
lightc start other
assert_eq "$(guest other 'ls -A /root')" "" "files of another instance"
lightc delete --force other
census diff "$TEST_DIR/before"
lightc delete src
stop_daemon

step "a disk that is full"
use_dir small
truncate -s 64M "$TEST_DIR/disk"
mkfs.ext4 -q -m 0 "$TEST_DIR/disk"
mkdir "$LIGHTD_DIR"
mount -o loop "$TEST_DIR/disk" "$LIGHTD_DIR"
on_exit "kill_daemon; umount -l $LIGHTD_DIR"
start_ready_daemon
lightc launch busybox src >/dev/null
guest src 'dd if=/dev/urandom of=/root/big bs=1M count=30 2>/dev/null; sync'
lightc stop --force src
census save "$TEST_DIR/before"
assert_fails "No space left" lightc copy src new
assert_eq "$(lightc list --format csv -c n)" src
census diff "$TEST_DIR/before"
lightc start src
lightc delete --force src
stop_daemon
