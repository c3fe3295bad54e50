/* SPDX-License-Identifier: Apache-2.0 */
#include "server/operation.h"
#include "server/event.h"
#include "server/internal.h"
#include "server/websocket.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"

#include <sys/random.h>
#include <uthash.h>
#include <uuid/uuid.h>

#define KEEP_MS 5000
#define SECRET_BYTES 32
#define WEBSOCKETS_MAX 8
#define PROGRESS_EVERY_MS 100

struct op_websocket {
        char name[16];
        char secret[SECRET_BYTES * 2 + 1];
        const struct ws_handler *handler;
        void *ws_data;
        operation_connected_fn connected;
        bool is_used;
};

struct waiter {
        struct list node;
        struct request *req;
        struct operation *op;
        uint64_t timer;
};

struct operation {
        struct server *server;
        char id[37];
        enum operation_class class;
        enum operation_status status;
        char *description, *project;
        int64_t created_at, updated_at;
        struct json_object *resources, *metadata;
        struct error error;
        operation_cancel_fn cancel;
        void *data;
        struct identity who;
        struct op_websocket websockets[WEBSOCKETS_MAX];
        size_t n_websockets;
        struct list waiters;
        void (*on_done)(struct operation *op, const struct error *err, void *data);
        void *on_done_data;
        uint64_t started_ms, last_event_ms, event_timer, keep_ms;
        UT_hash_handle hh;
};

struct operations {
        struct operation *by_id;
};

struct operations *operations_new(void)
{
        return xnew(struct operations);
}

static void operation_free(struct operation *op)
{
        free(op->description);
        free(op->project);
        json_object_put(op->resources);
        json_object_put(op->metadata);
        error_done(&op->error);
        free(op);
}

void operations_free(struct operations *o)
{
        struct operation *op, *next;
        HASH_ITER (hh, o->by_id, op, next) {
                HASH_DEL(o->by_id, op);
                operation_free(op);
        }
        free(o);
}

static const char *class_name(enum operation_class c)
{
        static const char *const names[] = { "task", "websocket", "token" };
        return names[c];
}

static const char *status_name(enum operation_status status)
{
        switch (status) {
        case STATUS_CREATED:
                return "Operation created";
        case STATUS_RUNNING:
                return "Running";
        case STATUS_CANCELLING:
                return "Cancelling";
        case STATUS_PENDING:
                return "Pending";
        case STATUS_SUCCESS:
                return "Success";
        case STATUS_FAILURE:
                return "Failure";
        default:
                return "Cancelled";
        }
}

const char *operation_id(const struct operation *op)
{
        return op->id;
}

const struct identity *operation_who(const struct operation *op)
{
        return op->who.protocol ? &op->who : NULL;
}

void *operation_data(struct operation *op)
{
        return op->data;
}

bool operation_is_done(const struct operation *op)
{
        return op->status >= STATUS_SUCCESS;
}

/* The secrets stand in the answer to the creator alone: never in a list, an event or a later GET. */
static void write_metadata(const struct operation *op, bool with_secrets, struct json_writer *w)
{
        if (!with_secrets || !op->n_websockets) {
                json_write_tree(w, op->metadata);
                return;
        }
        json_write_object_begin(w);
        if (op->metadata) {
                json_object_object_foreach(op->metadata, key, value)
                {
                        json_write_key(w, key);
                        json_write_tree(w, value);
                }
        }
        json_write_key(w, "fds");
        json_write_object_begin(w);
        for (size_t i = 0; i < op->n_websockets; i++)
                json_write_key_string(w, op->websockets[i].name, op->websockets[i].secret);
        json_write_object_end(w);
        json_write_object_end(w);
}

static void write_operation(const struct operation *op, bool with_secrets, struct json_writer *w)
{
        char stamp[TIME_TEXT_SIZE];
        json_write_object_begin(w);
        json_write_key_string(w, "id", op->id);
        json_write_key_string(w, "class", class_name(op->class));
        json_write_key_string(w, "description", op->description);
        json_write_key_string(w, "created_at", time_format_rfc3339(op->created_at, stamp));
        json_write_key_string(w, "updated_at", time_format_rfc3339(op->updated_at, stamp));
        json_write_key_string(w, "status", status_name(op->status));
        json_write_key_int(w, "status_code", op->status);
        json_write_key(w, "resources");
        json_write_tree(w, op->resources);
        json_write_key(w, "metadata");
        write_metadata(op, with_secrets, w);
        json_write_key_bool(w, "may_cancel", op->cancel && !operation_is_done(op));
        json_write_key_string(w, "err", op->error.code ? error_message(&op->error) : "");
        if (op->error.hint)
                json_write_key_string(w, "err_hint", op->error.hint);
        json_write_key_string(w, "location", "none");
        json_write_object_end(w);
}

