# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A machine that is only files: /sys with cards, disks and devices no test machine has all of, to be mounted over the
# real one. fake_machine DIRECTORY makes sys/{class,bus,devices,block} and run/udev below it.

_put() { # path text
        mkdir -p "$(dirname "$1")"
        printf '%b\n' "$2" >"$1"
}
_link() { # path target: relative, as sysfs has them
        mkdir -p "$(dirname "$1")"
        ln -sfnr "$2" "$1"
}

# _pci ADDRESS VENDOR DEVICE CLASS DRIVER: sets $pci to its directory
_pci() {
        pci=$m/devices/pci0000:00/$1
        _put "$pci/vendor" "0x$2"
        _put "$pci/device" "0x$3"
        _put "$pci/class" "0x$4"
        _put "$pci/numa_node" 0
        _link "$m/bus/pci/devices/$1" "$pci"
        _link "$pci/subsystem" "$m/bus/pci"
        [ -z "$5" ] || _driver "$pci" pci "$5"
}
_driver() { # device bus name
        mkdir -p "$m/bus/$2/drivers/$3" "$m/module/$3"
        _link "$m/bus/$2/drivers/$3/module" "$m/module/$3"
        _link "$1/driver" "$m/bus/$2/drivers/$3"
}
_drm() { # device kind number minor
        _put "$1/drm/$2/dev" "226:$3"
        _link "$1/drm/$2/device" "$1"
        _link "$m/class/drm/$2" "$1/drm/$2"
}
_net() { # device name address type dev_port
        local net=$1/net/$2
        _put "$net/address" "$3"
        _put "$net/type" "$4"
        _put "$net/dev_port" "$5"
        _put "$net/carrier" 1
        _link "$net/device" "$1"
        _link "$m/class/net/$2" "$net"
}
_vf() { # of number address vendor device class driver
        local of=$1 number=$2
        shift 2
        _pci "$@"
        _link "$of/virtfn$number" "$pci"
        _link "$pci/physfn" "$of"
}
_usb() { # parent name bus device vendor product class
        usb=$1/$2
        _put "$usb/busnum" "$3"
        _put "$usb/devnum" "$4"
        _put "$usb/idVendor" "$5"
        _put "$usb/idProduct" "$6"
        _put "$usb/bDeviceClass" "$7"
        _put "$usb/speed" 480
        _link "$m/bus/usb/devices/$2" "$usb"
}
_usb_interface() { # number class subclass driver
        interface=$usb/$(basename "$usb"):1.$1
        _put "$interface/bInterfaceNumber" "0$1"
        _put "$interface/bInterfaceClass" "$2"
        _put "$interface/bInterfaceSubClass" "$3"
        [ -z "$4" ] || _driver "$interface" usb "$4"
        _link "$m/bus/usb/devices/$(basename "$interface")" "$interface"
}
_disk() { # device name number sectors model
        local block=$1/block/$2
        _put "$block/dev" "$3"
        _put "$block/size" "$4"
        _put "$block/ro" 0
        _put "$block/removable" 0
        _put "$block/queue/logical_block_size" 512
        _put "$block/queue/physical_block_size" 4096
        _put "$block/queue/rotational" 0
        _put "$1/model" "$5"
        _link "$block/device" "$1"
        _link "$m/class/block/$2" "$block"
        _link "$m/block/$2" "$block"
}
_partition() { # device disk name number sectors partition
        local block=$1/block/$2/$3
        _put "$block/dev" "$4"
        _put "$block/size" "$5"
        _put "$block/ro" 0
        _put "$block/partition" "$6"
        _link "$m/class/block/$3" "$block"
}
_processor() { # number socket core die
        local cpu=$m/devices/system/cpu/cpu$1
        _put "$cpu/topology/physical_package_id" "$2"
        _put "$cpu/topology/core_id" "$3"
        _put "$cpu/topology/die_id" "$4"
        _put "$cpu/online" 1
        _put "$cpu/cpufreq/scaling_cur_freq" 2400000
        _put "$cpu/cpufreq/cpuinfo_min_freq" 800000
        _put "$cpu/cpufreq/cpuinfo_max_freq" 3600000
        _put "$cpu/cache/index0/level" 1
        _put "$cpu/cache/index0/type" Data
        _put "$cpu/cache/index0/size" 32K
        _link "$cpu/node$2" "$m/devices/system/node/node$2"
}

