/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/netspace.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"

#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <unistd.h>

#define COUNTERS_AGE_MS 1000
#define LISTING_TRIES 3

struct netspace *netspace_new(const char *key, int nsid, int take_counters_fd)
{
        struct netspace *sp = xnew(struct netspace);
        sp->key = xstrdup(key);
        sp->nsid = nsid;
        sp->counters_fd = take_counters_fd;
        list_init(&sp->node);
        return sp;
}

void netspace_free(struct netspace *sp)
{
        list_remove(&sp->node);
        fd_close(sp->counters_fd);
        free(sp->links);
        free(sp->addresses);
        free(sp->key);
        free(sp);
}

void netspace_add_host_name(struct netspace *sp, const char *name, uint32_t index)
{
        if (index == 0 || sp->n_host_names == NETSPACE_HOST_NAMES_MAX)
                return;
        snprintf(sp->host_names[sp->n_host_names].name, IF_NAMESIZE, "%s", name);
        sp->host_names[sp->n_host_names++].index = index;
}

/* --- what is known --- */

static bool is_host(const struct netspace *sp)
{
        return sp->nsid == -1;
}

static struct netspace_link *find_link(struct netspace *sp, uint32_t index)
{
        for (size_t i = 0; i < sp->n_links; i++)
                if (sp->links[i].link.index == index)
                        return &sp->links[i];
        return NULL;
}

static void put_link(struct netspace *sp, const struct net_link *l)
{
        struct netspace_link *known = find_link(sp, l->index);
        if (known) {
                known->link = *l;
                return;
        }
        /* Of the host only addresses are asked for, and it may have thousands of ports. */
        if (is_host(sp) || sp->n_links == NETSPACE_LINKS_MAX)
                return;
        sp->links = xreallocarray(sp->links, sp->n_links + 1, sizeof *sp->links);
        sp->links[sp->n_links++] = (struct netspace_link){ .link = *l };
        sp->counted_ms = 0;
}

static void drop_addresses(struct netspace *sp, uint32_t index)
{
        size_t n = 0;
        for (size_t i = 0; i < sp->n_addresses; i++)
                if (sp->addresses[i].index != index)
                        sp->addresses[n++] = sp->addresses[i];
        sp->n_addresses = n;
}

static void drop_link(struct netspace *sp, uint32_t index)
{
        struct netspace_link *l = find_link(sp, index);
        if (l)
                *l = sp->links[--sp->n_links];
        drop_addresses(sp, index);
}

static struct net_address *find_address(struct netspace *sp, const struct net_address *a)
{
        for (size_t i = 0; i < sp->n_addresses; i++)
                if (sp->addresses[i].index == a->index && inet_equal(&sp->addresses[i].address, &a->address))
                        return &sp->addresses[i];
        return NULL;
}

static void put_address(struct netspace *sp, const struct net_address *a)
{
        size_t max = is_host(sp) ? 16 * NETSPACE_ADDRESSES_MAX : NETSPACE_ADDRESSES_MAX;
        if (find_address(sp, a) || sp->n_addresses >= max)
                return;
        sp->addresses = xreallocarray(sp->addresses, sp->n_addresses + 1, sizeof *sp->addresses);
        sp->addresses[sp->n_addresses++] = *a;
}

/* In order, for the first address is the one people mean. */
static void drop_address(struct netspace *sp, const struct net_address *a)
{
        struct net_address *known = find_address(sp, a);
        if (!known)
                return;
        size_t behind = sp->n_addresses - (size_t)(known - sp->addresses) - 1;
        memmove(known, known + 1, behind * sizeof *known);
        sp->n_addresses--;
}

void netspace_hear(struct netspace *sp, const struct netlink_message *m)
{
        struct net_link l;
        struct net_address a;
        if (net_link_parse(m, &l)) {
                if (m->header.nlmsg_type == RTM_NEWLINK)
                        put_link(sp, &l);
                else
                        drop_link(sp, l.index);
        } else if (net_address_parse(m, &a)) {
                if (m->header.nlmsg_type == RTM_NEWADDR)
                        put_address(sp, &a);
                else
                        drop_address(sp, &a);
        } else {
                return;
        }
        sp->heard_meanwhile = true;
}

void netspace_ask(struct netspace *sp)
{
        sp->wants_listing = false;
        sp->is_asked = true;
        sp->heard_meanwhile = false;
}

void netspace_take_listing(struct netspace *sp, struct json_object *listing)
{
        struct json_object *links = json_get_array(listing, "links"), *addresses = json_get_array(listing, "addresses");
        /* A message that came while the list was made may be newer or older than the list: ask again. But not for ever. */
        if (sp->heard_meanwhile && ++sp->tries < LISTING_TRIES) {
                sp->wants_listing = true;
                return;
        }
        sp->tries = 0;
        sp->n_links = sp->n_addresses = 0;
        for (size_t i = 0; links && i < json_object_array_length(links); i++) {
                struct net_link l;
                if (net_link_read(json_object_array_get_idx(links, i), &l))
                        put_link(sp, &l);
        }
        for (size_t i = 0; addresses && i < json_object_array_length(addresses); i++) {
                struct net_address a;
                if (net_address_read(json_object_array_get_idx(addresses, i), &a))
                        put_address(sp, &a);
        }
}

/* --- counters --- */

/* LXD's words, and which column of /proc/net/dev has them. */
static const struct {
        const char *name;
        unsigned column;
} counters[NETSPACE_COUNTERS] = {
        { "bytes_received", 0 }, { "bytes_sent", 8 },   { "packets_received", 1 },        { "packets_sent", 9 },
        { "errors_received", 2 }, { "errors_sent", 10 }, { "packets_dropped_inbound", 3 }, { "packets_dropped_outbound", 11 },
};
#define COLUMNS 16

