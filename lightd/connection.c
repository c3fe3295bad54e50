/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/connection-internal.h"
#include "base/alloc.h"
#include "base/fd.h"

#define HEAD_TIMEOUT_MS 30000 /* from the first byte of a request to the end of its head */

static const char *sink_header(struct request *req, const char *name)
{
        struct conn *c = req->sink_data;
        return http_header(&c->parser, name);
}

static void sink_answer(struct request *req, int status, const char *content_type, const void *body, size_t n)
{
        struct conn *c = req->sink_data;
        conn_write_head(c, req, status, content_type, (int64_t)n);
        if (!c->is_head_request)
                strbuf_add(&c->output, body, n);
        conn_answered(c);
}

static const struct request_sink sink = {
        .header = sink_header,
        .answer = sink_answer,
        .answer_stream = conn_answer_stream,
        .read_body = conn_body_read_into,
        .upgrade = conn_upgrade,
};

struct conn *conn_new(struct server *s, const struct identity *who, const struct transport *t, void *handle)
{
        struct conn *c = xnew(struct conn);
        c->server = s;
        c->who = *who;
        c->transport = t;
        c->handle = handle;
        c->body_fd = c->stream_fd = c->pump_socket = -EBADF;
        c->body.max = JSON_TEXT_MAX;
        c->body_is_complete = true;
        list_init(&c->node);
        http_parser_init_request(&c->parser);
        return c;
}

static void on_head_timeout(void *data)
{
        struct conn *c = data;
        c->head_timer = 0;
        conn_close(c);
}

static void set_head_timer(struct conn *c, bool is_on)
{
        if (is_on && !c->head_timer)
                c->head_timer = timer_start(c->server, HEAD_TIMEOUT_MS, on_head_timeout, c);
        if (!is_on && c->head_timer) {
                timer_cancel(c->server, c->head_timer);
                c->head_timer = 0;
        }
}

/* A request whose body has not come whole: no handler has seen it, so nobody will ever answer it. */
static bool is_unheard(const struct conn *c)
{
        return c->req && !c->body_is_complete && (c->body_mode == BODY_JSON || c->body_mode == BODY_DISCARD);
}

void conn_lost(struct conn *c)
{
        struct request *unheard = is_unheard(c) ? TAKE_PTR(c->req) : NULL;
        c->is_lost = true;
        set_head_timer(c, false);
        conn_bodies_done(c);
        if (unheard)
                request_free(unheard);
        if (c->req)
                request_set_gone(c->req);
        if (c->is_ws)
                conn_ws_lost(c);
        list_remove(&c->node);
        http_parser_done(&c->parser);
        strbuf_done(&c->input);
        strbuf_done(&c->output);
        strbuf_done(&c->body);
        strbuf_done(&c->body_rest);
        free(c);
}

void conn_close(struct conn *c)
{
        if (c->is_closing)
                return;
        c->is_closing = true;
        c->transport->close(c->handle);
}

void conn_set_paused(struct conn *c, bool is_paused)
{
        if (c->is_paused == is_paused)
                return;
        c->is_paused = is_paused;
        c->transport->pause(c->handle, is_paused);
}

/* Writes what is queued; what the peer does not take now waits for conn_writable(). */
void conn_flush(struct conn *c)
{
        while (conn_queued(c) && !c->is_closing) {
                struct iovec iov = { c->output.data + c->output_offset, conn_queued(c) };
                ssize_t n = c->transport->write(c->handle, &iov, 1);
                if (n == -EAGAIN) {
                        c->transport->want_write(c->handle);
                        return;
                }
                if (n < 0) {
                        conn_close(c);
                        return;
                }
                c->output_offset += (size_t)n;
        }
        strbuf_clear(&c->output);
        c->output_offset = 0;
        if (c->output.cap > CONN_OUTPUT_HIGH * 2)
                strbuf_done(&c->output); /* one large list must not stay in memory for the connection's life */
        if (c->must_close && !c->req && c->stream_fd < 0)
                conn_close(c);
}

void conn_send(struct conn *c, const void *data, size_t n)
{
        strbuf_add(&c->output, data, n);
        conn_flush(c);
}

void conn_writable(struct conn *c)
{
        conn_flush(c);
        if (c->is_closing)
                return;
        if (c->stream_fd >= 0 && conn_queued(c) < CONN_OUTPUT_HIGH)
                conn_stream_continue(c);
        if (c->is_ws && !conn_queued(c))
                conn_ws_drained(c);
}

