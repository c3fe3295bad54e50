/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime */
#include "runtime/resources.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "tests/lib/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A machine that is only files. */
struct machine {
        char path[64];
        int fd;
        struct resource_host host;
};

static void machine_init(struct machine *m)
{
        snprintf(m->path, sizeof m->path, "/tmp/test-resources.XXXXXX");
        ASSERT_TRUE(mkdtemp(m->path) != NULL);
        m->fd = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        m->host = (struct resource_host){ .root_fd = m->fd };
}

static void machine_done(struct machine *m)
{
        int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        resource_host_done(&m->host);
        close(m->fd);
        path_remove_tree(tmp, strrchr(m->path, '/') + 1);
        close(tmp);
}

static void make_parents(struct machine *m, const char *path)
{
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                _cleanup_free_ char *dir = xstrndup(path, (size_t)(slash - path));
                mkdirat(m->fd, dir, 0755);
        }
}

static void put(struct machine *m, const char *path, const char *text)
{
        make_parents(m, path);
        int fd = openat(m->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ASSERT_EQ(fd_write_all(fd, text, strlen(text)), 0);
        close(fd);
}

static void point(struct machine *m, const char *path, const char *target)
{
        make_parents(m, path);
        ASSERT_EQ(symlinkat(target, m->fd, path), 0);
}

#define CPU "sys/devices/system/cpu/"

TEST(processors_are_put_together_by_socket_and_core)
{
        struct machine m;
        machine_init(&m);
        put(&m, "proc/cpuinfo", "processor\t: 0\nvendor_id\t: Acme\nmodel name\t: Fast One\nflags\t: fpu hypervisor\n");
        put(&m, CPU "isolated", "3\n");
        for (int i = 0; i < 4; i++) {
                char path[80], id[16];
                snprintf(path, sizeof path, CPU "cpu%d/topology/physical_package_id", i);
                put(&m, path, "0\n");
                snprintf(path, sizeof path, CPU "cpu%d/topology/core_id", i);
                snprintf(id, sizeof id, "%d\n", i / 2);
                put(&m, path, id);
        }
        put(&m, CPU "cpu0/cache/index0/level", "1\n");
        put(&m, CPU "cpu0/cache/index0/type", "Data\n");
        put(&m, CPU "cpu0/cache/index0/size", "32K\n");
        put(&m, CPU "cpufreq/x", "");
        _cleanup_json_ struct json_object *o = resources_cpu(&m.host);
        ASSERT_EQ(json_get_int(o, "total", 0), 4);
        struct json_object *socket = json_object_array_get_idx(json_get_array(o, "sockets"), 0);
        ASSERT_STR(json_get_string(socket, "name", ""), "Fast One");
        ASSERT_EQ(json_get_int(json_object_array_get_idx(json_get_array(socket, "cache"), 0), "size", 0), 32768);
        ASSERT_EQ(json_object_array_length(json_get_array(socket, "cores")), 2);
        struct json_object *core = json_object_array_get_idx(json_get_array(socket, "cores"), 1);
        struct json_object *thread = json_object_array_get_idx(json_get_array(core, "threads"), 1);
        ASSERT_EQ(json_get_int(thread, "id", 0), 3);
        ASSERT_EQ(json_get_int(thread, "thread", 0), 1);
        ASSERT_TRUE(json_get_bool(thread, "isolated", false));
        machine_done(&m);
}

TEST(memory_is_counted_in_bytes_whole_and_by_node)
{
        struct machine m;
        machine_init(&m);
        put(&m, "proc/meminfo", "MemTotal:  1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nHugePages_Total: 3\n"
                                "HugePages_Free: 1\nHugepagesize: 2048 kB\n");
        put(&m, "sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 1000 kB\nNode 0 MemFree: 100 kB\n"
                                                         "Node 0 FilePages: 400 kB\n");
        _cleanup_json_ struct json_object *o = resources_memory(&m.host);
        ASSERT_EQ(json_get_int(o, "total", 0), 1000 * 1024);
        ASSERT_EQ(json_get_int(o, "used", 0), 400 * 1024);
        ASSERT_EQ(json_get_int(o, "hugepages_used", 0), 2 * 2048 * 1024);
        struct json_object *node = json_object_array_get_idx(json_get_array(o, "nodes"), 0);
        ASSERT_EQ(json_get_int(node, "used", 0), 500 * 1024);
        machine_done(&m);
}

TEST(disks_have_their_partitions_and_addresses)
{
        struct machine m;
        machine_init(&m);
        put(&m, "sys/devices/pci0000:00/0000:00:05.0/block/vda/size", "2048\n");
        put(&m, "sys/devices/pci0000:00/0000:00:05.0/block/vda/dev", "254:0\n");
        put(&m, "sys/devices/pci0000:00/0000:00:05.0/block/vda/device/model", "  Model\tX \n");
        put(&m, "sys/devices/pci0000:00/0000:00:05.0/block/vda/vda1/partition", "1\n");
        put(&m, "sys/devices/pci0000:00/0000:00:05.0/block/vda/vda1/size", "1024\n");
        point(&m, "sys/block/vda", "../devices/pci0000:00/0000:00:05.0/block/vda");
        point(&m, "sys/class/block/vda", "../../devices/pci0000:00/0000:00:05.0/block/vda");
        point(&m, "sys/class/block/vda1", "../../devices/pci0000:00/0000:00:05.0/block/vda/vda1");
        put(&m, "sys/block/loop0/size", "7\n");
        _cleanup_json_ struct json_object *o = resources_storage(&m.host);
        ASSERT_EQ(json_get_int(o, "total", 0), 2);
        struct json_object *disk = json_object_array_get_idx(json_get_array(o, "disks"), 0);
        ASSERT_EQ(json_get_int(disk, "size", 0), 1048576);
        ASSERT_STR(json_get_string(disk, "model", ""), "Model X");
        ASSERT_STR(json_get_string(disk, "pci_address", ""), "0000:00:05.0");
        struct json_object *part = json_object_array_get_idx(json_get_array(disk, "partitions"), 0);
        ASSERT_EQ(json_get_int(part, "size", 0), 524288);
        machine_done(&m);
}

TEST(ports_of_one_card_are_together_and_named_from_the_list)
{
        struct machine m;
        machine_init(&m);
        put(&m, "sys/devices/pci0000:00/0000:01:00.0/vendor", "0x8086\n");
        put(&m, "sys/devices/pci0000:00/0000:01:00.0/device", "0x100e\n");
        for (int i = 0; i < 2; i++) {
                char path[80];
                snprintf(path, sizeof path, "sys/devices/pci0000:00/0000:01:00.0/net/eth%d/address", i);
                put(&m, path, "00:16:3e:00:00:01\n");
                snprintf(path, sizeof path, "sys/devices/pci0000:00/0000:01:00.0/net/eth%d/device", i);
                point(&m, path, "../../../0000:01:00.0");
                snprintf(path, sizeof path, "sys/class/net/eth%d", i);
                char target[80];
                snprintf(target, sizeof target, "../../devices/pci0000:00/0000:01:00.0/net/eth%d", i);
                point(&m, path, target);
        }
        put(&m, "sys/class/net/lo/address", "00:00:00:00:00:00\n");
        put(&m, "usr/share/misc/pci.ids", "# list\n1af4  Other\n\t100e  Wrong\n8086  Maker Inc\n\t0000  No\n\t100e  Card 7\n9999  Z\n");
        _cleanup_json_ struct json_object *o = resources_network(&m.host);
        ASSERT_EQ(json_get_int(o, "total", 0), 1);
        struct json_object *card = json_object_array_get_idx(json_get_array(o, "cards"), 0);
        ASSERT_EQ(json_object_array_length(json_get_array(card, "ports")), 2);
        ASSERT_STR(json_get_string(card, "vendor", ""), "Maker Inc");
        ASSERT_STR(json_get_string(card, "product", ""), "Card 7");
        ASSERT_STR(json_get_string(card, "pci_address", ""), "0000:01:00.0");
        machine_done(&m);
}

/* A device says what it likes; a tree may be empty. */
TEST(nothing_there_and_nonsense_are_read_all_the_same)
{
        struct machine m;
        machine_init(&m);
        _cleanup_json_ struct json_object *empty = resources_read(&m.host);
        ASSERT_EQ(json_get_int(json_get_object(empty, "cpu"), "total", -1), 0);
        ASSERT_EQ(json_get_int(json_get_object(empty, "memory"), "total", -1), 0);
        put(&m, "proc/cpuinfo", "flags");
        put(&m, "proc/meminfo", "MemTotal");
        put(&m, "sys/class/dmi/id/product_name", "\x01\x02 evil\x1b[31m \n");
        put(&m, "sys/class/dmi/id/chassis_type", "99999999999999999999\n");
        put(&m, CPU "cpu0/topology/core_id", "-7 x\n");
        put(&m, CPU "cpu99999999999/topology/core_id", "1\n");
        put(&m, "sys/bus/usb/devices/1-1/bDeviceClass", "zz\n");
        put(&m, "usr/share/misc/pci.ids", "\t");
        _cleanup_json_ struct json_object *o = resources_read(&m.host);
        ASSERT_STR(json_get_string(json_get_object(o, "system"), "product", ""), "evil [31m");
        ASSERT_EQ(json_get_int(json_get_object(o, "cpu"), "total", 0), 1);
        machine_done(&m);
}

#define CARD "sys/devices/pci0000:00/0000:00:02.0/"

static void put_pci(struct machine *m, const char *address, const char *class)
{
        char path[200], target[200];
        snprintf(path, sizeof path, "sys/devices/pci0000:00/%s/vendor", address);
        put(m, path, "0x10de\n");
        snprintf(path, sizeof path, "sys/devices/pci0000:00/%s/device", address);
        put(m, path, "0x1287\n");
        snprintf(path, sizeof path, "sys/devices/pci0000:00/%s/class", address);
        put(m, path, class);
        snprintf(path, sizeof path, "sys/bus/pci/devices/%s", address);
        snprintf(target, sizeof target, "../../../devices/pci0000:00/%s", address);
        point(m, path, target);
}

static struct json_object *first(struct json_object *o, const char *list)
{
        return json_object_array_get_idx(json_get_array(o, list), 0);
}

/* What a card can be divided into, and its parts: not cards beside it. */
TEST(virtual_functions_stand_below_their_card)
{
        struct machine m;
        machine_init(&m);
        put_pci(&m, "0000:00:02.0", "0x020000\n");
        put_pci(&m, "0000:00:02.1", "0x020000\n");
        put(&m, CARD "sriov_numvfs", "1\n");
        put(&m, CARD "sriov_totalvfs", "7\n");
        point(&m, CARD "virtfn0", "../0000:00:02.1");
        point(&m, "sys/devices/pci0000:00/0000:00:02.1/physfn", "../0000:00:02.0");
        _cleanup_json_ struct json_object *o = resources_network(&m.host);
        ASSERT_EQ(json_get_int(o, "total", 0), 2);
        ASSERT_EQ(json_object_array_length(json_get_array(o, "cards")), 1);
        struct json_object *sriov = json_get_object(first(o, "cards"), "sriov");
        ASSERT_EQ(json_get_int(sriov, "current_vfs", 0), 1);
        ASSERT_EQ(json_get_int(sriov, "maximum_vfs", 0), 7);
        ASSERT_STR(json_get_string(first(sriov, "vfs"), "pci_address", ""), "0000:00:02.1");
        machine_done(&m);
}

TEST(mediated_devices_are_profiles_by_name)
{
        struct machine m;
        machine_init(&m);
        put_pci(&m, "0000:00:02.0", "0x030000\n");
        put(&m, CARD "mdev_supported_types/i915-GVTg_V5_8/available_instances", "2\n");
        put(&m, CARD "mdev_supported_types/i915-GVTg_V5_8/device_api", "vfio-pci\n");
        put(&m, CARD "mdev_supported_types/i915-GVTg_V5_8/description", "fence: 4\nweight: 4\n");
        put(&m, CARD "mdev_supported_types/i915-GVTg_V5_8/devices/42200aac/x", "");
        _cleanup_json_ struct json_object *o = resources_gpu(&m.host);
        struct json_object *profile = json_get_object(json_get_object(first(o, "cards"), "mdev"), "i915-GVTg_V5_8");
        ASSERT_EQ(json_get_int(profile, "available", 0), 2);
        ASSERT_STR(json_get_string(profile, "description", ""), "fence: 4\nweight: 4");
        ASSERT_STR(json_object_get_string(first(profile, "devices")), "42200aac");
        machine_done(&m);
}

static struct json_object *answer_of_nvidia(void)
{
        return resources_nvidia_parse("NVRM version,CUDA version\n450.102.04,11.0\n\n"
                                      "Device Index,Device Minor,Model,Brand,GPU UUID,Bus Location,Architecture\n"
                                      "0,1,GeForce GT 730,GeForce,GPU-6dda,00000000:00:02.0,3.5\n");
}

TEST(nvidia_cards_have_what_the_driver_and_its_program_say)
{
        struct machine m;
        machine_init(&m);
        put_pci(&m, "0000:00:02.0", "0x030000\n");
        put(&m, "proc/driver/nvidia/gpus/0000:00:02.0/information",
            "Model: \t\t GeForce GT 730\nGPU UUID: \t GPU-6dda\nDevice Minor: \t 1\n");
        put(&m, "proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  450.102.04  Tue Dec 29\n");
        put(&m, "proc/devices", "Character devices:\n  1 mem\n195 nvidia\n");
        _cleanup_json_ struct json_object *without = resources_gpu(&m.host);
        struct json_object *nvidia = json_get_object(first(without, "cards"), "nvidia");
        ASSERT_STR(json_get_string(nvidia, "card_device", ""), "195:1");
        ASSERT_STR(json_get_string(nvidia, "nvrm_version", ""), "450.102.04");
        ASSERT_STR(json_get_string(nvidia, "model", ""), "GeForce GT 730");
        m.host.has_asked_nvidia = false;
        m.host.ask_nvidia = answer_of_nvidia;
        _cleanup_json_ struct json_object *with = resources_gpu(&m.host);
        nvidia = json_get_object(first(with, "cards"), "nvidia");
        ASSERT_STR(json_get_string(nvidia, "cuda_version", ""), "11.0");
        ASSERT_STR(json_get_string(nvidia, "brand", ""), "GeForce");
        ASSERT_STR(json_get_string(nvidia, "architecture", ""), "3.5");
        machine_done(&m);
}

static int answer_of_driver(const char *name, struct resource_link *ret)
{
        *ret = (struct resource_link){ .has_settings = true, .is_auto_negotiated = true, .speed = 1000, .duplex = "full",
                                       .port_type = "twisted pair", .transceiver_type = "internal" };
        snprintf(ret->firmware_version, sizeof ret->firmware_version, "3.1.%s", name + strlen("ib"));
        ret->modes = json_object_new_array();
        json_array_add_string(ret->modes, "1000baseT/Full");
        return 0;
}

TEST(ports_have_what_their_driver_says_and_infiniband_nodes)
{
        struct machine m;
        machine_init(&m);
        put_pci(&m, "0000:00:02.0", "0x020700\n");
        put(&m, CARD "net/ib0/type", "32\n");
        put(&m, CARD "net/ib0/dev_port", "0\n");
        put(&m, CARD "net/ib0/carrier", "1\n");
        point(&m, CARD "net/ib0/device", "../../../0000:00:02.0");
        point(&m, "sys/class/net/ib0", "../../devices/pci0000:00/0000:00:02.0/net/ib0");
        put(&m, CARD "infiniband/mlx5_0/x", "");
        put(&m, CARD "infiniband_mad/umad0/dev", "231:0\n");
        put(&m, CARD "infiniband_mad/umad0/port", "1\n");
        put(&m, CARD "infiniband_mad/umad1/dev", "231:1\n");
        put(&m, CARD "infiniband_mad/umad1/port", "2\n");
        put(&m, CARD "infiniband_verbs/uverbs0/dev", "231:192\n");
        m.host.ask_link = answer_of_driver;
        _cleanup_json_ struct json_object *o = resources_network(&m.host);
        struct json_object *port = first(first(o, "cards"), "ports"), *nodes = json_get_object(port, "infiniband");
        ASSERT_STR(json_get_string(first(o, "cards"), "firmware_version", ""), "3.1.0");
        ASSERT_STR(json_get_string(port, "protocol", ""), "infiniband");
        ASSERT_EQ(json_get_int(port, "link_speed", 0), 1000);
        ASSERT_TRUE(json_get_bool(port, "auto_negotiation", false));
        ASSERT_STR(json_object_get_string(first(port, "supported_modes")), "1000baseT/Full");
        ASSERT_STR(json_get_string(nodes, "mad_name", ""), "umad0");
        ASSERT_STR(json_get_string(nodes, "verb_device", ""), "231:192");
        machine_done(&m);
}

TEST(vital_product_data_is_read_as_far_as_it_is_whole)
{
        static const uint8_t data[] = "\x82\x0b\x00HP Ethernet\x90\x13\x00PN\x03" "AB1EC\x06" "A-5545RV\x01\x00\x78";
        _cleanup_json_ struct json_object *o = resources_vpd_parse(data, sizeof data - 1);
        struct json_object *entries = json_get_object(o, "entries");
        ASSERT_STR(json_get_string(o, "product_name", ""), "HP Ethernet");
        ASSERT_STR(json_get_string(entries, "PN", ""), "AB1");
        ASSERT_STR(json_get_string(entries, "EC", ""), "A-5545");
        ASSERT_FALSE(json_has(entries, "RV"));
        for (size_t n = 0; n < sizeof data; n++)
                json_object_put(resources_vpd_parse(data, n));
        _cleanup_json_ struct json_object *cut = resources_vpd_parse(data, 20);
        ASSERT_STR(json_get_string(cut, "product_name", ""), "HP Ethernet");
        ASSERT_FALSE(json_has(cut, "entries"));
}
