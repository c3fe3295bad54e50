#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Images whose init is missing, cannot be run, or ends at once: the error says so, with what the console showed last,
# and nothing is left of the try.
. "$(dirname "$0")/../lib/lib.sh"

start_ready_daemon
lightc launch busybox warm >/dev/null
lightc delete -f warm
census save "$TEST_DIR/before"

without_init() { rm "$1/sbin/init"; }
without_rights() {
        rm "$1/sbin/init"
        echo 'exit 0' >"$1/sbin/init"
}
of_another_world() {
        rm "$1/sbin/init"
        head -c 4096 /dev/urandom >"$1/sbin/init"
        chmod 755 "$1/sbin/init"
}
that_fails() {
        rm "$1/sbin/init"
        printf '#!/bin/sh\necho "the disk is not to my taste" >/dev/console\nexit 3\n' >"$1/sbin/init"
        chmod 755 "$1/sbin/init"
}
init_is_a_loop() {
        rm "$1/sbin/init"
        ln -s init "$1/sbin/init"
}
try() { # FUNCTION WORDS…: what the error must contain
        local kind=$1 word
        shift
        make_image "$TEST_DIR/$kind.tar.xz" "$kind"
        lightc image import "$TEST_DIR/$kind.tar.xz" --alias "$kind" >/dev/null
        assert_fails "" lightc launch "$kind" broken
        echo "$output"
        for word in "$@"; do assert_contains "$output" "$word"; done
        assert_lacks "$(state_of broken)" RUNNING
        lightc delete -f broken >/dev/null
        lightc image delete "$kind"
}

step "no init"
try without_init broken /sbin/init
step "one that cannot be run"
try without_rights broken /sbin/init
try of_another_world broken /sbin/init
try init_is_a_loop broken /sbin/init

step "one that ends at once: the console's last lines are in the error, or one command away"
make_image "$TEST_DIR/fails.tar.xz" that_fails
lightc image import "$TEST_DIR/fails.tar.xz" --alias fails >/dev/null
lightc launch fails broken >"$TEST_DIR/out" 2>&1 || assert_contains "$(cat "$TEST_DIR/out")" "not to my taste"
wait_for has_state broken STOPPED
assert_contains "$(lightc console broken --show-log)" "the disk is not to my taste"
lightc delete broken
lightc image delete fails

census diff "$TEST_DIR/before"
stop_daemon
