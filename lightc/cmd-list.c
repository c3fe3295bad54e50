/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/client.h"
#include "lightc/match.h"
#include "lightc/output.h"
#include "lightc/table.h"
#include "lightc/target.h"

#include <ctype.h>

static struct json_object *state_of(struct json_object *item)
{
        return json_get_object(item, "state");
}

static bool is_up(struct json_object *item)
{
        int64_t code = json_get_int(item, "status_code", 0);
        return code == 103 || code == 110; /* running, frozen */
}

static void add_addresses(struct json_object *item, const char *family, struct strbuf *out)
{
        struct json_object *network = json_get_object(state_of(item), "network");
        if (!network || !is_up(item))
                return;
        json_object_object_foreach(network, name, nic) {
                struct json_object *list = json_get_array(nic, "addresses");
                for (size_t i = 0; !streq(name, "lo") && list && i < json_object_array_length(list); i++) {
                        struct json_object *address = json_object_array_get_idx(list, i);
                        const char *scope = json_get_string(address, "scope", "");
                        if (!streq(json_get_string(address, "family", ""), family) || streq(scope, "link") ||
                            streq(scope, "local"))
                                continue;
                        strbuf_addf(out, "%s%s (%s)", out->len ? "\n" : "", json_get_string(address, "address", ""),
                                    name);
                }
        }
}

static void cell_ipv4(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        add_addresses(item, "inet", out);
}

static void cell_ipv6(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        add_addresses(item, "inet6", out);
}

static void cell_type(struct json_object *item, const struct column *column, struct strbuf *out)
{
        cell_upper(item, column, out);
        if (json_get_bool(item, "ephemeral", false))
                strbuf_adds(out, " (EPHEMERAL)");
}

static void cell_snapshots(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        struct json_object *list = json_get_array(item, "snapshots");
        strbuf_addf(out, "%zu", list ? json_object_array_length(list) : 0);
}

static void cell_pid(struct json_object *item, const struct column *column, struct strbuf *out)
{
        if (is_up(item))
                strbuf_addf(out, "%lld", (long long)json_get_int(state_of(item), column->key, 0));
}

static void cell_profiles(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        struct json_object *list = json_get_array(item, "profiles");
        for (size_t i = 0; list && i < json_object_array_length(list); i++)
                strbuf_addf(out, "%s%s", i ? "\n" : "", json_object_get_string(json_object_array_get_idx(list, i)));
}

static void cell_created(struct json_object *item, const struct column *column, struct strbuf *out)
{
        output_time(json_get_string(item, column->key, ""), out);
}

static void cell_memory(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        int64_t usage = json_get_int(json_get_object(state_of(item), "memory"), "usage", 0);
        if (is_up(item) && usage > 0)
                output_size_binary(usage, out);
}

static void cell_memory_percent(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        struct json_object *memory = json_get_object(state_of(item), "memory");
        int64_t usage = json_get_int(memory, "usage", 0), total = json_get_int(memory, "total", 0);
        if (is_up(item) && usage > 0 && total > 0)
                strbuf_addf(out, "%.1f%%", (double)usage * 100 / (double)total);
}

static void cell_cpu(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        int64_t ns = json_get_int(json_get_object(state_of(item), "cpu"), "usage", 0);
        if (is_up(item) && ns > 0)
                strbuf_addf(out, "%llds", (long long)(ns / 1000000000));
}

static const char *root_device(struct json_object *item, const char *key)
{
        struct json_object *devices = json_get_object(item, "expanded_devices");
        if (!devices)
                return "";
        json_object_object_foreach(devices, name, device) {
                const char *path = json_get_string(device, "path", "");
                if (streq(json_get_string(device, "type", ""), "disk") && streq(path, "/"))
                        return key ? json_get_string(device, key, "") : name;
        }
        return "";
}

static void cell_pool(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        strbuf_adds(out, root_device(item, "pool"));
}

static void cell_disk(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        struct json_object *disk = json_get_object(json_get_object(state_of(item), "disk"), root_device(item, NULL));
        int64_t usage = json_get_int(disk, "usage", 0);
        if (usage > 0)
                output_size_binary(usage, out);
}

