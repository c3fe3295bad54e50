#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a guest asks of everybody when it looks for an address reaches the bridge and no other guest, on networks with
# DHCP of their own and only there; all get their addresses; the rules come back with the daemon and go with the network.
. "$(dirname "$0")/../lib/lib.sh"
need_program nft dnsmasq nsenter jq curl

pid_of() { api GET "/1.0/instances/$1/state" | jq -r .metadata.pid; }
inside() { # NAME COMMAND…: in its network namespace
        local pid
        pid=$(pid_of "$1")
        shift
        timeout "$COMMAND_LIMIT" nsenter -t "$pid" -n "$@"
}
# What c2 hears of c1's questions, in one line.
heard() {
        rm -f "$TEST_DIR/ready"
        inside c2 "$LIB/ask-everybody" hear eth0 "$TEST_DIR/ready" >"$TEST_DIR/heard" &
        local listener=$!
        wait_for test -e "$TEST_DIR/ready"
        inside c1 "$LIB/ask-everybody" ask eth0
        wait "$listener" || fail "the listener saw no end"
        tr '\n' ' ' <"$TEST_DIR/heard"
}
has_ipv6() { lightc list "^$1\$" --format csv -c 6 | grep -q fd42:; }
set_dhcp() { # true or false
        local answer
        answer=$(api PATCH /1.0/networks/lightbr0 "{\"config\":{\"ipv4.dhcp\":\"$1\",\"ipv6.dhcp\":\"$1\"}}")
        assert_json "$answer" .status_code 200
}
chains() { nft -j list chains bridge | jq -r '[.nftables[].chain? | select(.) | .name] | join(" ")'; }

step "two guests get their addresses"
start_ready_daemon
lightc init busybox c1 >/dev/null # the image's layer is made once, and stays
lightc delete c1
census save "$TEST_DIR/before"
lightc launch busybox c1 >/dev/null
lightc launch busybox c2 >/dev/null
for name in c1 c2; do
        wait_for has_address $name
        wait_for has_ipv6 $name
done
assert_eq "$(chains)" "pre.lightbr0"

step "one does not hear the other's questions"
assert_eq "$(heard)" "end "

step "without the rules it does, and a daemon that starts brings them back"
nft delete table bridge "lightd_$DID"
assert_eq "$(heard)" "dhcp dhcpv6 router-solicitation end "
stop_daemon
start_daemon
assert_eq "$(heard)" "end "

step "a network without DHCP of its own leaves guests to ask each other"
set_dhcp false
assert_eq "$(heard)" "dhcp dhcpv6 router-solicitation end "
set_dhcp true
assert_eq "$(heard)" "end "

step "a second network has rules of its own, which go with it"
assert_json "$(api POST /1.0/networks '{"name":"other"}')" .status_code 200
assert_eq "$(chains)" "pre.lightbr0 pre.other"
assert_json "$(api DELETE /1.0/networks/other)" .status_code 200
assert_eq "$(chains)" "pre.lightbr0"

step "nothing is left"
lightc delete --force c1 c2
census diff "$TEST_DIR/before"
stop_daemon
