/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net-rules.h"
#include "base/json.h"

#include <stdio.h>

/* The kernel's hooks and the priorities other firewalls use for the same purpose. */
static const struct chain {
        const char *family, *prefix, *type, *hook;
        int priority;
} chains[] = {
        { "inet", "pstrt", "nat", "postrouting", 100 },
        { "inet", "fwd", "filter", "forward", 0 },
        { "inet", "in", "filter", "input", 0 },
        { "bridge", "pre", "filter", "prerouting", -300 },
};
enum { CHAIN_POSTROUTING, CHAIN_FORWARD, CHAIN_INPUT, CHAIN_BRIDGE };

static const char *const families[] = { "inet", "bridge" };

static size_t n_families(enum net_rules_extent extent)
{
        return extent == RULES_FOR_ALL ? ARRAY_SIZE(families) : 1;
}

static size_t n_chains(enum net_rules_extent extent)
{
        return extent == RULES_FOR_ALL ? ARRAY_SIZE(chains) : CHAIN_BRIDGE;
}

#define CHAIN_NAME_SIZE 32

static const char *chain_name(const struct chain *c, const char *bridge, char buf[static CHAIN_NAME_SIZE])
{
        snprintf(buf, CHAIN_NAME_SIZE, "%s.%s", c->prefix, bridge);
        return buf;
}

/* {"<verb>":{"<what>":{"family":"inet",… — two braces stay open besides the outer one */
static void command_begin(struct json_writer *w, const char *verb, const char *what, const char *family)
{
        json_write_object_begin(w);
        json_write_key(w, verb);
        json_write_object_begin(w);
        json_write_key(w, what);
        json_write_object_begin(w);
        json_write_key_string(w, "family", family);
}

static void command_end(struct json_writer *w)
{
        json_write_object_end(w);
        json_write_object_end(w);
        json_write_object_end(w);
}

static void write_table(struct json_writer *w, const char *verb, const char *family, const char *table)
{
        command_begin(w, verb, "table", family);
        json_write_key_string(w, "name", table);
        command_end(w);
}

static void write_chain(struct json_writer *w, const char *verb, const char *table, const char *bridge,
                        const struct chain *c)
{
        char name[CHAIN_NAME_SIZE];
        command_begin(w, verb, "chain", c->family);
        json_write_key_string(w, "table", table);
        json_write_key_string(w, "name", chain_name(c, bridge, name));
        if (streq(verb, "add")) {
                json_write_key_string(w, "type", c->type);
                json_write_key_string(w, "hook", c->hook);
                json_write_key_int(w, "prio", c->priority);
                json_write_key_string(w, "policy", "accept");
        }
        command_end(w);
}

static void rule_begin(struct json_writer *w, const struct net_rules *n, int chain)
{
        char name[CHAIN_NAME_SIZE];
        command_begin(w, "add", "rule", chains[chain].family);
        json_write_key_string(w, "table", n->table);
        json_write_key_string(w, "chain", chain_name(&chains[chain], n->bridge, name));
        json_write_key(w, "expr");
        json_write_array_begin(w);
}

static void statements_end(struct json_writer *w)
{
        json_write_array_end(w);
        command_end(w);
}

static void rule_end(struct json_writer *w, const char *verdict)
{
        json_write_object_begin(w);
        json_write_key(w, verdict);
        json_write_null(w);
        json_write_object_end(w);
        statements_end(w);
}

static void match_begin(struct json_writer *w, const char *op)
{
        json_write_object_begin(w);
        json_write_key(w, "match");
        json_write_object_begin(w);
        json_write_key_string(w, "op", op);
        json_write_key(w, "left");
        json_write_object_begin(w);
}

static void match_end(struct json_writer *w)
{
        json_write_object_end(w);
        json_write_object_end(w);
}

static void meta(struct json_writer *w, const char *key)
{
        json_write_key(w, "meta");
        json_write_object_begin(w);
        json_write_key_string(w, "key", key);
        json_write_object_end(w);
        json_write_object_end(w);
}

static void match_meta(struct json_writer *w, const char *key, const char *value)
{
        match_begin(w, "==");
        meta(w, key);
        json_write_key_string(w, "right", value);
        match_end(w);
}

static void payload(struct json_writer *w, const char *protocol, const char *field)
{
        json_write_key(w, "payload");
        json_write_object_begin(w);
        json_write_key_string(w, "protocol", protocol);
        json_write_key_string(w, "field", field);
        json_write_object_end(w);
        json_write_object_end(w);
}

static void match_text(struct json_writer *w, const char *protocol, const char *field, const char *value)
{
        match_begin(w, "==");
        payload(w, protocol, field);
        json_write_key_string(w, "right", value);
        match_end(w);
}

static void match_port(struct json_writer *w, const char *protocol, int port)
{
        match_begin(w, "==");
        payload(w, protocol, "dport");
        json_write_key_int(w, "right", port);
        match_end(w);
}

static void match_net(struct json_writer *w, const char *op, const char *field, const struct inet_prefix *address)
{
        char text[INET_TEXT_SIZE];
        struct inet_prefix net = inet_masked(address);
        match_begin(w, op);
        payload(w, address->family == AF_INET ? "ip" : "ip6", field);
        json_write_key(w, "right");
        json_write_object_begin(w);
        json_write_key(w, "prefix");
        json_write_object_begin(w);
        json_write_key_string(w, "addr", inet_format_address(&net, text));
        json_write_key_int(w, "len", net.len);
        json_write_object_end(w);
        json_write_object_end(w);
        match_end(w);
}

static void masquerade(struct json_writer *w, const struct net_rules *n, const struct inet_prefix *address)
{
        rule_begin(w, n, CHAIN_POSTROUTING);
        match_net(w, "==", "saddr", address);
        match_net(w, "!=", "daddr", address);
        rule_end(w, "masquerade");
}

