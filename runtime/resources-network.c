/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network cards: interfaces with a device behind them, put together by the device, and PCI's network devices that no
 * driver has made an interface of.
 */
#include "runtime/resources.h"
#include "base/alloc.h"

#include <net/if_arp.h>
#include <stdio.h>

static const char *protocol_name(int64_t type)
{
        return type == ARPHRD_ETHER ? "ethernet" : type == ARPHRD_INFINIBAND ? "infiniband" : "";
}

static void add_word(struct json_object *o, const char *key, const char *word)
{
        if (!str_empty(word))
                json_set_string(o, key, word);
}

/* ---- InfiniBand: programs talk to the card through nodes of their own, made for a port or the whole card ---- */

static void set_node(struct resource_host *host, struct json_object *o, const char *kind, const char *directory,
                     const char *name)
{
        char key[32];
        snprintf(key, sizeof key, "%s_name", kind);
        json_set_string(o, key, name);
        snprintf(key, sizeof key, "%s_device", kind);
        resource_add_text(o, key, resource_text(host, "%s/%s/dev", directory, name));
}

/* The kernel counts an adapter's ports from 1, an interface's from 0. */
static void set_infiniband(struct resource_host *host, struct json_object *port, const char *device_path, int64_t number)
{
        static const struct {
                const char *directory, *prefix, *kind;
                bool is_of_port;
        } nodes[] = {
                { "infiniband_mad", "issm", "issm", true },
                { "infiniband_mad", "umad", "mad", true },
                { "infiniband_verbs", "uverbs", "verb", false },
        };
        struct json_object *o;
        if (!resource_exists(host, "%s/infiniband", device_path))
                return;
        o = json_object_new_object();
        for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
                _cleanup_resource_names_ struct resource_names names = { 0 };
                char directory[400];
                snprintf(directory, sizeof directory, "%s/%s", device_path, nodes[i].directory);
                resource_list(host, &names, "%s", directory);
                for (size_t j = 0; j < names.n; j++)
                        if (str_starts(names.items[j], nodes[i].prefix) &&
                            (!nodes[i].is_of_port ||
                             resource_number(host, 1, "%s/%s/port", directory, names.items[j]) == number + 1))
                                set_node(host, o, nodes[i].kind, directory, names.items[j]);
        }
        json_set_take(port, "infiniband", o);
}

/* ---- ports ---- */

static void set_link(struct json_object *o, const struct resource_link *link, bool has_carrier)
{
        json_set_bool(o, "auto_negotiation", link->is_auto_negotiated);
        add_word(o, "port_type", link->port_type);
        add_word(o, "transceiver_type", link->transceiver_type);
        if (link->modes && json_object_array_length(link->modes))
                json_set_take(o, "supported_modes", json_object_get(link->modes));
        if (link->ports && json_object_array_length(link->ports))
                json_set_take(o, "supported_ports", json_object_get(link->ports));
        if (!has_carrier || link->speed <= 0)
                return;
        json_set_int(o, "link_speed", link->speed);
        add_word(o, "link_duplex", link->duplex);
}

/* ret_firmware: the card's, as one of its ports tells it. */
static struct json_object *port_new(struct resource_host *host, const char *name, char *ret_firmware, size_t n)
{
        struct json_object *o = json_object_new_object();
        struct resource_link link = { 0 };
        char path[300];
        int64_t number = resource_number(host, 0, "sys/class/net/%s/dev_port", name);
        /* Of an interface that is down, reading it is an error. */
        bool has_carrier = resource_number(host, 0, "sys/class/net/%s/carrier", name) == 1;
        if (host->ask_link && host->ask_link(name, &link) == 0)
                snprintf(ret_firmware, n, "%s", link.firmware_version);
        json_set_string(o, "id", name);
        resource_add_text(o, "address", resource_text(host, "sys/class/net/%s/address", name));
        json_set_int(o, "port", number);
        json_set_string(o, "protocol", protocol_name(resource_number(host, 0, "sys/class/net/%s/type", name)));
        json_set_bool(o, "link_detected", has_carrier);
        set_link(o, &link, has_carrier);
        snprintf(path, sizeof path, "sys/class/net/%s/device", name);
        set_infiniband(host, o, path, number);
        json_object_put(link.modes);
        json_object_put(link.ports);
        return o;
}

static void add_port(struct resource_host *host, struct json_object *card, const char *name)
{
        char firmware[64] = "";
        struct json_object *ports = json_get_array(card, "ports");
        if (!ports) {
                ports = json_object_new_array();
                json_set_take(card, "ports", ports);
        }
        json_object_array_add(ports, port_new(host, name, firmware, sizeof firmware));
        if (firmware[0])
                json_set_string(card, "firmware_version", firmware);
}

/* ---- cards ---- */

/* place: a link to the device, or to what belongs to it, that tells its buses. */
static struct json_object *card_new(struct resource_host *host, const char *device_path, const char *place)
{
        struct json_object *o = json_object_new_object();
        resource_set_driver(host, o, device_path);
        resource_set_pci_names(host, o, device_path);
        resource_add_text(o, "pci_address", resource_pci_address(host, place));
        resource_add_text(o, "usb_address", resource_usb_address(host, place));
        return o;
}

static struct json_object *pci_card_new(struct resource_host *host, const char *address)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        char path[300];
        snprintf(path, sizeof path, "sys/bus/pci/devices/%s", address);
        struct json_object *o = card_new(host, path, path);
        resource_list(host, &names, "%s/net", path);
        for (size_t i = 0; i < names.n; i++)
                add_port(host, o, names.items[i]);
        resource_set_sriov(host, o, path, pci_card_new);
        return o;
}

static struct json_object *interface_card_new(struct resource_host *host, const char *name)
{
        char path[300], device_path[320];
        snprintf(path, sizeof path, "sys/class/net/%s", name);
        snprintf(device_path, sizeof device_path, "%s/device", path);
        struct json_object *o = card_new(host, device_path, path);
        resource_set_sriov(host, o, device_path, pci_card_new);
        return o;
}

/* A device's place, whatever way its interfaces' links take to it: where their own links lead, up to "/net/". */
static char *device_of(struct resource_host *host, const char *name)
{
        char *place = resource_link(host, "sys/class/net/%s", name);
        char *end = place ? strstr(place, "/net/") : NULL;
        if (end)
                *end = '\0';
        return place;
}

struct json_object *resources_network(struct resource_host *host)
{
        _cleanup_resource_names_ struct resource_names names = { 0 }, unused = { 0 };
        struct json_object *list = json_object_new_array(), *cards = json_object_new_object();
        resource_list(host, &names, "sys/class/net");
        for (size_t i = 0; i < names.n; i++) {
                const char *name = names.items[i];
                char path[300];
                snprintf(path, sizeof path, "sys/class/net/%s/device", name);
                _cleanup_free_ char *device = device_of(host, name);
                if (!device || !resource_exists(host, "%s", path) || resource_is_vf(host, path))
                        continue;
                struct json_object *card = json_get_object(cards, device);
                if (!card) {
                        card = interface_card_new(host, name);
                        json_set_take(cards, device, json_object_get(card));
                        json_object_array_add(list, card);
                }
                add_port(host, card, name);
        }
        json_object_put(cards);
        resource_list_class(host, "02", &unused);
        for (size_t i = 0; i < unused.n; i++)
                if (!resource_has_address(list, unused.items[i]))
                        json_object_array_add(list, pci_card_new(host, unused.items[i]));
        return resource_totalled("cards", list);
}
