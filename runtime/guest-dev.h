/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's /dev: a tmpfs with the few nodes every system needs, its own terminals, message queues and
 * shared memory. Called by guest-mounts.c only.
 */
#pragma once

#include "base/macros.h"
#include <sys/types.h>

/*
 * On the stage, before the container's user namespace is entered, in which nodes cannot be made: nodes of the container's
 * own, with its root's ids. The host's would have the host's locks, watchers and times, and a privileged guest's chmod.
 */
int guest_dev_stage(uid_t base);
/* The staged null device as a detached mount: fd or -errno. */
int guest_dev_clone_null(void);
/* Mounts it below root_fd; *ret_console is the master of the terminal on /dev/console. */
int guest_dev(int root_fd, int *ret_console);
