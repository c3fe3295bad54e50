/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/stream.h"
#include "base/alloc.h"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM_INPUT KiB(512)
#define SOCKET_BUFFER ((int)MiB(1))

/*
 * The mask protects caches of proxies from a browser's hostile page. There is neither on a unix socket, and a key of
 * zeros is a key: the bytes go out as they are, without a pass over each of them on both sides.
 */
static const uint8_t no_mask[4];

void stream_done(struct stream *s)
{
        fd_reset(&s->fd);
        free(s->input);
        free(s->output);
        *s = STREAM_INIT;
}

int stream_begin(struct client *c, struct stream *s, const char *url, struct error *err)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        uint8_t nonce[16] = { 0 };
        int size = SOCKET_BUFFER;
        int fd = client_connect(c, err);
        if (fd < 0)
                return fd;
        *s = (struct stream){ .fd = fd };
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        (void)!getrandom(nonce, sizeof(nonce), 0);
        http_websocket_key(nonce, s->key);
        http_write_websocket_request(&b, url, "lightd", s->key);
        http_write_end(&b);
        int r = fd_write_all(fd, b.data, b.len);
        return r < 0 ? error_set_errno(err, r, "Cannot open a stream to the daemon") : 0;
}

static int refused(const struct http_parser *p, const struct strbuf *body, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        const char *sentence = NULL;
        if (json_parse(strbuf_str(body), body->len, &o, NULL) == 0)
                sentence = json_get_string(o, "error", NULL);
        return error_set(err, ERR_UNAVAILABLE, "The daemon opened no stream: %s",
                         sentence ? sentence : http_status_text(p->head.status));
}

/* What comes behind the handshake is the stream's first data. */
static int read_handshake(struct stream *s, struct http_parser *p, struct error *err)
{
        _cleanup_strbuf_ struct strbuf body = STRBUF_INIT_MAX(KiB(64));
        const char *pos = NULL;
        size_t n = 0;
        for (;;) {
                enum http_event e = http_parser_next(p, &pos, &n);
                if (e == HTTP_HEAD && p->head.status == 101)
                        continue;
                if (e == HTTP_BODY)
                        strbuf_add(&body, p->body, p->body_len);
                if (e == HTTP_END && p->head.status == 101) {
                        s->pos = s->input + (pos - s->input);
                        s->n_pos = n;
                        return http_websocket_is_accepted(p, s->key) ? 0 : refused(p, &body, err);
                }
                if (e == HTTP_END || e == HTTP_BAD)
                        return refused(p, &body, err);
                if (e != HTTP_MORE)
                        continue;
                ssize_t got = read(s->fd, s->input, STREAM_INPUT);
                if (got <= 0)
                        return error_set(err, ERR_UNAVAILABLE, "The daemon closed a stream before it was open");
                pos = s->input;
                n = (size_t)got;
        }
}

int stream_finish(struct stream *s, struct error *err)
{
        _cleanup_(http_parser_done) struct http_parser p;
        s->input = xmalloc(STREAM_INPUT);
        http_parser_init_response(&p, false);
        websocket_parser_init(&s->parser, false, 0);
        int r = read_handshake(s, &p, err);
        return r < 0 ? r : fd_set_nonblocking(s->fd, true);
}

/* Data is not lost by a pong that waits: it is sent whole, and the daemon pings only what is idle. */
static int handle_control(struct stream *s, enum websocket_event e)
{
        if (e == WEBSOCKET_PING && !stream_is_sending(s))
                return stream_send_now(s, WEBSOCKET_OP_PONG, s->parser.payload, s->parser.len);
        if (e == WEBSOCKET_CLOSE || e == WEBSOCKET_BAD)
                s->is_ended = true;
        if (e == WEBSOCKET_CLOSE && s->parser.code == WEBSOCKET_CODE_GOING_AWAY)
                s->is_lost = true;
        return e == WEBSOCKET_BAD ? -EBADMSG : 0;
}

static int parse_input(struct stream *s, stream_sink sink, void *data)
{
        for (;;) {
                enum websocket_event e = websocket_parser_next(&s->parser, &s->pos, &s->n_pos);
                int r;
                if (e == WEBSOCKET_MORE)
                        return 0;
                if (e == WEBSOCKET_DATA) {
                        if (s->parser.opcode == WEBSOCKET_TEXT && s->parser.len == 0 && s->parser.is_message_end)
                                s->is_ended = true;
                        r = sink(data, s->parser.payload, s->parser.len, s->parser.is_message_end);
                } else
                        r = handle_control(s, e);
                if (r < 0 || s->is_ended)
                        return r;
        }
}

int stream_read(struct stream *s, stream_sink sink, void *data)
{
        if (s->n_pos == 0) {
                ssize_t n = read(s->fd, s->input, STREAM_INPUT);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return 0;
                if (n <= 0) {
                        s->is_ended = s->is_lost = true;
                        return n == 0 || errno == ECONNRESET ? 0 : -errno;
                }
                s->pos = s->input;
                s->n_pos = (size_t)n;
        }
        return parse_input(s, sink, data);
}

char *stream_payload(struct stream *s)
{
        if (!s->output)
                s->output = xmalloc(WEBSOCKET_HEADER_MAX + STREAM_CHUNK);
        return s->output + WEBSOCKET_HEADER_MAX;
}

int stream_send(struct stream *s, enum websocket_opcode opcode, size_t n)
{
        uint8_t header[WEBSOCKET_HEADER_MAX];
        size_t n_header = websocket_header(header, opcode, true, n, no_mask);
        stream_payload(s);
        s->sent = WEBSOCKET_HEADER_MAX - n_header;
        s->n_output = WEBSOCKET_HEADER_MAX + n;
        memcpy(s->output + s->sent, header, n_header);
        return stream_flush(s);
}

int stream_flush(struct stream *s)
{
        while (stream_is_sending(s)) {
                ssize_t n = write(s->fd, s->output + s->sent, s->n_output - s->sent);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 0 : -errno;
                s->sent += (size_t)n;
        }
        return 0;
}

int stream_send_now(struct stream *s, enum websocket_opcode opcode, const void *data, size_t n)
{
        int r = 0;
        if (n)
                memcpy(stream_payload(s), data, n);
        for (r = stream_send(s, opcode, n); r == 0 && stream_is_sending(s); r = stream_flush(s)) {
                struct pollfd p = { .fd = s->fd, .events = POLLOUT };
                poll(&p, 1, -1);
        }
        return r;
}

void stream_close(struct stream *s)
{
        uint8_t code[2] = { WEBSOCKET_CODE_NORMAL >> 8, WEBSOCKET_CODE_NORMAL & 0xff };
        if (s->fd >= 0 && !stream_is_sending(s))
                stream_send_now(s, WEBSOCKET_OP_CLOSE, code, sizeof(code));
}
