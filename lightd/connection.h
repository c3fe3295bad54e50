/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of a client: bytes in, requests out; answers in, bytes out. It owns the HTTP codec, the order of
 * pipelined requests, back-pressure, and the websocket it may turn into. It knows no socket: a transport carries its
 * bytes (lightd/listener.c on libwebsockets).
 */
#pragma once

#include "server/request.h"
#include <sys/uio.h>

struct conn;

struct transport {
        /* Bytes taken, -EAGAIN, or another -errno when the peer is gone. */
        ssize_t (*write)(void *handle, const struct iovec *iov, int n);
        void (*want_write)(void *handle); /* conn_writable() once it is */
        void (*pause)(void *handle, bool is_paused); /* of reading */
        void (*close)(void *handle);      /* conn_lost() follows, never from inside this call */
        /* A descriptor of its own for the socket, for bytes that need not be seen (never with TLS). NULL: none. */
        int (*open_socket)(void *handle);
};

struct conn *conn_new(struct server *s, const struct identity *who, const struct transport *t, void *handle);
/* The bytes may be changed (websocket masks are undone in place). */
void conn_receive(struct conn *c, char *data, size_t n);
void conn_writable(struct conn *c);
void conn_lost(struct conn *c); /* frees */
/* A clean end: the running request is answered, websockets get 1001, then close. */
void conn_shutdown(struct conn *c);
