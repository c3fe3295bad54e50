/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/client.h"
#include "lightc/output.h"
#include "lightc/target.h"

static void cell_source(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        strbuf_adds(out, json_get_string(json_get_object(item, "config"), "source", ""));
}

static int run_list(struct client *c, const struct args *a, struct error *err)
{
        static const struct column columns[] = {
                { .header = "NAME", .key = "name" },
                { .header = "DRIVER", .key = "driver" },
                { .header = "SOURCE", .cell = cell_source },
                { .header = "DESCRIPTION", .key = "description" },
                { .header = "USED BY", .cell = cell_used_by },
                { .header = "STATE", .key = "status", .cell = cell_upper },
        };
        _cleanup_json_ struct json_object *items = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "storage-pools", NULL);
        int r = client_get(c, url, &items, err);
        return r < 0 ? r : output_list(a, items, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static int fetch(struct client *c, const char *word, const char *sub, struct json_object **ret, struct error *err)
{
        int r = target_strip(word, &word, err);
        if (r < 0)
                return r;
        _cleanup_free_ char *url = client_url(c, NULL, "storage-pools", word, sub, NULL);
        return client_get(c, url, ret, err);
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        int r = fetch(c, a->words[0], args_has(a, "resources") ? "resources" : NULL, &o, err);
        return r < 0 ? r : output_yaml(o, err);
}

static void set_size(struct json_object *o, const char *key, int64_t bytes, bool is_plain)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (is_plain)
                strbuf_addf(&b, "%lld", (long long)bytes);
        else
                output_size_binary(bytes, &b);
        json_set_string(o, key, strbuf_str(&b));
}

/* "/1.0/instances/c1/snapshots/s0?project=x" is a use by instance c1. */
static void add_use(struct json_object *groups, const char *path)
{
        if (!str_starts(path, "/1.0/"))
                return;
        path += 5;
        size_t n = strcspn(path, "/");
        struct json_object *list;
        _cleanup_strbuf_ struct strbuf kind = STRBUF_INIT, name = STRBUF_INIT;
        strbuf_add(&kind, path, n);
        if (path[n])
                strbuf_add(&name, path + n + 1, strcspn(path + n + 1, "/?"));
        if (!json_object_object_get_ex(groups, strbuf_str(&kind), &list)) {
                list = json_object_new_array();
                json_object_object_add(groups, strbuf_str(&kind), list);
        }
        json_array_add_string(list, strbuf_str(&name));
}

static struct json_object *uses_of(struct json_object *pool)
{
        struct json_object *groups = json_object_new_object(), *list = json_get_array(pool, "used_by");
        for (size_t i = 0; list && i < json_object_array_length(list); i++)
                add_use(groups, json_object_get_string(json_object_array_get_idx(list, i)));
        return groups;
}

static int run_info(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *pool = NULL, *resources = NULL, *shown = json_object_new_object();
        int r = fetch(c, a->words[0], NULL, &pool, err);
        if (r == 0)
                r = fetch(c, a->words[0], "resources", &resources, err);
        if (r < 0)
                return r;
        struct json_object *info = object_map(shown, "info"), *space = json_get_object(resources, "space");
        json_set_string(info, "description", json_get_string(pool, "description", ""));
        json_set_string(info, "driver", json_get_string(pool, "driver", ""));
        json_set_string(info, "name", json_get_string(pool, "name", ""));
        set_size(info, "space used", json_get_int(space, "used", 0), args_has(a, "bytes"));
        set_size(info, "total space", json_get_int(space, "total", 0), args_has(a, "bytes"));
        json_set_take(shown, "used by", uses_of(pool));
        return output_yaml(shown, err);
}

#define POOL (const struct arg[]){ { "[<remote>:]<pool>" }, { 0 } }
static const struct option list_options[] = { OPTION_FORMAT, { 0 } };
static const struct option show_options[] = { { .name = "resources", .help = "Show the space instead" }, { 0 } };
static const struct option info_options[] = { { .name = "bytes", .help = "Sizes in bytes" }, { 0 } };

const struct command cmd_storage_list = {
        .path = "storage list",
        .aliases = "ls",
        .summary = "List storage pools",
        .args = (const struct arg[]){ { "<remote>:", .is_optional = true }, { 0 } },
        .options = list_options,
        .run = run_list,
        .example = "lightc storage list",
};

const struct command cmd_storage_show = {
        .path = "storage show",
        .summary = "Show a pool's configuration and users",
        .args = POOL,
        .options = show_options,
        .run = run_show,
        .example = "lightc storage show default",
};

const struct command cmd_storage_info = {
        .path = "storage info",
        .summary = "Show how full a pool is and who uses it",
        .args = POOL,
        .options = info_options,
        .run = run_info,
        .example = "lightc storage info default --bytes",
};
