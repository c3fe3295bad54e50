/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet filter rules of one managed bridge, as the JSON nft(8) reads. Pure text: nothing is run here.
 * A network has three chains in the daemon's inet table, named after it: `pstrt.` (masquerading), `fwd.` (forwarding), `in.`
 * (DHCP and DNS of the host), and one in its bridge table: `pre.` (what guests ask of all goes to the bridge alone: a
 * thousand guests that look for an address would wake a thousand each). One document is one transaction: what was there
 * is replaced at once, or nothing is.
 */
#pragma once

#include "base/inet.h"
#include "base/strbuf.h"

struct net_rules {
        const char *table;  /* "lightd_<did>", the same in both families */
        const char *bridge; /* also the network's name */
        struct inet_prefix ipv4, ipv6; /* family 0: none */
        bool has_ipv4_nat, has_ipv6_nat;
        bool has_ipv4_dhcp, has_ipv6_dhcp;
        uint8_t hwaddr[HWADDR_SIZE]; /* the bridge's */
        uint32_t group;              /* of its ports: net_port_group() */
};

/* IFLA_GROUP of the host's end of a guest's interface: no other bridge's in this namespace, nobody's by chance. */
static inline uint32_t net_port_group(uint32_t bridge_index)
{
        return 0x4c560000 ^ bridge_index;
}

/* FOR_INET leaves the bridge family out, for a kernel that has no tables there. */
enum net_rules_extent { RULES_FOR_ALL, RULES_FOR_INET };

void net_rules_build(const struct net_rules *n, enum net_rules_extent extent, struct strbuf *out);
/* Takes the chains out, whether they are there or not; with is_last the tables too. */
void net_rules_build_removal(const char *table, const char *bridge, bool is_last, enum net_rules_extent extent,
                             struct strbuf *out);
