/* SPDX-License-Identifier: Apache-2.0 */
#include "storage-pools/unpack.h"
#include "storage-pools/internal.h"
#include "base/alloc.h"

#define UNPACK_BYTES_MAX GiB(256) /* of one image; a bomb is noticed by lightunpack long before */

struct unpack {
        struct server *server;
        struct image_files files;
        char *temporary, *inner, *final;
        void (*progress)(void *data, const char *stage, int percent);
        job_done_fn done;
        void *data;
        struct job *job; /* the one that runs */
        struct json_object *result;
        bool is_cancelled;
        unsigned refs; /* one for the sequence, one for a start of a job that is not through yet */
};

static void unpack_unref(struct unpack *u)
{
        if (--u->refs)
                return;
        image_files_done(&u->files);
        free(u->temporary);
        free(u->inner);
        free(u->final);
        json_object_put(u->result);
        free(u);
}

static void end(struct unpack *u, int r, struct error *err)
{
        if (r < 0)
                job_start_forgotten(u->server, "volume-delete", args_with_path(u->temporary));
        u->done(u->data, r, u->result, err);
        unpack_unref(u);
}

static void on_progress(void *data, const char *stage, int percent, int64_t bytes _unused_)
{
        struct unpack *u = data;
        if (u->progress)
                u->progress(u->data, stage, percent);
}

static void run(struct unpack *u, const char *program, const char *name, struct json_object *take_args,
                job_done_fn done)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = program;
        spec.name = name;
        spec.take_args = take_args;
        spec.progress = on_progress;
        u->refs++;
        struct job *job = job_start(u->server, &spec, done, u);
        if (job)
                u->job = job; /* NULL: a test's runner, and the whole sequence may be over by now */
        unpack_unref(u);
}

/* True when the sequence goes on. */
static bool may_go_on(struct unpack *u, int r, struct error *err)
{
        u->job = NULL;
        if (r >= 0 && u->is_cancelled)
                r = error_set(err, ERR_CANCELLED, "Cancelled");
        if (r < 0)
                end(u, r, err);
        return r >= 0;
}

static void on_named(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct unpack *u = data;
        u->job = NULL;
        end(u, r, err); /* too late to be cancelled: it is all there */
}

static void on_unpacked(void *data, int r, struct json_object *result, struct error *err)
{
        struct unpack *u = data;
        if (!may_go_on(u, r, err))
                return;
        u->result = json_object_get(result);
        struct json_object *args = json_object_new_object();
        json_set_string(args, "from", u->temporary);
        json_set_string(args, "to", u->final);
        run(u, "lightrun", "layer-commit", args, on_named);
}

static struct json_object *unpack_args(const struct unpack *u)
{
        bool is_split = !str_empty(u->files.rootfs_path);
        struct json_object *args = json_object_new_object(), *range = json_object_new_object();
        _cleanup_free_ char *target = *u->inner ? xasprintf("%s/%s", u->temporary, u->inner) : xstrdup(u->temporary);
        json_set_int(range, "base", u->server->idmap_base);
        json_set_int(range, "size", SERVER_IDMAP_WORKERS);
        json_set_string(args, "archive", is_split ? u->files.rootfs_path : u->files.meta_path);
        json_set_string(args, "format", u->files.format);
        json_set_string(args, "strip", is_split ? "" : "rootfs/");
        json_set_string(args, "target", target);
        json_set_take(args, "ids", range);
        json_set_int(args, "max_bytes", (int64_t)UNPACK_BYTES_MAX);
        if (u->server->cgroup) {
                _cleanup_free_ char *group = xasprintf("%s/jobs/unpack-%.12s", u->server->cgroup, u->files.fingerprint);
                json_set_string(args, "cgroup", group);
        }
        return args;
}

static void on_begun(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct unpack *u = data;
        if (may_go_on(u, r, err))
                run(u, "lightunpack", "layer-unpack", unpack_args(u), on_unpacked);
}

struct unpack *unpack_start(struct server *s, const struct unpack_spec *spec)
{
        struct unpack *u = xnew(struct unpack);
        u->refs = 2;
        u->server = s;
        image_files_copy(&u->files, spec->files);
        u->temporary = xstrdup(spec->temporary);
        u->inner = xstrdup(spec->inner);
        u->final = xstrdup(spec->final);
        u->progress = spec->progress;
        u->done = spec->done;
        u->data = spec->data;
        struct json_object *args = args_with_path(u->temporary);
        json_set_string(args, "inner", u->inner);
        run(u, "lightrun", "layer-begin", args, on_begun);
        bool is_over = u->refs == 1;
        unpack_unref(u);
        return is_over ? NULL : u;
}

void unpack_cancel(struct unpack *u)
{
        u->is_cancelled = true;
        if (u->job)
                job_cancel(u->job);
}
