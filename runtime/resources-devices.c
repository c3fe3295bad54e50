/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on the buses, PCI and USB, and what it is called. */
#include "runtime/resources.h"
#include "base/alloc.h"
#include "base/path.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <stdio.h>

#define IDS_MAX MiB(8)
#define VPD_MAX KiB(32) /* what the kernel lets be addressed */

/* ---- names of vendors and products: lists that distributions carry (https://pci-ids.ucw.cz, http://www.linux-usb.org) ---- */

/* The line "<tabs><id>  <name>" between two places of a list. A comment begins with '#'. */
static const char *find_line(const char *from, const char *end, unsigned tabs, const char *id, char **ret_name)
{
        for (const char *line = from; line < end;) {
                const char *stop = memchr(line, '\n', (size_t)(end - line));
                stop = stop ? stop : end;
                size_t depth = strspn(line, "\t");
                if (depth < tabs && tabs > 0 && *line != '#' && line < stop)
                        return NULL; /* the next vendor */
                if (depth == tabs && (size_t)(stop - line) > tabs + 6 && strncasecmp(line + tabs, id, 4) == 0 &&
                    line[tabs + 4] == ' ') {
                        const char *name = line + tabs + 4 + strspn(line + tabs + 4, " ");
                        free(*ret_name);
                        *ret_name = xstrndup(name, (size_t)(stop - name));
                        return stop < end ? stop + 1 : end;
                }
                line = stop + 1;
        }
        return NULL;
}

enum { PCI_IDS, USB_IDS };

static const struct strbuf *ids_of(struct resource_host *host, int which)
{
        static const char *const places[2][2] = {
                [PCI_IDS] = { "usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids" },
                [USB_IDS] = { "usr/share/misc/usb.ids", "usr/share/hwdata/usb.ids" },
        };
        struct strbuf *b = &host->ids[which].text;
        for (size_t i = 0; i < ARRAY_SIZE(places[which]) && !host->ids[which].is_read && !b->len; i++)
                path_read_file(host->root_fd, places[which][i], IDS_MAX, b);
        host->ids[which].is_read = true;
        return b;
}

static void look_up(struct resource_host *host, int which, const char *vendor, const char *product, char **ret_vendor,
                    char **ret_product)
{
        const struct strbuf *b = ids_of(host, which);
        if (!b->len || strlen(vendor) != 4 || strlen(product) != 4)
                return;
        const char *end = b->data + b->len, *inside = find_line(b->data, end, 0, vendor, ret_vendor);
        if (inside)
                find_line(inside, end, 1, product, ret_product);
}

static char *hexadecimal_id(struct resource_host *host, const char *device_path, const char *file)
{
        _cleanup_free_ char *text = resource_text(host, "%s/%s", device_path, file);
        return text && str_starts(text, "0x") ? xstrdup(text + 2) : NULL;
}

void resource_set_pci_names(struct resource_host *host, struct json_object *o, const char *device_path)
{
        _cleanup_free_ char *vendor = hexadecimal_id(host, device_path, "vendor");
        _cleanup_free_ char *product = hexadecimal_id(host, device_path, "device");
        char *vendor_name = NULL, *product_name = NULL;
        look_up(host, PCI_IDS, vendor ? vendor : "", product ? product : "", &vendor_name, &product_name);
        resource_add_text(o, "vendor_id", TAKE_PTR(vendor));
        resource_add_text(o, "product_id", TAKE_PTR(product));
        resource_add_text(o, "vendor", vendor_name);
        resource_add_text(o, "product", product_name);
}

/* ---- PCI ---- */

static struct json_object *vpd_of(struct resource_host *host, const char *device_path)
{
        char path[300];
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        snprintf(path, sizeof path, "%s/vpd", device_path);
        if (resource_exists(host, "%s", path))
                path_read_file(host->root_fd, path, VPD_MAX, &b);
        return resources_vpd_parse((const uint8_t *)b.data, b.len);
}

static void set_empty(struct json_object *o, const char *const *keys)
{
        for (; *keys; keys++)
                if (!json_object_object_get_ex(o, *keys, NULL))
                        json_set_string(o, *keys, "");
}

static struct json_object *pci_device(struct resource_host *host, const char *address)
{
        static const char *const always[] = { "driver", "driver_version", "vendor", "vendor_id", "product", "product_id", NULL };
        struct json_object *o = json_object_new_object();
        char path[300];
        snprintf(path, sizeof path, "sys/bus/pci/devices/%s", address);
        _cleanup_free_ char *group = resource_link_name(host, "%s/iommu_group", path);
        resource_set_driver(host, o, path);
        resource_set_pci_names(host, o, path);
        set_empty(o, always);
        json_set_string(o, "pci_address", address);
        json_set_int(o, "iommu_group", group ? strtol(group, NULL, 10) : 0);
        json_set_take(o, "vpd", vpd_of(host, path));
        return o;
}

struct json_object *resources_pci(struct resource_host *host)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(host, &names, "sys/bus/pci/devices");
        for (size_t i = 0; i < names.n; i++)
                json_object_array_add(list, pci_device(host, names.items[i]));
        return resource_totalled("devices", list);
}

/* ---- USB ---- */

