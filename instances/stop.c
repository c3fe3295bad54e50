/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stopping: by force the whole cgroup is killed at once; otherwise init is asked in the way it understands, and the
 * caller's patience decides.
 */
#include "instances/run.h"
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

#define SIGNAL_BITS_HALT (UINT64_C(1) << (34 + 3 - 1)) /* the kernel's number of SIGRTMIN is 34 in glibc's view */

struct stop {
        struct list node;
        struct instance *instance;
        uint64_t timeout_ms, timer;
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
        list_remove(&st->node);
        st->instance->is_user_stop = st->instance->is_restart = false;
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
        error_set(&err, ERR_TIMEOUT, "Instance \"%s\" did not stop in %" PRIu64 " s", st->instance->name,
                  st->timeout_ms / 1000);
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

/* A mask of /proc/<pid>/status ("SigBlk"): bit n-1 is signal n. */
static uint64_t signal_mask(pid_t pid, const char *which)
{
        char path[64];
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
        if (path_read_file(AT_FDCWD, path, KiB(16), &b) < 0)
                return 0;
        const char *line = strstr(b.data, which);
        return line ? strtoull(line + strlen(which), NULL, 16) : 0;
}

static bool init_is(pid_t pid, const char *program)
{
        char path[64], target[256];
        snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n <= 0)
                return false;
        target[n] = '\0';
        const char *slash = strrchr(target, '/');
        return streq(slash ? slash + 1 : target, program);
}

static void on_shutdown_run(void *data _unused_, int r _unused_, struct json_object *result _unused_,
                            struct error *err _unused_)
{
        /* Whether it helped shows at the container's end, or at the timeout. */
}

/* sysvinit and openrc know no signal for "power off": their own command is run inside. */
static void run_shutdown(struct instance *i)
{
        static const char *const words[] = { "/sbin/shutdown", "-h", "now" };
        _cleanup_free_ char *cgroup = instance_cgroup(i);
        struct json_object *args = json_object_new_object(), *command = json_object_new_array();
        struct job_spec spec = JOB_SPEC_INIT;
        for (size_t k = 0; k < ARRAY_SIZE(words); k++)
                json_array_add_string(command, words[k]);
        json_set_take(args, "command", command);
        json_set_string(args, "cgroup", cgroup);
        json_set_bool(args, "privileged", instance_is_privileged(i));
        spec.program = "lightrun";
        spec.name = "exec";
        spec.take_args = args;
        spec.take_fds[0] = fcntl(i->pidfd, F_DUPFD_CLOEXEC, 3);
        spec.n_fds = 1;
        job_start(i->server, &spec, on_shutdown_run, NULL);
}

static int ask_init(struct instance *i)
{
        /* systemd blocks its own signals and reads them from a descriptor */
        if ((signal_mask(i->pid, "SigBlk:") | signal_mask(i->pid, "SigCgt:")) & SIGNAL_BITS_HALT)
                return process_signal(i->pidfd, SIGRTMIN + 3);
        if (init_is(i->pid, "busybox"))
                return process_signal(i->pidfd, SIGUSR2);
        if (init_is(i->pid, "init") || init_is(i->pid, "openrc-init") || init_is(i->pid, "runit-init"))
                return run_shutdown(i), 0;
        return process_signal(i->pidfd, SIGPWR);
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
        struct stop *st = xnew(struct stop);
        st->instance = i;
        st->timeout_ms = timeout_ms;
        st->done = done;
        st->data = data;
        list_append(&stops, &st->node);
        i->is_user_stop = true;
        instance_set_state(i, INSTANCE_STOPPING);
        int r = is_force ? kill_all(i) : ask_init(i);
        if (r < 0)
                st->timer = timer_start(i->server, 0, failed_to_ask, st);
        else if (!is_force && timeout_ms)
                st->timer = timer_start(i->server, timeout_ms, on_timeout, st);
}

int instance_freeze(struct instance *i, bool is_frozen, struct error *err)
{
        int r = instance_cgroup_write(i, "payload/cgroup.freeze", is_frozen ? "1" : "0");
        if (r < 0)
                return error_set_errno(err, r, "%s instance \"%s\"", is_frozen ? "Freezing" : "Unfreezing", i->name);
        instance_set_state(i, is_frozen ? INSTANCE_FROZEN : INSTANCE_RUNNING);
        return 0;
}
