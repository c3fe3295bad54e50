/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A websocket as the families see it: frames in, frames out, back-pressure both ways. lightd/ implements it on a
 * connection, API tests on a buffer.
 */
#pragma once

#include "base/macros.h"

struct ws;

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct ws_handler {
        /* A slice of a message's payload, in place (may be changed); is_end: the message ends with it. n may be 0. */
        void (*data)(struct ws *ws, void *data, enum ws_opcode opcode, uint8_t *payload, size_t n, bool is_end);
        /* ws_queued() has fallen to 0 after it was not. May be NULL. */
        void (*drained)(struct ws *ws, void *data);
        /* The last call: the peer closed, the connection broke, or ws_close() is through. ws is gone after it. */
        void (*closed)(struct ws *ws, void *data);
};

/* Operations a carrier provides; the first member of its own struct is a struct ws. */
struct ws_carrier {
        void (*send)(struct ws *ws, enum ws_opcode opcode, const void *payload, size_t n);
        size_t (*queued)(struct ws *ws);
        void (*pause)(struct ws *ws, bool is_paused);
        void (*close)(struct ws *ws, uint16_t code, const char *reason);
};

struct ws {
        const struct ws_carrier *carrier;
        const struct ws_handler *handler;
        void *data;
        bool is_closing;
};

/* One whole message in one frame. Always accepted; a sender looks at ws_queued() and waits for `drained`. */
static inline void ws_send(struct ws *ws, enum ws_opcode opcode, const void *payload, size_t n)
{
        if (!ws->is_closing)
                ws->carrier->send(ws, opcode, payload, n);
}
static inline size_t ws_queued(struct ws *ws)
{
        return ws->carrier->queued(ws);
}
/* Stops reading from the peer (back-pressure to it). */
static inline void ws_pause(struct ws *ws, bool is_paused)
{
        ws->carrier->pause(ws, is_paused);
}
/* Sends a close frame after what is queued; `closed` follows. */
static inline void ws_close(struct ws *ws, uint16_t code, const char *reason)
{
        if (!ws->is_closing)
                ws->carrier->close(ws, code, reason);
}

/* Listens to nothing; for a websocket whose owner has gone. */
extern const struct ws_handler ws_nobody;
/* Says goodbye; what still comes is dropped, and the former owner hears nothing more. NULL is fine. */
void ws_abandon(struct ws *ws);
