/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a managed network, without any I/O: which keys it takes, what an absent one means, and the plan a
 * configuration comes down to, which is all that jobs and dnsmasq are told.
 */
#pragma once

#include "api/network.h"
#include "base/inet.h"
#include "config/key.h"
#include "server/object.h"

#define NETWORK_PORTS_MAX 1023 /* the kernel's limit for one bridge */
#define NETWORK_RANGES_MAX 16

extern const struct object_kind network_kind;
extern const struct config_key network_keys[];
extern const struct config_key *const network_tables[]; /* for config_validate() */

struct network_range {
        struct inet_prefix first, last;
};

struct network_plan {
        const char *name;              /* borrowed from the network, as is domain */
        struct inet_prefix ipv4, ipv6; /* family 0: none */
        bool has_ipv4_nat, has_ipv6_nat, has_ipv4_dhcp, has_ipv6_dhcp;
        struct network_range ranges[NETWORK_RANGES_MAX];
        size_t n_ranges; /* at least one with has_ipv4_dhcp */
        unsigned mtu;    /* 0: not configured, which is 1500 */
        bool has_names;  /* dns.mode */
        const char *domain;
        uint8_t hwaddr[HWADDR_SIZE];
};

/* What LXD fills in when a network is made: addresses "auto" unless given, NAT with an automatic address. */
void network_fill(struct network *n, bool host_has_ipv6);
bool network_wants_subnet(const struct network *n); /* an address is still "auto" */
/* Name, type, keys, and how they fit together; "auto" passes. */
int network_check(const struct network *n, struct error *err);
/* Of a checked network without "auto". did makes the bridge's hardware address unlike other daemons'. */
void network_plan(const struct network *n, const char *did, struct network_plan *ret);
/* ERR_EXISTS when the address overlaps the one of another network. */
int network_check_overlap(const struct network *n, const struct network *other, struct error *err);

/* "10.1.0.5-10.1.0.9,10.1.0.20-10.1.0.30"; 0 or -EINVAL, -E2BIG for too many. */
int network_parse_ranges(const char *text, struct network_range *ret, size_t *ret_n);
