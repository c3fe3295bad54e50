/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container sees besides its root file system: /proc, /sys, /dev, its cgroups, lxcfs, disks and
 * devices. Runs in the container's own namespaces with its root's ids, while the host's tree and the stage
 * (namespace.h) are still in sight; targets are opened inside the new root and nowhere else.
 */
#pragma once

#include "base/error.h"
#include "runtime/spec.h"

/*
 * root_fd: the new root. 0 and the master of the console, a terminal of the container's own devpts, whose
 * other end is on /dev/console.
 */
int guest_mounts(const struct spec *s, int root_fd, int *ret_console, struct error *err);

/* The n-th mount and device of the spec wait on the stage under these names ("m0", "d0"). */
#define GUEST_STAGE_NAME_SIZE 16
char *guest_stage_name(char to[static GUEST_STAGE_NAME_SIZE], char kind, size_t n);

/* What container engines keep below an overlay must not be on one: directories of the volume, staged as "n0",
 * … */
struct guest_nested {
        const char *source, *target; /* source: below the volume */
};
#define GUEST_NESTED_MAX 3
extern const struct guest_nested guest_nested[GUEST_NESTED_MAX];
bool guest_has_nested(const struct spec *s);
