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

struct server_cleanup {
        struct server_cleanup *next;
        void (*fn)(void *data);
        void *data;
};

void server_on_free(struct server *s, void (*fn)(void *data), void *data)
{
        struct server_cleanup *c = xnew(struct server_cleanup);
        *c = (struct server_cleanup){ s->cleanups, fn, data };
        s->cleanups = c;
}

void server_free(struct server *s)
{
        if (!s)
                return;
        for (struct server_cleanup *c; (c = s->cleanups);) {
                s->cleanups = c->next;
                c->fn(c->data);
                free(c);
        }
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
