/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stopping: by force the whole cgroup is killed at once; otherwise init is asked in the way it understands, and the
 * caller's patience decides. The ways are a table (stop-ways.c): the first that fits what init is and listens to is
 * taken; a command that is missing or fails gives way to the next one, and what came of each is in the error if none of
 * it helped.
 */
#include "instances/run.h"
#include "instances/stop-ways.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "server/job.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* An init that has just begun is looked at again until it listens: twice as late each time, at most a minute. */
#define AGAIN_MS 250
#define AGAIN_MAX_MS 60000
#define DIED_BY_SIGNAL 128 /* a shell's number: the system that goes down ends its processes */

struct stop {
        struct list node;
        struct instance *instance;
        uint64_t timeout_ms, timer;
        uint64_t serial;          /* a command inside may answer when this stop is over */
        size_t way;               /* the next to be tried */
        bool is_second_round;     /* no command helped: only signals are left, once init listens */
        uint64_t again, again_ms; /* timer of the second round, and how late it is */
        struct strbuf tried;      /* for the error */
        power_done_fn done;
        void *data;
};

static struct list stops = { &stops, &stops }; /* few at a time */

static struct stop *stop_of(struct instance *i)
{
        struct stop *st;
        list_for_each (st, &stops, node)
                if (st->instance == i)
                        return st;
        return NULL;
}

static void finish(struct stop *st, int r, struct error *err)
{
        power_done_fn done = st->done;
        void *data = st->data;
        timer_cancel(st->instance->server, st->timer);
        timer_cancel(st->instance->server, st->again);
        list_remove(&st->node);
        st->instance->is_user_stop = st->instance->is_restart = false;
        strbuf_done(&st->tried);
        free(st);
        done(data, r, err);
}

void instance_stop_ended(struct instance *i)
{
        struct stop *st = stop_of(i);
        if (st)
                finish(st, 0, NULL);
}

static void give_up(struct stop *st, struct error *err)
{
        if (st->instance->state == INSTANCE_STOPPING)
                instance_set_state(st->instance, INSTANCE_RUNNING);
        finish(st, error_errno(err->code), err);
}

static void on_timeout(void *data)
{
        struct stop *st = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        st->timer = 0;
        error_set(&err, ERR_TIMEOUT, "Instance \"%s\" did not stop in %" PRIu64 " s (%s)", st->instance->name,
                  st->timeout_ms / 1000, st->tried.len ? strbuf_str(&st->tried) : "its init does not listen yet");
        error_hint(&err, "lightc stop --force %s ends it without asking", st->instance->name);
        error_object(&err, "instance", st->instance->name);
        give_up(st, &err);
}

void instance_stop_cancel(struct instance *i)
{
        struct stop *st = stop_of(i);
        _cleanup_error_ struct error err = ERROR_INIT;
        if (!st)
                return;
        error_set(&err, ERR_CANCELLED, "Instance \"%s\" was told to stop, but nobody waits for it any more", i->name);
        give_up(st, &err);
}

/* program is filled in and init refers to it. */
static void look_at(pid_t pid, char program[static 256], struct stop_init *init)
{
        char path[64], target[256];
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
        init->listening = path_read_file(AT_FDCWD, path, KiB(16), &b) < 0 ? 0 : stop_init_listens(strbuf_str(&b));
        snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
        ssize_t n = readlink(path, target, sizeof target - 1);
        target[n < 0 ? 0 : n] = '\0';
        const char *slash = strrchr(target, '/');
        snprintf(program, 256, "%s", slash ? slash + 1 : target);
        init->program = program;
}

static void ask(struct stop *st);

static void ask_again(void *data)
{
        struct stop *st = data;
        st->again = 0;
        ask(st);
}

static void try_next(struct stop *st, const char *problem)
{
        strbuf_addf(&st->tried, ": %s", problem);
        st->way++;
        ask(st);
}

