/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/devices.h"
#include "base/alloc.h"
#include "base/names.h"
#include "config/key.h"
#include "networks/nic.h"
#include "storage-pools/pool.h"

struct device_type {
        const char *name;
        int (*check)(struct server *s, const char *project, const char *name, const struct strmap *keys,
                     struct error *err);
};

static int unknown_key(const char *type, const char *key, struct error *err)
{
        return error_set(err, ERR_BAD_REQUEST, "A device of type \"%s\" has no key \"%s\" in this release", type, key);
}

static bool is_root(const struct strmap *keys)
{
        return streq(strmap_get(keys, "type"), "disk") && streq(strmap_get(keys, "path"), "/");
}

static int check_disk(struct server *s, const char *project _unused_, const char *name, const struct strmap *keys,
                      struct error *err)
{
        static const char *const known[] = { "type", "path", "pool" };
        struct object *pool;
        for (size_t i = 0; i < keys->n; i++) {
                bool is_known = false;
                for (size_t k = 0; k < ARRAY_SIZE(known); k++)
                        is_known |= streq(keys->items[i].key, known[k]);
                if (!is_known && !str_starts(keys->items[i].key, "user."))
                        return unknown_key("disk", keys->items[i].key, err);
        }
        if (!is_root(keys))
                return error_set(err, ERR_UNSUPPORTED, "Device \"%s\": only the root disk (path=/) is there in this release",
                                 name);
        const char *pool_name = strmap_get(keys, "pool");
        if (str_empty(pool_name))
                return error_set(err, ERR_BAD_REQUEST, "Device \"%s\": the root disk needs \"pool\"", name);
        return storage_pool_get(s, pool_name, &pool, err);
}

static int check_nic(struct server *s, const char *project, const char *name, const struct strmap *keys,
                     struct error *err)
{
        return nic_check(s, project, name, keys, err);
}

static int check_none(struct server *s _unused_, const char *project _unused_, const char *name _unused_,
                      const struct strmap *keys, struct error *err)
{
        for (size_t i = 0; i < keys->n; i++)
                if (!streq(keys->items[i].key, "type"))
                        return unknown_key("none", keys->items[i].key, err);
        return 0;
}

static const struct device_type types[] = {
        { "disk", check_disk },
        { "nic", check_nic },
        { "none", check_none },
};

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
                        return types[i].check(s, project, d->name, &d->keys, err);
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
