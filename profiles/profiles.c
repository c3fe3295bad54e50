/* SPDX-License-Identifier: Apache-2.0 */
/* What profiles refer to: their project, and by their devices pools and networks. */
#include "profiles/profiles.h"
#include "base/alloc.h"
#include "projects/used-by.h"

static void add_url(const struct object *profile, struct strlist *urls)
{
        _cleanup_free_ char *plain = xasprintf("/1.0/profiles/%s", profile->name);
        _cleanup_free_ char *url = url_in_project(plain, profile->project);
        strlist_add(urls, url);
}

static void in_project(struct server *s, const struct object *project, struct strlist *urls)
{
        used_by_project(s, project, &profile_kind, "/1.0/profiles", urls);
}

static bool names_device(const struct profile *p, const char *type, const char *key, const char *value)
{
        for (size_t i = 0; i < p->devices.n; i++) {
                const struct strmap *keys = &p->devices.items[i].keys;
                if (streq(strmap_get(keys, "type"), type) && streq(strmap_get(keys, key), value))
                        return true;
        }
        return false;
}

static void with_pool(struct server *s, const struct object *pool, struct strlist *urls)
{
        struct object **profiles;
        size_t n = object_list(s, &profile_kind, NULL, &profiles);
        for (size_t i = 0; i < n; i++)
                if (names_device(profiles[i]->body, "disk", "pool", pool->name))
                        add_url(profiles[i], urls);
}

static void with_network(struct server *s, const struct object *network, struct strlist *urls)
{
        struct object **profiles;
        size_t n = object_list(s, &profile_kind, NULL, &profiles);
        for (size_t i = 0; i < n; i++)
                if (names_device(profiles[i]->body, "nic", "network", network->name) ||
                    names_device(profiles[i]->body, "nic", "parent", network->name))
                        add_url(profiles[i], urls);
}

void profiles_register(struct server *s)
{
        object_kind_register(s, &profile_kind);
        router_add(s, profile_routes);
        used_by_add("project", in_project);
        used_by_add("storage-pool", with_pool);
        used_by_add("network", with_network);
}

void profiles_first_start(struct server *s _unused_, struct change *c)
{
        struct profile *p = type_new(&profile_type);
        p->name = xstrdup("default");
        p->description = xstrdup("Given to every instance that names no profile");
        change_put(c, &profile_kind, "default", "default", OBJECT_REV_NEW, p);
}