static void cell_config(struct json_object *item, const struct column *column, struct strbuf *out)
{
        const char *value = json_get_string(json_get_object(item, "config"), column->param, NULL);
        if (!value)
                value = json_get_string(json_get_object(item, "expanded_config"), column->param, "");
        strbuf_adds(out, value);
}

static void cell_base_image(struct json_object *item, const struct column *column, struct strbuf *out)
{
        size_t before = out->len;
        cell_config(item, column, out);
        if (column->letter == 'f' && out->len > before + 12) {
                out->len = before + 12;
                out->data[out->len] = '\0';
        }
}

/* column->param is "<device>.<key>" */
static void cell_device(struct json_object *item, const struct column *column, struct strbuf *out)
{
        const char *dot = strchr(column->param, '.');
        _cleanup_free_ char *name = dot ? xstrndup(column->param, (size_t)(dot - column->param)) : NULL;
        if (dot)
                strbuf_adds(out, json_get_string(json_get_object(json_get_object(item, "expanded_devices"), name),
                                                 dot + 1, ""));
}

static const struct column all_columns[] = {
        { '4', "IPV4", NULL, cell_ipv4 },
        { '6', "IPV6", NULL, cell_ipv6 },
        { 'a', "ARCHITECTURE", "architecture" },
        { 'b', "STORAGE POOL", NULL, cell_pool },
        { 'c', "CREATED AT", "created_at", cell_created },
        { 'd', "DESCRIPTION", "description" },
        { 'D', "DISK USAGE", NULL, cell_disk },
        { 'e', "PROJECT", "project" },
        { 'f', "BASE IMAGE", NULL, cell_base_image, "volatile.base_image" },
        { 'F', "BASE IMAGE", NULL, cell_base_image, "volatile.base_image" },
        { 'l', "LAST USED AT", "last_used_at", cell_created },
        { 'L', "LOCATION", "location" },
        { 'm', "MEMORY USAGE", NULL, cell_memory },
        { 'M', "MEMORY USAGE%", NULL, cell_memory_percent },
        { 'n', "NAME", "name" },
        { 'N', "PROCESSES", "processes", cell_pid },
        { 'p', "PID", "pid", cell_pid },
        { 'P', "PROFILES", NULL, cell_profiles },
        { 's', "STATE", "status", cell_upper },
        { 'S', "SNAPSHOTS", NULL, cell_snapshots },
        { 't', "TYPE", "type", cell_type },
        { 'u', "CPU USAGE", NULL, cell_cpu },
        { 0 },
};

/* What a chosen list of columns consists of; custom ones own their texts. */
struct chosen {
        struct column *columns;
        size_t n;
        char **texts;
        size_t n_texts;
};

static void chosen_done(struct chosen *ch)
{
        for (size_t i = 0; i < ch->n_texts; i++)
                free(ch->texts[i]);
        free(ch->texts);
        free(ch->columns);
}

static char *keep_text(struct chosen *ch, char *take_text)
{
        ch->texts = xreallocarray(ch->texts, ch->n_texts + 1, sizeof(*ch->texts));
        return ch->texts[ch->n_texts++] = take_text;
}

static void add_column(struct chosen *ch, const struct column *column)
{
        ch->columns = xreallocarray(ch->columns, ch->n + 1, sizeof(*ch->columns));
        ch->columns[ch->n++] = *column;
}

/* "image.os" heads its column as "IMAGE OS". */
static char *header_of(const char *key)
{
        char *h = xstrdup(key);
        for (char *p = h; *p; p++)
                *p = *p == '.' || *p == '_' ? ' ' : (char)toupper((unsigned char)*p);
        return h;
}

