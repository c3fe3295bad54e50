/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lightd init: what a new daemon needs before the first launch. --auto and --minimal make a pool, a bridge and the
 * default profile's devices; --preseed does what a YAML document of LXD's shape says; --dump prints such a document of
 * what there is. What exists already is left as it is, so every form may be run again.
 */
#include "lightd/init.h"
#include "lightd/commands.h"
#include "api/yaml.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#define PRESEED_MAX MiB(1)
#define POOL "default"
#define BRIDGE "lightbr0"
#define BRIDGES_TRIED 100

static const char *const string_maps[] = { "config", "devices", NULL };

struct family {
        const char *key;      /* of the document */
        const char *word;     /* for a person */
        const char *path;     /* of its list */
        bool is_project_wide; /* objects may exist already and are then updated by PUT */
};

static const struct family families[] = {
        { "storage_pools", "storage pool", "/1.0/storage-pools", false },
        { "networks", "network", "/1.0/networks", false },
        { "profiles", "profile", "/1.0/profiles", true },
};

static bool exists(const struct family *f, const char *name)
{
        _cleanup_free_ char *path = xasprintf("%s/%s", f->path, name);
        return daemon_call("GET", path, NULL, NULL, NULL) >= 0;
}

static void report(const char *text, const char *kind, const char *name)
{
        printf("%s %s \"%s\"\n", text, kind, name);
}

static int update_existing(const struct family *f, const char *name, struct json_object *item, struct error *err)
{
        _cleanup_free_ char *path = xasprintf("%s/%s", f->path, name);
        if (!f->is_project_wide) {
                report("Kept", f->word, name);
                return 0;
        }
        int r = daemon_call("PATCH", path, item, NULL, err);
        if (r >= 0)
                report("Set up", f->word, name);
        return r;
}

static int apply_item(const struct family *f, struct json_object *item, struct error *err)
{
        const char *name = json_get_string(item, "name", "");
        if (str_empty(name))
                return error_set(err, ERR_BAD_REQUEST, "An item of \"%s\" has no \"name\"", f->key);
        if (exists(f, name))
                return update_existing(f, name, item, err);
        int r = daemon_call("POST", f->path, item, NULL, err);
        if (r >= 0)
                report("Made", f->word, name);
        return r;
}

static int apply_family(const struct family *f, struct json_object *document, struct error *err)
{
        struct json_object *items = json_get_array(document, f->key);
        for (size_t i = 0; items && i < json_object_array_length(items); i++) {
                int r = apply_item(f, json_object_array_get_idx(items, i), err);
                if (r < 0)
                        return error_prefix(err, "%s", f->key);
        }
        return 0;
}

static int check_keys(struct json_object *document, struct error *err)
{
        json_object_object_foreach(document, key, value)
        {
                bool is_known = streq(key, "config");
                (void)value;
                for (size_t i = 0; i < ARRAY_SIZE(families); i++)
                        is_known |= streq(key, families[i].key);
                if (!is_known)
                        return error_set(err, ERR_BAD_REQUEST, "\"%s\" is not known to this release", key);
        }
        return 0;
}

static int apply(struct json_object *document, struct error *err)
{
        struct json_object *config = json_get_object(document, "config");
        int r = check_keys(document, err);
        if (r >= 0 && config && json_object_object_length(config)) {
                _cleanup_json_ struct json_object *body = json_object_new_object();
                json_set_take(body, "config", json_object_get(config));
                r = daemon_call("PATCH", "/1.0", body, NULL, err);
        }
        for (size_t i = 0; i < ARRAY_SIZE(families) && r >= 0; i++)
                r = apply_family(&families[i], document, err);
        return r;
}

static struct json_object *list_of_one(const char *name, const char *key, const char *value)
{
        struct json_object *list = json_object_new_array(), *item = json_object_new_object();
        json_set_string(item, "name", name);
        json_set_string(item, key, value);
        json_object_array_add(list, item);
        return list;
}

static struct json_object *device(const char *const *pairs)
{
        struct json_object *d = json_object_new_object();
        for (; pairs[0]; pairs += 2)
                json_set_string(d, pairs[0], pairs[1]);
        return d;
}

/* Our own bridge of an earlier run, or the first name no interface of the host has (another daemon may have some). */
static int choose_bridge(char *ret, size_t n, struct error *err)
{
        for (int i = 0; i < BRIDGES_TRIED; i++) {
                _cleanup_json_ struct json_object *network = NULL;
                snprintf(ret, n, "lightbr%d", i);
                _cleanup_free_ char *path = xasprintf("/1.0/networks/%s", ret);
                _cleanup_error_ struct error e = ERROR_INIT;
                int r = daemon_call("GET", path, NULL, &network, &e);
                if (r < 0 && e.code != ERR_NOT_FOUND) {
                        error_move(err, &e);
                        return r;
                }
                if (r < 0 || json_get_bool(network, "managed", false))
                        return 0;
        }
        return error_set(err, ERR_EXISTS, "All names from lightbr0 to lightbr%d are taken", BRIDGES_TRIED - 1);
}

