/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on the buses: PCI, USB, and the cards that draw. */
#include "runtime/resources.h"
#include "base/alloc.h"
#include "base/path.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <stdio.h>

#define IDS_MAX MiB(8)

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

static void look_up(int root_fd, const char *list, const char *vendor, const char *product, char **ret_vendor,
                    char **ret_product)
{
        static const char *const places[] = { "usr/share/misc", "usr/share/hwdata" };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        for (size_t i = 0; i < ARRAY_SIZE(places) && !b.len; i++) {
                char path[64];
                snprintf(path, sizeof path, "%s/%s", places[i], list);
                path_read_file(root_fd, path, IDS_MAX, &b);
        }
        if (!b.len || strlen(vendor) != 4 || strlen(product) != 4)
                return;
        const char *end = b.data + b.len, *inside = find_line(b.data, end, 0, vendor, ret_vendor);
        if (inside)
                find_line(inside, end, 1, product, ret_product);
}

void resource_set_pci_names(int root_fd, struct json_object *o, const char *device_path)
{
        _cleanup_free_ char *vendor = resource_text(root_fd, "%s/vendor", device_path);
        _cleanup_free_ char *product = resource_text(root_fd, "%s/device", device_path);
        const char *vendor_id = vendor && str_starts(vendor, "0x") ? vendor + 2 : "";
        const char *product_id = product && str_starts(product, "0x") ? product + 2 : "";
        char *vendor_name = NULL, *product_name = NULL;
        look_up(root_fd, "pci.ids", vendor_id, product_id, &vendor_name, &product_name);
        json_set_string(o, "vendor_id", vendor_id);
        json_set_string(o, "product_id", product_id);
        resource_set_text(o, "vendor", vendor_name);
        resource_set_text(o, "product", product_name);
}

/* ---- PCI ---- */

static struct json_object *pci_device(int root_fd, const char *address)
{
        struct json_object *o = json_object_new_object(), *vpd = json_object_new_object();
        char path[300];
        snprintf(path, sizeof path, "sys/bus/pci/devices/%s", address);
        _cleanup_free_ char *group = resource_link_name(root_fd, "%s/iommu_group", path);
        resource_set_driver(root_fd, o, path);
        resource_set_pci_names(root_fd, o, path);
        json_set_string(o, "pci_address", address);
        json_set_int(o, "iommu_group", group ? strtol(group, NULL, 10) : 0);
        json_set_take(o, "vpd", vpd);
        return o;
}

struct json_object *resources_pci(int root_fd)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(root_fd, &names, "sys/bus/pci/devices");
        for (size_t i = 0; i < names.n; i++)
                json_object_array_add(list, pci_device(root_fd, names.items[i]));
        return resource_totalled("devices", list);
}

/* ---- USB ---- */

/* Its class numbers are hexadecimal texts without a prefix. */
static int64_t hexadecimal(int root_fd, const char *path, const char *file)
{
        _cleanup_free_ char *text = resource_text(root_fd, "%s/%s", path, file);
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

static struct json_object *usb_interfaces(int root_fd, const char *device)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(root_fd, &names, "sys/bus/usb/devices/%s", device);
        for (size_t i = 0; i < names.n; i++) {
                char path[600];
                snprintf(path, sizeof path, "sys/bus/usb/devices/%s/%s", device, names.items[i]);
                if (!resource_exists(root_fd, "%s/bInterfaceNumber", path))
                        continue;
                struct json_object *o = json_object_new_object();
                int64_t class = hexadecimal(root_fd, path, "bInterfaceClass");
                json_set_string(o, "class", class_name(class));
                json_set_int(o, "class_id", class);
                resource_set_driver(root_fd, o, path);
                json_object_object_del(o, "numa_node");
                json_set_int(o, "number", hexadecimal(root_fd, path, "bInterfaceNumber"));
                json_set_int(o, "subclass_id", hexadecimal(root_fd, path, "bInterfaceSubClass"));
                json_object_array_add(list, o);
        }
        return list;
}

static struct json_object *usb_device(int root_fd, const char *device)
{
        struct json_object *o = json_object_new_object();
        char path[300];
        snprintf(path, sizeof path, "sys/bus/usb/devices/%s", device);
        _cleanup_free_ char *vendor = resource_text(root_fd, "%s/idVendor", path);
        _cleanup_free_ char *product = resource_text(root_fd, "%s/idProduct", path);
        char *vendor_name = resource_text(root_fd, "%s/manufacturer", path);
        char *product_name = resource_text(root_fd, "%s/product", path);
        if (vendor && product && (!vendor_name || !product_name))
                look_up(root_fd, "usb.ids", vendor, product, &vendor_name, &product_name);
        json_set_int(o, "bus_address", resource_number(root_fd, 0, "%s/busnum", path));
        json_set_int(o, "device_address", resource_number(root_fd, 0, "%s/devnum", path));
        json_set_take(o, "interfaces", usb_interfaces(root_fd, device));
        json_set_string(o, "vendor_id", vendor ? vendor : "");
        json_set_string(o, "product_id", product ? product : "");
        resource_set_text(o, "vendor", vendor_name);
        resource_set_text(o, "product", product_name);
        json_set_int(o, "speed", resource_number(root_fd, 0, "%s/speed", path));
        return o;
}

/* Hubs are the bus, not what hangs on it. */
struct json_object *resources_usb(int root_fd)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(root_fd, &names, "sys/bus/usb/devices");
        for (size_t i = 0; i < names.n; i++) {
                char path[300];
                snprintf(path, sizeof path, "sys/bus/usb/devices/%s", names.items[i]);
                if (resource_exists(root_fd, "%s/bDeviceClass", path) && hexadecimal(root_fd, path, "bDeviceClass") != 0x09)
                        json_object_array_add(list, usb_device(root_fd, names.items[i]));
        }
        return resource_totalled("devices", list);
}

/* ---- cards that draw ---- */

static struct json_object *drm(int root_fd, const char *card)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *o = json_object_new_object();
        json_set_int(o, "id", strtol(card + strlen("card"), NULL, 10));
        json_set_string(o, "card_name", card);
        resource_set_text(o, "card_device", resource_text(root_fd, "sys/class/drm/%s/dev", card));
        resource_list(root_fd, &names, "sys/class/drm/%s/device/drm", card);
        for (size_t i = 0; i < names.n; i++)
                if (str_starts(names.items[i], "renderD")) {
                        json_set_string(o, "render_name", names.items[i]);
                        resource_set_text(o, "render_device",
                                          resource_text(root_fd, "sys/class/drm/%s/dev", names.items[i]));
                }
        return o;
}

static bool is_card(const char *name)
{
        return str_starts(name, "card") && isdigit((unsigned char)name[4]) && !strchr(name, '-');
}

struct json_object *resources_gpu(int root_fd)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(root_fd, &names, "sys/class/drm");
        for (size_t i = 0; i < names.n; i++) {
                char path[300];
                if (!is_card(names.items[i]))
                        continue;
                struct json_object *o = json_object_new_object();
                snprintf(path, sizeof path, "sys/class/drm/%s/device", names.items[i]);
                resource_set_driver(root_fd, o, path);
                resource_set_pci_names(root_fd, o, path);
                snprintf(path, sizeof path, "sys/class/drm/%s", names.items[i]);
                resource_set_text(o, "pci_address", resource_pci_address(root_fd, path));
                resource_set_text(o, "usb_address", resource_usb_address(root_fd, path));
                json_set_take(o, "drm", drm(root_fd, names.items[i]));
                json_object_array_add(list, o);
        }
        return resource_totalled("cards", list);
}
