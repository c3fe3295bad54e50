# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every system test stands on. A test begins with:
#
#       #!/bin/bash
#       # SPDX-License-Identifier: Apache-2.0
#       # What it shows, in a sentence.
#       . "$(dirname "$0")/../lib/lib.sh"
#
# and then runs as root with -eu in network, mount and pid namespaces of its own: bridges, rules and mounts never meet
# those of the host or of another test, and nothing survives the test's end, however it ends. Only cgroups and loop
# devices are the host's; the outer half of the test removes those. TEST_DIR is a directory for the test.
#
# TEST_NETWORK=host, set before, leaves the test in the host's network namespace: for one that needs Debian's mirrors.
#
# The test's variables: BIN (programs, from ctest), LIGHTD_DIR, LIGHTD_SOCKET, LXD_DIR, LIGHTC_CONF, LXD_CONF (clients
# find the daemon of the test), DID and LIGHTD_PID after start_daemon. lightc, lightd and lxc are bounded by `timeout`.
set -eEu -o pipefail

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${BIN:?BIN is the directory of the programs under test, e.g. BIN=build/bin}"
BIN=$(realpath "$BIN")
export BIN
TEST_LIMIT=${TEST_LIMIT:-1200}    # seconds for the whole test, many times what it takes: busy machines; ctest gives 1500
COMMAND_LIMIT=${COMMAND_LIMIT:-120} # seconds for one command
WAIT_LIMIT=${WAIT_LIMIT:-60}       # seconds for one condition
poll=0.02

skip() { echo "skipped: $*"; exit 77; }
need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }
need_program() {
        local program
        for program; do
                command -v "$program" >/dev/null || skip "needs the program $program"
        done
}

# ---- the outer half: namespaces, the limit, what the kernel keeps ----

