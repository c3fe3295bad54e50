/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's half of a container's console: output goes to a 64 KiB ring, a size-capped log file and at
 * most one viewer, a stream socket whose other end the daemon holds; the viewer's bytes go in. Knows no
 * protocol.
 */
#pragma once

#include "base/macros.h"
#include <poll.h>
#include <sys/types.h>

#define CONSOLE_CHUNK 4096

struct console {
        int master, slave; /* owned; the slave is held so that a guest that closes its own is no hang-up */
        int log_fd;        /* owned, or -EBADF */
        off_t log_bytes;
        int viewer; /* owned, or -EBADF */
        char *ring; /* mapped at the first output */
        size_t ring_end, ring_bytes;
        char to_viewer[CONSOLE_CHUNK], to_guest[CONSOLE_CHUNK];
        size_t n_to_viewer, n_to_guest;
        uint64_t stalled_since_ms; /* 0: the viewer takes what it gets */
};

#define CONSOLE_INIT                                                                                         \
        ((struct console){ .master = -EBADF, .slave = -EBADF, .log_fd = -EBADF, .viewer = -EBADF })

/* Takes the master (non-blocking) and opens the log, when there is one to write. */
int console_init(struct console *c, int take_master, const char *log_path);
void console_done(struct console *c);

#define CONSOLE_POLL_FDS 2
/* Fills two entries; an fd of -1 is none. Returns the milliseconds after which console_event() must run
 * anyway, or -1. */
int console_poll(const struct console *c, struct pollfd p[static CONSOLE_POLL_FDS]);
void console_event(struct console *c, const struct pollfd p[static CONSOLE_POLL_FDS]);
/* Reads what init left behind. */
void console_drain(struct console *c);

/* A new viewer: the daemon's end, into which the ring was written first; an earlier one is cut off. fd or
 * -errno. */
int console_attach(struct console *c, size_t *ret_ring_bytes);
void console_detach(struct console *c);
int console_resize(struct console *c, unsigned width, unsigned height);
/* A sealed memfd with the ring: fd or -errno. */
int console_log(const struct console *c);
void console_clear(struct console *c);