/* Its class numbers are hexadecimal texts without a prefix. */
static int64_t hexadecimal(struct resource_host *host, const char *path, const char *file)
{
        _cleanup_free_ char *text = resource_text(host, "%s/%s", path, file);
        return text ? strtol(text, NULL, 16) : 0;
}

/* USB-IF's base classes. */
static const char *class_name(int64_t class)
{
        static const struct {
                int64_t number;
                const char *name;
        } classes[] = {
                { 0x01, "Audio" }, { 0x02, "Communications" }, { 0x03, "Human Interface Device" }, { 0x05, "Physical" },
                { 0x06, "Imaging" }, { 0x07, "Printer" }, { 0x08, "Mass Storage" }, { 0x09, "Hub" }, { 0x0a, "CDC Data" },
                { 0x0b, "Chip/SmartCard" }, { 0x0d, "Content Security" }, { 0x0e, "Video" }, { 0x0f, "Personal Healthcare" },
                { 0x10, "Audio/Video" }, { 0xdc, "Diagnostic Device" }, { 0xe0, "Wireless" }, { 0xef, "Miscellaneous Device" },
                { 0xfe, "Application Specific Interface" }, { 0xff, "Vendor Specific Class" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
                if (classes[i].number == class)
                        return classes[i].name;
        return "";
}

/* Of the classes whose subclasses a person may want to tell apart (USB-IF's documents of these classes). */
static const char *subclass_name(int64_t class, int64_t subclass)
{
        static const struct {
                int64_t class, subclass;
                const char *name;
        } subclasses[] = {
                { 0x01, 0x01, "Control Device" }, { 0x01, 0x02, "Streaming" }, { 0x01, 0x03, "MIDI Streaming" },
                { 0x02, 0x02, "Abstract (modem)" }, { 0x02, 0x06, "Ethernet Networking" },
                { 0x03, 0x01, "Boot Interface Subclass" }, { 0x06, 0x01, "Still Image Capture" }, { 0x07, 0x01, "Printer" },
                { 0x08, 0x01, "RBC (typically Flash)" }, { 0x08, 0x04, "Floppy (UFI)" }, { 0x08, 0x06, "SCSI" },
                { 0x0e, 0x01, "Video Control" }, { 0x0e, 0x02, "Video Streaming" },
                { 0xe0, 0x01, "Radio Frequency" }, { 0xfe, 0x01, "Device Firmware Update" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(subclasses); i++)
                if (subclasses[i].class == class && subclasses[i].subclass == subclass)
                        return subclasses[i].name;
        return "";
}

static struct json_object *usb_interfaces(struct resource_host *host, const char *device)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(host, &names, "sys/bus/usb/devices/%s", device);
        for (size_t i = 0; i < names.n; i++) {
                char path[600];
                snprintf(path, sizeof path, "sys/bus/usb/devices/%s/%s", device, names.items[i]);
                if (!resource_exists(host, "%s/bInterfaceNumber", path))
                        continue;
                struct json_object *o = json_object_new_object();
                int64_t class = hexadecimal(host, path, "bInterfaceClass");
                json_set_string(o, "class", class_name(class));
                json_set_int(o, "class_id", class);
                json_set_string(o, "subclass", subclass_name(class, hexadecimal(host, path, "bInterfaceSubClass")));
                resource_set_driver(host, o, path);
                json_object_object_del(o, "numa_node");
                json_set_int(o, "number", hexadecimal(host, path, "bInterfaceNumber"));
                json_set_int(o, "subclass_id", hexadecimal(host, path, "bInterfaceSubClass"));
                json_object_array_add(list, o);
        }
        return list;
}

static struct json_object *usb_device(struct resource_host *host, const char *device)
{
        struct json_object *o = json_object_new_object();
        char path[300];
        snprintf(path, sizeof path, "sys/bus/usb/devices/%s", device);
        _cleanup_free_ char *vendor = resource_text(host, "%s/idVendor", path);
        _cleanup_free_ char *product = resource_text(host, "%s/idProduct", path);
        char *vendor_name = resource_text(host, "%s/manufacturer", path);
        char *product_name = resource_text(host, "%s/product", path);
        if (vendor && product && (!vendor_name || !product_name))
                look_up(host, USB_IDS, vendor, product, &vendor_name, &product_name);
        json_set_int(o, "bus_address", resource_number(host, 0, "%s/busnum", path));
        json_set_int(o, "device_address", resource_number(host, 0, "%s/devnum", path));
        json_set_take(o, "interfaces", usb_interfaces(host, device));
        json_set_string(o, "vendor_id", vendor ? vendor : "");
        json_set_string(o, "product_id", product ? product : "");
        resource_set_text(o, "vendor", vendor_name);
        resource_set_text(o, "product", product_name);
        json_set_int(o, "speed", resource_number(host, 0, "%s/speed", path));
        return o;
}

/* Hubs are the bus, not what hangs on it. */
struct json_object *resources_usb(struct resource_host *host)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(host, &names, "sys/bus/usb/devices");
        for (size_t i = 0; i < names.n; i++) {
                char path[300];
                snprintf(path, sizeof path, "sys/bus/usb/devices/%s", names.items[i]);
                if (resource_exists(host, "%s/bDeviceClass", path) && hexadecimal(host, path, "bDeviceClass") != 0x09)
                        json_object_array_add(list, usb_device(host, names.items[i]));
        }
        return resource_totalled("devices", list);
}