_show_logs() {
        local log
        for log in "$TEST_DIR"/*.log; do
                [ -s "$log" ] || continue
                echo "--- the end of $(basename "$log") ---"
                tail -n 40 "$log"
        done
}

# Directories of cgroups cannot be removed while something runs in them; everything of the test has been killed.
_sweep_cgroups() {
        local did hierarchy
        for did in $(cat "$TEST_DIR/dids" 2>/dev/null | sort -u); do
                for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
                        [ -d "$hierarchy/lightd-$did" ] || continue
                        [ ! -e "$hierarchy/lightd-$did/cgroup.kill" ] || echo 1 >"$hierarchy/lightd-$did/cgroup.kill"
                        wait_for _remove_cgroups "$hierarchy/lightd-$did" || echo "left: $hierarchy/lightd-$did"
                done
        done
}
_remove_cgroups() {
        find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
        [ ! -d "$1" ]
}

_outer() {
        local status=0 net=--net
        [ "${TEST_NETWORK:-}" != host ] || net=
        need_root
        need_program unshare timeout python3 busybox ip
        TEST_DIR=$(mktemp -d /tmp/lightvisor-test.XXXXXX)
        chmod 711 "$TEST_DIR"
        export TEST_DIR
        trap '_sweep_cgroups; rm -rf --one-file-system "$TEST_DIR"' EXIT
        timeout -s KILL "$TEST_LIMIT" unshare $net --mount --pid --fork --kill-child --mount-proc \
                bash "$0" "$@" </dev/null || status=$?
        if [ "$status" = 137 ]; then
                echo "FAILED: not done after $TEST_LIMIT s"
                _show_logs
        fi
        exit "$status"
}

# ---- conditions and claims ----

# wait_for COMMAND…: polls until the command succeeds. The only sleep there is.
wait_for() {
        local end=$((SECONDS + WAIT_LIMIT))
        until "$@" >/dev/null 2>&1; do
                [ "$SECONDS" -lt "$end" ] || { echo "not true after $WAIT_LIMIT s: $*" >&2; return 1; }
                sleep "$poll"
        done
}

fail() {
        echo "FAILED: $* ($(_where))" >&2
        exit 1
}
# The line of the test itself, not of this file.
_where() {
        local i
        for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
                [ "$(basename "${BASH_SOURCE[i]}")" = lib.sh ] || break
        done
        echo "$(basename "${BASH_SOURCE[i]:-$0}"):${BASH_LINENO[i - 1]}"
}
# A subshell's failure is told once, by the shell that called it.
_on_error() {
        [ "$BASHPID" != "$$" ] || echo "FAILED: \"$2\" ended with $1 ($(_where))" >&2
}
step() { echo "== $*"; }

assert_eq() { # got wanted [what]
        [ "$1" = "$2" ] || fail "${3:-}${3:+: }got \"$1\", wanted \"$2\""
}
assert_contains() { # text part
        [[ $1 == *"$2"* ]] || fail "\"$2\" is not in: $1"
}
assert_lacks() { # text part
        [[ $1 != *"$2"* ]] || fail "\"$2\" is in: $1"
}
# assert_fails TEXT COMMAND…: the command must fail, say TEXT (may be empty) and not be killed; its output is in $output.
assert_fails() {
        local text=$1 status=0
        shift
        output=$("$@" 2>&1) || status=$?
        [ "$status" != 0 ] || fail "\"$*\" succeeded: $output"
        [ "$status" -lt 124 ] || [ "$status" = 130 ] || fail "\"$*\" ended with $status: $output"
        [[ $output == *"$text"* ]] || fail "\"$*\" said \"$output\" without \"$text\""
}
# assert_status N COMMAND…: the exit status is exactly that; its output is in $output.
assert_status() {
        local wanted=$1 status=0
        shift
        output=$("$@" 2>&1) || status=$?
        [ "$status" = "$wanted" ] || fail "\"$*\" ended with $status instead of $wanted: $output"
}
# assert_json JSON FILTER WANTED: a jq filter's raw output
assert_json() {
        local got
        got=$(jq -r "$2" <<<"$1") || fail "not JSON: $1"
        [ "$got" = "$3" ] || fail "$2 is \"$got\", wanted \"$3\" in: $(head -c 2000 <<<"$1")"
}

# ---- at the end ----

_on_exit=()
on_exit() { _on_exit+=("$*"); } # run in reverse order, whatever happens

_finish() {
        local status=$? i
        trap - EXIT ERR
        set +e
        for ((i = ${#_on_exit[@]} - 1; i >= 0; i--)); do
                eval "${_on_exit[i]}"
        done
        [ "$status" = 0 ] || [ "$status" = 77 ] || _show_logs
        exit "$status"
}

# ---- the programs ----

lightc() { timeout -k 5 "$COMMAND_LIMIT" "$BIN/lightc" "$@"; }
lightd() { timeout -k 5 "$COMMAND_LIMIT" "$BIN/lightd" "$@"; }
# Debian's own client of LXD 5.0.2, as it is.
lxc() { timeout -k 5 "$COMMAND_LIMIT" lxc "$@"; }
api() { # METHOD PATH [BODY]: the raw answer
        timeout "$COMMAND_LIMIT" curl -s --unix-socket "$LIGHTD_SOCKET" -X "$1" "http://unix$2" ${3:+--data-binary "$3"}
}

# use_dir NAME: the daemon that the following commands mean; the first is "state".
use_dir() {
        NAME=$1
        export LIGHTD_DIR=$TEST_DIR/$1 LXD_DIR=$TEST_DIR/$1 LIGHTD_SOCKET=$TEST_DIR/$1/unix.socket
        LIGHTD_LOG=$TEST_DIR/$1.log
        LIGHTD_PID=${_pids[$1]:-}
        DID=${_dids[$1]:-}
        export DID
}
declare -A _pids=() _dids=()

_is_ready() {
        kill -0 "$LIGHTD_PID" 2>/dev/null || return 0
        timeout 5 "$BIN/lightd" waitready --timeout 1
}

# start_daemon [option…]: returns when it has recovered; a daemon that ends at once fails the test.
start_daemon() {
        : >>"$LIGHTD_LOG"
        local before
        before=$(wc -c <"$LIGHTD_LOG")
        "$BIN/lightd" "$@" >>"$LIGHTD_LOG" 2>&1 </dev/null &
        LIGHTD_PID=$!
        _pids[$NAME]=$LIGHTD_PID
        wait_for _is_ready || fail "lightd did not become ready"
        kill -0 "$LIGHTD_PID" 2>/dev/null || fail "lightd ended: $(tail -n 3 "$LIGHTD_LOG")"
        DID=$(tail -c "+$((before + 1))" "$LIGHTD_LOG" | sed -n 's/.* id=\([a-z0-9]*\).*/\1/p' | tail -n 1)
        [ -n "$DID" ] || fail "lightd did not say its id"
        _dids[$NAME]=$DID
        echo "$DID" >>"$TEST_DIR/dids"
}

# kill_daemon [SIGNAL]: KILL by default; the containers go on.
kill_daemon() {
        [ -n "${LIGHTD_PID:-}" ] || return 0
        kill "-${1:-KILL}" "$LIGHTD_PID" 2>/dev/null || true
        wait "$LIGHTD_PID" 2>/dev/null || true
        LIGHTD_PID='' _pids[$NAME]=''
}

# stop_daemon: SIGTERM; it must end with status 0 and its sanitizers must have been silent. The containers go on.
stop_daemon() {
        local status=0
        [ -n "${LIGHTD_PID:-}" ] || return 0
        kill -TERM "$LIGHTD_PID"
        wait_for _is_gone "$LIGHTD_PID" || fail "lightd did not end after SIGTERM"
        wait "$LIGHTD_PID" || status=$?
        LIGHTD_PID='' _pids[$NAME]=''
        assert_eq "$status" 0 "exit status of lightd after SIGTERM"
        check_log
}
_is_gone() {
        local state
        state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
        [ -z "$state" ] || [ "$state" = Z ]
}
check_log() {
        if grep -qE 'Sanitizer|runtime error:|Assertion' "$LIGHTD_LOG"; then
                fail "a sanitizer or an assertion spoke in $LIGHTD_LOG"
        fi
}

