/* SPDX-License-Identifier: Apache-2.0 */
/* Timers and descriptor watches on libuv: handles are freed by libuv's close callback, so each is its own allocation. */
#include "server/server.h"
#include "base/alloc.h"

#include <uthash.h>

struct timer {
        uv_timer_t handle;
        uint64_t id;
        void (*fn)(void *data);
        void *data;
        UT_hash_handle hh;
};

static struct timer *timers; /* by id; one process, one loop */
static uint64_t last_timer_id;

static void free_timer(uv_handle_t *handle)
{
        free(container_of((uv_timer_t *)handle, struct timer, handle));
}

static void drop_timer(struct timer *t)
{
        HASH_DEL(timers, t);
        uv_close((uv_handle_t *)&t->handle, free_timer);
}

static void on_timer(uv_timer_t *handle)
{
        struct timer *t = container_of(handle, struct timer, handle);
        void (*fn)(void *) = t->fn;
        void *data = t->data;
        drop_timer(t);
        fn(data);
}

uint64_t timer_start(struct server *s, uint64_t ms, void (*fn)(void *data), void *data)
{
        struct timer *t = xnew(struct timer);
        t->id = ++last_timer_id;
        t->fn = fn;
        t->data = data;
        uv_timer_init(s->loop, &t->handle);
        uv_update_time(s->loop);
        uv_timer_start(&t->handle, on_timer, ms, 0);
        HASH_ADD(hh, timers, id, sizeof t->id, t);
        return t->id;
}

void timer_cancel(struct server *s _unused_, uint64_t id)
{
        struct timer *t = NULL;
        HASH_FIND(hh, timers, &id, sizeof id, t);
        if (t)
                drop_timer(t);
}

struct watch {
        uv_poll_t handle;
        int fd;
        int events;
        watch_fn fn;
        void *data;
};

static void on_poll(uv_poll_t *handle, int status, int events)
{
        struct watch *w = container_of(handle, struct watch, handle);
        /* libuv reports EPOLLERR as a negative status: let the reader find out by reading. */
        w->fn(w->data, w->fd, status < 0 ? w->events : events);
}

struct watch *watch_start(struct server *s, int fd, int events, watch_fn fn, void *data)
{
        struct watch *w = xnew(struct watch);
        w->fd = fd;
        w->fn = fn;
        w->data = data;
        int r = uv_poll_init(s->loop, &w->handle, fd);
        if (r < 0) { /* not pollable: a bug of the caller */
                fprintf(stderr, "fatal: descriptor %d cannot be watched: %s\n", fd, uv_strerror(r));
                abort();
        }
        watch_change(w, events);
        return w;
}

void watch_change(struct watch *w, int events)
{
        if (events == w->events)
                return;
        w->events = events;
        if (events)
                uv_poll_start(&w->handle, events, on_poll);
        else
                uv_poll_stop(&w->handle);
}

static void free_watch(uv_handle_t *handle)
{
        free(container_of((uv_poll_t *)handle, struct watch, handle));
}

void watch_stop(struct watch *w)
{
        if (!w)
                return;
        uv_poll_stop(&w->handle);
        uv_close((uv_handle_t *)&w->handle, free_watch);
}
