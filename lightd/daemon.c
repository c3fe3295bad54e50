/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/daemon.h"
#include "lightd/listener.h"
#include "lightd/notify.h"
#include "lightd/places.h"
#include "lightd/privileges.h"
#include "lightd/server-api.h"
#include "lightd/turns.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/time.h"
#include "images/images.h"
#include "instances/instances.h"
#include "networks/networks.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "server/event.h"
#include "server/operation.h"
#include "storage-pools/storage-pools.h"

#include <grp.h>
#include <signal.h>

#define CLOSE_TIMEOUT_MS 2000 /* for clients that do not end their connections */

struct daemon {
        struct server *server;
        struct listener *listener; /* NULL until start-up is through: who connects earlier waits in the backlog */
        int socket;
        uv_signal_t signals[2];
        uint64_t close_timer;
        bool is_closing;
};

/* The resource families: kinds and routes, and the objects a new daemon begins with. In the order of the layers. */
static const struct family {
        void (*register_all)(struct server *s);
        void (*first_start)(struct server *s, struct change *c);
} families[] = {
        { projects_register, projects_first_start },
        { profiles_register, profiles_first_start },
        { storage_pools_register, NULL },
        { networks_register, NULL },
        { images_register, NULL },
        { instances_register, NULL },
};

static struct daemon the_daemon = { .socket = -EBADF }; /* one per process */

void daemon_register(struct server *s)
{
        object_kind_register(s, &server_config_kind);
        router_add(s, server_routes);
        router_add(s, operation_routes);
        router_add(s, event_routes);
        for (size_t i = 0; i < ARRAY_SIZE(families); i++)
                families[i].register_all(s);
}

struct first_start {
        bool is_done;
        struct error *err;
        int r;
};

static void on_first_start(void *data, int r, struct error *err)
{
        struct first_start *f = data;
        f->is_done = true;
        f->r = r;
        if (r < 0)
                error_move(f->err, err);
}

/* The default project and profile are real objects; blocking is right here, nobody is connected yet. */
static int first_start(struct server *s, struct error *err)
{
        struct first_start f = { .err = err };
        if (object_find(s, &project_kind, "", "default"))
                return 0;
        struct change *c = change_new(s);
        for (size_t i = 0; i < ARRAY_SIZE(families); i++)
                if (families[i].first_start)
                        families[i].first_start(s, c);
        change_commit(c, on_first_start, &f);
        while (!f.is_done)
                uv_run(s->loop, UV_RUN_ONCE);
        return f.r;
}

static const char *default_group(void)
{
        return getgrnam("lightd") ? "lightd" : NULL;
}

/* After the host's start there is no bridge to attach a nic to until the networks are up. */
static void autostart(void *data)
{
        instances_autostart(data);
}

static void on_recovered(struct server *s, void *data)
{
        struct daemon *d = data;
        if (d->is_closing)
                return;
        d->listener = listener_new_unix(s, TAKE_FD(d->socket));
        if (!d->listener) {
                log_error("libwebsockets could not be started");
                daemon_stop(s);
                return;
        }
        s->is_ready = true;
        log_info("ready: pid=%d dir=%s id=%s ms=%llu", (int)getpid(), s->dir, s->did,
                 (unsigned long long)(time_monotonic_ms() - s->started_ms));
        notify_ready();
        networks_start(s);
        networks_on_started(s, autostart, s);
}

static void stop_loop(void *data)
{
        struct daemon *d = data;
        uv_stop(d->server->loop);
}

static void poll_close(void *data)
{
        struct daemon *d = data;
        if (d->listener && listener_connections(d->listener))
                d->close_timer = timer_start(d->server, 10, poll_close, d);
        else
                stop_loop(d);
}

void daemon_stop(struct server *s)
{
        struct daemon *d = &the_daemon;
        if (d->is_closing)
                return;
        d->is_closing = true;
        notify_stopping();
        log_info(s->is_stopping ? "stopping, as its containers were" : "stopping: containers keep running");
        s->is_stopping = true;
        if (d->listener) {
                listener_stop(d->listener);
                listener_shutdown_connections(d->listener);
        }
        timer_start(s, CLOSE_TIMEOUT_MS, stop_loop, d);
        poll_close(d);
}

static void on_signal(uv_signal_t *handle _unused_, int sig _unused_)
{
        daemon_stop(the_daemon.server);
}

static void watch_signals(struct daemon *d)
{
        static const int numbers[] = { SIGTERM, SIGINT };
        signal(SIGPIPE, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                uv_signal_init(d->server->loop, &d->signals[i]);
                uv_signal_start(&d->signals[i], on_signal, numbers[i]);
        }
}

/* What is logged is also an event of type "logging". */
static void tell_listeners(const char *level, const char *text)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        json_write_object_begin(&w);
        json_write_key_string(&w, "message", text);
        json_write_key_string(&w, "level", level);
        json_write_key(&w, "context");
        json_write_object_begin(&w);
        json_write_object_end(&w);
        json_write_object_end(&w);
        event_send(the_daemon.server, "logging", "", b.data, b.len);
}

static int open_all(struct daemon *d, const struct daemon_options *o, struct error *err)
{
        struct server *s = d->server;
        daemon_register(s);
        int r = object_store_open(s, err);
        if (r >= 0)
                r = places_prepare(s, err);
        if (r >= 0)
                r = first_start(s, err);
        if (r >= 0)
                r = places_socket(s->dir, o->group ? o->group : default_group(), &d->socket, err);
        if (r >= 0 && (r = privileges_trim()) < 0)
                error_set_errno(err, r, "Giving up the capabilities the daemon does not need");
        return r;
}

static void close_all(struct daemon *d)
{
        struct server *s = d->server;
        for (size_t i = 0; i < ARRAY_SIZE(d->signals); i++)
                uv_signal_stop(&d->signals[i]);
        listener_free(d->listener); /* turns the loop, so what was under way may still want the store */
        object_store_close(s);
        fd_reset(&d->socket);
}

int daemon_run(const struct daemon_options *o, struct error *err)
{
        struct daemon *d = &the_daemon;
        _cleanup_close_ int lock = -EBADF;
        int r = places_lock(places_dir(), &lock, err);
        if (r < 0)
                return r;
        process_prefer_self();
        r = process_raise_files();
        if (r < 0)
                return error_set_errno(err, r, "Raising the limit of open files");
        d->server = server_new(uv_default_loop(), places_dir());
        turns_watch(d->server->loop);
        r = open_all(d, o, err);
        if (r >= 0) {
                watch_signals(d);
                log_set_sink(tell_listeners);
                instances_recover(d->server, on_recovered, d);
                uv_run(d->server->loop, UV_RUN_DEFAULT);
                log_set_sink(NULL);
        }
        close_all(d);
        return r;
}
