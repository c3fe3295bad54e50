/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's life: start, loop, orderly end. */
#pragma once

#include "base/error.h"

struct daemon_options {
        const char *group; /* of the socket; NULL: "lightd" if that group exists, else root */
        bool is_debug;
};

/* Runs until it is told to stop; 0 or -errno with err set (nothing was started then). */
int daemon_run(const struct daemon_options *options, struct error *err);
struct server;
/* The kinds and routes of all families. */
void daemon_register(struct server *s);
/* The containers stop too (lightd shutdown): called by PUT /internal/shutdown; else only the daemon ends. */
void daemon_stop(struct server *s);
