/* SPDX-License-Identifier: Apache-2.0 */
/* Layer objects, and the work of making one. At most one piece of work on a layer at a time. */
#include "storage-pools/internal.h"
#include "storage-pools/layer-task.h"
#include "storage-pools/unpack.h"
#include "base/alloc.h"
#include "base/time.h"

#include <stdlib.h>

static const struct field layer_fields[] = {
        FIELD(layer, pool, "pool", FIELD_STRING, 0),
        FIELD(layer, fingerprint, "fingerprint", FIELD_STRING, 0),
        FIELD(layer, form, "form", FIELD_STRING, 0),
        FIELD(layer, size, "size", FIELD_INT, 0),
        FIELD(layer, created_at, "created_at", FIELD_TIME, 0),
        {},
};
static const struct type layer_type = { "layer", sizeof(struct layer), layer_fields };
const struct object_kind layer_kind = { .name = "layer", .title = "Layer", .type = &layer_type, .schema = 1 };

static struct list tasks;
static bool can_mount;

void layers_reset(void)
{
        list_init(&tasks);
        can_mount = false;
}

void layers_set_mountable(bool is_mountable)
{
        can_mount = is_mountable;
}

bool kernel_can_map_squashfs(const char *release)
{
        char *rest;
        long major = strtol(release, &rest, 10), minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
        return major > 6 || (major == 6 && minor >= 2);
}

char *layer_object_name(const char *pool, const char *fingerprint)
{
        return xasprintf("%s/%s", pool, fingerprint);
}

char *layer_file_name(const char *fingerprint, const char *form)
{
        return xasprintf("%s%s", fingerprint, streq(form, LAYER_SQUASHFS) ? ".squashfs" : "");
}

struct object *layer_find(struct server *s, const char *pool, const char *fingerprint)
{
        _cleanup_free_ char *name = layer_object_name(pool, fingerprint);
        return object_find(s, &layer_kind, "", name);
}

bool layer_exists(struct server *s, const char *pool, const char *fingerprint)
{
        return layer_find(s, pool, fingerprint) != NULL;
}

struct layer_task *layer_task_find(const char *pool, const char *fingerprint)
{
        struct layer_task *t;
        list_for_each (t, &tasks, node)
                if (streq(t->pool, pool) && streq(t->fingerprint, fingerprint))
                        return t;
        return NULL;
}

bool layer_is_busy(const char *pool)
{
        struct layer_task *t;
        list_for_each (t, &tasks, node)
                if (streq(t->pool, pool))
                        return true;
        return false;
}

struct layer_task *layer_task_new(struct server *s, const struct object *pool, const char *fingerprint)
{
        struct layer_task *t = xnew(struct layer_task);
        t->server = s;
        t->pool = xstrdup(pool->name);
        t->fingerprint = xstrdup(fingerprint);
        t->refs = 1;
        list_init(&t->waiters);
        list_append(&tasks, &t->node);
        return t;
}

static void task_unref(struct layer_task *t)
{
        if (--t->refs)
                return;
        image_files_done(&t->image);
        type_free(&layer_type, t->removed);
        free(t->pool);
        free(t->fingerprint);
        free(t->form);
        free(t);
}

static void answer(struct layer_waiter *w, int r, const struct error *err)
{
        _cleanup_error_ struct error copy = ERROR_INIT;
        if (r < 0)
                error_copy(&copy, err);
        list_remove(&w->node);
        w->done(w->data, r, &copy);
        free(w);
}

void layer_task_end(struct layer_task *t, int r, const struct error *err)
{
        struct layer_waiter *w;
        list_remove(&t->node); /* first: a waiter may ask for the same layer again */
        list_for_each (w, &t->waiters, node)
                answer(w, r, err);
        task_unref(t);
}

/* The pool cannot be deleted while a task is on it, so it is there. */
static struct object *pool_of(const struct layer_task *t)
{
        return object_find(t->server, &storage_pool_kind, "", t->pool);
}

static char *final_path(const struct layer_task *t)
{
        _cleanup_free_ char *dir = storage_pool_part(pool_of(t), "layers");
        _cleanup_free_ char *name = layer_file_name(t->fingerprint, t->form);
        return xasprintf("%s/%s", dir, name);
}

/* Files without an object: what a crash or a failed commit left. They go out of the way at once. */
static void drop_files(const struct layer_task *t)
{
        _cleanup_free_ char *path = final_path(t), *to = trash_path(pool_of(t), t->fingerprint);
        struct json_object *args = args_with_path(path);
        json_set_string(args, "to", to);
        job_start_forgotten(t->server, "volume-trash", args);
}

static void on_stored(void *data, int r, struct error *err)
{
        struct layer_task *t = data;
        if (r < 0)
                drop_files(t);
        layer_task_end(t, r, err);
}

static void store(struct layer_task *t, struct json_object *result)
{
        struct layer *l = type_new(&layer_type);
        struct change *c = change_new(t->server);
        _cleanup_free_ char *name = layer_object_name(t->pool, t->fingerprint);
        l->pool = xstrdup(t->pool);
        l->fingerprint = xstrdup(t->fingerprint);
        l->form = xstrdup(t->form);
        l->size = json_get_int(result, "bytes", 0);
        l->created_at = time_now_ns();
        change_put(c, &layer_kind, "", name, OBJECT_REV_NEW, l);
        change_commit(c, on_stored, t);
}

static void begin(struct layer_task *t);