static void tell(struct operation *op)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        op->last_event_ms = time_monotonic_ms();
        write_operation(op, false, &w);
        event_send(op->server, "operation", op->project, b.data, b.len);
}

static void on_event_timer(void *data)
{
        struct operation *op = data;
        op->event_timer = 0;
        if (!operation_is_done(op))
                tell(op);
}

/* Progress may come a thousand times a second; listeners get ten, and always the last. */
static void tell_sometimes(struct operation *op)
{
        uint64_t since = time_monotonic_ms() - op->last_event_ms;
        op->updated_at = time_now_ns();
        if (op->event_timer)
                return;
        if (since >= PROGRESS_EVERY_MS)
                tell(op);
        else
                op->event_timer = timer_start(op->server, PROGRESS_EVERY_MS - since, on_event_timer, op);
}

void operation_add_resource(struct operation *op, const char *kind, const char *url)
{
        struct json_object *list = NULL;
        if (!op->resources)
                op->resources = json_object_new_object();
        if (!json_object_object_get_ex(op->resources, kind, &list)) {
                list = json_object_new_array();
                json_set_take(op->resources, kind, list);
        }
        json_array_add_string(list, url);
}

static void add_spec_resource(struct operation *op, const struct operation_spec *spec)
{
        const char *kinds[] = { spec->resource_kind, spec->resource_old_kind };
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                if (!kinds[i])
                        continue;
                _cleanup_free_ char *plain = xasprintf("/1.0/%s/%s", kinds[i], spec->resource_name);
                _cleanup_free_ char *url = url_in_project(plain, spec->project);
                operation_add_resource(op, kinds[i], url);
        }
}

struct operation *operation_new(struct server *s, struct request *req, const struct operation_spec *spec)
{
        struct operation *op = xnew(struct operation);
        uuid_t id;
        uuid_generate_random(id);
        uuid_unparse_lower(id, op->id);
        if (spec->id)
                snprintf(op->id, sizeof op->id, "%s", spec->id);
        op->server = s;
        op->class = spec->class;
        op->status = STATUS_RUNNING;
        op->description = xstrdup(spec->description);
        op->project = xstrdup(spec->project);
        op->created_at = op->updated_at = time_now_ns();
        op->cancel = spec->cancel;
        op->data = spec->data;
        op->keep_ms = KEEP_MS;
        op->started_ms = time_monotonic_ms();
        if (req)
                op->who = req->who;
        list_init(&op->waiters);
        add_spec_resource(op, spec);
        HASH_ADD_STR(s->operations->by_id, id, op);
        tell(op);
        return op;
}

void operation_add_websocket(struct operation *op, const char *name, const struct ws_handler *h, void *ws_data,
                             operation_connected_fn connected)
{
        unsigned char random[SECRET_BYTES];
        assert(op->n_websockets < WEBSOCKETS_MAX);
        struct op_websocket *w = &op->websockets[op->n_websockets++];
        if (getrandom(random, sizeof random, 0) != sizeof random)
                abort();
        for (size_t i = 0; i < sizeof random; i++)
                snprintf(w->secret + 2 * i, 3, "%02x", random[i]);
        snprintf(w->name, sizeof w->name, "%s", name);
        w->handler = h;
        w->ws_data = ws_data;
        w->connected = connected;
}

struct operation *operation_find(struct server *s, const char *id)
{
        struct operation *op = NULL;
        HASH_FIND_STR(s->operations->by_id, id, op);
        return op;
}

void reply_operation(struct request *req, struct operation *op)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_free_ char *location = xasprintf("/1.0/operations/%s", op->id);
        struct json_writer w = JSON_WRITER(&b);
        strbuf_addf(&b,
                    "{\"type\":\"async\",\"status\":\"Operation created\",\"status_code\":100,\"operation\":\"%s\","
                    "\"error_code\":0,\"error\":\"\",\"metadata\":",
                    location);
        write_operation(op, true, &w);
        strbuf_adds(&b, "}\n");
        reply_header(req, "Location", location);
        reply_status(req, 202, b.data, b.len);
}

static void answer_with(struct request *req, const struct operation *op)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        write_operation(op, false, &w);
        reply_text(req, b.data, b.len);
}

static void waiter_end(struct waiter *w)
{
        timer_cancel(w->op->server, w->timer);
        list_remove(&w->node);
        struct request *req = w->req;
        struct operation *op = w->op;
        free(w);
        req->on_gone = NULL;
        answer_with(req, op);
}

static void on_wait_timeout(void *data)
{
        waiter_end(data);
}

