/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/client.h"
#include "lightc/output.h"
#include "lightc/target.h"

static void cell_name(struct json_object *item, const struct column *column, struct strbuf *out)
{
        const char *name = json_get_string(item, column->key, "");
        strbuf_addf(out, "%s%s", name, streq(name, column->param) ? " (current)" : "");
}

static void cell_feature(struct json_object *item, const struct column *column, struct strbuf *out)
{
        const char *value = json_get_string(json_get_object(item, "config"), column->param, "");
        strbuf_adds(out, streq(value, "true") ? "YES" : "NO");
}

static int run_list(struct client *c, const struct args *a, struct error *err)
{
        struct column columns[] = {
                { .header = "NAME", .key = "name", .cell = cell_name, .param = c->project ? c->project : "default" },
                { .header = "IMAGES", .cell = cell_feature, .param = "features.images" },
                { .header = "PROFILES", .cell = cell_feature, .param = "features.profiles" },
                { .header = "STORAGE VOLUMES", .cell = cell_feature, .param = "features.storage.volumes" },
                { .header = "NETWORKS", .cell = cell_feature, .param = "features.networks" },
                { .header = "DESCRIPTION", .key = "description" },
                { .header = "USED BY", .cell = cell_used_by },
        };
        _cleanup_json_ struct json_object *items = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "projects", NULL);
        int r = client_get(c, url, &items, err);
        return r < 0 ? r : output_list(a, items, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_free_ char *url = NULL;
        int r = target_object(c, "projects", a->words[0], &url, err);
        if (r == 0)
                r = client_get(c, url, &o, err);
        return r < 0 ? r : output_yaml(o, err);
}

static void cell_number(struct json_object *item, const struct column *column, struct strbuf *out)
{
        const char *resource = json_get_string(item, "resource", "");
        int64_t n = json_get_int(item, column->key, 0);
        if (n < 0)
                strbuf_adds(out, "UNLIMITED");
        else if (streq(resource, "MEMORY") || streq(resource, "DISK"))
                output_size_binary(n, out);
        else
                strbuf_addf(out, "%lld", (long long)n);
}

/* {"memory": {"Limit": …, "Usage": …}} → a row each. */
static struct json_object *resource_rows(struct json_object *resources)
{
        struct json_object *list = json_object_new_array();
        json_object_object_foreach(resources, name, figures) {
                struct json_object *row = json_object_new_object();
                _cleanup_free_ char *upper = xstrdup(name);
                for (char *p = upper; *p; p++)
                        if (*p >= 'a' && *p <= 'z')
                                *p = (char)(*p - 'a' + 'A');
                json_set_string(row, "resource", upper);
                json_set_int(row, "limit", json_get_int(figures, "Limit", -1));
                json_set_int(row, "usage", json_get_int(figures, "Usage", 0));
                json_object_array_add(list, row);
        }
        return list;
}

static int run_info(struct client *c, const struct args *a, struct error *err)
{
        static const struct column columns[] = {
                { .header = "RESOURCE", .key = "resource" },
                { .header = "LIMIT", .key = "limit", .cell = cell_number },
                { .header = "USAGE", .key = "usage", .cell = cell_number },
        };
        _cleanup_json_ struct json_object *state = NULL, *rows = NULL;
        _cleanup_free_ char *object = NULL, *url = NULL;
        int r = target_object(c, "projects", a->words[0], &object, err);
        if (r < 0)
                return r;
        url = xasprintf("%.*s/state%s", (int)strcspn(object, "?"), object, object + strcspn(object, "?"));
        r = client_get(c, url, &state, err);
        struct json_object *resources = r < 0 ? NULL : json_get_object(state, "resources");
        if (r >= 0 && !resources)
                r = error_set(err, ERR_INTERNAL, "The daemon's answer about project \"%s\" has no resources", a->words[0]);
        if (r < 0)
                return r;
        rows = resource_rows(resources);
        return output_list(a, rows, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static const struct option list_options[] = { OPTION_FORMAT, { 0 } };
#define PROJECT (const struct arg[]){ { "[<remote>:]<project>" }, { 0 } }

const struct command cmd_project = {
        .path = "project",
        .summary = "Look at projects, which keep instances apart",
        .example = "lightc project list\nlightc project info default",
};

const struct command cmd_project_info = {
        .path = "project info",
        .summary = "Show what a project uses of its limits",
        .args = PROJECT,
        .options = list_options,
        .run = run_info,
        .example = "lightc project info default",
};

const struct command cmd_project_list = {
        .path = "project list",
        .aliases = "ls",
        .summary = "List projects",
        .args = (const struct arg[]){ { "<remote>:", .is_optional = true }, { 0 } },
        .options = list_options,
        .run = run_list,
        .example = "lightc project list",
};

const struct command cmd_project_show = {
        .path = "project show",
        .summary = "Show a project",
        .args = PROJECT,
        .run = run_show,
        .example = "lightc project show default",
};
