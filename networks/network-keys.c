/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/network.h"

#include <ctype.h>

static int check_network(const char *value, int family)
{
        struct inet_prefix p;
        return streq(value, "auto") || streq(value, "none") ? 0 : inet_parse_cidr(value, family, &p);
}

static int check_ipv4(const struct config_key *key _unused_, const char *value)
{
        return check_network(value, AF_INET);
}

static int check_ipv6(const struct config_key *key _unused_, const char *value)
{
        return check_network(value, AF_INET6);
}

static int check_ranges(const struct config_key *key _unused_, const char *value)
{
        struct network_range ranges[NETWORK_RANGES_MAX];
        size_t n;
        int r = network_parse_ranges(value, ranges, &n);
        return r == -E2BIG ? -ERANGE : r;
}

/* It becomes part of dnsmasq's arguments, where a comma or a slash would begin something else. */
static int check_domain(const struct config_key *key _unused_, const char *value)
{
        if (strlen(value) > 190 || value[0] == '-' || value[0] == '.' || str_ends(value, ".") || strstr(value, ".."))
                return -EINVAL;
        for (const char *p = value; *p; p++)
                if (!isalnum((unsigned char)*p) && !strchr("-._", *p))
                        return -EINVAL;
        return 0;
}

static const struct config_type type_ipv4 = { "ipv4-network",
                                              "an address and its length like 10.1.2.1/24, \"auto\" or \"none\"",
                                              check_ipv4, false, false };
static const struct config_type type_ipv6 = { "ipv6-network",
                                              "an address and its length like fd42:1:2:3::1/64, \"auto\" or \"none\"",
                                              check_ipv6, false, false };
static const struct config_type type_ranges = { "ipv4-ranges",
                                                "up to 16 ranges like 10.1.2.10-10.1.2.99, separated by commas",
                                                check_ranges, false, false };
static const struct config_type type_domain = { "domain", "a DNS domain name", check_domain, false, false };

static const char *const dns_modes[] = { "managed", "none", NULL };

#define ROW .scope = ON_NETWORK, .update = UPDATE_LIVE, .since = "0.1"

const struct config_key network_keys[] = {
        KEY("bridge.mtu", SERVER, ROW, .type = &config_type_uint, .min = 68, .max = 65535, .fallback = "1500",
            .summary = "Largest packet of the bridge and of its instances"),
        KEY("dns.domain", SERVER, ROW, .type = &type_domain, .fallback = "light",
            .summary = "Domain the instances' names are answered in"),
        KEY("dns.mode", SERVER, ROW, .type = &config_type_choice, .choices = dns_modes, .fallback = "managed",
            .summary = "Whether instances' names are answered"),
        KEY("ipv4.address", SERVER, ROW, .type = &type_ipv4, .fallback = "none",
            .summary = "IPv4 address of the bridge and its network"),
        KEY("ipv4.dhcp", SERVER, ROW, .type = &config_type_bool, .fallback = "true",
            .summary = "Whether addresses are handed out"),
        KEY("ipv4.dhcp.ranges", SERVER, ROW, .type = &type_ranges,
            .summary = "Addresses to hand out; unset means all of the network"),
        KEY("ipv4.nat", SERVER, ROW, .type = &config_type_bool, .fallback = "false",
            .summary = "Whether packets leave with the host's address"),
        KEY("ipv6.address", SERVER, ROW, .type = &type_ipv6, .fallback = "none",
            .summary = "IPv6 address of the bridge and its network"),
        KEY("ipv6.dhcp", SERVER, ROW, .type = &config_type_bool, .fallback = "true",
            .summary = "Whether DHCPv6 tells instances more than their router does"),
        KEY("ipv6.nat", SERVER, ROW, .type = &config_type_bool, .fallback = "false",
            .summary = "Whether packets leave with the host's address"),
        KEY("user.*", SERVER, ROW, .type = &config_type_text, .summary = "Free for users"),
        {},
};

const struct config_key *const network_tables[] = { network_keys, NULL };
