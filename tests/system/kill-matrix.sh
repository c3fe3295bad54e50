#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The kill matrix: for every side effect of `lightd --dump=effects`, right before and right after it, the daemon, the store
# or the one who makes it is killed. After a restart the operation has happened wholly or not at all, whichever it is can
# be gone on from, and nothing is left. ONLY=<part of effect:when:who> runs some of it.
set -u
SHARDS=${SHARDS:-3}
if [ $# = 0 ]; then
        failed=0
        for ((n = 0; n < SHARDS; n++)); do
                "$0" "$n" >"/tmp/kill-matrix.$$.$n" 2>&1 &
                pids[n]=$!
        done
        for ((n = 0; n < SHARDS; n++)); do
                wait "${pids[n]}" || { status=$?; [ "$failed" = 1 ] || failed=$([ $status = 77 ] && echo 77 || echo 1); }
                cat "/tmp/kill-matrix.$$.$n"
                rm -f "/tmp/kill-matrix.$$.$n"
        done
        exit "$failed"
fi
SHARD=$1
COMMAND_LIMIT=60
. "$(dirname "$0")/../lib/lib.sh"
need_program jq curl
need_program nft dnsmasq

# ---- what makes an effect happen: effect → operation ----

# An operation is three functions: before_x makes ready (no failpoint yet), do_x is the thing, after_x decides which of
# "before" and "after" holds, goes on from there, and removes everything.
declare -A OPERATION=(
        [pool-create]=pool_create [pool-delete]=pool_delete
        [volume-create]=launch [volume-copy]=copy [volume-trash]=delete [trash-empty]=delete
        [layer-unpack]=first_launch [layer-commit]=first_launch
        [layer-mount]=launch_split [layer-unmount]=delete_split
        [image-receive]=import [image-commit]=import [image-remove]=image_delete
        [cgroup-create]=launch [nic-create]=launch [init-start]=launch [monitor-socket]=launch
        [exit-note]=run_once [run-clear]=stop [logs-remove]=delete
        [bridge-create]=network_create [net-rules]=network_create [dnsmasq-start]=network_create
        [bridge-delete]=network_delete
)

is_listed() { lightc list --format csv -c n | grep -qx "$1"; }
has_image() { lightc image list --format csv | grep -q "^$1,"; }
has_object() { [ "$(api GET "/1.0/$1" | jq .status_code)" = 200 ]; }
sync_api() { # METHOD PATH [BODY]: an answer that is no error
        [ "$(api "$@" | jq -r .type)" != error ]
}

# An instance that is there can be used, whatever state it was left in.
works() { # name
        case $(state_of "$1") in
        RUNNING) ;;
        STOPPED) lightc start "$1" ;;
        *) fail "$1 is $(state_of "$1")" ;;
        esac
        lightc exec "$1" -- true
}
settle_instance() { # name, image: as after a launch, then gone
        is_listed "$1" || lightc launch "$2" "$1" >/dev/null
        works "$1"
        lightc delete -f "$1"
}

before_launch() { :; }
do_launch() { lightc launch busybox m1; }
after_launch() { settle_instance m1 busybox; }

before_delete() { lightc launch busybox m1 >/dev/null; lightc stop -f m1; }
do_delete() { lightc delete m1; }
after_delete() { settle_instance m1 busybox; }

before_copy() { lightc launch busybox m2 >/dev/null; lightc stop -f m2; }
do_copy() { lightc copy m2 m1; }
after_copy() {
        is_listed m1 || lightc copy m2 m1
        settle_instance m1 busybox
        settle_instance m2 busybox
}

before_stop() { lightc launch busybox m1 >/dev/null; }
do_stop() { lightc stop -f m1; }
after_stop() {
        is_listed m1 || fail "an instance that was stopped is gone"
        settle_instance m1 busybox
}

# The one who writes it is the monitor, which has the failpoint only of the daemon that started it.
before_run_once() { :; }
do_run_once() { lightc launch busybox m1 && lightc stop -f m1; }
after_run_once() { after_stop; }

# The layer is made by the first launch of an image.
before_first_launch() { lightc image import "$OTHER_IMAGE" --alias other >/dev/null; }
do_first_launch() { lightc launch other m1; }
after_first_launch() { settle_instance m1 other; lightc image delete other; }

before_launch_split() { lightc image import "$BUSYBOX_META" "$BUSYBOX_ROOTFS" --alias split >/dev/null; }
do_launch_split() { lightc launch split m1; }
after_launch_split() { settle_instance m1 split; lightc image delete split; }

# The last one who needs a layer has it unmounted.
before_delete_split() {
        before_launch_split
        lightc launch split m1 >/dev/null
        lightc delete -f m1
}
do_delete_split() { lightc image delete split; }
after_delete_split() {
        has_image split || before_launch_split
        after_launch_split
}

before_import() { :; }
do_import() { lightc image import "$OTHER_IMAGE" --alias other; }
after_import() {
        has_image other || do_import >/dev/null
        settle_instance m1 other
        lightc image delete other
}

before_image_delete() { do_import >/dev/null; }
do_image_delete() { lightc image delete other; }
after_image_delete() { after_import; }

