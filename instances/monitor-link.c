/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/monitor-link.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <sys/socket.h>

struct pending {
        struct list node;
        uint32_t id;
        monitor_reply_fn fn;
        void *data;
};

struct monitor_link {
        struct server *server;
        int fd;
        struct watch *watch;
        const struct monitor_events *events;
        void *data;
        struct list pending;
        uint32_t last_id;
        bool is_dead, is_closed, in_callback;
};

static void fail_pending(struct monitor_link *l)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct pending *p;
        error_set(&err, ERR_UNAVAILABLE, "The container's monitor is gone");
        list_for_each (p, &l->pending, node) {
                int no_fd = -EBADF;
                list_remove(&p->node);
                if (p->fn)
                        p->fn(p->data, -ECONNRESET, NULL, &no_fd, &err);
                free(p);
        }
}

static void link_free(struct monitor_link *l)
{
        watch_stop(l->watch);
        fd_close(l->fd);
        fail_pending(l);
        free(l);
}

void monitor_link_close(struct monitor_link *l)
{
        if (!l)
                return;
        if (l->in_callback)
                l->is_closed = true; /* freed when the callback returns */
        else
                link_free(l);
}

static void ended(struct monitor_link *l, const struct monitor_exit *e)
{
        if (l->is_dead)
                return;
        l->is_dead = true;
        watch_change(l->watch, 0);
        l->events->ended(l->data, e);
}

static void on_reply(struct monitor_link *l, const struct monitor_message *m, int *fd)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct pending *p;
        struct json_object *e = json_get_object(m->body, "error");
        int r = 0;
        if (e) {
                enum error_code code = error_code_from_reason(json_get_string(e, "reason", "internal"));
                r = error_set(&err, code, "%s", json_get_string(e, "message", "the monitor refused"));
        }
        list_for_each (p, &l->pending, node)
                if (p->id == m->id) {
                        list_remove(&p->node);
                        if (p->fn)
                                p->fn(p->data, r, m->body, fd, &err);
                        free(p);
                        return;
                }
}

static void on_message(struct monitor_link *l, const void *data, size_t n, int *fd)
{
        _cleanup_monitor_message_ struct monitor_message m = { 0 };
        struct monitor_exit e;
        if (monitor_message_decode(data, n, &m, NULL) < 0)
                ended(l, NULL);
        else if (m.is_reply)
                on_reply(l, &m, fd);
        else if (m.type == MONITOR_EXIT)
                ended(l, monitor_exit_from_json(m.body, &e) < 0 ? NULL : &e);
}

static void on_readable(void *data, int fd _unused_, int events _unused_)
{
        static char packet[MONITOR_MESSAGE_MAX];
        struct monitor_link *l = data;
        int got = -EBADF;
        size_t n_fds = 1;
        ssize_t n = fd_recv_with_fds(l->fd, packet, sizeof packet, &got, &n_fds);
        if (n == -EAGAIN)
                return;
        l->in_callback = true;
        if (n <= 0)
                ended(l, NULL);
        else
                on_message(l, packet, (size_t)n, &got);
        l->in_callback = false;
        fd_close(n > 0 && n_fds ? got : -EBADF);
        if (l->is_closed)
                link_free(l);
}

int monitor_link_open(struct server *s, const char *run_dir, const struct monitor_events *events, void *data,
                      struct monitor_link **ret)
{
        _cleanup_free_ char *path = xasprintf("%s/monitor.sock", run_dir);
        int fd = fd_unix_connect(path, SOCK_SEQPACKET);
        if (fd < 0)
                return fd;
        fd_set_nonblocking(fd, true);
        struct monitor_link *l = xnew(struct monitor_link);
        l->server = s;
        l->fd = fd;
        l->events = events;
        l->data = data;
        list_init(&l->pending);
        l->watch = watch_start(s, fd, UV_READABLE, on_readable, l);
        *ret = l;
        return 0;
}

void monitor_link_request(struct monitor_link *l, enum monitor_type type, struct json_object *take_body,
                          monitor_reply_fn fn, void *data)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct monitor_message m = { .type = type, .id = ++l->last_id,
                                     .body = take_body ? take_body : json_object_new_object() };
        struct pending *p = xnew(struct pending);
        p->id = m.id;
        p->fn = fn;
        p->data = data;
        list_append(&l->pending, &p->node);
        /* A monitor that does not read is a broken one: its loss shows at the watch, the request then fails. */
        if (monitor_message_encode(&m, &b) == 0)
                (void)!fd_send_with_fds(l->fd, b.data, b.len, NULL, 0);
        monitor_message_done(&m);
}
