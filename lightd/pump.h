/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves a known number of bytes between a socket and a pipe by splice(): the daemon has a hand in large bodies but does
 * not copy them. In turns of the loop, with back-pressure from either side. Knows nothing of HTTP.
 */
#pragma once

#include "base/macros.h"

struct server;
struct pump;
/*
 * 0: all is moved; -ENODATA: `from` ended before; -EINVAL: the kernel cannot do it between these two, and nothing was
 * moved; or another -errno of either side. `left` is what was not moved. pump_stop() is the callback's business.
 */
typedef void (*pump_done_fn)(void *data, int r, uint64_t left);

/* Both descriptors are non-blocking, pollable, and stay the caller's. */
struct pump *pump_start(struct server *s, int from, int to, uint64_t n, pump_done_fn done, void *data);
void pump_stop(struct pump *p); /* NULL is fine */
