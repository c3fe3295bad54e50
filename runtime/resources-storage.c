/* SPDX-License-Identifier: Apache-2.0 */
/* Disks and their partitions: what /sys/block lists and is a device of its own, and not a loop, a zram, a mapping. */
#include "runtime/resources.h"
#include "base/alloc.h"

#include <stdio.h>

/* sysfs counts in these whatever the device's own blocks are (Documentation/ABI/stable/sysfs-block). */
#define SECTOR 512

/* /dev/disk/by-*: which of its links leads to the disk. */
static char *name_in(int root_fd, const char *directory, const char *disk)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        resource_list(root_fd, &names, "%s", directory);
        for (size_t i = 0; i < names.n; i++) {
                _cleanup_free_ char *target = resource_link_name(root_fd, "%s/%s", directory, names.items[i]);
                if (target && streq(target, disk))
                        return xstrdup(names.items[i]);
        }
        return NULL;
}

/* "nvme", "usb", "scsi", "virtio" …: the bus it is on. */
static char *bus_of(int root_fd, const char *disk)
{
        _cleanup_free_ char *usb = NULL;
        char path[300];
        snprintf(path, sizeof path, "sys/class/block/%s", disk);
        if (strncmp(disk, "nvme", 4) == 0)
                return xstrdup("nvme");
        usb = resource_usb_address(root_fd, path);
        return usb ? xstrdup("usb") : resource_link_name(root_fd, "sys/block/%s/device/subsystem", disk);
}

static void set_identity(int root_fd, struct json_object *o, const char *path, const char *disk)
{
        _cleanup_free_ char *serial = resource_text(root_fd, "sys/block/%s/serial", disk);
        _cleanup_free_ char *wwn = resource_text(root_fd, "sys/block/%s/wwid", disk);
        resource_set_text(o, "device", resource_text(root_fd, "sys/block/%s/dev", disk));
        resource_set_text(o, "device_id", name_in(root_fd, "dev/disk/by-id", disk));
        resource_set_text(o, "device_path", name_in(root_fd, "dev/disk/by-path", disk));
        json_set_string(o, "id", disk);
        resource_set_text(o, "model", resource_text(root_fd, "sys/block/%s/device/model", disk));
        resource_set_text(o, "serial", serial ? TAKE_PTR(serial) : resource_text(root_fd, "sys/block/%s/device/serial", disk));
        resource_set_text(o, "wwn", wwn ? TAKE_PTR(wwn) : resource_text(root_fd, "sys/block/%s/device/wwid", disk));
        resource_set_text(o, "firmware_version", resource_text(root_fd, "sys/block/%s/device/firmware_rev", disk));
        resource_set_text(o, "pci_address", resource_pci_address(root_fd, path));
        resource_set_text(o, "usb_address", resource_usb_address(root_fd, path));
}

static bool is_set(int root_fd, const char *disk, const char *file)
{
        return resource_number(root_fd, 0, "sys/class/block/%s/%s", disk, file) != 0;
}

static int64_t size_of(int root_fd, const char *disk)
{
        return resource_number(root_fd, 0, "sys/class/block/%s/size", disk) * SECTOR;
}

static struct json_object *partitions(int root_fd, const char *disk)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(root_fd, &names, "sys/block/%s", disk);
        for (size_t i = 0; i < names.n; i++) {
                const char *name = names.items[i];
                if (!resource_exists(root_fd, "sys/block/%s/%s/partition", disk, name))
                        continue;
                struct json_object *o = json_object_new_object();
                resource_set_text(o, "device", resource_text(root_fd, "sys/class/block/%s/dev", name));
                json_set_string(o, "id", name);
                json_set_bool(o, "read_only", is_set(root_fd, name, "ro"));
                json_set_int(o, "size", size_of(root_fd, name));
                json_set_int(o, "partition", resource_number(root_fd, 0, "sys/block/%s/%s/partition", disk, name));
                json_object_array_add(list, o);
        }
        return list;
}

static struct json_object *disk_new(int root_fd, const char *disk)
{
        struct json_object *o = json_object_new_object();
        char path[300];
        snprintf(path, sizeof path, "sys/class/block/%s", disk);
        set_identity(root_fd, o, path, disk);
        resource_set_text(o, "type", bus_of(root_fd, disk));
        json_set_bool(o, "read_only", is_set(root_fd, disk, "ro"));
        json_set_bool(o, "removable", is_set(root_fd, disk, "removable"));
        json_set_int(o, "size", size_of(root_fd, disk));
        json_set_int(o, "block_size", resource_number(root_fd, 0, "sys/block/%s/queue/logical_block_size", disk));
        /* The kernel knows that it turns, not how fast. */
        json_set_int(o, "rpm", resource_number(root_fd, 0, "sys/block/%s/queue/rotational", disk));
        json_set_int(o, "numa_node", MAX(resource_number(root_fd, 0, "sys/block/%s/device/numa_node", disk), 0));
        json_set_take(o, "partitions", partitions(root_fd, disk));
        return o;
}

struct json_object *resources_storage(int root_fd)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(root_fd, &names, "sys/block");
        for (size_t i = 0; i < names.n; i++)
                if (resource_exists(root_fd, "sys/block/%s/device", names.items[i]))
                        json_object_array_add(list, disk_new(root_fd, names.items[i]));
        return resource_totalled("disks", list);
}
