#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A managed bridge from its creation to its end, by a daemon of its own in a network namespace of its own: subnets, NAT,
# DHCP, names, router announcements; dnsmasq killed; the daemon killed; the bridge taken away behind its back; deletion.
set -u
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
for tool in ip nft dnsmasq busybox curl; do
        command -v $tool > /dev/null || { echo "needs $tool"; exit 77; }
done
if [ -z "${NETWORK_TEST_INSIDE:-}" ]; then
        BIN=$(realpath "$BIN") NETWORK_TEST_INSIDE=1 exec unshare --net --mount "$(realpath "$0")"
fi

T=$(mktemp -d /tmp/network.XXXXXX) FAILED=0 DAEMON=
export LIGHTD_DIR=$T/state
CLIENT=client-$$ OUTSIDE=outside-$$ MAC=00:16:3e:aa:00:01

is() { # what, got, wanted
        [ "$2" = "$3" ] && return
        echo "FAILED $1: got '$2', wanted '$3'"
        FAILED=1
}
has() { # what, got, part
        case "$2" in *"$3"*) return ;; esac
        echo "FAILED $1: '$2' does not contain '$3'"
        FAILED=1
}
lacks() { # what, got, part
        case "$2" in *"$3"*) echo "FAILED $1: '$2' contains '$3'"; FAILED=1 ;; esac
}
until_true() { # waits for a condition, 30 s at most
        local end=$((SECONDS + 30))
        until eval "$1"; do
                [ $SECONDS -lt $end ] || { echo "FAILED waiting for: $1"; FAILED=1; return 1; }
                read -rt 0.05 <> <(:)
        done
}

# /sys/class/net shows the namespace it was mounted in; /run/lightd is ours alone.
umount -R /sys && mount -t sysfs sysfs /sys && mount -t cgroup2 none /sys/fs/cgroup || exit 1
mkdir -p /run/lightd && mount -t tmpfs -o mode=0711 tmpfs /run/lightd || exit 1
chmod 711 "$T"
ip link set lo up

api() { # method, path, body
        curl -s --max-time 20 --unix-socket "$LIGHTD_DIR/unix.socket" -X "$1" "http://unix$2" ${3:+-d "$3"}
}
start_daemon() {
        "$BIN/lightd" 2>> "$T/log" &
        DAEMON=$!
        until_true 'api GET /1.0 | grep -q api_version'
        until_true '! api GET "/1.0/networks?recursion=1" | grep -q Pending'
        DID=$(basename "$(echo /run/lightd/????)")
        CGROUP=/sys/fs/cgroup/lightd-$DID
}
stop_daemon() { # signal
        kill "-$1" $DAEMON
        wait $DAEMON 2> /dev/null
        DAEMON=
}
dnsmasq_pid() { head -1 "$CGROUP/net/nb0/cgroup.procs" 2> /dev/null; }
inside() { ip netns exec $CLIENT "$@"; }
cleanup() {
        [ -z "$DAEMON" ] || stop_daemon TERM
        ip netns del $CLIENT 2> /dev/null
        ip netns del $OUTSIDE 2> /dev/null
        if [ -n "${CGROUP:-}" ]; then
                [ -d "$CGROUP/net/nb0" ] && echo 1 > "$CGROUP/net/nb0/cgroup.kill"
                until_true "! grep -q 'populated 1' $CGROUP/cgroup.events"
                find "$CGROUP" -depth -type d -exec rmdir {} \; 2> /dev/null
        fi
        rm -rf "$T"
}
trap cleanup EXIT

lease() { # gets an address as a guest does; prints "<address> <router> <dns> <domain>"
        cat > "$T/bound" << 'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr replace "$ip/$mask" dev "$interface"
ip route replace default via "$router"
echo "$ip $router $dns $domain"
END
        chmod 755 "$T/bound"
        inside busybox udhcpc -i eth0 -n -q -t 10 -T 1 -s "$T/bound" 2> /dev/null | tail -1
}
answer() { # name: the addresses the bridge's dnsmasq gives for it
        inside busybox nslookup "$1" "$GATEWAY" 2> /dev/null | sed -n '3,$s/^Address: //p' | tr '\n' ' '
}

echo "== create"
start_daemon
has "create" "$(api POST /1.0/networks '{"name":"nb0"}')" '"status_code":200'
network=$(api GET /1.0/networks/nb0)
has "status" "$network" '"status":"Created"'
has "nat by default" "$network" '"ipv4.nat":"true"'
ADDRESS=$(ip -4 -o addr show nb0 | awk '{print $4}')
GATEWAY=${ADDRESS%/*}
is "a /20" "${ADDRESS#*/}" 20
has "the bridge's address is the object's" "$network" "\"ipv4.address\":\"$ADDRESS\""
has "an IPv6 network" "$(ip -6 -o addr show nb0)" "fd42:"
has "masquerading" "$(nft list table inet "lightd_$DID")" "masquerade"
has "an interface that exists is refused" "$(api POST /1.0/networks '{"name":"lo"}')" "exists already on this host"
has "an overlap is refused" "$(api POST /1.0/networks "{\"name\":\"nb1\",\"config\":{\"ipv4.address\":\"$ADDRESS\"}}")" "overlaps"
has "an unknown key is refused by name" "$(api POST /1.0/networks '{"name":"nb1","config":{"bridge.magic":"1"}}')" "bridge.magic"
is "nothing is left of what was refused" "$(ip -o link show type bridge | wc -l)" 1

