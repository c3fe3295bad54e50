/* SPDX-License-Identifier: Apache-2.0 */
/* Cards that draw: those the kernel draws with, and PCI's display devices that no driver has or another kind of driver. */
#include "runtime/resources.h"
#include "base/alloc.h"

#include <ctype.h>
#include <stdio.h>

static void set_node(struct resource_host *host, struct json_object *o, const char *kind, const char *name)
{
        char key[32];
        snprintf(key, sizeof key, "%s_name", kind);
        json_set_string(o, key, name);
        snprintf(key, sizeof key, "%s_device", kind);
        resource_add_text(o, key, resource_text(host, "sys/class/drm/%s/dev", name));
}

static bool is_card(const char *name)
{
        return str_starts(name, "card") && isdigit((unsigned char)name[4]) && !strchr(name, '-');
}

/* device/drm lists the nodes of one device. */
static void set_drm(struct resource_host *host, struct json_object *card, const char *device_path)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *o = json_object_new_object();
        resource_list(host, &names, "%s/drm", device_path);
        for (size_t i = 0; i < names.n; i++) {
                const char *name = names.items[i];
                if (is_card(name)) {
                        json_set_int(o, "id", strtol(name + strlen("card"), NULL, 10));
                        set_node(host, o, "card", name);
                } else if (str_starts(name, "controlD")) {
                        set_node(host, o, "control", name);
                } else if (str_starts(name, "renderD")) {
                        set_node(host, o, "render", name);
                }
        }
        if (json_object_object_length(o))
                json_set_take(card, "drm", json_object_get(o));
        json_object_put(o);
}

static struct json_object *mdev_profile(struct resource_host *host, const char *path)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *o = json_object_new_object(), *list = json_object_new_array();
        resource_add_text(o, "api", resource_text(host, "%s/device_api", path));
        json_set_int(o, "available", resource_number(host, 0, "%s/available_instances", path));
        resource_add_text(o, "name", resource_text(host, "%s/name", path));
        resource_add_text(o, "description", resource_lines(host, "%s/description", path));
        resource_list(host, &names, "%s/devices", path);
        for (size_t i = 0; i < names.n; i++)
                json_array_add_string(list, names.items[i]);
        json_set_take(o, "devices", list);
        return o;
}

static void set_mdev(struct resource_host *host, struct json_object *card, const char *device_path)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *o;
        resource_list(host, &names, "%s/mdev_supported_types", device_path);
        if (names.n == 0)
                return;
        o = json_object_new_object();
        for (size_t i = 0; i < names.n; i++) {
                char path[600];
                snprintf(path, sizeof path, "%s/mdev_supported_types/%s", device_path, names.items[i]);
                json_set_take(o, names.items[i], mdev_profile(host, path));
        }
        json_set_take(card, "mdev", o);
}

/* place: a link to the device, or to what belongs to it, that tells its buses. */
static struct json_object *card_new(struct resource_host *host, const char *device_path, const char *place)
{
        struct json_object *o = json_object_new_object();
        char *address = resource_pci_address(host, place);
        resource_set_driver(host, o, device_path);
        resource_set_pci_names(host, o, device_path);
        set_drm(host, o, device_path);
        set_mdev(host, o, device_path);
        if (address)
                resource_set_nvidia(host, o, address);
        resource_add_text(o, "pci_address", address);
        resource_add_text(o, "usb_address", resource_usb_address(host, place));
        return o;
}

static struct json_object *pci_card_new(struct resource_host *host, const char *address)
{
        char path[300];
        snprintf(path, sizeof path, "sys/bus/pci/devices/%s", address);
        struct json_object *o = card_new(host, path, path);
        resource_set_sriov(host, o, path, pci_card_new);
        return o;
}

static struct json_object *drm_card_new(struct resource_host *host, const char *name)
{
        char path[300], device_path[320];
        snprintf(path, sizeof path, "sys/class/drm/%s", name);
        snprintf(device_path, sizeof device_path, "%s/device", path);
        struct json_object *o = card_new(host, device_path, path);
        resource_set_sriov(host, o, device_path, pci_card_new);
        return o;
}

struct json_object *resources_gpu(struct resource_host *host)
{
        _cleanup_resource_names_ struct resource_names names = { 0 }, displays = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(host, &names, "sys/class/drm");
        for (size_t i = 0; i < names.n; i++) {
                char path[300];
                snprintf(path, sizeof path, "sys/class/drm/%s/device", names.items[i]);
                if (is_card(names.items[i]) && resource_exists(host, "%s", path) && !resource_is_vf(host, path))
                        json_object_array_add(list, drm_card_new(host, names.items[i]));
        }
        resource_list_class(host, "03", &displays);
        for (size_t i = 0; i < displays.n; i++)
                if (!resource_has_address(list, displays.items[i]))
                        json_object_array_add(list, pci_card_new(host, displays.items[i]));
        return resource_totalled("cards", list);
}
