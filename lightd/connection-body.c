/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are streams: a request's into a pipe, an answer's out of one, with back-pressure both ways. */
#include "lightd/connection-internal.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <unistd.h>

#define STREAM_CHUNK KiB(256)
#define PUMP_MIN KiB(256) /* below that a copy is cheaper than watching two more descriptors */

void conn_write_head(struct conn *c, struct request *req, int status, const char *content_type, int64_t length)
{
        struct strbuf *b = &c->output;
        http_write_status(b, status);
        http_write_header(b, "Content-Type", content_type);
        strbuf_add(b, strbuf_str(&req->answer_headers), req->answer_headers.len);
        if (length >= 0)
                http_write_length(b, (uint64_t)length);
        else
                http_write_chunked(b);
        if (c->must_close)
                http_write_close(b);
        http_write_end(b);
}

/* ---- a request's body ---- */

static void read_on(struct conn *c)
{
        watch_stop(TAKE_PTR(c->body_watch));
        conn_set_paused(c, false);
        conn_parse(c);
}

static void stop_pump(struct conn *c)
{
        pump_stop(TAKE_PTR(c->pump));
        fd_reset(&c->pump_socket);
}

static bool can_pump(struct conn *c, uint64_t n)
{
        if (n < PUMP_MIN || c->has_no_pump || c->pump || !c->transport->open_socket)
                return false;
        c->pump_socket = c->transport->open_socket(c->handle);
        return c->pump_socket >= 0;
}

static void on_body_pumped(void *data, int r, uint64_t left)
{
        struct conn *c = data;
        stop_pump(c);
        http_parser_skip_body(&c->parser, http_parser_body_left(&c->parser) - left);
        c->has_no_pump |= r == -EINVAL;
        if (r == -ENODATA)
                conn_close(c); /* the client has left; conn_lost() ends the body */
        else if (r < 0 && r != -EINVAL)
                conn_body_end(c, r);
        read_on(c);
}

void conn_body_pump(struct conn *c)
{
        uint64_t left = http_parser_body_left(&c->parser);
        if (c->body_mode != BODY_FD || c->body_rest.len || c->input.len || !can_pump(c, left))
                return;
        conn_set_paused(c, true);
        c->pump = pump_start(c->server, c->pump_socket, c->body_fd, left, on_body_pumped, c);
}

void conn_body_end(struct conn *c, int r)
{
        void (*done)(void *, int) = c->body_done;
        void *data = c->body_data;
        if (r == 0 && c->body_rest.len) /* the end waits until the pipe has taken the rest */
                return;
        c->body_mode = BODY_OVER;
        c->body_done = NULL;
        stop_pump(c);
        watch_stop(TAKE_PTR(c->body_watch));
        strbuf_clear(&c->body_rest);
        fd_reset(&c->body_fd);
        if (done)
                done(data, r);
}

static void on_body_room(void *data, int fd, int events _unused_)
{
        struct conn *c = data;
        ssize_t n = write(fd, c->body_rest.data, c->body_rest.len);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n >= 0)
                strbuf_consume(&c->body_rest, (size_t)n);
        if (n >= 0 && c->body_rest.len)
                return;
        if (n < 0 || c->body_is_complete)
                conn_body_end(c, n < 0 ? -errno : 0);
        read_on(c);
}

static void keep_rest(struct conn *c, const char *data, size_t n)
{
        strbuf_add(&c->body_rest, data, n);
        conn_set_paused(c, true);
        if (!c->body_watch)
                c->body_watch = watch_start(c->server, c->body_fd, UV_WRITABLE, on_body_room, c);
}

static void write_slice(struct conn *c, const char *data, size_t n)
{
        ssize_t k = write(c->body_fd, data, n);
        if (k < 0 && errno != EAGAIN && errno != EINTR) {
                conn_body_end(c, -errno);
                return;
        }
        size_t taken = k < 0 ? 0 : (size_t)k;
        if (taken < n)
                keep_rest(c, data + taken, n - taken);
}

void conn_body_slice(struct conn *c, const char *data, size_t n)
{
        if (c->body_mode == BODY_JSON && !c->body_is_too_large) {
                strbuf_add(&c->body, data, n);
                c->body_is_too_large = c->body.is_over;
        } else if (c->body_mode == BODY_FD) {
                write_slice(c, data, n);
        }
}

