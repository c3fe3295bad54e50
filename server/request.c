/* SPDX-License-Identifier: Apache-2.0 */
#include "server/request.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"

static uint64_t last_request_id;

struct request *request_new(struct server *s)
{
        struct request *req = xnew(struct request);
        req->server = s;
        req->id = ++last_request_id;
        req->project = "default";
        req->started_ms = time_monotonic_ms();
        return req;
}

void request_free(struct request *req)
{
        json_object_put(req->body);
        free(req->target);
        uri_done(&req->uri);
        strbuf_done(&req->answer_headers);
        free(req);
}

const char *request_query(struct request *req, const char *name)
{
        return uri_query(&req->uri, name);
}

const char *request_header(struct request *req, const char *name)
{
        return req->is_gone ? NULL : req->sink->header(req, name);
}

void request_set_gone(struct request *req)
{
        req->is_gone = true;
        if (req->on_gone)
                req->on_gone(req);
}

void request_on_gone(struct request *req, void (*fn)(struct request *req))
{
        req->on_gone = fn;
}

int request_decode(struct request *req, const struct type *type, enum type_mode mode, void *out, struct error *err)
{
        return type_decode(type, req->body, mode, out, err);
}

/* A list of ETags or "*" may come; quotes are optional, as LXD's clients leave them out. */
int request_check_etag(struct request *req, const struct object *o, struct error *err)
{
        char etag[OBJECT_ETAG_SIZE];
        const char *wanted = request_header(req, "if-match");
        if (str_empty(wanted) || streq(wanted, "*") || strstr(wanted, object_etag(o, etag)))
                return 0;
        error_set(err, ERR_ETAG, "%s \"%s\" was changed by somebody else meanwhile", o->kind->title, o->name);
        error_hint(err, "Read it again and repeat the change");
        return error_object(err, o->kind->name, o->name);
}

void request_read_body_into(struct request *req, int take_fd, void (*done)(void *data, int r), void *data)
{
        if (req->is_gone) {
                fd_close(take_fd);
                done(data, -ECONNRESET);
                return;
        }
        req->sink->read_body(req, take_fd, done, data);
}

/* Without the query: the secrets of websockets stand there. */
static int path_length(const struct request *req)
{
        return (int)strcspn(req->target, "?");
}

static void log_finished(const struct request *req)
{
        if (log_enabled(LOG_DEBUG))
                log_debug("request=%s path=%.*s status=%d ms=%llu", http_method_name(req->method), path_length(req),
                          req->target, req->status, (unsigned long long)(time_monotonic_ms() - req->started_ms));
}

/* Every answer passes here once: the request ends with it. */
static void finish(struct request *req, int status, const char *type, const void *body, size_t n)
{
        assert(!req->is_answered);
        req->is_answered = true;
        req->status = status;
        log_finished(req);
        if (!req->is_gone)
                req->sink->answer(req, status, type, body, n);
        request_free(req);
}

static void finish_json(struct request *req, int status, const struct strbuf *b)
{
        finish(req, status, "application/json", b->data, b->len);
}

static void add_envelope_head(struct strbuf *b, const char *operation)
{
        strbuf_addf(b,
                    "{\"type\":\"sync\",\"status\":\"Success\",\"status_code\":200,\"operation\":\"%s\","
                    "\"error_code\":0,\"error\":\"\",\"metadata\":",
                    operation);
}

void reply_text(struct request *req, const char *metadata_json, size_t n)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_reserve(&b, n + 192);
        add_envelope_head(&b, "");
        strbuf_add(&b, metadata_json, n);
        strbuf_adds(&b, "}\n");
        finish_json(req, 200, &b);
}

void reply_json(struct request *req, struct json_object *take_metadata)
{
        const char *text = take_metadata ? json_text(take_metadata) : "null";
        reply_text(req, text, strlen(text));
        json_object_put(take_metadata);
}

void reply_empty(struct request *req)
{
        reply_text(req, "{}", 2);
}

void reply_created(struct request *req, const char *location_fmt, ...)
{
        _cleanup_strbuf_ struct strbuf location = STRBUF_INIT, b = STRBUF_INIT;
        va_list ap;
        va_start(ap, location_fmt);
        strbuf_addv(&location, location_fmt, ap);
        va_end(ap);
        reply_header(req, "Location", location.data);
        strbuf_adds(&b, "{\"type\":\"sync\",\"status\":\"Success\",\"status_code\":200,\"operation\":\"\","
                        "\"error_code\":0,\"error\":\"\",\"metadata\":null}\n");
        finish_json(req, 201, &b);
}

void reply_etag(struct request *req, const struct object *o)
{
        char etag[OBJECT_ETAG_SIZE];
        if (o)
                reply_header(req, "ETag", object_etag(o, etag));
}

void reply_object(struct request *req, struct object *o)
{
        const struct strbuf *rest = object_rest(o);
        reply_etag(req, o);
        reply_text(req, rest->data, rest->len);
}

void reply_error(struct request *req, const struct error *err)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        int status = error_http_status(err->code);
        json_write_object_begin(&w);
        json_write_key_string(&w, "type", "error");
        json_write_key_string(&w, "status", "");
        json_write_key_int(&w, "status_code", 0);
        json_write_key_string(&w, "operation", "");
        json_write_key_int(&w, "error_code", status);
        json_write_key_string(&w, "error", error_message(err));
        json_write_key(&w, "metadata");
        json_write_object_begin(&w);
        json_write_key_string(&w, "kind", err->kind);
        json_write_key_string(&w, "name", err->name);
        json_write_key_string(&w, "reason", error_reason(err->code));
        json_write_key_string(&w, "hint", err->hint);
        json_write_object_end(&w);
        json_write_object_end(&w);
        strbuf_addc(&b, '\n');
        finish_json(req, status, &b);
}