fake_machine() {
        local m=$1/sys pci usb interface i of type
        mkdir -p "$m"/{class/{net,drm,block,dmi},bus/{pci/devices,usb/devices},devices,block}
        # two sockets of two cores, of two threads the first
        for i in 0 1 2 3 4 5; do _processor $i $((i / 4)) $((i / 2 % 2)) 0; done
        _put "$m/devices/system/cpu/isolated" 3
        for i in 0 1; do
                _put "$m/devices/system/node/node$i/meminfo" "Node $i MemTotal: 8388608 kB\nNode $i MemFree: 4194304 kB\nNode $i MemUsed: 4194304 kB\nNode $i FilePages: 1048576 kB\nNode $i HugePages_Total: 4\nNode $i HugePages_Free: 1"
                _put "$m/devices/system/node/node$i/cpulist" "0"
        done
        # a graphics card with mediated devices, one with virtual functions, one without a driver, one on USB
        _pci 0000:00:02.0 8086 5916 030000 i915
        _drm "$pci" card0 0
        _drm "$pci" controlD64 64
        _drm "$pci" renderD128 128
        type=$pci/mdev_supported_types/i915-GVTg_V5_8
        _put "$type/available_instances" 2
        _put "$type/device_api" vfio-pci
        _put "$type/description" 'low_gm_size: 64MB\nfence: 4'
        _put "$type/devices/42200aac-0977-495c-8c9e-6c51b9092a01/x" ''
        _put "$pci/mdev_supported_types/nvidia-63/name" "GRID P4-1Q"
        _put "$pci/mdev_supported_types/nvidia-63/available_instances" 0
        _put "$pci/mdev_supported_types/nvidia-63/device_api" vfio-pci
        mkdir -p "$pci/mdev_supported_types/nvidia-63/devices"
        _pci 0000:00:03.0 1002 7362 038000 amdgpu
        _drm "$pci" card1 1
        _put "$pci/sriov_numvfs" 1
        _put "$pci/sriov_totalvfs" 16
        of=$pci
        _vf "$of" 0 0000:00:03.1 1002 7362 038000 amdgpu
        _drm "$pci" card2 2
        _pci 0000:00:04.0 10de 1287 030000 ""
        # network cards: two ports, virtual functions, InfiniBand, one without a driver, one on USB
        _pci 0000:00:05.0 8086 1521 020000 igb
        _net "$pci" eno1 00:16:3e:00:00:01 1 0
        _net "$pci" eno2 00:16:3e:00:00:02 1 1
        _put "$pci/sriov_numvfs" 1
        _put "$pci/sriov_totalvfs" 7
        _put "$pci/iommu_group_number" 5
        mkdir -p "$m/kernel/iommu_groups/5"
        _link "$pci/iommu_group" "$m/kernel/iommu_groups/5"
        of=$pci
        _vf "$of" 0 0000:00:05.1 8086 1520 020000 igbvf
        _net "$pci" eno1v0 00:16:3e:00:00:03 1 0
        _pci 0000:00:06.0 15b3 1017 020700 mlx5_core
        _net "$pci" ib0 80:00:00:28:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:01 32 0
        for i in issm0:231:64 umad0:231:0; do
                _put "$pci/infiniband_mad/${i%%:*}/dev" "${i#*:}"
                _put "$pci/infiniband_mad/${i%%:*}/port" 1
                _put "$pci/infiniband_mad/${i%%:*}/ibdev" mlx5_0
        done
        _put "$pci/infiniband_verbs/uverbs0/dev" 231:192
        _put "$pci/infiniband_verbs/uverbs0/ibdev" mlx5_0
        mkdir -p "$pci/infiniband/mlx5_0"
        mkdir -p "$m/class/infiniband"
        _link "$m/class/infiniband/mlx5_0" "$pci/infiniband/mlx5_0"
        # what the card's maker wrote down: name, two entries, checksum; the end
        printf '\x82\x0b\x00HP Ethernet\x90\x13\x00PN\x03AB1EC\x06A-5545RV\x01\x00\x78' >"$pci/vpd"
        _pci 0000:00:07.0 10ec 8168 020000 ""
        # USB: the bus, a network card, a display, a pen
        _pci 0000:00:08.0 8086 a36d 0c0330 xhci_hcd
        _usb "$pci" usb1 1 1 1d6b 0002 09
        of=$usb
        _usb "$of" 1-1 1 2 0bda 8153 00
        _usb_interface 0 ff 00 r8152
        _net "$interface" enx0 00:16:3e:00:00:04 1 0
        _usb "$of" 1-2 1 3 17e9 4307 00
        _usb_interface 0 ff 00 udl
        _drm "$interface" card3 3
        _usb "$of" 1-3 1 4 0951 1666 00
        _put "$usb/manufacturer" Kingston
        _put "$usb/product" "DataTraveler 3.0"
        _usb_interface 0 08 06 usb-storage
        _disk "$interface/host8/target8:0:0/8:0:0:0" sdb 8:16 2048 "DataTraveler"
        _put "$m/block/sdb/removable" 1
        # disks: SATA with partitions, NVMe
        _pci 0000:00:17.0 8086 a352 010601 ahci
        _disk "$pci/ata1/host0/target0:0:0/0:0:0:0" sda 8:0 3907029168 "ST2000DM008-2FR1"
        _put "$m/block/sda/queue/rotational" 1
        _link "$pci/ata1/host0/target0:0:0/0:0:0:0/subsystem" "$m/bus/scsi"
        _put "$pci/ata1/host0/target0:0:0/0:0:0:0/rev" 0001
        _partition "$pci/ata1/host0/target0:0:0/0:0:0:0" sda sda1 8:1 1048576 1
        _partition "$pci/ata1/host0/target0:0:0/0:0:0:0" sda sda2 8:2 3905980592 2
        mkdir -p "$m/bus/scsi"
        _pci 0000:00:1d.0 8086 f1a6 010802 nvme
        _disk "$pci/nvme/nvme0" nvme0n1 259:0 500118192 "INTEL SSDPEKKW256G7"
        _put "$pci/nvme/nvme0/firmware_rev" PSF121C
        _put "$pci/nvme/nvme0/serial" BTPY63440ARH256D
        _put "$m/block/nvme0n1/wwid" eui.0000000001000000e4d25cafae2e4c00
        # what the maker of the machine wrote down
        for i in bios_date:10/14/2020 bios_vendor:Lenovo bios_version:N1MET64W board_name:20HRCTO1WW board_vendor:LENOVO \
                board_serial:L3CF4FX003A board_version:None chassis_serial:PY3DD4X9 chassis_type:10 chassis_vendor:LENOVO \
                chassis_version:None product_family:ThinkPad product_name:20HRCTO1WW product_serial:PY3DD4X9 \
                product_sku:LENOVO_MT_20HR product_uuid:7fa1c0cc-2271-11b2-a85c-aab32a05d71a product_version:X1 \
                sys_vendor:LENOVO; do
                _put "$m/class/dmi/id/${i%%:*}" "${i#*:}"
        done
        # what udev asked the disk
        _put "$1/run/udev/data/b8:0" "S:disk/by-id/ata-ST2000DM008\nE:ID_ATA=1\nE:ID_ATA_SATA=1\nE:ID_BUS=ata\nE:ID_MODEL=ST2000DM008-2FR102\nE:ID_PATH=pci-0000:00:17.0-ata-1\nE:ID_REVISION=CC41\nE:ID_SERIAL=ST2000DM008-2FR102_ZFL1ABCD\nE:ID_SERIAL_SHORT=ZFL1ABCD\nE:ID_WWN=0x5000c500c9d1e2f3\nE:ID_ATA_ROTATION_RATE_RPM=7200"
        _put "$1/run/udev/data/b8:16" "E:ID_BUS=usb\nE:ID_PATH=pci-0000:00:08.0-usb-0:3:1.0-scsi-0:0:0:0\nE:ID_SERIAL_SHORT=E0D55EA573DC\nE:ID_MODEL=DataTraveler_3.0\nE:ID_REVISION=PMAP"
}

# Only within a mount namespace of one's own.
mount_fake_machine() { # directory
        local part
        for part in class bus devices block; do mount --bind "$1/sys/$part" "/sys/$part"; done
        mkdir -p /run/udev
        mount --bind "$1/run/udev" /run/udev
}

# The kernel is asked about links by their names: these have to be real. Only within a network namespace of one's own.
make_fake_links() {
        ip link add eno1 type veth peer name eno2
        ip link add eno1v0 type veth peer name enx0
        ip link add ib0 type veth peer name ib9
        ip link set eno1 up
        ip link set eno2 up
}
