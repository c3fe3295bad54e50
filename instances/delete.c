/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleting: the three objects go in one commit, and that is the deletion. What is on disk follows; a crash in between
 * leaves a volume no object names, which start-up removes. The number stays taken until the volume is in the trash.
 */
#include "instances/delete.h"
#include "instances/guest-access.h"
#include "base/alloc.h"
#include "base/log.h"
#include "storage-pools/layer.h"

struct delete {
        struct instance *instance;
        char *pool;
        power_done_fn done;
        void *data;
};

static void delete_free(struct delete *d)
{
        free(d->pool);
        free(d);
}

/* ---- what is on disk ---- */

struct drop {
        struct instance *instance;
        char *pool;
};

static void on_trashed(void *data, int r, struct error *err)
{
        struct drop *d = data;
        struct instance *i = d->instance;
        layers_collect(i->server);
        if (r < 0) /* the number stays taken: who got it next would begin with these files */
                log_error("removing the volume of instance \"%s\": %s", i->name, error_message(err));
        else
                instance_unreserve(i);
        free(d->pool);
        free(d);
}

static void trash_volume(void *data)
{
        struct drop *d = data;
        struct object *pool = object_find(d->instance->server, &storage_pool_kind, "", d->pool);
        if (pool)
                volume_delete(d->instance->server, pool, d->instance->num, on_trashed, d);
        else
                on_trashed(d, 0, NULL);
}

void instance_drop(struct instance *i, const char *pool)
{
        struct drop *d = xnew(struct drop);
        d->instance = i;
        d->pool = xstrdup(pool);
        instance_forget(i);
        instance_when_clean(i, trash_volume, d);
}

/* ---- the objects ---- */

static void on_deleted(void *data, int r, struct error *err)
{
        struct delete *d = data;
        if (r >= 0) {
                instance_event(d->instance, NULL, "instance-deleted", NULL);
                instance_logs_remove(d->instance);
                instance_drop(d->instance, d->pool);
        }
        d->done(d->data, r, err);
        delete_free(d);
}

void instance_delete(struct instance *i, power_done_fn done, void *data)
{
        struct delete *d = xnew(struct delete);
        d->instance = i;
        d->pool = xstrdup(instance_body(i)->pool);
        d->done = done;
        d->data = data;
        instance_forget_nics(i);
        struct change *c = change_new(i->server);
        change_delete(c, &instance_kind, i->project, i->name, OBJECT_REV_ANY);
        change_delete(c, &instance_volatile_kind, i->project, i->name, OBJECT_REV_ANY);
        change_delete(c, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY);
        change_commit(c, on_deleted, d);
}

static void on_ephemeral_deleted(void *data _unused_, int r, struct error *err)
{
        if (r < 0)
                log_error("deleting an ephemeral instance that has ended: %s", error_message(err));
}

void instance_delete_ephemeral(struct instance *i)
{
        instance_claim(i, "delete", NULL, NULL);
        instance_delete(i, on_ephemeral_deleted, NULL);
}