static void on_out_of_the_way(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct layer_task *t = data;
        t->job = NULL;
        if (r < 0)
                layer_task_end(t, r, err);
        else
                begin(t);
}

void layer_task_run(struct layer_task *t, const struct job_spec *spec, job_done_fn done)
{
        t->refs++;
        struct job *job = job_start(t->server, spec, done, t);
        if (job)
                t->job = job;
        task_unref(t);
}

/* A name that is taken though no object has it: once, the leftover is moved away. */
static void retry_without_leftover(struct layer_task *t)
{
        _cleanup_free_ char *path = final_path(t), *to = trash_path(pool_of(t), t->fingerprint);
        struct job_spec spec = JOB_SPEC_INIT;
        t->has_retried = true;
        spec.program = "lightrun";
        spec.name = "volume-trash";
        spec.take_args = args_with_path(path);
        json_set_string(spec.take_args, "to", to);
        layer_task_run(t, &spec, on_out_of_the_way);
}

static void on_made(void *data, int r, struct json_object *result, struct error *err)
{
        struct layer_task *t = data;
        t->job = NULL;
        t->unpack = NULL;
        if (r < 0 && err->code == ERR_EXISTS && !t->has_retried)
                retry_without_leftover(t);
        else if (r < 0 && err->code == ERR_CANCELLED && !list_is_empty(&t->waiters))
                begin(t); /* asked for again after the last one had given up */
        else if (r < 0)
                layer_task_end(t, r, err);
        else
                store(t, result);
}

static void on_progress(void *data, const char *stage, int percent)
{
        struct layer_task *t = data;
        struct layer_waiter *w;
        list_for_each (w, &t->waiters, node)
                if (w->op)
                        operation_progress(w->op, stage, percent, NULL);
}

static void on_job_progress(void *data, const char *stage, int percent, int64_t bytes _unused_)
{
        on_progress(data, stage, percent);
}

static void import(struct layer_task *t)
{
        _cleanup_free_ char *target = final_path(t);
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = "layer-import";
        spec.take_args = json_object_new_object();
        spec.progress = on_job_progress;
        json_set_string(spec.take_args, "file", t->image.rootfs_path);
        json_set_string(spec.take_args, "target", target);
        layer_task_run(t, &spec, on_made);
}

static void unpack(struct layer_task *t)
{
        _cleanup_free_ char *dir = storage_pool_part(pool_of(t), "layers"), *final = final_path(t);
        /* By the name ext4 chooses the part of the disk: another one than that of the same layer, deleted a moment ago. */
        _cleanup_free_ char *temporary = xasprintf("%s/.%s.%llx", dir, t->fingerprint, (unsigned long long)time_now_ns());
        const struct unpack_spec spec = {
                .files = &t->image, .temporary = temporary, .inner = "", .final = final,
                .progress = on_progress, .done = on_made, .data = t,
        };
        t->refs++;
        struct unpack *u = unpack_start(t->server, &spec);
        if (u)
                t->unpack = u;
        task_unref(t);
}

/* The kernel's squashfs parser only sees what somebody we trust has made. */
static void begin(struct layer_task *t)
{
        bool is_mounted = can_mount && t->image.may_mount_squashfs && streq(t->image.format, "squashfs") &&
                          !str_empty(t->image.rootfs_path);
        free(t->form);
        t->form = xstrdup(is_mounted ? LAYER_SQUASHFS : LAYER_DIRECTORY);
        if (is_mounted)
                import(t);
        else
                unpack(t);
}

static void begin_later(void *data, int r _unused_, struct error *err _unused_)
{
        begin(data);
}

/* After a removal: whoever asked for the layer meanwhile gets it made anew. */
void layer_task_restart(struct layer_task *t)
{
        t->is_removal = false;
        if (list_is_empty(&t->waiters))
                layer_task_end(t, 0, NULL);
        else
                begin(t);
}

static void add_waiter(struct layer_task *t, struct operation *op, storage_done_fn done, void *data)
{
        struct layer_waiter *w = xnew(struct layer_waiter);
        w->op = op;
        w->done = done;
        w->data = data;
        list_append(&t->waiters, &w->node);
}

void layer_ensure(struct server *s, const struct object *pool, const struct image_files *image, struct operation *op,
                  storage_done_fn done, void *data)
{
        struct layer_task *t = layer_task_find(pool->name, image->fingerprint);
        bool is_new = !t;
        if (!t && layer_exists(s, pool->name, image->fingerprint)) {
                done_later(s, done, data, ERR_NONE, NULL);
                return;
        }
        if (is_new)
                t = layer_task_new(s, pool, image->fingerprint);
        if (!t->image.fingerprint)
                image_files_copy(&t->image, image);
        add_waiter(t, op, done, data);
        if (is_new)
                done_later(s, begin_later, t, ERR_NONE, NULL);
}

void layer_cancel(struct server *s, void *data)
{
        struct layer_task *t;
        struct layer_waiter *w;
        list_for_each (t, &tasks, node)
                list_for_each (w, &t->waiters, node) {
                        if (w->data != data)
                                continue;
                        done_later(s, w->done, w->data, ERR_CANCELLED, "Cancelled");
                        list_remove(&w->node);
                        free(w);
                        if (list_is_empty(&t->waiters) && t->unpack)
                                unpack_cancel(t->unpack);
                        else if (list_is_empty(&t->waiters) && t->job && !t->is_removal)
                                job_cancel(t->job);
                        return;
                }
}
