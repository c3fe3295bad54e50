/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/nic.h"
#include "base/alloc.h"
#include "base/names.h"
#include "networks/host.h"
#include "networks/network-ops.h"

#include <stdio.h>
#include <sys/random.h>

#define INDEX_MAX 31

static int check_interface(const struct config_key *key _unused_, const char *value)
{
        if (name_check_network(value, NULL) < 0 || streq(value, ".") || streq(value, ".."))
                return -EINVAL;
        return 0;
}

static int check_network_name(const struct config_key *key _unused_, const char *value)
{
        return name_check_network(value, NULL);
}

static const struct config_type type_interface = { "interface", "an interface name of at most 15 characters",
                                                   check_interface, false, false };
static const struct config_type type_network = { "network", "the name of a network", check_network_name, false, false };
static const char *const nictypes[] = { "bridged", "p2p", NULL };
static const char *const types[] = { "nic", NULL };

#define ROW .scope = ON_DEVICE, .update = UPDATE_ON_RESTART, .since = "0.1"

static const struct config_key nic_keys[] = {
        KEY("host_name", SERVER, ROW, .type = &type_interface, .summary = "Name of the host's end"),
        KEY("hwaddr", NONE, ROW, .type = &config_type_hwaddr, .summary = "Hardware address"),
        KEY("mtu", NONE, ROW, .type = &config_type_uint, .min = 68, .max = 65535, .summary = "Largest packet"),
        KEY("name", NONE, ROW, .type = &type_interface, .summary = "Name in the instance"),
        KEY("network", NONE, ROW, .type = &type_network, .summary = "Managed network to be in"),
        KEY("nictype", NONE, ROW, .type = &config_type_choice, .choices = nictypes, .summary = "Kind of nic"),
        KEY("parent", SERVER, ROW, .type = &type_interface, .summary = "Bridge of the host to be attached to"),
        KEY("type", NONE, ROW, .type = &config_type_choice, .choices = types, .summary = "nic"),
        {},
};
const struct config_key *const nic_tables[] = { nic_keys, NULL };

static const char *get(const struct strmap *keys, const char *key)
{
        const char *value = strmap_get(keys, key);
        return value ? value : "";
}

const char *nic_parent(const struct strmap *keys)
{
        return *get(keys, "network") ? get(keys, "network") : get(keys, "parent");
}

static int refuse(struct error *err, const char *device, const char *why, const char *hint)
{
        error_set(err, ERR_BAD_REQUEST, "Device \"%s\": %s", device, why);
        if (hint)
                error_hint(err, "%s", hint);
        return -EINVAL;
}

static int check_kind(const char *device, const struct strmap *keys, struct error *err)
{
        const char *nictype = get(keys, "nictype"), *parent = get(keys, "parent");
        if (*get(keys, "network")) {
                if (*parent)
                        return refuse(err, device, "\"parent\" cannot be set together with \"network\"", NULL);
                if (*nictype && !streq(nictype, "bridged"))
                        return refuse(err, device, "\"nictype\" must be \"bridged\" with \"network\"", NULL);
                return 0;
        }
        if (!*nictype)
                return refuse(err, device, "a nic needs \"network\" or \"nictype\"",
                              "set network=lightbr0, or nictype=bridged and parent=<bridge>");
        if (streq(nictype, "bridged") && !*parent)
                return refuse(err, device, "nictype \"bridged\" needs \"parent\"", "set parent to a bridge of the host");
        if (streq(nictype, "p2p") && *parent)
                return refuse(err, device, "nictype \"p2p\" takes no \"parent\"", NULL);
        return 0;
}

static struct object *find_network(struct server *s, const char *project, const char *name)
{
        return object_find(s, &network_kind, project_effective(s, project, PROJECT_NETWORKS), name);
}

int nic_check(struct server *s, const char *project, const char *device, const struct strmap *keys, struct error *err)
{
        const char *network = get(keys, "network");
        int r = check_kind(device, keys, err);
        if (r < 0)
                return r;
        if (*network && !find_network(s, project, network))
                return error_set(err, ERR_NOT_FOUND, "Device \"%s\": network \"%s\" not found", device, network);
        return 0;
}

void nic_host_name(const char *did, uint32_t num, uint32_t gen, unsigned index, char ret[static IF_NAMESIZE])
{
        static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
        char text[9] = "", last[2] = "";
        for (int i = 0; i < 5; i++)
                text[i] = digits[(num >> (20 - 5 * i)) & 31];
        text[5] = digits[(gen >> 5) & 31];
        text[6] = digits[gen & 31];
        if (index > 0)
                last[0] = digits[index & 31];
        snprintf(ret, IF_NAMESIZE, "lv%.4s%s%s", did, text, last);
}

static void make_hwaddr(uint8_t ret[static HWADDR_SIZE])
{
        memcpy(ret, (uint8_t[]){ 0x00, 0x16, 0x3e }, 3);
        if (getrandom(ret + 3, 3, 0) != 3)
                abort();
}

static char *hwaddr_key(const char *device)
{
        return xasprintf("volatile.%s.hwaddr", device);
}

