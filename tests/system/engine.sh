#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The container engine alone: lightrun's start, monitor, teardown, volume and layer jobs with hand-written specs.
# DEBIAN may name an unpacked Debian 12 with systemd: then that is started, too.
set -u
HERE=$(dirname "$0")
RUN_JOB=$HERE/../lib/run-job CLIENT=$HERE/../lib/monitor-client
RUN=$BIN/lightrun
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }

T=$(mktemp -d /tmp/engine.XXXXXX) TREE=lightd-test-engine-$$ FAILED=0 BRIDGE=lvtest$((RANDOM % 1000))
chmod 711 "$T"
V2=/sys/fs/cgroup/unified
[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] && V2=/sys/fs/cgroup

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
                read -rt 0.02 <> <(:)
        done
}
census() { # what a container may leave: mounts, groups, interfaces, loops
        { wc -l < /proc/self/mountinfo; find /sys/fs/cgroup -path "*$TREE/*" -type d; ip -o link | grep -c 'lvt'
          losetup -j "$T/layer.squashfs" 2> /dev/null | wc -l; ls "$T/run" 2> /dev/null; pgrep -fc "^$RUN start"; } | tr '\n' ' '
}
IDS() { echo "\"idmap\":{\"base\":$((2000000 + 65536 * $1)),\"size\":65536}"; }
start() { # num, more keys of the spec (with a leading comma) → PID or ERROR; LAYER, IDMAP and INIT may be set
        local n=$1 cg=$TREE/$1
        mkdir -p "$V2/$cg/monitor" "$V2/$cg/payload" "$T/run" "$T/vol"
        echo "{\"version\":1,\"name\":\"c$n\",\"project\":\"default\",\"num\":$n,\"run_dir\":\"$T/run/$n\",
          \"console_log\":\"$T/console$n\",\"cgroup\":\"$cg\",${IDMAP:-$(IDS "$n")},\"init\":${INIT:-[\"/sbin/init\"]},
          \"rootfs\":{\"type\":\"overlay\",\"lowers\":[\"${LAYER:-$T/layer}\"],\"volume\":\"$T/vol/$n\",
          \"create\":true}${2:-}}" > "$T/spec"
        "$RUN_JOB" --no-wait --cgroup "$V2/$cg/monitor" "$RUN" start "@$T/spec" > "$T/answer" 2> "$T/stderr"
        PID=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$T/answer")
        ERROR=$(grep '"error"' "$T/answer")
}
started() { start "$@"; [ -n "$PID" ] || { cat "$T/answer" "$T/stderr"; exit 1; }; }
teardown() { # num, interfaces
        timeout 60 "$RUN_JOB" "$RUN" teardown "{\"cgroup\":\"$TREE/$1\",\"run_dir\":\"$T/run/$1\",\"nics\":[${2:-}],
          \"num\":$1}" > "$T/answer" || { cat "$T/answer"; FAILED=1; }
        rm -rf "$T/vol/$1"
}
inside() { timeout 20 nsenter -t "$PID" ${USERNS--U} -m -p -n -u -i -C --setuid 0 --setgid 0 "$@" 2>&1; }
ask() { "$CLIENT" "$T/run/$1/monitor.sock" "${@:2}"; }

