/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start: layers mounted, "starting" written down while lightrun starts inside the container's monitor group, its
 * monitor greeted when both are through, "running" written down. The power object is the intent: what start-up finds
 * "starting" is adopted when its monitor answers and torn down when not, so the caller need not wait for the last commit.
 * What start-up finds of an instance that is "stopped" is torn down by its number: so the first commit need not be
 * waited for before lightrun begins.
 */
#include "instances/power.h"
#include "instances/live.h"
#include "instances/run.h"
#include "base/alloc.h"
#include "instances/guest-access.h"
#include "base/strbuf.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/time.h"
#include "networks/nic.h"
#include "server/job.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct start {
        struct instance *instance;
        struct operation *op;
        struct run_plan plan;
        int64_t gen;
        power_done_fn done;
        void *data;
        size_t n_under_way; /* the commit, the job */
        int result;         /* the first error of these */
        struct error err;   /* why it failed, while what was done is undone */
};

static void start_free(struct start *st)
{
        run_plan_done(&st->plan);
        error_done(&st->err);
        free(st);
}

const char *host_boot_id(void)
{
        static struct strbuf id;
        if (!id.len && path_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &id) < 0)
                return "";
        return strbuf_str(&id);
}

struct instance_power *power_next(const struct instance *i, const char *state)
{
        struct instance_power *next = type_copy(&instance_power_type, instance_power(i));
        free(next->state);
        next->state = xstrdup(state);
        return next;
}

/* Not even begun: what an earlier daemon wanted started again is not tried at every start-up. */
static void forget_restart(struct instance *i)
{
        if (!streq(instance_power(i)->state, "restarting"))
                return;
        struct change *c = change_new(i->server);
        change_put(c, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY, power_next(i, "stopped"));
        change_commit(c, NULL, NULL);
}

static void finish(struct start *st, int r, struct error *err)
{
        if (r < 0)
                forget_restart(st->instance);
        power_done_fn done = st->done;
        void *data = st->data;
        done(data, r, err);
        start_free(st);
}

/* ---- failure: everything this start made goes away, then its reason is told ---- */

static void on_undone(void *data, int r, struct error *err)
{
        struct start *st = data;
        if (r < 0)
                log_error("instance \"%s\" after a failed start: %s", st->instance->name, error_message(err));
        finish(st, error_errno(st->err.code), &st->err);
}

static void on_torn_down(void *data, int r _unused_, struct error *err _unused_)
{
        struct start *st = data;
        struct instance *i = st->instance;
        instance_unuse_layers(i);
        struct change *c = change_new(i->server);
        change_put(c, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY, power_next(i, "stopped"));
        change_commit(c, on_undone, st);
}

static void fail(struct start *st)
{
        instance_set_state(st->instance, INSTANCE_STOPPED);
        instance_tear_down(st->instance, on_torn_down, st);
}

/* ---- the steps, last one first ---- */

static void on_running_stored(void *data _unused_, int r, struct error *err)
{
        if (r < 0) /* start-up adopts it from "starting" all the same */
                log_warning("a started instance is not stored as running yet: %s", error_message(err));
}

static void store_running(struct instance *i)
{
        struct instance_power *next = power_next(i, "running");
        next->started_at = next->last_used_at = time_now_ns();
        struct change *c = change_new(i->server);
        change_put(c, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY, next);
        change_commit(c, on_running_stored, NULL);
}

#define CONSOLE_LINES_BYTES 600

/* Init ended before its monitor could be greeted: what it said is the reason a person needs. */
static void explain_early_end(struct instance *i, struct error *err)
{
        struct monitor_exit e;
        _cleanup_strbuf_ struct strbuf log = STRBUF_INIT;
        _cleanup_free_ char *dir = instance_log_dir(i);
        _cleanup_free_ char *path = xasprintf("%s/console.log", dir);
        if (instance_read_exit(i, &e) < 0)
                return;
        path_read_file(AT_FDCWD, path, MiB(1), &log);
        size_t skip = log.len > CONSOLE_LINES_BYTES ? log.len - CONSOLE_LINES_BYTES : 0;
        error_set(err, ERR_INTERNAL, "Instance \"%s\" ended as soon as it had started (exit status %d); its console says: %s",
                  i->name, e.status, log.len ? log.data + skip : "nothing");
        error_hint(err, "All of it: lightc console %s --show-log", i->name);
}