# ---- images ----

# make_image OUT [FUNCTION]: a small unified LXD image; FUNCTION may change the root file system it is given.
make_image() {
        local out=$1 change=${2:-} work
        work=$(mktemp -d "$TEST_DIR/image.XXXXXX")
        "$LIB/busybox-rootfs" "$work/rootfs"
        [ -z "$change" ] || "$change" "$work/rootfs"
        _make_metadata "$work/metadata.yaml" "$(basename "$out")"
        tar -C "$work" --owner=0 --group=0 --numeric-owner -cf - metadata.yaml rootfs | xz -0 >"$out.tmp"
        mv "$out.tmp" "$out"
        rm -rf "$work"
}
_make_metadata() {
        cat >"$1" <<END
architecture: $(uname -m)
creation_date: 1700000000
properties:
  description: $2
  os: busybox
END
}

# Sets BUSYBOX_IMAGE (unified tarball) and BUSYBOX_META, BUSYBOX_ROOTFS (split, squashfs). Made once per build tree and
# busybox: the programs are hashed, and so is this file.
busybox_image() {
        need_program xz mksquashfs
        local cache key work
        key=$(cat "$(command -v busybox)" "$LIB/lib.sh" "$LIB/busybox-rootfs" | sha256sum | cut -c1-16)
        cache=$(dirname "$BIN")/test-images/$key
        export BUSYBOX_IMAGE=$cache/busybox.tar.xz BUSYBOX_META=$cache/meta.tar.xz BUSYBOX_ROOTFS=$cache/rootfs.squashfs
        [ ! -e "$cache/done" ] || return 0
        work=$TEST_DIR/busybox
        mkdir -p "$cache" "$work"
        make_image "$work/busybox.tar.xz"
        "$LIB/busybox-rootfs" "$work/rootfs"
        _make_metadata "$work/metadata.yaml" "busybox, split"
        tar -C "$work" -cJf "$work/meta.tar.xz" metadata.yaml
        mksquashfs "$work/rootfs" "$work/rootfs.squashfs" -noappend -all-root -no-progress -quiet >/dev/null
        mv "$work"/{busybox.tar.xz,meta.tar.xz,rootfs.squashfs} "$cache/"
        touch "$cache/done"
        rm -rf "$work"
}

# A daemon that is set up, with the image "busybox" in it.
start_ready_daemon() {
        busybox_image
        start_daemon "$@"
        lightd init --auto >"$TEST_DIR/init.out" 2>&1 || fail "lightd init --auto: $(cat "$TEST_DIR/init.out")"
        lightc image import "$BUSYBOX_IMAGE" --alias busybox >/dev/null
}

state_of() { lightc list "^$1\$" --format csv -c s; }
has_state() { [ "$(state_of "$1")" = "$2" ]; }
# The small system's script of the start is over: what a census counts in it stays the same from now on.
guest_is_up() { lightc exec "$1" -T -- sh -c '! pidof rc >/dev/null'; }
has_address() { lightc list "^$1\$" --format csv -c 4 | grep -q eth0; }
census() { "$LIB/census" "$@"; }

# ---- the inner half begins ----

# /sys shows the network namespace it was mounted in; /run/lightd is this test's alone.
_inner() {
        trap '_finish' EXIT
        trap '_on_error "$?" "$BASH_COMMAND"' ERR
        mkdir -p "$TEST_DIR/cgroup" /run/lightd
        mount --rbind /sys/fs/cgroup "$TEST_DIR/cgroup"
        umount -R -l /sys
        mount -t sysfs sysfs /sys
        [ ! -e /sys/module/apparmor ] || mount -t securityfs securityfs /sys/kernel/security
        mount --rbind "$TEST_DIR/cgroup" /sys/fs/cgroup
        umount -R -l "$TEST_DIR/cgroup"
        mount -t tmpfs -o mode=0711 tmpfs /run/lightd
        ip link set lo up
        export LIGHTC_CONF=$TEST_DIR/lightc LXD_CONF=$TEST_DIR/lxc HOME=$TEST_DIR/home TEST_DIR
        unset LIGHTC_PROJECT LIGHTC_REMOTE LXD_SOCKET LISTEN_FDS LISTEN_PID NOTIFY_SOCKET
        mkdir -p "$LIGHTC_CONF" "$LXD_CONF" "$HOME"
        use_dir state
}

if [ "${TEST_INSIDE:-}" != "$0" ]; then
        TEST_INSIDE=$0 _outer "$@"
fi
_inner
