/* SPDX-License-Identifier: Apache-2.0 */
#include "storage-pools/internal.h"
#include "base/alloc.h"
#include "base/time.h"

#include <inttypes.h>

struct later {
        storage_done_fn done;
        void *data;
        struct error err;
};

static void call_later(void *data)
{
        struct later *l = data;
        l->done(l->data, l->err.code == ERR_NONE ? 0 : error_errno(l->err.code), &l->err);
        error_done(&l->err);
        free(l);
}

void done_later_error(struct server *s, storage_done_fn done, void *data, int r, const struct error *err)
{
        struct later *l = xnew(struct later);
        l->done = done;
        l->data = data;
        if (r < 0)
                error_copy(&l->err, err);
        timer_start(s, 0, call_later, l);
}

void done_later(struct server *s, storage_done_fn done, void *data, enum error_code code, const char *message)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        int r = code == ERR_NONE ? 0 : error_set(&err, code, "%s", message);
        done_later_error(s, done, data, r, &err);
}

char *trash_path(const struct object *pool, const char *what)
{
        _cleanup_free_ char *trash = storage_pool_part(pool, "trash");
        return xasprintf("%s/%s-%" PRId64, trash, what, time_now_ns());
}

struct json_object *args_with_path(const char *path)
{
        struct json_object *args = json_object_new_object();
        json_set_string(args, "path", path);
        return args;
}

/* What such a job leaves undone, the next start-up does. */
static void forget(void *data _unused_, int r _unused_, struct json_object *result _unused_, struct error *err _unused_)
{
}

void job_start_forgotten(struct server *s, const char *name, struct json_object *take_args)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = name;
        spec.take_args = take_args;
        job_start(s, &spec, forget, NULL);
}

void image_files_copy(struct image_files *to, const struct image_files *from)
{
        *to = *from;
        to->fingerprint = xstrdup(from->fingerprint);
        to->meta_path = xstrdup(from->meta_path);
        to->rootfs_path = xstrdup(from->rootfs_path);
        to->format = xstrdup(from->format);
}

void image_files_done(struct image_files *copy)
{
        free((char *)copy->fingerprint);
        free((char *)copy->meta_path);
        free((char *)copy->rootfs_path);
        free((char *)copy->format);
        *copy = (struct image_files){ 0 };
}
