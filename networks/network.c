/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/network.h"
#include "base/alloc.h"
#include "base/names.h"

const struct object_kind network_kind = { "network", "Network", &network_type, 1 };

static const char *get(const struct network *n, const char *key)
{
        const char *value = config_get(network_tables, &n->config, key);
        return value ? value : "";
}

static bool is_auto(const struct network *n, const char *key)
{
        return streq(strmap_get(&n->config, key), "auto");
}

static void fill_family(struct network *n, const char *address, const char *nat)
{
        if (str_empty(strmap_get(&n->config, address)))
                strmap_set(&n->config, address, "auto");
        if (is_auto(n, address) && str_empty(strmap_get(&n->config, nat)))
                strmap_set(&n->config, nat, "true");
}

void network_fill(struct network *n, bool host_has_ipv6)
{
        fill_family(n, "ipv4.address", "ipv4.nat");
        if (!host_has_ipv6 && str_empty(strmap_get(&n->config, "ipv6.address")))
                strmap_set(&n->config, "ipv6.address", "none");
        fill_family(n, "ipv6.address", "ipv6.nat");
}

bool network_wants_subnet(const struct network *n)
{
        return is_auto(n, "ipv4.address") || is_auto(n, "ipv6.address");
}

static int take_range(const char *text, size_t n, struct network_range *ret)
{
        char copy[2 * INET_TEXT_SIZE];
        if (n >= sizeof copy)
                return -EINVAL;
        memcpy(copy, text, n);
        copy[n] = '\0';
        char *dash = strchr(copy, '-');
        if (!dash)
                return -EINVAL;
        *dash = '\0';
        if (inet_parse_address(copy, AF_INET, &ret->first) < 0 || inet_parse_address(dash + 1, AF_INET, &ret->last) < 0)
                return -EINVAL;
        return inet4_get(&ret->first) <= inet4_get(&ret->last) ? 0 : -EINVAL;
}

int network_parse_ranges(const char *text, struct network_range *ret, size_t *ret_n)
{
        size_t n = 0;
        for (const char *p = text;; p++) {
                size_t len = strcspn(p, ",");
                if (n == NETWORK_RANGES_MAX)
                        return -E2BIG;
                /* "a-b, c-d" is how people write lists */
                size_t blank = strspn(p, " ");
                int r = blank > len ? -EINVAL : take_range(p + blank, len - blank, &ret[n]);
                if (r < 0)
                        return r;
                n++;
                p += len;
                if (!*p)
                        return *ret_n = n, 0;
        }
}

static int refuse(const struct network *n, struct error *err, const char *key, const char *why)
{
        error_set(err, ERR_BAD_REQUEST, "Network \"%s\": %s \"%s\" %s", n->name, key, get(n, key), why);
        return error_object(err, "network", n->name), -EINVAL;
}

static int check_ipv4(const struct network *n, struct error *err)
{
        struct inet_prefix p;
        if (inet_parse_cidr(get(n, "ipv4.address"), AF_INET, &p) < 0)
                return 0; /* auto, none */
        uint32_t address = inet4_get(&p), hosts = p.len < 32 ? UINT32_MAX >> p.len : 0;
        if (p.len < 8 || p.len > 30)
                return refuse(n, err, "ipv4.address", "needs a length from 8 to 30");
        if ((address & hosts) == 0 || (address & hosts) == hosts)
                return refuse(n, err, "ipv4.address", "is the network's own or its broadcast address: a host's is needed");
        if (p.addr[0] == 127 || p.addr[0] == 0 || p.addr[0] >= 224)
                return refuse(n, err, "ipv4.address", "is not an address a host can have");
        return 0;
}

static int check_ranges(const struct network *n, struct error *err)
{
        struct network_range ranges[NETWORK_RANGES_MAX];
        struct inet_prefix p;
        size_t count;
        const char *text = get(n, "ipv4.dhcp.ranges");
        if (str_empty(text) || network_parse_ranges(text, ranges, &count) < 0)
                return 0;
        if (inet_parse_cidr(get(n, "ipv4.address"), AF_INET, &p) < 0)
                return refuse(n, err, "ipv4.dhcp.ranges", "needs an ipv4.address that is given");
        for (size_t i = 0; i < count; i++)
                if (!inet_contains(&p, &ranges[i].first) || !inet_contains(&p, &ranges[i].last))
                        return refuse(n, err, "ipv4.dhcp.ranges", "reaches out of the network's ipv4.address");
        return 0;
}

