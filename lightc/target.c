/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/target.h"
#include "base/alloc.h"
#include "lightc/edit.h"
#include "lightc/operation.h"

#include <unistd.h>

int target_strip(const char *word, const char **ret, struct error *err)
{
        const char *colon = strchr(word, ':'), *slash = strchr(word, '/');
        *ret = word;
        if (!colon || (slash && slash < colon))
                return 0;
        if ((size_t)(colon - word) == 5 && memcmp(word, "local", 5) == 0) {
                *ret = colon + 1;
                return 0;
        }
        return error_set(err, ERR_UNSUPPORTED, "Unknown remote \"%.*s\": only \"local\" is known", (int)(colon - word),
                         word);
}

bool target_is_remote_only(const char *word)
{
        return word && *word && strchr(word, ':') == word + strlen(word) - 1;
}

int target_check_remotes(const struct args *a, struct error *err)
{
        const char *rest;
        for (size_t i = 0; i < a->n_words; i++) {
                const struct arg *arg = command_argument(a->command, i);
                bool may_name_one = arg && strstr(arg->name, "<remote>:") && target_is_remote_only(a->words[i]);
                int r = may_name_one ? target_strip(a->words[i], &rest, err) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

int target_split(const char *word, char **ret_name, const char **ret_rest, struct error *err)
{
        int r = target_strip(word, &word, err);
        if (r < 0)
                return r;
        const char *slash = strchr(word, '/');
        size_t n = slash ? (size_t)(slash - word) : strlen(word);
        if (n == 0)
                return error_set(err, ERR_BAD_REQUEST, "The name of an instance is missing in \"%s\"", word);
        *ret_name = xstrndup(word, n);
        *ret_rest = slash ? slash + 1 : NULL;
        return 0;
}

int target_instance_name(const char *word, char **ret_name, struct error *err)
{
        _cleanup_free_ char *name = NULL;
        const char *snapshot;
        int r = target_split(word, &name, &snapshot, err);
        if (r < 0)
                return r;
        if (snapshot)
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" is no name of an instance", word);
        *ret_name = TAKE_PTR(name);
        return 0;
}

int target_instance(const struct client *c, const char *word, char **ret_url, struct error *err)
{
        _cleanup_free_ char *name = NULL;
        const char *snapshot;
        int r = target_split(word, &name, &snapshot, err);
        if (r < 0)
                return r;
        if (snapshot)
                *ret_url = client_url(c, NULL, "instances", name, "snapshots", snapshot, NULL);
        else
                *ret_url = client_url(c, NULL, "instances", name, NULL);
        return 0;
}

int target_object(const struct client *c, const char *collection, const char *word, char **ret_url, struct error *err)
{
        int r = target_strip(word, &word, err);
        if (r < 0)
                return r;
        if (!*word)
                return error_set(err, ERR_BAD_REQUEST, "A name is missing");
        *ret_url = client_url(c, NULL, collection, word, NULL);
        return 0;
}

void object_done(struct object *o)
{
        free(o->url);
        free(o->etag);
        json_object_put(o->body);
        *o = (struct object){ 0 };
}

static const char *const *writable_members(const char *kind)
{
        static const char *const instance[] = { "architecture", "config",      "devices", "ephemeral",
                                                "profiles",     "stateful",    "description", NULL };
        static const char *const profile[] = { "config", "description", "devices", NULL };
        static const char *const server[] = { "config", NULL };
        static const char *const snapshot[] = { "expires_at", NULL };
        static const char *const image[] = { "auto_update", "properties", "public", "expires_at", "profiles", NULL };
        static const char *const metadata[] = { "architecture", "creation_date", "expiry_date", "properties", "templates", NULL };
        static const struct {
                const char *kind;
                const char *const *members;
        } kinds[] = { { "instance", instance }, { "profile", profile },   { "server", server },
                      { "snapshot", snapshot }, { "image", image },     { "metadata", metadata } };
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (streq(kind, kinds[i].kind))
                        return kinds[i].members;
        assert(!"an object of a kind that is not in the table");
        return server;
}

struct json_object *object_writable(const char *kind, struct json_object *whole)
{
        struct json_object *o = json_object_new_object(), *v;
        for (const char *const *m = writable_members(kind); *m; m++)
                if (json_object_object_get_ex(whole, *m, &v))
                        json_object_object_add(o, *m, json_object_get(v));
        return o;
}

int object_load(struct client *c, const char *kind, char *take_url, struct object *ret, struct error *err)
{
        _cleanup_json_ struct json_object *whole = NULL;
        *ret = (struct object){ .url = take_url };
        int r = client_get(c, take_url, &whole, err);
        if (r < 0)
                return r;
        ret->etag = xstrdup(c->etag);
        ret->body = object_writable(kind, whole);
        return 0;
}

int object_save(struct client *c, const struct object *o, const char *stage, struct error *err)
{
        const char *const headers[] = { o->etag ? "If-Match" : NULL, o->etag, NULL };
        struct request req = { .method = "PUT", .url = o->url, .json = o->body, .headers = headers };
        return operation_run(c, &req, stage, NULL, err);
}

struct editing {
        struct client *client;
        struct object *object;
        const char *stage;
};

static int submit(struct json_object *changed, void *data, struct error *err)
{
        struct editing *e = data;
        json_object_put(e->object->body);
        e->object->body = json_object_get(changed);
        return object_save(e->client, e->object, e->stage, err);
}

int object_edit(struct client *c, struct object *o, const char *comment, const char *stage, struct error *err)
{
        struct editing e = { .client = c, .object = o, .stage = stage };
        return edit_object(o->body, comment, submit, &e, err);
}

struct json_object *object_map(struct json_object *o, const char *key)
{
        struct json_object *map = json_get_object(o, key);
        if (!map) {
                map = json_object_new_object();
                json_object_object_add(o, key, map);
        }
        return map;
}

int target_read_stdin(struct strbuf *out, struct error *err)
{
        int r = fd_read_to_end(STDIN_FILENO, out, JSON_TEXT_MAX);
        return r < 0 ? error_set_errno(err, r, "Cannot read standard input") : 0;
}

static int set_value(struct json_object *map, const char *key, const char *value, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        if (streq(value, "-") && !isatty(STDIN_FILENO)) {
                int r = target_read_stdin(&text, err);
                if (r < 0)
                        return r;
                value = strbuf_str(&text);
        }
        json_set_string(map, key, value);
        return 0;
}

int target_set(struct json_object *map, const char *word, struct error *err)
{
        const char *equals = strchr(word, '=');
        if (!equals || equals == word)
                return args_misuse(err, "\"%s\" is not of the form key=value", word);
        _cleanup_free_ char *key = xstrndup(word, (size_t)(equals - word));
        return set_value(map, key, equals + 1, err);
}

int target_set_words(struct json_object *map, const struct args *a, size_t i, struct error *err)
{
        if (i == a->n_words)
                return args_misuse(err, "Missing argument <key>=<value>");
        if (a->n_words == i + 2 && !strchr(a->words[i], '='))
                return set_value(map, a->words[i], a->words[i + 1], err);
        for (; i < a->n_words; i++) {
                int r = target_set(map, a->words[i], err);
                if (r)
                        return r;
        }
        return 0;
}
