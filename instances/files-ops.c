/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/files.h"
#include "instances/power.h"
#include "instances/run.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "server/job.h"
#include "storage-pools/layer.h"

#include <fcntl.h>

/* Descriptors of the worker, after its arguments and its answers. */
enum { FD_INIT, FD_COMMIT, _FDS };

struct file_work {
        struct server *server;
        struct instance *instance; /* valid while it is held; before that it is looked up by number */
        uint32_t num;
        char *project, *name;
        struct file_work_spec spec;
        bool is_held;
        char *pool; /* of the layers in use: their own copy, since the instance may be deleted meanwhile */
        struct strlist layers;
        struct error error;
};

static void work_free(struct file_work *w)
{
        json_object_put(w->spec.take_args);
        fd_close(w->spec.take_stdin);
        fd_close(w->spec.take_stdout);
        fd_close(w->spec.take_commit);
        strlist_done(&w->layers);
        error_done(&w->error);
        free(w->pool);
        free(w->project);
        free(w->name);
        free(w);
}

static void name_error(struct file_work *w, struct error *err)
{
        const char *path = json_get_string(w->spec.take_args, "path", "");
        if (err->code == ERR_NOT_FOUND && streq(w->spec.job, "file-put"))
                error_set(err, ERR_NOT_FOUND, "The directory for \"%s\" does not exist in instance \"%s\"",
                          path, w->name);
        else if (err->code == ERR_NOT_FOUND)
                error_set(err, ERR_NOT_FOUND, "File \"%s\" not found in instance \"%s\"", path, w->name);
        else
                error_prefix(err, "Instance \"%s\"", w->name);
}

/* Before anybody is told: the next request may be a start. */
static void let_go(struct file_work *w)
{
        if (!w->is_held)
                return;
        for (size_t k = 0; k < w->layers.n; k++)
                layer_unuse(w->server, w->pool, w->layers.items[k]);
        instance_cleaned(w->instance);
}

static void finish(struct file_work *w, int r, struct json_object *result, struct error *err)
{
        let_go(w);
        w->spec.done(w->spec.data, r, result, err);
        work_free(w);
}

static void on_done(void *data, int r, struct json_object *result, struct error *err)
{
        struct file_work *w = data;
        if (r < 0)
                name_error(w, err);
        finish(w, r, result, err);
}

static void on_answered(void *data, struct json_object *result)
{
        struct file_work *w = data;
        if (w->spec.answered)
                w->spec.answered(w->spec.data, result);
}

static void run_job(struct file_work *w, int take_pidfd)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = w->spec.job;
        spec.take_args = json_object_get(w->spec.take_args);
        spec.take_stdin = TAKE_FD(w->spec.take_stdin);
        spec.take_stdout = TAKE_FD(w->spec.take_stdout);
        spec.take_fds[FD_INIT] = take_pidfd;
        spec.take_fds[FD_COMMIT] = TAKE_FD(w->spec.take_commit);
        spec.n_fds = _FDS;
        spec.is_session = true;
        spec.answered = on_answered;
        job_start(w->server, &spec, on_done, w);
}

static void run_in_running(struct file_work *w, struct instance *i)
{
        _cleanup_free_ char *cgroup = instance_cgroup(i);
        json_set_string(w->spec.take_args, "cgroup", cgroup);
        json_set_bool(w->spec.take_args, "privileged", instance_runs_privileged(i));
        run_job(w, fcntl(i->pidfd, F_DUPFD_CLOEXEC, 3));
}

/* ---- a stopped instance ---- */

static void keep_layers(struct file_work *w)
{
        const struct instance_body *b = instance_body(w->instance);
        w->pool = xstrdup(b->pool);
        for (size_t k = 0; k < b->layers.n; k++)
                strlist_add(&w->layers, b->layers.items[k]);
}

static void on_layers_ready(void *data, int r, struct error *err)
{
        struct file_work *w = data;
        _cleanup_error_ struct error e = ERROR_INIT;
        struct instance *i = w->instance;
        if (r < 0) {
                error_prefix(err, "Instance \"%s\"", w->name);
                finish(w, r, NULL, err);
                return;
        }
        if (!instance_object(i)) {
                error_set(&e, ERR_NOT_FOUND, "Instance \"%s\" was deleted", w->name);
                finish(w, -ENOENT, NULL, &e);
                return;
        }
        keep_layers(w);
        json_set_bool(w->spec.take_args, "privileged", instance_is_privileged(i));
        r = run_plan_rootfs(i, w->spec.take_args, &e);
        if (r < 0)
                finish(w, r, NULL, &e);
        else
                run_job(w, -EBADF);
}

static void fail_later(void *data)
{
        struct file_work *w = data;
        finish(w, error_errno(w->error.code), NULL, &w->error);
}

static int check(struct file_work *w, struct instance *i)
{
        if (!i || !streq(i->name, w->name) || !instance_object(i))
                return error_set(&w->error, ERR_NOT_FOUND, "Instance \"%s\" not found", w->name);
        if (i->state == INSTANCE_FROZEN || !i->busy || instance_is_running(i))
                return 0;
        error_set(&w->error, ERR_IN_USE, "Instance \"%s\" is busy: a %s is under way", w->name, i->busy);
        return error_object(&w->error, "instance", w->name);
}

/* Also called again whenever the tree becomes free: much may have happened meanwhile. */
static void try(void *data)
{
        struct file_work *w = data;
        struct instance *i = instance_find_num(w->server, w->num);
        if (check(w, i) < 0) {
                timer_start(w->server, 0, fail_later, w);
        } else if (instance_is_running(i)) {
                run_in_running(w, i);
        } else if (i->is_cleaning) {
                instance_when_clean(i, try, w);
        } else {
                i->is_cleaning = w->is_held = true;
                w->instance = i;
                instance_use_layers(i, on_layers_ready, w);
        }
}

void file_work_start(struct instance *i, const struct file_work_spec *spec)
{
        struct file_work *w = xnew(struct file_work);
        w->server = i->server;
        w->num = i->num;
        w->project = xstrdup(i->project);
        w->name = xstrdup(i->name);
        w->spec = *spec;
        try(w);
}
