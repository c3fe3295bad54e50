/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three processes of a start, private to start.c, builder.c and init.c:
 *
 *   monitor  (start.c)    the job itself; stays. Writes the id maps, makes the interfaces, answers the
 * daemon. builder  (builder.c)  its child for some milliseconds: a private mount namespace that the host
 * owns, the v1 groups, the clone of init as the monitor's child, the root file system on the stage. init
 * (init.c)     in all namespaces at once, waits for the others, copies (and so locks) the builder's mounts,
 *                         pivots, gives up what it may not have, executes the guest's init.
 *
 * Two processors work at once: interfaces beside the root file system beside the system call filter.
 */
#pragma once

#include "runtime/cgroup.h"
#include "runtime/report.h"
#include "runtime/spec.h"

struct start {
        const struct spec *spec;
        const struct cgroups *cgroups;
        int to_builder, builder;  /* a socket pair: the monitor's end, the builder's */
        int to_init, init;        /* the monitor's end, init's */
        int rootfs, await_rootfs; /* the builder's end, init's */
};

_noreturn_ void builder_main(struct start *s);
_noreturn_ void init_main(struct start *s);
