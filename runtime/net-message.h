/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links and addresses as rtnetlink tells them and as the job `net-links` hands them to the daemon. Pure: both ends
 * use it, and every byte of it may come from a guest's namespace.
 */
#pragma once

#include "base/inet.h"
#include "base/json.h"
#include "base/netlink.h"
#include <net/if.h>

struct net_link {
        uint32_t index;
        char name[IF_NAMESIZE];
        uint8_t hwaddr[HWADDR_SIZE];
        bool has_hwaddr;
        uint32_t mtu;
        uint32_t flags;  /* IFF_… */
        uint32_t peer;   /* IFLA_LINK: of a veth, the other end's index in its namespace; 0: none */
        uint32_t master; /* the bridge it is a port of; 0: none */
};

struct net_address {
        uint32_t index;
        struct inet_prefix address;
};

/* RTM_NEWLINK and RTM_DELLINK; RTM_NEWADDR and RTM_DELADDR. false: not one, or cut short. */
bool net_link_parse(const struct netlink_message *m, struct net_link *ret);
bool net_address_parse(const struct netlink_message *m, struct net_address *ret);

void net_link_write(const struct net_link *l, struct json_writer *w);
void net_address_write(const struct net_address *a, struct json_writer *w);
bool net_link_read(struct json_object *o, struct net_link *ret);
bool net_address_read(struct json_object *o, struct net_address *ret);
