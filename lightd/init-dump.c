/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/init.h"
#include "lightd/commands.h"
#include "base/alloc.h"

/* What belongs to this server alone: its own directory of a pool, and the daemon's memory. */
static void drop_own(struct json_object *item)
{
        struct json_object *config = json_get_object(item, "config");
        if (json_has(item, "driver") && config && !json_has(config, "volatile.initial_source"))
                json_object_object_del(config, "source");
        struct json_object *kept = json_object_new_object();
        if (config) {
                json_object_object_foreach(config, key, value)
                {
                        if (!str_starts(key, "volatile."))
                                json_set_take(kept, key, json_object_get(value));
                }
        }
        json_set_take(item, "config", kept);
}

/* Absent is none; where it is to be made, absent would be "auto". */
static void say_no_address(struct json_object *item)
{
        static const char *const keys[] = { "ipv4.address", "ipv6.address" };
        struct json_object *config = json_get_object(item, "config");
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (!json_has(config, keys[i]))
                        json_set_string(config, keys[i], "none");
}

static int dump_family(const struct init_family *f, struct json_object *document, struct error *err)
{
        _cleanup_json_ struct json_object *items = NULL;
        _cleanup_free_ char *path = xasprintf("%s?recursion=1", f->path);
        struct json_object *list = json_object_new_array();
        json_set_take(document, f->key, list);
        int r = daemon_call("GET", path, NULL, &items, err);
        for (size_t i = 0; r >= 0 && i < json_object_array_length(items); i++) {
                struct json_object *item = json_object_array_get_idx(items, i);
                if (!json_get_bool(item, "managed", true))
                        continue;
                struct json_object *o = init_portable(f, item);
                drop_own(o);
                if (streq(f->key, "networks"))
                        say_no_address(o);
                json_object_array_add(list, o);
        }
        return r;
}

int init_dump(struct json_object **ret, struct error *err)
{
        _cleanup_json_ struct json_object *document = json_object_new_object(), *server = NULL;
        int r = daemon_call("GET", "/1.0", NULL, &server, err);
        if (r < 0)
                return r;
        json_set_take(document, "config", json_object_get(json_get_object(server, "config")));
        for (const struct init_family *f = init_families; f->key && r >= 0; f++)
                r = dump_family(f, document, err);
        if (r >= 0)
                *ret = TAKE_PTR(document);
        return r;
}
