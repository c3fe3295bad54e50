/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This process's terminal or standard streams on one side, a session's websockets on the other, until the session
 * ends. Knows terminals, signals and streams; not how the session was begun.
 */
#pragma once

#include "lightc/stream.h"

struct relay {
        struct stream in;       /* the session's stdin; on a terminal its output, too */
        struct stream out, err; /* not on a terminal */
        struct stream control;
        bool is_terminal;       /* raw mode, window sizes, one stream for both ways */
        bool has_escape;        /* Ctrl-a q leaves */
        int stdin_fd;           /* -EBADF: at its end from the start */
};

#define RELAY_INIT                                                                                           \
        ((struct relay){ .in = STREAM_INIT, .out = STREAM_INIT, .err = STREAM_INIT, .control = STREAM_INIT })
void relay_done(struct relay *r);

/*
 * Opens the streams an operation's metadata.fds names (the struct says which are wanted by is_terminal).
 */
int relay_open(struct client *c, struct relay *r, struct json_object *operation, struct error *err);
enum relay_end {
        RELAY_OVER, /* the session has ended */
        RELAY_LEFT, /* the user has left it */
        RELAY_LOST, /* the daemon is gone, and the session with it */
};
/* Until the session ends, however it does. */
int relay_run(struct relay *r, enum relay_end *ret_end, struct error *err);

/* The terminal's size, 80x24 when there is none. */
void relay_window_size(int *ret_width, int *ret_height);
