/* SPDX-License-Identifier: Apache-2.0 */
/* copy, move and rename: one instance from another, or the same one under another name. */
#include "base/alloc.h"
#include "lightc/creation.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/target.h"

/* The name in "[remote:]name"; a snapshot's is refused where only an instance will do. */
static int instance_name(const char *word, char **ret_name, struct error *err)
{
        const char *snapshot = NULL;
        int r = target_split(word, ret_name, &snapshot, err);
        if (r < 0 || !snapshot)
                return r;
        return error_set(err, ERR_UNSUPPORTED, "\"%s\" is the name of a snapshot, and there are none in this release", word);
}

/* "cp" copies files elsewhere: whoever gives a path is shown where that is here. */
static int hint_at_files(const struct args *a, int r, struct error *err)
{
        const char *from = a->words[0], *to = a->words[1];
        if (r >= 0 || (!strchr(from, '/') && !strchr(to, '/')))
                return r;
        bool is_pull = from[strcspn(from, ":/")] && *from != '/' && *from != '.';
        const char *path = is_pull ? from : to;
        size_t n = strcspn(path, ":/"), skip = n + (path[n] == ':');
        error_hint(err, "to copy files: lightc file %s %s%s%.*s%s%s%s%s", is_pull ? "pull" : "push", is_pull ? "" : from,
                   is_pull ? "" : " ", (int)n, path, path[skip] == '/' ? "" : "/", path + skip, is_pull ? " " : "",
                   is_pull ? to : "");
        return r;
}

static int refuse_later(const struct args *a, const char *const *options, struct error *err)
{
        for (; *options; options++)
                if (args_has(a, *options))
                        return error_set(err, ERR_UNSUPPORTED, "\"--%s\" is not there in this release", *options);
        return 0;
}

static struct json_object *copy_source(const char *name)
{
        struct json_object *source = json_object_new_object();
        json_set_string(source, "type", "copy");
        json_set_string(source, "source", name);
        return source;
}

/* Of the source's configuration only what a person wrote: volatile keys are those of one machine. */
static int copy_body(struct client *c, const struct args *a, const char *from, const char *to, struct json_object **ret,
                     struct error *err)
{
        _cleanup_json_ struct json_object *whole = NULL;
        _cleanup_free_ char *url = client_url(c, NULL, "instances", from, NULL);
        int r = client_get(c, url, &whole, err);
        if (r < 0)
                return r;
        struct json_object *body = *ret = object_writable("instance", whole);
        struct json_object *all = json_get_object(whole, "config"), *config = json_object_new_object();
        json_object_object_foreach(all, key, value)
                if (!str_starts(key, "volatile."))
                        json_set_take(config, key, json_object_get(value));
        json_set_take(body, "config", config);
        json_set_string(body, "name", to);
        json_set_string(body, "type", "container");
        json_set_take(body, "source", copy_source(from));
        return creation_apply_options(c, a, body, err);
}

static int run_copy(struct client *c, const struct args *a, struct error *err)
{
        static const char *const later[] = { "refresh", "target-project", NULL };
        _cleanup_free_ char *from = NULL, *to = NULL;
        _cleanup_json_ struct json_object *body = NULL;
        int r = refuse_later(a, later, err);
        if (r >= 0)
                r = instance_name(a->words[0], &from, err);
        if (r >= 0)
                r = instance_name(a->words[1], &to, err);
        r = hint_at_files(a, r, err);
        if (r >= 0)
                r = copy_body(c, a, from, to, &body, err);
        if (r)
                return r;
        _cleanup_free_ char *url = client_url(c, NULL, "instances", NULL), *stage = xasprintf("Copying %s", from);
        return operation_do(c, "POST", url, body, stage, err);
}

static int rename_instance(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_free_ char *from = NULL, *to = NULL;
        int r = instance_name(a->words[0], &from, err);
        if (r >= 0)
                r = instance_name(a->words[1], &to, err);
        if (r < 0)
                return r;
        _cleanup_json_ struct json_object *body = json_object_new_object();
        _cleanup_free_ char *url = client_url(c, NULL, "instances", from, NULL), *stage = xasprintf("Renaming %s", from);
        json_set_string(body, "name", to);
        return operation_do(c, "POST", url, body, stage, err);
}

static int run_move(struct client *c, const struct args *a, struct error *err)
{
        static const char *const later[] = { "storage", "target-project", "config", "device", "ephemeral", "profile", "no-profiles", NULL };
        int r = refuse_later(a, later, err);
        return r < 0 ? r : rename_instance(c, a, err);
}

#define PEER_OPTIONS                                                                                         \
        { .name = "instance-only", .help = "Without its snapshots" },                                        \
        { .name = "mode", .value = "mode", .help = "Between servers: pull, push or relay (ignored)" },       \
        { .name = "stateless", .help = "Without the memory of what runs (always so)" },                      \
        { .name = "target-project", .value = "project", .help = "Into another project" }

static const struct option copy_options[] = {
        CREATION_COMMON_OPTIONS,
        PEER_OPTIONS,
        { .name = "allow-inconsistent", .help = "Though its files may change meanwhile (ignored)" },
        { .name = "refresh", .help = "Only what has changed since the last copy" },
        { 0 },
};
static const struct option move_options[] = {
        CREATION_COMMON_OPTIONS,
        PEER_OPTIONS,
        { .name = "allow-inconsistent", .help = "Though its files may change meanwhile (ignored)" },
        { 0 },
};

static const struct arg two_names[] = { { "[<remote>:]<instance>" }, { "[<remote>:]<new-name>" }, { 0 } };

const struct command cmd_copy = {
        .path = "copy",
        .aliases = "cp",
        .summary = "Make an instance from a stopped one",
        .args = two_names,
        .options = copy_options,
        .run = run_copy,
        .example = "lightc copy c1 c2\nlightc copy template web1 -c boot.autostart=true -d eth0,ipv4.address=10.1.2.3",
};

const struct command cmd_move = {
        .path = "move",
        .aliases = "mv",
        .summary = "Give a stopped instance another name",
        .args = two_names,
        .options = move_options,
        .run = run_move,
        .example = "lightc move c1 web",
};

const struct command cmd_rename = {
        .path = "rename",
        .summary = "Give a stopped instance another name",
        .args = two_names,
        .run = rename_instance,
        .example = "lightc rename c1 web",
};
