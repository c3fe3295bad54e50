/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net-message.h"

#include <linux/rtnetlink.h>
#include <stdio.h>

bool net_link_parse(const struct netlink_message *m, struct net_link *ret)
{
        struct net_link l = { 0 };
        struct ifinfomsg i;
        struct netlink_attr a[IFLA_LINK_NETNSID + 1];
        if ((m->header.nlmsg_type != RTM_NEWLINK && m->header.nlmsg_type != RTM_DELLINK) || m->n < sizeof i)
                return false;
        memcpy(&i, m->payload, sizeof i);
        /* A bridge tells of its ports in messages of its own family, without name and address. */
        if (i.ifi_family != AF_UNSPEC || i.ifi_index <= 0)
                return false;
        netlink_parse(m->payload, m->n, sizeof i, a, ARRAY_SIZE(a));
        if (!netlink_get_str(&a[IFLA_IFNAME], l.name, sizeof l.name))
                return false;
        l.index = (uint32_t)i.ifi_index;
        l.flags = i.ifi_flags;
        l.mtu = netlink_get_u32(&a[IFLA_MTU], 0);
        l.peer = netlink_get_u32(&a[IFLA_LINK], 0);
        l.master = netlink_get_u32(&a[IFLA_MASTER], 0);
        l.has_hwaddr = a[IFLA_ADDRESS].n == HWADDR_SIZE;
        if (l.has_hwaddr)
                memcpy(l.hwaddr, a[IFLA_ADDRESS].data, HWADDR_SIZE);
        *ret = l;
        return true;
}

bool net_address_parse(const struct netlink_message *m, struct net_address *ret)
{
        struct ifaddrmsg i;
        struct netlink_attr a[IFA_BROADCAST + 1];
        if ((m->header.nlmsg_type != RTM_NEWADDR && m->header.nlmsg_type != RTM_DELADDR) || m->n < sizeof i)
                return false;
        memcpy(&i, m->payload, sizeof i);
        size_t size = i.ifa_family == AF_INET ? 4 : i.ifa_family == AF_INET6 ? 16 : 0;
        netlink_parse(m->payload, m->n, sizeof i, a, ARRAY_SIZE(a));
        /* On a point-to-point link IFA_ADDRESS is the other end. */
        const struct netlink_attr *own = a[IFA_LOCAL].data ? &a[IFA_LOCAL] : &a[IFA_ADDRESS];
        if (size == 0 || own->n != size || i.ifa_prefixlen > 8 * size)
                return false;
        *ret = (struct net_address){ .index = i.ifa_index,
                                     .address = { .family = i.ifa_family, .len = i.ifa_prefixlen } };
        memcpy(ret->address.addr, own->data, size);
        return true;
}

void net_link_write(const struct net_link *l, struct json_writer *w)
{
        char text[HWADDR_TEXT_SIZE];
        json_write_object_begin(w);
        json_write_key_int(w, "index", l->index);
        json_write_key_string(w, "name", l->name);
        json_write_key_string(w, "hwaddr", l->has_hwaddr ? hwaddr_format(l->hwaddr, text) : "");
        json_write_key_int(w, "mtu", l->mtu);
        json_write_key_int(w, "flags", l->flags);
        json_write_key_int(w, "peer", l->peer);
        json_write_key_int(w, "master", l->master);
        json_write_object_end(w);
}

void net_address_write(const struct net_address *a, struct json_writer *w)
{
        char text[INET_TEXT_SIZE];
        json_write_object_begin(w);
        json_write_key_int(w, "index", a->index);
        json_write_key_string(w, "address", inet_format_cidr(&a->address, text));
        json_write_object_end(w);
}

bool net_link_read(struct json_object *o, struct net_link *ret)
{
        struct net_link l = { 0 };
        const char *name = json_get_string(o, "name", "");
        if (strlen(name) == 0 || strlen(name) >= sizeof l.name)
                return false;
        snprintf(l.name, sizeof l.name, "%s", name);
        l.index = (uint32_t)json_get_int(o, "index", 0);
        l.mtu = (uint32_t)json_get_int(o, "mtu", 0);
        l.flags = (uint32_t)json_get_int(o, "flags", 0);
        l.peer = (uint32_t)json_get_int(o, "peer", 0);
        l.master = (uint32_t)json_get_int(o, "master", 0);
        l.has_hwaddr = hwaddr_parse(json_get_string(o, "hwaddr", ""), l.hwaddr) == 0;
        *ret = l;
        return l.index > 0;
}

bool net_address_read(struct json_object *o, struct net_address *ret)
{
        struct net_address a = { .index = (uint32_t)json_get_int(o, "index", 0) };
        if (a.index == 0 || inet_parse_cidr(json_get_string(o, "address", ""), 0, &a.address) < 0)
                return false;
        *ret = a;
        return true;
}
