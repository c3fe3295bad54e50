/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A websocket to the daemon: bytes of a terminal, of a command's standard streams, events. Each has a connection of
 * its own. Knows frames; not what flows.
 */
#pragma once

#include "api/websocket.h"
#include "lightc/client.h"

#define STREAM_CHUNK KiB(256)

struct stream {
        int fd;
        struct websocket_parser parser;
        char *input;        /* STREAM_INPUT bytes, owned */
        char *pos;
        size_t n_pos;
        char *output;       /* one frame being sent: room for its header, then up to STREAM_CHUNK of payload */
        size_t sent, n_output;
        bool is_ended;      /* the peer said its end, or is gone */
        bool is_lost;       /* ended without that: the daemon is gone, or said that it is going */
        char key[HTTP_WEBSOCKET_KEY_SIZE];
};

#define STREAM_INIT ((struct stream){ .fd = -EBADF })
void stream_done(struct stream *s);
#define _cleanup_stream_ _cleanup_(stream_done)

/* The handshake in two halves, so that several streams need one round trip together. */
int stream_begin(struct client *c, struct stream *s, const char *url, struct error *err);
int stream_finish(struct stream *s, struct error *err);

/* What has come: calls sink for each piece of data until the input is used up. Text of no length, close: is_ended. */
typedef int (*stream_sink)(void *data, const char *bytes, size_t n, bool is_message_end);
/* One read() and what follows from it. 0, or -errno (of the sink, too). */
int stream_read(struct stream *s, stream_sink sink, void *data);

/* Where the next frame's payload may be put, STREAM_CHUNK bytes. Only while !stream_is_sending(). */
char *stream_payload(struct stream *s);
/* Makes a frame of the first n bytes there and begins to send it. */
int stream_send(struct stream *s, enum websocket_opcode opcode, size_t n);
/* Goes on sending after a socket was full. */
int stream_flush(struct stream *s);
static inline bool stream_is_sending(const struct stream *s)
{
        return s->sent < s->n_output;
}
/* Sends a small frame, waiting as long as it takes. */
int stream_send_now(struct stream *s, enum websocket_opcode opcode, const void *data, size_t n);
void stream_close(struct stream *s); /* says goodbye; the descriptor stays until stream_done() */
