/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bridge-up    {"name","alias","mtu","hwaddr","ipv4","ipv6","ipv4_nat","ipv6_nat","ipv4_dhcp","ipv6_dhcp","run_dir","gid"}
 *              makes the bridge or repairs it, in any state it may be found in; adopts none without our alias
 *              → {} or {"warning"}: what this kernel cannot do, and what that costs
 * bridge-down  {"name","alias","hwaddr","run_dir","is_last"}   takes it away; what is not there is fine
 * bridge-sweep {"alias","keep":[names],"run_dir"}     takes away bridges of ours that nobody knows any more
 *
 * "alias" is both the interface alias that says whose a bridge is, and the name of the nft table. Descriptor 5, when
 * given, is the daemon's cgroup: net/<name> below it is where dnsmasq lives.
 */
#include "runtime/jobs.h"
#include "runtime/net.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

struct bridge {
        const char *name, *alias;
        int64_t mtu;
        uint8_t hwaddr[HWADDR_SIZE];
        struct net_rules rules;
        int netlink;
        uint32_t index; /* 0: not there */
};

static int read_prefix(struct json_object *args, const char *key, int family, struct inet_prefix *ret, struct error *err)
{
        const char *text = json_get_string(args, key, "");
        if (str_empty(text) || inet_parse_cidr(text, family, ret) == 0)
                return 0;
        return error_set(err, ERR_BAD_REQUEST, "Job argument \"%s\" is not a network: \"%s\"", key, text);
}

static int read_names(struct json_object *args, struct bridge *b, struct error *err)
{
        b->name = json_get_string(args, "name", "");
        b->alias = json_get_string(args, "alias", "");
        int r = name_check_network(b->name, err);
        if (r < 0)
                return r;
        if (json_has(args, "hwaddr") && hwaddr_parse(json_get_string(args, "hwaddr", ""), b->hwaddr) < 0)
                return error_set(err, ERR_BAD_REQUEST, "Job argument \"hwaddr\" is not a hardware address");
        return name_check_object("alias", b->alias, err);
}

static int read_bridge(struct json_object *args, struct bridge *b, struct error *err)
{
        int r = read_names(args, b, err);
        if (r < 0)
                return r;
        b->mtu = json_get_int(args, "mtu", 1500);
        b->rules = (struct net_rules){ .table = b->alias,
                                       .bridge = b->name,
                                       .has_ipv4_nat = json_get_bool(args, "ipv4_nat", false),
                                       .has_ipv6_nat = json_get_bool(args, "ipv6_nat", false),
                                       .has_ipv4_dhcp = json_get_bool(args, "ipv4_dhcp", false),
                                       .has_ipv6_dhcp = json_get_bool(args, "ipv6_dhcp", false) };
        r = read_prefix(args, "ipv4", AF_INET, &b->rules.ipv4, err);
        return r < 0 ? r : read_prefix(args, "ipv6", AF_INET6, &b->rules.ipv6, err);
}

static void begin_link(struct strbuf *m, uint16_t type, uint16_t flags, uint32_t index, uint32_t up)
{
        struct ifinfomsg i = { .ifi_index = (int)index, .ifi_flags = up, .ifi_change = up };
        netlink_begin(m, type, flags, &i, sizeof i);
}

struct found {
        char kind[16], alias[64];
        uint8_t hwaddr[HWADDR_SIZE];
        uint32_t index;
};

static int take_link(const struct netlink_message *m, void *data)
{
        struct found *f = data;
        struct ifinfomsg i;
        struct netlink_attr a[IFLA_IFALIAS + 1], info[IFLA_INFO_KIND + 1];
        if (m->header.nlmsg_type != RTM_NEWLINK || m->n < sizeof i)
                return 0;
        memcpy(&i, m->payload, sizeof i);
        netlink_parse(m->payload, m->n, sizeof i, a, ARRAY_SIZE(a));
        netlink_parse(a[IFLA_LINKINFO].data, a[IFLA_LINKINFO].n, 0, info, ARRAY_SIZE(info));
        netlink_get_str(&info[IFLA_INFO_KIND], f->kind, sizeof f->kind);
        netlink_get_str(&a[IFLA_IFALIAS], f->alias, sizeof f->alias);
        if (a[IFLA_ADDRESS].n == HWADDR_SIZE)
                memcpy(f->hwaddr, a[IFLA_ADDRESS].data, HWADDR_SIZE);
        f->index = (uint32_t)i.ifi_index;
        return 0;
}