static void on_command_ran(void *data, int r, struct json_object *result, struct error *err)
{
        const uint64_t *serial = data;
        struct stop *st, *found = NULL;
        list_for_each (st, &stops, node)
                if (st->serial == *serial)
                        found = st;
        free(data);
        if (!found)
                return;
        int64_t status = r < 0 ? 0 : json_get_int(result, "return", 0);
        _cleanup_free_ char *text = xasprintf("exit status %" PRId64, status);
        if (r < 0)
                try_next(found, error_message(err));
        else if (status == 127)
                try_next(found, "not there");
        else if (status != 0 && status <= DIED_BY_SIGNAL)
                try_next(found, text);
}

static void run_inside(struct stop *st, const struct stop_way *w)
{
        struct instance *i = st->instance;
        _cleanup_free_ char *cgroup = instance_cgroup(i);
        struct json_object *args = json_object_new_object(), *command = json_object_new_array();
        struct job_spec spec = JOB_SPEC_INIT;
        uint64_t *serial = xnew(uint64_t);
        *serial = st->serial;
        for (size_t k = 0; w->command[k]; k++)
                json_array_add_string(command, w->command[k]);
        json_set_take(args, "command", command);
        json_set_string(args, "cgroup", cgroup);
        json_set_bool(args, "privileged", instance_is_privileged(i));
        json_set_bool(args, "linux32", instance_is_32bit(i));
        spec.program = "lightrun";
        spec.name = "exec";
        spec.take_args = args;
        spec.take_fds[0] = fcntl(i->pidfd, F_DUPFD_CLOEXEC, 3);
        spec.n_fds = 1;
        job_start(i->server, &spec, on_command_ran, serial);
}

/* One way at a time: a second request may cut a shutdown short that is under way ("poweroff" does, in runlevel 0). */
static void ask(struct stop *st)
{
        struct instance *i = st->instance;
        const struct stop_way *w;
        struct stop_init init;
        char program[256];
        if (i->pid <= 0) /* ended meanwhile; only the store has still to say so */
                return;
        look_at(i->pid, program, &init);
        for (; (w = stop_way_next(&init, st->is_second_round, &st->way)); st->way++) {
                strbuf_addf(&st->tried, "%s%s", st->tried.len ? ", " : "asked by ", w->text);
                if (!w->signal) {
                        run_inside(st, w);
                        return;
                }
                int r = process_signal(i->pidfd, w->signal);
                if (r >= 0 || r == -ESRCH) /* ended: its monitor will say so */
                        return;
                strbuf_addf(&st->tried, ": %s", strerror(-r));
        }
        st->way = 0;
        st->is_second_round = true;
        st->again_ms = st->again_ms ? MIN(st->again_ms * 2, AGAIN_MAX_MS) : AGAIN_MS;
        st->again = timer_start(i->server, st->again_ms, ask_again, st);
}

static int kill_all(struct instance *i)
{
        int r = instance_cgroup_write(i, "payload/cgroup.kill", "1");
        return r < 0 ? process_signal(i->pidfd, SIGKILL) : 0;
}

static void failed_to_ask(void *data)
{
        struct stop *st = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        st->timer = 0;
        error_set(&err, ERR_INTERNAL, "Instance \"%s\" could not be told to stop", st->instance->name);
        give_up(st, &err);
}

void instance_stop(struct instance *i, bool is_force, uint64_t timeout_ms, power_done_fn done, void *data)
{
        static uint64_t last_serial;
        struct stop *st = xnew(struct stop);
        st->instance = i;
        st->timeout_ms = timeout_ms;
        st->serial = ++last_serial;
        st->done = done;
        st->data = data;
        list_append(&stops, &st->node);
        i->is_user_stop = true;
        instance_set_state(i, INSTANCE_STOPPING);
        if (is_force && kill_all(i) < 0)
                st->timer = timer_start(i->server, 0, failed_to_ask, st);
        else if (!is_force && timeout_ms)
                st->timer = timer_start(i->server, timeout_ms, on_timeout, st);
        if (!is_force)
                ask(st);
}

int instance_freeze(struct instance *i, bool is_frozen, struct error *err)
{
        int r = instance_cgroup_write(i, "payload/cgroup.freeze", is_frozen ? "1" : "0");
        if (r < 0)
                return error_set_errno(err, r, "%s instance \"%s\"", is_frozen ? "Freezing" : "Unfreezing", i->name);
        instance_set_state(i, is_frozen ? INSTANCE_FROZEN : INSTANCE_RUNNING);
        return 0;
}
