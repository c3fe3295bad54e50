/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's end of a monitor's socket (runtime/monitor-protocol.h): requests with answers, the pushed EXIT, and the
 * loss of the monitor. Knows no instance.
 */
#pragma once

#include "runtime/monitor-protocol.h"
#include "server/server.h"

struct monitor_link;

/* body and fds are borrowed / owned by the callee for the call: take an fd by setting it to -EBADF in place. */
typedef void (*monitor_reply_fn)(void *data, int r, struct json_object *body, int *fd, const struct error *err);

struct monitor_events {
        /* Init has ended. e NULL: the monitor is gone without having said how. The link is dead; close it. */
        void (*ended)(void *data, const struct monitor_exit *e);
};

/* Connects to <run_dir>/monitor.sock. -ENOENT, -ECONNREFUSED: there is no monitor. */
int monitor_link_open(struct server *s, const char *run_dir, const struct monitor_events *events, void *data,
                      struct monitor_link **ret);
void monitor_link_close(struct monitor_link *l); /* NULL is fine; pending requests get -ECONNRESET */
/* body is taken (NULL: {}). fn may be NULL; it runs later, once. */
void monitor_link_request(struct monitor_link *l, enum monitor_type type, struct json_object *take_body,
                          monitor_reply_fn fn, void *data);