/* 0 with index 0 when there is no interface of that name; an error when there is one that is not ours. */
static int find_bridge(struct bridge *b, struct error *err)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        struct found f = { 0 };
        begin_link(&m, RTM_GETLINK, 0, 0, 0);
        netlink_attr_str(&m, IFLA_IFNAME, b->name);
        int r = netlink_call(b->netlink, &m, take_link, &f);
        if (r == -ENODEV)
                return b->index = 0, 0;
        if (r < 0)
                return error_set_errno(err, r, "Looking for the interface \"%s\"", b->name);
        if (!streq(f.kind, "bridge"))
                return error_set(err, ERR_EXISTS, "Interface \"%s\" exists and is not a bridge", b->name);
        /* The kernel takes the alias only in a second message; until then the hardware address says it is ours. */
        if (!streq(f.alias, b->alias) && (f.alias[0] || memcmp(f.hwaddr, b->hwaddr, HWADDR_SIZE) != 0))
                return error_set(err, ERR_EXISTS, "Bridge \"%s\" exists and belongs to somebody else", b->name);
        b->index = f.index;
        return 0;
}

static int create_bridge(struct bridge *b)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        begin_link(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
        netlink_attr_str(&m, IFLA_IFNAME, b->name);
        netlink_attr(&m, IFLA_ADDRESS, b->hwaddr, HWADDR_SIZE);
        size_t nest = netlink_nest(&m, IFLA_LINKINFO);
        netlink_attr_str(&m, IFLA_INFO_KIND, "bridge");
        netlink_nest_end(&m, nest);
        return netlink_call(b->netlink, &m, NULL, NULL);
}

/* A bridge without an address of its own takes the lowest of its ports' and changes it as they come and go. */
static int configure_bridge(struct bridge *b)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        begin_link(&m, RTM_NEWLINK, 0, b->index, IFF_UP);
        netlink_attr(&m, IFLA_IFALIAS, b->alias, strlen(b->alias));
        netlink_attr(&m, IFLA_ADDRESS, b->hwaddr, HWADDR_SIZE);
        netlink_attr_u32(&m, IFLA_MTU, (uint32_t)b->mtu);
        return netlink_call(b->netlink, &m, NULL, NULL);
}

static int ensure_bridge(struct bridge *b, struct error *err)
{
        int r = find_bridge(b, err);
        if (r < 0)
                return r;
        if (b->index == 0) {
                effect_point(EFFECT_BRIDGE_CREATE, EFFECT_BEFORE);
                r = create_bridge(b);
                effect_point(EFFECT_BRIDGE_CREATE, EFFECT_AFTER);
                if (r == -EOPNOTSUPP) {
                        error_set(err, ERR_UNSUPPORTED, "Bridge \"%s\": this kernel has no bridges", b->name);
                        return error_hint(err, "load or enable the kernel's \"bridge\" module");
                }
                if (r < 0)
                        return error_set_errno(err, r, "Creating the bridge \"%s\"", b->name);
                r = find_bridge(b, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

struct wanted {
        const struct bridge *bridge;
        struct inet_prefix stale[32];
        size_t n_stale;
};

static bool is_link_local(const struct inet_prefix *a)
{
        return a->family == AF_INET6 && a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80;
}

static int collect_stale(const struct netlink_message *m, void *data)
{
        struct wanted *w = data;
        struct net_address a;
        const struct net_rules *n = &w->bridge->rules;
        if (net_address_parse(m, &a) && a.index == w->bridge->index && !is_link_local(&a.address) &&
            !inet_equal(&a.address, &n->ipv4) && !inet_equal(&a.address, &n->ipv6) &&
            w->n_stale < ARRAY_SIZE(w->stale))
                w->stale[w->n_stale++] = a.address;
        return 0;
}

static int change_address(const struct bridge *b, uint16_t type, uint16_t flags, const struct inet_prefix *address)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        size_t size = address->family == AF_INET ? 4 : 16;
        /* A bridge without ports has no carrier, so duplicate detection would keep its address tentative. */
        struct ifaddrmsg i = { .ifa_family = (uint8_t)address->family,
                               .ifa_prefixlen = address->len,
                               .ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0,
                               .ifa_index = b->index };
        netlink_begin(&m, type, flags, &i, sizeof i);
        netlink_attr(&m, IFA_LOCAL, address->addr, size);
        netlink_attr(&m, IFA_ADDRESS, address->addr, size);
        return netlink_call(b->netlink, &m, NULL, NULL);
}

static int set_addresses(struct bridge *b, struct error *err)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        struct wanted w = { .bridge = b };
        const struct inet_prefix *wanted[] = { &b->rules.ipv4, &b->rules.ipv6 };
        netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, &(struct ifaddrmsg){ .ifa_index = b->index },
                      sizeof(struct ifaddrmsg));
        int r = netlink_call(b->netlink, &m, collect_stale, &w);
        for (size_t i = 0; r >= 0 && i < w.n_stale; i++)
                r = change_address(b, RTM_DELADDR, 0, &w.stale[i]);
        if (r < 0)
                return error_set_errno(err, r, "Removing old addresses of the bridge \"%s\"", b->name);
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
                char text[INET_TEXT_SIZE];
                if (!wanted[i]->family)
                        continue;
                r = change_address(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, wanted[i]);
                if (r < 0)
                        return error_set_errno(err, r, "Giving the bridge \"%s\" the address \"%s\"", b->name,
                                               inet_format_cidr(wanted[i], text));
        }
        return 0;
}