void nic_give_hwaddr(const char *device, const struct strmap *keys, struct strmap *volatile_config)
{
        _cleanup_free_ char *key = hwaddr_key(device);
        uint8_t hwaddr[HWADDR_SIZE];
        char text[HWADDR_TEXT_SIZE];
        if (*get(keys, "hwaddr") || strmap_get(volatile_config, key))
                return;
        make_hwaddr(hwaddr);
        strmap_set(volatile_config, key, hwaddr_format(hwaddr, text));
}

static void choose_hwaddr(const struct nic_request *nic, struct nic_plan *p)
{
        _cleanup_free_ char *key = hwaddr_key(nic->device);
        const char *remembered = nic->volatile_config ? strmap_get(nic->volatile_config, key) : NULL;
        if (hwaddr_parse(get(nic->keys, "hwaddr"), p->hwaddr) == 0)
                return;
        if (remembered && hwaddr_parse(remembered, p->hwaddr) == 0)
                return;
        make_hwaddr(p->hwaddr);
        p->is_new_hwaddr = true;
}

static int plan_bridge(struct server *s, const struct nic_request *nic, struct nic_plan *p, struct error *err)
{
        const char *parent = nic_parent(nic->keys), *reason;
        if (find_network(s, nic->project, parent)) {
                snprintf(p->network, IF_NAMESIZE, "%s", parent);
                /* Not looked at yet since the daemon started, but its bridge outlived the last one. */
                bool is_found_soon = streq(network_status(s, parent, &reason), "Pending") && host_is_bridge(parent);
                if (!is_found_soon && !streq(network_status(s, parent, &reason), "Created"))
                        return error_set(err, ERR_UNAVAILABLE, "Network \"%s\" is not available%s%s", parent,
                                         reason ? ": " : "", reason ? reason : "");
        }
        snprintf(p->bridge, IF_NAMESIZE, "%s", parent);
        if (p->network[0])
                return 0;
        if (!host_has_interface(parent))
                return error_set(err, ERR_NOT_FOUND, "Device \"%s\": parent bridge \"%s\" does not exist", nic->device,
                                 parent);
        return host_is_bridge(parent) ? 0
                                      : error_set(err, ERR_BAD_REQUEST, "Device \"%s\": parent \"%s\" is not a bridge",
                                                  nic->device, parent);
}

static int check_room(const struct nic_plan *p, struct error *err)
{
        if (!p->bridge[0] || host_ports(p->bridge) < NETWORK_PORTS_MAX)
                return 0;
        error_set(err, ERR_NO_SPACE, "Bridge \"%s\" is full (1,023 ports)", p->bridge);
        return error_hint(err, "create another network");
}

static unsigned choose_mtu(struct server *s, const struct nic_request *nic, const struct nic_plan *p)
{
        const char *own = get(nic->keys, "mtu");
        if (*own)
                return (unsigned)config_get_int(nic_tables, nic->keys, "mtu");
        struct object *o = p->network[0] ? find_network(s, nic->project, p->network) : NULL;
        if (o)
                return (unsigned)config_get_int(network_tables, &((struct network *)o->body)->config, "bridge.mtu");
        unsigned mtu = p->bridge[0] ? host_mtu(p->bridge) : 0;
        return mtu ? mtu : 1500;
}

int nic_plan(struct server *s, const struct nic_request *nic, struct nic_plan *ret, struct error *err)
{
        struct nic_plan p = { 0 };
        const char *name = get(nic->keys, "name"), *host_name = get(nic->keys, "host_name");
        int r = nic_check(s, nic->project, nic->device, nic->keys, err);
        if (r >= 0 && nic->index > INDEX_MAX)
                r = refuse(err, nic->device, "an instance has at most 32 nics", NULL);
        if (r >= 0 && !streq(get(nic->keys, "nictype"), "p2p"))
                r = plan_bridge(s, nic, &p, err);
        if (r >= 0)
                r = check_room(&p, err);
        if (r >= 0 && *host_name && host_has_interface(host_name))
                r = error_set(err, ERR_EXISTS, "Device \"%s\": an interface \"%s\" exists already on this host",
                              nic->device, host_name);
        if (r < 0)
                return r;
        choose_hwaddr(nic, &p);
        p.mtu = choose_mtu(s, nic, &p);
        if (*name)
                snprintf(p.name, IF_NAMESIZE, "%s", name);
        else
                snprintf(p.name, IF_NAMESIZE, "eth%u", nic->index);
        if (*host_name)
                snprintf(p.host_name, IF_NAMESIZE, "%s", host_name);
        else
                nic_host_name(s->did, nic->num, nic->gen, nic->index, p.host_name);
        *ret = p;
        return 0;
}

struct json_object *nic_plan_json(const struct nic_plan *plan)
{
        char hwaddr[HWADDR_TEXT_SIZE];
        struct json_object *o = json_object_new_object();
        json_set_string(o, "type", plan->bridge[0] ? "bridged" : "p2p");
        json_set_string(o, "host_name", plan->host_name);
        json_set_string(o, "bridge", plan->bridge);
        json_set_string(o, "name", plan->name);
        json_set_string(o, "hwaddr", hwaddr_format(plan->hwaddr, hwaddr));
        json_set_int(o, "mtu", plan->mtu);
        return o;
}
