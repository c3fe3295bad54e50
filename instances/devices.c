/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/devices.h"
#include "base/alloc.h"
#include "base/names.h"
#include "config/key.h"
#include "networks/nic.h"
#include "storage-pools/pool.h"

struct device_type {
        const char *name;
        config_tables keys;
        /* What the rows cannot say: the keys are known and their values of the form. May be NULL. */
        int (*check)(struct server *s, const char *project, const char *name, const struct strmap *keys,
                     struct error *err);
};

#define ROW .scope = ON_DEVICE, .update = UPDATE_ON_RESTART, .since = "0.1"
#define ONLY(word) .choices = (const char *const[]){ word, NULL }

static const struct config_key disk_keys[] = {
        KEY("path", NONE, ROW, .type = &config_type_path, .summary = "Where it is in the instance; / is the root disk"),
        KEY("pool", NONE, ROW, .type = &config_type_string, .summary = "Storage pool of the root disk"),
        KEY("type", NONE, ROW, .type = &config_type_choice, ONLY("disk"), .summary = "disk"),
        KEY("user.*", NONE, ROW, .type = &config_type_text, .summary = "Free for users"),
        {},
};
static const struct config_key none_keys[] = {
        KEY("type", NONE, ROW, .type = &config_type_choice, ONLY("none"),
            .summary = "none: the device of that name in a profile is left out"),
        {},
};
static const struct config_key *const disk_tables[] = { disk_keys, NULL };
static const struct config_key *const none_tables[] = { none_keys, NULL };

static bool is_root(const struct strmap *keys)
{
        return streq(strmap_get(keys, "type"), "disk") && streq(strmap_get(keys, "path"), "/");
}

static int check_disk(struct server *s, const char *project _unused_, const char *name, const struct strmap *keys,
                      struct error *err)
{
        struct object *pool;
        const char *pool_name = strmap_get(keys, "pool");
        if (!is_root(keys))
                return error_set(err, ERR_UNSUPPORTED, "Device \"%s\": only the root disk (path=/) is there in this release",
                                 name);
        if (str_empty(pool_name))
                return error_set(err, ERR_BAD_REQUEST, "Device \"%s\": the root disk needs \"pool\"", name);
        return storage_pool_get(s, pool_name, &pool, err);
}

static const struct device_type types[] = {
        { "disk", disk_tables, check_disk },
        { "nic", nic_tables, nic_check },
        { "none", none_tables, NULL },
};

config_tables device_type_keys(size_t i, const char **ret_name)
{
        if (i >= ARRAY_SIZE(types))
                return NULL;
        *ret_name = types[i].name;
        return types[i].keys;
}

static int check_keys(struct server *s, const char *project, const struct device_type *t, const struct device *d,
                      struct error *err)
{
        int r = config_validate(t->keys, &d->keys, ON_DEVICE, err);
        if (r < 0)
                return error_prefix(err, "Device \"%s\"", d->name);
        return t->check ? t->check(s, project, d->name, &d->keys, err) : 0;
}

static int check_one(struct server *s, const char *project, const struct device *d, struct error *err)
{
        const char *type = strmap_get(&d->keys, "type");
        int r = name_check_object("device", d->name, err);
        if (r < 0)
                return r;
        if (str_empty(type))
                return error_set(err, ERR_BAD_REQUEST, "Device \"%s\" has no \"type\"", d->name);
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (streq(types[i].name, type))
                        return check_keys(s, project, &types[i], d, err);
        _cleanup_free_ char *shown = name_printable(type);
        error_set(err, ERR_BAD_REQUEST, "Device \"%s\": type \"%s\" is not there in this release", d->name, shown);
        error_hint(err, "Types: disk, nic, none");
        return -EINVAL;
}

int devices_check(struct server *s, const char *project, const struct devices *d, struct error *err)
{
        for (size_t i = 0; i < d->n; i++) {
                int r = check_one(s, project, &d->items[i], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int devices_check_instance(struct server *s, const char *project, const struct devices *d, const char **ret_pool,
                           struct error *err)
{
        const char *root = NULL;
        int r = devices_check(s, project, d, err);
        if (r < 0)
                return r;
        *ret_pool = NULL;
        for (size_t i = 0; i < d->n; i++) {
                if (!is_root(&d->items[i].keys))
                        continue;
                if (root)
                        return error_set(err, ERR_BAD_REQUEST, "Two root disks: device \"%s\" and device \"%s\"", root,
                                         d->items[i].name);
                root = d->items[i].name;
                *ret_pool = strmap_get(&d->items[i].keys, "pool");
        }
        if (root)
                return 0;
        error_set(err, ERR_BAD_REQUEST, "No root disk: neither the instance nor its profiles have one");
        error_hint(err, "Run \"lightd init --auto\" once, or add one: -d root,type=disk,path=/,pool=default");
        return -EINVAL;
}

static void forget(const char *device, struct strmap *volatile_config)
{
        _cleanup_free_ char *prefix = xasprintf("volatile.%s.", device);
        for (size_t k = volatile_config->n; k-- > 0;)
                if (str_starts(volatile_config->items[k].key, prefix))
                        strmap_remove(volatile_config, volatile_config->items[k].key);
}

void devices_note(const struct devices *old, const struct devices *now, struct strmap *volatile_config)
{
        for (size_t i = 0; i < old->n; i++)
                if (!devices_get(now, old->items[i].name))
                        forget(old->items[i].name, volatile_config);
        for (size_t i = 0; i < now->n; i++)
                if (streq(strmap_get(&now->items[i].keys, "type"), "nic"))
                        nic_give_hwaddr(now->items[i].name, &now->items[i].keys, volatile_config);
}