static struct request *request_from_head(struct conn *c)
{
        struct request *req = request_new(c->server);
        req->who = c->who;
        req->sink = &sink;
        req->sink_data = c;
        c->req = req;
        c->is_head_request = streq(c->parser.head.method, "HEAD");
        c->must_close = !c->parser.head.is_keep_alive;
        c->needs_continue = c->parser.head.expects_continue;
        c->body_is_too_large = c->body_is_complete = false;
        strbuf_clear(&c->body);
        strbuf_clear(&c->body_rest);
        return req;
}

/* pylxd uploads without a type, and `curl -d '{…}'` says it sends a form: such a body has to be looked at. */
static enum body_mode body_mode_by_type(struct conn *c)
{
        const char *type = http_header(&c->parser, "content-type");
        if (str_starts(type ? type : "", "application/json"))
                return BODY_JSON;
        return type && (str_starts(type, "application/octet-stream") || str_starts(type, "multipart/")) ? BODY_WAIT
                                                                                                        : BODY_LOOK;
}

static enum body_mode body_mode_for(struct conn *c, struct request *req)
{
        unsigned flags = req->route->flags;
        if (flags & ROUTE_BODY)
                return BODY_JSON;
        if (flags & ROUTE_STREAM)
                return BODY_WAIT;
        if (!(flags & ROUTE_BODY_LATER))
                return BODY_DISCARD;
        enum body_mode mode = body_mode_by_type(c);
        req->has_json_body = mode != BODY_WAIT;
        return mode;
}

static void send_continue(struct conn *c)
{
        if (!c->needs_continue)
                return;
        c->needs_continue = false;
        http_write_continue(&c->output);
        conn_flush(c);
}

static void answer_early(struct conn *c, const struct error *err)
{
        c->body_mode = BODY_DISCARD;
        /* A client that waits for 100 may or may not send its body now: nobody knows where the next request starts. */
        if (c->needs_continue)
                c->must_close = true;
        reply_error(c->req, err);
}

/* The row decides what happens to the body, so it is found before the body is read. */
static int read_head(struct conn *c, struct request *req, struct error *err)
{
        req->target = xstrdup(c->parser.head.target);
        if (http_method_parse(c->parser.head.method, &req->method) < 0)
                return error_set(err, ERR_NO_METHOD, "Unknown method \"%s\"", c->parser.head.method);
        int r = uri_parse(req->target, &req->uri, err);
        return r < 0 ? r : request_find_route(req, err);
}

static void on_head(struct conn *c)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct request *req = request_from_head(c);
        set_head_timer(c, false);
        if (read_head(c, req, &err) < 0) {
                answer_early(c, &err);
                return;
        }
        c->body_mode = body_mode_for(c, req);
        if (c->body_mode == BODY_JSON || c->body_mode == BODY_LOOK)
                send_continue(c);
        else if (c->body_mode == BODY_WAIT)
                request_dispatch(req);
}

static void dispatch_json(struct conn *c)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct request *req = c->req;
        if (c->body_is_too_large)
                error_set(&err, ERR_TOO_LARGE, "The request's body is larger than %llu bytes",
                          (unsigned long long)JSON_TEXT_MAX);
        else if (c->body.len)
                json_parse(c->body.data, c->body.len, &req->body, &err);
        if (err.code)
                reply_error(req, &err);
        else
                request_dispatch(req);
}

static void on_end(struct conn *c)
{
        enum body_mode mode = c->body_mode;
        c->body_is_complete = true;
        if (mode == BODY_FD)
                conn_body_end(c, 0);
        else if ((mode == BODY_JSON || mode == BODY_LOOK) && c->req)
                dispatch_json(c);
        else if (mode == BODY_DISCARD && c->req)
                request_dispatch(c->req);
}

static void on_bad_body(struct conn *c)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        bool is_unanswered = c->req && (c->body_mode == BODY_JSON || c->body_mode == BODY_LOOK ||
                                        c->body_mode == BODY_DISCARD);
        if (c->body_mode == BODY_FD)
                conn_body_end(c, -EPROTO);
        if (!is_unanswered) { /* no second answer can follow one that is under way */
                conn_close(c);
                return;
        }
        c->must_close = c->body_is_complete = true;
        error_set(&err, ERR_BAD_REQUEST, "%s", c->parser.problem);
        reply_error(c->req, &err);
}