static int apply_rules(struct bridge *b, struct json_object **ret_result, struct error *err)
{
        bool has_bridge;
        memcpy(b->rules.hwaddr, b->hwaddr, HWADDR_SIZE);
        b->rules.group = net_port_group(b->index);
        int r = net_rules_apply(&b->rules, &has_bridge, err);
        if (r < 0 || has_bridge)
                return r;
        *ret_result = json_object_new_object();
        json_set_string(*ret_result, "warning", "this kernel has no nf_tables for bridges: every guest's search for an "
                                                "address is sent to all guests");
        return 0;
}

static int bridge_up(struct bridge *b, struct json_object *args, struct json_object **ret_result, struct error *err)
{
        int r = ensure_bridge(b, err);
        if (r >= 0)
                r = net_place_create(b->name, args, err);
        if (r >= 0)
                r = net_sysctls_set(b->name, b->rules.ipv4.family, b->rules.ipv6.family, err);
        if (r < 0)
                return r;
        r = configure_bridge(b);
        if (r < 0)
                return error_set_errno(err, r, "Bringing the bridge \"%s\" up with an MTU of %lld", b->name,
                                       (long long)b->mtu);
        r = set_addresses(b, err);
        return r < 0 ? r : apply_rules(b, ret_result, err);
}

int job_bridge_up(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        struct bridge b = { 0 };
        int r = read_bridge(args, &b, err);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, 0);
        if (fd < 0)
                return error_set_errno(err, fd, "Opening a netlink socket for the bridge \"%s\"", b.name);
        b.netlink = fd;
        return bridge_up(&b, args, ret_result, err);
}

/* Rules first, the interface last: while anything is left, the bridge is there to say so (bridge-sweep). */
static int bridge_down(struct bridge *b, struct json_object *args, bool is_last, struct error *err)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        effect_point(EFFECT_BRIDGE_DELETE, EFFECT_BEFORE);
        int r = net_place_kill(b->name, err);
        if (r < 0)
                return r;
        r = find_bridge(b, err);
        if (r < 0)
                return r;
        r = net_rules_remove(b->alias, b->name, is_last, err);
        if (r < 0)
                return r;
        net_place_remove(b->name, args);
        effect_point(EFFECT_BRIDGE_DELETE, EFFECT_AFTER); /* the bridge still says that there is something to do */
        if (b->index == 0)
                return 0;
        begin_link(&m, RTM_DELLINK, 0, b->index, 0);
        r = netlink_call(b->netlink, &m, NULL, NULL);
        return r < 0 && r != -ENODEV ? error_set_errno(err, r, "Deleting the bridge \"%s\"", b->name) : 0;
}

int job_bridge_down(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        struct bridge b = { 0 };
        int r = read_names(args, &b, err);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, 0);
        if (fd < 0)
                return error_set_errno(err, fd, "Opening a netlink socket for the bridge \"%s\"", b.name);
        b.netlink = fd;
        return bridge_down(&b, args, json_get_bool(args, "is_last", false), err);
}

struct sweep {
        struct json_object *args, *keep;
        const char *alias;
        char names[64][IF_NAMESIZE];
        size_t n;
};

static bool is_kept(struct json_object *keep, const char *name)
{
        for (size_t i = 0; keep && i < json_object_array_length(keep); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(keep, i)), name))
                        return true;
        return false;
}

static int collect_strays(const struct netlink_message *m, void *data)
{
        struct sweep *s = data;
        struct found f = { 0 };
        struct net_link l;
        take_link(m, &f);
        if (net_link_parse(m, &l) && streq(f.kind, "bridge") && streq(f.alias, s->alias) && !is_kept(s->keep, l.name) &&
            s->n < ARRAY_SIZE(s->names))
                memcpy(s->names[s->n++], l.name, sizeof l.name);
        return 0;
}

int job_bridge_sweep(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        struct sweep s = { .args = args,
                           .keep = json_get_array(args, "keep"),
                           .alias = json_get_string(args, "alias", "") };
        int r = name_check_object("alias", s.alias, err);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, 0);
        if (fd < 0)
                return error_set_errno(err, fd, "Opening a netlink socket");
        begin_link(&m, RTM_GETLINK, NLM_F_DUMP, 0, 0);
        r = netlink_call(fd, &m, collect_strays, &s);
        if (r < 0)
                return error_set_errno(err, r, "Listing the interfaces");
        bool is_alone = !s.keep || json_object_array_length(s.keep) == 0;
        for (size_t i = 0; r >= 0 && i < s.n; i++) {
                struct bridge b = { .name = s.names[i], .alias = s.alias, .netlink = fd };
                r = bridge_down(&b, args, is_alone && i + 1 == s.n, err);
        }
        return r;
}