/* "[config:|devices:]key[:header[:width]]" */
static int add_custom(struct chosen *ch, const char *text, struct error *err)
{
        bool is_device = str_starts(text, "devices:");
        const char *key = is_device ? text + 8 : str_starts(text, "config:") ? text + 7 : text;
        const char *header = strchr(key, ':'), *width = header ? strchr(header + 1, ':') : NULL;
        struct column column = { .cell = is_device ? cell_device : cell_config };
        size_t n = header ? (size_t)(header - key) : strlen(key);
        if (n == 0 || (is_device && !memchr(key, '.', n)))
                return args_misuse(err, "\"%s\" is no column: a key like %s is expected", text,
                                   is_device ? "devices:eth0.hwaddr" : "config:image.os");
        column.param = keep_text(ch, xstrndup(key, n));
        size_t n_header = header ? strcspn(header + 1, ":") : 0;
        column.header = keep_text(ch, n_header ? xstrndup(header + 1, n_header) : header_of(column.param));
        if (width) {
                char *end;
                column.max_width = (int)strtol(width + 1, &end, 10);
                if (*end || column.max_width < -1)
                        return args_misuse(err, "\"%s\" is no width of a column", width + 1);
                if (column.max_width == 0)
                        column.max_width = (int)text_width(column.header, strlen(column.header));
        }
        add_column(ch, &column);
        return 0;
}

static int add_letters(struct chosen *ch, const char *letters, struct error *err)
{
        _cleanup_free_ struct column *picked = NULL;
        size_t n;
        int r = output_pick_columns(all_columns, letters, &picked, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++)
                add_column(ch, &picked[i]);
        return r;
}

static int choose_columns(struct chosen *ch, const char *text, struct error *err)
{
        while (*text) {
                size_t n = strcspn(text, ",");
                _cleanup_free_ char *part = xstrndup(text, n);
                int r = strpbrk(part, ".:") ? add_custom(ch, part, err) : n ? add_letters(ch, part, err) : 0;
                if (r)
                        return r;
                text += n + (text[n] == ',');
        }
        return ch->n ? 0 : args_misuse(err, "--columns names no column");
}

/* Live state costs the daemon a look into each container: it is asked for only when a column shows it. */
static bool needs_state(const struct chosen *ch)
{
        for (size_t i = 0; i < ch->n; i++)
                if (ch->columns[i].letter && strchr("46DmMNpuS", ch->columns[i].letter))
                        return true;
        return false;
}

static int fetch(struct client *c, const struct args *a, bool is_full, struct json_object **ret, struct error *err)
{
        _cleanup_free_ char *url = client_url(c, is_full ? "recursion=2" : "recursion=1", "instances", NULL);
        if (args_has(a, "all-projects"))
                client_url_add(&url, "all-projects", "true");
        return client_get(c, url, ret, err);
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *all = NULL, *shown = NULL;
        _cleanup_(chosen_done) struct chosen ch = { 0 };
        size_t first = a->n_words && target_is_remote_only(a->words[0]);
        const char *text = args_has(a, "all-projects") ? "ens46tS" : "ns46tS";
        int r = choose_columns(&ch, args_value(a, "columns", args_has(a, "fast") ? "nsacPt" : text), err);
        if (r)
                return r;
        bool is_full = needs_state(&ch) || match_needs_state(a->words + first);
        r = fetch(c, a, is_full, &all, err);
        if (r < 0)
                return r;
        r = match_instances(all, a->words + first, &shown, err);
        return r ? r : output_list(a, shown, ch.columns, ch.n, OUTPUT_SORT, err);
}

static const struct option options[] = {
        OPTION_COLUMNS,
        OPTION_FORMAT,
        { .name = "fast", .help = "Only what needs no look into the instances (columns nsacPt)" },
        { .name = "all-projects", .help = "Instances of all projects" },
        { 0 },
};

const struct command cmd_list = {
        .path = "list",
        .aliases = "ls ps",
        .summary = "List instances",
        .args = (const struct arg[]){ { "[<remote>:]<filter>", .is_optional = true, .is_repeated = true }, { 0 } },
        .options = options,
        .run = run,
        .example = "lightc list web status=running\n"
                   "lightc list -c ns4m,user.owner:OWNER -f csv\n"
                   "Filters: a name's beginning or pattern, status= type= architecture= ipv4= ipv6= (addresses or networks),\n"
                   "<field>=pattern, or <key>=pattern of the configuration\n"
                   "Columns: 4 IPv4, 6 IPv6, a architecture, b pool, c created, d description, D disk, e project, f/F image,\n"
                   "l last used, L location, m/M memory, n name, N processes, p pid, P profiles, s state, S snapshots,\n"
                   "t type, u CPU, [config:|devices:]key[:header[:width]]",
};