static void forward(struct json_writer *w, const struct net_rules *n, const char *family)
{
        static const char *const directions[] = { "iifname", "oifname" };
        for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
                rule_begin(w, n, CHAIN_FORWARD);
                match_meta(w, "nfproto", family);
                match_meta(w, directions[i], n->bridge);
                rule_end(w, "accept");
        }
}

static void accept_port(struct json_writer *w, const struct net_rules *n, const char *protocol, int port)
{
        rule_begin(w, n, CHAIN_INPUT);
        match_meta(w, "iifname", n->bridge);
        match_port(w, protocol, port);
        rule_end(w, "accept");
}

/* Router solicitations and neighbour discovery: without them no guest finds its IPv6 router. */
static void accept_neighbours(struct json_writer *w, const struct net_rules *n)
{
        static const char *const types[] = { "nd-router-solicit", "nd-neighbor-solicit", "nd-neighbor-advert" };
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                rule_begin(w, n, CHAIN_INPUT);
                match_meta(w, "iifname", n->bridge);
                match_text(w, "icmpv6", "type", types[i]);
                rule_end(w, "accept");
        }
}

/* A question to everybody, from one of our ports: its frame is addressed to the bridge. */
static void to_bridge_begin(struct json_writer *w, const struct net_rules *n, const char *everybody)
{
        rule_begin(w, n, CHAIN_BRIDGE);
        match_begin(w, "==");
        meta(w, "iifgroup");
        json_write_key_int(w, "right", n->group);
        match_end(w);
        match_text(w, "ether", "daddr", everybody);
}

static void to_bridge_end(struct json_writer *w, const struct net_rules *n)
{
        char text[HWADDR_TEXT_SIZE];
        json_write_object_begin(w);
        json_write_key(w, "mangle");
        json_write_object_begin(w);
        json_write_key(w, "key");
        json_write_object_begin(w);
        payload(w, "ether", "daddr");
        json_write_key_string(w, "value", hwaddr_format(n->hwaddr, text));
        json_write_object_end(w);
        json_write_object_end(w);
        statements_end(w);
}

static void port_to_bridge(struct json_writer *w, const struct net_rules *n, const char *everybody, int port)
{
        to_bridge_begin(w, n, everybody);
        match_port(w, "udp", port);
        to_bridge_end(w, n);
}

/* Only what our own dnsmasq answers: where it does not, the guests may have another server among them. */
static void questions_to_bridge(struct json_writer *w, const struct net_rules *n)
{
        if (n->ipv4.family && n->has_ipv4_dhcp)
                port_to_bridge(w, n, "ff:ff:ff:ff:ff:ff", 67);
        if (n->ipv6.family && n->has_ipv6_dhcp) {
                port_to_bridge(w, n, "33:33:00:01:00:02", 547);
                to_bridge_begin(w, n, "33:33:00:00:00:02");
                match_text(w, "icmpv6", "type", "nd-router-solicit");
                to_bridge_end(w, n);
        }
}

static void write_rules(struct json_writer *w, const struct net_rules *n)
{
        if (n->ipv4.family && n->has_ipv4_nat)
                masquerade(w, n, &n->ipv4);
        if (n->ipv6.family && n->has_ipv6_nat)
                masquerade(w, n, &n->ipv6);
        if (n->ipv4.family)
                forward(w, n, "ipv4");
        if (n->ipv6.family)
                forward(w, n, "ipv6");
        if (n->ipv4.family || n->ipv6.family) {
                accept_port(w, n, "udp", 53);
                accept_port(w, n, "tcp", 53);
        }
        if (n->ipv4.family && n->has_ipv4_dhcp)
                accept_port(w, n, "udp", 67);
        if (n->ipv6.family && n->has_ipv6_dhcp)
                accept_port(w, n, "udp", 547);
        if (n->ipv6.family)
                accept_neighbours(w, n);
}

static void document_begin(struct json_writer *w)
{
        json_write_object_begin(w);
        json_write_key(w, "nftables");
        json_write_array_begin(w);
}

static void document_end(struct json_writer *w)
{
        json_write_array_end(w);
        json_write_object_end(w);
}

static void replace_chain(struct json_writer *w, const char *table, const char *bridge, const struct chain *c)
{
        write_chain(w, "add", table, bridge, c);
        write_chain(w, "flush", table, bridge, c);
}

void net_rules_build(const struct net_rules *n, enum net_rules_extent extent, struct strbuf *out)
{
        struct json_writer w = JSON_WRITER(out);
        document_begin(&w);
        for (size_t i = 0; i < n_families(extent); i++)
                write_table(&w, "add", families[i], n->table);
        for (size_t i = 0; i < n_chains(extent); i++)
                replace_chain(&w, n->table, n->bridge, &chains[i]);
        write_rules(&w, n);
        if (extent == RULES_FOR_ALL)
                questions_to_bridge(&w, n);
        document_end(&w);
}

void net_rules_build_removal(const char *table, const char *bridge, bool is_last, enum net_rules_extent extent,
                             struct strbuf *out)
{
        struct json_writer w = JSON_WRITER(out);
        document_begin(&w);
        /* Adding what is there is no error, deleting what is not there is one. */
        for (size_t i = 0; i < n_families(extent); i++)
                write_table(&w, "add", families[i], table);
        for (size_t i = 0; i < n_chains(extent); i++) {
                replace_chain(&w, table, bridge, &chains[i]);
                write_chain(&w, "delete", table, bridge, &chains[i]);
        }
        for (size_t i = 0; is_last && i < n_families(extent); i++)
                write_table(&w, "delete", families[i], table);
        document_end(&w);
}
