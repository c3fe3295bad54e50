/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/client.h"
#include "lightc/output.h"
#include "lightc/target.h"

static int run_list(struct client *c, const struct args *a, struct error *err)
{
        static const struct column columns[] = {
                { .header = "NAME", .key = "name" },
                { .header = "DESCRIPTION", .key = "description" },
                { .header = "USED BY", .cell = cell_used_by },
        };
        _cleanup_json_ struct json_object *items = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "profiles", NULL);
        int r = client_get(c, url, &items, err);
        return r < 0 ? r : output_list(a, items, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_free_ char *url = NULL;
        int r = target_object(c, "profiles", a->words[0], &url, err);
        if (r == 0)
                r = client_get(c, url, &o, err);
        return r < 0 ? r : output_yaml(o, err);
}

static const struct option list_options[] = { OPTION_FORMAT, { 0 } };

const struct command cmd_profile_list = {
        .path = "profile list",
        .aliases = "ls",
        .summary = "List profiles",
        .args = (const struct arg[]){ { "<remote>:", .is_optional = true }, { 0 } },
        .options = list_options,
        .run = run_list,
        .example = "lightc profile list",
};

const struct command cmd_profile_show = {
        .path = "profile show",
        .summary = "Show a profile",
        .args = (const struct arg[]){ { "[<remote>:]<profile>" }, { 0 } },
        .run = run_show,
        .example = "lightc profile show default",
};