static void on_adopted(void *data, int r, struct error *err)
{
        struct start *st = data;
        if (r < 0) {
                explain_early_end(st->instance, err);
                error_move(&st->err, err);
                fail(st);
                return;
        }
        store_running(st->instance);
        finish(st, 0, NULL);
}

/* The commit or the job: the second one to end goes on, and the first error is the one that is told. */
static void step_through(struct start *st, int r, struct error *err)
{
        if (r < 0 && st->result == 0) {
                st->result = r;
                error_move(&st->err, err);
        }
        if (--st->n_under_way)
                return;
        if (st->result < 0)
                fail(st);
        else
                instance_adopt(st->instance, on_adopted, st);
}

static void on_started(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct start *st = data;
        if (r < 0)
                error_prefix(err, "Starting instance \"%s\"", st->instance->name);
        step_through(st, r, err);
}

static void on_starting_stored(void *data, int r, struct error *err)
{
        step_through(data, r, err);
}

/* <num>/{monitor,payload}: the fd of monitor, or -errno. */
static int make_cgroup(struct instance *i)
{
        char name[16];
        snprintf(name, sizeof name, "%u", i->num);
        if (mkdirat(i->server->cgroup_fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        _cleanup_close_ int group = openat(i->server->cgroup_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (group < 0)
                return -errno;
        if ((mkdirat(group, "monitor", 0755) < 0 && errno != EEXIST) ||
            (mkdirat(group, "payload", 0755) < 0 && errno != EEXIST))
                return -errno;
        int fd = openat(group, "monitor", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static void run_job(struct start *st)
{
        struct instance *i = st->instance;
        effect_point(EFFECT_CGROUP_CREATE, EFFECT_BEFORE);
        _cleanup_close_ int group = make_cgroup(i);
        effect_point(EFFECT_CGROUP_CREATE, EFFECT_AFTER);
        if (group < 0) {
                _cleanup_error_ struct error e = ERROR_INIT;
                error_set_errno(&e, group, "Making the cgroup of instance \"%s\"", i->name);
                step_through(st, group, &e);
                return;
        }
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = "start";
        spec.take_args = TAKE_PTR(st->plan.spec);
        spec.cgroup_fd = group;
        spec.is_detached = true;
        job_start(i->server, &spec, on_started, st);
}

static void store_starting(struct start *st)
{
        struct instance *i = st->instance;
        struct instance_volatile *v = type_new(&instance_volatile_type);
        struct instance_power *next = power_next(i, "starting");
        next->gen = st->gen;
        free(next->boot);
        next->boot = xstrdup(host_boot_id());
        strmap_copy(&v->config, &st->plan.volatile_config);
        struct change *c = change_new(i->server);
        change_put(c, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY, next);
        change_put(c, &instance_volatile_kind, i->project, i->name, OBJECT_REV_ANY, v);
        change_commit(c, on_starting_stored, st);
}

static void on_layers_ready(void *data, int r, struct error *err)
{
        struct start *st = data;
        if (r < 0) {
                instance_set_state(st->instance, INSTANCE_STOPPED);
                error_prefix(err, "Starting instance \"%s\"", st->instance->name);
                finish(st, r, err);
                return;
        }
        _cleanup_error_ struct error e = ERROR_INIT;
        st->gen = instance_power(st->instance)->gen + 1;
        r = run_plan_make(st->instance, st->gen, &st->plan, &e);
        if (r < 0) {
                instance_unuse_layers(st->instance);
                instance_set_state(st->instance, INSTANCE_STOPPED);
                finish(st, r, &e);
                return;
        }
        st->n_under_way = 2;
        store_starting(st);
        run_job(st);
}

static void on_clean(void *data)
{
        struct start *st = data;
        instance_set_state(st->instance, INSTANCE_STARTING);
        instance_use_layers(st->instance, on_layers_ready, st);
}

void instance_start(struct instance *i, struct operation *op, power_done_fn done, void *data)
{
        struct start *st = xnew(struct start);
        st->instance = i;
        st->op = op;
        st->done = done;
        st->data = data;
        instance_when_clean(i, on_clean, st);
}
