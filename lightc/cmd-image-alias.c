/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/client.h"
#include "lightc/image.h"
#include "lightc/output.h"
#include "lightc/target.h"

static int run_create(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *body = json_object_new_object();
        _cleanup_free_ char *fingerprint = NULL, *url = client_url(c, NULL, "images", "aliases", NULL);
        const char *name;
        int r = target_strip(a->words[0], &name, err);
        if (r == 0)
                r = image_resolve(c, a->words[1], &fingerprint, err);
        if (r < 0)
                return r;
        json_set_string(body, "name", name);
        json_set_string(body, "target", fingerprint);
        return client_put(c, "POST", url, body, NULL, err);
}

static int run_delete(struct client *c, const struct args *a, struct error *err)
{
        const char *name;
        int r = target_strip(a->words[0], &name, err);
        if (r < 0)
                return r;
        _cleanup_free_ char *url = client_url(c, NULL, "images", "aliases", name, NULL);
        return client_put(c, "DELETE", url, NULL, NULL, err);
}

static int run_rename(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *body = json_object_new_object();
        const char *name;
        int r = target_strip(a->words[0], &name, err);
        if (r < 0)
                return r;
        _cleanup_free_ char *url = client_url(c, NULL, "images", "aliases", name, NULL);
        json_set_string(body, "name", a->words[1]);
        return client_put(c, "POST", url, body, NULL, err);
}

static void cell_target(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        strbuf_addf(out, "%.12s", json_get_string(item, "target", ""));
}

static struct json_object *select_aliases(struct json_object *items, const struct args *a, size_t first)
{
        struct json_object *shown = json_object_new_array();
        for (size_t i = 0; items && i < json_object_array_length(items); i++) {
                struct json_object *item = json_object_array_get_idx(items, i);
                bool is_wanted = true;
                for (size_t k = first; k < a->n_words; k++)
                        is_wanted &= strstr(json_get_string(item, "name", ""), a->words[k]) ||
                                     str_starts(json_get_string(item, "target", ""), a->words[k]);
                if (is_wanted)
                        json_object_array_add(shown, json_object_get(item));
        }
        return shown;
}

static int run_list(struct client *c, const struct args *a, struct error *err)
{
        static const struct column columns[] = {
                { .header = "ALIAS", .key = "name" },
                { .header = "FINGERPRINT", .cell = cell_target },
                { .header = "TYPE", .key = "type", .cell = cell_upper },
                { .header = "DESCRIPTION", .key = "description" },
        };
        _cleanup_json_ struct json_object *items = NULL, *shown = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "images", "aliases", NULL);
        int r = client_get(c, url, &items, err);
        if (r < 0)
                return r;
        shown = select_aliases(items, a, a->n_words && target_is_remote_only(a->words[0]));
        return output_list(a, shown, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static const struct option list_options[] = { OPTION_FORMAT, { 0 } };

const struct command cmd_image_alias_create = {
        .path = "image alias create",
        .summary = "Give an image another name",
        .args = (const struct arg[]){ { "[<remote>:]<alias>" }, { "<fingerprint>" }, { 0 } },
        .run = run_create,
        .example = "lightc image alias create web 7e87a57d0c75",
};

const struct command cmd_image_alias_delete = {
        .path = "image alias delete",
        .aliases = "rm",
        .summary = "Take a name away; the image stays",
        .args = (const struct arg[]){ { "[<remote>:]<alias>" }, { 0 } },
        .run = run_delete,
        .example = "lightc image alias delete web",
};

const struct command cmd_image_alias_list = {
        .path = "image alias list",
        .aliases = "ls",
        .summary = "List the names of images",
        .args = (const struct arg[]){ { "[<remote>:]<filter>", .is_optional = true, .is_repeated = true }, { 0 } },
        .options = list_options,
        .run = run_list,
        .example = "lightc image alias list",
};

const struct command cmd_image_alias_rename = {
        .path = "image alias rename",
        .aliases = "mv",
        .summary = "Rename an alias",
        .args = (const struct arg[]){ { "[<remote>:]<alias>" }, { "<new-name>" }, { 0 } },
        .run = run_rename,
        .example = "lightc image alias rename web web-old",
};
