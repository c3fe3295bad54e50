/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets on libwebsockets' raw role: accepts, identifies the peer, carries bytes between lws and a
 * connection (lightd/connection.h). HTTP is ours because lws's HTTP role does not decode chunked request bodies,
 * caps them, and answers pipelined ones twice.
 */
#pragma once

#include "server/server.h"

struct listener;

/* Takes a listening unix socket. The context is made on the server's loop with the first listener. */
struct listener *listener_new_unix(struct server *s, int take_fd);
/* Stops accepting; connections go on. */
void listener_stop(struct listener *l);
/* Asks every connection to end: running requests are answered, websockets get 1001. */
void listener_shutdown_connections(struct listener *l);
size_t listener_connections(const struct listener *l);
/* Ends what is left and frees; the loop must still turn once for the context to go. */
void listener_free(struct listener *l);
