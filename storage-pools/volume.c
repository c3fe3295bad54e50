/* SPDX-License-Identifier: Apache-2.0 */
#include "storage-pools/volume.h"
#include "storage-pools/driver.h"
#include "storage-pools/internal.h"
#include "storage-pools/unpack.h"
#include "base/alloc.h"

static struct list tasks; /* volumes being made */
static volume_source_fn source;

void volumes_reset(void)
{
        list_init(&tasks);
        source = NULL;
}

void volumes_set_source(volume_source_fn fn)
{
        source = fn;
}

void volumes_each(struct server *s, volume_visit_fn visit, void *data)
{
        if (source)
                source(s, visit, data);
}

char *volume_path(const struct object *pool, uint32_t num)
{
        _cleanup_free_ char *dir = storage_pool_part(pool, "instances");
        return xasprintf("%s/%u", dir, num);
}

struct json_object *volume_rootfs_json(const struct object *pool, uint32_t num, const char *const *layers,
                                       size_t n_layers, bool create)
{
        _cleanup_free_ char *path = volume_path(pool, num);
        return storage_pool_driver(pool)->rootfs(path, layers, n_layers, create);
}

bool volume_is_busy(const struct object *pool)
{
        struct volume_task *t;
        list_for_each (t, &tasks, node)
                if (t->pool == pool)
                        return true;
        return false;
}

bool volume_is_made_on(const char *pool, const char *fingerprint)
{
        struct volume_task *t;
        list_for_each (t, &tasks, node)
                if (streq(t->pool->name, pool) && t->image.fingerprint && streq(t->image.fingerprint, fingerprint))
                        return true;
        return false;
}

/* The pool and the layer are busy until the owner was told and has its own commit on the way. */
static void tell_owner(void *data, int r, struct error *err)
{
        struct volume_task *t = data;
        t->done(t->data, r, err);
        list_remove(&t->node);
        image_files_done(&t->image);
        free(t);
}

void volume_task_end(struct volume_task *t, int r, struct error *err)
{
        done_later_error(t->server, tell_owner, t, r, err);
}

void volume_task_progress(void *data, const char *stage, int percent)
{
        struct volume_task *t = data;
        if (t->op)
                operation_progress(t->op, stage, percent, NULL);
}

static struct volume_task *task_new(struct server *s, struct object *pool, uint32_t num, storage_done_fn done, void *data)
{
        struct volume_task *t = xnew(struct volume_task);
        t->server = s;
        t->pool = pool;
        t->num = num;
        t->done = done;
        t->data = data;
        list_append(&tasks, &t->node);
        return t;
}

void volume_create(struct server *s, struct object *pool, uint32_t num, const struct image_files *image,
                   struct operation *op, storage_done_fn done, void *data)
{
        struct volume_task *t = task_new(s, pool, num, done, data);
        t->op = op;
        image_files_copy(&t->image, image);
        storage_pool_driver(pool)->volume_fill(t);
}

static void on_copied(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct volume_task *t = data;
        t->copy = NULL;
        volume_task_end(t, r, err);
}

void volume_copy(struct server *s, struct object *pool, uint32_t from, uint32_t num, struct operation *op,
                 storage_done_fn done, void *data)
{
        struct volume_task *t = task_new(s, pool, num, done, data);
        _cleanup_free_ char *path = volume_path(pool, from), *to = volume_path(pool, num);
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = "volume-copy";
        spec.take_args = args_with_path(path);
        spec.op = op;
        json_set_string(spec.take_args, "to", to);
        t->copy = job_start(s, &spec, on_copied, t);
}

void volume_cancel(struct server *s, void *data)
{
        struct volume_task *t;
        list_for_each (t, &tasks, node) {
                if (t->data != data)
                        continue;
                if (t->copy)
                        job_cancel(t->copy);
                else if (t->unpack)
                        unpack_cancel(t->unpack);
                else
                        layer_cancel(s, t);
                return;
        }
}

struct deletion {
        struct server *server;
        char *trash;
        storage_done_fn done;
        void *data;
};

static void on_trashed(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct deletion *d = data;
        if (r >= 0)
                job_start_forgotten(d->server, "volume-delete", args_with_path(d->trash));
        done_later_error(d->server, d->done, d->data, r, err);
        free(d->trash);
        free(d);
}

void volume_delete(struct server *s, const struct object *pool, uint32_t num, storage_done_fn done, void *data)
{
        struct deletion *d = xnew(struct deletion);
        _cleanup_free_ char *path = volume_path(pool, num), *name = xasprintf("%u", num);
        struct job_spec spec = JOB_SPEC_INIT;
        d->server = s;
        d->trash = trash_path(pool, name);
        d->done = done;
        d->data = data;
        spec.program = "lightrun";
        spec.name = "volume-trash";
        spec.take_args = args_with_path(path);
        json_set_string(spec.take_args, "to", d->trash);
        job_start(s, &spec, on_trashed, d);
}

struct measurement {
        volume_usage_fn done;
        void *data;
};

static void on_measured(void *data, int r, struct json_object *result, struct error *err)
{
        struct measurement *m = data;
        m->done(m->data, r, r < 0 ? 0 : (uint64_t)json_get_int(result, "bytes", 0), err);
        free(m);
}

void volume_usage(struct server *s, const struct object *pool, uint32_t num, volume_usage_fn done, void *data)
{
        struct measurement *m = xnew(struct measurement);
        _cleanup_free_ char *volume = volume_path(pool, num);
        _cleanup_free_ char *path = xasprintf("%s/%s", volume, storage_pool_driver(pool)->usage_part);
        struct job_spec spec = JOB_SPEC_INIT;
        m->done = done;
        m->data = data;
        spec.program = "lightrun";
        spec.name = "volume-usage";
        spec.take_args = args_with_path(path);
        job_start(s, &spec, on_measured, m);
}
