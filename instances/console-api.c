/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST, GET and DELETE /1.0/instances/{name}/console: the monitor holds the terminal and its ring; here its
 * stream is brought to a websocket. What a stopped instance said last is in its log.
 */
#include "instances/control.h"
#include "instances/guest-access.h"
#include "instances/logs.h"
#include "instances/monitor-link.h"
#include "api/guest-access.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "server/relay.h"

#include <unistd.h>

#define CONNECT_TIMEOUT_MS 30000

struct session {
        struct server *server;
        struct request *req; /* until the monitor has answered */
        struct operation *op;
        char *project, *name;
        uint32_t num;
        struct relay *relay;
        struct control *control;
        uint64_t timer;
};

static void session_free(struct session *s)
{
        timer_cancel(s->server, s->timer);
        relay_free(s->relay);
        control_free(s->control);
        free(s->project);
        free(s->name);
        free(s);
}

/* Freeing the relay closes the stream, which is how the monitor learns that the viewer has left. */
static void finish(struct session *s, enum error_code code, const char *sentence)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct operation *op = s->op;
        session_free(s);
        if (code == ERR_NONE) {
                operation_succeed(op, NULL);
        } else {
                error_set(&err, code, "%s", sentence);
                operation_fail(op, &err);
        }
}

static void on_changed(void *data)
{
        struct session *s = data;
        if (relay_is_over(s->relay))
                finish(s, ERR_NONE, NULL);
}

static void on_cancel(struct operation *op _unused_, void *data)
{
        finish(data, ERR_CANCELLED, "The console was closed");
}

static void on_connect_timeout(void *data)
{
        struct session *s = data;
        s->timer = 0;
        finish(s, ERR_TIMEOUT, "The client did not connect to the console's websocket");
}

static struct json_object *console_command(const char *command, int64_t width, int64_t height)
{
        struct json_object *o = json_object_new_object();
        json_set_string(o, "command", command);
        if (width > 0 && height > 0) {
                json_set_int(o, "width", width);
                json_set_int(o, "height", height);
        }
        return o;
}

static void on_message(void *data, struct json_object *o)
{
        struct session *s = data;
        uint16_t width, height;
        struct instance *i = instance_find_num(s->server, s->num);
        if (i && i->link && control_window_size(o, &width, &height))
                monitor_link_request(i->link, MONITOR_CONSOLE, console_command("resize", width, height), NULL,
                                     NULL);
}

/* How LXD's client detaches. */
static void on_control_gone(void *data)
{
        finish(data, ERR_NONE, NULL);
}

static const struct control_events control_events = { .message = on_message, .gone = on_control_gone };

static void on_connected(struct operation *op, const char *name, struct ws *ws, void *ws_data)
{
        struct session *s = operation_data(op);
        if (streq(name, "control")) {
                control_set_ws(ws_data, ws);
                return;
        }
        timer_cancel(s->server, s->timer);
        s->timer = 0;
        relay_set_ws(ws_data, ws);
}

static void begin(struct session *s, int take_fd)
{
        struct operation_spec spec = { .class = OPERATION_WEBSOCKET,
                                       .description = "Showing console",
                                       .project = s->project,
                                       INSTANCE_RESOURCE(s->name),
                                       .cancel = on_cancel,
                                       .data = s };
        s->op = operation_new(s->server, s->req, &spec);
        s->relay = relay_new(s->server, RELAY_IN | RELAY_OUT, on_changed, s);
        s->control = control_new(&control_events, s);
        relay_set_fd(s->relay, take_fd);
        operation_add_websocket(s->op, "0", &relay_ws_handler, s->relay, on_connected);
        operation_add_websocket(s->op, "control", &control_ws_handler, s->control, on_connected);
        s->timer = timer_start(s->server, CONNECT_TIMEOUT_MS, on_connect_timeout, s);
        reply_operation(TAKE_PTR(s->req), s->op);
}

static void on_attached(void *data, int r, struct json_object *body _unused_, int *fd,
                        const struct error *err)
{
        struct session *s = data;
        if (r >= 0 && *fd >= 0) {
                begin(s, TAKE_FD(*fd));
                return;
        }
        if (r < 0)
                reply_error(s->req, err);
        else
                reply_errorf(s->req, ERR_INTERNAL, "The monitor of instance \"%s\" gave no console", s->name);
        session_free(s);
}

static int read_post(struct request *req, struct instance *i, struct instance_console_post *p,
                     struct error *err)
{
        int r = req->body ? request_decode(req, &instance_console_post_type, TYPE_REPLACE, p, err) : 0;
        if (r < 0)
                return r;
        if (!str_empty(p->type) && !streq(p->type, "console"))
                return error_set(err, ERR_BAD_REQUEST, "Containers have no \"%s\" console, only \"console\"",
                                 p->type);
        if (p->width < 0 || p->width > UINT16_MAX || p->height < 0 || p->height > UINT16_MAX)
                return error_set(err, ERR_BAD_REQUEST,
                                 "\"width\" and \"height\" must be numbers from 0 to %d", UINT16_MAX);
        return instance_check_running(i, err);
}

static void post_console(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct instance_console_post p = { 0 };
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        if (read_post(req, i, &p, &err) < 0) {
                reply_error(req, &err);
        } else {
                struct session *s = xnew(struct session);
                s->server = req->server;
                s->req = req;
                s->num = i->num;
                s->project = xstrdup(i->project);
                s->name = xstrdup(i->name);
                instance_event(i, req, "instance-console", NULL);
                monitor_link_request(i->link, MONITOR_CONSOLE, console_command("attach", p.width, p.height),
                                     on_attached, s);
        }
        type_done(&instance_console_post_type, &p);
}

/* ---- what it has shown ---- */

static void on_ring(void *data, int r, struct json_object *body _unused_, int *fd, const struct error *err)
{
        struct request *req = data;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (r >= 0)
                r = *fd < 0 ? 0 : fd_read_to_end(*fd, &b, MONITOR_RING_BYTES); /* memory: it does not wait */
        if (r < 0 && err->code)
                reply_error(req, err);
        else if (r < 0)
                reply_errorf(req, ERR_INTERNAL, "The console's ring cannot be read: %s", strerror(-r));
        else
                reply_raw(req, "application/octet-stream", strbuf_str(&b), b.len);
}

static void get_console(struct request *req)
{
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        instance_event(i, req, "instance-console-retrieved", NULL);
        if (i->link)
                monitor_link_request(i->link, MONITOR_CONSOLE, console_command("log", 0, 0), on_ring, req);
        else
                log_reply(req, i, CONSOLE_LOG);
}

static void on_cleared(void *data, int r, struct json_object *body _unused_, int *fd _unused_,
                       const struct error *err)
{
        struct request *req = data;
        if (r < 0)
                reply_error(req, err);
        else
                reply_empty(req);
}

static void delete_console(struct request *req)
{
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        instance_event(i, req, "instance-console-reset", NULL);
        if (i->link)
                monitor_link_request(i->link, MONITOR_CONSOLE, console_command("clear", 0, 0), on_cleared,
                                     req);
        else
                log_delete(req, i, CONSOLE_LOG);
}

const struct route instance_console_routes[] = {
        { METHOD_POST, "/1.0/instances/{name}/console", post_console, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY,
          "Attach to the console." },
        { METHOD_GET, "/1.0/instances/{name}/console", get_console, PERM_VIEW, ROUTE_PROJECT,
          "What the console has shown." },
        { METHOD_DELETE, "/1.0/instances/{name}/console", delete_console, PERM_EDIT, ROUTE_PROJECT,
          "Forget what the console has shown." },
        { 0 },
};