static int check_ipv6(const struct network *n, struct error *err)
{
        struct inet_prefix p;
        if (inet_parse_cidr(get(n, "ipv6.address"), AF_INET6, &p) < 0)
                return 0;
        /* Instances take their address from the router's announcement, which the protocol ties to 64 bits. */
        if (p.len != 64)
                return refuse(n, err, "ipv6.address", "needs the length 64");
        if ((p.addr[0] & 0xe0) == 0 || p.addr[0] >= 0xfe)
                return refuse(n, err, "ipv6.address", "is not an address a host can have");
        if (config_get_int(network_tables, &n->config, "bridge.mtu") < 1280)
                return refuse(n, err, "bridge.mtu", "is below 1280, the least of IPv6");
        return 0;
}

int network_check(const struct network *n, struct error *err)
{
        int r = name_check_network(n->name, err);
        if (r < 0)
                return r;
        if (!streq(n->type, "bridge")) {
                error_set(err, ERR_BAD_REQUEST, "Network \"%s\": type \"%s\" is not supported", n->name, n->type);
                return error_hint(err, "the one type is \"bridge\"");
        }
        r = config_validate(network_tables, &n->config, ON_NETWORK, err);
        if (r < 0)
                return error_prefix(err, "Network \"%s\"", n->name);
        r = check_ipv4(n, err);
        if (r >= 0)
                r = check_ranges(n, err);
        return r < 0 ? r : check_ipv6(n, err);
}

int network_check_overlap(const struct network *n, const struct network *other, struct error *err)
{
        static const char *const keys[] = { "ipv4.address", "ipv6.address" };
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                struct inet_prefix a, b;
                if (inet_parse_cidr(get(n, keys[i]), 0, &a) < 0 || inet_parse_cidr(get(other, keys[i]), 0, &b) < 0 ||
                    !inet_overlaps(&a, &b))
                        continue;
                return error_set(err, ERR_EXISTS, "Network \"%s\": %s \"%s\" overlaps \"%s\" of the network \"%s\"", n->name,
                                 keys[i], get(n, keys[i]), get(other, keys[i]), other->name);
        }
        return 0;
}

/* The same at every start and for every daemon another: FNV-1a. 00:16:3e is what LXD and Xen use for guests. */
static void make_hwaddr(const char *did, const char *name, uint8_t ret[static HWADDR_SIZE])
{
        uint32_t h = 2166136261u;
        for (const char *p = did; *p; p++)
                h = (h ^ (uint8_t)*p) * 16777619u;
        for (const char *p = name; *p; p++)
                h = (h ^ (uint8_t)*p) * 16777619u;
        h ^= h >> 24;
        memcpy(ret, (uint8_t[]){ 0x00, 0x16, 0x3e, (uint8_t)(h >> 16), (uint8_t)(h >> 8), (uint8_t)h }, HWADDR_SIZE);
}

static void plan_ranges(const struct network *n, struct network_plan *p)
{
        const char *text = get(n, "ipv4.dhcp.ranges");
        if (!str_empty(text) && network_parse_ranges(text, p->ranges, &p->n_ranges) == 0)
                return;
        struct inet_prefix net = inet_masked(&p->ipv4);
        uint32_t first = inet4_get(&net), size = 1u << (32 - p->ipv4.len);
        /* From the second on: the first is the bridge by custom. dnsmasq leaves the bridge's out wherever it is. */
        p->ranges[0].first = inet4_make(first + MIN(2u, size - 2), 32);
        p->ranges[0].last = inet4_make(first + size - 2, 32);
        p->n_ranges = 1;
}

static bool is_on(const struct network *n, const char *key)
{
        return config_get_bool(network_tables, &n->config, key);
}

void network_plan(const struct network *n, const char *did, struct network_plan *ret)
{
        *ret = (struct network_plan){ .name = n->name,
                                      .has_ipv4_nat = is_on(n, "ipv4.nat"),
                                      .has_ipv6_nat = is_on(n, "ipv6.nat"),
                                      .has_names = streq(get(n, "dns.mode"), "managed"),
                                      .domain = get(n, "dns.domain") };
        if (inet_parse_cidr(get(n, "ipv4.address"), AF_INET, &ret->ipv4) < 0)
                ret->ipv4.family = 0;
        if (inet_parse_cidr(get(n, "ipv6.address"), AF_INET6, &ret->ipv6) < 0)
                ret->ipv6.family = 0;
        ret->has_ipv4_dhcp = ret->ipv4.family && is_on(n, "ipv4.dhcp");
        ret->has_ipv6_dhcp = ret->ipv6.family && is_on(n, "ipv6.dhcp");
        if (ret->has_ipv4_dhcp)
                plan_ranges(n, ret);
        if (!str_empty(strmap_get(&n->config, "bridge.mtu")))
                ret->mtu = (unsigned)config_get_int(network_tables, &n->config, "bridge.mtu");
        make_hwaddr(did, n->name, ret->hwaddr);
}
