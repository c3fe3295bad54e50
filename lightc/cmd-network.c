/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/client.h"
#include "lightc/output.h"
#include "lightc/target.h"

#include <stdio.h>

static int fetch(struct client *c, const char *word, const char *sub, struct json_object **ret, struct error *err)
{
        int r = target_strip(word, &word, err);
        if (r < 0)
                return r;
        _cleanup_free_ char *url = client_url(c, NULL, "networks", word, sub, NULL);
        return client_get(c, url, ret, err);
}

static void cell_managed(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        strbuf_adds(out, json_get_bool(item, "managed", false) ? "YES" : "NO");
}

static void cell_config(struct json_object *item, const struct column *column, struct strbuf *out)
{
        strbuf_adds(out, json_get_string(json_get_object(item, "config"), column->param, ""));
}

/* The daemon lists every interface of the machine; nobody attaches an instance to lo. */
static void drop_uninteresting(struct json_object *items)
{
        for (size_t i = items ? json_object_array_length(items) : 0; i > 0; i--) {
                const char *type = json_get_string(json_object_array_get_idx(items, i - 1), "type", "");
                if (streq(type, "loopback") || streq(type, "unknown"))
                        json_object_array_del_idx(items, i - 1, 1);
        }
}

static int run_list(struct client *c, const struct args *a, struct error *err)
{
        static const struct column columns[] = {
                { .header = "NAME", .key = "name" },
                { .header = "TYPE", .key = "type" },
                { .header = "MANAGED", .cell = cell_managed },
                { .header = "IPV4", .cell = cell_config, .param = "ipv4.address" },
                { .header = "IPV6", .cell = cell_config, .param = "ipv6.address" },
                { .header = "DESCRIPTION", .key = "description" },
                { .header = "USED BY", .cell = cell_used_by },
                { .header = "STATE", .key = "status", .cell = cell_upper },
        };
        _cleanup_json_ struct json_object *items = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "networks", NULL);
        int r = client_get(c, url, &items, err);
        if (r < 0)
                return r;
        if (!output_wants_objects(a))
                drop_uninteresting(items);
        return output_list(a, items, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        int r = fetch(c, a->words[0], NULL, &o, err);
        return r < 0 ? r : output_yaml(o, err);
}

static void print_addresses(struct json_object *list)
{
        if (!list || json_object_array_length(list) == 0)
                return;
        output_line("\nIP addresses:");
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                struct json_object *o = json_object_array_get_idx(list, i);
                output_line("  %s\t%s/%s (%s)", json_get_string(o, "family", ""), json_get_string(o, "address", ""),
                            json_get_string(o, "netmask", ""), json_get_string(o, "scope", ""));
        }
}

static void print_bytes(const char *label, int64_t bytes)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        output_size_decimal(bytes, &b);
        output_line("  %s: %s", label, strbuf_str(&b));
}

static void print_usage(struct json_object *counters)
{
        if (!counters)
                return;
        output_line("\nNetwork usage:");
        print_bytes("Bytes received", json_get_int(counters, "bytes_received", 0));
        print_bytes("Bytes sent", json_get_int(counters, "bytes_sent", 0));
        output_line("  Packets received: %lld", (long long)json_get_int(counters, "packets_received", 0));
        output_line("  Packets sent: %lld", (long long)json_get_int(counters, "packets_sent", 0));
}

static void print_bridge(struct json_object *bridge)
{
        struct json_object *upper = json_get_array(bridge, "upper_devices");
        if (!bridge)
                return;
        output_line("\nBridge:\n  ID: %s\n  STP: %s\n  Forward delay: %lld\n  Default VLAN ID: %lld\n  VLAN filtering: %s",
                    json_get_string(bridge, "id", ""), json_get_bool(bridge, "stp", false) ? "true" : "false",
                    (long long)json_get_int(bridge, "forward_delay", 0), (long long)json_get_int(bridge, "vlan_default", 0),
                    json_get_bool(bridge, "vlan_filtering", false) ? "true" : "false");
        printf("  Upper devices: ");
        for (size_t i = 0; upper && i < json_object_array_length(upper); i++)
                printf("%s%s", i ? ", " : "", json_object_get_string(json_object_array_get_idx(upper, i)));
        putchar('\n');
}

static int run_info(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        const char *name = a->words[0];
        int r = target_strip(name, &name, err);
        if (r == 0)
                r = fetch(c, a->words[0], "state", &o, err);
        if (r < 0)
                return r;
        output_line("Name: %s\nMAC address: %s\nMTU: %lld\nState: %s\nType: %s", name, json_get_string(o, "hwaddr", ""),
                    (long long)json_get_int(o, "mtu", 0), json_get_string(o, "state", ""), json_get_string(o, "type", ""));
        print_addresses(json_get_array(o, "addresses"));
        print_usage(json_get_object(o, "counters"));
        print_bridge(json_get_object(o, "bridge"));
        return 0;
}

static int run_leases(struct client *c, const struct args *a, struct error *err)
{
        static const struct column columns[] = {
                { .header = "HOSTNAME", .key = "hostname" },
                { .header = "MAC ADDRESS", .key = "hwaddr" },
                { .header = "IP ADDRESS", .key = "address" },
                { .header = "TYPE", .key = "type", .cell = cell_upper },
        };
        _cleanup_json_ struct json_object *items = NULL;
        int r = fetch(c, a->words[0], "leases", &items, err);
        return r < 0 ? r : output_list(a, items, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

#define NETWORK (const struct arg[]){ { "[<remote>:]<network>" }, { 0 } }
static const struct option list_options[] = { OPTION_FORMAT, { 0 } };

const struct command cmd_network_list = {
        .path = "network list",
        .aliases = "ls",
        .summary = "List networks",
        .args = (const struct arg[]){ { "<remote>:", .is_optional = true }, { 0 } },
        .options = list_options,
        .run = run_list,
        .example = "lightc network list",
};

const struct command cmd_network_show = {
        .path = "network show",
        .summary = "Show a network's configuration",
        .args = NETWORK,
        .run = run_show,
        .example = "lightc network show lightbr0",
};

const struct command cmd_network_info = {
        .path = "network info",
        .summary = "Show a network's addresses and counters",
        .args = NETWORK,
        .run = run_info,
        .example = "lightc network info lightbr0",
};

const struct command cmd_network_list_leases = {
        .path = "network list-leases",
        .summary = "List the addresses a network has given out",
        .args = NETWORK,
        .options = list_options,
        .run = run_leases,
        .example = "lightc network list-leases lightbr0",
};
