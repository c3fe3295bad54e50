#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the machine is made of, as the kernel's own files have it.
. "$(dirname "$0")/../lib/lib.sh"
need_program jq lxc

start_ready_daemon
step "as the kernel says it"
got=$(lightc query /1.0/resources)
assert_json "$got" .cpu.total "$(grep -c ^processor /proc/cpuinfo)"
assert_json "$got" .cpu.architecture "$(uname -m)"
assert_json "$got" '[.cpu.sockets[].cores[].threads[]] | length' "$(grep -c ^processor /proc/cpuinfo)"
assert_json "$got" .memory.total "$(awk '/^MemTotal/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)"
for disk in /sys/block/*/device; do
        [ -e "$disk" ] || continue
        name=$(basename "$(dirname "$disk")")
        assert_json "$got" ".storage.disks[] | select(.id == \"$name\") | .size" "$(($(cat "/sys/block/$name/size") * 512))"
done
if [ -d /sys/bus/pci/devices ]; then assert_json "$got" .pci.total "$(ls /sys/bus/pci/devices | wc -l)"; fi
for part in cpu memory gpu network storage usb pci system; do assert_json "$got" "has(\"$part\")" true; done

step "as a person reads it; LXD's client wants more of a graphics card than there is here, and says so"
assert_fails "v2 resources API" lxc info --resources
assert_contains "$(lightc info --resources)" "architecture: $(uname -m)"
stop_daemon
