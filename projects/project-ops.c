/* SPDX-License-Identifier: Apache-2.0 */
#include "projects/project.h"
#include "base/names.h"

int project_create(struct server *s, struct change *c _unused_, const char *in, void *take_body, struct error *err)
{
        struct project *take_p = take_body;
        int r = name_check_object("project", take_p->name ? take_p->name : "", err);
        if (r >= 0 && object_find(s, &project_kind, in, take_p->name)) {
                r = error_set(err, ERR_EXISTS, "Project \"%s\" already exists", take_p->name);
        } else if (r >= 0) {
                r = error_set(err, ERR_UNSUPPORTED,
                              "Project \"%s\" cannot be made: this release has the project \"default\" only", take_p->name);
                error_hint(err, "Instances of other people can be kept apart in a daemon of their own (LIGHTD_DIR)");
        }
        type_free(&project_type, take_p);
        return r;
}

/* Everything is in "default" already: it cannot begin to share what it has. */
static int check_features(const struct object *o, const struct project *next, struct error *err)
{
        const struct project *now = o->body;
        for (size_t i = 0; i < now->config.n; i++) {
                const struct strpair *item = &now->config.items[i];
                if (str_starts(item->key, "features.") && !streq(strmap_get(&next->config, item->key), item->value))
                        return error_set(err, ERR_BAD_REQUEST, "\"%s\" of project \"%s\" cannot be changed", item->key,
                                         o->name);
        }
        return 0;
}

int project_update(struct server *s _unused_, struct change *c, const struct object *o, void *take_next,
                   struct error *err)
{
        struct project *next = take_next;
        config_drop_empty(&next->config);
        int r = config_validate(project_tables, &next->config, ON_PROJECT, err);
        if (r >= 0)
                r = check_features(o, next, err);
        if (r < 0) {
                type_free(&project_type, next);
                return r;
        }
        change_put(c, &project_kind, o->project, o->name, o->rev, next);
        return 0;
}

static int refuse_default(const struct object *o, const char *what, struct error *err)
{
        error_set(err, ERR_FORBIDDEN, "Project \"%s\" cannot be %s", o->name, what);
        return error_object(err, o->kind->name, o->name), -EACCES;
}

int project_rename(struct server *s _unused_, struct change *c _unused_, const struct object *o,
                   const char *name _unused_, struct error *err)
{
        return refuse_default(o, "renamed", err);
}

int project_delete(struct server *s _unused_, struct change *c _unused_, const struct object *o, struct error *err)
{
        return refuse_default(o, "deleted", err);
}