static void on_waiter_gone(struct request *req)
{
        waiter_end(req->handler_data);
}

static void forget(void *data)
{
        struct operation *op = data;
        HASH_DEL(op->server->operations->by_id, op);
        operation_free(op);
}

static void finish(struct operation *op, enum operation_status status)
{
        struct waiter *w;
        struct server *s = op->server;
        if (operation_is_done(op))
                return;
        op->status = status;
        op->updated_at = time_now_ns();
        timer_cancel(s, op->event_timer);
        op->event_timer = 0;
        log_info("op=\"%s\" project=%s result=%s ms=%llu%s%s", op->description, op->project ? op->project : "",
                 status_name(status), (unsigned long long)(time_monotonic_ms() - op->started_ms),
                 op->error.code ? " error=" : "", op->error.code ? error_message(&op->error) : "");
        tell(op);
        list_for_each (w, &op->waiters, node)
                waiter_end(w);
        timer_start(s, op->keep_ms, forget, op);
        if (op->on_done)
                op->on_done(op, op->error.code ? &op->error : NULL, op->on_done_data);
}

void operation_succeed(struct operation *op, struct json_object *take_metadata_members)
{
        if (take_metadata_members)
                operation_set_metadata(op, take_metadata_members);
        finish(op, STATUS_SUCCESS);
}

void operation_fail(struct operation *op, const struct error *err)
{
        if (operation_is_done(op))
                return;
        enum error_code code = err->code ? err->code : ERR_INTERNAL;
        error_set(&op->error, code, "%s", error_message(err));
        if (err->hint)
                error_hint(&op->error, "%s", err->hint);
        finish(op, code == ERR_CANCELLED ? STATUS_CANCELLED : STATUS_FAILURE);
}

void operation_keep_ms(struct operation *op, uint64_t ms)
{
        op->keep_ms = ms;
}

void operation_on_done(struct operation *op, void (*fn)(struct operation *op, const struct error *err, void *data),
                       void *data)
{
        op->on_done = fn;
        op->on_done_data = data;
}

void operation_set_metadata(struct operation *op, struct json_object *take_members)
{
        if (!op->metadata)
                op->metadata = json_object_new_object();
        json_object_object_foreach(take_members, key, value)
                json_set_take(op->metadata, key, json_object_get(value));
        json_object_put(take_members);
        if (!operation_is_done(op))
                tell_sometimes(op);
}

/* "unpack" → {"progress":{"stage":"unpack","percent":"42"},"unpack_progress":"42%"}: LXD's two forms in one. */
void operation_progress(struct operation *op, const char *stage, int percent, const char *text)
{
        char number[16] = "", shown[128] = "";
        _cleanup_free_ char *key = xasprintf("%s_progress", stage);
        struct json_object *m = json_object_new_object(), *p = json_object_new_object();
        if (percent >= 0) {
                snprintf(number, sizeof number, "%d", percent);
                snprintf(shown, sizeof shown, "%d%%", percent);
        }
        json_set_string(p, "stage", stage);
        json_set_string(p, "percent", number);
        json_set_take(m, "progress", p);
        json_set_string(m, key, text ? text : shown);
        operation_set_metadata(op, m);
}

/* ---- routes ---- */

static struct operation *operation_of(struct request *req)
{
        struct operation *op = operation_find(req->server, req->params[0]);
        if (!op) {
                _cleanup_free_ char *shown = name_printable(req->params[0]);
                reply_errorf(req, ERR_NOT_FOUND, "Operation \"%s\" not found", shown);
        }
        return op;
}

static bool is_visible(const struct request *req, const struct operation *op)
{
        return req->is_all_projects || str_empty(op->project) || streq(op->project, req->project);
}

static const char *list_group(const struct operation *op)
{
        switch (op->status) {
        case STATUS_SUCCESS:
                return "success";
        case STATUS_FAILURE:
                return "failure";
        case STATUS_CANCELLED:
                return "cancelled";
        default:
                return "running";
        }
}

/* LXD groups operations by status, unlike every other list. */
static void write_group(struct request *req, const char *group, struct json_writer *w)
{
        struct operation *op, *next;
        HASH_ITER (hh, req->server->operations->by_id, op, next) {
                if (!is_visible(req, op) || !streq(list_group(op), group))
                        continue;
                if (req->recursion) {
                        write_operation(op, false, w);
                } else {
                        _cleanup_free_ char *url = xasprintf("/1.0/operations/%s", op->id);
                        json_write_string(w, url);
                }
        }
}

static bool has_group(struct request *req, const char *group)
{
        struct operation *op, *next;
        HASH_ITER (hh, req->server->operations->by_id, op, next)
                if (is_visible(req, op) && streq(list_group(op), group))
                        return true;
        return false;
}