static struct netspace_link *find_name(struct netspace *sp, const char *name)
{
        for (size_t i = 0; i < sp->n_links; i++)
                if (streq(sp->links[i].link.name, name))
                        return &sp->links[i];
        return NULL;
}

/* "  eth0: 1 2 3 …": sixteen numbers */
static void take_line(struct netspace *sp, char *line)
{
        uint64_t columns[COLUMNS] = { 0 };
        char *colon = strrchr(line, ':');
        if (!colon)
                return;
        *colon = '\0';
        struct netspace_link *l = find_name(sp, line + strspn(line, " "));
        if (!l)
                return;
        char *p = colon + 1;
        for (size_t i = 0; i < COLUMNS; i++)
                columns[i] = strtoull(p, &p, 10);
        for (size_t i = 0; i < NETSPACE_COUNTERS; i++)
                l->counters[i] = columns[counters[i].column];
}

void netspace_take_counters(struct netspace *sp, char *text)
{
        for (char *line; (line = strsep(&text, "\n"));)
                take_line(sp, line);
}

static void read_counters(struct netspace *sp)
{
        static char text[KiB(16)];
        uint64_t now = time_monotonic_ms();
        if (sp->counters_fd < 0 || (sp->counted_ms && now - sp->counted_ms < COUNTERS_AGE_MS))
                return;
        ssize_t n = pread(sp->counters_fd, text, sizeof text - 1, 0);
        sp->counted_ms = now;
        if (n <= 0)
                return;
        text[n] = '\0';
        netspace_take_counters(sp, text);
}

/* --- what is told --- */

static const char *scope_of(const struct inet_prefix *a)
{
        static const uint8_t loopback[16] = { [15] = 1 };
        if (a->family == AF_INET)
                return a->addr[0] == 127 ? "local" : a->addr[0] == 169 && a->addr[1] == 254 ? "link" : "global";
        if (memcmp(a->addr, loopback, sizeof loopback) == 0)
                return "local";
        return a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80 ? "link" : "global";
}

void netspace_write_address(const struct inet_prefix *a, struct json_writer *w)
{
        char text[INET_TEXT_SIZE], len[8];
        snprintf(len, sizeof len, "%u", a->len);
        json_write_object_begin(w);
        json_write_key_string(w, "family", a->family == AF_INET ? "inet" : "inet6");
        json_write_key_string(w, "address", inet_format_address(a, text));
        json_write_key_string(w, "netmask", len);
        json_write_key_string(w, "scope", scope_of(a));
        json_write_object_end(w);
}

static void write_family(const struct netspace *sp, uint32_t index, int family, struct json_writer *w)
{
        for (size_t i = 0; i < sp->n_addresses; i++)
                if (sp->addresses[i].index == index && sp->addresses[i].address.family == family)
                        netspace_write_address(&sp->addresses[i].address, w);
}

void netspace_write_addresses(const struct netspace *sp, uint32_t index, struct json_writer *w)
{
        write_family(sp, index, AF_INET, w);
        write_family(sp, index, AF_INET6, w);
}

size_t netspace_addresses(const struct netspace *sp, struct inet_prefix *ret, size_t n)
{
        static const int families[] = { AF_INET, AF_INET6 };
        size_t count = 0;
        for (size_t f = 0; f < ARRAY_SIZE(families); f++)
                for (size_t i = 0; i < sp->n_addresses; i++) {
                        const struct inet_prefix *a = &sp->addresses[i].address;
                        if (count < n && a->family == families[f] && streq(scope_of(a), "global"))
                                ret[count++] = *a;
                }
        return count;
}

static const char *host_name(const struct netspace *sp, const struct net_link *l)
{
        for (size_t i = 0; l->peer && i < sp->n_host_names; i++)
                if (sp->host_names[i].index == l->peer)
                        return sp->host_names[i].name;
        return "";
}

static const char *type_of(uint32_t flags)
{
        return flags & IFF_LOOPBACK ? "loopback" : flags & IFF_POINTOPOINT ? "point-to-point"
                                           : flags & IFF_BROADCAST         ? "broadcast"
                                                                           : "unknown";
}

static void write_link(const struct netspace *sp, const struct netspace_link *l, struct json_writer *w)
{
        char hwaddr[HWADDR_TEXT_SIZE];
        bool has_hwaddr = l->link.has_hwaddr && !(l->link.flags & IFF_LOOPBACK);
        json_write_key(w, l->link.name);
        json_write_object_begin(w);
        json_write_key(w, "addresses");
        json_write_array_begin(w);
        netspace_write_addresses(sp, l->link.index, w);
        json_write_array_end(w);
        json_write_key(w, "counters");
        json_write_object_begin(w);
        for (size_t i = 0; i < NETSPACE_COUNTERS; i++)
                json_write_key_int(w, counters[i].name, (int64_t)l->counters[i]);
        json_write_object_end(w);
        json_write_key_string(w, "hwaddr", has_hwaddr ? hwaddr_format(l->link.hwaddr, hwaddr) : "");
        json_write_key_string(w, "host_name", host_name(sp, &l->link));
        json_write_key_int(w, "mtu", l->link.mtu);
        json_write_key_string(w, "state", l->link.flags & IFF_UP ? "up" : "down");
        json_write_key_string(w, "type", type_of(l->link.flags));
        json_write_object_end(w);
}

void netspace_write(struct netspace *sp, struct json_writer *w)
{
        read_counters(sp);
        json_write_object_begin(w);
        for (size_t i = 0; i < sp->n_links; i++)
                write_link(sp, &sp->links[i], w);
        json_write_object_end(w);
}
