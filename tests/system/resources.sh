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

step "as a person reads it: LXD's client and ours write the same page"
same_page() {
        # The memory in use moves between the two questions.
        diff <(lxc info --resources | grep -vE '^ *(Free|Used):') <(lightc info --resources | grep -vE '^ *(Free|Used):')
}
same_page || fail "the pages differ"
assert_contains "$(lightc info --resources)" "($(uname -m)):"
assert_json "$(lightc info --resources --format json)" .cpu.total "$(grep -c ^processor /proc/cpuinfo)"
assert_contains "$(lightc info --resources --format yaml)" "architecture: $(uname -m)"
assert_fails "json and yaml" lightc info --resources --format csv

step "a machine with everything, as far as files say it"
. "$LIB/fake-machine.sh"
fake_machine "$TEST_DIR/machine"
make_fake_links
stop_daemon
mount_fake_machine "$TEST_DIR/machine"
start_daemon
got=$(lightc query /1.0/resources)
assert_json "$got" '.cpu.sockets | length' 2
assert_json "$got" '.memory.nodes[1].total' 8589934592
assert_json "$got" '[.gpu.cards[] | .pci_address // .usb_address] | join(" ")' "0000:00:02.0 0000:00:03.0 1:3 0000:00:04.0"
assert_json "$got" '.gpu.cards[0].drm | [.card_device, .control_name, .render_name] | join(" ")' "226:0 controlD64 renderD128"
assert_json "$got" '.gpu.cards[0].mdev["i915-GVTg_V5_8"].available' 2
assert_json "$got" '.gpu.cards[1].sriov.vfs[0].drm.card_name' card2
assert_json "$got" '[.network.cards[] | .pci_address // .usb_address] | join(" ")' "0000:00:05.0 1:2 0000:00:06.0 0000:00:07.0"
assert_json "$got" '.network.cards[0].ports[0] | [.port_type, .link_speed, .link_duplex] | join(" ")' "twisted pair 10000 full"
assert_json "$got" '.network.cards[0].sriov.vfs[0].ports[0].id' eno1v0
assert_json "$got" '.network.cards[] | select(.pci_address == "0000:00:06.0") | .ports[0].infiniband.verb_name' uverbs0
assert_json "$got" '.pci.devices[] | select(.pci_address == "0000:00:06.0") | .vpd.entries.PN' AB1
assert_json "$got" '.pci.devices[] | select(.pci_address == "0000:00:05.0") | .iommu_group' 5
assert_json "$got" '.storage.disks[] | select(.id == "sda") | [.type, .rpm, .serial, .firmware_version] | join(" ")' "sata 7200 ZFL1ABCD CC41"
assert_json "$got" '.storage.disks[] | select(.id == "sdb") | [.type, .usb_address, .removable] | map(tostring) | join(" ")' "usb 1:4 true"
assert_json "$got" '.usb.devices[2].interfaces[0].subclass' SCSI
assert_json "$got" '.system | [.family, .chassis.type] | join(" ")' "ThinkPad Notebook"
same_page || fail "the pages differ"

step "what no file here says: NVIDIA's fields, modes of links, huge pages"
jq '.gpu.cards[0].nvidia = {architecture: "3.5", brand: "GeForce", card_device: "195:0", card_name: "nvidia0",
        cuda_version: "11.0", model: "GeForce GT 730", nvrm_version: "450.102.04", uuid: "GPU-6ddadebd"} |
    .network.cards[0].ports[0] += {supported_modes: ["10baseT/Half", "1000baseT/Full"], supported_ports: ["fibre", "backplane"]} |
    .memory += {hugepages_total: 4194304, hugepages_used: 2097152}' <<<"$got" >"$TEST_DIR/resources.json"
# Of each there is one, too: that page is another.
jq '.gpu.cards |= .[:1] | .network.cards |= .[:1] | .storage.disks |= .[1:2] | .cpu.sockets |= .[:1] | .memory.nodes |= .[:1]' \
        "$TEST_DIR/resources.json" >"$TEST_DIR/one.json"
lightc query /1.0 >"$TEST_DIR/server.json"
stop_daemon
for file in resources one; do
        "$LIB/answer-server.py" "$LIGHTD_SOCKET" "$TEST_DIR/server.json" "$TEST_DIR/$file.json" &
        server=$!
        wait_for test -S "$LIGHTD_SOCKET"
        wait_for lightc query /1.0
        diff <(lxc info --resources) <(lightc info --resources) || fail "the pages differ for $file"
        kill "$server"
        wait "$server" || true
        rm -f "$LIGHTD_SOCKET"
done