void reply_errorf(struct request *req, enum error_code code, const char *fmt, ...)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        va_list ap;
        va_start(ap, fmt);
        strbuf_addv(&b, fmt, ap);
        va_end(ap);
        error_set(&err, code, "%s", b.data);
        reply_error(req, &err);
}

void reply_status(struct request *req, int status, const char *json, size_t n)
{
        finish(req, status, "application/json", json, n);
}

struct ws *request_upgrade(struct request *req, const struct ws_handler *h, void *data)
{
        struct ws *ws = req->is_gone ? NULL : req->sink->upgrade(req, h, data);
        if (!ws) {
                reply_errorf(req, ERR_BAD_REQUEST, "%.*s needs a websocket connection", path_length(req), req->target);
                return NULL;
        }
        req->is_answered = true;
        req->status = 101;
        log_finished(req);
        request_free(req);
        return ws;
}

void reply_raw(struct request *req, const char *content_type, const void *data, size_t n)
{
        finish(req, 200, content_type, data, n);
}

void reply_file(struct request *req, const char *content_type, int64_t length, int take_fd)
{
        assert(!req->is_answered);
        req->is_answered = true;
        req->status = 200;
        log_finished(req);
        if (req->is_gone)
                fd_close(take_fd);
        else
                req->sink->answer_stream(req, 200, content_type, length, take_fd);
        request_free(req);
}

/* A header value must not end the line: whatever came from outside loses its control characters here. */
void reply_header(struct request *req, const char *name, const char *value)
{
        strbuf_addf(&req->answer_headers, "%s: ", name);
        for (; *value; value++)
                if ((unsigned char)*value >= 0x20 && *value != 0x7f)
                        strbuf_addc(&req->answer_headers, *value);
        strbuf_adds(&req->answer_headers, "\r\n");
}

/* A plain name stands as it is, as LXD writes it; in another, what could end the quotes or the header becomes '_'. */
void reply_filename(struct request *req, const char *filename)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+";
        _cleanup_free_ char *copy = xstrdup(filename);
        bool is_plain = copy[strspn(copy, plain)] == '\0';
        for (char *p = copy; *p; p++)
                if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f || strchr("\"\\/", *p))
                        *p = '_';
        _cleanup_free_ char *value = xasprintf(is_plain ? "inline;filename=%s" : "inline;filename=\"%s\"", copy);
        reply_header(req, "Content-Disposition", value);
}

char *url_in_project(const char *url, const char *project)
{
        if (str_empty(project) || streq(project, "default"))
                return xstrdup(url);
        return xasprintf("%s?project=%s", url, project);
}

static int set_project(struct request *req, struct error *err)
{
        const char *name = request_query(req, "project");
        if (!(req->route->flags & ROUTE_PROJECT) || str_empty(name))
                return 0;
        int r = name_check_object("project", name, err);
        req->project = name;
        return r;
}

static int set_options(struct request *req, struct error *err)
{
        const char *recursion = request_query(req, "recursion");
        if (!str_empty(recursion)) {
                if (strlen(recursion) != 1 || recursion[0] < '0' || recursion[0] > '2')
                        return error_set(err, ERR_BAD_REQUEST, "recursion must be 0, 1 or 2");
                req->recursion = recursion[0] - '0';
        }
        const char *target = request_query(req, "target");
        if (!str_empty(target) && !streq(target, "none")) {
                _cleanup_free_ char *shown = name_printable(target);
                error_set(err, ERR_NOT_FOUND, "Cluster member \"%s\" not found", shown);
                return error_hint(err, "This server is not part of a cluster: leave the target out"), -ENOENT;
        }
        const char *all = request_query(req, "all-projects");
        req->is_all_projects = all && (streq(all, "true") || streq(all, "1"));
        if (req->is_all_projects && request_query(req, "project"))
                return error_set(err, ERR_BAD_REQUEST, "\"project\" and \"all-projects\" cannot be used together");
        return 0;
}

/* The identity rules of this step: whoever may open the unix socket administers the server. */
static int authorize(struct request *req, struct error *err)
{
        switch (req->route->permission) {
        case PERM_PUBLIC:
                return 0;
        case PERM_VIEW:
        case PERM_EDIT:
                return req->who.is_trusted ? 0 : error_set(err, ERR_FORBIDDEN, "Not authorized");
        default:
                return req->who.is_admin ? 0 : error_set(err, ERR_FORBIDDEN, "Not authorized");
        }
}

static int prepare(struct request *req, struct error *err)
{
        int r = authorize(req, err);
        if (r >= 0)
                r = set_project(req, err);
        if (r >= 0)
                r = set_options(req, err);
        return r;
}

int request_find_route(struct request *req, struct error *err)
{
        struct route_match m = { 0 };
        int r = router_match(req->server, req->method, &req->uri, &m);
        if (r == -EOPNOTSUPP && req->method == METHOD_HEAD)
                r = router_match(req->server, METHOD_GET, &req->uri, &m);
        if (r == -EOPNOTSUPP)
                return error_set(err, ERR_NO_METHOD, "%s is not possible on %.*s", http_method_name(req->method),
                                 path_length(req), req->target);
        if (r < 0) {
                error_set(err, ERR_NOT_FOUND, "%.*s is not part of this server's API", path_length(req), req->target);
                return error_hint(err, "docs/reference/api.md lists what is");
        }
        req->route = m.route;
        memcpy(req->params, m.params, sizeof req->params);
        return 0;
}

void request_dispatch(struct request *take_req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        int r = take_req->route ? 0 : request_find_route(take_req, &err);
        if (r >= 0)
                r = prepare(take_req, &err);
        if (r < 0)
                reply_error(take_req, &err);
        else
                take_req->route->handler(take_req);
}
