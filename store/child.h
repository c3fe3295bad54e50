/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store child, `lightd --store`: the only process that opens the database. Its main() calls
 * store_child_run() before anything else and exits with what that returns.
 *
 *   fd 2   the daemon's stderr: only for what abort() or a sanitizer prints
 *   fd 3   arguments: {"dir": "/var/lib/lightd/database"}
 *   fd 5   the stream to the daemon (protocol.h); its end is the order to finish
 *
 * It can touch nothing but its directory: that is its root, it has no capability, and a system-call filter
 * leaves it files, memory and its one stream: no sockets, no signals to others, no new processes.
 *
 * LIGHTD_STORE_FAIL=commit-before|commit-after (tests): dies around its first commit.
 */
#pragma once

#include "store/migrate.h"

#define STORE_CHILD_FD 5

int store_child_run(void); /* the exit status; does not return before the daemon is gone */
int store_child_main(int fd, const char *dir, const struct migration *table);
