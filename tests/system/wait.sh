#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lightc wait: for what comes, for what does not, for what is not there. lightc top: what they use meanwhile.
. "$(dirname "$0")/../lib/lib.sh"
need_program dnsmasq nft jq

start_ready_daemon
step "what comes"
lightc launch busybox c1 >/dev/null
lightc wait c1
lightc wait c1 --for ip --timeout 30
lightc wait c1 --for ipv4 --timeout 30
has_address c1 || fail "it waited for an address and there is none"
lightc init busybox c2
lightc wait c2 --for running --timeout 30 &
waiting=$!
lightc start c2
wait "$waiting"
lightc wait c1 c2 --for running
lightc wait c2 --for stopped --timeout 30 &
waiting=$!
lightc stop --force c2
wait "$waiting"

step "what does not"
assert_status 1 lightc wait c2 --for running --timeout 0
assert_contains "$output" 'Instance "c2" was waited for 0 s'
assert_contains "$output" "lightc info c2"
assert_status 1 lightc wait c1 --for systemd --timeout 1 # busybox has none
assert_fails "not found" lightc wait nobody
assert_status 2 lightc wait c1 --for godot
assert_contains "$output" "systemd"
assert_status 2 lightc wait

step "top"
lightc exec c1 -T -- sh -c 'while [ ! -e /stop ]; do :; done' &
busy=$!
is_busy() { lightc top --format json | jq -e '.[] | select(.name == "c1") | .cpu_permille > 100 and .memory > 0 and .processes > 1'; }
wait_for is_busy
assert_eq "$(lightc top --format csv | cut -d, -f1)" c1
assert_contains "$(lightc top)" "PROCESSES"
lightc exec c1 -T -- touch /stop
wait "$busy"
lightc delete --force c1 c2
stop_daemon