POOL='{"name":"p2","driver":"overlay"}'
before_pool_create() { :; }
do_pool_create() { sync_api POST /1.0/storage-pools "$POOL"; }
after_pool_create() {
        # A deletion whose worker was lost is one that failed: it is said so, and can be repeated.
        ! has_object storage-pools/p2 || do_pool_delete
        do_pool_create
        assert_json "$(api GET /1.0/storage-pools/p2)" .metadata.status Created
        do_pool_delete
        assert_eq "$(ls -d "$LIGHTD_DIR/storage-pools/p2" 2>/dev/null)" "" "a deleted pool's directory"
}
before_pool_delete() { do_pool_create; }
do_pool_delete() { sync_api DELETE /1.0/storage-pools/p2; }
after_pool_delete() { after_pool_create; }

before_network_create() { :; }
do_network_create() { sync_api POST /1.0/networks '{"name":"kmbr0","type":"bridge"}'; }
is_network_up() { [ "$(api GET /1.0/networks/kmbr0 | jq -r .metadata.status)" = Created ]; }
after_network_create() {
        has_object networks/kmbr0 || do_network_create
        wait_for is_network_up
        pgrep -f "dnsmasq.*kmbr0" >/dev/null || fail "the network has no dnsmasq"
        do_network_delete
}
before_network_delete() { do_network_create; }
do_network_delete() { sync_api DELETE /1.0/networks/kmbr0; }
after_network_delete() { after_network_create; }

# ---- one case ----

log_since() { tail -c "+$((MARK + 1))" "$LIGHTD_LOG"; }
# A daemon that may end at any time, also while it starts.
start_doomed() {
        MARK=$(wc -c <"$LIGHTD_LOG")
        LIGHTD_FAILPOINT=$1 "$BIN/lightd" >>"$LIGHTD_LOG" 2>&1 </dev/null &
        LIGHTD_PID=$!
        _pids[$NAME]=$LIGHTD_PID
        wait_for _is_ready || fail "lightd did not become ready"
}
is_dead() { _is_gone "$LIGHTD_PID"; }
# The monitor's stderr is /dev/null: its death shows in what the daemon says of it.
was_reached() {
        log_since | grep -qE "^failpoint $1|its monitor was lost" && return
        case $1 in
        exit-note:*:daemon) is_dead ;;
        exit-note:*:store) log_since | grep -q "store: read-only" ;;
        *) false ;;
        esac
}
is_writable() { sync_api PATCH /1.0/profiles/default '{"description":"'"$RANDOM"'"}'; }
ended_cleanly() { # output: an error is a sentence
        assert_lacks "$1" "panic"
        assert_lacks "$1" "errno"
}

run_case() { # effect when who
        local point=$1:$2:$3 x=${OPERATION[$1]} status=0 output
        "before_$x"
        kill_daemon
        start_doomed "$point"
        output=$("do_$x" 2>&1) || status=$?
        [ "$status" -lt 124 ] || fail "$point: the operation ended with $status: $output"
        wait_for was_reached "$point" || fail "$point was never reached: $output"
        case $3 in
        daemon) wait_for is_dead || fail "$point: the daemon lives" ;;
        store)
                lightc list >/dev/null || fail "$point: no answer without a store"
                wait_for is_writable || fail "$point: not writable again"
                ended_cleanly "$output"
                ;;
        self) ended_cleanly "$output" ;;
        esac
        kill_daemon
        start_daemon
        "after_$x" || fail "$point: what it left could not be gone on from"
        census diff "$TEST_DIR/$NAME.census" || fail "$point left something"
}

use_case() { # effect: the daemon it is tried on; networks need one without any
        case ${OPERATION[$1]} in
        network_*) use_dir net ;;
        *) use_dir state ;;
        esac
}

# ---- all of them ----

_change() { echo "another one" >"$1/etc/motd"; }
prepare() {
        exec 9>"$(dirname "$BIN")/kill-matrix.lock"
        flock 9
        busybox_image
        exec 9>&-
        make_image "$TEST_DIR/other.tar.xz" _change
        OTHER_IMAGE=$TEST_DIR/other.tar.xz
        start_ready_daemon
        use_dir net
        start_daemon
        # Once everything, so that what a first use leaves for good is there: groups, mount points, a layer.
        before_network_delete && do_network_delete
        census save "$TEST_DIR/net.census"
        use_dir state
        local x
        for x in delete_split first_launch; do
                "before_$x" && "do_$x" >/dev/null && "after_$x"
        done
        do_launch >/dev/null && after_launch
        kill_daemon
        start_daemon
        wait_for no_trash
        census save "$TEST_DIR/state.census"
}
no_trash() { [ -z "$(ls "$LIGHTD_DIR/storage-pools/default/trash")" ]; }

main() {
        local n=0 effect when who effects
        mapfile -t effects < <("$BIN/lightd" --dump=effects | jq -r '.[].name')
        [ ${#effects[@]} -gt 10 ] || fail "there is no table of effects"
        prepare
        for effect in "${effects[@]}"; do
                [ -n "${OPERATION[$effect]:-}" ] || fail "no operation makes the effect \"$effect\" happen"
                for when in before after; do
                        for who in daemon store self; do
                                [[ "$effect:$when:$who" == *"${ONLY:-}"* ]] || continue
                                ((n++ % SHARDS == SHARD)) || continue
                                step "$effect:$when:$who"
                                use_case "$effect"
                                run_case "$effect" "$when" "$who"
                        done
                done
        done
        for name in state net; do
                use_dir $name
                stop_daemon
        done
}
main