finish() {
        for n in "$T"/run/*; do [ -d "$n" ] && teardown "${n##*/}"; done
        "$RUN_JOB" "$RUN" layer-unmount "{\"target\":\"$T/layers/x\"}" > /dev/null
        ip link del "$BRIDGE" 2> /dev/null
        for d in /sys/fs/cgroup/*/"$TREE" /sys/fs/cgroup/"$TREE"; do [ -d "$d" ] && find "$d" -depth -type d -exec rmdir {} +; done
        rm -rf "$T"
}
trap finish EXIT

# A layer with what a hostile image may hold: device nodes that work for whoever may open them.
"$HERE/../lib/busybox-rootfs" "$T/layer" || exit 1
mkdir "$T/layer/hostile"
mknod -m 666 "$T/layer/hostile/zero" c 1 5
mknod -m 666 "$T/layer/hostile/fuse" c 10 229
ip link add "$BRIDGE" type bridge && ip link set "$BRIDGE" up
BEFORE=$(census)

test_isolation() {
        started 1 ",\"nics\":[{\"host_name\":\"lvt1\",\"bridge\":\"$BRIDGE\",\"name\":\"eth0\",\"hwaddr\":\"00:16:3e:0a:0b:0c\",
          \"mtu\":1400}],\"uuid\":\"8d2c1f0e-5f4b-4c9c-9d6e-0a1b2c3d4e5f\",\"environment\":{\"A\":\"b c\"},
          \"files\":[{\"path\":\"/etc/new/hostname\",\"content\":\"c1\\n\",\"mode\":384}],\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}"
        for ns in user mnt pid net uts ipc cgroup; do
                [ "$(readlink /proc/$PID/ns/$ns)" = "$(readlink /proc/self/ns/$ns)" ] && is "namespace $ns" same other
        done
        is "ids" "$(tr -s ' ' < /proc/$PID/uid_map)" " 0 $((2000000 + 65536)) 65536"
        is "group ids" "$(tr -s ' ' < /proc/$PID/gid_map)" " 0 $((2000000 + 65536)) 65536"
        is "groups of init" "$(sed -n 's/^Groups:[ \t]*//p' /proc/$PID/status)" ""
        is "inheritable" "$(sed -n 's/CapInh:\t//p' /proc/$PID/status)" 0000000000000000
        is "ambient" "$(sed -n 's/CapAmb:\t//p' /proc/$PID/status)" 0000000000000000
        # without sys_module, sys_rawio, sys_time, mac_admin, mac_override (and what the host's root lacks does not matter)
        is "bounding" $(( 0x$(sed -n 's/CapBnd:\t//p' /proc/$PID/status) & (1<<16|1<<17|1<<25|1<<32|1<<33) )) 0
        is "effective is bounding" "$(sed -n 's/CapEff:\t//p' /proc/$PID/status)" "$(sed -n 's/CapBnd:\t//p' /proc/$PID/status)"
        is "seccomp" "$(sed -n 's/Seccomp:\t//p' /proc/$PID/status)" 2
        is "no_new_privs" "$(sed -n 's/NoNewPrivs:\t//p' /proc/$PID/status)" 0
        is "oom score" "$(cat /proc/$PID/oom_score_adj)" 0
        is "environment" "$(tr '\0' '|' < /proc/$PID/environ)" \
           "container=lxc|container_uuid=8d2c1f0e-5f4b-4c9c-9d6e-0a1b2c3d4e5f|HOME=/|TERM=linux|PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|A=b c|"
        is "descriptors of init" "$(ls /proc/$PID/fd | tr '\n' ' ')" "0 1 2 "
        is "console" "$(readlink /proc/$PID/fd/0)" /dev/console
        is "own groups" "$(grep -cv "/$TREE/1/payload$" /proc/$PID/cgroup)" 0
        local mounts; mounts=$(cat /proc/$PID/mountinfo)
        lacks "host paths in mountinfo" "$mounts" "$T"
        lacks "host paths in mountinfo" "$mounts" /var/lib
        is "inside: cgroup" "$(inside cat /proc/1/cgroup | grep -c ':/$')" "$(wc -l < /proc/$PID/cgroup)"
        is "host name" "$(inside hostname)" c1
        is "file" "$(inside stat -c '%a %u %g' /etc/new/hostname) $(inside cat /etc/new/hostname)" "600 0 0 c1"
        is "sysctl" "$(inside cat /proc/sys/net/ipv4/ip_forward)" 1
        is "owner of /" "$(inside stat -c '%u %g' /)" "0 0"
        is "interface" "$(inside cat /sys/class/net/eth0/address /sys/class/net/eth0/mtu | tr '\n' ' ')" "00:16:3e:0a:0b:0c 1400 "
        has "interface is up" "$(inside ip link show eth0)" ",UP"
        has "loopback is up" "$(inside ip link show lo)" ",UP"
        is "IPv6 on the host's end" "$(cat /proc/sys/net/ipv6/conf/lvt1/disable_ipv6)" 1
        has "bridge port" "$(ip link show lvt1)" "master $BRIDGE"
        is "hosts' end address" "$(cat /sys/class/net/lvt1/address)" fe:16:3e:0a:0b:0c
        is "nodes in /dev" "$(inside sh -c 'cd /dev; find . -type b -o -type c | grep -v pts | sort | tr "\n" " "')" \
           "./console ./full $([ -e /dev/fuse ] && echo './fuse ')$([ -e /dev/net/tun ] && echo './net/tun ')./null ./random ./tty ./urandom ./zero "
        has "a shared root inside" "$mounts" " / / rw,nodev,relatime shared:"
        inside mount -t tmpfs inner /mnt > /dev/null
        lacks "a guest's mount on the host" "$(cat /proc/self/mountinfo)" "inner"
        # Nodes of the image do not work, and the flag cannot be taken off.
        has "node in a layer" "$(inside head -c1 /hostile/zero)" "ermission denied"
        inside mount -o remount,dev / > /dev/null
        inside mount -o remount,bind,dev / > /dev/null
        has "node in a layer after a remount" "$(inside head -c1 /hostile/zero)" "ermission denied"
        has "fuse node in a layer" "$(inside sh -c ': < /hostile/fuse')" "ermission denied"
        has "a node of its own" "$(inside mknod /tmp/n c 1 5)" "not permitted"
        has "remounting /sys" "$(inside sh -c 'mount -o remount,rw /sys && touch /sys/kernel/x; echo 1 > /sys/kernel/mm/ksm/run')" "ermission denied"
        has "the host's sysctl" "$(inside sh -c 'echo x > /proc/sys/kernel/core_pattern')" "ermission denied"
        teardown 1 '"lvt1"'
}

