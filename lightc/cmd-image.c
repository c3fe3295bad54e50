/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/time.h"
#include "lightc/image.h"
#include "lightc/match.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/target.h"

#include <stdio.h>
#include <time.h>

static struct json_object *alias_at(struct json_object *image, size_t i)
{
        struct json_object *list = json_get_array(image, "aliases");
        return list && i < json_object_array_length(list) ? json_object_array_get_idx(list, i) : NULL;
}

static const char *alias_name(struct json_object *image, size_t i)
{
        return json_get_string(alias_at(image, i), "name", NULL);
}

/* The shortest, and how many more there are. */
static void cell_alias(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        const char *shortest = alias_name(item, 0), *name;
        size_t n = 0;
        for (; (name = alias_name(item, n)); n++)
                if (strlen(name) < strlen(shortest))
                        shortest = name;
        if (n > 1)
                strbuf_addf(out, "%s (%zu more)", shortest, n - 1);
        else if (n)
                strbuf_adds(out, shortest);
}

static void cell_aliases(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        const char *name;
        for (size_t i = 0; (name = alias_name(item, i)); i++)
                strbuf_addf(out, "%s%s", i ? "\n" : "", name);
}

static void cell_fingerprint(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        strbuf_addf(out, "%.12s", json_get_string(item, "fingerprint", ""));
}

static void cell_public(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        strbuf_adds(out, json_get_bool(item, "public", false) ? "yes" : "no");
}

static void cell_description(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        strbuf_adds(out, json_get_string(json_get_object(item, "properties"), "description", ""));
}

static void add_size(struct json_object *item, struct strbuf *out)
{
        strbuf_addf(out, "%.2fMB", (double)json_get_int(item, "size", 0) / 1024 / 1024);
}

static void cell_size(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        add_size(item, out);
}

/* "Nov 22, 2026 at 1:34am (UTC)" */
static void cell_uploaded(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        char text[64];
        struct tm tm;
        int64_t ns;
        if (time_parse_rfc3339(json_get_string(item, "uploaded_at", ""), &ns) < 0)
                return;
        time_t s = (time_t)(ns / 1000000000);
        gmtime_r(&s, &tm);
        strftime(text, sizeof(text), "%b %-d, %Y at %-I:%M", &tm);
        strbuf_addf(out, "%s%s (UTC)", text, tm.tm_hour < 12 ? "am" : "pm");
}

static const struct column all_columns[] = {
        { 'l', "ALIAS", NULL, cell_alias },
        { 'L', "ALIASES", NULL, cell_aliases },
        { 'f', "FINGERPRINT", NULL, cell_fingerprint },
        { 'F', "FINGERPRINT", "fingerprint" },
        { 'p', "PUBLIC", NULL, cell_public },
        { 'd', "DESCRIPTION", NULL, cell_description },
        { 'a', "ARCHITECTURE", "architecture" },
        { 't', "TYPE", "type", cell_upper },
        { 's', "SIZE", NULL, cell_size },
        { 'u', "UPLOAD DATE", NULL, cell_uploaded },
        { 0 },
};

static int run_list(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *all = NULL, *shown = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "images", NULL);
        _cleanup_free_ struct column *columns = NULL;
        const char *rest;
        size_t n, first = a->n_words && target_is_remote_only(a->words[0]);
        int r = first ? target_strip(a->words[0], &rest, err) : 0;
        if (r == 0)
                r = output_pick_columns(all_columns, args_value(a, "columns", "lfpdatsu"), &columns, &n, err);
        if (r == 0)
                r = client_get(c, url, &all, err);
        if (r == 0)
                r = match_images(all, a->words + first, &shown, err);
        return r ? r : output_list(a, shown, columns, n, OUTPUT_SORT, err);
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *image = NULL, *shown = NULL;
        int r = image_fetch(c, a->words[0], &image, err);
        if (r < 0)
                return r;
        shown = object_writable("image", image);
        return output_yaml(shown, err);
}

static void print_time(struct json_object *image, const char *label, const char *key, const char *never)
{
        int64_t ns = 0;
        struct tm tm;
        char text[64] = "";
        if (time_parse_rfc3339(json_get_string(image, key, ""), &ns) == 0 && ns > 0) {
                time_t s = (time_t)(ns / 1000000000);
                gmtime_r(&s, &tm);
                strftime(text, sizeof(text), "%Y/%m/%d %H:%M UTC", &tm);
        }
        if (*text || never)
                output_line("    %s: %s", label, *text ? text : never);
}

