/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that has become a websocket: frames in and out, the closing handshake. */
#include "lightd/connection-internal.h"
#include "base/alloc.h"

#include <stdio.h>

#define PONGS_MAX KiB(256) /* a peer that pings and does not read is not answered for ever */

static struct conn *conn_of(struct ws *ws)
{
        return container_of(ws, struct conn, ws);
}

static void carrier_send(struct ws *ws, enum ws_opcode opcode, const void *payload, size_t n)
{
        struct conn *c = conn_of(ws);
        uint8_t header[WEBSOCKET_HEADER_MAX];
        size_t header_len = websocket_header(header, (enum websocket_opcode)opcode, true, n, NULL);
        if (c->is_closing)
                return;
        if (!conn_queued(c)) { /* the usual case: nothing is copied that the peer takes at once */
                struct iovec iov[2] = { { header, header_len }, { (void *)payload, n } };
                ssize_t taken = c->transport->write(c->handle, iov, n ? 2 : 1);
                if (taken < 0 && taken != -EAGAIN) {
                        conn_close(c);
                        return;
                }
                size_t k = taken < 0 ? 0 : (size_t)taken;
                if (k == header_len + n)
                        return;
                if (k < header_len)
                        strbuf_add(&c->output, header + k, header_len - k);
                k = k > header_len ? k - header_len : 0;
                strbuf_add(&c->output, (const char *)payload + k, n - k);
                c->ws_was_queued = true;
                c->transport->want_write(c->handle);
                return;
        }
        strbuf_add(&c->output, header, header_len);
        strbuf_add(&c->output, payload, n);
        c->ws_was_queued = true;
}

static size_t carrier_queued(struct ws *ws)
{
        return conn_queued(conn_of(ws));
}

static void carrier_pause(struct ws *ws, bool is_paused)
{
        struct conn *c = conn_of(ws);
        conn_set_paused(c, is_paused);
        if (!is_paused && c->input.len && !c->is_closing) {
                _cleanup_strbuf_ struct strbuf rest = c->input;
                c->input = STRBUF_INIT;
                conn_ws_receive(c, rest.data, rest.len);
        }
}

/* Our close frame goes out; the connection ends when the peer's has come, or when the peer does. */
static void send_close(struct conn *c, int code, const char *reason)
{
        if (c->ws.is_closing)
                return;
        c->ws.is_closing = true;
        websocket_write_close(&c->output, code, reason, NULL);
        if (c->ws_peer_closed)
                c->must_close = true;
        conn_set_paused(c, false);
        conn_flush(c);
}

static void carrier_close(struct ws *ws, uint16_t code, const char *reason)
{
        send_close(conn_of(ws), code, reason);
}

static const struct ws_carrier carrier = {
        .send = carrier_send,
        .queued = carrier_queued,
        .pause = carrier_pause,
        .close = carrier_close,
};

struct ws *conn_upgrade(struct request *req, const struct ws_handler *h, void *data)
{
        struct conn *c = req->sink_data;
        if (!c->parser.head.websocket_key)
                return NULL;
        http_write_websocket_accept(&c->output, c->parser.head.websocket_key);
        c->req = NULL;
        c->is_ws = true;
        c->must_close = false;
        c->ws = (struct ws){ .carrier = &carrier, .handler = h, .data = data };
        websocket_parser_init(&c->ws_parser, true, 0);
        conn_flush(c);
        return &c->ws;
}

static void on_pong_due(struct conn *c)
{
        if (conn_queued(c) < PONGS_MAX && !c->ws.is_closing) {
                websocket_write_frame(&c->output, WEBSOCKET_OP_PONG, c->ws_parser.payload, c->ws_parser.len, NULL);
                conn_flush(c);
        }
}

static void on_peer_close(struct conn *c, int code)
{
        c->ws_peer_closed = true;
        if (c->ws.is_closing) { /* the answer to ours */
                c->must_close = true;
                conn_flush(c);
        } else {
                send_close(c, code, NULL);
        }
}

static void deliver(struct conn *c)
{
        const struct ws_handler *h = c->ws.handler;
        enum ws_opcode opcode = c->ws_parser.opcode == WEBSOCKET_TEXT ? WS_TEXT : WS_BINARY;
        if (!c->ws.is_closing)
                h->data(&c->ws, c->ws.data, opcode, (uint8_t *)c->ws_parser.payload, c->ws_parser.len,
                        c->ws_parser.is_message_end);
}

/* False: stop here (more input would be for later, or never). */
static bool handle_ws_event(struct conn *c, enum websocket_event event)
{
        switch (event) {
        case WEBSOCKET_DATA:
                deliver(c);
                return !c->is_paused;
        case WEBSOCKET_PING:
                on_pong_due(c);
                return true;
        case WEBSOCKET_PONG:
                return true;
        case WEBSOCKET_CLOSE:
                on_peer_close(c, c->ws_parser.code);
                return false;
        case WEBSOCKET_BAD:
                c->ws_peer_closed = true;
                send_close(c, c->ws_parser.code, c->ws_parser.problem);
                return false;
        default:
                return false;
        }
}

void conn_ws_receive(struct conn *c, char *data, size_t n)
{
        while (n && !c->is_closing && !c->is_paused && !c->ws_peer_closed)
                if (!handle_ws_event(c, websocket_parser_next(&c->ws_parser, &data, &n)))
                        break;
        if (n && !c->is_closing && !c->ws_peer_closed)
                strbuf_add(&c->input, data, n); /* paused in the middle of what had been read */
}

void conn_ws_drained(struct conn *c)
{
        if (!c->ws_was_queued)
                return;
        c->ws_was_queued = false;
        if (c->ws.handler->drained && !c->ws.is_closing)
                c->ws.handler->drained(&c->ws, c->ws.data);
}

void conn_ws_lost(struct conn *c)
{
        c->ws.is_closing = true;
        c->ws.handler->closed(&c->ws, c->ws.data);
}

void conn_ws_shutdown(struct conn *c)
{
        send_close(c, WEBSOCKET_CODE_GOING_AWAY, "the daemon is stopping");
        c->must_close = true;
        conn_flush(c);
}
