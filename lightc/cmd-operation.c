/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/client.h"
#include "lightc/output.h"
#include "lightc/target.h"

static void cell_cancelable(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        strbuf_adds(out, json_get_bool(item, "may_cancel", false) ? "YES" : "NO");
}

/* The answer groups operations by their status: {"running": […], "success": […]}. One list is what people want. */
static struct json_object *flatten(struct json_object *groups)
{
        struct json_object *all = json_object_new_array();
        if (!groups || !json_object_is_type(groups, json_type_object))
                return all;
        json_object_object_foreach(groups, status, list) {
                (void)status;
                for (size_t i = 0; json_object_is_type(list, json_type_array) && i < json_object_array_length(list); i++)
                        json_object_array_add(all, json_object_get(json_object_array_get_idx(list, i)));
        }
        return all;
}

static int run_list(struct client *c, const struct args *a, struct error *err)
{
        static const struct column columns[] = {
                { .header = "ID", .key = "id" },
                { .header = "TYPE", .key = "class", .cell = cell_upper },
                { .header = "DESCRIPTION", .key = "description" },
                { .header = "STATUS", .key = "status", .cell = cell_upper },
                { .header = "CANCELABLE", .cell = cell_cancelable },
                { .header = "CREATED", .key = "created_at", .cell = cell_time },
        };
        _cleanup_json_ struct json_object *groups = NULL, *items = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "operations", NULL);
        int r = client_get(c, url, &groups, err);
        if (r < 0)
                return r;
        items = flatten(groups);
        return output_list(a, items, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_free_ char *url = NULL;
        int r = target_object(c, "operations", a->words[0], &url, err);
        if (r == 0)
                r = client_get(c, url, &o, err);
        return r < 0 ? r : output_yaml(o, err);
}

static int run_delete(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_free_ char *url = NULL;
        int r = target_object(c, "operations", a->words[0], &url, err);
        return r < 0 ? r : client_put(c, "DELETE", url, NULL, NULL, err);
}

#define OPERATION (const struct arg[]){ { "[<remote>:]<operation>" }, { 0 } }
static const struct option list_options[] = { OPTION_FORMAT, { 0 } };

const struct command cmd_operation_list = {
        .path = "operation list",
        .aliases = "ls",
        .summary = "List what the daemon is doing",
        .args = (const struct arg[]){ { "<remote>:", .is_optional = true }, { 0 } },
        .options = list_options,
        .run = run_list,
        .example = "lightc operation list",
};

const struct command cmd_operation_show = {
        .path = "operation show",
        .summary = "Show one operation",
        .args = OPERATION,
        .run = run_show,
        .example = "lightc operation show 188b1fa8-e627-4e9f-a446-1b48cdf2fc72",
};

const struct command cmd_operation_delete = {
        .path = "operation delete",
        .aliases = "cancel rm",
        .summary = "Cancel an operation",
        .args = OPERATION,
        .run = run_delete,
        .example = "lightc operation cancel 188b1fa8-e627-4e9f-a446-1b48cdf2fc72",
};
