/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live figures of a running container, read from descriptors kept open on its cgroup files: one pread() each, no
 * worker, no look-up of a path.
 */
#pragma once

#include "base/json.h"

struct live;

/* cgroup: "lightd-<did>/<num>". What a hierarchy does not have is left out. */
struct live *live_open(const char *cgroup);
void live_free(struct live *l);
/* Figures, 0 where the kernel has no such controller. */
struct live_figures {
        int64_t memory_bytes, memory_peak_bytes, swap_bytes, processes, cpu_ns;
};
void live_read(struct live *l, struct live_figures *ret);
