/* SPDX-License-Identifier: Apache-2.0 */
/* Network cards: interfaces with a device behind them, put together by the device. */
#include "runtime/resources.h"
#include "base/alloc.h"

#include <net/if_arp.h>
#include <stdio.h>

static const char *protocol_name(int64_t type)
{
        return type == ARPHRD_ETHER ? "ethernet" : type == ARPHRD_INFINIBAND ? "infiniband" : "";
}

static struct json_object *port_new(int root_fd, const char *name)
{
        struct json_object *o = json_object_new_object();
        /* Reading the speed of an interface that is down is an error, and of one without a wire -1. */
        int64_t speed = resource_number(root_fd, 0, "sys/class/net/%s/speed", name);
        bool has_link = resource_number(root_fd, 0, "sys/class/net/%s/carrier", name) == 1;
        json_set_string(o, "id", name);
        resource_set_text(o, "address", resource_text(root_fd, "sys/class/net/%s/address", name));
        json_set_int(o, "port", resource_number(root_fd, 0, "sys/class/net/%s/dev_port", name));
        json_set_string(o, "protocol", protocol_name(resource_number(root_fd, 0, "sys/class/net/%s/type", name)));
        json_set_bool(o, "link_detected", has_link);
        if (has_link && speed > 0) {
                json_set_int(o, "link_speed", speed);
                resource_set_text(o, "link_duplex", resource_text(root_fd, "sys/class/net/%s/duplex", name));
        }
        return o;
}

static struct json_object *card_new(int root_fd, const char *name)
{
        struct json_object *o = json_object_new_object();
        char path[300];
        snprintf(path, sizeof path, "sys/class/net/%s/device", name);
        resource_set_driver(root_fd, o, path);
        resource_set_pci_names(root_fd, o, path);
        snprintf(path, sizeof path, "sys/class/net/%s", name);
        resource_set_text(o, "pci_address", resource_pci_address(root_fd, path));
        resource_set_text(o, "usb_address", resource_usb_address(root_fd, path));
        json_set_take(o, "ports", json_object_new_array());
        return o;
}

/* The ports of one device share its directory. */
struct json_object *resources_network(int root_fd)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array(), *cards = json_object_new_object();
        resource_list(root_fd, &names, "sys/class/net");
        for (size_t i = 0; i < names.n; i++) {
                const char *name = names.items[i];
                _cleanup_free_ char *device = resource_link(root_fd, "sys/class/net/%s/device", name);
                if (!device)
                        continue;
                struct json_object *card = json_get_object(cards, device);
                if (!card) {
                        card = card_new(root_fd, name);
                        json_set_take(cards, device, json_object_get(card));
                        json_object_array_add(list, card);
                }
                json_object_array_add(json_get_array(card, "ports"), port_new(root_fd, name));
        }
        json_object_put(cards);
        return resource_totalled("cards", list);
}
