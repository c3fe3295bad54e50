#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What an instance and a pool are doing, as LXD's client and ours show it: the same text of the same answers.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq lxc

# What moves between two questions: amounts in use, counters; and LXD's client has interfaces in any order.
settled() { grep -vE '^ *(CPU usage \(|Memory \(|Swap \(|Bytes |Packets |Processes:)' | sort; }
same_page() {
        diff <(lxc info "$@" 2>/dev/null | settled) <(lightc info "$@" | settled) || fail "the pages of $* differ"
}
wait_address() { lightc query /1.0/instances/c1/state | jq -e '.network.eth0.addresses[] | select(.family == "inet")'; }

start_ready_daemon
step "before its first start"
lightc init busybox c1
same_page c1
page=$(lightc info c1)
assert_contains "$page" "Status: STOPPED"
assert_lacks "$page" "PID:"
assert_lacks "$page" "Resources:"
assert_lacks "$page" "Snapshots:"
assert_lacks "$page" "Last Used:"

step "running: processes, processor, memory, network"
lightc start c1
lightc exec c1 -- udhcpc -i eth0 -q -n -f >/dev/null 2>&1 || true
same_page c1
page=$(lightc info c1)
for part in "Status: RUNNING" "Type: container" "Architecture: $(uname -m)" "PID: " "Created: " "Last Used: " "Resources:" \
        "Processes: " "CPU usage (in seconds): " "Memory usage:" "Memory (current): " "Network usage:" "    eth0:" "    lo:" \
        "      Type: broadcast" "      Type: loopback" "Host interface: " "MAC address: " "MTU: 1500" "Bytes received: " \
        "Packets sent: " "        inet:  127.0.0.1/8 (local)"; do
        assert_contains "$page" "$part"
done
assert_contains "$page" "PID: $(lightc query /1.0/instances/c1/state | jq .pid)"

step "its log"
assert_contains "$(lightc info c1 --show-log)" "Log:"
before_console() { sed '/^Console (/,$d'; }
diff <(lxc info c1 --show-log | settled) <(lightc info c1 --show-log | before_console | settled) || fail "the pages with a log differ"
lightc exec c1 -T -- sh -c 'for i in $(seq 30); do echo "line-$i."; done >/dev/console'
shows_last() { lightc info c1 --show-log | grep -q '^line-30\.'; }
wait_for shows_last
assert_contains "$(lightc info c1 --show-log)" "Console (its last 20 lines"
assert_contains "$(lightc info c1 --show-log)" "line-11."
assert_lacks "$(lightc info c1 --show-log)" "line-10."

step "stopped"
lightc stop -f c1
same_page c1
assert_lacks "$(lightc info c1)" "Resources:"
assert_contains "$(lightc info c1 --show-log)" "line-30."
assert_contains "$(lightc info c1)" "Last Used: "

step "a pool: what its filesystem says"
got=$(lightc query /1.0/storage-pools/default/resources)
path=$(lightc query /1.0/storage-pools/default | jq -r .config.source)
assert_json "$got" .space.total "$(stat -f -c "%b %S" "$path" | awk "{ printf \"%.0f\", \$1 * \$2 }")"
assert_json "$got" .inodes.total "$(stat -f -c %c "$path")"
assert_json "$got" '.space.used > 0 and .space.used < .space.total and .inodes.used > 0' true
for option in "" --bytes; do
        # shellcheck disable=SC2086
        diff <(lxc storage info default $option | grep -v 'space used' | sort) \
                <(lightc storage info default $option | grep -v 'space used' | sort) || fail "the pages of the pool differ"
done
lightc delete c1
stop_daemon