test_monitor() {
        started 1
        local m; m=$(cat "$V2/$TREE/1/monitor/cgroup.procs")
        has hello "$(ask 1 HELLO)" "\"pid\": $PID"
        has status "$(ask 1 STATUS)" '"console_attached": false'
        has hotplug "$(ask 1 HOTPLUG)" '"reason": "unsupported"'
        has "bad signal" "$(ask 1 SIGNAL '{"signal":99}')" '"reason": "bad-request"'
        is "socket" "$(stat -c '%a %u' "$T/run/1/monitor.sock")" "600 0"
        is "run directory" "$(stat -c %a "$T/run/1")" 700
        is "capabilities of the monitor" "$(sed -n 's/CapEff:\t//p' /proc/$m/status)" 0000000000000020
        is "session of the monitor" "$(cut -d' ' -f6 /proc/$m/stat)" "$m"
        inside sh -c 'echo from-the-guest > /dev/console'
        until_true 'ask 1 CONSOLE "{\"command\":\"log\"}" | grep -q from-the-guest'
        has "console log" "$(cat "$T/console1")" from-the-guest
        is "console log mode" "$(stat -c %a "$T/console1")" 600
        # The guest reads its console, the viewer sees the echo; what came before is shown first.
        inside sh -c 'head -n1 < /dev/console > /tmp/line' & local reader=$!
        has "console" "$("$CLIENT" "$T/run/1/monitor.sock" --console typed-by-us typed-by-us)" from-the-guest
        wait $reader
        is "typed line" "$(inside cat /tmp/line)" typed-by-us
        is "clear" "$(ask 1 CONSOLE '{"command":"clear"}')" "{}"
        has "cleared" "$(ask 1 CONSOLE '{"command":"log"}')" '"ring_bytes": 0'
        has "poweroff" "$(ask 1 --stop 12)" '"signal": 2, "reboot": false'
        has "exit.json" "$(cat "$T/run/1/exit.json")" '"signal":2,"reboot":false'
        until_true '[ -z "$(cat "$V2/$TREE/1/monitor/cgroup.procs")" ]'
        teardown 1

        started 1
        has "reboot" "$(ask 1 --stop 15)" '"signal": 1, "reboot": true'
        teardown 1

        started 1
        is "quit" "$(ask 1 QUIT)" "{}"
        until_true '[ -f "$T/run/1/exit.json" ]'
        has "killed" "$(cat "$T/run/1/exit.json")" '"signal":9'
        teardown 1

        INIT='["/bin/sh","-c","exit 7"]' started 1
        until_true '[ -f "$T/run/1/exit.json" ]'
        has "exit status" "$(cat "$T/run/1/exit.json")" '"status":7,"signal":0'
        teardown 1

        started 1
        kill -9 "$(cat "$V2/$TREE/1/monitor/cgroup.procs")"
        teardown 1
        has "container of a dead monitor" "$(grep State /proc/$PID/status 2> /dev/null || echo '(zombie)')" zombie
}

