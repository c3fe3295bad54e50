/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/profile.h"
#include "base/alloc.h"
#include "config/key.h"
#include "projects/used-by.h"

static struct profile_hooks hooks;

void profiles_set_hooks(const struct profile_hooks *h)
{
        hooks = *h;
}

static int check(struct server *s, const char *project, struct profile *p, struct error *err)
{
        config_drop_empty(&p->config);
        int r = profile_check(p, err);
        if (r >= 0 && hooks.check_devices)
                r = hooks.check_devices(s, project, &p->devices, err);
        return r;
}

int profile_get(struct server *s, const char *project, const char *name, struct object **ret, struct error *err)
{
        return object_get(s, &profile_kind, project, name, ret, err);
}

int profile_create(struct server *s, struct change *c, const char *project, void *take_body, struct error *err)
{
        struct profile *take_p = take_body;
        int r = check(s, project, take_p, err);
        if (r < 0) {
                type_free(&profile_type, take_p);
                return r;
        }
        change_put(c, &profile_kind, project, take_p->name, OBJECT_REV_NEW, take_p);
        return 0;
}

int profile_update(struct server *s, struct change *c, const struct object *o, void *take_body, struct error *err)
{
        struct profile *take_next = take_body;
        int r = check(s, o->project, take_next, err);
        if (r >= 0 && hooks.check_users)
                r = hooks.check_users(s, o, take_next, err);
        if (r < 0) {
                type_free(&profile_type, take_next);
                return r;
        }
        change_put(c, &profile_kind, o->project, o->name, o->rev, take_next);
        return 0;
}

static int refuse_default(const struct object *o, const char *what, struct error *err)
{
        if (!streq(o->name, "default"))
                return 0;
        error_set(err, ERR_FORBIDDEN, "Profile \"default\" cannot be %s", what);
        return error_object(err, o->kind->name, o->name), -EACCES;
}

int profile_rename(struct server *s, struct change *c, const struct object *o, const char *new_name,
                   struct error *err)
{
        int r = refuse_default(o, "renamed", err);
        if (r >= 0)
                r = profile_check_name(new_name, err);
        if (r < 0)
                return r;
        if (object_find(s, &profile_kind, o->project, new_name))
                return error_set(err, ERR_EXISTS, "Profile \"%s\" already exists", new_name);
        struct profile *p = type_copy(&profile_type, o->body);
        free(p->name);
        p->name = xstrdup(new_name);
        change_delete(c, &profile_kind, o->project, o->name, o->rev);
        change_put(c, &profile_kind, o->project, new_name, OBJECT_REV_NEW, p);
        if (hooks.rename_in_users)
                hooks.rename_in_users(s, c, o, new_name);
        return 0;
}

int profile_delete(struct server *s, struct change *c, const struct object *o, struct error *err)
{
        int r = refuse_default(o, "deleted", err);
        if (r >= 0)
                r = used_by_check_free(s, o, err);
        if (r >= 0)
                change_delete(c, &profile_kind, o->project, o->name, o->rev);
        return r;
}
