#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The newcomer's image: "debian:12" is built from this host's mirrors and boots with systemd, network, names and apt.
# Then COUNT of them at once (3; 40 takes 6 GiB of memory).
# shellcheck disable=SC2034
TEST_NETWORK=host COMMAND_LIMIT=400 WAIT_LIMIT=120
. "$(dirname "$0")/../lib/lib.sh"
need_program mmdebstrap dnsmasq nft
COUNT=${COUNT:-3} BRIDGE=lvt$((RANDOM % 10000))

# "degraded" ends the wait, too, so that the failed units are told and not a time-out.
has_booted() { [[ $(lightc exec "$1" -T -- systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]; }
expect_running() {
        wait_for has_booted "$1" || fail "the system in \"$1\" did not come up: $(lightc console "$1" --show-log | tail -n 5)"
        assert_eq "$(lightc exec "$1" -T -- systemctl --failed --no-legend --plain)" "" "failed units in $1"
        assert_eq "$(lightc exec "$1" -T -- systemctl is-system-running)" running "the system in $1"
        wait_for has_address "$1" || fail "\"$1\" has no address"
}

start_daemon
on_exit 'ip link delete "$BRIDGE" 2>/dev/null; for family in inet bridge; do nft delete table $family "lightd_$DID" 2>/dev/null; done'
lightd init --preseed >/dev/null <<END
storage_pools: [{name: default, driver: overlay}]
networks: [{name: $BRIDGE, type: bridge}]
profiles:
- name: default
  devices:
    root: {type: disk, path: /, pool: default}
    eth0: {type: nic, name: eth0, network: $BRIDGE}
END

step "debian:12 is built and boots"
lightc launch --verbose debian:12 d1
expect_running d1
assert_contains "$(lightc exec d1 -T -- cat /etc/os-release)" 'VERSION_ID="12"'
assert_contains "$(lightc image list --format csv)" "Debian 12"

step "names: its own, and another's by the bridge's dnsmasq"
lightc launch debian:12 d2
expect_running d2
address=$(lightc list '^d2$' --format csv -c 4 | cut -d' ' -f1)
assert_eq "$(lightc exec d1 -T -- hostname)" d1
assert_eq "$(lightc exec d1 -T -- getent ahostsv4 d2.light | awk 'NR == 1 { print $1 }')" "$address" "d2.light"

step "apt-get installs a package in it"
lightc exec d1 -T -- apt-get update -qq >"$TEST_DIR/apt.log" 2>&1 || fail "apt-get update: $(tail -n 3 "$TEST_DIR/apt.log")"
lightc exec d1 -T --env DEBIAN_FRONTEND=noninteractive -- apt-get install -qq -y hello >>"$TEST_DIR/apt.log" 2>&1 ||
        fail "apt-get install: $(tail -n 3 "$TEST_DIR/apt.log")"
assert_eq "$(lightc exec d1 -T -- hello)" "Hello, world!"

step "a clean restart keeps what was written; a clean stop"
lightc restart d1
expect_running d1
assert_eq "$(lightc exec d1 -T -- hello)" "Hello, world!" "after the restart"
lightc stop d1 d2
assert_eq "$(lightc list --format csv -c s | sort -u)" STOPPED

step "$COUNT at once"
census save "$TEST_DIR/before"
for ((i = 1; i <= COUNT; i++)); do
        lightc launch debian:12 "many$i" &
        launches[i]=$!
        ((i % 4)) || wait "${launches[@]}"
done
wait "${launches[@]}"
for ((i = 1; i <= COUNT; i++)); do expect_running "many$i"; done

step "nothing of them is left"
for ((i = 1; i <= COUNT; i++)); do lightc delete --force "many$i"; done
census diff "$TEST_DIR/before"
lightc delete d1 d2
stop_daemon
