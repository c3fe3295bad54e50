/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving the content of a file between a descriptor and the daemon's pipe: pages are passed on where the
 * kernel can (splice), copied in large pieces where it cannot. Must not know whose file it is.
 */
#pragma once

#include "base/macros.h"

#define STREAM_NO_LIMIT UINT64_MAX

/*
 * Copies until the end of `from`, or `max` bytes. 0 and the number of bytes moved, also in *ret_moved after a
 * failure. -ECANCELED: the job was cancelled (SIGTERM).
 */
int stream_copy(int from, int to, uint64_t max, uint64_t *ret_moved);
