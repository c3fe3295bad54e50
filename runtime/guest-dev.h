/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's /dev: a tmpfs with the few nodes every system needs, its own terminals, message queues and
 * shared memory. Called by guest-mounts.c only.
 */
#pragma once

#include "base/macros.h"

/* Mounts it below root_fd; *ret_console is the master of the terminal on /dev/console. */
int guest_dev(int root_fd, int *ret_console);
