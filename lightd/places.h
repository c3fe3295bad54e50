/* SPDX-License-Identifier: Apache-2.0 */
/* Where the daemon lives: its directories, its lock, its socket, its cgroups. All of it before the loop turns. */
#pragma once

#include "server/server.h"

/* LIGHTD_DIR or /var/lib/lightd. */
const char *places_dir(void);
/* Makes the state directory and takes its lock; -EBUSY with a sentence when another daemon has it. The fd stays open. */
int places_lock(const char *dir, int *ret_lock_fd, struct error *err);
/* After the did is known: run_dir, log_dir, the cgroup tree; kills what is left of earlier jobs. */
int places_prepare(struct server *s, struct error *err);
/* The listening socket <dir>/unix.socket, 0660 root:<group>; or the one systemd passed. Also hints at stale files. */
int places_socket(const char *dir, const char *group, int *ret_fd, struct error *err);