static void get_list(struct request *req)
{
        static const char *const groups[] = { "running", "success", "failure", "cancelled" };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        json_write_object_begin(&w);
        for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
                if (!has_group(req, groups[i]))
                        continue;
                json_write_key(&w, groups[i]);
                json_write_array_begin(&w);
                write_group(req, groups[i], &w);
                json_write_array_end(&w);
        }
        json_write_object_end(&w);
        reply_text(req, b.data, b.len);
}

static void get_one(struct request *req)
{
        struct operation *op = operation_of(req);
        if (op)
                answer_with(req, op);
}

static void delete_one(struct request *req)
{
        struct operation *op = operation_of(req);
        if (!op)
                return;
        if (operation_is_done(op) || !op->cancel) {
                reply_errorf(req, ERR_WRONG_STATE, "Operation \"%s\" (%s) cannot be cancelled%s", op->id,
                             op->description, operation_is_done(op) ? ": it has ended" : "");
                return;
        }
        op->status = STATUS_CANCELLING;
        tell(op);
        op->cancel(op, op->data);
        reply_empty(req);
}

/* "-1" and nothing wait for ever. */
static int wait_timeout(struct request *req, int64_t *ret_ms)
{
        const char *text = request_query(req, "timeout");
        char *end = NULL;
        *ret_ms = -1;
        if (str_empty(text))
                return 0;
        long seconds = strtol(text, &end, 10);
        if (*end || seconds < -1 || seconds > 86400 * 365)
                return -EINVAL;
        *ret_ms = seconds < 0 ? -1 : seconds * 1000;
        return 0;
}

static void get_wait(struct request *req)
{
        struct operation *op = operation_of(req);
        int64_t ms;
        if (!op)
                return;
        if (wait_timeout(req, &ms) < 0) {
                reply_errorf(req, ERR_BAD_REQUEST, "timeout must be a number of seconds, or -1");
                return;
        }
        if (operation_is_done(op) || ms == 0) {
                answer_with(req, op);
                return;
        }
        struct waiter *w = xnew(struct waiter);
        w->req = req;
        w->op = op;
        list_append(&op->waiters, &w->node);
        if (ms > 0)
                w->timer = timer_start(req->server, (uint64_t)ms, on_wait_timeout, w);
        req->handler_data = w;
        request_on_gone(req, on_waiter_gone);
}

static struct op_websocket *find_secret(struct operation *op, const char *secret)
{
        for (size_t i = 0; i < op->n_websockets; i++) {
                struct op_websocket *w = &op->websockets[i];
                unsigned char differs = 0;
                if (strlen(secret) != sizeof w->secret - 1)
                        continue;
                for (size_t k = 0; k < sizeof w->secret - 1; k++) /* no early end: its time would tell the digits */
                        differs |= (unsigned char)(w->secret[k] ^ secret[k]);
                if (!differs && !w->is_used)
                        return w;
        }
        return NULL;
}

/* A short command may be over before its client has come with the last secret ("control"): no reason to refuse it. */
static void close_late(struct request *req)
{
        ws_abandon(request_upgrade(req, &ws_nobody, NULL));
}

static void get_websocket(struct request *req)
{
        struct operation *op = operation_of(req);
        const char *secret = request_query(req, "secret");
        if (!op)
                return;
        struct op_websocket *w = str_empty(secret) ? NULL : find_secret(op, secret);
        if (!w || op->who.uid != req->who.uid) {
                reply_errorf(req, ERR_FORBIDDEN, "Not a valid secret of operation \"%s\"", op->id);
                return;
        }
        if (operation_is_done(op)) {
                w->is_used = true;
                close_late(req);
                return;
        }
        struct ws *ws = request_upgrade(req, w->handler, w->ws_data);
        if (!ws)
                return;
        w->is_used = true;
        if (w->connected)
                w->connected(op, w->name, ws, w->ws_data);
}

const struct route operation_routes[] = {
        { METHOD_GET, "/1.0/operations", get_list, PERM_VIEW, ROUTE_PROJECT, "List the operations, grouped by status." },
        { METHOD_GET, "/1.0/operations/{id}", get_one, PERM_VIEW, 0, "One operation." },
        { METHOD_DELETE, "/1.0/operations/{id}", delete_one, PERM_EDIT, 0, "Cancel an operation." },
        { METHOD_GET, "/1.0/operations/{id}/wait", get_wait, PERM_VIEW, 0, "Wait until an operation has ended." },
        { METHOD_GET, "/1.0/operations/{id}/websocket", get_websocket, PERM_VIEW, 0, "Attach to a websocket of an operation." },
        { 0 },
};
