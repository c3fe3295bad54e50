/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of what is done inside instances: a daemon with the running instance "c1", whose "init" is the
 * test itself, and a runner that keeps each job until the test, in the worker's place, has answered it.
 */
#pragma once

#include "tests/lib/daemon.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "images/images.h"
#include "instances/instance.h"
#include "instances/instances.h"
#include "networks/networks.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "storage-pools/storage-pools.h"

#include <sys/syscall.h>
#include <unistd.h>

/* The last job that was started, seen from the worker. */
struct held_job {
        bool is_there;
        char *name;
        struct json_object *args;
        int in, out, fds[JOB_FDS_MAX]; /* descriptors 0, 1 and 5, 6, … */
        job_done_fn done;
        job_answered_fn answered;
        void *data;
};
static struct held_job held;

static void hold_job(struct server *s _unused_, const struct job_spec *spec, job_done_fn done, void *data)
{
        held.is_there = true;
        held.name = xstrdup(spec->name);
        held.args = json_object_get(spec->take_args);
        held.in = spec->take_stdin >= 0 ? dup(spec->take_stdin) : -EBADF; /* the runner closes those two */
        held.out = spec->take_stdout >= 0 ? dup(spec->take_stdout) : -EBADF;
        memcpy(held.fds, spec->take_fds, sizeof held.fds);
        held.done = done;
        held.answered = spec->answered;
        held.data = data;
}

static void held_close(void)
{
        fd_reset(&held.in);
        fd_reset(&held.out);
        for (size_t i = 0; i < JOB_FDS_MAX; i++)
                fd_reset(&held.fds[i]);
}

/* The worker's end: its descriptors close, then its answer comes. code 0: json is the result. */
static void held_end(enum error_code code, const char *json)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *result = NULL;
        _cleanup_json_ struct json_object *args = held.args;
        _cleanup_free_ char *name = held.name;
        held_close();
        held.is_there = false;
        if (code)
                error_set(&err, code, "%s", json);
        else
                ASSERT_OK(json_parse(json, strlen(json), &result, NULL));
        held.done(held.data, code ? error_errno(code) : 0, result, &err);
}

static inline void held_answers(const char *json)
{
        _cleanup_json_ struct json_object *result = NULL;
        ASSERT_OK(json_parse(json, strlen(json), &result, NULL));
        held.answered(held.data, result);
}

static void guest_put_instance(struct server *s _unused_, struct change *c)
{
        struct instance_body *b = type_new(&instance_body_type);
        b->pool = xstrdup("default");
        b->num = 1;
        strmap_set(&b->config, "environment.BOTH", "config");
        strmap_set(&b->config, "environment.CONFIG", "yes");
        change_put(c, &instance_kind, "default", "c1", OBJECT_REV_NEW, b);
}

static struct test_daemon *guest_start(void)
{
        struct test_daemon *d = test_daemon_new((family_fn *[]){ projects_register, profiles_register,
                                                                 storage_pools_register, networks_register,
                                                                 images_register, instances_register, NULL });
        router_add(d->server, operation_routes);
        test_daemon_put(d, projects_first_start);
        test_daemon_put(d, profiles_first_start);
        test_daemon_put(d, guest_put_instance);
        struct instance *i =
                instance_load(d->server, object_find(d->server, &instance_kind, "default", "c1"));
        d->server->cgroup = xstrdup("lightd-test");
        i->pid = getpid();
        i->pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        instance_set_state(i, INSTANCE_RUNNING);
        jobs_set_fake(d->server, hold_job);
        return d;
}

static void guest_end(struct test_daemon *d)
{
        instance_unreserve(instance_find(d->server, "default", "c1"));
        test_daemon_free(d);
}
