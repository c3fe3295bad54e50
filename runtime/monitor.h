/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stays of a start while the container runs: one small process with init's pidfd and its console, one
 * socket for the daemon (monitor-protocol.h), and in the end exit.json. It needs no daemon and survives any.
 */
#pragma once

#include "base/error.h"
#include "runtime/console.h"
#include "runtime/monitor-protocol.h"

struct monitor {
        char *name, *project; /* owned */
        unsigned num;
        pid_t pid;
        int pidfd;      /* owned */
        int run_dir_fd; /* owned */
        int listen_fd;  /* owned */
        int64_t started_at_ns;
        struct console console;
};

/* Detaches from the daemon, serves, and returns when init has ended and exit.json is on disk. */
int monitor_run(struct monitor *m);
void monitor_done(struct monitor *m);
