#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every list in every format: it parses, and what people wrote into names and descriptions (spaces, quotes, commas, letters of
# all the world) comes out as it went in.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq
/usr/bin/python3 -c 'import yaml' || skip "python3-yaml is not installed"
ODD='naïve "quoted", two  words; 日本 é'
formats() { # text command…
        /usr/bin/python3 "$LIB/list-formats.py" "$1" "$BIN/lightc" "${@:2}" || fail "lightc ${*:2}"
}

start_ready_daemon
export LIGHTC_CONF=$TEST_DIR/conf
lightc init busybox c1
lightc init busybox c2
lightc config set c1 user.note="$ODD"
api PATCH /1.0/instances/c1 "$(jq -n --arg text "$ODD" '{description: $text}')" | jq -e '.status_code == 200' >/dev/null
api PATCH /1.0/profiles/default "$(jq -n --arg text "$ODD" '{description: $text}')" | jq -e '.status_code == 200' >/dev/null
lightc alias add odd "list '$ODD'"
lightc image set-property busybox description="$ODD"
lightc config template create c1 "$ODD" </dev/null

declare -A text=([list]="" ["alias list"]="$ODD" ["image list"]="$ODD" ["profile list"]="$ODD" ["config template list"]="$ODD")
lists=0
while IFS= read -r path; do
        read -ra words <<<"$path"
        step "$path"
        [ "$path" != "network list-leases" ] || words+=("$(lightc network list -f json | jq -r '.[] | select(.managed).name' | head -n 1)")
        [ "$path" != "config template list" ] || words+=(c1)
        formats "${text[$path]:-}" "${words[@]}"
        lists=$((lists + 1))
done < <(lightc --dump | jq -r '.commands[] | select((.group | not) and (.path | test("(^| )list(-leases)?$"))
                                                      and (.options | tostring | test("--format"))).path')
[ $lists -ge 8 ] || fail "only $lists lists"

step "columns people choose"
formats "$ODD" list -c nd,user.note:NOTE
formats "$ODD" list -c nsd
assert_eq "$(lightc list -f csv -c n,user.note:NOTE:5 c1)" "c1,naïve"
assert_eq "$(lightc list -f csv -c nd c1 | head -n 1)" "c1,\"naïve \"\"quoted\"\", two  words; 日本 é\""
stop_daemon
