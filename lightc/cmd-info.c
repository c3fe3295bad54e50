/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/client.h"
#include "lightc/info-resources.h"
#include "lightc/output.h"
#include "lightc/table.h"
#include "lightc/target.h"

#include <ctype.h>

#define CONSOLE_LINES 20

static void add_upper(struct strbuf *b, const char *text)
{
        for (; *text; text++)
                strbuf_addc(b, (char)toupper((unsigned char)*text));
}

static void add_time(struct strbuf *b, struct json_object *o, const char *label, const char *key)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        output_time(json_get_string(o, key, ""), &text);
        if (text.len)
                strbuf_addf(b, "%s: %s\n", label, strbuf_str(&text));
}

static void add_amount(struct strbuf *b, const char *label, int64_t bytes)
{
        if (bytes == 0)
                return;
        strbuf_addf(b, "    %s: ", label);
        output_size_binary(bytes, b);
        strbuf_addc(b, '\n');
}

static void add_header(struct strbuf *b, struct json_object *o)
{
        int64_t pid = json_get_int(json_get_object(o, "state"), "pid", 0);
        strbuf_addf(b, "Name: %s\nStatus: ", json_get_string(o, "name", ""));
        add_upper(b, json_get_string(o, "status", ""));
        strbuf_addf(b, "\nType: %s%s\nArchitecture: %s\n", json_get_string(o, "type", ""),
                    json_get_bool(o, "ephemeral", false) ? " (ephemeral)" : "", json_get_string(o, "architecture", ""));
        if (!str_empty(json_get_string(o, "description", "")))
                strbuf_addf(b, "Description: %s\n", json_get_string(o, "description", ""));
        if (pid)
                strbuf_addf(b, "PID: %lld\n", (long long)pid);
        add_time(b, o, "Created", "created_at");
        add_time(b, o, "Last Used", "last_used_at");
}

static void add_disks(struct strbuf *b, struct json_object *disks)
{
        bool has_title = false;
        if (!disks)
                return;
        json_object_object_foreach(disks, name, disk) {
                int64_t usage = json_get_int(disk, "usage", 0);
                if (usage == 0)
                        continue;
                if (!has_title)
                        strbuf_adds(b, "  Disk usage:\n");
                has_title = true;
                add_amount(b, name, usage);
        }
}

static void add_memory(struct strbuf *b, struct json_object *memory)
{
        int64_t swap = json_get_int(memory, "swap_usage", 0);
        if (json_get_int(memory, "usage", 0) == 0)
                return;
        strbuf_adds(b, "  Memory usage:\n");
        add_amount(b, "Memory (current)", json_get_int(memory, "usage", 0));
        add_amount(b, "Memory (peak)", json_get_int(memory, "usage_peak", 0));
        add_amount(b, "Swap (current)", swap);
        add_amount(b, "Swap (peak)", json_get_int(memory, "swap_usage_peak", 0));
}

static void add_counter(struct strbuf *b, const char *label, struct json_object *counters, const char *key, bool is_bytes)
{
        int64_t v = json_get_int(counters, key, 0);
        strbuf_addf(b, "      %s: ", label);
        if (is_bytes)
                output_size_decimal(v, b);
        else
                strbuf_addf(b, "%lld", (long long)v);
        strbuf_addc(b, '\n');
}