/* No image begins as a JSON object does, with a brace or with space before it. */
void conn_body_look(struct conn *c, const char *data, size_t n)
{
        if (data[0] && strchr("{ \t\r\n", data[0])) {
                c->body_mode = BODY_JSON;
                conn_body_slice(c, data, n);
                return;
        }
        c->body_mode = BODY_WAIT;
        c->req->has_json_body = false;
        strbuf_add(&c->body_rest, data, n);
        request_dispatch(c->req);
}

void conn_body_read_into(struct request *req, int take_fd, void (*done)(void *data, int r), void *data)
{
        struct conn *c = req->sink_data;
        fd_set_nonblocking(take_fd, true);
        c->body_fd = take_fd;
        c->body_done = done;
        c->body_data = data;
        c->body_mode = BODY_FD;
        if (c->needs_continue) {
                c->needs_continue = false;
                http_write_continue(&c->output);
                conn_flush(c);
        }
        if (c->body_rest.len) /* what told that it is no JSON */
                keep_rest(c, "", 0);
        conn_parse(c);
}

/* ---- an answer's body ---- */

static void stream_end(struct conn *c, bool is_whole)
{
        watch_stop(TAKE_PTR(c->stream_watch));
        fd_reset(&c->stream_fd);
        if (!is_whole) { /* the client must not take a part for the whole */
                c->must_close = true;
                conn_close(c);
                return;
        }
        if (c->stream_left < 0 && !c->is_head_request)
                http_write_last_chunk(&c->output);
        conn_flush(c);
        if (!c->is_closing)
                conn_parse(c);
}

static char *reserve_slice(struct conn *c, size_t want)
{
        return strbuf_reserve(&c->output, want + 32);
}

/* Reads one slice into the output, framed as a chunk when the length is not known. */
static ssize_t read_slice(struct conn *c)
{
        size_t want = c->stream_left >= 0 ? MIN((size_t)c->stream_left, (size_t)STREAM_CHUNK) : STREAM_CHUNK;
        if (c->stream_left >= 0) {
                ssize_t n = read(c->stream_fd, reserve_slice(c, want), want);
                if (n > 0) {
                        c->output.len += (size_t)n;
                        c->stream_left -= n;
                }
                return n;
        }
        static char slice[STREAM_CHUNK]; /* one loop, one slice at a time */
        ssize_t n = read(c->stream_fd, slice, want);
        if (n > 0)
                http_write_chunk(&c->output, slice, (size_t)n);
        return n;
}

static void on_stream_readable(void *data, int fd _unused_, int events _unused_)
{
        struct conn *c = data;
        ssize_t n = read_slice(c);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                stream_end(c, n == 0 && c->stream_left <= 0);
                return;
        }
        conn_flush(c);
        if (c->is_closing || c->stream_fd < 0)
                return;
        if (c->stream_left == 0)
                stream_end(c, true);
        else if (conn_queued(c) >= CONN_OUTPUT_HIGH)
                watch_change(c->stream_watch, 0);
}

void conn_stream_continue(struct conn *c)
{
        if (c->stream_watch)
                watch_change(c->stream_watch, UV_READABLE);
}

static void on_stream_pumped(void *data, int r, uint64_t left)
{
        struct conn *c = data;
        stop_pump(c);
        c->stream_left = (int64_t)left;
        c->has_no_pump |= r == -EINVAL;
        if (r == -EINVAL)
                c->stream_watch = watch_start(c->server, c->stream_fd, UV_READABLE, on_stream_readable, c);
        else
                stream_end(c, r == 0);
}

void conn_answer_stream(struct request *req, int status, const char *content_type, int64_t length, int take_fd)
{
        struct conn *c = req->sink_data;
        conn_write_head(c, req, status, content_type, length);
        c->req = NULL;
        if (c->body_mode == BODY_WAIT)
                c->body_mode = BODY_DISCARD;
        c->stream_fd = take_fd;
        c->stream_left = length;
        fd_set_nonblocking(take_fd, true);
        if (c->is_head_request || length == 0) {
                c->stream_left = 0;
                stream_end(c, true);
                return;
        }
        conn_flush(c);
        if (length > 0 && !conn_queued(c) && !c->is_closing && can_pump(c, (uint64_t)length))
                c->pump = pump_start(c->server, take_fd, c->pump_socket, (uint64_t)length, on_stream_pumped, c);
        else
                c->stream_watch = watch_start(c->server, take_fd, UV_READABLE, on_stream_readable, c);
}

void conn_bodies_done(struct conn *c)
{
        if (c->body_mode == BODY_FD)
                conn_body_end(c, -ECONNRESET);
        stop_pump(c);
        watch_stop(TAKE_PTR(c->stream_watch));
        fd_reset(&c->stream_fd);
}
