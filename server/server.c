/* SPDX-License-Identifier: Apache-2.0 */
#include "server/internal.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"

struct server *server_new(uv_loop_t *loop, const char *dir)
{
        struct server *s = xnew(struct server);
        s->loop = loop;
        s->dir = xstrdup(dir);
        s->cgroup_fd = s->jobs_cgroup_fd = -EBADF;
        s->started_ms = time_monotonic_ms();
        s->router = router_new();
        s->objects = object_store_new();
        s->operations = operations_new();
        s->events = events_new();
        s->jobs = jobs_new();
        return s;
}

void server_free(struct server *s)
{
        if (!s)
                return;
        jobs_free(s->jobs);
        operations_free(s->operations);
        events_free(s->events);
        object_store_free(s->objects);
        router_free(s->router);
        fd_close(s->cgroup_fd);
        fd_close(s->jobs_cgroup_fd);
        free(s->dir);
        free(s->run_dir);
        free(s->log_dir);
        free(s->cgroup);
        free(s);
}