static void add_nic(struct strbuf *b, const char *name, struct json_object *nic)
{
        struct json_object *counters = json_get_object(nic, "counters"), *list = json_get_array(nic, "addresses");
        strbuf_addf(b, "    %s:\n      Type: %s\n      State: ", name, json_get_string(nic, "type", ""));
        add_upper(b, json_get_string(nic, "state", ""));
        strbuf_addc(b, '\n');
        if (!str_empty(json_get_string(nic, "host_name", "")))
                strbuf_addf(b, "      Host interface: %s\n", json_get_string(nic, "host_name", ""));
        if (!str_empty(json_get_string(nic, "hwaddr", "")))
                strbuf_addf(b, "      MAC address: %s\n", json_get_string(nic, "hwaddr", ""));
        if (json_get_int(nic, "mtu", 0))
                strbuf_addf(b, "      MTU: %lld\n", (long long)json_get_int(nic, "mtu", 0));
        add_counter(b, "Bytes received", counters, "bytes_received", true);
        add_counter(b, "Bytes sent", counters, "bytes_sent", true);
        add_counter(b, "Packets received", counters, "packets_received", false);
        add_counter(b, "Packets sent", counters, "packets_sent", false);
        strbuf_adds(b, "      IP addresses:\n");
        for (size_t i = 0; list && i < json_object_array_length(list); i++) {
                struct json_object *o = json_object_array_get_idx(list, i);
                const char *family = json_get_string(o, "family", "");
                strbuf_addf(b, "        %s:%s%s/%s (%s)\n", family, streq(family, "inet") ? "  " : " ",
                            json_get_string(o, "address", ""), json_get_string(o, "netmask", ""),
                            json_get_string(o, "scope", ""));
        }
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_network(struct strbuf *b, struct json_object *network)
{
        size_t n = 0;
        if (!network)
                return;
        _cleanup_free_ const char **names = xnew_array(const char *, (size_t)json_object_object_length(network) + 1);
        json_object_object_foreach(network, name, nic) {
                (void)nic;
                names[n++] = name;
        }
        qsort(names, n, sizeof(*names), compare_names);
        if (n)
                strbuf_adds(b, "  Network usage:\n");
        for (size_t i = 0; i < n; i++)
                add_nic(b, names[i], json_get_object(network, names[i]));
}

static void add_resources(struct strbuf *b, struct json_object *state)
{
        int64_t code = json_get_int(state, "status_code", 0);
        struct json_object *cpu = json_get_object(state, "cpu");
        if (code != 103 && code != 110)
                return;
        strbuf_addf(b, "\nResources:\n  Processes: %lld\n", (long long)json_get_int(state, "processes", 0));
        add_disks(b, json_get_object(state, "disk"));
        strbuf_addf(b, "  CPU usage:\n    CPU usage (in seconds): %lld\n",
                    (long long)(json_get_int(cpu, "usage", 0) / 1000000000));
        add_memory(b, json_get_object(state, "memory"));
        add_network(b, json_get_object(state, "network"));
}

static void add_snapshots(struct strbuf *b, struct json_object *snapshots)
{
        static const char *const headers[] = { "NAME", "TAKEN AT", "EXPIRES AT", "STATEFUL" };
        _cleanup_table_ struct table t = { 0 };
        if (!snapshots || json_object_array_length(snapshots) == 0)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
                table_add_column(&t, headers[i]);
        for (size_t i = 0; i < json_object_array_length(snapshots); i++) {
                struct json_object *o = json_object_array_get_idx(snapshots, i);
                _cleanup_strbuf_ struct strbuf taken = STRBUF_INIT, expires = STRBUF_INIT;
                output_time(json_get_string(o, "created_at", ""), &taken);
                output_time(json_get_string(o, "expires_at", ""), &expires);
                table_add_cell(&t, json_get_string(o, "name", ""));
                table_add_cell(&t, strbuf_str(&taken));
                table_add_cell(&t, strbuf_str(&expires));
                table_add_cell(&t, json_get_bool(o, "stateful", false) ? "YES" : "NO");
        }
        strbuf_adds(b, "\nSnapshots:\n");
        table_draw(&t, b);
}

static int get_text(struct client *c, const char *url, struct strbuf *text, struct error *err)
{
        struct request req = { .method = "GET", .url = url };
        int status = client_begin(c, &req, err);
        if (status < 0)
                return status;
        return status >= 400 ? client_read_error(c, status, err) : client_read_text(c, text, err);
}

/* From where the last `lines` lines begin. */
static const char *last_lines(const struct strbuf *text, unsigned lines)
{
        const char *start = strbuf_str(text), *p = start + text->len;
        if (p > start && p[-1] == '\n')
                p--;
        for (; p > start; p--)
                if (p[-1] == '\n' && --lines == 0)
                        return p;
        return start;
}

/* What an LXD has of the container's start, then what its console has shown last: that is where its init complains. */
static int add_log(struct client *c, const char *name, struct strbuf *b, struct error *err)
{
        _cleanup_free_ char *log_url = client_url(c, NULL, "instances", name, "logs", "lxc.log", NULL);
        _cleanup_free_ char *console_url = client_url(c, NULL, "instances", name, "console", NULL);
        _cleanup_strbuf_ struct strbuf log = STRBUF_INIT, console = STRBUF_INIT;
        int r = get_text(c, log_url, &log, err);
        if (r < 0)
                return r;
        strbuf_addf(b, "\nLog:\n\n%s\n", strbuf_str(&log));
        r = get_text(c, console_url, &console, err);
        if (r == 0 && console.len)
                strbuf_addf(b, "Console (its last %u lines; lightc logs %s shows all):\n\n%s\n", CONSOLE_LINES, name,
                            last_lines(&console, CONSOLE_LINES));
        return r;
}

static int show_instance(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_free_ char *name = NULL;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        const char *rest;
        int r = target_split(a->words[0], &name, &rest, err);
        if (r < 0)
                return r;
        if (rest)
                return args_misuse(err, "\"%s\" is a snapshot: \"lightc config show\" shows it", a->words[0]);
        _cleanup_free_ char *url = client_url(c, "recursion=1", "instances", name, NULL);
        r = client_get(c, url, &o, err);
        if (r < 0)
                return r;
        add_header(&b, o);
        add_resources(&b, json_get_object(o, "state"));
        add_snapshots(&b, json_get_array(o, "snapshots"));
        if (args_has(a, "show-log"))
                r = add_log(c, name, &b, err);
        output_printable(&b);
        return r;
}

static int show_server(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        bool is_page = args_has(a, "resources") && !args_has(a, "format");
        _cleanup_free_ char *url = client_url(c, NULL, args_has(a, "resources") ? "resources" : NULL, NULL);
        const char *format = args_value(a, "format", "yaml");
        if (!streq(format, "json") && !streq(format, "yaml"))
                return args_misuse(err, "\"%s\" is no format here: json and yaml are", format);
        int r = client_get(c, url, &o, err);
        if (r < 0)
                return r;
        if (!is_page)
                return streq(format, "json") ? output_json(o) : output_yaml(o, err);
        info_resources(o, &b);
        return output_printable(&b);
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        if (a->n_words == 0 || target_is_remote_only(a->words[0]))
                return show_server(c, a, err);
        if (args_has(a, "format"))
                return args_misuse(err, "--format is for the daemon and its resources; \"lightc query\" has instances as JSON");
        return show_instance(c, a, err);
}

static const struct option options[] = {
        { .name = "format", .letter = 'f', .value = "yaml|json", .help = "The daemon, or all of its resources, as json or yaml" },
        { .name = "resources", .help = "Show the machine's resources" },
        { .name = "show-log", .help = "Show the instance's log and the end of its console's, too" },
        { .name = "target", .value = "member", .help = "Cluster member (there is no cluster: ignored)" },
        { 0 },
};

const struct command cmd_info = {
        .path = "info",
        .summary = "Show how an instance is doing, or the daemon",
        .args = (const struct arg[]){ { "[<remote>:][<instance>]", .is_optional = true }, { 0 } },
        .options = options,
        .run = run,
        .example = "lightc info c1\nlightc info --resources",
};
