#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is packaged, as far as it can be looked at without installing it: systemd finds nothing wrong with the units, and the
# commands they name are there and taken. tests/vm/units.sh runs them.
. "$(dirname "$0")/../lib/lib.sh"
need_program systemd-analyze
packaging=$(cd "$(dirname "$0")/../../packaging" && pwd)

step "the units"
mkdir "$TEST_DIR/units"
for unit in "$packaging"/systemd/*.service.in "$packaging"/systemd/*.socket; do
        sed "s,@CMAKE_INSTALL_FULL_BINDIR@,$BIN,g" "$unit" >"$TEST_DIR/units/$(basename "$unit" .in)"
done
assert_eq "$(systemd-analyze verify "$TEST_DIR"/units/* 2>&1)" "" "what systemd says"
echo "Nonsense=yes" >>"$TEST_DIR/units/lightd.socket"
assert_contains "$(systemd-analyze verify "$TEST_DIR"/units/* 2>&1)" Nonsense "what systemd says of a wrong one"

step "the commands of lightd-containers.service: ready, then everything stopped"
start_ready_daemon
lightc launch busybox c1 >/dev/null
command_of() { sed -n "s,^$1=$BIN/,,p" "$TEST_DIR/units/lightd-containers.service"; }
read -r -a ready <<<"$(command_of ExecStart)"
read -r -a stop <<<"$(command_of ExecStop)"
[ "${#ready[@]}" -gt 1 ] && [ "${#stop[@]}" -gt 1 ] || fail "the unit's commands were not found"
"${ready[@]}"
"${stop[@]}"
wait_for _is_gone "$LIGHTD_PID"
start_daemon
"${ready[@]}"
wait_for has_state c1 RUNNING # what the host's end stopped is back at its next start
lightc delete --force c1
stop_daemon
