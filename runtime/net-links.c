/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net-links   {"nsids":[-1,3,…]}     links and addresses of network namespaces by the ids they have in ours; -1: ours
 *             → {"namespaces":[{"nsid":3,"links":[…],"addresses":[…]}]}; one that has gone is left out
 * subnet-find {"ipv4":true,"ipv6":true,"taken":["10.1.0.1/20",…]}   networks that overlap nothing the host knows
 *             → {"ipv4":"10.2.16.1/20","ipv6":"fd42:…::1/64"}
 *
 * A job and not the daemon: the kernel answers these under a lock that making and unmaking interfaces holds for tens
 * of milliseconds.
 */
#include "runtime/jobs.h"
#include "runtime/net-message.h"
#include "runtime/net-subnet.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/random.h>

/* Nothing a guest does may make our answer large. */
#define LINKS_MAX 64
#define ADDRESSES_MAX 256

struct listing {
        struct json_writer *w;
        size_t left;
};

static int write_link(const struct netlink_message *m, void *data)
{
        struct listing *l = data;
        struct net_link link;
        if (l->left > 0 && net_link_parse(m, &link)) {
                l->left--;
                net_link_write(&link, l->w);
        }
        return 0;
}

static int write_address(const struct netlink_message *m, void *data)
{
        struct listing *l = data;
        struct net_address address;
        if (l->left > 0 && net_address_parse(m, &address)) {
                l->left--;
                net_address_write(&address, l->w);
        }
        return 0;
}

static int dump(int fd, int nsid, uint16_t type, const void *header, size_t n, uint16_t nsid_attr, netlink_fn fn,
                struct listing *l)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        netlink_begin(&m, type, NLM_F_DUMP, header, n);
        if (nsid >= 0)
                netlink_attr_u32(&m, nsid_attr, (uint32_t)nsid);
        json_write_array_begin(l->w);
        int r = netlink_call(fd, &m, fn, l);
        json_write_array_end(l->w);
        return r;
}

static int dump_namespace(int fd, int nsid, struct strbuf *out)
{
        struct json_writer w = JSON_WRITER(out);
        /* The host may have a thousand ports, and they are not a guest's. */
        struct listing links = { &w, nsid < 0 ? SIZE_MAX : LINKS_MAX },
                       addresses = { &w, nsid < 0 ? SIZE_MAX : ADDRESSES_MAX };
        json_write_object_begin(&w);
        json_write_key_int(&w, "nsid", nsid);
        json_write_key(&w, "links");
        int r = dump(fd, nsid, RTM_GETLINK, &(struct ifinfomsg){ 0 }, sizeof(struct ifinfomsg), IFLA_TARGET_NETNSID,
                     write_link, &links);
        if (r < 0)
                return r;
        json_write_key(&w, "addresses");
        r = dump(fd, nsid, RTM_GETADDR, &(struct ifaddrmsg){ 0 }, sizeof(struct ifaddrmsg), IFA_TARGET_NETNSID,
                 write_address, &addresses);
        json_write_object_end(&w);
        return r;
}

int job_net_links(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT, one = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&out);
        struct json_object *nsids = json_get_array(args, "nsids");
        _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, 0);
        if (fd < 0)
                return error_set_errno(err, fd, "Opening a netlink socket");
        json_write_object_begin(&w);
        json_write_key(&w, "namespaces");
        json_write_array_begin(&w);
        for (size_t i = 0; nsids && i < json_object_array_length(nsids); i++) {
                strbuf_clear(&one);
                if (dump_namespace(fd, json_object_get_int(json_object_array_get_idx(nsids, i)), &one) >= 0)
                        json_write_raw(&w, one.data, one.len);
        }
        json_write_array_end(&w);
        json_write_object_end(&w);
        return json_parse(out.data, out.len, ret_result, err);
}

struct taken {
        struct inet_prefix *items;
        size_t n;
};

static void take(struct taken *t, const struct inet_prefix *p)
{
        t->items = xreallocarray(t->items, t->n + 1, sizeof *t->items);
        t->items[t->n++] = *p;
}

static int take_address(const struct netlink_message *m, void *data)
{
        struct net_address a;
        if (net_address_parse(m, &a))
                take(data, &a.address);
        return 0;
}

static int take_route(const struct netlink_message *m, void *data)
{
        struct rtmsg rt;
        struct netlink_attr a[RTA_DST + 1];
        if (m->header.nlmsg_type != RTM_NEWROUTE || m->n < sizeof rt)
                return 0;
        memcpy(&rt, m->payload, sizeof rt);
        netlink_parse(m->payload, m->n, sizeof rt, a, ARRAY_SIZE(a));
        struct inet_prefix p = { .family = rt.rtm_family, .len = rt.rtm_dst_len };
        size_t size = p.family == AF_INET ? 4 : p.family == AF_INET6 ? 16 : 0;
        /* The default route leads everywhere and takes nothing. */
        if (size == 0 || a[RTA_DST].n != size || p.len == 0 || p.len > 8 * size)
                return 0;
        memcpy(p.addr, a[RTA_DST].data, size);
        take(data, &p);
        return 0;
}

static int take_host(struct taken *t)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, 0);
        if (fd < 0)
                return fd;
        netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, &(struct ifaddrmsg){ 0 }, sizeof(struct ifaddrmsg));
        int r = netlink_call(fd, &m, take_address, t);
        if (r < 0)
                return r;
        netlink_begin(&m, RTM_GETROUTE, NLM_F_DUMP, &(struct rtmsg){ 0 }, sizeof(struct rtmsg));
        return netlink_call(fd, &m, take_route, t);
}

static uint32_t chance(void *data _unused_)
{
        uint32_t v = 0;
        if (getrandom(&v, sizeof v, 0) != sizeof v)
                abort();
        return v;
}

static int choose(const struct taken *t, bool is_ipv4, struct json_object *result, struct error *err)
{
        char text[INET_TEXT_SIZE];
        struct inet_prefix p;
        int r = is_ipv4 ? subnet_choose_ipv4(t->items, t->n, chance, NULL, &p)
                        : subnet_choose_ipv6(t->items, t->n, chance, NULL, &p);
        if (r < 0) {
                error_set(err, ERR_BAD_REQUEST, "No private %s network is free on this host", is_ipv4 ? "IPv4" : "IPv6");
                return error_hint(err, "set %s to a network of your own or \"none\"",
                                  is_ipv4 ? "ipv4.address" : "ipv6.address");
        }
        json_set_string(result, is_ipv4 ? "ipv4" : "ipv6", inet_format_cidr(&p, text));
        return 0;
}

static int find(struct taken *t, struct json_object *args, struct json_object *result, struct error *err)
{
        struct json_object *given = json_get_array(args, "taken");
        for (size_t i = 0; given && i < json_object_array_length(given); i++) {
                struct inet_prefix p;
                if (inet_parse_cidr(json_object_get_string(json_object_array_get_idx(given, i)), 0, &p) == 0)
                        take(t, &p);
        }
        int r = take_host(t);
        if (r < 0)
                return error_set_errno(err, r, "Listing the host's addresses and routes");
        if (json_get_bool(args, "ipv4", false))
                r = choose(t, true, result, err);
        if (r >= 0 && json_get_bool(args, "ipv6", false))
                r = choose(t, false, result, err);
        return r;
}

int job_subnet_find(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        struct taken t = { 0 };
        struct json_object *result = json_object_new_object();
        int r = find(&t, args, result, err);
        free(t.items);
        if (r < 0)
                return json_object_put(result), r;
        *ret_result = result;
        return 0;
}
