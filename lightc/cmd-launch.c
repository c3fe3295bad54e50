/* SPDX-License-Identifier: Apache-2.0 */
/* launch and init: the same instance, started or not. */
#include "base/alloc.h"
#include "lightc/console.h"
#include "lightc/creation.h"
#include "lightc/image.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/target.h"
#include "api/yaml.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A description on standard input, as "lightc launch … < c1.yaml". /dev/null and terminals hold none. */
static int read_description(struct json_object **ret, struct error *err)
{
        static const char *const string_maps[] = { "config", "devices", NULL };
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        struct stat st;
        if (fstat(STDIN_FILENO, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)))
                return 0;
        int r = target_read_stdin(&text, err);
        if (r == 0)
                r = yaml_parse(strbuf_str(&text), text.len, string_maps, ret, err);
        if (r == 0 && *ret && !json_object_is_type(*ret, json_type_object))
                r = error_set(err, ERR_BAD_REQUEST, "Standard input holds no map of keys and values");
        return r < 0 ? error_prefix(err, "Cannot read the instance's description") : 0;
}

static int make_body(struct client *c, const struct args *a, const char *image, const char *name, struct json_object **ret,
                     struct error *err)
{
        _cleanup_json_ struct json_object *body = NULL;
        if (args_has(a, "vm"))
                return error_set(err, ERR_UNSUPPORTED, "There are no virtual machines here: only containers");
        int r = read_description(&body, err);
        if (r < 0)
                return r;
        if (!body)
                body = json_object_new_object();
        if (name)
                json_set_string(body, "name", name);
        json_set_string(body, "type", "container");
        if (args_has(a, "empty"))
                json_set_string(object_map(body, "source"), "type", "none");
        else
                json_set_take(body, "source", image_source(image));
        r = creation_apply_options(c, a, body, err);
        if (r == 0)
                *ret = TAKE_PTR(body);
        return r;
}

/* LXD announces names by the operation's resources. */
static char *name_from(struct json_object *operation, const char *fallback)
{
        struct json_object *list = json_get_array(json_get_object(operation, "resources"), "instances");
        const char *url = list && json_object_array_length(list) ? json_object_get_string(json_object_array_get_idx(list, 0)) : NULL;
        const char *slash = url ? strrchr(url, '/') : NULL;
        if (fallback || !slash)
                return xstrdup(fallback);
        return xstrndup(slash + 1, strcspn(slash + 1, "?"));
}

static int start(struct client *c, const char *name, struct error *err)
{
        _cleanup_json_ struct json_object *body = json_object_new_object();
        _cleanup_free_ char *url = client_url(c, NULL, "instances", name, "state", NULL), *stage = xasprintf("Starting %s", name);
        json_set_string(body, "action", "start");
        json_set_int(body, "timeout", -1);
        int r = operation_do(c, "PUT", url, body, stage, err);
        if (r < 0) {
                error_prefix(err, "\"%s\" was made, but starting it failed", name);
                if (!err->hint)
                        error_hint(err, "\"lightc info %s --show-log\" may tell more", name);
        }
        return r;
}

static int create(struct client *c, const struct args *a, const char *image, const char *name, bool is_started,
                  char **ret_name, struct error *err)
{
        _cleanup_json_ struct json_object *body = NULL, *op = NULL;
        _cleanup_free_ char *url = client_url(c, NULL, "instances", NULL), *stage = xasprintf("Creating %s", name ? name : "an instance");
        int r = make_body(c, a, image, name, &body, err);
        if (r)
                return r;
        bool starts_itself = is_started && client_has_extension(c, "instance_create_start");
        if (starts_itself)
                json_set_bool(body, "start", true);
        struct request req = { .method = "POST", .url = url, .json = body };
        r = operation_run(c, &req, stage, &op, err);
        if (r < 0)
                return r;
        *ret_name = name_from(op, name);
        if (!*ret_name)
                return error_set(err, ERR_INTERNAL, "The daemon did not say what the instance is called");
        return is_started && !starts_itself ? start(c, *ret_name, err) : 0;
}

static int make(struct client *c, const struct args *a, bool is_started, struct error *err)
{
        _cleanup_free_ char *made = NULL;
        const char *image = a->words[0], *name = args_word(a, 1);
        if (args_has(a, "empty") && !name && !strchr(image, ':'))
                name = image;
        int r = name ? target_strip(name, &name, err) : 0;
        if (r < 0)
                return r;
        if (name && !*name)
                name = NULL;
        r = create(c, a, image, name, is_started, &made, err);
        /* A name the daemon chose is the result: "c=$(lightc launch debian:12)". */
        if (made && !name)
                output_line("%s", made);
        if (r == 0 && is_started && args_has(a, "console"))
                return console_attach(c, made, err);
        return r;
}

static int run_launch(struct client *c, const struct args *a, struct error *err)
{
        return make(c, a, true, err);
}

static int run_init(struct client *c, const struct args *a, struct error *err)
{
        return make(c, a, false, err);
}

static const struct option init_options[] = { CREATION_OPTIONS, { 0 } };
static const struct option launch_options[] = {
        CREATION_OPTIONS,
        { .name = "console", .value = "type", .fallback = "console", .help = "Show the console afterwards" },
        { 0 },
};

static const struct arg create_args[] = {
        { "[<remote>:]<image>" },
        { "[<remote>:]<name>", .is_optional = true },
        { 0 },
};

const struct command cmd_launch = {
        .path = "launch",
        .aliases = "run",
        .summary = "Create an instance and start it",
        .args = create_args,
        .options = launch_options,
        .run = run_launch,
        .example = "lightc launch debian:12 c1\nlightc launch busybox c2 -c boot.autostart=true\n"
                   "lightc launch debian:12 c3 < c3.yaml",
};

const struct command cmd_init = {
        .path = "init",
        .aliases = "create",
        .summary = "Create an instance and leave it stopped",
        .args = create_args,
        .options = init_options,
        .run = run_init,
        .example = "lightc init debian:12 c1\nlightc init busybox -p default -p web",
};