test_failures() {
        INIT='["/no/such"]' start 1
        has "missing init" "$ERROR" 'Init \"/no/such\" of instance \"c1\" cannot run'
        INIT='["/etc/passwd"]' start 1
        has "not a program" "$ERROR" 'Init \"/etc/passwd\" of instance \"c1\" cannot run: Permission denied'
        start 1 ',"nics":[{"host_name":"lvt1","bridge":"nosuch0","name":"eth0"}]'
        has "missing bridge" "$ERROR" 'Bridge \"nosuch0\"'
        is "its interface" "$(ip -o link | grep -c lvt1)" 0
        LAYER=$T/nosuch start 1
        has "missing layer" "$ERROR" "$T/nosuch"
        start 1 ',"mounts":[{"source":"/nosuch","target":"/mnt"}]'
        has "missing source" "$ERROR" '/nosuch'
        is "processes of failed starts" "$(cat "$V2/$TREE/1/payload/cgroup.procs")" ""
        teardown 1
        teardown 1 # twice is fine
        # An image with links where the kernel's file systems go must not move them elsewhere.
        cp -a "$T/layer" "$T/links" && rmdir "$T/links/proc" && ln -s /etc "$T/links/proc"
        LAYER=$T/links start 1
        has "a link for /proc" "$ERROR" 'Mounting \"/proc\"'
        teardown 1
}

