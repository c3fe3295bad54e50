/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/image.h"
#include "lightc/operation.h"
#include "lightc/output.h"

static struct json_object *list_of(const struct args *a, const char *option)
{
        struct json_object *list = json_object_new_array();
        const char *value;
        for (size_t i = 0; (value = args_value_nth(a, option, i)); i++)
                json_array_add_string(list, value);
        return list;
}

static struct json_object *aliases_of(const struct args *a)
{
        struct json_object *list = json_object_new_array();
        const char *value;
        for (size_t i = 0; (value = args_value_nth(a, "alias", i)); i++) {
                struct json_object *alias = json_object_new_object();
                json_set_string(alias, "name", value);
                json_object_array_add(list, alias);
        }
        return list;
}

static struct json_object *make_body(const struct args *a)
{
        struct json_object *body = json_object_new_object(), *source = image_source(a->words[0]);
        if (args_has(a, "package"))
                json_set_take(source, "packages", list_of(a, "package"));
        json_set_take(body, "source", source);
        json_set_take(body, "aliases", aliases_of(a));
        json_set_bool(body, "public", args_has(a, "public"));
        return body;
}

static int run_build(struct client *c, const struct args *a, struct error *err)
{
        const char *word = a->words[0], *colon = strchr(word, ':');
        if (!colon || str_starts(word, "local:"))
                return args_misuse(err, "\"%s\" is not what an image is built from: a release is, as in debian:12", word);
        _cleanup_json_ struct json_object *body = make_body(a), *op = NULL;
        _cleanup_free_ char *url = client_url(c, NULL, "images", NULL), *stage = xasprintf("Building %s", word);
        struct request req = { .method = "POST", .url = url, .json = body };
        int r = operation_run(c, &req, stage, &op, err);
        if (r == 0 && op && !c->is_quiet)
                output_line("Image built with fingerprint: %s",
                            json_get_string(json_get_object(op, "metadata"), "fingerprint", ""));
        return r;
}

static const struct option build_options[] = {
        { .name = "alias", .value = "alias", .is_repeated = true, .help = "Name of the image" },
        { .name = "package", .letter = 'p', .value = "package", .is_repeated = true,
          .help = "A Debian package to have in it" },
        { .name = "public", .help = "Clients that are not trusted may fetch it" },
        { 0 },
};

const struct command cmd_image_build = {
        .path = "image build",
        .summary = "Build a Debian image with the packages of your choice",
        .args = (const struct arg[]){ { "<remote>:<release>" }, { 0 } },
        .options = build_options,
        .run = run_build,
        .example = "lightc image build debian:12 --package docker.io --alias mydocker\n"
                   "lightc image build debian:13 --package nginx --package curl --alias web",
};
