/* SPDX-License-Identifier: Apache-2.0 */
#include "server/event.h"
#include "server/internal.h"
#include "server/websocket.h"
#include "base/alloc.h"
#include "base/time.h"

#define QUEUE_MAX MiB(1)

static const char *const type_names[] = { "operation", "lifecycle", "logging" };

struct listener {
        struct list node;
        struct ws *ws;
        unsigned types; /* bits by index in type_names */
        char *project;  /* NULL: all projects */
};

struct events {
        struct list listeners;
};

struct events *events_new(void)
{
        struct events *e = xnew(struct events);
        list_init(&e->listeners);
        return e;
}

static void listener_free(struct listener *l)
{
        list_remove(&l->node);
        free(l->project);
        free(l);
}

void events_free(struct events *e)
{
        struct listener *l;
        list_for_each (l, &e->listeners, node)
                listener_free(l);
        free(e);
}

static int type_index(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
                if (streq(type_names[i], name))
                        return (int)i;
        return -EINVAL;
}

void event_send(struct server *s, const char *type, const char *project, const char *metadata_json, size_t n)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        char stamp[TIME_TEXT_SIZE];
        struct json_writer w = JSON_WRITER(&b);
        struct listener *l;
        unsigned bit = 1u << type_index(type);
        if (list_is_empty(&s->events->listeners))
                return;
        json_write_object_begin(&w);
        json_write_key_string(&w, "type", type);
        json_write_key_string(&w, "timestamp", time_format_rfc3339(time_now_ns(), stamp));
        json_write_key(&w, "metadata");
        json_write_raw(&w, metadata_json, n);
        json_write_key_string(&w, "location", "none");
        json_write_key_string(&w, "project", str_empty(project) ? "default" : project);
        json_write_object_end(&w);
        list_for_each (l, &s->events->listeners, node) {
                bool is_wanted = (l->types & bit) && (!l->project || str_empty(project) || streq(l->project, project));
                if (is_wanted && ws_queued(l->ws) > QUEUE_MAX)
                        ws_close(l->ws, 1008, "events were not read fast enough");
                else if (is_wanted)
                        ws_send(l->ws, WS_TEXT, b.data, b.len);
        }
}

void event_lifecycle(struct server *s, const struct request *req, const char *action, const char *project,
                     const char *source, struct json_object *take_context)
{
        event_lifecycle_by(s, req ? &req->who : NULL, action, project, source, take_context);
}

void event_lifecycle_by(struct server *s, const struct identity *who, const char *action, const char *project,
                        const char *source, struct json_object *take_context)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_json_ struct json_object *context = take_context;
        struct json_writer w = JSON_WRITER(&b);
        if (list_is_empty(&s->events->listeners))
                return;
        _cleanup_free_ char *url = url_in_project(source, project);
        json_write_object_begin(&w);
        json_write_key_string(&w, "action", action);
        json_write_key_string(&w, "source", url);
        if (context) {
                json_write_key(&w, "context");
                json_write_tree(&w, context);
        }
        if (who) {
                json_write_key(&w, "requestor");
                json_write_object_begin(&w);
                json_write_key_string(&w, "username", who->text);
                json_write_key_string(&w, "protocol", who->protocol);
                if (streq(who->protocol, "unix"))
                        json_write_key_string(&w, "address", "@"); /* how LXD writes a socket's nameless end */
                json_write_object_end(&w);
        }
        json_write_object_end(&w);
        event_send(s, "lifecycle", project, b.data, b.len);
}

static void on_data(struct ws *ws _unused_, void *data _unused_, enum ws_opcode opcode _unused_,
                    uint8_t *payload _unused_, size_t n _unused_, bool is_end _unused_)
{
        /* A listener has nothing to say. */
}

static void on_closed(struct ws *ws _unused_, void *data)
{
        listener_free(data);
}

static const struct ws_handler listener_handler = { .data = on_data, .closed = on_closed };

static int parse_types(const char *text, unsigned *ret, struct error *err)
{
        *ret = 0;
        if (str_empty(text)) {
                *ret = (1u << ARRAY_SIZE(type_names)) - 1;
                return 0;
        }
        _cleanup_free_ char *copy = xstrdup(text);
        char *rest = copy, *word;
        while ((word = strsep(&rest, ","))) {
                int i = type_index(word);
                /* LXD's clients also ask for types of a cluster; those never happen here. */
                if (i < 0 && !streq(word, "network-acl") && !streq(word, "ovn"))
                        return error_set(err, ERR_BAD_REQUEST,
                                         "\"%s\" is not a type of event (operation, lifecycle, logging)", word);
                if (i >= 0)
                        *ret |= 1u << i;
        }
        return 0;
}

static void get_events(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        unsigned types;
        if (parse_types(request_query(req, "type"), &types, &err) < 0) {
                reply_error(req, &err);
                return;
        }
        if (!req->who.is_admin) /* what the daemon says of others is not for everybody */
                types &= ~(1u << type_index("logging"));
        struct server *s = req->server;
        struct listener *l = xnew(struct listener);
        list_init(&l->node);
        l->types = types;
        l->project = req->is_all_projects ? NULL : xstrdup(req->project);
        l->ws = request_upgrade(req, &listener_handler, l);
        if (l->ws)
                list_append(&s->events->listeners, &l->node);
        else
                listener_free(l);
}

const struct route event_routes[] = {
        { METHOD_GET, "/1.0/events", get_events, PERM_VIEW, ROUTE_PROJECT, "Follow events over a websocket." },
        { 0 },
};
