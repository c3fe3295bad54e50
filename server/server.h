/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a resource family may ask of the daemon: objects and their commits (object.h), routes and requests (route.h,
 * request.h), operations, events, jobs, timers. One `struct server` per process; everything runs on its one loop and
 * nothing here blocks. It knows nothing of sockets: lightd/ feeds it requests and carries its answers, and API tests
 * do the same without a socket.
 */
#pragma once

#include "base/error.h"
#include "base/list.h"
#include <uv.h>

struct object_store;
struct router;
struct operations;
struct events;
struct jobs;
struct request;
struct change;
struct instances; /* of instances/ */
struct server_cleanup;

#define SERVER_IDMAP_PLACE_BITS 27
#define SERVER_IDMAP_WORKERS 65536 /* the first ids of the place: for workers that unpack and build, no container's */

struct server {
        uv_loop_t *loop;
        char *dir;       /* LIGHTD_DIR: "/var/lib/lightd" */
        char *run_dir;   /* "/run/lightd/<did>" */
        char *log_dir;   /* "/var/log/lightd" (or <dir>/logs for a directory of one's own) */
        char did[5];     /* this daemon's id: 20 bits in base 32, four characters */
        char *cgroup;    /* "lightd-<did>", relative to each hierarchy's root */
        int cgroup_fd;   /* its directory in the cgroup2 hierarchy, or -EBADF in API tests */
        int jobs_cgroup_fd;
        uint32_t idmap_base;  /* first of the 2^SERVER_IDMAP_PLACE_BITS host ids that are this daemon's */
        uint64_t started_ms;
        bool is_ready;   /* autostart has begun: GET /internal/ready answers 200 */
        bool is_stopping;

        struct object_store *objects;
        struct router *router;
        struct operations *operations;
        struct events *events;
        struct jobs *jobs;
        struct instances *instances;
        struct server_cleanup *cleanups;
};

/* Creates the parts above; the caller owns loop and strings' sources. The store is opened by object_store_open(). */
struct server *server_new(uv_loop_t *loop, const char *dir);
void server_free(struct server *s);

/* What a family keeps for this server beside its objects: fn(data) runs first thing in server_free(). */
void server_on_free(struct server *s, void (*fn)(void *data), void *data);

/* One-shot timer; the id is never 0 and never reused, cancelling a fired or unknown one is fine. */
uint64_t timer_start(struct server *s, uint64_t ms, void (*fn)(void *data), void *data);
void timer_cancel(struct server *s, uint64_t id);

/* Calls fn when the fd is readable/writable (UV_READABLE|UV_WRITABLE|UV_DISCONNECT). The fd stays the caller's. */
struct watch;
typedef void (*watch_fn)(void *data, int fd, int events);
struct watch *watch_start(struct server *s, int fd, int events, watch_fn fn, void *data);
void watch_change(struct watch *w, int events); /* 0 pauses */
void watch_stop(struct watch *w);               /* NULL is fine; safe inside its own callback */