static struct json_object *default_document(const char *bridge)
{
        static const char *const root[] = { "type", "disk", "path", "/", "pool", POOL, NULL };
        const char *const eth0[] = { "type", "nic", "name", "eth0", "network", bridge, NULL };
        struct json_object *o = json_object_new_object(), *devices = json_object_new_object();
        struct json_object *profiles = json_object_new_array(), *profile = json_object_new_object();
        json_set_take(o, "storage_pools", list_of_one(POOL, "driver", "overlay"));
        json_set_take(o, "networks", list_of_one(bridge, "type", "bridge"));
        json_set_take(devices, "root", device(root));
        json_set_take(devices, "eth0", device(eth0));
        json_set_string(profile, "name", "default");
        json_set_take(profile, "devices", devices);
        json_object_array_add(profiles, profile);
        json_set_take(o, "profiles", profiles);
        return o;
}

static int init_auto(struct error *err)
{
        char bridge[16];
        int r = choose_bridge(bridge, sizeof bridge, err);
        if (r < 0)
                return r;
        _cleanup_json_ struct json_object *document = default_document(bridge);
        return apply(document, err);
}

static int init_preseed(struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_json_ struct json_object *document = NULL;
        int r = fd_read_to_end(STDIN_FILENO, &text, PRESEED_MAX);
        if (r < 0)
                return error_set_errno(err, r, "Reading the preseed from standard input");
        r = yaml_parse(strbuf_str(&text), text.len, string_maps, &document, err);
        if (r < 0)
                return r;
        if (!json_object_is_type(document, json_type_object))
                return error_set(err, ERR_BAD_REQUEST, "The preseed must be a YAML document with keys like \"networks\"");
        return apply(document, err);
}

/* What an item of a list says about itself, without what the daemon adds. */
static struct json_object *portable(struct json_object *item)
{
        static const char *const keys[] = { "name", "description", "driver", "type", "config", "devices" };
        struct json_object *o = json_object_new_object(), *v;
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (json_object_object_get_ex(item, keys[i], &v))
                        json_set_take(o, keys[i], json_object_get(v));
        return o;
}

static int dump_family(const struct family *f, struct json_object *document, struct error *err)
{
        _cleanup_json_ struct json_object *items = NULL;
        _cleanup_free_ char *path = xasprintf("%s?recursion=1", f->path);
        struct json_object *list = json_object_new_array();
        int r = daemon_call("GET", path, NULL, &items, err);
        for (size_t i = 0; r >= 0 && i < json_object_array_length(items); i++) {
                struct json_object *item = json_object_array_get_idx(items, i);
                if (json_get_bool(item, "managed", true))
                        json_object_array_add(list, portable(item));
        }
        json_set_take(document, f->key, list);
        return r;
}

static int init_dump(struct error *err)
{
        _cleanup_json_ struct json_object *document = json_object_new_object(), *server = NULL;
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        int r = daemon_call("GET", "/1.0", NULL, &server, err);
        if (r < 0)
                return r;
        json_set_take(document, "config", json_object_get(json_get_object(server, "config")));
        for (size_t i = 0; i < ARRAY_SIZE(families) && r >= 0; i++)
                r = dump_family(&families[i], document, err);
        if (r >= 0)
                r = yaml_write(document, &text, err);
        if (r >= 0)
                fputs(strbuf_str(&text), stdout);
        return r;
}

static int usage(FILE *to)
{
        fputs("Usage: lightd init --auto | --minimal | --preseed | --dump\n\n"
              "  --auto      make pool \"" POOL "\", bridge \"" BRIDGE "\" and the default profile's devices\n"
              "  --minimal   the same\n"
              "  --preseed   do what the YAML document on standard input says\n"
              "  --dump      print such a document of what there is\n\n"
              "Example: lightd init --auto && lightc launch debian:12 c1\n",
              to);
        return to == stderr ? 2 : 0;
}

int command_init(int argc, char **argv)
{
        static const struct option options[] = { { "auto", no_argument, NULL, 'a' },    { "minimal", no_argument, NULL, 'a' },
                                                 { "preseed", no_argument, NULL, 'p' }, { "dump", no_argument, NULL, 'd' },
                                                 { "help", no_argument, NULL, 'h' },    { 0 } };
        _cleanup_error_ struct error err = ERROR_INIT;
        int c = getopt_long(argc, argv, "h", options, NULL);
        if (c == 'h')
                return usage(stdout);
        if (optind != argc)
                return usage(stderr);
        int r = c == 'a' ? init_auto(&err) : c == 'p' ? init_preseed(&err) : c == 'd' ? init_dump(&err) : 1;
        if (r == 1)
                return usage(stderr);
        return r < 0 ? command_failed(&err) : 0;
}