static void on_bad_head(struct conn *c)
{
        _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&body);
        json_write_object_begin(&w);
        json_write_key_string(&w, "type", "error");
        json_write_key_string(&w, "status", "");
        json_write_key_int(&w, "status_code", 0);
        json_write_key_string(&w, "operation", "");
        json_write_key_int(&w, "error_code", c->parser.status);
        json_write_key_string(&w, "error", c->parser.problem);
        json_write_key(&w, "metadata");
        json_write_null(&w);
        json_write_object_end(&w);
        http_write_status(&c->output, c->parser.status);
        http_write_header(&c->output, "Content-Type", "application/json");
        http_write_length(&c->output, body.len);
        http_write_close(&c->output);
        http_write_end(&c->output);
        strbuf_add(&c->output, body.data, body.len);
        c->must_close = true; /* nothing more is parsed */
        conn_flush(c);
}

/* True: go on with the next event. */
static bool handle_event(struct conn *c, enum http_event event)
{
        switch (event) {
        case HTTP_HEAD:
                on_head(c);
                return !c->is_ws;
        case HTTP_BODY:
                if (c->body_mode == BODY_LOOK)
                        conn_body_look(c, c->parser.body, c->parser.body_len);
                else
                        conn_body_slice(c, c->parser.body, c->parser.body_len);
                return true;
        case HTTP_END:
                on_end(c);
                return !c->is_ws && !c->req && c->stream_fd < 0;
        case HTTP_BAD:
                if (c->body_is_complete)
                        on_bad_head(c);
                else
                        on_bad_body(c);
                return false;
        default:
                return false;
        }
}

static bool may_parse(const struct conn *c)
{
        if (c->is_closing || c->is_ws)
                return false;
        if (c->body_is_complete) /* between two messages: after the answer, if the connection goes on */
                return !c->req && c->stream_fd < 0 && !c->must_close;
        if (c->body_mode == BODY_WAIT && c->req)
                return false; /* the handler has not said where the body goes */
        return !c->pump && !(c->body_mode == BODY_FD && c->body_rest.len);
}

/* Parses what it may. Goes on without input too: a head and the end of its message are two events of the same bytes. */
static size_t parse_some(struct conn *c, const char *data, size_t n)
{
        const char *p = data;
        while (may_parse(c)) {
                enum http_event event = http_parser_next(&c->parser, &p, &n);
                if (event == HTTP_MORE || !handle_event(c, event))
                        break;
        }
        return (size_t)(p - data);
}

void conn_parse(struct conn *c)
{
        if (c->is_parsing)
                return;
        c->is_parsing = true;
        while (may_parse(c)) {
                /* Handlers may append to c->input only through conn_receive(), which is_parsing holds back. */
                size_t before = c->input.len;
                strbuf_consume(&c->input, parse_some(c, strbuf_str(&c->input), c->input.len));
                if (!c->input.len || c->input.len == before)
                        break;
        }
        c->is_parsing = false;
        if (c->is_ws && c->input.len && !c->is_closing) {
                _cleanup_strbuf_ struct strbuf rest = c->input;
                c->input = STRBUF_INIT;
                conn_ws_receive(c, rest.data, rest.len);
        }
        if (c->is_ws || c->is_closing)
                return;
        conn_body_pump(c);
        conn_set_paused(c, c->pump || c->input.len >= CONN_INPUT_MAX || (c->body_mode == BODY_FD && c->body_rest.len));
}

void conn_receive(struct conn *c, char *data, size_t n)
{
        if (c->is_closing)
                return;
        if (c->pump && c->body_mode == BODY_FD) { /* reading is paused: these would be out of order */
                conn_close(c);
                return;
        }
        if (c->is_ws) {
                conn_ws_receive(c, data, n);
                return;
        }
        if (!c->input.len && !c->is_parsing) { /* the usual case: no copy */
                c->is_parsing = true;
                size_t used = parse_some(c, data, n);
                c->is_parsing = false;
                data += used;
                n -= used;
        }
        strbuf_add(&c->input, data, n);
        conn_parse(c);
        if (!c->is_ws && !c->is_closing)
                set_head_timer(c, c->parser.state == HTTP_STATE_LINE || c->parser.state == HTTP_STATE_HEADERS);
}

static void parse_later(struct conn *c)
{
        if (!c->is_parsing)
                conn_parse(c);
}

void conn_answered(struct conn *c)
{
        c->req = NULL;
        if (c->body_mode == BODY_WAIT)
                c->body_mode = BODY_DISCARD;
        conn_flush(c);
        if (!c->is_closing && c->stream_fd < 0)
                parse_later(c);
}

void conn_shutdown(struct conn *c)
{
        if (c->is_ws)
                conn_ws_shutdown(c);
        else if (!c->req && c->stream_fd < 0 && !conn_queued(c))
                conn_close(c);
        else
                c->must_close = true;
}
