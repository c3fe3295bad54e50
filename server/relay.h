/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes between a websocket and a descriptor (a pipe, a terminal, a stream socket), with back-pressure both
 * ways: while the peer does not take its frames the descriptor is not read, and while the descriptor has no
 * room the peer is not read. Either side may come first. Knows nothing of what flows, nor of who started
 * whom.
 *
 * What the peers of LXD expect: output is binary frames, one for each read, then a text frame without
 * content; an empty text frame or the close of the websocket ends the input.
 */
#pragma once

#include "server/server.h"
#include "server/websocket.h"

enum relay_ways {
        RELAY_OUT = 1 << 0, /* descriptor to websocket */
        RELAY_IN = 1 << 1,  /* websocket to descriptor; alone: the end of the input closes the descriptor */
};

struct relay;
/* The output is over, or the peer is gone: look with the functions below. The relay may be freed from here.
 */
typedef void (*relay_changed_fn)(void *data);

struct relay *relay_new(struct server *s, unsigned ways, relay_changed_fn changed, void *data);
/* Says goodbye to the peer and lets the descriptor go. NULL is fine. */
void relay_free(struct relay *r);

/* For operation_add_websocket(), with the relay as ws_data; then relay_set_ws() from its `connected`. */
extern const struct ws_handler relay_ws_handler;
void relay_set_ws(struct relay *r, struct ws *ws);
/* Makes it non-blocking. */
void relay_set_fd(struct relay *r, int take_fd);

int relay_fd(const struct relay *r); /* borrowed; -EBADF: not there yet, or not any more */
bool relay_is_connected(const struct relay *r);
/* The peer was there and has left. */
bool relay_is_gone(const struct relay *r);
/* It left before it had everything. */
bool relay_is_broken(const struct relay *r);
/* Everything the descriptor gave has been handed on, or nobody is left to hand it to. */
bool relay_is_over(const struct relay *r);
