#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A start that meets a limit of the kernel or of the daemon says which, its value and what raises it; once there is room,
# the next start succeeds.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq

start_ready_daemon
lightc init busybox c1 >/dev/null
LIMIT=/proc/sys/user/max_uts_namespaces

# For the time of one start: what others of the host count there is of their own users.
start_without_namespaces() {
        local before status=0
        before=$(cat "$LIMIT")
        on_exit "echo $before >$LIMIT"
        echo 0 >"$LIMIT"
        output=$(lightc start c1 2>&1) || status=$?
        echo "$before" >"$LIMIT"
        assert_eq "$status" 1 "exit status of the start"
        assert_contains "$output" "\"c1\": the kernel's limit user.max_uts_namespaces is reached, it is 0"
        assert_contains "$output" "sysctl -w user.max_uts_namespaces="
        assert_lacks "$output" "No space left"
}
if sh -c "cat $LIMIT >$LIMIT" 2>/dev/null; then
        step "the kernel's namespaces"
        start_without_namespaces
else
        echo "   not shown here: the kernel's namespaces; that needs CAP_SYS_RESOURCE"
fi
lightc start c1
assert_eq "$(state_of c1)" RUNNING

step "the daemon's descriptors"
stop_daemon
( ulimit -n 60 && exec "$BIN/lightd" >>"$LIGHTD_LOG" 2>&1 ) &
LIGHTD_PID=$!
_pids[$NAME]=$LIGHTD_PID
wait_for _is_ready
last=
for i in $(seq 30); do
        output=$(lightc launch busybox "m$i" 2>&1) && continue
        last=$i
        break
done
[ -n "$last" ] || fail "30 containers run with 60 descriptors"
echo "   $output" | head -n 3
assert_contains "$output" "Too many open files"
assert_contains "$output" "may have 60 files open: set LimitNOFILE="
assert_eq "$(state_of c1)" RUNNING
lightc delete --force m1
lightc list --format csv -c ns | grep -q "^m2,RUNNING" || fail "m2 does not run any more"
stop_daemon
start_daemon
lightc launch busybox more >/dev/null
lightc list --format csv -c n | xargs "$BIN/lightc" delete --force
stop_daemon
