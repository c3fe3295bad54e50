#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# power-cut.sh MOMENT | verify MOMENT [TOLD name | GONE name]…, in the machine: says "NOW MOMENT" when the plug shall be
# pulled, and what clients were told until then. After the next start all of that holds, nothing is half-done, and the
# daemon works.
set -eu
poll=0.2
export LIGHTD_DIR=/keep/lightd BIN=$PWD/build/bin PATH=$PWD/build/bin:$PATH
fail() { echo "FAILED: $*"; tail -n 30 /keep/log; exit 1; }
wait_for() {
        local end=$((SECONDS + 300))
        until "$@" >/dev/null 2>&1; do
                [ "$SECONDS" -lt "$end" ] || fail "not true after 300 s: $*"
                sleep "$poll"
        done
}
assert_eq() { [ "$1" = "$2" ] || fail "${3:-}: got \"$1\", wanted \"$2\""; }
start_daemon() {
        lightd >>/keep/log 2>&1 </dev/null &
        lightd waitready --timeout 300
}
is_running() { [ "$(lightc list "^$1\$" --format csv -c s)" = RUNNING ]; }
count() { lightc list --format csv -c n | wc -l; }
more_than() { [ "$(count)" -gt "$1" ]; }
import_is_under_way() { [ -n "$(find /keep/lightd/images -type f -newer /keep/mark -size +1000k -print -quit)" ]; }
now() { echo "NOW $1"; exec tail -f /dev/null; } # until the plug is pulled

prepare() {
        mkdir -p "$LIGHTD_DIR"
        start_daemon
        lightd init --auto
        lightc image import busybox.tar.xz --alias busybox
        lightc launch busybox told
        sync
        touch /keep/mark
}

verify() {
        local moment=$1 what name
        shift
        start_daemon
        while [ $# -gt 0 ]; do
                what=$1 name=$2
                shift 2
                case $what in
                TOLD) [ -n "$(lightc list "^$name\$" --format csv -c n)" ] || fail "$name was launched, and is not there" ;;
                GONE) [ -z "$(lightc list "^$name\$" --format csv -c n)" ] || fail "$name was deleted, and is there" ;;
                esac
        done
        assert_eq "$(lightc image list --format csv -c l | head -1)" busybox "the image told of"
        assert_eq "$(lightc list '^told$' --format csv -c n)" told "the instance told of"
        case $moment in
        CREATED) assert_eq "$(lightc list '^second$' --format csv -c ns)" second,STOPPED "created" ;;
        SET) assert_eq "$(lightc config get told user.word)" said "config set" ;;
        MID-IMPORT) assert_eq "$(lightc image list --format csv | wc -l)" 1 "images" ;;
        MID-LAUNCH | MID-DELETE)
                for name in $(lightc list --format csv -c n); do
                        # The daemon starts by itself what ran: it may be faster than we are.
                        [ "$(lightc list "^$name\$" --format csv -c s)" != STOPPED ] || lightc start "$name" || is_running "$name"
                        wait_for is_running "$name"
                        assert_eq "$(lightc list "^$name\$" --format csv -c s)" RUNNING "$name after the cut"
                        assert_eq "$(lightc exec "$name" -T -- echo well)" well "$name after the cut"
                done
                ;;
        esac
        # It works on: what is there can be used and removed, and a new one made.
        lightc launch busybox new
        assert_eq "$(lightc exec new -T -- echo works)" works "a new instance"
        for name in $(lightc list --format csv -c n); do wait_for lightc delete --force "$name"; done # not while it is started
        lightc image delete busybox
        assert_eq "$(find "$LIGHTD_DIR" -path '*storage-pools*' \( -path '*instances/*' -o -path '*layers/*' -o -path '*containers/*' \) | wc -l)" 0 "files of what is gone"
        pkill -x lightd
        echo "power-cut: $moment verified"
}

if [ "$1" = verify ]; then
        shift
        verify "$@"
        exit
fi
prepare
case $1 in
CREATED) lightc init busybox second && now "$1" ;;
SET) lightc config set told user.word=said && now "$1" ;;
MID-IMPORT)
        lightc image import debian.tar.xz --alias debian &
        wait_for import_is_under_way
        now "$1"
        ;;
MID-LAUNCH)
        for i in 1 2 3 4; do (lightc launch busybox "m$i" && echo "TOLD m$i") & done
        wait_for more_than 2
        now "$1"
        ;;
MID-DELETE)
        for i in 1 2 3 4; do lightc launch busybox "m$i"; done
        for i in 1 2 3 4; do (lightc delete --force "m$i" && echo "GONE m$i") & done
        while more_than 4; do sleep "$poll"; done
        now "$1"
        ;;
esac
