/* SPDX-License-Identifier: Apache-2.0 */
/* Disks and their partitions: what /sys/block lists and is a device of its own, and not a loop, a zram, a mapping. */
#include "runtime/resources.h"
#include "base/alloc.h"

#include <stdio.h>

/* sysfs counts in these whatever the device's own blocks are (Documentation/ABI/stable/sysfs-block). */
#define SECTOR 512

/* /dev/disk/by-*: which of its links leads to the disk. */
static char *name_in(struct resource_host *host, const char *directory, const char *disk)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        resource_list(host, &names, "%s", directory);
        for (size_t i = 0; i < names.n; i++) {
                _cleanup_free_ char *target = resource_link_name(host, "%s/%s", directory, names.items[i]);
                if (target && streq(target, disk))
                        return xstrdup(names.items[i]);
        }
        return NULL;
}

/* What udev asked the disk when it came, in lines "E:KEY=value" (ID_SERIAL_SHORT, ID_ATA …); NULL: it did not. */
static char *udev_value(const char *text, const char *key)
{
        size_t n = strlen(key);
        for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (str_starts(line, "E:") && strncmp(line + 2, key, n) == 0 && line[2 + n] == '=')
                        return xstrndup(line + 3 + n, strcspn(line + 3 + n, "\n"));
        return NULL;
}

static char *udev_text(struct resource_host *host, const char *disk)
{
        _cleanup_free_ char *device = resource_text(host, "sys/block/%s/dev", disk);
        return device ? resource_lines(host, "run/udev/data/b%s", device) : NULL;
}

/* "nvme", "usb", "sata", "scsi", "virtio" …: the bus it is on. Behind a SATA controller the kernel too speaks SCSI. */
static char *bus_of(struct resource_host *host, const char *disk)
{
        char path[300];
        snprintf(path, sizeof path, "sys/class/block/%s", disk);
        if (strncmp(disk, "nvme", 4) == 0)
                return xstrdup("nvme");
        _cleanup_free_ char *usb = resource_usb_address(host, path);
        _cleanup_free_ char *place = resource_link(host, "%s", path);
        if (usb)
                return xstrdup("usb");
        return place && strstr(place, "/ata") ? xstrdup("sata")
                                              : resource_link_name(host, "sys/block/%s/device/subsystem", disk);
}

/* The first of a file of the disk, a file of its device, and udev's word. */
static char *first_of(struct resource_host *host, const char *disk, const char *own, const char *of_device, char *take_udev)
{
        char *text = own ? resource_text(host, "sys/block/%s/%s", disk, own) : NULL;
        if (!text && of_device)
                text = resource_text(host, "sys/block/%s/device/%s", disk, of_device);
        if (!text)
                return take_udev;
        free(take_udev);
        return text;
}

/* udev has it whole where the kernel's own words are cut short (SCSI's revision has four letters). */
static char *udev_or(char *take_udev, char *take_other)
{
        if (!take_udev)
                return take_other;
        free(take_other);
        return take_udev;
}

static void set_identity(struct resource_host *host, struct json_object *o, const char *path, const char *disk,
                         const char *udev)
{
        char *firmware = first_of(host, disk, NULL, "firmware_rev", resource_text(host, "sys/block/%s/device/rev", disk));
        char *id = name_in(host, "dev/disk/by-id", disk), *place = name_in(host, "dev/disk/by-path", disk);
        resource_set_text(o, "device", resource_text(host, "sys/block/%s/dev", disk));
        resource_set_text(o, "device_id", id);
        resource_add_text(o, "device_path", place ? place : udev_value(udev, "ID_PATH"));
        json_set_string(o, "id", disk);
        resource_add_text(o, "model", udev_or(udev_value(udev, "ID_MODEL"), resource_text(host, "sys/block/%s/device/model", disk)));
        resource_add_text(o, "serial", first_of(host, disk, "serial", "serial", udev_value(udev, "ID_SERIAL_SHORT")));
        resource_add_text(o, "wwn", first_of(host, disk, "wwid", "wwid", udev_value(udev, "ID_WWN")));
        resource_add_text(o, "firmware_version", udev_or(udev_value(udev, "ID_REVISION"), firmware));
        resource_add_text(o, "pci_address", resource_pci_address(host, path));
        resource_add_text(o, "usb_address", resource_usb_address(host, path));
}

/* How fast it turns is udev's to say; the kernel knows that it does. */
static int64_t rotation(struct resource_host *host, const char *disk, const char *udev)
{
        _cleanup_free_ char *rate = udev_value(udev, "ID_ATA_ROTATION_RATE_RPM");
        int64_t turns = resource_number(host, 0, "sys/block/%s/queue/rotational", disk);
        return rate && turns ? strtoll(rate, NULL, 10) : turns;
}

static bool is_set(struct resource_host *host, const char *disk, const char *file)
{
        return resource_number(host, 0, "sys/class/block/%s/%s", disk, file) != 0;
}

static int64_t size_of(struct resource_host *host, const char *disk)
{
        return resource_number(host, 0, "sys/class/block/%s/size", disk) * SECTOR;
}

static struct json_object *partitions(struct resource_host *host, const char *disk)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(host, &names, "sys/block/%s", disk);
        for (size_t i = 0; i < names.n; i++) {
                const char *name = names.items[i];
                if (!resource_exists(host, "sys/block/%s/%s/partition", disk, name))
                        continue;
                struct json_object *o = json_object_new_object();
                resource_set_text(o, "device", resource_text(host, "sys/class/block/%s/dev", name));
                json_set_string(o, "id", name);
                json_set_bool(o, "read_only", is_set(host, name, "ro"));
                json_set_int(o, "size", size_of(host, name));
                json_set_int(o, "partition", resource_number(host, 0, "sys/block/%s/%s/partition", disk, name));
                json_object_array_add(list, o);
        }
        return list;
}

static struct json_object *disk_new(struct resource_host *host, const char *disk)
{
        struct json_object *o = json_object_new_object();
        char path[300];
        snprintf(path, sizeof path, "sys/class/block/%s", disk);
        _cleanup_free_ char *udev = udev_text(host, disk);
        set_identity(host, o, path, disk, udev);
        resource_add_text(o, "type", bus_of(host, disk));
        json_set_bool(o, "read_only", is_set(host, disk, "ro"));
        json_set_bool(o, "removable", is_set(host, disk, "removable"));
        json_set_int(o, "size", size_of(host, disk));
        json_set_int(o, "block_size", resource_number(host, 0, "sys/block/%s/queue/logical_block_size", disk));
        json_set_int(o, "rpm", rotation(host, disk, udev));
        json_set_int(o, "numa_node", MAX(resource_number(host, 0, "sys/block/%s/device/numa_node", disk), 0));
        json_set_take(o, "partitions", partitions(host, disk));
        return o;
}

struct json_object *resources_storage(struct resource_host *host)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(host, &names, "sys/block");
        for (size_t i = 0; i < names.n; i++)
                if (resource_exists(host, "sys/block/%s/device", names.items[i]))
                        json_object_array_add(list, disk_new(host, names.items[i]));
        return resource_totalled("disks", list);
}
