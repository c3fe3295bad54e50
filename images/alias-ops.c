/* SPDX-License-Identifier: Apache-2.0 */
#include "images/image-ops.h"
#include "base/alloc.h"
#include "base/names.h"

/*
 * The target is written again as it is, so that its deletion at the same time and this change cannot both
 * succeed: one of the two finds another revision than it expects.
 */
static void hold_target(struct change *c, const struct object *target)
{
        change_put(c, &image_kind, target->project, target->name, target->rev,
                   type_copy(&image_type, target->body));
}

static int set_target(struct server *s, struct change *c, const char *project, struct image_alias *a,
                      struct error *err)
{
        struct object *target;
        if (str_empty(a->target))
                return error_set(err, ERR_BAD_REQUEST,
                                 "Image alias \"%s\" needs a target: an image's fingerprint", a->name);
        int r = image_resolve(s, project, a->target, &target,
                              err); /* LXD's own client sends what was typed */
        if (r < 0)
                return r;
        free(a->target);
        free(a->type);
        a->target = xstrdup(target->name);
        a->type = xstrdup(((const struct image *)target->body)->type);
        hold_target(c, target);
        return 0;
}

static int check_free(struct server *s, const char *project, const char *name, struct error *err)
{
        int r = name_check_alias(name, err);
        if (r < 0 || !object_find(s, &image_alias_kind, project, name))
                return r;
        error_set(err, ERR_EXISTS, "Image alias \"%s\" already exists", name);
        return error_object(err, image_alias_kind.name, name), -EEXIST;
}

int alias_create(struct server *s, struct change *c, const char *project, void *take_body, struct error *err)
{
        struct image_alias *take_a = take_body;
        int r = check_free(s, project, take_a->name ? take_a->name : "", err);
        if (r >= 0)
                r = set_target(s, c, project, take_a, err);
        if (r < 0) {
                type_free(&image_alias_type, take_a);
                return r;
        }
        change_put(c, &image_alias_kind, project, take_a->name, OBJECT_REV_NEW, take_a);
        return 0;
}

int alias_update(struct server *s, struct change *c, const struct object *o, void *take_body, struct error *err)
{
        struct image_alias *take_next = take_body;
        int r = set_target(s, c, o->project, take_next, err);
        if (r < 0) {
                type_free(&image_alias_type, take_next);
                return r;
        }
        change_put(c, &image_alias_kind, o->project, o->name, o->rev, take_next);
        return 0;
}

int alias_rename(struct server *s, struct change *c, const struct object *o, const char *new_name,
                 struct error *err)
{
        int r = check_free(s, o->project, new_name, err);
        if (r < 0)
                return r;
        struct image_alias *a = type_copy(&image_alias_type, o->body);
        free(a->name);
        a->name = xstrdup(new_name);
        change_delete(c, &image_alias_kind, o->project, o->name, o->rev);
        change_put(c, &image_alias_kind, o->project, new_name, OBJECT_REV_NEW, a);
        return 0;
}

int alias_delete(struct server *s _unused_, struct change *c, const struct object *o, struct error *err _unused_)
{
        change_delete(c, &image_alias_kind, o->project, o->name, o->rev);
        return 0;
}
