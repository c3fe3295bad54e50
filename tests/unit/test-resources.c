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
};

static void machine_init(struct machine *m)
{
        snprintf(m->path, sizeof m->path, "/tmp/test-resources.XXXXXX");
        ASSERT_TRUE(mkdtemp(m->path) != NULL);
        m->fd = open(m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void machine_done(struct machine *m)
{
        int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
        _cleanup_json_ struct json_object *o = resources_cpu(m.fd);
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
        _cleanup_json_ struct json_object *o = resources_memory(m.fd);
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
        _cleanup_json_ struct json_object *o = resources_storage(m.fd);
        ASSERT_EQ(json_get_int(o, "total", 0), 1);
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
        _cleanup_json_ struct json_object *o = resources_network(m.fd);
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
        _cleanup_json_ struct json_object *empty = resources_read(m.fd);
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
        _cleanup_json_ struct json_object *o = resources_read(m.fd);
        ASSERT_STR(json_get_string(json_get_object(o, "system"), "product", ""), "evil [31m");
        ASSERT_EQ(json_get_int(json_get_object(o, "cpu"), "total", 0), 1);
        machine_done(&m);
}