static void print_map(struct json_object *map)
{
        if (!map)
                return;
        json_object_object_foreach(map, key, value)
                output_line("    %s: %s", key, json_object_get_string(value));
}

static void print_lists(struct json_object *image)
{
        struct json_object *profiles = json_get_array(image, "profiles");
        const char *name;
        output_line("Aliases:");
        for (size_t i = 0; (name = alias_name(image, i)); i++)
                output_line("    - %s", name);
        output_line("Cached: %s", json_get_bool(image, "cached", false) ? "yes" : "no");
        output_line("Auto update: %s", json_get_bool(image, "auto_update", false) ? "enabled" : "disabled");
        if (profiles && json_object_array_length(profiles))
                output_line("Profiles:");
        for (size_t i = 0; profiles && i < json_object_array_length(profiles); i++)
                output_line("    - %s", json_object_get_string(json_object_array_get_idx(profiles, i)));
}

static int run_info(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *image = NULL;
        _cleanup_strbuf_ struct strbuf size = STRBUF_INIT;
        int r = image_fetch(c, a->words[0], &image, err);
        if (r < 0)
                return r;
        add_size(image, &size);
        output_line("Fingerprint: %s\nSize: %s\nArchitecture: %s\nType: %s\nPublic: %s\nTimestamps:",
                    json_get_string(image, "fingerprint", ""), strbuf_str(&size), json_get_string(image, "architecture", ""),
                    json_get_string(image, "type", ""), json_get_bool(image, "public", false) ? "yes" : "no");
        print_time(image, "Created", "created_at", NULL);
        print_time(image, "Uploaded", "uploaded_at", NULL);
        print_time(image, "Expires", "expires_at", "never");
        print_time(image, "Last used", "last_used_at", "never");
        output_line("Properties:");
        print_map(json_get_object(image, "properties"));
        print_lists(image);
        return 0;
}

static int delete_one(struct client *c, const char *word, struct error *err)
{
        _cleanup_free_ char *fingerprint = NULL, *stage = xasprintf("Deleting %s", word);
        int r = image_resolve(c, word, &fingerprint, err);
        if (r < 0)
                return r;
        _cleanup_free_ char *url = client_url(c, NULL, "images", fingerprint, NULL);
        return operation_do(c, "DELETE", url, NULL, stage, err);
}

static int run_delete(struct client *c, const struct args *a, struct error *err _unused_)
{
        int status = STATUS_OK;
        for (size_t i = 0; i < a->n_words; i++) {
                _cleanup_error_ struct error why = ERROR_INIT;
                if (delete_one(c, a->words[i], &why) < 0) {
                        output_error(a->words[i], &why);
                        status = STATUS_FAILED;
                }
        }
        return status;
}

#define IMAGE "[<remote>:]<image>"
#define OPTION_VM { .name = "vm", .help = "Images of virtual machines (there are none: ignored)" }
static const struct option vm_options[] = { OPTION_VM, { 0 } };
static const struct option list_options[] = { OPTION_COLUMNS, OPTION_FORMAT, { 0 } };

const struct command cmd_image_list = {
        .path = "image list",
        .aliases = "ls",
        .summary = "List images",
        .args = (const struct arg[]){ { "[<remote>:]<filter>", .is_optional = true, .is_repeated = true }, { 0 } },
        .options = list_options,
        .run = run_list,
        .example = "lightc image list deb\n"
                   "lightc image list os=Debian -c lfs -f csv\n"
                   "Columns: l alias, L aliases, f/F fingerprint, p public, d description, a architecture, t type,\n"
                   "s size, u upload date",
};

const struct command cmd_image_show = {
        .path = "image show",
        .summary = "Show what of an image can be changed",
        .args = (const struct arg[]){ { IMAGE }, { 0 } },
        .options = vm_options,
        .run = run_show,
        .example = "lightc image show debian12",
};

const struct command cmd_image_info = {
        .path = "image info",
        .summary = "Show what an image is",
        .args = (const struct arg[]){ { IMAGE }, { 0 } },
        .options = vm_options,
        .run = run_info,
        .example = "lightc image info debian12",
};

const struct command cmd_image_delete = {
        .path = "image delete",
        .aliases = "rm",
        .summary = "Delete images",
        .args = (const struct arg[]){ { IMAGE, .is_repeated = true }, { 0 } },
        .run = run_delete,
        .example = "lightc image delete debian12",
};
