/* SPDX-License-Identifier: Apache-2.0 */
#include "images/image-ops.h"
#include "images/turn.h"
#include "images/use.h"
#include "base/alloc.h"
#include "config/key.h"
#include "server/event.h"
#include "server/job.h"

#define TRIES_MAX 10 /* somebody adds aliases as fast as they are deleted */

int image_update(struct server *s, struct change *c, const struct object *o, struct image *take_next, struct error *err)
{
        if (!take_next->profiles.n && take_next->profiles.is_null)
                strlist_add(&take_next->profiles, "default");
        config_drop_empty(&take_next->properties);
        int r = image_check(take_next, err);
        if (r >= 0)
                r = image_check_profiles(s, o->project, take_next, err);
        if (r < 0) {
                type_free(&image_type, take_next);
                return r;
        }
        change_put(c, &image_kind, o->project, o->name, o->rev, take_next);
        return 0;
}

struct deletion {
        struct server *server;
        char *project, *fingerprint;
        struct operation *op;
        struct turn turn;
        unsigned tries;
};

static void deletion_end(struct deletion *d)
{
        turn_end(&d->turn);
        free(d->project);
        free(d->fingerprint);
        free(d);
}

static void on_files_removed(void *data, int r _unused_, struct json_object *result _unused_,
                             struct error *err _unused_)
{
        deletion_end(data); /* what stayed has no object: the next start removes it */
}

static void remove_files(struct deletion *d)
{
        struct job_spec spec = JOB_SPEC_INIT;
        struct json_object *paths = json_object_new_array();
        _cleanup_free_ char *meta = image_file(d->server, d->fingerprint, false);
        _cleanup_free_ char *rootfs = image_file(d->server, d->fingerprint, true);
        json_array_add_string(paths, meta);
        json_array_add_string(paths, rootfs);
        spec.program = "lightrun";
        spec.name = "image-remove";
        spec.take_args = json_object_new_object();
        json_set_take(spec.take_args, "paths", paths);
        job_start(d->server, &spec, on_files_removed, d);
}

static void delete_now(void *data);

static void on_deleted(void *data, int r, struct error *err)
{
        struct deletion *d = data;
        if (r < 0 && (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND) && d->tries++ < TRIES_MAX) {
                delete_now(d);
                return;
        }
        if (r < 0) {
                operation_fail(d->op, err);
                deletion_end(d);
                return;
        }
        _cleanup_free_ char *url = image_url(d->fingerprint);
        event_lifecycle_by(d->server, operation_who(d->op), "image-deleted", d->project, url, NULL);
        operation_succeed(d->op, NULL);
        if (image_is_stored(d->server, d->fingerprint))
                deletion_end(d);
        else
                remove_files(d);
}

static void delete_aliases(struct server *s, struct change *c, const struct object *image)
{
        struct object **aliases;
        size_t n = object_list(s, &image_alias_kind, image->project, &aliases);
        for (size_t i = 0; i < n; i++)
                if (streq(((const struct image_alias *)aliases[i]->body)->target, image->name))
                        change_delete(c, &image_alias_kind, image->project, aliases[i]->name,
                                      aliases[i]->rev);
}

static void delete_now(void *data)
{
        struct deletion *d = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (object_get(d->server, &image_kind, d->project, d->fingerprint, &o, &err) < 0) {
                operation_fail(d->op, &err);
                deletion_end(d);
                return;
        }
        struct change *c = change_new(d->server);
        delete_aliases(d->server, c, o);
        change_delete(c, &image_use_kind, o->project, o->name, OBJECT_REV_ANY);
        change_delete(c, &image_kind, o->project, o->name, o->rev);
        change_commit(c, on_deleted, d);
}

void image_delete(struct server *s, const struct object *o, struct operation *op)
{
        struct deletion *d = xnew(struct deletion);
        d->server = s;
        d->project = xstrdup(o->project);
        d->fingerprint = xstrdup(o->name);
        d->op = op;
        turn_take(&d->turn, delete_now, d);
}
