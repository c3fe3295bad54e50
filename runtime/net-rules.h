/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet filter rules of one managed bridge, as the JSON nft(8) reads. Pure text: nothing is run here.
 * A network has three chains in the daemon's table, named after it: `pstrt.` (masquerading), `fwd.` (forwarding), `in.`
 * (DHCP and DNS of the host). One document is one transaction: what was there is replaced at once, or nothing is.
 */
#pragma once

#include "base/inet.h"
#include "base/strbuf.h"

struct net_rules {
        const char *table;  /* "lightd_<did>" */
        const char *bridge; /* also the network's name */
        struct inet_prefix ipv4, ipv6; /* family 0: none */
        bool has_ipv4_nat, has_ipv6_nat;
        bool has_ipv4_dhcp, has_ipv6_dhcp;
};

void net_rules_build(const struct net_rules *n, struct strbuf *out);
/* Takes the three chains out, whether they are there or not; with is_last the table too. */
void net_rules_build_removal(const char *table, const char *bridge, bool is_last, struct strbuf *out);