test_mounts() {
        mkdir "$T/disk" "$T/disk/sub" && echo content > "$T/disk/file" && chown 5:5 "$T/disk/file"
        # A link in the image that climbs out leads nowhere but inside.
        cp -a "$T/layer" "$T/climb" && ln -s ../../../../../.. "$T/climb/out"
        LAYER=$T/climb started 1 ",\"mounts\":[{\"source\":\"$T/disk\",\"target\":\"/mnt/a/b\",\"shift\":true},
          {\"source\":\"$T/disk\",\"target\":\"/out/climbed\",\"readonly\":true},
          {\"source\":\"$T/disk/file\",\"target\":\"/etc/one\",\"shift\":true},
          {\"type\":\"tmpfs\",\"target\":\"/scratch\",\"options\":\"size=1m,mode=700\"},
          {\"source\":\"/nosuch\",\"target\":\"/x\",\"optional\":true}],
          \"devices\":[{\"type\":\"unix-char\",\"source\":\"/dev/zero\",\"path\":\"/dev/mine\",\"uid\":7,\"gid\":8,\"mode\":416}],
          \"limits\":{\"memory_max\":67108864,\"pids_max\":50,\"cpus\":\"0\",\"cpu_shares\":512}"
        is "shifted" "$(inside stat -c '%u %g' /mnt/a/b/file)" "5 5"
        is "written as root" "$(inside sh -c 'echo x > /mnt/a/b/new'; stat -c %u "$T/disk/new")" 0
        is "inside the root" "$(inside cat /climbed/file)" content
        has "read-only" "$(inside touch /climbed/x)" "ead-only"
        inside mount -o remount,bind,rw /climbed > /dev/null
        has "still read-only" "$(inside touch /climbed/x)" "ead-only"
        is "a single file" "$(inside cat /etc/one)" content
        has "tmpfs" "$(inside mount)" "on /scratch type tmpfs (rw,nosuid,nodev"
        is "device" "$(inside stat -c '%a %u %g' /dev/mine) $(inside sh -c 'head -c4 /dev/mine | od -An -tx1')" "640 7 8  00 00 00 00"
        if [ -d /sys/fs/cgroup/memory ]; then
                is "memory" "$(cat /sys/fs/cgroup/memory/$TREE/1/payload/memory.limit_in_bytes)" 67108864
                is "processes" "$(cat /sys/fs/cgroup/pids/$TREE/1/payload/pids.max)" 50
                is "cpu shares" "$(cat /sys/fs/cgroup/cpu/$TREE/1/payload/cpu.shares)" 512
                is "devices" "$(grep -c 'c 1:5 rwm' /sys/fs/cgroup/devices/$TREE/1/payload/devices.list)" 1
        else
                is "memory" "$(cat "$V2/$TREE/1/memory.max")" 67108864
                is "processes" "$(cat "$V2/$TREE/1/pids.max")" 50
        fi
        is "processors" "$(sed -n 's/Cpus_allowed_list:\t//p' /proc/$PID/status)" 0
        teardown 1
}

test_privileged() {
        local USERNS=
        IDMAP='"privileged":true' started 1
        is "same user namespace" "$(readlink /proc/$PID/ns/user)" "$(readlink /proc/self/ns/user)"
        for ns in mnt pid net uts ipc cgroup; do
                [ "$(readlink /proc/$PID/ns/$ns)" = "$(readlink /proc/self/ns/$ns)" ] && is "namespace $ns" same other
        done
        is "capabilities" $(( 0x$(sed -n 's/CapEff:\t//p' /proc/$PID/status) & (1<<16|1<<17|1<<25|1<<32|1<<33) )) 0
        has "proc/sys" "$(inside sh -c 'echo x > /proc/sys/kernel/core_pattern')" "ead-only"
        [ -e /proc/sysrq-trigger ] && has "sysrq" "$(inside sh -c 'echo h > /proc/sysrq-trigger')" "ead-only"
        is "keys" "$(inside cat /proc/keys)" ""
        has "sys" "$(inside sh -c 'echo 1 > /sys/kernel/mm/ksm/run')" "ead-only"
        [ -d /sys/fs/cgroup/devices ] && lacks "device policy" "$(cat /sys/fs/cgroup/devices/$TREE/1/payload/devices.list)" "a *:*"
        teardown 1
}

test_device_policy() {
        local user
        for user in "$(IDS 1)" '"privileged":true'; do
                IDMAP=$user INIT='["/bin/sh","-c","rm -f /n; mknod /n c 1 11; head -c1 /n; head -c1 /hostile/fuse"]' started 1
                until_true '[ -f "$T/run/1/exit.json" ]'
                lacks "a node outside the policy" "$(cat "$T/console1")" "<"
                has "a node outside the policy" "$(cat "$T/console1")" "ot permitted"
                rm -f "$T/console1"
                teardown 1
        done
}

test_lxcfs() {
        command -v lxcfs > /dev/null && [ -e /dev/fuse ] || return 0
        mkdir "$T/lxcfs"
        lxcfs -f -p "$T/lxcfs.pid" "$T/lxcfs" > "$T/lxcfs.log" 2>&1 & local daemon=$!
        until_true '[ -f "$T/lxcfs/proc/meminfo" ]'
        started 1 ",\"lxcfs\":\"$T/lxcfs\",\"limits\":{\"memory_max\":67108864}"
        has "memory shown" "$(inside cat /proc/meminfo)" "MemTotal:          65536 kB"
        [ "$(grep -c ' - fuse.lxcfs ' /proc/$PID/mountinfo)" -ge 8 ] || is "its files" few "8 or more"
        teardown 1
        kill "$daemon" && wait "$daemon" 2> /dev/null
        umount -l "$T/lxcfs" 2> /dev/null
}

test_nesting() {
        started 1 ',"nesting":true'
        has "uncovered proc" "$(inside mount)" "on /dev/.lxc/proc type proc (rw"
        has "uncovered sys" "$(inside mount)" "on /dev/.lxc/sys type sysfs (rw"
        has "a real directory for engines" "$(inside mount)" "on /var/lib/docker type"
        is "its owner" "$(inside stat -c '%u %g' /var/lib/docker)" "0 0"
        # A container in the container: its own user, mount and pid namespaces with a fresh proc, sysfs and overlay.
        is "nested proc" "$(inside unshare -Urmpf sh -c 'mount -t proc proc /proc && echo $$')" 1
        is "nested overlay" "$(inside unshare -m sh -c 'cd /var/lib/docker && mkdir u w m && mount -t overlay o -o lowerdir=/etc,upperdir=u,workdir=w m && touch m/x && ls u')" x
        inside rm -rf /var/lib/docker/u /var/lib/docker/w /var/lib/docker/m
        teardown 1
        started 1
        has "nothing of it without nesting" "$(inside ls /dev/.lxc)" "No such file"
        teardown 1
}

test_layer() {
        command -v mksquashfs > /dev/null || return 0
        mksquashfs "$T/layer" "$T/layer.squashfs" -quiet -no-progress > /dev/null || return 0
        local args="{\"image\":\"$T/layer.squashfs\",\"target\":\"$T/layers/x\"}"
        is "mounted" "$("$RUN_JOB" "$RUN" layer-mount "$args")" '{"result":{}}'
        is "mounted again" "$("$RUN_JOB" "$RUN" layer-mount "$args")" '{"result":{}}'
        is "one mount" "$(grep -c "$T/layers/x" /proc/self/mountinfo)" 1
        has "flags" "$(grep "$T/layers/x" /proc/self/mountinfo)" " ro,nosuid,nodev"
        is "parent" "$(stat -c %a "$T/layers")" 700
        LAYER=$T/layers/x start 1
        # Kernels before 6.2 cannot: the start says so, the daemon unpacks such an image instead.
        case "$ERROR" in
        *"cannot map the ids"*) ;;
        *) is "a container on it" "$(inside stat -c '%u' /bin/busybox)" 0 ;;
        esac
        teardown 1
        is "unmounted" "$("$RUN_JOB" "$RUN" layer-unmount "$args")" '{"result":{}}'
        is "unmounted again" "$("$RUN_JOB" "$RUN" layer-unmount "$args")" '{"result":{}}'
}

test_volume() {
        is "create" "$("$RUN_JOB" "$RUN" volume-create "{\"path\":\"$T/v\",\"type\":\"dir\"}")" '{"result":{}}'
        is "volume" "$(stat -c '%a' "$T/v" "$T/v/rootfs" | tr '\n' ' ')" "700 755 "
        cp -a "$T/layer/." "$T/v/rootfs"
        # A dir volume is one id-mapped bind.
        local n=1 cg=$TREE/1
        mkdir -p "$V2/$cg/monitor" "$V2/$cg/payload"
        "$RUN_JOB" --no-wait --cgroup "$V2/$cg/monitor" "$RUN" start "{\"version\":1,\"name\":\"c1\",\"num\":1,
          \"run_dir\":\"$T/run/1\",\"cgroup\":\"$cg\",$(IDS 1),\"rootfs\":{\"type\":\"dir\",\"volume\":\"$T/v\"}}" > "$T/answer"
        PID=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$T/answer")
        [ -n "$PID" ] || { cat "$T/answer"; FAILED=1; return; }
        inside sh -c 'echo x > /made; mkdir -p /deep; chown 3:4 /made'
        is "ids on disk" "$(stat -c '%u %g' "$T/v/rootfs/made")" "3 4"
        has "node in a dir volume" "$(inside head -c1 /hostile/zero)" "ermission denied"
        teardown 1
        # Deeper than a recursion has descriptors for.
        python3 -c 'import os, sys
os.chdir(sys.argv[1])
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")' "$T/v/rootfs/deep"
        ln -s /etc "$T/v/rootfs/deep/link"
        is "delete" "$("$RUN_JOB" "$RUN" volume-delete "{\"path\":\"$T/v\"}")" '{"result":{}}'
        is "deleted" "$(ls -d "$T/v" 2> /dev/null)" ""
        is "delete again" "$("$RUN_JOB" "$RUN" volume-delete "{\"path\":\"$T/v\"}")" '{"result":{}}'
}

test_systemd() {
        [ -d "${DEBIAN:-}" ] || return 0
        LAYER=$DEBIAN started 1 ",\"nics\":[{\"host_name\":\"lvt1\",\"bridge\":\"$BRIDGE\",\"name\":\"eth0\",
          \"hwaddr\":\"00:16:3e:0a:0b:0d\"}]"
        local address=""
        if command -v dnsmasq > /dev/null; then
                ip addr add 10.213.77.1/24 dev "$BRIDGE" 2> /dev/null
                dnsmasq -k -C /dev/null --no-resolv --no-hosts --port=0 --interface="$BRIDGE" --bind-interfaces \
                        --dhcp-range=10.213.77.10,10.213.77.90 --dhcp-leasefile="$T/leases" --pid-file= > "$T/dnsmasq" 2>&1 & local dhcp=$!
                address=10.213.77.
        fi
        until_true 'inside systemctl is-system-running 2>&1 | grep -Eq "^(running|degraded)$"'
        is "state" "$(inside systemctl is-system-running)" running
        is "failed units" "$(inside systemctl --failed --no-legend --no-pager)" ""
        [ -n "$address" ] && until_true 'inside ip -4 addr show eth0 | grep -q "inet 10.213.77."'
        has "stop" "$(ask 1 --stop 37)" '"signal": 2, "reboot": false'
        [ -n "${dhcp:-}" ] && kill "$dhcp" && wait "$dhcp" 2> /dev/null
        teardown 1 '"lvt1"'
}

for t in ${TESTS:-isolation monitor failures mounts privileged device_policy lxcfs nesting layer volume systemd}; do
        "test_$t"
        is "census after $t" "$(census)" "$BEFORE"
done
[ $FAILED = 0 ] && echo ok
exit $FAILED
