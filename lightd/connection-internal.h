/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by connection.c (HTTP), connection-body.c (streams) and connection-websocket.c only. */
#pragma once

#include "api/http.h"
#include "api/websocket.h"
#include "lightd/connection.h"
#include "lightd/pump.h"
#include "server/websocket.h"

#define CONN_INPUT_MAX KiB(128)  /* pipelined bytes kept while a request runs; then reading stops */
#define CONN_OUTPUT_HIGH MiB(1)  /* a stream stops producing above this */

enum body_mode {
        BODY_DISCARD, /* nobody wants it */
        BODY_JSON,    /* gathered in c->body */
        BODY_LOOK,    /* its first byte says whether it is JSON or waits */
        BODY_WAIT,    /* the handler has not said yet where it goes: reading is paused */
        BODY_FD,      /* into body_fd */
        BODY_OVER,    /* body_fd has what it took; the request runs already, whatever else comes */
};

struct conn {
        struct ws ws; /* first: a struct ws * is a struct conn * once it is a websocket */
        struct server *server;
        struct identity who;
        const struct transport *transport;
        void *handle;
        struct list node;

        struct http_parser parser;
        struct websocket_parser ws_parser;
        struct strbuf input;  /* not parsed yet */
        struct strbuf output; /* not written yet, from output_offset */
        size_t output_offset;
        struct request *req;  /* running, or NULL */
        bool is_ws, is_closing, is_lost, is_paused, is_parsing, must_close, is_head_request, needs_continue;
        bool ws_peer_closed, ws_was_queued;
        uint64_t head_timer;

        enum body_mode body_mode;
        struct strbuf body;
        bool body_is_too_large, body_is_complete;
        int body_fd;
        struct watch *body_watch; /* waits for room in body_fd */
        struct strbuf body_rest;  /* bytes body_fd had no room for, or that came before it */
        void (*body_done)(void *data, int r);
        void *body_data;

        int stream_fd; /* the answer's body comes from here */
        struct watch *stream_watch;
        int64_t stream_left; /* -1: chunked */

        struct pump *pump; /* moves the rest of a body past us: into body_fd or from stream_fd */
        int pump_socket;
        bool has_no_pump;
};

void conn_flush(struct conn *c);
void conn_send(struct conn *c, const void *data, size_t n);
static inline size_t conn_queued(const struct conn *c)
{
        return c->output.len - c->output_offset;
}
void conn_set_paused(struct conn *c, bool is_paused);
void conn_close(struct conn *c);
void conn_parse(struct conn *c);    /* goes on with c->input */
void conn_answered(struct conn *c); /* the answer is whole: the next request may come */

/* connection-body.c */
void conn_body_slice(struct conn *c, const char *data, size_t n);
void conn_body_end(struct conn *c, int r);
void conn_body_read_into(struct request *req, int take_fd, void (*done)(void *data, int r), void *data);
void conn_answer_stream(struct request *req, int status, const char *content_type, int64_t length, int take_fd);
void conn_write_head(struct conn *c, struct request *req, int status, const char *content_type, int64_t length);
void conn_stream_continue(struct conn *c); /* output has room again */
void conn_body_look(struct conn *c, const char *data, size_t n);
void conn_body_pump(struct conn *c);       /* large bodies go past the parser from here on */
void conn_bodies_done(struct conn *c);     /* the connection is gone */

/* connection-websocket.c */
struct ws *conn_upgrade(struct request *req, const struct ws_handler *h, void *data);
void conn_ws_receive(struct conn *c, char *data, size_t n);
void conn_ws_drained(struct conn *c);
void conn_ws_lost(struct conn *c);
void conn_ws_shutdown(struct conn *c);