echo "== a guest"
# What the start of an instance does: its entry, its veth pair.
echo "$MAC,c1" > "/run/lightd/$DID/networks/nb0/hosts/c1.default.eth0"
chgrp --reference="/run/lightd/$DID/networks/nb0/hosts" "/run/lightd/$DID/networks/nb0/hosts/c1.default.eth0"
chmod 640 "/run/lightd/$DID/networks/nb0/hosts/c1.default.eth0"
kill -HUP "$(cat "/run/lightd/$DID/networks/nb0/dnsmasq.pid")"
ip netns add $CLIENT
ip link add vguest type veth peer name eth0 address $MAC netns $CLIENT
ip link set vguest master nb0 up
inside ip link set lo up
inside ip link set eth0 up
read -r ip router dns domain <<< "$(lease)"
is "the router is the bridge" "$router" "$GATEWAY"
is "so is the name server" "$dns" "$GATEWAY"
is "the domain" "$domain" light
has "its name is answered" "$(answer c1.light)" "$ip "
has "the gateway's too" "$(answer _gateway.light)" "$GATEWAY "
is "a name nobody has is not" "$(answer c2.light)" ""
leases=$(api GET /1.0/networks/nb0/leases)
has "the lease is shown" "$leases" "\"hostname\":\"c1\",\"hwaddr\":\"$MAC\",\"address\":\"$ip\",\"type\":\"dynamic\""
has "and the gateway" "$leases" '"hostname":"nb0.gw"'
until_true 'inside ip -6 -o addr show dev eth0 scope global | grep -q fd42:'
state=$(api GET /1.0/networks/nb0/state)
has "the port is shown" "$state" '"upper_devices":["vguest"]'
has "the address is shown" "$state" "\"address\":\"$GATEWAY\""

echo "== NAT"
# The host outside knows no way back to the bridge's network: an answer comes only to the masqueraded address.
ip netns add $OUTSIDE
ip link add up0 type veth peer name eth0 netns $OUTSIDE
ip addr add 198.51.100.1/24 dev up0
ip link set up0 up
ip -n $OUTSIDE addr add 198.51.100.2/24 dev eth0
ip -n $OUTSIDE link set eth0 up
inside busybox ping -c 1 -W 5 198.51.100.2 > /dev/null
is "the guest reaches the outside" $? 0

echo "== dnsmasq is killed"
old=$(dnsmasq_pid)
kill -9 "$old"
until_true '[ -n "$(dnsmasq_pid)" ] && [ "$(dnsmasq_pid)" != "$old" ]'
until_true '[ -n "$(answer c1.light)" ]'
has "its end is logged" "$(cat "$T/log")" "dnsmasq ended"

echo "== the daemon is killed"
old=$(dnsmasq_pid)
stop_daemon KILL
is "dnsmasq lives on" "$(dnsmasq_pid)" "$old"
start_daemon
is "and is kept" "$(dnsmasq_pid)" "$old"
kill -9 "$old"
until_true '[ -n "$(dnsmasq_pid)" ] && [ "$(dnsmasq_pid)" != "$old" ]'

echo "== repair and sweep at start"
stop_daemon TERM
nft delete table inet "lightd_$DID"
ip addr flush dev nb0
ip link set nb0 down
ip link add stray0 type bridge
ip link set stray0 alias "lightd_$DID"
ip link add other0 type bridge
start_daemon
has "the rules are back" "$(nft list table inet "lightd_$DID" 2>&1)" "masquerade"
has "the address is back" "$(ip -4 -o addr show nb0)" "$ADDRESS"
is "a bridge of ours nobody names has gone" "$(ip -o link show stray0 2> /dev/null)" ""
has "somebody else's has not" "$(ip -o link show other0)" other0
until_true '[ "$(lease | cut -d" " -f1)" = "$ip" ]'

echo "== change"
has "change" "$(api PATCH /1.0/networks/nb0 '{"config":{"ipv4.address":"10.254.7.1/24","bridge.mtu":"1400","dns.domain":"lab","ipv4.nat":"false"}}')" '"status_code":200'
GATEWAY=10.254.7.1
is "the only IPv4 address" "$(ip -4 -o addr show nb0 | awk '{print $4}')" 10.254.7.1/24
has "the MTU" "$(ip -o link show nb0)" "mtu 1400"
inside ip -4 addr flush dev eth0
read -r ip router dns domain <<< "$(lease)"
is "the new domain" "$domain" lab
has "an address of the new network" "$ip" 10.254.7.
lacks "no NAT for IPv4" "$(nft list table inet "lightd_$DID")" "ip saddr"
before=$(api GET /1.0/networks/nb0)
has "a change that cannot be is refused" "$(api PATCH /1.0/networks/nb0 '{"config":{"bridge.mtu":"1"}}')" '"type":"error"'
is "and changes nothing" "$(api GET /1.0/networks/nb0)" "$before"

echo "== delete"
ip netns del $CLIENT
has "delete" "$(api DELETE /1.0/networks/nb0)" '"status_code":200'
is "the bridge has gone" "$(ip -o link show nb0 2> /dev/null)" ""
is "the rules have gone" "$(nft list tables)" ""
is "dnsmasq has gone" "$(dnsmasq_pid)" ""
is "its cgroup has gone" "$(ls -d "$CGROUP/net" 2> /dev/null)" ""
is "its files have gone" "$(ls "/run/lightd/$DID/networks")" ""
stop_daemon TERM
lacks "no error in the log" "$(cat "$T/log")" " error: "

[ $FAILED = 0 ] && echo "network: fine"
exit $FAILED
